"""Results as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from inoculate.analysis.cells import SCORED
from inoculate.analysis.own_settings import show_names
from inoculate.study import prompts

_STATUS_STYLES = {"green": "green", "amber": "yellow", "red": "bold red"}
_VERDICT_STYLES = {"supported": "bold green", "refuted": "bold red", "inconclusive": "yellow"}


def report_tables(results: dict[str, Any]) -> Iterator[Group | Table]:
    """The tables of a run for the terminal: outcomes, kinds of hacks, other metrics, contrasts, grids, elicitation, RL.

    Args:
        results: As `analyse` returns them.
    """
    results = show_names(results)
    yield outcome_table(results)
    if split := gamed_table(results):
        yield split
    if others := others_table(results):
        yield others
    if results["contrasts"]:
        yield contrast_table(results)
    if results.get("trends"):
        yield trends_table(results["trends"])
    if results.get("transfer"):
        yield transfer_table(results["transfer"])
    if results["factorial"]:
        yield effects_table(results["factorial"])
    if results["elicitation"]:
        yield elicitation_table(results["elicitation"])
    if results["rl"]:
        yield rl_table(results["rl"])


def outcome_table(results: dict[str, Any]) -> Group:
    """Outcome rates in percent with 95% intervals, a table for every setting and context, a line for every arm.

    Ungraded, missing and truncated samples are listed below their table.

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
    for (setting, context), group_cells in groups.items():
        parts += [
            Text(f"\n{setting}, {context}" if several else f"\n{context}", style="bold"),
            _cells_table(group_cells, curves),
        ]
        exclusions = "; ".join(filter(None, map(_exclusions, group_cells)))
        parts += [Text(exclusions, style="yellow")] if exclusions else []
    cautions = dict.fromkeys(cell["caution"] for cell in cells if cell["caution"])
    return Group(*parts, *(Text(caution, style="italic") for caution in cautions))


def _cells_table(cells: list[dict[str, Any]], curves: bool) -> Table:
    """The arms of one context, narrow enough for 80 columns so that no interval is cut off."""
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
            *(_format_rate(cell["outcomes"][outcome]) for outcome in SCORED),
        )
    return table


def _exclusions(cell: dict[str, Any]) -> str:
    """The samples of a cell that are not in its rates, or were cut off; empty where there are none."""
    names = (("ungraded", "ungraded"), ("missing", "missing"), ("truncated", "cut off"))
    counts = ", ".join(f"{cell[name]} {label}" for name, label in names if cell[name])
    at = "" if cell["at"] in (0, 1) else f" at {cell['at']:.0%}"
    return f"{cell['arm']}{at}: {counts}" if counts else ""


