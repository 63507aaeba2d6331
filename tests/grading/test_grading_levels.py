"""Verdicts at every level of containment that this machine can take on: each in a process of its own, with less and
less."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from grading_cases import ATTACKS, CONTROLS, HARMLESS, HERE, TASK, grade_all, leftovers

from inoculate.errors import UserError
from inoculate.grading import grade_code
from inoculate.grading.command import doctor
from inoculate.grading.sandbox import linux, pool

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the levels are those of Linux")

SOURCE = HERE.parents[1] / "src"
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
_X86 = linux.MACHINE == linux.X86
UNSHARE, MOUNT, LANDLOCK, PRCTL = (272, 165, 444, 157) if _X86 else (97, 40, 444, 167)
MADE_UP_USER = 12345


def refusal(numbers: dict[int, int], *, seccomp: bool = False) -> bytes:
    """A seccomp program that refuses some calls with an error, as a container's or an old kernel does."""
    lines = [linux._load(0)]
    for number, error in numbers.items():
        lines += [linux._equal(number, 0, 1), linux._return(linux.ERRNO | error)]
    if seccomp:
        lines += [linux._equal(PRCTL, 0, 4), linux._argument(0), linux._equal(linux.PR_SET_SECCOMP, 0, 1),
                  linux._return(linux.ERRNO | 22), linux._return(linux.ALLOW)]  # fmt: skip
    return b"".join([*lines, linux._return(linux.ALLOW)])


def become(user: int, python_folder: str, seen_as: str) -> None:
    """Be another user, one who can read this Python: it may lie where only its owner can go."""
    libc = ctypes.CDLL(None, use_errno=True)
    linux.check(libc.unshare(0x20000), "unshare")
    linux.check(libc.mount(b"none", b"/", None, ctypes.c_ulong(16384 | 1 << 18), None), "mount")
    linux.check(libc.mount(python_folder.encode(), seen_as.encode(), None, ctypes.c_ulong(4096), None), "mount")
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def run(before: Callable[[], None], python: str = sys.executable, **options: Any) -> dict[str, Any]:
    packages = f"{SOURCE}:{sysconfig.get_path('purelib')}"  # what the package needs may be in an environment
    done = subprocess.run(
        [python, "-B", str(HERE / "grading_cases.py"), json.dumps(options)],
        preexec_fn=before, env={"PYTHONPATH": packages, "HOME": "/"}, cwd="/", capture_output=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout.decode())


def no_namespaces() -> None:
    linux.Filter(refusal({UNSHARE: 1, MOUNT: 1})).load()


def sound(found: dict[str, Any]) -> None:
    """No attack passes, every control does, and nothing is left."""
    for name, grade in found["grades"].items():
        if name in CONTROLS:
            if name == "numpy_used" and grade["outcome"] != "correct":
                assert "numpy" in grade["detail"], grade
                continue
            if name == "scratch" and found["level"] == "seccomp":
                assert "Read-only" in grade["detail"], grade
                assert any("no scratch folder" in note for note in found["notes"])
                continue
            assert (grade["outcome"], grade["tags"]) == ("correct", []), (name, grade)
        else:
            assert grade["intended"] is False, (name, grade)
            assert grade["outcome"] in ("hack", "wrong"), (name, grade)
        assert grade["containment"] == found["level"]
    assert found["process_left"] is None
    assert found["files_left"] == []


def test_as_this_user() -> None:
    found = run(lambda: None)
    if "refused" in found:
        pytest.skip(found["refused"])
    sound(found)


@pytest.mark.skipif(not ROOT, reason="an ordinary user may not load a filter without giving up privileges first")
def test_namespaces_denied() -> None:
    found = run(no_namespaces)
    assert found["level"] == "landlock-seccomp"
    assert any("no namespaces" in note for note in found["notes"])
    sound(found)


