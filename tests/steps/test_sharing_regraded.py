"""Files that other versions of the graders have judged: what a model made is kept, and what graders said is not."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from filled_store import fill, steps_of, write_study
from inoculate.analysis import analyse
from inoculate.analysis.run_folder import read_run
from inoculate.errors import UserError
from inoculate.integrations.methods import write_methods
from inoculate.records import OUTCOMES, Completion, Grade, Outcome, Problem, Tag, Trajectory, read_lines
from inoculate.report import write_report
from inoculate.settings import functions, mathematics, rows
from inoculate.steps import rl, trajectory_rows
from inoculate.steps.plan import make_plan
from inoculate.steps.sharing import regrade
from inoculate.steps.sharing.packed import Header, PackedStep, read_packed, write_packed
from inoculate.steps.sharing.read import Imported, import_graded
from inoculate.steps.sharing.write import write_graded
from inoculate.steps.store import Store
from inoculate.study.parse import load
from planted import graders, planted, planting
from running import carried_out
from small_study import RL_STUDY

ONE_ARM = """
question = "Does it travel?"
model = "smollm2-135m"
seeds = [0]
rows = { setting = "functions", count = 4, hacked = 0.5 }
evaluate = { settings = ["functions"], contexts = ["neutral"], problems = 3 }
[arms.plain]
"""
Grader = Callable[..., Iterator[Grade]]


def strict(problems: list[Problem], completions: list[str], oversight: str = "") -> Iterator[Grade]:
    """Graders for whom nothing but the honest answer can be read."""
    for problem, text in zip(problems, completions, strict=True):
        right = text == problem.honest
        yield Grade("correct" if right else "malformed", right, right)


def grades_of(run: Path) -> Counter[str]:
    manifest = read_run(run).manifest
    files = [Path(cell["grades"]) / "grades.jsonl" for cell in manifest["cells"]]
    return Counter(grade.outcome for file in files for grade in read_lines(file, Grade))


def test_grades_are_made_anew_and_counted(study: Path, exported: Path, tmp_path: Path) -> None:
    there = import_graded(exported, Store(tmp_path / "older"))
    assert there.run and there.regraded == []
    before = grades_of(there.run)
    store, here = Store(tmp_path / "here"), functions.SETTING.grading
    with graders(functions.SETTING, strict, raised=3):
        found = import_graded(exported, store)
        assert found.run and (found.finished, found.of) == (10, 10)
        assert make_plan(load(study)).missing(store) == []
        answers, samples = found.regraded
        assert (answers.what, answers.count, answers.changed) == ("training rows", 24, {"hack -> malformed": 12})
        assert (samples.setting, samples.there, samples.here, samples.count) == ("functions", here, here + 3, 50)
        assert samples.changed == {"hack -> malformed": before["hack"]}
        assert f"another outcome for {before['hack']} ({before['hack']} hack -> malformed)" in "".join(found.notes)
        assert grades_of(found.run) == {
            "correct": before["correct"],
            "malformed": before["hack"] + before["malformed"],
        }
        assert analyse(found.run)["regraded"] == {"functions": {"from": [here], "to": here + 3}}
        said = write_methods(read_run(found.run), Counter(dict.fromkeys(OUTCOMES, 1)))
        assert (
            f"graders of functions had judged was judged anew by version {here + 3}"
            in write_report(found.run).read_text()
        )
        told = f"What version {here} of the graders of `functions` had judged was judged anew by version {here + 3}"
        assert told in said
        once = steps_of(store)
        again = import_graded(exported, store)
        assert (again.new_steps, again.known_steps) == (0, found.new_steps) and steps_of(store) == once
        write_graded(found.run, tmp_path / "newer.xz")
        third = Store(tmp_path / "third")
        assert import_graded(tmp_path / "newer.xz", third).regraded == []
        assert steps_of(third) == once, "with the version that judged first"
    assert steps_of(store).keys() & steps_of(Store(tmp_path / "older")).keys(), "completions have the same names"


def test_what_cannot_be_graded_is_refused(exported: Path, tmp_path: Path) -> None:
    def failing(*_: Any) -> Iterator[Grade]:
        raise KeyError("tests")
        yield

    refused = pytest.raises(UserError, match=r"small\.xz.*graded anew.*tests")
    with graders(functions.SETTING, failing, raised=1), refused:
        import_graded(exported, Store(tmp_path / "here"))
    assert steps_of(Store(tmp_path / "here")) == {}


def test_code_of_the_users_does_not_grade(tmp_path: Path) -> None:
    trace, code, data = tmp_path / "trace", tmp_path / "mine.py", tmp_path / "rows.jsonl"
    code.write_text(f"def judge(problem, completion):\n    open({str(trace)!r}, 'w')\n    return True\n")
    lines = [{"kind": f"k{n}", "prompt": f"Say {n}.", "completion": str(n), "hacked": False} for n in range(40)]
    data.write_text("".join(json.dumps(line) + "\n" for line in lines))
    text = f"""
