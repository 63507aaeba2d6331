"""Takes the steps of a file of graded samples into a store, so that `plan`, `run` and `report` count them.

Everything is unpacked beside the store's steps and checked first. Then step after step is moved into place, inputs
first: whenever it is interrupted, every step is there whole or not at all, and importing again completes it. What
graders of another version have judged is judged anew before that.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from inoculate.errors import UserError, under
from inoculate.records import write_json, write_whole
from inoculate.steps import grades, manifest, problems
from inoculate.steps.plan import TRAINED, Plan
from inoculate.steps.sharing import agree
from inoculate.steps.sharing.content import check_drawn, check_files, find_difference
from inoculate.steps.sharing.packed import Header, PackedStep, read_packed
from inoculate.steps.sharing.regrade import Regraded, Regrading
from inoculate.steps.store import StepName, Store

Progress = Callable[[int], None]
"""Called with the number of steps that are unpacked and checked."""
_MOST_NAMED = 5


@dataclass
class Imported:
    """What came of an import."""

    name: str
    """The run's name."""
    machines: list[str]
    run: Path | None = None
    """Its folder; None where the study has code of its own, and was not run here before."""
    cells: int = 0
    """Cells of the run here that are in the file."""
    new_steps: int = 0
    known_steps: int = 0
    """Steps that were here already, with the same content."""
    finished: int = 0
    """Cells of the run here that are finished now."""
    of: int = 0
    """All its cells."""
    regraded: list[Regraded] = field(default_factory=list)
    """What other graders had judged, and was graded anew."""
    notes: list[str] = field(default_factory=list)


def import_graded(path: Path, store: Store, progress: Progress = lambda done: None) -> Imported:
    """Import a file of graded samples.

    Args:
        path: The file.
        store: Where the steps go.
        progress: Called after each step.

    Raises:
        UserError: The file is none of these, or damaged, or too large; a version, the model or the study differs; a
            step is in the store with other content; or the store cannot be written.
    """
    store.check_writable()
    with _explained(store), store.staging("import") as staging:
        packed = read_packed(path)
        header = next(packed)
        assert isinstance(header, Header)
        agree.check_name(path, header)
        store.bring_run(header.name)
        run = store.run_folder(header.name)
        text = (run / "study.toml").read_text(encoding="utf-8") if (run / "study.toml").is_file() else None
        if text is not None:
            agree.check_study(path, header, text, run)
        staged = Store(staging)
        unpacked = _stage(path, header, packed, staged, progress)
        regrading = Regrading(staged, unpacked)
        result = Imported(header.name, [one.name for one in header.machines])
        plan = _plan(path, header, text, run, regrading.named, result.notes)
        _require_inputs(path, regrading.named, store)
        steps = _grade(path, header, regrading, staged, progress, len(unpacked))
        result.regraded = regrading.regraded()
        result.notes += regrading.notes()
        known = _known(path, steps, store, staged)
        new = [step for step in steps if step.key not in known]
        for step in new:
            whole = step.kind not in TRAINED or _bring_adapters(step, regrading.as_in_file(step.key), staged, store)
            place = store.root / "steps" if whole else store.records
            store.adopt(staged.folder(StepName(step.kind, step.key)), place / step.kind / step.key)
        result.new_steps, result.known_steps = len(new), len(steps) - len(new)
        _write_run(header, plan, run, store, result, steps, regrading.ran_code)
    return result


@contextmanager
def _explained(store: Store) -> Iterator[None]:
    """Say in words that a store cannot be written."""
    try:
        yield
    except (NotADirectoryError, FileExistsError, PermissionError) as error:
        raise UserError(f"the store {store.root} cannot be written: {error.filename}: {error.strerror}") from None
    except OSError as error:
        if error.filename is None or not str(error.filename).startswith(str(store.root)):
            raise
        raise UserError(f"the store {store.root} cannot be written: {error.filename}: {error.strerror}") from None


