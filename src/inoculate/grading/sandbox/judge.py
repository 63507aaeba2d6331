"""Tests that cannot be taken apart: the solution answers in one process, the test runs in another.

The judge's process holds the tests and never a line of the solution; whatever there is of the solution's stands there
for what lives in its process (`proxies`), and all that comes from there is plain data.
"""

from __future__ import annotations

import ast
import collections
import contextlib
import decimal
import fractions
import importlib
import math
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from inoculate.grading.sandbox import proxies
from inoculate.grading.sandbox.link import TESTS, Gone, Link
from inoculate.grading.sandbox.watch import TEST_FILE, Watch

_SAME, _DISTANCE, _NEXT = " same", " distance", " next"  # names that no test can contain


def serve(namespace: dict[str, Any], descriptor: int) -> None:
    """In the solution's process: answer requests until the judge has ended."""
    link = Link(descriptor, guarded=False)
    link.namespace = namespace
    link.serve()


def judge(
    entry: str,
    tests: Sequence[str],
    setup: str,
    names: Sequence[str],
    descriptor: int,
    record: Callable[..., object],
) -> None:
    """Run tests whose names of the solution stand for what is in the other process, and record each verdict."""
    root = entry.partition(".")[0]
    link = Link(descriptor, guarded=True, own=root if root[:1].isupper() else "")
    threading.excepthook = lambda error: _note_thread(link, error.exc_value)
    namespace: dict[str, Any] = {
        "__name__": TESTS, "math": math, "collections": collections, "isclose": math.isclose, "inf": math.inf,
        "nan": math.nan, "Counter": collections.Counter, "deque": collections.deque, "Decimal": decimal.Decimal,
        "Fraction": fractions.Fraction, "OrderedDict": collections.OrderedDict, "defaultdict": collections.defaultdict,
        _SAME: proxies.same, _DISTANCE: proxies.distance, _NEXT: lambda iterator: _next(link, iterator),
    }  # fmt: skip
    for name in names:
        namespace[name] = _resolve(link, name)
    failed = _attempt(link, setup, namespace) if setup else ""
    for number, test in enumerate(tests):
        if failed:
            record("test", number, "setup", failed)
            continue
        _lend_modules(test, namespace)
        words = _attempt(link, test, namespace)
        record("test", number, "fail" if words else "pass", words)
    record("end", len(tests))


def _note_thread(link: Link, error: BaseException | None) -> None:
    link.watch.failed = link.watch.failed or f"a thread of the test's ended in {type(error).__name__}"


def _next(link: Link, iterator: Any) -> Any:
    """`next` in a lambda, whose end nobody but what calls the lambda would see: `map` ends with it."""
    try:
        return next(iterator)
    except StopIteration as error:
        if error is link.watch.thrown:
            link.watch.raised(error, "call", "")
        raise


class _Missing:
    """A name that the solution does not have."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *_: object, **__: object) -> Any:
        raise NameError(f"name '{self.name}' is not defined")

    __getattr__ = __call__


def _resolve(link: Link, name: str) -> Any:
    try:
        return link.ask("name", None, name)
    except (KeyError, Gone):
        return _Missing(name)


class _Asked(ast.NodeTransformer):
    """Asks `is` of what an object stands for (here, one may have two stand-ins), and `abs(a - b)` of no object."""

    within = 0
    """How many lambdas there are around."""

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Is, ast.IsNot)):
            return node
        asked: ast.expr = ast.Call(ast.Name(_SAME, ast.Load()), [node.left, node.comparators[0]], [])
        return asked if isinstance(node.ops[0], ast.Is) else ast.UnaryOp(ast.Not(), asked)

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        self.within += 1
        self.generic_visit(node)
        self.within -= 1
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Name("next"), args=[iterator], keywords=[]) if self.within:
                return ast.Call(ast.Name(_NEXT, ast.Load()), [iterator], [])
            case ast.Call(func=ast.Name("abs"), args=[ast.BinOp(left, ast.Sub(), right)]):
                return ast.Call(ast.Name(_DISTANCE, ast.Load()), [left, right], [])
        return node


def _lend_modules(test: str, namespace: dict[str, Any]) -> None:
    """Import what a test takes from the standard library and counts on the solution to have imported."""
    for node in ast.walk(ast.parse(test)):
        if isinstance(node, ast.Name) and node.id not in namespace and node.id in sys.stdlib_module_names:
            with contextlib.suppress(ImportError):  # a name of the test's own, of a module for another system
                namespace[node.id] = importlib.import_module(node.id)


def _attempt(link: Link, text: str, namespace: dict[str, Any]) -> str:
    """Why a test fails; empty if it passes."""
    link.gone, link.watch = "", Watch(text)
    words = ""
    try:
        tree = ast.fix_missing_locations(_Asked().visit(ast.parse(text)))
        exec(compile(tree, TEST_FILE, "exec", dont_inherit=True), namespace)
    except BaseException as error:
        words = f"{type(error).__name__}: {_words(error)}".rstrip(": ")
    if link.gone:
        return f"Gone: {link.gone}"
    return f"TypeError: {link.watch.failed}" if link.watch.failed else words


def _words(error: BaseException) -> str:
    try:
        return str(error)[:200]
    except BaseException:  # it may ask the solution
        return ""
