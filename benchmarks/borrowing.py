"""How narrow do intervals become that borrow the variance over seeds from all arms of a study, and do they still hold?

    python benchmarks/borrowing.py            # the tables of docs/statistics.md: ten minutes of one core
    python benchmarks/borrowing.py --studies 200 --tables like

The worlds are those of `coverage.py` with more arms, and others in which the seeds' rates are beta-distributed: there
the variance over seeds falls towards 0 and 1 more slowly than the analysis assumes. *Like* arms vary equally over
seeds, in logits or in intraclass correlation, at the same or at quite different rates. In *unlike* studies the first
arm varies 2 to 10 times as much as the others, or one in five of its trainings fails.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import cycle, islice, product
from typing import Literal, NamedTuple

import coverage
import numpy as np
from coverage import ARM_KIND, ARM_PROBLEM, KIND, PROBLEM, SEED_KIND, SHAPES, SHARED_SEED, Values, batches, centre
from scipy import stats
from scipy.special import expit, ndtr

from inoculate.analysis.borrowing import Pool
from inoculate.analysis.estimates import ArmRate, Difference
from inoculate.analysis.pools import pool_arms
from inoculate.analysis.power import required_size

AGAIN = 10_000
"""Studies of the worst world when it is measured again."""


@dataclass(frozen=True)
class World:
    """One sort of study of several arms."""

    seeds: int
    kinds: int
    per_kind: int
    samples: int
    rates: tuple[float, ...]
    """[A] True rates."""
    spread: tuple[float, ...]
    """[A] Standard deviation over seeds in logits, or intraclass correlation of the seeds' rates."""
    scale: Literal["logit", "beta"] = "logit"
    shape: str = "normal"
    """Distribution of the first arm's seeds, of `coverage.SHAPES`; the others are normal."""
    pair: tuple[int, int] = (0, 1)
    """The arms that are compared."""
    base: bool = False
    """Whether the last arm is untrained: answered once, without seeds."""

    @property
    def truth(self) -> float:
        """The true difference."""
        return self.rates[self.pair[0]] - self.rates[self.pair[1]]


_GRID = np.concatenate(
    [[1e-6, 1e-5, 1e-4, 1e-3], np.linspace(0.005, 0.995, 199), 1 - np.array([1e-3, 1e-4, 1e-5, 1e-6])]
)


@lru_cache(maxsize=1)
def _logits() -> Values:
    """The logits at which the rates of `_GRID` are reached."""
    return np.array([centre(float(rate), 0.0, "normal") for rate in _GRID])


def draw(world: World, studies: int, rng: np.random.Generator) -> list[Values]:
    """Hits of every arm of many studies: [A] of [studies, seeds, kinds]."""

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal((studies, *shape), dtype=np.float32)

    shape = (world.kinds, world.per_kind)
    problem = KIND * normal(world.kinds, 1) + PROBLEM * normal(*shape)
    shared = normal(world.seeds)
    arms = []
    for number, (rate, spread) in enumerate(zip(world.rates, world.spread, strict=True)):
        own = world.shape if number == 0 else "normal"
        logit = (problem + ARM_KIND * normal(world.kinds, 1) + ARM_PROBLEM * normal(*shape))[:, None]
        seed = _seed_logits(world.scale, rate, spread, own, shared, rng)
        if world.base and number == len(world.rates) - 1:
            seed = np.full((studies, 1), centre(rate, 0.0, "normal"))
        logit = logit + seed[..., None, None].astype(np.float32) + SEED_KIND * normal(seed.shape[1], world.kinds, 1)
        chance = expit(logit, dtype=np.float32)
        hits = sum((rng.random(chance.shape, dtype=np.float32) < chance).sum(axis=-1) for _ in range(world.samples))
        arms.append(np.asarray(hits, dtype=float))
    return arms


def _seed_logits(
    scale: str, rate: float, spread: float, shape: str, shared: Values, rng: np.random.Generator
) -> Values:
    """[studies, seeds] Where the seeds' logits lie."""
    if scale == "logit":
        own = spread * np.sqrt(1 - SHARED_SEED**2) * SHAPES[shape](rng.random(shared.shape))
        return centre(rate, spread, shape) + SHARED_SEED * spread * shared + own
    place = ndtr(SHARED_SEED * shared + np.sqrt(1 - SHARED_SEED**2) * rng.standard_normal(shared.shape))
    size = 1 / spread - 1
    return np.interp(stats.beta.ppf(place, rate * size, (1 - rate) * size), _GRID, _logits())