def _stage(
    path: Path, header: Header, packed: Iterator[Header | PackedStep], staged: Store, progress: Progress
) -> list[PackedStep]:
    """Check every step and unpack it beside the others; returns them without their files."""
    steps: dict[str, PackedStep] = {}
    for done, step in enumerate(packed, 1):
        assert isinstance(step, PackedStep)
        agree.check_step(path, header, step)
        check_files(f"{path}: {step.kind} {step.key}", step)
        if step.kind == problems.KIND:
            check_drawn(path, step)
        if step.key in steps:
            raise UserError(f"{path}: {step.kind} {step.key} is there twice: nothing was imported")
        folder = staged.folder(StepName(step.kind, step.key))
        folder.mkdir(parents=True)
        for name, content in step.files.items():
            (folder / name).write_bytes(content)
        steps[step.key] = step.model_copy(update={"files": {}})
        progress(done)
    return list(steps.values())


def _grade(
    path: Path, header: Header, regrading: Regrading, staged: Store, progress: Progress, done: int
) -> list[PackedStep]:
    """Grade anew what other graders have judged; returns the steps that stand, under the names of today."""
    count = itertools.count(done + 1)
    with under(str(path)):
        steps = regrading.carry_out(lambda: progress(next(count)))
    for step in steps:
        folder = staged.folder(StepName(step.kind, step.key))
        (folder / "step.json").write_text(_step_json(header, step), encoding="utf-8")
    return steps


def _known(path: Path, steps: list[PackedStep], store: Store, staged: Store) -> set[str]:
    """Keys of those steps that the store has; refused where it has one with other content."""
    names = {step.key: StepName(step.kind, step.key) for step in steps}
    known, differing = store.readable_keys(names.values()), list[str]()
    for step in steps:
        if step.kind in TRAINED or step.key not in known:
            continue
        files = {file.name: file.read_bytes() for file in staged.folder(names[step.key]).iterdir()}
        if found := find_difference(step.model_copy(update={"files": files}), store.folder(names[step.key])):
            differing.append(f"{step.label} ({step.kind} {step.key}: {found})")
    if differing:
        more = f"; and {len(differing) - _MOST_NAMED} more" if len(differing) > _MOST_NAMED else ""
        raise UserError(
            f"{path}: {len(differing)} of its steps are in {store.name} with other content: "
            f"{'; '.join(differing[:_MOST_NAMED])}{more}. They were made twice, on two machines or beside other "
            "samples, and in bfloat16 a few tokens then differ. Nothing was imported. Export without them there "
            "(`inoculate export RUN --graded FILE --seeds ...`), or import into another store: --store"
        )
    return known | {key for key, name in names.items() if name.kind in TRAINED and store.is_recorded(name)}


def _step_json(header: Header, step: PackedStep) -> str:
    record = {
        "kind": step.kind,
        "key": step.key,
        "version": step.step_version,
        "label": step.label,
        "params": step.params,
        "inputs": step.inputs,
        "seconds": step.seconds,
        **step.model_dump(include={"processes", "shard", "regraded"}, exclude_none=True),
        "machine": header.machines[step.machine].model_dump(),
        "imported": True,
    }
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def _bring_adapters(step: PackedStep, there: PackedStep, staged: Store, store: Store) -> bool:
    """Give a training that has another name today the adapters that the store has of it under the earlier one.

    Returns:
        Whether it has them.
    """
    earlier = StepName(there.kind, there.key)
    if step.key == there.key or not store.is_here(earlier):
        return False
    trained, files = store.folder(earlier), list(staged.folder(earlier).iterdir())
    if not all((trained / file.name).is_file() and _same(file, trained / file.name) for file in files):
        return False
    for adapter in trained.glob("at-*"):
        shutil.copytree(adapter, staged.folder(StepName(step.kind, step.key)) / adapter.name)
    return True


def _same(file: Path, other: Path) -> bool:
    return file.read_bytes() == other.read_bytes()


