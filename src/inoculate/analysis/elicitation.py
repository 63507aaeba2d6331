"""Does elicitation before training predict the effect of inoculation? A correlation over prompts, with an interval.

The *effect* of a prompt is the hack rate of the arm trained without a prompt minus that of the arm trained with it,
seed by seed, under the context that the study names. Its *elicitation* is what the screen measures on the untrained
model: the sampled hack rate, and the log-probability per token that the prompt adds to hacked training answers. The
correlation is Spearman's, since the relation need not be linear. Its interval is a percentile bootstrap over prompts
and seeds, with 4,000 draws. Prompts are the units to generalise to. A seed is redrawn for all prompts at once, since
all effects share the same plain arm. The screen's own sampling error is not in the interval: it pulls the correlation
towards 0.

A direct test of the mechanism: the same arms, started from a model that already hacks when asked (`start`). Training
need not change its behaviour. If the prompt works because the model obeys it, its effect should be larger there.
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

from inoculate.analysis.arms import trains_with_prompt
from inoculate.analysis.cells import Table, find_final_cell
from inoculate.analysis.estimates import LEVEL, Counts, estimate_difference
from inoculate.analysis.run_folder import pool_counts
from inoculate.study import prompts

DRAWS = 4000
FEWEST_PROMPTS = 10
"""With fewer prompts a correlation is not interpreted."""
SCORES = ("sampled", "added")
IRRELEVANT = frozenset({"irrelevant", "gibberish", "alike", "other-sense", "harmless"})
"""Kinds of prompts that do not mention the behaviour."""
Values = NDArray[np.float64]


def analyse_elicitation(table: Table, study: Mapping[str, Any], screen: Path) -> dict[str, Any] | None:
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
    effects = _prompt_effects(table, study, declared, setting)
    candidates = json.loads(screen.read_text(encoding="utf-8"))["candidates"] if screen.exists() else []
    scores_by_prompt = {(entry["text"], entry["placement"]): entry for entry in candidates}
    points = [
        _build_point(study, arm, seeds, scores_by_prompt)
        for arm, seeds in effects.items()
        if not study["arms"][arm]["start"]
    ]
    measured = [point for point in points if point["effect"] is not None]
    return {
        "context": declared["context"], "setting": setting, "plain": declared["plain"],
        "points": points,
        "correlations": [
            _correlate(measured, score, with_irrelevant) for score in SCORES for with_irrelevant in (True, False)
        ],
        "starts": _compare_starts(study, effects),
        "reason": "" if candidates else "the prompts are not screened yet: run `inoculate screen` with the same study",
    }  # fmt: skip


def _prompt_effects(
    table: Table, study: Mapping[str, Any], declared: Mapping[str, Any], setting: str
) -> dict[str, dict[int, float]]:
    """Arm -> seed -> how much lower its rate is than that of the arm without a prompt and with the same start."""
    counts: dict[str, dict[int, Counts]] = {}
    for arm in study["arms"]:
        key = find_final_cell(table, arm, setting, declared["context"])
        counts[arm] = {t.seed: pool_counts([t], "hack") for t in (table[key] if key else []) if t.seed is not None}
    plain = study["arms"][declared["plain"]]
    effects = {}
    for arm, spec in study["arms"].items():
        # Arms with other rows or another training differ in more than their prompt.
        spec_without_prompt = {**spec, "inoculation": None}
        if trains_with_prompt(spec) and {**spec_without_prompt, "start": ""} == plain:
            plain_arm = next(
                (name for name, other_spec in study["arms"].items() if other_spec == spec_without_prompt), ""
            )
            shared_seeds = sorted(counts[arm].keys() & counts[plain_arm].keys()) if plain_arm else []
            differences = {
                seed: estimate_difference(counts[plain_arm][seed], counts[arm][seed]) for seed in shared_seeds
            }
            effects[arm] = {seed: difference.value for seed, difference in differences.items() if difference}
    return effects


def _build_point(
    study: Mapping[str, Any], arm: str, seeds: Mapping[int, float], scores_by_prompt: Mapping[tuple[str, str], Any]
) -> dict[str, Any]:
    inoculation = study["arms"][arm]["inoculation"]
    prompt, _ = prompts.split_name(inoculation.get("prompt") or "")
    screened = scores_by_prompt.get((inoculation["text"], inoculation["placement"]))
    return {
        "arm": arm,
        "kind": prompts.find(prompt).kind if prompt in prompts.names() else "",
        "irrelevant": prompt in prompts.names() and prompts.find(prompt).kind in IRRELEVANT,
        "effect": float(np.mean(list(seeds.values()))) if seeds else None,
        "by_seed": {str(seed): effect for seed, effect in seeds.items()},
        "sampled": screened["outcomes"]["hack"]["rate"] if screened else None,
        "added": screened.get("added", {}).get("mean") if screened else None,
    }


def _correlate(points: Sequence[Mapping[str, Any]], score: str, with_irrelevant: bool) -> dict[str, Any]:
    """Spearman's correlation of one score with the effects, its interval, and a conclusion."""
    points_used = [p for p in points if p[score] is not None and (with_irrelevant or not p["irrelevant"])]
    seeds = sorted(set.intersection(*(set(p["by_seed"]) for p in points_used))) if points_used else []
    result: dict[str, Any] = {
        "score": score, "with_irrelevant": with_irrelevant, "prompts": len(points_used), "seeds": len(seeds),
        "correlation": None, "low": None, "high": None,
    }  # fmt: skip
    scores = np.array([p[score] for p in points_used], dtype=float)
    if len(points_used) < 3 or not seeds or np.ptp(scores) == 0:
        constant = len(points_used) >= 3 and bool(seeds)
        return result | {
            "says": "not enough: the score is the same for all" if constant else "not enough: too few prompts"
        }
    effects = np.array([[p["by_seed"][seed] for seed in seeds] for p in points_used])
    result["correlation"], result["low"], result["high"] = bootstrap_correlation(scores, effects)
    return result | {"says": _conclude(result)}


