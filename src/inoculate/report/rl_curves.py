"""The figure of an arm's RL: what every step drew and measured, thin lines for seeds and a thick one for their mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from inoculate.report.drawing import BOLD_FACTOR, NARROW, NO_LABEL, PALETTE, PERCENT, make_axes, new_figure, wrap
from inoculate.report.results import number

Points = list[tuple[int, float]]
"""(Step, value) pairs."""
UNTRAINED = 0
"""The step of the untrained policy's sample."""


@dataclass(frozen=True)
class Curve:
    """A panel: one quantity along the steps."""

    title: str
    value: Callable[[dict[str, Any]], Any]
    """The value of a step of the results; None where it is unknown."""
    colour: str = PALETTE["soft"]
    share: bool = False
    """Whether it is a share, drawn in percent from 0 to 100."""
    untrained: bool = True
    """Whether the untrained policy's sample has it."""


MAIN = (
    Curve("hack, hackable problems", lambda step: step["hackable"]["hack"], PALETTE["hack"], share=True),
    Curve(
        "oversight without intended",
        lambda step: step["all"]["oversight_without_intended"],
        PALETTE["accent"],
        share=True,
    ),
    Curve("correct", lambda step: step["all"]["correct"], PALETTE["correct"], share=True),
    Curve("mean reward", lambda step: step["reward"], PALETTE["ink"]),
)
SMALL = (
    Curve("oversight", lambda step: step["all"]["oversight"], share=True),
    Curve("intended", lambda step: step["all"]["intended"], PALETTE["correct"], share=True),
    Curve("gamed, hackable problems", lambda step: step["hackable"]["gamed"], PALETTE["hack"], share=True),
    Curve("malformed", lambda step: step["all"]["malformed"], share=True),
    Curve("median tokens", lambda step: step["median_tokens"]),
    Curve("cut off", lambda step: step["cut_off"], share=True),
    Curve("groups without spread", lambda step: _share_without_spread(step), share=True, untrained=False),
    Curve("unscorable", lambda step: step["unscorable"] / step["completions"], share=True),
    Curve("KL to untrained", lambda step: step["kl"], untrained=False),
    Curve("entropy (nats)", lambda step: step["entropy"], untrained=False),
    Curve("gradient norm", lambda step: step["grad_norm"], untrained=False),
    Curve("loss", lambda step: step["loss"], untrained=False),
)


def _share_without_spread(step: dict[str, Any]) -> float | None:
    groups, without = number(step["groups"]), number(step["groups_without_spread"])
    return without / groups if groups and without is not None else None


def curve_points(seed: dict[str, Any], curve: Curve) -> Points:
    """The known values of a seed, from the untrained policy's where it has one."""
    start = [(UNTRAINED, curve.value(seed["untrained"]))] if curve.untrained else []
    points = start + [(step["step"], curve.value(step)) for step in seed["steps"]]
    return [(step, float(value)) for step, value in points if number(value) is not None]


def mean_points(curves: Sequence[Points]) -> Points:
    """The mean over the seeds that have a value, step by step."""
    by_step: dict[int, list[float]] = {}
    for points in curves:
        for step, value in points:
            by_step.setdefault(step, []).append(value)
    return [(step, mean(values)) for step, values in sorted(by_step.items())]


def draw_rl(arm: dict[str, Any], width: float) -> Figure:
    """Curves along the steps of an arm's RL, with the onset of each seed.

    Args:
        arm: An entry of `rl` of the results, with at least one finished seed.
        width: In pixels.
    """
    columns = 2 if width == NARROW else 4
    curves = [*MAIN, *SMALL]
    rows = len(curves) // columns
    axes = _make_panels(curves, rows, columns, width)
    last = max(seed["last_step"] for seed in arm["by_seed"])
    for index, (axis, curve) in enumerate(zip(axes, curves, strict=True)):
        _draw_curve(axis, arm, curve, marked=index < len(MAIN))
        axis.set_xlim(-0.02 * last, last * 1.02)
        axis.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
        if index < len(curves) - columns:
            axis.xaxis.set_major_formatter(NO_LABEL)
    figure = axes[0].figure
    assert isinstance(figure, Figure)
    height = figure.get_size_inches()[1] * 72
    figure.text(0.5, 3 / height, "step", ha="center", va="bottom", fontsize=10, color=PALETTE["soft"])
    _draw_legend(figure, arm, width)
    return figure


