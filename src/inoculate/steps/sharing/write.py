"""Writes the graded samples of a run into one file, without weights."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inoculate import __version__
from inoculate.analysis.arms import row_folders
from inoculate.analysis.run_folder import Run, read_run, split_finished
from inoculate.errors import UserError, refuse_existing
from inoculate.steps import (
    choices,
    completions,
    distances,
    fresh_samples,
    grades,
    machines,
    preflight,
    problems,
    rl,
    row_grades,
    rows,
    scores,
    train,
    trajectory_rows,
)
from inoculate.steps.plan import TRAINED
from inoculate.steps.sharing.packed import MOST_UNPACKED, Declared, Header, Machine, PackedStep, write_packed
from inoculate.study.schema import digest

CARRIED: dict[str, tuple[str, ...]] = {
    problems.KIND: ("problems.jsonl",),
    rows.KIND: ("rows.jsonl", "problems.jsonl", "rows.json"),
    trajectory_rows.KIND: ("rows.jsonl", "problems.jsonl", "rows.json", "origins.jsonl"),
    row_grades.KIND: ("grades.jsonl",),
    train.KIND: ("training.json",),
    preflight.KIND: ("trajectories.jsonl",),
    rl.KIND: ("training.json", "trajectories.jsonl", "metrics.jsonl"),
    fresh_samples.KIND: ("trajectories.jsonl",),
    completions.KIND: ("completions.jsonl", "engines.json"),
    choices.KIND: ("completions.jsonl", "choices.jsonl", "engines.json"),
    grades.KIND: ("grades.jsonl",),
    scores.KIND: ("scores.jsonl",),
    distances.KIND: ("distances.jsonl",),
}
"""Kind of step -> those of its files that manifest, analysis and report read. The first must be there; `engines.json`
came later than the first stores. Of a training only its report is carried: the adapter stays where it was made."""
_KINDS = (
    problems, rows, trajectory_rows, row_grades, train, preflight, rl, fresh_samples, completions, choices, grades,
    scores, distances,
)  # fmt: skip
VERSIONS = {module.KIND: module.VERSION for module in _KINDS}
"""Kind of step -> its version here."""
Progress = Callable[[int, int], None]
"""Called with the number of steps that are written, and of all."""


@dataclass(frozen=True)
class Written:
    """What a file of graded samples has."""

    cells: int
    missing: int
    """Cells of the study (of the chosen seeds) that are not finished, and not in the file."""
    seeds: tuple[int, ...]
    bytes: int


def write_graded(
    run: Path,
    path: Path,
    *,
    machine: str = "",
    seeds: Collection[int] | None = None,
    progress: Progress = lambda done, total: None,
) -> Written:
    """Write the finished cells of a run into a new file, whole or not at all.

    Args:
        run: The run's folder.
        path: A file that does not exist yet.
        machine: A name for this machine; by default its system and processor.
        seeds: Only the cells of these seeds; the untrained arm belongs to the study's first.
        progress: Called after each step.

    Raises:
        UserError: The run cannot be read, has no finished cell, or is from another version; or the file exists.
    """
    refuse_existing(path)
    if machine and not (machine.isprintable() and machine.strip() and len(machine) <= 120):
        raise UserError(f"--machine {machine!r}: give a short name of printable characters")
    loaded = read_run(run)
    cells, missing = (_of_seeds(loaded, each, seeds) for each in split_finished(loaded))
    if not cells:
        raise UserError(
            f"{run}: no cell is finished{_of(seeds)}, so there is nothing to export; `inoculate run STUDY` carries on"
        )
    steps = list(_list_steps(loaded, cells))
    places = _Machines(loaded, machine)
    packed = [places.describe(folder, record) for folder, record in steps]
    header = _header(loaded, run, places, [record for _, record in steps])
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with write_packed(part, header) as out:
            for number, ((folder, record), place) in enumerate(zip(steps, packed, strict=True), 1):
                out.add(_pack_step(folder, record, place))
                progress(number, len(steps))
            if out.size > MOST_UNPACKED:
                raise UserError(
                    f"{run}: more than {MOST_UNPACKED // 2**20} MiB before compression, which no import takes; export "
                    "fewer seeds at once: --seeds"
                )
        size = part.stat().st_size
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    finished_seeds = sorted({cell["seed"] for cell in cells if cell["seed"] is not None})
    return Written(len(cells), len(missing), tuple(finished_seeds), size)


def _of(seeds: Collection[int] | None) -> str:
    return f" of seed {', '.join(map(str, seeds))}" if seeds is not None else ""


def _of_seeds(run: Run, cells: list[dict[str, Any]], seeds: Collection[int] | None) -> list[dict[str, Any]]:
    first = (run.study.get("seeds") or [0])[0]
    return [cell for cell in cells if seeds is None or (first if cell["seed"] is None else cell["seed"]) in seeds]


def _list_steps(run: Run, cells: list[dict[str, Any]]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The folders of the steps behind some cells, each once and after its inputs, with their `step.json`."""
    trained = {(cell["arm"], cell["seed"]) for cell in cells}
    folders: dict[Path, None] = {}
    for entry in run.manifest.get("training") or ():
        if (entry["arm"], entry["seed"]) in trained:
            trained_in = entry.get("adapter") or entry.get("adapter_record")
            drawn = [folder for rows, graded, _ in row_folders(entry) for folder in (rows, graded)]
            names = (*drawn, entry.get("preflight"), trained_in, entry.get("scores"), entry.get("distances"))
            folders |= dict.fromkeys(run.path(name) for name in names if name)
    for cell in cells:
        folders |= dict.fromkeys(run.path(cell[name]) for name in ("problems", "completions", "grades"))
    if (scored := run.manifest.get("scores")) and (run.path(scored) / "step.json").is_file():
        folders |= dict.fromkeys([run.path(scored)])
    listed: dict[Path, dict[str, Any]] = {}
    for folder in folders:
        _add_with_inputs(folder, listed)
    yield from listed.items()


