"""Faults that are injected into a right function: changes of its syntax tree like those that programmers make.

The mutation operators are the usual ones (DeMillo, Lipton and Sayward 1978, doi:10.1109/C-M.1978.218136), and some that
are common in Python: a return inside the loop, a missing branch, one method for another.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Change = Callable[[ast.AST], object]
"""Changes a node in place."""


@dataclass(frozen=True)
class FaultSite:
    """Where a fault can be injected."""

    fault: str
    """A key of `FAULTS`."""
    node: int
    """Index of the node in the tree."""
    change: int
    """Index of the change among those that are possible at the node."""


def find_sites(source: str) -> list[FaultSite]:
    """All sites of faults in a function."""
    return [
        FaultSite(fault, number, change)
        for number, node in enumerate(_nodes(ast.parse(source)))
        for fault, changes in FAULTS.items()
        for change, _ in enumerate(changes(node))
    ]


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree, except those inside f-strings, whose locations Python 3.11 does not know."""
    for child in ast.iter_child_nodes(tree):
        yield child
        if not isinstance(child, ast.JoinedStr):
            yield from _nodes(child)


def inject(site: FaultSite, source: str) -> tuple[str, str]:
    """A function with a fault, and the right one in the same style.

    Only the text of the changed expression is replaced, so that the two differ in the fault alone. Where whole
    statements are removed or moved, both functions are unparsed from their trees.
    """
    tree = ast.parse(source)
    node = next(node for number, node in enumerate(_nodes(tree)) if number == site.node)
    start, end = _span(_rewritten_part(node), source)
    list(FAULTS[site.fault](node))[site.change](node)
    if site.fault == "flow":
        return ast.unparse(ast.fix_missing_locations(tree)), ast.unparse(ast.parse(source))
    return source[:start] + ast.unparse(ast.fix_missing_locations(_rewritten_part(node))) + source[end:], source


def _rewritten_part(node: ast.AST) -> Any:
    return node.test if isinstance(node, (ast.If, ast.While)) else node


def _span(node: Any, source: str) -> tuple[int, int]:
    """Start and end of a node in the source (of ASCII characters)."""
    lines = [0, *itertools.accumulate(len(line) for line in source.splitlines(keepends=True))]
    return lines[node.lineno - 1] + node.col_offset, lines[node.end_lineno - 1] + node.end_col_offset


def _set_field(field: str, value: object) -> Change:
    return lambda node: setattr(node, field, value)


_BOUNDS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_OPPOSITES = {
    ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


def _boundary(node: ast.AST) -> Iterator[Change]:
    """A limit that is off by one."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _BOUNDS:
        yield _set_field("ops", [_BOUNDS[type(node.ops[0])](), *node.ops[1:]])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        for index in range(min(len(node.args), 2)):
            for step in (-1, 1):
                yield _shift_argument(index, step)
        if len(node.args) == 1:
            yield lambda call: call.args.insert(0, ast.Constant(1))  # type: ignore[attr-defined]
    if isinstance(node, ast.Slice):
        for field in ("lower", "upper"):
            value = getattr(node, field)
            if value is not None:
                yield _set_field(field, _plus(value, 1))
                yield _set_field(field, _plus(value, -1))
    if isinstance(node, ast.Subscript) and _integer(node.slice) is not None:
        yield _set_field("slice", _plus(node.slice, 1))
        yield _set_field("slice", _plus(node.slice, -1))


def _shift_argument(index: int, step: int) -> Change:
    def change(call: ast.AST) -> None:
        assert isinstance(call, ast.Call)
        call.args[index] = _plus(call.args[index], step)

    return change


def _integer(node: ast.AST) -> int | None:
    """The value of an integer literal, with its sign."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _integer(node.operand)
        return None if value is None else -value
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _plus(node: ast.expr, step: int) -> ast.expr:
    """An expression plus a small number, as people write it."""
    value = _integer(node)
    if value is not None:
        return ast.Constant(value + step)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)) and _integer(node.right) is not None:
        total = (1 if isinstance(node.op, ast.Add) else -1) * (_integer(node.right) or 0) + step
        if total == 0:
            return node.left
        return ast.BinOp(node.left, ast.Add() if total > 0 else ast.Sub(), ast.Constant(abs(total)))
    return ast.BinOp(node, ast.Add() if step > 0 else ast.Sub(), ast.Constant(abs(step)))


