"""Dose-response over vetted examples: does a rate rise or fall with their number?

The arms of a trend are ordered by their number of vetted examples. The slope is a linear contrast of the arms' rates in
the scores 0, 1, 2, ... (the ranks of the doses, as numbers such as 0, 4, 16, 64 are chosen for equal steps), the
least-squares slope through the rates: the change of the rate from one dose to the next. It is what the test of Cochran
(1954) and Armitage (1955) looks at, with seeds and kinds of problem as clusters: its variances are those of
`estimates`, and nothing is borrowed. p values are adjusted over the declared trends of the study (Holm 1979). A trend
that was not declared before the study ran is exploratory, as such contrasts are: it has no verdict.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inoculate.analysis.arms import row_tables
from inoculate.analysis.cells import Table, common_counts, find_final_cell
from inoculate.analysis.claims import NOT_DECLARED
from inoculate.analysis.estimates import LEVEL, ArmRate, Variances, estimate_arms, estimate_variances, solve_p, z_square
from inoculate.analysis.looks import Look, Schedule, adjust_p_values
from inoculate.analysis.verdicts import explain_few_seeds


class Slope(NamedTuple):
    """A slope over doses, and what its interval is computed from."""

    value: float
    """The change of the rate from one dose to the next."""
    variances: Variances
    floor: float
    """The smallest square of its standard error: where no rate varies, the data cannot say how much it could."""

    def half_width(self, alpha: float = LEVEL) -> float:
        """Half the width of the interval with confidence `1 - alpha`."""
        return sqrt(max(float(self.variances.squared_half_width(alpha)), z_square(alpha) * self.floor))

    def p_value(self) -> float:
        """The two-sided p value of no trend."""
        return solve_p(self.half_width, abs(self.value)) if self.value else 1.0


class _Found(NamedTuple):
    """What the finished seeds say of a trend."""

    slope: Slope | None
    look: Look
    reason: str
    """Why there is no slope; '' where there is one."""


def dose_of(spec: Mapping[str, Any]) -> int:
    """An arm's number of vetted examples, over all tables of its rows.

    Args:
        spec: The arm in the study of the manifest.
    """
    given = (table.get("vetted") or 0 for table in row_tables(spec))
    return sum(vetted["count"] if isinstance(vetted, dict) else vetted for vetted in given)


def analyse_trends(
    table: Table, study: Mapping[str, Any], schedule: Schedule, declared: Collection[int]
) -> list[dict[str, Any]]:
    """The trends of a study.

    Args:
        table: All finished cells.
        study: The study of the manifest.
        schedule: The seeds and looks that were planned: other seeds are left out.
        declared: The positions of the trends that were declared before the study ran.

    Returns:
        As docs/results-schema.md describes them, in the study's order.
    """
    first = study["evaluate"]["settings"][0]
    trends = [{**trend, "setting": trend["setting"] or first} for trend in study.get("trends") or ()]
    found = [_find_slope(table, trend, schedule) for trend in trends]
    p_values = [one.slope.p_value() if one.slope else None for one in found]
    adjusted = adjust_p_values(p_values, [one.look for one in found], declared)
    described = list[dict[str, Any]]()
    for place, (trend, one, p_adjusted) in enumerate(zip(trends, found, adjusted, strict=True)):
        exploratory = place not in declared
        verdict, why = _judge(trend, one, p_adjusted, exploratory)
        judged = {"exploratory": exploratory, "p_adjusted": p_adjusted, "verdict": verdict, "why": why}
        described.append(_describe(table, study, trend, one) | judged)
    return described


def estimate_slope(rates: Sequence[ArmRate]) -> Slope | None:
    """The slope through the rates of arms, ordered by dose; None from a single problem.

    Args:
        rates: [A] Their rates, over the same seeds and kinds of problem.
    """
    weights = slope_weights(len(rates))
    scores = sum(weight * rate.scores for weight, rate in zip(weights, rates, strict=True))
    scores = np.asarray(scores)
    variances = estimate_variances(scores.sum(axis=-2), scores)
    if not variances.kind_df:
        return None
    trials = min(rate.trials for rate in rates)
    # As for a difference, whose weights are 1 and -1: one hit more in one of the arms.
    floor = float((weights**2).sum()) / (trials + 2) ** 2
    return Slope(float(weights @ [float(rate.rate) for rate in rates]), variances, floor)


def slope_weights(doses: int) -> NDArray[np.float64]:
    """[A] Weights of the arms' rates in the least-squares slope over the ranks of their doses."""
    centred = np.arange(doses) - (doses - 1) / 2
    return centred / (centred**2).sum()


def _find_slope(table: Table, trend: Mapping[str, Any], schedule: Schedule) -> _Found:
    """The slope of one trend, or why there is none."""
    counts, seeds = common_counts(table, trend["arms"], trend["setting"], trend["context"], trend["measure"])
    look = schedule.find_look(seeds)
    counts = [one.select(np.isin(one.seeds, list(look.seeds))) for one in counts]
    if not counts or not all(len(one.seeds) for one in counts):
        return _Found(None, look, "not all of its arms have a seed and problem in common yet")
    slope = estimate_slope(estimate_arms(counts))
    return _Found(slope, look, "" if slope else "a single problem gives no interval")


def _describe(table: Table, study: Mapping[str, Any], trend: Mapping[str, Any], found: _Found) -> dict[str, Any]:
    """A trend with its slope, but for what is made of it."""
    slope = found.slope
    cells = [find_final_cell(table, arm, trend["setting"], trend["context"]) for arm in trend["arms"]]
    width = slope.half_width() if slope else 0.0
    return {
        **{key: trend[key] for key in ("claim", "measure", "context", "setting", "direction")},
        "doses": [
            {"arm": arm, "dose": dose_of(study["arms"][arm])}
            for arm, cell in zip(trend["arms"], cells, strict=True)
            if cell
        ],
        "slope": slope.value if slope else None,
        "low": slope.value - width if slope else None,
        "high": slope.value + width if slope else None,
        "p": slope.p_value() if slope else None,
        "seeds": len(found.look.seeds) if slope else 0,
    }


def _judge(trend: Mapping[str, Any], found: _Found, p_adjusted: float | None, exploratory: bool) -> tuple[str, str]:
    """The verdict on a trend, and the reason with its numbers."""
    slope, look = found.slope, found.look
    if slope is None:
        return "descriptive", found.reason
    width = slope.half_width()
    numbers = (
        f"{trend['measure']} changes by {100 * slope.value:+.1f} points from one dose to the next (95% interval "
        f"{100 * (slope.value - width):+.1f} to {100 * (slope.value + width):+.1f})"
    )
    if exploratory:
        return "descriptive", f"{numbers}; {NOT_DECLARED}"
    if few := explain_few_seeds(len(look.seeds)) or (look.why if look.level is None else ""):
        return "descriptive", f"{numbers}: {few}"
    if p_adjusted is None or p_adjusted >= LEVEL:
        return "inconclusive", f"{numbers}: no trend can be shown"
    claimed = (slope.value < 0) == (trend["direction"] == "lower")
    return ("supported", numbers) if claimed else ("refuted", f"{numbers}: the other way")
