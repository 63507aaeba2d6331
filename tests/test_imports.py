"""Imports run downwards only, and nothing light loads torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import inoculate

ROOT = Path(inoculate.__file__).parent
ROOMS = (
    {"errors", "__init__"},
    {"records", "python_file", "json_lines"},
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


def imports() -> list[tuple[str, str, str]]:
    """(top module, imported top module, file) for every import within the package."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        own = path.relative_to(ROOT).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "inoculate":
                rest = node.module.split(".")[1:]
                names = [rest[0]] if rest else [alias.name for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [a.name.split(".")[1] for a in node.names if a.name.startswith("inoculate.")]
            found += [(own, name, str(path)) for name in names if name != "__version__"]
    return found


def test_imports_run_downwards_only() -> None:
    found = imports()
    assert len(found) > 60
    # The package's own `__init__` gives names from anywhere, and imports them when they are used.
    within = [(path, own, name) for own, name, path in found if own not in (name, "__init__")]
    upwards = [(path, name) for path, own, name in within if layer(own) <= layer(name)]
    assert upwards == []


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
    heavy = ("torch", "transformers", "trl", "datasets")
    check = f"{statement}; import sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
