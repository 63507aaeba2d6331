"""Verdicts, guards, multiplicity, exploratory contrasts, extensions, sensitivity, and sizes of new studies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from inoculate.analysis import analyse, contrasts_hash, read_contrast
from inoculate.analysis.looks import Schedule, split_level
from inoculate.errors import UserError
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
    assert down["verdict"] == "refuted" and "an effect that large is excluded" in down["why"]


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
    assert found["verdict"] == "inconclusive" and "not a success" in found["why"]


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


def repeated(new_run: New, hacks: dict[str, tuple[int, int]]) -> Any:
    """A run whose contrast is repeated: learning rate -> hacks without and with inoculation; first the study's."""
    first, *_ = hacks
    run = study(new_run, {"hack": hacks[first][0]}, {"hack": hacks[first][1]})
    arms = run.manifest["study"]["arms"]
    run.manifest["study"]["sensitivity"] = {"learning_rate": [float(rate) for rate in hacks]}
    for number, arm in enumerate(("plain", "inoculated")):
        arms[arm]["train"] = {"learning_rate": float(first), "epochs": 1}
        for rate, hack in list(hacks.items())[1:]:
            arms[f"{arm}@{rate}"] = {**arms[arm], "train": {"learning_rate": float(rate), "epochs": 1}}
            for seed in range(SEEDS):
                run.cell(f"{arm}@{rate}", seed, run.rates(hack=hack[number] + (seed + len(arm)) % 2))
    run.contrasts({**run.CONTRAST, "guards": []})
    return run


def test_a_claim_that_survives_other_learning_rates(new_run: New) -> None:
    run = repeated(new_run, {"2e-4": (60, 20), "5e-4": (90, 30), "1e-4": (50, 10)})
    results = analyse(run.write())
    (found,) = results["sensitivity"]
    assert found["over"] == ["train.learning_rate"] and found["contrasts"] == [0] and found["survives"]
    assert [one["value"] for one in found["repeats"]] == [5e-4, 1e-4]
    assert found["repeats"][0]["arms"] == ["inoculated@5e-4", "plain@5e-4"]
    assert found["repeats"][0]["difference"] == pytest.approx(-0.3, abs=0.01)
    assert found["repeats"][0]["low"] < -0.3 < found["repeats"][0]["high"] < 0
    assert len(results["contrasts"]) == 1  # repetitions are not contrasts, and adjust nothing


def test_a_claim_that_does_not_survive(new_run: New) -> None:
    (found,) = analyse(repeated(new_run, {"2e-4": (60, 20), "5e-4": (60, 60)}).write())["sensitivity"]
    assert not found["survives"] and found["verdicts"][0] == "supported" and found["verdicts"][1] != "supported"
    assert found["sentence"].startswith("supported at 1 of 2 learning rates: supported in the study, ")


def test_a_repetition_that_is_not_finished_does_not_survive(new_run: New) -> None:
    run = repeated(new_run, {"2e-4": (60, 20), "5e-4": (60, 20)})
    run.manifest["cells"] = [c for c in run.manifest["cells"] if c["arm"] != "plain@5e-4"]
    (found,) = analyse(run.write())["sensitivity"]
    assert not found["survives"] and found["repeats"][0]["verdict"] == "descriptive"
    del run.manifest["study"]["arms"]["plain@5e-4"]
    with pytest.raises(UserError, match="no arm like 'plain'"):
        analyse(run.write())


def test_a_study_is_judged_when_its_planned_seeds_are_finished(new_run: New) -> None:
    """Who stops when p is small finds something too often: before the planned end there is no verdict."""
    run = study(new_run, {"hack": 60}, {"hack": 20})
    run.manifest["declared_seeds"] = list(range(8))
    early = verdict(run, guards=[])
    assert early["verdict"] == "descriptive" and early["p"] < 0.05 and early["p_adjusted"] is None
    assert "the verdict needs 8 finished seeds, and these are not finished: 6, 7" in early["why"]
    run.manifest["declared_seeds"] = list(range(6))
    assert verdict(run, guards=[])["verdict"] == "supported"


def test_a_planned_look_has_a_part_of_the_level(new_run: New) -> None:
    run = study(new_run, {"hack": 60}, {"hack": 20}, seeds=4)
    run.manifest |= {"declared_seeds": list(range(6)), "declared_looks": [3]}
    found = verdict(run, guards=[])
    assert found["look"]["level"] == pytest.approx(split_level([3, 6])[0]) and found["look"]["level"] < 0.01
    assert found["seeds"] == 3, "the fourth seed waits for the next look"
    assert found["p_adjusted"] == pytest.approx(found["p"] * 0.05 / found["look"]["level"])
    assert found["verdict"] == "supported"
    results = analyse(run.write())
    assert any("an early planned look: 3 seeds" in caution for caution in results["cautions"])
    assert [look["seeds"] for look in results["looks"]] == [3, 6]


