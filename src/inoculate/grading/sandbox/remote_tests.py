"""Tests that run as they are: the solution is in one process, the test in another.

The test process never contains a line of the solution. It has proxies for the solution's objects (`proxies`), and gets
nothing but plain data from the solution process.
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
from inoculate.grading.sandbox.hidden_failures import TEST_FILE, FailureMonitor
from inoculate.grading.sandbox.rpc import TESTS, Connection, ConnectionLost
from inoculate.grading.sandbox.surroundings import Watch

_SAME, _DISTANCE, _NEXT = " same", " distance", " next"  # names that no test can contain


def serve_solution(namespace: dict[str, Any], descriptor: int) -> None:
    """In the solution process: answer requests until the test process has ended."""
    connection = Connection(descriptor, guarded=False)
    connection.namespace = namespace
    connection.serve()


def run_tests(
    entry: str,
    tests: Sequence[str],
    setup: str,
    names: Sequence[str],
    descriptor: int,
    record: Callable[..., object],
) -> None:
    """In the test process: run tests in which the names of the solution are proxies, and record each verdict."""
    root = entry.partition(".")[0]
    connection = Connection(descriptor, guarded=True, class_name=root if root[:1].isupper() else "")
    threading.excepthook = lambda error: _on_thread_error(connection, error.exc_value)
    namespace: dict[str, Any] = {
        "__builtins__": sys.modules["builtins"],
        "__name__": TESTS, "math": math, "collections": collections, "isclose": math.isclose, "inf": math.inf,
        "nan": math.nan, "Counter": collections.Counter, "deque": collections.deque, "Decimal": decimal.Decimal,
        "Fraction": fractions.Fraction, "OrderedDict": collections.OrderedDict, "defaultdict": collections.defaultdict,
        _SAME: proxies.same, _DISTANCE: proxies.distance, _NEXT: lambda iterator: _next(connection, iterator),
    }  # fmt: skip
    for name in names:
        namespace[name] = _resolve(connection, name)
    connection.watch = Watch(namespace, [setup, *tests])
    setup_failure = _run(connection, setup, namespace) if setup else ""
    for number, test in enumerate(tests):
        if setup_failure:
            record("test", number, "setup", setup_failure)
            continue
        _import_missing_modules(test, namespace)
        failure = _run(connection, test, namespace)
        record("test", number, "fail" if failure else "pass", failure)
    record("end", len(tests))


def _on_thread_error(connection: Connection, error: BaseException | None) -> None:
    monitor = connection.monitor
    monitor.failure = monitor.failure or f"a thread of the test ended with {type(error).__name__}"


def _next(connection: Connection, iterator: Any) -> Any:
    """`next` in a lambda: the caller of the lambda, such as `map`, would silently end with its StopIteration."""
    try:
        return next(iterator)
    except StopIteration as error:
        if error is connection.monitor.last_raised:
            connection.monitor.on_raised(error, "call", "")
        raise


class _Missing:
    """A name that the solution does not have."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *_: object, **__: object) -> Any:
        raise NameError(f"name '{self.name}' is not defined")

    __getattr__ = __call__


def _resolve(connection: Connection, name: str) -> Any:
    try:
        return connection.request("name", None, name)
    except (KeyError, ConnectionLost):
        return _Missing(name)


class _Rewrite(ast.NodeTransformer):
    """Replaces `is` (an object may have two proxies), `abs(a - b)` (it may disclose b) and `next` in a lambda."""

    lambda_depth = 0
    """How many lambdas surround the node."""

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Is, ast.IsNot)):
            return node
        call: ast.expr = ast.Call(ast.Name(_SAME, ast.Load()), [node.left, node.comparators[0]], [])
        return call if isinstance(node.ops[0], ast.Is) else ast.UnaryOp(ast.Not(), call)

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        self.lambda_depth += 1
        self.generic_visit(node)
        self.lambda_depth -= 1
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Name("next"), args=[iterator], keywords=[]) if self.lambda_depth:
                return ast.Call(ast.Name(_NEXT, ast.Load()), [iterator], [])
            case ast.Call(func=ast.Name("abs"), args=[ast.BinOp(left, ast.Sub(), right)]):
                return ast.Call(ast.Name(_DISTANCE, ast.Load()), [left, right], [])
        return node


def _import_missing_modules(test: str, namespace: dict[str, Any]) -> None:
    """Import modules of the standard library that a test uses and expects the solution to have imported."""
    for node in ast.walk(ast.parse(test)):
        if isinstance(node, ast.Name) and node.id not in namespace and node.id in sys.stdlib_module_names:
            with contextlib.suppress(ImportError):  # a name of the test's own, or a module of another operating system
                namespace[node.id] = importlib.import_module(node.id)


def _run(connection: Connection, source: str, namespace: dict[str, Any]) -> str:
    """Run a test; why it fails, or '' if it passes."""
    connection.lost, connection.monitor = "", FailureMonitor(source)
    failure = ""
    try:
        tree = ast.fix_missing_locations(_Rewrite().visit(ast.parse(source)))
        exec(compile(tree, TEST_FILE, "exec", dont_inherit=True), namespace)
    except BaseException as error:
        failure = f"{type(error).__name__}: {_message(error)}".rstrip(": ")
    if connection.lost:
        return f"{ConnectionLost.__name__}: {connection.lost}"
    return f"TypeError: {connection.monitor.failure}" if connection.monitor.failure else failure


def _message(error: BaseException) -> str:
    try:
        return str(error)[:200]
    except BaseException:  # it may send a request to the solution
        return ""
