"""Attention for training, with transformers' attention interface, and what attention must be to be known here.

In training rows lie end to end, each is attended by itself. With transformers' own `sdpa` a packed
micro-batch is multiplied with itself, every token with every token of every other row, and a mask throws away what
crosses rows: six parts of seven where seven rows lie together. Row by row there is no such work (measured: 2.0 s of a
training step of 9 s on a CPU became 0.9).

Reading and writing have another one, `sampling/slots.py`.

Shapes: H heads, K heads of keys and values, D numbers a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from inoculate.errors import UserError

ROWS = "inoculate_rows"
"""What a model that is trained is told to use (`attn_implementation`), after `register`."""
_UNKNOWN = ("softcap", "s_aux", "position_bias")
"""What some models add to attention and this does not know."""
_LAYERS = {"full_attention", "sliding_attention"}
_WAY_OUT = (
    "take another model (one that is only sampled from, in a study without arms, can be asked on a server: --server)"
)


def register() -> None:
    """Make `attend_rows` known to transformers; without a function for masks it makes none."""
    AttentionInterface.register(ROWS, attend_rows)


def check(config: Any) -> None:
    """Refuse a model whose layers are of a kind that is not known here.

    Raises:
        UserError: One is (linear attention, attention in chunks, ...).
    """
    unknown = set(getattr(config.get_text_config(), "layer_types", None) or ()) - _LAYERS
    if unknown:
        raise UserError(
            f"the model has layers of the kind {', '.join(sorted(unknown))}; known are {', '.join(sorted(_LAYERS))}: "
            + _WAY_OUT
        )


def attend_rows(
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
    """Causal attention within each of the rows that lie end to end, T tokens together.

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
    refuse(more)
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


def refuse(more: dict[str, Any]) -> None:
    """Refuse a model that hands through what changes attention in a way that is not known here.

    Args:
        more: What a model's layer gives its attention beyond the parts that every model has.

    Raises:
        UserError: It does.
    """
    unknown = [name for name in _UNKNOWN if more.get(name) is not None]
    if unknown:
        raise UserError(f"the model's attention has {unknown[0]}, which is not known here: {_WAY_OUT}")


def _window(query: torch.Tensor, size: int) -> torch.Tensor:
    """(L, L): True where a token sees another."""
    at = torch.arange(query.shape[2], device=query.device)
    back = at[:, None] - at[None, :]
    return (back >= 0) & (back < size)
