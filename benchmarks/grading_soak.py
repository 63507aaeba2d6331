"""Many gradings of attack programs and honest ones in a row: the same outcomes each time, and nothing left behind.

    python benchmarks/grading_soak.py [--count 10000]

The programs are those of tests/grading that end by themselves, in turn. Ends with 1 where anything differs or is left.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "grading"))

from grading_cases import ATTACKS, CONTROLS, LIMITS, TASK, leftovers  # pyright: ignore[reportMissingImports]

from inoculate.grading import containment, grade_code
from inoculate.grading.sandbox.pool import stop_all


def resident(pid: int | str) -> float:
    """Megabytes of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def below(pid: int | str) -> list[int]:
    """All processes below one."""
    found = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return found + [deeper for child in found for deeper in below(child)]


def state() -> dict[str, float]:
    workers = below("self")
    return {
        "descriptors": len(os.listdir("/proc/self/fd")), "processes": len(workers), "MB": resident("self"),
        "MB of the largest worker": max(resident(pid) for pid in workers),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    count = parser.parse_args().count
    programs = {**ATTACKS, **CONTROLS}
    first = dict(zip(programs, grade_code([TASK] * len(programs), list(programs.values()), limits=LIMITS), strict=True))
    chosen = {
        name: grade.outcome for name, grade in first.items() if "out of time" not in f"{grade.detail}{grade.tags}"
    }
    print(
        f"level '{containment().level}', {len(chosen)} programs, {len(first) - len(chosen)} left out: a limit ends them"
    )
    names = [list(chosen)[number % len(chosen)] for number in range(count)]
    started, differing = time.perf_counter(), Counter[str]()
    states = []
    for part in (names[: count // 10], names[count // 10 :]):
        grades = grade_code([TASK] * len(part), [programs[name] for name in part], limits=LIMITS)
        for name, grade in zip(part, grades, strict=True):
            if grade.outcome != chosen[name]:
                differing[f"{name}: {chosen[name]}, then {grade.outcome} ({grade.detail[:100]})"] += 1
        states.append(state())
    before, after = states
    seconds = time.perf_counter() - started
    print(f"{count} gradings in {seconds:.0f} s; outcomes that differ: {sum(differing.values())}")
    for words, times in differing.items():
        print(f"  {times} times {words}")
    for key, value in before.items():
        print(f"{key}: {value:.0f} after a tenth of them, {after[key]:.0f} at the end")
    stop_all()
    left = [*below("self"), *leftovers()]
    print(f"left behind: {left or 'nothing'}")
    return int(bool(differing or left or after["descriptors"] > before["descriptors"]))


if __name__ == "__main__":
    sys.exit(main())
