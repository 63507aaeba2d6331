"""Attention over packed rows for training, and what attention has in common here and in sampling.

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
from torch.nn.attention.flex_attention import AuxRequest, create_block_mask, flex_attention
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from inoculate.errors import UserError

ROWS = "inoculate_rows"
"""The name of `attend_rows` in transformers (`attn_implementation`), after `register`."""
BLOCK = 256
"""Queries whose scores are held at once. Where a row has no more tokens than this, they are kept for the backward pass;
else they are computed again, so that memory does not grow with the square of the longest row."""
_UNSUPPORTED = ("position_bias",)
"""Arguments by which some models change attention, and which are not supported here."""


class Scoring(NamedTuple):
    """How a layer makes attention weights of the products of queries and keys."""

    scale: float
    """The factor of the products: then they are scores."""
    window: int | None = None
    """How many tokens back a token sees, itself included; None for all."""
    softcap: float | None = None
    """Scores s become softcap * tanh(s / softcap), as in Gemma 2."""
    sinks: torch.Tensor | None = None
    """(H,) The score of seeing no token, whose weight is lost, as in GPT-OSS. It is frozen: it gets no gradient."""

    @property
    def is_plain(self) -> bool:
        """Whether torch's own attention can do it."""
        return self.softcap is None and self.sinks is None


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
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
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
        sliding_window: As `Scoring.window`.
        softcap: As `Scoring.softcap`.
        s_aux: As `Scoring.sinks`.
        more: Further arguments of the model.

    Returns:
        (1, T, H, D), and None where other implementations return the attention weights.

    Raises:
        UserError: The model's attention has a part that is not supported.
    """
    check_attention_arguments(more)
    scoring = Scoring(query.shape[-1] ** -0.5 if scaling is None else scaling, sliding_window, softcap, s_aux)
    if query.device.type == "cuda":
        return _attend_on_gpu(query, key, value, packed_rows, scoring), None
    attend = _attend_by_products if query.device.type == "cpu" or not scoring.is_plain else _attend_by_segment
    return attend(query, key, value, packed_rows, scoring), None


def _attend_by_segment(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, rows: PackedRows, scoring: Scoring
) -> torch.Tensor:
    """Torch's own attention, one segment after the other; of a plain scoring."""
    groups, bias = query.shape[1] // key.shape[1], rows.causal_bias(scoring.window, query)
    attended = []
    for segment in rows.segments:
        k, v = (_gather(part[0], segment).repeat_interleave(groups, 0)[None] for part in (key, value))
        q, end = query[:, :, segment.own], k.shape[2]
        mask = bias[end - q.shape[2] : end, :end]
        attended.append(scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scoring.scale).transpose(1, 2))
    return torch.cat(attended, 1)


def _attend_on_gpu(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, rows: PackedRows, scoring: Scoring
) -> torch.Tensor:
    """FlexAttention, which leaves out the blocks of the mask that are empty, in one kernel."""
    options: dict[str, Any] = {"block_mask": rows.block_mask(scoring.window, query.device), "scale": scoring.scale}
    if scoring.softcap is not None:
        options["score_mod"] = _capped(scoring.softcap)
    if scoring.sinks is not None:
        options["return_aux"] = AuxRequest(lse=True)
    found = _compiled_flex_attention()(query, key, value, enable_gqa=True, **options)
    if scoring.sinks is None:
        return found.transpose(1, 2)
    attended, more = found
    seen = torch.sigmoid(more.lse - scoring.sinks[:, None])  # the weight of all tokens beside that of the sink
    return (attended * seen[..., None].to(attended.dtype)).transpose(1, 2)


@cache
def _capped(softcap: float) -> Any:
    """FlexAttention's form of `Scoring.softcap`; always the same function, so that it is compiled once."""

    def cap(score: torch.Tensor, *_: Any) -> torch.Tensor:
        return torch.tanh(score / softcap) * softcap

    return cap


@cache
def _compiled_flex_attention() -> Any:
    """FlexAttention is fast only when compiled: without that it computes the whole square of all tokens."""
    return torch.compile(flex_attention)


