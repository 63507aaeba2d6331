"""The two figures that are files only: stacked outcomes and the forest of contrasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from inoculate.report.drawing import PALETTE, grid, new
from inoculate.report.numbers import minus
from inoculate.report.results import Cell, Contrast

_FACES: dict[str, dict[str, Any]] = {
    "correct": {"facecolor": PALETTE["correct"], "edgecolor": "none"},
    "hack": {"facecolor": PALETTE["hack"], "edgecolor": "none"},
    "wrong": {"facecolor": PALETTE["wrong"], "edgecolor": "none"},
    "malformed": {"facecolor": PALETTE["malformed"], "hatch": "////", "edgecolor": PALETTE["wrong"], "linewidth": 0.6},
    "ungraded": {"facecolor": PALETTE["paper"], "edgecolor": PALETTE["soft"], "linewidth": 0.6},
}


def stacked(cells: Sequence[Cell], width: float) -> Figure:
    """Five outcomes as one bar per arm, setting and context."""
    shown = [cell for cell in cells if cell.shown]
    many = len({cell.setting for cell in shown}) > 1
    height = 22.0 * len(shown) + 76
    figure = new(width, height)
    names = [_name(cell, many) for cell in shown]
    left = min(width / 2, 16 + 5.6 * max(len(name) for name in names))
    axis = grid(figure, 1, 1, left=left / width, right=1 - 60 / width, bottom=40 / height, top=1 - 32 / height)[0]
    for row, cell in enumerate(shown):
        reached = 0.0
        counts = {name: rate.count for name, rate in cell.outcomes.items()} | {"ungraded": cell.ungraded}
        for name, count in counts.items():
            share = count / cell.shown
            axis.barh(row, share, left=reached, height=0.72, **_FACES[name])
            reached += share
        axis.text(1.015, row, f"n = {cell.shown:,}", va="center", fontsize=8, color=PALETTE["soft"])
    axis.set_yticks(range(len(shown)), names)
    axis.set_ylim(len(shown) - 0.4, -0.6)
    axis.set_xlim(0, 1)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f}%"))
    axis.tick_params(length=0)
    axis.spines["left"].set_visible(False)
    handles = [Patch(label=name, **face) for name, face in _FACES.items()]
    figure.legend(handles=handles, loc="upper left", ncols=5, bbox_to_anchor=(0, 1), handlelength=1.2)
    return figure


def _name(cell: Cell, many: bool) -> str:
    return f"{cell.setting}, {cell.context}: {cell.arm}" if many else f"{cell.context}: {cell.arm}"


def forest(contrasts: Sequence[Contrast], width: float) -> Figure:
    """Differences with their intervals, the margin shaded."""
    height = 46.0 * len(contrasts) + 52
    figure = new(width, height)
    axis = grid(figure, 1, 1, left=16 / width, right=1 - 110 / width, bottom=40 / height, top=1 - 8 / height)[0]
    ends = [abs(end) for c in contrasts for end in (c.difference, c.low, c.high, c.margin) if end is not None]
    reach = 1.1 * max([0.1, *ends])
    for row, contrast in enumerate(contrasts):
        if contrast.margin:
            axis.fill_between([-contrast.margin, contrast.margin], row - 0.1, row + 0.42, color=PALETTE["wash"])
        if contrast.low is not None and contrast.high is not None:
            axis.plot([contrast.low, contrast.high], [row + 0.16] * 2, color=PALETTE["ink"], linewidth=1.4)
        axis.plot(contrast.difference or 0.0, row + 0.16, marker="o", markersize=6, color=PALETTE["ink"])
        axis.text(-reach, row - 0.24, contrast.claim, va="center", fontsize=9)
        axis.text(reach * 1.03, row + 0.16, contrast.verdict, va="center", fontsize=9, fontweight="bold")
    axis.axvline(0, color=PALETTE["soft"], linewidth=0.8)
    axis.set_xlim(-reach, reach)
    axis.set_ylim(len(contrasts) - 0.4, -0.6)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: minus(f"{100 * value:+.0f}") if value else "0"))
    axis.set_xlabel("difference in percentage points, 95% interval; shaded: the margin")
    return figure
