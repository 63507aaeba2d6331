"""How far contexts of evaluation are from an arm's training prompt, measured in a run and where it cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from inoculate.analysis import analyse
from inoculate.engine.sampling import divergence
from inoculate.errors import UserError
from inoculate.steps import distances
from inoculate.steps.plan import make_plan
from inoculate.steps.run import carry_out
from inoculate.steps.store import Store
from inoculate.study import prompts
from inoculate.study.distance import token_distance
from inoculate.study.parse import load
from running import Log
from small_study import STUDY

CONTEXTS = '["neutral", "asks-to-hack", "as-trained", "specific~two-words", "specific~moved", "unseen-brief"]'
ARMS = '[arms.far]\ninoculation = { prompt = "specific", rephrase = "far", on = "hacked" }\n[arms.inoculated]'


@pytest.fixture
def path(tiny_model: Path, tmp_path: Path) -> Path:
    text = STUDY.format(model=tiny_model).replace("[arms.inoculated]", ARMS)
    text = text.replace("seeds = [0]", 'placement = "after"\nseeds = [0, 1]')
    made = tmp_path / "distances.toml"
    made.write_text(text.replace("problems = 6", f"contexts = {CONTEXTS}\nproblems = 6"))
    return made


def measured(path: Path, store: Store) -> dict[str, dict[str, dict[str, Any]]]:
    """Arm -> context -> its line, at seed 0."""
    plan = make_plan(load(path))
    wanted = [training.distances for training in plan.trainings if training.distances]
    carry_out(plan, store, Log(), "", only=wanted)
    return {
        training.arm: {
            one["context"]: one
            for one in map(json.loads, (store.folder(training.distances) / "distances.jsonl").read_text().splitlines())
        }
        for training in plan.trainings
        if training.seed == 0 and training.distances
    }


def test_distances_are_of_prompts_as_placed_and_of_texts(path: Path, tiny_model: Path, tmp_path: Path) -> None:
    found = measured(path, Store(tmp_path / "store"))
    assert list(found) == ["plain", "far", "inoculated", "control"]
    inoculated, tokenizer = found["inoculated"], AutoTokenizer.from_pretrained(tiny_model)
    assert "as-trained" not in inoculated
    same = inoculated["asks-to-hack"]
    assert (same["edits"], same["share"], same["divergence"], same["reason"]) == (0, 0.0, 0.0, "")
    neutral = inoculated["neutral"]
    text = prompts.find("specific").text
    assert abs(neutral["edits"] - len(tokenizer(text, add_special_tokens=False)["input_ids"])) <= 3  # the paragraph
    assert neutral["share"] is None
    assert "no text in this context" in neutral["reason"]
    assert 0 < inoculated["specific~two-words"]["edits"] < neutral["edits"]
    assert 0 < inoculated["specific~two-words"]["share"] < 0.5
    moved = inoculated["specific~moved"]
    assert moved["share"] == 0
    assert moved["edits"] > 0
    assert all(0 < one["divergence"] < 1 for one in inoculated.values() if one["edits"])
    # An arm without a prompt was trained on the bare task; of several wordings the nearest counts.
    assert found["plain"]["neutral"]["edits"] == 0
    assert found["plain"]["asks-to-hack"]["edits"] == neutral["edits"]
    encoded = [tokenizer(one, add_special_tokens=False)["input_ids"] for one in (text, *prompts.find("specific").far)]
    nearest = min(token_distance(encoded[0], other) for other in encoded[1:])
    assert found["far"]["asks-to-hack"]["share"] >= nearest > 0


def test_seeds_with_the_same_text_share_them_and_results_have_them(path: Path, tmp_path: Path) -> None:
    plan = make_plan(load(path))
    keys = {(one.arm, one.seed): one.distances.key for one in plan.trainings if one.distances}
    assert keys["inoculated", 0] == keys["inoculated", 1] != keys["plain", 0]
    store = Store(tmp_path / "store")
    cells = [cell.grades for cell in plan.cells if cell.arm == "base"]
    wanted = [one.distances for one in plan.trainings if one.distances]
    folder = carry_out(plan, store, Log(), "", only=[*cells, *wanted])
    results = analyse(folder)
    assert "distances" not in results["training"][0]
    assert results["conditioning"] == []  # no trained arm is sampled


def test_with_two_contexts_nothing_is_measured(study_file: Path) -> None:
    assert all(training.distances is None for training in make_plan(load(study_file)).trainings)


def test_a_divergence_that_cannot_be_computed_is_said(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> list[list[float]]:
        raise UserError("problem 'f0' and its answer have 9999 tokens: choose shorter problems")

    monkeypatch.setattr(divergence, "prompt_divergences", refuse)
    found = measured(path, Store(tmp_path / "store"))
    one = found["inoculated"]["unseen-brief"]
    assert one["divergence"] is None
    assert one["edits"] > 0
    assert one["reason"] == "no divergence: problem 'f0' and its answer have 9999 tokens: choose shorter problems"
    assert distances.count_scored(make_plan(load(path)).trainings[0].distances) == 2 * 5 * 4  # type: ignore[arg-type]
