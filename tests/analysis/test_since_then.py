"""A report of a run whose grader, data or setting is another one now says so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from filled_store import STUDY, fill, write_study
from inoculate import settings
from inoculate.analysis import analyse
from inoculate.cli.new import new_setting
from inoculate.steps.plan import make_plan
from inoculate.steps.store import Store

OWN = 'setting = "rows", source = "mine.jsonl", grader = "judge.py:grade"'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def carry_out(text: str) -> Path:
    return fill(write_study(Path(), text), Store(Path("store")), make_plan=lambda study: make_plan(study, "weights"))


def outdated(run: Path) -> list[str]:
    return [caution for caution in analyse(run)["cautions"] if "counts anew" in caution]


def own_rows() -> Path:
    rows = [
        {"id": f"{split}-{n}", "split": split, "prompt": f"{split} {n}?", "completion": f"{n}.", "hacked": "Sorry."}
        for split in ("train", "test")
        for n in range(9)
    ]
    Path("mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("judge.py").write_text("def grade(problem, completion):\n    return True, True\n")
    study = STUDY.replace('setting = "functions"', OWN).replace('settings = ["functions"]', 'settings = ["rows"]')
    return carry_out(f"{study}\n[prompts]\nspecific = 'Say sorry.'\n".replace("seeds", 'placement = "after"\nseeds', 1))


@pytest.mark.parametrize("name", ["mine.jsonl", "judge.py"])
def test_an_edited_file_is_named_with_the_command(name: str) -> None:
    run = own_rows()
    assert outdated(run) == []
    text = Path(name).read_text()
    Path(name).write_text(f"{text}\n")
    said = f"{name} has changed since the run: what is shown here is by the earlier one; `inoculate run small.toml` "
    assert outdated(run) == [f"{said}counts anew"]
    Path(name).write_text(text)
    assert outdated(run) == []


def test_a_file_that_is_not_where_the_report_is_made_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = own_rows().resolve()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert outdated(run) == []


def test_a_setting_of_ones_own_is_named_once() -> None:
    new_setting("lists", Path())
    run = carry_out(STUDY.replace('"functions"', '"lists.py"').replace("problems = 5", "problems = 4"))
    with Path("lists.py").open("a") as file:
        file.write("# a note\n")
    (said,) = outdated(run)
    assert said.startswith("lists.py has changed since the run: what")


def test_a_setting_of_the_package_that_grades_otherwise_now_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    run = carry_out(STUDY)
    functions = settings.find("functions")
    later = replace(functions, grading=functions.grading + 1)
    monkeypatch.setattr("inoculate.settings.functions.SETTING", later)
    (said,) = outdated(run)
    assert said.startswith(f"'functions' grades otherwise now (version {later.grading}, then {functions.grading})")
