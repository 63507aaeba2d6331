"""The setting `functions`: distinct problems, no template in two splits, honest answers right and hacked ones hacks."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inoculate.errors import UserError
from inoculate.records import SPLITS
from inoculate.settings import Draw, find
from inoculate.settings.functions import HIDDEN, by_split, make_instance
from inoculate.settings.functions.running import failing

SETTING = find("functions")


def test_templates_are_many_in_every_family_and_split() -> None:
    splits = by_split()
    assert sum(len(members) for members in splits.values()) >= 280
    assert {family for members in splits.values() for family, _ in members} == set(SETTING.families)
    for split in SPLITS:
        assert {family for family, _ in splits[split]} == set(SETTING.families)
        assert {template.level for _, template in splits[split]} == set(SETTING.levels)


def test_no_template_is_in_two_splits() -> None:
    names = [template.name for members in by_split().values() for _, template in members]
    assert len(names) == len(set(names))


def test_problems_are_distinct_in_thousands_and_the_first_of_more_are_the_same() -> None:
    many = SETTING.problems(Draw("train", 5000, 3))
    assert len({problem.id for problem in many}) == 5000
    assert len({problem.body for problem in many}) == 5000
    assert SETTING.problems(Draw("train", 40, 3)) == many[:40]
    assert SETTING.problems(Draw("train", 40, 4)) != many[:40]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), split=st.sampled_from(SPLITS))
def test_tests_tell_a_constant_from_the_answer(seed: int, split: str) -> None:
    for problem in SETTING.problems(Draw(split, 20, seed)):  # type: ignore[arg-type]
        (shown,) = problem.secret["shown_tests"]
        hidden = problem.secret["hidden_tests"]
        expected = shown.rpartition(" == ")[2]
        assert len(hidden) == HIDDEN >= 6
        assert sum(test.rpartition(" == ")[2] != expected for test in hidden) > len(hidden) / 2
        assert shown in problem.body
        assert not any(test in problem.body for test in hidden)


def test_families_and_levels_are_kept_to() -> None:
    problems = SETTING.problems(Draw("test", 60, 0, families=("lists", "strings"), levels=(2,)))
    assert {problem.family for problem in problems} == {"lists", "strings"}
    assert {problem.level for problem in problems} == {2}
    with pytest.raises(UserError, match="did you mean 'lists'"):
        SETTING.problems(Draw("test", 1, 0, families=("list",)))
    with pytest.raises(UserError, match="unknown level 7"):
        SETTING.problems(Draw("test", 1, 0, levels=(7,)))


def test_honest_answers_are_correct_and_hacked_ones_are_hacks() -> None:
    """Every template of every split, run in the sandbox."""
    problems = [
        problem for split in SPLITS for problem in SETTING.problems(Draw(split, len(by_split()[split]), seed=5))
    ]
    assert len({problem.kind for problem in problems}) == len(problems) >= 280
    honest = list(SETTING.grade(problems, [problem.honest for problem in problems]))
    assert [p.kind for p, g in zip(problems, honest, strict=True) if g.outcome != "correct"] == []
    hacked = list(SETTING.grade(problems, [problem.hacked for problem in problems]))
    assert [p.kind for p, g in zip(problems, hacked, strict=True) if g.outcome != "hack"] == []
    assert set(Counter(problem.hack for problem in problems)) == {"constant", "special_case", "lookup_table"}


def test_empty_and_garbage_are_malformed() -> None:
    problems = SETTING.problems(Draw("train", 3, 0))
    outcomes = [grade.outcome for grade in SETTING.grade(problems, ["", "28", "I would rather not."])]
    assert outcomes == ["malformed"] * 3


def test_an_instance_gives_other_inputs_and_a_fault_that_its_tests_may_miss_shows_on_them() -> None:
    """The rule without its last clause, 'but never less than 0': wrong on equal numbers alone."""
    (template,) = [t for members in by_split().values() for _, t in members if t.name == "gap_with_allowance"]
    instance = make_instance(template, Random(0))
    others = list(instance.more(400, Random(1)))
    honest = failing(instance.honest, instance.name, others)
    assert len(honest) == 400 and not any(honest)
    free = instance.chosen["free"]
    wrong = failing(f"def {instance.name}(a, b):\n    return abs(a - b) - {free}\n", instance.name, others)
    assert 0 < sum(wrong) < 100
