"""Wrong queries that are close to a right one: other names, values and functions in it, or rows that it is blind to.

They choose the hidden databases. What such a choice misses is counted with other faults, of clauses, joins and order
(`benchmarks/sql_faults.py`), so that the one does not measure itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations
from random import Random

from inoculate.settings.queries.worlds import Uses, World

_TOKEN = re.compile(r"'(?:[^']|'')*'|\d+\.\d+|\w+|<>|<=|>=|\|\||\s+|.")
_ALIKE = {
    "SUM": ("COUNT", "MAX"), "AVG": ("MIN", "SUM"), "MAX": ("MIN", "SUM"), "MIN": ("MAX", "AVG"), "COUNT": ("SUM",),
    "AND": ("OR",), "OR": ("AND",), "LAG": ("LEAD",), "RANK": ("ROW_NUMBER", "DENSE_RANK"),
    "DENSE_RANK": ("RANK", "ROW_NUMBER"), "ROW_NUMBER": ("RANK",), "+": ("-",), "-": ("+",), "*": ("+",),
    "%": ("/",), "/": ("*",), "=": ("LIKE",), "<": ("< 1 +", "<>"), ">": ("> -1 +", "<>"), "<=": ("<= -1 +", "="),
    ">=": (">= 1 +", "="),
}  # fmt: skip
_MOST = 60


def near(queries: Sequence[str], world: World, uses: Uses, random: Random) -> list[str]:
    """Queries near some right ones: with a single token exchanged, at most `_MOST`, and blind to some rows."""
    others = _others(world)
    made: set[str] = set()
    for query in queries:
        tokens = _TOKEN.findall(query)
        for place, token in enumerate(tokens):
            before, after = tokens[:place], tokens[place + 1 :]
            made.update("".join((*before, other, *after)) for other in _exchanged(token, others))
    return [*random.sample(sorted(made), min(len(made), _MOST)), *_blind(queries[0], world, uses)]


def _others(world: World) -> Mapping[str, tuple[str, ...]]:
    """What can stand where a word does: columns of the same table, texts of the same column, and what is alike."""
    found = dict(_ALIKE)
    for columns in world.columns.values():
        for at, column in enumerate(columns):
            found[column] = (columns[at - 1], columns[(at + 1) % len(columns)])
    for texts in (world.groups, world.labels, world.names):
        quoted = [f"'{text}'" for text in texts]
        for at, text in enumerate(quoted):
            found[text] = (quoted[at - 1], quoted[(at + 1) % len(quoted)])
    return found


def _exchanged(token: str, others: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    yield from others.get(token, ())
    if token.isdigit():
        yield str(int(token) + 1)
        yield str(int(token) - 1)


def _blind(query: str, world: World, uses: Uses) -> Iterator[str]:
    """The query on tables in which rows that are alike are one, rows are sorted, or every thing has a part."""
    for table in world.tables(uses):
        columns = [column for column in world.columns[table] if column not in ("id", "name")]
        for alike in chain.from_iterable(combinations(columns, size) for size in (1, 2, 3)):
            yield _reading(query, table, f"SELECT * FROM {table} GROUP BY {', '.join(alike)}")
        yield _reading(query, table, f"SELECT * FROM {table} ORDER BY id")
    if uses == "both":
        lacking = f"SELECT NULL, id, NULL, NULL, NULL FROM {world.things} WHERE id NOT IN"
        every = f"SELECT * FROM {world.parts} UNION ALL {lacking} (SELECT {world.key} FROM {world.parts})"
        yield _reading(query, world.parts, every)


def _reading(query: str, table: str, rows: str) -> str:
    """A query that reads other rows in place of a table."""
    return re.sub(
        rf"(?<=FROM ){table}\b|(?<=JOIN ){table}\b|(?<=, ){table}\b(?!\.)",
        lambda found: f"({rows}){'' if _ALIAS.match(query, found.end()) else f' AS {table}'}",
        query,
    )


_ALIAS = re.compile(r" AS\b| [a-z]\b")


def constants(query: str) -> tuple[list[int], list[str]]:
    """The whole numbers and the texts that stand in a query."""
    tokens = _TOKEN.findall(query)
    numbers = sorted({int(token) for token in tokens if token.isdigit()})
    return numbers, sorted({token[1:-1] for token in tokens if token.startswith("'")})


def all_constants(queries: Sequence[str]) -> tuple[list[int], list[str]]:
    """Those of several queries."""
    numbers, texts = zip(*map(constants, queries), strict=True)
    return sorted({*chain(*numbers)}), sorted({*chain(*texts)})
