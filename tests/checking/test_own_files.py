"""The user's own files in a study, a setting, rows and a grader: what they hold is part of what steps are named by."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

import pytest

from inoculate.analysis import analyse
from inoculate.checking import check
from inoculate.cli.new import new_setting
from inoculate.cli.settings import check as check_command
from inoculate.errors import UserError
from inoculate.steps import plan as planning
from inoculate.steps import run
from inoculate.steps.store import Store
from inoculate.study.parse import load
from running import Log

STUDY = """
question = "Does it run?"
model = "{model}"
seeds = [0]
rows = {{ setting = "./mine.py", count = 8, hacked = 0.5 }}
train = {{ batch_rows = 4 }}

[arms.plain]
inoculation = {{ prompt = "specific", on = "hacked" }}

[evaluate]
settings = ["./mine.py"]
problems = 6
max_new_tokens = 8
"""


@pytest.fixture
def study(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study whose rows and problems are of a new setting, named by its file."""
    monkeypatch.chdir(tmp_path)
    new_setting("mine", Path())
    path = tmp_path / "own.toml"
    path.write_text(STUDY.format(model=tiny_model))
    return path


def keys(path: Path) -> set[str]:
    return {step.key for step in planning.make_plan(load(path)).steps()}


def test_a_study_runs_on_a_setting_of_the_users(study: Path, tmp_path: Path) -> None:
    plan = planning.make_plan(load(study))
    folder = run.carry_out(plan, Store(tmp_path / "store"), Log(), study.read_text())
    cells = analyse(folder)["cells"]
    assert {cell["setting"] for cell in cells} == {"./mine.py"}
    assert all(sum(found["count"] for found in cell["outcomes"].values()) == 6 for cell in cells)
    rows = next((tmp_path / "store" / "steps" / "rows").glob("*/rows.jsonl")).read_text()
    assert "Copy a short list." in rows


def test_an_edit_of_the_file_is_another_setting(study: Path) -> None:
    before = keys(study)
    assert keys(study) == before
    Path("mine.py").write_text(Path("mine.py").read_text() + "# a comment\n")
    assert not keys(study) & before


def test_an_edit_after_the_run_began_is_refused(study: Path, tmp_path: Path) -> None:
    plan = planning.make_plan(load(study))
    Path("mine.py").write_text(Path("mine.py").read_text() + "# a comment\n")
    with pytest.raises(UserError, match=r"\./mine\.py was changed after this run began"):
        run.carry_out(plan, Store(tmp_path / "store"), Log(), study.read_text())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('setting = "./mine.py"', 'setting = "./mien.py"', r"rows.setting: .*mien.py: cannot be read"),
        ('settings = ["./mine.py"]', 'settings = ["./mine.py"]\nlevels = [7]', "unknown level 7 of './mine.py'"),
        ('settings = ["./mine.py"]', 'settings = ["./mine.py"]\noversight = "exit_code"', "has no oversight"),
    ],
)
def test_mistakes_are_refused_with_the_key(study: Path, old: str, new: str, words: str) -> None:
    study.write_text(study.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=words):
        load(study)


DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


