"""What a run does with what a cluster answers: tries again, leaves out, stops. The cluster here answers by a script."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from inoculate.errors import UserError
from inoculate.steps import plan as planning
from inoculate.steps import run
from inoculate.steps.cluster import drive
from inoculate.steps.cluster.connect import Cluster, Ended
from inoculate.steps.cluster.schedule import Free
from inoculate.steps.cluster.tasks import Job, Outcome, Place, carry_out_unit, log_file
from inoculate.steps.store import Step, Store
from inoculate.study.parse import load
from inoculate.study.schema import Needs
from running import Log, carried_out, samples

Answer = Callable[[Sequence[Step]], Ended | None]
"""What a task is to answer, in place of what its steps would give; None where they are carried out."""


class Scripted(Cluster):
    """A cluster that carries tasks out in this process, one after the other."""

    def __init__(self, answer: Answer, room: float = 4) -> None:
        self.answer, self.room = answer, room
        self.asked: list[tuple[str, set[str]]] = []
        self.cancelled = False

    def nodes(self) -> list[dict[str, Any]]:
        return [{"NodeID": "one", "Resources": {"CPU": self.room}}]

    def total(self) -> Free:
        return Free(self.room, 0, 0)

    def submit(self, job: Job, number: int, steps: Sequence[Step], needs: Needs, avoid: Collection[str]) -> Any:
        self.asked.append((steps[0].label, set(avoid)))
        return (number, self.answer(steps) or Ended(carry_out_unit(job, steps, 1, lambda *_: None, lambda _: None)))

    def wait(self, tasks: Sequence[Any], seconds: float) -> list[Any]:
        return list(tasks)

    def result(self, task: Any, number: int) -> Ended:
        assert task[0] == number
        return task[1]

    def node_of(self, number: int) -> str:
        return "one"

    def read(self) -> tuple[dict[int, Place], list[str]]:
        return {}, []

    def end(self, numbers: Sequence[int]) -> None: ...

    def cancel(self, tasks: Sequence[Any]) -> None:
        self.cancelled = True


class Told(Log):
    """Remembers what was said."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def on_message(self, text: str) -> None:
        self.messages.append(text)


def carried(study: Path, store: Store, answer: Answer, watcher: Told | None = None) -> tuple[Path, Scripted]:
    cluster = Scripted(answer)
    place = drive.OnCluster(cluster)
    plan, watcher = planning.make_plan(load(study)), watcher or Told()
    return run.carry_out(plan, store, watcher, study.read_text(), place=place), cluster


def failed(text: str = "it broke", *, lost: bool = False) -> Ended:
    return Ended(Outcome("failed", text, "10.0.0.7"), lost)


def once(kind: str, answers: Sequence[Ended], which: str = "") -> Answer:
    """The first steps of a kind answer so; what comes after is carried out."""
    left = list(answers)

    def answer(steps: Sequence[Step]) -> Ended | None:
        return left.pop(0) if left and steps[0].kind == kind and which in steps[0].label else None

    return answer


def test_what_fails_is_tried_again_elsewhere_and_gives_what_one_process_gives(
    study_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drive, "_BUSY_SECONDS", 0.0)
    busy = Ended(Outcome("busy", "another process is working on it"))
    told = Told()
    answers = [failed(), *[failed(lost=True)] * 5, failed(), busy, busy]
    folder, cluster = carried(study_file, Store(tmp_path / "far"), once("adapter", answers, "plain"), told)
    alone, _ = carried_out(study_file, Store(tmp_path / "near"))
    assert samples(folder) == samples(alone)
    attempts = [avoid for label, avoid in cluster.asked if label == "training of plain, seed 0"]
    assert len(attempts) == 10 and attempts[0] == set() and attempts[-1] == {"one"}
    assert sum("lost with its node on 10.0.0.7" in message for message in told.messages) == 5
    assert sum(message.endswith("it broke\nIt is tried again.") for message in told.messages) == 7
    assert cluster.cancelled
    assert not (tmp_path / "far" / "logs").exists() or not list((tmp_path / "far" / "logs").iterdir())


