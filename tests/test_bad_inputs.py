"""Mistakes of a first hour: each is refused with a message that says what it must, and with nothing else."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import MagicMock

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import RepositoryNotFoundError
from huggingface_hub.utils import validate_hf_hub_args

from bad_inputs import CHANGES, STUDY, WHOLE
from inoculate import settings
from inoculate.errors import UserError
from inoculate.records import Problem
from inoculate.settings.rows import reading, user_grader
from inoculate.steps import hub_data, problems
from inoculate.steps.plan import make_plan
from inoculate.steps.store import Store
from inoculate.study import ready_made
from inoculate.study.parse import load, located
from small_study import SEVEN_PROBLEMS


def plan(text: str) -> None:
    Path("study.toml").write_text(text, encoding="utf-8")
    with located(Path("study.toml")):
        make_plan(load(Path("study.toml")), "weights")


def give(what: str, text: str) -> None:
    """Give what the user has written to what reads it."""
    names = {"rows": "mine.jsonl", "grader": "judge.py", "setting": "mine.py", "store": "store", "run": "store"}
    if what in names:
        Path(names[what]).write_text(text, encoding="utf-8")
    if what == "study":
        plan(text)
    elif what == "rows":
        reading.read("mine.jsonl")
    elif what == "grader":
        user_grader.check_grader("judge.py:grade")
    elif what in ("source", "set"):
        for name in ("mine.jsonl", "mine.py", "table.csv"):
            Path(name).touch()
        _ = reading.read(text) if what == "source" else settings.find(text)
    elif what == "hub":
        hub_data.look_for(text)
    elif what == "named":
        Path("judge.py").touch()
        user_grader.check_grader(text)
    elif what == "grades":
        Path("beside.py").touch()
        Path("judge.py").write_text(f"def grade(problem, completion):\n    {text}", encoding="utf-8")
        user_grader.check_starts("judge.py:grade", Problem("p", "rows", "k", "rows", 1, "", "?", "5", "", "", {}))
    elif what == "setting":
        Path("beside.py").touch()
        settings.find("mine.py")
    elif what == "run":
        Store(Path("store")).find_run("mine")
    elif what == "store":
        Store(Path("store")).check_writable()
    else:
        for name in ("demo.toml", "support.toml"):
            Path(name).write_text(STUDY, encoding="utf-8")
        Path("folder").mkdir()
        ready_made.find(text)


def changed(old: str, new: str) -> str:
    assert old in STUDY
    return STUDY.replace(old, new, 1)


@validate_hf_hub_args
def nothing_there(self: HfApi, repo_id: str, **named: object) -> None:
    """What the hub says of a data set that it does not have."""
    raise RepositoryNotFoundError("404", response=MagicMock())


CASES = [("study", changed(old, new), words) for old, new, words in CHANGES] + WHOLE
IDS = [f"{new[:40]!r}" for _, new, _ in CHANGES] + [f"{what}-{text[:40]!r}" for what, text, _ in WHOLE]


def test_there_are_many() -> None:
    assert len(CASES) >= 120


@pytest.mark.parametrize(("what", "text", "words"), CASES, ids=IDS)
def test_a_mistake_is_refused_and_the_message_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, text: str, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(HfApi, "dataset_info", nothing_there)
    with pytest.raises(UserError) as refusal:
        give(what, text)
    message = str(refusal.value)
    for word in words:
        assert word in message
    lines = message.splitlines()
    assert len(set(lines)) == len(lines), "one thing is said twice"
    assert "Traceback" not in message
    assert "tuple" not in message.lower()


@pytest.mark.parametrize(
    ("count", "problems", "message"),
    [
        ("count = 7", "problems = 8", "study.toml:19: evaluate.problems: there are 7 for test, 8 were asked for"),
        (
            "count = 7",
            "problems = 7\neach.'mine.py'.problems = 9",
            "study.toml:20: evaluate.each.mine.py.problems: there are 7 for test, 9 were asked for",
        ),
        ("count = 8", "problems = 7", "study.toml:7: rows.count: there are 7 for train, 8 were asked for"),
    ],
)
def test_more_problems_than_there_are_are_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: str, problems: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(SEVEN_PROBLEMS, encoding="utf-8")
    text = STUDY.replace('"functions"', '"mine.py"').replace("problems = 6", problems).replace("count = 8", count)
    with pytest.raises(UserError) as refusal:
        plan(text)
    assert str(refusal.value) == message


_PROGRAMS = """from dataclasses import replace
from inoculate.settings import TooFew
from inoculate.settings.functions import SETTING as functions