def _add_with_inputs(folder: Path, listed: dict[Path, dict[str, Any]]) -> None:
    """List a step after what it was made of: the samples that rows were chosen from, and their prompts.

    Trainings are listed by the manifest: they may be there as reports only.
    """
    if folder in listed:
        return
    record = _read_json(folder / "step.json")
    for given in record["inputs"].values() if record["kind"] not in TRAINED else ():
        if given.split("/")[0] not in TRAINED:
            _add_with_inputs(folder.parents[1] / given, listed)
    listed[folder] = record


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON: {error}; `inoculate run STUDY` makes missing steps again") from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path}: cannot be read ({error}), which the run needs; `inoculate run STUDY` makes missing steps again"
        ) from None


class _Machines:
    """The machines that carried out the steps of a run."""

    def __init__(self, run: Run, name: str) -> None:
        facts = run.manifest.get("machine") or {}
        # A step that is older than these records was carried out on the machine that wrote the manifest.
        self._unrecorded = {**machines.describe(), "versions": run.manifest.get("versions") or {}}
        self._unrecorded |= {key: facts[key] for key in ("cpu", "cores") if key in facts}
        self._name = name
        self.machines: list[Machine] = []

    def describe(self, folder: Path, record: dict[str, Any]) -> int:
        """The place in the list of the machine that carried out a step."""
        described = dict(record.get("machine") or self._unrecorded)
        if self._name and not record.get("imported"):
            described["name"] = self._name
        machine = Machine.model_validate(described)
        if machine not in self.machines:
            self.machines.append(machine)
        return self.machines.index(machine)


def _header(run: Run, folder: Path, places: _Machines, records: list[dict[str, Any]]) -> Header:
    sampled = next(record for record in records if record["kind"] in (completions.KIND, choices.KIND))
    return Header(
        inoculate=__version__,
        name=run.manifest["name"],
        study=_read(folder / "study.toml"),
        declared=Declared.model_validate(_read_json(folder / "declared.json")),
        model=sampled["params"]["model"],
        served=sampled["params"].get("engine") == "server",
        screen="scores" in run.manifest,
        containment=str(run.manifest.get("containment")),
        machines=places.machines,
    )


def _pack_step(folder: Path, record: dict[str, Any], machine: int) -> PackedStep:
    kind, key = record["kind"], record["key"]
    inputs = {name: each.split("/")[1] for name, each in record["inputs"].items()}
    named = {"kind": kind, "version": VERSIONS.get(kind), "params": record["params"], "inputs": inputs}
    if digest(named) != key:
        raise UserError(
            f"{folder}: a step of another version of inoculate ({kind} is of version {VERSIONS.get(kind)} here): run "
            "the study again with this one, which repeats only such steps, then export"
        )
    needed, *optional = CARRIED[kind]
    names = [needed, *(name for name in optional if (folder / name).is_file())]
    try:
        files = {name: (folder / name).read_bytes() for name in names}
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be read: {error.strerror}") from None
    if "engines.json" in files:
        files["engines.json"] = _without_addresses(files["engines.json"])
    return PackedStep(
        kind=kind,
        key=key,
        step_version=VERSIONS[kind],
        label=record["label"],
        params=record["params"],
        inputs=record["inputs"],
        seconds=record["seconds"],
        processes=record.get("processes"),
        shard=record.get("shard"),
        regraded=record.get("regraded"),
        machine=machine,
        files=files,
    )


def _without_addresses(engines: bytes) -> bytes:
    """What sampled, without the addresses of servers: no result names them, and they are nobody's business."""
    known = [{**engine, **({"server": ""} if "server" in engine else {})} for engine in json.loads(engines)]
    return (json.dumps(known, indent=1) + "\n").encode()
