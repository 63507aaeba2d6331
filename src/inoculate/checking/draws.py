"""Checks of what a setting draws: exact, distinct, the same each time, and nothing shared between the splits."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import combinations
from operator import attrgetter

from inoculate.analysis.overlap import NEAR, shingles
from inoculate.checking.subject import Fault, Finding, Subject
from inoculate.errors import UserError
from inoculate.records import Problem, Split
from inoculate.settings import Draw

ENOUGH = 1000
"""Distinct problems of a split that a setting should have."""
_AFRESH = 60
"""Problems of each split that are drawn again in another process."""
_FEW = 8
"""Fewer problems can come in the same order by chance."""
_PART = 8
"""Problems drawn of one family or level."""
_COMMON = 0.1
"""A run of words that stands in a larger share of the problems is the setting's own form, and no sign of a copy."""
_TELLING = 8
"""Telling runs of words that a problem must have to be compared: fewer say little."""


def text(problem: Problem) -> str:
    """All that the model is shown."""
    return "\n".join(part for part in (problem.system, f"{problem.lead} {problem.body}".strip()) if part)


_MARKS: dict[str, Callable[[Problem], str]] = {"kind": attrgetter("kind"), "id": attrgetter("id"), "text": text}
"""What no two splits may share."""


def exact(subject: Subject) -> Finding:
    """As many problems as were asked for, all different, all of this setting."""
    faults, looked = [], 0
    for split, problems in subject.problems.items():
        wanted, _ = subject.available(split, subject.count)
        for count in {1, wanted} if wanted else set():
            got = subject.draw(split, count)
            looked += 1
            if len(got) != count:
                faults.append(Fault(f"{split}: {len(got)} problems where {count} were asked for"))
        twice = [(text, n) for text, n in Counter(map(text, problems)).items() if n > 1]
        for problem in problems:
            if twice and text(problem) == twice[0][0]:
                faults.append(Fault(f"{split}: the same text stands in {twice[0][1]} problems", problem))
                break
    return Finding("", looked, tuple(faults))


def enough(subject: Subject) -> Finding:
    """A thousand distinct problems of each split, or a refusal that says how many there are."""
    faults, said, looked = [], [], 0
    for split in subject.problems:
        there, refusal = subject.available(split, ENOUGH)
        looked += 1
        distinct = len({text(problem) for problem in subject.draw(split, there)}) if there else 0
        said.append(f"{split}: {distinct}{' or more' if there == ENOUGH else ''}")
        if distinct < there:
            faults.append(Fault(f"{split}: of {there} problems only {distinct} differ in their text"))
        if refusal and str(there) not in re.findall(r"\d+", refusal):
            faults.append(Fault(f"{split}: has {there} problems, but refuses {ENOUGH} without saying so: '{refusal}'"))
    return Finding("", looked, tuple(faults), ", ".join(said))


def deterministic(subject: Subject) -> Finding:
    """The same draw gives the same problems, also in another process with another seed of Python's hashes."""
    faults, looked = [], 0
    filled: dict[Split, list[Problem]] = {split: problems for split, problems in subject.problems.items() if problems}
    for split, problems in filled.items():
        again = subject.draw(split, len(problems))
        looked += len(problems)
        faults += [
            Fault(f"{split}: the same draw gave another problem in place {place}", first)
            for place, (first, second) in enumerate(zip(problems, again, strict=False))
            if first != second
        ][:1]
        if len(problems) >= _FEW and problems == subject.draw(split, len(problems), seed=1):
            faults.append(Fault(f"{split}: seeds 0 and 1 draw the same problems in the same order"))
    if not faults:
        draws = [Draw(split, min(_AFRESH, len(found)), 0, (), (), subject.source, subject.grader)
                 for split, found in filled.items()]  # fmt: skip
        here = hashlib.sha256(repr([subject.setting.problems(draw) for draw in draws]).encode()).hexdigest()
        elsewhere = _elsewhere(subject.name, draws)
        if elsewhere != here:
            faults.append(Fault(f"another process draws other problems (does the order of a set decide?): {elsewhere}"))
    return Finding("", looked, tuple(faults))


_ELSEWHERE = """
import hashlib, json, sys
from inoculate.settings import Draw, find
name, draws = json.loads(sys.argv[1])
problems = [find(name).problems(Draw(**draw)) for draw in draws]
print(hashlib.sha256(repr(problems).encode()).hexdigest())
"""


def _elsewhere(name: str, draws: list[Draw]) -> str:
    """The hash of the same draws in another process, or what went wrong there."""
    done = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE, json.dumps([name, [asdict(draw) for draw in draws]])],
        env={**os.environ, "PYTHONHASHSEED": "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"},
        capture_output=True,
        text=True,
    )
    return (done.stdout or done.stderr).strip().splitlines()[-1][-200:]


