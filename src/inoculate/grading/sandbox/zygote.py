"""The fork server: a confined interpreter with the usual modules loaded, which forks one child for each job.

It never reads a job. The grader passes it four descriptors for each child (job, result, output, evidence); the child
closes the way back to the grader before any line of a solution runs, so that what this process says about a child (its
exit, its time) comes from where no solution has been.

Started as `python -s -S -P zygote.py OPTIONS`, with an empty environment; the options name the control socket's
descriptor.
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NoReturn

# What short solutions import most: loaded once, and shared by every child from then on.
PRELOADED = (
    "abc", "array", "bisect", "calendar", "cmath", "collections.abc", "concurrent.futures.thread", "contextlib", "copy",
    "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "hashlib", "heapq", "io", "itertools",
    "json",
    "math", "numbers", "operator", "queue", "random", "re", "statistics", "string", "struct", "textwrap", "threading",
    "time", "traceback", "types", "typing", "unicodedata",
)  # fmt: skip

REQUEST = struct.Struct("=ddQQ")
"""One child to be: limits on processor time and on being asleep (seconds), on memory and on output (megabytes)."""
REPORT = struct.Struct("=BidQ")
"""One child that was: which of `WHYS` ended it, its wait status, processor time (seconds), most memory (kilobytes)."""
WHYS = ("", "cpu", "wall", "files", "over", "gone")
ENDED, FAILED, ASLEEP_NOW = b"e", b"f", b"a"
"""How the worker's messages begin: reports follow, or words, or nothing (the children may be asleep: are they?)."""
AWAKE, AT_REST, UNSEEN = b"y", b"n", b"?"
"""The grader's answers to that."""

ASLEEP = 0.01
"""Share of the time on a processor below which a child may be asleep."""
_LOOK_SECONDS = 0.02
"""How often written files are counted, where the kernel does not do it."""
LONGEST = 100
"""A child that is not asleep may take so many times the wall limit."""


def _packages(folder: str) -> None:
    """Let `inoculate.grading.sandbox` be imported without the packages above it, which need more than is here."""
    parts = ("inoculate", "inoculate.grading", "inoculate.grading.sandbox")
    for name, path in zip(
        parts, (os.path.dirname(os.path.dirname(folder)), os.path.dirname(folder), folder), strict=True
    ):
        module = ModuleType(name)
        module.__path__ = [path]
        sys.modules[name] = module


@dataclass(slots=True)
class Running:
    """A child, its limits and what has been seen of it."""

    pid: int
    descriptor: int
    """Becomes readable when it ends; -1 where the system has no such thing."""
    cpu_seconds: float
    wall_seconds: float
    started: float
    window: float
    """When the present stretch of `wall_seconds` began, and the processor time used by then."""
    used: float = 0.0
    why: str = ""
    report: bytes = b""
    partner: Running | None = None
    """The other one of a pair: while one waits for an answer, the other works."""

    def cpu(self) -> float:
        """Processor time of all its threads, from the kernel's clock of that process."""
        try:
            return time.clock_gettime(((~self.pid) << 3) | 2)
        except OSError:
            return 0.0

    def over(self, now: float, awake: Callable[[], bool | None]) -> str:
        """Which limit it is over: 'cpu', 'wall', or ''.

        Args:
            now: The present moment.
            awake: Asks the grader, which can see from outside, whether the children want to run; None if it cannot.
        """
        cpu = self.cpu()
        if cpu >= self.cpu_seconds:
            return "cpu"
        if now - self.started >= LONGEST * self.wall_seconds:
            return "wall"
        if now - self.window < self.wall_seconds:
            return ""
        # Asleep, or waiting for its turn on a busy machine? What has had some time was awake; the rest is looked at:
        # beside work of a higher priority a process can wait for its turn for seconds on end.
        together = cpu + (self.partner.cpu() if self.partner else 0.0)
        share = (together - self.used) / (now - self.window)
        if share < ASLEEP:
            seen = awake()
            if seen is False or (seen is None and share < ASLEEP / 20):
                return "wall"
        self.window, self.used = now, together
        return ""

    def pause(self, now: float) -> float:
        """Seconds until it could be over a limit, or has to be looked at."""
        left = min(self.cpu_seconds - self.cpu(), self.window + self.wall_seconds - now)
        return max(left, 0.005) if self.descriptor >= 0 else 0.005

    def reap(self, options: int = 0) -> bool:
        """Take its status and what it used from the kernel; False where it has not ended and need not be waited for."""
        pid, status, usage = os.wait4(self.pid, options)
        if pid == 0:
            return False
        if self.descriptor >= 0:
            os.close(self.descriptor)
        cpu = usage.ru_utime + usage.ru_stime
        if cpu >= self.cpu_seconds and self.why in ("", "cpu"):
            self.why = "cpu"  # over its limit, whether or not we came in time to end it
        elif self.why in ("cpu", "wall", "files") and not (
            os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        ):
            self.why = ""  # it ended by itself while we were about to end it
        self.report = REPORT.pack(WHYS.index(self.why), status, cpu, usage.ru_maxrss)
        return True


