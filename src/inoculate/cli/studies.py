"""Commands that carry out a study or a screen, or list the steps of one."""

from __future__ import annotations

from shlex import join
from typing import TYPE_CHECKING, Any

from inoculate.cli import runs
from inoculate.cli.options import (
    DEFAULT_STORE,
    GOES_ON,
    AsJson,
    ListSteps,
    Seeds,
    StoreFolder,
    stopped,
    store_words,
)
from inoculate.cli.output import console, print_json
from inoculate.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from inoculate.steps.run import Incomplete, Place
    from inoculate.steps.store import Store


@stopped(GOES_ON)
def demo(*, store: StoreFolder = DEFAULT_STORE, quick: bool = False, as_json: AsJson = False) -> None:
    """Run a small real study and show what came out.

    Args:
        store: The folder of finished steps.
        quick: Use fewer rows and problems. This shows how a run goes; it is too little to conclude from.
        as_json: Print one JSON document instead of text.
    """
    run("demo-quick" if quick else "demo", store=store, as_json=as_json)


@stopped(GOES_ON)
def run(
    study: str,
    *,
    store: StoreFolder = DEFAULT_STORE,
    seeds: Seeds = "",
    server: str = "",
    ray: str = "",
    track: str = "",
    as_json: AsJson = False,
) -> None:
    """Carry out a study. Steps that are finished are not done again.

    Args:
        study: A study file, or the name of a ready-made study.
        store: The folder of finished steps.
        seeds: Only what these seeds of the study take. The untrained model belongs to the study's first seed.
        server: Sample from this OpenAI-compatible server (http://localhost:8000/v1) instead of in this process.
        ray: Carry out the steps on a Ray cluster: `auto` (the one that this machine belongs to), HOST:PORT, or `local`
            (this machine alone, several steps at once).
        track: Send training metrics to tensorboard, trackio or wandb.
        as_json: Print one JSON document instead of text.
    """
    from inoculate.integrations import trackers
    from inoculate.progress import TerminalProgress
    from inoculate.steps.cluster.drive import on_cluster
    from inoculate.steps.plan import make_plan
    from inoculate.steps.run import carry_out_most, refuse_incomplete
    from inoculate.steps.seeds import choose_seeds
    from inoculate.steps.working_copy import open_store
    from inoculate.study.parse import load, located
    from inoculate.study.ready_made import find

    path = find(study)
    declared = load(path)
    chosen = choose_seeds(seeds, declared.seeds)
    trackers.choose(track)
    steps = open_store(store)
    left_out: list[Incomplete] = []
    source = path.read_text(encoding="utf-8")
    with on_cluster(ray, TerminalProgress().on_message) as place:
        if declared.elicitation and (chosen is None or declared.seeds[0] in chosen):
            folder, results = _screen(study, steps, server, left_out, place)
            if not as_json:
                _print_screen(folder, results)
        with TerminalProgress() as progress, located(path):
            plan = make_plan(declared, server=server)
            folder = carry_out_most(plan, steps, progress, source, left_out, chosen, place=place)
    try:
        runs.report(str(folder), store=store, as_json=as_json)
        steps.publish_run(folder)
    except UserError:
        if not left_out:
            raise
    refuse_incomplete(left_out)  # after what there is to report


def plan(
    study: str,
    *,
    store: StoreFolder = DEFAULT_STORE,
    seeds: Seeds = "",
    server: str = "",
    listed: ListSteps = False,
    as_json: AsJson = False,
) -> None:
    """Say how long a study takes, how much memory, what is missing, and which contrasts it can decide.

    Args:
        study: A study file, or the name of a ready-made study.
        store: The folder of finished steps.
        seeds: Only what these seeds of the study take. The untrained model belongs to the study's first seed.
        server: The server that would sample. Its samples are other steps than those of this process.
        listed: List the steps too, and which are finished.
        as_json: Print one JSON document instead of text.
    """
    from rich.console import Console

    from inoculate.cli.tables import plan_facts, plan_table
    from inoculate.engine.models import Unreachable
    from inoculate.steps import refusals
    from inoculate.steps.plan import make_plan
    from inoculate.steps.screen import make_screen_plan
    from inoculate.steps.seeds import choose_seeds
    from inoculate.steps.working_copy import open_store
    from inoculate.study.parse import load, located
    from inoculate.study.ready_made import find

    finished = open_store(store)
    finished.check_writable()
    path, unreachable = find(study), ""
    declared = load(path)
    chosen = choose_seeds(seeds, declared.seeds)
    screened = bool(declared.elicitation) and (chosen is None or declared.seeds[0] in chosen)
    with located(path), Console(stderr=True).status(f"looking at the data and the model {declared.model}"):
        try:
            planned = make_plan(declared, server=server)
        except Unreachable as error:
            planned, unreachable = make_plan(declared, "unknown", server), str(error)
        refusals.check_here(planned, finished, chosen)
        if screened and not unreachable:
            make_screen_plan(declared, server)  # refused now where it could not be carried out
        facts = plan_facts(planned, finished, chosen) | {"screened": screened, "unreachable": unreachable}
    if as_json:
        print_json(facts)
        return
    terminal = console()
    if screened:
        problems = f"{declared.screen.problems} problems for each"
        terminal.print(
            f"`inoculate run` first screens the prompts on the untrained model: {problems}, not counted here"
        )
    same = [study, *store_words(store), *(["--seeds", seeds] if seeds else [])]
    terminal.print(plan_table(facts, ["inoculate", "preflight", *same], listed))
    if not listed:
        command = ["inoculate", "plan", *same, "--steps", *(["--server", server] if server else [])]
        terminal.print(f"\nThe steps one by one: `{join(command)}`", soft_wrap=True, markup=False)
    if unreachable:
        terminal.print(f"{unreachable}\nUntil then the names of the steps, and which are finished, are not known.")