def nested(subject: Subject) -> Finding:
    """The first n problems of a larger draw are the draw of n."""
    faults, looked = [], 0
    for split, problems in subject.problems.items():
        size = len(problems)
        for count in sorted({1, 5, 20, size // 4, size // 2, size - 1} & set(range(1, size))):
            looked += 1
            smaller = subject.draw(split, count)
            place = next((i for i, (a, b) in enumerate(zip(smaller, problems, strict=False)) if a != b), None)
            if place is not None:
                words = f"{split}: problem {place} of a draw of {count} is not problem {place} of a draw of {size}"
                faults.append(Fault(words, smaller[place]))
    return Finding("", looked, tuple(faults))


def parts(subject: Subject) -> Finding:
    """Every family and level that is declared can be drawn alone, and is drawn alone; others are refused."""
    faults: list[Fault] = []
    setting, looked = subject.setting, 0
    declared = [*(("family", name) for name in setting.families), *(("level", level) for level in setting.levels)]
    for key, value in declared:
        drawn = list(_alone(subject, key, value))
        looked += len(drawn)
        if not drawn:
            faults.append(Fault(f"no split has a problem of {key} {value!r}, which is declared"))
        faults += [
            Fault(f"drawn as one of {key} {value!r}, and is of {key} {getattr(problem, key)!r}", problem)
            for problem in drawn
            if getattr(problem, key) != value
        ][:1]
    for key, value in (("family", "no such family"), ("level", 10_000)):
        if any(_alone(subject, key, value)):
            faults.append(Fault(f"{key} {value!r} is not refused"))
    return Finding("", looked, tuple(faults))


def _alone(subject: Subject, key: str, value: str | int) -> Iterator[Problem]:
    """Some problems of one family or level, of every split that has any."""
    families = (str(value),) if key == "family" else ()
    levels = (int(value),) if key == "level" else ()
    for split, problems in subject.problems.items():
        for count in (_PART, 1) if problems else ():
            try:
                yield from subject.draw(split, count, families=families, levels=levels)
                break
            except UserError:
                continue


def ids(subject: Subject) -> Finding:
    """The same text has the same id, and another text another one, over splits and seeds."""
    by_id: dict[str, Problem] = {}
    by_text: dict[str, Problem] = {}
    faults = []
    drawn = [problem for _, problem in subject.every]
    for split, problems in subject.problems.items():
        drawn += subject.draw(split, len(problems), seed=1) if problems else []
    for problem in drawn:
        shown = text(problem)
        if text(by_id.setdefault(problem.id, problem)) != shown:
            faults.append(Fault(f"the id '{problem.id}' stands for two texts", problem))
        elif by_text.setdefault(shown, problem).id != problem.id:
            faults.append(Fault(f"one text has the ids '{by_text[shown].id}' and '{problem.id}'", problem))
        elif by_id[problem.id].secret != problem.secret:
            faults.append(Fault(f"the id '{problem.id}' stands for problems with different secrets", problem))
        elif problem.setting != subject.setting.name:
            faults.append(Fault(f"says it is of setting '{problem.setting}', not '{subject.setting.name}'", problem))
    return Finding("", len(drawn), tuple(faults))


def apart(subject: Subject) -> Finding:
    """No kind, id or text is in two splits."""
    faults, looked = [], 0
    splits: list[Split] = [split for split, problems in subject.problems.items() if problems]
    for one, other in combinations(splits, 2):
        for what, value in _MARKS.items():
            there = {value(problem) for problem in subject.problems[one]}
            looked += len(there)
            shared = [problem for problem in subject.problems[other] if value(problem) in there]
            if shared:
                words = f"{len(shared)} problems of {other} have the {what} of one of {one}"
                faults.append(Fault(f"{words} ({value(shared[0])[:60]!r})", shared[0]))
    return Finding("", looked, tuple(faults))


def near(subject: Subject) -> Finding:
    """No problem repeats most of one in another split, numbers left aside.

    The measure is that of a run's own check (`analysis.overlap`): the share of a problem's runs of five words that
    stand in the other. Numbers count as alike, and runs that stand in more than a tenth of all problems do not count.
    """
    problems = list(subject.every)
    runs = [shingles(re.sub(r"\d+(?:\.\d+)?", "0", text(problem))) for _, problem in problems]
    often = Counter(run for found in runs for run in found)
    telling = [{run for run in found if often[run] <= max(1, _COMMON * len(problems))} for found in runs]
    places: dict[tuple[str, ...], list[int]] = {}
    for number, found in enumerate(telling):
        for run in found:
            places.setdefault(run, []).append(number)
    faults, looked = [], 0
    for number, (split, problem) in enumerate(problems):
        if len(telling[number]) < _TELLING:
            continue
        looked += 1
        hits = Counter(other for run in telling[number] for other in places[run] if problems[other][0] != split)
        other, count = max(hits.items(), key=lambda hit: hit[1], default=(0, 0))
        if count >= NEAR * len(telling[number]):
            twin = problems[other]
            words = f"{count / len(telling[number]):.0%} of it stands in '{twin[1].id}' of {twin[0]} (in {split}: this)"
            faults.append(Fault(words, problem))
    return Finding("", looked, tuple(faults))
