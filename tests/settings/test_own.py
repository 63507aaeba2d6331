"""A setting in a user's file: what it promises is looked at where it is found, and where it is drawn from."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from inoculate import python_file, settings
from inoculate.errors import UserError
from inoculate.settings import Draw, Setting

FILE = """from dataclasses import replace
from inoculate.settings.writing import SETTING as writing

def problems(draw):
    {body}

SETTING = replace(writing, name="mine"{fields}, problems={problems})
"""


def find(
    folder: Path, body: str = "return writing.problems(draw)", fields: str = "", problems: str = "problems"
) -> Setting:
    path = folder / "mine.py"
    path.write_text(FILE.format(body=body, fields=fields and f", {fields}", problems=problems), encoding="utf-8")
    return settings.find(str(path))


def test_one_that_keeps_its_promises_is_as_it_was(tmp_path: Path) -> None:
    setting = find(tmp_path)
    draw = Draw("test", 3, 0)
    assert setting is settings.find(str(tmp_path / "mine.py"))
    assert setting.problems(draw) == setting.problems(draw) == settings.find("writing").problems(draw)
    assert find(tmp_path, "return tuple(writing.problems(draw))").problems(draw) == setting.problems(draw)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ('version="1"', r"SETTING.version is '1': a whole number is due"),
        ("grading=True", r"SETTING.grading is True: a whole number is due"),
        ("families='lists'", r"SETTING.families is 'lists': a tuple of names"),
        ("levels=range(3)", r"SETTING.levels is range\(0, 3\): a tuple of whole numbers"),
        ("oversights=()", r"SETTING.oversights is \(\): a tuple of names"),
        ("grade=None", r"SETTING.grade is None: a function grade"),
        ("grade=lambda problems: []", r"SETTING.grade is def <lambda>\(problems\): a function grade\(problems, compl"),
        ("summary=None", r"SETTING.summary is None: a text is due"),
        ("runs_code='no'", r"SETTING.runs_code is 'no': True or False is due"),
        ("prompts=['specific']", r"SETTING.prompts is \['specific'\]: a dict of texts"),
        ("prompts={'spesific': 'x'}", r"SETTING.prompts: unknown prompt 'spesific': did you mean 'specific'\?"),
    ],
)
def test_a_field_that_is_something_else_is_refused(tmp_path: Path, fields: str, words: str) -> None:
    with pytest.raises(UserError, match=f"mine.py: {words}"):
        find(tmp_path, fields=fields)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("yield from writing.problems(draw)", ":4: problems(draw) returned a generator: a list of Problem is due"),
        ("return None", ":4: problems(draw) returned nothing: a list of Problem is due"),
        ("return writing.problems(draw)[:2]", ":4: problems(draw) returned 2 problems where draw.count = 3"),
        ("return writing.problems(replace(draw, count=4))", "returned 4 problems where draw.count = 3"),
        ("return writing.problems(draw)[:1] * 3", "twice: problems are distinct"),
        ("return ['a', 'b', 'c']", ":4: problems(draw)[0] is a text: a Problem is due"),
        ("return [replace(p, body=None) for p in writing.problems(draw)]", "problems(draw)[0].body is None: a text"),
        ("return [replace(p, secret={'a': {1}}) for p in writing.problems(draw)]", "[0].secret is no plain data"),
        ("return [replace(p, kind='') for p in writing.problems(draw)]", "problems(draw)[0].kind is empty"),
        ("return [replace(p, level='1') for p in writing.problems(draw)]", "[0].level is '1': allowed: 1, 2"),
        ("return [replace(p, family='x') for p in writing.problems(draw)]", "[0].family is 'x': "),
        ("return [replace(p, secret=[1]) for p in writing.problems(draw)]", "[0].secret is a list: a dict is due"),
        ("raise KeyError('unit')", ":5: problems(draw) has raised KeyError: 'unit'"),
        ("raise SystemExit(1)", ":5: problems(draw) has raised SystemExit: 1"),
    ],
)
def test_a_draw_that_is_something_else_is_refused(tmp_path: Path, body: str, words: str) -> None:
    with pytest.raises(UserError) as refusal:
        find(tmp_path, body).problems(Draw("test", 3, 0))
    assert f"{tmp_path / 'mine.py'}" in str(refusal.value) and words in str(refusal.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return None", ":8: grade(...) returned nothing: a Grade for each completion, in order, is due"),
        ("return [True]", ":8: grade(...)[0] is a truth value: Grade(outcome_of"),
        ("return []", ":8: grade(...) returned 0 grades for 1 completions"),
        ("return [Grade('correct', True, True)] * 2", "returned more than 1 grades for 1 completions"),
        ("return [Grade('right', True, True)]", "[0].outcome is 'right': allowed: correct, hack"),
        ("return [Grade('hack', True, True)]", "[0].outcome is 'hack', and its checks (oversight True, intended True)"),
        ("return [Grade('correct', 1, 1)]", "[0].oversight is 1: True or False is due"),
        ("return [Grade('correct', True, True, 'tag')]", "[0].tags is a text: a tuple of Tag is due"),
        ("raise KeyError('unit')", ":9: grade(...) has raised KeyError: 'unit'"),
        ("raise SystemExit(3)", ":9: grade(...) has raised SystemExit: 3"),
    ],
)
def test_grades_that_are_something_else_are_refused(tmp_path: Path, body: str, words: str) -> None:
    grade = f"from inoculate.records import Grade\ndef grade(problems, completions, oversight):\n    {body}\n\nSETTING"
    path = tmp_path / "mine.py"
    text = FILE.format(body="return writing.problems(draw)", fields=", grade=grade", problems="problems")
    path.write_text(text.replace("SETTING = ", f"{grade} = "))
    setting = settings.find(str(path))
    with pytest.raises(UserError) as refusal:
        list(setting.grade(setting.problems(Draw("test", 1, 0)), ["x"]))
    assert f"{path}" in str(refusal.value) and words in str(refusal.value)


def test_what_is_no_function_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"SETTING.problems is \[\]: a function problems\(draw\) is due"):
        find(tmp_path, problems="[]")


def test_another_answer_to_the_same_draw_is_refused(tmp_path: Path) -> None:
    setting = find(tmp_path, "import random; return sorted(writing.problems(draw), key=lambda _: random.random())")
    setting.problems(draw := Draw("test", 9, 0))
    with pytest.raises(UserError, match="returned other problems when it was asked a second time"):
        setting.problems(draw)


def test_too_few_stays_what_it_is(tmp_path: Path) -> None:
    setting = find(tmp_path, "from inoculate.settings import TooFew; raise TooFew('there are 2')")
    with pytest.raises(settings.TooFew, match=r"^there are 2$"):
        setting.problems(Draw("test", 3, 0))


def test_the_standard_library_may_lie_below_the_folder_of_a_file() -> None:
    file = Path(sys.base_prefix) / "judge.py"
    assert Path(json.__file__).is_relative_to(file.parent)
    python_file.refuse_unwatched(file, set(sys.modules) - {"json"})
