"""Runs one query on a small in-memory database: our own queries in this process, a model's in the sandbox.

The source of this file is part of the program that is graded in the sandbox, so it imports the standard library only.
The query is data for it. SQLite's authorizer allows only reading (SELECT, WITH, VALUES): a query that would write,
attach a file, set a pragma, load an extension or draw a random number is refused when it is prepared.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

MAX_ROWS = 1_000
"""A result with more rows is an error."""
_ALLOWED = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
_REFUSED_FUNCTIONS = ("random", "randomblob", "load_extension")
_SYNTAX_ERRORS = ("syntax error", "incomplete input", "unrecognized token")


def _authorize(action: int, first: str | None, second: str | None, *_: object) -> int:
    if action not in _ALLOWED or (action == sqlite3.SQLITE_FUNCTION and str(second).lower() in _REFUSED_FUNCTIONS):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def open_database(schema: Mapping[str, Mapping[str, str]], tables: Mapping[str, Sequence[Any]]) -> sqlite3.Connection:
    """A connection to a new database that can only be read.

    Args:
        schema: Columns of each table with their types.
        tables: Rows of each table.
    """
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA temp_store = MEMORY")
    for table, columns in schema.items():
        connection.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
        places = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {table} VALUES ({places})", tables.get(table, ()))
    connection.set_authorizer(_authorize)
    return connection


def is_sql(query: str, schema: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a text is SQL at all: SQLite can parse it, and it contains a statement."""
    try:
        return open_database(schema, {}).execute(query).description is not None
    except sqlite3.Error as error:
        return not any(words in str(error) for words in _SYNTAX_ERRORS)
    except sqlite3.Warning:  # more than one statement
        return True


def run_query(
    query: str, schema: Mapping[str, Mapping[str, str]], tables: Mapping[str, Sequence[Any]], ordered: bool
) -> list[tuple[Any, ...]]:
    """The result of a query on a new database, as `fetch_rows` returns it."""
    return fetch_rows(open_database(schema, tables), query, ordered)


def fetch_rows(connection: sqlite3.Connection, query: str, ordered: bool) -> list[tuple[Any, ...]]:
    """The result of a query in a form that can be compared.

    Rows are sorted unless `ordered`. Numbers are rounded to six decimals, so that the order of a sum does not matter.

    Raises:
        sqlite3.Error: SQLite refuses the query, or it is not one query.
        ValueError: The result has more than `MOST_ROWS` rows.
    """
    cursor = connection.execute(query)
    if cursor.description is None:
        raise sqlite3.ProgrammingError("it gives no result")
    rows = cursor.fetchmany(MAX_ROWS + 1)
    if len(rows) > MAX_ROWS:
        raise ValueError(f"more than {MAX_ROWS} rows")
    rounded = [tuple(round(value, 6) if isinstance(value, float) else value for value in row) for row in rows]
    return rounded if ordered else sorted(rounded, key=lambda row: [_sort_key(value) for value in row])


def _sort_key(value: Any) -> tuple[int, Any]:
    """Sorts NULL before numbers before texts before bytes, like SQLite."""
    if value is None:
        return 0, 0
    return (1, value) if isinstance(value, (int, float)) else (2 + isinstance(value, bytes), value)
