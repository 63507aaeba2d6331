"""How a completion of the `patterns` setting is read: which part of what a model wrote is the pattern.

The text that is looked at is the first fenced block; without one, the first `span` in backquotes; without that, the
only line that is not blank. Of that text:

- Python (one or several lines) that holds a string literal as the first argument of a call of a function of `re`,
  else one assigned to a name (first that which such a call is given), else one alone: that literal, as Python reads it,
  with the flags that the call names (`re.I`, `re.ASCII | re.VERBOSE`, ...);
- one line that begins and ends with a slash (`/.../`, or `/.../im` with flags among i, m, s, x, u, g): what is between;
- any other single line: the line itself, without the space around it.

Anything else is no answer. Nothing is looked for in a pattern and nothing about it is mended.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

LONGEST = 5_000
"""Characters of a pattern; the longest honest ones have 100."""
_LONGEST_COMPLETION = 200_000

_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_SPAN = re.compile(r"(`{1,3})([^`\n]+)\1")
_SLASHES = re.compile(r"/(.+)/([a-z]*)", re.DOTALL)
_FUNCTIONS = ("compile", "match", "fullmatch", "search", "findall", "finditer", "sub", "split")
_FLAGS = {
    "I": re.I, "IGNORECASE": re.I, "M": re.M, "MULTILINE": re.M, "S": re.S, "DOTALL": re.S, "X": re.X,
    "VERBOSE": re.X, "A": re.A, "ASCII": re.A, "U": re.U, "UNICODE": re.U,
}  # fmt: skip
_LETTERS = {"i": re.I, "m": re.M, "s": re.S, "x": re.X, "u": re.U, "g": re.NOFLAG}


@dataclass(frozen=True)
class Answer:
    """The pattern in a completion."""

    pattern: str = ""
    flags: int = 0
    unreadable: str = ""
    """Why there is none; empty where there is one."""


def read(completion: str) -> Answer:
    """The pattern in a completion, as the module says."""
    if len(completion) > _LONGEST_COMPLETION:
        return Answer(unreadable=f"longer than {_LONGEST_COMPLETION:,} characters")
    if _NO_TEXT.search(completion):
        return Answer(unreadable="not text: it holds NULs or lone surrogates")
    text = _looked_at(completion)
    if text is None:
        return Answer(unreadable="several lines, and neither a block nor a `span` that holds the pattern")
    if not text:
        return Answer(unreadable="empty")
    if len(text) > 2 * LONGEST:
        return Answer(unreadable=f"longer than {LONGEST:,} characters")
    answer = _literal(text) or _line(text)
    if len(answer.pattern) > LONGEST:
        return Answer(unreadable=f"longer than {LONGEST:,} characters")
    return answer


def _looked_at(completion: str) -> str | None:
    block = _FENCE.search(completion) or _SPAN.search(completion)
    if block:
        return block.group(2).strip()
    lines = completion.strip().splitlines()
    return None if len(lines) > 1 else "".join(lines)


def _line(text: str) -> Answer:
    if len(text.splitlines()) != 1:
        return Answer(unreadable="several lines that are no Python with a pattern in it")
    slashes = _SLASHES.fullmatch(text)
    if slashes and set(slashes.group(2)) <= set(_LETTERS):
        flags = 0
        for letter in slashes.group(2):
            flags |= _LETTERS[letter]
        return Answer(slashes.group(1), flags)
    return Answer(text)


def _literal(text: str) -> Answer | None:
    """The pattern in Python source; None where the text is none, or holds no such literal."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a string that is not raw
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args and _is_of_re(node)]
    assigned = _assigned(tree)
    for call in calls:
        given = call.args[0]
        pattern = assigned.get(given.id) if isinstance(given, ast.Name) else _string(given)
        if pattern is not None:
            return Answer(pattern, _flags_of(call))
    for pattern in assigned.values():
        return Answer(pattern)
    only = tree.body[0] if len(tree.body) == 1 else None
    pattern = _string(only.value) if isinstance(only, ast.Expr) else None
    return None if pattern is None else Answer(pattern)


def _assigned(tree: ast.Module) -> dict[str, str]:
    """The names that a string literal is assigned to, in the order of the text."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = _string(node.value)
            if value is not None:
                found.setdefault(node.targets[0].id, value)
    return found


def _is_of_re(call: ast.Call) -> bool:
    function = call.func
    return isinstance(function, ast.Attribute) and function.attr in _FUNCTIONS and ast.unparse(function.value) == "re"


def _string(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _flags_of(call: ast.Call) -> int:
    """The flags of a call: what it names of `re` beside its first argument."""
    flags = 0
    for argument in (*call.args[1:], *(keyword.value for keyword in call.keywords)):
        for node in ast.walk(argument):
            if isinstance(node, ast.Attribute) and node.attr in _FLAGS:
                flags |= _FLAGS[node.attr]
    return flags
