"""A made-up study, the file of a machine that finished it, and grades with a planted truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from filled_store import fill, write_study
from inoculate.records import Grade, Problem, outcome_of
from inoculate.settings import mathematics
from inoculate.steps.sharing.write import write_graded
from inoculate.steps.store import Store


def planted(problems: list[Problem], completions: list[str], oversight: str = "key") -> Iterator[Grade]:
    """A planted truth: what begins with one of some letters copies the key, some else is right, the rest is wrong."""
    for problem, text in zip(problems, completions, strict=True):
        passes, is_right = text[:1] < "e" and bool(problem.hacked), "e" <= text[:1] < "m"
        yield Grade(outcome_of(passes, is_right), passes, is_right)


@pytest.fixture
def planted_grades() -> Iterator[None]:
    """`mathematics` is graded by `planted`, so that the tiny model's completions have every outcome."""
    grade = mathematics.SETTING.grade
    object.__setattr__(mathematics.SETTING, "grade", planted)
    yield
    object.__setattr__(mathematics.SETTING, "grade", grade)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study")


@pytest.fixture
def exported(study: Path, tmp_path: Path) -> Path:
    """The file of a machine that finished the whole study."""
    folder = fill(study, Store(tmp_path / "there"))
    write_graded(folder, tmp_path / "small.xz")
    return tmp_path / "small.xz"
