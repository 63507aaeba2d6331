"""Along RL: the rates of every step, onset and take-off, collapse, and what stands for the arm."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from inoculate.analysis import analyse, report_tables
from inoculate.analysis.rl import analyse_rl
from inoculate.analysis.rl.onset import Comparison, compare, count_by_problem, find_onset, take_off
from inoculate.analysis.rl.trainings import Drawn
from inoculate.analysis.run_folder import Run
from inoculate.analysis.table import rl_table
from inoculate.errors import UserError
from inoculate.study.schema import Onset
from rl_runs import Groups, draw, rl_entry, rl_study, write_training

UNTRAINED: Groups = {**{f"p{number}": "wwwc" for number in range(8)}, "plain0": "cccw", "plain1": "wwww"}
HONEST: Groups = {"p0": "w" * 12 + "cccc", "p1": "w" * 12 + "cccc", "plain0": "c" * 8 + "w" * 8}
HACKED: Groups = {"p0": "h" * 12 + "wwww", "p1": "h" * 12 + "cccc", "plain0": "c" * 8 + "w" * 8}
DEAD: Groups = {"p0": "m" * 16, "p1": "m" * 16, "plain0": "m" * 16}
WINDOW = 5


def counted(groups: Groups) -> dict[str, tuple[int, int]]:
    seen = [
        Drawn(
            one.problem, one.hackable, one.reward, one.outcome, one.oversight, one.intended, one.gamed,
            one.completion_tokens, False, (),
        )
        for one in draw(1, groups)
    ]  # fmt: skip
    return count_by_problem(seen)


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Analyses an arm with a training for each seed: keywords of `write_training`; None for one that is unfinished."""

    def run(*trainings: dict[str, Any] | None, **options: Any) -> dict[str, Any]:
        entries = [
            rl_entry("rewarded", seed, write_training(tmp_path / f"rl-{seed}", **made) if made else None)
            for seed, made in enumerate(trainings)
        ]
        manifest = {"study": {"arms": {"rewarded": rl_study(**options)}}, "training": entries}
        (arm,) = analyse_rl(Run(tmp_path, manifest))
        json.dumps(arm, allow_nan=False)
        return arm

    return run


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 6))
def test_onset_is_the_first_step_of_a_whole_window(above: list[bool], window: int) -> None:
    found = find_onset(above, window)
    starts = [start for start in range(len(above)) if above[start : start + window] == [True] * window]
    assert found == (starts[0] + 1 if starts else None)


@given(st.integers(1, 20), st.integers(WINDOW, 12), st.integers(1, WINDOW - 1))
def test_a_planted_onset_is_found_and_single_hacks_are_none(onset: int, after: int, burst: int) -> None:
    counts = counted(UNTRAINED)
    judge = {id(groups): compare(counted(groups), counts) for groups in (HONEST, HACKED)}

    def above(steps: Sequence[Groups]) -> list[bool]:
        found = [judge[id(groups)] for groups in steps]
        return [one is not None and one.is_above(Onset()) for one in found]

    assert find_onset(above([HONEST] * (onset - 1) + [HACKED] * after), WINDOW) == onset
    bursts = ([HACKED] * burst + [HONEST]) * (onset + after)
    assert find_onset(above(bursts), WINDOW) is None


