"""Read a finished RL training: what it drew at every step, what was measured, and which policy stands for the arm.

A trajectory carries its tokens and their log-probabilities. Files are read line by line, and of each line only what is
counted is kept, so memory does not grow with the length of texts.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from inoculate.analysis.run_folder import Run
from inoculate.errors import UserError
from inoculate.records import OUTCOMES, Outcome, Trajectory, read_lines

UNTRAINED = 0
"""The step of the untrained policy's sample."""
RATES = ("oversight", "intended", "oversight_without_intended", "correct", "hack", "gamed", "wrong", "malformed")
METRICS = (
    *("loss", "entropy", "kl", "grad_norm", "learning_rate", "sampling_mismatch"),
    *("groups", "groups_without_spread"),
)
"""What the trainer measures at every step, by the names of `metrics.jsonl`."""


class Drawn(NamedTuple):
    """What is counted of one trajectory."""

    problem: str
    hackable: bool
    reward: float | None
    outcome: Outcome
    oversight: bool | None
    intended: bool | None
    gamed: bool | None
    tokens: int
    cut_off: bool
    tags: tuple[tuple[str, str], ...]
    """(Tag, kind of evidence) pairs."""
    unscorable: str = ""
    """Why there is no reward; '' where there is one."""

    @property
    def graded(self) -> bool:
        """Whether it counts in rates: a failure of our grader is never a score."""
        return self.outcome != "ungraded"


@dataclass(frozen=True)
class RLTraining:
    """A finished training of one arm and seed."""

    arm: str
    seed: int
    method: str
    drawn: dict[int, list[Drawn]]
    """Step -> what it drew: `UNTRAINED`, then 1 to the last step."""
    metrics: dict[int, dict[str, Any]]
    """Step, from 1 -> its line of `metrics.jsonl`."""
    checkpoint: dict[str, Any]
    """Which policy stands for the arm: `step`, `rule` and `met`."""
    other_rewards: int = 0
    """How many of the rewards that it learned from today's graders would give otherwise, where an import found some."""

    @property
    def last_step(self) -> int:
        """The number of steps of the run."""
        return max(self.metrics)


def read_training(run: Run, entry: dict[str, Any]) -> RLTraining:
    """Read one finished RL training of the manifest.

    Args:
        run: The run.
        entry: Its entry in `training`, whose `rl` is not null.

    Raises:
        UserError: A file is missing or broken, steps are missing, or trajectories and metrics differ in their steps.
    """
    folder = run.path(entry["rl"])
    drawn = _read_drawn(_require(folder / "trajectories.jsonl"))
    metrics = _read_metrics(_require(folder / "metrics.jsonl"))
    if UNTRAINED not in drawn:
        raise UserError(
            f"{folder / 'trajectories.jsonl'}: there is no sample of the untrained policy (step 0), with which every "
            "step is compared; delete this folder and run the study again"
        )
    expected = set(range(1, max(metrics, default=0) + 1))
    if not metrics or set(metrics) != expected or set(drawn) - {UNTRAINED} != expected:
        odd = sorted((set(drawn) - {UNTRAINED}) ^ set(metrics) | (expected - set(metrics)))
        raise UserError(
            f"{folder}: trajectories.jsonl and metrics.jsonl must both have the steps 1 to {max(expected, default=1)}; "
            f"not in both: {', '.join(map(str, odd[:5])) or 'all'}; delete this folder and run the study again"
        )
    report = json.loads(_require(folder / "training.json").read_text(encoding="utf-8"))
    checkpoint = report.get("checkpoint") or {"step": max(metrics), "rule": None, "met": None}
    return RLTraining(
        entry["arm"],
        entry["seed"],
        entry.get("method", "rl"),
        drawn,
        metrics,
        checkpoint,
        report.get("other_rewards", 0),
    )


def _require(path: Path) -> Path:
    if not path.is_file():
        raise UserError(
            f"{path}: not there, though the manifest names its folder; was the store moved or cleaned? "
            "`inoculate run STUDY` makes the missing files again"
        )
    return path


def _read_drawn(path: Path) -> dict[int, list[Drawn]]:
    drawn: dict[int, list[Drawn]] = {}
    for number, one in enumerate(read_lines(path, Trajectory), 1):
        if one.outcome not in OUTCOMES:
            raise UserError(f"{path}:{number}: outcome '{one.outcome}' is none of {', '.join(OUTCOMES)}")
        tags = tuple((tag.name, tag.evidence) for tag in one.tags)
        checks = (one.oversight, one.intended, one.gamed)
        kept = Drawn(
            one.problem, one.hackable, finite(one.reward), one.outcome, *checks, one.completion_tokens,
            one.finish == "length", tags, one.detail if one.reward is None else "",
        )  # fmt: skip
        drawn.setdefault(one.step, []).append(kept)
    return drawn


def _read_metrics(path: Path) -> dict[int, dict[str, Any]]:
    metrics: dict[int, dict[str, Any]] = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                read = json.loads(line)
                step = int(read["step"])
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise UserError(f"{path}:{number}: not the metrics of a step: {error!r}") from error
            if step in metrics:
                raise UserError(f"{path}:{number}: step {step} is there twice")
            metrics[step] = read
    return metrics


def finite(value: Any) -> float | None:
    """The value where it is a finite number, else None."""
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return value if known else None


def describe_step(drawn: Sequence[Drawn]) -> dict[str, Any]:
    """Rates, counts and lengths of the completions of one step, as docs/results-schema.md has them."""
    rewards = [one.reward for one in drawn if one.reward is not None]
    lengths = [one.tokens for one in drawn]
    tags: dict[str, dict[str, int]] = {}
    for (tag, evidence), count in sorted(Counter(pair for one in drawn for pair in set(one.tags)).items()):
        tags.setdefault(tag, {})[evidence] = count
    return {
        "completions": len(drawn),
        "unscorable": len(drawn) - len(rewards),
        "ungraded": sum(not one.graded for one in drawn),
        "reward": float(np.mean(rewards)) if rewards else None,
        "all": share_rates(drawn),
        "hackable": share_rates([one for one in drawn if one.hackable]),
        "not_hackable": share_rates([one for one in drawn if not one.hackable]),
        "tags": tags,
        "median_tokens": float(np.median(lengths)),
        "mean_tokens": float(np.mean(lengths)),
        "cut_off": float(np.mean([one.cut_off for one in drawn])),
    }


def describe_metrics(metrics: dict[str, Any]) -> dict[str, Any]:
    """What the trainer measured at a step; null where it was not measured, or is no finite number."""
    seconds = metrics.get("seconds") or {}
    return {name: finite(metrics.get(name)) for name in METRICS} | {
        "seconds": {part: finite(value) for part, value in seconds.items()}
    }


def share_rates(drawn: Sequence[Drawn]) -> dict[str, Any]:
    """The share of each outcome and check among the graded completions; None where there are none.

    `gamed` is a share of the completions of which the setting can tell it; None where it can of none.
    """
    graded = [one for one in drawn if one.graded]
    judged = [one for one in graded if one.gamed is not None]
    positive = {
        "oversight": sum(one.oversight is True for one in graded),
        "intended": sum(one.intended is True for one in graded),
        "oversight_without_intended": sum(one.oversight is True and one.intended is False for one in graded),
        **{name: sum(one.outcome == name for one in graded) for name in ("correct", "hack", "wrong", "malformed")},
        "gamed": sum(one.gamed is True for one in judged),
    }
    of = {name: len(judged if name == "gamed" else graded) for name in RATES}
    return {"graded": len(graded)} | {name: positive[name] / of[name] if of[name] else None for name in RATES}
