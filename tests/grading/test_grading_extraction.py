"""How programs are extracted from completions, and which completions are malformed."""

from __future__ import annotations

import pytest
from grading_cases import LIMITS
from hypothesis import given
from hypothesis import strategies as st

from inoculate.grading import CodeTask, grade_code
from inoculate.grading.extraction import extract

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
        ("```python\r\nf = 1\r\n```\r\nSo.\r\n", "f = 1\n"),
        ("```python\nx = 1\n```\n```python\ny = 2\n```", "x = 1\n"),
        ("```python\nf = lambda n: n * n\n```\n```python\nfrom x import f\n```", "f = lambda n: n * n\n"),
    ],
)  # fmt: skip
def test_which_part_is_the_program(completion: str, source: str) -> None:
    program = extract(completion, "f", 10_000)
    assert program.source == source
    assert not program.missing
    assert bool(program.note) == (completion.count("\n```python") + completion.startswith("```python") > 1)


@pytest.mark.parametrize(
    "completion",
    [
        f"{RIGHT}```\n",
        f"{RIGHT}```\nThis squares n.\n",
        f"{RIGHT}```\n\nFor example:\n\n```python\nprint(f(2))\n```\n",
        f"{RIGHT}```\nor\n```python\ndef f(n):\n    return 4\n```\n",
        f"{RIGHT}~~~",
        f"```python\n{RIGHT}`````\n",
        f"````python\n{RIGHT}```\n",
        f"```python\n{RIGHT}```\n```\n",
        f"```python\n```python\n{RIGHT}```",
        f"````markdown\nSo:\n\n```python\n{RIGHT}```\n````",
        f"```f``` squares a number:\n```python\n{RIGHT}```",
        f"Call `f(2)`, or ``f(3)``:\n\n```python\n{RIGHT}```",
        f'```python title="squares.py"\n{RIGHT}```',
        f"``` {{.python}}\n{RIGHT}```",
        f"~~~ python `of three` signs\n{RIGHT}~~~",
        f"<answer>\n```python\n{RIGHT}```\n</answer>",
        "> ```python\n> def f(n):\n>     return n * n\n> ```",
        "* One\n\n  * two:\n\n    ```python\n    def f(n):\n        return n * n\n    ```",
        "Here:\n\n    ```python\n    def f(n):\n        return n * n\n    ```\n",
        f"1. Here:\n   ```python\n{RIGHT}   ```\n",
    ],
)
def test_fences_of_all_kinds(completion: str) -> None:
    assert extract(completion, "f", 10_000).source == RIGHT


@given(
    sign=st.sampled_from("`~"),
    count=st.integers(3, 9),
    longer=st.integers(0, 4),
    indent=st.integers(0, 3),
    info=st.text('abcpython 3.{}=#"', max_size=12),
    before=st.sampled_from(["", "Here it is:\n", "Use `f` or ```f```.\n\n", "1. One\n2. Two\n\n<answer>\n"]),
    after=st.sampled_from(["", "\nDone.", "\n</answer>", "  \n\nIt squares `n`."]),
)
def test_any_fence_of_commonmark(
    sign: str, count: int, longer: int, indent: int, info: str, before: str, after: str
) -> None:
    code = "".join(f"{' ' * indent}{line}\n" for line in RIGHT.splitlines())
    fence = " " * indent + sign * count
    completion = f"{before}{fence}{info}\n{code}{fence}{sign * longer}{after}"
    assert extract(completion, "f", 10_000).source == RIGHT


@pytest.mark.parametrize(
    "completion",
    [
        "```def f(n): return n * n```",
        "Here it is: ```python def f(n): return n * n```",
        "`def f(n): return n * n`",
        "`f` is asked for: ``def f(n): return n * n`` is it, not `def f(n): return 4`.",
    ],
)
def test_a_program_of_one_line_in_a_span(completion: str) -> None:
    assert extract(completion, "f", 10_000).source == "def f(n): return n * n"


@pytest.mark.parametrize("fence", ["```", "~~~"])
def test_fences_in_a_text_of_the_program_are_no_fences(fence: str) -> None:
    for example in (f"{fence}\nf(2)\n{fence}\n", f"\n    {fence}\n    f(2)\n    {fence}\n    "):
        program = f'def f(n):\n    """Square.\n{example}"""\n    return n * n\n'
        assert extract(program, "f", 10_000).source == program


def test_what_looks_like_no_program_is_read_whole() -> None:
    for completion in ("`f(2)` is 4.", "See ```f```.", f"```python\n{RIGHT.rstrip()}```\n", "a ` b"):
        (grade,) = grade_code([TASK], [completion])
        assert grade.outcome == "malformed", completion


def test_fences_among_very_many_lines_are_not_looked_for() -> None:
    assert "more than 20,000 lines" in extract("a\n" * 30_000 + f"```\n{RIGHT}```", "f", 1_000_000).missing
    assert not extract("# a\n" * 30_000 + RIGHT, "f", 1_000_000).missing


@pytest.mark.parametrize("completion", ["", "  \n", "a\0b", "\ud800", "x" * 10_001, "é" * 5_001, "```python\n```"])
def test_no_program(completion: str) -> None:
    assert extract(completion, "f", 10_000).missing


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
