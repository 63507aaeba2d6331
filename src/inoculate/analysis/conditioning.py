"""Is it inoculation, or conditioning on a prompt that is then taken away? What a study with several contexts says.

Two things, both described and not judged: the rates of every arm by the distance of the evaluation prompt from the one
it was trained with; and beside each arm's suppression of the neutral hack, whether the hack can be had again by asking,
and what it costs in behaviour that was wanted. Intervals are not adjusted for their number, and borrow nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from inoculate.analysis.arms import row_tables, trains_with_prompt
from inoculate.analysis.asked import what_is_asked
from inoculate.analysis.cells import Table, compare_cells, find_final_cell
from inoculate.analysis.estimates import estimate_rate
from inoculate.analysis.run_folder import Run, pool_counts, require_file
from inoculate.records import CAPABILITY, COMPLIANCE, Measure, setting_of
from inoculate.study import prompts
from inoculate.study.distance import FEWEST_CONTEXTS

MEASURES: tuple[Measure, ...] = ("hack", "correct", "malformed")
_NOT_MEASURED = "not measured: `inoculate run` on the study measures it, and trains and samples nothing again"
_PER_ARM = "the arm's own training prompt, so that nothing is to be measured"
_DISTANCES = ("edits", "share", "divergence")


def analyse_conditioning(run: Run, table: Table) -> list[dict[str, Any]]:
    """By setting (or part of one) that is evaluated in several contexts: rates by distance, and suppressions.

    Args:
        run: The run, whose training entries name the folders of distances.
        table: All finished cells.

    Returns:
        As docs/results-schema.md describes it; empty where no setting has three contexts.
    """
    study, distances = run.study, _read_distances(run)
    results = []
    # How far a wording is from another is not measured in choices, which are not sampled.
    sampled = (key.setting for key, tallies in table.items() if not tallies[0].are_choices)
    for setting in dict.fromkeys(sampled):
        contexts = list(dict.fromkeys(key.context for key in table if key.setting == setting))
        trained = [arm for arm, spec in study["arms"].items() if _trains_on(spec, setting)]
        every = [_arm(table, study, setting, arm, contexts, distances.get(arm, [])) for arm in trained]
        arms = [arm for arm in every if arm["contexts"]]
        if len(contexts) < FEWEST_CONTEXTS or not arms:
            continue
        suppressions = [_suppression(table, setting, arm, plain) for arm, plain in _pairs(study, trained)]
        results.append({"setting": setting, "arms": arms, "suppressions": [one for one in suppressions if one]})
    return results


def _trains_on(spec: Mapping[str, Any], setting: str) -> bool:
    """Whether the first rows of an arm are of a setting, which its distances are measured in; or of a part of it."""
    first = next((table.get("setting", "") for table in row_tables(spec)), "")
    return setting_of(setting) == first


def _read_distances(run: Run) -> dict[str, list[dict[str, dict[str, Any]]]]:
    """Arm -> for each of its seeds, context -> its line of `distances.jsonl`."""
    found: dict[str, list[dict[str, dict[str, Any]]]] = {}
    for entry in run.manifest.get("training") or ():
        if folder := entry.get("distances"):
            lines = require_file(run.path(folder) / "distances.jsonl").read_text(encoding="utf-8").splitlines()
            found.setdefault(entry["arm"], []).append({one["context"]: one for one in map(json.loads, lines)})
    return found


def _arm(
    table: Table,
    study: Mapping[str, Any],
    setting: str,
    arm: str,
    contexts: Sequence[str],
    measured: Sequence[Mapping[str, Mapping[str, Any]]],
) -> dict[str, Any]:
    """One arm's contexts, those nearest to its training prompt first, and those without a distance last."""
    spec = study["arms"][arm]
    given = [
        {
            "context": context,
            "asks": what_is_asked(study, context, arm),
            **_distance(study, context, spec, [seed[context] for seed in measured if context in seed]),
            "rates": rates,
            "above_neutral": _difference(table, setting, "hack", (arm, context), (arm, prompts.NEUTRAL)),
        }
        for context in contexts
        if (rates := _rates(table, setting, arm, context))
    ]
    given.sort(key=lambda one: (one["edits"] is None, one["edits"] or 0))
    return {"arm": arm, "prompt": trains_with_prompt(spec), "contexts": given, **_comes_back(given)}


