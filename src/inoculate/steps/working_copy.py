"""A store at a URL, through a copy of it on this machine.

Steps read and write folders. So what a step needs is downloaded into a folder store of this machine's first, the
working copy, and what it has made is uploaded before it counts. Which steps are finished is known at the URL alone.

<cache>/stores/<name>/         the working copy: a folder store
<...>/unpublished/steps/...    an empty file for each step that is finished here and not announced at the URL

There is no lock at a URL. Two machines may carry out the same step: the first that announces it wins, and the other
takes its files.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from inoculate import checksums
from inoculate.engine import models
from inoculate.errors import UserError
from inoculate.records import as_json, write_whole
from inoculate.steps.plan import TRAINED
from inoculate.steps.remote import Remote, is_url
from inoculate.steps.store import Busy, Named, Step, Store, emptied

_TOGETHER = 50
"""How many steps are downloaded at once."""
_OF_A_RUN = ("manifest.json", "study.toml", "declared.json")
"""The files of a run that nothing else is made of."""
_NAMED = re.compile(r'"\.\./\.\./(?:steps|records)/([\w-]+)/([\w-]+)"')
"""A step in a manifest."""


def open_store(store: str, *, make: bool = True) -> Store:
    """A store by its name.

    Args:
        store: A folder, or a URL.
        make: Whether one is made at a URL where none is.

    Raises:
        UserError: It is a URL at which there is no store, or none can be.
    """
    if not is_url(store):
        if re.match(r"(s3a?|gs|gcs|abfs|az):/", store):
            raise UserError(f"store '{store}': a URL has two slashes (in Python, give it as text: a Path loses one)")
        return Store(Path(store))
    remote = Remote(store)
    name = remote.identify(make=make)
    slug = re.sub(r"[^\w.-]+", "-", remote.url)[:60]
    return WorkingCopy(remote, models.cache_folder() / "stores" / f"{slug}-{name[:12]}")


def find_run(name: str, store: str) -> Path:
    """The folder of a run: a path, or the name of a study that was run in a store.

    Raises:
        UserError: There is no such run.
    """
    if (Path(name) / "manifest.json").is_file():
        return Path(name)
    return open_store(store, make=False).find_run(name)


class WorkingCopy(Store):
    """A store at a URL, and what of it is on this machine."""

    def __init__(self, remote: Remote, root: Path) -> None:
        """Open it.

        Args:
            remote: The store.
            root: The folder of the working copy.
        """
        super().__init__(root)
        self.remote = remote
        remote.notify = lambda text: self.notify(text)
        remote.kept = (
            f". What is finished is kept in {self.root}, and is uploaded when the same command is started again"
        )
        self._finished: set[str] = set()
        """`steps/KIND/KEY` and `records/KIND/KEY` that are known to be at the URL."""

    @property
    def name(self) -> str:
        """The URL."""
        return self.remote.url

    def check_writable(self) -> None:
        """As in a folder; and upload what an earlier run could not."""
        super().check_writable()
        for mark in sorted((self.root / "unpublished").glob("*/*/*")):
            folder = self.root / mark.relative_to(self.root / "unpublished")
            with suppress(Busy), self._locked(self._work(folder.parent.name, folder.name), f"the step {folder.name}"):
                if folder.is_dir():
                    self._publish(folder)
                mark.unlink(missing_ok=True)

    def is_finished(self, step: Named) -> bool:
        """Whether the step is finished, on whatever machine."""
        return self._is_announced(f"steps/{step.kind}/{step.key}")

    def is_here(self, step: Named) -> bool:
        """Whether the step is finished, and its files are in the working copy."""
        return f"steps/{step.kind}/{step.key}" in self._finished and super().is_here(step)

    def finished_keys(self, steps: Iterable[Named]) -> set[str]:
        """Keys of those steps that are finished; one listing for each kind, and one more for trainings."""
        steps = list(steps)
        for kind in {step.kind for step in steps}:
            for place in ("steps", "records") if kind in TRAINED else ("steps",):
                under = f"{place}/{kind}"
                known = self._finished.copy()  # grading is another thread, and adds to it
                self._finished = {name for name in known if not name.startswith(f"{under}/")}
                self._finished |= {f"{under}/{key}" for key in self.remote.folders_with(checksums.NAME, under)}
        return {step.key for step in steps if f"steps/{step.kind}/{step.key}" in self._finished}

    def readable_keys(self, steps: Iterable[Named]) -> set[str]:
        """Keys of those steps that are finished, once they are downloaded; of trainings the reports."""
        steps = list(steps)
        finished = self.finished_keys(steps)
        recorded = [step for step in steps if f"records/{step.kind}/{step.key}" in self._finished]
        self._bring([(s.kind, s.key) for s in [*(s for s in steps if s.key in finished), *recorded]], whole=False)
        return {step.key for step in steps if step.key in finished and (self.record(step) or self.is_here(step))}

    def bring(self, inputs: Iterable[Step]) -> None:
        """Download finished steps that are not in the working copy, with all that they have."""
        named = [(step.kind, step.key) for step in inputs]
        places = ("steps", "records")
        there = [one for one in named if any(self._is_announced(f"{place}/{one[0]}/{one[1]}") for place in places)]
        self._bring(there, whole=True)

    def record(self, step: Named) -> Path | None:
        """As in a folder: of what is in the working copy."""
        return super().record(step) if self.is_recorded(step) else None

    def is_recorded(self, step: Named) -> bool:
        """Whether the step, or what is known of it, is at the URL, as far as was listed."""
        return any(f"{place}/{step.kind}/{step.key}" in self._finished for place in ("steps", "records"))

    def named(self, folder: Path) -> str:
        """How a run's manifest names a folder of the store: from the run's folder, since other machines read it too."""
        return f"../../{self._name_of(folder)}"

    def write_first(self, path: Path, text: str) -> None:
        """Write a file of a run, unless it was written before, on whatever machine."""
        name = self._name_of(path)
        first = self.remote.read(name)
        if first is None:
            try:
                self.remote.create(name, text)
                first = text
            except FileExistsError:
                first = self.remote.read(name)
        write_whole(path, first or text)

    def find_run(self, name: str) -> Path:
        """The folder of a run, with the steps that a report reads.

        Raises:
            UserError: There is no such run; the message has the nearest match and the runs that exist.
        """
        if not (Path(name) / "manifest.json").is_file():
            self.bring_run(name)
        return super().find_run(name)

    def bring_run(self, name: str) -> None:
        """Download what was written of a run, and the steps that its manifest names."""
        folder = self.run_folder(name)
        read = {file: self.remote.read(f"runs/{name}/{file}") for file in _OF_A_RUN}
        if read["manifest.json"]:
            named = sorted(set(_NAMED.findall(read["manifest.json"])))
            steps = [Step(kind, {}) for kind in {kind for kind, _ in named}]
            self.finished_keys(steps)
            self._bring(named, whole=False)
            read["manifest.json"] = self._as_here(read["manifest.json"])
        for file, text in read.items():
            path = folder / file
            if text is not None and not (path.is_file() and path.read_text(encoding="utf-8") == text):
                folder.mkdir(parents=True, exist_ok=True)
                write_whole(path, text)

    def _runs(self) -> list[str]:
        return sorted(self.remote.folders_with("manifest.json", "runs"))

    def _as_here(self, manifest: str) -> str:
        """A manifest that names reports where the adapters are elsewhere; one that is damaged is left as it is."""

        def place(match: re.Match[str]) -> str:
            kind, key = match.groups()
            is_record = (self.records / kind / key).is_dir() and not (self.root / "steps" / kind / key).is_dir()
            return f'"../../{"records" if is_record else "steps"}/{kind}/{key}"'

        try:
            document = json.loads(manifest)
        except (ValueError, RecursionError):
            return manifest
        if not isinstance(document, dict) or not checksums.is_sealed(document):
            return manifest
        return as_json(checksums.seal(json.loads(_NAMED.sub(place, manifest))))

    def publish_run(self, folder: Path, *names: str) -> None:
        """Upload files of a run."""
        paths = [folder / name for name in names] or [
            path for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != "declared.json" and not path.name.startswith(".")
        ]  # fmt: skip
        self.remote.upload([(path, self._name_of(path)) for path in paths])

    def publish_log(self, log: Path) -> str:
        """Upload a log."""
        name = self._name_of(log)
        self.remote.upload([(log, name)])
        return f"{self.remote.url}/{name}"

    def adopt(self, folder: Path, target: Path) -> None:
        """Move a whole folder into place as a finished step (or a record), and upload it, unless there is one."""
        mark = self._mark(target)
        self._remove_withdrawn(target)
        super().adopt(folder, target)
        self._publish(target)
        mark.unlink(missing_ok=True)

    def set_aside(self, folder: Path) -> Path:
        """Move a finished step away from the finished ones, on all machines, so that it is done again."""
        self._withdraw(folder)
        return super().set_aside(folder)

    def restore(self, folder: Path) -> str:
        """Download a step again whose files are damaged here; what was done, in words."""
        shutil.rmtree(super().set_aside(folder))
        self._bring([(folder.parent.name, folder.name)], whole=True)
        return f"downloaded again from {self.name}" if folder.is_dir() else "done again"

    def _finish(self, work: Path, target: Path) -> None:
        mark = self._mark(target)
        self._remove_withdrawn(target)
        super()._finish(work, target)
        self._publish(target)
        mark.unlink(missing_ok=True)

    def _remove_withdrawn(self, target: Path) -> None:
        """Remove a step of the working copy that is not, or no longer, finished at the URL."""
        if target.exists() and not self._is_announced(self._name_of(target)):
            shutil.rmtree(target)

    def _mark(self, target: Path) -> Path:
        """Note that a step is finished here, and not yet announced: a killed process leaves the note behind."""
        mark = self.root / "unpublished" / target.relative_to(self.root)
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
        return mark

    def _is_announced(self, name: str) -> bool:
        if name not in self._finished and self.remote.read(f"{name}/{checksums.NAME}") is not None:
            self._finished.add(name)
        return name in self._finished

    def _name_of(self, path: Path) -> str:
        """What a file or folder of the working copy is called at the URL."""
        return path.relative_to(self.root).as_posix()

    def _publish(self, folder: Path) -> None:
        """Upload a finished step; where another machine has announced it first, take that one's files."""
        name = self._name_of(folder)
        try:
            self.remote.publish(name, folder)
        except FileExistsError:
            self._take_theirs(name, folder)
        self._finished.add(name)

    def _take_theirs(self, name: str, folder: Path) -> None:
        ours = checksums.read(folder)
        if self.remote.read(f"{name}/{checksums.NAME}") == (folder / checksums.NAME).read_text(encoding="utf-8"):
            return  # it is ours: the answer to an earlier attempt was lost
        with self._fetching() as staging:
            theirs = staging / name
            if name not in self.remote.fetch({name: (theirs, True)}) or checksums.find_damage(theirs):
                raise UserError(f"{self.name}/{name} was announced by another machine, and is not complete there")
            other = {file for file, digest in checksums.read(theirs).items() if ours.get(file) != digest}
            shutil.rmtree(folder)
            theirs.rename(folder)
        if other := sorted(other - {"step.json"}):
            self.notify(
                f"{name} was finished on another machine first, with another {', '.join(other)}: what that one has "
                "made counts, and is taken here too"
            )

    def _bring(self, steps: Iterable[tuple[str, str]], whole: bool) -> None:
        """Download steps that are known to be finished, as far as they are not here."""
        wanted: dict[str, bool] = {}
        for kind, key in steps:
            name = f"steps/{kind}/{key}"
            shallow = kind in TRAINED and not whole
            if (self.root / name).is_dir() or (shallow and (self.records / kind / key).is_dir()):
                continue
            wanted[name if name in self._finished else f"records/{kind}/{key}"] = not shallow
        names = list(wanted)
        for start in range(0, len(names), _TOGETHER):
            with self._fetching() as staging:
                self._fetch({name: wanted[name] for name in names[start : start + _TOGETHER]}, staging)

    def _fetch(self, wanted: dict[str, bool], staging: Path) -> None:
        for attempt in range(2):
            found = self.remote.fetch({name: (staging / name, whole) for name, whole in wanted.items()})
            self._finished -= set(wanted) - found
            damaged: dict[str, str] = {}
            for name in sorted(found):
                kind, key = name.split("/")[1:]
                folder, whole = staging / name, wanted[name]
                if damage := checksums.find_damage(folder, deep=whole):
                    damaged[name] = damage
                else:
                    # Without its adapters it is a record of the step, here.
                    target = self.root / (name if whole else f"records/{kind}/{key}")
                    target.parent.mkdir(parents=True, exist_ok=True)
                    if not target.exists():
                        folder.rename(target)
            wanted = {name: wanted[name] for name in damaged}
            if not damaged:
                return
            if attempt:
                for name, damage in damaged.items():
                    self._set_aside_theirs(name, staging / name, damage)
            else:
                for name in damaged:
                    shutil.rmtree(staging / name)

    def _set_aside_theirs(self, name: str, folder: Path, damage: str) -> None:
        """A step is damaged where everybody has it from: it is no longer finished."""
        self._withdraw(self.root / name)
        kind, key = name.split("/")[1:]
        aside = self.damaged / kind / key
        shutil.rmtree(aside, ignore_errors=True)
        aside.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(aside)
        self.notify(f"{self.name}/{name}: {damage}: set aside in {aside}, and done again")

    def _withdraw(self, folder: Path) -> None:
        name = self._name_of(folder)
        self.remote.remove(f"{name}/{checksums.NAME}")
        self._finished.discard(name)

    @contextmanager
    def _fetching(self) -> Iterator[Path]:
        """An empty folder of the working copy to download into; one process after the other."""
        folder = self.root / "work" / "fetch"
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"), emptied(folder):
            yield folder
