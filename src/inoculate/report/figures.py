"""The figures: intended against hack rate, the five outcomes, contrasts, curves along training, losses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from matplotlib.ticker import FuncFormatter

from inoculate.report.bars import forest, stacked
from inoculate.report.drawing import PALETTE, grid, inline, new, save, style, svg
from inoculate.report.labels import Box, place
from inoculate.report.results import BASE, Cell, Results, number

WIDE, FULL, NARROW = 720.0, 1040.0, 350.0
"""Widths in pixels: beside the verdicts, the whole column, and a phone. A figure is in the page for both kinds of
screen; the page's style shows one."""
ASKS = "asks"
"""How the names of contexts that ask for the hack begin."""
FIRST = 2
"""Panels of the first screen."""
Panel = tuple[str, str, list[Cell]]
NAMES = ("picture", "picture-all", "outcomes", "contrasts", "curves", "losses")


@dataclass(frozen=True)
class Drawn:
    """A figure in the page, in both widths."""

    name: str
    wide: str
    narrow: str


def draw(results: Results, folder: Path) -> dict[str, Drawn]:
    """Draw every figure that the results have data for, as files and for the page.

    Args:
        results: The results.
        folder: Where the SVG and PNG files go; figures of an earlier report that no longer apply are removed.

    Returns:
        By name, those that the page shows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    panels = _panels(results)
    first = _first(results, panels)
    contrasts = [contrast for contrast in results.contrasts if contrast.difference is not None]
    losses = [entry for entry in results.training if entry.get("loss")]
    sketches: dict[str, tuple[bool, Callable[[float], Figure], str]] = {
        "picture": (bool(panels), lambda width: _picture(results, first, width), "Correct against hack rate"),
        "picture-all": (
            len(panels) > FIRST,
            lambda width: _picture(results, panels, width),
            "Correct against hack rate in every setting and context",
        ),
        "outcomes": (bool(panels), lambda width: stacked(results.main_cells(), width), "Outcomes"),
        "contrasts": (
            bool(contrasts),
            lambda width: forest(contrasts, width),
            "Contrasts",
        ),
        "curves": (_has_curves(results), lambda width: _curves(results, width), "Rates along training"),
        "losses": (bool(losses), lambda width: _losses(losses, width), "Training loss"),
    }
    drawn: dict[str, Drawn] = {}
    with style():
        for name, (wanted, sketch, label) in sketches.items():
            if not wanted:
                for kind in ("svg", "png"):
                    (folder / f"{name}.{kind}").unlink(missing_ok=True)
                continue
            full = name in ("picture-all", "curves", "losses")
            figure = sketch(FULL if full else WIDE)
            text = save(figure, folder, name)
            # Outcomes and contrasts are HTML in the page: bars that link to samples and wrap on a phone.
            if name not in ("outcomes", "contrasts"):
                narrow = f"{name}-narrow"
                drawn[name] = Drawn(name, inline(text, name, label), inline(svg(sketch(NARROW), narrow), narrow, label))
    return drawn


def _panels(results: Results) -> list[Panel]:
    """Setting, context and cells, in the order of the study."""
    panels: dict[tuple[str, str], list[Cell]] = {}
    for cell in results.main_cells():
        panels.setdefault((cell.setting, cell.context), []).append(cell)
    return [
        (*key, cells) for key, cells in panels.items() if any(cell.outcomes["hack"].rate is not None for cell in cells)
    ]


def _first(results: Results, panels: list[Panel]) -> list[Panel]:
    """The panels of the first screen: what a contrast names, then others of those settings."""
    named = {(contrast.setting, contrast.context) for contrast in results.contrasts}
    settings = {setting for setting, _ in named}
    return sorted(panels, key=lambda panel: (panel[:2] not in named, panel[0] not in settings))[:FIRST]


def _picture(results: Results, panels: Sequence[Panel], width: float) -> Figure:
    # The contexts of a setting stand in one row where there are two or three.
    contexts = len({context for _, context, _ in panels})
    columns = 1 if width == NARROW else min(3 if width == FULL and contexts == 3 else 2, len(panels))
    rows = -(-len(panels) // columns)
    side = 296.0
    height = rows * (side + 72)
    # One panel alone keeps the size that it has beside another.
    width = min(width, columns * (side + 64))
    figure = new(width, height)
    margins = {"left": 52 / width, "right": 1 - 6 / width, "bottom": 42 / height, "top": 1 - 30 / height}
    axes = grid(figure, rows, columns, **margins, wspace=0.17, hspace=72 / side)
    many = len({setting for setting, _, _ in panels}) > 1
    for spare in axes[len(panels) :]:
        spare.remove()
    for place_, (axis, (setting, context, cells)) in enumerate(zip(axes, panels, strict=False)):
        axis.set_title(f"{setting}, {context}" if many else context, pad=8)
        _frame(axis, left=place_ % columns == 0, asked=context.startswith(ASKS))
        _points(axis, results, cells, _in_pixels(figure, axis))
    return figure


def _frame(axis: Axes, *, left: bool, asked: bool) -> None:
    """Axes from 0 to 100%, the corner where an arm should be, and the half that no arm can reach.

    A model that hacks when asked to does what it was told: there the corner is no ideal, and is not marked.
    """
    axis.set_xlim(-0.03, 1.03)
    axis.set_ylim(-0.03, 1.03)
    axis.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axis.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axis.xaxis.set_major_formatter(_PERCENT)
    axis.yaxis.set_major_formatter(_PERCENT)
    axis.set_xlabel("hack rate")
    if left:
        axis.set_ylabel("correct rate")
    axis.grid(color=PALETTE["line"], linewidth=0.5)
    corner = Polygon(np.array([(0, 1), (1, 0), (1.03, 0), (1.03, 1.03), (0, 1.03)]), closed=True, zorder=1.2)
    corner.set(facecolor=PALETTE["wash"], edgecolor="none")
    axis.add_patch(corner)
    axis.plot([0, 1], [1, 0], color=PALETTE["line"], linewidth=0.8, zorder=1.3)
    if asked:
        return
    axis.plot(0, 1, marker="o", markersize=15, markerfacecolor="none", color=PALETTE["correct"], zorder=1.4)
    ideal = {"textcoords": "offset points", "color": PALETTE["correct"], "fontsize": 9, "va": "center"}
    axis.annotate("ideal", (0, 1), (10, 7), **ideal)


def _points(axis: Axes, results: Results, cells: list[Cell], size: tuple[float, float]) -> None:
    shown: list[tuple[str, float, float]] = []
    taken = [_at(size, 0, 1, 40, 16)]
    for cell in cells:
        hack, correct = cell.outcomes["hack"], cell.outcomes["correct"]
        if hack.rate is None or correct.rate is None:
            continue
        shown.append((cell.arm, hack.rate, correct.rate))
        colour = _colour(results, cell.arm)
        if len(cell.by_seed) > 1:
            seeds = zip(cell.seed_rates("hack"), cell.seed_rates("correct"), strict=False)
            for (_, x), (_, y) in seeds:
                axis.plot(x, y, marker="o", markersize=2.6, color=colour, alpha=0.45, linestyle="none", zorder=2.5)
        for rate, line in ((hack, "x"), (correct, "y")):
            if rate.low is None or rate.high is None:
                continue
            ends = [rate.low, rate.high]
            xs, ys = (ends, [correct.rate] * 2) if line == "x" else ([hack.rate] * 2, ends)
            axis.plot(xs, ys, color=colour, linewidth=1.1, alpha=0.75, solid_capstyle="butt", zorder=2)
            first, last = _pixel(size, xs[0], ys[0]), _pixel(size, xs[1], ys[1])
            taken.append(Box(first[0] - 1.5, first[1] - 1.5, last[0] - first[0] + 3, last[1] - first[1] + 3))
        axis.plot(hack.rate, correct.rate, linestyle="none", zorder=3, **_mark(results, cell.arm))
    spots = [_pixel(size, x, y) for _, x, y in shown]
    places = place([arm for arm, _, _ in shown], spots, taken, size)
    for (arm, x, y), spot, found in zip(shown, spots, places, strict=True):
        arrow = {"arrowstyle": "-", "color": PALETTE["soft"], "linewidth": 0.6, "shrinkA": 1, "shrinkB": 5}
        axis.annotate(
            arm,
            (x, y),
            (found.x - spot[0], found.y - spot[1]),
            textcoords="offset points",
            va="center",
            fontsize=9.5,
            color=_colour(results, arm),
            zorder=4,
            arrowprops=arrow if found.line else None,
        )


def _mark(results: Results, arm: str) -> dict[str, Any]:
    """Filled: trained under an added prompt; a ring: trained without; a diamond: untrained."""
    colour = _colour(results, arm)
    if arm == BASE:
        return {"marker": "D", "markersize": 6.5, "markerfacecolor": PALETTE["paper"], "color": colour}
    face = colour if results.arm(arm).get("inoculation") else PALETTE["paper"]
    return {"marker": "o", "markersize": 8, "markerfacecolor": face, "color": colour, "markeredgewidth": 1.6}


def _colour(results: Results, arm: str) -> str:
    if arm == BASE:
        return PALETTE["soft"]
    return PALETTE["accent"] if results.arm(arm).get("inoculation") else PALETTE["ink"]


def _in_pixels(figure: Figure, axis: Axes) -> tuple[float, float]:
    box, inches = axis.get_position(), figure.get_size_inches()
    return box.width * inches[0] * 72, box.height * inches[1] * 72


def _pixel(size: tuple[float, float], x: float, y: float) -> tuple[float, float]:
    return (x + 0.03) / 1.06 * size[0], (y + 0.03) / 1.06 * size[1]


def _at(size: tuple[float, float], x: float, y: float, width: float, height: float) -> Box:
    left, middle = _pixel(size, x, y)
    return Box(left, middle - height / 2, width, height)


def _has_curves(results: Results) -> bool:
    return any(len(places) > 1 for places in _along(results).values())


def _along(results: Results) -> dict[tuple[str, str, str], list[Cell]]:
    """Cells of a trained arm along training, started by the base arm's, which is the same model at 0."""
    base = {(cell.setting, cell.context): cell for cell in results.cells if cell.arm == BASE}
    along: dict[tuple[str, str, str], list[Cell]] = {}
    arms = results.order("arm")
    for cell in sorted(results.cells, key=lambda cell: (arms.index(cell.arm), cell.at)):
        if cell.arm != BASE:
            along.setdefault((cell.setting, cell.context, cell.arm), []).append(cell)
    for (setting, context, _), cells in along.items():
        start = base.get((setting, context))
        if len(cells) > 1 and start is not None and cells[0].at > 0:
            cells.insert(0, start)
    return along


