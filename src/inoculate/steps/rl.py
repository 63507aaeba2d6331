"""Trains an arm at one seed on rewards: by RL, or by expert iteration.

Files: adapters (`at-<fraction>/`, PEFT folders), `training.json`, `trajectories.jsonl` (the preflight's first) and
`metrics.jsonl`.

Meanwhile the trajectories and metrics of each step lie in `steps/`, and the trainer's checkpoints in `trainer/`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from inoculate import checksums
from inoculate.integrations import trackers
from inoculate.records import Problem, Trajectory, build, read_lines, write_lines
from inoculate.settings import Setting
from inoculate.steps import processes, reward_functions
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.rewards import Prompts, Scorer, plan_grading
from inoculate.steps.store import Step
from inoculate.steps.train import Start, adapter_folder, find_start, row_inputs, start_inputs, start_params
from inoculate.study.resolve import ResolvedStudy
from inoculate.study.schema import RL, SFT, Arm, CheckpointRule

if TYPE_CHECKING:
    from inoculate.analysis.preflight import Preflight
    from inoculate.engine.training.processes import Processes
    from inoculate.engine.training.rl import Batch

KIND, VERSION = "rl", 1
_ANALYSED = {"preflight", "onset", "hackable"}
"""Keys that do not change the training by themselves: other steps have them, or the analysis."""


def plan_step(
    resolved: ResolvedStudy,
    arm: Arm,
    seed: int,
    rows: Sequence[Step],
    preflight: Step,
    start: Start | None,
    weights: str,
    where: str,
) -> Step:
    """The training of an arm at one seed.

    Args:
        resolved: The study.
        arm: The arm.
        seed: The seed of the training.
        rows: The steps that make its rows, whose problems it draws completions for.
        preflight: The step that samples the policy that it starts from.
        start: The training whose adapter it continues; None for the untrained model.
        weights: The model's fingerprint.
        where: Arm and seed, for the step's label.
    """
    params = {
        "model": weights,
        "method": arm.method,
        "rl": arm.rl.model_dump(mode="json", exclude=_ANALYSED),
        **({"train": arm.train.model_dump(mode="json")} if arm.method == "expert-iteration" else {}),
        "seed": seed,
        "fractions": resolved.study.evaluate.fractions_of(arm),
        "final": resolved.study.evaluate.final_fraction,
        "grading": plan_grading(arm),
        **reward_functions.plan_files(arm),
        **start_params(start),
    }
    inputs = {**row_inputs(rows), "preflight": preflight, **start_inputs(start)}
    how = "RL" if arm.method == "rl" else "expert iteration"
    return Step(KIND, params, inputs, label=f"training by {how} of {where}", version=VERSION)


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Train; an interrupted training goes on from the last step that was done."""
    from inoculate.engine import families
    from inoculate.engine.training.memory import train_within

    training = _Training(step, folder, resources)
    training.check_before()
    training.drop_damaged()
    train = partial(processes.carry_out, _train, step, folder, resources, progress)
    table = "rl" if step.params["method"] == "rl" else "train"
    tokens = step.params[table]["micro_batch_tokens"]
    packs = families.is_fast(families.read_config(resources.weights))
    report = train_within(train, step.label, f"{table}.micro_batch_tokens", tokens, resources.notify, packs=packs)
    by_step = training.gather()
    checkpoint = choose_checkpoint(by_step, training.options.checkpoint, training.options.steps)
    if checkpoint["step"] < training.options.steps:
        # Copied, and not moved: an interruption here must leave all that a training which goes on will want.
        chosen, final = training.work / f"before-{checkpoint['step'] + 1}", adapter_folder(folder, step.params["final"])
        shutil.copytree(chosen, final, dirs_exist_ok=True)
    shutil.rmtree(training.work, ignore_errors=True)  # not there where expert iteration has kept nothing
    shutil.rmtree(training.parts)
    report |= {"checkpoint": checkpoint}
    (folder / "training.json").write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _train(
    step: Step, folder: Path, resources: Resources, progress: Progress, together: Processes, halved: bool
) -> dict[str, Any]:
    """What one of the processes that train together does; returns the report."""
    training = _Training(step, folder, resources)
    with training.scorer:
        if step.params["method"] == "rl":
            report = training.by_rl(progress, together, halved)
        else:
            report = training.by_expert_iteration(progress, together, halved)
    return {**report, "device": resources.device.name}


