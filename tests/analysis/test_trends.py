"""Trends over vetted examples: the slope beside scipy and statsmodels, its level by simulation, and verdicts."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats as scipy_stats

from filled_store import fill, write_study
from inoculate import checksums
from inoculate.analysis import analyse
from inoculate.analysis.estimates import ArmRate
from inoculate.analysis.trends import dose_of, estimate_slope, slope_weights
from inoculate.errors import UserError
from inoculate.records import Grade, write_lines
from inoculate.report import write_report
from inoculate.steps.store import Store
from inoculate.study.parse import load

stats: Any = scipy_stats  # whose results have no types


def arm_rates(hits: Any) -> list[ArmRate]:
    """[A] Rates of arms from hits [A, S, K], with one problem of each kind."""
    return [ArmRate.estimate(np.asarray(one, float), np.ones(np.shape(one)), np.shape(one)[-1]) for one in hits]


def test_one_seed_is_a_t_test_of_the_slopes_by_kind() -> None:
    hits = np.random.default_rng(0).random((4, 1, 30)) < np.array([0.7, 0.5, 0.45, 0.3])[:, None, None]
    slope = estimate_slope(arm_rates(hits))
    assert slope
    by_kind = [stats.linregress(range(4), column).slope for column in hits[:, 0].T.astype(float)]
    fit = sm.OLS(hits[:, 0].mean(axis=1), sm.add_constant(np.arange(4))).fit()
    assert slope.value == pytest.approx(np.mean(by_kind)) == pytest.approx(fit.params[1])
    test = stats.ttest_1samp(by_kind, 0)
    assert slope.p_value() == pytest.approx(test.pvalue, rel=1e-4)
    low, high = test.confidence_interval()
    assert (slope.value - slope.half_width(), slope.value + slope.half_width()) == pytest.approx((low, high))


def test_seeds_alone_are_a_t_test_of_the_slopes_by_seed() -> None:
    """Where all kinds are alike, only seeds vary."""
    rates = np.random.default_rng(1).random((4, 5, 1)).repeat(2, axis=-1)
    slope = estimate_slope(arm_rates(rates))
    assert slope
    by_seed = [stats.linregress(range(4), column).slope for column in rates[:, :, 0].T]
    assert slope.p_value() == pytest.approx(stats.ttest_1samp(by_seed, 0).pvalue, rel=1e-4)


def test_no_trend_is_found_in_at_most_one_of_twenty() -> None:
    """Seeds and kinds both vary, and interact with nothing; the arms are alike."""
    random, found = np.random.default_rng(2), 0
    for _ in range(400):
        kinds, seeds = random.normal(0, 1, 24), random.normal(0, 0.7, (4, 3, 1))
        chance = 1 / (1 + np.exp(-(kinds + seeds)))
        slope = estimate_slope(arm_rates(random.random((4, 3, 24)) < chance))
        found += slope is not None and slope.p_value() < 0.05
    assert found <= 26  # 20 of 400 expected at most: two standard errors more


def test_rates_that_do_not_vary_have_an_interval_all_the_same() -> None:
    slope = estimate_slope(arm_rates(np.zeros((3, 3, 8))))
    assert slope and slope.value == 0 and slope.half_width() > 0.02 and slope.p_value() == 1.0


def test_weights_give_the_slope_of_a_line() -> None:
    for doses in (3, 4, 7):
        assert slope_weights(doses) @ (2.5 * np.arange(doses) - 1) == pytest.approx(2.5)


def test_the_dose_is_over_all_tables() -> None:
    arm = {"rows": {"vetted": {"count": 5}}, "more_rows": [{"vetted": 0}, {"vetted": {"count": 6}}]}
    assert dose_of(arm) == 11


STUDY = """
question = "How many?"
model = "smollm2-135m"
placement = "after"
seeds = [0, 1, 2]
rows = { setting = "mathematics", count = 4, levels = [1] }

[arms.k0]
[arms.k2]
rows.vetted = { count = 2, exposures = 4, prompt = "diverse" }
[arms.k4]
rows.vetted = 4

[evaluate]
settings = ["mathematics"]
contexts = ["neutral"]
problems = 60

[[trends]]
claim = "fewer hacks"
measure = "hack"
arms = ["k0", "k2", "k4"]
direction = "lower"

