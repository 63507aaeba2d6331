"""Running our own functions and faulty variants of them, which may never end, in this process."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping, Sequence
from types import CodeType
from typing import Any

Test = tuple[tuple[Any, ...], Any]
"""Arguments, and what is expected."""
Function = Callable[..., Any]

_MOST_STEPS = 10_000
"""Rounds of all loops and calls together in one call; honest functions need up to 6,000."""
_MOST_BITS = 4_096
"""Of a whole number, and items of a list or text."""
_LOOK = 2
"""Rounds after which these are looked at: squared or doubled in each, they are not yet too long to be made."""


class Unfit(BaseException):
    """A function that is no good example of a faulty one: it does not end, or uses a name that it does not define."""


class _Counted(ast.NodeTransformer):
    """Makes every loop and function count its rounds, and powers be worked out by `power`."""

    def _count(self, node: Any) -> Any:
        self.generic_visit(node)
        node.body.insert(0, ast.Expr(ast.Call(ast.Name("__step__", ast.Load()), [], [])))
        return node

    visit_For = visit_While = visit_FunctionDef = _count

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """`a ** b` becomes `__power__(a, b)`."""
        self.generic_visit(node)
        if not isinstance(node.op, ast.Pow):
            return node
        return ast.Call(ast.Name("__power__", ast.Load()), [node.left, node.right], [])


def power(base: Any, exponent: Any) -> Any:
    """`base ** exponent`, where that is no number without end."""
    if isinstance(base, int) and isinstance(exponent, int) and exponent * base.bit_length() > _MOST_BITS:
        raise Unfit
    return base**exponent


def counted(tree: ast.Module) -> ast.Module:
    """A tree whose loops and functions count their rounds, for `Runner`; the given one is changed."""
    return ast.fix_missing_locations(_Counted().visit(tree))


class Runner:
    """A function that is stopped when it does not end."""

    def __init__(
        self, code: CodeType, name: str, given: Mapping[str, Any] | None = None, most: int = _MOST_STEPS
    ) -> None:
        """Set up.

        Args:
            code: Compiled from a tree that is `counted`.
            name: Of the function in it.
            given: Further names that it can use.
            most: Rounds after which it is stopped.
        """
        self.steps, self._most = 0, most
        space: dict[str, Any] = {"__step__": self._step, "__power__": power, **(given or {})}
        exec(code, space)
        self.function: Function = space[name]

    def _step(self) -> None:
        self.steps += 1
        if self.steps > self._most:
            raise Unfit
        if self.steps % _LOOK == 0:
            for value in sys._getframe(1).f_locals.values():
                size = value.bit_length() if type(value) is int else len(value) if type(value) in (list, str) else 0
                if size > _MOST_BITS:
                    raise Unfit

    def answer(self, given: tuple[Any, ...]) -> Any:
        """What the function gives."""
        self.steps = 0
        return self.function(*fresh(given))

    def passes(self, test: Test) -> bool:
        """Whether the function gives what a test expects.

        Raises:
            Unfit: It does not end, or uses a name that it does not define.
        """
        self.steps = 0
        given, expected = test
        try:
            return bool(self.function(*fresh(given)) == expected)
        except NameError:
            raise Unfit from None
        except Exception:  # a wrong index, a wrong type: no answer
            return False


def failing(source: str, name: str, tests: Sequence[Test]) -> list[bool]:
    """For each test, whether a function fails it.

    Empty for a function that a reader would not take for a slip: it is no Python, uses a name that it does not define,
    or does not end.
    """
    try:
        runner = Runner(compile(counted(ast.parse(source)), "<ours>", "exec"), name)
        return [not runner.passes(test) for test in tests]
    except (Unfit, SyntaxError):
        return []


def fresh(given: tuple[Any, ...]) -> tuple[Any, ...]:
    """A copy of the arguments, so that an answer that changes them cannot change the tests."""
    return tuple([_copied(value) if type(value) in _HOLDERS else value for value in given])


_HOLDERS = {list, tuple, dict, set}


def _copied(value: Any) -> Any:
    if type(value) is dict:
        return {key: _copied(item) if type(item) in _HOLDERS else item for key, item in value.items()}
    return type(value)([_copied(item) if type(item) in _HOLDERS else item for item in value])
