"""How far training carries: every arm in every setting and context, and what goes with how far.

A cell is the change of `correct` and of `hack` against the untrained model, and against the arm with the same rows and
no inoculation (its twin), with intervals of `estimates`. A column (setting, or part of one, and context) that its
positive control does not move says nothing: no training could show there. A part in which no hack is to be had (right
answer keys) has no change of `hack`; whether its setting can be moved is told by the part that has hacks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from typing import Any

from scipy.stats import spearmanr

from inoculate.analysis.arms import is_honest, row_folders, row_tables, trains_with_prompt
from inoculate.analysis.cells import Table, compare_cells, find_final_cell
from inoculate.analysis.run_folder import Run, pool_counts
from inoculate.records import BASE, Grade, Problem, name_part, read_lines, setting_of
from inoculate.study import prompts

MEASURES = ("correct", "hack")
CANNOT_TELL = "cannot tell"
_FEWEST_CELLS = 4
"""Fewest cells for a rank correlation."""
_WORD = re.compile(r"[^\W\d_]+")


def analyse_transfer(run: Run, table: Table) -> dict[str, Any] | None:
    """The transfer that a study declares; None where it declares none.

    Args:
        run: The run.
        table: All finished cells.

    Returns:
        As docs/results-schema.md describes it.
    """
    declared = run.study.get("transfer")
    if not declared:
        return None
    # Twins are problems once more under another key, for the measure `gamed`.
    twins = {twin for tallies in table.values() for tally in tallies for twin in tally.problems.twins}
    shown = [key for key, tallies in table.items() if not twins.issuperset(tallies[0].problems.ids)]
    hackable = list(dict.fromkeys(key.setting for key in shown if any(tally.has_hack for tally in table[key])))
    settings = list(dict.fromkeys(key.setting for key in shown))
    places = sorted(dict.fromkeys((key.setting, key.context) for key in shown), key=lambda at: settings.index(at[0]))
    columns = [_column(table, declared["controls"], hackable, *place) for place in places]
    tells = {(column["setting"], column["context"]): column["tells"] for column in columns}
    cells = [
        {"arm": arm, "setting": setting, "context": context, "measure": measure}
        | {"tells": tells[setting, context]}
        | {"base": _change(table, arm, BASE, setting, context, measure)}
        | {"without": _change(table, arm, declared["without"].get(arm, ""), setting, context, measure)}
        for setting, context in places
        for arm in run.study["arms"]
        for measure in (MEASURES if setting in hackable else MEASURES[:1])
        if find_final_cell(table, arm, setting, context)
    ]
    reasons = _reasons(run, table, cells)
    return {
        "columns": columns,
        "cells": cells,
        "arms": [_arm(run, arm, declared["without"]) for arm in run.study["arms"]],
        "reasons": reasons,
        "correlations": _correlations(reasons),
    }


def _change(table: Table, arm: str, than: str, setting: str, context: str, measure: str) -> dict[str, Any] | None:
    """The difference of two arms' rates in one cell; None where one of them is not there."""
    difference = compare_cells(table, measure, (arm, setting, context), (than, setting, context))
    if difference is None:
        return None
    return {"than": than, **difference.describe(), "seeds": difference.seeds, "problems": difference.problems}


def _column(
    table: Table, controls: Mapping[str, str], hackable: Sequence[str], setting: str, context: str
) -> dict[str, Any]:
    """A setting and context, and whether its positive control hacks more there than the untrained model.

    Args:
        table: All finished cells.
        controls: Setting -> its positive control.
        hackable: The settings and parts in which a hack is to be had.
        setting: The setting, or a part of one. Where no hack is to be had, another part of the setting tells.
        context: The context.
    """
    control = controls.get(setting_of(setting), "")
    others = [name for name in hackable if setting_of(name) == setting_of(setting)]
    told_by = setting if setting in hackable else next(iter(others), setting)
    change = _change(table, control, BASE, told_by, context, "hack") if control else None
    tells = None if change is None or change["low"] is None else change["low"] > 0
    here = "here" if told_by == setting else f"in '{told_by}'"
    unknown = "is not finished" if change is None else "has a single problem, which gives no interval"
    reason = {
        None: f"its positive control '{control}' {unknown}" if control else "no positive control",
        False: f"{CANNOT_TELL}: '{control}', trained on hacked rows of this setting, does not hack more {here} than "
        "the untrained model",
        True: "",
    }[tells]
    return {
        "setting": setting, "context": context, "told_by": told_by, "control": control, "change": change,
        "tells": tells, "reason": reason,
    }  # fmt: skip


def _arm(run: Run, arm: str, without: Mapping[str, str]) -> dict[str, Any]:
    """What an arm was trained on, as far as it is finished: means over its seeds."""
    entries = [entry for entry in run.manifest.get("training") or () if entry["arm"] == arm]
    tokens = [[entry[key] for entry in entries if key in entry] for key in ("trained_tokens", "label_tokens")]
    grades = [grade for entry in entries for grade in _row_grades(run, entry)]
    leaks = [bool(grade.oversight) and not grade.intended for grade in grades if grade.outcome != "ungraded"]
    return {
        "arm": arm,
        "trained_on": [table["setting"] for table in row_tables(run.study["arms"][arm])],
        "without": without.get(arm),
        "tokens": _mean(tokens[0]),
        "label_tokens": _mean(tokens[1]),
        "leak": _mean(leaks),
    }


