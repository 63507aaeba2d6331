"""What a job process does inside the sandbox: run a solution's calls, the leaky check, or one side of a remote test.

A process that runs calls (`calls`, `serve`) knows their inputs and never an expected value. A process that runs the
leaky check (`script`) gets the shown tests and nothing else. The grader trusts their records as plain data only.
"""

from __future__ import annotations

import atexit
import builtins
import gc
import json
import marshal
import os
import random
import sys
import threading
import types
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

from inoculate.grading.sandbox import confine, evidence, remote_tests, static_hints
from inoculate.grading.sandbox.encoder import MAX_REPLY, TooBig, encode

RESULT, CONNECTION = 3, 5
"""Descriptors of a job process: its records, and the socket to its partner."""

HARNESS_BROKEN = 98
"""Exit code of a job process in which the solution has broken our own code."""

# References of our own, so that whatever a solution replaces in these modules affects only itself.
_solution_builtins = types.ModuleType("builtins")
_dumps, _write, _eval, _compile, _exit = json.JSONEncoder().encode, os.write, eval, compile, os._exit


class Job(NamedTuple):
    """What a job process is to do; `mode` is a key of `_MODES`."""

    mode: str
    entry: str
    source: str = ""
    setup: str = ""
    calls: tuple[tuple[int, str, bool], ...] = ()
    """Number and expression of each call, in order, and whether only the truth value of its result is needed."""
    tests: tuple[str, ...] = ()
    """The shown tests of a `script` job; the tests of a `tests` job."""
    shown: tuple[str, ...] = ()
    """Shown tests for the static hints of a `script` or `static` job."""
    names: tuple[str, ...] = ()
    """Names that a `tests` job takes from the solution."""
    reports_end: bool = False
    """Whether a `script` job records that its last line was reached; its exit code alone does not count then."""

    @staticmethod
    def read(descriptor: int) -> Job:
        """The job that a descriptor holds."""
        return Job._make(marshal.loads(os.pread(descriptor, os.fstat(descriptor).st_size, 0)))


def run_job(descriptors: Sequence[int], connection: int, limits: Sequence[Any], level: str) -> NoReturn:
    """In a newly forked process: keep its own descriptors, confine it, run the job, and exit.

    Args:
        descriptors: Of the result, the evidence, the output and the job.
        connection: The socket to the partner; -1 where there is none.
        limits: As in `fork_server.REQUEST`.
        level: Of containment.
    """
    try:
        result, notes, printed, job_descriptor = descriptors
        job = Job.read(job_descriptor)
        # The kernel assigns the lowest free number, so each descriptor is above the number that it is to get.
        for descriptor, number in ((printed, 1), (printed, 2), (result, RESULT), (notes, evidence.EVIDENCE)):
            os.dup2(descriptor, number)
        if connection >= 0:
            os.dup2(connection, CONNECTION)
        os.closerange(CONNECTION + (connection >= 0), 4096)  # the control socket to the grader among them
        cpu, _, memory, output = limits
        confine.set_limits(cpu, memory, output)
        if level != "rlimits":
            confine.load_seccomp_filter()
        gc.enable()
        os.write(evidence.EVIDENCE, b'["started"]\n')  # any failure from here on is caused by the solution
        if job.mode not in ("script", "tests", "static"):
            evidence.start()
    except BaseException as error:
        try:
            evidence.note("broken", repr(error)[:300])
        finally:
            _exit(99)
    _run_mode(job)


def _run_mode(job: Job) -> NoReturn:
    random.seed(0)  # the same completion gets the same verdict each time it is graded
    try:
        _MODES[job.mode](job)
        _flush()
    except BaseException:  # exceptions of a solution are caught where it runs: it has broken our code
        _exit(HARNESS_BROKEN)
    _exit(0)


def record(*parts: Any, max_bytes: int = 1 << 40) -> int:
    """Write one record; returns its length.

    Raises:
        TooBig: It is longer than `max_bytes`.
    """
    data = (_dumps(parts) + "\n").encode()
    length = len(data)
    if length > max_bytes:
        raise TooBig("the answers are too long")
    while data:
        data = data[_write(RESULT, data) :]
    return length


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:  # the solution may have replaced the stream by anything
            continue


def prepare() -> None:
    """In the fork server: prepare what all job processes share."""
    atexit._clear()  # drop the functions that the modules loaded so far have registered: they have nothing to close
    _solution_builtins.__dict__.update(builtins.__dict__)
    sys.modules["builtins"] = _solution_builtins


