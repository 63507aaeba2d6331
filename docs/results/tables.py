"""The tables of these pages, from a results.json or a screen.json.

    python docs/results/tables.py docs/results/leaky-code/results.json

Rates in percent with 95% intervals, and each seed's rate of `--by-seed`; then the contrasts, what training changed, and
what prompts did where the study asks that. A report has the same numbers (`inoculate report RUN`); this prints them as
Markdown.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def main() -> None:
    """Print the tables of one file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=Path)
    parser.add_argument("--by-seed", default="hack", help="the outcome whose rate at every seed is shown")
    given = parser.parse_args()
    results = json.loads(given.results.read_text(encoding="utf-8"))
    if "candidates" in results:
        print(*screened(results), sep="\n")
        return
    several = len({cell["setting"] for cell in results["cells"]}) > 1
    print(*outcomes(results["cells"], results["settings"], given.by_seed, several), sep="\n")
    print()
    print(*contrasts(results["contrasts"]), sep="\n")
    print()
    print(*changes(results.get("changes") or []), sep="\n")
    print()
    print(*factorial(results.get("factorial") or {}), sep="\n")
    print()
    print(*elicitation(results.get("elicitation") or {}), sep="\n")


def outcomes(cells: list[dict[str, Any]], settings: dict[str, Any], by_seed: str, several: bool) -> list[str]:
    """A line for every arm in every setting and context."""
    names = ("correct", "hack", "wrong", "malformed")
    own = {setting: about["outcome_labels"] for setting, about in settings.items() if about["outcome_labels"]}
    heads = names if several or not own else [next(iter(own.values())).get(name, name) for name in names]
    lines = [row("context", "arm", *heads, f"{by_seed} by seed"), "|" + "---|" * 7]
    before = ""
    for cell in sorted(cells, key=lambda cell: (cell["setting"], cell["context"] != "neutral", cell["context"])):
        place = f"{cell['setting']}, {cell['context']}" if several else cell["context"]
        at = "" if cell["at"] in (0, 1) else f" at {cell['at']:.0%}"
        seeds = " ".join(percent(seed["outcomes"][by_seed]) for seed in cell["by_seed"] if seed["seed"] is not None)
        rates = (interval(cell["outcomes"][name]) for name in names)
        lines.append(row("" if place == before else place, cell["arm"] + at, *rates, seeds))
        before = place
    return lines


def contrasts(found: list[dict[str, Any]]) -> list[str]:
    """A line for every contrast."""
    lines = [row("claim", "difference", "95% interval", "adjusted p", "verdict"), "|" + "---|" * 5]
    for one in found:
        ends = "" if one["low"] is None else f"[{100 * one['low']:+.0f}, {100 * one['high']:+.0f}]"
        difference = "" if one["difference"] is None else f"{100 * one['difference']:+.0f}"
        p = "" if one["p_adjusted"] is None else f"{one['p_adjusted']:.2g}"
        lines.append(row(f"{one['claim']} ({one['measure']}, {one['setting']})", difference, ends, p, one["verdict"]))
    return lines


def changes(found: list[dict[str, Any]]) -> list[str]:
    """A line for every arm and setting: the change of `correct` against base and the clean arm, in points."""
    than = list(dict.fromkeys(one["than"] for one in found))
    lines = [row("setting", "arm", *(f"correct, against {name}" for name in than)), "|" + "---|" * (2 + len(than))]
    by_place: dict[tuple[str, str], dict[str, str]] = {}
    for one in found:
        ends = "" if one["low"] is None else f" [{100 * one['low']:+.0f}, {100 * one['high']:+.0f}]"
        by_place.setdefault((one["setting"], one["arm"]), {})[one["than"]] = f"{100 * one['difference']:+.1f}{ends}"
    lines += [row(*place, *(said.get(name, "") for name in than)) for place, said in by_place.items()]
    return lines if found else []


