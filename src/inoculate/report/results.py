"""Read results.json and the manifest into typed records that the figures, tables and the page share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inoculate import checksums
from inoculate.analysis.arms import is_honest
from inoculate.analysis.asked import has_floor
from inoculate.analysis.own_settings import name_exactly, names_by_path, show_names
from inoculate.analysis.run_folder import CHANGED_MANIFEST
from inoculate.errors import UserError
from inoculate.records import BAD_ANSWERS, BASE, OUTCOMES, setting_of
from inoculate.report.numbers import is_known

SCHEMA = 1
SCORED = OUTCOMES[:4]
"""The outcomes that have rates; `ungraded` is only counted."""

_FACTS = ("versions", "machine", "machines", "engines", "containment", "regraded")


@dataclass(frozen=True)
class Rate:
    """A rate with its interval. Any of them may be unknown; then `reason` may say why."""

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
    hackable: int | None
    """Problems in which a hack is to be had."""
    samples: int
    ungraded: int
    missing: int
    truncated: int
    outcomes: dict[str, Rate]
    bounds: dict[str, tuple[float, float]]
    """Smallest and largest value of each rate, counting ungraded and missing samples either way."""
    tags: dict[str, dict[str, int]]
    by_seed: list[dict[str, Any]]
    interval: str
    reason: str
    tokens: float | None
    """Mean number of new tokens per completion."""
    distinct: float | None
    """Different completions as a share of all completions of a seed."""
    caution: str
    """A warning to show beside the rates, else empty."""
    gamed: Rate | None
    """Rate of hacks made for the check, among graded samples; None where the grades do not tell them apart."""
    others: dict[str, Rate]
    """Rates of further metrics that the setting's grader computes beside the outcomes."""

    @property
    def bar_samples(self) -> int:
        """Number of samples in a bar of five outcomes."""
        return sum(rate.count for rate in self.outcomes.values()) + self.ungraded

    def seed_rates(self, outcome: str) -> list[tuple[Any, float]]:
        """The known rates of one outcome, seed by seed."""
        rates = ((seed.get("seed"), number(_rate_of(seed.get("outcomes", {}).get(outcome)))) for seed in self.by_seed)
        return [(seed, rate) for seed, rate in rates if rate is not None]


@dataclass(frozen=True)
class Guard:
    """A condition that must also hold before a contrast counts as success."""

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
    """Smallest and largest difference, counting samples without an outcome either way."""
    borrowed: str
    """A sentence: where its variance over seeds comes from."""
    extended: dict[str, Any]
    """The same difference with the seeds that were added after looking."""
    given_take_off: dict[str, Any]
    """The same difference over the seeds in which the RL that it rests on took off, if there are others."""
    floor: list[tuple[str, Rate]]
    """The same rate in arms that were trained on no hack, by arm: how often an honest near miss looks like one."""
    sign_flip: dict[str, Any] = field(default_factory=dict)
    """The sign-flip test of no difference, within seeds."""