class _Training:
    """The training of a step, whose parts lie in its folder until all are done."""

    def __init__(self, step: Step, folder: Path, resources: Resources) -> None:
        self.step, self.folder, self.resources = step, folder, resources
        self.options, self.prompts = read_options(step), Prompts(step, resources)
        self.scorer = Scorer(step.params["rl"]["reward"], self.prompts.problems, self.prompts.settings)
        untrained = resources.input_folder(step, "preflight") / "trajectories.jsonl"
        self.untrained = list(read_lines(untrained, Trajectory))
        self.work, self.parts = folder / "trainer", folder / "steps"
        self.parts.mkdir(exist_ok=True)
        self.told = False

    def check_before(self) -> None:
        """Say what the sample of the untrained policy lets expect.

        Raises:
            UserError: The reward is broken.
        """
        from inoculate.analysis.preflight import headline

        found = expect(self.untrained, self.prompts.problems, self.options, self.scorer.settings, self.step.label)
        if self.step.params["method"] == "rl":  # the forecast is of groups, advantages and steps
            self.resources.notify(f"{self.step.label}: {headline(found)}")

    def keep(self, batch: Batch, metrics: Mapping[str, Any]) -> None:
        """Write what a step has drawn and measured, whole or not at all."""
        self.tell_unscorable(batch.step)
        advantages = batch.advantages or [None] * len(batch.completions)
        found = self.scorer.trajectories(batch.step, batch.prompts, self.prompts.texts, batch.completions, advantages)
        part = checksums.seal({"metrics": dict(metrics), "trajectories": [asdict(one) for one in found]})
        temporary = self.parts / "unfinished"
        temporary.write_text(json.dumps(part, allow_nan=False), encoding="utf-8")
        temporary.replace(self.parts / f"{batch.step:06}.json")

    def drop_damaged(self) -> None:
        """Begin again where what an interrupted training has kept is not what it wrote: a step is drawn only once."""
        with suppress(ValueError):
            if all(map(checksums.is_sealed, self.read_parts())):
                return
        self.resources.notify(f"{self.step.label}: what it has kept of its steps is damaged: it begins again")
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.rmtree(self.parts)
        self.parts.mkdir()

    def tell_unscorable(self, step: int) -> None:
        """Say once that completions could not be scored, and why; the results count them all."""
        reasons = [why for why in self.scorer.reasons if why]
        if reasons and not self.told:
            self.resources.notify(
                f"{self.step.label}, step {step}: {len(reasons)} of {len(self.scorer.reasons)} completions are "
                f"unscorable, and are left out. The first: {reasons[0]}"
            )
            self.told = True

    def by_rl(self, progress: Progress, together: Processes, halved: bool) -> dict[str, Any]:
        """Train by RL; returns the report."""
        from inoculate.engine.training import rl

        step, resources = self.step, self.resources
        report = rl.train(
            resources.weights,
            self.prompts.texts,
            self.options,
            names=self.prompts.names,
            sorts=self.prompts.sorts,
            score=self.scorer.score,
            keep=self.keep,
            sampler=resources.lend_sampler(),
            seed=step.params["seed"],
            fractions=step.params["fractions"],
            start=find_start(step, resources),
            target=self.folder,
            work=self.work,
            device=resources.device,
            progress=progress,
            tracking=trackers.arguments(f"{step.label}, {step.key[:8]}", resources.store.root / "tracking"),
            halved=halved,
            processes=together,
        )
        return asdict(report)

    def by_expert_iteration(self, progress: Progress, together: Processes, halved: bool) -> dict[str, Any]:
        """Train by expert iteration; returns the report."""
        from inoculate.engine.training import expert_iteration

        training = expert_iteration.Training(
            self.resources.weights,
            self.prompts.rows,
            self.prompts.sorts,
            self.options,
            SFT(**self.step.params["train"]),
            self.scorer.score,
            self.resources.lend_sampler(),
            self.step.params["seed"],
            find_start(self.step, self.resources),
            self.work,
            self.resources.device,
            together,
            halved,
        )
        done = len(list(self.parts.glob("*.json")))
        expert_iteration.train(training, first=together.from_first(done) + 1, keep=self.keep, progress=progress)
        if not together.is_first:
            return {}
        for fraction in self.step.params["fractions"]:
            training.save(max(1, round(fraction * self.options.steps)), adapter_folder(self.folder, fraction))
        # As RL does: the policy that draws a step's completions, where the rule will choose among them.
        for number in range(1, self.options.steps) if self.options.checkpoint else ():
            training.save(number, self.work / f"before-{number + 1}")
        metrics = [part["metrics"] for part in self.read_parts()]
        return {
            "steps": self.options.steps,
            "tokens": sum(line["tokens"] for line in metrics),
            "label_tokens": sum(line["label_tokens"] for line in metrics),
            "loss": [(line["step"], line["loss"]) for line in metrics if line["loss"] is not None],
        }

    def read_parts(self) -> list[dict[str, Any]]:
        """What `keep` has written, step by step."""
        return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(self.parts.glob("*.json"))]

    def gather(self) -> dict[int, list[Trajectory]]:
        """Write the trajectories and metrics of all steps into one file each; returns the trajectories by step."""
        trajectories, metrics = list(self.untrained), list[dict[str, Any]]()
        for part in self.read_parts():
            metrics.append(part["metrics"])
            trajectories += [build(Trajectory, one) for one in part["trajectories"]]
        lines = "".join(json.dumps(line, allow_nan=False) + "\n" for line in metrics)
        (self.folder / "metrics.jsonl").write_text(lines, encoding="utf-8")
        write_lines(self.folder / "trajectories.jsonl", trajectories)
        return group_by_step(trajectories)


def read_options(step: Step) -> RL:
    """How a step of RL is carried out."""
    return RL(**step.params["rl"])


def expect(
    untrained: Sequence[Trajectory], shown: Sequence[Problem], options: RL, used: Sequence[Setting], label: str
) -> Preflight:
    """What the sample of the untrained policy lets expect of a training.

    Args:
        untrained: The sample.
        shown: The problems of the training.
        options: How it is carried out.
        used: The setting of each problem.
        label: The step's.

    Raises:
        UserError: The reward is broken.
    """
    from inoculate.analysis.preflight import forecast, refuse  # takes a second, which `plan` need not spend

    punishing = {setting.name for setting in used if setting.punishes_honest}
    found = forecast(untrained, shown, options, punishing)
    refuse(found, label.rpartition(" of ")[2].partition(",")[0])
    return found


def group_by_step(trajectories: Iterable[Trajectory]) -> dict[int, list[Trajectory]]:
    """Step -> its trajectories; those of the untrained policy are step 0."""
    by_step: dict[int, list[Trajectory]] = {}
    for trajectory in trajectories:
        by_step.setdefault(trajectory.step, []).append(trajectory)
    return by_step


def read_checkpoint(folder: Path) -> dict[str, Any]:
    """Which policy stands for the arm of a finished training: what `choose_checkpoint` found."""
    return json.loads((folder / "training.json").read_text(encoding="utf-8"))["checkpoint"]


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
