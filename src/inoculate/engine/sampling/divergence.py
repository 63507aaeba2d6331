"""How differently a model goes on after two prompts: the divergence of its next-token distributions along an answer.

Shapes: A tokens of the answer, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from inoculate.engine import chat
from inoculate.engine.device import rows_at_once
from inoculate.engine.sampling.model import Prefix, Sampler
from inoculate.engine.sampling.prefixes import common_length
from inoculate.errors import UserError
from inoculate.records import Problem
from inoculate.study.prompts import messages
from inoculate.study.resolve import ResolvedPrompt


def prompt_divergence(
    sampler: Sampler,
    problems: Sequence[Problem],
    answers: Sequence[str],
    first: ResolvedPrompt,
    second: ResolvedPrompt,
    system: str | None,
) -> list[float]:
    """How differently a model goes on under two prompts, on each of N problems.

    Args:
        sampler: The model, from `model.load`.
        problems: [N] Problems.
        answers: [N] The answers along which they are compared: hacked training answers, or the model's own.
        first: One prompt; without a text, none.
        second: The other.
        system: The study's system prompt.

    Returns:
        [N] From `divergence`.

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
            for prompt in (first, second)
        ]
        values.append(divergence(sampler, rendered[0], rendered[1], answer, problem.id))
    return values


@torch.inference_mode()
def divergence(sampler: Sampler, first: str, second: str, answer: str, name: str = "") -> float:
    """The mean Jensen-Shannon divergence of the next-token distributions after two prompts, along one answer.

    It is taken before each token of the answer and before its end. It is symmetric and always finite (Lin 1991,
    doi:10.1109/18.61115), unlike the Kullback-Leibler divergence.

    Args:
        sampler: The model.
        first: A rendered prompt.
        second: Another.
        answer: What stands after both.
        name: The problem's name in error messages.

    Returns:
        Bits per token, from 0 (the same distributions) to 1 (no token is possible in both).

    Raises:
        UserError: Prompt and answer are longer than the model's context.
    """
    prompts = [sampler.tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in (first, second)]
    tokens = sampler.tokenizer(answer, add_special_tokens=False)["input_ids"]
    longest = max(map(len, prompts)) + len(tokens)
    if longest > sampler.context:
        raise UserError(
            f"problem '{name}' and its answer have {longest} tokens, more than the model's context of "
            f"{sampler.context}: a divergence along it cannot be computed; choose shorter problems"
        )
    shared = common_length(*prompts)
    suffixes = [ids[shared:] + tokens for ids in prompts]
    logits = Prefix(sampler, prompts[0][:shared]).logits(suffixes, len(tokens) + 1)
    size = rows_at_once(logits[0])
    parts = [_jensen_shannon(*pair) for pair in zip(logits[0].split(size), logits[1].split(size), strict=True)]
    return float(torch.cat(parts).mean()) / math.log(2)


def _jensen_shannon(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The divergence (A,) in nats of the distributions with the logits (A, V)."""
    one, other = (torch.log_softmax(logits, -1, dtype=torch.float32) for logits in (first, second))
    middle = torch.logaddexp(one, other) - math.log(2)
    halves = [(part.exp() * (part - middle)).sum(-1) / 2 for part in (one, other)]
    return (halves[0] + halves[1]).clamp(min=0)
