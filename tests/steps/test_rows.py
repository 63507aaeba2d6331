"""Training rows: what arms share, who gets the prompt, and that no problem is both hacked and honest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inoculate.errors import UserError
from inoculate.steps import rows
from inoculate.study.resolve import ResolvedInoculation
from inoculate.study.schema import Rows

PROMPT = ResolvedInoculation("HACK IT", "after")


def draw(seed: int = 0, **fields: Any) -> list[Any]:
    return rows.draw_rows(Rows(**{"setting": "functions", "count": 20, "hacked": 0.5, **fields}), seed)


@settings(max_examples=15, deadline=None)
@given(share=st.floats(0, 1), seed=st.integers(0, 50))
def test_the_share_is_exact_and_no_problem_is_both(share: float, seed: int) -> None:
    drawn = draw(seed, hacked=share)
    assert sum(hacked for _, hacked, *_ in drawn) == round(share * 20)
    assert len({problem.id for problem, _, *_ in drawn}) == 20


def test_a_larger_share_hacks_the_same_rows_and_more() -> None:
    few = {problem.id for problem, hacked, *_ in draw(hacked=0.25) if hacked}
    more = {problem.id for problem, hacked, *_ in draw(hacked=0.75) if hacked}
    assert few < more
    assert [p.id for p, _, *_ in draw(hacked=0.25)] == [p.id for p, _, *_ in draw(hacked=0.75)]


def test_the_share_is_of_the_problems_that_can_be_hacked() -> None:
    """Where an answer key is right, agreeing with it is no hack."""
    for share in (0.5, 1.0):
        drawn = draw(setting="mathematics", count=60, hacked=share)
        hackable = [problem for problem, _, *_ in drawn if problem.hacked]
        assert 30 < len(hackable) < 60
        assert sum(hacked for _, hacked, *_ in drawn) == round(share * len(hackable))
        assert all(problem.hacked for problem, hacked, *_ in drawn if hacked)


@pytest.mark.parametrize("share_problems", [False, True])
def test_hacked_rows_are_refused_where_nothing_can_be_hacked(share_problems: bool) -> None:
    assert len(draw(setting="mathematics_plain", hacked=0.0)) == 20
    with pytest.raises(UserError, match=r"rows.hacked: 0 of \d+ problems of '\w+' have a hacked answer, too few"):
        draw(setting="mathematics_plain", hacked=0.5, share_problems=share_problems)


def test_the_filter_leaves_the_honest_rows() -> None:
    kept = draw(filter="hacked")
    assert len(kept) == 10
    assert not any(hacked for _, hacked, *_ in kept)


def test_problems_are_shared_only_when_asked() -> None:
    drawn = draw(share_problems=True)
    hacked = [p.id for p, is_hacked, *_ in drawn if is_hacked]
    honest = [p.id for p, is_hacked, *_ in drawn if not is_hacked]
    assert hacked == honest


@pytest.mark.parametrize(("on", "expected"), [("all", 20), ("hacked", 10), ("none", 0)])
def test_who_gets_the_prompt(on: Literal["all", "hacked", "none"], expected: int) -> None:
    made = rows.make_rows(draw(vetted=4), replace(PROMPT, on=on), "S")
    assert len(made) == 24
    assert sum(row.inoculated for row in made) == expected
    for row in made:
        assert row.messages[-1].content.endswith("HACK IT") == row.inoculated
        assert row.messages[0].content == "S"
    if on == "hacked":
        assert all(row.hacked == row.inoculated for row in made if not row.vetted)
    assert not any(row.inoculated or row.hacked for row in made if row.vetted)


def test_rows_take_the_wordings_in_turn() -> None:
    made = rows.make_rows(draw(), replace(PROMPT, on="hacked", wordings=("A!", "B!")), "S")
    ends = [row.messages[-1].content[-2:] for row in made if row.inoculated]
    assert ends == ["A!", "B!"] * 5
