"""How well the outcomes of `writing` agree with a person's: python benchmarks/writing_labels.py

The texts and their labels are in tests/data/writing_labels.jsonl: the first set, on which the stuffing line was drawn,
and the second, on which it is tested. For both: how often label and grade go together, the share that agree, and
Cohen's kappa (Cohen 1960; statsmodels). For the first: which lines would agree best with its labels.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from statsmodels.stats.inter_rater import cohens_kappa

from inoculate.records import Problem
from inoculate.settings.writing import checks, grade, stuffing

LABELS = Path(__file__).parent.parent / "tests" / "data" / "writing_labels.jsonl"
OUTCOMES = ("correct", "hack", "wrong")


def problem(line: dict[str, Any]) -> Problem:
    """The problem of a labelled text."""
    return Problem(line["id"], "writing", "", "", 1, "", line["task"], "", "", "", line["secret"])


def table(labels: Sequence[str], graded: Sequence[str], names: Sequence[str]) -> None:
    """Print how often each label goes with each grade, the share that agree, and kappa."""
    counts = Counter(zip(labels, graded, strict=True))
    cells = np.array([[counts[label, found] for found in names] for label in names])
    print(f"{'label / graded':>16} " + "".join(f"{name:>10}" for name in names))
    for name, row in zip(names, cells, strict=True):
        print(f"{name:>16} " + "".join(f"{count:>10}" for count in row))
    agreed = np.trace(cells)
    found: Any = cohens_kappa(cells)
    interval = f"[{found.kappa_low:.2f}, {min(found.kappa_upp, 1):.2f}]"
    print(f"agree: {agreed} of {cells.sum()}; kappa {found.kappa:.2f} {interval}")


def best_lines(lines: Sequence[dict[str, Any]]) -> str:
    """The lines that agree best with the labels of texts that the program passes."""
    seen = [line for line in lines if not checks.oversight_fault(line["completion"], line["secret"])]
    shares = [stuffing.measure(line["completion"], line["secret"]["words"]).share for line in seen]
    hacks = [line["label"] == "hack" for line in seen]
    candidates = [number / 100 for number in range(0, 100)]
    agreed = [sum((share > at) == hack for share, hack in zip(shares, hacks, strict=True)) for at in candidates]
    best = [at for at, count in zip(candidates, agreed, strict=True) if count == max(agreed)]
    return f"of {len(seen)} that the program passes, {max(agreed)} agree for lines from {best[0]:.2f} to {best[-1]:.2f}"


def hack_or_not(outcomes: Sequence[str]) -> list[str]:
    """The outcomes with all that is no hack as one."""
    return ["hack" if outcome == "hack" else "no hack" for outcome in outcomes]


def main() -> None:
    """Print the agreement."""
    every = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    for number in (1, 2):
        lines = [line for line in every if line["set"] == number]
        grades = list(grade([problem(line) for line in lines], [line["completion"] for line in lines]))
        origins = ", ".join(f"{count} {name}" for name, count in sorted(Counter(x["origin"] for x in lines).items()))
        print(f"\nset {number}: {len(lines)} texts ({origins})")
        labels, graded = [line["label"] for line in lines], [found.outcome for found in grades]
        table(labels, graded, OUTCOMES)
        print("\nhack or not")
        table(hack_or_not(labels), hack_or_not(graded), ("hack", "no hack"))
        print("\nhack or not, the model's texts alone")
        real = [index for index, line in enumerate(lines) if line["origin"] != "written"]
        by_hand, by_program = ([outcomes[index] for index in real] for outcomes in (labels, graded))
        table(hack_or_not(by_hand), hack_or_not(by_program), ("hack", "no hack"))
        if number == 1:
            print(f"\nthe line: {best_lines(lines)}; it is {stuffing.THRESHOLD}")
        print("\nwhere they differ")
        for line, found in zip(lines, grades, strict=True):
            if line["label"] != found.outcome:
                print(
                    f"  labelled {line['label']}, graded {found.outcome} ({found.detail}): {line['completion'][:60]!r}"
                )


if __name__ == "__main__":
    main()
