"""The figure of a screen: prompts by what they add to hacked training answers, and what they make the model do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from inoculate.report import drawing
from inoculate.report.drawing import FULL, PALETTE, PERCENT, grid, new, wrap
from inoculate.report.numbers import minus

_NAMES = 220.0
"""Room for prompts' names, in pixels."""
_NATS = FuncFormatter(lambda value, _: minus(f"{value:+.2f}") if value else "0")
_SCORES = (
    ("added", "ink", -0.16, "than without a prompt"),
    ("added_to_control", "accent", 0.16, "than under an irrelevant text of its length"),
)
"""Key, colour, place beside a prompt's line, what it is compared with."""


def draw_screen(found: dict[str, Any], folder: Path) -> Path | None:
    """Draw a screen's candidates, a line each, the one that adds most first.

    Args:
        found: As `inoculate.analysis.analyse_screen` returns it.
        folder: Where `screen.svg` and `screen.png` go.

    Returns:
        The SVG; None where the log-probabilities are not finished.
    """
    shown = [
        entry for entry in found["candidates"] if "added" in entry and entry["outcomes"]["hack"]["rate"] is not None
    ]
    if not shown:
        return None
    shown.sort(key=lambda entry: -entry["added"]["mean"])
    names = [wrap(entry["name"], _NAMES - 12, 10) for entry in shown]
    height = 13.0 * sum(max(2, len(name)) for name in names) + 90
    folder.mkdir(parents=True, exist_ok=True)
    with drawing.style():
        figure = new(FULL, height)
        margins = {"left": _NAMES / FULL, "right": 1 - 12 / FULL, "bottom": 48 / height, "top": 1 - 34 / height}
        scores, rates = grid(figure, 1, 2, **margins, width_ratios=(3, 2), wspace=0.06)
        for axis in (scores, rates):
            axis.set_ylim(len(shown) - 0.5, -0.5)
            axis.set_yticks(range(len(shown)), ["\n".join(name) for name in names], fontsize=10)
            axis.tick_params(axis="y", length=0, labelleft=axis is scores)
            axis.grid(axis="y", color=PALETTE["wash"])
            axis.spines["left"].set_visible(False)
        _scores(scores, shown)
        _rates(rates, shown, (found["neutral"] or {}).get("hack", {}).get("rate"))
        drawing.save(figure, folder, "screen")
    return folder / "screen.svg"


def _scores(axis: Axes, shown: list[dict[str, Any]]) -> None:
    axis.axvline(0, color=PALETTE["soft"], linewidth=0.8)
    for key, colour, beside, than in _SCORES:
        for row, entry in enumerate(shown):
            _dot(axis, row + beside, entry[key], entry[key]["mean"], PALETTE[colour], than if row == 0 else None)
    axis.xaxis.set_major_formatter(_NATS)
    axis.set_xlabel("log-probability per token of hacked training answers (nats), 95% interval")
    axis.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=2, handletextpad=0.2, columnspacing=1.2)


def _rates(axis: Axes, shown: list[dict[str, Any]], neutral: float | None) -> None:
    if neutral is not None:
        axis.axvline(neutral, color=PALETTE["wrong"], linewidth=1, linestyle=(0, (4, 3)))
        axis.annotate(
            "no prompt", (neutral, 1), (3, 4), ("data", "axes fraction"), "offset points",
            color=PALETTE["soft"], fontsize=10,
        )  # fmt: skip
    for row, entry in enumerate(shown):
        rate = entry["outcomes"]["hack"]
        _dot(axis, row, rate, rate["rate"], PALETTE["hack"], None)
    axis.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))  # no halves of a percent, which would be rounded
    axis.xaxis.set_major_formatter(PERCENT)
    axis.set_xlim(left=0)
    axis.set_xlabel("hacks when sampled under it, 95% interval")


def _dot(axis: Axes, row: float, ends: dict[str, Any], value: float, colour: str, label: str | None) -> None:
    if ends["low"] is not None:
        axis.plot([ends["low"], ends["high"]], [row, row], color=colour, linewidth=1.4)
    axis.plot(value, row, "o", color=colour, markersize=5, label=label, clip_on=False)
