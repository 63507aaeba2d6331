"""Tables of a comparison for the terminal, within 80 columns."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from inoculate.analysis.asked import is_main
from inoculate.report import numbers
from inoculate.report.comparison.rl import describe_take_off, seed_rows
from inoculate.report.comparison.runs import Claim, Comparison
from inoculate.report.results import Cell, Contrast, Rate

_OUTCOMES = ("correct", "hack", "malformed")
_VERDICT_STYLES = {"supported": "bold green", "refuted": "bold red", "inconclusive": "yellow"}


def comparison_tables(comparison: Comparison) -> Iterable[RenderableType]:
    """The runs, rates in neutral and hack-asking contexts, what was learned from rewards, claims, and what differs."""
    yield _runs_table(comparison)
    for note in comparison.notes:
        yield Text(f"- {note}", style="yellow")
    yield _rates_table(comparison)
    if comparison.rewarded:
        yield _rl_table(comparison)
    if comparison.claims:
        yield _claims_table(comparison)
    yield _differences_table(comparison)


def _new_table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)


def _runs_table(comparison: Comparison) -> Table:
    table = _new_table("Runs")
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


def _rates_table(comparison: Comparison) -> Table:
    table = _new_table("Outcomes in percent, with 95% intervals")
    for name in ("arm", "run"):
        table.add_column(name, overflow="fold")
    for name in ("n", "seeds", *_OUTCOMES):
        table.add_column(name, justify="right", no_wrap=True)
    places = comparison.places()
    shown_places = [(setting, context) for setting, context in places if is_main(context)]
    for setting, context in shown_places:
        table.add_section()
        table.add_row(Text(f"{setting}, {context}" if len({s for s, _ in places}) > 1 else context, style="bold"))
        for arm, cells in comparison.cells(setting, context):
            side_cells = [(side, cell) for side, cell in zip(comparison.sides, cells, strict=True) if cell]
            for index, (side, cell) in enumerate(side_cells):
                table.add_row(Text("" if index else arm), Text(side.label), *_cell_values(cell))
    if len(shown_places) < len(places):
        table.caption = f"{len(places) - len(shown_places)} more settings and contexts are in the page"
    return table


def _rl_table(comparison: Comparison) -> Table:
    table = _new_table("Learned from rewards: take-off with 95% interval, and the last step of each seed")
    table.add_column("arm, run", overflow="fold", ratio=1)
    table.add_column("onset", overflow="fold")
    for name in ("reward", "hack", "correct", "tokens"):
        table.add_column(name, justify="right", no_wrap=True)
    for arm in comparison.rewarded:
        table.add_section()
        table.add_row(Text(arm.name, style="bold"))
        for side, found in zip(comparison.sides, arm.by_run, strict=True):
            took_off = f"took off in {describe_take_off(found)}" if found else "not there"
            table.add_row(Text(f"  {side.label}"), Text(took_off))
            for row in seed_rows(found) if found else ():
                reward = Text(f"{row['reward']}{' collapsed' if row['collapsed'] else ''}")
                rates = (Text("-" if row[key] is None else numbers.percent(row[key])) for key in ("hack", "correct"))
                table.add_row(
                    Text(f"    seed {row['seed']}"), Text(row["onset"]), reward, *rates, numbers.count(row["tokens"])
                )
    return table


def _cell_values(cell: Cell) -> list[str | Text]:
    rates = [_format_rate(cell.outcomes[name]) for name in _OUTCOMES]
    return [str(cell.samples - cell.ungraded), str(len(cell.seeds) or "-"), *rates]


def _format_rate(rate: Rate) -> Text:
    if rate.rate is None:
        return Text("-")
    interval = "" if rate.low is None or rate.high is None else f" [{100 * rate.low:.0f}, {100 * rate.high:.0f}]"
    return Text(f"{100 * rate.rate:.0f}{interval}")


def _claims_table(comparison: Comparison) -> Table:
    table = _new_table("Claims, differences in percentage points; each verdict belongs to its own run")
    table.add_column("claim", overflow="fold", ratio=1)
    for name in ("difference", "p (Holm)", "seeds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for claim in comparison.claims:
        table.add_section()
        table.add_row(Text(" / ".join(claim.words), style="bold"))
        table.add_row(Text(_describe_claim(claim), style="dim"))
        for side, contrast in zip(comparison.sides, claim.contrasts, strict=True):
            table.add_row(
                Text(f"  {side.label}"), *(_verdict_values(contrast) if contrast else ["", "", "", "not claimed"])
            )
    return table


def _describe_claim(claim: Claim) -> str:
    arms = f"{claim.arm} against {claim.other}" if claim.other else claim.arm
    return f"{claim.measure}, {claim.setting}, {claim.context}: {arms}"


def _verdict_values(contrast: Contrast) -> list[str | Text]:
    difference = "-" if contrast.difference is None else f"{100 * contrast.difference:+.0f}"
    if contrast.low is not None and contrast.high is not None:
        difference += f" [{100 * contrast.low:+.0f}, {100 * contrast.high:+.0f}]"
    verdict = Text(contrast.verdict, style=_VERDICT_STYLES.get(contrast.verdict, ""))
    # A red guard weakens the verdict, so it must be visible.
    verdict.append("".join(f", {guard.name} {guard.status}" for guard in contrast.guards if guard.status == "red"))
    p = "-" if contrast.p_adjusted is None else numbers.p_value(contrast.p_adjusted)
    return [Text(difference), p, numbers.count(contrast.seeds), verdict]


def _differences_table(comparison: Comparison) -> RenderableType:
    if not comparison.differences:
        return Text("Nothing differs between the studies.")
    table = _new_table("What differs")
    table.add_column("", overflow="fold", ratio=2)
    for side in comparison.sides:
        table.add_column(side.label, overflow="fold", ratio=3)
    for key, values in comparison.differences:
        table.add_row(Text(key), *map(Text, values))
    return table
