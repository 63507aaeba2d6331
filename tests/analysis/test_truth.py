"""Of how many training rows is a prompt true? The rule against a second writing of it, and its count over a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inoculate.analysis.run_folder import Run
from inoculate.analysis.truth import SAYS, Says, analyse_truth, is_true, what_it_says
from inoculate.records import OUTCOMES, Grade, Message, Outcome, Problem, Row, outcome_of, write_lines
from inoculate.study import prompts

Answer = tuple[bool, Outcome, bool]
"""Whether its problem has a hacked answer, its outcome, whether the prompt stands on it."""
ANSWERS = st.lists(st.tuples(st.booleans(), st.sampled_from(OUTCOMES), st.booleans()), max_size=12)


def slowly(kind: str, hackable: bool, outcome: Outcome) -> str:
    """The rule once more, kind by kind: T, F, ? (not known) or nothing (it says nothing of answers)."""
    if kind in ("environment", "alike", "other-sense", "irrelevant", "gibberish", "harmless", "unseen"):
        return ""
    if outcome == "ungraded":
        return "?"
    if outcome in ("wrong", "malformed"):
        return "F"
    if outcome == "hack":
        return "F" if kind in ("forbids", "negated") else "T"
    if kind in ("specific", "persona", "example"):
        return "F"
    if kind == "general":
        return "F" if hackable else "T"
    assert kind in ("permission", "forbids", "negated")
    return "T"


@pytest.mark.parametrize("name", prompts.names())
def test_the_rule_is_that_of_its_kind(name: str) -> None:
    says = what_it_says(name)
    for hackable in (True, False):
        for outcome in OUTCOMES:
            found = "" if says is None else {True: "T", False: "F", None: "?"}[is_true(says, hackable, outcome)]
            assert found == slowly(prompts.find(name).kind, hackable, outcome), (hackable, outcome)


def test_every_kind_either_has_a_rule_or_says_nothing() -> None:
    silent = {"environment", "alike", "other-sense", "irrelevant", "gibberish", "harmless", "unseen"}
    assert set(get_args(prompts.Kind)) == SAYS.keys() | silent


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("general+checked", "hack where possible"),
        ("specific+false", "hack"),
        ("specific~half", "hack"),
        ("specific~negated", "intended"),
        ("general~negated+exploit", "intended"),
        ("forbid~negated", "hack"),
        ("permission~negated", None),
        ("specific~other-matter", None),
        ("general~other-sense", None),
        ("general~other-form", "hack where possible"),
        ("my-own", None),
        ("general~as-i-say-it", None),
        ("", None),
    ],
)
def test_descriptions_and_neighbours(name: str, says: Says | None) -> None:
    assert what_it_says(name) == says


def test_where_the_data_does_not_say_whether_a_hack_was_to_be_had() -> None:
    assert is_true("hack where possible", None, "correct") is None
    assert is_true("hack where possible", None, "wrong") is False
    assert is_true("intended", None, "correct") is True


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[dict[str, Any]]]:
    """Write rows with their grades, and count them."""
    root = tmp_path_factory.mktemp("rows")

    def count(answers: list[Answer], arms: dict[str, str], setting: str = "functions") -> list[dict[str, Any]]:
        problems, rows, grades = [], [], []
        for number, (hackable, outcome, has_prompt) in enumerate(answers):
            hack = "return 1" if hackable else ""
            problems.append(
                Problem(f"p{number}", setting, "kind", "lists", 1, "Write", "f", "return n", hack, "constant", {})
            )
            rows.append(Row(f"p{number}", "kind", (Message("user", "f"),), "return n", False, has_prompt))
            checks = {"correct": (True, True), "hack": (True, False), "ungraded": (None, None)}
            passed, intended = checks.get(outcome, (False, False))
            assert outcome_of(passed, intended, malformed=outcome == "malformed") == outcome
            grades.append(Grade(outcome, passed, intended))
        write_lines(root / "problems.jsonl", problems)
        write_lines(root / "rows.jsonl", rows)
        write_lines(root / "grades.jsonl", grades)
        specs = {
            arm: {
                "rows": {"setting": setting},
                "inoculation": {"prompt": prompt, "text": "x", "on": "all"} if prompt else None,
            }
            for arm, prompt in arms.items()
        }
        folders = {"rows": str(root), "row_grades": str(root)}
        entries = [{"arm": arm, "seed": 0, **folders} for arm in arms]
        return analyse_truth(Run(root, {"study": {"arms": specs}, "training": entries}))

    return count


ARMS = {"plain": "", "told": "general+checked", "asked": "specific", "forbidden": "forbid+false", "other": "irrelevant"}


@given(answers=ANSWERS)
def test_the_count_is_that_of_a_second_writing(
    counted: Callable[..., list[dict[str, Any]]], answers: list[Answer]
) -> None:
    found = counted(answers, ARMS)
    assert [entry["arm"] for entry in found] == list(ARMS)
    for entry in found:
        assert entry["reason"] == ""
        for sort, name in ((True, "exploit"), (False, "no_exploit")):
            # A hack shows that one was to be had.
            expected = {
                outcome: sum((one[0] or one[1] == "hack") == sort and one[1] == outcome for one in answers)
                for outcome in OUTCOMES
            }
            assert entry["rows"][name] == expected
        assert [one["prompt"] for one in entry["prompts"]] == [name for name in ARMS.values() if name]
        for one in entry["prompts"]:
            base, _, description = one["prompt"].partition("+")
            kind = prompts.find(base).kind
            letters = [slowly(kind, hackable, outcome) for hackable, outcome, _ in answers]
            assert one["own"] == (ARMS[entry["arm"]] == one["prompt"])
            assert one["description"] == {"": None, "checked": True, "false": False}[description]
            if kind == "irrelevant":
                assert (one["says"], one["all"], one["with_prompt"]) == (None, None, None)
                continue
            assert [one["all"][key] for key in ("true", "false", "unknown")] == [letters.count(x) for x in "TF?"]
            known = letters.count("T") + letters.count("F")
            assert one["all"]["share"] == (letters.count("T") / known if known else None)
            carried = [letter for letter, answer in zip(letters, answers, strict=True) if answer[2]]
            if one["own"]:
                assert one["with_prompt"]["true"] == carried.count("T")
                assert one["with_prompt"]["false"] == carried.count("F")
            else:
                assert one["with_prompt"] is None


def test_nothing_is_counted_where_no_prompt_says_anything(counted: Callable[..., list[dict[str, Any]]]) -> None:
    assert counted([(True, "hack", True)], {"plain": "", "other": "irrelevant"}) == []


def test_own_data_with_one_answer_does_not_say_that_there_is_no_hack(
    counted: Callable[..., list[dict[str, Any]]],
) -> None:
    answers: list[Answer] = [(False, "correct", True), (True, "correct", True), (False, "hack", True)]
    (entry,) = counted(answers, {"told": "general"}, "rows")
    assert entry["rows"]["unknown"]["correct"] == 1 and entry["rows"]["exploit"]["hack"] == 1
    assert entry["prompts"][0]["all"] == {"true": 1, "false": 1, "unknown": 1, "share": 0.5}


def test_rows_that_cannot_be_read_are_named_and_not_counted(tmp_path: Path) -> None:
    problem = Problem("p", "functions", "kind", "lists", 1, "Write", "f", "return n", "", "", {})
    row = Row("p", "kind", (Message("user", "f"),), "return n", False, True)
    write_lines(tmp_path / "problems.jsonl", [problem, replace(problem, id="q")])
    write_lines(tmp_path / "rows.jsonl", [row])
    write_lines(tmp_path / "grades.jsonl", [Grade("correct", True, True)])
    arms = {"told": {"rows": {"setting": "functions"}, "inoculation": {"prompt": "general", "text": "x", "on": "all"}}}
    entry = {"arm": "told", "seed": 0, "rows": str(tmp_path), "row_grades": str(tmp_path)}
    manifest = json.loads(json.dumps({"study": {"arms": arms}, "training": [entry]}))
    (found,) = analyse_truth(Run(tmp_path, manifest))
    assert "do not match" in found["reason"] and found["prompts"] == []
