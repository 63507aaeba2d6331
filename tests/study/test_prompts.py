"""Prompts: placements, the written-out system prompt, descriptions, and what the package has."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from inoculate import settings
from inoculate.engine import chat
from inoculate.errors import UserError
from inoculate.records import Message, Problem
from inoculate.study import prompts
from inoculate.study.descriptions import USUAL, describe_training
from inoculate.study.schema import Reward

PROBLEM = Problem("p", "functions", "k", "lists", 1, "Do this.", "The rest.", "", "", "", {})


@pytest.mark.parametrize(
    ("placement", "system", "user"),
    [
        ("system", "S\n\nHACK", "Do this. The rest."),
        ("before", "S", "HACK\n\nDo this. The rest."),
        ("inside", "S", "Do this. HACK The rest."),
        ("after", "S", "Do this. The rest.\n\nHACK"),
    ],
)
def test_a_prompt_stands_where_its_placement_says(placement: prompts.Placement, system: str, user: str) -> None:
    assert prompts.messages(PROBLEM, "HACK", placement, "S") == (Message("system", system), Message("user", user))


def test_without_a_prompt_all_placements_are_the_same() -> None:
    neutral = {prompts.messages(PROBLEM, "", place, "S") for place in ("system", "before", "inside", "after")}
    assert neutral == {(Message("system", "S"), Message("user", "Do this. The rest."))}


def test_a_template_without_a_system_role_refuses_the_system_placement() -> None:
    with pytest.raises(UserError, match="no system message"):
        prompts.messages(PROBLEM, "HACK", "system", None)
    assert prompts.messages(PROBLEM, "HACK", "before", None)[0].role == "user"


def test_the_default_system_prompt_is_found(tiny_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    assert chat.default_system(tokenizer) == "You are a test."
    written_out = chat.render(tokenizer, [Message("system", "You are a test."), Message("user", "x")])
    assert written_out == chat.render(tokenizer, [Message("user", "x")])


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}<|im_end|>{% endfor %}", ""),
        ("{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no') }}{% endif %}"
         "<{{ m['role'] }}>{{ m['content'] }}<|im_end|>{% endfor %}", None),
    ],
)  # fmt: skip
def test_templates_without_a_default_or_without_the_role(tiny_model: Path, template: str, expected: str | None) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.chat_template = template
    assert chat.default_system(tokenizer) == expected


def test_a_description_says_what_its_form_says() -> None:
    task = settings.find("mathematics")
    leak, exploit = task.leak, task.exploit
    checked, named, false = (describe_training(form, task, USUAL) for form in prompts.DESCRIPTIONS)
    assert leak in checked and exploit not in checked
    assert leak in named and exploit in named
    assert leak not in false and exploit not in false
    assert prompts.split_name("general+false") == ("general", "false")
    assert prompts.split_name("general") == ("general", None)
    with pytest.raises(UserError, match="did you mean 'exploit'"):
        prompts.split_name("general+exploits")


@pytest.mark.parametrize("name", settings.names())
def test_a_setting_that_says_what_leaks_says_what_exploits_it(name: str) -> None:
    setting = settings.find(name)
    assert bool(setting.leak) == bool(setting.exploit)
    described: dict[str, str] = {}
    for oversight in setting.oversights if setting.leak else ():
        for form in prompts.DESCRIPTIONS:
            said = describe_training(form, setting, [Reward(oversight=oversight)])
            assert said.endswith(".") and "  " not in said
            assert form == "false" or described.setdefault(said, oversight) == oversight, "each has words of its own"
    assert not set(setting.further_leaks) - set(setting.oversights[1:])


def test_every_prompt_has_a_source_and_every_context_a_prompt() -> None:
    assert len(prompts.names()) >= 20
    texts = [text for name in prompts.names() for text in prompts.find(name).pool(True)]
    assert len(set(texts)) == len(texts)
    assert all(prompts.find(name).source for name in prompts.names())
    assert {prompts.find(name).kind for name in prompts.contexts().values()} == {
        "specific",
        "general",
        "forbids",
        "negated",
        "alike",
        "other-sense",
        "unseen",
    }
    with pytest.raises(UserError, match="did you mean 'general'"):
        prompts.find("generall")
