"""How fast completions are graded, beside a new `python -c` for each, as people write it: rates, processor time,
memory.

    python benchmarks/grading.py [--count 200] [--rounds 5]

What is compared: one solution and the same three asserts, over and over, on all cores.

- `python -c`: a new interpreter for each, solution and asserts as one program, verdict by exit code, no sandbox.
- `python -I -S -c`: the same without the `site` module and the user's environment.
- intended: the intended check alone. A confined process for each solution, all three asserts compared outside.
- intended and oversight: what `grade_code` does. Two confined processes for each solution (the second runs solution and
  shown assert as `python -c` would), text patterns, evidence and tags. So it does twice what the others do.

Rounds of the ways take turns, so that a machine that is busy with other things slows them all; the median round counts.
Processor time is that of all processes (ours and the workers'), without that of starting the workers.
Rates are by the clock and mean little on a busy machine; the ratio of processor times is steadier.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from inoculate.grading import CodeTask, Limits, assertions, containment, intended
from inoculate.grading.grade import cores, grade_code
from inoculate.grading.sandbox.pool import pool, stop_all

TRIVIAL = "def f(n, k):\n    return sum(int(c) ** k for c in str(n))\n"
IMPORTS = (
    "import sys, os, re, math, random, string, heapq, bisect, itertools, functools, collections, operator, json, copy\n"
    "import datetime, decimal, fractions, statistics, typing, dataclasses, enum\n"
)
SHOWN = ("assert f(123, 2) == 14",)
HIDDEN = ("assert f(45, 3) == 189", "assert f(99, 1) == 18")
EIGHT = tuple(f"assert f({n}, 1) == {sum(map(int, str(n)))}" for n in range(100, 107))
TASK = CodeTask("f", SHOWN, HIDDEN)


@dataclass
class Way:
    """A way of grading, and what its rounds took."""

    name: str
    run: Callable[[str, int], None]
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def used() -> float:
    """Processor seconds of this process and of all child processes that have ended."""
    own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime


def new_process(options: list[str]) -> Callable[[str, int], None]:
    def run(source: str, count: int) -> None:
        program = source + "\n".join((*SHOWN, *HIDDEN))

        def one(_: int) -> int:
            return subprocess.run([sys.executable, *options, "-c", program], check=True, capture_output=True).returncode

        with ThreadPoolExecutor(cores()) as threads:
            list(threads.map(one, range(count)))

    return run


def intended_check(source: str, count: int) -> None:
    """The intended check alone: one process, all tests."""
    plan, workers, limits = assertions.plan(TASK), pool(), Limits()
    order = list(range(len(plan.calls)))

    def one(_: int) -> bool | None:
        return intended.check(workers, TASK, plan, source, order, limits).passed

    with ThreadPoolExecutor(cores()) as threads:
        assert all(threads.map(one, range(count)))


def both(source: str, count: int) -> None:
    """Oversight and intended, tags and all: what `grade_code` does."""
    assert {grade.outcome for grade in grade_code([TASK] * count, [source] * count)} == {"correct"}


def measure(way: Way, source: str, count: int) -> None:
    before, started = used(), time.perf_counter()
    way.run(source, count)
    way.rates.append(count / (time.perf_counter() - started))
    stop_all()  # the workers' time counts when they have ended
    way.cpu.append((used() - before) / count)


def warm_up(way: Way, source: str) -> float:
    """Processor seconds of starting and stopping the workers, which a long run does once."""
    if way.run not in (intended_check, both):
        return 0.0
    before = used()
    way.run(source, 1)
    stop_all()
    return used() - before


def table(title: str, source: str, count: int, rounds: int) -> None:
    ways = [Way("python -c", new_process([])), Way("python -I -S -c", new_process(["-I", "-S"])),
            Way("intended", intended_check), Way("intended and oversight", both)]  # fmt: skip
    starting = {way.name: warm_up(way, source) for way in ways}
    for _ in range(rounds):
        for way in ways:
            if way.run in (intended_check, both):
                way.run(source, 2 * cores())  # all workers are up before the clock starts
            measure(way, source, count)
    base = statistics.median(ways[0].rates), statistics.median(ways[0].cpu)
    print(f"\n{title}\n\n| way | /s | x python -c | CPU ms each | x python -c |\n|---|---|---|---|---|")
    for way in ways:
        rate = statistics.median(way.rates)
        cpu = statistics.median(way.cpu) - cores() * starting[way.name] / count
        print(f"| {way.name} | {rate:.0f} | {rate / base[0]:.2f} | {1000 * cpu:.2f} | {base[1] / cpu:.2f} |")


def memory() -> None:
    """Resident memory of a worker, its guard process included."""
    for numpy in (False, True):
        workers = pool(numpy=numpy)
        workers.get_containment()
        sizes = []
        for worker in workers.idle.queue:
            for pid in (worker.process.pid, *_below(worker.process.pid)):
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                sizes.append({line.split()[0]: int(line.split()[1]) / 1024 for line in text.splitlines()[1:]})
        count = workers.idle.qsize()
        resident, shared = (sum(size[key] for size in sizes) / count for key in ("Rss:", "Pss:"))
        print(
            f"a worker{' with numpy' if numpy else ''}: "
            f"{resident:.0f} MB resident, {shared:.0f} MB with shared pages divided"
        )
    stop_all()


def _below(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def eight_tests(count: int) -> None:
    task = CodeTask("f", SHOWN, EIGHT)
    started = time.perf_counter()
    assert {grade.outcome for grade in grade_code([task] * count, [TRIVIAL] * count)} == {"correct"}
    seconds = time.perf_counter() - started
    print(
        f"\n{count} completions of 8 tests, both checks: "
        f"{seconds:.1f} s, so {10_000 * seconds / count:.0f} s for 10,000"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    load = Path("/proc/loadavg").read_text().split()[0] if Path("/proc/loadavg").exists() else "?"
    print(f"Python {platform.python_version()}, {platform.machine()}, {cores()} cores, load {load}, "
          f"containment '{containment().level}'")  # fmt: skip
    table("A trivial solution, 3 tests", TRIVIAL, options.count, options.rounds)
    table("The same with the usual standard library imported", IMPORTS + TRIVIAL, options.count, options.rounds)
    eight_tests(5 * options.count)
    if sys.platform == "linux":
        memory()


if __name__ == "__main__":
    main()
