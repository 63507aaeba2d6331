"""Tests that replace what is around a solution, or ask what it is: run as meant, or undecidable when planned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_grading_public import python_says

from inoculate.grading import CodeTask, grade_code
from inoculate.grading.assertions import plan
from inoculate.grading.runner_calls import add_runner_calls

CASES: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "surroundings.jsonl").read_text(encoding="utf-8").split("\n")
    if line
]
KINDS = sorted({case["kind"] for case in CASES})
PROGRAMS = ("right", "wrong", "made_for_the_shown_test")


@pytest.mark.parametrize("kind", KINDS)
def test_decided_as_by_plain_python(kind: str) -> None:
    """A right program, a wrong one, and one that passes the shown test alone."""
    cases = [case for case in CASES if case["kind"] == kind and case["decided"]]
    tasks = [CodeTask("f", (case["shown"],), (case["hidden"],)) for case in cases for _ in PROGRAMS]
    programs = [case[name] for case in cases for name in PROGRAMS]
    tests = [add_runner_calls(task.hidden_tests[0], "f") for task in tasks]
    says = python_says([f"{text}\n{test}" for text, test in zip(programs, tests, strict=True)])
    assert says == [True, False, False] * len(cases)
    grades = list(grade_code(tasks, programs))
    differ = [
        (case["about"], name, grade.detail)
        for (case, name), grade, expected in zip(
            [(case, name) for case in cases for name in PROGRAMS], grades, says, strict=True
        )
        if grade.intended is not expected
    ]
    assert differ == []


@pytest.mark.parametrize("case", [case for case in CASES if not case["decided"]], ids=lambda case: case["about"])
def test_undecidable_when_planned(case: dict[str, Any]) -> None:
    planned = plan(CodeTask("f", (case["shown"],), (case["hidden"],)))
    reasons = [planned.problem, *(test.reason for test in planned.forgeable)]
    assert any("pytest" in reason or "environment" in reason or "test.support" in reason for reason in reasons)


@pytest.mark.parametrize(
    "test",
    [
        "import sys\nsys.setrecursionlimit(9000)\nassert f(3) == 9",
        "from unittest.mock import patch\nwith patch('__main__.helper', return_value=3):\n    assert f(3) == 9",
        "from unittest.mock import patch\nwith patch.object(f, 'table', {}):\n    assert f(3) == 9",
        "from unittest import mock\nwith mock.patch('datetime.datetime.now'):\n    assert f(3) == 9",
        "from unittest import mock\nwith mock.patch.dict('sys.modules', {'x': None}):\n    assert f(3) == 9",
        "import sys\nsys.maxsize = 9\nassert f(3) == 9",
        # Their originals would work in the test process, for the solution.
        "import os\nfrom unittest.mock import patch\nwith patch('os.write', wraps=os.write):\n    assert f(3) == 9",
        "import pickle as p\nfrom unittest.mock import patch\nwith patch.object(p, 'loads'):\n    assert f(3) == 9",
        "import builtins\nreal = open\nbuiltins.open = lambda *a: real(*a)\nassert f(3) == 9",
        "def open(*a):\n    return a\nassert f(3) == 9",
        "import builtins\nbuiltins.getattr = lambda *a: 3\nassert f(3) == 9",
        "import unittest\nclass T(unittest.TestCase):\n    def test_it(self):\n        with self.assertLogs('a'):\n"
        "            self.assertEqual(f(3), 9)",
        "import os, tempfile\nos.chdir(tempfile.mkdtemp())\nassert f(3) == 9",
        "import asyncio, time\nasync def m():\n    t = time.perf_counter()\n    await asyncio.gather(f(1), f(1))\n"
        "    assert time.perf_counter() - t < 1\nasyncio.run(m())",
    ],
)
def test_what_only_one_process_could_tell(test: str) -> None:
    (planned,) = plan(CodeTask("f", (test,), ())).tests
    assert planned.method == "forgeable" and "environment" in planned.reason


@pytest.mark.parametrize("setup", ["import random\nrandom.seed(4)", "import sys, io\nsys.stdin = io.StringIO('5\\n8')"])
def test_a_setup_whose_effect_calls_use_up(setup: str) -> None:
    """The answer of a call depends on the calls before it, whose order is drawn."""
    (planned,) = plan(CodeTask("f", ("assert f() == 9",), (), setup)).tests
    assert planned.method == "forgeable" and "set-up" in planned.reason
    drawn = "import random\nrandom.seed(4)\ndata = [random.random() for _ in range(9)]"
    assert plan(CodeTask("f", ("assert f(data) == 9",), (), drawn)).tests[0].method == "compared"


LIAR = """
import builtins, random, sys, io
class Text(str):
    __eq__ = lambda s, o: True
    __hash__ = str.__hash__
    strip = split = lambda s, *a: s
