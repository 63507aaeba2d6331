"""The trusted side of the workers: starting them, handing them jobs, and reading what children leave behind."""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import marshal
import os
import queue
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inoculate.grading.sandbox.child import Job
from inoculate.grading.sandbox.containment import Containment
from inoculate.grading.sandbox.values import MOST_REPLY
from inoculate.grading.sandbox.zygote import (
    ASLEEP_NOW,
    AT_REST,
    AWAKE,
    ENDED,
    LONGEST,
    REPORT,
    REQUEST,
    UNSEEN,
    WHYS,
)
from inoculate.grading.task import Limits

MOST_EVIDENCE = 200
"""Notes of what was attempted."""
MOST_OUTPUT = 65536
"""Bytes of what a solution printed that are looked at."""

_ZYGOTE = Path(__file__).with_name("zygote.py")
_START_SECONDS = 900.0  # on a machine that gives us a hundredth of its time, numpy takes a minute to load
_LOOKS = 5  # a solution that computes is seen at the first; one that wakes now and then should be seen asleep
_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",  # the order of a set of strings is the same for every worker, and so is the verdict on it
    "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/", "PATH": "/usr/bin:/bin",
    "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
}  # fmt: skip


class WorkerFailed(Exception):
    """Our own machinery did not work: nothing is known about the solution."""


@dataclass(frozen=True)
class Ended:
    """What is left of a child."""

    status: int
    """As `os.wait` gives it: only the kernel and the worker write this."""
    cpu: float
    why: str
    """The limit that ended it ('cpu', 'wall', 'files'), 'over' where nothing was asked of it any more, or ''."""
    memory: int
    """Most memory it held, in bytes."""
    records: list[Any]
    """The lines of its answer that are JSON, up to the first that is not."""
    garbled: bool
    """Whether there was a line that is not JSON."""
    output: bytes
    evidence: list[Any]

    @property
    def broke(self) -> bool:
        """Whether a limit or a signal ended it that was its own doing."""
        return self.why in ("cpu", "wall", "files") or (not self.why and self.exit_code < 0)

    @property
    def exit_code(self) -> int:
        """Its exit code, negative for a signal."""
        return os.waitstatus_to_exitcode(self.status)


@dataclass
class _Files:
    """The four descriptors of one job."""

    job: int
    result: int
    output: int
    evidence: int
    reading: int
    lines: int
    """More records than this are not read: there is no honest way to write them."""

    @classmethod
    def make(cls, job: Job) -> _Files:
        descriptors = [_memory() for _ in range(3)]
        reading, writing = _pipe()
        data = memoryview(marshal.dumps(tuple(job)))
        while data:
            data = data[os.write(descriptors[0], data) :]
        lines = len(job.calls) + len(job.tests) + 8
        return cls(descriptors[0], descriptors[1], descriptors[2], writing, reading, lines)

    def passed(self) -> list[int]:
        return [self.result, self.evidence, self.output, self.job]

    def close(self) -> None:
        for descriptor in (*self.passed(), self.reading):
            os.close(descriptor)

    def ended(self, why: int, status: int, cpu: float, memory: int) -> Ended:
        records, garbled = _lines(_read(self.result, MOST_REPLY + (1 << 20)), self.lines)
        evidence, spoiled = _lines(_drain(self.reading), MOST_EVIDENCE)
        printed = _read(self.output, MOST_OUTPUT)
        return Ended(status, cpu, WHYS[why], memory * 1024, records, garbled or spoiled, printed, evidence)


def _pipe() -> tuple[int, int]:
    if hasattr(os, "pipe2"):
        return os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    return reading, writing


def _memory() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("inoculate")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _read(descriptor: int, most: int) -> bytes:
    size = min(os.fstat(descriptor).st_size, most)
    return os.pread(descriptor, size, 0) if size else b""


def _drain(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 20)
    except BlockingIOError:
        return b""


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _lines(data: bytes, most: int) -> tuple[list[Any], bool]:
    """The JSON lines of a reply; the reader of values looks at what they say."""
    records: list[Any] = []
    for line in data.split(b"\n", most):
        if not line:
            continue
        if len(records) == most:
            return records, True
        try:
            records.append(json.loads(line, parse_constant=_constant))
        except (ValueError, RecursionError):
            return records, True
    return records, False


