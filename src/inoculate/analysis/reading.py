"""Read a run folder: the manifest, and of every cell only counts per problem, so that memory does not grow with text.

A million samples are read line by line; what stays is one small table per cell (problems x outcomes) and, while a cell
is being read, one hash per completion, by which repeated completions are counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inoculate.analysis.estimates import NO_SEED, Counts
from inoculate.errors import UserError
from inoculate.records import GAMED, OUTCOMES, Completion, Grade, Outcome, Problem, read_lines

MANIFEST_SCHEMA = 1
_CELL_KEYS = ("arm", "seed", "at", "setting", "context", "problems", "completions", "grades")
_STUDY_KEYS = ("arms", "evaluate", "contrasts")
UNGRADED = OUTCOMES.index("ungraded")
Hits = Literal["", "none", "all"]
"""What samples without an outcome count as: they are left out, or none or all of them had the outcome."""


class Place(NamedTuple):
    """What a cell of the table is, without its seed."""

    arm: str
    setting: str
    context: str
    at: float
    """Share of the training that was done: 0 for the base arm, 1 at the end."""


@dataclass(frozen=True)
class ProblemSet:
    """The problems of one folder that are counted together, in the order of its file; P problems."""

    part: str
    """What they are, where not all problems of the setting are counted together; '' for the main part."""
    ids: tuple[str, ...]
    kinds: tuple[str, ...]
    rows: dict[str, int]
    """Position of every id."""
    twins: dict[str, str]
    """Twins of these problems, which are in another set, and which problem each is of."""


@dataclass
class Tally:
    """What is kept of one cell of the manifest: one arm, seed, setting (or part of it) and context."""

    place: Place
    seed: int | None
    problems: ProblemSet
    outcomes: NDArray[np.int64]
    """[P, 5] Samples per problem and outcome, in the order of `OUTCOMES`."""
    asked: int
    """Samples that the study asks for, per problem."""
    gamed_below: float | None = None
    """A hack of which less is right elsewhere was made for the check; None where the setting does not say."""
    truncated: int = 0
    tokens: int = 0
    """Sum of the lengths of the completions."""
    distinct: int = 0
    """Different completions, problem left aside."""
    tags: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often (tag, kind of evidence) was found; once per sample."""
    leaks: Counter[str] = field(default_factory=Counter)
    """How many prompts, as sent, held the inoculation of that name."""
    said: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """[P, 2] Samples per problem of which a further measure says so, and which it has judged; by its name: `gamed`, and
    other people's metrics."""

    @property
    def samples(self) -> int:
        """Completions, ungraded ones included."""
        return int(self.outcomes.sum())

    @property
    def unseen(self) -> NDArray[np.int64]:
        """[P] Samples without an outcome: ungraded, or asked for and not there."""
        return self.outcomes[:, UNGRADED] + np.maximum(self.asked - self.outcomes.sum(axis=1), 0)

    @property
    def others(self) -> set[str]:
        """The names of other people's metrics that the grades hold."""
        return self.said.keys() - {GAMED}

    @property
    def missing(self) -> int:
        """Samples that the study asked for and that are not there."""
        return int(self.unseen.sum()) - self.count("ungraded")

    def count(self, outcome: Outcome) -> int:
        """Completions of one outcome."""
        return int(self.outcomes[:, OUTCOMES.index(outcome)].sum())

    def hits(self, counted: str) -> NDArray[np.int64]:
        """[P] Samples per problem of an outcome, or of which a further measure says so."""
        return self.outcomes[:, OUTCOMES.index(counted)] if counted in OUTCOMES else self._said(counted)[:, 0]

    def judged(self, counted: str) -> NDArray[np.int64]:
        """[P] Samples per problem that have an outcome, or that a further measure has judged."""
        graded = self.outcomes.sum(axis=1) - self.outcomes[:, UNGRADED]
        return graded if counted in OUTCOMES else self._said(counted)[:, 1]

    def lost(self, counted: str) -> NDArray[np.int64]:
        """[P] Samples per problem of which it is not known, though it could be."""
        judged, total = self.judged(counted), self.outcomes.sum(axis=1)
        lost = np.maximum(total, self.asked) - judged
        # A problem without a hidden test that expects something else says nothing of any sample.
        silent = (self.judged("correct") > 0) & (judged == 0) & (not self.problems.twins)
        return np.where(silent, 0, lost)

    def _said(self, name: str) -> NDArray[np.int64]:
        return self.said.get(name, np.zeros((len(self.problems.ids), 2), dtype=np.int64))

    def say(self, name: str, problem: str, so: bool) -> None:
        """Count what a further measure says of one sample."""
        if name not in self.said:
            self.said[name] = np.zeros((len(self.problems.ids), 2), dtype=np.int64)
        self.said[name][self.problems.rows[problem]] += (so, 1)

    def add(self, completion: Completion, grade: Grade, needles: dict[str, str]) -> None:
        """Count one completion of one of the problems; `needles` are the inoculations to look for in its prompt."""
        row = self.problems.rows[completion.problem]
        self.outcomes[row, OUTCOMES.index(grade.outcome)] += 1
        for name, said in grade.others.items():
            self.say(name, completion.problem, said)
        if self.gamed_below is not None and grade.elsewhere is not None:
            self.say(GAMED, completion.problem, grade.outcome == "hack" and grade.elsewhere < self.gamed_below)
        self.truncated += completion.finish == "length"
        self.tokens += completion.completion_tokens
        self.tags.update({(tag.name, tag.evidence) for tag in grade.tags})
        self.leaks.update(name for name, text in needles.items() if text in completion.prompt)


