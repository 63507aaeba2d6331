"""The contrasts of a study: differences, Holm's adjustment, verdicts, guards, and what a new study would need."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from inoculate.analysis.arms import is_honest
from inoculate.analysis.asked import has_floor
from inoculate.analysis.cells import Table, find_final_cell
from inoculate.analysis.claims import NOT_DECLARED, Claim
from inoculate.analysis.estimates import LEVEL, Counts, Difference, estimate_difference, estimate_rate
from inoculate.analysis.looks import Look, Schedule, adjust_p_values
from inoculate.analysis.pools import Pools, describe_borrowed
from inoculate.analysis.power import MORE_PROBLEMS, describe_variances, required_size
from inoculate.analysis.run_folder import Imputed, Tally, pool_counts
from inoculate.analysis.sign_flip import compare_seeds
from inoculate.analysis.supply import most_problems
from inoculate.analysis.verdicts import (
    CAPABILITY_MARGIN,
    VERDICT_SEEDS,
    Guard,
    Verdict,
    apply_guards,
    claim_p_value,
    evaluate_guard,
    explain_few_seeds,
    judge,
)
from inoculate.records import BAD_ANSWERS, BASE, CAPABILITY, GAMED, Measure, setting_of
from inoculate.study import prompts

Bound = Literal["", "least", "most"]
"""Samples without an outcome are left out, or imputed so that the difference is as small or as large as it can be."""
_IMPUTED: dict[Bound, tuple[Imputed, Imputed]] = {"": ("", ""), "least": ("none", "all"), "most": ("all", "none")}
"""How samples without an outcome are imputed, in the first arm and in the second."""


@dataclass(frozen=True)
class Judgement:
    """The difference of a contrast, or why there is none, and its verdict before guards."""

    difference: Difference | None
    reason: str
    p: float | None
    p_adjusted: float | None
    verdict: Verdict
    why: str


def _arm_tallies(table: Table, claim: Claim, context: str, seeds: Collection[int] | None) -> list[list[Tally]]:
    """The tallies of the two arms of a contrast for these seeds (None: all), and always those of the base arm."""
    arm_tallies = []
    for arm in (claim.arm, claim.other):
        key = find_final_cell(table, arm, claim.setting, context)
        tallies = table[key] if key else []
        arm_tallies.append([tally for tally in tallies if tally.seed is None or seeds is None or tally.seed in seeds])
    return arm_tallies


def finished_seeds(table: Table, claim: Claim) -> frozenset[int]:
    """The seeds of which both arms of a contrast are graded."""
    arm_seeds = [{t.seed for t in tallies} for tallies in _arm_tallies(table, claim, claim.context, None)]
    trained = [{seed for seed in seeds if seed is not None} for seeds in arm_seeds if seeds != {None}]
    return frozenset(set.intersection(*trained)) if trained else frozenset()


def compare_arms(
    table: Table,
    claim: Claim,
    measure: Measure,
    context: str,
    seeds: Collection[int] | None,
    pools: Pools,
    bound: Bound = "",
) -> tuple[Difference | None, str]:
    """The difference between the arms of a contrast; or None and the reason.

    Args:
        table: All finished cells.
        claim: The contrast: its arms and its setting.
        measure: What is compared.
        context: The context of evaluation.
        seeds: The seeds to use; None for all.
        pools: Where the variance over seeds is borrowed.
        bound: How samples without an outcome are treated.
    """
    arm_counts, reason = _count_arms(table, claim, measure, context, seeds, bound)
    if arm_counts is None:
        return None, reason
    difference = estimate_difference(*arm_counts)
    if difference is None:
        return None, f"'{claim.arm}' and '{claim.other}' have no seed and problem in common"
    # Imputed samples borrow what the observed ones show.
    if pool := pools.find(measure, claim.setting, context, seeds):
        difference = pool.lend(difference, claim.arm, claim.other)
    return difference, "" if difference.has_interval else "a single problem gives no interval"


def _count_arms(
    table: Table, claim: Claim, measure: Measure, context: str, seeds: Collection[int] | None, bound: Bound = ""
) -> tuple[tuple[Counts, Counts] | None, str]:
    """The counts of the two arms of a contrast; or None and the reason."""
    arm_tallies = _arm_tallies(table, claim, context, seeds)
    for arm, tallies in zip((claim.arm, claim.other), arm_tallies, strict=True):
        if not any(tally.judged(measure).any() for tally in tallies):
            place = f"'{arm}' in setting '{claim.setting}', context '{context}'"
            if measure == GAMED:
                return None, f"no grades separate hacks made for the check from near misses: {place}"
            return None, f"no graded samples of {place}"
    first, second = (
        pool_counts(tallies, measure, imputed) for tallies, imputed in zip(arm_tallies, _IMPUTED[bound], strict=True)
    )
    return (first, second), ""


def contrast_results(
    table: Table, study: dict[str, Any], claims: Sequence[Claim], schedule: Schedule, pools: Pools
) -> list[dict[str, Any]]:
    """All contrasts, as entries of results.json.

    Verdicts use the planned seeds only, at the planned looks. Seeds that were added after looking are only in
    `extended`: adding seeds until a result is significant inflates the false positive rate.

    Args:
        table: All finished cells.
        study: The study of the manifest.
        claims: Its contrasts.
        schedule: The seeds and looks that were planned.
        pools: Where variances over seeds are borrowed.
    """
    looks = [schedule.find_look(finished_seeds(table, claim)) for claim in claims]
    judgements = _judge_contrasts(table, claims, looks, pools, "")
    incomplete = any(tally.without_outcome.any() for tallies in table.values() for tally in tallies)
    bounds = [
        _judge_contrasts(table, claims, looks, pools, bound) if incomplete else judgements
        for bound in ("least", "most")
    ]
    honest = sorted({BASE} | {arm for arm, spec in study["arms"].items() if is_honest(spec)})
    contrasts = sum(not claim.exploratory for claim in claims) or 1
    return [
        _build_result(table, study, claim, look, judgement, extremes, contrasts, pools)
        | {
            "floor": _floor_rates(table, claim, [arm for arm in honest if has_floor(study, claim.context, arm)]),
            "extended": _extended_difference(table, claim, schedule, pools),
            "sign_flip": _flip_signs(table, claim, look),
        }
        for claim, look, judgement, *extremes in zip(claims, looks, judgements, *bounds, strict=True)
    ]


def _judge_contrasts(
    table: Table, claims: Sequence[Claim], looks: Sequence[Look], pools: Pools, bound: Bound
) -> list[Judgement]:
    """Every contrast with its verdict before guards, adjusted over all declared contrasts."""
    comparisons = [
        compare_arms(table, claim, claim.measure, claim.context, look.seeds, pools, bound)
        for claim, look in zip(claims, looks, strict=True)
    ]
    p_values = [
        claim_p_value(difference, claim.direction, claim.margin) if difference and difference.has_interval else None
        for claim, (difference, _) in zip(claims, comparisons, strict=True)
    ]
    declared = [number for number, claim in enumerate(claims) if not claim.exploratory]
    adjusted = adjust_p_values(p_values, looks, declared)
    judgements = []
    for number, (claim, look, (difference, reason)) in enumerate(zip(claims, looks, comparisons, strict=True)):
        verdict, why = _judge_contrast(claim, look, difference, reason, adjusted[number], len(declared))
        judgements.append(Judgement(difference, reason, p_values[number], adjusted[number], verdict, why))
    return judgements


def _judge_contrast(
    claim: Claim, look: Look, difference: Difference | None, reason: str, p_adjusted: float | None, contrasts: int
) -> tuple[Verdict, str]:
    """The verdict on the contrast before guards, and the reason with its numbers."""
    if difference is None or not difference.has_interval:
        return "descriptive", reason
    low, high = difference.interval()
    first_rate, second_rate = float(difference.first.rate), float(difference.second.rate)
    measure = claim.measure_label or claim.measure
    numbers = (
        f"{measure} is {first_rate:.0%} with '{claim.arm}' and {second_rate:.0%} with '{claim.other}' "
        f"(difference {difference.value * 100:+.0f} points, 95% interval {low * 100:+.0f} to {high * 100:+.0f})"
    )
    if claim.exploratory:
        return "descriptive", f"{numbers}; {NOT_DECLARED}"
    too_few = explain_few_seeds(difference.seeds)
    if too_few or p_adjusted is None or look.level is None:
        return "descriptive", f"{numbers}: {too_few or look.why}"
    verdict, why = judge(claim, difference, p_adjusted, look.level / contrasts)
    return verdict, f"{numbers}: {why}"


def _build_result(
    table: Table,
    study: dict[str, Any],
    claim: Claim,
    look: Look,
    judgement: Judgement,
    extremes: list[Judgement],
    contrasts: int,
    pools: Pools,
) -> dict[str, Any]:
    difference = judgement.difference if judgement.difference and judgement.difference.has_interval else None
    low, high = difference.interval() if difference else (None, None)
    adjusted = difference.interval((look.level or LEVEL) / contrasts) if difference else (None, None)
    guards = [_evaluate_guard(table, claim, name, look, pools) for name in claim.guards]
    verdict, why = apply_guards(judgement.verdict, judgement.why, guards)
    bounds = _bounds(judgement, extremes)
    if bounds and verdict in ("supported", "refuted") and any(end.verdict != judgement.verdict for end in extremes):
        verdict, why = "inconclusive", f"{why}, but the samples without an outcome could change that"
    # A larger study helps if the contrast itself is undecided, not if a guard shows harm.
    undecided = difference and judgement.verdict in ("inconclusive", "descriptive") and not claim.exploratory
    return {
        "claim": claim.label,
        "measure": claim.measure,
        "context": claim.context,
        "setting": claim.setting,
        claim.direction: claim.arm,
        "as" if claim.direction == "same" else "than": claim.other,
        "margin": claim.margin,
        "exploratory": claim.exploratory,
        "difference": judgement.difference.value if judgement.difference else None,
        "low": low,
        "high": high,
        "low_adjusted": adjusted[0],
        "high_adjusted": adjusted[1],
        "p": judgement.p,
        "p_adjusted": judgement.p_adjusted,
        "look": {"seeds": len(look.seeds), "level": look.level},
        "verdict": verdict,
        "why": why,
        "seeds": judgement.difference.seeds if judgement.difference else 0,
        "problems": judgement.difference.problems if judgement.difference else 0,
        "guards": [guard.result() for guard in guards],
        "bounds": bounds,
        "borrowed": describe_borrowed(
            judgement.difference,
            pools.find(claim.measure, claim.setting, claim.context, look.seeds),
            (claim.arm, claim.other),
        ),
        "variances": describe_variances(difference) if difference else None,
        "needed": _find_needed(study, claim, difference, LEVEL / contrasts, pools)
        if difference and undecided
        else None,
    }


def _bounds(judgement: Judgement, extremes: Sequence[Judgement]) -> list[float] | None:
    """The smallest and the largest difference, where samples without an outcome make one."""
    ends = [end.difference.value for end in extremes if end.difference]
    if len(ends) != 2 or not judgement.difference or ends == [judgement.difference.value] * 2:
        return None
    return ends


def _find_needed(
    study: dict[str, Any], claim: Claim, difference: Difference, alpha: float, pools: Pools
) -> dict[str, Any]:
    """How large a new study would have to be."""
    # One more than is tried, or it would seem that there are no more.
    most = most_problems(study, claim.setting, difference.problems * MORE_PROBLEMS[-1] + 1)
    lenders = pools.count_lenders(difference)
    return required_size(difference, claim.direction, claim.margin, VERDICT_SEEDS, alpha, lenders, most)


def _flip_signs(table: Table, claim: Claim, look: Look) -> dict[str, Any] | None:
    """The sign-flip test on the seeds that the verdict is over; None where there is no difference to test."""
    arm_counts, _ = _count_arms(table, claim, claim.measure, claim.context, look.seeds)
    return compare_seeds(*arm_counts) if arm_counts else None


def _evaluate_guard(table: Table, claim: Claim, name: str, look: Look, pools: Pools) -> Guard:
    measure: Measure = "hack" if name == "asked-hack" else "malformed" if name == "malformed" else "correct"
    context = prompts.ASKS_TO_HACK if name == "asked-hack" else claim.context
    if name == CAPABILITY:
        # Whatever the claim is about, ability is measured by the same items, and has a margin of its own.
        claim = replace(claim, setting=CAPABILITY, margin=CAPABILITY_MARGIN)
        context = prompts.NEUTRAL
    difference, _ = compare_arms(table, claim, measure, context, look.seeds, pools)
    return evaluate_guard(name, claim, difference)


def _floor_rates(table: Table, claim: Claim, honest: Sequence[str]) -> list[dict[str, Any]]:
    """The claim's measure in arms that were trained on no hack: how often an honest near miss looks like one."""
    if claim.measure not in ("hack", GAMED) or setting_of(claim.setting) in BAD_ANSWERS:
        return []
    rates = []
    for arm in honest:
        key = find_final_cell(table, arm, claim.setting, claim.context)
        rate = estimate_rate(pool_counts(table[key], claim.measure)) if key else None
        if rate:
            rates.append({"arm": arm, "rate": rate.rate, "low": rate.low, "high": rate.high})
    return rates


def _extended_difference(table: Table, claim: Claim, schedule: Schedule, pools: Pools) -> dict[str, Any] | None:
    """The same difference, with the seeds that were added after looking; None where there are none."""
    added = sorted(finished_seeds(table, claim) - set(schedule.planned))
    if not added:
        return None
    difference, reason = compare_arms(table, claim, claim.measure, claim.context, None, pools)
    if difference is None or not difference.has_interval:
        return {"difference": None, "low": None, "high": None, "seeds": 0, "added": added, "reason": reason}
    return {**difference.describe(), "seeds": difference.seeds, "added": added}
