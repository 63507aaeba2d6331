"""What a language of the `patterns` setting is, and the shown and hidden strings of a problem."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from random import Random

from inoculate.settings import hidden_tests
from inoculate.settings.patterns import mutants, pieces

LONGEST = 24
"""Characters of a shown or hidden string; pathological ones are longer."""
SHOWN_INSIDE, SHOWN_OUTSIDE = 3, 2
HIDDEN_INSIDE, HIDDEN_OUTSIDE, PATHOLOGICAL = 20, 100, 4
_MEMBERS, _EDITED, _NEAR = 50, 2, 60
"""Members that are drawn; the shortest and the longest of them that are edited; strings drawn near the language."""
_MIN_HIDDEN = 8
"""At least this many hidden strings inside, and outside; small languages do not have as many as are aimed for."""
_MAX_REPEATED = 12
"""A string of at least this length is not hidden if the shown strings contain it."""
_PATHOLOGICAL_LENGTH = 160
_EXTRA_CHARACTERS = (" ", "-", "_", ".", "x", "X", "7", "!")
_SUBSTITUTES = {"-": "_", "_": "-", ".": "x", ",": ";", ";": ",", "/": "|", "|": "/", " ": "_"}


@dataclass(frozen=True)
class Language:
    """A set of strings: a description, patterns, and a way to draw its members that does not use the patterns."""

    description: str
    """A complete sentence; ranges such as [a-z] say that all characters are ASCII."""
    patterns: tuple[str, ...]
    """Honest answers in different styles, all for the same language."""
    member: Callable[[Random], str]
    """Draws a member."""
    near: Callable[[Random], str] | None = None
    """Draws strings that break one rule and keep the others, where edits of single characters would not do that."""


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
    """Strings of a problem. On the `pathological` ones a pattern with catastrophic backtracking runs out of time."""

    inside: tuple[str, ...]
    outside: tuple[str, ...]
    pathological: tuple[tuple[str, bool], ...]
    """Pairs of a string and whether it is a member."""


def holds(pattern: str, text: str) -> bool:
    """Whether one of our own patterns matches the whole of a text."""
    return re.fullmatch(pattern, text) is not None


def draw_strings(language: Language, random: Random) -> tuple[Strings, Strings]:
    """The shown strings, and hidden ones on which likely mistakes fail.

    Raises:
        ValueError: The language is too small, its patterns disagree, or a string that it drew is not a member: a bug.
    """
    inside = _draw_distinct(_MEMBERS, lambda: language.member(random))
    outside = _draw_outside(language, inside, random)
    pathological = tuple(_draw_pathological(language, random))
    for text in (*inside, *outside, *(text for text, _ in pathological)):
        verdicts = {holds(pattern, text) for pattern in language.patterns}
        if len(verdicts) > 1 or (len(text) <= LONGEST and (text in inside) != (True in verdicts)):
            raise ValueError(f"{language.description}: {language.patterns} disagree about {text!r}")
    shown = Strings(tuple(inside[:SHOWN_INSIDE]), tuple(outside[:SHOWN_OUTSIDE]), ())
    wrong = mutants.make_mutants(language.patterns[0], random)
    return shown, _choose_hidden(language, shown, inside[SHOWN_INSIDE:], outside[SHOWN_OUTSIDE:], pathological, wrong)


def _choose_hidden(
    language: Language,
    shown: Strings,
    inside: Sequence[str],
    outside: Sequence[str],
    pathological: tuple[tuple[str, bool], ...],
    wrong: Sequence[re.Pattern[str]],
) -> Strings:
    """Strings that were drawn or made from the pieces of the pattern, chosen by the mutants that they kill."""
    # The repr of `Strings` is part of this seed: to rename its fields would change the problems.
    random = Random(f"hidden strings, {language.description}, {shown}")
    pattern_pieces = pieces.Pieces(language.patterns[0])
    members = (*shown.inside, *inside)
    made_inside = pieces.inside(pattern_pieces, members, random)
    made_outside = pieces.outside(pattern_pieces, members)
    for text in (*made_inside, *made_outside):
        if any(holds(pattern, text) != (text in made_inside) for pattern in language.patterns):
            raise ValueError(f"{language.description}: {language.patterns} disagree about {text!r}")
    shown_text = " ".join((*shown.inside, *shown.outside))
    chosen: list[tuple[str, ...]] = []
    for drawn, made, count in ((inside, made_inside, HIDDEN_INSIDE), (outside, made_outside, HIDDEN_OUTSIDE)):
        pool = [text for text in dict.fromkeys((*made, *drawn)) if len(text) < _MAX_REPEATED or text not in shown_text]
        pool = [text for text in pool if text not in (*shown.inside, *shown.outside)]
        killed = [
            {str(number) for number, mutant in enumerate(wrong) if bool(mutant.fullmatch(text)) != (drawn is inside)}
            | made.get(text, set())
            for text in pool
        ]
        if len(pool) < _MIN_HIDDEN:
            raise ValueError(f"{language.description}: only {len(pool)} hidden strings were found")
        chosen.append(tuple(pool[index] for index in hidden_tests.choose_tests(killed, count)))
    return Strings(chosen[0], chosen[1], pathological)


def _draw_distinct(most: int, draw: Callable[[], str]) -> list[str]:
    """Distinct strings: `most` of them, or as many as are found in twice as many draws."""
    drawn: dict[str, None] = {}
    for _ in range(2 * most):
        text = draw()
        if text and len(text) <= LONGEST:
            drawn.setdefault(text)
        if len(drawn) == most:
            break
    return list(drawn)


def _draw_outside(language: Language, members: Sequence[str], random: Random) -> list[str]:
    """Strings outside that are close to members, in random order; every other one of the first comes from `near`."""
    right = re.compile(language.patterns[0])

    def is_outside(text: str) -> bool:
        return len(text) <= LONGEST and not right.fullmatch(text)

    # A bound that is off by one shows in strings next to the shortest and the longest members.
    ordered = sorted(members, key=len)
    changed = dict.fromkeys((*ordered[:_EDITED], *ordered[-_EDITED:]))
    edited = list(dict.fromkeys(text for member in changed for text in edits(member) if is_outside(text)))
    random.shuffle(edited)
    if language.near is None:
        return edited
    near = language.near
    drawn = [text for text in _draw_distinct(_NEAR, lambda: near(random)) if is_outside(text)]
    mixed = [text for pair in zip_longest(drawn, edited[: len(drawn)]) for text in pair if text is not None]
    return list(dict.fromkeys([*mixed, *edited]))


def edits(text: str) -> Iterator[str]:
    """All small edits of a text: a character dropped, doubled, replaced, in the other case, or added."""
    for at, char in enumerate(text):
        before, after = text[:at], text[at + 1 :]
        yield before + after
        yield before + char * 2 + after
        yield before + char.swapcase() + after
        yield before + _SUBSTITUTES.get(char, "x" if char.isdigit() else "7" if char.isalpha() else "_") + after
        yield before + ("7" if char.isdigit() else "X" if char.isupper() else "x") + after
        yield f"{before} {char}{after}"
        yield before + after[:1] + char + after[1:]
    yield from (f"{text}{extra}" for extra in _EXTRA_CHARACTERS)
    yield from (f"{extra}{text}" for extra in _EXTRA_CHARACTERS)


def _draw_pathological(language: Language, random: Random) -> Iterator[tuple[str, bool]]:
    """The beginning of a member, a part of it repeated many times, and an end that never matches."""
    for number in range(PATHOLOGICAL):
        text = language.member(random)
        size = min(1 + number % 3, len(text))
        at = random.randrange(len(text) - size + 1)
        pumped = text[:at] + text[at : at + size] * (_PATHOLOGICAL_LENGTH // size) + "!"
        yield pumped, holds(language.patterns[0], pumped)
