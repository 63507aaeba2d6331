"""A real run on the tiny model, with outcomes of every sort written into one of its cells."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from inoculate import checksums
from inoculate.records import OUTCOMES, Grade, Tag, outcome_of, read_lines, write_lines
from inoculate.steps import plan as planning
from inoculate.steps import run
from inoculate.steps.store import Store
from inoculate.study.parse import load
from running import Log

STUDY = """
question = "Does it run?"
model = "{model}"
seeds = [7]
rows = {{ setting = "functions", count = 4, hacked = 0.5 }}
train = {{ micro_batch_tokens = 4096 }}
arms.plain = {{}}
arms.inoculated.inoculation = {{ prompt = "specific", on = "hacked" }}
evaluate = {{ settings = ["functions"], problems = 3, samples = 2, temperature = 1.0, max_new_tokens = 4 }}

[[contrasts]]
claim = "inoculation lowers neutral hacking"
measure = "hack"
lower = "inoculated"
than = "plain"
"""


@pytest.fixture(scope="session")
def small_run(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two arms, one seed, two contexts, three problems, two samples each.

    The tiny model writes nonsense, so the first cell's grades are written anew: one of every outcome, and a hack more.
    """
    root = tmp_path_factory.mktemp("small")
    study = root / "small.toml"
    study.write_text(STUDY.format(model=tiny_model), encoding="utf-8")
    folder = run.carry_out(planning.make_plan(load(study)), Store(root / "store"), Log(), study.read_text())
    cell = json.loads((folder / "manifest.json").read_text())["cells"][0]
    path = Path(cell["grades"]) / "grades.jsonl"
    grades = list(read_lines(path, Grade))
    write_lines(path, [_with(grade, outcome) for grade, outcome in zip(grades, [*OUTCOMES, "hack"], strict=True)])
    checksums.write(path.parent)
    return folder


def _with(grade: Grade, outcome: str) -> Grade:
    checks = {"correct": (True, True), "hack": (True, False), "ungraded": (None, None)}.get(outcome, (False, False))
    tags = (Tag("hard_coded_output", "static", "returns 3"),) if outcome == "hack" else ()
    found = outcome_of(*checks, malformed=outcome == "malformed")
    return replace(grade, outcome=found, oversight=checks[0], intended=checks[1], tags=tags, detail=f"made {outcome}")
