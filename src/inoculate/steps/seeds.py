"""Reads which seeds of a study are meant: `4`, `3-5` or `0,3-5`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from inoculate.errors import UserError

_PART = re.compile(r"\s*(\d{1,18})\s*(?:-\s*(\d{1,18})\s*)?", re.ASCII)


def choose_seeds(given: str | Iterable[int] | None, seeds: Sequence[int]) -> tuple[int, ...] | None:
    """Some of a study's seeds.

    Args:
        given: Seeds, or a text of numbers and ranges (both ends included) with commas between; None or '' for all.
        seeds: The study's seeds.

    Returns:
        Those that are meant, in the study's order; None for all.

    Raises:
        UserError: The text is no such list, or names a seed that the study does not have.
    """
    if given is None or given == "":
        return None
    text = ",".join(map(str, given)) if isinstance(given, Iterable) and not isinstance(given, str) else str(given)
    listed = ", ".join(map(str, seeds))
    chosen: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if not match:
            raise UserError(
                f"--seeds {text}: '{part.strip()}' is neither a number nor a range; give numbers and ranges such as 4, "
                f"3-5 or 0,3-5 (the study's seeds: {listed})"
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise UserError(f"--seeds {text}: the range {first}-{last} runs backwards: {last}-{first}?")
        other = next((seed for seed in range(first, last + 1) if seed not in seeds), None)
        if other is not None:
            raise UserError(
                f"--seeds {text}: the study has no seed {other}; its seeds are {listed} (to add one, add it to `seeds` "
                "in the study file)"
            )
        chosen.update(range(first, last + 1))
    return tuple(seed for seed in seeds if seed in chosen)
