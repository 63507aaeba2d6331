"""The setting `side_effects`: every key has a reason, no habit of answering pays, and draws keep that."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from inoculate.checking import balance
from inoculate.checking.subject import Subject
from inoculate.errors import UserError
from inoculate.records import SAYS_YES, TAKES_FIRST, Problem, Split
from inoculate.settings import Draw, find
from inoculate.settings.side_effects.items import CONTROL, FAMILIES, Item, reasons, stems

SETTING = find("side_effects")
TEST = SETTING.problems(Draw("test", 816, 0))


def test_there_are_enough_items_and_no_situation_is_in_two_splits() -> None:
    test = [stem for stem in stems() if stem.split == "test"]
    assert min(Counter(stem.family for stem in test).values()) >= 16
    assert len({stem.name for stem in stems()}) == len({stem.text for stem in stems()}) == len(stems())
    for split in ("train", "development", "test"):
        families = Counter(stem.family for stem in stems() if stem.split == split)
        assert set(families) == set(FAMILIES) and len(set(families.values())) == 1
    questions = [f"{stem.text} {item.question}" for stem in stems() for item in stem.items]
    assert len(set(questions)) == len(questions) == 4 * len(stems())


def test_every_key_has_a_reason_that_names_the_same_answer() -> None:
    keys = {(stem.name, item.question): item.good for stem in stems() for item in stem.items}
    audited = {key: good for key, (good, _) in reasons().items()}
    assert audited == keys
    assert all(len(reason.split()) >= 3 and reason.endswith(".") for _, reason in reasons().values())


def test_the_answers_of_an_item_begin_with_yes_and_no() -> None:
    for stem in stems():
        assert all(item.yes.startswith("Yes, ") and item.no.startswith("No, ") for item in stem.items)
        assert [(good.good_is_yes, bad.good_is_yes) for good, bad in stem.twins] == [(True, False)] * 2


@pytest.mark.parametrize("count", [4, 40, 192])
def test_of_every_four_problems_two_say_yes_and_two_name_it_first(count: int) -> None:
    for split in ("train", "test"):
        problems = SETTING.problems(Draw(split, count, 3))
        for start in range(0, count, 4):
            four = problems[start : start + 4]
            assert len({problem.kind for problem in four}) == 1
            assert sum(problem.honest.startswith("Yes") for problem in four) == 2
            assert sum(SETTING.choices(problem)[0][:2] == problem.honest[:2] for problem in four) == 2  # type: ignore[misc]
    assert SETTING.problems(Draw("test", 40, 0)) == TEST[:40] != SETTING.problems(Draw("test", 40, 1))
    with pytest.raises(UserError, match="only 816 such problems for test, 817 were asked for"):
        SETTING.problems(Draw("test", 817, 0))


def predict(learned: list[Item], item: Item) -> float:
    """Naive Bayes over the words of questions: above 0 is yes."""
    words = {sort: Counter(w for one in learned if one.good_is_yes == sort for w in bag(one)) for sort in (True, False)}
    return sum(math.log((words[True][word] + 1) / (words[False][word] + 1)) for word in bag(item))


def bag(item: Item) -> set[str]:
    """The words of a question."""
    return set(re.findall(r"\w+", item.question.lower()))


def test_words_of_the_questions_do_not_tell_the_keys() -> None:
    """Whoever learned words from half of the situations ('hide' is no, 'tell' is yes) knows little about the rest."""
    test = [stem for stem in stems() if stem.split == "test" and stem.family != CONTROL]
    random = Random(0)
    hits: list[float] = []
    for _ in range(40):
        random.shuffle(test)
        learned = [item for stem in test[::2] for item in stem.items]
        for item in (item for stem in test[1::2] for item in stem.items):
            score = predict(learned, item)
            hits.append(0.5 if score == 0 else float((score > 0) == item.good_is_yes))
    assert 0.43 < sum(hits) / len(hits) < 0.57, sum(hits) / len(hits)


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_small_draw_has_as_much_of_every_family(split: Split) -> None:
    counts = Counter(problem.family for problem in SETTING.problems(Draw(split, 48, 1)))
    assert counts == dict.fromkeys(FAMILIES, 8)


def rates(habit: str) -> tuple[float, float, float]:
    """The shares of good answers, of yes and of the first of somebody with a habit."""
    pick = {
        "yes": lambda p: next(c for c in SETTING.choices(p) if c.startswith("Yes")),  # type: ignore[misc]
        "first": lambda p: SETTING.choices(p)[0],  # type: ignore[misc]
        "last": lambda p: SETTING.choices(p)[1],  # type: ignore[misc]
    }[habit]
    grades = list(SETTING.grade(TEST, [pick(problem) for problem in TEST]))
    number = len(grades)
    return (
        sum(grade.outcome == "correct" for grade in grades) / number,
        sum(grade.others[SAYS_YES] for grade in grades) / number,
        sum(grade.others[TAKES_FIRST] for grade in grades) / number,
    )


def test_a_habit_of_answering_earns_nothing_and_shows() -> None:
    assert rates("yes") == (0.5, 1.0, 0.5)
    assert rates("first") == (0.5, 0.5, 1.0)
    assert rates("last") == (0.5, 0.5, 0.0)


def test_the_balance_is_proved_and_a_lost_balance_is_found() -> None:
    subject = Subject("side_effects", 816)
    assert balance.check_balance(subject).ok

    def faults_with(change: dict[str, object]) -> str:
        def spoil(problem: Problem) -> Problem:
            if problem.family != "power":
                return problem
            yes = problem.honest.startswith("Yes")
            return replace(
                problem, **({"honest": problem.hacked, "hacked": problem.honest} if not yes else {}), **change
            )  # type: ignore[arg-type]

        subject = Subject("side_effects", 816)
        spoiled = replace(SETTING, problems=lambda draw: [spoil(problem) for problem in SETTING.problems(draw)])
        subject.setting = spoiled
        return " ".join(fault.message for fault in balance.check_balance(subject).faults)

    found = faults_with({})
    assert "test, power: the good answer begins with Yes in 136 of 136 problems" in found
    assert "no twin" in found
    assert balance.check_balance(Subject("capability", 20)).ok is None


def test_grades_of_answers_written_out_and_of_anything_else() -> None:
    problem = TEST[0]
    good, bad, neither = SETTING.grade([problem] * 3, [problem.honest, problem.hacked, "Maybe."])
    assert (good.outcome, bad.outcome, neither.outcome) == ("correct", "hack", "malformed")
    assert not neither.others
