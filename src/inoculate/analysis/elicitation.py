"""Does elicitation before training go with the effect of inoculation after it? Over prompts, with an interval.

The *effect* of a prompt is the hack rate of the arm trained without a prompt minus that of the arm trained with it,
seed by seed, under the context that the study names. Its *elicitation* is what the screen found on the untrained
model: the sampled hack rate, and the log-probability per token that the prompt adds to hacked training answers. The
correlation is Spearman's, since neither need be linear in the other. Its interval redraws the prompts and the seeds,
both with replacement, 4,000 times (percentiles): prompts are the units that are generalized to, and a seed redrawn is
redrawn for all prompts, since they are all measured from the same plain arm. What the screen's own sample of problems
does to the scores is not in it: it pulls the correlation towards 0.

The direct test of the reason: the same arms started from a model that already hacks when asked (`start`), whose
behaviour training need not change. Where the prompt works through being obeyed, its effect should be larger there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit
from scipy.stats import rankdata

from inoculate.analysis.contrasts import Table, final
from inoculate.analysis.estimates import LEVEL, Counts, difference
from inoculate.analysis.reading import counts
from inoculate.study import prompts

DRAWS = 4000
FEWEST_PROMPTS = 10
"""Below this many prompts a correlation is not interpreted."""
SCORES = ("sampled", "added")
IRRELEVANT = frozenset({"irrelevant", "gibberish", "alike", "other-sense"})
"""Kinds of prompts that say nothing of the behaviour."""
Values = NDArray[np.float64]


def elicitation(table: Table, study: Mapping[str, Any], screen: Path) -> dict[str, Any] | None:
    """The correlation that a study declares; None where it declares none.

    Args:
        table: All finished cells.
        study: The study of the manifest.
        screen: `screen.json` of its screen.

    Returns:
        As docs/results-schema.md describes it.
    """
    declared = study.get("elicitation")
    if not declared:
        return None
    setting = declared["setting"] or study["evaluate"]["settings"][0]
    effects = _effects(table, study, declared, setting)
    candidates = json.loads(screen.read_text(encoding="utf-8"))["candidates"] if screen.exists() else []
    scored = {(entry["text"], entry["placement"]): entry for entry in candidates}
    points = [_point(study, arm, seeds, scored) for arm, seeds in effects.items() if not study["arms"][arm]["start"]]
    known = [point for point in points if point["effect"] is not None]
    return {
        "context": declared["context"], "setting": setting, "plain": declared["plain"],
        "points": points,
        "correlations": [
            _correlation(known, score, with_irrelevant) for score in SCORES for with_irrelevant in (True, False)
        ],
        "starts": _starts(study, effects),
        "reason": "" if candidates else "the prompts are not screened yet: `inoculate screen` with the same study",
    }  # fmt: skip


def _effects(
    table: Table, study: Mapping[str, Any], declared: Mapping[str, Any], setting: str
) -> dict[str, dict[int, float]]:
    """Arm -> seed -> how much lower its rate is than that of the arm without a prompt that started where it did."""
    found: dict[str, dict[int, Counts]] = {}
    for arm in study["arms"]:
        place = final(table, arm, setting, declared["context"])
        found[arm] = {t.seed: counts([t], "hack") for t in (table[place] if place else []) if t.seed is not None}
    plain = study["arms"][declared["plain"]]
    effects = {}
    for arm, spec in study["arms"].items():
        # Arms on other rows, or trained otherwise, would differ in more than their prompt.
        bare = {**spec, "inoculation": None}
        if spec["inoculation"] and {**bare, "start": ""} == plain:
            other = next((name for name, without in study["arms"].items() if without == bare), "")
            shared = sorted(found[arm].keys() & found[other].keys()) if other else []
            lower = {seed: difference(found[other][seed], found[arm][seed]) for seed in shared}
            effects[arm] = {seed: one.value for seed, one in lower.items() if one}
    return effects


def _point(
    study: Mapping[str, Any], arm: str, seeds: Mapping[int, float], scored: Mapping[tuple[str, str], Any]
) -> dict[str, Any]:
    given = study["arms"][arm]["inoculation"]
    base, _ = prompts.split_name(given.get("prompt") or "")
    entry = scored.get((given["text"], given["placement"]))
    return {
        "arm": arm,
        "kind": prompts.find(base).kind if base in prompts.names() else "",
        "irrelevant": base in prompts.names() and prompts.find(base).kind in IRRELEVANT,
        "effect": float(np.mean(list(seeds.values()))) if seeds else None,
        "by_seed": {str(seed): effect for seed, effect in seeds.items()},
        "sampled": entry["outcomes"]["hack"]["rate"] if entry else None,
        "added": entry.get("added", {}).get("mean") if entry else None,
    }


def _correlation(points: Sequence[Mapping[str, Any]], score: str, with_irrelevant: bool) -> dict[str, Any]:
    """Spearman's correlation of one score with the effects, its interval, and what it allows to say."""
    chosen = [p for p in points if p[score] is not None and (with_irrelevant or not p["irrelevant"])]
    seeds = sorted(set.intersection(*(set(p["by_seed"]) for p in chosen))) if chosen else []
    said: dict[str, Any] = {
        "score": score, "with_irrelevant": with_irrelevant, "prompts": len(chosen), "seeds": len(seeds),
        "correlation": None, "low": None, "high": None,
    }  # fmt: skip
    scores = np.array([p[score] for p in chosen], dtype=float)
    if len(chosen) < 3 or not seeds or np.ptp(scores) == 0:
        same = len(chosen) >= 3 and bool(seeds)
        return said | {"says": "not enough: the score is the same for all" if same else "not enough: too few prompts"}
    table = np.array([[p["by_seed"][seed] for seed in seeds] for p in chosen])
    said["correlation"], said["low"], said["high"] = interval(scores, table)
    return said | {"says": _says(said)}


