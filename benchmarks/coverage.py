"""Do the intervals and verdicts of `inoculate.analysis` hold? Synthetic studies whose truth is known, and tables.

    python benchmarks/coverage.py            # the tables of docs/statistics.md: two minutes of one core
    python benchmarks/coverage.py --studies 300 --tables ours looks

A synthetic study has two arms. On the logit scale a sample's probability is the sum of effects of the problem and its
kind (shared by the arms, and some of the arm's own), of the training seed (shared a little: the arms draw the same
data), and of the seed on the kind (each training learns some kinds better). True rates are integrals over all of
them, so that they speak of new seeds, new kinds and new problems. All studies of a world are one array.
"""

from __future__ import annotations

import argparse
from collections import Counter
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

from inoculate.analysis.estimates import ArmRate, Difference
from inoculate.analysis.looks import split_level
from inoculate.analysis.power import required_size

Values = NDArray[np.float64]

AGAIN = 10
"""The worst worlds are measured again with this many times as many studies."""
AT_ONCE = 1000
"""Studies in memory at a time: at most 300 problems x 10 seeds x 4 bytes each, a few times over."""
KIND, PROBLEM, ARM_KIND, ARM_PROBLEM, SEED_KIND = 1.0, 0.7, 0.4, 0.3, 0.3
"""Standard deviations of the effects, in logits."""
SHARED_SEED = 0.4
"""Share of a seed's standard deviation that both arms have in common."""


@dataclass(frozen=True)
class World:
    """One sort of study."""

    seeds: int
    kinds: int
    per_kind: int
    """Problems of a kind."""
    samples: int
    """Per problem."""
    rates: tuple[float, float]
    """True rates of the two arms."""
    seed_sd: float
    """Standard deviation over seeds, in logits; at a rate of .5, a logit is 15 to 20 points."""
    shape: str = "normal"
    """Distribution of the seeds' own effects: one of `SHAPES`."""
    base: bool = False
    """Whether the second arm is untrained: answered once, without seeds."""

    @property
    def problems(self) -> int:
        """Problems of the study."""
        return self.kinds * self.per_kind

    @property
    def truth(self) -> float:
        """The true difference."""
        return self.rates[0] - self.rates[1]


