"""Transfer as a heat map of changes that shows how sure each is: hatched where its interval includes 0."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from inoculate.records import setting_of
from inoculate.report.drawing import NARROW, PALETTE, make_axes, new_figure, wrap
from inoculate.report.numbers import UNKNOWN, minus, points_interval
from inoculate.report.results import Results
from inoculate.report.transfer import MAX_OPACITY

THAN = {"base": "against the untrained model", "without": "against the same rows without inoculation"}
"""What a change is against -> its words."""
_ROW, _HEADING, _GAP = 34.0, 64.0, 16.0
"""Heights in pixels: of an arm, above a block, and between blocks."""
_LEAST_FOR_TENTHS, _LEAST_FOR_INTERVAL = 84.0, 44.0
"""Widths of a cell in pixels, from which it holds an interval in tenths of a point, and one in whole points."""


def draw_transfer_changes(results: Results, width: float) -> Figure:
    """A block for each measure and reference: rows are arms, columns are settings and contexts.

    Colour is the change, its strength the size. A cell is hatched where the 95% interval includes 0, and crossed out
    where the positive control shows that nothing can be told.

    Args:
        results: Results with a `transfer`.
        width: In pixels. On a narrow screen each setting has blocks of its own.
    """
    columns = results.transfer["columns"]
    by_setting = [list(group) for _, group in groupby(columns, key=lambda column: column["setting"])]
    groups = by_setting if width == NARROW else [columns]
    cells = {(c["arm"], c["setting"], c["context"], c["measure"]): c for c in results.transfer["cells"]}
    blocks = [
        (than, measure, shown, arms)
        for than in THAN
        for measure in ("hack", "correct")
        for group in groups
        if (arms := list(dict.fromkeys(arm for (arm, *_, of), cell in cells.items() if of == measure and cell[than])))
        if (shown := [column for column in group if _has(column, measure, cells)])
    ]
    trained_on = {arm["arm"]: arm["trained_on"] for arm in results.transfer["arms"]}
    height = sum(_HEADING + _ROW * len(arms) + _GAP for *_, arms in blocks)
    figure = new_figure(width, height)
    axis = make_axes(figure, 1, 1, left=0, right=1, bottom=0, top=1)[0]
    axis.set_xlim(0, width)
    axis.set_ylim(height, 0)
    axis.set_axis_off()
    top = 0.0
    for than, measure, group, arms in blocks:
        title = f"{measure}, {THAN[than]}"
        _draw_block(axis, top, width, (title, than, measure), group, arms, cells, trained_on)
        top += _HEADING + _ROW * len(arms) + _GAP
    return figure


def _has(column: dict[str, Any], measure: str, cells: dict[tuple[str, str, str, str], dict[str, Any]]) -> bool:
    """Whether a measure is to be had in a column: there is no hack where the key is right."""
    return any(key[1:] == (column["setting"], column["context"], measure) for key in cells)


def _draw_block(
    axis: Axes,
    top: float,
    width: float,
    block: tuple[str, str, str],
    columns: list[dict[str, Any]],
    arms: list[str],
    cells: dict[tuple[str, str, str, str], dict[str, Any]],
    trained_on: dict[str, list[str]],
) -> None:
    """One block, from its title down."""
    title, than, measure = block
    name_width = 104.0 if width == NARROW else 160.0
    cell_width = (width - name_width) / len(columns)
    axis.text(0, top + 12, title, fontsize=11, fontweight="bold", va="center")
    left = name_width
    for setting, group in groupby(columns, key=lambda column: column["setting"]):
        own = list(group)
        label = "\n".join(wrap(setting, max(cell_width * len(own), 76.0) - 4, 9.5))
        right = left + cell_width * len(own)
        side, x = ("right", right - 2) if right > width - 1 and len(own) == 1 else ("left", left + 2)
        axis.text(x, top + 30, label, fontsize=9.5, ha=side, va="center", color=PALETTE["ink"])
        for column in own:
            label = "\n".join(wrap(column["context"], cell_width - 4, 8.5))
            axis.text(left + 2, top + _HEADING - 4, label, fontsize=8.5, va="bottom", color=PALETTE["soft"])
            for row, arm in enumerate(arms):
                found = cells.get((arm, setting, column["context"], measure), {})
                corner = (left, top + _HEADING + row * _ROW)
                _draw_change(axis, corner, cell_width, found.get(than), measure, column["tells"])
                if setting_of(setting) in trained_on.get(arm, ()):
                    _outline(axis, corner, cell_width)
            left += cell_width
    for row, arm in enumerate(arms):
        label = "\n".join(wrap(arm, name_width - 10, 10))
        axis.text(0, top + _HEADING + (row + 0.5) * _ROW, label, fontsize=10, va="center", linespacing=1.0)


def _outline(axis: Axes, corner: tuple[float, float], width: float) -> None:
    """Mark a cell of the setting that its arm was trained on."""
    box: Any = ((corner[0] + 1, corner[1] + 1), width - 2, _ROW - 2)
    axis.add_patch(Rectangle(*box, facecolor="none", edgecolor=PALETTE["soft"], linewidth=0.9))


def _draw_change(
    axis: Axes, corner: tuple[float, float], width: float, change: dict[str, Any] | None, measure: str, tells: Any
) -> None:
    """One cell: the change and its interval in percentage points."""
    x, y = corner
    box: Any = ((x + 1, y + 1), width - 2, _ROW - 2)
    middle: dict[str, Any] = {"ha": "center", "va": "center"}
    if change is None or tells is False:
        axis.add_patch(Rectangle(*box, facecolor="none", edgecolor=PALETTE["line"], linestyle=":", linewidth=0.8))
        shown = UNKNOWN if change is None else "cannot\ntell"
        axis.text(x + width / 2, y + _ROW / 2, shown, fontsize=8, linespacing=1.0, color=PALETTE["soft"], **middle)
        return
    colour = PALETTE[measure] if change["difference"] > 0 else PALETTE["accent"]
    axis.add_patch(
        Rectangle(*box, facecolor=colour, alpha=MAX_OPACITY * min(1.0, abs(change["difference"])), linewidth=0)
    )
    unsure = change["low"] is None or change["low"] <= 0 <= change["high"]
    if unsure:
        axis.add_patch(Rectangle(*box, facecolor="none", edgecolor=PALETTE["line"], hatch="////", linewidth=0))
    low: Any = change["low"]
    high: Any = change["high"]
    value: float = change["difference"]
    limits = "" if low is None else points_interval(low, high)
    if low is not None and width < _LEAST_FOR_TENTHS:
        limits = minus(f"{100 * low:+.0f} {100 * high:+.0f}") if width >= _LEAST_FOR_INTERVAL else ""
    axis.text(x + width / 2, y + _ROW * (0.34 if limits else 0.5), minus(f"{100 * value:+.0f}"), fontsize=10, **middle)
    if limits:
        axis.text(x + width / 2, y + _ROW * 0.74, limits, fontsize=7.5, **middle)


def untold(transfer: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Setting, contexts and reason of the columns of which nothing can be told, or nothing yet.

    Args:
        transfer: `transfer` of the results.
    """
    contexts: dict[tuple[str, str], list[str]] = {}
    for column in transfer.get("columns", ()):
        if column["reason"]:
            contexts.setdefault((column["setting"], column["reason"]), []).append(column["context"])
    return [(setting, ", ".join(named), reason) for (setting, reason), named in contexts.items()]
