"""Mutants of a right pattern.

Strings drawn at random would let a pattern pass that is wrong at a boundary: `[a-z]+al` where 'al' itself is a member.
So hidden strings are chosen by the mutants that they kill, as in mutation testing. What gets past them is measured with
other mutation operators, on the pattern's syntax tree (`benchmarks/pattern_faults.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from random import Random

_TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\{\d+(?:,\d*)?\}|\(\?(?::|=|!|<=|<!)|.")
_QUANTIFIER = re.compile(r"[+*?]|\{(\d+)(,?)(\d*)\}")
_WIDER = {
    "[a-z]": ("[a-zA-Z]", r"\w"), "[A-Z]": ("[a-zA-Z]", "[A-Z0-9]"), r"\d": (r"\w", "[1-9]"), "[0-9]": (r"\w", "[1-9]"),
    "[0-9a-f]": ("[0-9a-z]", "[0-9a-fA-F]"), r"[\da-f]": ("[0-9a-z]", r"\d"), "[a-zA-Z]": (r"\w", "[a-z]"),
    "[A-Za-z]": (r"\w", "[a-z]"), "[a-z0-9]": (r"\w", "[a-z]"), r"[a-z\d]": (r"\w", "[a-z]"), "[1-9]": (r"\d",),
    "[01]": (r"\d",), "[aeiou]": ("[a-z]",),
}  # fmt: skip
_MAX_MUTANTS = 60


def tokens(pattern: str) -> list[str]:
    """The tokens of a pattern, without the anchors at its ends."""
    return _TOKEN.findall(pattern.removeprefix("^").removesuffix("$"))


def make_mutants(pattern: str, random: Random) -> list[re.Pattern[str]]:
    """Patterns that differ from one in a single place, in random order, at most `_MAX_MUTANTS`."""
    sources = sorted({*_mutate(tokens(pattern))})
    compiled = []
    for text in random.sample(sources, len(sources)):
        try:
            compiled.append(re.compile(text))
        except re.error:  # a reference to a group that was removed
            continue
    return compiled[:_MAX_MUTANTS]


def _mutate(tokens: Sequence[str]) -> Iterator[str]:
    depth = 0
    for place, token in enumerate(tokens):
        before, after = "".join(tokens[:place]), "".join(tokens[place + 1 :])
        if token.startswith("("):
            if token in ("(?=", "(?!"):
                yield before + "".join(tokens[_group_end(tokens, place) + 1 :])
            depth += 1
        elif token == ")":
            depth -= 1
        elif token == "|":
            yield before + "".join(tokens[_group_end(tokens, place) :])
        elif place and _QUANTIFIER.fullmatch(token) and tokens[place - 1] not in ("(", "|"):
            yield from (before + other + after for other in _other_quantifiers(token, depth))
            if depth == 0 and after:
                yield rf"{before}{token}\s?{after}"
        else:
            yield from (before + other + after for other in _other_atoms(token, after, depth))
    whole = "".join(tokens)
    yield from (f"(?i:{whole})", f"(?:{whole}).?", f".?(?:{whole})", rf"(?:{whole})\s*\w?")


def _group_end(tokens: Sequence[str], place: int) -> int:
    """Where the group that opens at a token closes, or the alternative that begins there ends."""
    depth = 0
    for number in range(place + 1, len(tokens)):
        if tokens[number].startswith("("):
            depth += 1
        elif tokens[number] == ")":
            if depth == 0:
                return number
            depth -= 1
        elif tokens[number] == "|" and depth == 0 and tokens[place] == "|":
            return number
    return len(tokens)


def _other_quantifiers(token: str, depth: int) -> Iterator[str]:
    """Other quantifiers; unbounded ones only outside of groups, where they cannot multiply."""
    if token in "+*?":
        yield from {"+": ("", "{2,9}"), "*": ("{1,9}", "", "?"), "?": ("",)}[token]
        if depth == 0:
            yield from {"+": "*", "*": "+", "?": ("+", "*")}[token]
        return
    match = _QUANTIFIER.fullmatch(token)
    assert match
    low, comma, high = int(match[1]), match[2], match[3]
    top = int(high) if high else low
    yield f"{{{max(low - 1, 0)},{top if high or not comma else ''}}}"
    yield f"{{{low + 1}{',' if comma else ''}{max(top, low + 1) if high else ''}}}"
    if high or not comma:
        yield f"{{{low},{top + 1}}}"
    if depth == 0:
        yield from ("+", "*", f"{{{low},}}")


def _other_atoms(token: str, after: str, depth: int) -> Iterator[str]:
    yield from _WIDER.get(token, ())
    if token in "^$" or (token[0] == "\\" and token[1].isdigit()):
        return
    if not _QUANTIFIER.match(after) and not token.isalnum():
        yield f"{token}?"
        if depth == 0:
            yield from (f"{token}+", rf"{token}\s?", rf"\s?{token}")
