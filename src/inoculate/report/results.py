"""Reading results.json and the manifest into typed records that the figures, tables and the page share."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inoculate.errors import UserError
from inoculate.records import OUTCOMES
from inoculate.report.numbers import known

SCHEMA = 1
BASE = "base"
SCORED = OUTCOMES[:4]
"""The outcomes that have rates; `ungraded` is only counted."""


@dataclass(frozen=True)
class Rate:
    """A rate with its interval; any of them may be unknown, then `reason` may say why."""

    count: int
    rate: float | None
    low: float | None
    high: float | None
    reason: str = ""


@dataclass(frozen=True)
class Cell:
    """One arm under one context of one setting, over its seeds."""

    arm: str
    setting: str
    context: str
    at: float
    seeds: tuple[Any, ...]
    problems: int | None
    samples: int
    ungraded: int
    missing: int
    truncated: int
    outcomes: dict[str, Rate]
    bounds: dict[str, tuple[float, float]]
    """Least and most that a rate can be, if ungraded and missing samples are counted either way."""
    tags: dict[str, dict[str, int]]
    by_seed: list[dict[str, Any]]
    interval: str
    reason: str
    tokens: float | None
    """New tokens of a completion, on average."""
    distinct: float | None
    """Different completions as a share of all of a seed."""
    caution: str
    """What must be read beside the rates, else empty."""
    gamed: Rate | None
    """The hacks that were made for the check, as a share of all that is graded; None where that is not told."""
    others: dict[str, Rate]
    """Rates of other metrics that the setting's grader takes beside the outcomes, such as the peers'."""

    @property
    def shown(self) -> int:
        """How many samples a bar of five outcomes stands for."""
        return sum(rate.count for rate in self.outcomes.values()) + self.ungraded

    def seed_rates(self, outcome: str) -> list[tuple[Any, float]]:
        """The known rates of one outcome, seed by seed."""
        found = ((seed.get("seed"), number(_rate_of(seed.get("outcomes", {}).get(outcome)))) for seed in self.by_seed)
        return [(seed, rate) for seed, rate in found if rate is not None]


@dataclass(frozen=True)
class Guard:
    """What must also hold before a contrast counts as success."""

    name: str
    status: str
    difference: float | None
    low: float | None
    high: float | None
    sentence: str


@dataclass(frozen=True)
class Contrast:
    """A comparison of two arms with its verdict."""

    claim: str
    measure: str
    context: str
    setting: str
    direction: str
    arm: str
    other: str
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    margin: float | None
    verdict: str
    why: str
    guards: list[Guard]
    needed: dict[str, Any]
    exploratory: bool
    seeds: int | None
    problems: int | None
    low_adjusted: float | None
    high_adjusted: float | None
    bounds: tuple[float, ...]
    """Smallest and largest difference if samples without an outcome had gone either way."""
    extended: dict[str, Any]
    """The same difference with the seeds that were added after looking."""
    floor: list[tuple[str, Rate]]
    """The same rate in arms that learned no hack, by arm: how often an honest near miss looks like one."""


@dataclass(frozen=True)
class Results:
    """All that the report is made from, except the samples."""

    run: Path
    name: str
    question: str
    created: str
    headline: str
    cautions: list[str]
    study: dict[str, Any]
    facts: dict[str, Any]
    """Hashes, versions, machine, containment."""
    cells: list[Cell]
    contrasts: list[Contrast]
    sensitivity: list[dict[str, Any]]
    """Claims made more than once, and whether they survive."""
    checks: list[dict[str, Any]]
    training: list[dict[str, Any]]
    missing: list[Any]
    looks: list[dict[str, Any]] = field(default_factory=list)
    """After how many seeds verdicts were planned to be read off, and the level of each look."""
    extended_seeds: tuple[Any, ...] = ()
    """Seeds that were added after results had been seen."""
    factorial: dict[str, Any] = field(default_factory=dict)
    """Effects of a grid of arms."""
    elicitation: dict[str, Any] = field(default_factory=dict)
    """What prompts elicit before training, against their effect after it."""
    changes: list[dict[str, Any]] = field(default_factory=list)
    """Each arm's rate of `correct` against the untrained model and the clean arm."""
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    """Setting to what its outcomes are called, for settings whose outcomes mean something else."""
    sample_cells: list[dict[str, Any]] = field(default_factory=list)
    """The manifest's cells: where the samples are."""

    def label(self, setting: str, outcome: str) -> str:
        """What an outcome is called in a setting, or in a part of one: `mathematics (right key)`."""
        labels = self.labels.get(setting) or self.labels.get(setting.split(" (")[0], {})
        return labels.get(outcome, outcome)

    def label_in(self, settings: Iterable[str], outcome: str) -> str:
        """What an outcome is called in several settings: every name that it has there."""
        return " / ".join(dict.fromkeys(self.label(setting, outcome) for setting in settings)) or outcome

    def order(self, what: str) -> list[str]:
        """The arms, settings or contexts in the order of the study, then any others; base first among the arms."""
        study, evaluate = self.study, mapping(self.study.get("evaluate"))
        declared = {"arm": study.get("arms"), "setting": evaluate.get("settings"), "context": evaluate.get("contexts")}
        names = [BASE] if what == "arm" else []
        names += [str(name) for name in declared[what] or ()] + [getattr(cell, what) for cell in self.cells]
        present = {getattr(cell, what) for cell in self.cells}
        return [name for name in dict.fromkeys(names) if name in present]

    def arm(self, name: str) -> dict[str, Any]:
        """What the study says about an arm; empty for the base arm."""
        return mapping(mapping(self.study.get("arms")).get(name))

    def honest(self, arm: str) -> bool:
        """Whether the arm never saw a hacked row: its hack rate is part of the false-hack floor."""
        rows = mapping(self.arm(arm).get("rows"))
        return arm == BASE or rows.get("hacked") == 0 or rows.get("filter") == "hacked"

    def main_cells(self) -> list[Cell]:
        """One cell per arm, setting and context: at the end of nominal training (1.0), else the last there is."""
        best: dict[tuple[str, str, str], Cell] = {}
        for cell in self.cells:
            key = (cell.arm, cell.setting, cell.context)
            if key not in best or (cell.at == 1.0, cell.at) > (best[key].at == 1.0, best[key].at):
                best[key] = cell
        arms, settings, contexts = (self.order(what) for what in ("arm", "setting", "context"))
        return sorted(
            best.values(),
            key=lambda cell: (settings.index(cell.setting), contexts.index(cell.context), arms.index(cell.arm)),
        )


