"""What a setting is: a kind of task with a leaky check and the check that was really wanted.

A setting is one module of `inoculate.settings`, or the user's own Python file, that defines `SETTING`. There is no
registry: `find` imports the module of that name. Nothing here needs torch.
"""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, Protocol, TypeVar

from inoculate import python_file
from inoculate.errors import UserError, kind_of, nearest, on_one_line
from inoculate.records import SPLITS, Grade, Outcome, Problem, Split

HACK_PROMPTS = ("specific", "forbid", "negated", "alike", "other-sense")
"""The prompts that describe the hack. The library has their text for code with a shown test; a setting with another
hack brings its own (`Setting.prompts`)."""
_NOT_SETTINGS = {"base", "hidden_tests", "own", "reply_lines"}
"""Modules of this package that are not settings."""


@dataclass(frozen=True)
class Draw:
    """Which problems to draw. The same draw always gives the same problems in the same order."""

    split: Split
    count: int
    seed: int
    families: tuple[str, ...] = ()
    """Only these families; empty for all."""
    levels: tuple[int, ...] = ()
    """Only these levels of difficulty; empty for all."""
    source: str = ""
    """Where the data is, for settings that load it (a file or a hub id)."""
    grader: str = ""
    """The user's own grader, for settings that take one: `file.py:function`."""
    graded: bool = True
    """Whether answers will be graded: then problems whose answers cannot be are refused."""


class Grader(Protocol):
    """Grades one completion for each problem, in order; under the first oversight unless another is named."""

    def __call__(
        self, problems: Sequence[Problem], completions: Sequence[str], oversight: str = ..., /
    ) -> Iterator[Grade]:
        """Yield the grades as they become ready."""
        ...


class TooFew(UserError):
    """A draw asks for more problems than the setting has."""


def find_for(name: str, source: str, grader: str) -> Setting:
    """The setting that a command names, with the data and the grader that it is given.

    Raises:
        UserError: There is no such setting, it lacks its data, or it takes none of what is given.
    """
    setting = find(name)
    if setting.needs_source and not source:
        raise UserError(f"setting '{name}' loads its data: name a file or hub id as its source (--source)")
    if source and not setting.needs_source:
        raise UserError(f"source '{source}': setting '{name}' makes its problems by itself: leave it out")
    if grader and not setting.takes_grader:
        raise UserError(f"grader '{grader}': setting '{name}' grades by itself: leave it out")
    return setting


def require_some(count: int) -> int:
    """A number of problems that a command is asked for.

    Raises:
        UserError: It is less than 1.
    """
    if count < 1:
        raise UserError(f"--count {count}: give 1 or more")
    return count


