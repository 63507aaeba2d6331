"""Rates and differences of rates with intervals, where training seeds are the unit and problems are crossed with them.

Every completion belongs to a seed and to a problem, every problem to a kind (a template), and all seeds answer the
same problems. A rate is therefore uncertain for two reasons at once: other seeds would have trained other models, and
other kinds of problem would have been easier or harder. With `u[s, k]` the summed scores of seed `s` on kind `k`, the
two variances are those of the sums over rows and over columns (two-way clusters: Cameron, Gelbach & Miller 2011). Two
choices were made by simulation (docs/statistics.md, `benchmarks/coverage.py`):

- The variances are added and their overlap is *not* subtracted.
- Each variance keeps the t quantile of its own degrees of freedom, `t[S-1]^2 V_seed + t[K-1]^2 V_kind` (Banerjee
  1960). Satterthwaite's degrees of freedom, the usual choice, are estimated from the same few seeds and fall short with
  two or three.

The variance of a rate goes into Clopper and Pearson's interval (Korn & Graubard 1998), which has a width at 0 and 1. A
difference has a symmetric interval, or the square-and-add interval built on the Wilson intervals of its two rates
(Newcombe 1998, method 10 for paired data; Zou & Donner 2008), whichever reaches farther.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtri, stdtrit
from statsmodels.stats.proportion import proportion_confint

LEVEL = 0.05
"""One minus the confidence of every interval that is not adjusted for the number of contrasts."""

SMALLEST_P = 1e-12
"""p values are not resolved below this."""

Values = NDArray[np.float64]
"""One number per study: of one study an array of shape [], of many at once (benchmarks/coverage.py) [N]."""

NO_SEED = -1
"""The seed label of rows that no training produced: the base arm."""


@dataclass(frozen=True)
class Counts:
    """How often one outcome occurred, one row per seed and problem; R rows.

    Labels are compared for equality only, so that two arms agree where their labels do. Samples may be weighted.
    """

    seeds: NDArray[np.int64]
    """[R] The training seed, `NO_SEED` for the base arm."""
    problems: NDArray[Any]
    """[R] Label of the problem."""
    kinds: NDArray[Any]
    """[R] Label of the problem's kind."""
    hits: NDArray[Any]
    """[R] Samples with the outcome."""
    graded: NDArray[Any]
    """[R] Samples with any outcome but `ungraded`."""

    def only(self, rows: NDArray[Any]) -> Counts:
        """The rows that a mask or an index array [R'] picks."""
        return Counts(*(column[rows] for column in (self.seeds, self.problems, self.kinds, self.hits, self.graded)))

    def evenly(self, weight: Sequence[float] | float = 1.0) -> Counts:
        """The share of every row (all have graded samples) as if each had so many: `weight` [R], or alike for all.

        Arms that are compared weigh a problem alike, however many of its samples could be graded in either: else the
        one that lost samples of hard problems would look better.
        """
        weights = np.broadcast_to(np.asarray(weight, dtype=float), self.hits.shape)
        return replace(self, hits=self.hits / self.graded * weights, graded=weights)


class Spread(NamedTuple):
    """The two variances of an estimate; a variance with no degrees of freedom is not known and counted as 0."""

    seed: Values
    seed_df: int
    kind: Values
    kind_df: int
    shared: Values
    """The part that is in both: seeds that differ kind by kind, and sampling. Only power calculations use it."""

    def reach(self, alpha: float) -> Values:
        """Square of the half width of a symmetric interval that misses with probability `alpha`."""
        square = _t_square(self.kind_df, alpha) * self.kind
        return square + (_t_square(self.seed_df, alpha) * self.seed if self.seed_df else 0.0)


@lru_cache(maxsize=4096)
def _t_square(df: int, alpha: float) -> float:
    return float(stdtrit(df, alpha / 2)) ** 2


def _z_square(alpha: float) -> float:
    return float(ndtri(alpha / 2)) ** 2


def _spread(by_kind: Values, trained: Values | None) -> Spread:
    """The variances of a sum of scores that sum to 0.

    Args:
        by_kind: [..., K] Scores summed by kind.
        trained: [..., S, K] Those behind which is a training, by seed and kind: the others say nothing of retraining.
    """
    kinds = by_kind.shape[-1]
    none = np.zeros(by_kind.shape[:-1])
    kind = kinds / (kinds - 1) * (by_kind**2).sum(axis=-1) if kinds > 1 else none
    seeds = 0 if trained is None else trained.shape[-2]
    if trained is None or seeds < 2:
        return Spread(none, 0, kind, kinds - 1, none)
    over_kinds, over_seeds = trained.mean(axis=-1, keepdims=True), trained.mean(axis=-2, keepdims=True)
    centre = over_kinds.mean(axis=-2, keepdims=True)
    by_seed = kinds * (over_kinds - centre)[..., 0]
    rest = trained - over_kinds - over_seeds + centre
    # Mean square of the interaction in a two-way layout, scaled from one entry of the table to their sum.
    degrees = (seeds - 1) * (kinds - 1)
    shared = seeds * kinds * (rest**2).sum(axis=(-2, -1)) / degrees if degrees else none
    return Spread(seeds / (seeds - 1) * (by_seed**2).sum(axis=-1), seeds - 1, kind, kinds - 1, shared)


