"""How far a wording is from a prompt, in tokens. `engine/sampling/divergence.py` measures it in a model's answers."""

from __future__ import annotations

from collections.abc import Sequence

from inoculate.errors import UserError

FEWEST_CONTEXTS = 3
"""With fewer contexts there is no course of a rate over distance, and no distance is measured."""


def token_edits(first: Sequence[int], second: Sequence[int]) -> int:
    """The edit distance of two token sequences (Levenshtein 1966): tokens to replace, leave out or add.

    Args:
        first: Token ids.
        second: Token ids.
    """
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    end = 0
    while end < min(len(first), len(second)) - start and first[-1 - end] == second[-1 - end]:
        end += 1
    # What both begin and end with is kept in place: there is a shortest edit that leaves it alone.
    first, second = first[start : len(first) - end], second[start : len(second) - end]
    previous = list(range(len(second) + 1))
    for done, token in enumerate(first, 1):
        current = [done]
        for place, other in enumerate(second, 1):
            current.append(min(previous[place] + 1, current[-1] + 1, previous[place - 1] + (token != other)))
        previous = current
    return previous[-1]


def token_distance(first: Sequence[int], second: Sequence[int]) -> float:
    """The edit distance of two token sequences over the length of the longer one.

    Args:
        first: Token ids.
        second: Token ids.

    Returns:
        From 0 (the same tokens) to 1 (no token could be kept in its place).

    Raises:
        UserError: One of them is empty.
    """
    if not first or not second:
        raise UserError(
            "a distance in tokens needs two texts: one is empty (the neutral context has none); leave it out"
        )
    return token_edits(first, second) / max(len(first), len(second))
