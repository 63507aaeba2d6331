"""What prompts do: effects of a grid of arms, and elicitation before training against the effect after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from inoculate.report.drawing import NARROW, PALETTE, grid, new, wrap
from inoculate.report.numbers import minus
from inoculate.report.results import Results

_POINTS = FuncFormatter(lambda value, _: minus(f"{100 * value:+.0f}") if value else "0")
_NAMES = 300.0
"""Room for the names of effects, in pixels."""
SCORES = {
    "sampled": "hack rate sampled under the prompt, untrained model",
    "added": "log-probability per token that the prompt adds to hacked answers (nats)",
}


def effects(results: Results, width: float) -> Figure:
    """Main effects and interactions with their intervals, a line each.

    Args:
        results: Results with a `factorial`.
        width: In pixels.
    """
    found = results.factorial["effects"]
    names = [wrap(one["name"], (160 if width == NARROW else _NAMES) - 12, 10) for one in found]
    left, tall = (160.0 if width == NARROW else _NAMES), [max(24.0, 13.0 * len(name) + 8) for name in names]
    height = sum(tall) + 44
    figure = new(width, height)
    margins = {"left": left / width, "right": 1 - 10 / width, "bottom": 40 / height, "top": 1 - 2 / height}
    axis = grid(figure, 1, 1, **margins)[0]
    at, middles = 0.0, []
    for room in tall:
        middles.append(at + room / 2)
        at += room
    axis.axvline(0, color=PALETTE["soft"], linewidth=0.8)
    for middle, one in zip(middles, found, strict=True):
        if one["low"] is not None:
            axis.plot([one["low"], one["high"]], [middle, middle], color=PALETTE["ink"], linewidth=1.6)
        main = len(one["factors"]) == 1
        face = PALETTE["ink"] if main else PALETTE["paper"]
        axis.plot(one["estimate"], middle, marker="o", markersize=6, color=PALETTE["ink"], markerfacecolor=face)
    axis.set_ylim(at, 0)
    axis.set_yticks(middles, ["\n".join(name) for name in names], fontsize=10)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.xaxis.set_major_formatter(_POINTS)
    axis.set_xlabel("difference in percentage points, 95% interval")
    return figure


def scatter(results: Results, width: float) -> Figure:
    """A panel for each score: its value before training against the effect of the prompt after it, with names.

    Args:
        results: Results with an `elicitation`.
        width: In pixels.
    """
    found = results.elicitation
    panels = drawn_scores(found)
    columns = 1 if width == NARROW else len(panels)
    rows = -(-len(panels) // columns)
    height = rows * 400.0
    figure = new(width, height)
    margins: dict[str, Any] = {"left": 50 / width, "right": 1 - 12 / width, "bottom": 50 / height}
    margins |= {"top": 1 - 30 / height, "wspace": 0.16, "hspace": 0.3}
    for axis, score in zip(grid(figure, rows, columns, **margins), panels, strict=True):
        _panel(axis, found, score, width / columns - 70)
    return figure


def drawn_scores(found: dict[str, Any]) -> list[str]:
    """The scores that at least two arms have beside an effect."""
    points = [point for point in found.get("points") or () if point["effect"] is not None]
    return [score for score in SCORES if sum(point[score] is not None for point in points) > 1]


def _panel(axis: Axes, found: dict[str, Any], score: str, width: float) -> None:
    from adjustText import adjust_text  # brings pyplot, which a report without this figure does not need

    points = [point for point in found["points"] if point["effect"] is not None and point[score] is not None]
    axis.axhline(0, color=PALETTE["line"], linewidth=1)
    texts = []
    for point in points:
        seeds = list(point["by_seed"].values())
        x = point[score]
        axis.plot([x, x], [min(seeds), max(seeds)], color=PALETTE["line"], linewidth=1.4, zorder=1)
        face = PALETTE["paper"] if point["irrelevant"] else PALETTE["hack"]
        axis.plot(x, point["effect"], "o", color=PALETTE["hack"], markerfacecolor=face, markersize=6, zorder=3)
        texts.append(axis.text(x, point["effect"], point["arm"], fontsize=9, color=PALETTE["ink"], zorder=4))
    axis.set_xlabel("\n".join(wrap(SCORES[score], width, 10)), fontsize=10)
    axis.set_ylabel("points less hacking than without a prompt", fontsize=10)
    axis.yaxis.set_major_formatter(_POINTS)
    if score == "sampled":
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f}%"))
    axis.margins(0.12)
    axis.set_title(_title(found["correlations"], score), fontsize=10.5, loc="left")
    adjust_text(texts, ax=axis, arrowprops={"arrowstyle": "-", "color": PALETTE["line"], "linewidth": 0.8})


def _title(correlations: Sequence[dict[str, Any]], score: str) -> str:
    one = next(c for c in correlations if c["score"] == score and c["with_irrelevant"])
    if one["correlation"] is None:
        return one["says"]
    low, said, high = (_signed(one[key]) for key in ("low", "correlation", "high"))
    return f"Spearman {said}{f' [{low}, {high}]' if low else ''}, {one['prompts']} prompts"


def _signed(value: float | None) -> str:
    return "" if value is None else minus(f"{value:+.2f}")
