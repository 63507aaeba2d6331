"""Remote tests, each with a right solution and with wrong ones that would pass in the same process."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from inoculate.grading import CodeTask, grade_code
from inoculate.grading.assertions import plan


class Case(NamedTuple):
    """A test, what solves it, and what does not."""

    entry: str
    test: str
    right: str
    wrong: tuple[str, ...]


SQUARE = "def f(n): return n * n"
ASYNC_TEST = """
import asyncio
async def one(n):
    assert await f(n) == n * n
async def main():
    async with asyncio.TaskGroup() as group:
        for n in range(3):
            group.create_task(one(n))
asyncio.run(main())
"""
ALL_PASS = """
import unittest
def run():
    class T(unittest.TestCase):
        def test_square(self):
            self.assertEqual(f(3), 9)
    result = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(T))
    assert result.wasSuccessful()
run()
"""
SWALLOWS = """
class C:
    def __enter__(self): return self
    def __exit__(self, *error): return True
    @property
    def value(self): raise ValueError
def f(n): return C()
"""
CONTEXT = """
class C:
    value = 9
    def __enter__(self): return self
    def __exit__(self, *error): return False
def f(n): return C()
"""
HAS = """
class A:
    def __init__(self):
        self.values = []
    def add(self, value):
        self.values.append(value)
    def has(self, value):
        return value in self.values
a = A()
f(a, 3)
assert a.has(9)
"""
CALLBACK = """
import unittest
class T(unittest.TestCase):
    def test_square(self):
        seen = []
        def show(value):
            self.assertEqual(value, 9)
            seen.append(value)
        f(show, 3)
        self.assertEqual(len(seen), 1)
"""
READS = """
def f(show, n):
    try:
        show(0)
    except AssertionError as error:
        show(int(str(error).split('!=')[1]))
"""
GUESSES = """
def f(show, n):
    for guess in range(100):
        try:
            return show(guess)
        except AssertionError:
            pass
"""
MOCK = "from unittest import mock\nshow = mock.Mock()\nf(show, 3)\n"
NUMPY = "import numpy as np\n"
FORGED = """
import sys
class Half(float):
    def __new__(cls, n): return float.__new__(cls, 0)
rpc = sys.modules["inoculate.grading.sandbox.rpc"]
contents, answers = rpc.contents, [100.0, -100.0]
def change(value):
    if type(value) is Half and sys._getframe(1).f_code.co_name == "_contents":
        return [answers.pop(0)]
    return contents(value)
rpc.contents = change
"""
ASYNC_CONTEXT = """
class C:
    def __init__(self, n): self.n = n
    async def __aenter__(self): return {answer}
    async def __aexit__(self, *error): return {swallows}
