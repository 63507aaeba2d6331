"""Functions of the user's as rewards.

    def reward(problem, completion):
        return 0.5      # any finite number, of Python, NumPy or torch; None where none can be given

`problem` is a dict: `id`, `kind`, `system`, `prompt`, `honest`, `hacked`, and what the setting's graders know of it. A
completion for which the function raises, hangs, dies or returns something else is unscorable, and nothing is learned
from it. A step in which all completions are unscorable ends that training (`rewards.Scorer.score`): the run
goes on without the arm at that seed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from numbers import Real
from typing import Any, cast

from inoculate.errors import UserError
from inoculate.grading import user_function
from inoculate.grading.user_function import Answer, FunctionFailed, UserFunction
from inoculate.records import Problem
from inoculate.steps.store import digest_files
from inoculate.study.schema import Arm, Study

ROLE = "reward"
LARGEST = 1e15
"""Rewards are float32 in training, where the squares of larger ones are infinite, and with them the weights not a
number."""


def plan_files(arm: Arm) -> dict[str, Any]:
    """The content of the functions' files, as a parameter of a step; no parameter where there is no function."""
    return digest_files(*(reward.function.rpartition(":")[0] for reward in arm.rl.reward if reward.function))


def check_starts(study: Study, needed: Collection[str]) -> None:
    """Load functions of a study once each, so that one that cannot be loaded is refused before any work.

    Args:
        study: The study.
        needed: Those of its functions that are still to be called.

    Raises:
        UserError: A function does not exist, or its file fails when it is run; the message names the key.
    """
    keys = {
        reward.function: f"arms.{name}.rl.reward.{number}.function"
        for name, arm in study.arms.items()
        for number, reward in enumerate(arm.rl.reward if arm.is_rewarded else ())
    }
    for function, key in keys.items():
        if function in needed:
            try:
                user_function.check_starts(function, ROLE, convert)
            except UserError as error:
                raise UserError(f"{key}: {error}") from None


def make_process(function: str) -> UserFunction:
    """The function, whose process starts when it is asked first."""
    return UserFunction(function, ROLE, convert)


def ask(function: UserFunction, problems: Sequence[Problem], completions: Sequence[str]) -> list[Answer]:
    """The numbers that a function gives completions.

    After several time-outs in a row it is not asked for the rest of them: they are unscorable too.

    Args:
        function: From `make_process`.
        problems: [N] What each completion answers.
        completions: [N] The completions.

    Raises:
        UserError: Its process cannot be started.
    """
    found: list[Answer] = []
    try:
        for answer in function.ask(list(map(user_function.describe_problem, problems)), completions):
            found.append(answer)
    except FunctionFailed as error:
        found += [Answer(None, f"not asked: {error}")] * (len(completions) - len(found))
    return found


def convert(result: Any) -> float:
    """What a function returned, as a number.

    Raises:
        UserError: It is something else than what is due.
    """
    value = user_function.plain(result)
    if not isinstance(value, Real) or not -LARGEST <= cast(float, value) <= LARGEST:  # nan too
        raise UserError(f"returned {user_function.shown(result)}: a number from {-LARGEST:g} to {LARGEST:g} is due")
    return float(value)