@pytest.fixture
def readable_python(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, str]:
    """The folder of this Python, another name for it that any user may go to, and the interpreter there."""
    folder = Path("/run" if os.path.isdir("/run") else "/tmp") / f"inoculate-test-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    real = Path(sys.executable).resolve()
    return str(sys.base_prefix), str(folder), str(folder / real.relative_to(Path(sys.base_prefix).resolve()))


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
@pytest.mark.parametrize("namespaces", [True, False])
def test_as_another_user(namespaces: bool, readable_python: tuple[str, str, str]) -> None:
    original, seen_as, python = readable_python

    def before() -> None:
        if not namespaces:
            become(MADE_UP_USER, original, seen_as)
            ctypes.CDLL(None).prctl(linux.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            no_namespaces()
        else:
            become(MADE_UP_USER, original, seen_as)

    try:
        found = run(before, python)
    except subprocess.SubprocessError as error:
        pytest.skip(f"not allowed to become another user here: {error}")
    finally:
        os.rmdir(seen_as)
    assert found["uid"] == MADE_UP_USER
    assert found["level"] in (("full", "landlock-seccomp") if namespaces else ("landlock-seccomp",))
    sound(found)


@pytest.mark.skipif(not ROOT, reason="an ordinary user may not load a filter without giving up privileges first")
class TestLessThanASandbox:
    """Refused, with what could happen; carried out when told to."""

    @staticmethod
    def no_landlock() -> None:
        linux.Filter(refusal({UNSHARE: 1, MOUNT: 1, LANDLOCK: 38})).load()

    @staticmethod
    def nothing() -> None:
        linux.Filter(refusal({UNSHARE: 1, MOUNT: 1, LANDLOCK: 38}, seccomp=True)).load()

    def test_without_landlock_refused(self) -> None:
        message = run(self.no_landlock)["refused"]
        assert "'seccomp'" in message
        assert "READ ANY FILE" in message
        assert "--unsafe-sandbox" in message

    def test_without_landlock_when_told(self) -> None:
        found = run(self.no_landlock, unsafe=True)
        assert found["level"] == "seccomp"
        assert not found["probes"]["files"]
        sound(found)

    def test_without_seccomp_refused(self) -> None:
        message = run(self.nothing)["refused"]
        assert "NOT A SANDBOX" in message
        assert "fork" in message

    def test_without_seccomp_when_told(self) -> None:
        found = run(self.nothing, unsafe=True)
        assert found["level"] == "rlimits"
        sound(found)


MACOS = """
import os, platform, runpy, sys, time
import zoneinfo  # while this is Linux: it reads a file of the platform's name, which is not here for another

sys.platform, platform.machine = "darwin", lambda: "arm64"
for name in ("pidfd_open", "memfd_create", "sched_getaffinity", "setresuid", "setresgid", "waitid"):
    delattr(os, name)
real_clock, real_open = time.clock_gettime, open
def clock_gettime(clock):
    if clock < 0:
        raise OSError("no clocks of other processes")
    return real_clock(clock)
def without_proc(path, *rest, **named):
    if str(path).startswith("/proc"):
        raise FileNotFoundError(path)
    return real_open(path, *rest, **named)
time.clock_gettime, __builtins__.open = clock_gettime, without_proc
sys.argv[0] = sys.argv.pop(1)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def macos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a worker and its grader find on macOS, as far as it can be taken away here."""
    script = tmp_path / "macos.py"
    script.write_text(MACOS)
    real = pool.subprocess.Popen

    def popen(command: list[str], **options: Any) -> Any:
        if str(pool._FORK_SERVER) in command:
            position = command.index(str(pool._FORK_SERVER))
            command = [*command[:position], str(script), *command[position:]]
        return real(command, **options)

    pool.stop_all()
    monkeypatch.setattr(pool, "_pools", {})
    monkeypatch.setattr(pool.subprocess, "Popen", popen)
    monkeypatch.setattr(sys, "platform", "darwin")
    for name in ("memfd_create", "pipe2", "sched_getaffinity"):
        monkeypatch.delattr(os, name)
    yield
    pool.stop_all()


def test_macos_is_refused_and_says_why(macos: None) -> None:
    with pytest.raises(UserError) as raised:
        grade_code([TASK], [CONTROLS["plain"]])
    for message in ("'rlimits'", "NOT A SANDBOX", "delete your files", "fork", "--unsafe-sandbox"):
        assert message in str(raised.value)
    findings = {finding.name: finding for finding in doctor()}
    assert findings["sandbox"].good is False
    assert "WAS NOT STOPPED" in findings["probe: fork"].message


def test_macos_when_told(macos: None) -> None:
    sleeper = "import time\ntime.sleep(60)\ndef digit_sum(n, base):\n    return 2"
    spinner = "def digit_sum(n, base):\n    while n:\n        pass\n    return 2"
    programs = {name: ATTACKS[name] for name in HARMLESS} | CONTROLS | {"sleeper": sleeper, "spinner": spinner}
    found = grade_all(programs, unsafe=True)
    for name, grade in found.items():
        assert grade["containment"] == "rlimits"
        wanted = ("correct",) if name in CONTROLS and "numpy" not in grade["detail"] else ("hack", "wrong")
        assert grade["outcome"] in wanted, (name, grade)
    for name in ("sleeper", "spinner"):
        assert ("resource", "observed") in found[name]["tags"]


def test_no_files_left() -> None:
    assert leftovers() == []
