"""Results as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from inoculate.analysis.cells import SCORED

_STATUS_STYLES = {"green": "green", "amber": "yellow", "red": "bold red"}
_VERDICT_STYLES = {"supported": "bold green", "refuted": "bold red", "inconclusive": "yellow"}


def report_tables(results: dict[str, Any]) -> Iterator[Group | Table]:
    """What the terminal shows of a run: outcomes and how hacks split, other metrics, contrasts, grids, elicitation.

    Args:
        results: As `analyse` returns them.
    """
    yield outcome_table(results)
    if split := gamed_table(results):
        yield split
    if others := others_table(results):
        yield others
    if results["contrasts"]:
        yield contrast_table(results)
    if results["factorial"]:
        yield effects_table(results["factorial"])
    if results["elicitation"]:
        yield elicitation_table(results["elicitation"])


def outcome_table(results: dict[str, Any]) -> Group:
    """Outcome rates in percent with 95% intervals, a table for every setting and context, a line for every arm.

    Ungraded, missing and truncated samples are told below the table in which they are.

    Args:
        results: As `analyse` returns them.
    """
    cells = results["cells"]
    curves = len({(cell["arm"], cell["at"]) for cell in cells}) > len({cell["arm"] for cell in cells})
    several = len({cell["setting"] for cell in cells}) > 1
    order = {key: list(dict.fromkeys(cell[key] for cell in cells)) for key in ("setting", "context", "arm")}
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for cell in sorted(cells, key=lambda c: (*(order[key].index(c[key]) for key in order), c["at"])):
        groups.setdefault((cell["setting"], cell["context"]), []).append(cell)
    parts: list[Text | Table] = [Text("Outcomes in percent, with 95% intervals", style="italic")]
    for (setting, context), some in groups.items():
        parts += [Text(f"\n{setting}, {context}" if several else f"\n{context}", style="bold"), _group(some, curves)]
        lost = "; ".join(filter(None, map(_lost, some)))
        parts += [Text(lost, style="yellow")] if lost else []
    cautions = dict.fromkeys(cell["caution"] for cell in cells if cell["caution"])
    return Group(*parts, *(Text(caution, style="italic") for caution in cautions))


def _group(cells: list[dict[str, Any]], curves: bool) -> Table:
    """The arms of one context; narrow enough for 80 columns, in which a cut interval would be a lost number."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("arm", overflow="fold", min_width=12)
    for name in (*(["at"] if curves else []), "n", "seeds", *SCORED):
        table.add_column(name, justify="right", no_wrap=True)
    for cell in cells:
        table.add_row(
            Text(cell["arm"]),
            *([f"{cell['at']:.0%}"] if curves else []),
            str(cell["samples"] - cell["ungraded"]),
            str(len(cell["seeds"])) if cell["seeds"] else "-",
            *(_rate(cell["outcomes"][outcome]) for outcome in SCORED),
        )
    return table


def _lost(cell: dict[str, Any]) -> str:
    """What is not in a cell's rates, or was cut off; empty where all is well."""
    names = (("ungraded", "ungraded"), ("missing", "missing"), ("truncated", "cut off"))
    said = ", ".join(f"{cell[name]} {words}" for name, words in names if cell[name])
    at = "" if cell["at"] in (0, 1) else f" at {cell['at']:.0%}"
    return f"{cell['arm']}{at}: {said}" if said else ""


def gamed_table(results: dict[str, Any]) -> Table | None:
    """Hacks split into those made for the check and near misses; None where nothing is known of it.

    Args:
        results: As `analyse` returns them.
    """
    cells = [cell for cell in results["cells"] if cell["gamed"] and cell["outcomes"]["hack"]["count"]]
    if not cells:
        return None
    title = "Hacks made for the check (gamed), and near misses: honest answers with a slip"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("setting", "context", "arm"):
        table.add_column(name, overflow="fold")
    for name in ("hack", "gamed", "near misses"):
        table.add_column(name, justify="right", no_wrap=True)
    for cell in cells:
        where = (Text(cell[name]) for name in ("setting", "context", "arm"))
        hack, gamed = cell["outcomes"]["hack"], cell["gamed"]
        table.add_row(*where, _rate(hack), _rate(gamed), f"{hack['count'] - gamed['count']} of {hack['count']}")
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
    interval = "" if found["low"] is None else f" {found['low'] * 100:.0f}-{found['high'] * 100:.0f}"
    return f"{found['rate'] * 100:.0f}{interval}"


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


def effects_table(found: dict[str, Any]) -> Group:
    """Main effects and interactions of a grid, in percentage points.

    Args:
        found: `factorial` of the results.
    """
    title = f"Effects on {found['measure']}, {found['setting']}, {found['context']}, in points with 95% intervals"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("effect", overflow="fold")
    table.add_column("difference", justify="right", no_wrap=True)
    for one in found["effects"]:
        table.add_row(Text(one["name"]), _difference(one | {"difference": one["estimate"]}))
    return Group(table, *([Text(found["reason"], style="yellow")] if found["reason"] else []))


def elicitation_table(found: dict[str, Any]) -> Group:
    """Correlations of elicitation with the effect of inoculation, and the arms that started from another.

    Args:
        found: `elicitation` of the results.
    """
    table = Table(title="Elicitation before training and effect after it", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("score", "prompts", "seeds", "Spearman, 95%", "says"):
        table.add_column(heading, overflow="fold")
    for one in found["correlations"]:
        interval = "" if one["low"] is None else f" [{one['low']:+.2f}, {one['high']:+.2f}]".replace("[", "\\[")
        said = "-" if one["correlation"] is None else f"{one['correlation']:+.2f}{interval}"
        which = f"{one['prompts']}" if one["with_irrelevant"] else f"{one['prompts']} relevant"
        table.add_row(one["score"], which, str(one["seeds"]), said, one["says"])
    parts: list[Table | Text] = [table]
    if found["starts"]:
        starts = Table(title="Started from a model that hacks when asked", box=SIMPLE_HEAD, pad_edge=False)
        for heading in ("arm", "effect", "from the untrained model", "difference, points"):
            starts.add_column(heading, overflow="fold")
        for one in found["starts"]:
            starts.add_row(one["arm"], _points(one["effect"]), _points(one["effect_from_base"]), _difference(one))
        parts.append(starts)
    return Group(*parts, *([Text(found["reason"], style="yellow")] if found["reason"] else []))


def _points(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:+.0f}"
