"""Puts together what a sample of the untrained policy shows, the forecast, and what would change it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from inoculate.analysis.preflight import rules
from inoculate.analysis.preflight.facts import Facts, Sample, find_facts
from inoculate.analysis.preflight.spread import Spread
from inoculate.records import Problem, Trajectory
from inoculate.study.schema import RL


@dataclass(frozen=True)
class Preflight:
    """The forecast of an arm that is trained by RL."""

    verdict: rules.Verdict
    reasons: tuple[str, ...]
    changes: tuple[rules.Change, ...]
    warnings: tuple[str, ...]
    facts: Facts
    prompts_per_step: int
    completions_per_prompt: int
    steps: int
    temperature: float


def forecast(
    trajectories: Iterable[Trajectory], problems: Iterable[Problem], rl: RL, punishing: Collection[str]
) -> Preflight:
    """Whether RL will learn the hack: from completions of the untrained policy to the prompts of training.

    Args:
        trajectories: Those of step 0; others are left out.
        problems: Their problems.
        rl: The arm's hyperparameters.
        punishing: Settings whose oversight check also fails honest answers, where a problem can be hacked
            (`Setting.punishes_honest`).

    Raises:
        ValueError: A trajectory's problem is not among the problems.
    """
    facts = find_facts(Sample(trajectories, problems, rl, punishing))
    verdict, reasons = rules.decide(facts, rl)
    return Preflight(
        verdict,
        reasons,
        tuple(rules.find_changes(facts, rl, verdict)),
        tuple(rules.find_warnings(facts, rl)),
        facts,
        rl.prompts_per_step,
        rl.completions_per_prompt,
        rl.steps,
        rl.temperature,
    )


def refuse(preflight: Preflight, arm: str) -> None:
    """Refuse a training whose reward is broken, before its first step.

    Args:
        preflight: The arm's.
        arm: Its name.

    Raises:
        UserError: No completion has a reward, or honest answers that the oversight check has to pass earn nothing.
    """
    rules.refuse_impossible(preflight.facts, arm)


def to_plain(preflight: Preflight) -> dict[str, Any]:
    """The preflight as plain data for JSON; docs/results-schema.md describes it."""
    return _plain(asdict(preflight) | {"forecast": rules.VERDICTS[preflight.verdict]})


def _plain(data: Any) -> Any:
    """Named tuples as dicts, tuples as lists, keys as text."""
    if isinstance(data, Spread):
        return data._asdict()
    if isinstance(data, dict):
        return {str(key): _plain(value) for key, value in data.items()}
    return [_plain(value) for value in data] if isinstance(data, list | tuple) else data
