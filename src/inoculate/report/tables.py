"""The tables of a report as CSV in long format: one value per line, for a spreadsheet or a paper."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inoculate.report.conditioning import (
    DISTANCE_COLUMNS,
    SUPPRESSION_COLUMNS,
    distance_lines,
    suppression_lines,
)
from inoculate.report.numbers import detail
from inoculate.report.results import SCORED, Results
from inoculate.report.samples import Samples
from inoculate.report.series import find_doses
from inoculate.report.side_effects import COLUMNS as SIDE_EFFECT_COLUMNS
from inoculate.report.side_effects import side_effect_lines
from inoculate.report.truth import COLUMNS as TRUTH_COLUMNS
from inoculate.report.truth import ROW_COLUMNS, SCORE_COLUMNS, row_lines, score_lines, truth_lines

TRAINING = (
    *("arm", "seed", "rows_count", "hacked_rows", "inoculated_rows", "vetted_rows"),
    *("trained_tokens", "label_tokens", "seconds"),
)
"""Columns of the training table, named as in results.json."""
CHANGES = ("setting", "arm", "than", "difference", "low", "high", "seeds", "problems")
OUTCOMES = (
    "arm setting context at seeds problems samples ungraded missing truncated tokens distinct outcome count "
    "rate low high least most interval caution"
)
CONTRASTS = (
    "claim setting context measure direction arm other seeds problems difference low high low_adjusted "
    "high_adjusted p p_adjusted p_sign_flip margin verdict exploratory why"
)
"""Headings of `contrast_lines`; `OUTCOMES` has those of `outcome_lines`."""
_RL_COUNTS = (
    *("completions", "unscorable", "ungraded", "reward", "median_tokens", "mean_tokens", "cut_off", "groups"),
    *("groups_without_spread", "loss", "entropy", "kl", "grad_norm", "learning_rate", "sampling_mismatch"),
)
_RL_RATES = ("oversight", "intended", "oversight_without_intended", "correct", "hack", "gamed", "wrong", "malformed")
_RL_PARTS = ("all", "hackable", "not_hackable")
_RL_SECONDS = ("sample", "grade", "train")
RL_COLUMNS = (
    *("arm", "seed", "step", *_RL_COUNTS, *(f"seconds_{part}" for part in _RL_SECONDS)),
    *(f"{part}_{rate}" for part in _RL_PARTS for rate in ("graded", *_RL_RATES)),
    *("untrained_same_problems", "untrained_high", "above"),
)
ONSET_COLUMNS = (
    *("arm", "seed", "last_step", "onset", "absolute_5", "absolute_2", "collapsed", "stands_for_arm", "rule_met"),
    *("completions", "unscorable", "ungraded"),
)
"""Headings of `rl_lines` and `onset_lines`; in `rl_lines` an untrained policy's sample is step 0."""


