"""Grades completions from Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

from inoculate import settings
from inoculate.api.arguments import checked
from inoculate.api.frames import make_frame
from inoculate.errors import UserError, kind_of, require_known
from inoculate.grading import OVERSIGHTS, CodeTask, grade_code
from inoculate.grading.command import check_tests
from inoculate.records import OUTCOMES, SPLITS, Grade, Problem, Split, name_part

if TYPE_CHECKING:
    import pandas

Task = Problem | CodeTask
_CODE = "code"
"""What tables have as the setting of code tasks."""
_GRADE_COLUMNS = ("outcome", "oversight", "intended", "elsewhere", "tags", "detail", "containment", "seconds")
_RATE_COLUMNS = ("setting", "problems", "samples", "ungraded", "outcome", "count", "rate", "low", "high")


@dataclass(frozen=True)
class Grades:
    """Graded completions."""

    tasks: tuple[Task, ...]
    completions: tuple[str, ...]
    grades: tuple[Grade, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many completions have each outcome."""
        counts = Counter(grade.outcome for grade in self.grades)
        return {outcome: counts[outcome] for outcome in OUTCOMES if counts[outcome]}

    def samples(self) -> pandas.DataFrame:
        """A row for each completion, with its problem and grade. A code task is named by its entry point and number.

        Raises:
            UserError: pandas is not installed.
        """
        lines = (
            [*description, completion, *(getattr(grade, name) for name in _GRADE_COLUMNS)]
            for description, completion, grade in zip(
                self._describe_tasks(), self.completions, self.grades, strict=True
            )
        )
        return make_frame(lines, ["setting", "problem", "kind", "family", "level", "completion", *_GRADE_COLUMNS])

    def outcomes(self) -> pandas.DataFrame:
        """A row for each setting and outcome: its rate among graded completions, with a 95% interval.

        Intervals are clustered by kind of problem. Each code task is a kind of its own.

        Raises:
            UserError: pandas is not installed.
        """
        return make_frame(self._rates(), _RATE_COLUMNS)

    def _rates(self) -> Iterator[list[Any]]:
        import numpy as np

        from inoculate.analysis.cells import SCORED
        from inoculate.analysis.estimates import NO_SEED, Counts, estimate_rate

        tasks = np.array([description[:3] for description in self._describe_tasks()], dtype=object).reshape(-1, 3)
        outcomes = np.array([grade.outcome for grade in self.grades], dtype=object)
        for setting in dict.fromkeys(tasks[:, 0]):
            chosen = tasks[:, 0] == setting
            (_, ids, kinds), of_setting = tasks[chosen].T, outcomes[chosen]
            graded, seeds = of_setting != "ungraded", np.full(len(of_setting), NO_SEED)
            shared = [setting, len(set(ids)), len(of_setting), int((~graded).sum())]
            for outcome in SCORED:
                hits = of_setting == outcome
                estimate = estimate_rate(Counts(seeds, ids, kinds, hits.astype(int), graded.astype(int)))
                yield [
                    *shared,
                    outcome,
                    int(hits.sum()),
                    *((estimate.rate, estimate.low, estimate.high) if estimate else (None,) * 3),
                ]

    def _describe_tasks(self) -> list[list[Any]]:
        """For each task: setting (with the part that is counted separately), id, kind, family and level."""
        numbers: dict[str, int] = {}
        descriptions: list[list[Any]] = []
        for task in self.tasks:
            if isinstance(task, CodeTask):
                name = f"{task.entry_point}-{numbers.setdefault(repr(task), len(numbers))}"
                descriptions.append([_CODE, name, name, "", None])
            else:
                setting = name_part(task.setting, task.part)
                descriptions.append([setting, task.id, task.kind, task.family, task.level])
        return descriptions

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in self.counts.items())
        return f"Grades({len(self.grades)} completions: {counts})"