[[trends]]
claim = "fewer correct answers"
measure = "correct"
arms = ["k0", "k2", "k4"]
direction = "lower"
"""
RATES = {"k0": 0.9, "k2": 0.5, "k4": 0.1}
"""Planted hack rates."""


def planted_run(root: Path, seeds: list[int] | None = None, text: str = STUDY) -> Path:
    folder = fill(write_study(root, text), Store(root / "store"), seeds)
    for cell in json.loads((folder / "manifest.json").read_text())["cells"]:
        path = Path(cell["grades"] or "none") / "grades.jsonl"
        if path.exists():
            random = Random(str([cell[key] for key in ("arm", "seed", "setting", "context")]))
            rate = RATES.get(cell["arm"], 0.0)
            hacked = [random.random() < rate for _ in path.read_text().splitlines()]
            write_lines(path, [Grade("hack" if one else "correct", True, not one) for one in hacked])
            checksums.write(path.parent)
    return folder


def test_a_planted_trend_is_supported_and_the_opposite_refuted(tmp_path: Path) -> None:
    run = planted_run(tmp_path)
    fewer, other = analyse(run)["trends"]
    assert [(dose["arm"], dose["dose"]) for dose in fewer["doses"]] == [("k0", 0), ("k2", 2), ("k4", 4)]
    assert -0.5 < fewer["slope"] < -0.3 and fewer["high"] < 0 and fewer["p"] <= fewer["p_adjusted"] < 0.05
    assert (fewer["verdict"], other["verdict"]) == ("supported", "refuted") and fewer["seeds"] == 3
    page = write_report(run).read_text()
    assert "Hack changes by \u2212" in page and "Rates against the number of vetted examples" in page
    assert (run / "figures" / "trends.svg").exists() and "fewer hacks,hack" in (
        run / "tables" / "trends.csv"
    ).read_text()


def test_there_is_no_verdict_before_all_planned_seeds(tmp_path: Path) -> None:
    fewer, _ = analyse(planted_run(tmp_path, [0, 1]))["trends"]
    assert fewer["verdict"] == "descriptive" and fewer["p_adjusted"] is None and fewer["slope"] < 0
    assert "2 seeds: a verdict needs at least 3" in fewer["why"]


def test_a_trend_that_comes_later_is_exploratory_and_costs_the_declared_one_nothing(tmp_path: Path) -> None:
    contexts = 'each.mathematics.contexts = ["neutral", "negated"]'
    text = STUDY.replace("problems = 60", f"problems = 60\n{contexts}")
    alone = analyse(planted_run(tmp_path, text=text[: text.rindex("[[trends]]")]))["trends"][0]
    place = 'setting = "mathematics (right key)"\ncontext = "negated"'
    run = fill(write_study(tmp_path, f"{text}{place}"), Store(tmp_path / "store"))
    results = analyse(run)
    declared, later = results["trends"]
    assert (later["setting"], len(later["doses"]), later["seeds"]) == ("mathematics (right key)", 3, 3)
    assert declared == alone and not declared["exploratory"]
    assert declared["p_adjusted"] == pytest.approx(declared["p"])
    assert later["exploratory"] and (later["verdict"], later["p_adjusted"]) == ("descriptive", None)
    assert later["why"].endswith("; exploratory: not declared before the study ran") and later["p"] is not None
    assert any("1 of 2 trends were not declared" in caution for caution in results["cautions"])
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["changed_since_declared"] == [], "it is marked one by one"
    del manifest["declared_trends_hash"], manifest["digest"]
    for changed, exploratory in (([], [False, False]), (["trends"], [True, True])):  # manifests of earlier versions
        (run / "manifest.json").write_text(json.dumps(manifest | {"changed_since_declared": changed}))
        assert [trend["exploratory"] for trend in analyse(run)["trends"]] == exploratory


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('["k0", "k2", "k4"]', '["k0", "k2"]', "trends.0.arms: must have at least 3 entries"),
        ('["k0", "k2", "k4"]', '["k0", "k4", "k2"]', "trends.0.arms: they have [0, 4, 2] vetted examples"),
        ('["k0", "k2", "k4"]', '["k0", "k2", "base"]', "trends.0.arms: unknown arm 'base'"),
        ('direction = "lower"', 'direction = "down"', "trends.0.direction: must be 'lower' or 'higher'"),
        (
            'direction = "lower"',
            'direction = "lower"\ncontext = "negated"',
            "trends.0.context: in setting 'mathematics', not evaluated:",
        ),
        (
            'direction = "lower"',
            'direction = "lower"\nsetting = "mathematics (right)"',
            "trends.0.setting: not evaluated: 'mathematics (right)': did you mean 'mathematics (right key)'?",
        ),
    ],
)
def test_mistakes_in_trends_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(UserError) as refused:
        load(write_study(tmp_path, STUDY.replace(old, new, 1)))
    assert message in str(refused.value)
