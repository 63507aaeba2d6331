"""At which numbers of seeds a study may be judged, and how the level is split over them.

Looking after every seed and stopping once p is below .05 inflates the false positive rate. So a study is judged once,
when all its planned seeds are finished, or at the looks that it declared before it ran, each at a part of the level.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from inoculate.analysis.estimates import LEVEL


def split_level(looks: Sequence[int]) -> list[float]:
    """The level of every look: the increments of an alpha-spending function of O'Brien and Fleming's type.

    The function is `2 - 2 Phi(z / sqrt(share of the seeds))` (Lan and DeMets 1983). Its increments add up to the whole
    level, so the error rate is bounded however the looks depend on each other. Boundaries from a multivariate normal
    distribution would give the later looks a little more, but they need seeds that are normal.

    Args:
        looks: Numbers of seeds, ascending. At the last one the study is complete.
    """
    spent = [2 * float(ndtr(ndtri(LEVEL / 2) * math.sqrt(looks[-1] / look))) for look in looks]
    return [total - before for total, before in zip(spent, [0.0, *spent], strict=False)]


class Look(NamedTuple):
    """The look that a contrast has reached: the seeds it is computed from, and the level at which it may be judged."""

    seeds: frozenset[int]
    level: float | None
    """None before the first look."""
    why: str
    """Why there is no verdict yet; empty where there is one."""


@dataclass(frozen=True)
class Schedule:
    """The seeds that a study planned, in their order, and the numbers of them at which it is judged."""

    planned: tuple[int, ...]
    looks: tuple[int, ...]

    def find_look(self, finished: Collection[int]) -> Look:
        """The furthest look that the finished seeds allow.

        Seeds count in the order of the study, so that nobody can choose among them.
        """
        usable = next((place for place, seed in enumerate(self.planned) if seed not in finished), len(self.planned))
        reached = [look for look in self.looks if look <= usable]
        if not reached:
            first = self.planned[: min(self.looks, default=0)]
            waiting = ", ".join(str(seed) for seed in first if seed not in finished)
            finished_planned = frozenset(self.planned) & frozenset(finished)
            why = f"the verdict needs {len(first)} finished seeds, and these are not finished: {waiting or 'any'}"
            return Look(finished_planned, None, why)
        level = split_level(self.looks)[len(reached) - 1]
        return Look(frozenset(self.planned[: reached[-1]]), level, "")


def adjust_p_values(
    p_values: Sequence[float | None], looks: Sequence[Look], declared: Collection[int]
) -> list[float | None]:
    """Holm's (1979) adjustment of p values over what a study declared: below .05 is significant at every look.

    At a look with a part of the level, p is scaled so that the threshold stays .05. What could not be computed still
    counts: what failed to run must not make the others look better.

    Args:
        p_values: One for each claim; None where there is none.
        looks: The look that each has reached.
        declared: The positions of those that were declared.

    Returns:
        None where there is no p, before the first look, and for claims that were not declared.
    """
    from statsmodels.stats.multitest import multipletests  # takes half a second, which `plan` need not spend

    scaled = {
        place: min(p * LEVEL / level, 1.0)
        for place in sorted(declared)
        if (p := p_values[place]) is not None and (level := looks[place].level)
    }
    family = [scaled.get(place, 1.0) for place in sorted(declared)]
    holm = np.asarray(multipletests(family, method="holm")[1]) if family else []
    adjusted = {place: float(p) for place, p in zip(sorted(declared), holm, strict=True)}
    return [adjusted[place] if place in scaled else None for place in range(len(p_values))]
