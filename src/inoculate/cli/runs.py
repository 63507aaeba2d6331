"""Commands about runs: report, compare, export, import."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from shlex import join
from typing import Any

from inoculate.cli.options import DEFAULT_STORE, AsJson, Seeds, StoreFolder, stopped, store_words
from inoculate.cli.output import console, print_json
from inoculate.errors import UserError


@stopped("finished steps are as they were, and the same command writes tables and report anew")
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
    from inoculate.steps.working_copy import find_run

    folder = find_run(run, store)
    results = analyse(folder, [read_contrast(text) for text in contrast])
    if as_json:
        write_report(folder)
        print_json(results)
    else:
        _print_results(results)
        page = write_report(folder)
        console().print(f"\n{folder / 'results.json'}\n{page}", soft_wrap=True)


def _print_results(results: dict[str, Any]) -> None:
    from inoculate.analysis import report_tables, show_names

    terminal, results = console(), show_names(results)
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
        to: A new folder for the page, its figures and its tables; it must not exist yet, or be empty.
        store: The folder of finished steps.
        as_json: Print one JSON document instead of text.
    """
    from inoculate.report.comparison import compare as compare_runs
    from inoculate.report.comparison import comparison_data, comparison_tables, write_comparison
    from inoculate.steps.working_copy import find_run

    comparison = compare_runs([find_run(run, store) for run in runs])
    page = write_comparison(comparison, to)
    if as_json:
        print_json(comparison_data(comparison))
        return
    terminal = console()
    for table in comparison_tables(comparison):
        terminal.print(table)
    terminal.print(f"\n{page}", soft_wrap=True)


def export(
    run: str,
    *,
    to: Path | None = None,
    graded: Path | None = None,
    trajectories: Path | None = None,
    transcripts: Path | None = None,
    where: str = "",
    machine: str = "",
    seeds: Seeds = "",
    store: StoreFolder = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Write a run for other tools (--to, --trajectories, --transcripts), or for another machine (--graded).

    What is written is new: nothing that is there is overwritten.

    Args:
        run: A run's folder, or the name of its study.
        to: A folder for JSON lines, Parquet, Inspect logs and a methods section; it must not exist yet, or be empty.
        graded: A file for the graded samples of the finished cells, without weights: `inoculate import` reads it.
        trajectories: A new file for the completions that RL has drawn: .jsonl, .parquet or .eval (an Inspect log).
        transcripts: The same for the fresh samples of an RL policy that rows were chosen from.
        where: With --trajectories and --transcripts: which are kept, as "steps=5-11 outcome=hack". Keys: arm, steps,
            hackable (yes, no), outcome, reward (the least), oversight and intended (passed, failed), tag, without-tag,
            finish=stop, graded=yes.
        machine: With --graded: a name for this machine; by default its system and processor, never the host's name.
        seeds: With --graded, --trajectories and --transcripts: only these seeds. With --graded the untrained model
            belongs to the study's first seed.
        store: The folder of finished steps.
        as_json: Print one JSON document instead of text.
    """
    from inoculate.steps.working_copy import find_run

    if sum(path is not None for path in (to, graded, trajectories, transcripts)) != 1:
        raise UserError(
            "give one of --to FOLDER (for other tools), --trajectories FILE (of RL), --transcripts FILE (fresh samples "
            "of its policy) and --graded FILE (for another machine)"
        )
    if machine and graded is None:
        raise UserError("--machine belongs to --graded FILE")
    if seeds and to is not None:
        raise UserError("--seeds belongs to --graded, --trajectories and --transcripts FILE, and not to --to FOLDER")
    drawn = trajectories or transcripts
    if where and drawn is None:
        raise UserError("--where belongs to --trajectories FILE and --transcripts FILE")
    folder = find_run(run, store)
    if graded is not None:
        _export_graded(folder, graded, machine, seeds, as_json)
    elif drawn is not None:
        _export_trajectories(folder, drawn, where, seeds, as_json, fresh=transcripts is not None)
    elif to is not None:
        _export_folder(folder, to, as_json)


def _export_trajectories(folder: Path, path: Path, where: str, seeds: str, as_json: bool, fresh: bool) -> None:
    from inoculate.analysis.run_folder import read_run
    from inoculate.analysis.trajectories import read_filter
    from inoculate.integrations.trajectories import export_trajectories
    from inoculate.progress import TerminalProgress
    from inoculate.steps.seeds import choose_seeds

    keep = read_filter(where, choose_seeds(seeds, read_run(folder).study.get("seeds") or ()) or ())
    with TerminalProgress() as display:
        display.start("export")
        written = export_trajectories(
            folder, path, keep, lambda done: display.on_progress(done, done, "trajectories written"), fresh=fresh
        )
    if as_json:
        print_json({"file": str(path), **asdict(written)})
        return
    print(f"{path}: {written.count} of {written.left['all']} trajectories")
    for words, left in list(written.left.items())[1:]:
        print(f"- {words}: {left} left")
    if written.unfinished:
        print(f"not there yet: {'; '.join(written.unfinished)}")


def _export_graded(folder: Path, path: Path, machine: str, seeds: str, as_json: bool) -> None:
    from inoculate.analysis.run_folder import read_run
    from inoculate.progress import TerminalProgress
    from inoculate.steps.seeds import choose_seeds
    from inoculate.steps.sharing.write import write_graded

    chosen = choose_seeds(seeds, read_run(folder).study.get("seeds") or ())
    with TerminalProgress() as display:
        display.start("export")
        written = write_graded(
            folder,
            path,
            machine=machine,
            seeds=chosen,
            progress=lambda done, total: display.on_progress(done, total, "steps written"),
        )
    if as_json:
        print_json({"file": str(path), **asdict(written)})
        return
    noun = "seed" if len(written.seeds) == 1 else "seeds"
    trained = f"{noun} {', '.join(map(str, written.seeds))}" if written.seeds else "no trained arm"
    print(f"{path}: {written.cells} finished cells ({trained}), {written.bytes / 1000:,.0f} kB")
    if written.missing:
        print(f"not there yet: {written.missing} cells")


@stopped("what is imported so far is kept, and the same command does the rest")
def import_graded(path: Path, /, *, store: StoreFolder = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Take over finished cells of a study from another machine, so that plan, run and report count them.

    Args:
        path: A file that `inoculate export RUN --graded FILE` wrote.
        store: The folder of finished steps.
        as_json: Print one JSON document instead of text.
    """
    from inoculate.progress import TerminalProgress
    from inoculate.steps.sharing.read import import_graded as import_file
    from inoculate.steps.working_copy import open_store

    with TerminalProgress() as display:
        display.start("import")
        result = import_file(path, open_store(store), lambda done: display.on_progress(done, done, "steps checked"))
    if as_json:
        print_json(asdict(result) | {"run": result.run and str(result.run)})
        return
    known = f", {result.known_steps} were here already" if result.known_steps else ""
    print(f"{result.name}: {result.new_steps} steps imported{known} (from {'; '.join(result.machines)})")
    for note in result.notes:
        print(f"- {note}")
    if result.run:
        print(f"{result.finished} of {result.of} cells are finished, {result.cells} of them in this file")
        print(join(["inoculate", "report", result.name, *store_words(store)]))


def _export_folder(folder: Path, to: Path, as_json: bool) -> None:
    from inoculate.integrations.export import export as export_run
    from inoculate.progress import TerminalProgress

    with TerminalProgress() as display:
        display.start("export")
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