def write_tables(results: Results, samples: Samples, folder: Path) -> list[str]:
    """Write every table that has lines; returns the file names.

    An unknown value is an empty field. Rates and differences are fractions, not percent.
    """
    tables: dict[str, tuple[str, Iterable[list[Any]]]] = {
        "outcomes.csv": (OUTCOMES, outcome_lines(results)),
        "outcomes_by_seed.csv": ("arm setting context at seed outcome rate", _seed_lines(results)),
        "gamed.csv": ("arm setting context at hacks gamed rate low high", _gamed_lines(results)),
        "others.csv": ("arm setting context at metric count rate low high", _other_metric_lines(results)),
        "changes.csv": (" ".join(CHANGES), ([change[key] for key in CHANGES] for change in results.changes)),
        "contrasts.csv": (CONTRASTS, contrast_lines(results)),
        "guards.csv": ("claim guard status difference low high sentence", _guard_lines(results)),
        "given_take_off.csv": (
            "claim which rl_arms seeds difference low high chosen_by_result",
            _take_off_lines(results),
        ),
        "floor.csv": ("claim setting context arm rate low high", _floor_lines(results)),
        "dose.csv": ("key value series arm setting context outcome rate low high", _dose_lines(results)),
        "trends.csv": (
            "claim measure setting context direction doses slope low high p p_adjusted verdict exploratory why",
            _trend_lines(results),
        ),
        "transfer.csv": ("arm setting context measure tells than difference low high", _transfer_lines(results)),
        "effects.csv": ("effect level than estimate low high", _effect_lines(results)),
        "elicitation.csv": (
            "arm kind irrelevant sampled added effect seed effect_of_seed",
            _elicitation_lines(results),
        ),
        "rl.csv": (" ".join(RL_COLUMNS), rl_lines(results)),
        "rl_tags.csv": ("arm seed step tag evidence count", _rl_tag_lines(results)),
        "onset.csv": (" ".join(ONSET_COLUMNS), onset_lines(results)),
        "side_effects.csv": (" ".join(SIDE_EFFECT_COLUMNS), side_effect_lines(results)),
        "truth.csv": (" ".join(TRUTH_COLUMNS), truth_lines(results)),
        "training_rows.csv": (" ".join(ROW_COLUMNS), row_lines(results)),
        "row_scores.csv": (" ".join(SCORE_COLUMNS), score_lines(results)),
        "distances.csv": (" ".join(DISTANCE_COLUMNS), distance_lines(results)),
        "suppressions.csv": (" ".join(SUPPRESSION_COLUMNS), suppression_lines(results)),
        "tags.csv": ("arm setting context at tag evidence count", _tag_lines(results)),
        "checks.csv": (
            "name status sentence detail",
            ([*(check.get(key) for key in ("name", "status", "sentence")), detail(check)] for check in results.checks),
        ),
        "training.csv": (" ".join([*TRAINING, "last_loss"]), _training_lines(results)),
        "samples.csv": ("arm seed at step setting context samples in_page completions grades", _sample_lines(samples)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    return [name for name, (header, lines) in tables.items() if write_table(folder / name, header.split(), lines)]


def write_table(path: Path, header: list[str], lines: Iterable[list[Any]]) -> bool:
    """Write a table that has lines; returns whether it has any."""
    rows = list(lines)
    if not rows:
        # A table of an earlier report must not stay beside a newer one.
        path.unlink(missing_ok=True)
        return False
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header)
        writer.writerows([[_yes_or_no(value) if isinstance(value, bool) else value for value in row] for row in rows])
    return True


def outcome_lines(results: Results) -> Iterable[list[Any]]:
    """A line per cell and outcome."""
    for cell in results.cells:
        seeds = " ".join(str(seed) for seed in cell.seeds if seed is not None)
        start = [cell.arm, cell.setting, cell.context, cell.at, seeds, cell.problems, cell.samples]
        for name in SCORED:
            rate = cell.outcomes[name]
            least, most = cell.bounds.get(name, (None, None))
            yield [
                *start,
                *(cell.ungraded, cell.missing, cell.truncated, cell.tokens, cell.distinct, name),
                *(rate.count, rate.rate, rate.low, rate.high, least, most, cell.interval, cell.caution),
            ]


def _gamed_lines(results: Results) -> Iterable[list[Any]]:
    for cell in results.cells:
        if cell.gamed:
            hacks, gamed = cell.outcomes["hack"].count, cell.gamed
            place = [cell.arm, cell.setting, cell.context, cell.at]
            yield [*place, hacks, gamed.count, gamed.rate, gamed.low, gamed.high]


def _other_metric_lines(results: Results) -> Iterable[list[Any]]:
    for cell in results.cells:
        for name, rate in cell.others.items():
            yield [cell.arm, cell.setting, cell.context, cell.at, name, rate.count, rate.rate, rate.low, rate.high]


def _seed_lines(results: Results) -> Iterable[list[Any]]:
    for cell in results.cells:
        for name in SCORED:
            for seed, rate in cell.seed_rates(name):
                yield [cell.arm, cell.setting, cell.context, cell.at, seed, name, rate]


def contrast_lines(results: Results) -> Iterable[list[Any]]:
    """A line per contrast."""
    for c in results.contrasts:
        yield [
            *(c.claim, c.setting, c.context, c.measure, c.direction, c.arm, c.other, c.seeds, c.problems),
            *(c.difference, c.low, c.high, c.low_adjusted, c.high_adjusted, c.p, c.p_adjusted),
            *(c.sign_flip.get("p"), c.margin),
            *(c.verdict, "yes" if c.exploratory else "no", c.why),
        ]


def _guard_lines(results: Results) -> Iterable[list[Any]]:
    for contrast in results.contrasts:
        for g in contrast.guards:
            yield [contrast.claim, g.name, g.status, g.difference, g.low, g.high, g.sentence]


def _floor_lines(results: Results) -> Iterable[list[Any]]:
    for c in results.contrasts:
        for arm, rate in c.floor:
            yield [c.claim, c.setting, c.context, arm, rate.rate, rate.low, rate.high]


def _take_off_lines(results: Results) -> Iterable[list[Any]]:
    for c in results.contrasts:
        if given := c.given_take_off:
            arms = " ".join(given["arms"])
            yield [
                c.claim,
                "over all seeds",
                arms,
                " ".join(map(str, given["finished"])),
                c.difference,
                c.low,
                c.high,
                "",
            ]
            values = [given[key] for key in ("difference", "low", "high")]
            yield [
                c.claim,
                "given take-off",
                arms,
                " ".join(map(str, given["took_off"])),
                *values,
                " ".join(given["outcome"]),
            ]


def _dose_lines(results: Results) -> Iterable[list[Any]]:
    cells = results.main_cells()
    for dose in find_doses(results):
        for series, arms in dose.series.items():
            for value, arm in arms:
                for cell in (cell for cell in cells if cell.arm == arm):
                    for name in SCORED:
                        rate = cell.outcomes[name]
                        start = [dose.key, value, series, arm, cell.setting, cell.context, name]
                        yield [*start, rate.rate, rate.low, rate.high]


def _trend_lines(results: Results) -> Iterable[list[Any]]:
    for trend in results.trends:
        doses = " ".join(str(dose["dose"]) for dose in trend["doses"])
        place = [trend[key] for key in ("claim", "measure", "setting", "context", "direction")]
        numbers = [trend[key] for key in ("slope", "low", "high", "p", "p_adjusted")]
        yield [*place, doses, *numbers, *(trend[key] for key in ("verdict", "exploratory", "why"))]


def _transfer_lines(results: Results) -> Iterable[list[Any]]:
    for cell in results.transfer.get("cells", ()):
        place = [cell[key] for key in ("arm", "setting", "context", "measure", "tells")]
        for change in (cell["base"], cell["without"]):
            if change:
                yield [*place, *(change[key] for key in ("than", "difference", "low", "high"))]


def _effect_lines(results: Results) -> Iterable[list[Any]]:
    for effect in results.factorial.get("effects") or ():
        joined = (" x ".join(effect[key]) for key in ("factors", "levels", "than"))
        yield [*joined, effect["estimate"], effect["low"], effect["high"]]


def _elicitation_lines(results: Results) -> Iterable[list[Any]]:
    for point in results.elicitation.get("points") or ():
        start = [point[key] for key in ("arm", "kind", "irrelevant", "sampled", "added", "effect")]
        for seed, effect in point["by_seed"].items():
            yield [*start, seed, effect]


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


def _rl_seeds(results: Results) -> Iterable[tuple[str, dict[str, Any]]]:
    return ((arm["arm"], seed) for arm in results.rl for seed in arm["by_seed"])


def rl_lines(results: Results) -> Iterable[list[Any]]:
    """A line per arm that learned from rewards, seed and step: its counts, rates and metrics."""
    for arm, seed in _rl_seeds(results):
        for step in ({"step": 0, **seed["untrained"]}, *seed["steps"]):
            same, seconds = (step.get(key) or {} for key in ("same_problems", "seconds"))
            yield [
                *(arm, seed["seed"], step["step"], *(step.get(key) for key in _RL_COUNTS)),
                *(seconds.get(part) for part in _RL_SECONDS),
                *(step[part][rate] for part in _RL_PARTS for rate in ("graded", *_RL_RATES)),
                *(same.get("untrained"), same.get("high"), step.get("above")),
            ]


def _rl_tag_lines(results: Results) -> Iterable[list[Any]]:
    for arm, seed in _rl_seeds(results):
        for step in ({"step": 0, **seed["untrained"]}, *seed["steps"]):
            for tag, kinds in step["tags"].items():
                for evidence, count in kinds.items():
                    yield [arm, seed["seed"], step["step"], tag, evidence, count]


def onset_lines(results: Results) -> Iterable[list[Any]]:
    """A line per arm that learned from rewards and seed: its onset, and the policy that stands for the arm."""
    for arm, seed in _rl_seeds(results):
        stands = seed["checkpoint"]
        yield [
            *(arm, seed["seed"], seed["last_step"], seed["onset"], *seed["absolute"].values()),
            *(seed["collapsed"], stands["step"], stands["met"]),
            *(seed[key] for key in ("completions", "unscorable", "ungraded")),
        ]


def _sample_lines(samples: Samples) -> Iterable[list[Any]]:
    for c in samples.cells:
        yield [c.arm, c.seed, c.at, c.step, c.setting, c.context, c.total, c.embedded, c.completions, c.grades]


def _tag_lines(results: Results) -> Iterable[list[Any]]:
    for cell in results.cells:
        for tag, kinds in cell.tags.items():
            for evidence, count in kinds.items():
                yield [cell.arm, cell.setting, cell.context, cell.at, tag, evidence, count]


def _training_lines(results: Results) -> Iterable[list[Any]]:
    for entry in results.training:
        loss = entry.get("loss") or [[None, None]]
        yield [*(entry.get(key) for key in TRAINING), loss[-1][1]]
