"""Choosing hidden tests from many candidates: the strings of `patterns` and the databases of `queries`.

As in mutation testing, a test is as good as the mutants that it kills. A setting makes mutants of its honest answers,
and candidate tests at the edges of its task; here the tests are chosen that kill the most.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np

_FIRST_KILL = 1_000.0
"""The weight of a mutant that no test has killed: more than all others together."""


def choose_tests(killed: Sequence[Set[str]], count: int) -> list[int]:
    """The indices of the tests to choose, the best first.

    Each one kills as many as possible of the mutants that none before it kills. Among equals, and where all are killed,
    mutants that were killed the fewest times count more. Of equal tests the first is chosen.

    Args:
        killed: The mutants that each test kills, by any names.
        count: How many tests to choose; all of them where there are fewer.
    """
    names = sorted({name for mutants in killed for name in mutants})
    kills = np.array([[name in mutants for name in names] for mutants in killed], dtype=float)
    kill_counts = np.zeros(len(names))
    available = np.ones(len(killed), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < count and available.any():
        scores = kills @ (np.where(kill_counts == 0, _FIRST_KILL, 0.0) + 0.5**kill_counts)
        best = int(np.argmax(np.where(available, scores, -1.0)))
        chosen.append(best)
        available[best] = False
        kill_counts += kills[best]
    return chosen
