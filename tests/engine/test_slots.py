"""Attention to keys and values in slots, against torch's own over every row's whole text with a mask."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from inoculate.engine.sampling.slots import Behind, Slots, attend_slots
from inoculate.errors import UserError

HEADS, SIZE = 4, 8


class Layer(torch.nn.Module):
    layer_idx = 0


def put(slots: Slots, parts: torch.Tensor) -> None:
    """Keys and values (2, B, K, T, D) into the first layer."""
    slots.update(parts[0], parts[1], 0)


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    new=st.integers(1, 3),
    groups=st.sampled_from([1, 2, 4]),
    window=st.none() | st.integers(1, 10),
)
def test_slots_are_attended_up_to_a_tokens_own_position(
    lengths: list[int], new: int, groups: int, window: int | None
) -> None:
    torch.manual_seed(0)
    rows = len(lengths)
    at = torch.tensor(lengths)[:, None] - 1 + torch.arange(new)
    most = int(at.max()) + 3
    query = torch.randn(rows, HEADS, new, SIZE)
    key, value = (torch.randn(rows, HEADS // groups, most, SIZE) for _ in range(2))
    places = torch.arange(most)
    seen = places <= at[:, None, :, None]
    unseen = torch.zeros(seen.shape).masked_fill(~seen, -torch.inf)
    found, _ = attend_slots(
        Layer(), query, key, value, None, at=at, places=places[None], unseen=unseen, sliding_window=window, scaling=0.3
    )
    sees = seen & (places > at[:, None, :, None] - (window or most))
    many = [part.repeat_interleave(groups, 1) for part in (key, value)]
    wanted = scaled_dot_product_attention(query, *many, attn_mask=sees, scale=0.3).transpose(1, 2)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)


@given(
    prompts=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    written=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(1, 6)), min_size=1, max_size=7),
    groups=st.sampled_from([1, 2, 4]),
    window=st.none() | st.integers(1, 10),
    everyone=st.booleans(),
)
def test_samples_attend_to_their_prompt_and_to_what_they_wrote(
    prompts: list[int], written: list[tuple[int, int, int]], groups: int, window: int | None, everyone: bool
) -> None:
    """Rows in any order, some samples of a prompt gone; rows are (prompt, sample, tokens written)."""
    torch.manual_seed(0)
    rows = {(prompt % len(prompts), sample): count for prompt, sample, count in written}
    if everyone:
        rows = {
            (prompt, sample): rows.get((prompt, sample), 1) for prompt in range(len(prompts)) for sample in range(3)
        }
    kinds = HEADS // groups
    asked, own = Slots(len(prompts) + 1), Slots(len(rows))
    width = asked.look(0, torch.tensor([[max(prompts)]]))
    put(asked, torch.zeros(2, 1, kinds, 1, SIZE))
    for slot, length in enumerate(prompts):
        asked.look(slot, torch.arange(length)[None])
        put(asked, torch.randn(2, 1, kinds, length, SIZE))
    for slot, count in enumerate(rows.values()):
        own.look(slot, torch.arange(count)[None])
        put(own, torch.randn(2, 1, kinds, count, SIZE))
    key, value = own.keys[0], own.values[0]
    slots, samples, lengths = torch.tensor([(prompt, sample, prompts[prompt]) for prompt, sample in rows]).T
    full = list(rows) == [(prompt, sample) for prompt in range(len(prompts)) for sample in range(3)]
    behind = Behind(asked, 3, len(prompts), slots, samples, lengths, full)
    at = lengths[:, None] + torch.tensor(list(rows.values()))[:, None] - 1
    places = torch.cat((behind.places(), lengths[:, None] + torch.arange(own.width)), 1)
    unseen = torch.zeros(len(rows), 1, 1, places.shape[1]).masked_fill_((places > at)[:, None, None], -torch.inf)
    query = torch.randn(len(rows), HEADS, 1, SIZE)
    found, _ = attend_slots(
        Layer(), query, key, value, None, at=at, places=places, unseen=unseen, behind=behind, sliding_window=window
    )
    assert asked.width == len(width)
    for row, ((prompt, _), count) in enumerate(rows.items()):
        whole = [
            torch.cat((part[prompt, :, : prompts[prompt]], mine[row, :, :count]), 1)[:, -(window or 99) :]
            for part, mine in ((asked.keys[0], key), (asked.values[0], value))
        ]
        keys, values = (part.repeat_interleave(groups, 0) for part in whole)
        wanted = scaled_dot_product_attention(query[row], keys, values)
        torch.testing.assert_close(found[row].transpose(0, 1), wanted, atol=1e-5, rtol=1e-4)


@given(stay=st.sets(st.integers(0, 7)))
def test_rows_that_stay_take_the_first_slots(stay: set[int]) -> None:
    slots = Slots(8)
    slots.look(0, torch.zeros(8, 1, dtype=torch.long))
    put(slots, torch.arange(8.0).expand(2, 1, 1, 1, 8).transpose(1, 4))
    order = slots.keep(sorted(stay))
    assert set(order) == stay
    assert slots.keys[0][: len(order), 0, 0, 0].tolist() == order


def test_what_is_not_known_of_a_model_is_refused() -> None:
    query = torch.zeros(1, 4, 1, 8)
    at = torch.zeros(1, 1, dtype=torch.long)
    with pytest.raises(UserError, match=r"s_aux.*--server"):
        attend_slots(Layer(), query, query, query, None, at=at, places=at, unseen=torch.zeros(1, 1, 1, 1), s_aux=query)
