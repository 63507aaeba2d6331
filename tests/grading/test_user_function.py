"""A function of the user's in its own process: whatever it does there is an answer, or a reason, within the limit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from inoculate.errors import UserError
from inoculate.grading.user_function import UserFunction, plain
from inoculate.settings.rows import user_grader
from inoculate.steps import reward_functions

MISBEHAVES = {
    "closes its end and goes on": ("os.close(end)\n    time.sleep(99)", "without an answer"),
    "closes its end in another process": ("if os.fork() == 0: time.sleep(99)\n    os._exit(3)", "exit code 3"),
    "half an answer": ("os.write(end, b'[1')\n    time.sleep(99)", "longer than 1 s"),
    "no answer": ("os.write(end, b'hello\\n')\n    time.sleep(99)", "not an answer"),
    "half an answer, and ends": ("os.write(end, b'{')\n    os._exit(4)", "exit code 4"),
    "endless answer": ("while True: os.write(end, b'1' * 65536)", "not an answer"),
}
"""What a function does with the descriptor `end` of its process, and words of the reason."""
PROGRAM = """
import os, sys, time
def judge(problem, completion):
    if completion == "well":
        return 0.5
    end = int(sys.argv[1])
    {body}
"""


@pytest.mark.parametrize("name", MISBEHAVES)
def test_it_is_stopped_after_the_limit_and_started_again(name: str, tmp_path: Path) -> None:
    body, words = MISBEHAVES[name]
    file = tmp_path / "mine.py"
    file.write_text(PROGRAM.format(body=body))
    with UserFunction(f"{file}:judge", "reward", reward_functions.convert, seconds=1) as function:
        answers = list(function.ask([{"id": "p"}] * 3, ["well", "badly", "well"]))
    assert [answer.value for answer in answers] == [0.5, None, 0.5]
    assert words in answers[1].error and "\n" not in answers[1].error


def test_one_that_reads_nothing_is_stopped_too(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    text = "import os, threading, time\ndef judge(problem, completion):\n    {0}\n    return 0.5\n"
    body = "threading.Timer(.3, os.kill, (os.getpid(), 19)).start()"  # it stops itself once it has answered
    file.write_text(text.format(body))
    with UserFunction(f"{file}:judge", "reward", reward_functions.convert, seconds=2) as function:
        first = list(function.ask([{"id": "p"}], ["well"]))
        import time

        time.sleep(1)
        second = list(function.ask([{"id": "p"}], ["long" * 1_000_000]))
    assert first[0].value == 0.5 and "longer than 2 s" in second[0].error


NUMBERS = [
    numpy.float32(0.5), numpy.float64(0.5), numpy.float16(0.5), numpy.array(0.5), torch.tensor(0.5),
    torch.tensor(0.5, dtype=torch.bfloat16), torch.tensor(0.5, requires_grad=True), 0.5,
]  # fmt: skip
ONES = [numpy.int64(1), numpy.uint8(1), numpy.bool_(True), torch.tensor(1), torch.tensor(True), numpy.array(True), True]


def test_a_scalar_of_a_library_is_a_number() -> None:
    assert [reward_functions.convert(value) for value in [*NUMBERS, *ONES]] == [0.5] * len(NUMBERS) + [1.0] * len(ONES)
    assert {type(plain(value)) for value in NUMBERS} == {float}


@pytest.mark.parametrize(
    "value",
    [numpy.array([0.5]), numpy.array([0.5, 1.0]), torch.tensor([0.5]), torch.zeros(2, 2), numpy.array([]), None, "1",
     numpy.str_("1"), b"1", [0.5], float("nan"), numpy.float32("inf"), torch.tensor(float("nan")), 1e300, 10**400,
     -(10**400), 1j, numpy.complex64(1), object(), torch.Size([]), numpy.float32, numpy.datetime64("2026-01-01")],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_anything_else_is_refused_with_a_sentence(value: Any) -> None:
    with pytest.raises(UserError, match="a number from -1e\\+15 to 1e\\+15 is due"):
        reward_functions.convert(value)


@pytest.mark.parametrize("yes", [numpy.bool_(True), torch.tensor(True), numpy.array(True), True])
def test_a_grader_may_answer_with_bools_of_a_library(yes: Any) -> None:
    assert user_grader.convert((yes, False)) == [True, False]
    assert type(user_grader.convert((yes, False))[0]) is bool


@pytest.mark.parametrize("value", [numpy.array([True, False]), torch.tensor([True]), 1, 1.0, numpy.int64(1), None])
def test_a_grader_answers_with_nothing_but_bools(value: Any) -> None:
    with pytest.raises(UserError, match="a pair of bools"):
        user_grader.convert((value, False))


def test_torch_is_not_imported_for_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("import sys\ndef judge(problem, completion):\n    return 'torch' in sys.modules\n")
    with UserFunction(f"{file}:judge", "reward", reward_functions.convert) as function:
        assert next(function.ask([{"id": "p"}], [""])).value == 0.0
    assert "torch" in sys.modules  # here it is
