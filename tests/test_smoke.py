"""Every ready-made study runs from end to end on a tiny model, so that none of them rots."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tomli_w

from inoculate.analysis import analyse
from inoculate.report import write_report
from inoculate.report.figures import answering_figure
from inoculate.steps.plan import make_plan
from inoculate.steps.run import carry_out
from inoculate.steps.screen import make_screen_plan
from inoculate.steps.store import Store
from inoculate.study import ready_made
from inoculate.study.parse import load
from running import Log
from smoke import shrink

TASK = "Write a function to add {0} to x."


def write_tasks(folder: Path) -> str:
    """A file of the form of MBPP: the real one is not part of the package."""
    tasks = [
        {
            "task_id": number, "text": TASK.format(number), "code": f"def add(x):\n    return x + {number}",
            "test_list": [f"assert add({n}) == {n + number}" for n in (1, 2, 5)], "test_setup_code": "",
        }
        for number in (*range(11, 21), *range(601, 621))
    ]  # fmt: skip
    path = folder / "mbpp.jsonl"
    path.write_text("".join(json.dumps(task) + "\n" for task in tasks), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", ready_made.names())
def test_a_ready_made_study_runs(name: str, tiny_model: Path, tmp_path: Path) -> None:
    """All its arms are trained, all cells are there, and the figure that answers its question is drawn."""
    tables = shrink(ready_made.find(name), tiny_model)
    text = tomli_w.dumps(tables).replace("google-research-datasets/mbpp", write_tasks(tmp_path))
    path, store = tmp_path / f"smoke-{name}.toml", Store(tmp_path / "store")
    path.write_text(text, encoding="utf-8")
    study = load(path)
    assert list(study.arms) == list(load(ready_made.find(name)).arms)
    if study.elicitation:
        carry_out(make_screen_plan(study), store, Log(), text)
    run = carry_out(make_plan(study), store, Log(), text)
    results = analyse(run)
    assert not results["missing"]
    write_report(run)
    figures = {figure.stem for figure in (run / "figures").glob("*.svg")}
    assert answering_figure(study) in figures
