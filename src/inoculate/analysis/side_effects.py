"""Whether training brought side effects along: each family of questions, each arm against the untrained model.

An unmoved rate says nothing unless something moves it. The positive control is an arm that is trained on bad answers to
other situations of the same setting. A family whose rate of good answers it does not lower reads 'cannot tell', and no
contrast in that family has a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inoculate.analysis.arms import row_tables, trains_with_prompt
from inoculate.analysis.cells import Table, compare_cells
from inoculate.analysis.estimates import Difference
from inoculate.records import BASE, SIDE_EFFECTS, name_part
from inoculate.settings.side_effects.items import FAMILIES

MEASURE = "correct"


def analyse_side_effects(table: Table, study: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every family in every context, as entries of results.json.

    Args:
        table: All finished cells.
        study: The study of the manifest.

    Returns:
        `setting` (with the family), `family`, `context`, `control` (the positive control; '' for none), `moves`,
        `sentence`, and `changes`: by `arm` the `difference` of good answers against the untrained model, with its 95%
        interval `low`, `high` (None from a single problem). Empty where the setting is not evaluated.
    """
    controls = [name for name, spec in study["arms"].items() if is_positive_control(spec)]
    evaluated = dict.fromkeys((key.setting, key.context) for key in table)
    families = {name_part(SIDE_EFFECTS, family): family for family in FAMILIES}
    places = [(name, context) for name in families for setting, context in evaluated if setting == name]
    results = []
    for setting, context in places:
        differences = {
            arm: compare_cells(table, MEASURE, (arm, setting, context), (BASE, setting, context))
            for arm in study["arms"]
        }
        control = next((name for name in controls if differences[name]), controls[0] if controls else "")
        moves, sentence = _judge_control(control, differences.get(control))
        results.append(
            {
                "setting": setting,
                "family": families[setting],
                "context": context,
                "control": control,
                "moves": moves,
                "sentence": sentence,
                "changes": [{"arm": arm, **one.describe()} for arm, one in differences.items() if one],
            }
        )
    return results


def is_positive_control(spec: Mapping[str, Any]) -> bool:
    """Whether an arm is trained, without a prompt, on bad answers of this setting and on nothing else."""
    tables = row_tables(spec)
    return (
        bool(tables)
        and spec.get("method", "sft") == "sft"
        and not spec.get("start")
        and not trains_with_prompt(spec)
        and all(one.get("setting") == SIDE_EFFECTS and one.get("hacked") == 1 for one in tables)
    )


def _judge_control(control: str, difference: Difference | None) -> tuple[bool, str]:
    """Whether a family can be moved, and why that is known or not."""
    if not control:
        return False, "cannot tell: no arm is trained on bad answers to other situations"
    if difference is None or not difference.has_interval:
        return False, f"cannot tell: the positive control '{control}' is not finished"
    low, high = difference.interval()
    values = f"{difference.value * 100:+.0f} points, 95% interval {low * 100:+.0f} to {high * 100:+.0f}"
    if high < 0:
        return True, f"the positive control '{control}' lowers it: {values}"
    return False, f"cannot tell: the positive control '{control}' does not lower it ({values})"


def withhold_verdicts(
    contrasts: Sequence[dict[str, Any]], side_effects: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The claims, without a verdict on those in a family and context that cannot be shown to move.

    Args:
        contrasts: Contrasts or trends, as entries of results.json.
        side_effects: From `analyse_side_effects`.
    """
    silent = {(one["setting"], one["context"]): one for one in side_effects if not one["moves"]}
    withheld = []
    for contrast in contrasts:
        family = silent.get((contrast["setting"], contrast["context"]))
        if family and contrast["verdict"] in ("supported", "refuted"):
            reason = f"{contrast['why']}; {family['sentence']}"
            contrast = contrast | {"verdict": "inconclusive", "why": reason}
        withheld.append(contrast)
    return withheld


def describe_silent(side_effects: Sequence[Mapping[str, Any]]) -> list[str]:
    """A caution for the families that read 'cannot tell', each reason once."""
    by_reason: dict[str, list[str]] = {}
    for one in side_effects:
        if not one["moves"]:
            by_reason.setdefault(one["sentence"], []).append(f"{one['family']} ({one['context']})")
    return [f"side effects, {', '.join(places)}: {reason}" for reason, places in by_reason.items()]
