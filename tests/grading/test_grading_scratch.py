"""The scratch folder: what honest programs do in it works, and nothing of it is left for whoever comes next."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from inoculate.grading import CodeTask, Limits, containment, grade_code
from inoculate.grading.sandbox import scratch

TASK = CodeTask("f", ("assert f(2) == 4",), ("assert f(3) == 9", "assert f(4) == 16"))

needs_scratch = pytest.mark.skipif(
    any("no scratch folder" in note for note in containment(unsafe=True).notes), reason="there is none at this level"
)


@needs_scratch
@pytest.mark.parametrize("fresh", [False, True])
def test_each_check_finds_it_empty(fresh: bool) -> None:
    program = """
import os, tempfile
before = os.listdir(), os.listdir(tempfile.gettempdir())
def f(n):
    if before != ([], []):
        return before
    with open("x.txt", "a") as file:
        file.write("x" * n)
    os.makedirs("a/b/c", exist_ok=True)
    return n * os.path.getsize("x.txt") if FRESH else n * n
""".replace("FRESH", str(fresh))
    limits = Limits(fresh_calls=fresh)
    grades = list(grade_code([TASK] * 20, [program] * 20, limits=limits))
    assert {(grade.outcome, grade.tags, grade.detail) for grade in grades} == {("correct", (), "")}


@needs_scratch
def test_it_has_a_size() -> None:
    program = """
import os
written = 0
try:
    for number in range(1000):
        with open(str(number), "wb") as file:
            written += file.write(bytes(1 << 20))
except OSError:
    pass
def f(n):
    return 4 if n == 2 else written >> 20
"""
    task = CodeTask("f", ("assert f(2) == 4",), (f"assert f(3) <= {scratch.MAX_BYTES >> 20}", "assert f(3) > 8"))
    (found,) = grade_code([task], [program])
    # Where the kernel does not count, it is ended; but not before the numbers show that it went on.
    assert found.outcome == "correct" or "out of room" in found.detail


@needs_scratch
def test_nothing_is_written_elsewhere() -> None:
    before = set(os.listdir(tempfile.gettempdir()))
    program = """
import os, tempfile
places = ["/", "/tmp", "/var/tmp", "/dev/shm", os.path.dirname(os.__file__), "..", tempfile.gettempdir() + "/.."]
written = []
for place in places:
    for act in (lambda: open(place + "/inoculate-owned", "w"), lambda: os.mkdir(place + "/inoculate-owned-folder")):
        try:
            act()
            written.append(place)
        except OSError:
            pass
def f(n):
    return written or n * n
"""
    (found,) = grade_code([TASK], [program])
    if found.containment in ("full", "landlock-seccomp"):
        assert found.outcome == "correct", found
        assert {tag.name for tag in found.tags} >= {"escape"}
    new = set(os.listdir(tempfile.gettempdir())) - before
    assert not [name for name in new if name.startswith("inoculate-owned")]


def test_emptying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scratch.empty()
    for name in ("a/b/c", "a/d", "e/f", "g"):
        os.makedirs(name)
        Path(name, "file").write_text("x")
    Path("closed").mkdir()
    Path("closed/file").write_text("x")
    os.chmod("closed", 0)
    os.symlink("/", "link")
    for _ in range(3000):
        os.mkdir("deep")
        os.chdir("deep")
    os.chdir(tmp_path)
    scratch.empty()
    assert os.listdir() == []
    assert Path.cwd() == tmp_path


def test_counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(scratch, "MAX_FILES", 10)
    monkeypatch.setattr(scratch, "MAX_BYTES", 1 << 20)
    os.makedirs("a/b/c/d/e")
    assert not scratch.too_much()
    Path("a/b/sparse").touch()
    os.truncate("a/b/sparse", 1 << 30)
    assert not scratch.too_much()
    Path("a/b/big").write_bytes(os.urandom(2 << 20))
    assert scratch.too_much()
    Path("a/b/big").unlink()
    for number in range(6):
        Path("a", str(number)).mkdir()
    assert scratch.too_much()
