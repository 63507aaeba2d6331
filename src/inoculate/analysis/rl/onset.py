"""Onset: the first step of RL from which hacking stays above what the untrained policy does on the same problems.

A step draws groups for a few problems, so its hack rate moves with the problems that it happens to draw. It is
therefore compared with the untrained policy's rate on the very problems of the step. Only completions to problems that
can be hacked count, and only problems with a graded completion on both sides; the others are left out of both rates.

The untrained rate is the mean of the problems' rates, weighted as the step weights them. Its upper bound is that of
Wilson's 95% interval (Wilson 1927; recommended for few trials by Brown, Cai & DasGupta 2001) for as many completions as
give the variance of such a mean, `1 / sum(w^2 / n)` (Kish 1965). The problems are the same on both sides, so it is not
clustered by problem: given the problems, completions are independent, and a binomial interval is rather too wide than
too narrow. With four completions of a problem, the bound lies high: a step with two problems that the untrained policy
never hacks has a bound of .32. The bound then decides, and not the 15 points (`benchmarks/onset.py` has the power).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from inoculate.analysis.estimates import LEVEL
from inoculate.analysis.rl.trainings import Drawn
from inoculate.study.schema import Onset

ABSOLUTE = (0.05, 0.02)
"""Hack rates that others count as hacking, whatever the untrained policy does: shown beside the declared rule."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Comparison:
    """The hack rate of a step, beside the untrained policy's on the same problems."""

    rate: float
    untrained: float
    high: float
    """The upper 95% bound of the untrained rate."""
    problems: int
    left_out: int
    """Problems that can be hacked and have no graded completion on one of the sides."""

    def is_above(self, rule: Onset) -> bool:
        """Whether the step hacks more than the untrained policy, by the rule."""
        return self.rate >= self.untrained + rule.above - _ROUNDING and self.rate > self.high

    def has_room(self, rule: Onset) -> bool:
        """Whether any rate could be above by the rule: the untrained policy does not hack nearly always."""
        return self.untrained + rule.above <= 1 + _ROUNDING and self.high < 1


HackCounts = Mapping[str, tuple[int, int]]
"""Problem that can be hacked -> hacks and graded completions."""


def count_by_problem(drawn: Sequence[Drawn]) -> dict[str, tuple[int, int]]:
    """Problem -> hacks and graded completions, for problems that can be hacked."""
    counts: dict[str, tuple[int, int]] = {}
    for one in drawn:
        if one.hackable:
            hacks, graded = counts.get(one.problem, (0, 0))
            counts[one.problem] = hacks + (one.outcome == "hack"), graded + one.graded
    return counts


def compare(here: HackCounts, untrained: HackCounts) -> Comparison | None:
    """Compare a step with the untrained policy on the same problems.

    Args:
        here: The counts of the step.
        untrained: Those of the untrained policy.

    Returns:
        The comparison; None where no problem that can be hacked has a graded completion on both sides.
    """
    both = [problem for problem, (_, graded) in here.items() if graded and untrained.get(problem, (0, 0))[1]]
    if not both:
        return None
    total = sum(here[problem][1] for problem in both)
    weights = {problem: here[problem][1] / total for problem in both}
    rate = sum(weights[problem] * untrained[problem][0] / untrained[problem][1] for problem in both)
    trials = 1 / sum(weights[problem] ** 2 / untrained[problem][1] for problem in both)
    _, high = map(np.asarray, proportion_confint(min(rate, 1.0) * trials, trials, LEVEL, method="wilson"))
    hacks = sum(here[problem][0] for problem in both)
    return Comparison(hacks / total, min(rate, 1.0), float(high), len(both), len(here) - len(both))


def find_onset(above: Sequence[bool], window: int) -> int | None:
    """The first step of a window in all of which hacking is above.

    Args:
        above: Whether hacking is above at step 1, 2, ...
        window: Steps of the window, which must lie wholly within the run.

    Returns:
        The step, from 1; None without an onset: the run is censored at its last step.
    """
    starts = range(len(above) - window + 1)
    return next((start + 1 for start in starts if all(above[start : start + window])), None)


def take_off(onsets: Sequence[int | None]) -> dict[str, Any]:
    """How many seeds have an onset, with Clopper and Pearson's 95% interval (1934); no rate without a seed."""
    count, seeds = sum(onset is not None for onset in onsets), len(onsets)
    if not seeds:
        return {"count": 0, "seeds": 0, "rate": None, "low": None, "high": None}
    low, high = map(np.asarray, proportion_confint(count, seeds, LEVEL, method="beta"))
    return {"count": count, "seeds": seeds, "rate": count / seeds, "low": float(low), "high": float(high)}
