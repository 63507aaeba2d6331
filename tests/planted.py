"""Grades with a planted truth, so that the tiny model's completions to `mathematics` have every outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from inoculate.records import Grade, Problem, outcome_of
from inoculate.settings import Setting, mathematics


def planted(problems: list[Problem], completions: list[str], oversight: str = "key") -> Iterator[Grade]:
    """What begins with one of some letters copies the key, what begins with others is right, the rest is wrong."""
    for problem, text in zip(problems, completions, strict=True):
        passes, is_right = text[:1] < "e" and bool(problem.hacked), "e" <= text[:1] < "m"
        yield Grade(outcome_of(passes, is_right), passes, is_right)


@contextmanager
def planting() -> Iterator[None]:
    """Have `mathematics` graded so."""
    with graders(mathematics.SETTING, planted):
        yield


@contextmanager
def graders(setting: Setting, grade: Callable[..., Iterator[Grade]], raised: int = 0) -> Iterator[None]:
    """Have a setting graded so, by graders whose version is so much higher."""
    was = setting.grade, setting.grading
    object.__setattr__(setting, "grade", grade)
    object.__setattr__(setting, "grading", setting.grading + raised)
    try:
        yield
    finally:
        object.__setattr__(setting, "grade", was[0])
        object.__setattr__(setting, "grading", was[1])
