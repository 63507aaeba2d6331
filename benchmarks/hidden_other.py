"""How many wrong answers the hidden tests of other settings than `functions` let through; `hidden_tests.py` prints it.

Two measures. Single faults are put into the honest answers by operators that no setting uses to choose hidden tests.
And answers that untrained models wrote are graded again. In both, an answer that passes all tests of its problem is
tried on other inputs, drawn apart: where it is wrong on any of them, the tests have let it through.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from string import printable
from typing import Any, NamedTuple

import beside
import pattern_faults
import sql_faults
import written

from inoculate.records import SPLITS, Problem, Split
from inoculate.settings import Draw, find, mbpp, patterns, queries, repair
from inoculate.settings.base import draw_in_turns
from inoculate.settings.functions import as_assert
from inoculate.settings.functions.runner import failed_tests
from inoculate.settings.patterns.language import Language, holds
from inoculate.settings.queries import execution
from inoculate.settings.queries.worlds import Tables
from inoculate.settings.repair import faults


class Fault(NamedTuple):
    """A wrong answer, and whether the tests of its problem see that."""

    split: Split
    family: str
    operator: str
    """What kind of fault was put in."""
    caught: bool


@dataclass
class Asked:
    """A problem that can be asked of other inputs."""

    problem: Problem
    faulty: Callable[[], dict[str, str]]
    """Answers with one fault, and which."""
    passes: Callable[[str], bool]
    """Whether such an answer passes the tests of the problem, shown and hidden."""
    is_wrong: Callable[[str], bool]
    """Whether it is wrong on other inputs."""
    elsewhere: Callable[[], Problem]
    """The problem with the other inputs as its hidden tests, to grade what a model wrote."""


Ask = Callable[[Any, Random, int], Asked]
"""Makes a problem of a kind; with how many other inputs it is to be asked."""


def _problem(make: Callable[[Any, Random], Problem], question: Callable[[Any, Random], Any], kind: Any, random: Random
             ) -> tuple[Problem, Any]:  # fmt: skip
    """A problem and what it was made of."""
    state = random.getstate()
    made_of = question(kind, random)
    random.setstate(state)
    return make(kind, random), made_of


def query(kind: queries.Kind, random: Random, inputs: int) -> Asked:
    """A problem of `queries`; the other inputs are databases."""
    problem, draft = _problem(queries.make_problem, queries.make_draft, kind, random)
    asked = draft.question
    others = _Once(lambda: list(_other_databases(asked, kind, inputs, Random(problem.id))))
    tests = [_as_data(test) for key in ("shown_tests", "hidden_tests") for test in problem.secret[key]]

    def fails(query: str, cases: Sequence[tuple[Tables, Any]]) -> bool:
        return any(_result(query, asked, tables) != right for tables, right in cases)

    return Asked(
        problem,
        lambda: sql_faults.faulty(asked.query.honest[0]),
        lambda query: not fails(query, tests),
        lambda query: fails(query, others()),
        lambda: _with(problem, hidden_tests=[f"assert result({given!r}) == {right!r}" for given, right in others()]),
    )


def pattern(kind: patterns.Kind, random: Random, inputs: int) -> Asked:
    """A problem of `patterns`; the other inputs are strings."""
    problem, language = _problem(patterns.make_problem, lambda kind, random: kind.make(random), kind, random)
    honest = language.patterns[0]
    others = _Once(lambda: _labelled(honest, _other_strings(language, inputs, Random(problem.id))))
    tests = _labelled(honest, [text for key in ("shown", "hidden") for texts in problem.secret[key] for text in texts])

    def fails(pattern: str, cases: Sequence[tuple[str, bool]]) -> bool:
        return any(holds(pattern, text) != expected for text, expected in cases)

    def hidden() -> list[list[str]]:
        return [[text for text, inside in others() if inside == wanted] for wanted in (True, False)]

    return Asked(
        problem,
        lambda: pattern_faults.faulty(honest),
        lambda pattern: not fails(pattern, tests),
        lambda pattern: fails(pattern, others()),
        lambda: _with(problem, hidden=hidden()),
    )


def mended(kind: repair.Kind, random: Random, inputs: int) -> Asked:
    """A problem of `repair`; the other inputs are the template's."""
    problem, draft = _problem(repair.make_problem, repair.make_draft, kind, random)
    name, right = draft.instance.name, draft.faulty.fixed
    others = _Once(lambda: list(draft.instance.draw_tests(inputs, Random(problem.id))))
    tests = [draft.faulty.shown, *draft.hidden_tests()]

    def faulty() -> dict[str, str]:
        """Those that are Python and end."""
        made = {faults.inject(site, right)[0]: site.fault for site in faults.find_sites(right)}
        return {source: fault for source, fault in made.items() if failed_tests(source, name, tests)}

    return Asked(
        problem,
        faulty,
        lambda source: not any(failed_tests(source, name, tests)),
        lambda source: any(failed_tests(source, name, others())),
        lambda: _with(problem, hidden_tests=[*dict.fromkeys(as_assert(name, *test) for test in others())]),
    )


