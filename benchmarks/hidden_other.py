"""How many wrong answers the hidden tests of other settings than `functions` let through; `hidden_tests.py` prints it.

Two measures. Single faults are put into the honest answers by operators that no setting uses to choose hidden tests.
And answers that untrained models wrote are graded again. In both, an answer that passes all tests of its problem is
tried on other inputs, drawn apart: where it is wrong on any of them, the tests have let it through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from string import printable
from typing import Any, NamedTuple

import pattern_faults
import sql_faults

from inoculate.records import Problem, Split
from inoculate.settings import queries
from inoculate.settings.patterns.language import Language, holds
from inoculate.settings.queries import box
from inoculate.settings.queries.worlds import Tables

INPUTS = 300
"""Other inputs that an answer is tried on."""


class Fault(NamedTuple):
    """A wrong answer, and whether the tests of its problem see that."""

    split: Split
    family: str
    kind: str
    operator: str
    """What kind of fault was put in."""
    source: str
    caught: bool


@dataclass
class Asked:
    """A problem that can be asked of other inputs."""

    problem: Problem
    honest: str
    passes: Callable[[str], bool]
    """Whether an answer passes the tests of the problem, shown and hidden."""
    is_wrong: Callable[[str], bool]
    """Whether an answer is wrong on other inputs."""
    faulty: Callable[[], dict[str, str]]
    """Answers with one fault, and which."""


def faults(asked: Asked, split: Split) -> Iterator[Fault]:
    """The faulty answers of a problem that are wrong: on its tests, or on other inputs."""
    for source, operator in asked.faulty().items():
        caught = not asked.passes(source)
        if caught or asked.is_wrong(source):
            yield Fault(split, asked.problem.family, asked.problem.kind, operator, source, caught)


def query_problem(problem: Problem, question: queries.Question, kind: queries.Kind, random: Random) -> Asked:
    """A problem of `queries`; the other inputs are databases."""
    asked = question.asked
    others: list[tuple[Tables, Any]] = []

    def fails(query: str, cases: Sequence[tuple[Tables, Any]]) -> bool:
        return any(_result(query, asked, tables) != right for tables, right in cases)

    def is_wrong(query: str) -> bool:
        if not others:
            others.extend(_other_databases(asked, kind, random))
        return fails(query, others)

    tests = [_as_data(test) for key in ("shown_tests", "hidden_tests") for test in problem.secret[key]]
    honest = asked.query.honest[0]
    return Asked(problem, honest, lambda query: not fails(query, tests), is_wrong, lambda: sql_faults.faulty(honest))


def pattern_problem(problem: Problem, language: Language, random: Random) -> Asked:
    """A problem of `patterns`; the other inputs are strings."""
    honest = language.patterns[0]
    others = _labelled(honest, _other_strings(language, random))
    tests = _labelled(honest, [text for key in ("shown", "hidden") for texts in problem.secret[key] for text in texts])

    def fails(pattern: str, cases: Sequence[tuple[str, bool]]) -> bool:
        return any(holds(pattern, text) != expected for text, expected in cases)

    return Asked(
        problem, honest, lambda pattern: not fails(pattern, tests), lambda pattern: fails(pattern, others),
        lambda: pattern_faults.faulty(honest),
    )  # fmt: skip


def _labelled(pattern: str, texts: Iterable[str]) -> list[tuple[str, bool]]:
    return [(text, holds(pattern, text)) for text in texts]


def _other_strings(language: Language, random: Random) -> Iterator[str]:
    """Members, strings near the language, and members with one or two changes anywhere."""
    for number in range(INPUTS):
        text = language.member(random)
        if number % 3 == 1 and language.near:
            text = language.near(random)
        elif number % 3:
            for _ in range(random.choice((1, 1, 2))):
                text = _edited(text, random)
        yield text


def _edited(text: str, random: Random) -> str:
    at = random.randrange(len(text) + 1)
    before, here, after = text[:at], text[at : at + 1], text[at + 1 :]
    other = random.choice(printable[:95])
    return random.choice(
        (before + after, before + other + after, before + other + here + after, before + here.swapcase() + after,
         before + here * 2 + after, before, here + after, text * 2, after + before)
    )  # fmt: skip


def _result(query: str, asked: queries.Asked, tables: Tables) -> Any:
    opened = box.database(asked.schema, tables)
    opened.set_progress_handler(lambda: 1, 200_000)  # a fault may make a query that does not end
    try:
        return box.rows_of(opened, query, asked.query.ordered)
    except (box.sqlite3.Error, box.sqlite3.Warning, ValueError):
        return None


def _as_data(test: str) -> tuple[Tables, Any]:
    given, _, result = test.removeprefix("assert result(").partition(") == ")
    return eval(given, {}), eval(result, {})  # our own text


def _other_databases(asked: queries.Asked, kind: queries.Kind, random: Random) -> Iterator[tuple[Tables, Any]]:
    """Databases on which all right queries agree: half as they are drawn, half with few values in some columns."""
    found = 0
    while found < INPUTS:
        tables = asked.world.fill(random, kind.uses, random.randint(2, 8), random.randint(2, 12), kind.missing)
        if found % 2:
            tables = {table: _with_few_values(rows, random) for table, rows in tables.items()}
        right, *more = (_result(query, asked, tables) for query in (*asked.query.honest, *asked.query.also))
        if all(other == right for other in more):
            found += 1
            yield tables, right


def _with_few_values(rows: Sequence[tuple[Any, ...]], random: Random) -> list[tuple[Any, ...]]:
    """Rows in another order; in each column of numbers or texts that is no name and no key, perhaps two values."""
    columns = [list(column) for column in zip(*random.sample(rows, len(rows)), strict=True)]
    for place in range(2, len(columns)):
        if random.random() < 0.7:
            kept = [value for value in columns[place] if value is not None]
            two = random.choices(kept, k=2) if kept else [None]
            if isinstance(two[0], int):
                two[-1] += random.choice((-1, 0, 1))
            columns[place] = [None if value is None else random.choice(two) for value in columns[place]]
    return list(zip(*columns, strict=True))
