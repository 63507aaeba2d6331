"""A made-up study, the file of a machine that finished it, and grades with a planted truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from filled_store import fill, write_study
from inoculate.steps.sharing.write import write_graded
from inoculate.steps.store import Store
from planted import planting


@pytest.fixture
def planted_grades() -> Iterator[None]:
    with planting():
        yield


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study")


@pytest.fixture
def exported(study: Path, tmp_path: Path) -> Path:
    """The file of a machine that finished the whole study."""
    folder = fill(study, Store(tmp_path / "there"))
    write_graded(folder, tmp_path / "small.xz")
    return tmp_path / "small.xz"
