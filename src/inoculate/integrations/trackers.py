"""Training metrics in TensorBoard, trackio or Weights & Biases: the trainer reports to them, nothing of ours does.

What is tracked is no part of a study: the same step is made with a tracker or without.
"""

from __future__ import annotations

import os
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from inoculate.errors import UserError, nearest

TRACKERS = ("tensorboard", "trackio", "wandb")
VARIABLE = "INOCULATE_TRACK"
"""Names the tracker of every training in this process and below it."""


def choose(name: str) -> None:
    """Have the trainings to come report to a tracker.

    Args:
        name: One of `TRACKERS`; '' for the one that the environment names, if any.

    Raises:
        UserError: There is no such tracker, or it is not installed.
    """
    name = name or os.environ.get(VARIABLE, "")
    if not name:
        return
    if name not in TRACKERS:
        raise UserError(f"unknown tracker '{name}': {nearest(name, TRACKERS)}")
    try:
        version(name)
    except PackageNotFoundError:
        raise UserError(f"the tracker '{name}' is not installed here: pip install {name}") from None
    os.environ[VARIABLE] = name


def arguments(label: str, folder: Path) -> dict[str, Any]:
    """What the trainer is told of tracking.

    Args:
        label: The training in words, of which its name in the tracker is made.
        folder: Where TensorBoard's files go, each training in a folder of its own.
    """
    name = os.environ.get(VARIABLE, "")
    if not name:
        return {"report_to": "none"}
    run = re.sub(r"[^\w.-]+", "-", label)
    # The callbacks of transformers take these from the environment alone.
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(folder / run)
    os.environ.setdefault("WANDB_PROJECT", "inoculate")
    return {"report_to": name, "run_name": run, "project": "inoculate"}
