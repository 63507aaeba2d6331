"""What a setting is: a kind of task with a leaky check and the check that was really wanted.

A setting is one module under `inoculate.settings`, or a Python file of the user's, that defines `SETTING`. There is no
registry: `find` turns the name into the module. Nothing here needs torch.
"""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Protocol, TypeVar

from inoculate import python_file
from inoculate.errors import UserError, nearest
from inoculate.records import SPLITS, Grade, Outcome, Problem, Split

WORDED = ("specific", "forbid", "negated", "alike", "other-sense")
"""The library's prompts that speak of the hack of one kind of task: the library has them for code with a shown test; a
setting with another kind of hack words them itself (`Setting.prompts`)."""
_SHARED = {"base", "hidden_tests"}
"""Modules of this package that are no setting."""


@dataclass(frozen=True)
class Draw:
    """Which problems are wanted."""

    split: Split
    count: int
    seed: int
    """Problems are a function of this draw alone: the same draw gives the same problems in the same order."""
    families: tuple[str, ...] = ()
    """Only these families; empty for all."""
    levels: tuple[int, ...] = ()
    """Only these difficulties; empty for all."""
    source: str = ""
    """Where the data is, for settings that load it (a file or a hub id)."""
    grader: str = ""
    """The user's own grader, for settings that take one: `file.py:function`."""


class Grader(Protocol):
    """Grades completions, one for each problem, in order; without a name the first oversight is meant."""

    def __call__(
        self, problems: Sequence[Problem], completions: Sequence[str], oversight: str = ..., /
    ) -> Iterator[Grade]:
        """Grade; yields as grades become ready."""
        ...


@dataclass(frozen=True)
class Setting:
    """A kind of task.

    `problems` returns exactly `draw.count` distinct problems or raises `UserError` that says how many there are.
    `grade` takes problems and completions of equal length and the name of an oversight, and yields one grade for each,
    in order, as they become ready.
    """

    name: str
    version: int
    """Raised by hand whenever problems change for the same draw: all that came of them is made anew."""
    summary: str
    families: tuple[str, ...]
    levels: tuple[int, ...]
    problems: Callable[[Draw], list[Problem]]
    grade: Grader
    oversights: tuple[str, ...]
    """The leaky checks that a study can choose from; the first is the default."""
    leak: str = ""
    """What the oversight check looks at, in a sentence that a description of the training process can use."""
    exploit: str = ""
    """What passes that check without doing the task, in a sentence that can follow the leak's."""
    grading: int = 1
    """Raised by hand whenever the same answers get other grades: they are graded anew, and nothing is sampled again."""
    prompts: Mapping[str, str] = field(default_factory=dict)
    """The setting's own words for `prompts.WORDED`; empty where the library's (code with a shown test) are right.
    '' for a prompt that the setting has no words for."""
    labels: Mapping[Outcome, str] = field(default_factory=dict)
    """What outcomes are called here, where `correct`, `hack` and `wrong` are not the words."""
    only_neutral: bool = False
    """Whether its problems bring a prompt of their own, so that no other context makes sense."""
    punishes_honest: bool = False
    """Whether the oversight check fails some honest answers too (a wrong key), and not only passes dishonest ones."""
    labelled: bool = False
    """Whether a problem may have one of the two answers only: then hacked and honest rows are drawn apart."""
    gamed_below: float | None = None
    """A `hack` of which less than this share is right elsewhere (`Grade.elsewhere`) was made for the check, and is no
    near miss. Set per setting on answers labelled by hand (`benchmarks/gamed.py`). None where grades have no share."""
    twin: Callable[[Problem], Problem | None] | None = None
    """The same problem under another wrong key, for settings whose grades have no such share: a `hack` whose twin
    follows its own key too was made for the check. None for a problem without a wrong key."""
    looked_up: bool = False
    """Whether right answers can stand in what is shown, to be looked up there."""
    needs_source: bool = False
    takes_grader: bool = False

    @property
    def splits_hacks(self) -> bool:
        """Whether hacks that were made for the check can be told from near misses: the measure `gamed`."""
        return self.gamed_below is not None or self.twin is not None


@cache
def names() -> tuple[str, ...]:
    """The names of the settings that come with the package."""
    import inoculate.settings as package

    return tuple(sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.name not in _SHARED))


def is_file(name: str) -> bool:
    """Whether a setting's name is a Python file of the user's."""
    return name.endswith(".py")


