"""Attention over packed rows, against torch's own with a mask."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention
from transformers import Qwen2Config

from inoculate.engine.kernels import attention
from inoculate.engine.kernels.attention import attend_rows, check_layer_types
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
    block=st.none() | st.integers(1, 10),
)
def test_packed_rows_attend_only_to_themselves(
    lengths: list[int], groups: int, window: int | None, block: int | None
) -> None:
    query, key, value = parts(lengths, groups=groups)
    if block is None:  # as it is on a GPU
        found = attention._forward(query, key, value, lengths, 8**-0.5, window)
    else:
        found, _ = attend_rows(torch.nn.Module(), query, key, value, None, row_lengths=lengths, sliding_window=window)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "BLOCK", block)
        found.square().sum().backward()
    grads = [part.grad.clone() for part in (query, key, value) if part.grad is not None]
    for part in (query, key, value):
        part.grad = None
    # All rows as one sequence, every query head with its own keys, and a mask.
    row = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    back = torch.arange(len(row))[:, None] - torch.arange(len(row))[None, :]
    sees = (row[:, None] == row[None, :]) & (back >= 0) & (back < (window or len(row) + 1))
    many = [part.repeat_interleave(groups, 1) for part in (key, value)]
    wanted = scaled_dot_product_attention(query, *many, attn_mask=sees).transpose(1, 2)
    wanted.square().sum().backward()
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    for one, part in zip(grads, (query, key, value), strict=True):
        torch.testing.assert_close(one, part.grad, atol=1e-4, rtol=1e-4)


def test_in_bfloat16_gradients_are_as_near_as_those_of_eager_attention() -> None:
    """Against float32, with scores of a standard deviation of 2."""
    torch.manual_seed(0)
    whole = [torch.randn(1, heads, 300, 64) * size for heads, size in ((6, 2.0), (2, 1.0), (2, 1.0))]
    grad = torch.randn(1, 300, 6, 64)

    def eager(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        key, value = (part.repeat_interleave(3, 1) for part in (key, value))
        scores = query @ key.transpose(2, 3) / 8 + torch.full_like(query[0, 0] @ key[0, 0].T, -torch.inf).triu(1)
        return (torch.softmax(scores, -1, dtype=torch.float32).to(query.dtype) @ value).transpose(1, 2)

    def ours(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        return attend_rows(torch.nn.Module(), query, key, value, None, row_lengths=[100, 200])[0]

    def theirs(*given: torch.Tensor) -> torch.Tensor:
        return torch.cat(
            [eager(*(part[:, :, :100] for part in given)), eager(*(part[:, :, 100:] for part in given))], 1
        )

    def gradients(way: Any, dtype: torch.dtype) -> list[torch.Tensor]:
        given = [part.bfloat16().to(dtype).requires_grad_() for part in whole]
        way(*given).backward(grad.bfloat16().to(dtype))
        return [part.grad.double() for part in given if part.grad is not None]

    wanted = gradients(theirs, torch.float32)
    for one, other, true in zip(
        gradients(ours, torch.bfloat16), gradients(theirs, torch.bfloat16), wanted, strict=True
    ):
        assert (one - true).norm() < 1.2 * (other - true).norm() < 0.03 * true.norm()


def test_unsupported_attention_is_refused() -> None:
    query, key, value = parts([3])
    with pytest.raises(UserError, match="softcap"):
        attend_rows(torch.nn.Module(), query, key, value, None, row_lengths=[3], softcap=30.0)
    with pytest.raises(UserError, match=r"s_aux.*--server"):
        attend_rows(torch.nn.Module(), query, key, value, None, row_lengths=[3], s_aux=key)
    mixed = Qwen2Config(num_hidden_layers=2, layer_types=["full_attention", "linear_attention"])
    with pytest.raises(UserError, match=r"linear_attention.*supported are full_attention, sliding_attention"):
        check_layer_types(mixed)
    check_layer_types(Qwen2Config(num_hidden_layers=2))
