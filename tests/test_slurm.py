"""The example that hands a study to Slurm: every step is in one task, and after all that it waits for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from inoculate.cli.tables import plan_facts
from inoculate.errors import UserError
from inoculate.steps.plan import make_plan
from inoculate.steps.run import carry_out_named
from inoculate.steps.store import Store
from inoculate.study.parse import load
from running import Log
from scripts import load_script

slurm = load_script("examples/slurm.py")


def test_every_step_is_in_one_task_after_what_it_waits_for(study_file: Path, tmp_path: Path) -> None:
    plan, store = make_plan(load(study_file)), Store(tmp_path / "store")
    steps = plan_facts(plan, store)["steps"]
    over: set[str] = set()
    for kinds in slurm.stages(steps):
        now = [step for tasks in kinds.values() for task in tasks for step in task]
        assert all(set(step["waits_for"]) <= over for step in now)
        assert not over & {step["name"] for step in now}
        over |= {step["name"] for step in now}
    assert over == {step["name"] for step in steps}
    sampled = [kinds["completions"] for kinds in slurm.stages(steps) if "completions" in kinds]
    assert [sorted(map(len, tasks)) for tasks in sampled] == [[2], [2, 2, 2]]  # both contexts of an adapter together


def test_an_array_asks_for_what_the_study_gives_and_each_task_has_its_line(study_file: Path, tmp_path: Path) -> None:
    study_file.write_text(study_file.read_text() + "\n[resources.rows]\ncpus = 1.5\nmemory_gb = 0.5\n")
    steps = plan_facts(make_plan(load(study_file)), Store(tmp_path / "store"))["steps"]
    tasks = slurm.stages(steps)[0]["rows"]
    command = slurm.sbatch(tasks, tmp_path / "rows.txt", "a study.toml", "/store", ["--partition=cpu"])
    assert {"--array=1-3", "--cpus-per-task=2", "--mem=500M", "--partition=cpu", "--requeue"} <= set(command)
    assert "inoculate step 'a study.toml' $(sed -n ${SLURM_ARRAY_TASK_ID}p" in command[-1]
    second = command[-1].partition("$(")[2].partition(")")[0].replace("${SLURM_ARRAY_TASK_ID}", "2")
    line = subprocess.run(["bash", "-c", second], capture_output=True, text=True, check=True).stdout.split()
    assert line == [step["name"] for step in tasks[1]]


def test_a_task_that_is_requeued_does_nothing_twice(study_file: Path, tmp_path: Path) -> None:
    plan, store, log = make_plan(load(study_file)), Store(tmp_path / "store"), Log()
    rows = plan.trainings[0].rows
    assert carry_out_named(plan, store, log, [rows.key[:8]]) == []
    made = (store.folder(rows) / "step.json").stat().st_mtime_ns
    assert carry_out_named(plan, store, log, [rows.key]) == [rows.label]
    assert log.done == ["rows"] and (store.folder(rows) / "step.json").stat().st_mtime_ns == made
    with pytest.raises(UserError, match=r"grades of base, functions, neutral .* waits for 6 problems of functions"):
        carry_out_named(plan, store, log, [plan.cells[0].grades.key])
