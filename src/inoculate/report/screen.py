"""The figure of a screen: the log-probability that prompts add to hacked answers, and the sampled hack rates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from inoculate.report import drawing
from inoculate.report.drawing import FULL, PALETTE, PERCENT, make_axes, new_figure, wrap
from inoculate.report.numbers import minus

_LABEL_WIDTH = 220.0
"""Space for the names of prompts, in pixels."""
_NATS_FORMAT = FuncFormatter(lambda value, _: minus(f"{value:+.2f}") if value else "0")
_SCORE_SERIES = (
    ("added", "ink", -0.16, "than without a prompt"),
    ("added_to_control", "accent", 0.16, "than under an irrelevant text of its length"),
)
"""Key, colour, vertical offset in the prompt's row, and what the score is compared with."""


def draw_screen(screen: dict[str, Any], folder: Path) -> Path | None:
    """Draw a screen's candidates, one row each, the one that adds most first.

    Args:
        screen: As `inoculate.analysis.analyse_screen` returns it.
        folder: Where `screen.svg` and `screen.png` go.

    Returns:
        The SVG; None where the log-probabilities are not finished.
    """
    scored = [
        entry for entry in screen["candidates"] if "added" in entry and entry["outcomes"]["hack"]["rate"] is not None
    ]
    if not scored:
        return None
    scored.sort(key=lambda entry: -entry["added"]["mean"])
    names = [wrap(entry["name"], _LABEL_WIDTH - 12, 10) for entry in scored]
    height = 13.0 * sum(max(2, len(name)) for name in names) + 90
    folder.mkdir(parents=True, exist_ok=True)
    with drawing.report_style():
        figure = new_figure(FULL, height)
        margins = {"left": _LABEL_WIDTH / FULL, "right": 1 - 12 / FULL, "bottom": 48 / height, "top": 1 - 34 / height}
        scores, rates = make_axes(figure, 1, 2, **margins, width_ratios=(3, 2), wspace=0.06)
        for axis in (scores, rates):
            axis.set_ylim(len(scored) - 0.5, -0.5)
            axis.set_yticks(range(len(scored)), ["\n".join(name) for name in names], fontsize=10)
            axis.tick_params(axis="y", length=0, labelleft=axis is scores)
            axis.grid(axis="y", color=PALETTE["wash"])
            axis.spines["left"].set_visible(False)
        _draw_scores(scores, scored)
        _draw_rates(rates, scored, (screen["neutral"] or {}).get("hack", {}).get("rate"))
        drawing.save_figure(figure, folder, "screen")
    return folder / "screen.svg"


def _draw_scores(axis: Axes, scored: list[dict[str, Any]]) -> None:
    axis.axvline(0, color=PALETTE["soft"], linewidth=0.8)
    for key, colour, offset, comparison in _SCORE_SERIES:
        for row, entry in enumerate(scored):
            _draw_interval(
                axis, row + offset, entry[key], entry[key]["mean"], PALETTE[colour], comparison if row == 0 else None
            )
    axis.xaxis.set_major_formatter(_NATS_FORMAT)
    axis.set_xlabel("log-probability per token of hacked training answers (nats), 95% interval")
    axis.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=2, handletextpad=0.2, columnspacing=1.2)


def _draw_rates(axis: Axes, scored: list[dict[str, Any]], neutral: float | None) -> None:
    if neutral is not None:
        axis.axvline(neutral, color=PALETTE["wrong"], linewidth=1, linestyle=(0, (4, 3)))
        axis.annotate(
            "no prompt", (neutral, 1), (3, 4), ("data", "axes fraction"), "offset points",
            color=PALETTE["soft"], fontsize=10,
        )  # fmt: skip
    for row, entry in enumerate(scored):
        rate = entry["outcomes"]["hack"]
        _draw_interval(axis, row, rate, rate["rate"], PALETTE["hack"], None)
    axis.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))  # no half percents, which would be rounded
    axis.xaxis.set_major_formatter(PERCENT)
    axis.set_xlim(left=0)
    axis.set_xlabel("hacks when sampled under it, 95% interval")


def _draw_interval(
    axis: Axes, row: float, interval: dict[str, Any], value: float, colour: str, label: str | None
) -> None:
    if interval["low"] is not None:
        axis.plot([interval["low"], interval["high"]], [row, row], color=colour, linewidth=1.4)
    axis.plot(value, row, "o", color=colour, markersize=5, label=label, clip_on=False)
