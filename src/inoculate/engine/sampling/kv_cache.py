"""The KV cache for sampling, updated in place, and the attention that reads it.

Sequences occupy cache slots; the slots in use are the first ones. Token number t of a sequence has its keys and values
at position t of its slot, however long the other sequences are. So nothing is padded or moved when a token is added,
and when a sequence ends, the last one moves into its slot. Prompts and completions have caches of their own. Every
prompt's slot holds all of its tokens, also those that it shares with other prompts. `SharedPrompts` says which prompt
each completion belongs to, so that the samples of a prompt share its keys and values.

Shapes: R slots, B sequences of a decoding step, T tokens, W positions, H query heads, K heads of keys and values,
G query heads that share one of them, D head size; P prompts with S samples each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, Cache

from inoculate.engine.kernels.attention import (
    PackedRows,
    Scoring,
    attend_rows,
    cap,
    check_attention_arguments,
    group,
    softmax,
    ungroup,
    weigh,
)

ATTENTION = "inoculate_slots"
"""The name of `attend_cache` in transformers (`attn_implementation`), after `register`."""
BLOCK = 32
"""Positions that are allocated at once. All W are multiplied, used or not: matrix products need contiguous memory."""
QUERIES = 256
"""New tokens of a prompt whose scores are held at once, where torch's own attention cannot be used."""


