"""Numbers in English words: thirty-five, two thirds, a dozen, one hundred and twenty."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ONES = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {word: n for n, word in enumerate(_ONES, 1)} | {word: 10 * n for n, word in enumerate(_TENS, 2)} | {"a": 1}
_LARGE = {"hundred": 100, "dozen": 12, "thousand": 1000, "million": 10**6}
_PARTS = {
    form: n
    for n, words in enumerate(
        ("half halves", "third", "quarter fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
         "twelfth"), 2)
    for word in words.split()
    for form in (word, f"{word}s")
}  # fmt: skip


def _any(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(sorted(words, key=len, reverse=True))})"


_TO_99 = rf"(?:{_any(_TENS)}(?:[- ]{_any(_ONES[:9])})?|{_any(_ONES)})"
_TO_999 = rf"(?:(?:{_TO_99}|a) hundred(?: (?:and )?{_TO_99})?|{_TO_99})"
_WHOLE = rf"(?:(?:{_TO_999}|a) (?:thousand|million|dozen)(?:,? (?:and )?{_TO_999})?|{_TO_999})"
_NUMBER = re.compile(rf"\b(?P<whole>{_WHOLE}|a(?=[- ]{_any(_PARTS)}\b))(?:[- ](?P<part>{_any(_PARTS)}))?\b", re.I)


_PARTS_OF = re.compile(
    rf"\b(?P<top>[0-9]+)[- ](?P<part>{_any(part for part in _PARTS if part.endswith('s'))})\b", re.IGNORECASE
)
"""'3 eighths'."""
_AND_PART = re.compile(
    rf"\b(?P<whole>[0-9]+|one) and (?:(?P<ratio>[0-9]+/[0-9]+)(?![\w/])|an? (?P<part>{_any(_PARTS)})\b)", re.IGNORECASE
)
"""'3 and 1/2', '3 and a half'."""
_ONE_IN = re.compile(rf"\bone(?= (?:in|out of) (?:[0-9]|{_WHOLE}\b))", re.IGNORECASE)


def in_digits(text: str, at_start: bool) -> str:
    """A text with its number words replaced by digits.

    Where the text has digits too, number words are mostly not the answer ('35 for the two children'): then only one at
    the very start is replaced, and only if `at_start`. 'One' alone is not taken for a number.
    """
    if not any(sign.isdigit() for sign in text):
        return _mixed(every_in_digits(text))
    text = _PARTS_OF.sub(lambda match: f"{match['top']}/{_PARTS[match['part'].lower()]}", _ONE_IN.sub("1", text))
    start = len(text) - len(text.lstrip())
    match = _NUMBER.match(text, start) if at_start else None
    text = text[:start] + _digits(match) + text[match.end() :] if match else text
    return _mixed(text)


def _mixed(text: str) -> str:
    """A text with 'and' left out of its mixed numbers."""

    def without_and(match: re.Match[str]) -> str:
        whole = "1" if match["whole"].lower() == "one" else match["whole"]
        return f"{whole} {match['ratio'] or '1/' + str(_PARTS[match['part'].lower()])}"

    return _AND_PART.sub(without_and, text)


def every_in_digits(text: str) -> str:
    """A text with all of its number words replaced by digits."""
    return _NUMBER.sub(_digits, _ONE_IN.sub("1", text))


def _digits(match: re.Match[str]) -> str:
    total = part = 0
    for word in re.split(r"[-, ]+", match["whole"].lower()):
        if word in _LARGE:
            part *= _LARGE[word]
            if _LARGE[word] >= 1000:
                total, part = total + part, 0
        else:
            part += _SMALL.get(word, 0)
    if match["part"]:
        return f"{total + part}/{_PARTS[match['part'].lower()]}"
    return match.group() if total + part == 1 else str(total + part)
