"""A study that asks for two processes: the results of one, also where one of them is killed in the middle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from faults.runs import Reference, Runs, clear

RESOURCES = "\n[resources.adapter]\nprocesses = 2\nshard = {}\n"


@pytest.fixture(params=["false", "true"], ids=["whole weights", "divided weights"])
def divided(runs: Runs, request: pytest.FixtureRequest) -> Path:
    """The study, with two processes for a training."""
    path = runs.study.with_name(f"divided-{request.param}") / runs.study.name
    path.parent.mkdir(exist_ok=True)
    path.write_text(runs.study.read_text(encoding="utf-8") + RESOURCES.format(request.param), encoding="utf-8")
    return path


@pytest.mark.faults
def test_one_that_is_killed_ends_the_others_and_the_same_command_goes_on(
    runs: Runs, reference: Reference, divided: Path
) -> None:
    store = runs.fresh()
    lost = runs.run(store, study=str(divided), patch="several processes", value=2)
    (said,) = (text for text in lost["said"] if "process 2 of 2" in text)
    assert lost["codes"] == [2]
    assert "it was killed (SIGKILL" in said and "-process-2.txt" in said
    done = runs.run(store, study=str(divided), patch="several processes", value=0)
    assert done["codes"] == [0], done["said"]
    assert sorted(lost["done"] + done["done"]) == sorted(reference.done)
    assert not list((store / "logs").glob("*"))
    how = (2, divided.parent.name == "divided-true")
    for file in store.glob("steps/adapter/*/step.json"):
        step = json.loads(file.read_text(encoding="utf-8"))
        assert (step["processes"], step["shard"]) == how
    (manifest,) = store.glob("runs/*/manifest.json")
    for training in json.loads(manifest.read_text(encoding="utf-8"))["training"]:
        assert (training["processes"], training["shard"]) == ((1, False) if "rl" in training else how)
    clear(store)
