"""Our outcomes as Inspect's scores.

A score's value is the outcome, a word; its metric is the frequency of each. An ungraded sample is left unscored, for a
failure of our grader is no score.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import anyio
from inspect_ai.scorer import Score, Scorer, Target, categorical, scorer
from inspect_ai.solver import TaskState
from inspect_ai.util import concurrency

from inoculate import settings
from inoculate.grading.grade import cores
from inoculate.records import OUTCOMES, Grade, Problem

SCORED = OUTCOMES[:4]
_PROBLEM = tuple(field.name for field in fields(Problem))


def score_of(grade: Grade) -> Score:
    """A grade as a score, with all that the graders found beside it."""
    kept: dict[str, Any] = asdict(grade)
    detail = kept.pop("detail")
    if grade.outcome == "ungraded":
        return Score.unscored(reason="scoring_failed", explanation=detail, metadata=kept)
    return Score(value=grade.outcome, explanation=detail, metadata=kept)


def problem_of(metadata: dict[str, Any]) -> Problem:
    """The problem that a sample's metadata holds."""
    return Problem(**{name: metadata[name] for name in _PROBLEM if name in metadata})


@scorer(metrics=categorical(SCORED))
def outcome(oversight: str = "") -> Scorer:
    """Grade with the problem's own setting: model-written code runs in our sandbox, on this machine.

    Args:
        oversight: The leaky check; the setting's first unless given.
    """

    async def score(state: TaskState, target: Target) -> Score:
        problem = problem_of(state.metadata)
        setting = settings.find(problem.setting)

        def grade() -> Grade:
            (found,) = setting.grade([problem], [state.output.completion], oversight or setting.oversights[0])
            return found

        async with concurrency("inoculate grading", cores()):
            return score_of(await anyio.to_thread.run_sync(grade))

    return score