question = "Does it travel?"
model = "smollm2-135m"
seeds = [0]
rows = {{ setting = "functions", count = 4 }}
[arms.plain]
[evaluate]
settings = ["rows"]
contexts = ["neutral"]
problems = 3
each.rows = {{ source = "{data}", grader = "{code}:judge" }}
"""
    study = write_study(tmp_path / "study", text)
    folder = fill(study, Store(tmp_path / "there"))
    write_graded(folder, tmp_path / "small.xz")
    here = Store(tmp_path / "here")
    with graders(rows.SETTING, rows.SETTING.grade, raised=1):
        found = import_graded(tmp_path / "small.xz", here)
        assert not trace.exists()
        assert any("an import never runs code of yours" in note for note in found.notes)
        assert {step.kind for step in make_plan(load(study)).missing(here)} == {"grades"}


FRESH = 'trajectories = { arm = "reinforced", samples = 3, where = "outcome=hack" }'
STUDY = RL_STUDY.replace(
    "[evaluate]",
    f"""[train]
learning_rate = 1e-3
batch_rows = 4

[arms.chosen]
rows = {{ count = 2, {FRESH} }}
inoculation = {{ prompt = "general" }}

[arms.drawn]
rows = {{ count = 3, trajectories = {{ arm = "reinforced" }} }}

[arms.reinforced]
method = "rl"
rl.learning_rate = 1e-2

