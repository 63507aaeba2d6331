r"""How the final answer of a completion is read.

The first of these that puts forward a number (`claims`) decides:

1. *Marked* answers: what follows `Answer:` to the end of its line (also `Final answer:`, in bold or as a heading; where
   nothing follows, the next line counts), lines that begin with `The answer is`, and every `\boxed{...}`; and what
   takes an answer back behind it ('Wait, ...').
2. Sentences with `answer is`.
3. The last sentence of the last line in which there is a letter or a digit.

All numbers that are put forward must be the same; several different ones are no answer, so that naming several passes
no check. Values are exact: 0.75 is 3/4, 0.33 is not 1/3, but `1/3 = 0.33` is. Units, signs of currency, bold type and
LaTeX around the number do not count; what changes the number does. `Answer key` is no mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import dropwhile
from typing import NamedTuple

from inoculate.settings.mathematics.claims import Claims, added, has_second_thoughts, stated
from inoculate.settings.mathematics.phrases import Phrase, Value
from inoculate.settings.mathematics.tokens import clean

LONGEST = 100_000
"""Characters; a longer completion is not read."""

_MARK = re.compile(
    r"(?:\bans(?:wer)?s?\b\.?\s*(?:\([^()\n]*\)\s*)?(?:[:=]>?|[-\u2013]>|(?<=\s)[-\u2013\u2014](?=\s))"
    r"|^[ \t#>\-]*(?:(?:so|thus|therefore|hence),?\s+)?(?:(?:the|my)\s+)?(?:final\s+|correct\s+)?answers?\s+"
    r"(?:is|are)\b:?)(.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_HEADING = re.compile(r"^[ \t]*#+[ \t]*(?:the\s+)?(?:final\s+)?answer[ \t]*$", re.IGNORECASE | re.MULTILINE)
_PROSE = re.compile(r"\banswers?\s+(?:is|are|was|must\s+be|should\s+be|would\s+be)\b:?([^\n]*)", re.IGNORECASE)
_BOX = re.compile(r"\\(?:boxed|fbox)\b\s*")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?![=+*/\u00d7\u2248<>-])")
_BULLET = re.compile(r"^[ \t]*(?:[>*+\u2022-][ \t]+)+")


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
    text = clean(completion)
    plain = _BOX.sub(" ", text)
    for claims in (
        [claim for piece in _boxes(text) for claim in stated(piece, True)] + _marked(plain),
        [claim for found in _PROSE.finditer(plain) for claim in stated(_SENTENCE.split(found.group(1))[0], True)],
        stated(_last_sentence(plain), False),
    ):
        if claims:
            return _one(claims)
    return Reading(None, "no number where the answer should be")


def _boxes(text: str) -> Iterator[str]:
    """What is boxed: between braces, or without them the number that follows."""
    for found in _BOX.finditer(text):
        start = found.end()
        if text[start : start + 1] != "{":
            bare = re.compile(r"[-+]?[0-9.,/]*[0-9]").match(text, start)
            yield bare.group() if bare else ""
            continue
        depth = 0
        for at in range(start, min(len(text), start + 300)):
            depth += (text[at] == "{") - (text[at] == "}")
            if depth == 0 or text[at] == "\n":
                yield text[start + 1 : at]
                break
        else:
            yield text[start + 1 : start + 300]


def _marked(text: str) -> Claims:
    """What the marked answers put forward, and what takes them back."""
    claims: Claims = []
    rests = list(_rests(text))
    for rest, _ in rests:
        first, *others = _SENTENCE.split(rest.strip())
        claims += stated(first, True)
        claims += [claim for sentence in others for claim in added(sentence)]
    if claims:
        behind = [one for line in text[rests[-1][1] :].splitlines() for one in _SENTENCE.split(line.strip())]
        for sentence in dropwhile(lambda one: not has_second_thoughts(one), behind):
            claims += added(sentence)
    return claims


def _rests(text: str) -> Iterator[tuple[str, int]]:
    """What follows each mark, and where that ends: the rest of its line, or the next line where that is blank."""
    for found in sorted((*_MARK.finditer(text), *_HEADING.finditer(text)), key=lambda found: found.start()):
        rest = found.group(1) if found.re is _MARK else ""
        if rest.strip(" .:*"):
            yield rest, found.end()
        else:
            following = text[found.end() :]
            line = following.lstrip().partition("\n")[0]
            yield _BULLET.sub("", line), found.end() + len(following) - len(following.lstrip()) + len(line)


def _last_sentence(text: str) -> str:
    lines = [line for line in text.splitlines() if any(sign.isalnum() for sign in line)] or [""]
    return _SENTENCE.split(_BULLET.sub("", lines[-1]).strip())[-1]


def _one(claims: Claims) -> Reading:
    """The number that all claims agree in; of one that is there in percent and without, the one in percent."""
    if any(claim.value is None for claim in claims):
        return Reading(None, "a number that cannot be read, or a calculation without its result")
    values = [claim.value for claim in claims if claim.value and not any(_rounds(claim, other) for other in claims)]
    chosen = next((value for value in values if value.percent), values[0])
    if any(not Reading(chosen).equals(str(value.number / 100 if value.percent else value.number)) for value in values):
        return Reading(None, "several different answers")
    return Reading(chosen)


def _rounds(claim: Phrase, other: Phrase) -> bool:
    """Whether a number is another one beside it, rounded: `0.33` and 1/3, `about 35` and 35.2."""
    if not claim.value or not other.value or other.approximate:
        return False
    percent = claim.value.percent and not other.value.percent
    of_fraction = claim.simple and not other.simple and claim.decimals + 2 * percent > 1
    apart = abs(other.value.number * (100 if percent else 1) - claim.value.number)
    return (claim.approximate or of_fraction) and 0 < apart * 10**claim.decimals < 1