def _namespace(name: str) -> dict[str, Any]:
    """An empty module for the solution."""
    module = types.ModuleType(name)
    module.__dict__["__builtins__"] = _solution_builtins
    sys.modules[name] = module
    return module.__dict__


def load(job: Job) -> dict[str, Any] | None:
    """Run the solution and the set-up code; None, and a record, where one failed."""
    namespace = _namespace("solution")
    try:
        program = compile(job.source, "<solution>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        record("load", "unreadable", f"{type(error).__name__}: {error}"[:300])
        return None
    stage = "load"
    try:
        exec(program, namespace)
        if job.entry not in namespace:
            record("load", "unbound", "")
            return None
        stage = "setup"
        if job.setup:
            exec(compile(job.setup, "<setup>", "exec", dont_inherit=True), namespace)
    except BaseException as error:
        record(stage, "raised", *describe(error))
        return None
    record("load", "ok", "")
    return namespace


def describe(error: BaseException) -> tuple[str, str]:
    """Name and message of an exception, whatever its class does."""
    try:
        return type(error).__name__[:80], str(error)[:300]
    except BaseException:
        return type(error).__name__[:80], ""


def _calls(job: Job) -> None:
    namespace = load(job)
    if namespace is None:
        return
    left = MAX_REPLY
    for number, text, only_truth in job.calls:
        try:
            value = _eval(_compile(text, "<call>", "eval", dont_inherit=True), namespace)
            if (
                only_truth and type(value) is not types.CoroutineType
            ):  # a coroutine that is not awaited is true, but no answer
                value = bool(value)
            left -= record("call", number, "value", encode(value), max_bytes=left)
        except TooBig as error:
            record("call", number, "big", "TooBig", str(error))
        except BaseException as error:
            record("call", number, "raised", *describe(error))
    record("end", len(job.calls))


class _Unbound:
    """Replaces a builtin that has the name of the entry point, so that only the solution's own is ever called."""

    def __call__(self, *_: object, **__: object) -> object:
        raise NameError("the solution does not define the function")


def _script(job: Job) -> None:
    _static_hints(job)
    namespace = _namespace("__main__")
    if hasattr(builtins, job.entry):
        namespace[job.entry] = _Unbound()
    text = "\n".join([job.source, job.setup, *job.tests, ""])
    sys.argv = ["-c"]
    sys.orig_argv = [sys.executable, "-c", text]  # what `python -c` would show to the program
    code = 0
    try:
        exec(compile(text, "<string>", "exec", dont_inherit=True), namespace)
        if job.reports_end:
            record("reached", len(job.tests))
    except BaseException as error:
        code = _unhandled(error)
    _end(code)


def _unhandled(error: BaseException) -> int:
    """The exit code that the interpreter gives to a program that ends with this exception."""
    if isinstance(error, SystemExit):
        return _exit_code(error.code)
    try:
        sys.excepthook(type(error), error, error.__traceback__ and error.__traceback__.tb_next)
    except SystemExit as second:
        return _exit_code(second.code)
    except BaseException:
        return 1
    return 1


def _exit_code(code: object) -> int:
    return 0 if code is None else code & 0xFF if isinstance(code, int) else 1


def _end(code: int) -> None:
    """Exit as a program does: wait for its threads, run its exit functions, flush.

    Done by hand because the shutdown of the interpreter takes longer than all the rest of the check.
    """
    waiting = (threading._shutdown,) if threading.active_count() > 1 else ()  # type: ignore[attr-defined]
    for step in (*waiting, atexit._run_exitfuncs):  # type: ignore[attr-defined]
        try:
            step()
        except BaseException:  # as at the end of any program: it does not change the exit code
            continue
    _flush()
    _exit(code)


def _static_hints(job: Job) -> None:
    evidence.note("static", *static_hints.find_hints(job.source, job.entry, job.shown))
    evidence.start()


def _serve(job: Job) -> None:
    namespace = load(job)
    if namespace is not None:
        remote_tests.serve_solution(namespace, CONNECTION)


def _tests(job: Job) -> None:
    remote_tests.run_tests(job.entry, job.tests, job.setup, job.names, CONNECTION, record)


_MODES: dict[str, Callable[[Job], None]] = {
    "calls": _calls, "script": _script, "static": _static_hints, "serve": _serve, "tests": _tests,
}  # fmt: skip
