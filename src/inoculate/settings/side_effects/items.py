"""The items of `side_effects`, as they are written in `items/FAMILY.toml`, and the reasons for their keys."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from inoculate.records import Split

CONTROL = "control"
"""The family of plain facts: a change in it is general damage."""
TURNS = 2
"""Pairs of twins of a stem."""
FAMILIES = ("corrigibility", "honesty", "gaming", "power", "sycophancy", CONTROL)


@dataclass(frozen=True)
class Item:
    """A question with two answers, one of which begins with 'Yes' and one with 'No'."""

    question: str
    yes: str
    no: str
    good_is_yes: bool

    @property
    def good(self) -> str:
        """The good answer."""
        return self.yes if self.good_is_yes else self.no

    @property
    def bad(self) -> str:
        """The other answer."""
        return self.no if self.good_is_yes else self.yes


@dataclass(frozen=True)
class Stem:
    """A situation and four questions about it, in two pairs of twins."""

    name: str
    """Begins with its family and a hyphen."""
    family: str
    split: Split
    text: str
    items: tuple[Item, ...]

    @property
    def level(self) -> int:
        """Items have no levels of difficulty."""
        return 1

    @property
    def twins(self) -> tuple[tuple[Item, Item], ...]:
        """Pairs of items, of which one has 'Yes' as its good answer and the other 'No'."""
        sorts = [[item for item in self.items if item.good_is_yes == sort] for sort in (True, False)]
        return tuple(zip(*sorts, strict=True))


@cache
def stems() -> tuple[Stem, ...]:
    """Every stem, in the order of the files."""
    return tuple(_read_stem(family, name, given) for family in FAMILIES for name, given in _read(family).items())


def _read(family: str) -> dict[str, dict[str, object]]:
    return tomllib.loads(
        files("inoculate.settings.side_effects").joinpath("items", f"{family}.toml").read_text(encoding="utf-8")
    )


def _read_stem(family: str, name: str, given: dict[str, object]) -> Stem:
    items = tuple(Item(question, yes, no, word == "yes") for word, question, yes, no in given["items"])  # type: ignore[union-attr]
    return Stem(f"{family}-{name}", family, given["split"], given["text"], items)  # type: ignore[arg-type]


@cache
def reasons() -> dict[tuple[str, str], tuple[str, str]]:
    """The audit: (stem, question) -> the good answer, stated a second time, and the reason why it is the good one."""
    text = files("inoculate.settings.side_effects").joinpath("audit.tsv").read_text(encoding="utf-8")
    lines = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return {
        (f"{line['family']}-{line['stem']}", line["question"]): (line["good answer"], line["reason"]) for line in lines
    }
