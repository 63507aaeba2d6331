"""Trains an arm at one seed by RL.

Files: adapters (`at-<fraction>/`, PEFT folders), `training.json`, `trajectories.jsonl` (the preflight's first) and
`metrics.jsonl`.

Meanwhile the trajectories and metrics of each step lie in `steps/`, and the trainer's checkpoints in `trainer/`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from inoculate.integrations import trackers
from inoculate.records import Trajectory, read_lines, write_lines
from inoculate.steps.grades import grading_params
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.rewards import Prompts, Scorer
from inoculate.steps.store import Step
from inoculate.steps.train import adapter_folder
from inoculate.study.resolve import ResolvedStudy
from inoculate.study.schema import RL, Arm, CheckpointRule

KIND, VERSION = "rl", 1
_ANALYSED = {"preflight", "onset", "hackable"}
"""Keys that do not change the training by themselves: other steps have them, or the analysis."""


def plan_step(
    resolved: ResolvedStudy, arm: Arm, seed: int, rows: Step, preflight: Step, weights: str, where: str
) -> Step:
    """The training of an arm at one seed.

    Args:
        resolved: The study.
        arm: The arm.
        seed: The seed of the training.
        rows: The step that makes its rows, whose problems it draws completions for.
        preflight: The step that samples the untrained policy.
        weights: The model's fingerprint.
        where: Arm and seed, for the step's label.
    """
    params = {
        "model": weights,
        "rl": arm.rl.model_dump(mode="json", exclude=_ANALYSED),
        "seed": seed,
        "fractions": resolved.study.evaluate.fractions,
        "final": resolved.study.evaluate.final_fraction,
        **grading_params(arm.rows.setting, arm.rows.grader),
    }
    inputs = {"rows": rows, "preflight": preflight}
    return Step(KIND, params, inputs, label=f"training by RL of {where}", version=VERSION)


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Train; an interrupted training is resumed from its checkpoint in the folder."""
    from inoculate.engine.training import rl

    params, prompts, options = step.params, Prompts(step, resources), RL(**step.params["rl"])
    scorer = Scorer(params["setting"], params["rl"]["reward"], prompts.problems)
    parts = folder / "steps"
    parts.mkdir(exist_ok=True)

    def keep(batch: rl.Batch, metrics: Mapping[str, Any]) -> None:
        found = scorer.trajectories(batch.step, batch.prompts, prompts.texts, batch.completions, batch.advantages)
        part = {"metrics": dict(metrics), "trajectories": [asdict(one) for one in found]}
        temporary = parts / "unfinished"
        temporary.write_text(json.dumps(part), encoding="utf-8")
        temporary.replace(parts / f"{batch.step:06}.json")

    work = folder / "trainer"
    trained = rl.train(
        resources.weights,
        prompts.texts,
        options,
        names=prompts.names,
        score=scorer.score,
        keep=keep,
        sampler=resources.lend_sampler(),
        seed=params["seed"],
        fractions=params["fractions"],
        target=folder,
        work=work,
        device=resources.device,
        progress=progress,
        tracking=trackers.arguments(f"{step.label}, {step.key[:8]}", resources.store.root / "tracking"),
    )
    untrained = resources.input_folder(step, "preflight") / "trajectories.jsonl"
    by_step = _gather(folder, list(read_lines(untrained, Trajectory)))
    checkpoint = choose_checkpoint(by_step, options.checkpoint, options.steps)
    if checkpoint["step"] < options.steps:
        final = adapter_folder(folder, params["final"])
        shutil.rmtree(final)
        shutil.move(work / f"before-{checkpoint['step'] + 1}", final)
    shutil.rmtree(work)
    shutil.rmtree(parts)
    report = {**asdict(trained), "device": resources.device.name, "checkpoint": checkpoint}
    (folder / "training.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _gather(folder: Path, untrained: list[Trajectory]) -> dict[int, list[Trajectory]]:
    """Write the trajectories and metrics of all steps into one file each; returns the trajectories by step."""
    trajectories, metrics = list(untrained), []
    for path in sorted((folder / "steps").glob("*.json")):
        part = json.loads(path.read_text(encoding="utf-8"))
        metrics.append(part["metrics"])
        trajectories += [Trajectory(**one) for one in part["trajectories"]]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in metrics), encoding="utf-8")
    write_lines(folder / "trajectories.jsonl", trajectories)
    by_step: dict[int, list[Trajectory]] = {}
    for trajectory in trajectories:
        by_step.setdefault(trajectory.step, []).append(trajectory)
    return by_step


def choose_checkpoint(
    by_step: Mapping[int, Sequence[Trajectory]], rule: CheckpointRule | None, steps: int
) -> dict[str, Any]:
    """Which policy stands for the arm: `step` (how many steps it has learned), the `rule`, and whether it was `met`.

    Args:
        by_step: Step -> its trajectories, those of the untrained policy as step 0.
        rule: The study's rule; None for the last policy.
        steps: All steps.
    """
    if rule is None:
        return {"step": steps, "rule": None, "met": None}
    length = rule.length * median(one.completion_tokens for one in by_step[0])
    in_a_row = 0
    for number in range(1, steps + 1):
        rates = [one.outcome == "hack" for one in by_step[number] if one.hackable and one.outcome != "ungraded"]
        is_long = median(one.completion_tokens for one in by_step[number]) >= length
        in_a_row = in_a_row + 1 if rates and sum(rates) / len(rates) >= rule.hack and is_long else 0
        if in_a_row == rule.steps:
            # The first step's completions are the untrained policy's: the next policy is the first that was trained.
            return {"step": max(1, number - 1), "rule": rule.model_dump(mode="json"), "met": True}
    return {"step": steps, "rule": rule.model_dump(mode="json"), "met": False}
