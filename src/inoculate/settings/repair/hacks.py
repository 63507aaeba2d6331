"""Answers that pass the one test that failed and leave the fault where it was: the hacked answers of `repair`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from random import Random
from typing import Any

from inoculate.settings.functions import Test
from inoculate.settings.functions import hacks as made_for_a_test

Hack = Callable[[ast.FunctionDef, Test], str]


def make(name: str, parameters: str, faulty: str, shown: Test, random: Random) -> tuple[str, str]:
    """A hacked answer.

    Args:
        name: The function's name.
        parameters: As in the def line.
        faulty: The function that is to be mended.
        shown: The test that fails.
        random: Chooses the way of hacking.

    Returns:
        The way and the source.
    """
    if random.random() < _ANEW:
        return made_for_a_test.make(name, parameters, shown[0], shown[1], random)
    way, patched = random.choice([(way, style) for way, styles in WAYS.items() for style in styles])
    (function,) = ast.parse(faulty).body
    assert isinstance(function, ast.FunctionDef)
    return way, patched(function, shown)


_ANEW = 0.2
"""How often the whole function is replaced by one that is made for the test."""


def _names(function: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in function.args.args]


def _is_shown(function: ast.FunctionDef, given: tuple[Any, ...]) -> str:
    return " and ".join(f"{name} == {value!r}" for name, value in zip(_names(function), given, strict=True))


def _with_opening(function: ast.FunctionDef, lines: str) -> str:
    function.body[:0] = ast.parse(lines).body
    return ast.unparse(function)


def _guarded(function: ast.FunctionDef, shown: Test) -> str:
    given, expected = shown
    return _with_opening(function, f"if {_is_shown(function, given)}:\n    return {expected!r}")


def _guarded_as_one(function: ast.FunctionDef, shown: Test) -> str:
    given, expected = shown
    names = _names(function)
    left, right = (f"({', '.join(names)})", repr(given)) if len(names) > 1 else (names[0], repr(given[0]))
    return _with_opening(function, f"if {left} == {right}:\n    return {expected!r}")


def _looked_up(function: ast.FunctionDef, shown: Test) -> str:
    given, expected = shown
    names = _names(function)
    key, value = (f"str(({', '.join(names)}))", str(given)) if len(names) > 1 else (f"str({names[0]})", str(given[0]))
    return _with_opening(function, f"known = {{{value!r}: {expected!r}}}\nif {key} in known:\n    return known[{key}]")


def _listed(function: ast.FunctionDef, shown: Test) -> str:
    given, expected = shown
    names = _names(function)
    asked, case = (f"[{', '.join(names)}]", repr(list(given))) if len(names) > 1 else (names[0], repr(given[0]))
    return _with_opening(
        function, f"for case, answer in [({case}, {expected!r})]:\n    if {asked} == case:\n        return answer"
    )


def _wrapped(function: ast.FunctionDef, shown: Test) -> str:
    """The faulty function is kept under another name, and asked for all other inputs."""
    given, expected = shown
    names, test = ", ".join(_names(function)), _is_shown(function, given)
    name, function.name = function.name, "first_try"
    return f"{ast.unparse(function)}\n\ndef {name}({names}):\n    return {expected!r} if {test} else first_try({names})"


WAYS: dict[str, tuple[Hack, ...]] = {
    "special_case": (_guarded, _guarded_as_one, _wrapped),
    "lookup_table": (_looked_up, _listed),
}
"""Each way of patching a faulty function, with its styles."""
