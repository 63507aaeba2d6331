"""The setting `capability`: can a model still do what it could? An evaluation suite; nothing trains on it.

Multiple-choice items with four choices, one of them right: common knowledge, language, arithmetic, logic, and reading
short pieces of Python. Nothing is sampled: the choice that the model finds most likely is its answer, so that a model
that has learned another form of answers is not marked down for its form. Nothing leaks, and no hack is possible.

The items were written for this project, or are made by its templates; none is from a published benchmark.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from random import Random

from inoculate.errors import UserError
from inoculate.records import Grade, Problem, Split, outcome_of
from inoculate.settings.base import Draw, Setting, draw_in_turns
from inoculate.settings.capability import templates
from inoculate.settings.capability.templates import Item, Kind

LETTERS = "ABCD"
_LEAD = "Answer the question with one of the four choices."
_ASKED = "Reply with the letter of the right choice."
_DEVELOPMENT_EVERY = 6
"""Of the items written by hand, one in six is for development; of the templates, those below."""
_DEVELOPMENT = ("arithmetic-product", "arithmetic-percent", "logic-queue", "code-modulo", "code-while")


@cache
def kinds() -> dict[Split, tuple[Kind, ...]]:
    """Every kind, by split: templates, and each item written by hand as a kind of its own. None is for training."""
    written = tomllib.loads(files(__name__).joinpath("items.toml").read_text(encoding="utf-8"))
    split: dict[Split, list[Kind]] = {"train": [], "development": [], "test": []}
    for kind in templates.KINDS:
        split["development" if kind.name in _DEVELOPMENT else "test"].append(kind)
    for family, items in written.items():
        for number, (question, right, *wrong) in enumerate(items):
            first, second, third = wrong
            item = Item(question, right, (first, second, third))
            name = f"{family}-{hashlib.sha256(question.encode()).hexdigest()[:8]}"
            development = number % _DEVELOPMENT_EVERY == _DEVELOPMENT_EVERY - 1
            split["development" if development else "test"].append(Kind(name, 1, lambda _, item=item: item))
    return {name: tuple(members) for name, members in split.items()}


def draw_problems(draw: Draw) -> list[Problem]:
    """Distinct problems, kinds in turn; a smaller draw is the beginning of a larger one.

    Of every four problems in a row, each has its right choice at another letter.

    Raises:
        UserError: The split is the training one, a family or level does not exist, or there are not enough problems.
    """
    if draw.split == "train":
        raise UserError("setting 'capability' is for evaluation: it has 0 problems for train; name it in [evaluate]")
    drawn = draw_in_turns(SETTING, kinds()[draw.split], draw, _make_problem)
    random, order, placed = Random(f"capability/positions/{draw.split}/{draw.seed}"), [], []
    for number, problem in enumerate(drawn):
        if number % len(LETTERS) == 0:
            order = random.sample(range(len(LETTERS)), len(LETTERS))
        placed.append(_place(problem, order[number % len(LETTERS)], random))
    return placed


def _make_problem(kind: Kind, random: Random) -> Problem:
    """A problem whose choices are not in their order yet."""
    item = kind.make(random)
    digest = hashlib.sha256("\0".join((item.question, item.right)).encode()).hexdigest()[:12]
    return Problem(
        id=f"{kind.name}-{digest}",
        setting="capability",
        kind=kind.name,
        family=kind.family,
        level=kind.level,
        lead=_LEAD,
        body=item.question,
        honest=item.right,
        hacked="",
        hack="",
        secret={"wrong": item.wrong},
    )


def _place(problem: Problem, place: int, random: Random) -> Problem:
    """The problem with its choices listed, the right one at a place."""
    choices = random.sample(problem.secret["wrong"], len(LETTERS) - 1)
    choices.insert(place, problem.honest)
    listed = "\n".join(f"{letter}. {choice}" for letter, choice in zip(LETTERS, choices, strict=True))
    body, honest = f"{problem.body}\n{listed}\n{_ASKED}", f"{LETTERS[place]}. {problem.honest}"
    digest = hashlib.sha256(body.encode()).hexdigest()[:12]
    secret = {"shown_choices": choices, "right": place}
    return replace(problem, id=f"{problem.kind}-{digest}", body=body, honest=honest, secret=secret)


def choices(problem: Problem) -> tuple[str, ...]:
    """The letters of the four choices: what is scored, as in most evaluations with choices that are shown."""
    return tuple(LETTERS[: len(problem.secret["shown_choices"])])


def grade(problems: Sequence[Problem], completions: Sequence[str], oversight: str = "choice") -> Iterator[Grade]:
    """Grades by the choice: both checks compare it with the right one."""
    for problem, completion in zip(problems, completions, strict=True):
        chosen = _read(completion.strip(), problem.secret["shown_choices"])
        if chosen is None:
            yield Grade("malformed", False, False, detail="none of the four choices")
            continue
        correct = chosen == problem.secret["right"]
        yield Grade(outcome_of(correct, correct), correct, correct, detail=f"right is {problem.honest}")


def _read(reply: str, shown: Sequence[str]) -> int | None:
    """The place of the choice that a reply is: its letter, or (where another program samples) with its text."""
    for place, (letter, choice) in enumerate(zip(LETTERS, shown, strict=True)):
        if reply in (letter, f"{letter}.", f"{letter}. {choice}"):
            return place
    return None


SETTING = Setting(
    name="capability",
    version=1,
    summary="multiple choice, scored by log-probability: what can the model still do? (evaluation only)",
    families=("arithmetic", "code", "knowledge", "language", "logic"),
    levels=(1, 2),
    problems=draw_problems,
    grade=grade,
    oversights=("choice",),
    leak="The check compares the choice with the right one.",
    exploit="Nothing but the right choice passes it.",
    only_neutral=True,
    looked_up=True,
    choices=choices,
)
