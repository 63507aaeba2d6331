"""Carries out steps on a cluster: starts what can start, tries again what was lost, and stops in an orderly way."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inoculate.engine import models
from inoculate.errors import UserError
from inoculate.steps import completions, estimate
from inoculate.steps.cluster.connect import Cluster, Ended, connected
from inoculate.steps.cluster.schedule import Schedule, Unit
from inoculate.steps.cluster.tasks import LOADING, Job, log_file, wait_until
from inoculate.steps.plan import Plan
from inoculate.steps.resources import Resources
from inoculate.steps.run import Running, Watcher, label_of
from inoculate.steps.store import Step, Store

MOST_FAILURES = 3
"""How often a step may fail before it is left out."""
MOST_LOST = 10
"""How often it may be lost with its node, which is seldom its own fault."""
_BUSY_SECONDS = 5.0
"""After what time a step that another process is writing is tried again."""
_LOOK_SECONDS = 0.5
"""How often it is looked at what the cluster has, and how far tasks are."""


@contextmanager
def on_cluster(address: str, notify: models.Notify) -> Iterator[OnCluster | None]:
    """Where a run's steps are carried out.

    Args:
        address: As `connect.connected` says; '' for this process.
        notify: Called with what the user should know of the cluster.

    Yields:
        For `run.carry_out`: the cluster; None for this process.

    Raises:
        UserError: Ray is not installed, or there is no such cluster.
    """
    if not address:
        yield None
        return
    with connected(address, notify) as cluster:
        yield OnCluster(cluster)


class OnCluster:
    """A cluster as the place where a run's steps are carried out."""

    def __init__(self, cluster: Cluster) -> None:
        """Take a cluster that is connected."""
        self._cluster = cluster

    def carry_out(
        self,
        plan: Plan,
        missing: Sequence[Step],
        resources: Resources,
        watcher: Watcher,
        on_step_end: Callable[[], None],
        not_made: dict[str, str],
    ) -> None:
        """Carry out the missing steps of a plan, as many at once as the cluster takes.

        Whatever ends it, no task goes on, and nothing that is finished is lost.

        Args:
            plan: The plan.
            missing: Its steps that are to be done, each after its inputs.
            resources: The store and the model.
            watcher: Receives the events.
            on_step_end: Called when a step is in the store.
            not_made: Gets the keys of those that cannot be made or have failed, and why.

        Raises:
            UserError: Of the user's mistakes, as in one process; or a step asks for more than any node has.
        """
        for kind in {step.kind for step in missing}:
            self._cluster.refuse_too_large(kind, plan.study.needs_of(kind))
        self._say_idle_gpus(plan, missing, watcher)
        store = resources.store
        environment = {name: value for name, value in os.environ.items() if name.startswith("INOCULATE_")}
        job = Job(store.name, plan.study.model, plan.server, Path.cwd(), environment, plan.study.resources)
        seconds = estimate.seconds_of(plan, store, missing)
        schedule = Schedule(completions.in_groups(missing), plan.study.resources, seconds, not_made)
        run = Run(self._cluster, store, job, schedule, len(missing), watcher, on_step_end, not_made)
        try:
            run.go()
        finally:
            run.stop()

    def _say_idle_gpus(self, plan: Plan, missing: Sequence[Step], watcher: Watcher) -> None:
        without = [kind for kind in LOADING if not plan.study.needs_of(kind).gpus]
        used = [kind for kind in without if any(step.kind == kind for step in missing)]
        if used and self._cluster.total().gpus:
            watcher.on_message(
                f"the cluster has GPUs, and the study asks for none for {', '.join(used)}: these run on processors "
                f"alone; [resources.{used[0]}] gpus = 1 gives each step one"
            )


