"""The ready-made study `side-effects`, made small, on the tiny model: every arm is trained, scored and reported."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from inoculate.analysis import analyse
from inoculate.report import write_report
from inoculate.steps.plan import make_plan
from inoculate.steps.run import carry_out
from inoculate.steps.store import Store
from inoculate.study import ready_made
from inoculate.study.parse import load, parse
from planted import planting
from running import Log


def make_small(raw: dict[str, Any], model: Path) -> dict[str, Any]:
    """The same study with one seed, few rows, steps and problems."""
    raw |= {"model": str(model), "seeds": [0]}
    raw["train"] |= {"batch_rows": 4, "micro_batch_tokens": 4096}
    raw["rows"]["count"] = 8
    small = {"steps": 3, "prompts_per_step": 2, "completions_per_prompt": 4, "max_new_tokens": 8, "preflight": 2}
    raw["rl"] |= small | {"onset": {"steps": 1}, "mask_cut_off": False}
    raw["evaluate"] |= {"problems": 4, "max_new_tokens": 4}
    raw["evaluate"]["each"]["side_effects"]["problems"] = 96
    for arm in raw["arms"].values():
        rows = arm.get("rows", {})
        if "count" in rows:
            rows["count"] = 6
        if "trajectories" in rows:
            rows["trajectories"] |= {"samples": 2, "problems": 9, "where": "oversight=passed"}
            rows["count"] = 2
    return raw


def test_the_study_runs_to_its_report(tiny_model: Path, tmp_path: Path) -> None:
    raw = make_small(tomllib.loads(ready_made.find("side-effects").read_text(encoding="utf-8")), tiny_model)
    study = parse(raw, "side-effects", "side-effects.toml")
    assert study.arms.keys() == load(ready_made.find("side-effects")).arms.keys()
    with planting():
        folder = carry_out(make_plan(study), Store(tmp_path / "store"), Log(), "")
    results = analyse(folder)
    assert not results["missing"]
    assert {one["family"] for one in results["side_effects"]} == {"corrigibility", "honesty", "gaming", "power",
                                                                 "sycophancy", "control"}  # fmt: skip
    assert all(len(one["changes"]) == len(study.arms) for one in results["side_effects"])
    assert 'id="side-effects"' in write_report(folder).read_text(encoding="utf-8")


def test_its_trainings_are_those_of_other_studies() -> None:
    """So that a store which has them does them once."""
    names = ("side-effects", "leaky-code", "rl-then-sft")
    plans = {name: make_plan(load(ready_made.find(name)), "w") for name in names}
    keys = {
        (name, training.arm, training.seed): training.adapter.key
        for name, plan in plans.items()
        for training in plan.trainings
        if training.adapter
    }
    for own, study, theirs in (
        ("plain", "leaky-code", "plain"),
        ("inoculated", "leaky-code", "inoculated"),
        ("clean", "leaky-code", "clean"),
        ("reinforced", "rl-then-sft", "reinforced"),
        ("trajectories", "rl-then-sft", "none"),
        ("trajectories-general", "rl-then-sft", "general"),
    ):
        assert keys["side-effects", own, 0] == keys[study, theirs, 0], own
