"""What a kind of question is, and how a question gets its constants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from inoculate.settings.queries.worlds import Tables, Uses, World


@dataclass(frozen=True)
class Query:
    """A question about a database, with the queries that answer it."""

    question: str
    """Says which columns to return, in which order, and how to break ties where they matter."""
    honest: tuple[str, ...]
    """Queries in different styles that give the same result on every database."""
    ordered: bool = False
    """Whether the question asks for an order of the rows."""
    alternatives: tuple[str, ...] = ()
    """Right under another interpretation of the question: on hidden databases they must give the same result."""


@dataclass(frozen=True)
class ConstantPicker:
    """Draws the constants of a question from the rows that will be shown."""

    world: World
    rows: Tables
    random: Random

    def number(self, table: str, column: str) -> int:
        """A number from a column, neither the smallest nor the largest where there are others."""
        index = self.world.columns[table].index(column)
        column_values = (row[index] for row in self.rows[table])
        values = sorted({value for value in column_values if isinstance(value, int)})
        return self.random.choice(values[1:-1] or values)

    def text(self, table: str, column: str) -> str:
        """A text from a column."""
        index = self.world.columns[table].index(column)
        return str(self.random.choice(sorted({str(row[index]) for row in self.rows[table]})))

    def two_texts(self, table: str, column: str) -> tuple[str, str]:
        """Two different texts, at least the first of them from a column."""
        chosen = self.text(table, column)
        all_texts = self.world.groups if column == self.world.group else self.world.labels
        return chosen, self.random.choice([text for text in all_texts if text != chosen])


@dataclass(frozen=True)
class Kind:
    """What problems of one kind have in common."""

    name: str
    """Unique over all families."""
    family: str
    level: int
    uses: Uses
    make: Callable[[World, ConstantPicker], Query]
    missing: float = 0.0
    """Share of amounts that are NULL."""
