"""Mutants of honest answers; hidden tests are chosen by which of them they kill.

These mutation operators are not those of `repair/faults.py`, which `repair` and the benchmark of hidden tests use:
those replace one operator, number or name by another. Here a part of an expression replaces the whole, a clause is left
out or comes too early, a limit is wrong at one edge, another variable is read, a loop misses its first or last item, or
the right function is called with other arguments. Two ideas are in both, since a limit has few ways to be wrong: a
comparison that fails when its sides are equal, and a clause that never holds.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from types import CodeType
from typing import Any

from inoculate.settings.functions.constants import is_constant_name
from inoculate.settings.functions.runner import Arguments, add_step_counter

_EDGES = (-1, 0, 1)
_OFFSETS = (-2, -0.5, 0.5, 2)
"""Added to numbers; halves show where a whole number is rounded away."""
_MAX_OTHER_VARIABLES = 3
"""Variables that are read in place of another."""
_EXTREMES = {"min", "max"}
_WRAPPERS = {"abs", "int", "str", "set", "list", "tuple", "reversed", "round", "bool"}


def differ_by(left: Any, right: Any, difference: int) -> bool:
    """Whether two integers differ by exactly this much; mutants call it as `__differ_by__`."""
    return isinstance(left, int) and isinstance(right, int) and left - right == difference


def make_mutants(tree: ast.Module) -> list[CodeType]:
    """Every mutant of a function, compiled, for `Runner`; the tree is changed."""
    add_step_counter(tree)
    return [compile(tree, "<mutant>", "exec") for _ in _mutate(tree)]


def _mutate(tree: ast.Module) -> Iterator[None]:
    """Make each mutation in the tree itself, yield, and undo it."""
    variables = sorted({name for node in ast.walk(tree) if (name := _assigned_name(node))})
    unordered = any(_makes_set(node) for node in ast.walk(tree))
    for parent in list(ast.walk(tree)):
        for field, value in ast.iter_fields(parent):
            if isinstance(value, ast.expr):
                for other in _mutated_expressions(value, field, parent, variables, unordered):
                    setattr(parent, field, _with_location(other, value))
                    yield
                setattr(parent, field, value)
            elif isinstance(value, list) and value:
                if isinstance(value[0], ast.stmt):
                    others = _mutated_statements(value)
                else:
                    others = _mutated_lists(value, parent, variables, unordered)
                for nodes in others:
                    setattr(parent, field, [_with_location(node, value[0]) for node in nodes])
                    yield
                setattr(parent, field, value)


def _with_location(node: ast.AST, neighbour: ast.AST) -> ast.AST:
    """A new node, with the location of another in the source."""
    if "lineno" in node._attributes and not hasattr(node, "lineno"):
        ast.copy_location(node, neighbour)
    return ast.fix_missing_locations(node)


def _assigned_name(node: ast.AST) -> str:
    if isinstance(node, ast.arg):
        return node.arg
    return node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else ""


def _makes_set(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub)):
        return any(isinstance(part, ast.Attribute) and part.attr in ("keys", "items") for part in ast.walk(node))
    return isinstance(node, (ast.Set, ast.SetComp)) or (isinstance(node, ast.Name) and node.id in ("set", "frozenset"))


def _mutated_lists(
    values: list[Any], parent: ast.AST, variables: Sequence[str], unordered: bool
) -> Iterator[list[Any]]:
    """A list of expressions with one of them mutated; conditions of a comprehension with one left out."""
    if isinstance(parent, ast.comprehension):
        for index in range(len(values)):
            yield values[:index] + values[index + 1 :]
    for index, value in enumerate(values):
        if isinstance(value, ast.expr):
            for other in _mutated_expressions(value, "", parent, variables, unordered):
                yield [*values[:index], other, *values[index + 1 :]]


def _mutated_expressions(
    node: ast.expr, field: str, parent: ast.AST, variables: Sequence[str], unordered: bool
) -> Iterator[ast.expr]:
    """Replacements for an expression."""
    yield from _subexpressions(node, unordered)
    if isinstance(node, ast.Compare):
        yield from _mutated_comparisons(node)
    if field == "test" and isinstance(parent, (ast.If, ast.IfExp, ast.While)):
        yield ast.Constant(False)
        if not isinstance(parent, ast.While):
            yield ast.Constant(True)
    if (isinstance(node, ast.Constant) and type(node.value) is int) or is_constant_name(node):
        yield from (ast.BinOp(node, ast.Add(), ast.Constant(offset)) for offset in _OFFSETS)
        yield ast.BinOp(node, ast.Mult(), ast.Constant(2))
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in variables:
        index = variables.index(node.id)
        others = [*variables[index + 1 :], *variables[:index]]
        yield from (ast.Name(other, ast.Load()) for other in others[:_MAX_OTHER_VARIABLES])
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _is_integer(node.slice):
        yield from _other_items(node.value)
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)) and len(node.elts) > 2 and isinstance(parent, ast.Compare):
        yield from (ast.Tuple(node.elts[:at] + node.elts[at + 1 :], ast.Load()) for at in range(len(node.elts)))
    if field == "iter" and isinstance(parent, (ast.For, ast.comprehension)):
        # The order of a set differs between processes, and must not decide which tests are chosen.
        yield from () if unordered else _sliced(node)


def _is_integer(node: ast.expr) -> bool:
    """Whether a node is an integer literal, with or without a sign."""
    inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    return isinstance(inner, ast.Constant) and type(inner.value) is int


def _other_items(node: ast.expr) -> Iterator[ast.expr]:
    """Other items of a list to read in place of one: in the middle, and a third of the way from either end."""
    listed, size = (ast.Call(ast.Name(name, ast.Load()), [node], []) for name in ("list", "len"))
    for part in (2, 3, -3):
        yield ast.Subscript(listed, ast.BinOp(size, ast.FloorDiv(), ast.Constant(part)), ast.Load())


def _sliced(node: ast.expr) -> Iterator[ast.expr]:
    """The iterable of a loop without its first or last item, with the first item alone, or reversed."""
    listed = ast.Call(ast.Name("list", ast.Load()), [node], [])
    for numbers in ((1, None, None), (None, -1, None), (None, 1, None), (None, None, -1)):
        ends = (None if number is None else ast.Constant(number) for number in numbers)
        yield ast.Subscript(listed, ast.Slice(*ends), ast.Load())


def _subexpressions(node: ast.expr, unordered: bool) -> Iterator[ast.expr]:
    """Parts of an expression that may replace the whole."""
    if isinstance(node, ast.BinOp):
        yield from (node.left, node.right)
    elif isinstance(node, ast.BoolOp):
        yield from (_without_operand(node, index) for index in range(len(node.values)))
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and isinstance(node.ctx, ast.Load):
        yield node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield node.func.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
        if node.func.id == "__power__" or (node.func.id in _EXTREMES and len(node.args) > 1):
            yield from node.args
        elif node.func.id in _WRAPPERS or (node.func.id == "sorted" and not unordered):
            yield node.args[0]


def _without_operand(node: ast.BoolOp, left_out: int) -> ast.expr:
    rest = [value for index, value in enumerate(node.values) if index != left_out]
    return rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _mutated_comparisons(node: ast.Compare) -> Iterator[ast.expr]:
    """A comparison that is wrong at an edge, or with another operator; a chain of comparisons without one of them."""
    sides = [node.left, *node.comparators]
    if len(node.ops) > 1:
        yield ast.Compare(node.left, node.ops[:-1], node.comparators[:-1])
        yield ast.Compare(sides[1], node.ops[1:], node.comparators[1:])
    for index, op in enumerate(node.ops):
        if not isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)):
            continue
        for difference in _EDGES:
            operands = [sides[index], sides[index + 1], ast.Constant(difference)]
            yield ast.Compare(node, [ast.NotEq()], [ast.Call(ast.Name("__differ_by__", ast.Load()), operands, [])])
        for other in (ast.Lt, ast.GtE) if isinstance(op, (ast.Eq, ast.NotEq)) else (ast.Eq, ast.NotEq):
            yield ast.Compare(node.left, [*node.ops[:index], other(), *node.ops[index + 1 :]], node.comparators)


def _mutated_statements(statements: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """A block with one statement changed, left out, or before the one that it follows."""
    for index, statement in enumerate(statements):
        before, after = statements[:index], statements[index + 1 :]
        if isinstance(statement, (ast.Assign, ast.For, ast.While, ast.Return)) and len(statements) > 2:
            yield before + after
        if index and not _is_step(statements[index - 1]):
            yield [*before[:-1], statement, before[-1], *after]
        if isinstance(statement, ast.AugAssign):
            yield [*before, statement, statement, *after]
        if isinstance(statement, (ast.Break, ast.Continue)):
            yield [*before, ast.Continue() if isinstance(statement, ast.Break) else ast.Break(), *after]
        if isinstance(statement, ast.If):
            yield from ([*before, other, *after] for other in _swapped_clauses(statement))


def _is_step(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name)


def _swapped_clauses(node: ast.If) -> Iterator[ast.stmt]:
    """An `if` whose first two clauses are swapped."""
    if len(node.orelse) == 1 and isinstance(second := node.orelse[0], ast.If):
        first = ast.If(node.test, node.body, second.orelse)
        yield ast.If(second.test, second.body, [first])


WrongCall = Callable[[Callable[[Arguments], Any], Arguments], Any]
"""Calls a right function with other arguments, or changes its result."""


def _with_changed(change: Callable[[Any], Any]) -> WrongCall:
    return lambda right, arguments: right(tuple(map(change, arguments)))


def _except_for(is_special: Callable[[Arguments, Any], bool]) -> WrongCall:
    """Right except in special cases."""

    def call(right: Callable[[Arguments], Any], arguments: Arguments) -> Any:
        result = right(arguments)
        return _NO_RESULT if is_special(arguments, result) else result

    return call


_NO_RESULT = object()


def _if_type(kind: type, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: change(value) if type(value) is kind else value


def _without_repeats(items: list[Any]) -> list[Any]:
    return [item for index, item in enumerate(items) if item not in items[:index]]


def _is_empty(value: Any) -> bool:
    return isinstance(value, (str, list, dict, tuple)) and not value


def _items(value: Any) -> list[Any]:
    """The items of a list or the characters of a string."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple, str)) else []


