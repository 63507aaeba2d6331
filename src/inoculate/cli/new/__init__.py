"""`inoculate new`: writes small working files for the user to change."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from inoculate import settings
from inoculate.errors import UserError, refuse_existing
from inoculate.records import write_whole


def new_setting(name: str, folder: Path) -> Path:
    """Write the file of a new setting, which passes `inoculate check` as it is.

    Args:
        name: The setting's name, and the file's.
        folder: Where the file goes.

    Raises:
        UserError: The name is no Python identifier, or that of a setting of the package; the file exists; or the folder
            cannot be written.
    """
    name = name.removesuffix(".py")
    if not name.isidentifier():
        other = name.replace("-", "_").replace(" ", "_")
        hint = f": {other}?" if other.isidentifier() else ""
        raise UserError(f"'{name}' cannot name a setting: letters, digits and underscores, and no digit first{hint}")
    if name in settings.names():
        raise UserError(
            f"'{name}' is a setting of the package: samples of the two could not be told apart: choose another name"
        )
    path = folder / f"{name}.py"
    text = files("inoculate.cli.new").joinpath("setting.py").read_text(encoding="utf-8")
    refuse_existing(path)
    write_whole(path, text.replace('NAME = "setting"', f'NAME = "{name}"'))
    return path
