"""Small databases: each world has two tables, one of things with names and one of parts that belong to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from inoculate.records import Split

Value = int | str | None
Tables = dict[str, list[tuple[Value, ...]]]
"""Rows of each table."""
Uses = Literal["things", "parts", "both"]
"""Which tables a problem has."""

_PEOPLE = (
    "Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gina", "Hugo", "Ida", "Jon", "Kira", "Leo", "Mia", "Nils", "Olga",
    "Paul", "Rosa", "Sam", "Tess", "Uwe", "Vera", "Will", "Yara", "Zoe",
)  # fmt: skip
_PLACES = (
    "Alder", "Birch", "Cedar", "Dune", "Elm", "Fern", "Grove", "Heath", "Iris", "Juniper", "Kelp", "Lark", "Maple",
    "Nettle", "Oak", "Pine", "Quarry", "Reed", "Sage", "Thorn", "Vale", "Willow",
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """The names of two tables and of their columns, and the values in them.

    `things` has the columns id, name, `group`, `score`; `parts` has id, `key`, `label`, `amount`, `time`. The
    attributes are the names of these in the world.
    """

    things: str
    thing: str
    group: str
    score: str
    parts: str
    part: str
    label: str
    amount: str
    time: str
    names: tuple[str, ...]
    groups: tuple[str, ...]
    scores: Sequence[int]
    labels: tuple[str, ...]
    amounts: Sequence[int]
    times: Sequence[int]

    @property
    def key(self) -> str:
        """The column of a part with the id of the thing that it belongs to."""
        return f"{self.thing}_id"

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """The columns of each table."""
        return {
            self.things: ("id", "name", self.group, self.score),
            self.parts: ("id", self.key, self.label, self.amount, self.time),
        }

    def schema(self, uses: Uses) -> dict[str, dict[str, str]]:
        """Columns and their types of the tables that a problem has."""
        texts = {"name", self.group, self.label}
        return {
            table: {column: "TEXT" if column in texts else "INTEGER" for column in self.columns[table]}
            for table in self.tables(uses)
        }

    def tables(self, uses: Uses) -> tuple[str, ...]:
        """The names of the tables that a problem has."""
        return {"things": (self.things,), "parts": (self.parts,), "both": (self.things, self.parts)}[uses]

    def fill(self, random: Random, uses: Uses, things: int, parts: int, missing: float = 0.0) -> Tables:
        """Rows for the tables.

        Args:
            random: Draws them.
            uses: Which tables.
            things: Rows of the table of things.
            parts: Rows of the table of parts.
            missing: Share of the parts whose amount is NULL.
        """
        numbers = sorted(random.sample(range(1, 3 * things), things))
        names = random.sample(self.names, things)
        rows: Tables = {
            self.things: [
                (number, name, random.choice(self.groups), random.choice(self.scores))
                for number, name in zip(numbers, names, strict=True)
            ],
            self.parts: [
                (
                    number,
                    random.choice(numbers),
                    random.choice(self.labels),
                    None if random.random() < missing else random.choice(self.amounts),
                    random.choice(self.times),
                )
                for number in sorted(random.sample(range(1, 3 * parts), parts))
            ],
        }
        return {table: rows[table] for table in self.tables(uses)}


WORLDS: dict[Split, tuple[World, ...]] = {
    "train": (
        World(
            "customers", "customer", "city", "points", "orders", "order", "item", "amount", "day",
            _PEOPLE, ("Rome", "Oslo", "Lima", "Cairo"), range(10, 100, 10), ("lamp", "desk", "sofa", "rug"),
            range(1, 13), range(1, 8),
        ),
        World(
            "students", "student", "class", "height", "results", "result", "subject", "mark", "week",
            _PEOPLE, ("7a", "7b", "8a", "8b"), range(140, 181, 4), ("maths", "art", "music", "sport"),
            range(1, 11), range(1, 9),
        ),
        World(
            "farms", "farm", "region", "hectares", "harvests", "harvest", "crop", "tons", "month",
            _PLACES, ("hills", "coast", "plain", "delta"), range(20, 120, 10), ("wheat", "beans", "maize", "oats"),
            range(2, 30, 2), range(4, 11),
        ),
        World(
            "machines", "machine", "hall", "power", "repairs", "repair", "fault", "cost", "quarter",
            _PLACES, ("A1", "A2", "B1", "B2"), range(5, 50, 5), ("belt", "motor", "valve", "sensor"),
            range(20, 200, 20), range(1, 5),
        ),
        World(
            "ships", "ship", "flag", "crew", "voyages", "voyage", "cargo", "miles", "month",
            _PLACES, ("Malta", "Panama", "Norway", "India"), range(8, 30, 2), ("grain", "steel", "timber", "fruit"),
            range(100, 900, 100), range(1, 13),
        ),
    ),
    "development": (
        World(
            "rooms", "room", "wing", "beds", "bookings", "booking", "season", "nights", "guests",
            _PLACES, ("red", "blue", "green", "white"), range(1, 7), ("spring", "summer", "autumn", "winter"),
            range(1, 12), range(1, 6),
        ),
        World(
            "shops", "shop", "street", "staff", "sales", "sale", "goods", "pieces", "hour",
            _PLACES, ("High St", "Mill Rd", "Quay", "Market"), range(2, 14), ("bread", "milk", "paper", "soap"),
            range(1, 20), range(8, 18),
        ),
    ),
    "test": (
        World(
            "authors", "author", "country", "age", "books", "book", "genre", "pages", "shelf",
            _PEOPLE, ("Spain", "Japan", "Chile", "Kenya"), range(30, 80, 5), ("crime", "poetry", "travel", "comic"),
            range(80, 400, 40), range(1, 7),
        ),
        World(
            "drivers", "driver", "depot", "years", "trips", "trip", "zone", "km", "hour",
            _PEOPLE, ("North", "South", "East", "West"), range(1, 12), ("inner", "outer", "port", "airport"),
            range(5, 60, 5), range(6, 14),
        ),
        World(
            "players", "player", "team", "level", "games", "game", "map", "coins", "round",
            _PEOPLE, ("Foxes", "Bears", "Owls", "Wolves"), range(1, 15), ("cave", "tower", "swamp", "castle"),
            range(10, 100, 10), range(1, 7),
        ),
    ),
}  # fmt: skip
"""The worlds of each split: an evaluation asks other questions than training did, and of other databases."""
