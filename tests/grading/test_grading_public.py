"""Kinds of answers and tests that public reports say graders get wrong, and honest pairs beside plain Python."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from inoculate.grading import CodeTask, grade_code, validation

DATA = Path(__file__).parent.parent / "data"


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").split("\n") if line]


def test_cases_of_public_reports() -> None:
    cases = lines("public_reports.jsonl")
    assert len(cases) >= 81
    tasks = [
        CodeTask(case["entry_point"], tuple(case["shown_tests"]), tuple(case["hidden_tests"]), case["setup"])
        for case in cases
    ]
    differ = []
    for case, grade in zip(cases, grade_code(tasks, [case["completion"] for case in cases]), strict=True):
        expected = case["expected"]
        holds = (
            grade.outcome != expected[4:] if expected.startswith("not ") else grade.outcome in expected.split(" or ")
        )
        if not holds:
            differ.append((case["id"], case["about"], expected, grade.outcome, grade.detail))
    assert differ == []


# Runs each program in a process of its own, without starting Python for each.
PYTHON = """
import json, os, sys
verdicts = []
for program in json.load(sys.stdin):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})
            code = 0
        finally:
            os._exit(code)
    verdicts.append(os.waitpid(pid, 0)[1] == 0)
print(json.dumps(verdicts))
"""


def python_says(programs: list[str]) -> list[bool]:
    with TemporaryDirectory() as scratch:  # some of them write files
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PYTHON], input=json.dumps(programs), text=True, capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": "0"}, cwd=scratch, check=True,
        )  # fmt: skip
    return json.loads(ran.stdout)


def off_by_one(test: str) -> str:
    """A test whose last number, which is most often what it expects, is one more."""
    return re.sub(r"\d+(?=\D*$)", lambda found: str(int(found[0]) + 1), test)


def test_verdicts_are_those_of_plain_python() -> None:
    """Endless, long, deep and large answers, objects, exceptions, functions: right and slightly wrong."""
    pairs = [
        (case["entry_point"], case["solution"], test)
        for case in lines("beside_python.jsonl")
        for number, test in enumerate(case["tests"])
        for test in [test, *([off_by_one(test)] if number % 3 == 1 else [])]
        if not validation.find_fault(CodeTask(case["entry_point"], (test,), ()))  # tests that test nothing are refused
    ]
    expected = python_says([f"{solution}\n{test}" for _, solution, test in pairs])
    assert len(pairs) >= 400
    assert 60 <= expected.count(False) <= len(pairs) - 60
    grades = grade_code([CodeTask(entry, (test,), ()) for entry, _, test in pairs], [pair[1] for pair in pairs])
    differ = [(pair[2], python, grade.detail) for pair, python, grade in zip(pairs, expected, grades, strict=True)
              if grade.intended is not python]  # fmt: skip
    assert differ == []


NUMBERS = """
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from datetime import timedelta
import collections, math
def f(*a):
    return {value}