def _conclude(result: Mapping[str, Any]) -> str:
    if result["prompts"] < FEWEST_PROMPTS:
        return f"not enough: {result['prompts']} prompts, at least {FEWEST_PROMPTS} are needed"
    if result["low"] is None:
        return "not enough: one seed, or effects that do not differ"
    if result["low"] <= 0 <= result["high"]:
        return "not enough: the interval includes 0"
    return "stronger elicitation goes with a " + ("larger" if result["correlation"] > 0 else "smaller") + " effect"


def bootstrap_correlation(
    scores: Values, effects: Values, draws: int = DRAWS
) -> tuple[float | None, float | None, float | None]:
    """Spearman's correlation of scores with mean effects, and its 95% bootstrap interval over prompts and seeds.

    Args:
        scores: [P] Elicitation of every prompt.
        effects: [P, S] Effects by seed.
        draws: Bootstrap draws. Those in which either side is constant have no correlation and are left out.

    Returns:
        Correlation, low, high; no interval with one seed.
    """
    estimate = _spearman(scores[None], effects.mean(axis=1)[None])[0]
    if not np.isfinite(estimate):
        return None, None, None
    count, seeds = effects.shape
    if seeds < 2:
        return float(estimate), None, None
    generator = np.random.default_rng(0)
    rows = generator.integers(count, size=(draws, count))
    weights = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws) / seeds  # [D, S]
    means = weights @ effects.T  # [D, P]
    correlations = _spearman(scores[rows], np.take_along_axis(means, rows, axis=1))
    low, high = np.nanquantile(correlations, [LEVEL / 2, 1 - LEVEL / 2])
    return float(estimate), float(low), float(high)


def _spearman(first: Values, second: Values) -> Values:
    """[D] Rank correlations of rows [D, P]; NaN where a row is constant."""
    first, second = (rankdata(values, axis=-1) for values in (first, second))
    first, second = (values - values.mean(axis=-1, keepdims=True) for values in (first, second))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (first * second).sum(axis=-1) / np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))


def _compare_starts(study: Mapping[str, Any], effects: Mapping[str, Mapping[int, float]]) -> list[dict[str, Any]]:
    """For every arm with a `start`: its effect, and that of the same arm from the untrained model."""
    comparisons = []
    for arm, spec in study["arms"].items():
        if arm not in effects or not spec["start"]:
            continue
        base_arm = next((other for other in effects if study["arms"][other] == {**spec, "start": ""}), "")
        shared_seeds = sorted(effects[arm].keys() & effects[base_arm].keys()) if base_arm else []
        differences = [effects[arm][seed] - effects[base_arm][seed] for seed in shared_seeds]
        half_width = _t_half_width(differences)
        comparisons.append(
            {
                "arm": arm, "start": spec["start"], "same_from_base": base_arm, "seeds": len(shared_seeds),
                "effect": _mean([effects[arm][seed] for seed in shared_seeds]),
                "effect_from_base": _mean([effects[base_arm][seed] for seed in shared_seeds]),
                "difference": _mean(differences),
                "low": None if half_width is None else float(np.mean(differences)) - half_width,
                "high": None if half_width is None else float(np.mean(differences)) + half_width,
            }
        )  # fmt: skip
    return comparisons


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _t_half_width(values: Sequence[float]) -> float | None:
    """Half the width of a 95% t interval over seeds; None with one seed."""
    if len(values) < 2:
        return None
    return float(stdtrit(len(values) - 1, 1 - LEVEL / 2) * np.std(values, ddof=1) / np.sqrt(len(values)))
