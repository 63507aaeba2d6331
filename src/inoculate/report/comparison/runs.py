"""Runs read from their results, put side by side, and told apart. Nothing is merged, and nothing is tested."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inoculate.errors import UserError
from inoculate.report import numbers
from inoculate.report.results import Cell, Contrast, Results, mapping, read_results, text

_APART = ("name", "question", "arms", "evaluate", "contrasts")
"""What a study says that is compared in a place of its own, or not at all."""


@dataclass(frozen=True)
class Side:
    """One of the runs."""

    label: str
    """The study's name; numbered where several runs have the same."""
    results: Results
    total: int
    """Cells of the study, finished or not."""
    stale: int
    """Cells that were finished after the results were written."""
    problems: dict[str, str]
    """Setting to the key of its problems: the same key, the same problems."""

    @property
    def hash(self) -> str:
        """The hash of the study."""
        return text(self.results.facts.get("study_hash"))

    @property
    def finished(self) -> int:
        """Cells that are in the results."""
        return self.total - len(self.results.missing)


@dataclass(frozen=True)
class Claim:
    """One claim about the same arms, and what each run found; None for a run that does not make it.

    What is compared makes it the same claim, whatever words a study has for it.
    """

    words: tuple[str, ...]
    measure: str
    setting: str
    context: str
    direction: str
    arm: str
    other: str
    found: tuple[Contrast | None, ...]


@dataclass(frozen=True)
class Comparison:
    """Runs side by side."""

    sides: tuple[Side, ...]
    notes: tuple[str, ...]
    """What a reader must know before comparing numbers."""
    differences: tuple[tuple[str, tuple[str, ...]], ...]
    """What differs: a key, and its value in each run."""
    claims: tuple[Claim, ...]

    def order(self, what: str) -> list[str]:
        """The arms, settings or contexts of all runs, in the order of the first that has them."""
        return list(dict.fromkeys(name for side in self.sides for name in side.results.order(what)))

    def places(self) -> list[tuple[str, str]]:
        """The settings and contexts in which some run has a cell."""
        there = {(cell.setting, cell.context) for side in self.sides for cell in side.results.main_cells()}
        return [
            (setting, context)
            for setting in self.order("setting")
            for context in self.order("context")
            if (setting, context) in there
        ]

    def cells(self, setting: str, context: str) -> list[tuple[str, list[Cell | None]]]:
        """Every arm of a setting and context, with its cell in each run."""
        by_run = [
            {cell.arm: cell for cell in side.results.main_cells() if (cell.setting, cell.context) == (setting, context)}
            for side in self.sides
        ]
        found = [(arm, [cells.get(arm) for cells in by_run]) for arm in self.order("arm")]
        return [(arm, cells) for arm, cells in found if any(cells)]


def compare(runs: Sequence[Path]) -> Comparison:
    """Read runs and put them side by side.

    Args:
        runs: The folders of two runs or more, each with results.json and manifest.json.

    Raises:
        UserError: Fewer than two runs, one run twice, or a run that cannot be read.
    """
    if len(runs) < 2:
        raise UserError("give two runs or more: inoculate compare RUN RUN ...")
    folders = [run.resolve() for run in runs]
    for run, folder in zip(runs, folders, strict=True):
        if folders.count(folder) > 1:
            raise UserError(f"{run} is given twice: a run has nothing to be compared with in itself")
    sides = _sides([read_results(run) for run in runs])
    claims = _claims(sides)
    return Comparison(sides, tuple(_notes(sides, claims)), tuple(_differences(sides)), claims)


def _sides(runs: list[Results]) -> tuple[Side, ...]:
    names = Counter(run.name for run in runs)
    seen: Counter[str] = Counter()
    sides = []
    for run in runs:
        seen[run.name] += 1
        label = run.name if names[run.name] == 1 else f"{run.name} ({seen[run.name]})"
        cells = run.sample_cells
        unfinished = sum(not cell.get("grades") for cell in cells)
        problems = {text(cell.get("setting")): Path(text(cell.get("problems"))).name for cell in cells}
        sides.append(Side(label, run, len(cells), len(run.missing) - unfinished, problems))
    return tuple(sides)


