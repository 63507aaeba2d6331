"""The trajectories of RL in the page's reader: a cell for each step of a training.

Where there is no room for all, the steps before training, before, at and after the onset, and the last one come first,
whole as far as they fit; every other step contributes the same number. Which ones is decided as for samples.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inoculate.analysis.arms import row_folders
from inoculate.errors import UserError
from inoculate.records import OUTCOMES
from inoculate.report.results import Results, mapping, text
from inoculate.report.sample_cells import Record, SampleCell, read_records, sample_hash, share_out

CONTEXT = "in training"
"""What the reader has as the context of trajectories: their prompt is that of the arm's training."""
MOST_TRAJECTORIES = 6_000

_Place = tuple[int, str]
"""A step and a setting."""


@dataclass(frozen=True)
class DrawnTraining:
    """The trajectories of one finished training by rewards."""

    path: Path
    cells: dict[_Place, SampleCell]
    settings: Mapping[tuple[str, bool], str]
    """(Id of a problem, whether it can be hacked) -> its setting."""
    moments: frozenset[int]
    """The steps that come first where there is no room for all."""

    def choose(self, shares: Mapping[_Place, int]) -> Iterator[tuple[SampleCell, Record]]:
        """The trajectories with the smallest hashes of each step and setting, in the order of the file.

        Args:
            shares: How many of each.
        """
        kept: dict[_Place, list[tuple[bytes, int, Record]]] = {place: [] for place in self.cells}
        for number, one in enumerate(read_drawn(self.path)):
            # Tokens would take the most memory, and are not shown.
            shown = {key: value for key, value in one.items() if key not in ("tokens", "log_probabilities")}
            kept[_place_of(one, self.settings, self.path)].append((sample_hash(one), number, shown))
        for place, found in kept.items():
            chosen = heapq.nsmallest(shares[place], found, key=lambda entry: entry[:2])
            yield from ((self.cells[place], one) for *_, one in sorted(chosen, key=lambda entry: entry[1]))


def list_trainings(results: Results) -> tuple[list[DrawnTraining], list[str]]:
    """The finished trainings by rewards with their cells, and descriptions of those whose files are not there.

    Raises:
        UserError: A line of a file is not a trajectory, or its problem is not among those of the rows.
    """
    found, absent = list[DrawnTraining](), list[str]()
    by_seed = {(arm["arm"], seed["seed"]): seed for arm in results.rl for seed in arm["by_seed"]}
    for (arm, seed), entry in results.rl_entries.items():
        path = results.run / text(entry["rl"]) / "trajectories.jsonl"
        tables = _problem_files(results, arm, entry)
        if missing := next((str(file) for file in (path, *tables.values()) if not file.is_file()), ""):
            absent.append(f"{arm}, seed {seed}, {CONTEXT}: {missing}")
            continue
        settings = {
            (str(problem["id"]), bool(problem.get("hacked"))): setting
            for setting, file in tables.items()
            for problem in read_records(file, ("id",))
        }
        counts = Counter(_place_of(one, settings, path) for one in read_drawn(path))
        cells = {
            (step, setting): SampleCell(
                arm, seed, None, setting, CONTEXT, tables[setting], path, path, step=step, total=total
            )
            for (step, setting), total in sorted(counts.items())
        }
        found.append(DrawnTraining(path, cells, settings, frozenset(_moments(by_seed.get((arm, seed))))))
    return found, absent


def share_trajectories(trainings: Sequence[DrawnTraining], most: int = MOST_TRAJECTORIES) -> list[dict[_Place, int]]:
    """How many trajectories of each step and setting are embedded, for each training.

    Args:
        trainings: The trainings.
        most: The largest number over all.
    """
    shares: list[dict[_Place, int]] = [{} for _ in trainings]
    for is_first in (True, False):
        places = [
            (number, place)
            for number, training in enumerate(trainings)
            for place in training.cells
            if (place[0] in training.moments) == is_first
        ]
        given = share_out([trainings[number].cells[place].total for number, place in places], most)
        for (number, place), share in zip(places, given, strict=True):
            shares[number][place] = share
        most -= sum(given)
    return shares


def read_drawn(path: Path) -> Iterator[Record]:
    """The lines of `trajectories.jsonl`.

    Raises:
        UserError: One is not a trajectory.
    """
    for line, one in enumerate(
        read_records(path, ("step", "problem", "hackable", "prompt", "completion", "outcome")), 1
    ):
        if one["outcome"] not in OUTCOMES:
            raise UserError(f"{path}:{line}: outcome {one['outcome']!r} is not one of {', '.join(OUTCOMES)}")
        yield one


def _problem_files(results: Results, arm: str, entry: Mapping[str, Any]) -> dict[str, Path]:
    """Setting -> the problems that a training took from it."""
    only = text(mapping(results.arm(arm).get("rows")).get("setting"))  # recorded in the entry where there are several
    return {
        setting or only: results.run / (folder or "") / "problems.jsonl" for folder, _, setting in row_folders(entry)
    }


def _place_of(one: Record, settings: Mapping[tuple[str, bool], str], path: Path) -> _Place:
    key = str(one["problem"]), bool(one["hackable"])
    if key not in settings:
        raise UserError(f"{path} has the problem '{key[0]}', which is not in the rows that it was trained on")
    return int(one["step"]), settings[key]


def _moments(seed: Mapping[str, Any] | None) -> Iterable[int]:
    """The steps to read first: before training, around the onset (or halfway without one), and the last."""
    if seed is None:  # the results are older than the training
        return (0,)
    last = int(seed["last_step"])
    middle = int(seed["onset"] or -(-last // 2))
    return (0, middle - 1, middle, min(middle + 1, last), last)