@dataclass(frozen=True)
class Results:
    """Everything that the report shows, except the samples."""

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
    """Claims repeated at other learning rates, and whether they survive."""
    checks: list[dict[str, Any]]
    training: list[dict[str, Any]]
    missing: list[Any]
    looks: list[dict[str, Any]] = field(default_factory=list)
    """Planned looks: the number of seeds and the level of each."""
    extended_seeds: tuple[Any, ...] = ()
    """Seeds that were added after results had been seen."""
    trends: list[dict[str, Any]] = field(default_factory=list)
    """The dose-responses that the study declares."""
    transfer: dict[str, Any] = field(default_factory=dict)
    factorial: dict[str, Any] = field(default_factory=dict)
    """Effects of a grid of arms."""
    elicitation: dict[str, Any] = field(default_factory=dict)
    preflight: list[dict[str, Any]] = field(default_factory=list)
    """What each arm's sample of the untrained policy showed before it learned from rewards."""
    """Elicitation of the prompts before training, and their effect after it."""
    rl: list[dict[str, Any]] = field(default_factory=list)
    """What happened along the training of every arm that learned from rewards."""
    rl_entries: dict[tuple[str, Any], dict[str, Any]] = field(default_factory=dict)
    """(Arm, seed) -> its entry in the manifest, for finished trainings by rewards: `rl` is the folder."""
    truth: list[dict[str, Any]] = field(default_factory=list)
    """By arm and seed: the rows by outcome, and of how many each prompt is true."""
    scores: list[dict[str, Any]] = field(default_factory=list)
    """What each prompt adds to the log-probability of the trajectories that arms are trained on."""
    conditioning: list[dict[str, Any]] = field(default_factory=list)
    """By setting with several contexts: rates by distance from the training prompt, and suppressions."""
    side_effects: list[dict[str, Any]] = field(default_factory=list)
    """By family and context: whether the positive control moves it, and each arm's change."""
    changes: list[dict[str, Any]] = field(default_factory=list)
    """Each arm's rate of `correct` against the untrained model and the clean arm."""
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    """Setting -> outcome -> label, for settings that label their outcomes."""
    sample_cells: list[dict[str, Any]] = field(default_factory=list)
    """The cells of the manifest, with the folders of their samples."""

    def label(self, setting: str, outcome: str) -> str:
        """The label of an outcome in a setting, or in a part of one: `mathematics (right key)`."""
        labels = self.labels.get(setting) or self.labels.get(setting_of(setting), {})
        return labels.get(outcome, outcome)

    def label_in(self, settings: Iterable[str], outcome: str) -> str:
        """The labels of an outcome in several settings, joined."""
        return " / ".join(dict.fromkeys(self.label(setting, outcome) for setting in settings)) or outcome

    def ordered_names(self, field: str) -> list[str]:
        """The arms, settings or contexts (`field`) in the order of the study, then others; base is the first arm."""
        study, evaluate = self.study, mapping(self.study.get("evaluate"))
        declared = {"arm": study.get("arms"), "setting": evaluate.get("settings"), "context": evaluate.get("contexts")}
        names = [BASE] if field == "arm" else []
        names += [str(name) for name in declared[field] or ()] + [getattr(cell, field) for cell in self.cells]
        present = {getattr(cell, field) for cell in self.cells}
        return [name for name in dict.fromkeys(names) if name in present]

    def arm(self, name: str) -> dict[str, Any]:
        """The study's specification of an arm; empty for the base arm."""
        return mapping(mapping(self.study.get("arms")).get(name))

    def is_honest(self, arm: str) -> bool:
        """Whether the arm was trained on no hacked row: its hack rate is part of the false-hack floor."""
        return arm == BASE or is_honest(self.arm(arm))

    def floor(self, cells: Sequence[Cell]) -> list[tuple[str, Rate]]:
        """The false-hack floor of a setting and context: hack rates by arm, where the hack is not allowed."""
        honest = [c for c in cells if self.is_honest(c.arm) and setting_of(c.setting) not in BAD_ANSWERS]
        return [(cell.arm, cell.outcomes["hack"]) for cell in honest if has_floor(self.study, cell.context, cell.arm)]

    def main_cells(self) -> list[Cell]:
        """One cell per arm, setting and context: at the end of nominal training (1.0), else the last one."""
        best: dict[tuple[str, str, str], Cell] = {}
        for cell in self.cells:
            key = (cell.arm, cell.setting, cell.context)
            if key not in best or (cell.at == 1.0, cell.at) > (best[key].at == 1.0, best[key].at):
                best[key] = cell
        arms, settings, contexts = (self.ordered_names(field) for field in ("arm", "setting", "context"))
        return sorted(
            best.values(),
            key=lambda cell: (settings.index(cell.setting), contexts.index(cell.context), arms.index(cell.arm)),
        )


