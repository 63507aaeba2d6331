"""Rates and differences of rates with confidence intervals. Seeds are the unit of inference, crossed with problems.

Every completion belongs to a seed and to a problem, and every problem to a kind (its template). All seeds answer the
same problems. A rate is uncertain for two reasons: other seeds would have trained other models, and other kinds of
problem would have been easier or harder. Let `u[s, k]` be the summed scores of seed `s` on kind `k`. The two variances
are those of the row sums and of the column sums (two-way clusters: Cameron, Gelbach & Miller 2011). Two choices were
made by simulation (docs/statistics.md, `benchmarks/coverage.py`):

- The variances are added, and their overlap is *not* subtracted.
- Each variance keeps the t quantile of its own degrees of freedom, `t[S-1]^2 V_seed + t[K-1]^2 V_kind` (Banerjee
  1960). The usual choice, Satterthwaite's degrees of freedom, estimates them from the same few seeds. With two or three
  seeds such intervals are too narrow.

The variance of a rate goes into Clopper and Pearson's interval (Korn & Graubard 1998), which has a width at 0 and 1. A
difference has a symmetric interval, or the square-and-add interval from the Wilson intervals of its two rates
(Newcombe 1998, method 10 for paired data; Zou & Donner 2008), whichever reaches farther.

A difference may borrow its variance over seeds from the other arms of a study (`borrowing`). Its interval then has more
degrees of freedom, and the overlap of the two variances is subtracted, at the normal quantile.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtri, stdtrit

from inoculate.analysis.borrowing import Borrowed, Prior

LEVEL = 0.05
"""One minus the confidence of every interval that is not adjusted for the number of contrasts."""

SMALLEST_P = 1e-12
"""p values are not resolved below this."""
LEVELS = (1 - 1e-9, 0.5, 0.2, 0.1, LEVEL, 0.02, 0.01, 1e-3, 1e-4, 1e-6, SMALLEST_P)
"""Where intervals are looked at, from the narrowest: for p values, and so that more confidence never reaches less."""

Values = NDArray[np.float64]
"""One number per study: shape [] for one study, [N] for many at once (benchmarks/coverage.py)."""

NO_SEED = -1
"""The seed label of the base arm, which was not trained."""


@dataclass(frozen=True)
class Counts:
    """How often one outcome occurred, one row per seed and problem; R rows.

    Labels are only compared for equality: rows of two arms match where their labels are equal. Samples may be weighted.
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

    def select(self, rows: NDArray[Any]) -> Counts:
        """The rows that a mask or an index array [R'] selects."""
        return Counts(*(column[rows] for column in (self.seeds, self.problems, self.kinds, self.hits, self.graded)))

    def reweight(self, weight: Sequence[float] | float = 1.0) -> Counts:
        """Keep the share of hits in every row, and count each row as `weight` [R] samples. Every row has graded ones.

        Arms that are compared must give a problem the same weight, however many of its samples each arm has graded.
        Otherwise the arm that lost samples of hard problems would look better.
        """
        weights = np.broadcast_to(np.asarray(weight, dtype=float), self.hits.shape)
        return replace(self, hits=self.hits / self.graded * weights, graded=weights)


class Variances(NamedTuple):
    """The two variances of an estimate. A variance with no degrees of freedom is unknown and counted as 0."""

    seed: Values
    seed_df: int
    kind: Values
    kind_df: int
    shared: Values
    """The part that both contain: the seed by kind interaction, and sampling."""

    def squared_half_width(self, alpha: float) -> Values:
        """Square of the half width of the symmetric interval with confidence `1 - alpha`."""
        over_kinds = _t_square(self.kind_df, alpha) * self.kind
        return over_kinds + (_t_square(self.seed_df, alpha) * self.seed if self.seed_df else 0.0)

    def moderated_square(self, alpha: float, prior: Prior) -> Values:
        """The same, with the variance over seeds moderated by what all arms say of it."""
        if not self.seed_df:
            return self.squared_half_width(alpha)
        seeds = self.seed_df + 1
        one_seed, df = prior.moderate(self.seed * seeds, self.seed_df)
        seed = one_seed / seeds
        overlap = np.minimum(self.shared, np.minimum(seed, self.kind))
        return (
            stdtrit(df, alpha / 2) ** 2 * seed + _t_square(self.kind_df, alpha) * self.kind - z_square(alpha) * overlap
        )


