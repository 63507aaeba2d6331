"""Progress where there is no terminal: plain lines, or nothing. tests/test_python_examples.py looks at a notebook."""

from __future__ import annotations

import re

import pytest

from inoculate import progress
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
