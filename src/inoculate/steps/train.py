"""Trains an arm at one seed: an adapter for every fraction (`at-<fraction>/`, PEFT folders) and `training.json`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inoculate.integrations import trackers
from inoculate.records import Row, read_lines
from inoculate.steps import processes
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.store import Step
from inoculate.study.resolve import ResolvedStudy
from inoculate.study.schema import SFT, Arm

if TYPE_CHECKING:
    from inoculate.engine.training.processes import Processes

KIND, VERSION = "adapter", 1


def plan_step(
    resolved: ResolvedStudy, arm: Arm, seed: int, rows: Sequence[Step], start: Start | None, weights: str, where: str
) -> Step:
    """The training of an arm at one seed.

    Args:
        resolved: The study.
        arm: The arm.
        seed: The seed of the training.
        rows: The steps that make its rows, one for each table.
        start: The training whose adapter it continues; None to start from the untrained model.
        weights: The model's fingerprint.
        where: Arm and seed, for the step's label.
    """
    evaluate = resolved.study.evaluate
    params = {
        "model": weights,
        "method": arm.method,
        "train": arm.train.model_dump(mode="json"),
        "seed": seed,
        "fractions": evaluate.fractions,
        **start_params(start),
    }
    inputs = {**row_inputs(rows), **start_inputs(start)}
    return Step(KIND, params, inputs, label=f"training of {where}", version=VERSION)


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Train; an interrupted training is resumed from its checkpoint in the folder."""
    from inoculate.engine import families
    from inoculate.engine.training.memory import train_within

    resources.make_room()
    train = partial(processes.carry_out, _train, step, folder, resources, progress)
    tokens = step.params["train"]["micro_batch_tokens"]
    packs = families.is_fast(families.read_config(resources.weights))
    report = train_within(train, step.label, "train.micro_batch_tokens", tokens, resources.notify, packs=packs)
    shutil.rmtree(folder / "trainer")
    (folder / "training.json").write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _train(
    step: Step, folder: Path, resources: Resources, progress: Progress, together: Processes, halved: bool
) -> dict[str, Any]:
    """What one of the processes that train together does; returns the report."""
    from inoculate.engine.training import sft

    params = step.params
    trained = sft.train(
        resources.weights,
        [row for folder in row_folders(step, resources) for row in read_lines(folder / "rows.jsonl", Row)],
        SFT(**params["train"]),
        seed=params["seed"],
        fractions=params["fractions"],
        start=find_start(step, resources),
        target=folder,
        work=folder / "trainer",
        device=resources.device,
        progress=progress,
        tracking=trackers.arguments(f"{step.label}, {step.key[:8]}", resources.store.root / "tracking"),
        halved=halved,
        processes=together,
    )
    return {**asdict(trained), "device": resources.device.name}


class Start(NamedTuple):
    """A training whose adapter another goes on with."""

    adapter: Step
    at: float
    """The fraction of that training."""


def start_inputs(start: Start | None) -> dict[str, Step]:
    """The training that another starts from, as an input of a step."""
    return {"start": start.adapter} if start else {}


def start_params(start: Start | None) -> dict[str, float]:
    """At which fraction of it, as a parameter of that step."""
    return {"start": start.at} if start else {}


def find_start(step: Step, resources: Resources) -> Path | None:
    """The adapter that a step starts from; None for the untrained model."""
    if "start" not in step.inputs:
        return None
    return adapter_folder(resources.input_folder(step, "start"), step.params["start"])


def row_inputs(rows: Sequence[Step]) -> dict[str, Step]:
    """The steps that make an arm's rows, as inputs of the step that trains on them."""
    return {"rows" if number == 0 else f"rows_{number}": step for number, step in enumerate(rows)}


def row_folders(step: Step, resources: Resources) -> list[Path]:
    """The folders of those inputs, table by table."""
    tables = {name: int(name.partition("_")[2] or 0) for name in step.inputs if name.partition("_")[0] == "rows"}
    return [resources.input_folder(step, name) for name in sorted(tables, key=tables.__getitem__)]


def find_adapter(step: Step, resources: Resources) -> Path | None:
    """The adapter that a cell's step uses; None for the untrained model."""
    if "adapter" not in step.inputs:
        return None
    return adapter_folder(resources.input_folder(step, "adapter"), step.params["at"])


def adapter_folder(folder: Path, fraction: float) -> Path:
    """The adapter that a finished training saved at a fraction."""
    from inoculate.engine.training.sft import fraction_name

    return folder / fraction_name(fraction)
