"""Namespaces for a worker: its own process ids, its own network, and a root folder that contains only Python.

Optional beside Landlock and seccomp: containers and many clusters refuse namespaces.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from inoculate.grading.sandbox import scratch
from inoculate.grading.sandbox.linux import PR_SET_PDEATHSIG, check, libc

_USER, _MOUNT, _PID, _NET, _IPC, _UTS = 0x10000000, 0x20000, 0x20000000, 0x40000000, 0x8000000, 0x4000000
_READ_ONLY, _NO_SUID, _NO_DEV, _NO_EXEC, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_STAGE = "/proc"  # where the new root is built: every Linux has this folder, and nothing that we mount lies below it
SCRATCH = "/inoculate-scratch"
"""The scratch folder of the new root: a file system of its own, in memory and of bounded size."""
CANARY = "/inoculate-canary"
"""A file of the new root that no Landlock rule allows: only Landlock prevents reading it."""


def enter() -> None:
    """Move into new namespaces, as process 1 there.

    The calling process stays outside as a guard, which exits when the new one does. If the guard is killed, the kernel
    kills the new process too, and with it everything in its namespaces.

    Raises:
        OSError: The kernel refused.
    """
    library = libc()
    flags = _MOUNT | _PID | _NET | _IPC | _UTS
    if library.unshare(flags) < 0:
        user, group = os.getuid(), os.getgid()
        check(library.unshare(flags | _USER), "unshare")
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    inside = os.fork()
    if inside:
        os.closerange(3, 64)
        _, status = os.waitpid(inside, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    check(library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    if os.getppid() != 0:  # the guard is in the outer namespace, so its id reads as 0 here
        os._exit(1)


def new_root(paths: list[str]) -> None:
    """Create a root folder that contains these folders, read-only and under their own names, and a scratch folder.

    Raises:
        OSError: The kernel refused.
    """
    _mount("none", "/", None, _RECURSIVE | _PRIVATE)
    _mount("tmpfs", _STAGE, "tmpfs", _NO_SUID | _NO_DEV | _NO_EXEC, "size=1m,mode=755")
    for name in sorted(os.listdir("/")):
        if os.path.islink(f"/{name}"):  # /lib -> usr/lib: paths of the dynamic linker
            os.symlink(os.readlink(f"/{name}"), f"{_STAGE}/{name}")
    for path in paths:
        target = _STAGE + path
        os.makedirs(target, exist_ok=True)
        _mount(path, target, None, _BIND)
        kept = os.statvfs(target).f_flag & _NO_EXEC
        _mount("none", target, None, _BIND | _REMOUNT | _READ_ONLY | _NO_SUID | _NO_DEV | kept)
    with open(_STAGE + CANARY, "w") as file:
        file.write("secret")
    os.chmod(_STAGE + CANARY, 0o644)
    os.mkdir(_STAGE + SCRATCH)
    size = f"size={scratch.MAX_BYTES},nr_inodes={scratch.MAX_FILES},mode=1777"
    _mount("tmpfs", _STAGE + SCRATCH, "tmpfs", _NO_SUID | _NO_DEV | _NO_EXEC, size)
    os.chdir(_STAGE)
    library = libc()
    check(library.syscall(_PIVOT_ROOT[os.uname().machine], b".", b"."), "pivot_root")
    check(library.umount2(b".", _DETACH), "umount")
    os.chdir("/")
    _mount("none", "/", None, _BIND | _REMOUNT | _READ_ONLY | _NO_SUID | _NO_DEV | _NO_EXEC)
    sys.path_importer_cache.clear()


def _mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    library = libc()
    result = library.mount(source.encode(), target.encode(), kind.encode() if kind else None, ctypes.c_ulong(flags),
                           data.encode() or None)  # fmt: skip
    check(result, f"mount {target}")