@dataclass(frozen=True)
class Arm:
    """The rate of one outcome in one arm, and what its interval needs."""

    rate: Values
    """[...]"""
    scores: Values
    """[..., S, K] Contributions to the rate by seed and kind, which sum to 0."""
    trained: bool
    """False for the base arm, whose one row is no seed."""
    trials: float
    """How many independent trials the samples are worth where nothing varies."""

    @classmethod
    def of(cls, hits: Values, graded: Values, problems: int, *, trained: bool = True) -> Arm:
        """Estimate the rate.

        Answers to one problem are alike over seeds, though not equal: at a rate of 0, where the data cannot say how
        much, they are taken to be worth the geometric mean of one and of all of them (docs/statistics.md).

        Args:
            hits: [..., S, K] Samples with the outcome, by seed and kind.
            graded: [..., S, K] Samples with any outcome, some in every study.
            problems: How many problems there are.
            trained: Whether the rows are training seeds.
        """
        total = graded.sum(axis=(-2, -1), keepdims=True)
        rate = hits.sum(axis=(-2, -1), keepdims=True) / total
        return cls(rate[..., 0, 0], (hits - rate * graded) / total, trained, problems * math.sqrt(hits.shape[-2]))

    @cached_property
    def spread(self) -> Spread:
        """The variances of the rate."""
        return _spread(self.scores.sum(axis=-2), self.scores if self.trained else None)

    def ends(self, alpha: float = LEVEL) -> tuple[Values, Values]:
        """The interval that misses the true rate with probability `alpha`: Korn and Graubard's.

        It is Clopper and Pearson's with the number of trials that would give this spread.
        """
        return _binomial(self.rate, self.spread.reach(alpha), self.trials, alpha, "beta")


def _binomial(
    rate: Values, reach: Values, trials: float, alpha: float, method: Literal["beta", "wilson"]
) -> tuple[Values, Values]:
    """A binomial interval with the number of trials that would give this reach.

    Args:
        rate: [...] The estimate.
        reach: [...] Square of the half width that a symmetric interval would have.
        trials: How many trials the samples are worth at rates of 0 and 1, where nothing varies. A variance below that
            of one hit in so many trials is not believed.
        alpha: Probability of a miss.
        method: As statsmodels names them.
    """
    spread = rate * (1 - rate)
    most = np.maximum(trials, spread * (trials + 2) ** 2)
    varies = (reach > 0) & (spread > 0)
    alike = np.divide(_z_square(alpha) * spread, reach, out=np.full(spread.shape, np.inf), where=varies)
    worth = np.where(varies, np.minimum(alike, most), trials)
    low, high = proportion_confint(rate * worth, worth, alpha, method=method)
    # At 0 and 1 the formula misses its own estimate by rounding.
    return np.minimum(np.asarray(low), rate), np.maximum(np.asarray(high), rate)


@dataclass(frozen=True)
class Rate:
    """The share of one outcome, with its 95% interval."""

    rate: float
    low: float | None
    high: float | None
    method: str
    """`beta-cluster`: sampling error only (one seed, or none). `beta-crossed`: seeds and problems. `none`."""


def rate(counts: Counts) -> Rate | None:
    """Estimate the rate of an outcome; None without a graded sample, no interval from a single problem."""
    if not counts.graded.sum():
        return None
    (arm,) = arms([counts.only(counts.graded > 0)])
    if not arm.spread.kind_df:
        return Rate(float(arm.rate), None, None, "none")
    low, high = arm.ends()
    return Rate(float(arm.rate), float(low), float(high), "beta-crossed" if arm.spread.seed_df else "beta-cluster")


def arms(every: list[Counts]) -> list[Arm]:
    """Arms whose scores have the same columns: kinds, or problems where there is only one kind to draw from."""
    kinds, problems = (np.concatenate([getattr(counts, key) for counts in every]) for key in ("kinds", "problems"))
    names, column = np.unique(kinds if (kinds != kinds[0]).any() else problems, return_inverse=True)
    number = len(np.unique(problems))
    found = []
    for counts, own in zip(every, np.split(column, np.cumsum([len(c.hits) for c in every])[:-1]), strict=True):
        seeds, row = np.unique(counts.seeds, return_inverse=True)
        shape = (len(seeds), len(names))
        hits, graded = (
            np.bincount(row * len(names) + own, values, shape[0] * shape[1]).reshape(shape).astype(float)
            for values in (counts.hits, counts.graded)
        )
        found.append(Arm.of(hits, graded, number, trained=bool(counts.seeds[0] != NO_SEED)))
    return found


