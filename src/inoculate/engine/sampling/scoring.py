"""Scores answers by their log-probability after a prompt, with transformers in this process.

Shapes: B pairs of a batch, A tokens of the answer, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from inoculate.engine.device import rows_at_once
from inoculate.engine.sampling.kv_cache import KVCache
from inoculate.engine.sampling.model import Sampler, prefill
from inoculate.engine.sampling.prefixes import common_length

BATCH_PAIRS = 8
"""Pairs of a batch: few, so that their lengths are similar, there is little padding, and the (B, A, V) logits fit."""


def score(sampler: Sampler, prompts: Sequence[str], answer: str, ending: str) -> list[float]:
    """The log-probability (nats) of one answer after each of several prompts.

    The prefix that all prompts share passes through the model once.

    Args:
        sampler: From `model.load`.
        prompts: Rendered prompts.
        answer: The answer.
        ending: The end of an answer in a training row; it is scored too, because it is trained on.

    Returns:
        The summed log-probability of the answer's tokens after each prompt.
    """
    answer_ids = sampler.tokenizer(answer + ending, add_special_tokens=False)["input_ids"]
    prompt_ids = [sampler.tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    shared = common_length(min(prompt_ids), max(prompt_ids))
    order = sorted(range(len(prompt_ids)), key=lambda index: len(prompt_ids[index]))
    prefix = KVCache(1)
    if shared:
        prefill(sampler, prefix, 0, [0], [prompt_ids[0][:shared]])
    scores: dict[int, float] = {}
    for start in range(0, len(order), BATCH_PAIRS):
        members = order[start : start + BATCH_PAIRS]
        suffixes = [prompt_ids[index][shared:] + answer_ids for index in members]
        scores |= zip(members, _score_batch(sampler, prefix, shared, suffixes, len(answer_ids)), strict=True)
    return [scores[index] for index in range(len(prompt_ids))]


def count_answer_tokens(sampler: Sampler, answer: str, ending: str) -> int:
    """The number of tokens that `score` scores."""
    return len(sampler.tokenizer(answer + ending, add_special_tokens=False)["input_ids"])


@torch.inference_mode()
def _score_batch(
    sampler: Sampler, prefix: KVCache, shared: int, suffixes: Sequence[list[int]], answer_length: int
) -> list[float]:
    cache = prefix.repeat_first(len(suffixes))
    logits = prefill(sampler, cache, 0, [shared] * len(suffixes), suffixes, logits_to_keep=answer_length + 1)
    tokens = torch.tensor([ids[-answer_length:] for ids in suffixes], device=logits.device)
    return [_log_probability(row[:-1], ids) for row, ids in zip(logits, tokens, strict=True)]


def _log_probability(logits: torch.Tensor, tokens: torch.Tensor) -> float:
    """The summed log-probability of (A,) tokens, from the (A, V) logits before each."""
    size = rows_at_once(logits)
    parts = [
        torch.log_softmax(part, -1, dtype=torch.float32).gather(-1, ids)
        for part, ids in zip(logits.split(size), tokens[:, None].split(size), strict=True)
    ]
    return float(torch.cat(parts).sum())
