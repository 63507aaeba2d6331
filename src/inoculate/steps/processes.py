"""Carries out a step's training in several processes of this machine, as `[resources]` says, and watches over them.

The process that has the step's lock starts them (`serve`), hears from each over a connection of its own, and ends them
all as soon as one is lost, or has failed, or this process is interrupted. Where it is killed, they see their connection
close, and end too. The command is not torchrun's: each of them takes itself for the only one, as transformers and TRL
see it, so that a step is the same in one process and in several (`engine.training.processes`).
"""

from __future__ import annotations

import errno
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inoculate.errors import UserError, is_disk_full
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.store import Step, Store
from inoculate.study.schema import Needs

if TYPE_CHECKING:
    from inoculate.engine.training.processes import Processes

Work = Callable[[Step, Path, Resources, Progress, "Processes", bool], dict[str, Any]]
"""A function of a module that trains: with the step, its folder, what it shares with others, whom it tells how far it
is, the processes, and whether micro-batches have half of their tokens. It returns its report."""

_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from inoculate.steps.processes import serve; serve(int(sys.argv[1]))"
)
_LOOK_SECONDS = 0.5
"""How often it is looked whether all of them are there."""
_CAUSE_SECONDS = 5.0
"""How long after one has lost another it is waited for the reason."""


class ProcessLost(UserError):
    """One of the processes was killed or has failed: it may not happen again."""


class _Job(NamedTuple):
    """What one of the processes is told."""

    work: Work
    step: Step
    folder: Path
    store: Path
    model: str
    server: str
    halved: bool
    number: int
    count: int
    meeting: Path
    threads: int
    shards: bool


class _Started(NamedTuple):
    process: subprocess.Popen[bytes]
    connection: Connection
    log: Path


def carry_out(
    work: Work, step: Step, folder: Path, resources: Resources, progress: Progress, halved: bool
) -> dict[str, Any]:
    """Carry out work in as many processes as the study gives the step; in this one where that is one.

    Args:
        work: The function.
        step: The step.
        folder: The step's folder, locked by this process.
        resources: The store, the model, and what a step is given.
        progress: Called as the first process calls it.
        halved: Whether micro-batches have half of their tokens.

    Returns:
        What the first process returns.

    Raises:
        UserError: A mistake of the user's, in whichever process.
        ProcessLost: One of them was killed, or has failed.
        MemoryError: Memory ran out in one of them.
    """
    from inoculate.engine.training.memory import release
    from inoculate.engine.training.processes import ALONE

    needs = resources.needs_of(step.kind)
    if needs.count == 1:
        return work(step, folder, resources, progress, ALONE, halved)
    resources.unload()
    release()
    _ = resources.weights  # fetched once, before all of them look for it
    with tempfile.TemporaryDirectory(prefix="inoculate-") as meeting, _started(step, needs, resources) as started:
        for number, one in enumerate(started):
            shared = (resources.store.root, resources.model, resources.server, halved)
            place = (number, needs.count, Path(meeting) / "meeting", _threads(needs.count), needs.shard)
            with suppress(BrokenPipeError):  # it has ended: `_watch` says so
                one.connection.send(_Job(work, step, folder, *shared, *place))
        return _watch(step, started, resources, progress)


def refuse_too_few_gpus(kinds: Mapping[str, Needs]) -> None:
    """Refuse steps that would use more GPUs than this machine has.

    Args:
        kinds: The kinds of the steps that are to be carried out here -> what each is given.

    Raises:
        UserError: It has fewer.
    """
    for kind, needs in kinds.items():
        if needs.gpus > 1 and needs.gpus > len(gpus := _gpus()):
            raise UserError(
                f"resources.{kind}: gpus = {needs.gpus:g}, and this machine has {len(gpus) or 'none'}: give fewer; or "
                "carry out the study on a cluster whose machines have as many (--ray, docs/cluster.md)"
            )


def _gpus() -> list[str]:
    """The GPUs that this process may use, by the names that CUDA_VISIBLE_DEVICES has for them."""
    import torch

    count = torch.cuda.device_count()
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    return (list(map(str, range(count))) if given is None else given.split(","))[:count]


