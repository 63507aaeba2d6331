"""Sampling: the same text as transformers' own `generate`, whatever the batch; resumable chunk by chunk."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer, MistralConfig, MistralForCausalLM

from inoculate.engine import device
from inoculate.engine.device import Device
from inoculate.engine.sampling import in_process
from inoculate.errors import UserError

CPU = Device(torch.device("cpu"), torch.float32)
PROMPTS = [
    f"<|im_start|>user\nassert f({list(range(n))}) == {n}<|im_end|>\n<|im_start|>assistant\n" for n in range(1, 9)
]


@pytest.fixture(scope="module")
def sampler(tiny_model: Path) -> in_process.Sampler:
    return in_process.load(tiny_model, None, CPU)


def drawn(
    sampler: in_process.Sampler, prompts: list[str], **options: Any
) -> dict[tuple[int, int], in_process.SampledCompletion]:
    defaults = {"samples": 1, "temperature": 0.0, "max_new_tokens": 24, "seed": 0, **options}
    return {(d.prompt, d.index): d for batch in in_process.sample(sampler, prompts, **defaults) for d in batch}  # type: ignore[arg-type]


@given(st.lists(st.integers(1, 400), max_size=200), st.integers(1, 100))
def test_chunks_hold_every_prompt_once(lengths: list[int], samples: int) -> None:
    chunks = in_process.chunks(lengths, samples)
    assert sorted(index for chunk in chunks for index in chunk) == list(range(len(lengths)))
    assert all(len(chunk) == 1 or len(chunk) * samples <= in_process.CHUNK_COMPLETIONS for chunk in chunks)


def test_greedy_is_what_generate_gives_one_by_one(sampler: in_process.Sampler, tiny_model: Path) -> None:
    found = drawn(sampler, PROMPTS)
    model: Any = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    for number, prompt in enumerate(PROMPTS):
        ids = sampler.tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
        out = model.generate(**ids, max_new_tokens=24, do_sample=False)
        text = sampler.tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)
        assert found[number, 0].text == text


def test_a_sliding_window_is_respected(tiny_model: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    sizes: Any = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = MistralConfig(
        **sizes, vocab_size=len(tokenizer), num_key_value_heads=2, sliding_window=9, eos_token_id=tokenizer.eos_token_id
    )
    model: Any = MistralForCausalLM(config).eval()
    for folder in (model, tokenizer):
        folder.save_pretrained(tmp_path)
    found = drawn(in_process.load(tmp_path, None, CPU), PROMPTS)
    for number, prompt in enumerate(PROMPTS):
        ids = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)["input_ids"]
        out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False)
        assert found[number, 0].text == tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)


def test_every_prompt_gets_its_samples_and_the_seed_decides_them(sampler: in_process.Sampler) -> None:
    some = drawn(sampler, PROMPTS[:3], samples=4, temperature=1.0)
    again = drawn(sampler, PROMPTS[:3], samples=4, temperature=1.0)
    assert set(some) == {(prompt, index) for prompt in range(3) for index in range(4)}
    assert all(some[key].text == again[key].text for key in some)
    other = drawn(sampler, PROMPTS[:3], samples=4, temperature=1.0, seed=1)
    assert any(some[key].text != other[key].text for key in some)


@pytest.mark.parametrize("rows", [4, 12, 99])
def test_samples_of_a_prompt_are_independent(
    sampler: in_process.Sampler, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """Draws the likeliest and second likeliest token in turn, many of which end an answer; transformers checks them."""
    turns = itertools.count()

    def next_tokens(logits: torch.Tensor, *_: object) -> torch.Tensor:
        turn = (torch.arange(len(logits)) // 2 + next(turns)) % 2
        return logits.topk(2).indices[torch.arange(len(logits)), turn]

    monkeypatch.setattr(in_process, "_next_tokens", next_tokens)
    stop = in_process.Sampler(sampler.model, sampler.tokenizer, sampler.device, tuple(range(60)))
    prompts = [sampler.tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in PROMPTS]
    monkeypatch.setattr(in_process, "BATCH_TOKENS", rows * (24 + -(-max(map(len, prompts)) // 4)))
    common = in_process.shared_prefix_length(prompts)
    prefix, rests = in_process.prefill_prefix(stop, prompts[0][:common]), [ids[common:] for ids in prompts]
    found = in_process._sample_chunk(stop, prefix, common, rests, 4, 0.0, 24, torch.Generator())
    assert len({len(ids) for ids, _ in found}) > 2
    assert any(found[0][0] != ids for ids, _ in found[1:4])
    model: Any = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    for row, (ids, _) in enumerate(found):
        before = prompts[row // 4]
        logits = model(torch.tensor([before + ids])).logits[0, len(before) - 1 : -1]
        assert all(token in logits[at].topk(2).indices for at, token in enumerate(ids))


@given(
    st.lists(st.floats(-4, 4, width=16) | st.just(-math.inf), min_size=2, max_size=12), st.sampled_from([0.5, 1.0, 2.0])
)
@settings(max_examples=25, deadline=None)
def test_tokens_are_drawn_as_often_as_they_are_likely(scores: list[float], temperature: float) -> None:
    logits = torch.tensor([0.0, *scores])
    wanted = torch.softmax(logits / temperature, -1)
    count = 20_000
    drawn = in_process._next_tokens(logits.expand(count, -1), temperature, torch.Generator().manual_seed(0))
    found = torch.bincount(drawn, minlength=len(logits)) / count
    assert (found[wanted == 0] == 0).all()
    assert ((found - wanted).abs() < 5 * (wanted * (1 - wanted) / count).sqrt() + 1e-4).all()


@given(st.integers(1, 9), st.integers(1, 40), st.sampled_from([0.5, 1.0]))
def test_every_row_draws_from_its_own_distribution_whatever_the_piece_size(
    rows: int, size: int, temperature: float
) -> None:
    logits = torch.full((rows, 300), -math.inf)
    only = (torch.arange(rows) * 37 + 5) % 300
    logits[torch.arange(rows), only] = 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "CACHE_FLOATS", size * 100)
        assert torch.equal(in_process._next_tokens(logits, temperature, torch.Generator().manual_seed(0)), only)


def test_only_a_cpu_processes_a_table_in_pieces() -> None:
    assert device.rows_at_once(torch.empty(7, device.CACHE_FLOATS // 3)) == 3
    assert device.rows_at_once(torch.empty(7, 2 * device.CACHE_FLOATS)) == 1
    assert device.rows_at_once(torch.empty(7, 2 * device.CACHE_FLOATS, device="meta")) == 7


def test_finished_completions_leave_and_others_go_on(sampler: in_process.Sampler) -> None:
    """With random weights every token is likely at temperature 2, so that completions have different lengths."""
    stop = in_process.Sampler(sampler.model, sampler.tokenizer, sampler.device, tuple(range(0, 300)))
    counts: list[int] = []
    found = drawn(stop, PROMPTS, samples=6, temperature=2.0, on_finished=counts.append)
    assert counts == sorted(counts) and counts[-1] == len(found) and len(set(counts)) > 2
    lengths = {d.completion_tokens for d in found.values()}
    assert len(lengths) > 1
    assert all(d.finished or d.completion_tokens == 24 for d in found.values())


@pytest.mark.parametrize(("rows", "samples"), [(1, 1), (3, 1), (5, 1), (64, 1), (3, 3), (9, 3), (64, 3)])
def test_completions_do_not_depend_on_what_else_is_in_the_batch(
    sampler: in_process.Sampler, monkeypatch: pytest.MonkeyPatch, rows: int, samples: int
) -> None:
    """Three of the tokens that the tiny model likes end an answer, so that completions end at different times."""
    stop = in_process.Sampler(sampler.model, sampler.tokenizer, sampler.device, (83, 162, 258))
    wanted = {(p, 0): drawn(stop, [prompt])[0, 0] for p, prompt in enumerate(PROMPTS)}
    assert len({d.completion_tokens for d in wanted.values()}) > 2
    longest = max(d.prompt_tokens for d in wanted.values())
    monkeypatch.setattr(in_process, "BATCH_TOKENS", rows * (24 + -(-longest // samples)))
    monkeypatch.setattr(in_process, "PREFILL_PROMPTS", 2)
    found = drawn(stop, PROMPTS, samples=samples)
    assert {key: (d.text, d.finished) for key, d in found.items()} == {
        (prompt, index): (d.text, d.finished) for (prompt, _), d in wanted.items() for index in range(samples)
    }


def test_resuming_gives_the_missing_chunks(sampler: in_process.Sampler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_process, "CHUNK_COMPLETIONS", 3)
    options = {"samples": 1, "temperature": 1.0, "max_new_tokens": 8, "seed": 0}
    texts = [[d.text for d in batch] for batch in in_process.sample(sampler, PROMPTS, **options)]  # type: ignore[arg-type]
    rest = [[d.text for d in batch] for batch in in_process.sample(sampler, PROMPTS, **options, skip=1)]  # type: ignore[arg-type]
    assert rest == texts[1:]
    assert len(texts) == 3


def test_a_prompt_longer_than_the_context_is_refused(sampler: in_process.Sampler) -> None:
    with pytest.raises(UserError, match="exceeds the model's context of 4096"):
        drawn(sampler, ["word " * 5000])
