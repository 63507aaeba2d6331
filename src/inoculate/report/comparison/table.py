"""Runs side by side in the terminal, within 80 columns."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from inoculate.report import numbers
from inoculate.report.comparison.runs import Claim, Comparison
from inoculate.report.results import Cell, Contrast, Rate
from inoculate.report.series import ASKS

NEUTRAL = "neutral"
_SHOWN = ("correct", "hack", "malformed")
_VERDICT_STYLES = {"supported": "bold green", "refuted": "bold red", "inconclusive": "yellow"}


def comparison_tables(comparison: Comparison) -> Iterable[RenderableType]:
    """The runs, their rates when asked neutrally and when asked to hack, their claims, and what differs."""
    yield _runs(comparison)
    for note in comparison.notes:
        yield Text(f"- {note}", style="yellow")
    yield _rates(comparison)
    if comparison.claims:
        yield _claims(comparison)
    yield _differences(comparison)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)


def _runs(comparison: Comparison) -> Table:
    table = _table("Runs")
    for name in ("run", "model", "question"):
        table.add_column(name, overflow="fold")
    for name in ("seeds", "cells"):
        table.add_column(name, justify="right", no_wrap=True)
    for side in comparison.sides:
        cells = f"{side.finished}/{side.total}" if side.results.missing else str(side.total)
        study = side.results.study
        table.add_row(
            Text(side.label),
            Text(numbers.plain(study.get("model"))),
            Text(side.results.question),
            str(len(study.get("seeds") or ())),
            Text(cells, style="yellow" if side.results.missing else ""),
        )
    return table


def _rates(comparison: Comparison) -> Table:
    table = _table("Outcomes in percent, with 95% intervals")
    for name in ("arm", "run"):
        table.add_column(name, overflow="fold")
    for name in ("n", "seeds", *_SHOWN):
        table.add_column(name, justify="right", no_wrap=True)
    places = comparison.places()
    shown = [(setting, context) for setting, context in places if context == NEUTRAL or context.startswith(ASKS)]
    for setting, context in shown:
        table.add_section()
        table.add_row(Text(f"{setting}, {context}" if len({s for s, _ in places}) > 1 else context, style="bold"))
        for arm, cells in comparison.cells(setting, context):
            there = [(side, cell) for side, cell in zip(comparison.sides, cells, strict=True) if cell]
            for place, (side, cell) in enumerate(there):
                table.add_row(Text("" if place else arm), Text(side.label), *_numbers(cell))
    if len(shown) < len(places):
        table.caption = f"{len(places) - len(shown)} more settings and contexts are in the page"
    return table


def _numbers(cell: Cell) -> list[str | Text]:
    rates = [_rate(cell.outcomes[name]) for name in _SHOWN]
    return [str(cell.samples - cell.ungraded), str(len(cell.seeds) or "-"), *rates]


def _rate(rate: Rate) -> Text:
    if rate.rate is None:
        return Text("-")
    interval = "" if rate.low is None or rate.high is None else f" [{100 * rate.low:.0f}, {100 * rate.high:.0f}]"
    return Text(f"{100 * rate.rate:.0f}{interval}")


def _claims(comparison: Comparison) -> Table:
    table = _table("Claims, differences in percentage points; each verdict is the run's own")
    table.add_column("claim", overflow="fold", ratio=1)
    for name in ("difference", "p (Holm)", "seeds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for claim in comparison.claims:
        table.add_section()
        table.add_row(Text(" / ".join(claim.words), style="bold"))
        table.add_row(Text(_about(claim), style="dim"))
        for side, found in zip(comparison.sides, claim.found, strict=True):
            table.add_row(Text(f"  {side.label}"), *(_verdict(found) if found else ["", "", "", "not claimed"]))
    return table


def _about(claim: Claim) -> str:
    arms = f"{claim.arm} against {claim.other}" if claim.other else claim.arm
    return f"{claim.measure}, {claim.setting}, {claim.context}: {arms}"


def _verdict(found: Contrast) -> list[str | Text]:
    difference = "-" if found.difference is None else f"{100 * found.difference:+.0f}"
    if found.low is not None and found.high is not None:
        difference += f" [{100 * found.low:+.0f}, {100 * found.high:+.0f}]"
    verdict = Text(found.verdict, style=_VERDICT_STYLES.get(found.verdict, ""))
    # A guard that is not green takes from the verdict: it must not be out of sight.
    verdict.append("".join(f", {guard.name} {guard.status}" for guard in found.guards if guard.status == "red"))
    p = "-" if found.p_adjusted is None else numbers.p_value(found.p_adjusted)
    return [Text(difference), p, numbers.count(found.seeds), verdict]


def _differences(comparison: Comparison) -> RenderableType:
    if not comparison.differences:
        return Text("Nothing differs between the studies.")
    table = _table("What differs")
    table.add_column("", overflow="fold", ratio=2)
    for side in comparison.sides:
        table.add_column(side.label, overflow="fold", ratio=3)
    for key, values in comparison.differences:
        table.add_row(Text(key), *map(Text, values))
    return table
