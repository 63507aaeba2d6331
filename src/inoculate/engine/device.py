"""Where and in what precision models run: the one place that asks what the machine can do."""

from __future__ import annotations

import os
from typing import NamedTuple

import torch

CACHED = 2**19
"""Numbers in float32 that are worked on at once where there are many times as many (2 MiB): what a processor's cache
holds. Probabilities of 256 rows x 150,000 words on two cores: 146 ms all at once, 28 so many at a time."""


class Device(NamedTuple):
    """A torch device and the precision that models are held in on it."""

    device: torch.device
    dtype: torch.dtype

    @property
    def name(self) -> str:
        """As it stands in the names of steps: 'cpu/bfloat16'."""
        return f"{self.device.type}/{str(self.dtype).removeprefix('torch.')}"


def rows_at_once(table: torch.Tensor) -> int:
    """How many rows of a table (N, V) to work on at once; all of them where each piece would be a launch of its own."""
    return max(1, CACHED // table.shape[-1]) if table.device.type == "cpu" else max(1, len(table))


def pick() -> Device:
    """The best device there is, with bfloat16 where the hardware computes in it.

    On a CPU without bfloat16 instructions every product would be emulated, several times slower than float32. Torch is
    asked for huge pages there: what a training step allocates comes fresh from the system each time, and to have it
    in pieces of 4 KiB took an eighth of the step (measured; torch reads the variable when it first allocates).
    """
    if torch.cuda.is_available():
        return Device(torch.device("cuda"), torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32)
    if torch.backends.mps.is_available():
        return Device(torch.device("mps"), torch.float32)
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    can = torch.cpu.get_capabilities()
    fast = can.get("avx512_bf16") or can.get("amx_bf16") or can.get("bf16")
    return Device(torch.device("cpu"), torch.bfloat16 if fast else torch.float32)
