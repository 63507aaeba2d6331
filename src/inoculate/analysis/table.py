"""Results as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from inoculate.analysis.cells import SCORED

_STATUS_STYLES = {"green": "green", "amber": "yellow", "red": "bold red"}
_VERDICT_STYLES = {"supported": "bold green", "refuted": "bold red", "inconclusive": "yellow"}


def outcome_table(results: dict[str, Any]) -> Table:
    """Outcome rates in percent with 95% intervals, a line per setting, context, arm and share of training.

    Columns for ungraded, missing and truncated samples are there only where some are not zero.

    Args:
        results: As `analyse` returns them.
    """
    cells = results["cells"]
    counts = [name for name in ("ungraded", "missing", "truncated") if any(cell[name] for cell in cells)]
    curves = len({(cell["arm"], cell["at"]) for cell in cells}) > len({cell["arm"] for cell in cells})
    several = len({cell["setting"] for cell in cells}) > 1
    # Narrow enough for 80 columns, in which a cut interval would be a lost number.
    table = Table(
        title="Outcomes in percent, with 95% intervals", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )
    for name in ("arm", *(["trained"] if curves else [])):
        table.add_column(name, overflow="fold")
    for name in ("n", "seeds", *SCORED, *counts):
        table.add_column(name, justify="right", overflow="fold")
    order = {key: list(dict.fromkeys(cell[key] for cell in cells)) for key in ("setting", "context", "arm")}
    above: tuple[str, str] | None = None
    for cell in sorted(cells, key=lambda c: (*(order[key].index(c[key]) for key in order), c["at"])):
        group = (cell["setting"], cell["context"])
        if above not in (None, group):
            table.add_section()
        if above != group:
            table.add_row(Text(", ".join(group) if several else cell["context"], style="bold"))
        above = group
        table.add_row(
            cell["arm"],
            *([f"{cell['at']:.0%}"] if curves else []),
            str(cell["samples"] - cell["ungraded"]),
            str(len(cell["seeds"])) if cell["seeds"] else "-",
            *(_rate(cell["outcomes"][outcome]) for outcome in SCORED),
            *(Text(str(cell[name]), style="yellow" if cell[name] else "dim") for name in counts),
        )
    table.caption = next((cell["caution"] for cell in cells if cell["caution"]), None)
    return table


def others_table(results: dict[str, Any]) -> Table | None:
    """Other people's metrics of the same samples, beside our outcomes; None where no setting has any.

    Args:
        results: As `analyse` returns them.
    """
    cells = [cell for cell in results["cells"] if cell["others"]]
    names = sorted({name for cell in cells for name in cell["others"]})
    if not names:
        return None
    table = Table(title="Beside ours: other metrics of the same samples", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("context", "arm"):
        table.add_column(name, overflow="fold")
    for name in ("correct", "hack", *names):
        table.add_column(name, justify="right", overflow="fold")
    for cell in cells:
        ours = (_rate(cell["outcomes"][outcome]) for outcome in ("correct", "hack"))
        theirs = (_rate(cell["others"][name]) if name in cell["others"] else "-" for name in names)
        table.add_row(cell["context"], cell["arm"], *ours, *theirs)
    return table


def _rate(found: dict[str, Any]) -> str:
    if found["rate"] is None:
        return "-"
    interval = "" if found["low"] is None else f" [{found['low'] * 100:.0f}, {found['high'] * 100:.0f}]"
    # rich would read brackets as markup.
    return f"{found['rate'] * 100:.0f}{interval}".replace("[", r"\[")


def contrast_table(results: dict[str, Any]) -> Table:
    """Contrasts with difference in percentage points, 95% interval, adjusted p, verdict and guards.

    Args:
        results: As `analyse` returns them.
    """
    table = Table(
        title="Contrasts, differences in percentage points with 95% intervals",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    # What is long stands below the claim, so that 80 columns are enough.
    table.add_column("claim", overflow="fold", ratio=1)
    for name in ("difference", "p (Holm)"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for number, one in enumerate(results["contrasts"]):
        if number:
            table.add_section()
        table.add_row(
            Text(one["claim"]),
            _difference(one),
            "-" if one["p_adjusted"] is None else _p(one["p_adjusted"]),
            Text(one["verdict"], style=_VERDICT_STYLES.get(one["verdict"], "")),
        )
        for line in _below(one):
            table.add_row(line)
    return table


def _below(one: dict[str, Any]) -> Iterator[Text]:
    """The lines below a contrast's claim."""
    yield Text(f"{one['measure']}, {one['setting']}, {one['context']}", style="dim")
    if one["exploratory"]:
        yield Text("exploratory", style="yellow")
    if one["guards"]:
        guards = (
            Text(f"{guard['name']} {guard['status']}", _STATUS_STYLES[guard["status"]]) for guard in one["guards"]
        )
        yield Text("guards: ", style="dim").append_text(Text(", ").join(guards))
    if one["needed"]:
        yield Text(f"a new study needs: {_needed(one['needed'])}", style="dim")


def _difference(one: dict[str, Any]) -> str:
    if one["difference"] is None:
        return "-"
    interval = "" if one["low"] is None else rf" \[{one['low'] * 100:+.0f}, {one['high'] * 100:+.0f}]"
    return f"{one['difference'] * 100:+.0f}{interval}"


def _p(value: float) -> str:
    return "<.001" if value < 0.001 else f"{value:.3f}".lstrip("0")


def _needed(needed: dict[str, Any]) -> str:
    seen = needed["seeds_as_seen"]
    size = needed.get("reason") or f"{needed['seeds']} seeds, {needed['problems']} problems, at the margin"
    return f"{size}; {seen} seeds if the difference is as large as seen" if seen else size


def screen_table(found: dict[str, Any]) -> Table:
    """Candidates of a screen, the strongest elicitor first: rates in percent, log-probability in nats per token."""
    table = Table(title=f"{found['name']}: {found['question']}", title_justify="left")
    with_compliance = any("compliance" in entry for entry in found["candidates"])
    for heading in ("prompt", "hack", "rank", "correct", "malf.", "added", "vs control", "rank"):
        table.add_column(heading)
    if with_compliance:
        table.add_column("compl.")
    if found["neutral"]:
        neutral = [_rate(found["neutral"][outcome]) for outcome in ("hack", "correct", "malformed")]
        compliance = [_rate(found["neutral_compliance"])] if found["neutral_compliance"] else []
        table.add_row("(none)", neutral[0], "", *neutral[1:], "", "", "", *compliance)
    for entry in found["candidates"]:
        rates = [_rate(entry["outcomes"][outcome]) for outcome in ("hack", "correct", "malformed")]
        scores = [_nats(entry.get("added")), _nats(entry.get("added_to_control")), _rank(entry.get("added_rank"))]
        compliance = [_rate(entry["compliance"])] if "compliance" in entry else []
        table.add_row(entry["name"], rates[0], _rank(entry["rank"]), *rates[1:], *scores, *compliance)
    return table


def _nats(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    if found["low"] is None:
        return f"{found['mean']:+.2f}"
    return f"{found['mean']:+.2f} [{found['low']:+.2f}, {found['high']:+.2f}]".replace("[", "\\[")


def _rank(found: dict[str, Any] | None) -> str:
    return "" if found is None else f"{found['rank']} ({found['low']:.0f}-{found['high']:.0f})"
