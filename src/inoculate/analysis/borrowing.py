"""Borrowing: what all arms of a study say together of a variance over seeds that each arm alone hardly knows.

Three seeds give a variance with two degrees of freedom, and a t quantile of 4.3. The arms of a study are trained in the
same way, so their variances are likely to be alike once two things are allowed for: a rate near 0 or 1 cannot vary as
much as one in the middle, and few problems add noise of their own. So the variance of one seed's rate in arm `a` is
modelled as `tau^2 (p_a (1 - p_a))^2 + within_a`. The first part is a shift of the same size in logits for all arms. The
second comes from the problems, and is known from the seed by kind interaction. Only `tau` is unknown, and is estimated
from all arms.

The variance of a contrast is then moderated (Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3(1):3): a mean of its own and
of the one that all arms predict, weighted by degrees of freedom. The prior degrees of freedom `d0` say how alike the
arms are, and are estimated from the arms by Smyth's moments. Two guards were chosen by simulation
(`benchmarks/borrowing.py`, docs/statistics.md): a few arms cannot show that they are alike, so the prediction counts
at most twice as much as the contrast's own variance; and the contrasts of an arm that varies more than the others
allow keep their own.

All arrays may hold many studies at once, in the axes written `...`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, polygamma, psi

Values = NDArray[np.float64]

FEWEST_ARMS = 3
"""With two arms there is nothing beside the contrast itself to borrow from."""
MOST_TIMES = 2
"""The prediction from all arms counts at most so many times as much as the own variance, however alike arms seem."""
UNLIKE = 0.12
"""The contrasts of an arm keep their own variance if, were the arms alike, one as large as the arm's had less than this
probability (an F test). It is not small: an arm that is taken to be like the others by mistake costs coverage."""
_HALVINGS = 50
_SWEEPS = 30


class Prior(NamedTuple):
    """What all arms say of one variance over seeds."""

    variance: Values
    """[...] The predicted variance over seeds of the value at one seed."""
    df: Values
    """[...] Degrees of freedom of all arms together: no moderated variance has more."""
    weight: Values
    """[...] The degrees of freedom that the prediction counts for; 0 where nothing is borrowed."""

    def moderate(self, own: Values, own_df: int) -> tuple[Values, Values]:
        """The moderated variance and its degrees of freedom.

        Args:
            own: [...] The variance that the seeds at hand show.
            own_df: Its degrees of freedom.
        """
        share = np.divide(own_df, self.weight, out=np.full(np.shape(self.weight), np.inf), where=self.weight > 0)
        share = 1 / (1 + share)
        borrowed = np.where(share > 0, share * self.variance, 0.0)
        return borrowed + (1 - share) * own, np.maximum(np.minimum(self.weight + own_df, self.df), own_df)


class Borrowed(NamedTuple):
    """The priors of a difference and of its two rates."""

    joint: Prior
    first: Prior
    second: Prior


@dataclass(frozen=True)
class Pool:
    """How much the A arms of a study vary over seeds, each by itself and all together."""

    own: Values
    """[A, ...] Each arm's variance over seeds."""
    expected: Values
    """[A, ...] The same variance as all arms predict it."""
    paired: Values
    """[...] Correlation of two arms of the same seed, at least 0."""
    df: Values
    """[...] Degrees of freedom of all arms together."""
    prior_df: Values
    """[...] d0 as estimated: infinite if the arms vary no more unlike than chance makes them."""
    varying: NDArray[np.bool_]
    """[A, ...] Whether the arm says anything: its rate is neither 0 nor 1."""
    unlike: NDArray[np.bool_]
    """[A, ...] Whether the arm varies more than it would if all were alike."""

    @property
    def is_enough(self) -> NDArray[np.bool_]:
        """[...] Whether there are enough arms to borrow from."""
        return self.varying.sum(axis=0) >= FEWEST_ARMS

    def borrow(self, first: int | None, second: int | None, own_df: int) -> Borrowed:
        """The priors of a difference of two arms; their weight is 0 where one of the arms is unlike the others.

        Args:
            first: The first arm's position; None for the untrained arm.
            second: The second arm's.
            own_df: Degrees of freedom of the difference's own variance over seeds.
        """
        alike = ~np.any([self.unlike[arm] for arm in (first, second) if arm is not None], axis=0)
        weight = np.where(self.is_enough & alike, np.minimum(self.prior_df, MOST_TIMES * own_df), 0.0)
        none = np.zeros(self.df.shape)
        one, two = (none if arm is None else self.expected[arm] for arm in (first, second))
        both = (one + two) * (1 - self.paired) + self.paired * (np.sqrt(one) - np.sqrt(two)) ** 2
        joint = one + two if first is None or second is None else both
        return Borrowed(*(Prior(variance, self.df, weight) for variance in (joint, one, two)))


