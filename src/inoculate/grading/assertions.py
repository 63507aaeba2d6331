"""Splits assert tests into calls, which the solution answers, and expectations, which it never sees.

In the syntax tree of a test, every largest expression that starts at the entry point and discloses nothing (`f(..)`,
`f(g(x))`, `Solution().m(..)`, `len(f(..))`, `f(..)[0]`) becomes a call. The rest (`_ == [1, 2]`, `isclose(_, .5)`) is
evaluated by `compare` over plain data. The name of the entry point comes from the problem, never from the model's code.

A test that cannot be split (loops, `check(f)`, anything that `compare` does not support) is *remote*: it runs as it is
in a test process, which requests each call from the solution process. If only the solution itself could give the
verdict, the test is *forgeable*, and the problem has no ground truth. All this is decided here, before any answer.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from inoculate.grading import compare, forgeable, setup_code, validation
from inoculate.grading.parsing import parse
from inoculate.grading.runner_calls import add_runner_calls
from inoculate.grading.sandbox.encoder import TooBig, encode
from inoculate.grading.sandbox.proxies import DISCLOSING_METHODS
from inoculate.grading.setup_code import names
from inoculate.grading.task import CodeTask

NEVER_CALLS = "it never calls the entry point"
"""The weakness of a test whose verdict does not depend on the solution."""

Method = Literal["compared", "remote", "forgeable"]
"""How a test is checked."""


@dataclass(frozen=True)
class Test:
    """One test of a problem and how it is checked."""

    __test__ = False  # for pytest: not a class of tests

    source: str
    shown: bool
    method: Method
    expectations: tuple[ast.expr, ...] = ()
    """Of a compared test: one expression for each assert, with placeholders for the calls."""
    calls: tuple[int, ...] = ()
    """Numbers of its calls."""
    reason: str = ""
    """Why it could not be split, or why it is forgeable."""
    weak: str = ""
    """Why passing it means little; empty for a strong test."""


class Call(NamedTuple):
    """An expression for the solution."""

    text: str
    only_truth: bool
    """Whether only the truth value of its result is needed."""


@dataclass(frozen=True)
class Plan:
    """How a problem's tests are checked."""

    tests: tuple[Test, ...]
    calls: tuple[Call, ...]
    """The expressions for the solution, by number."""
    names: tuple[str, ...] = ()
    """Names that remote tests and the set-up take from the solution."""
    setup_needs_solution: bool = False
    """Whether the set-up uses names of the solution."""
    problem: str = ""
    """Why the problem cannot be graded at all."""

    @property
    def forgeable(self) -> tuple[Test, ...]:
        """The tests that only the solution itself could decide."""
        return tuple(test for test in self.tests if test.method == "forgeable")


class _NotSplittable(Exception):
    """A test cannot be split; the message says why."""


@lru_cache(maxsize=4096)
def plan(task: CodeTask) -> Plan:
    """Plan how the tests of a problem are checked."""
    try:
        setup = setup_code.analyse(task.setup)
    except (SyntaxError, ValueError) as error:
        return Plan((), (), problem=f"the set-up does not parse: {error}")
    if not task.shown_tests and not task.hidden_tests:
        return Plan((), (), problem="the problem has no tests")
    if fault := validation.find_fault(task):
        return Plan((), (), problem=f"a test tests nothing: {fault}")
    calls: list[Call] = []
    tests = []
    for shown, sources in ((True, task.shown_tests), (False, task.hidden_tests)):
        for source in (add_runner_calls(source, task.entry_point) for source in sources):
            try:
                tests.append(_plan_test(source, shown, task, setup, calls))
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                return Plan((), (), problem=f"a test does not parse: {source[:120]!r}: {error or 'too deep'}")
    needed = tuple(sorted({task.root, *setup.free}))
    return Plan(tuple(tests), tuple(calls), needed, bool(setup.free), _contradiction(tests, calls))


