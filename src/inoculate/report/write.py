"""Write a report: read the results, draw the figures, pack the samples, render the page."""

from __future__ import annotations

import os
from pathlib import Path

from inoculate.report.figures import draw_report_figures
from inoculate.report.page import render
from inoculate.report.results import read_results
from inoculate.report.samples import collect_samples
from inoculate.report.tables import write_tables


def write_report(run: Path) -> Path:
    """Write `report.html`, `figures/` and `tables/` of a run, from its results, manifest and samples.

    Args:
        run: The folder of a run, with results.json and manifest.json.

    Returns:
        The path of the page.

    Raises:
        UserError: The folder is not a run, or its files have another schema or are damaged.
    """
    results = read_results(run)
    samples = collect_samples(results)
    figures = draw_report_figures(results, run / "figures")
    tables = write_tables(results, samples, run / "tables")
    page = run / "report.html"
    unfinished = run / "report.html.part"
    # A lone surrogate in a text cannot be encoded: it is written as its escape.
    unfinished.write_text(render(results, samples, figures, tables), encoding="utf-8", errors="backslashreplace")
    os.replace(unfinished, page)
    return page
