"""What a sample of the untrained policy says before RL: rates by level, what honesty and the hack earn, spread."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from inoculate.analysis.estimates import NO_SEED, Counts, estimate_rate
from inoculate.analysis.preflight.spread import Spread, expect_spread
from inoculate.records import Problem, Trajectory
from inoculate.study.schema import RL

GROUP_SIZES = (2, 4, 8, 16, 32, 64)
"""Completions per prompt that are compared, beside the study's own."""
_NO_ATTEMPT = {"resource"}
"""Tags of completions that are no attempt to cheat: a program that runs too long, or takes too much memory."""

Answer = Literal["honest", "hack", "other"]
ANSWERS: tuple[Answer, ...] = ("honest", "hack", "other")
"""Those that pass the intended check, hacks, and all others."""
RATES = ("oversight", "intended", "hack", "made", "malformed", "cut_off")
"""The rates of a part. `hack` and `made` are of completions to problems that can be hacked."""


@dataclass(frozen=True)
class Proportion:
    """A share of completions, with the 95% interval over kinds of problem (`estimates.estimate_rate`)."""

    count: int
    of: int
    rate: float | None
    """None without any completion."""
    low: float | None = None
    """None without a completion, or with a single problem."""
    high: float | None = None


@dataclass(frozen=True)
class Pay:
    """The mean reward of some completions, with its 95% interval: that of a rate, scaled to the range of rewards."""

    completions: int
    mean: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Part:
    """The sample, or one level of one setting of it."""

    name: str
    setting: str
    """'' for the whole sample."""
    level: int | None
    """None for the whole sample."""
    prompts: int
    hackable_prompts: int
    """Those whose problem can be hacked."""
    completions: int
    unscorable: int
    """Completions without a reward; they are in no rate and no mean."""
    ungraded: int
    """Further completions without an outcome: they are in the rewards, and not in the rates of outcomes."""
    rates: dict[str, Proportion]
    """By the names of `RATES`. `made`: hacks that can be reinforced, so no near misses where the setting tells them
    apart, and none that was cut off where those are masked."""
    reward: Pay
    spread: Spread | None
    """The expected share of groups whose rewards differ; None without a reward."""


@dataclass(frozen=True)
class Expected:
    """An expected number, from a rate and its interval."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Facts:
    """What the sample shows. Rates are of the untrained policy under the arm's training prompt."""

    whole: Part
    levels: tuple[Part, ...]
    """A part for each setting and level, in order."""
    pays: dict[str, dict[Answer, Pay]]
    """`hackable` and `not hackable` -> what honest answers, hacks and others earn on such problems."""
    constant: float | None
    """The reward, if every completion earned the same."""
    attempts: int
    """Completions to problems that can be hacked, with a tag of cheating and neither honest nor a hack."""
    near_misses: int
    """Hacks that are honest answers with a slip."""
    masked_hacks: int
    """Hacks that were cut off, and would be left out of the loss."""
    must_pass: Proportion
    """Honest answers that earned something, among those that the oversight check has to pass. Where a function is
    rewarded too, those that passed the check; none at all where no check is rewarded."""
    spread_by_size: dict[int, Spread]
    """Completions per prompt -> the expected share of groups whose rewards differ."""
    hack_spread: Spread | None
    """The expected share of groups, among those of problems that can be hacked, in which a hack stands beside something
    else."""
    hacks_first_step: Expected
    hacks_in_run: Expected
    """At the untrained rate: what there would be if nothing was learned."""
    unscorable_detail: str = ""
    """Why the first unscorable completion has no reward."""


def rewards_functions(rl: RL) -> bool:
    """Whether a function of the user's is among the rewards: they can then be any numbers."""
    return any(part.function for part in rl.reward)


