"""Effects in a factorial grid of arms: prompt, description of the training process, and placement.

Every arm and seed has one rate. All arms of a seed have the same problems and the same draw of rows, so a seed is a
block. The model is rate = arm + seed + error, fitted with statsmodels; the error is the seed by arm interaction. For a
complete grid, fixed and random blocks give the same effects and standard errors (tested against statsmodels' mixed
model). Main effects and interactions are contrasts of the arms' means. Their standard errors come from the pooled
residual, with (arms - 1)(seeds - 1) degrees of freedom. So few seeds are enough where there are many arms, provided all
arms vary equally over seeds. The variance over kinds of problem is added, as in `estimates`.

The intervals are not adjusted for their number. The claims of a study are its contrasts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations, product
from math import prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from inoculate.analysis.cells import Table, common_counts
from inoculate.analysis.estimates import LEVEL, ArmRate, estimate_arms
from inoculate.analysis.verdicts import ONE_SEED
from inoculate.study.prompts import split_name

FACTORS = ("prompt", "description", "placement")
NO_DESCRIPTION = "none"
Levels = tuple[str, ...]
"""An arm's level of every factor."""


def analyse_factorial(table: Table, study: Mapping[str, Any]) -> dict[str, Any] | None:
    """The effects in the grid that a study declares; None where it declares none.

    Args:
        table: All finished cells.
        study: The study of the manifest.

    Returns:
        As docs/results-schema.md describes it; `reason` says why there are no effects, where there are none.
    """
    declared = study.get("factorial")
    if not declared:
        return None
    setting = declared["setting"] or study["evaluate"]["settings"][0]
    grid = _find_grid(study, declared["prompts"])
    result: dict[str, Any] = {
        "measure": declared["measure"], "context": declared["context"], "setting": setting,
        "factors": _factor_levels(grid.values()),
        "seeds": 0, "cells": [], "effects": [], "reason": _explain_incomplete(grid),
    }  # fmt: skip
    arm_counts, seeds = common_counts(table, list(grid), setting, declared["context"], declared["measure"])
    if result["reason"] or not arm_counts:
        result["reason"] = result["reason"] or "not all arms of the grid have a seed and problem in common yet"
        return result
    rates = estimate_arms(arm_counts)
    result["seeds"] = len(seeds)
    result["cells"] = [
        {"arm": arm, **dict(zip(FACTORS, levels, strict=True)), "rate": float(rate.rate)}
        for (arm, levels), rate in zip(grid.items(), rates, strict=True)
    ]
    result["effects"] = estimate_effects(list(grid.values()), rates)
    result["reason"] = ONE_SEED if len(seeds) == 1 else ""
    return result


def _find_grid(study: Mapping[str, Any], prompt_names: Sequence[str]) -> dict[str, Levels]:
    """Arm -> its levels. These arms have one of the prompts, and differ from the first only in the factors."""
    grid: dict[str, Levels] = {}
    shared_spec: Any = None
    for arm, spec in study["arms"].items():
        inoculation = spec.get("inoculation") or {}
        prompt, description = split_name(inoculation.get("prompt") or "")
        other_spec = {key: value for key, value in spec.items() if key != "inoculation"}
        other_spec |= {key: inoculation.get(key) for key in ("on", "like", "rephrase", "per_seed", "one_of")}
        if prompt in prompt_names and shared_spec in (None, other_spec):
            shared_spec = other_spec
            grid[arm] = (prompt, description or NO_DESCRIPTION, inoculation.get("placement") or study["placement"])
    return grid


def _factor_levels(arm_levels: Collection[Levels]) -> dict[str, list[str]]:
    """Factor -> its levels, in the order of the arms."""
    return {name: list(dict.fromkeys(levels[index] for levels in arm_levels)) for index, name in enumerate(FACTORS)}


def _explain_incomplete(grid: Mapping[str, Levels]) -> str:
    factor_levels = _factor_levels(grid.values())
    missing = [combination for combination in product(*factor_levels.values()) if combination not in grid.values()]
    if missing:
        examples = ", ".join(" ".join(combination) for combination in missing[:3])
        return f"the grid lacks {examples}: effects need every combination"
    if len(grid) > prod(map(len, factor_levels.values())):
        return "two arms of the grid have the same prompt, description and placement"
    return "" if len(grid) > 1 else "a grid of one arm has no effects"


