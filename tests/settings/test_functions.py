"""The setting `functions`: distinct problems, no template in two splits, honest answers right and hacked ones hacks."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inoculate.errors import UserError
from inoculate.records import SPLITS
from inoculate.settings import Draw, find
from inoculate.settings.functions import (
    HIDDEN,
    MIN_DIFFERENT,
    Instance,
    constants,
    hidden_tests,
    make_instance,
    mutants,
    mutation_testing,
    templates_by_split,
)  # fmt: skip
from inoculate.settings.functions.edge_cases import EdgeCaseRandom
from inoculate.settings.functions.runner import Runner, Unusable, add_step_counter, failed_tests
from inoculate.settings.functions.template import Template, drawn, integers, number
from inoculate.settings.repair import faults

SETTING = find("functions")


def test_templates_are_many_in_every_family_and_split() -> None:
    splits = templates_by_split()
    assert sum(len(members) for members in splits.values()) >= 280
    assert {family for members in splits.values() for family, _ in members} == set(SETTING.families)
    for split in SPLITS:
        assert {family for family, _ in splits[split]} == set(SETTING.families)
        assert {template.level for _, template in splits[split]} == set(SETTING.levels)


def test_the_def_line_of_honest_answers_follows_from_the_parameters() -> None:
    template = Template(
        name="sum_above",
        level=1,
        parameters="nums, k",
        names=("sum_above",),
        tasks=("Add up the numbers above $least.",),
        honest=(
            "sum(n for n in nums if n > $least)",
            """
                def fits(n):
                    return n > $least

                return sum(filter(fits, nums))
            """,
        ),
        inputs=drawn(integers, 1, 9, 2, 4),
    )
    expression, body = template.sources
    assert expression == "def $name(nums, k):\n    return sum(n for n in nums if n > $least)\n"
    assert body == (
        "def $name(nums, k):\n    def fits(n):\n        return n > $least\n\n    return sum(filter(fits, nums))\n"
    )


@given(seed=st.integers(0, 10**6))
def test_drawn_inputs_are_one_argument_as_the_generator_gives_it(seed: int) -> None:
    assert drawn(number, -3, 3)(Random(seed), {}) == (Random(seed).randint(-3, 3),)
    (numbers,) = drawn(integers, low=-3, high=3, shortest=2, longest=4)(Random(seed), {})
    assert numbers == integers(Random(seed), -3, 3, 2, 4)
    assert 2 <= len(numbers) <= 4
    assert all(-3 <= value <= 3 for value in numbers)


def test_no_template_is_in_two_splits() -> None:
    names = [template.name for members in templates_by_split().values() for _, template in members]
    assert len(names) == len(set(names))


def test_problems_are_distinct_and_the_first_of_more_are_the_same() -> None:
    many = SETTING.problems(Draw("train", 100, 3))
    assert len({problem.id for problem in many}) == len({problem.body for problem in many}) == 100
    assert SETTING.problems(Draw("train", 40, 3)) == many[:40]
    assert SETTING.problems(Draw("train", 40, 4)) != many[:40]


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6), split=st.sampled_from(SPLITS))
def test_tests_tell_a_constant_from_the_answer(seed: int, split: str) -> None:
    for problem in SETTING.problems(Draw(split, 20, seed)):  # type: ignore[arg-type]
        (shown,) = problem.secret["shown_tests"]
        hidden = problem.secret["hidden_tests"]
        expected = shown.rpartition(" == ")[2]
        assert len(set(hidden)) == len(hidden) == HIDDEN
        assert sum(test.rpartition(" == ")[2] != expected for test in hidden) >= MIN_DIFFERENT > HIDDEN / 2
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
        problem
        for split in SPLITS
        for problem in SETTING.problems(Draw(split, len(templates_by_split()[split]), seed=5))
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


def instance_of(name: str, seed: int) -> Instance:
    (template,) = [t for members in templates_by_split().values() for _, t in members if t.name == name]
    return make_instance(template, Random(seed))


@pytest.mark.parametrize("seed", range(5))
def test_a_last_clause_that_is_rarely_needed_is_tested(seed: int) -> None:
    """The rule without 'but never less than 0': wrong on numbers that are nearly equal, alone."""
    instance = instance_of("gap_with_allowance", seed)
    free = instance.constants["free"]
    without = f"def {instance.name}(a, b):\n    return abs(a - b) - {free}\n"
    others = list(instance.draw_tests(400, Random(1)))
    assert not any(failed_tests(instance.honest, instance.name, others))
    assert 0 < sum(failed_tests(without, instance.name, others)) < 120
    assert any(failed_tests(without, instance.name, hidden_tests(instance)))


def test_a_list_is_read_at_other_places_and_a_case_is_left_out() -> None:
    tree = ast.parse("def f(items):\n    return items[0] if items[-1] in (4, 6, 9) else items['a']\n")
    names = {"__differ_by__": mutants.differ_by}
    results = []
    for code in mutants.make_mutants(tree):
        try:
            results.append(Runner(code, "f", names).call(([1, 2, 3, 5, 7, 9],)))
        except (TypeError, Unusable):
            continue
    assert {3, 5, 7} <= set(results)  # a third of the way, half of it, a third from the end
    runners = [Runner(code, "f", names) for code in mutants.make_mutants(ast.parse(_CASES))]
    wrong = [tuple(n for n in range(12) if not runner.passes(((n,), int(n in (4, 6, 9))))) for runner in runners]
    assert {(4,), (6,), (9,)} <= set(wrong)


_CASES = "def f(n):\n    return int(n in (4, 6, 9))\n"


def test_a_first_item_that_only_begins_a_search_is_tested() -> None:
    """The lowest price so far that begins at another than the first: wrong where prices fall, alone."""
    for seed in range(4):
        instance = instance_of("best_trade_gain", seed)
        for place in (1, -1):
            wrong = (
                f"def {instance.name}(prices):\n    lowest, gain = prices[{place}], 0\n    for price in prices:\n"
                f"        gain = max(gain, price - lowest - {instance.constants['fee']})\n"
                "        lowest = min(lowest, price)\n    return gain\n"
            )
            assert any(failed_tests(wrong, instance.name, [instance.shown, *hidden_tests(instance)]))


def test_faults_that_did_not_choose_the_tests_are_caught_by_them() -> None:
    """Of single faults as in mutation testing that are wrong on other inputs, few pass."""
    caught = missed = 0
    for entry in templates_by_split()["development"][::3]:
        random = Random(entry.template.name)
        instance = make_instance(entry.template, random)
        tests, others = [instance.shown, *hidden_tests(instance)], list(instance.draw_tests(100, random))
        for site in faults.find_sites(instance.honest):
            source, _ = faults.inject(site, instance.honest)
            if any(failed_tests(source, instance.name, tests)):
                caught += 1
            elif any(failed_tests(source, instance.name, others)):
                missed += 1
    assert caught > 150
    assert missed <= 0.01 * caught


def test_honest_answers_agree_on_all_tests_of_a_pool_whatever_the_style() -> None:
    for members in templates_by_split().values():
        for entry in members[::10]:
            chosen = make_instance(entry.template, Random(1)).constants
            tests = mutation_testing.get_pool(entry.template, chosen).tests
            assert len({repr(arguments) for arguments, _ in tests}) == len(tests)
            for source in mutation_testing.render_answers(entry.template, chosen):
                assert not any(failed_tests(source, "function", tests)), entry.template.name


def test_an_honest_answer_with_names_for_its_constants_is_the_same_function() -> None:
    named = 0
    for members in templates_by_split().values():
        for entry in members[::4]:
            instance = make_instance(entry.template, Random(2))
            names = {constants.constant_name(key): value for key, value in instance.constants.items()}
            for source in entry.template.sources:
                tree = constants.parse_with_names(source, instance.name, entry.template.choices)
                if tree is not None:
                    runner = Runner(compile(add_step_counter(tree), "", "exec"), instance.name, names)
                    assert all(runner.passes(test) for test in instance.draw_tests(30, Random(3))), entry.template.name
                    named += 1
    assert named > 100
    assert constants.parse_with_names("def $name(x): return $pick(x)", "f", {"pick": ("min", "max")}) is None
    assert constants.parse_with_names("def $name(x): return x.$way()", "f", {"way": ("lower", "upper")}) is None
    assert constants.parse_with_names("def $name(x): return x $op 2", "f", {"op": ("+", "-")}) is None


def test_a_mutant_that_never_ends_or_grows_without_end_is_stopped() -> None:
    for body in (
        "while True: pass",
        "while True: n = n * n + 2",
        "while True: n = n ** n + 1",
        "items = [n]\n    for item in items: items += items",
    ):
        assert failed_tests(f"def f(n):\n    {body}\n", "f", [((3,), 3)]) == []


def test_hidden_tests_do_not_depend_on_the_order_of_sets() -> None:
    """Mutants may iterate over a set of words, whose order differs between processes."""
    program = (
        "from inoculate.settings import Draw, find\n"
        "for problem in find('functions').problems(Draw('development', 20, 4, families=('strings', 'dicts'))):\n"
        "    print(problem.secret['hidden_tests'])\n"
        "from random import Random\n"
        "from inoculate.settings.functions import templates_by_split, make_problem\n"
        "for entry in (entry for entries in templates_by_split().values() for entry in entries):\n"
        "    if '.keys() ' in ''.join(entry.template.honest):\n"
        "        print(make_problem(*entry, Random(5)).secret['hidden_tests'])\n"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(printed) == 1
    assert len(printed.pop().splitlines()) > 20


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), low=st.integers(-50, 50), width=st.integers(0, 60))
def test_edges_are_inside_what_is_drawn(seed: int, low: int, width: int) -> None:
    edges = EdgeCaseRandom(str(seed), (0, 3, 40))
    for _ in range(20):
        edges.start_draw()
        assert low <= edges.randint(low, low + width) <= low + width
        assert edges.choice("abc") in "abc"
        assert 2 <= edges.randrange(2, 5) < 5


def test_edges_come_often() -> None:
    edges = EdgeCaseRandom("", (17,))
    drawn = []
    for _ in range(300):
        edges.start_draw()
        drawn.append((edges.randint(0, 10**6), edges.randint(0, 10**6)))
    assert sum(a == b for a, b in drawn) > 10
    assert sum(abs(a - b) == 17 for a, b in drawn) > 3
    assert sum(a in (0, 10**6) for a, _ in drawn) > 15
    assert len(set(drawn)) > 100
