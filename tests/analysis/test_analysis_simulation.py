"""The proof by simulation in short: `benchmarks/coverage.py` makes the long form that stands in docs/statistics.md.

Every number here is from a fixed seed, so these tests do not fail by chance. The tolerances are what they would need
with another seed: over n studies a coverage of .95 comes out below .95 - 2.3 sqrt(.95 x .05 / n) once in a hundred.
"""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from inoculate.analysis.estimates import NO_SEED, Counts, estimate_difference, estimate_rate

STUDIES = 400


def grid(synthetic: ModuleType, seeds: int, base: bool = False) -> list[Any]:
    return [
        synthetic.World(seeds, *size, rates, seed_sd, base=base)
        for *size, seed_sd in ((10, 5, 5, 0.2), (50, 1, 1, 0.8), (60, 5, 1, 0.8))
        for rates in ((0.5, 0.5), (0.1, 0.1), (0.7, 0.3))
    ]


@pytest.mark.parametrize(("seeds", "base"), [(2, False), (3, False), (5, False), (10, False), (3, True), (10, True)])
def test_coverage_and_false_calls(synthetic: ModuleType, seeds: int, base: bool) -> None:
    rng = np.random.default_rng(seeds)
    found = [synthetic.measure(world, STUDIES, rng) for world in grid(synthetic, seeds, base)]
    # One world of 400 studies: standard error .011 at .95.
    assert min(one.cover for one in found) >= 0.93
    assert min(one.rate_cover for one in found) >= 0.93 - 0.01
    same = [one.called for one in found if one.world.truth == 0]
    assert np.mean(same) <= 0.05
    assert max(same) <= 0.05 + 0.02


def test_width_comes_near_the_best_possible(synthetic: ModuleType) -> None:
    rng = np.random.default_rng(0)
    found = synthetic.measure(synthetic.World(10, 30, 5, 2, (0.7, 0.4), 0.5), STUDIES, rng)
    assert found.width < 1.3 and found.rate_width < 1.3


def test_one_seed_covers_sampling_error(synthetic: ModuleType) -> None:
    rng = np.random.default_rng(1)
    found = [synthetic.measure(world, 200, rng) for world in synthetic.worlds(1)]
    assert np.mean([one.rate_cover for one in found]) >= 0.95
    assert np.mean([one.cover for one in found]) >= 0.95


@pytest.mark.parametrize("base", [False, True])
def test_many_studies_at_once_are_the_studies_one_by_one(synthetic: ModuleType, base: bool) -> None:
    """What is proved of the arrays is so of the estimates that `analyse` makes."""
    world = synthetic.World(3, 40, 1, 2, (0.2, 0.02), 0.5, base=base)
    hits = synthetic.draw(world, 30, np.random.default_rng(4))
    together = synthetic.compared(world, hits)
    ends, rate_ends = together.confidence_limits(), together.first.confidence_limits()
    for study, tables in enumerate(zip(*hits, strict=True)):
        first, second = (counts(table, base and arm == 1) for arm, table in enumerate(tables))
        alone, own = estimate_difference(first, second), estimate_rate(first)
        assert alone is not None and own is not None
        assert alone.interval() == pytest.approx((ends[0][study], ends[1][study]))
        assert (own.low, own.high) == pytest.approx((rate_ends[0][study], rate_ends[1][study]))


def counts(table: np.ndarray, base: bool) -> Counts:
    """Counts of one arm from hits by seed and problem, two samples each."""
    seeds, problems = table.shape
    names = np.tile(np.arange(problems), seeds)
    seed = np.repeat(np.arange(seeds), problems) if not base else np.full(problems, NO_SEED)
    return Counts(seed, names, names, table.ravel().astype(np.int64), np.full(table.size, 2))


@pytest.mark.parametrize(("samples", "base"), [(1, False), (5, False), (1, True)])
def test_no_difference_is_called_where_ungraded_samples_fall_on_other_problems(
    ungraded: ModuleType, samples: int, base: bool
) -> None:
    world = ungraded.World(3, 20, 3, samples, 0.0, 0.4, base=base)
    found = ungraded.measure(world, STUDIES, np.random.default_rng(7))
    assert found.apart > 0.1, "the samples that are left differ, so the worlds are a test"
    assert abs(found.bias) < 0.02
    assert found.cover >= 0.95, "and so no more than .05 of A/A studies call a difference"


def test_looks_do_not_raise_the_share_of_false_calls(synthetic: ModuleType) -> None:
    rng = np.random.default_rng(5)
    worlds = [synthetic.World(10, 60, 5, 1, (r, r), 0.8) for r in (0.1, 0.5)]
    every = tuple(range(3, 11))
    split, whole = ([synthetic.called_at_looks(w, every, how, 1000, rng) for w in worlds] for how in (True, False))
    assert max(split) <= 0.05
    assert max(whole) > 0.1, "looking every time at the whole level finds too much"


def test_wrong_verdicts_at_the_margin(synthetic: ModuleType) -> None:
    rng = np.random.default_rng(6)
    for seeds in (3, 10):
        world = synthetic.World(seeds, 60, 5, 5, (0.4, 0.5), 0.05)
        refuted, same = synthetic.wrong_verdicts(world, 0.1, 1000, rng)
        assert refuted <= 0.05 and same <= 0.05
    # Without a difference, ten seeds show that there is none.
    assert synthetic.wrong_verdicts(replace(world, rates=(0.5, 0.5)), 0.1, 1000, rng)[1] > 0.95


def test_power_is_as_promised(synthetic: ModuleType) -> None:
    """A pilot of ten seeds knows its variances; 100 studies of the size it asks for: standard error .04 at .80."""
    rng = np.random.default_rng(2)
    found = synthetic.promised_power(synthetic.World(3, 30, 5, 1, (0.4, 0.5), 0.2), 10, 100, rng)
    assert found.answered == 100
    assert 3 <= found.seeds <= 15
    assert found.power >= 0.76


def test_other_ways_fall_short_with_few_seeds(synthetic: ModuleType) -> None:
    """Why the estimator is what it is: the bootstrap and seeds taken as samples are too narrow."""
    rng = np.random.default_rng(3)
    found = synthetic.compare(synthetic.World(3, 30, 5, 2, (0.7, 0.4), 0.8), STUDIES, rng)
    assert found["pigeonhole bootstrap"][0] < 0.92
    assert found["clusters of kinds"][0] < 0.8
    assert found["ours"][0] >= 0.94
