"""Finds vacuous statements of a test, with messages that say how to write them instead.

Only what the source shows: an assert that holds whatever the solution does, one that is never reached, one whose
failure is caught, a comparison whose value is not used.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from inoculate.grading.runner_calls import FUNCTIONS, is_main_guard

_PREDICATES = {"isinstance", "issubclass", "all", "any", "isclose", "callable", "hasattr"}
_TRUE_OBJECTS = {"map", "filter", "zip", "iter", "enumerate", "reversed", "type", "repr"}
"""Builtins whose result is true for any arguments."""
_CATCHING = {"AssertionError", "Exception", "BaseException"}
_EXITS = {"exit", "quit", "sys.exit", "os._exit"}
_EXPECTING = ("raises", "warns", "suppress")
"""In the name of a context manager that expects an exception: a comparison in it need not be checked."""
CHECK_PREFIXES = ("assert", "fail", "check", "verify", "expect", "debug", "validate", "ensure")
"""Prefixes of functions that can fail a test."""
_LEAVING = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_Block = Sequence[ast.stmt]


def find_fault(body: _Block, root: str) -> str:
    """What is wrong with the first vacuous statement of a block; empty where there is none.

    Args:
        body: Statements that are executed; functions defined in it are blocks of their own.
        root: The name that the tests are about.
    """
    for block in _blocks(body):
        if fault := _unreachable_assert(block):
            return fault
    for statement, expects_exception in _statements(body):
        place = _Place(statement, expects_exception, root, body)
        for check in _CHECKS:
            if fault := check(place):
                return fault
    return ""


@dataclass(frozen=True)
class _Place:
    """A statement and its context."""

    statement: ast.stmt
    expects_exception: bool
    """Whether an exception is expected there."""
    root: str
    body: _Block


def asserts(node: ast.AST) -> Iterator[ast.AST]:
    """The asserts in a part of a test, including those of unittest's methods."""
    for part in ast.walk(node):
        if isinstance(part, ast.Assert) or (isinstance(part, ast.Call) and _last_name(part.func).startswith("assert")):
            yield part


def is_comparison(node: ast.expr | None) -> bool:
    """Whether an expression only computes whether something holds."""
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BoolOp(values=values):
            return all(map(is_comparison, values))
        case ast.Tuple(elts=[first, *_]):
            return is_comparison(first)
        case ast.Call(func=function):
            return ast.unparse(function) in _PREDICATES | {"math.isclose"}
    return False


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _blocks(body: _Block) -> Iterator[_Block]:
    """The block and those in its statements; not those of functions, which run when they are called."""
    yield body
    for statement in body:
        if not isinstance(statement, FUNCTIONS):
            for inner in _inner_blocks(statement):
                yield from _blocks(inner)


def _inner_blocks(statement: ast.AST) -> Iterator[_Block]:
    for name in ("body", "orelse", "finalbody"):
        if inner := getattr(statement, name, None):
            yield inner
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body


def _statements(body: _Block, expects_exception: bool = False) -> Iterator[tuple[ast.stmt, bool]]:
    """Each statement, and whether an exception is expected there."""
    for statement in body:
        yield statement, expects_exception
        if isinstance(statement, FUNCTIONS):
            continue
        for inner in _inner_blocks(statement):
            tried = isinstance(statement, ast.Try) and inner is statement.body and bool(statement.handlers)
            yield from _statements(inner, expects_exception or tried or _expects_exception(statement))


def _expects_exception(statement: ast.stmt) -> bool:
    if not isinstance(statement, (ast.With, ast.AsyncWith)):
        return False
    names = [_last_name(call.func).lower() for item in statement.items for call in ast.walk(item)
             if isinstance(call, ast.Call)]  # fmt: skip
    return any(word in name for name in names for word in _EXPECTING)


def _unreachable_assert(block: _Block) -> str:
    for number, statement in enumerate(block):
        where, unreachable = "under", list[ast.stmt]()
        if isinstance(statement, _LEAVING):
            where, unreachable = "after", list(block[number + 1 :])
        elif isinstance(statement, (ast.If, ast.While)):
            if is_false(statement.test):
                unreachable = statement.body
            elif is_true(statement.test):
                where, unreachable = "in the else of", statement.orelse
        elif isinstance(statement, (ast.For, ast.AsyncFor)) and is_false(statement.iter):
            unreachable = statement.body
        if any(True for part in unreachable for _ in asserts(part)):
            first_line = ast.unparse(statement).partition("\n")[0]
            return f"has an assert {where} `{first_line[:80]}`, which is never reached: move it to where it is"
    return ""


def _assert(place: _Place) -> str:
    statement, root = place.statement, place.root
    if isinstance(statement, ast.Assert):
        return _vacuous_claim(statement.test, statement.msg, root)
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
        return ""
    if call.func.attr in ("assertTrue", "assert_") and call.args:
        return _vacuous_claim(call.args[0], call.args[1] if len(call.args) > 1 else None, root)
    if call.func.attr in ("assertRaises", "raises") and len(call.args) + len(call.keywords) == 1:
        return f"names an exception and runs nothing: `with {ast.unparse(call)}:` and the call under it"
    return ""


