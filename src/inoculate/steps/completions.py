"""Samples cells: `completions.jsonl`, and `engines.json` (what sampled them).

Cells with the same adapter are sampled together, and each is a step of its own. Meanwhile finished completions are kept
in `drawn.jsonl`, so that an interrupted step continues with the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from inoculate.engine.sampling import Request, SampledCompletion
from inoculate.records import Completion, Problem, write_lines
from inoculate.steps import problems, rendering, unfinished
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.store import Step
from inoculate.steps.train import find_adapter
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
        # Since completions have random streams of their own, those that are drawn at random in this process are others
        # than before. Greedy ones and those of a server are the same, and remain valid.
        **({"streams": "completion"} if evaluate.temperature and not served else {}),
    }
    inputs = {"problems": drawn, **({"adapter": adapter} if adapter else {})}
    return Step(KIND, params, inputs, label=f"samples of {where}", version=VERSION)


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Sample one cell by itself."""
    for _ in run_together([step], [folder], resources, progress):
        pass


def in_groups(steps: Sequence[Step]) -> list[list[Step]]:
    """Steps of any kind in order; cells that follow each other and can be sampled together in one group."""

    def common(item: tuple[int, Step]) -> object:
        number, step = item
        return sampler_key(step) if step.kind == KIND else number

    return [[step for _, step in group] for _, group in groupby(enumerate(steps), key=common)]


def sampler_key(step: Step) -> tuple[str, float]:
    """What cells that are sampled together have in common: the adapter's step ('' for the untrained model), and at."""
    return step.inputs["adapter"].key if "adapter" in step.inputs else "", step.params["at"]


def run_together(
    steps: Sequence[Step], folders: Sequence[Path], resources: Resources, progress: Progress
) -> Iterator[int]:
    """Sample the completions that cells with the same model and adapter lack.

    Args:
        steps: The cells; `sampler_key` is the same for all.
        folders: The folder of each.
        resources: The model.
        progress: Called with the completions of all cells.

    Yields:
        The number of each cell, as soon as it is complete.
    """
    cells = [_Cell(step, folder, resources) for step, folder in zip(steps, folders, strict=True)]
    total = sum(cell.total for cell in cells)
    complete: set[int] = set()
    batches = _sample(steps[0], [cell.request() for cell in cells], resources)
    # First an empty batch of each: an interrupted run may have completed a cell and not written it.
    for number, batch in chain(((number, []) for number in range(len(cells))), batches):
        if batch:
            cells[number].keep(batch, resources.engine)
            progress(sum(cell.done for cell in cells), total, "sampled")
        if number not in complete and cells[number].done == cells[number].total:
            complete.add(number)
            cells[number].write()
            yield number
    if len(complete) < len(cells):
        raise RuntimeError("the sampler left completions out")  # an incomplete cell must not become a finished step


class _Cell:
    """A cell: its prompts, the completions that it has, and its folder."""

    def __init__(self, step: Step, folder: Path, resources: Resources) -> None:
        self.step, self.folder = step, folder
        self.shown = problems.read(resources.input_folder(step, "problems"))
        self.rendered = rendering.render(step.params, self.shown, resources)
        self.position = {problem.id: number for number, problem in enumerate(self.shown)}
        self.total = len(self.shown) * step.params["samples"]
        self.partial = folder / unfinished.FILE
        self.lines = unfinished.read(self.partial, Completion)

    @property
    def done(self) -> int:
        """How many completions there are."""
        return len(self.lines)

    def request(self) -> Request:
        """What is to be sampled."""
        params = self.step.params
        return Request(
            prompts=self.rendered,
            samples=params["samples"],
            temperature=params["temperature"],
            max_new_tokens=params["max_new_tokens"],
            seed=params["seed"],
            done=[(self.position[line.problem], line.index) for line in self.lines],
            names=[f"problem '{problem.id}'" for problem in self.shown],
        )

    def keep(self, batch: Sequence[SampledCompletion], engine: dict[str, Any]) -> None:
        """Keep completions, and what sampled them: a kill after this does not lose them."""
        records = [_record(self.shown, self.rendered, drawn) for drawn in batch]
        unfinished.keep(self.partial, records, engine)
        self.lines += records

    def write(self) -> None:
        """Write all completions in order, and what has drawn them."""
        ordered = sorted(self.lines, key=lambda line: (self.position[line.problem], line.index))
        write_lines(self.folder / "completions.jsonl", ordered)
        engines = json.dumps(unfinished.engines(self.partial), indent=1) + "\n"
        (self.folder / "engines.json").write_text(engines, encoding="utf-8")
        self.partial.unlink(missing_ok=True)


def _sample(
    step: Step, requests: Sequence[Request], resources: Resources
) -> Iterator[tuple[int, list[SampledCompletion]]]:
    """Draw the missing completions of several cells, of which `step` is one: (which cell, some of its completions)."""
    adapter = find_adapter(step, resources)
    if resources.server:
        from inoculate.engine.sampling import server

        served = server.Sampler(resources.served_model, resources.tokenizer, adapter)
        yield from server.sample(served, requests)
    elif any(request.missing() for request in requests):
        from inoculate.engine.sampling import in_process

        yield from in_process.sample(resources.sampler(adapter), requests)


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
