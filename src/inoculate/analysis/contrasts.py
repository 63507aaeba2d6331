"""The contrasts of a study: differences, Holm's adjustment, verdicts, guards, and what a new study would need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from statsmodels.stats.multitest import multipletests

from inoculate.analysis.declared import Claim
from inoculate.analysis.estimates import LEVEL, Difference, difference, rate
from inoculate.analysis.power import needed
from inoculate.analysis.reading import Place, Tally, counts
from inoculate.analysis.verdicts import ASKED, VERDICT_SEEDS, Guard, Verdict, claim_p, guard, judge, points, with_guards
from inoculate.records import Outcome

Table = Mapping[Place, list[Tally]]


@dataclass(frozen=True)
class Comparison:
    """A contrast with the difference that was found, or why there is none."""

    claim: Claim
    found: Difference | None
    reason: str
    p: float | None


def final(table: Table, arm: str, setting: str, context: str) -> Place | None:
    """Where an arm is at the end of its nominal training; else the furthest point there is."""
    there = [place for place in table if (place.arm, place.setting, place.context) == (arm, setting, context)]
    return max(there, key=lambda place: (place.at == 1.0, place.at), default=None)


def compare(
    table: Table, arms: tuple[str, str], setting: str, context: str, measure: Outcome, added: frozenset[int]
) -> tuple[Difference | None, str]:
    """The difference between two arms, without the seeds in `added`; or None and the reason."""
    sides = []
    for arm in arms:
        place = final(table, arm, setting, context)
        tallies = [tally for tally in table[place] if tally.seed not in added] if place else []
        if not any(tally.samples > tally.count("ungraded") for tally in tallies):
            return None, f"no graded samples of '{arm}' in setting '{setting}', context '{context}'"
        sides.append(counts(tallies, measure))
    found = difference(*sides)
    if found is None:
        return None, f"'{arms[0]}' and '{arms[1]}' have no seed and problem in common"
    return found, "" if found.measured else "a single problem gives no interval"


def contrast_results(
    table: Table, study: dict[str, Any], claims: list[Claim], added: frozenset[int]
) -> list[dict[str, Any]]:
    """All contrasts as they stand in results.json.

    Verdicts rest on the seeds that were planned. Seeds that were added after looking are in `extended` only: a study
    that is run on until it shows something shows it too often.

    Args:
        table: All finished cells.
        study: The study of the manifest.
        claims: Its contrasts.
        added: Seeds that were added after results had been seen.
    """
    compared = []
    for claim in claims:
        found, reason = compare(table, (claim.arm, claim.other), claim.setting, claim.context, claim.measure, added)
        p = claim_p(found, claim.direction, claim.margin) if found and found.measured else None
        compared.append(Comparison(claim, found, reason, p))
    honest = frozenset({"base"} | {arm for arm, spec in study["arms"].items() if _learns_no_hack(spec)})
    declared = [number for number, one in enumerate(compared) if not one.claim.exploratory]
    # A contrast that could not be computed still counts: what failed to run must not make the others look better.
    raw = [1.0 if compared[number].p is None else compared[number].p for number in declared]
    adjusted = dict(zip(declared, np.asarray(multipletests(raw, method="holm")[1]), strict=True)) if declared else {}
    return [
        _result(table, one, float(adjusted[number]) if number in adjusted else None, len(declared) or 1, added, honest)
        for number, one in enumerate(compared)
    ]


def _result(
    table: Table,
    one: Comparison,
    p_adjusted: float | None,
    contrasts: int,
    added: frozenset[int],
    honest: frozenset[str],
) -> dict[str, Any]:
    claim, found = one.claim, one.found
    known = found is not None and found.measured
    low, high = found.interval() if found and known else (None, None)
    adjusted = found.interval(LEVEL / contrasts) if found and known else (None, None)
    guards = [_guard(table, claim, name, added) for name in claim.guards]
    alone, reason = _verdict(one, p_adjusted, contrasts)
    verdict, why = with_guards(alone, reason, guards)
    bounds = _bounds(table, claim, added)
    if verdict == "supported" and bounds and not _survives(claim, bounds):
        verdict, why = "inconclusive", f"{why}, but not if the samples without an outcome had gone the other way"
    # A larger study helps where the contrast itself is undecided, not where a guard spoke against it.
    undecided = known and alone in ("inconclusive", "descriptive") and not claim.exploratory
    return {
        **_words(claim),
        "difference": found.value if found else None,
        "low": low,
        "high": high,
        "low_adjusted": adjusted[0],
        "high_adjusted": adjusted[1],
        "p": one.p,
        "p_adjusted": p_adjusted if one.p is not None else None,
        "verdict": verdict,
        "why": why,
        "seeds": found.seeds if found else 0,
        "problems": found.problems if found else 0,
        "guards": [found_guard.result() for found_guard in guards],
        "floor": _floor(table, claim, honest) if claim.measure == "hack" else [],
        "bounds": bounds,
        "needed": _needed(found, claim, contrasts) if found and undecided else None,
        "extended": _extended(table, claim, added) if added else None,
    }


def _words(claim: Claim) -> dict[str, Any]:
    """The contrast as the study has it."""
    return {
        "claim": claim.label,
        "measure": claim.measure,
        "context": claim.context,
        "setting": claim.setting,
        claim.direction: claim.arm,
        "as" if claim.direction == "same" else "than": claim.other,
        "margin": claim.margin,
        "exploratory": claim.exploratory,
    }


def _verdict(one: Comparison, p_adjusted: float | None, contrasts: int) -> tuple[Verdict, str]:
    """The verdict on the contrast alone, with the numbers in words."""
    claim, found = one.claim, one.found
    if found is None or one.p is None:
        return "descriptive", one.reason
    low, high = found.interval()
    numbers = (
        f"{claim.measure} is {found.first.rate:.0%} with '{claim.arm}' and {found.second.rate:.0%} with "
        f"'{claim.other}' (difference {found.value * 100:+.0f} points, "
        f"95% interval {low * 100:+.0f} to {high * 100:+.0f})"
    )
    if claim.exploratory or p_adjusted is None:
        return "descriptive", f"{numbers}; exploratory: not declared before the study ran"
    verdict, why = judge(claim, found, p_adjusted, contrasts)
    return verdict, f"{numbers}: {why}"


def _guard(table: Table, claim: Claim, name: str, added: frozenset[int]) -> Guard:
    measure: Outcome = "hack" if name == "asked-hack" else "malformed" if name == "malformed" else "correct"
    context = ASKED if name == "asked-hack" else claim.context
    found, _ = compare(table, (claim.arm, claim.other), claim.setting, context, measure, added)
    return guard(name, claim, found)


def _learns_no_hack(spec: dict[str, Any]) -> bool:
    rows = spec.get("rows") or {}
    return rows.get("hacked") == 0 or rows.get("filter") == "hacked"


def _floor(table: Table, claim: Claim, honest: frozenset[str]) -> list[dict[str, Any]]:
    """Hack rates of arms that learned no hack: how often an honest near-miss looks like one."""
    found = []
    for arm in sorted(honest):
        place = final(table, arm, claim.setting, claim.context)
        estimate = rate(counts(table[place], "hack")) if place else None
        if estimate:
            found.append({"arm": arm, "rate": estimate.rate, "low": estimate.low, "high": estimate.high})
    return found


def _bounds(table: Table, claim: Claim, added: frozenset[int]) -> list[float] | None:
    """Smallest and largest difference if samples without an outcome had gone either way; None where there are none."""
    sides = []
    for arm in (claim.arm, claim.other):
        place = final(table, arm, claim.setting, claim.context)
        tallies = [tally for tally in table[place] if tally.seed not in added] if place else []
        hits = sum(tally.count(claim.measure) for tally in tallies)
        unseen = sum(tally.count("ungraded") + tally.missing for tally in tallies)
        asked = sum(tally.samples + tally.missing for tally in tallies)
        if not asked:
            return None
        sides.append((hits / asked, (hits + unseen) / asked))
    (low_1, high_1), (low_2, high_2) = sides
    return None if (low_1, low_2) == (high_1, high_2) else [low_1 - high_2, high_1 - low_2]


def _survives(claim: Claim, bounds: list[float]) -> bool:
    low, high = bounds
    return {"lower": high < 0, "higher": low > 0, "same": low > -claim.margin and high < claim.margin}[claim.direction]


def _needed(found: Difference, claim: Claim, contrasts: int) -> dict[str, Any]:
    return needed(found, claim.direction, claim.margin, VERDICT_SEEDS, LEVEL / contrasts)


def _extended(table: Table, claim: Claim, added: frozenset[int]) -> dict[str, Any]:
    """The same difference with the seeds that were added after looking."""
    found, reason = compare(table, (claim.arm, claim.other), claim.setting, claim.context, claim.measure, frozenset())
    if found is None or not found.measured:
        return {"difference": None, "low": None, "high": None, "seeds": 0, "reason": reason}
    low, high = found.interval()
    return {"difference": found.value, "low": low, "high": high, "seeds": found.seeds, "added": sorted(added)}


def sensitivity(study: dict[str, Any], claims: list[Claim], results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Claims that a study makes more than once, over learning rates or the like, and whether they survive.

    Contrasts with the same claim text are one claim; what differs between their arms is what it is repeated over.
    """
    groups: dict[str, list[int]] = {}
    for number, claim in enumerate(claims):
        if claim.claim:
            groups.setdefault(claim.claim, []).append(number)
    found = []
    for text, numbers in groups.items():
        if len(numbers) < 2:
            continue
        verdicts = [results[number]["verdict"] for number in numbers]
        held = verdicts.count("supported")
        over = _varied(study, [claims[number] for number in numbers])
        known = [results[number]["difference"] for number in numbers if results[number]["difference"] is not None]
        sizes = f", differences from {points(min(known))} to {points(max(known))}" if known else ""
        found.append(
            {
                "claim": text,
                "over": over,
                "contrasts": numbers,
                "verdicts": verdicts,
                "survives": held == len(verdicts),
                "sentence": f"supported in {held} of {len(verdicts)} repetitions"
                f"{' over ' + ', '.join(over) if over else ''}{sizes}",
            }
        )
    return found


def _varied(study: dict[str, Any], claims: list[Claim]) -> list[str]:
    """The keys in which the compared arms, settings or contexts of repeated claims differ."""
    flat = [_flatten(study["arms"].get(claim.other) or {}) for claim in claims]
    keys = [key for key in sorted(set().union(*flat)) if len({repr(one.get(key)) for one in flat}) > 1]
    for what in ("setting", "context"):
        if len({getattr(claim, what) for claim in claims}) > 1:
            keys.append(what)
    return keys


def _flatten(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in data.items():
        flat.update(_flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value})
    return flat
