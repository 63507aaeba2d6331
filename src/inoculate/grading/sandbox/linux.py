"""The kernel's security features, called through ctypes: seccomp, Landlock and capabilities."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from typing import Any

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS, EROFS = 1, 38, 30

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38

X86, ARM = "x86_64", "aarch64"
MACHINE = platform.machine()
_AUDIT_ARCH = {X86: 0xC000003E, ARM: 0xC00000B7}

# Allowed with any arguments: numbers on x86-64 and on aarch64 (None where there is no such call).
# Nothing here can make a process, change a file that is not open, reach a network or signal anybody.
_ALWAYS: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "mmap": (9, 222), "munmap": (11, 215), "futex": (202, 98),
    "brk": (12, 214), "newfstatat": (262, 79), "fstat": (5, 80), "lseek": (8, 62), "stat": (4, None), "lstat": (6,
    None),
    "mprotect": (10, 226), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "pread64": (17, 67), "pwrite64": (18, 68), "readv": (19, 65), "writev": (20, 66), "preadv": (295, 69),
    "pwritev": (296, 70), "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439), "pipe": (22, None),
    "pipe2": (293, 59), "select": (23, None), "pselect6": (270, 72), "poll": (7, None), "ppoll": (271, 73),
    "sched_yield": (24, 124), "mremap": (25, 216), "msync": (26, 227), "mincore": (27, 232), "madvise": (28, 233),
    "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24), "pause": (34, None), "nanosleep": (35, 101),
    "getitimer": (36, 102), "setitimer": (38, 103), "alarm": (37, None), "getpid": (39, 172), "gettid": (186, 178),
    "getppid": (110, 173), "getuid": (102, 174), "getgid": (104, 176), "geteuid": (107, 175), "getegid": (108, 177),
    "getgroups": (115, 158), "getresuid": (118, 148), "getresgid": (120, 150), "getpgid": (121, 155),
    "getsid": (124, 156), "getpgrp": (111, None), "sendto": (44, 206), "recvfrom": (45, 207), "sendmsg": (46, 211),
    "recvmsg": (47, 212), "shutdown": (48, 210), "getsockname": (51, 204), "getpeername": (52, 205),
    "getsockopt": (55, 209), "exit": (60, 93), "exit_group": (231, 94), "wait4": (61, 260), "waitid": (247, 95),
    "uname": (63, 160), "getdents": (78, None), "getdents64": (217, 61), "getcwd": (79, 17), "readlink": (89, None),
    "readlinkat": (267, 78), "statx": (332, 291), "statfs": (137, 43), "fstatfs": (138, 44), "gettimeofday": (96, 169),
    "time": (201, None), "clock_gettime": (228, 113), "clock_getres": (229, 114), "clock_nanosleep": (230, 115),
    "getrlimit": (97, 163), "getrusage": (98, 165), "times": (100, 153), "sysinfo": (99, 179), "sigaltstack": (131,
    132),
    "rt_sigpending": (127, 136), "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133), "arch_prctl": (158, None),
    "sched_getaffinity": (204, 123), "getcpu": (309, 168), "epoll_create": (213, None), "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21), "epoll_wait": (232, None), "epoll_pwait": (281, 22), "epoll_pwait2": (441, 441),
    "eventfd2": (290, 19), "set_tid_address": (218, 96), "restart_syscall": (219, 128), "set_robust_list": (273, 99),
    "get_robust_list": (274, 100), "getrandom": (318, 278), "membarrier": (324, 283), "rseq": (334, 293),
    "close_range": (436, 436), "fsync": (74, 82), "fdatasync": (75, 83), "chdir": (80, 49), "fchdir": (81, 50),
}  # fmt: skip

# Allowed with Landlock, which restricts where: the calls that files in a scratch folder need. Never changes of modes,
# owners or times, which Landlock does not cover, and no links.
_WRITES: dict[str, tuple[int | None, int | None]] = {
    "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "unlink": (87, None), "unlinkat": (263, 35),
    "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "ftruncate": (77, 46),
}  # fmt: skip

# Allowed depending on their arguments.
_BY_ARGUMENT: dict[str, tuple[int | None, int | None]] = {
    "open": (2, None), "openat": (257, 56), "clone": (56, 220), "ioctl": (16, 29), "fcntl": (72, 25),
    "socketpair": (53, 199), "prlimit64": (302, 261), "clone3": (435, 435), "openat2": (437, 437), "prctl": (157, 167),
}  # fmt: skip

_IOCTLS = (0x5421, 0x5450, 0x5451, 0x541B, 0x5401)  # FIONBIO, FIONCLEX, FIOCLEX, FIONREAD, TCGETS
_FCNTLS = (0, 1, 2, 3, 4, 1030)  # duplicate a descriptor, its flags; never F_SETOWN, which sends signals
_WRITING = (
    os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | 0o20000000
)  # the last: the bit of O_TMPFILE alone
_TO_WRITE = os.O_WRONLY | os.O_RDWR
_CLONE_THREAD, _CLONE_NAMESPACES = 0x10000, 0x7E020080


def libc() -> Any:
    """The C library of this process."""
    return ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> int:
    """The result of a C call, or its error as an OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _op(code: int, constant: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, constant & 0xFFFFFFFF)


