"""Assert tests, taken apart: the calls that the solution is to answer, and the expectation, which it never sees.

In the syntax tree of a test every largest expression that starts at the entry point (`f(..)`, `f(g(x))`,
`Solution().m(..)`) becomes a call; what is left (`sorted(_) == [1, 2]`, `isclose(_, .5)`) is worked out by
`compare`, over plain data. The name of the entry point comes from the problem, never from the model's code.

A test that cannot be taken apart (loops, `check(f)`, a call that uses a loop's variable) is *judged*: it runs, as it
is, in
a process of its own that asks the solution's process for each call. Where only the solution itself could give the
verdict, the test is *forgeable*, and the problem is no ground truth.
"""

from __future__ import annotations

import ast
import builtins
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from inoculate.grading import compare, telling
from inoculate.grading.parsing import parse as _parse
from inoculate.grading.sandbox.values import TooBig, encode
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


@dataclass(frozen=True)
class Plan:
    """How a problem's tests are checked."""

    tests: tuple[Test, ...]
    calls: tuple[str, ...]
    """The expressions for the solution, by number."""
    names: tuple[str, ...] = ()
    """Names that judged tests and the set-up ask the solution for."""
    problem: str = ""
    """Why the problem cannot be graded at all."""

    @property
    def forgeable(self) -> tuple[Test, ...]:
        """The tests that only the solution itself could decide."""
        return tuple(test for test in self.tests if test.how == "forgeable")


class _NotApart(Exception):
    """A test that cannot be taken apart; the words say why."""


@dataclass
class _Setup:
    """What the set-up code defines."""

    given: frozenset[str] = frozenset()
    """Names it binds to values."""
    helpers: frozenset[str] = frozenset()
    """Names it binds to functions and classes, and by imports of other than the well-known modules."""
    imports: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()
    """Names it uses and does not bind: the solution's."""


@lru_cache(maxsize=4096)
def plan(task: CodeTask) -> Plan:
    """How the tests of a problem are checked."""
    try:
        setup = _read_setup(task.setup)
    except (SyntaxError, ValueError) as error:
        return Plan((), (), problem=f"the set-up does not parse: {error}")
    if not task.shown_tests and not task.hidden_tests:
        return Plan((), (), problem="the problem has no tests")
    if fault := telling.fault(task):
        return Plan((), (), problem=f"a test tests nothing: {fault}")
    calls: list[str] = []
    tests = []
    for shown, sources in ((True, task.shown_tests), (False, task.hidden_tests)):
        for source in (called(source, task.entry_point) for source in sources):
            try:
                tests.append(_plan_test(source, shown, task, setup, calls))
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                return Plan((), (), problem=f"a test does not parse: {source[:120]!r}: {error or 'too deep'}")
    names = tuple(sorted({task.root, *setup.free}))
    return Plan(tuple(tests), tuple(calls), names, _contradiction(tests, calls))


def _plan_test(source: str, shown: bool, task: CodeTask, setup: _Setup, calls: list[str]) -> Test:
    module = _parse(source)
    if not module.body:
        raise ValueError("there is nothing in it")
    before = len(calls)
    objects = _compared_objects(module, task)
    if objects:
        return Test(source, shown, "forgeable", why=objects)
    try:
        if not all(isinstance(statement, ast.Assert) for statement in module.body):
            raise _NotApart("it is more than asserts")
        expectations = []
        for statement in module.body:
            assert isinstance(statement, ast.Assert)
            taker = _Taker(task, setup, calls)
            expectation = taker.visit(statement.test)
            compare.check_known(expectation, setup.given | setup.helpers)
            expectations.append(_fold(expectation))
    except (_NotApart, compare.Unknown) as error:
        del calls[before:]
        whole = _parse(source)  # taking apart has changed the tree
        forged = _forgeable(whole, task, setup)
        weak = "" if _names(whole) & {task.root, *setup.helpers, *setup.free} else NEVER_CALLS
        return Test(source, shown, "forgeable" if forged else "judged", why=forged or str(error), weak=weak)
    numbers = tuple(range(before, len(calls)))
    return Test(source, shown, "apart", tuple(expectations), numbers, weak=_weakness(expectations, numbers))


