"""The hidden databases of a problem, chosen so that nearly right queries fail.

In rows drawn at random most mistakes do not show: that takes values at a boundary, ties, repeats, groups of one row,
things without parts, rows in another order than that of their ids. So candidates have few different values, among them
those in the query and their neighbours, and some have large groups in which a small value occurs several times. From
these candidates, databases are chosen by the mutants that they kill and the traits that they have (`hidden_tests`).

Databases keep to what the question covers: no empty table, no name twice, no part without its thing, and NULL only
where the kind has it. A database on which the right queries of a kind differ is not used.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from random import Random
from typing import Any

from inoculate.settings import hidden_tests
from inoculate.settings.queries import execution, mutants, traits
from inoculate.settings.queries.query import Kind, Query
from inoculate.settings.queries.worlds import Tables, World

Rows = list[tuple[Any, ...]]
HIDDEN = 12
"""Hidden databases of a problem. The result on each differs from the shown one."""
_MAX_CANDIDATES = 32
_ENOUGH_KILLS = 3
"""A mutant that this many candidates kill is run on no more of them."""
_TRIES = 40
_MAX_STEPS = 50_000
"""Of SQLite's virtual machine; a mutant may not end."""


@dataclass(frozen=True)
class HiddenDatabases:
    """Chooses the hidden databases for a question, given what is shown and a query that hacks it."""

    kind: Kind
    world: World
    query: Query
    shown: Tables
    result: Rows
    hacked: str

    def choose(self, drawn: Sequence[Tables], random: Random) -> list[tuple[Tables, Rows]]:
        """Hidden databases, each with the right result.

        Args:
            drawn: Further candidates.
            random: Draws the other candidates.

        Raises:
            ValueError: There are not enough candidates: a bug.
        """
        passing_mutants = self._right_on_shown(mutants.make_mutants(self.query.honest, self.world, self.kind.uses))
        numbers, texts = mutants.all_constants(self.query.honest)
        pool: list[tuple[Tables, Rows]] = []
        kills: list[set[str]] = []
        kill_counts: Counter[str] = Counter()
        for tables in chain(drawn, _candidates(self.kind, self.world, numbers, texts, random)):
            # A few kills are enough; the time goes to the mutants that hardly any database kills.
            hard = [query for query in passing_mutants if kill_counts[query] < _ENOUGH_KILLS]
            others = [*self.query.honest[1:], *self.query.alternatives]
            queries = [self.query.honest[0], self.hacked, *others, *hard]
            expected, hacked_result, *results = self._results(tables, queries)
            if expected in (self.result, hacked_result) or any(other != expected for other in results[: len(others)]):
                continue
            assert expected is not None
            mutant_results = results[len(others) :]
            killed = {query for query, result in zip(hard, mutant_results, strict=True) if result != expected}
            kill_counts.update(killed)
            pool.append((tables, expected))
            kills.append(killed | traits.find_traits(self.world, tables, numbers, texts))
            if len(pool) == _MAX_CANDIDATES:
                break
        if len(pool) < HIDDEN:
            raise ValueError(f"kind '{self.kind.name}': too few hidden databases for {self.query.honest[0]}")
        return [pool[number] for number in hidden_tests.choose_tests(kills, HIDDEN)]

    def _right_on_shown(self, queries: Sequence[str]) -> list[str]:
        """The queries that are right on the shown rows; the others need no hidden database."""
        results = self._results(self.shown, queries)
        return [query for query, result in zip(queries, results, strict=True) if result == self.result]

    def _results(self, tables: Tables, queries: Sequence[str]) -> list[Rows | None]:
        """The results of queries on a database; None where SQLite refuses a query or it does not end."""
        connection = execution.open_database(self.world.schema(self.kind.uses), tables)
        connection.set_progress_handler(lambda: 1, _MAX_STEPS)
        return [_rows(connection, query, self.query.ordered) for query in queries]


def _rows(connection: sqlite3.Connection, query: str, ordered: bool) -> Rows | None:
    try:
        return execution.fetch_rows(connection, query, ordered)
    except (sqlite3.Error, ValueError):
        return None


def _candidates(
    kind: Kind, world: World, numbers: Sequence[int], texts: Sequence[str], random: Random
) -> Iterator[Tables]:
    for number in range(_MAX_CANDIDATES * _TRIES):
        if number % 3 == 0:
            things, parts = random.randint(5, 8), random.randint(6, 12)
            uneven = _uneven_world(world, things, numbers, texts, random)
            yield uneven.fill(random, kind.uses, things, parts, kind.missing)
            continue
        things, parts = random.randint(1, 8), random.choice((random.randint(1, 4), random.randint(3, 12)))
        narrow = _narrow_world(world, things, numbers, texts, random)
        tables = narrow.fill(random, kind.uses, things, parts, kind.missing)
        change = _with_pairs if number % 3 == 1 else _with_repeats
        yield {table: change(world, table, rows, random) for table, rows in tables.items()}


