"""Attention over rows that lie end to end: each row by itself, with transformers' attention interface.

With transformers' own `sdpa` a packed micro-batch is multiplied with itself, every token with every token of every
other row, and a mask throws away what crosses rows: six parts of seven where seven rows lie together. Row by row there
is no mask and no such work (measured: 2.0 s of a training step of 9 s on a CPU became 0.9).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from inoculate.errors import UserError

NAME = "inoculate_rows"
"""What models are told to use (`attn_implementation`), after `register`."""
_UNKNOWN = ("softcap", "s_aux", "position_bias")
"""What some models add to attention and this does not know."""


def register() -> None:
    """Make `NAME` known to transformers; without a function for masks it makes none."""
    AttentionInterface.register(NAME, attend)


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    row_lengths: Sequence[int],
    scaling: float | None = None,
    sliding_window: int | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each row.

    Shapes: T tokens of all rows, H heads, K heads of keys and values, D numbers a head.

    Args:
        module: The layer that asks.
        query: (1, H, T, D).
        key: (1, K, T, D).
        value: (1, K, T, D).
        attention_mask: None: rows say all that a mask would.
        row_lengths: Tokens of each row, T together; the model's `forward` hands it through.
        scaling: Of the scores; the root of D unless given.
        sliding_window: How many tokens back a token sees, itself included; all unless given.
        more: What else the model hands through.

    Returns:
        (1, T, H, D), and None where others return the weights.

    Raises:
        UserError: The model's attention has a part that is not known here.
    """
    unknown = [name for name in _UNKNOWN if more.get(name) is not None]
    if unknown:
        raise UserError(f"the model's attention has {unknown[0]}, which training does not know: take another model")
    grouped = query.shape[1] != key.shape[1]
    rows = [part.split(list(row_lengths), 2) for part in (query, key, value)]
    attended = []
    for q, k, v in zip(*rows, strict=True):
        mask = None if sliding_window is None or q.shape[2] <= sliding_window else _window(q, sliding_window)
        attended.append(
            scaled_dot_product_attention(
                q, k, v, attn_mask=mask, is_causal=mask is None, scale=scaling, enable_gqa=grouped
            )
        )
    return torch.cat(attended, 2).transpose(1, 2).contiguous(), None


def _window(query: torch.Tensor, size: int) -> torch.Tensor:
    """(L, L): True where a token sees another."""
    at = torch.arange(query.shape[2], device=query.device)
    back = at[:, None] - at[None, :]
    return (back >= 0) & (back < size)
