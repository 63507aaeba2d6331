"""How likely a model finds given answers under given prompts, with transformers in this process.

Shapes: B pairs of a group, A tokens of the answer, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from inoculate.engine.device import rows_at_once
from inoculate.engine.sampling.local import Sampler, begin, read, shared
from inoculate.engine.sampling.slots import Slots

CHUNK = 8
"""Pairs scored at once: few, so that they are of like length and little is padding, and the (B, A, V) logits fit."""


def score(sampler: Sampler, prompts: Sequence[str], answer: str, ending: str) -> list[float]:
    """The log-probability (nats) of one answer after each of several prompts.

    What all prompts begin with passes through the model once.

    Args:
        sampler: From `local.load`.
        prompts: Rendered prompts.
        answer: The answer.
        ending: What ends an answer in a training row; it is scored too, as it is trained on.

    Returns:
        The summed log-probability of the answer's tokens after each prompt.
    """
    scored = sampler.tokenizer(answer + ending, add_special_tokens=False)["input_ids"]
    every = [sampler.tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    common = shared(every) if len(every) > 1 else 0
    order = sorted(range(len(every)), key=lambda index: len(every[index]))
    prefix = begin(sampler, every[0][:common])
    found: dict[int, float] = {}
    for start in range(0, len(order), CHUNK):
        members = order[start : start + CHUNK]
        rests = [every[index][common:] + scored for index in members]
        found |= zip(members, _scored(sampler, prefix, common, rests, len(scored)), strict=True)
    return [found[index] for index in range(len(every))]


def answer_tokens(sampler: Sampler, answer: str, ending: str) -> int:
    """How many tokens `score` scores."""
    return len(sampler.tokenizer(answer + ending, add_special_tokens=False)["input_ids"])


@torch.inference_mode()
def _scored(sampler: Sampler, prefix: Slots, common: int, rests: Sequence[list[int]], answer: int) -> list[float]:
    logits = read(sampler, prefix.spread(len(rests)), 0, common, rests, keep=answer + 1)
    tokens = torch.tensor([ids[-answer:] for ids in rests], device=logits.device)
    return [_log_probability(row[:-1], ids) for row, ids in zip(logits, tokens, strict=True)]


def _log_probability(logits: torch.Tensor, tokens: torch.Tensor) -> float:
    """Of (A,) tokens, from the (A, V) logits before each."""
    some = rows_at_once(logits)
    each = [
        torch.log_softmax(part, -1, dtype=torch.float32).gather(-1, ids)
        for part, ids in zip(logits.split(some), tokens[:, None].split(some), strict=True)
    ]
    return float(torch.cat(each).sum())
