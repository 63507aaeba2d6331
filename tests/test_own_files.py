"""Settings in Python files of the user's, in a study: their text is part of what the steps are named by."""

from __future__ import annotations

from pathlib import Path

import pytest

from inoculate.analysis import analyse
from inoculate.errors import UserError
from inoculate.steps import plan as planning
from inoculate.steps import run
from inoculate.steps.store import Step, Store
from inoculate.stubs import new_setting
from inoculate.study_file import load

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


class Quiet:
    """Watches a run and says nothing."""

    def started(self, step: Step, number: int, total: int) -> None: ...

    def moved(self, done: int, total: int, note: str) -> None: ...

    def ended(self, step: Step) -> None: ...

    def say(self, words: str) -> None: ...


@pytest.fixture
def study(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study whose rows and problems are of a new setting, named by its file."""
    monkeypatch.chdir(tmp_path)
    new_setting("mine", Path())
    path = tmp_path / "own.toml"
    path.write_text(STUDY.format(model=tiny_model))
    return path


def keys(path: Path) -> set[str]:
    return {step.key for step in planning.make(load(path)).steps()}


def test_a_study_runs_on_a_setting_of_the_users(study: Path, tmp_path: Path) -> None:
    plan = planning.make(load(study))
    folder = run.carry_out(plan, Store(tmp_path / "store"), Quiet(), study.read_text())
    cells = analyse(folder)["cells"]
    assert {cell["setting"] for cell in cells} == {"./mine.py"}
    assert all(sum(found["count"] for found in cell["outcomes"].values()) == 6 for cell in cells)
    rows = next((tmp_path / "store" / "steps" / "rows").glob("*/rows.jsonl")).read_text()
    assert "Put a short list in order." in rows


def test_an_edit_of_the_file_is_another_setting(study: Path) -> None:
    before = keys(study)
    assert keys(study) == before
    Path("mine.py").write_text(Path("mine.py").read_text() + "# a comment\n")
    assert not keys(study) & before


def test_an_edit_after_the_run_began_is_refused(study: Path, tmp_path: Path) -> None:
    plan = planning.make(load(study))
    Path("mine.py").write_text(Path("mine.py").read_text() + "# a comment\n")
    with pytest.raises(UserError, match=r"\./mine\.py was changed after this run began"):
        run.carry_out(plan, Store(tmp_path / "store"), Quiet(), study.read_text())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('setting = "./mine.py"', 'setting = "./mien.py"', r"arms.plain.rows: .*mien.py: cannot be read"),
        ('settings = ["./mine.py"]', 'settings = ["./mine.py"]\nlevels = [7]', "unknown level 7 of './mine.py'"),
        ('settings = ["./mine.py"]', 'settings = ["./mine.py"]\noversight = "exit_code"', "has no oversight"),
    ],
)
def test_mistakes_are_refused_with_the_key(study: Path, old: str, new: str, words: str) -> None:
    study.write_text(study.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=words):
        load(study)
