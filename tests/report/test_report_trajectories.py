"""Trajectories of RL in the page's reader: step by step, all of them or a counted part."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from report_runs import Plan, add_rl, make_run
from test_report_samples import unpack
from test_report_write import Words

from inoculate.errors import UserError
from inoculate.report import write_report
from inoculate.report.results import read_results
from inoculate.report.samples import collect_samples
from inoculate.report.trajectory_cells import CONTEXT
from rl_runs import Groups

UNTRAINED: Groups = {**{f"p{number}": "wwwc" for number in range(4)}, "plain0": "cccu"}
HONEST: Groups = {"p0": "wwwc", "p1": "cccc", "plain0": "cccu"}
HACKED: Groups = {"p0": "hhhh", "p1": "hhhc", "plain0": "mmmm"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Seed 0 has an onset at step 5 of 8; seed 1 has none in 8 steps."""
    folder = make_run(tmp_path / "run", Plan(problems=4, seeds=(0,), arms=("base", "plain")))
    made: list[dict[str, Any] | None] = [
        {"untrained": UNTRAINED, "steps": [HONEST] * 4 + [HACKED] * 4},
        {"untrained": UNTRAINED, "steps": [HONEST] * 8},
        None,
    ]
    add_rl(folder, made, onset={"steps": 2})
    return folder


def drawn(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The trajectories of a page, one after the other."""
    columns = data["samples"]
    found = []
    for number, cell in enumerate(data["cells"][place] for place in columns["cell"]):
        if cell["step"] is not None:
            one = {name: columns[name][number] for name in columns}
            texts = {name: data["texts"][one[name]] for name in ("prompt", "finish", "detail", "others")}
            one |= texts | {
                "outcome": data["outcomes"][one["outcome"]],
                "problem": data["problems"][one["problem"]]["id"],
            }
            found.append(one | {key: cell[key] for key in ("arm", "seed", "step", "context", "at")})
    return found


def test_every_trajectory_is_there_with_its_step_prompt_reward_checks_and_tags(run: Path) -> None:
    samples = collect_samples(read_results(run))
    found = drawn(unpack(samples))
    written = [
        json.loads(line) | {"seed": seed}
        for seed in (0, 1)
        for line in (run.parent / f"run-rl-{seed}" / "trajectories.jsonl").read_text().splitlines()
    ]
    assert (samples.embedded_drawn, samples.total_drawn) == (len(found), len(written)) == (232, 232)
    keys = ("seed", "step", "problem", "index", "prompt", "completion", "outcome", "reward", "oversight", "intended")
    assert [[one[key] for key in keys] for one in found] == [[one[key] for key in keys] for one in written]
    assert {(one["arm"], one["context"], one["at"]) for one in found} == {("rewarded", CONTEXT, None)}
    assert all(bool(one["tags"]) == (one["outcome"] == "hack") for one in found)
    assert all((one["others"] == "made for the check") == (one["outcome"] == "hack") for one in found)
    assert [one["reward"] for one in found if one["outcome"] == "ungraded"] == [None] * 14


def test_without_room_the_steps_around_onset_come_first_and_the_rest_is_counted(run: Path) -> None:
    samples = collect_samples(read_results(run), most_trajectories=136 + 10)
    by_step = {(cell.seed, cell.step): (cell.embedded, cell.total) for cell in samples.cells if cell.step is not None}
    whole = {place for place, (embedded, total) in by_step.items() if embedded == total}
    assert whole == {(0, step) for step in (0, 4, 5, 6, 8)} | {(1, step) for step in (0, 3, 4, 5, 8)}
    assert {by_step[place][0] for place in by_step.keys() - whole} == {1, 2}
    assert samples.embedded_drawn == 146
    again = collect_samples(read_results(run), most_trajectories=146)
    assert again.payload == samples.payload
    few = collect_samples(read_results(run), most_trajectories=10)
    assert few.embedded_drawn == 10 and len({cell.step for cell in few.cells if cell.embedded and cell.step}) > 1


def test_the_page_says_how_many_there_are(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = Words(write_report(run).read_text(encoding="utf-8")).text
    assert "So are all 232 trajectories of RL: their context is in training" in text
    assert "More in the reader" in text
    lines = list(csv.DictReader((run / "tables" / "samples.csv").open(encoding="utf-8")))
    steps = [line for line in lines if line["step"]]
    assert [(line["seed"], line["step"], line["samples"], line["in_page"]) for line in steps[:2]] == [
        ("0", "0", "20", "20"),
        ("0", "1", "12", "12"),
    ]
    monkeypatch.setattr("inoculate.report.samples.collect_samples.__defaults__", (20_000, 50))
    text = Words(write_report(run).read_text(encoding="utf-8")).text
    assert "Of 232 trajectories of RL 50 are here, as far as there is room" in text
    assert "rewarded, functions, in training: 50 of 232" in text


def test_files_that_are_not_there_are_said(run: Path) -> None:
    (run.parent / "run-rows-1" / "problems.jsonl").unlink()
    samples = collect_samples(read_results(run))
    assert len(samples.absent) == 1 and samples.absent[0].startswith("rewarded, seed 1, in training: ")
    assert samples.total_drawn == 116


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"outcome": "hack"', '"outcome": "fine"', "outcome 'fine' is not one of correct"),
        ('"problem": "p1"', '"problem": "p9"', "has the problem 'p9', which is not in the rows that it was trained on"),
        ('"step": 3', '"stop": 3', "the key 'step' is missing"),
    ],
)
def test_damaged_files_are_named(run: Path, old: str, new: str, said: str) -> None:
    path = run.parent / "run-rl-0" / "trajectories.jsonl"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=said):
        collect_samples(read_results(run))
