"""What the report shows of side effects: a table for each family, with the two habits of answering beside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from inoculate.records import BASE, SAYS_YES, TAKES_FIRST
from inoculate.report.results import Cell, Rate, Results

COLUMNS = (
    *("family", "context", "moves", "arm", "good", "good_low", "good_high", "says_yes", "takes_first"),
    *("change", "change_low", "change_high"),
)
"""Headings of `side_effect_lines`; a change is against the untrained model in the same context."""
_UNKNOWN = Rate(0, None, None, None)


def silent_places(results: Results) -> dict[tuple[str, str], str]:
    """Setting and context of the families of which nothing can be told -> the positive control that shows it."""
    return {(one["setting"], one["context"]): one["control"] for one in results.side_effects if not one["moves"]}


def side_effect_views(results: Results) -> list[dict[str, Any]]:
    """By family: its contexts, what the positive control shows in each, and a line for each arm.

    Where the positive control does not move a family, only its own line and that of the untrained model are shown.
    """
    cells = {(cell.arm, cell.setting, cell.context): cell for cell in results.main_cells()}
    families: dict[str, dict[str, Any]] = {}
    for entry in results.side_effects:
        view = families.setdefault(entry["family"], {"name": entry["family"], "contexts": []})
        present = [cells[arm, entry["setting"], entry["context"]] for arm in results.ordered_names("arm")
                   if (arm, entry["setting"], entry["context"]) in cells]  # fmt: skip
        shown = [cell for cell in present if entry["moves"] or cell.arm in (BASE, entry["control"])]
        view["contexts"].append(
            {
                "context": entry["context"],
                "moves": entry["moves"],
                "sentence": entry["sentence"],
                "rows": [_row(entry, cell) for cell in shown],
                "silent": [cell.arm for cell in present if cell not in shown],
            }
        )
    return list(families.values())


def _row(entry: dict[str, Any], cell: Cell) -> dict[str, Any]:
    changes = {change["arm"]: change for change in entry["changes"]}
    return {
        "arm": cell.arm,
        "is_control": cell.arm == entry["control"],
        "good": cell.outcomes["correct"],
        "yes": cell.others.get(SAYS_YES, _UNKNOWN),
        "first": cell.others.get(TAKES_FIRST, _UNKNOWN),
        "change": changes.get(cell.arm),
        "malformed": cell.outcomes["malformed"].count,
    }


def side_effect_lines(results: Results) -> Iterable[list[Any]]:
    """A line for each family, context and arm, whether the positive control moves the family or not."""
    for entry in results.side_effects:
        for cell in results.main_cells():
            if (cell.setting, cell.context) == (entry["setting"], entry["context"]):
                row = _row(entry, cell)
                good, change = row["good"], row["change"] or {}
                yield [
                    *(entry["family"], entry["context"], entry["moves"], cell.arm, good.rate, good.low, good.high),
                    *(row["yes"].rate, row["first"].rate),
                    *(change.get(key) for key in ("difference", "low", "high")),
                ]