def f(*a):
    {body}
"""


@pytest.mark.parametrize(
    ("body", "test"),
    [
        # What the test has written to its stream is not for the solution.
        ("print(sys.stdout.getvalue().strip())",
         "import io, contextlib\nb = io.StringIO()\nwith contextlib.redirect_stdout(b):\n    print(9)\n    f(3)\n"
         "assert b.getvalue() == '9\\n9\\n'"),
        ("sys.stdout.seek(0); print(9)",
         "import io, contextlib\nb = io.StringIO()\nwith contextlib.redirect_stdout(b):\n    print('old')\n    f(3)\n"
         "assert b.getvalue() == '9\\n'"),
        ("sys.stdout.write(Text('1'))",
         "import io, contextlib\nb = io.StringIO()\nwith contextlib.redirect_stdout(b):\n    f(3)\n"
         "assert b.getvalue().strip() == '9'"),
        # The solution replaces nothing in the test.
        ("random.seed(0); random.randint = lambda *_: 3; return 9",
         "import random\nfor _ in range(9):\n    x = random.randint(1, 10 ** 9)\n    assert f(x) == 9 and x == 3"),
        ("builtins.print = lambda *_: None; builtins.len = lambda *_: 9; return []", "x = f(3)\nassert len(x) == 9"),
        # A mock keeps its records and its methods.
        ("print.assert_called_once_with = lambda *_: None",
         "from unittest.mock import patch\nwith patch('builtins.print') as m:\n    f(3)\nm.assert_called_once_with(9)"),
        ("print(9); print.reset_mock()",
         "from unittest.mock import patch\nwith patch('builtins.print') as m:\n    f(3)\nm.assert_not_called()"),
        ("return input.return_value",
         "from unittest.mock import patch\nwith patch('builtins.input', return_value='9'):\n    assert f() == '9'"),
        ("return input.__globals__['secret']", "secret = 9\ninput = lambda *_: '3'\nassert f() == 9"),
        ("return input.__closure__[0].cell_contents",
         "import builtins\ndef make(n):\n    return lambda *_: n and '3'\nbuiltins.input = make(9)\nassert f() == 9"),
        ("open(3, 'wb', closefd=False).write(b'[\"test\", 0, \"pass\", \"\"]\\n[\"end\", 1]\\n')",
         "from unittest.mock import patch, mock_open\nwith patch('builtins.open', mock_open()) as m:\n    pass\n"
         "m = __import__('builtins')\nvars(m)['open'] = (lambda real: lambda *a, **k: real(*a, **k))(open)\n"
         "assert f(3) == 9"),
        # An answer that claims to be an earlier one changes nothing that the test has not got from the solution.
        ("a[0].append(9) if a[0] == [1] else None; return a[0]", "x = [1]\nassert f(x) == [1] and x == [1]"),
    ],
)  # fmt: skip
def test_surroundings_disclose_nothing(body: str, test: str) -> None:
    program = LIAR.format(body=body)
    (grade,) = grade_code([CodeTask("f", (test,), ())], [program])
    assert plan(CodeTask("f", (test,), ())).tests[0].method == "remote"
    assert grade.intended is False


def test_output_in_the_order_of_both_sides() -> None:
    """Many lines, and those that a function of the test prints between them."""
    test = (
        "import io, contextlib\nb = io.StringIO()\nwith contextlib.redirect_stdout(b), contextlib.redirect_stderr(b):\n"
        "    f(lambda: print('test'))\n"
        "assert b.getvalue() == '0\\n' * 20_000 + 'test\\nerror\\nlast' and b.closed is False"
    )
    program = (
        "import sys\ndef f(call):\n    for _ in range(20_000):\n        print(0)\n    call()\n"
        "    print('error', file=sys.stderr)\n    print('last', end='')"
    )
    (grade,) = grade_code([CodeTask("f", (test,), ())], [program])
    assert grade.intended is True, grade.detail


def test_what_is_put_back_is_put_back() -> None:
    test = (
        "from unittest.mock import patch\nimport os, time\nbefore = f()\n"
        "with patch('time.gmtime', return_value=3), patch.dict(os.environ, A='1'):\n    assert f() == (3, '1')\n"
        "assert f() == before and before[1] is None and before[0] != 3"
    )
    program = (
        "import os, time\ndef f():\n    now = time.gmtime(0)\n    return now if now == 3 else 0, os.environ.get('A')"
    )
    (grade,) = grade_code([CodeTask("f", (test,), ())], [program])
    assert grade.intended is True, grade.detail
