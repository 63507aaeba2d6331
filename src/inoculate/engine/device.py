"""The device and precision of models: the one module that looks at the hardware."""

from __future__ import annotations

import os
from typing import NamedTuple

import torch

CACHE_FLOATS = 2**19
"""How many float32 numbers of a large table to process at once (2 MiB), so that they stay in the processor's cache.
A softmax over 256 rows x 150,000 tokens on two cores: 146 ms all at once, 28 in such pieces."""


class Device(NamedTuple):
    """A torch device and the precision that models are held in on it."""

    device: torch.device
    dtype: torch.dtype

    @property
    def name(self) -> str:
        """The form in which results name it: 'cpu/bfloat16'."""
        return f"{self.device.type}/{str(self.dtype).removeprefix('torch.')}"


def rows_at_once(table: torch.Tensor) -> int:
    """How many rows of a table (N, V) to process at once; all of them on a GPU, where each piece is a kernel launch."""
    return max(1, CACHE_FLOATS // table.shape[-1]) if table.device.type == "cpu" else max(1, len(table))


def pick_device() -> Device:
    """The best device of this machine, with bfloat16 where the hardware supports it.

    A CPU without bfloat16 instructions emulates every product, several times slower than float32. On a CPU torch is
    told to use huge pages: the system hands out the memory of each training step anew, and doing so in pages of 4 KiB
    took an eighth of the step (measured; torch reads the variable at its first allocation).
    """
    if torch.cuda.is_available():
        return Device(torch.device("cuda"), torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32)
    if torch.backends.mps.is_available():
        return Device(torch.device("mps"), torch.float32)
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    features = torch.cpu.get_capabilities()
    has_bfloat16 = features.get("avx512_bf16") or features.get("amx_bf16") or features.get("bf16")
    return Device(torch.device("cpu"), torch.bfloat16 if has_bfloat16 else torch.float32)
