"""Disks that are full, that cannot be written, that are another device; and files that a disk has changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from faults.runs import Reference, Runs, check_whole, clear, finished

NO_SPACE = "no space left on the disk"
PARTS = 6
"""In how many parts a disk is full at every write."""


def fill_up(runs: Runs, reference: Reference, number: int) -> bool:
    """A run whose `number`-th write finds the disk full, and another where there is space again.

    Returns:
        Whether there were so many writes.
    """
    store = runs.fresh()
    full = runs.run(store, patch="disk is full", value=number)
    if full["codes"] == [0]:
        # The notes of how checked files looked are a help, and no part of the results.
        assert all("/checked/" in path for path in full["full"])
        check_whole(store, reference.results)
        clear(store)
        return bool(full["full"])
    assert full["codes"] == [2], full["said"]
    assert NO_SPACE in full["said"][-1] and full["said"][-1].count("\n") == 1, full["said"]
    before = finished(store) if store.exists() else {}
    assert runs.run(store)["codes"] == [0]
    assert before.items() <= finished(store).items()
    check_whole(store, reference.results)
    clear(store)
    return True


def test_a_full_disk_at_some_write(runs: Runs, reference: Reference) -> None:
    assert fill_up(runs, reference, 50)


@pytest.mark.faults
@pytest.mark.parametrize("part", range(PARTS))
def test_a_full_disk_at_every_write(runs: Runs, reference: Reference, part: int) -> None:
    """In parts, each of which can be run by itself."""
    number = part + 1
    while fill_up(runs, reference, number):
        number += PARTS
    print(f"part {part + 1} of {PARTS}: full at every {PARTS}th write, up to {number - PARTS}")
    assert number > 50


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Path]:
    """A folder to mount on."""
    if os.geteuid():
        pytest.skip("only root may mount")
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.faults
def test_a_disk_that_grows_until_a_run_fits(runs: Runs, reference: Reference, mount: Path) -> None:
    """Libraries write weights without Python's files: what they say of a full disk is understood as well."""
    store, fulls, size = mount / "store", 0, 64
    while True:
        subprocess.run(["mount", "-o", f"remount,size={size}k", mount], check=True)
        done = runs.run(store)
        if done["codes"] == [0]:
            break
        assert done["codes"] == [2] and NO_SPACE in done["said"][-1], done["said"]
        fulls, size = fulls + 1, size + 24
    print(f"full {fulls} times")
    assert fulls > 10
    check_whole(store, reference.results)


@pytest.mark.faults
def test_a_store_that_can_only_be_read(runs: Runs, mount: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=64m", mount], check=True)
    store = mount / "store"
    assert runs.run(store)["codes"] == [0]
    subprocess.run(["mount", "-o", "remount,ro", mount], check=True)
    done = runs.run(store)
    assert done["codes"] == [2] and "cannot be written: name another folder with --store" in done["said"][-1]
    inoculate = [sys.executable, "-m", "inoculate", "report", "small", "--store", str(store)]
    told = subprocess.run(inoculate, capture_output=True, text=True)
    assert told.returncode == 2 and told.stderr.startswith("inoculate: not allowed: "), told.stderr


@pytest.mark.faults
def test_a_store_on_another_device_than_the_temporary_folder(runs: Runs, reference: Reference) -> None:
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or memory.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev:
        pytest.skip("there is no second device")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        store = Path(folder) / "store"
        assert runs.run(store)["codes"] == [0]
        check_whole(store, reference.results)


@pytest.mark.faults
def test_a_path_longer_than_that_of_a_socket_may_be(runs: Runs, reference: Reference) -> None:
    store = runs.fresh() / "/".join(["a-long-name-of-a-folder" * 3] * 4)
    assert len(str(store)) > 300
    done = runs.run(store)
    assert done["codes"] == [0], done["said"]
    check_whole(store, reference.results)


def test_changed_files_are_done_again_and_said(runs: Runs, reference: Reference) -> None:
    """A flipped bit, and a file that is cut off: also in an adapter that a cell still needs."""
    store, random = runs.fresh(), Random(0)
    assert runs.run(store)["codes"] == [0]
    files = sorted(store.glob("steps/*/*/*.jsonl"))
    changed = random.sample(files, 2)
    adapter = next(store.glob("steps/adapter/*/at-1/adapter_model.safetensors"))
    cell = next(path.parent for path in store.glob("steps/completions/*/step.json") if "adapter/" in _adapter(path))
    for path in [*changed, adapter]:
        data = bytearray(path.read_bytes())
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        path.write_bytes(data[: random.choice([len(data), len(data) - 1])])
    clear(cell)
    done = runs.run(store)
    assert done["codes"] == [0], done["said"]
    told = "\n".join(done["said"])
    for path in [*changed, adapter]:
        kind, key = path.relative_to(store / "steps").parts[:2]
        assert f"{kind}/{key}" in done["done"] and f"{path.name}" in told
    check_whole(store, reference.results)
    assert runs.run(store)["done"] == []
    clear(store)


@pytest.mark.faults
def test_a_bit_of_every_kind_of_file(runs: Runs, reference: Reference) -> None:
    """Of every file that some kind of step has, also of its checksums; cells are missing, so that adapters are read."""
    store, random = runs.fresh(), Random(1)
    assert runs.run(store)["codes"] == [0]
    for kind in ("completions", "grades"):
        clear(store / "steps" / kind)
    named = {(path.parts[-3 - path.parent.name.startswith("at-")], path.name): path
             for path in sorted((store / "steps").rglob("*")) if path.is_file()}  # fmt: skip
    for path in named.values():
        data = bytearray(path.read_bytes())
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        path.write_bytes(data)
    print(f"a bit of each of {len(named)} kinds of files")
    assert len(named) > 20
    done = runs.run(store)
    assert done["codes"] == [0], done["said"]
    check_whole(store, reference.results)
    clear(store)


@pytest.mark.parametrize(
    ("phase", "number"),
    [
        ("RL update", 2),
        pytest.param("SFT", 0, marks=pytest.mark.faults),
        pytest.param("RL sampling", 3, marks=pytest.mark.faults),
        pytest.param("grading", 1, marks=pytest.mark.faults),
    ],
)
def test_changed_files_of_a_step_in_progress_do_not_change_the_results(
    runs: Runs, reference: Reference, phase: str, number: int
) -> None:
    """A bit of every file that a killed run has left of its unfinished steps."""
    store, random = runs.fresh(), Random(phase)
    ended = next(one for one in reference.moments if one.get("ended") == phase and one["number"] == number)
    begun = next(one for one in reference.moments if one.get("phase") == phase and one["number"] == number)
    kill = {"phase": phase, "number": number, "seconds": 0.9 * (ended["at"] - begun["at"])}
    runs.run(store, kill=kill)
    for path in (store / "work").rglob("*"):
        if path.is_file() and (data := bytearray(path.read_bytes())):
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
            path.write_bytes(data)
    done = runs.run(store)
    assert done["codes"] == [0], done["said"]
    check_whole(store, reference.results)
    clear(store)


def _adapter(path: Path) -> str:
    return json.loads(path.read_text(encoding="utf-8"))["inputs"].get("adapter", "")
