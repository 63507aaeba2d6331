"""Which cells belong on one line: an arm along training, and arms that differ in one number only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from inoculate.report.lines import Across, Panel
from inoculate.report.results import BASE, Cell, Results, number

ASKS = "asks-to-hack"
"""How the names of contexts that ask for the hack begin."""
FEWEST = 3
"""Different values of a number that make an axis of it."""
_WORDS = {
    "rows.hacked": "share of rows that are hacked",
    "rows.vetted": "vetted rows",
    "rows.count": "rows",
    "train.learning_rate": "learning rate",
    "train.epochs": "epochs",
}


@dataclass(frozen=True)
class Dose:
    """A number in which arms differ, and the arms that differ in nothing else."""

    key: str
    """As the study has it, such as `rows.vetted`."""
    series: dict[str, list[tuple[float, str]]]
    """By name, the values with the arm that has each, in order."""

    @property
    def words(self) -> str:
        """The number in words."""
        return words(self.key)


def words(key: str) -> str:
    """A key of a study in words, where it has any."""
    return _WORDS.get(key, key)


def in_question(results: Results) -> list[tuple[str, str]]:
    """Setting and context of small panels: the neutral and the asking contexts, or all if none is called so."""
    every = list(dict.fromkeys((cell.setting, cell.context) for cell in results.main_cells()))
    chosen = [place for place in every if "neutral" in place[1] or place[1].startswith(ASKS)]
    return chosen or every


def along_training(results: Results) -> list[Panel]:
    """Arms that were evaluated at several shares of their training, started by the base arm's cell."""
    places, many = in_question(results), len(results.order("setting")) > 1
    panels: list[Panel] = []
    for arm in results.order("arm"):
        for setting, context in places:
            cells = sorted(_of(results, arm, setting, context), key=lambda cell: cell.at)
            if arm == BASE or len(cells) < 2:
                continue
            start = _of(results, BASE, setting, context) if cells[0].at > 0 else []
            points = [(cell.at, cell) for cell in [*start[:1], *cells]]
            panels.append(Panel((arm, _name(setting, context, many)), points))
    return panels


def training_axis(panels: Iterable[Panel]) -> Across:
    """Shares of the nominal training."""
    last = max(x for panel in panels for x, _ in panel.points)
    return Across("share of nominal training", {at: f"{100 * at:g}%" for at in (0.0, last / 2, last)})


def doses(results: Results) -> list[Dose]:
    """Every number along which at least three arms stand that are otherwise the same."""
    arms = {arm: dict(_flat(results.arm(arm))) for arm in results.order("arm") if arm != BASE}
    keys = dict.fromkeys(key for spec in arms.values() for key, value in spec.items() if number(value) is not None)
    found: list[Dose] = []
    for key in keys:
        groups: dict[str, list[tuple[float, str]]] = {}
        for arm, spec in arms.items():
            value = number(spec.get(key))
            if value is not None:
                groups.setdefault(repr(sorted((spec | {key: None}).items())), []).append((value, arm))
        series = [sorted(group) for group in groups.values() if len({value for value, _ in group}) >= FEWEST]
        if series:
            found.append(Dose(key, _named(series)))
    return found


def dose_panels(results: Results, dose: Dose) -> list[Panel]:
    """A panel per series of a dose and context, at the end of training."""
    places, many = in_question(results), len(results.order("setting")) > 1
    main = {(cell.arm, cell.setting, cell.context): cell for cell in results.main_cells()}
    panels: list[Panel] = []
    for name, series in dose.series.items():
        for setting, context in places:
            cells = [(value, main.get((arm, setting, context))) for value, arm in series]
            points = [(value, cell) for value, cell in cells if cell is not None]
            if points:
                base = main.get((BASE, setting, context))
                panels.append(Panel((name, _name(setting, context, many)), points, base))
    return panels


def dose_axis(dose: Dose) -> Across:
    """A scale that suits the values: logarithmic where they span more than a factor of eight."""
    values = sorted({value for series in dose.series.values() for value, _ in series})
    positive = [value for value in values if value > 0]
    wide = min(values) >= 0 and len(positive) > 1 and positive[-1] / positive[0] > 8
    scale = "linear" if not wide else "log" if len(positive) == len(values) else "symlog"
    return Across(dose.words, {value: _short(value) for value in values}, scale)


def _short(value: float) -> str:
    """A number in few letters: 0.0002 is 2e-4."""
    if 0 < abs(value) < 0.01:
        digits, exponent = f"{value:.6e}".split("e")
        return f"{float(digits):g}e{int(exponent)}"
    return f"{value:g}"


def _of(results: Results, arm: str, setting: str, context: str) -> list[Cell]:
    return [cell for cell in results.cells if (cell.arm, cell.setting, cell.context) == (arm, setting, context)]


def _name(setting: str, context: str, many: bool) -> str:
    return f"{setting}, {context}" if many else context


def _flat(data: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _named(series: Sequence[list[tuple[float, str]]]) -> dict[str, list[tuple[float, str]]]:
    """By what the names of the arms begin with; by the first and last arm where that tells too little."""
    heads = [_head([arm for _, arm in one]) for one in series]
    named: dict[str, list[tuple[float, str]]] = {}
    for head, one in zip(heads, series, strict=True):
        ends = f"{one[0][1]} to {one[-1][1]}"
        named[head if len(head) > 1 and heads.count(head) == 1 else ends] = one
    return named


def _head(names: Sequence[str]) -> str:
    """What all names begin with, without the number or separator at its end."""
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in alike).rstrip("0123456789.-_ ")
