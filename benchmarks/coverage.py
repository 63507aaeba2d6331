"""Do the intervals and verdicts of `inoculate.analysis` hold? Synthetic studies whose truth is known, and a table.

    python benchmarks/coverage.py            # the tables of docs/statistics.md, about 10 minutes on one core
    python benchmarks/coverage.py --studies 50

A synthetic study has two arms. On the logit scale a sample's probability is the sum of effects of the problem and its
kind (shared by the arms, and some of the arm's own), of the training seed (shared a little: the arms draw the same
data), and of the seed on the kind (each training learns some kinds better). True rates are integrals over all of
them, so that they speak of new seeds, new kinds and new problems.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq
from scipy.special import expit

from inoculate.analysis.estimates import Counts, Difference, difference, rate
from inoculate.analysis.power import needed

Scores = NDArray[np.float64]

AGAIN = 5
"""How many times as many studies the worst worlds get when they are measured again."""

PER_KIND = 5
"""Problems of one kind."""
KIND, PROBLEM, ARM_KIND, ARM_PROBLEM, SEED_KIND = 1.0, 0.7, 0.4, 0.3, 0.3
"""Standard deviations of the effects, in logits."""
SHARED_SEED = 0.4
"""Share of a seed's standard deviation that both arms have in common."""


@dataclass(frozen=True)
class World:
    """One kind of study."""

    seeds: int
    problems: int
    samples: int
    rates: tuple[float, float]
    """True rates of the two arms."""
    seed_sd: float
    """Standard deviation over seeds, in logits; at a rate of .5, a logit is 15 to 20 points."""
    shape: str = "normal"
    """Distribution of the seeds' own effects: one of `SHAPES`."""


SHAPES: dict[str, Callable[[Scores], Scores]] = {
    "normal": stats.norm.ppf,
    "heavy": lambda u: stats.t.ppf(u, 4) / np.sqrt(2),
    "skewed": lambda u: stats.expon.ppf(u) - 1,
    "half fail": lambda u: np.where(u < 0.5, 1.0, -1.0),
    "one in five fails": lambda u: np.where(u < 0.2, 2.0, -0.5),
}
"""Quantile functions, each with mean 0 and standard deviation 1."""

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


@lru_cache(maxsize=1024)
def centre(target: float, seed_sd: float, shape: str) -> float:
    """The logit at which the rate, over all effects, is the target."""
    rest = KIND**2 + PROBLEM**2 + ARM_KIND**2 + ARM_PROBLEM**2 + SEED_KIND**2 + (SHARED_SEED * seed_sd) ** 2
    own = seed_sd * np.sqrt(1 - SHARED_SEED**2) * SHAPES[shape]((np.arange(2000) + 0.5) / 2000)
    grid = own[:, None] + np.sqrt(rest) * _NODES

    def excess(logit: float) -> float:
        return float((expit(logit + grid) @ _WEIGHTS).mean() / _WEIGHTS.sum()) - target

    return float(brentq(excess, -30, 30))  # type: ignore[arg-type]


