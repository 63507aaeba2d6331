"""What runs on the nodes of a cluster: one unit of steps, and the actor that hears how far they are.

A task raises nothing. What happened comes back as an `Outcome`, since exceptions do not all survive the way through
Ray (`UserError` with arguments of its own arrives as another class).
"""

from __future__ import annotations

import faulthandler
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from inoculate import __version__
from inoculate.errors import NoNumbers, UserError, is_disk_full
from inoculate.grading.grade import CORES_VARIABLE
from inoculate.steps import choices, completions, distances, fresh_samples, preflight, rl, scores, train
from inoculate.steps.processes import ProcessLost
from inoculate.steps.remote import OutOfReach, is_url
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.run import Refused, carry_out_group
from inoculate.steps.store import Busy, Step, Store
from inoculate.steps.working_copy import open_store
from inoculate.study.schema import Needs

SHARED_SECONDS = 60.0
"""How long a file that another machine has written may take until it shows in a shared folder (NFS: up to a minute)."""
_REPORT_SECONDS = 1.0
"""How often a task says how far it is, at most."""

LOADING = (
    *(train.KIND, preflight.KIND, rl.KIND, fresh_samples.KIND),
    *(completions.KIND, choices.KIND, scores.KIND, distances.KIND),
)
"""The kinds of steps that load the model."""

Note = Callable[[str], None]


class Job(NamedTuple):
    """What is the same for every task of a run."""

    store: str
    """Its folder, or its URL."""
    model: str
    server: str
    folder: Path
    """The folder that the run was started in: the user's relative paths start from it."""
    environment: dict[str, str]
    """The variables of the run's process that are this package's."""
    needs: dict[str, Needs]
    """Kind of step -> what the study gives its steps."""
    version: str = __version__


class Outcome(NamedTuple):
    """How a task ended."""

    ended: Literal["finished", "refused", "no numbers", "mistake", "busy", "failed"]
    """`refused` and `no numbers`: it cannot be made of what it was given; `mistake`: of the user's, which ends the run;
    `busy`: another process is writing the step; `failed`: by an error that may not come again."""
    text: str = ""
    address: str = ""
    """Of the node on which it ran, where that is known."""


class Place(NamedTuple):
    """Where a task runs, and how far it is."""

    node: str
    address: str
    done: int = 0
    total: int = 0
    note: str = ""


class Board:
    """The actor that tasks tell where they run and how far they are."""

    def __init__(self) -> None:
        """Nothing runs."""
        self._running: dict[int, Place] = {}
        self._messages: list[str] = []

    def has_token(self) -> bool:
        """Whether the cluster lets in only those who have its token."""
        from inoculate.steps.cluster.connect import asks_for_token

        return asks_for_token()

    def start(self, number: int, node: str, address: str) -> None:
        """A task has started on a node."""
        self._running[number] = Place(node, address)

    def progress(self, number: int, done: int, total: int, note: str) -> None:
        """A part of it is done."""
        if number in self._running:
            self._running[number] = self._running[number]._replace(done=done, total=total, note=note)

    def message(self, text: str) -> None:
        """Something that takes long starts, such as a download."""
        self._messages.append(text)

    def read(self) -> tuple[dict[int, Place], list[str]]:
        """Number of each task -> where it is; and the messages since the last time."""
        messages, self._messages = self._messages, []
        return self._running, messages

    def end(self, numbers: Sequence[int]) -> None:
        """Tasks are over."""
        for number in numbers:
            self._running.pop(number, None)


def work(job: Job, number: int, steps: Sequence[Step], threads: int, board: Any) -> Outcome:
    """A Ray task: carries out a unit, and reports to the board."""
    from inoculate.steps.cluster.connect import this_node

    node, address = this_node()
    board.start.remote(number, node, address)
    last_shown = 0.0

    def progress(done: int, total: int, note: str) -> None:
        nonlocal last_shown
        if time.monotonic() - last_shown > _REPORT_SECONDS:
            last_shown = time.monotonic()
            board.progress.remote(number, done, total, note)

    return carry_out_unit(job, steps, threads, progress, board.message.remote)._replace(address=address)


