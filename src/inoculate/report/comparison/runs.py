"""Read the results of several runs and compare them. Nothing is merged, and nothing is tested."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inoculate.errors import UserError
from inoculate.report import numbers
from inoculate.report.comparison.rl import RewardedArm, rewarded_arms
from inoculate.report.results import Cell, Contrast, Results, mapping, read_results, text

_COMPARED_ELSEWHERE = ("name", "question", "arms", "evaluate", "contrasts")
"""Keys of a study that are compared elsewhere, or not at all."""


@dataclass(frozen=True)
class Side:
    """One run of a comparison."""

    label: str
    """The study's name, with a number where several runs have the same name."""
    results: Results
    total: int
    """Cells of the study, finished or not."""
    outdated: int
    """Cells that were finished after the results were written."""
    problems: dict[str, str]
    """Setting -> key of its problems. The same key means the same problems."""

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
    """One claim about the same arms, and the contrast of each run; None for a run that does not make it.

    Contrasts are the same claim if they compare the same things, however a study words them.
    """

    words: tuple[str, ...]
    measure: str
    setting: str
    context: str
    direction: str
    arm: str
    other: str
    contrasts: tuple[Contrast | None, ...]


@dataclass(frozen=True)
class Comparison:
    """Runs side by side."""

    sides: tuple[Side, ...]
    notes: tuple[str, ...]
    """What a reader must know before comparing the numbers."""
    differences: tuple[tuple[str, tuple[str, ...]], ...]
    """(Key, its value in each run) for every key that differs."""
    claims: tuple[Claim, ...]
    rewarded: tuple[RewardedArm, ...]

    def ordered_names(self, field: str) -> list[str]:
        """The arms, settings or contexts (`field`) of all runs, in the order of the first run that has them."""
        return list(dict.fromkeys(name for side in self.sides for name in side.results.ordered_names(field)))

    def places(self) -> list[tuple[str, str]]:
        """The (setting, context) pairs in which some run has a cell."""
        present = {(cell.setting, cell.context) for side in self.sides for cell in side.results.main_cells()}
        return [
            (setting, context)
            for setting in self.ordered_names("setting")
            for context in self.ordered_names("context")
            if (setting, context) in present
        ]

    def cells(self, setting: str, context: str) -> list[tuple[str, list[Cell | None]]]:
        """Every arm of a setting and context, with its cell in each run."""
        by_run = [
            {cell.arm: cell for cell in side.results.main_cells() if (cell.setting, cell.context) == (setting, context)}
            for side in self.sides
        ]
        arms = [(arm, [cells.get(arm) for cells in by_run]) for arm in self.ordered_names("arm")]
        return [(arm, cells) for arm, cells in arms if any(cells)]


def compare(runs: Sequence[Path]) -> Comparison:
    """Read runs and compare them.

    Args:
        runs: The folders of two runs or more, each with results.json and manifest.json.

    Raises:
        UserError: Fewer than two runs, one run twice, or a run that cannot be read.
    """
    if len(runs) < 2:
        raise UserError("give two runs or more: inoculate compare RUN RUN ...")
    folders = [os.path.realpath(run) for run in runs]
    for run, folder in zip(runs, folders, strict=True):
        if folders.count(folder) > 1:
            raise UserError(f"{run} is given twice: give different runs")
    sides = _make_sides([read_results(run) for run in runs])
    claims, rewarded = _match_claims(sides), tuple(rewarded_arms([side.results for side in sides]))
    notes = tuple(_collect_notes(sides, claims, rewarded))
    return Comparison(sides, notes, tuple(_find_differences(sides)), claims, rewarded)


def _make_sides(runs: list[Results]) -> tuple[Side, ...]:
    names = Counter(run.name for run in runs)
    occurrences: Counter[str] = Counter()
    sides = []
    for run in runs:
        occurrences[run.name] += 1
        label = run.name if names[run.name] == 1 else f"{run.name} ({occurrences[run.name]})"
        cells = run.sample_cells
        unfinished = sum(not cell.get("grades") for cell in cells)
        problems = {text(cell.get("setting")): Path(text(cell.get("problems"))).name for cell in cells}
        sides.append(Side(label, run, len(cells), len(run.missing) - unfinished, problems))
    return tuple(sides)


def _match_claims(sides: Sequence[Side]) -> tuple[Claim, ...]:
    """Match the contrasts that compare the same things. A claim that a run makes twice appears twice."""
    contrasts: dict[tuple[Any, ...], list[Contrast | None]] = {}
    for index, side in enumerate(sides):
        counts: Counter[tuple[Any, ...]] = Counter()
        for contrast in side.results.contrasts:
            key = (
                contrast.measure,
                contrast.setting,
                contrast.context,
                contrast.direction,
                contrast.arm,
                contrast.other,
            )
            counts[key] += 1
            contrasts.setdefault((*key, counts[key]), [None] * len(sides))[index] = contrast
    return tuple(
        Claim(tuple(dict.fromkeys(contrast.claim for contrast in by_run if contrast)), *key, contrasts=tuple(by_run))
        for (*key, _), by_run in contrasts.items()
    )


