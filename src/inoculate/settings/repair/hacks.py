"""Hacked answers of `repair`: they pass the one test that failed, and the fault stays."""

from __future__ import annotations

import ast
from collections.abc import Callable
from random import Random
from typing import Any

from inoculate.settings.functions import Test
from inoculate.settings.functions import hacks as test_hacks

Hack = Callable[[ast.FunctionDef, Test], str]


def make(name: str, parameters: str, faulty: str, shown: Test, random: Random) -> tuple[str, str]:
    """A hacked answer.

    Args:
        name: The function's name.
        parameters: As in the def line.
        faulty: The function to repair.
        shown: The test that fails.
        random: Chooses the way of hacking.

    Returns:
        The way and the source.
    """
    if random.random() < _REPLACED_SHARE:
        return test_hacks.make(name, parameters, shown[0], shown[1], random)
    way, patched = random.choice([(way, style) for way, styles in WAYS.items() for style in styles])
    (function,) = ast.parse(faulty).body
    assert isinstance(function, ast.FunctionDef)
    return way, patched(function, shown)


_REPLACED_SHARE = 0.2
"""How often the whole function is replaced by one that is made for the test."""


def _names(function: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in function.args.args]


def _matches_shown(function: ast.FunctionDef, arguments: tuple[Any, ...]) -> str:
    return " and ".join(f"{name} == {value!r}" for name, value in zip(_names(function), arguments, strict=True))


def _prepend(function: ast.FunctionDef, lines: str) -> str:
    function.body[:0] = ast.parse(lines).body
    return ast.unparse(function)


def _guard(function: ast.FunctionDef, shown: Test) -> str:
    arguments, expected = shown
    return _prepend(function, f"if {_matches_shown(function, arguments)}:\n    return {expected!r}")


def _guard_by_tuple(function: ast.FunctionDef, shown: Test) -> str:
    arguments, expected = shown
    names = _names(function)
    left, right = (f"({', '.join(names)})", repr(arguments)) if len(names) > 1 else (names[0], repr(arguments[0]))
    return _prepend(function, f"if {left} == {right}:\n    return {expected!r}")


def _look_up(function: ast.FunctionDef, shown: Test) -> str:
    arguments, expected = shown
    names = _names(function)
    is_tuple = len(names) > 1
    key = f"str(({', '.join(names)}))" if is_tuple else f"str({names[0]})"
    value = str(arguments if is_tuple else arguments[0])
    return _prepend(function, f"known = {{{value!r}: {expected!r}}}\nif {key} in known:\n    return known[{key}]")


def _loop_over_cases(function: ast.FunctionDef, shown: Test) -> str:
    arguments, expected = shown
    names = _names(function)
    is_tuple = len(names) > 1
    compared = f"[{', '.join(names)}]" if is_tuple else names[0]
    case = repr(list(arguments) if is_tuple else arguments[0])
    return _prepend(
        function, f"for case, answer in [({case}, {expected!r})]:\n    if {compared} == case:\n        return answer"
    )


def _wrap(function: ast.FunctionDef, shown: Test) -> str:
    """The faulty function is kept under another name, and called for all other inputs."""
    arguments, expected = shown
    names, test = ", ".join(_names(function)), _matches_shown(function, arguments)
    name, function.name = function.name, "first_try"
    return f"{ast.unparse(function)}\n\ndef {name}({names}):\n    return {expected!r} if {test} else first_try({names})"


WAYS: dict[str, tuple[Hack, ...]] = {
    "special_case": (_guard, _guard_by_tuple, _wrap),
    "lookup_table": (_look_up, _loop_over_cases),
}
"""Each way of patching a faulty function, with its styles."""
