"""Attention over rows that lie end to end, against torch's own with a mask."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention
from transformers import Qwen2Config

from inoculate.attention import attend_rows, check
from inoculate.errors import UserError


def parts(lengths: list[int], heads: int = 4, groups: int = 2, width: int = 8) -> list[torch.Tensor]:
    """Query, key and value of all rows, which want gradients."""
    torch.manual_seed(0)
    made = (torch.randn(1, many, sum(lengths), width) for many in (heads, heads // groups, heads // groups))
    return [part.requires_grad_() for part in made]


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    groups=st.sampled_from([1, 2, 4]),
    window=st.none() | st.integers(1, 10),
)
def test_rows_end_to_end_are_each_row_by_itself(lengths: list[int], groups: int, window: int | None) -> None:
    query, key, value = parts(lengths, groups=groups)
    found, _ = attend_rows(torch.nn.Module(), query, key, value, None, row_lengths=lengths, sliding_window=window)
    found.square().sum().backward()
    grads = [part.grad.clone() for part in (query, key, value) if part.grad is not None]
    for part in (query, key, value):
        part.grad = None
    # The whole as one, every head with its own keys, and a mask for all that a token may not see.
    row = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    back = torch.arange(len(row))[:, None] - torch.arange(len(row))[None, :]
    sees = (row[:, None] == row[None, :]) & (back >= 0) & (back < (window or len(row) + 1))
    many = [part.repeat_interleave(groups, 1) for part in (key, value)]
    wanted = scaled_dot_product_attention(query, *many, attn_mask=sees).transpose(1, 2)
    wanted.square().sum().backward()
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    for one, part in zip(grads, (query, key, value), strict=True):
        torch.testing.assert_close(one, part.grad, atol=1e-4, rtol=1e-4)


def test_what_is_not_known_of_a_model_is_refused() -> None:
    query, key, value = parts([3])
    with pytest.raises(UserError, match="softcap"):
        attend_rows(torch.nn.Module(), query, key, value, None, row_lengths=[3], softcap=30.0)
    with pytest.raises(UserError, match=r"s_aux.*--server"):
        attend_rows(torch.nn.Module(), query, key, value, None, row_lengths=[3], s_aux=key)
    mixed = Qwen2Config(num_hidden_layers=2, layer_types=["full_attention", "linear_attention"])
    with pytest.raises(UserError, match=r"linear_attention.*known are full_attention, sliding_attention"):
        check(mixed)
    check(Qwen2Config(num_hidden_layers=2))