WRONG_CALLS: tuple[WrongCall, ...] = (
    _with_changed(_if_type(list, _without_repeats)),
    _with_changed(_if_type(list, lambda items: items[::-1])),
    _with_changed(_if_type(list, lambda items: items[1:])),
    _with_changed(_if_type(list, lambda items: items[:-1])),
    _with_changed(_if_type(str, lambda text: text[1:])),
    _with_changed(_if_type(str, lambda text: text[:-1])),
    _with_changed(_if_type(str, str.lower)),
    _with_changed(_if_type(str, str.strip)),
    _with_changed(_if_type(str, lambda text: re.sub("(?<![0-9])0+([0-9])", r"\1", text))),
    _with_changed(_if_type(int, abs)),
    _with_changed(_if_type(int, lambda number: number + 1)),
    _with_changed(_if_type(int, lambda number: number - 1)),
    lambda right, arguments: right(arguments[::-1]),
    _except_for(lambda arguments, result: any(map(_is_empty, arguments))),
    _except_for(lambda arguments, result: not result),
    _except_for(lambda arguments, result: 0 in arguments),
    _except_for(lambda arguments, result: len(arguments) > 1 and arguments[0] == arguments[1]),
    _except_for(lambda arguments, result: any(len(_items(value)) == 1 for value in arguments)),
    _except_for(
        lambda arguments, result: any(type(n) is int and n < 0 for value in arguments for n in (value, *_items(value)))
    ),
    _except_for(lambda arguments, result: result in arguments),
)
"""Mutants that do not depend on how the function is written."""
