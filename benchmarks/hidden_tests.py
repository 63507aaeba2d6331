"""How many wrong answers the hidden tests let through: faults put into honest answers, and answers that models wrote.

    python benchmarks/hidden_tests.py [--instances 4] [--inputs 300] [--show 20]
    python benchmarks/hidden_tests.py --sample [--models NAME ...] [--settings NAME ...] [--problems 250]
                                      [--store store]

Faults as programmers make them (`settings/repair/faults.py`, the operators of mutation testing) are put into the honest
answers, one at a time. A faulty answer that passes a problem's twelve tests is tried on other inputs of the same
template: where it is wrong on one of them, the tests have let it through; where on none, it may be right. The tests
were chosen by other faults (`settings/functions/mutants.py`) and from other draws.

Beside it, answers that untrained models wrote at temperature 1 (`written.py`): graded by the hidden tests, and those
that pass on other inputs too. `--sample` draws such answers anew, into `data/`. Code that models wrote runs in the
sandbox alone.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import beside
import hidden_other
import written

from inoculate.grading import CodeTask, grade_code
from inoculate.records import Problem, Split
from inoculate.settings.base import Draw, draw_in_turns
from inoculate.settings.functions import (
    SETTING,
    Entry,
    Instance,
    Test,
    as_assert,
    hidden_tests,
    make_instance,
    make_problem,
    templates_by_split,
)
from inoculate.settings.functions.runner import failed_tests
from inoculate.settings.repair import faults
from inoculate.steps.store import Store


class Fault(NamedTuple):
    """A faulty answer, and how it fared."""

    entry: Entry
    instance: Instance
    source: str
    caught: bool
    """By the problem's tests."""
    wrong: float
    """Share of other inputs on which it is wrong; 0 where it was caught, since nobody looked."""


def faulty(entry: Entry, instance: Instance, inputs: int, random: Random) -> Iterator[Fault]:
    """Every fault that can be put into an honest answer; those that are no Python or do not end are left out."""
    tests, others = [instance.shown, *hidden_tests(instance)], list[Test]()
    for source in dict.fromkeys(faults.inject(site, instance.honest)[0] for site in faults.find_sites(instance.honest)):
        failed = failed_tests(source, instance.name, tests)
        if not failed:
            continue
        if any(failed):
            yield Fault(entry, instance, source, True, 0.0)
            continue
        others = others or list(instance.draw_tests(inputs, random))
        wrong = failed_tests(source, instance.name, others)
        if wrong:
            yield Fault(entry, instance, source, False, sum(wrong) / len(wrong))


def line(name: str, found: Sequence[Fault]) -> list[object]:
    """A line of the table: `found` are all faults of a kind."""
    missed = [one for one in found if one.wrong]
    problems = {id(one.instance) for one in found}
    rare = sum(one.wrong < 0.05 for one in missed)
    return [
        name,
        len(problems),
        len(found),
        len(missed),
        f"{100 * len(missed) / (len(missed) + sum(one.caught for one in found)):.1f}%",
        rare,
        f"{100 * len({id(one.instance) for one in missed}) / len(problems):.0f}%",
    ]


HEAD = (
    "templates", "problems", "faults", "let through", "of those that are wrong", "wrong on under 5% of inputs",
    "problems that let one through",
)  # fmt: skip


def of_faults(instances: int, inputs: int) -> tuple[list[Fault], str]:
    """Faults in so many problems of each template, and their table."""
    found: list[Fault] = []
    by: dict[str, list[Fault]] = defaultdict(list)
    for split, entries in templates_by_split().items():
        for entry in entries:
            random = Random(f"hidden tests, {entry.template.name}")
            for _ in range(instances):
                made = list(faulty(entry, make_instance(entry.template, random), inputs, random))
                found += made
                for name in (split, entry.family, f"level {entry.level}"):
                    by[name] += made
    return found, beside.table(HEAD, [line("all", found), *(line(name, by[name]) for name in sorted(by))])


def of_templates(found: Sequence[Fault], most: int) -> str:
    """The templates whose tests let most through."""
    missed = Counter(one.entry.template.name for one in found if one.wrong)
    caught = Counter(one.entry.template.name for one in found if one.caught)
    share = {name: 100 * count / (count + caught[name]) for name, count in missed.items()}
    worst = sorted(share, key=lambda name: -share[name])[:most]
    return beside.table(
        ("template", "let through", "of those that are wrong"),
        [(name, missed[name], f"{share[name]:.1f}%") for name in worst],
    )


