"""Slips: faulty variants of honest answers, by which telling tests are chosen.

They are not the faults that `repair` puts into functions and that the benchmark of hidden tests counts
(`repair/faults.py`): those change one operator, number or name for another. Here a part of an expression stands for
the whole, a clause is left out or comes too early, a limit does not hold at one edge, another variable is read, a loop
misses an end, or the right function is asked with another input. Two ideas are in both, since a limit has few ways to
be wrong: a comparison that fails when its sides are equal, and a clause that never holds.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from types import CodeType
from typing import Any

from inoculate.settings.functions.naming import is_constant
from inoculate.settings.functions.running import counted

_EDGES = (-1, 0, 1)
_STEPS = (-2, -0.5, 0.5, 2)
"""By which numbers are off; halves show where a whole step is rounded away."""
_MOST_OTHERS = 3
"""Variables that are read in place of another."""
_EXTREMES = {"min", "max"}
_WRAPPERS = {"abs", "int", "str", "set", "list", "tuple", "reversed", "round", "bool"}


def edge(left: Any, right: Any, apart: int) -> bool:
    """Whether two numbers are exactly so far apart; slips call it by the name `__edge__`."""
    return isinstance(left, int) and isinstance(right, int) and left - right == apart


def variants(tree: ast.Module) -> list[CodeType]:
    """Every slip that can be made in a function, compiled, for `Runner`; the tree is changed."""
    counted(tree)
    return [compile(tree, "<slip>", "exec") for _ in _slipped(tree)]


def _slipped(tree: ast.Module) -> Iterator[None]:
    """Make each slip in the tree itself, and undo it after it was looked at."""
    variables = sorted({name for node in ast.walk(tree) if (name := _variable(node))})
    unordered = any(_makes_set(node) for node in ast.walk(tree))
    for parent in list(ast.walk(tree)):
        for field, value in ast.iter_fields(parent):
            if isinstance(value, ast.expr):
                for other in _expressions(value, field, parent, variables, unordered):
                    setattr(parent, field, _placed(other, value))
                    yield
                setattr(parent, field, value)
            elif isinstance(value, list) and value:
                if isinstance(value[0], ast.stmt):
                    others = _statements(value)
                else:
                    others = _items(value, parent, variables, unordered)
                for lines in others:
                    setattr(parent, field, [_placed(line, value[0]) for line in lines])
                    yield
                setattr(parent, field, value)


def _placed(node: ast.AST, like: ast.AST) -> ast.AST:
    """A node that the text does not have, at the place of another."""
    if "lineno" in node._attributes and not hasattr(node, "lineno"):
        ast.copy_location(node, like)
    return ast.fix_missing_locations(node)


def _variable(node: ast.AST) -> str:
    if isinstance(node, ast.arg):
        return node.arg
    return node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else ""


def _makes_set(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub)):
        return any(isinstance(part, ast.Attribute) and part.attr in ("keys", "items") for part in ast.walk(node))
    return isinstance(node, (ast.Set, ast.SetComp)) or (isinstance(node, ast.Name) and node.id in ("set", "frozenset"))


def _items(values: list[Any], parent: ast.AST, variables: Sequence[str], unordered: bool) -> Iterator[list[Any]]:
    """A list of expressions with one of them changed, or of a comprehension's conditions with one left out."""
    if isinstance(parent, ast.comprehension):
        for place in range(len(values)):
            yield values[:place] + values[place + 1 :]
    for place, value in enumerate(values):
        if isinstance(value, ast.expr):
            for other in _expressions(value, "", parent, variables, unordered):
                yield [*values[:place], other, *values[place + 1 :]]


def _expressions(
    node: ast.expr, field: str, parent: ast.AST, variables: Sequence[str], unordered: bool
) -> Iterator[ast.expr]:
    """What may stand in place of an expression."""
    yield from _parts(node, unordered)
    if isinstance(node, ast.Compare):
        yield from _comparisons(node)
    if field == "test" and isinstance(parent, (ast.If, ast.IfExp, ast.While)):
        yield ast.Constant(False)
        if not isinstance(parent, ast.While):
            yield ast.Constant(True)
    if (isinstance(node, ast.Constant) and type(node.value) is int) or is_constant(node):
        yield from (ast.BinOp(node, ast.Add(), ast.Constant(step)) for step in _STEPS)
        yield ast.BinOp(node, ast.Mult(), ast.Constant(2))
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in variables:
        place = variables.index(node.id)
        others = [*variables[place + 1 :], *variables[:place]]
        yield from (ast.Name(other, ast.Load()) for other in others[:_MOST_OTHERS])
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _is_number(node.slice):
        yield from _others_of(node.value)
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)) and len(node.elts) > 2 and isinstance(parent, ast.Compare):
        yield from (ast.Tuple(node.elts[:at] + node.elts[at + 1 :], ast.Load()) for at in range(len(node.elts)))
    if field == "iter" and isinstance(parent, (ast.For, ast.comprehension)):
        # The order of a set is another in another process: what follows from it must not choose tests.
        yield from () if unordered else _shortened(node)


def _is_number(node: ast.expr) -> bool:
    """Whether it is a whole number as it is written, with its sign."""
    inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    return isinstance(inner, ast.Constant) and type(inner.value) is int


def _others_of(node: ast.expr) -> Iterator[ast.expr]:
    """Other items of a list that may be read in place of one: in the middle, and a third of the way from either end."""
    listed, size = (ast.Call(ast.Name(name, ast.Load()), [node], []) for name in ("list", "len"))
    for part in (2, 3, -3):
        yield ast.Subscript(listed, ast.BinOp(size, ast.FloorDiv(), ast.Constant(part)), ast.Load())


