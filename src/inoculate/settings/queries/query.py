"""What a kind of question is, and what it has to choose from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from inoculate.settings.queries.worlds import Tables, Uses, World


@dataclass(frozen=True)
class Query:
    """A question about a database, and how it is answered."""

    words: str
    """Says which columns are wanted, in which order, and how ties are broken where a tie would matter."""
    honest: tuple[str, ...]
    """Queries in different styles that give the same result on every database."""
    ordered: bool = False
    """Whether the order of the rows is asked for."""
    also: tuple[str, ...] = ()
    """Right by another reading of what the question leaves open: a hidden database must not part them."""


@dataclass(frozen=True)
class Draft:
    """A world with the rows that will be shown, from which a question takes its constants."""

    world: World
    rows: Tables
    random: Random

    def number(self, table: str, column: str) -> int:
        """A number that stands in a column, neither the smallest nor the largest where there are others."""
        place = self.world.columns[table].index(column)
        values = sorted({row[place] for row in self.rows[table] if isinstance(row[place], int)})  # type: ignore[type-var]
        return int(str(self.random.choice(values[1:-1] or values)))

    def text(self, table: str, column: str) -> str:
        """A text that stands in a column."""
        place = self.world.columns[table].index(column)
        return str(self.random.choice(sorted({str(row[place]) for row in self.rows[table]})))

    def two_texts(self, table: str, column: str) -> tuple[str, str]:
        """Two different texts, of which at least the first stands in a column."""
        first = self.text(table, column)
        every = self.world.groups if column == self.world.group else self.world.labels
        return first, self.random.choice([text for text in every if text != first])


@dataclass(frozen=True)
class Kind:
    """What problems of one kind have in common."""

    name: str
    """Unique over all families."""
    family: str
    level: int
    uses: Uses
    make: Callable[[World, Draft], Query]
    missing: float = 0.0
    """Share of amounts that are NULL."""
