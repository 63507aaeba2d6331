"""Ctrl-C while something is graded: it ends within seconds, in one line, and leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CODE = """
from inoculate.cli.app import run_command
from inoculate.grading import CodeTask, Limits, grade_code

task = CodeTask("f", shown_tests=("assert f(1) == 1",), hidden_tests=("assert f(2) == 2",))
endless = "import os\\ndef f(n):\\n    while True: pass\\n"
list(grade_code([task], ["def f(n): return n"]))
print("{started}", flush=True)
sys.exit(run_command(lambda: list(grade_code([task] * 64, [endless] * 64, limits=Limits(cpu_seconds=60)))))
"""
FUNCTION = """
from inoculate.cli.app import run_command
from inoculate.settings.rows import user_grader

sys.exit(run_command(lambda: list(user_grader.grade("mine.py:grade", [{{"id": "p"}}], ["4"]))))
"""
HANGING = """
import os, subprocess, sys, time

def grade(problem, completion):
    child = subprocess.Popen(["sleep", "600"])
    with open("unfinished", "w") as out:
        out.write(f"{started} {{os.getpid()}} {{child.pid}}")
    os.rename("unfinished", "started")  # what a grader prints is kept from the terminal
    time.sleep(600)
"""


@pytest.mark.parametrize("program", [CODE, FUNCTION], ids=["code that runs on", "a grader that hangs"])
def test_ctrl_c_ends_the_grading(program: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(HANGING.format(started="STARTED"))
    running = subprocess.Popen(
        [sys.executable, "-c", "import sys" + program.format(started="STARTED")],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0,
    )  # fmt: skip
    assert running.stdout
    first = running.stdout.readline() if program == CODE else _wait_for(tmp_path / "started")
    assert first.startswith("STARTED"), first + running.stdout.read()
    time.sleep(0.3)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to the whole group
    said, _ = running.communicate(timeout=30)
    assert running.returncode == 130
    assert said.strip() == "inoculate: stopped; nothing was written"
    for pid in map(int, first.split()[1:]):
        assert not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2]


def _wait_for(file: Path) -> str:
    for _ in range(600):
        if file.exists():
            return file.read_text()
        time.sleep(0.1)
    raise AssertionError(f"{file} was not written")