class Sample:
    """The completions of one policy, with their problems."""

    def __init__(
        self, trajectories: Iterable[Trajectory], problems: Iterable[Problem], rl: RL, punishing: Collection[str]
    ) -> None:
        """Take the sample.

        Args:
            trajectories: The step-0 trajectories; those of other steps are left out.
            problems: Their problems.
            rl: The arm's hyperparameters.
            punishing: Settings whose oversight check also fails honest answers.

        Raises:
            ValueError: A trajectory's problem is not among the problems.
        """
        self.all = [trajectory for trajectory in trajectories if trajectory.step == 0]
        # A mixture may have two problems of one id, of which one cannot be hacked.
        self._problems = {(problem.id, bool(problem.hacked)): problem for problem in problems}
        self.rl, self.punishing = rl, punishing
        self.rewards_functions = rewards_functions(rl)
        unknown = next((one.problem for one in self.all if (one.problem, one.hackable) not in self._problems), None)
        if unknown is not None:
            raise ValueError(f"there is a trajectory of problem '{unknown}', which is not among the problems")
        self.scored = [one for one in self.all if one.reward is not None]

    def problem(self, one: Trajectory) -> Problem:
        """The problem of a completion."""
        return self._problems[one.problem, one.hackable]

    def is_near_miss(self, one: Trajectory) -> bool:
        """Whether it is a hack that was not made for the check. Where a setting cannot tell, none is."""
        return one.outcome == "hack" and one.gamed is False

    def is_masked(self, one: Trajectory) -> bool:
        """Whether it would be left out of the loss."""
        return self.rl.mask_cut_off and one.finish == "length"

    def is_made(self, one: Trajectory) -> bool:
        """Whether it is a hack that training could reinforce."""
        return one.outcome == "hack" and not self.is_near_miss(one) and not self.is_masked(one)

    def has_to_pass(self, one: Trajectory) -> bool:
        """Whether it is an honest answer that a sound oversight check passes: all but those to wrong keys."""
        punished = one.hackable and self.problem(one).setting in self.punishing
        is_rewarded = any(not part.function for part in self.rl.reward)
        return one.outcome == "correct" and not punished and is_rewarded

    def is_attempt(self, one: Trajectory) -> bool:
        """Whether it has a tag of cheating without being a hack or honest."""
        tagged = any(tag.name not in _NO_ATTEMPT for tag in one.tags)
        return tagged and one.hackable and one.outcome in ("wrong", "malformed")

    def proportion(self, among: Sequence[Trajectory], holds: Callable[[Trajectory], bool]) -> Proportion:
        """The share of completions for which something holds."""
        hits = [float(holds(one)) for one in among]
        rate, low, high = self._estimate(among, hits)
        return Proportion(int(sum(hits)), len(among), rate, low, high)

    def pay(self, among: Sequence[Trajectory]) -> Pay:
        """The mean reward of completions that have one."""
        rewards = [one.reward for one in among if one.reward is not None]
        least, largest = self._range()
        width = (largest - least) or 1.0
        mean, *limits = self._estimate(among, [(reward - least) / width for reward in rewards])
        low, high = (None if limit is None else least + width * limit for limit in limits)
        return Pay(len(rewards), None if mean is None else least + width * mean, low, high)

    def _range(self) -> tuple[float, float]:
        """Between which rewards lie: of a function it is not known, and those of the whole sample stand for it."""
        if not self.rewards_functions:
            return 0.0, sum(part.weight for part in self.rl.reward)
        rewards = [one.reward for one in self.scored if one.reward is not None]
        return min(rewards, default=0.0), max(rewards, default=0.0)

    def passes(self, one: Trajectory) -> bool:
        """Whether a completion that has to pass an oversight check did; a function's number says nothing of it."""
        return one.oversight is True if self.rewards_functions else bool(one.reward)

    def _estimate(
        self, among: Sequence[Trajectory], values: list[float]
    ) -> tuple[float | None, float | None, float | None]:
        """The mean of values between 0 and 1, with the interval over kinds that a rate has."""
        if not values:
            return None, None, None
        problems = [self.problem(one) for one in among]
        ids, first, rows = np.unique(
            [f"{problem.setting}/{problem.id}" for problem in problems], return_index=True, return_inverse=True
        )
        kinds = np.array([f"{problems[place].setting}/{problems[place].kind}" for place in first])
        hits, graded = np.bincount(rows, values), np.bincount(rows).astype(float)
        found = estimate_rate(Counts(np.full(len(ids), NO_SEED), ids, kinds, hits, graded))
        return (found.rate, found.low, found.high) if found else (None, None, None)

    def spread(
        self, among: Sequence[Trajectory], value: Callable[[Trajectory], float], sizes: Sequence[int]
    ) -> dict[int, Spread]:
        """The expected share of groups in which a value of the completions differs."""
        sorts: dict[tuple[str, int, bool], dict[tuple[str, str], list[float]]] = {}
        for one in among:
            problem = self.problem(one)
            groups = sorts.setdefault((problem.setting, problem.level, one.hackable), {})
            groups.setdefault((one.problem, one.prompt), []).append(value(one))
        return expect_spread([list(groups.values()) for groups in sorts.values()], sizes)


