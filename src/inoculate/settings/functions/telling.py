"""Tests that tell right answers from nearly right ones, chosen from many by which slips they catch.

For a template with its constants there is one pool: inputs as they are drawn anyway and inputs at the edges (`edges`),
each with the slips (`slips`) in any of the honest answers that it catches. A problem's hidden tests are chosen from it
one after the other: always the one that catches most of what was not caught so far, rarely caught slips first.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from string import Template as Text
from types import CodeType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inoculate.settings.functions import naming, slips
from inoculate.settings.functions.edges import Edges
from inoculate.settings.functions.running import Runner, Test, Unfit, counted, fresh
from inoculate.settings.functions.template import Template

PLAIN, EDGES = 150, 150
"""Inputs of each kind that are drawn; equal ones count once."""
_PROBES = 10
_EASY = 6
"""A slip that so many of the probes catch is caught anyhow, and has no say in which tests are chosen."""
_NAME = "function"
_WEIGHT = 1 << 20
Property = Callable[[Test], bool]
Choices = tuple[tuple[str, tuple[Any, ...]], ...]


@dataclass(frozen=True)
class Pool:
    """Tests of a template with its constants, and which slips each of them catches."""

    tests: tuple[Test, ...]
    caught: NDArray[np.bool_]
    """Tests x slips."""

    def choose(self, count: int, shown: Test, needs: Sequence[tuple[int, Property]] = ()) -> list[Test]:
        """The tests that together catch most.

        Args:
            count: How many.
            shown: A test that is not to be chosen.
            needs: So many of them, at least, have this property.

        Raises:
            ValueError: There are not as many, or none with the properties.
        """
        free = np.array([repr(given) != repr(shown[0]) for given, _ in self.tests])
        having = [(least, np.array([bool(has(test)) for test in self.tests])) for least, has in needs]
        often = self.caught.sum(axis=0)
        weights: NDArray[np.int64] = _WEIGHT // np.maximum(often, 1)
        chosen: list[int] = []
        while len(chosen) < count:
            left = count - len(chosen)
            fit = free.copy()
            for least, has in having:
                if least - int(has[chosen].sum()) >= left:
                    fit &= has
            if not fit.any():
                raise ValueError(f"no {count} tests of {len(self.tests)} have what they need")
            best = int(np.argmax(np.where(fit, self.caught @ weights, -1)))
            chosen.append(best)
            free[best] = False
            weights = np.where(self.caught[best], weights >> 3, weights)
        return [self.tests[number] for number in chosen]


def pool(template: Template, chosen: Mapping[str, Any]) -> Pool:
    """The pool of a template with its constants, made once."""
    key = (template.name, repr(sorted(chosen.items())))
    if key not in _POOLS:
        _POOLS[key] = _make(template, chosen)
    return _POOLS[key]


_POOLS: dict[tuple[str, str], Pool] = {}


def _make(template: Template, chosen: Mapping[str, Any]) -> Pool:
    trees = [ast.parse(source) for source in _rendered(template, chosen)]
    right = [Runner(compile(counted(tree), "<ours>", "exec"), _NAME) for tree in trees]
    given = _inputs(template, chosen, _numbers(trees))
    tests = tuple((one, right[0].answer(one)) for one in given)
    probes = [*range(0, len(tests), max(1, len(tests) // _PROBES))][:_PROBES]
    constants = {**{naming.as_name(key): value for key, value in chosen.items()}, "__edge__": slips.edge}
    wrong: list[Callable[[Test], bool]] = [Runner(code, _NAME, constants).passes for code in _slips(template, chosen)]
    wrong += [_asking(ask, right[0]) for ask in slips.ASKED]
    caught = [line for passes in wrong if (line := _caught(passes, tests, probes)) is not None]
    return Pool(tests, np.array(caught, dtype=bool).reshape(len(caught), len(tests)).T)


def _inputs(template: Template, chosen: Mapping[str, Any], numbers: Sequence[int]) -> list[tuple[Any, ...]]:
    """Arguments as they are drawn, and at the edges, in turn."""
    seed = f"hidden tests of {template.name}, {sorted(chosen.items())}"
    plain, edges = Random(seed), Edges(seed, numbers)
    drawn: dict[str, tuple[Any, ...]] = {}
    for _ in range(PLAIN):
        one = template.inputs(plain, chosen)
        drawn.setdefault(repr(one), one)
        edges.begin()
        one = template.inputs(edges, chosen)
        drawn.setdefault(repr(one), one)
    return list(drawn.values())


def _numbers(trees: Sequence[ast.Module]) -> list[int]:
    """The whole numbers that stand in honest answers."""
    return sorted({
        node.value for tree in trees for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and type(node.value) is int
    })  # fmt: skip


def _caught(passes: Callable[[Test], bool], tests: Sequence[Test], probes: Sequence[int]) -> list[bool] | None:
    """Which tests catch a slip; None where nearly all do, or none, or it does not end."""
    try:
        if sum(not passes(tests[probe]) for probe in probes) >= _EASY:
            return None
        found = [not passes(test) for test in tests]
    except Unfit:
        return None
    return found if any(found) else None


def _asking(ask: slips.Ask, right: Runner) -> Callable[[Test], bool]:
    def passes(test: Test) -> bool:
        given, expected = test
        try:
            return bool(ask(right.answer, fresh(given)) == expected)
        except Exception:
            return False

    return passes


def _rendered(template: Template, chosen: Mapping[str, Any]) -> list[str]:
    fields = {**chosen, **{f"{key}_repr": repr(value) for key, value in chosen.items()}, "name": _NAME}
    return [Text(source).substitute(fields) for source in template.honest]


@cache
def _named(source: str, choices: Choices) -> list[CodeType] | None:
    """Slips in an honest answer, compiled once for all constants; None where its constants cannot be names."""
    tree = naming.with_names(source, _NAME, dict(choices))
    return None if tree is None else slips.variants(tree)


def _slips(template: Template, chosen: Mapping[str, Any]) -> Iterator[CodeType]:
    """Slips in all honest answers."""
    choices = tuple((key, tuple(values)) for key, values in template.choices.items())
    for source, rendered in zip(template.honest, _rendered(template, chosen), strict=True):
        known = _named(source, choices)
        yield from slips.variants(ast.parse(rendered)) if known is None else known