@lru_cache(maxsize=4096)
def _t_square(df: int, alpha: float) -> float:
    return float(stdtrit(df, alpha / 2)) ** 2


def z_square(alpha: float) -> float:
    """Square of the normal quantile of a two-sided interval with confidence `1 - alpha`."""
    return float(ndtri(alpha / 2)) ** 2


def estimate_variances(by_kind: Values, trained: Values | None) -> Variances:
    """The variances of a sum of scores that sum to 0.

    Args:
        by_kind: [..., K] Scores summed by kind.
        trained: [..., S, K] Scores of trained arms, by seed and kind. Only these tell how much retraining varies.
    """
    kinds = by_kind.shape[-1]
    zero = np.zeros(by_kind.shape[:-1])
    kind = kinds / (kinds - 1) * (by_kind**2).sum(axis=-1) if kinds > 1 else zero
    seeds = 0 if trained is None else trained.shape[-2]
    if trained is None or seeds < 2:
        return Variances(zero, 0, kind, kinds - 1, zero)
    seed_means, kind_means = trained.mean(axis=-1, keepdims=True), trained.mean(axis=-2, keepdims=True)
    grand_mean = seed_means.mean(axis=-2, keepdims=True)
    by_seed = kinds * (seed_means - grand_mean)[..., 0]
    interaction = trained - seed_means - kind_means + grand_mean
    # Mean square of the interaction in a two-way layout, scaled from one entry of the table to their sum.
    degrees = (seeds - 1) * (kinds - 1)
    shared = seeds * kinds * (interaction**2).sum(axis=(-2, -1)) / degrees if degrees else zero
    return Variances(seeds / (seeds - 1) * (by_seed**2).sum(axis=-1), seeds - 1, kind, kinds - 1, shared)


@dataclass(frozen=True)
class ArmRate:
    """The rate of one outcome in one arm, with what its interval is computed from."""

    rate: Values
    """[...] The estimate."""
    scores: Values
    """[..., S, K] Contributions to the rate by seed and kind, which sum to 0."""
    trained: bool
    """False for the base arm: its one row is not a seed."""
    trials: float
    """The effective number of independent trials at a rate of 0 or 1."""

    @classmethod
    def estimate(cls, hits: Values, graded: Values, problems: int, *, trained: bool = True) -> ArmRate:
        """Estimate the rate.

        Answers of different seeds to one problem are correlated. At a rate of 0 the data cannot say how strongly. The S
        answers then count as the geometric mean of one trial and S trials (docs/statistics.md).

        Args:
            hits: [..., S, K] Samples with the outcome, by seed and kind.
            graded: [..., S, K] Samples with any outcome; every study has some.
            problems: The number of problems.
            trained: Whether the rows are training seeds.
        """
        total = graded.sum(axis=(-2, -1), keepdims=True)
        rate = hits.sum(axis=(-2, -1), keepdims=True) / total
        return cls(rate[..., 0, 0], (hits - rate * graded) / total, trained, problems * math.sqrt(hits.shape[-2]))

    @cached_property
    def variances(self) -> Variances:
        """The variances of the rate."""
        return estimate_variances(self.scores.sum(axis=-2), self.scores if self.trained else None)

    def confidence_limits(self, alpha: float = LEVEL) -> tuple[Values, Values]:
        """The interval of Korn and Graubard with confidence `1 - alpha`.

        It is Clopper and Pearson's, with the effective number of trials that has this variance.
        """
        return _binomial_interval(self.rate, self.variances.squared_half_width(alpha), self.trials, alpha, "beta")


