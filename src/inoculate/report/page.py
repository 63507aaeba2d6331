"""Render the page: prepare what the templates show, and inline everything into one file."""

from __future__ import annotations

import base64
import hashlib
import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from inoculate.analysis.asked import allows_hack, what_is_asked
from inoculate.records import BASE, OUTCOMES
from inoculate.report import numbers
from inoculate.report.conditioning import conditioning_views
from inoculate.report.figures import FIRST_PANELS, NAMES, PageFigure
from inoculate.report.results import SCORED, Cell, Contrast, Results, mapping, number, text
from inoculate.report.rl import rl_views
from inoculate.report.samples import LONGEST_TEXT, Samples
from inoculate.report.series import describe_key, find_doses, main_contexts
from inoculate.report.side_effects import side_effect_views
from inoculate.report.study_view import study_view
from inoculate.report.tables import TRAINING
from inoculate.report.transfer_changes import untold
from inoculate.report.truth import score_views, truth_view
from inoculate.study import ready_made

STATIC = Path(__file__).parent / "static"
SCRIPTS = ("store.js", "text.js", "filters.js", "list.js", "detail.js", "main.js")
STYLES = ("page.css", "parts.css", "reader.css")
FILTERS: tuple[Callable[..., str], ...] = (
    *(numbers.percent, numbers.interval, numbers.points, numbers.points_interval, numbers.p_value, numbers.count),
    numbers.signed,
    *(numbers.seconds, numbers.plain, numbers.sentence, numbers.breakable),
)
INTERVALS = {
    "beta-cluster": "over kinds of problem alone, where there are no two seeds: sampling error, and not what another "
    "training would change",
    "beta-crossed": "over seeds and kinds of problem",
}
"""Method of an interval -> what it is over."""
EVIDENCE_KINDS = ("observed", "attempted", "static")


def render(results: Results, samples: Samples, figures: dict[str, PageFigure], tables: list[str]) -> str:
    """The page as one HTML text.

    Args:
        results: The results.
        samples: The packed samples.
        figures: The drawn figures, by name.
        tables: File names of the tables.
    """
    script = f'"use strict";\n(() => {{\n{read_static(SCRIPTS)}}})();\n'
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Only this script runs and nothing is fetched, whatever a text of the run contains.
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"
    return (
        environment()
        .get_template("page.html")
        .render(
            results=results,
            samples=samples,
            figures=dict.fromkeys(NAMES) | {name: inline_figure(figure) for name, figure in figures.items()},
            tables=tables,
            policy=policy,
            script=Markup(script),
            css=Markup(read_static(STYLES)),
            outcomes=OUTCOMES,
            scored=SCORED,
            count_columns=_count_columns(results),
            verdicts=[
                contrast_view(results, contrast, place, results.contrasts)
                for place, contrast in enumerate(results.contrasts, 1)
            ],
            study=study_view(results),
            settings=_setting_views(results),
            changes=_change_views(results),
            tags=_tag_view(results),
            asked=any(allows_hack(results.study, cell.context, cell.arm) for cell in results.cells),
            floors=any(results.floor([cell]) for cell in results.cells),
            more_panels=len({(cell.setting, cell.context) for cell in results.cells}) > FIRST_PANELS,
            verdict_counts=list(Counter(contrast.verdict for contrast in results.contrasts).items()),
            doses=[(f"dose-{place}", dose) for place, dose in enumerate(find_doses(results), 1)],
            drawn_contexts=_drawn_contexts(results),
            trends=[trend | {"measure": results.label(trend["setting"], trend["measure"])} for trend in results.trends],
            transfer=results.transfer,
            untold=untold(results.transfer),
            factorial=_factorial_view(results),
            elicitation=_elicitation_view(results.elicitation),
            forecasts=results.preflight,
            rl=rl_views(results),
            side_effects=side_effect_views(results),
            truth=truth_view(results),
            scores=score_views(results),
            conditioning=conditioning_views(results),
            sensitivity=[_sensitivity_view(claim) for claim in results.sensitivity],
            looks=_describe_looks(results.looks),
            missing=[_describe_missing(cell) for cell in results.missing],
            checks=_check_views(results),
            training=_training_views(results),
            longest=LONGEST_TEXT,
            ready_made=results.name in ready_made.names(),
            study_file=(results.run / "study.toml").is_file(),
            partial=_partial_counts(samples),
            seeds=results.study.get("seeds") or sorted({seed for cell in results.cells for seed in cell.seeds}),
        )
    )


