"""Do paired differences hold where samples could not be graded? Synthetic studies whose truth is known, and a table.

    python benchmarks/ungraded.py            # the table of docs/statistics.md: a minute of one core
    python benchmarks/ungraded.py --studies 300

Two arms answer the same problems, and ungraded samples fall on the hard ones in the first arm and on the easy ones in
the second. Where both arms are alike, the rates of what is left differ widely, and no difference may be called. The
effects are those of `benchmarks/coverage.py`, in logits; here the functions that `analyse` calls are called study by
study, from the counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from inoculate.analysis.estimates import NO_SEED, Counts, estimate_difference, estimate_rate

KIND, PROBLEM, ARM_KIND, ARM_PROBLEM, SEED_KIND = 1.0, 0.7, 0.4, 0.3, 0.3
"""Standard deviations of the effects, in logits."""


@dataclass(frozen=True)
class World:
    """One sort of study; both arms are alike."""

    seeds: int
    kinds: int
    per_kind: int
    samples: int
    """Per problem; with one, a problem that loses it is lost."""
    centre: float
    """Of both arms, in logits."""
    lost: float
    """Share of the samples that are ungraded."""
    seed_sd: float = 0.4
    base: bool = False
    """Whether the second arm is untrained: answered once, without seeds."""


class Found(NamedTuple):
    """What came out over many studies of one world, in which there is no difference."""

    apart: float
    """Mean difference of the two arms' rates over all that is graded: what an unpaired comparison would say."""
    bias: float
    """Mean of the paired difference."""
    cover: float
    """Share of 95% intervals that held the truth; the other A/A studies call a difference."""


def study(world: World, rng: np.random.Generator) -> tuple[Counts, Counts]:
    """The counts of the two arms of one study."""
    shape = (world.kinds, world.per_kind)
    ease = KIND * rng.standard_normal((world.kinds, 1)) + PROBLEM * rng.standard_normal(shape)
    arms = []
    for number in range(2):
        untrained = world.base and number == 1
        rows = 1 if untrained else world.seeds
        logit = world.centre + ease + ARM_KIND * rng.standard_normal((world.kinds, 1))
        logit = logit + ARM_PROBLEM * rng.standard_normal(shape) + SEED_KIND * rng.standard_normal((rows, shape[0], 1))
        logit += 0 if untrained else world.seed_sd * rng.standard_normal((rows, 1, 1))
        graded = rng.binomial(world.samples, 1 - _chance_to_lose(ease if number else -ease, world.lost), logit.shape)
        hits = rng.binomial(graded, expit(logit))
        arms.append(_counts(hits, graded, [NO_SEED] if untrained else range(rows)))
    return arms[0], arms[1]


def _chance_to_lose(ease: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """[K, P] Twice the share at the easy end and next to none at the other, by rank of ease."""
    rank = ease.ravel().argsort().argsort().reshape(ease.shape) / (ease.size - 1)
    return np.minimum(2 * share * rank, 1.0)


def _counts(hits: NDArray[np.int64], graded: NDArray[np.int64], seeds: range | list[int]) -> Counts:
    rows, kinds, per_kind = hits.shape
    problems = np.tile(np.arange(kinds * per_kind), rows)
    return Counts(np.repeat(seeds, kinds * per_kind), problems, problems // per_kind, hits.ravel(), graded.ravel())


def measure(world: World, studies: int, rng: np.random.Generator) -> Found:
    """Run many studies of one world."""
    apart, value, held = [], [], []
    for _ in range(studies):
        first, second = study(world, rng)
        rates, found = (estimate_rate(first), estimate_rate(second)), estimate_difference(first, second)
        if found is None or rates[0] is None or rates[1] is None:
            raise ValueError(f"nothing is left to compare in {world}: fewer samples must be lost")
        low, high = found.interval()
        apart.append(rates[0].rate - rates[1].rate)
        value.append(found.value)
        held.append(low <= 0 <= high)
    return Found(float(np.mean(apart)), float(np.mean(value)), float(np.mean(held)))


def worlds(lost: float) -> list[World]:
    """The grid: few and many seeds, one sample and several, rates in the middle and at the end, against base."""
    sizes = ((3, 30, 3, 1), (3, 30, 3, 5), (5, 50, 1, 1), (10, 30, 3, 1))
    trained = [World(*size, centre, lost) for size, centre in product(sizes, (0.0, -2.0))]
    return trained + [replace(world, base=True) for world in trained[:2]]


def rows(studies: int) -> Iterator[str]:
    """Lines of a Markdown table, by the share of samples that are ungraded."""
    yield "| ungraded | worlds | unpaired rates differ by, worst | paired, worst | coverage | A/A called different |"
    yield "|---|---|---|---|---|---|"
    for lost in (0.05, 0.2, 0.4):
        rng = np.random.default_rng([20260101, int(lost * 100)])
        found = [measure(world, studies, rng) for world in worlds(lost)]
        cover = [one.cover for one in found]
        apart, bias = (max(abs(getattr(one, name)) for one in found) for name in ("apart", "bias"))
        yield (
            f"| {lost:.0%} | {len(found)} | {apart:.3f} | {bias:.3f} | {np.mean(cover):.3f} ({min(cover):.3f}) | "
            f"{1 - np.mean(cover):.3f} ({1 - min(cover):.3f}) |"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="coverage of paired differences where samples are ungraded")
    parser.add_argument("--studies", type=int, default=1000, help="studies per world (1000)")
    given = parser.parse_args()
    print("Arms without a difference; ungraded samples are on hard problems in one and on easy ones in the other.")
    for line in rows(given.studies):
        print(line, flush=True)


if __name__ == "__main__":
    main()
