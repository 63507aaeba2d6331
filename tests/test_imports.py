"""Imports run downwards only, and nothing light loads torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from check_habits import component_imports
from filled_store import STUDY, fill, write_study
from inoculate.steps.store import Store

ROOT = Path(__file__).parents[1]
ROOMS = (
    {"errors", "__init__"},
    {"records", "python_file", "json_lines", "outside", "checksums"},
    {"grading"},
    {"settings"},
    {"study"},
    {"analysis", "engine"},
    {"report", "checking"},
    {"integrations"},
    {"steps"},
    {"progress"},
    {"api"},
    {"cli"},
    {"__main__"},
)
"""Each may import from those above it, and from nothing beside it."""


def layer(name: str) -> int:
    (found,) = [number for number, names in enumerate(ROOMS) if name in names]
    return found


def test_imports_run_downwards_only() -> None:
    imports = component_imports(ROOT)
    assert len(imports) > 60
    # The package's own `__init__` gives names of any component, and imports them when they are used.
    within = [found for found in imports if found.component != "__init__"]
    assert [found for found in within if layer(found.component) <= layer(found.imported)] == []


@pytest.mark.parametrize(
    "statement",
    [
        "import inoculate",
        "import inoculate.cli.app",
        "import inoculate.steps.plan, inoculate.progress",
        "import inoculate.analysis, inoculate.report",
        "import inoculate.settings.functions, inoculate.settings.mbpp",
        "import inoculate.settings.patterns, inoculate.settings.repair, inoculate.settings.queries",
        "import inoculate.settings.mathematics, inoculate.settings.mathematics_plain, inoculate.settings.knowledge",
        "import inoculate.settings.compliance, inoculate.settings.ifeval, inoculate.settings.writing",
    ],
)
def test_no_torch_before_it_is_needed(statement: str) -> None:
    heavy = ("torch", "transformers", "trl", "datasets", "py3langid", "sentencex")
    check = f"{statement}; import sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_plan_without_contrasts_takes_no_statistics() -> None:
    heavy = ("scipy", "statsmodels", "pandas", "numpy")
    check = (
        f"import inoculate.steps.plan, inoculate.steps.refusals, inoculate.cli.tables, sys\nprint([m for m in {heavy} "
    )
    done = subprocess.run([sys.executable, "-c", f"{check}if m in sys.modules])"], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_plan_of_a_finished_study_takes_no_model_library(tiny_model: Path, tmp_path: Path) -> None:
    study = STUDY.replace("smollm2-135m", str(tiny_model))
    fill(write_study(tmp_path, study), Store(tmp_path / "store"))
    heavy = ("torch", "transformers", "trl", "peft", "datasets", "statsmodels", "pandas", "pyarrow", "matplotlib")
    check = (
        "import sys; from inoculate.cli.app import app, run_command\n"
        "sys.argv = ['inoculate', 'plan', 'small.toml']\n"
        "run_command(lambda: app(exit_on_error=False, print_error=False, result_action='return_value'))\n"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, cwd=tmp_path)
    assert "missing: 0 of" in done.stdout, done.stderr
    assert "has no verdict" in done.stdout or "no verdict is possible" in done.stdout  # it has contrasts
    assert done.stdout.strip().splitlines()[-1] == "[]", done.stderr