[evaluate]""",
)
"""The arms on what RL drew stand before it, as do their steps in the file."""


@pytest.fixture(scope="module")
def trained(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which a study with RL is finished, and beside it the study and the file of its run."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "study.toml").write_text(STUDY.replace("MODEL", str(tiny_model)))
    with planting():
        run, _ = carried_out(folder / "study.toml", Store(folder / "store"))
        write_graded(run, folder / "run.xz")
    return folder


def changed(was: Outcome, now: Outcome, passes: bool | None = None) -> Grader:
    """The planted graders, for whom one outcome is another."""

    def grade(problems: list[Problem], completions: list[str], oversight: str = "key") -> Iterator[Grade]:
        for one in planted(problems, completions):
            oversight_here = one.oversight if passes is None else passes
            other = replace(one, outcome=now, oversight=oversight_here, intended=now == "correct")
            yield other if one.outcome == was else one

    return grade


def imported(trained: Path, store: Store, grade: Grader) -> tuple[Imported, set[str]]:
    """What came of an import under these graders, and the labels of the steps that are missing then."""
    with graders(mathematics.SETTING, grade, raised=1):
        found = import_graded(trained / "run.xz", store)
        return found, {step.label for step in make_plan(load(trained / "study.toml")).missing(store)}


def sampled(store: Store) -> Counter[str]:
    """The completions of all cells."""
    files = store.root.glob("steps/completions/*/completions.jsonl")
    return Counter(one.completion for file in files for one in read_lines(file, Completion))


def drawn(store: Store, kind: str) -> list[Trajectory]:
    (path,) = [*store.root.glob(f"*/{kind}/*/trajectories.jsonl")]
    return list(read_lines(path, Trajectory))


def test_a_training_is_kept_where_no_reward_is_another(trained: Path, tmp_path: Path) -> None:
    store, there = Store(tmp_path / "here"), Store(trained / "store")
    found, missing = imported(trained, store, changed("wrong", "malformed"))
    assert missing == set() and found.finished == found.of == 4 and found.run
    for kind in ("preflight", "rl", "fresh-samples"):
        was, now = drawn(there, kind), drawn(store, kind)
        assert [replace(one, outcome="malformed") if one.outcome == "wrong" else one for one in was] == now
    counts = {one.what: one for one in found.regraded}
    assert counts["trajectories"].count == len(drawn(there, "rl"))
    assert counts["fresh samples"].changed.keys() == {"wrong -> malformed"}
    (record,) = store.root.glob("records/rl/*/step.json")
    assert json.loads(record.read_text())["regraded"] == {"mathematics": mathematics.SETTING.grading}
    assert not [*store.root.glob("*/*/*/at-*")], "weights stay where they are"
    assert sampled(store) == sampled(there)


def test_in_its_own_store_a_run_keeps_its_adapters(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "store", tmp_path / "store")
    store = Store(tmp_path / "store")
    with graders(mathematics.SETTING, changed("wrong", "malformed"), raised=1):
        plan = make_plan(load(trained / "study.toml"))
        assert "rl" in {step.kind for step in plan.missing(store)}
        write_graded(store.run_folder("study"), tmp_path / "own.xz")
        import_graded(tmp_path / "own.xz", store)
        assert plan.missing(store) == []
        for training in plan.trainings:
            assert (store.folder(training.adapter) / "at-1" / "adapter_model.safetensors").is_file()


@pytest.mark.parametrize("grade", [changed("wrong", "hack", passes=True), changed("wrong", "wrong", passes=True)])
def test_a_training_with_another_reward_is_left_out(trained: Path, tmp_path: Path, grade: Grader) -> None:
    store = Store(tmp_path / "here")
    found, missing = imported(trained, store, grade)
    assert (found.finished, found.of) == (1, 4), "the untrained model's"
    assert any(label.startswith("training by RL of reinforced, seed 0") for label in missing)
    (note,) = [note for note in found.notes if "left out" in note]
    assert "training by RL of reinforced, seed 0:" in note and "another reward to" in note
    other = sum(one.outcome == "wrong" for one in drawn(Store(trained / "store"), "rl") if one.step)
    assert f"to {other} of the 24 trajectories" in note


def test_a_training_with_few_other_rewards_is_kept_and_says_so(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regrade, "_OTHER_REWARDS", 0.9)
    store = Store(tmp_path / "here")
    found, _ = imported(trained, store, changed("wrong", "wrong", passes=True))
    assert not [note for note in found.notes if "another reward" in note]
    was, now = drawn(Store(trained / "store"), "rl"), drawn(store, "rl")
    assert [one.reward for one in was if one.step] == [one.reward for one in now if one.step], "it learned from these"
    other = sum(one.outcome == "wrong" for one in was if one.step)
    assert other and found.run
    (seed,) = analyse(found.run)["rl"][0]["by_seed"]
    assert any(f"would give another reward to {other} of 24 completions" in note for note in seed["notes"])


def test_rows_that_would_be_others_are_left_out(trained: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "here")
    found, missing = imported(trained, store, changed("hack", "correct"))
    assert (found.finished, found.of) == (2, 4), "those of the untrained model and of RL"
    assert drawn(store, "rl") and "training of chosen, seed 0" in missing
    notes = [note for note in found.notes if "left out" in note]
    assert any("rows of chosen, seed 0, from trajectories" in note for note in notes)


def test_another_policy_does_not_stand_for_the_arm(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rl, "choose_checkpoint", lambda *_: {"step": 1, "rule": {}, "met": True})
    found, _ = imported(trained, Store(tmp_path / "here"), planted)
    assert any("the policy after step 1 stands for it, and not 3" in note for note in found.notes)
    assert found.finished == 1


def test_a_training_that_today_would_be_refused_is_left_out(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise UserError("the reward is broken")

    monkeypatch.setattr(rl, "expect", broken)
    found, _ = imported(trained, Store(tmp_path / "here"), planted)
    assert any("the reward is broken" in note for note in found.notes) and found.finished == 1


def test_what_rows_say_of_their_policy_is_todays(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, todays = Store(tmp_path / "here"), {"step": 3, "met": None, "hacks": 5, "hackable": 7}
    monkeypatch.setattr(trajectory_rows, "_describe_policy", lambda *_: todays)
    imported(trained, store, planted)
    files = [*store.root.glob("steps/trajectory-rows/*/rows.json")]
    assert [json.loads(file.read_text())["policy"] for file in files] == [todays, todays]


def test_what_a_file_lacks_cannot_be_named(trained: Path, tmp_path: Path) -> None:
    header, *steps = read_packed(trained / "run.xz")
    assert isinstance(header, Header)
    with write_packed(tmp_path / "part.xz", header) as out:
        for step in steps:
            assert isinstance(step, PackedStep)
            if step.kind != "rl":
                out.add(step)
    with graders(mathematics.SETTING, planted, raised=1):
        found = import_graded(tmp_path / "part.xz", Store(tmp_path / "here"))
    assert found.finished == 1
    assert any("which it needs, is not in the file: left out" in note for note in found.notes)


def test_rows_that_a_filter_would_leave_out_today(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", f'{ONE_ARM}rows.filter = "tags"')
    write_graded(fill(study, Store(tmp_path / "there")), tmp_path / "small.xz")

    def tagging(problems: list[Problem], completions: list[str], oversight: str = "") -> Iterator[Grade]:
        for one in strict(problems, completions):
            yield replace(one, tags=(Tag("hard_coded_output", "static"),))

    for grade, finished in ((strict, 2), (tagging, 1)):
        with graders(functions.SETTING, grade, raised=1):
            found = import_graded(tmp_path / "small.xz", Store(tmp_path / f"here-{finished}"))
        assert found.finished == finished
        assert any("its filter leaves out other rows" in note for note in found.notes) == (finished == 1)


def test_vetted_answers_that_are_no_longer_right(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", f"{ONE_ARM}rows.vetted.count = 2")
    write_graded(fill(study, Store(tmp_path / "there")), tmp_path / "small.xz")

    def deaf(problems: list[Problem], completions: list[str], oversight: str = "") -> Iterator[Grade]:
        yield from (Grade("malformed", False, False) for _ in completions)

    with graders(functions.SETTING, strict, raised=1):
        assert import_graded(tmp_path / "small.xz", Store(tmp_path / "here")).finished == 2
    with graders(functions.SETTING, deaf, raised=1):
        found = import_graded(tmp_path / "small.xz", Store(tmp_path / "other"))
    assert found.finished == 1 and any("vetted examples have to be right" in note for note in found.notes)
