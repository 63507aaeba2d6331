"""Draw and save figures: one palette, text as text, and colours that become CSS variables in the page.

A figure is drawn once in the light colours. In the page each colour becomes the CSS variable of its role, so one SVG
serves light mode, dark mode and print. The files keep the light colours.
"""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

PALETTE = {
    "ink": "#1b1f24",
    "soft": "#565e69",
    "line": "#d6dae0",
    "paper": "#fffffe",
    "wash": "#f1f3f5",
    "correct": "#0a6a94",
    "hack": "#c23d0b",
    "wrong": "#767d88",
    "malformed": "#c6cbd2",
    "accent": "#6b3fa0",
}
"""Role -> colour, the same values as in page.css (a test compares them). All differ: a colour identifies its role."""

WIDE, FULL, NARROW = 720.0, 1040.0, 350.0
"""Widths in pixels: beside the verdicts, the whole column, and a phone. The page holds every figure in a wide and a
narrow version, and its style shows one of them."""

PERCENT = FuncFormatter(lambda value, _: f"{100 * value:.0f}%")
NO_LABEL = FuncFormatter(lambda value, _: "")

MOST_PIXELS = 20_000
"""Largest length of the longer side of a PNG."""

_RC_PARAMS: Any = {
    "svg.fonttype": "none",
    # Users name the arms: a dollar sign in a name must not start a formula.
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 11,
    "axes.edgecolor": PALETTE["line"],
    "axes.labelsize": 11,
    "axes.labelcolor": PALETTE["soft"],
    "axes.titlecolor": PALETTE["ink"],
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": PALETTE["ink"],
    "xtick.color": PALETTE["line"],
    "ytick.color": PALETTE["line"],
    "xtick.labelcolor": PALETTE["soft"],
    "ytick.labelcolor": PALETTE["soft"],
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "figure.facecolor": PALETTE["paper"],
    "axes.facecolor": "none",
    "hatch.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 10.5,
}


@contextmanager
def report_style() -> Iterator[None]:
    """Use the report's style within this context; matplotlib's own settings do not change outside."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    with matplotlib.rc_context(_RC_PARAMS), warnings.catch_warnings():
        # A glyph that the font lacks is a box in the PNG and right in the SVG: not worth a warning in the terminal.
        warnings.filterwarnings("ignore", message="Glyph")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)


def to_svg(figure: Figure, name: str) -> str:
    """The figure as SVG text; the same figure always gives the same text."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def save_figure(figure: Figure, folder: Path, name: str) -> str:
    """Write a figure as `name.svg` and `name.png`; returns the SVG text."""
    text = to_svg(figure, name)
    (folder / f"{name}.svg").write_text(text, encoding="utf-8", errors="backslashreplace")
    # A study of a thousand arms makes a tall figure. Pixels are bounded, and so is memory.
    dpi = min(200.0, MOST_PIXELS / max(figure.get_size_inches()))
    figure.savefig(folder / f"{name}.png", dpi=dpi, metadata={"Software": None})
    return text


def inline_svg(text: str, name: str, label: str) -> str:
    """SVG text as an element for the page.

    Args:
        text: The SVG text.
        name: Unique in the page: the ids inside the SVG start with it.
        label: What the figure shows, for screen readers.
    """
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Ids that nothing refers to ("axes_1") are in every figure. The others must be unique in the page.
    referenced = set(re.findall(r"#([\w-]+)", text))
    text = re.sub(r' id="([^"]*)"', lambda match: f' id="{name}-{match[1]}"' if match[1] in referenced else "", text)
    text = re.sub(r"(href=\"|url\()#", rf"\1#{name}-", text)
    for role, colour in PALETTE.items():
        text = text.replace(colour, f"var(--{role})")
    text = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", text)
    # Older releases of matplotlib write the shorthand.
    text = re.sub(r"font: ((?:\w+ )*[\d.]+px)[^;\"]*", r"font: \1 var(--sans)", text)
    safe = label.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return text.replace("<svg ", f'<svg role="img" aria-label="{safe}" ', 1)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, its size in CSS pixels of the page."""
    return Figure(figsize=(width / 72, height / 72))


LETTER_WIDTH = 0.6
"""Width of a letter as a share of the font size; rather too wide than too narrow."""
BOLD_FACTOR = 1.16
"""How much wider bold letters are."""


def wrap(text: str, width: float, size: float) -> list[str]:
    """Wrap text into lines that fit a width, broken after spaces and hyphens where possible. Nothing is cut off.

    Args:
        text: The text.
        width: Width in pixels.
        size: Size of the font in pixels.
    """
    most = max(4, int(width / (LETTER_WIDTH * size)))
    lines: list[str] = []
    for part in re.findall(r"[^\s_/-]*(?:[_/-]+|\s+|$)", text):
        fits = lines and len(lines[-1]) + len(part.rstrip()) <= most
        pieces = [part] if fits else [part[at : at + most] for at in range(0, len(part), most)]
        if fits:
            lines[-1] += pieces.pop(0)
        lines += pieces
    return [line.rstrip() for line in lines] or [""]


def make_axes(figure: Figure, rows: int, columns: int, **margins: Any) -> list[Axes]:
    """Axes in rows and columns, as a list."""
    return list(figure.subplots(rows, columns, squeeze=False, gridspec_kw=margins).flat)
