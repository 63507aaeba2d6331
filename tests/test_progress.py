"""Progress where there is no terminal: plain lines, or nothing. tests/test_python_examples.py looks at a notebook."""

from __future__ import annotations

import re

import pytest

from inoculate import progress
from inoculate.steps.run import Running
from inoculate.steps.store import Step


def carried_out(watcher: progress.TerminalProgress | progress.NotebookProgress) -> None:
    with watcher:
        watcher.on_step_start(Step("rows", {}, label="rows of [plain]"), 1, 2)
        watcher.on_progress(1, 2, "rows")
        watcher.on_progress(2, 2, "")
        watcher.on_step_end(Step("rows", {}))
        watcher.on_message("a model is fetched")


def test_plain_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PLAIN_SECONDS", -1)
    carried_out(progress.show_progress())
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.sub(r"[\d.]+ s", "N s", shown.err).splitlines() == [
        "[1/2] rows of [plain]",
        "[1/2] rows of [plain]: 1 of 2, rows, N s",
        "[1/2] rows of [plain]: 2 of 2, N s",
        "[1/2] rows of [plain]: N s, done",
        "a model is fetched",
    ]


def test_nothing_where_it_is_not_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    carried_out(progress.show_progress(quiet=True))
    assert capsys.readouterr() == ("", "")


def test_tasks_on_a_cluster_are_lines_or_bars(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = [Running(f"rows of [arm] {number}", "10.0.0.1", number, 9 * (number > 0), "") for number in range(6)]
    monkeypatch.setattr(progress, "PLAIN_SECONDS", -1)
    monkeypatch.setattr(progress, "_MOST_NAMED", 3)
    shown = progress.TerminalProgress()
    shown.on_parallel(running, 3, 12)
    shown.on_parallel([], 12, 12)
    assert capsys.readouterr().err.splitlines() == [
        "3 of 12 steps finished, 6 under way:",
        "  begins  rows of [arm] 0, on 10.0.0.1",
        "  1 of 9  rows of [arm] 1, on 10.0.0.1",
        "  2 of 9  rows of [arm] 2, on 10.0.0.1",
        "  and 3 more",
        "12 of 12 steps finished",
    ]
    monkeypatch.setenv("FORCE_COLOR", "1")
    bars = progress.TerminalProgress()
    bars.on_parallel(running, 3, 12)
    bars.on_parallel(running[1:2], 4, 12)
    texts = [task.description for task in bars.bars.tasks]
    assert texts == ["steps", "rows of \\[arm] 1, on 10.0.0.1"] or texts == ["rows of \\[arm] 1, on 10.0.0.1", "steps"]
    assert {task.completed for task in bars.bars.tasks} == {1, 4}
