"""Writing a report: read once, draw, pack the samples, fill the page."""

from __future__ import annotations

import os
from pathlib import Path

from inoculate.report.figures import draw
from inoculate.report.page import render
from inoculate.report.results import read_results
from inoculate.report.samples import collect
from inoculate.report.tables import write_tables


def write_report(run: Path) -> Path:
    """Write `report.html`, `figures/` and `tables/` of a run, from its results, manifest and samples.

    Args:
        run: The folder of a run, with results.json and manifest.json.

    Returns:
        The path of the page.

    Raises:
        UserError: The folder is no run, or its files are of another schema or damaged.
    """
    results = read_results(run)
    samples = collect(results)
    figures = draw(results, run / "figures")
    tables = write_tables(results, samples, run / "tables")
    page = run / "report.html"
    unfinished = run / "report.html.part"
    # A lone surrogate in a text cannot be encoded: it is shown as its escape.
    unfinished.write_text(render(results, samples, figures, tables), encoding="utf-8", errors="backslashreplace")
    os.replace(unfinished, page)
    return page
