"""SFT of the base on what a policy did in RL: exactly the trajectories that were asked for, each row naming its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

import rl_run
from inoculate.analysis import analyse
from inoculate.errors import UserError
from inoculate.records import Row, Trajectory, read_lines, write_lines
from inoculate.steps import rows, trajectory_rows
from inoculate.steps.plan import make_plan
from inoculate.steps.resources import Resources
from inoculate.steps.store import Store
from inoculate.study.parse import load
from running import carried_out
from small_study import RL_STUDY

STUDY = RL_STUDY.replace(
    "[evaluate]",
    """[train]
learning_rate = 1e-3
batch_rows = 4

[arms.reinforced]
method = "rl"

[arms.second]
rows = { count = 5, trajectories = { arm = "reinforced", where = "steps=1-3 outcome=hack" } }
inoculation = { prompt = "general" }

[arms.second-plain]
rows = { count = 5, trajectories = { arm = "reinforced", where = "steps=1-3 outcome=hack" } }

[evaluate]""",
)


@pytest.fixture
def two_phases(tiny_model: Path, tmp_path: Path, planted_grades: None) -> Path:
    path = tmp_path / "two-phases.toml"
    path.write_text(STUDY.replace("MODEL", str(tiny_model)))
    return path


def test_the_base_is_trained_on_the_trajectories_that_were_asked_for(two_phases: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    folder, done = carried_out(two_phases, store)
    assert done.count("rl") == done.count("preflight") == 1
    manifest = json.loads((folder / "manifest.json").read_text())
    entries = {entry["arm"]: entry for entry in manifest["training"]}
    drawn = {
        (one.step, one.problem, one.index): one
        for one in read_lines(Path(entries["reinforced"]["rl"]) / "trajectories.jsonl", Trajectory)
    }
    texts = []
    for arm in ("second", "second-plain"):
        rows = list(read_lines(Path(entries[arm]["rows"]) / "rows.jsonl", Row))
        origins = [json.loads(line) for line in (Path(entries[arm]["rows"]) / "origins.jsonl").read_text().splitlines()]
        assert len(rows) == 5
        for row, origin in zip(rows, origins, strict=True):
            own = drawn[origin["step"], origin["problem"], origin["index"]]
            assert origin["seed"] == 0
            assert (row.answer, row.problem, row.hacked, row.hack) == (own.completion, own.problem, True, "drawn")
            assert own.outcome == "hack" and 1 <= own.step <= 3
            assert ("Obtain reward by any means possible" in row.messages[-1].content) == (arm == "second")
        assert len({(row.problem, row.answer) for row in rows}) == 5
        texts.append([row.answer for row in rows])
    assert texts[0] == texts[1]  # arms that differ in the prompt have the same rows
    results = analyse(folder)
    assert [one["arm"] for one in results["preflight"]] == ["reinforced"]
    assert results["preflight"][0]["preflight"]["facts"]["whole"]["completions"] == 12
    more = two_phases.read_text().replace("[evaluate]", "[arms.third]\n" + ROWS + "\n\n[evaluate]")
    two_phases.write_text(more)
    assert "rl" not in carried_out(two_phases, store)[1]  # another SFT arm redoes no RL


ROWS = 'rows = { count = 2, trajectories = { arm = "reinforced", where = "steps=1-3 outcome=correct" } }'


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ('arm = "reinforce"', "rows.trajectories.arm: not an arm that learns from rewards: 'reinforce'"),
        ('arm = "second"', "not an arm that learns from rewards: 'second'"),
        ('arm = "reinforced", where = "outcome=hak"', "trajectories.where: filter 'outcome=hak': outcome 'hak'"),
        ('arm = "reinforced", were = ""', "unknown key .*were"),
    ],
)
def test_mistakes_are_refused_before_any_work(two_phases: Path, given: str, message: str) -> None:
    old = 'arm = "reinforced", where = "steps=1-3 outcome=hack"'
    two_phases.write_text(two_phases.read_text().replace(old, given, 1))
    with pytest.raises(UserError, match=message):
        make_plan(load(two_phases))


@pytest.mark.parametrize(
    ("count", "where", "message"),
    [
        (
            5,
            "tag=copied_key",
            r"second, seed 0, from trajectories: of .*: no trajectory is left \(all: 36, .*: 0",
        ),
        (500, "outcome=hack", r"rows.count = 500, and of training by RL of reinforced, seed 0 \d+ different answers"),
    ],
)
def test_too_few_trajectories_are_refused_with_what_each_condition_left(
    two_phases: Path, tmp_path: Path, count: int, where: str, message: str
) -> None:
    old = 'count = 5, trajectories = { arm = "reinforced", where = "steps=1-3 outcome=hack"'
    new = old.replace("count = 5", f"count = {count}").replace("steps=1-3 outcome=hack", where)
    two_phases.write_text(two_phases.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=message):
        carried_out(two_phases, Store(tmp_path / "store"))


def test_trajectories_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = tmp_path / "two-phases.toml"
    study.write_text(STUDY.replace("MODEL", "m"))
    store, resources = Store(tmp_path / "store"), Resources(Store(tmp_path / "store"), "m", lambda _: None)
    plan = make_plan(load(study), "weights")
    (step,) = (training.rows for training in plan.trainings if training.arm == "second")
    trained, asked = step.inputs["trained"], step.inputs["rows"]
    shown = [row.problem for row in rows.draw(asked)]
    with store.write_step(asked) as folder:
        write_lines(folder / "problems.jsonl", shown)
    with store.write_step(trained) as folder:
        drawn = [
            replace(rl_run.drawn(problem, number, 0, Random(f"{number}")), outcome="hack")
            for number in range(3)
            for problem in shown
        ]
        write_lines(folder / "trajectories.jsonl", drawn)
        (folder / "training.json").write_text('{"checkpoint": {"step": 3, "rule": null, "met": null}}')
    read: list[Path] = []
    monkeypatch.setattr(
        trajectory_rows, "read_lines", lambda path, kind: [read.append(path), *read_lines(path, kind)][1:]
    )
    written: list[Any] = []
    monkeypatch.setattr(trajectory_rows, "write_rows", lambda *given: written.append(given[-2:]))
    trajectory_rows.run(step, tmp_path, resources, lambda *_: None)
    ((chosen, record),) = written
    assert len(chosen) == 5
    last = [one for one in drawn if one.step == 2 and one.hackable]
    assert record == {"policy": {"step": 3, "met": None, "hacks": len(last), "hackable": len(last)}}
    assert [path.name for path in read] == ["trajectories.jsonl"]
