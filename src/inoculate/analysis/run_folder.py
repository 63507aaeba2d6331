"""Read a run folder: the manifest, and counts per problem for every cell.

Samples are read line by line, so memory does not grow with the length of texts. What is kept is one small table per
cell (problems x outcomes). While a cell is being read, one hash per completion is kept too, to count repeated ones.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inoculate import checksums, json_lines
from inoculate.analysis.estimates import NO_SEED, Counts
from inoculate.errors import UserError
from inoculate.records import GAMED, OUTCOMES, Completion, Grade, Outcome, Problem, name_part, read_lines

MANIFEST_SCHEMA = 1
CHANGED_MANIFEST = "not what was written; run the study again, which writes it anew (finished steps are not repeated)"
_CELL_KEYS = ("arm", "seed", "at", "setting", "context", "problems", "completions", "grades")
_CELL_TYPES: dict[str, Any] = {
    **dict.fromkeys(("arm", "setting", "context"), str),
    **dict.fromkeys(("problems", "completions", "grades"), str | None),
    "seed": int | None,
    "at": int | float,
}
_TRAINING_TYPES: dict[str, Any] = {"arm": str, "seed": int}
_STUDY_KEYS = ("arms", "evaluate", "contrasts")
UNGRADED = OUTCOMES.index("ungraded")
Imputed = Literal["", "none", "all"]
"""How samples without an outcome are counted: left out, or imputed as if none or all of them had the outcome."""


class CellKey(NamedTuple):
    """What identifies a cell of the results, over all its seeds."""

    arm: str
    setting: str
    context: str
    at: float
    """Share of the training: 0 for the base arm, 1 at the end."""


@dataclass(frozen=True)
class ProblemSet:
    """P problems of one folder that are counted together, in the order of the file."""

    part: str
    """Name of the part, where a setting counts some of its problems apart; '' for the main part."""
    ids: tuple[str, ...]
    kinds: tuple[str, ...]
    positions: dict[str, int]
    """Id -> its index."""
    twins: dict[str, str]
    """Id of a twin, which is in another set -> id of its problem in this set."""
    hackable: frozenset[str] = frozenset()
    """Ids of those in which a hack is to be had."""


@dataclass
class Tally:
    """Counts of one cell of the manifest: one arm, seed, setting (or part of it) and context."""

    key: CellKey
    seed: int | None
    problems: ProblemSet
    outcomes: NDArray[np.int64]
    """[P, 5] Samples per problem and outcome, in the order of `OUTCOMES`."""
    requested: int
    """Samples per problem that the study requests."""
    gamed_below: float | None = None
    """A hack that is right elsewhere in less than this share counts as `gamed`; None where the setting has no line."""
    are_choices: bool = False
    """Whether the completions are choices: they were scored, and not sampled."""
    truncated: int = 0
    tokens: int = 0
    """Sum of the lengths of the completions."""
    distinct: int = 0
    """Number of different completions, over all problems."""
    content: int = 0
    """Equal for two cells with the same completions to the same problems, and for hardly any others."""
    tags: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Number of samples with each (tag, kind of evidence)."""
    leaks: Counter[str] = field(default_factory=Counter)
    """Arm -> number of prompts, as sent, that contain its inoculation."""
    metrics: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """Name -> [P, 2] samples per problem that are positive, and that are judged: `gamed`, further metrics."""

    @property
    def samples(self) -> int:
        """Completions, ungraded ones included."""
        return int(self.outcomes.sum())

    @property
    def without_outcome(self) -> NDArray[np.int64]:
        """[P] Samples without an outcome: ungraded, or requested and missing."""
        return self.outcomes[:, UNGRADED] + np.maximum(self.requested - self.outcomes.sum(axis=1), 0)

    @property
    def has_hack(self) -> bool:
        """Whether a hack is to be had, as the data says or a sample shows."""
        return bool(self.problems.hackable or self.count("hack"))

    @property
    def other_metrics(self) -> set[str]:
        """The names of further metrics in the grades."""
        return self.metrics.keys() - {GAMED}

    @property
    def missing(self) -> int:
        """Samples that the study requested and that do not exist."""
        return int(self.without_outcome.sum()) - self.count("ungraded")

    def count(self, outcome: Outcome) -> int:
        """Completions of one outcome."""
        return int(self.outcomes[:, OUTCOMES.index(outcome)].sum())

    def hits(self, measure: str) -> NDArray[np.int64]:
        """[P] Samples per problem that have this outcome, or are positive in this metric."""
        return self.outcomes[:, OUTCOMES.index(measure)] if measure in OUTCOMES else self._metric(measure)[:, 0]

    def judged(self, measure: str) -> NDArray[np.int64]:
        """[P] Samples per problem that have any outcome, or that this metric has judged."""
        graded = self.outcomes.sum(axis=1) - self.outcomes[:, UNGRADED]
        return graded if measure in OUTCOMES else self._metric(measure)[:, 1]

    def unjudged(self, measure: str) -> NDArray[np.int64]:
        """[P] Samples per problem that should be judged and are not."""
        judged, total = self.judged(measure), self.outcomes.sum(axis=1)
        unjudged = np.maximum(total, self.requested) - judged
        # A problem whose hidden tests all expect the shown value cannot tell a gamed hack: its samples are not missing.
        uninformative = (self.judged("correct") > 0) & (judged == 0) & (not self.problems.twins)
        return np.where(uninformative, 0, unjudged)

    def _metric(self, name: str) -> NDArray[np.int64]:
        return self.metrics.get(name, np.zeros((len(self.problems.ids), 2), dtype=np.int64))

    def add_metric(self, name: str, problem: str, positive: bool) -> None:
        """Count the value of a metric for one sample."""
        if name not in self.metrics:
            self.metrics[name] = np.zeros((len(self.problems.ids), 2), dtype=np.int64)
        self.metrics[name][self.problems.positions[problem]] += (positive, 1)

    def add(self, completion: Completion, grade: Grade, inoculations: dict[str, str]) -> None:
        """Count one completion of one of the problems, and search its prompt for the inoculations (text -> arm)."""
        position = self.problems.positions[completion.problem]
        self.outcomes[position, OUTCOMES.index(grade.outcome)] += 1
        for name, positive in grade.others.items():
            self.add_metric(name, completion.problem, positive)
        if self.gamed_below is not None and grade.elsewhere is not None:
            self.add_metric(GAMED, completion.problem, grade.outcome == "hack" and grade.elsewhere < self.gamed_below)
        self.truncated += completion.finish == "length"
        self.tokens += completion.completion_tokens
        self.content ^= hash((completion.problem, completion.index, completion.completion))
        self.tags.update({(tag.name, tag.evidence) for tag in grade.tags})
        self.leaks.update({arm for text, arm in inoculations.items() if text in completion.prompt})


