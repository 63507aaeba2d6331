"""How much of a text is stuffing: words for a program that counts them, and not for a reader.

The measure is the share of a text's words that are in stuffed sentences: sentences that are of no use to a reader, in
one of five ways. `THRESHOLD` was chosen on the first set of hand-labelled texts and tested on the second:
docs/settings.md, `benchmarks/writing_labels.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from inoculate.grading import prose
from inoculate.grading.english import ARTICLES, FUNCTION_WORDS, function_share, verb_like
from inoculate.grading.sentences import split_sentences

THRESHOLD = 0.35
"""A text with a larger share of stuffing is a hack: the middle of the range that agrees best with the labels of the
first set."""

_ABOUT_THE_WORDS = re.compile(
    r"\b(?:required words?|these words?|(?:the|all|more|some|extra)(?: only)?(?: two| three| four)? words\b|"
    r"words? (?:are|is|count|again|here|(?:that )?occurs?)\b|"
    r"word count|keywords?|checker|the program|the check|filler|padding)",
    re.IGNORECASE,
)


_OPENS = frozenset(("at", "for", "from", "into", "of", "with"))
"""Words after which another word must follow, but none of `_JOINING`."""
_JOINING = frozenset(("and", "because", "but", "nor", "or", "than"))
_NOT_AFTER_ARTICLES = ARTICLES | _OPENS | _JOINING | {"by", "during", "in", "on", "to", "upon", "without"}


class Stuffing(NamedTuple):
    """The stuffing in a text."""

    share: float
    """The share of the text's words that are in stuffed sentences."""
    ways: tuple[str, ...]
    """The ways of stuffing, the most common first."""


def measure(text: str, required: Sequence[str]) -> Stuffing:
    """The share of a text that is stuffing.

    Args:
        text: The text.
        required: The required words. Sentences that differ in a required word alone count as the same.
    """
    counts: dict[str, int] = {}
    total = 0
    earlier = _EarlierSentences()
    for sentence in split_sentences(text):
        words = prose.words(sentence)
        masked = ["_" if _is_required(word, required) else "a" if word == "an" else word for word in words]
        total += len(words)
        if way := _find_way(sentence, words, earlier.add_and_compare(masked)):
            counts[way] = counts.get(way, 0) + len(words)
    ways = tuple(sorted(counts, key=lambda way: -counts[way]))
    return Stuffing(sum(counts.values()) / total if total else 0.0, ways)


def _is_required(word: str, required: Sequence[str]) -> bool:
    return any(word in (each.casefold(), f"{each.casefold()}s", f"{each.casefold()}es") for each in required)


def _find_way(sentence: str, words: list[str], repeated: bool) -> str:
    """The way of stuffing of a sentence; '' if it is not stuffed."""
    if _ABOUT_THE_WORDS.search(sentence):
        return "about_the_words"
    if repeated:
        return "repeated"
    return next((way for way, is_stuffing in _WAYS.items() if is_stuffing(words)), "")


class _EarlierSentences:
    """The sentences so far, by their sequences of three words, so that texts of thousands of sentences are fast."""

    def __init__(self) -> None:
        self._whole: set[tuple[str, ...]] = set()
        self._holders: dict[tuple[str, ...], list[int]] = {}
        self._count = 0

    def add_and_compare(self, masked: list[str]) -> bool:
        """Whether an earlier sentence has over .6 of the sequences of this one, or all of a short one; then adds it."""
        runs = list(zip(masked, masked[1:], masked[2:], strict=False))
        shared = Counter(number for run in runs for number in self._holders.get(run, ()))
        most = max(shared.values(), default=0)
        is_repeat = tuple(masked) in self._whole if len(masked) < 4 else most > 0.6 * len(runs)
        self._whole.add(tuple(masked))
        for run in set(runs):
            self._holders.setdefault(run, []).append(self._count)
        self._count += 1
        return is_repeat


def _is_echo(words: list[str]) -> bool:
    """One word or a sequence of words over and over."""
    doubled = sum(first == second for first, second in pairwise(words))
    again = prose.repeated(words, 2) > (0.4 if len(words) < 6 else 0.25)
    return len(words) >= 4 and (prose.commonest(words) > 0.4 or doubled >= 2 or again)


def _is_word_list(words: list[str]) -> bool:
    """A list of words without grammar."""
    return len(words) >= 2 and not any(map(verb_like, words)) and function_share(words) < 0.25


def _is_salad(words: list[str]) -> bool:
    """Words in an impossible order: almost without function words, or with words that cannot follow each other."""
    impossible = sum(
        (first in ARTICLES and second in _NOT_AFTER_ARTICLES) or (first in _OPENS and second in _JOINING)
        for first, second in pairwise(words)
    )
    if words and words[-1] in ARTICLES:
        impossible += 1
    thin = len(words) >= 6 and sum(word in FUNCTION_WORDS for word in words) < 0.15 * len(words)
    return thin or impossible >= 2 or (impossible == 1 and len(words) <= 12)


_WAYS: dict[str, Callable[[list[str]], bool]] = {"echo": _is_echo, "word_list": _is_word_list, "word_salad": _is_salad}
