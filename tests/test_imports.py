"""Imports run downwards only, and nothing light loads torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from check_habits import component_imports

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
