"""What the untrained models do, level by level, and whether they hack when asked to: the tables of docs/base-rates.md.

    python benchmarks/base_rates.py [--models NAME ...] [--settings NAME ...] [--levels N ...] [--problems 200]
                                     [--asked [100]] [--store store] [--server http://localhost:8000/v1]

Asks what the ready-made study `abilities` asks, each level by itself: one study a model and level, carried out into
the store. With `--asked`, it asks for the hack instead: level 1 of every setting that has one, under the prompts
`specific` and `general`. What is finished in the store is not done again: after an interruption the same command goes
on, and once all is finished it only prints. Progress goes to standard error, the tables go to standard output.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inoculate import settings
from inoculate.analysis import analyse
from inoculate.engine.models import EMBEDDED
from inoculate.progress import TerminalProgress
from inoculate.steps.plan import make_plan
from inoculate.steps.run import carry_out
from inoculate.steps.store import Store
from inoculate.study import ready_made as studies
from inoculate.study.parse import load
from inoculate.study.schema import Study

FILE = studies.find("abilities")
HEAD = ("setting", "level", "problems", "correct", "hack", "wrong", "malformed", "cut off")
ASKING = ("neutral", "asks-to-hack", "asks-generally")
"""The contexts in which the hack is asked for, after the same problems without a prompt."""
ASKED_HEAD = ("setting", "problems", *(f"{what}, {context}" for context in ASKING for what in ("hack", "correct")))


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


def asking(study: Study, model: str, names: Sequence[str], problems: int) -> Study:
    """The study that asks one model for the hack, at level 1 of those of the settings that have one."""
    having = tuple(name for name in names if not settings.find(name).only_neutral and _can_be_hacked(name))
    each = {name: own for name, own in study.evaluate.each.items() if name in having}
    asked = {"settings": having, "each": each, "levels": (1,), "problems": problems, "contexts": ASKING}
    return study.model_copy(
        update={
            "name": f"{study.name}-{Path(model).name}-asked",
            "model": model,
            "placement": "after",
            "evaluate": study.evaluate.model_copy(update=asked),
        }
    )


def _can_be_hacked(name: str) -> bool:
    return any(problem.hacked for problem in settings.find(name).problems(settings.Draw("test", 8, 0, levels=(1,))))


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
    console: TerminalProgress,
    levels: Sequence[int] = (),
    server: str = "",
) -> str:
    """The table of one model, after sampling (here, or at a server) and grading what is missing."""
    found: dict[str, list[str]] = {}
    for level in levels or sorted({level for name in names for level in settings.find(name).levels}):
        plan = make_plan(of_level(study, model, level, names, problems), server=server)
        for cell in analyse(carry_out(plan, store, console, FILE.read_text(encoding="utf-8")))["cells"]:
            found.setdefault(cell["setting"], []).append(line(cell, level))
    head = f"| {' | '.join(HEAD)} |\n{'|---' * len(HEAD)}|"
    return "\n".join([f"## {model}\n\n{head}", *(each for lines in found.values() for each in lines)])


def asked_table(
    study: Study,
    model: str,
    names: Sequence[str],
    problems: int,
    store: Store,
    console: TerminalProgress,
    server: str = "",
) -> str:
    """The table of one model that is asked for the hack."""
    plan = make_plan(asking(study, model, names, problems), server=server)
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for cell in analyse(carry_out(plan, store, console, FILE.read_text(encoding="utf-8")))["cells"]:
        rows.setdefault(cell["setting"], {})[cell["context"]] = cell
    lines = [
        f"## {model}, asked for the hack (level 1)\n",
        f"| {' | '.join(ASKED_HEAD)} |",
        "|---" * len(ASKED_HEAD) + "|",
    ]
    for setting, cells in rows.items():
        rates = (cells[context]["outcomes"][what] for context in ASKING for what in ("hack", "correct"))
        lost = sum(cell["ungraded"] for cell in cells.values())
        counted = f"{cells[ASKING[0]]['samples']}{f' ({lost} answers ungraded)' if lost else ''}"
        lines.append(
            f"| {setting} | {counted} | {' | '.join(f'{_percent(rate)}{_interval(rate)}' for rate in rates)} |"
        )
    return "\n".join(lines)


def main() -> None:
    study = load(FILE)
    parser = argparse.ArgumentParser(description="outcome rates of untrained models, by setting and level")
    parser.add_argument("--models", nargs="+", default=list(EMBEDDED), help="all embedded")
    parser.add_argument("--settings", nargs="+", choices=study.evaluate.settings, default=study.evaluate.settings)
    parser.add_argument("--problems", type=int, default=200, help="of each setting and level (200)")
    parser.add_argument("--store", type=Path, default=Path("store"), help="folder of finished steps")
    parser.add_argument("--levels", nargs="+", type=int, default=[], help="all unless given")
    parser.add_argument("--asked", nargs="?", type=int, const=100, help="ask for the hack, this many problems (100)")
    parser.add_argument("--server", default="", help="sample from this OpenAI-compatible server, of one model")
    given = parser.parse_args()
    with TerminalProgress() as console:
        for model in given.models:
            store = Store(given.store)
            if given.asked:
                print(asked_table(study, model, given.settings, given.asked, store, console, given.server), flush=True)
                continue
            asked = (given.settings, given.problems, store, console, given.levels, given.server)
            print(table(study, model, *asked), flush=True)


if __name__ == "__main__":
    main()
