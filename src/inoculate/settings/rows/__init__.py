"""The setting `rows`: the user's own data, one row in each line of a JSONL file, and a grader of their own if wanted.

A row is one question and one answer: chat `messages` (system where there is one, user, assistant), or `prompt` and
`completion`. `hacked` says which answer it is: true, the hacked one; absent or false, the honest one; a text, the
hacked answer beside the honest one. `id`, `kind`, `split` and tests (`entry_point`, `shown_tests`, `hidden_tests`,
`setup`) are optional; other keys are for the grader (`user_grader`). Leak and hack are those of the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import cast

from inoculate.errors import UserError
from inoculate.grading import OVERSIGHTS, CodeTask, Oversight, grade_code
from inoculate.grading.user_function import describe_problem
from inoculate.records import SPLITS, Grade, Problem
from inoculate.settings.base import HACK_PROMPTS, Draw, Setting, TooFew, refuse_unknown
from inoculate.settings.rows import user_grader
from inoculate.settings.rows.reading import UserRow, read


def draw_problems(draw: Draw) -> list[Problem]:
    """Rows of the split in an order that the seed decides.

    Raises:
        UserError: A row is not valid, there are too few, the grader does not exist, or rows that have to be graded
            have neither tests nor a grader.
    """
    refuse_unknown(SETTING, draw)
    if draw.grader:
        user_grader.check_grader(draw.grader)
    everything = read(draw.source)
    rows = [row for row in everything if row.split == draw.split]
    if draw.graded and draw.split != "train" and not draw.grader and not all(row.tests for row in rows):
        raise UserError(
            f"setting 'rows': {draw.source} has no tests, and no grader is named: answers to it cannot be graded "
            '(grader = "file.py:function"; of a command --grader file.py:function)'
        )
    if len(rows) < draw.count:
        others = [(split, sum(row.split == split for row in everything)) for split in SPLITS if split != draw.split]
        raise TooFew(
            f"setting 'rows': {draw.source} has {len(rows)} rows for {draw.split}, {draw.count} were asked for ("
            f"{', '.join(f'{split} has {count}' for split, count in others)}; rows are split by 'split', or else by "
            "the hash of 'kind': about 6 in 10 train, 1 development, 3 test)"
        )
    Random(f"rows/{draw.split}/{draw.seed}").shuffle(rows)
    return [_problem(row, draw.grader) for row in rows[: draw.count]]


def _problem(row: UserRow, grader: str) -> Problem:
    return Problem(
        id=row.id,
        setting="rows",
        kind=row.kind,
        family="rows",
        level=1,
        lead="",
        body=row.prompt,
        honest=row.honest,
        hacked=row.hacked,
        hack="given" if row.hacked else "",
        secret={**row.tests, "own": row.other_fields, "grader": grader},
        system=row.system,
    )


def grade(problems: Sequence[Problem], completions: Sequence[str], oversight: str = OVERSIGHTS[0]) -> Iterator[Grade]:
    """Grades by the user's grader where one was named, else by the rows' tests; without either all are ungraded.

    Raises:
        UserError: The grader cannot be started, or failed for every answer; or an oversight was chosen beside it.
    """
    grader = problems[0].secret["grader"] if problems else ""
    if grader:
        if oversight != OVERSIGHTS[0]:
            raise UserError(f"evaluate.oversight = '{oversight}': the grader '{grader}' decides what oversight sees")
        yield from user_grader.grade(grader, [describe_problem(problem) for problem in problems], completions)
    elif all("entry_point" in problem.secret for problem in problems):
        tasks = [CodeTask.of(problem.secret) for problem in problems]
        yield from grade_code(tasks, completions, oversight=cast(Oversight, oversight))
    else:
        for _ in completions:
            yield Grade("ungraded", None, None, detail="the data has no tests, and no grader is named")


SETTING = Setting(
    name="rows",
    version=1,
    grading=6,
    summary="your own rows (JSONL), graded by their tests or by a Python function of yours",
    families=("rows",),
    levels=(1,),
    problems=draw_problems,
    grade=grade,
    oversights=OVERSIGHTS,
    runs_code=True,
    gamed_below=0.15,
    prompts=dict.fromkeys(HACK_PROMPTS, ""),
    labelled=True,
    needs_source=True,
    takes_grader=True,
)