def _vacuous_claim(test: ast.expr, message: ast.expr | None, root: str) -> str:
    """What is wrong with an asserted expression; empty if nothing is."""
    if isinstance(test, ast.Tuple) and test.elts:
        correct = ", ".join(ast.unparse(part) for part in test.elts[:2])
        return f"is an assert on a tuple, which is true whatever the solution does: write `assert {correct}`"
    if isinstance(test, ast.Constant) and isinstance(test.value, str) and test.value:
        return f"is an assert on a string, which is true whatever the solution does: write `assert {test.value[:80]}`"
    if is_true(test):
        return (
            f"asserts `{ast.unparse(test)[:80]}`, which is true whatever the solution does: write what a call should "
            f"return, such as `assert {root}(1) == 2`"
        )
    if _is_itself(test, root):
        return f"checks '{root}' itself and not an answer of it: write `assert {root}(...) == ...`"
    is_value = message is not None and not _is_text(message)
    if is_value and _starts_at(test, root):
        value, call = ast.unparse(message)[:40], ast.unparse(test)[:80]  # type: ignore[arg-type]
        return f"compares nothing: the {value} after the comma is a message; write `assert {call} == {value}`"
    return ""


def _is_itself(test: ast.expr, root: str) -> bool:
    """Whether an assert is about the entry point, uncalled: `f`, `f != 9`, `f is not None`; not `type(P(1)) is P`."""
    sides = [test.left, *test.comparators] if isinstance(test, ast.Compare) else [test]
    others = [side for side in sides if not (isinstance(side, ast.Name) and side.id == root)]
    names = {node.id for side in others for node in ast.walk(side) if isinstance(node, ast.Name)}
    return len(others) < len(sides) and root not in names


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    return not isinstance(node, (ast.List, ast.Tuple, ast.Dict, ast.Set, ast.UnaryOp))


def _starts_at(node: ast.expr, root: str) -> bool:
    """Whether an expression is a call of the entry point or a part of its answer."""
    called = False
    while isinstance(node, (ast.Call, ast.Attribute, ast.Subscript)):
        called |= isinstance(node, ast.Call)
        node = node.func if isinstance(node, ast.Call) else node.value
    return called and isinstance(node, ast.Name) and node.id == root


def _comparison(place: _Place) -> str:
    statement = place.statement
    if place.expects_exception or not (isinstance(statement, ast.Expr) and is_comparison(statement.value)):
        return ""
    comparison = ast.unparse(statement.value).strip("()")[:80]
    return f"has a comparison that is not checked: write `assert {comparison}`"


def _guard(place: _Place) -> str:
    if not is_main_guard(place.statement):
        return ""
    return 'has tests under `if __name__ == "__main__":`, which are not run here: move them out of it'


def _swallowed(place: _Place) -> str:
    statement = place.statement
    if isinstance(statement, (ast.With, ast.AsyncWith)):
        hides = any(
            isinstance(call, ast.Call) and _last_name(call.func) == "suppress" and any(map(_catches, call.args))
            for item in statement.items
            for call in ast.walk(item)
        )
    elif isinstance(statement, ast.Try):
        handler = next((each for each in statement.handlers if each.type is None or _catches(each.type)), None)
        hides = handler is not None and not any(map(_reports, ast.walk(handler)))
    else:
        return ""
    if not hides or _is_used_elsewhere(place) or not any(True for part in statement.body for _ in asserts(part)):
        return ""
    return (
        "has an assert whose failure is caught and ignored: catch only the expected exception, and put the assert "
        "after it or under `else:`"
    )


def _is_used_elsewhere(place: _Place) -> bool:
    """Whether a name that a statement changes is checked elsewhere, such as a count of passed asserts."""
    inside = {id(part) for part in ast.walk(place.statement)}
    changed = _names(place.statement, ast.Store)
    for part in ast.walk(place.statement):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            changed += _names(part.func.value, ast.Load)  # `failures.append(...)`
    checking = (ast.Assert, ast.If, ast.Raise, ast.Return)
    checked = [
        part
        for statement in place.body
        for outer in ast.walk(statement)
        if isinstance(outer, checking) and id(outer) not in inside
        for part in _names(outer, ast.Load)
        if id(part) not in inside
    ]
    return bool({name.id for name in checked} & {name.id for name in changed})


def _names(node: ast.AST, context: type[ast.expr_context]) -> list[ast.Name]:
    return [part for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, context)]


def _catches(node: ast.expr) -> bool:
    kinds = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(_last_name(kind) in _CATCHING for kind in kinds)


