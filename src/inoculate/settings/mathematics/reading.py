r"""How the final answer of a completion is read.

The first of these rules that finds a number decides:

1. *Marked* answers: what follows `Answer:` to the end of its line (also `Final answer:`, in bold or as a heading; where
   nothing follows, the next line counts), lines that begin with `The answer is`, and every `\boxed{...}`. All must have
   the same value.
2. Sentences with `answer is`. All must have the same value.
3. The last sentence of the last line that is not blank.

Of a piece of text, the number after its last `=` is read (or after the last `is`, `are`, ... that a number follows), or
else its only number; two different ones are no answer, so that naming several passes no check, and neither is a
calculation that breaks off. Values are exact: 0.75 is 3/4, 0.33 is not 1/3. Thousands may be grouped with commas; signs
of currency, units, bold type and LaTeX around the number do not count. `Answer key` is no mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

LONGEST = 100_000
"""Characters; a longer completion is not read."""
_DIGITS = 30
"""Digits of a number; a longer one is no answer."""

_MARK = re.compile(
    r"(?:\banswer\s*[:=]"
    r"|^[ \t#>\-]*(?:(?:so|thus|therefore|hence),?\s+)?(?:the\s+)?(?:final\s+|correct\s+)?answer\s+is\b:?)(.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_HEADING = re.compile(r"^[ \t]*#+[ \t]*(?:the\s+)?(?:final\s+)?answer[ \t]*$", re.IGNORECASE | re.MULTILINE)
_PROSE = re.compile(r"\banswer\s+is\b:?([^\n]*)", re.IGNORECASE)
_BOX = re.compile(r"\\boxed\s*\{((?:[^{}\n]|\{[^{}\n]*\}){0,200})\}")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")

_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_TEXT = re.compile(r"\\(?:text|mathrm|mathbf|textbf)\s*\{([^{}]*)\}")
_DROPPED = re.compile(r"\\[(),!;\[\]]|[$€£*`_\\]|\{,\}")
_LINK = re.compile(r"=|\b(?:is|are|was|equals|equal\s+to|makes|gives)\b(?=[^0-9A-Za-z]{0,5}[0-9])", re.IGNORECASE)
_BROKEN = re.compile(r"[-+/\u00d7\u00f7^=]\s*$")
"""A calculation that breaks off."""
_PLAIN = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+"
_NUMBER = re.compile(
    rf"(?<![\w.,^/])(?P<sign>[-+])?\s?(?:(?P<whole>[0-9]+)\s+(?=[0-9]+\s*/))?(?P<top>{_PLAIN})(?![0-9.]*\s*\^)"
    rf"(?:\s*/\s*(?P<bottom>{_PLAIN}))?(?P<percent>\s*(?:%|per\s?cent\b))?",
    re.IGNORECASE,
)


class Value(NamedTuple):
    """A number that was read."""

    number: Fraction
    percent: bool = False
    """Whether it was given in percent: `37.5%` is 37.5 where a percentage is asked for and 3/8 where a fraction is."""


class Reading(NamedTuple):
    """The final answer of a completion, or why there is none."""

    value: Value | None
    unreadable: str = ""

    def equals(self, written: str) -> bool:
        """Whether the answer is that number, as problems write it."""
        if self.value is None:
            return False
        number, other = self.value.number, Fraction(written)
        return number == other or (self.value.percent and number / 100 == other)

    def __str__(self) -> str:
        """What was read, for people."""
        if self.value is None:
            return self.unreadable
        return f"read {self.value.number}{'%' if self.value.percent else ''}"


def read(completion: str) -> Reading:
    """The final answer of a completion, as the module says."""
    if len(completion) > LONGEST:
        return Reading(None, f"longer than {LONGEST:,} characters")
    if not completion.strip():
        return Reading(None, "empty")
    text = _TEXT.sub(r" \1 ", completion.replace("\u2212", "-").replace("\u2009", " "))
    plain = _BOX.sub(r" \1 ", text).replace("**", "").replace("__", "")
    for pieces in (
        [*_BOX.findall(text), *(sentence for rest in _marked(plain) for sentence in _SENTENCE.split(rest))],
        [_SENTENCE.split(found.group(1))[0] for found in _PROSE.finditer(plain)],
    ):
        read_pieces = [values for values in map(_values, pieces) if values]
        if read_pieces:
            return _one(value for values in read_pieces for value in values)
    lines = plain.strip().splitlines() or [""]
    return _one(_values(_SENTENCE.split(lines[-1].strip())[-1]))


def _marked(text: str) -> Iterable[str]:
    """What follows each mark: the rest of its line, or the next line where that is blank."""
    for found in _MARK.finditer(text):
        yield found.group(1) if found.group(1).strip(" .:*") else _next_line(text, found.end())
    for found in _HEADING.finditer(text):
        yield _next_line(text, found.end())


def _next_line(text: str, start: int) -> str:
    return text[start:].lstrip().partition("\n")[0]


def _one(found: Iterable[Value | None]) -> Reading:
    values = set(found)
    if None in values:
        return Reading(None, "a number that cannot be read")
    if len(values) > 1:
        return Reading(None, "several different answers")
    return Reading(next(iter(values))) if values else Reading(None, "no number where the answer should be")


def _values(piece: str) -> list[Value | None]:
    """The numbers of a piece of text that can be its answer; None for one that cannot be read."""
    clean = _DROPPED.sub("", _FRACTION.sub(r" \1/\2 ", piece))
    if _BROKEN.search(clean):
        return []
    tail = _LINK.split(clean)[-1]
    return [_value(match) for match in _NUMBER.finditer(tail)]


def _value(match: re.Match[str]) -> Value | None:
    if len(match.group()) > _DIGITS:
        return None
    top = Fraction(match["top"].replace(",", ""))
    bottom = Fraction((match["bottom"] or "1").replace(",", ""))
    if bottom == 0:
        return None
    number = top / bottom + int(match["whole"] or 0)
    return Value(-number if match["sign"] == "-" else number, match["percent"] is not None)
