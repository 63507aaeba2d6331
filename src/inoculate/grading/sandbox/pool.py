"""The trusted side of the workers: starts them, sends them jobs, and reads the results of job processes."""

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

from inoculate.grading.sandbox.containment import Containment
from inoculate.grading.sandbox.encoder import MAX_REPLY
from inoculate.grading.sandbox.fork_server import (
    ASLEEP,
    ASLEEP_QUERY,
    AWAKE,
    FINISHED,
    KILL_REASONS,
    MAX_WALL_FACTOR,
    REPORT,
    REQUEST,
    UNKNOWN,
)
from inoculate.grading.sandbox.job_process import Job
from inoculate.grading.task import Limits

MAX_EVIDENCE = 200
"""Lines of evidence that are read."""
MAX_OUTPUT = 65536
"""Bytes of a solution's output that are read."""

_FORK_SERVER = Path(__file__).with_name("fork_server.py")
_START_SECONDS = 900.0  # on a machine with a hundredth of a processor to spare, numpy takes a minute to load
_STATE_SAMPLES = 5  # a computing solution is seen in the first; one that wakes now and then should be seen asleep
_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",  # the order of a set of strings is the same in every worker, and so is the verdict
    "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/", "PATH": "/usr/bin:/bin",
    "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
}  # fmt: skip


class WorkerFailed(Exception):
    """The sandbox itself failed: nothing is known about the solution."""


@dataclass(frozen=True)
class JobResult:
    """The result of a job process."""

    status: int
    """As from `os.wait`: only the kernel and the fork server write this."""
    cpu: float
    kill_reason: str
    """The limit for which it was killed ('cpu', 'wall', 'files'), 'over' if it was not needed any more, or ''."""
    memory: int
    """Peak memory in bytes."""
    records: list[Any]
    """The lines of its reply that are JSON, up to the first that is not."""
    garbled: bool
    """Whether there was a line that is not JSON."""
    output: bytes
    evidence: list[Any]

    @property
    def was_killed(self) -> bool:
        """Whether it exceeded a limit, or a signal killed it that the fork server did not send."""
        return self.kill_reason in ("cpu", "wall", "files") or (not self.kill_reason and self.exit_code < 0)

    @property
    def exit_code(self) -> int:
        """Its exit code, negative for a signal."""
        return os.waitstatus_to_exitcode(self.status)


@dataclass
class _JobFiles:
    """The four descriptors of one job."""

    job: int
    result: int
    output: int
    evidence: int
    evidence_end: int
    """The reading end of the evidence pipe, which stays here."""
    max_records: int
    """Further records are not read: an honest job process does not write them."""

    @classmethod
    def create(cls, job: Job) -> _JobFiles:
        descriptors = [_memory_file() for _ in range(3)]
        reading, writing = _pipe()
        data = memoryview(marshal.dumps(tuple(job)))
        while data:
            data = data[os.write(descriptors[0], data) :]
        max_records = len(job.calls) + len(job.tests) + 8
        return cls(descriptors[0], descriptors[1], descriptors[2], writing, reading, max_records)

    def descriptors(self) -> list[int]:
        return [self.result, self.evidence, self.output, self.job]

    def close(self) -> None:
        for descriptor in (*self.descriptors(), self.evidence_end):
            os.close(descriptor)

    def job_result(self, kill_reason: int, status: int, cpu: float, memory: int) -> JobResult:
        records, garbled = _parse_lines(_read(self.result, MAX_REPLY + (1 << 20)), self.max_records)
        evidence, spoiled = _parse_lines(_drain(self.evidence_end), MAX_EVIDENCE)
        printed = _read(self.output, MAX_OUTPUT)
        reason = KILL_REASONS[kill_reason]
        return JobResult(status, cpu, reason, memory * 1024, records, garbled or spoiled, printed, evidence)


def _pipe() -> tuple[int, int]:
    if hasattr(os, "pipe2"):
        return os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    return reading, writing


def _memory_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("inoculate")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _read(descriptor: int, max_bytes: int) -> bytes:
    size = min(os.fstat(descriptor).st_size, max_bytes)
    return os.pread(descriptor, size, 0) if size else b""


def _drain(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 20)
    except BlockingIOError:
        return b""


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _parse_lines(data: bytes, max_lines: int) -> tuple[list[Any], bool]:
    """The JSON lines of a reply, and whether a line is not JSON or too many; the decoder checks their content."""
    records: list[Any] = []
    for line in data.split(b"\n", max_lines):
        if not line:
            continue
        if len(records) == max_lines:
            return records, True
        try:
            records.append(json.loads(line, parse_constant=_refuse_constant))
        except (ValueError, RecursionError):
            return records, True
    return records, False


