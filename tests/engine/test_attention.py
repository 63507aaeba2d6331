"""Attention over packed rows, against torch's own with a mask."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.attention.flex_attention import flex_attention
from torch.nn.functional import scaled_dot_product_attention

from inoculate.engine.kernels import attention
from inoculate.engine.kernels.attention import PackedRows, Scoring, Segment, attend_rows
from inoculate.errors import UserError


def parts(lengths: list[int], heads: int = 4, groups: int = 2, width: int = 8) -> list[torch.Tensor]:
    """Query, key and value of all rows, which want gradients."""
    torch.manual_seed(0)
    made = (torch.randn(1, many, sum(lengths), width) for many in (heads, heads // groups, heads // groups))
    return [part.requires_grad_() for part in made]


def rows_of(lengths: list[int], shared: list[int]) -> PackedRows:
    """Rows of which each goes on from the one before it after some tokens."""
    path: list[int] = []
    packed, start = [], 0
    for number, (length, common) in enumerate(zip(lengths, shared, strict=True)):
        kept = min(common, len(path))
        path = [*path[:kept], *range(start, start + length)]
        packed.append(([number] * kept, path))
        start += length
    until, positions, segments = [0] * start, [0] * start, []
    for (before, row), length in zip(packed, lengths, strict=True):
        for position, place in enumerate(row):
            until[place], positions[place] = row[-1] + 1, position
        context = tuple(slice(place, place + 1) for place in row[: len(before)])
        segments.append(Segment(slice(row[-1] + 1 - length, row[-1] + 1), context))
    return PackedRows(segments, torch.tensor(until), torch.tensor(positions))


def visible(rows: PackedRows, window: int | None) -> torch.Tensor:
    """(T, T) What each token sees, from the segments alone."""
    seen = torch.zeros(len(rows.positions), len(rows.positions), dtype=torch.bool)
    for segment in rows.segments:
        path = [place for tokens in (*segment.context, segment.own) for place in range(tokens.start, tokens.stop)]
        for position, place in enumerate(path):
            if place >= segment.own.start:
                seen[place, path[max(0, position + 1 - (window or len(path))) : position + 1]] = True
    return seen


trees = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 12)), min_size=1, max_size=6)


@given(
    tree=trees,
    groups=st.sampled_from([1, 2, 4]),
    window=st.none() | st.integers(1, 10),
    block=st.integers(1, 10),
    on_cpu=st.booleans(),
)
def test_tokens_attend_to_those_before_them_in_their_row(
    tree: list[tuple[int, int]], groups: int, window: int | None, block: int, on_cpu: bool
) -> None:
    lengths, shared = zip(*tree, strict=True)
    rows = rows_of([*lengths], [*shared])
    query, key, value = parts([*lengths], groups=groups)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "BLOCK", block)
        if on_cpu:
            found, _ = attend_rows(torch.nn.Module(), query, key, value, None, packed_rows=rows, sliding_window=window)
        else:
            found = attention._attend_by_segment(query, key, value, rows, Scoring(8**-0.5, window))
        found.square().sum().backward()
    grads = [part.grad.clone() for part in (query, key, value) if part.grad is not None]
    for part in (query, key, value):
        part.grad = None
    # All tokens as one sequence, every query head with its own keys, and a mask.
    many = [part.repeat_interleave(groups, 1) for part in (key, value)]
    wanted = scaled_dot_product_attention(query, *many, attn_mask=visible(rows, window)).transpose(1, 2)
    wanted.square().sum().backward()
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    for one, part in zip(grads, (query, key, value), strict=True):
        torch.testing.assert_close(one, part.grad, atol=1e-4, rtol=1e-4)


def eager(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, seen: torch.Tensor, form: Scoring) -> Any:
    """What transformers' `eager` computes in Gemma 2 and GPT-OSS: (1, T, H, D)."""
    key, value = (part.repeat_interleave(query.shape[1] // part.shape[1], 1) for part in (key, value))
    scores = query @ key.transpose(2, 3) * form.scale
    if form.softcap is not None:
        scores = torch.tanh(scores / form.softcap) * form.softcap
    scores = scores.masked_fill(~seen, -torch.inf)
    if form.sinks is not None:
        scores = torch.cat((scores, form.sinks[None, :, None, None].expand(1, -1, len(seen), 1)), -1)
    return (torch.softmax(scores, -1)[..., : len(seen)] @ value).transpose(1, 2)


@given(
    tree=trees,
    groups=st.sampled_from([1, 2, 4]),
    window=st.none() | st.integers(1, 10),
    block=st.integers(1, 10),
    softcap=st.none() | st.floats(0.2, 3.0),
    has_sinks=st.booleans(),
)
def test_scores_may_be_capped_and_go_to_sinks(
    tree: list[tuple[int, int]], groups: int, window: int | None, block: int, softcap: float | None, has_sinks: bool
) -> None:
    lengths, shared = zip(*tree, strict=True)
    rows = rows_of([*lengths], [*shared])
    # In double precision, so that nothing but the meaning can differ.
    query, key, value = (part.detach().double().requires_grad_() for part in parts([*lengths], groups=groups))
    form = Scoring(0.7, window, softcap, torch.randn(4, dtype=torch.float64) if has_sinks else None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "BLOCK", block)
        found, _ = attend_rows(
            torch.nn.Module(), query, key, value, None, packed_rows=rows,
            scaling=form.scale, sliding_window=window, softcap=softcap, s_aux=form.sinks,
        )  # fmt: skip
        grads = torch.autograd.grad(found.square().sum(), (query, key, value))
    wanted = eager(query, key, value, visible(rows, window), form)
    torch.testing.assert_close(found, wanted, atol=1e-10, rtol=1e-10)
    for one, other in zip(grads, torch.autograd.grad(wanted.square().sum(), (query, key, value)), strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-10)


@settings(max_examples=20)
@given(
    tree=trees,
    window=st.none() | st.integers(1, 10),
    softcap=st.none() | st.floats(0.2, 3.0),
    has_sinks=st.booleans(),
)
def test_on_a_gpu_the_mask_means_the_same(
    tree: list[tuple[int, int]], window: int | None, softcap: float | None, has_sinks: bool
) -> None:
    """FlexAttention itself, not compiled: on a CPU it has the forward pass only."""
    lengths, shared = zip(*tree, strict=True)
    rows = rows_of([*lengths], [*shared])
    query, key, value = (part.detach() for part in parts([*lengths]))
    form = Scoring(0.7, window, softcap, torch.randn(4) if has_sinks else None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "_compiled_flex_attention", lambda: flex_attention)
        found = attention._attend_on_gpu(query, key, value, rows, form)
    wanted = eager(query, key, value, visible(rows, window), form)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)


def test_in_bfloat16_gradients_are_as_near_as_those_of_eager_attention() -> None:
    """Against float32, with scores of a standard deviation of 2."""
    torch.manual_seed(0)
    whole = [torch.randn(1, heads, 300, 64) * size for heads, size in ((6, 2.0), (2, 1.0), (2, 1.0))]
    grad = torch.randn(1, 300, 6, 64)

    def one_row(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        key, value = (part.repeat_interleave(3, 1) for part in (key, value))
        scores = query @ key.transpose(2, 3) / 8 + torch.full_like(query[0, 0] @ key[0, 0].T, -torch.inf).triu(1)
        return (torch.softmax(scores, -1, dtype=torch.float32).to(query.dtype) @ value).transpose(1, 2)

    def ours(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        return attend_rows(torch.nn.Module(), query, key, value, None, packed_rows=rows_of([100, 200], [0, 0]))[0]

    def theirs(*given: torch.Tensor) -> torch.Tensor:
        return torch.cat(
            [one_row(*(part[:, :, :100] for part in given)), one_row(*(part[:, :, 100:] for part in given))], 1
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
    with pytest.raises(UserError, match=r"position_bias.*--server"):
        attend_rows(torch.nn.Module(), query, key, value, None, packed_rows=rows_of([3], [0]), position_bias=key)
