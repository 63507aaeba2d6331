"""Donors of prompts: what is copied is shared, comes from an earlier wave, and is as much as there is to share."""

from __future__ import annotations

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from inoculate.engine.prefix import LEAST_SHARED
from inoculate.engine.sampling.prefixes import beginnings, common_length

PARTS = st.sampled_from([[1] * 20, [2] * 20, [3] * 30, [4], [5, 6], [7] * 17])
PROMPTS = st.lists(st.lists(PARTS, min_size=1, max_size=4), min_size=1, max_size=12).map(
    lambda found: sorted(list(chain.from_iterable(parts)) for parts in found)
)


@given(PROMPTS, st.integers(0, 12))
def test_what_is_copied_is_shared_and_ready(prompts: list[list[int]], ready: int) -> None:
    ready = min(ready, len(prompts))
    found = beginnings(prompts, ready)
    for number in range(ready, len(prompts)):
        donor, shared, wave = found[number]
        assert shared < len(prompts[number])
        if donor < 0:
            assert (shared, wave) == (0, 0)
            continue
        assert prompts[donor][:shared] == prompts[number][:shared]
        assert shared >= LEAST_SHARED
        assert wave == (0 if donor < ready else found[donor].wave + 1)


@given(PROMPTS)
def test_no_prompt_computes_much_that_an_earlier_one_has(prompts: list[list[int]]) -> None:
    found = beginnings(prompts)
    for number, (_, shared, wave) in enumerate(found):
        most = max((common_length(before, prompts[number]) for before in prompts[:number]), default=0)
        deepest = max((found[donor].wave for donor in range(number)), default=0)
        assert most - shared <= LEAST_SHARED * (1 + deepest), wave


def test_a_task_is_shared_by_its_contexts_and_the_system_prompt_by_all() -> None:
    system, tasks, contexts = list(range(40)), [[100 + n] * 50 for n in range(3)], [[1], [2] * 20, [3] * 20]
    prompts = sorted(system + task + context for task in tasks for context in contexts)
    found = beginnings(prompts)
    assert [shared for _, shared, _ in found] == [0, 90, 90, 40, 90, 90, 40, 90, 90]
    assert [wave for _, _, wave in found] == [0, 1, 1, 1, 2, 2, 1, 2, 2]
    assert sum(len(ids) - shared for ids, (_, shared, _) in zip(prompts, found, strict=True)) == 40 + 150 + 3 * 41
