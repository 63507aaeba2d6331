"""Effects of a grid of arms and correlations over prompts: against statsmodels, and by simulated coverage."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.formula.api as smf
from numpy.typing import NDArray
from pandas import DataFrame

from inoculate.analysis import analyse
from inoculate.analysis.elicitation import _correlate, analyse_elicitation, bootstrap_correlation
from inoculate.analysis.estimates import ArmRate
from inoculate.analysis.factorial import Levels, _explain_incomplete, _find_grid, _residual_variance, estimate_effects
from inoculate.analysis.run_folder import CellKey

CELLS: list[Levels] = list(product(("specific", "general"), ("none", "checked", "false"), ("after", "system")))


def arms_of(rates: NDArray[np.float64], problems: int = 40) -> list[ArmRate]:
    """Arms with these rates [A, S] on one kind for each problem, as many hits on each as gives the rate."""
    made = []
    for by_seed in rates:
        hits = np.repeat(by_seed[:, None], problems, axis=1)
        made.append(ArmRate.estimate(hits, np.ones_like(hits), problems))
    return made


def simulated(draw: np.random.Generator, seeds: int) -> NDArray[np.float64]:
    """Rates [A, S] with a main effect of the prompt of -.2, an interaction of +.1 with `false`, and errors."""
    means = np.array([0.6 - 0.2 * (c[0] == "general") + 0.1 * (c[0] == "general" and c[1] == "false") for c in CELLS])
    return means[:, None] + 0.08 * draw.standard_normal(seeds) + 0.05 * draw.standard_normal((len(CELLS), seeds))


def test_effects_and_their_errors_are_those_of_a_mixed_model_with_random_seeds() -> None:
    rates = simulated(np.random.default_rng(3), 6)
    lines = [(*CELLS[arm], seed, rate) for (arm, seed), rate in np.ndenumerate(rates)]
    frame = DataFrame(lines, columns=["prompt", "description", "placement", "seed", "rate"])
    for factor in ("prompt", "description", "placement"):
        order = list(dict.fromkeys(frame[factor]))
        frame[factor] = [f"{order.index(level)} {level}" for level in frame[factor]]
    formula = "rate ~ C(prompt, Sum) * C(description, Sum) * C(placement, Sum)"
    fit = smf.mixedlm(formula, frame, groups=frame["seed"]).fit(reml=True)
    variance, degrees = _residual_variance(arms_of(rates))
    assert degrees == (len(CELLS) - 1) * 5
    assert variance == pytest.approx(float(fit.scale), rel=1e-3)
    (main,) = (one for one in estimate_effects(CELLS, arms_of(rates)) if one["factors"] == ["prompt"])
    # With sums to zero and two levels, general minus specific is minus twice the coefficient of the first.
    assert main["estimate"] == pytest.approx(-2 * float(fit.fe_params["C(prompt, Sum)[S.0 specific]"]), abs=1e-6)


def test_effects_of_a_grid_without_error_are_what_went_in() -> None:
    means = np.array([0.6 - 0.2 * (c[0] == "general") + 0.1 * (c[0] == "general" and c[1] == "false") for c in CELLS])
    found = {
        (*one["factors"], *one["levels"]): one["estimate"]
        for one in estimate_effects(CELLS, arms_of(means[:, None] + [0, 0.1]))
    }
    assert found["prompt", "general"] == pytest.approx(-0.2 + 0.1 / 3)
    assert found["description", "false"] == pytest.approx(0.05)
    assert found["description", "checked"] == pytest.approx(0)
    assert found["prompt", "description", "general", "false"] == pytest.approx(0.1)
    assert found["description", "placement", "false", "system"] == pytest.approx(0)
    assert len(found) == 1 + 2 + 1 + 2 + 1 + 2


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_intervals_of_effects_cover_the_truth(seeds: int) -> None:
    draw, hits = np.random.default_rng(seeds), []
    for _ in range(200):
        found = estimate_effects(CELLS, arms_of(simulated(draw, seeds)))
        truth = {("prompt",): -0.2 + 0.1 / 3, ("placement",): 0.0}
        for one in found:
            if tuple(one["factors"]) in truth:
                hits.append(one["low"] <= truth[tuple(one["factors"])] <= one["high"])
    assert np.mean(hits) == pytest.approx(0.95, abs=0.04)


def study_with(arms: dict[str, dict[str, Any]]) -> dict[str, Any]:
    rows = {"setting": "functions"}
    return {
        "placement": "after", "evaluate": {"settings": ["functions"]},
        "arms": {name: {"rows": rows, "start": "", "inoculation": None, **spec} for name, spec in arms.items()},
    }  # fmt: skip


def test_a_grid_has_the_arms_that_differ_in_nothing_else() -> None:
    def given(prompt: str, **more: str) -> dict[str, Any]:
        return {"inoculation": {"prompt": prompt, "on": "all", **more}}

    arms = {
        "plain": {}, "a": given("specific"), "b": given("general+checked", placement="system"),
        "c": given("specific", on="hacked"), "d": {**given("specific"), "start": "c"}, "e": given("praise"),
    }  # fmt: skip
    grid = _find_grid(study_with(arms), ["specific", "general"])
    assert grid == {"a": ("specific", "none", "after"), "b": ("general", "checked", "system")}
    assert "the grid lacks specific none system" in _explain_incomplete(grid)


def test_a_correlation_is_spearmans_and_its_interval_covers() -> None:
    draw, hits, prompts = np.random.default_rng(1), [], 14
    truth = 6 / np.pi * np.arcsin(0.6 / 2)  # Spearman's of two normal variables correlated at .6
    for _ in range(200):
        scores = draw.standard_normal(prompts)
        true = 0.6 * scores + 0.8 * draw.standard_normal(prompts)
        by_seed = true[:, None] + draw.standard_normal(4) + 0.2 * draw.standard_normal((prompts, 4))
        whole, low, high = bootstrap_correlation(scores, by_seed, draws=400)
        assert whole is not None
        assert low is not None
        assert high is not None
        assert low <= whole <= high
        hits.append(low <= truth <= high)
    assert np.mean(hits) > 0.88


def test_an_interval_over_independent_scores_seldom_misses_zero() -> None:
    draw, missed = np.random.default_rng(2), []
    for _ in range(200):
        _, low, high = bootstrap_correlation(draw.standard_normal(12), draw.standard_normal((12, 3)), draws=400)
        assert low is not None
        assert high is not None
        missed.append(not low <= 0 <= high)
    assert np.mean(missed) < 0.1


def point(score: float, effect: float, irrelevant: bool = False) -> dict[str, Any]:
    return {"sampled": score, "added": None, "by_seed": {"0": effect, "1": effect + 0.01}, "irrelevant": irrelevant}


def test_what_is_not_enough_says_so() -> None:
    few = [point(0.1 * number, 0.1 * number) for number in range(8)]
    assert _correlate(few, "sampled", True)["says"].startswith("not enough: 8 prompts")
    same = [point(0.0, 0.1 * number) for number in range(12)]
    assert _correlate(same, "sampled", True)["says"] == "not enough: the score is the same for all"
    assert _correlate(same, "added", True)["says"] == "not enough: too few prompts"
    many = [point(0.1 * number, 0.1 * number, number > 9) for number in range(13)]
    assert _correlate(many, "sampled", True)["says"] == "stronger elicitation goes with a larger effect"
    assert _correlate(many, "sampled", False)["prompts"] == 10


def test_without_a_screen_the_points_have_no_scores(tmp_path: Path) -> None:
    study = study_with({"plain": {}, "a": {"inoculation": {"prompt": "specific", "text": "x", "placement": "after"}}})
    study["elicitation"] = {"plain": "plain", "context": "neutral", "setting": ""}
    table: dict[CellKey, Any] = {}
    found = analyse_elicitation(table, study, tmp_path / "screen.json")
    assert found is not None
    assert "not screened yet" in found["reason"]
    assert [(p["effect"], p["sampled"]) for p in found["points"]] == [(None, None)]
    study["arms"]["a@0.001"] = {**study["arms"]["a"], "train": {"learning_rate": 1e-3}}
    study["arms"]["silent"] = {**study["arms"]["a"], "inoculation": {**study["arms"]["a"]["inoculation"], "on": "none"}}
    again = analyse_elicitation(table, study, tmp_path / "screen.json")
    assert again is not None
    assert (
        again["points"] == found["points"]
    )  # trained otherwise, or with its prompt on no row: its effect would not be the prompt's
    (tmp_path / "screen.json").write_text(json.dumps({"candidates": []}), encoding="utf-8")
    assert analyse_elicitation(table, study | {"elicitation": None}, tmp_path / "screen.json") is None


def test_effects_do_not_come_from_ungraded_samples(new_run: Callable[..., Any]) -> None:
    """Both arms hack the same problems; what could not be graded is on these in one arm, on others in the other."""
    run = new_run(problems=20, kinds=10, samples=2)
    study = run.manifest["study"]
    for prompt, arm in ((None, "plain"), ("specific", "inoculated"), ("general", "other")):
        given = prompt and {"prompt": prompt, "text": prompt, "placement": "inside", "on": "all"}
        study["arms"][arm] = {"rows": {"hacked": 1.0}, "inoculation": given, "start": ""}
    study["factorial"] = {"measure": "hack", "context": "neutral", "setting": "", "prompts": ["specific", "general"]}
    study["elicitation"] = {"plain": "plain", "context": "neutral", "setting": ""}
    study["placement"] = "inside"
    hacks, right = [["hack"] * 2] * 8, [["correct"] * 2] * 12
    for seed in (0, 1):
        run.cell("plain", seed, [*hacks, *right])
        run.cell("inoculated", seed, [*[["hack", "ungraded"]] * 8, *right])
        run.cell("other", seed, [*hacks, *[["correct", "ungraded"]] * 10, *[["ungraded"] * 2] * 2])
    results = analyse(run.write())
    assert len({round(cell["outcomes"]["hack"]["rate"], 3) for cell in results["cells"]}) == 3, "the rates differ"
    assert [point["effect"] for point in results["elicitation"]["points"]] == pytest.approx([0, 0])
    (effect,) = results["factorial"]["effects"]
    assert effect["estimate"] == pytest.approx(0)
