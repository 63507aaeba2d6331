"""Checks of an arm's rows before any work: they are drawn now, so that what is not there is refused with its key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from inoculate import settings
from inoculate.errors import UserError, under
from inoculate.steps import vetted
from inoculate.steps.problems import draw_some, name_field
from inoculate.steps.rows import DrawRows
from inoculate.study import prompts
from inoculate.study.resolve import ResolvedInoculation
from inoculate.study.schema import Arm, Hackable, Rows


def check_picked(rows: Rows, key: str) -> None:
    """Read picked examples now, so that a mistake in their file is refused before any work.

    Args:
        rows: A table with a file of them.
        key: The table's key in the study.

    Raises:
        UserError: The file has a mistake, or too few examples.
    """
    with _placed(rows, key, "vetted.source"):
        vetted.read_kept(rows)


def check_draw(draw: DrawRows, rows: Rows, seed: int, hackable: Hackable, key: str, *, always: bool) -> None:
    """Draw the problems of an arm that learns from rewards now, so that what is not there is refused before any work.

    Args:
        draw: Draws rows.
        rows: Their table.
        seed: One of the study's seeds: each draws other rows.
        hackable: As in `draw_rows`. A given share may be lacking; what the setting has is not drawn for it.
        key: The table's key in the study.
        always: Whether to draw in any case but from a data set: these problems are sampled anew, after long work.

    Raises:
        UserError: The setting has no such share, or not as many problems.
    """
    if not isinstance(hackable, float) and not (always and not settings.find(rows.setting).needs_source):
        return
    with _placed(rows, key, "trajectories.problems" if always else "count"):
        draw(rows, seed, hackable)


@contextmanager
def _placed(rows: Rows, key: str, field: str) -> Iterator[None]:
    """Put the key of a table before what is refused in the block, with the field that is meant.

    Args:
        rows: The table.
        key: Its key in the study.
        field: The field that is meant where the setting has too few problems, or the refusal names none.
    """
    try:
        yield
    except UserError as error:
        table, _, named = error.key.partition(".")
        if table == "rows":
            raise UserError(error.reason, key=f"{key}.{named}") from None
        if table == "rl":
            raise UserError(error.reason, key=f"{key.partition('.rows')[0]}.{error.key}") from None
        too_few = isinstance(error, settings.TooFew)
        meant = field if too_few else name_field(str(error), rows.source, rows.grader) or field
        raise UserError(str(error), key=f"{key}.{meant}") from None


def check_source(
    draw: DrawRows, rows: Rows, inoculation: ResolvedInoculation | None, seed: int, hackable: Hackable, key: str
) -> str:
    """Read a file of the user's now, and count problems, so that mistakes are refused before any work.

    Args:
        draw: Draws rows.
        rows: What an arm trains on.
        inoculation: Its prompt; None without one.
        seed: One of the study's seeds: each draws other rows.
        hackable: As in `draw_rows`.
        key: The table's key in the study.

    Returns:
        What is not known yet; '' where all is.

    Raises:
        UserError: The file has a mistake, the setting has not as many problems, or nothing that completions could be
            rewarded by; or the prompt cannot be placed around its problems.
    """
    if not settings.is_read_first(rows.setting, rows.source):
        most = max(("count", rows.count), ("vetted.count", rows.vetted.count), key=lambda named: named[1])
        with _placed(rows, key, most[0]):
            return draw_some(
                rows.setting, settings.Draw("train", most[1], seed, rows.families, rows.levels, rows.source)
            )
    with _placed(rows, key, "count"):
        drawn = draw(rows, seed, hackable)
    if inoculation and drawn:
        with under(f"{key.partition('.rows')[0]}.inoculation"):
            prompts.messages(drawn[0].problem, inoculation.text, inoculation.placement, "")
    needs_grader = settings.find(rows.setting).takes_grader and not rows.grader
    has_tests = all("entry_point" in row.problem.secret for row in drawn)
    if rows.filter == "tags" and needs_grader and not has_tests:
        raise UserError(
            f"{key}.filter: 'tags' leaves out what looks like a hack to static analysis of code, and {rows.source} has "
            "no tests, so that its answers are not read as code: 'surprise' goes by the untrained model"
        )
    if hackable is not None and needs_grader and not has_tests:
        raise UserError(
            f"{key}.source: {rows.source} has no tests, and no grader is named: completions cannot be "
            'rewarded (rows.grader = "file.py:function")'
        )
    return ""


def check_prompted(draw: DrawRows, arm: Arm, seed: int, name: str) -> None:
    """Refuse a prompt on the problems that can be hacked, where none or all of an arm's problems can be.

    Args:
        draw: Draws rows.
        arm: An arm that learns from rewards.
        seed: One of the study's seeds.
        name: The arm's name.

    Raises:
        UserError: So it is.
    """
    if not arm.inoculation or arm.inoculation.on != "hacked":
        return
    drawn = [row for table in arm.row_tables for row in draw(table, seed, arm.hackable(table))]
    sorts = {row.hacked for row in drawn}
    if len(sorts) < 2:
        which, instead = (
            ("every one", "'all' says the same") if True in sorts else ("none", "its prompt would never be used")
        )
        raise UserError(
            f"arms.{name}.inoculation.on: 'hacked' is for the problems that can be hacked, and {which} of the "
            f"{len(drawn)} problems of seed {seed} can: {instead}; rl.hackable sets their share where a setting has "
            "both sorts"
        )
