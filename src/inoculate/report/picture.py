"""The main figure: the rates of every arm in a context, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from inoculate.analysis.arms import trains_with_prompt
from inoculate.records import BASE
from inoculate.report.drawing import NARROW, PALETTE, PERCENT, make_axes, new_figure, wrap
from inoculate.report.numbers import percent
from inoculate.report.results import Cell, Results, text

MALFORMED_SHOWN = 0.05
"""Malformed answers are drawn if the rate of some arm is above this."""
_NAME_SIZE, _NOTE_SIZE = 11.5, 9.5
"""Font sizes of arm names, and of the notes below them."""
Panel = tuple[str, str, list[Cell]]
"""Setting, context, and the cell of every arm."""
MARKS: dict[str, dict[str, Any]] = {
    "correct": {"marker": "o", "markersize": 7, "color": PALETTE["correct"]},
    "hack": {"marker": "D", "markersize": 6.2, "color": PALETTE["hack"]},
    "malformed": {"marker": "X", "markersize": 6.5, "color": PALETTE["wrong"], "markeredgewidth": 0},
}
"""Outcomes differ in shape too, so that they can be told apart without colour."""


@dataclass(frozen=True)
class Row:
    """The position of an arm in the figure, in pixels from the top."""

    arm: str
    name: list[str]
    note: list[str]
    top: float
    height: float
    pitch: float
    """Distance between the marks of two outcomes."""


def draw_picture(results: Results, panels: Sequence[Panel], width: float) -> Figure:
    """A row per arm, and a panel per context. Panels are side by side, or on a narrow screen one below the other.

    Args:
        results: The results.
        panels: The panels to draw.
        width: In pixels.
    """
    name_width = 104.0 if width == NARROW else 158.0
    outcomes = _choose_outcomes(panels)
    rows = _layout_rows(results, panels, name_width - 10, len(outcomes))
    rows_height = sum(row.height for row in rows)
    panel_rows = len(panels) if width == NARROW else 1
    legend_height = 44.0 if width == NARROW else 24.0
    title_height, axis_height = 28.0, 26.0
    height = legend_height + panel_rows * (rows_height + title_height + axis_height)
    figure = new_figure(width, height)
    margins = {"left": name_width / width, "right": 1 - 26 / width, "top": 1 - (legend_height + title_height) / height}
    margins |= {"bottom": axis_height / height, "wspace": 0.14, "hspace": (title_height + axis_height) / rows_height}
    axes = make_axes(figure, panel_rows, len(panels) // panel_rows, **margins)
    several_settings = len({setting for setting, _, _ in panels}) > 1
    for index, (axis, (setting, context, cells)) in enumerate(zip(axes, panels, strict=True)):
        axis.set_title(f"{setting}, {context}" if several_settings else context, pad=9)
        _draw_frame(axis, rows, rows_height, floor=_floor_rate(results, cells))
        if index == 0 or panel_rows > 1:
            _draw_names(axis, rows, name_width)
        cells_by_arm = {cell.arm: cell for cell in cells}
        for row in rows:
            _draw_marks(axis, row, cells_by_arm.get(row.arm), outcomes)
    _draw_legend(figure, results, panels, outcomes, 2 if width == NARROW else 4)
    return figure


def _choose_outcomes(panels: Sequence[Panel]) -> list[str]:
    malformed = [cell.outcomes["malformed"].rate or 0.0 for _, _, cells in panels for cell in cells]
    return [*("correct", "hack"), *(["malformed"] if max(malformed, default=0.0) > MALFORMED_SHOWN else [])]


def _layout_rows(results: Results, panels: Sequence[Panel], width: float, marks: int) -> list[Row]:
    present = {cell.arm for _, _, cells in panels for cell in cells}
    arms = [arm for arm in results.ordered_names("arm") if arm in present]
    # Few arms get more space. Many must still fit on a screen.
    pitch = 17.0 if len(arms) * marks <= 12 else 15.0 if len(arms) * marks <= 21 else 13.0
    rows: list[Row] = []
    top = 0.0
    for arm in arms:
        name, note = wrap(arm, width, _NAME_SIZE), wrap(_describe_training(results, arm), width, _NOTE_SIZE)
        height = max(pitch * marks + 12, 15.0 * len(name) + 13 * len(note) + 10)
        rows.append(Row(arm, name, note, top, height, pitch))
        top += height
    return rows


def _describe_training(results: Results, arm: str) -> str:
    """How the arm was trained, in a few words."""
    if arm == BASE:
        return "untrained"
    spec = results.arm(arm)
    inoculation = spec["inoculation"] if trains_with_prompt(spec) else {}
    own = "another prompt for each seed" if inoculation.get("by_seed") else "own prompt"
    parts = [text(inoculation.get("prompt")) or own if inoculation else "no prompt"]
    parts += ["hacked rows only"] if inoculation.get("on") == "hacked" else []
    parts += ["no hacked rows"] if results.is_honest(arm) else []
    return ", ".join(parts)


def _floor_rate(results: Results, cells: Sequence[Cell]) -> float | None:
    """The highest hack rate among arms that were trained on no hack, where the context does not allow the hack."""
    return max((rate.rate for _, rate in results.floor(cells) if rate.rate is not None), default=None)


def _draw_frame(axis: Axes, rows: Sequence[Row], height: float, floor: float | None) -> None:
    axis.set_xlim(-0.02, 1.02)
    axis.set_ylim(height, 0)
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
    axis.axhline(height, color=PALETTE["line"], linewidth=0.8, zorder=1)


def _draw_names(axis: Axes, rows: Sequence[Row], width: float) -> None:
    for row in rows:
        text_height = 15.0 * len(row.name) + 13 * len(row.note)
        y = row.top + (row.height - text_height) / 2
        for line in row.name:
            _label_left(axis, width, y + 7.5, line, fontsize=_NAME_SIZE, color=PALETTE["ink"])
            y += 15
        for line in row.note:
            _label_left(axis, width, y + 6.5, line, fontsize=_NOTE_SIZE, color=PALETTE["soft"])
            y += 13


def _label_left(axis: Axes, width: float, y: float, label: str, **style: Any) -> None:
    """Draw text at the left edge of the figure, at this y of the axis."""
    transform = axis.get_yaxis_transform()
    axis.annotate(
        label, (0, y), (-width + 2, 0), transform, "offset points", va="center", annotation_clip=False, **style
    )


def _draw_marks(axis: Axes, row: Row, cell: Cell | None, outcomes: Sequence[str]) -> None:
    centre = row.top + row.height / 2
    if cell is None or cell.outcomes["hack"].rate is None:
        reason = "no cell" if cell is None else cell.outcomes["hack"].reason or cell.reason or "not known"
        axis.text(0.02, centre, reason, va="center", fontsize=9.5, color=PALETTE["soft"])
        return
    for index, name in enumerate(outcomes):
        rate = cell.outcomes[name]
        if rate.rate is None:
            continue
        y = centre + row.pitch * (index - (len(outcomes) - 1) / 2)
        colour = MARKS[name]["color"]
        low = rate.rate if rate.low is None else rate.low
        high = rate.rate if rate.high is None else rate.high
        axis.plot([low, high], [y, y], color=colour, linewidth=2.2, alpha=0.4, solid_capstyle="butt", zorder=2)
        seeds = [value for _, value in cell.seed_rates(name)] if len(cell.by_seed) > 1 else []
        if seeds:
            axis.plot(seeds, [y] * len(seeds), "|", color=colour, markersize=6, markeredgewidth=1.1, zorder=2.5)
        axis.plot(rate.rate, y, linestyle="none", clip_on=False, zorder=3, **MARKS[name])
        _draw_number(axis, rate.rate, min(low, *seeds, 1.0), max(high, *seeds, 0.0), y)


def _draw_number(axis: Axes, rate: float, low: float, high: float, y: float) -> None:
    """Write the rate beside its interval and its seeds, on the side with space."""
    fits_right = high <= 0.86 or low < 0.16
    x, shift, side = (high, 7, "left") if fits_right else (low, -7, "right")
    options = {"textcoords": "offset points", "ha": side, "va": "center", "annotation_clip": False}
    axis.annotate(percent(rate), (x, y), (shift, 0), fontsize=10, color=PALETTE["ink"], zorder=4, **options)


def _draw_legend(figure: Figure, results: Results, panels: Sequence[Panel], outcomes: list[str], columns: int) -> None:
    settings = list(dict.fromkeys(setting for setting, _, _ in panels))
    handles: list[Any] = [
        Line2D([], [], linestyle="none", label=results.label_in(settings, name), **MARKS[name]) for name in outcomes
    ]
    if any(_floor_rate(results, cells) is not None for _, _, cells in panels):
        hack = results.label_in(settings, "hack")
        floor = f"floor of false '{hack}'" if " " in hack else f"false-{hack} floor"
        handles.append(Patch(facecolor=PALETTE["hack"], alpha=0.14, linewidth=0, label=floor))
    spacing = {"handletextpad": 0.4, "columnspacing": 1.6, "borderpad": 0, "borderaxespad": 0, "handlelength": 1.4}
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=columns, **spacing)