def _reports(node: ast.AST) -> bool:
    """Whether a part of an exception handler reports a failure."""
    match node:
        case ast.Raise() | ast.Assert():
            return True
        case ast.Return(value=value):
            return value is not None
        case ast.Call(func=function):
            return ast.unparse(function) in _EXITS or _last_name(function).lower().startswith(CHECK_PREFIXES)
    return False


_CHECKS: tuple[Callable[[_Place], str], ...] = (_guard, _assert, _comparison, _swallowed)


def find_exit(body: _Block) -> str:
    """What is wrong with a test that exits the process itself; empty where it does not."""
    for statement in body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            name = ast.unparse(statement.value.func)
            if name in _EXITS:
                return f"ends by `{name}`, and so fails whatever the solution does: leave that out"
    return ""


def is_true(node: ast.expr) -> bool:
    """Whether an expression is true for any values of its parts."""
    match node:
        case ast.Constant(value=value):
            return bool(value)
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return any(not isinstance(part, ast.Starred) for part in parts)
        case ast.Dict(keys=keys):
            return any(key is not None for key in keys)
        case ast.JoinedStr(values=parts):
            return any(isinstance(part, ast.Constant) and part.value for part in parts)
        case ast.Lambda() | ast.GeneratorExp():
            return True
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(map(is_true, values)) or _covers_all(values)
        case ast.BoolOp(values=values):
            return all(map(is_true, values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return is_false(operand)
        case ast.IfExp(test=test, body=one, orelse=other):
            return (is_false(test) or is_true(one)) and (is_true(test) or is_true(other))
        case ast.NamedExpr(value=value):
            return is_true(value)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if _is_decided(left, op, right):
            return True
        case ast.Compare(left=ast.Call(func=ast.Name(id="len" | "abs")), ops=[op], comparators=[ast.Constant(value=0)]):
            return isinstance(op, ast.GtE)
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, ast.Name(id="object")]):
            return True
        case ast.Call(func=ast.Name(id="all"), args=[ast.GeneratorExp() | ast.ListComp() as over], keywords=[]):
            return is_true(over.elt) or _is_over_nothing(over)
        case ast.Call(func=ast.Name(id="all"), args=[over], keywords=[]):
            return is_false(over)
        case ast.Call(func=ast.Name(id="any"), args=[ast.List(elts=parts) | ast.Tuple(elts=parts)], keywords=[]):
            return any(map(is_true, parts))
        case ast.Name(id="__debug__"):
            return True
        case ast.Call(func=ast.Name(id=name), args=[_, *_]):
            return name in _TRUE_OBJECTS
    return False


def is_false(node: ast.expr) -> bool:
    """Whether an expression is false or empty for any values of its parts."""
    match node:
        case ast.Constant(value=value):
            return not value
        case ast.Tuple(elts=[]) | ast.List(elts=[]) | ast.Dict(keys=[]):
            return True
        case ast.Call(func=ast.Name(id="list" | "tuple" | "dict" | "set" | "str"), args=[], keywords=[]):
            return True
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=0)]):
            return True
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return is_true(operand)
        case ast.BoolOp(op=ast.And(), values=values):
            return any(map(is_false, values))
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return not isinstance(node, ast.GeneratorExp) and _is_over_nothing(node)
        case ast.Call(func=ast.Name(id="any" | "sum"), args=[ast.GeneratorExp() | ast.ListComp() as over], keywords=[]):
            return _is_over_nothing(over)
    return False


_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.Lt: ast.GtE, ast.Gt: ast.LtE, ast.Is: ast.IsNot, ast.In: ast.NotIn,
}  # fmt: skip


def _covers_all(values: Sequence[ast.expr]) -> bool:
    """Whether one of the values is the denial of another: `x or not x`, `x == 9 or x != 9`."""
    texts = {ast.unparse(value) for value in values}
    for value in values:
        match value:
            case ast.UnaryOp(op=ast.Not(), operand=operand) if ast.unparse(operand) in texts:
                return True
            case ast.Compare(left=left, ops=[op], comparators=right) if type(op) in _OPPOSITE:
                if ast.unparse(ast.Compare(left, [_OPPOSITE[type(op)]()], right)) in texts:
                    return True
    return False


def _is_over_nothing(node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> bool:
    """Whether a comprehension goes over nothing."""
    return is_false(node.generators[0].iter)


def _is_decided(left: ast.expr, op: ast.cmpop, right: ast.expr) -> bool:
    """Whether a comparison holds for any values: of constants, of two empty lists, of a truth with both truths."""
    if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
        return isinstance(op, ast.Eq | ast.Is) and (type(left.value), left.value) == (type(right.value), right.value)
    if isinstance(op, ast.Eq) and is_false(left) and is_false(right):
        return isinstance(left, ast.List | ast.ListComp) and isinstance(right, ast.List | ast.ListComp)
    truths = {part.value for part in getattr(right, "elts", []) if isinstance(part, ast.Constant)}
    return isinstance(op, ast.In) and isinstance(left, ast.Compare) and truths >= {True, False}
