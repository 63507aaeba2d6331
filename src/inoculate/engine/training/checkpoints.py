"""Saves adapters, and finds the checkpoint from which an interrupted training goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from transformers.trainer_callback import TrainerCallback, TrainerState

from inoculate import checksums


def save_adapter(model: Any, folder: Path) -> None:
    """Save the adapter of a PEFT model so that equal adapters are equal files, on any machine.

    PEFT writes the names of layers in the order of a set, and the base model's folder; its model card names that too.
    """
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    file = folder / "adapter_config.json"
    config = json.loads(file.read_text(encoding="utf-8")) | {"base_model_name_or_path": None}
    ordered = {key: sorted(value) if isinstance(value, list) else value for key, value in config.items()}
    file.write_text(json.dumps(ordered, indent=2, sort_keys=True) + "\n", encoding="utf-8")


class Sealing(TrainerCallback):
    """Writes the checksums of each checkpoint, by which one that a disk has changed is found."""

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Called when a checkpoint was written."""
        checksums.write(Path(args.output_dir) / f"checkpoint-{state.global_step}")


def latest_checkpoint(work: Path) -> str | None:
    """The last whole checkpoint of transformers' trainer in a folder; None where there is none.

    A kill in the middle of saving leaves part of one. The trainer writes its state last, so that a checkpoint whose
    state cannot be read is not whole: it is removed. So is one that is not what was written, by its checksums; a kill
    before these were written leaves one without, which is taken.
    """
    whole: list[tuple[int, Path]] = []
    for folder in work.glob("checkpoint-*"):
        try:
            state = TrainerState(**json.loads((folder / "trainer_state.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            shutil.rmtree(folder)
            continue
        if (folder / checksums.NAME).exists() and checksums.find_damage(folder):
            shutil.rmtree(folder)
            continue
        whole.append((state.global_step, folder))
    return str(max(whole)[1]) if whole else None
