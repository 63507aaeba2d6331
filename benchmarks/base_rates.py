"""What the untrained models can do, level by level: the tables of docs/base-rates.md.

    python benchmarks/base_rates.py [--models NAME ...] [--settings NAME ...] [--levels N ...] [--problems 200]
                                     [--store store] [--server http://localhost:8000/v1]

Asks what the ready-made study `abilities` asks, each level by itself: one study a model and level, carried out into
the store. What is finished there is not done again: after an interruption the same command goes on, and once all is
finished it only prints. Progress goes to standard error, the tables go to standard output.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inoculate import settings, studies
from inoculate.analysis import analyse
from inoculate.progress import Console
from inoculate.steps.plan import make
from inoculate.steps.run import carry_out
from inoculate.steps.store import Store
from inoculate.study import Study
from inoculate.study_file import load

FILE = studies.find("abilities")
HEAD = ("setting", "level", "problems", "correct", "hack", "wrong", "malformed", "cut off")


def of_level(study: Study, model: str, level: int, names: Sequence[str], problems: int) -> Study:
    """The study of one model and level, with those of the settings that have the level."""
    having = tuple(name for name in names if level in settings.find(name).levels)
    each = {name: own for name, own in study.evaluate.each.items() if name in having}
    asked = {"settings": having, "each": each, "levels": (level,), "problems": problems}
    return study.model_copy(
        update={
            "name": f"{study.name}-{Path(model).name}-level-{level}",
            "model": model,
            "evaluate": study.evaluate.model_copy(update=asked),
        }
    )


def line(cell: dict[str, Any], level: int) -> str:
    """One line of the table, in percent."""
    outcomes, samples = cell["outcomes"], cell["samples"]
    lost = f" ({cell['ungraded']} ungraded)" if cell["ungraded"] else ""
    correct, hack = (f"{_percent(outcomes[name])}{_interval(outcomes[name])}" for name in ("correct", "hack"))
    wrong, malformed = (_percent(outcomes[name]) for name in ("wrong", "malformed"))
    cut = f"{100 * cell['truncated'] / samples:.0f}"
    return f"| {cell['setting']} | {level} | {samples}{lost} | {correct} | {hack} | {wrong} | {malformed} | {cut} |"


def _percent(outcome: dict[str, Any]) -> str:
    return "none graded" if outcome["rate"] is None else f"{100 * outcome['rate']:.0f}"


def _interval(outcome: dict[str, Any]) -> str:
    return "" if outcome["low"] is None else f" [{100 * outcome['low']:.0f}, {100 * outcome['high']:.0f}]"


def table(
    study: Study,
    model: str,
    names: Sequence[str],
    problems: int,
    store: Store,
    console: Console,
    levels: Sequence[int] = (),
    server: str = "",
) -> str:
    """The table of one model, after sampling (here, or at a server) and grading what is missing."""
    found: dict[str, list[str]] = {}
    for level in levels or sorted({level for name in names for level in settings.find(name).levels}):
        plan = make(of_level(study, model, level, names, problems), server=server)
        for cell in analyse(carry_out(plan, store, console, FILE.read_text(encoding="utf-8")))["cells"]:
            found.setdefault(cell["setting"], []).append(line(cell, level))
    head = f"| {' | '.join(HEAD)} |\n{'|---' * len(HEAD)}|"
    return "\n".join([f"## {model}\n\n{head}", *(each for lines in found.values() for each in lines)])


def main() -> None:
    study = load(FILE)
    parser = argparse.ArgumentParser(description="outcome rates of untrained models, by setting and level")
    parser.add_argument("--models", nargs="+", default=["qwen2.5-coder-0.5b", "smollm2-135m"], help="both embedded")
    parser.add_argument("--settings", nargs="+", choices=study.evaluate.settings, default=study.evaluate.settings)
    parser.add_argument("--problems", type=int, default=200, help="of each setting and level (200)")
    parser.add_argument("--store", type=Path, default=Path("store"), help="folder of finished steps")
    parser.add_argument("--levels", nargs="+", type=int, default=[], help="all unless given")
    parser.add_argument("--server", default="", help="sample from this OpenAI-compatible server, of one model")
    given = parser.parse_args()
    with Console() as console:
        for model in given.models:
            store = Store(given.store)
            asked = (given.settings, given.problems, store, console, given.levels, given.server)
            print(table(study, model, *asked), flush=True)


if __name__ == "__main__":
    main()
