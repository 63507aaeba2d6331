"""Every text of a study is put together once: it goes down from the study file to the rendered prompt, unchanged."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

import inoculate
from inoculate import settings
from inoculate.engine import chat
from inoculate.records import Completion, Row, read_lines
from inoculate.steps import plan as planning
from inoculate.steps.resources import Resources
from inoculate.steps.run import carry_out_step
from inoculate.steps.store import Store
from inoculate.study import prompts, ready_made
from inoculate.study.parse import load, parse
from inoculate.study.resolve import ResolvedPrompt, ResolvedStudy, Source, resolve

RAW: dict[str, Any] = {
    "question": "Which text?",
    "model": "m",
    "seeds": [0],
    "rows": {"setting": "functions", "count": 4, "hacked": 0.5},
    "evaluate": {"settings": ["functions", "writing"], "contexts": ["neutral", "asks-to-hack", "as-trained"]},
}


def resolved(inoculations: dict[str, Any] | None = None, **more: Any) -> ResolvedStudy:
    arms = {"plain": {}} | {name: {"inoculation": given} for name, given in (inoculations or {}).items()}
    return resolve(parse(RAW | {"arms": arms} | more, "study", "study.toml"))


@pytest.mark.parametrize("name", ready_made.names())
def test_every_ready_made_study_resolves(name: str) -> None:
    study = load(ready_made.find(name))
    found = resolve(study)
    assert set(found.inoculations) == {arm for arm, spec in study.arms.items() if spec.inoculation}
    assert all(prompt.text and prompt.source != "none" for prompt in found.inoculations.values())
    for setting, contexts in found.evaluated.items():
        for context in contexts:
            named = {*study.contexts, *prompts.contexts(), *(one for one in contexts if "~" in one)}
            empty = context == prompts.AS_TRAINED or context not in named
            assert bool(found.context(context, setting).text) != empty, context


def test_the_study_comes_before_the_setting_and_the_setting_before_the_package() -> None:
    found = resolved()
    sources: tuple[tuple[str, Source], ...] = (("functions", "package"), ("writing", "setting"))
    for setting, source in sources:
        prompt = found.context("asks-to-hack", setting)
        words = settings.find(setting).prompts.get("specific", prompts.find("specific").text)
        assert prompt == ResolvedPrompt(words, "inside", "specific", source)
        own = resolved(prompts={"specific": "Mine."}, placement="after").context("asks-to-hack", setting)
        assert own == ResolvedPrompt("Mine.", "after", "specific", "study")
    assert found.context("neutral", "functions") == ResolvedPrompt()


def test_a_description_stands_before_the_prompt_in_the_words_of_the_setting() -> None:
    prompt = resolved({"told": {"prompt": "general+checked"}}).inoculations["told"]
    assert prompt.text.endswith(f"{settings.find('functions').leak} {prompts.find('general').text}")


def test_as_trained_is_the_arms_own_prompt_and_none_for_others() -> None:
    found = resolved({"told": {"text": "Do it.", "placement": "before"}})
    for setting in ("functions", "writing"):
        prompt = found.context("as-trained", setting, "told")
        assert (prompt.text, prompt.placement, prompt.source) == ("Do it.", "before", "text")
        assert found.context("as-trained", setting, "plain").text == found.context("as-trained", setting).text == ""


def test_controls_and_wordings_are_written_out() -> None:
    found = resolved(
        {
            "control": {"prompt": "gibberish", "like": "specific"},
            "reworded": {"prompt": "specific", "rephrase": True},
            "fixed": {"prompt": "specific"},
        }
    )
    specific, gibberish = prompts.find("specific"), prompts.find("gibberish")
    control = found.inoculations["control"]
    assert (control.text, control.length_of, control.filler) == (gibberish.text, specific.text, gibberish.filler)
    assert found.inoculations["reworded"].wordings == (specific.text, *specific.near, *specific.far)
    assert found.inoculations["fixed"].wordings == ()
    assert list(found.candidates) == ["specific"], "a control is no candidate of the screen"


@pytest.mark.parametrize("placement", ["system", "before", "inside", "after"])
def test_an_inoculation_reaches_the_rendered_prompts_unchanged(
    tiny_model: Path, tmp_path: Path, placement: prompts.Placement
) -> None:
    given = {"prompt": "general+exploit", "placement": placement}
    evaluate = {"settings": ["functions"], "contexts": ["told"], "problems": 2, "max_new_tokens": 1}
    raw = {"model": str(tiny_model), "arms": {"told": {"inoculation": given}}, "contexts": {"told": given}}
    study = parse(RAW | raw | {"evaluate": evaluate}, "study", "study.toml")
    text = resolve(study).inoculations["told"].text
    plan, store = planning.make_plan(study), Store(tmp_path / "store")
    resources = Resources(store, study.model, print)
    cell = plan.cells[0]
    for step in (plan.trainings[0].rows, cell.problems, cell.completions):
        carry_out_step(step, resources, lambda *_: None)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    rows = list(read_lines(store.folder(plan.trainings[0].rows) / "rows.jsonl", Row))
    rendered = [chat.render(tokenizer, row.messages) for row in rows]
    rendered += [c.prompt for c in read_lines(store.folder(cell.completions) / "completions.jsonl", Completion)]
    assert len(rendered) == 6
    assert all(prompt.count(text) == 1 for prompt in rendered)


def calls_outside(component: str) -> set[tuple[str, str]]:
    """(file, called name) for every call of an attribute or function outside a component of the package."""
    root = Path(inoculate.__file__).parent
    found: set[tuple[str, str]] = set()
    for path in root.rglob("*.py"):
        name = path.relative_to(root).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if not name.startswith(component) else ():
            if isinstance(node, ast.Call):
                called = node.func
                found.add((name, called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")))
    return found


def test_no_text_is_put_together_outside_study() -> None:
    found = calls_outside("study/")
    assert {file for file, called in found if called in {"describe_training", "fit_control"}} == set()
    assert {file for file, called in found if called == "fit_length"} == {
        "steps/rows.py",
        "steps/scores.py",
        "steps/rendering.py",
    }
