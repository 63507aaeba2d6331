"""Makes a study as small as it can be, with its arms, prompts, settings and analyses: to see that it still runs."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

SMALL: dict[str, int] = {
    "exposures": 6, "problems": 2, "max_new_tokens": 4, "steps": 2, "prompts_per_step": 2,
    "completions_per_prompt": 2, "preflight": 2, "samples": 2, "kl_completions": 1, "answers": 2,
    "vetted": 3,
}  # fmt: skip
"""Key -> the most that it may be, wherever it stands."""
ROWS = 8
"""Rows of a table of 128."""


def shrink(path: Path, model: Path, **changes: Any) -> dict[str, Any]:
    """The tables of a study file for a tiny model: one seed, few rows, problems and tokens; no arm is left out.

    Args:
        path: The study file.
        model: The folder of the model.
        changes: Keys of the study that are put in place of its own.
    """
    study = _shrink(tomllib.loads(path.read_text(encoding="utf-8")))
    return study | {"model": str(model), "seeds": [0], "looks": []} | changes


def _shrink(value: Any, key: str = "") -> Any:
    if isinstance(value, list):
        return [_shrink(item, key) for item in value]
    if isinstance(value, dict):
        found = {name: _shrink(item, name) for name, item in value.items()}
        if key == "vetted":  # 4, 16 and 64 stay three doses
            found["count"] = min(value["count"].bit_length() // 2, 4)
        elif found.get("count"):
            # By doublings, so that arms which differ in their number of rows still do.
            found["count"] = min(value["count"], value["count"].bit_length())
        if key == "side_effects":  # of every family
            found["problems"] = 24
        if key == "trajectories" and "arm" in value:  # a tiny model passes no check
            found["problems"] = ROWS + 1
            found.pop("where", None)
        if key in ("rows", "") and "trajectories" in found:
            found["count"] = 2
        return found
    if key in SMALL and isinstance(value, int):
        return min(value, SMALL[key])
    return value
