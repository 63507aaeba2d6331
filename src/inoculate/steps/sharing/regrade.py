"""Takes the steps of a file to the graders of this build, where other versions of them have judged.

What a model has written is as good as it was, and grading needs no model. So grades are made anew. A step whose name
depends on its graders though a model made it (what RL drew and learned from, and all that was made of it) is judged
anew too, and gets the name that it has today, if nothing that the graders decided is decided otherwise: no choice of a
policy, of a row, or of what a filter leaves out, and of the rewards at most one in a hundred, which are counted and
said. Else it is left out, with all that needs it.

Code of the user's is never run: what it has to grade is left out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from pathlib import Path
from shutil import copytree

from inoculate import settings
from inoculate.errors import UserError
from inoculate.grading import containment
from inoculate.records import Grade, Problem, Row, Trajectory, read_lines, write_json, write_lines
from inoculate.steps import (
    fresh_samples,
    grades,
    preflight,
    problems,
    rl,
    row_filters,
    row_grades,
    rows,
    trajectory_rows,
    vetted,
)
from inoculate.steps.resources import Resources
from inoculate.steps.rewards import Scorer, read_prompted
from inoculate.steps.sharing.agree import gradings, with_todays
from inoculate.steps.sharing.packed import PackedStep
from inoculate.steps.store import Step, StepName, Store

_OTHER_REWARDS = 0.01
"""The share of rewards that may be others for a training to count as the one of today's graders: far less than what
two seeds, or two processors, draw otherwise."""
_REGRADED = {
    grades.KIND: "samples",
    row_grades.KIND: "training rows",
    preflight.KIND: "trajectories",
    rl.KIND: "trajectories",
    fresh_samples.KIND: "fresh samples",
}
"""Kinds of steps that have grades -> what was graded."""


@dataclass(frozen=True)
class Regraded:
    """What one version of a setting's graders had judged."""

    setting: str
    there: int
    """The version that judged it."""
    here: int
    """The version that judges it now."""
    what: str
    count: int
    changed: dict[str, int]
    """The outcomes that are others now, as `wrong -> malformed`, and how many."""

    def __str__(self) -> str:
        """In words."""
        listed = ", ".join(f"{count} {change}" for change, count in self.changed.items())
        other = f"another outcome for {sum(self.changed.values()):,} ({listed})" if listed else "the same outcomes"
        return (
            f"{self.count:,} {self.what} of '{self.setting}' were graded by version {self.there} of its graders, and "
            f"are graded anew by version {self.here}: {other}"
        )


class _Decided(Exception):
    """Today's graders decide something otherwise that went into a step; the text says what."""