def _curves(results: Results, width: float) -> Figure:
    """One panel per arm and context, lines for correct, hack and malformed."""
    along = {key: cells for key, cells in _along(results).items() if len(cells) > 1}
    columns = _columns(len(along), len({key[:2] for key in along}), 6 if width == FULL else 2)
    rows = -(-len(along) // columns)
    height = rows * 158 + 30.0
    figure = new(width, height)
    margins = {"left": 38 / width, "right": 1 - 8 / width, "bottom": 40 / height, "top": 1 - 46 / height}
    axes = grid(figure, rows, columns, **margins, wspace=0.16, hspace=0.62)
    many = len({setting for setting, _, _ in along}) > 1
    for spare in axes[len(along) :]:
        spare.remove()
    last = max(cell.at for cells in along.values() for cell in cells)
    for place_, (axis, ((setting, context, arm), cells)) in enumerate(zip(axes, along.items(), strict=False)):
        axis.set_title(f"{arm}\n{setting}, {context}" if many else f"{arm}\n{context}", pad=5, fontsize=8.5)
        for name, dash in (("correct", "-"), ("hack", "-"), ("malformed", (0, (2, 1.5)))):
            _curve(axis, cells, name, dash)
        axis.set_xlim(-0.02 * last, 1.02 * last)
        axis.set_ylim(-0.02, 1.02)
        axis.set_yticks([0, 0.5, 1])
        axis.yaxis.set_major_formatter(_PERCENT if place_ % columns == 0 else _NOTHING)
        axis.set_xticks([0, last / 2, last])
        axis.xaxis.set_major_formatter(_PERCENT)
        axis.grid(color=PALETTE["line"], linewidth=0.5)
    handles = [axes[0].lines[place_] for place_ in range(3)]
    figure.legend(handles, ["correct", "hack", "malformed"], loc="upper left", ncols=3, bbox_to_anchor=(0, 1))
    figure.text(0.5, 6 / height, "share of nominal training", ha="center", fontsize=8.5, color=PALETTE["soft"])
    return figure


def _columns(panels: int, contexts: int, most: int) -> int:
    """As many columns as leave the fewest holes, the contexts of an arm in one row where they fit."""
    wholes = [columns for columns in range(1, most + 1) if columns % contexts == 0] or [most]
    return min((min(columns, panels) for columns in wholes), key=lambda columns: (-panels % columns, -columns))


def _curve(axis: Axes, cells: list[Cell], name: str, dash: Any) -> None:
    known = [(cell.at, cell.outcomes[name]) for cell in cells if cell.outcomes[name].rate is not None]
    colour = PALETTE["wrong"] if name == "malformed" else PALETTE[name]
    xs = [at for at, _ in known]
    rates = [rate.rate or 0.0 for _, rate in known]
    axis.plot(xs, rates, color=colour, linewidth=1.6, linestyle=dash, marker="o", markersize=2.6)
    band = [(at, rate.low, rate.high) for at, rate in known if rate.low is not None and rate.high is not None]
    if band and name != "malformed":
        ats, lows, highs = zip(*band, strict=True)
        axis.fill_between(ats, lows, highs, color=colour, alpha=0.16, linewidth=0)


def _losses(training: list[dict[str, Any]], width: float) -> Figure:
    """One small panel per arm, a line per seed."""
    arms = list(dict.fromkeys(str(entry.get("arm")) for entry in training))
    columns = min(5 if width == FULL else 2, len(arms))
    rows = -(-len(arms) // columns)
    height = rows * 118 + 14.0
    figure = new(width, height)
    margins = {"left": 38 / width, "right": 1 - 8 / width, "bottom": 36 / height, "top": 1 - 20 / height}
    axes = grid(figure, rows, columns, **margins, wspace=0.16, hspace=0.75)
    for spare in axes[len(arms) :]:
        spare.remove()
    curves = [(str(entry.get("arm")), _known(entry["loss"])) for entry in training]
    top = max((loss for _, curve in curves for _, loss in curve), default=1.0)
    for place_, (axis, arm) in enumerate(zip(axes, arms, strict=False)):
        axis.set_title(arm, pad=4, fontsize=8.5)
        for _, curve in (curve for curve in curves if curve[0] == arm):
            steps, values = [step for step, _ in curve], [loss for _, loss in curve]
            axis.plot(steps, values, color=PALETTE["soft"], linewidth=1, alpha=0.8)
        axis.set_ylim(0, top * 1.05)
        axis.locator_params(nbins=3)
        if place_ % columns:
            axis.yaxis.set_major_formatter(_NOTHING)
        axis.grid(color=PALETTE["line"], linewidth=0.5)
    figure.text(0.5, 4 / height, "step", ha="center", fontsize=8.5, color=PALETTE["soft"])
    return figure


def _known(loss: list[Any]) -> list[tuple[float, float]]:
    pairs = ((number(step), number(value)) for step, value in loss)
    return [(step, value) for step, value in pairs if step is not None and value is not None]


_PERCENT = FuncFormatter(lambda value, _: f"{100 * value:.0f}%")
_NOTHING = FuncFormatter(lambda value, _: "")
