"""The sound check: answers come out of the box as plain data, and are compared here with what the tests expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from inoculate.grading import compare
from inoculate.grading.assertions import NEVER_CALLS, Call, Plan, Test
from inoculate.grading.sandbox.child import BROKEN, Job
from inoculate.grading.sandbox.pool import Ended, Pool
from inoculate.grading.sandbox.reader import Malformed, Reader, Unreadable
from inoculate.grading.task import CodeTask, Limits


@dataclass
class Checked:
    """What the sound check found."""

    passed: bool | None = None
    """None where it could not be made."""
    shown: bool | None = None
    """Whether the shown tests alone passed."""
    passing: frozenset[int] = frozenset()
    """Numbers of the tests that passed, in the order of the plan."""
    malformed: bool = False
    """Whether there was no program that defines the entry point."""
    detail: str = ""
    ended: list[Ended] = field(default_factory=list)
    """The processes in which the solution ran."""
    overridden: bool = False
    """Whether an answer was of a class with its own comparisons."""
    forged: str = ""
    """What was wrong with the form of the replies."""
    left: str = ""
    """How the solution left early."""
    raised: set[str] = field(default_factory=set)
    """Names of exceptions that calls or the loading raised."""


@dataclass
class _Answers:
    """The records of one or more children, believed as plain data only."""

    checked: Checked
    values: dict[int, Any] = field(default_factory=dict)
    raised: dict[int, str] = field(default_factory=dict)
    said: dict[int, Any] = field(default_factory=dict)
    """The records as they came."""
    missing: str = ""
    """Why later answers are missing."""
    in_setup: bool = False
    """Whether the set-up may be where it ended."""

    def add(self, ended: Ended, wanted: Sequence[int]) -> None:
        """Take in what a child left, which must be its loading, its calls in order, and an end."""
        self.checked.ended.append(ended)
        records = ended.records
        if ended.garbled:
            self.checked.forged = "a line of the reply is not JSON"
        loaded = records[0] if records else None
        if not self._loaded(loaded, ended):
            if len(records) > 1:
                self.checked.forged = "records after a failed load"
            return
        for position, number in enumerate(wanted, 1):
            if position >= len(records):
                self._ended_early(ended)
                return
            if not self._answer(records[position], number):
                return
        if records[len(wanted) + 1 :] != [["end", len(wanted)]]:
            if len(records) == len(wanted) + 1:
                self._ended_early(ended)
            else:
                self._forged("records beyond the answers")

    def _forged(self, what: str) -> None:
        self.checked.forged = what
        self.values.clear()  # none of it is believed
        self.missing = "the reply was tampered with"

    def _loaded(self, loaded: Any, ended: Ended) -> bool:
        match loaded:
            case ["load", "ok", ""]:
                return True
            case ["load", ("unreadable" | "unbound") as how, str() as why]:
                self.checked.malformed = True
                self.missing = (
                    f"the program does not parse: {why}" if how == "unreadable" else "the entry point is not defined"
                )
            case [("load" | "setup") as stage, "raised", str() as name, str() as words]:
                self.checked.raised.add(name)
                self.in_setup = stage == "setup"
                if name == "SystemExit":
                    self.checked.left = "SystemExit while loading"
                self.missing = f"{'loading' if stage == 'load' else 'the set-up'} raised {name}: {words[:200]}"
            case None:
                self.in_setup = True
                self._ended_early(ended)
            case _:
                self._forged("a strange first record")
        return False

    def _answer(self, record: Any, number: int) -> bool:
        self.said[number] = record[2:] if type(record) is list else None
        match record:
            case ["call", int() as given, "value", value] if given == number:
                reader = Reader()
                try:
                    self.values[number] = reader.read(value)
                except Malformed as error:
                    self._forged(f"not a value: {error}")
                    return False
                self.checked.overridden |= reader.overridden
            case ["call", int() as given, ("raised" | "big"), str() as name, str() as words] if given == number:
                self.checked.raised.add("File too large" if name == "OSError" and "File too large" in words else name)
                self.raised[number] = f"raised {name}: {words[:200]}".rstrip(": ")
                if name == "SystemExit":
                    self.checked.left = "SystemExit in a call"
            case _:
                self._forged("a strange record among the answers")
                return False
        return True

    def _ended_early(self, ended: Ended) -> None:
        self.missing = how_it_ended(ended)
        if not ended.why and ended.exit_code == BROKEN:
            self.checked.forged = "the code beside the solution was broken"
        elif not ended.why and ended.exit_code >= 0:
            self.checked.left = f"the process ended with exit code {ended.exit_code} before its last answer"

    def get(self, number: int) -> Any:
        """The answer of a call; raises `_NoAnswer` where there is none."""
        if number in self.values:
            return self.values[number]
        raise _NoAnswer(self.raised.get(number) or self.missing or "no answer")


class _NoAnswer(Exception):
    """The solution gave no value."""


def how_it_ended(ended: Ended) -> str:
    """The end of a child in words."""
    if ended.why == "cpu":
        return "out of time (processor)"
    if ended.why == "wall":
        return "out of time (asleep)"
    if ended.why == "files":
        return "out of room (files)"
    if ended.exit_code < 0:
        return f"ended by signal {-ended.exit_code}"
    return f"ended early with exit code {ended.exit_code}"


def check(workers: Pool, task: CodeTask, plan: Plan, source: str, order: Sequence[int], limits: Limits) -> Checked:
    """Check a program against all tests.

    Args:
        workers: Where code runs.
        task: The problem.
        plan: Its tests, taken apart.
        source: The program.
        order: The numbers of the calls, in the order to be made.
        limits: What one process may use.

    Raises:
        WorkerFailed: Our own machinery did not work.
    """
    checked = Checked()
    answers = _Answers(checked)
    groups = [[number] for number in order] if limits.fresh_calls and order else [list(order)]
    for group in groups:
        calls = tuple((number, plan.calls[number].text, plan.calls[number].truth) for number in group)
        (ended,) = workers.run([Job("calls", task.root, source, task.setup, calls=calls)], limits)
        answers.add(ended, group)
        if checked.malformed or checked.forged:
            break
    if answers.in_setup and _setup_fails(workers, task, plan, limits):
        checked.detail = "the set-up itself fails"
        return checked
    alike = _alike(plan, answers)
    verdicts: dict[int, str | None] = {
        id(test): _apart(test, answers, alike) for test in plan.tests if test.how == "apart"
    }
    if not checked.malformed:
        verdicts.update(_judged(workers, task, plan, source, checked, limits))
    _conclude(plan, verdicts, checked, answers)
    return checked


def _alike(plan: Plan, answers: _Answers) -> dict[int, list[int]]:
    """For each call, one of those with each answer that was given to the same call."""
    given: dict[Call, dict[str, int]] = {}
    for number, call in enumerate(plan.calls):
        try:
            said = repr(answers.said.get(number))
        except RecursionError:  # nothing that was written here
            said = f"the answer {number}"
        given.setdefault(call, {}).setdefault(said, number)
    return {number: list(given[call].values()) for number, call in enumerate(plan.calls)}


def _apart(test: Test, answers: _Answers, alike: dict[int, list[int]]) -> str:
    """Why a test fails; empty if it passes, whichever of the answers to the same call are put in.

    A range is asked for in two calls (`f(2) > 3 and f(2) < 4`): answers that change would be above and below it.
    """
    try:
        most = max((len(alike[number]) for number in test.calls), default=1)
        for turn in range(most + 1 if most > 1 else 1):
            evaluator = compare.Evaluator(
                lambda number, turn=turn: answers.get(alike[number][turn % len(alike[number])] if turn else number)
            )
            for expectation in test.expectations:
                if not evaluator.value(expectation):
                    return f"fails{_given(test, answers)}"
    except _NoAnswer as error:
        return str(error)
    except Unreadable as error:
        return f"fails: {error}"
    except Exception as error:  # whatever a solution's data brings about is the solution's
        return f"fails: the comparison raised {type(error).__name__}{_given(test, answers)}"
    return ""


def _given(test: Test, answers: _Answers) -> str:
    if len(test.calls) != 1 or test.calls[0] not in answers.values:
        return ""
    try:
        return f": the answer was {repr(answers.values[test.calls[0]])[:120]}"
    except (ValueError, Unreadable, RecursionError):
        return ""


def _judged(
    workers: Pool, task: CodeTask, plan: Plan, source: str, checked: Checked, limits: Limits
) -> dict[int, str | None]:
    """Verdicts on the tests that run in a process of their own; None for one that nobody can decide."""
    tests = [test for test in plan.tests if test.how == "judged"]
    if not tests:
        return {}
    jobs = [Job("serve", task.root, source, task.setup),
            Job("judge", task.entry_point, setup=task.setup, names=plan.names,
            tests=tuple(test.source for test in tests))]  # fmt: skip
    served, judged = workers.run(jobs, limits)
    checked.ended.append(served)
    # A solution out of time may have spent it on waiting for the test, or on answering one that asks for ever.
    out_of_time = served.why in ("cpu", "wall")
    verdicts: dict[int, str | None] = {}
    for test, record in zip(tests, judged.records, strict=False):
        match record:
            case ["test", int(), "pass", _]:
                verdicts[id(test)] = ""
            case ["test", int(), "fail", str() as words] if words.startswith("Gone:") and out_of_time:
                break  # whose fault it is that no answer came is asked below, whether the judge lived to see it or not
            case ["test", int(), "fail", str() as words] if test.weak == NEVER_CALLS:
                verdicts[id(test)] = None
                checked.detail = f"the test fails whatever the solution does: {test.source[:120]!r}: {words}"
            case ["test", int(), "fail", str() as words]:
                gone = words.startswith("Gone:") and served.why != "over"
                verdicts[id(test)] = how_it_ended(served) if gone else f"fails: {words}"
            case ["test", int(), "setup", str() as words]:
                verdicts[id(test)] = how_it_ended(served) if served.broke else f"fails: the set-up raises {words}"
    for test in tests:
        if id(test) in verdicts:
            continue
        # The first one without a verdict is where it broke off.
        if served.broke and not out_of_time:
            verdicts[id(test)] = how_it_ended(served)
        elif not _ends(workers, task, plan, test, limits):
            verdicts[id(test)] = None
            checked.detail = f"the test itself does not end: {test.source[:120]!r}"
        else:
            verdicts[id(test)] = how_it_ended(served) if served.broke else "does not end with the answers it was given"
        break
    for test in tests:
        verdicts.setdefault(id(test), "not reached")
    return verdicts


_ANSWERING_AT_ONCE = """calls = 0
def {root}(*_, **__):
    global calls
    calls += 1
    if calls > 2:
        raise RuntimeError("asked too often")
    return {answer}
