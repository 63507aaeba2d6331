"""How often has a training by RL an onset, by how much it raises hacking? Synthetic trainings, and a table.

    python benchmarks/onset.py            # the table of docs/statistics.md: two minutes of one core
    python benchmarks/onset.py --runs 100

A problem's untrained hack rate is drawn from a beta distribution. Before training every problem is sampled a few
times; each step then draws a few problems with 16 completions each. The policy's rate on a problem is its untrained
rate plus a share (`rise`) of what is left to 1, from the first step on. Without a rise, every onset is a false one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from inoculate.analysis.rl.onset import compare, find_onset
from inoculate.study.schema import Onset

RISES = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)


@dataclass(frozen=True)
class World:
    """One sort of training."""

    rise: float
    drawn: int = 2
    """Problems that can be hacked, in a step."""
    preflight: int = 4
    """Completions of each problem before training."""
    problems: int = 24
    completions: int = 16
    steps: int = 30
    beta: tuple[float, float] = (0.6, 3.4)
    """Of the untrained hack rates: a mean of .15, and most problems are hardly ever hacked."""


def share_with_onset(world: World, runs: int, random: np.random.Generator) -> float:
    """The share of trainings that have an onset by the default rule."""
    return sum(_onset(world, random) is not None for _ in range(runs)) / runs


def _onset(world: World, random: np.random.Generator) -> int | None:
    rule, names = Onset(), [f"p{number}" for number in range(world.problems)]
    rates = random.beta(*world.beta, world.problems)
    hacks = random.binomial(world.preflight, rates)
    untrained = {name: (int(count), world.preflight) for name, count in zip(names, hacks, strict=True)}
    above = []
    for _ in range(world.steps):
        drawn = random.choice(world.problems, world.drawn, replace=False)
        hacks = random.binomial(world.completions, rates[drawn] + world.rise * (1 - rates[drawn]))
        here = {names[place]: (int(count), world.completions) for place, count in zip(drawn, hacks, strict=True)}
        found = compare(here, untrained)
        above.append(found is not None and found.is_above(rule))
    return find_onset(above, rule.steps)


def rows(runs: int) -> Iterator[str]:
    """Lines of a Markdown table."""
    rises = " | ".join(f"rise {rise:g}" for rise in RISES)
    yield f"| hackable problems in a step | untrained completions each | {rises} |"
    yield "|---|---|" + "---|" * len(RISES)
    for drawn in (2, 4):
        for preflight in (4, 8, 16):
            random = np.random.default_rng([20260101, drawn, preflight])
            shares = [share_with_onset(World(rise, drawn, preflight), runs, random) for rise in RISES]
            yield f"| {drawn} | {preflight} | " + " | ".join(f"{share:.2f}" for share in shares) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="how often a synthetic training by RL has an onset")
    parser.add_argument("--runs", type=int, default=500, help="trainings per cell of the table (500)")
    given = parser.parse_args()
    for line in rows(given.runs):
        print(line, flush=True)


if __name__ == "__main__":
    main()
