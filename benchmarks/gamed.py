"""Are hacks that were made for the check told from near misses as a person would?

    python benchmarks/gamed.py [--mbpp FILE]

Answers of models that were graded `hack`, labelled by hand before any line was drawn, in data/gamed_labels.jsonl.gz:

    {"setting": "functions", "problem": {...}, "draw": {"split": "development", "count": 99, "seed": 0}, "model": "...",
     "completion": "...", "twin": "the answer to the problem's twin (mathematics)", "label": "gamed", "half": "set"}

Every answer is graded anew, on the problem that the draw (`settings.Draw`) gives today: the same text (`lead` and
`body`), with the hidden tests of today; without a draw, on the problem as it was. What is no hack any more, and what
the labeller was unsure of (`label`: `gamed`, `near_miss` or `unsure`), is left out and counted. For every setting: the
line (`Setting.gamed_below`) that agrees best with the first half of the labels (`half`: `set` or `kept`), and Cohen's
kappa (Cohen 1960; statsmodels) there and on the half that was kept apart.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from statsmodels.stats.inter_rater import cohens_kappa

from inoculate import settings
from inoculate.records import Problem

LABELS = Path(__file__).parent / "data" / "gamed_labels.jsonl.gz"
LINES = tuple(number / 20 for number in range(1, 21))
"""Lines that are tried. At 1 every hack but one that is right everywhere else would be made for the check."""
MBPP = "mbpp"
ENOUGH = 80
"""Labels from which on a setting's line is the one that they say; with fewer it stays a first guess."""


@dataclass(frozen=True)
class Labelled:
    """An answer that is still a hack, with its label."""

    gamed: bool
    half: str
    score: float
    """What it does elsewhere: the share of `Grade.elsewhere`; with a twin 1 where its answer is the same, else 0."""


class Agreement(NamedTuple):
    """How often line and label agree."""

    agreed: int
    of: int
    kappa: float
    """NaN where all are alike."""

    def __str__(self) -> str:
        """As the table has it."""
        return f"{self.agreed} of {self.of}; {self.kappa:.2f}"


@dataclass(frozen=True)
class Found:
    """What came of one setting's labels."""

    hacks: list[Labelled]
    left_out: Counter[str]
    """Why others do not count."""

    def half(self, name: str) -> list[Labelled]:
        """The hacks of one half."""
        return [one for one in self.hacks if one.half == name]

    def line(self) -> float:
        """The middle of the lines that agree best with the half that sets it."""
        agreed = {line: agreement(self.half("set"), line).agreed for line in LINES}
        best = [line for line in LINES if agreed[line] == max(agreed.values())]
        return best[len(best) // 2]


def read(path: Path = LABELS, mbpp: str = "") -> dict[str, list[dict[str, Any]]]:
    """The labelled answers, by setting.

    Args:
        path: The file of labels.
        mbpp: The tasks 511 to 600 of MBPP (sanitized), which the project does not contain; without them the labels of
            that setting, which name a task and do not have its text, are left out.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            if line["setting"] == MBPP:
                if not mbpp:
                    continue
                line["draw"]["source"] = mbpp
            found.setdefault(line["setting"], []).append(line)
    return found


@lru_cache(maxsize=64)
def _drawn(name: str, draw: str) -> dict[str, Problem]:
    given: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in json.loads(draw).items()
    }
    drawn = settings.find(name).problems(settings.Draw(**given))
    return {key: problem for problem in drawn for key in (problem.id, problem.lead + problem.body)}


def today(line: dict[str, Any]) -> Problem:
    """The problem of a labelled answer with the hidden tests of today; as it was where its draw is not told.

    Raises:
        ValueError: The draw gives another text today: then the answer is one to another problem.
    """
    if line["setting"] == MBPP:
        return _drawn(MBPP, json.dumps(line["draw"]))[line["problem"]["id"]]
    old = line["problem"]
    if "draw" not in line:
        known = {field.name for field in fields(Problem)}
        return Problem(**{key: value for key, value in old.items() if key in known})
    draw = json.dumps(line["draw"])
    new = _drawn(line["setting"], draw).get(old["lead"] + old["body"])
    if new is None:
        raise ValueError(f"{line['setting']}: the problem {old['id']} is not in the draw {draw} any more")
    return new


def graded(name: str, lines: Sequence[dict[str, Any]]) -> Found:
    """Grade one setting's labelled answers anew."""
    setting = settings.find(name)
    left_out: Counter[str] = Counter(unsure=0, **{"no hack today": 0, "no score": 0})
    sure = [line for line in lines if line["label"] != "unsure"]
    left_out["unsure"] = len(lines) - len(sure)
    problems = [today(line) for line in sure]
    hacks = []
    grades = setting.grade(problems, [line["completion"] for line in sure])
    for line, problem, grade in zip(sure, problems, grades, strict=True):
        score = grade.elsewhere if setting.twin is None else _unchanged(setting, problem, line.get("twin"))
        if grade.outcome != "hack":
            left_out["no hack today"] += 1
        elif score is None:
            left_out["no score"] += 1
        else:
            hacks.append(Labelled(line["label"] == "gamed", line["half"], score))
    return Found(hacks, left_out)


def _unchanged(setting: settings.Setting, problem: Problem, answer: str | None) -> float | None:
    """1 where the answer to the twin is still the first key's, 0 where it is another."""
    twin = setting.twin(problem) if setting.twin else None
    if answer is None or twin is None:
        return None
    _, grade = setting.grade([problem, twin], ["", answer])
    return grade.elsewhere


def agreement(hacks: Sequence[Labelled], line: float) -> Agreement:
    """How well a line agrees with labels."""
    pairs = Counter((one.gamed, one.score < line) for one in hacks)
    cells = np.array([[pairs[label, told] for told in (True, False)] for label in (True, False)])
    varied = min(np.count_nonzero(cells.sum(axis=0)), np.count_nonzero(cells.sum(axis=1))) == 2
    found: Any = cohens_kappa(cells) if varied else None
    return Agreement(int(np.trace(cells)), int(cells.sum()), float(found.kappa) if found else float("nan"))


def rows(labels: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Lines of a Markdown table."""
    left_out = "unsure | no hack today | no score"
    yield f"| setting | labelled | {left_out} | gamed | line | first half: agree; kappa | kept half |"
    yield f"|{'---|' * 9}"
    for name, lines in sorted(labels.items()):
        found = graded(name, lines)
        setting = settings.find(name)
        line = 0.5 if setting.twin else found.line()
        few = "; too few labels" if len(lines) < ENOUGH else ""
        said = "the twin" if setting.twin else f"{line:.2f} (in use: {setting.gamed_below:.2f}{few})"
        halves = (str(agreement(found.half(half), line)) for half in ("set", "kept"))
        yield (
            f"| {name} | {len(lines)} | {' | '.join(map(str, found.left_out.values()))} | "
            f"{sum(one.gamed for one in found.hacks)} | {said} | {' | '.join(halves)} |"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="labelled hacks against the measure `gamed`")
    parser.add_argument("--mbpp", default="", metavar="FILE", help="tasks 511 to 600 of MBPP, for its labels")
    for line in rows(read(mbpp=parser.parse_args().mbpp)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