def read_results(run: Path) -> Results:
    """Read a run's results and manifest.

    Raises:
        UserError: A file is missing or not what it should be, or of another schema.
    """
    if not run.is_dir():
        raise UserError(f"{run} is not a folder: give the folder of a run, the one that holds manifest.json")
    anew = f"`inoculate report {run}` writes it from what is finished"
    results = _read(run / "results.json", anew, anew)
    manifest = _read(
        run / "manifest.json",
        "every run has one; is this the folder of a run?",
        "`inoculate run` writes it, finished steps are not done again",
    )
    path = run / "results.json"
    try:
        return Results(
            run=run,
            name=str(results.get("name") or run.name),
            question=text(results.get("question")) or text(mapping(results.get("study")).get("question")),
            created=text(results.get("created")) or text(manifest.get("created")),
            headline=text(results.get("headline")),
            cautions=[text(caution) for caution in results.get("cautions") or ()],
            study=mapping(results.get("study") or manifest.get("study")),
            facts={key: results.get(key, manifest.get(key)) for key in ("study_hash", "declared_contrasts_hash")}
            | {key: results.get(key) or manifest.get(key) for key in ("versions", "machine", "engines", "containment")},
            cells=[_cell(cell) for cell in results["cells"]],
            contrasts=[_contrast(contrast) for contrast in results.get("contrasts") or ()],
            sensitivity=[mapping(claim) for claim in results.get("sensitivity") or ()],
            checks=[mapping(check) for check in results.get("checks") or ()],
            training=[mapping(entry) for entry in results.get("training") or manifest.get("training") or ()],
            missing=list(results.get("missing") or ()),
            looks=[mapping(look) for look in results.get("looks") or ()],
            extended_seeds=tuple(results.get("extended_seeds") or ()),
            factorial=mapping(results.get("factorial")),
            elicitation=mapping(results.get("elicitation")),
            changes=[mapping(change) for change in results.get("changes") or ()],
            labels=_labels(results.get("settings")),
            sample_cells=[mapping(cell) for cell in manifest.get("cells") or ()],
        )
    except KeyError as error:
        raise UserError(f"{path}: the key {error} is missing: write it anew with `inoculate report {run}`") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path} is not a results file of schema {SCHEMA}: {error}") from error


