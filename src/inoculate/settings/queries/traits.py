"""What is special about the rows of a database: ties, repeats, equal groups, things without parts.

A mistake in a query shows only where a database has such traits; databases drawn at random seldom have them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from inoculate.settings.queries.worlds import Tables, World

Row = Sequence[Any]


def find_traits(world: World, tables: Tables, numbers: Sequence[int], texts: Sequence[str]) -> set[str]:
    """The traits of a database.

    Args:
        world: Has the names of the columns.
        tables: The rows.
        numbers: The numbers in a query.
        texts: The texts in a query.
    """
    traits = set[str]()
    names = {row[0]: row[1] for row in tables.get(world.things, ())}
    for table, rows in tables.items():
        columns = world.columns[table]
        values = [index for index, column in enumerate(columns) if column in (world.score, world.amount, world.time)]
        groups = [index for index, column in enumerate(columns) if column in (world.key, world.group, world.label)]
        for value in values:
            traits.update(f"{columns[value]}: {trait}" for trait in _value_traits(_column(rows, value)))
        for group, value in product(groups, values):
            grouped = _group_values(rows, group, value)
            by = f"{columns[value]} by {columns[group]}"
            traits.update(f"{by}: {trait}" for trait in _group_traits(grouped, numbers, names))
    if len(tables) == 2:
        owners = {row[1] for row in tables[world.parts]}
        without_parts = [row for row in tables[world.things] if row[0] not in owners]
        traits.update(f"without parts{f', {row[1]}' if row[1] in texts else ''}" for row in without_parts)
    present = {value for rows in tables.values() for row in rows for value in row}
    return traits | {f"no {text}" for text in texts if text not in present}


def _value_traits(values: Sequence[int | None]) -> Iterator[str]:
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


def _column(rows: Sequence[Row], value: int) -> list[Any]:
    return [row[value] for row in rows]


def _group_values(rows: Sequence[Row], group: int, value: int) -> dict[Any, list[int]]:
    """The known values of each group."""
    groups: dict[Any, list[int]] = defaultdict(list)
    for row in rows:
        if row[value] is not None:
            groups[row[group]].append(row[value])
    return groups


def _group_traits(groups: Mapping[Any, list[int]], numbers: Sequence[int], names: Mapping[Any, Any]) -> Iterator[str]:
    """The traits of groups; `names` has the names of things by id, for groups that belong to things."""
    for values in groups.values():
        if len(values) > len(set(values)) > 1:
            yield "a group repeats one value of several"
        if len(groups) > 1:
            yield from (f"in a group, {trait}" for trait in _value_traits(values) if len(values) > 1)
        for number in numbers:
            if sum(values) == number:
                yield f"a sum is {number}"
            if sum(set(values)) <= number < sum(values):
                yield f"a sum is above {number} by what is repeated"
    for name, totals in (
        ("sums", {group: sum(values) for group, values in groups.items()}),
        ("largest", {group: max(values) for group, values in groups.items()}),
        ("sizes", {group: len(values) for group, values in groups.items()}),
    ):
        different = set(totals.values())
        if len(different) < len(totals):
            yield f"equal {name}{' of several' if len(different) > 1 else ''}"
        first = [group for group, total in totals.items() if total == max(different)]
        if len(first) > 1:
            yield f"equal largest {name}"
            for end, group in (("first", min(first)), ("last", max(first))):
                if group in names and names[group] != min(names[other] for other in first):
                    yield f"equal largest {name}, and the {end} by id is not the first by name"
