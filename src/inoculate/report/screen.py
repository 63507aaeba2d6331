"""The figure of a screen: what sampling shows of each prompt against what it adds to the training answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inoculate.report import drawing
from inoculate.report.drawing import FULL, PALETTE, PERCENT


def draw_screen(found: dict[str, Any], folder: Path) -> Path | None:
    """Draw a screen's candidates, each with its name and both intervals.

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
    folder.mkdir(parents=True, exist_ok=True)
    with drawing.style():
        figure = drawing.new(FULL, 560)
        axes = figure.add_axes((0.08, 0.13, 0.89, 0.8))
        neutral = (found["neutral"] or {}).get("hack", {}).get("rate")
        if neutral is not None:
            axes.axhline(neutral, color=PALETTE["wrong"], linewidth=1, linestyle=(0, (4, 3)))
            axes.annotate(
                "no prompt", (1, neutral), (0, 3), ("axes fraction", "data"), "offset points",
                ha="right", color=PALETTE["soft"], fontsize=10,
            )  # fmt: skip
        axes.axvline(0, color=PALETTE["line"], linewidth=1)
        for entry in shown:
            rate, added = entry["outcomes"]["hack"], entry["added"]
            place = (added["mean"], rate["rate"])
            across = None if added["low"] is None else [[place[0] - added["low"]], [added["high"] - place[0]]]
            along = None if rate["low"] is None else [[place[1] - rate["low"]], [rate["high"] - place[1]]]
            axes.errorbar(
                *place, xerr=across, yerr=along, fmt="o", color=PALETTE["hack"], ecolor=PALETTE["line"], markersize=6
            )
            axes.annotate(entry["name"], place, (6, 4), textcoords="offset points", fontsize=9.5, color=PALETTE["ink"])
        axes.set_xlabel("log-probability per token that the prompt adds to hacked training answers (nats)")
        axes.set_ylabel("hacks when sampled")
        axes.yaxis.set_major_formatter(PERCENT)
        axes.set_ylim(bottom=-0.02)
        drawing.save(figure, folder, "screen")
    return folder / "screen.svg"