def environment() -> Environment:
    """The jinja environment of `static/`: it escapes values, has our filters, and shows a dash for unknown values."""
    jinja = Environment(
        loader=FileSystemLoader(STATIC),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: numbers.UNKNOWN if value is None or value != value else value,
    )
    for filter_function in FILTERS:
        jinja.filters[filter_function.__name__] = filter_function
    return jinja


def inline_figure(figure: PageFigure) -> dict[str, str]:
    """A figure as the templates need it."""
    return {"label": figure.label, "wide": Markup(figure.wide), "narrow": Markup(figure.narrow)}


def read_static(names: tuple[str, ...]) -> str:
    """The contents of files of `static/`, joined."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)


def _setting_views(results: Results) -> list[dict[str, Any]]:
    """Settings with their outcome labels and contexts, and in each context the arms with their bars."""
    contexts: dict[tuple[str, str], list[Cell]] = {}
    for cell in results.main_cells():
        contexts.setdefault((cell.setting, cell.context), []).append(cell)
    return [
        {
            "name": setting,
            "labels": {name: results.label(setting, name) for name in OUTCOMES},
            "has_labels": any(results.label(setting, name) != name for name in OUTCOMES),
            "gamed": any(cell.gamed for cell in results.cells if cell.setting == setting),
            "no_hack": all(
                cell.hackable == cell.outcomes["hack"].count == 0 for cell in results.cells if cell.setting == setting
            ),
            "others": list(
                dict.fromkeys(name for cell in results.cells if cell.setting == setting for name in cell.others)
            ),
            "groups": [
                _group_view(results, context, cells)
                for (cell_setting, context), cells in contexts.items()
                if cell_setting == setting
            ],
        }
        for setting in results.ordered_names("setting")
    ]


def _group_view(results: Results, context: str, cells: list[Cell]) -> dict[str, Any]:
    return {
        "context": context,
        "rows": [_row_view(results, cell) for cell in cells],
        "floor": results.floor(cells),
        "asked": any(allows_hack(results.study, context, cell.arm) for cell in cells),
        "unknown": all(what_is_asked(results.study, context, cell.arm) == "unknown" for cell in cells),
        "intervals": [INTERVALS[name] for name in sorted({cell.interval for cell in cells}) if name in INTERVALS],
        "cautions": _group_cautions(cells),
        "bounds": any(_is_notable(both) for cell in cells for both in cell.bounds.values()),
    }


def _count_columns(results: Results) -> list[tuple[str, str, Callable[[Any], str]]]:
    """The columns beside the rates: (field, heading, format function). Empty columns are left out."""
    cells = results.main_cells()
    counts = (("ungraded", "ungraded"), ("missing", "missing"), ("truncated", "cut off"))
    columns: list[tuple[str, str, Callable[[Any], str]]] = [
        (name, heading, numbers.count) for name, heading in counts if any(getattr(cell, name) for cell in cells)
    ]
    for name, heading, format_value in (("tokens", "tokens", numbers.count), ("distinct", "distinct", numbers.percent)):
        if any(getattr(cell, name) is not None for cell in cells):
            columns.append((name, heading, format_value))
    return columns


def _group_cautions(cells: list[Cell]) -> list[str]:
    """The cautions beside the rates, each one once with the arms that it holds for."""
    arms_by_caution: dict[str, list[str]] = {}
    for cell in cells:
        if cell.caution:
            arms_by_caution.setdefault(cell.caution, []).append(cell.arm)
    trained = sum(cell.arm != BASE for cell in cells)
    return [
        caution if len(arms) == trained else f"{', '.join(arms)}: {caution}"
        for caution, arms in arms_by_caution.items()
    ]


def _drawn_contexts(results: Results) -> list[tuple[str, str]]:
    """Settings and contexts of the line figures; empty where these show all."""
    drawn = main_contexts(results)
    return drawn if len(drawn) < len({(cell.setting, cell.context) for cell in results.cells}) else []


def _partial_counts(samples: Samples) -> dict[tuple[str, str, str], tuple[int, int]]:
    """(Arm, setting, context) -> (embedded, total), for those that are not completely in the page."""
    counts: dict[tuple[str, str, str], tuple[int, int]] = {}
    for cell in samples.cells:
        embedded, total = counts.get((cell.arm, cell.setting, cell.context), (0, 0))
        counts[cell.arm, cell.setting, cell.context] = embedded + cell.embedded, total + cell.total
    return {place: (embedded, total) for place, (embedded, total) in counts.items() if embedded < total}


def _is_notable(bounds: tuple[float, float]) -> bool:
    """Whether samples without an outcome can move a rate by more than a point."""
    return bounds[1] - bounds[0] > 0.01


def _row_view(results: Results, cell: Cell) -> dict[str, Any]:
    counts = {name: rate.count for name, rate in cell.outcomes.items()} | {"ungraded": cell.ungraded}
    description = f"{cell.bar_samples:,} samples of {cell.arm}, {cell.context}"
    return {
        "cell": cell,
        "segments": [
            {
                "outcome": name,
                "count": count,
                "share": 100 * count / cell.bar_samples,
                "href": _samples_link(cell, outcome=name),
                "label": _segment_label(cell, name, count),
                "title": f"{results.label(cell.setting, name)}: {count:,} of {description}",
            }
            for name, count in counts.items()
            if count
        ],
    }


def _segment_label(cell: Cell, name: str, count: int) -> str:
    """The rate as in the table, if the segment of the bar is wide enough for it."""
    if count / cell.bar_samples < 0.07:
        return ""
    rate = cell.outcomes[name].rate if name in cell.outcomes else None
    return numbers.percent(count / cell.bar_samples if rate is None else rate)


def _samples_link(cell: Cell, **more_filters: str) -> str:
    """A link that sets the filters of the sample reader."""
    filters = {
        "arm": cell.arm,
        "setting": cell.setting,
        "context": cell.context,
        "at": repr(cell.at).removesuffix(".0"),
    }
    return "#samples?" + urlencode(filters | more_filters, errors="backslashreplace")


def _tag_view(results: Results) -> dict[str, Any]:
    """Tags by setting, context and arm: the number of samples by kind of evidence."""
    cells = [cell for cell in results.main_cells() if cell.tags]
    totals: dict[str, int] = {}
    for cell in cells:
        for tag, kinds in cell.tags.items():
            totals[tag] = totals.get(tag, 0) + sum(int(number(kind) or 0) for kind in kinds.values())
    names = sorted(totals, key=lambda name: (-totals[name], name))
    rows: list[dict[str, Any]] = [
        {
            "cell": cell,
            "tags": [
                {
                    "kinds": [(kind, cell.tags[name].get(kind) or 0) for kind in EVIDENCE_KINDS]
                    if name in cell.tags
                    else [],
                    "href": _samples_link(cell, tag=name),
                }
                for name in names
            ],
        }
        for cell in cells
    ]
    settings = list(dict.fromkeys(cell.setting for cell in cells))
    return {
        "names": names,
        "groups": [(setting, [row for row in rows if row["cell"].setting == setting]) for setting in settings],
    }


def contrast_view(results: Results, contrast: Contrast, index: int, others: Sequence[Contrast]) -> dict[str, Any]:
    """A contrast, and the positions of its interval in percent of an axis that it shares with others."""
    values = [abs(value) for c in others for value in (c.low, c.high, c.difference, c.margin) if value is not None]
    limit = min(1.0, math.ceil(10 * max([0.1, *values])) / 10)

    def at(value: float | None) -> float | None:
        return None if value is None else min(100.0, max(0.0, 50 + 50 * value / limit))

    statuses = [guard.status for guard in contrast.guards]
    direction_labels = {"lower": "lower", "higher": "higher", "same": "the same"}
    extended = {key: number(contrast.extended.get(key)) for key in ("difference", "low", "high")}
    return {
        "measure": results.label(contrast.setting, contrast.measure),
        "floor": [(arm, rate) for arm, rate in contrast.floor if rate.rate is not None],
        "bounds": contrast.bounds if len(contrast.bounds) == 2 and _is_notable(contrast.bounds) else None,
        "extended": extended if contrast.extended else None,
        "needed": text(contrast.needed.get("sentence")),
        "contrast": contrast,
        "undecided": contrast.verdict == "descriptive",
        "id": f"contrast-{index}",
        "reach": limit,
        "estimate": at(contrast.difference),
        "low": at(contrast.low),
        "high": at(contrast.high),
        "margin": 50 * contrast.margin / limit if contrast.margin else None,
        "expected": direction_labels.get(contrast.direction, ""),
        "open": [(status, statuses.count(status)) for status in ("red", "amber") if status in statuses],
    }


def _sensitivity_view(claim: dict[str, Any]) -> dict[str, Any]:
    """A claim and its repetitions at other learning rates."""
    keys = ("difference", "low", "high")
    return {
        "claim": text(claim.get("claim")),
        "sentence": text(claim.get("sentence")),
        "survives": bool(claim.get("survives")),
        "over": ", ".join(describe_key(key) for key in claim.get("over") or ()),
        "repeats": [
            {key: number(repeat.get(key)) for key in keys}
            | {"value": numbers.plain(repeat.get("value")), "verdict": text(repeat.get("verdict"))}
            | {"arms": " against ".join(map(str, repeat.get("arms") or ()))}
            for repeat in map(mapping, claim.get("repeats") or ())
        ],
    }


def _change_views(results: Results) -> list[dict[str, Any]]:
    """By setting: the reference arms, and each arm's changes against them."""
    by_setting: dict[str, dict[str, dict[str, Any]]] = {}
    for change in results.changes:
        by_setting.setdefault(change["setting"], {}).setdefault(change["arm"], {})[change["than"]] = change
    return [
        {
            "setting": setting,
            "label": results.label(setting, "correct"),
            "than": list(dict.fromkeys(than for changes in arms.values() for than in changes)),
            "arms": arms,
        }
        for setting, arms in by_setting.items()
    ]