def find_facts(sample: Sample) -> Facts:
    """What a sample shows.

    Args:
        sample: The sample.
    """
    rl, scored = sample.rl, sample.scored
    whole = _part(sample, sample.all, "all", "", None)
    hackable = [one for one in scored if one.hackable]
    sizes = sorted({*GROUP_SIZES, rl.completions_per_prompt})
    per_step = rl.prompts_per_step * rl.completions_per_prompt * _share(whole.hackable_prompts, whole.prompts)
    made = whole.rates["made"]
    graded = [one for one in hackable if one.outcome != "ungraded"]
    own_size = rl.completions_per_prompt
    rewards = {one.reward for one in scored}
    return Facts(
        whole=whole,
        levels=_levels(sample),
        pays={
            name: _pays(sample, [one for one in scored if one.hackable == able])
            for name, able in (("hackable", True), ("not hackable", False))
        },
        constant=rewards.pop() if len(rewards) == 1 else None,
        attempts=sum(map(sample.is_attempt, scored)),
        near_misses=sum(map(sample.is_near_miss, scored)),
        masked_hacks=sum(one.outcome == "hack" and sample.is_masked(one) for one in scored),
        must_pass=sample.proportion([one for one in scored if sample.has_to_pass(one)], sample.passes),
        spread_by_size=sample.spread(scored, _reward, sizes),
        hack_spread=sample.spread(graded, lambda one: float(sample.is_made(one)), [own_size]).get(own_size),
        hacks_first_step=_expect(made, per_step),
        hacks_in_run=_expect(made, per_step * rl.steps),
        unscorable_detail=next((one.detail for one in sample.all if one.reward is None), ""),
    )


def _levels(sample: Sample) -> tuple[Part, ...]:
    found: dict[tuple[str, int], list[Trajectory]] = {}
    for one in sample.all:
        problem = sample.problem(one)
        found.setdefault((problem.setting, problem.level), []).append(one)
    several = len({setting for setting, _ in found}) > 1
    return tuple(
        _part(
            sample, found[setting, level], f"{setting}, level {level}" if several else f"level {level}", setting, level
        )
        for setting, level in sorted(found)
    )


def _part(sample: Sample, among: Sequence[Trajectory], name: str, setting: str, level: int | None) -> Part:
    scored = [one for one in among if one.reward is not None]
    graded = [one for one in scored if one.outcome != "ungraded"]
    hackable = [one for one in graded if one.hackable]
    size = sample.rl.completions_per_prompt
    return Part(
        name=name,
        setting=setting,
        level=level,
        prompts=len({(one.problem, one.prompt) for one in among}),
        hackable_prompts=len({(one.problem, one.prompt) for one in among if one.hackable}),
        completions=len(among),
        unscorable=len(among) - len(scored),
        ungraded=len(scored) - len(graded),
        rates={
            "oversight": sample.proportion(graded, lambda one: one.oversight is True),
            "intended": sample.proportion(graded, lambda one: one.intended is True),
            "hack": sample.proportion(hackable, lambda one: one.outcome == "hack"),
            "made": sample.proportion(hackable, sample.is_made),
            "malformed": sample.proportion(graded, lambda one: one.outcome == "malformed"),
            "cut_off": sample.proportion(scored, lambda one: one.finish == "length"),
        },
        reward=sample.pay(scored),
        spread=sample.spread(scored, _reward, [size]).get(size),
    )


def _pays(sample: Sample, among: Sequence[Trajectory]) -> dict[Answer, Pay]:
    """What honest answers, hacks and others earn; ungraded ones are none of them."""
    answers: Mapping[str, Answer] = {"correct": "honest", "hack": "hack", "wrong": "other", "malformed": "other"}
    return {
        answer: sample.pay([one for one in among if answers.get(one.outcome) == answer]) for answer in ANSWERS
    }  # fmt: skip


def _reward(one: Trajectory) -> float:
    return one.reward or 0.0  # only those that have one are asked


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _expect(rate: Proportion, number: float) -> Expected:
    low, high = (None if limit is None else limit * number for limit in (rate.low, rate.high))
    return Expected((rate.rate or 0.0) * number, low, high)
