"""How far training carries, on cells with planted rates: changes, positive controls, and what goes with them."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from filled_store import fill, write_study
from inoculate import checksums
from inoculate.analysis import analyse
from inoculate.analysis.transfer import count_words, overlap
from inoculate.errors import UserError
from inoculate.records import Grade, Problem, read_lines, write_lines
from inoculate.report import write_report
from inoculate.settings import Draw, find
from inoculate.steps.store import Store
from inoculate.study.parse import load

STUDY = """
question = "Does it carry?"
model = "smollm2-135m"
placement = "after"
seeds = [0, 1, 2]
rows = { setting = "mathematics", count = 6, levels = [1] }

[arms.plain]
[arms.inoculated]
inoculation = { prompt = "specific" }
[arms.known]
rows.setting = "knowledge"
[arms.written]
rows.setting = "writing"

[transfer]
without = { inoculated = "plain" }
controls = { mathematics = "plain", knowledge = "known", writing = "written" }

[evaluate]
settings = ["mathematics", "knowledge", "writing", "mathematics_plain"]
problems = 40
"""
HACKS = {
    ("base", "mathematics"): 0.1, ("plain", "mathematics"): 0.9, ("inoculated", "mathematics"): 0.2,
    ("plain", "knowledge"): 0.6, ("inoculated", "knowledge"): 0.1, ("known", "knowledge"): 0.9,
}  # fmt: skip
"""Planted hack rates; 0 for the others."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run whose grades are planted."""
    root = tmp_path_factory.mktemp("transfer")
    folder = fill(write_study(root, STUDY), Store(root / "store"))
    for cell in json.loads((folder / "manifest.json").read_text())["cells"]:
        path = Path(cell["grades"]) / "grades.jsonl"
        random = Random(str([cell[key] for key in ("arm", "seed", "setting", "context")]))
        rate = HACKS.get((cell["arm"], cell["setting"]), 0.0)
        problems = read_lines(Path(cell["problems"]) / "problems.jsonl", Problem)
        hacked = [random.random() < rate and bool(problem.hacked) for problem in problems]
        write_lines(path, [Grade("hack" if one else "correct", True, not one) for one in hacked])
        checksums.write(path.parent)
    return folder


@pytest.fixture(scope="module")
def found(run: Path) -> dict[str, Any]:
    return analyse(run)["transfer"]


def cell(found: dict[str, Any], arm: str, setting: str, measure: str = "hack") -> dict[str, Any]:
    keys = {"arm": arm, "setting": setting, "measure": measure, "context": "neutral"}
    (one,) = [one for one in found["cells"] if keys.items() <= one.items()]
    return one


def test_changes_are_against_the_base_and_the_twin(found: dict[str, Any]) -> None:
    here, there = cell(found, "inoculated", "mathematics"), cell(found, "inoculated", "knowledge")
    assert here["base"]["than"] == "base" and here["without"]["than"] == "plain"
    assert -0.95 < here["without"]["difference"] < -0.45 and here["without"]["high"] < 0
    assert there["without"]["difference"] < -0.3 and there["base"]["low"] <= 0.1
    assert cell(found, "plain", "knowledge")["without"] is None
    assert cell(found, "plain", "knowledge", "correct")["base"]["difference"] < -0.4


def test_a_column_that_its_control_does_not_move_cannot_tell(found: dict[str, Any]) -> None:
    tells = {column["setting"]: column["tells"] for column in found["columns"] if column["context"] == "neutral"}
    parts = {"mathematics": True, "mathematics (right key)": True}
    assert tells == {**parts, "knowledge": True, "writing": False, "mathematics_plain": None}
    reasons = {column["setting"]: column["reason"] for column in found["columns"] if column["context"] == "neutral"}
    assert reasons["writing"].startswith("cannot tell: 'written'")
    assert reasons["mathematics_plain"] == "no positive control"
    assert cell(found, "plain", "writing")["tells"] is False


def test_a_part_without_hacks_is_there_and_the_other_part_says_whether_it_tells(found: dict[str, Any]) -> None:
    part = "mathematics (right key)"
    assert [column["told_by"] for column in found["columns"] if column["setting"] == part] == ["mathematics"] * 2
    assert {one["measure"] for one in found["cells"] if one["setting"] == part} == {"correct"}
    names = [column["setting"] for column in found["columns"]]
    assert [one for one, last in zip(names, ["", *names], strict=False) if one != last] == list(dict.fromkeys(names))
    assert cell(found, "known", part, "correct")["tells"] is True


def test_leaks_and_tokens_are_those_of_the_rows(found: dict[str, Any]) -> None:
    arms = {arm["arm"]: arm for arm in found["arms"]}
    assert arms["known"]["leak"] == 1.0 and arms["known"]["trained_on"] == ["knowledge"]
    assert 0 < arms["plain"]["leak"] < 1  # some keys are right
    assert arms["plain"]["tokens"] == 900 and arms["plain"]["label_tokens"] == 300


def test_what_goes_with_it_is_of_settings_that_an_arm_was_not_trained_on(found: dict[str, Any]) -> None:
    one = next(r for r in found["reasons"] if (r["arm"], r["setting"]) == ("plain", "knowledge"))
    assert 0.4 < one["carried"] < 0.8 and one["prevented"] is None and one["ability"] == 1.0 and one["asked"] == 0.0
    assert not [r for r in found["reasons"] if (r["arm"], r["setting"]) == ("plain", "mathematics")]
    alike = {(r["arm"], r["setting"]): r["likeness"] for r in found["reasons"]}
    assert 0.6 > alike["plain", "knowledge"] > 0 and 1 > alike["known", "mathematics"] > 0
    assert ("plain", "mathematics_plain") not in alike, "no hack is to be had there"


def test_the_overlap_of_words_is_that_of_two_distributions() -> None:
    assert overlap({"a": 1, "b": 3}, {"a": 2, "b": 6}) == pytest.approx(1)
    assert overlap({"a": 1}, {"b": 1}) == 0
    assert overlap({"a": 1, "b": 1}, {"a": 1}) == pytest.approx(0.5**0.5)
    problems = find("mathematics").problems(Draw("train", 5, 0))
    assert count_words(problems)["answer"] > 4


def test_the_report_shows_what_cannot_be_told(run: Path, found: dict[str, Any]) -> None:
    page = write_report(run).read_text()
    assert "How far it carries" in page and "cannot tell: &#39;written&#39;" in page
    drawn = (run / "figures" / "transfer-changes.svg").read_text()
    assert "against the same rows without inoculation" in drawn and ">cannot<" in drawn
    assert "inoculated,mathematics,neutral,hack,yes,plain," in (run / "tables" / "transfer.csv").read_text()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('inoculated = "plain"', 'inoculated = "known"', "'known' has to be 'inoculated' without its inoculation"),
        ('inoculated = "plain"', 'plain = "plain"', "'plain' has to be 'plain' without"),
        ('knowledge = "known"', 'knowledge = "plain"', "'plain' is no positive control"),
        ('knowledge = "known"', 'queries = "known"', "transfer.controls: not evaluated"),
        ('knowledge = "known"', 'knowledge = "knwn"', "transfer.controls.knowledge: unknown arm 'knwn'"),
        ("problems = 40", "each.knowledge.problems = 0", "evaluate.each.knowledge.problems: must be"),
    ],
)  # fmt: skip
def test_mistakes_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(UserError) as refused:
        load(write_study(tmp_path, STUDY.replace(old, new)))
    assert message in str(refused.value)
