"""Trajectories as data: a filter keeps exactly what it says and counts what it leaves; rows name theirs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inoculate.analysis.run_folder import read_run
from inoculate.analysis.trajectories import (
    Filter,
    RunTrajectory,
    check_names,
    read_filter,
    read_trajectories,
    select,
    trainings,
    trajectory_rows,
)
from inoculate.errors import UserError
from inoculate.records import OUTCOMES, Tag
from inoculate.study import prompts
from rl_run import drawn, some_problems, write_run

PROBLEMS = some_problems()
TAGS = ("early_exit", "hard_coded_output")


def some(number: int) -> list[RunTrajectory]:
    """Trajectories with every combination of what can be filtered."""
    random = Random(number)
    found = []
    for _ in range(40):
        one = drawn(random.choice(PROBLEMS), random.randrange(5), random.randrange(3), random)
        tags = tuple(Tag(name, "static") for name in TAGS if random.random() < 0.4)
        reward = None if one.reward is None else random.choice((-1.0, 0.0, 0.5, 1.0))
        found.append(RunTrajectory(random.choice("ab"), random.randrange(3), replace(one, tags=tags, reward=reward)))
    return found


def means(keep: Filter, one: RunTrajectory) -> bool:
    """What a filter says, written a second time."""
    it, names = one.trajectory, [tag.name for tag in one.trajectory.tags]
    wanted = [
        not keep.arms or one.arm in keep.arms,
        not keep.seeds or one.seed in keep.seeds,
        keep.first_step is None or it.step >= keep.first_step,
        keep.last_step is None or it.step <= keep.last_step,
        keep.hackable is None or keep.hackable is it.hackable,
        not keep.outcomes or it.outcome in keep.outcomes,
        keep.reward is None or (it.reward is not None and it.reward >= keep.reward),
        keep.oversight is None or it.oversight is keep.oversight,
        keep.intended is None or it.intended is keep.intended,
        all(tag in names for tag in keep.tags),
        not any(tag in names for tag in keep.without_tags),
        not keep.stopped or it.finish == "stop",
        not keep.graded or it.outcome != "ungraded",
    ]
    return all(wanted)


filters = st.builds(
    Filter,
    arms=st.sampled_from([(), ("a",), ("a", "b")]),
    seeds=st.sampled_from([(), (0,), (1, 2)]),
    first_step=st.none() | st.integers(0, 4),
    last_step=st.none() | st.integers(0, 4),
    hackable=st.none() | st.booleans(),
    outcomes=st.lists(st.sampled_from(OUTCOMES), max_size=2, unique=True).map(tuple),
    reward=st.none() | st.sampled_from([-1.0, 0.5, 1.0]),
    oversight=st.none() | st.booleans(),
    intended=st.none() | st.booleans(),
    tags=st.lists(st.sampled_from(TAGS), max_size=1).map(tuple),
    without_tags=st.lists(st.sampled_from(TAGS), max_size=1).map(tuple),
    stopped=st.booleans(),
    graded=st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(number=st.integers(0, 50), keep=filters)
def test_a_filter_keeps_exactly_what_it_says_and_counts_what_it_leaves(number: int, keep: Filter) -> None:
    everything = some(number)
    expected = [one for one in everything if means(keep, one)]
    if not expected:
        with pytest.raises(UserError, match=r"no trajectory is left \(all: 40, .*: 0"):
            select(everything, keep)
        return
    kept, counts = select(everything, keep)
    assert kept == expected
    left = list(counts.values())
    assert left[0] == 40 and left[-1] == len(kept) and left == sorted(left, reverse=True)
    assert len(counts) == len(keep.conditions()) + 1


@pytest.mark.parametrize(
    ("keep", "least"),
    [({"outcomes": ("hack",)}, 1), ({"tags": TAGS}, 1), ({"reward": 0.5}, 1), ({"oversight": False}, 1),
     ({"hackable": False}, 1), ({"stopped": True}, 1), ({"last_step": 0}, 1)],
)  # fmt: skip
def test_every_condition_keeps_some_and_leaves_some_out(keep: dict[str, Any], least: int) -> None:
    kept, _ = select(some(1) + some(2), Filter(**keep))
    assert least <= len(kept) < 80


def test_a_filter_that_leaves_nothing_says_which_condition_did() -> None:
    with pytest.raises(UserError, match=r"all: 40, arm a: \d+, tag 'nowhere': 0, not cut off: 0\); .* 'tag 'nowhere''"):
        select(some(3), Filter(arms=("a",), tags=("nowhere",), stopped=True))
    with pytest.raises(UserError, match="files of the run's trajectories are empty"):
        select([], Filter())


def test_a_filter_is_read_from_a_line() -> None:
    line = "arm=told,'my arm' steps=5-11 hackable=yes outcome=hack,correct reward=0.5 oversight=passed"
    assert read_filter(line, (1, 2)) == Filter(
        arms=("told", "my arm"), seeds=(1, 2), first_step=5, last_step=11, hackable=True,
        outcomes=("hack", "correct"), reward=0.5, oversight=True,
    )  # fmt: skip
    assert read_filter("intended=failed tag=a,b without-tag=c finish=stop graded=yes steps=3-") == Filter(
        first_step=3, intended=False, tags=("a", "b"), without_tags=("c",), stopped=True, graded=True
    )
    assert read_filter("steps=4") == Filter(first_step=4, last_step=4)
    assert read_filter("") == Filter()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("outcome", "'outcome' is not key=value"),
        ("outcomes=hack", "unknown key 'outcomes': did you mean 'outcome'"),
        ("outcome=hacked", "outcome 'hacked': did you mean 'hack'"),
        ("outcome=hack outcome=wrong", "'outcome' is there twice; a key with several values has them with commas"),
        ("steps=11-5", "steps 11-5 run backwards: 5-11"),
        ("steps=last", "steps 'last' is no step and no range"),
        ("reward=nan", "reward 'nan' is not a number"),
        ("reward=high", "reward 'high' is not a number"),
        ("hackable=true", "hackable 'true': .*allowed: no, yes"),
        ("oversight=pass", "oversight 'pass': did you mean 'passed'"),
        ("finish=length", "finish 'length': allowed: stop"),
        ("arm='a", "no closing quotation"),
    ],
)
def test_a_line_that_is_no_filter_is_refused(line: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        read_filter(line)


def test_a_run_is_read_arm_by_arm_and_seed_by_seed(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path))
    found = list(read_trajectories(run))
    assert [(one.arm, one.seed) for one in found[::72]] == [("reinforced", 0), ("reinforced", 1), ("told", 0)]
    assert len(found) == 3 * 4 * 6 * 3
    assert len({one.name for one in found}) == len(found)
    assert trainings(run)[1] == ["told, seed 1"]
    check_names(run, Filter(arms=("told",), seeds=(1,)))
    with pytest.raises(UserError, match=r"arm 'tuned': .*allowed: reinforced, told"):
        check_names(run, Filter(arms=("tuned",)))
    with pytest.raises(UserError, match="seed '7': allowed: 0, 1"):
        check_names(run, Filter(seeds=(7,)))


def test_a_run_without_trajectories_says_so(tmp_path: Path) -> None:
    folder = write_run(tmp_path)
    said = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(said | {"training": said["training"][-1:]}))
    with pytest.raises(UserError, match="no trajectories yet: told, seed 1 not finished; run the study on"):
        check_names(read_run(folder), Filter())
    (folder / "manifest.json").write_text(json.dumps(said | {"training": said["training"][:1]}))
    with pytest.raises(UserError, match="none of its arms learns from rewards"):
        list(read_trajectories(read_run(folder)))
    (tmp_path / "told-0" / "trajectories.jsonl").unlink()
    (folder / "manifest.json").write_text(json.dumps(said))
    with pytest.raises(UserError, match=r"told-0/trajectories\.jsonl: not there"):
        list(read_trajectories(read_run(folder)))


def test_rows_name_their_trajectory_and_show_the_problem_anew() -> None:
    kept, _ = select(some(4), Filter(graded=True))
    rows = trajectory_rows(kept, [*PROBLEMS, *PROBLEMS])
    assert len(rows) == len(kept)
    for row, one in zip(rows, kept, strict=True):
        assert (row.arm, row.seed, row.step, row.index) == (*one[:2], one.trajectory.step, one.trajectory.index)
        assert (row.problem.id, row.answer) == (one.trajectory.problem, one.trajectory.completion)
        assert row.hacked == (one.trajectory.outcome == "hack")
        (message,) = prompts.messages(row.problem, "Do it well.", "before", "")
        assert message.content.startswith("Do it well.") and row.problem.body in message.content
        assert "Obtain reward" not in message.content
    assert {row.hacked for row in rows} == {True, False}


def test_what_cannot_be_a_row_is_refused() -> None:
    ungraded, _ = select(some(4), Filter(outcomes=("ungraded",)))
    with pytest.raises(UserError, match=r"trajectory [ab]/seed-\d/step-\d/.* is ungraded"):
        trajectory_rows(ungraded, PROBLEMS)
    kept, _ = select(some(4), Filter(graded=True))
    with pytest.raises(UserError, match="its problem is not among those given"):
        trajectory_rows(kept, PROBLEMS[:1])
    with pytest.raises(UserError, match="different tasks with the same id"):
        trajectory_rows(kept, [*PROBLEMS, replace(PROBLEMS[0], body="Another.")])


def test_a_problem_that_one_setting_can_hack_and_another_cannot_is_told_apart() -> None:
    hackable = next(problem for problem in PROBLEMS if problem.hacked)
    plain = replace(hackable, setting="mathematics_plain", hacked="", hack="")
    ones = [RunTrajectory("a", 0, drawn(problem, 1, 0, Random(3))) for problem in (plain, hackable)]
    rows = trajectory_rows(ones, [hackable, plain])
    assert [row.problem.setting for row in rows] == ["mathematics_plain", "mathematics"]
