"""What training changed: each arm's rate of `correct` against the untrained model and the clean arm, by problem.

This is the cost side of every study: ability in the settings that test it, compliance with system prompts in those that
test that. Descriptive, and not adjusted for the number of arms: what a study claims stands in its contrasts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inoculate.analysis.contrasts import Table, final
from inoculate.analysis.estimates import difference
from inoculate.analysis.reading import counts
from inoculate.study import prompts

MEASURE, BASE = "correct", "base"


def changes(table: Table, study: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Differences in the neutral context, for every setting (or part of one) and trained arm.

    Args:
        table: All finished cells.
        study: The study of the manifest.

    Returns:
        `setting`, `arm`, `than` (base, or the clean arm where there is one), `difference` of the rates with its 95%
        interval `low`, `high` (None from a single problem), `seeds`, `problems`.
    """
    clean = next((arm for arm, spec in study["arms"].items() if _clean(spec)), "")
    found = []
    for setting in dict.fromkeys(place.setting for place in table):
        for arm in study["arms"]:
            for than in (BASE, clean) if clean and clean != arm else (BASE,):
                change = _change(table, setting, arm, than)
                found += [change] if change else []
    return found


def _clean(spec: Mapping[str, Any]) -> bool:
    """Whether an arm learns from honest rows alone, without any prompt on them, from the untrained model."""
    given = spec.get("inoculation") or {}
    return spec["rows"].get("hacked") == 0 and given.get("on", "none") == "none" and not spec.get("start")


def _change(table: Table, setting: str, arm: str, than: str) -> dict[str, Any] | None:
    places = [final(table, name, setting, prompts.NEUTRAL) for name in (arm, than)]
    if None in places:
        return None
    one = difference(*(counts(table[place], MEASURE) for place in places if place))
    if one is None:
        return None
    low, high = one.interval() if one.measured else (None, None)
    return {
        "setting": setting, "arm": arm, "than": than, "difference": one.value, "low": low, "high": high,
        "seeds": one.seeds, "problems": one.problems,
    }  # fmt: skip
