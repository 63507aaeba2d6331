"""The intended check: answers leave the sandbox as plain data, and are compared here with what the tests expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from inoculate.grading import compare
from inoculate.grading.assertions import NEVER_CALLS, Call, Plan, Test
from inoculate.grading.sandbox.decoder import Decoder, Malformed, NotPlainData
from inoculate.grading.sandbox.job_process import HARNESS_BROKEN, Job
from inoculate.grading.sandbox.pool import JobResult, Pool
from inoculate.grading.sandbox.rpc import ConnectionLost
from inoculate.grading.task import CodeTask, Limits

_CONNECTION_LOST = f"{ConnectionLost.__name__}:"
"""The beginning of a test failure that was caused by the loss of the connection to the solution process."""


@dataclass
class IntendedResult:
    """The result of the intended check."""

    passed: bool | None = None
    """None where the check could not be carried out."""
    shown: bool | None = None
    """Whether the shown tests alone passed."""
    passing: frozenset[int] = frozenset()
    """Numbers of the tests that passed, in the order of the plan."""
    malformed: bool = False
    """Whether there was no program that defines the entry point."""
    detail: str = ""
    jobs: list[JobResult] = field(default_factory=list)
    """The results of the processes in which the solution ran."""
    overridden: bool = False
    """Whether the class of an answer overrides comparisons."""
    forged: str = ""
    """Why the replies are not authentic; empty if they are."""
    early_exit: str = ""
    """How the solution exited early."""
    raised: set[str] = field(default_factory=set)
    """Names of exceptions that calls or loading raised."""


@dataclass
class _Answers:
    """The records of one or more job processes, trusted as plain data only."""

    checked: IntendedResult
    values: dict[int, Any] = field(default_factory=dict)
    raised: dict[int, str] = field(default_factory=dict)
    raw: dict[int, Any] = field(default_factory=dict)
    """The records before decoding."""
    missing: str = ""
    """Why later answers are missing."""
    in_setup: bool = False
    """Whether the process may have ended in the set-up."""

    def add(self, job: JobResult, calls: Sequence[int]) -> None:
        """Add the records of a job process: one for loading, one for each call in order, and one for the end."""
        self.checked.jobs.append(job)
        records = job.records
        if job.garbled:
            self.checked.forged = "a line of the reply is not JSON"
        if not self._add_loading(records[0] if records else None, job):
            if len(records) > 1:
                self.checked.forged = "records after a failed load"
            return
        for position, number in enumerate(calls, 1):
            if position >= len(records):
                self._add_early_end(job)
                return
            if not self._add_answer(records[position], number):
                return
        if records[len(calls) + 1 :] != [["end", len(calls)]]:
            if len(records) == len(calls) + 1:
                self._add_early_end(job)
            else:
                self._set_forged("records beyond the answers")

    def _set_forged(self, reason: str) -> None:
        self.checked.forged = reason
        self.values.clear()  # none of it is trusted
        self.missing = "the reply was tampered with"

    def _add_loading(self, record: Any, job: JobResult) -> bool:
        match record:
            case ["load", "ok", ""]:
                return True
            case ["load", ("unreadable" | "unbound") as problem, str() as reason]:
                self.checked.malformed = True
                self.missing = (
                    f"the program does not parse: {reason}"
                    if problem == "unreadable"
                    else "the entry point is not defined"
                )
            case [("load" | "setup") as stage, "raised", str() as name, str() as message]:
                self.checked.raised.add(name)
                self.in_setup = stage == "setup"
                if name == "SystemExit":
                    self.checked.early_exit = "SystemExit while loading"
                self.missing = f"{'loading' if stage == 'load' else 'the set-up'} raised {name}: {message[:200]}"
            case None:
                self.in_setup = True
                self._add_early_end(job)
            case _:
                self._set_forged("an unexpected first record")
        return False

    def _add_answer(self, record: Any, number: int) -> bool:
        self.raw[number] = record[2:] if type(record) is list else None
        match record:
            case ["call", int() as called, "value", value] if called == number:
                decoder = Decoder()
                try:
                    self.values[number] = decoder.decode(value)
                except Malformed as error:
                    self._set_forged(f"not a value: {error}")
                    return False
                self.checked.overridden |= decoder.overridden
            case ["call", int() as called, ("raised" | "big"), str() as name, str() as message] if called == number:
                self.checked.raised.add("File too large" if name == "OSError" and "File too large" in message else name)
                self.raised[number] = f"raised {name}: {message[:200]}".rstrip(": ")
                if name == "SystemExit":
                    self.checked.early_exit = "SystemExit in a call"
            case _:
                self._set_forged("an unexpected record among the answers")
                return False
        return True

    def _add_early_end(self, job: JobResult) -> None:
        self.missing = describe_end(job)
        if not job.kill_reason and job.exit_code == HARNESS_BROKEN:
            self.checked.forged = "the solution broke the code that runs it"
        elif not job.kill_reason and job.exit_code >= 0:
            self.checked.early_exit = f"the process ended with exit code {job.exit_code} before its last answer"

    def get(self, number: int) -> Any:
        """The answer of a call; raises `_NoAnswer` where there is none."""
        if number in self.values:
            return self.values[number]
        raise _NoAnswer(self.raised.get(number) or self.missing or "no answer")


class _NoAnswer(Exception):
    """The solution gave no value."""


def describe_end(job: JobResult) -> str:
    """How a job process ended, for people."""
    if job.kill_reason == "cpu":
        return "out of time (processor)"
    if job.kill_reason == "wall":
        return "out of time (asleep)"
    if job.kill_reason == "files":
        return "out of room (files)"
    if job.exit_code < 0:
        return f"ended by signal {-job.exit_code}"
    return f"ended early with exit code {job.exit_code}"


def check(
    workers: Pool, task: CodeTask, plan: Plan, source: str, order: Sequence[int], limits: Limits
) -> IntendedResult:
    """Check a program against all tests.

    Args:
        workers: Where code runs.
        task: The problem.
        plan: How its tests are checked.
        source: The program.
        order: The numbers of the calls, in the order in which they are made.
        limits: Limits of one process.

    Raises:
        WorkerFailed: The sandbox itself failed.
    """
    checked = IntendedResult()
    answers = _Answers(checked)
    groups = [[number] for number in order] if limits.fresh_calls and order else [list(order)]
    for group in groups:
        calls = tuple((number, plan.calls[number].text, plan.calls[number].only_truth) for number in group)
        (job,) = workers.run([Job("calls", task.root, source, task.setup, calls=calls)], limits)
        answers.add(job, group)
        if checked.malformed or checked.forged:
            break
    if answers.in_setup and _setup_fails(workers, task, plan, limits):
        checked.detail = "the set-up itself fails"
        return checked
    alternatives = _alternatives(plan, answers)
    verdicts: dict[int, str | None] = {
        id(test): _compare(test, answers, alternatives) for test in plan.tests if test.method == "compared"
    }
    if not checked.malformed:
        verdicts.update(_run_remote_tests(workers, task, plan, source, checked, limits))
    _conclude(plan, verdicts, checked, answers)
    return checked


def _alternatives(plan: Plan, answers: _Answers) -> dict[int, list[int]]:
    """For each call, the numbers of equal calls that got different answers, one for each answer."""
    distinct: dict[Call, dict[str, int]] = {}
    for number, call in enumerate(plan.calls):
        try:
            answer = repr(answers.raw.get(number))
        except RecursionError:  # the encoder cannot have written this
            answer = f"the answer {number}"
        distinct.setdefault(call, {}).setdefault(answer, number)
    return {number: list(distinct[call].values()) for number, call in enumerate(plan.calls)}


def _compare(test: Test, answers: _Answers, alternatives: dict[int, list[int]]) -> str:
    """Why a test fails; empty if it passes with every answer that equal calls got.

    A range may be tested with two calls (`f(2) > 3 and f(2) < 4`): answers that change could satisfy both.
    """
    try:
        most = max((len(alternatives[number]) for number in test.calls), default=1)
        for turn in range(most + 1 if most > 1 else 1):

            def answer(number: int, turn: int = turn) -> Any:
                same = alternatives[number]
                return answers.get(same[turn % len(same)] if turn else number)

            evaluator = compare.Evaluator(answer)
            for expectation in test.expectations:
                if not evaluator.value(expectation):
                    return f"fails{_describe_answer(test, answers)}"
    except _NoAnswer as error:
        return str(error)
    except NotPlainData as error:
        return f"fails: {error}"
    except Exception as error:  # an error that a solution's data causes is a failure of the solution
        return f"fails: the comparison raised {type(error).__name__}{_describe_answer(test, answers)}"
    return ""


def _describe_answer(test: Test, answers: _Answers) -> str:
    if len(test.calls) != 1 or test.calls[0] not in answers.values:
        return ""
    try:
        return f": the answer was {repr(answers.values[test.calls[0]])[:120]}"
    except (ValueError, NotPlainData, RecursionError):
        return ""


def _run_remote_tests(
    workers: Pool, task: CodeTask, plan: Plan, source: str, checked: IntendedResult, limits: Limits
) -> dict[int, str | None]:
    """Verdicts on the tests that run in a test process; None for a test that cannot be decided."""
    tests = [test for test in plan.tests if test.method == "remote"]
    if not tests:
        return {}
    jobs = [Job("serve", task.root, source, task.setup),
            Job("tests", task.entry_point, setup=task.setup, names=plan.names,
            tests=tuple(test.source for test in tests))]  # fmt: skip
    solution, tested = workers.run(jobs, limits)
    checked.jobs.append(solution)
    # The solution may be out of time because it waited for the test, or because the test never stops calling it.
    out_of_time = solution.kill_reason in ("cpu", "wall")
    verdicts: dict[int, str | None] = {}
    for test, record in zip(tests, tested.records, strict=False):
        match record:
            case ["test", int(), "pass", _]:
                verdicts[id(test)] = ""
            case ["test", int(), "fail", str() as failure] if failure.startswith(_CONNECTION_LOST) and out_of_time:
                break  # which side is at fault is decided below, whether or not the test process noticed the loss
            case ["test", int(), "fail", str() as failure] if test.weak == NEVER_CALLS:
                verdicts[id(test)] = None
                checked.detail = f"the test fails whatever the solution does: {test.source[:120]!r}: {failure}"
            case ["test", int(), "fail", str() as failure]:
                is_lost = failure.startswith(_CONNECTION_LOST) and solution.kill_reason != "over"
                verdicts[id(test)] = describe_end(solution) if is_lost else f"fails: {failure}"
            case ["test", int(), "setup", str() as failure]:
                reason = f"fails: the set-up raises {failure}"
                verdicts[id(test)] = describe_end(solution) if solution.was_killed else reason
    for test in tests:
        if id(test) in verdicts:
            continue
        # The first test without a verdict is the one that was running at the end.
        if solution.was_killed and not out_of_time:
            verdicts[id(test)] = describe_end(solution)
        elif not _can_end(workers, task, plan, test, limits):
            verdicts[id(test)] = None
            checked.detail = f"the test itself does not end: {test.source[:120]!r}"
        else:
            reason = "does not end with these answers"
            verdicts[id(test)] = describe_end(solution) if solution.was_killed else reason
        break
    for test in tests:
        verdicts.setdefault(id(test), "not reached")
    return verdicts


_INSTANT_SOLUTION = """calls = 0
def {root}(*_, **__):
    global calls
    calls += 1
    if calls > 2:
        raise RuntimeError("called too often")
    return {answer}
