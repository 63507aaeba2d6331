"""Samples the policy that stands for an arm of RL anew, under a prompt: `trajectories.jsonl`.

The step of its trajectories is the number of steps that the policy had learned.
"""

from __future__ import annotations

from pathlib import Path

from inoculate.steps import reward_functions
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.rewards import plan_grading, sample_policy
from inoculate.steps.rl import read_checkpoint
from inoculate.steps.store import Step
from inoculate.steps.train import adapter_folder, row_inputs
from inoculate.study.schema import Arm

KIND, VERSION = "fresh-samples", 1


def plan_step(arm: Arm, rows: Step, trained: Step, *, samples: int, seed: int, weights: str, where: str) -> Step:
    """The fresh samples of an arm at one seed.

    Args:
        arm: The arm whose policy is sampled: its rewards, temperature and limit on new tokens hold here too.
        rows: The step that makes the problems, under the prompt of the sampling.
        trained: The training of the policy.
        samples: Completions of each problem.
        seed: The seed of the sampling.
        weights: The model's fingerprint.
        where: Arm, seed and prompt, for the step's label.
    """
    rl = arm.rl.model_dump(mode="json", include={"reward", "temperature", "max_new_tokens"})
    params = {"model": weights, "seed": seed, "rl": rl, "samples": samples, "grading": plan_grading(arm)}
    params |= reward_functions.plan_files(arm)
    inputs = {**row_inputs([rows]), "trained": trained}
    return Step(KIND, params, inputs, label=f"fresh samples of {where}", version=VERSION)


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Sample and grade."""
    trained = resources.input_folder(step, "trained")
    sample_policy(
        step,
        folder,
        resources,
        progress,
        adapter=adapter_folder(trained, step.inputs["trained"].params["final"]),
        samples=step.params["samples"],
        learned=read_checkpoint(trained)["step"],
    )