def _load(offset: int) -> bytes:
    return _op(0x20, offset)


def _argument(index: int, high: bool = False) -> bytes:
    return _load(16 + 8 * index + (4 if high else 0))


def _return(action: int) -> bytes:
    return _op(0x06, action)


def _equal(constant: int, yes: int, no: int) -> bytes:
    return _op(0x15, constant, yes, no)


def _any_bit(constant: int, yes: int, no: int) -> bytes:
    return _op(0x45, constant, yes, no)


def _one_of(index: int, allowed: tuple[int, ...]) -> list[bytes]:
    """Allowed if the argument is one of these values."""
    lines = [_argument(index)]
    lines += [_equal(value, len(allowed) - position, 0) for position, value in enumerate(allowed)]
    return [*lines, _return(ERRNO | EPERM), _return(ALLOW)]


def _opening(index: int, writing: bool) -> list[bytes]:
    """Reading only; or writing too, if O_WRONLY or O_RDWR is set: early Landlock lets O_TRUNC alone pass."""
    lines = [_argument(index), _any_bit(_WRITING, 0, 1), _return(ERRNO | EROFS), _return(ALLOW)]
    return [_argument(index), _any_bit(_TO_WRITE, 0, 1), _return(ALLOW), *lines[1:]] if writing else lines


def _argument_rules(writing: bool) -> dict[str, list[bytes]]:
    deny, allow = _return(ERRNO | EPERM), _return(ALLOW)
    return {
        "open": _opening(1, writing),
        "openat": _opening(2, writing),
        "ioctl": _one_of(1, _IOCTLS),
        "fcntl": _one_of(1, _FCNTLS),
        "prctl": _one_of(0, (15, 16)),  # the name of a thread
        # Threads, not processes. glibc falls back from clone3, whose flags are in memory that a filter cannot read.
        "clone": [_argument(0), _any_bit(_CLONE_NAMESPACES, 2, 0), _any_bit(_CLONE_THREAD, 0, 1), allow, deny],
        "clone3": [_return(ERRNO | ENOSYS)],
        "openat2": [_return(ERRNO | ENOSYS)],
        # A stream pair for asyncio; a datagram pair could send to any socket that has a path.
        "socketpair": [_argument(0), _equal(1, 0, 4), _argument(1), _op(0x54, 0xF), _equal(1, 0, 1), allow, deny],
        # Reading its own limits only: both halves of the pointer to new limits have to be zero.
        "prlimit64": [_argument(0), _equal(0, 0, 5), _argument(2), _equal(0, 0, 3), _argument(2, True), _equal(0, 0, 1),
                      allow, deny],
    }  # fmt: skip


def allow_list(*, writing: bool, machine: str = MACHINE) -> bytes:
    """The seccomp program of a job process.

    Args:
        writing: Whether files may be written, created and removed, because Landlock restricts where.
        machine: The processor.

    Raises:
        OSError: There is no table of system calls for this machine.
    """
    if machine not in _AUDIT_ARCH:
        raise OSError(ENOSYS, f"no table of system calls for {machine}")
    column = 0 if machine == X86 else 1
    lines = [_load(4), _equal(_AUDIT_ARCH[machine], 1, 0), _return(KILL), _load(0)]
    if machine == X86:
        lines += [_op(0x35, 0x40000000, 0, 1), _return(ERRNO | ENOSYS)]  # the x32 numbers of the same calls
    blocks = {_BY_ARGUMENT[name][column]: block for name, block in _argument_rules(writing).items()}
    plain = {numbers[column] for numbers in (_ALWAYS | _WRITES if writing else _ALWAYS).values()}
    rules = {number: [_return(ALLOW)] for number in plain} | blocks
    lines += _binary_search([(number, block) for number, block in sorted(_ranges(rules).items())])
    return b"".join(lines)


