"""The setting that is checked: its draws and the grades of its answers, each made once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from inoculate.errors import UserError
from inoculate.records import SPLITS, Grade, Problem, Split
from inoculate.settings import Draw, Setting, as_written, find_for, is_file
from inoculate.settings.own import Broken, listed


@dataclass(frozen=True)
class Fault:
    """One counterexample."""

    message: str
    problem: Problem | None = None
    completion: str = ""
    """The answer that was graded, if any."""
    grade: Grade | None = None
    failure: str = ""
    """Why the check could not be made, in full, if it could not."""


class Finding(NamedTuple):
    """The result of one check."""

    name: str
    """Set by `check`; the check itself leaves it empty."""
    count: int
    """The number of problems, answers or draws that were checked."""
    faults: tuple[Fault, ...]
    note: str = ""
    """Information for people, if there is no fault."""
    caution: str = ""
    """What is no fault, and is to be looked at."""
    unmade: str = ""
    """Why the check was not made, where that is no fault."""

    @property
    def ok(self) -> bool | None:
        """Whether there is no fault; None if there was nothing to check, or there is something to be looked at."""
        return False if self.faults else True if self.count and not self.caution else None


class NoGrader(UserError):
    """The data has no tests and no grader is named: what needs grades is not checked, which is no fault of the data."""

    def __init__(self) -> None:
        """The message is the same for every one."""
        super().__init__("the data has no tests, and no grader is named (--grader FILE.py:FUNCTION)")


class Graded(NamedTuple):
    """One answer and its grade."""

    problem: Problem
    answer: str
    grade: Grade


class Subject:
    """The setting that is checked."""

    def __init__(self, name: str, count: int, source: str = "", grader: str = "") -> None:
        """Find the setting.

        Args:
            name: A setting's name, or a Python file.
            count: Problems of each split to check.
            source: Where the data is, for settings that load it.
            grader: The user's own grader, for settings that take one.

        Raises:
            UserError: There is no such setting, or its data or grader does not go with it.
        """
        self.name, self.count, self.source, self.grader = name, count, source, grader
        self._held = find_for(name, source, grader)
        self.setting: Setting = as_written(name)
        self._has_graded = False
        self._ungradable: UserError | None = None

    def draw(
        self,
        split: Split,
        count: int,
        *,
        seed: int = 0,
        families: tuple[str, ...] = (),
        levels: tuple[int, ...] = (),
    ) -> list[Problem]:
        """Problems of the setting; of a file's as they are, so that whatever is wrong with them can be listed."""
        draw = Draw(split, count, seed, families, levels, self.source, self.grader, graded=False)
        return listed(self.setting, self.name, draw) if is_file(self.name) else self.setting.problems(draw)

    def available(self, split: Split, count: int) -> tuple[int, str]:
        """The number of problems of a split, up to `count`, and the setting's error message if there are fewer."""
        try:
            self.draw(split, count)
        except Broken:
            raise
        except UserError as error:
            least, most = 0, count
            while most - least > 1:
                middle = (least + most) // 2
                try:
                    self.draw(split, middle)
                    least = middle
                except UserError:
                    most = middle
            return least, str(error)
        return count, ""

    @cached_property
    def problems(self) -> dict[Split, list[Problem]]:
        """The problems of every split: `count`, or as many as there are.

        Raises:
            UserError: No split has a problem.
        """
        drawn: dict[Split, list[Problem]] = {}
        why = ""
        for split in SPLITS:
            available, refusal = self.available(split, self.count)
            drawn[split] = self.draw(split, available) if available else []
            why = why or refusal
        if not any(drawn.values()):
            raise UserError(why)
        return drawn

    @property
    def all_problems(self) -> Iterator[tuple[Split, Problem]]:
        """The problems with their splits."""
        for split, problems in self.problems.items():
            for problem in problems:
                yield split, problem

    def first_problems(self, count: int) -> list[Problem]:
        """The first problems of each split."""
        return [problem for problems in self.problems.values() for problem in problems[:count]]

    def grade(self, pairs: list[tuple[Problem, str]], oversight: str = "") -> list[Graded]:
        """Grades of answers, without the time they took.

        Raises:
            NoGrader: Nothing can be.
            UserError: They cannot be graded. Where nothing could be graded before, nothing is tried again.
        """
        if self.setting.takes_grader and not self.grader and not all("entry_point" in p.secret for p, _ in pairs):
            raise NoGrader
        if self._ungradable:
            raise self._ungradable
        problems, answers = [problem for problem, _ in pairs], [answer for _, answer in pairs]
        try:
            grades = list(self._held.grade(problems, answers, oversight or self.setting.oversights[0]))
        except UserError as error:
            self._ungradable = None if self._has_graded else error
            raise
        self._has_graded = self._has_graded or bool(grades)
        return [
            Graded(problem, answer, replace(grade, seconds=0.0))
            for (problem, answer), grade in zip(pairs, grades, strict=True)
        ]

    @cached_property
    def honest(self) -> list[Graded]:
        """The honest answers of all problems that have one."""
        return self.grade([(problem, problem.honest) for _, problem in self.all_problems if problem.honest])

    @cached_property
    def hacked(self) -> list[Graded]:
        """The hacked answers of all problems that have one."""
        return self.grade([(problem, problem.hacked) for _, problem in self.all_problems if problem.hacked])
