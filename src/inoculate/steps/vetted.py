"""Vetted examples: honest answers, checked one by one, to problems where a hack was possible and was not done.

They are the setting's own honest answers, from a draw of their own, or those that a person has picked (`inoculate
vet`). At one seed every arm has the same ones: of more examples the first are those of fewer.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from inoculate import json_lines, settings
from inoculate.errors import UserError, under
from inoculate.records import Grade, Problem, build
from inoculate.steps.resources import Progress
from inoculate.study.row_schema import Rows

Example = tuple[Problem, str]
"""A problem, and an answer to it."""
_OWN_DRAW = 1_000_000
"""Added to the study's seed, so that the examples are the same whatever the number of other rows."""
_PICK_MORE = "give a smaller count, or pick more (`inoculate vet`)"
_FORM = "a line holds problem, answer, keep and outcome (`inoculate vet` writes them)"


@dataclass(frozen=True)
class Pick:
    """What a person decided on one example; a line of a file of picked examples."""

    problem: Problem
    answer: str
    keep: bool
    outcome: str
    """Of the answer, when it was shown."""


def draw_examples(rows: Rows, seed: int, taken: Collection[str]) -> list[Example]:
    """The vetted examples of a table of rows, each once.

    Args:
        rows: The table.
        seed: The study's seed.
        taken: Ids of the problems that its other rows have: an example of one of them would contradict that row.

    Raises:
        UserError: There are not as many.
    """
    if not rows.vetted.count:
        return []
    if not rows.vetted.source:
        return _own(rows, seed, taken)[: rows.vetted.count]
    found = [(problem, answer) for problem, answer in read_kept(rows) if problem.id not in taken]
    if len(found) < rows.vetted.count:
        raise _too_few(rows, len(found), " beside the problems of the other rows")
    return found[: rows.vetted.count]


def _own(rows: Rows, seed: int, taken: Collection[str]) -> list[Example]:
    """The setting's own answers; only to problems that can be hacked, where the setting has any."""
    wanted, size = rows.vetted.count, rows.vetted.count + len(taken)
    setting, found = settings.find(rows.setting), []
    while True:
        draw = settings.Draw("train", size, seed + _OWN_DRAW, rows.families, rows.levels, rows.source, rows.grader)
        try:
            problems = setting.problems(draw)
        except settings.TooFew as error:
            beside = f"beside the {len(taken)} problems of the other rows " if taken else ""
            usable = f", and {len(found)} of those that were drawn can be one" if found else ""
            raise settings.TooFew(
                f"{beside}there are not {wanted}{usable}: {error}: give a smaller count", key="rows.vetted.count"
            ) from None
        # A row of the user's has one answer, and whether its problem could have been hacked is not known.
        usable = [one for one in problems if one.honest and (one.hacked or setting.labelled or not setting.leaks)]
        found = [problem for problem in usable if problem.id not in taken]
        if len(found) >= wanted:
            return [(problem, problem.honest) for problem in found]
        size += wanted - len(found)


def read_kept(rows: Rows) -> list[Example]:
    """The examples in a table's file that were kept, in order.

    Raises:
        UserError: The file cannot be read, has fewer than the table wants, two to one problem, or one of another
            setting or grader.
    """
    with under("rows.vetted.source"):
        picks, seen = read_picks(rows.vetted.source), set[str]()
    for number, pick in enumerate(picks, 1):
        problem = pick.problem
        if pick.keep and problem.id in seen:
            raise UserError(
                f"{rows.vetted.source}:{number}: a second answer to '{problem.id}' is kept: an example stands for one "
                "problem; drop one of them",
                key="rows.vetted.source",
            )
        seen |= {problem.id} if pick.keep else set()
        if problem.setting != settings.find(rows.setting).name:
            raise UserError(
                f"{rows.vetted.source}:{number}: example '{problem.id}' is of the setting '{problem.setting}', and "
                f"these rows are of '{rows.setting}'",
                key="rows.vetted.source",
            )
        if (named := problem.secret.get("grader", "")) != rows.grader:
            raise UserError(
                f"{rows.vetted.source}:{number}: example '{problem.id}' names the grader '{named}', and these rows "
                f"'{rows.grader}'",
                key="rows.vetted.source",
            )
    kept = [(pick.problem, pick.answer) for pick in picks if pick.keep]
    if len(kept) < rows.vetted.count:
        raise _too_few(rows, len(kept), "")
    return kept


def _too_few(rows: Rows, count: int, beside: str) -> UserError:
    kept = f"{rows.vetted.source} has {count} examples that were kept{beside}, and {rows.vetted.count} are wanted"
    return UserError(f"{kept}: {_PICK_MORE}", key="rows.vetted.count")


def read_picks(source: str) -> list[Pick]:
    """The decisions in a file.

    Raises:
        UserError: It cannot be read, or a line is none; the message names file and line.
    """
    return [_read_pick(where, data) for where, data in json_lines.read(source, _FORM)]


def read_candidates(source: str) -> list[Example]:
    """The examples in a file, whether they were kept or not, or nothing was decided yet.

    Raises:
        UserError: It cannot be read, or a line is none; the message names file and line.
    """
    undecided = {"keep": False, "outcome": ""}
    picks = [_read_pick(where, undecided | data) for where, data in json_lines.read(source, _FORM)]
    return [(pick.problem, pick.answer) for pick in picks]


def _read_pick(where: str, data: dict[str, Any]) -> Pick:
    try:
        pick = Pick(build(Problem, data["problem"]), data["answer"], data["keep"], data["outcome"])
        TypeAdapter(Pick).validate_json(json.dumps(asdict(pick), ensure_ascii=False).encode(), strict=True)
        return pick
    except ValidationError as error:
        first = error.errors()[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except (TypeError, ValueError, KeyError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    raise UserError(f"{where}: not a picked example: {why}: {_FORM}")


def check_answers(setting: str, examples: Sequence[Example], where: str, progress: Progress) -> None:
    """Refuse vetted examples that are not right: what is called verified must be.

    Args:
        setting: Their setting.
        examples: The examples; each is graded once.
        where: What has them, for messages.
        progress: Called after every grade.

    Raises:
        UserError: The intended check fails one of them, or it could not be graded; the message names it.
    """
    distinct = list({(problem.id, answer): (problem, answer) for problem, answer in examples}.values())
    for done, ((problem, _), grade) in enumerate(zip(distinct, grade_examples(setting, distinct), strict=True), 1):
        progress(done, len(distinct), "vetted answers graded")
        if not grade.intended:
            fault = "could not be graded" if grade.intended is None else "fails the intended check"
            raise UserError(
                f"{where}: example '{problem.id}' {fault} ({grade.outcome}: {grade.detail}): vetted examples have to "
                "be right; drop it (`inoculate vet`)"
            )


def grade_examples(setting: str, examples: Sequence[Example]) -> Iterator[Grade]:
    """The grades of examples of one setting, in order.

    Raises:
        UserError: A problem from a file does not hold what the setting's own do.
    """
    problems, answers = [problem for problem, _ in examples], [answer for _, answer in examples]
    try:
        yield from settings.find(setting).grade(problems, answers)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        if settings.is_file(setting):  # whose grader is the user's, and has mistakes of its own
            raise
        raise UserError(
            f"examples of the setting '{setting}' do not hold what its problems do, and cannot be graded "
            f"({type(error).__name__}: {error}): pick them anew (`inoculate vet`)"
        ) from error
