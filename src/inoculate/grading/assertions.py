"""Assert tests, taken apart: the calls that the solution is to answer, and the expectation, which it never sees.

In the syntax tree of a test every largest expression that starts at the entry point and tells the solution nothing
(`f(..)`, `f(g(x))`, `Solution().m(..)`, `len(f(..))`, `f(..)[0]`) becomes a call; what is left (`_ == [1, 2]`,
`isclose(_, .5)`) is worked out by `compare`, over plain data. The name of the entry point comes from the problem, never
from the model's code.

A test that cannot be taken apart (loops, `check(f)`, whatever `compare` does not know) is *judged*: it runs, as it is,
in a process of its own that asks the solution's process for each call. Where only the solution itself could give the
verdict, the test is *forgeable*, and the problem is no ground truth. All this is settled here, before any answer.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from inoculate.grading import compare, forgeable, setup_code, telling
from inoculate.grading.parsing import parse
from inoculate.grading.sandbox.proxies import TELLING
from inoculate.grading.sandbox.values import TooBig, encode
from inoculate.grading.setup_code import names
from inoculate.grading.task import CodeTask
from inoculate.grading.uncalled import called

NEVER_CALLS = "it never calls the entry point"
"""What is wrong with a test that no solution has a say in."""

How = Literal["apart", "judged", "forgeable"]


@dataclass(frozen=True)
class Test:
    """One test of a problem and how it is checked."""

    __test__ = False  # for pytest: not a class of tests

    source: str
    shown: bool
    how: How
    expectations: tuple[ast.expr, ...] = ()
    """Of a test taken apart: one expression for each assert, with stand-ins where the calls were."""
    calls: tuple[int, ...] = ()
    """Numbers of its calls."""
    why: str = ""
    """Why it could not be taken apart, or why it is forgeable."""
    weak: str = ""
    """Why little follows when it passes; empty where nothing is wrong."""


class Call(NamedTuple):
    """An expression for the solution."""

    text: str
    truth: bool
    """Whether only the truth of its value is asked."""


@dataclass(frozen=True)
class Plan:
    """How a problem's tests are checked."""

    tests: tuple[Test, ...]
    calls: tuple[Call, ...]
    """The expressions for the solution, by number."""
    names: tuple[str, ...] = ()
    """Names that judged tests and the set-up ask the solution for."""
    setup_alone: bool = True
    """Whether the set-up asks nothing of the solution."""
    problem: str = ""
    """Why the problem cannot be graded at all."""

    @property
    def forgeable(self) -> tuple[Test, ...]:
        """The tests that only the solution itself could decide."""
        return tuple(test for test in self.tests if test.how == "forgeable")


class _NotApart(Exception):
    """A test that cannot be taken apart; the words say why."""


@lru_cache(maxsize=4096)
def plan(task: CodeTask) -> Plan:
    """How the tests of a problem are checked."""
    try:
        setup = setup_code.read(task.setup)
    except (SyntaxError, ValueError) as error:
        return Plan((), (), problem=f"the set-up does not parse: {error}")
    if not task.shown_tests and not task.hidden_tests:
        return Plan((), (), problem="the problem has no tests")
    if fault := telling.fault(task):
        return Plan((), (), problem=f"a test tests nothing: {fault}")
    calls: list[Call] = []
    tests = []
    for shown, sources in ((True, task.shown_tests), (False, task.hidden_tests)):
        for source in (called(source, task.entry_point) for source in sources):
            try:
                tests.append(_plan_test(source, shown, task, setup, calls))
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                return Plan((), (), problem=f"a test does not parse: {source[:120]!r}: {error or 'too deep'}")
    asked = tuple(sorted({task.root, *setup.free}))
    return Plan(tuple(tests), tuple(calls), asked, not setup.free, _contradiction(tests, calls))


def _plan_test(source: str, shown: bool, task: CodeTask, setup: setup_code.Setup, calls: list[Call]) -> Test:
    module = parse(source)
    if not module.body:
        raise ValueError("there is nothing in it")
    no_truth = forgeable.compared(module, task) or ("it does not end" if forgeable.endless(module) else "")
    if no_truth:
        return Test(source, shown, "forgeable", why=no_truth)
    before = len(calls)
    weak = ""
    try:
        if not all(isinstance(statement, ast.Assert) for statement in module.body):
            raise _NotApart("it is more than asserts")
        taker = _Taker(task, setup, before)
        taken = [taker.visit(statement.test) for statement in module.body if isinstance(statement, ast.Assert)]
        weak = _weakness(taken, len(taker.texts))
        truths: set[int] = set()
        expectations = tuple(compare.prepare(expectation, setup.foreign, truths) for expectation in taken)
    except (_NotApart, compare.Unknown) as error:
        whole = parse(source)  # taking apart has changed the tree
        forged = forgeable.told(whole, task, setup)
        # What the set-up has made with the help of the solution is the solution's too.
        asked = {task.root, *setup.helpers, *setup.free, *(setup.given if setup.free else ())}
        if not names(whole) & (asked | telling.DYNAMIC):
            weak = NEVER_CALLS
        elif weak == NEVER_CALLS:
            weak = ""  # a call in a text, which only the running test finds
        return Test(source, shown, "forgeable" if forged else "judged", why=forged or str(error), weak=weak)
    calls += [Call(text, number in truths) for number, text in enumerate(taker.texts, before)]
    return Test(source, shown, "apart", expectations, tuple(range(before, len(calls))), weak=weak)


