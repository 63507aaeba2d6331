"""Checks of a setting's draws: exact, distinct, deterministic, and with nothing shared between splits."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from itertools import combinations
from operator import attrgetter

from inoculate.analysis.overlap import NEAR, find_near, shingles
from inoculate.checking.subject import Fault, Finding, Subject
from inoculate.errors import UserError
from inoculate.records import Problem, Split
from inoculate.settings import Draw
from inoculate.settings.rows.reading import TRAJECTORY

ENOUGH = 1000
"""A split should have this many distinct problems."""
FEW = 50
"""With fewer problems in a split of the user's own data, that is said: intervals are wide."""
_REDRAWN = 60
"""Problems of each split that are drawn again in another process."""
_MIN_ORDERED = 8
"""Fewer problems may come in the same order by chance."""
_DRAWN_ALONE = 8
"""Problems to draw of one family or level."""
_COMMON_SHARE = 0.1
"""An n-gram in a larger share of the problems is part of the setting's form, and no sign of a copy."""
_MIN_DISTINCTIVE = 8
"""Only problems with at least this many distinctive n-grams are compared."""


def shown_text(problem: Problem) -> str:
    """All the text that is shown to the model."""
    return "\n".join(part for part in (problem.system, f"{problem.lead} {problem.body}".strip()) if part)


def _distinct_text(problem: Problem) -> str:
    """What tells a problem from the others of its split: the text shown.

    Rows that a policy has drawn have one question and several answers: there the name of the row is part of it.
    """
    own = problem.secret.get("own")
    drawn = isinstance(own, dict) and isinstance(own.get(TRAJECTORY), dict)
    return f"{shown_text(problem)}\0{problem.id}" if drawn else shown_text(problem)


_IDENTITIES: dict[str, Callable[[Problem], str]] = {
    "kind": attrgetter("kind"),
    "id": attrgetter("id"),
    "text": shown_text,
}
"""What no two splits may share."""


def check_counts(subject: Subject) -> Finding:
    """As many problems as requested, all of them distinct."""
    faults, checked = [], 0
    for split, problems in subject.problems.items():
        expected, _ = subject.available(split, subject.count)
        for count in {1, expected} if expected else set():
            drawn = subject.draw(split, count)
            checked += 1
            if len(drawn) != count:
                faults.append(Fault(f"{split}: {len(drawn)} problems where {count} were asked for"))
        repeated = [(text, n) for text, n in Counter(map(_distinct_text, problems)).items() if n > 1]
        for problem in problems:
            if repeated and _distinct_text(problem) == repeated[0][0]:
                faults.append(Fault(f"{split}: the same text stands in {repeated[0][1]} problems", problem))
                break
    return Finding("", checked, tuple(faults))


def check_size(subject: Subject) -> Finding:
    """A thousand distinct problems in each split, or an error that says how many there are."""
    faults, notes, checked, sizes = [], [], 0, dict[Split, int]()
    for split in subject.problems:
        available, refusal = subject.available(split, ENOUGH)
        checked += 1
        distinct = len({_distinct_text(problem) for problem in subject.draw(split, available)}) if available else 0
        sizes[split] = distinct
        notes.append(f"{split}: {distinct}{' or more' if available == ENOUGH else ''}")
        if distinct < available:
            faults.append(Fault(f"{split}: of {available} problems only {distinct} differ in their text"))
        if refusal and str(available) not in re.findall(r"\d+", refusal):
            message = f"{split}: has {available} problems, but refuses {ENOUGH} without saying so: '{refusal}'"
            faults.append(Fault(message))
    note = ", ".join(notes)
    return Finding("", checked, tuple(faults), note, _caution(subject, sizes, note))


def _caution(subject: Subject, sizes: Mapping[Split, int], note: str) -> str:
    """What is to be said of the user's own data where a split is small, or there is less to train on than to test."""
    if not subject.setting.needs_source:
        return ""
    small = [split for split, count in sizes.items() if count < FEW]
    if not small and sizes["train"] >= sizes["test"]:
        return ""
    what = f"fewer than {FEW} for {', '.join(small)}" if small else "fewer to train on than to test with"
    return f"{note}: {what} (problems are split by the hash of their kind, unless every row has a 'split')"


