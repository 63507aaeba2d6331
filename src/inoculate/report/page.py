"""The page: what the template shows, put into words and shares, and everything inlined into one file."""

from __future__ import annotations

import base64
import hashlib
import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from inoculate.records import OUTCOMES
from inoculate.report import numbers
from inoculate.report.figures import FIRST, NAMES, Drawn
from inoculate.report.results import BASE, SCORED, Cell, Contrast, Results, mapping, number, text
from inoculate.report.samples import LONGEST_TEXT, Samples
from inoculate.report.series import ASKS, doses, in_question, words
from inoculate.report.tables import TRAINING

STATIC = Path(__file__).parent / "static"
SCRIPTS = ("store.js", "text.js", "filters.js", "list.js", "detail.js", "main.js")
STYLES = ("page.css", "parts.css", "reader.css")
FILTERS: tuple[Callable[..., str], ...] = (
    *(numbers.percent, numbers.interval, numbers.points, numbers.points_interval, numbers.p_value, numbers.count),
    *(numbers.seconds, numbers.plain, numbers.sentence),
)
EVIDENCE = ("observed", "attempted", "static")


def render(results: Results, samples: Samples, figures: dict[str, Drawn], tables: list[str]) -> str:
    """The page as one HTML text.

    Args:
        results: The results.
        samples: The packed samples.
        figures: The drawn figures, by name.
        tables: File names of the tables.
    """
    script = f'"use strict";\n(() => {{\n{joined(SCRIPTS)}}})();\n'
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Only our own script runs and nothing is fetched, whatever a text of the run might manage to be.
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"
    return (
        environment()
        .get_template("page.html")
        .render(
            results=results,
            samples=samples,
            figures=dict.fromkeys(NAMES) | {name: inlined(drawn) for name, drawn in figures.items()},
            tables=tables,
            policy=policy,
            script=Markup(script),
            css=Markup(joined(STYLES)),
            outcomes=OUTCOMES,
            scored=SCORED,
            counted=_counted(results),
            verdicts=[
                verdict(results, contrast, place, results.contrasts)
                for place, contrast in enumerate(results.contrasts, 1)
            ],
            study=_study(results),
            settings=_settings(results),
            changes=_changes(results),
            tags=_tags(results),
            asked=any(cell.context.startswith(ASKS) for cell in results.cells),
            floors=any(results.honest(cell.arm) for cell in results.cells),
            more_panels=len({(cell.setting, cell.context) for cell in results.cells}) > FIRST,
            tallied=list(Counter(contrast.verdict for contrast in results.contrasts).items()),
            doses=[(f"dose-{place}", dose) for place, dose in enumerate(doses(results), 1)],
            in_panels=_drawn_only(results),
            factorial=_factorial(results),
            elicitation=_elicitation(results.elicitation),
            sensitivity=[_survival(claim) for claim in results.sensitivity],
            looks=_looks(results.looks),
            missing=[_missing(cell) for cell in results.missing],
            checks=_checks(results),
            training=_training(results),
            longest=LONGEST_TEXT,
            study_file=(results.run / "study.toml").is_file(),
            partial=_partial(samples),
            seeds=results.study.get("seeds") or sorted({seed for cell in results.cells for seed in cell.seeds}),
        )
    )


def environment() -> Environment:
    """How the templates of `static/` are filled: escaped, with our filters, and a dash for what is not known."""
    made = Environment(
        loader=FileSystemLoader(STATIC),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: numbers.UNKNOWN if value is None or value != value else value,
    )
    for say in FILTERS:
        made.filters[say.__name__] = say
    return made


def inlined(drawn: Drawn) -> dict[str, str]:
    """A figure as a template shows it."""
    return {"label": drawn.label, "wide": Markup(drawn.wide), "narrow": Markup(drawn.narrow)}


