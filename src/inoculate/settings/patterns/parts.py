"""The parts of languages: a run of characters, a fixed text, an optional part, a choice, a group.

Every part has a description, a pattern in two styles, and a way to draw it that does not use the pattern.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits


@dataclass(frozen=True)
class Part:
    """A part of a string."""

    words: str
    patterns: tuple[str, str]
    draw: Callable[[Random], str]


Maker = Callable[[Random], Part]
"""Draws the counts and texts of a part, and returns it."""


@dataclass(frozen=True)
class Chars:
    """A set of characters."""

    one: str
    many: str
    range: str
    """As it is written in descriptions."""
    sets: tuple[str, str]
    alphabet: str


DIGIT = Chars("digit", "digits", "[0-9]", (r"\d", "[0-9]"), digits)
LOWER = Chars("lowercase letter", "lowercase letters", "[a-z]", ("[a-z]", "[a-z]"), ascii_lowercase)
UPPER = Chars("uppercase letter", "uppercase letters", "[A-Z]", ("[A-Z]", "[A-Z]"), ascii_uppercase)
LETTER = Chars("letter", "letters", "[a-zA-Z]", ("[A-Za-z]", "[a-zA-Z]"), ascii_letters)
HEX = Chars("hex digit", "hex digits", "[0-9a-f]", ("[0-9a-f]", r"[\da-f]"), "0123456789abcdef")
MIXED = Chars("character", "characters", "[a-z0-9]", ("[a-z0-9]", r"[a-z\d]"), ascii_lowercase + digits)
CAPITAL = Chars("character", "characters", "[A-Z0-9]", ("[A-Z0-9]", r"[A-Z\d]"), ascii_uppercase + digits)
VOWEL = Chars("vowel", "vowels", "[aeiou]", ("[aeiou]", "[aeiou]"), "aeiou")
BIT = Chars("binary digit", "binary digits", "[01]", ("[01]", "[01]"), "01")


def escaped(text: str) -> str:
    """A text as a pattern, with backslashes only where they are needed."""
    return "".join(f"\\{character}" if character in r"\.^$*+?{}[]|()" else character for character in text)


def drawn(chars: Chars, random: Random, shortest: int, longest: int) -> str:
    """A run of characters."""
    return "".join(random.choice(chars.alphabet) for _ in range(random.randint(shortest, longest)))


def _make_run(chars: Chars, count: str, quantifier: str, shortest: int, longest: int) -> Part:
    name = chars.one if count == "one" else chars.many
    first, second = (f"{written}{quantifier}" for written in chars.sets)
    return Part(
        f"{count} {name} {chars.range}", (first, second), lambda random: drawn(chars, random, shortest, longest)
    )


def one(chars: Chars) -> Maker:
    """A single character."""
    return lambda random: _make_run(chars, "one", "", 1, 1)


def exactly(chars: Chars, least: int = 2, most: int = 5) -> Maker:
    """A run of a fixed length."""

    def make(random: Random) -> Part:
        count = random.randint(least, most)
        if count == 1:
            return one(chars)(random)
        return _make_run(chars, f"exactly {count}", f"{{{count}}}", count, count)

    return make


def between(chars: Chars, least: int = 1, most: int = 3) -> Maker:
    """A run of `low` to `high` characters."""

    def make(random: Random) -> Part:
        low = random.randint(least, most)
        high = low + random.randint(1, 3)
        return _make_run(chars, f"{low} to {high}", f"{{{low},{high}}}", low, high)

    return make


def run(chars: Chars, longest: int = 6) -> Maker:
    """A run of one or more characters."""
    return lambda random: _make_run(chars, "one or more", "+", 1, longest)


def at_least(chars: Chars) -> Maker:
    """A run of at least two or three characters."""

    def make(random: Random) -> Part:
        least = random.randint(2, 3)
        return _make_run(chars, f"at least {least}", f"{{{least},}}", least, least + 4)

    return make


def fixed(*texts: str) -> Maker:
    """One of the texts, drawn for the problem."""

    def make(random: Random) -> Part:
        text = random.choice(texts)
        return Part(repr(text), (escaped(text), escaped(text)), lambda random: text)

    return make


def one_of(*texts: str, count: int = 3) -> Maker:
    """Any one of `count` texts, which are drawn for the problem."""

    def make(random: Random) -> Part:
        chosen = random.sample(texts, count)
        pattern = "|".join(map(escaped, chosen))
        words = f"one of {', '.join(map(repr, chosen))}"
        return Part(words, (f"(?:{pattern})", f"({pattern})"), lambda random: random.choice(chosen))

    return make


def joined(parts: Sequence[Part]) -> Part:
    """One part after the other."""
    first, second = ("".join(part.patterns[style] for part in parts) for style in (0, 1))
    return Part(
        ", then ".join(part.words for part in parts),
        (first, second),
        lambda random: "".join(part.draw(random) for part in parts),
    )


def bracketed(words: str) -> str:
    """A description in brackets, unless it has them."""
    return words if words.startswith("(") and words.index(")") == len(words) - 1 else f"({words})"


def _grouped(part: Part, makers: Sequence[Maker]) -> str:
    return part.words if len(makers) == 1 else bracketed(part.words)


def optional(*makers: Maker) -> Maker:
    """A part, or a group of them, that may be missing."""

    def make(random: Random) -> Part:
        part = joined([maker(random) for maker in makers])
        words = f"optionally {_grouped(part, makers)}"
        patterns = (f"(?:{part.patterns[0]})?", f"({part.patterns[1]})?")
        return Part(words, patterns, lambda random: part.draw(random) if random.random() < 0.5 else "")

    return make


def either(first: Sequence[Maker], second: Sequence[Maker]) -> Maker:
    """One of two groups of parts."""

    def make(random: Random) -> Part:
        sides = [joined([maker(random) for maker in side]) for side in (first, second)]
        left, right = sides
        words = f"(either {_grouped(left, first)} or {_grouped(right, second)})"
        patterns = (f"(?:{left.patterns[0]}|{right.patterns[0]})", f"({right.patterns[1]}|{left.patterns[1]})")
        return Part(words, patterns, lambda random: random.choice(sides).draw(random))

    return make


def repeated(*makers: Maker, least: int = 2, most: int = 3) -> Maker:
    """A group that is repeated, each time drawn again."""

    def make(random: Random) -> Part:
        part = joined([maker(random) for maker in makers])
        count = random.randint(least, most)
        words = f"exactly {count} groups, each of which is {bracketed(part.words)}"
        first, second = (f"(?:{part.patterns[0]}){{{count}}}", f"({part.patterns[1]}){{{count}}}")
        return Part(words, (first, second), lambda random: "".join(part.draw(random) for _ in range(count)))

    return make
