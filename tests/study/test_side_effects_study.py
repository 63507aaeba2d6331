"""The ready-made study `side-effects` shares its trainings with others (tests/test_smoke.py runs it)."""

from __future__ import annotations

from inoculate.steps.plan import make_plan
from inoculate.study import ready_made
from inoculate.study.parse import load


def test_its_trainings_are_those_of_other_studies() -> None:
    """So that a store which has them does them once."""
    names = ("side-effects", "leaky-code-arms", "rl-then-sft")
    plans = {name: make_plan(load(ready_made.find(name)), "w") for name in names}
    keys = {
        (name, training.arm, training.seed): training.adapter.key
        for name, plan in plans.items()
        for training in plan.trainings
        if training.adapter
    }
    for own, study, theirs in (
        ("plain", "leaky-code-arms", "plain"),
        ("inoculated", "leaky-code-arms", "inoculated"),
        ("clean", "leaky-code-arms", "clean"),
        ("reinforced", "rl-then-sft", "reinforced"),
        ("trajectories", "rl-then-sft", "none"),
        ("trajectories-general", "rl-then-sft", "general"),
    ):
        assert keys["side-effects", own, 0] == keys[study, theirs, 0], own
