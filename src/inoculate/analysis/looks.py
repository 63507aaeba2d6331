"""At which numbers of seeds a study may be judged, and how the level is split over them.

Whoever looks after every seed and stops when p is below .05 finds something too often. So a study is judged once, when
all its planned seeds are finished; or at the looks that it declared before it ran, each at a part of the level.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scipy.special import ndtr, ndtri

from inoculate.analysis.estimates import LEVEL


def levels(looks: Sequence[int]) -> list[float]:
    """The level of every look: what the spending function of O'Brien and Fleming's type allows between two looks.

    The function is `2 - 2 Phi(z / sqrt(share of the seeds))` (Lan and DeMets 1983). Its increments add up to the whole
    level, so that no more is spent whatever the dependence between looks. Boundaries from a multivariate normal
    distribution would give the later looks a little more, but the few seeds of a study are not normal enough for them.

    Args:
        looks: Numbers of seeds, ascending; at the last one the study is complete.
    """
    spent = [2 * float(ndtr(ndtri(LEVEL / 2) * math.sqrt(looks[-1] / look))) for look in looks]
    return [now - before for now, before in zip(spent, [0.0, *spent], strict=False)]


class Look(NamedTuple):
    """Where a contrast stands: which seeds it is computed from, and at what level it may be judged."""

    seeds: frozenset[int]
    level: float | None
    """None before the first look."""
    why: str
    """Why there is no verdict yet, else empty."""


@dataclass(frozen=True)
class Schedule:
    """The seeds that a study planned, in their order, and the numbers of them at which it is judged."""

    planned: tuple[int, ...]
    looks: tuple[int, ...]

    def at(self, finished: Collection[int]) -> Look:
        """The furthest look that the finished seeds allow.

        Seeds count in the order of the study, so that nobody can choose among them.
        """
        there = next((place for place, seed in enumerate(self.planned) if seed not in finished), len(self.planned))
        reached = [look for look in self.looks if look <= there]
        if not reached:
            first = self.planned[: min(self.looks, default=0)]
            waiting = ", ".join(str(seed) for seed in first if seed not in finished)
            known = frozenset(self.planned) & frozenset(finished)
            return Look(known, None, f"it is judged at {len(first)} seeds, and not finished is {waiting or 'any'}")
        level = levels(self.looks)[len(reached) - 1]
        return Look(frozenset(self.planned[: reached[-1]]), level, "")
