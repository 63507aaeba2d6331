"""Runs whose arms learned from rewards, side by side."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from report_runs import Plan, add_rl, make_run
from rich.console import Console
from test_report_comparison import change
from test_report_write import Words

from inoculate.report.comparison import Comparison, compare, comparison_tables, write_comparison
from rl_runs import Groups

UNTRAINED: Groups = {f"p{number}": "wwww" for number in range(4)}
HONEST: Groups = {"p0": "cccc", "p1": "wwww"}
HACKED: Groups = {"p0": "hhhh", "p1": "hhhc"}


def training(steps: list[Groups]) -> dict[str, Any]:
    return {"untrained": UNTRAINED, "steps": steps}


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """Two runs with an arm `rewarded`: it takes off in one seed of two here, and in none of one there."""
    runs = [make_run(tmp_path / name, Plan(problems=6)) for name in ("here", "there")]
    add_rl(runs[0], [training([HONEST, HACKED, HACKED]), training([HONEST] * 3), None], steps=3, onset={"steps": 2})
    add_rl(runs[1], [training([HONEST] * 4)], steps=4, learning_rate=1e-5, onset={"steps": 2})
    for run in runs:
        change(run, run.name)
    return runs


def printed(comparison: Comparison) -> str:
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    for table in comparison_tables(comparison):
        console.print(table)
    return console.export_text()


def test_take_off_onset_the_end_and_what_differs(two: list[Path], tmp_path: Path) -> None:
    found = compare(two)
    assert max(map(len, printed(found).splitlines())) <= 80
    words = " ".join(printed(found).split())
    for said in (
        "took off in 1 of 2 [1, 99], 1 not finished",
        "seed 0 step 2 1.00 88% 12%",
        "seed 1 no onset by step 3 0.50 0% 50%",
        "took off in 0 of 1 [0, 98]",
        "seed 0 no onset by step 4 0.50 0% 50%",
    ):
        assert said in words, said
    (arm,) = found.rewarded
    assert arm.differences() == [("rl.steps", ["3", "4"]), ("rl.learning_rate", ["0.0001", "1e-05"])]
    write_comparison(found, tmp_path / "page")
    text = Words((tmp_path / "page" / "comparison.html").read_text(encoding="utf-8")).text
    for said in ("Hacking took off in 1 of 2 [1, 99], 1 not finished seeds", "no onset by step 4", "rl.learning_rate"):
        assert said in text, said


def test_the_data_has_every_seed_and_step(two: list[Path], tmp_path: Path) -> None:
    write_comparison(compare(two), tmp_path / "page")
    (arm,) = json.loads((tmp_path / "page" / "comparison.json").read_text())["rl"]
    assert [(seed["seed"], seed["onset"], seed["hack"]) for seed in arm["runs"]["here"]["by_seed"]] == [
        (0, 2, 7 / 8),
        (1, None, 0.0),
    ]
    assert arm["runs"]["there"]["take_off"]["count"] == 0
    assert [one["what"] for one in arm["differences"]] == ["rl.steps", "rl.learning_rate"]
    steps = list(csv.DictReader((tmp_path / "page" / "tables" / "rl.csv").open(encoding="utf-8")))
    assert [line["run"] for line in steps] == ["here"] * 8 + ["there"] * 5
    seeds = list(csv.DictReader((tmp_path / "page" / "tables" / "onset.csv").open(encoding="utf-8")))
    assert [(line["run"], line["onset"]) for line in seeds] == [("here", "2"), ("here", ""), ("there", "")]


def test_other_rules_of_onset_are_said(two: list[Path]) -> None:
    add_rl(two[1], [training([HONEST] * 4)], onset={"steps": 3})
    notes = compare(two).notes
    assert "the onset of 'rewarded' is not by the same rule in all runs: take-off and onset differ with it" in notes


def test_a_run_without_such_an_arm(tmp_path: Path, two: list[Path]) -> None:
    alone = make_run(tmp_path / "alone", Plan(problems=6))
    found = compare([alone, two[0]])
    (arm,) = found.rewarded
    assert arm.by_run[0] is None and arm.differences() == []
    assert "not there" in printed(found)
    write_comparison(found, tmp_path / "page")
    text = Words((tmp_path / "page" / "comparison.html").read_text(encoding="utf-8")).text
    assert "has no arm of this name that learns from rewards" in text
    other = make_run(tmp_path / "other", Plan(problems=6))
    write_comparison(compare([alone, other]), tmp_path / "none")
    assert 'id="rl"' not in (tmp_path / "none" / "comparison.html").read_text(encoding="utf-8")
    assert not (tmp_path / "none" / "tables" / "rl.csv").exists()
