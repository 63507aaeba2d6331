"""Intervals, differences and p values against libraries and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from inoculate.analysis.estimates import NO_SEED, Counts, Variances, estimate_difference, estimate_rate


def made(hits: np.ndarray, samples: int = 1, per_kind: int = 1, seeds: list[int] | None = None) -> Counts:
    """Counts from a table [seeds, problems] of hits."""
    rows, problems = hits.shape
    return Counts(
        seeds=np.repeat(range(rows) if seeds is None else seeds, problems),
        problems=np.tile(np.arange(problems), rows),
        kinds=np.tile(np.arange(problems) // per_kind, rows),
        hits=hits.ravel().astype(np.int64),
        graded=np.full(hits.size, samples),
    )


@pytest.mark.parametrize("hits", [0, 40])
def test_one_seed_at_the_ends_is_clopper_pearson(hits: int) -> None:
    table = np.zeros((1, 40))
    table[0, :hits] = 1
    found = estimate_rate(made(table))
    assert found is not None
    assert (found.low, found.high) == pytest.approx(proportion_confint(hits, 40, method="beta"), abs=1e-9)
    assert found.method == "beta-cluster"


def test_one_seed_in_the_middle_is_clopper_pearson_but_for_the_t_quantile() -> None:
    table = np.zeros((1, 400))
    table[0, :120] = 1
    found = estimate_rate(made(table))
    assert found is not None
    assert (found.low, found.high) == pytest.approx(proportion_confint(120, 400, method="beta"), abs=5e-4)


def test_variances_are_those_of_statsmodels() -> None:
    rng = np.random.default_rng(5)
    chance = rng.random((4, 1)) * 0.5 + 0.4 * rng.random((1, 60))
    first, second = (made(rng.binomial(3, chance), samples=3, per_kind=4) for _ in range(2))
    found = estimate_difference(first, second)
    assert found is not None
    outcome = np.concatenate([first.hits / 3, second.hits / 3])
    arm = np.repeat([1.0, 0.0], 240)
    model = sm.OLS(outcome, sm.add_constant(arm))
    for column, variance, units in (("seeds", found.variances.seed, 4), ("kinds", found.variances.kind, 15)):
        groups = np.concatenate([getattr(first, column), getattr(second, column)])
        fit = model.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
        assert variance == pytest.approx(fit.bse[1] ** 2 * units / (units - 1))
    assert found.value == pytest.approx(model.fit().params[1])


@pytest.mark.parametrize("base", [False, True])
def test_where_samples_are_missing_it_is_the_mean_of_the_pairs_differences(base: bool) -> None:
    rng = np.random.default_rng(6)
    seeds, problems = np.repeat([0, 1, 2], 30), np.tile(np.arange(30), 3)
    arms = []
    for rows in (90, 30 if base else 90):
        graded = rng.integers(0, 4, rows)
        hits = rng.binomial(graded, 0.4)
        own = np.full(30, NO_SEED) if rows == 30 else seeds
        arms.append(Counts(own, problems[:rows], problems[:rows] // 3, hits, graded))
    found = estimate_difference(*arms)
    shares = [np.divide(one.hits, one.graded, out=np.full(len(one.hits), np.nan), where=one.graded > 0) for one in arms]
    pairs = shares[0] - (np.tile(shares[1], 3) if base else shares[1])
    keep = np.isfinite(pairs)
    assert found is not None and 0 < keep.sum() < 90
    model = sm.OLS(pairs[keep], np.ones(keep.sum()))
    groups = (problems // 3)[keep]
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
    kinds = len(np.unique(groups))
    assert found.value == pytest.approx(fit.params[0])
    assert found.variances.kind == pytest.approx(fit.bse[0] ** 2 * kinds / (kinds - 1))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(2, 12), st.booleans(), st.integers(0, 2**31))
def test_no_difference_comes_from_samples_that_are_missing(seeds: int, problems: int, base: bool, seed: int) -> None:
    """Two arms that answer every problem alike do not differ, whatever could not be graded in either."""
    rng = np.random.default_rng(seed)
    always = np.tile(rng.integers(0, 2, problems), seeds if base else 1)
    always = always if base else rng.integers(0, 2, seeds * problems)
    arms = []
    for untrained in (False, base):
        rows = 1 if untrained else seeds
        whole = made(np.zeros((rows, problems)), seeds=[NO_SEED] if untrained else None)
        graded = rng.integers(0, 6, rows * problems)
        arms.append(replace(whole, hits=always[: rows * problems] * graded, graded=graded))
    found = estimate_difference(*arms)
    assert found is None or found.value == pytest.approx(0, abs=1e-12)


def test_where_only_seeds_differ_it_is_the_paired_t_test() -> None:
    # All problems of a seed share one rate, far from 0 and 1, so that nothing varies over kinds.
    first = np.repeat([[50], [56], [61], [47]], 20, axis=1)
    second = np.repeat([[40], [41], [52], [44]], 20, axis=1)
    found = estimate_difference(made(first, samples=100), made(second, samples=100))
    assert found is not None
    expected = stats.ttest_rel(first[:, 0], second[:, 0])
    interval = expected.confidence_interval()
    assert found.interval() == pytest.approx((interval.low / 100, interval.high / 100), abs=1e-6)
    assert found.p_value() == pytest.approx(expected.pvalue, rel=1e-4)


def test_reach_of_one_variance_is_t() -> None:
    variances = Variances(np.array(0.0), 4, np.array(0.01), 29, np.array(0.0))
    assert variances.squared_half_width(0.05) == pytest.approx(stats.t.ppf(0.975, 29) ** 2 * 0.01)


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_two_t_quantiles_never_fall_short_for_normal_effects(seeds: int) -> None:
    """Whatever the share of the variance over seeds: coverage by quadrature over the two chi-square distributions."""
    quantiles = (np.arange(200) + 0.5) / 200
    for kinds in (10, 60):
        of_seed, of_kind = (stats.chi2.ppf(quantiles, df) / df for df in (seeds - 1, kinds - 1))
        for share in np.linspace(0, 1, 11):
            variances = Variances(
                share * of_seed[:, None], seeds - 1, (1 - share) * of_kind[None], kinds - 1, np.array(0.0)
            )
            assert np.mean(2 * stats.norm.cdf(np.sqrt(variances.squared_half_width(0.05))) - 1) >= 0.9495


def test_no_difference_anywhere_still_has_an_interval() -> None:
    zero = made(np.zeros((3, 50)))
    found = estimate_difference(zero, zero)
    assert found is not None
    low, high = found.interval()
    assert low == pytest.approx(-high)
    assert 0.01 < high < 0.1
    assert found.p_value() == 1.0


def test_the_base_arm_pairs_with_every_seed() -> None:
    rng = np.random.default_rng(1)
    trained = made(rng.binomial(1, 0.5, (3, 40)))
    base = made(rng.binomial(1, 0.5, (1, 40)), seeds=[NO_SEED])
    found = estimate_difference(trained, base)
    assert found is not None
    assert found.seeds == 3
    alone = estimate_rate(base)
    assert alone is not None and alone.method == "beta-cluster"


def test_only_common_problems_and_seeds_are_compared() -> None:
    first = made(np.ones((3, 30)))
    second = made(np.zeros((2, 30)), seeds=[1, 7])
    found = estimate_difference(first, second)
    assert found is not None and (found.seeds, found.problems, found.value) == (1, 30, 1.0)
    assert estimate_difference(first, made(np.zeros((1, 30)), seeds=[9])) is None
    assert estimate_difference(first, first.select(first.graded < 0)) is None


def test_a_single_problem_has_a_rate_and_no_interval() -> None:
    found = estimate_rate(made(np.array([[3], [2]]), samples=5))
    assert found is not None and found.rate == 0.5 and found.low is None
    assert estimate_rate(made(np.zeros((1, 3)), samples=0)) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(2, 12), st.integers(1, 3), st.integers(0, 2**31))
@example(2, 12, 2, 2097153)  # square-and-add alone reached less far with more confidence
@example(2, 11, 3, 2097153)
def test_intervals_are_ordered_finite_and_agree_with_p(seeds: int, problems: int, samples: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    arms = [made(rng.binomial(samples, rng.choice([0, 0.05, 0.5, 1]), (seeds, problems)), samples, 2) for _ in range(2)]
    for counts in arms:
        found = estimate_rate(counts)
        assert found is not None
        assert found.low is None or found.high is None or 0 <= found.low <= found.rate <= found.high <= 1
    compared = estimate_difference(*arms)
    assert compared is not None
    if not compared.has_interval:
        return
    low, high = compared.interval()
    assert -1 <= low <= compared.value <= high <= 1
    p = compared.p_value()
    assert 0 < p <= 1
    if abs(p - 0.05) > 1e-4 and abs(compared.value) < 1:
        assert (p < 0.05) == (low > 0 or high < 0)
    wide_low, wide_high = compared.interval(0.01)
    assert wide_low <= low and wide_high >= high
