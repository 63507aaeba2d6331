"""Closing the box around a worker and its children, and trying each wall by walking into it."""

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

from inoculate.grading.sandbox import namespaces, system

NOBODY = 65533  # no user of the usual systems has this number, so no process and no file is theirs

_FOREIGN = ("site-packages", "dist-packages")

_filter: system.Filter | None = None


def limit(cpu: float, memory_mb: int, output_mb: int) -> None:
    """Set the limits of a child. Its processor time is watched from outside too, more finely than in whole seconds."""
    seconds, memory, output = int(cpu) + 2, memory_mb << 20, output_mb << 20
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (output, output))
    with contextlib.suppress(ValueError, OSError):  # not to be had everywhere
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _limit_always() -> None:
    """Set the limits that are the same for a worker and for all its children."""
    for name, value in (("NOFILE", 64), ("CORE", 0), ("MEMLOCK", 0)):
        with contextlib.suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    # Ending at the file limit by a signal would look like a crash; Python turns the error into an OSError instead.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def forbid() -> None:
    """Put a child under the allow-list of system calls, for good.

    Raises:
        OSError: There is no such list for this machine, or the kernel refused it.
    """
    if _filter is None:
        raise OSError(errno.ENOSYS, "no list of system calls")
    _filter.load()


def enclose(options: dict[str, Any]) -> dict[str, Any]:
    """The first half, before the usual modules are loaded: namespaces, another user, no way back to privileges.

    Returns:
        What was reached.

    Raises:
        OSError: Namespaces were asked for and the kernel refused them.
    """
    reached: dict[str, Any] = {"namespaces": False, "uid": os.getuid(), "notes": [], "scratch": ""}
    if sys.platform != "linux":
        _enter_scratch(options, reached)
        return reached
    library = system.libc()
    if options["namespaces"]:
        namespaces.enter()
        namespaces.new_root(_bound(options))
        reached["namespaces"] = True
    library.prctl(system.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.geteuid() == 0:
        _become_nobody(reached)
    _enter_scratch(options, reached)
    try:
        system.drop_capabilities()
    except OSError as error:
        reached["notes"].append(f"capabilities kept: {error}")
    library.prctl(system.PR_SET_DUMPABLE, 0, 0, 0, 0)
    system.check(library.prctl(system.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    return reached


def _become_nobody(reached: dict[str, Any]) -> None:
    """Change to a user who owns nothing, unless that user could not load Python (an interpreter below /root)."""
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
    """Go to the folder in which solutions may write; the children are born there."""
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


def close(options: dict[str, Any], scratch: str) -> dict[str, Any]:
    """The second half: Landlock, then every wall is tried, and what held decides the level.

    Args:
        options: Of the worker.
        scratch: The folder in which solutions may write; '' for none.

    Returns:
        `level` and the tries it rests on.
    """
    global _filter
    version, notes = 0, []
    if sys.platform == "linux":
        try:
            version = system.landlock(*_permitted(options), scratch)
        except OSError as error:
            notes.append(f"no Landlock: {error}")
        try:
            # Made once; a child only has to load it. Without Landlock nothing would say where files may be written.
            _filter = system.Filter(system.allow_list(writing=bool(version and scratch)))
        except OSError as error:
            notes.append(f"no seccomp: {error}")
        if scratch and not version and _filter:
            notes.append("no scratch folder, so solutions cannot write files: only Landlock could say where")
    _limit_always()
    walls = _try_walls(options)
    level = "rlimits"
    if all(walls[name] for name in ("seccomp", "fork", "signal", "socket", "write")):
        level = "landlock-seccomp" if version and walls["files"] else "seccomp"
        if level == "landlock-seccomp" and options["namespaces"] and walls["alone"]:
            level = "full"
    return {"level": level, "landlock": version, "walls": walls, "closing_notes": notes}


def _libraries() -> list[str]:
    """Folders of shared libraries and of time zones: what an extension module may still have to load."""
    machine = f"{system.MACHINE}-linux-gnu"
    folders = (f"/lib/{machine}", f"/usr/lib/{machine}", "/usr/share/zoneinfo")
    return sorted({os.path.realpath(folder) for folder in folders if os.path.isdir(folder)})


def _mixed_folders() -> list[str]:
    """Folders where shared libraries lie beside other things: of some systems, and of a Python that brings its own."""
    folders = ("/lib64", "/usr/lib64", *((f"{sys.base_prefix}/lib",) if sys.base_prefix != "/usr" else ()))
    return sorted({os.path.realpath(folder) for folder in folders if os.path.isdir(folder)})


def _bound(options: dict[str, Any]) -> list[str]:
    """The folders that the new root holds, outer ones before inner ones."""
    paths = {os.path.realpath(path) for path in sys.path if os.path.isdir(path)}
    paths |= (
        set(_libraries()) | set(_mixed_folders()) | set(_numpy(options)) | {os.path.dirname(os.path.abspath(__file__))}
    )
    # Names that are links on the way to a module must exist under both.
    paths |= {path for path in sys.path if os.path.isdir(path)}
    return sorted(paths)


def _numpy(options: dict[str, Any]) -> list[str]:
    folder = options["numpy"]
    return [path for name in ("numpy", "numpy.libs") if folder and os.path.isdir(path := os.path.join(folder, name))]


def _permitted(options: dict[str, Any]) -> tuple[list[str], list[str]]:
    """What may be read, and what may be listed: the standard library without what is installed into it.

    An installed package can hold the answers (this very project's templates), so each entry is permitted by name.
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
            readable += [os.path.join(path, name) for name in os.listdir(path) if name not in _FOREIGN]
    return readable, listed


def _try_walls(options: dict[str, Any]) -> dict[str, bool]:
    """In a child that is confined as a solution will be: try to do harm, and report what did not work."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, json.dumps(_walls(options)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    return {"seccomp": False, "fork": False, "signal": False, "socket": False, "write": False, "files": False,
            "alone": False, **json.loads(text or b"{}")}  # fmt: skip


def _walls(options: dict[str, Any]) -> dict[str, bool]:
    canary = namespaces.CANARY if options["namespaces"] else options["canary"]
    alone = os.getppid() == 1 and not os.path.exists(options["canary"]) and _no_network()
    limit(10, 4096, 1)
    try:
        forbid()
        loaded = True
    except OSError:
        loaded = False
    return {
        "seccomp": loaded,
        "alone": alone,
        "fork": _held(_fork),
        "signal": _held(lambda: os.kill(os.getppid(), 0)),
        "socket": _held(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).close()),
        "write": all([_held(lambda: open(options["canary"] + ".written", "w").close()),
                      _held(lambda: open(canary, "r+").close()), _held(lambda: open(json.__file__, "r+").close())]),
        "files": _held(lambda: open(canary).close()),
    }  # fmt: skip


def _no_network() -> bool:
    """Whether there is no interface but the loopback of a network of our own."""
    try:
        return {name for _, name in socket.if_nameindex()} <= {"lo"}
    except OSError as error:
        return error.errno in (errno.EPERM, errno.EACCES)


def _fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _held(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return True
    return False
