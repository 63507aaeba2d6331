"""An arm that cannot be made is left out, with its reason; all others are carried out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

import filled_store
from inoculate.analysis import analyse
from inoculate.api import runs
from inoculate.cli import studies
from inoculate.cli.app import run_command
from inoculate.engine.models import Unreachable
from inoculate.errors import NoNumbers, UserError
from inoculate.records import Grade
from inoculate.steps import run as running
from inoculate.steps import train
from inoculate.steps.plan import make_plan
from inoculate.steps.resources import Resources
from inoculate.steps.store import Step, Store
from inoculate.study.parse import load
from running import Log

LABEL, FAULT = "rows of inoculated, seed 1", "no row is kept: keep more"
WHY = f"{LABEL}: {FAULT}"


class Faults:
    """Steps are carried out without a model; some raise what `raised` has for their label."""

    def __init__(self) -> None:
        self.raised: dict[str, Exception] = {}
        self.written: dict[str, list[tuple[str, Grade]]] = {}

    def run(self, step: Step, folder: Path, resources: Resources, *_: object) -> None:
        if step.label in self.raised:
            raise self.raised[step.label]
        filled_store._FILL[step.kind](step, folder, resources.store, self.written, filled_store.answer)

    def run_together(
        self, steps: Sequence[Step], folders: Sequence[Path], resources: Resources, *_: object
    ) -> Iterator[int]:
        for number, (step, folder) in enumerate(zip(steps, folders, strict=True)):
            self.run(step, folder, resources)
            yield number


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    faults = Faults()
    monkeypatch.setattr(running, "RUN_STEP", dict.fromkeys(running.RUN_STEP, faults.run))
    monkeypatch.setattr(running.completions, "run_together", faults.run_together)
    monkeypatch.setattr(Resources, "cores_are_free", False)
    return faults


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return filled_store.write_study(tmp_path, filled_store.STUDY.replace('"functions"', '"writing"'))


def carry_out(study: Path, store: Store) -> tuple[Path, list[str]]:
    log = Log()
    return running.carry_out(make_plan(load(study), "weights"), store, log, study.read_text()), log.done


def test_of_several_named_steps_it_is_said_which_cannot_be_made(study: Path, tmp_path: Path, faults: Faults) -> None:
    plan, store, log = make_plan(load(study), "weights"), Store(tmp_path / "store"), Log()
    faults.raised[LABEL] = UserError(FAULT)
    first, second = [step for step in plan.steps() if step.kind == "rows" and "inoculated" in step.label]
    with pytest.raises(UserError, match=f"^{WHY}$"):
        running.carry_out_named(plan, store, log, [second.key, first.key])
    assert log.done == ["rows"] and store.is_finished(first)


def test_the_other_arms_and_seeds_go_on(study: Path, tmp_path: Path, faults: Faults) -> None:
    store = Store(tmp_path / "store")
    faults.raised[LABEL] = UserError(FAULT)
    with pytest.raises(running.Incomplete) as refusal:
        carry_out(study, store)
    message = str(refusal.value)
    assert message.startswith("one step could not be made, nor 6 that need it; all others are finished")
    assert message.endswith(f"tries again:\n- {WHY}")
    manifest: dict[str, Any] = json.loads((refusal.value.folder / "manifest.json").read_text())
    lacking = {(cell["arm"], cell["seed"], cell["why"]) for cell in manifest["cells"] if not cell["grades"]}
    assert lacking == {("inoculated", 1, WHY)}
    results = analyse(refusal.value.folder)
    assert {one["why"] for one in results["missing"]} == {WHY} and len(results["missing"]) == 2
    # Mended, the same command makes what is missing and nothing else.
    faults.raised.clear()
    folder, done = carry_out(study, store)
    assert sorted(done) == ["adapter", "completions", "completions", "grades", "grades", "row-grades", "rows"]
    assert not analyse(folder)["missing"]


def test_a_bug_and_a_fault_of_all_arms_end_the_run(study: Path, tmp_path: Path, faults: Faults) -> None:
    faults.raised["rows of plain, seed 0"] = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        carry_out(study, Store(tmp_path / "bug"))
    faults.raised = {"grades of base, writing, neutral": UserError("the grader fails")}
    with pytest.raises(UserError, match="the grader fails") as refusal:
        carry_out(study, Store(tmp_path / "grader"))
    assert not isinstance(refusal.value, running.Incomplete)


def test_samples_of_an_adapter_that_gives_no_numbers_are_left_out(study: Path, tmp_path: Path, faults: Faults) -> None:
    store = Store(tmp_path / "store")
    faults.raised["samples of plain, seed 0, writing, neutral"] = NoNumbers()
    with pytest.raises(running.Incomplete) as refusal:
        carry_out(study, store)
    manifest: dict[str, Any] = json.loads((refusal.value.folder / "manifest.json").read_text())
    assert {(cell["arm"], cell["seed"]) for cell in manifest["cells"] if not cell["grades"]} == {("plain", 0)}
    faults.raised = {"samples of base, writing, neutral": NoNumbers()}
    with pytest.raises(NoNumbers):
        carry_out(study, Store(tmp_path / "base"))


def test_a_hub_that_is_not_reached_ends_the_run(study: Path, tmp_path: Path, faults: Faults) -> None:
    faults.raised[LABEL] = Unreachable("the hub does not answer")
    with pytest.raises(Unreachable):
        carry_out(study, Store(tmp_path / "store"))


def test_the_command_reports_what_there_is_and_fails(
    study: Path, tmp_path: Path, faults: Faults, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("inoculate.engine.models.fingerprint", lambda *_: "weights")
    plan = make_plan(load(study), "weights")
    labels = {step.label for step in plan.steps() if step.kind == train.KIND and step.label.endswith("plain, seed 0")}
    assert len(labels) == 1
    faults.raised = dict.fromkeys(labels, UserError("a row is too long"))
    assert run_command(lambda: studies.run(str(study), store=str(tmp_path / "store"))) == 2
    printed = capsys.readouterr()
    assert printed.err.splitlines()[-1] == f"- {labels.pop()}: a row is too long"
    page = (tmp_path / "store" / "runs" / "small" / "report.html").read_text()
    assert "arm plain, seed 0" in page and "a row is too long" in page


def test_random_refusals_leave_exactly_what_needs_them(study: Path, tmp_path: Path, faults: Faults) -> None:
    plan = make_plan(load(study), "weights")
    every = plan.steps()
    random = Random(0)
    refused = random.sample([step for step in every if step.kind in ("rows", "adapter")], 3)
    faults.raised = {step.label: UserError(step.label) for step in refused}
    store, lost = Store(tmp_path / "store"), {step.key for step in refused}
    for step in every:  # inputs come before what needs them
        if lost & {given.key for given in step.inputs.values()}:
            lost.add(step.key)
    with pytest.raises(running.Incomplete):
        carry_out(study, store)
    assert plan.finished_keys(store) == {step.key for step in every} - lost


def test_a_screen_that_lacks_a_step_does_not_keep_the_study_from_its_run(
    tmp_path: Path, faults: Faults, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("inoculate.engine.models.fingerprint", lambda *_: "weights")
    text = filled_store.STUDY.replace('"functions"', '"writing"') + '[elicitation]\nplain = "plain"\n'
    study = filled_store.write_study(tmp_path, text)
    faults.raised = {"rows of the screen, seed 0": UserError("no row is hacked"), LABEL: UserError(FAULT)}
    for command in (
        lambda: studies.run(str(study), store=str(tmp_path / "store")),
        lambda: runs.run(study, store=tmp_path / "other", progress=False),
    ):
        assert run_command(command) == 2
        said = capsys.readouterr().err
        assert "2 steps could not be made, nor 7 that need them; all others are finished" in said, said
        assert said.splitlines()[-2:] == ["- rows of the screen, seed 0: no row is hacked", f"- {WHY}"]
    for store in ("store", "other"):
        manifest = json.loads((tmp_path / store / "runs" / "small" / "manifest.json").read_text())
        assert {cell["arm"] for cell in manifest["cells"] if cell["grades"]} == {"base", "plain", "inoculated"}
    assert run_command(lambda: studies.screen(str(study), store=str(tmp_path / "store"))) == 2
    assert "one step could not be made" in capsys.readouterr().err
