"""The proof by simulation in short: `benchmarks/coverage.py` makes the long form that stands in docs/statistics.md.

Every number here is from a fixed seed, so these tests do not fail by chance. The tolerances are what they would need
with another seed: over n studies a coverage of .95 comes out below .95 - 2.3 sqrt(.95 x .05 / n) once in a hundred.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

STUDIES = 100


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_coverage_and_false_calls(synthetic: ModuleType, seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    grid = [
        synthetic.World(seeds, problems, samples, rates, seed_sd)
        for problems, samples, seed_sd in ((50, 5, 0.2), (100, 1, 0.8), (300, 1, 0.8))
        for rates in ((0.5, 0.5), (0.1, 0.1), (0.7, 0.3))
    ]
    found = [synthetic.measure(world, STUDIES, rng) for world in grid]
    # 900 studies: standard error .007 at .95.
    assert np.mean([one.cover for one in found]) >= 0.935
    assert np.mean([one.rate_cover for one in found]) >= 0.935
    same = [one.called for one in found if one.world.rates[0] == one.world.rates[1]]
    assert np.mean(same) <= 0.05
    # One world of 100 studies: standard error .022 at .95, and the worst of nine lies 3 of them away at times.
    assert min(one.cover for one in found) >= 0.95 - 0.07
    assert max(same) <= 0.05 + 0.07


def test_width_comes_near_the_best_possible(synthetic: ModuleType) -> None:
    rng = np.random.default_rng(0)
    found = synthetic.measure(synthetic.World(10, 150, 2, (0.7, 0.4), 0.5), STUDIES, rng)
    assert found.width < 1.4


def test_one_seed_covers_sampling_error(synthetic: ModuleType) -> None:
    rng = np.random.default_rng(1)
    found = [synthetic.measure(world, 40, rng) for world in synthetic.worlds(1)]
    assert np.mean([one.rate_cover for one in found]) >= 0.94
    assert np.mean([one.cover for one in found]) >= 0.94


def test_power_is_as_promised(synthetic: ModuleType) -> None:
    """A pilot of ten seeds knows its variances; 80 studies of the size it asks for: standard error .045 at .80."""
    rng = np.random.default_rng(2)
    share, seeds, answered = synthetic.promised_power(synthetic.World(3, 150, 1, (0.4, 0.5), 0.2), 10, 80, rng)
    assert answered == 80
    assert 3 <= seeds <= 15
    assert share >= 0.72


def test_other_ways_fall_short_with_few_seeds(synthetic: ModuleType) -> None:
    """Why the estimator is what it is: the bootstrap and seeds taken as samples are too narrow."""
    rng = np.random.default_rng(3)
    found = synthetic.compare(synthetic.World(3, 150, 2, (0.7, 0.4), 0.8), 100, rng)
    assert found["pigeonhole bootstrap"][0] < 0.93
    assert found["clusters of kinds"][0] < 0.8
    assert found["ours"][0] >= 0.93
