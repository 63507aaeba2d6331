"""Edits between token sequences."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inoculate.errors import UserError
from inoculate.study.distance import token_distance, token_edits

TOKENS = st.lists(st.integers(0, 3), max_size=9)


def slowly(first: list[int], second: list[int]) -> int:
    """The definition, by recursion."""

    @cache
    def edits(one: int, other: int) -> int:
        if not one or not other:
            return one + other
        kept = edits(one - 1, other - 1) + (first[one - 1] != second[other - 1])
        return min(kept, edits(one - 1, other) + 1, edits(one, other - 1) + 1)

    return edits(len(first), len(second))


@given(TOKENS, TOKENS)
def test_edits_are_those_of_the_definition(first: list[int], second: list[int]) -> None:
    assert token_edits(first, second) == token_edits(second, first) == slowly(first, second)
    if first and second:
        assert token_distance(first, second) == slowly(first, second) / max(len(first), len(second))


def test_no_text_has_no_distance_of_texts() -> None:
    assert token_edits([], [1, 2]) == 2
    with pytest.raises(UserError, match="needs two texts"):
        token_distance([], [1])