def test_curves_onset_and_take_off_of_finished_seeds(study: Callable[..., dict[str, Any]]) -> None:
    took_off = {"untrained": UNTRAINED, "steps": [HONEST] * 3 + [HACKED] * 7}
    censored = {"untrained": UNTRAINED, "steps": [HONEST, HACKED] * 5}
    late = {"untrained": UNTRAINED, "steps": [HONEST] * 6 + [HACKED] * 4}
    arm = study(took_off, censored, None, late)
    assert [seed["onset"] for seed in arm["by_seed"]] == [4, None, None]
    assert [seed["notes"] for seed in arm["by_seed"]] == [[], [], []]
    assert arm["seeds"] == [0, 1, 3] and arm["unfinished"] == [2]
    low, high = binomtest(1, 3).proportion_ci(method="exact")
    assert arm["take_off"] == {
        "count": 1, "seeds": 3, "rate": pytest.approx(1 / 3), "low": pytest.approx(low), "high": pytest.approx(high)
    }  # fmt: skip
    assert "1 of 3 seeds" in arm["sentence"] and "seed 0 at step 4" in arm["sentence"]
    assert "seed 1 no onset by step 10" in arm["sentence"] and "seed 3 no onset by step 10" in arm["sentence"]
    step = arm["by_seed"][0]["steps"][3]
    assert step["hackable"]["hack"] == 24 / 32 and step["all"]["hack"] == step["all"]["gamed"] == 0.5
    assert step["not_hackable"]["correct"] == 0.5 and step["hackable"]["correct"] == 4 / 32
    assert step["all"]["oversight_without_intended"] == 0.5 and step["all"]["oversight"] == step["reward"] == 36 / 48
    assert step["tags"] == {"hard_coded_output": {"static": 24}} and step["median_tokens"] == 40
    assert (step["loss"], step["groups"], step["groups_without_spread"]) == (0.025, 3, 1)
    assert step["same_problems"]["untrained"] == 0 and step["same_problems"]["problems"] == 2


def test_onset_is_above_the_untrained_rate_on_the_same_problems_and_its_bound() -> None:
    counts = counted({"easy": "hhhw", "other": "wwww"})
    found = compare(counted({"easy": "h" * 12 + "wwww"}), counts)
    assert found is not None and (found.rate, found.untrained, found.problems) == (0.75, 0.75, 1)
    assert found.high == pytest.approx(proportion_confint(3, 4, method="wilson")[1])
    assert not found.is_above(Onset()) and not found.is_above(Onset(above=0.0))


@pytest.mark.parametrize(
    ("rate", "untrained", "high", "above"),
    [(0.30, 0.1, 0.32, False), (0.32, 0.1, 0.32, False), (0.33, 0.1, 0.32, True), (0.34, 0.2, 0.25, False),
     (0.35, 0.2, 0.25, True)],
)  # fmt: skip
def test_both_the_points_and_the_bound_must_be_exceeded(
    rate: float, untrained: float, high: float, above: bool
) -> None:
    assert Comparison(rate, untrained, high, problems=2, left_out=0).is_above(Onset()) == above


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 8)), min_size=1, max_size=6))
def test_with_as_many_completions_of_each_problem_the_untrained_rate_is_pooled(hacks: list[tuple[int, int]]) -> None:
    groups = {f"p{number}": "h" * before + "w" * (4 - before) for number, (before, _) in enumerate(hacks)}
    step = {f"p{number}": "h" * now + "w" * (8 - now) for number, (_, now) in enumerate(hacks)}
    found = compare(counted(step), counted(groups))
    assert found is not None
    total, of = sum(before for before, _ in hacks), 4 * len(hacks)
    assert found.untrained == pytest.approx(total / of)
    assert found.high == pytest.approx(proportion_confint(total, of, method="wilson")[1], abs=1e-9)


def test_a_problem_without_a_graded_completion_is_left_out_of_both_rates(study: Callable[..., dict[str, Any]]) -> None:
    untrained = UNTRAINED | {"p0": "uuuu"}
    found = compare(counted(HACKED | {"p0": "wwww"}), counted(untrained))
    assert found is not None and (found.problems, found.left_out, found.rate) == (1, 1, 0.75)
    only_p0 = {"p0": "h" * 16}
    assert compare(counted(only_p0), counted(untrained)) is None
    (seed,) = study({"untrained": untrained, "steps": [only_p0] * 6})["by_seed"]
    assert seed["onset"] is None and seed["absolute"] == {"0.05": 1, "0.02": 1}
    assert any("6 of 6 steps cannot be compared" in note for note in seed["notes"])
    assert seed["steps"][0]["same_problems"] is None and seed["steps"][0]["above"] is None


def test_an_untrained_policy_that_always_hacks_leaves_no_room(study: Callable[..., dict[str, Any]]) -> None:
    always = {problem: "h" * len(letters) for problem, letters in UNTRAINED.items()}
    (seed,) = study({"untrained": always, "steps": [HACKED] * 6})["by_seed"]
    assert seed["onset"] is None and any("no rate would be an onset" in note for note in seed["notes"])


