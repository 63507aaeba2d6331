"""The store: a folder of finished steps. A step is in it complete, or not at all.

<store>/steps/<kind>/<key>/   a finished step, never changed again
<store>/work/<kind>-<key>/    a step in progress, or interrupted: the next run continues it
<store>/runs/<study>/         runs: manifests that point into the steps
<store>/records/<kind>/<key>/ what is known of a step that was carried out elsewhere and whose output stayed there
<store>/checked/<kind>/<key>  how the files of a finished step looked when a report last found them whole
<store>/damaged/<kind>/<key>/ a step whose files were found damaged, until it is finished again

Where the store is at a URL, this is the working copy of it on a machine (`working_copy`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from filelock import BaseFileLock, FileLock, Timeout

from inoculate import checksums
from inoculate.errors import UserError, can_hold, nearest, on_one_line
from inoculate.records import write_whole
from inoculate.steps import machines
from inoculate.study.schema import Needs, digest

_SOON = 2.0
"""Seconds after which it is said that another process is waited for."""
_ONE_PROCESS = Needs()


class Busy(UserError):
    """Another process is writing the step."""


@dataclass(frozen=True)
class Step:
    """One unit of work, and everything it depends on."""

    kind: str
    params: dict[str, Any]
    """What it depends on beside its inputs, as plain data."""
    inputs: dict[str, Step] = field(default_factory=dict)
    label: str = ""
    """A description for progress and lists; not part of the key."""
    version: int = 1
    """The version of the kind: raised by hand when the same inputs give another result."""

    @cached_property
    def key(self) -> str:
        """The hash that names the step."""
        inputs = {name: step.key for name, step in self.inputs.items()}
        return digest({"kind": self.kind, "version": self.version, "params": self.params, "inputs": inputs})


class StepName(NamedTuple):
    """The name of a step, which is enough to find it in a store."""

    kind: str
    key: str


Named = Step | StepName


def digest_files(*names: str) -> dict[str, Any]:
    """Parameters with the digests of the user's files among these names, so that a changed file changes the step's key.

    Returns:
        `files`: name -> digest; no parameter where none of the names is a file.
    """
    files = {name: _digest_file(name) for name in names if Path(name).suffix and Path(name).expanduser().is_file()}
    return {"files": files} if files else {}


def check_files(step: Step) -> None:
    """Refuse a file of the user's that was changed after the step was planned.

    Raises:
        UserError: It was removed or changed, or is not on this machine of a cluster.
    """
    for name, known in step.params.get("files", {}).items():
        if not Path(name).expanduser().is_file():
            raise UserError(f"{name} is not on this machine, or was removed after this run began")
        if _digest_file(name) != known:
            raise UserError(f"{name} was changed after this run began: start the same command again")


def _digest_file(name: str) -> str:
    return hashlib.sha256(Path(name).expanduser().read_bytes()).hexdigest()


@contextmanager
def emptied(folder: Path) -> Iterator[None]:
    """Make a folder empty, and remove it in the end; who calls this has its lock."""
    shutil.rmtree(folder, ignore_errors=True)  # what a killed process left
    folder.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove(folder: Path) -> None:
    """Remove a folder, or a link to one that somebody has put in its place."""
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)


class Store:
    """The folder of steps."""

    def __init__(self, root: Path) -> None:
        """Open a store.

        Args:
            root: Its folder; made when the first step is written.
        """
        self.root = Path(os.path.realpath(root))  # which, unlike `resolve`, takes a link that leads to itself
        self.notify: Callable[[str], None] = lambda text: None
        """Called with what the user should know while something goes on."""

    def check_writable(self) -> None:
        """Refuse a store that nothing could be written to.

        Raises:
            UserError: It, or a folder that it would be in, is a file or cannot be written.
        """
        self._refuse_file()
        there, where = self._there()
        if not can_hold(there):
            raise UserError(f"{where} cannot be written: name another folder with --store, or INOCULATE_STORE")

    def _there(self) -> tuple[Path, str]:
        """The folder, or what there is of the path to it, and what to call it in a message."""
        there = next(path for path in (self.root, *self.root.parents) if path.exists())
        return there, f"store '{self.root}'" + (f": '{there}'" if there != self.root else "")

    def _refuse_file(self) -> None:
        there, where = self._there()
        if not there.is_dir():
            raise UserError(f"{where} is a file: name a folder with --store, or INOCULATE_STORE")

    @property
    def name(self) -> str:
        """What `--store` calls it."""
        return str(self.root)

    def folder(self, step: Named) -> Path:
        """The folder of the step when it is finished."""
        return self.root / "steps" / step.kind / step.key

    def is_finished(self, step: Named) -> bool:
        """Whether the step is finished."""
        return self.folder(step).is_dir()

    def is_here(self, step: Named) -> bool:
        """Whether the step is finished, and its files can be read on this machine."""
        return self.folder(step).is_dir()

    def finished_keys(self, steps: Iterable[Named]) -> set[str]:
        """Keys of those steps that are finished; each kind's folder is listed once, however many steps there are."""
        steps = list(steps)
        present: dict[str, set[str]] = {}
        for kind in {step.kind for step in steps}:
            folder = self.root / "steps" / kind
            present[kind] = set(os.listdir(folder)) if folder.is_dir() else set()
        return {step.key for step in steps if step.key in present[step.kind]}

    def readable_keys(self, steps: Iterable[Named]) -> set[str]:
        """Keys of those steps that are finished, and whose files can be read on this machine, if need be from now on.

        Of trainings that is what `record` gives.
        """
        return self.finished_keys(steps)

    def bring(self, inputs: Iterable[Step]) -> None:
        """Make finished steps readable on this machine with all that they have; nothing to do in a folder."""

    def named(self, folder: Path) -> str:
        """How a run's manifest names a folder of the store."""
        return str(folder)

    def write_first(self, path: Path, text: str) -> None:
        """Write a file of a run, unless it was written before."""
        if not path.exists():
            write_whole(path, text)

    def bring_run(self, name: str) -> None:
        """Make what was written of a run readable on this machine; nothing to do in a folder."""

    def publish_run(self, folder: Path, *names: str) -> None:
        """Let others read files of a run (all that a report may change, unless named); nothing to do in a folder."""

    def publish_log(self, log: Path) -> str:
        """Let others read a log, and return where it is; '' where they can as it is."""
        return ""

    def run_folder(self, name: str) -> Path:
        """The folder of a study's run."""
        return self.root / "runs" / name

    def find_run(self, name: str) -> Path:
        """The folder of a run: a path, or the name of a study that was run in this store.

        Raises:
            UserError: There is no such run; the message has the nearest match and the runs that exist.
        """
        for folder in (Path(name), self.run_folder(name)):
            if (folder / "manifest.json").is_file():
                return folder
        self._refuse_file()
        said = on_one_line(name)
        if not self.root.is_dir():
            raise UserError(f"no run '{said}': there is no store {self.name}: name its folder with --store")
        runs = self._runs()
        of_file = Path(name).stem if Path(name).suffix else Path(name).name  # of a study file, or in a run's folder
        hint = f"did you mean '{of_file}'? allowed: {', '.join(sorted(runs))}" if of_file in runs else ""
        raise UserError(
            f"no run '{said}' in {self.name}: {hint or nearest(name, runs)} (`inoculate run STUDY` makes one)"
        )

    def _runs(self) -> list[str]:
        return [path.parent.name for path in self.root.glob("runs/*/manifest.json")]

    @contextmanager
    def write_step(self, step: Step, together: int = 1, needs: Needs = _ONE_PROCESS) -> Iterator[Path]:
        """A folder to write the step into; it becomes the finished step when the block ends without an error.

        What an interrupted attempt left in it is still there. Two processes do not write the same step at once.

        Args:
            step: The step.
            together: How many steps are carried out at the same time; the step's `seconds` are its share.
            needs: Among how many processes it is divided, and whether the model is, too.

        Raises:
            Busy: Another process is writing the step.
        """
        work = self._work(step.kind, step.key)
        work.mkdir(parents=True, exist_ok=True)
        with self._locked(work, f"this study's step {step.kind} {step.key}"):
            started = time.monotonic()  # the clock of the machine may be set meanwhile
            yield work
            seconds = round((time.monotonic() - started) / together, 3)
            record = _describe(step) | {"seconds": seconds, "processes": needs.count, "shard": needs.shard}
            record["machine"] = machines.describe()
            (work / "step.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            self._finish(work, self.folder(step))

    def record(self, step: Named) -> Path | None:
        """The folder with `step.json` and the report of a step: its own, else what came with its imported cells.

        Returns:
            None where neither is there.
        """
        return next(
            (folder for folder in (self.folder(step), self.records / step.kind / step.key) if folder.is_dir()), None
        )

    def is_recorded(self, step: Named) -> bool:
        """Whether `record` has something, once the step is readable on this machine."""
        return self.record(step) is not None

    @property
    def records(self) -> Path:
        """Where `step.json` and reports are of steps whose output was left where it was made: adapters."""
        return self.root / "records"

    @contextmanager
    def staging(self, name: str) -> Iterator[Path]:
        """An empty folder in the store, from which finished steps are moved into place with `adopt`.

        Raises:
            UserError: Another process uses it.
        """
        work = self.root / "work" / name
        work.parent.mkdir(parents=True, exist_ok=True)
        with self._locked(work, f"an {name}"), emptied(work):
            yield work

    def adopt(self, folder: Path, target: Path) -> None:
        """Move a whole folder into place as a finished step (or a record), unless there is one.

        Args:
            folder: The complete step, in this store's file system.
            target: `steps/<kind>/<key>` or `records/<kind>/<key>` of this store.

        Raises:
            Busy: Another process is writing the step.
        """
        kind, key = target.parent.name, target.name
        work = self._work(kind, key)
        with self._locked(work, f"the step {kind} {key}"):
            checksums.write(folder)
            _sync(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                folder.rename(target)
                if target.is_relative_to(self.root / "steps"):
                    shutil.rmtree(work, ignore_errors=True)  # of an interrupted attempt, no longer needed

    @property
    def damaged(self) -> Path:
        """Where steps are whose files were found damaged, until they are finished again."""
        return self.root / "damaged"

    def set_aside(self, folder: Path) -> Path:
        """Move a finished step away from the finished ones, so that it is done again; returns where it is then.

        Args:
            folder: `steps/<kind>/<key>` of this store.

        Raises:
            UserError: Another process is writing the step.
        """
        kind, key = folder.parent.name, folder.name
        aside = self.damaged / kind / key
        with self._locked(self._work(kind, key), f"the step {kind} {key}"):
            remove(aside)  # one that was damaged before
            aside.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(aside)
        return aside

    @contextmanager
    def mending(self, notify: Callable[[str], None]) -> Iterator[None]:
        """One process at a time looks for damaged steps and sets them aside; another waits until it is done.

        Args:
            notify: Called where it takes long.
        """
        work = self.root / "work" / "mending"
        work.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{work}.lock")
        try:
            lock.acquire(timeout=_SOON)
        except Timeout:
            notify(f"another process compares the files of {self.root} with their checksums: waiting for it")
            lock.acquire()
        with self._released(lock):
            yield

    def restore(self, folder: Path) -> str:
        """Take another copy of a step that is damaged on this machine; what was done, '' where there is no other."""
        return ""

    def _work(self, kind: str, key: str) -> Path:
        return self.root / "work" / f"{kind}-{key}"

    @contextmanager
    def _locked(self, work: Path, what: str) -> Iterator[None]:
        lock = FileLock(f"{work}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise Busy(
                f"another process is working on {what} in {self.root}; wait for it, or use another store with --store"
            ) from None
        with self._released(lock):
            yield

    @contextmanager
    def _released(self, lock: BaseFileLock) -> Iterator[None]:
        """Release a lock at the end, and remove its file before: afterwards it would be that of the next holder."""
        try:
            yield
        finally:
            Path(lock.lock_file).unlink(missing_ok=True)  # while it is held: who waits for this file then sees it gone
            lock.release()

    def _finish(self, work: Path, target: Path) -> None:
        checksums.write(work)
        _sync(work)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(work)
        else:
            work.rename(target)


def _describe(step: Step) -> dict[str, Any]:
    """A step as its `step.json` has it."""
    return {
        "kind": step.kind,
        "key": step.key,
        "version": step.version,
        "label": step.label,
        "params": step.params,
        "inputs": {name: f"{needed.kind}/{needed.key}" for name, needed in step.inputs.items()},
    }


def _sync(folder: Path) -> None:
    """Have the files of a folder written to the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as written:
                os.fsync(written.fileno())
