"""How far it carries: arms against evaluated settings and contexts, as a matrix of rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from inoculate.report.drawing import NARROW, PALETTE, grid, new, wrap
from inoculate.report.numbers import interval, percent
from inoculate.report.results import Cell, Results, mapping, text

DEEPEST = 0.5
"""Opacity of a rate of 100%: the figures in the cells must stay readable on it, in light and dark."""
_MEASURES = ("correct", "hack")


@dataclass(frozen=True)
class _Layout:
    """Sizes in pixels, and names in the lines that fit them."""

    left: float
    each: float
    """Width of a column."""
    high: float
    """Height of a row."""
    head: float
    """Room above a block."""
    arms: dict[str, list[str]]
    contexts: dict[str, list[str]]


def transfer(results: Results, width: float) -> Figure:
    """A block per outcome and setting: rows are arms, columns are contexts.

    Args:
        results: The results.
        width: In pixels; on a narrow screen all blocks stand one below the other.
    """
    cells = {(cell.arm, cell.setting, cell.context): cell for cell in results.main_cells()}
    places = dict.fromkeys((setting, context) for _, setting, context in cells)
    contexts = {s: [context for setting, context in places if setting == s] for s in results.order("setting")}
    blocks = [(name, setting) for name in _MEASURES for setting in contexts]
    columns, gap = (1, 0.0) if width == NARROW else (len(contexts), 14.0)
    layout = _layout(results.order("arm"), contexts, width, gap if columns > 1 else 0.0)
    down, tall = len(blocks) // columns, layout.high * len(layout.arms)
    height = down * (tall + layout.head) + (down - 1) * 14 + 6
    figure = new(width, height)
    inner = width - layout.left - 4
    margins: dict[str, Any] = {"left": layout.left / width, "right": 1 - 4 / width, "bottom": 6 / height}
    margins |= {"top": 1 - layout.head / height, "hspace": (layout.head + 14) / tall}
    margins |= {"wspace": gap / ((inner - gap * (columns - 1)) / columns)}
    shares = [1] if columns == 1 else [len(some) for some in contexts.values()]
    axes = grid(figure, down, columns, **margins, width_ratios=shares)
    for place, (axis, (name, setting)) in enumerate(zip(axes, blocks, strict=True)):
        axis.set_title(f"{setting}: {results.label(setting, name)}", pad=layout.head - 24, fontsize=11)
        _bare(axis, layout, contexts[setting])
        for row, arm in enumerate(layout.arms):
            trained = text(mapping(results.arm(arm).get("rows")).get("setting")) == setting
            for column, context in enumerate(contexts[setting]):
                _cell(axis, row, column, cells.get((arm, setting, context)), name, layout.each, trained)
            if place % columns == 0:
                where = {"xytext": (2 - layout.left, 0), "textcoords": "offset points", "annotation_clip": False}
                axis.annotate("\n".join(layout.arms[arm]), (0, row + 0.5), va="center", fontsize=10.5, **where)
    return figure


def _layout(arms: list[str], contexts: dict[str, list[str]], width: float, gap: float) -> _Layout:
    left = 104.0 if width == NARROW else 150.0
    counts = [len(some) for some in contexts.values()]
    each = (width - left - 4 - gap * (len(counts) - 1)) / (sum(counts) if gap else max(counts))
    labels = {arm: wrap(arm, left - 12, 10.5) for arm in arms}
    heads = {context: wrap(context, each - 4, 9.5) for some in contexts.values() for context in some}
    high = max(30.0, 13.0 * max(map(len, labels.values())) + 8)
    return _Layout(left, each, high, 12.0 * max(map(len, heads.values())) + 30, labels, heads)


def _bare(axis: Axes, layout: _Layout, contexts: list[str]) -> None:
    """An axis without ticks and lines, with the names of the contexts above its columns."""
    axis.set_xlim(0, len(contexts))
    axis.set_ylim(len(layout.arms), 0)
    axis.set_xticks([])
    axis.set_yticks([])
    for side in ("left", "bottom"):
        axis.spines[side].set_visible(False)
    where = {"xytext": (0, 5), "textcoords": "offset points", "annotation_clip": False, "ha": "center", "va": "bottom"}
    for column, context in enumerate(contexts):
        words = "\n".join(layout.contexts[context])
        axis.annotate(words, (column + 0.5, 0), fontsize=9.5, color=PALETTE["soft"], linespacing=1.1, **where)


def _cell(axis: Axes, row: int, column: int, cell: Cell | None, name: str, width: float, trained: bool) -> None:
    rate = cell.outcomes[name] if cell else None
    box = (column + 0.02, row + 0.05), 0.96, 0.9
    if rate is None or rate.rate is None:
        axis.add_patch(Rectangle(*box, facecolor="none", edgecolor=PALETTE["line"], linestyle=":", linewidth=0.8))
        axis.text(column + 0.5, row + 0.5, "\u2013", ha="center", va="center", fontsize=10, color=PALETTE["soft"])
        return
    axis.add_patch(Rectangle(*box, facecolor=PALETTE[name], alpha=DEEPEST * rate.rate, linewidth=0))
    if trained:
        axis.add_patch(Rectangle(*box, facecolor="none", edgecolor=PALETTE["soft"], linewidth=0.9))
    # The interval is in the table where a cell is too narrow for it.
    roomy = width >= 44
    middle: dict[str, Any] = {"ha": "center", "va": "center"}
    axis.text(column + 0.5, row + (0.36 if roomy else 0.5), percent(rate.rate), fontsize=10, **middle)
    if roomy:
        axis.text(column + 0.5, row + 0.74, interval(rate.low, rate.high), fontsize=8.5, **middle)


def has_transfer(cells: Sequence[Cell]) -> bool:
    """Whether more than one setting was evaluated."""
    return len({cell.setting for cell in cells}) > 1