@dataclass(frozen=True)
class Run:
    """The manifest of a run, with the keys that analysis needs checked."""

    folder: Path
    manifest: dict[str, Any]
    problem_sets: dict[Path, list[ProblemSet]] = field(default_factory=dict)
    """Cache of the problems by folder: most cells of a run share one."""
    undamaged: set[Path] = field(default_factory=set[Path])
    """The folders whose files were found to be what was written."""

    @property
    def study(self) -> dict[str, Any]:
        """The study as resolved before the run."""
        return self.manifest["study"]

    def path(self, name: str) -> Path:
        """A folder of the store; relative paths start at the run folder.

        Raises:
            UserError: A file of it is not what was written.
        """
        path = self.folder / name
        if path not in self.undamaged:
            if damage := checksums.find_new_damage(path):
                raise UserError(f"{path}: {damage}; `inoculate run STUDY` does this step again, and says so")
            self.undamaged.add(path)
        return path

    def problems(self, name: str) -> list[ProblemSet]:
        """The problems of a folder, by part."""
        path = self.path(name)
        if path not in self.problem_sets:
            self.problem_sets[path] = read_problems(path)
        return self.problem_sets[path]

    def gamed_below(self, setting: str) -> float | None:
        """A hack that is right elsewhere in less than this share counts as `gamed`; None where there is no line."""
        return (self.manifest.get("settings") or {}).get(setting, {}).get("gamed_below")

    def has_choices(self, setting: str) -> bool:
        """Whether the completions of a setting are choices, of which there is one for each problem."""
        return bool((self.manifest.get("settings") or {}).get(setting, {}).get("choices"))

    def inoculations(self) -> dict[str, str]:
        """Text of an inoculation -> its arm. Of arms with the same text, only the first is named."""
        arms: dict[str, str] = {}
        for arm, spec in self.study["arms"].items():
            inoculation = spec.get("inoculation") or {}
            each = [inoculation, *(inoculation.get("by_seed") or {}).values()]
            for one in each:
                texts = (one.get("text"), *(one.get("wordings") or ()), *(one.get("texts") or {}).values())
                for text in filter(None, (str(text or "").strip() for text in texts)):
                    arms.setdefault(text, arm)
        return arms


