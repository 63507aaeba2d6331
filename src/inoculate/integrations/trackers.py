"""Training metrics in TensorBoard, trackio or Weights & Biases, through the trainer's own reporting.

Tracking is not part of a study: a step is the same with a tracker or without.
"""

from __future__ import annotations

import os
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from inoculate.errors import UserError, require_known

TRACKERS = ("tensorboard", "trackio", "wandb")
VARIABLE = "INOCULATE_TRACK"
"""Environment variable with the tracker for all training in this process and its child processes."""


def choose(name: str) -> None:
    """Set the tracker that later training reports to.

    Args:
        name: One of `TRACKERS`; '' for the one in the environment variable, if any.

    Raises:
        UserError: There is no such tracker, or it is not installed.
    """
    name = name or os.environ.get(VARIABLE, "")
    if not name:
        return
    require_known(name, TRACKERS, "unknown tracker")
    try:
        version(name)
    except PackageNotFoundError:
        raise UserError(f"the tracker '{name}' is not installed here: pip install {name}") from None
    os.environ[VARIABLE] = name


def arguments(label: str, folder: Path) -> dict[str, Any]:
    """The trainer's arguments for tracking.

    Args:
        label: Describes the training; its name in the tracker is made from it.
        folder: Where TensorBoard's files go, with a folder for each training.
    """
    name = os.environ.get(VARIABLE, "")
    if not name:
        return {"report_to": "none"}
    run = re.sub(r"[^\w.-]+", "-", label)
    # The callbacks of transformers read these only from the environment.
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(folder / run)
    os.environ.setdefault("WANDB_PROJECT", "inoculate")
    return {"report_to": name, "run_name": run, "project": "inoculate"}
