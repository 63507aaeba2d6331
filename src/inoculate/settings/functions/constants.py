"""Syntax trees of honest answers in which constants are global names: one tree for all values of the constants."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from string import Template as Text
from typing import Any

_NAME = re.compile(r"(c__\w+?__c)")


def constant_name(key: str) -> str:
    """The global name of a constant."""
    return f"c__{key}__c"


def is_constant_name(node: ast.AST) -> bool:
    """Whether a node reads the global name of a constant."""
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and bool(_NAME.fullmatch(node.id))


def parse_with_names(source: str, name: str, choices: Mapping[str, Sequence[Any]]) -> ast.Module | None:
    """The tree of a template's honest answer, with global names for its constants.

    Args:
        source: The answer with its placeholders.
        name: The function's name.
        choices: Placeholder -> values.

    Returns:
        None where a constant is not used as a value: it is an operator, or part of a name.
    """
    names = {key: constant_name(key) for key in choices}
    text = Text(source).substitute({**names, **{f"{key}_repr": to for key, to in names.items()}, "name": name})
    strings = {key for key, values in choices.items() if any(isinstance(value, str) for value in values)}
    bare = {names[key] for key in strings if f"${key}_repr" not in source}
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _NAME.search(node.attr):
            return None
        if isinstance(node, ast.Name) and _NAME.search(node.id) and (node.id in bare or not is_constant_name(node)):
            return None
    return _StringsToFStrings().visit(tree)


class _StringsToFStrings(ast.NodeTransformer):
    """Turns string literals with a constant in them into f-strings."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """A string literal as it is, or as an f-string."""
        parts = _split(node)
        return node if parts == [node] else ast.JoinedStr(parts)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        """An f-string with its literal parts split at constants."""
        values: list[Any] = []
        for value in node.values:
            values += _split(value) if isinstance(value, ast.Constant) else [self.generic_visit(value)]
        return ast.JoinedStr(values)


def _split(node: ast.Constant) -> list[ast.expr]:
    if not isinstance(node.value, str) or not _NAME.search(node.value):
        return [node]
    return [
        ast.FormattedValue(ast.Name(part, ast.Load()), -1) if index % 2 else ast.Constant(part)
        for index, part in enumerate(_NAME.split(node.value))
        if part
    ]