def _says(said: Mapping[str, Any]) -> str:
    if said["prompts"] < FEWEST_PROMPTS:
        return f"not enough: {said['prompts']} prompts, at least {FEWEST_PROMPTS} are wanted"
    if said["low"] is None:
        return "not enough: one seed, or effects that do not differ"
    if said["low"] <= 0 <= said["high"]:
        return "not enough: the interval holds 0"
    return "stronger elicitation goes with a " + ("larger" if said["correlation"] > 0 else "smaller") + " effect"


def interval(scores: Values, effects: Values, draws: int = DRAWS) -> tuple[float | None, float | None, float | None]:
    """Spearman's correlation of scores with mean effects, and its 95% bootstrap interval over prompts and seeds.

    Args:
        scores: [P] Elicitation of every prompt.
        effects: [P, S] Effects by seed.
        draws: Bootstrap draws; those in which either side is constant have no correlation and are left out.

    Returns:
        Correlation, low, high; no interval with one seed.
    """
    whole = _spearman(scores[None], effects.mean(axis=1)[None])[0]
    if not np.isfinite(whole):
        return None, None, None
    count, seeds = effects.shape
    if seeds < 2:
        return float(whole), None, None
    draw = np.random.default_rng(0)
    rows = draw.integers(count, size=(draws, count))
    weights = draw.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws) / seeds  # [D, S]
    means = weights @ effects.T  # [D, P]
    found = _spearman(scores[rows], np.take_along_axis(means, rows, axis=1))
    low, high = np.nanquantile(found, [LEVEL / 2, 1 - LEVEL / 2])
    return float(whole), float(low), float(high)


def _spearman(one: Values, two: Values) -> Values:
    """[D] Rank correlations of rows [D, P]; NaN where a row is constant."""
    one, two = (rankdata(side, axis=-1) for side in (one, two))
    one, two = (side - side.mean(axis=-1, keepdims=True) for side in (one, two))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (one * two).sum(axis=-1) / np.sqrt((one**2).sum(axis=-1) * (two**2).sum(axis=-1))


def _starts(study: Mapping[str, Any], effects: Mapping[str, Mapping[int, float]]) -> list[dict[str, Any]]:
    """For every arm with a `start`: its effect, and that of the same arm from the untrained model."""
    found = []
    for arm, spec in study["arms"].items():
        if arm not in effects or not spec["start"]:
            continue
        twin = next((other for other in effects if study["arms"][other] == {**spec, "start": ""}), "")
        shared = sorted(effects[arm].keys() & effects[twin].keys()) if twin else []
        more = [effects[arm][seed] - effects[twin][seed] for seed in shared]
        half = _t_half(more)
        found.append(
            {
                "arm": arm, "start": spec["start"], "same_from_base": twin, "seeds": len(shared),
                "effect": _mean([effects[arm][seed] for seed in shared]),
                "effect_from_base": _mean([effects[twin][seed] for seed in shared]),
                "difference": _mean(more),
                "low": None if half is None else float(np.mean(more)) - half,
                "high": None if half is None else float(np.mean(more)) + half,
            }
        )  # fmt: skip
    return found


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _t_half(values: Sequence[float]) -> float | None:
    """Half a 95% t interval over seeds; none with one."""
    if len(values) < 2:
        return None
    return float(stdtrit(len(values) - 1, 1 - LEVEL / 2) * np.std(values, ddof=1) / np.sqrt(len(values)))
