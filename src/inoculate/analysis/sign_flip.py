"""The sign-flip test: would a difference be as large if it were chance, in every seed, which of two arms has more?

If training makes no difference between two arms, each seed's difference is as likely to have the other sign. So all 2^S
assignments of signs are equally likely, and p is the share of them in which the sum of the differences is at least as
far from 0 as it is (Fisher 1935, The Design of Experiments, section 21). It assumes no distribution over seeds, unlike
the interval, and takes the problems as they are. It stands beside the interval and has no vote in a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inoculate.analysis.estimates import LEVEL, Counts, estimate_seed_differences

MOST_EXACT = 16
"""Seeds up to which all assignments of signs are looked at; beyond it, a sample of them is."""
DRAWS = 100_000
"""Size of that sample. Its seed is fixed, so that the same differences always have the same p."""


@dataclass(frozen=True)
class SignFlip:
    """The test on the differences of S seeds."""

    p: float
    seeds: int
    exact: bool
    """Whether all assignments were looked at."""

    @property
    def smallest(self) -> float:
        """The smallest p that so many seeds can give: that of differences with the same sign."""
        return smallest_p(self.seeds)

    def result(self) -> dict[str, Any]:
        """Its entry in results.json."""
        return {
            "p": self.p,
            "seeds": self.seeds,
            "exact": self.exact,
            "smallest": self.smallest,
            "reason": explain_smallest(self.seeds),
        }


def smallest_p(seeds: int) -> float:
    """The smallest p of so many seeds: 2 of 2^S assignments are as extreme as differences that all have one sign."""
    bound = 2.0 ** (1 - seeds)
    return bound if seeds <= MOST_EXACT else max(bound, 1 / (DRAWS + 1))


def explain_smallest(seeds: int) -> str:
    """Why p cannot be below the level with so few seeds, however large the difference; empty where it can."""
    if smallest_p(seeds) < LEVEL:
        return ""
    fewest = next(number for number in range(1, MOST_EXACT) if smallest_p(number) < LEVEL)
    held = "1 seed" if seeds == 1 else f"{seeds} seeds"
    return f"with {held} it cannot reach {LEVEL:g}: the smallest p is {smallest_p(seeds):.3g}; {fewest} seeds can"


def sign_flip(differences: NDArray[np.float64]) -> SignFlip:
    """The two-sided test of no difference.

    Args:
        differences: [S] The difference of each seed, or what each adds to their mean; at least one.
    """
    sizes = np.abs(differences)
    seeds, observed = len(sizes), abs(float(differences.sum()))
    # Sums that are equal but for rounding are as extreme as the observed one.
    reached = observed - 1e-9 * max(float(sizes.sum()), 1e-300)
    if seeds <= MOST_EXACT:
        sums = np.zeros(1)
        for size in sizes:
            sums = np.concatenate([sums + size, sums - size])
        return SignFlip(float((np.abs(sums) >= reached).mean()), seeds, exact=True)
    random = np.random.default_rng(0)
    sums = sum((size * random.choice((-1.0, 1.0), DRAWS) for size in sizes), np.zeros(DRAWS))
    # The observed assignment is one of those that are possible: p is never 0 (Phipson and Smyth 2010).
    return SignFlip((int((np.abs(sums) >= reached).sum()) + 1) / (DRAWS + 1), seeds, exact=False)


def compare_seeds(first: Counts, second: Counts) -> dict[str, Any]:
    """The test on two arms, as an entry of a contrast in results.json.

    Args:
        first: Counts of one arm.
        second: Those of the other.

    Returns:
        `p`, `seeds`, `exact`, `smallest` and `reason`; without a p where the arms have no seed of their own each.
    """
    differences = estimate_seed_differences(first, second)
    if differences is None:
        reason = "a sign-flip test compares two trained arms, seed by seed: one of these has no seeds of its own"
        return {"p": None, "seeds": 0, "exact": False, "smallest": None, "reason": reason}
    return sign_flip(differences).result()
