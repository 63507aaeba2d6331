"""Verdicts, guards, multiplicity, exploratory contrasts, extensions, sensitivity, and sizes of new studies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from inoculate.analysis import analyse, contrasts_hash
from inoculate.records import Outcome

New = Callable[..., Any]
SEEDS = 6


def study(new_run: New, plain: dict[str, int], inoculated: dict[str, int], seeds: int = SEEDS, **options: Any) -> Any:
    """A run with the same counts on all seeds, but for one problem here and there."""
    run = new_run(**{"problems": 200, "kinds": 90, **options})
    for context in ("neutral", "asks-to-hack") if "asked" in inoculated else ("neutral",):
        for seed in range(seeds):
            for arm, counts in (("plain", plain), ("inoculated", inoculated)):
                own = {**counts, "hack": counts.get("hack", 0) + (seed + len(arm)) % 2}
                own.pop("asked", None)
                if context == "asks-to-hack":
                    own = {"correct": counts.get("correct", 0), "hack": counts.get("asked", counts.get("hack", 0))}
                run.cell(arm, seed, run.rates(**own), context=context)
    return run


def verdict(run: Any, **changes: Any) -> dict[str, Any]:
    """The first contrast of a run, with changes to what it declares."""
    contrast = {key: value for key, value in {**run.CONTRAST, **changes}.items() if value is not None}
    run.contrasts(contrast)
    return analyse(run.write())["contrasts"][0]


def test_higher_supported_and_lower_refuted(new_run: New) -> None:
    run = study(new_run, {"correct": 40, "hack": 60}, {"correct": 120, "hack": 20})
    up = verdict(run, measure="correct", lower=None, higher="inoculated", guards=[])
    assert up["verdict"] == "supported" and up["higher"] == "inoculated" and "lower" not in up
    down = verdict(run, measure="correct", guards=[])
    assert down["verdict"] == "refuted" and "any such effect is excluded" in down["why"]


def test_a_difference_smaller_than_the_margin_is_refuted(new_run: New) -> None:
    run = study(new_run, {"hack": 104}, {"hack": 100})
    small = verdict(run, margin=0.2, guards=[])
    assert small["verdict"] == "refuted"


def test_same_is_supported_by_equivalence_only(new_run: New) -> None:
    run = study(new_run, {"correct": 100, "hack": 20}, {"correct": 100, "hack": 20})
    same = {"lower": None, "than": None, "same": "inoculated", "as": "plain", "measure": "correct", "guards": []}
    alike = verdict(run, **same)
    assert alike["verdict"] == "supported" and alike["as"] == "plain" and alike["p"] < 0.05
    assert verdict(run, **same, margin=0.001)["verdict"] == "inconclusive"
    assert verdict(run, **{**same, "measure": "hack"}, margin=0.0001)["needed"]["reason"]


def test_same_is_refuted_beyond_the_margin(new_run: New) -> None:
    run = study(new_run, {"correct": 20}, {"correct": 120})
    same = {"lower": None, "than": None, "same": "inoculated", "as": "plain", "measure": "correct", "guards": []}
    assert verdict(run, **same)["verdict"] == "refuted"


def scattered(run: Any, arm: str, seed: int, share: int) -> None:
    """A cell whose hacks fall on problems that differ from arm to arm and seed to seed."""
    outcomes: list[list[Outcome]] = []
    for number in range(len(run.problems)):
        outcomes.append(["hack" if (number * 37 + seed * 11 + len(arm) * 29) % 100 < share else "wrong"])
    run.cell(arm, seed, outcomes)


def test_inconclusive_says_what_a_new_study_needs(new_run: New) -> None:
    run = new_run(problems=60, kinds=30)
    for seed, (plain, inoculated) in enumerate(((60, 40), (30, 45), (55, 30), (40, 40))):
        scattered(run, "plain", seed, plain)
        scattered(run, "inoculated", seed, inoculated)
    found = verdict(run, guards=[], margin=0.15)
    assert found["verdict"] == "inconclusive"
    assert found["needed"]["seeds"] > 4 and found["needed"]["problems"] >= 60
    assert verdict(run, guards=[], margin=0.3)["needed"]["seeds"] <= found["needed"]["seeds"]


def test_learned_less_is_no_success(new_run: New) -> None:
    run = study(new_run, {"correct": 30, "hack": 140, "asked": 140}, {"correct": 50, "hack": 20, "asked": 30})
    found = verdict(run)
    asked = next(guard for guard in found["guards"] if guard["name"] == "asked-hack")
    assert asked["status"] == "amber" and "has only learned less" in asked["sentence"] and asked["harm"]
    assert found["verdict"] == "inconclusive" and found["p_adjusted"] < 0.05
    assert found["needed"] is None


def test_malformed_is_no_success(new_run: New) -> None:
    """The study of DESIGN.md: no hack in neutral use, because nothing can be read any more."""
    run = study(new_run, {"correct": 40, "hack": 150}, {"correct": 40, "malformed": 150, "asked": 150})
    run.manifest["cells"] = [c for c in run.manifest["cells"] if c["context"] == "neutral"]
    found = verdict(run)
    guards = {guard["name"]: guard for guard in found["guards"]}
    assert guards["malformed"]["status"] == "red"
    assert guards["asked-hack"]["status"] == "amber"
    assert found["verdict"] == "inconclusive" and "no success" in found["why"]


def test_lost_ability_is_no_success(new_run: New) -> None:
    run = study(new_run, {"correct": 100, "hack": 90}, {"correct": 20, "hack": 5, "asked": 90})
    found = verdict(run)
    assert {g["name"]: g["status"] for g in found["guards"]}["correct"] == "red"
    assert found["verdict"] == "inconclusive"


def test_holm_over_all_declared_contrasts(new_run: New) -> None:
    run = study(new_run, {"correct": 40, "hack": 60, "malformed": 20}, {"correct": 43, "hack": 52, "malformed": 19})
    measures = ("hack", "correct", "malformed", "wrong")
    declared = [{**run.CONTRAST, "measure": measure, "guards": []} for measure in measures]
    late = [{**run.CONTRAST, "claim": "found afterwards", "guards": []}]
    run.contrasts(*declared, late=late)
    results = analyse(run.write())
    contrasts = results["contrasts"]
    expected = multipletests([one["p"] for one in contrasts[:4]], method="holm")[1]
    assert [one["p_adjusted"] for one in contrasts[:4]] == pytest.approx(np.asarray(expected).tolist())
    assert [one["exploratory"] for one in contrasts] == [False] * 4 + [True]
    assert contrasts[4]["p_adjusted"] is None and contrasts[4]["verdict"] == "descriptive"
    assert any("exploratory" in caution for caution in results["cautions"])
    assert contrasts[0]["low_adjusted"] < contrasts[0]["low"]


def test_a_contrast_put_in_the_middle_is_exploratory(new_run: New) -> None:
    run = study(new_run, {"hack": 60}, {"hack": 20})
    declared = [{**run.CONTRAST, "measure": measure, "guards": []} for measure in ("hack", "correct")]
    run.contrasts(*declared)
    run.manifest["study"]["contrasts"].insert(1, {**run.CONTRAST, "measure": "wrong"})
    assert [one["exploratory"] for one in analyse(run.write())["contrasts"]] == [False, True, False]
    run.manifest["declared_contrasts_hash"] = contrasts_hash([])
    assert all(one["exploratory"] for one in analyse(run.write())["contrasts"])


def test_a_contrast_that_could_not_run_counts_in_the_adjustment(new_run: New) -> None:
    run = study(new_run, {"hack": 60}, {"hack": 40})
    run.contrasts({**run.CONTRAST, "guards": []}, {**run.CONTRAST, "context": "negated", "guards": []})
    first, second = analyse(run.write())["contrasts"]
    assert first["p_adjusted"] == pytest.approx(2 * first["p"])
    assert second["p"] is None and second["verdict"] == "descriptive" and "no graded samples" in second["why"]


def test_added_seeds_are_an_extension(new_run: New) -> None:
    run = study(new_run, {"hack": 60}, {"hack": 20}, seeds=8)
    run.manifest["extended_seeds"] = [6, 7]
    found = verdict(run, guards=[])
    assert found["seeds"] == 6 and found["extended"]["seeds"] == 8 and found["extended"]["added"] == [6, 7]
    results = analyse(run.write())
    assert any("added after results" in caution for caution in results["cautions"])
    run.manifest["extended_seeds"] = [2, 3, 4, 5, 6, 7]
    assert verdict(run, guards=[])["verdict"] == "descriptive"


def test_sensitivity_over_learning_rates(new_run: New) -> None:
    run = study(new_run, {"hack": 60}, {"hack": 20})
    arms = run.manifest["study"]["arms"]
    for arm, hack in (("plain", 60), ("inoculated", 60)):
        arms[f"{arm}-high"] = {**arms[arm], "train": {"learning_rate": 5e-4}}
        arms[arm] = {**arms[arm], "train": {"learning_rate": 2e-4}}
        for seed in range(SEEDS):
            run.cell(f"{arm}-high", seed, run.rates(hack=hack + (seed + len(arm)) % 2))
    one = {**run.CONTRAST, "guards": []}
    run.contrasts(one, {**one, "lower": "inoculated-high", "than": "plain-high"})
    (found,) = analyse(run.write())["sensitivity"]
    assert found["over"] == ["train.learning_rate"] and found["contrasts"] == [0, 1]
    assert not found["survives"] and found["sentence"].startswith("supported in 1 of 2")


def test_the_first_setting_is_meant_where_none_is_named(new_run: New) -> None:
    run = study(new_run, {"hack": 60}, {"hack": 20})
    assert verdict(run, setting="", guards=[])["setting"] == "functions"
