"""A grader of the user's: what it may answer, and what happens when it raises, hangs or dies."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from inoculate.errors import UserError
from inoculate.grading import user_function
from inoculate.records import Grade, Problem
from inoculate.settings.rows import user_grader

GRADER = """
import os, sys, time

print("what it prints is nobody's answer")

def grade(problem, completion):
    print("nor this", problem["id"])
    if completion == "raise":
        return {}["nothing"]
    if completion == "exit":
        sys.exit(3)
    if completion == "die":
        os.kill(os.getpid(), 9)
    if completion == "hang":
        time.sleep(99)
    if completion == "forget":
        return None
    if completion == "numbers":
        return 1, 0
    if completion == "numpy":
        import numpy
        return numpy.bool_(True), numpy.array([1]).all() == 2
    if completion == "unreadable":
        return "malformed"
    return problem["wanted"] in completion, completion == problem["wanted"]
"""


@pytest.fixture
def grader(tmp_path: Path) -> str:
    (tmp_path / "judge.py").write_text(GRADER)
    return f"{tmp_path / 'judge.py'}:grade"


def graded(grader: str, completions: list[str], seconds: float = 60.0) -> list[Grade]:
    problems: list[dict[str, Any]] = [{"id": f"p{n}", "wanted": "yes"} for n in range(len(completions))]
    return list(user_grader.grade(grader, problems, completions, seconds))


def test_two_bools_or_malformed(grader: str) -> None:
    grades = graded(grader, ["yes", "yes, no", "no", "unreadable", "yes \ud800\0" + "x" * 10**6, "numpy"])
    assert [grade.outcome for grade in grades] == ["correct", "hack", "wrong", "malformed", "hack", "hack"]
    assert [(grade.oversight, grade.intended) for grade in grades[:3]] == [(True, True), (True, False), (False, False)]


@pytest.mark.parametrize(
    ("completion", "words"),
    [
        ("raise", "judge.py:9: KeyError: 'nothing'"),
        ("exit", "the grader's process ended (exit code 3)"),
        ("die", "the grader's process ended (exit code -9)"),
        ("forget", "returned None: a pair of bools"),
        ("numbers", "returned (1, 0): a pair of bools"),
    ],
)
def test_a_failure_is_no_score_and_names_the_problem(grader: str, completion: str, words: str) -> None:
    first, failed, last = graded(grader, ["yes", completion, "no"])
    assert (first.outcome, failed.outcome, last.outcome) == ("correct", "ungraded", "wrong")
    assert failed.oversight is failed.intended is None
    assert "problem 'p1': " in failed.detail
    assert words in failed.detail


def test_a_grader_that_hangs_is_stopped_and_asked_about_the_next(grader: str) -> None:
    grades = graded(grader, ["yes", "hang", "no"], seconds=2.0)
    assert [grade.outcome for grade in grades] == ["correct", "ungraded", "wrong"]
    assert "problem 'p1': the grader took longer than 2 s" in grades[1].detail


def test_one_that_always_hangs_is_given_up(grader: str) -> None:
    started = time.monotonic()
    with pytest.raises(UserError, match=r"too long, .* for 3 answers in a row; problem 'p2'"):
        graded(grader, ["hang"] * 50, seconds=0.5)
    assert time.monotonic() - started < 90  # of which it would have slept for 25


def test_one_that_always_ends_its_process_is_given_up(grader: str) -> None:
    with pytest.raises(
        UserError, match=r"for 3 answers in a row; problem 'p3': .*exit code 3\); it printed: nor this p3"
    ):
        graded(grader, ["yes", *["exit"] * 50])


def test_what_it_prints_is_shown_with_a_failure_only(grader: str, capfd: pytest.CaptureFixture[str]) -> None:
    kept, failed = graded(grader, ["yes", "raise"])
    assert capfd.readouterr() == ("", "")
    assert "printed" not in kept.detail
    assert failed.detail.endswith("judge.py:9: KeyError: 'nothing'; it printed: nor this p1")


def test_one_that_fails_for_every_answer_says_so(grader: str) -> None:
    with pytest.raises(UserError, match=r"failed for every one of 2 answers; problem 'p0': .*KeyError"):
        graded(grader, ["raise", "raise"])


@pytest.mark.parametrize(
    ("file", "text", "given", "words"),
    [
        ("judge.py", GRADER, "{}/judge.py", "file.py:function was expected"),
        ("judge.py", GRADER, "{}/judge.py:grad", "defines no function 'grad': did you mean 'grade'"),
        ("judge.py", GRADER, "{}/jugde.py:grade", "cannot be read"),
        ("judge.py", "def grade(:", "{}/judge.py:grade", r"judge.py:1: invalid syntax"),
    ],
)
def test_one_that_is_not_there_is_refused_without_running_it(
    tmp_path: Path, file: str, text: str, given: str, words: str
) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(UserError, match=words):
        user_grader.check_grader(given.format(tmp_path))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return None", r"judge.py:1: 'grade' returned None: a pair of bools"),
        ("return 'correct'", r"judge.py:1: 'grade' returned 'correct': a pair of bools"),
        ("return {'hack': True}", r"returned \{'hack': True\}"),
        ("return [True]", r"returned \[True\]"),
        ("return problem['unt'] in completion", r"judge.py:2: KeyError: 'unt'"),
        ("import os; os._exit(3)", r"process ended \(exit code 3\)"),
    ],
)
def test_one_that_has_no_grade_for_a_known_answer_is_refused_before_any_work(
    tmp_path: Path, body: str, words: str
) -> None:
    (tmp_path / "judge.py").write_text(f"def grade(problem, completion):\n    {body}\n")
    problem = Problem("p", "rows", "k", "rows", 1, "", "How long?", "5 m", "", "", {"own": {"unit": "m"}})
    with pytest.raises(UserError, match=f"tried on the answer '5 m' to problem 'p': .*{words}"):
        user_grader.check_starts(f"{tmp_path / 'judge.py'}:grade", problem)


def test_one_that_takes_long_is_left_to_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_function, "_TRIED_SECONDS", 0.1)
    (tmp_path / "judge.py").write_text("import time\ndef grade(problem, completion):\n    time.sleep(60)\n")
    problem = Problem("p", "rows", "k", "rows", 1, "", "How long?", "5 m", "", "", {})
    user_grader.check_starts(f"{tmp_path / 'judge.py'}:grade", problem)


def test_one_whose_file_fails_cannot_be_asked(tmp_path: Path) -> None:
    (tmp_path / "judge.py").write_text("import no_such_library\ndef grade(problem, completion): ...\n")
    with pytest.raises(UserError, match=r"cannot be started: .*judge.py:1: ModuleNotFoundError"):
        graded(f"{tmp_path / 'judge.py'}:grade", ["yes"])