def _ranges(rules: dict[int | None, list[bytes]]) -> dict[int, list[bytes]]:
    """Ranges of call numbers with the same rule: by the first number of each range."""
    deny = [_return(ERRNO | EPERM)]
    ranges: dict[int, list[bytes]] = {0: deny}
    current = deny
    for number in range(0, max(number for number in rules if number is not None) + 2):
        block = rules.get(number, deny)
        if block != current:
            ranges[number], current = block, block
    return ranges


def _binary_search(ranges: list[tuple[int, list[bytes]]]) -> list[bytes]:
    """A binary search for the rule of a number.

    The kernel runs the program for every number when it is loaded: a chain of comparisons took .5 ms per job process.
    """
    if len(ranges) == 1:
        return ranges[0][1]
    middle = len(ranges) // 2
    below, above = _binary_search(ranges[:middle]), _binary_search(ranges[middle:])
    if len(below) <= 255:
        return [_op(0x35, ranges[middle][0], len(below), 0), *below, *above]
    return [_op(0x35, ranges[middle][0], 0, 1), _op(0x05, len(below)), *below, *above]


class Filter:
    """A seccomp program, prepared so that a job process only has to load it."""

    def __init__(self, program: bytes) -> None:
        """Prepare a program."""

        class Program(ctypes.Structure):
            _fields_ = (("count", ctypes.c_ushort), ("lines", ctypes.c_void_p))

        self._lines = ctypes.create_string_buffer(program, len(program))
        self._program = Program(len(program) // 8, ctypes.addressof(self._lines))
        self._libc = libc()

    def load(self) -> None:
        """Apply the program to this process, irrevocably.

        Raises:
            OSError: The kernel refused.
        """
        check(self._libc.prctl(PR_SET_SECCOMP, 2, ctypes.byref(self._program), 0, 0), "seccomp")


_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# Rights to write files, remove and create folders and files, move files between folders, and truncate files.
_SCRATCH = _READ_FILE | _READ_DIR | 1 << 1 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 13 | 1 << 14
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # number of rights on files that each version handles


def landlock(readable: list[str], listed: list[str], scratch: str) -> int:
    """Deny this process all files but those listed, all networks, and signals to other processes.

    Args:
        readable: Files that may be read, and folders that may be read with everything below them.
        listed: Folders that may be listed, with those below them.
        scratch: A folder in which files may be written; '' for none.

    Returns:
        The version of Landlock that the kernel has.

    Raises:
        OSError: There is no Landlock here.
    """
    call = libc().syscall
    version = check(call(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1), "landlock")
    rights = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    # Networks from version 4, abstract sockets and signals from version 6.
    rules = struct.pack("QQQ", rights, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules_buffer = ctypes.create_string_buffer(rules, 24)
    ruleset = check(call(_LANDLOCK_CREATE, rules_buffer, ctypes.c_size_t(size), 0), "landlock ruleset")
    written = [scratch] if scratch else []
    for paths, allowed in ((readable, _READ_FILE | _READ_DIR), (listed, _READ_DIR), (written, _SCRATCH & rights)):
        for path in paths:
            _allow(call, ruleset, path, allowed)
    check(call(_LANDLOCK_RESTRICT, ruleset, 0), "landlock restriction")
    os.close(ruleset)
    return version


def _allow(call: Any, ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not there, so nothing to allow
    try:
        if not os.path.isdir(path):
            rights &= ~_READ_DIR
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, descriptor), 12)
        check(call(_LANDLOCK_ADD, ruleset, 1, rule, 0), f"landlock rule for {path}")
    finally:
        os.close(descriptor)


def drop_capabilities() -> None:
    """Drop every capability, so that user 0 has no privileges."""
    library = libc()
    for capability in range(64):
        library.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = ctypes.create_string_buffer(struct.pack("Ii", 0x20080522, 0), 8)
    nothing = ctypes.create_string_buffer(24)
    check(library.capset(header, nothing), "capset")
