"""Pack the samples of a run into one compressed block, which the page's sample reader unpacks.

Problems and prompts are stored once, everything else in columns. So 20,000 samples take a few megabytes. Above a limit,
every cell contributes the same number of samples, chosen by a hash of problem and sample index. The choice is the same
each time and in every cell, so two arms can still be shown side by side on one problem.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import heapq
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from inoculate.errors import UserError
from inoculate.records import OUTCOMES
from inoculate.report.results import Results, mapping, number, text

MOST_SAMPLES = 20_000
MOST_BYTES = 50_000_000
"""Total size of completions files above which fewer samples are embedded, so that a browser still opens the page."""
LONGEST_TEXT = 20_000
"""Characters of one text. Longer texts are cut in the page; each cut is marked and counted."""


@dataclass
class SampleCell:
    """The files of one cell, and how many of its samples are in the page."""

    arm: str
    seed: Any
    at: float
    setting: str
    context: str
    problems: Path
    completions: Path
    grades: Path
    size: int = 0
    total: int = 0
    embedded: int = 0


@dataclass
class Samples:
    """The samples that the page embeds."""

    payload: str
    cells: list[SampleCell]
    absent: list[str] = field(default_factory=list)
    """Descriptions of cells whose files are not where the manifest says."""
    cut: int = 0
    """Number of texts that were cut."""

    @property
    def total(self) -> int:
        """Graded samples of the run."""
        return sum(cell.total for cell in self.cells)

    @property
    def embedded(self) -> int:
        """Samples in the page."""
        return sum(cell.embedded for cell in self.cells)


def collect_samples(results: Results, most: int = MOST_SAMPLES) -> Samples:
    """Read the graded samples of a run and pack them.

    Args:
        results: The run.
        most: The largest number of samples to embed.

    Raises:
        UserError: A line of a file is not valid; the message names file and line.
    """
    cells, absent = _list_cells(results)
    size = sum(cell.size for cell in cells)
    total = sum(cell.total for cell in cells)
    if size > MOST_BYTES:
        most = min(most, max(1, total * MOST_BYTES // size))
    shares = _share_out([cell.total for cell in cells], most)
    packer = _Packer()
    for cell_number, (cell, share) in enumerate(zip(cells, shares, strict=True)):
        for completion, grade in _choose_samples(cell, share):
            packer.add(cell_number, cell, completion, grade)
            cell.embedded += 1
    return Samples(payload=packer.packed(cells, results.labels), cells=cells, absent=absent, cut=packer.cut)


def _list_cells(results: Results) -> tuple[list[SampleCell], list[str]]:
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


def _share_out(totals: list[int], most: int) -> list[int]:
    """The number of samples from each cell: all of a small cell, and an equal number from each large one."""
    shares = [0] * len(totals)
    remaining = most
    for place, (total, cell) in enumerate(sorted((total, cell) for cell, total in enumerate(totals))):
        shares[cell] = min(total, remaining // (len(totals) - place))
        remaining -= shares[cell]
    return shares


def _choose_samples(cell: SampleCell, share: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The samples of a cell with the smallest hashes, in the order of the file. Memory is bounded by `share`."""
    pairs = _read_pairs(cell)
    if share >= cell.total:
        return list(pairs)
    keyed = ((_sample_hash(completion), place, completion, grade) for place, (completion, grade) in enumerate(pairs))
    chosen = heapq.nsmallest(share, keyed, key=lambda entry: entry[:2])
    return [(completion, grade) for _, _, completion, grade in sorted(chosen, key=lambda entry: entry[1])]


def _sample_hash(completion: dict[str, Any]) -> bytes:
    name = f"{completion['problem']}\0{completion.get('index')}"
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _read_pairs(cell: SampleCell) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    completions = _read_records(cell.completions, ("problem", "prompt", "completion"))
    grades = _read_records(cell.grades, ("outcome",))
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


def _read_records(path: Path, needed: Iterable[str]) -> Iterator[dict[str, Any]]:
    # A model can write anything: bytes that are not UTF-8 are replaced, and do not stop a report.
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line_number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                data = json.loads(line)
                missing = [key for key in needed if key not in data]
            except (ValueError, TypeError) as error:
                raise UserError(f"{path}:{line_number}: not a JSON record: {error}") from error
            if missing:
                raise UserError(f"{path}:{line_number}: the key '{missing[0]}' is missing")
            yield data


