"""Figures about prompts: effects in a grid of arms, and elicitation before training against the effect after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from inoculate.report.drawing import NARROW, PALETTE, make_axes, new_figure, wrap
from inoculate.report.numbers import minus, signed
from inoculate.report.results import Results

_POINTS_FORMAT = FuncFormatter(lambda value, _: minus(f"{100 * value:+.0f}") if value else "0")
_LABEL_WIDTH = 300.0
"""Space for the names of effects, in pixels."""
SCORE_LABELS = {
    "sampled": "hack rate sampled under the prompt, untrained model",
    "added": "log-probability per token that the prompt adds to hacked answers (nats)",
}


def draw_effects(results: Results, width: float) -> Figure:
    """Main effects and interactions with their intervals, one row each.

    Args:
        results: Results with a `factorial`.
        width: In pixels.
    """
    effects = results.factorial["effects"]
    labels = [wrap(effect["name"], (160 if width == NARROW else _LABEL_WIDTH) - 12, 10) for effect in effects]
    left, row_heights = (
        (160.0 if width == NARROW else _LABEL_WIDTH),
        [max(24.0, 13.0 * len(label) + 8) for label in labels],
    )
    height = sum(row_heights) + 44
    figure = new_figure(width, height)
    margins = {"left": left / width, "right": 1 - 10 / width, "bottom": 40 / height, "top": 1 - 2 / height}
    axis = make_axes(figure, 1, 1, **margins)[0]
    y, row_centres = 0.0, []
    for row_height in row_heights:
        row_centres.append(y + row_height / 2)
        y += row_height
    axis.axvline(0, color=PALETTE["soft"], linewidth=0.8)
    for row_centre, effect in zip(row_centres, effects, strict=True):
        if effect["low"] is not None:
            axis.plot([effect["low"], effect["high"]], [row_centre, row_centre], color=PALETTE["ink"], linewidth=1.6)
        is_main = len(effect["factors"]) == 1
        face = PALETTE["ink"] if is_main else PALETTE["paper"]
        axis.plot(effect["estimate"], row_centre, marker="o", markersize=6, color=PALETTE["ink"], markerfacecolor=face)
    axis.set_ylim(y, 0)
    axis.set_yticks(row_centres, ["\n".join(label) for label in labels], fontsize=10)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.xaxis.set_major_formatter(_POINTS_FORMAT)
    axis.set_xlabel("difference in percentage points, 95% interval")
    return figure


def draw_elicitation(results: Results, width: float) -> Figure:
    """A scatter plot for each score: its value before training against the effect of the prompt, labelled by arm.

    Args:
        results: Results with an `elicitation`.
        width: In pixels.
    """
    elicitation = results.elicitation
    scores = scores_to_draw(elicitation)
    columns = 1 if width == NARROW else len(scores)
    rows = -(-len(scores) // columns)
    height = rows * 400.0
    figure = new_figure(width, height)
    margins: dict[str, Any] = {"left": 50 / width, "right": 1 - 12 / width, "bottom": 50 / height}
    margins |= {"top": 1 - 30 / height, "wspace": 0.16, "hspace": 0.3}
    for axis, score in zip(make_axes(figure, rows, columns, **margins), scores, strict=True):
        _draw_score(axis, elicitation, score, width / columns - 70)
    return figure


def scores_to_draw(elicitation: dict[str, Any]) -> list[str]:
    """The scores that at least two arms with an effect have."""
    points = [point for point in elicitation.get("points") or () if point["effect"] is not None]
    return [score for score in SCORE_LABELS if sum(point[score] is not None for point in points) > 1]


def _draw_score(axis: Axes, elicitation: dict[str, Any], score: str, width: float) -> None:
    from adjustText import adjust_text  # imports pyplot, which a report without this figure does not need

    points = [point for point in elicitation["points"] if point["effect"] is not None and point[score] is not None]
    axis.axhline(0, color=PALETTE["line"], linewidth=1)
    texts = []
    for point in points:
        seeds = list(point["by_seed"].values())
        x = point[score]
        axis.plot([x, x], [min(seeds), max(seeds)], color=PALETTE["line"], linewidth=1.4, zorder=1)
        face = PALETTE["paper"] if point["irrelevant"] else PALETTE["hack"]
        axis.plot(x, point["effect"], "o", color=PALETTE["hack"], markerfacecolor=face, markersize=6, zorder=3)
        texts.append(axis.text(x, point["effect"], point["arm"], fontsize=9, color=PALETTE["ink"], zorder=4))
    axis.set_xlabel("\n".join(wrap(SCORE_LABELS[score], width, 10)), fontsize=10)
    axis.set_ylabel("points less hacking than without a prompt", fontsize=10)
    axis.yaxis.set_major_formatter(_POINTS_FORMAT)
    if score == "sampled":
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f}%"))
    axis.margins(0.12)
    axis.set_title(_score_title(elicitation["correlations"], score), fontsize=10.5, loc="left")
    adjust_text(texts, ax=axis, arrowprops={"arrowstyle": "-", "color": PALETTE["line"], "linewidth": 0.8})


def _score_title(correlations: Sequence[dict[str, Any]], score: str) -> str:
    entry = next(c for c in correlations if c["score"] == score and c["with_irrelevant"])
    if entry["correlation"] is None:
        return entry["says"]
    low, correlation, high = (signed(entry[key]) for key in ("low", "correlation", "high"))
    limits = "" if entry["low"] is None else f" [{low}, {high}]"
    return f"Spearman {correlation}{limits}, {entry['prompts']} prompts"