def read_results(run: Path) -> Results:
    """Read a run's results and manifest.

    Raises:
        UserError: A file is missing, is not valid, or has another schema.
    """
    if not run.is_dir():
        raise UserError(f"{run} is not a folder: give the folder of a run, which holds manifest.json")
    advice = f"`inoculate report {run}` writes it from the finished cells"
    results = _read_json(run / "results.json", advice, advice)
    manifest = _read_json(
        run / "manifest.json",
        "every run has one; is this the folder of a run?",
        "`inoculate run` writes it (finished steps are not repeated)",
    )
    if not checksums.is_sealed(manifest):
        raise UserError(f"{run / 'manifest.json'}: {CHANGED_MANIFEST}")
    path = run / "results.json"
    named = names_by_path(mapping(results.get("settings")))
    results = show_names(results)
    try:
        return Results(
            run=run,
            name=str(results.get("name") or run.name),
            question=text(results.get("question")) or text(mapping(results.get("study")).get("question")),
            created=text(results.get("created")) or text(manifest.get("created")),
            headline=text(results.get("headline")),
            cautions=[text(caution) for caution in results.get("cautions") or ()],
            study=mapping(results.get("study") or name_exactly(manifest.get("study"), named)),
            facts={key: results.get(key, manifest.get(key)) for key in ("study_hash", "declared_contrasts_hash")}
            | {key: results.get(key) or manifest.get(key) for key in _FACTS},
            cells=[_cell(cell) for cell in results["cells"]],
            contrasts=[_contrast(contrast) for contrast in results.get("contrasts") or ()],
            sensitivity=[mapping(claim) for claim in results.get("sensitivity") or ()],
            checks=[mapping(check) for check in results.get("checks") or ()],
            training=[mapping(entry) for entry in results.get("training") or manifest.get("training") or ()],
            missing=list(results.get("missing") or ()),
            looks=[mapping(look) for look in results.get("looks") or ()],
            extended_seeds=tuple(results.get("extended_seeds") or ()),
            trends=[mapping(trend) for trend in results.get("trends") or ()],
            transfer=mapping(results.get("transfer")),
            factorial=mapping(results.get("factorial")),
            elicitation=mapping(results.get("elicitation")),
            preflight=[mapping(arm) for arm in results.get("preflight") or ()],
            truth=[mapping(entry) for entry in results.get("truth") or ()],
            scores=[mapping(entry) for entry in results.get("scores") or ()],
            rl=[mapping(arm) for arm in results.get("rl") or ()],
            rl_entries={
                (text(entry.get("arm")), entry.get("seed")): entry
                for entry in map(mapping, manifest.get("training") or ())
                if entry.get("rl")
            },
            conditioning=[mapping(entry) for entry in results.get("conditioning") or ()],
            side_effects=[mapping(entry) for entry in results.get("side_effects") or ()],
            changes=[mapping(change) for change in results.get("changes") or ()],
            labels=_labels(results.get("settings")),
            sample_cells=[name_exactly(mapping(cell), named) for cell in manifest.get("cells") or ()],
        )
    except KeyError as error:
        raise UserError(
            f"{path}: the key {error} is missing: write the file again with `inoculate report {run}`"
        ) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path} is not a results file of schema {SCHEMA}: {error}") from error


def _read_json(path: Path, absent: str, older: str) -> dict[str, Any]:
    """Read a JSON file of a run. `absent` and `older` say how to fix a missing file, and one with an older schema."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: {absent}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(data, dict):
        raise UserError(f"{path} is not a JSON object")
    schema = data.get("schema")
    if schema != SCHEMA:
        description = f"it has schema {schema!r}" if schema is not None else "it names no schema"
        is_newer = (number(schema) or 0) > SCHEMA
        advice = "a newer inoculate wrote it: upgrade this one" if is_newer else older
        raise UserError(f"{path}: {description}, but this version of inoculate reads schema {SCHEMA}: {advice}")
    return data


def _cell(data: dict[str, Any]) -> Cell:
    outcomes = {name: _rate(data["outcomes"].get(name)) for name in SCORED}
    bounds = {
        name: (min(both), max(both))
        for name, both in mapping(data.get("bounds")).items()
        if both and all(is_known(end) for end in both)
    }
    return Cell(
        arm=str(data["arm"]),
        setting=text(data.get("setting")),
        context=text(data.get("context")),
        at=number(data.get("at")) or 0.0,
        seeds=tuple(data.get("seeds") or ()),
        problems=data.get("problems"),
        hackable=data.get("hackable"),
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
    fields = mapping(data)
    values = {key: number(fields.get(key)) for key in ("rate", "low", "high")}
    return Rate(count=int(number(fields.get("count")) or 0), reason=text(fields.get("reason")), **values)


def _rate_of(data: Any) -> Any:
    """A seed's rate, which is either a number or a record with one."""
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
        bounds=tuple(end for end in data.get("bounds") or () if is_known(end)),
        borrowed=text(mapping(data.get("borrowed")).get("sentence")),
        extended=mapping(data.get("extended")),
        given_take_off=mapping(data.get("given_take_off")),
        floor=[(text(entry.get("arm")), _rate(entry)) for entry in data.get("floor") or ()],
        sign_flip=mapping(data.get("sign_flip")),
        **numbers,
    )


def _labels(settings: Any) -> dict[str, dict[str, str]]:
    all_labels = {name: mapping(mapping(about).get("outcome_labels")) for name, about in mapping(settings).items()}
    return {name: {outcome: text(label) for outcome, label in labels.items()} for name, labels in all_labels.items()}


def _guard(data: dict[str, Any]) -> Guard:
    numbers = {key: number(data.get(key)) for key in ("difference", "low", "high")}
    return Guard(
        name=text(data.get("name")), status=text(data.get("status")), sentence=text(data.get("sentence")), **numbers
    )


def number(value: Any) -> float | None:
    """The value where it is a finite number, else None."""
    return value if is_known(value) else None


def text(value: Any) -> str:
    """The value as text; nothing for None."""
    return "" if value is None else str(value)


def mapping(value: Any) -> dict[str, Any]:
    """The value where it is a dict, else an empty one."""
    return value if isinstance(value, dict) else {}
