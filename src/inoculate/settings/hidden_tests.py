"""Which tests of many tell faulty answers from the right one: the choice of hidden strings and databases.

As in mutation testing, a test is worth what it catches: a setting makes faulty variants of its honest answers, and
candidates at the edges of its task; here those are taken that catch the most.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np

_FIRST = 1_000.0
"""What it counts to catch something for the first time: more than all else together."""


def chosen(caught: Sequence[Set[str]], count: int) -> list[int]:
    """The numbers of the tests to take, the most telling first.

    Each one taken catches as many as possible of the faulty answers that none before it caught; among equals, and where
    all are caught, those count that were caught the fewest times. The first of equals is taken.

    Args:
        caught: What each test catches, by any names.
        count: How many tests are wanted; where there are not as many, all are taken.
    """
    names = sorted({name for some in caught for name in some})
    catches = np.array([[name in some for name in names] for some in caught], dtype=float)
    times = np.zeros(len(names))
    free = np.ones(len(caught), dtype=bool)
    taken: list[int] = []
    while len(taken) < count and free.any():
        worth = catches @ (np.where(times == 0, _FIRST, 0.0) + 0.5**times)
        best = int(np.argmax(np.where(free, worth, -1.0)))
        taken.append(best)
        free[best] = False
        times += catches[best]
    return taken
