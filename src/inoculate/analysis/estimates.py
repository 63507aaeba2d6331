"""Rates and differences of rates with intervals, where training seeds are the unit and problems are crossed with them.

Every completion belongs to a seed and to a problem, every problem to a kind (a template), and all seeds answer the
same problems. A rate is therefore uncertain for two reasons at once: other seeds would have trained other models, and
other kinds of problem would have been easier or harder. With `u[s, k]` the summed scores of seed `s` on kind `k`, the
two variances are those of the sums over rows and over columns (Cameron, Gelbach & Miller 2011, section 2.2). Two
choices were made by simulation (docs/statistics.md, `benchmarks/coverage.py`):

- The variances are added and their overlap is *not* subtracted: with few seeds the subtraction makes the interval too
  narrow (MacKinnon, Nielsen & Webb 2021, section 3, discuss the two-term form).
- Each variance keeps the t quantile of its own degrees of freedom, `t[S-1]^2 V_seed + t[K-1]^2 V_kind`. This is
  Banerjee's interval (Sankhya 22, 1960), whose coverage is never below the nominal one for normal effects.
  Satterthwaite's degrees of freedom, the usual choice, are estimated from the same few seeds and fall short with two
  or three.

Near 0 and 1 the same variance goes into Wilson's interval instead of a symmetric one, and for differences into the
square-and-add method built on it (Newcombe 1998, method 10; Zou & Donner 2008, section 2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtri, stdtrit
from statsmodels.stats.proportion import proportion_confint

LEVEL = 0.05
"""One minus the confidence of every interval that is not adjusted for the number of contrasts."""

SMALLEST_P = 1e-12
"""p values are not resolved below this."""

NO_SEED = -1
"""The seed label of rows that no training produced: the base arm."""


@dataclass(frozen=True)
class Counts:
    """How often one outcome occurred, one row per seed and problem; R rows.

    Labels are compared for equality only, so that two arms agree where their labels do.
    """

    seeds: NDArray[np.int64]
    """[R] The training seed, `NO_SEED` for the base arm."""
    problems: NDArray[Any]
    """[R] Label of the problem."""
    kinds: NDArray[Any]
    """[R] Label of the problem's kind."""
    hits: NDArray[np.int64]
    """[R] Samples with the outcome."""
    graded: NDArray[np.int64]
    """[R] Samples with any outcome but `ungraded`."""

    def only(self, rows: NDArray[Any]) -> Counts:
        """The rows that a mask or an index array [R'] picks."""
        return Counts(*(column[rows] for column in (self.seeds, self.problems, self.kinds, self.hits, self.graded)))


class Spread(NamedTuple):
    """The two variances of an estimate; a variance with no degrees of freedom is not known and counted as 0."""

    seed: float
    seed_df: int
    kind: float
    kind_df: int
    shared: float
    """The part that is in both: seeds that differ kind by kind, and sampling. Only power calculations use it."""

    def reach(self, alpha: float) -> float:
        """Square of the half width of a symmetric interval that misses with probability `alpha`."""
        square = _t_square(self.kind_df, alpha) * self.kind
        return square + (_t_square(self.seed_df, alpha) * self.seed if self.seed_df else 0.0)


@lru_cache(maxsize=4096)
def _t_square(df: int, alpha: float) -> float:
    return float(stdtrit(df, alpha / 2)) ** 2


def _z_square(alpha: float) -> float:
    return float(ndtri(alpha / 2)) ** 2


