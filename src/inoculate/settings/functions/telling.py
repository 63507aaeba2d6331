"""Tests that tell right answers from nearly right ones, chosen from many by which slips they catch.

For a template with its constants there is one pool: inputs as they are drawn anyway and inputs at the edges (`edges`),
each with the slips (`slips`) in any of the honest answers that it catches. A problem's hidden tests are chosen from it
one after the other: always the one that catches most of what was not caught so far, rarely caught slips first, or less
so where more are caught that way.
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

from inoculate.settings.functions import edges, naming, slips
from inoculate.settings.functions.running import Runner, Test, Unfit, counted, fresh
from inoculate.settings.functions.template import Template

_PLAIN, _EDGES = 100, 300
"""Inputs that are drawn as they come, and at the edges; equal ones count once."""
_INPUTS = 150
"""That are kept: first those in which comparisons come out as in none before."""
_STEPS = 6_000
"""Rounds of loops in an honest answer, over all inputs: where they take more, there are fewer inputs."""
_LONG = 1_000
"""Rounds beyond which an input comes last."""
_FEWEST = 40
"""Inputs, whatever they take."""
_PROBES = 12
_EASY = 7
"""A slip that so many of the probes catch is tried on no further tests: they count as not catching it."""
_ENDLESS = 2
"""Of the probes, on which a slip may not end."""
_NAME = "function"
_WEIGHT = 1 << 20
_AGAIN = 6
"""What is caught already counts so many halvings less."""
_RARITIES = (1.0, 0.5, 0.0)
"""How much more a slip weighs that fewer tests catch."""
Passes = Callable[[Test], bool]
Property = Callable[[Test], bool]
Given = tuple[Any, ...]
Choices = tuple[tuple[str, tuple[Any, ...]], ...]


@dataclass(frozen=True)
class Pool:
    """Tests of a template with its constants, and which slips each of them catches."""

    tests: tuple[Test, ...]
    slips: tuple[Passes, ...]
    caught: NDArray[np.bool_]
    """Tests x slips."""

    def choose(self, count: int, shown: Test, needs: Sequence[tuple[int, Property]] = ()) -> list[Test]:
        """The tests that together catch most of what the shown one does not.

        Args:
            count: How many.
            shown: A test that is not to be chosen.
            needs: So many of them, at least, have this property.

        Raises:
            ValueError: There are not as many, or none with the properties.
        """
        free = np.array([repr(given) != repr(shown[0]) for given, _ in self.tests])
        having = [(least, np.array([bool(has(test)) for test in self.tests])) for least, has in needs]
        uncaught = ~np.array([_fails(slip, shown) for slip in self.slips], dtype=bool)
        # Rarely caught slips first finds most where all can be caught; where they cannot, it may leave out what
        # many tests would catch.
        sets = [self._in_turn(count, free, having, uncaught, rarity) for rarity in _RARITIES]
        best = max(sets, key=lambda chosen: int((self.caught[chosen].any(axis=0) & uncaught).sum()))
        return [self.tests[number] for number in best]

    def _in_turn(
        self,
        count: int,
        free: NDArray[np.bool_],
        having: Sequence[tuple[int, NDArray[np.bool_]]],
        uncaught: NDArray[np.bool_],
        rarity: float,
    ) -> list[int]:
        """The numbers of tests, each of which catches most of what is left; slips weigh more the rarer they are."""
        weights = (_WEIGHT / self.caught.sum(axis=0) ** rarity).astype(np.int64)
        weights = np.where(uncaught, weights, weights >> _AGAIN)
        free, chosen = free.copy(), list[int]()
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
            weights = np.where(self.caught[best], weights >> _AGAIN, weights)
        return chosen


def pool(template: Template, chosen: Mapping[str, Any]) -> Pool:
    """The pool of a template with its constants, made once."""
    key = (template.name, repr(sorted(chosen.items())))
    if key not in _POOLS:
        _POOLS[key] = _make(template, chosen)
    return _POOLS[key]


_POOLS: dict[tuple[str, str], Pool] = {}


def _make(template: Template, chosen: Mapping[str, Any]) -> Pool:
    trees = [ast.parse(source) for source in rendered(template, chosen)]
    right = [Runner(compile(counted(tree), "<ours>", "exec"), _NAME) for tree in trees]
    tests, longest, total = list[Test](), 0, 0
    for given in _inputs(template, chosen):
        try:
            tests.append((given, right[0].answer(given)))
        except Unfit:  # takes far too long: no good test
            continue
        longest = max(longest, right[0].steps)
        total += right[0].steps
        if total > _STEPS and len(tests) >= _FEWEST:
            break
    probes = [*range(0, len(tests), max(1, len(tests) // _PROBES))][:_PROBES]
    constants = {**{naming.as_name(key): value for key, value in chosen.items()}, "__edge__": slips.edge}
    most = 100 + 5 * longest
    wrong: list[Passes] = [Runner(code, _NAME, constants, most).passes for code in _slips(template, chosen)]
    wrong += [_asking(ask, right[0]) for ask in slips.ASKED]
    # As if the smallest input were got wrong, alone.
    smallest = min(len(repr(given)) for given, _ in tests)
    wrong.append(lambda test: len(repr(test[0])) > smallest)
    caught = {slip: line for slip in wrong if (line := _caught(slip, tests, probes))}
    lines = np.array(list(caught.values()), dtype=bool).reshape(len(caught), len(tests))
    return Pool(tuple(tests), tuple(caught), lines.T)


def _inputs(template: Template, chosen: Mapping[str, Any]) -> list[Given]:
    """Arguments as they are drawn, and at the edges, the most different first."""
    trees = [ast.parse(source) for source in rendered(template, chosen)]
    seed = f"hidden tests of {template.name}, {sorted(chosen.items())}"
    plain, at_edges = Random(seed), edges.Edges(seed, _numbers(trees))
    drawn: dict[str, Given] = {}
    for number in range(_PLAIN + _EDGES):
        at_edges.begin()
        one = template.inputs(plain if number % 4 == 0 else at_edges, chosen)
        drawn.setdefault(repr(one), one)
    looks = edges.Looks()
    names = {"__look__": looks.look}
    looking = [Runner(compile(counted(looks.visit(tree)), "<ours>", "exec"), _NAME, names, _LONG) for tree in trees]
    known: set[Any] = set()
    new, old, long = list[Given](), list[Given](), list[Given]()
    for one in drawn.values():
        looks.seen = set()
        try:
            for runner in looking:
                runner.answer(one)
        except Unfit:
            long.append(one)
            continue
        (new if edges.new(looks.seen, known) else old).append(one)
    return [*new, *old, *long][:_INPUTS]


def _numbers(trees: Sequence[ast.Module]) -> list[int]:
    """The whole numbers that stand in honest answers."""
    return sorted({
        node.value for tree in trees for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and type(node.value) is int
    })  # fmt: skip


def _caught(slip: Passes, tests: Sequence[Test], probes: Sequence[int]) -> list[bool]:
    """Which tests catch a slip, also by its not ending; empty where none does, or where it seldom ends."""
    found = [False] * len(tests)
    endless = 0
    for probe in probes:
        try:
            found[probe] = not slip(tests[probe])
        except Unfit:
            found[probe] = True
            endless += 1
        if endless > _ENDLESS:
            return []
    if sum(found) < _EASY:
        found = [_fails(slip, test) for test in tests]
    return found if any(found) else []


def _fails(slip: Passes, test: Test) -> bool:
    try:
        return not slip(test)
    except Unfit:
        return True


def _asking(ask: slips.Ask, right: Runner) -> Passes:
    def passes(test: Test) -> bool:
        given, expected = test
        try:
            return bool(ask(right.answer, fresh(given)) == expected)
        except Exception:
            return False

    return passes


def rendered(template: Template, chosen: Mapping[str, Any]) -> list[str]:
    """The honest answers with their constants, all of one name."""
    fields = {**chosen, **{f"{key}_repr": repr(value) for key, value in chosen.items()}, "name": _NAME}
    return [Text(source).substitute(fields) for source in template.sources]


@cache
def _named(source: str, choices: Choices) -> list[CodeType] | None:
    """Slips in an honest answer, compiled once for all constants; None where its constants cannot be names."""
    tree = naming.with_names(source, _NAME, dict(choices))
    return None if tree is None else slips.variants(tree)


def _slips(template: Template, chosen: Mapping[str, Any]) -> Iterator[CodeType]:
    """Slips in all honest answers."""
    choices = tuple((key, tuple(values)) for key, values in template.choices.items())
    for source, written in zip(template.sources, rendered(template, chosen), strict=True):
        known = _named(source, choices)
        yield from slips.variants(ast.parse(written)) if known is None else known
