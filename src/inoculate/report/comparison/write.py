"""A comparison as one page, figures, CSV and JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from inoculate.records import new_folder, write_json
from inoculate.report.bars import draw_forest
from inoculate.report.comparison.rl import describe_take_off, rl_data, seed_rows
from inoculate.report.comparison.runs import Comparison, Side
from inoculate.report.figures import FigureSpec, draw_figures
from inoculate.report.page import STYLES, contrast_view, environment, inline_figure, read_static
from inoculate.report.picture import draw_picture
from inoculate.report.results import SCORED, Cell, Contrast, Results
from inoculate.report.tables import (
    CONTRASTS,
    ONSET_COLUMNS,
    OUTCOMES,
    RL_COLUMNS,
    contrast_lines,
    onset_lines,
    outcome_lines,
    rl_lines,
    write_table,
)

SCHEMA = 1
RUNS_PER_FIGURE = 3
"""Number of runs in one figure. With more, the panels would be too narrow to read."""
_PAGE = "comparison.html"
_FIGURE_FILE = re.compile(r"(rates-\d+-\d+|contrasts)\.(svg|png)")


def write_comparison(comparison: Comparison, folder: Path) -> Path:
    """Write `comparison.html`, `comparison.json`, `figures/` and `tables/`, whole or not at all.

    Args:
        comparison: The comparison.
        folder: A folder that does not exist yet, or is empty.

    Returns:
        The path of the page.

    Raises:
        UserError: There is something in the folder.
    """
    with new_folder(folder) as staging:
        _write(comparison, staging)
    return folder / _PAGE


def _write(comparison: Comparison, folder: Path) -> None:
    figures = draw_figures(_figure_specs(comparison), folder / "figures", _FIGURE_FILE)
    _write_tables(comparison, folder / "tables")
    write_json(folder / "comparison.json", comparison_data(comparison))
    places = [
        {
            "setting": setting,
            "context": context,
            "arms": comparison.cells(setting, context),
            "figures": [
                inline_figure(figure) for name, figure in figures.items() if name.startswith(f"rates-{place}-")
            ],
        }
        for place, (setting, context) in enumerate(comparison.places(), 1)
    ]
    html = (
        environment()
        .get_template("comparison.html")
        .render(
            comparison=comparison,
            sides=comparison.sides,
            places=places,
            claims=_claim_views(comparison),
            rewarded=_rewarded_views(comparison),
            scored=SCORED,
            label=_merge_results(comparison.sides).label,
            policy="default-src 'none'; style-src 'unsafe-inline'; img-src data:",
            css=Markup(read_static((*STYLES, "comparison.css"))),
        )
    )
    (folder / _PAGE).write_text(html, encoding="utf-8", errors="backslashreplace")


def _figure_specs(comparison: Comparison) -> Iterator[FigureSpec]:
    merged = _merge_results(comparison.sides)
    for number, (setting, context) in enumerate(comparison.places(), 1):
        panels = [(setting, side.label, _main_cells(side, setting, context)) for side in comparison.sides]
        panels = [panel for panel in panels if any(cell.outcomes["hack"].rate is not None for cell in panel[2])]
        for part, first in enumerate(range(0, len(panels), RUNS_PER_FIGURE), 1):
            figure_panels = panels[first : first + RUNS_PER_FIGURE]
            yield FigureSpec(
                f"rates-{number}-{part}",
                f"Rates in {setting}, {context}",
                lambda width, figure_panels=figure_panels: draw_picture(merged, figure_panels, width),
            )
    contrasts = [
        replace(contrast, claim=f"{contrast.claim} ({side.label})")
        for claim in comparison.claims
        for side, contrast in zip(comparison.sides, claim.contrasts, strict=True)
        if contrast and contrast.difference is not None
    ]
    if contrasts:
        yield FigureSpec("contrasts", "Contrasts", lambda width: draw_forest(merged, contrasts, width), file_only=True)


def _main_cells(side: Side, setting: str, context: str) -> list[Cell]:
    return [cell for cell in side.results.main_cells() if (cell.setting, cell.context) == (setting, context)]


def _merge_results(sides: Iterable[Side]) -> Results:
    """The results that figures need, for all runs at once: the arms in order, with what the runs agree on."""
    runs = [side.results for side in sides]
    arms: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(name for run in runs for name in run.study.get("arms") or ()):
        specs = [run.arm(name) for run in runs if run.arm(name)]
        arms[name] = {key: value for key, value in specs[0].items() if all(spec.get(key) == value for spec in specs)}
        if "inoculation" not in arms[name]:
            arms[name]["inoculation"] = {"prompt": "not the same prompt"}
    return replace(
        runs[0],
        study={"arms": arms},
        cells=[cell for run in runs for cell in run.cells],
        labels={setting: labels for run in runs for setting, labels in run.labels.items()},
    )


def _claim_views(comparison: Comparison) -> list[dict[str, Any]]:
    all_contrasts = [contrast for claim in comparison.claims for contrast in claim.contrasts if contrast]
    return [
        {
            "claim": claim,
            "sides": [
                {"label": side.label, "v": contrast and contrast_view(side.results, contrast, number, all_contrasts)}
                for side, contrast in zip(comparison.sides, claim.contrasts, strict=True)
            ],
        }
        for number, claim in enumerate(comparison.claims, 1)
    ]


def _rewarded_views(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "name": arm.name,
            "differences": arm.differences(),
            "sides": [
                {
                    "label": side.label,
                    "took_off": describe_take_off(found) if found else "",
                    "rule": found["rule_sentence"] if found else "",
                    "rows": seed_rows(found) if found else [],
                }
                for side, found in zip(comparison.sides, arm.by_run, strict=True)
            ],
        }
        for arm in comparison.rewarded
    ]


def _write_tables(comparison: Comparison, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, heading, lines in (
        ("outcomes", OUTCOMES.split(), outcome_lines),
        ("contrasts", CONTRASTS.split(), contrast_lines),
        ("rl", RL_COLUMNS, rl_lines),
        ("onset", ONSET_COLUMNS, onset_lines),
    ):
        rows = ([side.label, *line] for side in comparison.sides for line in lines(side.results))
        write_table(folder / f"{name}.csv", ["run", *heading], rows)
    heading = ["what", *(side.label for side in comparison.sides)]
    write_table(folder / "differences.csv", heading, ([key, *values] for key, values in comparison.differences))


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """The comparison as docs/results-schema.md describes it."""
    labels = [side.label for side in comparison.sides]
    return {
        "schema": SCHEMA,
        "runs": [_run_data(side) for side in comparison.sides],
        "notes": list(comparison.notes),
        "differences": [
            {"what": key, "values": dict(zip(labels, values, strict=True))} for key, values in comparison.differences
        ],
        "outcomes": [
            {"run": side.label, **dict(zip(OUTCOMES.split(), line, strict=True))}
            for side in comparison.sides
            for line in outcome_lines(side.results)
        ],
        "rl": rl_data(comparison.rewarded, labels),
        "claims": [
            {
                **{key: getattr(claim, key) for key in ("words", "measure", "setting", "context", "direction")},
                "arms": [claim.arm, claim.other],
                "runs": {
                    label: contrast and _contrast_data(contrast)
                    for label, contrast in zip(labels, claim.contrasts, strict=True)
                },
            }
            for claim in comparison.claims
        ],
    }


def _run_data(side: Side) -> dict[str, Any]:
    results = side.results
    return {
        "label": side.label,
        "name": results.name,
        "folder": str(results.run),
        "question": results.question,
        "model": results.study.get("model"),
        "seeds": results.study.get("seeds"),
        "created": results.created,
        "study_hash": side.hash,
        "cells": side.total,
        "finished": side.finished,
        "headline": results.headline,
        "cautions": results.cautions,
    }


def _contrast_data(contrast: Contrast) -> dict[str, Any]:
    keys = ("difference", "low", "high", "p", "p_adjusted", "margin", "verdict", "why", "seeds", "problems")
    guards = {guard.name: guard.status for guard in contrast.guards}
    return {key: getattr(contrast, key) for key in keys} | {"exploratory": contrast.exploratory, "guards": guards}
