"""Attention over packed rows for training, and checks that a model's attention is supported.

In training, rows are packed end to end, and what a row shares with an earlier one is there only once (`Segment`). Each
token attends to the tokens before it in its own row. With transformers' own `sdpa` every token of a packed micro-batch
is multiplied with every other, and a mask discards what crosses rows: six sevenths of the work where seven rows are
packed. Segment by segment there is no such work.

Sampling has an attention of its own, in `engine/sampling/kv_cache.py`.

Shapes: H query heads, K heads of keys and values, T tokens of a micro-batch, L own tokens of a row, N all tokens of it,
D head size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import torch
from torch.nn.attention.flex_attention import create_block_mask, flex_attention
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from inoculate.errors import UserError

ROWS = "inoculate_rows"
"""The name of `attend_rows` in transformers (`attn_implementation`), after `register`."""
BLOCK = 256
"""Queries whose scores are held at once. Where a row has no more tokens than this, they are kept for the backward pass;
else they are computed again, so that memory does not grow with the square of the longest row."""
_UNSUPPORTED = ("softcap", "s_aux", "position_bias")
"""Arguments by which some models change attention, and which are not supported here."""


class Segment(NamedTuple):
    """The tokens of a row that no earlier row has, and where the tokens before them are."""

    own: slice
    """Packed tokens of its own."""
    context: tuple[slice, ...]
    """Packed tokens that stand before them in the row, in order."""


@dataclass(frozen=True, eq=False)
class PackedRows:
    """Where the rows of a micro-batch are: a prefix tree, laid out so that every row follows those that it continues.

    So all rows through a token are one after the other, and a token is seen from its own place on until the first row
    that does not go through it: that is the whole mask.
    """

    segments: Sequence[Segment]
    """In the order of their own tokens, which are all T."""
    seen_until: torch.Tensor
    """(T,) The first later token whose row does not go through each token."""
    positions: torch.Tensor
    """(T,) The position of each token in its row."""
    _biases: dict[Any, torch.Tensor] = field(default_factory=dict)
    _masks: dict[Any, Any] = field(default_factory=dict)

    def causal_bias(self, window: int | None, like: torch.Tensor) -> torch.Tensor:
        """(N, N) for the longest row: 0, or minus infinity where a token does not see another."""
        key = (window, like.dtype, like.device)
        if key not in self._biases:
            distance = torch.arange(int(self.positions.max()) + 1, device=like.device)
            distance = distance[:, None] - distance[None, :]
            unseen = distance < 0 if window is None else (distance < 0) | (distance >= window)
            self._biases[key] = torch.zeros_like(unseen, dtype=like.dtype).masked_fill_(unseen, -torch.inf)
        return self._biases[key]

    def block_mask(self, window: int | None, device: torch.device) -> Any:
        """The same for FlexAttention, over all T tokens."""
        if (window, device) not in self._masks:
            until, positions = self.seen_until.to(device), self.positions.to(device)

            def sees(batch: Any, head: Any, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
                seen = (key <= query) & (query < until[key])
                return seen if window is None else seen & (positions[query] - positions[key] < window)

            self._masks[window, device] = create_block_mask(sees, None, None, len(until), len(until), device=device)
        return self._masks[window, device]


def register() -> None:
    """Register `attend_rows` with transformers. No mask function is registered, so transformers makes no mask."""
    AttentionInterface.register(ROWS, attend_rows)


def attend_rows(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    packed_rows: PackedRows,
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
        attention_mask: None: `packed_rows` takes its place.
        packed_rows: Where the rows are; the model's `forward` passes it on.
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
    attend = {"cpu": _attend_on_cpu, "cuda": _attend_on_gpu}.get(query.device.type, _attend_by_segment)
    return attend(query, key, value, packed_rows, scale, sliding_window), None


def _attend_by_segment(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, rows: PackedRows, scale: float, window: int | None
) -> torch.Tensor:
    """Torch's own attention, one segment after the other."""
    groups, bias = query.shape[1] // key.shape[1], rows.causal_bias(window, query)
    attended = []
    for segment in rows.segments:
        k, v = (_gather(part[0], segment).repeat_interleave(groups, 0)[None] for part in (key, value))
        q, end = query[:, :, segment.own], k.shape[2]
        mask = bias[end - q.shape[2] : end, :end]
        attended.append(scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale).transpose(1, 2))
    return torch.cat(attended, 1)


def _attend_on_gpu(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, rows: PackedRows, scale: float, window: int | None
) -> torch.Tensor:
    """FlexAttention, which leaves out the blocks of the mask that are empty, in one kernel."""
    mask = rows.block_mask(window, query.device)
    attended: torch.Tensor = _compiled_flex_attention()(
        query, key, value, block_mask=mask, scale=scale, enable_gqa=True
    )
    return attended.transpose(1, 2)


@cache
def _compiled_flex_attention() -> Any:
    """FlexAttention is fast only when compiled: without that it computes the whole square of all tokens."""
    return torch.compile(flex_attention)


def _attend_on_cpu(*arguments: Any) -> torch.Tensor:
    attended: torch.Tensor = _SegmentAttention.apply(*arguments)
    return attended