def carry_out_unit(job: Job, steps: Sequence[Step], threads: int, progress: Progress, notify: Note) -> Outcome:
    """Carry out steps on this machine, with what they print in a log in the store while they go on or if they fail.

    Args:
        job: The run.
        steps: One step, or cells that are sampled together; those that are finished are not done again.
        threads: How many threads models and graders have.
        progress: Called with what is done.
        notify: Called with a message before something that takes long.
    """
    if job.version != __version__:
        return Outcome("mistake", f"this node has inoculate {__version__}, and the run {job.version}: install the same")
    os.environ.update(job.environment)
    os.environ["OMP_NUM_THREADS"] = os.environ[CORES_VARIABLE] = str(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
    # Through a URL nothing is shared but the store: the user's own files are only needed by steps that read them.
    shared = () if is_url(job.store) else (job.folder, Path(job.store))
    if missing := next((folder for folder in shared if not folder.is_dir()), None):
        return Outcome("mistake", f"this node has no folder {missing}: the store, and the folder that the run is "
                       "started in, are to be on a disk that all nodes share")  # fmt: skip
    if job.folder.is_dir():
        os.chdir(job.folder)
    try:
        store = open_store(job.store)
    except UserError as error:
        return Outcome("failed" if isinstance(error, OutOfReach) else "mistake", str(error))
    store.notify = notify
    log = log_file(store, steps)
    with _written_to(log):
        outcome = _outcome_of(job, store, steps, progress, notify)
    if outcome.ended != "failed":
        log.unlink(missing_ok=True)
        return outcome
    with suppress(UserError):
        if where := store.publish_log(log):
            return outcome._replace(text=f"{outcome.text}; its log: {where}")
    return outcome


def log_file(store: Store, steps: Sequence[Step]) -> Path:
    """Where a unit's output goes."""
    return store.root / "logs" / f"{steps[0].kind}-{steps[0].key}.txt"


def _outcome_of(job: Job, store: Store, steps: Sequence[Step], progress: Progress, notify: Note) -> Outcome:
    try:
        store.check_writable()
        if not wait_until(lambda: not _absent(steps, store)) and (absent := _absent(steps, store)):
            return Outcome("mistake", f"{absent.label} is finished, and not in {job.store} on this node: the store is "
                           "to be a folder that all nodes share")  # fmt: skip
        if missing := [step for step in steps if not store.is_finished(step)]:
            carry_out_group(missing, Resources(store, job.model, notify, job.server, job.needs), progress)
    except Busy as error:
        return Outcome("busy", str(error))
    except ProcessLost as error:
        return Outcome("failed", str(error))
    except Refused as error:
        return Outcome("refused", str(error))
    except OutOfReach as error:  # of this node perhaps, and for now
        return Outcome("failed", str(error))
    except NoNumbers as error:
        return Outcome("no numbers", str(error))
    except UserError as error:
        return Outcome("mistake", str(error))
    except Exception as error:
        if is_disk_full(error):
            where = getattr(error, "filename", None) or job.store
            return Outcome("mistake", f"no space left on a disk ({where}); finished steps are "
                           "kept: free some space and run the same command again")  # fmt: skip
        traceback.print_exc()
        return Outcome("failed", "".join(traceback.format_exception_only(error)).strip())
    return Outcome("finished")


def _absent(steps: Sequence[Step], store: Store) -> Step | None:
    """An input that is not in the store."""
    return next((need for step in steps for need in step.inputs.values() if not store.is_finished(need)), None)


def wait_until(condition: Callable[[], bool]) -> bool:
    """Wait for what another machine has written; whether it came."""
    end = time.monotonic() + SHARED_SECONDS
    while not (met := condition()) and time.monotonic() < end:
        time.sleep(0.2)
    return met


@contextmanager
def _written_to(log: Path) -> Iterator[None]:
    """Have everything that this process and its children print written to a file, a fault's stack too."""
    log.parent.mkdir(parents=True, exist_ok=True)
    _flush()
    kept = os.dup(1), os.dup(2)
    with log.open("a", encoding="utf-8") as opened:
        for number in (1, 2):
            os.dup2(opened.fileno(), number)
    faulthandler.enable(file=2)
    # Ray, or a test's capture, may have put something else in the place of these two.
    python = redirect_stdout(sys.__stdout__), redirect_stderr(sys.__stderr__)
    try:
        with python[0], python[1]:
            yield
            _flush()
    finally:
        for number, before in zip((1, 2), kept, strict=True):
            os.dup2(before, number)
            os.close(before)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