class _Packer:
    """Samples in columns. Texts that repeat are stored once."""

    def __init__(self) -> None:
        self.cut = 0
        self._problem_files: dict[Path, dict[str, dict[str, Any]]] = {}
        self._problems: dict[tuple[str, str], int] = {}
        self._problem_list: list[dict[str, Any]] = []
        self._texts: dict[str, int] = {}
        self._tags: dict[tuple[str, str, str], int] = {}
        names = "cell problem index prompt completion outcome oversight intended others tags detail containment finish"
        self._columns: dict[str, list[Any]] = {name: [] for name in f"{names} tokens seconds".split()}

    def add(self, cell_number: int, cell: SampleCell, completion: dict[str, Any], grade: dict[str, Any]) -> None:
        values = {
            "cell": cell_number,
            "problem": self._problem_index(cell, str(completion["problem"])),
            "index": completion.get("index") or 0,
            "prompt": self._text_index(completion["prompt"]),
            "completion": self._truncate(completion["completion"]),
            "outcome": OUTCOMES.index(grade["outcome"]),
            "oversight": grade.get("oversight"),
            "intended": grade.get("intended"),
            "others": self._text_index(_describe_metrics(mapping(grade.get("others")), number(grade.get("elsewhere")))),
            "tags": [self._tag_index(mapping(tag)) for tag in grade.get("tags") or ()],
            "detail": self._text_index(grade.get("detail")),
            "containment": self._text_index(grade.get("containment")),
            "finish": self._text_index(completion.get("finish")),
            "tokens": [number(completion.get("prompt_tokens")), number(completion.get("completion_tokens"))],
            "seconds": [number(completion.get("seconds")), number(grade.get("seconds"))],
        }
        for name, value in values.items():
            self._columns[name].append(value)

    def packed(self, cells: list[SampleCell], labels: dict[str, dict[str, str]]) -> str:
        data = {
            "outcomes": OUTCOMES,
            "labels": labels,
            "cells": [
                {key: getattr(cell, key) for key in ("arm", "seed", "at", "setting", "context", "total", "embedded")}
                for cell in cells
            ],
            "problems": self._problem_list,
            "texts": list(self._texts),
            "tags": list(self._tags),
            "samples": self._columns,
        }
        # ASCII, so that a lone surrogate in a completion is an escape and not an encoding error.
        raw = json.dumps(_replace_non_finite(data), ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode(
            "ascii"
        )
        return base64.b64encode(gzip.compress(raw, compresslevel=6, mtime=0)).decode("ascii")

    def _problem_index(self, cell: SampleCell, name: str) -> int:
        key = (cell.setting, name)
        if key not in self._problems:
            if cell.problems not in self._problem_files:
                self._problem_files[cell.problems] = {str(p["id"]): p for p in _read_records(cell.problems, ("id",))}
            problem = self._problem_files[cell.problems].get(name)
            if problem is None:
                raise UserError(f"{cell.completions} has the problem '{name}', which is not in {cell.problems}")
            self._problems[key] = len(self._problem_list)
            self._problem_list.append({k: self._truncate(v) if isinstance(v, str) else v for k, v in problem.items()})
        return self._problems[key]

    def _text_index(self, value: Any) -> int:
        return self._texts.setdefault(self._truncate(value), len(self._texts))

    def _tag_index(self, tag: dict[str, Any]) -> int:
        key = (text(tag.get("name")), text(tag.get("evidence")), self._truncate(tag.get("detail")))
        return self._tags.setdefault(key, len(self._tags))

    def _truncate(self, value: Any) -> str:
        whole = text(value)
        if len(whole) <= LONGEST_TEXT:
            return whole
        self.cut += 1
        return f"{whole[:LONGEST_TEXT]}\n[cut here by the report: {LONGEST_TEXT:,} of {len(whole):,} characters]"


def _describe_metrics(others: dict[str, Any], elsewhere: float | None) -> str:
    """The values in a grade beside its checks, as text."""
    parts = [] if elsewhere is None else [f"right in {elsewhere:.0%} elsewhere"]
    parts += [f"{name.replace('_', ' ')} {'passed' if passed else 'failed'}" for name, passed in others.items()]
    return ", ".join(parts)


def _replace_non_finite(data: Any) -> Any:
    """The same data with None for NaN and infinities, which JSON does not have."""
    if isinstance(data, dict):
        return {key: _replace_non_finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_replace_non_finite(item) for item in data]
    return None if isinstance(data, float) and number(data) is None else data
