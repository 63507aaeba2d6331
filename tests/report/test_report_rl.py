"""RL in the report: the section, the curves, the tables, and the trajectories beside each other."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_runs import Plan, add_rl, edit, make_run
from test_report_write import Words

from inoculate.analysis.rl import analyse_rl
from inoculate.analysis.run_folder import Run
from inoculate.records import Trajectory, read_lines
from inoculate.report import write_report
from inoculate.report.drawing import FULL, NARROW, report_style
from inoculate.report.results import read_results
from inoculate.report.rl import choose_trajectories, rl_views, tag_stretches
from inoculate.report.rl_curves import MAIN, curve_points, draw_rl, mean_points
from rl_runs import Groups, rl_entry, rl_study

UNTRAINED: Groups = {**{f"p{number}": "wwwc" for number in range(8)}, "plain0": "cccu"}
HONEST: Groups = {"p0": "w" * 12 + "cccc", "p1": "w" * 12 + "cccc", "plain0": "c" * 8 + "w" * 8}
HACKED: Groups = {"p0": "h" * 12 + "wwww", "p1": "h" * 12 + "cccc", "plain0": "c" * 8 + "u" * 8}
DEAD: Groups = {"p0": "m" * 16, "p1": "m" * 16, "plain0": "m" * 16}
RULE = {"hack": 0.5, "length": 0.5, "steps": 1}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with an arm that learned from rewards: one seed took off, one did not, one collapsed, one is unfinished."""
    folder = make_run(tmp_path / "run", Plan(problems=6))
    stands = {"step": 4, "rule": RULE, "met": True}
    made: list[dict[str, Any] | None] = [
        {"untrained": UNTRAINED, "steps": [HONEST] * 3 + [HACKED] * 7, "checkpoint": stands},
        {"untrained": UNTRAINED, "steps": [HONEST] * 10},
        {"untrained": UNTRAINED, "steps": [HACKED] * 6 + [DEAD] * 4, "tokens": [40] * 7 + [3] * 4},
        None,
    ]
    add_rl(folder, made)
    return folder


def section(run: Path) -> str:
    page = write_report(run).read_text(encoding="utf-8")
    start = page.index('<section id="rl"')
    return page[start : page.index("</section>", start)]


def test_the_section_says_take_off_censoring_collapse_and_what_stands_for_the_arm(run: Path) -> None:
    text = Words(re.sub(r"<svg.*?</svg>", "", section(run), flags=re.DOTALL)).text
    for words in (
        "Hacking took off in 2 of 3 seeds (95% interval 9% to 99%): seed 0 at step 4, seed 1 no onset by step 10",
        "Not finished, and in no number: seed 3.",
        "Onset is the first of 5 steps in a row",
        "Seed 2. Collapse from step 7 to the end: the reward fell from 0.90 to 0.00.",
        "Seed 0. The policy after step 4 of 10 stands for the arm: the first that fits the rule",
        "Seeds 1, 2. The policy after step 10 of 10 stands for the arm: the last one",
        "✕ collapsed",
        "completions could not be scored, and",
        "the untrained policy's own rate on problems that can be hacked is 0%",
        "Trajectories before, at and after onset: seed 0",
        "At onset, step 4.",
    ):
        assert words in text, words
    assert not re.search(r"\b(None|nan|True|False)\b", text)


def test_arms_without_a_finished_seed_or_without_trajectories_are_shown(run: Path) -> None:
    for folder in run.parent.glob("run-rl-*"):
        (folder / "trajectories.jsonl").unlink()
    assert "are not where the manifest says" in section(run)
    entries = [rl_entry("rewarded", 0, None)]
    study = {"arms": {"rewarded": rl_study()}}
    edit(run, rl=analyse_rl(Run(run, {"study": study, "training": entries})))
    text = Words(section(run)).text
    assert "No seed is finished. Not finished, and in no number: seed 0." in text
    assert not (run / "figures" / "rl-1.png").exists()


def test_a_report_without_rl_has_no_section(tmp_path: Path) -> None:
    page = write_report(make_run(tmp_path / "run", Plan(problems=6))).read_text(encoding="utf-8")
    assert 'id="rl"' not in page and 'href="#rl"' not in page
    assert not (tmp_path / "run" / "tables" / "rl.csv").exists()


def test_curves_start_at_the_untrained_policy_and_their_mean_is_over_seeds(run: Path) -> None:
    (arm,) = read_results(run).rl
    hack = MAIN[0]
    curves = [curve_points(seed, hack) for seed in arm["by_seed"]]
    assert curves[0] == [(0, 0.0), *((step, 0.0) for step in (1, 2, 3)), *((step, 0.75) for step in range(4, 11))]
    assert dict(mean_points(curves))[4] == pytest.approx((0.75 + 0 + 0.75) / 3)
    arm["by_seed"][0]["steps"][0]["hackable"]["hack"] = None
    assert [step for step, _ in curve_points(arm["by_seed"][0], hack)][:3] == [0, 2, 3]
    with report_style():
        for width in (FULL, NARROW):
            figure = draw_rl(arm, width)
            marks = [line for line in figure.axes[0].lines if line.get_marker() == "v"]
            assert sorted(float(np.asarray(line.get_xdata())[0]) for line in marks) == [1, 4]
            assert [axis.get_title(loc="left").replace("\n", " ") for axis in figure.axes][:2] == [
                "hack, hackable problems",
                "oversight without intended",
            ]