class Regrading:
    """The steps of a file under the names that they have today."""

    def __init__(self, staged: Store, steps: Sequence[PackedStep]) -> None:
        """Name the steps; nothing is graded yet.

        Args:
            staged: Where they are unpacked.
            steps: What the file has.
        """
        self._staged, self._there = staged, {step.key: step for step in steps}
        self._resources = Resources(staged, "", lambda _: None)
        self._todays: dict[str, Step] = {}
        """Name in the file -> the step of today, inputs first."""
        self._left_out: dict[str, str] = {}
        """Name in the file -> why."""
        self._outcomes: dict[tuple[str, int, int, str], Counter[tuple[str, str]]] = {}
        self.ran_code = ""
        """The level of containment at which answers were run; '' where none were."""
        if any(_others(step) for step in steps):
            self._name()
            self.named = [self._as_today(key) for key in self._todays]
        else:
            self.named = list(steps)
        """The steps under today's names, without what cannot be named."""

    def _name(self) -> None:
        given = {key: [_key(one) for one in step.inputs.values()] for key, step in self._there.items()}
        for key in TopologicalSorter(given).static_order():
            if (step := self._there.get(key)) is None:
                continue
            absent = next((one for one in step.inputs.values() if _key(one) not in self._todays), None)
            if absent:
                missing = f"{step.label}: {absent}, which it needs, is not in the file"
                self._left_out[key] = self._left_out.get(_key(absent), missing)
                continue
            inputs = {name: self._todays[_key(one)] for name, one in step.inputs.items()}
            self._todays[key] = Step(step.kind, with_todays(step.params), inputs, step.label, step.step_version)

    def _as_today(self, key: str) -> PackedStep:
        step, today = self._there[key], self._todays[key]
        first = {name: there for name, there, _ in _others(step)} | (step.regraded or {})
        inputs = {name: f"{given.kind}/{given.key}" for name, given in today.inputs.items()}
        changes = {"key": today.key, "params": today.params, "inputs": inputs, "regraded": first or None}
        return step.model_copy(update=changes)

    def carry_out(self, done: Callable[[], None]) -> list[PackedStep]:
        """Grade anew what other graders have judged, and unpack it under today's names.

        Args:
            done: Called after each step.

        Returns:
            The steps that stand, under their names of today.

        Raises:
            UserError: Something cannot be graded: a step is not what it should be, or this machine cannot.
        """
        if not self._todays:
            return self.named
        for key, today in self._todays.items():
            step = self._there[key]
            blamed = [self._left_out[one] for one in map(_key, step.inputs.values()) if one in self._left_out]
            try:
                if blamed:
                    self._left_out[key] = blamed[0]
                elif today.key != key:
                    copytree(self._staged.folder(StepName(step.kind, key)), self._staged.folder(today))
                    self._judge(step, today)
            except _Decided as why:
                self._left_out[key] = f"{step.label}: {why}"
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                raise UserError(
                    f"{step.label} cannot be graded anew: it does not hold what it should ({type(error).__name__}: "
                    f"{error}): nothing was imported"
                ) from error
            done()
        return [one for key, one in zip(self._todays, self.named, strict=True) if key not in self._left_out]

    def as_in_file(self, key: str) -> PackedStep:
        """The step that has this name today, as the file has it."""
        return self._there[next((old for old, today in self._todays.items() if today.key == key), key)]

    def notes(self) -> Iterator[str]:
        """What was graded anew and what was left out, in words."""
        yield from map(str, self.regraded())
        for why, count in Counter(self._left_out.values()).items():
            needing = f", with {count - 1} more that need it" if count > 1 else ""
            yield f"{why}: left out{needing}; `inoculate run` makes it anew"

    def regraded(self) -> list[Regraded]:
        """What was graded anew, by setting, version and what it is."""
        return [
            Regraded(
                *key, counts.total(), {f"{was} -> {now}": count for (was, now), count in counts.items() if was != now}
            )
            for key, counts in self._outcomes.items()
        ]

    def _judge(self, step: PackedStep, today: Step) -> None:
        """Have a step say what today's graders say.

        Raises:
            _Decided: They decide otherwise.
        """
        folder = self._staged.folder(today)
        if others := _others(step):
            self._check_code(today, [name for name, *_ in others])
        if step.kind in (grades.KIND, row_grades.KIND) and others:
            before = [one.outcome for one in read_lines(folder / "grades.jsonl", Grade)]
            (grades if step.kind == grades.KIND else row_grades).run(today, folder, self._resources, lambda *_: None)
            now = [one.outcome for one in read_lines(folder / "grades.jsonl", Grade)]
            self._count(step, zip([others[0][0]] * len(now), before, now, strict=True))
        elif step.kind in _REGRADED and others:
            self._score_again(step, today, folder)
        elif step.kind == rows.KIND:
            self._filter_again(step, today)
            self._vet_again(today, folder)
        elif step.kind == trajectory_rows.KIND:
            try:
                stand = trajectory_rows.take_over(today, folder, self._resources)
            except UserError as error:
                raise _Decided(f"today's graders judge its trajectories otherwise ({error})") from None
            if not stand:
                raise _Decided("its filter chooses other trajectories, by the word of today's graders")

    def _count(self, step: PackedStep, judged: Iterable[tuple[str, str, str]]) -> None:
        """Note outcomes: the setting of each, what it was and what it is."""
        versions = {name: (there, here) for name, there, here in _others(step)}
        for name, was, now in judged:
            if name in versions:
                key = (name, *versions[name], _REGRADED[step.kind])
                self._outcomes.setdefault(key, Counter())[was, now] += 1

    def _check_code(self, today: Step, names: Sequence[str]) -> None:
        """Refuse to run code of the user's, and to run a model's code where that is not safe."""
        rewards = today.params.get("rl", {}).get("reward", ())
        graded = [one for folder in self._problem_folders(today) for one in problems.read(folder)]
        if (
            any(settings.is_file(name) for name, *_ in gradings(today.params))
            or any(one.get("function") for one in rewards)
            or any(one.secret.get("grader") for one in graded)
        ):
            raise _Decided(
                "graders of another version judged it, and an import never runs code of yours, which judges it too"
            )
        if any(settings.find(name).runs_code for name in names):
            self.ran_code = containment().level

    def _problem_folders(self, today: Step) -> list[Path]:
        given = [step for name, step in today.inputs.items() if name.partition("_")[0] in ("rows", "problems")]
        return [self._staged.folder(step) for step in (*given, *([today] if today.kind == rows.KIND else []))]

    def _score_again(self, step: PackedStep, today: Step, folder: Path) -> None:
        drawn = list(read_lines(folder / "trajectories.jsonl", Trajectory))
        shown, names = read_prompted(today, self._resources)
        with Scorer(today.params["rl"]["reward"], shown, names) as scorer:
            again = scorer.score_again(drawn)
        setting_of = {(one.id, bool(one.hacked)): name for one, name in zip(shown, names, strict=True)}
        self._count(
            step,
            (
                (setting_of[one.problem, one.hackable], one.outcome, now.outcome)
                for one, now in zip(drawn, again, strict=True)
                if one.step or step.kind != rl.KIND  # RL has the trajectories of its preflight too
            ),
        )
        if step.kind == rl.KIND:
            again = _as_it_learned(today, folder, drawn, again, shown, scorer)
        write_lines(folder / "trajectories.jsonl", again)

    def _filter_again(self, step: PackedStep, today: Step) -> None:
        """Refuse rows that were filtered by tags which are others now."""
        if today.params["rows"].get("filter") == "tags" and (judged := step.inputs.get("judged")):
            count = today.params["rows"]["count"]
            were = row_filters.find_tagged(self._staged.folder(StepName(*judged.split("/"))), count)
            if were != row_filters.find_tagged(self._staged.folder(today.inputs["judged"]), count):
                raise _Decided("its filter leaves out other rows, by the word of today's graders")

    def _vet_again(self, today: Step, folder: Path) -> None:
        """Refuse vetted answers that today's graders do not call right."""
        by_row: Iterable[tuple[Row, Problem]] = zip(
            read_lines(folder / "rows.jsonl", Row), problems.read(folder), strict=True
        )
        if examples := [(problem, row.answer) for row, problem in by_row if row.vetted]:
            try:
                vetted.check_answers(today.params["rows"]["setting"], examples, "rows.vetted", lambda *_: None)
            except UserError as error:
                raise _Decided(str(error)) from None


