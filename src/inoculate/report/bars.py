"""The two figures that exist only as files: stacked bars of outcomes, and a forest plot of contrasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from inoculate.report.drawing import PALETTE, PERCENT, make_axes, new_figure, wrap
from inoculate.report.numbers import minus, percent
from inoculate.report.results import Cell, Contrast, Results

_BAR_STYLES: dict[str, dict[str, Any]] = {
    "correct": {"facecolor": PALETTE["correct"], "edgecolor": "none"},
    "hack": {"facecolor": PALETTE["hack"], "edgecolor": "none"},
    "wrong": {"facecolor": PALETTE["wrong"], "edgecolor": "none"},
    "malformed": {"facecolor": PALETTE["malformed"], "hatch": "////", "edgecolor": PALETTE["wrong"], "linewidth": 0.6},
    "ungraded": {"facecolor": PALETTE["paper"], "edgecolor": PALETTE["soft"], "linewidth": 0.6},
}
_LABEL_WIDTH, _COUNT_WIDTH = 160.0, 70.0
"""Space for arm names on the left and for sample counts on the right, in pixels."""
_VERDICT_WIDTH = 124.0
"""Space for verdicts, in pixels."""


def draw_outcomes(results: Results, cells: Sequence[Cell], width: float) -> Figure:
    """Five outcomes as one bar per arm, under a heading for each setting and context.

    Args:
        results: The results.
        cells: The cells to draw, grouped by setting and context.
        width: In pixels.
    """
    cells_with_samples = [cell for cell in cells if cell.bar_samples]
    settings = list(dict.fromkeys(cell.setting for cell in cells_with_samples))
    bar_positions: list[tuple[float, Cell]] = []
    headings: list[tuple[float, str]] = []
    y = 0.0
    for index, cell in enumerate(cells_with_samples):
        if index == 0 or (cell.setting, cell.context) != (
            cells_with_samples[index - 1].setting,
            cells_with_samples[index - 1].context,
        ):
            headings.append((y + 18, f"{cell.setting}, {cell.context}" if len(settings) > 1 else cell.context))
            y += 30
        lines = len(wrap(cell.arm, _LABEL_WIDTH - 12, 10.5))
        bar_positions.append((y + max(22.0, 13.0 * lines + 4) / 2, cell))
        y += max(22.0, 13.0 * lines + 4)
    height = y + 64
    figure = new_figure(width, height)
    margins = {
        "left": _LABEL_WIDTH / width,
        "right": 1 - _COUNT_WIDTH / width,
        "bottom": 32 / height,
        "top": 1 - 32 / height,
    }
    axis = make_axes(figure, 1, 1, **margins)[0]
    axis.set_ylim(y, 0)
    for middle, cell in bar_positions:
        _draw_bar(axis, middle, cell)
    for middle, heading in headings:
        _label_left(axis, middle, heading, fontsize=11, fontweight="bold")
    axis.set_yticks([])
    axis.set_xlim(0, 1)
    axis.xaxis.set_major_formatter(PERCENT)
    axis.tick_params(length=0)
    axis.spines["left"].set_visible(False)
    handles = [Patch(label=results.label_in(settings, name), **face) for name, face in _BAR_STYLES.items()]
    figure.legend(handles=handles, loc="upper left", ncols=5, bbox_to_anchor=(0, 1), handlelength=1.2, borderpad=0)
    return figure


def _draw_bar(axis: Axes, y: float, cell: Cell) -> None:
    left = 0.0
    counts = {name: rate.count for name, rate in cell.outcomes.items()} | {"ungraded": cell.ungraded}
    for name, count in counts.items():
        share = count / cell.bar_samples
        axis.barh(y, share, left=left, height=16, **_BAR_STYLES[name])
        rate = cell.outcomes[name].rate if name in cell.outcomes else None
        # White text on the hatch would be unreadable: the table has the rates of malformed and ungraded.
        if share >= 0.07 and rate is not None and name != "malformed":
            options = {"va": "center_baseline", "fontsize": 9, "color": "#ffffff"}
            axis.text(left + 0.008, y, percent(rate), **options)
        left += share
    _label_left(axis, y, "\n".join(wrap(cell.arm, _LABEL_WIDTH - 12, 10.5)), fontsize=10.5, linespacing=1.1)
    axis.text(1.015, y, f"n = {cell.bar_samples:,}", va="center", fontsize=9.5, color=PALETTE["soft"])


def _label_left(axis: Axes, y: float, label: str, **style: Any) -> None:
    transform = axis.get_yaxis_transform()
    axis.annotate(label, (0, y), (4 - _LABEL_WIDTH, 0), transform, "offset points", va="center", **style)


def draw_forest(results: Results, contrasts: Sequence[Contrast], width: float) -> Figure:
    """A forest plot: differences with their intervals, the shaded margin, and the verdicts.

    Args:
        results: The results.
        contrasts: The contrasts to draw.
        width: In pixels.
    """
    wrapped_claims = [wrap(contrast.claim, width - _VERDICT_WIDTH - 20, 11) for contrast in contrasts]
    height = sum(14.0 * len(lines) + 48 for lines in wrapped_claims) + 46
    figure = new_figure(width, height)
    margins = {"left": 10 / width, "right": 1 - _VERDICT_WIDTH / width, "bottom": 44 / height, "top": 1 - 2 / height}
    axis = make_axes(figure, 1, 1, **margins)[0]
    values = [abs(end) for c in contrasts for end in (c.difference, c.low, c.high, c.margin) if end is not None]
    x_limit = 1.1 * max([0.1, *values])
    y = 0.0
    for contrast, lines in zip(contrasts, wrapped_claims, strict=True):
        axis.text(-x_limit, y + 4, "\n".join(lines), va="top", fontsize=11, linespacing=1.2)
        y += 14.0 * len(lines) + 48
        _draw_difference(axis, results, contrast, y - 26, x_limit)
    axis.set_xlim(-x_limit, x_limit)
    axis.set_ylim(y, 0)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: minus(f"{100 * value:+.0f}") if value else "0"))
    axis.set_xlabel("difference in percentage points, 95% interval; shaded: the margin")
    return figure


def _draw_difference(axis: Axes, results: Results, contrast: Contrast, y: float, x_limit: float) -> None:
    if contrast.margin:
        axis.fill_between([-contrast.margin, contrast.margin], y - 12, y + 12, color=PALETTE["wash"])
    axis.plot([0, 0], [y - 14, y + 14], color=PALETTE["soft"], linewidth=0.8)
    if contrast.low is not None and contrast.high is not None:
        axis.plot([contrast.low, contrast.high], [y, y], color=PALETTE["ink"], linewidth=1.6)
    axis.plot(contrast.difference or 0.0, y, marker="o", markersize=6.5, color=PALETTE["ink"])
    axis.text(x_limit * 1.03, y - 1, contrast.verdict, va="bottom", fontsize=10.5, fontweight="bold")
    measure_lines = wrap(
        f"{results.label(contrast.setting, contrast.measure)}, {contrast.context}", _VERDICT_WIDTH - 6, 9
    )
    axis.text(
        x_limit * 1.03, y + 1, "\n".join(measure_lines), va="top", fontsize=9, color=PALETTE["soft"], linespacing=1.1
    )
