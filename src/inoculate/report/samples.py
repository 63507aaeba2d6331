"""The samples of a run as one compressed block that the page's reader unpacks.

Problems and prompts are stored once, the rest in columns: that is what keeps 20,000 samples at a few megabytes.
Above a limit every cell gives the same share, drawn by a hash of problem and sample index. So the draw is the same
each time, and the same in every cell: two arms can still be read side by side on one problem.
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
"""Of completions files: beyond it fewer samples are embedded, so that a browser still opens the page."""
LONGEST_TEXT = 20_000
"""Characters of one text; a longer one is cut in the page, and the cut is said there and counted."""


@dataclass
class SampleCell:
    """One cell's files, and how many of its samples are in the page."""

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
    """What the page embeds."""

    payload: str
    cells: list[SampleCell]
    absent: list[str] = field(default_factory=list)
    """Cells whose files are not where the manifest says, in words."""
    cut: int = 0
    """How many texts were longer than the page shows."""

    @property
    def total(self) -> int:
        """Graded samples of the run."""
        return sum(cell.total for cell in self.cells)

    @property
    def embedded(self) -> int:
        """Samples in the page."""
        return sum(cell.embedded for cell in self.cells)


def collect(results: Results, most: int = MOST_SAMPLES) -> Samples:
    """Read the graded samples of a run and pack them.

    Args:
        results: The run.
        most: How many samples may be embedded.

    Raises:
        UserError: A line of a file is not what it should be; the message names file and line.
    """
    cells, absent = _cells(results)
    size = sum(cell.size for cell in cells)
    total = sum(cell.total for cell in cells)
    if size > MOST_BYTES:
        most = min(most, max(1, total * MOST_BYTES // size))
    shares = _shares([cell.total for cell in cells], most)
    packer = _Packer()
    for number_, (cell, share) in enumerate(zip(cells, shares, strict=True)):
        for completion, grade in _draw(cell, share):
            packer.add(number_, cell, completion, grade)
            cell.embedded += 1
    return Samples(payload=packer.packed(cells, results.labels), cells=cells, absent=absent, cut=packer.cut)


def _cells(results: Results) -> tuple[list[SampleCell], list[str]]:
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
        lost = [str(path) for path in (problems, completions, grades) if not path.is_file()]
        if lost:
            absent.append(f"{cell.arm}, seed {text(cell.seed) or 'none'}, {cell.setting}, {cell.context}: {lost[0]}")
            continue
        cell.size = cell.completions.stat().st_size
        with cell.completions.open("rb") as lines:
            cell.total = sum(1 for line in lines if line.strip())
        cells.append(cell)
    return cells, absent


def _shares(totals: list[int], most: int) -> list[int]:
    """How many samples each cell gives: all of a small cell, an equal share of the large ones."""
    shares = [0] * len(totals)
    left = most
    for place, (total, cell) in enumerate(sorted((total, cell) for cell, total in enumerate(totals))):
        shares[cell] = min(total, left // (len(totals) - place))
        left -= shares[cell]
    return shares


def _draw(cell: SampleCell, share: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The share of a cell with the smallest hashes, in the order of the file; bounded in memory by the share."""
    pairs = _pairs(cell)
    if share >= cell.total:
        return list(pairs)
    keyed = ((_hash(completion), place, completion, grade) for place, (completion, grade) in enumerate(pairs))
    chosen = heapq.nsmallest(share, keyed, key=lambda entry: entry[:2])
    return [(completion, grade) for _, _, completion, grade in sorted(chosen, key=lambda entry: entry[1])]


def _hash(completion: dict[str, Any]) -> bytes:
    name = f"{completion['problem']}\0{completion.get('index')}"
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _pairs(cell: SampleCell) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    completions = _lines(cell.completions, ("problem", "prompt", "completion"))
    grades = _lines(cell.grades, ("outcome",))
    for line, (completion, grade) in enumerate(zip_longest(completions, grades), 1):
        if completion is None or grade is None:
            short, long = (cell.completions, cell.grades) if completion is None else (cell.grades, cell.completions)
            raise UserError(f"{short} ends before line {line} and {long} does not: they must have a line per sample")
        if grade["outcome"] not in OUTCOMES:
            allowed = ", ".join(OUTCOMES)
            raise UserError(f"{cell.grades}:{line}: outcome {grade['outcome']!r} is not one of {allowed}")
        yield completion, grade


def _lines(path: Path, needed: Iterable[str]) -> Iterator[dict[str, Any]]:
    # A model writes what it likes: bytes that are no UTF-8 are shown as such, they do not stop a report.
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
    """Samples in columns, with everything that repeats stored once."""

    def __init__(self) -> None:
        self.cut = 0
        self._problem_files: dict[Path, dict[str, dict[str, Any]]] = {}
        self._problems: dict[tuple[str, str], int] = {}
        self._problem_list: list[dict[str, Any]] = []
        self._texts: dict[str, int] = {}
        self._tags: dict[tuple[str, str, str], int] = {}
        names = "cell problem index prompt completion outcome oversight intended others tags detail containment finish"
        self._columns: dict[str, list[Any]] = {name: [] for name in f"{names} tokens seconds".split()}

    def add(self, number_: int, cell: SampleCell, completion: dict[str, Any], grade: dict[str, Any]) -> None:
        values = {
            "cell": number_,
            "problem": self._problem(cell, str(completion["problem"])),
            "index": completion.get("index") or 0,
            "prompt": self._text(completion["prompt"]),
            "completion": self._short(completion["completion"]),
            "outcome": OUTCOMES.index(grade["outcome"]),
            "oversight": grade.get("oversight"),
            "intended": grade.get("intended"),
            "others": self._text(_said(mapping(grade.get("others")), number(grade.get("elsewhere")))),
            "tags": [self._tag(mapping(tag)) for tag in grade.get("tags") or ()],
            "detail": self._text(grade.get("detail")),
            "containment": self._text(grade.get("containment")),
            "finish": self._text(completion.get("finish")),
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
        raw = json.dumps(_finite(data), ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")
        return base64.b64encode(gzip.compress(raw, compresslevel=6, mtime=0)).decode("ascii")

    def _problem(self, cell: SampleCell, name: str) -> int:
        key = (cell.setting, name)
        if key not in self._problems:
            if cell.problems not in self._problem_files:
                self._problem_files[cell.problems] = {str(p["id"]): p for p in _lines(cell.problems, ("id",))}
            found = self._problem_files[cell.problems].get(name)
            if found is None:
                raise UserError(f"{cell.completions} has the problem '{name}', which is not in {cell.problems}")
            self._problems[key] = len(self._problem_list)
            self._problem_list.append({k: self._short(v) if isinstance(v, str) else v for k, v in found.items()})
        return self._problems[key]

    def _text(self, value: Any) -> int:
        return self._texts.setdefault(self._short(value), len(self._texts))

    def _tag(self, tag: dict[str, Any]) -> int:
        key = (text(tag.get("name")), text(tag.get("evidence")), self._short(tag.get("detail")))
        return self._tags.setdefault(key, len(self._tags))

    def _short(self, value: Any) -> str:
        whole = text(value)
        if len(whole) <= LONGEST_TEXT:
            return whole
        self.cut += 1
        return f"{whole[:LONGEST_TEXT]}\n[cut here by the report: {LONGEST_TEXT:,} of {len(whole):,} characters]"


def _said(others: dict[str, Any], elsewhere: float | None) -> str:
    """What stands in a grade beside its checks, in words."""
    words = [] if elsewhere is None else [f"right in {elsewhere:.0%} elsewhere"]
    words += [f"{name.replace('_', ' ')} {'passed' if passed else 'failed'}" for name, passed in others.items()]
    return ", ".join(words)


def _finite(data: Any) -> Any:
    """The same data with null where a float is no number: JSON has no NaN."""
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_finite(item) for item in data]
    return None if isinstance(data, float) and number(data) is None else data
