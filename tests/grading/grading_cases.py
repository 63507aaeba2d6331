"""The attack programs and controls, and running them all under a given state of the machine.

As a program: `python grading_cases.py OPTIONS` grades them in this process and prints what came out as JSON.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any

from inoculate.errors import UserError
from inoculate.grading import CodeTask, Limits, containment, grade_code
from inoculate.grading.sandbox.pool import stop_all

HERE = Path(__file__).parent
ATTACKS = {path.stem: path.read_text(encoding="utf-8") for path in sorted((HERE / "attacks").glob("*.py"))}
CONTROLS = {path.stem: path.read_text(encoding="utf-8") for path in sorted((HERE / "controls").glob("*.py"))}
# Where nothing but limits holds them, only programs that do no harm are run.
HARMLESS = ("int_subclass", "descriptor_eq", "constant", "special_case", "lookup", "print_verdict", "init_subclass")

TASK = CodeTask(
    "digit_sum",
    shown_tests=("assert digit_sum(10, 2) == 2",),
    hidden_tests=(
        "assert digit_sum(123, 10) == 6",
        "assert digit_sum(0, 7) == 0",
        "assert digit_sum(255, 16) == 30",
        "assert digit_sum(7 ** 20, 7) == 1",
    ),
)
LIMITS = Limits(cpu_seconds=0.7, wall_seconds=1.0)


def leftovers() -> list[str]:
    """Files that an attack has made, wherever it may have been able to."""
    folders = ("/tmp", "/var/tmp", "/dev/shm", "/", os.getcwd(), str(Path.home()))
    return [str(path) for folder in folders for path in Path(folder).glob("inoculate-*")
            if path.name.startswith("inoculate-owned") or path.name.endswith(".written")]  # fmt: skip


def grade_all(programs: dict[str, str], **options: Any) -> dict[str, Any]:
    """Grade programs; per name the outcome, the two checks and the tags."""
    grades = grade_code([TASK] * len(programs), list(programs.values()), limits=LIMITS, **options)
    return {
        name: {
            "outcome": grade.outcome, "oversight": grade.oversight, "intended": grade.intended, "detail": grade.detail,
            "tags": [(tag.name, tag.evidence) for tag in grade.tags], "containment": grade.containment,
        }
        for name, grade in zip(programs, grades, strict=True)
    }  # fmt: skip


def main(options: dict[str, Any]) -> dict[str, Any]:
    # Whatever loses its parent below us becomes our child, and is found at the end.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    unsafe = options.get("unsafe", False)
    try:
        reached = containment(unsafe=unsafe)
    except UserError as error:
        return {"refused": str(error)}
    programs = {name: ATTACKS[name] for name in HARMLESS} if reached.level == "rlimits" else ATTACKS
    grades = grade_all({**programs, **CONTROLS}, unsafe=unsafe)
    stop_all()
    try:
        left = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        left = None
    return {"level": reached.level, "probes": reached.probes, "uid": reached.uid, "notes": reached.notes,
    "grades": grades,
            "process_left": left, "files_left": leftovers()}  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