def check_determinism(subject: Subject) -> Finding:
    """The same draw gives the same problems, also in another process with another seed of Python's hashes."""
    faults, checked = [], 0
    filled: dict[Split, list[Problem]] = {split: problems for split, problems in subject.problems.items() if problems}
    for split, problems in filled.items():
        again = subject.draw(split, len(problems))
        checked += len(problems)
        faults += [
            Fault(f"{split}: the same draw gave another problem in place {place}", first)
            for place, (first, second) in enumerate(zip(problems, again, strict=False))
            if first != second
        ][:1]
        if len(problems) >= _MIN_ORDERED and problems == subject.draw(split, len(problems), seed=1):
            faults.append(Fault(f"{split}: seeds 0 and 1 draw the same problems in the same order"))
    if not faults:
        draws = [
            Draw(split, min(_REDRAWN, len(found)), 0, (), (), subject.source, subject.grader, graded=False)
            for split, found in filled.items()
        ]
        here = hashlib.sha256(repr([subject.setting.problems(draw) for draw in draws]).encode()).hexdigest()
        elsewhere = _hash_in_other_process(subject.name, draws)
        if elsewhere != here:
            faults.append(Fault(f"another process draws other problems (does the order of a set decide?): {elsewhere}"))
    return Finding("", checked, tuple(faults))


_OTHER_PROCESS = """
import hashlib, json, sys
from inoculate.settings import Draw, find
name, draws = json.loads(sys.argv[1])
problems = [find(name).problems(Draw(**draw)) for draw in draws]
print(hashlib.sha256(repr(problems).encode()).hexdigest())
"""


def _hash_in_other_process(name: str, draws: list[Draw]) -> str:
    """The hash of the same draws in another process, or its last line of output if it failed."""
    done = subprocess.run(
        [sys.executable, "-c", _OTHER_PROCESS, json.dumps([name, [asdict(draw) for draw in draws]])],
        env={**os.environ, "PYTHONHASHSEED": "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"},
        capture_output=True,
        text=True,
    )
    return (done.stdout or done.stderr).strip().splitlines()[-1][-200:]


