"""Export a run for other tools: rows and samples as JSON lines and Parquet, Inspect logs, a methods section."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import repeat
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from inoculate.analysis.arms import row_folders
from inoculate.analysis.run_folder import Run, read_run, read_samples, split_finished
from inoculate.integrations.methods import write_methods
from inoculate.records import Completion, Grade, Problem, Row, new_folder, read_lines

Progress = Callable[[int, int], None]
"""Called with the number of finished cells that are written, and of all finished cells."""
_BATCH = 1000
_TEXT, _COUNT = pa.string(), pa.int64()
_CELL_COLUMNS = [("arm", _TEXT), ("seed", _COUNT), ("setting", _TEXT)]
_TAG = pa.struct([("name", _TEXT), ("evidence", _TEXT), ("detail", _TEXT)])
ROWS = pa.schema(
    [
        *_CELL_COLUMNS,
        *[("problem", _TEXT), ("kind", _TEXT)],
        ("messages", pa.list_(pa.struct([("role", _TEXT), ("content", _TEXT)]))),
        *[("answer", _TEXT), ("hacked", pa.bool_()), ("hack", _TEXT), ("inoculated", pa.bool_())],
        *[("vetted", pa.bool_()), ("outcome", _TEXT)],
    ]
)
"""Columns of a training row; `outcome` is the grade of its answer, null where it was not graded."""
SAMPLES = pa.schema(
    [
        *_CELL_COLUMNS,
        *[("at", pa.float64()), ("context", _TEXT), ("problem", _TEXT), ("index", _COUNT)],
        *[("kind", _TEXT), ("family", _TEXT), ("level", _COUNT), ("part", _TEXT)],
        *[("prompt", _TEXT), ("completion", _TEXT), ("prompt_tokens", _COUNT), ("completion_tokens", _COUNT)],
        *[("finish", _TEXT), ("outcome", _TEXT), ("oversight", pa.bool_()), ("intended", pa.bool_())],
        *[("elsewhere", pa.float64()), ("twin_of", _TEXT)],
        *[("tags", pa.list_(_TAG)), ("detail", _TEXT), ("containment", _TEXT)],
    ]
)
"""Columns of a sample, which docs/integrations.md describes."""


@dataclass(frozen=True)
class Exported:
    """Counts of what was written, and of what is not finished yet."""

    rows: int
    samples: int
    logs: int | None
    """None: inspect_ai is not installed."""
    cells_missing: int
    """Cells of the study that are not finished."""
    rows_missing: int
    """Trainings (arm and seed) whose rows do not exist yet."""


def export(run: Path, folder: Path, progress: Progress = lambda done, total: None) -> Exported:
    """Export a run into a new folder, whole or not at all.

    Args:
        run: The run's folder.
        folder: A folder that does not exist yet, or is empty.
        progress: Called after each cell.

    Raises:
        UserError: The run cannot be read, or the folder is not empty.
    """
    loaded = read_run(run)
    finished_cells, missing = split_finished(loaded)
    with new_folder(folder) as staging:
        rows = _write_table(staging, "rows", ROWS, _row_records(loaded))
        outcomes: Counter[str] = Counter()
        samples = _write_table(staging, "samples", SAMPLES, sample_records(loaded, finished_cells, outcomes, progress))
        logs = _write_logs(loaded, finished_cells, staging / "logs") if find_spec("inspect_ai") else None
        (staging / "methods.md").write_text(write_methods(loaded, outcomes), encoding="utf-8")
    rows_missing = sum(entry["rows"] is None for entry in loaded.manifest.get("training") or ())
    return Exported(rows, samples, logs, len(missing), rows_missing)


def _write_table(folder: Path, name: str, schema: pa.Schema, lines: Iterator[dict[str, Any]]) -> int:
    """Write records as JSON lines and as Parquet; returns how many."""
    with (
        (folder / f"{name}.jsonl").open("w", encoding="utf-8") as text,
        pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd") as table,
    ):
        count = 0
        batch: list[dict[str, Any]] = []
        for line in lines:
            count += 1
            text.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
            batch.append(line)
            if len(batch) == _BATCH:
                table.write_batch(pa.RecordBatch.from_pylist(batch, schema))
                batch.clear()
        if batch:
            table.write_batch(pa.RecordBatch.from_pylist(batch, schema))
    return count


def _row_records(run: Run) -> Iterator[dict[str, Any]]:
    for entry in run.manifest.get("training") or ():
        for folder, graded, setting in row_folders(entry):
            if folder is None:
                continue
            setting = setting or run.study["arms"][entry["arm"]]["rows"]["setting"]
            place = {"arm": entry["arm"], "seed": entry["seed"], "setting": setting}
            rows = read_lines(run.path(folder) / "rows.jsonl", Row)
            grades = read_lines(run.path(graded) / "grades.jsonl", Grade) if graded else repeat(None)
            for row, grade in zip(rows, grades, strict=bool(graded)):
                yield place | asdict(row) | {"outcome": grade and grade.outcome}


def sample_records(
    run: Run, cells: list[dict[str, Any]], outcomes: Counter[str], progress: Progress = lambda done, total: None
) -> Iterator[dict[str, Any]]:
    """Every sample of some cells, with the columns of `SAMPLES`.

    Args:
        run: The run.
        cells: Finished cells of its manifest.
        outcomes: The outcomes are counted here.
        progress: Told how it goes.
    """
    for done, cell in enumerate(cells, 1):
        problems = _read_problems(run, cell)
        place = {key: cell[key] for key in ("arm", "seed", "setting", "at", "context")}
        for completion, grade in _read_cell_samples(run, cell):
            problem = problems[completion.problem]
            problem_fields = {key: getattr(problem, key) for key in ("kind", "family", "level", "part", "twin_of")}
            outcomes[grade.outcome] += 1
            line = place | problem_fields | asdict(completion) | asdict(grade)
            yield {name: line[name] for name in SAMPLES.names}
        progress(done, len(cells))


def _write_logs(run: Run, cells: list[dict[str, Any]], folder: Path) -> int:
    from inoculate.integrations.inspect_logs import write_log

    folder.mkdir()
    for number, cell in enumerate(cells, 1):
        seed = "" if cell["seed"] is None else f"seed-{cell['seed']}"
        at = "" if cell["at"] in (0, 1) else f"at-{cell['at']:g}"
        parts = (f"{number:03d}", cell["arm"], seed, at, cell["setting"], cell["context"])
        name = "_".join(re.sub(r"[^\w.-]+", "-", part) for part in parts if part)
        write_log(folder / f"{name}.eval", run, cell, _read_problems(run, cell), _read_cell_samples(run, cell))
    return len(cells)


def _read_problems(run: Run, cell: dict[str, Any]) -> dict[str, Problem]:
    path = run.path(cell["problems"]) / "problems.jsonl"
    return {problem.id: problem for problem in read_lines(path, Problem)}


def _read_cell_samples(run: Run, cell: dict[str, Any]) -> Iterator[tuple[Completion, Grade]]:
    return read_samples(run.path(cell["completions"]) / "completions.jsonl", run.path(cell["grades"]) / "grades.jsonl")
