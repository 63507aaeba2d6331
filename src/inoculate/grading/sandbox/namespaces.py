"""A worker's own process numbers, network, and a root folder that holds nothing but Python: where the kernel lets us.

A bonus beside Landlock and seccomp, never a condition: containers and many clusters refuse namespaces.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from inoculate.grading.sandbox import scratch
from inoculate.grading.sandbox.system import PR_SET_PDEATHSIG, check, libc

_USER, _MOUNT, _PID, _NET, _IPC, _UTS = 0x10000000, 0x20000, 0x20000000, 0x40000000, 0x8000000, 0x4000000
_READ_ONLY, _NO_SUID, _NO_DEV, _NO_EXEC, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_STAGE = "/proc"  # hidden under the new root while that is built: every Linux has it and nothing we bind lies below it
SCRATCH = "/inoculate-scratch"
"""The folder of the new root in which solutions may write: a file system of its own, in memory and of bounded size."""
CANARY = "/inoculate-canary"
"""A file of the new root that no rule of Landlock permits: only Landlock keeps it from being read."""


def enter() -> None:
    """Move into namespaces of our own, as process number 1 there.

    The calling process stays behind as a guard that ends when the new one does; if the guard is killed, so is the new
    one, and with it everything in its namespaces.

    Raises:
        OSError: The kernel refused.
    """
    library = libc()
    wanted = _MOUNT | _PID | _NET | _IPC | _UTS
    if library.unshare(wanted) < 0:
        user, group = os.getuid(), os.getgid()
        check(library.unshare(wanted | _USER), "unshare")
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    inside = os.fork()
    if inside:
        os.closerange(3, 64)
        _, status = os.waitpid(inside, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    check(library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    if os.getppid() != 0:  # the guard lives in the namespace outside, where it has no number for us
        os._exit(1)


def new_root(paths: list[str]) -> None:
    """Make a root folder that holds these folders, read-only, under their own names, and an empty one to write in.

    Raises:
        OSError: The kernel refused.
    """
    _mount("none", "/", None, _RECURSIVE | _PRIVATE)
    _mount("tmpfs", _STAGE, "tmpfs", _NO_SUID | _NO_DEV | _NO_EXEC, "size=1m,mode=755")
    for name in sorted(os.listdir("/")):
        if os.path.islink(f"/{name}"):  # /lib -> usr/lib: the dynamic linker's own names
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
    size = f"size={scratch.MOST_BYTES},nr_inodes={scratch.MOST_FILES},mode=1777"
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