def _sweep(group: int) -> None:
    """Where children can make processes: end the group, and what was handed to us as its nearest ancestor."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    for _ in range(100):
        try:
            with open(f"/proc/self/task/{os.getpid()}/children") as listing:
                others = [int(pid) for pid in listing.read().split() if int(pid) != group]
        except OSError:
            return
        if not others:
            return
        for pid in others:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


class Zygote:
    """The loop: a request in, children out, a report back.

    Between two forks it touches as little as it can: each page of memory that it writes to has to be copied.
    """

    def __init__(
        self,
        control: socket.socket,
        live: Callable[..., NoReturn],
        scratch: ModuleType | None,
        prepared: dict[str, Any],
    ) -> None:
        """Create one.

        Args:
            control: Leads to the grader.
            live: What a child does.
            scratch: Looks after the folder in which solutions may write; None where there is none.
            prepared: What was reached.
        """
        self.control = control
        self.live = live
        self.scratch = scratch
        self.level = prepared["level"]
        self.counts_files = scratch if not prepared["namespaces"] else None  # there, the kernel counts
        self.poll = select.poll()
        self.poll.register(control, select.POLLIN)

    def serve(self) -> None:
        """Answer requests until the grader hangs up; children never come back from here."""
        while True:
            if self.scratch:
                self.scratch.empty()  # after the report: what a solution leaves there cannot hold up its own verdict
            data, passed, _, _ = self.control.recvmsg(2 * REQUEST.size, socket.CMSG_SPACE(2 * 4 * 4))
            if not data:
                return
            descriptors = array.array("i", passed[0][2]).tolist()
            running: list[Running] = []
            try:
                self._start(data, descriptors, running)
            except OSError as error:
                for child in running:
                    self._end(child)
                self.control.sendall(FAILED + f"a child could not be started: {error}".encode())
                continue
            if not self._watch(running):
                return
            self.control.sendall(b"".join([ENDED, *[child.report for child in running]]))

    def _start(self, data: bytes, descriptors: list[int], running: list[Running]) -> None:
        """Fork one child, or two that are linked."""
        links = [-1]
        if len(descriptors) == 8:
            links = [end.detach() for end in socket.socketpair()]
            descriptors += links
        try:
            for position, link in enumerate(links):
                limits = REQUEST.unpack_from(data, position * REQUEST.size)
                pid = os.fork()
                if pid == 0:
                    self.live(descriptors[4 * position :][:4], link, limits, self.level)
                now = time.monotonic()
                running.append(Running(pid, _handle(pid), limits[0], limits[1], now, now))
                if self.level == "rlimits":
                    os.setpgid(pid, pid)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        if len(running) == 2:
            running[0].partner, running[1].partner = running[1], running[0]

    def _awake(self) -> bool | None:
        self.control.sendall(ASLEEP_NOW)
        return {AWAKE: True, AT_REST: False}.get(self.control.recv(1))

    def _watch(self, running: list[Running]) -> bool:
        """Wait for the children within their limits; False where the grader has gone meanwhile."""
        alive = list(running)
        for child in alive:
            if child.descriptor >= 0:
                self.poll.register(child.descriptor, select.POLLIN)
        while alive:
            now = time.monotonic()
            pause = min([child.pause(now) for child in alive])
            events = self.poll.poll(1000 * (min(pause, _LOOK_SECONDS) if self.counts_files else pause))
            gone = self.control.fileno() in [descriptor for descriptor, _ in events]
            now = time.monotonic()
            for child in list(alive):
                if not child.reap(os.WNOHANG):
                    child.why = child.why or ("gone" if gone else child.over(now, self._awake))
                    if self.counts_files and not child.why and self.counts_files.too_much():
                        child.why = "files"
                    if not child.why:
                        continue
                    self._end(child)
                if child.descriptor >= 0:
                    self.poll.unregister(child.descriptor)
                if self.level == "rlimits":
                    _sweep(child.pid)
                alive.remove(child)
                if len(running) == 2 and child is running[1] and alive:
                    # The judge has ended: nobody asks the solution any more.
                    alive[0].why = "over"
                    self._kill(alive[0])
            if gone:
                if self.scratch:
                    self.scratch.empty()
                return False
        return True

    def _end(self, child: Running) -> None:
        self._kill(child)
        child.reap()

    @staticmethod
    def _kill(child: Running) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)


def _handle(pid: int) -> int:
    """A descriptor that becomes readable when a child ends, where there is such a thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return -1


def _preload(numpy: str) -> None:
    """Import what solutions use most."""
    for name in PRELOADED:
        importlib.import_module(name)
    if numpy:
        sys.path.append(numpy)
        importlib.import_module("numpy")


def main() -> None:
    """Prepare this process, say what it reached, and serve."""
    # What modules ask to be done in a child after each fork (to renew the locks of threads that are not there, to seed
    # `random`, which is seeded anyway) would take a quarter of its time.
    register, os.register_at_fork = os.register_at_fork, lambda **_: None
    _packages(os.path.dirname(os.path.abspath(__file__)))
    options = json.loads(sys.argv[1])
    from inoculate.grading.sandbox import child, confine, evidence, scratch

    control = socket.socket(fileno=options["control"])
    prepared = confine.enclose(options)
    _preload(options["numpy"])
    prepared.update(confine.close(options, prepared["scratch"]))
    zygote = Zygote(control, child.live, scratch if prepared["scratch"] else None, prepared)
    os.register_at_fork = register
    child.prepare()
    evidence.prepare()
    gc.collect()
    gc.disable()
    gc.freeze()
    control.sendall(json.dumps(prepared).encode() + b"\n")
    zygote.serve()


if __name__ == "__main__":
    main()
