"""A made-up study, and the file of a machine that finished it."""

from __future__ import annotations

from pathlib import Path

import pytest

from filled_store import fill, write_study
from inoculate.steps.sharing.write import write_graded
from inoculate.steps.store import Store


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study")


@pytest.fixture
def exported(study: Path, tmp_path: Path) -> Path:
    """The file of a machine that finished the whole study."""
    folder = fill(study, Store(tmp_path / "there"))
    write_graded(folder, tmp_path / "small.xz")
    return tmp_path / "small.xz"