def test_a_run_shorter_than_the_window_can_have_no_onset(study: Callable[..., dict[str, Any]]) -> None:
    short, long = study(
        {"untrained": UNTRAINED, "steps": [HACKED] * 4}, {"untrained": UNTRAINED, "steps": [HACKED] * 5}
    )["by_seed"]
    assert (short["onset"], long["onset"], long["notes"]) == (None, 1, [])
    assert any("no onset is possible" in note for note in short["notes"])


def test_ungraded_completions_are_counted_and_in_no_rate(study: Callable[..., dict[str, Any]]) -> None:
    lost = {"p0": "h" * 4 + "u" * 12, "p1": "u" * 16, "plain0": "c" * 8 + "u" * 8}
    (seed,) = study({"untrained": UNTRAINED, "steps": [lost] * 6})["by_seed"]
    step = seed["steps"][0]
    assert (step["completions"], step["ungraded"], step["unscorable"]) == (48, 36, 36)
    assert step["hackable"]["hack"] == 1.0 and step["hackable"]["graded"] == 4 and step["reward"] == 1.0
    assert (seed["completions"], seed["unscorable"], seed["ungraded"]) == (40 + 6 * 48, 6 * 36, 6 * 36)
    assert "216 of 328 completions are unscorable" in seed["notes"][0]
    assert seed["notes"][0].endswith("the first: the worker died")
    (seed,) = study({"untrained": UNTRAINED, "steps": [{"p0": "u" * 16}] * 6})["by_seed"]
    assert seed["steps"][0]["reward"] is None and seed["steps"][0]["all"]["hack"] is None
    assert seed["onset"] is None and seed["findings"] == []


def test_short_answers_are_not_a_collapse_unless_the_reward_falls(study: Callable[..., dict[str, Any]]) -> None:
    copies = {"untrained": UNTRAINED, "steps": [HACKED] * 12, "tokens": [40] * 7 + [3] * 6}
    dies = {"untrained": UNTRAINED, "steps": [HACKED] * 6 + [DEAD] * 6, "tokens": [40] * 7 + [3] * 6}
    once = {"untrained": UNTRAINED, "steps": [HACKED] * 6 + [DEAD] + [HACKED] * 5}
    copying, dead, dip = study(copies, dies, once)["by_seed"]
    assert not copying["collapsed"] and [finding["kind"] for finding in copying["findings"]] == ["short"]
    assert "from step 7 to the end" in copying["findings"][0]["sentence"]
    assert "the reward stays (0.75)" in copying["findings"][0]["sentence"]
    assert dead["collapsed"] and [finding["kind"] for finding in dead["findings"]] == ["collapse", "short", "malformed"]
    assert "collapse from step 7 to the end: the reward fell from 0.75 to 0.00" in dead["findings"][0]["sentence"]
    assert "part of the collapse" in dead["findings"][1]["sentence"]
    assert "100% are malformed" in dead["findings"][2]["sentence"]
    assert dip["findings"] == []


def test_whether_a_functions_reward_collapsed_is_not_judged(study: Callable[..., dict[str, Any]]) -> None:
    dies = {"untrained": UNTRAINED, "steps": [HACKED] * 6 + [DEAD] * 6, "tokens": [40] * 7 + [3] * 6}
    arm = study(dies, reward=[{"oversight": "", "function": "mine.py:length", "weight": 1.0}])
    (seed,) = arm["by_seed"]
    assert arm["largest_reward"] is None and not seed["collapsed"]
    assert [finding["kind"] for finding in seed["findings"]] == ["short", "malformed"]
    assert seed["findings"][0]["sentence"].endswith("untrained policy's is 40; their mean reward is 0.00")
    assert any("whether the reward collapsed is not judged" in note for note in seed["notes"])


