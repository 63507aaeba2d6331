"""What a language of the `patterns` setting is, and the strings that tell a pattern of it from others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

LONGEST = 24
"""Characters of a string that is shown or hidden; those that look for backtracking are longer."""
_TRIES = 400
_PUMPED = 160
_STRANGE = "-_.,:;#/ !xX7"


@dataclass(frozen=True)
class Language:
    """A set of strings: in words, as patterns, and as a way to draw its members that knows no pattern."""

    words: str
    """A complete sentence; characters are ASCII and said to be so by their ranges."""
    patterns: tuple[str, ...]
    """Honest answers in different styles, all of the same language."""
    member: Callable[[Random], str]
    """Draws a member."""
    near: Callable[[Random], str] | None = None
    """Draws strings that break one rule and keep the others, where changes of single characters would not do."""


@dataclass(frozen=True)
class Kind:
    """What problems of one kind have in common."""

    name: str
    """Unique over all families."""
    family: str
    level: int
    make: Callable[[Random], Language]


@dataclass(frozen=True)
class Strings:
    """Strings of a problem. `pathological` ones make a pattern that backtracks without bound run out of time."""

    inside: tuple[str, ...]
    outside: tuple[str, ...]
    pathological: tuple[tuple[str, bool], ...]
    """With whether they are members."""


def holds(pattern: str, text: str) -> bool:
    """Whether one of our own patterns matches the whole of a text."""
    return re.fullmatch(pattern, text) is not None


def strings(language: Language, inside: int, outside: int, pathological: int, random: Random) -> Strings:
    """Distinct strings inside and outside a language, and others to find backtracking with.

    Raises:
        ValueError: The language is too small, its patterns disagree, or a member that it drew is none: a fault of ours.
    """
    found = Strings(
        tuple(_distinct(inside, lambda: language.member(random))),
        tuple(_distinct(outside, lambda: _outsider(language, random))),
        tuple(_pumped(language, pathological, random)),
    )
    for text in (*found.inside, *found.outside, *(text for text, _ in found.pathological)):
        verdicts = {holds(pattern, text) for pattern in language.patterns}
        if len(verdicts) > 1 or (len(text) <= LONGEST and (text in found.inside) != (True in verdicts)):
            raise ValueError(f"{language.words}: {language.patterns} disagree about {text!r}")
    return found


def _distinct(count: int, draw: Callable[[], str]) -> Iterator[str]:
    drawn: set[str] = set()
    for _ in range(_TRIES):
        if len(drawn) == count:
            return
        text = draw()
        if text and len(text) <= LONGEST and text not in drawn:
            drawn.add(text)
            yield text
    if len(drawn) < count:
        raise ValueError(f"only {len(drawn)} of {count} strings were found")


def _outsider(language: Language, random: Random) -> str:
    for _ in range(_TRIES):
        text = _close_to(language, random)
        if text == text.strip() and not holds(language.patterns[0], text):
            return text
    raise ValueError(f"{language.words}: no string outside was found")


def _close_to(language: Language, random: Random) -> str:
    if language.near is not None and random.random() < 0.6:
        return language.near(random)
    return changed(language.member(random), random)


def changed(text: str, random: Random) -> str:
    """A text with one small change: a character dropped, doubled, replaced, moved, of the other case, or added."""
    at = random.randrange(len(text))
    before, here, after = text[:at], text[at], text[at + 1 :]
    return random.choice(
        (
            before + after,
            before + here * 2 + after,
            before + here.swapcase() + after,
            before + random.choice(_STRANGE) + after,
            before + after[:1] + here + after[1:],
            text + random.choice(_STRANGE),
            random.choice(_STRANGE) + text,
            text + here,
        )
    )


def _pumped(language: Language, count: int, random: Random) -> Iterator[tuple[str, bool]]:
    """A member up to some place, a piece of it many times over, and an end that fits nowhere."""
    for number in range(count):
        text = language.member(random)
        size = min(1 + number % 3, len(text))
        at = random.randrange(len(text) - size + 1)
        pumped = text[:at] + text[at : at + size] * (_PUMPED // size) + "!"
        yield pumped, holds(language.patterns[0], pumped)
