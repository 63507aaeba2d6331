"""The command line: thin, and free of torch until a command needs it."""

from __future__ import annotations

import errno
import os
import select
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from inoculate import __version__
from inoculate.errors import UserError, nearest
from inoculate.records import SPLITS, Split

app = App(
    name="inoculate",
    help="Does an inoculation prompt work, on this model and data; what does it cost, and how sure are we?",
    version=__version__,
    suppress_keyboard_interrupt=False,  # `guarded` says what is kept
)
new = App(name="new", help="Write a file to begin with.")
app.command(new)
StoreFolder = Annotated[Path, Parameter(name="--store", env_var="INOCULATE_STORE", help="Folder of finished steps.")]
DEFAULT_STORE = Path("store")


@app.command
def demo(*, store: StoreFolder = DEFAULT_STORE, quick: bool = False) -> None:
    """Run a small real study and show what came out.

    Args:
        store: Folder of finished steps.
        quick: Fewer rows and problems: a look at how it goes, too few to conclude from.
    """
    run("demo-quick" if quick else "demo", store=store)


@app.command
def run(study: str, *, store: StoreFolder = DEFAULT_STORE, server: str = "", track: str = "") -> None:
    """Carry out a study: what is finished in the store is not done again.

    Args:
        study: A study file, or the name of a ready-made study.
        store: Folder of finished steps.
        server: Sample from this OpenAI-compatible server (http://localhost:8000/v1) instead of in this process.
        track: Also send training metrics to tensorboard, trackio or wandb.
    """
    from inoculate.integrations import trackers
    from inoculate.progress import Console
    from inoculate.steps import run as running
    from inoculate.steps.plan import make
    from inoculate.steps.store import Store
    from inoculate.study.parse import load
    from inoculate.study.ready_made import find

    path = find(study)
    declared = load(path)
    trackers.choose(track)
    if declared.elicitation:
        screen(study, store=store, server=server)
    with Console() as console:
        plan = make(declared, server=server)
        folder = running.carry_out(plan, Store(store), console, path.read_text(encoding="utf-8"))
    report(str(folder), store=store)


@app.command
def plan(study: str, *, store: StoreFolder = DEFAULT_STORE, server: str = "") -> None:
    """Show the steps of a study, which are finished, and about how long the rest will take.

    Args:
        study: A study file, or the name of a ready-made study.
        store: Folder of finished steps.
        server: The server that would sample: its samples are other steps than those of this process.
    """
    from rich.console import Console

    from inoculate.cli.tables import plan_table
    from inoculate.engine.models import Unreachable
    from inoculate.steps.plan import make
    from inoculate.steps.store import Store
    from inoculate.study.parse import load
    from inoculate.study.ready_made import find

    console, declared = Console(), load(find(study))
    if declared.elicitation:
        problems = f"{declared.screen.problems} problems for each"
        console.print(f"`inoculate run` first screens the prompts on the untrained model: {problems}, not counted here")
    try:
        console.print(plan_table(make(declared, server=server), Store(store)))
    except Unreachable as error:
        console.print(plan_table(make(declared, "unknown", server), Store(store)))
        console.print(f"{error}\nUntil then the names of the steps, and which are finished, are not known.")


@app.command
def screen(study: str, *, store: StoreFolder = DEFAULT_STORE, server: str = "") -> None:
    """Screen prompts before training: how strongly each elicits the hack on the untrained model.

    The candidates are the inoculations of the study's arms and `screen.prompts`.

    Args:
        study: A study file, or the name of a ready-made study.
        store: Folder of finished steps.
        server: Sample from this OpenAI-compatible server; answers are scored in this process all the same.
    """
    from rich.console import Console as Terminal

    from inoculate.analysis import analyse_screen, screen_table
    from inoculate.progress import Console
    from inoculate.report.screen import draw_screen
    from inoculate.steps import run as running
    from inoculate.steps.screen import make_screen
    from inoculate.steps.store import Store
    from inoculate.study.parse import load
    from inoculate.study.ready_made import find

    path = find(study)
    with Console() as console:
        plan = make_screen(load(path), server)
        folder = running.carry_out(plan, Store(store), console, path.read_text(encoding="utf-8"))
    found = analyse_screen(folder)
    figure = draw_screen(found, folder / "figures")
    terminal = Terminal()
    terminal.print(screen_table(found))
    terminal.print(f"\n{folder / 'screen.json'}\n{figure}", soft_wrap=True)


