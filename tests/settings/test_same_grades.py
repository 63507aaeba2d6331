"""The same text gets the same grade: in another process, with other hashes of strings, in every setting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from same_grades import COUNT

from inoculate.settings import names


def started(folder: Path, hashes: int) -> subprocess.Popen[str]:
    script = Path(__file__).with_name("same_grades.py")
    return subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONHASHSEED": str(hashes)},
    )


def grades(process: subprocess.Popen[str]) -> dict[str, list[Any]]:
    said, _ = process.communicate()
    assert process.returncode == 0
    (line,) = [line for line in said.split("\n") if line.startswith("GRADES ")]
    return json.loads(line.removeprefix("GRADES "))


def test_every_setting_grades_a_text_alike_in_two_processes(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    one, two = map(grades, [started(folder, number) for number, folder in enumerate(folders, 1)])
    assert set(one) == set(two)
    assert set(names()) - set(one) <= {"ifeval", "open_questions"}
    for name, graded in one.items():
        assert len({problem for problem, _, _ in graded}) == COUNT
        different = [(a, b) for a, b in zip(graded, two[name], strict=True) if a != b]
        assert different == [], name
        outcomes = Counter(grade["outcome"] for _, _, grade in graded)
        assert len(outcomes) > 1, (name, outcomes)
        assert not outcomes["ungraded"], (name, [g for g in graded if g[2]["outcome"] == "ungraded"][:1])
