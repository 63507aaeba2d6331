"""What training changed: each arm's rate of `correct` against the untrained model and the clean arm, by problem.

This is the cost that every study reports: lost ability, or lost compliance in the settings that test system prompts. It
is descriptive, and not adjusted for the number of arms. The claims of a study are its contrasts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inoculate.analysis.arms import row_tables, trains_with_prompt
from inoculate.analysis.cells import Table, compare_cells
from inoculate.records import BASE
from inoculate.study import prompts

MEASURE = "correct"


def compute_changes(table: Table, study: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Differences in the neutral context, for every setting (or part of one) and trained arm.

    Args:
        table: All finished cells.
        study: The study of the manifest.

    Returns:
        `setting`, `arm`, `than` (base, or the clean arm where there is one), `difference` of the rates with its 95%
        interval `low`, `high` (None from a single problem), `seeds`, `problems`.
    """
    clean = next((arm for arm, spec in study["arms"].items() if _is_clean(spec)), "")
    results = []
    for setting in dict.fromkeys(key.setting for key in table):
        for arm in study["arms"]:
            for than in (BASE, clean) if clean and clean != arm else (BASE,):
                change = _compute_change(table, setting, arm, than)
                results += [change] if change else []
    return results


def _is_clean(spec: Mapping[str, Any]) -> bool:
    """Whether an arm is trained from the untrained model, on honest rows only, without a prompt."""
    tables = row_tables(spec)
    is_honest = spec.get("method", "sft") == "sft" and all(table.get("hacked") == 0 for table in tables)
    return is_honest and not trains_with_prompt(spec) and not spec.get("start")


def _compute_change(table: Table, setting: str, arm: str, than: str) -> dict[str, Any] | None:
    difference = compare_cells(table, MEASURE, (arm, setting, prompts.NEUTRAL), (than, setting, prompts.NEUTRAL))
    if difference is None:
        return None
    sizes = {"seeds": difference.seeds, "problems": difference.problems}
    return {"setting": setting, "arm": arm, "than": than, **difference.describe(), **sizes}
