"""What decides a test beside the exception that ends it: what a test catches, or an object swallows, has failed too."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from types import TracebackType

TEST_FILE = "<test>"
"""Where the code of a test says that it is."""

_SILENT = ("StopIteration", "StopAsyncIteration", "CancelledError", "GeneratorExit", "SkipTest", "SystemExit")
"""Exceptions that end a `map`, a task, a thread or a test of unittest without a failure."""


class Watch:
    """What becomes of the test that is running."""

    def __init__(self, text: str = "") -> None:
        """Watch a test with that text; without one there is nothing to be seen."""
        self.failed = ""
        """Why it fails whatever it goes on to do, as when an object would have been told what is expected."""
        self.thrown: BaseException | None = None
        """What the solution has raised last."""
        self.denied = False
        """Whether an assert has failed in what the solution called, in the request that is open."""
        tree = ast.parse(text)
        self._lines: Sequence[str] = text.splitlines()
        self._blocks = list(_asserting(tree))
        self._verdicts = set(_verdicts(tree))
        self._waiting = list(_waiting(tree))

    def raised(self, error: BaseException, what: str, name: str) -> None:
        """The solution has answered a request with an exception."""
        self.thrown = error
        silent = [kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _SILENT]
        iterating = name == "__next__" or (what == "await" and silent == ["StopAsyncIteration"])
        if silent and not iterating and not self._waits_for(silent[0]):
            self.failed = self.failed or f"the solution raised {silent[0]}, which ends what uses it in silence"

    def _waits_for(self, name: str) -> bool:
        """Whether what runs stands where the test names an exception as one that may come."""
        frame = sys._getframe()
        while frame is not None:
            of_test, line = frame.f_code.co_filename == TEST_FILE, frame.f_lineno
            if of_test and any(name == waited and begin <= line <= end for waited, begin, end in self._waiting):
                return True
            frame = frame.f_back
        return False

    def denies(self, error: BaseException) -> bool:
        """Whether an assert has looked at what the solution gave it, which might go on to try until it holds."""
        if not isinstance(error, AssertionError) or error is self.thrown:
            return False
        said: set[str] = set()
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            if code.co_filename == TEST_FILE and trace.tb_lineno <= len(self._lines):
                said = set(re.findall(r"\w+", self._lines[trace.tb_lineno - 1])) & set(code.co_varnames)
            trace = trace.tb_next
        return bool(said - {"self"})

    def swallowed(self, error: BaseException, trace: TracebackType | None) -> None:
        """An object of the solution's has swallowed an exception at the end of a `with`."""
        line = trace.tb_lineno if trace else 0
        if error is self.thrown and any(begin <= line <= last for begin, last in self._blocks):
            self.failed = f"the solution raised {type(error).__name__} before an assert, and swallowed it"
        elif line in self._verdicts:
            self.failed = f"the solution swallowed what the test raised of it ({type(error).__name__})"


def _asserting(tree: ast.AST) -> Iterator[tuple[int, int]]:
    """Of each `with` that holds asserts that may hold: the line where it begins, and that of its last assert."""
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    checking = {node.name for node in functions if any(map(_is_assert, ast.walk(node)))}
    for node in ast.walk(tree):
        if isinstance(node, (ast.With, ast.AsyncWith)):
            lines = [
                getattr(part, "end_lineno", 0) for part in ast.walk(node) if _is_assert(part) or _name(part) in checking
            ]
            if lines:
                yield node.lineno, max(lines)


def _verdicts(tree: ast.AST) -> Iterator[int]:
    """The lines in a `with` that raise something because of what it gave (`with f() as r: if r.x != 1: raise ...`)."""
    for block in ast.walk(tree):
        if isinstance(block, (ast.With, ast.AsyncWith)):
            given = {part.id for item in block.items if item.optional_vars for part in ast.walk(item.optional_vars)
                     if isinstance(part, ast.Name)}  # fmt: skip
            for node in ast.walk(block):
                if isinstance(node, ast.If) and any(getattr(part, "id", None) in given for part in ast.walk(node.test)):
                    yield from (part.lineno for part in ast.walk(node) if isinstance(part, ast.Raise))


def _is_assert(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return not isinstance(node.test, ast.Constant)  # `assert False` says that this must not be reached
    return _name(node).startswith("assert")


def _name(node: ast.AST) -> str:
    """The name of what is called."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name
    return ""


def _waiting(tree: ast.AST) -> Iterator[tuple[str, int, int]]:
    """Names of exceptions that a test expects, and the lines from which they may come."""
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
                if name in _SILENT:
                    yield name, node.lineno, node.end_lineno or node.lineno
