"""Running one query on a small database in memory: our own queries here, a model's in the sandbox.

The text of this file goes into the sandbox as part of the program that is graded there, so it needs nothing but Python.
The query is data to it. It may read (SELECT, WITH, VALUES) and nothing else, by SQLite's own authorizer: whatever would
write, attach a file, set a pragma, load an extension or draw a random number is refused when the query is prepared.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

MOST_ROWS = 1_000
"""Rows of a result; a longer one is no answer."""
_READING = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
_REFUSED = ("random", "randomblob", "load_extension")
_UNPARSED = ("syntax error", "incomplete input", "unrecognized token")


def _judge(action: int, first: str | None, second: str | None, *_: object) -> int:
    if action not in _READING or (action == sqlite3.SQLITE_FUNCTION and str(second).lower() in _REFUSED):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def database(schema: Mapping[str, Mapping[str, str]], tables: Mapping[str, Sequence[Any]]) -> sqlite3.Connection:
    """A database that can be read.

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
    connection.set_authorizer(_judge)
    return connection


def readable(query: str, schema: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a text is SQL at all: SQLite can parse it, and there is a statement in it."""
    try:
        return database(schema, {}).execute(query).description is not None
    except sqlite3.Error as error:
        return not any(words in str(error) for words in _UNPARSED)
    except sqlite3.Warning:  # more than one statement
        return True


def answer(
    query: str, schema: Mapping[str, Mapping[str, str]], tables: Mapping[str, Sequence[Any]], ordered: bool
) -> list[tuple[Any, ...]]:
    """The result of a query on a database of its own, as `result` says."""
    return rows_of(database(schema, tables), query, ordered)


def rows_of(opened: sqlite3.Connection, query: str, ordered: bool) -> list[tuple[Any, ...]]:
    """The result of a query in a form that can be compared.

    Rows are sorted unless their order is asked for; numbers are rounded to six decimals, so that sums in another order
    are the same.

    Raises:
        sqlite3.Error: SQLite refuses the query, or it is not one query.
        ValueError: The result has more than `MOST_ROWS` rows.
    """
    cursor = opened.execute(query)
    if cursor.description is None:
        raise sqlite3.ProgrammingError("it gives no result")
    rows = cursor.fetchmany(MOST_ROWS + 1)
    if len(rows) > MOST_ROWS:
        raise ValueError(f"more than {MOST_ROWS} rows")
    plain = [tuple(round(value, 6) if isinstance(value, float) else value for value in row) for row in rows]
    return plain if ordered else sorted(plain, key=lambda row: [_rank(value) for value in row])


def _rank(value: Any) -> tuple[int, Any]:
    """NULL before numbers before texts before bytes, as SQLite sorts them."""
    if value is None:
        return 0, 0
    return (1, value) if isinstance(value, (int, float)) else (2 + isinstance(value, bytes), value)
