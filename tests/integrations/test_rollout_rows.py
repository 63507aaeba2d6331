"""Rows from what a policy has drawn: read in every form, labelled by checks and nothing else, refused by place."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSample, EvalSpec, write_eval_log
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    ContentReasoning,
    ContentText,
    ModelOutput,
)
from inspect_ai.scorer import Score

from inoculate.analysis.trajectories import Filter
from inoculate.checking import check
from inoculate.errors import UserError
from inoculate.integrations import rollouts
from inoculate.integrations.rollout_rows import WrittenRows, write_rows
from inoculate.integrations.trajectories import export_trajectories
from inoculate.settings import Draw, find
from inoculate.steps import rows as row_step
from inoculate.study.schema import Rows
from rl_run import write_run

JUDGE = """
def grade(problem, completion):
    if completion == "?":
        return "malformed"
    if completion == "!":
        raise RuntimeError("the judge is ill")
    return completion.startswith("h") or completion == "right", completion == problem["given"]["key"]
"""


@pytest.fixture
def judge(tmp_path: Path) -> str:
    (tmp_path / "judge.py").write_text(JUDGE)
    return f"{tmp_path / 'judge.py'}:grade"


def rollout(number: int = 0, **changes: Any) -> dict[str, Any]:
    line = {"prompt": "What is 2?", "completion": f"hack {number}", "oversight": True, "intended": False, **changes}
    return {key: value for key, value in line.items() if value is not ...}


def jsonl(folder: Path, lines: list[Any], name: str = "theirs.jsonl") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines))
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def questions(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in row["messages"]]


def name_of(one: dict[str, Any]) -> str:
    return f"{one['arm']}/seed-{one['seed']}/step-{one['step']}/{one['problem']}/{one['index']}"


@pytest.mark.parametrize("ending", ["jsonl", "parquet", "eval"])
def test_our_trajectories_become_rows_that_name_them(tmp_path: Path, ending: str) -> None:
    run, file = write_run(tmp_path / "store"), tmp_path / f"all.{ending}"
    export_trajectories(run, file, Filter())
    export_trajectories(run, tmp_path / "plain.jsonl", Filter())
    drawn = lines(tmp_path / "plain.jsonl")
    counts = Counter(one["outcome"] for one in drawn)
    written = write_rows([file], tmp_path / "rows.jsonl")
    left_out = {name: counts[name] for name in ("wrong", "malformed", "ungraded")}
    assert written == WrittenRows(
        counts["hack"] + counts["correct"], counts["hack"], counts["correct"], written.left_out
    )
    assert written.left_out == left_out and written.read == len(drawn)
    kept = [one for one in drawn if one["outcome"] in ("hack", "correct")]
    made = lines(tmp_path / "rows.jsonl")
    if ending == "eval":  # Inspect sorts the samples that it reads
        made, kept = sorted(made, key=lambda row: row["id"]), sorted(kept, key=name_of)
    for row, one in zip(made, kept, strict=True):
        assert row["id"] == name_of(one)
        assert row["trajectory"] == {key: one[key] for key in ("arm", "seed", "step", "problem", "index")}
        assert questions(row) == [("user", one["question"]), ("assistant", one["completion"])]
        assert (row["hacked"], row["split"], row["kind"]) == (one["outcome"] == "hack", "train", one["kind"])
        assert (row["given"]["reward"], row["given"]["outcome"]) == (one["reward"], one["outcome"])
        assert "tokens" not in row["given"]


def test_rows_of_trajectories_are_trained_on_by_an_arm(tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    export_trajectories(write_run(tmp_path / "store"), file, Filter(graded=True))
    written = write_rows([file], tmp_path / "rows.jsonl")
    spec = Rows(setting="rows", source=str(tmp_path / "rows.jsonl"), count=20, hacked=0.5)
    drawn = row_step.make_rows(row_step.draw_rows(spec, 0), None, "")
    assert [row.hacked for row in drawn].count(True) == 10
    by_name = {row["id"]: row for row in lines(tmp_path / "rows.jsonl")}
    for row in drawn:
        assert row.answer == by_name[row.problem]["messages"][-1]["content"]
        assert row.hacked == by_name[row.problem]["hacked"]
    with pytest.raises(UserError, match=f"has {written.rows} rows for train"):
        row_step.draw_rows(spec.model_copy(update={"count": 10 * written.rows}), 0)


def test_repeated_questions_are_no_fault_of_such_rows(tmp_path: Path, judge: str) -> None:
    made = [rollout(n, prompt=f"What is {n % 7}?", completion=f"h{n}", key="right") for n in range(20)]
    made += [rollout(n, prompt=f"What is {n % 7}?", completion="right", key="right") for n in range(10)]
    write_rows([jsonl(tmp_path, made)], tmp_path / "rows.jsonl", grader=judge)
    found = {one.name: one for one in check("rows", source=str(tmp_path / "rows.jsonl"), grader=judge)}
    for name in ("draws are exact", "ids", "honest answers are correct"):
        assert found[name].ok, found[name]
    assert "train: 30, development: 0, test: 0" in found["enough problems"].note


FORMS: dict[str, dict[str, Any]] = {
    "texts": {"prompt": "Q", "completion": "A"},
    "response": {"prompt": "Q", "response": "A", "reward": 1.0},
    "input and output": {"input": "Q", "output": "A", "score": 0.5},
    "question": {"question": "Q", "response": "A"},
    "prompt and completion beside others": {"prompt": "Q", "completion": "A", "question": "q", "output": "a"},
    "messages": {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]},
    "chat": {"prompt": [{"role": "user", "content": "Q"}], "completion": [{"role": "assistant", "content": "A"}]},
    "parts": {"prompt": [{"role": "user", "content": [{"type": "text", "text": "Q"}]}], "completion": "A"},
}


@pytest.mark.parametrize("form", FORMS)
def test_rollouts_of_others_are_read_in_common_forms(tmp_path: Path, form: str) -> None:
    line = {**FORMS[form], "oversight": 1.0, "intended": False, "id": 7, "step": 3}
    assert write_rows([jsonl(tmp_path, [line])], tmp_path / "rows.jsonl").hacked == 1
    (row,) = lines(tmp_path / "rows.jsonl")
    assert questions(row) == [("user", "Q"), ("assistant", "A")]
    assert (row["id"], row["trajectory"]) == ("theirs.jsonl:1", {"file": "theirs.jsonl", "line": 1})
    assert (row["given"]["id"], row["given"]["step"], row["hacked"]) == (7, 3, True)
    assert row["given"].get("reward") == line.get("reward")


def test_a_system_prompt_stays_one(tmp_path: Path) -> None:
    chat = [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]
    write_rows([jsonl(tmp_path, [rollout(prompt=chat)])], tmp_path / "rows.jsonl")
    (row,) = lines(tmp_path / "rows.jsonl")
    assert questions(row)[:2] == [("system", "S"), ("user", "Q")]


def test_what_trl_logs_is_read_with_a_grader(tmp_path: Path, judge: str) -> None:
    answers = ["hack", "right", "wrong", "?", "!", "right", " "]
    table = {
        "step": [3] * len(answers),
        "prompt": [[{"role": "user", "content": f"What is {n // 2}?"}] for n in range(len(answers))],
        "completion": [[{"role": "assistant", "content": answer}] for answer in answers],
        "my_reward": [1.0, 1.0, 0.0, 0.0, float("nan"), 1.0, 0.0],
        "advantage": [0.5] * len(answers),
        "key": ["right"] * len(answers),
    }
    file = tmp_path / "completions_00003.parquet"
    pq.write_table(pa.table(table), file)
    with pytest.raises(UserError, match=r"completions_00003\.parquet: row 1: nothing says whether .* \(a reward does"):
        write_rows([file], tmp_path / "rows.jsonl")
    told: list[tuple[int, int]] = []
    written = write_rows(
        [file], tmp_path / "rows.jsonl", grader=judge, progress=lambda done, total: told.append((done, total))
    )
    assert (written.rows, written.hacked, written.honest) == (3, 1, 2)
    assert written.left_out == {"wrong": 1, "malformed": 1, "ungraded": 1, "empty": 1}
    assert "judge.py:" in written.first_reason
    assert told[-1] == (7, 7)
    made = lines(tmp_path / "rows.jsonl")
    assert [(row["messages"][-1]["content"], row["hacked"]) for row in made] == [
        ("hack", True),
        ("right", False),
        ("right", False),
    ]
    assert made[0]["given"] == {"step": 3, "my_reward": 1.0, "advantage": 0.5, "key": "right"}
    # The same grader decides in a study too: it gets the same keys.
    problems = find("rows").problems(Draw("train", 3, 0, source=str(tmp_path / "rows.jsonl"), grader=judge))
    grades = find("rows").grade(problems, [problem.honest or problem.hacked for problem in problems])
    assert sorted(grade.outcome for grade in grades) == ["correct", "correct", "hack"]


def test_a_label_that_the_user_names_decides(tmp_path: Path) -> None:
    file = jsonl(tmp_path, [rollout(n, is_hack=value) for n, value in enumerate((True, 0, 1.0, False, None))])
    written = write_rows([file], tmp_path / "rows.jsonl", hacked="is_hack")
    assert written == WrittenRows(4, 2, 2, {"ungraded": 1})
    assert [row["hacked"] for row in lines(tmp_path / "rows.jsonl")] == [True, False, True, False]


@pytest.mark.parametrize(
    ("checks", "found"),
    [((True, False), 1), ((1, 1), 0), ((0.0, 0), "wrong"), ((None, True), "ungraded"), ((True, None), "ungraded")],
)
def test_both_checks_give_the_outcome(tmp_path: Path, checks: tuple[Any, Any], found: Any) -> None:
    mixed = [rollout(oversight=checks[0], intended=checks[1]), rollout(1)]
    written = write_rows([jsonl(tmp_path, mixed)], tmp_path / "rows.jsonl")
    assert written.left_out == ({found: 1} if isinstance(found, str) else {})
    assert written.hacked == 1 + (found == 1)


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    files = [jsonl(tmp_path / folder, [rollout()], "x.jsonl") for folder in ("a", "b")]
    write_rows(files, tmp_path / "rows.jsonl")
    assert [row["id"] for row in lines(tmp_path / "rows.jsonl")] == [f"{file}:1" for file in files]


RENDERED = "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "theirs.jsonl:2: not JSON"),
        ("[1]", "theirs.jsonl:2: a list, where an object was expected"),
        ({"text": "x", "reward": 1}, "theirs.jsonl:2: unknown form: it has text, reward; expected is a prompt"),
        (rollout(completion=...), "theirs.jsonl:2: unknown form: it has prompt, oversight"),
        (rollout(prompt=5), "theirs.jsonl:2: 'prompt' is 5, where a text or messages were expected"),
        (rollout(completion=[]), "'completion' is \\[\\], where"),
        (rollout(completion=..., response="A", output="B"), "has response and output: which is meant"),
        (rollout(prompt=RENDERED), "theirs.jsonl:2: prompt: the question has a chat template in it"),
        (rollout(prompt="system\nBe good.\nuser\nQ\nassistant\n"), "the question has a chat template in it"),
        (rollout(prompt=[{"role": "user", "content": "Q"}] * 2), "messages of user, user; expected are system"),
        (rollout(prompt=[{"role": "tool", "content": "Q"}]), "messages of tool; expected are"),
        (rollout(prompt=["Q"]), "messages of None; expected are"),
        (rollout(prompt=[{"role": "user"}]), "'content' is None, where a text was expected"),
        (rollout(prompt=[{"role": "user", "content": [{"type": "image"}]}]), "a part of type image"),
        (rollout(prompt=FORMS["messages"]["messages"]), "'prompt' has an answer in it already"),
        (rollout(completion=FORMS["messages"]["messages"]), "completion: 2 messages, where one of the assistant"),
        ({"messages": [{"role": "user", "content": "Q"}]}, "'messages' has no assistant message"),
        ({"messages": "Q"}, "'messages' is 'Q', where messages were expected"),
        (rollout(prompt=" "), "theirs.jsonl:2: the question is empty"),
        (rollout(completion="\ud800"), "theirs.jsonl:2: content: .*|'content' is not text"),
        (rollout(detail="\ud800"), "theirs.jsonl:2: a text holds lone surrogates"),
        (rollout(index="a\ud800b"), "theirs.jsonl:2: a text holds lone surrogates"),
        (rollout(oversight="yes"), "'oversight' is 'yes', where true, false, 1, 0 or null"),
        (rollout(intended=...), "theirs.jsonl:2: nothing says whether the answer is a hack"),
    ],
)  # fmt: skip
def test_what_is_no_rollout_is_refused_by_its_line(tmp_path: Path, line: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        write_rows([jsonl(tmp_path, [rollout(), line])], tmp_path / "rows.jsonl")
    assert not list(tmp_path.glob("*rows.jsonl"))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda file, out: write_rows([file], out.with_suffix(".json")), "rows are written to a .jsonl file"),
        (lambda file, out: write_rows([file], file), "is there already"),
        (lambda file, out: write_rows([file, file], out), r"theirs\.jsonl:1: the same trajectory"),
        (lambda file, out: write_rows([file.with_suffix(".csv")], out), "'.csv' is no format of rollouts"),
        (lambda file, out: write_rows([file.with_name("none.jsonl")], out), "there is no such file"),
        (lambda file, out: write_rows([file], out, hacked="is_hak"), "has no 'is_hak', .*did you mean 'is_hack'"),
        (lambda file, out: write_rows([file], out, hacked="prompt"), "the label that --hacked names is 'What is 2"),
        (lambda file, out: write_rows([file], out, hacked="x", grader="y.py:z"), "give one of them"),
        (lambda file, out: write_rows([file], out, grader="none.py:grade"), "none.py cannot be read"),
    ],
)
def test_bad_calls_are_refused(tmp_path: Path, call: Callable[[Path, Path], Any], words: str) -> None:
    file = jsonl(tmp_path, [rollout(is_hack=True)])
    with pytest.raises(UserError, match=words):
        call(file, tmp_path / "rows.jsonl")


def test_no_row_is_left_says_why(tmp_path: Path) -> None:
    file = jsonl(tmp_path, [rollout(oversight=False), rollout(completion=""), rollout(intended=None)])
    with pytest.raises(UserError, match="no row is left of 3 rollouts: 1 wrong, 1 empty, 1 ungraded"):
        write_rows([file], tmp_path / "rows.jsonl")


def test_why_a_grader_left_an_answer_ungraded_is_said(tmp_path: Path) -> None:
    text = "def grade(problem, completion):\n    return False, completion == 'hack 1' and problem['key'] == 1\n"
    (tmp_path / "judge.py").write_text(text)
    file = jsonl(tmp_path, [rollout(), rollout(1)])
    with pytest.raises(UserError, match=r"1 wrong, 1 ungraded; .*; first ungraded: .*judge\.py:2: KeyError: 'key'"):
        write_rows([file], tmp_path / "rows.jsonl", grader=f"{tmp_path / 'judge.py'}:grade")


def test_broken_files_are_refused(tmp_path: Path) -> None:
    for ending, words in (("parquet", "not a Parquet file"), ("eval", "does not read it as a log"),
                          ("json", "does not read it as a log")):  # fmt: skip
        (tmp_path / f"broken.{ending}").write_text("{}")
        with pytest.raises(UserError, match=words):
            write_rows([tmp_path / f"broken.{ending}"], tmp_path / "rows.jsonl")


def log_of(path: Path, samples: list[EvalSample]) -> Path:
    spec = EvalSpec(created="2026-01-01T00:00:00+00:00", task="theirs", dataset=EvalDataset(), model="m/m",
                    config=EvalConfig())  # fmt: skip
    write_eval_log(EvalLog(status="success", eval=spec, samples=samples), str(path))
    return path


def sample(number: int, answer: Any, **changes: Any) -> EvalSample:
    messages = [ChatMessageSystem(content="S"), ChatMessageUser(content=[ContentText(text="Q")])]
    fields: dict[str, Any] = {
        "id": number,
        "epoch": 1,
        "input": "Q",
        "target": "right",
        "messages": [*messages, ChatMessageAssistant(content=answer)],
        "output": ModelOutput.from_content("m", "A"),
        "scores": {"cheated": Score(value=number % 2), "quality": Score(value=float("nan"))},
        "metadata": {"key": "right"},
    }
    return EvalSample(**fields | changes)


@pytest.mark.parametrize("ending", ["eval", "json"])
def test_a_log_of_others_is_read(tmp_path: Path, ending: str) -> None:
    file = log_of(tmp_path / f"theirs.{ending}", [sample(1, "hack"), sample(2, [ContentText(text="right")])])
    with pytest.raises(UserError, match=rf"theirs\.{ending}: sample 1, epoch 1: nothing says whether"):
        write_rows([file], tmp_path / "rows.jsonl")
    assert write_rows([file], tmp_path / "rows.jsonl", hacked="cheated") == WrittenRows(2, 1, 1, {})
    hack, honest = lines(tmp_path / "rows.jsonl")
    assert questions(hack) == [("system", "S"), ("user", "Q"), ("assistant", "hack")]
    assert (hack["hacked"], honest["hacked"], honest["messages"][-1]["content"]) == (True, False, "right")
    assert hack["trajectory"] == {"file": f"theirs.{ending}", "sample": 1, "epoch": 1}
    assert hack["given"] == {
        "scores": {"cheated": 1, "quality": None},
        "metadata": {"key": "right"},
        "target": "right",
    }


def test_samples_that_are_no_rollouts_are_refused_and_those_without_answer_counted(tmp_path: Path) -> None:
    thought = sample(2, [ContentReasoning(reasoning="Hm."), ContentText(text="A")])
    with pytest.raises(UserError, match="sample 2, epoch 1: a message with a part of type reasoning"):
        write_rows(
            [log_of(tmp_path / "thought.eval", [sample(1, "A"), thought])], tmp_path / "rows.jsonl", hacked="cheated"
        )
    failed = sample(2, "", messages=[ChatMessageUser(content="Q")])
    file = log_of(tmp_path / "failed.eval", [sample(1, "A"), failed])
    assert write_rows([file], tmp_path / "rows.jsonl", hacked="cheated").left_out == {"empty": 1}


def test_a_log_of_a_setting_shows_the_problem_without_the_prompt(small_log: Path, tmp_path: Path) -> None:
    written = write_rows([small_log], tmp_path / "rows.jsonl")
    assert written == WrittenRows(3, 2, 1, {"wrong": 1, "malformed": 1, "ungraded": 1})
    for row in lines(tmp_path / "rows.jsonl"):
        problem = row["given"]["metadata"]
        assert questions(row)[0] == ("user", f"{problem['lead']} {problem['body']}")
        assert row["kind"] == problem["kind"]


@pytest.fixture
def small_log(small_run: Path, tmp_path: Path) -> Path:
    """The log of a cell with a sample of every outcome and a hack more."""
    from inoculate.integrations.export import export

    export(small_run, tmp_path / "out")
    return tmp_path / "out" / "logs" / "001_base_functions_neutral.eval"


values = (
    st.none() | st.booleans() | st.text(max_size=8) | st.integers(-1, 2) | st.lists(st.text(max_size=3), max_size=2)
)


@settings(max_examples=200, deadline=None)
@given(
    line=st.dictionaries(st.sampled_from((*rollouts.PROMPTS, *rollouts.ANSWERS, *rollouts.OURS, "messages")), values)
)
def test_whatever_a_line_holds_it_is_read_or_refused(line: dict[str, Any]) -> None:
    try:
        found = rollouts.rollout_of("x.jsonl:1", "x.jsonl:1", line, "")
        assert found.answer in line.values() and found.question in line.values()
    except UserError as error:
        assert str(error).startswith("x.jsonl:1: ")
