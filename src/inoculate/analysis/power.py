"""How large a new study would have to be, and what a study of a given size can find: by simulation from variances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from inoculate.analysis.borrowing import fit_pool
from inoculate.analysis.claims import Direction
from inoculate.analysis.estimates import LEVEL, Difference
from inoculate.analysis.verdicts import format_points

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
_MOST_ARMS = 12
"""More arms than this are simulated as if they were so many: what they add is hardly seen."""


class Spread(NamedTuple):
    """What a difference varies by, for one seed and one problem. The variances of a study of any size follow."""

    seed: float
    """Variance over seeds of the true difference."""
    kind: float
    """Variance over kinds of problem, of a study of one problem."""
    both: float
    """Variance from the seed by kind interaction and from sampling, for one seed and one problem."""
    kinds: float
    """Kinds for each problem, at most 1."""
    df: float
    """Degrees of freedom that `seed` rests on; 0 where it is assumed."""

    def shrink(self) -> Spread:
        """The same with the variance over seeds shrunk towards the assumption, by degrees of freedom."""
        seed = (self.seed * self.df + PRIOR_SD**2 * PRIOR_DF) / (self.df + PRIOR_DF)
        return self._replace(seed=seed, df=self.df + PRIOR_DF)


class Size(NamedTuple):
    """The size of a study."""

    seeds: int
    problems: int
    arms: int
    """Trained arms that a contrast borrows its variance over seeds from; 0 for none."""


def measure_spread(difference: Difference) -> Spread:
    """The variances of a difference for one seed and problem, as the study at hand shows them.

    The variance over seeds is the moderated one, where the difference borrows.
    """
    variances, seeds = difference.variances, max(difference.seeds, 1)
    # In a study of one seed the shared part cannot be separated from the variance over kinds, and stays in it.
    shared = min(float(variances.shared), float(variances.kind))
    one_seed, df = variances.seed * seeds, float(variances.seed_df)
    if difference.borrowed and not difference.keeps_own:
        one_seed, used = difference.borrowed.joint.moderate(one_seed, variances.seed_df)
        df = float(used)
    return Spread(
        seed=max(float(one_seed) - float(variances.shared) * seeds, 0.0),
        kind=(float(variances.kind) - shared) * difference.problems,
        both=shared * seeds * difference.problems,
        kinds=(variances.kind_df + 1) / difference.problems,
        df=df,
    )


def describe_variances(difference: Difference) -> dict[str, float]:
    """The spread of a difference as its entry in results.json, from which later studies are planned."""
    return measure_spread(difference)._asdict()


def read_variances(data: Mapping[str, Any]) -> Spread:
    """A spread from its entry in results.json."""
    return Spread(**{key: float(data[key]) for key in Spread._fields})


def required_size(
    difference: Difference,
    direction: Direction,
    margin: float,
    fewest: int,
    alpha: float = LEVEL,
    arms: int = 0,
    most: int | None = None,
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
        arms: Trained arms that the new study will borrow from; 0 for none.
        most: How many problems there are; None where there are enough.

    Returns:
        `seeds` and `problems`, both null with a `reason` where no size that was tried is enough; `seed_sd`, the
        estimated standard deviation over seeds; `seeds_as_seen`, null where the difference is not in the claimed
        direction; `sentence`, which says all of it.
    """
    sizes = sorted({more_problems(difference.problems, factor, most) for factor in MORE_PROBLEMS})
    needed = _find_size(difference, direction, margin, fewest, alpha, arms, sizes)
    tried = f"{MOST_SEEDS} seeds and {sizes[-1]} problems"
    tried += "" if most is None or sizes[-1] < most else " (there are no more)"
    return needed | {"sentence": _describe_size(needed, difference, direction, margin, tried)}


def more_problems(problems: int, factor: int, most: int | None) -> int:
    """So many times as many problems, or as many as there are."""
    return problems * factor if most is None else max(problems, min(problems * factor, most))


def _find_size(
    difference: Difference,
    direction: Direction,
    margin: float,
    fewest: int,
    alpha: float,
    arms: int,
    sizes: Sequence[int],
) -> dict[str, Any]:
    """The sizes of `required_size`, as numbers."""
    spread = measure_spread(difference).shrink()
    observed = {"lower": -difference.value, "higher": difference.value, "same": 0.0}[direction]
    size = Size(max(fewest, 2), difference.problems, arms)
    result: dict[str, Any] = {
        "seeds": None,
        "problems": None,
        "seed_sd": float(np.sqrt(spread.seed)),
        "seeds_as_seen": _find_fewest_seeds(spread, size, direction, observed, alpha) if observed > 0 else None,
    }
    if margin <= 0:
        return {**result, "reason": "no margin was declared"}
    best: tuple[float, int, int] | None = None
    for problems in sizes:
        seeds = _find_fewest_seeds(spread, size._replace(problems=problems), direction, margin, alpha)
        if seeds is not None:
            found = (seeds * (1 + problems / PROBLEMS_PER_TRAINING), seeds, problems)
            best = min(best or found, found)
    if best:
        return {**result, "seeds": best[1], "problems": best[2]}
    tried = f"{MOST_SEEDS} seeds and {sizes[-1]} problems"
    return {**result, "reason": f"not even {tried} are enough: choose a wider margin"}