SHAPES: dict[str, Callable[[Values], Values]] = {
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


def draw(world: World, studies: int, rng: np.random.Generator) -> tuple[Values, Values]:
    """Hits of the two arms of many studies: [studies, seeds, kinds], summed over the problems of a kind."""

    def normal(*shape: int) -> NDArray[np.float32]:
        return rng.standard_normal((studies, *shape), dtype=np.float32)

    shape = (world.kinds, world.per_kind)
    problem = KIND * normal(world.kinds, 1) + PROBLEM * normal(*shape)
    shared = SHARED_SEED * world.seed_sd * normal(world.seeds, 1, 1)
    own_sd = world.seed_sd * np.sqrt(1 - SHARED_SEED**2)
    arms = []
    for number, target in enumerate(world.rates):
        logit = (problem + ARM_KIND * normal(world.kinds, 1) + ARM_PROBLEM * normal(*shape))[:, None]
        if number and world.base:
            logit += centre(target, 0.0, "normal") + SEED_KIND * normal(1, world.kinds, 1)
        else:
            seed = own_sd * SHAPES[world.shape](rng.random((studies, world.seeds))).astype(np.float32)
            logit = logit + centre(target, world.seed_sd, world.shape) + shared + seed[..., None, None]
            logit += SEED_KIND * normal(world.seeds, world.kinds, 1)
        chance = expit(logit, dtype=np.float32)
        hits = sum((rng.random(chance.shape, dtype=np.float32) < chance).sum(axis=-1) for _ in range(world.samples))
        arms.append(np.asarray(hits, dtype=float))
    return arms[0], arms[1]


def compared(world: World, hits: tuple[Values, Values]) -> Difference:
    """The differences of many studies, by the functions that `analyse` uses."""
    full = world.per_kind * world.samples
    one, two = (
        ArmRate.estimate(
            table, np.full(table.shape, full), world.problems, trained=not (world.base and table is hits[1])
        )
        for table in hits
    )
    return Difference(one, two, world.problems)


def batches(studies: int) -> list[int]:
    """Sizes of batches that make up so many studies."""
    return [AT_ONCE] * (studies // AT_ONCE) + [studies % AT_ONCE] * (studies % AT_ONCE > 0)


class Measured(NamedTuple):
    """What came out over many studies of one world."""

    world: World
    rate_cover: float
    """Of the first arm."""
    rate_width: float
    cover: float
    """Share of 95% intervals of the difference that held the truth."""
    width: float
    """Median width of these intervals as a multiple of the best possible: that of a known variance."""
    called: float
    """Share of studies that call a difference."""


def measure(world: World, studies: int, rng: np.random.Generator) -> Measured:
    """Run many studies of one world."""
    found = [_measure(world, size, rng) for size in batches(studies)]
    rate, rate_low, rate_high, value, low, high = np.concatenate(found, axis=1)
    return Measured(
        world,
        held(rate_low, rate_high, world.rates[0]),
        _width(rate_low, rate_high, rate),
        held(low, high, world.truth),
        _width(low, high, value),
        float(np.mean((low > 0) | (high < 0))),
    )


def _measure(world: World, studies: int, rng: np.random.Generator) -> Values:
    found = compared(world, draw(world, studies, rng))
    return np.stack(
        [
            found.first.rate,
            *found.first.confidence_limits(),
            found.first.rate - found.second.rate,
            *found.confidence_limits(),
        ]
    )


def held(low: Values, high: Values, truth: float) -> float:
    return float(np.mean((low <= truth + 1e-12) & (truth - 1e-12 <= high)))


def _width(low: Values, high: Values, value: Values) -> float:
    return float(np.median(high - low) / (2 * stats.norm.ppf(0.975) * value.std()))


RATES = ((0.5, 0.5), (0.1, 0.1), (0.02, 0.02), (0.7, 0.4), (0.1, 0.02), (0.05, 0.9))
SIZES = ((10, 5, 1), (10, 5, 5), (50, 1, 1), (30, 5, 2), (60, 5, 1), (60, 5, 5))
"""Kinds, problems of a kind, samples."""


def worlds(seeds: int) -> Iterator[World]:
    """The grid: rates in the middle and at the ends, small and large studies, seeds alike and unlike."""
    for size, rates, seed_sd in product(SIZES, RATES, (0.2, 0.8) if seeds > 1 else (0.0,)):
        yield World(seeds, *size, rates, seed_sd)


# Other ways of making an interval for a difference, to choose from. Scores are [studies, seeds, kinds] and sum to the
# difference minus its estimate, i.e. to 0. Each gives how far its interval reaches down and up.

Ends = tuple[Values, Values]


def _parts(scores: Values) -> tuple[Values, Values, Values]:
    """Variances over seeds, over kinds, and over seeds and kinds together."""
    seeds, kinds = scores.shape[1:]
    by_seed = seeds / (seeds - 1) * (scores.sum(axis=2) ** 2).sum(axis=1)
    by_kind = kinds / (kinds - 1) * (scores.sum(axis=1) ** 2).sum(axis=1)
    return by_seed, by_kind, seeds * kinds / (seeds * kinds - 1) * (scores**2).sum(axis=(1, 2))


def _symmetric(df: Values | int, variance: Values) -> Ends:
    half = stats.t.ppf(0.975, df) * np.sqrt(variance)
    return -half, half


def seeds_only(scores: Values, _: np.random.Generator) -> Ends:
    """A t interval over the seeds' differences, problems taken as fixed."""
    return _symmetric(scores.shape[1] - 1, _parts(scores)[0])


def kinds_only(scores: Values, _: np.random.Generator) -> Ends:
    """Cluster-robust over kinds, seeds taken as more samples."""
    return _symmetric(scores.shape[2] - 1, _parts(scores)[1])


def two_way(scores: Values, _: np.random.Generator) -> Ends:
    """Two-way cluster-robust with the overlap subtracted, t with the smaller degrees of freedom."""
    by_seed, by_kind, both = _parts(scores)
    return _symmetric(min(scores.shape[1:]) - 1, np.maximum(by_seed + by_kind - both, np.maximum(by_seed, by_kind)))


def satterthwaite(scores: Values, _: np.random.Generator) -> Ends:
    """The moment estimator of the crossed mixed model, with Satterthwaite's degrees of freedom."""
    by_seed, by_kind, _both = _parts(scores)
    total, parts = by_seed + by_kind, by_seed**2 / (scores.shape[1] - 1) + by_kind**2 / (scores.shape[2] - 1)
    df = np.divide(total**2, parts, out=np.ones(total.shape), where=parts > 0)
    return _symmetric(df, total)


def bootstrap(scores: Values, rng: np.random.Generator) -> Ends:
    """The pigeonhole bootstrap (Owen 2007): seeds and kinds drawn again, both with replacement; percentiles."""
    seeds, kinds = scores.shape[1:]
    of_seed, of_kind = (rng.multinomial(size, np.full(size, 1 / size), 500) for size in (seeds, kinds))
    drawn = np.einsum("bs,nsk,bk->nb", of_seed, scores, of_kind, optimize=True)
    low, high = np.percentile(drawn, [2.5, 97.5], axis=1)
    return low, high


METHODS: dict[str, Callable[[Values, np.random.Generator], Ends]] = {
    "t over seeds": seeds_only,
    "clusters of kinds": kinds_only,
    "two-way clusters": two_way,
    "moments, Satterthwaite": satterthwaite,
    "pigeonhole bootstrap": bootstrap,
}


def compare(world: World, studies: int, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    """Coverage, and median width as a multiple of the best possible, of every method in one world."""
    found = compared(world, draw(world, studies, rng))
    value = found.first.rate - found.second.rate
    ends = {name: method(found.first.scores - found.second.scores, rng) for name, method in METHODS.items()}
    shifted = {name: (value + low, value + high) for name, (low, high) in ends.items()} | {
        "ours": found.confidence_limits()
    }
    return {name: (held(low, high, world.truth), _width(low, high, value)) for name, (low, high) in shifted.items()}


def seed_sd(world: World) -> float:
    """Standard deviation over seeds of the true difference, from many large studies of a fixed generator."""
    large = replace(world, seeds=30, samples=5)
    spread = compared(large, draw(large, 300, np.random.default_rng(0))).variances
    return float(np.sqrt(np.mean(spread.seed - spread.shared) * large.seeds))


class Promise(NamedTuple):
    """What came of the sizes that pilots asked for."""

    power: float
    """The share of new studies of the size asked for that call the difference."""
    seeds: float
    """Median of the seeds that were asked for."""
    answered: int
    """Pilots that got an answer."""


def promised_power(world: World, pilot_seeds: int, studies: int, rng: np.random.Generator) -> Promise | None:
    """Pilots ask what a new study needs; new studies of that size then have an effect of the margin.

    None where no pilot got an answer.
    """
    small = replace(world, seeds=pilot_seeds)
    tables = draw(small, studies, rng)
    sizes: Counter[tuple[int, int]] = Counter()
    for one, two in zip(*tables, strict=True):
        pilot = compared(small, (one, two))
        size = required_size(pilot, "lower" if world.truth < 0 else "higher", abs(world.truth), 2)
        if size["seeds"] is not None:
            sizes[size["seeds"], size["problems"]] += 1
    called = 0.0
    for (seeds, problems), count in sizes.items():
        new = replace(world, seeds=seeds, kinds=problems // world.per_kind)
        low, high = compared(new, draw(new, count, rng)).confidence_limits()
        called += float(np.sum((low > 0) | (high < 0)))
    if not sizes:
        return None
    answered = sizes.total()
    return Promise(called / answered, float(np.median([seeds for seeds, _ in sizes.elements()])), answered)


def called_at_looks(world: World, looks: tuple[int, ...], split: bool, studies: int, rng: np.random.Generator) -> float:
    """The share of studies that call a difference at some look, with the level split over the looks or not."""
    called = 0.0
    for size in batches(studies):
        hits = draw(world, size, rng)
        some = np.zeros(size, dtype=bool)
        for look, level in zip(looks, split_level(looks), strict=True):
            first = (hits[0][:, :look], hits[1][:, :look])
            low, high = compared(replace(world, seeds=look), first).confidence_limits(level if split else 0.05)
            some |= (low > 0) | (high < 0)
        called += float(some.sum())
    return called / studies


def wrong_verdicts(world: World, margin: float, studies: int, rng: np.random.Generator) -> tuple[float, float]:
    """How often `lower` is refuted and `same` supported, though the first arm is lower by the margin."""
    found = [compared(world, draw(world, size, rng)).confidence_limits() for size in batches(studies)]
    low, high = np.concatenate(found, axis=1)
    return float(np.mean(low > -margin)), float(np.mean((low > -margin) & (high < margin)))


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a Markdown table."""
    names = list(header)
    print(f"\n| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def extremes(values: Iterable[float], worst: Callable[[Iterable[float]], float]) -> str:
    known = list(values)
    return f"{np.mean(known):.3f} ({worst(known):.3f})"


def print_ours(studies: int, rng: np.random.Generator) -> None:
    """The table of our intervals by number of seeds."""

    def row(name: str, grid: Iterable[World]) -> list[str]:
        found = [measure(world, studies, rng) for world in grid]
        same = [one for one in found if one.world.truth == 0]
        # The worst of many worlds is mostly bad luck: drawn anew, and more often, it shows what it is.
        again_rate = measure(min(found, key=lambda one: one.rate_cover).world, AGAIN * studies, rng)
        again = measure(min(found, key=lambda one: one.cover).world, AGAIN * studies, rng)
        again_same = measure(max(same, key=lambda one: one.called).world, AGAIN * studies, rng)
        middle = [one.width for one in found if 0.5 in one.world.rates or 0.7 in one.world.rates]
        return [
            name,
            str(len(found)),
            f"{extremes((one.rate_cover for one in found), min)}; {again_rate.rate_cover:.3f}",
            f"{extremes((one.cover for one in found), min)}; {again.cover:.3f}",
            f"{np.median([one.rate_width for one in found]):.2f}",
            f"{np.median([one.width for one in found]):.2f} ({np.median(middle):.2f})",
            f"{extremes((one.called for one in same), max)}; {again_same.called:.3f}",
        ]

    print(
        f"\n{studies} studies per world. Mean over worlds (worst world); "
        f"the worst world again, {AGAIN * studies} studies."
    )
    header = ("seeds", "worlds", "coverage, rates", "coverage, differences", "rates: width / best")
    header += ("differences: width / best (rates in the middle)", "A/A called different")
    counts = (1, 2, 3, 4, 5, 7, 10)
    against_base = ((f"{n}, against base", [replace(w, base=True) for w in worlds(n)]) for n in (3, 5, 10))
    table(header, (row(*one) for one in (*((str(n), worlds(n)) for n in counts), *against_base)))


def print_methods(studies: int, rng: np.random.Generator) -> None:
    """The table of ways to make an interval for a difference."""
    counts = (2, 3, 5, 10)
    found: dict[str, dict[int, tuple[float, float, float]]] = {name: {} for name in (*METHODS, "ours")}
    for seeds in counts:
        sizes, rates = ((10, 5, 1), (30, 5, 2), (60, 5, 5)), ((0.5, 0.5), (0.1, 0.1), (0.7, 0.4))
        grid = [World(seeds, *size, pair, seed_sd) for size, pair, seed_sd in product(sizes, rates, (0.2, 0.8))]
        results = [compare(world, min(studies, AT_ONCE), rng) for world in grid]
        for name in found:
            covers, widths = zip(*(result[name] for result in results), strict=True)
            found[name][seeds] = (float(np.mean(covers)), min(covers), float(np.median(widths)))
    print(f"\nCoverage of differences: mean (worst of {len(grid)} worlds); width as a multiple of the best possible.")
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
        grid = (World(seeds, *size, rates, 0.8, shape) for size, rates in product(((10, 5, 2), (60, 5, 5)), RATES))
        found = [measure(world, studies, rng) for world in grid]
        same = max(one.called for one in found if one.world.truth == 0)
        rates = extremes((one.rate_cover for one in found), min)
        return f"{rates}; {extremes((one.cover for one in found), min)}; {same:.3f}"

    print(f"\nCoverage of rates; of differences: mean (worst of {2 * len(RATES)} worlds); A/A called, worst world.")
    table(
        ("seeds' effects", *(f"{seeds} seeds" for seeds in counts)),
        ([shape, *(cell(seeds, shape) for seeds in counts)] for shape in SHAPES),
    )


def print_looks(studies: int, rng: np.random.Generator) -> None:
    """The table of A/A studies that are looked at more than once."""

    def rows() -> Iterator[list[str]]:
        for looks in ((3, 5), (3, 6, 10), (5, 10), tuple(range(3, 11))):
            grid = [
                World(looks[-1], *size, (rate, rate), 0.8)
                for size, rate in product(((10, 5, 5), (60, 5, 1), (60, 5, 5)), (0.1, 0.5))
            ]
            split, whole = ([called_at_looks(w, looks, how, studies, rng) for w in grid] for how in (True, False))
            parts = ", ".join(f"{level:.4f}" for level in split_level(looks))
            yield [", ".join(map(str, looks)), parts, extremes(split, max), extremes(whole, max)]

    print("\nA/A studies that call a difference at some look: mean (worst of 6 worlds).")
    table(("looks, seeds", "levels", "level split", "each look at .05"), rows())


def print_verdicts(studies: int, rng: np.random.Generator) -> None:
    """The table of wrong verdicts where the truth is exactly at the margin."""

    def rows() -> Iterator[list[str]]:
        for seeds in (3, 5, 10):
            cases = ((0.45, 0.5), (0.05, 0.1), (0.85, 0.9))
            grid = [World(seeds, *size, r, sd) for size, r, sd in product(SIZES, cases, (0.05, 0.2, 0.8))]
            found = [wrong_verdicts(world, 0.05, studies, rng) for world in grid]
            refuted, same = zip(*found, strict=True)
            yield [str(seeds), str(len(grid)), extremes(refuted, max), extremes(same, max)]

    print("\nThe first arm is lower by the margin of .05. Mean over worlds (worst world).")
    table(("seeds", "worlds", "'lower' refuted", "'same' supported"), rows())


def print_power(studies: int, rng: np.random.Generator) -> None:
    """The table of power as promised (80%) and as found."""
    kinds = (((0.4, 0.5), 0.2), ((0.35, 0.5), 0.4), ((0.35, 0.5), 0.6))
    cases = [(World(3, 30, 5, 1, rates, seed_sd), pilot) for rates, seed_sd in kinds for pilot in (1, 3, 5, 10, 30)]

    def rows() -> Iterator[list[str]]:
        for world, pilot in cases:
            found = promised_power(world, pilot, studies, rng)
            came = ("-", "0%", "-")
            if found:
                came = (f"{found.seeds:.0f}", f"{found.answered / studies:.0%}", f"{found.power:.2f}")
            sd = f"{world.seed_sd} ({seed_sd(world):.2f})"
            yield [str(pilot), f"{abs(world.truth):.2f}", sd, *came]

    print("\nPower of studies of the size that a pilot asked for, at a true difference of the margin (0.80).")
    header = (
        "seeds of the pilot",
        "margin",
        "seed sd, logits (of the difference)",
        "median seeds asked for",
        "pilots answered",
        "power",
    )
    table(header, rows())


TABLES = {
    "ours": print_ours,
    "methods": print_methods,
    "shapes": print_shapes,
    "looks": print_looks,
    "verdicts": print_verdicts,
    "power": print_power,
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="coverage, A/A calls and power of the analysis, by simulation")
    parser.add_argument("--studies", type=int, default=1000, help="studies per world (1000)")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES), help="which tables (all)")
    given = parser.parse_args()
    for name in given.tables:
        # A generator of its own for every table: the same numbers whether it is made alone or with the others.
        TABLES[name](given.studies, np.random.default_rng([20260101, *name.encode()]))


if __name__ == "__main__":
    main()