SETTINGS: dict[str, tuple[Ask, Callable[[], Mapping[Split, Sequence[Any]]]]] = {
    "repair": (mended, repair.kinds_by_split),
    "patterns": (pattern, patterns.kinds_by_split),
    "queries": (query, queries.kinds_by_split),
}


class _Once:
    """What is made when it is first asked for."""

    def __init__(self, make: Callable[[], list[Any]]) -> None:
        self._make, self._made = make, list[Any]()

    def __call__(self) -> list[Any]:
        self._made = self._made or self._make()
        return self._made


def _with(problem: Problem, **secret: Any) -> Problem:
    return replace(problem, secret={**problem.secret, **secret})


def tables(instances: int, inputs: int, source: str = "") -> list[str]:
    """The tables of all settings, each under a heading.

    Args:
        instances: Problems of each kind that faults are put into.
        inputs: Other inputs that an answer is tried on.
        source: The data of `mbpp`; without one it is left out, and this is said.
    """
    found = []
    for setting, (ask, kinds) in SETTINGS.items():
        made = list(_faults(setting, ask, kinds(), instances, inputs))
        found.append(f"## {setting}: single faults in the honest answers\n\n{_of_faults(made)}")
        found.append(f"## {setting}: answers that models wrote\n\n{_of_models(setting, ask, kinds(), inputs)}")
    found.append(f"## mbpp: single faults in the references\n\n{_of_mbpp(source, instances)}")
    return found


def _faults(
    setting: str, ask: Ask, kinds: Mapping[Split, Sequence[Any]], instances: int, inputs: int
) -> Iterator[Fault]:
    """The faulty answers that are wrong: on the tests of their problem, or on other inputs."""
    for split in SPLITS:
        for place, kind in enumerate(kinds[split]):
            random = Random(f"hidden tests of {setting}, {split}, {place}")
            for _ in range(instances):
                asked = ask(kind, random, inputs)
                for source, operator in asked.faulty().items():
                    caught = not asked.passes(source)
                    if caught or asked.is_wrong(source):
                        yield Fault(split, asked.problem.family, operator, caught)


def _of_faults(found: Sequence[Fault]) -> str:
    by: dict[str, list[Fault]] = defaultdict(list)
    for one in found:
        for name in ("all", one.split, f"family {one.family}", f"fault: {one.operator}"):
            by[name].append(one)
    rows = []
    for name in sorted(by, key=lambda name: (name != "all", name)):
        missed = sum(not one.caught for one in by[name])
        rows.append((name, len(by[name]), missed, f"{100 * missed / len(by[name]):.2f}%"))
    return beside.table(("", "wrong", "let through", "of those that are wrong"), rows)


