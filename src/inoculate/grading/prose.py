"""Measures of prose: words and repetition, by plain rules that give the same result everywhere.

Nothing here judges style. The measures tell text that says something from text that only fills space.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

LONGEST = 20_000
"""Characters; longer texts are not analysed."""

_TAG = re.compile(r"</?\w{1,20}>|<3\b")
_WORD = re.compile(
    r"(?:https?://|www\.)\S*\w"
    r"|(?<![^\W_])(?:[^\W\d_]\.){2,}"  # U.S., e.g.
    r"|[^\W_]+(?:(?:"
    r"['\u2019@-]"  # it's, well-known, ask@example.org
    r"|(?<=\d)[.,:/\u00a0\u202f](?=\d)"  # 1,200 and 3.5; 10:30, 24/7
    r"|(?<=\d)\u00b0(?=[CF]\b)"  # 20°C
    r"|\.(?=[a-z])"  # example.com, main.py
    r"|/(?=[^\W\d_]\b)"  # km/h
    r")[^\W_]+)*"
)


def untagged(text: str) -> str:
    """The text with a space in place of each tag such as <a> or </a>, and of each heart (<3)."""
    return _TAG.sub(" ", text)


def words(text: str) -> list[str]:
    """The words, case-folded, without punctuation and tags such as <a>.

    They are counted as a reader does: numbers, units, times, abbreviations and addresses are one word each.
    """
    return [word.casefold() for word in _WORD.findall(untagged(text))]


def repeated(words: Sequence[str], length: int = 3) -> float:
    """The share of word sequences of that length that occurred earlier in the text; 0 for texts without one."""
    grams = [tuple(words[at : at + length]) for at in range(len(words) - length + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def commonest(words: Sequence[str]) -> float:
    """The share of the word that occurs most often; 0 for no words."""
    return Counter(words).most_common(1)[0][1] / len(words) if words else 0.0


def filler(text: str) -> bool:
    """Whether a text repeats itself instead of saying something.

    For texts of five words or more: one word makes up over 0.4 of them, words are doubled three times, or over 0.3 of
    the sequences of three words occurred before. Ordinary sentences of a few dozen words stay below .2 and .15.
    """
    of_text = words(text)
    if len(of_text) < 5:
        return False
    doubled = sum(first == second for first, second in pairwise(of_text))
    return commonest(of_text) > 0.4 or repeated(of_text) > 0.3 or doubled >= 3
