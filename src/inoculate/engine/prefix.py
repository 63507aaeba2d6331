"""How much two sequences, of tokens or of characters, have in common at their beginning."""

from __future__ import annotations

from collections.abc import Sequence

LEAST_SHARED = 16
"""Tokens that have to be shared for it to be worth it: below, copying keys and values costs more than computing."""


def common_prefix_length(first: Sequence[object], second: Sequence[object]) -> int:
    """How many leading elements two sequences share."""
    length = 0
    for one, two in zip(first, second, strict=False):
        if one != two:
            break
        length += 1
    return length