def _claims(sides: Sequence[Side]) -> tuple[Claim, ...]:
    """Contrasts of the same thing; what a run claims several times stands there as often."""
    found: dict[tuple[Any, ...], list[Contrast | None]] = {}
    for place, side in enumerate(sides):
        times: Counter[tuple[Any, ...]] = Counter()
        for one in side.results.contrasts:
            what = (one.measure, one.setting, one.context, one.direction, one.arm, one.other)
            times[what] += 1
            found.setdefault((*what, times[what]), [None] * len(sides))[place] = one
    return tuple(
        Claim(tuple(dict.fromkeys(one.claim for one in by_run if one)), *what, found=tuple(by_run))
        for (*what, _), by_run in found.items()
    )


def _differences(sides: Sequence[Side]) -> Iterable[tuple[str, tuple[str, ...]]]:
    given = [mapping(side.results.study.get("arms")) for side in sides]
    # What an arm is that only some runs have is in their own reports; here it is named.
    shared = [name for name in given[0] if all(name in arms for arms in given)]
    facts = [_facts(side.results, shared) for side in sides]
    for key in dict.fromkeys(key for one in facts for key in one):
        values = tuple(one.get(key, numbers.UNKNOWN) for one in facts)
        if len(set(values)) > 1:
            yield key, values


def _facts(results: Results, shared: Sequence[str]) -> dict[str, str]:
    """All that was given, as keys and readable values."""
    study = results.study
    facts = dict(numbers.flat(study, leave_out=_APART))
    facts["arms"] = numbers.plain(list(mapping(study.get("arms"))))
    for name in shared or mapping(study.get("arms")):
        for key, value in numbers.flat(results.arm(name)):
            facts[f"{name}: {key}"] = value
    facts |= dict(numbers.flat({"evaluate": study.get("evaluate")}))
    for key in ("versions", "machine", "engines", "containment"):
        facts |= dict(numbers.flat({key: results.facts.get(key)}))
    return facts


def _notes(sides: Sequence[Side], claims: Sequence[Claim]) -> Iterable[str]:
    yield from _about_runs(sides)
    yield from _about_problems(sides)
    questions = dict.fromkeys(side.results.question for side in sides)
    if len(questions) > 1:
        yield "the runs ask different questions"
    yield from _about_prompts(sides)
    meanings: Counter[str] = Counter(words for claim in claims for words in claim.words)
    for words, times in meanings.items():
        if times > max(sum(one.claim == words for one in side.results.contrasts) for side in sides):
            yield f"'{words}' is not claimed of the same arms, measure and context everywhere: it stands apart"


def _about_runs(sides: Sequence[Side]) -> Iterable[str]:
    for name, times in Counter(side.results.name for side in sides).items():
        hashes = {side.hash for side in sides if side.results.name == name}
        if times > 1 and len(hashes) > 1:
            yield f"{times} runs are called '{name}' and are not the same study: they stand apart, nothing is merged"
    for hash_, times in Counter(side.hash for side in sides if side.hash).items():
        if times > 1:
            labels = _and(side.label for side in sides if side.hash == hash_)
            yield f"one study, carried out {times} times ({labels}): what differs are its repetitions"
    for side in sides:
        if side.results.missing:
            yield f"not finished: {side.label}, of which {side.finished} of {side.total} cells are here"
        if side.stale:
            yield (
                f"older than the run: the results of {side.label}, {side.stale} cells were finished since; "
                f"`inoculate report {side.results.run}` brings them up to date"
            )


def _about_problems(sides: Sequence[Side]) -> Iterable[str]:
    for setting in dict.fromkeys(setting for side in sides for setting in side.problems):
        keys = {side.label: side.problems[setting] for side in sides if setting in side.problems}
        if len(keys) < len(sides):
            yield f"the setting '{setting}' is in {_and(keys)} only"
        if len(set(keys.values())) > 1:
            groups = [_and(label for label, key in keys.items() if key == one) for one in dict.fromkeys(keys.values())]
            yield (f"not the same problems of '{setting}' in {' | '.join(groups)}: rates differ by their problems too")


def _about_prompts(sides: Sequence[Side]) -> Iterable[str]:
    """Contexts of one name with other words, which are not the same context."""
    contexts = [mapping(mapping(side.results.study.get("evaluate")).get("contexts")) for side in sides]
    for name in dict.fromkeys(name for one in contexts for name in one):
        given = [json.dumps(one[name], sort_keys=True) for one in contexts if name in one]
        if len(set(given)) > 1:
            yield f"the context '{name}' has not the same words or place in all runs"


def _and(items: Iterable[str]) -> str:
    *most, last = list(items)
    return f"{', '.join(most)} and {last}" if most else last