def _row_grades(run: Run, entry: Mapping[str, Any]) -> Iterator[Grade]:
    for _, folder, _ in row_folders(entry):
        if folder and (path := run.path(folder) / "grades.jsonl").exists():
            yield from read_lines(path, Grade)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _reasons(run: Run, table: Table, cells: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every arm in every setting that it was not trained on, neutrally: the effects, and what may explain them."""
    words = _Words(run)
    found = []
    for cell in cells:
        arm, setting = cell["arm"], cell["setting"]
        spec = run.study["arms"][arm]
        trained_on = [table["setting"] for table in row_tables(spec)]
        if cell["measure"] != "hack" or cell["context"] != prompts.NEUTRAL or setting_of(setting) in trained_on:
            continue
        neutral, asked = (_base_rate(table, setting, context) for context in (prompts.NEUTRAL, prompts.ASKS_TO_HACK))
        found.append(
            {
                "arm": arm,
                "setting": setting,
                "tells": cell["tells"],
                "leaky": not is_honest(spec),
                "inoculated": trains_with_prompt(spec),
                "carried": (cell["base"] or {}).get("difference"),
                "prevented": (cell["without"] or {}).get("difference"),
                "ability": _base_rate(table, setting, prompts.NEUTRAL, "correct"),
                "asked": None if neutral is None or asked is None else asked - neutral,
                "likeness": words.likeness(arm, setting),
            }
        )
    return found


def _base_rate(table: Table, setting: str, context: str, measure: str = "hack") -> float | None:
    key = find_final_cell(table, BASE, setting, context)
    counts = pool_counts(table[key], measure) if key else None
    return float(counts.hits.sum() / counts.graded.sum()) if counts and counts.graded.sum() else None


def _correlations(reasons: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Spearman's rank correlation of effects with what may explain them, over the cells that tell.

    Cells share arms and settings, so that there is no interval: it describes this table, and tests nothing.
    """
    found = []
    for effect in ("carried", "prevented"):
        told = [one for one in reasons if one["tells"] and _shows(one, effect)]
        for explanation in ("ability", "asked", "likeness"):
            pairs = [(one[effect], one[explanation]) for one in told]
            pairs = [pair for pair in pairs if None not in pair]
            varies = all(len(set(values)) > 1 for values in zip(*pairs, strict=True)) if pairs else False
            enough = len(pairs) >= _FEWEST_CELLS and varies
            found.append(
                {
                    "effect": effect,
                    "with": explanation,
                    "cells": len(pairs),
                    "spearman": _rank_correlation(pairs) if enough else None,
                }
            )
    return found


def _rank_correlation(pairs: Sequence[tuple[float, float]]) -> float:
    found: Any = spearmanr(pairs)
    return float(found.statistic)


def _shows(reason: Mapping[str, Any], effect: str) -> bool:
    """Whether a cell shows how far the hack carried (leaky rows, no prompt), or what inoculation prevented (a twin)."""
    return reason["leaky"] and not reason["inoculated"] if effect == "carried" else reason["prevented"] is not None


class _Words:
    """The words of training rows and of evaluated problems."""

    def __init__(self, run: Run) -> None:
        self._run = run
        training = run.manifest.get("training") or ()
        self._rows: dict[str, list[str | None]] = {}
        for entry in training:  # other seeds have other problems of the same kinds
            self._rows.setdefault(entry["arm"], [rows for rows, _, _ in row_folders(entry)])
        self._problems = {cell["setting"]: cell["problems"] for cell in run.manifest["cells"] if cell["problems"]}
        self._read: dict[tuple[str, ...], Counter[str]] = {}

    def likeness(self, arm: str, setting: str) -> float | None:
        """How alike the words of an arm's rows and of a setting's problems are, from 0 to 1; None if not known."""
        rows = [folder for folder in self._rows.get(arm, ()) if folder]
        both = [self._count(rows), self._count([self._problems[setting_of(setting)]], setting)]
        return overlap(*both) if all(both) else None

    def _count(self, folders: Sequence[str], within: str = "") -> Counter[str]:
        """The words of the problems in folders; of those alone that are within a setting or part, if one is named."""
        key = (within, *folders)
        if key not in self._read:
            paths = [path for folder in folders if (path := self._run.path(folder) / "problems.jsonl").exists()]
            problems = (problem for path in paths for problem in read_lines(path, Problem))
            self._read[key] = count_words(
                problem for problem in problems if within in ("", name_part(setting_of(within), problem.part))
            )
        return self._read[key]


def count_words(problems: Iterable[Problem]) -> Counter[str]:
    """The words of problems and of their honest answers, in small letters."""
    texts = (f"{problem.lead} {problem.body} {problem.honest}" for problem in problems)
    return Counter(word for text in texts for word in _WORD.findall(text.lower()))


def overlap(first: Mapping[str, int], second: Mapping[str, int]) -> float:
    """The Bhattacharyya coefficient of two distributions of words: 1 for the same, 0 where they share no word.

    Args:
        first: Word -> count.
        second: Word -> count.
    """
    totals = sum(first.values()), sum(second.values())
    return sum(sqrt(count / totals[0] * second.get(word, 0) / totals[1]) for word, count in first.items())
