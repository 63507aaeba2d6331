"""The fork server: a confined interpreter with common modules loaded, which forks one process for each job.

It never reads a job. For each job process the grader passes it four descriptors (job, result, output, evidence). The
job process closes the control socket before any line of a solution runs. So no solution can influence what the fork
server reports about a job process, such as its exit status and its processor time.

Started as `python -s -S -P fork_server.py OPTIONS`, with an empty environment; the options contain the descriptor of
the control socket.
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

# The modules that short solutions import most: loaded once, and shared by all job processes.
PRELOADED = (
    "abc", "array", "bisect", "calendar", "cmath", "collections.abc", "concurrent.futures.thread", "contextlib", "copy",
    "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "hashlib", "heapq", "io", "itertools",
    "json",
    "math", "numbers", "operator", "queue", "random", "re", "statistics", "string", "struct", "textwrap", "threading",
    "time", "traceback", "types", "typing", "unicodedata",
)  # fmt: skip

REQUEST = struct.Struct("=ddQQ")
"""A job to start: limits on processor time and on sleeping (seconds), on memory and on output (megabytes)."""
REPORT = struct.Struct("=BidQ")
"""A finished job: index into `KILL_REASONS`, wait status, processor time (seconds), peak memory (kilobytes)."""
KILL_REASONS = ("", "cpu", "wall", "files", "over", "gone")
"""Why a job process was killed: a limit, no longer needed ('over'), the grader has exited ('gone'); '': it was not."""
FINISHED, FAILED, ASLEEP_QUERY = b"e", b"f", b"a"
"""The first byte of a message to the grader: reports follow; an error message follows; are the job processes asleep?"""
AWAKE, ASLEEP, UNKNOWN = b"y", b"n", b"?"
"""The grader's answers to that query."""

ASLEEP_SHARE = 0.01
"""A process that uses a smaller share of a processor may be asleep."""
_FILE_CHECK_SECONDS = 0.02
"""How often written files are counted, where the kernel does not limit them."""
MAX_WALL_FACTOR = 100
"""A process that is not asleep may take this many times the wall-clock limit."""


def _register_packages(folder: str) -> None:
    """Make `inoculate.grading.sandbox` importable without its parent packages, whose dependencies are not available."""
    parts = ("inoculate", "inoculate.grading", "inoculate.grading.sandbox")
    for name, path in zip(
        parts, (os.path.dirname(os.path.dirname(folder)), os.path.dirname(folder), folder), strict=True
    ):
        module = ModuleType(name)
        module.__path__ = [path]
        sys.modules[name] = module


@dataclass(slots=True)
class RunningJob:
    """A job process, its limits and what has been measured of it."""

    pid: int
    pidfd: int
    """A pidfd, which becomes readable when the process ends; -1 where the system has none."""
    cpu_seconds: float
    wall_seconds: float
    started: float
    window: float
    """When the current window of `wall_seconds` began."""
    used: float = 0.0
    """Processor time at that moment."""
    kill_reason: str = ""
    report: bytes = b""
    partner: RunningJob | None = None
    """The other process of a pair: while one waits for an answer, the other works."""

    def cpu(self) -> float:
        """Processor time of all its threads, from the kernel's clock of that process."""
        try:
            return time.clock_gettime(((~self.pid) << 3) | 2)
        except OSError:
            return 0.0

    def exceeded_limit(self, now: float, is_awake: Callable[[], bool | None]) -> str:
        """The limit that the process has exceeded: 'cpu', 'wall', or ''.

        Args:
            now: The current time.
            is_awake: Asks the grader, which sees the processes from outside, whether they are runnable; None if it
                cannot tell.
        """
        cpu = self.cpu()
        if cpu >= self.cpu_seconds:
            return "cpu"
        if now - self.started >= MAX_WALL_FACTOR * self.wall_seconds:
            return "wall"
        if now - self.window < self.wall_seconds:
            return ""
        # Asleep, or waiting for a processor on a busy machine? A process that got some processor time was awake. Else
        # the grader is asked: beside work of a higher priority a process can wait for a processor for seconds.
        total = cpu + (self.partner.cpu() if self.partner else 0.0)
        share = (total - self.used) / (now - self.window)
        if share < ASLEEP_SHARE:
            awake = is_awake()
            if awake is False or (awake is None and share < ASLEEP_SHARE / 20):
                return "wall"
        self.window, self.used = now, total
        return ""

    def pause(self, now: float) -> float:
        """Seconds until it could exceed a limit, or has to be checked."""
        left = min(self.cpu_seconds - self.cpu(), self.window + self.wall_seconds - now)
        return max(left, 0.005) if self.pidfd >= 0 else 0.005

    def reap(self, options: int = 0) -> bool:
        """Collect its status and resource usage; False if it has not ended (only with WNOHANG)."""
        pid, status, usage = os.wait4(self.pid, options)
        if pid == 0:
            return False
        if self.pidfd >= 0:
            os.close(self.pidfd)
        cpu = usage.ru_utime + usage.ru_stime
        if cpu >= self.cpu_seconds and self.kill_reason in ("", "cpu"):
            self.kill_reason = "cpu"  # above its limit, whether or not it was killed in time
        elif self.kill_reason in ("cpu", "wall", "files") and not (
            os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        ):
            self.kill_reason = ""  # it exited by itself just before it was killed
        self.report = REPORT.pack(KILL_REASONS.index(self.kill_reason), status, cpu, usage.ru_maxrss)
        return True


def _kill_group(group: int) -> None:
    """Where job processes can fork: kill the process group, and orphans that were reparented to us."""
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