def f(n): return C(n)
"""
CASES = {
    "class as a method": Case("f", "r = f('abc')\nassert r.startswith('ab')", "def f(s): return s", (
        "class R: startswith = bool\ndef f(s): return R()",
        "class R:\n    @staticmethod\n    def startswith(p): return True\ndef f(s): return R",
        "class E(Exception):\n    def startswith(self, p): return True\ndef f(s): return E()")),
    "builtin as a method": Case("f", "assert f([1, 2]).issubset({1, 2, 3})", "def f(v): return set(v)", (
        "class R: issubset = bool\ndef f(v): return R()",)),
    "numpy's functions": Case("f", NUMPY + "assert np.array_equal(f(3), [0, 1, 4])",
                              NUMPY + "def f(n): return np.arange(n) ** 2", (
        "class R:\n    def __array_function__(self, *a): return True\ndef f(n): return R()",)),
    "numpy's operators": Case("f", NUMPY + "assert (np.array([0, 1, 4]) == f(3)).all()",
                              NUMPY + "def f(n): return np.arange(n) ** 2", (
        NUMPY + "class R:\n    def __array_ufunc__(self, *a, **k): return np.array([True])\ndef f(n): return R()",)),
    "mock's asserts": Case("f", MOCK + "show.assert_called_once_with(9)", "def f(show, n): show(n * n)", (
        "def f(show, n): show.assert_called_once_with = lambda *a: None",
        "def f(show, n): show.assert_called_once_with = bool",
        "def f(show, n):\n    show(0)\n    show.configure_mock(assert_called_once_with=bool)")),
    "mock's notes": Case("f", MOCK + "assert show.call_count == 3",
                         "def f(show, n):\n    for i in range(n): show(i)",
                         ("def f(show, n): show.call_count = n",)),
    "method of the test's": Case("f", HAS, "def f(a, n): a.add(n * n)", ("def f(a, n): a.has = lambda v: True",)),
    "assert as an oracle": Case("f", CALLBACK, "def f(show, n): show(n * n)", (READS, GUESSES)),
    "swallowed before an assert": Case("f", "with f(3) as r:\n    assert r.value == 9", CONTEXT, (SWALLOWS,)),
    "swallowed before a check": Case("f", "def look(r):\n    assert r.value == 9\nwith f(3) as r:\n    look(r)",
                                     CONTEXT, (SWALLOWS,)),
    "swallowed verdict": Case("f", "with f(3) as r:\n    if r.value != 9:\n        raise ValueError", CONTEXT, (
        CONTEXT.replace("9", "0").replace("return False", "return True"),)),
    "map that stops": Case("f", "r = f(3)\nassert all(map(lambda c: r[c] == c * c, range(3)))",
                           "def f(n): return [i * i for i in range(n)]", (
        "class R:\n    def __getitem__(self, i): raise StopIteration\ndef f(n): return R()",)),
    "map that stops elsewhere": Case("f", (
        "try:\n    next(f([]))\n    assert False\nexcept StopIteration:\n    pass\n"
        "assert all(map(lambda n: list(f([n])) == [n * n], range(4)))"),
        "def f(values): return (v * v for v in values)", ("def f(values): raise StopIteration",)),
    "iterator in a map": Case("f", "g = f(3)\nassert all(map(lambda i: next(g) == i * i, range(3)))",
                              "def f(n): return (i * i for i in range(n))", ("def f(n): return iter([])",)),
    "task that is cancelled": Case("f", ASYNC_TEST, "async def f(n): return n * n", (
        "import asyncio\nasync def f(n): raise asyncio.CancelledError",)),
    "test that is skipped": Case("f", ALL_PASS, SQUARE, ("import unittest\ndef f(n): raise unittest.SkipTest",)),
    "thread that ends": Case("f", (
        "import threading\ndef work():\n    assert f(3) == 9\n"
        "thread = threading.Thread(target=work)\nthread.start()\nthread.join()"), SQUARE, (
        "def f(n): return 0", "def f(n): raise ValueError", "def f(n): raise SystemExit")),
    "threads that take turns": Case("f", (
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(8) as pool:\n"
        "    assert list(pool.map(f, range(100))) == [n * n for n in range(100)]"), SQUARE, ("def f(n): return n",)),
    "contents that change": Case("Half", "h = Half(2)\nassert 0.9 < h < 1.1",
                                 "class Half(float):\n    def __new__(cls, n): return float.__new__(cls, n / 2)",
                                 (FORGED,)),
    "distance": Case("M", "for n in range(3):\n    assert abs(M(n) - 2.0 * n) < 1e-9",
                     "class M(float):\n    def __new__(cls, n): return float.__new__(cls, n * 2)", (
        "class M:\n    def __init__(self, n): pass\n    def __sub__(self, other): return 0",)),
    "asynchronous context": Case("f", (
        "import asyncio\nasync def main():\n    async with f(3) as r:\n        assert r == 9\nasyncio.run(main())"),
        ASYNC_CONTEXT.format(answer="self.n ** 2", swallows="False"),
        (ASYNC_CONTEXT.format(answer="0", swallows="True"),)),
    "calls in a text": Case("f", "assert eval('f(3)') == 9", SQUARE, ("def f(n): return 0",)),
    "names of modules": Case("f", "for test, winreg in [(1, 1), (2, 4)]:\n    assert f(test) == winreg", SQUARE,
                             ("def f(n): return 0",)),
    "method named like a search": Case("Solution.index", "def check(candidate):\n    assert candidate([1, 2], 2) == 1",
                                       "class Solution:\n    def index(self, v, x): return v.index(x)",
                                       ("class Solution:\n    def index(self, v, x): return 0",)),
    "answers that change": Case("f", "assert f(2) > 3.1 and f(2) < 3.2", "def f(n): return 3.15", (
        "said = 0\ndef f(n):\n    global said\n    said += 1\n    return (100, -100)[said % 2]",
        "said = 1\ndef f(n):\n    global said\n    said += 1\n    return (100, -100)[said % 2]")),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_only_the_right_solution_passes(name: str) -> None:
    case = CASES[name]
    task = CodeTask(case.entry, (f"assert callable({case.entry.partition('.')[0]})",), (case.test,))
    grades = list(grade_code([task] * (1 + len(case.wrong)), [case.right, *case.wrong]))
    assert [grade.intended for grade in grades] == [True, *[False] * len(case.wrong)], [g.detail for g in grades]


VECTOR = """
class V:
    def __init__(self, x): self.x = x
    def __add__(self, other): return V(self.x + other.x)
    def __eq__(self, other): return self.x == other.x