@dataclass(frozen=True)
class Run:
    """A manifest, checked as far as analysis needs it."""

    folder: Path
    manifest: dict[str, Any]
    read: dict[Path, list[ProblemSet]] = field(default_factory=dict)
    """Problems that were read already: most cells of a run share their folder."""

    @property
    def study(self) -> dict[str, Any]:
        """The study as it was resolved before it ran."""
        return self.manifest["study"]

    def path(self, given: str) -> Path:
        """A folder of the store; relative ones are taken from the run folder."""
        return self.folder / given

    def problems(self, given: str) -> list[ProblemSet]:
        """The problems of a folder, by part, read once."""
        path = self.path(given)
        if path not in self.read:
            self.read[path] = read_problems(path)
        return self.read[path]

    def gamed_below(self, setting: str) -> float | None:
        """A hack of which less is right elsewhere was made for the check; None where the setting does not say."""
        return (self.manifest.get("settings") or {}).get(setting, {}).get("gamed_below")

    def inoculations(self) -> dict[str, str]:
        """Text of every inoculation that some arm was trained with, by name of the first such arm."""
        found: dict[str, str] = {}
        for arm, spec in self.study["arms"].items():
            text = str((spec.get("inoculation") or {}).get("text") or "").strip()
            if text and text not in found.values():
                found[arm] = text
        return found


def read_run(folder: Path) -> Run:
    """Read and check the manifest of a run.

    Raises:
        UserError: There is none, it is not JSON, of another schema, or lacks something.
    """
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{folder}: not a run, there is no manifest.json; `inoculate run STUDY` makes one") from None
    except ValueError as error:
        raise UserError(f"{path}: not JSON: {error}; run the study again, finished steps are not repeated") from error
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if schema != MANIFEST_SCHEMA:
        raise UserError(
            f"{path}: schema {schema}, and this version reads schema {MANIFEST_SCHEMA}; run the study again with this "
            "version (finished steps are not repeated), or analyse it with the version that wrote it"
        )
    _require(path, "the manifest", manifest, ("name", "study", "cells"))
    _require(path, "'study'", manifest["study"], _STUDY_KEYS)
    seen: set[tuple[Any, ...]] = set()
    for number, cell in enumerate(manifest["cells"]):
        _require(path, f"cells[{number}]", cell, _CELL_KEYS)
        key = tuple(cell[name] for name in ("arm", "seed", "at", "setting", "context"))
        if key in seen:
            raise UserError(f"{path}: cells[{number}] repeats an earlier cell: {describe_cell(cell)}")
        seen.add(key)
    return Run(folder, manifest)


def _require(path: Path, what: str, data: Any, keys: tuple[str, ...]) -> None:
    lacking = [key for key in keys if not isinstance(data, dict) or key not in data]
    if lacking:
        raise UserError(f"{path}: {what} lacks {', '.join(map(repr, lacking))}")


def describe_cell(cell: dict[str, Any]) -> str:
    """A cell of the manifest in words."""
    seed = "" if cell["seed"] is None else f", seed {cell['seed']}"
    return f"arm '{cell['arm']}'{seed}, setting '{cell['setting']}', context '{cell['context']}', at {cell['at']:g}"


