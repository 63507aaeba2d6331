"""Attention over packed rows for training, and checks that a model's attention is supported.

In training, rows are packed end to end and each attends to itself only. With transformers' own `sdpa` every token of a
packed micro-batch is multiplied with every other, and a mask discards what crosses rows: six sevenths of the work where
seven rows are packed. Row by row there is no such work (measured: 2.0 s of a training step of 9 s on a CPU became 0.9).

Sampling has an attention of its own, in `engine/sampling/kv_cache.py`.

Shapes: H query heads, K heads of keys and values, T tokens of a micro-batch, L of a row, D head size.
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
"""The name of `attend_rows` in transformers (`attn_implementation`), after `register`."""
BLOCK = 256
"""Queries whose scores are held at once in the backward pass."""
_UNSUPPORTED = ("softcap", "s_aux", "position_bias")
"""Arguments by which some models change attention, and which are not supported here."""
_LAYER_TYPES = {"full_attention", "sliding_attention"}
_ADVICE = "take another model (if a study has no arms, its model can be sampled from a server instead: --server)"


def register() -> None:
    """Register `attend_rows` with transformers. No mask function is registered, so transformers makes no mask."""
    AttentionInterface.register(ROWS, attend_rows)


def check_layer_types(config: Any) -> None:
    """Refuse a model with layers of an unsupported type.

    Raises:
        UserError: It has some (linear attention, chunked attention, ...).
    """
    unknown = set(getattr(config.get_text_config(), "layer_types", None) or ()) - _LAYER_TYPES
    if unknown:
        raise UserError(
            f"the model has layers of the type {', '.join(sorted(unknown))}; "
            f"supported are {', '.join(sorted(_LAYER_TYPES))}: {_ADVICE}"
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
    """Causal attention within each of the packed rows.

    Args:
        module: The attention layer.
        query: (1, H, T, D).
        key: (1, K, T, D).
        value: (1, K, T, D).
        attention_mask: None: `row_lengths` takes its place.
        row_lengths: Tokens of each row, T together; the model's `forward` passes it on.
        scaling: The factor of the scores; 1 / sqrt(D) unless given.
        sliding_window: How many tokens back a token sees, itself included; all unless given.
        more: Further arguments of the model.

    Returns:
        (1, T, H, D), and None where other implementations return the attention weights.

    Raises:
        UserError: The model's attention has a part that is not supported.
    """
    check_attention_arguments(more)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    arguments = (query, key, value, row_lengths, scale, sliding_window)
    is_cpu = query.device.type == "cpu"
    attended: torch.Tensor = _RowAttentionOnCPU.apply(*arguments) if is_cpu else _forward(*arguments)
    return attended, None


def _forward(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    lengths: Sequence[int],
    scale: float,
    window: int | None,
) -> torch.Tensor:
    """Torch's own attention, one row after the other."""
    groups, rows = query.shape[1] // key.shape[1], []
    for row in _row_slices(lengths):
        q, k, v = query[:, :, row], key[:, :, row], value[:, :, row]
        mask = None if window is None or q.shape[2] <= window else ~_causal_mask(q.shape[2], q.shape[2], window, q)
        expanded = (part.repeat_interleave(groups, 1) for part in (k, v))
        attended = scaled_dot_product_attention(q, *expanded, attn_mask=mask, is_causal=mask is None, scale=scale)
        rows.append(attended.transpose(1, 2))
    return torch.cat(rows, 1)


class _RowAttentionOnCPU(torch.autograd.Function):
    """`_forward` with its own backward pass, which recomputes the scores, a block of queries at a time.

    On a CPU torch's backward pass processes each head by itself; batched matrix products are up to four times as fast
    (measured in bfloat16: 9 query heads on 3, a row of 150 tokens: 4.1 ms a layer, then 1.1; 14 on 2, 842 tokens: 26,
    then 21), and the block bounds the memory. Scores are rounded to the model's precision, as in transformers' `eager`.
    """

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> torch.Tensor:
        ctx.save_for_backward(*arguments[:3])
        ctx.options = arguments[3:]
        return _forward(*arguments)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value = (part[0] for part in ctx.saved_tensors)
        lengths, scale, window = ctx.options
        gradients = [torch.empty_like(part) for part in (query, key, value)]
        for row in _row_slices(lengths):
            grad = grads[0][0, row].transpose(0, 1)
            row_gradients = _row_gradients(query[:, row], key[:, row], value[:, row], grad, scale, window)
            for gradient, part in zip(gradients, row_gradients, strict=True):
                gradient[:, row] = part
        return *(gradient[None] for gradient in gradients), None, None, None


def _row_gradients(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, grad: torch.Tensor, scale: float, window: int | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of one row: of (H, L, D) queries and of (K, L, D) keys and values, from (H, L, D)."""
    heads, length, size = query.shape
    key_heads = len(key)
    d_query = torch.empty_like(query)
    d_key, d_value = (torch.zeros_like(part, dtype=torch.float32) for part in (key, value))
    for start in range(0, length, BLOCK):
        end = min(start + BLOCK, length)
        # Query heads that share a key head are treated as one head of more tokens: no keys are copied for them.
        q, g = (part[:, start:end].reshape(key_heads, -1, size) for part in (query, grad))
        k, v = key[:, :end], value[:, :end]
        scores = torch.bmm(q, k.transpose(1, 2)).unflatten(1, (-1, end - start)).mul_(scale)
        scores.masked_fill_(_causal_mask(end - start, end, window, scores), -torch.inf)
        weights = torch.softmax(scores, -1).flatten(1, 2)
        d_value[:, :end] += torch.bmm(weights.transpose(1, 2), g)
        d_weights = torch.bmm(g, v.transpose(1, 2))
        d_scores = torch._softmax_backward_data(d_weights, weights, -1, weights.dtype).mul_(scale)
        d_query[:, start:end] = torch.bmm(d_scores, k).reshape(heads, end - start, size)
        d_key[:, :end] += torch.bmm(d_scores.transpose(1, 2), q)
    return d_query, d_key, d_value


def _row_slices(lengths: Sequence[int]) -> list[slice]:
    """The slice of the packed tokens that each row takes."""
    ends = list(accumulate(lengths))
    return [slice(end - length, end) for length, end in zip(lengths, ends, strict=True)]


def _causal_mask(queries: int, keys: int, window: int | None, like: torch.Tensor) -> torch.Tensor:
    """(queries, keys): True where one of the last `queries` of `keys` tokens does not see a token."""
    positions = torch.arange(keys, device=like.device)
    distance = positions[keys - queries :, None] - positions[None, :]
    return distance < 0 if window is None else (distance < 0) | (distance >= window)


def check_attention_arguments(arguments: dict[str, Any]) -> None:
    """Refuse a model that changes attention in a way that is not supported.

    Args:
        arguments: What a model's layer passes to its attention beyond the arguments that every model has.

    Raises:
        UserError: An unsupported argument is among them.
    """
    unsupported = [name for name in _UNSUPPORTED if arguments.get(name) is not None]
    if unsupported:
        raise UserError(f"the model's attention has {unsupported[0]}, which is not supported: {_ADVICE}")
