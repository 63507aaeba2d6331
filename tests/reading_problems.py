"""Problems for the tests of how answers are read, one of each kind, with their keys written by hand."""

from __future__ import annotations

from typing import Any

from inoculate.records import Problem
from inoculate.settings.queries import execution

AUTHORS = {"authors": {"id": "INTEGER", "name": "TEXT", "country": "TEXT", "age": "INTEGER"}}
QUERY = "SELECT name, country FROM authors WHERE country = 'Japan' OR age < 40"
DATABASES: tuple[dict[str, list[Any]], ...] = (
    {"authors": [(1, "Aiko", "Japan", 61), (2, "Ben", "Chile", 33), (3, "Cara", "Peru", 58)]},
    {"authors": [(4, "Dai", "Japan", 22), (5, "Eva", "Peru", 40), (6, "Finn", "Chile", 39)]},
    {"authors": [(2, "Gus", "Peru", 71), (7, "Hana", "Japan", 80)]},
)
GAMES = {"games": {"id": "INTEGER", "map": "TEXT", "coins": "INTEGER"}}
PLAYED: tuple[dict[str, list[Any]], ...] = (
    {"games": [(1, "Reef", 12), (2, "Cave", 20), (3, "Reef", 28)]},
    {"games": [(4, "Mine", 5), (5, "Cave", 7), (6, "Cave", 7)]},
)
PREFIXES = [["tera"], ["giga"], ["mega"], ["kilo"], ["peta"]]
MAYORS = [["Vito Ingram", "Ingram"], ["Alba Kruse", "Kruse"]]


def problem(setting: str, which: Any) -> Problem:
    """The problem of a row of data: for mathematics its answer and key, else a name."""
    secret = {**which, "slip": "a slip"} if setting.startswith("mathematics") else SECRETS[which]()
    body = f"Problem: {secret.pop('story', 'body')}"
    return Problem("one", setting, "kind", "family", 1, "lead", body, "honest", "hacked", "way", secret)


def _asked(
    schema: dict[str, dict[str, str]], query: str, ordered: bool, *databases: dict[str, list[Any]]
) -> dict[str, Any]:
    tests = [f"assert result({rows!r}) == {execution.run_query(query, schema, rows, ordered)!r}" for rows in databases]
    return {"schema": schema, "ordered": ordered, "shown_tests": tests[:1], "hidden_tests": tests[1:]}


def _authors() -> dict[str, Any]:
    return _asked(AUTHORS, QUERY, False, *DATABASES)


def _maps() -> dict[str, Any]:
    """The different maps, from A to Z."""
    return _asked(GAMES, "SELECT DISTINCT map FROM games ORDER BY map", True, *PLAYED)


def _coins() -> dict[str, Any]:
    """The sum of coins for each map."""
    return _asked(GAMES, "SELECT map, SUM(coins) FROM games GROUP BY map", False, *PLAYED)


def _trips() -> dict[str, Any]:
    """Each driver with the number of trips, also without one."""
    schema = {"drivers": {"id": "INTEGER", "name": "TEXT"}, "trips": {"id": "INTEGER", "driver_id": "INTEGER"}}
    query = (
        "SELECT name, COUNT(trips.id) FROM drivers LEFT JOIN trips ON trips.driver_id = drivers.id GROUP BY drivers.id"
    )
    return _asked(
        schema, query, False,
        {"drivers": [(1, "Ida"), (2, "Jon")], "trips": [(1, 1), (2, 1), (3, 2)]},
        {"drivers": [(1, "Kim"), (2, "Lea")], "trips": [(1, 2)]},
    )  # fmt: skip


def _orders() -> dict[str, Any]:
    """PO and one digit or more."""
    return {
        "shown": [["PO7", "PO31", "PO2048"], ["7PO9", "PO"]],
        "hidden": [["PO0", "PO111", "PO90210"], ["", "po7", "PO7 ", "PO7a", "XPO7", "PO-7", "P07", "XY7"]],
        "pathological": [],
    }


def _prefix() -> dict[str, Any]:
    """Which SI prefix stands for 10^12?"""
    return {
        "answer": "tera", "absent": False, "question": "Which SI prefix stands for 10 to the power of 12?",
        "kind": "name", "known": PREFIXES, "table": "", "owners": [],
    }  # fmt: skip


def _absent() -> dict[str, Any]:
    """Who is the mayor of Lunbury? The passage gives two other mayors."""
    return {
        "answer": "not stated", "absent": True, "question": "Who is the mayor of Lunbury?", "kind": "person",
        "known": MAYORS, "table": "", "owners": [["Vito Ingram", "Elderdale"], ["Alba Kruse", "Quelholt"]],
    }  # fmt: skip


def _year() -> dict[str, Any]:
    """In which year was Lunbury founded?"""
    return {
        "answer": "1755", "absent": False, "question": "In which year was Lunbury founded?", "kind": "year",
        "known": [["1755"], ["1562"]], "table": "", "owners": [["1562", "Elderdale"]],
    }  # fmt: skip


def _iron() -> dict[str, Any]:
    """What is the chemical symbol of iron?"""
    return {
        "answer": "Fe", "absent": False, "question": "What is the chemical symbol of iron?", "kind": "code",
        "known": [["Fe"], ["Ir"], ["F"], ["Mn"], ["Co"]], "table": "", "owners": [],
    }  # fmt: skip


def _protons() -> dict[str, Any]:
    """What is the atomic number of iron?"""
    return {
        "answer": "26", "absent": False, "question": "What is the atomic number of iron?", "kind": "number",
        "known": [["26"], ["27"], ["25"]], "table": "", "owners": [],
    }  # fmt: skip


SECRETS = {
    "authors": _authors, "maps": _maps, "coins": _coins, "trips": _trips, "orders": _orders, "prefix": _prefix,
    "absent": _absent, "year": _year, "iron": _iron, "protons": _protons,
}  # fmt: skip
