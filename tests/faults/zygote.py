"""A process that has loaded everything once, and forks a child for each run of a study: a run then takes seconds.

Requests and answers are JSON lines on standard input and output. A child can be killed (-9) at a moment inside of a
phase of its run: the n-th time that the phase begins, so many seconds later. Who kills is a process of its own, so that
the child can do nothing about it.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

PHASES = ("rows", "SFT", "RL sampling", "RL update", "grading", "publishing")


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))  # what tests share
    load()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints goes to standard error
    answers.write("ready\n")
    for line in sys.stdin:
        answers.write(json.dumps(run_child(json.loads(line))) + "\n")


def load() -> None:
    """Everything that a run needs, so that no child loads it again."""
    import torch

    import inoculate.analysis
    import inoculate.cli.app
    import inoculate.engine.sampling.in_process
    import inoculate.engine.training.rl
    import inoculate.steps.run  # noqa: F401

    torch.set_num_threads(1)
    gc.freeze()  # so that no child searches all of it for garbage, after each training


def run_child(request: dict[str, Any]) -> dict[str, Any]:
    """Run a study in a child, and wait for its end.

    Args:
        request: `study`, `store`; `log`, a file for what it says; where wanted `kill` (phase, number, seconds),
            `patch` (the name of a function below) with `value`, and `together` (how many children at once).
    """
    children = [_start(request, number) for number in range(request.get("together", 1))]
    codes = []
    for child in children:
        _, status = os.waitpid(child, 0)
        codes.append(os.waitstatus_to_exitcode(status))
    return {"codes": codes, **_read(Path(request["log"]))}


def _read(log: Path) -> dict[str, Any]:
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
    return {
        "moments": [line for line in lines if "at" in line],
        "done": [line["done"] for line in lines if "done" in line],
        "full": [line["full"] for line in lines if "full" in line],
        "said": [line["said"] for line in lines if "said" in line],
    }


def _start(request: dict[str, Any], number: int) -> int:
    Path(request["log"]).unlink(missing_ok=True)
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        code = _run(request)
    except BaseException:
        import traceback

        _log(request, said=traceback.format_exc())
    finally:
        os._exit(code)


def _log(request: dict[str, Any], **what: Any) -> None:
    line = json.dumps(what) + "\n"
    descriptor = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, line.encode())
    os.close(descriptor)


class _Watcher:
    """Logs which steps were done, and what was said."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request

    def on_step_start(self, step: Any, number: int, total: int) -> None: ...

    def on_progress(self, done: int, total: int, note: str) -> None: ...

    def on_step_end(self, step: Any) -> None:
        _log(self.request, done=f"{step.kind}/{step.key}")

    def on_message(self, text: str) -> None:
        _log(self.request, said=text)

    def on_parallel(self, *given: object, **named: object) -> None: ...


def _run(request: dict[str, Any]) -> int:
    from inoculate.analysis import analyse
    from inoculate.cli.app import run_command
    from inoculate.steps import plan, run
    from inoculate.steps.store import Store
    from inoculate.study.parse import load as read

    killer = _killer() if "kill" in request else None
    _watch(request, killer)
    if "patch" in request:
        PATCHES[request["patch"]](request)
    study = Path(request["study"])
    read_end, write_end = os.pipe()
    os.dup2(write_end, 2)  # what `run_command` prints for people
    os.set_blocking(read_end, False)

    def command() -> None:
        planned = plan.make_plan(read(study), server=request.get("server", ""))
        folder = run.carry_out(planned, Store(Path(request["store"])), _Watcher(request), study.read_text())
        analyse(folder)

    code = run_command(command)
    sys.stderr.flush()
    with contextlib.suppress(BlockingIOError):  # nothing was printed
        _log(request, said=os.read(read_end, 65536).decode())
    return code


def _killer() -> int:
    """A process that kills this one so many seconds after it reads a number; returns where to write it."""
    reading, writing = os.pipe()
    target = os.getpid()
    if os.fork():
        os.close(reading)
        return writing
    os.close(writing)
    given = os.read(reading, 64)
    if given:  # nothing where the run is over
        time.sleep(float(given))
        os.kill(target, signal.SIGKILL)
    os._exit(0)