def _as_it_learned(
    today: Step,
    folder: Path,
    drawn: Sequence[Trajectory],
    again: Sequence[Trajectory],
    shown: Sequence[Problem],
    scorer: Scorer,
) -> list[Trajectory]:
    """The trajectories of a training judged by today's graders, with the rewards that it learned from.

    How many of these would be others today is written into its report.

    Raises:
        _Decided: More than `_OTHER_REWARDS` would, or another policy would stand for it.
    """
    learned = [(was.reward, now.reward) for was, now in zip(drawn, again, strict=True) if was.step]
    other = sum(was != now for was, now in learned)
    if other > _OTHER_REWARDS * len(learned):
        raise _Decided(
            f"today's graders give another reward to {other} of the {len(learned)} trajectories that it learned from, "
            "with which it would be another training"
        )
    options = rl.read_options(today)
    found, was = (
        rl.choose_checkpoint(rl.group_by_step(again), options.checkpoint, options.steps),
        rl.read_checkpoint(folder),
    )
    if (found["step"], found["met"]) != (was["step"], was["met"]):
        raise _Decided(f"by today's graders the policy after step {found['step']} stands for it, and not {was['step']}")
    try:
        rl.expect([one for one in again if not one.step], shown, options, scorer.settings, today.label)
    except UserError as error:
        raise _Decided(str(error)) from None
    report = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    write_json(folder / "training.json", report | {"other_rewards": other})
    return [replace(now, reward=was.reward) if was.step else now for was, now in zip(drawn, again, strict=True)]


def _others(step: PackedStep) -> list[tuple[str, int, int]]:
    """Settings whose graders of another version have judged a step: name, version there, version here."""
    return [one for one in dict.fromkeys(gradings(step.params)) if one[1] != one[2]]


def _key(given: str) -> str:
    """The name in an input of a step, `KIND/NAME`."""
    return given.partition("/")[2]
