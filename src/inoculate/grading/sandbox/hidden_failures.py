"""Failures of a test that it does not end with: caught by the test, or swallowed by an object of the solution."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from types import TracebackType

TEST_FILE = "<test>"
"""The file name of a test's code."""

_SILENT_EXCEPTIONS = (
    "StopIteration",
    "StopAsyncIteration",
    "CancelledError",
    "GeneratorExit",
    "SkipTest",
    "SystemExit",
)
"""Exceptions that end a `map`, a task, a thread or a unittest test without a failure."""


class FailureMonitor:
    """Records hidden failures of the running test."""

    def __init__(self, source: str = "") -> None:
        """Monitor a test with this source."""
        self.failure = ""
        """Why the test fails whatever happens next, such as when an object would learn the expected value."""
        self.last_raised: BaseException | None = None
        """The last exception that the solution raised."""
        self.callback_failed = False
        """Whether an assert failed in a callback that the solution called during the current request."""
        tree = ast.parse(source)
        self._lines: Sequence[str] = source.splitlines()
        self._asserting_blocks = list(_asserting_blocks(tree))
        self._raise_lines = set(_raise_lines(tree))
        self._expected_exceptions = list(_expected_exceptions(tree))

    def on_raised(self, error: BaseException, operation: str, name: str) -> None:
        """Record that the solution raised an exception in answer to a request."""
        self.last_raised = error
        silent = [kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _SILENT_EXCEPTIONS]
        iterating = name == "__next__" or (operation == "await" and silent == ["StopAsyncIteration"])
        if silent and not iterating and not self._is_expected(silent[0]):
            self.failure = self.failure or f"the solution raised {silent[0]}, which silently ends the code that uses it"

    def _is_expected(self, name: str) -> bool:
        """Whether the running line of the test expects an exception of this name."""
        frame = sys._getframe()
        while frame is not None:
            of_test, line = frame.f_code.co_filename == TEST_FILE, frame.f_lineno
            if of_test and any(
                name == expected and begin <= line <= end for expected, begin, end in self._expected_exceptions
            ):
                return True
            frame = frame.f_back
        return False

    def is_assert_on_argument(self, error: BaseException) -> bool:
        """Whether a failed assert is about the solution's arguments: the solution might try others until it holds."""
        if not isinstance(error, AssertionError) or error is self.last_raised:
            return False
        asserted: set[str] = set()
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            if code.co_filename == TEST_FILE and trace.tb_lineno <= len(self._lines):
                asserted = set(re.findall(r"\w+", self._lines[trace.tb_lineno - 1])) & set(code.co_varnames)
            trace = trace.tb_next
        return bool(asserted - {"self"})

    def on_swallowed(self, error: BaseException, trace: TracebackType | None) -> None:
        """Record that an object of the solution swallowed an exception at the end of a `with`."""
        line = trace.tb_lineno if trace else 0
        if error is self.last_raised and any(begin <= line <= last for begin, last in self._asserting_blocks):
            self.failure = f"the solution raised {type(error).__name__} before an assert, and swallowed it"
        elif line in self._raise_lines:
            self.failure = f"the solution swallowed an exception that the test raised ({type(error).__name__})"


def _asserting_blocks(tree: ast.AST) -> Iterator[tuple[int, int]]:
    """For each `with` that contains asserts: its first line, and the line of its last assert."""
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    checking = {node.name for node in functions if any(map(_is_assert, ast.walk(node)))}
    for node in ast.walk(tree):
        if isinstance(node, (ast.With, ast.AsyncWith)):
            lines = [
                getattr(part, "end_lineno", 0)
                for part in ast.walk(node)
                if _is_assert(part) or _called_name(part) in checking
            ]
            if lines:
                yield node.lineno, max(lines)


def _raise_lines(tree: ast.AST) -> Iterator[int]:
    """Lines in a `with` that raise depending on its value (`with f() as r: if r.x != 1: raise ...`)."""
    for block in ast.walk(tree):
        if isinstance(block, (ast.With, ast.AsyncWith)):
            bound = {part.id for item in block.items if item.optional_vars for part in ast.walk(item.optional_vars)
                     if isinstance(part, ast.Name)}  # fmt: skip
            for node in ast.walk(block):
                if isinstance(node, ast.If) and any(getattr(part, "id", None) in bound for part in ast.walk(node.test)):
                    yield from (part.lineno for part in ast.walk(node) if isinstance(part, ast.Raise))


def _is_assert(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return not isinstance(node.test, ast.Constant)  # `assert False` means that it must not be reached
    return _called_name(node).startswith("assert")


def _called_name(node: ast.AST) -> str:
    """The name of the called function; empty if this is not a call."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name
    return ""


def _expected_exceptions(tree: ast.AST) -> Iterator[tuple[str, int, int]]:
    """Names of exceptions that a test expects, and the lines in which they may occur."""
    for node in ast.walk(tree):
        match node:
            case ast.Try(handlers=handlers):
                named: list[ast.AST] = [handler.type for handler in handlers if handler.type]
            case ast.With(items=items) | ast.AsyncWith(items=items):
                named = list(items)
            case ast.For(iter=rows):
                named = [rows]
            case ast.Expr() | ast.Assign() | ast.Assert():
                named = [node]
            case _:
                continue
        for part in (inner for each in named for inner in ast.walk(each)):
            if isinstance(part, (ast.Name, ast.Attribute)):
                name = part.id if isinstance(part, ast.Name) else part.attr
                if name in _SILENT_EXCEPTIONS:
                    yield name, node.lineno, node.end_lineno or node.lineno