class ForkServer:
    """The main loop: receives requests, forks job processes and reports on them.

    Between two forks it writes to as little memory as possible: every page that it changes has to be copied.
    """

    def __init__(
        self,
        control: socket.socket,
        run_job: Callable[..., NoReturn],
        scratch: ModuleType | None,
        containment: dict[str, Any],
    ) -> None:
        """Create one.

        Args:
            control: The socket to the grader.
            run_job: Runs a job in the forked process.
            scratch: The module that manages the scratch folder; None where there is none.
            containment: The containment that was reached.
        """
        self.control = control
        self.run_job = run_job
        self.scratch = scratch
        self.level = containment["level"]
        self.counts_files = scratch if not containment["namespaces"] else None  # in namespaces, the kernel limits files
        self.poll = select.poll()
        self.poll.register(control, select.POLLIN)

    def serve(self) -> None:
        """Serve requests until the grader closes the socket; job processes never return from here."""
        while True:
            if self.scratch:
                self.scratch.empty()  # after the report: files of a solution cannot delay its own verdict
            data, passed, _, _ = self.control.recvmsg(2 * REQUEST.size, socket.CMSG_SPACE(2 * 4 * 4))
            if not data:
                return
            descriptors = array.array("i", passed[0][2]).tolist()
            jobs: list[RunningJob] = []
            try:
                self._start(data, descriptors, jobs)
            except OSError as error:
                for job in jobs:
                    self._end(job)
                self.control.sendall(FAILED + f"a job process could not be started: {error}".encode())
                continue
            if not self._wait(jobs):
                return
            self.control.sendall(b"".join([FINISHED, *[job.report for job in jobs]]))

    def _start(self, data: bytes, descriptors: list[int], jobs: list[RunningJob]) -> None:
        """Fork one job process, or two that are connected."""
        sockets = [-1]
        if len(descriptors) == 8:
            sockets = [end.detach() for end in socket.socketpair()]
            descriptors += sockets
        try:
            for position, connection in enumerate(sockets):
                limits = REQUEST.unpack_from(data, position * REQUEST.size)
                pid = os.fork()
                if pid == 0:
                    self.run_job(descriptors[4 * position :][:4], connection, limits, self.level)
                now = time.monotonic()
                jobs.append(RunningJob(pid, _pidfd(pid), limits[0], limits[1], now, now))
                if self.level == "rlimits":
                    os.setpgid(pid, pid)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        if len(jobs) == 2:
            jobs[0].partner, jobs[1].partner = jobs[1], jobs[0]

    def _is_awake(self) -> bool | None:
        self.control.sendall(ASLEEP_QUERY)
        return {AWAKE: True, ASLEEP: False}.get(self.control.recv(1))

    def _wait(self, jobs: list[RunningJob]) -> bool:
        """Wait for the job processes and enforce their limits; False if the grader has exited meanwhile."""
        alive = list(jobs)
        for job in alive:
            if job.pidfd >= 0:
                self.poll.register(job.pidfd, select.POLLIN)
        while alive:
            now = time.monotonic()
            pause = min([job.pause(now) for job in alive])
            events = self.poll.poll(1000 * (min(pause, _FILE_CHECK_SECONDS) if self.counts_files else pause))
            grader_gone = self.control.fileno() in [descriptor for descriptor, _ in events]
            now = time.monotonic()
            for job in list(alive):
                if not job.reap(os.WNOHANG):
                    if not job.kill_reason:
                        job.kill_reason = "gone" if grader_gone else job.exceeded_limit(now, self._is_awake)
                    if self.counts_files and not job.kill_reason and self.counts_files.too_much():
                        job.kill_reason = "files"
                    if not job.kill_reason:
                        continue
                    self._end(job)
                if job.pidfd >= 0:
                    self.poll.unregister(job.pidfd)
                if self.level == "rlimits":
                    _kill_group(job.pid)
                alive.remove(job)
                if len(jobs) == 2 and job is jobs[1] and alive:
                    # The test process has ended, so the solution process is not needed any more.
                    alive[0].kill_reason = "over"
                    self._kill(alive[0])
            if grader_gone:
                if self.scratch:
                    self.scratch.empty()
                return False
        return True

    def _end(self, job: RunningJob) -> None:
        self._kill(job)
        job.reap()

    @staticmethod
    def _kill(job: RunningJob) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(job.pid, signal.SIGKILL)


def _pidfd(pid: int) -> int:
    """A descriptor that becomes readable when the process ends; -1 where the system has none."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return -1


def _preload(numpy: str) -> None:
    """Import the modules that solutions use most."""
    for name in PRELOADED:
        importlib.import_module(name)
    if numpy:
        sys.path.append(numpy)
        importlib.import_module("numpy")


def main() -> None:
    """Confine this process, report the containment, and serve."""
    # Modules register functions to run in each forked process (to renew the locks of threads that do not exist there,
    # to seed `random`, which is seeded anyway). They would take a quarter of its time.
    register, os.register_at_fork = os.register_at_fork, lambda **_: None
    _register_packages(os.path.dirname(os.path.abspath(__file__)))
    options = json.loads(sys.argv[1])
    from inoculate.grading.sandbox import confine, evidence, job_process, scratch

    control = socket.socket(fileno=options["control"])
    containment = confine.confine_before_imports(options)
    _preload(options["numpy"])
    containment.update(confine.confine_after_imports(options, containment["scratch"]))
    server = ForkServer(control, job_process.run_job, scratch if containment["scratch"] else None, containment)
    os.register_at_fork = register
    job_process.prepare()
    evidence.prepare()
    gc.collect()
    gc.disable()
    gc.freeze()
    control.sendall(json.dumps(containment).encode() + b"\n")
    server.serve()


if __name__ == "__main__":
    main()
