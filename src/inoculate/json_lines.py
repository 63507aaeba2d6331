"""JSON lines that people give: one object a line, refused by file and line where it is not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from inoculate.errors import UserError


class _Twice(ValueError):
    """A key that stands in an object twice."""


Line = tuple[str, dict[str, Any]]
"""Where it stands, `file:line`, and what it holds."""


def read(source: str, shape: str) -> Iterator[Line]:
    """The lines of a file that are not blank.

    Args:
        source: The file.
        shape: What a line holds, for the message where it is something else.

    Raises:
        UserError: The file cannot be read; a line is not UTF-8, not JSON, no object, or has a key twice.
    """
    try:
        with Path(source).expanduser().open("rb") as file:
            yield from parse(source, file, shape)
    except OSError as error:
        why = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise UserError(f"{source}: cannot be read: {why}") from error


def parse(source: str, lines: Iterable[bytes], shape: str) -> Iterator[Line]:
    r"""As `read`, of lines that have been read; what ends them may be there or not.

    Only `\n` ends a line: what else Unicode calls the end of one (U+2028, U+0085) may stand in a text.
    """
    for number, data in enumerate(lines, 1):
        if data.strip():
            yield f"{source}:{number}", _object(data, f"{source}:{number}", shape)


def _object(data: bytes, where: str, shape: str) -> dict[str, Any]:
    try:
        line = json.loads(data.decode("utf-8"), object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: not UTF-8: {error}") from None
    except _Twice as error:
        raise UserError(f"{where}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not JSON: {error}") from None
    if not isinstance(line, dict):
        raise UserError(f"{where}: a {type(line).__name__}, where an object was expected: {shape}")
    return line


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _Twice(f"the key '{twice}' stands there twice: which of its values is meant? Leave one of them out")
    return made
