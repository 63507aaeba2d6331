"""Which tests of many tell faulty answers from the right one: the choice that all settings with hidden tests share.

As in mutation testing, a test is worth what it catches: each setting makes faulty variants of its honest answers, and
candidates at the edges of its task; here those are taken that catch the most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence, Set


def chosen(caught: Sequence[Set[Hashable]], count: int) -> list[int]:
    """The numbers of the tests to take, the most telling first.

    Each one taken catches as many as possible of the faulty answers that none before it caught; among equals, and where
    all are caught, those count that were caught the fewest times. The first of equals is taken.

    Args:
        caught: Which faulty answers each test catches, by any names.
        count: How many tests are wanted; where there are not as many, all are taken.
    """
    times: Counter[Hashable] = Counter()
    left, taken = list(range(len(caught))), []

    def worth(test: int) -> tuple[int, float]:
        return sum(times[answer] == 0 for answer in caught[test]), sum(2.0 ** -times[answer] for answer in caught[test])

    while left and len(taken) < count:
        best = max(left, key=worth)
        left.remove(best)
        taken.append(best)
        times.update(caught[best])
    return taken
