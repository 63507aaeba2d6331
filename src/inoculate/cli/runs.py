"""Commands about runs: report, compare, export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inoculate.cli.options import DEFAULT_STORE, AsJson, StoreFolder
from inoculate.cli.output import console, print_json


def report(
    run: str, *, store: StoreFolder = DEFAULT_STORE, contrast: tuple[str, ...] = (), as_json: AsJson = False
) -> None:
    """Analyse a run again: tables, results.json and report.html.

    Args:
        run: A run's folder, or the name of its study.
        store: The folder of finished steps.
        contrast: A further contrast, exploratory: "measure=hack lower=ARM than=ARM context=neutral".
        as_json: Print one JSON document instead of text.
    """
    from inoculate.analysis import analyse, read_contrast
    from inoculate.report import write_report
    from inoculate.steps.store import Store

    folder = Store(store).find_run(run)
    results = analyse(folder, [read_contrast(text) for text in contrast])
    if as_json:
        write_report(folder)
        print_json(results)
    else:
        _print_results(results)
        page = write_report(folder)
        console().print(f"\n{folder / 'results.json'}\n{page}", soft_wrap=True)


def _print_results(results: dict[str, Any]) -> None:
    from inoculate.analysis import report_tables

    terminal = console()
    for table in report_tables(results):
        terminal.print(table)
    terminal.print(results["headline"], style="bold")
    for caution in results["cautions"]:
        terminal.print(f"- {caution}")


def compare(
    *runs: str, to: Path = Path("comparison"), store: StoreFolder = DEFAULT_STORE, as_json: AsJson = False
) -> None:
    """Put runs side by side: rates, claims, and what differs.

    Args:
        runs: Two runs or more: their folders, or the names of their studies.
        to: The folder for the page, its figures and its tables.
        store: The folder of finished steps.
        as_json: Print one JSON document instead of text.
    """
    from inoculate.report.comparison import compare as compare_runs
    from inoculate.report.comparison import comparison_data, comparison_tables, write_comparison
    from inoculate.steps.store import Store

    comparison = compare_runs([Store(store).find_run(run) for run in runs])
    if as_json:
        write_comparison(comparison, to)
        print_json(comparison_data(comparison))
        return
    terminal = console()
    for table in comparison_tables(comparison):
        terminal.print(table)
    terminal.print(f"\n{write_comparison(comparison, to)}", soft_wrap=True)


def export(run: str, *, to: Path, store: StoreFolder = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Write a run for other tools: JSON lines, Parquet, Inspect logs, a methods section.

    Args:
        run: A run's folder, or the name of its study.
        to: A folder that does not exist yet, or is empty.
        store: The folder of finished steps.
        as_json: Print one JSON document instead of text.
    """
    from dataclasses import asdict

    from inoculate.integrations.export import export as export_run
    from inoculate.progress import TerminalProgress
    from inoculate.steps.store import Store

    with TerminalProgress() as display:
        display.start("export")
        folder = Store(store).find_run(run)
        written = export_run(folder, to, lambda done, total: display.on_progress(done, total, "cells written"))
    if as_json:
        print_json({"folder": str(to), **asdict(written)})
        return
    print(f"{to}: {written.rows} rows, {written.samples} samples, methods.md")
    if written.logs is None:
        print("no Inspect logs: they need inspect_ai, pip install 'inoculate[inspect]'")
    else:
        print(f"{written.logs} Inspect logs: inspect view --log-dir {to / 'logs'}")
    if written.cells_missing or written.rows_missing:
        print(f"not there yet: {written.cells_missing} cells, and the rows of {written.rows_missing} trainings")
