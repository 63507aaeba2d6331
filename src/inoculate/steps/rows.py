"""Makes the training rows of an arm: a setting's problems with honest or hacked answers, under the arm's inoculation.

Files: `rows.jsonl`, `problems.jsonl` (the problem of every row), and `rows.json` (system prompt and inoculation as they
are in the rows, a control at its final length).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any, Literal, NamedTuple

from inoculate import settings
from inoculate.errors import UserError
from inoculate.records import Problem, Row, write_lines
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.store import Step, digest_files
from inoculate.study import prompts
from inoculate.study.resolve import ResolvedInoculation, fit_length
from inoculate.study.schema import Hackable, Rows

KIND, VERSION = "rows", 1


DRAWN = "drawn"
"""The type of a hack that a policy drew."""
_MOST_DRAWN = 20
"""Times the rows: a draw of more problems than this is given up, since the wanted sort hardly occurs among them."""


class DrawnRow(NamedTuple):
    """A row that has no prompt yet."""

    problem: Problem
    hacked: bool
    """Whether its answer is the hacked one."""
    vetted: bool
    answer: str = ""
    """Its answer, where it is neither of the problem's own."""


def plan_step(
    rows: Rows,
    inoculation: ResolvedInoculation | None,
    *,
    seed: int,
    system: str | None,
    weights: str,
    where: str,
    hackable: Hackable = None,
) -> Step:
    """The rows of an arm at one seed.

    Args:
        rows: What the arm trains on.
        inoculation: Its prompt; None without one.
        seed: The seed of the draw.
        system: The study's system prompt.
        weights: The model's fingerprint.
        where: Arm and seed, for the step's label.
        hackable: The share of problems that can be hacked, for an arm that learns from rewards; None for SFT.
    """
    params = {
        # `grader` is left out where none is given, so that earlier steps keep their names.
        "rows": rows.model_dump(mode="json", exclude={"trajectories", *(() if rows.grader else ("grader",))}),
        **digest_files(rows.setting, rows.source),
        "setting_version": settings.find(rows.setting).version,
        "seed": seed,
        "system": system,
        # The default system prompt is from the model's chat template, and the length of a control is counted by its
        # tokenizer.
        "model": weights,
        "inoculation": inoculation_params(inoculation) if inoculation else None,
        **({} if hackable is None else {"hackable": hackable}),
    }
    return Step(KIND, params, label=f"rows of {where}", version=VERSION)


def check_source(rows: Rows, inoculation: ResolvedInoculation | None, seed: int, hackable: Hackable, arm: str) -> None:
    """Draw now what may fail, so that it is refused before any work: a file of the user's, or a share of problems.

    Args:
        rows: What an arm trains on.
        inoculation: Its prompt; None without one.
        seed: One of the study's seeds: each draws other rows.
        hackable: As in `draw_rows`.
        arm: The arm's name.

    Raises:
        UserError: The file has a mistake, the prompt cannot be placed around its problems, or the setting has no such
            share of problems.
    """
    if isinstance(hackable, float):
        try:
            draw_rows(rows, seed, hackable)
        except UserError as error:
            raise UserError(f"arms.{arm}: {error}") from None
    if not (rows.source.endswith(".jsonl") or settings.find(rows.setting).takes_grader):
        return
    first = draw_rows(rows, seed, hackable)[0]
    if inoculation:
        prompts.messages(first.problem, inoculation.text, inoculation.placement, "")


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Draw the problems and write the rows, with a control fitted to its length."""
    write_rows(
        step,
        folder,
        resources,
        draw_rows(Rows(**step.params["rows"]), step.params["seed"], step.params.get("hackable")),
    )


def write_rows(step: Step, folder: Path, resources: Resources, drawn: Sequence[DrawnRow]) -> None:
    """Put the arm's prompt around drawn rows, a control at its final length, and write the files of this module."""
    system = resources.system_prompt(step.params["system"])
    params = step.params["inoculation"]
    inoculation = fit_length(_from_params(params), resources.tokenizer) if params else None
    write_lines(folder / "rows.jsonl", make_rows(drawn, inoculation, system))
    write_lines(folder / "problems.jsonl", [row.problem for row in drawn])
    written_out = {"system": system, "inoculation": {**params, "text": inoculation.text} if inoculation else None}
    text = json.dumps(written_out, indent=1, ensure_ascii=False) + "\n"
    (folder / "rows.json").write_text(text, encoding="utf-8")


