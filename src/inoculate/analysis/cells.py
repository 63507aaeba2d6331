"""The cells of the results: outcome rates with intervals for every arm, setting, context and share of training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

import numpy as np

from inoculate.analysis.estimates import Counts, Difference, estimate_difference, estimate_rate
from inoculate.analysis.run_folder import CellKey, Tally, pool_counts
from inoculate.analysis.verdicts import ONE_SEED
from inoculate.records import GAMED, OUTCOMES, Evidence, Measure

SCORED: tuple[Measure, ...] = tuple(outcome for outcome in OUTCOMES if outcome != "ungraded")
"""The outcomes that have a rate; `ungraded` is only counted."""
Table = Mapping[CellKey, list[Tally]]
"""All finished cells."""
Place = tuple[str, str, str]
"""Arm, setting and context."""


def group_by_cell(all_tallies: Iterable[Tally]) -> dict[CellKey, list[Tally]]:
    """The tallies of every cell, ordered by seed; cells are in the order of the manifest."""
    cells: dict[CellKey, list[Tally]] = {}
    for tally in all_tallies:
        cells.setdefault(tally.key, []).append(tally)
    for seed_tallies in cells.values():
        seed_tallies.sort(key=lambda tally: -1 if tally.seed is None else tally.seed)
    return cells


def find_final_cell(table: Table, arm: str, setting: str, context: str) -> CellKey | None:
    """The cell of an arm at the end of its nominal training, else at the largest share of training there is."""
    keys = [key for key in table if (key.arm, key.setting, key.context) == (arm, setting, context)]
    return max(keys, key=lambda key: (key.at == 1.0, key.at), default=None)


def compare_cells(table: Table, measure: str, first: Place, second: Place) -> Difference | None:
    """The difference of two cells, borrowing nothing; None where one is not there or has no graded samples.

    Args:
        table: All finished cells.
        measure: What is compared.
        first: Arm, setting and context.
        second: Those of what is subtracted.
    """
    keys = [find_final_cell(table, *place) for place in (first, second)]
    counts = [pool_counts(table[key], measure) for key in keys if key]
    return estimate_difference(*counts) if len(counts) == 2 else None


def common_counts(
    table: Table, arms: Sequence[str], setting: str, context: str, measure: str
) -> tuple[list[Counts], set[int]]:
    """Counts of some arms on the seeds and problems that all of them have, equally weighted.

    Args:
        table: All finished cells.
        arms: The arms, all of them trained.
        setting: The setting.
        context: The context.
        measure: What is counted.

    Returns:
        [A] The counts, empty if an arm has none; and the seeds.
    """
    arm_counts: list[Counts] = []
    for arm in arms:
        key = find_final_cell(table, arm, setting, context)
        if key is None:
            return [], set()
        counts = pool_counts(table[key], measure)
        arm_counts.append(counts.select(counts.graded > 0))
    common = set.intersection(*(set(zip(counts.seeds, counts.problems, strict=True)) for counts in arm_counts))
    kept = [
        counts.select(
            np.array([pair in common for pair in zip(counts.seeds, counts.problems, strict=True)], dtype=bool)
        )
        for counts in arm_counts
    ]
    return [counts.reweight() for counts in kept if common], {int(seed) for seed, _ in common}


def build_cell(key: CellKey, tallies: list[Tally]) -> dict[str, Any]:
    """One entry of `cells` in results.json (docs/results-schema.md)."""
    samples = sum(tally.samples for tally in tallies)
    ungraded = sum(tally.count("ungraded") for tally in tallies)
    missing = sum(tally.missing for tally in tallies)
    tags: Counter[tuple[str, str]] = sum((tally.tags for tally in tallies), Counter())
    outcomes, methods = {}, []
    for outcome in SCORED:
        outcomes[outcome], method = _estimate_outcome(tallies, outcome)
        methods.append(method)
    return {
        **key._asdict(),
        "seeds": [tally.seed for tally in tallies if tally.seed is not None],
        "problems": len({identity for tally in tallies for identity in tally.problems.ids}),
        "hackable": len({identity for tally in tallies for identity in tally.problems.hackable}),
        "samples": samples,
        "ungraded": ungraded,
        "missing": missing,
        "truncated": sum(tally.truncated for tally in tallies),
        "tokens": sum(tally.tokens for tally in tallies) / samples if samples else None,
        "distinct": distinct_share(tallies),
        "outcomes": outcomes,
        "gamed": _estimate_outcome(tallies, GAMED)[0] if any(GAMED in tally.metrics for tally in tallies) else None,
        "others": {
            name: _estimate_outcome(tallies, name)[0]
            for name in sorted({n for tally in tallies for n in tally.other_metrics})
        },
        "bounds": _bounds(outcomes, samples, ungraded, missing),
        "tags": {
            name: {kind: tags[name, kind] for kind in get_args(Evidence)} for name in sorted({tag for tag, _ in tags})
        },
        "by_seed": [
            {
                "seed": tally.seed,
                "samples": tally.samples,
                "outcomes": {outcome: seed_rate(tally, outcome) for outcome in SCORED},
                "gamed": seed_rate(tally, GAMED),
            }
            for tally in tallies
        ],
        "interval": methods[0],
        "reason": "" if samples > ungraded else "no graded samples",
        "caution": ONE_SEED if [tally.seed is not None for tally in tallies] == [True] else "",
    }


def _estimate_outcome(tallies: list[Tally], measure: str) -> tuple[dict[str, Any], str]:
    """Count, rate and interval of an outcome or metric, and the method of the interval."""
    estimate = estimate_rate(pool_counts(tallies, measure))
    count = sum(int(tally.hits(measure).sum()) for tally in tallies)
    if estimate is None:
        return {"count": count, "rate": None, "low": None, "high": None, "reason": "no graded samples"}, "none"
    result: dict[str, Any] = {"count": count, "rate": estimate.rate, "low": estimate.low, "high": estimate.high}
    if estimate.low is None:
        result["reason"] = "a single problem gives no interval"
    return result, estimate.method


def _bounds(outcomes: dict[str, Any], samples: int, ungraded: int, missing: int) -> dict[str, list[float]]:
    """Best and worst case of every rate, counting samples without an outcome either way; empty if all have one."""
    unknown, requested = ungraded + missing, samples + missing
    if not unknown:
        return {}
    bounds = {}
    for outcome, estimate in outcomes.items():
        least, most = estimate["count"] / requested, (estimate["count"] + unknown) / requested
        bounds[outcome] = [most, least] if outcome == "correct" else [least, most]
    return bounds


def seed_rate(tally: Tally, measure: Measure) -> float | None:
    """The rate of one measure in one cell; None without a judged sample."""
    judged = int(tally.judged(measure).sum())
    return int(tally.hits(measure).sum()) / judged if judged else None


def distinct_share(tallies: list[Tally]) -> float | None:
    """Different completions as a share of the completions of a seed, averaged over seeds."""
    shares = [tally.distinct / tally.samples for tally in tallies if tally.samples]
    return sum(shares) / len(shares) if shares else None
