"""The cells of a run whose samples the page's reader shows, and which of their samples it has room for."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from inoculate.errors import UserError
from inoculate.records import OUTCOMES
from inoculate.report.results import Results, number, text

Record = dict[str, Any]


@dataclass
class SampleCell:
    """The files of one cell, and how many of its samples are in the page."""

    arm: str
    seed: Any
    at: float | None
    """The fraction of training; None in training."""
    setting: str
    context: str
    problems: Path
    completions: Path
    grades: Path
    step: int | None = None
    """The step of RL that drew it; None for samples of the evaluation."""
    size: int = 0
    total: int = 0
    embedded: int = 0


def list_cells(results: Results) -> tuple[list[SampleCell], list[str]]:
    """The finished cells of the evaluation, and descriptions of those whose files are not there."""
    cells: list[SampleCell] = []
    absent: list[str] = []
    for data in results.sample_cells:
        if not (data.get("grades") and data.get("completions") and data.get("problems")):
            continue
        problems, completions, grades = (
            results.run / str(data[key]) / f"{key}.jsonl" for key in ("problems", "completions", "grades")
        )
        cell = SampleCell(
            arm=text(data.get("arm")),
            seed=data.get("seed"),
            at=number(data.get("at")) or 0.0,
            setting=text(data.get("setting")),
            context=text(data.get("context")),
            problems=problems,
            completions=completions,
            grades=grades,
        )
        missing_files = [str(path) for path in (problems, completions, grades) if not path.is_file()]
        if missing_files:
            absent.append(
                f"{cell.arm}, seed {text(cell.seed) or 'none'}, {cell.setting}, {cell.context}: {missing_files[0]}"
            )
            continue
        cell.size = cell.completions.stat().st_size
        with cell.completions.open("rb") as lines:
            cell.total = sum(1 for line in lines if line.strip())
        cells.append(cell)
    return cells, absent


def share_out(totals: list[int], most: int) -> list[int]:
    """The number of samples from each cell: all of a small cell, and an equal number from each large one."""
    shares = [0] * len(totals)
    remaining = most
    for place, (total, cell) in enumerate(sorted((total, cell) for cell, total in enumerate(totals))):
        shares[cell] = min(total, remaining // (len(totals) - place))
        remaining -= shares[cell]
    return shares


def choose_samples(cell: SampleCell, share: int) -> list[tuple[Record, Record]]:
    """The samples of a cell with the smallest hashes, in the order of the file. Memory is bounded by `share`."""
    pairs = _read_pairs(cell)
    if share >= cell.total:
        return list(pairs)
    keyed = ((sample_hash(completion), place, completion, grade) for place, (completion, grade) in enumerate(pairs))
    chosen = heapq.nsmallest(share, keyed, key=lambda entry: entry[:2])
    return [(completion, grade) for _, _, completion, grade in sorted(chosen, key=lambda entry: entry[1])]


def sample_hash(completion: Record) -> bytes:
    """What chooses among samples: of problem and index alone, so that the choice is the same in every cell."""
    name = f"{completion['problem']}\0{completion.get('index')}"
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _read_pairs(cell: SampleCell) -> Iterator[tuple[Record, Record]]:
    completions = read_records(cell.completions, ("problem", "prompt", "completion"))
    grades = read_records(cell.grades, ("outcome",))
    for line, (completion, grade) in enumerate(zip_longest(completions, grades), 1):
        if completion is None or grade is None:
            shorter, longer = (cell.completions, cell.grades) if completion is None else (cell.grades, cell.completions)
            raise UserError(
                f"{shorter} ends before line {line} and {longer} does not: both must have one line per sample"
            )
        if grade["outcome"] not in OUTCOMES:
            allowed = ", ".join(OUTCOMES)
            raise UserError(f"{cell.grades}:{line}: outcome {grade['outcome']!r} is not one of {allowed}")
        yield completion, grade


def read_records(path: Path, needed: Iterable[str]) -> Iterator[Record]:
    """The lines of a file of JSON lines.

    Args:
        path: The file.
        needed: Keys that every line must have.

    Raises:
        UserError: A line is not such a record; the message names file and line.
    """
    # A model can write anything: bytes that are not UTF-8 are replaced, and do not stop a report.
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line_number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                data = json.loads(line)
                missing = [key for key in needed if key not in data]
            except (ValueError, TypeError, RecursionError) as error:
                raise UserError(f"{path}:{line_number}: not a JSON record: {error}") from error
            if missing:
                raise UserError(f"{path}:{line_number}: the key '{missing[0]}' is missing")
            yield data
