"""SFT on trajectories, end to end: of how many rows each prompt is true, and how likely it makes them beforehand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inoculate.analysis import analyse
from inoculate.analysis.run_folder import read_run
from inoculate.integrations.methods import _describe_truth
from inoculate.records import Grade, Problem, Row, outcome_of, read_lines
from inoculate.report.write import write_report
from inoculate.settings import mathematics
from inoculate.steps.plan import Training, make_plan
from inoculate.steps.sharing.read import import_graded
from inoculate.steps.sharing.write import write_graded
from inoculate.steps.store import Store
from inoculate.study.parse import load, parse
from running import carried_out
from small_study import RL_STUDY

ROWS = 'rows = { count = 8, trajectories = { arm = "reinforced" } }'
PROMPTS = {"general": "general+checked", "specific": "specific"}
STUDY = RL_STUDY.replace(
    "[evaluate]",
    f"""[train]
learning_rate = 1e-3
batch_rows = 4

[screen]
answers = 5

[arms.reinforced]
method = "rl"

[arms.none]
{ROWS}

[arms.irrelevant]
{ROWS}
inoculation = {{ prompt = "irrelevant", like = "general" }}
"""
    + "".join(f'\n[arms.{arm}]\n{ROWS}\ninoculation = {{ prompt = "{name}" }}\n' for arm, name in PROMPTS.items())
    + "\n[evaluate]\nseed = 4",
)


def planted(problems: list[Problem], completions: list[str], oversight: str = "key") -> Iterator[Grade]:
    """A planted truth: what begins with a letter up to `g` is a hack where one is to be had, and else is right."""
    for problem, text in zip(problems, completions, strict=True):
        copies = text[:1] <= "g"
        passes, is_right = copies or text[:1] > "r", (copies and not problem.hacked) or text[:1] > "r"
        yield Grade(outcome_of(passes, is_right), passes, is_right)


@pytest.fixture(scope="module")
def study(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "prompted.toml"
    path.write_text(STUDY.replace("MODEL", str(tiny_model)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    grade = mathematics.SETTING.grade
    object.__setattr__(mathematics.SETTING, "grade", planted)
    yield carried_out(study, Store(tmp_path_factory.mktemp("store")))[0]
    object.__setattr__(mathematics.SETTING, "grade", grade)


@pytest.fixture(scope="module")
def results(run: Path) -> dict[str, Any]:
    return analyse(run)


def answers(run: Path, arm: str) -> list[tuple[bool, bool, bool]]:
    """Of each row of an arm: whether a hack was to be had, whether it is one, whether it is right."""
    entry = next(one for one in read_run(run).manifest["training"] if one["arm"] == arm)
    rows = list(read_lines(Path(entry["rows"]) / "rows.jsonl", Row))
    problems = list(read_lines(Path(entry["rows"]) / "problems.jsonl", Problem))
    found = []
    for row, problem in zip(rows, problems, strict=True):
        (grade,) = planted([problem], [row.answer])
        found.append((bool(problem.hacked), grade.outcome == "hack", grade.outcome == "correct"))
    return found


def test_each_prompt_is_true_of_the_rows_that_do_what_it_says(run: Path, results: dict[str, Any]) -> None:
    arms = ["none", "irrelevant", *PROMPTS]
    assert [entry["arm"] for entry in results["truth"]] == arms, "RL has no answers of its own"
    for entry in results["truth"]:
        found = answers(run, entry["arm"])
        assert len(found) == 8 and {one[0] for one in found} == {True, False}
        hacks = sum(one[1] for one in found)
        right_without_hack = sum(one[2] and not one[0] for one in found)
        assert hacks and right_without_hack
        true = {one["prompt"]: one["all"] and one["all"]["true"] for one in entry["prompts"]}
        assert true == {
            "irrelevant": None,
            "general+checked": hacks + right_without_hack,
            "specific": hacks,
        }
        own = [one["prompt"] for one in entry["prompts"] if one["own"]]
        assert own == [(PROMPTS | {"irrelevant": "irrelevant"}).get(entry["arm"])] * (entry["arm"] != "none")
        assert entry["rows"]["exploit"]["hack"] == hacks and entry["rows"]["no_exploit"]["hack"] == 0
    told = next(entry for entry in results["truth"] if entry["arm"] == "general")
    of = next(one["with_prompt"] for one in told["prompts"] if one["own"])
    assert f"{of['true']} of 8 for `general`" in _describe_truth(read_run(run))


def test_the_rows_are_scored_once_for_all_arms_under_every_prompt(
    study: Path, run: Path, results: dict[str, Any]
) -> None:
    plan = make_plan(load(study))
    trainings: dict[str, Training] = {training.arm: training for training in plan.trainings}
    assert trainings["reinforced"].scores is None
    (step, *others) = (trainings[arm].scores for arm in ("none", "irrelevant", *PROMPTS))
    assert step is not None and step.params["answers"] == 5
    assert all(other is not None and other.key == step.key for other in others)
    (found,) = results["scores"]
    assert found["arms"] == ["none", "irrelevant", *PROMPTS] and found["seeds"] == [0]
    assert [one["prompt"] for one in found["prompts"]] == ["irrelevant", *PROMPTS.values()]
    lines = (Path(trained(run, "none")["scores"]) / "scores.jsonl").read_text().splitlines()
    assert len(lines) == 5
    first = [row.problem for row in read_lines(Path(trained(run, "none")["rows"]) / "rows.jsonl", Row)][:5]
    assert [json.loads(line)["problem"] for line in lines] == first
    by_kind: dict[str, list[float]] = {}
    for line in map(json.loads, lines):
        gain = (line["scores"]["general+checked"] - line["scores"][""]) / line["tokens"]
        by_kind.setdefault(line["kind"], []).append(gain)
    means = [sum(values) / len(values) for values in by_kind.values()]
    general = next(one for one in found["prompts"] if one["prompt"] == "general+checked")
    assert general["mean"] == pytest.approx(sum(means) / len(means)) and general["answers"] == 5


def trained(run: Path, arm: str) -> dict[str, Any]:
    return next(one for one in read_run(run).manifest["training"] if one["arm"] == arm)


def test_the_report_shows_both(run: Path, results: dict[str, Any]) -> None:
    write_report(run)
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "Of how many rows is a prompt true?" in page
    assert "How likely the untrained model finds the rows of none, irrelevant, general" in page
    assert page.count("In these problems no hack was to be had.") == 1, "those with a right key"
    tables = {path.name: path.read_text().splitlines() for path in (run / "tables").iterdir()}
    assert len(tables["truth.csv"]) == 1 + 4 * 2 and len(tables["row_scores.csv"]) == 1 + 4
    counted = [line.split(",") for line in tables["training_rows.csv"][1:]]
    assert sum(int(line[-1]) for line in counted) == 4 * 8


def test_evaluated_problems_that_cannot_be_hacked_are_cells_of_their_own(run: Path, results: dict[str, Any]) -> None:
    parts = {cell["setting"]: (cell["problems"], cell["hackable"]) for cell in results["cells"]}
    assert parts.keys() == {"mathematics", "mathematics (right key)"}
    wrong_key, right_key = parts["mathematics"], parts["mathematics (right key)"]
    assert wrong_key[0] == wrong_key[1] and right_key[0] == 4 - wrong_key[0] and right_key[1] == 0


def test_trajectories_are_graded_by_the_check_that_called_them_hacks() -> None:
    raw = {
        "question": "Which check?",
        "model": "m",
        "seeds": [0],
        "rows": {"setting": "functions", "count": 4},
        "arms": {
            "usual": {"method": "rl"},
            "live": {"method": "rl", "rl": {"reward": [{"oversight": "live_equality"}]}},
            "from-usual": {"rows": {"trajectories": {"arm": "usual"}}},
            "from-live": {"rows": {"trajectories": {"arm": "live"}}},
        },
        "evaluate": {"settings": ["functions"]},
    }
    plan = make_plan(parse(raw, "study", "study.toml"), weights="w")
    checks = {training.arm: training.row_grades.params.get("oversight") for training in plan.trainings}
    assert checks == {"usual": None, "live": None, "from-usual": None, "from-live": "live_equality"}
    assert all(training.scores is None for training in plan.trainings), "no arm has a prompt"


def test_scores_travel_with_the_run(study: Path, run: Path, results: dict[str, Any], tmp_path: Path) -> None:
    write_graded(run, tmp_path / "run.xz")
    there = Store(tmp_path / "there")
    imported = import_graded(tmp_path / "run.xz", there)
    assert imported.run
    again = analyse(imported.run)
    assert (again["scores"], again["truth"]) == (results["scores"], results["truth"])
