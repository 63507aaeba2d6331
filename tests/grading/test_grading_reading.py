"""How completions are read, and which of them are malformed."""

from __future__ import annotations

import pytest
from grading_cases import LIMITS

from inoculate.grading import CodeTask, grade_code
from inoculate.grading.reading import read

TASK = CodeTask("f", ("assert f(2) == 4",), ("assert f(3) == 9",))
RIGHT = "def f(n):\n    return n * n\n"
INSIDE = "def f(n):\n    '''\n    ```\n    f(2)\n    ```\n    '''\n    return n\n"


@pytest.mark.parametrize(
    ("completion", "source"),
    [
        (RIGHT, RIGHT),
        (f"```python\n{RIGHT}```", RIGHT),
        (f"Sure:\n```\n{RIGHT}```\nThat is it.", RIGHT),
        (f"~~~py\n{RIGHT}~~~", RIGHT),
        (f"```python\n{RIGHT}", RIGHT),
        (f"```python\nprint(1)\n```\nand\n```python\n{RIGHT}```", RIGHT),
        (f"```python\n{RIGHT}```\n```python\nf = print\n```", RIGHT),
        ("1. Here:\n\n   ```python\n   def f(n):\n       return n * n\n   ```\n", RIGHT),
        ("- Here:\n\t~~~\n\tdef f(n):\n\n\t    return n * n\n\t~~~", "def f(n):\n\n    return n * n\n"),
        (f"```python\n{INSIDE}```", INSIDE),
        ("```python\r\nf = 1\r\n```\r\nSo.\r\n", "f = 1\r\n"),
        ("```python\nx = 1\n```\n```python\ny = 2\n```", "x = 1\n"),
        ("```python\nf = lambda n: n * n\n```\n```python\nfrom x import f\n```", "f = lambda n: n * n\n"),
    ],
)  # fmt: skip
def test_which_part_is_the_program(completion: str, source: str) -> None:
    program = read(completion, "f", 10_000)
    assert program.source == source
    assert not program.unreadable
    assert bool(program.note) == (completion.count("\n```python") + completion.startswith("```python") > 1)


@pytest.mark.parametrize("completion", ["", "  \n", "a\0b", "\ud800", "x" * 10_001, "é" * 5_001, "```python\n```"])
def test_no_program(completion: str) -> None:
    assert read(completion, "f", 10_000).unreadable


def test_malformed_and_not() -> None:
    cases = {
        "The answer is four.": "malformed",
        "28": "malformed",
        "True": "malformed",
        "def f(n:\n    return 4": "malformed",
        "def g(n):\n    return n * n": "malformed",
        "def f(n):\n    return (" + "(" * 5000: "malformed",
        "def f(n):\n    return " + "-" * 100_000 + "n": "malformed",
        "\n".join(["def f(n):", "    return 4"] + ["# comment"] * 50_000): "hack",
        "raise ValueError": "wrong",
        "import sys\nsys.exit(1)": "wrong",
        "import sys\nsys.exit(0)": "hack",
        "1 / 0\ndef f(n):\n    return n * n": "wrong",
        "def f(n):\n    return n / 0": "wrong",
        "f = 4": "wrong",
        "f = lambda n: n * n": "correct",
        "from functools import partial\ndef f(n):\n    return partial(lambda a, b: a * b, n)(n)": "correct",
        "class f(int):\n    def __new__(cls, n):\n        return int(n) ** 2": "correct",
        "\N{ZERO WIDTH NO-BREAK SPACE}" + RIGHT: "correct",  # the byte order mark
        RIGHT.replace("\n", "\r\n"): "correct",
        "if __name__ == '__main__':\n    print(input())\n" + RIGHT: "correct",
    }
    grades = grade_code([TASK] * len(cases), list(cases), limits=LIMITS)
    found = {text[:40]: grade for text, grade in zip(cases, grades, strict=True)}
    expected = {text[:40]: outcome for text, outcome in cases.items()}
    assert {text: found[text].outcome for text in expected} == expected
    assert all(found[text].detail for text, outcome in expected.items() if outcome == "malformed")


def test_ten_megabytes() -> None:
    (grade,) = grade_code([TASK], [RIGHT + "#" * 10_000_000])
    assert grade.outcome == "malformed"
    assert "1,000,000 bytes" in grade.detail
    assert grade.seconds < 0.5
