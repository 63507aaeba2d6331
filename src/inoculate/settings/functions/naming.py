"""Honest answers whose constants are names: one tree, whatever the constants are."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from string import Template as Text
from typing import Any

_TOKEN = re.compile(r"(c__\w+?__c)")


def as_name(key: str) -> str:
    """The name that stands for a constant."""
    return f"c__{key}__c"


def is_constant(node: ast.AST) -> bool:
    """Whether it is a name that stands for a constant."""
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and bool(_TOKEN.fullmatch(node.id))


def with_names(source: str, name: str, choices: Mapping[str, Sequence[Any]]) -> ast.Module | None:
    """The tree of a template's honest answer, in which its constants are global names.

    Args:
        source: With placeholders.
        name: Of the function.
        choices: Placeholder -> values.

    Returns:
        None where a constant is no value there: it is an operator or the name of something.
    """
    names = {key: as_name(key) for key in choices}
    text = Text(source).substitute({**names, **{f"{key}_repr": to for key, to in names.items()}, "name": name})
    texts = {key for key, values in choices.items() if any(isinstance(value, str) for value in values)}
    bare = {names[key] for key in texts if f"${key}_repr" not in source}
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _TOKEN.search(node.attr):
            return None
        if isinstance(node, ast.Name) and _TOKEN.search(node.id) and (node.id in bare or not is_constant(node)):
            return None
    return _InTexts().visit(tree)


class _InTexts(ast.NodeTransformer):
    """Texts in which a constant stands become f-strings."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """A text as it is, or as an f-string."""
        parts = _split(node)
        return node if parts == [node] else ast.JoinedStr(parts)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        """An f-string with its literal parts split up."""
        values: list[Any] = []
        for value in node.values:
            values += _split(value) if isinstance(value, ast.Constant) else [self.generic_visit(value)]
        return ast.JoinedStr(values)


def _split(node: ast.Constant) -> list[ast.expr]:
    if not isinstance(node.value, str) or not _TOKEN.search(node.value):
        return [node]
    return [
        ast.FormattedValue(ast.Name(part, ast.Load()), -1) if place % 2 else ast.Constant(part)
        for place, part in enumerate(_TOKEN.split(node.value))
        if part
    ]
