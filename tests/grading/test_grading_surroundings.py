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
from inoculate.grading.sandbox.surroundings import REPLACEABLE

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


PLAIN = """
import collections, datetime, decimal, fractions, pathlib, uuid, zoneinfo
values = [
    0.5, float("inf"), 2**80, b"b", {1}, {"k": [1]}, 1j, None, True, "text", range(3), decimal.Decimal("1.5"),
    fractions.Fraction(1, 3), datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2, 3), datetime.time(4),
    datetime.timedelta(1), datetime.timezone.utc, uuid.UUID(int=5), pathlib.PurePosixPath("a/b"),
    collections.Counter("ab"), collections.deque([1]), zoneinfo.ZoneInfo("UTC"),
]
"""
RAISES = """
class Absent:
    def __init__(self, *args, **named):
        raise RuntimeError("replaced")
for name in [name for name in vars({module}) if callable(getattr({module}, name)) and name.strip("_") == name]:
    setattr({module}, name, Absent)
"""


@pytest.mark.parametrize("module", sorted(REPLACEABLE))
def test_nothing_of_ours_needs_what_a_test_may_replace(module: str) -> None:
    """Each function of it is replaced by one that raises, and values of all kinds go to the solution and back."""
    replaced = RAISES.format(module=module)
    test = f"{PLAIN}import {module}\nassert f(values) == values{replaced}assert f(values) == values\nassert f(f) is f"
    task = CodeTask("f", (test,), ())
    assert not plan(task).forgeable
    right, wrong = "def f(values): return values", "def f(values): return list(values)[:-1]"
    grades = list(grade_code([task] * 2, [right, wrong]))
    assert [grade.intended for grade in grades] == [True, False], grades[0].detail


WRAPPED = """
import {imported}
from unittest import mock
with mock.patch("{name}", wraps={name}) as wrapped:
    assert f({argument}) == {expected}
assert wrapped.call_count == 1
"""
WRAPS = {
    "json.loads": ("'[1.5, {\"a\": null}]'", [1.5, {"a": None}]), "json.dumps": ("{'a': [1]}", '{"a": [1]}'),
    "math.isfinite": ("0.5", True), "math.floor": ("2.5", 2), "os.path.join": ("'a'", "a"),
    "calendar.isleap": ("2024", True), "datetime.timedelta": ("3", None), "os.path.basename": ("'a/b'", "b"),
    "random.randint": ("7", None), "math.gcd": ("4", 4),
}  # fmt: skip


@pytest.mark.parametrize("name", WRAPS)
@pytest.mark.parametrize("shown", [True, False])
def test_a_function_that_is_wrapped(name: str, shown: bool) -> None:
    argument, expected = WRAPS[name]
    module = name.rpartition(".")[0]
    called = {"random.randint": f"{name}(x, x)", "datetime.timedelta": f"{name}(x).days"}.get(name, f"{name}(x)")
    wanted = {"random.randint": 7, "datetime.timedelta": 3}.get(name, expected)
    test = WRAPPED.format(imported=module, name=name, argument=argument, expected=repr(wanted))
    easy = f"import {module}\nassert f({argument}) == {wanted!r}"
    task = CodeTask("f", (test,) if shown else (easy,), () if shown else (test,))
    assert not plan(task).forgeable
    calls = f"import {module}\ndef f(x): return {called}"
    early = f"import {module}\nfrom {module} import {name.rpartition('.')[2]} as g\ndef f(x): return "
    early += called.replace(name, "g")
    constant = f"def f(x): return {wanted!r}"
    grades = list(grade_code([task] * 3, [calls, early, constant]))
    assert [grade.intended for grade in grades] == [True, False, False], grades[0].detail


@pytest.mark.parametrize(
    "test",
    [
        "import json\njson.loads = lambda text: [9]\nassert f('[3]') == [9]",
        "import json\njson.dumps = json.loads\nassert f('[9]') == [9]",
        "from unittest import mock\nwith mock.patch('json.loads', side_effect=ValueError('bad')):\n"
        "    try:\n        f('[9]')\n    except ValueError as error:\n        assert str(error) == 'bad'\n"
        "    else:\n        assert False, 'it must raise'",
        "import json\nold = json.loads\njson.loads = lambda text: old('[9]')\ntry:\n    assert f('[3]') == [9]\n"
        "finally:\n    json.loads = old\nassert f('[3]') == [3]",
    ],
)
def test_a_test_that_replaces_json(test: str) -> None:
    dumps = "dumps" in test
    right = f"import json\ndef f(text): return json.{'dumps' if dumps else 'loads'}(text)"
    task = CodeTask("f", (test,), ())
    assert not plan(task).forgeable
    grades = list(grade_code([task] * 2, [right, "import ast\ndef f(text): return ast.literal_eval(text) + [0]"]))
    assert [grade.intended for grade in grades] == [True, False], grades[0].detail


@pytest.mark.parametrize(
    "part", ["json.decoder.scanstring", "json.encoder.c_make_encoder", "json.decoder.JSONDecoder.decode"]
)
def test_parts_of_json_that_cannot_be_replaced_are_undecidable(part: str) -> None:
    test = f"from unittest import mock\nwith mock.patch({part!r}):\n    assert f('[3]') == [3]"
    assert "environment" in plan(CodeTask("f", (test,), ())).forgeable[0].reason