def _spread(scores: NDArray[np.float64], seeds: NDArray[np.int64], clusters: NDArray[Any]) -> Spread:
    """The variances of a sum of scores.

    Args:
        scores: [R] Contributions to the estimate, which sum to 0.
        seeds: [R] `NO_SEED` where no training is behind the row: those rows say nothing about retraining.
        clusters: [R] Labels of the units that problems are drawn in.
    """
    _, cluster = np.unique(clusters, return_inverse=True)
    width = int(cluster.max()) + 1
    by_kind = np.bincount(cluster, scores, width)
    kind_df = width - 1
    kind = width / kind_df * float(by_kind @ by_kind) if kind_df else 0.0
    trained = seeds != NO_SEED
    names, seed = np.unique(seeds[trained], return_inverse=True)
    count = len(names)
    if count < 2:
        return Spread(0.0, 0, kind, kind_df, 0.0)
    table = np.bincount(seed * width + cluster[trained], scores[trained], count * width).reshape(count, width)
    by_seed = table.sum(axis=1) - table.sum() / count
    rest = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    # Mean square of the interaction in a two-way layout, scaled from one entry of the table to their sum.
    shared = count * width * float((rest**2).sum()) / ((count - 1) * kind_df) if kind_df else 0.0
    return Spread(count / (count - 1) * float(by_seed @ by_seed), count - 1, kind, kind_df, shared)


def _clusters(kinds: NDArray[Any], problems: NDArray[Any]) -> NDArray[Any]:
    """Kinds, or problems where there is only one kind to draw from."""
    return kinds if (kinds != kinds[0]).any() else problems


def _wilson(rate: float, reach: float, trials: float, alpha: float) -> tuple[float, float]:
    """Wilson's interval with the number of trials that would give this reach.

    Args:
        rate: The estimate.
        reach: Square of the half width that a symmetric interval would have.
        trials: How many trials the samples are worth at rates of 0 and 1, where nothing varies. A variance below that
            of one hit in so many trials is not believed.
        alpha: Probability of a miss.
    """
    spread = rate * (1 - rate)
    most = max(trials, spread * (trials + 2) ** 2)
    worth = min(_z_square(alpha) * spread / reach, most) if reach > 0 and spread > 0 else trials
    low, high = np.asarray(proportion_confint(rate * worth, worth, alpha, method="wilson"), dtype=float)
    # At 0 and 1 the formula misses its own estimate by rounding.
    return min(float(low), rate), max(float(high), rate)


class _Arm(NamedTuple):
    """One rate and what its interval needs."""

    rate: float
    scores: NDArray[np.float64]
    spread: Spread
    trials: float


def _arm(counts: Counts) -> _Arm:
    total = int(counts.graded.sum())
    rate = float(counts.hits.sum()) / total
    scores = (counts.hits - rate * counts.graded) / total
    seeds = len(np.unique(counts.seeds))
    # Answers to one problem are alike over seeds, though not equal: at a rate of 0, where the data cannot say how
    # much, they are taken to be worth the geometric mean of one and of all of them (docs/statistics.md).
    trials = len(np.unique(counts.problems[counts.graded > 0])) * math.sqrt(seeds)
    return _Arm(rate, scores, _spread(scores, counts.seeds, _clusters(counts.kinds, counts.problems)), trials)


@dataclass(frozen=True)
class Rate:
    """The share of one outcome, with its 95% interval."""

    rate: float
    low: float | None
    high: float | None
    method: str
    """`wilson-cluster`: sampling error only (one seed, or none). `wilson-crossed`: seeds and problems. `none`."""


def rate(counts: Counts) -> Rate | None:
    """Estimate the rate of an outcome; None without a graded sample, no interval from a single problem."""
    if not counts.graded.sum():
        return None
    arm = _arm(counts.only(counts.graded > 0))
    if not arm.spread.kind_df:
        return Rate(arm.rate, None, None, "none")
    low, high = _wilson(arm.rate, arm.spread.reach(LEVEL), arm.trials, LEVEL)
    return Rate(arm.rate, low, high, "wilson-crossed" if arm.spread.seed_df else "wilson-cluster")