@dataclass(frozen=True)
class Setting:
    """A kind of task.

    `problems` returns exactly `draw.count` distinct problems, or raises a `TooFew` that says how many there are.
    `grade` takes as many completions as problems and the name of an oversight, and yields one grade for each, in order.
    """

    name: str
    version: int
    """Raised by hand whenever the same draw gives other problems: all steps that depend on them are run again."""
    summary: str
    families: tuple[str, ...]
    levels: tuple[int, ...]
    problems: Callable[[Draw], list[Problem]]
    grade: Grader
    oversights: tuple[str, ...]
    """The leaky checks that a study can choose from; the first is the default."""
    leak: str = ""
    """What the first oversight check looks at, in a sentence that a description of the training process can use."""
    exploit: str = ""
    """What passes that check without doing the task, in a sentence that can follow the leak's."""
    further_leaks: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """The two sentences for each oversight after the first."""
    grading: int = 1
    """Raised by hand whenever the same answers get other grades: they are graded again, but not sampled again."""
    prompts: Mapping[str, str] = field(default_factory=dict)
    """The setting's own text for `HACK_PROMPTS`; empty where the library's text (code with a shown test) fits.
    '' for a prompt that the setting has no text for."""
    labels: Mapping[Outcome, str] = field(default_factory=dict)
    """Other names for the outcomes, where `correct`, `hack` and `wrong` do not fit."""
    only_neutral: bool = False
    """Whether it is evaluated in the neutral context unless a study names others for it: its problems have a system
    prompt of their own, or it measures something that no context is about."""
    leaks: bool = True
    """Whether any of its problems can be hacked."""
    punishes_honest: bool = False
    """Whether the oversight check also fails some honest answers (a wrong key)."""
    labelled: bool = False
    """Whether a problem may have only one of the two answers: then hacked and honest rows are drawn separately."""
    gamed_below: float | None = None
    """A `hack` that passes less than this share of the other tests (`Grade.elsewhere`) was made for the check, and is
    not a near miss. Set for each setting on answers labelled by hand (`benchmarks/gamed.py`). None where grades have no
    such share."""
    twin: Callable[[Problem], Problem | None] | None = None
    """The same problem under another wrong key, for settings where no hidden test can tell: a `hack` was made for the
    check if the answer to the twin is another one (`Grade.elsewhere` of that answer is 0), and is a near miss if the
    answer stays the same (1). Returns None for a problem without a wrong key."""
    choices: Callable[[Problem], tuple[str, ...]] | None = None
    """The choices of a problem, where nothing is sampled: the one that is most likely is the model's completion."""
    parts: tuple[str, ...] = ()
    """What `Problem.part` can be, '' for the main part; empty where all problems are of that. Comparisons name setting
    and part, as in `SETTING (PART)`."""
    looked_up: bool = False
    """Whether the text shown may contain the right answer, to be looked up there."""
    tags_text: bool = True
    """Whether a grade can have a tag with the evidence `static`, by which `rows.filter = "tags"` goes. False where
    answers are no code; not where a grader of the user's decides."""
    runs_code: bool = False
    """Whether answers are graded by running code that the model wrote; not where a grader of the user's decides."""
    needs_source: bool = False
    takes_grader: bool = False

    def describe_oversight(self, oversight: str) -> tuple[str, str]:
        """What an oversight check looks at, and what passes it without doing the task; '' where it is not said."""
        usual = {self.oversights[0]: (self.leak, self.exploit)}
        return (usual | dict(self.further_leaks)).get(oversight, ("", ""))

    @property
    def splits_hacks(self) -> bool:
        """Whether hacks that were made for the check can be told from near misses: the measure `gamed`."""
        return self.gamed_below is not None or self.twin is not None


@cache
def names() -> tuple[str, ...]:
    """The names of the settings that come with the package."""
    import inoculate.settings as package

    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    return tuple(sorted(modules - _NOT_SETTINGS))


@cache
def _hold(module: ModuleType, name: str) -> Setting:
    """The setting of a user's file as `own.hold` gives it, the same one as long as the file does not change."""
    from inoculate.settings.own import hold

    return hold(module.__dict__["SETTING"], name)


def as_written(name: str) -> Setting:
    """As `find`, but a file's setting as it stands there: `inoculate check` lists whatever is wrong with its draws."""
    found = find(name)
    return python_file.load(Path(name)).__dict__["SETTING"] if is_file(name) else found


def is_file(name: str) -> bool:
    """Whether a setting's name is the path of a Python file."""
    return name.endswith(".py")


def find(name: str) -> Setting:
    """The setting of that name, or in that Python file.

    Raises:
        UserError: There is no such setting (the message has the nearest match), or the file defines none.
    """
    if is_file(name):
        module = python_file.load(Path(name))
        setting = getattr(module, "SETTING", None)
        if not isinstance(setting, Setting):
            fault = "defines no SETTING" if setting is None else f"has a SETTING that is {kind_of(setting)}"
            raise UserError(f"{name}: {fault}; a setting's file has SETTING = Setting(...) (`inoculate new setting`)")
        if setting.name in names():
            raise UserError(
                f"{name}: its setting is called '{setting.name}', as one of the package is: samples and tables of the "
                "two could not be told apart. Give it another name"
            )
        return _hold(module, name)
    if name.endswith(".jsonl"):
        raise UserError(
            f"unknown setting '{on_one_line(name)}': data of your own is the source of the setting 'rows' "
            f'(source = "{on_one_line(name)}"; of a command --source), or of one that loads its data'
        )
    if name not in names():
        if Path(f"{name}.py").is_file():
            raise UserError(f"unknown setting '{on_one_line(name)}': did you mean '{on_one_line(name)}.py'?")
        known = f"{nearest(name, names())}; or a Python file that ends in .py"
        raise UserError(f"unknown setting '{on_one_line(name)}': {known}")
    module: Any = importlib.import_module(f"inoculate.settings.{name}")
    return module.SETTING


class Kind(Protocol):
    """A kind of problem, as far as a draw needs to know it."""

    @property
    def family(self) -> str:
        """One of the setting's families."""
        ...

    @property
    def level(self) -> int:
        """One of the setting's levels."""
        ...


