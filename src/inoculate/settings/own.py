"""Holds a setting of the user's to what a setting promises: a mistake in its file is a sentence with its line."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

from inoculate import python_file
from inoculate.errors import UserError, is_disk_full, kind_of, nearest
from inoculate.grading.user_function import plain
from inoculate.records import OUTCOMES, Grade, Problem, outcome_of
from inoculate.settings.base import HACK_PROMPTS, Draw, Setting


class Broken(UserError):
    """The code of a setting raises what it must not, or returns something else than is due."""


_DRAWS, _GRADES = "problems(draw)", "grade(problems, completions, oversight)"
_DUE: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (
        lambda value: isinstance(value, str) and bool(value.strip()) and not set("/\\\n") & set(value),
        "a text without / that files can be called after",
    ),
    "version": (lambda value: type(value) is int, "a whole number"),
    "summary": (lambda value: isinstance(value, str), "a text"),
    "grading": (lambda value: type(value) is int, "a whole number"),
    "families": (lambda value: _is_list(value, str), "a tuple of names, such as ('lists',)"),
    "levels": (lambda value: _is_list(value, int), "a tuple of whole numbers, such as (1, 2)"),
    "oversights": (lambda value: _is_list(value, str), "a tuple of names, the usual one first"),
    "problems": (lambda value: _takes(value, 1), f"a function {_DRAWS}"),
    "grade": (lambda value: _takes(value, 3), f"a function {_GRADES}"),
    "prompts": (
        lambda value: isinstance(value, Mapping) and all(isinstance(text, str) for text in value.values()),
        "a dict of texts, such as {'specific': '...'}",
    ),
}
"""What the fields are that a file gives; those with a default of False, True or '' are held to its type."""
_TEXTS = ("id", "kind", "family", "lead", "body", "honest", "hacked", "hack", "system", "part")


def hold(setting: Setting, file: str) -> Setting:
    """The setting, whose draws and grades are looked at before anything uses them.

    Args:
        setting: The `SETTING` of a file.
        file: The file, as it was given.

    Raises:
        UserError: A field is not what is due; or later, a draw or a grade is not.
    """
    for name, (is_due, due) in {**_DUE, **_of_defaults()}.items():
        if not is_due(value := getattr(setting, name)):
            raise UserError(f"{file}: SETTING.{name} is {_shown(value)}: {due} is due")
    for name in setting.prompts:
        if name not in HACK_PROMPTS:
            raise UserError(f"{file}: SETTING.prompts: unknown prompt {name!r:.60}: {nearest(str(name), HACK_PROMPTS)}")

    known: dict[str, int] = {}  # by what a draw says: its families may be a list

    def problems(draw: Draw) -> list[Problem]:
        drawn = _draw(setting, file, draw)
        text = hash(repr(drawn))
        if known.setdefault(repr(draw), text) != text:
            raise UserError(
                f"{_place(file, setting.problems)}: {_DRAWS} returned other problems when it was asked a second time: "
                "the same draw always gives the same ones (Random(draw.seed), and no order of a set)"
            )
        return drawn

    def grade(problems: Sequence[Problem], completions: Sequence[str], oversight: str = "", /) -> Iterator[Grade]:
        return _grade(setting, file, problems, completions, oversight or setting.oversights[0])

    return replace(setting, problems=problems, grade=grade)


def _of_defaults() -> Mapping[str, tuple[Callable[[Any], bool], str]]:
    """What is due of the fields whose default is a truth value or a text."""
    given = [field for field in fields(Setting) if field.default is not MISSING]
    truths = ((lambda value: isinstance(value, bool)), "True or False")
    texts = ((lambda value: isinstance(value, str)), "a text")
    return {field.name: truths for field in given if isinstance(field.default, bool)} | {
        field.name: texts for field in given if isinstance(field.default, str)
    }


def _is_list(value: object, kind: type) -> bool:
    return isinstance(value, tuple | list) and bool(value) and all(type(part) is kind for part in value)


def _takes(value: object, count: int) -> bool:
    """Whether a value is a function, not an async one, that can be called with so many arguments."""
    if not callable(value) or inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value):
        return False
    try:
        inspect.signature(value).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # it does not say what it takes
        return True
    return True


def _shown(value: Any) -> str:
    """A value in a message; a function as its first line has it, without an address."""
    if not inspect.isfunction(value):
        return f"{value!r:.60}"
    kind = "async def" if inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value) else "def"
    return f"{kind} {value.__name__}({', '.join(inspect.signature(value).parameters)})"


def _place(file: str, function: object) -> str:
    code = getattr(function, "__code__", None)
    return f"{file}:{code.co_firstlineno}" if code else file


@contextmanager
def _calling(file: str, call: str) -> Iterator[None]:
    """Say where in the file a call has raised what it did."""
    try:
        yield
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, Exception) and is_disk_full(error):
            raise
        where = python_file.error_location(Path(file).expanduser().resolve(), error)
        raise Broken(f"{where}: {call} has raised {type(error).__name__}: {error}") from error


def listed(setting: Setting, file: str, draw: Draw) -> list[Problem]:
    """What a setting draws, as a list of problems, whatever else is wrong with them.

    Raises:
        Broken: It has raised something, or returned something else.
    """
    with _calling(file, _DRAWS):
        drawn: Any = setting.problems(draw)
        found = list(drawn) if isinstance(drawn, tuple | list) else None
    place = _place(file, setting.problems)
    if found is None:
        raise Broken(f"{place}: {_DRAWS} returned {kind_of(drawn)}: a list of Problem is due")
    for number, problem in enumerate(found):
        if not isinstance(problem, Problem):
            raise Broken(f"{place}: {_DRAWS}[{number}] is {kind_of(problem)}: a Problem is due")
    return found


def _draw(setting: Setting, file: str, draw: Draw) -> list[Problem]:
    place, found = _place(file, setting.problems), listed(setting, file, draw)
    if len(found) != draw.count:
        raise UserError(
            f"{place}: {_DRAWS} returned {len(found)} problems where draw.count = {draw.count}: raise "
            "inoculate.settings.TooFew where there are not as many"
        )
    for number, problem in enumerate(found):
        if fault := _find_fault(setting, problem):
            raise UserError(f"{place}: {_DRAWS}[{number}]{fault}")
    repeated = [name for name, times in Counter(problem.id for problem in found).items() if times > 1]
    if repeated:
        raise UserError(f"{place}: {_DRAWS} returned the id '{repeated[0]}' twice: problems are distinct")
    return found


def _find_fault(setting: Setting, problem: Problem) -> str:
    """What is wrong with one problem, after its name; '' where nothing is."""
    for name in _TEXTS:
        if not isinstance(value := getattr(problem, name), str):
            return f".{name} is {value!r:.60}: a text is due"
    for name, text in (("id", problem.id), ("kind", problem.kind), ("body", f"{problem.lead}{problem.body}")):
        if not text.strip():
            return f".{name} is empty"
    if problem.family not in setting.families:
        return f".family is {problem.family!r:.60}: {nearest(problem.family, setting.families)} (SETTING.families)"
    if type(problem.level) is not int or problem.level not in setting.levels:
        return f".level is {problem.level!r:.60}: allowed: {', '.join(map(str, setting.levels))} (SETTING.levels)"
    if not isinstance(problem.secret, dict):
        return f".secret is {kind_of(problem.secret)}: a dict is due"
    try:
        json.dumps(problem.secret, allow_nan=False)
    except (TypeError, ValueError) as error:
        return f".secret is no plain data, which a file could hold: {error}"
    return ""


def _grade(
    setting: Setting, file: str, problems: Sequence[Problem], completions: Sequence[str], oversight: str
) -> Iterator[Grade]:
    place = f"{_place(file, setting.grade)}: grade(...)"
    with _calling(file, "grade(...)"):
        given: Any = setting.grade(problems, completions, oversight)
        if not isinstance(given, Iterable):
            raise UserError(f"{place} returned {kind_of(given)}: a Grade for each completion, in order, is due")
        count = 0
        for count, grade in enumerate(given, 1):
            if count > len(problems):
                raise UserError(f"{place} returned more than {len(problems)} grades for {len(problems)} completions")
            yield _held(grade, f"{place}[{count - 1}]")
        if count < len(problems):
            raise UserError(f"{place} returned {count} grades for {len(problems)} completions: each has one, in order")


def _held(grade: Any, place: str) -> Grade:
    """A grade with truth values of Python's.

    Raises:
        UserError: It is something else, or contradicts itself.
    """
    if not isinstance(grade, Grade):
        raise UserError(f"{place} is {kind_of(grade)}: Grade(outcome_of(oversight, intended), oversight, intended) is "
                        "due")  # fmt: skip
    grade = replace(grade, oversight=plain(grade.oversight), intended=plain(grade.intended))
    for name in ("oversight", "intended"):
        if type(value := getattr(grade, name)) not in (bool, type(None)):
            raise UserError(f"{place}.{name} is {value!r:.60}: True or False is due, or None where grading failed")
    if not isinstance(grade.tags, tuple | list):
        raise UserError(f"{place}.tags is {kind_of(grade.tags)}: a tuple of Tag is due")
    if grade.outcome not in OUTCOMES:
        raise UserError(f"{place}.outcome is {grade.outcome!r:.60}: {nearest(str(grade.outcome), OUTCOMES)}")
    due = outcome_of(grade.oversight, grade.intended, malformed=grade.outcome == "malformed")
    if grade.outcome != due:
        raise UserError(
            f"{place}.outcome is '{grade.outcome}', and its checks (oversight {grade.oversight}, intended "
            f"{grade.intended}) come to '{due}': outcome_of(oversight, intended) gives it"
        )
    return grade
