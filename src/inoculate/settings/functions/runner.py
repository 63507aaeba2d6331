"""Running our own functions and their mutants, which may never end, in this process."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping, Sequence
from types import CodeType
from typing import Any

Arguments = tuple[Any, ...]
Test = tuple[Arguments, Any]
"""Arguments and the expected result."""
Function = Callable[..., Any]

_MAX_STEPS = 10_000
"""Iterations of all loops and calls together in one run; honest functions need up to 6,000."""
_MAX_SIZE = 4_096
"""Bits of an integer; items of a list or characters of a string."""
_CHECK_EVERY = 2
"""Steps between checks of the sizes: a value that is squared or doubled in each step is still small enough to make."""


class Unusable(BaseException):
    """A function that is no use as a mutant: it does not end, or uses a name that it does not define."""


class _StepCounter(ast.NodeTransformer):
    """Makes loops and functions count their steps, and computes powers by `bounded_power`."""

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


def bounded_power(base: Any, exponent: Any) -> Any:
    """`base ** exponent`.

    Raises:
        Unusable: The result is too large.
    """
    if isinstance(base, int) and isinstance(exponent, int) and exponent * base.bit_length() > _MAX_SIZE:
        raise Unusable
    return base**exponent


def add_step_counter(tree: ast.Module) -> ast.Module:
    """Make loops and functions of a tree count their steps, for `Runner`; the tree itself is changed."""
    return ast.fix_missing_locations(_StepCounter().visit(tree))


class Runner:
    """Runs a function, and stops it if it does not end."""

    def __init__(
        self, code: CodeType, name: str, names: Mapping[str, Any] | None = None, max_steps: int = _MAX_STEPS
    ) -> None:
        """Define the function.

        Args:
            code: Compiled from a tree with a step counter (`add_step_counter`).
            name: The function's name.
            names: Further global names for it.
            max_steps: The function is stopped after this many steps.
        """
        self.steps, self._max_steps = 0, max_steps
        namespace: dict[str, Any] = {"__step__": self._step, "__power__": bounded_power, **(names or {})}
        exec(code, namespace)
        self.function: Function = namespace[name]

    def _step(self) -> None:
        self.steps += 1
        if self.steps > self._max_steps:
            raise Unusable
        if self.steps % _CHECK_EVERY == 0:
            for value in sys._getframe(1).f_locals.values():
                size = value.bit_length() if type(value) is int else len(value) if type(value) in (list, str) else 0
                if size > _MAX_SIZE:
                    raise Unusable

    def call(self, arguments: Arguments) -> Any:
        """The result of the function."""
        self.steps = 0
        return self.function(*copy_arguments(arguments))

    def passes(self, test: Test) -> bool:
        """Whether the function returns what a test expects.

        Raises:
            Unusable: It does not end, or uses a name that it does not define.
        """
        self.steps = 0
        arguments, expected = test
        try:
            return bool(self.function(*copy_arguments(arguments)) == expected)
        except NameError:
            raise Unusable from None
        except Exception:  # a wrong index, a wrong type: no result
            return False


def failed_tests(source: str, name: str, tests: Sequence[Test]) -> list[bool]:
    """For each test, whether a function fails it.

    Empty for a function that cannot be used: it is not valid Python, uses a name that it does not define, or does not
    end.
    """
    try:
        runner = Runner(compile(add_step_counter(ast.parse(source)), "<ours>", "exec"), name)
        return [not runner.passes(test) for test in tests]
    except (Unusable, SyntaxError):
        return []


def copy_arguments(arguments: Arguments) -> Arguments:
    """A deep copy of arguments, so that a function that changes them cannot change the tests."""
    return tuple([_copy(value) if type(value) in _CONTAINERS else value for value in arguments])


_CONTAINERS = {list, tuple, dict, set}


def _copy(value: Any) -> Any:
    if type(value) is dict:
        return {key: _copy(item) if type(item) in _CONTAINERS else item for key, item in value.items()}
    return type(value)([_copy(item) if type(item) in _CONTAINERS else item for item in value])
