"""The first picture: what every arm does in a context, as rates with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from inoculate.report.drawing import NARROW, PALETTE, PERCENT, grid, new, wrap
from inoculate.report.numbers import percent
from inoculate.report.results import BASE, Cell, Results, text

WORTH_SHOWING = 0.05
"""Malformed answers are in the picture where some arm has more of them than this."""
_NAME, _ABOUT = 11.5, 9.5
"""Sizes of the names of arms, and of the words below them."""
Panel = tuple[str, str, list[Cell]]
"""Setting, context, and the cell of every arm."""
MARKS: dict[str, dict[str, Any]] = {
    "correct": {"marker": "o", "markersize": 7, "color": PALETTE["correct"]},
    "hack": {"marker": "D", "markersize": 6.2, "color": PALETTE["hack"]},
    "malformed": {"marker": "X", "markersize": 6.5, "color": PALETTE["wrong"], "markeredgewidth": 0},
}
"""Outcomes differ in shape too, so that none needs its colour to be told apart."""


@dataclass(frozen=True)
class Row:
    """An arm's place in the picture, in pixels from the top."""

    arm: str
    name: list[str]
    about: list[str]
    top: float
    height: float
    pitch: float
    """Between the marks of two outcomes."""


def picture(results: Results, panels: Sequence[Panel], width: float) -> Figure:
    """A row per arm; a panel per context, side by side or, on a narrow screen, one below the other.

    Args:
        results: The results.
        panels: What is drawn.
        width: In pixels.
    """
    names = 104.0 if width == NARROW else 158.0
    outcomes = _outcomes(panels)
    rows = _rows(results, panels, names - 10, len(outcomes))
    tall = sum(row.height for row in rows)
    down = len(panels) if width == NARROW else 1
    legend = 44.0 if width == NARROW else 24.0
    head, foot = 28.0, 26.0
    height = legend + down * (tall + head + foot)
    figure = new(width, height)
    margins = {"left": names / width, "right": 1 - 26 / width, "top": 1 - (legend + head) / height}
    margins |= {"bottom": foot / height, "wspace": 0.14, "hspace": (head + foot) / tall}
    axes = grid(figure, down, len(panels) // down, **margins)
    many = len({setting for setting, _, _ in panels}) > 1
    for place, (axis, (setting, context, cells)) in enumerate(zip(axes, panels, strict=True)):
        axis.set_title(f"{setting}, {context}" if many else context, pad=9)
        _frame(axis, rows, tall, floor=_floor(results, cells))
        if place == 0 or down > 1:
            _names(axis, rows, names)
        known = {cell.arm: cell for cell in cells}
        for row in rows:
            _marks(axis, row, known.get(row.arm), outcomes)
    _legend(figure, results, panels, outcomes, 2 if width == NARROW else 4)
    return figure


def _outcomes(panels: Sequence[Panel]) -> list[str]:
    malformed = [cell.outcomes["malformed"].rate or 0.0 for _, _, cells in panels for cell in cells]
    return [*("correct", "hack"), *(["malformed"] if max(malformed, default=0.0) > WORTH_SHOWING else [])]


def _rows(results: Results, panels: Sequence[Panel], width: float, marks: int) -> list[Row]:
    present = {cell.arm for _, _, cells in panels for cell in cells}
    arms = [arm for arm in results.order("arm") if arm in present]
    # Few arms may take their ease; many should still be seen at once.
    pitch = 17.0 if len(arms) * marks <= 12 else 15.0 if len(arms) * marks <= 21 else 13.0
    rows: list[Row] = []
    top = 0.0
    for arm in arms:
        name, about = wrap(arm, width, _NAME), wrap(_about(results, arm), width, _ABOUT)
        height = max(pitch * marks + 12, 15.0 * len(name) + 13 * len(about) + 10)
        rows.append(Row(arm, name, about, top, height, pitch))
        top += height
    return rows


def _about(results: Results, arm: str) -> str:
    """In a few words, how the arm was trained."""
    if arm == BASE:
        return "untrained"
    inoculation = results.arm(arm).get("inoculation") or {}
    said = [text(inoculation.get("prompt")) or "own prompt" if inoculation else "no prompt"]
    said += ["hacked rows only"] if inoculation.get("on") == "hacked" else []
    said += ["no hacked rows"] if results.honest(arm) else []
    return ", ".join(said)


def _floor(results: Results, cells: Sequence[Cell]) -> float | None:
    """The highest hack rate among the arms that never saw a hack."""
    rates = [cell.outcomes["hack"].rate for cell in cells if results.honest(cell.arm)]
    return max((rate for rate in rates if rate is not None), default=None)


def _frame(axis: Axes, rows: Sequence[Row], tall: float, floor: float | None) -> None:
    axis.set_xlim(-0.02, 1.02)
    axis.set_ylim(tall, 0)
    axis.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axis.xaxis.set_major_formatter(PERCENT)
    axis.set_yticks([])
    axis.tick_params(length=0)
    for side in ("left", "bottom"):
        axis.spines[side].set_visible(False)
    axis.grid(axis="x", color=PALETTE["line"], linewidth=0.6)
    if floor is not None:
        axis.axvspan(-0.02, floor, color=PALETTE["hack"], alpha=0.1, linewidth=0, zorder=0.5)
    for row in rows:
        axis.axhline(row.top, color=PALETTE["line"], linewidth=0.8, zorder=1)
    axis.axhline(tall, color=PALETTE["line"], linewidth=0.8, zorder=1)


def _names(axis: Axes, rows: Sequence[Row], width: float) -> None:
    for row in rows:
        high = 15.0 * len(row.name) + 13 * len(row.about)
        at = row.top + (row.height - high) / 2
        for line in row.name:
            _left(axis, width, at + 7.5, line, fontsize=_NAME, color=PALETTE["ink"])
            at += 15
        for line in row.about:
            _left(axis, width, at + 6.5, line, fontsize=_ABOUT, color=PALETTE["soft"])
            at += 13


def _left(axis: Axes, width: float, y: float, line: str, **style: Any) -> None:
    """Text that starts at the left edge of the figure, at a height of the axis."""
    across = axis.get_yaxis_transform()
    axis.annotate(line, (0, y), (-width + 2, 0), across, "offset points", va="center", annotation_clip=False, **style)


def _marks(axis: Axes, row: Row, cell: Cell | None, outcomes: Sequence[str]) -> None:
    middle = row.top + row.height / 2
    if cell is None or cell.outcomes["hack"].rate is None:
        why = "no cell" if cell is None else cell.outcomes["hack"].reason or cell.reason or "not known"
        axis.text(0.02, middle, why, va="center", fontsize=9.5, color=PALETTE["soft"])
        return
    for place, name in enumerate(outcomes):
        rate = cell.outcomes[name]
        if rate.rate is None:
            continue
        y = middle + row.pitch * (place - (len(outcomes) - 1) / 2)
        colour = MARKS[name]["color"]
        low = rate.rate if rate.low is None else rate.low
        high = rate.rate if rate.high is None else rate.high
        axis.plot([low, high], [y, y], color=colour, linewidth=2.2, alpha=0.4, solid_capstyle="butt", zorder=2)
        if len(cell.by_seed) > 1:
            seeds = [value for _, value in cell.seed_rates(name)]
            axis.plot(seeds, [y] * len(seeds), "|", color=colour, markersize=6, markeredgewidth=1.1, zorder=2.5)
        axis.plot(rate.rate, y, linestyle="none", clip_on=False, zorder=3, **MARKS[name])
        _number(axis, rate.rate, low, high, y)


def _number(axis: Axes, rate: float, low: float, high: float, y: float) -> None:
    """The rate in figures, beside its interval where there is room."""
    beside = high <= 0.86 or low < 0.16
    x, shift, side = (high, 7, "left") if beside else (low, -7, "right")
    where = {"textcoords": "offset points", "ha": side, "va": "center", "annotation_clip": False}
    axis.annotate(percent(rate), (x, y), (shift, 0), fontsize=10, color=PALETTE["ink"], zorder=4, **where)


def _legend(figure: Figure, results: Results, panels: Sequence[Panel], outcomes: list[str], columns: int) -> None:
    settings = list(dict.fromkeys(setting for setting, _, _ in panels))
    handles: list[Any] = [
        Line2D([], [], linestyle="none", label=results.label_in(settings, name), **MARKS[name]) for name in outcomes
    ]
    if any(_floor(results, cells) is not None for _, _, cells in panels):
        hack = results.label_in(settings, "hack")
        floor = f"floor of false '{hack}'" if " " in hack else f"false-{hack} floor"
        handles.append(Patch(facecolor=PALETTE["hack"], alpha=0.14, linewidth=0, label=floor))
    spacing = {"handletextpad": 0.4, "columnspacing": 1.6, "borderpad": 0, "borderaxespad": 0, "handlelength": 1.4}
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=columns, **spacing)
