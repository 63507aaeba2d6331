"""Reads JSON lines written by users. A line that is not an object is refused, with its file and number."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from inoculate.errors import UserError, kind_of, unreadable


class _DuplicateKeyError(ValueError):
    """An object has the same key twice."""


_DIGITS = 1000
"""Python reads whole numbers of a few thousand digits at most, and says so in words that are no user's."""
Line = tuple[str, dict[str, Any]]
"""Its location, `file:line`, and its object."""


def read(source: str, expected: str) -> Iterator[Line]:
    """The lines of a file that are not blank.

    Args:
        source: The file.
        expected: What a line should be, for error messages.

    Raises:
        UserError: The file cannot be read; a line is not UTF-8, not JSON, no object, or has a key twice.
    """
    try:
        with Path(source).expanduser().open("rb") as file:
            yield from parse(source, file, expected)
    except OSError as error:
        raise UserError(f"{source}: cannot be read: {unreadable(source, error)}") from error


def parse(source: str, lines: Iterable[bytes], expected: str) -> Iterator[Line]:
    r"""Like `read`, but from lines in memory, with or without their line ends.

    Only `\n` ends a line: the other line separators of Unicode (U+2028, U+0085) may be part of a text.
    """
    for number, data in enumerate(lines, 1):
        data = data.removeprefix(codecs.BOM_UTF8) if number == 1 else data
        if data.strip():
            yield f"{source}:{number}", _object(data, f"{source}:{number}", expected)


def _object(data: bytes, where: str, expected: str) -> dict[str, Any]:
    try:
        line = strict(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: not UTF-8: {error}{_hint(data) or '; save the file as UTF-8'}") from None
    except _DuplicateKeyError as error:
        raise UserError(f"{where}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not JSON: {error}{_hint(data)}") from None
    if not isinstance(line, dict):
        raise UserError(f"{where}: {kind_of(line)}, where an object was expected: {expected}")
    return line


_OTHER_FILES = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "a zip file",
    b"PAR1": "Parquet",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"(\xb5/\xfd": "zstd",
    b"ARROW1": "Arrow",
}
"""How other files begin that are taken for JSON lines."""


_SIGNS = {
    rb"^(#|//|/\*)": "JSON lines have no comments: leave the line out",
    rb"^\[\[?[\w.-]+\]": "is this TOML? One JSON object a line is due",
    rb"^version https://git-lfs": "this is a pointer of Git LFS: `git lfs pull` fetches the file itself",
    rb'^[\w.-]+ *= *["0-9]': "is this TOML? One JSON object a line is due",
    rb"^<": "is this XML or HTML? One JSON object a line is due",
    rb"^[\w.]+ *= *[\[{]": "is this Python? One JSON object a line is due, as json.dumps(row) makes it",
    b"[{,:]\\s*\xe2\x80[\x9c-\x9f]": "quotes have to be straight ones",
    rb":\s*(True|False|None)\b": "JSON has true, false and null, written small: json.dumps(row)",
    rb",\s*\}$": "a comma stands after the last value: leave it out",
    rb"^\{.+(?<!\})$": "the line is cut off: an object ends with }",
}
"""What in a line that is not JSON people write who know another form, and what is due."""


def _hint(data: bytes) -> str:
    """What a line that is not JSON may be a part of."""
    line = data.strip()
    for start, kind in _OTHER_FILES.items():
        if data.startswith(start):
            return f"; this is {kind}: lines of JSON are due, as text"
    if re.match(rb"""\{\s*'""", line):
        return "; is this a dict of Python? JSON has double quotes, and true, false and null: json.dumps(row)"
    if re.match(rb"\{.*\}\s*(,$|\{)", line):
        return "; is there more than one object in this line, or a comma after it? One JSON object a line is due"
    for pattern, hint in _SIGNS.items():
        if re.search(pattern, line):
            return f"; {hint}"
    if line in (b"{", b"["):
        return "; is this one JSON document over many lines? One object a line is due"
    if line.startswith((b"---", b"- ")) or (b": " in line and not line.startswith((b"{", b"["))):
        return "; is this YAML? One JSON object a line is due"
    if re.search(rb"[,;\t]", line) and not line.startswith((b"{", b"[")):
        return "; is this CSV? One JSON object a line is due"
    return ""


def strict(text: str) -> Any:
    """One JSON document, without what Python reads beside the standard.

    Raises:
        ValueError: It is not JSON, has a key twice, or has a number that is infinite or none.
    """
    return json.loads(
        text,
        object_pairs_hook=_reject_duplicates,
        parse_constant=_reject_constant,
        parse_float=_finite,
        parse_int=_whole,
    )


def _finite(text: str) -> float:
    if math.isinf(value := float(text)):
        raise ValueError(f"{text} is too large a number")
    return value


def _whole(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"a number of {len(text)} digits: write it as a text, in quotes")
    return int(text)


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is no value of JSON: write null, or leave the key out")


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        duplicate = next(key for key in keys if keys.count(key) > 1)
        raise _DuplicateKeyError(
            f"the key '{duplicate}' stands there twice: which of its values is meant? Leave one of them out"
        )
    return result
