"""The fork server: a confined interpreter with the usual modules loaded, which forks one child for each job.

It never reads a job. The grader passes it four descriptors for each child (job, result, output, evidence); the child
closes the way back to the grader before any line of a solution runs, so that what this process says about a child (its
exit, its time) comes from where no solution has been.

Started as `python -s -S -P zygote.py OPTIONS`, with an empty environment; the options name the control socket's
descriptor.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

# What short solutions import most: loaded once, and shared by every child from then on.
PRELOADED = (
    "abc", "array", "bisect", "calendar", "cmath", "collections.abc", "concurrent.futures.thread", "contextlib", "copy",
    "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "hashlib", "heapq", "io", "itertools",
    "json",
    "math", "numbers", "operator", "queue", "random", "re", "statistics", "string", "struct", "textwrap", "threading",
    "time", "traceback", "types", "typing", "unicodedata",
)  # fmt: skip

ASLEEP = 0.01
"""Share of the time on a processor below which a child may be asleep."""
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


@dataclass
class Running:
    """A child, its limits and what has been seen of it."""

    pid: int
    descriptor: int
    cpu_seconds: float
    wall_seconds: float
    started: float = field(default_factory=time.monotonic)
    window: float = field(default_factory=time.monotonic)
    """When the present stretch of `wall_seconds` began, and the processor time used by then."""
    used: float = 0.0
    why: str = ""
    outcome: tuple[int, float, int] | None = None
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
        """Seconds until it could be over a limit."""
        left = min(self.cpu_seconds - self.cpu(), self.window + self.wall_seconds - now)
        return max(left, 0.005)

    def end(self, level: str) -> None:
        """Kill it and whatever it may have started, and keep its status."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        if level == "rlimits":
            _sweep(self.pid)

    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        return bool(select.select([self.descriptor], [], [], 0)[0])

    def reap(self) -> None:
        """Take its status and what it used from the kernel."""
        _, status, usage = os.wait4(self.pid, 0)
        os.close(self.descriptor)
        cpu = usage.ru_utime + usage.ru_stime
        if not self.why and cpu >= self.cpu_seconds:
            self.why = "cpu"  # over its limit, whether or not we came in time to end it
        self.outcome = (status, cpu, usage.ru_maxrss)


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
    """The loop: a request in, children out, a report back."""

    def __init__(self, control: socket.socket, options: dict[str, Any]) -> None:
        """Create one; `control` leads to the grader."""
        self.control = control
        self.options = options
        self.level = options["level"]

    def serve(self) -> Any:
        """Answer requests until the grader hangs up; in a child, return its job."""
        while True:
            request, descriptors = self._receive()
            if request is None:
                return None
            running: list[Running] = []
            pair = socket.socketpair() if len(request["jobs"]) == 2 else ()
            links = [end.detach() for end in pair] or [-1]
            try:
                for position, limits in enumerate(request["jobs"]):
                    started = self._fork(limits, descriptors[4 * position : 4 * position + 4], links[position])
                    if not isinstance(started, Running):
                        descriptors, links = [], []  # their numbers mean other things in the child
                        return started
                    running.append(started)
                if len(running) == 2:
                    running[0].partner, running[1].partner = running[1], running[0]
            except OSError as error:
                for child in running:
                    child.end(self.level)
                    child.reap()
                self._send({"failed": f"a child could not be started: {error}"})
                continue
            finally:
                for descriptor in [*descriptors, *links]:
                    if descriptor >= 0:
                        with contextlib.suppress(OSError):
                            os.close(descriptor)
            if not self._watch(running):
                return None
            self._send({"ended": [{"status": c.outcome[0], "cpu": c.outcome[1], "rss": c.outcome[2], "why": c.why}
                                  for c in running if c.outcome]})  # fmt: skip

    def _receive(self) -> tuple[dict[str, Any] | None, list[int]]:
        data, descriptors = b"", []
        while not data.endswith(b"\n"):
            piece, passed, _, _ = socket.recv_fds(self.control, 1 << 16, 8)
            descriptors.extend(passed)
            if not piece:
                return None, []
            data += piece
        return json.loads(data), descriptors

    def _send(self, message: dict[str, Any]) -> None:
        self.control.sendall(json.dumps(message).encode() + b"\n")

    def _awake(self) -> bool | None:
        self._send({"asleep": True})
        answer, _ = self._receive()
        return answer["awake"] if answer else None

    def _fork(self, limits: dict[str, Any], descriptors: list[int], link: int) -> Any:
        pid = os.fork()
        if pid:
            if self.level == "rlimits":
                os.setpgid(pid, pid)
            return Running(pid, os.pidfd_open(pid), limits["cpu"], limits["wall"])
        return self._become(limits, descriptors, link)

    def _become(self, limits: dict[str, Any], descriptors: list[int], link: int) -> Any:
        """In the child: keep its own descriptors, give up everything else, and return the job."""
        from inoculate.grading.sandbox import child, confine, evidence

        try:
            targets = {
                child.RESULT: descriptors[1],
                child.EVIDENCE: descriptors[3],
                1: descriptors[2],
                2: descriptors[2],
            }
            if link >= 0:
                targets[child.LINK] = link
            job = child.Job.read(descriptors[0])
            # Out of the way first: a descriptor may have the number that another one is to get.
            moved = {target: fcntl.fcntl(descriptor, fcntl.F_DUPFD, 64) for target, descriptor in targets.items()}
            for target, descriptor in moved.items():
                os.dup2(descriptor, target)
            self.control.detach()  # its number is that of the result now
            os.closerange(child.LINK + (1 if link >= 0 else 0), 4096)
            confine.limit(limits["cpu"], limits["memory"], limits["output"])
            if self.level != "rlimits":
                confine.forbid()
            gc.enable()
            evidence.note("started")  # whatever goes wrong from here on is the solution's doing
            if job.mode not in ("script", "judge", "patterns"):
                evidence.start()
            return job
        except BaseException as error:
            try:
                os.write(child.EVIDENCE, (json.dumps(("broken", repr(error)[:300])) + "\n").encode())
            finally:
                os._exit(99)

    def _watch(self, running: list[Running]) -> bool:
        """Wait for the children within their limits; False where the grader has gone meanwhile."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        for child in running:
            poll.register(child.descriptor, select.POLLIN)
        alive = {child.descriptor: child for child in running}
        while alive:
            now = time.monotonic()
            events = poll.poll(1000 * min(child.pause(now) for child in alive.values()))
            gone = any(descriptor == self.control.fileno() for descriptor, _ in events)
            now = time.monotonic()
            for descriptor, child in list(alive.items()):
                ended = any(which == descriptor for which, _ in events)
                if not ended:
                    child.why = "gone" if gone else child.over(now, self._awake)
                    if child.why and child.has_ended():  # while we were kept from looking
                        child.why = ""
                        ended = True
                if ended or child.why:
                    poll.unregister(descriptor)
                    child.end(self.level)
                    child.reap()
                    del alive[descriptor]
                    if len(running) == 2 and child is running[1]:
                        # The judge has ended: nobody asks the solution any more.
                        for other in alive.values():
                            other.why = other.why or "over"
                            other.end(self.level)
            if gone:
                return False
        return True


def main() -> Any:
    """Prepare this process, say what it reached, and serve."""
    folder = os.path.dirname(os.path.abspath(__file__))
    _packages(folder)
    options = json.loads(sys.argv[1])
    from inoculate.grading.sandbox import child, confine, evidence, patterns, proxies, values  # noqa: F401 (loaded once)

    control = socket.socket(fileno=options["control"])
    prepared = confine.enclose(options)
    for name in PRELOADED:
        importlib.import_module(name)
    if options["numpy"]:
        sys.path.append(options["numpy"])
        importlib.import_module("numpy")
    prepared.update(confine.close(options))
    zygote = Zygote(control, options)
    zygote.level = prepared["level"]
    gc.collect()
    gc.disable()
    gc.freeze()
    zygote._send(prepared)
    return zygote.serve()


if __name__ == "__main__":
    job = main()
    if job is not None:
        sys.modules["inoculate.grading.sandbox.child"].carry_out(job)
