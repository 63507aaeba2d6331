"""Attention over the KV cache, against torch's own over each whole sequence with a mask."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from inoculate.engine.sampling import kv_cache
from inoculate.engine.sampling.kv_cache import Decoding, KVCache, Prefill, SharedPrompts, attend_cache
from inoculate.errors import UserError

HEADS, SIZE = 4, 8


class Layer(torch.nn.Module):
    layer_idx = 0


def eager(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    seen: torch.Tensor,
    scale: float,
    softcap: float | None,
    sinks: torch.Tensor | None,
) -> torch.Tensor:
    """Attention (..., H, T, D): torch's own, or what transformers' `eager` computes in Gemma 2 and GPT-OSS."""
    if softcap is None and sinks is None:
        return scaled_dot_product_attention(query, key, value, attn_mask=seen, scale=scale)
    scores = query @ key.transpose(-1, -2) * scale
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    scores = scores.masked_fill(~seen, -torch.inf)
    if sinks is not None:
        scores = torch.cat((scores, sinks[:, None, None].expand(*scores.shape[:-1], 1)), -1)
    return torch.softmax(scores, -1)[..., : seen.shape[1]] @ value


def store(cache: KVCache, slot: int, parts: torch.Tensor) -> None:
    """Store keys and values (2, K, T, D) in the first layer, from the start of a slot."""
    length = parts.shape[2]
    cache.select(torch.full((length,), slot), torch.arange(length))
    cache.update(parts[:1], parts[1:], 0)


def filled(lengths: list[int], heads: int) -> tuple[KVCache, list[torch.Tensor]]:
    """A cache with a sequence of random keys and values in each slot, and those (2, K, T, D)."""
    cache, parts = KVCache(len(lengths)), [torch.randn(2, heads, length, SIZE) for length in lengths]
    for slot, part in enumerate(parts):
        store(cache, slot, part)
    return cache, parts


@given(
    rows=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 6)), min_size=1, max_size=4),
    groups=st.sampled_from([1, 2, 4]),
    window=st.none() | st.integers(1, 10),
    softcap=st.none() | st.floats(0.2, 3.0),
    has_sinks=st.booleans(),
    queries=st.integers(1, 5),
)
def test_packed_rows_attend_to_their_own_slots(
    rows: list[tuple[int, int]], groups: int, window: int | None, softcap: float | None, has_sinks: bool, queries: int
) -> None:
    """Rows are (tokens in the cache before, new tokens)."""
    torch.manual_seed(0)
    cached, new = zip(*rows, strict=True)
    cache, parts = filled([before + more for before, more in rows], HEADS // groups)
    query = torch.randn(1, HEADS, sum(new), SIZE)
    sinks = torch.randn(HEADS) if has_sinks else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kv_cache, "QUERIES", queries)
        found, weights = attend_cache(
            Layer(), query, cache.keys[0], cache.values[0], None, rows=Prefill(range(len(rows)), cached, new),
            sliding_window=window, scaling=0.3, softcap=softcap, s_aux=sinks,
        )  # fmt: skip
    assert weights is None
    start = 0
    for part, before, more in zip(parts, cached, new, strict=True):
        keys, values = (each.repeat_interleave(groups, 0)[None] for each in part)
        seen = torch.ones(before + more, before + more, dtype=torch.bool).tril()
        if window is not None:
            seen = seen.triu(1 - window)
        row = query[:, :, start : start + more]
        wanted = eager(row, keys, values, seen[before:], 0.3, softcap, sinks)
        torch.testing.assert_close(found[:, start : start + more], wanted.transpose(1, 2), atol=1e-5, rtol=1e-4)
        start += more


@given(
    prompts=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    counts=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(1, 6)), min_size=1, max_size=7),
    groups=st.sampled_from([1, 2, 4]),
    window=st.none() | st.integers(1, 10),
    complete=st.booleans(),
    softcap=st.none() | st.floats(0.2, 3.0),
    has_sinks=st.booleans(),
)
def test_samples_attend_to_their_prompt_and_their_own_tokens(
    prompts: list[int],
    counts: list[tuple[int, int, int]],
    groups: int,
    window: int | None,
    complete: bool,
    softcap: float | None,
    has_sinks: bool,
) -> None:
    """Rows in any order, some samples of a prompt gone; rows are (prompt, sample, completion tokens)."""
    torch.manual_seed(0)
    rows = {(prompt % len(prompts), sample): count for prompt, sample, count in counts}
    if complete:
        rows = {
            (prompt, sample): rows.get((prompt, sample), 1) for prompt in range(len(prompts)) for sample in range(3)
        }
    key_heads = HEADS // groups
    prompt_cache, prompt_parts = filled(prompts, key_heads)
    cache, parts = filled(list(rows.values()), key_heads)
    slots, samples, lengths = torch.tensor([(prompt, sample, prompts[prompt]) for prompt, sample in rows]).T
    is_complete = list(rows) == [(prompt, sample) for prompt in range(len(prompts)) for sample in range(3)]
    shared_prompts = SharedPrompts(prompt_cache, 3, len(prompts), slots, samples, lengths, is_complete)
    at = lengths[:, None] + torch.tensor(list(rows.values()))[:, None] - 1
    positions = torch.cat((shared_prompts.positions(), lengths[:, None] + torch.arange(cache.width)), 1)
    bias = torch.zeros(len(rows), 1, 1, positions.shape[1]).masked_fill_((positions > at)[:, None, None], -torch.inf)
    query = torch.randn(len(rows), HEADS, 1, SIZE)
    sinks = torch.randn(HEADS) if has_sinks else None
    found, _ = attend_cache(
        Layer(), query, cache.keys[0], cache.values[0], None, rows=Decoding(shared_prompts, at[:, 0], positions, bias),
        sliding_window=window, softcap=softcap, s_aux=sinks,
    )  # fmt: skip
    for row, (prompt, _) in enumerate(rows):
        whole = torch.cat((prompt_parts[prompt], parts[row]), 2)[:, :, -(window or 99) :]
        keys, values = whole.repeat_interleave(groups, 1)
        seen = torch.ones(1, whole.shape[2], dtype=torch.bool)
        wanted = eager(query[row], keys, values, seen, SIZE**-0.5, softcap, sinks)
        torch.testing.assert_close(found[row].transpose(0, 1), wanted, atol=1e-5, rtol=1e-4)


def test_a_beginning_is_copied_to_other_slots() -> None:
    torch.manual_seed(0)
    cache, (first, second, _) = filled([4, 6, 2], 2)
    cache.copy([0, 1], [2, 0], 3)
    for part, kept in enumerate((cache.keys[0], cache.values[0])):
        assert torch.equal(kept[2, :, :3], first[part, :, :3])
        assert torch.equal(kept[0, :, :3], second[part, :, :3])
        assert torch.equal(kept[0, :, 3], first[part, :, 3])


@given(kept=st.sets(st.integers(0, 7)))
def test_remaining_sequences_take_the_first_slots(kept: set[int]) -> None:
    cache = KVCache(8)
    for slot in range(8):
        store(cache, slot, torch.full((2, 1, 1, 1), float(slot)))
    order = cache.compact(sorted(kept))
    assert set(order) == kept
    assert cache.keys[0][: len(order), 0, 0, 0].tolist() == order


def test_unsupported_attention_is_refused() -> None:
    query = torch.zeros(1, 4, 1, 8)
    with pytest.raises(UserError, match=r"position_bias.*--server"):
        attend_cache(Layer(), query, query, query, None, rows=Prefill([0], [0], [1]), position_bias=query)
