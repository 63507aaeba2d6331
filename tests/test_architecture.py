"""docs/architecture.md and CONTRIBUTING.md name what is there: components, files and functions."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "inoculate"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
REFERENCE = re.compile(r"`([\w./-]+/[\w.-]*)(?:: (\w+))?`")
"""`folder/file`, `folder/`, and `folder/file.py: function`."""
EXAMPLES = ("NAME", "at-1/")


@pytest.mark.parametrize("page", [ARCHITECTURE, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_files_and_functions_exist(page: Path) -> None:
    found = [match.groups() for match in REFERENCE.finditer(page.read_text(encoding="utf-8"))]
    references = [(name, function) for name, function in found if not any(part in name for part in EXAMPLES)]
    assert len(references) > 10
    missing = [
        f"{name}: {function or ''}"
        for name, function in references
        if not any(_has(folder / name, function) for folder in (PACKAGE, ROOT))
    ]
    assert missing == []


def _has(path: Path, name: str | None) -> bool:
    """Whether there is such a file or folder, with that name defined in it."""
    if name is None or not path.is_file():
        return path.exists() and name is None
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    variables = {
        node.target.id for node in tree.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    return name in functions | variables


def test_all_components_are_in_the_table() -> None:
    table = ARCHITECTURE.read_text(encoding="utf-8").partition("## Components")[2].partition("\n## ")[0]
    named = {
        component
        for cell in re.findall(r"^\|([^|]*)\|", table, re.MULTILINE)
        for component in re.findall(r"`(\w+)`", cell)
    }
    components = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert named == components - {"__init__", "__main__"}