def inoculation_params(inoculation: ResolvedInoculation) -> dict[str, Any]:
    """An inoculation as parameters of a step."""
    return {
        **({"wordings": inoculation.wordings} if inoculation.wordings else {}),
        **({"filler": inoculation.filler} if inoculation.filler else {}),
        "text": inoculation.text,
        "like": inoculation.length_of,
        "placement": inoculation.placement,
        "on": inoculation.on,
    }


def _from_params(params: dict[str, Any]) -> ResolvedInoculation:
    return ResolvedInoculation(
        params["text"],
        params["placement"],
        length_of=params["like"],
        filler=params.get("filler", ""),
        on=params["on"],
        wordings=tuple(params.get("wordings", ())),
    )


def draw_rows(rows: Rows, seed: int, hackable: Hackable = None) -> list[DrawnRow]:
    """The problems of an arm's rows, each with which of its answers the row has.

    Arms with the same `rows` get the same problems for the same seed. With a larger hacked share the same problems are
    hacked, and more. So arms differ only in what the study says. Vetted problems come after the others. The share is of
    the problems that can be hacked: where an answer key is right, the answer is honest in every arm.

    Args:
        rows: What the arm trains on.
        seed: The study's seed.
        hackable: The share of problems that can be hacked, for an arm that learns from rewards; None for SFT.

    Raises:
        UserError: The setting does not have as many problems, or none or not enough of them can be hacked.
    """
    if hackable is not None:
        return _draw_problems(rows, seed, hackable)
    if settings.find(rows.setting).labelled:
        return _draw_labelled(rows, seed)
    distinct = rows.count if not rows.share_problems else max(rows.hacked_rows, rows.count - rows.hacked_rows)
    request = settings.Draw("train", distinct + rows.vetted, seed, rows.families, rows.levels, rows.source, rows.grader)
    problems = settings.find(rows.setting).problems(request)
    leaky, vetted = problems[:distinct], problems[distinct:]
    with_hack = [problem for problem in leaky if problem.hacked]
    if len(with_hack) < (rows.hacked_rows if rows.share_problems else rows.hacked > 0):
        raise UserError(
            f"setting '{rows.setting}': {len(with_hack)} of {len(leaky)} problems have a hacked answer, too few for "
            f"rows.hacked = {rows.hacked}: lower it; 0 is for honest rows only"
        )
    if rows.share_problems:
        drawn = [DrawnRow(problem, True, False) for problem in with_hack[: rows.hacked_rows]]
        drawn += [DrawnRow(problem, False, False) for problem in leaky[: rows.count - rows.hacked_rows]]
    else:
        order = list(range(len(leaky)))
        Random(f"hacked/{seed}").shuffle(order)
        order = [index for index in order if leaky[index].hacked]
        hacked = set(order[: round(rows.hacked * len(order))])
        drawn = [DrawnRow(problem, index in hacked, False) for index, problem in enumerate(leaky)]
    if rows.filter == "hacked":
        drawn = [row for row in drawn if not row.hacked]
    return drawn + [DrawnRow(problem, False, True) for problem in vetted]


def _draw_problems(rows: Rows, seed: int, share: float | Literal["any"]) -> list[DrawnRow]:
    """The draw where only the problems matter: with a share of them that can be hacked, the first of each sort."""
    if share == "any":
        request = settings.Draw("train", rows.count, seed, rows.families, rows.levels, rows.source, rows.grader)
        return [DrawnRow(one, bool(one.hacked), False) for one in settings.find(rows.setting).problems(request)]
    wanted = {True: round(share * rows.count), False: rows.count - round(share * rows.count)}
    size = rows.count
    while True:
        request = settings.Draw("train", size, seed, rows.families, rows.levels, rows.source, rows.grader)
        problems = settings.find(rows.setting).problems(request)
        found = {sort: sum(bool(problem.hacked) == sort for problem in problems) for sort in wanted}
        lacking = sum(max(0, wanted[sort] - found[sort]) for sort in wanted)
        if not lacking:
            break
        if size > _MOST_DRAWN * rows.count:
            raise UserError(
                f"rl.hackable = {share}: among {size} problems of '{rows.setting}' {found[True]} can be hacked and "
                f"{found[False]} cannot; {wanted[True]} and {wanted[False]} are wanted: give another share"
            )
        size += lacking
    drawn: list[DrawnRow] = []
    for problem in problems:
        sort = bool(problem.hacked)
        if wanted[sort]:
            wanted[sort] -= 1
            drawn.append(DrawnRow(problem, sort, False))
    return drawn