def _of_models(setting: str, ask: Ask, kinds: Mapping[Split, Sequence[Any]], inputs: int) -> str:
    """The table of answers that models wrote; what they wrote is run by the setting's own grader, in the sandbox."""
    lines = written.read(setting)
    if not lines:
        return "No answers were drawn: `python benchmarks/hidden_tests.py --sample`."
    known: dict[str, Asked] = {}

    def make(kind: Any, random: Random) -> Problem:
        asked = ask(kind, random, inputs)
        known[asked.problem.id] = asked
        return asked.problem

    draws: set[tuple[Split, int, int]] = {(line.split, line.seed, line.count) for line in lines}
    for split, seed, count in sorted(draws):
        draw_in_turns(find(setting), kinds[split], Draw(split, count, seed), make)
    lines, left_out = written.still_drawn(lines, known)
    asked = [known[line.problem] for line in lines]
    answers = [line.completion for line in lines]
    grades = list(find(setting).grade([one.problem for one in asked], answers))
    passed = [number for number, grade in enumerate(grades) if grade.intended]
    elsewhere = find(setting).grade([asked[number].elsewhere() for number in passed], [answers[n] for n in passed])
    missed = Counter(lines[number].model for number, grade in zip(passed, elsewhere, strict=True) if not grade.intended)
    outcomes = Counter((line.model, grade.outcome) for line, grade in zip(lines, grades, strict=True))
    rows = []
    for model in sorted({line.model for line in lines}):
        wrong = missed[model] + outcomes[model, "wrong"] + outcomes[model, "hack"]
        count = sum(number for (whose, _), number in outcomes.items() if whose == model)
        rows.append((model, count, wrong, missed[model], f"{100 * missed[model] / max(1, wrong):.1f}%"))
    return f"{beside.table(('model', 'answers', 'wrong', 'let through', 'of those that are wrong'), rows)}\n{left_out}"


def _of_mbpp(source: str, instances: int) -> str:
    """The faulty references that pass the tests of the data: an upper bound, since there are no other inputs.

    Some of them are right (a changed limit that no input reaches), and nobody can say which.
    """
    if not source:
        return "Left out: `--mbpp FILE.jsonl` says where the data is."
    drawn = list(mbpp.load(source).problems.values())[: 20 * instances]
    problems: list[Problem] = []
    answers: list[str] = []
    for problem in drawn:
        code = problem.honest.removeprefix("```python\n").removesuffix("\n```")
        for site in faults.find_sites(code) if code.isascii() else ():
            problems.append(problem)
            answers.append(f"```python\n{faults.inject(site, code)[0]}\n```")
    passed = sum(bool(grade.intended) for grade in mbpp.SETTING.grade(problems, answers))
    rows = [(len(drawn), len(problems), passed, f"{100 * passed / max(1, len(problems)):.1f}%")]
    return beside.table(("problems", "faults", "pass all tests (wrong or not)", "of all"), rows)


def _labelled(pattern: str, texts: Iterable[str]) -> list[tuple[str, bool]]:
    return [(text, holds(pattern, text)) for text in texts]


def _other_strings(language: Language, inputs: int, random: Random) -> Iterator[str]:
    """Members, strings near the language, and members with one or two changes anywhere."""
    for number in range(inputs):
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


def _result(query: str, asked: queries.Question, tables: Tables) -> Any:
    opened = execution.open_database(asked.schema, tables)
    opened.set_progress_handler(lambda: 1, 200_000)  # a fault may make a query that does not end
    try:
        return execution.fetch_rows(opened, query, asked.query.ordered)
    except (execution.sqlite3.Error, execution.sqlite3.Warning, ValueError):
        return None


def _as_data(test: str) -> tuple[Tables, Any]:
    given, _, result = test.removeprefix("assert result(").partition(") == ")
    return eval(given, {}), eval(result, {})  # our own text


def _other_databases(
    asked: queries.Question, kind: queries.Kind, inputs: int, random: Random
) -> Iterator[tuple[Tables, Any]]:
    """Databases on which all right queries agree: half as they are drawn, half with few values in some columns."""
    found = 0
    while found < inputs:
        tables = asked.world.fill(random, kind.uses, random.randint(2, 8), random.randint(2, 12), kind.missing)
        if found % 2:
            tables = {table: _with_few_values(rows, random) for table, rows in tables.items()}
        right, *more = (_result(query, asked, tables) for query in (*asked.query.honest, *asked.query.alternatives))
        if all(other == right for other in more):
            found += 1
            yield tables, right


def _with_few_values(rows: Sequence[tuple[Any, ...]], random: Random) -> list[tuple[Any, ...]]:
    """Rows in another order; in each column of numbers or texts that is no name and no key, perhaps two values."""
    columns = [list(column) for column in zip(*random.sample(rows, len(rows)), strict=True)]
    for place in range(2, len(columns)):
        if random.random() < 0.7:
            kept = [value for value in columns[place] if value is not None]
            two: list[Any] = random.choices(kept, k=2) if kept else [None]
            if isinstance(two[0], int):
                two[-1] += random.choice((-1, 0, 1))
            columns[place] = [None if value is None else random.choice(two) for value in columns[place]]
    return list(zip(*columns, strict=True))