def _factorial_view(results: Results) -> dict[str, Any]:
    factorial = results.factorial
    return factorial | {"label": results.label(factorial["setting"], factorial["measure"])} if factorial else {}


def _elicitation_view(elicitation: dict[str, Any]) -> dict[str, Any]:
    """The correlations and their intervals, formatted."""
    if not elicitation:
        return {}

    correlations = [
        entry
        | {"value": numbers.signed(entry["correlation"])}
        | {
            "interval": f"{numbers.signed(entry['low'])} to {numbers.signed(entry['high'])}"
            if entry["low"] is not None
            else ""
        }
        for entry in elicitation["correlations"]
    ]
    return elicitation | {"correlations": correlations}


def _describe_looks(looks: list[dict[str, Any]]) -> str:
    """The planned looks, if there are several."""
    if len(looks) < 2:
        return ""
    levels = [(number(look.get("seeds")), number(look.get("level"))) for look in looks]
    planned = "; ".join(f"after {numbers.count(n)} seeds at the level {numbers.p_value(level)}" for n, level in levels)
    return f"The study planned these looks before it ran, each with its share of the level: {planned}."


def _check_views(results: Results) -> list[dict[str, str]]:
    order = {"red": 0, "amber": 1, "green": 2}
    checks = [
        {key: text(check.get(key)) for key in ("name", "status", "sentence")} | {"detail": numbers.detail(check)}
        for check in results.checks
    ]
    return sorted(checks, key=lambda check: order.get(check["status"], 3))


def _training_views(results: Results) -> list[dict[str, Any]]:
    lines = [{key: entry.get(key) for key in TRAINING} for entry in results.training]
    for line, entry in zip(lines, results.training, strict=True):
        values = [number(value) for _, value in entry.get("loss") or ()]
        line["loss"] = f"{values[-1]:.3f}" if values and values[-1] is not None else numbers.UNKNOWN
    return lines


def _describe_missing(cell: Any) -> str:
    if not isinstance(cell, dict):
        return numbers.plain(cell)
    keys = ("arm", "seed", "at", "setting", "context")
    place = ", ".join(f"{key} {numbers.plain(cell[key])}" for key in keys if cell.get(key) is not None)
    reason = text(cell.get("reason")) or text(cell.get("why"))
    return f"{place}: {reason}" if reason else place