class _SegmentAttention(torch.autograd.Function):
    """`_attend_by_segment` as batched matrix products, forward and back, a block of queries at a time.

    On a CPU torch's kernel processes each head by itself. Measured in bfloat16, 9 query heads on 3, a row of 161
    tokens: forward 0.63 ms a layer, with batched products 0.37. Scores are rounded to the model's precision, as in
    transformers' `eager`.
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        rows: PackedRows,
        scale: float,
        window: int | None,
    ) -> torch.Tensor:
        ctx.save_for_backward(query, key, value)
        bias = rows.causal_bias(window, query)
        ctx.rows, ctx.scale, ctx.bias, ctx.kept = rows, scale, bias, {}
        attended = torch.empty_like(query.transpose(1, 2), memory_format=torch.contiguous_format)
        for segment in rows.segments:
            k, v = (_gather(part[0], segment) for part in (key, value))
            for own, end in _blocks(segment, k.shape[1]):
                q = _group(query[0, :, own], len(k))
                weights = _weights(q, k[:, :end], bias, own, end, scale)
                if k.shape[1] <= BLOCK:
                    ctx.kept[own.start] = weights
                attended[0, own] = _ungroup(torch.bmm(weights, v[:, :end]), query.shape[1]).transpose(0, 1)
        return attended

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value = (part[0] for part in ctx.saved_tensors)
        d_query = torch.empty_like(query)
        # Many segments add to the same keys: in float32, so that nothing is lost.
        d_key, d_value = (torch.zeros_like(part, dtype=torch.float32) for part in (key, value))
        for segment in ctx.rows.segments:
            k, v = (_gather(part, segment) for part in (key, value))
            for own, end in _blocks(segment, k.shape[1]):
                q, g = (_group(part, len(k)) for part in (query[:, own], grads[0][0, own].transpose(0, 1)))
                weights = ctx.kept.pop(own.start, None)
                if weights is None:
                    weights = _weights(q, k[:, :end], ctx.bias, own, end, ctx.scale)
                _scatter_add(d_value, segment, torch.bmm(weights.transpose(1, 2), g))
                d_weights = torch.bmm(g, v[:, :end].transpose(1, 2))
                d_scores = torch._softmax_backward_data(d_weights, weights, -1, weights.dtype).mul_(ctx.scale)
                d_query[:, own] = _ungroup(torch.bmm(d_scores, k[:, :end]), len(query))
                _scatter_add(d_key, segment, torch.bmm(d_scores.transpose(1, 2), q))
        d_key, d_value = (part.to(key.dtype)[None] for part in (d_key, d_value))
        return d_query[None], d_key, d_value, None, None, None


def _gather(part: torch.Tensor, segment: Segment) -> torch.Tensor:
    """(K, N, D) of all tokens of a row, from (K, T, D) of all packed tokens."""
    if not segment.context:
        return part[:, segment.own]
    return torch.cat([part[:, tokens] for tokens in (*segment.context, segment.own)], 1)


def _scatter_add(total: torch.Tensor, segment: Segment, part: torch.Tensor) -> None:
    """Add (K, up to N, D) for the first tokens of a row to (K, T, D) of all packed tokens."""
    start = 0
    for tokens in (*segment.context, segment.own):
        piece = part[:, start : start + tokens.stop - tokens.start]
        total[:, tokens.start : tokens.start + piece.shape[1]] += piece
        start += piece.shape[1]


def _blocks(segment: Segment, length: int) -> Iterator[tuple[slice, int]]:
    """Blocks of a segment's own tokens, each with how many of the row's `length` tokens there are up to its end."""
    for start in range(segment.own.start, segment.own.stop, BLOCK):
        end = min(start + BLOCK, segment.own.stop)
        yield slice(start, end), length - (segment.own.stop - end)


def _group(part: torch.Tensor, key_heads: int) -> torch.Tensor:
    """(H, L, D) to (K, H / K * L, D): query heads that share a key head are one head of more tokens."""
    return part.reshape(key_heads, -1, part.shape[-1])


def _ungroup(part: torch.Tensor, heads: int) -> torch.Tensor:
    """(K, H / K * L, D) back to (H, L, D)."""
    return part.reshape(heads, -1, part.shape[-1])


def _weights(
    query: torch.Tensor, key: torch.Tensor, bias: torch.Tensor, own: slice, end: int, scale: float
) -> torch.Tensor:
    """Attention weights (K, H / K * L, N) of grouped queries on the first `end` tokens of their row."""
    count = own.stop - own.start
    scores = torch.bmm(query, key.transpose(1, 2)).unflatten(1, (-1, count)).mul_(scale)
    return torch.softmax(scores.add_(bias[end - count : end, :end]), -1).flatten(1, 2)


def check_attention_arguments(arguments: dict[str, Any]) -> None:
    """Refuse a model whose attention has a part that this one lacks: `engine.families` takes its type for a known one.

    Args:
        arguments: What a model's layer passes to its attention beyond the arguments that every model has.

    Raises:
        UserError: An unsupported argument is among them.
    """
    unsupported = [name for name in _UNSUPPORTED if arguments.get(name) is not None]
    if unsupported:
        raise UserError(
            f"the model's attention has {unsupported[0]}, which other models of its type have not: take another model "
            "(if a study has no arms, its model can be sampled from a server instead: --server)"
        )
