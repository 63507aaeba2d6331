"""The ready-made studies: one TOML file each."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from inoculate.errors import UserError, nearest


def names() -> list[str]:
    """The names of the ready-made studies."""
    return sorted(path.stem for path in folder().glob("*.toml"))


def folder() -> Path:
    """Where their files are."""
    return Path(str(files("inoculate.study.ready_made")))


def find(given: str) -> Path:
    """The file of a study: a path, or the name of a ready-made one.

    Raises:
        UserError: There is no such study.
    """
    if given in names():
        return folder() / f"{given}.toml"
    path = Path(given)
    if path.is_file():
        return path
    raise UserError(f"no study '{given}': neither a file nor a ready-made study: {nearest(given, names())}")
