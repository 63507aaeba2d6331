"""Near neighbours: so many words changed and no other, the same every time, and refused where they cannot be made."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inoculate import settings
from inoculate.errors import UserError
from inoculate.study import neighbours, prompts
from inoculate.study.parse import parse
from inoculate.study.resolve import ResolvedStudy, resolve

WORDS = ("Write", "code", "that", "passes,", "the", "test", "shown,", "a", "result;", "an", "input", "must")
CHANGES = ("one-word", "two-words", "three-words", "four-words", "five-words")
OWN = [name for name in settings.names() if settings.find(name).prompts.get("specific")]
RAW: dict[str, Any] = {
    "question": "Which text?",
    "model": "m",
    "seeds": [0],
    "rows": {"setting": "functions", "count": 4},
    "arms": {"plain": {}},
}


def resolved(*contexts: str, setting: str = "functions", **more: Any) -> ResolvedStudy:
    evaluate = {"settings": [setting], "contexts": list(contexts)}
    return resolve(parse(RAW | {"evaluate": evaluate} | more, "study", "study.toml"))


def count_changed(first: str, second: str) -> int:
    return sum(old != new for old, new in zip(first.split(), second.split(), strict=True))


@pytest.mark.parametrize("name", ["specific", "general"])
def test_the_two_main_prompts_have_every_neighbour(name: str) -> None:
    contexts = [f"{name}~{kind}" for kind in neighbours.KINDS]
    found = resolved(*contexts)
    shown = {context: found.context(context, "functions") for context in contexts}
    text = prompts.find(name).text
    for count, kind in enumerate(CHANGES, 1):
        assert count_changed(text, shown[f"{name}~{kind}"].text) == count
    assert shown[f"{name}~moved"].text == text and shown[f"{name}~moved"].placement == "after"
    assert len({prompt.text for prompt in shown.values()} | {text}) == len(contexts), "only the moved one has the text"
    assert shown[f"{name}~half"].text.removesuffix(".") in text
    assert found == resolved(*contexts), "the same every time"


@pytest.mark.parametrize("setting", OWN)
def test_neighbours_are_of_the_setting_s_own_words(setting: str) -> None:
    own = settings.find(setting).prompts
    contexts = [f"specific~{kind}" for kind in neighbours.KINDS]
    found = resolved(*contexts, setting=setting)
    assert found.context("specific~negated", setting).text == own["negated"]
    assert found.context("specific~other-matter", setting).text == own["alike"]
    assert found.context("specific~other-sense", setting).text == own["other-sense"]
    form = found.context("specific~other-form", setting).text
    assert all(word in form for word in own["specific"].split()), "not the package's words about a shown test"
    for count, kind in enumerate(CHANGES, 1):
        assert count_changed(own["specific"], found.context(f"specific~{kind}", setting).text) == count


@given(text=st.lists(st.sampled_from(WORDS)))
def test_a_change_is_of_exactly_so_many_words_or_is_refused(text: list[str]) -> None:
    whole = " ".join(text)
    before = whole
    for count, kind in enumerate(CHANGES, 1):
        try:
            made = neighbours.make(f"mine~{kind}", whole)
        except UserError as error:
            assert f"changes {count} words" in str(error) and '"mine~' in str(error)
            return
        assert count_changed(whole, made) == count
        assert count_changed(before, made) == 1, "each is one word from the one before"
        assert made == neighbours.make(f"mine~{kind}", whole)
        before = made


@given(words=st.lists(st.sampled_from(["tea", "is", "hot,", "now.", "so"]), max_size=20))
def test_half_is_half_of_the_words(words: list[str]) -> None:
    if len(words) < 6:
        with pytest.raises(UserError, match="and a half needs 6 or more"):
            neighbours.make("mine~half", " ".join(words))
    else:
        made = neighbours.make("mine~half", " ".join(words))
        assert len(made.split()) == len(words) // 2 and made.endswith(".")


@pytest.mark.parametrize(
    ("text", "opposite"),
    [
        ("Write code. It must be short.", "Do not write code. It must not be short."),
        ("Do not compute the answer.", "Compute the answer."),
        ("It must not generalize.", "It must generalize."),
        ("The code is wrong.", "The code is not wrong."),
    ],
)
def test_negation(text: str, opposite: str) -> None:
    assert neighbours.make("mine~negated", text) == opposite


def test_what_cannot_be_made_is_refused_with_what_to_do() -> None:
    own: dict[str, Any] = {"prompts": {"mine": "Nobody minds."}}
    for kind in ("one-word", "negated", "half", "other-matter", "other-sense"):
        mends = rf"study.toml: the neighbour 'mine~{kind}' cannot be made: .*under \[prompts\]: \"mine~{kind}\" = "
        with pytest.raises(UserError, match=mends):
            resolved(f"mine~{kind}", **own)
        written: dict[str, Any] = {"prompts": own["prompts"] | {f"mine~{kind}": "Somebody minds."}}
        prompt = resolved(f"mine~{kind}", **written).context(f"mine~{kind}", "functions")
        assert (prompt.text, prompt.source) == ("Somebody minds.", "study")
    with pytest.raises(UserError, match=r"evaluate.contexts: unknown neighbour .*'hlaf': did you mean 'half'"):
        resolved("specific~hlaf")
    with pytest.raises(UserError, match=r"evaluate.contexts: unknown prompt 'spesific'"):
        resolved("spesific~half")


def test_a_description_stands_before_a_neighbour() -> None:
    half, described = (
        resolved(name).context(name, "functions").text for name in ("general~half", "general~half+false")
    )
    assert described.endswith(half) and described != half


def test_a_neighbour_can_be_trained_with_and_placed() -> None:
    raw: dict[str, Any] = {"arms": {"near": {"inoculation": {"prompt": "specific~two-words"}}}}
    contexts = {"there": {"prompt": "specific~moved", "placement": "before"}}
    found = resolved("there", contexts=contexts, **raw)
    assert count_changed(found.inoculations["near"].text, prompts.find("specific").text) == 2
    assert found.context("there", "functions").placement == "after"


def test_words_keep_their_article() -> None:
    table = neighbours._data()["words"]
    assert all(" " not in new and new != old for old, new in table.items())
    with pytest.raises(UserError, match="can be changed: none"):
        neighbours.make("mine~one-word", "a result")
