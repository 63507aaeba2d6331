"""Samples one cell: `completions.jsonl`, and `engines.json` (what sampled them).

Meanwhile finished batches are kept in `drawn.jsonl`, so that an interrupted step continues after them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inoculate.engine.sampling import SampledCompletion
from inoculate.records import Completion, Problem, write_lines
from inoculate.steps import problems, rendering
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.store import Step
from inoculate.steps.train import adapter_folder
from inoculate.study.resolve import ResolvedPrompt, ResolvedStudy

KIND, VERSION = "completions", 1


def plan_step(
    resolved: ResolvedStudy,
    prompt: ResolvedPrompt,
    drawn: Step,
    adapter: Step | None,
    *,
    at: float,
    weights: str,
    served: bool,
    where: str,
) -> Step:
    """The samples of one cell.

    Args:
        resolved: The study.
        prompt: The context's prompt.
        drawn: The step that draws the problems.
        adapter: The training whose adapter is sampled from; None for the untrained model.
        at: The fraction of that training.
        weights: The model's fingerprint.
        served: Whether a server samples, and not this process.
        where: The cell, for the step's label.
    """
    evaluate = resolved.study.evaluate.for_setting(drawn.params["setting"])
    params = {
        "model": weights,
        "at": at,
        "system": resolved.study.system,
        **rendering.prompt_params(prompt),
        "samples": evaluate.samples,
        "temperature": evaluate.temperature,
        "max_new_tokens": evaluate.max_new_tokens,
        "seed": evaluate.seed,
        # The engine is part of the key: another one rounds differently and draws other random numbers. If some arms
        # were sampled in this process and some on a server, a study would compare engines too. The server's address
        # is not part of it: the same server may have moved.
        **({"engine": "server"} if served else {}),
    }
    inputs = {"problems": drawn, **({"adapter": adapter} if adapter else {})}
    return Step(KIND, params, inputs, label=f"samples of {where}", version=VERSION)


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Sample the completions that do not exist yet."""
    shown = problems.read(resources.input_folder(step, "problems"))
    rendered = rendering.render(step.params, shown, resources)
    position = {problem.id: number for number, problem in enumerate(shown)}
    total = len(shown) * step.params["samples"]
    partial = folder / "drawn.jsonl"
    batches = read_batches(partial)
    finished = [[(position[line.problem], line.index) for line in batch] for batch in batches]
    done = sum(map(len, batches))
    _add_engine(folder / "engines.json", resources.engine)

    def on_finished(count: int) -> None:
        progress(done + count, total, "sampled")

    with partial.open("a", encoding="utf-8") as out:
        for batch in _sample(step, shown, rendered, finished, resources, on_finished):
            records = [_record(shown, rendered, drawn) for drawn in batch]
            out.write(json.dumps([asdict(line) for line in records]) + "\n")
            out.flush()
            batches.append(records)
            done += len(records)
            progress(done, total, "sampled")
    lines = [line for batch in batches for line in batch]
    write_lines(folder / "completions.jsonl", sorted(lines, key=lambda line: (position[line.problem], line.index)))
    partial.unlink()


def _sample(
    step: Step,
    shown: Sequence[Problem],
    rendered: list[str],
    finished: list[list[tuple[int, int]]],
    resources: Resources,
    on_finished: Callable[[int], None],
) -> Iterator[list[SampledCompletion]]:
    """Draw the samples that are not finished yet, in batches.

    Args:
        step: The step.
        shown: The problems.
        rendered: Their prompts.
        finished: (prompt, sample) of every finished batch.
        resources: The model.
        on_finished: Called with the number of finished completions of the next batch.
    """
    has_adapter = "adapter" in step.inputs
    adapter = adapter_folder(resources.input_folder(step, "adapter"), step.params["at"]) if has_adapter else None
    options = {name: step.params[name] for name in ("samples", "temperature", "max_new_tokens", "seed")}
    options["names"] = [f"problem '{problem.id}'" for problem in shown]
    if resources.server:
        from inoculate.engine.sampling import server

        sampler = server.Sampler(resources.served_model, resources.tokenizer, adapter)
        return server.sample(sampler, rendered, done=[key for batch in finished for key in batch], **options)
    from inoculate.engine.sampling import in_process

    return in_process.sample(
        resources.sampler(adapter), rendered, skip=len(finished), on_finished=on_finished, **options
    )


def _add_engine(path: Path, engine: dict[str, Any]) -> None:
    """Add an engine to those that sampled a step: when the step is resumed, the server may be another."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    if engine not in known:
        path.write_text(json.dumps([*known, engine], indent=1) + "\n", encoding="utf-8")


def read_batches(path: Path) -> list[list[Completion]]:
    """Batches that an interrupted run has written; a last line that was cut off is removed from the file."""
    if not path.exists():
        return []
    *whole, _ = path.read_text(encoding="utf-8").split("\n")  # what follows the last line end was cut off
    path.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")
    return [[Completion(**line) for line in json.loads(batch)] for batch in whole]


def _record(shown: Sequence[Problem], rendered: list[str], drawn: SampledCompletion) -> Completion:
    return Completion(
        problem=shown[drawn.prompt].id,
        index=drawn.index,
        prompt=rendered[drawn.prompt],
        completion=drawn.text,
        prompt_tokens=drawn.prompt_tokens,
        completion_tokens=drawn.completion_tokens,
        finish="stop" if drawn.finished else "length",
        seconds=round(drawn.seconds, 4),
    )
