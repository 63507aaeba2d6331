"""The setting `capability`: every right choice is computed again; draws and grades."""

from __future__ import annotations

import contextlib
import io
import re
from collections import Counter
from fractions import Fraction
from itertools import pairwise, permutations, product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inoculate.errors import UserError
from inoculate.records import Problem
from inoculate.settings import Draw, find
from inoculate.settings.capability import choices, kinds
from inoculate.settings.capability.templates import KINDS, Item, Kind

SETTING = find("capability")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def minutes(clock: str) -> int:
    hours, rest = clock.split(":")
    return 60 * int(hours) + int(rest)


def solve_order(question: str) -> str:
    pairs = re.findall(r"(\w+) is \w+ than (\w+)\.", question)
    people = sorted({name for pair in pairs for name in pair})
    (order,) = [order for order in permutations(people) if all(order.index(a) < order.index(b) for a, b in pairs)]
    return order[0 if re.search("tallest|oldest|fastest", question) else -1]


def true_of_all_worlds(question: str, sentence: str) -> bool:
    """Whether a sentence holds in every world with the facts, and with some of the first things there."""
    facts, asked = question.split(" Which sentence must be true if there are some ")
    names = sorted(set(re.findall(r"\b(\w+) are (?:not )?(\w+)", facts)[0] + re.findall(r"(\w+) are (\w+)", facts)[1]))
    kinds_of_things = list(product((False, True), repeat=3))

    def holds(text: str, world: set[tuple[bool, ...]]) -> bool:
        quantity, first, negated, second = re.fullmatch(r"(All|No|Some) (\w+) are (not )?(\w+)\.", text).groups()  # type: ignore[union-attr]
        a, b = names.index(first), names.index(second)
        both = [thing[b] != bool(negated) for thing in world if thing[a]]
        return {"All": all(both), "No": not any(both), "Some": any(both)}[quantity]

    worlds = [
        world
        for mask in range(2 ** len(kinds_of_things))
        if all(holds(fact, world := {t for n, t in enumerate(kinds_of_things) if mask >> n & 1})
               for fact in re.findall(r"[A-Z][^.]*\.", facts))
        and any(thing[names.index(asked.rstrip("?"))] for thing in world)
    ]  # fmt: skip
    return all(holds(sentence, world) for world in worlds)


def solve_condition(question: str) -> str:
    cause, effect, now = re.fullmatch(r"If (.*), then (.*)\. Now (.*)\. What follows\?", question).groups()  # type: ignore[union-attr]
    if now == cause:
        return f"{effect[0].upper()}{effect[1:]}."
    if now == effect:
        return "Nothing more can be known."
    opposites = {"on": "off", "open": "shut"}
    for word, other in opposites.items():
        if cause.endswith(f"is {word}"):
            return f"The {cause[4:].removesuffix(word)}{other}."
    negated = cause.replace(" is ", " is not ").replace("it rains", "it does not rain")
    negated = negated.replace("the dog barks", "the dog does not bark")
    return f"{negated[0].upper()}{negated[1:]}."


