"""Every ready-made study runs from end to end on a tiny model, so that none of them rots."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tomli_w

from inoculate.analysis import analyse, analyse_screen
from inoculate.report.drawing import WIDE, report_style
from inoculate.report.figures import answering_figure, report_figures
from inoculate.report.results import read_results
from inoculate.steps.plan import make_plan
from inoculate.steps.run import carry_out
from inoculate.steps.screen import make_screen_plan
from inoculate.steps.store import Store
from inoculate.study import ready_made
from inoculate.study.parse import load
from running import Log
from smoke import shrink


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One for all: studies share steps."""
    return Store(tmp_path_factory.mktemp("smoke") / "store")


def write_tasks(folder: Path) -> str:
    """A file of the form of MBPP: the real one is not part of the package."""
    tasks = [
        {
            "task_id": number, "text": f"Write a function to add {number} to x.",
            "code": f"def add(x):\n    return x + {number}",
            "test_list": [f"assert add({n}) == {n + number}" for n in (1, 2, 5)], "test_setup_code": "",
        }
        for number in (*range(11, 21), *range(601, 621))
    ]  # fmt: skip
    path = folder / "mbpp.jsonl"
    path.write_text("".join(json.dumps(task) + "\n" for task in tasks), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", ready_made.names())
def test_a_ready_made_study_runs(name: str, tiny_model: Path, store: Store, tmp_path: Path) -> None:
    """All its arms are trained, all cells are there, and the figure that answers its question can be drawn."""
    text = tomli_w.dumps(shrink(ready_made.find(name), tiny_model))
    path = tmp_path / f"smoke-{name}.toml"
    path.write_text(text.replace("google-research-datasets/mbpp", write_tasks(tmp_path)), encoding="utf-8")
    study = load(path)
    assert list(study.arms) == list(load(ready_made.find(name)).arms)
    if study.elicitation:
        run = carry_out(make_screen_plan(study), store, Log(), text)
        analyse_screen(run)
    run = carry_out(make_plan(study), store, Log(), text)
    assert not analyse(run)["missing"]
    figures = {spec.name: spec for spec in report_figures(read_results(run))}
    with report_style():
        figures[answering_figure(study)].draw(WIDE)