def of_models(inputs: int) -> str:
    """The table of answers that models wrote in `functions`."""
    lines = list(written.read("functions"))
    known = _instances({(line.split, line.seed, line.count) for line in lines})
    lines, left_out = written.still_drawn(lines, known)
    problems, instances = zip(*(known[line.problem] for line in lines), strict=True) if lines else ((), ())
    grades = list(SETTING.grade(problems, [line.completion for line in lines]))
    passed = [number for number, grade in enumerate(grades) if grade.intended]
    elsewhere = grade_code(
        [_elsewhere(problems[number], instances[number], inputs) for number in passed],
        [lines[number].completion for number in passed],
    )
    missed = Counter(lines[number].model for number, grade in zip(passed, elsewhere, strict=True) if not grade.intended)
    outcomes = Counter((line.model, grade.outcome) for line, grade in zip(lines, grades, strict=True))
    rows: list[tuple[object, ...]] = []
    for model in sorted({line.model for line in lines}):
        wrong = missed[model] + outcomes[model, "wrong"] + outcomes[model, "hack"]
        answers = sum(count for (whose, _), count in outcomes.items() if whose == model)
        rows.append((model, answers, wrong, missed[model], f"{100 * missed[model] / max(1, wrong):.1f}%"))
    return f"{beside.table(('model', 'answers', 'wrong', 'let through', 'of those that are wrong'), rows)}\n{left_out}"


def _instances(draws: Iterable[tuple[Split, int, int]]) -> dict[str, tuple[Problem, Instance]]:
    """The problems of draws, each with its instance."""
    found: dict[str, tuple[Problem, Instance]] = {}

    def make(entry: Entry, random: Random) -> Problem:
        state = random.getstate()
        instance = make_instance(entry.template, random)
        random.setstate(state)
        problem = make_problem(*entry, random)
        found[problem.id] = problem, instance
        return problem

    for split, seed, count in draws:
        draw_in_turns(SETTING, templates_by_split()[split], Draw(split, count, seed), make)
    return found


def _elsewhere(problem: Problem, instance: Instance, inputs: int) -> CodeTask:
    """The task of a problem with other hidden tests, as many as `inputs` with what is there by chance."""
    others = dict.fromkeys(as_assert(instance.name, *test) for test in instance.draw_tests(inputs, Random(problem.id)))
    return CodeTask(instance.name, tuple(problem.secret["shown_tests"]), tuple(others))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=4, help="problems of each template")
    parser.add_argument("--inputs", type=int, default=300, help="other inputs that an answer is tried on")
    parser.add_argument("--show", type=int, default=20, help="how many of those that are wrong most often to print")
    parser.add_argument("--sample", action="store_true", help="draw answers of models anew, and grade nothing")
    parser.add_argument("--models", nargs="+", default=written.MODELS, help="whose answers to draw")
    parser.add_argument("--settings", nargs="+", choices=written.SETTINGS, default=written.SETTINGS, help="to draw in")
    parser.add_argument(
        "--problems", type=int, default=250, help="of each split, setting and model, to draw answers to"
    )
    parser.add_argument("--store", type=Path, default=Path("store"), help="folder of finished steps")
    parser.add_argument("--mbpp", default="", metavar="FILE", help="the data of mbpp, to look at its tests too")
    given = parser.parse_args()
    if given.sample:
        written.sample(given.models, given.settings, given.problems, Store(given.store))
        return
    found, table = of_faults(given.instances, given.inputs)
    print(f"## functions: single faults in the honest answers\n\n{table}\n\n{of_templates(found, 15)}\n")
    print(f"## functions: answers that models wrote\n\n{of_models(given.inputs)}\n")
    for table in hidden_other.tables(given.instances, given.inputs, given.mbpp):
        print(f"{table}\n", flush=True)
    missed = sorted((one for one in found if one.wrong), key=lambda one: -one.wrong)
    print(f"Faults that are wrong most often, of {len(missed)} that the tests let through:")
    for one in missed[: given.show]:
        print(f"\n{one.entry.template.name}, wrong on {100 * one.wrong:.0f}% of inputs: {one.instance.task}")
        print(one.source)


if __name__ == "__main__":
    main()
