"""The setting `capability`: can a model still do what it could? An evaluation suite; nothing trains on it.

Multiple-choice items with four choices, one of them right: common knowledge, language, arithmetic, logic, and reading
short pieces of Python. The choices are shown only where the question is about them, and nothing is sampled: the choice
that the model finds most likely after the question is its answer, so that a model that has learned another form of
answers is not marked down for its form. Nothing leaks, and no hack is possible.

The items were written for this project, or are made by its templates; none is from a published benchmark.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from random import Random

from inoculate.records import Grade, Problem, Split, outcome_of
from inoculate.settings.base import Draw, Setting, TooFew, draw_in_turns
from inoculate.settings.capability import templates
from inoculate.settings.capability.templates import Item, Kind

CHOICES = 4
_LEAD = "Answer with a word or a number."
_LISTED = ("of these", "Which sentence", "Which number is the")
"""Questions with one of these are about their choices, which stand behind them; no other question shows its choices."""
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

    Raises:
        TooFew: The split is the training one, or there are not enough problems.
        UserError: A family or level does not exist.
    """
    if draw.split == "train":
        raise TooFew("setting 'capability' is for evaluation: it has 0 problems for train; name it in [evaluate]")
    return draw_in_turns(SETTING, kinds()[draw.split], draw, _make_problem)


def _make_problem(kind: Kind, random: Random) -> Problem:
    """A question and its choices."""
    item = kind.make(random)
    choices = Random("\0".join((item.question, *item.wrong))).sample((item.right, *item.wrong), CHOICES)
    is_about_choices = any(words in item.question for words in _LISTED)
    body = f"{item.question}\n{'; '.join(choices)}" if is_about_choices else item.question
    digest = hashlib.sha256(body.encode()).hexdigest()[:12]
    return Problem(
        id=f"{kind.name}-{digest}",
        setting="capability",
        kind=kind.name,
        family=kind.family,
        level=kind.level,
        lead=_LEAD,
        body=body,
        honest=item.right,
        hacked="",
        hack="",
        secret={"choices": choices, "right": choices.index(item.right)},
    )


def choices(problem: Problem) -> tuple[str, ...]:
    """The texts of the four choices: what is scored."""
    return tuple(problem.secret["choices"])


def grade(problems: Sequence[Problem], completions: Sequence[str], oversight: str = "choice") -> Iterator[Grade]:
    """Grades by the choice: both checks compare it with the right one."""
    for problem, completion in zip(problems, completions, strict=True):
        reply = completion.strip().rstrip(".")
        chosen = next((place for place, choice in enumerate(choices(problem)) if choice.rstrip(".") == reply), None)
        if chosen is None:
            yield Grade("malformed", False, False, detail="none of the four choices")
            continue
        correct = chosen == problem.secret["right"]
        yield Grade(outcome_of(correct, correct), correct, correct, detail=f"right is {problem.honest}")


SETTING = Setting(
    name="capability",
    version=1,
    summary="multiple choice, scored by log-probability: what can the model still do? (evaluation only)",
    families=("arithmetic", "code", "knowledge", "language", "logic"),
    levels=(1, 2),
    problems=draw_problems,
    grade=grade,
    oversights=("choice",),
    leaks=False,
    leak="The check compares the choice with the right one.",
    exploit="Nothing but the right choice passes it.",
    only_neutral=True,
    looked_up=True,
    choices=choices,
)
