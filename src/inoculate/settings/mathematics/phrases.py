"""Parses a piece of text into numbers, calculations, and the words and signs between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from inoculate.settings.mathematics.tokens import LONGEST, Token


class Value(NamedTuple):
    """A number in a reply."""

    number: Fraction
    percent: bool = False
    """Whether it was in percent: `37.5%` is 37.5 where a percentage is asked for, and 3/8 where a fraction is."""


@dataclass(frozen=True)
class Phrase:
    """A number or a calculation."""

    value: Value | None
    """Its value if it is one number, in any notation. None for a calculation without its result, and where a sign makes
    it another number or several numbers (35 pi, plus-minus 35, 35 times a root)."""
    approximate: bool = False
    decimals: int = 0
    """The number of decimals in the text."""
    simple: bool = True
    """Whether there is no fraction bar in the text."""
    unit: str = ""
    """The word after it."""


@dataclass(frozen=True)
class Word:
    """A word, or a sign between phrases."""

    text: str

    @property
    def parts(self) -> bool:
        """Whether it separates clauses."""
        return not self.text[0].isalpha() or self.text in ("but", "and", "or", "nor", "though", "while", "whereas")


@dataclass(frozen=True)
class Link:
    """A word or sign between an expression and its value: `=`, `is`, `makes`, ..."""

    approximate: bool = False
    is_word: bool = False


@dataclass(frozen=True)
class Aside:
    """A remark in brackets."""

    inside: tuple[Element, ...]


Element = Phrase | Word | Link | Aside

_UNITS = set("mglLshtWVAJNCFdcpbT")
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12}
_SPELLED = {"minus": "-", "negative": "-", "plus": "+"}
_BETWEEN = {"x": "*", "over": "/"}
"""Words that calculate where they stand between two numbers."""
_VARIABLES = set("xyznie")
_OPERATORS = "+-*/^\u2013"
_ODD = "\u00b1\u221a\u221b\u221c\u03c0\u221e\u2030\u2031"
_FUNCTIONS = {"twice", "thrice", "double", "triple", "log", "ln", "sin", "cos", "tan", "exp"}
"""Words that change the number behind them."""
_PARTS = {"half", "third", "quarter", "square", "cube", "root", "double", "triple"}
"""Words that change the number behind them with an 'of' between."""
_SQUARABLE = set("mgLlshNJWVA")
"""Units of one letter that a power can follow; others are variables."""
_IS = {
    "is", "are", "was", "were", "equals", "makes", "gives", "leaves", "says", "said", "becomes", "be",
    "get", "gets", "got", "find", "found", "obtain", "compute", "computed", "calculate", "calculated", "comes",
    "amounts", "totals", "yields", "making", "giving", "leaving", "yielding", "totaling", "totalling",
}  # fmt: skip
_NOISE = {
    "exactly", "about", "approximately", "roughly", "then", "only", "just", "now", "therefore", "thus", "also", "to",
    "a", "total", "of", "the", "not", "indeed", "still", "actually", "around", "nearly", "almost", "simply", "equal",
    "final", "answer", ":",
}  # fmt: skip
# Signatures (a letter for each token) of runs that are one number. N: number, F: fraction, D: dash, G: brackets,
# R: a raised power, S: a scale (thousand).
_PLAIN = re.compile(
    r"(?P<sign>[-+D]?)(?:(?P<mixed>NN/N|NF)|(?P<ratio>[NG]/[NG])|(?P<power>(?:N\*)?N(?:\^[-+]?N|R))|[NFG])S?%?"
)


def parse_elements(tokens: Sequence[Token]) -> list[Element]:
    """Phrases and the elements between them, in order."""
    return list(_with_links(list(_parsed(list(tokens)))))


def _parsed(tokens: list[Token]) -> Iterator[Element]:
    at, behind_phrase = 0, False
    while at < len(tokens):
        token = tokens[at]
        unit = _unit_end(tokens, at) if behind_phrase else at
        apart = unit > at or _is_dash(tokens, at) or (behind_phrase and token.text in ("(", "["))
        stop, signature, run = (at, "", []) if apart else _number_run(tokens, at)
        behind_phrase = signature != ""
        if signature:
            following = tokens[stop].text.lower() if stop < len(tokens) and tokens[stop].kind == "word" else ""
            yield replace(_phrase(signature, run), unit=following)
            at = stop
        elif token.text in ("(", "["):
            stop = _closing(tokens, at)
            yield Aside(tuple(parse_elements(tokens[at + 1 : stop])))
            at = stop + 1
        elif token.kind == "word" and (stop := unit if unit > at else _exponent_end(tokens, at + 1)):
            yield Word(token.text.lower())
            at = stop
        else:
            yield Word(token.text.lower())
            at += 1


def _is_dash(tokens: list[Token], at: int) -> bool:
    """Whether a sign stands between a label or a unit and its number: 'Total - 35', '5 minutes + 35 minutes'."""
    if tokens[at].text not in "+-\u2013" or not 0 < at < len(tokens) - 1:
        return False
    label = tokens[at - 1].kind == "word" and len(tokens[at - 1].text) > 1
    return label and tokens[at].spaced and tokens[at + 1].spaced


def _exponent_end(tokens: list[Token], at: int) -> int:
    """The index after the exponent of a unit, as in cm^2 and s^-1; 0 where there is none."""
    if at < len(tokens) and tokens[at].kind == "raised":
        return at + 1
    if at + 1 < len(tokens) and tokens[at].text == "^":
        last = at + 1 + (tokens[at + 1].text == "-")
        return last + 1 if last < len(tokens) and tokens[last].kind == "number" else 0
    return 0


def _unit_end(tokens: list[Token], at: int) -> int:
    """The index after a unit with exponents or other units below it (m^2, km/h, kg/m^3); `at` where there is none."""
    stop = at
    while stop < len(tokens) and tokens[stop].kind == "word":
        if len(tokens[stop].text) == 1 and tokens[stop].text not in _SQUARABLE:
            return at
        stop = _exponent_end(tokens, stop + 1) or stop + 1
        if not (stop + 1 < len(tokens) and tokens[stop].text == "/" and tokens[stop + 1].kind == "word"):
            return stop if stop > at + 1 else at
        stop += 1
    return at


def _closing(tokens: list[Token], start: int) -> int:
    depth = 0
    for at in range(start, len(tokens)):
        depth += (tokens[at].text in ("(", "[")) - (tokens[at].text in (")", "]"))
        if depth == 0:
            return at
    return len(tokens)


def _number_run(tokens: list[Token], start: int) -> tuple[int, str, list[Token | Phrase]]:
    """The tokens from `start` that belong to one number or calculation: the end, their signature, the tokens."""
    signature, run, at = "", [], start
    while at < len(tokens):
        letter, stop, item = _signature_letter(tokens, at, signature)
        if not letter:
            break
        signature += letter
        run.append(item)
        at = stop
    return (at, signature, run) if re.search("[NFGV]", signature) else (start, "", [])


def _signature_letter(tokens: list[Token], at: int, before: str) -> tuple[str, int, Token | Phrase]:
    """The letter of a token in a run, the next index, and the token or phrase; '' where the run ends."""
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
        letter = _operator_letter(token, following, before)
    elif token.text in ("(", "["):
        return _bracket_letter(tokens, at, behind_number)
    elif token.text == "%":
        letter = "%" if behind_number else ""
    elif token.text == "!":
        letter = "V" if behind_number and following and following.text in (*_OPERATORS, "=") else ""
    elif token.text == ":":
        tight = behind_number and following and following.kind == "number" and not (token.spaced or following.spaced)
        letter = "V" if tight else ""
    elif token.kind == "word":
        return _word_letter(tokens, at, before, behind_number)
    return letter, at + 1, token


def _operator_letter(token: Token, following: Token | None, before: str) -> str:
    """The letter of an operator; '' for the slash of a unit or a dash between words."""
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


def _bracket_letter(tokens: list[Token], at: int, behind_number: bool) -> tuple[str, int, Token | Phrase]:
    """Brackets that belong to a calculation: with no word inside, and not separated like a remark.

    A remark stands behind a number, and a calculation also behind what is counted: '35 (7 * 5)', '35 pens (7 * 5)'.
    """
    stop = _closing(tokens, at)
    inside = parse_elements(tokens[at + 1 : stop])
    following = tokens[stop + 1] if stop + 1 < len(tokens) else None
    if len(inside) != 1 or not isinstance(inside[0], Phrase):
        return "", at, tokens[at]
    before = tokens[at - 1].text.lower() if at > 1 and tokens[at - 1].kind == "word" else ""
    behind_word = before != "" and before not in _IS | {"to", "of", "equal"}
    goes_on = following and following.text in (*_OPERATORS, "=")
    aside = behind_number or (behind_word and not inside[0].value)
    if aside and tokens[at].spaced and not goes_on:
        return "", at, tokens[at]
    return "G", stop + 1, inside[0]


def _word_letter(tokens: list[Token], at: int, before: str, behind_number: bool) -> tuple[str, int, Token | Phrase]:
    """The letter of a word in a run: a variable, percent, a scale, the end of an ordinal, '*' for x between numbers."""
    token, word = tokens[at], tokens[at].text.lower()
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    begins = following and following.text in _OPERATORS and _is_operand(tokens, at + 2)
    letter = ""
    if word in ("pi", "sqrt") or (not before and _changes_next(tokens, at)):
        letter = "V"
    elif word in _SPELLED and following and following.kind in ("number", "fraction"):
        letter = _SPELLED[word]
    elif word in _BETWEEN and behind_number and following and following.kind in ("number", "fraction"):
        letter = _BETWEEN[word]
    elif len(word) == 1 and ((begins and not behind_number) or (before and before[-1] in "+-*/^D")):
        letter = "V"
    elif behind_number:
        letter = _letter_after_number(token, word, following)
        if letter == "%" and word == "per":
            return "%", at + 2, token
        if letter == "skip":
            return "S", at + 1, replace(token, value=Fraction(1))
    return letter, at + 1, token


def _changes_next(tokens: list[Token], at: int) -> bool:
    """Whether a word makes another number of the one behind it: 'twice 35', 'half of 35', 'log 35', 'f(35)'."""
    word, following = tokens[at].text.lower(), tokens[at + 1 : at + 3]
    number = bool(following) and following[0].kind in ("number", "fraction")
    if word == "of":
        return number and at > 0 and tokens[at - 1].text.lower() in _PARTS
    called = len(following) == 2 and following[0].text == "(" and following[1].kind in ("number", "fraction")
    if word in _FUNCTIONS:
        return number or called
    return called and len(word) == 1 and not following[0].spaced


def _letter_after_number(token: Token, word: str, following: Token | None) -> str:
    """The letter of a word after a number; 'skip' for the end of an ordinal (6th)."""
    if word in ("percent", "pct") or (word == "per" and following and following.text.lower() == "cent"):
        return "%"
    if word in ("squared", "cubed", "factorial"):
        return "V"
    if re.fullmatch(r"[erxy][0-9]+", word):  # '35 r3', '3.5 e1'
        return "V"
    if word in _SCALES or (word == "k" and not token.spaced):
        return "S"
    if not token.spaced and word in ("st", "nd", "rd", "th"):
        return "skip"
    if len(word) == 1:
        return "V" if (token.text in _VARIABLES if token.spaced else token.text not in _UNITS) else ""
    return ""


def _is_operand(tokens: list[Token], at: int) -> bool:
    return at < len(tokens) and (tokens[at].kind in ("number", "fraction") or len(tokens[at].text) == 1)


def _phrase(signature: str, run: list[Token | Phrase]) -> Phrase:
    """A run of tokens as one number, if it is one."""
    match = _PLAIN.fullmatch(signature)
    if not match or (signature[0] == "D" and isinstance(run[1], Token) and run[1].spaced):
        return Phrase(None)
    values: list[Fraction] = []
    for letter, item in zip(signature, run, strict=True):
        if letter in "NFG":
            number = item.value.number if isinstance(item, Phrase) and item.value else None
            number = item.value if isinstance(item, Token) else number
            if number is None:
                return Phrase(None)
            values.append(number)
    number = _number(match, values, signature, run)
    if number is None:
        return Phrase(None)
    if match["sign"] in ("-", "D"):
        number = -number
    written = next(item.text for item in run if isinstance(item, Token)) if not isinstance(run[0], Phrase) else ""
    inner = run[0] if isinstance(run[0], Phrase) else Phrase(None, decimals=len(written.partition(".")[2]))
    simple = "/" not in signature and "F" not in signature and inner.simple
    return Phrase(Value(number, signature[-1] == "%"), decimals=inner.decimals, simple=simple)


def _number(match: re.Match[str], values: list[Fraction], signature: str, run: list[Token | Phrase]) -> Fraction | None:
    """The value of a number with this signature; None if it is no valid number."""
    number: Fraction | None = values[0]
    if match["mixed"]:
        part = values[1] / values[2] if len(values) == 3 and values[2] else values[1]
        proper = values[0].denominator == 1 and 0 < part < 1 and 0 not in values[1:]
        number = values[0] + part if proper else None
    elif match["ratio"]:
        number = values[0] / values[1] if values[1] else None
    elif match["power"]:
        raised = next((item.text for item in run if isinstance(item, Token) and item.kind == "raised"), "")
        base, power = (values[-1], _power_of_ten(raised)) if raised else (values[-2], _power_of_ten(str(values[-1])))
        mantissa = values[0] if "*" in signature else Fraction(1)
        negative = "^-" in signature
        number = None if base != 10 or power is None else mantissa * Fraction(10) ** (-power if negative else power)
    for letter, item in zip(signature, run, strict=True):
        if letter == "S" and number is not None and isinstance(item, Token):
            number *= item.value or _SCALES.get(item.text.lower(), 1000)
    return number


def _power_of_ten(text: str) -> int | None:
    """An exponent of ten; None if it is not an integer, or too large."""
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,3}", text) and abs(int(text)) <= LONGEST else None


def _with_links(elements: list[Element]) -> Iterator[Element]:
    """The elements with links in place of words and signs such as `is` and `=`; approximate phrases are marked."""
    approximate = False
    for at, element in enumerate(elements):
        word = element.text if isinstance(element, Word) else ""
        if (
            word == "="
            or (word in _IS and _value_follows(elements, at))
            or (word == ":" and at and _stands_alone(elements, at + 1))
        ):
            yield Link(approximate, is_word=word != "=")
        elif word == "~" and at and isinstance(elements[at - 1], (Phrase, Word)) and elements[at - 1] != Word("="):
            yield Link(approximate=True)
        elif word and word not in ("about", "approximately", "roughly", "around", "nearly", "almost", "~"):
            yield element
        elif isinstance(element, Phrase):
            dots = at + 1 < len(elements) and elements[at + 1] in (Word("\u2026"), Word("...")) and element.decimals > 0
            yield replace(element, approximate=approximate or dots)
        elif isinstance(element, (Aside, Link)):
            yield element
        approximate = word in ("about", "approximately", "roughly", "around", "nearly", "almost", "~")


def _stands_alone(elements: list[Element], at: int) -> bool:
    """Whether the next element is a number that does not begin an equation or a description."""
    phrase = elements[at] if at < len(elements) else None
    following = elements[at + 1] if at + 1 < len(elements) else Word(".")
    goes_on = isinstance(following, Word) and (following.text in ("=", "of", "~") or following.text in _IS)
    return isinstance(phrase, Phrase) and phrase.value is not None and not goes_on


def _value_follows(elements: list[Element], at: int) -> bool:
    """Whether the value after an 'is' is a phrase; 'there are 6' gives no value to anything."""
    if at and elements[at - 1] == Word("there"):
        return False
    for element in elements[at + 1 :]:
        if isinstance(element, Phrase):
            return True
        if not (isinstance(element, Word) and element.text in _NOISE):
            return False
    return False