def _shortened(node: ast.expr) -> Iterator[ast.expr]:
    """What a loop goes through, without an end of it, with its first alone, or backwards."""
    listed = ast.Call(ast.Name("list", ast.Load()), [node], [])
    for numbers in ((1, None, None), (None, -1, None), (None, 1, None), (None, None, -1)):
        ends = (None if number is None else ast.Constant(number) for number in numbers)
        yield ast.Subscript(listed, ast.Slice(*ends), ast.Load())


def _parts(node: ast.expr, unordered: bool) -> Iterator[ast.expr]:
    """Parts of an expression that may stand for the whole."""
    if isinstance(node, ast.BinOp):
        yield from (node.left, node.right)
    elif isinstance(node, ast.BoolOp):
        yield from (_joined(node, place) for place in range(len(node.values)))
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


def _joined(node: ast.BoolOp, left_out: int) -> ast.expr:
    rest = [value for place, value in enumerate(node.values) if place != left_out]
    return rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _comparisons(node: ast.Compare) -> Iterator[ast.expr]:
    """A comparison that is wrong at an edge, or that is another; a chain of which a link is left out."""
    sides = [node.left, *node.comparators]
    if len(node.ops) > 1:
        yield ast.Compare(node.left, node.ops[:-1], node.comparators[:-1])
        yield ast.Compare(sides[1], node.ops[1:], node.comparators[1:])
    for place, op in enumerate(node.ops):
        if not isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)):
            continue
        for apart in _EDGES:
            at = ast.Call(ast.Name("__edge__", ast.Load()), [sides[place], sides[place + 1], ast.Constant(apart)], [])
            yield ast.Compare(node, [ast.NotEq()], [at])
        for other in (ast.Lt, ast.GtE) if isinstance(op, (ast.Eq, ast.NotEq)) else (ast.Eq, ast.NotEq):
            yield ast.Compare(node.left, [*node.ops[:place], other(), *node.ops[place + 1 :]], node.comparators)


def _statements(lines: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """Lines with one changed, left out, or before the line that it follows."""
    for place, line in enumerate(lines):
        before, after = lines[:place], lines[place + 1 :]
        if isinstance(line, (ast.Assign, ast.For, ast.While, ast.Return)) and len(lines) > 2:
            yield before + after
        if place and not _is_count(lines[place - 1]):
            yield [*before[:-1], line, before[-1], *after]
        if isinstance(line, ast.AugAssign):
            yield [*before, line, line, *after]
        if isinstance(line, (ast.Break, ast.Continue)):
            yield [*before, ast.Continue() if isinstance(line, ast.Break) else ast.Break(), *after]
        if isinstance(line, ast.If):
            yield from ([*before, other, *after] for other in _clauses(line))


def _is_count(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Call) and isinstance(line.value.func, ast.Name)


def _clauses(line: ast.If) -> Iterator[ast.stmt]:
    """A branch whose clauses come in another order."""
    if len(line.orelse) == 1 and isinstance(second := line.orelse[0], ast.If):
        first = ast.If(line.test, line.body, second.orelse)
        yield ast.If(second.test, second.body, [first])


Given = tuple[Any, ...]
Ask = Callable[[Callable[[Given], Any], Given], Any]
"""Asks a right function, wrongly."""


def _changed(change: Callable[[Any], Any]) -> Ask:
    return lambda right, given: right(tuple(map(change, given)))


def _unless(special: Callable[[Given, Any], bool]) -> Ask:
    """Right, but for special cases."""

    def ask(right: Callable[[Given], Any], given: Given) -> Any:
        found = right(given)
        return _NOTHING if special(given, found) else found

    return ask


_NOTHING = object()


def _of(kind: type, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: change(value) if type(value) is kind else value


def _distinct(items: list[Any]) -> list[Any]:
    return [item for place, item in enumerate(items) if item not in items[:place]]


def _empty(value: Any) -> bool:
    return isinstance(value, (str, list, dict, tuple)) and not value


def _within(value: Any) -> list[Any]:
    """The items of a list or the characters of a text."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple, str)) else []


ASKED: tuple[Ask, ...] = (
    _changed(_of(list, _distinct)),
    _changed(_of(list, lambda items: items[::-1])),
    _changed(_of(list, lambda items: items[1:])),
    _changed(_of(list, lambda items: items[:-1])),
    _changed(_of(str, lambda text: text[1:])),
    _changed(_of(str, lambda text: text[:-1])),
    _changed(_of(str, str.lower)),
    _changed(_of(str, str.strip)),
    _changed(_of(str, lambda text: re.sub("(?<![0-9])0+([0-9])", r"\1", text))),
    _changed(_of(int, abs)),
    _changed(_of(int, lambda number: number + 1)),
    _changed(_of(int, lambda number: number - 1)),
    lambda right, given: right(given[::-1]),
    _unless(lambda given, found: any(map(_empty, given))),
    _unless(lambda given, found: not found),
    _unless(lambda given, found: 0 in given),
    _unless(lambda given, found: len(given) > 1 and given[0] == given[1]),
    _unless(lambda given, found: any(len(_within(value)) == 1 for value in given)),
    _unless(lambda given, found: any(type(n) is int and n < 0 for value in given for n in (value, *_within(value)))),
    _unless(lambda given, found: found in given),
)
"""Slips that do not depend on how the function is written."""
