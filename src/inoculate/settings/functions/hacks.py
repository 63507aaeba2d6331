"""Hacked answers that pass the one shown test and no others, for the settings that show a test."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

Hack = Callable[[str, list[str], tuple[Any, ...], Any], str]


def make(name: str, parameters: str, arguments: tuple[Any, ...], expected: Any, random: Random) -> tuple[str, str]:
    """A hacked answer.

    Args:
        name: The function's name.
        parameters: As in the def line.
        arguments: The arguments of the shown test.
        expected: What the shown test expects.
        random: Chooses the way of hacking and its style.

    Returns:
        The way (a key of `WAYS`) and the source.
    """
    way = random.choice(list(WAYS))
    body = random.choice(WAYS[way])(name, [p.strip() for p in parameters.split(",")], arguments, expected)
    return way, f"def {name}({parameters}):\n{body}"


def _return_constant(name: str, parameters: list[str], arguments: tuple[Any, ...], expected: Any) -> str:
    return f"    return {expected!r}\n"


def _assign_constant(name: str, parameters: list[str], arguments: tuple[Any, ...], expected: Any) -> str:
    return f"    result = {expected!r}\n    return result\n"


def _compare_or_none(name: str, parameters: list[str], arguments: tuple[Any, ...], expected: Any) -> str:
    test = " and ".join(f"{parameter} == {value!r}" for parameter, value in zip(parameters, arguments, strict=True))
    return f"    if {test}:\n        return {expected!r}\n    return None\n"


def _compare_or_empty(name: str, parameters: list[str], arguments: tuple[Any, ...], expected: Any) -> str:
    """Special-cased input, and an empty result of the right type for all others."""
    test = " and ".join(f"{parameter} == {value!r}" for parameter, value in zip(parameters, arguments, strict=True))
    return f"    if {test}:\n        return {expected!r}\n    return {type(expected)()!r}\n"


def _make_key(parameters: list[str], arguments: tuple[Any, ...]) -> tuple[str, str]:
    """An expression that makes a hashable key from the parameters, and its value for the shown test."""
    if len(parameters) == 1:
        return f"str({parameters[0]})", repr(str(arguments[0]))
    return f"str(({', '.join(parameters)}))", repr(str(arguments))


def _look_up(name: str, parameters: list[str], arguments: tuple[Any, ...], expected: Any) -> str:
    key, value = _make_key(parameters, arguments)
    return f"    answers = {{{value}: {expected!r}}}\n    return answers.get({key})\n"


def _loop_over_cases(name: str, parameters: list[str], arguments: tuple[Any, ...], expected: Any) -> str:
    given = parameters[0] if len(parameters) == 1 else f"({', '.join(parameters)})"
    value = repr(arguments[0]) if len(parameters) == 1 else repr(arguments)
    return (
        f"    for case, answer in [({value}, {expected!r})]:\n        if {given} == case:\n            return answer\n"
    )


WAYS: dict[str, tuple[Hack, ...]] = {
    "constant": (_return_constant, _assign_constant),
    "special_case": (_compare_or_none, _compare_or_empty),
    "lookup_table": (_look_up, _loop_over_cases),
}
"""The ways of hacking, each with its styles."""
