"""`--seeds`, `export --graded` and `import` as a user meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from filled_store import fill, write_study
from inoculate.steps.store import Store


def inoculate(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "inoculate", *words]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200", **environment})


def test_a_study_goes_to_another_store(tmp_path: Path) -> None:
    study, store = write_study(tmp_path), tmp_path / "there"
    fill(study, Store(store), (1,))
    file = str(tmp_path / "small.xz")
    done = inoculate("export", "small", "--graded", file, "--machine", "lab", INOCULATE_STORE=str(store))
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    assert "4 finished cells (seed 1)" in done.stdout and "not there yet: 6 cells" in done.stdout
    here = str(tmp_path / "here")
    shown = json.loads(inoculate("import", file, "--json", INOCULATE_STORE=here).stdout)
    assert (shown["finished"], shown["of"], shown["machines"]) == (4, 10, ["lab"])
    again = inoculate("import", file, INOCULATE_STORE=here)
    assert "0 steps imported" in again.stdout and "4 of 10 cells are finished" in again.stdout
    plan = inoculate("plan", str(study), "--seeds", "1", INOCULATE_STORE=here).stdout
    assert "missing: 0 of " in plan and "2 trainings are not here and not needed" in plan
    facts = json.loads(inoculate("plan", str(study), "--json", INOCULATE_STORE=here).stdout)
    assert {step["needed"] for step in facts["steps"] if "seed 1" in step["label"]} == {False}
    assert facts["to_do"] > 0
    report = inoculate("report", "small", INOCULATE_STORE=here)
    assert "6 of 10 cells are not finished" in report.stdout, report.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run", "demo", "--seeds", "9"], "the study has no seed 9"),
        (["plan", "demo", "--seeds", "a-b"], "'a-b' is neither a number nor a range"),
        (["export", "smal", "--graded", "out.xz"], "did you mean 'small'?"),
        (["export", "small"], "give one of --to FOLDER"),
        (["export", "small", "--to", "out", "--graded", "out.xz"], "give one of --to FOLDER"),
        (["export", "small", "--to", "out", "--machine", "x"], "belongs to --graded"),
        (["export", "small", "--graded", "out.xz", "--seeds", "5"], "the study has no seed 5"),
        (["export", "small", "--graded", "out.xz"], "no cell is finished"),
        (["import", "none.xz"], "there is no such file"),
        (["import", "small.toml"], "not a file of graded samples"),
    ],
)
def test_mistakes_are_sentences(
    words: list[str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(write_study(tmp_path), Store(tmp_path / "s"), ())
    done = inoculate(*words, INOCULATE_STORE=str(tmp_path / "s"))
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