def estimate_effects(arm_levels: Sequence[Levels], rates: Sequence[ArmRate]) -> list[dict[str, Any]]:
    """Main effects and two-way interactions of a complete grid, each against the first level of its factors.

    Args:
        arm_levels: [A] Levels of the arms.
        rates: [A] Their rates, over the same seeds and kinds of problem.

    Returns:
        For each `name` (`description: checked - none`), `factors`, `levels`, `than`, `estimate` (a difference of rates;
        for an interaction a difference of differences) and its 95% interval `low`, `high` (None with one seed).
    """
    variance, degrees = _residual_variance(rates)
    factor_levels = _factor_levels(arm_levels)
    effects = []
    for size in (1, 2):
        for factors in combinations(range(len(FACTORS)), size):
            names = [FACTORS[factor] for factor in factors]
            for contrasted in product(*(factor_levels[name][1:] for name in names)):
                reference = [factor_levels[name][0] for name in names]
                weights = _effect_weights(arm_levels, factors, contrasted, reference)
                estimate = float(weights @ [float(rate.rate) for rate in rates])
                half_width = _half_width(weights, rates, variance, degrees)
                effects.append(
                    {
                        "name": _effect_name(names, contrasted, reference),
                        "factors": names, "levels": list(contrasted), "than": reference, "estimate": estimate,
                        "low": None if half_width is None else estimate - half_width,
                        "high": None if half_width is None else estimate + half_width,
                    }
                )  # fmt: skip
    return effects


def _effect_name(factors: Sequence[str], factor_levels: Sequence[str], than: Sequence[str]) -> str:
    parts = zip(factors, factor_levels, than, strict=True)
    return " x ".join(f"{factor}: {level} - {first}" for factor, level, first in parts)


def _effect_weights(
    arm_levels: Sequence[Levels], factors: Sequence[int], contrasted: Sequence[str], reference: Sequence[str]
) -> NDArray[np.float64]:
    """[A] Weights of the arms' means in an effect: the product, over its factors, of level minus first level."""
    weights = np.zeros(len(arm_levels))
    for arm, levels in enumerate(arm_levels):
        signs = [
            (levels[factor] == level) - (levels[factor] == reference_level)
            for factor, level, reference_level in zip(factors, contrasted, reference, strict=True)
        ]
        weights[arm] = prod(signs)
    return weights / (np.abs(weights).sum() / 2 ** len(factors))


def _residual_variance(arm_rates: Sequence[ArmRate]) -> tuple[float, int]:
    """Residual variance of an arm's rate at one seed, given the effects of arm and seed, and its degrees of freedom."""
    rates = np.array([_rates_by_seed(rate) for rate in arm_rates])
    if rates.shape[1] < 2:
        return 0.0, 0
    import statsmodels.formula.api as smf  # takes half a second, which other commands need not spend
    from pandas import DataFrame

    records = [(arm, seed, rate) for (arm, seed), rate in np.ndenumerate(rates)]
    frame = DataFrame(records, columns=["arm", "seed", "rate"])
    fit = smf.ols("rate ~ C(arm) + C(seed)", frame).fit()
    return float(fit.mse_resid), int(fit.df_resid)


def _rates_by_seed(arm: ArmRate) -> NDArray[np.float64]:
    """[S] The rate of every seed; exact where all seeds have the same number of problems."""
    return arm.rate + arm.scores.sum(axis=-1) * arm.scores.shape[-2]


def _half_width(weights: NDArray[np.float64], rates: Sequence[ArmRate], variance: float, degrees: int) -> float | None:
    """Half the width of an effect's interval, from the pooled residual over seeds and the variance over kinds."""
    if not degrees:
        return None
    seeds = rates[0].scores.shape[-2]
    by_kind = sum(weight * rate.scores.sum(axis=-2) for weight, rate in zip(weights, rates, strict=True))
    kinds = len(np.atleast_1d(by_kind))
    over_kinds = kinds / (kinds - 1) * float((np.asarray(by_kind) ** 2).sum()) if kinds > 1 else 0.0
    over_seeds = variance * float((weights**2).sum()) / seeds
    return sqrt(
        _t_quantile(degrees) ** 2 * over_seeds + (_t_quantile(kinds - 1) ** 2 * over_kinds if kinds > 1 else 0.0)
    )


def _t_quantile(degrees: int) -> float:
    return float(stdtrit(degrees, 1 - LEVEL / 2))
