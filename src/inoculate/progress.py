"""What the terminal shows: progress of a run, and the tables that need no analysis."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from rich.console import Console as Terminal
from rich.console import Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from inoculate import prompts as library
from inoculate import studies
from inoculate.grading.command import Finding
from inoculate.steps.estimate import estimate
from inoculate.steps.plan import Plan
from inoculate.steps.store import Step, Store
from inoculate.study_file import load

PLAIN_SECONDS = 15
"""Where there is no terminal, at most one line in so many seconds while a step goes on."""

MOST_LISTED = 1000
"""Steps of a plan that are shown one by one; rich needs more than a millisecond for each."""


class Console:
    """Progress of a run: bars in a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        """Look whether there is a terminal."""
        self.terminal = Terminal(stderr=True)
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=self.terminal,
            disable=not self.terminal.is_terminal,
        )
        self._task: TaskID | None = None
        self._label = ""
        self._began = self._last = time.monotonic()

    def __enter__(self) -> Console:
        self.bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bars.stop()

    def started(self, step: Step, number: int, total: int) -> None:
        """A step begins."""
        self._label = f"[{number}/{total}] {step.label}"
        self._began = self._last = time.monotonic()
        if self.terminal.is_terminal:
            self._clear()
            self._task = self.bars.add_task(self._label.replace("[", "\\["), total=None, note="")
        else:
            self._line(self._label)

    def moved(self, done: int, total: int, note: str) -> None:
        """The step has come so far."""
        if self._task is not None:
            self.bars.update(self._task, completed=done, total=total, note=note)
        elif not self.terminal.is_terminal and time.monotonic() - self._last > PLAIN_SECONDS:
            self._last = time.monotonic()
            self._line(f"{self._label}: {done} of {total}, {note}, {self._last - self._began:.0f} s")

    def ended(self, step: Step) -> None:
        """The step is in the store."""
        words = f"{self._label}: {time.monotonic() - self._began:.1f} s"
        self._clear()
        if self.terminal.is_terminal:
            self._line(words)
        elif time.monotonic() - self._began > PLAIN_SECONDS:
            self._line(f"{words}, done")

    def say(self, words: str) -> None:
        """Something that takes long is being done."""
        self._line(words)

    def _clear(self) -> None:
        if self._task is not None:
            self.bars.remove_task(self._task)
            self._task = None

    def _line(self, words: str) -> None:
        self.bars.console.print(words, markup=False, highlight=False, soft_wrap=True)


def duration(seconds: float) -> str:
    """A length of time for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def plan_table(plan: Plan, store: Store) -> Group:
    """The steps of a plan, which are finished, and an estimate for the rest."""
    steps = plan.steps()
    finished = plan.finished(store)
    title = f"{plan.study.name}: {plan.study.question}"
    if len(steps) <= MOST_LISTED:
        table = Table("step", "kind", "name", "finished", title=title, title_justify="left")
        for step in steps:
            table.add_row(step.label, step.kind, step.key, "yes" if step.key in finished else "")
    else:
        table = Table("kind", "steps", "finished", title=title, title_justify="left")
        table.caption = f"by kind, since they are more than {MOST_LISTED:,}"
        there = Counter(step.kind for step in steps if step.key in finished)
        for kind, count in Counter(step.kind for step in steps).items():
            table.add_row(kind, f"{count:,}", f"{there[kind]:,}")
    missing = [step for step in steps if step.key not in finished]
    needs = estimate(plan, store, missing)
    counts = Counter(step.kind for step in missing)
    words = [f"{len(steps):,} steps, {len(finished):,} finished, {len(missing):,} to do"]
    if missing:
        words[0] += f" ({', '.join(f'{count:,} {kind}' for kind, count in counts.items())})"
        time_needed = "unknown until the model is here" if needs.seconds is None else f"about {duration(needs.seconds)}"
        memory = "unknown until the model is here" if needs.memory_gb is None else f"about {needs.memory_gb:.1f} GB"
        words.append(f"time: {time_needed} (on two CPU cores, unless steps like these were measured here)")
        words.append(f"memory: {memory}")
    return Group(table, *words)


def studies_table() -> Table:
    """The ready-made studies and their questions."""
    table = Table(*(Column(name, overflow="fold") for name in ("study", "question", "model", "arms", "seeds")))
    for name in studies.names():
        study = load(studies.find(name))
        table.add_row(name, study.question, study.model, ", ".join(study.arms) or "none", str(len(study.seeds)))
    return table


def prompts_table() -> Table:
    """The named prompts."""
    forms = ", ".join(f"NAME+{form}" for form in library.DESCRIPTIONS)
    table = Table("prompt", "kind", "text", "source", caption=f"with a description of the training process: {forms}")
    for name in library.names():
        prompt = library.find(name)
        table.add_row(name, prompt.kind, prompt.text, prompt.source)
    return table


def doctor_table(findings: Sequence[Finding]) -> Table:
    """What the machine can do."""
    table = Table("", "what", "finding")
    for finding in findings:
        mark = {True: "[green]good[/]", False: "[red]bad[/]", None: ""}[finding.good]
        table.add_row(mark, finding.name, finding.words)
    return table
