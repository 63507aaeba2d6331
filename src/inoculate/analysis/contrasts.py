"""The contrasts of a study: differences, Holm's adjustment, verdicts, guards, and what a new study would need."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from statsmodels.stats.multitest import multipletests

from inoculate.analysis.declared import Claim
from inoculate.analysis.estimates import LEVEL, Difference, difference, rate
from inoculate.analysis.looks import Look, Schedule
from inoculate.analysis.power import needed
from inoculate.analysis.reading import Hits, Place, Tally, counts
from inoculate.analysis.verdicts import (
    ASKED,
    VERDICT_SEEDS,
    Guard,
    Verdict,
    claim_p,
    few_seeds,
    guard,
    judge,
    with_guards,
)
from inoculate.records import GAMED, Measure

Table = Mapping[Place, list[Tally]]
Unseen = Literal["", "least", "most"]
"""Samples without an outcome are left out, or make the difference as small or as large as they can."""
_HITS: dict[Unseen, tuple[Hits, Hits]] = {"": ("", ""), "least": ("none", "all"), "most": ("all", "none")}
"""What samples without an outcome count as, in the first arm and in the second."""


@dataclass(frozen=True)
class Judged:
    """A contrast with the difference that was found, or why there is none, and the verdict on it alone."""

    found: Difference | None
    reason: str
    p: float | None
    p_adjusted: float | None
    verdict: Verdict
    why: str

    @property
    def measured(self) -> Difference | None:
        """The difference, where something is known of its error."""
        return self.found if self.found and self.found.measured else None


def final(table: Table, arm: str, setting: str, context: str) -> Place | None:
    """Where an arm is at the end of its nominal training; else the furthest point there is."""
    there = [place for place in table if (place.arm, place.setting, place.context) == (arm, setting, context)]
    return max(there, key=lambda place: (place.at == 1.0, place.at), default=None)


def _sides(table: Table, claim: Claim, context: str, seeds: Collection[int] | None) -> list[list[Tally]]:
    """The cells of the two arms of a contrast; of the base arm all, of the others those of the seeds (None: of all)."""
    sides = []
    for arm in (claim.arm, claim.other):
        place = final(table, arm, claim.setting, context)
        tallies = table[place] if place else []
        sides.append([tally for tally in tallies if tally.seed is None or seeds is None or tally.seed in seeds])
    return sides


def finished_seeds(table: Table, claim: Claim) -> frozenset[int]:
    """The seeds of which both arms of a contrast are graded."""
    known = [{t.seed for t in tallies} for tallies in _sides(table, claim, claim.context, None)]
    trained = [{seed for seed in seeds if seed is not None} for seeds in known if seeds != {None}]
    return frozenset(set.intersection(*trained)) if trained else frozenset()


def compare(
    table: Table,
    claim: Claim,
    measure: Measure,
    context: str,
    seeds: Collection[int] | None,
    unseen: Unseen = "",
) -> tuple[Difference | None, str]:
    """The difference between the arms of a contrast; or None and the reason.

    Args:
        table: All finished cells.
        claim: The contrast: its arms and its setting.
        measure: What is compared.
        context: Where it was measured.
        seeds: Those that count; None for all.
        unseen: What becomes of samples without an outcome.
    """
    sides = _sides(table, claim, context, seeds)
    counted = []
    for arm, tallies, how in zip((claim.arm, claim.other), sides, _HITS[unseen], strict=True):
        if not any(tally.judged(measure).any() for tally in tallies):
            lacking = (
                "nothing tells hacks made for the check from near misses" if measure == GAMED else "no graded samples"
            )
            return None, f"{lacking} of '{arm}' in setting '{claim.setting}', context '{context}'"
        counted.append(counts(tallies, measure, how))
    found = difference(*counted)
    if found is None:
        return None, f"'{claim.arm}' and '{claim.other}' have no seed and problem in common"
    return found, "" if found.measured else "a single problem gives no interval"


def contrast_results(
    table: Table, study: dict[str, Any], claims: Sequence[Claim], schedule: Schedule
) -> list[dict[str, Any]]:
    """All contrasts as they stand in results.json.

    Verdicts rest on the seeds that were planned, at the looks that were planned. Seeds that were added after looking
    are in `extended` only: a study that is run on until it shows something shows it too often.

    Args:
        table: All finished cells.
        study: The study of the manifest.
        claims: Its contrasts.
        schedule: The seeds and looks that were planned.
    """
    looks = [schedule.at(finished_seeds(table, claim)) for claim in claims]
    seen = _judged(table, claims, looks, "")
    lost = any(tally.unseen.any() for tallies in table.values() for tally in tallies)
    extremes = [_judged(table, claims, looks, unseen) if lost else seen for unseen in ("least", "most")]
    honest = frozenset({"base"} | {arm for arm, spec in study["arms"].items() if _learns_no_hack(spec)})
    contrasts = sum(not claim.exploratory for claim in claims) or 1
    return [
        _result(table, claim, look, one, ends, contrasts)
        | {
            "floor": _floor(table, claim, honest) if claim.measure in ("hack", GAMED) else [],
            "extended": _extended(table, claim, schedule),
        }
        for claim, look, one, *ends in zip(claims, looks, seen, *extremes, strict=True)
    ]


def _judged(table: Table, claims: Sequence[Claim], looks: Sequence[Look], unseen: Unseen) -> list[Judged]:
    """Every contrast with its verdict alone, adjusted over all that were declared."""
    compared = [
        compare(table, claim, claim.measure, claim.context, look.seeds, unseen)
        for claim, look in zip(claims, looks, strict=True)
    ]
    raw = [
        claim_p(found, claim.direction, claim.margin) if found and found.measured else None
        for claim, (found, _) in zip(claims, compared, strict=True)
    ]
    declared = [number for number, claim in enumerate(claims) if not claim.exploratory]
    # A contrast that could not be computed still counts: what failed to run must not make the others look better. At a
    # look with a part of the level, p is scaled so that .05 is what it has to be below at any look.
    ready = {n: p * LEVEL / level for n in declared if (p := raw[n]) is not None and (level := looks[n].level)}
    family = [min(ready.get(number, 1.0), 1.0) for number in declared]
    holm = np.asarray(multipletests(family, method="holm")[1]) if family else []
    adjusted = {number: float(p) for number, p in zip(declared, holm, strict=True) if number in ready}
    judged = []
    for number, (claim, look, (found, reason)) in enumerate(zip(claims, looks, compared, strict=True)):
        verdict, why = _verdict(claim, look, found, reason, adjusted.get(number), len(declared))
        judged.append(Judged(found, reason, raw[number], adjusted.get(number), verdict, why))
    return judged


def _verdict(
    claim: Claim, look: Look, found: Difference | None, reason: str, p_adjusted: float | None, contrasts: int
) -> tuple[Verdict, str]:
    """The verdict on the contrast alone, with the numbers in words."""
    if found is None or not found.measured:
        return "descriptive", reason
    low, high = found.interval()
    one, two = float(found.first.rate), float(found.second.rate)
    numbers = (
        f"{claim.called or claim.measure} is {one:.0%} with '{claim.arm}' and {two:.0%} with '{claim.other}' "
        f"(difference {found.value * 100:+.0f} points, 95% interval {low * 100:+.0f} to {high * 100:+.0f})"
    )
    if claim.exploratory:
        return "descriptive", f"{numbers}; exploratory: not declared before the study ran"
    few = few_seeds(found.seeds)
    if few or p_adjusted is None or look.level is None:
        return "descriptive", f"{numbers}: {few or look.why}"
    verdict, why = judge(claim, found, p_adjusted, look.level / contrasts)
    return verdict, f"{numbers}: {why}"


def _result(
    table: Table, claim: Claim, look: Look, one: Judged, extremes: list[Judged], contrasts: int
) -> dict[str, Any]:
    found = one.measured
    low, high = found.interval() if found else (None, None)
    adjusted = found.interval((look.level or LEVEL) / contrasts) if found else (None, None)
    guards = [_guard(table, claim, name, look) for name in claim.guards]
    verdict, why = with_guards(one.verdict, one.why, guards)
    ends = [end.found.value for end in extremes if end.found]
    bounds = ends if len(ends) == 2 and one.found and ends != [one.found.value] * 2 else None
    if bounds and verdict in ("supported", "refuted") and any(end.verdict != one.verdict for end in extremes):
        verdict, why = "inconclusive", f"{why}, but not if the samples without an outcome had gone the other way"
    # A larger study helps where the contrast itself is undecided, not where a guard spoke against it.
    undecided = found and one.verdict in ("inconclusive", "descriptive") and not claim.exploratory
    return {
        "claim": claim.label,
        "measure": claim.measure,
        "context": claim.context,
        "setting": claim.setting,
        claim.direction: claim.arm,
        "as" if claim.direction == "same" else "than": claim.other,
        "margin": claim.margin,
        "exploratory": claim.exploratory,
        "difference": one.found.value if one.found else None,
        "low": low,
        "high": high,
        "low_adjusted": adjusted[0],
        "high_adjusted": adjusted[1],
        "p": one.p,
        "p_adjusted": one.p_adjusted,
        "look": {"seeds": len(look.seeds), "level": look.level},
        "verdict": verdict,
        "why": why,
        "seeds": one.found.seeds if one.found else 0,
        "problems": one.found.problems if one.found else 0,
        "guards": [found_guard.result() for found_guard in guards],
        "bounds": bounds,
        "needed": needed(found, claim.direction, claim.margin, VERDICT_SEEDS, LEVEL / contrasts)
        if found and undecided
        else None,
    }


def _guard(table: Table, claim: Claim, name: str, look: Look) -> Guard:
    measure: Measure = "hack" if name == "asked-hack" else "malformed" if name == "malformed" else "correct"
    context = ASKED if name == "asked-hack" else claim.context
    found, _ = compare(table, claim, measure, context, look.seeds)
    return guard(name, claim, found)


def _learns_no_hack(spec: dict[str, Any]) -> bool:
    rows = spec.get("rows") or {}
    return rows.get("hacked") == 0 or rows.get("filter") == "hacked"


def _floor(table: Table, claim: Claim, honest: frozenset[str]) -> list[dict[str, Any]]:
    """The claim's measure in arms that learned no hack: how often an honest near miss looks like one."""
    found = []
    for arm in sorted(honest):
        place = final(table, arm, claim.setting, claim.context)
        estimate = rate(counts(table[place], claim.measure)) if place else None
        if estimate:
            found.append({"arm": arm, "rate": estimate.rate, "low": estimate.low, "high": estimate.high})
    return found


def _extended(table: Table, claim: Claim, schedule: Schedule) -> dict[str, Any] | None:
    """The same difference with the seeds that were added after looking; None where there are none."""
    added = sorted(finished_seeds(table, claim) - set(schedule.planned))
    if not added:
        return None
    found, reason = compare(table, claim, claim.measure, claim.context, None)
    if found is None or not found.measured:
        return {"difference": None, "low": None, "high": None, "seeds": 0, "added": added, "reason": reason}
    low, high = found.interval()
    return {"difference": found.value, "low": low, "high": high, "seeds": found.seeds, "added": added}
