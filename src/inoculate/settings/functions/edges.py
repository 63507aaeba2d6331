"""Random numbers that lie at the edges: what a template draws with them is rare otherwise, and always in its domain.

A template's `inputs` makes arguments out of what it is given by `randint` and `choice`. Whatever these give, it could
have drawn itself: so ends of ranges, the shortest list, two that are equal, and a number just at a rule's limit come
often here, and nothing comes that the task does not define.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

Item = TypeVar("Item")


class Edges(Random):
    """A generator that prefers ends of ranges, what it gave before, and given numbers, all with their neighbours."""

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


_NEAR = 2
_MOST_PAIRED = 8
"""Features of an input that are looked at together; with more of them, each counts by itself."""
Feature = tuple[int, Any]


class Looks(ast.NodeTransformer):
    """Makes comparisons, `min` and `max` tell how far their sides are apart, to `seen`."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.seen: set[Feature] = set()
        self._count = 0

    def look(self, number: int, left: Any, right: Any) -> None:
        """Note what a comparison sees; answers call it by the name `__look__`."""
        if isinstance(left, (int, float)) and isinstance(right, (int, float)):
            self.seen.add((number, max(-_NEAR, min(_NEAR, left - right))))
        else:
            self.seen.add((number, left == right))

    def _looking(self, node: ast.expr, left: ast.expr, right: ast.expr) -> ast.expr:
        self._count += 1
        look = ast.Call(ast.Name("__look__", ast.Load()), [ast.Constant(self._count), left, right], [])
        return ast.Subscript(ast.Tuple([look, node], ast.Load()), ast.Constant(1), ast.Load())

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """A comparison of two sides."""
        self.generic_visit(node)
        return node if len(node.ops) > 1 else self._looking(node, node.left, node.comparators[0])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """`min` or `max` of two."""
        self.generic_visit(node)
        extreme = isinstance(node.func, ast.Name) and node.func.id in ("min", "max") and len(node.args) == 2
        return self._looking(node, node.args[0], node.args[1]) if extreme else node


def new(features: set[Feature], known: set[Any]) -> bool:
    """Whether an input shows what none before it did: one thing, two together, or these alone. It is known then."""
    shown: set[Any] = set(features)
    if len(features) <= _MOST_PAIRED:
        shown.update(itertools.combinations(sorted(features), 2), [frozenset(features)])
    before = len(known)
    known |= shown
    return len(known) > before
