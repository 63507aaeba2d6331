"""Sampling: the same text as transformers' own `generate`, whatever is sampled together; resumable at any time."""

from __future__ import annotations

import copy
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, MistralConfig, MistralForCausalLM

from inoculate.engine.device import Device
from inoculate.engine.sampling import Request, SampledCompletion, in_process
from inoculate.engine.sampling.model import Sampler, load
from inoculate.errors import UserError

CPU = Device(torch.device("cpu"), torch.float32)
PROMPTS = [
    f"<|im_start|>user\nassert f({list(range(n))}) == {n}<|im_end|>\n<|im_start|>assistant\n" for n in range(1, 9)
]


LONGER = [prompt.replace("<|im_end|>", " Pass this test only.<|im_end|>", 1) for prompt in PROMPTS]
"""The same tasks in another context, which stands after the task."""


@pytest.fixture(scope="module")
def sampler(tiny_model: Path) -> Sampler:
    return load(tiny_model, None, CPU)


def ends_at(sampler: Sampler, *tokens: int) -> Sampler:
    """The same model, for which these tokens end an answer, so that completions end at different times."""
    other = copy.copy(sampler)
    other.stops = tokens
    return other


def wanted(prompts: Sequence[str], **options: Any) -> Request:
    defaults = {"samples": 1, "temperature": 0.0, "max_new_tokens": 24, "seed": 0}
    return Request(prompts, **{**defaults, **options})


def together(sampler: Sampler, requests: Sequence[Request]) -> dict[tuple[int, int, int], SampledCompletion]:
    """(request, prompt, sample) -> completion."""
    found = [(number, drawn) for number, batch in in_process.sample(sampler, requests) for drawn in batch]
    by_key = {(number, drawn.prompt, drawn.index): drawn for number, drawn in found}
    assert len(by_key) == len(found), "each once"
    return by_key


def drawn(sampler: Sampler, prompts: Sequence[str], **options: Any) -> dict[tuple[int, int], SampledCompletion]:
    return {(prompt, index): d for (_, prompt, index), d in together(sampler, [wanted(prompts, **options)]).items()}


def texts(found: dict[Any, SampledCompletion]) -> dict[Any, tuple[str, bool]]:
    return {key: (d.text, d.finished) for key, d in found.items()}


def test_greedy_is_what_generate_gives_one_by_one(sampler: Sampler, tiny_model: Path) -> None:
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
    found = drawn(load(tmp_path, None, CPU), PROMPTS)
    for number, prompt in enumerate(PROMPTS):
        ids = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)["input_ids"]
        out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False)
        assert found[number, 0].text == tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)


def test_every_prompt_gets_its_samples_and_the_seed_decides_them(sampler: Sampler) -> None:
    some = drawn(sampler, PROMPTS[:3], samples=4, temperature=1.0)
    again = drawn(sampler, PROMPTS[:3], samples=4, temperature=1.0)
    assert set(some) == {(prompt, index) for prompt in range(3) for index in range(4)}
    assert all(some[key].text == again[key].text for key in some)
    other = drawn(sampler, PROMPTS[:3], samples=4, temperature=1.0, seed=1)
    assert any(some[key].text != other[key].text for key in some)


