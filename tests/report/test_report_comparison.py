"""Runs side by side: what differs is said, what conflicts is refused or said, and nothing is merged."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from report_runs import Plan, edit, make_run
from rich.console import Console

from inoculate.errors import UserError
from inoculate.report.comparison import Comparison, compare, comparison_tables, write_comparison


def change(run: Path, name: str, **keys: Any) -> None:
    """Change the name, and keys of the study, of a run's results and manifest."""
    for file in ("results.json", "manifest.json"):
        said = json.loads((run / file).read_text())
        said |= {"name": name, "study_hash": f"hash of {name}", "study": said["study"] | keys}
        (run / file).write_text(json.dumps(said))


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """Two runs of one study on two models."""
    runs = [make_run(tmp_path / name, Plan(problems=8)) for name in ("small", "large")]
    change(runs[0], "small", model="a-0.5b")
    change(runs[1], "large", model="a-7b")
    return runs


def printed(comparison: Comparison) -> str:
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    for table in comparison_tables(comparison):
        console.print(table)
    return console.export_text()


def test_two_models_differ_in_the_model_alone(two: list[Path]) -> None:
    found = compare(two)
    assert found.notes == ()
    assert found.differences == (("model", ("a-0.5b", "a-7b")),)
    assert [side.label for side in found.sides] == ["small", "large"]


def test_every_arm_stands_beside_itself(two: list[Path]) -> None:
    found = compare(two)
    assert found.places() == [("functions", "neutral"), ("functions", "asks-to-hack")]
    for setting, context in found.places():
        arms = dict(found.cells(setting, context))
        assert list(arms) == ["base", "plain", "inoculated", "control", "clean"]
        for side, place in zip(found.sides, (0, 1), strict=True):
            known = {c.arm: c for c in side.results.main_cells() if (c.setting, c.context) == (setting, context)}
            assert {arm: cells[place] for arm, cells in arms.items()} == known


def test_the_terminal_shows_whole_numbers_in_80_columns(two: list[Path]) -> None:
    found = compare(two)
    text = printed(found)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    assert "\u2026" not in text
    for side in found.sides:
        cell = next(c for c in side.results.main_cells() if (c.arm, c.context) == ("plain", "asks-to-hack"))
        rate = cell.outcomes["hack"]
        assert rate.rate is not None and rate.low is not None and rate.high is not None
        assert f"{100 * rate.rate:.0f} [{100 * rate.low:.0f}, {100 * rate.high:.0f}]" in text
    assert "-60 [-68, -52]" in text
    assert "supported" in text


def test_claims_meet_by_what_they_compare(two: list[Path]) -> None:
    contrasts = json.loads((two[1] / "results.json").read_text())["contrasts"]
    contrasts[0] |= {"claim": "asking keeps the hack out", "verdict": "inconclusive"}
    contrasts[1] |= {"measure": "correct"}
    edit(two[1], contrasts=contrasts)
    found = compare(two)
    assert [len([one for one in claim.contrasts if one]) for claim in found.claims] == [2, 1, 2, 1]
    first = found.claims[0]
    assert first.words == ("inoculation lowers neutral hacking", "asking keeps the hack out")
    assert [one.verdict for one in first.contrasts if one] == ["supported", "inconclusive"]
    assert found.notes == (
        "'an irrelevant prompt of the same length does as well' has other arms, another measure or another context in "
        "some runs: it is listed apart",
    )
    assert "not claimed" in printed(found)


def test_what_differs_is_named_once_for_all_runs(two: list[Path]) -> None:
    arms = json.loads((two[1] / "results.json").read_text())["study"]["arms"]
    arms["plain"]["rows"]["count"] = 512
    arms["extra"] = arms.pop("clean")
    change(two[1], "large", model="a-0.5b", arms=arms)
    assert compare(two).differences == (
        ("arms", ("plain, inoculated, control, clean", "plain, inoculated, control, extra")),
        ("plain: rows.count", ("256", "512")),
    )


def test_runs_of_one_name_are_shown_apart(two: list[Path]) -> None:
    change(two[0], "demo", model="a-0.5b")
    change(two[1], "demo", model="a-7b")
    for file in ("results.json", "manifest.json"):
        said = json.loads((two[1] / file).read_text())
        (two[1] / file).write_text(json.dumps(said | {"study_hash": "another"}))
    found = compare(two)
    assert [side.label for side in found.sides] == ["demo (1)", "demo (2)"]
    assert found.notes == ("2 runs are called 'demo' but are different studies: they are not merged",)


def test_one_study_carried_out_twice_is_said(two: list[Path]) -> None:
    for run in two:
        change(run, "demo", model="a-0.5b")
    notes = compare(two).notes
    assert notes == ("one study, run 2 times (demo (1) and demo (2)): differences are between its repetitions",)


