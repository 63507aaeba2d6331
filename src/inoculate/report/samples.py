"""Pack the samples of a run into one compressed block, which the page's sample reader unpacks.

Problems and prompts are stored once, everything else in columns. So 20,000 samples take a few megabytes. Above a limit,
every cell contributes the same number of samples, chosen by a hash of problem and sample index. The choice is the same
each time and in every cell, so two arms can still be shown side by side on one problem.
"""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inoculate.errors import UserError
from inoculate.records import OUTCOMES
from inoculate.report.results import Results, mapping, number, text
from inoculate.report.sample_cells import Record, SampleCell, choose_samples, list_cells, read_records, share_out
from inoculate.report.trajectory_cells import MOST_TRAJECTORIES, list_trainings, share_trajectories

MOST_SAMPLES = 20_000
MOST_BYTES = 50_000_000
"""Total size of completions files above which fewer samples are embedded, so that a browser still opens the page."""
_CELL_KEYS = ("arm", "seed", "at", "step", "setting", "context", "total", "embedded")
LONGEST_TEXT = 20_000
"""Characters of one text. Longer texts are cut in the page; each cut is marked and counted."""


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
        """Graded samples of the evaluation."""
        return sum(cell.total for cell in self.cells if cell.step is None)

    @property
    def embedded(self) -> int:
        """Those in the page."""
        return sum(cell.embedded for cell in self.cells if cell.step is None)

    @property
    def total_drawn(self) -> int:
        """Trajectories of RL."""
        return sum(cell.total for cell in self.cells if cell.step is not None)

    @property
    def embedded_drawn(self) -> int:
        """Those in the page."""
        return sum(cell.embedded for cell in self.cells if cell.step is not None)


def collect_samples(results: Results, most: int = MOST_SAMPLES, most_trajectories: int = MOST_TRAJECTORIES) -> Samples:
    """Read the graded samples of a run, and the trajectories of its RL, and pack them.

    Args:
        results: The run.
        most: The largest number of samples to embed.
        most_trajectories: The largest number of trajectories to embed.

    Raises:
        UserError: A line of a file is not valid; the message names file and line.
    """
    evaluated, absent = list_cells(results)
    size = sum(cell.size for cell in evaluated)
    total = sum(cell.total for cell in evaluated)
    if size > MOST_BYTES:
        most = min(most, max(1, total * MOST_BYTES // size))
    trainings, absent_drawn = list_trainings(results)
    cells = [*evaluated, *(cell for training in trainings for cell in training.cells.values())]
    packer = _Packer(cells)
    for cell, share in zip(evaluated, share_out([cell.total for cell in evaluated], most), strict=True):
        for completion, grade in choose_samples(cell, share):
            packer.add(cell, completion, grade)
    for training, shares in zip(trainings, share_trajectories(trainings, most_trajectories), strict=True):
        for cell, drawn in training.choose(shares):
            packer.add(cell, drawn, drawn)
    return Samples(packer.packed(results.labels), cells, [*absent, *absent_drawn], packer.cut)


class _Packer:
    """Samples in columns. Texts that repeat are stored once."""

    def __init__(self, cells: list[SampleCell]) -> None:
        self.cut = 0
        self._cells = cells
        self._cell_numbers = {id(cell): number for number, cell in enumerate(cells)}
        self._problem_files: dict[Path, dict[str, Record]] = {}
        self._problems: dict[tuple[str, str], int] = {}
        self._problem_list: list[Record] = []
        self._texts: dict[str, int] = {}
        self._tags: dict[tuple[str, str, str], int] = {}
        names = "cell problem index prompt completion outcome oversight intended others tags detail containment finish"
        self._columns: dict[str, list[Any]] = {name: [] for name in f"{names} tokens seconds reward".split()}

    def add(self, cell: SampleCell, completion: Record, grade: Record) -> None:
        cell.embedded += 1
        values = {
            "cell": self._cell_numbers[id(cell)],
            "problem": self._problem_index(cell, str(completion["problem"])),
            "index": completion.get("index") or 0,
            "prompt": self._text_index(completion["prompt"]),
            "completion": self._truncate(completion["completion"]),
            "outcome": OUTCOMES.index(grade["outcome"]),
            "oversight": grade.get("oversight"),
            "intended": grade.get("intended"),
            "others": self._text_index(_describe_metrics(grade)),
            "tags": [self._tag_index(mapping(tag)) for tag in grade.get("tags") or ()],
            "detail": self._text_index(grade.get("detail")),
            "containment": self._text_index(grade.get("containment")),
            "finish": self._text_index(completion.get("finish")),
            "tokens": [number(completion.get("prompt_tokens")), number(completion.get("completion_tokens"))],
            "seconds": [number(completion.get("seconds")), number(grade.get("seconds"))],
            "reward": number(completion.get("reward")),
        }
        for name, value in values.items():
            self._columns[name].append(value)

    def packed(self, labels: dict[str, dict[str, str]]) -> str:
        data = {
            "outcomes": OUTCOMES,
            "labels": labels,
            "cells": [{key: getattr(cell, key) for key in _CELL_KEYS} for cell in self._cells],
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
                self._problem_files[cell.problems] = {str(p["id"]): p for p in read_records(cell.problems, ("id",))}
            problem = self._problem_files[cell.problems].get(name)
            if problem is None:
                raise UserError(f"{cell.completions} has the problem '{name}', which is not in {cell.problems}")
            self._problems[key] = len(self._problem_list)
            self._problem_list.append({k: self._truncate(v) if isinstance(v, str) else v for k, v in problem.items()})
        return self._problems[key]

    def _text_index(self, value: Any) -> int:
        return self._texts.setdefault(self._truncate(value), len(self._texts))

    def _tag_index(self, tag: Record) -> int:
        key = (text(tag.get("name")), text(tag.get("evidence")), self._truncate(tag.get("detail")))
        return self._tags.setdefault(key, len(self._tags))

    def _truncate(self, value: Any) -> str:
        whole = text(value)
        if len(whole) <= LONGEST_TEXT:
            return whole
        self.cut += 1
        return f"{whole[:LONGEST_TEXT]}\n[cut here by the report: {LONGEST_TEXT:,} of {len(whole):,} characters]"


def _describe_metrics(grade: Record) -> str:
    """The values in a grade, or in a trajectory, beside its checks, as text."""
    elsewhere, gamed = number(grade.get("elsewhere")), grade.get("gamed")
    parts = [] if elsewhere is None else [f"right in {elsewhere:.0%} elsewhere"]
    if grade["outcome"] == "hack" and gamed is not None:
        parts.append("made for the check" if gamed else "a near miss, not made for the check")
    others = mapping(grade.get("others"))
    parts += [f"{name.replace('_', ' ')} {'passed' if passed else 'failed'}" for name, passed in others.items()]
    return ", ".join(parts)


def _replace_non_finite(data: Any) -> Any:
    """The same data with None for NaN and infinities, which JSON does not have."""
    if isinstance(data, dict):
        return {key: _replace_non_finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_replace_non_finite(item) for item in data]
    return None if isinstance(data, float) and number(data) is None else data