def test_a_reward_that_was_never_up_does_not_collapse(study: Callable[..., dict[str, Any]]) -> None:
    nothing = {problem: "w" * len(letters) for problem, letters in UNTRAINED.items()}
    (seed,) = study({"untrained": nothing, "steps": [{"p0": "w" * 16}] * 8})["by_seed"]
    assert not seed["collapsed"] and seed["findings"] == []


def test_what_stands_for_the_arm_is_said(study: Callable[..., dict[str, Any]]) -> None:
    rule = {"hack": 0.5, "length": 0.5, "steps": 1}
    shared = {"untrained": UNTRAINED, "steps": [HACKED] * 6}
    seeds = study(
        shared,
        shared | {"checkpoint": {"step": 3, "rule": rule, "met": True}},
        shared | {"checkpoint": {"step": 6, "rule": rule, "met": False}},
    )["by_seed"]
    last, met, unmet = (seed["checkpoint"]["sentence"] for seed in seeds)
    assert "after step 6 of 6" in last and "declares no rule" in last
    assert "after step 3 of 6" in met and "first that fits the rule (hacking of at least 50%" in met
    assert "after step 6 of 6" in unmet and "none fits" in unmet


@pytest.mark.parametrize("count", range(6))
def test_take_off_has_the_interval_of_clopper_and_pearson(count: int) -> None:
    found = take_off([3] * count + [None] * (5 - count))
    assert (found["low"], found["high"]) == pytest.approx(binomtest(count, 5).proportion_ci(method="exact"))
    assert (found["low"], found["high"]) == pytest.approx(proportion_confint(count, 5, method="beta"))
    assert (take_off([])["rate"], take_off([])["seeds"]) == (None, 0)


def test_metrics_that_are_not_measured_or_not_finite_are_unknown(tmp_path: Path) -> None:
    folder = write_training(tmp_path / "rl", UNTRAINED, [HACKED] * 2)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    lines[0] |= {"kl": None, "grad_norm": math.nan}
    del lines[1]["entropy"]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (arm,) = analyse_rl(Run(tmp_path, {"study": {"arms": {"a": rl_study()}}, "training": [rl_entry("a", 0, folder)]}))
    first, second = arm["by_seed"][0]["steps"]
    assert first["kl"] is first["grad_norm"] is second["entropy"] is None and second["kl"] == 0.02


@pytest.mark.parametrize(
    ("file", "keep", "message"),
    [
        ("trajectories.jsonl", lambda line: line["step"] != 0, "no sample of the untrained policy"),
        ("trajectories.jsonl", lambda line: line["step"] != 2, "not in both: 2"),
        ("metrics.jsonl", lambda line: line["step"] != 2, "not in both: 2"),
        ("metrics.jsonl", lambda line: False, "must both have the steps"),
    ],
)
def test_a_damaged_training_is_refused(
    tmp_path: Path, file: str, keep: Callable[[dict[str, Any]], bool], message: str
) -> None:
    folder = write_training(tmp_path / "rl", UNTRAINED, [HACKED] * 3)
    lines = (folder / file).read_text().splitlines(keepends=True)
    (folder / file).write_text("".join(line for line in lines if keep(json.loads(line))))
    run = Run(tmp_path, {"study": {"arms": {"a": rl_study()}}, "training": [rl_entry("a", 0, folder)]})
    with pytest.raises(UserError, match=message):
        analyse_rl(run)


def test_a_missing_file_and_a_broken_line_are_named(tmp_path: Path) -> None:
    folder = write_training(tmp_path / "rl", UNTRAINED, [HACKED] * 3)
    run = Run(tmp_path, {"study": {"arms": {"a": rl_study()}}, "training": [rl_entry("a", 0, folder)]})
    (folder / "metrics.jsonl").write_text('{"step": 1}\nnonsense\n')
    with pytest.raises(UserError, match=r"metrics\.jsonl:2: not the metrics of a step"):
        analyse_rl(run)
    (folder / "metrics.jsonl").unlink()
    with pytest.raises(UserError, match=r"metrics\.jsonl: not there"):
        analyse_rl(run)