def test_other_problems_and_other_words_are_said(two: list[Path]) -> None:
    manifest = json.loads((two[1] / "manifest.json").read_text())
    for cell in manifest["cells"]:
        moved = Path(cell["problems"]).with_name("others")
        cell["problems"] = str(moved)
    (two[1] / "manifest.json").write_text(json.dumps(manifest))
    study = json.loads((two[1] / "results.json").read_text())["study"]
    study["evaluate"]["contexts"]["asks-to-hack"]["text"] = "Please cheat."
    edit(two[1], study=study)
    notes = compare(two).notes
    assert notes == (
        "the problems of 'functions' differ between small | large: so do their rates",
        "the context 'asks-to-hack' does not have the same text and placement in all runs",
    )


def test_a_half_finished_run_is_shown_as_such(two: list[Path]) -> None:
    manifest = json.loads((two[1] / "manifest.json").read_text())
    lost = [cell for cell in manifest["cells"] if cell["arm"] == "clean"]
    for cell in lost:
        cell["grades"] = None
    (two[1] / "manifest.json").write_text(json.dumps(manifest))
    results = json.loads((two[1] / "results.json").read_text())
    cells = [cell for cell in results["cells"] if cell["arm"] != "clean"]
    edit(two[1], cells=cells, missing=[{**cell, "why": "not graded"} for cell in lost])
    found = compare(two)
    assert found.notes == (f"large is not finished: {26 - len(lost)} of 26 cells are here",)
    arms = dict(found.cells("functions", "neutral"))
    assert arms["clean"][0] is not None and arms["clean"][1] is None
    assert f"{26 - len(lost)}/26" in printed(found)


def test_results_that_are_older_than_the_run(two: list[Path]) -> None:
    edit(two[1], missing=[{"arm": "clean", "seed": 1, "at": 1.0, "setting": "functions", "context": "neutral"}])
    assert any(
        "the results of large are older than its run: 1 cells were finished since" in note
        for note in compare(two).notes
    )


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda run: (run / "results.json").unlink(), "does not exist: `inoculate report"),
        (lambda run: edit(run, schema=0), "this version of inoculate reads schema 1: `inoculate report"),
        (lambda run: (run / "results.json").write_text("{"), "cannot be read as JSON"),
        (lambda run: edit(run, cells=[{}]), "write the file again with `inoculate report"),
    ],
)
def test_runs_that_cannot_be_read_are_refused(two: list[Path], damage: Any, words: str) -> None:
    damage(two[1])
    with pytest.raises(UserError, match=str(two[1])) as refused:
        compare(two)
    assert words in str(refused.value)


def test_a_run_is_not_compared_with_itself(two: list[Path]) -> None:
    with pytest.raises(UserError, match="two runs or more"):
        compare(two[:1])
    with pytest.raises(UserError, match="is given twice"):
        compare([two[0], two[0].parent / "large" / ".." / "small"])


def test_the_page_the_tables_and_the_json_have_all_numbers(two: list[Path], tmp_path: Path) -> None:
    edit(two[1], headline="<script>alert(1)</script>")
    found = compare(two)
    page = write_comparison(found, tmp_path / "out").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "NaN" not in page and "None" not in page
    for name in ("http://", "https://"):
        assert name not in page.replace("http://www.w3.org/", "")
    data = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert [run["model"] for run in data["runs"]] == ["a-0.5b", "a-7b"]
    with (tmp_path / "out" / "tables" / "outcomes.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    # Two runs, five arms, two contexts, four outcomes.
    assert len(rows) == len(data["outcomes"]) == 80
    for row, line in zip(rows, data["outcomes"], strict=True):
        assert (row["run"], row["arm"], row["outcome"]) == (line["run"], line["arm"], line["outcome"])
        assert float(row["rate"]) == line["rate"]
    assert [claim["runs"]["large"]["verdict"] for claim in data["claims"]] == ["supported", "refuted", "inconclusive"]
    figures = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert figures == {f"{n}.{kind}" for n in ("rates-1-1", "rates-2-1", "contrasts") for kind in ("svg", "png")}
    for claim in found.claims:
        for words in claim.words:
            assert words in page


def test_many_runs_are_drawn_in_several_figures(two: list[Path], tmp_path: Path) -> None:
    more = [make_run(tmp_path / f"more-{place}", Plan(problems=4, contexts=("neutral",))) for place in range(3)]
    for place, run in enumerate(more):
        change(run, f"more-{place}")
    write_comparison(compare([*two, *more]), tmp_path / "out")
    figures = {path.stem for path in (tmp_path / "out" / "figures").iterdir()}
    assert figures == {"rates-1-1", "rates-1-2", "rates-2-1", "contrasts"}


def test_a_comparison_is_written_over_nothing(two: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("notes")
    with pytest.raises(UserError, match="out: is there already, and is not overwritten; name another folder"):
        write_comparison(compare(two), out)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