class _Taker(ast.NodeTransformer):
    """Takes the calls out of one expression."""

    def __init__(self, task: CodeTask, setup: _Setup, calls: list[str]) -> None:
        self.root = task.root
        self.is_class = _is_class(task)
        self.is_dotted = "." in task.entry_point
        self.setup = setup
        self.calls = calls
        self.bound: frozenset[str] = frozenset()

    def visit(self, node: ast.AST) -> Any:
        spine = self._spine(node)
        if spine is not None:
            return self._take(spine)
        if isinstance(node, ast.Name) and node.id == self.root:
            raise _NotApart(f"{self.root} is used without being called")
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            return self._comprehension(node)
        if isinstance(node, (ast.Lambda, ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)):
            raise _NotApart(f"it holds a {type(node).__name__}")
        return self.generic_visit(node)

    def _comprehension(self, node: ast.AST) -> Any:
        outer = self.bound
        self.bound = outer | {
            name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
        }
        result = self.generic_visit(node)
        self.bound = outer
        return result

    def _spine(self, node: ast.AST) -> list[ast.expr] | None:
        """The expressions from the name of the entry point outwards to this one; None if it does not start there."""
        spine: list[ast.expr] = []
        current = node
        while isinstance(current, (ast.Call, ast.Attribute, ast.Subscript)):
            spine.append(current)
            current = current.func if isinstance(current, ast.Call) else current.value
        if not spine or not (isinstance(current, ast.Name) and current.id == self.root):
            return None
        return spine[::-1]

    def _take(self, spine: list[ast.expr]) -> ast.expr:
        reach = self._reach(spine)
        taken = spine[reach]
        used = {name.id for name in ast.walk(taken) if isinstance(name, ast.Name)}
        if used & self.bound:
            raise _NotApart("a call uses the variable of a loop")
        if any(isinstance(part, (ast.NamedExpr, ast.Await, ast.Yield)) for part in ast.walk(taken)):
            raise _NotApart("a call binds a name")
        self.calls.append(ast.unparse(taken))
        result: ast.expr = compare.stand_in(len(self.calls) - 1)
        for outer in spine[reach + 1 :]:
            if isinstance(outer, ast.Call):
                outer.func = result
                outer.args = [self.visit(argument) for argument in outer.args]
                for keyword in outer.keywords:
                    keyword.value = self.visit(keyword.value)
            elif isinstance(outer, ast.Subscript):
                outer.value = result
                outer.slice = self.visit(outer.slice)
            else:
                assert isinstance(outer, ast.Attribute)
                outer.value = result
            result = outer
        return result

    def _reach(self, spine: list[ast.expr]) -> int:
        """Position in the spine of the last expression that belongs to the call.

        What follows an answer (`f(x).startswith('a')`) is asked of plain data, out here: inside, its argument would
        tell the
        solution what is expected. Only what plain data does not have (`f(x).head`, `f(x).tolist()`) is asked in there.
        """
        calls = [position for position, part in enumerate(spine) if isinstance(part, ast.Call)]
        if not calls:
            raise _NotApart(f"{self.root} is used without being called")
        reach = calls[0]
        if self.is_class:
            through = isinstance(spine[0], ast.Attribute)  # Solution.method(..)
            first = spine[reach + 1] if len(calls) > 1 else None
            if not through and isinstance(first, ast.Attribute):
                made = spine[reach]
                if not self.is_dotted and first.attr in compare.METHODS and isinstance(made, ast.Call) and made.args:
                    raise _NotApart(f"{self.root} may be a class or a function")
                reach = calls[1]  # Solution().method(..)
        while reach + 1 < len(spine):
            following = spine[reach + 1]
            if isinstance(following, ast.Call):
                if isinstance(spine[reach], ast.Attribute) and (following.args or following.keywords):
                    raise _NotApart(f"only the solution has the method {spine[reach].attr}")  # type: ignore[union-attr]
                reach += 1
                continue
            if not isinstance(following, ast.Attribute):
                break
            if following.attr in compare.METHODS or following.attr in compare.ATTRIBUTES:
                break
            reach += 1
        return reach


class _Folder(ast.NodeTransformer):
    """Makes constants of literals, so that each is built once for a problem and not once for each completion."""

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.BinOp) and not any(isinstance(part, ast.Name) for part in ast.walk(node)):
            try:
                compare.Evaluator(lambda _: None).value(node, {})
            except compare.TooLong as error:
                raise _NotApart(str(error)) from error  # the test's own doing, so its own process has to bear it
            except (ArithmeticError, TypeError, ValueError, LookupError):
                return node
        if isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.UnaryOp)):
            try:
                return ast.Constant(value=ast.literal_eval(node))
            except (ValueError, TypeError, RecursionError, MemoryError):
                pass
        return self.generic_visit(node)


def _fold(node: ast.expr) -> ast.expr:
    folded = _Folder().visit(node)
    assert isinstance(folded, ast.expr)
    return folded


