"""How many steps a second a run on Ray carries out when the steps do nothing: what planning, scheduling and the store
cost.

    python benchmarks/no_ops.py 5000 --ray local

Each step writes its record into a new store and nothing else. They are chains of three, as rows, adapter and
completions are, and all of them wait for one first step.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inoculate.steps.cluster import connect, drive, tasks
from inoculate.steps.cluster.schedule import Schedule
from inoculate.steps.store import Step, Store

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
    options.add_argument("--ray", default="local")
    given = options.parse_args()
    started = time.monotonic()
    steps = chains(given.steps)
    groups = [[step] for step in steps]
    with tempfile.TemporaryDirectory() as folder, connect.connected(given.ray, print, no_op) as cluster:
        store, not_made = Store(Path(folder)), dict[str, str]()
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
