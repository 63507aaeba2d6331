"""How large a new study would have to be: power at the margin, by simulation from the variances that were seen."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from inoculate.analysis.declared import Direction
from inoculate.analysis.estimates import LEVEL, Difference

POWER = 0.8
PRIOR_SD = 0.1
"""Assumed standard deviation over seeds of a difference of rates, that of two arms with .07 each: an assumption of
ours, on the cautious side, which the seeds of the study at hand replace as they become more."""
PRIOR_DF = 4
"""How many degrees of freedom that assumption is worth beside the seeds of the study at hand."""
MOST_SEEDS = 30
MORE_PROBLEMS = (1, 2, 4)
PROBLEMS_PER_TRAINING = 200
"""Evaluating this many problems is taken to cost as much as training one seed more, when sizes are weighed."""
_DRAWS = 4000


def needed(found: Difference, direction: Direction, margin: float, fewest: int, alpha: float = LEVEL) -> dict[str, Any]:
    """The size at which a new study would support the claim with a power of 80%, if the truth were at the margin.

    For `lower` and `higher` the true difference is taken to be the margin, for `same` it is taken to be none. A
    difference as large as the one seen needs fewer seeds, and is given beside it; but what was seen and is not decided
    tends to be an exaggeration (Gelman & Carlin 2014), so that studies are better planned at the margin.

    Args:
        found: The difference as estimated from the study at hand.
        direction: What the claim says.
        margin: The smallest difference that matters, as a fraction.
        fewest: Seeds below which there are no verdicts.
        alpha: Level of one test, already divided by the number of contrasts.

    Returns:
        `seeds` and `problems`, both null with a `reason` where no size that was tried is enough; `seed_sd`, the
        standard deviation over seeds that was counted on, give or take its own uncertainty; `seeds_as_seen`, null
        where the difference is not in the claimed direction.
    """
    pure = seed_variance(found)
    seen = {"lower": -found.value, "higher": found.value, "same": 0.0}[direction]
    result: dict[str, Any] = {
        "seeds": None,
        "problems": None,
        "seed_sd": float(np.sqrt(pure)),
        "seeds_as_seen": _fewest_seeds(found, pure, 1, direction, seen, fewest, alpha) if seen > 0 else None,
    }
    if margin <= 0:
        return {**result, "reason": "no margin was declared"}
    best: tuple[float, int, int] | None = None
    for factor in MORE_PROBLEMS:
        problems = found.problems * factor
        seeds = _fewest_seeds(found, pure, factor, direction, margin, fewest, alpha)
        if seeds is not None:
            cost = seeds * (1 + problems / PROBLEMS_PER_TRAINING)
            best = min(best or (cost, seeds, problems), (cost, seeds, problems))
    if best is None:
        tried = f"{MOST_SEEDS} seeds and {found.problems * MORE_PROBLEMS[-1]} problems"
        return {**result, "reason": f"not even {tried} would do: choose a wider margin"}
    return {**result, "seeds": best[1], "problems": best[2]}


def seed_variance(found: Difference) -> float:
    """Variance over seeds of the true difference, drawn towards what is usual in the field."""
    seen = max(float(found.spread.seed - found.spread.shared), 0.0) * found.seeds
    return (seen * found.spread.seed_df + PRIOR_SD**2 * PRIOR_DF) / (found.spread.seed_df + PRIOR_DF)


def _fewest_seeds(
    found: Difference, pure: float, factor: int, direction: Direction, effect: float, fewest: int, alpha: float
) -> int | None:
    """By bisection: power grows with seeds."""

    def enough(seeds: int) -> bool:
        return power(found, pure, seeds, factor, direction, effect, alpha) >= POWER

    low, high = max(fewest, 2), MOST_SEEDS
    if not enough(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def power(
    found: Difference, pure: float, seeds: int, factor: int, direction: Direction, effect: float, alpha: float
) -> float:
    """The share of simulated studies of a given size that would support the claim.

    Two or three seeds say little about a variance, and a study planned on one that came out small by chance would have
    less power than promised. So the variance over seeds is drawn anew for every simulated study, from its scaled
    inverse chi-square distribution (Gelman et al., Bayesian Data Analysis).

    Args:
        found: Where the variances come from.
        pure: Estimate of the variance over seeds of the true difference.
        seeds: Of the new study.
        factor: Problems of the new study, as a multiple of those at hand.
        direction: What the claim says.
        effect: True difference for `lower` and `higher`; equivalence margin for `same`.
        alpha: Level of the test.
    """
    now = max(found.seeds, 1)
    # In a study of one seed, what seeds and problems share cannot be told from the problems alone and stays with them.
    shared = min(float(found.spread.shared), float(found.spread.kind))
    of_kind = (float(found.spread.kind) - shared) / factor
    of_both = shared * now / (seeds * factor)
    kind_df = (found.spread.kind_df + 1) * factor - 1
    known_df = found.spread.seed_df + PRIOR_DF
    normal, chi_seed, chi_kind, chi_known = _draws(seeds - 1, kind_df, known_df)
    of_seed = pure * known_df / chi_known / seeds
    by_seed = (of_seed + of_both) * chi_seed / (seeds - 1)
    by_kind = (of_kind + of_both) * chi_kind / kind_df
    t_seed, t_kind = (float(stdtrit(df, alpha / 2)) for df in (seeds - 1, kind_df))
    reach = np.sqrt(t_seed**2 * by_seed + t_kind**2 * by_kind)
    error = normal * np.sqrt(of_seed + of_kind + of_both)
    if direction == "same":
        return float(np.mean(np.abs(error) + reach < effect))
    return float(np.mean(effect + error - reach > 0))


@lru_cache(maxsize=256)
def _draws(*dfs: int) -> tuple[NDArray[np.float64], ...]:
    """Standard normal draws and chi-square draws for each df, the same in every call: reports can be made again."""
    generator = np.random.default_rng(dfs)
    return generator.standard_normal(_DRAWS), *(generator.chisquare(df, _DRAWS) for df in dfs)
