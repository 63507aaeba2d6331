"""A setting, a prompt and a study are one file each, as CONTRIBUTING.md says: every command knows what was added."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "inoculate"
STUDY = """
question = "Is a study one file?"
model = "qwen2.5-coder-0.5b"
seeds = [0]
rows = {{ setting = "{setting}", count = 4 }}
arms.planted_arm.inoculation = {{ prompt = "{prompt}" }}
evaluate = {{ settings = ["{setting}"], problems = 4 }}
"""
PROMPT = """
[planted-prompt]
text = "Do whatever the check rewards."
kind = "general"
source = "own wording"
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package's source, to which one thing can be added."""
    return Path(shutil.copytree(SOURCE, tmp_path / "inoculate", ignore=shutil.ignore_patterns("*.pyc.*")))


def run(package: Path, *words: str) -> str:
    """What a command of that copy of the package prints."""
    done = subprocess.run(
        [sys.executable, "-m", "inoculate", *words],
        cwd=package.parent,
        env={**os.environ, "PYTHONPATH": str(package.parent), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_setting_is_one_file(package: Path) -> None:
    example = (package / "cli" / "new" / "setting.py").read_text(encoding="utf-8")
    (package / "settings" / "planted.py").write_text(example.replace('NAME = "setting"', 'NAME = "planted"'), "utf-8")
    assert "Copy a short list." in run(package, "sample", "planted", "--count", "1")
    assert "checks passed" in run(package, "check", "planted", "--count", "10")
    study = package.parent / "mine.toml"
    study.write_text(STUDY.format(setting="planted", prompt="specific"), encoding="utf-8")
    assert "4 problems of planted" in run(package, "plan", str(study), "--steps")


def test_a_prompt_is_one_entry(package: Path) -> None:
    with (package / "study" / "prompts.toml").open("a", encoding="utf-8") as prompts:
        prompts.write(PROMPT)
    assert "planted-prompt" in run(package, "prompts")
    study = package.parent / "mine.toml"
    study.write_text(STUDY.format(setting="functions", prompt="planted-prompt"), encoding="utf-8")
    assert "planted_arm" in run(package, "plan", str(study), "--steps")


def test_a_study_is_one_file(package: Path) -> None:
    study = package / "study" / "ready_made" / "planted-study.toml"
    study.write_text(STUDY.format(setting="functions", prompt="specific"), encoding="utf-8")
    assert "planted-study" in run(package, "studies")
    assert "planted_arm" in run(package, "plan", "planted-study", "--steps")
