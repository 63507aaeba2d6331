"""Small multiples: rates along training and along a dose, and training losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inoculate.report.drawing import BOLD_FACTOR, FULL, NARROW, NO_LABEL, PALETTE, PERCENT, make_axes, new_figure, wrap
from inoculate.report.results import Cell, number

_STYLES: dict[str, dict[str, Any]] = {
    "correct": {"color": PALETTE["correct"], "marker": "o", "markersize": 3.6},
    "hack": {"color": PALETTE["hack"], "marker": "D", "markersize": 3.2},
    "malformed": {"color": PALETTE["wrong"], "marker": "X", "markersize": 4, "linestyle": (0, (2, 1.5))},
}


@dataclass(frozen=True)
class Panel:
    """One panel: cells along a number."""

    title: tuple[str, str]
    """What the panels of its row have in common, and those of its column."""
    points: list[tuple[float, Cell]]
    untrained: Cell | None = None
    """The base arm's cell, whose rates are horizontal lines."""


@dataclass(frozen=True)
class SharedAxis:
    """The axis that all panels share."""

    label: str
    ticks: dict[float, str]
    """Position -> label."""
    scale: str = "linear"


def draw_rate_panels(
    panels: Sequence[Panel], shared_axis: SharedAxis, names: dict[str, str], columns: int, width: float
) -> Figure:
    """Rates of correct, hack and malformed with their intervals, one panel for each series and context.

    Args:
        panels: The panels, row by row.
        shared_axis: The horizontal axis.
        names: Outcome -> label, for the three outcomes.
        columns: Panels in a row on a wide screen: the contexts of one series.
        width: In pixels.
    """
    columns = _count_columns(len(panels), columns, 2 if width == NARROW else 6)
    rows = -(-len(panels) // columns)
    axes = _make_panels(panels, rows, columns, width, legend=48.0 if width == NARROW else 30.0)
    figure = axes[0].figure
    assert isinstance(figure, Figure)
    for index, (axis, panel) in enumerate(zip(axes, panels, strict=True)):
        for name in _STYLES:
            _draw_rates(axis, panel, name)
        _scale_axis(axis, shared_axis)
        axis.set_ylim(-0.03, 1.03)
        axis.set_yticks([0, 0.5, 1])
        axis.yaxis.set_major_formatter(PERCENT if index % columns == 0 else NO_LABEL)
    handles = [axes[0].plot([], [], label=names[name], linewidth=1.8, **style)[0] for name, style in _STYLES.items()]
    if any(panel.untrained for panel in panels):
        handles += axes[0].plot([], [], label="untrained", color=PALETTE["soft"], linestyle=":", linewidth=1.2)
    options = {"loc": "upper left", "bbox_to_anchor": (4 / width, 1), "borderpad": 0, "borderaxespad": 0}
    figure.legend(handles=handles, ncols=2 if width == NARROW else 4, **options)
    _label_below(figure, shared_axis.label)
    return figure


def _count_columns(panels: int, contexts: int, most: int) -> int:
    """The number of columns: the contexts of a series in one row, and several series side by side where they fit."""
    if contexts > most:
        return min(most, panels)
    return min(panels, contexts * (most // contexts))


def _make_panels(panels: Sequence[Panel], rows: int, columns: int, width: float, legend: float) -> list[Axes]:
    """Axes for the panels, with space for titles of any length."""
    left, gap = 44.0, 18.0
    panel_width = (width - left - 10 - gap * (columns - 1)) / columns
    titles = [
        [line for part in panel.title if part for line in wrap(part, panel_width, 10 * BOLD_FACTOR)] for panel in panels
    ]
    title_height = 13.0 * max(map(len, titles)) + 6
    plot_height, bottom_space = min(170.0, max(96.0, 0.4 * panel_width)), 22.0
    height = legend + rows * (title_height + plot_height + bottom_space) + 20
    figure = new_figure(width, height)
    margins = {
        "left": left / width,
        "right": 1 - 10 / width,
        "wspace": gap / panel_width,
        "hspace": (title_height + bottom_space) / plot_height,
    }
    margins |= {"top": 1 - (legend + title_height) / height, "bottom": (bottom_space + 20) / height}
    axes = make_axes(figure, rows, columns, **margins)
    for unused in axes[len(panels) :]:
        unused.remove()
    for axis, title_lines in zip(axes, titles, strict=False):
        axis.set_title("\n".join(title_lines), pad=5, fontsize=10, linespacing=1.2)
        axis.grid(color=PALETTE["line"], linewidth=0.6)
        axis.tick_params(labelsize=9.5, length=0)
    return axes[: len(panels)]


def _scale_axis(axis: Axes, shared_axis: SharedAxis) -> None:
    if shared_axis.scale == "symlog":
        least = min(value for value in shared_axis.ticks if value > 0)
        axis.set_xscale("symlog", linthresh=least, linscale=0.5)
    else:
        axis.set_xscale(shared_axis.scale)
    # Every value has a tick. Where there are many, not every tick has space for a label.
    skip = -(-len(shared_axis.ticks) // 6)
    labels = [label if index % skip == 0 else "" for index, label in enumerate(shared_axis.ticks.values())]
    axis.set_xticks(list(shared_axis.ticks), labels)
    axis.set_xticks([], minor=True)
    axis.margins(x=0.06)


def _label_below(figure: Figure, label: str) -> None:
    height = figure.get_size_inches()[1] * 72
    figure.text(0.5, 3 / height, label, ha="center", va="bottom", fontsize=10, color=PALETTE["soft"])


def _draw_rates(axis: Axes, panel: Panel, name: str) -> None:
    points = [(x, cell.outcomes[name]) for x, cell in panel.points if cell.outcomes[name].rate is not None]
    style = _STYLES[name]
    axis.plot([x for x, _ in points], [rate.rate or 0.0 for _, rate in points], linewidth=1.8, zorder=3, **style)
    band = [(x, rate.low, rate.high) for x, rate in points if rate.low is not None and rate.high is not None]
    if band:
        xs, lows, highs = zip(*band, strict=True)
        axis.fill_between(xs, lows, highs, color=style["color"], alpha=0.13, linewidth=0)
    untrained_rate = panel.untrained.outcomes[name].rate if panel.untrained else None
    if untrained_rate is not None and name != "malformed":
        axis.axhline(untrained_rate, color=style["color"], linestyle=":", linewidth=1.2, zorder=1.5)


def draw_losses(training: Sequence[dict[str, Any]], width: float) -> Figure:
    """Training loss: one panel per arm, one line per seed."""
    arms = list(dict.fromkeys(str(entry.get("arm")) for entry in training))
    columns = min(4 if width == FULL else 2, len(arms))
    axes = _make_panels([Panel((arm, ""), []) for arm in arms], -(-len(arms) // columns), columns, width, legend=0.0)
    curves = [(str(entry.get("arm")), _finite_points(entry["loss"])) for entry in training]
    # The loss of RL is about 0, on either side.
    losses = [loss for _, curve in curves for _, loss in curve]
    low, top = min([0.0, *losses]), max([0.0, *losses])
    for index, (axis, arm) in enumerate(zip(axes, arms, strict=True)):
        for _, curve in (curve for curve in curves if curve[0] == arm):
            steps, values = [step for step, _ in curve], [loss for _, loss in curve]
            axis.plot(steps, values, color=PALETTE["soft"], linewidth=1.2, alpha=0.85)
        axis.set_ylim(low * 1.05, top * 1.05 if top > low else 1.0)
        axis.locator_params(nbins=4)
        if index % columns:
            axis.yaxis.set_major_formatter(NO_LABEL)
    figure = axes[0].figure
    assert isinstance(figure, Figure)
    _label_below(figure, "step")
    return figure


def _finite_points(loss: list[Any]) -> list[tuple[float, float]]:
    pairs = ((number(step), number(value)) for step, value in loss)
    return [(step, value) for step, value in pairs if step is not None and value is not None]
