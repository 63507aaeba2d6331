"""Draws the problems that arms are evaluated on: `problems.jsonl`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from inoculate import settings
from inoculate.errors import UserError, under
from inoculate.records import Problem, read_lines, write_lines
from inoculate.steps import hub_data
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.store import Step, digest_files
from inoculate.study import prompts
from inoculate.study.resolve import ResolvedStudy
from inoculate.study.schema import EvaluatedSetting

KIND, VERSION = "problems", 1
_MANY = 1000
"""Problems with programs that are drawn before any work if more are asked for, which takes about a minute."""
_SECONDS = 5.0
"""How long another process draws problems of a user's own setting with programs, or of few families, beforehand."""
_FEWER, _REFUSED = 3, 4
_OTHER_PROCESS = f"""
import json, sys
from inoculate.errors import UserError
from inoculate.settings import Draw, TooFew, find
name, draw = json.loads(sys.argv[1])
try:
    find(name).problems(Draw(**draw))
except UserError as error:
    print(error)
    sys.exit({_FEWER} if isinstance(error, TooFew) else {_REFUSED})
"""
"""Draws problems: one process that can be stopped, whatever a user's setting does there."""


def plan_step(resolved: ResolvedStudy, setting: str) -> Step:
    """The problems of one evaluated setting, the same for every arm, seed and context."""
    study = resolved.study
    evaluate, own = study.evaluate.for_setting(setting), study.evaluate.each.get(setting, EvaluatedSetting())
    task = settings.find(setting)
    # Keys that were added later are left out where they are empty, so that existing steps keep their names.
    params: dict[str, Any] = {
        "setting": setting,
        "setting_version": task.version,
        "source": own.source,
        **digest_files(setting, own.source),
        **({"grader": own.grader} if own.grader else {}),
        "split": evaluate.split,
        "count": evaluate.problems,
        "seed": evaluate.seed,
        "families": evaluate.families,
        "levels": evaluate.levels,
        **({"twins": True} if task.twin and study.keys_measuring_gamed(setting) else {}),
    }
    return Step(KIND, params, label=f"{evaluate.problems} problems of {setting}", version=VERSION)


def check_source(resolved: ResolvedStudy, step: Step) -> str:
    """Read a file of the user's now, and count problems, so that mistakes are refused before any work.

    Args:
        resolved: The study.
        step: From `plan_step`.

    Returns:
        What is not known yet; '' where all is.

    Raises:
        UserError: The file has a mistake, the setting has too few problems, or a context cannot be placed around them.
    """
    setting = step.params["setting"]
    each = resolved.study.evaluate.each.get(setting)
    own = f".each.{setting}" if each and each.problems else ""
    try:
        if not settings.is_read_first(setting, step.params["source"]):
            return draw_some(setting, _as_draw(step))
        first = draw(step)[0]
    except settings.TooFew as error:
        raise UserError(str(error), key=f"evaluate{own}.problems") from None
    except UserError as error:
        field = name_field(str(error), step.params["source"], step.params.get("grader", ""))
        raise UserError(f"evaluate.{f'each.{setting}.{field}' if field else 'settings'}: {error}") from None
    for context in resolved.evaluated[setting]:
        prompt = resolved.context(context, setting)
        own = resolved.study.contexts.get(context)
        with under(f"contexts.{context}") if own and own.placement else nullcontext():
            prompts.messages(first, prompt.text, prompt.placement, "")
    return ""


def name_field(refusal: str, source: str, grader: str) -> Literal["source", "grader", ""]:
    """Which of two fields a refusal of a draw is about, as far as it names the file; '' where it names neither."""
    return "grader" if grader and grader in refusal else "source" if source and source in refusal else ""


def draw_some(setting: str, asked: settings.Draw) -> str:
    """Draw problems that have programs before any work.

    One, to see that there are any, or all if they are very many. Of a user's own setting, and of few families, of which
    there may not be many, as many as are asked for, but for a few seconds only.

    Args:
        setting: A setting whose problems are not read first; of a data set none is drawn.
        asked: What is asked for.

    Returns:
        What is not known, as a sentence; '' where there can be no doubt of it.

    Raises:
        TooFew: There are not as many.
        UserError: A family or level does not exist, or a data set.
    """
    task = settings.find(setting)
    if task.needs_source:
        return hub_data.look_for(asked.source)
    task.problems(replace(asked, count=asked.count if asked.count > _MANY else 1))
    if asked.count == 1 or asked.count > _MANY or not (settings.is_file(setting) or asked.families):
        return ""
    return _draw_for_a_while(setting, asked)


def _draw_for_a_while(setting: str, asked: settings.Draw) -> str:
    command = [sys.executable, "-P", "-c", _OTHER_PROCESS, json.dumps([setting, asdict(asked)])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return (
            f"whether {setting} has {asked.count} problems for {asked.split}: drawing them takes longer than "
            f"{_SECONDS:g} s, and is left to the run"
        )
    if done.returncode == _FEWER:
        raise settings.TooFew(done.stdout.strip())
    if done.returncode == _REFUSED:
        raise UserError(done.stdout.strip())
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise UserError(f"{setting}: {asked.count} problems for {asked.split} cannot be drawn: {last}")
    return ""


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Draw the problems."""
    write_drawn(step, folder)


def write_drawn(step: Step, folder: Path) -> None:
    """Draw the problems and write them; for the measure `gamed`, their twins follow."""
    drawn = draw(step)
    twin = settings.find(step.params["setting"]).twin
    if step.params.get("twins") and twin:
        drawn += [twin_problem for twin_problem in map(twin, drawn) if twin_problem]
    write_lines(folder / "problems.jsonl", drawn)


def read(folder: Path) -> list[Problem]:
    """The problems in the folder of a finished step."""
    return list(read_lines(folder / "problems.jsonl", Problem))


def count_parts(step: Step) -> Mapping[str, int] | None:
    """Part -> its number of problems; None where they are not drawn before any work.

    Args:
        step: From `plan_step`.
    """
    if not settings.is_read_first(step.params["setting"], step.params["source"]):
        return None
    return settings.count_parts(step.params["setting"], _as_draw(step))


def draw(step: Step) -> list[Problem]:
    """Draw the problems of a step from `plan_step`, without writing them."""
    return settings.find(step.params["setting"]).problems(_as_draw(step))


def _as_draw(step: Step) -> settings.Draw:
    params = step.params
    return settings.Draw(
        params["split"],
        params["count"],
        params["seed"],
        tuple(params["families"]),
        tuple(params["levels"]),
        params["source"],
        params.get("grader", ""),
    )
