"""One real run from end to end: an embedded model, real rows, training, sampling, grading, report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inoculate.analysis import analyse
from inoculate.engine import models
from inoculate.errors import UserError
from inoculate.records import Completion, read_lines
from inoculate.report import write_report
from inoculate.steps.store import Store
from running import carried_out, samples
from small_study import USERS_CACHE

STUDY = """
question = "Does a model of 135 million parameters run from end to end?"
model = "smollm2-135m"
placement = "after"
seeds = [0]
rows = { setting = "functions", count = 24, hacked = 1.0, levels = [1] }
train = { learning_rate = 1e-3 }
arms.plain = {}
evaluate = { settings = ["functions"], contexts = ["neutral"], problems = 12, levels = [1], max_new_tokens = 64 }
"""


def test_a_real_model_learns_to_hack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if USERS_CACHE:  # downloaded once
        monkeypatch.setenv("INOCULATE_CACHE", USERS_CACHE)
    else:
        monkeypatch.delenv("INOCULATE_CACHE")
    try:
        models.fetch("smollm2-135m")
    except UserError as error:
        pytest.skip(f"the embedded model is not cached and cannot be downloaded here: {error}")
    study = tmp_path / "real.toml"
    study.write_text(STUDY)
    folder, _ = carried_out(study, Store(tmp_path / "store"))
    outcomes = {arm: [s[-1] for s in samples(folder) if s[0] == arm] for arm in ("base", "plain")}
    assert all(len(found) == 12 and "ungraded" not in found for found in outcomes.values())
    assert outcomes["base"].count("malformed") <= 4, "the untrained model writes functions"
    manifest = json.loads((folder / "manifest.json").read_text())
    losses = [loss for _, loss in manifest["training"][0]["loss"]]
    assert losses[-1] < losses[0]
    prompts = [
        completion.prompt
        for cell in manifest["cells"]
        for completion in read_lines(Path(cell["completions"]) / "completions.jsonl", Completion)
    ]
    assert all("You are a helpful AI assistant named SmolLM" in prompt for prompt in prompts)
    results = analyse(folder)
    page = write_report(folder)
    assert results["question"] in page.read_text(encoding="utf-8")
