"""How many wrong answers the hidden tests of `functions` let through.

    python benchmarks/hidden_tests.py [--instances 4] [--inputs 300] [--show 20]

Faults as programmers make them (`settings/repair/faults.py`, the operators of mutation testing) are put into the honest
answers, one at a time. A faulty answer that passes a problem's twelve tests is tried on other inputs of the same
template: where it is wrong on one of them, the tests have let it through; where on none, it may be right. Not what
models get wrong, but near it: a clause forgotten, a limit off by one.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import beside
import written

from inoculate.settings.functions import Entry, Instance, Test, by_split, hidden_tests, make_instance
from inoculate.settings.repair import faults
from inoculate.settings.functions.running import failing
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
    for source in dict.fromkeys(faults.put(place, instance.honest)[0] for place in faults.places(instance.honest)):
        failed = failing(source, instance.name, tests)
        if not failed:
            continue
        if any(failed):
            yield Fault(entry, instance, source, True, 0.0)
            continue
        others = others or list(instance.more(inputs, random))
        wrong = failing(source, instance.name, others)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=4, help="problems of each template")
    parser.add_argument("--inputs", type=int, default=300, help="other inputs that a fault is tried on")
    parser.add_argument("--show", type=int, default=20, help="how many of those that are wrong most often to print")
    parser.add_argument("--sample", action="store_true", help="draw answers of models anew, and grade nothing")
    parser.add_argument("--models", nargs="+", default=written.MODELS, help="whose answers to draw")
    parser.add_argument("--settings", nargs="+", choices=written.SETTINGS, default=written.SETTINGS, help="to draw in")
    parser.add_argument(
        "--problems", type=int, default=250, help="of each split, setting and model, to draw answers to"
    )
    parser.add_argument("--store", type=Path, default=Path("store"), help="folder of finished steps")
    given = parser.parse_args()
    if given.sample:
        written.sample(given.models, given.settings, given.problems, Store(given.store))
        return
    found: list[Fault] = []
    by: dict[str, list[Fault]] = defaultdict(list)
    for split, entries in by_split().items():
        for entry in entries:
            random = Random(f"hidden tests, {entry.template.name}")
            for _ in range(given.instances):
                made = list(faulty(entry, make_instance(entry.template, random), given.inputs, random))
                found += made
                for name in (split, entry.family, f"level {entry.level}"):
                    by[name] += made
    print(beside.table(HEAD, [line("all", found), *(line(name, by[name]) for name in by)]))
    missed = sorted((one for one in found if one.wrong), key=lambda one: -one.wrong)
    print(f"\nThose that are wrong most often, of {len(missed)}:")
    for one in missed[: given.show]:
        print(f"\n{one.entry.template.name}, wrong on {100 * one.wrong:.0f}% of inputs: {one.instance.task}")
        print(one.source)
    worst = Counter(one.entry.template.name for one in missed)
    print("\nTemplates with most:", ", ".join(f"{name} {count}" for name, count in worst.most_common(15)))


if __name__ == "__main__":
    main()
