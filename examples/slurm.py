"""Hands a study to Slurm: an array of jobs for each stage and kind of step, then `inoculate run` for the report.

    python examples/slurm.py STUDY --store /shared/store [more options for sbatch, such as --partition=gpu]

A stage is what waits for the stages before alone. A task that is requeued, or a whole array that is submitted again,
does nothing twice: finished steps are in the store, and an interrupted one goes on from what is there. Where a step
could not be made, what needs it says so and ends with exit code 2; all else goes on. Run this again for the rest.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import join, quote
from typing import Any

MOST_TASKS = 1000
"""Of an array: Slurm's MaxArraySize, unless a cluster has another, is 1001."""
Task = list[dict[str, Any]]
"""The steps that one task carries out: one, or cells that are sampled together."""


def stages(steps: Sequence[dict[str, Any]]) -> list[dict[str, list[Task]]]:
    """For each stage: kind of step -> its tasks. `steps`: as `inoculate plan STUDY --steps --json` has them."""
    stage_of: dict[str, int] = {}
    found: list[dict[str, dict[str, Task]]] = []
    for step in (step for step in steps if step["needed"]):  # each comes after what it waits for
        stage = 1 + max((stage_of[name] for name in step["waits_for"]), default=-1)
        stage_of[step["name"]] = stage
        while len(found) <= stage:
            found.append(defaultdict(lambda: defaultdict(list)))
        found[stage][step["kind"]][step["together"]].append(step)
    return [{kind: list(tasks.values()) for kind, tasks in kinds.items()} for kinds in found]


def arrays(kinds: dict[str, list[Task]]) -> Iterator[tuple[str, int, list[Task]]]:
    """The kind and the tasks of each array of a stage, and the number of its first task."""
    for kind, tasks in kinds.items():
        for start in range(0, len(tasks), MOST_TASKS):
            yield kind, start, tasks[start : start + MOST_TASKS]


def sbatch(tasks: Sequence[Task], file: Path, study: str, store: str, options: Sequence[str]) -> list[str]:
    """The command that submits an array, whose lines are in `file`."""
    file.write_text("".join(" ".join(step["name"] for step in task) + "\n" for task in tasks))
    first = tasks[0][0]
    needs = [f"--cpus-per-task={math.ceil(first['cpus'])}"]
    needs += [f"--gpus-per-task={math.ceil(first['gpus'])}"] if first["gpus"] else []
    needs += [f"--mem={math.ceil(first['memory_gb'] * 1000)}M"] if first["memory_gb"] else []
    names = f"$(sed -n ${{SLURM_ARRAY_TASK_ID}}p {quote(str(file))})"
    threads = "export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK INOCULATE_CORES=$SLURM_CPUS_PER_TASK"
    command = f"{threads}; inoculate step {quote(study)} {names} --store {quote(store)}"
    array = ["--parsable", "--requeue", "--ntasks=1", f"--array=1-{len(tasks)}", f"--job-name={first['kind']}"]
    return ["sbatch", *array, *needs, *options, f"--wrap={command}"]


def submit(command: Sequence[str], after: Sequence[str]) -> str:
    """Submit a job that starts when others are over; its number."""
    waits = [f"--dependency=afterany:{':'.join(after)}"] if after else []
    done = subprocess.run([command[0], *waits, *command[1:]], check=True, capture_output=True, text=True)
    return done.stdout.strip().partition(";")[0]


def main(study: str, store: str, options: Sequence[str]) -> None:
    """Submit all that is missing."""
    plan = ["inoculate", "plan", study, "--steps", "--json", "--store", store]
    steps = json.loads(subprocess.run(plan, check=True, capture_output=True, text=True).stdout)["steps"]
    lists = Path(store) / "slurm" / Path(study).stem
    lists.mkdir(parents=True, exist_ok=True)
    before: list[str] = []
    for number, kinds in enumerate(stages(steps)):
        now = []
        for kind, start, tasks in arrays(kinds):
            command = sbatch(tasks, lists / f"{number}-{kind}-{start}.txt", study, store, options)
            now.append(submit(command, before))
            print(f"job {now[-1]}: {len(tasks)} tasks of {kind}, after {', '.join(before) or 'nothing'}")
        before = now
    report = join(["inoculate", "run", study, "--store", store])
    print(f"job {submit(['sbatch', '--parsable', *options, f'--wrap={report}'], before)}: the report")


if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[2] != "--store":
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[3], sys.argv[4:])