@checked
def problems(
    setting: str,
    count: int = 10,
    *,
    split: Split = "test",
    seed: int = 0,
    families: Sequence[str] = (),
    levels: Sequence[int] = (),
    source: str = "",
    grader: str = "",
) -> list[Problem]:
    """Problems of a setting. The same draw gives the same problems, here and in a study.

    Args:
        setting: A setting's name, or a Python file of your own.
        count: How many.
        split: train, development or test.
        seed: The seed of the draw.
        families: Only these; all unless given.
        levels: Only these difficulties; all unless given.
        source: Where the data is, for settings that load it.
        grader: Your own grader, for settings that take one: file.py:function.

    Raises:
        UserError: There is no such setting, there are not as many problems, or something given is of another kind.
    """
    require_known(split, SPLITS, "unknown split")
    if count < 1:
        raise UserError(f"count is {count!r:.60}, where a whole number of at least 1 was expected")
    of_families = _values(families, "families", str, "a text")
    of_levels = map(int, _values(levels, "levels", Integral, "a whole number"))
    draw = settings.Draw(split, int(count), int(seed), tuple(of_families), tuple(of_levels), source, grader)
    return settings.find_for(setting, source, grader).problems(draw)


@checked
def grade(
    tasks: Sequence[Task],
    completions: Sequence[str],
    *,
    setting: str = "",
    oversight: str = "",
    progress: bool = True,
) -> Grades:
    """Grade completions. Code runs in the sandbox.

    Args:
        tasks: A task for each completion: problems of a setting, or `CodeTask`s, which bring their own tests.
        completions: What a model wrote.
        setting: The Python file that the problems are from, where the setting is your own.
        oversight: The leaky check; the setting's first unless given.
        progress: Whether progress is shown.

    Raises:
        UserError: The numbers differ, something given is of another kind, a name is unknown, or code cannot be run
            safely on this machine.
    """
    from inoculate.progress import show_progress

    tasks = _values(tasks, "tasks", (Problem, CodeTask), "a Problem or a CodeTask")
    completions = _values(completions, "completions", str, "a text")
    if len(tasks) != len(completions):
        raise UserError(f"{len(tasks)} tasks and {len(completions)} completions: there must be a task for each")
    groups: dict[str, list[int]] = {}
    for number, task in enumerate(tasks):
        groups.setdefault("" if isinstance(task, CodeTask) else setting or task.setting, []).append(number)
    _refuse_others(tasks, setting)
    graders = {name: _grader(name, oversight) for name in groups}
    done: dict[int, Grade] = {}
    with show_progress(quiet=not progress) as watcher:
        watcher.start("grading")
        for name, numbers in groups.items():
            chosen = [tasks[number] for number in numbers], [completions[number] for number in numbers]
            for number, graded in zip(numbers, graders[name](*chosen), strict=True):
                done[number] = graded
                watcher.on_progress(len(done), len(tasks), "")
    return Grades(tuple(tasks), tuple(completions), tuple(done[number] for number in range(len(tasks))))


def _values(given: Any, name: str, kinds: Any, due: str) -> list[Any]:
    """The values of a list or a column: a text is none, though it has letters, nor is a table."""
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable) or getattr(given, "ndim", 1) != 1:
        raise UserError(f"{name} is {kind_of(given)}, where a list was expected, and in it {due} each")
    values = list(given)
    for number, value in enumerate(values):
        if not isinstance(value, kinds):
            raise UserError(f"{name}[{number}] is {kind_of(value)}, where {due} was expected")
    return values


def _refuse_others(tasks: Sequence[Task], setting: str) -> None:
    """Refuse problems of another setting than the one that is meant, and code tasks whose tests prove nothing."""
    name = settings.find(setting).name if setting else ""
    known: set[CodeTask] = set()
    for number, task in enumerate(tasks):
        if isinstance(task, CodeTask):
            if task not in known:
                check_tests(f"tasks[{number}]", {key: _listed(value) for key, value in vars(task).items()})
            known.add(task)
        elif not name and task.setting not in settings.names():
            raise UserError(
                f"tasks[{number}] is a problem of '{task.setting}', which is no setting of the package: name its file: "
                'setting="FILE.py"'
            )
        elif name and task.setting != name:
            raise UserError(
                f"setting '{setting}': tasks[{number}] is a problem of '{task.setting}', which '{name}' cannot grade: "
                "leave setting out (it is for a Python file of your own)"
            )


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _grader(setting: str, oversight: str) -> Callable[[Any, Sequence[str]], Iterator[Grade]]:
    """The function that grades problems of a setting; of code tasks if the setting is ''."""
    if not setting:
        check = require_known(oversight or OVERSIGHTS[0], OVERSIGHTS, "unknown oversight")
        return lambda tasks, completions: grade_code(tasks, completions, oversight=check)
    task = settings.find(setting)
    check_name = require_known(oversight or task.oversights[0], task.oversights, "unknown oversight")
    return lambda problems, completions: task.grade(problems, completions, check_name)
