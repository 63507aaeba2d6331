"""Mutants of right queries: with other names, values or functions, or run on a part of the rows.

Hidden databases are chosen by the mutants that they kill. What gets past them is measured with other mutation operators
(clauses, joins, order: `benchmarks/sql_faults.py`), so that the choice does not measure itself. Two ideas are in both,
since there are few ways to be wrong there: a limit that is off at equality, and duplicate rows that count once
(DISTINCT there, a table grouped by columns here).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations

from inoculate.settings.queries.worlds import Uses, World

_TOKEN = re.compile(r"'(?:[^']|'')*'|\d+\.\d+|\w+|<>|<=|>=|\|\||\s+|.")
_SIMILAR_TOKENS = {
    "SUM": ("COUNT", "MAX"), "AVG": ("MIN", "SUM"), "MAX": ("MIN", "SUM"), "MIN": ("MAX", "AVG"), "COUNT": ("SUM",),
    "AND": ("OR",), "OR": ("AND",), "LAG": ("LEAD",), "RANK": ("ROW_NUMBER", "DENSE_RANK"),
    "DENSE_RANK": ("RANK", "ROW_NUMBER"), "ROW_NUMBER": ("RANK",), "+": ("-",), "-": ("+",), "*": ("+",),
    "%": ("/",), "/": ("*",), "=": ("LIKE",), "<": ("< 1 +", "<>"), ">": ("> -1 +", "<>"), "<=": ("<= -1 +", "="),
    ">=": (">= 1 +", "="),
}  # fmt: skip


def make_mutants(queries: Sequence[str], world: World, uses: Uses) -> list[str]:
    """Mutants of right queries: with a single token replaced, or on other rows."""
    others = _token_replacements(world)
    mutants: set[str] = set()
    for query in queries:
        tokens = _TOKEN.findall(query)
        for place, token in enumerate(tokens):
            before, after = tokens[:place], tokens[place + 1 :]
            mutants.update("".join((*before, other, *after)) for other in _replaced_token(token, others))
    return [*sorted(mutants), *_mutants_on_other_rows(queries[0], world, uses)]


def _token_replacements(world: World) -> Mapping[str, tuple[str, ...]]:
    """Replacements for tokens: columns of the same table, texts of the same column, similar functions and operators."""
    replacements = dict(_SIMILAR_TOKENS)
    for columns in world.columns.values():
        for at, column in enumerate(columns):
            replacements[column] = (columns[at - 1], columns[(at + 1) % len(columns)])
    for texts in (world.groups, world.labels, world.names):
        quoted = [f"'{text}'" for text in texts]
        for at, text in enumerate(quoted):
            replacements[text] = (quoted[at - 1], quoted[(at + 1) % len(quoted)])
    return replacements


def _replaced_token(token: str, others: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    yield from others.get(token, ())
    if token.isdigit():
        yield str(int(token) + 1)
        yield str(int(token) - 1)


def _mutants_on_other_rows(query: str, world: World, uses: Uses) -> Iterator[str]:
    """The query on tables in which duplicate rows are dropped, rows are sorted, or every thing has a part."""
    for table in world.tables(uses):
        columns = [column for column in world.columns[table] if column not in ("id", "name")]
        for alike in chain.from_iterable(combinations(columns, size) for size in (1, 2, 3)):
            yield from _with_other_rows(query, table, f"SELECT * FROM {table} GROUP BY {', '.join(alike)}")
        yield from _with_other_rows(query, table, f"SELECT * FROM {table} ORDER BY id")
    if uses == "both":
        lacking = f"SELECT NULL, id, NULL, NULL, NULL FROM {world.things} WHERE id NOT IN"
        every = f"SELECT * FROM {world.parts} UNION ALL {lacking} (SELECT {world.key} FROM {world.parts})"
        yield from _with_other_rows(query, world.parts, every)


def _with_other_rows(query: str, table: str, rows: str) -> Iterator[str]:
    """A query that reads other rows in place of a table: wherever it reads that table, and in one place alone."""
    names = re.compile(rf"(?<=FROM ){table}\b|(?<=JOIN ){table}\b|(?<=, ){table}\b(?!\.)")
    places = [match.start() for match in names.finditer(query)]
    for changed in [places, *([place] for place in places if len(places) > 1)]:
        yield names.sub(lambda match, changed=changed: _replace_table(match, rows, changed), query)


def _replace_table(match: re.Match[str], rows: str, changed: Sequence[int]) -> str:
    if match.start() not in changed:
        return match.group()
    return f"({rows}){'' if _ALIAS.match(match.string, match.end()) else f' AS {match.group()}'}"


_ALIAS = re.compile(r" AS\b| [a-z]\b")


def constants(query: str) -> tuple[list[int], list[str]]:
    """The integers and the texts in a query."""
    tokens = _TOKEN.findall(query)
    numbers = sorted({int(token) for token in tokens if token.isdigit()})
    return numbers, sorted({token[1:-1] for token in tokens if token.startswith("'")})


def all_constants(queries: Sequence[str]) -> tuple[list[int], list[str]]:
    """The constants of several queries."""
    numbers, texts = zip(*map(constants, queries), strict=True)
    return sorted({*chain(*numbers)}), sorted({*chain(*texts)})
