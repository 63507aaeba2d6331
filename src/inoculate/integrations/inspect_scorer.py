"""Outcomes as Inspect scores.

The value of a score is the outcome; the metric is the frequency of each outcome. An ungraded sample stays unscored,
since a failure of the grader is not a score.
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
_PROBLEM_FIELDS = tuple(field.name for field in fields(Problem))


def score_of(grade: Grade) -> Score:
    """A grade as a score, with the rest of the grade as metadata."""
    metadata: dict[str, Any] = asdict(grade)
    detail = metadata.pop("detail")
    if grade.outcome == "ungraded":
        return Score.unscored(reason="scoring_failed", explanation=detail, metadata=metadata)
    return Score(value=grade.outcome, explanation=detail, metadata=metadata)


def problem_of(metadata: dict[str, Any]) -> Problem:
    """The problem in a sample's metadata."""
    return Problem(**{name: metadata[name] for name in _PROBLEM_FIELDS if name in metadata})


@scorer(metrics=categorical(SCORED))
def outcome(oversight: str = "") -> Scorer:
    """Grade with the problem's own setting. Model-written code runs in the sandbox, on this machine.

    Args:
        oversight: The leaky check; by default the first of the setting.
    """

    async def score(state: TaskState, target: Target) -> Score:
        problem = problem_of(state.metadata)
        setting = settings.find(problem.setting)

        def grade() -> Grade:
            (graded,) = setting.grade([problem], [state.output.completion], oversight or setting.oversights[0])
            return graded

        async with concurrency("inoculate grading", cores()):
            return score_of(await anyio.to_thread.run_sync(grade))

    return score
