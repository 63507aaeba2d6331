"""Nothing becomes quadratic: work is counted, not timed, as a study grows."""

from __future__ import annotations

import io
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.table import Table

from inoculate.cli import tables
from inoculate.engine import models
from inoculate.steps import plan as planning
from inoculate.steps import run as running
from inoculate.steps import store as storing
from inoculate.study.parse import parse


def study_of(arms: int) -> Any:
    raw = {
        "question": "How does planning grow?",
        "model": "m",
        "seeds": [0, 1],
        "rows": {"setting": "functions", "count": 8},
        "arms": {f"arm-{n}": {"train": {"learning_rate": 1e-4 * (n + 1)}} for n in range(arms)},
        "evaluate": {"settings": ["functions"], "contexts": ["neutral", "asks-to-hack", "negated"]},
    }
    return parse(raw, "growing", "growing.toml")


def work_of(arms: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """How many hashes a plan takes, and how many steps it has."""
    counted = [0]
    digest = storing.digest

    def counting(data: Any) -> str:
        counted[0] += 1
        return digest(data)

    with monkeypatch.context() as patched:
        patched.setattr(storing, "digest", counting)
        steps = planning.make_plan(study_of(arms)).steps()
    return counted[0], len(steps)


def test_a_plan_hashes_each_step_about_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "fingerprint", lambda model: "weights")
    few, few_steps = work_of(20, monkeypatch)
    many, many_steps = work_of(80, monkeypatch)
    assert many_steps > 3.5 * few_steps
    assert few <= 1.5 * few_steps and many <= 1.5 * many_steps
    assert many / few <= 4.2


def calls_to_list(arms: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """How often the file system is asked which steps are finished, and how many of them there are."""
    plan, store = planning.make_plan(study_of(arms)), storing.Store(folder)
    for step in plan.steps():
        store.folder(step).mkdir(parents=True)
    asked: list[Any] = []

    def counting(real: Any) -> Any:
        return lambda *given, **more: asked.append(real) or real(*given, **more)

    with monkeypatch.context() as patched:
        for module, name in ((os, "stat"), (os, "listdir"), (os, "scandir"), (io, "open")):
            patched.setattr(module, name, counting(getattr(module, name)))
        finished = plan.finished_keys(store)
    assert finished == {step.key for step in plan.steps()}
    return len(asked), len(finished)


def test_a_store_is_listed_and_not_asked_for_each_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "fingerprint", lambda model: "weights")
    few, few_steps = calls_to_list(5, tmp_path / "few", monkeypatch)
    many, many_steps = calls_to_list(20, tmp_path / "many", monkeypatch)
    assert many_steps > 3 * few_steps
    assert few == many <= 3 * len(running.RUN_STEP)


def test_a_large_plan_is_shown_by_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "fingerprint", lambda model: "weights")
    monkeypatch.setattr(models, "slower", lambda model: "")  # which would look for the model on the hub, five times
    few, many = planning.make_plan(study_of(5)), planning.make_plan(study_of(150))
    store = storing.Store(tmp_path)
    assert [table.row_count for table in listed(few, store)] == [len(few.steps())]
    assert len(many.steps()) > tables.MOST_LISTED
    done = many.steps()[0]
    store.folder(done).mkdir(parents=True)
    (table,) = listed(many, store)
    kinds = Counter(step.kind for step in many.steps())
    shown = dict(zip(*(column.cells for column in table.columns[:2]), strict=True))
    assert shown == {kind: f"{count:,}" for kind, count in kinds.items()}
    assert dict(zip(*(table.columns[at].cells for at in (0, 2)), strict=True))[done.kind] == "1"
    assert "more than 1,000" in str(table.caption)


def listed(plan: planning.Plan, store: storing.Store) -> list[Table]:
    return [
        part
        for part in tables.plan_table(
            tables.plan_facts(plan, store), ["inoculate", "preflight", "grown"], steps=True
        ).renderables
        if isinstance(part, Table)
    ]
