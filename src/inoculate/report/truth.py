"""What the report shows of prompts and training rows: of how many a prompt is true, and how likely it makes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from inoculate.report import numbers
from inoculate.report.results import Results

COLUMNS = (
    *("arm", "seed", "prompt", "own", "says", "description_true", "rows_true", "rows_false", "rows_unknown", "share"),
    *("with_prompt_true", "with_prompt_false", "with_prompt_unknown", "with_prompt_share"),
)
"""Headings of `truth_lines`."""
ROW_COLUMNS = ("arm", "seed", "exploit", "outcome", "rows")
"""Headings of `row_lines`."""
SCORE_COLUMNS = ("arms", "seeds", "prompt", "mean", "low", "high", "answers")
"""Headings of `score_lines`; the line without a prompt has the log-probability itself, the others what is added."""
_OTHER = ("wrong", "malformed")
_COUNTED = (
    *(("exploit", ("hack",)), ("exploit", ("correct",)), ("exploit", _OTHER)),
    *(("no_exploit", ("correct",)), ("no_exploit", _OTHER)),
)
"""The columns of an arm's rows: whether a hack was to be had, and which outcomes."""
_VERDICTS = ("true", "false", "unknown", "share")


def truth_view(results: Results) -> dict[str, Any]:
    """A line for each arm, over its seeds, with a share for each thing that prompts say of answers; empty for none."""
    read = [entry for entry in results.truth if not entry["reason"]]
    named = {one["prompt"]: one for entry in read for one in entry["prompts"]}
    says: dict[str, list[str]] = {}
    for name, one in named.items():
        if one["says"]:
            says.setdefault(one["says"], []).append(name)
    arms: dict[str, list[dict[str, Any]]] = {}
    for entry in read:
        arms.setdefault(entry["arm"], []).append(entry)
    return {
        "says": says,
        "silent": [name for name, one in named.items() if not one["says"]],
        "false": [name for name, one in named.items() if one["description"] is False],
        "arms": [_arm_line(arm, entries, says) for arm, entries in arms.items()],
        "unclear": any(entry["rows"].get("unknown") or _count_ungraded(entry) for entry in read),
        "unread": [entry for entry in results.truth if entry["reason"]],
    }


def _count_ungraded(entry: dict[str, Any]) -> int:
    return sum(outcomes["ungraded"] for outcomes in entry["rows"].values())


def _arm_line(arm: str, entries: list[dict[str, Any]], says: dict[str, list[str]]) -> dict[str, Any]:
    rows: Counter[tuple[str, str]] = Counter()
    own: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        for exploit, outcomes in entry["rows"].items():
            rows.update({(exploit, outcome): count for outcome, count in outcomes.items()})
        for one in entry["prompts"]:
            if one["own"]:
                own.setdefault(one["prompt"], []).append(one)
    return {
        "arm": arm,
        "own": list(own),
        "own_true": _pool(one["with_prompt"] for each in own.values() for one in each),
        "rows": sum(rows.values()),
        "counts": [sum(rows[exploit, outcome] for outcome in outcomes) for exploit, outcomes in _COUNTED],
        "unclear": sum(rows[pair] for pair in rows if pair[0] == "unknown" or pair[1] == "ungraded"),
        "shares": {
            what: _pool(one["all"] for entry in entries for one in entry["prompts"] if one["prompt"] == names[0])
            for what, names in says.items()
        },
    }


def _pool(counts: Iterable[dict[str, Any] | None]) -> dict[str, Any] | None:
    """Counts over seeds; None where the prompt says nothing of answers."""
    given = [one for one in counts if one]
    if not given:
        return None
    true, false, unknown = (sum(one[key] for one in given) for key in _VERDICTS[:3])
    known = true + false
    return {"true": true, "known": known, "unknown": unknown, "share": true / known if known else None}


def truth_lines(results: Results) -> Iterable[list[Any]]:
    """A line for each arm, seed and prompt that says something of answers."""
    for entry in results.truth:
        for one in entry["prompts"]:
            if one["says"]:
                carried = one["with_prompt"] or {}
                yield [
                    *(entry["arm"], entry["seed"], one["prompt"], "yes" if one["own"] else "no", one["says"]),
                    {None: None, True: "yes", False: "no"}[one["description"]],
                    *(one["all"][key] for key in _VERDICTS),
                    *(carried.get(key) for key in _VERDICTS),
                ]


def row_lines(results: Results) -> Iterable[list[Any]]:
    """A line for each arm, seed, exploit and outcome."""
    for entry in results.truth:
        for exploit, outcomes in entry["rows"].items():
            for outcome, count in outcomes.items():
                yield [entry["arm"], entry["seed"], exploit, outcome, count]


def score_views(results: Results) -> list[dict[str, Any]]:
    """What each prompt adds to the log-probability of trajectories, formatted."""
    return [
        entry
        | {"without": _nats(entry["without"]["mean"], "")}
        | {
            "prompts": [
                {
                    "prompt": one["prompt"],
                    "added": _nats(one["mean"]),
                    "interval": "" if one["low"] is None else f"{_nats(one['low'])} to {_nats(one['high'])}",
                    "answers": one["answers"],
                    "seeds": _some_seeds(one.get("seeds", entry["seeds"]), entry["seeds"]),
                }
                for one in entry["prompts"]
            ]
        }
        for entry in results.scores
    ]


def _some_seeds(seeds: Sequence[int], every: Sequence[int]) -> str:
    """The seeds in whose rows a prompt was looked at, where it is not all of them."""
    return "" if len(seeds) == len(every) else f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"


def _nats(value: float, sign: str = "+") -> str:
    return numbers.minus(f"{value:{sign}.3f}")


def score_lines(results: Results) -> Iterable[list[Any]]:
    """A line for each prompt, and one without."""
    for entry in results.scores:
        for one in ({"prompt": "", **entry["without"]}, *entry["prompts"]):
            joined = [" ".join(map(str, given)) for given in (entry["arms"], one.get("seeds", entry["seeds"]))]
            yield [*joined, *(one.get(key) for key in SCORE_COLUMNS[2:])]
