"""The forecasts of a study's RL arms, from those samples of the untrained policy that are in the store."""

from __future__ import annotations

from collections.abc import Collection

from inoculate.analysis.preflight import forecast
from inoculate.analysis.preflight.arms import ArmForecast, find_punishing
from inoculate.records import Problem, Trajectory, read_lines
from inoculate.steps.plan import Plan, Training
from inoculate.steps.store import Step, Store
from inoculate.study.schema import Arm


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
    found = forecast(trajectories, problems.values(), arm.rl, find_punishing(table.setting for table in arm.row_tables))
    return ArmForecast(name, seeds, tuple(sampled), found)
