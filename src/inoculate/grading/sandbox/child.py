"""What a forked child does with its job, inside the box: load the solution and answer, or be the leaky check.

The child that answers (`calls`, `serve`) knows inputs and never an expected value. The child that is the leaky check
(`script`) is given the shown tests and nothing else. Both end here: the grader believes a record only as plain data.
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

from inoculate.grading.sandbox import confine, evidence, judge, patterns
from inoculate.grading.sandbox.values import MOST_REPLY, TooBig, encode

RESULT, LINK = 3, 5
"""Descriptors of a child: its records, and the way to its partner."""

BROKEN = 98
"""Exit code of a child whose own code, beside the solution's, does not work any more."""

# What a solution replaces in the modules that it shares with us is its own affair, and not ours.
_theirs = types.ModuleType("builtins")
_dumps, _write, _eval, _compile, _exit = json.dumps, os.write, eval, compile, os._exit


class Job(NamedTuple):
    """What a child is to do; `mode` names the function of this module or its neighbours that does it."""

    mode: str
    entry: str
    source: str = ""
    setup: str = ""
    calls: tuple[tuple[int, str, bool], ...] = ()
    """Number and expression of each call, in the order to be made, and whether only its truth is asked."""
    tests: tuple[str, ...] = ()
    """Shown tests of a `script`; every test of a `judge`."""
    shown: tuple[str, ...] = ()
    """Shown tests for the static patterns of a `script` or `patterns` job."""
    names: tuple[str, ...] = ()
    """Names that a `judge` asks the solution for."""
    live: bool = False
    """A `script` reports that its last line was reached, and its exit code is not believed."""

    @staticmethod
    def read(descriptor: int) -> Job:
        """The job that a descriptor holds."""
        return Job._make(marshal.loads(os.pread(descriptor, os.fstat(descriptor).st_size, 0)))


def live(descriptors: Sequence[int], link: int, limits: Sequence[Any], level: str) -> NoReturn:
    """In a child, just forked: keep its own descriptors, close the box, do the job, and end.

    Args:
        descriptors: Of the result, the evidence, the output and the job.
        link: Leads to the partner; -1 where there is none.
        limits: As in the zygote's `REQUEST`.
        level: Of containment.
    """
    try:
        result, notes, printed, work = descriptors
        job = Job.read(work)
        # The kernel gives the lowest number that is free: each has a higher one than the one that it is to get.
        for number, wanted in ((printed, 1), (printed, 2), (result, RESULT), (notes, evidence.EVIDENCE)):
            os.dup2(number, wanted)
        if link >= 0:
            os.dup2(link, LINK)
        os.closerange(LINK + (link >= 0), 4096)  # the way back to the grader among them
        cpu, _, memory, output = limits
        confine.limit(cpu, memory, output)
        if level != "rlimits":
            confine.forbid()
        gc.enable()
        os.write(evidence.EVIDENCE, b'["started"]\n')  # whatever goes wrong from here on is the solution's doing
        if job.mode not in ("script", "judge", "patterns"):
            evidence.start()
    except BaseException as error:
        try:
            evidence.note("broken", repr(error)[:300])
        finally:
            _exit(99)
    _carry_out(job)


def _carry_out(job: Job) -> NoReturn:
    random.seed(0)  # the same completion gets the same verdict each time it is graded
    try:
        _MODES[job.mode](job)
        _flush()
    except BaseException:  # a solution's are caught where they arise: it has broken what lies around it
        _exit(BROKEN)
    _exit(0)


def record(*parts: Any, most: int = 1 << 40) -> int:
    """Write one record; returns its length.

    Raises:
        TooBig: It is longer than `most` bytes.
    """
    data = (_dumps(parts) + "\n").encode()
    length = len(data)
    if length > most:
        raise TooBig("the answers are too long")
    while data:
        data = data[_write(RESULT, data) :]
    return length


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:  # the solution may have put anything there
            continue


def prepare() -> None:
    """In the worker: what each child would otherwise do for itself."""
    atexit._clear()  # of what the modules loaded so far have asked for: nothing of theirs is open
    _theirs.__dict__.update(builtins.__dict__)
    sys.modules["builtins"] = _theirs


def _namespace(name: str) -> dict[str, Any]:
    """An empty module for the solution."""
    module = types.ModuleType(name)
    module.__dict__["__builtins__"] = _theirs
    sys.modules[name] = module
    return module.__dict__


def load(job: Job) -> dict[str, Any] | None:
    """Run the solution and the set-up; None where that failed, which is on record then."""
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
    """Name and words of an exception, whatever its class does when it is asked for them."""
    try:
        return type(error).__name__[:80], str(error)[:300]
    except BaseException:
        return type(error).__name__[:80], ""


def _calls(job: Job) -> None:
    namespace = load(job)
    if namespace is None:
        return
    left = MOST_REPLY
    for number, text, truth in job.calls:
        try:
            value = _eval(_compile(text, "<call>", "eval", dont_inherit=True), namespace)
            if truth and type(value) is not types.CoroutineType:  # one that nobody awaits is true, and no answer
                value = bool(value)
            left -= record("call", number, "value", encode(value), most=left)
        except TooBig as error:
            record("call", number, "big", "TooBig", str(error))
        except BaseException as error:
            record("call", number, "raised", *describe(error))
    record("end", len(job.calls))


class _Unbound:
    """Stands where a builtin has the name of the entry point, so that only the solution's own is ever called."""

    def __call__(self, *_: object, **__: object) -> object:
        raise NameError("the solution does not define the function")


def _script(job: Job) -> None:
    _patterns(job)
    namespace = _namespace("__main__")
    if hasattr(builtins, job.entry):
        namespace[job.entry] = _Unbound()
    text = "\n".join([job.source, job.setup, *job.tests, ""])
    sys.argv = ["-c"]
    sys.orig_argv = [sys.executable, "-c", text]  # what `python -c` would show to the program
    code = 0
    try:
        exec(compile(text, "<string>", "exec", dont_inherit=True), namespace)
        if job.live:
            record("reached", len(job.tests))
    except BaseException as error:
        code = _unhandled(error)
    _end(code)


def _unhandled(error: BaseException) -> int:
    """The exit code of a program that ends in this exception, as the interpreter finds it."""
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
    """End as a program does: wait for its threads, run what it left for the exit, flush.

    Done by hand because taking the interpreter apart costs more than all the rest of the check.
    """
    waiting = (threading._shutdown,) if threading.active_count() > 1 else ()  # type: ignore[attr-defined]
    for step in (*waiting, atexit._run_exitfuncs):  # type: ignore[attr-defined]
        try:
            step()
        except BaseException:  # as at the end of any program: reported there, and no part of the exit code
            continue
    _flush()
    _exit(code)


def _patterns(job: Job) -> None:
    evidence.note("static", *patterns.find(job.source, job.entry, job.shown))
    evidence.start()


def _serve(job: Job) -> None:
    namespace = load(job)
    if namespace is not None:
        judge.serve(namespace, LINK)


def _judge(job: Job) -> None:
    judge.judge(job.entry, job.tests, job.setup, job.names, LINK, record)


_MODES: dict[str, Callable[[Job], None]] = {
    "calls": _calls, "script": _script, "patterns": _patterns, "serve": _serve, "judge": _judge,
}  # fmt: skip
