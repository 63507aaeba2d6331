"""The forecasts of a study's RL arms, from those samples of the untrained policy that are in the store."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from inoculate import settings
from inoculate.analysis.preflight import Preflight, forecast, headline, to_plain
from inoculate.records import Problem, Trajectory, read_lines
from inoculate.steps.plan import Plan, Training
from inoculate.steps.store import Step, Store
from inoculate.study.schema import Arm


@dataclass(frozen=True)
class ArmForecast:
    """The forecast of one arm, over its seeds: each draws problems of its own, and the untrained policy is one."""

    arm: str
    seeds: tuple[int, ...]
    sampled: tuple[int, ...]
    """The seeds whose sample is finished; the forecast rests on these."""
    preflight: Preflight | None
    """None where no seed is sampled."""

    def to_plain(self) -> dict[str, Any]:
        """As plain data: `arm`, `seeds`, `sampled`, `headline` (null: not sampled) and `preflight`."""
        return {
            "arm": self.arm,
            "seeds": list(self.seeds),
            "sampled": list(self.sampled),
            "headline": headline(self.preflight) if self.preflight else None,
            "preflight": to_plain(self.preflight) if self.preflight else None,
        }


def preflight_steps(plan: Plan, seeds: Collection[int] | None = None) -> list[Step]:
    """The samples of the untrained policy that RL arms take; the same one of two arms is there once."""
    steps = [training.preflight for training in plan.trainings if plan.belongs(training.seed, seeds)]
    return list({step.key: step for step in steps if step}.values())


def read_forecasts(plan: Plan, store: Store, seeds: Collection[int] | None = None) -> list[ArmForecast]:
    """The forecast of every RL arm.

    Args:
        plan: The study's plan.
        store: Where finished steps are.
        seeds: Only from the samples of these seeds.
    """
    by_arm: dict[str, list[Training]] = {}
    for training in plan.trainings:
        if training.preflight and plan.belongs(training.seed, seeds):
            by_arm.setdefault(training.arm, []).append(training)
    return [_read(arm, plan.study.arms[arm], trainings, store) for arm, trainings in by_arm.items()]


def _read(name: str, arm: Arm, trainings: list[Training], store: Store) -> ArmForecast:
    trajectories: list[Trajectory] = []
    problems: dict[str, Problem] = {}
    sampled = []
    for training in trainings:
        if training.preflight is None or not store.is_finished(training.preflight):
            continue
        sampled.append(training.seed)
        trajectories += read_lines(store.folder(training.preflight) / "trajectories.jsonl", Trajectory)
        for rows in (training.rows, *(rows for rows, _ in training.more_rows)):
            drawn = read_lines(store.folder(rows) / "problems.jsonl", Problem)
            problems |= {problem.id: problem for problem in drawn}
    seeds = tuple(training.seed for training in trainings)
    if not sampled:
        return ArmForecast(name, seeds, (), None)
    found = forecast(trajectories, problems.values(), arm.rl, _punishing(arm))
    return ArmForecast(name, seeds, tuple(sampled), found)


def _punishing(arm: Arm) -> set[str]:
    """The names of an arm's settings whose oversight check also fails honest answers."""
    found = [settings.find(table.setting) for table in arm.row_tables]
    return {setting.name for setting in found if setting.punishes_honest}
