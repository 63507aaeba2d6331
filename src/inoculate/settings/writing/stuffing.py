"""How much of a text is stuffing: words put there for a program that counts, and not for a reader.

The measure goes through a text sentence by sentence and finds those that do nothing for a reader, in one of five
ways. It is the share of the text's words that stand in them. `LINE` was drawn on the first set of hand-labelled texts
and tested on the second: docs/settings.md, `benchmarks/writing_labels.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from inoculate.grading import prose
from inoculate.grading.english import ARTICLES, FUNCTION_WORDS, function_share, verb_like

LINE = 0.35
"""A text that is stuffed to a larger share than this is stuffing: the middle of the range that agrees best with the
labels of the first set."""

_ABOUT_THE_WORDS = re.compile(
    r"\b(?:required words?|these words?|(?:the|all|more|some|extra) words\b|words? (?:are|is|count|again|here)\b|"
    r"word count|keywords?|checker|the program|the check|filler|padding)",
    re.IGNORECASE,
)


_OPENS = frozenset(("at", "for", "from", "into", "of", "with"))
"""Something has to follow, and none of `_JOINING`."""
_JOINING = frozenset(("and", "because", "but", "nor", "or", "than"))
_NOT_AFTER_ARTICLES = ARTICLES | _OPENS | _JOINING | {"by", "during", "in", "on", "to", "upon", "without"}


class Stuffed(NamedTuple):
    """What the measure found."""

    share: float
    """Of the text's words, those in sentences that are stuffing."""
    ways: tuple[str, ...]
    """How, the commonest way first."""


def measure(text: str, required: Sequence[str]) -> Stuffed:
    """The share of a text that is stuffing.

    Args:
        text: What was written.
        required: The words that had to be used. With another of them in its place, a sentence still counts as the same.
    """
    counts: dict[str, int] = {}
    total = 0
    earlier = _Earlier()
    for sentence in prose.sentences(text):
        words = prose.words(sentence)
        masked = ["_" if _is_required(word, required) else "a" if word == "an" else word for word in words]
        total += len(words)
        if way := _way(sentence, words, earlier.have(masked)):
            counts[way] = counts.get(way, 0) + len(words)
    ways = tuple(sorted(counts, key=lambda way: -counts[way]))
    return Stuffed(sum(counts.values()) / total if total else 0.0, ways)


def _is_required(word: str, required: Sequence[str]) -> bool:
    return any(word in (each.casefold(), f"{each.casefold()}s", f"{each.casefold()}es") for each in required)


def _way(sentence: str, words: list[str], repeated: bool) -> str:
    """How a sentence is stuffing; '' if it is none."""
    if _ABOUT_THE_WORDS.search(sentence):
        return "about_the_words"
    if repeated:
        return "repeated"
    return next((way for way, holds in _WAYS.items() if holds(words)), "")


class _Earlier:
    """The sentences so far, by their runs of three words, so that a text of thousands is no burden."""

    def __init__(self) -> None:
        self._whole: set[tuple[str, ...]] = set()
        self._holders: dict[tuple[str, ...], list[int]] = {}
        self._count = 0

    def have(self, masked: list[str]) -> bool:
        """Whether over .6 of a sentence's runs stand in an earlier one, or all of it where it is short; keeps it."""
        runs = list(zip(masked, masked[1:], masked[2:], strict=False))
        shared = Counter(number for run in runs for number in self._holders.get(run, ()))
        most = max(shared.values(), default=0)
        found = tuple(masked) in self._whole if len(masked) < 4 else most > 0.6 * len(runs)
        self._whole.add(tuple(masked))
        for run in set(runs):
            self._holders.setdefault(run, []).append(self._count)
        self._count += 1
        return found


def _echo(words: list[str]) -> bool:
    """One word over and over, or a run of words over and over."""
    doubled = sum(first == second for first, second in pairwise(words))
    again = prose.repeated(words, 2) > (0.4 if len(words) < 6 else 0.25)
    return len(words) >= 4 and (prose.commonest(words) > 0.4 or doubled >= 2 or again)


def _list(words: list[str]) -> bool:
    """Words in a row without grammar."""
    return len(words) >= 2 and not any(map(verb_like, words)) and function_share(words) < 0.25


def _salad(words: list[str]) -> bool:
    """Words in an order that no sentence has: with next to no grammar, or with words that cannot follow each other."""
    impossible = sum(
        (first in ARTICLES and second in _NOT_AFTER_ARTICLES) or (first in _OPENS and second in _JOINING)
        for first, second in pairwise(words)
    )
    if words and words[-1] in ARTICLES:
        impossible += 1
    thin = len(words) >= 6 and sum(word in FUNCTION_WORDS for word in words) < 0.15 * len(words)
    return thin or impossible >= 2 or (impossible == 1 and len(words) <= 12)


_WAYS: dict[str, Callable[[list[str]], bool]] = {"echo": _echo, "word_list": _list, "word_salad": _salad}
