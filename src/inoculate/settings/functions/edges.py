"""Random numbers that lie at the edges: what a template draws with them is rare otherwise, and never outside its domain.

A template's `inputs` makes arguments out of what it is given by `randint` and `choice`. Whatever these give, it could
have drawn itself: so ends of ranges, the shortest list, two that are equal, and a number just at a rule's limit come
often here, and nothing comes that the task does not define.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

Item = TypeVar("Item")


class Edges(Random):
    """A generator that prefers the ends of ranges, what it gave before, and given numbers, all with their neighbours."""

    def __init__(self, seed: str, numbers: Sequence[int] = ()) -> None:
        """Start.

        Args:
            seed: Two with the same seed and numbers give the same.
            numbers: Those at which something may change: the constants of a rule.
        """
        super().__init__(seed)
        self._numbers = tuple(numbers)
        self._given: list[int] = []
        self._chosen: list[Any] = []
        self._share = 0.5

    def begin(self) -> None:
        """Begin another draw: what was given is forgotten, and edges get another share."""
        self._given, self._chosen = [], []
        self._share = (0.2, 0.5, 0.9)[self._below(3)]

    def _below(self, count: int) -> int:
        return int(super().random() * count)

    def randint(self, a: int, b: int) -> int:
        """An integer from `a` to `b`, both included."""
        found = self._edge(a, b) if super().random() < self._share else a + self._below(b - a + 1)
        self._given.append(found)
        return found

    def _edge(self, low: int, high: int) -> int:
        way = self._below(4)
        if way == 0:
            return (low, high)[self._below(2)]
        if way == 1 and self._given:
            near = self._given[self._below(len(self._given))]
        elif way == 2 and self._given and self._numbers:  # as far away as a limit says
            sign = (-1, 1)[self._below(2)]
            near = self._given[-1] + sign * self._numbers[self._below(len(self._numbers))]
        elif self._numbers:
            near = self._numbers[self._below(len(self._numbers))]
        else:
            near = 0
        near += (-1, 0, 0, 1)[self._below(4)]
        return near if low <= near <= high else low + self._below(min(3, high - low + 1))

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """An integer of a range, as `random.randrange` gives it."""
        if step != 1:
            return super().randrange(start, stop, step)
        return self.randint(0, start - 1) if stop is None else self.randint(start, stop - 1)

    def choice(self, seq: Sequence[Item]) -> Item:  # type: ignore[override]
        """An item of a sequence."""
        if super().random() < self._share / 2:
            again = [item for item in seq if item in self._chosen]
            return again[self._below(len(again))] if again else seq[-self._below(2)]
        found = seq[self._below(len(seq))]
        self._chosen.append(found)
        return found