@app.command
def studies() -> None:
    """List the ready-made studies."""
    from rich.console import Console

    from inoculate.cli.tables import studies_table

    Console().print(studies_table())


@app.command
def prompts() -> None:
    """List the named prompts with their texts and sources."""
    from rich.console import Console

    from inoculate.cli.tables import prompts_table

    Console().print(prompts_table())


@app.command
def report(run: str, *, store: StoreFolder = DEFAULT_STORE, contrast: tuple[str, ...] = ()) -> None:
    """Analyse a run again and rebuild its tables, results.json and report.html.

    Args:
        run: A run's folder, or the name of its study.
        store: Folder of finished steps.
        contrast: A further contrast, exploratory: "measure=hack lower=ARM than=ARM context=neutral".
    """
    from rich.console import Console

    from inoculate.analysis import analyse, read_contrast, report_tables
    from inoculate.report import write_report
    from inoculate.steps.store import Store

    folder = Store(store).find_run(run)
    results = analyse(folder, [read_contrast(text) for text in contrast])
    console = Console()
    for table in report_tables(results):
        console.print(table)
    console.print(results["headline"], style="bold")
    for caution in results["cautions"]:
        console.print(f"- {caution}")
    page = write_report(folder)
    console.print(f"\n{folder / 'results.json'}\n{page}", soft_wrap=True)


@app.command
def compare(*runs: str, to: Path = Path("comparison"), store: StoreFolder = DEFAULT_STORE) -> None:
    """Put runs side by side: their rates, their claims, and what differs between them.

    Args:
        runs: Two runs or more: their folders, or the names of their studies.
        to: Where the page, its figures and its tables go.
        store: Folder of finished steps.
    """
    from rich.console import Console

    from inoculate.report.comparison import compare as put
    from inoculate.report.comparison import comparison_tables, write_comparison
    from inoculate.steps.store import Store

    comparison = put([Store(store).find_run(run) for run in runs])
    console = Console()
    for table in comparison_tables(comparison):
        console.print(table)
    console.print(f"\n{write_comparison(comparison, to)}", soft_wrap=True)


@app.command
def export(run: str, *, to: Path, store: StoreFolder = DEFAULT_STORE) -> None:
    """Write a run for others' tools: rows and samples as JSON lines and Parquet, Inspect logs, a methods section.

    Args:
        run: A run's folder, or the name of its study.
        to: A folder that is not there yet, or is empty.
        store: Folder of finished steps.
    """
    from inoculate.integrations.export import export as write
    from inoculate.progress import Console
    from inoculate.steps.store import Store

    with Console() as console:
        done = write(Store(store).find_run(run), to, lambda done, total: console.moved(done, total, "cells written"))
    print(f"{to}: {done.rows} rows, {done.samples} samples, methods.md")
    if done.logs is None:
        print("no Inspect logs: they need inspect_ai, pip install 'inoculate[inspect]'")
    else:
        print(f"{done.logs} Inspect logs: inspect view --log-dir {to / 'logs'}")
    if done.cells_missing or done.rows_missing:
        print(f"not there yet: {done.cells_missing} cells, and the rows of {done.rows_missing} trainings")


@app.command
def sample(
    setting: str, *, count: int = 3, split: str = "development", seed: int = 0, source: str = "", grader: str = ""
) -> None:
    """Show problems of a setting, each with its honest and hacked answer.

    Args:
        setting: The setting's name, or a Python file of your own.
        count: How many problems.
        split: train, development or test.
        seed: Of the draw.
        source: Where the data is, for settings that load it.
        grader: Your own grader, for settings that take one: file.py:function.
    """
    from inoculate import checking
    from inoculate.settings import Draw, find

    for problem in find(setting).problems(Draw(_split(split), count, seed, source=source, grader=grader)):
        print(f"== {problem.id} (family {problem.family}, level {problem.level})\n{checking.shown_text(problem)}\n")
        print(f"-- honest\n{problem.honest}\n\n-- hacked ({problem.hack})\n{problem.hacked}\n")


@app.command
def check(setting: str, *, count: int = 200, source: str = "", grader: str = "") -> None:
    """Prove a setting sound before anything is trained on it; exits with 1 if it is not.

    Args:
        setting: A setting's name, or a Python file of your own.
        count: Problems of each split to check.
        source: Where the data is, for settings that load it.
        grader: Your own grader, for settings that take one: file.py:function.
    """
    from rich.console import Console

    from inoculate import checking

    console = Console()
    with console.status("") as status:
        found = checking.check(setting, count=count, source=source, grader=grader, on_start=status.update)
        findings = list(found)
    console.print(checking.findings_table(setting, findings))
    for title, path in checking.write_faults(findings).items():
        console.print(f"{title}: the counterexample, whole: {path}", soft_wrap=True)
    failed = sum(finding.ok is False for finding in findings)
    console.print(f"{failed} of {len(findings)} checks failed" if failed else f"all {len(findings)} checks passed")
    if failed:
        raise SystemExit(1)


