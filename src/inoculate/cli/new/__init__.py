"""`inoculate new`: writes small working files for the user to change."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from inoculate.errors import UserError


def new_setting(name: str, folder: Path) -> Path:
    """Write the file of a new setting, which passes `inoculate check` as it is.

    Args:
        name: The setting's name, and the file's.
        folder: Where the file goes.

    Raises:
        UserError: The name is not a Python identifier, or the file exists.
    """
    name = name.removesuffix(".py")
    if not name.isidentifier():
        raise UserError(f"'{name}' cannot name a setting: letters, digits and underscores, and no digit first")
    path = folder / f"{name}.py"
    text = files("inoculate.cli.new").joinpath("setting.py").read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(text.replace('NAME = "setting"', f'NAME = "{name}"'))
    except FileExistsError:
        raise UserError(f"{path} is there already, and is not overwritten: choose another name") from None
    return path