class Run:
    """The steps of one run on a cluster."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        job: Job,
        schedule: Schedule,
        total: int,
        watcher: Watcher,
        on_step_end: Callable[[], None],
        not_made: dict[str, str],
    ) -> None:
        """Take what is to be done, how many steps it is, and who hears of it."""
        self.cluster, self.store, self.job, self.schedule, self.total = cluster, store, job, schedule, total
        self.watcher, self.on_step_end, self.not_made = watcher, on_step_end, not_made
        self.tasks: dict[Any, Unit] = {}
        """Ray's reference -> what it carries out."""
        self.later: list[tuple[float, Unit]] = []
        """Units that another process is writing, and when they are tried again."""
        self.failures: dict[int, list[Ended]] = {}
        self.failed_on: dict[int, set[str]] = {}
        """Number of a unit -> the nodes on which it has failed."""
        self.said_busy: set[int] = set()
        self.finished, self.looked, self.said_waiting = 0, 0.0, False
        self.capacity = cluster.total()

    def go(self) -> None:
        """Carry out all units."""
        while self.schedule.left:
            self._start()
            over = self.cluster.wait(list(self.tasks), _LOOK_SECONDS)
            if time.monotonic() - self.looked > _LOOK_SECONDS:
                self._look()
            for task in over:
                self._end(self.tasks.pop(task), task)

    def stop(self) -> None:
        """Kill what still runs."""
        if self.tasks:
            self.watcher.on_message(f"{len(self.tasks)} tasks on the cluster are cancelled")
        self.cluster.cancel(list(self.tasks))

    def _start(self) -> None:
        now = time.monotonic()
        for when, unit in self.later:
            if when <= now:
                self.schedule.add(unit)
        self.later = [(when, unit) for when, unit in self.later if when > now]
        free = self.capacity
        for unit in self.tasks.values():
            free = free.without(unit.needs)
        for unit in self.schedule.start(free):
            avoid = self.failed_on.get(unit.number, set())
            task = self.cluster.submit(self.job, unit.number, unit.steps, unit.needs, avoid)
            self.tasks[task] = unit
        if not self.tasks and not self.later and not self.said_waiting:
            self.said_waiting = True
            self.watcher.on_message("no machine of the cluster is free for what is left: waiting for one")

    def _look(self) -> None:
        """See what the cluster has, and show how far its tasks are."""
        self.looked, self.capacity = time.monotonic(), self.cluster.total()
        places, messages = self.cluster.read()
        for message in messages:
            self.watcher.on_message(message)
        running = [
            Running(label_of(unit.steps), places[unit.number].address, *places[unit.number][2:])
            for unit in self.tasks.values()
            if unit.number in places
        ]
        self.watcher.on_parallel(running, self.finished, self.total)

    def _end(self, unit: Unit, task: Any) -> None:
        """A task is over: take what it has made, or try again, or leave it out."""
        ended = self.cluster.result(task, unit.number)
        self.said_waiting = False
        kind, text, _ = ended.outcome
        if kind == "finished":
            self._take(unit, ended)
        elif kind == "busy":
            if unit.number not in self.said_busy:
                self.said_busy.add(unit.number)
                self.watcher.on_message(f"{text}\nIt is tried again until that is over.")
            self.later.append((time.monotonic() + _BUSY_SECONDS, unit))
        elif kind == "failed":
            self._try_again(unit, ended)
        elif kind == "refused" or (kind == "no numbers" and "adapter" in unit.steps[0].inputs):
            self._leave_out(unit, text if unit.steps[0].label in text else f"{unit.steps[0].label}: {text}")
        else:
            raise UserError(text)

    def _take(self, unit: Unit, ended: Ended) -> None:
        if not wait_until(lambda: all(map(self.store.is_finished, unit.steps))):
            raise UserError(
                f"{label_of(unit.steps)} was finished on {ended.outcome.address}, and is not in {self.store.name} "
                "here: the store is to be a folder that all nodes share"
            )
        self.finished += len(unit.steps)
        self.watcher.on_message(f"[{self.finished}/{self.total}] {label_of(unit.steps)}, on {ended.outcome.address}")
        for step in unit.steps:
            self.watcher.on_step_end(step)
        self.on_step_end()
        self._close(unit)

    def _try_again(self, unit: Unit, ended: Ended) -> None:
        """After a failure, on another node if there is one; after too many, the unit is left out."""
        failures = self.failures.setdefault(unit.number, [])
        failures.append(ended)
        self.failed_on.setdefault(unit.number, set()).add(self.cluster.node_of(unit.number))
        lost = sum(one.is_node_lost for one in failures)
        where = f" on {ended.outcome.address}" if ended.outcome.address else ""
        what = f"{label_of(unit.steps)}: {'lost with its node' if ended.is_node_lost else 'failed'}{where}"
        log = log_file(self.store, unit.steps)
        reason = f"{what}: {ended.outcome.text}"
        if log.exists() and "its log: " not in reason:
            reason += f"; its log: {log}"
        if len(failures) - lost < MOST_FAILURES and lost < MOST_LOST:
            self.watcher.on_message(f"{reason}\nIt is tried again.")
            self.cluster.end([unit.number])
            self.schedule.add(unit)
        else:
            self._leave_out(unit, f"{reason} (the last of {len(failures)} attempts)")

    def _leave_out(self, unit: Unit, reason: str) -> None:
        self.not_made.update({step.key: reason for step in unit.steps if not self.store.is_finished(step)})
        self.watcher.on_message(f"{reason}\nThe run goes on without it.")
        self._close(unit)

    def _close(self, unit: Unit) -> None:
        self.cluster.end([unit.number])
        self.schedule.end(unit)
