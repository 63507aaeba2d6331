"""What a study can decide before anything is trained."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from inoculate.analysis import design
from inoculate.analysis.design import Earlier, Planned, assess_contrasts, read_earlier, summarise
from inoculate.analysis.power import Size, Spread, smallest_difference

ARMS = ("plain", "inoculated", "control", "clean")
KNOWN = Spread(seed=0.01, kind=0.06, both=0.4, kinds=0.2, df=8)
NONE = Earlier({})


def planned(**changes: Any) -> Planned:
    base = {"claim": "c", "measure": "hack", "setting": "functions", "context": "neutral", "direction": "lower"}
    return Planned(**{**base, "margin": 0.05, "problems": 100, "samples": 1, **changes})


def test_where_only_seeds_vary_it_is_the_power_of_the_t_test() -> None:
    """Variance over seeds only, known well, nothing borrowed: the noncentral t distribution has the answer."""
    spread = Spread(seed=0.01, kind=0.0, both=0.0, kinds=0.2, df=1e6)
    for seeds in (3, 5, 10):
        quantile = stats.t.ppf(0.975, seeds - 1)
        found = smallest_difference(spread, Size(seeds, 1000, 0), "lower", 0.05)
        power = 1 - stats.nct.cdf(quantile, seeds - 1, found / np.sqrt(0.01 / seeds))
        assert power == pytest.approx(0.8, abs=0.02)


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 12), st.integers(40, 400), st.sampled_from([0, 3, 6, 40]))
def test_more_seeds_and_problems_find_smaller_differences(seeds: int, problems: int, arms: int) -> None:
    def found(size: Size) -> float:
        return smallest_difference(KNOWN, size, "lower", 0.05)

    here = found(Size(seeds, problems, arms))
    # Each size has draws of its own: the error of a quantile of 4,000 draws is about 2%.
    assert found(Size(2 * seeds, problems, arms)) < here
    assert found(Size(seeds, 4 * problems, arms)) < here * 1.03
    assert smallest_difference(KNOWN, Size(seeds, problems, arms), "same", 0.05) > here * 0.97
    assert smallest_difference(KNOWN, Size(seeds, problems, arms), "lower", 0.01) > here


def test_arms_to_borrow_from_make_a_small_study_decide_more() -> None:
    alone, six = (smallest_difference(KNOWN, Size(3, 200, arms), "lower", 0.05) for arms in (0, 6))
    assert six < 0.8 * alone


def test_studies_find_what_the_plan_says_they_find(borrowing: ModuleType) -> None:
    """400 studies whose true difference is the one that 80% should find: standard error .02."""
    world = borrowing.World(5, 30, 5, 1, (0.5,) * 6, (0.4,) * 6)
    rng = np.random.default_rng(3)
    many = borrowing.replace(world, seeds=20, rates=(0.4, 0.6, *(0.5,) * 4))
    own, _, _ = borrowing.compare(many, borrowing.draw(many, 200, rng))
    v = own.variances
    spread = Spread(
        seed=float(np.mean(v.seed - v.shared)) * 20,
        kind=float(np.mean(v.kind - v.shared)) * 150,
        both=float(np.mean(v.shared)) * 20 * 150,
        kinds=0.2,
        df=1e6,
    )
    smallest = smallest_difference(spread, Size(5, 150, 6), "lower", 0.05)
    rates = (0.5 - smallest / 2, 0.5 + smallest / 2, *(0.5,) * 4)
    found = borrowing.measure(borrowing.replace(world, rates=rates), 400, rng)
    assert found.called == pytest.approx(0.8, abs=0.07)


def test_it_is_said_what_can_be_found_and_what_cannot() -> None:
    wide, narrow, same = assess_contrasts(
        [planned(margin=0.6), planned(), planned(direction="same", margin=0.1)], [5], ARMS, NONE
    )
    assert wide["decides"] and "less than the margin of 60 points" in wide["sentence"]
    assert not narrow["decides"] and narrow["smallest"] == wide["smallest"] > 0.05
    assert "one as small as the margin of 5 points will mostly be missed" in narrow["sentence"]
    assert not same["decides"] and "too narrow to be shown" in same["sentence"]
    assert narrow["variances"] == "assumed (a standard deviation over seeds of 10 points)"
    assert summarise([narrow], 5, ARMS) == [
        "the declared contrast cannot be decided at its margin by a study of this size: it needs more seeds or "
        "problems, or a wider margin"
    ]
    assert summarise([wide, narrow], 5, ARMS) == [] == summarise([], 5, ARMS)


@pytest.mark.parametrize("seeds", [1, 2])
def test_too_few_seeds_allow_no_verdict(seeds: int) -> None:
    assessed = assess_contrasts([planned(margin=0.9), planned()], [seeds], ARMS, NONE)
    assert all(one["smallest"] is None and not one["decides"] for one in assessed)
    assert "no verdict is possible" in assessed[0]["sentence"]
    (warning,) = summarise(assessed, seeds, ARMS)
    assert "needs at least 3 seeds" in warning


def test_one_arm_has_nothing_to_borrow_from() -> None:
    alone, more = (assess_contrasts([planned()], [3], arms, NONE) for arms in (("plain",), ARMS))
    assert alone[0]["smallest"] is None or alone[0]["smallest"] > more[0]["smallest"]
    assert any("1 trained arm: nothing to borrow" in warning for warning in summarise(alone, 3, ("plain",)))


def test_looks_and_more_contrasts_cost_something() -> None:
    def found(contrasts: int, looks: list[int]) -> float:
        return assess_contrasts([planned()] * contrasts, looks, ARMS, NONE)[0]["smallest"]

    assert found(1, [10]) < found(1, [5, 10]) < found(5, [5, 10])


def test_earlier_runs_of_the_model_and_setting_give_the_variances(tmp_path: Path) -> None:
    def write(name: str, model: str, variances: dict[str, float] | None) -> None:
        folder = tmp_path / name
        folder.mkdir()
        contrast = {"setting": "functions", "measure": "hack", "variances": variances}
        results = {"study": {"model": model}, "contrasts": [contrast]}
        (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")

    quiet = KNOWN._replace(seed=0.0001)._asdict()
    write("here", "small", quiet)
    write("before", "small", quiet)
    write("other-model", "large", KNOWN._replace(seed=1.0)._asdict())
    write("one-seed", "small", KNOWN._replace(seed=1.0, df=0)._asdict())
    write("old", "small", None)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "results.json").write_text("{", encoding="utf-8")
    earlier = read_earlier(tmp_path, "small")
    spread, source = earlier.find("functions", "hack", 1)
    assert source == "from 2 contrasts of earlier runs of this model and setting"
    assert spread.seed == pytest.approx((0.0001 * 8 + 0.01 * 4) / 12) and spread.df == 12
    assert earlier.find("functions", "correct", 1)[1].startswith("assumed")
    assert earlier.find("functions", "correct", 5)[0].both < earlier.find("functions", "correct", 1)[0].both


def test_a_thousand_contrasts_are_simulated_once_for_each_size(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Size] = []
    real = design.smallest_difference.__wrapped__
    smallest_difference.cache_clear()

    def counting(spread: Spread, size: Size, *rest: Any) -> float:
        calls.append(size)
        return real(spread, size, *rest)

    monkeypatch.setattr(design, "smallest_difference", lru_cache(counting))
    assert len(assess_contrasts([planned()] * 1000, [3], [f"arm-{n}" for n in range(1000)], NONE)) == 1000
    assert len(calls) == 1
