"""The allowlist of system calls on both processors: the program that the kernel is given is run here, step by step."""

from __future__ import annotations

import functools
import os
import struct

import pytest

from inoculate.grading.sandbox import linux

ALLOWED, EPERM, ENOSYS, EROFS, KILLED = (
    linux.ALLOW, linux.ERRNO | 1, linux.ERRNO | 38, linux.ERRNO | 30, linux.KILL,
)  # fmt: skip
ARCHITECTURE = {linux.X86: 0xC000003E, linux.ARM: 0xC00000B7}  # AUDIT_ARCH_X86_64 and _AARCH64 of linux/audit.h

# Numbers from Linux's arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h (aarch64's).
FORBIDDEN: dict[str, tuple[int | None, int | None]] = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281), "kill": (62, 129),
    "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "process_madvise": (440, 440), "socket": (41, 198),
    "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202), "accept4": (288, 242),
    "mount": (165, 40), "umount2": (166, 39), "move_mount": (429, 429), "open_tree": (428, 428), "unshare": (272, 97),
    "setns": (308, 268), "chroot": (161, 51), "pivot_root": (155, 41), "bpf": (321, 280), "userfaultfd": (323, 282),
    "perf_event_open": (298, 241), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "memfd_create": (319, 279),
    "keyctl": (250, 219), "add_key": (248, 217), "init_module": (175, 105), "finit_module": (313, 273),
    "reboot": (169, 142), "setuid": (105, 146), "setgid": (106, 144), "setresuid": (117, 147), "capset": (126, 91),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, None), "fchownat": (260, 54),
    "utimensat": (280, 88), "truncate": (76, 45), "link": (86, None), "linkat": (265, 37), "symlink": (88, None),
    "symlinkat": (266, 36), "mknod": (133, None), "mknodat": (259, 33), "creat": (85, None), "setxattr": (188, 5),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "setrlimit": (160, 164), "seccomp": (317, 277),
    "shmget": (29, 194), "shmat": (30, 196), "msgget": (68, 186), "mq_open": (240, 180), "setpriority": (141, 140),
    "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "setpgid": (109, 154), "setsid": (112, 157),
    "personality": (135, 92), "landlock_create_ruleset": (444, 444), "fallocate": (285, 47), "flock": (73, 32),
}  # fmt: skip
OPENAT, CLONE, IOCTL, FCNTL, SOCKETPAIR, PRLIMIT, PRCTL = (
    (257, 56), (56, 220), (16, 29), (72, 25), (53, 199), (302, 261), (157, 167),
)  # fmt: skip
READ, WRITE, EXIT_GROUP, FUTEX, UNLINKAT, MKDIRAT, RENAMEAT2, FTRUNCATE = (
    (0, 63), (1, 64), (231, 94), (202, 98), (263, 35), (258, 34), (316, 276), (77, 46),
)  # fmt: skip
HIGH = 1 << 32


allow_list = functools.cache(linux.allow_list)


def run(program: bytes, number: int, *arguments: int, architecture: int) -> int:
    """What a classic BPF program returns; fails on an operation or a jump that the kernel would refuse."""
    data = struct.pack("<iIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    lines = list(struct.iter_unpack("HBBI", program))
    position = accumulator = 0
    while True:
        code, yes, no, constant = lines[position]
        position += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, constant)
        elif code == 0x54:
            accumulator &= constant
        elif code == 0x05:
            position += constant
        elif code == 0x06:
            return constant
        else:
            holds = {0x15: accumulator == constant, 0x35: accumulator >= constant, 0x45: accumulator & constant != 0}
            position += yes if holds[code] else no


@pytest.fixture(params=[linux.X86, linux.ARM])
def machine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=[False, True])
def writing(request: pytest.FixtureRequest) -> bool:
    return request.param


def action(machine: str, numbers: tuple[int | None, int | None], *arguments: int, writing: bool = False) -> int:
    number = numbers[machine == linux.ARM]
    assert number is not None
    program = allow_list(writing=writing, machine=machine)
    return run(program, number, *arguments, architecture=ARCHITECTURE[machine])


def test_the_program_is_valid_for_the_kernel(machine: str, writing: bool) -> None:
    program = linux.allow_list(writing=writing, machine=machine)
    assert len(program) % 8 == 0
    assert len(program) // 8 <= 4096


def test_harmful_calls_are_forbidden(machine: str, writing: bool) -> None:
    column = machine == linux.ARM
    for name, numbers in FORBIDDEN.items():
        if numbers[column] is not None:
            for arguments in ((), (0, 0, 0, 0, 0, 0), (1, 1, 1, 1, 1, 1)):
                assert action(machine, numbers, *arguments, writing=writing) == EPERM, name