def draw(world: World, rng: np.random.Generator) -> tuple[Counts, Counts]:
    """One study: the counts of its two arms, in the same order of seeds and problems."""
    kinds = max(world.problems // PER_KIND, 2)
    kind = np.arange(world.problems) % kinds
    shape = (world.seeds, world.problems)
    problem = (KIND * rng.standard_normal(kinds))[kind] + PROBLEM * rng.standard_normal(world.problems)
    seed = SHARED_SEED * world.seed_sd * rng.standard_normal(world.seeds)
    arms = []
    for target in world.rates:
        own = world.seed_sd * np.sqrt(1 - SHARED_SEED**2) * SHAPES[world.shape](rng.random(world.seeds))
        logit = (
            centre(target, world.seed_sd, world.shape)
            + problem
            + (ARM_KIND * rng.standard_normal(kinds))[kind]
            + ARM_PROBLEM * rng.standard_normal(world.problems)
            + (seed + own)[:, None]
            + (SEED_KIND * rng.standard_normal((world.seeds, kinds)))[:, kind]
        )
        arms.append(
            Counts(
                seeds=np.repeat(np.arange(world.seeds), world.problems),
                problems=np.tile(np.arange(world.problems), world.seeds),
                kinds=np.tile(kind, world.seeds),
                hits=rng.binomial(world.samples, expit(logit)).ravel(),
                graded=np.full(shape, world.samples).ravel(),
            )
        )
    return arms[0], arms[1]


class Measured(NamedTuple):
    """What came out over many studies of one world."""

    world: World
    rate_cover: float
    cover: float
    """Share of 95% intervals of the difference that held the truth."""
    width: float
    """Median width of these intervals as a multiple of the best possible: that of a known variance."""
    called: float
    """Share of studies that call a difference."""


def measure(world: World, studies: int, rng: np.random.Generator) -> Measured:
    """Run many studies of one world through the functions that `analyse` uses."""
    held, rate_held, called, widths, values = [], [], [], [], []
    truth = world.rates[0] - world.rates[1]
    for _ in range(studies):
        pair = draw(world, rng)
        for counts, target in zip(pair, world.rates, strict=True):
            found = rate(counts)
            assert found is not None and found.low is not None and found.high is not None
            rate_held.append(found.low <= target <= found.high)
        compared = difference(*pair)
        assert compared is not None
        low, high = compared.interval()
        held.append(low <= truth <= high)
        called.append(low > 0 or high < 0)
        widths.append(high - low)
        values.append(compared.value)
    best = 2 * float(stats.norm.ppf(0.975)) * float(np.asarray(values).std())
    width = float(np.median(widths)) / best
    return Measured(world, float(np.mean(rate_held)), float(np.mean(held)), width, float(np.mean(called)))


RATES = ((0.5, 0.5), (0.1, 0.1), (0.02, 0.02), (0.7, 0.4), (0.1, 0.02), (0.05, 0.9))
SIZES = ((50, 1), (50, 5), (150, 2), (300, 1), (300, 5))


def worlds(seeds: int, shape: str = "normal") -> Iterator[World]:
    """The grid: rates in the middle and at the ends, small and large studies, seeds alike and unlike."""
    for (problems, samples), rates, seed_sd in product(SIZES, RATES, (0.2, 0.8) if seeds > 1 else (0.0,)):
        yield World(seeds, problems, samples, rates, seed_sd, shape)


# Other ways of making an interval for a difference, to choose from. Scores are [seeds, problems] and sum to the
# difference minus its estimate, i.e. to 0.


def _parts(scores: Scores, kinds: int) -> tuple[float, float, float]:
    """Variances over seeds, over kinds, and over seeds and kinds together."""
    seeds, problems = scores.shape
    table = scores.reshape(seeds, problems // kinds, kinds).sum(axis=1)
    by_seed = seeds / (seeds - 1) * float((table.sum(axis=1) ** 2).sum())
    by_kind = kinds / (kinds - 1) * float((table.sum(axis=0) ** 2).sum())
    return by_seed, by_kind, seeds * kinds / (seeds * kinds - 1) * float((table**2).sum())


def _t(df: float) -> float:
    return float(stats.t.ppf(0.975, df))


def seeds_only(scores: Scores, kinds: int, _: np.random.Generator) -> tuple[float, float]:
    """A t interval over the seeds' differences, problems taken as fixed."""
    half = _t(len(scores) - 1) * np.sqrt(_parts(scores, kinds)[0])
    return -half, half


def kinds_only(scores: Scores, kinds: int, _: np.random.Generator) -> tuple[float, float]:
    """Cluster-robust over kinds, seeds taken as more samples."""
    half = _t(kinds - 1) * np.sqrt(_parts(scores, kinds)[1])
    return -half, half


def two_way(scores: Scores, kinds: int, _: np.random.Generator) -> tuple[float, float]:
    """Two-way cluster-robust with the overlap subtracted, t with the smaller degrees of freedom."""
    by_seed, by_kind, both = _parts(scores, kinds)
    half = _t(min(len(scores), kinds) - 1) * np.sqrt(max(by_seed + by_kind - both, by_seed, by_kind))
    return -half, half


def satterthwaite(scores: Scores, kinds: int, _: np.random.Generator) -> tuple[float, float]:
    """The moment estimator of the crossed mixed model, with Satterthwaite's degrees of freedom."""
    by_seed, by_kind, _both = _parts(scores, kinds)
    total = by_seed + by_kind
    df = total**2 / (by_seed**2 / (len(scores) - 1) + by_kind**2 / (kinds - 1)) if total else 1.0
    half = _t(df) * np.sqrt(total)
    return -half, half


def bootstrap(scores: Scores, kinds: int, rng: np.random.Generator) -> tuple[float, float]:
    """The pigeonhole bootstrap (Owen 2007): seeds and kinds drawn again, both with replacement; percentiles."""
    seeds, problems = scores.shape
    table = scores.reshape(seeds, problems // kinds, kinds).sum(axis=1)
    of_seed = rng.multinomial(seeds, np.full(seeds, 1 / seeds), 500)
    of_kind = rng.multinomial(kinds, np.full(kinds, 1 / kinds), 500)
    low, high = np.percentile(np.einsum("bs,sk,bk->b", of_seed, table, of_kind), [2.5, 97.5])
    return float(low), float(high)


METHODS = {
    "t over seeds": seeds_only,
    "clusters of kinds": kinds_only,
    "two-way clusters": two_way,
    "moments, Satterthwaite": satterthwaite,
    "pigeonhole bootstrap": bootstrap,
}


def compare(world: World, studies: int, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    """Coverage, and median width as a multiple of the best possible, of every method in one world."""
    truth = world.rates[0] - world.rates[1]
    kinds = max(world.problems // PER_KIND, 2)
    held: dict[str, list[bool]] = {name: [] for name in (*METHODS, "ours")}
    widths: dict[str, list[float]] = {name: [] for name in held}
    values = []
    for _ in range(studies):
        pair = draw(world, rng)
        found = difference(*pair)
        assert found is not None
        scores = (found.first.scores - found.second.scores).reshape(world.seeds, world.problems)
        ends = {name: method(scores, kinds, rng) for name, method in METHODS.items()}
        shifted = {name: (found.value + low, found.value + high) for name, (low, high) in ends.items()}
        for name, (low, high) in {**shifted, "ours": found.interval()}.items():
            held[name].append(bool(low <= truth <= high))
            widths[name].append(high - low)
        values.append(found.value)
    best = 2 * float(stats.norm.ppf(0.975)) * float(np.asarray(values).std())
    return {name: (float(np.mean(held[name])), float(np.median(widths[name])) / best) for name in held}


def promised_power(world: World, pilot_seeds: int, studies: int, rng: np.random.Generator) -> tuple[float, float, int]:
    """Pilots without an effect ask what a new study needs; new studies of that size then have an effect of the margin.

    Returns:
        The share of new studies that call the difference, the median seeds that were asked for, and how many pilots
        got an answer.
    """
    margin = abs(world.rates[0] - world.rates[1])
    called, sizes = [], []
    for _ in range(studies):
        pilot = difference(*draw(replace(world, seeds=pilot_seeds), rng))
        assert isinstance(pilot, Difference)
        size = needed(pilot, "lower" if world.rates[0] < world.rates[1] else "higher", margin, 2)
        if size["seeds"] is None:
            continue
        new = difference(*draw(replace(world, seeds=size["seeds"], problems=size["problems"]), rng))
        assert new is not None
        low, high = new.interval()
        called.append(low > 0 or high < 0)
        sizes.append(size["seeds"])
    return float(np.mean(called)), float(np.median(sizes)), len(sizes)


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a Markdown table."""
    names = list(header)
    print(f"\n| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def _extremes(values: Iterable[float], worst: Callable[[Iterable[float]], float]) -> str:
    known = list(values)
    return f"{np.mean(known):.3f} ({worst(known):.3f})"


def print_ours(studies: int, rng: np.random.Generator) -> None:
    """The table of our intervals by number of seeds."""

    def rows() -> Iterator[list[str]]:
        for seeds in (1, 2, 3, 4, 5, 7, 10):
            found = [measure(world, studies, rng) for world in worlds(seeds)]
            same = [one for one in found if one.world.rates[0] == one.world.rates[1]]
            # The worst of many worlds is mostly bad luck: drawn anew, and more often, it shows what it is.
            again_rate = measure(min(found, key=lambda one: one.rate_cover).world, AGAIN * studies, rng)
            again = measure(min(found, key=lambda one: one.cover).world, AGAIN * studies, rng)
            again_same = measure(max(same, key=lambda one: one.called).world, AGAIN * studies, rng)
            middle = [one.width for one in found if 0.5 in one.world.rates or 0.7 in one.world.rates]
            yield [
                str(seeds),
                str(len(found)),
                f"{_extremes((one.rate_cover for one in found), min)}; {again_rate.rate_cover:.3f}",
                f"{_extremes((one.cover for one in found), min)}; {again.cover:.3f}",
                f"{np.median([one.width for one in found]):.2f} ({np.median(middle):.2f})",
                f"{_extremes((one.called for one in same), max)}; {again_same.called:.3f}",
            ]

    print(
        f"\n{studies} studies per world. Mean over worlds (worst world); "
        f"the worst world again, {AGAIN * studies} studies."
    )
    table(
        (
            "seeds",
            "worlds",
            "coverage, rates",
            "coverage, differences",
            "width / best, median (rates in the middle)",
            "A/A called different",
        ),
        rows(),
    )


def print_methods(studies: int, rng: np.random.Generator) -> None:
    """The table of ways to make an interval for a difference."""
    counts = (2, 3, 5, 10)
    found: dict[str, dict[int, tuple[float, float, float]]] = {name: {} for name in (*METHODS, "ours")}
    for seeds in counts:
        grid = [
            World(seeds, problems, samples, rates, seed_sd)
            for (problems, samples), rates, seed_sd in product(
                ((50, 1), (150, 2), (300, 5)), ((0.5, 0.5), (0.1, 0.1), (0.7, 0.4)), (0.2, 0.8)
            )
        ]
        results = [compare(world, studies, rng) for world in grid]
        for name in found:
            covers, widths = zip(*(result[name] for result in results), strict=True)
            found[name][seeds] = (float(np.mean(covers)), min(covers), float(np.median(widths)))
    print("\nCoverage of the difference: mean (worst world); width as a multiple of the best possible.")
    table(
        ("method", *(f"{seeds} seeds" for seeds in counts)),
        (
            [name, *("{:.3f} ({:.3f}); {:.2f}".format(*by_seeds[seeds]) for seeds in counts)]
            for name, by_seeds in found.items()
        ),
    )


def print_shapes(studies: int, rng: np.random.Generator) -> None:
    """The table of seeds that are not normal."""
    counts = (2, 3, 4, 5, 7, 10)

    def cell(seeds: int, shape: str) -> str:
        grid = (World(seeds, *size, rates, 0.8, shape) for size, rates in product(((50, 2), (300, 1)), RATES))
        found = [measure(world, studies, rng) for world in grid]
        same = (one.called for one in found if one.world.rates[0] == one.world.rates[1])
        return f"{_extremes((one.cover for one in found), min)}; {max(same):.3f}"

    print("\nCoverage of the difference: mean (worst world); A/A called different in the worst world.")
    table(
        ("seeds' effects", *(f"{seeds} seeds" for seeds in counts)),
        ([shape, *(cell(seeds, shape) for seeds in counts)] for shape in SHAPES),
    )


def print_power(studies: int, rng: np.random.Generator) -> None:
    """The table of power as promised (80%) and as found."""
    kinds = (((0.4, 0.5), 0.2), ((0.35, 0.5), 0.4), ((0.35, 0.5), 0.6))
    cases = [(World(3, 150, 1, rates, seed_sd), pilot) for rates, seed_sd in kinds for pilot in (1, 3, 5, 10)]

    def rows() -> Iterator[list[str]]:
        for world, pilot in cases:
            share, seeds, answered = promised_power(world, pilot, studies, rng)
            margin = abs(world.rates[0] - world.rates[1])
            answers = f"{answered / studies:.0%}"
            yield [str(pilot), f"{margin:.2f}", f"{world.seed_sd}", f"{seeds:.0f}", answers, f"{share:.2f}"]

    print("\nPower of studies of the size that a pilot asked for, at a true difference of the margin (0.80).")
    header = ("seeds of the pilot", "margin", "seed sd, logits", "median seeds asked for", "pilots answered", "power")
    table(header, rows())


TABLES = {"ours": print_ours, "methods": print_methods, "shapes": print_shapes, "power": print_power}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="coverage, A/A calls and power of the analysis, by simulation")
    parser.add_argument("--studies", type=int, default=600, help="studies per world (600)")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES), help="which tables (all)")
    given = parser.parse_args()
    for name in given.tables:
        # A generator of its own for every table: the same numbers whether it is made alone or with the others.
        TABLES[name](given.studies, np.random.default_rng([20260101, *name.encode()]))


if __name__ == "__main__":
    main()
