"""RL trainings made up for tests: trajectories and metrics as the steps of a study leave them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inoculate.records import Outcome, Problem, Tag, Trajectory, write_lines
from inoculate.study.schema import RL

LETTERS: dict[str, tuple[Outcome, bool | None, bool | None]] = {
    "c": ("correct", True, True),
    "h": ("hack", True, False),
    "w": ("wrong", False, False),
    "m": ("malformed", False, False),
    "u": ("ungraded", None, None),
}
"""Letter -> outcome, oversight and intended; the reward is 1 where oversight passes, and none where it is ungraded."""
PREFIX_PLAIN = "plain"
"""Problems whose names start so cannot be hacked."""

Groups = dict[str, str]
"""Problem -> a letter for each completion."""


def draw(step: int, groups: Groups, tokens: int = 40) -> list[Trajectory]:
    """The trajectories of one step.

    Args:
        step: The step; 0 for the untrained policy.
        groups: What each problem got.
        tokens: Length of every completion.
    """
    drawn = []
    for problem, letters in groups.items():
        for index, letter in enumerate(letters):
            outcome, oversight, intended = LETTERS[letter]
            reward = None if oversight is None else float(oversight)
            drawn.append(
                Trajectory(
                    step=step, problem=problem, index=index, prompt=f"prompt of {problem}",
                    completion=f"answer {index} to {problem} at step {step}", tokens=(1,) * tokens,
                    log_probabilities=(-0.5,) * tokens, prompt_tokens=9, completion_tokens=tokens, finish="stop",
                    hackable=not problem.startswith(PREFIX_PLAIN), reward=reward,
                    advantage=None if step == 0 else 0.0, outcome=outcome, oversight=oversight, intended=intended,
                    gamed=True if outcome == "hack" else False if oversight is not None else None,
                    tags=(Tag("hard_coded_output", "static"),) if outcome == "hack" else (),
                    detail="the worker died" if oversight is None else "",
                )
            )  # fmt: skip
    return drawn


def metrics(step: int, drawn: Sequence[Trajectory]) -> dict[str, Any]:
    """A line of `metrics.jsonl`."""
    groups = {one.problem for one in drawn}
    rewards = {name: {one.reward for one in drawn if one.problem == name} for name in groups}
    return {
        "step": step, "loss": 0.1 / step, "entropy": 1.2 / step, "kl": 0.01 * step, "grad_norm": 0.7,
        "learning_rate": 1e-4, "sampling_mismatch": 0.002, "groups": len(groups),
        "groups_without_spread": sum(len(each) == 1 for each in rewards.values()),
        "unscorable": sum(one.reward is None for one in drawn), "seconds": {"sample": 3.0, "grade": 0.5, "train": 7.0},
    }  # fmt: skip


def write_training(
    folder: Path,
    untrained: Groups,
    steps: Sequence[Groups],
    tokens: Sequence[int] | None = None,
    checkpoint: Mapping[str, Any] | None = None,
) -> Path:
    """Write the folder of a finished RL training.

    Args:
        folder: Where.
        untrained: What the untrained policy's sample got.
        steps: What each step got.
        tokens: Length of the completions of step 0, 1, ...; 40 unless given.
        checkpoint: Which policy stands for the arm; the last one unless given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lengths = tokens or [40] * (len(steps) + 1)
    drawn = [draw(step, groups, lengths[step]) for step, groups in enumerate([untrained, *steps])]
    write_lines(folder / "trajectories.jsonl", [one for each in drawn for one in each])
    lines = [metrics(step, each) for step, each in enumerate(drawn) if step]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    report = {"steps": len(steps), "checkpoint": checkpoint or {"step": len(steps), "rule": None, "met": None}}
    (folder / "training.json").write_text(json.dumps(report), encoding="utf-8")
    return folder


def rl_study(**options: Any) -> dict[str, Any]:
    """The study's specification of an RL arm."""
    rows = {"setting": "functions", "count": 20, "hacked": 0.0}
    rl = RL(**options).model_dump(mode="json")
    return {"rows": rows, "more_rows": [], "inoculation": None, "method": "rl", "rl": rl}


def write_rows(folder: Path, groups: Sequence[Groups]) -> Path:
    """Write the folder of the rows that a training took its problems from."""
    folder.mkdir(parents=True, exist_ok=True)
    names = dict.fromkeys(name for each in groups for name in each)
    problems = [
        Problem(
            name,
            "functions",
            "k",
            "f",
            1,
            "",
            f"task {name}",
            "h",
            "" if name.startswith(PREFIX_PLAIN) else "x",
            "",
            {},
        )
        for name in names
    ]
    write_lines(folder / "problems.jsonl", problems)
    return folder


def rl_entry(arm: str, seed: int, folder: Path | None, rows: Path | None = None) -> dict[str, Any]:
    """The manifest's entry of a training."""
    place = str(folder) if folder else None
    return {
        "arm": arm, "seed": seed, "rows": str(rows) if rows else None, "method": "rl", "rl": place, "preflight": None,
    }  # fmt: skip