def _condition(node: ast.AST) -> Iterator[Change]:
    """A condition that is negated, or joined by the wrong operator."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _OPPOSITES:
        yield _set_field("ops", [_OPPOSITES[type(node.ops[0])](), *node.ops[1:]])
    if isinstance(node, ast.BoolOp):
        yield _set_field("op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        if isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not):
            yield _set_field("test", node.test.operand)
        elif not isinstance(node.test, ast.Compare) and not isinstance(node, ast.While):
            yield _set_field("test", ast.UnaryOp(ast.Not(), node.test))


_OPERATORS = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Add,), ast.FloorDiv: (ast.Mod, ast.Mult),
    ast.Mod: (ast.FloorDiv,), ast.Div: (ast.FloorDiv, ast.Mult), ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,),
}  # fmt: skip


def _operator(node: ast.AST) -> Iterator[Change]:
    """A wrong operator."""
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        for other in _OPERATORS.get(type(node.op), ()):
            yield _set_field("op", other())
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        yield lambda line: _become_assign(line)


def _become_assign(line: ast.AST) -> None:
    """`total += n` becomes `total = n`."""
    assert isinstance(line, ast.AugAssign)
    target, value = line.target, line.value
    line.__class__ = ast.Assign  # type: ignore[assignment]
    line.__dict__.clear()
    line.__dict__.update(targets=[target], value=value, lineno=1, col_offset=0)


def _constant(node: ast.AST) -> Iterator[Change]:
    """A wrong number, text or initial value."""
    if not isinstance(node, ast.Constant):
        return
    if type(node.value) is int:
        for other in (node.value + 1, node.value - 1, 10 * node.value):
            yield _set_field("value", other)
    elif type(node.value) is bool:
        yield _set_field("value", not node.value)
    elif isinstance(node.value, str):
        if len(node.value) > 1:
            yield _set_field("value", node.value[:-1])
            yield _set_field("value", node.value[1:])
        if node.value != node.value.swapcase():
            yield _set_field("value", node.value.swapcase())
        yield _set_field("value", {"": " ", " ": "", ",": ";", "-": "_", "_": "-"}.get(node.value, node.value))


def _order(node: ast.AST) -> Iterator[Change]:
    """Two operands, arguments or items that are swapped."""
    if isinstance(node, ast.BinOp):
        yield lambda part: part.__dict__.update(left=part.right, right=part.left)  # type: ignore[attr-defined]
    if isinstance(node, ast.Call) and len(node.args) == 2:
        yield lambda part: part.args.reverse()  # type: ignore[attr-defined]
    if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.ctx, ast.Load):
        yield lambda part: part.elts.reverse()  # type: ignore[attr-defined]
    if isinstance(node, ast.IfExp):
        yield lambda part: part.__dict__.update(body=part.orelse, orelse=part.body)  # type: ignore[attr-defined]


def _flow(node: ast.AST) -> Iterator[Change]:
    """A branch or a step that is missing, or a return that comes too early."""
    for field in ("body", "orelse"):
        lines = getattr(node, field, None)
        if not isinstance(lines, list) or not lines:
            continue
        for index, line in enumerate(lines):
            if isinstance(line, ast.If) and line.orelse:
                yield _replace_statement(field, index, [ast.If(line.test, line.body, [])])
            if len(lines) > 1 and isinstance(line, (ast.If, ast.AugAssign, ast.Expr, ast.Continue, ast.Break)):
                yield _replace_statement(field, index, [])
            before = lines[index - 1] if index else None
            if isinstance(line, ast.Return) and isinstance(before, (ast.For, ast.While)):
                yield _move_return_into_loop(field, index)


def _replace_statement(field: str, index: int, lines: list[ast.stmt]) -> Change:
    def change(node: ast.AST) -> None:
        getattr(node, field)[index : index + 1] = lines

    return change


def _move_return_into_loop(field: str, index: int) -> Change:
    def change(node: ast.AST) -> None:
        line = getattr(node, field).pop(index)
        getattr(node, field)[index - 1].body.append(line)

    return change


_CONFUSED_NAMES = (
    ("min", "max"), ("any", "all"), ("upper", "lower"), ("lstrip", "rstrip"), ("startswith", "endswith"),
    ("find", "rfind"), ("isdigit", "isalpha"), ("isupper", "islower"), ("keys", "values"), ("append", "extend"),
    ("sum", "len"), ("ljust", "rjust"), ("title", "capitalize"), ("partition", "rpartition"), ("index", "count"),
    ("abs", "int"), ("intersection", "union"),
    ("removeprefix", "removesuffix"), ("strip", "lstrip"), ("strip", "rstrip"), ("isalnum", "isalpha"),
)  # fmt: skip


def _call(node: ast.AST) -> Iterator[Change]:
    """The wrong one of two similar functions or methods, or a missing keyword argument."""
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    field = "attr" if isinstance(node, ast.Attribute) else "id"
    for pair in _CONFUSED_NAMES:
        if name in pair:
            yield _set_field(field, pair[1 - pair.index(name)])
    if isinstance(node, ast.Call) and node.keywords:
        yield lambda call: call.keywords.pop()  # type: ignore[attr-defined]
    # Without `sorted`, the order of a set would decide, which differs between processes.
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sorted":
        backwards = ast.keyword("reverse", ast.Constant(True))
        yield lambda call: call.keywords.append(backwards)  # type: ignore[attr-defined]


FAULTS: dict[str, Callable[[ast.AST], Iterator[Change]]] = {
    "boundary": _boundary,
    "condition": _condition,
    "operator": _operator,
    "constant": _constant,
    "order": _order,
    "flow": _flow,
    "call": _call,
}
"""Each kind of fault: what can be changed at a node."""
