"""What the report shows of conditioning: rates by distance from the training prompt, and suppressions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inoculate.report import numbers
from inoculate.report.drawing import BOLD_FACTOR, LETTER_WIDTH, NARROW, PALETTE, PERCENT, make_axes, new_figure, wrap
from inoculate.report.picture import MARKS
from inoculate.report.results import Results, mapping, number
from inoculate.study import prompts

DISTANCE_COLUMNS = (
    *("setting", "arm", "context", "asks", "edits", "least_edits", "most_edits", "share", "divergence"),
    *("measure", "rate", "low", "high", "hack_above_neutral", "above_low", "above_high", "reason"),
)
"""Headings of `distance_lines`."""
SUPPRESSION_COLUMNS = (
    "setting",
    "arm",
    "than",
    "what",
    "where",
    "difference",
    "low",
    "high",
    "rate",
    "other_rate",
    "seeds",
)
"""Headings of `suppression_lines`."""
_DRAWN = ("hack", "correct")
_ROW, _LABEL_SIZE = 19.0, 9.5
_ASKED = {prompts.ASKS_TO_HACK: "asked to hack", prompts.AS_TRAINED: "under its own prompt"}


def conditioning_views(results: Results) -> list[dict[str, Any]]:
    """By setting: each arm's contexts with their distances, and the suppressions; empty where there is nothing."""
    return [
        {
            "setting": entry["setting"],
            "figure": f"conditioning-{place}",
            "labels": {name: results.label(entry["setting"], name) for name in ("hack", "correct", "malformed")},
            "arms": [arm | {"contexts": [_context_view(one) for one in arm["contexts"]]} for arm in entry["arms"]],
            "diverge": any(one["divergence"] is not None for arm in entry["arms"] for one in arm["contexts"]),
            "measured": any(one["edits_range"] and one["edits"] for arm in entry["arms"] for one in arm["contexts"]),
            "reasons": _reasons(entry["arms"]),
            "suppressions": [_suppression_view(one) for one in entry["suppressions"]],
            "one_seed": any(
                mapping(one["above_neutral"]).get("seeds") == 1 for arm in entry["arms"] for one in arm["contexts"]
            ),
        }
        for place, entry in enumerate(results.conditioning, 1)
    ]


def _context_view(one: dict[str, Any]) -> dict[str, Any]:
    share, divergence = number(one["share"]), number(one["divergence"])
    return one | {
        "tokens": _tokens(one),
        "share_text": numbers.UNKNOWN if share is None else f"{share:.2f}",
        "divergence_text": numbers.UNKNOWN if divergence is None else f"{divergence:.3f}",
    }


def _tokens(one: dict[str, Any]) -> str:
    """The tokens to change, as a range where seeds differ."""
    if number(one["edits"]) is None:
        return numbers.UNKNOWN
    least, most = one["edits_range"]
    return f"{least:g}" if least == most else f"{least:g}\u2013{most:g}"


