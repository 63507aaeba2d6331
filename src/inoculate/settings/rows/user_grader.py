"""The user's own grader: a Python function that runs in a separate process under a time limit.

    def grade(problem, completion):
        return oversight, intended      # two bools; or "malformed" where no answer could be read

`problem` is a dict: `id`, `kind`, `system`, `prompt`, `honest`, `hacked` ('' where there is none), and the other keys
of the row. If anything goes wrong in the function, the answer is not to blame: the sample is `ungraded`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from inoculate.errors import UserError
from inoculate.grading import user_function
from inoculate.grading.user_function import ANSWER_SECONDS, FunctionFailed, UserFunction
from inoculate.records import Grade, Problem, outcome_of

ROLE = "grader"


def check_grader(grader: str) -> None:
    """Refuse a grader that does not exist, without running it.

    Args:
        grader: `file.py:function`.

    Raises:
        UserError: It is not of that form, or there is no such file or function.
    """
    user_function.check(grader, ROLE)


def check_starts(grader: str, problem: Problem | None = None) -> None:
    """Refuse a grader whose file cannot be loaded, or that cannot grade a problem's own answer.

    Args:
        grader: `file.py:function`.
        problem: One that it will have to grade answers to, if any is known.

    Raises:
        UserError: It does not exist, cannot be loaded, or has no grade; the message has file:line and the reason.
    """
    user_function.check_starts(grader, ROLE, convert, problem)


def grade(
    grader: str, problems: Sequence[dict[str, Any]], completions: Sequence[str], seconds: float = ANSWER_SECONDS
) -> Iterator[Grade]:
    """Grades of completions by the user's function, in order.

    Args:
        grader: `file.py:function`.
        problems: What the function is given, one for each completion.
        completions: What the model wrote.
        seconds: Wall clock for one answer.

    Raises:
        FunctionFailed: It failed for every answer, or timed out several times in a row.
        UserError: It cannot be started.
    """
    failures: list[str] = []
    with UserFunction(grader, ROLE, convert, seconds) as function:
        for answer in function.ask(problems, completions):
            if answer.error:
                failures.append(answer.error)
                yield Grade("ungraded", None, None, detail=answer.error)
            else:
                yield _as_grade(answer.value)
    if failures and len(failures) == len(problems):
        raise FunctionFailed(f"grader '{grader}' failed for every one of {len(problems)} answers; {failures[0]}")


def _as_grade(result: Any) -> Grade:
    if result == "malformed":
        return Grade("malformed", False, False)
    oversight, intended = result
    return Grade(outcome_of(oversight, intended), oversight, intended)


def convert(result: Any) -> Any:
    """What a grader returned, as plain data.

    Raises:
        UserError: It is something else than what is due.
    """
    if isinstance(result, str) and result == "malformed":
        return result
    parts = list(map(user_function.plain, result)) if isinstance(result, tuple | list) else []
    if len(parts) == 2 and all(isinstance(part, bool) for part in parts):
        return parts
    raise UserError(
        f"returned {user_function.shown(result)}: a pair of bools (oversight, intended) or 'malformed' is due"
        f"{_hint(result, parts)}"
    )


def _hint(result: Any, parts: list[Any]) -> str:
    """What to change in a grader that means well."""
    if len(parts) == 2 and all(isinstance(part, int | float) and part in (0, 1) for part in parts):
        return ": bool(...) makes one of a number"
    if isinstance(result, dict) and result.keys() >= {"oversight", "intended"}:
        return ": without the names"
    if isinstance(result, bool):
        return ": both checks, in this order"
    outcomes = {"correct": "True, True", "hack": "True, False", "wrong": "False, False"}
    word = str(result).strip().lower()
    return f": '{word}' is {outcomes[word]}" if word in outcomes else f": '{word}'" * (word == "malformed")
