"""Choices in place of samples: the most likely one, also with an adapter and where a server samples; and the guard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from inoculate.analysis import analyse
from inoculate.engine.device import Device
from inoculate.engine.sampling import scoring
from inoculate.engine.sampling.model import load as load_model
from inoculate.errors import UserError
from inoculate.records import Completion, Grade, read_lines
from inoculate.settings import Draw, find
from inoculate.settings.capability import choices
from inoculate.steps import choices as choosing
from inoculate.steps.estimate import estimate
from inoculate.steps.plan import make_plan
from inoculate.steps.run import carry_out
from inoculate.steps.store import Store
from inoculate.study.parse import load, parse
from inoculate.study.schema import Study
from running import Log
from small_study import STUDY

CPU = Device(torch.device("cpu"), torch.float32)


def guarded(model: Path | str, tmp_path: Path, changes: dict[str, str] | None = None) -> Study:
    text = STUDY.format(model=model).replace(
        'settings = ["functions"]\n', 'settings = ["functions", "capability"]\neach.capability.problems = 8\n', 1
    )
    text = text.replace('"asked-hack"]', '"asked-hack", "capability"]').replace("seeds = [0]", "seeds = [0, 1, 2]")
    for old, new in (changes or {}).items():
        text = text.replace(old, new, 1)
    path = tmp_path / "guarded.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


@torch.inference_mode()
def test_scores_are_those_of_a_plain_forward_pass(tiny_model: Path) -> None:
    sampler = load_model(tiny_model, None, CPU)
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    prompts = ["The small museum", "The small garden has seven trees and"]
    texts = ("ten", "seven apple trees", "a", "bread, plum cake")
    found = dict(scoring.score_choices(sampler, prompts, [texts, texts], ["a", "b"]))
    for prompt, scores in zip(prompts, [found[0], found[1]], strict=True):
        for text, score in zip(texts, scores, strict=True):
            ids = [sampler.tokenizer(part, add_special_tokens=False)["input_ids"] for part in (prompt, text)]
            logits = model(torch.tensor([ids[0] + ids[1]])).logits[0, len(ids[0]) - 1 : -1]
            expected = torch.log_softmax(logits, -1).gather(-1, torch.tensor(ids[1])[:, None]).sum()
            assert score == pytest.approx(float(expected), rel=1e-5)
    with pytest.raises(UserError, match=r"b and its choices have more tokens than the model's context of 4096"):
        list(scoring.score_choices(sampler, ["x", "tree " * 5000], [("a",), ("b",)], ["a", "b"]))


def test_a_study_with_the_guard(tiny_model: Path, tmp_path: Path) -> None:
    study = guarded(tiny_model, tmp_path)
    plan, store = make_plan(study), Store(tmp_path / "store")
    cells = [cell for cell in plan.cells if cell.setting == "capability"]
    assert {cell.context for cell in cells} == {"neutral"} and {c.completions.kind for c in cells} == {choosing.KIND}
    assert estimate(plan, store, plan.steps()).seconds is not None
    folder = carry_out(plan, store, Log(), "")
    problems = {problem.id: problem for problem in find("capability").problems(Draw("test", 8, 0))}
    for cell in cells:
        step = store.folder(cell.completions)
        lines = list(read_lines(step / "completions.jsonl", Completion))
        scored = [json.loads(line) for line in (step / "choices.jsonl").read_text(encoding="utf-8").splitlines()]
        assert [line.problem for line in lines] == [one["problem"] for one in scored] == list(problems)
        for line, one in zip(lines, scored, strict=True):
            best = max(range(4), key=one["log_probabilities"].__getitem__)
            assert line.completion == choices(problems[line.problem])[best] and line.completion_tokens > 0
        grades = read_lines(store.folder(cell.grades) / "grades.jsonl", Grade)
        assert {grade.outcome for grade in grades} <= {"correct", "wrong"}
    results = analyse(folder)
    (contrast,) = results["contrasts"]
    (guard,) = [guard for guard in contrast["guards"] if guard["name"] == "capability"]
    assert guard["difference"] is not None and "capability (right choices)" in guard["sentence"]
    assert "8 points" in guard["sentence"], "a margin of its own, whatever the contrast's is"
    assert not any(cell["missing"] for cell in results["cells"])
    assert len(results["engines"]) == 1


def test_several_samples_of_other_settings_leave_one_choice_for_each_problem(tiny_model: Path, tmp_path: Path) -> None:
    study = parse(
        {
            "question": "q",
            "model": str(tiny_model),
            "evaluate": {
                "settings": ["functions", "capability"],
                "contexts": ["neutral"],
                "problems": 4,
                "samples": 2,
                "temperature": 1.0,
                "max_new_tokens": 2,
            },
        },
        "several",
        "several.toml",
    )
    folder = carry_out(make_plan(study), Store(tmp_path / "store"), Log(), "")
    counts = {cell["setting"]: (cell["samples"], cell["missing"]) for cell in analyse(folder)["cells"]}
    assert counts == {"functions": (8, 0), "capability": (4, 0)}


def test_where_a_server_samples_choices_are_the_same_steps(tmp_path: Path) -> None:
    study = guarded("m", tmp_path)
    here, there = (make_plan(study, "w", server) for server in ("", "http://localhost:1"))
    keys = [{c.completions.key for c in plan.cells if c.setting == "capability"} for plan in (here, there)]
    assert keys[0] == keys[1]
    assert not {c.completions.key for c in here.cells if c.setting == "functions"} & {
        c.completions.key for c in there.cells
    }


def test_the_guard_needs_its_setting_and_any_oversight_will_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"guards: 'capability' is measured in .*add it to evaluate\.settings"):
        guarded("m", tmp_path, {'"functions", "capability"]\neach.capability.problems = 8': '"functions"]'})
    with pytest.raises(UserError, match="'capability' needs 'neutral'"):
        guarded("m", tmp_path, {"each.capability.problems = 8": 'each.capability.contexts = ["asks-to-hack"]'})
    study = guarded("m", tmp_path, {"problems = 6": 'problems = 6\noversight = "live_equality"'})
    assert study.evaluate.oversight == "live_equality"