def _plan_test(source: str, shown: bool, task: CodeTask, setup: setup_code.Setup, calls: list[Call]) -> Test:
    module = parse(source)
    if not module.body:
        raise ValueError("it is empty")
    reason = forgeable.compares_instances(module, task) or forgeable.uses_up(task)
    reason = reason or ("it does not end" if forgeable.is_endless(module) else "")
    if reason:
        return Test(source, shown, "forgeable", reason=reason)
    before = len(calls)
    weak = ""
    try:
        if not all(isinstance(statement, ast.Assert) for statement in module.body):
            raise _NotSplittable("it is more than asserts")
        extractor = _CallExtractor(task, setup, before)
        asserted = [extractor.visit(statement.test) for statement in module.body if isinstance(statement, ast.Assert)]
        weak = _weakness(asserted, len(extractor.texts))
        only_truth: set[int] = set()
        expectations = tuple(compare.prepare(expectation, setup.redefined, only_truth) for expectation in asserted)
    except (_NotSplittable, compare.NotSupported) as error:
        module = parse(source)  # the extractor has changed the tree
        reason = forgeable.cannot_run_outside(module, task, setup)
        # Values that the set-up computes with the solution belong to the solution too.
        of_solution = {task.root, *setup.helpers, *setup.free, *(setup.values if setup.free else ())}
        if not names(module) & (of_solution | validation.DYNAMIC):
            weak = NEVER_CALLS
        elif weak == NEVER_CALLS:
            weak = ""  # a call in a string, which is found only by running the test
        return Test(source, shown, "forgeable" if reason else "remote", reason=reason or str(error), weak=weak)
    calls += [Call(text, number in only_truth) for number, text in enumerate(extractor.texts, before)]
    return Test(source, shown, "compared", expectations, tuple(range(before, len(calls))), weak=weak)


SAFE_FUNCTIONS = frozenset((
    "len", "str", "repr", "bool", "int", "float", "complex", "list", "tuple", "set", "frozenset", "dict", "sorted",
    "reversed", "sum", "min", "max", "any", "all", "abs", "next", "iter", "callable", "type", "round", "bytes", "ord",
    "chr", "hash",
))  # fmt: skip
"""Functions that can be applied to an answer in the solution process without disclosing anything."""


class _CallExtractor(ast.NodeTransformer):
    """Replaces the calls in the asserts of a test by placeholders."""

    def __init__(self, task: CodeTask, setup: setup_code.Setup, first: int) -> None:
        self.root = task.root
        self.is_class = forgeable.is_class(task)
        self.is_dotted = "." in task.entry_point
        self.setup = setup
        self.first = first
        self.texts: list[str] = []

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.expr) and self._is_safe_call(node):
            if any(isinstance(part, (ast.NamedExpr, ast.Await, ast.Yield)) for part in ast.walk(node)):
                raise _NotSplittable("a call binds a name")
            self.texts.append(ast.unparse(node))
            return compare.placeholder(self.first + len(self.texts) - 1)
        if isinstance(node, ast.Name) and node.id == self.root:
            raise _NotSplittable(f"{self.root} is used without being called")
        if isinstance(node, _SCOPES):
            raise _NotSplittable(f"it holds a {type(node).__name__}")
        return self.generic_visit(node)

    def _is_safe_call(self, node: ast.expr) -> bool:
        """Whether an expression calls the entry point and discloses nothing of the expected value.

        An argument of a method of an answer (`f(x).startswith('a')`) would disclose it; an index does not.
        """
        match node:
            case ast.Call(func=function):
                return self._is_call(function, node)
            case ast.Attribute(value=value, attr=name):
                return name not in forgeable.COMPARISON_METHODS and self._is_safe_call(value)
            case ast.Subscript(value=value, slice=index):
                return self._is_safe_call(value) and not names(index)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Invert(), operand=operand):
                return self._is_safe_call(operand)
        return False

    def _is_call(self, function: ast.expr, node: ast.Call) -> bool:
        bare = not node.args and not node.keywords
        match function:
            case ast.Name(id=name) if name == self.root:
                return True
            case ast.Name(id=name):
                return name in SAFE_FUNCTIONS and name not in self.setup.redefined and self._has_one_answer(node)
            case ast.Attribute(value=ast.Name(id="asyncio"), attr="run") if "asyncio" in self.setup.imports:
                return self._has_one_answer(node)
            case ast.Attribute(value=ast.Name(id=name)) if name == self.root:
                return self.is_class  # Solution.method(..)
            case ast.Attribute(value=ast.Call(func=ast.Name(id=name), args=init), attr=method) if name == self.root:
                if bare or not self.is_class:
                    return bare and method not in forgeable.COMPARISON_METHODS
                if not self.is_dotted and init and method in DISCLOSING_METHODS:
                    raise _NotSplittable(f"{self.root} may be a class or a function")
                return method not in forgeable.COMPARISON_METHODS  # Solution().method(..)
            case ast.Attribute(value=value, attr=method):
                return bare and method not in forgeable.COMPARISON_METHODS and self._is_safe_call(value)
        return self._is_safe_call(function)  # a call of the answer

    def _has_one_answer(self, node: ast.Call) -> bool:
        """Whether a function has an answer as its first argument and no other argument that could disclose anything."""
        for keyword in node.keywords:
            is_safe = isinstance(keyword.value, ast.Name) and keyword.value.id in SAFE_FUNCTIONS
            if (
                not (keyword.arg == "reverse" or (keyword.arg == "key" and is_safe))
                or not names(keyword.value) <= SAFE_FUNCTIONS
            ):
                return False
        match node.func, node.args:
            case ast.Name(id="round"), [first, digits]:
                return not names(digits) and self._is_safe_call(first)
            case _, [first]:
                return self._is_safe_call(first)
        return False


