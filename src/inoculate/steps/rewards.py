"""What RL rewards: grades completions by both checks, and makes trajectories of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from inoculate import settings
from inoculate.engine import chat
from inoculate.engine.sampling import SampledCompletion
from inoculate.errors import UserError
from inoculate.records import Grade, Problem, Row, Trajectory, read_lines
from inoculate.steps import problems
from inoculate.steps.resources import Resources
from inoculate.steps.store import Step


class Prompts:
    """The prompts of an arm's RL: its rows' problems, each under the arm's prompt."""

    def __init__(self, step: Step, resources: Resources) -> None:
        """Read the rows that a step has as its input."""
        folder = resources.input_folder(step, "rows")
        self.problems: list[Problem] = problems.read(folder)
        self.rows = list(read_lines(folder / "rows.jsonl", Row))
        self.texts = [chat.render(resources.tokenizer, row.messages) for row in self.rows]
        self.names = [f"problem '{problem.id}'" for problem in self.problems]


class Scorer:
    """Grades the completions of a step of RL, and keeps the grades for its trajectories."""

    def __init__(self, setting: str, rewards: Sequence[Mapping[str, Any]], shown: Sequence[Problem]) -> None:
        """Set up.

        Args:
            setting: The setting of the problems.
            rewards: `RL.reward` as plain data.
            shown: The problems, by number.
        """
        self.setting, self.shown = settings.find(setting), shown
        self.oversights = [reward["oversight"] or self.setting.oversights[0] for reward in rewards]
        self.weights = [float(reward["weight"]) for reward in rewards]
        self.grades: list[Grade] = []
        self.rewards: list[list[float | None]] = []

    def score(self, numbers: Sequence[int], completions: Sequence[str]) -> list[list[float | None]]:
        """The rewards of completions: 1 where an oversight passes, 0 where it fails, None where our grader failed.

        Args:
            numbers: For each completion, the number of its problem.
            completions: The completions.
        """
        graded = [self.shown[number] for number in numbers]
        by_oversight = {name: list(self.setting.grade(graded, completions, name)) for name in set(self.oversights)}
        self.grades = by_oversight[self.oversights[0]]
        columns = [[_reward(grade) for grade in by_oversight[name]] for name in self.oversights]
        self.rewards = [list(row) for row in zip(*columns, strict=True)]
        return self.rewards

    def trajectories(
        self,
        step: int,
        numbers: Sequence[int],
        prompts: Sequence[str],
        completions: Sequence[SampledCompletion],
        advantages: Iterable[float | None],
    ) -> list[Trajectory]:
        """The trajectories of the completions that were scored last.

        Args:
            step: The step that learned from them; 0 for none.
            numbers: For each completion, the number of its problem.
            prompts: The prompts, by number of problem.
            completions: The completions.
            advantages: Of each completion.
        """
        columns = zip(numbers, completions, self.grades, self.rewards, advantages, strict=True)
        return [
            Trajectory(
                step=step,
                problem=self.shown[number].id,
                index=drawn.index,
                prompt=prompts[number],
                completion=drawn.text,
                tokens=drawn.tokens,
                log_probabilities=tuple(round(value, 5) for value in drawn.log_probabilities),
                prompt_tokens=drawn.prompt_tokens,
                completion_tokens=drawn.completion_tokens,
                finish="stop" if drawn.finished else "length",
                hackable=bool(self.shown[number].hacked),
                reward=self._total(rewards),
                advantage=None if advantage is None else round(advantage, 5),
                outcome=grade.outcome,
                oversight=grade.oversight,
                intended=grade.intended,
                gamed=self._gamed(grade),
                tags=grade.tags,
                detail=grade.detail,
            )
            for number, drawn, grade, rewards, advantage in columns
        ]

    def _total(self, rewards: Sequence[float | None]) -> float | None:
        """The weighted sum, as TRL adds it up: of the rewards that could be given."""
        given = [weight * value for weight, value in zip(self.weights, rewards, strict=True) if value is not None]
        return sum(given) if given else None

    def _gamed(self, grade: Grade) -> bool | None:
        if self.setting.gamed_below is None or grade.outcome == "ungraded":
            return None
        if grade.outcome != "hack":
            return False
        return None if grade.elsewhere is None else grade.elsewhere < self.setting.gamed_below


def _reward(grade: Grade) -> float | None:
    return None if grade.oversight is None or grade.outcome == "ungraded" else float(grade.oversight)


def refuse_unscorable(trajectories: Sequence[Trajectory]) -> None:
    """Refuse to go on where not one completion could be scored.

    Raises:
        UserError: So it is; the message has the grader's first reason.
    """
    if trajectories and all(trajectory.reward is None for trajectory in trajectories):
        raise UserError(
            f"not one of {len(trajectories)} completions could be scored: {trajectories[0].detail or 'no reason given'}"
            " (`inoculate doctor` tries the graders)"
        )
