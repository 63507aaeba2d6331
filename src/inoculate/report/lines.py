"""Small panels with lines: rates along training and along a dose, and training losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inoculate.report.drawing import BOLD, FULL, NARROW, NOTHING, PALETTE, PERCENT, grid, new, wrap
from inoculate.report.results import Cell, number

_STYLES: dict[str, dict[str, Any]] = {
    "correct": {"color": PALETTE["correct"], "marker": "o", "markersize": 3.6},
    "hack": {"color": PALETTE["hack"], "marker": "D", "markersize": 3.2},
    "malformed": {"color": PALETTE["wrong"], "marker": "X", "markersize": 4, "linestyle": (0, (2, 1.5))},
}


@dataclass(frozen=True)
class Panel:
    """One small panel: cells along a number."""

    title: tuple[str, str]
    """What the row of panels has in common, and what its column has."""
    points: list[tuple[float, Cell]]
    untrained: Cell | None = None
    """The base arm's cell, whose rates are lines across the panel."""


@dataclass(frozen=True)
class Across:
    """The axis that all panels share."""

    label: str
    ticks: dict[float, str]
    """Where ticks stand, and what they say."""
    scale: str = "linear"


def rate_panels(panels: Sequence[Panel], across: Across, names: dict[str, str], columns: int, width: float) -> Figure:
    """Correct, hack and malformed with their intervals, a small panel for each series and context.

    Args:
        panels: Row by row.
        across: The axis of the numbers.
        names: What the three outcomes are called.
        columns: Panels in a row on a wide screen; the contexts of one series.
        width: In pixels.
    """
    columns = _columns(len(panels), columns, 2 if width == NARROW else 6)
    rows = -(-len(panels) // columns)
    axes = _small(panels, rows, columns, width, legend=48.0 if width == NARROW else 30.0)
    figure = axes[0].figure
    assert isinstance(figure, Figure)
    for place, (axis, panel) in enumerate(zip(axes, panels, strict=True)):
        for name in _STYLES:
            _line(axis, panel, name)
        _across(axis, across)
        axis.set_ylim(-0.03, 1.03)
        axis.set_yticks([0, 0.5, 1])
        axis.yaxis.set_major_formatter(PERCENT if place % columns == 0 else NOTHING)
    handles = [axes[0].plot([], [], label=names[name], linewidth=1.8, **style)[0] for name, style in _STYLES.items()]
    if any(panel.untrained for panel in panels):
        handles += axes[0].plot([], [], label="untrained", color=PALETTE["soft"], linestyle=":", linewidth=1.2)
    where = {"loc": "upper left", "bbox_to_anchor": (4 / width, 1), "borderpad": 0, "borderaxespad": 0}
    figure.legend(handles=handles, ncols=2 if width == NARROW else 4, **where)
    _below(figure, across.label)
    return figure


def _columns(panels: int, contexts: int, most: int) -> int:
    """The contexts of a series in one row; several series beside each other where they fit."""
    if contexts > most:
        return min(most, panels)
    return min(panels, contexts * (most // contexts))


def _small(panels: Sequence[Panel], rows: int, columns: int, width: float, legend: float) -> list[Axes]:
    """Axes for the panels, with room for titles of any length."""
    left, gap = 44.0, 18.0
    each = (width - left - 10 - gap * (columns - 1)) / columns
    titles = [[line for part in panel.title if part for line in wrap(part, each, 10 * BOLD)] for panel in panels]
    title = 13.0 * max(map(len, titles)) + 6
    inner, foot = min(170.0, max(96.0, 0.4 * each)), 22.0
    height = legend + rows * (title + inner + foot) + 20
    figure = new(width, height)
    margins = {"left": left / width, "right": 1 - 10 / width, "wspace": gap / each, "hspace": (title + foot) / inner}
    margins |= {"top": 1 - (legend + title) / height, "bottom": (foot + 20) / height}
    axes = grid(figure, rows, columns, **margins)
    for spare in axes[len(panels) :]:
        spare.remove()
    for axis, lines in zip(axes, titles, strict=False):
        axis.set_title("\n".join(lines), pad=5, fontsize=10, linespacing=1.2)
        axis.grid(color=PALETTE["line"], linewidth=0.6)
        axis.tick_params(labelsize=9.5, length=0)
    return axes[: len(panels)]


def _across(axis: Axes, across: Across) -> None:
    if across.scale == "symlog":
        least = min(value for value in across.ticks if value > 0)
        axis.set_xscale("symlog", linthresh=least, linscale=0.5)
    else:
        axis.set_xscale(across.scale)
    # Every value has its tick; where they are many, not every tick has room for its label.
    skip = -(-len(across.ticks) // 6)
    labels = [label if place % skip == 0 else "" for place, label in enumerate(across.ticks.values())]
    axis.set_xticks(list(across.ticks), labels)
    axis.set_xticks([], minor=True)
    axis.margins(x=0.06)


def _below(figure: Figure, label: str) -> None:
    height = figure.get_size_inches()[1] * 72
    figure.text(0.5, 3 / height, label, ha="center", va="bottom", fontsize=10, color=PALETTE["soft"])


def _line(axis: Axes, panel: Panel, name: str) -> None:
    known = [(x, cell.outcomes[name]) for x, cell in panel.points if cell.outcomes[name].rate is not None]
    style = _STYLES[name]
    axis.plot([x for x, _ in known], [rate.rate or 0.0 for _, rate in known], linewidth=1.8, zorder=3, **style)
    band = [(x, rate.low, rate.high) for x, rate in known if rate.low is not None and rate.high is not None]
    if band:
        xs, lows, highs = zip(*band, strict=True)
        axis.fill_between(xs, lows, highs, color=style["color"], alpha=0.13, linewidth=0)
    start = panel.untrained.outcomes[name].rate if panel.untrained else None
    if start is not None and name != "malformed":
        axis.axhline(start, color=style["color"], linestyle=":", linewidth=1.2, zorder=1.5)


def losses(training: Sequence[dict[str, Any]], width: float) -> Figure:
    """A small panel per arm, a line per seed."""
    arms = list(dict.fromkeys(str(entry.get("arm")) for entry in training))
    columns = min(4 if width == FULL else 2, len(arms))
    axes = _small([Panel((arm, ""), []) for arm in arms], -(-len(arms) // columns), columns, width, legend=0.0)
    curves = [(str(entry.get("arm")), _known(entry["loss"])) for entry in training]
    top = max((loss for _, curve in curves for _, loss in curve), default=1.0)
    for place, (axis, arm) in enumerate(zip(axes, arms, strict=True)):
        for _, curve in (curve for curve in curves if curve[0] == arm):
            steps, values = [step for step, _ in curve], [loss for _, loss in curve]
            axis.plot(steps, values, color=PALETTE["soft"], linewidth=1.2, alpha=0.85)
        axis.set_ylim(0, top * 1.05)
        axis.locator_params(nbins=4)
        if place % columns:
            axis.yaxis.set_major_formatter(NOTHING)
    figure = axes[0].figure
    assert isinstance(figure, Figure)
    _below(figure, "step")
    return figure


def _known(loss: list[Any]) -> list[tuple[float, float]]:
    pairs = ((number(step), number(value)) for step, value in loss)
    return [(step, value) for step, value in pairs if step is not None and value is not None]