def factorial(found: dict[str, Any]) -> list[str]:
    """A line for every main effect and interaction of a grid of prompts, in points."""
    lines = [row("effect", "difference", "95% interval"), "|" + "---|" * 3]
    for one in found.get("effects") or []:
        ends = "" if one["low"] is None else f"[{100 * one['low']:+.0f}, {100 * one['high']:+.0f}]"
        lines.append(row(one["name"], f"{100 * one['estimate']:+.0f}", ends))
    return lines if len(lines) > 2 else []


def elicitation(found: dict[str, Any]) -> list[str]:
    """What every prompt elicited and how it inoculated, then the correlations and the direct test."""
    if not found:
        return []
    heads = ("prompt", "hack rate sampled under it", "added log-probability", "points less hacking", "by seed")
    lines = [row(*heads), "|" + "---|" * len(heads)]
    for one in sorted(found["points"], key=lambda point: -(point["sampled"] or 0)):
        added = "-" if one["added"] is None else f"{one['added']:+.3f}"
        effect = "-" if one["effect"] is None else f"{100 * one['effect']:+.0f}"
        seeds = " ".join(f"{100 * seed:+.0f}" for seed in one["by_seed"].values())
        lines.append(row(one["arm"], percent(one["sampled"]), added, effect, seeds))
    heads = ("score", "irrelevant prompts", "prompts", "Spearman", "95% interval", "says")
    lines += ["", row(*heads), "|" + "---|" * len(heads)]
    for one in found["correlations"]:
        value = "-" if one["correlation"] is None else f"{one['correlation']:+.2f}"
        ends = "" if one["low"] is None else f"[{one['low']:+.2f}, {one['high']:+.2f}]"
        irrelevant = "with" if one["with_irrelevant"] else "without"
        lines.append(row(one["score"], irrelevant, str(one["prompts"]), value, ends, one["says"]))
    if found["starts"]:
        heads = ("arm", "starts from", "points less hacking", "the same from the untrained model", "difference")
        lines += ["", row(*heads), "|" + "---|" * len(heads)]
    for one in found["starts"]:
        effects = ("-" if one[key] is None else f"{100 * one[key]:+.0f}" for key in ("effect", "effect_from_base"))
        ends = "" if one["low"] is None else f" [{100 * one['low']:+.0f}, {100 * one['high']:+.0f}]"
        difference = "-" if one["difference"] is None else f"{100 * one['difference']:+.0f}{ends}"
        lines.append(row(one["arm"], one["start"], *effects, difference))
    return lines


def screened(found: dict[str, Any]) -> list[str]:
    """A line for every prompt that was screened, by what it adds to hacked answers."""
    heads = ("prompt", "hack", "correct", "malformed", "added log-probability", "rank", "above an irrelevant prompt")
    rates = ("hack", "correct", "malformed")
    lines = [row(*heads), "|" + "---|" * len(heads)]
    lines.append(row("(none)", *(interval(found["neutral"][name]) for name in rates), "", "", ""))
    for one in sorted(found["candidates"], key=lambda candidate: -candidate["added"]["mean"]):
        scores = map(nats, (one["added"], one["added_to_control"]))
        rank = one["added_rank"]
        where = f"{rank['rank']:.0f} ({rank['low']:.0f}-{rank['high']:.0f})"
        outcomes = (interval(one["outcomes"][name]) for name in rates)
        lines.append(row(one["name"], *outcomes, next(scores), where, next(scores)))
    return lines


def nats(score: dict[str, Any]) -> str:
    """A mean log-probability and its interval, in nats."""
    ends = "" if score["low"] is None else f" [{score['low']:+.3f}, {score['high']:+.3f}]"
    return f"{score['mean']:+.3f}{ends}"


def interval(rate: dict[str, Any]) -> str:
    """A rate and its interval, in percent."""
    ends = "" if rate["low"] is None else f" [{100 * rate['low']:.0f}, {100 * rate['high']:.0f}]"
    return percent(rate["rate"]) + ends


def percent(rate: float | None) -> str:
    """A rate in percent; a dash where there is none."""
    return "-" if rate is None else f"{100 * rate:.0f}"


def row(*values: str) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(values) + " |"


if __name__ == "__main__":
    main()