def joined(names: tuple[str, ...]) -> str:
    """Files of `static/`, one after the other."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)


def _study(results: Results) -> dict[str, Any]:
    """The study as it was run, arm by arm and context by context. Keys without a value are not repeated."""
    evaluate = mapping(results.study.get("evaluate"))
    arms = mapping(results.study.get("arms"))
    known = ("question", "model", "seeds", "arms", "evaluate", "contrasts", "name")
    facts = {name: _said(mapping(arm), leave_out=("inoculation",)) for name, arm in arms.items()}
    # What all arms have in common is said once, so that what differs can be seen.
    same = [pair for pair in next(iter(facts.values()), []) if all(pair in found for found in facts.values())]
    same = same if len(arms) > 1 else []
    return {
        "same": same,
        "model": numbers.plain(results.study.get("model")),
        "arms": [
            {"name": name, "facts": [pair for pair in facts[name] if pair not in same], **_arm(mapping(arm), arms)}
            for name, arm in arms.items()
        ],
        "contexts": [
            {"name": name, **_context(mapping(context))} for name, context in mapping(evaluate.get("contexts")).items()
        ],
        "evaluate": _said(evaluate, leave_out=("contexts",)),
        "rest": _said(results.study, leave_out=known),
        "versions": numbers.flat(mapping(results.facts.get("versions"))),
        "machine": numbers.flat(mapping(results.facts.get("machine"))),
        "engines": "; ".join(map(text, results.facts.get("engines") or [])),
        "containment": text(results.facts.get("containment")),
        "hash": text(results.facts.get("study_hash")),
        "contrasts_hash": text(results.facts.get("declared_contrasts_hash")),
        "base": any(cell.arm == BASE for cell in results.cells),
    }


def _said(data: dict[str, Any], leave_out: tuple[str, ...]) -> list[tuple[str, str]]:
    return [
        (key, value)
        for key, value in numbers.flat(data, leave_out=leave_out)
        if value not in (numbers.NOTHING, numbers.UNKNOWN)
    ]


def _arm(arm: dict[str, Any], arms: dict[str, Any]) -> dict[str, Any]:
    inoculation = mapping(arm.get("inoculation"))
    texts: dict[str, str] = {}
    for name, other in arms.items():
        texts.setdefault(text(mapping(mapping(other).get("inoculation")).get("text")), name)
    said = {key: value for key, value in inoculation.items() if value not in (None, "")}
    if said.get("like") in texts:
        # The whole text of the other prompt stands in that arm's card.
        said["like"] = f"that of {texts[said['like']]}"
    return {
        "text": text(inoculation.get("text")),
        "how": [("length" if key == "like" else key, value) for key, value in numbers.flat(said, leave_out=("text",))],
    }


def _context(context: dict[str, Any]) -> dict[str, Any]:
    return {"text": text(context.get("text")), "how": numbers.flat(context, leave_out=("text",))}


def _settings(results: Results) -> list[dict[str, Any]]:
    """Settings with what their outcomes are called, their contexts, and in each the arms with their bars."""
    contexts: dict[tuple[str, str], list[Cell]] = {}
    for cell in results.main_cells():
        contexts.setdefault((cell.setting, cell.context), []).append(cell)
    return [
        {
            "name": setting,
            "labels": {name: results.label(setting, name) for name in OUTCOMES},
            "own": any(results.label(setting, name) != name for name in OUTCOMES),
            "gamed": any(cell.gamed for cell in results.cells if cell.setting == setting),
            "others": list(
                dict.fromkeys(name for cell in results.cells if cell.setting == setting for name in cell.others)
            ),
            "groups": [_group(results, context, cells) for (of, context), cells in contexts.items() if of == setting],
        }
        for setting in results.order("setting")
    ]


def _group(results: Results, context: str, cells: list[Cell]) -> dict[str, Any]:
    return {
        "context": context,
        "rows": [_row(results, cell) for cell in cells],
        "floor": [(cell.arm, cell.outcomes["hack"]) for cell in cells if results.honest(cell.arm)],
        "intervals": sorted({cell.interval for cell in cells if cell.interval}),
        "cautions": _cautions(cells),
        "bounds": any(_matters(both) for cell in cells for both in cell.bounds.values()),
    }


def _counted(results: Results) -> list[tuple[str, str, Callable[[Any], str]]]:
    """The columns beside the rates: field, heading, how it reads; those that say something somewhere."""
    cells = results.main_cells()
    counts = (("ungraded", "ungraded"), ("missing", "missing"), ("truncated", "cut off"))
    columns: list[tuple[str, str, Callable[[Any], str]]] = [
        (name, heading, numbers.count) for name, heading in counts if any(getattr(cell, name) for cell in cells)
    ]
    for name, heading, say in (("tokens", "tokens", numbers.count), ("distinct", "distinct", numbers.percent)):
        if any(getattr(cell, name) is not None for cell in cells):
            columns.append((name, heading, say))
    return columns


def _cautions(cells: list[Cell]) -> list[str]:
    """What must be read beside the rates, said once for all arms of which it holds."""
    of: dict[str, list[str]] = {}
    for cell in cells:
        if cell.caution:
            of.setdefault(cell.caution, []).append(cell.arm)
    trained = sum(cell.arm != BASE for cell in cells)
    return [caution if len(arms) == trained else f"{', '.join(arms)}: {caution}" for caution, arms in of.items()]


def _drawn_only(results: Results) -> list[tuple[str, str]]:
    """Settings and contexts of the small panels, where those are not all."""
    drawn = in_question(results)
    return drawn if len(drawn) < len({(cell.setting, cell.context) for cell in results.cells}) else []


def _partial(samples: Samples) -> dict[tuple[str, str, str], tuple[int, int]]:
    """By arm, setting and context of which not all samples are in the page: how many are, and of how many."""
    counts: dict[tuple[str, str, str], tuple[int, int]] = {}
    for cell in samples.cells:
        there, total = counts.get((cell.arm, cell.setting, cell.context), (0, 0))
        counts[cell.arm, cell.setting, cell.context] = there + cell.embedded, total + cell.total
    return {place: (there, total) for place, (there, total) in counts.items() if there < total}


def _matters(both: tuple[float, float]) -> bool:
    """Whether samples without an outcome can move a rate by more than a point."""
    return both[1] - both[0] > 0.01


def _row(results: Results, cell: Cell) -> dict[str, Any]:
    counts = {name: rate.count for name, rate in cell.outcomes.items()} | {"ungraded": cell.ungraded}
    of = f"{cell.shown:,} samples of {cell.arm}, {cell.context}"
    return {
        "cell": cell,
        "segments": [
            {
                "outcome": name,
                "count": count,
                "share": 100 * count / cell.shown,
                "href": _link(cell, outcome=name),
                "label": _label(cell, name, count),
                "said": f"{results.label(cell.setting, name)}: {count:,} of {of}",
            }
            for name, count in counts.items()
            if count
        ],
    }


def _label(cell: Cell, name: str, count: int) -> str:
    """The rate as the table has it, where the part of the bar is wide enough for it."""
    if count / cell.shown < 0.07:
        return ""
    rate = cell.outcomes[name].rate if name in cell.outcomes else None
    return numbers.percent(count / cell.shown if rate is None else rate)


def _link(cell: Cell, **more: str) -> str:
    """A link that sets the filters of the sample reader."""
    where = {"arm": cell.arm, "setting": cell.setting, "context": cell.context, "at": repr(cell.at).removesuffix(".0")}
    return "#samples?" + urlencode(where | more, errors="backslashreplace")


def _tags(results: Results) -> dict[str, Any]:
    """Tags by setting, context and arm: how many samples, on what evidence."""
    cells = [cell for cell in results.main_cells() if cell.tags]
    totals: dict[str, int] = {}
    for cell in cells:
        for tag, kinds in cell.tags.items():
            totals[tag] = totals.get(tag, 0) + sum(int(number(kind) or 0) for kind in kinds.values())
    names = sorted(totals, key=lambda name: (-totals[name], name))
    rows: list[dict[str, Any]] = [
        {
            "cell": cell,
            "tags": [
                {
                    "kinds": [(kind, cell.tags[name].get(kind) or 0) for kind in EVIDENCE] if name in cell.tags else [],
                    "href": _link(cell, tag=name),
                }
                for name in names
            ],
        }
        for cell in cells
    ]
    settings = list(dict.fromkeys(cell.setting for cell in cells))
    return {
        "names": names,
        "groups": [(setting, [row for row in rows if row["cell"].setting == setting]) for setting in settings],
    }


def verdict(results: Results, contrast: Contrast, place: int, others: Sequence[Contrast]) -> dict[str, Any]:
    """A contrast with the place of its interval on an axis that it shares with others, in percent."""
    ends = [abs(end) for c in others for end in (c.low, c.high, c.difference, c.margin) if end is not None]
    reach = min(1.0, math.ceil(10 * max([0.1, *ends])) / 10)

    def at(value: float | None) -> float | None:
        return None if value is None else min(100.0, max(0.0, 50 + 50 * value / reach))

    statuses = [guard.status for guard in contrast.guards]
    words = {"lower": "lower", "higher": "higher", "same": "the same"}
    extended = {key: number(contrast.extended.get(key)) for key in ("difference", "low", "high")}
    return {
        "measure": results.label(contrast.setting, contrast.measure),
        "floor": [(arm, rate) for arm, rate in contrast.floor if rate.rate is not None],
        "bounds": contrast.bounds if len(contrast.bounds) == 2 and _matters(contrast.bounds) else None,
        "extended": extended if contrast.extended else None,
        "needed": _needed(contrast.needed),
        "contrast": contrast,
        "id": f"contrast-{place}",
        "reach": reach,
        "estimate": at(contrast.difference),
        "low": at(contrast.low),
        "high": at(contrast.high),
        "margin": 50 * contrast.margin / reach if contrast.margin else None,
        "expected": words.get(contrast.direction, ""),
        "open": [(status, statuses.count(status)) for status in ("red", "amber") if status in statuses],
    }


def _needed(needed: dict[str, Any]) -> str:
    """How large a new study would have to be, or why that cannot be said."""
    seeds, problems = number(needed.get("seeds")), number(needed.get("problems"))
    if seeds is None or problems is None:
        return text(needed.get("reason"))
    said = f"{numbers.count(seeds)} seeds, {numbers.count(problems)} problems"
    seen = number(needed.get("seeds_as_seen"))
    return said if seen is None else f"{said}; {numbers.count(seen)} seeds if the difference is as large as seen"


def _survival(claim: dict[str, Any]) -> dict[str, Any]:
    """A claim that was made more than once, with each repetition as a line of a table."""
    keys = ("difference", "low", "high")
    return {
        "claim": text(claim.get("claim")),
        "sentence": text(claim.get("sentence")),
        "survives": bool(claim.get("survives")),
        "over": ", ".join(words(key) for key in claim.get("over") or ()),
        "repeats": [
            {key: number(repeat.get(key)) for key in keys}
            | {"value": numbers.plain(repeat.get("value")), "verdict": text(repeat.get("verdict"))}
            | {"arms": " against ".join(map(str, repeat.get("arms") or ()))}
            for repeat in map(mapping, claim.get("repeats") or ())
        ],
    }


def _changes(results: Results) -> list[dict[str, Any]]:
    """By setting, what is compared with, and each arm's changes in that order."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for change in results.changes:
        found.setdefault(change["setting"], {}).setdefault(change["arm"], {})[change["than"]] = change
    return [
        {
            "setting": setting,
            "label": results.label(setting, "correct"),
            "than": list(dict.fromkeys(than for changes in arms.values() for than in changes)),
            "arms": arms,
        }
        for setting, arms in found.items()
    ]