def _binomial_interval(
    rate: Values, squared_half_width: Values, trials: float, alpha: float, method: Literal["beta", "wilson"]
) -> tuple[Values, Values]:
    """A binomial interval, with the effective number of trials that has this half width.

    Args:
        rate: [...] The estimate.
        squared_half_width: [...] Square of the half width that a symmetric interval would have.
        trials: The effective number of trials at rates of 0 and 1, where nothing varies. The variance used is never
            smaller than that of one hit in this many trials.
        alpha: One minus the confidence.
        method: As statsmodels names them.
    """
    from statsmodels.stats.proportion import proportion_confint  # takes half a second, which `plan` need not spend

    variance = rate * (1 - rate)
    most = np.maximum(trials, variance * (trials + 2) ** 2)
    varies = (squared_half_width > 0) & (variance > 0)
    estimated = np.divide(
        z_square(alpha) * variance, squared_half_width, out=np.full(variance.shape, np.inf), where=varies
    )
    effective = np.where(varies, np.minimum(estimated, most), trials)
    low, high = proportion_confint(rate * effective, effective, alpha, method=method)
    # At 0 and 1 rounding can put the limit beyond the estimate.
    return np.minimum(np.asarray(low), rate), np.maximum(np.asarray(high), rate)


@dataclass(frozen=True)
class Rate:
    """The share of one outcome, with its 95% interval."""

    rate: float
    low: float | None
    high: float | None
    method: str
    """`beta-cluster`: sampling error only (one seed, or none). `beta-crossed`: seeds and problems. `none`: none."""


def estimate_rate(counts: Counts) -> Rate | None:
    """Estimate the rate of an outcome. None without a graded sample; no interval from a single problem."""
    if not counts.graded.sum():
        return None
    (arm,) = estimate_arms([counts.select(counts.graded > 0)])
    if not arm.variances.kind_df:
        return Rate(float(arm.rate), None, None, "none")
    low, high = arm.confidence_limits()
    return Rate(float(arm.rate), float(low), float(high), "beta-crossed" if arm.variances.seed_df else "beta-cluster")


def estimate_arms(arm_counts: list[Counts]) -> list[ArmRate]:
    """Rates of arms whose scores have the same clusters as columns: kinds, or problems if there is only one kind."""
    kinds, problems = (np.concatenate([getattr(counts, key) for counts in arm_counts]) for key in ("kinds", "problems"))
    clusters, columns = np.unique(kinds if (kinds != kinds[0]).any() else problems, return_inverse=True)
    problem_count = len(np.unique(problems))
    arms = []
    columns_by_arm = np.split(columns, np.cumsum([len(counts.hits) for counts in arm_counts])[:-1])
    for counts, column in zip(arm_counts, columns_by_arm, strict=True):
        seeds, row = np.unique(counts.seeds, return_inverse=True)
        shape = (len(seeds), len(clusters))
        hits, graded = (
            np.bincount(row * len(clusters) + column, values, shape[0] * shape[1]).reshape(shape).astype(float)
            for values in (counts.hits, counts.graded)
        )
        arms.append(ArmRate.estimate(hits, graded, problem_count, trained=bool(counts.seeds[0] != NO_SEED)))
    return arms


def solve_p(reach: Callable[[float], float], gap: float) -> float:
    """The two-sided p value of an estimate so far from its null hypothesis: the largest alpha with which it is reached.

    Args:
        reach: How far the interval with confidence `1 - alpha` reaches on that side, by alpha.
        gap: The distance, above 0.
    """

    def excess(log_alpha: float) -> float:
        return reach(math.exp(log_alpha)) - gap

    above = LEVELS[0]
    if reach(above) >= gap:
        return 1.0
    for alpha in LEVELS[1:]:
        if reach(alpha) >= gap:
            return math.exp(cast(float, brentq(excess, math.log(alpha), math.log(above), xtol=1e-6)))
        above = alpha
    return SMALLEST_P


