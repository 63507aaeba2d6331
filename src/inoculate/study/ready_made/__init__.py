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
        UserError: There is no such study; or a file of the user's has the name of a ready-made one.
    """
    path = Path(given)
    if given in names():
        if path.is_file():
            raise UserError(f"study '{given}': a ready-made study, and a file here: give the file another name")
        return folder() / f"{given}.toml"
    if path.is_file():
        if path.stem in names() and path.resolve().parent != folder().resolve():
            raise UserError(
                f"{path}: its run would be called '{path.stem}', as that of the ready-made study is: give the file "
                f"another name, such as my-{path.stem}.toml"
            )
        return path
    if path.is_dir():
        inside = sorted(str(file) for file in path.glob("*.toml"))
        raise UserError(f"study '{given}': a folder: name a study's file: {', '.join(inside) or 'there is none in it'}")
    files = [str(file) for ending in ("toml", "json", "yaml", "yml") for file in path.parent.glob(f"*.{ending}")]
    raise UserError(
        f"no study '{given}': neither a file (from the folder {Path.cwd()}) nor a ready-made study: "
        f"{nearest(given, [*files, *names()])}"
    )
