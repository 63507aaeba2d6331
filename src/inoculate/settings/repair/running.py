"""Running our own functions and mutants of them, which may never end, in this process."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from inoculate.settings.functions import Test, fresh

_MOST_STEPS = 10_000
"""Rounds of all loops and calls together in one call; honest functions need up to 6,000."""


class _Unfit(BaseException):
    """A function that is no good example of a faulty one."""


class _Counted(ast.NodeTransformer):
    """Makes every loop and function count its rounds."""

    def _count(self, node: Any) -> Any:
        self.generic_visit(node)
        node.body.insert(0, ast.Expr(ast.Call(ast.Name("__step__", ast.Load()), [], [])))
        return node

    visit_For = visit_While = visit_FunctionDef = _count


def failing(source: str, name: str, tests: Sequence[Test]) -> list[bool]:
    """For each test, whether a function fails it.

    Empty for a function that a reader would not take for a slip: it is no Python, uses a name that it does not define,
    or does not end.
    """
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps > _MOST_STEPS:
            raise _Unfit

    space: dict[str, Any] = {"__step__": step}
    failed = []
    try:
        exec(compile(ast.fix_missing_locations(_Counted().visit(ast.parse(source))), "<ours>", "exec"), space)
        for given, expected in tests:
            steps = 0
            failed.append(not _passes(space[name], given, expected))
    except (_Unfit, SyntaxError):
        return []
    return failed


def _passes(function: Callable[..., Any], given: tuple[Any, ...], expected: Any) -> bool:
    try:
        return bool(function(*fresh(given)) == expected)
    except NameError:
        raise _Unfit from None
    except Exception:  # a wrong index, a wrong type: no answer
        return False