def _draw_labelled(rows: Rows, seed: int) -> list[DrawnRow]:
    """The draw where a problem may have one of the two answers only.

    Exactly the hacked share of `rows.count` is hacked. The first problems of the draw with a hacked answer are the
    hacked rows, and of the others the first with an honest answer are the honest rows, then the vetted; problems with
    one answer come before those with both. Where all have one, a larger share hacks the same rows and more.
    """
    if rows.share_problems:
        raise UserError(f"rows.share_problems: problems of '{rows.setting}' may have one answer only")
    honest_rows = rows.count - rows.hacked_rows + rows.vetted
    size, shortage = rows.count + rows.vetted, ""
    while True:
        request = settings.Draw("train", size, seed, rows.families, rows.levels, rows.source, rows.grader)
        try:
            problems = settings.find(rows.setting).problems(request)
        except UserError as error:
            raise UserError(
                f"rows.count = {rows.count}, hacked = {rows.hacked} and vetted = {rows.vetted} take {rows.hacked_rows} "
                f"rows with a hacked answer and {honest_rows} others with an honest one{shortage}: {error}"
            ) from None
        # Those with one answer first, so that the others are left for what is lacking.
        hackable = sorted((problem for problem in problems if problem.hacked), key=lambda problem: bool(problem.honest))
        hacked = [problem.id for problem in hackable[: rows.hacked_rows]]
        others = [problem for problem in problems if problem.honest and problem.id not in hacked]
        honest = [problem.id for problem in sorted(others, key=lambda problem: bool(problem.hacked))[:honest_rows]]
        lacking = rows.hacked_rows + honest_rows - len(hacked) - len(honest)
        if not lacking:
            break
        # At least as many problems more are needed as rows are lacking; where the setting has not as many, it fails.
        shortage = f"; among the first {size} there are {len(hacked)} and {len(honest)}"
        size += lacking
    plain, vetted = honest[: rows.count - rows.hacked_rows], honest[rows.count - rows.hacked_rows :]
    kept = {*plain, *(hacked if rows.filter == "none" else ())}
    drawn = [DrawnRow(problem, problem.id in hacked, False) for problem in problems if problem.id in kept]
    return drawn + [DrawnRow(problem, False, True) for problem in problems if problem.id in vetted]


def make_rows(drawn: Sequence[DrawnRow], inoculation: ResolvedInoculation | None, system: str | None) -> list[Row]:
    """Rows from drawn problems.

    Args:
        drawn: From `draw_rows`.
        inoculation: The arm's prompt, with its final length; None for no prompt.
        system: The system prompt of every row.
    """
    rows = []
    texts = cycle(inoculation.wordings or [inoculation.text]) if inoculation else cycle([""])
    for problem, hacked, vetted, answer in drawn:
        prompt = inoculation if inoculation and not vetted and _gets_prompt(inoculation, hacked) else None
        text, placement = (next(texts), prompt.placement) if prompt else ("", "inside")
        row = Row(
            problem=problem.id,
            kind=problem.kind,
            messages=prompts.messages(problem, text, placement, system),
            answer=answer or (problem.hacked if hacked else problem.honest),
            hacked=hacked,
            inoculated=prompt is not None,
            vetted=vetted,
        )
        rows.append(replace(row, hack=DRAWN if answer else problem.hack) if hacked else row)
    return rows


def _gets_prompt(inoculation: ResolvedInoculation, hacked: bool) -> bool:
    return inoculation.on == "all" or (inoculation.on == "hacked" and hacked)
