"""What the page says of the study itself: its arms, contexts and facts, what arms share said once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from inoculate.records import BASE
from inoculate.report import numbers
from inoculate.report.machines import machine_views
from inoculate.report.results import Results, mapping, text


def study_view(results: Results) -> dict[str, Any]:
    """The study as it was run, by arm and context. Keys without a value are left out."""
    evaluate = mapping(results.study.get("evaluate"))
    arms = mapping(results.study.get("arms"))
    shown_elsewhere = ("question", "model", "seeds", "arms", "evaluate", "contrasts", "name")
    facts = {name: _known_facts(mapping(arm), leave_out=("inoculation",)) for name, arm in arms.items()}
    shared_facts = _usual_facts(list(facts.values())) if len(arms) > 1 else []
    return {
        "shared": shared_facts,
        "model": numbers.plain(results.study.get("model")),
        "arms": [
            {
                "name": name,
                "facts": _own_facts(facts[name], shared_facts),
                **_arm_view(mapping(arm), arms),
            }
            for name, arm in arms.items()
        ],
        "contexts": [
            {"name": name, **_context_view(mapping(context))}
            for name, context in mapping(evaluate.get("contexts")).items()
        ],
        "evaluate": _known_facts(evaluate, leave_out=("contexts",)),
        "rest": _known_facts(results.study, leave_out=shown_elsewhere),
        "versions": numbers.flatten(mapping(results.facts.get("versions"))),
        "machine": numbers.flatten(mapping(results.facts.get("machine"))),
        "machines": machine_views(results.facts),
        "engines": "; ".join(map(text, results.facts.get("engines") or [])),
        "containment": text(results.facts.get("containment")),
        "regraded": [
            f"what version {' and '.join(map(text, mapping(versions).get('from') or ()))} of the graders of {name} had "
            f"judged was judged anew by version {text(mapping(versions).get('to'))}"
            for name, versions in mapping(results.facts.get("regraded")).items()
        ],
        "hash": text(results.facts.get("study_hash")),
        "contrasts_hash": text(results.facts.get("declared_contrasts_hash")),
        "base": any(cell.arm == BASE for cell in results.cells),
    }


def _usual_facts(facts: Sequence[list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """What more than half of the arms have in common: it is shown once, so that differences stand out."""
    count = Counter(pair for of_arm in facts for pair in of_arm)
    return [pair for pair, arms in count.items() if arms > len(facts) / 2]


def _own_facts(facts: list[tuple[str, str]], shared: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What an arm's card says: where it differs from what is shared, and what of that it does not have at all."""
    keys = [key for key, _ in facts]
    lacking = dict.fromkeys(_table_lacked(key, keys) for key, _ in shared if key not in keys)
    return [pair for pair in facts if pair not in shared] + [(table, numbers.NOTHING) for table in lacking]


def _table_lacked(key: str, present: list[str]) -> str:
    """The outermost table of a key of which nothing is present: `train` for `train.rank`; else the key itself."""
    names = key.split(".")
    tables = [".".join(names[:depth]) for depth in range(1, len(names))]
    return next((table for table in tables if not any(f"{one}.".startswith(f"{table}.") for one in present)), key)


def _known_facts(data: dict[str, Any], leave_out: tuple[str, ...]) -> list[tuple[str, str]]:
    return [
        (key, value)
        for key, value in numbers.flatten(data, leave_out=leave_out)
        if value not in (numbers.NOTHING, numbers.UNKNOWN)
    ]


def _arm_view(arm: dict[str, Any], arms: dict[str, Any]) -> dict[str, Any]:
    inoculation = mapping(arm.get("inoculation"))
    arm_by_text: dict[str, str] = {}
    for name, other in arms.items():
        arm_by_text.setdefault(text(mapping(mapping(other).get("inoculation")).get("text")), name)
    unset = (None, "", [], False)  # as by default
    hidden = ("filler", "by_seed", "texts")
    fields = {key: value for key, value in inoculation.items() if value not in unset and key not in hidden}
    if fields.get("like") in arm_by_text:
        # The card of the other arm has the whole text of its prompt.
        fields["like"] = f"that of {arm_by_text[fields['like']]}"
    return {
        "prompts": _prompts(inoculation),
        "details": [
            ("length" if key == "like" else key, value) for key, value in numbers.flatten(fields, leave_out=("text",))
        ],
    }


def _prompts(given: dict[str, Any]) -> list[tuple[str, str]]:
    """Each text of a prompt, and for which seeds or in which setting, where these have texts of their own."""
    seeds_by_text: dict[str, list[str]] = {}
    for seed, own in mapping(given.get("by_seed")).items():
        seeds_by_text.setdefault(text(mapping(own).get("text")), []).append(seed)
    found = [(own, f"seed{'s' if len(seeds) > 1 else ''} {', '.join(seeds)}") for own, seeds in seeds_by_text.items()]
    found += [(text(own), f"in {setting}") for setting, own in mapping(given.get("texts")).items()]
    return [(own, whose) for own, whose in found or [(text(given.get("text")), "")] if own]


def _context_view(context: dict[str, Any]) -> dict[str, Any]:
    return {
        "prompts": _prompts(context),
        "per_arm": bool(context.get("per_arm")),
        "details": numbers.flatten(context, leave_out=("text", "texts", "per_arm")),
    }
