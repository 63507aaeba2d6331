"""The figures of a report, drawn as files and for the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from inoculate.records import BASE
from inoculate.report.bars import draw_forest, draw_outcomes
from inoculate.report.conditioning import draw_distances
from inoculate.report.drawing import FULL, NARROW, WIDE, inline_svg, report_style, save_figure, to_svg
from inoculate.report.effects import draw_effects, draw_elicitation, scores_to_draw
from inoculate.report.lines import Panel, SharedAxis, draw_losses, draw_rate_panels
from inoculate.report.picture import Panel as ContextPanel
from inoculate.report.picture import draw_picture
from inoculate.report.results import Results
from inoculate.report.rl_curves import draw_rl
from inoculate.report.series import (
    dose_axis,
    dose_panels,
    doses_among,
    find_doses,
    training_axis,
    training_panels,
    trend_panels,
)
from inoculate.report.side_effects import silent_places
from inoculate.report.transfer import draw_transfer, has_transfer
from inoculate.report.transfer_changes import draw_transfer_changes
from inoculate.study import neighbours

if TYPE_CHECKING:
    from inoculate.study.schema import Study

FIRST_PANELS = 2
"""Number of panels in the figure at the top of the page."""
TALLEST_NARROW = 3000.0
"""Height in pixels above which a figure has no narrow version."""
NAMES = (
    *("picture", "outcomes", "contrasts", "effects", "elicitation", "curves", "trends", "transfer-changes", "transfer"),
    "losses",
)
"""Further figures are `dose-1`, `dose-2`, ..., one for each dose; `rl-1`, ..., one for each arm with RL; and
`conditioning-1`, ..., one for each setting with several contexts."""
_FIGURE_FILE = re.compile(rf"({'|'.join(NAMES)}|(?:dose|rl|conditioning)-\d+)\.(svg|png)")


@dataclass(frozen=True)
class PageFigure:
    """A figure of the page, as SVG elements in both widths."""

    label: str
    """What it shows, in a few words."""
    wide: str
    narrow: str
    """Empty where it would be too tall. Then every screen shows the wide one, which scrolls sideways."""


@dataclass(frozen=True)
class FigureSpec:
    """A figure before it is drawn."""

    name: str
    label: str
    draw: Callable[[float], Figure]
    width: float = FULL
    file_only: bool = False
    """True for bars and contrasts, which are HTML in the page: they link to samples and wrap on a phone."""


def draw_report_figures(results: Results, folder: Path) -> dict[str, PageFigure]:
    """Draw every figure that the results have data for, as files and for the page.

    Args:
        results: The results.
        folder: Where the SVG and PNG files go. Figures of an earlier report that no longer apply are removed.

    Returns:
        Name -> figure, for those that the page shows.
    """
    return draw_figures(report_figures(results), folder, _FIGURE_FILE)


def draw_figures(specs: Iterable[FigureSpec], folder: Path, figure_files: re.Pattern[str]) -> dict[str, PageFigure]:
    """Draw figures as files and for the page.

    Args:
        specs: The figures.
        folder: Where the SVG and PNG files go.
        figure_files: Names of figure files. Files of earlier figures that no longer apply are removed.

    Returns:
        Name -> figure, for those that the page shows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, PageFigure] = {}
    written: set[str] = set()
    with report_style():
        for spec in specs:
            written.add(spec.name)
            text = save_figure(spec.draw(spec.width), folder, spec.name)
            if not spec.file_only:
                drawn[spec.name] = PageFigure(spec.label, inline_svg(text, spec.name, spec.label), _draw_narrow(spec))
    for path in folder.iterdir():
        if figure_files.fullmatch(path.name) and path.stem not in written:
            path.unlink()
    return drawn


def _draw_narrow(spec: FigureSpec) -> str:
    figure, name = spec.draw(NARROW), f"{spec.name}-narrow"
    return (
        inline_svg(to_svg(figure, name), name, spec.label) if figure.get_size_inches()[1] * 72 <= TALLEST_NARROW else ""
    )


