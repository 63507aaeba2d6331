"""Carries out a study: the missing steps, one after the other or on a cluster, then the manifest that points at them.

A step of an arm that cannot be made (its filter has kept no rows, a row is too long, its reward is broken) does not end
the run: only what needs it is not made either, and at the end the run says so.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple, Protocol

from inoculate.engine.models import Unreachable
from inoculate.engine.training.launch import refuse_several_processes
from inoculate.errors import NoNumbers, UserError
from inoculate.grading import containment
from inoculate.records import write_whole
from inoculate.steps import (
    choices,
    completions,
    damage,
    distances,
    fresh_samples,
    grades,
    manifest,
    preflight,
    problems,
    processes,
    refusals,
    rl,
    row_grades,
    rows,
    scores,
    train,
    trajectory_rows,
)
from inoculate.steps.plan import Plan
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.store import Step, Store, check_files

RUN_STEP: dict[str, Callable[[Step, Path, Resources, Progress], None]] = {
    problems.KIND: problems.run,
    rows.KIND: rows.run,
    trajectory_rows.KIND: trajectory_rows.run,
    row_grades.KIND: row_grades.run,
    train.KIND: train.run,
    preflight.KIND: preflight.run,
    rl.KIND: rl.run,
    fresh_samples.KIND: fresh_samples.run,
    completions.KIND: completions.run,
    choices.KIND: choices.run,
    grades.KIND: grades.run,
    scores.KIND: scores.run,
    distances.KIND: distances.run,
}
"""Kind of step -> the function that carries it out: it reads inputs from the store and writes files into one folder. A
new kind of step is a module like these and a line here; `plan` puts it in its place in a study."""


_OF_AN_ARM = {
    rows.KIND, trajectory_rows.KIND, scores.KIND, distances.KIND, train.KIND, preflight.KIND, rl.KIND,
    fresh_samples.KIND,
}  # fmt: skip
"""The kinds of steps that other arms can do without, as are samples of an adapter that gives no numbers. What else is
refused, such as a server that fails, would be refused for every arm: it ends the run."""
_RECORD_SHARE = 50
"""The manifest is written at most once in so many times of what it takes: in a large study it takes seconds."""


class Incomplete(UserError):
    """A run that is over and has left out arms, or seeds of them, that could not be made."""

    def __init__(self, folder: Path, not_made: Mapping[str, str]) -> None:
        """Say what could not be made.

        Args:
            folder: The run's folder.
            not_made: Key of each step that is missing -> why; those that need a refused one have its reason.
        """
        self.folder, self.not_made = folder, not_made
        refusals, missing = list(dict.fromkeys(not_made.values())), len(not_made)
        count = "one step" if len(refusals) == 1 else f"{len(refusals)} steps"
        needing = f", nor {missing - len(refusals)} that need it" if missing > len(refusals) else ""
        needing = needing if len(refusals) == 1 else needing.replace(" it", " them")
        reasons = "".join(f"\n- {refusal}" for refusal in refusals)
        super().__init__(
            f"{count} could not be made{needing}; all others are finished, and the same command tries again:{reasons}"
        )


class Refused(UserError):
    """A step of an arm cannot be made of what it was given."""


class Running(NamedTuple):
    """What one of several machines does at the moment."""

    label: str
    machine: str
    done: int
    total: int
    note: str


class Watcher(Protocol):
    """Receives the events of a run."""

    def on_step_start(self, step: Step, number: int, total: int) -> None:
        """A step starts, or the first of several that are carried out together."""

    def on_progress(self, done: int, total: int, note: str) -> None:
        """A part of it is done."""

    def on_step_end(self, step: Step) -> None:
        """The step is in the store; called for each of those that were carried out together."""

    def on_message(self, text: str) -> None:
        """Something that takes long starts, such as a download."""

    def on_parallel(self, running: Sequence[Running], finished: int, total: int) -> None:
        """Where several machines work: what they do now, and how many steps are finished, of how many."""


class Place(Protocol):
    """Where steps are carried out, other than in this process."""

    def carry_out(
        self,
        plan: Plan,
        missing: Sequence[Step],
        resources: Resources,
        watcher: Watcher,
        on_step_end: Callable[[], None],
        not_made: dict[str, str],
    ) -> None:
        """Carry out steps, as `_carry_out_steps` does one after the other."""


def carry_out(
    plan: Plan,
    store: Store,
    watcher: Watcher,
    source: str,
    seeds: Collection[int] | None = None,
    only: Collection[Step] | None = None,
    place: Place | None = None,
) -> Path:
    """Carry out the missing steps of a plan.

    Whatever ends the run early (an error, Ctrl-C, a kill), finished steps are kept. The manifest is there from the
    start and follows them, so that a run can be reported on while it goes on, and after it was killed.

    Args:
        plan: The study's plan.
        store: Where finished steps are, and where new ones are written.
        watcher: Receives the events.
        source: The text of the study file, kept beside the manifest.
        seeds: Only what these seeds of the study take; None for all. The manifest lists the rest as not finished.
        only: Only these steps and what they need; None for all.
        place: Where steps are carried out; None for this process, one after the other.

    Returns:
        The run's folder.

    Raises:
        Incomplete: All is done but steps of arms that cannot be made, and what needs these.
        UserError: The study cannot be carried out, because of something in it or in the user's files.
    """
    store.notify = watcher.on_message
    store.check_writable()
    refuse_several_processes()
    level = containment().level  # refuses, before any work, to run code where it is not safe
    resources = Resources(store, plan.study.model, watcher.on_message, plan.server, plan.study.resources)

    def find_missing() -> list[Step]:
        return plan.missing(store, seeds) if only is None else _missing_of(only, store)

    store.readable_keys(plan.steps(seeds))
    missing = damage.set_aside(plan.steps(seeds), find_missing, store, watcher.on_message)
    refusals.check(plan, missing, resources)
    if not place:
        processes.refuse_too_few_gpus({step.kind: resources.needs_of(step.kind) for step in missing})
    folder = store.run_folder(plan.study.name)
    folder.mkdir(parents=True, exist_ok=True)
    declared = manifest.declare(folder, plan, store)
    write_whole(folder / "study.toml", source)
    store.publish_run(folder, "study.toml")
    not_made: dict[str, str] = {}

    def write_manifest() -> None:
        manifest.write(folder, plan, store, declared, level, not_made)
        store.publish_run(folder, "manifest.json")

    record = _Record(write_manifest)
    record.write()
    try:

        def carry_out_missing(steps: Sequence[Step]) -> None:
            if place:
                place.carry_out(plan, steps, resources, watcher, record.on_step_end, not_made)
            else:
                _carry_out_steps(steps, resources, watcher, record, not_made)

        carry_out_missing(missing)
        while damage.settle(store, watcher.on_message):
            carry_out_missing([step for step in find_missing() if step.key not in not_made])
    finally:
        record.write()
    if not_made:
        raise Incomplete(folder, not_made)
    return folder


def carry_out_most(
    plan: Plan,
    store: Store,
    watcher: Watcher,
    source: str,
    left_out: list[Incomplete],
    seeds: Collection[int] | None = None,
    only: Collection[Step] | None = None,
    place: Place | None = None,
) -> Path:
    """As `carry_out`, where something else comes after: what could not be made is noted, for `refuse_incomplete`.

    Args:
        plan: The study's plan.
        store: Where finished steps are, and where new ones are written.
        watcher: Receives the events.
        source: The text of the study file, kept beside the manifest.
        left_out: Gets what could not be made.
        seeds: Only what these seeds of the study take; None for all.
        only: Only these steps and what they need; None for all.
        place: Where steps are carried out; None for this process, one after the other.

    Returns:
        The run's folder.

    Raises:
        UserError: The study cannot be carried out, because of something in it or in the user's files.
    """
    try:
        return carry_out(plan, store, watcher, source, seeds, only, place)
    except Incomplete as error:
        left_out.append(error)
        return error.folder


def refuse_incomplete(left_out: Sequence[Incomplete]) -> None:
    """Say at the end of all that is to be done what could not be made; nothing where all could.

    Raises:
        Incomplete: Something was left out.
    """
    if left_out:
        raise Incomplete(left_out[-1].folder, {key: why for one in left_out for key, why in one.not_made.items()})


class _Record:
    """The manifest of a run that goes on. It is written again as steps finish, in a small share of the time."""

    def __init__(self, write: Callable[[], None]) -> None:
        self._write = write
        self._next = 0.0

    def write(self) -> None:
        """Write it."""
        started = time.monotonic()
        self._write()
        self._next = time.monotonic() + _RECORD_SHARE * (time.monotonic() - started)

    def on_step_end(self) -> None:
        """A step is in the store: write it, unless the last time was just now."""
        if time.monotonic() >= self._next:
            self.write()


def _missing_of(steps: Collection[Step], store: Store) -> list[Step]:
    """Those of some steps, and of what they need, that are still to do, in order."""
    ordered: dict[str, Step] = {}

    def add(step: Step) -> None:
        if step.key not in ordered and not store.is_finished(step):
            for needed in step.inputs.values():
                add(needed)
            ordered[step.key] = step

    for step in steps:
        add(step)
    return list(ordered.values())


def carry_out_step(step: Step, resources: Resources, progress: Progress) -> None:
    """Carry out one step whose inputs are finished. Its output is in the store complete, or not at all.

    Raises:
        UserError: The step is impossible, because of something in the study or the user's files.
    """
    check_files(step)
    resources.store.bring(step.inputs.values())
    with resources.store.write_step(step, needs=resources.needs_of(step.kind)) as folder:
        try:
            RUN_STEP[step.kind](step, folder, resources, progress)
        except UserError as error:
            if step.kind not in _OF_AN_ARM or isinstance(error, Unreachable | processes.ProcessLost):
                raise
            raise Refused(str(error)) from None


def carry_out_together(steps: Sequence[Step], resources: Resources, progress: Progress) -> None:
    """Carry out cells that are sampled together. Each is in the store as soon as it is complete.

    Raises:
        UserError: One of them is impossible; those that are complete are kept.
    """
    for step in steps:
        check_files(step)
    resources.store.bring({given.key: given for step in steps for given in step.inputs.values()}.values())
    with ExitStack() as group:
        writing = [group.enter_context(ExitStack()) for _ in steps]
        folders = [
            one.enter_context(resources.store.write_step(step, together=len(steps)))
            for one, step in zip(writing, steps, strict=True)
        ]
        for number in completions.run_together(steps, folders, resources, progress):
            writing[number].close()


def carry_out_named(plan: Plan, store: Store, watcher: Watcher, names: Sequence[str]) -> list[str]:
    """Carry out single steps of a plan: what a task in a cluster's queue does. `carry_out` then finds them finished.

    A step that is finished is not done again, and one that was interrupted goes on from what is there.

    Args:
        plan: The study's plan.
        store: Where finished steps are, and where new ones are written.
        watcher: Receives the events.
        names: The names of the steps, or their beginnings.

    Returns:
        The labels of those that had been finished before.

    Raises:
        UserError: There is no such step, what it needs is not finished, or it cannot be made.
    """
    store.notify = watcher.on_message
    store.check_writable()
    refuse_several_processes()
    asked = {step.key for step in map(plan.find, names)}
    steps = [step for step in plan.steps() if step.key in asked]
    missing = [step for step in steps if not store.is_finished(step)]
    if missing:
        containment()  # refuses, before any work, to run code where it is not safe
    resources = Resources(store, plan.study.model, watcher.on_message, plan.server, plan.study.resources)
    refusals.check(plan, missing, resources)
    processes.refuse_too_few_gpus({step.kind: resources.needs_of(step.kind) for step in missing})
    number = 1
    for group in completions.in_groups(missing):
        _refuse_without_inputs(group, store)
        watcher.on_step_start(replace(group[0], label=label_of(group)), number, len(missing))
        try:
            carry_out_group(group, resources, watcher.on_progress)
        except UserError as error:
            raise Refused(_reason(group[0], error)) from None
        for finished in group:
            watcher.on_step_end(finished)
        number += len(group)
    return [step.label for step in steps if step not in missing]


def _reason(step: Step, error: UserError) -> str:
    """Why a step cannot be made, with its name."""
    return str(error) if step.label in str(error) else f"{step.label}: {error}"


def _refuse_without_inputs(steps: Sequence[Step], store: Store) -> None:
    for step in steps:
        for needed in step.inputs.values():
            if not store.is_finished(needed):
                raise UserError(
                    f"{step.label} ({step.kind} {step.key}) waits for {needed.label} ({needed.kind} {needed.key}), "
                    f"which is not finished in {store.name}: carry that out first, with the same --store"
                )


def carry_out_group(steps: Sequence[Step], resources: Resources, progress: Progress) -> None:
    """Carry out a group of `completions.in_groups`: one step, or cells that are sampled together.

    Raises:
        UserError: One of them is impossible; those that are complete are kept.
    """
    if len(steps) > 1:
        carry_out_together(steps, resources, progress)
    else:
        carry_out_step(steps[0], resources, progress)


def _carry_out_steps(
    missing: Sequence[Step], resources: Resources, watcher: Watcher, record: _Record, not_made: dict[str, str]
) -> None:
    """Carry out steps, one after the other; `not_made` gets the keys of those that cannot be made, and why.

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
            record.on_step_end()

    grader = ThreadPoolExecutor(1)
    try:
        number = 1
        for group in completions.in_groups(missing):
            collect(wait=False)
            # Another run on this store may have finished some meanwhile.
            left = [step for step in group if not resources.store.is_finished(step)]
            steps, place = can_be_made(left, not_made), number
            number += len(group)
            if not steps:
                continue
            step = steps[0]
            if step.kind == grades.KIND and resources.cores_are_free:
                pending.append((place, step, grader.submit(carry_out_step, step, resources, _ignore_progress)))
            else:
                watcher.on_step_start(replace(step, label=label_of(steps)), place, len(missing))
                try:
                    carry_out_group(steps, resources, watcher.on_progress)
                except (Refused, NoNumbers) as error:
                    if isinstance(error, NoNumbers) and "adapter" not in step.inputs:
                        raise  # the untrained model: no other cell would be better
                    reason = _reason(step, error)
                    not_made.update({one.key: reason for one in steps if not resources.store.is_finished(one)})
                    watcher.on_message(f"{reason}\nThe run goes on without it.")
                    continue
                for finished in steps:
                    watcher.on_step_end(finished)
                record.on_step_end()
        collect(wait=True)
    finally:
        # Whatever ends the run, the grading in progress is completed, and no other is started.
        grader.shutdown(cancel_futures=True)


def can_be_made(steps: Sequence[Step], not_made: dict[str, str]) -> list[Step]:
    """Those whose inputs are made; the others are added to what is not made, with the reason of what they need."""
    made: list[Step] = []
    for step in steps:
        reason = next((not_made[given.key] for given in step.inputs.values() if given.key in not_made), None)
        if reason is None:
            made.append(step)
        else:
            not_made[step.key] = reason
    return made


def label_of(steps: Sequence[Step]) -> str:
    """What progress calls steps that are carried out together."""
    if len(steps) == 1:
        return steps[0].label
    parts = zip(*(step.label.split(", ") for step in steps), strict=False)
    common = [each[0] for each in takewhile(lambda each: len(set(each)) == 1, parts)]
    return ", ".join([*common, f"{len(steps)} cells together"])


def _ignore_progress(done: int, total: int, note: str) -> None:
    """Progress of a step that is reported when it is finished."""
