"""How large a new study would have to be: power at the margin, by simulation from the estimated variances."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from inoculate.analysis.claims import Direction
from inoculate.analysis.estimates import LEVEL, Difference

POWER = 0.8
PRIOR_SD = 0.1
"""Assumed standard deviation over seeds of a difference of rates, that of two arms with .07 each: an assumption of
ours, on the cautious side. The more seeds the study at hand has, the less it counts."""
PRIOR_DF = 4
"""Degrees of freedom of that assumption, to be added to those of the study at hand."""
MOST_SEEDS = 30
MORE_PROBLEMS = (1, 2, 4)
PROBLEMS_PER_TRAINING = 200
"""When sizes are compared, evaluating this many problems costs as much as training one more seed."""
_DRAWS = 4000


def required_size(
    difference: Difference, direction: Direction, margin: float, fewest: int, alpha: float = LEVEL
) -> dict[str, Any]:
    """The size at which a new study would support the claim with a power of 80%, if the truth were at the margin.

    The true difference is assumed to be the margin for `lower` and `higher`, and 0 for `same`. The seeds needed if the
    difference is as large as observed are given too. But an observed difference that is not significant tends to be an
    exaggeration (Gelman & Carlin 2014), so studies are better planned at the margin.

    Args:
        difference: The difference as estimated from the study at hand.
        direction: What the claim says.
        margin: The smallest difference that matters, as a fraction.
        fewest: Seeds below which there are no verdicts.
        alpha: Level of one test, already divided by the number of contrasts.

    Returns:
        `seeds` and `problems`, both null with a `reason` where no size that was tried is enough; `seed_sd`, the
        estimated standard deviation over seeds; `seeds_as_seen`, null where the difference is not in the claimed
        direction.
    """
    seed_variance = estimate_seed_variance(difference)
    observed = {"lower": -difference.value, "higher": difference.value, "same": 0.0}[direction]
    result: dict[str, Any] = {
        "seeds": None,
        "problems": None,
        "seed_sd": float(np.sqrt(seed_variance)),
        "seeds_as_seen": _find_fewest_seeds(difference, seed_variance, 1, direction, observed, fewest, alpha)
        if observed > 0
        else None,
    }
    if margin <= 0:
        return {**result, "reason": "no margin was declared"}
    best: tuple[float, int, int] | None = None
    for factor in MORE_PROBLEMS:
        problems = difference.problems * factor
        seeds = _find_fewest_seeds(difference, seed_variance, factor, direction, margin, fewest, alpha)
        if seeds is not None:
            cost = seeds * (1 + problems / PROBLEMS_PER_TRAINING)
            best = min(best or (cost, seeds, problems), (cost, seeds, problems))
    if best is None:
        tried = f"{MOST_SEEDS} seeds and {difference.problems * MORE_PROBLEMS[-1]} problems"
        return {**result, "reason": f"not even {tried} are enough: choose a wider margin"}
    return {**result, "seeds": best[1], "problems": best[2]}


def estimate_seed_variance(difference: Difference) -> float:
    """Variance over seeds of the true difference, shrunk towards the prior."""
    observed = max(float(difference.variances.seed - difference.variances.shared), 0.0) * difference.seeds
    return (observed * difference.variances.seed_df + PRIOR_SD**2 * PRIOR_DF) / (
        difference.variances.seed_df + PRIOR_DF
    )


def _find_fewest_seeds(
    difference: Difference,
    seed_variance: float,
    factor: int,
    direction: Direction,
    effect: float,
    fewest: int,
    alpha: float,
) -> int | None:
    """By bisection: power grows with seeds."""

    def has_power(seeds: int) -> bool:
        return simulate_power(difference, seed_variance, seeds, factor, direction, effect, alpha) >= POWER

    low, high = max(fewest, 2), MOST_SEEDS
    if not has_power(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if has_power(middle) else (middle + 1, high)
    return low


def simulate_power(
    difference: Difference,
    seed_variance: float,
    seeds: int,
    factor: int,
    direction: Direction,
    effect: float,
    alpha: float,
) -> float:
    """The share of simulated studies of a given size that would support the claim.

    Two or three seeds say little about a variance. If its estimate is too small by chance, the planned study has less
    power than promised. So the variance over seeds is drawn again for every simulated study, from its scaled inverse
    chi-square distribution (Gelman et al., Bayesian Data Analysis).

    Args:
        difference: The difference that the variances are taken from.
        seed_variance: Estimate of the variance over seeds of the true difference.
        seeds: Seeds of the new study.
        factor: Problems of the new study, as a multiple of those of the study at hand.
        direction: What the claim says.
        effect: True difference for `lower` and `higher`; equivalence margin for `same`.
        alpha: Level of the test.
    """
    current_seeds = max(difference.seeds, 1)
    # In a study of one seed the shared part cannot be separated from the variance over kinds, and stays in it.
    shared = min(float(difference.variances.shared), float(difference.variances.kind))
    of_kind = (float(difference.variances.kind) - shared) / factor
    of_both = shared * current_seeds / (seeds * factor)
    kind_df = (difference.variances.kind_df + 1) * factor - 1
    known_df = difference.variances.seed_df + PRIOR_DF
    normal, chi_seed, chi_kind, chi_known = _draws(seeds - 1, kind_df, known_df)
    of_seed = seed_variance * known_df / chi_known / seeds
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
    """Standard normal draws and chi-square draws for each df: the same in every call, for reproducible reports."""
    generator = np.random.default_rng(dfs)
    return generator.standard_normal(_DRAWS), *(generator.chisquare(df, _DRAWS) for df in dfs)
