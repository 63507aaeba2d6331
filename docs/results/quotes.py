"""Completions of the same problems before, at and after the onset of an arm's training on rewards.

    python docs/results/quotes.py RUN --arm ARM --seed 0 [--problems 3] [--store FOLDER]

RUN is a run's folder, or the name of its study. Before is the untrained policy, at is the step of the onset, and after
is the last step in which the problem was drawn. Shown are problems that can be hacked and were drawn all three times,
in the order of their names, and of each draw its first completion, whole. So nothing is chosen by what it says.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from inoculate.analysis.run_folder import read_run
from inoculate.analysis.trajectories import RunTrajectory, check_names, read_filter, read_trajectories
from inoculate.api import DEFAULT_STORE, STORE_VARIABLE
from inoculate.errors import UserError
from inoculate.records import Trajectory
from inoculate.report.results import read_results
from inoculate.steps.store import Store


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the completions of some problems."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="a run's folder, or the name of its study")
    parser.add_argument("--arm", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--problems", type=int, default=3, help="how many problems are shown")
    parser.add_argument("--store", type=Path, default=Path(os.environ.get(STORE_VARIABLE) or DEFAULT_STORE))
    given = parser.parse_args(arguments)
    try:
        print(*quotes(Store(given.store).find_run(given.run), given.arm, given.seed, given.problems), sep="\n")
    except UserError as error:
        parser.exit(2, f"quotes: {error}\n")


def quotes(folder: Path, arm: str, seed: int, problems: int) -> list[str]:
    """The lines for one arm and seed of a run.

    Raises:
        UserError: There is no such arm or seed, it has no onset, or no problem was drawn all three times.
    """
    run = read_run(folder)
    check_names(run, read_filter(f"arm={arm}", (seed,)))
    (found,) = (one for entry in read_results(folder).rl if entry["arm"] == arm for one in entry["by_seed"]
                if one["seed"] == seed)  # fmt: skip
    if found["onset"] is None:
        raise UserError(f"arm '{arm}', seed {seed}: no onset in {found['last_step']} steps, so no before and after")
    lines = same_problems(of_arm(read_trajectories(run), arm, seed), found["onset"], problems)
    if not lines:
        raise UserError(
            f"arm '{arm}', seed {seed}: no problem that can be hacked was drawn from the untrained policy, at step "
            f"{found['onset']} and again later: a longer training draws each problem more often"
        )
    return lines


def of_arm(drawn: Iterable[RunTrajectory], arm: str, seed: int) -> list[Trajectory]:
    """The trajectories of one training."""
    return [one.trajectory for one in drawn if (one.arm, one.seed) == (arm, seed)]


def same_problems(drawn: Iterable[Trajectory], onset: int, count: int) -> list[str]:
    """The first completion of each of some problems, before, at and after the onset; empty where there is none."""
    first: dict[str, dict[int, Trajectory]] = {}
    for one in drawn:
        if one.hackable:
            first.setdefault(one.problem, {}).setdefault(one.step, one)
    shared = [name for name, steps in sorted(first.items()) if {0, onset} <= steps.keys() and max(steps) > onset]
    lines = list[str]()
    for name in shared[:count]:
        steps = first[name]
        lines += [f"**{name}**", "", *quoted(steps[onset].prompt), ""]
        for number, where in ((0, "before"), (onset, "at onset"), (max(steps), "after")):
            step = f", step {number}" if number else ", the untrained policy"
            lines += [f"{where}{step}: {steps[number].outcome}", "", *quoted(steps[number].completion), ""]
    return lines


def quoted(text: str) -> list[str]:
    """A text as a block of code in Markdown, line by line."""
    return [f"    {line}" for line in text.split("\n")]


if __name__ == "__main__":
    main()