"""
LIAR = """
class V:
    def __init__(self, x): pass
    def __add__(self, other): return self
    def __eq__(self, other): return True
"""


@pytest.mark.parametrize(
    "test",
    [
        "assert V(1) + V(3) == V(4)",
        "assert V(1).__add__(V(3)) == V(4)",
        "x = [V(4)]\nassert V(1) + V(3) in x",
        "def check(candidate):\n    assert candidate(1) + candidate(3) == candidate(4)",
        "for a, b, c in [(V(1), V(3), V(4))]:\n    assert a + b == c",
        "import unittest\nclass T(unittest.TestCase):\n    def setUp(self):\n        self.v = V(1)\n"
        "    def test_sum(self):\n        self.assertEqual(self.v + V(3), V(4))",
        "i = V(1)\nj = V(2)\nassert [i, j].index(j) == 1",
        "values = [V(1), V(2)]\nvalues.remove(V(2))\nassert values[0].x == 1",
        "seen = {}\nseen[V(1)] = 2\nassert len(seen) == 1",
        "assert len({V(x) for x in (1, 1)}) == 1",
        "assert len(set([V(1), V(1)])) == 1",
    ],
)
def test_comparing_instances_is_forgeable(test: str) -> None:
    """Also where the instance is worked out: an answer of `True` to all of them would pass."""
    (planned,) = plan(CodeTask("V", (test,), ())).tests
    assert planned.method == "forgeable"


def test_a_test_may_silence_warnings() -> None:
    test = "import warnings\nwith warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n    assert f(3) == 9"
    (planned,) = plan(CodeTask("f", (test,), ())).tests
    assert planned.method == "remote"


def test_attributes_of_instances_are_compared() -> None:
    test = "for a, x in [(V(1), 1), (V(3), 3)]:\n    assert a.x == x and (a + V(1)).x == x + 1"
    task = CodeTask("V", (test,), ())
    assert [grade.intended for grade in grade_code([task] * 2, [VECTOR, LIAR])] == [True, False]


def test_hidden_comparison_of_instances_fails() -> None:
    task = CodeTask("V", ("make = dict(v=V)\nassert make['v'](1) == make['v'](2)",), ())
    assert [grade.intended for grade in grade_code([task], [LIAR])] == [False]


def test_a_callback_assert_about_itself_may_be_caught() -> None:
    test = (
        "calls = []\n@f\ndef late(x):\n    calls.append(x)\n    assert len(calls) >= 3\n    return x\n"
        "assert late(7) == 7 and len(calls) == 3"
    )
    retry = (
        "def f(function):\n    def tries(x):\n        while True:\n            try: return function(x)\n"
        "            except AssertionError: pass\n    return tries"
    )
    (grade,) = grade_code([CodeTask("f", (test,), ())], [retry])
    assert grade.intended is True


def test_messages_of_exceptions_can_be_written() -> None:
    task = CodeTask("f", ("assert f(3) == 9",), ())
    (grade,) = grade_code([task], ["open('/etc/\\udcff')\ndef f(n): raise ValueError('\\ud800')"])
    for text in (grade.detail, *(tag.detail for tag in grade.tags)):
        text.encode()
