"""The sign-flip test within seeds, against scipy's and by simulation."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import permutation_test

from analysis.conftest import Folder
from inoculate.analysis import analyse
from inoculate.analysis.estimates import NO_SEED, Counts, estimate_difference, estimate_seed_differences
from inoculate.analysis.sign_flip import DRAWS, MOST_EXACT, explain_smallest, sign_flip, smallest_p
from inoculate.records import Outcome


@pytest.mark.parametrize("seeds", [2, 5, 8, 12])
def test_it_is_that_of_scipy(seeds: int) -> None:
    random = np.random.default_rng(seeds)
    for shift in (0.0, 0.1, 0.4):
        first = random.normal(0.5 + shift, 0.2, seeds)
        second = random.normal(0.5, 0.2, seeds)
        theirs = permutation_test(
            (first, second), lambda a, b, axis: np.mean(a - b, axis=axis), permutation_type="samples",
            vectorized=True, n_resamples=10_000,
        )  # fmt: skip
        ours = sign_flip(first - second)
        assert ours.exact
        # scipy doubles the smaller tail, which for differences that flip together is the same.
        assert_allclose(ours.p, theirs.pvalue, rtol=1e-9)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=8))
def test_ties_count_as_extreme_whatever_the_rounding(numbers: list[int]) -> None:
    differences = np.array(numbers) / 10 + 0.0
    sums = [sum(sign * number for sign, number in zip(signs, numbers, strict=True))
            for signs in product((1, -1), repeat=len(numbers))]  # fmt: skip
    share = sum(abs(one) >= abs(sum(numbers)) for one in sums) / len(sums)
    assert sign_flip(differences).p == share


def test_many_seeds_are_sampled_and_always_alike() -> None:
    differences = np.random.default_rng(1).normal(0.12, 0.3, MOST_EXACT + 4)
    first, second = sign_flip(differences), sign_flip(differences)
    assert first == second
    assert not first.exact
    sums = np.zeros(1)
    for size in differences:
        sums = np.concatenate([sums + size, sums - size])
    exact = float((np.abs(sums) >= abs(differences.sum()) - 1e-12).mean())
    assert abs(first.p - exact) < 5 * np.sqrt(exact * (1 - exact) / DRAWS)
    assert sign_flip(np.full(60, 0.5)).p == smallest_p(60) > 0


def test_below_six_seeds_it_says_that_it_cannot_reach_the_level() -> None:
    assert [smallest_p(seeds) for seeds in (1, 2, 5, 6)] == [1.0, 0.5, 0.0625, 0.03125]
    assert "5 seeds it cannot reach 0.05: the smallest p is 0.0625; 6 seeds can" in explain_smallest(5)
    assert explain_smallest(1).startswith("with 1 seed it")
    assert explain_smallest(6) == ""
    assert sign_flip(np.array([0.2, 0.3, 0.1, 0.4, 0.2])).p == 0.0625


def test_without_a_difference_p_is_not_small_too_often() -> None:
    random = np.random.default_rng(3)
    found = [sign_flip(random.standard_t(2, 8)).p <= 0.05 for _ in range(2000)]
    assert np.mean(found) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)


def counts(rates: np.ndarray, seeds: list[int]) -> Counts:
    size = rates.shape[1]
    problems = np.tile(np.arange(size), len(seeds))
    return Counts(np.repeat(seeds, size), problems, problems, rates.ravel(), np.ones(rates.size))


def test_what_seeds_add_sums_to_the_difference_also_where_samples_are_lost() -> None:
    random = np.random.default_rng(4)
    first, second = (counts(random.integers(0, 2, (4, 9)), [0, 1, 2, 3]) for _ in range(2))
    first = first.select(random.random(36) < 0.8)
    difference, each = estimate_difference(first, second), estimate_seed_differences(first, second)
    assert difference is not None
    assert each is not None
    assert_allclose(each.sum(), difference.value)
    base = counts(random.integers(0, 2, (1, 9)), [NO_SEED])
    assert estimate_seed_differences(first, base) is None


def write(folder: Folder, seeds: int, contrast: dict[str, str] | None = None) -> dict[str, object]:
    hacks: list[list[Outcome]] = [["hack"]] * 20
    honest: list[list[Outcome]] = [["correct"]] * 20
    folder.cell("base", None, honest)
    for seed in range(seeds):
        folder.cell("plain", seed, hacks)
        folder.cell("inoculated", seed, [*honest[:15], *hacks[:5]])
    folder.contrasts({**folder.CONTRAST, **(contrast or {})})
    return analyse(folder.write())["contrasts"][0]


def test_it_is_in_the_results_and_has_no_vote(tmp_path: Path) -> None:
    three = write(Folder(tmp_path / "three"), 3)
    assert three["sign_flip"]["p"] == 0.25  # type: ignore[index]
    assert "cannot reach 0.05" in three["sign_flip"]["reason"]  # type: ignore[index]
    assert three["verdict"] in ("supported", "inconclusive")
    six = write(Folder(tmp_path / "six"), 6)
    assert six["sign_flip"] == {"p": 0.03125, "seeds": 6, "exact": True, "smallest": 0.03125, "reason": ""}
    base = write(Folder(tmp_path / "base"), 6, {"than": "base"})
    assert base["sign_flip"]["p"] is None  # type: ignore[index]
    assert "seeds of its own" in json.dumps(base["sign_flip"])
