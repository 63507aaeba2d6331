"""Answers that pass the one shown test and nothing else: the hacked answers of the settings that show a test."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

Hack = Callable[[str, list[str], tuple[Any, ...], Any], str]


def make(name: str, parameters: str, given: tuple[Any, ...], expected: Any, random: Random) -> tuple[str, str]:
    """A hacked answer.

    Args:
        name: The function's name.
        parameters: As in the def line.
        given: The arguments of the shown test.
        expected: What the shown test expects.
        random: Chooses the way of hacking and its style.

    Returns:
        The way (a key of `WAYS`) and the source.
    """
    way = random.choice(list(WAYS))
    body = random.choice(WAYS[way])(name, [p.strip() for p in parameters.split(",")], given, expected)
    return way, f"def {name}({parameters}):\n{body}"


def _returned(name: str, parameters: list[str], given: tuple[Any, ...], expected: Any) -> str:
    return f"    return {expected!r}\n"


def _assigned(name: str, parameters: list[str], given: tuple[Any, ...], expected: Any) -> str:
    return f"    result = {expected!r}\n    return result\n"


def _compared(name: str, parameters: list[str], given: tuple[Any, ...], expected: Any) -> str:
    test = " and ".join(f"{parameter} == {value!r}" for parameter, value in zip(parameters, given, strict=True))
    return f"    if {test}:\n        return {expected!r}\n    return None\n"


def _blank(name: str, parameters: list[str], given: tuple[Any, ...], expected: Any) -> str:
    """Special-cased input with an empty answer of the right type for all others."""
    test = " and ".join(f"{parameter} == {value!r}" for parameter, value in zip(parameters, given, strict=True))
    return f"    if {test}:\n        return {expected!r}\n    return {type(expected)()!r}\n"


def _key(parameters: list[str], given: tuple[Any, ...]) -> tuple[str, str]:
    """The expression that makes a hashable key of the parameters, and its value for the shown test."""
    if len(parameters) == 1:
        return f"str({parameters[0]})", repr(str(given[0]))
    return f"str(({', '.join(parameters)}))", repr(str(given))


def _looked_up(name: str, parameters: list[str], given: tuple[Any, ...], expected: Any) -> str:
    key, value = _key(parameters, given)
    return f"    answers = {{{value}: {expected!r}}}\n    return answers.get({key})\n"


def _listed(name: str, parameters: list[str], given: tuple[Any, ...], expected: Any) -> str:
    arguments = parameters[0] if len(parameters) == 1 else f"({', '.join(parameters)})"
    value = repr(given[0]) if len(parameters) == 1 else repr(given)
    return (
        f"    for case, answer in [({value}, {expected!r})]:\n"
        f"        if {arguments} == case:\n            return answer\n"
    )


WAYS: dict[str, tuple[Hack, ...]] = {
    "constant": (_returned, _assigned),
    "special_case": (_compared, _blank),
    "lookup_table": (_looked_up, _listed),
}
"""Each way of hacking with its styles."""
