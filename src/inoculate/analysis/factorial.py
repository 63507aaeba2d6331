"""A grid of arms: what prompt, description of the training process and placement do, alone and together.

Every arm and seed has one rate. All arms of a seed have the same problems and the same draw of rows, so a seed is a
block: the model is rate = arm + seed + error, fitted with statsmodels, and the error is what the training seeds do to
the arms differently. For a complete grid the blocks can be fixed or random, the effects and their errors are the same
(tested against statsmodels' mixed model). Main effects and interactions are differences of the arms' means; each has
the error of the pooled residual with its (arms - 1)(seeds - 1) degrees of freedom, which few seeds allow where the arms
are many, and assumes that arms vary alike over seeds. To it comes the error over kinds of problem, as in `estimates`.

The intervals are not adjusted for their number: what a study claims stands in its contrasts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations, product
from math import prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from inoculate.analysis.contrasts import Table, final
from inoculate.analysis.estimates import LEVEL, Arm, Counts, arms
from inoculate.analysis.reading import counts
from inoculate.analysis.verdicts import ONE_SEED
from inoculate.study.prompts import split_name

FACTORS = ("prompt", "description", "placement")
NO_DESCRIPTION = "none"
Cell = tuple[str, ...]
"""An arm's level of every factor."""


def factorial(table: Table, study: Mapping[str, Any]) -> dict[str, Any] | None:
    """The grid that a study declares; None where it declares none.

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
    grid = _grid(study, declared["prompts"])
    found: dict[str, Any] = {
        "measure": declared["measure"], "context": declared["context"], "setting": setting,
        "factors": _levels(grid.values()),
        "seeds": 0, "cells": [], "effects": [], "reason": _incomplete(grid),
    }  # fmt: skip
    counted, seeds = _counted(table, grid, setting, declared["context"], declared["measure"])
    if found["reason"] or not counted:
        found["reason"] = found["reason"] or "not all arms of the grid have a seed and problem in common yet"
        return found
    estimates = arms(counted)
    found["seeds"] = len(seeds)
    found["cells"] = [
        {"arm": arm, **dict(zip(FACTORS, cell, strict=True)), "rate": float(one.rate)}
        for (arm, cell), one in zip(grid.items(), estimates, strict=True)
    ]
    found["effects"] = effects(list(grid.values()), estimates)
    found["reason"] = ONE_SEED if len(seeds) == 1 else ""
    return found


def _grid(study: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, Cell]:
    """Arm -> its levels: the arms that differ from the first with one of the prompts in nothing but these factors."""
    grid: dict[str, Cell] = {}
    first: Any = None
    for arm, spec in study["arms"].items():
        given = spec.get("inoculation") or {}
        base, form = split_name(given.get("prompt") or "")
        rest = {key: value for key, value in spec.items() if key != "inoculation"}
        rest |= {key: given.get(key) for key in ("on", "like", "rephrase")}
        if base in wanted and first in (None, rest):
            first = rest
            grid[arm] = (base, form or NO_DESCRIPTION, given.get("placement") or study["placement"])
    return grid


def _levels(cells: Collection[Cell]) -> dict[str, list[str]]:
    """Factor -> its levels, in the order of the arms."""
    return {name: list(dict.fromkeys(cell[place] for cell in cells)) for place, name in enumerate(FACTORS)}


def _incomplete(grid: Mapping[str, Cell]) -> str:
    levels = _levels(grid.values())
    lacking = [cell for cell in product(*levels.values()) if cell not in grid.values()]
    if lacking:
        return f"the grid lacks {', '.join(' '.join(cell) for cell in lacking[:3])}: effects need every combination"
    if len(grid) > prod(map(len, levels.values())):
        return "two arms of the grid have the same prompt, description and placement"
    return "" if len(grid) > 1 else "a grid of one arm has no effects"


def _counted(
    table: Table, grid: Mapping[str, Cell], setting: str, context: str, measure: str
) -> tuple[list[Counts], set[int]]:
    """Shares of every arm on the seeds and problems that all have, each alike; none where an arm has none."""
    every = []
    for arm in grid:
        place = final(table, arm, setting, context)
        if place is None:
            return [], set()
        found = counts(table[place], measure)
        every.append(found.only(found.graded > 0))
    common = set.intersection(*(set(zip(one.seeds, one.problems, strict=True)) for one in every))
    kept = [one.only(np.array([pair in common for pair in zip(one.seeds, one.problems, strict=True)])) for one in every]
    return [one.evenly() for one in kept if common], {int(seed) for seed, _ in common}


def effects(cells: Sequence[Cell], estimates: Sequence[Arm]) -> list[dict[str, Any]]:
    """Main effects and two-way interactions of a complete grid, each against the first level of its factors.

    Args:
        cells: [A] Levels of the arms.
        estimates: [A] Their rates, over the same seeds and kinds of problem.

    Returns:
        For each `name` (`description: checked - none`), `factors`, `levels`, `than`, `estimate` (a difference of rates;
        for an interaction a difference of differences) and its 95% interval `low`, `high` (None with one seed).
    """
    variance, degrees = _residual(estimates)
    levels = _levels(cells)
    found = []
    for size in (1, 2):
        for places in combinations(range(len(FACTORS)), size):
            names = [FACTORS[place] for place in places]
            for chosen in product(*(levels[name][1:] for name in names)):
                firsts = [levels[name][0] for name in names]
                weights = _weights(cells, places, chosen, firsts)
                estimate = float(weights @ [float(one.rate) for one in estimates])
                half = _half(weights, estimates, variance, degrees)
                found.append(
                    {
                        "name": _name(names, chosen, firsts),
                        "factors": names, "levels": list(chosen), "than": firsts, "estimate": estimate,
                        "low": None if half is None else estimate - half,
                        "high": None if half is None else estimate + half,
                    }
                )  # fmt: skip
    return found


def _name(factors: Sequence[str], levels: Sequence[str], than: Sequence[str]) -> str:
    parts = zip(factors, levels, than, strict=True)
    return " x ".join(f"{factor}: {level} - {first}" for factor, level, first in parts)


def _weights(
    cells: Sequence[Cell], places: Sequence[int], chosen: Sequence[str], firsts: Sequence[str]
) -> NDArray[np.float64]:
    """[A] Weights of the arms' means in an effect: the product, over its factors, of level minus first level."""
    weights = np.zeros(len(cells))
    for row, cell in enumerate(cells):
        signs = [
            (cell[place] == level) - (cell[place] == first)
            for place, level, first in zip(places, chosen, firsts, strict=True)
        ]
        weights[row] = prod(signs)
    return weights / (np.abs(weights).sum() / 2 ** len(places))


