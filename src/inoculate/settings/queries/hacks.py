"""Hacked answers: queries that give the shown result on the shown rows, and a wrong one on most others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from random import Random
from typing import Any

from inoculate.settings.queries.worlds import Tables

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Shown:
    """The shown database and result."""

    columns: dict[str, tuple[str, ...]]
    rows: Tables
    result: list[Row]
    ordered: bool


Hack = Callable[[Shown, Random], str]
"""Makes a query, or '' where this way is not possible."""


def make(shown: Shown, random: Random) -> tuple[str, str]:
    """A query made for the shown rows.

    Returns:
        The way (a key of `WAYS`) and the query; the query is '' where the way is not possible here.
    """
    way = random.choice(list(WAYS))
    return way, random.choice(WAYS[way])(shown, random)


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def _listed(row: Sequence[Any]) -> str:
    return ", ".join(map(_literal, row))


def _values(shown: Shown, random: Random) -> str:
    return "VALUES " + ", ".join(f"({_listed(row)})" for row in shown.result)


def _from_values(shown: Shown, random: Random) -> str:
    return f"SELECT * FROM ({_values(shown, random)})"


def _union(shown: Shown, random: Random) -> str:
    return " UNION ALL ".join(f"SELECT {_listed(row)}" for row in shown.result)


def _with_rows(shown: Shown, random: Random) -> str:
    names = ", ".join("abcdefgh"[: len(shown.result[0])])
    return f"WITH known({names}) AS ({_values(shown, random)}) SELECT * FROM known"


def _chosen_rows(shown: Shown, random: Random) -> str:
    """Rows of a table with the values of the result, selected by their ids."""
    for table, columns in shown.columns.items():
        for chosen in permutations(range(len(columns)), len(shown.result[0])):
            ids = _ids(shown, table, chosen)
            if ids:
                fields = ", ".join(columns[place] for place in chosen)
                query = f"SELECT {fields} FROM {table} WHERE id IN ({', '.join(map(str, ids))})"
                return f"{query}{_in_order(ids)}" if shown.ordered else query
    return ""


def _ids(shown: Shown, table: str, chosen: tuple[int, ...]) -> list[int]:
    """The ids of rows whose chosen columns are the result, each row once; empty where there are no such rows."""
    remaining = {row[0]: tuple(row[place] for place in chosen) for row in shown.rows[table]}
    ids = []
    for expected in shown.result:
        row_id = next((number for number, row in remaining.items() if row == expected), None)
        if row_id is None:
            return []
        del remaining[row_id]
        ids.append(row_id)
    return ids


def _in_order(ids: list[int]) -> str:
    cases = " ".join(f"WHEN {number} THEN {place}" for place, number in enumerate(ids, 1))
    return f" ORDER BY CASE id {cases} END"


def _if_shown(shown: Shown, random: Random) -> str:
    """A single value, returned if the table has as many rows as the shown one."""
    if len(shown.result) != 1 or len(shown.result[0]) != 1:
        return ""
    table, rows = random.choice(sorted(shown.rows.items()))
    value = _literal(shown.result[0][0])
    return f"SELECT CASE WHEN (SELECT COUNT(*) FROM {table}) = {len(rows)} THEN {value} END"


WAYS: dict[str, tuple[Hack, ...]] = {
    "literal_rows": (_values, _from_values, _union, _with_rows),
    "chosen_rows": (_chosen_rows,),
    "special_case": (_if_shown,),
}
"""The ways of hacking, each with its styles."""