class Worker:
    """One fork server and the socket to it."""

    def __init__(self, numpy: bool, namespaces: bool) -> None:
        """Start one.

        Args:
            numpy: Whether it loads numpy.
            namespaces: Whether it runs in namespaces of its own.

        Raises:
            WorkerFailed: It did not start.
        """
        self.scratch = os.path.join(tempfile.gettempdir(), f"inoculate-scratch-{secrets.token_hex(8)}")
        ours, theirs = socket.socketpair()
        self.control = ours
        canary = tempfile.NamedTemporaryFile(prefix="inoculate-canary-", suffix=".txt")  # noqa: SIM115 (closed below)
        canary.write(b"secret")
        canary.flush()
        os.chmod(canary.name, 0o644)  # the sandbox has to keep another user out, not the file mode
        options = {"namespaces": namespaces, "numpy": _numpy_folder() if numpy else "",
                   "canary": canary.name, "control": theirs.fileno(), "scratch": self.scratch}  # fmt: skip
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the worker lives)
        environment = dict(_ENVIRONMENT)
        if "LD_LIBRARY_PATH" in os.environ:  # the interpreter's own library may be there
            environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
        self.process = subprocess.Popen(
            [sys.executable, "-s", "-S", "-P", "-X", "utf8", str(_FORK_SERVER), json.dumps(options)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.errors, env=environment, cwd="/",
            pass_fds=[theirs.fileno()],
            process_group=0,  # Ctrl-C is for the grader, which then stops its workers
        )  # fmt: skip
        theirs.close()
        try:
            self.control.settimeout(_START_SECONDS)
            self.containment = _containment(self._read_report())
        except WorkerFailed as error:
            self.stop()
            raise WorkerFailed(f"{error}{self._last_error()}") from None
        finally:
            canary.close()
            Path(canary.name + ".written").unlink(missing_ok=True)  # in case writing was not blocked

    def _last_error(self) -> str:
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return f": {lines[-1][:300]}" if lines else ""

    def run(self, jobs: Sequence[Job], limits: Limits) -> list[JobResult]:
        """Run one job, or two that are connected (a solution that serves, and its tests).

        Raises:
            WorkerFailed: The worker is broken and has to be replaced.
        """
        request = REQUEST.pack(limits.cpu_seconds, limits.wall_seconds, limits.memory_mb, limits.output_mb)
        files: list[_JobFiles] = []
        try:
            files.extend(_JobFiles.create(job) for job in jobs)
            descriptors = [descriptor for file in files for descriptor in file.descriptors()]
            self.control.settimeout(MAX_WALL_FACTOR * limits.wall_seconds + 600)
            try:
                socket.send_fds(self.control, [request * len(jobs)], descriptors)
                reply = self.control.recv(1 << 10)
                while reply == ASLEEP_QUERY:
                    self.control.sendall({True: AWAKE, False: ASLEEP, None: UNKNOWN}[self._is_awake()])
                    reply = self.control.recv(1 << 10)
            except OSError as error:
                raise WorkerFailed(f"the worker does not answer: {error}") from error
            if not reply.startswith(FINISHED) or len(reply) != 1 + len(jobs) * REPORT.size:
                raise WorkerFailed(reply[1:].decode(errors="replace") or "the worker ended")
            reports = REPORT.iter_unpack(reply[1:])
            results = [file.job_result(*report) for file, report in zip(files, reports, strict=True)]
            for result in results:
                if result.evidence[:1] != [["started"]]:
                    raise WorkerFailed(f"a job process could not be prepared: {str(result.evidence[:1])[:300]}")
            return results
        finally:
            for file in files:
                file.close()

    def _is_awake(self) -> bool | None:
        """Whether a job process of this worker is runnable; None if that cannot be determined."""
        try:
            pid = self.process.pid
            fork_server = _child_pids(pid)[0] if self.containment.namespaces else pid
            for _ in range(_STATE_SAMPLES):
                if any(_is_runnable(child) for child in _child_pids(fork_server)):
                    return True
                time.sleep(0.02)
        except (OSError, IndexError, ValueError):
            return None
        return False

    def _read_report(self) -> dict[str, Any]:
        """The containment that the worker reports when it is ready."""
        data = b""
        try:
            while not data.endswith(b"\n"):
                piece = self.control.recv(1 << 16)
                if not piece:
                    raise WorkerFailed("the worker ended")
                data += piece
            return json.loads(data)
        except (OSError, ValueError) as error:
            raise WorkerFailed(f"the worker does not answer: {error}") from error

    def stop(self) -> None:
        """Stop the worker and all its processes."""
        self.control.close()
        try:
            self.process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        with contextlib.suppress(RecursionError):  # the worker has emptied it, unless it was killed
            shutil.rmtree(self.scratch, ignore_errors=True)


def _child_pids(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _is_runnable(pid: int) -> bool:
    """Whether a thread of a process is running, waiting for a processor, or waiting for the disk."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        state = (thread / "stat").read_text().rpartition(")")[2].split()[0]
        if state in "RD":
            return True
    return False


def _containment(report: dict[str, Any]) -> Containment:
    return Containment(report["level"], report["namespaces"], report["uid"], report["landlock"], report["probes"],
                       (*report["notes"], *report["late_notes"]))  # fmt: skip


def _numpy_folder() -> str:
    spec = importlib.util.find_spec("numpy")
    return str(Path(spec.origin).parent.parent) if spec and spec.origin else ""


def has_numpy() -> bool:
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
        self.namespaces_note = ""
        self.owner = os.getpid()
        self.busy: set[Worker] = set()
        self.is_interrupted = False

    def _start(self) -> Worker:
        with self.lock:
            if self.containment is None and self.namespaces:
                try:
                    worker = Worker(self.numpy, True)
                    self.containment = worker.containment
                    return worker
                except WorkerFailed as error:
                    self.namespaces = False
                    self.namespaces_note = f"no namespaces: {error}"
        worker = Worker(self.numpy, self.namespaces)
        with self.lock:
            if self.containment is None:
                notes = (*worker.containment.notes, *([self.namespaces_note] if self.namespaces_note else []))
                self.containment = Containment(**{**vars(worker.containment), "notes": notes})
            elif worker.containment.level != self.containment.level:
                worker.stop()
                raise WorkerFailed(f"a new worker reached '{worker.containment.level}', the first one "
                                   f"'{self.containment.level}': the level must not change during a run")  # fmt: skip
        return worker

    @contextlib.contextmanager
    def worker(self) -> Iterator[Worker]:
        """A worker for one caller; a worker that fails is stopped and not used again."""
        try:
            worker = self.idle.get_nowait()
        except queue.Empty:
            worker = self._start()
        with self.lock:
            self.busy.add(worker)
        try:
            if self.is_interrupted:
                raise WorkerFailed("interrupted")
            yield worker
        except BaseException:
            worker.stop()
            raise
        finally:
            with self.lock:
                self.busy.discard(worker)
        self.idle.put(worker)

    def run(self, jobs: Sequence[Job], limits: Limits) -> list[JobResult]:
        """Run jobs on any worker; if it fails, once more on a new one.

        Raises:
            WorkerFailed: Both failed.
        """
        try:
            with self.worker() as worker:
                return worker.run(jobs, limits)
        except WorkerFailed:
            if self.is_interrupted:
                raise
            with self.worker() as worker:
                return worker.run(jobs, limits)

    def get_containment(self) -> Containment:
        """The containment of this pool's workers; starts one if there is none yet.

        Raises:
            WorkerFailed: No worker can be started.
        """
        if self.containment is None:
            with self.worker():
                pass
        assert self.containment is not None
        return self.containment

    def interrupt(self) -> None:
        """End what is running: whoever waits for it gets a `WorkerFailed` at once, and this pool is not used again."""
        self.is_interrupted = True
        with self.lock:
            for worker in self.busy:
                with contextlib.suppress(OSError):  # it has just been stopped
                    worker.control.shutdown(socket.SHUT_RDWR)
        self.stop()

    def stop(self) -> None:
        """Stop all idle workers."""
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
        pool = _pools.get(numpy)
        if pool is None or pool.owner != os.getpid():  # after a fork, the workers belong to the parent process
            pool = _pools[numpy] = Pool(numpy=numpy)
        return pool


def interrupt() -> None:
    """End what is running in the workers of this process; the next call starts new ones."""
    with _pools_lock:
        pools = list(_pools.values())
        _pools.clear()
    for each in pools:
        each.interrupt()


@atexit.register
def stop_all() -> None:
    """Stop all workers of this process."""
    for each in list(_pools.values()):
        if each.owner == os.getpid():
            each.stop()
