"""A study carried out: the steps that are missing, one after the other, and the manifest that points at them."""

from __future__ import annotations

import json
import os
import platform
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from inoculate import __version__, settings
from inoculate.analysis import contrasts_hash
from inoculate.errors import UserError, nearest
from inoculate.grading import containment
from inoculate.records import Row, read_lines
from inoculate.steps.plan import Cell, Plan, Training
from inoculate.steps.store import Step, Store
from inoculate.steps.work import Workshop
from inoculate.study import prompts

MANIFEST_SCHEMA = 1
_APART = {"name", "question", "seeds", "looks", "contrasts", "sensitivity", "screen"}
"""Keys of a study that do not say how it is carried out, or are declared on their own."""
_MAY_GROW = {"evaluate.settings", "evaluate.contexts", "evaluate.fractions"}
"""Lists to which something can be added without a change to the rest."""
_LIBRARIES = ("torch", "transformers", "trl", "peft", "numpy", "scipy")


class Watcher(Protocol):
    """Who is told how a run goes."""

    def started(self, step: Step, number: int, total: int) -> None:
        """A step begins."""

    def moved(self, done: int, total: int, note: str) -> None:
        """The step has come so far."""

    def ended(self, step: Step) -> None:
        """The step is in the store."""

    def say(self, words: str) -> None:
        """Something that takes long is being done."""


def carry_out(plan: Plan, store: Store, watcher: Watcher, source: str) -> Path:
    """Do what is missing of a plan.

    Whatever ends the run early (an error, Ctrl-C, a kill), the steps that were finished stay, and the manifest says
    which they are.

    Args:
        plan: The study's plan.
        store: Where finished steps are, and where new ones go.
        watcher: Told how it goes.
        source: The text of the study file, kept beside the manifest.

    Returns:
        The run's folder.

    Raises:
        UserError: A step is impossible as it was given.
    """
    folder = store.run_folder(plan.study.name)
    folder.mkdir(parents=True, exist_ok=True)
    first = _first(folder, plan)
    level = containment().level  # refuses before any work where code cannot be run safely
    (folder / "study.toml").write_text(source, encoding="utf-8")
    workshop = Workshop(store, plan.study.model, watcher.say, plan.server)
    finished = plan.finished(store)
    missing = [step for step in plan.steps() if step.key not in finished]
    manifest = Manifest(plan, store, first, level)
    try:
        _do(missing, workshop, watcher)
    finally:
        manifest.write(folder, workshop)
    return folder


def _do(missing: Sequence[Step], workshop: Workshop, watcher: Watcher) -> None:
    """Carry out steps, one after the other.

    Where models run on a server or a GPU, completions are graded on this machine's cores beside that: nothing in a
    plan waits for grades. On the cores themselves it would only slow both (sampling's threads wait for each other).
    """
    grading: deque[tuple[int, Step, Future[None]]] = deque()

    def collect(*, wait: bool) -> None:
        while grading and (wait or grading[0][2].done()):
            number, step, graded = grading.popleft()
            watcher.started(step, number, len(missing))
            graded.result()
            watcher.ended(step)

    beside = ThreadPoolExecutor(1)
    try:
        for number, step in enumerate(missing, 1):
            collect(wait=False)
            if step.kind == "grades" and workshop.cores_are_free:
                grading.append((number, step, beside.submit(workshop.carry_out, step, _unwatched)))
                continue
            watcher.started(step, number, len(missing))
            workshop.carry_out(step, watcher.moved)
            watcher.ended(step)
        collect(wait=True)
    finally:
        # Whatever ends the run, the step that is being graded is finished, and those after it are not begun.
        beside.shutdown(cancel_futures=True)


def _unwatched(done: int, total: int, note: str) -> None:
    """Progress of what nobody watches."""


