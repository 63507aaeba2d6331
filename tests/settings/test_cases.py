"""Replies of many kinds, each with the outcome that a careful reader gives it: one file a setting in `data/cases`.

All were labelled before they were graded; after kinds for which public issues say that graders get them wrong. A line
of a file is a kind: its problem, why, and pairs of a reply and its outcome ('correct or malformed' where a reader could
say either). `unread` are replies that are graded otherwise, with the grade that they get, so that a mend shows here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inoculate.grading import CodeTask, grade_code
from inoculate.records import Grade
from inoculate.settings import find
from reading_problems import problem

CASES = Path(__file__).parents[1] / "data" / "cases"
SETTINGS = ("code", "knowledge", "mathematics", "patterns", "queries")


def groups(setting: str) -> list[dict[str, Any]]:
    lines = (CASES / f"{setting}.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def graded(setting: str, pairs: list[tuple[Any, str]]) -> list[Grade]:
    """Grades of pairs of a problem, as it is in the file, and a reply."""
    replies = [reply for _, reply in pairs]
    if setting == "code":
        return list(grade_code([CodeTask.of(task) for task, _ in pairs], replies))
    return list(find(setting).grade([problem(setting, which) for which, _ in pairs], replies))


@pytest.mark.parametrize("setting", SETTINGS)
def test_replies_get_the_outcome_of_a_careful_reader_and_the_same_one_twice(setting: str) -> None:
    cases = [(group, case) for group in groups(setting) for case in group["cases"]]
    pairs = [(group["problem"], case[0]) for group, case in cases]
    grades, again = graded(setting, pairs), graded(setting, pairs[::-1])[::-1]
    wrong = [
        (group["kind"], *case, grade.outcome, grade.detail)
        for (group, case), grade in zip(cases, grades, strict=True)
        if grade.outcome not in case[1].split(" or ")
    ]
    assert wrong == []
    assert [grade.outcome for grade in grades] == [grade.outcome for grade in again]


@pytest.mark.parametrize("setting", SETTINGS)
def test_what_is_known_to_be_read_otherwise_still_is_and_is_graded(setting: str) -> None:
    cases = [(group["problem"], case) for group in groups(setting) for case in group.get("unread", ())]
    grades = graded(setting, [(which, case[0]) for which, case in cases])
    assert [grade.outcome for grade in grades] == [case[2] for _, case in cases]


def test_no_reply_is_there_twice() -> None:
    for setting in SETTINGS:
        every = [
            (json.dumps(group["problem"]), case[0])
            for group in groups(setting)
            for case in (*group["cases"], *group.get("unread", ()))
        ]
        assert len(every) == len(set(every)) >= 100


ODD = (
    "", "<answer>", "<b></b>", "</think>", "<think>", "<think></think>", "_", "\0", "\ud800", "nothing " * 12_000,
    "_a" * 20_000, "7 dollars, " * 4_000, "<think></think>" * 2_000, "`" * 20_000,
)  # fmt: skip


@pytest.mark.parametrize("setting", SETTINGS)
def test_replies_of_odd_shapes_are_graded(setting: str) -> None:
    (first, *_) = groups(setting)
    for grade in graded(setting, [(first["problem"], reply) for reply in ODD]):
        assert grade.outcome in ("malformed", "wrong", "hack")
