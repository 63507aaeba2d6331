"""Grading beside sampling, where models do not run on this machine's cores: the same results, and errors come out."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from test_run import carried_out, samples

from inoculate.errors import UserError
from inoculate.steps import plan as planning
from inoculate.steps.store import Step, Store
from inoculate.steps.work import Workshop
from inoculate.study.parse import load


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[bool]]:
    """For each kind of step, whether it was carried out in the main thread."""
    seen: dict[str, set[bool]] = {}
    carry_out = Workshop.carry_out

    def watched(self: Workshop, step: Step, progress: Any) -> None:
        seen.setdefault(step.kind, set()).add(threading.current_thread() is threading.main_thread())
        carry_out(self, step, progress)

    monkeypatch.setattr(Workshop, "carry_out", watched)
    return seen


def test_results_do_not_depend_on_it(
    study_file: Path, tmp_path: Path, threads: dict[str, set[bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, done_here = carried_out(study_file, Store(tmp_path / "here"))
    assert threads["grades"] == {True}
    monkeypatch.setattr(Workshop, "cores_are_free", True)
    threads.clear()
    beside, done_beside = carried_out(study_file, Store(tmp_path / "beside"))
    assert (threads["grades"], threads["completions"]) == ({False}, {True})
    assert sorted(done_here) == sorted(done_beside)
    assert samples(here) == samples(beside)


def test_what_goes_wrong_beside_comes_out_and_the_next_run_goes_on(
    study_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, grades = Store(tmp_path / "store"), Workshop._grades
    monkeypatch.setattr(Workshop, "cores_are_free", True)

    def broken(self: Workshop, step: Step, work: Path, progress: Any) -> None:
        raise UserError("on purpose")

    with monkeypatch.context() as patched:
        patched.setattr(Workshop, "_grades", broken)
        with pytest.raises(UserError, match="on purpose"):
            carried_out(study_file, store)
    assert Workshop._grades is grades
    steps = planning.make(load(study_file)).steps()
    finished = store.finished(steps)
    assert finished and not any(step.kind == "grades" and step.key in finished for step in steps)
    _, done = carried_out(study_file, store)
    assert len(done) == len(steps) - len(finished)
