"""Transfer: a matrix of rates, with arms as rows and evaluated settings and contexts as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from inoculate.analysis.arms import row_tables
from inoculate.records import setting_of
from inoculate.report.drawing import BOLD_FACTOR, NARROW, PALETTE, make_axes, new_figure, wrap
from inoculate.report.numbers import interval, percent
from inoculate.report.results import Cell, Results

MAX_OPACITY = 0.5
"""Opacity at a rate of 100%: the numbers in the cells must stay readable on it, in light and dark mode."""
_MEASURES = ("correct", "hack")
_GAP = 14.0
"""Pixels between blocks."""
_HEAD, _TITLE = 8.0, 11.0
"""Sizes in pixels of the names of contexts, and of the title of a block."""


@dataclass(frozen=True)
class _Layout:
    """Sizes in pixels, and names wrapped to fit them."""

    name_width: float
    column_width: float
    row_height: float
    heading_height: float
    """Space above a block."""
    arms: dict[str, list[str]]
    contexts: dict[str, list[str]]
    titles: dict[tuple[str, str], list[str]]
    """Measure and setting -> the title of their block."""


def draw_transfer(results: Results, width: float) -> Figure:
    """A block per outcome and setting: rows are arms, columns are contexts.

    Args:
        results: The results.
        width: In pixels. On a narrow screen all blocks are one below the other.
    """
    cells = {(cell.arm, cell.setting, cell.context): cell for cell in results.main_cells()}
    places = dict.fromkeys((setting, context) for _, setting, context in cells)
    contexts = {s: [context for setting, context in places if setting == s] for s in results.ordered_names("setting")}
    blocks = [(name, setting) for name in _MEASURES for setting in contexts]
    titles = {(name, setting): f"{setting}: {results.label(setting, name)}" for name, setting in blocks}
    is_narrow = width == NARROW
    layout = _make_layout(results.ordered_names("arm"), contexts, titles, width)
    block_columns = 1 if is_narrow else len(contexts)
    block_rows, block_height = len(blocks) // block_columns, layout.row_height * len(layout.arms)
    height = block_rows * (block_height + layout.heading_height) + (block_rows - 1) * _GAP + 6
    figure = new_figure(width, height)
    inner_width = width - layout.name_width - 4
    margins: dict[str, Any] = {"left": layout.name_width / width, "right": 1 - 4 / width, "bottom": 6 / height}
    margins |= {"top": 1 - layout.heading_height / height, "hspace": (layout.heading_height + _GAP) / block_height}
    margins |= {"wspace": _GAP / ((inner_width - _GAP * (block_columns - 1)) / block_columns)}
    shares = [1] if is_narrow else [_columns_wide(setting_contexts) for setting_contexts in contexts.values()]
    axes = make_axes(figure, block_rows, block_columns, **margins, width_ratios=shares)
    heads = 1.1 * _HEAD * max(map(len, layout.contexts.values())) + 8
    for index, (axis, (name, setting)) in enumerate(zip(axes, blocks, strict=True)):
        axis.set_title("\n".join(layout.titles[name, setting]), pad=heads, fontsize=_TITLE, linespacing=1.1)
        _draw_frame(axis, layout, contexts[setting])
        for row, arm in enumerate(layout.arms):
            is_trained = any(table.get("setting") == setting_of(setting) for table in row_tables(results.arm(arm)))
            for column, context in enumerate(contexts[setting]):
                _draw_cell(axis, row, column, cells.get((arm, setting, context)), name, layout.column_width, is_trained)
            if index % block_columns == 0:
                options = {
                    "xytext": (2 - layout.name_width, 0),
                    "textcoords": "offset points",
                    "annotation_clip": False,
                }
                axis.annotate("\n".join(layout.arms[arm]), (0, row + 0.5), va="center", fontsize=10.5, **options)
    return figure


def _columns_wide(contexts: list[str]) -> float:
    """How many columns' width a block has: one with a single column needs more, for its title."""
    return max(len(contexts), 2.4)


def _make_layout(
    arms: list[str], contexts: dict[str, list[str]], titles: dict[tuple[str, str], str], width: float
) -> _Layout:
    is_narrow = width == NARROW
    name_width = 104.0 if is_narrow else 150.0
    wide = {setting: 1 if is_narrow else _columns_wide(own) for setting, own in contexts.items()}
    inner = width - name_width - 4
    if is_narrow:
        column_width = inner / max(map(len, contexts.values()))
    else:
        column_width = (inner - _GAP * (len(contexts) - 1)) / sum(wide.values())
    block_widths = {setting: inner if is_narrow else column_width * count for setting, count in wide.items()}
    labels = {arm: wrap(arm, name_width - 12, 10.5) for arm in arms}
    heads = {one: wrap(one, column_width - 1, _HEAD) for own in contexts.values() for one in own}
    wrapped = {key: wrap(title, block_widths[key[1]] / BOLD_FACTOR, _TITLE) for key, title in titles.items()}
    heading_height = 1.1 * (_HEAD * max(map(len, heads.values())) + _TITLE * max(map(len, wrapped.values()))) + 16
    row_height = max(30.0, 13.0 * max(map(len, labels.values())) + 8)
    return _Layout(name_width, column_width, row_height, heading_height, labels, heads, wrapped)


def _draw_frame(axis: Axes, layout: _Layout, contexts: list[str]) -> None:
    """Remove ticks and spines, and write the names of the contexts above their columns."""
    axis.set_xlim(0, len(contexts))
    axis.set_ylim(len(layout.arms), 0)
    axis.set_xticks([])
    axis.set_yticks([])
    for side in ("left", "bottom"):
        axis.spines[side].set_visible(False)
    options = {
        "xytext": (0, 5),
        "textcoords": "offset points",
        "annotation_clip": False,
        "ha": "center",
        "va": "bottom",
    }
    for column, context in enumerate(contexts):
        label = "\n".join(layout.contexts[context])
        axis.annotate(label, (column + 0.5, 0), fontsize=_HEAD, color=PALETTE["soft"], linespacing=1.1, **options)


def _draw_cell(axis: Axes, row: int, column: int, cell: Cell | None, name: str, width: float, is_trained: bool) -> None:
    rate = cell.outcomes[name] if cell else None
    rectangle = (column + 0.02, row + 0.05), 0.96, 0.9
    if rate is None or rate.rate is None:
        axis.add_patch(Rectangle(*rectangle, facecolor="none", edgecolor=PALETTE["line"], linestyle=":", linewidth=0.8))
        axis.text(column + 0.5, row + 0.5, "\u2013", ha="center", va="center", fontsize=10, color=PALETTE["soft"])
        return
    axis.add_patch(Rectangle(*rectangle, facecolor=PALETTE[name], alpha=MAX_OPACITY * rate.rate, linewidth=0))
    if is_trained:
        axis.add_patch(Rectangle(*rectangle, facecolor="none", edgecolor=PALETTE["soft"], linewidth=0.9))
    # Where a cell is too narrow for the interval, only the table has it.
    has_space = width >= 44
    alignment: dict[str, Any] = {"ha": "center", "va": "center"}
    axis.text(column + 0.5, row + (0.36 if has_space else 0.5), percent(rate.rate), fontsize=10, **alignment)
    if has_space:
        axis.text(column + 0.5, row + 0.74, interval(rate.low, rate.high), fontsize=8.5, **alignment)


def has_transfer(cells: Sequence[Cell]) -> bool:
    """Whether more than one setting was evaluated."""
    return len({cell.setting for cell in cells}) > 1