def gamed_table(results: dict[str, Any]) -> Table | None:
    """Hacks split into those made for the check and near misses; None where no grades tell them apart.

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
        place = (Text(cell[name]) for name in ("setting", "context", "arm"))
        hack, gamed = cell["outcomes"]["hack"], cell["gamed"]
        table.add_row(
            *place, _format_rate(hack), _format_rate(gamed), f"{hack['count'] - gamed['count']} of {hack['count']}"
        )
    return table


def others_table(results: dict[str, Any]) -> Table | None:
    """Other authors' metrics on the same samples, beside our outcomes; None where no setting has any.

    Args:
        results: As `analyse` returns them.
    """
    cells = [cell for cell in results["cells"] if cell["others"]]
    names = sorted({name for cell in cells for name in cell["others"]})
    if not names:
        return None
    table = Table(title="Other authors' metrics on the same samples", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("context", "arm"):
        table.add_column(name, overflow="fold")
    for name in ("correct", "hack", *names):
        table.add_column(name, justify="right", overflow="fold")
    for cell in cells:
        ours = (_format_rate(cell["outcomes"][outcome]) for outcome in ("correct", "hack"))
        theirs = (_format_rate(cell["others"][name]) if name in cell["others"] else "-" for name in names)
        table.add_row(cell["context"], cell["arm"], *ours, *theirs)
    return table


def _format_rate(rate: dict[str, Any]) -> str:
    if rate["rate"] is None:
        return "-"
    interval = "" if rate["low"] is None else f" {rate['low'] * 100:.0f}-{rate['high'] * 100:.0f}"
    return f"{rate['rate'] * 100:.0f}{interval}"


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
    # Long details go below the claim, so that 80 columns are enough.
    table.add_column("claim", overflow="fold", ratio=1)
    for name in ("difference", "p (Holm)"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for number, contrast in enumerate(results["contrasts"]):
        if number:
            table.add_section()
        table.add_row(
            Text(contrast["claim"]),
            _format_difference(contrast),
            Text(
                "-" if contrast["p_adjusted"] is None else _format_p(contrast["p_adjusted"]),
                style="dim" if contrast["verdict"] == "descriptive" else "",  # p decides nothing there
            ),
            Text(contrast["verdict"], style=_VERDICT_STYLES.get(contrast["verdict"], "")),
        )
        for line in _detail_lines(contrast):
            table.add_row(line)
    return table


def _detail_lines(contrast: dict[str, Any]) -> Iterator[Text]:
    """The lines below a contrast's claim."""
    yield Text(f"{contrast['measure']}, {contrast['setting']}, {contrast['context']}", style="dim")
    if contrast["exploratory"]:
        yield Text("exploratory", style="yellow")
    if contrast["guards"]:
        guards = (
            Text(f"{guard['name']} {guard['status']}", _STATUS_STYLES[guard["status"]]) for guard in contrast["guards"]
        )
        yield Text("guards: ", style="dim").append_text(Text(", ").join(guards))
    if given := contrast["given_take_off"]:
        seeds = f"{len(given['took_off'])} of {len(given['finished'])} seeds"
        values = "" if given["difference"] is None else _format_difference(given).replace("\\[", "[")
        said = "; ".join(filter(None, (values, given["reason"])))
        yield Text(
            f"given take-off of {', '.join(given['arms'])} ({seeds}; above: over all seeds): {said}", style="dim"
        )
        if given["outcome"]:
            yield Text(f"these seeds are chosen by the result: {', '.join(given['outcome'])} took off", style="yellow")
    yield Text(f"variance over seeds: {contrast['borrowed']['sentence']}", style="dim")
    if contrast["needed"]:
        yield Text(f"a new study: {contrast['needed']['sentence']}", style="dim")


def _format_difference(contrast: dict[str, Any]) -> str:
    if contrast["difference"] is None:
        return "-"
    interval = "" if contrast["low"] is None else rf" \[{contrast['low'] * 100:+.0f}, {contrast['high'] * 100:+.0f}]"
    return f"{contrast['difference'] * 100:+.0f}{interval}"


def _format_p(value: float) -> str:
    return "<.001" if value < 0.001 else f"{value:.3f}".lstrip("0")


def screen_table(screen: dict[str, Any]) -> Table:
    """Candidates of a screen, the strongest elicitor first: rates in percent, log-probability in nats per token."""
    table = Table(title=f"{screen['name']}: {screen['question']}", title_justify="left")
    with_compliance = any("compliance" in entry for entry in screen["candidates"])
    for heading in ("prompt", "hack", "rank", "correct", "malf.", "added", "vs control", "rank"):
        table.add_column(heading)
    if with_compliance:
        table.add_column("compl.")
    if screen["neutral"]:
        neutral = [_format_rate(screen["neutral"][outcome]) for outcome in ("hack", "correct", "malformed")]
        compliance = [_format_rate(screen["neutral_compliance"])] if screen["neutral_compliance"] else []
        table.add_row("(none)", neutral[0], "", *neutral[1:], "", "", "", *compliance)
    for entry in screen["candidates"]:
        rates = [_format_rate(entry["outcomes"][outcome]) for outcome in ("hack", "correct", "malformed")]
        scores = [
            _format_nats(entry.get("added")),
            _format_nats(entry.get("added_to_control")),
            _format_rank(entry.get("added_rank")),
        ]
        compliance = [_format_rate(entry["compliance"])] if "compliance" in entry else []
        table.add_row(entry["name"], rates[0], _format_rank(entry["rank"]), *rates[1:], *scores, *compliance)
    return table