@dataclass(frozen=True)
class Difference:
    """The rate of one arm minus that of another, over the problems and seeds that both have."""

    first: ArmRate
    second: ArmRate
    problems: int
    borrowed: Borrowed | None = None
    """What the arms of the study say of its variances over seeds; None where nothing is borrowed."""

    @property
    def value(self) -> float:
        """The difference itself, between -1 and 1."""
        return float(self.first.rate - self.second.rate)

    @property
    def seeds(self) -> int:
        """Seeds that both arms have; 0 if neither was trained."""
        return max((arm.scores.shape[-2] for arm in (self.first, self.second) if arm.trained), default=0)

    @property
    def has_interval(self) -> bool:
        """Whether there is more than one problem: a single one gives no standard error."""
        return self.variances.kind_df > 0

    @cached_property
    def variances(self) -> Variances:
        """The variances of the difference; those over seeds come from the trained arms alone."""
        first, second = self.first.scores, -self.second.scores
        trained = [scores for arm, scores in ((self.first, first), (self.second, second)) if arm.trained]
        by_kind = first.sum(axis=-2) + second.sum(axis=-2)
        return estimate_variances(by_kind, sum(trained[1:], trained[0]) if trained else None)

    def interval(self, alpha: float = LEVEL) -> tuple[float, float]:
        """The interval of one study with confidence `1 - alpha`."""
        low, high = self.confidence_limits(alpha)
        return float(low), float(high)

    def describe(self) -> dict[str, float | None]:
        """The `difference` and its 95% interval `low`, `high` (None from a single problem), as results have it."""
        low, high = self.interval() if self.has_interval else (None, None)
        return {"difference": self.value, "low": low, "high": high}

    def confidence_limits(self, alpha: float = LEVEL) -> tuple[Values, Values]:
        """The interval with confidence `1 - alpha`, of many studies at once where the arms hold many."""
        value = self.first.rate - self.second.rate
        down, up = self._distances(alpha)
        return np.maximum(value - down, -1.0), np.minimum(value + up, 1.0)

    def p_value(self, null: float = 0.0) -> float:
        """The two-sided p value of the null hypothesis `difference = null`: the alpha whose interval reaches it."""
        gap = self.value - null
        if gap == 0:
            return 1.0
        side = 0 if gap > 0 else 1
        return solve_p(lambda alpha: float(self._reach(alpha)[side]), abs(gap))

    @property
    def keeps_own(self) -> NDArray[np.bool_]:
        """[...] Whether the variances over seeds are the seeds' own: nothing to borrow, or the arms are unlike."""
        if self.borrowed is None or not self.variances.seed_df:
            return np.ones(np.shape(self.first.rate), dtype=bool)
        return self.borrowed.joint.weight == 0

    def _squared_half_widths(self, alpha: float) -> list[Values]:
        """Squares of the half widths of the difference and of its two rates."""
        all_variances = (self.variances, self.first.variances, self.second.variances)
        own = [variances.squared_half_width(alpha) for variances in all_variances]
        keeps_own = self.keeps_own
        if self.borrowed is None or keeps_own.all():
            return own
        moderated = [v.moderated_square(alpha, prior) for v, prior in zip(all_variances, self.borrowed, strict=True)]
        return [np.where(keeps_own, *pair) for pair in zip(own, moderated, strict=True)]

    def _distances(self, alpha: float) -> tuple[Values, Values]:
        """How far the interval reaches down and up: at least as far as those with less confidence do.

        By itself square-and-add can reach less far with more confidence, where arms go together and their own intervals
        come to the ends of the scale (one in 250 of small and extreme tables).
        """
        reached = [self._reach(alpha), *(self._reach(level) for level in LEVELS[1:] if level > alpha)]
        down, up = zip(*reached, strict=True)
        return np.maximum.reduce(down), np.maximum.reduce(up)

    def _reach(self, alpha: float) -> tuple[Values, Values]:
        """The larger of the symmetric and the square-and-add distance, down and up.

        Square-and-add alone is too short with two seeds, because Wilson's formula pulls wide intervals towards .5. The
        symmetric interval alone is too short near 0 and 1.
        """
        trials = min(self.first.trials, self.second.trials)
        joint, first, second = self._squared_half_widths(alpha)
        # The variance without any discordant pair, after adding one of each sort (Bonett & Price 2012).
        symmetric = np.sqrt(np.maximum(joint, z_square(alpha) * 2 / (trials + 2) ** 2))
        product = first * second
        correlation = np.divide(
            first + second - joint, 2 * np.sqrt(product), out=np.zeros(product.shape), where=product > 0
        )
        correlation = np.clip(correlation, -1.0, 1.0)
        low_1, high_1 = _binomial_interval(self.first.rate, first, trials, alpha, "wilson")
        low_2, high_2 = _binomial_interval(self.second.rate, second, trials, alpha, "wilson")
        down = _square_and_add(self.first.rate - low_1, high_2 - self.second.rate, correlation)
        up = _square_and_add(high_1 - self.first.rate, self.second.rate - low_2, correlation)
        return np.maximum(symmetric, down), np.maximum(symmetric, up)


