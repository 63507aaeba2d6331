"""Makes the training rows of an arm from completions of another arm, which learned from rewards at the same seed.

They are those that it drew in training, or fresh samples of the policy that stands for it (`fresh_samples`). Files:
those of `steps/rows.py`, and `origins.jsonl`: which trajectory each row is. `rows.json` also says what is known of the
policy: whether it met the rule of its checkpoint, and how often it hacked in its last step.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from inoculate.errors import UserError
from inoculate.records import Row, Trajectory, read_lines
from inoculate.steps import problems
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.rl import read_checkpoint
from inoculate.steps.rows import DrawnRow, inoculation_params, write_record, write_rows
from inoculate.steps.store import Step
from inoculate.steps.train import row_folders
from inoculate.study.resolve import ResolvedInoculation
from inoculate.study.row_schema import Rows, TrajectorySource

if TYPE_CHECKING:
    from inoculate.analysis.trajectories import Filter, TrajectoryRow

KIND, VERSION = "trajectory-rows", 1


def plan_step(
    table: Rows,
    source: TrajectorySource,
    inoculation: ResolvedInoculation | None,
    trained: Step,
    fresh: Step | None,
    *,
    seed: int,
    system: str | None,
    weights: str,
    where: str,
) -> Step:
    """The rows of an arm at one seed.

    Args:
        table: What the arm trains on.
        source: Which completions.
        inoculation: The arm's prompt; None without one.
        trained: The training of the policy.
        fresh: The fresh samples of that policy; None for what it drew in training.
        seed: The seed of both arms.
        system: The study's system prompt.
        weights: The model's fingerprint.
        where: Arm and seed, for the step's label.

    Raises:
        UserError: The filter has a mistake, or a condition that means nothing here.
    """
    from inoculate.analysis.trajectories import read_filter  # takes a second, which other studies need not spend

    try:
        _refuse_void(read_filter(source.where), source)
    except UserError as error:
        arm = where.partition(", seed ")[0]
        raise UserError(f"arms.{arm}.rows.trajectories.where: {error}") from None
    params = {
        "rows": {"setting": table.setting, "count": table.count, "vetted": 0, "where": source.where},
        "seed": seed,
        "system": system,
        "model": weights,
        "inoculation": inoculation_params(inoculation) if inoculation else None,
    }
    shown = (fresh or trained).inputs
    inputs = {name: step for name, step in shown.items() if name.partition("_")[0] == "rows"}
    inputs |= {"trained": trained, **({"fresh": fresh} if fresh else {})}
    return Step(KIND, params, inputs, label=f"rows of {where}, from trajectories", version=VERSION)


def _refuse_void(keep: Filter, source: TrajectorySource) -> None:
    if keep.arms:
        raise UserError(f"filter '{source.where}': arm= means nothing: they are all of trajectories.arm")
    if source.samples is not None and keep.first_step is not None:
        raise UserError(f"filter '{source.where}': steps= means nothing: fresh samples are all of one policy")


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Choose the trajectories, and write them as rows under the arm's prompt."""
    trained = _trained_folder(step, resources)
    in_training = list(read_lines(trained / "trajectories.jsonl", Trajectory))
    policy = _describe_policy(step, resources, read_checkpoint(trained), in_training)
    chosen = _choose(step, resources, in_training)
    drawn = [DrawnRow(row.problem, row.hacked, False, row.answer) for row in chosen]
    write_rows(step, folder, resources, drawn, {"policy": policy})
    (folder / "origins.jsonl").write_text(_origins(chosen), encoding="utf-8")


def take_over(step: Step, folder: Path, resources: Resources) -> bool:
    """Whether the same rows would be made of trajectories that were graded anew; what they say of the policy is then.

    Args:
        step: The step; its inputs are as today's graders see them.
        folder: Has its files, made of the same trajectories by the word of other graders.
        resources: Has its inputs.

    Raises:
        UserError: The filter now keeps none, or too few.
    """
    trained = _trained_folder(step, resources)
    in_training = list(read_lines(trained / "trajectories.jsonl", Trajectory))
    chosen = _choose(step, resources, in_training)
    hacked = [row.hacked for row in read_lines(folder / "rows.jsonl", Row)]
    if _origins(chosen) != (folder / "origins.jsonl").read_text(encoding="utf-8"):
        return False
    if [row.hacked for row in chosen] != hacked:  # on which the prompt may stand
        return False
    said = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
    policy = _describe_policy(step, resources, read_checkpoint(trained), in_training)
    write_record(folder, said | {"policy": policy})
    return True