@stopped(GOES_ON)
def step(study: str, /, *names: str, store: StoreFolder = DEFAULT_STORE, server: str = "") -> None:
    """Carry out single steps of a study, as a task of a cluster's queue does (docs/cluster.md).

    A step that is finished is not done again. When all are finished, `inoculate run` makes the report.

    Args:
        study: A study file, or the name of a ready-made study.
        names: The names of the steps, as `inoculate plan STUDY --steps` lists them, or their beginnings.
        store: The folder of finished steps.
        server: Sample from this OpenAI-compatible server. Its samples are other steps than those of this process.
    """
    from inoculate.progress import TerminalProgress
    from inoculate.steps.plan import make_plan
    from inoculate.steps.run import carry_out_named
    from inoculate.steps.working_copy import open_store
    from inoculate.study.parse import load, located
    from inoculate.study.ready_made import find

    if not names:
        same = [study, *store_words(store), *(["--server", server] if server else [])]
        raise UserError(f"which step? `{join(['inoculate', 'plan', *same, '--steps'])}` lists them")
    path = find(study)
    with TerminalProgress() as progress, located(path):
        planned = make_plan(load(path), server=server)
        finished = carry_out_named(planned, open_store(store), progress, names)
    for label in finished:
        print(f"{label}: was finished before")


@stopped(GOES_ON)
def screen(study: str, *, store: StoreFolder = DEFAULT_STORE, server: str = "", as_json: AsJson = False) -> None:
    """Measure how strongly each prompt elicits the hack before training.

    The prompts are the inoculations of the study's arms, and those of `screen.prompts`.

    Args:
        study: A study file, or the name of a ready-made study.
        store: The folder of finished steps.
        server: Sample from this OpenAI-compatible server. Answers are scored in this process all the same.
        as_json: Print one JSON document instead of text.
    """
    from inoculate.steps.run import refuse_incomplete
    from inoculate.steps.working_copy import open_store

    left_out: list[Incomplete] = []
    folder, results = _screen(study, open_store(store), server, left_out)
    if as_json:
        print_json(results)
    else:
        _print_screen(folder, results)
    refuse_incomplete(left_out)


@stopped(GOES_ON)
def preflight(study: str, *, store: StoreFolder = DEFAULT_STORE, seeds: Seeds = "", as_json: AsJson = False) -> None:
    """Sample the untrained policy for each RL arm, and forecast whether the hack will be learned.

    Args:
        study: A study file, or the name of a ready-made study.
        store: The folder of finished steps.
        seeds: Only the problems that these seeds of the study draw.
        as_json: Print one JSON document instead of text.
    """
    from inoculate.cli.tables import forecast_text
    from inoculate.progress import TerminalProgress
    from inoculate.steps.forecasts import preflight_steps, read_forecasts
    from inoculate.steps.plan import make_plan
    from inoculate.steps.run import carry_out_most, refuse_incomplete
    from inoculate.steps.seeds import choose_seeds
    from inoculate.steps.working_copy import open_store
    from inoculate.study.parse import load, located
    from inoculate.study.ready_made import find

    path = find(study)
    declared = load(path)
    chosen, steps = choose_seeds(seeds, declared.seeds), open_store(store)
    left_out: list[Incomplete] = []
    with TerminalProgress() as progress, located(path):
        planned = make_plan(declared)
        sampled = preflight_steps(planned, chosen)
        if not sampled:
            raise UserError(f"study '{declared.name}' has no arm that is trained by RL: arms.NAME.method = \"rl\"")
        carry_out_most(planned, steps, progress, path.read_text(encoding="utf-8"), left_out, chosen, only=sampled)
    found = read_forecasts(planned, steps, chosen)
    if as_json:
        print_json({"name": declared.name, "arms": [one.to_plain() for one in found]})
    else:
        console().print(forecast_text(found), soft_wrap=True)
    refuse_incomplete(left_out)


def _screen(
    study: str, store: Store, server: str, left_out: list[Incomplete], place: Place | None = None
) -> tuple[Path, dict[str, Any]]:
    """Carry out a screen; returns its run folder and its results. `left_out` gets what could not be made."""
    from inoculate.analysis import analyse_screen
    from inoculate.progress import TerminalProgress
    from inoculate.report.screen import draw_screen
    from inoculate.steps.run import carry_out_most
    from inoculate.steps.screen import make_screen_plan
    from inoculate.study.parse import load, located
    from inoculate.study.ready_made import find

    path = find(study)
    with TerminalProgress() as progress, located(path):
        planned = make_screen_plan(load(path), server)
        source = path.read_text(encoding="utf-8")
        folder = carry_out_most(planned, store, progress, source, left_out, place=place)
    results = analyse_screen(folder)
    draw_screen(results, folder / "figures")
    store.publish_run(folder)
    return folder, results


def _print_screen(folder: Path, results: dict[str, Any]) -> None:
    from inoculate.analysis import screen_table

    terminal = console()
    terminal.print(screen_table(results))
    figure = folder / "figures" / "screen.svg"
    files = [str(path) for path in (folder / "screen.json", figure) if path.exists()]
    terminal.print("\n" + "\n".join(files), soft_wrap=True)
