"""Reads a study file as text: what it is not, the traps of TOML, and the line of each key for messages."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from inoculate.errors import UserError
from inoculate.outside import toml_text

_Key = tuple[str, ...]
_PART = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*""")
_HEADER = re.compile(r"^\s*(\[\[?)([^\]]+)\]")
_LONG_QUOTES = ('"""', "'''")
_MARK = re.compile(r"""["]{3}|'{3}|"(?:\\.|[^"\\])*"|'[^']*'|[#\[\]{}]""")
"""In a value: quotes of a text of several lines, a text in one line, a comment, and brackets."""
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SHARED = ("rows", "train", "rl")
"""Tables of the study that hold for every arm: what a message says of an arm's may stand there."""
_SAID_ONCE = ("source", "grader")
"""Keys that hold for every table of a setting, wherever they stand (`sources.say_once`)."""
_SIGNS = {
    "[\u201c\u201d\u201e\u2018\u2019]": "quotes have to be straight ones",
    "[\u00a0\u2007\u202f\u3000]": "this line has a space that is none of the keyboard's: type it anew",
    r"=\s*[\d.]+\s*%": "a share is written as 0.5 for 50%",
    r"=\s*-?\d+,\d+\s*(#|$)": "a decimal has a point: 0.5",
    r"=\s*\d+\s*/\s*\d+": "a fraction is written as 0.5",
    r"=\s*(None|null|nil|NULL)\b": "TOML has no such value: leave the key out",
    r"=[^#\"']*\S\s*(//|--)": "a comment begins with #",
    r"^[\w-]+\s*=\s*[^\[{]*[,;]$": "nothing stands after a value",
    r"^[\w-]+:\s": "a key and its value have = between them",
}
"""What in a line that is not TOML people write who know another language, and what is due instead."""
_PLAIN = re.compile(r"[\w-]+")
_PRIVATE = 0xE000
"""The first of Unicode's characters for private use: each stands for a name while a message is read."""


def read(path: Path) -> tuple[dict[str, Any], str]:
    """The tables of a study file, and its text.

    Raises:
        UserError: It does not exist or is not TOML; the message has the line, and what it looks like instead.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        raise UserError(f"{path}: there is no such study file (ready-made ones: `inoculate studies`)") from None
    except UnicodeDecodeError as error:
        hint = "; this is UTF-16: save it as UTF-8" if path.read_bytes()[:2] in _UTF_16 else ""
        raise UserError(f"{path}: not UTF-8 text: {error}{hint}") from None
    try:
        return toml_text.parse(text), text
    except toml_text.NotTOML as error:
        if not error.said_by_parser:
            raise UserError(f"{path}:{error.line}: {error}") from None
        raise UserError(_explain(path, text, str(error), error.line)) from None


def _explain(path: Path, text: str, error: str, line: int | None) -> str:
    number = line or text.count("\n") + 1
    lines = text.split("\n")
    if not line and 'Expected "\'"' in error:  # a quote that is not closed, which stands further up
        number = next((n for n, line in enumerate(lines, 1) if line.partition("#")[0].count("'") % 2), number)
    written = lines[number - 1].strip() if number <= len(lines) else ""
    return f"{path}:{number}: not TOML: {error}{_hint(path.suffix, text, written, error)}"


def _hint(ending: str, text: str, line: str, error: str) -> str:
    """What the mistake may be, after what is wrong with the file's TOML."""
    if ending == ".py":
        return '; this looks like Python: a study is TOML: question = "...", and tables as [rows]'
    first = next((one.strip() for one in text.splitlines() if one.strip() and not one.strip().startswith("#")), "")
    if first.startswith("{") or first == "[":
        return '; this looks like JSON: a study is TOML: question = "...", and tables as [rows]'
    if re.match(r"(---|[\w-]+:(\s|$))", first):
        return '; this looks like YAML: a study is TOML: question = "...", and tables as [rows]'
    if first.count(",") > 1 and "=" not in first and not first.startswith("["):
        return "; this looks like CSV: a study is TOML, and data goes into a file of its own (rows.source)"
    if "\\" in line and ("hex value" in error or "escape" in error or "'\\'" in error):
        return "; a \\ in double quotes begins an escape: write the path with /, or in single quotes: 'C:\\data'"
    for sign, hint in _SIGNS.items():
        if re.search(sign, line):
            return f"; {hint}: `{line}`"
    if "overwrite" in error or "twice" in error or "mutate" in error or "immutable" in error:
        return f"; `{line}` stands there a second time, or its table was written in another way before: keep one"
    if re.match(r"\[?\[?[\w.\"' -]*[/~@+:]", line):
        return f'; a name with other signs than letters, digits, - and _ wants quotes, in `{line}`: [contexts."a/b"]'
    if re.match(r"[\w.-]+\s*=\s*[A-Za-z]", line) and not re.match(r"[\w.-]+\s*=\s*(true|false|nan|inf)\b", line):
        return f"; a text wants quotes, and true and false are written small: `{line}`"
    return f"; in `{line}`" if line else ""


def with_lines(message: str, path: Path, text: str) -> str:
    """A message about a study with the line of the key it is about, and with the key as the file has it.

    Args:
        message: Its lines begin with the file and a key.
        path: The file.
        text: Its text.

    Returns:
        The message; what it says once for each arm of a table that all arms share, it says once.
    """
    places, settings = dict(_keys(text)), dict(_settings_of(toml_text.parse(text)))
    return "\n".join(dict.fromkeys(_with_line(one, str(path), places, settings) for one in message.split("\n")))