def _watch(request: dict[str, Any], killer: int | None) -> None:
    """Log when each phase begins and ends, and have the child killed where it is due."""
    from inoculate.engine.training import rl
    from inoculate.steps import run
    from inoculate.steps.store import Store

    counts = Counter[str]()
    wanted = request.get("kill")

    def inside(phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            number, counts[phase] = counts[phase], counts[phase] + 1
            _log(request, phase=phase, number=number, at=time.monotonic())
            if killer and wanted and (wanted["phase"], wanted["number"]) == (phase, number):
                os.write(killer, str(wanted["seconds"]).encode())
            result = function(*args, **kwargs)
            _log(request, ended=phase, number=number, at=time.monotonic())
            return result

        return called

    for kind, phase in (("rows", "rows"), ("adapter", "SFT"), ("row-grades", "grading"), ("grades", "grading")):
        run.RUN_STEP[kind] = inside(phase, run.RUN_STEP[kind])
    rl.draw_groups = inside("RL sampling", rl.draw_groups)
    trainer = rl._Trainer
    trainer.compute_loss = inside("RL update", trainer.compute_loss)
    Store._finish = inside("publishing", Store._finish)


def clock_jumps(request: dict[str, Any]) -> None:
    """The machine's clock is set back by an hour, and forward by a day, again and again."""
    real, calls = time.time, [0]

    def jumping() -> float:
        calls[0] += 1
        return real() + (-3600.0, 0.0, 86400.0)[calls[0] % 3]

    time.time = jumping


def memory_runs_out(request: dict[str, Any]) -> None:
    """The `value`-th micro-batch of each training does not fit; 0: none does."""
    import torch

    from inoculate.engine.training import rl, sft

    def limited(forward: Callable[..., Any]) -> Callable[..., Any]:
        calls = count(1)

        def called(*args: Any, **kwargs: Any) -> Any:
            if request["value"] in (0, next(calls)):
                raise torch.OutOfMemoryError("on purpose")
            return forward(*args, **kwargs)

        return called

    rl.forward, sft.forward = limited(rl.forward), limited(sft.forward)


def disk_is_full(request: dict[str, Any]) -> None:
    """The `value`-th file that is opened for writing below the store finds the disk full, after a byte.

    So an old file is gone then, and a part of the new one is there.
    """
    import builtins
    import io

    count, store = [0], request["store"]

    def is_due(path: Any) -> bool:
        if not str(path).startswith(store):
            return False
        count[0] += 1
        if count[0] == request["value"]:
            _log(request, full=str(path))
        return count[0] == request["value"]

    def full(path: Any) -> OSError:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    opened = builtins.open

    def opening(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if isinstance(file, str | os.PathLike) and set(mode) & set("wax+") and is_due(file):
            with opened(file, mode, *args, **kwargs) as begun:
                begun.write(b"{" if "b" in mode else "{")
            raise full(file)
        return opened(file, mode, *args, **kwargs)

    builtins.open = io.open = opening


def several_processes(request: dict[str, Any]) -> None:
    """Those that train together are forked; the second one is killed in its `value`-th step (0: in none)."""
    import forked
    from inoculate.engine.training import processes as exchange
    from inoculate.steps import processes

    added, calls = exchange.Processes.add_up, count(1)

    def dying(self: Any, *given: Any) -> None:
        if self.number == 1 and next(calls) == request["value"]:
            os.kill(os.getpid(), signal.SIGKILL)
        added(self, *given)

    exchange.Processes.add_up, processes.start_process = dying, forked.start  # type: ignore[assignment]


PATCHES: dict[str, Callable[[dict[str, Any]], None]] = {
    "clock jumps": clock_jumps,
    "memory runs out": memory_runs_out,
    "disk is full": disk_is_full,
    "several processes": several_processes,
}


if __name__ == "__main__":
    main()
