"""Training rows: a setting's problems with honest and hacked answers, under the prompt of an arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle
from random import Random
from typing import Any

from inoculate import prompts
from inoculate.records import Problem, Row
from inoculate.settings import Draw, find
from inoculate.study import Rows


def draw(rows: Rows, seed: int) -> list[tuple[Problem, bool, bool]]:
    """The problems of an arm's rows, each with whether its answer is hacked and whether it is vetted.

    Arms with the same `rows` get the same problems for the same seed, and a larger hacked share hacks the same
    problems and more, so that arms differ in nothing but what they say. Vetted problems follow after the others.

    Args:
        rows: What the arm trains on.
        seed: The study's seed.

    Raises:
        UserError: The setting does not have as many problems.
    """
    distinct = rows.count if not rows.share_problems else max(rows.hacked_rows, rows.count - rows.hacked_rows)
    wanted = Draw("train", distinct + rows.vetted, seed, rows.families, rows.levels, rows.source, rows.grader)
    problems = find(rows.setting).problems(wanted)
    leaky, vetted = problems[:distinct], problems[distinct:]
    if rows.share_problems:
        drawn = [(problem, True, False) for problem in leaky[: rows.hacked_rows]]
        drawn += [(problem, False, False) for problem in leaky[: rows.count - rows.hacked_rows]]
    else:
        order = list(range(len(leaky)))
        Random(f"hacked/{seed}").shuffle(order)
        hacked = set(order[: rows.hacked_rows])
        drawn = [(problem, index in hacked, False) for index, problem in enumerate(leaky)]
    if rows.filter == "hacked":
        drawn = [entry for entry in drawn if not entry[1]]
    return drawn + [(problem, False, True) for problem in vetted]


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