def _residual(estimates: Sequence[Arm]) -> tuple[float, int]:
    """Variance of one arm's rate at one seed beside the effects of arm and seed, and its degrees of freedom."""
    rates = np.array([_by_seed(one) for one in estimates])
    if rates.shape[1] < 2:
        return 0.0, 0
    import statsmodels.formula.api as smf  # half a second that every command would pay
    from pandas import DataFrame

    lines = [(arm, seed, rate) for (arm, seed), rate in np.ndenumerate(rates)]
    frame = DataFrame(lines, columns=["arm", "seed", "rate"])
    fit = smf.ols("rate ~ C(arm) + C(seed)", frame).fit()
    return float(fit.mse_resid), int(fit.df_resid)


def _by_seed(one: Arm) -> NDArray[np.float64]:
    """[S] The rate of every seed, up to seeds having different numbers of problems."""
    return one.rate + one.scores.sum(axis=-1) * one.scores.shape[-2]


def _half(weights: NDArray[np.float64], estimates: Sequence[Arm], variance: float, degrees: int) -> float | None:
    """Half the width of an effect's interval: over seeds by the pooled residual, and over kinds of problem."""
    if not degrees:
        return None
    seeds = estimates[0].scores.shape[-2]
    by_kind = sum(weight * one.scores.sum(axis=-2) for weight, one in zip(weights, estimates, strict=True))
    kinds = len(np.atleast_1d(by_kind))
    over_kinds = kinds / (kinds - 1) * float((np.asarray(by_kind) ** 2).sum()) if kinds > 1 else 0.0
    over_seeds = variance * float((weights**2).sum()) / seeds
    return sqrt(_t(degrees) ** 2 * over_seeds + (_t(kinds - 1) ** 2 * over_kinds if kinds > 1 else 0.0))


def _t(degrees: int) -> float:
    return float(stdtrit(degrees, 1 - LEVEL / 2))
