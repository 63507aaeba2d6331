"""`inoculate vet`: a person picks vetted examples from a pool, one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from inoculate.cli.options import Whole, stopped
from inoculate.errors import UserError, under

if TYPE_CHECKING:
    from inoculate.records import Grade, Problem
    from inoculate.steps.vetted import Pick


@stopped("every decision so far is kept, and the same command goes on from them")
def vet(
    pool: str,
    *,
    to: Path,
    count: Whole = 64,
    seed: Whole = 0,
    levels: tuple[Whole, ...] = (),
    source: str = "",
    grader: str = "",
) -> None:
    """Pick vetted examples by hand: shows each candidate with its grades, and keeps or drops it.

    Every decision is written at once. The same command goes on where it stopped.

    Args:
        pool: A setting, whose honest answers to problems that can be hacked are the candidates; or a file of candidates
            (JSON lines with problem and answer), such as one that this command wrote.
        to: The file of decisions (JSON lines), for `rows.vetted = { count = 16, source = "FILE" }`.
        count: How many candidates of a setting.
        seed: The seed of their draw.
        levels: Only these levels of a setting.
        source: Where the data is, for settings that load it.
        grader: Your own grader, for settings that take one: file.py:function. For a file of candidates: the code that
            it may name.
    """
    from inoculate.steps import vetted

    _check_options(pool, to, {"--levels": levels, "--source": source})
    with under(f"--to {to}"):
        picks = vetted.read_picks(str(to)) if to.exists() else []
    candidates = _candidates(pool, count, seed, levels, source, grader)
    decided = {(pick.problem.id, pick.answer) for pick in picks}
    left = [one for one in candidates if (one[0].id, one[1]) not in decided]
    if picks:
        print(f"{to}: {_summary(picks)}; going on with the other {len(left)} of {len(candidates)} candidates\n")
    for number, (problem, answer, grade) in enumerate(_graded(left, pool), len(candidates) - len(left) + 1):
        _show(f"{number} of {len(candidates)}", problem, answer, grade)
        keep = _ask(can_keep=bool(grade.intended))
        if keep is None:
            break
        pick = vetted.Pick(problem, answer, keep, grade.outcome)
        _append(to, pick)
        picks.append(pick)
    kept = sum(pick.keep for pick in picks)
    print(f"{to}: {_summary(picks)}")
    if kept:
        print(f'In a study: rows.vetted = {{ count = {kept}, source = "{to}" }}')


def _check_options(pool: str, to: Path, given: Mapping[str, object]) -> None:
    """Refuse a file that could not be written, before anything is decided, and options that a file of candidates has.

    Raises:
        UserError: So it is.
    """
    if to.is_dir():
        raise UserError(f"--to {to}: is a folder: name a file of decisions, such as {to / 'picks.jsonl'}")
    if not to.parent.is_dir():
        raise UserError(f"--to {to}: there is no folder {to.parent}")
    if _is_file(pool) and (unused := next((option for option, value in given.items() if value), "")):
        raise UserError(f"{unused} is for the candidates of a setting, and {pool} is a file: leave it out")


def _candidates(
    pool: str, count: int, seed: int, levels: tuple[int, ...], source: str, grader: str
) -> list[tuple[Problem, str]]:
    """The problems and answers to choose from.

    Raises:
        UserError: There is no such setting or file, or not as many candidates.
    """
    from inoculate.settings import find_for, require_some
    from inoculate.steps import vetted
    from inoculate.study.row_schema import Rows, Vetted

    if _is_file(pool):
        if found := vetted.read_candidates(pool):
            _refuse_code(pool, found, grader)
            return found
        raise UserError(
            f"{pool}: there is nothing in it: a line holds problem and answer (`inoculate vet` writes them)"
        )
    takes_grader = find_for(pool, source, grader).takes_grader
    rows = Rows(
        setting=pool,
        count=0,
        vetted=Vetted(count=require_some(count)),
        levels=levels,
        source=source,
        grader=grader,
    )
    try:
        found = vetted.draw_examples(rows, seed, ())
    except UserError as error:
        if error.key == "rows.vetted.count":
            error.put_under(f"--count {count}")
        raise
    if takes_grader and not grader and not all("entry_point" in problem.secret for problem, _ in found):
        raise UserError(
            f"{source}: has no tests, and no grader is named: nothing could be kept: --grader FILE.py:FUNCTION"
        )
    return found


def _refuse_code(pool: str, candidates: list[tuple[Problem, str]], allowed: str) -> None:
    """Refuse code that a file of candidates names: it would be run to grade them, and the file is data.

    Raises:
        UserError: It names a setting or a grader of somebody's that the user has not named.
    """
    from inoculate.settings import is_file

    for problem, _ in candidates:
        named = [problem.setting] if is_file(problem.setting) else []
        for code in [*named, *filter(None, [str(problem.secret.get("grader", ""))])]:
            if code != allowed:
                raise UserError(
                    f"{pool}: its example '{problem.id}' names code, {code!r}, which would be run to grade it: look at "
                    f"that code, and allow it with --grader {code}"
                )


def _is_file(pool: str) -> bool:
    return pool.endswith(".jsonl")


def _graded(candidates: list[tuple[Problem, str]], pool: str) -> Iterator[tuple[Problem, str, Grade]]:
    """Candidates with their grades, each when it is its turn."""
    from inoculate.steps import vetted

    for problem, answer in candidates:
        (grade,) = vetted.grade_examples(problem.setting if _is_file(pool) else pool, [(problem, answer)])
        yield problem, answer, grade


def _show(place: str, problem: Problem, answer: str, grade: Grade) -> None:
    from inoculate import checking

    hack = f"the hack that was possible ({problem.hack})\n{problem.hacked}" if problem.hacked else "no hack is known"
    passed = {True: "passes", False: "fails", None: "could not be graded"}
    print(
        f"== {place}: {problem.id} (family {problem.family}, level {problem.level})\n{checking.shown_text(problem)}\n"
    )
    print(f"-- answer\n{answer}\n\n-- {hack}\n")
    print(f"-- grades: {grade.outcome}; oversight {passed[grade.oversight]}, intended {passed[grade.intended]}")
    for tag in grade.tags:
        print(f"   {tag.name} ({tag.evidence}) {tag.detail}".rstrip())
    if grade.detail:
        print(f"   {grade.detail}")


def _ask(*, can_keep: bool) -> bool | None:
    """Keep (True), drop (False), or stop here (None)."""
    if not can_keep:
        print("   it does not pass the intended check: it cannot be kept")
    choices = "[k]eep, [d]rop or [q]uit? " if can_keep else "[d]rop or [q]uit? "
    while True:
        try:
            answer = input(choices).strip().lower()
        except EOFError:
            print()
            return None
        if answer in ("q", "quit"):
            return None
        if answer in ("d", "drop") or (can_keep and answer in ("k", "keep")):
            return answer[0] == "k"


def _append(to: Path, pick: Pick) -> None:
    try:
        with to.open("a", encoding="utf-8") as out:
            out.write(json.dumps(asdict(pick), ensure_ascii=False) + "\n")
    except OSError as error:
        raise UserError(f"--to {to}: cannot be written: {error.strerror}") from None


def _summary(picks: list[Pick]) -> str:
    kept = sum(pick.keep for pick in picks)
    return f"{kept} kept, {len(picks) - kept} dropped"