def finished(run: Run) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The cells of the manifest that can be read, and the others, each with the reason."""
    ready, missing = [], []
    for cell in run.manifest["cells"]:
        if cell["completions"] is None or cell["problems"] is None:
            missing.append({**_named(cell), "why": "not sampled"})
        elif cell["grades"] is None:
            missing.append({**_named(cell), "why": "not graded"})
        else:
            ready.append(cell)
    return ready, missing


def _named(cell: dict[str, Any]) -> dict[str, Any]:
    return {key: cell[key] for key in ("arm", "seed", "at", "setting", "context")}


def read_problems(folder: Path) -> list[ProblemSet]:
    """Ids and kinds of the problems in a folder, by part.

    Raises:
        UserError: The file is not there, broken, or has an id twice.
    """
    parts: dict[str, list[tuple[str, str]]] = {}
    seen: set[str] = set()
    twins: dict[str, str] = {}
    for problem in read_lines(_existing(folder / "problems.jsonl"), Problem):
        if problem.id in seen:
            raise UserError(f"{folder / 'problems.jsonl'}: problem '{problem.id}' stands there more than once")
        seen.add(problem.id)
        if problem.twin_of:
            twins[problem.id] = problem.twin_of
        parts.setdefault(problem.part, []).append((problem.id, problem.kind))
    sets = []
    for part, problems in parts.items():
        ids, kinds = zip(*problems, strict=True)
        rows = {identity: row for row, identity in enumerate(ids)}
        sets.append(ProblemSet(part, ids, kinds, rows, {twin: of for twin, of in twins.items() if of in rows}))
    return sets


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UserError(
            f"{path}: not there, though the manifest names its folder; was the store moved or cleaned? "
            "`inoculate run STUDY` makes what is missing again"
        )
    return path


def read_cell(run: Run, cell: dict[str, Any], samples: int) -> list[Tally]:
    """Read one finished cell of the manifest, line by line.

    Args:
        run: The run that the cell is of.
        cell: The cell, as the manifest has it.
        samples: Completions that the study asks for per problem.

    Returns:
        A tally for every part of the problems: one, in most settings.

    Raises:
        UserError: A file is missing or broken, completions and grades differ in number, or a completion is of no
            problem or repeats another.
    """
    tallies = []
    for part in run.problems(cell["problems"]):
        setting = f"{cell['setting']} ({part.part})" if part.part else cell["setting"]
        place = Place(cell["arm"], setting, cell["context"], float(cell["at"]))
        outcomes = np.zeros((len(part.ids), len(OUTCOMES)), dtype=np.int64)
        tallies.append(Tally(place, cell["seed"], part, outcomes, samples, run.gamed_below(cell["setting"])))
    every = [(identity, number) for number, tally in enumerate(tallies) for identity in tally.problems.ids]
    home = {identity: (rank, number) for rank, (identity, number) in enumerate(every)}
    source = run.path(cell["completions"]) / "completions.jsonl"
    texts: list[set[int]] = [set() for _ in tallies]
    seen: set[int] = set()
    needles = run.inoculations()
    twins = {identity for tally in tallies for pair in tally.problems.twins.items() for identity in pair}
    paired: dict[tuple[str, int], Outcome] = {}
    for number, (completion, grade) in enumerate(read_samples(source, run.path(cell["grades"]) / "grades.jsonl"), 1):
        if completion.problem not in home:
            raise UserError(f"{source}:{number}: problem '{completion.problem}' is not in {cell['problems']}")
        rank, where = home[completion.problem]
        if (key := rank << 32 | completion.index) in seen:
            raise UserError(f"{source}:{number}: sample {completion.index} of '{completion.problem}' is there twice")
        if grade.outcome not in OUTCOMES:
            raise UserError(f"{source}:{number}: outcome '{grade.outcome}' is none of {', '.join(OUTCOMES)}")
        seen.add(key)
        texts[where].add(hash(completion.completion))
        tallies[where].add(completion, grade, needles)
        if completion.problem in twins:
            paired[completion.problem, completion.index] = grade.outcome
    for tally, different in zip(tallies, texts, strict=True):
        tally.distinct = len(different)
        _follow(tally, paired)
    return tallies


def _follow(tally: Tally, outcomes: dict[tuple[str, int], Outcome]) -> None:
    """Count the hacks that follow the key, whichever it is: those of samples whose twin is a hack as well."""
    for (problem, index), outcome in outcomes.items():
        first = tally.problems.twins.get(problem, "")
        other = outcomes.get((first, index))
        if other and "ungraded" not in (outcome, other):
            tally.say(GAMED, first, outcome == other == "hack")


def read_samples(completions: Path, grades: Path) -> Iterator[tuple[Completion, Grade]]:
    """Completions with their grades, which stand on the lines of the same number."""
    both = zip_longest(
        read_lines(_existing(completions), Completion), read_lines(_existing(grades), Grade), fillvalue=None
    )
    for number, (completion, grade) in enumerate(both, 1):
        if completion is None or grade is None:
            longer, shorter = (grades, completions) if completion is None else (completions, grades)
            raise UserError(
                f"{longer} has more lines than {shorter} ({number - 1}): they must match line by line; delete the "
                "folder of grades and run the study again"
            )
        yield completion, grade


def counts(tallies: list[Tally], counted: str, unseen: Hits = "") -> Counts:
    """The tables of several seeds of one place, put together for one outcome or other metric.

    Args:
        tallies: One or more.
        counted: An outcome, or the name of a further measure that the grades hold.
        unseen: Samples without an outcome are left out; `none` or `all` of them count as having had this one.
    """
    hits = np.concatenate([t.hits(counted) for t in tallies])
    graded = np.concatenate([t.judged(counted) for t in tallies])
    lost = np.concatenate([t.lost(counted) for t in tallies]) * bool(unseen)
    return Counts(
        seeds=np.concatenate(
            [np.full(len(t.problems.ids), NO_SEED if t.seed is None else t.seed, dtype=np.int64) for t in tallies]
        ),
        problems=np.concatenate([np.array(t.problems.ids, dtype=object) for t in tallies]),
        kinds=np.concatenate([np.array(t.problems.kinds, dtype=object) for t in tallies]),
        hits=hits + lost * (unseen == "all"),
        graded=graded + lost,
    )
