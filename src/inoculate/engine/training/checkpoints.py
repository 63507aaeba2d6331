"""Finds the checkpoint from which an interrupted training goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from transformers.trainer_callback import TrainerState


def latest_checkpoint(work: Path) -> str | None:
    """The last whole checkpoint of transformers' trainer in a folder; None where there is none.

    A kill in the middle of saving leaves part of one. The trainer writes its state last, so that a checkpoint whose
    state cannot be read is not whole: it is removed.
    """
    whole: list[tuple[int, Path]] = []
    for folder in work.glob("checkpoint-*"):
        try:
            state = TrainerState(**json.loads((folder / "trainer_state.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            shutil.rmtree(folder)
            continue
        whole.append((state.global_step, folder))
    return str(max(whole)[1]) if whole else None
