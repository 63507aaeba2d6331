"""The folder in which a solution may write: empty when a check begins, and emptied when it has ended.

It is the present folder of a worker and of its children, so none of this needs a path.
"""

from __future__ import annotations

import os

MOST_BYTES = 32 << 20
MOST_FILES = 256
"""Files and folders together. Where the folder is a file system of its own, the kernel counts; else `too_much` does."""

_MOST_ROUNDS = 100_000


def empty() -> None:
    """Remove all that is in the present folder, however deep it goes: each folder is emptied from within.

    Raises:
        OSError: Something in it cannot be removed.
    """
    depth = 0
    for _ in range(_MOST_ROUNDS):
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
    """Whether there is more in the present folder than there may be."""
    count, size, folders = 0, 0, ["."]
    while folders and count <= MOST_FILES and size <= MOST_BYTES:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    count += 1
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue  # gone meanwhile, or closed to everybody, its maker included
    return count > MOST_FILES or size > MOST_BYTES