def test_only_calls_in_the_tables_are_allowed(machine: str, writing: bool) -> None:
    column = machine == linux.ARM
    tables = [linux._ALWAYS, linux._BY_ARGUMENT] + ([linux._WRITES] if writing else [])
    known = {numbers[column] for table in tables for numbers in table.values()}
    assert not known & {numbers[column] for numbers in FORBIDDEN.values()} - {None}
    plain = known - {numbers[column] for numbers in linux._BY_ARGUMENT.values()}
    program = linux.allow_list(writing=writing, machine=machine)
    for number in [*range(1200), 1 << 20, (1 << 30) - 1]:
        if number not in known or number in plain:
            found = run(program, number, architecture=ARCHITECTURE[machine])
            assert found == (ALLOWED if number in plain else EPERM), number


def test_other_architectures_are_refused(machine: str) -> None:
    program = linux.allow_list(writing=False, machine=machine)
    for architecture in (0x40000003, 0x40000028, *ARCHITECTURE.values(), 0):  # i386 and arm32 among them
        if architecture != ARCHITECTURE[machine]:
            assert {run(program, n, architecture=architecture) for n in range(500)} == {KILLED}
    if machine == linux.X86:
        assert {run(program, 0x40000000 | n, architecture=ARCHITECTURE[machine]) for n in range(600)} == {ENOSYS}


def test_calls_that_programs_need_are_allowed(machine: str) -> None:
    for numbers in (READ, WRITE, EXIT_GROUP, FUTEX):
        assert action(machine, numbers) == ALLOWED
    threads = 0x3D0F00  # what glibc's pthread_create asks of clone
    assert action(machine, CLONE, threads) == ALLOWED
    assert action(machine, (435, 435), 1) == ENOSYS
    assert action(machine, SOCKETPAIR, 1, 1 | 0o2000000 | 0o4000) == ALLOWED
    assert action(machine, PRLIMIT, 0, 7, 0, 1) == ALLOWED
    assert action(machine, IOCTL, 1, 0x5401) == ALLOWED


def test_arguments_are_checked(machine: str) -> None:
    for flags in (17, 0x01200011, 0x4111, 0x100, 0, 0x3D0F00 | 0x10000000, 0x3D0F00 | 0x20000000):
        assert action(machine, CLONE, flags) == EPERM, hex(flags)
    assert action(machine, IOCTL, 0, 0x5412) == EPERM  # TIOCSTI
    for command in (5, 6, 7, 8, 10, 15, 1024, 1031, 1033):
        assert action(machine, FCNTL, 3, command) == EPERM
    for family, kind in ((1, 2), (1, 5), (2, 1), (16, 3), (10, 1)):
        assert action(machine, SOCKETPAIR, family, kind) == EPERM
    for arguments in ((1, 7, 0, 1), (0, 7, 1, 0), (0, 7, HIGH, 0), (0, 7, 7 * HIGH, 0)):
        assert action(machine, PRLIMIT, *arguments) == EPERM
    for option in (1, 4, 22, 24, 36, 38, 0x53564D41):
        assert action(machine, PRCTL, option) == EPERM


def test_writing(machine: str) -> None:
    read = (0, os.O_CLOEXEC, os.O_DIRECTORY, os.O_NOFOLLOW)
    write = (os.O_WRONLY | os.O_CREAT | os.O_TRUNC, os.O_RDWR, os.O_RDWR | os.O_CREAT | os.O_EXCL,
             os.O_WRONLY | os.O_APPEND, os.O_RDWR | 0o20000000)  # fmt: skip
    never = (os.O_TRUNC, os.O_CREAT, os.O_CREAT | os.O_TRUNC, os.O_APPEND, 0o20000000)
    for allowed in (False, True):
        for flags in read:
            assert action(machine, OPENAT, 0, 0, flags, writing=allowed) == ALLOWED
        for flags in write:
            assert action(machine, OPENAT, 0, 0, flags, writing=allowed) == (ALLOWED if allowed else EROFS)
        for flags in never:
            assert action(machine, OPENAT, 0, 0, flags, writing=allowed) == EROFS
        for numbers in (UNLINKAT, MKDIRAT, RENAMEAT2, FTRUNCATE):
            assert action(machine, numbers, writing=allowed) == (ALLOWED if allowed else EPERM)
    if machine == linux.X86:
        assert action(machine, (2, None), 0, os.O_WRONLY, writing=True) == ALLOWED
        assert action(machine, (2, None), 0, os.O_WRONLY, writing=False) == EROFS


def test_other_processors_are_refused() -> None:
    with pytest.raises(OSError, match="no table of system calls for riscv64"):
        linux.allow_list(writing=False, machine="riscv64")
