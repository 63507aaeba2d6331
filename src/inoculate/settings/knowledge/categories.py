"""What the setting `knowledge` asks about: categories of things (towns, elements), and facts about each thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

from inoculate.records import Split

ValueKind = Literal["name", "person", "code", "number", "year"]
"""How an answer is found in a reply: names in any case, persons by their surname too, codes in their own case only,
numbers and years by their value."""


@dataclass(frozen=True)
class Name:
    """A name and other forms of it."""

    text: str
    others: tuple[str, ...] = ()

    @property
    def forms(self) -> tuple[str, ...]:
        """All forms."""
        return (self.text, *self.others)


@dataclass(frozen=True)
class Relation:
    """A property that each thing of a category has."""

    name: str
    split: Split
    """Relations are assigned to splits by hand, so that every split has all families and levels."""
    kind: ValueKind
    phrase: str
    """`the mayor of {name}`"""
    statements: tuple[str, ...]
    """Sentences of a passage, with `{name}` and `{value}`."""
    question: str = ""
    """A question for the value; '' where values could not be told from other words of a reply."""
    reverse_question: str = ""
    """A question for the thing, with `{value}`; '' where several things may have the same value."""
    extra_answers: tuple[str, ...] = ()
    """Further answers that a reply could name, besides those of the table."""

    @property
    def questions(self) -> tuple[str, ...]:
        """Wordings of the question for the value."""
        return (self.question, f"Give {self.phrase}.")


Thing = Mapping[str, Name]
"""A thing: its name under `name`, and its values under the names of their relations."""


@dataclass(frozen=True)
class Category:
    """A category of things."""

    name: str
    noun: str
    is_invented: bool
    """Whether its facts are invented, so that no model can know them."""
    relations: tuple[Relation, ...]
    draw: Callable[[Random, int], list[Thing]]
    """Draws distinct things, no two with the same value; fewer if there are not enough."""
    all_things: tuple[Thing, ...] = ()
    """The whole table, for real facts."""

    def relation(self, name: str) -> Relation:
        """The relation of that name."""
        return next(relation for relation in self.relations if relation.name == name)
