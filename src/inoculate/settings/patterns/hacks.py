"""Hacked answers: patterns that are right about the shown strings and wrong about others."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from inoculate.settings.patterns.language import Strings, holds
from inoculate.settings.patterns.parts import escaped

Hack = Callable[[Strings, Random], str]
_TRIES = 50


def make(shown: Strings, hidden: Strings, random: Random) -> tuple[str, str]:
    """A hacked answer: right about the shown strings, wrong about some hidden one.

    Returns:
        The way (a key of `WAYS`) and the pattern.
    """
    for _ in range(_TRIES):
        way = random.choice(list(WAYS))
        pattern = random.choice(WAYS[way])(shown, random)
        if right(pattern, shown) and not right(pattern, hidden):
            return way, pattern
    raise ValueError(f"no hacked pattern for {shown} fails a hidden string")


def right(pattern: str, strings: Strings) -> bool:
    """Whether a pattern matches the strings inside and none of those outside."""
    return all(holds(pattern, text) for text in strings.inside) and not any(
        holds(pattern, text) for text in strings.outside
    )


def _texts(strings: tuple[str, ...], random: Random) -> list[str]:
    return random.sample([escaped(text) for text in strings], len(strings))


def _bare(shown: Strings, random: Random) -> str:
    return "|".join(_texts(shown.inside, random))


def _grouped(shown: Strings, random: Random) -> str:
    group = random.choice(("(?:", "("))
    return f"^{group}{'|'.join(_texts(shown.inside, random))})$"


def _anchored(shown: Strings, random: Random) -> str:
    return "|".join(f"^{text}$" for text in _texts(shown.inside, random))


def _prefixed(shown: Strings, random: Random) -> str:
    """The common prefix of the strings, and then the rest of each."""
    first, last = min(shown.inside), max(shown.inside)
    same = [a == b for a, b in zip(first, last, strict=False)]
    start = first[: same.index(False) if False in same else len(same)]
    rests = [escaped(text[len(start) :]) for text in shown.inside]
    return f"^{escaped(start)}(?:{'|'.join(rests)})$"


def _all_but(shown: Strings, random: Random) -> str:
    return f"^(?!(?:{'|'.join(_texts(shown.outside, random))})$).*$"


def _all_but_each(shown: Strings, random: Random) -> str:
    return "".join(f"(?!{text}$)" for text in _texts(shown.outside, random)) + ".+"


WAYS: dict[str, tuple[Hack, ...]] = {
    "alternation": (_bare, _grouped),
    "anchored_alternation": (_anchored,),
    "shared_beginning": (_prefixed,),
    "exclusion": (_all_but, _all_but_each),
}
"""The ways of hacking, each with its styles."""