"""


def _can_end(workers: Pool, task: CodeTask, plan: Plan, test: Test, limits: Limits) -> bool:
    """Whether a test ends if a solution answers a few calls at once and raises after that.

    If it does not, no solution is at fault; if it does, the answers of the solution kept it running.
    """
    for answer in (None, True):
        source = _INSTANT_SOLUTION.format(root=task.root, answer=answer)
        jobs = [Job("serve", task.root, source, task.setup),
                Job("tests", task.entry_point, setup=task.setup, names=plan.names, tests=(test.source,))]  # fmt: skip
        solution, tested = workers.run(jobs, limits)
        # If the solution process ran out of time first, the test process ends, but without a verdict.
        if not solution.was_killed and tested.records[-1:] == [["end", 1]]:
            return True
    return False


def _setup_fails(workers: Pool, task: CodeTask, plan: Plan, limits: Limits) -> bool:
    """Whether set-up code that does not use the solution fails without one."""
    if not task.setup or plan.setup_needs_solution:
        return False
    jobs = [Job("serve", task.root, f"{task.root} = None\n"),
            Job("tests", task.entry_point, setup=task.setup, tests=("pass",))]  # fmt: skip
    _, tested = workers.run(jobs, limits)
    return tested.records != [["test", 0, "pass", ""], ["end", 1]]


def _conclude(plan: Plan, verdicts: dict[int, str | None], checked: IntendedResult, answers: _Answers) -> None:
    """Combine the verdicts of all tests: a failure decides, then a test that could not be checked, then success."""
    for test in plan.forgeable:
        checked.detail = f"no ground truth: {test.source[:120]!r}: {test.reason}"

    def passed(tests: list[Test]) -> bool | None:
        of_tests = [verdicts.get(id(test)) for test in tests]
        if any(of_tests):
            return False
        return None if None in of_tests else True

    if checked.malformed or checked.forged:
        checked.passed = checked.shown = False
    else:
        checked.passed = passed(list(plan.tests))
        checked.shown = passed([test for test in plan.tests if test.shown])
        checked.passing = frozenset(n for n, test in enumerate(plan.tests) if verdicts.get(id(test)) == "")
    if plan.forgeable:
        checked.passed = None  # this problem cannot be graded, whatever the other tests show
    if checked.passed is False:
        failing = [test for test in plan.tests if verdicts.get(id(test))]
        if checked.malformed or checked.forged:
            checked.detail = answers.missing or checked.forged
        elif failing:
            kind = "shown" if failing[0].shown else "hidden"
            checked.detail = f"{kind} test {failing[0].source[:120]!r} {verdicts[id(failing[0])]}"
