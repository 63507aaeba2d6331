"""A comparison as one page, figures, CSV and JSON."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from inoculate.analysis.results import write_json
from inoculate.report.bars import forest
from inoculate.report.comparison.runs import Comparison, Side
from inoculate.report.figures import Sketch, draw_sketches
from inoculate.report.page import STYLES, environment, inlined, joined, verdict
from inoculate.report.picture import picture
from inoculate.report.results import SCORED, Cell, Contrast, Results
from inoculate.report.tables import CONTRASTS, OUTCOMES, contrast_lines, outcome_lines, write_table

SCHEMA = 1
BESIDE = 3
"""Runs in one figure: more would be too narrow to read."""
_OURS = re.compile(r"(rates-\d+-\d+|contrasts)\.(svg|png)")


def write_comparison(comparison: Comparison, folder: Path) -> Path:
    """Write `comparison.html`, `comparison.json`, `figures/` and `tables/`.

    Args:
        comparison: The runs side by side.
        folder: Made if it is not there; files of an earlier comparison are written anew.

    Returns:
        The path of the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures = draw_sketches(_sketches(comparison), folder / "figures", _OURS)
    _tables(comparison, folder / "tables")
    write_json(folder / "comparison.json", comparison_data(comparison))
    places = [
        {
            "setting": setting,
            "context": context,
            "arms": comparison.cells(setting, context),
            "figures": [inlined(drawn) for name, drawn in figures.items() if name.startswith(f"rates-{place}-")],
        }
        for place, (setting, context) in enumerate(comparison.places(), 1)
    ]
    words = (
        environment()
        .get_template("comparison.html")
        .render(
            comparison=comparison,
            sides=comparison.sides,
            places=places,
            claims=_claims(comparison),
            scored=SCORED,
            label=_merged(comparison.sides).label,
            policy="default-src 'none'; style-src 'unsafe-inline'; img-src data:",
            css=Markup(joined((*STYLES, "comparison.css"))),
        )
    )
    page, unfinished = folder / "comparison.html", folder / "comparison.html.part"
    unfinished.write_text(words, encoding="utf-8", errors="backslashreplace")
    os.replace(unfinished, page)
    return page


def _sketches(comparison: Comparison) -> Iterator[Sketch]:
    merged = _merged(comparison.sides)
    for place, (setting, context) in enumerate(comparison.places(), 1):
        panels = [(setting, side.label, _there(side, setting, context)) for side in comparison.sides]
        panels = [panel for panel in panels if any(cell.outcomes["hack"].rate is not None for cell in panel[2])]
        for part, first in enumerate(range(0, len(panels), BESIDE), 1):
            beside = panels[first : first + BESIDE]
            yield Sketch(
                f"rates-{place}-{part}",
                f"Rates in {setting}, {context}",
                lambda width, beside=beside: picture(merged, beside, width),
            )
    contrasts = [
        replace(found, claim=f"{found.claim} ({side.label})")
        for claim in comparison.claims
        for side, found in zip(comparison.sides, claim.found, strict=True)
        if found and found.difference is not None
    ]
    if contrasts:
        yield Sketch("contrasts", "Contrasts", lambda width: forest(merged, contrasts, width), file_only=True)


def _there(side: Side, setting: str, context: str) -> list[Cell]:
    return [cell for cell in side.results.main_cells() if (cell.setting, cell.context) == (setting, context)]


def _merged(sides: Iterable[Side]) -> Results:
    """What figures ask of a study, for all runs at once: the arms in order, as far as the runs agree on them."""
    runs = [side.results for side in sides]
    arms: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(name for run in runs for name in run.study.get("arms") or ()):
        given = [run.arm(name) for run in runs if run.arm(name)]
        arms[name] = {key: value for key, value in given[0].items() if all(one.get(key) == value for one in given)}
        if "inoculation" not in arms[name]:
            arms[name]["inoculation"] = {"prompt": "not the same prompt"}
    return replace(
        runs[0],
        study={"arms": arms},
        cells=[cell for run in runs for cell in run.cells],
        labels={setting: labels for run in runs for setting, labels in run.labels.items()},
    )


def _claims(comparison: Comparison) -> list[dict[str, Any]]:
    every = [found for claim in comparison.claims for found in claim.found if found]
    return [
        {
            "claim": claim,
            "sides": [
                {"label": side.label, "v": found and verdict(side.results, found, place, every)}
                for side, found in zip(comparison.sides, claim.found, strict=True)
            ],
        }
        for place, claim in enumerate(comparison.claims, 1)
    ]


def _tables(comparison: Comparison, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, heading, lines in (("outcomes", OUTCOMES, outcome_lines), ("contrasts", CONTRASTS, contrast_lines)):
        rows = ([side.label, *line] for side in comparison.sides for line in lines(side.results))
        write_table(folder / f"{name}.csv", ["run", *heading.split()], rows)
    heading = ["what", *(side.label for side in comparison.sides)]
    write_table(folder / "differences.csv", heading, ([key, *values] for key, values in comparison.differences))


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """The comparison as docs/results-schema.md describes it."""
    labels = [side.label for side in comparison.sides]
    return {
        "schema": SCHEMA,
        "runs": [_run(side) for side in comparison.sides],
        "notes": list(comparison.notes),
        "differences": [
            {"what": key, "values": dict(zip(labels, values, strict=True))} for key, values in comparison.differences
        ],
        "outcomes": [
            {"run": side.label, **dict(zip(OUTCOMES.split(), line, strict=True))}
            for side in comparison.sides
            for line in outcome_lines(side.results)
        ],
        "claims": [
            {
                **{key: getattr(claim, key) for key in ("words", "measure", "setting", "context", "direction")},
                "arms": [claim.arm, claim.other],
                "runs": {label: found and _found(found) for label, found in zip(labels, claim.found, strict=True)},
            }
            for claim in comparison.claims
        ],
    }


def _run(side: Side) -> dict[str, Any]:
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


def _found(found: Contrast) -> dict[str, Any]:
    keys = ("difference", "low", "high", "p", "p_adjusted", "margin", "verdict", "why", "seeds", "problems")
    guards = {guard.name: guard.status for guard in found.guards}
    return {key: getattr(found, key) for key in keys} | {"exploratory": found.exploratory, "guards": guards}
