"""Makes the training rows of an arm from the trajectories of another arm, which learned from rewards at the same seed.

Files: those of `steps/rows.py`, and `origins.jsonl`: which trajectory each row is.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from inoculate.analysis.trajectories import RunTrajectory, TrajectoryRow, read_filter, select, trajectory_rows
from inoculate.errors import UserError
from inoculate.records import Trajectory, read_lines
from inoculate.steps import problems
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.rows import DrawnRow, inoculation_params, write_rows
from inoculate.steps.store import Step
from inoculate.steps.train import row_folders
from inoculate.study.resolve import ResolvedInoculation
from inoculate.study.schema import Rows, TrajectorySource

KIND, VERSION = "trajectory-rows", 1


def plan_step(
    table: Rows,
    source: TrajectorySource,
    inoculation: ResolvedInoculation | None,
    trained: Step,
    *,
    seed: int,
    system: str | None,
    weights: str,
    where: str,
) -> Step:
    """The rows of an arm at one seed.

    Args:
        table: What the arm trains on.
        source: Which trajectories.
        inoculation: The arm's prompt; None without one.
        trained: The training that drew the trajectories.
        seed: The seed of both arms.
        system: The study's system prompt.
        weights: The model's fingerprint.
        where: Arm and seed, for the step's label.

    Raises:
        UserError: The filter has a mistake.
    """
    try:
        read_filter(source.where)
    except UserError as error:
        raise UserError(f"rows of {where}: rows.trajectories.where: {error}") from None
    params = {
        "rows": {"setting": table.setting, "count": table.count, "vetted": 0, "where": source.where},
        "seed": seed,
        "system": system,
        "model": weights,
        "inoculation": inoculation_params(inoculation) if inoculation else None,
    }
    drawn = {name: step for name, step in trained.inputs.items() if name.partition("_")[0] == "rows"}
    inputs = {**drawn, "trained": trained}
    return Step(KIND, params, inputs, label=f"rows of {where}, from trajectories", version=VERSION)


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Choose the trajectories, and write them as rows under the arm's prompt."""
    chosen = choose(step, resources)
    drawn = [DrawnRow(row.problem, row.hacked, False, row.answer) for row in chosen]
    write_rows(step, folder, resources, drawn)
    with (folder / "origins.jsonl").open("w", encoding="utf-8") as out:
        for row in chosen:
            origin = {"seed": row.seed, "step": row.step, "problem": row.problem.id, "index": row.index}
            out.write(json.dumps(origin) + "\n")


def choose(step: Step, resources: Resources) -> list[TrajectoryRow]:
    """The trajectories of a step's rows: those that its filter keeps, each text of a problem once, drawn by the seed.

    Raises:
        UserError: The filter keeps none, or not as many different answers as the study wants rows.
    """
    wanted, seed = step.params["rows"], step.params["seed"]
    label = step.inputs["trained"].label
    trained = resources.store.record(step.inputs["trained"])
    if trained is None:
        raise UserError(f"{label}: not finished, and its trajectories are wanted as rows")
    source = [RunTrajectory("", seed, one) for one in read_lines(trained / "trajectories.jsonl", Trajectory)]
    try:
        kept, counts = select(source, read_filter(f"graded=yes {wanted['where']}"))
    except UserError as error:
        raise UserError(f"{step.label}: of {label}: {error}") from None
    different = {(one.trajectory.problem, one.trajectory.completion): one for one in kept}
    named = [one for one in different.values() if one.trajectory.completion.strip()]
    if len(named) < wanted["count"]:
        steps = ", ".join(f"{words}: {left}" for words, left in counts.items())
        raise UserError(
            f"{step.label}: rows.count = {wanted['count']}, and {label} has {len(named)} different answers that are "
            f"kept ({steps}): lower rows.count (train.epochs repeats rows), or keep more: rows.trajectories.where"
        )
    order = sorted(named, key=lambda one: (one.trajectory.step, one.trajectory.problem, one.trajectory.index))
    Random(f"trajectories/{seed}").shuffle(order)
    shown = [problem for folder in row_folders(step, resources) for problem in problems.read(folder)]
    return trajectory_rows(order[: wanted["count"]], shown)
