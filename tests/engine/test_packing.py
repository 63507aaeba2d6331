"""Packed micro-batches: nothing lost, nothing twice, and what the model learns is what it learns row by row."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import Qwen2Config, Qwen2ForCausalLM

from inoculate.engine import packing
from inoculate.engine.kernels import attention
from inoculate.engine.packing import EncodedRow, pack_rows, shared_length, split_rows
from inoculate.engine.training.loss import cross_entropy

VOCABULARY = 7
"""Few tokens, so that rows drawn at random often begin alike."""
openings = st.sampled_from([[], [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 0, 1, 2], [1, 2, 3, 6, 6, 6]])
many_rows = st.lists(
    st.builds(
        lambda opening, rest, labels: EncodedRow(opening + rest, min(labels, len(opening + rest) - 1)),
        openings,
        st.lists(st.integers(0, VOCABULARY - 1), min_size=2, max_size=12),
        st.integers(1, 8),
    ),
    min_size=1,
    max_size=7,
)


@pytest.fixture(autouse=True)
def short_prefixes_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "LEAST_SHARED", 3)


def model(window: int | None = None) -> Qwen2ForCausalLM:
    attention.register()
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, sliding_window=window, use_sliding_window=window is not None, max_window_layers=0,
    )  # fmt: skip
    config._attn_implementation = attention.ROWS
    return Qwen2ForCausalLM(config).requires_grad_()


@given(rows=st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=40), max_size=20), budget=st.integers(40, 120))
def test_micro_batches_hold_every_row_once_within_the_budget(rows: list[list[int]], budget: int) -> None:
    split = split_rows(rows, budget)
    assert sorted(index for members in split for index in members) == list(range(len(rows)))
    for members in split:
        assert pack_rows([EncodedRow(rows[index], 0) for index in members]).tokens.shape[1] <= budget


@given(rows=many_rows)
def test_every_row_can_be_read_in_the_packed_tokens(rows: list[EncodedRow]) -> None:
    batch = pack_rows(rows)
    read, last = [], -1
    for segment in batch.rows.segments:
        assert segment.own.start == last + 1
        last = segment.own.stop - 1
        path = [place for tokens in (*segment.context, segment.own) for place in range(tokens.start, tokens.stop)]
        assert batch.rows.positions[path].tolist() == list(range(len(path)))
        read.append(batch.tokens[0, path].tolist())
    # A row that an earlier one contains has no tokens of its own.
    assert {tuple(row) for row in read} <= {tuple(row.tokens) for row in rows}
    assert all(any(each[: len(row.tokens)] == row.tokens for each in read) for row in rows)
    assert batch.weights.sum() == sum(row.labels for row in rows)
    assert batch.tokens.shape[1] <= sum(len(row.tokens) for row in rows)


@settings(max_examples=25)
@given(rows=many_rows, window=st.sampled_from([None, 4]), budget=st.sampled_from([25, 1000]))
def test_loss_and_gradients_are_those_of_the_rows_one_by_one(
    rows: list[EncodedRow], window: int | None, budget: int
) -> None:
    tuned = model(window)
    total = torch.zeros(())
    for members in split_rows([row.tokens for row in rows], budget):
        batch = pack_rows([rows[index] for index in members])
        logits = tuned(
            input_ids=batch.tokens,
            position_ids=batch.rows.positions[None],
            packed_rows=batch.rows,
            logits_to_keep=batch.predicting,
            use_cache=False,
        ).logits[0]
        loss = cross_entropy(logits, batch.targets, batch.weights)
        loss.backward()
        total += loss.detach()
    found = {name: weight.grad.clone() for name, weight in tuned.named_parameters() if weight.grad is not None}
    tuned.zero_grad()
    tuned.config._attn_implementation = "eager"
    wanted = torch.zeros(())
    for row in rows:
        logits = tuned(input_ids=torch.tensor([row.tokens])).logits[0, -row.labels - 1 : -1]
        wanted = wanted + torch.nn.functional.cross_entropy(
            logits, torch.tensor(row.tokens[-row.labels :]), reduction="sum"
        )
    wanted.backward()
    torch.testing.assert_close(total, wanted.detach(), rtol=1e-5, atol=1e-5)
    assert len(found) > 10
    for name, weight in tuned.named_parameters():
        torch.testing.assert_close(found[name], weight.grad, rtol=1e-5, atol=1e-5)


def test_rows_that_share_much_are_packed_together_and_computed_once() -> None:
    """Groups of completions of one prompt, as in RL: three prompts, four completions each, room for two groups."""
    prompts = [[number] * 20 for number in (1, 2, 3)]
    rows = [[*prompts[number % 3], 4, number % 5, 5 + number // 6, 0] for number in range(12)]
    split = split_rows(rows, 80)
    assert [{index % 3 for index in members} for members in split] == [{0, 1}, {2}]
    packed = [pack_rows([EncodedRow(rows[index], 4) for index in members]) for members in split]
    assert sum(batch.tokens.shape[1] for batch in packed) < 3 * 20 + 12 * 4 + 1


def test_a_short_common_beginning_is_not_worth_it() -> None:
    assert shared_length([1, 2, 3, 4], [1, 2, 3, 5]) == 3
    assert shared_length([1, 2, 3, 4], [1, 2, 4, 4]) == 0
