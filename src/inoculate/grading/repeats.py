"""Whether a test claims nothing that other tests do not claim, whatever way it is written."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from inoculate.grading.parsing import parse

Values = dict[str, ast.expr]
"""What names stand for."""


def repeats(test: str, others: Sequence[str]) -> bool:
    """Whether a test claims nothing that others do not claim, judging by syntax trees, without spacing and messages.

    A comparison of a call with itself, and that the entry point is callable, are no claims. Names for values and loops
    over written items are written out before: `x = f(3)`, `for x, y in [(3, 9)]`, `check(f)`.
    """
    claimed = {claim for other in others for claim in _claims(_written_out(parse(other).body))}
    return set(_claims(_written_out(parse(test).body))) <= claimed


def _written_out(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Statements with values in place of the names for them, as far as each name means one thing."""
    values: Values = {}
    result: list[ast.stmt] = []
    for at, statement in enumerate(body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if all(
                isinstance(each, (ast.Assign, ast.Assert)) for each in body[at:]
            ):
                values[name] = _Replaced(values).visit(value)
            case ast.Expr(value=ast.Call(func=ast.Name(id="check"))):
                continue
            case _:
                result += _repeated(statement, values, body[at:])
    return result


def _repeated(statement: ast.stmt, values: Values, body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """A statement for each written item that it is repeated for."""
    match statement:
        case ast.For(target=target, iter=over, body=inner) if all(isinstance(each, ast.Assert) for each in inner):
            rows = _rows(target, over)
        case ast.Assert(test=ast.Call(func=ast.Name(id="all"), args=[ast.GeneratorExp(elt=claim, generators=[each])])):
            inner, rows = [ast.Assert(claim)], [] if each.ifs else _rows(each.target, each.iter)
        case ast.FunctionDef(name="check", args=ast.arguments(args=[ast.arg(arg=name)]), body=inner):
            calls = (each.value for each in body if isinstance(each, ast.Expr))
            rows = [{name: call.args[0]} for call in calls if isinstance(call, ast.Call) and len(call.args) == 1]
        case _:
            return [_Replaced(values).visit(statement)]
    if not rows:
        return [statement]
    text = ast.unparse(ast.Module(list(inner), []))
    return [_Replaced(values | row).visit(each) for row in rows for each in parse(text).body]


def _rows(target: ast.expr, over: ast.expr) -> list[Values]:
    """For each written item of a loop what its names stand for; empty where that cannot be told."""
    items = over.elts if isinstance(over, (ast.List, ast.Tuple)) else []
    if isinstance(target, ast.Name):
        return [{target.id: item} for item in items]
    names = [part.id for part in ast.walk(target) if isinstance(part, ast.Name)]
    parts = [item.elts for item in items if isinstance(item, (ast.Tuple, ast.List)) and len(item.elts) == len(names)]
    return [dict(zip(names, each, strict=True)) for each in parts] if len(parts) == len(items) else []


class _Replaced(ast.NodeTransformer):
    """Writes values in place of names."""

    def __init__(self, values: Values) -> None:
        self.values = dict(values)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.values.get(node.id, node) if isinstance(node.ctx, ast.Load) else node

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        self.values[node.target.id] = self.visit(node.value)
        return self.values[node.target.id]


def _claims(body: Sequence[ast.stmt]) -> Iterator[Hashable]:
    for statement in body:
        match statement:
            case ast.FunctionDef(name=name, body=inner) if name.lower().startswith("test"):
                yield from _claims(_written_out(inner))
            case ast.ClassDef(name=name, body=inner, bases=bases) if name.lower().startswith("test") or bases:
                yield from _claims(inner)
            case ast.Assert(test=ast.BoolOp(op=ast.And(), values=parts)):
                yield from _claims([ast.Assert(part) for part in parts])
            case ast.Assert(test=ast.UnaryOp(op=ast.Not(), operand=ast.Compare(ops=[ast.NotEq()]) as test)):
                yield from _claims([ast.Assert(ast.Compare(test.left, [ast.Eq()], test.comparators))])
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="assertTrue"), args=[test, *_])):
                yield from _claims([ast.Assert(test)])
            case ast.Assert(test=ast.Compare(left=left, ops=[ast.GtE() | ast.LtE()], comparators=[right])) if (
                _comparable(left) == _comparable(right)
            ):
                continue
            case ast.Assert(test=ast.Compare(left=left, ops=[ast.In()], comparators=[ast.List(elts=[right])])):
                yield from _claims([ast.Assert(ast.Compare(left, [ast.Eq()], [right]))])
            case (
                ast.Assert(test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]))
                | ast.Expr(value=ast.Call(func=ast.Attribute(attr="assertEqual"), args=[left, right, *_]))
            ):
                if _comparable(left) != _comparable(right):
                    yield frozenset((_comparable(left), _comparable(right)))
            case ast.Assert(test=ast.Call(func=ast.Name(id="callable"), args=[ast.Name()])):
                continue
            case ast.Assert(test=test):
                yield _comparable(test)
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
                continue
            case _:
                yield _comparable(statement)


def _comparable(node: Any) -> Hashable:
    """A syntax tree as a value that can be compared; not `ast.dump`, which fails for the largest numbers."""
    if isinstance(node, (ast.BinOp, ast.UnaryOp)):
        node = _folded(node)
    if isinstance(node, ast.Constant):
        return type(node.value), node.value
    if isinstance(node, ast.AST):
        return type(node), *(_comparable(value) for _, value in ast.iter_fields(node))
    return tuple(map(_comparable, node)) if isinstance(node, list) else node


def _folded(node: ast.expr) -> ast.expr:
    """The result of arithmetic with constants (`4` for `2 + 2`), as far as Python's compiler evaluates it."""
    code = compile(ast.Expression(node), "test", "eval")
    return node if code.co_names or len(code.co_consts) != 1 else ast.Constant(code.co_consts[0])