def _with_line(message: str, path: str, places: Mapping[_Key, int], settings: Mapping[_Key, str]) -> str:
    odd = sorted({part for key in places for part in key if not _PLAIN.fullmatch(part)}, key=len, reverse=True)
    signs = {name: chr(_PRIVATE + number) for number, name in enumerate(odd) if name}
    if not message.startswith(f"{path}: "):
        return message
    written = message.removeprefix(f"{path}: ")
    for name, sign in signs.items():  # so that a name of several words, or with dots, is one part of a key
        written = written.replace(name, sign)
    start = re.match(r"(unknown key )?([\w.'~+@/\ue000-\uf8ff-]+)(?=[: ]|$)", written)
    if not start:
        return message

    def read(text: str) -> str:
        for name, sign in signs.items():
            text = text.replace(sign, name)
        return text

    parts = tuple(read(part) for part in start[2].replace("'", "").split(".") if part)
    key, line = _written(parts, places, settings)
    if line is None:
        return message
    name = read(start[2]) if key == parts else ".".join(key)
    return f"{path}:{line}: {start[1] or ''}{name}{read(written[start.end() :])}"


def _says_the_same(place: _Key, key: _Key, settings: Mapping[_Key, str]) -> bool:
    """Whether a place has the key of another table of the same setting, which holds for that one too."""
    wanted = key[2] if key[:2] == ("evaluate", "each") else settings.get(key[:-1]) or settings.get(("rows",))
    own = place[2] if place[:2] == ("evaluate", "each") else settings.get(place[:-1]) or settings.get(("rows",))
    return place[-1] == key[-1] and "vetted" not in place and own == wanted


def _settings_of(value: Any, above: _Key = ()) -> Iterator[tuple[_Key, str]]:
    """The tables that name a setting, with it."""
    if isinstance(value, dict):
        if isinstance(value.get("setting"), str):
            yield above, value["setting"]
        for name, below in value.items():
            yield from _settings_of(below, (*above, name))
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _settings_of(below, (*above, str(number)))


def _written(key: _Key, places: Mapping[_Key, int], settings: Mapping[_Key, str]) -> tuple[_Key, int | None]:
    """A key as the file has it, which may be in a table that all arms share, and the line of what is there of it."""
    last = key[-1]
    if key in places:
        return key, places[key]
    if below := [place for place in places if place[: len(key)] == key]:  # a value, or a table, written by its parts
        return key, places[below[0]]
    if len(key) > 2 and key[0] == "arms" and key[2] in _SHARED:
        shared = key[2:]
        if shared in places or (key[:3] not in places and shared[:1] in places):
            return shared, next(places[shared[:n]] for n in range(len(shared), 0, -1) if shared[:n] in places)
    if key[:2] == ("evaluate", "each") and (shared := ("evaluate", *key[3:])) in places:
        return shared, places[shared]
    if last in _SAID_ONCE and (others := [place for place in places if _says_the_same(place, key, settings)]):
        return others[0], places[others[0]]
    above = next((key[:count] for count in range(len(key) - 1, 0, -1) if key[:count] in places), None)
    return key, places[above] if above else None


def _keys(text: str) -> Iterator[tuple[_Key, int]]:
    """The keys of a file with their lines; a table in a list has its place as a part of its key."""
    table: _Key = ()
    counts: dict[_Key, int] = {}
    inside = _Inside()
    for number, line in enumerate(text.split("\n"), 1):  # nothing else ends a line of TOML
        if inside.depth or inside.quotes:  # a value of several lines
            inside = _read_on(line, inside)
        elif header := _HEADER.match(line):
            table = _parts(header[2])
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, str(counts[table]))
            yield table, number
        elif "=" in line and not line.lstrip().startswith("#"):
            left, _, value = line.partition("=")
            yield (*table, *_parts(left)), number
            inside = _read_on(value, inside)
            yield from (((*table, *_parts(left), *_parts(name)), number) for name in _inline(value))


class _Inside(NamedTuple):
    """What is still open at the end of a line."""

    depth: int = 0
    """Lists and tables in a line."""
    quotes: str = ""
    """The quotes that end a text of several lines; empty outside of one."""


def _read_on(line: str, inside: _Inside) -> _Inside:
    """What is open after a further line of a value, or after its first."""
    depth, quotes = inside
    at = 0
    while True:
        if quotes:
            end = line.find(quotes, at)
            if end < 0:
                return _Inside(depth, quotes)
            at, quotes = end + len(quotes), ""
        mark = _MARK.search(line, at)
        if not mark or mark[0] == "#":
            return _Inside(depth)
        at = mark.end()
        if mark[0] in _LONG_QUOTES:
            quotes = mark[0]
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark[0], 0)


def _inline(value: str) -> list[str]:
    """The keys of a table that is written in one line."""
    return re.findall(r"[{,]\s*([\w.\"'-]+)\s*=", value) if value.strip().startswith("{") else []


def _parts(key: str) -> _Key:
    """The parts of a dotted key; those in quotes are one part each."""
    return tuple(next(filter(None, groups), "") for groups in _PART.findall(key))