def compare(world: World, arms: Sequence[Values]) -> tuple[Difference, Difference, Pool]:
    """The difference of many studies with its own variance over seeds, the same borrowing, and what it borrows from."""
    full = world.per_kind * world.samples
    problems, untrained = world.kinds * world.per_kind, len(arms) - 1 if world.base else None
    rates = [
        ArmRate.estimate(hits, np.full(hits.shape, full), problems, trained=number != untrained)
        for number, hits in enumerate(arms)
    ]
    trained = rates[:untrained]
    pool = pool_arms(trained, [float(world.kinds * full)] * len(trained))
    one, two = world.pair
    own = Difference(rates[one], rates[two], problems)
    borrowed = pool.borrow(one, None if two == untrained else two, world.seeds - 1)
    return own, replace(own, borrowed=borrowed), pool


class Measured(NamedTuple):
    """What came out over many studies of one world."""

    world: World
    own_cover: float
    cover: float
    narrower: float
    """Median width as a multiple of the median width with the study's own variances."""
    narrower_mean: float
    """The same of the mean widths."""
    called: float
    """Share of studies that call a difference."""
    kept_own: float
    """Share of studies in which the contrast keeps its own variance."""


def measure(world: World, studies: int, rng: np.random.Generator) -> Measured:
    """Run many studies of one world."""
    found = []
    for size in batches(studies):
        own, borrowing, _ = compare(world, draw(world, size, rng))
        found.append([*own.confidence_limits(), *borrowing.confidence_limits(), borrowing.keeps_own])
    own_low, own_high, low, high, kept = np.concatenate([np.array(one, dtype=float) for one in found], axis=1)
    own_width, width = own_high - own_low, high - low
    return Measured(
        world,
        coverage.held(own_low, own_high, world.truth),
        coverage.held(low, high, world.truth),
        float(np.median(width) / np.median(own_width)),
        float(np.mean(width) / np.mean(own_width)),
        float(np.mean((low > 0) | (high < 0))),
        float(kept.mean()),
    )


SIZES = ((10, 5, 1), (50, 1, 1), (30, 5, 2), (60, 5, 5))
"""Kinds, problems of a kind, samples."""
SPREADS: tuple[tuple[Literal["logit", "beta"], float], ...] = (
    ("logit", 0.0), ("logit", 0.2), ("logit", 0.8), ("beta", 0.01), ("beta", 0.04), ("beta", 0.09),
)  # fmt: skip
"""At a rate of .5 the standard deviations over seeds are 0, .04, .15, .05, .1 and .15."""


def like_worlds(seeds: int, arms: int) -> Iterator[World]:
    """Arms that vary alike: at one rate, at rates near each other, and at .05, .5 and .95 in the same study."""
    rates = ((0.5,), (0.05,), (0.95,), (0.7, 0.4, 0.5, 0.5, 0.6, 0.3), (0.05, 0.5, 0.95, 0.5, 0.05, 0.95))
    for size, of_arms, (scale, spread) in product(SIZES, rates, SPREADS):
        own = tuple(islice(cycle(of_arms), arms))
        pairs = [(0, 1), (1, 3), (0, 4)] if len(set(own)) == 3 and arms > 4 else [(0, 1)]
        for pair in pairs:
            yield World(seeds, *size, own, (spread,) * arms, scale, pair=pair)


UNLIKE = ("2", "3", "5", "10", "fails")


def unlike_worlds(seeds: int, arms: int, how: str) -> Iterator[World]:
    """The first arm varies so many times as much as the others, or one in five of its trainings fails."""
    for size, (first, others) in product(SIZES, ((0.5, 0.5), (0.1, 0.1), (0.2, 0.5), (0.6, 0.2))):
        rates = (first, *[others] * (arms - 1))
        if how == "fails":
            yield World(seeds, *size, rates, (0.8, *[0.2] * (arms - 1)), shape="one in five fails")
        else:
            for spread in (0.2, 0.4) if how in ("2", "3") else (0.2,):
                yield World(seeds, *size, rates, (int(how) * spread, *[spread] * (arms - 1)))


def _again(found: Iterable[Measured], key: Callable[[Measured], float], rng: np.random.Generator) -> Measured:
    """The world with the smallest value, with many new studies."""
    return measure(min(found, key=key).world, AGAIN, rng)


def print_like(studies: int, rng: np.random.Generator) -> None:
    """The table of arms that vary alike."""

    def row(seeds: int, arms: int, base: bool = False) -> list[str]:
        grid = like_worlds(seeds, arms + base)
        grid = (replace(world, base=True, pair=(0, arms)) for world in grid if world.pair == (0, 1)) if base else grid
        found = [measure(world, studies, rng) for world in grid]
        same = [one for one in found if one.world.truth == 0]
        worst = _again(found, lambda one: one.cover, rng)
        worst_same = _again(same, lambda one: -one.called, rng)
        return [
            f"{seeds}, against base" if base else str(seeds),
            str(arms),
            f"{coverage.extremes((one.own_cover for one in found), min)}",
            f"{coverage.extremes((one.cover for one in found), min)}; {worst.cover:.3f}",
            f"{np.median([one.narrower for one in found]):.2f} ({np.median([one.narrower_mean for one in found]):.2f})",
            f"{coverage.extremes((one.called for one in same), max)}; {worst_same.called:.3f}",
            f"{np.mean([one.kept_own for one in found]):.2f}",
        ]

    print(
        f"\nArms that vary alike, {studies} studies per world. Mean (worst world); that world again, {AGAIN} studies."
    )
    header = ("seeds", "arms", "coverage, own variance", "coverage, borrowing")
    header += ("width / own: medians (means)", "A/A called different", "kept their own")
    sizes: tuple[tuple[int, int, bool], ...] = (
        (3, 6, False), (5, 6, False), (3, 3, False), (2, 6, False),
        (3, 6, True), (3, 12, False), (5, 3, False), (10, 6, False),
    )  # fmt: skip
    coverage.table(header, (row(*size) for size in sizes))