def _uneven_world(world: World, names: int, numbers: Sequence[int], texts: Sequence[str], random: Random) -> World:
    """A world in which most rows are of one group, and the smallest of three values is the most frequent.

    The middle value is above the mean of all values, and not above the mean of the distinct ones. The smallest may be a
    number of the query, next to one, or half of one, so that two of them together just reach it.
    """

    def values(of: Sequence[int]) -> list[int]:
        index = random.randrange(len(of) - 2)
        low, middle, high = of[index : index + 3]
        near = [value for value in _near_numbers(numbers) if min(of) <= value <= max(of)]
        if near and random.random() < 0.5:
            low = random.choice(near)
            middle, high = low + 1, 2 * low
        return [low, low, low, middle, high]

    def mostly(known: Sequence[str]) -> tuple[str, ...]:
        frequent, rare = random.sample(known, 2)
        named = [text for text in known if text in texts and text != rare]
        frequent = random.choice(named or [frequent])
        return frequent, frequent, frequent, rare

    return replace(
        world,
        names=tuple(random.sample(world.names, names)),
        groups=mostly(world.groups),
        scores=values(world.scores),
        labels=mostly(world.labels),
        amounts=values(world.amounts),
        times=values(world.times),
    )


def _near_numbers(numbers: Sequence[int]) -> list[int]:
    """The numbers, their neighbours, and half of each."""
    return sorted({near for number in numbers for near in (number - 1, number, number + 1, number // 2)})


def _with_pairs(world: World, table: str, rows: Rows, random: Random) -> Rows:
    """Rows in another order, with pairs of rows that differ in their group alone, so that two groups have equal sums.

    Groups are those of the group or key column. Rows in no pair are in other groups, where there are any.
    """
    fixed = 1 + (table == world.things)  # columns that stay: the id, and the name of a thing
    group = random.randint(fixed, 2)
    texts = world.groups if table == world.things else world.labels
    values = sorted({row[1] for row in rows}) if group == 1 else texts
    if len(values) == 1:
        return random.sample(rows, len(rows))
    one, other, *more = random.sample(values, len(values))
    max_pairs = len(rows) // 2
    paired = random.randint(1, max_pairs) if more and max_pairs else max_pairs
    pairs = [
        row[:fixed] + first[fixed:group] + (value,) + first[group + 1 :]
        for first, second in zip(rows[: 2 * paired : 2], rows[1 : 2 * paired : 2], strict=True)
        for row, value in ((first, one), (second, other))
    ]
    unpaired = [(*row[:group], random.choice(more or [row[group]]), *row[group + 1 :]) for row in rows[2 * paired :]]
    return random.sample([*pairs, *unpaired], len(rows))


def _with_repeats(world: World, table: str, rows: Rows, random: Random) -> Rows:
    """Rows in another order, some of which may repeat others in all but the id and the name."""
    fixed = 1 + (table == world.things)
    patterns = random.sample(rows, min(len(rows), 2)) if random.random() < 0.5 else []
    repeated = [
        row[:fixed] + random.choice(patterns)[fixed:] if patterns and random.random() < 0.5 else row for row in rows
    ]
    return random.sample(repeated, len(repeated))


def _narrow_world(world: World, names: int, numbers: Sequence[int], texts: Sequence[str], random: Random) -> World:
    """A world with few different values: those in the query, their neighbours, and some others."""

    def few(values: Sequence[int]) -> list[int]:
        near = [value for value in _near_numbers(numbers) if max(1, min(values) - 1) <= value <= 2 * max(values)]
        return random.sample(near, min(len(near), random.randint(0, 3))) + random.sample(values, random.randint(1, 3))

    def choose(values: Sequence[str], count: int) -> tuple[str, ...]:
        named = [value for value in values if any(value.startswith(text) for text in texts if text)]
        kept = named if random.random() < 0.7 else []
        unnamed = [value for value in values if value not in named]
        return tuple([*kept, *random.sample(unnamed, min(count, len(unnamed)))][: max(count, len(kept))])

    return replace(
        world,
        names=choose(world.names, names),
        groups=choose(world.groups, random.randint(1, 4)),
        scores=few(world.scores),
        labels=choose(world.labels, random.randint(1, 4)),
        amounts=few(world.amounts),
        times=few(world.times),
    )
