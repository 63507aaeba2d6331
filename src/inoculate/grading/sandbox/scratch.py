"""The scratch folder, in which a solution may write: it is empty when a check begins, and is emptied after it.

It is the working directory of a worker and of its job processes, so no function here needs a path.
"""

from __future__ import annotations

import os

MAX_BYTES = 32 << 20
MAX_FILES = 256
"""Files and folders together. In a file system of its own, the kernel limits them; elsewhere `too_much` checks."""

_MAX_STEPS = 100_000


def empty() -> None:
    """Remove everything in the working directory, at any depth: each folder is emptied from inside.

    Raises:
        OSError: Something in it cannot be removed.
    """
    depth = 0
    for _ in range(_MAX_STEPS):
        inner = ""
        for name in os.listdir():
            if not _removed(name):
                inner = name
        if inner:
            os.chmod(inner, 0o700)
            os.chdir(inner)
            depth += 1
        elif depth:
            os.chdir("..")
            depth -= 1
        else:
            return
    raise OSError("the scratch folder cannot be emptied")


def _removed(name: str) -> bool:
    for remove in (os.unlink, os.rmdir):
        try:
            remove(name)
            return True
        except OSError:
            continue
    return False


def too_much() -> bool:
    """Whether the working directory exceeds the limits."""
    count, size, folders = 0, 0, ["."]
    while folders and count <= MAX_FILES and size <= MAX_BYTES:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    count += 1
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue  # removed meanwhile, or not readable by anybody
    return count > MAX_FILES or size > MAX_BYTES
