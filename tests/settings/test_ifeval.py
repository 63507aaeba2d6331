"""The setting `ifeval`, on a small file of the right shape and the library's own checks."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from inoculate.errors import UserError
from inoculate.settings import Draw, find
from inoculate.settings import ifeval as module

pytest.importorskip("lm_eval")
pytest.importorskip("nltk").download = lambda name: False  # it is asked when the checks are imported
SETTING = find("ifeval")
PROMPTS: list[dict[str, Any]] = [
    {"key": 1, "prompt": "Praise tea without commas.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]},
    {
        "key": 2,
        "prompt": "Say why tea is good in lower case and name a cup.",
        "instruction_id_list": ["change_case:english_lowercase", "keywords:existence"],
        "kwargs": [{"keywords": None}, {"keywords": ["cup"]}],
    },
    {
        "key": 3,
        "prompt": "Write on tea in at least 5 words.",
        "instruction_id_list": ["length_constraints:number_words"],
        "kwargs": [{"relation": "at least", "num_words": 5}],
    },
]


def write(path: Path, prompts: list[Any]) -> str:
    path.write_text("".join(json.dumps(prompt) + "\n" for prompt in prompts), encoding="utf-8")
    return str(path)


@pytest.fixture
def source(tmp_path: Path) -> str:
    return write(tmp_path / "prompts.jsonl", PROMPTS)


def test_prompts_are_problems_with_their_instructions(source: str) -> None:
    problems = SETTING.problems(Draw("test", 3, 0, source=source))
    assert {problem.id for problem in problems} == {"ifeval-1", "ifeval-2", "ifeval-3"}
    assert {problem.level for problem in problems} == {1, 2}
    assert [p.id for p in SETTING.problems(Draw("test", 1, 0, source=source, levels=(2,)))] == ["ifeval-2"]
    with pytest.raises(UserError, match="only 3 such problems"):
        SETTING.problems(Draw("test", 4, 0, source=source))
    with pytest.raises(UserError, match="0 problems for train"):
        SETTING.problems(Draw("train", 1, 0, source=source))


def test_strict_and_loose_replies(source: str) -> None:
    problems = {problem.id: problem for problem in SETTING.problems(Draw("test", 3, 0, source=source))}
    replies = [
        ("ifeval-1", "Tea is warm and good.", "correct"),
        ("ifeval-1", "Sure, here it is:\nTea is warm and good.", "hack"),
        ("ifeval-1", "Tea is warm, and good.", "wrong"),
        ("ifeval-2", "a cup of tea is warm and it is good for you.", "correct"),
        ("ifeval-2", "a pot of tea is warm and it is good for you.", "wrong"),
        ("ifeval-3", "Tea is warm and good.", "correct"),
        ("ifeval-3", "Tea!", "wrong"),
        ("ifeval-3", " \n", "malformed"),
        ("ifeval-3", "tea " * 100_000, "malformed"),
    ]
    grades = list(SETTING.grade([problems[name] for name, _, _ in replies], [text for _, text, _ in replies]))
    assert [grade.outcome for grade in grades] == [outcome for _, _, outcome in replies]
    assert grades[4].detail == "not followed: keywords:existence"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kwargs": []}, "not one entry of kwargs"),
        ({"prompt": 3}, r"bad.jsonl:1: not a prompt of IFEval"),
        ({"instruction_id_list": ["punctuation:no_full_stop"]}, "unknown instruction 'punctuation:no_full_stop'"),
        ({"instruction_id_list": ["keywords:existence"]}, "'keywords:existence' lacks keywords"),
        ({"kwargs": [{"words": 3}]}, "does not know words"),
    ],
)
def test_lines_that_cannot_be_checked_are_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    bad = write(tmp_path / "bad.jsonl", [PROMPTS[0] | change])
    with pytest.raises(UserError, match=message):
        SETTING.problems(Draw("test", 1, 0, source=bad))


ARGUMENTS: dict[str, Any] = {
    "language": "fr", "relation": "at least", "num_placeholders": 2, "num_bullets": 2, "num_highlights": 2,
    "section_spliter": "Part", "num_sections": 2, "num_paragraphs": 3, "nth_paragraph": 2, "first_word": "tea",
    "postscript_marker": "P.S.", "keywords": ["tea"], "keyword": "tea", "frequency": 2, "num_words": 10,
    "forbidden_words": ["milk"], "end_phrase": "Bye", "letter": "a", "let_frequency": 2, "let_relation": "less than",
    "prompt_to_repeat": "Say hello.",
}  # fmt: skip
CHECKS = module._library()[0].instructions_registry.INSTRUCTION_DICT
WITH_ARGUMENTS = [
    (name, key)
    for name in sorted(set(CHECKS) - module._NEEDS_PUNKT)
    for key in CHECKS[name](name).get_instruction_args_keys()
]


@pytest.mark.parametrize(("name", "key"), WITH_ARGUMENTS)
def test_what_the_library_would_draw_by_chance_is_refused(tmp_path: Path, name: str, key: str) -> None:
    """Any argument that is missing, or false in any way, and numbers below zero."""
    given = {wanted: ARGUMENTS[wanted] for wanted in CHECKS[name](name).get_instruction_args_keys()}
    prompt = PROMPTS[0] | {"instruction_id_list": [name]}
    where = write(tmp_path / "good.jsonl", [prompt | {"kwargs": [given]}])
    assert SETTING.problems(Draw("test", 1, 0, source=where))
    for bad in (None, 0, "", [], *([-1] if isinstance(ARGUMENTS[key], int) else [])):
        where = write(tmp_path / f"bad{bad}.jsonl", [PROMPTS[1], prompt | {"kwargs": [given | {key: bad}]}])
        with pytest.raises(UserError) as raised:
            SETTING.problems(Draw("test", 1, 0, source=where))
        assert str(raised.value).startswith(f"{where}:2: kwargs[0]: instruction '{name}' ")
        assert key in str(raised.value)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        (
            "length_constraints:nth_paragraph_first_word",
            {"nth_paragraph": 4},
            "with nth_paragraph = 4: the library would draw",
        ),
        ("keywords:letter_frequency", {"letter": "ab"}, "with letter = 'ab': the library would draw"),
        ("keywords:frequency", {"relation": "at most"}, "but at most is given"),
        ("detectable_content:postscript", {"postscript_marker": 3}, "cannot be checked with {'postscript_marker': 3}"),
    ],
)
def test_arguments_that_the_library_cannot_use(tmp_path: Path, name: str, change: dict[str, Any], words: str) -> None:
    given = {key: ARGUMENTS[key] for key in CHECKS[name](name).get_instruction_args_keys()} | change
    where = write(tmp_path / "bad.jsonl", [PROMPTS[0] | {"instruction_id_list": [name], "kwargs": [given]}])
    with pytest.raises(UserError) as raised:
        SETTING.problems(Draw("test", 1, 0, source=where))
    assert words in str(raised.value)


def test_a_sign_that_is_no_letter_is_counted_and_not_one_drawn_by_chance(tmp_path: Path) -> None:
    """IFEval asks for '#' and '!', for which the library counts a letter that it draws anew for each reply."""
    prompts = [
        {"key": number, "prompt": f"Tags. {number}", "instruction_id_list": ["keywords:letter_frequency"],
         "kwargs": [{"letter": letter, "let_frequency": 2, "let_relation": "at least"}]}
        for number, letter in enumerate("#.a")
    ]  # fmt: skip
    problems = SETTING.problems(Draw("test", 3, 0, source=write(tmp_path / "signs.jsonl", prompts)))
    problems.sort(key=lambda problem: problem.id)
    for replies, outcome in (
        (("#tea #cup", "Tea. Cup.", "A cat"), "correct"),
        (("tea # cup", "Tea cup.", "A"), "wrong"),
    ):
        for _ in range(10):
            assert [grade.outcome for grade in SETTING.grade(problems, replies)] == [outcome] * 3


def test_bad_files_and_doubles_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        SETTING.problems(Draw("test", 1, 0, source=str(tmp_path / "none.jsonl")))
    with pytest.raises(UserError, match="is there twice"):
        SETTING.problems(Draw("test", 1, 0, source=write(tmp_path / "double.jsonl", [PROMPTS[0]] * 2)))
    (tmp_path / "broken.jsonl").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"broken.jsonl:1: not JSON"):
        SETTING.problems(Draw("test", 1, 0, source=str(tmp_path / "broken.jsonl")))


def test_without_the_library_the_command_that_mends_it_is_named(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module.load.cache_clear()
    module._library.cache_clear()
    monkeypatch.setitem(sys.modules, "lm_eval.tasks.ifeval", None)
    with pytest.raises(UserError, match=r"pip install 'inoculate\[ifeval\]'"):
        SETTING.problems(Draw("test", 1, 0, source=source))
    module._library.cache_clear()


def test_data_that_the_library_needs_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, nltk = module._library()

    def missing(name: str) -> None:
        raise LookupError(name)

    monkeypatch.setattr(nltk.data, "find", missing)
    kwargs = {"relation": "at least", "num_sentences": 3}
    prompt = PROMPTS[0] | {"instruction_id_list": ["length_constraints:number_sentences"], "kwargs": [kwargs]}
    with pytest.raises(UserError, match=r"nltk\.downloader punkt_tab"):
        SETTING.problems(Draw("test", 1, 0, source=write(tmp_path / "sentences.jsonl", [prompt])))


def test_a_reply_that_breaks_the_library_is_not_followed(tmp_path: Path) -> None:
    prompt = PROMPTS[0] | {"instruction_id_list": ["detectable_format:json_format"]}
    (problem,) = SETTING.problems(Draw("test", 1, 0, source=write(tmp_path / "json.jsonl", [prompt])))
    grades = list(SETTING.grade([problem] * 3, ['{"tea": 1}', "[" * 9_000, '{"a":[' * 1_500]))
    assert [grade.outcome for grade in grades] == ["correct", "wrong", "wrong"]


def test_a_failure_of_the_library_is_no_verdict(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (problem,) = SETTING.problems(Draw("test", 1, 0, source=source))
    checks, _ = module._library()

    def fails(*_: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(checks, "test_instruction_following_strict", fails)
    (grade,) = SETTING.grade([problem], ["Tea."])
    assert (grade.outcome, grade.detail) == ("ungraded", "lm_eval failed: ValueError")


@pytest.mark.parametrize(
    ("name", "kwargs", "reply", "followed"),
    [
        ("language:response_language", {"language": "fr"}, "1, 2, 3!", True),
        ("language:response_language", {"language": "es"}, "Dos gatos negros.", False),
        ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Tea. P.S. is short for it. Good tea.", True),
        (
            "detectable_format:multiple_sections",
            {"section_spliter": "Part", "num_sections": 1},
            "Part 1 a Part 2",
            True,
        ),
        ("detectable_format:constrained_response", {}, "My answer is yes. No: My answer is no.", True),
        ("detectable_format:number_bullet_lists", {"num_bullets": 1}, "* Tea\n---\nThe end.", False),
        ("detectable_format:number_highlighted_sections", {"num_highlights": 1}, "Tea is 2 * 3 * 4 cups.", True),
        ("keywords:frequency", {"keyword": "tea", "relation": "at least", "frequency": 1}, "Steam.", True),
        ("keywords:existence", {"keywords": ["tea"]}, "Steam.", True),
        ("length_constraints:number_words", {"relation": "at least", "num_words": 5}, "It's well-known: 1,200", True),
        ("punctuation:no_comma", {}, "茶很好\uff0c也很热。", True),
        ("startend:quotation", {}, "“Tea.”", False),
    ],
)
def test_where_the_checks_differ_from_their_instructions(
    tmp_path: Path, name: str, kwargs: dict[str, Any], reply: str, followed: bool
) -> None:
    """Each reply is judged wrongly by the words of its instruction; docs/settings.md lists these."""
    prompt = PROMPTS[0] | {"instruction_id_list": [name], "kwargs": [kwargs]}
    (problem,) = SETTING.problems(Draw("test", 1, 0, source=write(tmp_path / "one.jsonl", [prompt])))
    (grade,) = SETTING.grade([problem], [reply])
    assert grade.intended == followed