@dataclass(frozen=True)
class Difference:
    """The rate of one arm minus that of another, over the problems and seeds that both have."""

    first: _Arm
    second: _Arm
    spread: Spread
    seeds: int
    """Seeds that both arms have; 0 if neither was trained."""
    problems: int

    @cached_property
    def value(self) -> float:
        """The difference itself, between -1 and 1."""
        return self.first.rate - self.second.rate

    @property
    def measured(self) -> bool:
        """Whether there is more than one problem, without which nothing is known of the error."""
        return self.spread.kind_df > 0

    def interval(self, alpha: float = LEVEL) -> tuple[float, float]:
        """The interval that misses the true difference with probability `alpha`."""
        below, above = self._distances(alpha)
        return max(self.value - below, -1.0), min(self.value + above, 1.0)

    def p_value(self, null: float = 0.0) -> float:
        """The two-sided p value of a true difference of `null`: the alpha at which the interval just reaches it."""
        gap = self.value - null
        if gap == 0:
            return 1.0
        side = 0 if gap > 0 else 1

        def excess(log_alpha: float) -> float:
            return self._distances(math.exp(log_alpha))[side] - abs(gap)

        smallest, largest = math.log(SMALLEST_P), math.log(1 - 1e-9)
        if excess(smallest) <= 0:
            return SMALLEST_P
        if excess(largest) >= 0:
            return 1.0
        return math.exp(cast(float, brentq(excess, smallest, largest, xtol=1e-6)))

    def _distances(self, alpha: float) -> tuple[float, float]:
        """How far the interval reaches down and up: the larger of the symmetric and the square-and-add distance.

        The second alone is too short with two seeds, because Wilson's interval draws wide intervals towards one half;
        the first alone is too short near 0 and 1.
        """
        trials = min(self.first.trials, self.second.trials)
        both, one, two = (s.reach(alpha) for s in (self.spread, self.first.spread, self.second.spread))
        # The variance of no discordant pair at all, after adding one of each sort (Bonett & Price 2012, equation 4).
        symmetric = math.sqrt(max(both, _z_square(alpha) * 2 / (trials + 2) ** 2))
        alike = min(max((one + two - both) / (2 * math.sqrt(one * two)), -1.0), 1.0) if one > 0 and two > 0 else 0.0
        low_1, high_1 = _wilson(self.first.rate, one, trials, alpha)
        low_2, high_2 = _wilson(self.second.rate, two, trials, alpha)
        down = _square_and_add(self.first.rate - low_1, high_2 - self.second.rate, alike)
        up = _square_and_add(high_1 - self.first.rate, self.second.rate - low_2, alike)
        return max(symmetric, down), max(symmetric, up)


def _square_and_add(one: float, two: float, alike: float) -> float:
    return math.sqrt(max(one * one + two * two - 2 * alike * one * two, 0.0))


def difference(first: Counts, second: Counts) -> Difference | None:
    """Compare two arms on the seeds and problems that both have; None where they have none in common."""
    pair = _paired(first, second)
    if pair is None:
        return None
    one, two = _arm(pair[0]), _arm(pair[1])
    seeds = np.concatenate([pair[0].seeds, pair[1].seeds])
    problems = np.concatenate([pair[0].problems, pair[1].problems])
    kinds = np.concatenate([pair[0].kinds, pair[1].kinds])
    scores = np.concatenate([one.scores, -two.scores])
    return Difference(
        one,
        two,
        _spread(scores, seeds, _clusters(kinds, problems)),
        len(np.unique(seeds[seeds != NO_SEED])),
        len(np.unique(problems)),
    )


def _paired(first: Counts, second: Counts) -> tuple[Counts, Counts] | None:
    """Keep the (seed, problem) pairs that both arms answered; the base arm, without a seed, pairs with every seed."""
    arms = [counts.only(counts.graded > 0) for counts in (first, second)]
    if not all(len(counts.hits) for counts in arms):
        return None
    if all(np.array_equal(getattr(arms[0], key), getattr(arms[1], key)) for key in ("seeds", "problems")):
        return arms[0], arms[1]
    seedless = any((counts.seeds == NO_SEED).any() for counts in arms)
    keys = [
        [(NO_SEED if seedless else seed, problem) for seed, problem in zip(counts.seeds, counts.problems, strict=True)]
        for counts in arms
    ]
    common = set(keys[0]) & set(keys[1])
    if not common:
        return None
    one, two = (counts.only(np.array([key in common for key in own])) for counts, own in zip(arms, keys, strict=True))
    return one, two