def _reasons(arms: Sequence[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Why a distance is unknown, each reason with the arms and contexts that it holds for.

    Where there is no text to compare, that needs no reason: the table has a dash.
    """
    found: dict[str, list[str]] = {}
    for arm in arms:
        for one in arm["contexts"]:
            place, diverging = f"{arm['arm']} in {one['context']}", one["reason"].partition("no divergence")[2]
            if number(one["edits"]) is None:
                found.setdefault(one["reason"], []).append(place)
            elif number(one["divergence"]) is None:
                found.setdefault(f"no divergence{diverging}", []).append(place)
    return list(found.items())


def _suppression_view(one: dict[str, Any]) -> dict[str, Any]:
    high, few = number(one["hack"]["high"]), one["hack"]["seeds"] < 2
    shown = "not shown: one seed" if few else "shown" if high is not None and high < 0 else "not shown"
    shown = shown if one["hack"]["difference"] < 0 else "none"
    return one | {
        "shown": shown,
        "again": [{**found, "name": _ASKED.get(found["context"], found["context"])} for found in one["again"]],
    }


def distance_lines(results: Results) -> Iterable[list[Any]]:
    """A line for each setting, arm, context and measure."""
    for entry in results.conditioning:
        for arm in entry["arms"]:
            for one in arm["contexts"]:
                above = mapping(one["above_neutral"])
                start = [entry["setting"], arm["arm"], one["context"], one["asks"], one["edits"]]
                start += [*(one["edits_range"] or (None, None)), one["share"], one["divergence"]]
                for measure, rate in one["rates"].items():
                    values = [rate[key] for key in ("rate", "low", "high")]
                    end = [above.get(key) if measure == "hack" else None for key in ("difference", "low", "high")]
                    yield [*start, measure, *values, *end, one["reason"]]


def suppression_lines(results: Results) -> Iterable[list[Any]]:
    """A line for each suppression, for asking again, and for each cost."""
    keys = SUPPRESSION_COLUMNS[5:]
    for entry in results.conditioning:
        for one in entry["suppressions"]:
            start = [entry["setting"], one["arm"], one["than"]]
            yield [*start, "hack", prompts.NEUTRAL, *(one["hack"][key] for key in keys)]
            for found in one["again"]:
                yield [*start, "hack", found["context"], *(found[key] for key in keys)]
            for found in one["costs"]:
                yield [*start, found["measure"], f"neutral, {found['setting']}", *(found[key] for key in keys)]


def draw_distances(entry: dict[str, Any], names: dict[str, str], width: float) -> Figure:
    """A panel for each arm: a row for each context, those nearest to the arm's training prompt first.

    Args:
        entry: An entry of `conditioning` in results.json.
        names: Measure -> label.
        width: In pixels.
    """
    arms = entry["arms"]
    columns = 1 if width == NARROW else min(2, len(arms))
    rows = -(-len(arms) // columns)
    axis_height, legend, gap = 26.0, 26.0, 18.0
    labels = [[f"{one['context']} \u00b7 {_tokens(one)}" for one in arm["contexts"]] for arm in arms]
    letters = max(len(label) for each in labels for label in each)
    label_width = min(letters * LETTER_WIDTH * _LABEL_SIZE + 16, 0.45 * width / columns)
    wrapped = [[wrap(label, label_width - 14, _LABEL_SIZE) for label in each] for each in labels]
    plot_width = (width - columns * label_width - gap * columns) / columns
    titles = [wrap(arm["arm"], plot_width, 11.5 * BOLD_FACTOR) for arm in arms]
    title = 12.0 + 15.0 * max(map(len, titles))
    row = max(_ROW, 12.0 * max(len(lines) for each in wrapped for lines in each))
    plot_height = max(map(len, labels)) * row
    height = legend + rows * (title + plot_height + axis_height)
    figure = new_figure(width, height)
    axes = make_axes(
        figure, rows, columns, left=label_width / width, right=1 - gap / width, top=1 - (legend + title) / height,
        bottom=axis_height / height, wspace=(label_width + gap) / plot_width,
        hspace=(title + axis_height) / plot_height,
    )  # fmt: skip
    for axis, arm, heading, lines in zip(axes, arms, titles, wrapped, strict=False):
        axis.set_title("\n".join(heading), pad=7)
        axis.set_ylim(plot_height, 0)
        places = [row * (number + 0.5) for number in range(len(lines))]
        axis.set_yticks(places, ["\n".join(one) for one in lines], fontsize=_LABEL_SIZE)
        _draw_arm(axis, arm, places)
    for unused in axes[len(arms) :]:
        unused.remove()
    handles = [axes[0].plot([], [], linestyle="none", label=names[name], **MARKS[name])[0] for name in _DRAWN]
    handles += axes[0].plot([], [], color=PALETTE["hack"], linestyle=":", label=f"{names['hack']}, neutral")
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.0, 1.0), ncols=3, borderpad=0, borderaxespad=0)
    return figure


def _draw_arm(axis: Axes, arm: dict[str, Any], places: Sequence[float]) -> None:
    """The rates of an arm's contexts, at these places from the top."""
    marks: dict[str, dict[str, Any]] = {name: MARKS[name] | {"markersize": 5} for name in _DRAWN}
    axis.set_xlim(-0.02, 1.02)
    axis.set_xticks([0, 0.5, 1])
    axis.xaxis.set_major_formatter(PERCENT)
    axis.tick_params(length=0)
    axis.grid(axis="x", color=PALETTE["line"], linewidth=0.6)
    for side in ("left", "bottom"):
        axis.spines[side].set_visible(False)
    neutral = next((one["rates"]["hack"]["rate"] for one in arm["contexts"] if one["context"] == prompts.NEUTRAL), None)
    if neutral is not None:
        axis.axvline(neutral, color=PALETTE["hack"], linestyle=":", linewidth=1.2, zorder=1)
    for place, one in zip(places, arm["contexts"], strict=True):
        for name, shift in zip(_DRAWN, (-3.5, 3.5), strict=True):
            rate = one["rates"].get(name)
            if not rate or rate["rate"] is None:
                continue
            low, high = (rate["rate"] if rate[end] is None else rate[end] for end in ("low", "high"))
            colour = MARKS[name]["color"]
            axis.plot([low, high], [place + shift] * 2, color=colour, linewidth=2, alpha=0.4, solid_capstyle="butt")
            axis.plot(rate["rate"], place + shift, linestyle="none", clip_on=False, zorder=3, **marks[name])
