"""Completions that a sampling step has drawn so far: an interrupted step goes on with the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

FILE = "drawn.jsonl"
"""Its name in the folder of a step in progress; removed once the step has written all completions."""
Drawn = TypeVar("Drawn")


def keep(path: Path, batch: Sequence[Any]) -> None:
    """Add completions: a kill after this does not lose them."""
    with path.open("a", encoding="utf-8") as out:
        out.write(json.dumps([asdict(one) for one in batch], allow_nan=False) + "\n")


def read(path: Path, record: type[Drawn]) -> list[Drawn]:
    """What was kept, in order; a last line that was cut off is removed.

    Args:
        path: The file; none is there before anything is kept.
        record: A dataclass, without further records in it.
    """
    if not path.exists():
        return []
    *whole, _ = path.read_text(encoding="utf-8").split("\n")  # what follows the last line end was cut off
    path.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")
    return [record(**_with_tuples(one)) for batch in whole for one in json.loads(batch)]


def _with_tuples(one: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in one.items()}