class Worker:
    """One fork server and the socket to it."""

    def __init__(self, numpy: bool, namespaces: bool) -> None:
        """Start one.

        Args:
            numpy: Whether it loads numpy.
            namespaces: Whether it is to be in namespaces of its own.

        Raises:
            WorkerFailed: It did not start.
        """
        self.scratch = os.path.join(tempfile.gettempdir(), f"inoculate-scratch-{secrets.token_hex(8)}")
        ours, theirs = socket.socketpair()
        self.control = ours
        canary = tempfile.NamedTemporaryFile(prefix="inoculate-canary-", suffix=".txt")  # noqa: SIM115 (closed below)
        canary.write(b"secret")
        canary.flush()
        os.chmod(canary.name, 0o644)  # another user must be kept out by a wall, not by the mode
        options = {"namespaces": namespaces, "numpy": _numpy_folder() if numpy else "",
                   "canary": canary.name, "control": theirs.fileno(), "scratch": self.scratch}  # fmt: skip
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the worker lives)
        environment = dict(_ENVIRONMENT)
        if "LD_LIBRARY_PATH" in os.environ:  # where the interpreter's own library may be
            environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
        self.process = subprocess.Popen(
            [sys.executable, "-s", "-S", "-P", "-X", "utf8", str(_ZYGOTE), json.dumps(options)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.errors, env=environment, cwd="/",
            pass_fds=[theirs.fileno()],
        )  # fmt: skip
        theirs.close()
        try:
            self.control.settimeout(_START_SECONDS)
            self.containment = _containment(self._first_word())
        except WorkerFailed as error:
            self.stop()
            raise WorkerFailed(f"{error}{self._complaint()}") from None
        finally:
            canary.close()
            Path(canary.name + ".written").unlink(missing_ok=True)  # where that wall did not hold

    def _complaint(self) -> str:
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return f": {lines[-1][:300]}" if lines else ""

    def run(self, jobs: Sequence[Job], limits: Limits) -> list[Ended]:
        """Run one job, or two that are linked (a solution that serves, and its judge).

        Raises:
            WorkerFailed: The worker is broken and has to be replaced.
        """
        request = REQUEST.pack(limits.cpu_seconds, limits.wall_seconds, limits.memory_mb, limits.output_mb)
        files: list[_Files] = []
        try:
            files.extend(_Files.make(job) for job in jobs)
            descriptors = [descriptor for file in files for descriptor in file.passed()]
            self.control.settimeout(LONGEST * limits.wall_seconds + 600)
            try:
                socket.send_fds(self.control, [request * len(jobs)], descriptors)
                reply = self.control.recv(1 << 10)
                while reply == ASLEEP_NOW:
                    self.control.sendall({True: AWAKE, False: AT_REST, None: UNSEEN}[self._awake()])
                    reply = self.control.recv(1 << 10)
            except OSError as error:
                raise WorkerFailed(f"no word from the worker: {error}") from error
            if not reply.startswith(ENDED) or len(reply) != 1 + len(jobs) * REPORT.size:
                raise WorkerFailed(reply[1:].decode(errors="replace") or "the worker ended")
            ended = [file.ended(*report) for file, report in zip(files, REPORT.iter_unpack(reply[1:]), strict=True)]
            for child in ended:
                if child.evidence[:1] != [["started"]]:
                    raise WorkerFailed(f"a child could not be prepared: {str(child.evidence[:1])[:300]}")
            return ended
        finally:
            for file in files:
                file.close()

    def _awake(self) -> bool | None:
        """Whether a child of this worker runs or waits for its turn; None where that cannot be seen."""
        try:
            pid = self.process.pid
            zygote = _children(pid)[0] if self.containment.namespaces else pid
            for _ in range(_LOOKS):
                if any(_wants_to_run(child) for child in _children(zygote)):
                    return True
                time.sleep(0.02)
        except (OSError, IndexError, ValueError):
            return None
        return False

    def _first_word(self) -> dict[str, Any]:
        """What the worker says when it is ready."""
        data = b""
        try:
            while not data.endswith(b"\n"):
                piece = self.control.recv(1 << 16)
                if not piece:
                    raise WorkerFailed("the worker ended")
                data += piece
            return json.loads(data)
        except (OSError, ValueError) as error:
            raise WorkerFailed(f"no word from the worker: {error}") from error

    def stop(self) -> None:
        """End the worker and everything below it."""
        self.control.close()
        try:
            self.process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        with contextlib.suppress(RecursionError):  # where the worker has one, it has emptied it, unless it was killed
            shutil.rmtree(self.scratch, ignore_errors=True)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _wants_to_run(pid: int) -> bool:
    """Whether a thread of a process is running, waiting for a processor, or waiting for the disk."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        state = (thread / "stat").read_text().rpartition(")")[2].split()[0]
        if state in "RD":
            return True
    return False


def _containment(report: dict[str, Any]) -> Containment:
    return Containment(report["level"], report["namespaces"], report["uid"], report["landlock"], report["walls"],
                       (*report["notes"], *report["closing_notes"]))  # fmt: skip


def _numpy_folder() -> str:
    found = importlib.util.find_spec("numpy")
    return str(Path(found.origin).parent.parent) if found and found.origin else ""


def numpy_is_here() -> bool:
    """Whether solutions that import numpy can be run."""
    return bool(_numpy_folder())


class Pool:
    """Workers of one kind, started when they are first needed and kept for the next call."""

    def __init__(self, *, numpy: bool) -> None:
        """Create a pool; no worker is started yet."""
        self.numpy = numpy
        self.idle: queue.LifoQueue[Worker] = queue.LifoQueue()
        self.lock = threading.Lock()
        self.containment: Containment | None = None
        self.namespaces = sys.platform == "linux"
        self.why_alone = ""
        self.owner = os.getpid()

    def _start(self) -> Worker:
        with self.lock:
            if self.containment is None and self.namespaces:
                try:
                    worker = Worker(self.numpy, True)
                    self.containment = worker.containment
                    return worker
                except WorkerFailed as error:
                    self.namespaces = False
                    self.why_alone = f"no namespaces: {error}"
        worker = Worker(self.numpy, self.namespaces)
        with self.lock:
            if self.containment is None:
                notes = (*worker.containment.notes, *([self.why_alone] if self.why_alone else []))
                self.containment = Containment(**{**vars(worker.containment), "notes": notes})
            elif worker.containment.level != self.containment.level:
                worker.stop()
                raise WorkerFailed(f"a new worker reached '{worker.containment.level}', the first one "
                                   f"'{self.containment.level}': a level never changes in silence")  # fmt: skip
        return worker

    @contextlib.contextmanager
    def worker(self) -> Iterator[Worker]:
        """A worker for one caller; a broken one is ended and not handed out again."""
        try:
            worker = self.idle.get_nowait()
        except queue.Empty:
            worker = self._start()
        try:
            yield worker
        except BaseException:
            worker.stop()
            raise
        self.idle.put(worker)

    def run(self, jobs: Sequence[Job], limits: Limits) -> list[Ended]:
        """Run jobs on any worker, once more on a new one if the first breaks.

        Raises:
            WorkerFailed: It broke twice.
        """
        try:
            with self.worker() as worker:
                return worker.run(jobs, limits)
        except WorkerFailed:
            with self.worker() as worker:
                return worker.run(jobs, limits)

    def reached(self) -> Containment:
        """The containment of this pool's workers; starts one where there is none yet.

        Raises:
            WorkerFailed: No worker can be started.
        """
        if self.containment is None:
            with self.worker():
                pass
        assert self.containment is not None
        return self.containment

    def stop(self) -> None:
        """End all workers that are idle."""
        while True:
            try:
                self.idle.get_nowait().stop()
            except queue.Empty:
                return


_pools: dict[bool, Pool] = {}
_pools_lock = threading.Lock()


def pool(*, numpy: bool = False) -> Pool:
    """The workers of this process, with numpy loaded or without."""
    with _pools_lock:
        found = _pools.get(numpy)
        if found is None or found.owner != os.getpid():  # a forked copy of this process has none of its parent's
            found = _pools[numpy] = Pool(numpy=numpy)
        return found


@atexit.register
def stop_all() -> None:
    """End every worker of this process."""
    for found in list(_pools.values()):
        if found.owner == os.getpid():
            found.stop()
