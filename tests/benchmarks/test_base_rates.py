"""The untrained model alone: a study without arms, from file to report, and the table of base rates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inoculate.analysis import analyse
from inoculate.errors import UserError
from inoculate.integrations.export import export
from inoculate.progress import TerminalProgress
from inoculate.report import write_report
from inoculate.steps import run
from inoculate.steps.plan import make_plan
from inoculate.steps.screen import make_screen_plan
from inoculate.steps.store import Store
from inoculate.study.parse import load
from scripts import load_script

STUDY = """
question = "What can it do?"
model = "{model}"
evaluate = {{ settings = ["functions"], contexts = ["neutral"], problems = 3, max_new_tokens = 4 }}
screen.prompts = ["specific"]
"""


@pytest.fixture(scope="module")
def base_rates() -> Any:
    return load_script("benchmarks/base_rates.py")


def test_a_study_without_arms_from_file_to_report(tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "alone.toml"
    path.write_text(STUDY.format(model=tiny_model))
    with TerminalProgress() as console:
        folder = run.carry_out(make_plan(load(path)), Store(tmp_path / "store"), console, path.read_text())
    (cell,) = analyse(folder)["cells"]
    assert (cell["arm"], cell["samples"], cell["seeds"]) == ("base", 3, [])
    assert write_report(folder).is_file()
    export(folder, tmp_path / "out", lambda done, total: None)
    words = (tmp_path / "out" / "methods.md").read_text()
    assert "nothing was trained" in words and "seed" not in words.split("**Software.**")[0]
    with pytest.raises(UserError, match="has no arm: a screen scores hacked answers of one"):
        make_screen_plan(load(path))


def test_the_table_has_a_line_for_each_setting_and_level(base_rates: Any, tiny_model: Path, tmp_path: Path) -> None:
    names, store = ("writing", "functions"), Store(tmp_path / "store")
    with TerminalProgress() as console:
        made = [base_rates.table(load(base_rates.FILE), str(tiny_model), names, 2, store, console) for _ in range(2)]
    assert made[0] == made[1]
    title, _, head, _, *lines = made[0].splitlines()
    assert (title, head) == (f"## {tiny_model}", f"| {' | '.join(base_rates.HEAD)} |")
    said = [[part.strip() for part in line.split("|")[1:-1]] for line in lines]
    assert [(setting, int(level)) for setting, level, *_ in said] == [
        *(("writing", level) for level in (1, 2, 3)),
        *(("functions", level) for level in (1, 2, 3, 4)),
    ]
    assert all(problems == "2" for _, _, problems, *_ in said)


def test_the_hack_is_asked_for_where_there_is_one(base_rates: Any, tiny_model: Path, tmp_path: Path) -> None:
    names = ("mathematics", "mathematics_plain", "compliance", "functions")
    with TerminalProgress() as console:
        made = base_rates.asked_table(
            load(base_rates.FILE), str(tiny_model), names, 2, Store(tmp_path / "store"), console
        )
    _, _, head, _, *lines = made.splitlines()
    assert head == f"| {' | '.join(base_rates.ASKED_HEAD)} |"
    assert [line.split("|")[1].strip() for line in lines] == ["mathematics", "functions"]
