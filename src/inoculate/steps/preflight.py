"""Samples the policy that an arm's RL starts from, before its first step: `trajectories.jsonl`, of step 0.

That is the untrained model, unless the arm goes on from another's adapter.

What it shows: whether there is anything to reinforce, and the rate from which an onset of hacking is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inoculate.steps import reward_functions
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.rewards import plan_grading, sample_policy
from inoculate.steps.store import Step
from inoculate.steps.train import Start, find_start, row_inputs, start_inputs, start_params
from inoculate.study.schema import Arm

KIND, VERSION = "preflight", 1


def plan_step(arm: Arm, seed: int, rows: Sequence[Step], start: Start | None, weights: str, where: str) -> Step:
    """The preflight of an arm at one seed.

    Args:
        arm: The arm.
        seed: The seed of the sampling.
        rows: The steps that make its rows, one for each table.
        start: The training whose adapter it continues; None for the untrained model.
        weights: The model's fingerprint.
        where: Arm and seed, for the step's label.
    """
    rl = arm.rl.model_dump(mode="json", include={"reward", "temperature", "max_new_tokens", "preflight"})
    params = {"model": weights, "seed": seed, "rl": rl, "grading": plan_grading(arm)}
    params |= {**reward_functions.plan_files(arm), **start_params(start)}
    return Step(
        KIND, params, {**row_inputs(rows), **start_inputs(start)}, label=f"preflight of {where}", version=VERSION
    )


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Sample and grade."""
    adapter, samples = find_start(step, resources), step.params["rl"]["preflight"]
    sample_policy(step, folder, resources, progress, adapter=adapter, samples=samples, learned=0)