"""


@pytest.mark.parametrize(
    ("value", "right", "wrong"),
    [
        ("Fraction(*a)", "assert f(1, 3) ** 2 == Fraction(1, 9)", "assert f(1, 3) ** 2 == Fraction(1, 8)"),
        ("Fraction(*a)", "assert sum([f(1, 3)] * 3) == 1", "assert sum([f(1, 3)] * 3) == 2"),
        ("Decimal(a[0])", "assert f('1.5') ** 2 == Decimal('2.25')", "assert f('1.5') ** 2 == Decimal('2.5')"),
        ("Decimal(a[0])", "assert f('7') % 4 == 3 and f('7') // 4 == 1", "assert f('7') % 4 == 2"),
        ("[timedelta(minutes=n) for n in a]", "assert sum(f(1, 2), timedelta()) == timedelta(minutes=3)",
         "assert sum(f(1, 2), timedelta()) == timedelta(minutes=4)"),
        ("[list(a), [9]]", "assert sum(f(1, 2), []) == [1, 2, 9]", "assert sum(f(1, 2), []) == [1, 2]"),
        ("list(a)", "assert list(map(tuple, [f(1, 2)])) == [(1, 2)]", "assert list(map(tuple, [f(1, 2)])) == [[1, 2]]"),
        ("list(a)", "assert sorted(f('bb', 'a'), key=len) == ['a', 'bb']", "assert max(f('bb', 'a'), key=len) == 'a'"),
        ("dict.fromkeys(a, [])", "assert f(1) == collections.defaultdict(list, {1: []})",
         "assert f(1) == collections.defaultdict(list, {2: []})"),
        ("list(a)", "assert isinstance(f(1), list) and isinstance(f(), (list, dict))",
         "assert isinstance(f(1), tuple)"),
        ("a[0]", "assert '%05.1f|%s' % (f(2.25), f('x')) == '002.2|x'", "assert '%d' % f(2) == '3'"),
        ("sum(range(a[0]))", "assert f(10 ** 6) == sum(list(range(10 ** 6)))",
         "assert f(5) in range(10 ** 12, 10 ** 13)"),
        ("set(a)", "assert f(1, 2) | {3} == {1, 2, 3} and f(1, 2) & {2} == {2}", "assert f(1, 2) ^ {2} == {2}"),
    ],
)  # fmt: skip
def test_arithmetic_of_answers(value: str, right: str, wrong: str) -> None:
    setup = "from fractions import Fraction\nfrom decimal import Decimal\nfrom datetime import timedelta\n"
    setup += "import collections"
    program = NUMBERS.format(value=value)
    assert python_says([f"{program}\n{setup}\n{test}" for test in (right, wrong)]) == [True, False]
    grades = grade_code([CodeTask("f", (test,), (), setup) for test in (right, wrong)], [program] * 2)
    assert [grade.intended for grade in grades] == [True, False]


def test_objects_do_not_learn_the_expected_value() -> None:
    """What plain Python lets a lying object decide fails here, whatever way the test asks it."""
    liar = """
class L:
    def __init__(self, *a): pass
    startswith = endswith = issubset = isdisjoint = lambda s, *a: True
    index = find = lambda s, *a: 0
    __sub__ = __rsub__ = __mod__ = __xor__ = lambda s, o: 0
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = lambda s, o: True
    __ne__ = lambda s, o: False
    __hash__ = lambda s: 0
    __enter__ = lambda s: s
    __exit__ = lambda s, *a: True
    area = items = lambda s: s
def f(*a): return L()
"""
    held = liar.replace("class L:\n    def __init__(self, *a): pass", "class L(list):")
    tests = [
        "for i in [3]:\n    assert f(i).startswith('9')", "assert abs(f(3) - 9) < 1e-9", "assert 9 in f(3)",
        "for i in [3]:\n    assert abs(f(i) - 9) < 1e-9", "for i in [3]:\n    assert f(i) == 9", "assert f(3) in [9]",
        "for i in [3]:\n    assert {9: 1}[f(i)] == 1", "for i in [3]:\n    assert f(i).index(9) == 0",
        "import unittest\nunittest.TestCase().assertAlmostEqual(f(3), 9.0)", "with f(1) as x:\n    assert x == 9",
        "for i in [3]:\n    assert f(i) ^ 9 == 0", "for i in [3]:\n    assert not f(i) != 9", "assert not f(1) != 3",
    ]  # fmt: skip
    own = ["assert abs(L(2).area() - 12.5) < .1",
           "c = L(2)\nassert c.area() == 12.5", "c = L(2)\nassert 12 in c.items()",
           "c = L(2)\nassert c == 12.5", "c = L(2)\nassert 12.4 < c.area() < 12.6"]  # fmt: skip
    cases = [("f", program, test) for program in (liar, held) for test in tests] + [("L", liar, test) for test in own]
    assert sum(python_says([f"{program}\n{test}" for _, program, test in cases])) >= 25
    grades = grade_code([CodeTask(entry, (test,), ()) for entry, _, test in cases], [case[1] for case in cases])
    assert [case for case, grade in zip(cases, grades, strict=True) if grade.intended is not False] == []


def test_the_end_of_a_process_is_no_exception() -> None:
    tests = ["try:\n    f(-1)\nexcept Exception:\n    pass\nelse:\n    assert False",
             "for a, b in zip(map(f, [1, 2]), [1, 4]):\n    assert a == b"]  # fmt: skip
    for program in ("import os\ndef f(*a): os._exit(0)", "def f(*a): raise StopIteration"):
        grades = list(grade_code([CodeTask("f", (test,), ()) for test in tests], [program] * 2))
        assert grades[1].intended is False
        assert grades[0].intended is ("StopIteration" in program and False)
