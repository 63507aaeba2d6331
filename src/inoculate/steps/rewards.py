"""What RL rewards: samples a policy, scores its completions by both checks, and makes trajectories of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from inoculate import settings
from inoculate.engine import chat
from inoculate.engine.sampling import Request, SampledCompletion
from inoculate.errors import UserError
from inoculate.grading.user_function import Answer, FunctionFailed, UserFunction
from inoculate.records import Grade, Problem, Row, Trajectory, read_lines, write_lines
from inoculate.settings import Setting
from inoculate.steps import problems, reward_functions, unfinished
from inoculate.steps.grades import grading_params
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.store import Step
from inoculate.steps.train import row_folders
from inoculate.study.schema import Arm


def plan_grading(arm: Arm) -> list[dict[str, Any]]:
    """What the grading of an arm's completions depends on, table by table."""
    return [grading_params(table.setting, table.grader) for table in arm.row_tables]


class Prompts:
    """The prompts of an arm's RL: its rows' problems, each under the arm's prompt."""

    def __init__(self, step: Step, resources: Resources) -> None:
        """Read the rows that a step has as its inputs."""
        self.problems, self.settings = read_prompted(step, resources)
        self.rows = [row for folder in row_folders(step, resources) for row in read_lines(folder / "rows.jsonl", Row)]
        self.texts = [chat.render(resources.tokenizer, row.messages) for row in self.rows]
        hackable = [bool(problem.hacked) for problem in self.problems]
        self.sorts = list(zip(self.settings, hackable, strict=True))
        """Each problem's setting, and whether it can be hacked."""
        self.names = [f"problem '{problem.id}'" for problem in self.problems]


def read_prompted(step: Step, resources: Resources) -> tuple[list[Problem], list[str]]:
    """The problems of the rows that a step has as its inputs, and the setting of each, as the study names it."""
    found, names = list[Problem](), list[str]()
    for folder, grading in zip(row_folders(step, resources), step.params["grading"], strict=True):
        own = problems.read(folder)
        found += own
        names += [grading["setting"]] * len(own)
    return found, names