def fit_pool(rates: Values, deviations: Values, within: Values, graded: Values, present: NDArray[np.bool_]) -> Pool:
    """Estimate how much arms vary over seeds. Each arm has at least two seeds.

    Args:
        rates: [A, ...] The arms' rates.
        deviations: [A, ..., S] The rate of each seed minus the arm's; 0 where an arm lacks the seed.
        within: [A, ...] The part of the variance of one seed's rate that comes from its problems and samples.
        graded: [A, ...] Samples of one seed.
        present: [A, S] Which arm has which seed.
    """
    own_df = (present.sum(axis=1) - 1).reshape(-1, *[1] * (rates.ndim - 1))
    own = (deviations**2).sum(axis=-1) / own_df
    varying = (rates > 0) & (rates < 1)
    # A rate moves in steps of one sample: a variance below that of a single step cannot be told from it.
    step = 1 / (graded**2 * (own_df + 1))
    smoothed = (rates * graded + 0.5) / (graded + 1)
    shape = (smoothed * (1 - smoothed)) ** 2
    counted = varying * own_df
    known = np.maximum(within, step)
    modelled = _fit_scale(own, shape, known, counted) * shape + known
    ratio = np.where(varying, own / modelled, 1.0)
    total = np.maximum(counted.sum(axis=0), 1)
    level = (counted * ratio).sum(axis=0) / total
    residual, df = _residual(
        np.where(varying[..., None], deviations / np.sqrt(modelled)[..., None], 0.0), present, varying
    )
    paired = np.clip(1 - np.divide(residual, level, out=np.ones(level.shape), where=level > 0), 0.0, 1.0)
    prior_df = estimate_prior_df(np.maximum(ratio, step / modelled), own_df, varying)
    expected = level * modelled
    larger = np.divide(own, expected, out=np.zeros(own.shape), where=expected > 0)
    unlike = fdtrc(own_df, np.maximum(df, 1), larger) < UNLIKE
    return Pool(own, expected, paired, df, prior_df, varying, unlike)


def _fit_scale(own: Values, shape: Values, known: Values, counted: Values) -> Values:
    """[...] The tau^2 at which the arms' variances are, on average, `tau^2 shape + known`; 0 if they are smaller."""

    def excess(scale: Values) -> Values:
        return (counted * (own / (scale * shape + known) - 1)).sum(axis=0)

    low = np.zeros(own.shape[1:])
    high = np.where(counted > 0, own / shape, 0.0).max(axis=0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = excess(middle) > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return low


def _residual(standard: Values, present: NDArray[np.bool_], varying: NDArray[np.bool_]) -> tuple[Values, Values]:
    """Residual mean square over arms and seeds, given the effects of both, and its degrees of freedom.

    Args:
        standard: [A, ..., S] Deviations as multiples of their predicted standard deviation; 0 where there is none.
        present: [A, S] Which arm has which seed.
        varying: [A, ...] Which arms count.
    """
    there = present.reshape(present.shape[0], *[1] * (standard.ndim - 2), present.shape[1]) & varying[..., None]
    by_seed, by_arm = there.sum(axis=0), there.sum(axis=-1)
    left = standard
    for _ in range(_SWEEPS if not present.all() else 1):
        left = left - there * (left.sum(axis=-1) / np.maximum(by_arm, 1))[..., None]
        left = left - there * (left.sum(axis=0) / np.maximum(by_seed, 1))
    df = there.sum(axis=(0, -1)) - (by_arm > 0).sum(axis=0) - (by_seed > 0).sum(axis=-1) + 1
    return (left**2).sum(axis=(0, -1)) / np.maximum(df, 1), df.astype(float)


def estimate_prior_df(ratio: Values, own_df: Values, varying: NDArray[np.bool_]) -> Values:
    """[...] The prior degrees of freedom d0 of Smyth (2004, section 6.2), limma's `fitFDist`.

    The logarithm of a variance with d degrees of freedom has the variance trigamma(d / 2), and trigamma(d0 / 2) more
    if the true variances follow a scaled inverse chi-square distribution with d0.

    Args:
        ratio: [A, ...] Variances of the arms, relative to what is expected of them.
        own_df: [A, ...] Their degrees of freedom.
        varying: [A, ...] Which arms count; at least two of them, else d0 is infinite.
    """
    arms = varying.sum(axis=0)
    logs = np.log(ratio) - psi(own_df / 2) + np.log(own_df / 2)
    mean = (varying * logs).sum(axis=0) / np.maximum(arms, 1)
    spread = (varying * (logs - mean) ** 2).sum(axis=0) / np.maximum(arms - 1, 1)
    by_chance = (varying * polygamma(1, own_df / 2)).sum(axis=0) / np.maximum(arms, 1)
    return 2 * _inverse_trigamma(spread - by_chance)


def _inverse_trigamma(value: Values) -> Values:
    """[...] The y with trigamma(y) = value, by Newton's method on 1 / trigamma (Smyth 2004); infinite below 0."""
    positive = value > 1e-7
    target = np.where(positive, value, 1.0)
    y = 0.5 + 1 / target
    for _ in range(8):
        trigamma = polygamma(1, y)
        y = y + trigamma * (1 - trigamma / target) / polygamma(2, y)
    return np.where(positive, y, np.inf)


def align_seeds(seeds: Sequence[Sequence[int]]) -> tuple[list[int], NDArray[np.bool_]]:
    """All seeds of some arms, ascending, and [A, S] which arm has which."""
    every = sorted({seed for own in seeds for seed in own})
    return every, np.array([[seed in own for seed in every] for own in map(set, seeds)])
