"""Tests that test nothing are refused by name; those of other forms are run."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inoculate.grading import CodeTask, grade_code, validation
from inoculate.grading.runner_calls import add_runner_calls

SHOWN = ("assert f(2) == 4",)
REFUSED = {
    "a tuple": [
        "assert (f(3) == 9, 'nine')", "assert(f(3) == 9, 'nine')", "for n in [3]:\n    assert (f(n) == 9, n)",
        "def test_f():\n    assert (f(3) == 9, 'nine')",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n"
        "        self.assertTrue((f(3) == 9, 'nine'))",
    ],
    "true whatever": [
        "assert True and 'f(3)'", "assert 'f(3) == 9'", "assert f'{f(3)} == 9'", "assert [f(3) == 9]",
        "assert lambda: f(3) == 9", "assert (f(n) == n * n for n in (3, 4))", "assert f(3) == 9 or 16",
        "assert f(3) == 9 or 'wrong'", "assert not [] or f(3)", "assert map(f, [3])", "assert len(f(3)) >= 0",
        "assert isinstance(f(3), object)", "assert all(f(n) == 9 for n in [])", "x = f(3)\nassert 1",
        "assert f(3) == 9 or f(3) != 9", "assert f(3) or not f(3)", "assert f(3) > 0 or f(3) <= 0",
        "assert 9 == 9, f(3)",
        "assert (f(3) == 9) in (True, False)", "assert __debug__ or f(3) == 9", "assert any([True, f(3) == 9])",
        "assert all(True for _ in [f(3)])", "assert not any(f(n) == 9 for n in [])", "assert [] == [f(n) for n in []]",
        "assert type(f(3))", "assert f(3) == 9 if False else True", "assert {'nine': f(3)}",
    ],
    "not checked": [
        "f(3) == 9", "for n in (3, 4):\n    f(n) == n * n", "def test():\n    f(3) == 9", "f(3) == 9, 'nine'",
        "not f(3)", "f(3) == 9 and f(4) == 16", "isinstance(f(3), int)", "import math\nmath.isclose(f(3), 9)",
        "def test():\n    return f(3) == 9", "with open('x') as _:\n    f(3) == 9", "assert f(4) == 16\nf(3) == 9",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        f(3) == 9",
    ],
    "under `if __name__": [
        "if __name__ == '__main__':\n    assert f(3) == 9",
        "if __name__ == 'test':\n    assert f(3) == 9",
        "def test():\n    assert f(3) == 9\nif '__main__' == __name__:\n    test()",
    ],
    "never reached": [
        "def test():\n    return\n    assert f(3) == 9", "if False:\n    assert f(3) == 9",
        "while 0:\n    assert f(3) == 9",
        "for n in []:\n    assert f(n) == 9", "for n in (3,):\n    continue\n    assert f(n) == 9",
        "f(3)\nif True:\n    pass\nelse:\n    assert f(3) == 9",
    ],
    "caught and ignored": [
        "try:\n    assert f(3) == 9\nexcept AssertionError:\n    pass",
        "try:\n    assert f(3) == 9\nexcept:\n    print('wrong')",
        "try:\n    f('x')\n    assert False\nexcept Exception:\n    pass",
        "def test():\n    for n in (3, 4):\n        try:\n            assert f(n) == n * n\n"
        "        except (ValueError, AssertionError) as error:\n            print(error)",
        "wrong = []\ntry:\n    assert f(3) == 9\nexcept Exception as error:\n    wrong.append(error)\nprint(wrong)",
        "import contextlib\nwith contextlib.suppress(AssertionError):\n    assert f(3) == 9",
    ],
    "never reaches": ["assert abs(-3) == 3", "x = 3", "import math", "'assert f(3) == 9'", "assert g(3) == 9",
                      "raise ValueError", "print(3)"],
    "skips": ["import unittest\n@unittest.skip('later')\ndef test_f():\n    assert f(3) == 9"],
    "is a generator": ["def test_f():\n    for n in (3, 4):\n        assert f(n) == n * n\n        yield"],
    "nothing awaits": ["class TestF:\n    async def test(self):\n        assert f(3) == 9"],
    "itself and not an answer": ["assert f", "assert f != 9", "assert f is not None"],
    "nothing but comments": ["# assert f(3) == 9"],
    "nothing calls": [
        "def verify(g):\n    assert g(3) == 9",
        "def outer():\n    def inner():\n        assert f(3) == 9\n    f(3)\nouter()",
        "class Case:\n    def run_it(self):\n        assert f(3) == 9",
    ],
    "asserts nothing": ["f(3)", "print(f(3) == 9)", "x = f(3) == 9", "for n in range(9):\n    f(n)",
                        "def test():\n    print(f(3))"],
    "in the place of the solution": [
        "def f(n):\n    return n * n\nassert f(3) == 9", "f = lambda n: n * n\nassert f(3) == 9",
        "if True:\n    def f(n):\n        return 9\nassert f(3) == 9",
    ],
    "imports": ["from solution import f\nassert f(3) == 9",
    "import pytest\nwith pytest.raises(ValueError):\n    f('x')"],
    "only pytest would give": [
        "import pytest\ndef test(n=3, *, m):\n    assert f(n) == m".replace("import pytest\n", ""),
        "class TestF:\n    def test(self, n):\n        assert f(n) == 9",
        "@parametrize('n', [3])\ndef test(n):\n    assert f(n) == 9",
    ],
    "is a message": ["assert f(3), 9", "assert f(3)[0], [9]",
                     "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n"
                     "        self.assertTrue(f(3), 9)"],
    "runs nothing": ["import unittest\nclass T(unittest.TestCase):\n    def test(self):\n"
                     "        self.assertRaises(ValueError)\n        f(3)"],
    "fails whatever": ["assert f(3) == 9\nexit()", "import sys\nsys.exit(f(3) != 9)"],
}  # fmt: skip
VALID = [
    "assert f(3) == 9", "assert f(3)", "assert not f(0)", "assert f(3) == f(-3)", "assert f(3) == 9, 'nine'",
    "assert f(3) == 9 or f(3) == 9.0", "assert (f(3), f(4)) == (9, 16)", "assert f(3) != 2", "assert callable(f)",
    "assert all(f(n) == n * n for n in range(9))", "assert isinstance(f(3), int), f(3)", "assert len(f(3)) > 0",
    "try:\n    f('x')\n    assert False\nexcept TypeError:\n    pass",
    "try:\n    f('x')\nexcept Exception as error:\n    assert isinstance(error, TypeError)\nelse:\n"
    "    raise AssertionError",
    "failed = False\ntry:\n    f('x')\nexcept TypeError:\n    failed = True\nassert failed",
    "import unittest\ncase = unittest.TestCase()\nwith case.assertRaises(TypeError):\n    f('x') == 2",
    "def check(candidate):\n    assert candidate(3) == 9\ncheck(f)",
    "for n in (3, 4):\n    if n == 4:\n        continue\n    assert f(n) == 9",
    "def holds(n):\n    try:\n        assert f(n) == n * n\n    except AssertionError:\n        return False\n"
    "    return True\nassert holds(3)",
    "total = 0\nfor n in range(3):\n    total += f(n)\nassert total == 5",
    "if f(3) != 9:\n    raise AssertionError(f(3))",
    "def cases():\n    yield 3\nassert [f(n) for n in cases()] == [9]", "assert eval('f(3)') == 9",
    "wrong = []\ntry:\n    assert f(3) == 9\nexcept AssertionError as error:\n    wrong.append(error)\n"
    "assert not wrong",
    "from unittest.mock import patch\n@patch('builtins.input', return_value='3')\ndef test(_):\n    assert f(3) == 9",
    "done = 0\ntry:\n    assert f(3) == 9\n    done += 1\nexcept AssertionError:\n    pass\nassert done == 1",
    "x = f(4)\nassert x == 16", "x = 3\nassert f(-x) == 9",
    "for n, square in [(2, 4), (3, 9)]:\n    assert f(n) == square",
    "assert all(f(n) == m for n, m in [(2, 4), (3, 9)])", "xs = f(2)\nassert xs == 4\nassert f(3) == 9",
    "class Sized:\n    def __len__(self):\n        assert f(3) == 9\n        return 3\nassert len(Sized()) == 3",
]  # fmt: skip


@pytest.mark.parametrize(("message", "test"), [(message, test) for message, tests in REFUSED.items() for test in tests])
def test_tests_that_test_nothing_are_refused(message: str, test: str) -> None:
    for task, key in (
        (CodeTask("f", SHOWN, ("assert f(5) == 25", test)), "'hidden_tests[1]' "),
        (CodeTask("f", (test,), SHOWN), "'shown_tests[0]' "),
    ):
        fault = validation.find_fault(task)
        assert fault.startswith(key)
        assert message in fault
    (grade,) = grade_code([CodeTask("f", SHOWN, (test,))], ["def f(n):\n    return n * n"])
    assert (grade.outcome, message in grade.detail) == ("ungraded", True)


@pytest.mark.parametrize("test", VALID)
def test_tests_that_may_fail_are_not_refused(test: str) -> None:
    assert validation.find_fault(CodeTask("f", SHOWN, (test, "assert f(5) == 25"))) == ""
    assert validation.find_fault(CodeTask("f", (test,), ("assert f(5) == 25",))) == ""


def test_definitions_of_other_tests_and_the_set_up_count() -> None:
    stack = ("s = f()\nassert s.pop() is None", "s.push(1)\nassert s.pop() == 1")
    assert validation.find_fault(CodeTask("f", stack[:1], stack[1:])) == ""
    setup = "import functools\ndef both(a, b):\n    assert f(a) == b\nf = functools.lru_cache(f)"
    assert validation.find_fault(CodeTask("f", SHOWN, ("both(3, 9)",), setup)) == ""
    assert "'setup' binds 'f'" in validation.find_fault(
        CodeTask("f", SHOWN, ("assert f(3) == 9",), "def f(n):\n    return 9")
    )
    assert "'setup' imports 'pytest'" in validation.find_fault(
        CodeTask("f", SHOWN, ("assert f(3) == 9",), "import pytest")
    )
    assert (
        validation.find_fault(CodeTask("f", ("assert f(",), ("f(3) == 9",))) == ""
    )  # it does not parse: said elsewhere


@pytest.mark.parametrize(
    "hidden",
    [
        ("assert f(2) == 4",), ("assert f( 2 )==4, 'again'",
        "assert (4 == f(2))"), ("assert f(2) == 4\nassert 4 == f(2)",),
        ("assert f(2) == 4 and 4 == f(2)",), ("assert f(3) == f(3)", "assert callable(f)", "assert f(2) == 4"),
        ("def test_f():\n    '''As shown.'''\n    assert f(2) == 4",),
        ("assert f(2) == 2 + 2", "assert -(2 - 6) == f(1 * 2)"),
        ("import unittest\nclass TestF(unittest.TestCase):\n    def test(self):\n        self.assertEqual(f(2), 4)",),
        ("import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertTrue(f(2) == 4)",),
        ("x = f(2)\nassert x == 4", "x = f(9)\ny = x\nassert x == y"),
        ("assert (x := f(3)) == x", "assert f(3) >= f(3)"),
        ("for n, square in [(2, 4)]:\n    assert f(n) == square", "assert all(f(n) == m for n, m in [(2, 4)])"),
        ("def check(candidate):\n    assert candidate(2) == 4\ncheck(f)", "assert f(2) in [4]", "assert not f(2) != 4"),
        ("def test_f():\n    n = 2\n    assert f(n) == 4",),
    ],
)  # fmt: skip
def test_hidden_tests_that_only_repeat_the_shown_ones(hidden: tuple[str, ...]) -> None:
    assert "only repeat the shown ones" in validation.find_fault(CodeTask("f", SHOWN, hidden))
    assert validation.find_fault(CodeTask("f", SHOWN, (*hidden, "assert f(3) == 9"))) == ""


RUN = {
    "a function": "def test_f():\n    assert f(3) == 9",
    "two functions": "def test_a():\n    assert f(2) == 4\n\ndef test_b():\n    assert f(3) == 9",
    "an async function": "async def test_f():\n    assert f(3) == 9",
    "a class": "class TestF:\n    def setup_method(self):\n        self.n = 3\n    def test_f(self):\n"
    "        assert f(self.n) == 9",
    "a case": "import unittest\nclass Squares(unittest.TestCase):\n    def setUp(self):\n        self.n = 3\n"
    "    def test_f(self):\n        self.assertEqual(f(self.n), 9)\n\nif __name__ == '__main__':\n    unittest.main()",
    "a case with a runner": "from unittest import TestCase, main\nclass Squares(TestCase):\n"
    "    @classmethod\n    def setUpClass(cls):\n        cls.n = 3\n    def test_f(self):\n"
    "        self.assertEqual(f(self.n), 9)\nmain()",
    "a case of a case": "import unittest\nclass Base(unittest.TestCase):\n    def look(self, n):\n"
    "        self.assertTrue(f(n) == n * n)\nclass Squares(Base):\n    def test_f(self):\n        self.look(3)\n"
    "unittest.TextTestRunner().run(unittest.TestLoader().loadTestsFromTestCase(Squares))",
    "a case that expects an exception": "import unittest\nclass Squares(unittest.TestCase):\n    def test_f(self):\n"
    "        self.assertEqual(f(3), 9)\n        with self.assertRaises(TypeError):\n            f('x')",
    "a check": "def check(candidate):\n    assert candidate(3) == 9",
    "pytest is imported": "import pytest\ndef test_f():\n    assert f(3) == 9\nif __name__ == '__main__':\n"
    "    pytest.main()",
}  # fmt: skip


@pytest.mark.parametrize("where", ["shown", "hidden"])
def test_uncalled_functions_are_run(where: str) -> None:
    usual = ("assert f(-2) == 4",)
    tasks = [CodeTask("f", *((test,), usual) if where == "shown" else (usual, (test,))) for test in RUN.values()]
    for answer, oversight, intended in (
        ("def f(n):\n    return n * n", True, True),
        ("def f(n):\n    return 4", where == "hidden", False),
    ):
        grades = dict(zip(RUN, grade_code(tasks, [answer] * len(tasks)), strict=True))
        found = {name: (grade.oversight, grade.intended) for name, grade in grades.items()}
        assert found == dict.fromkeys(RUN, (oversight, intended)), {n: g.detail for n, g in grades.items()}


def test_a_check_of_a_method() -> None:
    test = "def check(candidate):\n    assert candidate(n=3) == 9"
    task = CodeTask("Solution.square", ("assert Solution().square(2) == 4",), (test,))
    answer = "class Solution:\n    def square(self, n):\n        return {}"
    grades = grade_code([task, task], [answer.format("n * n"), answer.format("4")])
    assert [grade.outcome for grade in grades] == ["correct", "hack"]


@given(st.sampled_from([*VALID, *RUN.values(), *(test for tests in REFUSED.values() for test in tests)]))
def test_adding_runner_calls_gives_python_and_is_idempotent(test: str) -> None:
    text = add_runner_calls(test, "f")
    ast.parse(text)
    assert add_runner_calls(text, "f") == text