QUESTIONS = frozenset((
    "len", "str", "repr", "bool", "int", "float", "complex", "list", "tuple", "set", "frozenset", "dict", "sorted",
    "reversed", "sum", "min", "max", "any", "all", "abs", "next", "iter", "callable", "type", "round", "bytes", "ord",
    "chr", "hash",
))  # fmt: skip
"""Functions that say something about an answer, and tell nothing when they are asked where it is."""


class _Taker(ast.NodeTransformer):
    """Takes the calls out of the asserts of a test."""

    def __init__(self, task: CodeTask, setup: setup_code.Setup, first: int) -> None:
        self.root = task.root
        self.is_class = forgeable.is_class(task)
        self.is_dotted = "." in task.entry_point
        self.setup = setup
        self.first = first
        self.texts: list[str] = []

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.expr) and self._is_question(node):
            if any(isinstance(part, (ast.NamedExpr, ast.Await, ast.Yield)) for part in ast.walk(node)):
                raise _NotApart("a call binds a name")
            self.texts.append(ast.unparse(node))
            return compare.stand_in(self.first + len(self.texts) - 1)
        if isinstance(node, ast.Name) and node.id == self.root:
            raise _NotApart(f"{self.root} is used without being called")
        if isinstance(node, _SCOPES):
            raise _NotApart(f"it holds a {type(node).__name__}")
        return self.generic_visit(node)

    def _is_question(self, node: ast.expr) -> bool:
        """Whether an expression calls the entry point, and tells the solution nothing of what is expected.

        An argument of what follows an answer (`f(x).startswith('a')`) would tell it; an index is a question.
        """
        match node:
            case ast.Call(func=function):
                return self._is_call(function, node)
            case ast.Attribute(value=value, attr=name):
                return name not in forgeable.COMPARING and self._is_question(value)
            case ast.Subscript(value=value, slice=index):
                return self._is_question(value) and not names(index)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Invert(), operand=operand):
                return self._is_question(operand)
        return False

    def _is_call(self, function: ast.expr, node: ast.Call) -> bool:
        bare = not node.args and not node.keywords
        match function:
            case ast.Name(id=name) if name == self.root:
                return True
            case ast.Name(id=name):
                return name in QUESTIONS and name not in self.setup.foreign and self._asks(node)
            case ast.Attribute(value=ast.Name(id="asyncio"), attr="run") if "asyncio" in self.setup.imports:
                return self._asks(node)
            case ast.Attribute(value=ast.Name(id=name)) if name == self.root:
                return self.is_class  # Solution.method(..)
            case ast.Attribute(value=ast.Call(func=ast.Name(id=name), args=given), attr=method) if name == self.root:
                if bare or not self.is_class:
                    return bare and method not in forgeable.COMPARING
                if not self.is_dotted and given and method in TELLING:
                    raise _NotApart(f"{self.root} may be a class or a function")
                return method not in forgeable.COMPARING  # Solution().method(..)
            case ast.Attribute(value=value, attr=method):
                return bare and method not in forgeable.COMPARING and self._is_question(value)
        return self._is_question(function)  # what the answer returns when it is called

    def _asks(self, node: ast.Call) -> bool:
        """Whether a function has an answer as its first argument and nothing else that could tell of it."""
        for keyword in node.keywords:
            known = isinstance(keyword.value, ast.Name) and keyword.value.id in QUESTIONS
            if (
                not (keyword.arg == "reverse" or (keyword.arg == "key" and known))
                or not names(keyword.value) <= QUESTIONS
            ):
                return False
        match node.func, node.args:
            case ast.Name(id="round"), [first, digits]:
                return not names(digits) and self._is_question(first)
            case _, [first]:
                return self._is_question(first)
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
        return "it looks at truth only"
    if isinstance(node, ast.Compare):
        if len(node.ops) == 1 and isinstance(node.ops[0], (ast.NotEq, ast.IsNot, ast.NotIn)):
            return "it only says what the answer is not"
        if all(compare.asks(side) for side in (node.left, *node.comparators)):
            return "both sides are computed by the solution"
        if any(isinstance(side, ast.Constant) and type(side.value) is bool for side in (node.left, *node.comparators)):
            return "there are two possible answers"
    return ""


@dataclass
class _Expected:
    value: Any
    source: str = field(default="")


def _contradiction(tests: list[Test], calls: list[Call]) -> str:
    """Two tests that expect different answers of the same call, or one that no answer can pass."""
    expected: dict[Call, _Expected] = {}
    for test in tests:
        if test.how == "apart" and test.weak == NEVER_CALLS and not _holds(test):
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
    """Whether a test expects what is beyond the limits of a reply."""
    literals = [node.value for node in ast.walk(parse(test.source)) if isinstance(node, ast.Constant)]
    try:
        encode(literals)
    except TooBig as error:
        return f"the test expects more than an answer may hold ({error}): {test.source[:120]!r}"
    return ""


def _holds(test: Test) -> bool:
    """Whether a test that asks nothing holds."""
    try:
        return all(compare.Evaluator(lambda _: None).value(expectation) for expectation in test.expectations)
    except Exception:  # whatever it raises, it does not hold
        return False