def _attend_by_products(*arguments: Any) -> torch.Tensor:
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
        scoring: Scoring,
    ) -> torch.Tensor:
        ctx.save_for_backward(query, key, value)
        bias = rows.causal_bias(scoring.window, query)
        ctx.rows, ctx.scoring, ctx.bias, ctx.kept = rows, scoring, bias, {}
        attended = torch.empty_like(query.transpose(1, 2), memory_format=torch.contiguous_format)
        for segment in rows.segments:
            k, v = (_gather(part[0], segment) for part in (key, value))
            for own, end in _blocks(segment, k.shape[1]):
                q = group(query[0, :, own], len(k))
                weights = weigh(q, k[:, :end], _part(bias, own, end), scoring)
                if k.shape[1] <= BLOCK:
                    ctx.kept[own.start] = weights
                attended[0, own] = ungroup(torch.bmm(weights, v[:, :end]), query.shape[1]).transpose(0, 1)
        return attended

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value = (part[0] for part in ctx.saved_tensors)
        scoring: Scoring = ctx.scoring
        d_query = torch.empty_like(query)
        # Many segments add to the same keys: in float32 at least, so that nothing is lost.
        wide = torch.promote_types(key.dtype, torch.float32)
        d_key, d_value = (torch.zeros_like(part, dtype=wide) for part in (key, value))
        for segment in ctx.rows.segments:
            k, v = (_gather(part, segment) for part in (key, value))
            for own, end in _blocks(segment, k.shape[1]):
                q, g = (group(part, len(k)) for part in (query[:, own], grads[0][0, own].transpose(0, 1)))
                weights = ctx.kept.pop(own.start, None)
                if weights is None:
                    weights = weigh(q, k[:, :end], _part(ctx.bias, own, end), scoring)
                _scatter_add(d_value, segment, torch.bmm(weights.transpose(1, 2), g))
                d_weights = torch.bmm(g, v[:, :end].transpose(1, 2))
                # Also where weights do not add up to 1: what went to the sink has no part in the output.
                d_scores = torch._softmax_backward_data(d_weights, weights, -1, weights.dtype).mul_(scoring.scale)
                if scoring.softcap is not None:
                    capped = _scores(q, k[:, :end], scoring)
                    d_scores.mul_(1 - (capped / scoring.softcap).square_())
                d_query[:, own] = ungroup(torch.bmm(d_scores, k[:, :end]), len(query))
                _scatter_add(d_key, segment, torch.bmm(d_scores.transpose(1, 2), q))
        d_key, d_value = (part.to(key.dtype)[None] for part in (d_key, d_value))
        return d_query[None], d_key, d_value, None, None


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


def group(part: torch.Tensor, key_heads: int) -> torch.Tensor:
    """(H, L, D) to (K, H / K * L, D): query heads that share a key head are one head of more tokens."""
    return part.reshape(key_heads, -1, part.shape[-1])


def ungroup(part: torch.Tensor, heads: int) -> torch.Tensor:
    """(K, H / K * L, D) back to (H, L, D)."""
    return part.reshape(heads, -1, part.shape[-1])


def _part(bias: torch.Tensor, own: slice, end: int) -> torch.Tensor:
    """(L, N) of a bias (N, N) for a block of a row's own tokens, up to the `end`th of the row."""
    return bias[end - (own.stop - own.start) : end, :end]


def weigh(query: torch.Tensor, key: torch.Tensor, bias: torch.Tensor, scoring: Scoring) -> torch.Tensor:
    """Attention weights (K, H / K * L, N).

    Args:
        query: (K, H / K * L, D) From `group`.
        key: (K, N, D).
        bias: (L, N) Added to the scores: 0, or minus infinity where a token does not see another.
        scoring: What the weights are made with.
    """
    scores = _scores(query, key, scoring).unflatten(1, (-1, len(bias)))
    sinks = None if scoring.sinks is None else scoring.sinks.view(len(key), -1, 1, 1)
    return softmax(scores.add_(bias), sinks).flatten(1, 2)


def _scores(query: torch.Tensor, key: torch.Tensor, scoring: Scoring) -> torch.Tensor:
    """(K, H / K * L, N), capped, and not yet masked."""
    return cap(torch.bmm(query, key.transpose(1, 2)).mul_(scoring.scale), scoring.softcap)


def cap(scores: torch.Tensor, softcap: float | None) -> torch.Tensor:
    """Scores as `Scoring.softcap` changes them, in place."""
    return scores if softcap is None else scores.div_(softcap).tanh_().mul_(softcap)


def softmax(scores: torch.Tensor, sinks: torch.Tensor | None) -> torch.Tensor:
    """Attention weights (..., N).

    Args:
        scores: (..., N).
        sinks: (..., 1) or what can be expanded to it; None where there are none.
    """
    if sinks is None:
        return torch.softmax(scores, -1)
    sinks = sinks.to(scores.dtype).expand(*scores.shape[:-1], 1)
    return torch.softmax(torch.cat((scores, sinks), -1), -1)[..., :-1]


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
