"""A base model whose weights are divided among the processes of a training (torch's FSDP2), where one has not the room.

transformers reads only a process's part of each weight, and has torch put a layer together while it computes, forward
and backward. The adapter is whole in every process, and so are its optimizer and its files: all that differs from
processes with the whole model is what follows here. Rows are packed as ever. Only the copies of weights that a CPU has
in oneDNN's format (`kernels.packed`) are not made: they would be copies of whole weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers.distributed import DistributedConfig

from inoculate.engine.device import Device
from inoculate.engine.loading import load_model
from inoculate.engine.packing import EncodedRow, MicroBatch, pack_rows
from inoculate.engine.training.processes import Processes
from inoculate.errors import UserError, under


def load(model: Path, device: Device, processes: Processes, **given: Any) -> Any:
    """This process's part of a model.

    Args:
        model: A folder of base weights.
        device: Device and precision.
        processes: Those that share it, all of which call this.
        given: Further arguments of `from_pretrained`.

    Raises:
        UserError: transformers does not know how to divide a model of this type, this torch cannot on processors, or
            the files of the model do not fit together.
    """
    built_for = torch._C._get_accelerator().type
    if device.device.type != built_for:
        raise UserError(
            f"resources.adapter: shard = true on {device.device.type}, and this torch is built for {built_for}: give "
            "each process a GPU (gpus = 2), or leave shard out"
        )
    with under("resources.adapter: shard = true"):
        base = load_model(model, device.dtype, distributed_config=DistributedConfig(fsdp_size=processes.count), **given)
    # To the trainer and PEFT it is a model like any other. They would average gradients, which are added up
    # (`Processes.add_up`), refuse to keep checkpoints, and wait for all processes where one saves the adapter.
    base._is_distributed_loading_by_transformers = base._is_fsdp_managed_module = False
    base._tp_size = None
    return base


def with_idle(batches: Sequence[MicroBatch], count: int, rows: Sequence[EncodedRow]) -> list[MicroBatch]:
    """As many micro-batches as the process with most of them has, since all put each layer together at the same time.

    Args:
        batches: This process's.
        count: How many that one has.
        rows: The rows of the step. The shortest one fills the places, with no weight in the loss.
    """
    idle = pack_rows([min(rows, key=lambda row: len(row.tokens))])
    idle = replace(idle, weights=torch.zeros_like(idle.weights))
    return [*batches, *[idle] * (count - len(batches))]
