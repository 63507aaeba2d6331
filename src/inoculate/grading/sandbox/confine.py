"""Confines a worker and its job processes, and probes whether each restriction holds."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from inoculate.grading.sandbox import linux, namespaces

NOBODY = 65533  # usually unassigned, so that this user owns no process and no file

_INSTALLED_PACKAGES = ("site-packages", "dist-packages")

_seccomp_filter: linux.Filter | None = None


def set_limits(cpu: float, memory_mb: int, output_mb: int) -> None:
    """Set the limits of a job process. The fork server limits its processor time too, to fractions of a second."""
    seconds, memory, output = int(cpu) + 2, memory_mb << 20, output_mb << 20
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (output, output))
    with contextlib.suppress(ValueError, OSError):  # not available everywhere
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _set_common_limits() -> None:
    """Set the limits that are the same for a worker and for all its job processes."""
    for name, value in (("NOFILE", 64), ("CORE", 0), ("MEMLOCK", 0)):
        with contextlib.suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    # Death by a signal at the file limit would look like a crash; when it is ignored, Python raises an OSError.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def load_seccomp_filter() -> None:
    """Restrict this process to the allowlist of system calls, irrevocably.

    Raises:
        OSError: There is no allowlist for this machine, or the kernel refused it.
    """
    if _seccomp_filter is None:
        raise OSError(errno.ENOSYS, "no allowlist of system calls")
    _seccomp_filter.load()


def confine_before_imports(options: dict[str, Any]) -> dict[str, Any]:
    """The first part, before common modules are loaded: namespaces, another user, no new privileges.

    Returns:
        The containment so far.

    Raises:
        OSError: Namespaces were requested and the kernel refused them.
    """
    reached: dict[str, Any] = {"namespaces": False, "uid": os.getuid(), "notes": [], "scratch": ""}
    if sys.platform != "linux":
        _enter_scratch(options, reached)
        return reached
    library = linux.libc()
    if options["namespaces"]:
        namespaces.enter()
        namespaces.new_root(_bind_mounts(options))
        reached["namespaces"] = True
    library.prctl(linux.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.geteuid() == 0:
        _become_nobody(reached)
    _enter_scratch(options, reached)
    try:
        linux.drop_capabilities()
    except OSError as error:
        reached["notes"].append(f"capabilities kept: {error}")
    library.prctl(linux.PR_SET_DUMPABLE, 0, 0, 0, 0)
    linux.check(library.prctl(linux.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    return reached


def _become_nobody(reached: dict[str, Any]) -> None:
    """Become a user who owns nothing, unless that user could not read Python (an interpreter below /root)."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setresuid(NOBODY, NOBODY, NOBODY)
            with open(json.__file__, "rb") as file:
                file.read(1)
            os._exit(0)
        finally:
            os._exit(1)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        reached["notes"].append("user kept: another user could not read this Python's folder")
        return
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    reached["uid"] = NOBODY


def _enter_scratch(options: dict[str, Any], reached: dict[str, Any]) -> None:
    """Change to the scratch folder, in which solutions may write; job processes inherit it."""
    folder = namespaces.SCRATCH if reached["namespaces"] else options["scratch"]
    try:
        if not reached["namespaces"]:
            os.mkdir(folder, 0o700)
        os.chdir(folder)
    except OSError as error:
        reached["notes"].append(f"no scratch folder, so solutions cannot write files: {error}")
        os.chdir("/")
        return
    reached["scratch"] = os.environ["TMPDIR"] = folder


def confine_after_imports(options: dict[str, Any], scratch: str) -> dict[str, Any]:
    """The second part: Landlock, the seccomp filter, then probes of every restriction, which decide the level.

    Args:
        options: Of the worker.
        scratch: The folder in which solutions may write; '' for none.

    Returns:
        `level` and the probes that it rests on.
    """
    global _seccomp_filter
    version, notes = 0, []
    if sys.platform == "linux":
        try:
            version = linux.landlock(*_readable_paths(options), scratch)
        except OSError as error:
            notes.append(f"no Landlock: {error}")
        try:
            # Built once; a job process only loads it. Without Landlock nothing would restrict where files are written.
            _seccomp_filter = linux.Filter(linux.allow_list(writing=bool(version and scratch)))
        except OSError as error:
            notes.append(f"no seccomp: {error}")
        if scratch and not version and _seccomp_filter:
            notes.append("no scratch folder, so solutions cannot write files: only Landlock could restrict where")
    _set_common_limits()
    probes = _run_probes(options)
    level = "rlimits"
    if all(probes[name] for name in ("seccomp", "fork", "signal", "socket", "write")):
        level = "landlock-seccomp" if version and probes["files"] else "seccomp"
        if level == "landlock-seccomp" and options["namespaces"] and probes["alone"]:
            level = "full"
    return {"level": level, "landlock": version, "probes": probes, "late_notes": notes}