def _square_and_add(first: Values, second: Values, correlation: Values) -> Values:
    return np.sqrt(np.maximum(first * first + second * second - 2 * correlation * first * second, 0.0))


def estimate_difference(first: Counts, second: Counts) -> Difference | None:
    """Compare two arms on the (seed, problem) pairs that both have; None where they have none in common.

    It is the mean, over these pairs, of the difference of the arms' shares. So ungraded samples do not bias it,
    whatever problems they belong to.
    """
    pair = _match_pairs(first, second)
    if pair is None:
        return None
    return Difference(*estimate_arms(list(pair)), problems=len(np.unique(pair[0].problems)))


def estimate_seed_differences(first: Counts, second: Counts) -> NDArray[np.float64] | None:
    """What each seed adds to the difference of two arms: they sum to `estimate_difference(...).value`.

    Returns:
        [S] One for each seed that both arms have, on the pairs that `estimate_difference` compares; None where there is
        none, or one arm is the untrained one, which is the same in every seed.
    """
    pair = _match_pairs(first, second)
    if pair is None or any((counts.seeds == NO_SEED).any() for counts in pair):
        return None
    seeds = np.unique(pair[0].seeds)
    sums = [np.array([counts.hits[counts.seeds == seed].sum() for seed in seeds]) for counts in pair]
    return (sums[0] - sums[1]) / len(pair[0].hits)


def _match_pairs(first: Counts, second: Counts) -> tuple[Counts, Counts] | None:
    """Shares on the (seed, problem) pairs that both arms answered; the base arm, without a seed, is in all of them."""
    arms = [counts.select(counts.graded > 0) for counts in (first, second)]
    if not all(len(counts.hits) for counts in arms):
        return None
    if all(np.array_equal(getattr(arms[0], key), getattr(arms[1], key)) for key in ("seeds", "problems")):
        return arms[0].reweight(), arms[1].reweight()
    with_base = any((counts.seeds == NO_SEED).any() for counts in arms)
    arm_keys = [
        [(NO_SEED if with_base else seed, problem) for seed, problem in zip(counts.seeds, counts.problems, strict=True)]
        for counts in arms
    ]
    repeats = [Counter(keys) for keys in arm_keys]
    # The base arm's one answer is paired with every seed of the other arm that answered that problem.
    matched_first, matched_second = (
        counts.select(np.array([key in other for key in keys])).reweight([other[key] for key in keys if key in other])
        for counts, keys, other in zip(arms, arm_keys, repeats[::-1], strict=True)
    )
    return (matched_first, matched_second) if len(matched_first.hits) else None
