"""Scores answers by their log-probability after a prompt, with transformers in this process.

Shapes: B pairs of a batch, A tokens of the answer, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from inoculate.engine.device import rows_at_once
from inoculate.engine.sampling.drawing import refuse_not_finite
from inoculate.engine.sampling.model import Prefix, Sampler
from inoculate.engine.sampling.prefixes import common_length
from inoculate.errors import UserError

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

    Raises:
        UserError: The model's numbers are not finite.
    """
    answer_ids = sampler.tokenizer(answer + ending, add_special_tokens=False)["input_ids"]
    prompt_ids = [sampler.tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    shared = common_length(min(prompt_ids), max(prompt_ids))
    order = sorted(range(len(prompt_ids)), key=lambda index: len(prompt_ids[index]))
    prefix = Prefix(sampler, prompt_ids[0][:shared])
    scores: dict[int, float] = {}
    for start in range(0, len(order), BATCH_PAIRS):
        members = order[start : start + BATCH_PAIRS]
        suffixes = [prompt_ids[index][shared:] + answer_ids for index in members]
        scores |= zip(members, _score_batch(prefix, suffixes, len(answer_ids)), strict=True)
    return [scores[index] for index in range(len(prompt_ids))]


def count_answer_tokens(sampler: Sampler, answer: str, ending: str) -> int:
    """The number of tokens that `score` scores."""
    return len(sampler.tokenizer(answer + ending, add_special_tokens=False)["input_ids"])


def score_choices(
    sampler: Sampler, prompts: Sequence[str], choices: Sequence[Sequence[str]], names: Sequence[str]
) -> Iterator[list[float]]:
    """The log-probability (nats) of each choice of an answer after its prompt, prompt by prompt.

    Args:
        sampler: From `model.load`.
        prompts: [N] Rendered prompts.
        choices: [N] The choices of each.
        names: [N] The names of the prompts in error messages.

    Yields:
        The summed log-probability of the tokens of each choice.

    Raises:
        UserError: A prompt and its choices are longer than the model's context; the model's numbers are not finite.
    """
    prompt_ids = [sampler.tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    shared = common_length(min(prompt_ids), max(prompt_ids))
    prefix = Prefix(sampler, prompt_ids[0][:shared])
    for ids, texts, name in zip(prompt_ids, choices, names, strict=True):
        answers = [sampler.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
        if len(ids) + max(map(len, answers)) > sampler.context:
            raise UserError(f"{name} and its choices have more tokens than the model's context of {sampler.context}")
        yield _score_answers(sampler, prefix, ids, answers)


@torch.inference_mode()
def _score_answers(sampler: Sampler, prefix: Prefix, prompt: list[int], answers: Sequence[list[int]]) -> list[float]:
    """The log-probability of each answer after a prompt, which begins with `prefix`."""
    before = Prefix(sampler, prompt[len(prefix.tokens) : -1], prefix)
    longest = max(map(len, answers))
    # Shorter answers are padded at the end, where nothing sees it.
    suffixes = [prompt[-1:] + ids + ids[-1:] * (longest - len(ids)) for ids in answers]
    logits = before.logits(suffixes, longest + 1)
    return [
        _log_probability(row[: len(ids)], torch.tensor(ids, device=row.device))
        for row, ids in zip(logits, answers, strict=True)
    ]


@torch.inference_mode()
def _score_batch(prefix: Prefix, suffixes: Sequence[list[int]], answer_length: int) -> list[float]:
    logits = prefix.logits(suffixes, answer_length + 1)
    tokens = torch.tensor([ids[-answer_length:] for ids in suffixes], device=logits.device)
    return [_log_probability(row[:-1], ids) for row, ids in zip(logits, tokens, strict=True)]


def _log_probability(logits: torch.Tensor, tokens: torch.Tensor) -> float:
    """The summed log-probability of (A,) tokens, from the (A, V) logits before each."""
    size = rows_at_once(logits)
    parts = [
        torch.log_softmax(part, -1, dtype=torch.float32).gather(-1, ids)
        for part, ids in zip(logits.split(size), tokens[:, None].split(size), strict=True)
    ]
    total = float(torch.cat(parts).sum())
    refuse_not_finite([total])
    return total