def _make_panels(curves: Sequence[Curve], rows: int, columns: int, width: float) -> list[Axes]:
    """Axes for the panels: the small ones are half as tall as the main ones."""
    left, gap, bottom = 44.0, 38.0, 12.0
    legend = 42.0 if width == NARROW else 24.0
    panel = (width - left - 8 - gap * (columns - 1)) / columns
    titles = [wrap(curve.title, panel + gap / 2, 10 * BOLD_FACTOR) for curve in curves]
    title = 13.0 * max(map(len, titles)) + 19
    tall, low = min(150.0, 0.72 * panel), min(84.0, 0.5 * panel)
    main_rows = len(MAIN) // columns
    heights = [tall] * main_rows + [low] * (rows - main_rows)
    height = legend + sum(heights) + rows * (title + bottom) + 26
    figure = new_figure(width, height)
    margins: dict[str, Any] = {"left": left / width, "right": 1 - 8 / width, "wspace": gap / panel}
    margins |= {"hspace": (title + bottom) / (sum(heights) / rows), "height_ratios": heights}
    margins |= {"top": 1 - (legend + title) / height, "bottom": (bottom + 26) / height}
    axes = make_axes(figure, rows, columns, **margins)
    for axis, lines in zip(axes, titles, strict=True):
        axis.set_title("\n".join(lines), pad=14, fontsize=10, linespacing=1.2)
        axis.grid(color=PALETTE["line"], linewidth=0.6)
        axis.tick_params(labelsize=9, length=0)
    return axes


def _draw_curve(axis: Axes, arm: dict[str, Any], curve: Curve, marked: bool) -> None:
    """The seeds and their mean, and where the seeds have their onset."""
    each = [curve_points(seed, curve) for seed in arm["by_seed"]]
    if not any(each):
        middle = {"transform": axis.transAxes, "ha": "center", "va": "center", "fontsize": 9.5}
        axis.text(0.5, 0.5, "not measured", color=PALETTE["soft"], **middle)
    for points in each if len(each) > 1 else ():
        axis.plot(*_split(points), color=curve.colour, linewidth=0.8, alpha=0.4, zorder=2)
    axis.plot(*_split(mean_points(each)), color=curve.colour, linewidth=2.2, zorder=3)
    if curve is MAIN[0]:
        untrained = [_same_problems(seed) for seed in arm["by_seed"]]
        axis.plot(*_split(mean_points(untrained)), color=curve.colour, linewidth=1.1, linestyle=":", zorder=2.5)
    if marked:
        _mark_onsets(axis, arm)
    if curve.share:
        axis.set_ylim(-0.02, 1.02)
        axis.set_yticks([0, 0.5, 1])
        axis.yaxis.set_major_formatter(PERCENT)
    else:
        values = [value for points in each for _, value in points]
        if curve is MAIN[-1] and arm["largest_reward"] is not None:
            largest = max([arm["largest_reward"], *values])
            axis.set_ylim(-0.02 * largest, 1.02 * largest)
            axis.set_yticks([0, largest / 2, largest])
        else:
            low, high = min([0.0, *values]), max([0.0, *values])
            margin = 0.03 * (high - low or 1.0)
            axis.set_ylim(low - margin, (high if high > low else 1.0) + margin)
            axis.yaxis.set_major_locator(MaxNLocator(3))


def _mark_onsets(axis: Axes, arm: dict[str, Any]) -> None:
    """A mark at every onset, with the number of seeds where it is that of several."""
    onsets = Counter(seed["onset"] for seed in arm["by_seed"] if seed["onset"] is not None)
    mark = {"marker": "v", "markersize": 5, "color": PALETTE["ink"], "clip_on": False, "linestyle": "none"}
    for step, seeds in onsets.items():
        axis.axvline(step, color=PALETTE["soft"], linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
        axis.plot([step], [1.0], transform=axis.get_xaxis_transform(), zorder=4, **mark)
        if seeds > 1:
            place = {"textcoords": "offset points", "xycoords": axis.get_xaxis_transform(), "ha": "center"}
            axis.annotate(f"\u00d7{seeds}", (step, 1.0), (0, 3.5), fontsize=8, color=PALETTE["ink"], **place)


def _split(points: Points) -> tuple[list[int], list[float]]:
    return [step for step, _ in points], [value for _, value in points]


def _same_problems(seed: dict[str, Any]) -> Points:
    """The untrained policy's hack rate on the problems of each step."""
    return [(step["step"], step["same_problems"]["untrained"]) for step in seed["steps"] if step["same_problems"]]


def _draw_legend(figure: Figure, arm: dict[str, Any], width: float) -> None:
    soft, ink = PALETTE["soft"], PALETTE["ink"]
    several = len(arm["by_seed"]) > 1
    handles = [Line2D([], [], color=soft, linewidth=2.2, label="mean of seeds" if several else "the one seed")]
    if several:
        handles.append(Line2D([], [], color=soft, linewidth=0.8, alpha=0.6, label="each seed"))
    handles.append(
        Line2D([], [], color=PALETTE["hack"], linewidth=1.1, linestyle=":", label="untrained, same problems")
    )
    if any(seed["onset"] is not None for seed in arm["by_seed"]):
        handles.append(Line2D([], [], color=ink, linestyle="none", marker="v", markersize=5, label="onset of a seed"))
    height = figure.get_size_inches()[1] * 72
    options = {"loc": "upper left", "bbox_to_anchor": (4 / width, 1 - 4 / height), "borderpad": 0, "borderaxespad": 0}
    figure.legend(handles=handles, ncols=2 if width == NARROW else 4, handlelength=1.8, **options)
