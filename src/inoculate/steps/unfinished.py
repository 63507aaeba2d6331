"""Completions that a sampling step has drawn so far: an interrupted step goes on with the others.

Each line has a checksum before its JSON. A line that a kill has cut off, or that a disk has changed, is left out, and
its completions are drawn again.
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


def keep(path: Path, batch: Sequence[Any]) -> None:
    """Add completions: a kill after this does not lose them."""
    with path.open("a", encoding="utf-8") as out:
        out.write(_line(json.dumps([asdict(one) for one in batch], allow_nan=False)))


def read(path: Path, record: type[Drawn]) -> list[Drawn]:
    """What was kept, in order; what is not whole is removed.

    Args:
        path: The file; none is there before anything is kept.
        record: A dataclass, without further records in it.
    """
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8", errors="replace")
    whole = [
        line for line in text.splitlines(keepends=True) if line == _line(line.partition(" ")[2].removesuffix("\n"))
    ]
    if len("".join(whole)) < len(text):
        write_whole(path, "".join(whole))
    batches = [line.partition(" ")[2] for line in whole]
    return [record(**_with_tuples(one)) for batch in batches for one in json.loads(batch)]


def _with_tuples(one: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in one.items()}


def _line(batch: str) -> str:
    return f"{hashlib.sha256(batch.encode()).hexdigest()} {batch}\n"