def report_figures(results: Results) -> Iterator[FigureSpec]:
    """The figures that the results have data for."""
    groups = _group_cells(results)
    if groups:
        first = _first_panels(results, groups)
        yield FigureSpec("picture", "Rates of every arm", lambda width: draw_picture(results, first, width), WIDE)
        cells = results.main_cells()
        yield FigureSpec(
            "outcomes", "Outcomes", lambda width: draw_outcomes(results, cells, width), WIDE, file_only=True
        )
    contrasts = [contrast for contrast in results.contrasts if contrast.difference is not None]
    if contrasts:
        yield FigureSpec(
            "contrasts", "Contrasts", lambda width: draw_forest(results, contrasts, width), WIDE, file_only=True
        )
    if results.factorial.get("effects"):
        yield FigureSpec(
            "effects", "Effects of prompt, description and placement", lambda width: draw_effects(results, width)
        )
    if scores_to_draw(results.elicitation):
        yield FigureSpec("elicitation", "Elicitation and effect", lambda width: draw_elicitation(results, width))
    yield from _distance_figures(results)
    yield from _rl_figures(results)
    curve_panels = training_panels(results)
    if curve_panels:
        yield _rate_lines(results, "curves", "Rates along training", curve_panels, training_axis(curve_panels))
    trended, axis = trend_panels(results)
    if trended:
        yield _rate_lines(results, "trends", f"Rates against {axis.label}", trended, axis)
    if results.transfer.get("cells"):
        yield FigureSpec(
            "transfer-changes",
            "Changes of every arm in every setting",
            lambda width: draw_transfer_changes(results, width),
        )
    for number, dose in enumerate(find_doses(results), 1):
        panels = dose_panels(results, dose)
        if panels:
            yield _rate_lines(results, f"dose-{number}", f"Rates against {dose.label}", panels, dose_axis(dose))
    if groups and has_transfer(results.main_cells()):
        yield FigureSpec("transfer", "Rates of every arm in every setting", lambda width: draw_transfer(results, width))
    trained = [entry for entry in results.training if entry.get("loss")]
    if trained:
        yield FigureSpec("losses", "Training loss", lambda width: draw_losses(trained, width))


def _distance_figures(results: Results) -> Iterator[FigureSpec]:
    for place, entry in enumerate(results.conditioning, 1):
        names = {name: results.label(entry["setting"], name) for name in ("hack", "correct")}
        label = f"Rates by distance from the training prompt, {entry['setting']}"
        yield FigureSpec(f"conditioning-{place}", label, lambda width, e=entry, n=names: draw_distances(e, n, width))


def answering_figure(study: Study) -> str:
    """The figure of a study's report that answers its question: that of the analysis which it declares."""
    analyses = {
        "transfer-changes": study.transfer,
        "trends": study.trends,
        "effects": study.factorial,
        "elicitation": study.elicitation,
        "conditioning-1": any(neighbours.MARK in context for context in study.evaluate.contexts),
        "curves": len(study.evaluate.fractions) > 1,
        "contrasts": study.contrasts,
        "dose-1": doses_among({name: arm.model_dump(mode="json") for name, arm in study.arms.items()}),
    }
    return next((name for name, declared in analyses.items() if declared), "outcomes")


def _rl_figures(results: Results) -> Iterator[FigureSpec]:
    for number, arm in enumerate(results.rl, 1):
        if arm["by_seed"]:
            label = f"Along the RL of {arm['arm']}"
            yield FigureSpec(f"rl-{number}", label, lambda width, arm=arm: draw_rl(arm, width))


def _rate_lines(
    results: Results, name: str, label: str, panels: Sequence[Panel], shared_axis: SharedAxis
) -> FigureSpec:
    settings = {cell.setting for panel in panels for _, cell in panel.points}
    names = {outcome: results.label_in(settings, outcome) for outcome in ("correct", "hack", "malformed")}
    contexts = len({panel.title[1] for panel in panels})
    return FigureSpec(name, label, lambda width: draw_rate_panels(panels, shared_axis, names, contexts, width))


def _group_cells(results: Results) -> list[ContextPanel]:
    """Setting, context and cells, in the order of the study."""
    groups: dict[tuple[str, str], ContextPanel] = {}
    for cell in results.main_cells():
        groups.setdefault((cell.setting, cell.context), (cell.setting, cell.context, []))[2].append(cell)
    return [group for group in groups.values() if any(cell.outcomes["hack"].rate is not None for cell in group[2])]


def _first_panels(results: Results, groups: list[ContextPanel]) -> list[ContextPanel]:
    """The panels of the first figure: those that a contrast names, then others of the same settings.

    A place of which a positive control shows that nothing can be told is left out. Where that is so of all, only the
    rates of the control and of the untrained model are drawn.
    """
    named = {(contrast.setting, contrast.context) for contrast in results.contrasts}
    settings, silent = {setting for setting, _ in named}, silent_places(results)
    told = [group for group in groups if group[:2] not in silent] or [
        (setting, context, [cell for cell in cells if cell.arm in (BASE, silent[setting, context])])
        for setting, context, cells in groups
    ]
    return sorted(told, key=lambda group: (group[:2] not in named, group[0] not in settings))[:FIRST_PANELS]
