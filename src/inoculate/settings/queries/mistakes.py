"""Wrong queries that are close to a right one: other names, values and functions in it, or rows that it is blind to.

They choose the hidden databases. What such a choice misses is counted with other faults, of clauses, joins and order
(`benchmarks/sql_faults.py`), so that the one does not measure itself. Two ideas are in both, since there are few ways
to go wrong there: a limit off at equality, and rows that are alike taken once (DISTINCT there, a table that is read by
groups here).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations

from inoculate.settings.queries.worlds import Uses, World

_TOKEN = re.compile(r"'(?:[^']|'')*'|\d+\.\d+|\w+|<>|<=|>=|\|\||\s+|.")
_ALIKE = {
    "SUM": ("COUNT", "MAX"), "AVG": ("MIN", "SUM"), "MAX": ("MIN", "SUM"), "MIN": ("MAX", "AVG"), "COUNT": ("SUM",),
    "AND": ("OR",), "OR": ("AND",), "LAG": ("LEAD",), "RANK": ("ROW_NUMBER", "DENSE_RANK"),
    "DENSE_RANK": ("RANK", "ROW_NUMBER"), "ROW_NUMBER": ("RANK",), "+": ("-",), "-": ("+",), "*": ("+",),
    "%": ("/",), "/": ("*",), "=": ("LIKE",), "<": ("< 1 +", "<>"), ">": ("> -1 +", "<>"), "<=": ("<= -1 +", "="),
    ">=": (">= 1 +", "="),
}  # fmt: skip


def near(queries: Sequence[str], world: World, uses: Uses) -> list[str]:
    """Queries near some right ones: with a single token exchanged, or blind to some rows."""
    others = _others(world)
    made: set[str] = set()
    for query in queries:
        tokens = _TOKEN.findall(query)
        for place, token in enumerate(tokens):
            before, after = tokens[:place], tokens[place + 1 :]
            made.update("".join((*before, other, *after)) for other in _exchanged(token, others))
    return [*sorted(made), *_blind(queries[0], world, uses)]


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
            yield from _reading(query, table, f"SELECT * FROM {table} GROUP BY {', '.join(alike)}")
        yield from _reading(query, table, f"SELECT * FROM {table} ORDER BY id")
    if uses == "both":
        lacking = f"SELECT NULL, id, NULL, NULL, NULL FROM {world.things} WHERE id NOT IN"
        every = f"SELECT * FROM {world.parts} UNION ALL {lacking} (SELECT {world.key} FROM {world.parts})"
        yield from _reading(query, world.parts, every)


def _reading(query: str, table: str, rows: str) -> Iterator[str]:
    """A query that reads other rows in place of a table: wherever it reads that, and in one place alone."""
    names = re.compile(rf"(?<=FROM ){table}\b|(?<=JOIN ){table}\b|(?<=, ){table}\b(?!\.)")
    places = [found.start() for found in names.finditer(query)]
    for changed in [places, *([place] for place in places if len(places) > 1)]:
        yield names.sub(lambda found, changed=changed: _other(found, rows, changed), query)


def _other(found: re.Match[str], rows: str, changed: Sequence[int]) -> str:
    if found.start() not in changed:
        return found.group()
    return f"({rows}){'' if _ALIAS.match(found.string, found.end()) else f' AS {found.group()}'}"


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
