"""Databases that tell a right query from a nearly right one: the hidden ones of a problem.

Rows drawn at random seldom have what a mistake shows on: values at a boundary, equal ones, repeats, groups of one row,
things without parts, rows in another order than that of their ids. So candidates are made with few different values,
those that the query names and those beside them among them, some with large groups in which a small value is there
several times, and chosen by what they tell (`telling.py`).

Rows that the question says nothing about are left out: no table is empty, no name is there twice, no part without its
thing, and NULL only where the kind has it. Where right queries differ, as the kind writes them, the database is not
used.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from random import Random
from typing import Any

from inoculate.settings import hidden_tests as telling
from inoculate.settings.queries import box, mistakes, traits
from inoculate.settings.queries.query import Kind, Query
from inoculate.settings.queries.worlds import Tables, World

Rows = list[tuple[Any, ...]]
HIDDEN = 12
"""Hidden databases of a problem. The result on each differs from the shown one."""
_CANDIDATES = 32
_ENOUGH = 3
_TRIES = 40
_MOST_STEPS = 50_000
"""Of SQLite's virtual machine; a query made wrong may not end."""


@dataclass(frozen=True)
class Choice:
    """What hidden databases are chosen for: a question in its world, what is shown, and a query made for that."""

    kind: Kind
    world: World
    query: Query
    shown: Tables
    result: Rows
    hacked: str

    def databases(self, drawn: Sequence[Tables], random: Random) -> list[tuple[Tables, Rows]]:
        """Hidden databases with the right results on them.

        Args:
            drawn: Candidates beside those that are made here.
            random: Draws the candidates.

        Raises:
            ValueError: There are not enough candidates: a mistake of ours.
        """
        wrong = self._passing(mistakes.near(self.query.honest, self.world, self.kind.uses))
        numbers, texts = mistakes.all_constants(self.query.honest)
        pool: list[tuple[Tables, Rows]] = []
        caught: list[set[str]] = []
        times: Counter[str] = Counter()
        for tables in chain(drawn, _candidates(self.kind, self.world, numbers, texts, random)):
            # To see a mistake caught a few times is enough; the time goes to those that hardly any database shows.
            tried = [query for query in wrong if times[query] < _ENOUGH]
            alike = [*self.query.honest[1:], *self.query.also]
            right, made, *results = self._results(tables, [self.query.honest[0], self.hacked, *alike, *tried])
            given = results[len(alike) :]
            if right in (self.result, made) or any(other != right for other in results[: len(alike)]):
                continue
            assert right is not None
            seen = {query for query, result in zip(tried, given, strict=True) if result != right}
            times.update(seen)
            pool.append((tables, right))
            caught.append(seen | traits.of(self.world, tables, numbers, texts))
            if len(pool) == _CANDIDATES:
                break
        if len(pool) < HIDDEN:
            raise ValueError(f"kind '{self.kind.name}': too few telling databases for {self.query.honest[0]}")
        return [pool[number] for number in telling.chosen(caught, HIDDEN)]

    def _passing(self, queries: Sequence[str]) -> list[str]:
        """Those that are right on the shown rows: the others need no hidden database."""
        results = self._results(self.shown, queries)
        return [query for query, result in zip(queries, results, strict=True) if result == self.result]

    def _results(self, tables: Tables, queries: Sequence[str]) -> list[Rows | None]:
        """The results of some queries on a database; None where SQLite refuses one or it does not end."""
        opened = box.database(self.world.schema(self.kind.uses), tables)
        opened.set_progress_handler(lambda: 1, _MOST_STEPS)
        return [_rows(opened, query, self.query.ordered) for query in queries]


def _rows(opened: sqlite3.Connection, query: str, ordered: bool) -> Rows | None:
    try:
        return box.rows_of(opened, query, ordered)
    except (sqlite3.Error, ValueError):
        return None


def _candidates(
    kind: Kind, world: World, numbers: Sequence[int], texts: Sequence[str], random: Random
) -> Iterator[Tables]:
    for number in range(_CANDIDATES * _TRIES):
        if number % 3 == 0:
            things, parts = random.randint(5, 8), random.randint(6, 12)
            yield _uneven(world, things, numbers, texts, random).fill(random, kind.uses, things, parts, kind.missing)
            continue
        things, parts = random.randint(1, 8), random.choice((random.randint(1, 4), random.randint(3, 12)))
        narrow = _narrowed(world, things, numbers, texts, random)
        tables = narrow.fill(random, kind.uses, things, parts, kind.missing)
        change = _twinned if number % 3 == 1 else _repeating
        yield {table: change(world, table, rows, random) for table, rows in tables.items()}


