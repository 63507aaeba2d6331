"""The phrases of a piece of text: numbers, calculations, and the words and signs between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from inoculate.settings.mathematics.tokens import LONGEST, Token


class Value(NamedTuple):
    """A number that was read."""

    number: Fraction
    percent: bool = False
    """Whether it was given in percent: `37.5%` is 37.5 where a percentage is asked for and 3/8 where a fraction is."""


@dataclass(frozen=True)
class Phrase:
    """A number or a calculation."""

    value: Value | None
    """Its value if it is one number, in whatever notation; None for a calculation that is not carried out, and for
    what a sign makes another number or several (35 pi, plus-minus 35, 35 times a root)."""
    approximate: bool = False
    decimals: int = 0
    """How many decimals it was written with."""
    simple: bool = True
    """Whether it was written without a fraction bar."""
    unit: str = ""
    """The word behind it."""


@dataclass(frozen=True)
class Word:
    """A word, or a sign that parts phrases."""

    text: str

    @property
    def parts(self) -> bool:
        """Whether it parts a sentence."""
        return not self.text[0].isalpha() or self.text in ("but", "and", "or", "nor", "though", "while", "whereas")


@dataclass(frozen=True)
class Link:
    """What says that the next phrase is the value of what stands before: `=`, `is`, `makes`, ..."""

    approximate: bool = False
    is_word: bool = False


@dataclass(frozen=True)
class Aside:
    """What stands in brackets."""

    inside: tuple[Element, ...]


Element = Phrase | Word | Link | Aside

_UNITS = set("mglLshtWVAJNCFdcpbT")
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12}
_SPELLED = {"minus": "-", "negative": "-", "plus": "+"}
_VARIABLES = set("xyznie")
_OPERATORS = "+-*/^\u2013"
_ODD = "\u00b1\u221a\u03c0\u221e"
_IS = {
    "is", "are", "was", "were", "equals", "makes", "gives", "leaves", "says", "said", "becomes", "be",
    "get", "gets", "got", "find", "found", "obtain",
}  # fmt: skip
_NOISE = {
    "exactly", "about", "approximately", "roughly", "then", "only", "just", "now", "therefore", "thus", "also", "to",
    "a", "total", "of", "the", "not", "indeed", "still", "actually", "around", "nearly", "almost", "simply", "equal",
    ":",
}  # fmt: skip
# Signatures of runs of tokens that are one number. N: number, F: fraction, D: dash, G: brackets, S: a scale (thousand).
_PLAIN = re.compile(
    r"(?P<sign>[-+D]?)(?:(?P<mixed>NN/N|NF)|(?P<ratio>N/N)|(?P<power>(?:N\*)?N(?:\^[-+]?N|R))|[NFG])S?%?"
)


def elements(tokens: Sequence[Token]) -> list[Element]:
    """Phrases and what is between them, in order."""
    return list(_linked(list(_elements(list(tokens)))))


def _elements(tokens: list[Token]) -> Iterator[Element]:
    at, behind_phrase = 0, False
    while at < len(tokens):
        token = tokens[at]
        aside = behind_phrase and token.text in ("(", "[")
        stop, signature, run = (at, "", []) if aside or _is_dash(tokens, at) else _run(tokens, at)
        behind_phrase = signature != ""
        if signature:
            following = tokens[stop].text.lower() if stop < len(tokens) and tokens[stop].kind == "word" else ""
            yield replace(_phrase(signature, run), unit=following)
            at = stop
        elif token.text in ("(", "["):
            stop = _closing(tokens, at)
            yield Aside(tuple(elements(tokens[at + 1 : stop])))
            at = stop + 1
        elif token.kind == "word" and at + 2 < len(tokens) and _is_exponent(tokens, at + 1):
            yield Word(token.text.lower())
            at += 3 if tokens[at + 1].text == "^" else 2
        else:
            yield Word(token.text.lower())
            at += 1


def _is_dash(tokens: list[Token], at: int) -> bool:
    """Whether a dash parts a label and its number: 'Total - 35'."""
    if tokens[at].text not in "-\u2013" or not 0 < at < len(tokens) - 1:
        return False
    label = tokens[at - 1].kind == "word" and len(tokens[at - 1].text) > 1
    return label and tokens[at].spaced and tokens[at + 1].spaced


def _is_exponent(tokens: list[Token], at: int) -> bool:
    """Whether an exponent of a unit stands here, as in cm^2."""
    return tokens[at].kind == "raised" or (tokens[at].text == "^" and tokens[at + 1].kind == "number")


def _closing(tokens: list[Token], start: int) -> int:
    depth = 0
    for at in range(start, len(tokens)):
        depth += (tokens[at].text in ("(", "[")) - (tokens[at].text in (")", "]"))
        if depth == 0:
            return at
    return len(tokens)


def _run(tokens: list[Token], start: int) -> tuple[int, str, list[Token | Phrase]]:
    """The tokens from a place on that belong to one number or calculation, with a letter for each."""
    signature, run, at = "", [], start
    while at < len(tokens):
        letter, stop, item = _letter(tokens, at, signature)
        if not letter:
            break
        signature += letter
        run.append(item)
        at = stop
    return (at, signature, run) if re.search("[NFGV]", signature) else (start, "", [])


def _letter(tokens: list[Token], at: int, before: str) -> tuple[str, int, Token | Phrase]:
    """The letter of a token in a run, the next place, and what it stands for; '' where the run ends."""
    token, following = tokens[at], tokens[at + 1] if at + 1 < len(tokens) else None
    behind_number = before[-1:] in ("N", "F", "G", "R", "V", "%") and before != ""
    letter = ""
    if token.kind == "number":
        letter = "N"
    elif token.kind == "fraction":
        letter = "F"
    elif token.kind == "raised":
        letter = "R" if behind_number else ""
    elif token.kind == "command" or token.text in _ODD:
        letter = "V"
    elif token.text in _OPERATORS:
        letter = _operator(token, following, before)
    elif token.text in ("(", "["):
        return _bracket(tokens, at, behind_number)
    elif token.text == "%":
        letter = "%" if behind_number else ""
    elif token.text == "!":
        letter = "V" if behind_number and following and following.text in (*_OPERATORS, "=") else ""
    elif token.text == ":":
        tight = behind_number and following and following.kind == "number" and not (token.spaced or following.spaced)
        letter = "V" if tight else ""
    elif token.kind == "word":
        return _word(tokens, at, before, behind_number)
    return letter, at + 1, token


def _operator(token: Token, following: Token | None, before: str) -> str:
    """An operator's letter; '' where it is a unit's bar or a dash between words."""
    letter = "D" if token.text == "\u2013" else token.text
    if not before and token.text not in "+-\u2013":
        return ""
    if (
        following
        and following.kind == "word"
        and len(following.text) > 1
        and following.text.lower() not in ("pi", "sqrt")
    ):
        return ""
    return letter


def _bracket(tokens: list[Token], at: int, behind_number: bool) -> tuple[str, int, Token | Phrase]:
    """Brackets that belong to a calculation: with no word inside, and not set off like an aside."""
    stop = _closing(tokens, at)
    inside = elements(tokens[at + 1 : stop])
    following = tokens[stop + 1] if stop + 1 < len(tokens) else None
    aside = behind_number and tokens[at].spaced and not (following and following.text in _OPERATORS)
    if len(inside) != 1 or not isinstance(inside[0], Phrase) or aside:
        return "", at, tokens[at]
    return "G", stop + 1, inside[0]


def _word(tokens: list[Token], at: int, before: str, behind_number: bool) -> tuple[str, int, Token | Phrase]:
    """The letter of a word in a run: a variable, percent, a scale, an ordinal's end, '*' for an x between numbers."""
    token, word = tokens[at], tokens[at].text.lower()
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    begins = following and following.text in _OPERATORS and _is_math(tokens, at + 2)
    letter = ""
    if word in ("pi", "sqrt"):
        letter = "V"
    elif word in _SPELLED and following and following.kind in ("number", "fraction"):
        letter = _SPELLED[word]
    elif word == "x" and before and following and following.kind in ("number", "fraction"):
        letter = "*"
    elif len(word) == 1 and ((begins and not behind_number) or (before and before[-1] in "+-*/^D")):
        letter = "V"
    elif behind_number:
        letter = _behind(token, word, following)
        if letter == "%" and word == "per":
            return "%", at + 2, token
        if letter == "skip":
            return "S", at + 1, replace(token, value=Fraction(1))
    return letter, at + 1, token


