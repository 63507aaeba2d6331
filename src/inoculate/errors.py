"""Errors that are meant for people.

A `UserError` is something the user can fix: the command line prints its message without a traceback and exits
with code 2, and a notebook shows the message alone. Anything else that is raised is a bug of ours and keeps its
traceback.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal, TypeVar

Name = TypeVar("Name", bound=str)
_LONGEST = 300
"""Characters of what others say, in a message."""


class UserError(Exception):
    """A mistake of the user's. The message says what is wrong and where, what is allowed, and how to fix it.

    Attributes:
        key: The key of a study that it is about, where whoever raised it knows it; else ''.
        reason: The message without that key: who has made a table of their own puts it under another one.
    """

    def __init__(self, reason: str = "", *, key: str = "") -> None:
        """Put the key before the reason."""
        super().__init__(f"{key}: {reason}" if key else reason)
        self.key, self.reason = key, reason

    def put_under(self, key: str) -> None:
        """Name another key."""
        self.key, self.args = key, (f"{key}: {self.reason}",)

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"inoculate: {self}"]


@contextmanager
def under(key: str) -> Iterator[None]:
    """Put the key of a study before what is refused in the block, which may know nothing of studies.

    Args:
        key: The key, as messages write it: `arms.plain.rows.source`.

    Raises:
        UserError: One was raised in the block; it is of the same class, and begins with the key.
    """
    try:
        yield
    except UserError as error:
        if not str(error).startswith(key):
            error.reason = str(error)
            error.put_under(key)
        raise


class NoNumbers(UserError):
    """The model's logits are infinite or no numbers, so that there is nothing to draw from."""

    def __init__(self) -> None:
        """The message is the same for every one."""
        super().__init__(
            "the model's logits are infinite or no numbers, and no token can be drawn from them: its weights or its "
            "adapter are broken (a training that diverged leaves such ones), or too large for the precision it runs in"
        )


def nearest(given: str, allowed: Iterable[str]) -> str:
    """The end of a message about an unknown name.

    Args:
        given: The name as it was given.
        allowed: The names that exist.

    Returns:
        "did you mean 'x'? " where something is close, then the allowed names, as one string.
    """
    names = sorted(map(on_one_line, set(allowed)))
    alike = [name for name in names if name.lower() == given.strip().lower()]
    close = alike or get_close_matches(given, names, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    return f"{hint}allowed: {', '.join(names) if names else '(none)'}"


def on_one_line(name: str) -> str:
    """A name as it stands in a message: with what would break its line, or change a terminal, written out."""
    return name if name.isprintable() else repr(name)[1:-1]


_KINDS: dict[type, str] = {
    type(None): "nothing", bool: "a truth value", int: "a number", float: "a number", str: "a text", list: "a list",
    tuple: "a list", dict: "an object with keys", type: "a class",
}  # fmt: skip


def kind_of(value: object) -> str:
    """What a value is, in the words of messages about files: `nothing`, `a number`; else the name of its class."""
    name = type(value).__name__
    return _KINDS.get(type(value), f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}")


def reason(error: Exception) -> str:
    """What a library says of something that it does not take, in one line that is not long."""
    said = on_one_line(" ".join(str(error).split()))
    return said[:_LONGEST] or type(error).__name__


def unreadable(given: str | Path, error: OSError) -> str:
    """Why a file cannot be read, for a message that has named it.

    Args:
        given: The file as it was given.
        error: What opening it has raised.

    Returns:
        Where there is no such file: the nearest match beside it, and where paths start from.
    """
    path = Path(given).expanduser()
    if not isinstance(error, FileNotFoundError):
        return str(error.strerror)
    beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    # Names are compared without a common ending, which makes all files of a kind alike.
    stems = {name.removesuffix(path.suffix): name for name in beside if name.endswith(path.suffix)}
    close = [stems[stem] for stem in get_close_matches(path.stem, stems, n=1)] or [
        name for name in beside if Path(name).stem == path.stem
    ]
    hint = f": did you mean '{path.parent / close[0]}'?" if close else ""
    start = "" if path.is_absolute() else f" (paths start from the folder you are in, {Path.cwd()})"
    return f"there is no such file{start}{hint}"


def can_hold(folder: Path) -> bool:
    """Whether a file can be made in a folder: rights do not tell of file systems such as /proc, where nobody can."""
    try:
        with TemporaryFile(dir=folder):
            return True
    except OSError as error:
        return is_disk_full(error)  # which is another message, about what is kept


def refuse_existing(path: Path, kind: Literal["file", "folder"] = "file") -> None:
    """Refuse to write where something is: what a user names for an output is new, or an empty folder.

    Args:
        path: The output.
        kind: What it is to be.

    Raises:
        UserError: There is a file, or a folder with something in it; or it would be where nothing can be written.
    """
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir():
        raise UserError(f"{path}: cannot be written: {above} is a file, where a folder was expected")
    if not can_hold(above):
        raise UserError(f"{path}: cannot be written: nothing can be made in {above}; name another {kind}")
    if kind == "folder" and path.is_dir() and not any(path.iterdir()):
        return
    if path.exists() or path.is_symlink():
        raise UserError(f"{path}: is there already, and is not overwritten; name another {kind}, or delete it")


def require_known(given: str, allowed: Iterable[Name], what: str) -> Name:
    """The name, if it is one of those allowed.

    Args:
        given: The name as it was given.
        allowed: The names that exist.
        what: The message up to the name: "unknown split".

    Raises:
        UserError: There is no such name; the message has the nearest match.
    """
    names = list(allowed)
    for name in names:
        if name == given:
            return name
    raise UserError(f"{what} '{on_one_line(given)}': {nearest(given, names)}")


_SAYS_FULL = ("No space left on device", "Disk quota exceeded", "PytorchStreamWriter failed writing file")


def is_disk_full(error: Exception) -> bool:
    """Whether a disk or a quota is full. The libraries that write weights have exceptions of their own for it."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return any(words in str(error) for words in _SAYS_FULL)