class NamedKind(Kind, Protocol):
    """A kind with a name."""

    @property
    def name(self) -> str:
        """Unique within the setting."""
        ...


KindT = TypeVar("KindT", bound=Kind)
NamedKindT = TypeVar("NamedKindT", bound=NamedKind)
_TRIES = 20
_SPLIT_CYCLE: tuple[Split, ...] = (
    "train", "test", "train", "development", "train", "test", "train", "test", "train", "development",
)  # fmt: skip


def split_kinds(kinds: Sequence[NamedKindT]) -> dict[Split, tuple[NamedKindT, ...]]:
    """Put each kind into one split: of ten kinds of a family five for training, two for development, three for testing.

    Kinds of a family are dealt out by level, and within a level in pseudo-random order, so that every split has easy
    and hard ones.
    """
    splits: dict[Split, list[NamedKindT]] = {split: [] for split in SPLITS}
    for family in sorted({kind.family for kind in kinds}):
        members = [kind for kind in kinds if kind.family == family]
        members.sort(key=lambda kind: (kind.level, hashlib.sha256(kind.name.encode()).hexdigest()))
        for turn, kind in enumerate(members):
            splits[_SPLIT_CYCLE[turn % len(_SPLIT_CYCLE)]].append(kind)
    return {split: tuple(members) for split, members in splits.items()}


def refuse_unknown(setting: Setting, draw: Draw) -> None:
    """Refuse a draw of families or levels that the setting does not have.

    Raises:
        UserError: A family or level does not exist; the message has the nearest match.
    """
    for family in draw.families:
        if family not in setting.families:
            near = nearest(family, setting.families)
            raise UserError(f"unknown family '{on_one_line(family)}' of setting '{setting.name}': {near}")
    for level in draw.levels:
        if level not in setting.levels:
            raise UserError(f"unknown level {level} of setting '{setting.name}': allowed: {list(setting.levels)}")


def is_read_first(name: str, source: str) -> bool:
    """Whether problems of a setting are drawn before any work, to see that they are there.

    Not those of a data set, which may have to be downloaded, and not those that have programs: these are run while
    they are drawn, which takes long, and there are thousands of them.
    """
    task = find(name)
    return source.endswith(".jsonl") or task.takes_grader or not (task.needs_source or task.runs_code)


def count_parts(name: str, draw: Draw) -> Counter[str]:
    """Part -> its number of problems in a draw, or in all problems that there are, where these are fewer.

    Args:
        name: The setting.
        draw: Which problems.

    Raises:
        UserError: The problems cannot be drawn.
    """
    enough, too_many = 0, draw.count + 1
    counted: Counter[str] = Counter()
    while too_many - enough > 1:
        count = draw.count if too_many > draw.count else (enough + too_many) // 2
        try:
            problems = find(name).problems(replace(draw, count=count))
        except TooFew:
            too_many = count
        else:
            enough, counted = count, Counter(problem.part for problem in problems)
    return counted


def draw_in_turns(
    setting: Setting, kinds: Sequence[KindT], draw: Draw, make: Callable[[KindT, Random], Problem]
) -> list[Problem]:
    """Distinct problems, one of each kind in turn; a smaller draw is the beginning of a larger one.

    Args:
        setting: The setting of the problems.
        kinds: The kinds of the draw's split.
        draw: Which problems to draw.
        make: Draws one problem of a kind. The same content must have the same id.

    Raises:
        TooFew: There are not enough problems.
        UserError: A family or level does not exist.
    """
    refuse_unknown(setting, draw)
    random = Random(f"{setting.name}/{draw.split}/{draw.seed}")
    remaining = [
        kind
        for kind in kinds
        if kind.family in (draw.families or setting.families) and kind.level in (draw.levels or setting.levels)
    ]
    problems: dict[str, Problem] = {}
    while len(problems) < draw.count:
        if not remaining:
            raise TooFew(
                f"setting '{setting.name}' has only {len(problems)} such problems for {draw.split}, "
                f"{draw.count} were asked for"
            )
        random.shuffle(remaining)
        exhausted = []
        for kind in remaining:
            if len(problems) == draw.count:
                break
            candidates = (make(kind, random) for _ in range(_TRIES))
            new = next((problem for problem in candidates if problem.id not in problems), None)
            if new is None:
                exhausted.append(kind)
            else:
                problems[new.id] = new
        remaining = [kind for kind in remaining if kind not in exhausted]
    return list(problems.values())