def _libraries() -> list[str]:
    """Folders of shared libraries and time zones, which extension modules may have to load."""
    machine = f"{linux.MACHINE}-linux-gnu"
    folders = (f"/lib/{machine}", f"/usr/lib/{machine}", "/usr/share/zoneinfo")
    return sorted({os.path.realpath(folder) for folder in folders if os.path.isdir(folder)})


def _mixed_folders() -> list[str]:
    """Folders that hold shared libraries and other files: of some systems, and of a Python that includes its own."""
    folders = ("/lib64", "/usr/lib64", *((f"{sys.base_prefix}/lib",) if sys.base_prefix != "/usr" else ()))
    return sorted({os.path.realpath(folder) for folder in folders if os.path.isdir(folder)})


def _bind_mounts(options: dict[str, Any]) -> list[str]:
    """The folders to mount below the new root, outer ones before inner ones."""
    paths = {os.path.realpath(path) for path in sys.path if os.path.isdir(path)}
    paths |= (
        set(_libraries()) | set(_mixed_folders()) | set(_numpy(options)) | {os.path.dirname(os.path.abspath(__file__))}
    )
    # Paths that are symbolic links must exist under both names.
    paths |= {path for path in sys.path if os.path.isdir(path)}
    return sorted(paths)


def _numpy(options: dict[str, Any]) -> list[str]:
    folder = options["numpy"]
    return [path for name in ("numpy", "numpy.libs") if folder and os.path.isdir(path := os.path.join(folder, name))]


def _readable_paths(options: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Paths that may be read and folders that may be listed: the standard library without installed packages.

    An installed package can contain the answers (such as this project's templates), so each entry is allowed by name.
    """
    mixed = [os.path.join(folder, name) for folder in _mixed_folders() for name in os.listdir(folder) if ".so" in name]
    readable = [*_libraries(), *(path for path in mixed if os.path.isfile(path)), *_numpy(options)]
    listed = []
    for path in sys.path:
        if not path or path == options["numpy"]:
            continue
        if os.path.isfile(path):
            readable.append(path)
        elif os.path.isdir(path):
            listed.append(path)
            readable += [os.path.join(path, name) for name in os.listdir(path) if name not in _INSTALLED_PACKAGES]
    return readable, listed


def _run_probes(options: dict[str, Any]) -> dict[str, bool]:
    """In a process that is confined like a solution, try what is forbidden; by probe, whether it was blocked."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, json.dumps(_probe(options)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    return {"seccomp": False, "fork": False, "signal": False, "socket": False, "write": False, "files": False,
            "alone": False, **json.loads(text or b"{}")}  # fmt: skip


def _probe(options: dict[str, Any]) -> dict[str, bool]:
    canary = namespaces.CANARY if options["namespaces"] else options["canary"]
    alone = os.getppid() == 1 and not os.path.exists(options["canary"]) and _no_network()
    set_limits(10, 4096, 1)
    try:
        load_seccomp_filter()
        loaded = True
    except OSError:
        loaded = False
    return {
        "seccomp": loaded,
        "alone": alone,
        "fork": _is_blocked(_fork),
        "signal": _is_blocked(lambda: os.kill(os.getppid(), 0)),
        "socket": _is_blocked(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).close()),
        "write": all([_is_blocked(lambda: open(options["canary"] + ".written", "w").close()),
                      _is_blocked(lambda: open(canary, "r+").close()),
                      _is_blocked(lambda: open(json.__file__, "r+").close())]),
        "files": _is_blocked(lambda: open(canary).close()),
    }  # fmt: skip


def _no_network() -> bool:
    """Whether there is no network interface but the loopback."""
    try:
        return {name for _, name in socket.if_nameindex()} <= {"lo"}
    except OSError as error:
        return error.errno in (errno.EPERM, errno.EACCES)


def _fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _is_blocked(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return True
    return False
