"""Which prompts begin alike, and in what order they are computed so that a shared beginning is computed once.

Beginnings of prompts form a tree: the system prompt is common to all, a task to all its contexts. No tree is built.
Every prompt takes the beginning that it shares with another one, its donor, from the donor's cache. Prompts whose
donors are ready are computed together, in waves. A donor has to save `LEAST_SHARED` tokens, and a donor of a later wave
as many beyond those of an earlier one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from inoculate.engine.prefix import LEAST_SHARED, common_prefix_length


class Beginning(NamedTuple):
    """Where the beginning of a prompt comes from."""

    donor: int
    """The prompt whose cache it is copied from; -1 for none."""
    shared: int
    """How many tokens those are."""
    wave: int
    """Computed after all prompts of earlier waves; 0 for prompts that wait for none."""


def common_length(first: Sequence[int], second: Sequence[int]) -> int:
    """How many leading tokens two prompts have in common; each keeps at least one token of its own."""
    return max(0, min(common_prefix_length(first, second), len(first) - 1, len(second) - 1))


def beginnings(prompts: Sequence[Sequence[int]], ready: int = 0) -> list[Beginning]:
    """Where each prompt's beginning comes from.

    Args:
        prompts: Tokens of prompts in sorted order, so that prompts that begin alike are neighbours.
        ready: How many of the first ones are in a cache already. Their own entries mean nothing.
    """
    found = [Beginning(-1, 0, -1)] * ready
    common = [0, *(common_length(before, after) for before, after in pairwise(prompts))]
    for number in range(ready, len(prompts)):
        best, saved, shared = Beginning(-1, 0, 0), 0, len(prompts[number]) - 1
        for donor in range(number - 1, -1, -1):
            shared = min(shared, common[donor + 1])  # what two sorted prompts share is the least of all between them
            if shared < LEAST_SHARED or shared <= saved:
                break
            wave = found[donor].wave + 1
            if shared - LEAST_SHARED * wave > saved:
                best, saved = Beginning(donor, shared, wave), shared - LEAST_SHARED * wave
        found.append(best)
    return found
