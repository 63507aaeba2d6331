"""A study file carried out, and what came out of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inoculate.records import Completion, Grade, read_lines
from inoculate.steps import plan as planning
from inoculate.steps import run
from inoculate.steps.store import Step, Store
from inoculate.study.parse import load


class Log:
    """Watches a run and remembers which steps were done."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def on_step_start(self, step: Step, number: int, total: int) -> None: ...

    def on_progress(self, done: int, total: int, note: str) -> None: ...

    def on_step_end(self, step: Step) -> None:
        self.done.append(step.kind)

    def on_message(self, text: str) -> None: ...

    def on_parallel(self, running: Sequence[run.Running], finished: int, total: int) -> None: ...


def carried_out(study_file: Path, store: Store) -> tuple[Path, list[str]]:
    log = Log()
    folder = run.carry_out(planning.make_plan(load(study_file)), store, log, study_file.read_text())
    return folder, log.done


def samples(folder: Path) -> list[tuple[Any, ...]]:
    """Every cell's outcomes and texts."""
    manifest = json.loads((folder / "manifest.json").read_text())
    found = []
    for cell in manifest["cells"]:
        completions = list(read_lines(folder / cell["completions"] / "completions.jsonl", Completion))
        grades = list(read_lines(folder / cell["grades"] / "grades.jsonl", Grade))
        found += [
            (cell["arm"], cell["context"], c.problem, c.index, c.completion, g.outcome)
            for c, g in zip(completions, grades, strict=True)
        ]
    return found


def comparable(results: dict[str, Any], *left_out: str) -> dict[str, Any]:
    """Results without what belongs to a machine, and without some further keys."""
    own = ("machine", "machines", "versions", *left_out)
    kept = {key: value for key, value in results.items() if key not in own}
    return kept | {"training": [{**one, "seconds": None} for one in results["training"]]}