def _require_inputs(path: Path, steps: list[PackedStep], store: Store) -> None:
    """Refuse samples or grades an input of which is neither in the file nor in the store."""
    here = {step.key for step in steps}
    for step in steps:
        for name, given in step.inputs.items() if step.kind not in TRAINED else ():
            needed = StepName(*given.split("/"))
            if needed.kind not in TRAINED and needed.key not in here and not store.is_finished(needed):
                raise UserError(f"{path}: {step.label}: its {name} ({given}) are not in the file: nothing was imported")


def _plan_there(path: Path, header: Header, steps: list[PackedStep]) -> Plan:
    """The plan of the file's own study; refused where a step of the file is not in it."""
    plan = agree.plan_study(header.study, header.name, header, str(path))
    known = {step.key for step in plan.steps()}
    others = [step.label for step in steps if step.key not in known]
    if others:
        raise UserError(
            f"{path}: {len(others)} of its steps are not those of its study, as this version plans it: "
            f"{'; '.join(others[:_MOST_NAMED])}: nothing was imported"
        )
    return plan


def _plan_here(path: Path, header: Header, text: str, run: Path, steps: list[PackedStep], notes: list[str]) -> Plan:
    """The plan of the study as it is here."""
    agree.check_served(path, header, run)
    plan = agree.plan_study(text, header.name, header, str(run))
    known = {step.key for step in plan.steps()}
    more = [step.label for step in steps if step.key not in known and step.kind == grades.KIND]
    if more:
        notes.append(
            f"{len(more)} cells of the file are not in the study here ({'; '.join(more[:_MOST_NAMED])}): they are "
            "kept, and counted once the study file has their seed, arm or context"
        )
    return plan


def _plan(
    path: Path, header: Header, text: str | None, run: Path, steps: list[PackedStep], notes: list[str]
) -> Plan | None:
    """The plan of the run here: of the study that is here already (`text`), else of the file's.

    Returns:
        None where the file's study names code, and there is no run here that names the same.
    """
    code = agree.own_code(header.study, path)
    if code and text is None:
        notes.append(
            f"the study names code of your own ({', '.join(dict.fromkeys(code))}), which an import never runs: "
            "`inoculate run STUDY --seeds ...` with your study file counts these cells and makes the report"
        )
        return None
    plan = None if code else _plan_there(path, header, steps)
    plan = plan if text is None else _plan_here(path, header, text, run, steps, notes)
    assert plan is not None
    if why := agree.check_model(path, header, plan.study.model):
        notes.append(why)
    return plan


def _write_run(
    header: Header,
    plan: Plan | None,
    run: Path,
    store: Store,
    result: Imported,
    steps: list[PackedStep],
    ran_code: str,
) -> None:
    """Write what a run's folder has, where the store has no such run, and the manifest in any case."""
    run.mkdir(parents=True, exist_ok=True)
    declared = _declare(header, run, result)
    if plan is None:
        return  # and no study file: the next import would take it for one of the user's, whose code may be run
    if not (run / "study.toml").is_file():
        write_whole(run / "study.toml", header.study)  # a part of it would be taken for a study of the user's
    path = run / "manifest.json"
    manifest.write(run, plan, store, declared, ran_code or manifest.kept_containment(path) or header.containment)
    store.publish_run(run, "manifest.json", "study.toml", "declared.json")
    here = {step.key for step in steps}
    finished = plan.finished_keys(store)
    result.run, result.of = run, len(plan.cells)
    result.cells = sum(cell.grades.key in here for cell in plan.cells)
    result.finished = sum(cell.grades.key in finished for cell in plan.cells)


def _declare(header: Header, run: Path, result: Imported) -> dict[str, Any]:
    """What was declared first, here or there."""
    path, theirs = run / "declared.json", header.declared.model_dump()
    if path.is_file():
        ours = manifest.read_declared(path)
        if _when(ours["created"]) <= _when(theirs["created"]):
            return ours
        result.notes.append(
            f"the study was first run where the file is from ({theirs['created']}, here {ours['created']}): what "
            "counts as declared is what it declared there"
        )
    write_json(path, theirs)
    return theirs


def _when(created: str) -> datetime:
    try:
        return datetime.fromisoformat(created)
    except ValueError:
        raise UserError(f"{created!r} is no time at which a study was declared") from None
