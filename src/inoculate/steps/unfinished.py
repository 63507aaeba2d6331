"""Completions that a sampling step has drawn so far: an interrupted step goes on with the others.

Each line is a batch, with what has drawn it, and has a checksum before its JSON. A line that a full disk or a kill has
cut off, or that a disk has changed, is left out, and its completions are drawn again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from inoculate.records import write_whole

FILE = "drawn.jsonl"
"""Its name in the folder of a step in progress; removed once the step has written all completions."""
Drawn = TypeVar("Drawn")


def keep(path: Path, batch: Sequence[Any], engine: dict[str, Any] | None = None) -> None:
    """Add completions: a kill after this does not lose them.

    Args:
        path: The file.
        batch: The completions.
        engine: What has drawn them, where the step says so.
    """
    with path.open("a", encoding="utf-8") as out:
        out.write(_line(json.dumps({"engine": engine, "drawn": [asdict(one) for one in batch]}, allow_nan=False)))


def read(path: Path, record: type[Drawn]) -> list[Drawn]:
    """What was kept, in order; what is not whole is removed.

    Args:
        path: The file; none is there before anything is kept.
        record: A dataclass, without further records in it.
    """
    return [record(**_with_tuples(one)) for batch in _batches(path) for one in batch["drawn"]]


def engines(path: Path) -> list[dict[str, Any]]:
    """What has drawn what was kept, each once: when a step is resumed, it may be another.

    Args:
        path: As for `read`.
    """
    known = list[dict[str, Any]]()
    for batch in _batches(path):
        if batch["engine"] not in known:
            known.append(batch["engine"])
    return known


def _batches(path: Path) -> list[dict[str, Any]]:
    """The lines that are whole; others are removed, and so are those of versions that did not write the engine here."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8", errors="replace")
    whole = [
        line
        for line in text.splitlines(keepends=True)
        if line == _line(batch := line.partition(" ")[2].removesuffix("\n")) and batch.startswith("{")
    ]
    if len("".join(whole)) < len(text):
        write_whole(path, "".join(whole))
    return [json.loads(line.partition(" ")[2]) for line in whole]


def _with_tuples(one: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in one.items()}


def _line(batch: str) -> str:
    return f"{hashlib.sha256(batch.encode()).hexdigest()} {batch}\n"
