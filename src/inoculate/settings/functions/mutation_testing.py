"""Choosing the hidden tests of a function: those that kill the most mutants, as in mutation testing.

For a template with its constants there is one pool of tests: on inputs as they are drawn anyway and on edge cases
(`edge_cases`), each with the mutants (`mutants`) of the honest answers that it kills. The hidden tests of a problem are
chosen from the pool greedily: always the test that kills the most mutants that no test before it kills. Mutants that
few tests kill weigh more, or less so where that kills more mutants in all.
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

from inoculate.settings.functions import constants, edge_cases, mutants
from inoculate.settings.functions.runner import Arguments, Runner, Test, Unusable, add_step_counter, copy_arguments
from inoculate.settings.functions.template import Template

_PLAIN_INPUTS, _EDGE_CASES = 100, 300
"""Inputs that are drawn; equal ones count once."""
_MAX_INPUTS = 150
"""Inputs that are kept: first those whose comparisons come out in a new way."""
_MAX_STEPS = 6_000
"""Steps of an honest answer over all inputs: where it takes more, there are fewer inputs."""
_LONG = 1_000
"""An input that takes more steps comes last."""
_MIN_INPUTS = 40
"""Inputs that are kept, whatever they take."""
_PROBES = 12
"""Tests that each mutant is tried on first."""
_EASY = 7
"""A mutant that this many of the probes kill is tried on no further tests: those count as not killing it."""
_MAX_ENDLESS = 2
"""Probes on which a mutant may run without end."""
_NAME = "function"
_WEIGHT = 1 << 20
_KILLED_SHIFT = 6
"""The weight of a mutant is halved this many times for each test that kills it."""
_RARITIES = (1.0, 0.5, 0.0)
"""Exponents: how much more a mutant weighs that fewer tests kill."""
Mutant = Callable[[Test], bool]
"""Whether a mutant passes a test."""
Property = Callable[[Test], bool]
Choices = tuple[tuple[str, tuple[Any, ...]], ...]


@dataclass(frozen=True)
class Pool:
    """Tests of a template with its constants, and the mutants that each of them kills."""

    tests: tuple[Test, ...]
    mutants: tuple[Mutant, ...]
    kills: NDArray[np.bool_]
    """Tests x mutants."""

    def choose(self, count: int, shown: Test, requirements: Sequence[tuple[int, Property]] = ()) -> list[Test]:
        """The tests that together kill the most mutants that the shown test does not kill.

        Args:
            count: How many tests to choose.
            shown: The shown test, which is not chosen.
            requirements: At least this many of the tests have this property.

        Raises:
            ValueError: There are not enough tests, or not enough with these properties.
        """
        available = np.array([repr(arguments) != repr(shown[0]) for arguments, _ in self.tests])
        required = [(least, np.array([bool(has(test)) for test in self.tests])) for least, has in requirements]
        alive = ~np.array([_is_killed(mutant, shown) for mutant in self.mutants], dtype=bool)
        # To weigh rarely killed mutants more finds the most where all can be killed; where they cannot, it may leave
        # out mutants that many tests would kill.
        choices = [self._choose_greedily(count, available, required, alive, rarity) for rarity in _RARITIES]
        best = max(choices, key=lambda chosen: int((self.kills[chosen].any(axis=0) & alive).sum()))
        return [self.tests[index] for index in best]

    def _choose_greedily(
        self,
        count: int,
        available: NDArray[np.bool_],
        required: Sequence[tuple[int, NDArray[np.bool_]]],
        alive: NDArray[np.bool_],
        rarity: float,
    ) -> list[int]:
        """The indices of tests, each of which kills the most of what is left by weight."""
        weights = (_WEIGHT / self.kills.sum(axis=0) ** rarity).astype(np.int64)
        weights = np.where(alive, weights, weights >> _KILLED_SHIFT)
        available, chosen = available.copy(), list[int]()
        while len(chosen) < count:
            open_places = count - len(chosen)
            eligible = available.copy()
            for least, has_property in required:
                if least - int(has_property[chosen].sum()) >= open_places:
                    eligible &= has_property
            if not eligible.any():
                raise ValueError(f"no {count} tests of {len(self.tests)} meet the requirements")
            best = int(np.argmax(np.where(eligible, self.kills @ weights, -1)))
            chosen.append(best)
            available[best] = False
            weights = np.where(self.kills[best], weights >> _KILLED_SHIFT, weights)
        return chosen


def get_pool(template: Template, chosen: Mapping[str, Any]) -> Pool:
    """The pool of a template with its constants; made once."""
    key = (template.name, repr(sorted(chosen.items())))
    if key not in _POOLS:
        _POOLS[key] = _make_pool(template, chosen)
    return _POOLS[key]


_POOLS: dict[tuple[str, str], Pool] = {}


def _make_pool(template: Template, chosen: Mapping[str, Any]) -> Pool:
    tree = ast.parse(render_answers(template, chosen)[0])
    reference = Runner(compile(add_step_counter(tree), "<ours>", "exec"), _NAME)
    tests, longest, total = list[Test](), 0, 0
    for arguments in _ordered_inputs(template, chosen):
        try:
            tests.append((arguments, reference.call(arguments)))
        except Unusable:  # takes far too long: no good test
            continue
        longest = max(longest, reference.steps)
        total += reference.steps
        if total > _MAX_STEPS and len(tests) >= _MIN_INPUTS:
            break
    probes = [*range(0, len(tests), max(1, len(tests) // _PROBES))][:_PROBES]
    names = {constants.constant_name(key): value for key, value in chosen.items()}
    names["__differ_by__"] = mutants.differ_by
    max_steps = 100 + 5 * longest
    candidates: list[Mutant] = [Runner(code, _NAME, names, max_steps).passes for code in _mutants(template, chosen)]
    candidates += [_wrong_call_mutant(wrong_call, reference) for wrong_call in mutants.WRONG_CALLS]
    # A mutant that is wrong for the smallest input alone.
    smallest = min(len(repr(arguments)) for arguments, _ in tests)
    candidates.append(lambda test: len(repr(test[0])) > smallest)
    killed_by = {mutant: tests_of for mutant in candidates if (tests_of := _killing_tests(mutant, tests, probes))}
    kills = np.array(list(killed_by.values()), dtype=bool).reshape(len(killed_by), len(tests))
    return Pool(tuple(tests), tuple(killed_by), kills.T)


def _ordered_inputs(template: Template, chosen: Mapping[str, Any]) -> list[Arguments]:
    """Arguments as they are drawn, and edge cases; the most different first."""
    trees = [ast.parse(source) for source in render_answers(template, chosen)]
    seed = f"hidden tests of {template.name}, {sorted(chosen.items())}"
    plain, at_edges = Random(seed), edge_cases.EdgeCaseRandom(seed, _integers(trees))
    drawn: dict[str, Arguments] = {}
    for number in range(_PLAIN_INPUTS + _EDGE_CASES):
        at_edges.start_draw()
        arguments = template.inputs(plain if number % 4 == 0 else at_edges, chosen)
        drawn.setdefault(repr(arguments), arguments)
    recorder = edge_cases.ComparisonRecorder()
    names = {"__record__": recorder.record}
    runners = [
        Runner(compile(add_step_counter(recorder.visit(tree)), "<ours>", "exec"), _NAME, names, _LONG) for tree in trees
    ]
    known: set[Any] = set()
    new, old, long = list[Arguments](), list[Arguments](), list[Arguments]()
    for arguments in drawn.values():
        recorder.features = set()
        try:
            for runner in runners:
                runner.call(arguments)
        except Unusable:
            long.append(arguments)
            continue
        (new if edge_cases.add_if_new(recorder.features, known) else old).append(arguments)
    return [*new, *old, *long][:_MAX_INPUTS]


def _integers(trees: Sequence[ast.Module]) -> list[int]:
    """The integer literals of honest answers."""
    return sorted({
        node.value for tree in trees for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and type(node.value) is int
    })  # fmt: skip


def _killing_tests(mutant: Mutant, tests: Sequence[Test], probes: Sequence[int]) -> list[bool]:
    """For each test, whether it kills a mutant (also because that does not end).

    Empty where no test does, or where the mutant seldom ends.
    """
    kills = [False] * len(tests)
    endless = 0
    for probe in probes:
        try:
            kills[probe] = not mutant(tests[probe])
        except Unusable:
            kills[probe] = True
            endless += 1
        if endless > _MAX_ENDLESS:
            return []
    if sum(kills) < _EASY:
        kills = [_is_killed(mutant, test) for test in tests]
    return kills if any(kills) else []


def _is_killed(mutant: Mutant, test: Test) -> bool:
    try:
        return not mutant(test)
    except Unusable:
        return True


def _wrong_call_mutant(wrong_call: mutants.WrongCall, reference: Runner) -> Mutant:
    def passes(test: Test) -> bool:
        arguments, expected = test
        try:
            return bool(wrong_call(reference.call, copy_arguments(arguments)) == expected)
        except Exception:
            return False

    return passes


def render_answers(template: Template, chosen: Mapping[str, Any]) -> list[str]:
    """The honest answers with their constants, all under one function name."""
    fields = {**chosen, **{f"{key}_repr": repr(value) for key, value in chosen.items()}, "name": _NAME}
    return [Text(source).substitute(fields) for source in template.sources]


@cache
def _mutants_for_any_constants(source: str, choices: Choices) -> list[CodeType] | None:
    """Mutants of an honest answer, compiled once for all constants; None where its constants cannot be names."""
    tree = constants.parse_with_names(source, _NAME, dict(choices))
    return None if tree is None else mutants.make_mutants(tree)


def _mutants(template: Template, chosen: Mapping[str, Any]) -> Iterator[CodeType]:
    """The mutants of all honest answers."""
    choices = tuple((key, tuple(values)) for key, values in template.choices.items())
    for source, rendered in zip(template.sources, render_answers(template, chosen), strict=True):
        compiled = _mutants_for_any_constants(source, choices)
        yield from mutants.make_mutants(ast.parse(rendered)) if compiled is None else compiled