@dataclass(frozen=True)
class Difference:
    """The rate of one arm minus that of another, over the problems and seeds that both have."""

    first: Arm
    second: Arm
    problems: int

    @property
    def value(self) -> float:
        """The difference itself, between -1 and 1."""
        return float(self.first.rate - self.second.rate)

    @property
    def seeds(self) -> int:
        """Seeds that both arms have; 0 if neither was trained."""
        return max((arm.scores.shape[-2] for arm in (self.first, self.second) if arm.trained), default=0)

    @property
    def measured(self) -> bool:
        """Whether there is more than one problem, without which nothing is known of the error."""
        return self.spread.kind_df > 0

    @cached_property
    def spread(self) -> Spread:
        """The variances of the difference; those over seeds come from the trained arms alone."""
        one, two = self.first.scores, -self.second.scores
        trained = [scores for arm, scores in ((self.first, one), (self.second, two)) if arm.trained]
        return _spread(one.sum(axis=-2) + two.sum(axis=-2), sum(trained[1:], trained[0]) if trained else None)

    def interval(self, alpha: float = LEVEL) -> tuple[float, float]:
        """The interval that misses the true difference with probability `alpha`."""
        low, high = self.ends(alpha)
        return float(low), float(high)

    def ends(self, alpha: float = LEVEL) -> tuple[Values, Values]:
        """The interval, of many studies at once if the arms are."""
        value = self.first.rate - self.second.rate
        below, above = self._distances(alpha)
        return np.maximum(value - below, -1.0), np.minimum(value + above, 1.0)

    def p_value(self, null: float = 0.0) -> float:
        """The two-sided p value of a true difference of `null`: the alpha at which the interval just reaches it."""
        gap = self.value - null
        if gap == 0:
            return 1.0
        side = 0 if gap > 0 else 1

        def excess(log_alpha: float) -> float:
            return float(self._distances(math.exp(log_alpha))[side]) - abs(gap)

        smallest, largest = math.log(SMALLEST_P), math.log(1 - 1e-9)
        if excess(smallest) <= 0:
            return SMALLEST_P
        if excess(largest) >= 0:
            return 1.0
        return math.exp(cast(float, brentq(excess, smallest, largest, xtol=1e-6)))

    def _distances(self, alpha: float) -> tuple[Values, Values]:
        """How far the interval reaches down and up: the larger of the symmetric and the square-and-add distance.

        The second alone is too short with two seeds, because Wilson's interval draws wide intervals towards one half;
        the first alone is too short near 0 and 1.
        """
        trials = min(self.first.trials, self.second.trials)
        both, one, two = (s.reach(alpha) for s in (self.spread, self.first.spread, self.second.spread))
        # The variance of no discordant pair at all, after adding one of each sort (Bonett & Price 2012).
        symmetric = np.sqrt(np.maximum(both, _z_square(alpha) * 2 / (trials + 2) ** 2))
        product = one * two
        alike = np.divide(one + two - both, 2 * np.sqrt(product), out=np.zeros(product.shape), where=product > 0)
        alike = np.clip(alike, -1.0, 1.0)
        low_1, high_1 = _binomial(self.first.rate, one, trials, alpha, "wilson")
        low_2, high_2 = _binomial(self.second.rate, two, trials, alpha, "wilson")
        down = _square_and_add(self.first.rate - low_1, high_2 - self.second.rate, alike)
        up = _square_and_add(high_1 - self.first.rate, self.second.rate - low_2, alike)
        return np.maximum(symmetric, down), np.maximum(symmetric, up)


def _square_and_add(one: Values, two: Values, alike: Values) -> Values:
    return np.sqrt(np.maximum(one * one + two * two - 2 * alike * one * two, 0.0))


def difference(first: Counts, second: Counts) -> Difference | None:
    """Compare two arms on the seeds and problems that both have; None where they have none in common.

    It is the mean of the differences of the arms' shares on each of these pairs, so that samples that could not be
    graded have no say in it, whatever problems they fall on.
    """
    pair = _paired(first, second)
    if pair is None:
        return None
    return Difference(*arms(list(pair)), problems=len(np.unique(pair[0].problems)))


def _paired(first: Counts, second: Counts) -> tuple[Counts, Counts] | None:
    """Shares on the (seed, problem) pairs that both arms answered; the base arm, without a seed, is in all of them."""
    arms = [counts.only(counts.graded > 0) for counts in (first, second)]
    if not all(len(counts.hits) for counts in arms):
        return None
    if all(np.array_equal(getattr(arms[0], key), getattr(arms[1], key)) for key in ("seeds", "problems")):
        return arms[0].evenly(), arms[1].evenly()
    seedless = any((counts.seeds == NO_SEED).any() for counts in arms)
    keys = [
        [(NO_SEED if seedless else seed, problem) for seed, problem in zip(counts.seeds, counts.problems, strict=True)]
        for counts in arms
    ]
    times = [Counter(own) for own in keys]
    # The base arm's one answer stands against as many seeds of the other arm as answered that problem.
    one, two = (
        counts.only(np.array([key in other for key in own])).evenly([other[key] for key in own if key in other])
        for counts, own, other in zip(arms, keys, times[::-1], strict=True)
    )
    return (one, two) if len(one.hits) else None