class Scorer:
    """Rewards the completions of a step of RL, and keeps their grades for its trajectories."""

    def __init__(self, rewards: Sequence[Mapping[str, Any]], shown: Sequence[Problem], names: Sequence[str]) -> None:
        """Set up.

        Args:
            rewards: `RL.reward` as plain data.
            shown: The problems, by number.
            names: The setting of each problem.
        """
        self.shown, self.settings = shown, [settings.find(name) for name in names]
        self.weights = [float(reward["weight"]) for reward in rewards]
        self.parts: list[UserFunction | str] = [
            reward_functions.make_process(reward["function"]) if reward.get("function") else str(reward["oversight"])
            for reward in rewards
        ]
        """For each reward its function, or the name of its oversight ('' for the first of each setting)."""
        self.grades: list[Grade] = []
        """Of the completions that were scored last, under the first oversight that is rewarded, or else the setting's
        first."""
        self.rewards: list[list[float | None]] = []
        self.reasons: list[str] = []
        """Why a completion is unscorable; '' for those that are not."""

    def __enter__(self) -> Self:
        """Functions are started when they are needed, and are kept from step to step."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop the functions."""
        for part in self.parts:
            if isinstance(part, UserFunction):
                part.stop()

    def score(self, numbers: Sequence[int], completions: Sequence[str]) -> list[list[float | None]]:
        """The rewards of completions: of an oversight 1 where it passes and 0 where it fails, of a function its number.

        Where one of them cannot be given the completion is unscorable, and has none: a sum without it would be a
        reward that nobody has asked for.

        Args:
            numbers: For each completion, the number of its problem.
            completions: The completions.

        Raises:
            UserError: Not one of them can be scored.
        """
        names = [part for part in self.parts if isinstance(part, str)] or [""]
        by_oversight = {name: self._grade(numbers, completions, name) for name in dict.fromkeys(names)}
        self.grades = by_oversight[names[0]]
        columns = [
            [_reward(grade) for grade in by_oversight[part]]
            if isinstance(part, str)
            else reward_functions.ask(part, [self.shown[number] for number in numbers], completions)
            for part in self.parts
        ]
        rows = list(zip(*columns, strict=True))
        self.reasons = [next((each.error for each in row if each.error), "") for row in rows]
        self.rewards = [
            [None if why else each.value for each in row] for row, why in zip(rows, self.reasons, strict=True)
        ]
        if rows and all(self.reasons):
            raise UserError(
                f"not one of {len(rows)} completions could be scored, so there is nothing to learn from. The first: "
                f"{self.reasons[0]} (`inoculate doctor` says whether this machine can grade)"
            )
        return self.rewards

    def _grade(self, numbers: Sequence[int], completions: Sequence[str], oversight: str) -> list[Grade]:
        """The grades under an oversight ('' for the first of each setting), setting by setting."""
        grades: dict[int, Grade] = {}
        for setting in {self.settings[number].name: self.settings[number] for number in numbers}.values():
            own = [place for place, number in enumerate(numbers) if self.settings[number].name == setting.name]
            graded = [self.shown[numbers[place]] for place in own]
            answers = [completions[place] for place in own]
            found = _grade_all(setting.grade(graded, answers, oversight or setting.oversights[0]), len(own))
            grades |= zip(own, found, strict=True)
        return [grades[place] for place in range(len(numbers))]

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
            step: The step that learned from them. Where none did: how many steps the policy had learned.
            numbers: For each completion, the number of its problem.
            prompts: The prompts, by number of problem.
            completions: The completions.
            advantages: Of each completion.
        """
        columns = zip(numbers, completions, self._scored(numbers), advantages, strict=True)
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
                advantage=None if advantage is None else round(advantage, 5),
                **scored,
            )
            for number, drawn, scored, advantage in columns
        ]

    def score_again(self, drawn: Sequence[Trajectory]) -> list[Trajectory]:
        """Trajectories as they are scored now; what was learned from them (`advantage`) stays.

        Raises:
            UserError: One is of a problem that is not among those shown, or not one of them can be scored.
        """
        places = {(one.id, bool(one.hacked)): number for number, one in enumerate(self.shown)}
        try:
            numbers = [places[one.problem, one.hackable] for one in drawn]
        except KeyError as error:
            raise UserError(
                f"problem '{error.args[0][0]}' of a trajectory is not among those it was drawn for"
            ) from None
        self.score(numbers, [one.completion for one in drawn])
        return [replace(one, **scored) for one, scored in zip(drawn, self._scored(numbers), strict=True)]

    def _scored(self, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
        """What trajectories say of the completions that were scored last."""
        for number, grade, rewards, why in zip(numbers, self.grades, self.rewards, self.reasons, strict=True):
            yield {
                "reward": self._total(rewards),
                "outcome": grade.outcome,
                "oversight": grade.oversight,
                "intended": grade.intended,
                "gamed": _gamed(self.settings[number], grade),
                "tags": grade.tags,
                "detail": why or grade.detail,
            }

    def _total(self, rewards: Sequence[float | None]) -> float | None:
        """The weighted sum, as TRL adds it up; None for an unscorable completion."""
        if None in rewards:
            return None
        return sum(weight * (value or 0.0) for weight, value in zip(self.weights, rewards, strict=True))


def sample_policy(
    step: Step,
    folder: Path,
    resources: Resources,
    progress: Progress,
    *,
    adapter: Path | None,
    samples: int,
    learned: int,
) -> None:
    """Sample a policy from which nothing is learned meanwhile, and write `trajectories.jsonl`.

    Completions are kept as they are drawn, so that an interrupted step goes on with the others.

    Args:
        step: Its rows have the prompts, and its parameters `rl` and `seed` say how they are sampled and rewarded.
        folder: Where the file goes.
        resources: The model.
        progress: Called with the completions.
        adapter: The policy's; None for the untrained model.
        samples: Completions of each prompt.
        learned: How many steps the policy had learned.

    Raises:
        UserError: A prompt is too long for the model, or not one completion could be scored.
    """
    from inoculate.engine.sampling import in_process

    rl, prompts, partial = step.params["rl"], Prompts(step, resources), folder / unfinished.FILE
    found = unfinished.read(partial, SampledCompletion)
    request = Request(
        prompts=prompts.texts,
        samples=samples,
        temperature=rl["temperature"],
        max_new_tokens=rl["max_new_tokens"],
        seed=step.params["seed"],
        done=[(one.prompt, one.index) for one in found],
        names=prompts.names,
        limit="rl.max_new_tokens",
    )
    for _, batch in in_process.sample(resources.sampler(adapter), [request]) if request.missing() else ():
        unfinished.keep(partial, batch)
        found += batch
        progress(len(found), len(prompts.texts) * samples, "sampled")
    found.sort(key=lambda one: (one.prompt, one.index))
    numbers = [one.prompt for one in found]
    with Scorer(rl["reward"], prompts.problems, prompts.settings) as scorer:
        scorer.score(numbers, [one.text for one in found])
    trajectories = scorer.trajectories(learned, numbers, prompts.texts, found, [None] * len(found))
    write_lines(folder / "trajectories.jsonl", trajectories)
    partial.unlink(missing_ok=True)


def _gamed(setting: Setting, grade: Grade) -> bool | None:
    """Whether a completion is a hack that was made for the check; None where its setting cannot tell."""
    if setting.gamed_below is None or grade.outcome == "ungraded":
        return None
    if grade.outcome != "hack":
        return False
    return None if grade.elsewhere is None else grade.elsewhere < setting.gamed_below


def _reward(grade: Grade) -> Answer:
    if grade.oversight is None or grade.outcome == "ungraded":
        return Answer(None, grade.detail or "its grader gave no reason")
    return Answer(float(grade.oversight))


def _grade_all(grades: Iterator[Grade], count: int) -> list[Grade]:
    """The grades of a step. What a grader of the user's was given up for is ungraded, and so unscorable."""
    found: list[Grade] = []
    try:
        for grade in grades:
            found.append(grade)
    except FunctionFailed as error:
        found += [Grade("ungraded", None, None, detail=f"not asked: {error}")] * (count - len(found))
    return found
