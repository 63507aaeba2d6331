"""Trends over vetted examples: the slope beside scipy and statsmodels, its level by simulation, and verdicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from inoculate.analysis.estimates import ArmRate
from inoculate.analysis.trends import dose_of, estimate_slope, slope_weights


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
