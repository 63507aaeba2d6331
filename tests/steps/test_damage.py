"""A file of the store that was changed since it was written is found, its step is done again, and that is said."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from filled_store import STUDY, fill, write_study
from inoculate import checksums
from inoculate.analysis import analyse
from inoculate.errors import UserError
from inoculate.steps import damage
from inoculate.steps import plan as planning
from inoculate.steps.store import Step, Store
from inoculate.study.parse import load


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("inoculate.engine.models.fingerprint", lambda _: "weights")
    return write_study(tmp_path, STUDY.replace("seeds = [0, 1]", "seeds = [0]"))


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def remove(path: Path) -> None:
    path.unlink()


def check(study: Path, store: Store) -> tuple[list[Step], list[str]]:
    plan, said = planning.make_plan(load(study)), list[str]()
    return damage.set_aside(plan.steps(), lambda: plan.missing(store), store, said.append), said


def one_of(study: Path, store: Store, kind: str) -> tuple[Step, Path]:
    step = next(step for step in planning.make_plan(load(study)).steps() if step.kind == kind)
    return step, store.folder(step)


def test_checksums_are_those_of_coreutils(store: Store, study: Path) -> None:
    fill(study, store)
    folders = list((store.root / "steps").glob("*/*"))
    assert len(folders) == 19
    for folder in folders:
        subprocess.run(["sha256sum", "--check", "--strict", "--quiet", checksums.NAME], cwd=folder, check=True)
        assert checksums.find_damage(folder) == ""


@pytest.mark.parametrize("change", [flip, cut, remove])
@pytest.mark.parametrize(
    ("kind", "file"),
    [("problems", "problems.jsonl"), ("completions", "completions.jsonl"), ("grades", "step.json"),
     ("rows", "rows.jsonl"), ("rows", "SHA256SUMS")],
)  # fmt: skip
def test_a_changed_file_is_found_and_its_step_is_to_be_done_again(
    study: Path, store: Store, kind: str, file: str, change: object
) -> None:
    fill(study, store)
    assert check(study, store) == ([], [])
    step, folder = one_of(study, store, kind)
    change(folder / file)  # type: ignore[operator]
    missing, said = check(study, store)
    if (file, change) == ("SHA256SUMS", remove):  # as a step of a version that wrote none: it is taken as it is
        assert (missing, said) == ([], [])
        return
    assert step in missing
    (told,) = said
    named = "" if file == checksums.NAME else file  # whose changed line names another file, or another checksum
    assert told.startswith(f"{step.label}: {named}") and told.endswith(", and done again")
    assert (store.damaged / kind / step.key).is_dir() and not store.is_finished(step)


def test_an_adapter_is_read_only_where_it_is_needed(study: Path, store: Store) -> None:
    fill(study, store)
    step, folder = one_of(study, store, "adapter")
    flip(folder / "at-1" / "adapter_model.safetensors")
    assert check(study, store) == ([], [])
    plan = planning.make_plan(load(study))
    cell = next(cell for cell in plan.cells if cell.completions.inputs.get("adapter") == step)
    shutil.rmtree(store.folder(cell.completions))
    missing, said = check(study, store)
    assert {step.key, cell.completions.key} <= {one.key for one in missing}
    assert "at-1/adapter_model.safetensors" in said[0]


def test_what_has_read_other_files_is_done_again_and_what_has_read_the_same_is_not(study: Path, store: Store) -> None:
    fill(study, store)
    plan = planning.make_plan(load(study))
    cell = plan.cells[-1]
    for change, grades_again in ((None, False), ("another answer", True)):
        folder = store.folder(cell.completions)
        kept = (folder / "completions.jsonl").read_text(encoding="utf-8")
        other = {name: (folder / name).read_bytes() for name in ("engines.json",)}
        flip(folder / "completions.jsonl")
        assert check(study, store)[0] == [cell.completions]
        with store.write_step(cell.completions) as work:
            lines = kept.replace('"completion": "', f'"completion": "{change}', 1) if change else kept
            (work / "completions.jsonl").write_text(lines, encoding="utf-8")
            for name, data in other.items():
                (work / name).write_bytes(data)
        missing, said = check(study, store)
        assert missing == ([cell.grades] if grades_again else [])
        assert any("has read files that are others now" in line for line in said) == grades_again
        assert not (store.damaged / "completions" / cell.completions.key).exists()


def test_a_report_refuses_a_changed_file(study: Path, store: Store) -> None:
    run = fill(study, store)
    analyse(run)
    _, folder = one_of(study, store, "grades")
    text = (folder / "grades.jsonl").read_text(encoding="utf-8")
    changed = text.replace('"outcome": "', '"outcome":  "', 1)  # as good JSON as before
    (folder / "grades.jsonl").write_text(changed, encoding="utf-8")
    with pytest.raises(UserError, match=r"grades\.jsonl is not what was written: its checksum is another; `inoculate"):
        analyse(run)


def test_a_damaged_step_that_was_imported_is_not_made_here_unasked(study: Path, store: Store) -> None:
    fill(study, store)
    step, folder = one_of(study, store, "grades")
    record = json.loads((folder / "step.json").read_text(encoding="utf-8")) | {"imported": True}
    (folder / "step.json").write_text(json.dumps(record), encoding="utf-8")
    checksums.write(folder)
    cut(folder / "grades.jsonl")
    with pytest.raises(UserError, match=r"It was imported: `inoculate import FILE` brings it again"):
        check(study, store)
    assert check(study, store)[0] == [step]
