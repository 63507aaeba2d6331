"""Series of cells for line figures: an arm along training, and arms that differ only in one number (a dose)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from inoculate.analysis.asked import is_main
from inoculate.records import BASE
from inoculate.report.lines import Panel, SharedAxis
from inoculate.report.results import Cell, Results, number, text

FEWEST_VALUES = 3
"""A number is a dose if arms have at least this many different values of it."""
_VETTED = "vetted examples"
_KEY_LABELS = {
    "rows.hacked": "share of rows that are hacked",
    "rows.vetted.count": _VETTED,
    "rows.count": "rows",
    "train.learning_rate": "learning rate",
    "train.epochs": "epochs",
}


@dataclass(frozen=True)
class Dose:
    """A number of the study, and series of arms that differ only in it."""

    key: str
    """The key in the study, such as `rows.vetted`."""
    series: dict[str, list[tuple[float, str]]]
    """Name -> (value, arm) pairs, ordered by value."""

    @property
    def label(self) -> str:
        """The number's name in the report."""
        return describe_key(self.key)


def describe_key(key: str) -> str:
    """The label of a key of the study; the key itself where it has none."""
    return _KEY_LABELS.get(key, key)


def main_contexts(results: Results) -> list[tuple[str, str]]:
    """The (setting, context) pairs to draw: contexts that are neutral or ask for the hack, else all."""
    all_contexts = list(dict.fromkeys((cell.setting, cell.context) for cell in results.main_cells()))
    main = [place for place in all_contexts if is_main(place[1])]
    return main or all_contexts


def training_panels(results: Results) -> list[Panel]:
    """Arms that were evaluated at several shares of their training; the base arm's cell is the first point."""
    contexts, several_settings = main_contexts(results), len(results.ordered_names("setting")) > 1
    panels: list[Panel] = []
    for arm in results.ordered_names("arm"):
        for setting, context in contexts:
            cells = sorted(_cells_of(results, arm, setting, context), key=lambda cell: cell.at)
            if arm == BASE or len(cells) < 2:
                continue
            base_cells = _cells_of(results, BASE, setting, context) if cells[0].at > 0 else []
            points = [(cell.at, cell) for cell in [*base_cells[:1], *cells]]
            panels.append(Panel((arm, _panel_name(setting, context, several_settings)), points))
    return panels


def training_axis(panels: Iterable[Panel]) -> SharedAxis:
    """The axis of the share of nominal training."""
    last = max(x for panel in panels for x, _ in panel.points)
    return SharedAxis("share of nominal training", {at: f"{100 * at:g}%" for at in (0.0, last / 2, last)})


def find_doses(results: Results) -> list[Dose]:
    """Every number in which at least three arms differ that are otherwise the same."""
    doses = doses_among({arm: results.arm(arm) for arm in results.ordered_names("arm") if arm != BASE})
    # Trends have a figure of their own.
    return [dose for dose in doses if not (results.trends and dose.key == "rows.vetted.count")]


def doses_among(specs: Mapping[str, dict[str, Any]]) -> list[Dose]:
    """Every number in which at least three arms differ that are otherwise the same.

    Args:
        specs: Arm -> its specification in the study.
    """
    arms = {arm: dict(_flatten(spec)) for arm, spec in specs.items()}
    keys = dict.fromkeys(key for spec in arms.values() for key, value in spec.items() if number(value) is not None)
    doses: list[Dose] = []
    for key in keys:
        groups: dict[str, list[tuple[float, str]]] = {}
        for arm, spec in arms.items():
            value = number(spec.get(key))
            if value is not None:
                groups.setdefault(repr(sorted((spec | {key: None}).items())), []).append((value, arm))
        series = [sorted(group) for group in groups.values() if len({value for value, _ in group}) >= FEWEST_VALUES]
        if series:
            doses.append(Dose(key, _name_series(series)))
    return doses


def dose_panels(results: Results, dose: Dose) -> list[Panel]:
    """A panel for each series of a dose and each context, at the end of training."""
    contexts, several_settings = main_contexts(results), len(results.ordered_names("setting")) > 1
    main = {(cell.arm, cell.setting, cell.context): cell for cell in results.main_cells()}
    panels: list[Panel] = []
    for name, series in dose.series.items():
        for setting, context in contexts:
            cells = [(value, main.get((arm, setting, context))) for value, arm in series]
            points = [(value, cell) for value, cell in cells if cell is not None]
            if points:
                base = main.get((BASE, setting, context))
                panels.append(Panel((name, _panel_name(setting, context, several_settings)), points, base))
    return panels


def trend_panels(results: Results) -> tuple[list[Panel], SharedAxis]:
    """A panel for each series of arms and each context that a trend is declared for, and their axis."""
    several_settings = len({trend["setting"] for trend in results.trends}) > 1
    main = {(cell.arm, cell.setting, cell.context): cell for cell in results.main_cells()}
    panels: dict[tuple[str, ...], Panel] = {}
    doses: dict[str, list[tuple[float, str]]] = {}
    for trend in results.trends:
        setting, context = trend["setting"], trend["context"]
        series = [(float(one["dose"]), text(one["arm"])) for one in trend["doses"]]
        points = [(dose, cell) for dose, arm in series if (cell := main.get((arm, setting, context)))]
        names = [arm for _, arm in series]
        if points:
            title = (
                _common_prefix(names) or f"{names[0]} to {names[-1]}",
                _panel_name(setting, context, several_settings),
            )
            panels[(*names, setting, context)] = Panel(title, points, main.get((BASE, setting, context)))
            doses[" ".join(names)] = series
    axis = dose_axis(Dose("rows.vetted.count", doses)) if doses else SharedAxis(_VETTED, {})
    return list(panels.values()), axis


def dose_axis(dose: Dose) -> SharedAxis:
    """The axis of a dose: logarithmic if its values span more than a factor of eight."""
    values = sorted({value for series in dose.series.values() for value, _ in series})
    positive = [value for value in values if value > 0]
    is_wide = min(values) >= 0 and len(positive) > 1 and positive[-1] / positive[0] > 8
    scale = "linear" if not is_wide else "log" if len(positive) == len(values) else "symlog"
    return SharedAxis(dose.label, {value: _format_value(value) for value in values}, scale)


def _format_value(value: float) -> str:
    """A number in few characters: 0.0002 is 2e-4."""
    if 0 < abs(value) < 0.01:
        digits, exponent = f"{value:.6e}".split("e")
        return f"{float(digits):g}e{int(exponent)}"
    return f"{value:g}"


def _cells_of(results: Results, arm: str, setting: str, context: str) -> list[Cell]:
    return [cell for cell in results.cells if (cell.arm, cell.setting, cell.context) == (arm, setting, context)]


def _panel_name(setting: str, context: str, several_settings: bool) -> str:
    return f"{setting}, {context}" if several_settings else context


def _flatten(data: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _name_series(series: Sequence[list[tuple[float, str]]]) -> dict[str, list[tuple[float, str]]]:
    """Name each series by the common prefix of its arms, or by its first and last arm if the prefix is not unique."""
    prefixes = [_common_prefix([arm for _, arm in arms]) for arms in series]
    by_name: dict[str, list[tuple[float, str]]] = {}
    for prefix, arms in zip(prefixes, series, strict=True):
        arm_range = f"{arms[0][1]} to {arms[-1][1]}"
        by_name[prefix if len(prefix) > 1 and prefixes.count(prefix) == 1 else arm_range] = arms
    return by_name


def _common_prefix(names: Sequence[str]) -> str:
    """The common prefix of all names, without a number or separator at its end."""
    shared = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in shared).rstrip("0123456789.-_ ")
