"""What a validity check says, and what checks have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from inoculate.analysis.cells import Table, find_final_cell
from inoculate.analysis.run_folder import CellKey, Tally
from inoculate.records import BASE, Outcome

Status = Literal["green", "amber", "red"]
_MOST_EXAMPLES = 5
"""How many examples a sentence names."""


class Check(NamedTuple):
    """One check: its status, and a sentence that says what was found and what to do."""

    name: str
    status: Status
    sentence: str
    detail: dict[str, Any]


def status_of(value: float, amber: float, red: float) -> Status:
    """The status of a value that is amber and red above these."""
    return "red" if value > red else "amber" if value > amber else "green"


def name_some(names: Iterable[str]) -> str:
    """The first few names, and how many there are beyond them."""
    listed = list(names)
    more = f" and {len(listed) - _MOST_EXAMPLES} more" if len(listed) > _MOST_EXAMPLES else ""
    return ", ".join(listed[:_MOST_EXAMPLES]) + more


def worst_status(statuses: Iterable[Status]) -> Status:
    """The worst of them; green where there is none."""
    order: tuple[Status, ...] = ("green", "amber", "red")
    return order[max(map(order.index, statuses), default=0)]


def pooled_rate(tallies: list[Tally], outcome: Outcome) -> float | None:
    """The rate of an outcome over all seeds of a cell; None without a graded sample."""
    graded = sum(tally.samples - tally.count("ungraded") for tally in tallies)
    return sum(tally.count(outcome) for tally in tallies) / graded if graded else None


def base_tallies(table: Table, key: CellKey) -> list[Tally] | None:
    """The untrained model in the setting and context of a cell; None where it was not evaluated there."""
    base_key = find_final_cell(table, BASE, key.setting, key.context)
    return table[base_key] if base_key else None


def describe_key(key: CellKey) -> str:
    """The cell in words: arm, setting, context and, within training, its share."""
    at = "" if key.at in (0, 1) else f" at {key.at:g}"
    return f"{key.arm}, {key.setting}, {key.context}{at}"
