"""A file of the store that was changed since it was written is found, its step is done again, and that is said."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from filled_store import STUDY, fill, write_study
from inoculate import checksums
from inoculate.analysis import analyse
from inoculate.analysis.run_folder import read_run
from inoculate.errors import UserError
from inoculate.steps import damage, manifest
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
    assert step in missing
    (told,) = said
    named = "" if file == checksums.NAME else file  # whose changed line names another file, or another checksum
    assert told.startswith(f"{step.label}: {named}") and told.endswith(", and done again")
    assert (store.damaged / kind / step.key).is_dir() and not store.is_finished(step)


@pytest.mark.parametrize("text", ["", "[]", '{"seeds": [0]}', "[" * 50_000 + "]" * 50_000, "\0" * 40])
def test_what_was_declared_is_not_made_up_anew(study: Path, store: Store, text: str) -> None:
    folder = fill(study, store)
    (folder / "declared.json").write_text(text)
    with pytest.raises(UserError, match=r"declared\.json: not what a study declares .*bring the file back"):
        manifest.declare(folder, planning.make_plan(load(study)), store)
    assert (folder / "declared.json").read_text() == text


@pytest.mark.parametrize("target", ["elsewhere", "nowhere"])
def test_a_link_in_the_place_of_a_step_is_set_aside_and_done_with(
    study: Path, store: Store, tmp_path: Path, target: str
) -> None:
    fill(study, store)
    step, folder = one_of(study, store, "grades")
    whole = folder.rename(tmp_path / "whole")
    shutil.copytree(whole, tmp_path / "elsewhere")
    flip(tmp_path / "elsewhere" / "grades.jsonl")
    folder.symlink_to(tmp_path / target)
    missing, said = check(study, store)
    assert [step] == missing and "set aside" in said[0]
    shutil.copytree(whole, folder)
    assert check(study, store) == ([], [])
    assert not list(store.damaged.glob("*/*"))


@pytest.mark.parametrize("left", [(), ("step.json",), ("step.json", "grades.jsonl")])
def test_a_step_without_checksums_is_not_taken_for_a_finished_one(
    study: Path, store: Store, left: tuple[str, ...]
) -> None:
    """Such as a folder that a copy has made, and not filled."""
    analyse(fill(study, store))
    step, folder = one_of(study, store, "grades")
    for path in folder.iterdir():
        if path.name not in left:
            path.unlink()
    with pytest.raises(UserError, match=rf"{step.key}: SHA256SUMS is missing; `inoculate run STUDY` does this step"):
        analyse(store.run_folder("small"))
    missing, said = check(study, store)
    assert step in missing and said[0].startswith(f"{step.label}: SHA256SUMS is missing: set aside")


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


def test_a_report_reads_again_only_what_was_touched_and_a_run_reads_all(
    study: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, read, digest = fill(study, store), list[Path](), checksums._digest
    monkeypatch.setattr(checksums, "_digest", lambda path: read.append(path) or digest(path))

    def report() -> None:
        opened = read_run(run)
        for cell in opened.manifest["cells"]:
            opened.path(cell["grades"])

    report()
    assert len(read) == 2 * len(planning.make_plan(load(study)).cells)
    read.clear()
    report()
    assert read == []
    _, folder = one_of(study, store, "grades")
    path = folder / "grades.jsonl"
    path.write_bytes(path.read_bytes())
    report()
    assert path in read and {one.parent for one in read} == {folder}
    flip(path)
    with pytest.raises(UserError, match=r"grades\.jsonl is not what was written"):
        report()
    # A disk that loses a bit by itself changes no time: as if the file had looked like this before.
    note = store.root / "checked" / "grades" / folder.name
    note.write_text(checksums._looks(folder))
    assert checksums.find_new_damage(folder) == ""
    assert [step.key for step in check(study, store)[0]] == [folder.name]


@pytest.mark.parametrize("kind", ["completions", "adapter"])
def test_what_was_imported_and_has_read_other_files_is_set_aside_and_not_done_again_unasked(
    study: Path, store: Store, kind: str
) -> None:
    """Of an adapter, imported completions have read another one, which is not here."""
    fill(study, store)
    cell = next(cell for cell in planning.make_plan(load(study)).cells if "adapter" in cell.completions.inputs)
    reader = cell.grades if kind == "completions" else cell.completions
    old = store.folder(cell.completions if kind == "completions" else cell.completions.inputs["adapter"])
    path = store.folder(reader) / "step.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"imported": True}), encoding="utf-8")
    checksums.write(store.folder(reader))
    changed = next(old.rglob("*.jsonl" if kind == "completions" else "*.safetensors"))
    shutil.copytree(store.set_aside(old), old)
    (old / changed.relative_to(old)).write_bytes(b"other")
    checksums.write(old)
    if kind == "adapter":
        damage.settle(store, lambda _: None)
        assert store.is_finished(reader)
        return
    with pytest.raises(UserError, match=r"has read files that are others now\. It was imported, and set aside in"):
        damage.settle(store, lambda _: None)
    assert not store.is_finished(reader) and not damage.settle(store, lambda _: None)


def test_of_two_that_settle_at_once_one_waits(study: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the second would delete what the first has just set aside, and find nothing to move."""
    fill(study, store)
    cell = planning.make_plan(load(study)).cells[-1]
    folder = store.folder(cell.completions)
    shutil.copytree(folder, store.damaged / "completions" / folder.name)
    (folder / "completions.jsonl").write_bytes(b"other")
    checksums.write(folder)
    monkeypatch.setattr("inoculate.steps.store._SOON", 0.05)
    said, real = list[str](), Store.set_aside

    def slowly(self: Store, folder: Path) -> Path:
        time.sleep(0.2)
        return real(self, folder)

    monkeypatch.setattr(Store, "set_aside", slowly)
    with ThreadPoolExecutor(2) as both:
        found = list(both.map(lambda _: damage.settle(Store(store.root), said.append), range(2)))
    assert sorted(found) == [False, True]
    assert (store.damaged / "grades" / cell.grades.key / "grades.jsonl").is_file()
    assert any("waiting for it" in line for line in said) and not list((store.root / "work").iterdir())


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
