"""Variances over seeds that are borrowed: by hand, against independent estimates, as properties, and by simulation."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from inoculate.analysis import analyse
from inoculate.analysis.borrowing import Pool, Prior, _residual, estimate_prior_df, fit_pool

New = Callable[..., Any]


def pool_of(deviations: np.ndarray, rate: float = 0.5, present: np.ndarray | None = None) -> Pool:
    """A pool of arms [A, S] at one rate, whose problems add nothing."""
    arms = len(deviations)
    there = np.ones(deviations.shape, dtype=bool) if present is None else present
    return fit_pool(np.full(arms, rate), deviations, np.zeros(arms), np.full(arms, 1e9), there)


def test_three_arms_by_hand() -> None:
    """Variances .01, .04 and .01 over the same three seeds: .02 is expected of each.

    Without the effects of the seeds, the residual mean square is .01333 / 4 = .00333: a sixth of it, so the arms are
    correlated by 5/6. The logarithms of .5, 2 and .5 vary less than trigamma(1): d0 is infinite.
    """
    pool = pool_of(np.array([[-0.1, 0, 0.1], [-0.2, 0, 0.2], [-0.1, 0, 0.1]]))
    assert pool.own == pytest.approx([0.01, 0.04, 0.01])
    assert pool.expected == pytest.approx([0.02] * 3)
    assert float(pool.paired) == pytest.approx(5 / 6)
    assert (float(pool.df), float(pool.prior_df)) == (4, np.inf)
    assert not pool.unlike.any()  # F(2, 4) is 2 or more with probability 1/4
    joint = pool.borrow(0, 1, 2).joint
    assert float(joint.variance) == pytest.approx(0.04 / 6)
    assert float(joint.weight) == 4  # twice the two degrees of freedom of the difference
    variance, df = joint.moderate(np.array(0.01), 2)
    assert float(variance) == pytest.approx((4 * 0.04 / 6 + 2 * 0.01) / 6)
    assert float(df) == 4  # no more than all arms have
    against_base = pool.borrow(1, None, 2)
    assert float(against_base.joint.variance) == pytest.approx(0.02) and against_base.second.variance == 0


def test_an_arm_that_varies_far_more_than_the_others_is_unlike_and_lends_nothing() -> None:
    rng = np.random.default_rng(0)
    deviations = rng.normal(0, [[0.3], *[[0.01]] * 5], (6, 4))
    pool = pool_of(deviations - deviations.mean(axis=1, keepdims=True))
    assert pool.unlike.tolist() == [True] + [False] * 5
    assert pool.borrow(0, 1, 3).joint.weight == 0 and pool.borrow(1, 2, 3).joint.weight > 0
    assert float(pool.prior_df) < 2


@pytest.mark.parametrize(("arms", "rate"), [(2, 0.5), (5, 0.0), (5, 1.0)])
def test_with_two_arms_or_rates_that_cannot_vary_there_is_nothing_to_borrow(arms: int, rate: float) -> None:
    pool = pool_of(np.array([[-0.1, 0.1]] * arms), rate)
    assert not pool.is_enough and pool.borrow(0, 1, 1).joint.weight == 0


def test_less_is_expected_of_rates_near_the_ends() -> None:
    rates = np.array([0.5, 0.5, 0.5, 0.05])
    deviations = np.array([[-0.1, 0.1]] * 4)
    pool = fit_pool(rates, deviations, np.zeros(4), np.full(4, 1e9), np.ones((4, 2), dtype=bool))
    assert pool.expected[3] / pool.expected[0] == pytest.approx((0.0475 / 0.25) ** 2)


@pytest.mark.parametrize(("prior_df", "own_df"), [(3.0, 2), (8.0, 4), (20.0, 9)])
def test_prior_df_agrees_with_the_truth_and_with_maximum_likelihood(prior_df: float, own_df: int) -> None:
    """Ratios of variances whose truth is scaled inverse chi-square follow the F distribution (Smyth 2004, eq. 6)."""
    rng = np.random.default_rng(1)
    ratio = np.asarray(stats.f.rvs(own_df, prior_df, size=4000, random_state=rng))
    moments = float(estimate_prior_df(ratio, np.full(4000, own_df), np.ones(4000, dtype=bool)))

    def loss(parameters: np.ndarray) -> float:
        df, scale = np.exp(parameters)
        return -float(stats.f.logpdf(ratio, own_df, df, scale=scale).sum())

    likeliest = float(np.exp(optimize.minimize(loss, np.zeros(2), method="Nelder-Mead").x[0]))
    # Over 200 repetitions the moments' standard error is 6% at d0 = 3 and 14% at d0 = 20.
    assert moments == pytest.approx(prior_df, rel=0.3)
    assert moments == pytest.approx(likeliest, rel=0.3)


def test_the_prior_df_solves_its_equation() -> None:
    ratio = np.array([0.01, 0.3, 4.0, 1.0])
    own_df = np.array([2, 4, 2, 3])
    logs = np.log(ratio) - special.psi(own_df / 2) + np.log(own_df / 2)
    excess = logs.var(ddof=1) - special.polygamma(1, own_df / 2).mean()
    root = optimize.brentq(lambda y: float(special.polygamma(1, y)) - excess, 1e-3, 1e3)
    assert float(estimate_prior_df(ratio, own_df, np.ones(4, dtype=bool))) == pytest.approx(2 * float(root))  # type: ignore[arg-type]


@settings(max_examples=50, deadline=None)
@given(st.integers(3, 8), st.integers(2, 6), st.integers(0, 2**31))
def test_the_order_of_arms_does_not_matter(arms: int, seeds: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    present = rng.random((arms, seeds)) < 0.8
    present[:, :2] = True
    deviations = rng.normal(0, 0.1, (arms, seeds)) * present
    deviations -= present * (deviations.sum(axis=1) / present.sum(axis=1))[:, None]
    rates, within, graded = rng.random(arms), rng.random(arms) * 0.01, rng.integers(20, 200, arms).astype(float)
    order = rng.permutation(arms)
    one = fit_pool(rates, deviations, within, graded, present)
    two = fit_pool(rates[order], deviations[order], within[order], graded[order], present[order])
    for name in ("own", "expected", "unlike", "varying"):
        assert getattr(one, name)[order] == pytest.approx(getattr(two, name), rel=1e-6)
    for name in ("paired", "df", "prior_df"):
        assert float(getattr(one, name)) == pytest.approx(float(getattr(two, name)), rel=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.floats(1e-6, 1), st.floats(1e-6, 1), st.integers(1, 20), st.integers(20, 200), st.floats(0, 1e6))
def test_the_moderated_variance_lies_between_pooled_and_own(
    own: float, pooled: float, own_df: int, all_df: int, weight: float
) -> None:
    def moderate(weight: float) -> tuple[float, float]:
        prior = Prior(np.array(pooled), np.array(float(all_df)), np.array(weight))
        variance, df = prior.moderate(np.array(own), own_df)
        return float(variance), float(df)

    assert moderate(0.0) == pytest.approx((own, own_df))
    assert moderate(np.inf) == pytest.approx((pooled, all_df))
    variance, df = moderate(weight)
    assert min(own, pooled) * (1 - 1e-9) <= variance <= max(own, pooled) * (1 + 1e-9)
    assert own_df <= df <= all_df


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 6), st.integers(2, 6), st.integers(0, 2**31))
def test_where_seeds_are_missing_the_residual_is_that_of_least_squares(arms: int, seeds: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    present = rng.random((arms, seeds)) < 0.8
    present[:, 0], present[0] = True, True  # so that the layout hangs together
    values = rng.normal(size=(arms, seeds)) * present
    rows, columns = np.nonzero(present)
    design = np.hstack([np.eye(arms)[rows], np.eye(seeds)[columns]])
    fitted = design @ np.linalg.lstsq(design, values[present], rcond=None)[0]
    mean_square, df = _residual(values, present, np.ones(arms, dtype=bool))
    expected_df = len(rows) - np.linalg.matrix_rank(design)
    assert df == expected_df
    assert mean_square * max(expected_df, 1) == pytest.approx(((values[present] - fitted) ** 2).sum(), abs=1e-4)


@pytest.mark.parametrize(("seeds", "narrower"), [(3, 0.72), (5, 0.9)])
def test_coverage_and_width_where_arms_are_alike(borrowing: ModuleType, seeds: int, narrower: float) -> None:
    rng = np.random.default_rng(seeds)
    grid = [
        borrowing.World(seeds, *size, rates, (spread,) * 6, scale)
        for size in ((10, 5, 1), (30, 5, 2))
        for rates in ((0.5,) * 6, (0.05,) * 6, (0.05, 0.5, 0.95, 0.5, 0.05, 0.95))
        for scale, spread in (("logit", 0.8), ("beta", 0.04))
    ]
    found = [borrowing.measure(world, 400, rng) for world in grid]
    assert np.mean([one.cover for one in found]) >= 0.95
    assert min(one.cover for one in found) >= 0.93 - 0.01  # 400 studies: standard error .011
    assert max(one.called for one in found if one.world.truth == 0) <= 0.06 + 0.02
    assert np.median([one.narrower for one in found]) <= narrower


def test_an_odd_arm_keeps_its_own_variance_in_most_studies(borrowing: ModuleType) -> None:
    rng = np.random.default_rng(1)
    world = borrowing.World(5, 30, 5, 2, (0.5,) * 6, (1.2, *[0.4] * 5))
    found = borrowing.measure(world, 400, rng)
    assert found.kept_own > 0.6 and found.cover >= 0.9
    others = borrowing.measure(borrowing.replace(world, pair=(1, 2)), 400, rng)
    assert others.kept_own < 0.2 and others.cover >= 0.93


def several(new_run: New, arms: dict[str, tuple[int, ...]], declared: list[str] | None) -> Any:
    """A run whose arms hack on so many of 60 problems, by seed."""
    run = new_run(problems=60, kinds=20)
    spec = run.manifest["study"]["arms"]["plain"]
    run.manifest["study"]["arms"] = {**run.manifest["study"]["arms"], **dict.fromkeys(arms, spec)}
    for arm, hacks in arms.items():
        for seed, count in enumerate(hacks):
            run.cell(arm, seed, run.rates(hack=count))
    if declared is not None:
        run.manifest["declared_borrow"] = declared
    run.contrasts({**run.CONTRAST, "guards": []})
    return run


ALIKE = {"plain": (28, 33, 25), "inoculated": (20, 15, 22), "control": (30, 27, 34), "other": (24, 26, 20)}


def test_results_say_what_was_borrowed_from_where(new_run: New) -> None:
    found = analyse(several(new_run, ALIKE, list(ALIKE)).write())
    (contrast,) = found["contrasts"]
    said = contrast["borrowed"]
    assert said["kind"] == "moderated" and said["df_used"] > said["df_own"] == 2 and 0 < said["df_borrowed"] <= 4
    assert "borrowed in part from 4 arms" in said["sentence"] and contrast["variances"]["df"] == said["df_used"]
    (pool,) = found["borrowing"]["pools"]
    assert found["borrowing"]["arms"] == list(ALIKE) == [arm["arm"] for arm in pool["arms"]]
    assert pool["df"] == 6 and pool["reason"] == "" and pool["left_out"] == {}
    plain = pool["arms"][0]
    assert plain["seeds"] == [0, 1, 2] and plain["sd"] == pytest.approx(np.std([28, 33, 25], ddof=1) / 60)
    assert not plain["unlike"]


def test_a_run_that_did_not_declare_it_borrows_nothing(new_run: New) -> None:
    before = analyse(several(new_run, ALIKE, None).write())["contrasts"][0]
    assert before["borrowed"]["kind"] == "own" and "not declared before the run" in before["borrowed"]["sentence"]


def test_borrowing_makes_the_interval_narrower(new_run: New) -> None:
    run = several(new_run, ALIKE, None)
    alone = analyse(run.write())["contrasts"][0]
    run.manifest["declared_borrow"] = list(ALIKE)
    borrowing = analyse(run.write())["contrasts"][0]
    assert borrowing["difference"] == alone["difference"]
    assert borrowing["high"] - borrowing["low"] < 0.8 * (alone["high"] - alone["low"])
    assert borrowing["p"] < alone["p"]


@pytest.mark.parametrize(
    ("arms", "says"),
    [
        ({"plain": (28, 33, 25), "inoculated": (20, 15, 22)}, "nothing to borrow from: 2 arms"),
        ({**ALIKE, "control": (30,), "other": (24,)}, "nothing to borrow from: 2 arms"),
        ({**ALIKE, "control": (60, 60, 60), "other": (0, 0, 0)}, "nothing to borrow from: 2 arms"),
        ({**ALIKE, "plain": (50, 5, 30)}, "'plain' varies more than the others allow"),
        ({"plain": (28,), "inoculated": (20,), "control": (30, 27), "other": (24, 26)}, "one seed says nothing"),
    ],
)
def test_what_cannot_be_borrowed_is_said(new_run: New, arms: dict[str, tuple[int, ...]], says: str) -> None:
    said = analyse(several(new_run, arms, list(arms)).write())["contrasts"][0]["borrowed"]
    assert said["kind"] in ("own", "none") and says in said["sentence"]


def test_arms_with_fewer_seeds_lend_what_they_have(new_run: New) -> None:
    arms = {**ALIKE, "control": (30, 27), "other": (24,)}
    found = analyse(several(new_run, arms, list(arms)).write())
    (pool,) = found["borrowing"]["pools"]
    assert pool["left_out"] == {"other": "1 finished seed"}
    assert [arm["seeds"] for arm in pool["arms"]] == [[0, 1, 2], [0, 1, 2], [0, 1]]
    assert pool["df"] == 3 and found["contrasts"][0]["borrowed"]["kind"] == "moderated"


def test_an_arm_that_came_later_lends_nothing(new_run: New) -> None:
    run = several(new_run, ALIKE, ["plain", "control", "other"])
    said = analyse(run.write())["contrasts"][0]["borrowed"]
    assert said["kind"] == "own" and "not among those that were declared" in said["sentence"]


def test_a_study_that_changed_its_mind_is_told_what_holds(new_run: New) -> None:
    run = several(new_run, ALIKE, [])
    run.manifest["study"]["borrow"] = "arms"
    found = analyse(run.write())
    assert any("had declared not to borrow between arms: that holds" in caution for caution in found["cautions"])
    assert found["contrasts"][0]["borrowed"]["kind"] == "own"


def test_a_contrast_with_the_untrained_arm_keeps_its_own(new_run: New) -> None:
    run = several(new_run, ALIKE, list(ALIKE))
    run.cell("base", None, run.rates(hack=20))
    run.contrasts({**run.CONTRAST, "than": "base", "guards": []})
    said = analyse(run.write())["contrasts"][0]["borrowed"]
    assert said["kind"] == "own" and "the untrained arm do not borrow" in said["sentence"]
