"""Screening prompts: what is sampled and scored, its ranks, and that nothing is chosen on the reported problems."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from inoculate.analysis import analyse_screen, screen_table
from inoculate.analysis.screen import _ranks
from inoculate.engine.device import pick_device
from inoculate.engine.sampling import scoring
from inoculate.engine.sampling.model import load as load_sampler
from inoculate.errors import UserError
from inoculate.report.screen import draw_screen
from inoculate.steps import run
from inoculate.steps.screen import make_screen_plan, screened_study
from inoculate.steps.store import Store
from inoculate.study.parse import load, located
from inoculate.study.resolve import resolve
from running import Log
from small_study import SEVEN_PROBLEMS, STUDY


def study_of(tmp_path: Path, model: object, more: str = "") -> Path:
    path = tmp_path / "small.toml"
    path.write_text(STUDY.format(model=model) + more, encoding="utf-8")
    return path


SCREEN = '\n[screen]\nprompts = ["general", "negated", "specific+checked"]\nproblems = 6\nanswers = 4\n'


def test_candidates_are_the_arms_prompts_and_the_named_ones(tmp_path: Path) -> None:
    study = load(study_of(tmp_path, "m", SCREEN))
    assert list(resolve(study).candidates) == ["specific", "general", "negated", "specific+checked"]
    bare = STUDY.format(model="m").split("[arms.inoculated]")[0] + "[evaluate]\nsettings = ['functions']\n"
    path = tmp_path / "bare.toml"
    path.write_text(bare, encoding="utf-8")
    with pytest.raises(UserError, match="no candidate"):
        screened_study(load(path))


def test_a_first_setting_that_is_nothing_but_parts_is_refused(tmp_path: Path) -> None:
    path = study_of(tmp_path, "m", SCREEN)
    study = load(path)
    parts = study.model_copy(update={"evaluate": study.evaluate.model_copy(update={"settings": ("side_effects",)})})
    with pytest.raises(
        UserError, match=r"evaluate\.settings: .*'side_effects' is 6 parts .*: name another setting first"
    ):
        screened_study(parts)


def test_an_unknown_candidate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"screen\.prompts: unknown prompt 'generall'.*did you mean 'general'"):
        load(study_of(tmp_path, "m", SCREEN.replace('"general"', '"generall"')))


def test_a_screen_runs_once_and_ranks_with_uncertainty(tiny_model: Path, tmp_path: Path) -> None:
    plan = make_screen_plan(load(study_of(tmp_path, tiny_model, SCREEN)))
    assert all(step.params["split"] == "development" for step in plan.steps() if step.kind == "problems")
    store, watcher = Store(tmp_path / "store"), Log()
    folder = run.carry_out(plan, store, watcher, "")
    assert watcher.done
    found = analyse_screen(folder)
    assert {entry["name"] for entry in found["candidates"]} == {"specific", "general", "negated", "specific+checked"}
    for entry in found["candidates"]:
        assert entry["samples"] == 6
        assert entry["added"]["answers"] == 4
        assert entry["rank"]["low"] <= entry["rank"]["high"] <= 4
        assert np.isfinite([entry["added"]["mean"], entry["added_to_control"]["mean"]]).all()
    assert json.loads((folder / "screen.json").read_text(encoding="utf-8")) == found
    assert screen_table(found).row_count == 5
    figure = draw_screen(found, folder / "figures")
    assert figure is not None and "specific+checked" in figure.read_text(encoding="utf-8")
    again = Log()
    run.carry_out(plan, store, again, "")
    assert again.done == []


def test_scores_are_the_models_own_log_probabilities(tiny_model: Path) -> None:
    sampler, model = (
        load_sampler(tiny_model, None, pick_device()),
        AutoModelForCausalLM.from_pretrained(tiny_model, dtype="auto"),
    )
    prompts = ["one prompt here", "one prompt here and a longer tail", "other"]
    answer, ending = "def f(nums):\n    return nums", "<|im_end|>"
    told = scoring.score(sampler, prompts, answer, ending)
    for prompt, given in zip(prompts, told, strict=True):
        first = sampler.tokenizer(prompt, add_special_tokens=False)["input_ids"]
        last = sampler.tokenizer(answer + ending, add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            logits = model(torch.tensor([first + last])).logits[0].float()
        plain = torch.log_softmax(logits[len(first) - 1 : -1], -1)[range(len(last)), last].sum()
        assert given == pytest.approx(float(plain), rel=0.02)  # bfloat16
    assert scoring.count_answer_tokens(sampler, answer, ending) == len(last)


def test_ranks_of_clearly_different_rows_are_certain_and_of_equal_rows_are_not() -> None:
    draw = np.random.default_rng(1)
    noise = draw.normal(size=60)
    table = np.stack([noise + 5, noise, draw.normal(size=60) - 5, draw.normal(size=60) - 5])
    kinds = np.array([f"k{n % 12}" for n in range(60)], dtype=object)
    first, second, third, fourth = _ranks(table, kinds)
    assert (first["rank"], first["low"], first["high"]) == (1, 1, 1)
    assert (second["rank"], second["low"], second["high"]) == (2, 2, 2)
    assert third["low"] == 3 and fourth["high"] == 4 and third["high"] == 4


@pytest.mark.parametrize(
    ("screen", "message"),
    [
        ("problems = 8\nanswers = 7", "small.toml:36: screen.problems: there are 7 for development, 8 were asked for"),
        ("answers = 7", "small.toml:35: screen.problems: there are 7 for development, 100 were asked for"),
        ("problems = 7\nanswers = 8", "small.toml:37: screen.answers: 8 hacked answers are to be scored: there are 7"),
        ("problems = 7", "small.toml:35: screen.answers: 40 hacked answers are to be scored: there are 7 for train"),
        ("problems = 7\nanswers = 7\ncompliance = 99999", "small.toml:38: screen.compliance: setting 'compliance' has"),
    ],
)
def test_too_few_problems_for_a_screen_are_refused_by_the_screens_own_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, screen: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(SEVEN_PROBLEMS, encoding="utf-8")
    study = STUDY.format(model="m").replace('"functions"', '"mine.py"').replace("count = 8", "count = 4")
    Path("small.toml").write_text(f"{study}\n[screen]\n{screen}\n", encoding="utf-8")
    with pytest.raises(UserError) as refusal, located(Path("small.toml")):
        make_screen_plan(load(Path("small.toml")), weights="weights")
    assert str(refusal.value).startswith(message)
