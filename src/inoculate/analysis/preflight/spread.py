"""The share of groups whose rewards are not all equal, from a few completions of each prompt.

A group whose rewards are all equal has advantages of 0 and teaches nothing. With pass rate `p` a group of G completions
has spread with probability `1 - p^G - (1 - p)^G`. Over prompts the mean of that is wanted, and `p` is known from a few
completions only: the share observed of them is 0 or 1 far more often than `p` is, so that putting it into the formula
finds far too few groups with spread.

So the pass rates are taken to follow a beta distribution over prompts (the beta-binomial model: Skellam 1948), which
gives the mean in closed form. Its two parameters are fitted by maximum likelihood on a grid. The interval is that of
the likelihood ratio: the smallest and the largest share among the parameters that a test at 5% does not reject. With
more than two values of the reward, a group without spread has one of them throughout, and each has a beta distribution.

A reward that is a function's number may have as many values as there are completions. Of more than `MOST_VALUES` only
the frequent ones get a distribution. Groups that have a rare value throughout are counted, as the mean over prompts of
the share of draws without replacement that have (which is too many where training draws more than the sample has); the
interval of that is Wilson's for a rate over prompts.

Prompts of different sorts (levels, with and without a hack) get distributions of their own. Within a sort the estimate
is as good as the beta distribution. In simulation (tests/analysis/test_preflight_spread.py; 64 prompts, 4 completions
of each, groups of 16) it is right on average where pass rates have one peak or one side, and off by up to .18 where
half of the prompts never pass and half do at one rate. Observed shares put into the formula are off by up to .46.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2
from statsmodels.stats.proportion import proportion_confint

from inoculate.analysis.estimates import LEVEL

_MEANS, _CORRELATIONS = 241, 121
"""Points of the grid. It is even on the arcsine scale: dense near 0 and 1, where the rates of hard problems are."""
_FEWEST_PROMPTS = 12
"""Sorts with fewer prompts have no distribution of their own."""
_DIGITS = 9
"""Rewards are sums of weights: those that differ by less than rounding are one value."""


MOST_VALUES = 8
"""With more values of the reward than this, those rarer than `RARE` are counted and have no distribution."""
RARE = 0.05
"""A share of the completions."""


class Spread(NamedTuple):
    """The expected share of groups with spread, with its 95% interval."""

    share: float
    low: float
    high: float


class _Fit(NamedTuple):
    """How likely the beta distributions of a grid are; M means by R correlations."""

    log_likelihood: NDArray[np.float64]
    """[M, R] Of the counts, without the constant."""

    def best(self, values: NDArray[np.float64]) -> float:
        """What the most likely distribution gives.

        Args:
            values: [M, R] What each distribution gives.
        """
        return float(values.flat[int(np.argmax(self.log_likelihood))])

    def limits(self, values: NDArray[np.float64]) -> tuple[float, float]:
        """The smallest and largest that a distribution gives which is not rejected."""
        kept = values[self.log_likelihood >= self.log_likelihood.max() - chi2.ppf(1 - LEVEL, 1) / 2]
        return float(kept.min()), float(kept.max())


def expect_spread(sorts: Iterable[Sequence[Sequence[float]]], sizes: Sequence[int]) -> dict[int, Spread]:
    """The expected share of groups with spread, for each size of the groups.

    Args:
        sorts: For each sort of prompts, the rewards of each prompt's completions. Prompts without any are left out, and
            small sorts are put together.
        sizes: Completions per prompt in training.

    Returns:
        Size -> share; empty where there is no reward at all.
    """
    filled = [[group for group in groups if group] for groups in sorts]
    parts = [groups for groups in filled if len(groups) >= _FEWEST_PROMPTS]
    rest = [group for groups in filled if len(groups) < _FEWEST_PROMPTS for group in groups]
    parts += [rest] if rest else []
    total = sum(len(groups) for groups in parts)
    found = [(len(groups) / total, _expect_of_sort(groups, sizes)) for groups in parts]
    return {size: _average([(weight, shares[size]) for weight, shares in found]) for size in sizes if found}


def _average(parts: list[tuple[float, Spread]]) -> Spread:
    """The mean over sorts, with the interval by square-and-add (Zou & Donner 2008): sorts are sampled separately."""
    share = sum(weight * spread.share for weight, spread in parts)
    down = math.sqrt(sum((weight * (spread.share - spread.low)) ** 2 for weight, spread in parts))
    up = math.sqrt(sum((weight * (spread.high - spread.share)) ** 2 for weight, spread in parts))
    return Spread(share, max(share - down, 0.0), min(share + up, 1.0))


def _expect_of_sort(groups: Sequence[Sequence[float]], sizes: Sequence[int]) -> dict[int, Spread]:
    """The same for prompts of one sort."""
    rounded = [[round(reward, _DIGITS) for reward in group] for group in groups]
    found = Counter(reward for group in rounded for reward in group)
    least = RARE * found.total() if len(found) > MOST_VALUES else 0.0
    values = sorted(value for value, count in found.items() if count >= least)
    rare = found.keys() - values
    # With two values the second is the complement of the first: one fit has both.
    both = len(found) <= 2
    fits = [_fit(rounded, value) for value in (values[:1] if both else values)]
    observed_spread = any(len(set(group)) > 1 for group in rounded)
    return {
        size: _combine(fits, _count_rare(rounded, rare, size), size, both=both, spread=observed_spread)
        for size in sizes
    }


def _count_rare(groups: Sequence[Sequence[float]], rare: Collection[float], size: int) -> Spread:
    """The share of groups that have one of the rare values throughout, with its interval; nothing where none is."""
    if not rare:
        return Spread(0.0, 0.0, 0.0)
    total = 0.0
    for group in groups:
        drawn = min(size, len(group))
        counts = Counter(reward for reward in group if reward in rare)
        total += sum(math.comb(count, drawn) for count in counts.values()) / math.comb(len(group), drawn)
    low, high = map(np.asarray, proportion_confint(total, len(groups), LEVEL, method="wilson"))
    return Spread(total / len(groups), float(low), float(high))


def _combine(fits: list[_Fit], rare: Spread, size: int, *, both: bool, spread: bool) -> Spread:
    """The share for one size: 1 minus the chance of each value throughout.

    Args:
        fits: Of the pass rate if `both`, else one for each frequent value of the reward.
        rare: The chance of any other value throughout.
        size: Completions per prompt.
        both: Whether the one fit stands for both values.
        spread: Whether any group that was sampled has spread. If none has, all rates are 0 or 1 in the most likely
            distribution, and the share is 0 however large the groups.
    """
    all_equal = _chance_of_all(size)
    if both:
        all_equal = all_equal + all_equal[::-1]  # the grid of means is symmetric
    limits = [*(fit.limits(all_equal) for fit in fits), (rare.low, rare.high)]
    # Several values: the limits are added, which is wider than their joint interval.
    low, high = (float(np.clip(1 - sum(ends), 0, 1)) for ends in zip(*limits, strict=True))
    best = sum(fit.best(all_equal) for fit in fits) + rare.share
    share = float(np.clip(1 - best, 0, 1)) if spread else 0.0
    return Spread(share, min(high, share), max(low, share))


def _grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means [M, 1] and correlations within a prompt [1, R] (`1 / (a + b + 1)`), both from 0 to 1."""
    means, correlations = (np.sin(np.linspace(0, np.pi / 2, points)) ** 2 for points in (_MEANS, _CORRELATIONS))
    return means[:, None], correlations[None, :]


