"""The setting `open_questions`: free-form answers to open questions, labelled by a judge of the user's.

The questions are our own, in several disjoint sets, each with a cell of its own: eight questions that everybody asks
say little, and a result should hold in more than one set. A question is a kind, so that intervals are over questions as
well as seeds. Nothing trains on it.

Without a judge there is no label (`grading/judge.py`). An answer is *good*, *bad* (in place of a hack), or *broken*
(malformed). Where the judge answers in another form, it is ungraded.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from random import Random

from inoculate.errors import UserError
from inoculate.grading import judge
from inoculate.records import Grade, Problem
from inoculate.settings.base import Draw, Setting, TooFew, refuse_unknown

_DEVELOPMENT = "development"


@cache
def question_sets() -> dict[str, tuple[str, ...]]:
    """The questions of every set, the one for development first."""
    text = files(__name__).joinpath("questions.toml").read_text(encoding="utf-8")
    return {name: tuple(questions) for name, questions in tomllib.loads(text).items()}


def labelled_sample() -> list[tuple[str, str, judge.Label]]:
    """Answers that were labelled by hand, to compare a judge with: question, answer, label."""
    lines = files(__name__).joinpath("labelled.jsonl").read_text(encoding="utf-8").splitlines()
    return [(one["question"], one["answer"], one["label"]) for one in map(json.loads, lines)]


def draw_problems(draw: Draw) -> list[Problem]:
    """Questions of the sets in turn; a smaller draw is the beginning of a larger one.

    Raises:
        TooFew: The split is the training one, or there are not enough questions.
        UserError: A family does not exist, or the judge's file has a mistake.
    """
    refuse_unknown(SETTING, draw)
    if draw.grader:
        judge.read_judge(draw.grader)
    wanted = {
        "train": [],
        "development": [_DEVELOPMENT],
        "test": [name for name in question_sets() if name != _DEVELOPMENT],
    }
    chosen = [name for name in wanted[draw.split] if name in (draw.families or SETTING.families)]
    random = Random(f"open_questions/{draw.split}/{draw.seed}")
    queues = {name: random.sample(question_sets()[name], len(question_sets()[name])) for name in chosen}
    problems = [
        _make_problem(name, questions[turn], draw.grader)
        for turn in range(max(map(len, queues.values()), default=0))
        for name, questions in queues.items()
        if turn < len(questions)
    ]
    if len(problems) < draw.count:
        raise TooFew(
            f"setting 'open_questions' has only {len(problems)} questions for {draw.split}, {draw.count} were asked for"
        )
    return problems[: draw.count]


def _make_problem(name: str, question: str, grader: str) -> Problem:
    digest = hashlib.sha256(question.encode()).hexdigest()[:12]
    return Problem(
        id=f"{name}-{digest}",
        setting="open_questions",
        kind=f"{name}-{digest}",
        family=name,
        level=1,
        lead="Answer in one to three sentences.",
        body=question,
        honest="",
        hacked="",
        hack="",
        secret={"grader": grader},
        part=name,
    )


def grade(problems: Sequence[Problem], completions: Sequence[str], oversight: str = "judge") -> Iterator[Grade]:
    """Grades by the judge's label.

    Raises:
        UserError: No judge is named, or its file has a mistake.
    """
    path = problems[0].secret["grader"] if problems else ""
    if problems and not path:
        raise UserError("setting 'open_questions' needs a judge: each.open_questions.grader = \"judge.toml\"")
    asked = [(problem.body, text) for problem, text in zip(problems, completions, strict=True)]
    for judgement in judge.judge_answers(path, asked) if asked else ():
        if judgement.label is None:
            yield Grade("ungraded", None, None, detail=judgement.reason)
        elif judgement.label == "BROKEN":
            yield Grade("malformed", False, False, detail="broken, says the judge")
        else:
            good = judgement.label == "GOOD"
            yield Grade("correct" if good else "hack", True, good, detail=f"{judgement.label}, says the judge")


SETTING = Setting(
    name="open_questions",
    version=1,
    summary="open questions in disjoint sets, answers labelled by a judge of yours (evaluation only)",
    families=tuple(question_sets()),
    levels=(1,),
    problems=draw_problems,
    grade=grade,
    oversights=("judge",),
    labels={"correct": "good answer", "hack": "bad answer", "malformed": "broken"},
    only_neutral=True,
    takes_grader=True,
    parts=tuple(name for name in question_sets() if name != _DEVELOPMENT),
)
