"""Habits that no linter checks: lengths of files and functions, modules at the top level, cycles between components.

`make check` runs it. Standard library only. Every violation is one line with file, line, what is there, and what is
allowed. The exit code is 1 if there is one.
"""

from __future__ import annotations

import ast
import math
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path("src/inoculate")
CODE = ("src", "tests", "tools", "benchmarks", "examples")
SUFFIXES = {".py", ".js", ".css", ".html", ".jinja"}
MOST_LINES_OF_FILE = 500
MOST_LINES_OF_FUNCTION = 75
MOST_LINES_OF_P95 = 30
MOST_MODULES = 8


class Function(NamedTuple):
    """One function or method, nested ones too."""

    name: str
    path: Path
    line: int
    length: int
    """Lines from `def` to the last one: docstring, comments and empty lines count, decorators do not."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.name} ({self.length} lines)"


class Import(NamedTuple):
    """One component imports from another."""

    component: str
    imported: str
    path: Path
    line: int


def check(root: Path) -> list[str]:
    """All violations in a checkout, one line each.

    Args:
        root: Its folder.
    """
    functions = [function for path in _files(root, {".py"}) for function in _functions(root, path)]
    package = [function for function in functions if function.path.is_relative_to(PACKAGE)]
    return [
        *long_files(root),
        *long_functions(functions),
        *long_p95(package),
        *too_many_modules(root),
        *component_cycles(component_imports(root)),
    ]


def long_files(root: Path) -> Iterator[str]:
    """Files with too many lines."""
    for path in _files(root, SUFFIXES):
        length = len(path.read_text(encoding="utf-8").splitlines())
        if length > MOST_LINES_OF_FILE:
            yield (
                f"{path.relative_to(root)}:{MOST_LINES_OF_FILE + 1}: the file has {length} lines, "
                f"{MOST_LINES_OF_FILE} are allowed: split it by what its parts do"
            )


def long_functions(functions: list[Function]) -> Iterator[str]:
    """Functions with too many lines."""
    for function in functions:
        if function.length > MOST_LINES_OF_FUNCTION:
            yield (
                f"{function.path}:{function.line}: the function {function.name} has {function.length} lines, "
                f"{MOST_LINES_OF_FUNCTION} are allowed (from def to its last line): move a part into a function"
            )


def long_p95(functions: list[Function]) -> Iterator[str]:
    """Whether too many functions are long: the 95th percentile is the length that 95 of 100 functions do not exceed."""
    ordered = sorted(functions, key=lambda function: function.length)
    if not ordered:
        return
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1].length
    if p95 > MOST_LINES_OF_P95:
        longer = [function for function in ordered if function.length > MOST_LINES_OF_P95]
        excess = len(longer) - (len(ordered) - math.ceil(0.95 * len(ordered)))
        yield (
            f"{PACKAGE}: the 95th percentile of the lengths of functions is {p95} lines, {MOST_LINES_OF_P95} are "
            f"allowed: {len(longer)} of {len(ordered)} functions are longer, {excess} too many. "
            f"Nearest to the limit: {'; '.join(map(str, longer[: max(excess, 5)][:10]))}"
        )


def too_many_modules(root: Path) -> Iterator[str]:
    """Whether too many modules lie beside the components."""
    modules = sorted(path.name for path in (root / PACKAGE).glob("*.py"))
    if len(modules) > MOST_MODULES:
        yield (
            f"{PACKAGE}: {len(modules)} modules at the top level, {MOST_MODULES} are allowed: "
            f"move one into a component ({', '.join(modules)})"
        )


def component_imports(root: Path) -> list[Import]:
    """Every import of one component from another, wherever it stands: in functions and for type checkers too.

    A component is a package or module at the top level of `inoculate`. `__version__` may be imported from anywhere.
    """
    package = root / PACKAGE
    components = {path.stem for path in package.iterdir() if path.suffix == ".py" or path.is_dir()}
    imports = []
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package)
        component = inside.parts[0].removesuffix(".py")
        for node in ast.walk(_parse(path)):
            for name in _imported(node, (PACKAGE.name, *inside.parts[:-1])):
                top, _, rest = name.partition(".")
                first = rest.partition(".")[0]
                imported = first if first in components else "__init__"
                if top == PACKAGE.name and imported != component and rest != "__version__":
                    imports.append(Import(component, imported, path.relative_to(root), getattr(node, "lineno", 1)))
    return imports


def component_cycles(imports: list[Import]) -> Iterator[str]:
    """Components that import each other, directly or through others: the shortest cycle of each."""
    graph: dict[str, dict[str, Import]] = {}
    for found in imports:
        graph.setdefault(found.component, {}).setdefault(found.imported, found)
    reported: set[frozenset[str]] = set()
    for component in sorted(graph):
        cycle = _shortest_cycle(graph, component)
        if cycle and frozenset(step.component for step in cycle) not in reported:
            reported.add(frozenset(step.component for step in cycle))
            names = " -> ".join([*(step.component for step in cycle), component])
            where = ", ".join(f"{step.path}:{step.line} imports {step.imported}" for step in cycle)
            yield (
                f"{cycle[0].path}:{cycle[0].line}: the components {names} import each other in a cycle, "
                f"none is allowed: {where}"
            )


def _shortest_cycle(graph: Mapping[str, Mapping[str, Import]], start: str) -> list[Import]:
    """The shortest way from a component back to it; empty if there is none."""
    ways = [[step] for step in graph[start].values()]
    seen: set[str] = set()
    for way in ways:
        last = way[-1].imported
        if last == start:
            return way
        if last not in seen:
            seen.add(last)
            ways += [[*way, step] for step in graph.get(last, {}).values()]
    return []


def _imported(node: ast.AST, package: tuple[str, ...]) -> list[str]:
    """The full names that an import statement of a module in `package` takes."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    above = package[: len(package) + 1 - node.level] if node.level else ()
    module = ".".join([*above, *filter(None, [node.module])])
    return [f"{module}.{alias.name}" for alias in node.names]


def _functions(root: Path, path: Path) -> Iterator[Function]:
    for node in ast.walk(_parse(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Function(node.name, path.relative_to(root), node.lineno, length)


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _files(root: Path, suffixes: set[str]) -> list[Path]:
    """The files of our code; programs that ruff leaves out are data."""
    ruff = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    data = [root / folder for folder in ruff.get("extend-exclude", ())]
    return sorted(
        path
        for folder in CODE
        for path in (root / folder).rglob("*")
        if path.suffix in suffixes and path.is_file() and not any(path.is_relative_to(part) for part in data)
    )


def main() -> int:
    """Print the violations of this checkout; the exit code is 1 if there are any."""
    violations = check(Path(__file__).resolve().parents[1])
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
