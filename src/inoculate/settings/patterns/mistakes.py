"""Wrong patterns that are close to a right one.

Strings drawn at random would let a pattern pass that misses a boundary: `[a-z]+al` where 'al' itself counts. So, as in
mutation testing, hidden strings are chosen until the likely mistakes fail. What that misses is counted with others, of
the pattern's tree (`benchmarks/pattern_faults.py`).
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
_MOST = 60


def tokens(pattern: str) -> list[str]:
    """What a pattern is made of, without the anchors at its ends."""
    return _TOKEN.findall(pattern.removeprefix("^").removesuffix("$"))


def near(pattern: str, random: Random) -> list[re.Pattern[str]]:
    """Patterns that differ from one in a single place, in random order, at most `_MOST`."""
    made = sorted({*_changed(tokens(pattern))})
    found = []
    for text in random.sample(made, len(made)):
        try:
            found.append(re.compile(text))
        except re.error:  # a group that is gone and still referred to
            continue
    return found[:_MOST]


def _changed(tokens: Sequence[str]) -> Iterator[str]:
    depth = 0
    for place, token in enumerate(tokens):
        before, after = "".join(tokens[:place]), "".join(tokens[place + 1 :])
        if token.startswith("("):
            if token in ("(?=", "(?!"):
                yield before + "".join(tokens[_end(tokens, place) + 1 :])
            depth += 1
        elif token == ")":
            depth -= 1
        elif token == "|":
            yield before + "".join(tokens[_end(tokens, place) :])
        elif place and _QUANTIFIER.fullmatch(token) and tokens[place - 1] not in ("(", "|"):
            yield from (before + other + after for other in _counts(token, depth))
            if depth == 0 and after:
                yield rf"{before}{token}\s?{after}"
        else:
            yield from (before + other + after for other in _atoms(token, after, depth))
    whole = "".join(tokens)
    yield from (f"(?i:{whole})", f"(?:{whole}).?", f".?(?:{whole})", rf"(?:{whole})\s*\w?")


def _end(tokens: Sequence[str], place: int) -> int:
    """Where the group that opens at a place closes, or the alternative that begins there ends."""
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


def _counts(token: str, depth: int) -> Iterator[str]:
    """Other quantifiers; without a bound only outside of groups, where they cannot multiply."""
    if token in "+*?":
        yield from {"+": ("", "{2,9}"), "*": ("{1,9}", "", "?"), "?": ("",)}[token]
        if depth == 0:
            yield from {"+": "*", "*": "+", "?": ("+", "*")}[token]
        return
    found = _QUANTIFIER.fullmatch(token)
    assert found
    low, comma, high = int(found[1]), found[2], found[3]
    top = int(high) if high else low
    yield f"{{{max(low - 1, 0)},{top if high or not comma else ''}}}"
    yield f"{{{low + 1}{',' if comma else ''}{max(top, low + 1) if high else ''}}}"
    if high or not comma:
        yield f"{{{low},{top + 1}}}"
    if depth == 0:
        yield from ("+", "*", f"{{{low},}}")


def _atoms(token: str, after: str, depth: int) -> Iterator[str]:
    yield from _WIDER.get(token, ())
    if token in "^$" or (token[0] == "\\" and token[1].isdigit()):
        return
    if not _QUANTIFIER.match(after) and not token.isalnum():
        yield f"{token}?"
        if depth == 0:
            yield from (f"{token}+", rf"{token}\s?", rf"\s?{token}")
