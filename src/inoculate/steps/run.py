"""Carries out a study: the missing steps, one after the other, then the manifest that points at them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from inoculate.grading import containment
from inoculate.steps import completions, grades, manifest, problems, row_grades, rows, scores, train
from inoculate.steps.plan import Plan
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.store import Step, Store, check_files

RUN_STEP: dict[str, Callable[[Step, Path, Resources, Progress], None]] = {
    problems.KIND: problems.run,
    rows.KIND: rows.run,
    row_grades.KIND: row_grades.run,
    train.KIND: train.run,
    completions.KIND: completions.run,
    grades.KIND: grades.run,
    scores.KIND: scores.run,
}
"""Kind of step -> the function that carries it out: it reads inputs from the store and writes files into one folder. A
new kind of step is a module like these and a line here; `plan` puts it in its place in a study."""


class Watcher(Protocol):
    """Receives the events of a run."""

    def on_step_start(self, step: Step, number: int, total: int) -> None:
        """A step starts."""

    def on_progress(self, done: int, total: int, note: str) -> None:
        """A part of the step is done."""

    def on_step_end(self, step: Step) -> None:
        """The step is in the store."""

    def on_message(self, text: str) -> None:
        """Something that takes long starts, such as a download."""


def carry_out(plan: Plan, store: Store, watcher: Watcher, source: str, seeds: Collection[int] | None = None) -> Path:
    """Carry out the missing steps of a plan.

    Whatever ends the run early (an error, Ctrl-C, a kill), finished steps are kept, and the manifest lists them.

    Args:
        plan: The study's plan.
        store: Where finished steps are, and where new ones are written.
        watcher: Receives the events.
        source: The text of the study file, kept beside the manifest.
        seeds: Only what these seeds of the study take; None for all. The manifest lists the rest as not finished.

    Returns:
        The run's folder.

    Raises:
        UserError: A step is impossible, because of something in the study or the user's files.
    """
    folder = store.run_folder(plan.study.name)
    folder.mkdir(parents=True, exist_ok=True)
    declared = manifest.declare(folder, plan)
    level = containment().level  # refuses, before any work, to run code where it is not safe
    (folder / "study.toml").write_text(source, encoding="utf-8")
    resources = Resources(store, plan.study.model, watcher.on_message, plan.server)
    try:
        _carry_out_steps(plan.missing(store, seeds), resources, watcher)
    finally:
        manifest.write(folder, plan, store, declared, level)
    return folder


def carry_out_step(step: Step, resources: Resources, progress: Progress) -> None:
    """Carry out one step whose inputs are finished. Its output is in the store complete, or not at all.

    Raises:
        UserError: The step is impossible, because of something in the study or the user's files.
    """
    check_files(step)
    with resources.store.write_step(step) as folder:
        RUN_STEP[step.kind](step, folder, resources, progress)


def _carry_out_steps(missing: Sequence[Step], resources: Resources, watcher: Watcher) -> None:
    """Carry out steps, one after the other.

    Where models run on a server or a GPU, completions are graded on this machine's cores meanwhile: nothing in a plan
    waits for grades. Where models run on the same cores, it would only slow both (sampling's threads wait for each
    other).
    """
    pending: deque[tuple[int, Step, Future[None]]] = deque()

    def collect(*, wait: bool) -> None:
        while pending and (wait or pending[0][2].done()):
            number, step, graded = pending.popleft()
            watcher.on_step_start(step, number, len(missing))
            graded.result()
            watcher.on_step_end(step)

    grader = ThreadPoolExecutor(1)
    try:
        for number, step in enumerate(missing, 1):
            collect(wait=False)
            if step.kind == grades.KIND and resources.cores_are_free:
                pending.append((number, step, grader.submit(carry_out_step, step, resources, _ignore_progress)))
                continue
            watcher.on_step_start(step, number, len(missing))
            carry_out_step(step, resources, watcher.on_progress)
            watcher.on_step_end(step)
        collect(wait=True)
    finally:
        # Whatever ends the run, the grading in progress is completed, and no other is started.
        grader.shutdown(cancel_futures=True)


def _ignore_progress(done: int, total: int, note: str) -> None:
    """Progress of a step that is reported when it is finished."""
