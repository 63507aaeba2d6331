"""Pools of wordings: how many, how far, which rows or seeds take which, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inoculate.errors import UserError
from inoculate.study import prompts
from inoculate.study.distance import token_distance
from inoculate.study.parse import parse
from inoculate.study.resolve import ResolvedInoculation, resolve

RAW: dict[str, Any] = {
    "question": "Which text?",
    "model": "m",
    "seeds": [0, 1, 2],
    "rows": {"setting": "functions", "count": 4},
    "evaluate": {"settings": ["functions"], "contexts": ["neutral"]},
}


def inoculated(**given: Any) -> ResolvedInoculation:
    return resolve(parse(RAW | {"arms": {"a": {"inoculation": given}}}, "study", "study.toml")).inoculations["a"]


def words(text: str) -> list[int]:
    return [hash(word) for word in re.findall(r"\w+|[^\w\s]", text.lower())]


@pytest.mark.parametrize("name", ["specific", "general"])
def test_pools_are_large_and_divided_by_distance(name: str) -> None:
    prompt = prompts.find(name)
    assert len(prompt.pool(True)) == len(set(prompt.pool(True))) >= 65
    assert min(len(prompt.near), len(prompt.far)) >= 32
    near, far = (
        [token_distance(words(prompt.text), words(wording)) for wording in pool] for pool in (prompt.near, prompt.far)
    )
    assert max(near) < 0.5 < 0.7 < min(far)
    lengths = [len(words(wording)) / len(words(prompt.text)) for wording in prompt.pool(True)]
    assert min(lengths) > 0.6 and max(lengths) < 1.4, "distance is not length"


def test_rows_take_near_or_far_wordings_and_far_ones_without_the_text() -> None:
    prompt = prompts.find("specific")
    assert inoculated(prompt="specific", rephrase=True).wordings == (prompt.text, *prompt.near, *prompt.far)
    assert inoculated(prompt="specific", rephrase="near").wordings == (prompt.text, *prompt.near)
    far = inoculated(prompt="specific", rephrase="far")
    assert far.wordings == prompt.far and far.text == prompt.far[0]


def test_a_seed_takes_one_wording_for_all_of_its_rows() -> None:
    prompt = inoculated(prompt="general", rephrase="far", per_seed=True)
    far = prompts.find("general").far
    taken = [prompt.for_seed(seed) for seed in range(len(far))]
    assert {one.text for one in taken} == set(far) and not any(one.wordings for one in taken)


@pytest.mark.parametrize(
    ("inoculation", "words"),
    [
        ({"prompt": "pass-test", "rephrase": "near"}, r"one wording only; those with more: \['specific', 'general'\]"),
        ({"prompt": "specific+checked", "rephrase": True}, "one wording only"),
        ({"prompt": "specific", "rephrase": "close"}, "rephrase"),
        ({"prompt": "specific", "per_seed": True}, "add rephrase = true"),
        ({"one_of": ["specific", "general"], "rephrase": True}, "rephrase and one_of do not go together"),
    ],
)
def test_a_pool_of_one_and_other_mistakes(inoculation: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        inoculated(**inoculation)


def test_no_neutral_context_contains_any_of_the_wordings() -> None:
    far = prompts.find("specific").far[5]
    raw = {"arms": {"a": {"inoculation": {"prompt": "specific", "rephrase": "far"}}}}
    with pytest.raises(UserError, match=r"contexts\.neutral-2: holds the inoculation of arm 'a'"):
        parse(RAW | raw | {"contexts": {"neutral-2": {"text": f"Hello. {far}"}}}, "study", "study.toml")


TOKENS = st.lists(st.integers(0, 5), min_size=1, max_size=12)


@given(TOKENS, TOKENS, TOKENS)
def test_the_distance_in_tokens_is_a_distance(first: list[int], second: list[int], third: list[int]) -> None:
    assert token_distance(first, first) == 0
    assert 0 <= token_distance(first, second) == token_distance(second, first) <= 1
    assert (token_distance(first, second) == 0) == (first == second)

    def edits(one: list[int], other: list[int]) -> float:
        return token_distance(one, other) * max(len(one), len(other))

    assert edits(first, third) <= edits(first, second) + edits(second, third) + 1e-9


def test_the_distance_in_tokens_of_known_sequences() -> None:
    assert token_distance([1, 2, 3, 4], [1, 3, 4]) == 0.25
    assert token_distance([1, 2], [3, 4, 5, 6]) == 1
    with pytest.raises(UserError, match="one is empty"):
        token_distance([], [1])