def test_levels_of_looks_add_up_to_the_whole() -> None:
    for looks in ([5], [3, 5], [3, 6, 10], list(range(3, 20))):
        found = split_level(looks)
        assert sum(found) == pytest.approx(0.05) and all(level > 0 for level in found)
        assert found[0] == pytest.approx(2 * stats.norm.sf(1.959964 * (looks[-1] / looks[0]) ** 0.5), rel=1e-5)


def test_seeds_count_in_their_order() -> None:
    """A seed that is left out cannot be made up for by later ones."""
    schedule = Schedule((0, 1, 2, 3, 4), (3, 5))
    assert schedule.find_look({0, 1, 2, 4}) == (frozenset({0, 1, 2}), pytest.approx(split_level([3, 5])[0]), "")
    without = schedule.find_look({0, 2, 3, 4})
    assert without.level is None and without.seeds == {0, 2, 3, 4} and without.why.endswith("these are not finished: 1")


def test_contrasts_against_base_are_paired_by_problem(new_run: New) -> None:
    """Where every trained seed differs from base on the same problems, only those problems carry the error."""
    run = new_run(problems=300, kinds=100)
    run.cell("base", None, run.rates(correct=150))
    run.manifest["study"]["arms"]["clean"] = {"rows": {"hacked": 0.0}, "inoculation": None}
    for seed in range(4):
        run.cell("plain", seed, run.rates(correct=120 + seed % 2))
        run.cell("clean", seed, run.rates(correct=150 + seed % 2))
    run.contrasts(
        {**run.CONTRAST, "claim": "", "measure": "correct", "lower": "plain", "than": "base", "guards": []},
        {**run.CONTRAST, "claim": "", "measure": "correct", "lower": "plain", "than": "clean", "guards": []},
        {"measure": "correct", "setting": "functions", "same": "clean", "as": "base", "margin": 0.05},
    )
    against_base, against_clean, same = analyse(run.write())["contrasts"]
    for found in (against_base, against_clean):
        assert (found["seeds"], found["problems"], found["verdict"]) == (4, 300, "supported")
        assert found["difference"] == pytest.approx(-0.1, abs=0.003)
        # Two independent samples of 300 would have a half width of .08 at least.
        assert found["high"] - found["low"] < 0.09
    assert same["verdict"] == "supported" and same["seeds"] == 4


def test_a_further_contrast_is_exploratory_and_changes_nothing(new_run: New) -> None:
    run = study(new_run, {"hack": 60}, {"hack": 20})
    run.contrasts({**run.CONTRAST, "guards": []})
    before = analyse(run.write())["contrasts"]
    further = read_contrast('measure=correct higher=inoculated than=plain margin=0.1 claim="more is right"')
    declared, added = analyse(run.root, [further])["contrasts"]
    assert declared == before[0]
    assert added["claim"] == "more is right" and added["exploratory"] and added["verdict"] == "descriptive"
    assert added["p_adjusted"] is None and added["needed"] is None and added["margin"] == 0.1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("measure=hack lower", "'lower' is not key=value"),
        ("mesure=hack", "did you mean 'measure'"),
        ("margin=much", "not a number"),
        ("margin=nan", "'nan' is no share between 0 and 1"),
        ("margin=5", "'5' is no share between 0 and 1"),
        ("measure='hack", "no closing quotation"),
        ("measure=hack measure=correct", "'measure' is there twice"),
    ],
)
def test_a_further_contrast_in_wrong_words(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_contrast(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lower=plain than=plain", "'plain' is compared with itself"),
        ("lower=inoculated than=plain context=nowhere", "not evaluated: 'nowhere': allowed: "),
        ("lower=inoculated than=plain setting=function", "not evaluated: 'function': did you mean 'functions'"),
        ("lower=inoculatd than=plain", "unknown arm 'inoculatd': did you mean 'inoculated'"),
        ("lower=inoculated", "lacks 'than'"),
    ],
)
def test_a_further_contrast_of_what_there_is_not(new_run: New, text: str, said: str) -> None:
    run = study(new_run, {"hack": 60}, {"hack": 20})
    run.contrasts({**run.CONTRAST, "guards": []})
    run.write()
    with pytest.raises(UserError, match=f"^contrast 'measure=hack {text}'.*{said}"):
        analyse(run.root, [read_contrast(f"measure=hack {text}")])


def test_what_was_changed_since_the_declaration_is_said(new_run: New) -> None:
    run = study(new_run, {"hack": 60}, {"hack": 20})
    run.manifest["changed_since_declared"] = ["evaluate.problems"]
    run.contrasts(run.CONTRAST)
    assert any(c.startswith("changed since the study was first run: eval") for c in analyse(run.write())["cautions"])


def test_the_first_setting_is_meant_where_none_is_named(new_run: New) -> None:
    run = study(new_run, {"hack": 60}, {"hack": 20})
    assert verdict(run, setting="", guards=[])["setting"] == "functions"
