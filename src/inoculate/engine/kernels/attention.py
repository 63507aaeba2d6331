"""Attention for training, with transformers' attention interface, and what attention must be to be known here.

In training rows lie end to end, each is attended by itself. With transformers' own `sdpa` a packed
micro-batch is multiplied with itself, every token with every token of every other row, and a mask throws away what
crosses rows: six parts of seven where seven rows lie together. Row by row there is no such work (measured: 2.0 s of a
training step of 9 s on a CPU became 0.9).

Reading and writing have another one, `engine/sampling/slots.py`.

Shapes: H heads, K heads of keys and values, D numbers a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from inoculate.errors import UserError

ROWS = "inoculate_rows"
"""What a model that is trained is told to use (`attn_implementation`), after `register`."""
BLOCK = 256
"""Queries whose scores are there at once on the way back."""
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
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    given = (query, key, value, row_lengths, scale, sliding_window)
    found: torch.Tensor = _OnCPU.apply(*given) if query.device.type == "cpu" else _forth(*given)
    return found, None


def _forth(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    lengths: Sequence[int],
    scale: float,
    window: int | None,
) -> torch.Tensor:
    """Rows one after the other, as torch attends."""
    groups, found = query.shape[1] // key.shape[1], []
    for row in _places(lengths):
        q, k, v = query[:, :, row], key[:, :, row], value[:, :, row]
        mask = None if window is None or q.shape[2] <= window else ~_unseen(q.shape[2], q.shape[2], window, q)
        spread = (part.repeat_interleave(groups, 1) for part in (k, v))
        attended = scaled_dot_product_attention(q, *spread, attn_mask=mask, is_causal=mask is None, scale=scale)
        found.append(attended.transpose(1, 2))
    return torch.cat(found, 1)


class _OnCPU(torch.autograd.Function):
    """The same with a way back of its own, where scores are made again, a block of queries at a time.

    Torch's way back takes each head by itself on a CPU: as products of batches it is four times as fast (measured in
    bfloat16, 9 heads of 3, a row of 150 tokens: 4.1 ms a layer, then 1.1; 14 heads of 2, 842 tokens: 26, then 21), and
    memory is bounded by the block. Scores are rounded to the model's precision, as in transformers' `eager`.
    """

    @staticmethod
    def forward(ctx: Any, *given: Any) -> torch.Tensor:
        ctx.save_for_backward(*given[:3])
        ctx.rest = given[3:]
        return _forth(*given)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value = (part[0] for part in ctx.saved_tensors)
        lengths, scale, window = ctx.rest
        found = [torch.empty_like(part) for part in (query, key, value)]
        for row in _places(lengths):
            parts = _back(query[:, row], key[:, row], value[:, row], grads[0][0, row].transpose(0, 1), scale, window)
            for whole, part in zip(found, parts, strict=True):
                whole[:, row] = part
        return *(part[None] for part in found), None, None, None


def _back(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, grad: torch.Tensor, scale: float, window: int | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of one row: of (H, L, D) queries and of (K, L, D) keys and values, from (H, L, D)."""
    heads, length, size = query.shape
    kinds = len(key)
    d_query = torch.empty_like(query)
    d_key, d_value = (torch.zeros_like(part, dtype=torch.float32) for part in (key, value))
    for start in range(0, length, BLOCK):
        end = min(start + BLOCK, length)
        # The heads that share keys are one of several times as many tokens: nothing is copied for them.
        q, g = (part[:, start:end].reshape(kinds, -1, size) for part in (query, grad))
        k, v = key[:, :end], value[:, :end]
        scores = torch.bmm(q, k.transpose(1, 2)).unflatten(1, (-1, end - start)).mul_(scale)
        scores.masked_fill_(_unseen(end - start, end, window, scores), -torch.inf)
        weights = torch.softmax(scores, -1).flatten(1, 2)
        d_value[:, :end] += torch.bmm(weights.transpose(1, 2), g)
        d_weights = torch.bmm(g, v.transpose(1, 2))
        d_scores = torch._softmax_backward_data(d_weights, weights, -1, weights.dtype).mul_(scale)
        d_query[:, start:end] = torch.bmm(d_scores, k).reshape(heads, end - start, size)
        d_key[:, :end] += torch.bmm(d_scores.transpose(1, 2), q)
    return d_query, d_key, d_value


def _places(lengths: Sequence[int]) -> list[slice]:
    """Where each row is."""
    ends = list(accumulate(lengths))
    return [slice(end - length, end) for length, end in zip(lengths, ends, strict=True)]


def _unseen(new: int, upto: int, window: int | None, like: torch.Tensor) -> torch.Tensor:
    """(new, upto): True where one of the last `new` of `upto` tokens does not see another."""
    at = torch.arange(upto, device=like.device)
    back = at[upto - new :, None] - at[None, :]
    return back < 0 if window is None else (back < 0) | (back >= window)


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
