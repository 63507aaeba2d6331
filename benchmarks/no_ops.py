"""How many steps a second a run on Ray carries out when the steps do nothing: what planning, scheduling and the store
cost.

    python benchmarks/no_ops.py 5000 --ray local
    python benchmarks/no_ops.py 50000

Each step writes its record into a new store and nothing else. They are chains of three, as rows, adapter and
completions are, and all of them wait for one first step. Without --ray there is no cluster: each step is finished as
soon as it is started, 64 at a time, so that what is left is the run's own part, in one process.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inoculate.steps.cluster import connect, drive, tasks
from inoculate.steps.cluster.schedule import Free, Schedule
from inoculate.steps.store import Step, Store, emptied

KINDS = ("rows", "row-grades", "grades")
"""Kinds of steps that load no model: their processes are used again."""


def chains(count: int) -> list[Step]:
    """So many steps that do nothing, each after its inputs."""
    first = Step("problems", {"chain": -1}, label="the first")
    steps = [first]
    for chain in range(max(1, (count - 1) // len(KINDS))):
        before = first
        for kind in KINDS:
            before = Step(kind, {"chain": chain}, {"before": before}, label=f"{kind} {chain}")
            steps.append(before)
    return steps


def no_op(job: tasks.Job, number: int, steps: Sequence[Step], threads: int, board: Any) -> tasks.Outcome:
    """A task that only writes its steps' records."""
    board.start.remote(number, *connect.this_node())
    store = Store(Path(job.store))
    for step in steps:
        with store.write_step(step):
            pass
    board.end.remote([number])
    return tasks.Outcome("finished")


class Instant:
    """In the place of a cluster: steps are finished when they are started."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def total(self) -> Free:
        return Free(64, 0, 0)

    def submit(self, job: tasks.Job, number: int, steps: Sequence[Step], *given: Any) -> int:
        for step in steps:
            self.store.folder(step).mkdir(parents=True)
        return number

    def wait(self, running: Sequence[int], seconds: float) -> Sequence[int]:
        return running[:8]

    def result(self, task: int, number: int) -> connect.Ended:
        return connect.Ended(tasks.Outcome("finished"))

    def read(self) -> tuple[dict[int, tasks.Place], list[str]]:
        return {}, []

    def end(self, numbers: Sequence[int]) -> None: ...


@contextmanager
def cluster_at(address: str, store: Store) -> Iterator[Any]:
    """A cluster of Ray's, or none."""
    if not address:
        yield Instant(store)
        return
    with connect.connected(address, print, no_op) as cluster:
        yield cluster


class Quiet:
    """Watches a run and says nothing."""

    def on_step_start(self, step: Step, number: int, total: int) -> None: ...

    def on_progress(self, done: int, total: int, note: str) -> None: ...

    def on_step_end(self, step: Step) -> None: ...

    def on_message(self, text: str) -> None: ...

    def on_parallel(self, running: Sequence[Any], finished: int, total: int) -> None:
        print(f"{time.monotonic():.0f} s: {finished} of {total}, {len(running)} under way", flush=True)


def main() -> None:
    """Measure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("steps", type=int)
    options.add_argument("--ray", default="")
    given = options.parse_args()
    started = time.monotonic()
    steps = chains(given.steps)
    groups = [[step] for step in steps]
    store, not_made = Store(Path(tempfile.mkdtemp())), dict[str, str]()
    with emptied(store.root), cluster_at(given.ray, store) as cluster:
        connected = time.monotonic()
        schedule = Schedule(groups, {}, dict.fromkeys((step.key for step in steps), 1.0), not_made)
        job = tasks.Job(store.name, "", "", Path.cwd(), {}, {})
        run = drive.Run(cluster, store, job, schedule, len(steps), Quiet(), lambda: None, not_made)
        planned = time.monotonic()
        run.go()
        done = time.monotonic()
        finished = len(store.finished_keys(steps))
    print(f"{len(steps)} steps made and the cluster started in {connected - started:.1f} s, put in order in "
          f"{planned - connected:.2f} s")  # fmt: skip
    print(f"{finished} finished in {done - planned:.1f} s: {finished / (done - planned):.0f} steps a second")


if __name__ == "__main__":
    main()
