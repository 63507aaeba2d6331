"""Rough estimates of the time and memory of a plan: from its finished steps, else from the model's size."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from inoculate.engine import models
from inoculate.steps import choices, completions, distances, fresh_samples, grades, preflight, rl, scores, train
from inoculate.steps.plan import TRAINED, Plan
from inoculate.steps.resources import STAYS_BYTES
from inoculate.steps.store import Step, Store
from inoculate.study.schema import Study

_SECONDS_PER_BILLION: dict[str, float] = {
    train.KIND: 1.4,
    preflight.KIND: 0.55,
    rl.KIND: 2.0,
    fresh_samples.KIND: 0.55,
    completions.KIND: 0.55,
    choices.KIND: 0.15,
    scores.KIND: 0.5,
    distances.KIND: 0.5,
}
"""Seconds for a row, a completion or a scored answer and a billion parameters; measured with both embedded models on
two CPU cores."""
_PLAIN_FACTOR = 4.0
"""How many times as long the plain path takes (`engine.families`): beside transformers' `generate` sampling was 2.9 to
7.8 times as fast, beside TRL training 2.9 to 3.3 times (docs/performance.md)."""
_START_SECONDS = 8.0
"""Until libraries and model are loaded, once in a run: most of the time of a tiny study. Steps that were measured have
had their share of it, and of what follows."""
_TRAINER_SECONDS = 1.5
"""For each training, and each round of expert iteration, whatever its size: the base model and the trainer are made."""
_GRADE_SECONDS = 0.01
_MOST_READ = 200
"""The most finished steps of a kind whose times are read: enough for an estimate, however large the study."""
_BYTES_PER_PARAMETER = 6
"""The weights as loaded and, on a CPU, two packed copies for training (`kernels.packed`); the demo took 7.8 GB."""
_BYTES_PER_SHARDED_PARAMETER = 2
"""The same, divided by the processes, where the weights are divided among them: no copies are packed."""
_SAMPLER_BYTES = 4
"""For each parameter, if the model that samples stays loaded during training: its base weights and the packed ones."""
_BYTES_PER_TOKEN_AND_PARAMETER = 0.006
"""Memory of activations and gradients for a token of a micro-batch; measured with both embedded models."""


class Estimate(NamedTuple):
    """Time and memory for a plan; None where the model's size is not known yet."""

    slower: str
    """Why the model takes the plain path, which the time allows for; '' where it does not."""
    seconds: float | None
    memory_gb: float | None
    """Of the process that needs most."""
    parts: dict[str, float]
    """Kind of step -> the seconds of those that take long, among the steps to do; `start` -> those until libraries and
    model are loaded, if none of these kinds was measured. Empty where that is not known."""


def count_parameters(model: str) -> int | None:
    """Parameters of a model, from the sizes of its files; None if it is not on this machine."""
    if model in models.EMBEDDED:
        return models.EMBEDDED[model].parameters
    folder = models.local_folder(model)
    files = list(folder.glob("*.safetensors")) if folder else []
    return sum(file.stat().st_size for file in files) // 2 or None


def estimate(plan: Plan, store: Store, missing: Sequence[Step]) -> Estimate:
    """Time and memory for the missing steps of a plan."""
    # To know the model's type takes seconds, which the plan of a finished study need not spend.
    size, slower = count_parameters(plan.study.model), models.slower(plan.study.model) if missing else ""
    parts: dict[str, float] = {}
    is_measured = False
    for kind, (measured, expected) in _rates(plan, store, {step.kind for step in missing}).items():
        steps = [step for step in missing if step.kind == kind]
        rate = measured or expected
        if not rate:
            return Estimate(slower, None, None, {})
        trainers = sum(map(_trainers, steps)) if kind in TRAINED and not measured else 0
        parts[kind] = sum(_units(step) for step in steps) * rate + trainers * _TRAINER_SECONDS
        is_measured |= bool(measured)
    if parts and not is_measured:
        parts = {"start": _START_SECONDS, **parts}
    if graded := [step.inputs["completions"] for step in missing if step.kind == grades.KIND]:
        parts[grades.KIND] = sum(map(_units, graded)) * _GRADE_SECONDS
    total = sum(parts.values())
    if size is None:
        return Estimate(slower, total, None, parts)
    sampling = 0 if plan.server else _SAMPLER_BYTES * size
    return Estimate(slower, total, max([sampling, *_training_bytes(plan.study, size)]) / 1e9 + 1, parts)


