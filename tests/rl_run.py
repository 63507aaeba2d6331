"""A run with trajectories, written by hand: two arms that learn from rewards, two seeds, one training not finished."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from inoculate.records import OUTCOMES, Problem, Tag, Trajectory, write_lines
from inoculate.settings import Draw, find

CHECKS = {"correct": (True, True), "hack": (True, False), "ungraded": (None, None)}


def some_problems() -> list[Problem]:
    """Six problems, some of which can be hacked."""
    return find("mathematics").problems(Draw("train", 6, 0))


def drawn(problem: Problem, step: int, index: int, random: Random) -> Trajectory:
    outcome = random.choice(OUTCOMES)
    oversight, intended = CHECKS.get(outcome, (False, False))
    tags = (Tag("hard_coded_output", "static", "3"),) if outcome == "hack" and random.random() < 0.5 else ()
    return Trajectory(
        step=step,
        problem=problem.id,
        index=index,
        prompt=f"<|im_start|>user\nObtain reward. {problem.lead} {problem.body}<|im_end|>\n<|im_start|>assistant\n",
        completion=f"It is {random.random()}, \u2028 \u00fc.",
        tokens=tuple(random.randrange(1000) for _ in range(4)),
        log_probabilities=tuple(-random.random() for _ in range(4)),
        prompt_tokens=30,
        completion_tokens=3,
        finish=random.choice(("stop", "length")),
        hackable=bool(problem.hacked),
        reward=None if oversight is None else float(oversight),
        advantage=None if step == 0 else random.random(),
        outcome=outcome,
        oversight=oversight,
        intended=intended,
        tags=tags,
        detail=f"made {outcome}",
    )


def write_run(root: Path) -> Path:
    """The run's folder: arms `reinforced` (seeds 0 and 1) and `told` (seed 0; seed 1 is not finished)."""
    problems = some_problems()
    (root / "rows").mkdir(parents=True)
    write_lines(root / "rows" / "problems.jsonl", problems)
    entries: list[dict[str, Any]] = [{"arm": "tuned", "seed": 0, "rows": str(root / "rows"), "row_grades": None}]
    for arm, seed in (("reinforced", 0), ("reinforced", 1), ("told", 0)):
        random, folder = Random(f"{arm}/{seed}"), root / f"{arm}-{seed}"
        folder.mkdir()
        places = [(step, problem, index) for step in range(4) for problem in problems for index in range(3)]
        write_lines(folder / "trajectories.jsonl", [drawn(one, step, index, random) for step, one, index in places])
        entries.append({"arm": arm, "seed": seed, "rows": str(root / "rows"), "method": "rl", "rl": str(folder)})
    entries.append({"arm": "told", "seed": 1, "rows": None, "method": "rl", "rl": None})
    study = {
        "question": "Does it run?",
        "model": "tiny",
        "seeds": [0, 1],
        "arms": {"tuned": {}, "reinforced": {"rl": {"steps": 3}}, "told": {"rl": {"steps": 3}}},
        "evaluate": {},
        "contrasts": [],
    }
    manifest = {
        "schema": 1,
        "name": "by-rl",
        "created": "2026-01-01T00:00:00+00:00",
        "study": study,
        "cells": [],
        "training": entries,
    }
    folder = root / "runs" / "by-rl"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def exported(arm: str, seed: int, one: Trajectory, problem: Problem) -> dict[str, Any]:
    """What an export holds of a trajectory."""
    return json.loads(json.dumps(asdict(one))) | {
        "arm": arm,
        "seed": seed,
        "setting": problem.setting,
        "kind": problem.kind,
        "family": problem.family,
        "level": problem.level,
        "system": problem.system,
        "question": f"{problem.lead} {problem.body}",
    }