@new.command(name="setting")
def new_setting(name: str) -> None:
    """Write NAME.py into this folder: a small setting that works, to be changed into your own.

    Args:
        name: The setting's name.
    """
    from inoculate.cli.new import new_setting as write

    path = write(name, Path())
    print(f"{path}: look at it with `inoculate sample ./{path}`, prove it with `inoculate check ./{path}`")


def _split(given: str) -> Split:
    known: dict[str, Split] = {split: split for split in SPLITS}
    if given not in known:
        raise UserError(f"unknown split '{given}': {nearest(given, known)}")
    return known[given]


@app.command
def grade(
    lines: Path,
    *,
    out: Path,
    setting: str = "",
    split: str = "test",
    count: int = 100,
    seed: int = 0,
    source: str = "",
    grader: str = "",
    unsafe_sandbox: bool = False,
) -> None:
    """Grade anybody's completions by running them in the sandbox.

    Args:
        lines: JSON lines with id, entry_point, shown_tests, hidden_tests, completion; with --setting: id, problem,
            completion.
        out: Where the graded lines go.
        setting: Grade completions of this setting's problems, named by their ids.
        split: Which problems of the setting: train, development or test.
        count: How many problems were drawn.
        seed: Of the draw.
        source: Where the data is, for settings that load it.
        grader: Your own grader, for settings that take one: file.py:function.
        unsafe_sandbox: Run even where there is no sandbox worth the name.
    """
    from inoculate.grading.command import grade_file, grade_file_of_problems
    from inoculate.progress import Console
    from inoculate.settings import Draw, find

    with Console() as console:

        def progress(done: int, total: int) -> None:
            console.moved(done, total, "graded")

        if setting:
            known = find(setting)
            problems = known.problems(Draw(_split(split), count, seed, source=source, grader=grader))
            graded = grade_file_of_problems(lines, out, problems, known.grade, unsafe=unsafe_sandbox, progress=progress)
        else:
            graded = grade_file(lines, out, unsafe=unsafe_sandbox, progress=progress)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in graded.outcomes.items())
    print(f"{graded.count} completions graded ({counts}) at containment level '{graded.containment}': {out}")


@app.command
def doctor(*, fetch: str = "") -> None:
    """Say what this machine can do: sandbox, device, embedded models.

    Args:
        fetch: Also download and convert this model, so that runs need no network.
    """
    from rich.console import Console

    from inoculate.cli.tables import doctor_table
    from inoculate.engine import models
    from inoculate.grading.command import doctor as examine

    console = Console()
    if fetch:
        console.print(f"{fetch}: {models.fetch(fetch, console.print)}")
    console.print(doctor_table(examine()))


def main() -> None:
    """Run the command line; a user's mistake is one clear sentence and exit code 2."""
    sys.exit(guarded(lambda: app(exit_on_error=False, print_error=False)))


def guarded(command: Callable[[], object]) -> int:
    """Carry out a command and turn what users can mend into a sentence.

    Returns:
        The exit code: 0, 2 for a user's mistake, 130 after Ctrl-C, 141 where nobody read on (`| head`).
    """
    try:
        command()
        sys.stdout.flush()  # here and not at the interpreter's end, where an error can no longer be caught
    except (UserError, CycloptsError) as error:
        return _tell(str(error), 2)
    except KeyboardInterrupt:
        return _tell("stopped; finished steps are kept, and the same command goes on from them", 130)
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _unread():
            # What is left to be written, also at the interpreter's end, goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 141
        if error.errno == errno.ENOSPC:
            return _tell(
                f"no space left on the disk ({error.filename or 'while writing'}); finished steps are kept: "
                "free some space and run the same command again",
                2,
            )
        if isinstance(error, PermissionError):
            return _tell(f"not allowed: {error.filename}: {error.strerror}", 2)
        raise
    return 0


def _unread() -> bool:
    """Whether it is standard output that has lost its reader, and not a pipe of the sandbox's."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in output.poll(0))


def _tell(words: str, code: int) -> int:
    print(f"inoculate: {words}", file=sys.stderr)
    return code