def print_unlike(studies: int, rng: np.random.Generator) -> None:
    """The table of one arm that varies more than the others."""

    def row(seeds: int, arms: int, how: str) -> list[str]:
        found = [measure(world, studies, rng) for world in unlike_worlds(seeds, arms, how)]
        rest = [measure(replace(one.world, pair=(1, 2)), studies, rng) for one in found]
        worst = _again(found, lambda one: one.cover, rng)
        return [
            str(seeds),
            str(arms),
            "one in five fails" if how == "fails" else f"{how} times",
            f"{coverage.extremes((one.own_cover for one in found), min)}; {worst.own_cover:.3f}",
            f"{coverage.extremes((one.cover for one in found), min)}; {worst.cover:.3f}",
            f"{np.mean([one.kept_own for one in found]):.2f}",
            f"{coverage.extremes((one.cover for one in rest), min)}",
        ]

    print("\nOne arm varies more than the others: coverage of its contrasts. Mean (worst world); that world again.")
    header = ("seeds", "arms", "first arm's standard deviation", "own variance", "borrowing", "kept their own")
    header += ("contrasts of the other arms, borrowing",)
    coverage.table(header, (row(s, a, how) for s, a in ((3, 6), (5, 6)) for how in UNLIKE))


def promised_power(
    world: World, pilot_seeds: int, studies: int, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Pilots ask what a new study needs; new studies of that size then have a true difference of the margin.

    Returns:
        The share of pilots that got an answer, the median of the seeds that they asked for, and the share of new
        studies that call the difference.
    """
    small = replace(world, seeds=pilot_seeds)
    arms = draw(small, studies, rng)
    sizes: Counter[tuple[int, int]] = Counter()
    for study in range(studies):
        _, pilot, _ = compare(small, [hits[study] for hits in arms])
        lenders = 0 if pilot.keeps_own else len(arms)
        size = required_size(pilot, "lower" if world.truth < 0 else "higher", abs(world.truth), 3, arms=lenders)
        if size["seeds"] is not None:
            sizes[size["seeds"], size["problems"]] += 1
    called = 0.0
    for (seeds, problems), count in sizes.items():
        new = replace(world, seeds=seeds, kinds=problems // world.per_kind)
        low, high = compare(new, draw(new, count, rng))[1].confidence_limits()
        called += float(np.sum((low > 0) | (high < 0)))
    answered = max(sizes.total(), 1)
    asked = float(np.median([seeds for seeds, _ in sizes.elements()])) if sizes else float("nan")
    return sizes.total() / studies, asked, called / answered


def print_power(studies: int, rng: np.random.Generator) -> None:
    """The table of power as promised (80%) and as found, in studies of six arms."""

    def rows() -> Iterator[list[str]]:
        for rates, spread in (((0.4, 0.5), 0.2), ((0.35, 0.5), 0.4), ((0.35, 0.5), 0.6)):
            for pilot in (3, 5, 10):
                world = World(3, 30, 5, 1, (*rates, *[0.45] * 4), (spread,) * 6)
                answered, asked, power = promised_power(world, pilot, studies, rng)
                yield [
                    str(pilot),
                    f"{-world.truth:.2f}",
                    str(spread),
                    f"{asked:.0f}",
                    f"{answered:.0%}",
                    f"{power:.2f}",
                ]

    print("\nPower of studies of the size that a pilot asked for, six like arms, at a true difference of the margin.")
    header = ("seeds of the pilot", "margin", "seed sd, logits", "median seeds asked for", "pilots answered", "power")
    coverage.table(header, rows())


TABLES = {"like": print_like, "unlike": print_unlike, "power": print_power}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="intervals that borrow their variance over seeds, by simulation")
    parser.add_argument("--studies", type=int, default=400, help="studies per world (400)")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES), help="which tables (all)")
    given = parser.parse_args()
    for name in given.tables:
        TABLES[name](given.studies, np.random.default_rng([20261128, *name.encode()]))


if __name__ == "__main__":
    main()
