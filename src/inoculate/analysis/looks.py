"""At which numbers of seeds a study may be judged, and how the level is split over them.

Looking after every seed and stopping once p is below .05 inflates the false positive rate. So a study is judged once,
when all its planned seeds are finished, or at the looks that it declared before it ran, each at a part of the level.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

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
