"""Grades the answers in an arm's rows, before anything is trained on them: `grades.jsonl`."""

from __future__ import annotations

from pathlib import Path

from inoculate import settings
from inoculate.records import Row, read_lines
from inoculate.steps import problems
from inoculate.steps.grades import grading_params, write_grades
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.store import Step
from inoculate.study.schema import Rows

KIND, VERSION = "row-grades", 2


def plan_step(table: Rows, rows: Step, where: str, oversight: str = "") -> Step:
    """The grades of rows of an arm at one seed.

    Args:
        table: What the rows are drawn from.
        rows: The step that makes them.
        where: Arm and seed, for the step's label.
        oversight: The leaky check that called a trajectory a hack; '' for the setting's first.
    """
    params = grading_params(table.setting, table.grader)
    if oversight not in ("", settings.find(table.setting).oversights[0]):
        params["oversight"] = oversight
    return Step(KIND, params, {"rows": rows}, label=f"check of the rows of {where}", version=VERSION)


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Grade the answer of every row."""
    rows = resources.input_folder(step, "rows")
    answers = [row.answer for row in read_lines(rows / "rows.jsonl", Row)]
    write_grades(step, problems.read(rows), answers, folder, progress)