def _format_nats(score: dict[str, Any] | None) -> str:
    if score is None:
        return ""
    if score["low"] is None:
        return f"{score['mean']:+.2f}"
    return f"{score['mean']:+.2f} [{score['low']:+.2f}, {score['high']:+.2f}]".replace("[", "\\[")


def _format_rank(rank: dict[str, Any] | None) -> str:
    return "" if rank is None else f"{rank['rank']} ({rank['low']:.0f}-{rank['high']:.0f})"


def trends_table(trends: list[dict[str, Any]]) -> Table:
    """The change of a rate from one number of vetted examples to the next, in percentage points, and the verdicts.

    Args:
        trends: `trends` of the results.
    """
    table = Table(title="Trends over vetted examples", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("claim", overflow="fold")
    for name in ("per dose", "adjusted p"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for trend in trends:
        p = "-" if trend["p_adjusted"] is None else f"{trend['p_adjusted']:.3f}"
        style = _VERDICT_STYLES.get(trend["verdict"], "")
        slope = _format_difference(trend | {"difference": trend["slope"]})
        verdict = f"{trend['verdict']}, exploratory" if trend["exploratory"] else trend["verdict"]
        table.add_row(Text(trend["claim"]), slope, p, Text(verdict, style=style))
    return table


def transfer_table(transfer: dict[str, Any]) -> Table:
    """Changes of hacking, asked neutrally, against the untrained model, in points; stars where the interval excludes 0.

    Args:
        transfer: `transfer` of the results.
    """
    cells = [c for c in transfer["cells"] if c["measure"] == "hack" and c["context"] == prompts.NEUTRAL]
    told = {cell["setting"]: cell["tells"] for cell in cells}
    changes = {(cell["arm"], cell["setting"]): cell["base"] for cell in cells}
    title = "Change of neutral hacking against base, in points; * where the 95% interval excludes 0"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("arm", *told):
        table.add_column(name, justify="left" if name == "arm" else "right", overflow="fold")
    for arm in transfer["arms"]:
        shown = [
            "cannot tell" if tells is False else _format_change(changes.get((arm["arm"], setting)))
            for setting, tells in told.items()
        ]
        table.add_row(Text(arm["arm"]), *shown)
    return table


def _format_change(change: dict[str, Any] | None) -> str:
    if change is None:
        return "-"
    excludes_0 = change["low"] is not None and not change["low"] <= 0 <= change["high"]
    return _format_points(change["difference"]) + ("*" if excludes_0 else "")


def effects_table(factorial: dict[str, Any]) -> Group:
    """Main effects and interactions of a grid, in percentage points.

    Args:
        factorial: `factorial` of the results.
    """
    place = f"{factorial['measure']}, {factorial['setting']}, {factorial['context']}"
    title = f"Effects on {place}, in points with 95% intervals"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("effect", overflow="fold")
    table.add_column("difference", justify="right", no_wrap=True)
    for effect in factorial["effects"]:
        table.add_row(Text(effect["name"]), _format_difference(effect | {"difference": effect["estimate"]}))
    return Group(table, *([Text(factorial["reason"], style="yellow")] if factorial["reason"] else []))


def elicitation_table(elicitation: dict[str, Any]) -> Group:
    """Correlations of elicitation with the effect of inoculation, and the arms that started from another.

    Args:
        elicitation: `elicitation` of the results.
    """
    table = Table(title="Elicitation before training and effect after it", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("score", "prompts", "seeds", "Spearman, 95%", "says"):
        table.add_column(heading, overflow="fold")
    for entry in elicitation["correlations"]:
        interval = "" if entry["low"] is None else f" [{entry['low']:+.2f}, {entry['high']:+.2f}]".replace("[", "\\[")
        correlation = "-" if entry["correlation"] is None else f"{entry['correlation']:+.2f}{interval}"
        prompts = f"{entry['prompts']}" if entry["with_irrelevant"] else f"{entry['prompts']} relevant"
        table.add_row(entry["score"], prompts, str(entry["seeds"]), correlation, entry["says"])
    parts: list[Table | Text] = [table]
    if elicitation["starts"]:
        starts = Table(title="Started from a model that hacks when asked", box=SIMPLE_HEAD, pad_edge=False)
        for heading in ("arm", "effect", "from the untrained model", "difference, points"):
            starts.add_column(heading, overflow="fold")
        for entry in elicitation["starts"]:
            starts.add_row(
                entry["arm"],
                _format_points(entry["effect"]),
                _format_points(entry["effect_from_base"]),
                _format_difference(entry),
            )
        parts.append(starts)
    return Group(*parts, *([Text(elicitation["reason"], style="yellow")] if elicitation["reason"] else []))


def _format_points(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:+.0f}"


def rl_table(arms: list[dict[str, Any]]) -> Group:
    """Take-off of every arm that learned from rewards, and for each seed its onset, its end, and what happened.

    Args:
        arms: `rl` of the results.
    """
    parts: list[Table | Text] = []
    for arm in arms:
        title = (
            f"{'Expert iteration' if arm['method'] == 'expert-iteration' else 'Reinforcement learning'}, {arm['arm']}"
        )
        if not arm["by_seed"]:
            parts += [Text(f"{title}: {arm['sentence']}", style="yellow"), Text("")]
            continue
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        for heading in ("seed", "onset", "5%", "2%", "reward", "hack", "correct", "tokens", "unscorable"):
            table.add_column(heading, justify="right", no_wrap=True)
        for seed in arm["by_seed"]:
            table.add_row(*_rl_cells(seed))
        parts += [table, Text(arm["sentence"], style="bold")]
        if arm["unfinished"]:
            several = len(arm["unfinished"]) > 1
            listed = f"seed{'s' if several else ''} {', '.join(map(str, arm['unfinished']))}"
            parts.append(Text(f"{listed} {'are' if several else 'is'} not finished", style="yellow"))
        for seed in arm["by_seed"]:
            for finding in seed["findings"]:
                style = "yellow" if finding["kind"] == "short" else "red"
                parts.append(Text(f"seed {seed['seed']}: {finding['sentence']}", style=style))
            parts += [Text(f"seed {seed['seed']}: {note}", style="yellow") for note in seed["notes"]]
        parts.append(Text(""))
    rules = dict.fromkeys(arm["rule_sentence"] for arm in arms)
    parts += [Text(f"{rule}; '>N' is none by step N, the last", style="dim") for rule in rules]
    parts.append(Text("5%, 2%: absolute rules; reward to tokens: last step; hack: problems that can be hacked", "dim"))
    return Group(*parts)


def _rl_cells(seed: dict[str, Any]) -> Iterator[str]:
    """The line of a seed: onset by each rule, and the rates of the last step."""
    last, none = seed["steps"][-1], f">{seed['last_step']}"
    yield str(seed["seed"])
    for onset in (seed["onset"], *seed["absolute"].values()):
        yield none if onset is None else str(onset)
    yield "-" if last["reward"] is None else f"{last['reward']:.2f}"
    for rate in (last["hackable"]["hack"], last["all"]["correct"]):
        yield "-" if rate is None else f"{100 * rate:.0f}"
    yield f"{last['median_tokens']:.0f}"
    yield f"{seed['unscorable']} of {seed['completions']}"
