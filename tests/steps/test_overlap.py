"""Grading beside sampling, where models do not run on this machine's cores: the same results, and errors come out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from test_run import carried_out, samples

from inoculate.errors import UserError
from inoculate.steps import plan as planning
from inoculate.steps import run as running
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.store import Step, Store
from inoculate.study.parse import load


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[bool]]:
    """For each kind of step, whether it was carried out in the main thread."""
    seen: dict[str, set[bool]] = {}
    carry_out_step, carry_out_together = running.carry_out_step, running.carry_out_together

    def watched(step: Step, resources: Resources, progress: Progress) -> None:
        seen.setdefault(step.kind, set()).add(threading.current_thread() is threading.main_thread())
        carry_out_step(step, resources, progress)

    def watched_together(steps: Sequence[Step], resources: Resources, progress: Progress) -> None:
        seen.setdefault(steps[0].kind, set()).add(threading.current_thread() is threading.main_thread())
        carry_out_together(steps, resources, progress)

    monkeypatch.setattr(running, "carry_out_step", watched)
    monkeypatch.setattr(running, "carry_out_together", watched_together)
    return seen


def test_results_do_not_depend_on_it(
    study_file: Path, tmp_path: Path, threads: dict[str, set[bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, done_here = carried_out(study_file, Store(tmp_path / "here"))
    assert threads["grades"] == {True}
    monkeypatch.setattr(Resources, "cores_are_free", True)
    threads.clear()
    beside, done_beside = carried_out(study_file, Store(tmp_path / "beside"))
    assert (threads["grades"], threads["completions"]) == ({False}, {True})
    assert sorted(done_here) == sorted(done_beside)
    assert samples(here) == samples(beside)


def test_what_goes_wrong_beside_comes_out_and_the_next_run_goes_on(
    study_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store")
    monkeypatch.setattr(Resources, "cores_are_free", True)

    def broken(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
        raise UserError("on purpose")

    with monkeypatch.context() as patched:
        patched.setitem(running.RUN_STEP, "grades", broken)
        with pytest.raises(UserError, match="on purpose"):
            carried_out(study_file, store)
    steps = planning.make_plan(load(study_file)).steps()
    finished = store.finished_keys(steps)
    assert finished and not any(step.kind == "grades" and step.key in finished for step in steps)
    _, done = carried_out(study_file, store)
    assert len(done) == len(steps) - len(finished)
