"""Holds a setting of the user's to what a setting promises: a mistake in its file is a sentence with its line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from inoculate import python_file
from inoculate.errors import UserError, kind_of
from inoculate.records import Problem
from inoculate.settings.base import Draw, Setting

_DUE: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (
        lambda value: isinstance(value, str) and bool(value.strip()) and not set("/\\\n") & set(value),
        "a text without / that files can be called after",
    ),
    "version": (lambda value: type(value) is int, "a whole number"),
    "grading": (lambda value: type(value) is int, "a whole number"),
    "families": (lambda value: _is_list(value, str), "a tuple of names, such as ('lists',)"),
    "levels": (lambda value: _is_list(value, int), "a tuple of whole numbers, such as (1, 2)"),
    "oversights": (lambda value: _is_list(value, str), "a tuple of names, the usual one first"),
    "problems": (callable, "a function problems(draw)"),
    "grade": (callable, "a function grade(problems, completions, oversight)"),
}
_TEXTS = ("id", "kind", "family", "lead", "body", "honest", "hacked", "hack", "system")


def hold(setting: Setting, file: str) -> Setting:
    """The setting, whose draws are looked at before anything uses them.

    Args:
        setting: The `SETTING` of a file.
        file: The file, as it was given.

    Raises:
        UserError: A field is not what is due; or later, a draw is not.
    """
    for name, (is_due, due) in _DUE.items():
        if not is_due(value := getattr(setting, name)):
            raise UserError(f"{file}: SETTING.{name} is {value!r:.60}: {due} is due")

    known: dict[str, int] = {}  # by what a draw says: its families may be a list

    def problems(draw: Draw) -> list[Problem]:
        drawn = _draw(setting, file, draw)
        text = hash(repr(drawn))
        if known.setdefault(repr(draw), text) != text:
            raise UserError(
                f"{file}: problems(draw) returned other problems when it was asked a second time: the same draw always "
                "gives the same ones (Random(draw.seed), and no order of a set)"
            )
        return drawn

    return replace(setting, problems=problems)


def _is_list(value: object, kind: type) -> bool:
    return isinstance(value, tuple | list) and bool(value) and all(type(part) is kind for part in value)


def _draw(setting: Setting, file: str, draw: Draw) -> list[Problem]:
    code = getattr(setting.problems, "__code__", None)
    place = f"{file}:{code.co_firstlineno}" if code else file
    try:
        drawn: Any = setting.problems(draw)
        found = list(drawn) if isinstance(drawn, tuple | list) else None
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        where = python_file.error_location(Path(file).expanduser().resolve(), error)
        raise UserError(f"{where}: problems(draw) has raised {type(error).__name__}: {error}") from error
    if found is None:
        raise UserError(f"{place}: problems(draw) returned {kind_of(drawn)}: a list of Problem is due")
    if len(found) != draw.count:
        raise UserError(
            f"{place}: problems(draw) returned {len(found)} problems where draw.count = {draw.count}: raise "
            "inoculate.settings.TooFew where there are not as many"
        )
    for number, problem in enumerate(found):
        if fault := _find_fault(problem):
            raise UserError(f"{place}: problems(draw)[{number}]{fault}")
    repeated = [name for name, times in Counter(problem.id for problem in found).items() if times > 1]
    if repeated:
        raise UserError(f"{place}: problems(draw) returned the id '{repeated[0]}' twice: problems are distinct")
    return found


def _find_fault(problem: Any) -> str:
    """What is wrong with one problem, after its name; '' where nothing is."""
    if not isinstance(problem, Problem):
        return f" is {kind_of(problem)}: a Problem is due"
    for name in _TEXTS:
        if not isinstance(value := getattr(problem, name), str):
            return f".{name} is {value!r:.60}: a text is due"
    try:
        json.dumps(problem.secret, allow_nan=False)
    except (TypeError, ValueError) as error:
        return f".secret is no plain data, which a file could hold: {error}"
    return ""