def _read(path: Path, absent: str, older: str) -> dict[str, Any]:
    """A file of a run; the words say what mends one that is not there, and one of an older schema."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: {absent}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(data, dict):
        raise UserError(f"{path} is not a JSON object")
    schema = data.get("schema")
    if schema != SCHEMA:
        told = f"it says schema {schema!r}" if schema is not None else "it does not say which schema it is"
        newer = (number(schema) or 0) > SCHEMA
        mend = "a newer inoculate wrote it: upgrade this one" if newer else older
        raise UserError(f"{path}: {told}, and this version of inoculate reads schema {SCHEMA}: {mend}")
    return data


def _cell(data: dict[str, Any]) -> Cell:
    outcomes = {name: _rate(data["outcomes"].get(name)) for name in SCORED}
    bounds = {
        name: (min(both), max(both))
        for name, both in mapping(data.get("bounds")).items()
        if both and all(known(end) for end in both)
    }
    return Cell(
        arm=str(data["arm"]),
        setting=text(data.get("setting")),
        context=text(data.get("context")),
        at=number(data.get("at")) or 0.0,
        seeds=tuple(data.get("seeds") or ()),
        problems=data.get("problems"),
        samples=int(number(data.get("samples")) or 0),
        ungraded=int(number(data.get("ungraded")) or 0),
        missing=int(number(data.get("missing")) or 0),
        truncated=int(number(data.get("truncated")) or 0),
        outcomes=outcomes,
        bounds=bounds,
        tags={name: mapping(kinds) for name, kinds in mapping(data.get("tags")).items()},
        by_seed=[mapping(seed) for seed in data.get("by_seed") or ()],
        interval=text(data.get("interval")),
        reason=text(data.get("reason")),
        tokens=number(data.get("tokens")),
        distinct=number(data.get("distinct")),
        caution=text(data.get("caution")),
        gamed=_rate(data["gamed"]) if data.get("gamed") else None,
        others={name: _rate(rate) for name, rate in mapping(data.get("others")).items()},
    )


def _rate(data: Any) -> Rate:
    found = mapping(data)
    values = {key: number(found.get(key)) for key in ("rate", "low", "high")}
    return Rate(count=int(number(found.get("count")) or 0), reason=text(found.get("reason")), **values)


def _rate_of(data: Any) -> Any:
    """A seed's rate, given either as the number or as a record with one."""
    return data.get("rate") if isinstance(data, dict) else data


def _contrast(data: dict[str, Any]) -> Contrast:
    direction = next((word for word in ("lower", "higher", "same") if data.get(word)), "")
    keys = ("difference", "low", "high", "p", "p_adjusted", "margin", "low_adjusted", "high_adjusted")
    numbers = {key: number(data.get(key)) for key in keys}
    return Contrast(
        claim=text(data.get("claim")),
        measure=text(data.get("measure")),
        context=text(data.get("context")),
        setting=text(data.get("setting")),
        direction=direction,
        arm=text(data.get(direction)) if direction else "",
        other=text(data.get("than")) or text(data.get("as")),
        verdict=text(data.get("verdict")) or "descriptive",
        why=text(data.get("why")),
        guards=[_guard(guard) for guard in data.get("guards") or ()],
        needed=mapping(data.get("needed")),
        exploratory=bool(data.get("exploratory")),
        seeds=data.get("seeds"),
        problems=data.get("problems"),
        bounds=tuple(end for end in data.get("bounds") or () if known(end)),
        extended=mapping(data.get("extended")),
        floor=[(text(entry.get("arm")), _rate(entry)) for entry in data.get("floor") or ()],
        **numbers,
    )


def _labels(settings: Any) -> dict[str, dict[str, str]]:
    found = {name: mapping(mapping(about).get("outcome_labels")) for name, about in mapping(settings).items()}
    return {name: {outcome: text(label) for outcome, label in labels.items()} for name, labels in found.items()}


def _guard(data: dict[str, Any]) -> Guard:
    numbers = {key: number(data.get(key)) for key in ("difference", "low", "high")}
    return Guard(
        name=text(data.get("name")), status=text(data.get("status")), sentence=text(data.get("sentence")), **numbers
    )


def number(value: Any) -> float | None:
    """The value where it is a finite number, else None."""
    return value if known(value) else None


def text(value: Any) -> str:
    """The value as text; nothing for None."""
    return "" if value is None else str(value)


def mapping(value: Any) -> dict[str, Any]:
    """The value where it is a dict, else an empty one."""
    return value if isinstance(value, dict) else {}
