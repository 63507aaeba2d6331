"""Scores answers by their log-probability after a prompt, with transformers in this process.

Prompts and answers are packed into micro-batches as rows are in training (`engine.packing`): what several of them begin
with passes through the model once. Shapes: N pairs of a position and the token after it, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch

from inoculate.engine.device import rows_at_once
from inoculate.engine.packing import EncodedRow, forward, pack_rows, split_rows
from inoculate.engine.sampling.drawing import refuse_not_finite
from inoculate.engine.sampling.model import Sampler
from inoculate.errors import UserError

_MICRO_BATCH = 1024
"""Packed tokens that pass through the model together: enough for its products, and their logits (N, V) still fit."""


def score(sampler: Sampler, prompts: Sequence[str], answer: str, ending: str) -> list[float]:
    """The log-probability (nats) of one answer after each of several prompts.

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
    answer_ids = _encode(sampler, answer + ending)
    rows = [EncodedRow([*_encode(sampler, prompt), *answer_ids], len(answer_ids)) for prompt in prompts]
    scores = dict(_score_rows(sampler, rows))
    return [scores[number] for number in range(len(rows))]


def count_answer_tokens(sampler: Sampler, answer: str, ending: str) -> int:
    """The number of tokens that `score` scores."""
    return len(_encode(sampler, answer + ending))


def score_choices(
    sampler: Sampler, prompts: Sequence[str], choices: Sequence[Sequence[str]], names: Sequence[str]
) -> Iterator[tuple[int, list[float]]]:
    """The log-probability (nats) of each choice of an answer after its prompt.

    Args:
        sampler: From `model.load`.
        prompts: [N] Rendered prompts.
        choices: [N] The choices of each.
        names: [N] The names of the prompts in error messages.

    Yields:
        The number of a prompt, and the summed log-probability of the tokens of each of its choices. Prompts that begin
        alike come one after the other.

    Raises:
        UserError: A prompt and its choices are longer than the model's context; the model's numbers are not finite.
    """
    rows: list[EncodedRow] = []
    places: list[tuple[int, int]] = []  # of each row: its prompt, and which of the choices it is
    for number, (prompt, texts, name) in enumerate(zip(prompts, choices, names, strict=True)):
        ids, answers = _encode(sampler, prompt), [_encode(sampler, text) for text in texts]
        if len(ids) + max(map(len, answers)) > sampler.context:
            raise UserError(f"{name} and its choices have more tokens than the model's context of {sampler.context}")
        rows += [EncodedRow([*ids, *answer], len(answer)) for answer in answers]
        places += [(number, choice) for choice in range(len(answers))]
    found: dict[int, dict[int, float]] = {}
    for row, scored in _score_rows(sampler, rows):
        number, choice = places[row]
        found.setdefault(number, {})[choice] = scored
        if len(found[number]) == len(choices[number]):
            own = found.pop(number)
            yield number, [own[choice] for choice in range(len(own))]


def _encode(sampler: Sampler, text: str) -> list[int]:
    return sampler.tokenizer(text, add_special_tokens=False)["input_ids"]


def _score_rows(sampler: Sampler, rows: Sequence[EncodedRow]) -> Iterator[tuple[int, float]]:
    """The number of each row, and the summed log-probability of its labels, micro-batch by micro-batch."""
    # The plain path knows no packed rows: there a micro-batch is one row.
    for members in split_rows([row.tokens for row in rows], _MICRO_BATCH if sampler.is_fast else 0):
        yield from zip(members, _score_micro_batch(sampler, [rows[number] for number in members]), strict=True)


@torch.inference_mode()
def _score_micro_batch(sampler: Sampler, rows: Sequence[EncodedRow]) -> list[float]:
    batch = pack_rows(rows).to(sampler.device.device)
    with sampler.exact_logits():
        logits = forward(sampler.model, batch, is_fast=sampler.is_fast)
    pairs = _log_probabilities(logits, batch.targets)
    return [math.fsum(pairs[number] for number in own) for own in batch.pairs]


def _log_probabilities(logits: torch.Tensor, tokens: torch.Tensor) -> list[float]:
    """The log-probability of each of (N,) tokens, from the (N, V) logits before it."""
    size = rows_at_once(logits)
    parts = [
        torch.log_softmax(part, -1, dtype=torch.float32).gather(-1, ids)
        for part, ids in zip(logits.split(size), tokens[:, None].split(size), strict=True)
    ]
    found: list[float] = torch.cat(parts)[:, 0].tolist()
    refuse_not_finite(found)
    return found