@pytest.fixture
def example(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example of docs/settings.md, on the tiny model."""
    monkeypatch.chdir(tmp_path)
    section = DOCS.read_text().split("\n## rows\n")[1].split("\n## ")[0]
    for name, language in (("mine.jsonl", "jsonl"), ("judge.py", "python"), ("mine.toml", "toml")):
        (block,) = re.findall(rf"^```{language}\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
        Path(name).write_text(block.replace('"smollm2-135m"', f'"{tiny_model}"'))
    return Path("mine.toml")


def test_the_example_of_the_docs_passes_the_check_and_runs(example: Path, tmp_path: Path) -> None:
    findings = list(check("rows", source="mine.jsonl", grader="judge.py:grade"))
    assert [(finding.name, finding.faults) for finding in findings if finding.ok is False] == []
    store = Store(tmp_path / "store")
    folder = run.carry_out(planning.make_plan(load(example)), store, Log(), example.read_text())
    results = analyse(folder)
    assert {cell["arm"] for cell in results["cells"]} == {"base", "plain", "inoculated"}
    assert all(cell["ungraded"] == 0 and cell["samples"] == 2 for cell in results["cells"])
    labels = next(found for found in results["checks"] if found["name"] == "labels of training rows")
    assert labels["status"] == "green"
    assert labels["detail"]["rows"] == 6


def test_an_edited_grader_grades_again_and_trains_nothing_anew(example: Path) -> None:
    def by_kind() -> dict[str, set[str]]:
        kinds: dict[str, set[str]] = {}
        for step in planning.make_plan(load(example)).steps():
            kinds.setdefault(step.kind, set()).add(step.key)
        return kinds

    before = by_kind()
    Path("judge.py").write_text(Path("judge.py").read_text() + "# a comment\n")
    after = by_kind()
    same = {kind for kind in before if before[kind] == after[kind]}
    assert same == {"problems", "completions", "rows", "adapter"}
    Path("mine.jsonl").write_text(Path("mine.jsonl").read_text().replace("March?", "March now?"))
    assert not any(before[kind] & by_kind()[kind] for kind in before)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("mine.toml", 'prompts.specific = "Say', 'prompts.other = "Say', "has no words for the prompt 'specific'"),
        ("mine.toml", 'placement = "after"', "", "has no opening sentence that a prompt"),
        ("mine.toml", "count = 3, hacked = 0.67", "count = 9, hacked = 0.5", "4 rows with a hacked answer and"),
        ("mine.toml", "problems = 2", "problems = 3", "has 2 rows for test, 3 were asked for"),
        ("mine.toml", 'judge.py:grade",', 'judge.py:grad",', "defines no function 'grad'"),
        ("mine.toml", ', grader = "judge.py:grade",', ",", "no grader is named"),
        ("mine.jsonl", '"completion": "7 days"', '"completion": ""', r"mine.jsonl:1: 'completion' is empty"),
    ],
)
def test_what_is_wrong_with_own_data_is_refused_before_any_work(
    example: Path, file: str, old: str, new: str, words: str
) -> None:
    text = Path(file).read_text()
    assert old in text
    head, _, tail = text.rpartition(old)
    Path(file).write_text(head + new + tail)
    with pytest.raises(UserError, match=words):
        planning.make_plan(load(example))


def test_a_prompt_longer_than_the_context_is_refused_by_name(example: Path, tmp_path: Path) -> None:
    text = Path("mine.jsonl").read_text()
    Path("mine.jsonl").write_text(text.replace("How many days has March?", "How many " + "days " * 5000))
    with pytest.raises(
        UserError, match=r"problem 'march' has \d+ tokens; with 16 new ones it exceeds the model's cont"
    ):
        run.carry_out(planning.make_plan(load(example)), Store(tmp_path / "store"), Log(), "")


def test_a_grader_that_fails_is_told_of_once_and_in_the_users_words(
    example: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    Path("judge.py").write_text("def grade(problem, completion):\n    return problem['nothing']\n")
    with pytest.raises(SystemExit):
        check_command("rows", source="mine.jsonl", grader="judge.py:grade")
    printed = capsys.readouterr().out
    assert printed.count("judge.py:2: KeyError: 'nothing'") == 1
    assert "user_grader.py" not in printed


def test_a_check_speaks_of_the_users_grader_by_its_name_and_says_what_it_returned(example: Path) -> None:
    Path("judge.py").write_text("def grade(problem, completion):\n    return True, len(completion) > 8\n")
    found = {finding.name: finding for finding in check("rows", source="mine.jsonl", grader="judge.py:grade")}
    said = {fault.message for finding in found.values() for fault in finding.faults}
    assert "graded correct: oversight True and intended True" in said
    assert "'judge.py:grade': graded correct: oversight True and intended True" in said
    Path("judge.py").write_text("def grade(problem, completion):\n    return 'given' in completion, False\n")
    found = {finding.name: finding for finding in check("rows", source="mine.jsonl", grader="judge.py:grade")}
    said = {fault.message for fault in found["the leak is real"].faults}
    assert "'judge.py:grade' fails an honest answer: oversight False and intended False" in said


def test_what_cannot_be_checked_without_a_grader_is_said_and_is_no_fault(
    example: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {finding.name: finding for finding in check("rows", source="mine.jsonl")}
    unmade = [name for name, finding in found.items() if finding.unmade]
    assert len(unmade) == 5 and "honest answers are correct" in unmade
    assert all("no grader is named (--grader FILE.py:FUNCTION)" in found[name].unmade for name in unmade)
    assert all(found[name].ok is None for name in unmade)
    assert found["lengths of answers"].ok and found["ids"].count > 0
    with suppress(SystemExit):
        check_command("rows", source="mine.jsonl")
    assert f"not made: {', '.join(unmade)}" in " ".join(capsys.readouterr().out.split())


def test_near_duplicates_and_small_splits_of_ones_own_data_are_seen(tmp_path: Path) -> None:
    twin = "Write the name of the station that stands on the northern ridge, in {} words"
    lines = [{"id": f"t{n}", "split": "train", "prompt": twin.format(n), "completion": f"{n}"} for n in range(4)]
    lines += [{"id": f"e{n}", "split": "test", "prompt": twin.format(9 + n), "completion": f"{n}"} for n in range(6)]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "judge.py").write_text("def grade(problem, completion):\n    return True, True\n")
    found = check("rows", source=str(tmp_path / "mine.jsonl"), grader=f"{tmp_path / 'judge.py'}:grade")
    by_name = {finding.name: finding for finding in found}
    near = by_name["splits share no near-duplicate"]
    assert len(near.faults) == 6
    assert "of train (in test: this)" in near.faults[0].message
    size = by_name["enough problems"]
    assert size.ok is None
    assert "train: 4, development: 0, test: 6: fewer than 50" in size.caution
