"""How figures are drawn and saved: one palette, text kept as text, and the colours handed to the page's style.

A figure is drawn once in the light colours. In the page each of those colours becomes the CSS variable of its role,
so one SVG serves light, dark and print. The files keep the light colours.
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
"""Role to colour, the same values as in page.css (a test compares them). No two are alike: a colour names its role."""

WIDE, FULL, NARROW = 720.0, 1040.0, 350.0
"""Widths in pixels: beside the verdicts, the whole column, and a phone. A figure is in the page for both kinds of
screen; the page's style shows one."""

PERCENT = FuncFormatter(lambda value, _: f"{100 * value:.0f}%")
NOTHING = FuncFormatter(lambda value, _: "")

MOST_PIXELS = 20_000
"""Of the longer side of a PNG."""

_STYLE: Any = {
    "svg.fonttype": "none",
    # Names of arms are the user's: a dollar sign in one is no formula.
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
def style() -> Iterator[None]:
    """Within it, figures have the report's style; matplotlib's own settings are untouched outside."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        # A letter that the font lacks is a box in the PNG and right in the SVG: no reason to write to the terminal.
        warnings.filterwarnings("ignore", message="Glyph")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)


def svg(figure: Figure, name: str) -> str:
    """The figure as an SVG file's text; the same figure gives the same text."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def save(figure: Figure, folder: Path, name: str) -> str:
    """Write a figure as `name.svg` and `name.png`; returns the text of the first."""
    text = svg(figure, name)
    (folder / f"{name}.svg").write_text(text, encoding="utf-8", errors="backslashreplace")
    # A study of a thousand arms makes a tall figure; pixels are bounded, since memory goes with them.
    dpi = min(200.0, MOST_PIXELS / max(figure.get_size_inches()))
    figure.savefig(folder / f"{name}.png", dpi=dpi, metadata={"Software": None})
    return text


def inline(text: str, name: str, label: str) -> str:
    """An SVG file's text as an element for the page.

    Args:
        text: The file.
        name: Unique in the page: the ids inside the SVG start with it.
        label: What the figure shows, for those who cannot see it.
    """
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Ids that nothing refers to ("axes_1") come in every figure; the others must be unique in the page.
    used = set(re.findall(r"#([\w-]+)", text))
    text = re.sub(r' id="([^"]*)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", text)
    text = re.sub(r"(href=\"|url\()#", rf"\1#{name}-", text)
    for role, colour in PALETTE.items():
        text = text.replace(colour, f"var(--{role})")
    text = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", text)
    # Older releases of matplotlib write the shorthand.
    text = re.sub(r"font: ((?:\w+ )*[\d.]+px)[^;\"]*", r"font: \1 var(--sans)", text)
    safe = label.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return text.replace("<svg ", f'<svg role="img" aria-label="{safe}" ', 1)


def new(width: float, height: float) -> Figure:
    """An empty figure, its size in CSS pixels of the page."""
    return Figure(figsize=(width / 72, height / 72))


LETTER = 0.6
"""Width of a letter as a share of the font's size, on the wide side."""
BOLD = 1.16
"""How much wider bold letters are."""


def wrap(text: str, width: float, size: float) -> list[str]:
    """The text in lines that fit a width, broken after spaces and hyphens where it can be, and nothing cut.

    Args:
        text: The text.
        width: Width in pixels.
        size: Size of the font in pixels.
    """
    most = max(4, int(width / (LETTER * size)))
    lines: list[str] = []
    for part in re.findall(r"[^\s_/-]*(?:[_/-]+|\s+|$)", text):
        fits = lines and len(lines[-1]) + len(part.rstrip()) <= most
        pieces = [part] if fits else [part[at : at + most] for at in range(0, len(part), most)]
        if fits:
            lines[-1] += pieces.pop(0)
        lines += pieces
    return [line.rstrip() for line in lines] or [""]


def grid(figure: Figure, rows: int, columns: int, **margins: Any) -> list[Axes]:
    """Axes in rows and columns, as a list."""
    return list(figure.subplots(rows, columns, squeeze=False, gridspec_kw=margins).flat)
