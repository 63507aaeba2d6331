"""Attention over the KV cache, against torch's own over each whole sequence with a mask."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from inoculate.engine.sampling.kv_cache import KVCache, SharedPrompts, attend_cache
from inoculate.errors import UserError

HEADS, SIZE = 4, 8


class Layer(torch.nn.Module):
    layer_idx = 0


def store(cache: KVCache, parts: torch.Tensor) -> None:
    """Store keys and values (2, B, K, T, D) in the first layer."""
    cache.update(parts[0], parts[1], 0)


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    new=st.integers(1, 3),
    groups=st.sampled_from([1, 2, 4]),
    window=st.none() | st.integers(1, 10),
)
def test_tokens_attend_up_to_their_own_position(lengths: list[int], new: int, groups: int, window: int | None) -> None:
    torch.manual_seed(0)
    rows = len(lengths)
    at = torch.tensor(lengths)[:, None] - 1 + torch.arange(new)
    width = int(at.max()) + 3
    query = torch.randn(rows, HEADS, new, SIZE)
    key, value = (torch.randn(rows, HEADS // groups, width, SIZE) for _ in range(2))
    positions = torch.arange(width)
    causal = positions <= at[:, None, :, None]
    bias = torch.zeros(causal.shape).masked_fill(~causal, -torch.inf)
    found, _ = attend_cache(
        Layer(), query, key, value, None,
        query_positions=at, key_positions=positions[None], causal_bias=bias, sliding_window=window, scaling=0.3,
    )  # fmt: skip
    sees = causal & (positions > at[:, None, :, None] - (window or width))
    many = [part.repeat_interleave(groups, 1) for part in (key, value)]
    wanted = scaled_dot_product_attention(query, *many, attn_mask=sees, scale=0.3).transpose(1, 2)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)


@given(
    prompts=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    counts=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(1, 6)), min_size=1, max_size=7),
    groups=st.sampled_from([1, 2, 4]),
    window=st.none() | st.integers(1, 10),
    complete=st.booleans(),
)
def test_samples_attend_to_their_prompt_and_their_own_tokens(
    prompts: list[int], counts: list[tuple[int, int, int]], groups: int, window: int | None, complete: bool
) -> None:
    """Rows in any order, some samples of a prompt gone; rows are (prompt, sample, completion tokens)."""
    torch.manual_seed(0)
    rows = {(prompt % len(prompts), sample): count for prompt, sample, count in counts}
    if complete:
        rows = {
            (prompt, sample): rows.get((prompt, sample), 1) for prompt in range(len(prompts)) for sample in range(3)
        }
    key_heads = HEADS // groups
    prompt_cache, cache = KVCache(len(prompts) + 1), KVCache(len(rows))
    width = prompt_cache.select(0, torch.tensor([[max(prompts)]]))
    store(prompt_cache, torch.zeros(2, 1, key_heads, 1, SIZE))
    for slot, length in enumerate(prompts):
        prompt_cache.select(slot, torch.arange(length)[None])
        store(prompt_cache, torch.randn(2, 1, key_heads, length, SIZE))
    for slot, count in enumerate(rows.values()):
        cache.select(slot, torch.arange(count)[None])
        store(cache, torch.randn(2, 1, key_heads, count, SIZE))
    key, value = cache.keys[0], cache.values[0]
    slots, samples, lengths = torch.tensor([(prompt, sample, prompts[prompt]) for prompt, sample in rows]).T
    is_complete = list(rows) == [(prompt, sample) for prompt in range(len(prompts)) for sample in range(3)]
    shared_prompts = SharedPrompts(prompt_cache, 3, len(prompts), slots, samples, lengths, is_complete)
    at = lengths[:, None] + torch.tensor(list(rows.values()))[:, None] - 1
    positions = torch.cat((shared_prompts.positions(), lengths[:, None] + torch.arange(cache.width)), 1)
    bias = torch.zeros(len(rows), 1, 1, positions.shape[1]).masked_fill_((positions > at)[:, None, None], -torch.inf)
    query = torch.randn(len(rows), HEADS, 1, SIZE)
    found, _ = attend_cache(
        Layer(), query, key, value, None, query_positions=at, key_positions=positions,
        causal_bias=bias, shared_prompts=shared_prompts, sliding_window=window,
    )  # fmt: skip
    assert prompt_cache.width == len(width)
    for row, ((prompt, _), count) in enumerate(rows.items()):
        whole = [
            torch.cat((part[prompt, :, : prompts[prompt]], mine[row, :, :count]), 1)[:, -(window or 99) :]
            for part, mine in ((prompt_cache.keys[0], key), (prompt_cache.values[0], value))
        ]
        keys, values = (part.repeat_interleave(groups, 0) for part in whole)
        wanted = scaled_dot_product_attention(query[row], keys, values)
        torch.testing.assert_close(found[row].transpose(0, 1), wanted, atol=1e-5, rtol=1e-4)


@given(kept=st.sets(st.integers(0, 7)))
def test_remaining_sequences_take_the_first_slots(kept: set[int]) -> None:
    cache = KVCache(8)
    cache.select(0, torch.zeros(8, 1, dtype=torch.long))
    store(cache, torch.arange(8.0).expand(2, 1, 1, 1, 8).transpose(1, 4))
    order = cache.compact(sorted(kept))
    assert set(order) == kept
    assert cache.keys[0][: len(order), 0, 0, 0].tolist() == order


def test_unsupported_attention_is_refused() -> None:
    query = torch.zeros(1, 4, 1, 8)
    at = torch.zeros(1, 1, dtype=torch.long)
    with pytest.raises(UserError, match=r"s_aux.*--server"):
        attend_cache(
            Layer(), query, query, query, None,
            query_positions=at, key_positions=at, causal_bias=torch.zeros(1, 1, 1, 1), s_aux=query,
        )  # fmt: skip