_SCOPES = (
    ast.Lambda, ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom, ast.ListComp, ast.SetComp, ast.DictComp,
    ast.GeneratorExp,
)  # fmt: skip


def _weakness(expectations: list[ast.expr], calls: int) -> str:
    if not calls:
        return NEVER_CALLS
    weaknesses = [_weakness_of(expectation) for expectation in expectations]
    return weaknesses[0] if all(weaknesses) else ""


def _weakness_of(node: ast.expr) -> str:
    if not isinstance(node, (ast.Compare, ast.BoolOp, ast.Call)):
        return "it checks only the truth of the answer"
    if isinstance(node, ast.Compare):
        if len(node.ops) == 1 and isinstance(node.ops[0], (ast.NotEq, ast.IsNot, ast.NotIn)):
            return "it only excludes an answer"
        if all(compare.has_answer(side) for side in (node.left, *node.comparators)):
            return "both sides are computed by the solution"
        if any(isinstance(side, ast.Constant) and type(side.value) is bool for side in (node.left, *node.comparators)):
            return "there are two possible answers"
    return ""


@dataclass
class _Expected:
    value: Any
    source: str = field(default="")


def _contradiction(tests: list[Test], calls: list[Call]) -> str:
    """Why no solution can pass: tests expect different answers of one call, or one always fails; empty if neither."""
    expected: dict[Call, _Expected] = {}
    for test in tests:
        if test.method == "compared" and test.weak == NEVER_CALLS and not _holds(test):
            return f"the test fails whatever the solution does: {test.source[:120]!r}"
        if too_big := _too_big(test):
            return too_big
        for node in test.expectations:
            if not (isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq)):
                continue
            for side, other in ((node.left, node.comparators[0]), (node.comparators[0], node.left)):
                if isinstance(side, ast.Name) and side.id.startswith(" ") and isinstance(other, ast.Constant):
                    first = expected.setdefault(calls[int(side.id)], _Expected(other.value, test.source))
                    if first.value != other.value and first.value == first.value:
                        return f"the tests contradict each other: {first.source[:120]!r} and {test.source[:120]!r}"
    return ""


def _too_big(test: Test) -> str:
    """Why no reply can hold the value that a test expects; empty if one can."""
    literals = [node.value for node in ast.walk(parse(test.source)) if isinstance(node, ast.Constant)]
    try:
        encode(literals)
    except TooBig as error:
        return f"the test expects more than an answer may hold ({error}): {test.source[:120]!r}"
    return ""


def _holds(test: Test) -> bool:
    """Whether a test without calls passes."""
    try:
        return all(compare.Evaluator(lambda _: None).value(expectation) for expectation in test.expectations)
    except Exception:  # whatever it raises, it does not pass
        return False
