"""Several processes of a training, forked from the test's own: they load nothing again."""

from __future__ import annotations

import os
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from inoculate.engine.training.processes import Processes
from inoculate.steps import processes


def together(work: Callable[[Processes], Any], count: int, folder: Path, *, shards: bool = False) -> list[Any]:
    """What each process returns, in the order of their numbers.

    Args:
        work: What each does.
        count: How many processes.
        folder: For what they say.
        shards: Whether base weights are divided among them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    children = []
    for number in range(count):
        child = os.fork()
        if not child:
            _work(work, number, count, folder, shards)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    said = [pickle.loads((folder / str(number)).read_bytes()) for number in range(count)]
    assert all(error is None for _, error in said), said
    return [result for result, _ in said]


def _work(work: Callable[[Processes], Any], number: int, count: int, folder: Path, shards: bool) -> None:
    result = error = None
    try:
        torch.set_num_threads(1)  # those of the test's process are not here
        result = work(Processes(number, count, folder / "meeting", shards=shards))
    except BaseException:
        error = traceback.format_exc()
    (folder / str(number)).write_bytes(pickle.dumps((result, error)))
    os._exit(0)


class Forked:
    """A process that was forked, in the place of one that was started."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.code: int | None = None

    def poll(self) -> int | None:
        return self.wait(os.WNOHANG)

    def wait(self, options: int = 0) -> int | None:
        if self.code is None:
            pid, status = os.waitpid(self.pid, options)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code


def start(descriptor: int, environment: dict[str, str], log: Path) -> Forked:
    """In the place of `steps.processes.start_process`: the process loads nothing again."""
    child = os.fork()
    if child:
        return Forked(child)
    os.setsid()
    os.environ.update(environment)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number in (1, 2):
        os.dup2(output, number)
    try:
        processes.serve(descriptor)
    finally:
        os._exit(0)
