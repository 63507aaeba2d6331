"""Tokens of a piece of text that states a number: numbers in any notation, signs and words.

Separators in a number count only where they are unambiguous: `1,234`, `1.234,5`, `1 234` and `1'234` group thousands;
`35,70` and `15,4` may be a pair or a decimal comma, and so are no number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from inoculate.settings.mathematics.words import in_digits

LONGEST = 30
"""Characters of a number, and its largest power of ten; a longer one is no answer."""

_THIN = "\u2009"
_SIGNS = str.maketrans(
    {"\u2212": "-", "\u2010": "-", "\u2011": "-", "\ufe63": "-", "\uff0d": "-", "\u2044": "/", "\u2215": "/",
     "\u00d7": "*", "\u00b7": "*", "\u22c5": "*", "\u2219": "*", "\u00f7": "/", "\u202f": _THIN, "\u00a0": _THIN,
     "\u2248": "~", "\u2243": "~", "\u2245": "~", "\u2264": "<", "\u2265": ">", "\u2192": "=", "\u21d2": "=",
     "\u2019": "'", "\u2012": "\u2013", "\u2014": "\u2013", "\u2015": "\u2013", "\ufe58": "\u2013", "\u2796": "-",
     "$": "", "\u20ac": "", "\u00a3": "", "`": "", "\u00ba": "\u00b0", "\uff1a": ":", "\uff0e": ".", "\uff05": "%",
     **{chr(0xFF10 + digit): str(digit) for digit in range(10)}}
)  # fmt: skip
_COMMANDS = {
    "times": "*", "cdot": "*", "ast": "*", "div": "/", "over": "/", "pm": "\u00b1", "mp": "\u00b1", "approx": "~",
    "simeq": "~", "sim": "~", "cong": "~", "le": "<", "leq": "<", "lt": "<", "ge": ">", "geq": ">", "gt": ">",
    "ne": "\u2260", "neq": "\u2260", "to": "=", "rightarrow": "=", "implies": "=", "Rightarrow": "=", "circ": "\u00b0",
    "degree": "\u00b0", "therefore": " so ", "quad": " ", "qquad": " ", "left": "", "right": "", "displaystyle": "",
    "bf": "", "big": "", "Big": "", "boxed": "", "fbox": "", "text": "", "textbf": "", "textit": "", "textrm": "",
    "mathrm": "", "mathbf": "", "mathit": "", "mbox": "", "operatorname": "", "dots": "\u2026", "ldots": "\u2026",
    "cdots": "\u2026", "underline": "", "boldsymbol": "", "bm": "", "mathsf": "", "texttt": "", "emph": "",
    "framebox": "",
}  # fmt: skip
_COMMAND = re.compile(r"\\([A-Za-z]+)[ \t]*")
_DEGREES = re.compile(r"\^\s*\{?\s*\u00b0\s*\}?")
_FRACTION = re.compile(r"\\[dtc]?frac(?![A-Za-z])")
_STRUCK = re.compile(
    r"~~.{1,200}?~~|<(s|del|strike)>.{1,200}?</\1>|\\(?:x|b)?cancel\s*\{[^{}\n]{0,200}\}|\\sout\s*\{[^{}\n]{0,200}\}",
    re.DOTALL,
)
_FOLLOWS = re.compile(
    r"(=[^=\n\u2192\u21d2]{0,20}[0-9])[ \t]*(?:\u2192|\u21d2|[=-]>|\\(?:implies|Rightarrow|to|rightarrow)\b)"
    r"(?=[^=\n\u2192\u21d2]{1,20}=(?!>))"
)
"""From one equation to the next: '3x = 51 -> x = 17'."""
_ABSOLUTE = re.compile(r"(?<![|\w])\|-([0-9][0-9.,/]*)\|(?![|\w])")
"""'|-14|', and not the cell of a table."""
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9]*\s*/?>")
_ANGLES = re.compile(r"<(?=\S)([^<>\n]{1,40})(?<=\S)>")
_EMPHASIS = re.compile(r"(?<![\w*])([*_]{1,3})(?=\S)([^*_\n]*[^*_\s])\1(?![\w*])")
_CURRENCY = re.compile(r"\b(?:(?:USD|EUR|GBP|CHF|INR|JPY|Rs\.?)(?=\d)|[A-Za-z]{1,2}(?=[$\u20ac\u00a3]\d)|US(?=[$]\d))")
_SUBSCRIPT = re.compile(r"(?<![^\W_])([A-Za-z])_(?:\{[^{}\n]{1,20}\}|\w)")
_DASHES = re.compile(r"(?<!\S)-{2,}(?!\S)")
_JOINED = re.compile(r"(?<=[\u3040-\u9fff\uac00-\ud7af])(?=[0-9])|(?<=[0-9])(?=[\u3040-\u9fff\uac00-\ud7af])")
"""Between a digit and a letter of a language that writes no spaces."""
_GROUPED = re.compile(r"(?<=[0-9])\{,\}(?=[0-9]{3}(?![0-9]))")
_TOKEN = re.compile(
    rf"""(?P<number>(?:[0-9]{{1,3}}(?:[ ][0-9]{{3}})+(?![0-9]|\s*/)|[0-9]+)(?:[.,'_{_THIN}][0-9]+)*|(?<![\w.])\.[0-9]+)
    (?P<power>[eE][+-]?[0-9]+(?!\w))?
    |(?P<raised>[\u2070\u00b9\u00b2\u00b3\u2074-\u207b]+)
    |(?P<vulgar>[\u00bc-\u00be\u2150-\u215e])
    |(?P<word>[^\W\d_](?:[^\W_]|(?<=n)'(?=t)|'(?=s\b|re\b))*)
    |(?P<command>\\[A-Za-z]+)
    |(?P<dots>\.\.\.+|\u2026)
    |(?P<at_most><=|=<)|(?P<at_least>>=)|(?P<not_equal>!=|/=)|(?P<arrow>[=-]>)|(?P<plus_minus>\+\s?/\s?-|\+-)
    |(?P<sign>[^\s\w])""",
    re.VERBOSE,
)
_POWER = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207a\u207b", "0123456789+-")


@dataclass(frozen=True)
class Token:
    """A number, a word or a sign."""

    kind: str
    """`number`, `fraction` (of LaTeX or one sign), `word`, `raised`, `command`, `dots` or `sign`."""
    text: str
    value: Fraction | None = None
    """The value of a number or fraction; None where it cannot be read."""
    spaced: bool = True
    """Whether a space comes before it."""


def clean(text: str) -> str:
    """A text without struck-out parts, emphasis, and LaTeX that only formats."""
    text = _ABSOLUTE.sub(r"\1", _STRUCK.sub(" ", _FOLLOWS.sub(r"\1 so ", text)))
    text = (
        _ANGLES.sub(r" \1 ", _TAG.sub(" ", text))
        .replace("\\%", "%")
        .replace("\\$", "")
        .replace("\\!", "")
        .replace("\\,", _THIN)
    )
    text = re.sub(r"\\[()\[\]]", " ", re.sub(r"\\[;: ]", " ", text))
    text = _CURRENCY.sub(" ", _DASHES.sub("\u2013", text))
    text = _GROUPED.sub(_THIN, text).replace("{,}", ".")
    for _ in range(2):
        text = _EMPHASIS.sub(r"\2", text)
    text = _SUBSCRIPT.sub(r"\1", text)
    return _JOINED.sub(" ", text.translate(_SIGNS))


def tokens(text: str, marked: bool = True) -> list[Token]:
    """The tokens of a cleaned text; numbers in words are read too (`words.in_digits`)."""
    return list(_tokens(in_digits(text, marked)))


def _tokens(text: str) -> Iterator[Token]:
    at = end = 0
    text = _DEGREES.sub("\u00b0", _COMMAND.sub(lambda match: _COMMANDS.get(match[1], match[0]), text))
    fraction = _FRACTION.search(text)
    while True:
        match = _TOKEN.search(text, at)
        if fraction and match and fraction.start() <= match.start():
            top, middle = _argument(text, fraction.end())
            bottom, stop = _argument(text, middle)
            yield Token("fraction", text[fraction.start() : stop], _divided(top, bottom), fraction.start() > end)
            at = end = stop
            fraction = _FRACTION.search(text, at)
        elif match:
            if match.group() not in "{}":
                yield _token(match, match.start() > end)
                end = match.end()
            elif match.start() == end:
                end = match.end()
            at = match.end()
        else:
            return


def _token(match: re.Match[str], spaced: bool) -> Token:
    kind, text = match.lastgroup or "", match.group()
    if kind in ("number", "power"):
        return Token("number", text, _number(match["number"], match["power"]), spaced)
    if kind == "vulgar":
        return Token("fraction", text, Fraction(unicodedata.numeric(text)).limit_denominator(10), spaced)
    if kind == "raised":
        return Token("raised", text.translate(_POWER), None, spaced)
    signs = {"at_most": "<", "at_least": ">", "not_equal": "\u2260", "arrow": "=", "plus_minus": "\u00b1"}
    return Token("sign" if kind in signs else kind, signs.get(kind, text), None, spaced)


def _number(digits: str, power: str | None) -> Fraction | None:
    """The value of digits with separators; None where they cannot be read, or in two ways."""
    if len(digits) > LONGEST or (power and abs(int(power[1:])) > LONGEST):
        return None
    *groups, last = re.split(r"[.,'_ \u2009]", digits)
    separators = re.findall(r"[.,'_ \u2009]", digits)
    whole = [*groups, last]
    decimals = ""
    if separators and (
        (separators[-1] == "." and (len(separators) == 1 or separators.count(".") == 1))
        or (separators[-1] == "," and len(set(separators)) == 2 and separators.count(",") == 1)
    ):
        whole, decimals, separators = groups, last, separators[:-1]
    if separators and not (
        len(set(separators)) == 1
        and 1 <= len(whole[0]) <= 3
        and whole[0][0] != "0"
        and all(len(g) == 3 for g in whole[1:])
    ):
        return None
    return Fraction(f"{''.join(whole) or '0'}.{decimals or '0'}{power or ''}")


def _argument(text: str, start: int) -> tuple[str, int]:
    """An argument of a LaTeX command, in braces or a single character, and the index after it."""
    while start < len(text) and text[start] in f" \t{_THIN}":
        start += 1
    if text[start : start + 1] != "{":
        return text[start : start + 1], min(start + 1, len(text))
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if depth == 0:
            return text[start + 1 : at], at + 1
    return text[start + 1 :], len(text)


def _divided(top: str, bottom: str) -> Fraction | None:
    """A LaTeX fraction of two numbers."""
    values = []
    for text in (top, bottom):
        negative = text.strip().startswith("-")
        inner = list(_tokens(text.strip().removeprefix("-")))
        if len(inner) != 1 or inner[0].value is None:
            return None
        values.append(-inner[0].value if negative else inner[0].value)
    return values[0] / values[1] if values[1] else None
