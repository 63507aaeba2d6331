"""What `make check` is there for: each check finds a violation that was planted for it, and nothing in clean code."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import check_habits

ROOT = Path(__file__).parents[1]


def write(root: Path, texts: dict[str, str]) -> None:
    """Write the modules of a small package: path without its ending -> text."""
    (root / "pyproject.toml").write_text('[tool.ruff]\nextend-exclude = ["src/inoculate/data"]\n', encoding="utf-8")
    for name, text in texts.items():
        path = root / "src" / "inoculate" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def function(name: str, lines: int) -> str:
    """A function with so many lines; an empty line and comments are among them, its decorator is not."""
    return f"@decorated\ndef {name}():\n\n" + "    # why\n" * (lines - 3) + "    work()\n"


def functions(count: int, lines: int) -> str:
    """Several functions with so many lines."""
    return "".join(function(f"f_{number}", lines) for number in range(count))


def test_clean_code_has_no_violations(tmp_path: Path) -> None:
    texts = {
        "study/parse": "from inoculate.errors import UserError\nfrom . import schema\n" + "#\n" * 498,
        "study/schema": "import inoculate.errors\nfrom inoculate import __version__",
        "errors": "",
        "steps": f"from inoculate import errors, study\n{function('longest', 75)}{functions(10, 30)}",
        "plan": f"from .study import parse\n{functions(9, 30)}",
        "data/attack": function("attack", 600),
    }
    write(tmp_path, texts)
    assert check_habits.check(tmp_path) == []


def test_long_file(tmp_path: Path) -> None:
    write(tmp_path, {"study": "#\n" * 501})
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_long.py").write_text("#\n" * 502, encoding="utf-8")
    source, test = check_habits.check(tmp_path)
    assert source.startswith("src/inoculate/study.py:501: the file has 501 lines, 500 are allowed")
    assert test.startswith("tests/test_long.py:501: the file has 502 lines, 500 are allowed")


def test_long_function(tmp_path: Path) -> None:
    method = "class Step:\n    async def run(self):\n" + "        work()\n" * 75
    write(tmp_path, {"steps": method + functions(19, 3)})
    (violation,) = check_habits.check(tmp_path)
    assert violation.startswith("src/inoculate/steps.py:2: the function run has 76 lines, 75 are allowed")


def test_too_many_functions_over_thirty_lines(tmp_path: Path) -> None:
    write(tmp_path, {"study": functions(10, 30), "steps": functions(2, 31), "report": functions(8, 3)})
    (violation,) = check_habits.check(tmp_path)
    assert "95th percentile of the lengths of functions is 31 lines, 30 are allowed" in violation
    assert "2 of 20 functions are longer, 1 too many" in violation
    assert "src/inoculate/steps.py:2 f_0 (31 lines)" in violation


def test_too_many_modules_at_the_top_level(tmp_path: Path) -> None:
    write(tmp_path, {"component/module": "", **{f"module_{number}": "" for number in range(9)}})
    (violation,) = check_habits.check(tmp_path)
    assert violation.startswith("src/inoculate: 9 modules at the top level, 8 are allowed")
    assert "module_0.py" in violation


@pytest.mark.parametrize(
    "back",
    [
        "from inoculate.study.parse import load",
        "from inoculate import study",
        "import inoculate.study",
        "from ..study import parse",
        "from .. import study",
        "def late():\n    from inoculate.study import parse",
        "if TYPE_CHECKING:\n    from inoculate.study import parse",
    ],
)
def test_cycle_between_components(tmp_path: Path, back: str) -> None:
    texts = {
        "study/parse": "from inoculate.steps import plan",
        "steps/plan": "\nimport inoculate.grading.grade",
        "grading/grade": back,
        "report": "from inoculate import study",
    }
    write(tmp_path, texts)
    (violation,) = check_habits.check(tmp_path)
    assert "the components grading -> study -> steps -> grading import each other in a cycle" in violation
    assert "src/inoculate/steps/plan.py:2 imports grading" in violation


def test_cycle_through_the_package_itself(tmp_path: Path) -> None:
    write(tmp_path, {"__init__": "from inoculate.api import run", "api": "from inoculate import load"})
    (violation,) = check_habits.check(tmp_path)
    assert "__init__ -> api -> __init__" in violation


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ('"""Module."""\ndef f() -> int:\n    return 1\n', "D103"),
        ('"""Module."""\nclass C:\n    x: int\n', "D101"),
        ('"""Module."""\nclass C:\n    """Class."""\n    def f(self) -> int:\n        return 1\n', "D102"),
        ("x = 1\n", "D100"),
        ('"""Module."""\ndef f(x) -> int:\n    """Do it."""\n    return x\n', "ANN001"),
        ('"""Module."""\ndef f(*xs, **ys) -> int:\n    """Do it."""\n    return 1\n', "ANN002"),
        ('"""Module."""\ndef f(x: int):\n    """Do it."""\n    return x\n', "ANN201"),
        ('"""Module."""\ndef _f(x: int):\n    return x\n', "ANN202"),
    ],
)
def test_public_code_needs_docstrings_and_types(code: str, rule: str) -> None:
    """Ruff's rules, with this project's configuration, for a file that would be there."""
    command = [sys.executable, "-m", "ruff", "check", "--output-format", "concise", "--no-cache"]
    done = subprocess.run(
        [*command, "--stdin-filename", "src/inoculate/study/planted.py", "-"],
        input=code,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert rule in re.findall(r"planted\.py:\d+:\d+: (\w+)", done.stdout)


@pytest.mark.skipif(not shutil.which("node"), reason="pyright needs node; `make check` runs it all the same")
def test_generic_types_need_arguments(tmp_path: Path) -> None:
    """Pyright, with this project's configuration."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for folder in ("src", "tests", "tools", "benchmarks", "examples"):
        (tmp_path / folder).mkdir()
    (tmp_path / "src" / "planted.py").write_text("def f(x: list) -> dict[str, int]:\n    return {}\n", encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "pyright"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert re.findall(r"planted\.py:1:10 - error: .*\((\w+)\)", done.stdout) == ["reportMissingTypeArgument"]