def _behind(token: Token, word: str, following: Token | None) -> str:
    """The letter of a word behind a number; 'skip' for the end of an ordinal (6th)."""
    if word in ("percent", "pct") or (word == "per" and following and following.text.lower() == "cent"):
        return "%"
    if word in _SCALES or (word == "k" and not token.spaced):
        return "S"
    if not token.spaced and word in ("st", "nd", "rd", "th"):
        return "skip"
    if len(word) == 1:
        return "V" if (token.text in _VARIABLES if token.spaced else token.text not in _UNITS) else ""
    return ""


def _is_math(tokens: list[Token], at: int) -> bool:
    return at < len(tokens) and (tokens[at].kind in ("number", "fraction") or len(tokens[at].text) == 1)


def _phrase(signature: str, run: list[Token | Phrase]) -> Phrase:
    """A run of tokens as one number, where it is one."""
    found = _PLAIN.fullmatch(signature)
    if not found or (signature[0] == "D" and isinstance(run[1], Token) and run[1].spaced):
        return Phrase(None)
    values: list[Fraction] = []
    for letter, item in zip(signature, run, strict=True):
        if letter in "NFG":
            number = item.value.number if isinstance(item, Phrase) and item.value else None
            number = item.value if isinstance(item, Token) else number
            if number is None:
                return Phrase(None)
            values.append(number)
    number = _number(found, values, signature, run)
    if number is None:
        return Phrase(None)
    if found["sign"] in ("-", "D"):
        number = -number
    written = next(item.text for item in run if isinstance(item, Token)) if not isinstance(run[0], Phrase) else ""
    inner = run[0] if isinstance(run[0], Phrase) else Phrase(None, decimals=len(written.partition(".")[2]))
    simple = "/" not in signature and "F" not in signature and inner.simple
    return Phrase(Value(number, signature[-1] == "%"), decimals=inner.decimals, simple=simple)