class KVCache(Cache):
    """The cache of a model; where the tokens of a forward pass are stored is chosen with `select` before it."""

    def __init__(self, slots: int) -> None:
        """Create an empty cache.

        Args:
            slots: R.
        """
        super().__init__(layers=[])
        self.slots = slots
        self.keys: list[torch.Tensor] = []
        """(R, K, W, D) of each layer."""
        self.values: list[torch.Tensor] = []
        """(R, K, W, D) of each layer."""
        self.width = 0
        """W."""
        self._slots = self._positions = torch.empty(0, dtype=torch.long)

    def select(self, slots: torch.Tensor, positions: torch.Tensor) -> None:
        """Choose where the N tokens of the next forward pass are stored.

        Args:
            slots: (N,) The slot of each token.
            positions: (N,) Its position there.
        """
        self._slots, self._positions = slots, positions
        self._grow(int(positions.max()) + 1)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Store the keys and values (B, K, T, D) of new tokens, N = B * T; return those of all slots, (R, K, W, D)."""
        if layer_idx == len(self.keys):
            _, heads, _, size = key_states.shape
            # Zeros and not uninitialised memory: masked positions are multiplied with 0, and must be finite.
            self.keys.append(key_states.new_zeros(self.slots, heads, self.width, size))
            self.values.append(value_states.new_zeros(self.slots, heads, self.width, size))
        for cached, new in ((self.keys[layer_idx], key_states), (self.values[layer_idx], value_states)):
            cached[self._slots, :, self._positions] = new.transpose(1, 2).flatten(0, 1)
        return self.keys[layer_idx], self.values[layer_idx]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """0: positions are always passed explicitly."""
        return 0

    def copy(self, sources: Sequence[int], targets: Sequence[int], width: int) -> None:
        """Copy the first `width` positions of some slots to as many others."""
        for part in (*self.keys, *self.values):
            part[list(targets), :, :width] = part[list(sources), :, :width]

    def compact(self, kept: Sequence[int]) -> list[int]:
        """Remove sequences; the last of the others move into the slots that become free.

        Args:
            kept: Slots of the sequences that stay.

        Returns:
            For each of the first slots, the slot in which its sequence was before.
        """
        order, late = list(range(len(kept))), [slot for slot in kept if slot >= len(kept)]
        gaps = sorted(set(order) - set(kept))
        if gaps:
            for part in (*self.keys, *self.values):
                part[gaps] = part[late]
        for gap, slot in zip(gaps, late, strict=True):
            order[gap] = slot
        return order

    def _grow(self, width: int) -> None:
        missing = -(-width // BLOCK) * BLOCK - self.width
        if missing <= 0:
            return
        self.width += missing
        for layers in (self.keys, self.values):
            for number, part in enumerate(layers):
                slots, heads, before, size = part.shape
                wider = part.new_empty(slots, heads, self.width, size)
                wider[:, :, :before] = part
                wider[:, :, before:] = 0
                layers[number] = wider


MASKED = 2**31 - 1
"""The position of padding: later than every token, so that causal attention masks it."""


@dataclass(frozen=True)
class SharedPrompts:
    """The cached prompts of completions. Each is stored once for all its samples.

    Keys and values of a prompt are loaded once for all its samples, in a product with more rows (measured in bfloat16
    with 256 sequences, eight samples a prompt, 9 query heads on 3, 160 of 256 positions the prompt's: 2.0 ms a layer
    without this, 1.1 with it, and up to 0.35 for gathering the sequences).
    """

    cache: KVCache
    samples: int
    """S: the most completions of a prompt."""
    count: int
    """P: the prompts in the first slots."""
    prompt: torch.Tensor
    """(B,) The slot of each sequence's prompt."""
    sample: torch.Tensor
    """(B,) Which of its prompt's samples each sequence is."""
    lengths: torch.Tensor
    """(B,) Tokens of each sequence's prompt."""
    is_complete: bool
    """Whether all samples of all prompts are in the batch, in order: then no index is needed."""

    def positions(self) -> torch.Tensor:
        """(B, W) The positions of the prompts' tokens, `MASKED` beyond a prompt's end."""
        positions = torch.arange(self.cache.width, device=self.lengths.device)
        return positions.where(positions < self.lengths[:, None], MASKED)

    def scores(self, layer: int, query: torch.Tensor) -> torch.Tensor:
        """Products (B, K, G, W) of queries (B, K, G, D) with the keys of each sequence's prompt."""
        return self._products(query, self.cache.keys[layer].transpose(2, 3))

    def weighted_values(self, layer: int, weights: torch.Tensor) -> torch.Tensor:
        """Sums (B, K, G, D) of the values of each sequence's prompt with the weights (B, K, G, W)."""
        return self._products(weights, self.cache.values[layer])

    def _products(self, rows: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
        """(B, K, G, N) times (R, K, N, M): every row with its prompt's matrix, all samples of a prompt at once."""
        _, heads, shared, size = rows.shape
        if self.is_complete:
            grid = rows.unflatten(0, (self.count, self.samples)).transpose(1, 2)
        else:
            grid = rows.new_zeros(self.count, heads, self.samples, shared, size)
            grid[self.prompt, :, self.sample] = rows
        products = torch.matmul(grid.flatten(2, 3), matrices[: self.count]).unflatten(2, (self.samples, shared))
        return products.transpose(1, 2).flatten(0, 1) if self.is_complete else products[self.prompt, :, self.sample]


def register() -> None:
    """Register `attend_cache` with transformers. No mask function is registered, so transformers makes no mask."""
    AttentionInterface.register(ATTENTION, attend_cache)


class Prefill:
    """The rows of a prefill: the new tokens of several sequences, packed end to end without padding."""

    def __init__(self, slots: Sequence[int], cached: Sequence[int], lengths: Sequence[int]) -> None:
        """Set up.

        Args:
            slots: The slot of each row.
            cached: How many tokens its slot holds before.
            lengths: How many new tokens it has.
        """
        self.rows = list(zip(slots, cached, lengths, strict=True))
        self._biases: dict[int | None, list[torch.Tensor]] = {}

    def biases(self, window: int | None, like: torch.Tensor) -> list[torch.Tensor]:
        """For each row what is added to its scores (new tokens, all tokens); made once for all layers.

        Args:
            window: How many tokens back a token sees, itself included; None for all.
            like: A tensor of the precision and on the device wanted.
        """
        if window not in self._biases:
            self._biases[window] = []
            for _, cached, length in self.rows:
                keys = torch.arange(cached + length, device=like.device)
                distance = keys[cached:, None] - keys[None, :]
                hidden = distance < 0 if window is None else (distance < 0) | (distance >= window)
                bias = torch.zeros_like(hidden, dtype=like.dtype).masked_fill_(hidden, -torch.inf)
                self._biases[window].append(bias)
        return self._biases[window]


@dataclass(frozen=True)
class Decoding:
    """The rows of a decoding step: one new token of each sequence in the first slots."""

    prompts: SharedPrompts
    positions: torch.Tensor
    """(B,) Positions of the new tokens in their sequences, prompts included."""
    key_positions: torch.Tensor
    """(B, W) Positions of all keys, those of the prompts first."""
    bias: torch.Tensor
    """(B, 1, 1, W) Added to the scores: 0, or minus infinity where a key comes after the new token."""


def attend_cache(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    rows: Prefill | Decoding | None = None,
    packed_rows: PackedRows | None = None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention of new tokens to their own sequences in the cache; or of packed rows, without a cache.

    Args:
        module: The attention layer.
        query: (1, H, T, D) in a prefill, (B, H, 1, D) in a decoding step.
        key: (R, K, W, D) of all slots; without those of shared prompts, like the values.
        value: (R, K, W, D).
        attention_mask: None: `rows` takes its place.
        rows: Which sequences the new tokens belong to; the model's `forward` passes it on.
        packed_rows: In place of `rows` where answers are scored: `attend_rows` then does all of it.
        scaling: Of the scores; 1 / sqrt(D) unless given.
        sliding_window: As `Scoring.window`.
        softcap: As `Scoring.softcap`.
        s_aux: As `Scoring.sinks`.
        more: Further arguments of the model.

    Returns:
        (1, T, H, D) or (B, 1, H, D), and None where other implementations return the attention weights.

    Raises:
        UserError: The model's attention has a part that is not supported.
    """
    if packed_rows is not None:
        own = {"scaling": scaling, "sliding_window": sliding_window, "softcap": softcap, "s_aux": s_aux}
        return attend_rows(module, query, key, value, None, packed_rows=packed_rows, **own, **more)
    check_attention_arguments(more)
    count, heads, _, size = query.shape
    scoring = Scoring(size**-0.5 if scaling is None else scaling, sliding_window, softcap, s_aux)
    if isinstance(rows, Prefill):
        attended, start = [], 0
        for (slot, cached, length), bias in zip(rows.rows, rows.biases(sliding_window, query), strict=True):
            part, start = query[0, :, start : start + length], start + length
            seen = slot, slice(None), slice(cached + length)
            attended.append(_attend_to_row(part, key[seen], value[seen], bias, scoring).transpose(0, 1))
        return torch.cat(attended)[None], None
    if rows is None:
        raise ValueError("neither sequences of the cache nor packed rows were given")
    bias = rows.bias
    if sliding_window is not None:
        too_far = rows.key_positions <= rows.positions[:, None] - sliding_window
        bias = bias.masked_fill(too_far[:, None, None], -torch.inf)
    # Query heads that share a key head are treated as one query of several tokens: no keys are copied for them.
    grouped = query.reshape(count, key.shape[1], -1, size) * scoring.scale
    attended = _decode_attention(grouped, key[:count], value[:count], bias, rows.prompts, module.layer_idx, scoring)
    return attended.reshape(count, 1, heads, size), None


def _attend_to_row(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bias: torch.Tensor, scoring: Scoring
) -> torch.Tensor:
    """Attention (H, L, D) of L new tokens (H, L, D) to all N tokens (K, N, D) of their sequence, with a bias (L, N)."""
    heads = len(query)
    if scoring.is_plain:
        seen = (each.repeat_interleave(heads // len(key), 0)[None] for each in (key, value))
        return scaled_dot_product_attention(query[None], *seen, attn_mask=bias, scale=scoring.scale)[0]
    attended = []
    for part, seen in zip(query.split(QUERIES, 1), bias.split(QUERIES), strict=True):
        weights = weigh(group(part, len(key)), key, seen, scoring)
        attended.append(ungroup(torch.bmm(weights, value), heads))
    return torch.cat(attended, 1)


def _decode_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    causal_bias: torch.Tensor,
    shared_prompts: SharedPrompts,
    layer: int,
    scoring: Scoring,
) -> torch.Tensor:
    """Attention of one token for each sequence as batched matrix products, like transformers' `eager`.

    torch's kernel for CPUs processes each head by itself (measured with 64 sequences, 9 query heads on 3, 192
    positions: 1.05 ms, as batched products 0.47). Scores and the two sums are rounded to the model's precision, which
    torch's kernel does not do: in bfloat16 the log-probability of the likeliest token is off by 0.038, with
    transformers' own attention by 0.033 (root mean square, against float32; 135M model, benchmarks/rounding.py).
    """
    own_scores = torch.matmul(query, key.transpose(2, 3))
    scores = cap(torch.cat((shared_prompts.scores(layer, query), own_scores), -1), scoring.softcap)
    sinks = None if scoring.sinks is None else scoring.sinks.view(key.shape[1], -1, 1)
    weights = softmax(scores.add_(causal_bias), sinks)
    prompt = weights.shape[-1] - key.shape[2]
    return shared_prompts.weighted_values(layer, weights[..., :prompt]) + torch.matmul(weights[..., prompt:], value)