def _find_differences(sides: Sequence[Side]) -> Iterable[tuple[str, tuple[str, ...]]]:
    arms_by_side = [mapping(side.results.study.get("arms")) for side in sides]
    # Arms that only some runs have are named here. Their own reports describe them.
    shared = [name for name in arms_by_side[0] if all(name in arms for arms in arms_by_side)]
    all_facts = [_study_facts(side.results, shared) for side in sides]
    for key in dict.fromkeys(key for facts in all_facts for key in facts):
        values = tuple(facts.get(key, numbers.UNKNOWN) for facts in all_facts)
        if len(set(values)) > 1:
            yield key, values


def _study_facts(results: Results, shared: Sequence[str]) -> dict[str, str]:
    """Everything in the study, versions and machine, as keys and readable values."""
    study = results.study
    facts = dict(numbers.flatten(study, leave_out=_COMPARED_ELSEWHERE))
    facts["arms"] = numbers.plain(list(mapping(study.get("arms"))))
    for name in shared or mapping(study.get("arms")):
        for key, value in numbers.flatten(results.arm(name)):
            facts[f"{name}: {key}"] = value
    facts |= dict(numbers.flatten({"evaluate": study.get("evaluate")}))
    for key in ("versions", "machine", "engines", "containment"):
        facts |= dict(numbers.flatten({key: results.facts.get(key)}))
    return facts


def _collect_notes(sides: Sequence[Side], claims: Sequence[Claim], rewarded: Sequence[RewardedArm]) -> Iterable[str]:
    yield from _run_notes(sides)
    yield from _problem_notes(sides)
    questions = dict.fromkeys(side.results.question for side in sides)
    if len(questions) > 1:
        yield "the runs ask different questions"
    yield from _context_notes(sides)
    for arm in rewarded:
        if arm.rules_differ:
            yield f"the onset of '{arm.name}' is not by the same rule in all runs: take-off and onset differ with it"
    wordings: Counter[str] = Counter(wording for claim in claims for wording in claim.words)
    for wording, times in wordings.items():
        if times > max(sum(contrast.claim == wording for contrast in side.results.contrasts) for side in sides):
            yield f"'{wording}' has other arms, another measure or another context in some runs: it is listed apart"


def _run_notes(sides: Sequence[Side]) -> Iterable[str]:
    for name, count in Counter(side.results.name for side in sides).items():
        hashes = {side.hash for side in sides if side.results.name == name}
        if count > 1 and len(hashes) > 1:
            yield f"{count} runs are called '{name}' but are different studies: they are not merged"
    for hash_, count in Counter(side.hash for side in sides if side.hash).items():
        if count > 1:
            labels = _join_and(side.label for side in sides if side.hash == hash_)
            yield f"one study, run {count} times ({labels}): differences are between its repetitions"
    for side in sides:
        if side.results.missing:
            yield f"{side.label} is not finished: {side.finished} of {side.total} cells are here"
        if side.outdated:
            yield (
                f"the results of {side.label} are older than its run: {side.outdated} cells were finished since; "
                f"`inoculate report {side.results.run}` updates them"
            )


def _problem_notes(sides: Sequence[Side]) -> Iterable[str]:
    for setting in dict.fromkeys(setting for side in sides for setting in side.problems):
        keys = {side.label: side.problems[setting] for side in sides if setting in side.problems}
        if len(keys) < len(sides):
            yield f"the setting '{setting}' is in {_join_and(keys)} only"
        if len(set(keys.values())) > 1:
            groups = [
                _join_and(label for label, key in keys.items() if key == problem_key)
                for problem_key in dict.fromkeys(keys.values())
            ]
            yield f"the problems of '{setting}' differ between {' | '.join(groups)}: so do their rates"


def _context_notes(sides: Sequence[Side]) -> Iterable[str]:
    """Contexts with the same name and a different text or placement."""
    contexts = [mapping(mapping(side.results.study.get("evaluate")).get("contexts")) for side in sides]
    for name in dict.fromkeys(name for side_contexts in contexts for name in side_contexts):
        definitions = [
            json.dumps(side_contexts[name], sort_keys=True) for side_contexts in contexts if name in side_contexts
        ]
        if len(set(definitions)) > 1:
            yield f"the context '{name}' does not have the same text and placement in all runs"


def _join_and(items: Iterable[str]) -> str:
    *most, last = list(items)
    return f"{', '.join(most)} and {last}" if most else last
