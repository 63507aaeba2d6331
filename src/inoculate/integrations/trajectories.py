"""Export the trajectories of a run, filtered, into one file: JSON lines, Parquet, or an Inspect log."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from inoculate.analysis.run_folder import Run, read_run
from inoculate.analysis.trajectories import (
    Filter,
    Problems,
    RunTrajectory,
    Selection,
    check_names,
    read_problems,
    read_trajectories,
    trainings,
)
from inoculate.errors import UserError, nearest, refuse_existing

ENDINGS = (".jsonl", ".parquet", ".eval")
_BATCH = 1000
_TEXT, _COUNT, _NUMBER, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
_TAG = pa.struct([("name", _TEXT), ("evidence", _TEXT), ("detail", _TEXT)])
TRAJECTORIES = pa.schema(
    [
        *[("arm", _TEXT), ("seed", _COUNT), ("step", _COUNT), ("problem", _TEXT), ("index", _COUNT)],
        *[("setting", _TEXT), ("kind", _TEXT), ("family", _TEXT), ("level", _COUNT)],
        *[("system", _TEXT), ("question", _TEXT), ("prompt", _TEXT), ("completion", _TEXT)],
        *[("tokens", pa.list_(_COUNT)), ("log_probabilities", pa.list_(_NUMBER))],
        *[("prompt_tokens", _COUNT), ("completion_tokens", _COUNT), ("finish", _TEXT), ("hackable", _FLAG)],
        *[("reward", _NUMBER), ("advantage", _NUMBER), ("outcome", _TEXT), ("oversight", _FLAG)],
        *[("intended", _FLAG), ("gamed", _FLAG), ("tags", pa.list_(_TAG)), ("detail", _TEXT)],
    ]
)
"""Columns of an exported trajectory, which docs/integrations.md describes."""
Record = dict[str, Any]


@dataclass(frozen=True)
class ExportedTrajectories:
    """What was written."""

    count: int
    left: dict[str, int]
    """Condition, in words -> how many trajectories it and those before it have left; `all` first."""
    unfinished: list[str]
    """Trainings (arm and seed) without trajectories yet."""


def export_trajectories(
    run: Path,
    path: Path,
    keep: Filter,
    progress: Callable[[int], None] = lambda written: None,
    *,
    fresh: bool = False,
) -> ExportedTrajectories:
    """Write the trajectories of a run that a filter keeps, whole or not at all.

    Args:
        run: The run's folder.
        path: A new file; its ending is the format, one of `ENDINGS`. A log is built in memory.
        keep: What is kept.
        progress: Called with the number of trajectories written.
        fresh: Instead of what RL drew in training, the fresh samples that rows were chosen from.

    Raises:
        UserError: The run has no trajectories, the filter keeps none or names what is not there, the file exists, its
            ending is none of these, or Inspect is not installed.
    """
    if path.suffix not in ENDINGS:
        raise UserError(f"{path}: the ending '{path.suffix}' is no format: {nearest(path.suffix, ENDINGS)}")
    refuse_existing(path)
    if path.suffix == ".eval" and not find_spec("inspect_ai"):
        raise UserError(f"{path}: Inspect logs need inspect_ai: pip install 'inoculate[inspect]'")
    loaded = read_run(run)
    check_names(loaded, keep, fresh)
    selection = Selection(keep)
    kept = selection.over(read_trajectories(loaded, fresh))
    records = _told(trajectory_records(loaded, kept, fresh), progress)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")  # the ending stays: Inspect goes by it
    try:
        _write(temporary, loaded, records)
        selection.refuse_nothing()
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return ExportedTrajectories(selection.kept, selection.counts(), trainings(loaded, fresh)[1])


def _told(records: Iterator[Record], progress: Callable[[int], None]) -> Iterator[Record]:
    for number, record in enumerate(records, 1):
        yield record
        if number % _BATCH == 0:
            progress(number)


def trajectory_records(run: Run, trajectories: Iterator[RunTrajectory], fresh: bool = False) -> Iterator[Record]:
    """Trajectories with what is shown of their problems, by the columns of `TRAJECTORIES`.

    Args:
        run: Their run.
        trajectories: The trajectories, one training after the other.
        fresh: Whether they are fresh samples.

    Raises:
        UserError: The rows of a training are not in the store, or lack the problem of a trajectory.
    """
    entries = {(entry["arm"], entry["seed"]): entry for entry in trainings(run, fresh)[0]}
    known: tuple[tuple[str, int], Problems] | None = None
    for one in trajectories:
        training = one.arm, one.seed
        if known is None or known[0] != training:
            known = training, read_problems(run, entries[training])
        problem = known[1].of(one)
        record = asdict(one.trajectory) | {
            **{"arm": one.arm, "seed": one.seed, "system": problem.system},
            **{key: getattr(problem, key) for key in ("setting", "kind", "family", "level")},
            "question": f"{problem.lead} {problem.body}".strip(),
        }
        yield {name: record[name] for name in TRAJECTORIES.names}


def _write(path: Path, run: Run, records: Iterator[Record]) -> None:
    if path.suffix == ".jsonl":
        with path.open("w", encoding="utf-8") as lines:
            for record in records:
                lines.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
    elif path.suffix == ".parquet":
        _write_parquet(path, records)
    elif found := list(records):
        from inoculate.integrations.inspect_trajectories import write_log

        write_log(path, run, found)


def _write_parquet(path: Path, records: Iterator[Record]) -> None:
    with pq.ParquetWriter(path, TRAJECTORIES, compression="zstd") as table:
        batch: list[Record] = []
        for record in records:
            batch.append(record)
            if len(batch) == _BATCH:
                table.write_batch(pa.RecordBatch.from_pylist(batch, TRAJECTORIES))
                batch.clear()
        if batch:
            table.write_batch(pa.RecordBatch.from_pylist(batch, TRAJECTORIES))
