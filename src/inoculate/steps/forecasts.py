"""The forecasts of a study's RL arms, from those samples of the untrained policy that are in the store."""

from __future__ import annotations

from collections.abc import Collection

from inoculate.analysis.preflight.arms import ArmForecast, forecast_arm
from inoculate.steps.plan import Plan, Training
from inoculate.steps.store import Step, Store


def preflight_steps(plan: Plan, seeds: Collection[int] | None = None) -> list[Step]:
    """The samples of the untrained policy that RL arms take; the same one of two arms is there once."""
    return list({step.key: step for one in _by_rl(plan, seeds) if (step := one.preflight)}.values())


def read_forecasts(plan: Plan, store: Store, seeds: Collection[int] | None = None) -> list[ArmForecast]:
    """The forecast of every RL arm.

    Args:
        plan: The study's plan.
        store: Where finished steps are.
        seeds: Only from the samples of these seeds.
    """
    by_arm: dict[str, list[Training]] = {}
    for training in _by_rl(plan, seeds):
        by_arm.setdefault(training.arm, []).append(training)
    store.bring(step for one in _by_rl(plan, seeds) if one.preflight for step in _read_of(one))
    return [_read(plan, arm, trainings, store) for arm, trainings in by_arm.items()]


def _by_rl(plan: Plan, seeds: Collection[int] | None) -> list[Training]:
    """The trainings by RL. Expert iteration has no forecast: what is forecast is of groups and advantages."""
    return [one for one in plan.trainings if plan.study.arms[one.arm].method == "rl" and plan.belongs(one.seed, seeds)]


def _read_of(training: Training) -> list[Step]:
    """The steps that a forecast is made of."""
    tables = [training.rows, *(rows for rows, _ in training.more_rows)]
    return [*([training.preflight] if training.preflight else []), *tables]


def _read(plan: Plan, name: str, trainings: list[Training], store: Store) -> ArmForecast:
    arm = plan.study.arms[name]
    samples = {
        one.seed: (
            store.folder(one.preflight),
            [store.folder(rows) for rows in (one.rows, *(rows for rows, _ in one.more_rows))],
        )
        for one in trainings
        if one.preflight and store.is_here(one.preflight)
    }
    return forecast_arm(
        name, [one.seed for one in trainings], samples, arm.rl, [table.setting for table in arm.row_tables]
    )
