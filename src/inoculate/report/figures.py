"""Which figures a report has, drawn as files and for the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from inoculate.report.bars import forest, stacked
from inoculate.report.drawing import FULL, NARROW, WIDE, inline, save, style, svg
from inoculate.report.effects import drawn_scores, effects, scatter
from inoculate.report.lines import Across, Panel, losses, rate_panels
from inoculate.report.picture import Panel as Group
from inoculate.report.picture import picture
from inoculate.report.results import Results
from inoculate.report.series import along_training, dose_axis, dose_panels, doses, training_axis
from inoculate.report.transfer import has_transfer, transfer

FIRST = 2
"""Panels of the first screen."""
TALLEST = 3000.0
"""Pixels of a figure on a phone."""
NAMES = ("picture", "outcomes", "contrasts", "effects", "elicitation", "curves", "transfer", "losses")
"""Beside them `dose-1`, `dose-2`, ... for as many doses as there are."""
_OURS = re.compile(rf"({'|'.join(NAMES)}|dose-\d+)\.(svg|png)")


@dataclass(frozen=True)
class Drawn:
    """A figure in the page, in both widths."""

    label: str
    """What it shows, in a few words."""
    wide: str
    narrow: str
    """Empty where it would be too tall: then the wide one is for every screen, and scrolls sideways."""


@dataclass(frozen=True)
class Sketch:
    """A figure before it is drawn."""

    name: str
    label: str
    draw: Callable[[float], Figure]
    width: float = FULL
    file_only: bool = False
    """Bars and contrasts are HTML in the page: they link to samples and wrap on a phone."""


def draw(results: Results, folder: Path) -> dict[str, Drawn]:
    """Draw every figure that the results have data for, as files and for the page.

    Args:
        results: The results.
        folder: Where the SVG and PNG files go; figures of an earlier report that no longer apply are removed.

    Returns:
        By name, those that the page shows.
    """
    return draw_sketches(sketches(results), folder, _OURS)


def draw_sketches(sketches: Iterable[Sketch], folder: Path, ours: re.Pattern[str]) -> dict[str, Drawn]:
    """Draw figures as files and for the page.

    Args:
        sketches: The figures.
        folder: Where the SVG and PNG files go.
        ours: The files of earlier figures, which are removed where they no longer apply.

    Returns:
        By name, those that the page shows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, Drawn] = {}
    written: set[str] = set()
    with style():
        for sketch in sketches:
            written.add(sketch.name)
            text = save(sketch.draw(sketch.width), folder, sketch.name)
            if not sketch.file_only:
                drawn[sketch.name] = Drawn(sketch.label, inline(text, sketch.name, sketch.label), _narrow(sketch))
    for path in folder.iterdir():
        if ours.fullmatch(path.name) and path.stem not in written:
            path.unlink()
    return drawn


def _narrow(sketch: Sketch) -> str:
    figure, name = sketch.draw(NARROW), f"{sketch.name}-narrow"
    return inline(svg(figure, name), name, sketch.label) if figure.get_size_inches()[1] * 72 <= TALLEST else ""


def sketches(results: Results) -> Iterator[Sketch]:
    """The figures of a report, those that the results have data for."""
    groups = _groups(results)
    if groups:
        first = _first(results, groups)
        yield Sketch("picture", "Rates of every arm", lambda width: picture(results, first, width), WIDE)
        cells = results.main_cells()
        yield Sketch("outcomes", "Outcomes", lambda width: stacked(results, cells, width), WIDE, file_only=True)
    contrasts = [contrast for contrast in results.contrasts if contrast.difference is not None]
    if contrasts:
        yield Sketch("contrasts", "Contrasts", lambda width: forest(results, contrasts, width), WIDE, file_only=True)
    if results.factorial.get("effects"):
        yield Sketch("effects", "Effects of prompt, description and placement", lambda width: effects(results, width))
    if drawn_scores(results.elicitation):
        yield Sketch("elicitation", "Elicitation and effect", lambda width: scatter(results, width))
    along = along_training(results)
    if along:
        yield _lines(results, "curves", "Rates along training", along, training_axis(along))
    for place, dose in enumerate(doses(results), 1):
        panels = dose_panels(results, dose)
        if panels:
            yield _lines(results, f"dose-{place}", f"Rates against {dose.words}", panels, dose_axis(dose))
    if groups and has_transfer(results.main_cells()):
        yield Sketch("transfer", "Rates of every arm in every setting", lambda width: transfer(results, width))
    trained = [entry for entry in results.training if entry.get("loss")]
    if trained:
        yield Sketch("losses", "Training loss", lambda width: losses(trained, width))


def _lines(results: Results, name: str, label: str, panels: Sequence[Panel], across: Across) -> Sketch:
    settings = {cell.setting for panel in panels for _, cell in panel.points}
    names = {outcome: results.label_in(settings, outcome) for outcome in ("correct", "hack", "malformed")}
    contexts = len({panel.title[1] for panel in panels})
    return Sketch(name, label, lambda width: rate_panels(panels, across, names, contexts, width))


def _groups(results: Results) -> list[Group]:
    """Setting, context and cells, in the order of the study."""
    groups: dict[tuple[str, str], Group] = {}
    for cell in results.main_cells():
        groups.setdefault((cell.setting, cell.context), (cell.setting, cell.context, []))[2].append(cell)
    return [group for group in groups.values() if any(cell.outcomes["hack"].rate is not None for cell in group[2])]


def _first(results: Results, groups: list[Group]) -> list[Group]:
    """The panels of the first screen: what a contrast names, then others of those settings."""
    named = {(contrast.setting, contrast.context) for contrast in results.contrasts}
    settings = {setting for setting, _ in named}
    return sorted(groups, key=lambda group: (group[:2] not in named, group[0] not in settings))[:FIRST]