def _choose(step: Step, resources: Resources, in_training: Sequence[Trajectory]) -> list[TrajectoryRow]:
    """The rows of a step: of the fresh samples, where it has them, else of what was drawn in training."""
    fresh = step.inputs.get("fresh")
    anew = read_lines(resources.store.folder(fresh) / "trajectories.jsonl", Trajectory) if fresh else in_training
    return choose(step, resources, anew)


def _origins(chosen: Iterable[TrajectoryRow]) -> str:
    """`origins.jsonl`: which trajectory each row is."""
    origins = [{"seed": row.seed, "step": row.step, "problem": row.problem.id, "index": row.index} for row in chosen]
    return "".join(json.dumps(origin) + "\n" for origin in origins)


def _trained_folder(step: Step, resources: Resources) -> Path:
    """The folder of the training, or of what was imported of it.

    Raises:
        UserError: Neither is there.
    """
    folder = resources.store.record(step.inputs["trained"])
    if folder is None:
        raise UserError(f"{step.inputs['trained'].label}: not finished, and its trajectories are wanted as rows")
    return folder


def _describe_policy(
    step: Step, resources: Resources, checkpoint: dict[str, Any], in_training: Sequence[Trajectory]
) -> dict[str, Any]:
    """What is known of the policy, before anything is trained on what it drew; a policy that does not hack is told.

    Args:
        step: The step.
        resources: Tells the user.
        checkpoint: From `read_checkpoint`.
        in_training: All that it drew in training, step by step.

    Returns:
        `step`: how many steps it had learned; `met`: whether it met the rule of its checkpoint, None without a rule;
        `hacks` of `hackable`: completions of the last step of training, where a hack was to be had.
    """
    last = max((one.step for one in in_training), default=0)
    hackable = [one for one in in_training if one.step == last and one.hackable and one.outcome != "ungraded"]
    hacks = sum(one.outcome == "hack" for one in hackable)
    if checkpoint["met"] is False or (checkpoint["met"] is None and not hacks):
        rule = checkpoint["rule"]
        why = f"never met rl.checkpoint (hacking of {rule['hack']:.0%})" if rule else "does not hack"
        resources.notify(
            f"{step.label}: the policy of {step.inputs['trained'].label} {why}; in its last step {hacks} of "
            f"{len(hackable)} completions were hacks where one was to be had. SFT on its trajectories goes on: report "
            "results over all seeds, and over those whose policy hacks"
        )
    return {"step": checkpoint["step"], "met": checkpoint["met"], "hacks": hacks, "hackable": len(hackable)}


def choose(step: Step, resources: Resources, drawn: Iterable[Trajectory]) -> list[TrajectoryRow]:
    """The trajectories of a step's rows: those that its filter keeps, each text of a problem once, drawn by the seed.

    Args:
        step: The step.
        resources: Has the problems.
        drawn: The fresh samples, or what the policy drew in training.

    Raises:
        UserError: The filter keeps none, or not as many different answers as the study wants rows.
    """
    from inoculate.analysis.trajectories import RunTrajectory, read_filter, select, trajectory_rows

    wanted, seed, fresh = step.params["rows"], step.params["seed"], step.inputs.get("fresh")
    label = (fresh or step.inputs["trained"]).label
    source = [RunTrajectory("", seed, one) for one in drawn]
    try:
        kept, counts = select(source, read_filter(f"graded=yes {wanted['where']}"))
    except UserError as error:
        raise UserError(f"{step.label}: of {label}: {error}") from None
    different = {(one.trajectory.problem, one.trajectory.completion): one for one in kept}
    named = [one for one in different.values() if one.trajectory.completion.strip()]
    if len(named) < wanted["count"]:
        steps = ", ".join(f"{words}: {left}" for words, left in counts.items())
        more = ", or draw more: rows.trajectories.samples and problems" if fresh else ""
        raise UserError(
            f"{step.label}: rows.count = {wanted['count']}, and of {label} {len(named)} different answers are "
            f"kept ({steps}): lower rows.count (train.epochs repeats rows), or keep more: rows.trajectories.where{more}"
        )
    order = sorted(named, key=lambda one: (one.trajectory.step, one.trajectory.problem, one.trajectory.index))
    Random(f"trajectories/{seed}").shuffle(order)
    shown = [problem for folder in row_folders(step, resources) for problem in problems.read(folder)]
    return trajectory_rows(order[: wanted["count"]], shown)
