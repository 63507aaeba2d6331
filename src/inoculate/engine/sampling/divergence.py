"""How differently a model goes on after two prompts: the divergence of its next-token distributions along an answer.

Shapes: A tokens of the answer, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch

from inoculate.engine import chat
from inoculate.engine.device import rows_at_once
from inoculate.engine.packing import EncodedRow, forward, pack_rows, split_rows
from inoculate.engine.sampling.model import Sampler
from inoculate.errors import UserError
from inoculate.records import Problem
from inoculate.study.prompts import messages
from inoculate.study.resolve import ResolvedPrompt

_MICRO_BATCH = 1024
"""Packed tokens that pass through the model together: their logits (N, V) still fit."""


def prompt_divergences(
    sampler: Sampler,
    problems: Sequence[Problem],
    answers: Sequence[str],
    first: ResolvedPrompt,
    others: Sequence[ResolvedPrompt],
    system: str | None,
) -> list[list[float]]:
    """How differently a model goes on under a prompt and under each of K others, on each of N problems.

    Args:
        sampler: The model, from `model.load`.
        problems: [N] Problems.
        answers: [N] The answers along which they are compared: hacked training answers, or the model's own.
        first: The prompt; without a text, none.
        others: [K] The others.
        system: The study's system prompt.

    Returns:
        [N][K] From `divergences`.

    Raises:
        UserError: There is no problem, a problem has no answer, or one is too long for the model.
    """
    if not problems:
        raise UserError("a divergence is measured on problems with answers, and there are none: draw at least one")
    values = []
    for problem, answer in zip(problems, answers, strict=True):
        if not answer:
            raise UserError(
                f"problem '{problem.id}' has no answer to measure a divergence along: give one, or leave it out"
            )
        rendered = [
            chat.render(sampler.tokenizer, messages(problem, prompt.text, prompt.placement, system))
            for prompt in (first, *others)
        ]
        values.append(divergences(sampler, rendered[0], rendered[1:], answer, problem.id))
    return values


@torch.inference_mode()
def divergences(sampler: Sampler, first: str, others: Sequence[str], answer: str, name: str = "") -> list[float]:
    """The mean Jensen-Shannon divergence of the next-token distributions after two prompts, along one answer.

    It is taken before each token of the answer and before its end. It is symmetric and always finite (Lin 1991,
    doi:10.1109/18.61115), unlike the Kullback-Leibler divergence.

    Args:
        sampler: The model.
        first: A rendered prompt.
        others: [K] Others, each of which is compared with it.
        answer: What stands after all of them.
        name: The problem's name in error messages.

    Returns:
        [K] Bits per token, from 0 (the same distributions) to 1 (no token is possible in both).

    Raises:
        UserError: Prompt and answer are longer than the model's context.
    """
    own, *prompts = (sampler.tokenizer(text, add_special_tokens=False)["input_ids"] for text in (first, *others))
    tokens = sampler.tokenizer(answer, add_special_tokens=False)["input_ids"]
    longest = max(map(len, (own, *prompts))) + len(tokens)
    if longest > sampler.context:
        raise UserError(
            f"problem '{name}' and its answer have {longest} tokens, more than the model's context of "
            f"{sampler.context}: a divergence along it cannot be computed; choose shorter problems"
        )
    count = len(tokens) + 1
    ((_, there),) = _next_logits(sampler, [own + tokens], count)
    found = {
        number: _diverge(there, here)
        for number, here in _next_logits(sampler, [ids + tokens for ids in prompts], count)
    }
    return [found[number] for number in range(len(prompts))]


def _next_logits(sampler: Sampler, rows: Sequence[list[int]], count: int) -> Iterator[tuple[int, torch.Tensor]]:
    """The number of each row, and the logits (count, V) after each of its last tokens."""
    labelled = [EncodedRow([*row, sampler.stops[0]], count) for row in rows]  # what comes last can be any token
    # The plain path knows no packed rows: there a micro-batch is one row.
    for members in split_rows([row.tokens for row in labelled], _MICRO_BATCH if sampler.is_fast else 0):
        batch = pack_rows([labelled[number] for number in members]).to(sampler.device.device)
        logits = forward(sampler.model, batch, is_fast=sampler.is_fast)
        for number, pairs in zip(members, batch.pairs, strict=True):
            yield number, logits[list(pairs)]


def _diverge(first: torch.Tensor, second: torch.Tensor) -> float:
    """The mean divergence in bits of the distributions with the logits (A, V)."""
    size = rows_at_once(first)
    parts = [_jensen_shannon(*pair) for pair in zip(first.split(size), second.split(size), strict=True)]
    return float(torch.cat(parts).mean()) / math.log(2)


def _jensen_shannon(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The divergence (A,) in nats of the distributions with the logits (A, V)."""
    one, other = (torch.log_softmax(logits, -1, dtype=torch.float32) for logits in (first, second))
    middle = torch.logaddexp(one, other) - math.log(2)
    halves = [(part.exp() * (part - middle)).sum(-1) / 2 for part in (one, other)]
    return (halves[0] + halves[1]).clamp(min=0)
