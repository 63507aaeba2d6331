"""What a large study costs before and after its models: start-up, a plan, a full store, a report over many samples.

    python benchmarks/growth.py [--json out.json] [--quick]

- start-up: `import inoculate`, `inoculate --help`; the median of five, files already in memory.
- plan: `inoculate plan` of 1,000 arms x 5 seeds x 10 contexts, on an empty store and on one that has every step.
- report: `inoculate report` of a run of 1,000,000 samples: 5 arms x 5 seeds x 4 contexts, 1,000 problems of 50 kinds,
  10 samples each, all prompts and completions different. They are made up; only their number and size matter.

Each command runs in a process of its own; memory is the most that it held.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import beside

ARMS, SEEDS, CONTEXTS = 1000, 5, 10
OUTCOMES: dict[str, tuple[bool, bool]] = {"correct": (True, True), "hack": (True, False), "wrong": (False, False)}


def study_text(arms: int) -> str:
    """A study file: arms that differ in their learning rate."""
    names = ["neutral", *(f"said-{number}" for number in range(1, CONTEXTS))]
    lines = [
        'question = "How does a plan grow?"',
        'model = "smollm2-135m"',
        f"seeds = {list(range(SEEDS))}",
        '[rows]\nsetting = "functions"\ncount = 64',
        f'[evaluate]\nsettings = ["functions"]\ncontexts = {json.dumps(names)}',
        *(f'[contexts.{name}]\ntext = "Text number {number}."' for number, name in enumerate(names) if number),
        *(f"[arms.arm-{number}]\ntrain.learning_rate = {1e-4 + number * 1e-7:.7f}" for number in range(arms)),
    ]
    return "\n".join(lines) + "\n"


def fill(study: Path, store: Path) -> int:
    """Give the store every step of a study, with nothing in it but the note that each has; how many there are."""
    from inoculate.steps.plan import make_plan
    from inoculate.steps.store import Store
    from inoculate.study.parse import load

    steps = make_plan(load(study)).steps()
    for step in steps:
        folder = Store(store).folder(step)
        folder.mkdir(parents=True)
        (folder / "step.json").write_text(json.dumps({"kind": step.kind, "seconds": 1.0}), encoding="utf-8")
    return len(steps)


def run_of(folder: Path, problems: int, samples: int) -> int:
    """Write a run with made-up samples; how many there are."""
    from inoculate.records import Completion, Grade, Problem, write_lines

    draw = random.Random(0)
    words = [f"word{number}" for number in range(2000)]
    asked = [
        Problem(f"p{n}", "functions", f"kind-{n % 50}", "lists", 1, "Write", f"f{n}", "", "", "", {})
        for n in range(problems)
    ]
    (folder / "problems").mkdir(parents=True)
    write_lines(folder / "problems" / "problems.jsonl", asked)
    arms, contexts = ("plain", "specific", "general", "clean", "other"), ("c0", "c1", "c2", "c3")
    count, cells = 0, []
    for arm in arms:
        for seed in range(5):
            for context in contexts:
                place = folder / f"{arm}-{seed}-{context}"
                place.mkdir()
                completions, grades = [], []
                for problem in asked:
                    for index in range(samples):
                        text, outcome = " ".join(draw.choices(words, k=40)), draw.choice(list(OUTCOMES))
                        prompt = f"{problem.id} {context} " + "asked in so many words " * 10
                        completions.append(Completion(problem.id, index, prompt, text, 80, 60, "stop", 0.1))
                        grades.append(Grade(outcome, *OUTCOMES[outcome]))  # type: ignore[arg-type]
                count += write_lines(place / "completions.jsonl", completions)
                write_lines(place / "grades.jsonl", grades)
                made = dict.fromkeys(("completions", "grades"), str(place))
                cell = {"arm": arm, "seed": seed, "at": 1.0, "setting": "functions", "context": context}
                cells.append({**cell, "problems": str(folder / "problems"), **made})
    evaluate = {"settings": ["functions"], "contexts": {name: {"text": ""} for name in contexts}}
    evaluate |= {"problems": problems, "samples": samples}
    spec = {"rows": {"hacked": 1.0}, "inoculation": None}
    study = {"question": "?", "arms": dict.fromkeys(arms, spec), "evaluate": evaluate, "contrasts": []}
    manifest = {"schema": 1, "name": "many", "created": "2026-01-01T00:00:00Z", "study": study}
    manifest |= {"cells": cells, "training": []}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return count


def timed(command: Sequence[str]) -> tuple[float, float]:
    """Seconds and peak bytes of a command."""
    start = time.perf_counter()
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL) as running:
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {running.returncode}")
    return time.perf_counter() - start, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def several(command: Sequence[str], times: int = 5) -> tuple[float, float]:
    """Median seconds and largest memory, after one run that is not counted."""
    timed(command)
    found = [timed(command) for _ in range(times)]
    return statistics.median(seconds for seconds, _ in found), max(held for _, held in found)


def main() -> None:
    from inoculate.engine import models

    given = beside.arguments(__doc__ or "").parse_args()
    arms, problems, samples = (10, 20, 2) if given.quick else (ARMS, 1000, 10)
    models.fetch("smollm2-135m", lambda words: print(words, file=sys.stderr))
    tool = ("-m", "inoculate")
    found: dict[str, tuple[float, float]] = {
        "import inoculate": several(("-c", "import inoculate")),
        "python alone": several(("-c", "pass")),
        "inoculate --help": several((*tool, "--help")),
    }
    with tempfile.TemporaryDirectory() as work:
        study, store = Path(work) / "large.toml", Path(work) / "store"
        study.write_text(study_text(arms), encoding="utf-8")
        plan = (*tool, "plan", str(study), "--store", str(store))
        found["inoculate plan, nothing finished"] = timed(plan)
        steps = fill(study, store)
        found[f"inoculate plan, {steps:,} steps finished"] = timed(plan)
        count = run_of(Path(work) / "many", problems, samples)
        found[f"inoculate report, {count:,} samples"] = timed((*tool, "report", str(Path(work) / "many")))
    lines = [(name, f"{seconds:.2f}", f"{held / 2**20:.0f}") for name, (seconds, held) in found.items()]
    kept: dict[str, Any] = {"versions": {"here": beside.versions()}, "measured": found}
    about = f"A plan of {arms:,} arms x {SEEDS} seeds x {CONTEXTS} contexts"
    beside.report(
        "Start-up and growth", kept, [about, beside.table(("command", "seconds", "peak MiB"), lines)], given.json
    )


if __name__ == "__main__":
    main()
