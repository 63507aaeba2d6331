"""`docs/results/quotes.py`: completions of the same problems before, at and after onset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from report_runs import Plan, add_rl, make_run

from inoculate.analysis.run_folder import read_run
from inoculate.analysis.trajectories import read_trajectories
from rl_run import write_run
from scripts import load_script

UNTRAINED = {"p0": "wwww", "p1": "cccc", "p2": "wwww", "plain0": "cccc"}


@pytest.fixture(scope="module")
def quotes() -> Any:
    return load_script("docs/results/quotes.py")


def test_each_problem_is_shown_with_its_first_completion_of_three_steps(quotes: Any, tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "store"))
    drawn = quotes.of_arm(read_trajectories(run), "told", 0)
    text = "\n".join(quotes.same_problems(drawn, 2, 99))
    names = {one.problem for one in drawn if one.hackable}
    assert names and text.count("at onset, step 2: ") == text.count("**") / 2 == len(names)
    for one in drawn:
        is_shown = one.hackable and one.index == 0 and one.step in (0, 2, 3)
        assert (f"    {one.completion}" in text) == is_shown
    assert "\n".join(quotes.same_problems(drawn, 2, 1)) in text
    assert quotes.same_problems(drawn, 3, 99) == []  # nothing comes after


def test_only_problems_that_were_drawn_all_three_times_are_shown(
    quotes: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_run(tmp_path / "run", Plan(problems=4))
    steps = [{"p0": "wwww"}, {"p0": "hhhh", "p1": "hhhh", "plain0": "cccc"}, {"p2": "hhhh"}, {"p1": "hhwc"}]
    flat = [{"p0": "wwww"}] * 3
    add_rl(
        folder,
        [{"untrained": UNTRAINED, "steps": steps}, {"untrained": UNTRAINED, "steps": flat}],
        onset={"steps": 1},
    )
    quotes.main([str(folder), "--arm", "rewarded", "--seed", "0"])
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if line and not line.startswith("    ")] == [
        "**p1**", "before, the untrained policy: correct", "at onset, step 2: hack", "after, step 4: hack",
    ]  # fmt: skip
    assert "    answer 0 to p1 at step 4" in said and "p0" not in said and "p2" not in said
    for given, message in [
        (["--arm", "rewarded", "--seed", "1"], "seed 1: no onset in 3 steps"),
        (["--arm", "reward", "--seed", "0"], "did you mean 'rewarded'"),
    ]:
        with pytest.raises(SystemExit):
            quotes.main([str(folder), *given])
        assert message in capsys.readouterr().err