def _number(found: re.Match[str], values: list[Fraction], signature: str, run: list[Token | Phrase]) -> Fraction | None:
    """The number that a plain signature stands for; None for what is none after all."""
    number: Fraction | None = values[0]
    if found["mixed"]:
        part = values[1] / values[2] if len(values) == 3 and values[2] else values[1]
        proper = values[0].denominator == 1 and 0 < part < 1 and 0 not in values[1:]
        number = values[0] + part if proper else None
    elif found["ratio"]:
        number = values[0] / values[1] if values[1] else None
    elif found["power"]:
        raised = next((item.text for item in run if isinstance(item, Token) and item.kind == "raised"), "")
        base, power = (values[-1], _whole(raised)) if raised else (values[-2], _whole(str(values[-1])))
        mantissa = values[0] if "*" in signature else Fraction(1)
        negative = "^-" in signature
        number = None if base != 10 or power is None else mantissa * Fraction(10) ** (-power if negative else power)
    for letter, item in zip(signature, run, strict=True):
        if letter == "S" and number is not None and isinstance(item, Token):
            number *= item.value or _SCALES.get(item.text.lower(), 1000)
    return number


def _whole(text: str) -> int | None:
    """A power of ten; None if it is none, or too large."""
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,3}", text) and abs(int(text)) <= LONGEST else None


def _linked(found: list[Element]) -> Iterator[Element]:
    """Links in place of the words and signs that say what something is; approximate phrases marked."""
    approximate = False
    for at, element in enumerate(found):
        word = element.text if isinstance(element, Word) else ""
        if (
            word == "="
            or (word in _IS and _value_follows(found, at))
            or (word == ":" and at and _stands_alone(found, at + 1))
        ):
            yield Link(approximate, is_word=word != "=")
        elif word == "~" and at and isinstance(found[at - 1], (Phrase, Word)) and found[at - 1] != Word("="):
            yield Link(approximate=True)
        elif word and word not in ("about", "approximately", "roughly", "around", "nearly", "almost", "~"):
            yield element
        elif isinstance(element, Phrase):
            dots = at + 1 < len(found) and found[at + 1] in (Word("\u2026"), Word("...")) and element.decimals > 0
            yield replace(element, approximate=approximate or dots)
        elif isinstance(element, (Aside, Link)):
            yield element
        approximate = word in ("about", "approximately", "roughly", "around", "nearly", "almost", "~")


def _stands_alone(found: list[Element], at: int) -> bool:
    """Whether a number is here that does not begin an equation or a description."""
    phrase = found[at] if at < len(found) else None
    following = found[at + 1] if at + 1 < len(found) else Word(".")
    goes_on = isinstance(following, Word) and (following.text in ("=", "of", "~") or following.text in _IS)
    return isinstance(phrase, Phrase) and phrase.value is not None and not goes_on


def _value_follows(found: list[Element], at: int) -> bool:
    """Whether a phrase is what an 'is' speaks of; 'there are 6' says nothing of the kind."""
    if at and found[at - 1] == Word("there"):
        return False
    for element in found[at + 1 :]:
        if isinstance(element, Phrase):
            return True
        if not (isinstance(element, Word) and element.text in _NOISE):
            return False
    return False