def read_run(folder: Path) -> Run:
    """Read and check the manifest of a run.

    Raises:
        UserError: The manifest is missing, is not JSON, has another schema, was changed, or lacks a key.
    """
    path = folder / "manifest.json"
    try:
        manifest = json_lines.strict(path.read_text(encoding="utf-8"))
        json.dumps(manifest, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except FileNotFoundError:
        raise UserError(f"{folder}: not a run: there is no manifest.json; `inoculate run STUDY` makes one") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON: {error}; run the study again (finished steps are not repeated)") from error
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if schema != MANIFEST_SCHEMA:
        raise UserError(
            f"{path}: schema {schema}, but this version reads schema {MANIFEST_SCHEMA}; run the study again with this "
            "version (finished steps are not repeated), or analyse it with the version that wrote it"
        )
    if not checksums.is_sealed(manifest):
        raise UserError(f"{path}: {CHANGED_MANIFEST}")
    _require(path, "the manifest", manifest, ("name", "study", "cells"))
    _require(path, "'study'", manifest["study"], _STUDY_KEYS)
    _require_types(path, "the manifest", manifest, {"name": str, "cells": list, "training": list, "settings": dict})
    _require_types(path, "'study'", manifest["study"], {"arms": dict, "evaluate": dict, "contrasts": list})
    for number, entry in enumerate(manifest.get("training", ())):
        _require(path, f"training[{number}]", entry, tuple(_TRAINING_TYPES))
        _require_types(path, f"training[{number}]", entry, _TRAINING_TYPES)
    seen: set[tuple[Any, ...]] = set()
    for number, cell in enumerate(manifest["cells"]):
        _require(path, f"cells[{number}]", cell, _CELL_KEYS)
        _require_types(path, f"cells[{number}]", cell, _CELL_TYPES)
        key = tuple(cell[name] for name in ("arm", "seed", "at", "setting", "context"))
        if key in seen:
            raise UserError(f"{path}: cells[{number}] repeats an earlier cell: {describe_cell(cell)}")
        seen.add(key)
    return Run(folder, manifest)


def _require(path: Path, what: str, data: Any, keys: tuple[str, ...]) -> None:
    missing = [key for key in keys if not isinstance(data, dict) or key not in data]
    if missing:
        raise UserError(f"{path}: {what} lacks {', '.join(map(repr, missing))}")


def _require_types(path: Path, what: str, data: dict[str, Any], types: Mapping[str, Any]) -> None:
    for key, kind in types.items():
        if key in data and (not isinstance(data[key], kind) or isinstance(data[key], bool)):
            raise UserError(
                f"{path}: {what}: '{key}' is a {type(data[key]).__name__}; run the study again (finished steps are not "
                "repeated), which writes the manifest anew"
            )


def describe_cell(cell: dict[str, Any]) -> str:
    """A cell of the manifest in words."""
    seed = "" if cell["seed"] is None else f", seed {cell['seed']}"
    return f"arm '{cell['arm']}'{seed}, setting '{cell['setting']}', context '{cell['context']}', at {cell['at']:g}"


def split_finished(run: Run) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The finished cells of the manifest, and the others, each with the reason."""
    finished, missing = [], []
    for cell in run.manifest["cells"]:
        if cell["completions"] is None or cell["problems"] is None:
            missing.append({**_cell_labels(cell), "why": "not sampled"})
        elif cell["grades"] is None:
            missing.append({**_cell_labels(cell), "why": cell.get("why") or "not graded"})
        else:
            finished.append(cell)
    return finished, missing


def _cell_labels(cell: dict[str, Any]) -> dict[str, Any]:
    return {key: cell[key] for key in ("arm", "seed", "at", "setting", "context")}


def read_problems(folder: Path) -> list[ProblemSet]:
    """Ids and kinds of the problems in a folder, by part.

    Raises:
        UserError: The file is missing or broken, or has an id twice.
    """
    parts: dict[str, list[tuple[str, str]]] = {}
    hackable: set[str] = set()
    seen: set[str] = set()
    twins: dict[str, str] = {}
    for problem in read_lines(require_file(folder / "problems.jsonl"), Problem):
        if problem.id in seen:
            raise UserError(f"{folder / 'problems.jsonl'}: problem '{problem.id}' is there more than once")
        seen.add(problem.id)
        if problem.twin_of:
            twins[problem.id] = problem.twin_of
        parts.setdefault(problem.part, []).append((problem.id, problem.kind))
        if problem.hacked:
            hackable.add(problem.id)
    sets = []
    for part, problems in parts.items():
        ids, kinds = zip(*problems, strict=True)
        rows = {identity: row for row, identity in enumerate(ids)}
        own_twins = {twin: problem_id for twin, problem_id in twins.items() if problem_id in rows}
        sets.append(ProblemSet(part, ids, kinds, rows, own_twins, frozenset(hackable.intersection(ids))))
    return sets


def require_file(path: Path) -> Path:
    """The path of a file that the manifest leads to.

    Raises:
        UserError: It is not there.
    """
    if not path.is_file():
        raise UserError(
            f"{path}: not there, though the manifest names its folder; was the store moved or cleaned? "
            "`inoculate run STUDY` makes the missing files again"
        )
    return path


def read_cell(run: Run, cell: dict[str, Any], samples: int) -> list[Tally]:
    """Read one finished cell of the manifest, line by line.

    Args:
        run: The run that the cell belongs to.
        cell: The cell, as the manifest has it.
        samples: Completions per problem that the study requests.

    Returns:
        A tally for every part of the problems. Most settings have one part.

    Raises:
        UserError: A file is missing or broken, completions and grades differ in number, or a completion repeats another
            or belongs to no problem.
    """
    tallies = []
    for part in run.problems(cell["problems"]):
        setting = name_part(cell["setting"], part.part)
        key = CellKey(cell["arm"], setting, cell["context"], float(cell["at"]))
        outcomes = np.zeros((len(part.ids), len(OUTCOMES)), dtype=np.int64)
        are_choices = run.has_choices(cell["setting"])
        requested = 1 if are_choices else samples
        gamed_below = run.gamed_below(cell["setting"])
        tallies.append(Tally(key, cell["seed"], part, outcomes, requested, gamed_below, are_choices))
    owners = [(problem, number) for number, tally in enumerate(tallies) for problem in tally.problems.ids]
    positions = {problem: (position, number) for position, (problem, number) in enumerate(owners)}
    source = run.path(cell["completions"]) / "completions.jsonl"
    texts: list[set[int]] = [set() for _ in tallies]
    seen: set[int] = set()
    inoculations = run.inoculations()
    twins = {problem for tally in tallies for pair in tally.problems.twins.items() for problem in pair}
    twin_grades: dict[tuple[str, int], tuple[Outcome, float | None]] = {}
    for number, (completion, grade) in enumerate(read_samples(source, run.path(cell["grades"]) / "grades.jsonl"), 1):
        if completion.problem not in positions:
            raise UserError(f"{source}:{number}: problem '{completion.problem}' is not in {cell['problems']}")
        position, part_number = positions[completion.problem]
        if (sample_key := position << 32 | completion.index) in seen:
            raise UserError(f"{source}:{number}: sample {completion.index} of '{completion.problem}' is there twice")
        if grade.outcome not in OUTCOMES:
            raise UserError(f"{source}:{number}: outcome '{grade.outcome}' is none of {', '.join(OUTCOMES)}")
        seen.add(sample_key)
        texts[part_number].add(hash(completion.completion))
        tallies[part_number].add(completion, grade, inoculations)
        if completion.problem in twins:
            twin_grades[completion.problem, completion.index] = grade.outcome, grade.elsewhere
    for tally, distinct_texts in zip(tallies, texts, strict=True):
        tally.distinct = len(distinct_texts)
        _count_gamed_twins(tally, twin_grades)
    return tallies


def _count_gamed_twins(tally: Tally, grades: dict[tuple[str, int], tuple[Outcome, float | None]]) -> None:
    """Count the hacks that change with the key: `Grade.elsewhere` is 0 where the answer to the twin is another."""
    for (problem, index), (outcome, unchanged) in grades.items():
        first = tally.problems.twins.get(problem, "")
        first_outcome, _ = grades.get((first, index), ("ungraded", None))
        if unchanged is not None and "ungraded" not in (outcome, first_outcome):
            tally.add_metric(GAMED, first, first_outcome == "hack" and unchanged == 0)


def read_samples(completions: Path, grades: Path) -> Iterator[tuple[Completion, Grade]]:
    """Completions with their grades, line by line."""
    pairs = zip_longest(
        read_lines(require_file(completions), Completion), read_lines(require_file(grades), Grade), fillvalue=None
    )
    for number, (completion, grade) in enumerate(pairs, 1):
        if completion is None or grade is None:
            longer, shorter = (grades, completions) if completion is None else (completions, grades)
            raise UserError(
                f"{longer} has more lines than {shorter} ({number - 1}): they must match line by line; delete the "
                "folder of grades and run the study again"
            )
        yield completion, grade


def pool_counts(tallies: list[Tally], measure: str, imputed: Imputed = "") -> Counts:
    """The counts of one outcome or metric, over the seeds of a cell.

    Args:
        tallies: One or more.
        measure: An outcome, or the name of a metric in the grades.
        imputed: Samples without an outcome are left out, or counted as if `none` or `all` of them had this outcome.
    """
    hits = np.concatenate([t.hits(measure) for t in tallies])
    graded = np.concatenate([t.judged(measure) for t in tallies])
    unjudged = np.concatenate([t.unjudged(measure) for t in tallies]) * bool(imputed)
    return Counts(
        seeds=np.concatenate(
            [np.full(len(t.problems.ids), NO_SEED if t.seed is None else t.seed, dtype=np.int64) for t in tallies]
        ),
        problems=np.concatenate([np.array(t.problems.ids, dtype=object) for t in tallies]),
        kinds=np.concatenate([np.array(t.problems.kinds, dtype=object) for t in tallies]),
        hits=hits + unjudged * (imputed == "all"),
        graded=graded + unjudged,
    )