def _factorial(results: Results) -> dict[str, Any]:
    found = results.factorial
    return found | {"label": results.label(found["setting"], found["measure"])} if found else {}


def _elicitation(found: dict[str, Any]) -> dict[str, Any]:
    """Correlations and their intervals as they read."""
    if not found:
        return {}

    def said(value: float | None) -> str:
        return "" if value is None else numbers.minus(f"{value:+.2f}")

    correlations = [
        one
        | {"said": said(one["correlation"]) or numbers.UNKNOWN}
        | {"interval": f"{said(one['low'])} to {said(one['high'])}" if one["low"] is not None else ""}
        for one in found["correlations"]
    ]
    return found | {"correlations": correlations}


def _looks(looks: list[dict[str, Any]]) -> str:
    """When verdicts were planned to be read off, if that was more than once."""
    if len(looks) < 2:
        return ""
    known = [(number(look.get("seeds")), number(look.get("level"))) for look in looks]
    planned = "; ".join(f"after {numbers.count(n)} seeds at the level {numbers.p_value(level)}" for n, level in known)
    return f"Looks that were planned before the study ran, each with its share of the level: {planned}."


def _checks(results: Results) -> list[dict[str, str]]:
    order = {"red": 0, "amber": 1, "green": 2}
    checks = [
        {key: text(check.get(key)) for key in ("name", "status", "sentence")} | {"detail": numbers.detail(check)}
        for check in results.checks
    ]
    return sorted(checks, key=lambda check: order.get(check["status"], 3))


def _training(results: Results) -> list[dict[str, Any]]:
    lines = [{key: entry.get(key) for key in TRAINING} for entry in results.training]
    for line, entry in zip(lines, results.training, strict=True):
        values = [number(value) for _, value in entry.get("loss") or ()]
        line["loss"] = f"{values[-1]:.3f}" if values and values[-1] is not None else numbers.UNKNOWN
    return lines


def _missing(cell: Any) -> str:
    if not isinstance(cell, dict):
        return numbers.plain(cell)
    keys = ("arm", "seed", "at", "setting", "context")
    said = ", ".join(f"{key} {numbers.plain(cell[key])}" for key in keys if cell.get(key) is not None)
    why = text(cell.get("reason")) or text(cell.get("why"))
    return f"{said}: {why}" if why else said