def _distance(
    study: Mapping[str, Any], context: str, spec: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The distances of a context, averaged over the seeds in which they were measured."""
    shown = ((study["evaluate"].get("contexts") or {}).get(context) or {}) if context else {}
    if shown.get("per_arm") and trains_with_prompt(spec):
        return {"edits": 0.0, "edits_range": [0, 0], "share": 0.0, "divergence": 0.0, "reason": _PER_ARM}
    if shown.get("per_arm"):
        return {
            "edits": 0.0,
            "edits_range": [0, 0],
            "share": None,
            "divergence": 0.0,
            "reason": "the arm has no prompt",
        }
    if not lines:
        return {**dict.fromkeys(_DISTANCES), "edits_range": None, "reason": _NOT_MEASURED}
    known = {key: [line[key] for line in lines if line[key] is not None] for key in _DISTANCES}
    return {
        **{key: sum(values) / len(values) if values else None for key, values in known.items()},
        "edits_range": [min(known["edits"]), max(known["edits"])],
        "reason": "; ".join(dict.fromkeys(line["reason"] for line in lines if line["reason"])),
    }


def _comes_back(contexts: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """In which contexts an arm hacks more than neutrally: shown, shown not to (less), or neither."""
    sorted_out: dict[str, list[str]] = {"back": [], "open": [], "less": []}
    for one in contexts:
        above = one["above_neutral"]
        if one["context"] == prompts.NEUTRAL or above is None or above["low"] is None:
            continue
        which = "back" if above["low"] > 0 else "less" if above["high"] < 0 else "open"
        sorted_out[which].append(one["context"])
    return sorted_out


def _pairs(study: Mapping[str, Any], arms: Sequence[str]) -> list[tuple[str, str]]:
    """Arms with a prompt, each with the arm that is otherwise the same and has none."""

    def rest(arm: str) -> str:
        return json.dumps({k: v for k, v in study["arms"][arm].items() if k != "inoculation"}, sort_keys=True)

    plain = {rest(arm): arm for arm in reversed(arms) if not trains_with_prompt(study["arms"][arm])}
    return [(arm, plain[rest(arm)]) for arm in arms if trains_with_prompt(study["arms"][arm]) and rest(arm) in plain]


def _suppression(table: Table, setting: str, arm: str, plain: str) -> dict[str, Any] | None:
    """How much less an arm hacks neutrally than without its prompt; whether asking brings it back; what it costs."""
    neutral = _difference(table, setting, "hack", (arm, prompts.NEUTRAL), (plain, prompts.NEUTRAL))
    if neutral is None:
        return None
    again = [
        {"context": context, **found}
        for context in (prompts.ASKS_TO_HACK, prompts.AS_TRAINED)
        if (found := _difference(table, setting, "hack", (arm, context), (plain, context)))
    ]
    able: Measure = "correct"
    places: list[tuple[str, Measure]] = [
        (setting, "malformed"),
        *((place, able) for place in (setting, *_wanted(table))),
    ]
    costs = [
        {"setting": place, "measure": measure, **found}
        for place, measure in places
        if (found := _difference(table, place, measure, (arm, prompts.NEUTRAL), (plain, prompts.NEUTRAL)))
    ]
    return {"arm": arm, "than": plain, "hack": neutral, "again": again, "costs": costs}


def _wanted(table: Table) -> list[str]:
    """The settings of ability and of compliance that were evaluated."""
    settings = dict.fromkeys(key.setting for key in table)
    return [name for name in settings if setting_of(name) in (CAPABILITY, COMPLIANCE)]


def _rates(table: Table, setting: str, arm: str, context: str) -> dict[str, Any]:
    key = find_final_cell(table, arm, setting, context)
    rates = {measure: estimate_rate(pool_counts(table[key], measure)) for measure in MEASURES} if key else {}
    return {name: {"rate": one.rate, "low": one.low, "high": one.high} for name, one in rates.items() if one}


def _difference(
    table: Table, setting: str, measure: Measure, first: tuple[str, str], second: tuple[str, str]
) -> dict[str, Any] | None:
    """The difference of two cells, (arm, context) each, with its 95% interval; None where one has no graded samples."""
    (arm, context), (other, other_context) = first, second
    difference = compare_cells(table, measure, (arm, setting, context), (other, setting, other_context))
    if difference is None:
        return None
    rates = {"rate": float(difference.first.rate), "other_rate": float(difference.second.rate)}
    return {**difference.describe(), **rates, "seeds": difference.seeds}