def _threads(count: int) -> int:
    """How many threads each has: those of this process, divided among them."""
    import torch

    return max(1, torch.get_num_threads() // count)


@contextmanager
def _started(step: Step, needs: Needs, resources: Resources) -> Iterator[list[_Started]]:
    """The processes, which have ended when the block ends, however it does; their logs are kept where one was lost."""
    started, is_lost = list[_Started](), False
    gpus = _gpus() if needs.gpus else []
    try:
        for number in range(needs.count):
            log = resources.store.root / "logs" / f"{step.kind}-{step.key}-process-{number + 1}.txt"
            log.parent.mkdir(parents=True, exist_ok=True)
            ours, theirs = Pipe()
            # One GPU each, so that all that a library sees is a process with one GPU.
            seen = gpus[number] if gpus else ""
            environment = {"OMP_NUM_THREADS": str(_threads(needs.count)), "CUDA_VISIBLE_DEVICES": seen}
            with theirs:
                started.append(_Started(start_process(theirs.fileno(), environment, log), ours, log))
        yield started
    except ProcessLost:
        is_lost = True
        raise
    finally:
        for one in started:
            with suppress(ProcessLookupError):
                os.killpg(one.process.pid, signal.SIGKILL)  # and what it has started, which may go on without it
        for one in started:
            one.process.wait()
            one.connection.close()
            if not is_lost:
                one.log.unlink(missing_ok=True)


def start_process(descriptor: int, environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start a process that does `serve`.

    Args:
        descriptor: Its end of the connection.
        environment: Variables that differ from those of this process.
        log: Where everything that it prints goes.
    """
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(descriptor), json.dumps(sys.path)],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(descriptor,),
            start_new_session=True,  # Ctrl-C is for this process, which ends them
        )


def _watch(step: Step, started: Sequence[_Started], resources: Resources, progress: Progress) -> dict[str, Any]:
    """Hear from all processes until each has done its part; returns the first one's report."""
    reports, left, until = dict[int, dict[str, Any]](), set(range(len(started))), math.inf
    while left and time.monotonic() < until:
        for number in _ready(started, left):
            connection = started[number].connection
            try:
                kind, *content = connection.recv() if connection.poll() else ("ended",)
            except (EOFError, ConnectionError):
                kind, content = "ended", []
            if kind == "ended":
                raise ProcessLost(_describe(step, started, number))
            if kind == "progress":
                progress(*content)
            elif kind == "message":
                resources.notify(*content)
            elif kind == "lost another":  # which tells why, or its connection is closed, in a moment
                left.remove(number)
                until = min(until, time.monotonic() + _CAUSE_SECONDS)
            elif kind == "done":
                left.remove(number)
                reports[number] = content[0]
            else:
                _raise(kind, content[0], _describe(step, started, number, content[0]))
    if len(reports) < len(started):
        number = min(set(range(len(started))) - reports.keys())
        raise ProcessLost(_describe(step, started, number, "it has lost the connection to the others"))
    return reports[0]


def _ready(started: Sequence[_Started], numbers: Collection[int]) -> list[int]:
    """Those that have said something, or have ended, after a moment at most."""
    wait([started[number].connection for number in numbers], _LOOK_SECONDS)
    # One that was killed may have left a child, which holds its end of the connection.
    return [
        number
        for number in sorted(numbers)
        if started[number].connection.poll() or started[number].process.poll() is not None
    ]


def _describe(step: Step, started: Sequence[_Started], number: int, text: str = "") -> str:
    """What became of a process, in a sentence that names it and its log."""
    process, _, log = started[number]
    if not text:
        code = process.wait()
        text = f"it ended with exit code {code}"
        if code < 0:
            text = f"it was killed ({signal.Signals(-code).name}: often by the system, where memory runs out)"
    return (
        f"{step.label}: process {number + 1} of {len(started)} was lost: {text}; its log: {log}. The others were "
        "ended. The same command goes on from the last checkpoint"
    )


def _raise(kind: str, text: str, lost: str) -> None:
    """Raise here what has ended a process."""
    if kind == "mistake":
        raise UserError(text)
    if kind == "memory":
        raise MemoryError
    if kind == "disk":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), text)
    raise ProcessLost(lost)


def serve(descriptor: int) -> None:
    """What each of the processes does: its part of the work, with everything that happens told over a connection."""
    os.set_inheritable(descriptor, False)
    connection = Connection(descriptor)
    job: _Job = connection.recv()
    threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
    connection.send(_outcome_of(job, connection))


def _end_with(connection: Connection) -> None:
    """End this process when the one that started it has ended."""
    with suppress(EOFError, OSError):
        connection.recv()
    os._exit(1)


def _outcome_of(job: _Job, connection: Connection) -> tuple[Any, ...]:
    import torch

    from inoculate.engine.training.memory import is_out_of_memory
    from inoculate.engine.training.processes import PeerLost, Processes, is_of_peer

    def tell(*message: Any) -> None:
        if job.number == 0:
            connection.send(message)

    torch.set_num_threads(job.threads)
    notify, progress = partial(tell, "message"), partial(tell, "progress")
    try:
        processes = Processes(job.number, job.count, job.meeting, shards=job.shards)
        resources = Resources(Store(job.store), job.model, notify, job.server)
        return "done", job.work(job.step, job.folder, resources, progress, processes, job.halved)
    except PeerLost as error:
        return "lost another", str(error)
    except UserError as error:
        return "mistake", str(error)
    except Exception as error:
        if is_out_of_memory(error):
            return "memory", ""
        if job.shards and is_of_peer(error):
            return "lost another", str(error)
        if is_disk_full(error):
            return "disk", str(getattr(error, "filename", None) or job.store)
        traceback.print_exc()
        return "failed", "".join(traceback.format_exception_only(error)).strip()