def problems(draw):
    if draw.count > 7:
        {refusal}
    return functions.problems(draw)

SETTING = replace(functions, name="mine", problems=problems)
"""


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        ('raise TooFew(f"there are 7, {draw.count} were asked for")',
         "study.toml:19: evaluate.problems: there are 7, 200 were asked for"),
        ('raise KeyError("unit")',
         "study.toml:18: evaluate.settings: {folder}/mine.py:7: problems(draw) has raised KeyError: 'unit'"),
        ("import os; os._exit(5)",
         "study.toml:18: evaluate.settings: mine.py: 200 problems for test cannot be drawn: exit code 5"),
    ],
)  # fmt: skip
def test_so_are_problems_with_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(problems, "_SECONDS", 60)
    Path("mine.py").write_text(_PROGRAMS.replace("{refusal}", refusal), encoding="utf-8")
    with pytest.raises(UserError) as refused:
        plan(STUDY.replace('"functions"', '"mine.py"').replace("problems = 6", "problems = 200"))
    assert str(refused.value) == message.replace("{folder}", str(tmp_path))


def test_what_would_take_long_to_know_is_said_to_be_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(problems, "_SECONDS", 0.2)
    Path("mine.py").write_text(_PROGRAMS.replace("{refusal}", "__import__('time').sleep(60)"), encoding="utf-8")
    Path("study.toml").write_text(STUDY.replace('"functions"', '"mine.py"').replace("problems = 6", "problems = 200"))
    made = make_plan(load(Path("study.toml")), "weights")
    assert made.unknown[0].startswith("whether mine.py has 200 problems for test: drawing them takes longer than 0.2 s")


def test_a_model_that_is_not_there_is_refused_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("study.toml")
    for model, words in (("smollm", "model: unknown model 'smollm'"), ("./none.gguf", "model './none.gguf': there is")):
        path.write_text(changed('model = "m"', f'model = "{model}"'), encoding="utf-8")
        with pytest.raises(UserError) as refusal, located(path):
            make_plan(load(path))
        assert str(refusal.value).startswith(f"study.toml:2: {words}")


def test_a_refusal_that_names_a_file_of_its_own_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(STUDY, encoding="utf-8")
    with pytest.raises(UserError, match=r"^rows\.jsonl:3: not JSON$"), located(path):
        raise UserError("rows.jsonl:3: not JSON")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan("\ufeff" + STUDY)
    give("rows", '\ufeff{"prompt": "a", "completion": "b"}\n')
    assert len(reading.read("mine.jsonl")) == 1


@pytest.mark.parametrize(
    ("changed_to", "message"),
    [
        ('["rows", "open_questions"]', "study.toml:20: evaluate.each.open_questions.grader: setting 'open_questions'"),
        ('["rows", "mbpp"]', "study.toml:20: evaluate.each.mbpp.source: setting 'mbpp' loads its data"),
    ],
)
def test_what_one_setting_lacks_is_not_placed_where_another_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed_to: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    own = 'setting = "rows"\nsource = "mine.jsonl"\ngrader = "judge.py:grade"\n'
    study = STUDY.replace('setting = "functions"\n', own).replace('["functions"]', changed_to)
    Path("mine.jsonl").write_text('{"prompt": "a", "completion": "b", "hacked": "c"}\n')
    Path("judge.py").write_text("def grade(problem, completion):\n    return True, True\n")
    with pytest.raises(UserError) as refusal:
        plan(f"{study}\n[prompts]\nspecific = 'x'\n".replace('model = "m"', 'model = "m"\nplacement = "after"', 1))
    assert str(refusal.value).startswith(message)


def test_a_source_in_another_form_is_pointed_to_its_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.jsonl").touch()
    with pytest.raises(UserError, match=r"a \.jsonl file was expected, one row a line: did you mean 'mine\.jsonl'\?"):
        reading.read("mine.json")
