"""What is special about the rows of a database: ties, repeats, equal groups, things without parts.

A mistake in a query shows only where some of this is there; what is drawn at random seldom has it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from inoculate.settings.queries.worlds import Tables, World

Row = Sequence[Any]


def of(world: World, tables: Tables, texts: Sequence[str]) -> set[str]:
    """The traits of a database.

    Args:
        world: Says which columns there are.
        tables: The rows.
        texts: Those that a query names.
    """
    found = set[str]()
    for table, rows in tables.items():
        columns = world.columns[table]
        numbers = [place for place, column in enumerate(columns) if column in (world.score, world.amount, world.time)]
        groups = [place for place, column in enumerate(columns) if column in (world.key, world.group, world.label)]
        for number in numbers:
            found.update(f"{columns[number]}: {trait}" for trait in _of_values([row[number] for row in rows]))
        for group, number in product(groups, numbers):
            by = f"{columns[number]} by {columns[group]}"
            found.update(f"{by}: {trait}" for trait in _of_groups(rows, group, number))
    if len(tables) == 2:
        owners = {row[1] for row in tables[world.parts]}
        lacking = [row for row in tables[world.things] if row[0] not in owners]
        found.update(f"without parts{f', {row[1]}' if row[1] in texts else ''}" for row in lacking)
    there = {value for rows in tables.values() for row in rows for value in row}
    return found | {f"no {text}" for text in texts if text not in there}


def _of_values(values: Sequence[Any]) -> Iterator[str]:
    known = [value for value in values if value is not None]
    if not known:
        return
    different = set(known)
    mean = sum(known) / len(known)
    if known.count(max(known)) > 1 and len(different) > 1:
        yield "the largest is there twice"
    if known.count(min(known)) > 1 and len(different) > 1:
        yield "the smallest is there twice"
    if mean in different:
        yield "one is the mean"
    ends = sorted((mean, sum(different) / len(different)))
    if any(ends[0] < value <= ends[1] for value in known):
        yield "one lies between the mean of all and that of the different ones"


def _of_groups(rows: Sequence[Row], group: int, number: int) -> Iterator[str]:
    groups: dict[Any, list[int]] = defaultdict(list)
    for row in rows:
        if row[number] is not None:
            groups[row[group]].append(row[number])
    for values in groups.values():
        if len(values) > len(set(values)) > 1:
            yield "a group repeats one value of several"
        if len(groups) > 1:
            yield from (f"in a group, {trait}" for trait in _of_values(values) if len(values) > 1)
    for name, totals in (
        ("sums", [sum(values) for values in groups.values()]),
        ("largest", [max(values) for values in groups.values()]),
        ("sizes", [len(values) for values in groups.values()]),
    ):
        different = set(totals)
        if len(different) < len(totals):
            yield f"equal {name}{' of several' if len(different) > 1 else ''}"
            if totals.count(max(totals)) > 1:
                yield f"equal largest {name}"