def _read_setup(text: str) -> _Setup:
    module = _parse(text)
    given, helpers, imports = set(), set(), set()
    for node in ast.walk(module):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            helpers.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            where = node.module if isinstance(node, ast.ImportFrom) else None
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                known = compare.MODULES.get(where or "", {}) if where else compare.MODULES
                # The interpreter's `math.isclose` is the one that is imported, so that name keeps its meaning.
                plain = (alias.asname is None and alias.name in known) or alias.name == "*"
                imports.add(name) if plain else helpers.add(name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            given.add(node.id)
    free = _free_names(module) - {"*"}
    return _Setup(frozenset(given), frozenset(helpers), frozenset(imports), frozenset(free))


def _names(module: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}


def _free_names(module: ast.Module) -> set[str]:
    """Names that code uses and neither binds itself nor finds among the builtins."""
    bound, used = set(), set()
    for node in ast.walk(module):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
    return {name for name in used - bound if not hasattr(builtins, name)}


_KNOWN = set(compare.FUNCTIONS) | set(compare.CONSTANTS) | sys.stdlib_module_names

# Methods of an answer that would be told what is expected, and say whether it is that.
_COMPARING = {"equals", "equal", "eq", "ne", "is_equal", "isequal", "isEqual", "__eq__", "__ne__", "__contains__"}


def _forgeable(module: ast.Module, task: CodeTask, setup: _Setup) -> str:
    """Why no outside judge can run this test; empty where one can."""
    known = {task.root} | setup.given | setup.helpers | setup.imports | setup.free | _KNOWN
    strange = _free_names(module) - known
    if setup.helpers & _names(module):
        # Helpers may make the solution's objects; what else they take from it could have a say in the verdict.
        strange |= {name for name in setup.free - {task.root} if not name[:1].isupper()} - _KNOWN
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _COMPARING:
            return f"only the solution could answer {node.func.attr}"
    if strange:
        return f"only the solution could define {', '.join(sorted(strange))}"
    # Values of the set-up that are expected and not asked about are known to the solution, which runs the set-up.
    asked: set[str] = set()
    others: set[str] = set()
    inside: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and task.root in {n.id for n in ast.walk(node.func) if isinstance(n, ast.Name)}:
            inside |= {id(part) for part in ast.walk(node)}
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and node.id in setup.given:
            (asked if id(node) in inside else others).add(node.id)
    if others - asked:
        return f"the set-up tells the solution what is expected: {', '.join(sorted(others - asked))}"
    return ""


def _compared_objects(module: ast.Module, task: CodeTask) -> str:
    """Why a test of a class is forgeable: it asks an instance whether it equals something. Empty where it does not."""
    if not _is_class(task):
        return ""

    def makes(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == task.root

    instances = {target.id for node in ast.walk(module) if isinstance(node, ast.Assign) and makes(node.value)
                 for target in node.targets if isinstance(target, ast.Name)}  # fmt: skip

    def is_instance(node: ast.AST) -> bool:
        return makes(node) or (isinstance(node, ast.Name) and node.id in instances)

    for node in ast.walk(module):
        if not isinstance(node, ast.Compare) or all(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            continue
        # With plain data on the other side it may be a function that has a capital letter.
        if all(is_instance(side) for side in (node.left, *node.comparators)):
            return f"only an instance of {task.root} could say what it equals"
    return ""


def _is_class(task: CodeTask) -> bool:
    return "." in task.entry_point or task.root[:1].isupper()


def _weakness(expectations: list[ast.expr], numbers: tuple[int, ...]) -> str:
    if not numbers:
        return NEVER_CALLS
    weaknesses = [_weakness_of(expectation) for expectation in expectations]
    return weaknesses[0] if all(weaknesses) else ""


def _asks(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Name) and part.id.startswith(" ") for part in ast.walk(node))


def _weakness_of(node: ast.expr) -> str:
    if not isinstance(node, (ast.Compare, ast.BoolOp, ast.Call)):
        return "it looks at truth only"
    if isinstance(node, ast.Compare):
        if len(node.ops) == 1 and isinstance(node.ops[0], (ast.NotEq, ast.IsNot, ast.NotIn)):
            return "it only says what the answer is not"
        if all(_asks(side) for side in (node.left, *node.comparators)):
            return "both sides are computed by the solution"
        if any(isinstance(side, ast.Constant) and type(side.value) is bool for side in (node.left, *node.comparators)):
            return "there are two possible answers"
    return ""


@dataclass
class _Expected:
    value: Any
    source: str = field(default="")


def _contradiction(tests: list[Test], calls: list[str]) -> str:
    """Two tests that expect different answers of the same call, or one that no answer can pass."""
    expected: dict[str, _Expected] = {}
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
    for expectation in test.expectations:
        for node in ast.walk(expectation):
            if isinstance(node, ast.Constant):
                try:
                    encode(node.value)
                except TooBig as error:
                    return f"the test expects more than an answer may hold ({error}): {test.source[:120]!r}"
    return ""


def _holds(test: Test) -> bool:
    """Whether a test that asks nothing holds."""
    try:
        return all(compare.Evaluator(lambda _: None).value(expectation, {}) for expectation in test.expectations)
    except Exception:  # whatever it raises, it does not hold
        return False
