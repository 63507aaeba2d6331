"""Grades completions: `grades.jsonl`, in the order of the completions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from inoculate import settings
from inoculate.records import Completion, Grade, Problem, read_lines, write_lines
from inoculate.steps import problems
from inoculate.steps.resources import Progress, Resources
from inoculate.steps.store import Step, digest_files
from inoculate.study.resolve import ResolvedStudy
from inoculate.study.schema import EvaluatedSetting

KIND, VERSION = "grades", 2


def plan_step(resolved: ResolvedStudy, setting: str, completions: Step, where: str) -> Step:
    """The grades of the completions of one cell.

    Args:
        resolved: The study.
        setting: The setting of its problems.
        completions: The step that samples them.
        where: The cell, for the step's label.
    """
    evaluate = resolved.study.evaluate
    params = grading_params(setting, evaluate.each.get(setting, EvaluatedSetting()).grader)
    if evaluate.oversight:
        params["oversight"] = evaluate.oversight
    inputs = {"problems": completions.inputs["problems"], "completions": completions}
    return Step(KIND, params, inputs, label=f"grades of {where}", version=VERSION)


def run(step: Step, folder: Path, resources: Resources, progress: Progress) -> None:
    """Grade every completion."""
    by_id = {problem.id: problem for problem in problems.read(resources.input_folder(step, "problems"))}
    completions = list(read_lines(resources.input_folder(step, "completions") / "completions.jsonl", Completion))
    write_grades(
        step,
        [by_id[completion.problem] for completion in completions],
        [completion.completion for completion in completions],
        folder,
        progress,
    )


def grading_params(setting: str, grader: str) -> dict[str, Any]:
    """What grading depends on. After a change of a grader only grading is repeated, and no sampling or training."""
    version = settings.find(setting).grading
    return {"setting": setting, "grading_version": version, **digest_files(setting, grader.partition(":")[0])}


def write_grades(
    step: Step, graded: Sequence[Problem], answers: Sequence[str], folder: Path, progress: Progress
) -> None:
    """Grade answers under the step's oversight, by default the setting's first, and write `grades.jsonl`.

    Args:
        step: Its parameters are from `grading_params`, with `oversight` where the study names one.
        graded: [N] Problems.
        answers: [N] Their answers.
        folder: Where the file goes.
        progress: Called after every grade.
    """
    setting = settings.find(step.params["setting"])
    oversight = step.params.get("oversight", setting.oversights[0])

    def grade_all() -> Iterator[Grade]:
        for done, grade in enumerate(setting.grade(graded, answers, oversight), 1):
            progress(done, len(answers), "graded")
            yield grade

    write_lines(folder / "grades.jsonl", grade_all())
