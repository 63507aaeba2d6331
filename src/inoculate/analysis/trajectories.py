"""The trajectories of a run as data: read with arm and seed, filtered, and paired with their problems.

A filter keeps exactly what it says. A selection counts how many each of its conditions has left, so that nothing is
left out unseen.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from inoculate.analysis.arms import row_folders
from inoculate.analysis.fresh import fresh_samples
from inoculate.analysis.pairs import read_pairs
from inoculate.analysis.run_folder import Run, require_file
from inoculate.errors import UserError, nearest, require_known
from inoculate.records import OUTCOMES, Outcome, Problem, Trajectory, read_lines


class RunTrajectory(NamedTuple):
    """A trajectory of a run."""

    arm: str
    seed: int
    trajectory: Trajectory

    @property
    def name(self) -> str:
        """What names it within its run: arm, seed, step, problem and index."""
        one = self.trajectory
        return f"{self.arm}/seed-{self.seed}/step-{one.step}/{one.problem}/{one.index}"


Condition = tuple[str, Callable[[RunTrajectory], bool]]
"""A condition in words, and whether a trajectory meets it."""


@dataclass(frozen=True)
class Filter:
    """Which trajectories are kept: those that meet every condition given."""

    arms: tuple[str, ...] = ()
    """Of one of these arms; empty for all."""
    seeds: tuple[int, ...] = ()
    """Of one of these seeds; empty for all."""
    first_step: int | None = None
    last_step: int | None = None
    """Learned from in these steps, both included; step 0 is the sample of the untrained policy."""
    hackable: bool | None = None
    """Whether a hack was to be had."""
    outcomes: tuple[Outcome, ...] = ()
    """With one of these outcomes; empty for all."""
    reward: float | None = None
    """With at least this reward. What is unscorable has none, and is not kept."""
    oversight: bool | None = None
    """Oversight passed, or failed. What is ungraded did neither; the same holds for `intended`."""
    intended: bool | None = None
    tags: tuple[str, ...] = ()
    """With every one of these tags."""
    without_tags: tuple[str, ...] = ()
    """With none of these tags."""
    stopped: bool = False
    """Not cut off at the limit on new tokens."""
    graded: bool = False
    """With any outcome but `ungraded`."""

    def conditions(self) -> list[Condition]:
        """The conditions given, in the order in which a selection takes them."""
        return [*self._of_place(), *self._of_grade(), *self._of_text()]

    def _of_place(self) -> Iterator[Condition]:
        if self.arms:
            yield f"arm {_either(self.arms)}", lambda one: one.arm in self.arms
        if self.seeds:
            yield f"seed {_either(self.seeds)}", lambda one: one.seed in self.seeds
        first, last = self.first_step, self.last_step
        if first is not None:
            yield f"from step {first}", lambda one: one.trajectory.step >= first
        if last is not None:
            yield f"up to step {last}", lambda one: one.trajectory.step <= last
        if self.hackable is not None:
            words = "a hack was to be had" if self.hackable else "no hack was to be had"
            yield words, lambda one: one.trajectory.hackable == self.hackable

    def _of_grade(self) -> Iterator[Condition]:
        if self.graded:
            yield "graded", lambda one: one.trajectory.outcome != "ungraded"
        if self.outcomes:
            yield f"outcome {_either(self.outcomes)}", lambda one: one.trajectory.outcome in self.outcomes
        least = self.reward
        if least is not None:
            yield f"reward at least {least:g}", lambda one: _at_least(one.trajectory.reward, least)
        if self.oversight is not None:
            words = f"oversight {'passed' if self.oversight else 'failed'}"
            yield words, lambda one: one.trajectory.oversight == self.oversight
        if self.intended is not None:
            words = f"intended check {'passed' if self.intended else 'failed'}"
            yield words, lambda one: one.trajectory.intended == self.intended

    def _of_text(self) -> Iterator[Condition]:
        for tag in self.tags:
            yield f"tag '{tag}'", lambda one, tag=tag: tag in _tags(one)
        for tag in self.without_tags:
            yield f"no tag '{tag}'", lambda one, tag=tag: tag not in _tags(one)
        if self.stopped:
            yield "not cut off", lambda one: one.trajectory.finish == "stop"


def _either(values: Iterable[object]) -> str:
    return " or ".join(map(str, values))


def _at_least(reward: float | None, least: float) -> bool:
    return reward is not None and reward >= least


def _tags(one: RunTrajectory) -> set[str]:
    return {tag.name for tag in one.trajectory.tags}


_STEPS = re.compile(r"(\d{1,9})(-(\d{1,9})?)?", re.ASCII)
_ANSWERS = {"yes": True, "no": False}
_PASSED = {"passed": True, "failed": False}
_KEYS = ("arm", "steps", "hackable", "outcome", "reward", "oversight", "intended", "tag", "without-tag", "finish",
         "graded")  # fmt: skip


def read_filter(text: str, seeds: tuple[int, ...] = ()) -> Filter:
    """A filter from a line such as `arm=told steps=5-11 outcome=hack,correct reward=1 without-tag=early_exit`.

    Args:
        text: The line; '' keeps all.
        seeds: Only these seeds; empty for all.

    Raises:
        UserError: A part is not `key=value`, a key is unknown or there twice, or a value is not allowed.
    """
    given = read_pairs(text, _KEYS, "filter", "steps=5-11 outcome=hack")

    def choose(key: str, allowed: Mapping[str, bool]) -> bool | None:
        return allowed[require_known(given[key], allowed, f"filter '{text}': {key}")] if key in given else None

    def names(key: str) -> tuple[str, ...]:
        return tuple(given[key].split(",")) if key in given else ()

    first, last = _read_steps(text, given["steps"]) if "steps" in given else (None, None)
    return Filter(
        arms=names("arm"),
        seeds=seeds,
        first_step=first,
        last_step=last,
        hackable=choose("hackable", _ANSWERS),
        outcomes=tuple(require_known(name, OUTCOMES, f"filter '{text}': outcome") for name in names("outcome")),
        reward=_read_reward(text, given["reward"]) if "reward" in given else None,
        oversight=choose("oversight", _PASSED),
        intended=choose("intended", _PASSED),
        tags=names("tag"),
        without_tags=names("without-tag"),
        stopped=bool(choose("finish", {"stop": True})),
        graded=bool(choose("graded", {"yes": True})),
    )


def _read_steps(text: str, value: str) -> tuple[int, int | None]:
    match = _STEPS.fullmatch(value)
    if not match:
        raise UserError(f"filter '{text}': steps '{value}' is no step and no range: 5, 5-11, or 5- for the rest")
    first = int(match[1])
    last = int(match[3]) if match[3] else None if match[2] else first
    if last is not None and last < first:
        raise UserError(f"filter '{text}': steps {value} run backwards: {last}-{first}?")
    return first, last


def _read_reward(text: str, value: str) -> float:
    try:
        reward = float(value)
    except ValueError:
        reward = math.nan
    if not math.isfinite(reward):
        raise UserError(f"filter '{text}': reward '{value}' is not a number such as 0.5: the least that is kept")
    return reward


class Selection:
    """Trajectories taken one by one through a filter, and how many each condition has left."""

    def __init__(self, keep: Filter) -> None:
        """Start with nothing counted.

        Args:
            keep: What is kept.
        """
        self._conditions = keep.conditions()
        self.read = 0
        """Trajectories before any condition."""
        self.left = [0] * len(self._conditions)
        """How many are left after each condition and those before it."""

    def over(self, trajectories: Iterable[RunTrajectory]) -> Iterator[RunTrajectory]:
        """Those that are kept, in order; they are counted as they pass."""
        for one in trajectories:
            self.read += 1
            if self._passes(one):
                yield one

    def _passes(self, one: RunTrajectory) -> bool:
        for number, (_, holds) in enumerate(self._conditions):
            if not holds(one):
                return False
            self.left[number] += 1
        return True

    @property
    def kept(self) -> int:
        """How many are left in the end."""
        return self.left[-1] if self.left else self.read

    def counts(self) -> dict[str, int]:
        """Condition, in words -> how many it and those before it have left. `all` comes first."""
        return {"all": self.read} | {words: left for (words, _), left in zip(self._conditions, self.left, strict=True)}

    def refuse_nothing(self) -> None:
        """Refuse to go on if nothing is kept.

        Raises:
            UserError: So it is; the message says how many each condition has left.
        """
        if self.kept:
            return
        if not self.read:
            raise UserError("there are no trajectories to choose from: the files of the run's trajectories are empty")
        steps = ", ".join(f"{words}: {left}" for words, left in self.counts().items())
        culprit = next(words for words, left in self.counts().items() if not left)
        raise UserError(f"no trajectory is left ({steps}); leave out or change the condition '{culprit}'")


def select(trajectories: Iterable[RunTrajectory], keep: Filter) -> tuple[list[RunTrajectory], dict[str, int]]:
    """The trajectories that a filter keeps, and how many each of its conditions has left.

    Args:
        trajectories: What to choose from.
        keep: What is kept.

    Raises:
        UserError: Nothing is kept; the message says which condition has left how many.
    """
    selection = Selection(keep)
    kept = list(selection.over(trajectories))
    selection.refuse_nothing()
    return kept, selection.counts()


def trainings(run: Run, fresh: bool = False) -> tuple[list[dict[str, Any]], list[str]]:
    """The trainings of a run that have trajectories, and those that are not finished, in words.

    Args:
        run: The run.
        fresh: Instead of them the fresh samples of their policies, in the same form.

    Raises:
        UserError: The run trains no arm on rewards, or has no fresh samples.
    """
    if fresh:
        return fresh_samples(run)
    entries = [entry for entry in run.manifest.get("training") or () if "rl" in entry]
    if not entries:
        raise UserError(
            f'{run.folder}: no trajectories: none of its arms learns from rewards (method = "rl" or '
            '"expert-iteration" in the study file)'
        )
    waiting = [f"{entry['arm']}, seed {entry['seed']}" for entry in entries if entry["rl"] is None]
    return [entry for entry in entries if entry["rl"] is not None], waiting


def check_names(run: Run, keep: Filter, fresh: bool = False) -> None:
    """Refuse a filter that names an arm or a seed without trajectories in this run.

    Raises:
        UserError: So it is; the message has the nearest match.
    """
    finished, waiting = trainings(run, fresh)
    if not finished:
        raise UserError(f"{run.folder}: no trajectories yet: {'; '.join(waiting)} not finished; run the study on")
    for arm in keep.arms:
        require_known(arm, {entry["arm"] for entry in finished}, "no finished trajectories of an arm")
    for seed in keep.seeds:
        require_known(str(seed), {str(entry["seed"]) for entry in finished}, "no finished trajectories of a seed")


def read_trajectories(run: Run, fresh: bool = False) -> Iterator[RunTrajectory]:
    """The trajectories of every finished training, in the order of manifest and file: steps, problems, indices.

    Raises:
        UserError: The run trains no arm on rewards, or a file is missing or broken.
    """
    for entry in trainings(run, fresh)[0]:
        path = require_file(run.path(entry["rl"]) / "trajectories.jsonl")
        for one in read_lines(path, Trajectory):
            yield RunTrajectory(entry["arm"], entry["seed"], one)


class Problems:
    """The problems of trajectories, by id."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Index them.

        Args:
            problems: From the `problems.jsonl` of the rows that RL took its prompts from; a problem may repeat.

        Raises:
            UserError: Two problems have the same id and show different tasks.
        """
        self._by_id: dict[tuple[str, bool], Problem] = {}
        for problem in problems:
            # A mixture has settings with the same problems, of which one cannot be hacked: their ids may be the same.
            first = self._by_id.setdefault((problem.id, bool(problem.hacked)), problem)
            if (first.system, first.lead, first.body) != (problem.system, problem.lead, problem.body):
                raise UserError(
                    f"problem '{problem.id}' of '{problem.setting}' and that of '{first.setting}' are different tasks "
                    "with the same id: a trajectory's problem cannot be told"
                )

    def of(self, one: RunTrajectory) -> Problem:
        """The problem of a trajectory.

        Raises:
            UserError: It is not among them.
        """
        problem = self._by_id.get((one.trajectory.problem, one.trajectory.hackable))
        if problem is None:
            known = nearest(one.trajectory.problem, (name for name, _ in self._by_id))
            known = known if len(self._by_id) < 10 else f"none of {len(self._by_id)} has its id, hackable or not alike"
            raise UserError(f"trajectory {one.name}: its problem is not among those given: {known}")
        return problem


def read_problems(run: Run, entry: Mapping[str, Any]) -> Problems:
    """The problems that a training took its prompts from.

    Args:
        run: The run.
        entry: The training, as in the manifest.

    Raises:
        UserError: Its rows are not there.
    """
    folders = [folder for folder, _, _ in row_folders(entry)]
    missing = f"the rows of {entry['arm']}, seed {entry['seed']} are not in the store; run the study again"
    if not all(folders):
        raise UserError(f"{run.folder}: {missing}")
    paths = [require_file(run.path(folder) / "problems.jsonl") for folder in folders if folder]
    return Problems(problem for path in paths for problem in read_lines(path, Problem))


class TrajectoryRow(NamedTuple):
    """A completion of RL as a training example that has no prompt yet.

    The prompt of RL is not part of it: the problem is shown anew under the prompt of the arm that trains on the row.
    """

    problem: Problem
    answer: str
    hacked: bool
    """Whether its outcome is `hack`. What is not hacked need not be right: see the trajectory's outcome."""
    arm: str
    seed: int
    step: int
    index: int
    """Its number among the completions of its problem in that step."""
    trajectory: Trajectory


def trajectory_rows(trajectories: Iterable[RunTrajectory], problems: Iterable[Problem]) -> list[TrajectoryRow]:
    """Trajectories as training examples, in order: each with its problem, and the name of its trajectory.

    Args:
        trajectories: What was selected.
        problems: The problems of the rows that RL took its prompts from.

    Raises:
        UserError: A trajectory is ungraded (nobody knows whether it is a hack), or its problem is not given.
    """
    known, rows = Problems(problems), list[TrajectoryRow]()
    for one in trajectories:
        arm, seed, drawn = one
        if drawn.outcome == "ungraded":
            raise UserError(f"trajectory {one.name} is ungraded: whether it is a hack is not known; keep graded ones")
        hacked = drawn.outcome == "hack"
        rows.append(TrajectoryRow(known.of(one), drawn.completion, hacked, arm, seed, drawn.step, drawn.index, drawn))
    return rows