def _first(folder: Path, plan: Plan) -> dict[str, Any]:
    """What the study declared when it was first run: contrasts and seeds that came later are marked by it."""
    path = folder / "declared.json"
    if not path.exists():
        study = plan.study.model_dump(mode="json", by_alias=True)
        declared = {
            "contrasts_hash": contrasts_hash(study["contrasts"]),
            "seeds": list(plan.study.seeds),
            "looks": list(plan.study.looks),
            "study": _design(study),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        path.write_text(json.dumps(declared, indent=1) + "\n", encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def _design(study: dict[str, Any]) -> dict[str, Any]:
    """All that a study says of how it is carried out, key by key."""
    return _flat({key: value for key, value in study.items() if key not in _APART})


def _flat(data: dict[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in data.items():
        flat |= _flat(value, f"{above}{key}.") if isinstance(value, dict) else {above + key: value}
    return flat


class Manifest:
    """What `manifest.json` of a run says."""

    def __init__(self, plan: Plan, store: Store, first: dict[str, Any], level: str) -> None:
        """Keep what the manifest is made from."""
        self.plan, self.store, self.first, self.level = plan, store, first, level

    def write(self, folder: Path, workshop: Workshop) -> None:
        """Write the manifest, whole or not at all."""
        content = self._content(workshop)
        part = folder / f".manifest.{os.getpid()}"
        part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(folder / "manifest.json")

    def _content(self, workshop: Workshop) -> dict[str, Any]:
        study, finished = self.plan.study, self.plan.finished(self.store)
        return {
            "schema": MANIFEST_SCHEMA,
            "name": study.name,
            "created": self.first["created"],
            "study": self._study(),
            "study_hash": study.digest(),
            "declared_contrasts_hash": self.first["contrasts_hash"],
            "declared_seeds": self.first["seeds"],
            "declared_looks": self.first.get("looks", []),
            "extended_seeds": sorted(set(study.seeds) - set(self.first["seeds"])),
            "changed_since_declared": self._changed(),
            "versions": {"inoculate": __version__, **{name: version(name) for name in _LIBRARIES}},
            "machine": {"cpu": _processor(), "cores": os.cpu_count(), "device": self._device()},
            "engines": self._engines(finished),
            "containment": self.level,
            "settings": {
                name: {"outcome_labels": dict(found.labels), "gamed_below": found.gamed_below}
                for name, found in ((name, settings.find(name)) for name in study.evaluate.settings)
            },
            "cells": [self._cell(cell, finished) for cell in self.plan.cells],
            "training": [self._training(training) for training in self.plan.trainings],
            **({"scores": str(self.store.folder(self.plan.scores))} if self.plan.scores else {}),
        }

    def _changed(self) -> list[str]:
        """Keys of the study that are not as they were when it was first run; what was only added is not among them."""
        now = _design(self.plan.study.model_dump(mode="json", by_alias=True))
        return [
            key
            for key, value in self.first.get("study", {}).items()
            if now.get(key) != value and not (key in _MAY_GROW and set(value) <= set(now.get(key, ())))
        ]

    def _study(self) -> dict[str, Any]:
        """The study, with every prompt and placement written out as the rows and samples have them."""
        study = self.plan.study
        said = study.model_dump(mode="json", by_alias=True)
        first = {training.arm: training for training in reversed(self.plan.trainings)}
        for name, arm in study.arms.items():
            if arm.inoculation:
                said["arms"][name]["inoculation"] = {**said["arms"][name]["inoculation"], **self._said(first[name])}
        said["evaluate"]["contexts"] = {name: self._context(name) for name in study.evaluate.contexts}
        return said

    def _context(self, name: str) -> dict[str, Any]:
        """A context as it was; `texts` has the words of every setting where the settings have words of their own."""
        study = self.plan.study
        if name == prompts.TRAINED:
            return {"text": "", "placement": study.placement, "per_arm": True}
        settings = study.evaluate.settings
        texts = {setting: study.context(name, setting)[0] for setting in settings}
        said: dict[str, Any] = {"text": texts[settings[0]], "placement": study.context(name, settings[0])[1]}
        return said | ({"texts": texts} if len(set(texts.values())) > 1 else {})

    def _said(self, training: Training) -> dict[str, Any]:
        """An arm's inoculation as its rows have it; as planned where they are not made yet."""
        path = self.store.folder(training.rows) / "rows.json"
        if path.exists():
            return json.loads(path.read_text(encoding="utf-8"))["inoculation"]
        return training.rows.params["inoculation"]

    def _cell(self, cell: Cell, finished: set[str]) -> dict[str, Any]:
        return {
            "arm": cell.arm,
            "seed": cell.seed,
            "at": cell.at,
            "setting": cell.setting,
            "context": cell.context,
            "problems": str(self.store.folder(cell.problems)),
            "completions": str(self.store.folder(cell.completions)),
            "grades": str(self.store.folder(cell.grades)) if cell.grades.key in finished else None,
        }

    def _training(self, training: Training) -> dict[str, Any]:
        entry: dict[str, Any] = {"arm": training.arm, "seed": training.seed}
        for name, step in (("rows", training.rows), ("row_grades", training.row_grades), ("adapter", training.adapter)):
            entry[name] = str(self.store.folder(step)) if self.store.done(step) else None
        if entry["rows"]:
            rows = list(read_lines(Path(entry["rows"]) / "rows.jsonl", Row))
            entry["rows_count"] = len(rows)
            for kind in ("hacked", "inoculated", "vetted"):
                entry[f"{kind}_rows"] = sum(getattr(row, kind) for row in rows)
        if entry["adapter"]:
            report = json.loads((Path(entry["adapter"]) / "training.json").read_text(encoding="utf-8"))
            step = json.loads((Path(entry["adapter"]) / "step.json").read_text(encoding="utf-8"))
            entry |= {
                "trained_tokens": report["tokens"],
                "label_tokens": report["label_tokens"],
                "seconds": step["seconds"],
                "loss": report["loss"],
            }
        return entry

    def _engines(self, finished: set[str]) -> list[str]:
        """What has written the finished completions, each once; a server without its address."""
        found: dict[str, None] = {}
        made = {cell.completions.key: cell.completions for cell in self.plan.cells if cell.completions.key in finished}
        for completions in made.values():
            path = self.store.folder(completions) / "engines.json"
            if not path.exists():
                found["one that was not recorded"] = None
                continue
            for engine in json.loads(path.read_text(encoding="utf-8")):
                words = [name if name == "server" else f"{name} {value}" for name, value in engine.items()]
                found[", ".join(words)] = None
        return list(found)

    def _device(self) -> str | None:
        """Where the adapters were trained; None before any was."""
        for training in self.plan.trainings:
            path = self.store.folder(training.adapter) / "training.json"
            if path.exists():
                return json.loads(path.read_text(encoding="utf-8"))["device"]
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def find_run(store: Store, given: str) -> Path:
    """The folder of a run: a path, or the name of a study that was run in this store.

    Raises:
        UserError: There is no such run; the message names those that there are.
    """
    for folder in (Path(given), store.run_folder(given)):
        if (folder / "manifest.json").is_file():
            return folder
    runs = [path.parent.name for path in store.root.glob("runs/*/manifest.json")]
    raise UserError(f"no run '{given}' in {store.root}: {nearest(given, runs)} (`inoculate run STUDY` makes one)")
