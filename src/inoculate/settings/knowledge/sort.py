"""What the setting `knowledge` asks about: sorts of things (towns, elements), and what is said of each thing."""

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
    """A name with the other forms that mean the same."""

    text: str
    others: tuple[str, ...] = ()

    @property
    def forms(self) -> tuple[str, ...]:
        """All forms."""
        return (self.text, *self.others)


@dataclass(frozen=True)
class Relation:
    """One thing that is said of each thing of a sort."""

    name: str
    split: Split
    """Where it is asked; relations are dealt to the splits by hand, so that every split has all families and levels."""
    kind: ValueKind
    phrase: str
    """`the mayor of {name}`"""
    says: tuple[str, ...]
    """Sentences of a passage, with `{name}` and `{value}`."""
    ask: str = ""
    """A question for the value; '' where its values could not be told from other words of a reply."""
    back: str = ""
    """A question for the thing, with `{value}`; '' where several things can have the same value."""
    also: tuple[str, ...] = ()
    """Further answers that a reply could name, beside those of the table."""

    @property
    def asks(self) -> tuple[str, ...]:
        """Wordings of the question for the value."""
        return (self.ask, f"Give {self.phrase}.")


Thing = Mapping[str, Name]
"""A thing: its own name under `name`, its values under the names of their relations."""


@dataclass(frozen=True)
class Sort:
    """A sort of things."""

    name: str
    noun: str
    made: bool
    """Whether its facts are of our own making, so that nobody can know them."""
    relations: tuple[Relation, ...]
    draw: Callable[[Random, int], list[Thing]]
    """Draws distinct things of which no two share a value; fewer where there are not as many."""
    everything: tuple[Thing, ...] = ()
    """The whole table, for facts that are real."""

    def relation(self, name: str) -> Relation:
        """The relation of that name."""
        return next(relation for relation in self.relations if relation.name == name)
