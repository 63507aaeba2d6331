"""The two figures that are files only: stacked outcomes and the forest of contrasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from inoculate.report.drawing import PALETTE, PERCENT, grid, new, wrap
from inoculate.report.numbers import minus, percent
from inoculate.report.results import Cell, Contrast, Results

_FACES: dict[str, dict[str, Any]] = {
    "correct": {"facecolor": PALETTE["correct"], "edgecolor": "none"},
    "hack": {"facecolor": PALETTE["hack"], "edgecolor": "none"},
    "wrong": {"facecolor": PALETTE["wrong"], "edgecolor": "none"},
    "malformed": {"facecolor": PALETTE["malformed"], "hatch": "////", "edgecolor": PALETTE["wrong"], "linewidth": 0.6},
    "ungraded": {"facecolor": PALETTE["paper"], "edgecolor": PALETTE["soft"], "linewidth": 0.6},
}
_NAMES, _COUNTS = 160.0, 70.0
"""Room for the names of arms on the left, and for numbers of samples on the right, in pixels."""
_RIGHT = 124.0
"""Room for verdicts."""


def stacked(results: Results, cells: Sequence[Cell], width: float) -> Figure:
    """Five outcomes as one bar per arm, under a heading for each setting and context.

    Args:
        results: The results.
        cells: What is drawn, those of one setting and context one after the other.
        width: In pixels.
    """
    shown = [cell for cell in cells if cell.shown]
    settings = list(dict.fromkeys(cell.setting for cell in shown))
    heights: list[tuple[float, Cell]] = []
    headings: list[tuple[float, str]] = []
    at = 0.0
    for place, cell in enumerate(shown):
        if place == 0 or (cell.setting, cell.context) != (shown[place - 1].setting, shown[place - 1].context):
            headings.append((at + 18, f"{cell.setting}, {cell.context}" if len(settings) > 1 else cell.context))
            at += 30
        lines = len(wrap(cell.arm, _NAMES - 12, 10.5))
        heights.append((at + max(22.0, 13.0 * lines + 4) / 2, cell))
        at += max(22.0, 13.0 * lines + 4)
    height = at + 64
    figure = new(width, height)
    margins = {"left": _NAMES / width, "right": 1 - _COUNTS / width, "bottom": 32 / height, "top": 1 - 32 / height}
    axis = grid(figure, 1, 1, **margins)[0]
    axis.set_ylim(at, 0)
    for middle, cell in heights:
        _bar(axis, middle, cell)
    for middle, heading in headings:
        _left(axis, middle, heading, fontsize=11, fontweight="bold")
    axis.set_yticks([])
    axis.set_xlim(0, 1)
    axis.xaxis.set_major_formatter(PERCENT)
    axis.tick_params(length=0)
    axis.spines["left"].set_visible(False)
    handles = [Patch(label=results.label_in(settings, name), **face) for name, face in _FACES.items()]
    figure.legend(handles=handles, loc="upper left", ncols=5, bbox_to_anchor=(0, 1), handlelength=1.2, borderpad=0)
    return figure


def _bar(axis: Axes, middle: float, cell: Cell) -> None:
    reached = 0.0
    counts = {name: rate.count for name, rate in cell.outcomes.items()} | {"ungraded": cell.ungraded}
    for name, count in counts.items():
        share = count / cell.shown
        axis.barh(middle, share, left=reached, height=16, **_FACES[name])
        rate = cell.outcomes[name].rate if name in cell.outcomes else None
        # White on the hatch would not be read: malformed and ungraded have their figures in the table.
        if share >= 0.07 and rate is not None and name != "malformed":
            where = {"va": "center_baseline", "fontsize": 9, "color": "#ffffff"}
            axis.text(reached + 0.008, middle, percent(rate), **where)
        reached += share
    _left(axis, middle, "\n".join(wrap(cell.arm, _NAMES - 12, 10.5)), fontsize=10.5, linespacing=1.1)
    axis.text(1.015, middle, f"n = {cell.shown:,}", va="center", fontsize=9.5, color=PALETTE["soft"])


def _left(axis: Axes, middle: float, words: str, **style: Any) -> None:
    place = axis.get_yaxis_transform()
    axis.annotate(words, (0, middle), (4 - _NAMES, 0), place, "offset points", va="center", **style)


def forest(results: Results, contrasts: Sequence[Contrast], width: float) -> Figure:
    """Differences with their intervals, the margin shaded, the verdict beside each.

    Args:
        results: The results.
        contrasts: What is drawn.
        width: In pixels.
    """
    claims = [wrap(contrast.claim, width - _RIGHT - 20, 11) for contrast in contrasts]
    height = sum(14.0 * len(claim) + 48 for claim in claims) + 46
    figure = new(width, height)
    margins = {"left": 10 / width, "right": 1 - _RIGHT / width, "bottom": 44 / height, "top": 1 - 2 / height}
    axis = grid(figure, 1, 1, **margins)[0]
    ends = [abs(end) for c in contrasts for end in (c.difference, c.low, c.high, c.margin) if end is not None]
    reach = 1.1 * max([0.1, *ends])
    at = 0.0
    for contrast, claim in zip(contrasts, claims, strict=True):
        axis.text(-reach, at + 4, "\n".join(claim), va="top", fontsize=11, linespacing=1.2)
        at += 14.0 * len(claim) + 48
        _difference(axis, results, contrast, at - 26, reach)
    axis.set_xlim(-reach, reach)
    axis.set_ylim(at, 0)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: minus(f"{100 * value:+.0f}") if value else "0"))
    axis.set_xlabel("difference in percentage points, 95% interval; shaded: the margin")
    return figure


def _difference(axis: Axes, results: Results, contrast: Contrast, y: float, reach: float) -> None:
    if contrast.margin:
        axis.fill_between([-contrast.margin, contrast.margin], y - 12, y + 12, color=PALETTE["wash"])
    axis.plot([0, 0], [y - 14, y + 14], color=PALETTE["soft"], linewidth=0.8)
    if contrast.low is not None and contrast.high is not None:
        axis.plot([contrast.low, contrast.high], [y, y], color=PALETTE["ink"], linewidth=1.6)
    axis.plot(contrast.difference or 0.0, y, marker="o", markersize=6.5, color=PALETTE["ink"])
    axis.text(reach * 1.03, y - 1, contrast.verdict, va="bottom", fontsize=10.5, fontweight="bold")
    about = wrap(f"{results.label(contrast.setting, contrast.measure)}, {contrast.context}", _RIGHT - 6, 9)
    axis.text(reach * 1.03, y + 1, "\n".join(about), va="top", fontsize=9, color=PALETTE["soft"], linespacing=1.1)
