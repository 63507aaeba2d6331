"""Analysis of set-up code: what it defines, and which names code uses."""

from __future__ import annotations

import ast
import builtins
import sys
from dataclasses import dataclass

from inoculate.grading import compare
from inoculate.grading.parsing import parse


@dataclass(frozen=True)
class Setup:
    """The names of set-up code."""

    values: frozenset[str] = frozenset()
    """Names bound to values."""
    helpers: frozenset[str] = frozenset()
    """Names bound to functions and classes, and by imports from outside the standard library."""
    imports: frozenset[str] = frozenset()
    """Names imported from the standard library."""
    redefined: frozenset[str] = frozenset()
    """Names that mean something else than without the set-up."""
    free: frozenset[str] = frozenset()
    """Names that it uses and does not bind: they have to come from the solution."""


def analyse(text: str) -> Setup:
    """Analyse set-up code.

    Raises:
        SyntaxError, ValueError: It does not parse.
    """
    module = parse(text)
    values, helpers, imports, redefined = set(), set(), set(), set()
    for node in ast.walk(module):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            helpers.add(node.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                name = alias.asname or top
                (imports if top in sys.stdlib_module_names else helpers).add(name)
                if alias.asname:
                    redefined.add(name)
        elif isinstance(node, ast.ImportFrom):
            module_name = node.module or ""
            for alias in node.names:
                name = alias.asname or alias.name
                (imports if module_name in sys.stdlib_module_names else helpers).add(name)
                if alias.name != "*" and (alias.asname or not compare.means_the_same(name, module_name)):
                    redefined.add(name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            values.add(node.id)
    free = free_names(module) - {"*"}
    return Setup(*map(frozenset, (values, helpers, imports, redefined | values | helpers, free)))


def names(module: ast.AST) -> set[str]:
    """All names in a piece of code."""
    return {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}


def free_names(module: ast.Module) -> set[str]:
    """Names that code uses, and that are neither bound in it nor builtins."""
    bound, used = set(), set()
    for node in ast.walk(module):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            bound.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            bound.add(node.rest)
    return {name for name in used - bound if not hasattr(builtins, name)}
