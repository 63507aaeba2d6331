"""Draws the next token of each completion of a batch.

Every completion has a random stream of its own (`sampling.stream`), and token number t takes the stream's number t. So
what is drawn depends on the completion alone, not on what is sampled with it, and an interrupted run gives the same.

Shapes: B completions, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import pad

from inoculate.engine.device import rows_at_once
from inoculate.errors import NoNumbers

VOCABULARY_BLOCK = 128
"""Tokens of the vocabulary whose probabilities are summed as one block before a token in it is drawn."""
_GAMMA, _MIX_1, _MIX_2 = (np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def uniforms(streams: Sequence[int], positions: Sequence[int]) -> npt.NDArray[np.float32]:
    """Two random numbers in (0, 1] for each completion, (2, B).

    SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014; constants of
    Vigna's splitmix64.c). Its number t is a function of start and t alone, so all rows are computed at once without a
    generator for each. Each half of the 64 bits gives a number of 24 bits, as many as a float32 has.

    Args:
        streams: B starts, from `sampling.stream`.
        positions: For each completion, which of its tokens is drawn.
    """
    state = np.array(streams, np.uint64) + (np.array(positions, np.uint64) + np.uint64(1)) * _GAMMA
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    state ^= state >> np.uint64(31)
    halves = np.stack((state >> np.uint64(40), (state >> np.uint64(8)) & np.uint64(0xFFFFFF)))
    # In (0, 1]: no token of probability 0 is drawn.
    return ((halves + np.uint64(1)) * 2.0**-24).astype(np.float32)


def next_tokens(
    logits: torch.Tensor, temperatures: Sequence[float], streams: Sequence[int], positions: Sequence[int]
) -> tuple[list[int], list[float]]:
    """The next token of each completion, and its log-probability at its temperature (0 where that is 0).

    Args:
        logits: (B, V).
        temperatures: Of each completion; 0 for its likeliest token.
        streams: The random stream of each completion.
        positions: For each completion, which of its tokens is drawn.

    Raises:
        NoNumbers: Logits are not finite.
    """
    tokens = torch.empty(len(logits), dtype=torch.long, device=logits.device)
    log_probabilities = torch.zeros(len(logits), device=logits.device)
    random: torch.Tensor | None = None
    for temperature in dict.fromkeys(temperatures):
        rows = [row for row, wanted in enumerate(temperatures) if wanted == temperature]
        is_all = len(rows) == len(temperatures)
        part = logits if is_all else logits[rows]
        if temperature == 0:
            likeliest = part.max(-1)  # `argmax` of bfloat16 is four times slower on a CPU
            # 0, or not a number where the logit is none.
            tokens[rows], log_probabilities[rows] = likeliest.indices, (likeliest.values - likeliest.values).float()
            continue
        if random is None:
            random = torch.from_numpy(uniforms(streams, positions)).to(logits.device)
        drawn, probability = draw_tokens(part, temperature, random if is_all else random[:, rows])
        tokens[rows], log_probabilities[rows] = drawn, probability.log()
    found = log_probabilities.tolist()
    refuse_not_finite(found)
    return tokens.tolist(), found


def refuse_not_finite(log_probabilities: Sequence[float]) -> None:
    """Refuse a model whose log-probabilities are not finite: nothing that it draws or scores means anything.

    Raises:
        NoNumbers: One of them is not.
    """
    if not all(map(math.isfinite, log_probabilities)):
        raise NoNumbers


def draw_tokens(logits: torch.Tensor, temperature: float, random: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A token (B,) for each row of logits (B, V) at a temperature, by uniform random numbers (2, B); its probability.

    Two random numbers per completion, not one per token of the vocabulary: `torch.multinomial` took longer than the
    model (135M model on a CPU, 50 prompts x 8: 46 s of 128).
    """
    size = rows_at_once(logits)
    parts = zip(logits.split(size), random[0, :, None].split(size), random[1, :, None].split(size), strict=True)
    tokens, probabilities = zip(*(_draw_part(*part, temperature) for part in parts), strict=True)
    return torch.cat(tokens), torch.cat(probabilities)


def _draw_part(
    logits: torch.Tensor, block_uniform: torch.Tensor, token_uniform: torch.Tensor, temperature: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """A token for each row of logits (B, V), by inverse transform sampling with uniform random numbers (B, 1)."""
    scaled = logits if temperature == 1 else logits.float() / temperature
    probabilities = torch.softmax(scaled, -1, dtype=torch.float32)
    # First a block of the vocabulary, then a token in it: a cumulative sum over all tokens is slower than the softmax.
    size = VOCABULARY_BLOCK
    blocks = pad(probabilities, (0, -probabilities.shape[-1] % size)).unflatten(-1, (-1, size))
    block = _inverse_cdf(blocks.sum(-1), block_uniform)
    tokens = block * size + _inverse_cdf(blocks[torch.arange(len(block), device=block.device), block], token_uniform)
    tokens = tokens.clamp(max=probabilities.shape[-1] - 1)  # changes nothing where all are numbers
    return tokens, probabilities.gather(1, tokens[:, None])[:, 0]


def _inverse_cdf(weights: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """The column (B,) of each row of weights (B, N) where the cumulative weight reaches a share (B, 1) of the total."""
    cumulative = weights.cumsum(-1)
    column = torch.searchsorted(cumulative, uniform * cumulative[:, -1:])[:, 0]
    return column.clamp(max=weights.shape[-1] - 1)  # none is reached where weights are no numbers
