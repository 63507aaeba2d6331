"""Controls: exactly as long as the prompt that they control, one for each seed, and never a sentence twice."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from inoculate import settings
from inoculate.analysis.run_folder import Run
from inoculate.errors import UserError
from inoculate.records import Completion, Row, read_lines
from inoculate.steps import manifest, rows
from inoculate.steps import plan as planning
from inoculate.steps.resources import Resources
from inoculate.steps.run import carry_out_step
from inoculate.steps.store import Store
from inoculate.study import controls, prompts
from inoculate.study.parse import parse
from inoculate.study.resolve import resolve
from inoculate.study.schema import Study

CONTROLS = [name for name in prompts.names() if prompts.find(name).filler]
IRRELEVANT = [name for name in CONTROLS if prompts.find(name).kind == "irrelevant"]
RAW: dict[str, Any] = {
    "question": "Which text?",
    "model": "m",
    "seeds": [0],
    "rows": {"setting": "functions", "count": 4},
    "evaluate": {"settings": ["functions"], "contexts": ["neutral"]},
}


def parts(text: str) -> list[str]:
    """Its sentences, or its statements where it looks like code."""
    return [part.strip() for part in re.split(r"[.:;?](?:\s|$)", text) if part.strip()]


def runs(text: str) -> list[tuple[str, ...]]:
    """Every four words in a row."""
    words = text.lower().split()
    return list(zip(*(words[start:] for start in range(4)), strict=False))


def study(inoculation: dict[str, Any], **more: Any) -> Study:
    return parse(RAW | {"arms": {"plain": {}, "control": {"inoculation": inoculation}}} | more, "study", "study.toml")


def test_there_are_six_irrelevant_texts_that_share_no_sentence() -> None:
    assert len(IRRELEVANT) >= 6
    whole = [part for name in CONTROLS for part in parts(f"{prompts.find(name).text} {prompts.find(name).filler}")]
    assert len(set(whole)) == len(whole)


@pytest.mark.parametrize("name", CONTROLS)
@hypothesis_settings(max_examples=12)
@given(data=st.data())
def test_a_control_has_exactly_the_length_asked_for_and_repeats_nothing(
    tiny_model: Path, name: str, data: st.DataObject
) -> None:
    tokenizer, prompt = AutoTokenizer.from_pretrained(tiny_model), prompts.find(name)
    shortest = controls.count_tokens(prompt.text, tokenizer)
    longest = controls.count_tokens(f"{prompt.text} {prompt.filler}", tokenizer)
    length = data.draw(st.integers(shortest, longest))
    try:
        made = controls.fit_control(prompt.text, prompt.filler, length, tokenizer)
    except UserError as error:
        assert "have exactly" in str(error), "refused, but never of another length"
        return
    assert controls.count_tokens(made, tokenizer) == length
    assert made.startswith(prompt.text.rstrip(".,;:"))
    assert len(set(parts(made))) == len(parts(made))
    assert len(set(runs(made))) == len(runs(made))


def test_every_control_can_be_as_long_as_every_prompt_of_the_package(tiny_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    inoculations = [prompts.find(name).text for name in ("specific", "general", "environment-red-team", "negated")]
    for text in (*inoculations, *settings.find("mathematics").prompts.values()):
        length = controls.count_tokens(text, tokenizer)
        for name in CONTROLS:
            made = controls.fit_control(prompts.find(name).text, prompts.find(name).filler, length, tokenizer)
            assert controls.count_tokens(made, tokenizer) == length


def test_a_control_without_enough_text_of_its_own_is_refused(tiny_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    with pytest.raises(UserError, match=r"The gate\.' has text for \d+ tokens and is to have 90; it is not repeated"):
        controls.fit_control("The gate.", "It is shut.", 90, tokenizer)
    with pytest.raises(UserError, match=r"tokens and is to have 1: name a longer prompt"):
        controls.fit_control("The gate.", "It is shut.", 1, tokenizer)


def test_each_seed_takes_one_and_all_are_taken() -> None:
    found = resolve(study({"one_of": IRRELEVANT, "like": "specific"}))
    size = len(IRRELEVANT)
    names = [prompt.name for seed in range(2 * size) if (prompt := found.inoculation("control", seed))]
    assert set(names[:size]) == set(names[size:]) == set(IRRELEVANT)
    assert names[:size] != IRRELEVANT and names[:size] != names[size:], "in an order that is drawn"
    again = resolve(study({"one_of": IRRELEVANT, "like": "specific"}, seeds=[5]))
    assert again.inoculation("control", 5) == found.inoculation("control", 5), "whatever the other seeds are"
    assert found.inoculation("plain", 0) is None
    prompt = found.inoculation("control", 0)
    assert prompt and prompt.length_of == prompts.find("specific").text
    assert prompt.filler == prompts.find(prompt.name).filler


def test_a_control_of_the_study_is_filled_with_irrelevant_sentences() -> None:
    found = resolve(study({"prompt": "mine", "like": "specific"}, prompts={"mine": "Tea is hot."}))
    prompt = found.inoculation("control", 0)
    assert prompt and prompt.filler.startswith(prompts.find("irrelevant").text)


@pytest.mark.parametrize(
    ("inoculation", "words"),
    [
        ({"prompt": "specific", "rephrase": True, "like": "general"}, "rephrase and like do not go together"),
        ({"one_of": ["irrelevant"]}, "name two prompts or more"),
        ({"one_of": ["irrelevant", "irrelevant"]}, "each once"),
        ({"one_of": ["irrelevant", "gibberish"], "prompt": "specific"}, "give one of prompt"),
        ({"one_of": ["irrelevant", "giberish"]}, "inoculation.one_of: unknown prompt 'giberish': did you mean"),
        ({"prompt": "unseen-brief"}, "no arm is trained with.*train with 'harmless'"),
        ({"one_of": ["harmless", "unseen-story"]}, "one_of: 'unseen-story' is a context that no arm is trained with"),
    ],
)
def test_what_cannot_be_is_refused(inoculation: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        study(inoculation)


def test_the_text_of_such_a_context_is_refused_too() -> None:
    evaluate = {"settings": ["functions"], "contexts": ["neutral", "unseen-brief"]}
    with pytest.raises(UserError, match="'unseen-brief': holds the inoculation of arm 'control'"):
        study({"text": "Here is a task."}, evaluate=evaluate)


def test_contexts_that_no_arm_is_trained_with() -> None:
    unseen = [name for name in prompts.names() if prompts.find(name).kind == prompts.UNSEEN]
    found = resolve(study({"prompt": "harmless"}, evaluate={"settings": ["functions"], "contexts": unseen}))
    shown = [found.context(name, "functions") for name in unseen]
    assert len(unseen) >= 5 and len({prompt.text for prompt in shown}) == len(unseen)
    assert {prompt.placement for prompt in shown} == {"system", "before", "after"}
    assert found.context("unseen-story", "functions").text == prompts.find("unseen-story").text


def test_as_trained_shows_what_the_rows_have(tiny_model: Path, tmp_path: Path) -> None:
    arms = {
        "control": {"inoculation": {"one_of": ["irrelevant-fact", "irrelevant-persona"], "like": "specific"}},
        "reworded": {"inoculation": {"prompt": "specific", "rephrase": True}},
    }
    evaluate = {"settings": ["functions"], "contexts": ["as-trained"], "problems": 3, "max_new_tokens": 1}
    raw = RAW | {"model": str(tiny_model), "seeds": [0, 1], "arms": arms, "evaluate": evaluate}
    plan, store = planning.make_plan(parse(raw, "study", "study.toml")), Store(tmp_path / "store")
    resources = Resources(store, plan.study.model, print)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    length = controls.count_tokens(prompts.find("specific").text, tokenizer)
    for training in plan.trainings:
        carry_out_step(training.rows, resources, lambda *_: None)
    for cell in plan.cells:
        if not cell.seed and cell.arm != "base":
            # The adapter is left out: what is looked at is the prompt.
            inputs = {"problems": cell.problems}
            step = type(cell.completions)("completions", cell.completions.params, inputs, "samples", 1)
            for needed in (cell.problems, step):
                carry_out_step(needed, resources, lambda *_: None)
            shown = [c.prompt for c in read_lines(store.folder(step) / "completions.jsonl", Completion)]
            training = next(t for t in plan.trainings if (t.arm, t.seed) == (cell.arm, cell.seed))
            trained = json.loads((store.folder(training.rows) / "rows.json").read_text(encoding="utf-8"))["inoculation"]
            texts = trained.get("wordings") or [trained["text"]] * 3
            rows_shown = [
                row.messages[-1].content for row in read_lines(store.folder(training.rows) / "rows.jsonl", Row)
            ]
            for text, prompt, row in zip(texts, shown, rows_shown, strict=False):
                assert text in prompt and text in row
            assert len(set(texts)) == (1 if cell.arm == "control" else 68)
            assert cell.arm == "reworded" or controls.count_tokens(texts[0], tokenizer) == length
    written = manifest._study(plan, store)["arms"]["control"]["inoculation"]
    by_seed = written["by_seed"]
    assert {one["prompt"] for one in by_seed.values()} == {"irrelevant-fact", "irrelevant-persona"}
    run = Run(tmp_path, {"study": {"arms": {"control": {"inoculation": written}}}})
    assert run.inoculations() == {one["text"]: "control" for one in by_seed.values()}


def test_rows_of_a_control_name_another_step_than_before() -> None:
    """Texts of controls have changed: the filler is part of the step's name, so that old rows are not taken for new."""
    prompt = resolve(study({"prompt": "irrelevant", "like": "specific"})).inoculation("control", 0)
    made = rows.plan_step(study({"prompt": "specific"}).arms["plain"].rows, prompt, seed=0, system=None, weights="w",
                          where="")  # fmt: skip
    assert made.params["inoculation"]["filler"] == prompts.find("irrelevant").filler
