"""What a language of the `patterns` setting is, and the strings that tell a pattern of it from others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from random import Random

from inoculate.settings import hidden_tests as telling
from inoculate.settings.patterns import mistakes, pieces

LONGEST = 24
"""Characters of a string that is shown or hidden; those that look for backtracking are longer."""
SHOWN_INSIDE, SHOWN_OUTSIDE = 3, 2
HIDDEN_INSIDE, HIDDEN_OUTSIDE, PATHOLOGICAL = 20, 100, 4
_POOL, _EDITED, _NEAR = 50, 2, 60
"""Members that are drawn, how many at either end are changed in every place, and strings drawn near the language."""
_FEWEST = 8
"""Hidden strings of either kind; in a small language there are not as many as are wanted."""
_TELLING = 12
"""A string of that length is not hidden where it is part of one that is shown."""
_PUMPED = 160
_EXTRA = (" ", "-", "_", ".", "x", "X", "7", "!")
_ANOTHER = {"-": "_", "_": "-", ".": "x", ",": ";", ";": ",", "/": "|", "|": "/", " ": "_"}


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


def strings(language: Language, random: Random) -> tuple[Strings, Strings]:
    """Strings that are shown, and hidden ones that tell a right pattern from likely mistakes.

    Raises:
        ValueError: The language is too small, its patterns disagree, or a member that it drew is none: a fault of ours.
    """
    inside = _distinct(_POOL, lambda: language.member(random))
    outside = _outsiders(language, inside, random)
    pathological = tuple(_pumped(language, random))
    for text in (*inside, *outside, *(text for text, _ in pathological)):
        verdicts = {holds(pattern, text) for pattern in language.patterns}
        if len(verdicts) > 1 or (len(text) <= LONGEST and (text in inside) != (True in verdicts)):
            raise ValueError(f"{language.words}: {language.patterns} disagree about {text!r}")
    shown = Strings(tuple(inside[:SHOWN_INSIDE]), tuple(outside[:SHOWN_OUTSIDE]), ())
    wrong = mistakes.near(language.patterns[0], random)
    return shown, _hidden(language, shown, inside[SHOWN_INSIDE:], outside[SHOWN_OUTSIDE:], pathological, wrong)


def _hidden(
    language: Language,
    shown: Strings,
    inside: Sequence[str],
    outside: Sequence[str],
    pathological: tuple[tuple[str, bool], ...],
    wrong: Sequence[re.Pattern[str]],
) -> Strings:
    """Strings out of those that were drawn and those made for the pieces of the pattern, chosen by what they tell."""
    random = Random(f"hidden strings, {language.words}, {shown}")
    known = pieces.Pieces(language.patterns[0])
    members = (*shown.inside, *inside)
    built = pieces.inside(known, members, random), pieces.outside(known, members)
    for text in (*built[0], *built[1]):
        if any(holds(pattern, text) != (text in built[0]) for pattern in language.patterns):
            raise ValueError(f"{language.words}: {language.patterns} disagree about {text!r}")
    read = " ".join((*shown.inside, *shown.outside))
    chosen: list[tuple[str, ...]] = []
    for drawn, made, count in ((inside, built[0], HIDDEN_INSIDE), (outside, built[1], HIDDEN_OUTSIDE)):
        pool = [text for text in dict.fromkeys((*made, *drawn)) if len(text) < _TELLING or text not in read]
        pool = [text for text in pool if text not in (*shown.inside, *shown.outside)]
        caught = [
            {str(number) for number, mistake in enumerate(wrong) if bool(mistake.fullmatch(text)) != (drawn is inside)}
            | made.get(text, set())
            for text in pool
        ]
        if len(pool) < _FEWEST:
            raise ValueError(f"{language.words}: only {len(pool)} hidden strings were found")
        chosen.append(tuple(pool[number] for number in telling.chosen(caught, count)))
    return Strings(chosen[0], chosen[1], pathological)


def _distinct(most: int, draw: Callable[[], str]) -> list[str]:
    """Different strings, as many as are wanted or as are found in so many draws."""
    drawn: dict[str, None] = {}
    for _ in range(2 * most):
        text = draw()
        if text and len(text) <= LONGEST:
            drawn.setdefault(text)
        if len(drawn) == most:
            break
    return list(drawn)


def _outsiders(language: Language, members: Sequence[str], random: Random) -> list[str]:
    """Strings outside that are close to members, in random order; those from `near` come first in turn."""
    right = re.compile(language.patterns[0])

    def is_outside(text: str) -> bool:
        return len(text) <= LONGEST and not right.fullmatch(text)

    # A bound that is off by one shows next to the shortest and the longest members.
    ordered = sorted(members, key=len)
    changed = dict.fromkeys((*ordered[:_EDITED], *ordered[-_EDITED:]))
    edited = list(dict.fromkeys(text for member in changed for text in edits(member) if is_outside(text)))
    random.shuffle(edited)
    if language.near is None:
        return edited
    near = language.near
    drawn = [text for text in _distinct(_NEAR, lambda: near(random)) if is_outside(text)]
    mixed = [text for pair in zip_longest(drawn, edited[: len(drawn)]) for text in pair if text is not None]
    return list(dict.fromkeys([*mixed, *edited]))


def edits(text: str) -> Iterator[str]:
    """All small changes of a text: a character dropped, doubled, exchanged, of the other case, or one too many."""
    for at, here in enumerate(text):
        before, after = text[:at], text[at + 1 :]
        yield before + after
        yield before + here * 2 + after
        yield before + here.swapcase() + after
        yield before + _ANOTHER.get(here, "x" if here.isdigit() else "7" if here.isalpha() else "_") + after
        yield before + ("7" if here.isdigit() else "X" if here.isupper() else "x") + after
        yield f"{before} {here}{after}"
        yield before + after[:1] + here + after[1:]
    yield from (f"{text}{extra}" for extra in _EXTRA)
    yield from (f"{extra}{text}" for extra in _EXTRA)


def _pumped(language: Language, random: Random) -> Iterator[tuple[str, bool]]:
    """A member up to some place, a piece of it many times over, and an end that fits nowhere."""
    for number in range(PATHOLOGICAL):
        text = language.member(random)
        size = min(1 + number % 3, len(text))
        at = random.randrange(len(text) - size + 1)
        pumped = text[:at] + text[at : at + size] * (_PUMPED // size) + "!"
        yield pumped, holds(language.patterns[0], pumped)