def _describe_size(
    needed: dict[str, Any], difference: Difference, direction: Direction, margin: float, tried: str
) -> str:
    """The size of a new study in one sentence that needs no other."""
    points = format_points(margin)
    aim = (
        f"show that the arms differ by less than the margin of {points}, where they do not differ at all"
        if direction == "same"
        else f"find a true difference of {points} (the margin)"
    )
    if needed["seeds"]:
        size = f"with {needed['seeds']} seeds and {needed['problems']} problems, four of five such studies would {aim}"
    elif margin > 0:
        size = f"even with {tried}, fewer than four of five such studies would {aim}: declare a wider margin"
    else:
        size = "no margin was declared, so it cannot be said how large a study would be large enough"
    if not needed["seeds_as_seen"]:
        return size
    seen = format_points(abs(difference.value))
    return f"{size}. If the true difference is the {seen} seen here, {needed['seeds_as_seen']} seeds are enough"


def _find_fewest_seeds(spread: Spread, fewest: Size, direction: Direction, effect: float, alpha: float) -> int | None:
    """By bisection: the smallest difference that can be found falls with seeds."""

    def is_enough(seeds: int) -> bool:
        return smallest_difference(spread, fewest._replace(seeds=seeds), direction, alpha) <= effect

    low, high = fewest.seeds, MOST_SEEDS
    if not is_enough(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle + 1, high)
    return low


@lru_cache(maxsize=4096)
def smallest_difference(spread: Spread, size: Size, direction: Direction, alpha: float) -> float:
    """The smallest true difference that 80% of such studies find; for `same`, the smallest margin that they show.

    Two or three seeds say little about a variance. If its estimate is too small by chance, the planned study has less
    power than promised. So the variance over seeds is drawn again for every simulated study, from its scaled inverse
    chi-square distribution (Gelman et al., Bayesian Data Analysis).

    Args:
        spread: What the difference varies by, with at least one degree of freedom.
        size: The study; at least two seeds.
        direction: What the claim says. For `same` the true difference is 0.
        alpha: Level of the test.
    """
    kind_df = max(round(size.problems * spread.kinds), 2) - 1
    normal, chi_kind, chi_known = _draws(kind_df, spread.df)
    of_kind = spread.kind / size.problems
    of_both = spread.both / (size.seeds * size.problems)
    of_seed = spread.seed * spread.df / chi_known / size.seeds
    over_kinds = float(stdtrit(kind_df, alpha / 2)) ** 2 * (of_kind + of_both) * chi_kind / kind_df
    own, moderated, df, keeps_own = _draw_moderation(size.seeds, min(size.arms, _MOST_ARMS))
    by_seed = (of_seed + of_both) * np.where(keeps_own, own, moderated)
    overlap = np.where(keeps_own, 0.0, float(ndtri(alpha / 2)) ** 2 * np.minimum(of_both, by_seed))
    reach = np.sqrt(stdtrit(df, alpha / 2) ** 2 * by_seed + over_kinds - np.minimum(overlap, over_kinds))
    error = normal * np.sqrt(of_seed + of_kind + of_both)
    return float(np.quantile(np.abs(error) + reach if direction == "same" else error + reach, POWER))


@lru_cache(maxsize=256)
def _draws(kind_df: int, known_df: float) -> tuple[NDArray[np.float64], ...]:
    """Standard normal draws and chi-square draws: the same in every call, for reproducible reports."""
    generator = np.random.default_rng([kind_df, round(known_df * 1000)])
    return generator.standard_normal(_DRAWS), *(generator.chisquare(df, _DRAWS) for df in (kind_df, known_df))


@lru_cache(maxsize=256)
def _draw_moderation(seeds: int, arms: int) -> tuple[NDArray[np.float64], ...]:
    """Variances over seeds of a difference in studies of arms that are alike, as multiples of the true one.

    Returns:
        The own and the moderated variance, the degrees of freedom of the one that is used, and whether it is the own.
    """
    generator = np.random.default_rng([seeds, arms])
    values = generator.standard_normal((max(arms, 2), _DRAWS, seeds))
    own = (values[0] - values[1]).var(axis=-1, ddof=1) / 2
    own_df = seeds - 1
    deviations = values - values.mean(axis=-1, keepdims=True)
    full = np.ones(values.shape[:2])
    pool = fit_pool(full / 2, deviations, 0 * full, 1e9 * full, np.ones((len(values), seeds), dtype=bool))
    priors = pool.borrow(0, 1, own_df)
    keeps_own = priors.joint.weight == 0
    moderated, df = priors.joint.moderate(own * 2, own_df)
    return own, moderated / 2, np.where(keeps_own, own_df, df), keeps_own
