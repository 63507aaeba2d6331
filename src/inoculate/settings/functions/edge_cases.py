"""Random numbers at the edges of their ranges: rare otherwise, and always in the template's domain.

A template's `inputs` makes arguments from the results of `randint` and `choice`. This generator returns only what
those could return anyway, but prefers the ends of ranges, the shortest list, equal values, and numbers next to a limit
of the rule. So edge cases come often, and no input is outside of the task.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

Item = TypeVar("Item")


class EdgeCaseRandom(Random):
    """A generator that prefers ends of ranges, its earlier results and given numbers, all with their neighbours."""

    def __init__(self, seed: str, numbers: Sequence[int] = ()) -> None:
        """Start.

        Args:
            seed: The same seed and numbers give the same results.
            numbers: Where the result of a rule may change: its constants.
        """
        super().__init__(seed)
        self._numbers = tuple(numbers)
        self._integers: list[int] = []
        self._items: list[Any] = []
        self._edge_share = 0.5

    def start_draw(self) -> None:
        """Start another draw: forget the earlier results, and choose another share of edge cases."""
        self._integers, self._items = [], []
        self._edge_share = (0.2, 0.5, 0.9)[self._random_below(3)]

    def _random_below(self, count: int) -> int:
        return int(super().random() * count)

    def randint(self, a: int, b: int) -> int:
        """An integer from `a` to `b`, both included."""
        is_edge_case = super().random() < self._edge_share
        integer = self._edge_case(a, b) if is_edge_case else a + self._random_below(b - a + 1)
        self._integers.append(integer)
        return integer

    def _edge_case(self, low: int, high: int) -> int:
        source = self._random_below(4)
        if source == 0:
            return (low, high)[self._random_below(2)]
        if source == 1 and self._integers:
            near = self._integers[self._random_below(len(self._integers))]
        elif source == 2 and self._integers and self._numbers:  # a limit away from the integer before
            sign = (-1, 1)[self._random_below(2)]
            near = self._integers[-1] + sign * self._numbers[self._random_below(len(self._numbers))]
        elif self._numbers:
            near = self._numbers[self._random_below(len(self._numbers))]
        else:
            near = 0
        near += (-1, 0, 0, 1)[self._random_below(4)]
        return near if low <= near <= high else low + self._random_below(min(3, high - low + 1))

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """An integer of a range, like `random.randrange`."""
        if step != 1:
            return super().randrange(start, stop, step)
        return self.randint(0, start - 1) if stop is None else self.randint(start, stop - 1)

    def choice(self, seq: Sequence[Item]) -> Item:  # type: ignore[override]
        """An item of a sequence."""
        if super().random() < self._edge_share / 2:
            again = [item for item in seq if item in self._items]
            return again[self._random_below(len(again))] if again else seq[-self._random_below(2)]
        item = seq[self._random_below(len(seq))]
        self._items.append(item)
        return item


_MAX_DISTANCE = 2
_MAX_PAIRED = 8
"""Up to this many features of an input are also counted in pairs; with more of them, each counts by itself."""
Feature = tuple[int, Any]


class ComparisonRecorder(ast.NodeTransformer):
    """Makes comparisons, `min` and `max` record in `features` how far apart their two sides are."""

    def __init__(self) -> None:
        """Start with no features."""
        self.features: set[Feature] = set()
        self._count = 0

    def record(self, number: int, left: Any, right: Any) -> None:
        """Record one comparison; transformed code calls this as `__record__`."""
        if isinstance(left, (int, float)) and isinstance(right, (int, float)):
            self.features.add((number, max(-_MAX_DISTANCE, min(_MAX_DISTANCE, left - right))))
        else:
            self.features.add((number, left == right))

    def _recorded(self, node: ast.expr, left: ast.expr, right: ast.expr) -> ast.expr:
        self._count += 1
        call = ast.Call(ast.Name("__record__", ast.Load()), [ast.Constant(self._count), left, right], [])
        return ast.Subscript(ast.Tuple([call, node], ast.Load()), ast.Constant(1), ast.Load())

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """A comparison of two sides."""
        self.generic_visit(node)
        return node if len(node.ops) > 1 else self._recorded(node, node.left, node.comparators[0])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """`min` or `max` of two."""
        self.generic_visit(node)
        is_extreme = isinstance(node.func, ast.Name) and node.func.id in ("min", "max") and len(node.args) == 2
        return self._recorded(node, node.args[0], node.args[1]) if is_extreme else node


def add_if_new(features: set[Feature], known: set[Any]) -> bool:
    """Whether an input has a new feature, pair of features or set of features; adds them to `known`."""
    shown: set[Any] = set(features)
    if len(features) <= _MAX_PAIRED:
        shown.update(itertools.combinations(sorted(features), 2), [frozenset(features)])
    before = len(known)
    known |= shown
    return len(known) > before