def check_prefixes(subject: Subject) -> Finding:
    """A smaller draw is the beginning of a larger one."""
    faults, checked = [], 0
    for split, problems in subject.problems.items():
        size = len(problems)
        for count in sorted({1, 5, 20, size // 4, size // 2, size - 1} & set(range(1, size))):
            checked += 1
            smaller = subject.draw(split, count)
            place = next((i for i, (a, b) in enumerate(zip(smaller, problems, strict=False)) if a != b), None)
            if place is not None:
                message = f"{split}: problem {place} of a draw of {count} is not problem {place} of a draw of {size}"
                faults.append(Fault(message, smaller[place]))
    return Finding("", checked, tuple(faults))


def check_families_and_levels(subject: Subject) -> Finding:
    """Every declared family and level can be drawn alone; others are refused."""
    faults: list[Fault] = []
    setting, checked = subject.setting, 0
    declared = [*(("family", name) for name in setting.families), *(("level", level) for level in setting.levels)]
    for key, value in declared:
        drawn = list(_alone(subject, key, value))
        checked += len(drawn)
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
    return Finding("", checked, tuple(faults))


def _alone(subject: Subject, key: str, value: str | int) -> Iterator[Problem]:
    """Problems of one family or level, of every split that has any."""
    families = (str(value),) if key == "family" else ()
    levels = (int(value),) if key == "level" else ()
    for split, problems in subject.problems.items():
        for count in (_DRAWN_ALONE, 1) if problems else ():
            try:
                yield from subject.draw(split, count, families=families, levels=levels)
                break
            except UserError:
                continue


def check_ids(subject: Subject) -> Finding:
    """Over splits and seeds, the same text has the same id, and other texts have other ids."""
    by_id: dict[str, Problem] = {}
    by_text: dict[str, Problem] = {}
    faults = []
    drawn = [problem for _, problem in subject.all_problems]
    for split, problems in subject.problems.items():
        drawn += subject.draw(split, len(problems), seed=1) if problems else []
    for problem in drawn:
        shown = _distinct_text(problem)
        if _distinct_text(by_id.setdefault(problem.id, problem)) != shown:
            faults.append(Fault(f"the id '{problem.id}' stands for two texts", problem))
        elif by_text.setdefault(shown, problem).id != problem.id:
            faults.append(Fault(f"one text has the ids '{by_text[shown].id}' and '{problem.id}'", problem))
        elif by_id[problem.id].secret != problem.secret:
            faults.append(Fault(f"the id '{problem.id}' stands for problems with different secrets", problem))
        elif problem.setting != subject.setting.name:
            faults.append(Fault(f"says it is of setting '{problem.setting}', not '{subject.setting.name}'", problem))
    return Finding("", len(drawn), tuple(faults))


def check_splits(subject: Subject) -> Finding:
    """No kind, id or text is in two splits."""
    faults, checked = [], 0
    splits: list[Split] = [split for split, problems in subject.problems.items() if problems]
    for split, other in combinations(splits, 2):
        for what, value in _IDENTITIES.items():
            available = {value(problem) for problem in subject.problems[split]}
            checked += len(available)
            shared = [problem for problem in subject.problems[other] if value(problem) in available]
            if shared:
                message = f"{len(shared)} problems of {other} have the {what} of one of {split}"
                faults.append(Fault(f"{message} ({value(shared[0])[:60]!r})", shared[0]))
    return Finding("", checked, tuple(faults))


def check_near_duplicates(subject: Subject) -> Finding:
    """No problem repeats most of a problem in another split, apart from numbers.

    The measure is that of a run's own check (`analysis.overlap`): the share of a problem's 5-grams of words that are
    also in the other. All numbers count as the same, and n-grams in more than a tenth of all problems do not count.
    """
    if subject.setting.needs_source:
        return _check_own_near_duplicates(subject)
    problems = list(subject.all_problems)
    ngrams = [shingles(re.sub(r"\d+(?:\.\d+)?", "0", shown_text(problem))) for _, problem in problems]
    frequencies = Counter(ngram for of_problem in ngrams for ngram in of_problem)
    max_frequency = max(1, _COMMON_SHARE * len(problems))
    distinctive = [{ngram for ngram in of_problem if frequencies[ngram] <= max_frequency} for of_problem in ngrams]
    holders: dict[tuple[str, ...], list[int]] = {}
    for number, of_problem in enumerate(distinctive):
        for ngram in of_problem:
            holders.setdefault(ngram, []).append(number)
    faults, checked = [], 0
    for number, (split, problem) in enumerate(problems):
        if len(distinctive[number]) < _MIN_DISTINCTIVE:
            continue
        checked += 1
        shared = (other for ngram in distinctive[number] for other in holders[ngram])
        hits = Counter(other for other in shared if problems[other][0] != split)
        other, count = max(hits.items(), key=lambda hit: hit[1], default=(0, 0))
        if count >= NEAR * len(distinctive[number]):
            other_split, twin = problems[other]
            share = f"{count / len(distinctive[number]):.0%}"
            faults.append(Fault(f"{share} of it stands in '{twin.id}' of {other_split} (in {split}: this)", problem))
    return Finding("", checked, tuple(faults))


def _check_own_near_duplicates(subject: Subject) -> Finding:
    """The user's own data: exactly what the report of a run says of training rows and evaluation problems."""
    trained = {problem.id: shown_text(problem) for problem in subject.problems["train"]}
    faults, checked = [], 0
    for split, problems in subject.problems.items():
        if split == "train":
            continue
        held_out = {problem.id: problem for problem in problems}
        checked += len(held_out) if trained else 0
        texts = {identity: problem.body or problem.lead for identity, problem in held_out.items()}
        faults += [
            Fault(f"{share:.0%} of it stands in '{twin}' of train (in {split}: this)", held_out[identity])
            for identity, (twin, share) in find_near(trained, texts).items()
        ]
    return Finding("", checked, tuple(faults))
