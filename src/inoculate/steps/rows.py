"""Training rows: a setting's problems with honest and hacked answers, under the prompt of an arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle
from random import Random
from typing import Any

from inoculate.errors import UserError
from inoculate.records import Problem, Row
from inoculate.settings import Draw, find
from inoculate.study import prompts
from inoculate.study.schema import Rows


def draw(rows: Rows, seed: int) -> list[tuple[Problem, bool, bool]]:
    """The problems of an arm's rows, each with whether its answer is hacked and whether it is vetted.

    Arms with the same `rows` get the same problems for the same seed, and a larger hacked share hacks the same
    problems and more, so that arms differ in nothing but what they say. Vetted problems follow after the others.
    The share is of the problems that can be hacked: where an answer key is right, the answer is honest in every arm.

    Args:
        rows: What the arm trains on.
        seed: The study's seed.

    Raises:
        UserError: The setting does not have as many problems, or none or not enough of them can be hacked.
    """
    if find(rows.setting).labelled:
        return _labelled(rows, seed)
    distinct = rows.count if not rows.share_problems else max(rows.hacked_rows, rows.count - rows.hacked_rows)
    wanted = Draw("train", distinct + rows.vetted, seed, rows.families, rows.levels, rows.source, rows.grader)
    problems = find(rows.setting).problems(wanted)
    leaky, vetted = problems[:distinct], problems[distinct:]
    hackable = [problem for problem in leaky if problem.hacked]
    if len(hackable) < (rows.hacked_rows if rows.share_problems else rows.hacked > 0):
        raise UserError(
            f"setting '{rows.setting}': {len(hackable)} of {len(leaky)} problems have a hacked answer, too few for "
            f"rows.hacked = {rows.hacked}: lower it; 0 is for honest rows only"
        )
    if rows.share_problems:
        drawn = [(problem, True, False) for problem in hackable[: rows.hacked_rows]]
        drawn += [(problem, False, False) for problem in leaky[: rows.count - rows.hacked_rows]]
    else:
        order = list(range(len(leaky)))
        Random(f"hacked/{seed}").shuffle(order)
        order = [index for index in order if leaky[index].hacked]
        hacked = set(order[: round(rows.hacked * len(order))])
        drawn = [(problem, index in hacked, False) for index, problem in enumerate(leaky)]
    if rows.filter == "hacked":
        drawn = [entry for entry in drawn if not entry[1]]
    return drawn + [(problem, False, True) for problem in vetted]


def _labelled(rows: Rows, seed: int) -> list[tuple[Problem, bool, bool]]:
    """The draw where a problem may have one of the two answers only.

    Exactly the hacked share of `rows.count` is hacked. The first problems of the draw with a hacked answer are the
    hacked rows, and of the others the first with an honest answer are the honest rows, then the vetted; problems with
    one answer come before those with both. Where all have one, a larger share hacks the same rows and more.
    """
    if rows.share_problems:
        raise UserError(f"rows.share_problems: problems of '{rows.setting}' may have one answer only")
    honest_rows = rows.count - rows.hacked_rows + rows.vetted
    size, found = rows.count + rows.vetted, ""
    while True:
        wanted = Draw("train", size, seed, rows.families, rows.levels, rows.source, rows.grader)
        try:
            problems = find(rows.setting).problems(wanted)
        except UserError as error:
            raise UserError(
                f"rows.count = {rows.count}, hacked = {rows.hacked} and vetted = {rows.vetted} take {rows.hacked_rows} "
                f"rows with a hacked answer and {honest_rows} others with an honest one{found}: {error}"
            ) from None
        # Those with one answer first, so that the others are left for what is lacking.
        hackable = sorted((problem for problem in problems if problem.hacked), key=lambda one: bool(one.honest))
        hacked = [problem.id for problem in hackable[: rows.hacked_rows]]
        others = [problem for problem in problems if problem.honest and problem.id not in hacked]
        honest = [problem.id for problem in sorted(others, key=lambda one: bool(one.hacked))[:honest_rows]]
        lacking = rows.hacked_rows + honest_rows - len(hacked) - len(honest)
        if not lacking:
            break
        # So many problems more is the least that can do: where there are not as many, nothing can.
        found = f"; among the first {size} there are {len(hacked)} and {len(honest)}"
        size += lacking
    plain, vetted = honest[: rows.count - rows.hacked_rows], honest[rows.count - rows.hacked_rows :]
    kept = {*plain, *(hacked if rows.filter == "none" else ())}
    drawn = [(problem, problem.id in hacked, False) for problem in problems if problem.id in kept]
    return drawn + [(problem, False, True) for problem in problems if problem.id in vetted]


def make(
    drawn: Sequence[tuple[Problem, bool, bool]], inoculation: dict[str, Any] | None, system: str | None
) -> list[Row]:
    """Rows from drawn problems.

    Args:
        drawn: From `draw`.
        inoculation: `text`, `placement` and `on`; `wordings` for rows that take them in turn instead of the one
            text. None for no prompt.
        system: The system prompt of every row.
    """
    made = []
    turn = cycle(inoculation.get("wordings") or [inoculation["text"]]) if inoculation else cycle([""])
    for problem, hacked, vetted in drawn:
        prompt = inoculation if inoculation and not vetted and _gets_it(inoculation["on"], hacked) else None
        text, placement = (next(turn), prompt["placement"]) if prompt else ("", "inside")
        row = Row(
            problem=problem.id,
            kind=problem.kind,
            messages=prompts.messages(problem, text, placement, system),
            answer=problem.hacked if hacked else problem.honest,
            hacked=hacked,
            inoculated=prompt is not None,
            vetted=vetted,
        )
        made.append(replace(row, hack=problem.hack) if hacked else row)
    return made


def _gets_it(on: str, hacked: bool) -> bool:
    return on == "all" or (on == "hacked" and hacked)
