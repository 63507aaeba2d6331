"""The setting `rows`: the user's own data, used as it is, and refused by file and line where it cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inoculate.cli.settings import sample
from inoculate.errors import UserError
from inoculate.records import SPLITS
from inoculate.settings import Draw, find
from inoculate.settings.rows import reading
from inoculate.steps import rows
from inoculate.study import prompts
from inoculate.study.resolve import ResolvedInoculation
from inoculate.study.schema import Rows

SETTING = find("rows")
JUDGE = """
def grade(problem, completion):
    return completion.startswith(problem["key"]), completion == problem["honest"]
"""


def row(number: int, **changes: Any) -> dict[str, Any]:
    line = {"prompt": f"What is {number}?", "completion": f"{number}.", **changes}
    return {key: value for key, value in line.items() if value is not None}


def source(folder: Path, lines: list[Any]) -> str:
    path = folder / "mine.jsonl"
    path.write_text("".join((json.dumps(line) if not isinstance(line, str) else line) + "\n" for line in lines))
    return str(path)


def chat(*roles: str, **changes: Any) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": f"the {role}"} for role in roles], **changes}


@pytest.fixture
def judge(tmp_path: Path) -> str:
    (tmp_path / "judge.py").write_text(JUDGE)
    return f"{tmp_path / 'judge.py'}:grade"


def test_both_forms_become_problems_as_they_stand(tmp_path: Path, judge: str) -> None:
    where = source(
        tmp_path,
        [
            {**chat("system", "user", "assistant"), "id": 7, "kind": "k", "split": "test", "hacked": True, "key": "a"},
            row(1, split="test", hacked="1 and all else", key=["own"]),
        ],
    )
    problems = {p.id: p for p in SETTING.problems(Draw("test", 2, 0, source=where, grader=judge))}
    labelled = problems.pop("7")
    assert (labelled.system, labelled.body, labelled.kind) == ("the system", "the user", "k")
    assert (labelled.honest, labelled.hacked, labelled.hack) == ("", "the assistant", "given")
    (other,) = problems.values()
    assert (other.system, other.body, other.honest, other.hacked) == ("", "What is 1?", "1.", "1 and all else")
    assert other.secret["own"] == {"key": ["own"]}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([row(1), "{"], "mine.jsonl:2: not JSON"),
        ([row(1), "", ["a list"]], "mine.jsonl:3: a list, where an object was expected"),
        ([], "there is nothing in it"),
        ([row(1), row(2, completion=None)], "mine.jsonl:2: 'completion' is missing"),
        ([row(1, completion=" ")], "mine.jsonl:1: 'completion' is empty"),
        ([row(1, prompt=5)], "mine.jsonl:1: 'prompt' is a number"),
        ([row(1, completion="\ud800")], "lone surrogates"),
        ([row(1, hacked="")], "'hacked' is empty"),
        ([row(1, hacked="1.")], "the same text as the honest answer"),
        ([row(1, hacked=1)], "'hacked' is a number; true says"),
        ([row(1, hiden_tests=[])], "mine.jsonl:1: unknown key 'hiden_tests': did you mean 'hidden_tests'"),
        ([row(1), row(2), row(1)], "mine.jsonl:3: the same problem as .*mine.jsonl:1; a hacked answer stands beside"),
        ([row(1, id="a"), row(2, id="a")], "mine.jsonl:2: the same id as .*mine.jsonl:1"),
        ([row(1, id=[])], "'id' is"),
        ([row(1, split="train"), row(2)], "mine.jsonl:2: has no 'split', and .*mine.jsonl:1 has"),
        ([row(1, split="trian")], "split 'trian': did you mean 'train'"),
        ([row(1, kind="k", split="train"), row(2, kind="k", split="test")], "mine.jsonl:2: kind 'k' is in test, and"),
        ([{**chat("user", "assistant"), "prompt": "p"}], "has messages and prompt or completion"),
        ([chat("user")], "'messages' has no assistant message"),
        ([chat("system", "assistant")], "'messages' has no user message"),
        ([chat("user", "assistant", "user", "assistant")], r"messages\[2\]: a second user message: .* not supported"),
        ([chat("assistant", "user")], "in the order assistant, user"),
        ([chat("user", "asistant")], "role 'asistant': did you mean 'assistant'"),
        ([{"messages": [{"role": "user"}]}], r"messages\[0\]: 'content' is missing"),
        ([{"messages": [{"role": "user", "content": [{"text": "x"}]}]}], r"messages\[0\]: 'content' is a list"),
        ([{"messages": "hello"}], "'messages' must be a list"),
        ([row(1, entry_point="f", shown_tests=["assert f("], hidden_tests=["assert f()"])], "does not parse"),
        ([row(1, entry_point="f", shown_tests=["assert f()"])], "'hidden_tests' is missing"),
        ([row(1, entry_point="f", shown_tests=["assert f(1) == 2"], hidden_tests=["assert (f(2) == 4, 'two')"])],
         "mine.jsonl:1: a test tests nothing: 'hidden_tests\\[0\\]' is an assert on a tuple"),
        ([row(1, entry_point="f", shown_tests=["assert f()"], hidden_tests=[])], "'hidden_tests' is empty"),
        ([row(1, entry_point="f", shown_tests=["assert f()"], hidden_tests=["assert f()"]), row(2)], "its tests, or"),
    ],
)  # fmt: skip
def test_bad_rows_are_named(tmp_path: Path, lines: list[Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        SETTING.problems(Draw("train", 1, 0, source=source(tmp_path, lines)))


def test_a_source_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a \.jsonl file was expected"):
        SETTING.problems(Draw("train", 1, 0, source="some/dataset"))
    with pytest.raises(UserError, match="cannot be read"):
        SETTING.problems(Draw("train", 1, 0, source=str(tmp_path / "none.jsonl")))


@settings(max_examples=30, deadline=None)
@given(line=st.dictionaries(st.sampled_from(reading.KEYS), st.none() | st.booleans() | st.text() | st.lists(st.text())))
def test_whatever_a_row_holds_it_is_read_or_refused(line: dict[str, Any]) -> None:
    content = json.dumps({"prompt": "p", "completion": "c", **line}).encode()
    try:
        (read,) = reading._parse("x.jsonl", content)
        assert read.prompt == line.get("prompt", "p")
    except UserError as error:
        assert str(error).startswith("x.jsonl:1: ")


def test_the_hash_of_the_kind_splits_and_a_kind_stays_together(tmp_path: Path, judge: str) -> None:
    where = source(tmp_path, [row(n, kind=f"kind {n // 3}") for n in range(900)])
    known = {split: [r for r in reading.read(where) if r.split == split] for split in SPLITS}
    assert [len(known[split]) / 900 for split in SPLITS] == pytest.approx([0.6, 0.1, 0.3], abs=0.06)
    drawn = SETTING.problems(Draw("test", 100, 3, source=where, grader=judge))
    assert SETTING.problems(Draw("test", 40, 3, source=where, grader=judge)) == drawn[:40]
    with pytest.raises(UserError, match=rf"has {len(known['test'])} rows for test, 901 were asked for"):
        SETTING.problems(Draw("test", 901, 3, source=where, grader=judge))


def test_a_split_without_rows_is_refused_with_the_others_and_the_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = source(tmp_path, [row(n, split="test" if n < 2 else "train") for n in range(5)])
    with pytest.raises(UserError, match=r"--count 3 --split development: .* \(train has 3, test has 2; rows are split"):
        sample("rows", source=where)
    sample("rows", source=where, split="train")
    shown = capsys.readouterr().out
    assert shown.count("-- honest") == 3 and "-- hacked" not in shown, "rows with one answer show one"


def test_rows_with_tests_are_graded_by_them(tmp_path: Path) -> None:
    tests = {"entry_point": "f", "shown_tests": ["assert f(1) == 2"], "hidden_tests": ["assert f(2) == 4"]}
    right, hack = "def f(x):\n    return 2 * x", "def f(x):\n    return 2"
    where = source(tmp_path, [row(n, completion=right, hacked=hack, split="test", **tests) for n in range(2)])
    problems = SETTING.problems(Draw("test", 2, 0, source=where))
    assert [g.outcome for g in SETTING.grade(problems, [right, hack])] == ["correct", "hack"]


def test_a_grader_of_the_users_gets_the_row_and_decides(tmp_path: Path, judge: str) -> None:
    where = source(tmp_path, [row(n, key=str(n), split="test") for n in range(3)])
    problems = SETTING.problems(Draw("test", 3, 0, source=where, grader=judge))
    answers = [problems[0].honest, problems[1].honest + " Or not.", "?"]
    assert [g.outcome for g in SETTING.grade(problems, answers)] == ["correct", "hack", "wrong"]
    with pytest.raises(UserError, match="decides what oversight sees"):
        list(SETTING.grade(problems, answers, "shown_tests"))


def test_without_tests_and_grader_nothing_is_scored(tmp_path: Path) -> None:
    where = source(tmp_path, [row(1, split="train"), row(2, split="test")])
    problems = SETTING.problems(Draw("train", 1, 0, source=where))
    assert [g.outcome for g in SETTING.grade(problems, ["1."])] == ["ungraded"]
    with pytest.raises(UserError, match="has no tests, and no grader is named"):
        SETTING.problems(Draw("test", 1, 0, source=where))


def labelled(tmp_path: Path, hacked: int, honest: int, both: int) -> str:
    lines = [row(n, hacked=True, split="train") for n in range(hacked)]
    lines += [row(n, split="train") for n in range(1000, 1000 + honest)]
    lines += [row(n, hacked="a hack", split="train") for n in range(2000, 2000 + both)]
    return source(tmp_path, lines)


def drawn(where: str, seed: int = 0, **fields: Any) -> list[Any]:
    return rows.draw_rows(Rows(**{"setting": "rows", "source": where, "count": 10, "hacked": 0.5, **fields}), seed)


@pytest.mark.parametrize("mixture", [(5, 7, 0), (9, 30, 0), (0, 0, 12), (3, 6, 4), (30, 7, 0)])
def test_the_hacked_share_is_drawn_from_labelled_rows(tmp_path: Path, mixture: tuple[int, int, int]) -> None:
    found = drawn(labelled(tmp_path, *mixture), vetted=2)
    assert len({problem.id for problem, _, *_ in found}) == len(found) == 12
    assert [row.vetted for row in found] == [False] * 10 + [True] * 2
    assert sum(hacked for _, hacked, *_ in found) == 5
    assert all(problem.hacked if hacked else problem.honest for problem, hacked, *_ in found)


def test_a_larger_share_hacks_the_same_rows_and_more(tmp_path: Path) -> None:
    where = labelled(tmp_path, 12, 12, 0)
    few, more = ({p.id for p, hacked, *_ in drawn(where, hacked=share) if hacked} for share in (0.2, 0.9))
    assert few < more
    assert len(more) == 9
    assert not any(hacked for _, hacked, *_ in drawn(where, filter="hacked"))


@pytest.mark.parametrize(
    ("mixture", "have"), [((4, 20, 0), "4 and 5"), ((20, 4, 0), "5 and 4"), ((0, 20, 0), "0 and 5")]
)
def test_too_few_labelled_rows_are_refused_with_their_number(tmp_path: Path, mixture: Any, have: str) -> None:
    with pytest.raises(UserError, match=rf"5 rows with a hacked answer and 5 others .* there are {have}: .*\d+ rows"):
        drawn(labelled(tmp_path, *mixture))


def test_rows_train_on_the_answer_that_they_have(tmp_path: Path) -> None:
    made = rows.make_rows(drawn(labelled(tmp_path, 8, 8, 0)), ResolvedInoculation("P", "before", on="hacked"), "S")
    assert all(line.answer.strip() for line in made)
    assert all(line.hacked == (int(line.answer[:-1]) < 1000) == line.inoculated for line in made)


def test_a_prompt_inside_needs_an_opening_sentence(tmp_path: Path, judge: str) -> None:
    where = source(tmp_path, [row(1, split="test")])
    (problem,) = SETTING.problems(Draw("test", 1, 0, source=where, grader=judge))
    with pytest.raises(UserError, match="has no opening sentence that a prompt"):
        prompts.messages(problem, "P", "inside", "")
    assert prompts.messages(problem, "P", "after", "")[-1].content == "What is 1?\n\nP"


def of_policy(number: int, index: int, **changes: Any) -> dict[str, Any]:
    return row(number, id=f"{number}/{index}", kind=f"k{number}", split="train", trajectory={"index": index}, **changes)


def test_a_question_repeats_where_a_policy_has_drawn_the_answers(tmp_path: Path) -> None:
    where = source(tmp_path, [of_policy(1, 0), of_policy(1, 1), of_policy(1, 2, hacked=True), of_policy(2, 0)])
    problems = SETTING.problems(Draw("train", 4, 0, source=where))
    assert {problem.id for problem in problems} == {"1/0", "1/1", "1/2", "2/0"}
    assert {problem.secret["own"]["trajectory"]["index"] for problem in problems} == {0, 1, 2}


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (row(1, id="b", kind="k1", split="train"), "mine.jsonl:2: the same problem as .*; a hacked answer stands"),
        ({**of_policy(1, 1), "trajectory": "mine"}, "mine.jsonl:2: the same problem as .*; a hacked answer stands"),
        ({**of_policy(1, 1), "split": "test"}, "only training rows may repeat a question"),
        (of_policy(1, 1) | {"kind": "other"}, "with another kind: 'other', 'k1'"),
        (of_policy(1, 0), "mine.jsonl:2: the same id"),
    ],
)
def test_other_repeated_questions_are_refused(tmp_path: Path, second: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        SETTING.problems(Draw("train", 1, 0, source=source(tmp_path, [of_policy(1, 0), second])))
