"""The tables that commands print and that need no analysis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Group
from rich.table import Column, Table

from inoculate.grading.command import Finding
from inoculate.steps.estimate import estimate
from inoculate.steps.plan import Plan
from inoculate.steps.store import Store
from inoculate.study import prompts as library
from inoculate.study import ready_made as studies
from inoculate.study.parse import load

MOST_LISTED = 1000
"""Steps of a plan that are shown one by one; rich needs more than a millisecond for each."""


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
        table.add_row(mark, finding.name, finding.message)
    return table
