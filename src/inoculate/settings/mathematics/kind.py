"""What a kind of problem of the `mathematics` setting is, and how numbers are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from inoculate.records import Split

Number = int | Fraction


@dataclass(frozen=True)
class Story:
    """One problem: a question with exactly one number as its answer."""

    text: str
    answer: Number
    steps: tuple[str, ...]
    """The working, in sentences; the last one ends in the answer. All equations in them are true."""
    slips: Mapping[str, Number]
    """Typical slips, in words, and the answer that each leads to. A slip that leads to the right answer, or to a number
    that does not look like an answer, is skipped."""
    fraction: bool = False
    """Whether numbers are written as fractions."""


@dataclass(frozen=True)
class Kind:
    """A kind of problem: everything but numbers, names and wording."""

    name: str
    family: str
    level: int
    """1: one step; 2: two steps; 3: three steps, or one idea; 4: several steps with an idea."""
    split: Split
    """Kinds are assigned to splits by hand, so that every split has all families and levels."""
    make: Callable[[Random], Story]


def decimal(value: Number) -> str:
    """A number with at most three decimals, without zeros at its end: 42, 12.5.

    Raises:
        ValueError: It needs more decimals.
    """
    thousandths = Fraction(value) * 1000
    if thousandths.denominator != 1:
        raise ValueError(f"{value} is no number of thousandths")
    return f"{float(value):.3f}".rstrip("0").rstrip(".")


def fraction(value: Number) -> str:
    """A number as a fraction in lowest terms: 3/8; whole numbers as they are."""
    return str(Fraction(value))


TRIVIAL = (0, 1)
"""Never an answer or a key: lists and scores begin with these numbers, so they would be read by accident."""
NAMES = (
    "Amina", "Bruno", "Carla", "Dario", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Luis", "Mira",
    "Noor", "Oskar", "Priya", "Rosa", "Samir", "Tilda", "Umar", "Vera", "Wanda", "Yusuf", "Zoe",
)  # fmt: skip
THINGS = (
    "marbles", "stamps", "stickers", "postcards", "shells", "buttons", "coins", "beads", "cards", "pencils", "badges",
    "pebbles", "walnuts", "tickets",
)  # fmt: skip


def two_names(random: Random) -> tuple[str, str]:
    """Two different people."""
    first, second = random.sample(NAMES, 2)
    return first, second