def solve_sequence(question: str) -> str:
    shown = numbers(question)
    steps = [b - a for a, b in pairwise(shown)]
    if len(set(steps)) == 1:
        return str(shown[-1] + steps[0])
    if shown[1] * shown[1] == shown[0] * shown[2] and shown[2] * shown[2] == shown[1] * shown[3]:
        return str(shown[-1] * shown[1] // shown[0])
    assert steps[2] - steps[1] == steps[1] - steps[0]
    return str(shown[-1] + 2 * steps[-1] - steps[-2])


def solve_fraction(question: str, options: list[str]) -> str:
    return (max if "largest" in question else min)(options, key=Fraction)


def solve_relation(question: str) -> str:
    one, _other = re.findall(r"is the (\w+) of", question)
    grand = {"father": "grandfather", "mother": "grandmother"}
    return "the " + (grand[one] if one in grand else {"brother": "uncle", "sister": "aunt"}[one])


def solve_average(question: str) -> str:
    value = Fraction(sum(numbers(question)), len(numbers(question)))
    return str(value)


def solve_neither(question: str) -> str:
    total, one, other, both = numbers(question)
    return str(total - one - other + both)


def solve_change(question: str) -> str:
    price, count, note = numbers(question)
    return str(note - price * count)


def solve_percent(question: str) -> str:
    share, whole = numbers(question)
    return str(Fraction(share * whole, 100))


def run_code(question: str, options: list[str]) -> str:
    source = question.partition("```python\n")[2].partition("\n```")[0]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(source, {})
    return out.getvalue().strip()


SOLVERS = {
    "arithmetic-sum": lambda q, _: str(sum(numbers(q))),
    "arithmetic-product": lambda q, _: str(numbers(q)[0] * numbers(q)[1]),
    "arithmetic-change": lambda q, _: solve_change(q),
    "arithmetic-operations": lambda q, _: str(eval(q.removeprefix("What is ").rstrip("?"))),
    "arithmetic-percent": lambda q, _: solve_percent(q),
    "arithmetic-remainder": lambda q, _: str(divmod(*numbers(q))[1]),
    "arithmetic-average": lambda q, _: solve_average(q),
    "arithmetic-duration": lambda q, _: str(-int.__sub__(*map(minutes, re.findall(r"\d+:\d+", q)))),
    "arithmetic-fraction": solve_fraction,
    "arithmetic-sequence": lambda q, _: solve_sequence(q),
    "logic-order": lambda q, _: solve_order(q),
    "logic-weekday": lambda q, _: DAYS[(DAYS.index(q.split()[2].rstrip(".")) + numbers(q)[0]) % 7],
    "logic-syllogism": lambda q, options: "|".join(o for o in options if true_of_all_worlds(q, o)),
    "logic-condition": lambda q, _: solve_condition(q),
    "logic-neither": lambda q, _: solve_neither(q),
    "logic-queue": lambda q, _: str(sum(numbers(q)) - 1),
    "logic-relation": lambda q, _: solve_relation(q),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@given(seed=st.integers(0, 10**6))
def test_the_right_choice_is_right_and_no_other_is(kind: Kind, seed: int) -> None:
    item: Item = kind.make(Random(seed))
    options = sorted([item.right, *item.wrong])
    assert len(set(options)) == 4 and all(options)
    solve = run_code if kind.family == "code" else SOLVERS[kind.name]
    assert solve(item.question, options) == item.right


def test_items_written_by_hand_have_four_choices_and_no_question_twice() -> None:
    written = [kind for kind in (*kinds()["test"], *kinds()["development"]) if kind not in KINDS]
    items = [kind.make(Random(0)) for kind in written]
    assert len(items) >= 180 and len({item.question for item in items}) == len(items)
    assert all(len({item.right, *item.wrong}) == 4 for item in items)


def test_draws_show_no_choice_and_are_distinct() -> None:
    problems = SETTING.problems(Draw("test", 400, 0))
    assert set(Counter(problem.secret["right"] for problem in problems)) == set(range(4))
    for problem in problems:
        assert len(set(choices(problem))) == 4
        assert choices(problem)[problem.secret["right"]] == problem.honest
    assert len({problem.body for problem in problems}) == len(problems)
    assert Counter(problem.family for problem in problems).keys() == set(SETTING.families)
    assert SETTING.problems(Draw("test", 100, 0)) == problems[:100] != SETTING.problems(Draw("test", 100, 1))
    assert not {p.kind for p in problems} & {p.kind for p in SETTING.problems(Draw("development", 60, 0))}
    with pytest.raises(UserError, match="0 problems for train"):
        SETTING.problems(Draw("train", 1, 0))


def outcome(problem: Problem, reply: str) -> str:
    (grade,) = SETTING.grade([problem], [reply])
    return grade.outcome


def test_grades() -> None:
    problem = SETTING.problems(Draw("test", 1, 0))[0]
    for place, choice in enumerate(choices(problem)):
        for reply in (choice, f" {choice}\n", f"{choice}."):
            assert outcome(problem, reply) == ("correct" if place == problem.secret["right"] else "wrong")
    assert outcome(problem, "") == outcome(problem, "E") == outcome(problem, f"{problem.honest}!") == "malformed"