def _chance_of_all(size: int) -> NDArray[np.float64]:
    """[M, R] The mean of `p^size` over each beta distribution, as the product of Polya's urn."""
    means, correlations = _grid()
    drawn = np.arange(1, size)[:, None, None]
    later = (means * (1 - correlations) + drawn * correlations) / (1 + (drawn - 1) * correlations)
    return means * later.prod(axis=0)


def _fit(groups: list[list[float]], value: float) -> _Fit:
    """The likelihood of every beta distribution, given how often one value of the reward occurs in each group.

    The beta-binomial probability in its urn form has no difference of large logarithms, and holds at the edges too: a
    correlation of 0 is the binomial distribution, one of 1 has prompts that always pass and prompts that never do.
    """
    counts = Counter((sum(reward == value for reward in group), len(group)) for group in groups)
    means, correlations = _grid()
    drawn = np.arange(max(trials for _, trials in counts))[:, None, None]
    steps = drawn * correlations
    with np.errstate(divide="ignore"):
        hits, misses = (np.log(rate * (1 - correlations) + steps) for rate in (means, 1 - means))
        all_draws = np.log(1 - correlations + steps)
        # The first draw is decided by the mean alone; a correlation of 1 would be 0 / 0 there.
        hits[0], misses[0], all_draws[0] = np.log(means), np.log(1 - means), 0.0
        differs = np.log(1 - correlations)
    total = np.zeros((means.size, correlations.size))
    for (hit, trials), groups_of_it in counts.items():
        one = hits[:hit].sum(axis=0) + misses[: trials - hit].sum(axis=0) - all_draws[:trials].sum(axis=0)
        total += groups_of_it * (one + (differs if 0 < hit < trials else 0.0))
    return _Fit(total)