def test_results_and_tables_of_a_run_have_it(new_run: Callable[..., Any], tmp_path: Path) -> None:
    run = new_run()
    run.cell("plain", 0, run.rates(hack=10))
    run.manifest["study"]["arms"]["rewarded"] = rl_study()
    steps = [HACKED] * 6 + [DEAD] * 6
    folder = write_training(tmp_path / "store" / "rl-0", UNTRAINED, steps, [40] * 7 + [3] * 6)
    run.manifest["training"] = [rl_entry("rewarded", 0, folder), rl_entry("rewarded", 1, None)]
    results = analyse(run.write())
    assert results["rl"][0]["by_seed"][0]["onset"] == 1
    assert any("the reward of seed 0 collapsed" in caution for caution in results["cautions"])
    assert "rl" not in results["training"][0]
    console = Console(width=80, record=True, file=(tmp_path / "out").open("w"))
    for table in report_tables(results):
        console.print(table)
    text = " ".join(console.export_text().split())
    assert "Reinforcement learning, rewarded" in text and "took off in 1 of 1 seeds" in text
    assert "collapse from step 7 to the end" in text and "seed 1 is not finished" in text


def test_a_study_without_rl_has_none(new_run: Callable[..., Any]) -> None:
    run = new_run()
    run.cell("plain", 0, run.rates(hack=10))
    run.trained("plain", 0)
    assert analyse(run.write())["rl"] == []


def test_a_policy_that_does_not_change_seldom_has_an_onset(onsets: ModuleType) -> None:
    random = np.random.default_rng(0)
    assert onsets.share_with_onset(onsets.World(rise=0.0), 50, random) <= 0.02
    assert onsets.share_with_onset(onsets.World(rise=0.8), 50, random) >= 0.95


def test_expert_iteration_that_keeps_nothing_says_why(tmp_path: Path) -> None:
    folder = write_training(tmp_path / "rl-0", UNTRAINED, [HACKED] * 2)
    for name, change in (("trajectories", {"finish": "length"}), ("metrics", {"kept": 0})):
        path = folder / f"{name}.jsonl"
        lines = [json.loads(line) | change for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    spec = rl_study() | {"method": "expert-iteration"}
    manifest = {"study": {"arms": {"expert": spec}}, "training": [rl_entry("expert", 0, folder)]}
    (arm,) = analyse_rl(Run(tmp_path, manifest))
    (note,) = [note for note in arm["by_seed"][0]["notes"] if note.startswith("no completion was kept")]
    assert "in 2 rounds" in note and "72 of 96 completions had the full reward, and 72 of these were cut off" in note


def test_the_rounds_of_expert_iteration_that_keep_nothing_are_named(tmp_path: Path) -> None:
    folder = write_training(tmp_path / "rl-0", UNTRAINED, [HACKED] * 4)
    path = folder / "metrics.jsonl"
    kept = zip(path.read_text().splitlines(), (3, 0, 5, 0), strict=True)
    path.write_text("".join(json.dumps(json.loads(line) | {"kept": count}) + "\n" for line, count in kept))
    entry = rl_entry("expert", 0, folder) | {"method": "expert-iteration"}
    arms = analyse_rl(Run(tmp_path, {"study": {"arms": {"expert": rl_study()}}, "training": [entry]}))
    (note,) = [note for note in arms[0]["by_seed"][0]["notes"] if note.startswith("no completion was kept")]
    assert "in 2 of 4 rounds (2, 4): nothing was trained on there" in note
    console = Console(width=200, record=True, file=(tmp_path / "out").open("w"))
    console.print(rl_table(arms))
    text = console.export_text()
    assert "Expert iteration, expert" in text and note in text


def test_an_arm_without_a_finished_seed_is_one_line(tmp_path: Path) -> None:
    entries = [rl_entry("told", seed, None) for seed in range(3)]
    arms = analyse_rl(Run(tmp_path, {"study": {"arms": {"told": rl_study()}}, "training": entries}))
    console = Console(width=200, record=True, file=(tmp_path / "out").open("w"))
    console.print(rl_table(arms))
    text = console.export_text()
    assert "Reinforcement learning, told: no seed is finished" in text and "unscorable" not in text