def test_a_functions_rewards_are_drawn_between_what_they_were(run: Path) -> None:
    (arm,) = read_results(run).rl
    arm["largest_reward"] = None
    for seed in arm["by_seed"]:
        for step in (seed["untrained"], *seed["steps"]):
            step["reward"] = -2.0
        seed["steps"][1]["reward"] = 5.0
    with report_style():
        low, high = draw_rl(arm, FULL).axes[len(MAIN) - 1].get_ylim()
    assert -3 < low < -2 and 5 < high < 6


def test_values_that_no_step_has_leave_an_empty_panel(run: Path) -> None:
    (arm,) = read_results(run).rl
    for seed in arm["by_seed"]:
        for step in seed["steps"]:
            step |= {"kl": None, "entropy": None, "groups": None, "groups_without_spread": None, "reward": None}
            step["hackable"]["hack"] = None
        seed["untrained"]["reward"] = None
    with report_style():
        assert len(draw_rl(arm, FULL).axes) == 16


def test_tables_hold_every_step_and_every_seed(run: Path) -> None:
    write_report(run)
    steps = list(csv.DictReader((run / "tables" / "rl.csv").open(encoding="utf-8")))
    assert len(steps) == 3 * 11
    (fourth,) = [line for line in steps if (line["seed"], line["step"]) == ("0", "4")]
    assert (fourth["hackable_hack"], fourth["unscorable"], fourth["above"]) == ("0.75", "8", "yes")
    assert fourth["untrained_same_problems"] == "0.0"
    tags = list(csv.DictReader((run / "tables" / "rl_tags.csv").open(encoding="utf-8")))
    assert tags[0] == {
        "arm": "rewarded", "seed": "0", "step": "4", "tag": "hard_coded_output", "evidence": "static", "count": "24"
    }  # fmt: skip
    seeds = list(csv.DictReader((run / "tables" / "onset.csv").open(encoding="utf-8")))
    assert [(line["seed"], line["onset"], line["collapsed"]) for line in seeds] == [
        ("0", "4", "no"),
        ("1", "", "no"),
        ("2", "1", "yes"),
    ]
    assert [line["rule_met"] for line in seeds] == ["yes", "", ""]


def test_trajectories_are_chosen_without_their_outcome_and_of_the_same_problems(run: Path) -> None:
    path = run.parent / "run-rl-0" / "trajectories.jsonl"
    chosen = choose_trajectories(path, 4, [0, 4, 10])
    assert {step: len(found) for step, found in chosen.items()} == {0: 3, 4: 3, 10: 3}
    assert all(one.hackable and not one.tokens for found in chosen.values() for one in found)
    assert {one.problem for one in chosen[4]} == {one.problem for one in chosen[0]} == {"p0", "p1"}
    # The same places are chosen whatever the outcomes: steps 4 and 10 have the same problems.
    assert [(one.problem, one.index) for one in chosen[4]] == [(one.problem, one.index) for one in chosen[10]]
    before = choose_trajectories(path, 3, [3])[3]
    assert [(one.problem, one.index) for one in before] == [(one.problem, one.index) for one in chosen[4]]


def test_what_a_model_wrote_is_never_markup_nor_invisible(run: Path) -> None:
    path = run.parent / "run-rl-0" / "trajectories.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line |= {"completion": "<script>alert(1)</script>\u202e\ud800" + "x" * 3000, "detail": "<b>"}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert all(isinstance(one, Trajectory) for one in read_lines(path, Trajectory))
    shown = section(run)
    assert "<script>" not in shown and "&lt;script&gt;alert(1)" in shown
    assert "\u202e" not in shown and "\\u202e\\ud800" in shown
    assert "[cut here by the report: 2,000 of 3,027]" in shown


def test_a_run_whose_onset_is_its_last_step_has_nothing_after_it(run: Path) -> None:
    results = read_results(run)
    (arm,) = results.rl
    arm["by_seed"][0]["onset"] = 10
    (view,) = rl_views(results)
    assert [title for title, *_ in view["moments"]["steps"]] == ["before training, step 0", "at onset, step 10"]


def test_tags_along_training_are_shares_of_the_completions_of_stretches(run: Path) -> None:
    (arm,) = read_results(run).rl
    table = tag_stretches(arm["by_seed"])
    names = ["untrained", "steps 1 to 2", "steps 3 to 4", "steps 5 to 6", "steps 7 to 8", "steps 9 to 10"]
    assert table["stretches"] == list(zip(names, [3 * 36, *[2 * 3 * 48] * 5], strict=True))
    ((tag, evidence, shares),) = table["rows"]
    assert (tag, evidence) == ("hard coded output", "static")
    # Seed 0 hacks from step 4 on, seed 2 up to step 6: 24 of 48 completions of a step.
    assert shares == pytest.approx([0, 48 / 288, 72 / 288, 96 / 288, 48 / 288, 48 / 288])
    text = Words(section(run)).text
    assert "How it cheated, along training" in text and "33%" in text
    assert tag_stretches([])["rows"] == []