def test_a_step_that_fails_three_times_is_left_out_with_its_log_and_all_others_are_made(
    study_file: Path, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")

    def answer(steps: Sequence[Step]) -> Ended | None:
        if steps[0].kind != "adapter" or "plain" not in steps[0].label:
            return None
        log_file(store, steps).parent.mkdir(exist_ok=True)
        log_file(store, steps).write_text("Killed\n")
        return failed()

    with pytest.raises(run.Incomplete) as caught:
        carried(study_file, store, answer)
    (reason,) = dict.fromkeys(caught.value.not_made.values())
    assert reason.startswith("training of plain, seed 0: failed on 10.0.0.7: it broke; its log: ")
    assert reason.endswith(".txt (the last of 3 attempts)")
    assert len(caught.value.not_made) == 5  # its two cells, and their grades
    plan = planning.make_plan(load(study_file))
    assert len(plan.missing(store)) == 5


def test_mistakes_end_the_run_in_the_same_words_and_a_refused_arm_does_not(study_file: Path, tmp_path: Path) -> None:
    mistake = Ended(Outcome("mistake", "rows.jsonl was changed after this run began"))
    with pytest.raises(UserError, match=r"^rows\.jsonl was changed after this run began$") as caught:
        carried(study_file, Store(tmp_path / "one"), once("row-grades", [mistake]))
    assert type(caught.value) is UserError
    refused = Ended(Outcome("refused", "a row is too long"))
    with pytest.raises(run.Incomplete, match="training of control, seed 0: a row is too long"):
        carried(study_file, Store(tmp_path / "two"), once("adapter", [refused], "control"))
    none = Ended(Outcome("no numbers", "no numbers"))
    with pytest.raises(UserError, match=r"^no numbers$"):
        carried(study_file, Store(tmp_path / "three"), once("completions", [none], "base"))


def test_more_than_any_node_has_is_refused_before_anything_starts(study_file: Path, tmp_path: Path) -> None:
    study_file.write_text(study_file.read_text() + "\n[resources.adapter]\ncpus = 8\ngpus = 1\n")
    with pytest.raises(UserError, match=r"^resources\.adapter: a step asks for cpus = 8, gpus = 1, and no node"):
        carried(study_file, Store(tmp_path / "store"), lambda _: failed())


def test_resources_change_nothing_of_what_a_study_is(study_file: Path) -> None:
    before = planning.make_plan(load(study_file))
    study_file.write_text(study_file.read_text() + "\n[resources.adapter]\ncpus = 8\ngpus = 1\n")
    after = planning.make_plan(load(study_file))
    assert [step.key for step in after.steps()] == [step.key for step in before.steps()]
    assert after.study.digest() == before.study.digest()


def outcome(job: Job, steps: Sequence[Step]) -> Outcome:
    return carry_out_unit(job, steps, 1, lambda *_: None, lambda _: None)


def test_a_task_says_what_it_cannot_do_and_keeps_its_log_if_it_fails(
    study_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("INOCULATE_CORES", "1")
    monkeypatch.setattr("inoculate.steps.cluster.tasks.SHARED_SECONDS", 0.0)
    monkeypatch.chdir(tmp_path)
    store = Store(tmp_path / "store")
    plan = planning.make_plan(load(study_file))
    problems, sampled = plan.cells[0].problems, plan.cells[0].completions

    def fail(*given: object) -> None:
        print("so far", flush=True)
        raise ZeroDivisionError("by zero")

    job = Job(store.name, plan.study.model, "", tmp_path, {}, {})
    assert "this node has no folder" in outcome(job, [problems]).text
    store.root.mkdir()
    assert outcome(job._replace(version="0"), [problems]).ended == "mistake"
    with store.write_step(problems):
        assert outcome(job, [problems]).ended == "busy"
    assert outcome(job, [problems]) == Outcome("finished")  # it was, by the other process
    assert outcome(job, [plan.cells[0].grades]).text.startswith(f"{sampled.label} is finished, and not in {store.root}")
    rows = plan.trainings[0].rows
    monkeypatch.setitem(run.RUN_STEP, "rows", fail)
    assert outcome(job, [rows]) == Outcome("failed", "ZeroDivisionError: by zero")
    log = log_file(store, [rows])
    assert log.read_text().startswith("so far\nTraceback")
    monkeypatch.undo()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert outcome(job, [rows]) == Outcome("finished")
    assert store.is_finished(rows) and not log.exists()