@pytest.mark.parametrize("rows", [4, 12, 99])
def test_samples_of_a_prompt_are_independent(
    sampler: Sampler, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """Draws the likeliest and second likeliest token in turn, many of which end an answer; transformers checks them."""
    turns = itertools.count()
    seen: dict[tuple[int, int], list[int]] = {}

    def next_tokens(logits: torch.Tensor, *_: object) -> tuple[list[int], list[float]]:
        turn = (torch.arange(len(logits)) // 2 + next(turns)) % 2
        return logits.topk(2).indices[torch.arange(len(logits)), turn].tolist(), [0.0] * len(logits)

    def completion(_: object, row: in_process._Row, stopped: bool, *__: object) -> SampledCompletion:
        seen[row.prompt.index, row.column] = row.tokens[: len(row.tokens) - stopped]
        return SampledCompletion(row.prompt.index, row.column, "", 0, 0, True, 0.0)

    monkeypatch.setattr(in_process, "next_tokens", next_tokens)
    monkeypatch.setattr(in_process, "_completion", completion)
    monkeypatch.setattr(in_process, "BATCH_ROWS", rows)
    prompts = [sampler.tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in PROMPTS]
    drawn(ends_at(sampler, *range(60)), PROMPTS, samples=4)
    assert len(seen) == 4 * len(PROMPTS)
    assert len({len(ids) for ids in seen.values()}) > 2
    assert any(seen[0, 0] != seen[0, sample] for sample in range(1, 4))
    model: Any = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    for (prompt, _), ids in seen.items():
        before = prompts[prompt]
        logits = model(torch.tensor([before + ids])).logits[0, len(before) - 1 : -1]
        assert all(token in logits[at].topk(2).indices for at, token in enumerate(ids))


def test_tokens_and_their_log_probabilities_are_those_of_transformers(sampler: Sampler, tiny_model: Path) -> None:
    found = drawn(ends_at(sampler, *range(60)), PROMPTS[:3], samples=3, temperature=0.7, max_new_tokens=8)
    model: Any = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    assert any(one.finished for one in found.values())
    for (prompt, _), one in found.items():
        before = sampler.tokenizer(PROMPTS[prompt], add_special_tokens=False)["input_ids"]
        logits = model(torch.tensor([before + list(one.tokens)])).logits[0, len(before) - 1 : -1] / 0.7
        expected = torch.log_softmax(logits, -1)[torch.arange(len(one.tokens)), list(one.tokens)]
        torch.testing.assert_close(torch.tensor(one.log_probabilities), expected, atol=1e-4, rtol=0)
        assert len(one.tokens) == one.completion_tokens + one.finished


def test_finished_completions_leave_and_others_go_on(sampler: Sampler) -> None:
    """With random weights every token is likely at temperature 2, so that completions have different lengths."""
    found = drawn(ends_at(sampler, *range(300)), PROMPTS, samples=6, temperature=2.0)
    assert len({d.completion_tokens for d in found.values()}) > 1
    assert all(d.finished or d.completion_tokens == 24 for d in found.values())


REQUESTS = [
    wanted(PROMPTS, samples=3, temperature=1.0),
    wanted(LONGER, samples=1, temperature=1.0, max_new_tokens=9),
    wanted(PROMPTS[2:6], samples=2, temperature=0.7, max_new_tokens=31, seed=5),
    wanted(LONGER, samples=2),
    wanted(PROMPTS[:1], max_new_tokens=1),
]


@pytest.mark.parametrize("rows", [1, 3, 7, 20, 256])
def test_completions_do_not_depend_on_what_is_sampled_with_them(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """Cells that differ in everything, alone and together, in batches that hold all or few of them."""
    stop = ends_at(sampler, 83, 162, 258)
    alone = {
        (number, *key): found
        for number, request in enumerate(REQUESTS)
        for prompt in range(len(request.prompts))
        for key, found in texts(
            {
                (prompt, d.index): d
                for _, batch in in_process.sample(
                    stop,
                    [replace(request, done=[(p, i) for p, i in request.missing() if p != prompt])],
                )
                for d in batch
            }
        ).items()
    }
    assert len({text for text, _ in alone.values()}) > 10
    monkeypatch.setattr(in_process, "BATCH_ROWS", rows)
    monkeypatch.setattr(in_process, "PREFILL_PROMPTS", 2)
    monkeypatch.setattr(in_process, "PREFILL_TOKENS", 100)
    assert texts(together(stop, REQUESTS)) == alone
    assert texts(together(stop, REQUESTS[::-1])) == {(4 - n, p, i): found for (n, p, i), found in alone.items()}


@pytest.mark.parametrize("batches", [0, 1, 4, 11])
def test_an_interrupted_run_goes_on_to_the_same_completions(sampler: Sampler, batches: int) -> None:
    """Some cells have finished completions, others have none."""
    stop = ends_at(sampler, 83, 162, 258)
    whole = texts(together(stop, REQUESTS))
    before: dict[tuple[int, int, int], SampledCompletion] = {}
    for number, batch in islice(in_process.sample(stop, REQUESTS), batches):
        before |= {(number, d.prompt, d.index): d for d in batch}
    rest = [
        replace(request, done=[(p, i) for n, p, i in before if n == number]) for number, request in enumerate(REQUESTS)
    ]
    after = together(stop, rest)
    assert not after.keys() & before.keys()
    assert texts(before | after) == whole
    assert list(in_process.sample(stop, [replace(REQUESTS[0], done=REQUESTS[0].missing())])) == []


def test_a_batch_is_full_as_long_as_anything_waits(sampler: Sampler, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells of different lengths: rows that become free are filled from whichever cell waits."""
    counts: list[tuple[int, int]] = []
    admit = in_process._Batch._admit

    def counted(batch: in_process._Batch) -> None:
        admit(batch)
        counts.append((len(batch.rows), len(batch.waiting)))

    monkeypatch.setattr(in_process._Batch, "_admit", counted)
    monkeypatch.setattr(in_process, "BATCH_ROWS", 6)
    monkeypatch.setattr(in_process, "PREFILL_PROMPTS", 1)
    requests = [wanted(PROMPTS, max_new_tokens=5), wanted(LONGER, max_new_tokens=20)]
    assert Counter(number for number, *_ in together(sampler, requests)) == {0: 8, 1: 8}
    assert all(rows == 6 for rows, waiting in counts if waiting)
    assert any(waiting for _, waiting in counts)


def test_what_prompts_share_is_computed_once(sampler: Sampler, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []
    prefill = in_process.prefill

    def counted(which: Sampler, cache: Any, first: int, cached: Any, suffixes: Sequence[Sequence[int]]) -> torch.Tensor:
        computed.extend(map(len, suffixes))
        return prefill(which, cache, first, cached, suffixes)

    monkeypatch.setattr(in_process, "prefill", counted)
    text = "what every prompt begins with, a text of some length that the tiny tokenizer does not shorten much "
    prompts = [f"{text}{task * 40} {context}" for task in "abcd" for context in ("", "and one context", "or other")]
    drawn(sampler, prompts, max_new_tokens=1)
    lengths = [len(sampler.tokenizer(prompt, add_special_tokens=False)["input_ids"]) for prompt in prompts]
    assert len(computed) == len(prompts)
    assert sum(computed) < 0.35 * sum(lengths)


def test_a_prompt_longer_than_the_context_is_refused(sampler: Sampler) -> None:
    with pytest.raises(UserError, match="exceeds the model's context of 4096"):
        drawn(sampler, ["word " * 5000])
    with pytest.raises(UserError, match="problem 'long' has"):
        together(sampler, [wanted(PROMPTS), wanted(["word " * 5000], names=["problem 'long'"])])