def _training_bytes(study: Study, size: int) -> Iterator[float]:
    """What a process that trains an arm holds, for each arm."""
    for arm in study.arms.values():
        needs = study.needs_of(rl.KIND if arm.is_rewarded else train.KIND)
        tokens = arm.rl.micro_batch_tokens if arm.method == "rl" else arm.train.micro_batch_tokens
        held = _BYTES_PER_SHARDED_PARAMETER / needs.count if needs.shard else _BYTES_PER_PARAMETER
        # Several processes are started beside one that has unloaded its sampler, and RL samples in each.
        if arm.is_rewarded or (needs.count == 1 and 2 * size <= STAYS_BYTES):
            held += _SAMPLER_BYTES
        yield size * (held + tokens * _BYTES_PER_TOKEN_AND_PARAMETER)


def seconds_of(plan: Plan, store: Store, missing: Sequence[Step]) -> dict[str, float]:
    """Seconds of each missing step, by its key, to tell what takes longer.

    Where neither steps of a kind were measured nor the model's size is known, it is taken for one of 1B parameters.
    """
    rates = _rates(plan, store, {step.kind for step in missing})
    seconds: dict[str, float] = {}
    for step in missing:
        measured, expected = rates.get(step.kind, (None, None))
        if step.kind in _SECONDS_PER_BILLION:
            seconds[step.key] = _units(step) * (measured or expected or _SECONDS_PER_BILLION[step.kind])
        elif step.kind == grades.KIND:
            seconds[step.key] = _units(step.inputs["completions"]) * _GRADE_SECONDS
        else:
            seconds[step.key] = 1.0
    return seconds


def _rates(plan: Plan, store: Store, kinds: Collection[str]) -> dict[str, tuple[float | None, float | None]]:
    """Seconds per unit of those kinds that take long: as measured in this plan, and as expected of the model's size."""
    if not kinds:
        return {}
    size = count_parameters(plan.study.model)
    path = _PLAIN_FACTOR if models.slower(plan.study.model) else 1.0
    done = plan.finished_keys(store)
    finished = [step for step in plan.steps() if step.key in done]
    rates: dict[str, tuple[float | None, float | None]] = {}
    for kind, usual in _SECONDS_PER_BILLION.items():
        if kind not in kinds:
            continue
        needs = plan.study.needs_of(kind)
        # Processes without GPUs share the cores that one would have.
        expected = size and usual * path * size / 1e9 / max(1, int(needs.gpus))
        rates[kind] = _measured(finished, store, kind, needs.count), expected
    return rates


def _trainers(step: Step) -> int:
    """How many trainers a training makes: expert iteration one for each round."""
    return step.params["rl"]["steps"] if step.params["method"] == "expert-iteration" else 1


def _units(step: Step) -> float:
    """How many rows a training step sees, how many completions a step draws, or how many answers it scores."""
    if step.kind == preflight.KIND:
        return sum(table["count"] for table in _row_tables(step)) * step.params["rl"]["preflight"]
    if step.kind == scores.KIND:
        return scores.count_scores(step)
    if step.kind == distances.KIND:
        return distances.count_scored(step)
    if step.kind == fresh_samples.KIND:
        return sum(table["count"] for table in _row_tables(step)) * step.params["samples"]
    if step.kind == rl.KIND:
        options = step.params["rl"]
        return options["steps"] * options["prompts_per_step"] * options["completions_per_prompt"]
    if step.kind == train.KIND:
        rows = sum(table["count"] + _vetted_rows(table["vetted"]) for table in _row_tables(step))
        # Training continues to the last fraction that is evaluated.
        return rows * step.params["train"]["epochs"] * max(1.0, *step.params["fractions"])
    problems = step.inputs["problems"].params
    # An upper bound: a problem whose key is right has no twin.
    return problems["count"] * (2 if problems.get("twins") else 1) * step.params.get("samples", 1)


def _vetted_rows(vetted: int | dict[str, Any]) -> int:
    return (vetted["exposures"] or vetted["count"]) if isinstance(vetted, dict) else vetted


def _row_tables(step: Step) -> list[dict[str, Any]]:
    """The tables of rows that a step is given."""
    return [given.params["rows"] for name, given in step.inputs.items() if name.partition("_")[0] == "rows"]


def _spent(folder: Path, count: int) -> float | None:
    """The seconds of a finished step; None if so many processes did not carry it out here.

    So it is where its file is damaged, too, which `run` sees to.
    """
    try:
        record = json.loads((folder / "step.json").read_text(encoding="utf-8"))
        elsewhere = record.get("imported") or record.get("processes", count) != count
        return None if elsewhere else float(record["seconds"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _measured(finished: Sequence[Step], store: Store, kind: str, count: int) -> float | None:
    """Seconds per unit in those finished steps of this plan that were carried out here, by so many processes."""
    seconds, units = 0.0, 0.0
    for step in islice((step for step in finished if step.kind == kind), _MOST_READ):
        folder = store.record(step)  # at a URL it may be finished, and not here
        spent = _spent(folder, count) if folder else None
        if spent is not None:
            seconds += spent
            units += _units(step)
    return seconds / units if units else None
