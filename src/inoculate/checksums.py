"""Checksums of the files of a finished step, in a file beside them that `sha256sum --check` reads; and of a manifest.

They find what a disk, a network or a hand has changed since the step was written. They are no protection against
somebody who means to deceive: who can change a file can change its checksum too.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

NAME = "SHA256SUMS"


def write(folder: Path) -> None:
    """Write the checksums of all files of a folder.

    Args:
        folder: A step whose files are all written; what it had of checksums is replaced.
    """
    (folder / NAME).unlink(missing_ok=True)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{_digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / NAME).write_text("".join(lines), encoding="utf-8")


def read(folder: Path) -> dict[str, str]:
    """The checksums of a folder: path of each file in it -> SHA-256.

    Raises:
        ValueError: The file of checksums is not one.
        OSError: It is not there, or cannot be read.
    """
    text = (folder / NAME).read_text(encoding="utf-8")
    sums = {}
    for line in text.splitlines():
        digest, mark, name = line.partition("  ")
        if not mark or len(digest) != 64 or name.startswith("/") or ".." in name.split("/"):
            raise ValueError(f"{folder / NAME}: not a line of checksums: {line!r}")
        sums[name] = digest
    if not sums or not text.endswith("\n"):
        raise ValueError(f"{folder / NAME}: cut off")
    return sums


def find_damage(folder: Path, *, deep: bool = True) -> str:
    """What is wrong with the files of a finished step.

    Args:
        folder: The step.
        deep: Whether files in its subfolders (adapters) are read too, and not those of the folder alone.

    Returns:
        A file and what is wrong with it; '' where nothing is.
    """
    try:
        sums = read(folder)
    except FileNotFoundError:
        return f"{NAME} is missing"
    except (ValueError, OSError):
        return f"{NAME} cannot be read"
    for name, digest in sums.items():
        if not deep and "/" in name:
            continue
        try:
            found = _digest(folder / name)
        except OSError as error:
            return f"{name} cannot be read ({error.strerror})"
        if found != digest:
            return f"{name} is not what was written: its checksum is another"
    return ""


def find_new_damage(folder: Path) -> str:
    """As `find_damage` for the files of the folder alone, which are not read again where nothing has touched them.

    Files are taken to be as they were found whole where name, size, inode and both times (of the content and of the
    inode) are the same. Whoever writes to a file changes a time, and cannot set that of the inode. A disk that loses
    bits by itself changes none: this is for what is often asked, `find_damage` for what is to be sure.

    Args:
        folder: The step, `steps/<kind>/<key>` of a store; how its files looked is kept in `checked/<kind>/<key>` there.
            A folder that is no store's has no checksums, and is taken as it is; one that is not there has no damage.
    """
    if folder.parents[1].name != "steps" or not folder.exists():
        return ""
    note = folder.parents[2] / "checked" / folder.parent.name / folder.name
    try:
        looks = _looks(folder)
        if note.is_file() and note.read_text(encoding="utf-8") == looks:
            return ""
    except (OSError, ValueError):
        looks = ""
    damage = find_damage(folder, deep=False)
    if looks and not damage:
        with suppress(OSError):  # in a store that can only be read, they are read each time
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(looks, encoding="utf-8")
    return damage


def _looks(folder: Path) -> str:
    """What the file system says of the files of a folder; taken before they are read."""
    lines = []
    for path in sorted(folder.iterdir()):
        stat = path.stat()
        lines.append(f"{path.name} {stat.st_size} {stat.st_ino} {stat.st_mtime_ns} {stat.st_ctime_ns}\n")
    return "".join(lines)


def seal(document: dict[str, Any]) -> dict[str, Any]:
    """A JSON document with a digest of all that it says."""
    return {**document, "digest": _digest_of(document)}


def is_sealed(document: dict[str, Any]) -> bool:
    """Whether a document says what was written; one of a version that wrote no digest is taken as it is."""
    return "digest" not in document or document["digest"] == _digest_of(document)


def _digest_of(document: dict[str, Any]) -> str:
    said = {key: value for key, value in document.items() if key != "digest"}
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
