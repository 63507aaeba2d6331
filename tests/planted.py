"""Grades with a planted truth, so that the tiny model's completions to `mathematics` have every outcome."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from inoculate.records import Grade, Problem, outcome_of
from inoculate.settings import mathematics


def planted(problems: list[Problem], completions: list[str], oversight: str = "key") -> Iterator[Grade]:
    """What begins with one of some letters copies the key, what begins with others is right, the rest is wrong."""
    for problem, text in zip(problems, completions, strict=True):
        passes, is_right = text[:1] < "e" and bool(problem.hacked), "e" <= text[:1] < "m"
        yield Grade(outcome_of(passes, is_right), passes, is_right)


@contextmanager
def planting() -> Iterator[None]:
    """Have `mathematics` graded so."""
    grade = mathematics.SETTING.grade
    object.__setattr__(mathematics.SETTING, "grade", planted)
    try:
        yield
    finally:
        object.__setattr__(mathematics.SETTING, "grade", grade)
