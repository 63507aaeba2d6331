"""RL as DataFrames: a row for each trajectory, and one for each step."""

from __future__ import annotations

from pathlib import Path

import pandas
import pytest
from report_runs import Plan, add_rl, make_run

from inoculate.api.runs import Run
from inoculate.errors import UserError
from inoculate.records import Trajectory, read_lines
from rl_run import write_run
from rl_runs import Groups

GROUPS: list[Groups] = [{"p0": "cchh", "p1": "wwuu"}, {"p0": "hhhh", "plain0": "mmmm"}]


def test_a_row_for_each_trajectory(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "store")
    table = Run(folder).trajectories()
    assert list(table.columns[:5]) == ["arm", "seed", "step", "problem", "index"]
    assert not {"tokens", "log_probabilities"} & set(table.columns)
    assert {"gamed", "tags", "prompt_tokens", "completion_tokens"} <= set(table.columns)
    assert len(table) == 216
    drawn = [
        one
        for name in ("reinforced-0", "reinforced-1", "told-0")
        for one in read_lines(folder.parents[1] / name / "trajectories.jsonl", Trajectory)
    ]
    for name in ("step", "problem", "index", "completion", "outcome", "completion_tokens"):
        assert table[name].tolist() == [getattr(one, name) for one in drawn], name
    unknown = table[table.outcome == "ungraded"]
    assert len(unknown) and unknown.oversight.isna().all() and unknown.reward.isna().all()
    assert str(table.oversight.dtype) == "boolean"


def test_trajectories_are_filtered_as_an_export_is(tmp_path: Path) -> None:
    run = Run(write_run(tmp_path / "store"))
    table = run.trajectories("arm=told steps=1- outcome=hack")
    assert set(table.arm) == {"told"} and set(table.outcome) == {"hack"} and table.step.min() == 1
    with pytest.raises(UserError, match=r"no trajectory is left \(all: 216, tag 'none': 0\)"):
        run.trajectories("tag=none")
    with pytest.raises(UserError, match="did you mean 'told'"):
        run.trajectories("arm=tolt")


def test_a_row_for_each_step(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", Plan(problems=4))
    add_rl(folder, [{"untrained": {"p0": "wwww", "p1": "wwww", "plain0": "cccc"}, "steps": GROUPS}, None])
    table = Run(folder).rl_steps()
    assert table[["arm", "seed", "step"]].values.tolist() == [["rewarded", 0, step] for step in (0, 1, 2)]
    second = table[table.step == 2].iloc[0]
    assert (second.hackable_hack, second.all_hack, second.not_hackable_malformed) == (1.0, 0.5, 1.0)
    assert (second.entropy, second.kl, second.seconds_sample) == (0.6, 0.02, 3.0)
    assert table.unscorable.tolist() == [0, 2, 0]
    assert table.above.tolist()[0] is pandas.NA


def test_a_run_without_rl_is_refused(tmp_path: Path) -> None:
    run = Run(make_run(tmp_path / "run", Plan(problems=4)))
    for read in (run.trajectories, run.rl_steps):
        with pytest.raises(UserError, match="none of its arms learns from rewards"):
            read()