def find(name: str) -> Setting:
    """The setting of that name, or in that Python file.

    Raises:
        UserError: There is none (the message has the nearest match), or the file defines none.
    """
    if is_file(name):
        own = getattr(python_file.load(Path(name)), "SETTING", None)
        if not isinstance(own, Setting):
            found = "defines no SETTING" if own is None else f"has a SETTING that is a {type(own).__name__}"
            raise UserError(f"{name}: {found}; a setting's file says SETTING = Setting(...) (`inoculate new setting`)")
        return own
    if name not in names():
        raise UserError(f"unknown setting '{name}': {nearest(name, names())}; or a Python file that ends in .py")
    module: Any = importlib.import_module(f"inoculate.settings.{name}")
    return module.SETTING


class Kind(Protocol):
    """What problems of one kind have in common, as far as a draw needs it."""

    @property
    def family(self) -> str:
        """One of the setting's families."""
        ...

    @property
    def level(self) -> int:
        """One of the setting's levels."""
        ...


class NamedKind(Kind, Protocol):
    """A kind with a name that no other kind of the setting has."""

    @property
    def name(self) -> str:
        """The name."""
        ...


SomeKind = TypeVar("SomeKind", bound=Kind)
SomeNamedKind = TypeVar("SomeNamedKind", bound=NamedKind)
_TRIES = 20
_TURNS: tuple[Split, ...] = (
    "train", "test", "train", "development", "train", "test", "train", "test", "train", "development",
)  # fmt: skip


def by_split(kinds: Sequence[SomeNamedKind]) -> dict[Split, tuple[SomeNamedKind, ...]]:
    """Each kind in one split: of ten kinds of a family five train, two are for development and three for the test.

    Kinds of a family take turns by level, and within a level in an order that has nothing to do with their own, so
    that every split has its share of the easy and the hard.
    """
    splits: dict[Split, list[SomeNamedKind]] = {split: [] for split in SPLITS}
    for family in sorted({kind.family for kind in kinds}):
        members = [kind for kind in kinds if kind.family == family]
        members.sort(key=lambda kind: (kind.level, hashlib.sha256(kind.name.encode()).hexdigest()))
        for turn, kind in enumerate(members):
            splits[_TURNS[turn % len(_TURNS)]].append(kind)
    return {split: tuple(members) for split, members in splits.items()}


def refuse_unknown(setting: Setting, draw: Draw) -> None:
    """Refuse a draw of families or levels that the setting has not.

    Raises:
        UserError: It asks for one; the message has the nearest match.
    """
    for family in draw.families:
        if family not in setting.families:
            near = nearest(family, setting.families)
            raise UserError(f"unknown family '{family}' of setting '{setting.name}': {near}")
    for level in draw.levels:
        if level not in setting.levels:
            raise UserError(f"unknown level {level} of setting '{setting.name}': allowed: {setting.levels}")


def in_turns(
    setting: Setting, kinds: Sequence[SomeKind], draw: Draw, make: Callable[[SomeKind, Random], Problem]
) -> list[Problem]:
    """Distinct problems of kinds that take turns; the first n of a larger draw are the smaller draw.

    Args:
        setting: Whose problems they are.
        kinds: The kinds of the draw's split.
        draw: Which problems are wanted.
        make: Draws one problem of a kind. The same content must have the same id.

    Raises:
        UserError: A family or level does not exist, or there are not as many problems.
    """
    refuse_unknown(setting, draw)
    random = Random(f"{setting.name}/{draw.split}/{draw.seed}")
    left = [
        kind
        for kind in kinds
        if kind.family in (draw.families or setting.families) and kind.level in (draw.levels or setting.levels)
    ]
    problems: dict[str, Problem] = {}
    while len(problems) < draw.count:
        if not left:
            raise UserError(
                f"setting '{setting.name}' has only {len(problems)} such problems for {draw.split}, "
                f"{draw.count} were asked for"
            )
        random.shuffle(left)
        spent = []
        for kind in left:
            if len(problems) == draw.count:
                break
            drawn = (make(kind, random) for _ in range(_TRIES))
            new = next((problem for problem in drawn if problem.id not in problems), None)
            if new is None:
                spent.append(kind)
            else:
                problems[new.id] = new
        left = [kind for kind in left if kind not in spent]
    return list(problems.values())