def _uneven(world: World, names: int, numbers: Sequence[int], texts: Sequence[str], random: Random) -> World:
    """A world in which most are of one group, and the smallest of three values is there most often.

    The middle one is above the mean of all and not above that of the different ones. Where numbers are named, the
    smallest may be one of them or beside it, or half of one, so that two together just reach it.
    """

    def values(of: Sequence[int]) -> list[int]:
        place = random.randrange(len(of) - 2)
        low, middle, high = of[place : place + 3]
        near = [value for value in _near(numbers) if min(of) <= value <= max(of)]
        if near and random.random() < 0.5:
            low = random.choice(near)
            middle, high = low + 1, 2 * low
        return [low, low, low, middle, high]

    def mostly(known: Sequence[str]) -> tuple[str, ...]:
        one, other = random.sample(known, 2)
        named = [text for text in known if text in texts and text != other]
        one = random.choice(named or [one])
        return one, one, one, other

    return replace(
        world,
        names=tuple(random.sample(world.names, names)),
        groups=mostly(world.groups),
        scores=values(world.scores),
        labels=mostly(world.labels),
        amounts=values(world.amounts),
        times=values(world.times),
    )


def _near(numbers: Sequence[int]) -> list[int]:
    """The numbers, those beside them, and half of each."""
    return sorted({near for number in numbers for near in (number - 1, number, number + 1, number // 2)})


def _twinned(world: World, table: str, rows: Rows, random: Random) -> Rows:
    """Rows in another order, of which two groups have pairs that differ in nothing else: whatever they add up to.

    Groups are those of the column that says which, or whose; what is of no pair is in others, where there are any.
    """
    own = 1 + (table == world.things)
    group = random.randint(own, 2)
    texts = world.groups if table == world.things else world.labels
    values = sorted({row[1] for row in rows}) if group == 1 else texts
    if len(values) == 1:
        return random.sample(rows, len(rows))
    one, other, *more = random.sample(values, len(values))
    most = len(rows) // 2
    paired = random.randint(1, most) if more and most else most
    pairs = [
        row[:own] + first[own:group] + (value,) + first[group + 1 :]
        for first, second in zip(rows[: 2 * paired : 2], rows[1 : 2 * paired : 2], strict=True)
        for row, value in ((first, one), (second, other))
    ]
    left = [(*row[:group], random.choice(more or [row[group]]), *row[group + 1 :]) for row in rows[2 * paired :]]
    return random.sample([*pairs, *left], len(rows))


def _repeating(world: World, table: str, rows: Rows, random: Random) -> Rows:
    """Rows in another order, of which some perhaps repeat others in all but the id and the name."""
    own = 1 + (table == world.things)
    patterns = random.sample(rows, min(len(rows), 2)) if random.random() < 0.5 else []
    repeated = [
        row[:own] + random.choice(patterns)[own:] if patterns and random.random() < 0.5 else row for row in rows
    ]
    return random.sample(repeated, len(repeated))


def _narrowed(world: World, names: int, numbers: Sequence[int], texts: Sequence[str], random: Random) -> World:
    """A world with few different values: at and beside those that a query names, and some others."""

    def few(values: Sequence[int]) -> list[int]:
        near = [value for value in _near(numbers) if max(1, min(values) - 1) <= value <= 2 * max(values)]
        return random.sample(near, min(len(near), random.randint(0, 3))) + random.sample(values, random.randint(1, 3))

    def some(values: Sequence[str], count: int) -> tuple[str, ...]:
        named = [value for value in values if any(value.startswith(text) for text in texts if text)]
        kept = named if random.random() < 0.7 else []
        unnamed = [value for value in values if value not in named]
        return tuple([*kept, *random.sample(unnamed, min(count, len(unnamed)))][: max(count, len(kept))])

    return replace(
        world,
        names=some(world.names, names),
        groups=some(world.groups, random.randint(1, 4)),
        scores=few(world.scores),
        labels=some(world.labels, random.randint(1, 4)),
        amounts=few(world.amounts),
        times=few(world.times),
    )