"""


def _ends(workers: Pool, task: CodeTask, plan: Plan, test: Test, limits: Limits) -> bool:
    """Whether a test can come to a verdict: when calls are answered at once, one way or another, and soon refused.

    If not, no solution is at fault; if it does, the answers were why it went on.
    """
    for answer in (None, True):
        source = _ANSWERING_AT_ONCE.format(root=task.root, answer=answer)
        jobs = [Job("serve", task.root, source, task.setup),
                Job("judge", task.entry_point, setup=task.setup, names=plan.names, tests=(test.source,))]  # fmt: skip
        served, judged = workers.run(jobs, limits)
        # Where the answering side ran out of time first, the judge comes to an end, but not to a verdict.
        if not served.broke and judged.records[-1:] == [["end", 1]]:
            return True
    return False


def _setup_fails(workers: Pool, task: CodeTask, plan: Plan, limits: Limits) -> bool:
    """Whether a set-up that needs nothing of the solution fails without one."""
    if not task.setup or not plan.setup_alone:
        return False
    jobs = [Job("serve", task.root, f"{task.root} = None\n"),
            Job("judge", task.entry_point, setup=task.setup, tests=("pass",))]  # fmt: skip
    _, judged = workers.run(jobs, limits)
    return judged.records != [["test", 0, "pass", ""], ["end", 1]]


def _conclude(plan: Plan, verdicts: dict[int, str | None], checked: Checked, answers: _Answers) -> None:
    """The verdict on all tests: a failure decides, then a test that could not be checked, then success."""
    for test in plan.forgeable:
        checked.detail = f"no ground truth: {test.source[:120]!r}: {test.why}"

    def together(tests: list[Test]) -> bool | None:
        found = [verdicts.get(id(test)) for test in tests]
        if any(found):
            return False
        return None if None in found else True

    if checked.malformed or checked.forged:
        checked.passed = checked.shown = False
    else:
        checked.passed = together(list(plan.tests))
        checked.shown = together([test for test in plan.tests if test.shown])
        checked.passing = frozenset(n for n, test in enumerate(plan.tests) if verdicts.get(id(test)) == "")
    if plan.forgeable:
        checked.passed = None  # whatever the other tests say, nobody may rely on this problem
    if checked.passed is False:
        failing = [test for test in plan.tests if verdicts.get(id(test))]
        if checked.malformed or checked.forged:
            checked.detail = answers.missing or checked.forged
        elif failing:
            where = "shown" if failing[0].shown else "hidden"
            checked.detail = f"{where} test {failing[0].source[:120]!r} {verdicts[id(failing[0])]}"
