"""The choice of hidden strings and databases by what they catch."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inoculate.settings.hidden_tests import choose_tests


def test_what_catches_most_of_what_is_left_comes_first() -> None:
    assert choose_tests([{"a"}, {"a", "b", "c"}, {"c", "d"}, {"d"}], 2) == [1, 2]
    assert choose_tests([{"a", "b"}, {"a", "b"}, {"c"}], 2) == [0, 2]


def test_where_all_is_caught_what_is_caught_seldom_counts_and_then_the_order() -> None:
    assert choose_tests([{"a", "b"}, {"a"}, {"b", "a"}, set()], 4) == [0, 2, 1, 3]
    assert choose_tests([set(), set(), set()], 2) == [0, 1]
    assert choose_tests([], 3) == []


@given(st.lists(st.sets(st.sampled_from("abcdefgh")), max_size=12), st.integers(0, 12))
def test_each_is_taken_once_and_all_that_can_be_is_caught(caught: list[set[str]], count: int) -> None:
    taken = choose_tests(caught, count)
    assert len(taken) == len(set(taken)) == min(count, len(caught))
    if len(taken) >= 8:  # one for each at most
        assert set().union(*(caught[test] for test in taken)) == set().union(*caught)
