"""Statements of a test that test nothing, each in words that say how to write it instead.

Only what shows in the text is called so: an assert that holds whatever the solution does, one that is never reached,
one whose failure is swallowed, a comparison whose value nobody looks at.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from inoculate.grading.uncalled import FUNCTIONS, is_main_guard

_PREDICATES = {"isinstance", "issubclass", "all", "any", "isclose", "callable", "hasattr"}
_TRUE_OBJECTS = {"map", "filter", "zip", "iter", "enumerate", "reversed", "type", "repr"}
"""Builtins whose answer is true, whatever they are given."""
_CATCHING = {"AssertionError", "Exception", "BaseException"}
_EXITS = {"exit", "quit", "sys.exit", "os._exit"}
_EXPECTING = ("raises", "warns", "suppress")
"""In the name of a context that waits for an exception: what stands in it need not be looked at."""
CHECKING = ("assert", "fail", "check", "verify", "expect", "debug", "validate", "ensure")
"""How the names of what may fail a test begin."""
_LEAVING = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_Block = Sequence[ast.stmt]


def find(body: _Block, root: str) -> str:
    """What is wrong with the first statement of a block that tests nothing; empty where none is.

    Args:
        body: Statements that are carried out; functions defined in it are blocks of their own.
        root: The name that the tests are about.
    """
    for block in _blocks(body):
        if words := _dead(block):
            return words
    for statement, waited in _statements(body):
        place = _Place(statement, waited, root, body)
        for look in _LOOKS:
            if words := look(place):
                return words
    return ""


@dataclass(frozen=True)
class _Place:
    """A statement and where it stands."""

    statement: ast.stmt
    waited: bool
    """Whether an exception is waited for there."""
    root: str
    body: _Block


def asserts(node: ast.AST) -> Iterator[ast.AST]:
    """The asserts in a part of a test, those of unittest's methods among them."""
    for part in ast.walk(node):
        if isinstance(part, ast.Assert) or (isinstance(part, ast.Call) and _last_name(part.func).startswith("assert")):
            yield part


def is_comparison(node: ast.expr | None) -> bool:
    """Whether an expression only says whether something holds."""
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
    """The block and those in its statements; not those of functions, which are carried out when called."""
    yield body
    for statement in body:
        if not isinstance(statement, FUNCTIONS):
            for inner in _inner(statement):
                yield from _blocks(inner)


def _inner(statement: ast.AST) -> Iterator[_Block]:
    for name in ("body", "orelse", "finalbody"):
        if inner := getattr(statement, name, None):
            yield inner
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body


def _statements(body: _Block, waited: bool = False) -> Iterator[tuple[ast.stmt, bool]]:
    """Each statement, and whether an exception is waited for where it stands."""
    for statement in body:
        yield statement, waited
        if isinstance(statement, FUNCTIONS):
            continue
        for inner in _inner(statement):
            tried = isinstance(statement, ast.Try) and inner is statement.body and bool(statement.handlers)
            yield from _statements(inner, waited or tried or _expects(statement))


def _expects(statement: ast.stmt) -> bool:
    if not isinstance(statement, (ast.With, ast.AsyncWith)):
        return False
    names = [_last_name(call.func).lower() for item in statement.items for call in ast.walk(item)
             if isinstance(call, ast.Call)]  # fmt: skip
    return any(word in name for name in names for word in _EXPECTING)


def _dead(block: _Block) -> str:
    for number, statement in enumerate(block):
        where, never = "under", list[ast.stmt]()
        if isinstance(statement, _LEAVING):
            where, never = "after", list(block[number + 1 :])
        elif isinstance(statement, (ast.If, ast.While)):
            if is_false(statement.test):
                never = statement.body
            elif is_true(statement.test):
                where, never = "in the else of", statement.orelse
        elif isinstance(statement, (ast.For, ast.AsyncFor)) and is_false(statement.iter):
            never = statement.body
        if any(True for part in never for _ in asserts(part)):
            begins = ast.unparse(statement).partition("\n")[0]
            return f"has an assert {where} `{begins[:80]}`, which is never reached: put it where it is"
    return ""


def _assert(place: _Place) -> str:
    statement, root = place.statement, place.root
    if isinstance(statement, ast.Assert):
        return _claim(statement.test, statement.msg, root)
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
        return ""
    if call.func.attr in ("assertTrue", "assert_") and call.args:
        return _claim(call.args[0], call.args[1] if len(call.args) > 1 else None, root)
    if call.func.attr in ("assertRaises", "raises") and len(call.args) + len(call.keywords) == 1:
        return f"names an exception and runs nothing: `with {ast.unparse(call)}:` and the call under it"
    return ""


def _claim(test: ast.expr, message: ast.expr | None, root: str) -> str:
    """What is wrong with what is asserted."""
    if isinstance(test, ast.Tuple) and test.elts:
        meant = ", ".join(ast.unparse(part) for part in test.elts[:2])
        return f"is an assert on a tuple, which is true whatever the solution does: write `assert {meant}`"
    if isinstance(test, ast.Constant) and isinstance(test.value, str) and test.value:
        return f"is an assert on a text, which is true whatever the solution does: write `assert {test.value[:80]}`"
    if is_true(test):
        return (
            f"asserts `{ast.unparse(test)[:80]}`, which is true whatever the solution does: write what a call is to "
            f"give, such as `assert {root}(1) == 2`"
        )
    if _is_itself(test, root):
        return f"asks about '{root}' itself and not about an answer of it: write `assert {root}(...) == ...`"
    told = message is not None and not _is_text(message)
    if told and _starts_at(test, root):
        said, shown = ast.unparse(message)[:40], ast.unparse(test)[:80]  # type: ignore[arg-type]
        return f"compares nothing: the {said} after the comma is a message; write `assert {shown} == {said}`"
    return ""


def _is_itself(test: ast.expr, root: str) -> bool:
    """Whether what is asserted is the entry point, uncalled: `f`, `f != 9`, `f is not None`; not `type(P(1)) is P`."""
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
    if place.waited or not (isinstance(statement, ast.Expr) and is_comparison(statement.value)):
        return ""
    meant = ast.unparse(statement.value).strip("()")[:80]
    return f"has a comparison that nobody looks at: write `assert {meant}`"


def _guard(place: _Place) -> str:
    if not is_main_guard(place.statement):
        return ""
    return 'has tests under `if __name__ == "__main__":`, which are not run here: take them out of it'


def _swallowed(place: _Place) -> str:
    statement = place.statement
    if isinstance(statement, (ast.With, ast.AsyncWith)):
        hides = any(
            isinstance(call, ast.Call) and _last_name(call.func) == "suppress" and any(map(_catches, call.args))
            for item in statement.items
            for call in ast.walk(item)
        )
    elif isinstance(statement, ast.Try):
        handler = next((one for one in statement.handlers if one.type is None or _catches(one.type)), None)
        hides = handler is not None and not any(map(_acts, ast.walk(handler)))
    else:
        return ""
    if not hides or _counted(place) or not any(True for part in statement.body for _ in asserts(part)):
        return ""
    return (
        "has an assert whose failure is caught and let pass: catch only the exception that is expected, and put the "
        "assert after it or under `else:`"
    )


def _counted(place: _Place) -> bool:
    """Whether something that a statement leaves behind is looked at elsewhere, as a count of what went well is."""
    inside = {id(part) for part in ast.walk(place.statement)}
    left = _names(place.statement, ast.Store)
    for part in ast.walk(place.statement):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            left += _names(part.func.value, ast.Load)  # `failures.append(...)`
    looking = (ast.Assert, ast.If, ast.Raise, ast.Return)
    looked = [
        part
        for statement in place.body
        for outer in ast.walk(statement)
        if isinstance(outer, looking) and id(outer) not in inside
        for part in _names(outer, ast.Load)
        if id(part) not in inside
    ]
    return bool({name.id for name in looked} & {name.id for name in left})


def _names(node: ast.AST, context: type[ast.expr_context]) -> list[ast.Name]:
    return [part for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, context)]


def _catches(node: ast.expr) -> bool:
    kinds = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(_last_name(kind) in _CATCHING for kind in kinds)


def _acts(node: ast.AST) -> bool:
    """Whether a part of a handler lets a failure be seen."""
    match node:
        case ast.Raise() | ast.Assert():
            return True
        case ast.Return(value=value):
            return value is not None
        case ast.Call(func=function):
            return ast.unparse(function) in _EXITS or _last_name(function).lower().startswith(CHECKING)
    return False


_LOOKS: tuple[Callable[[_Place], str], ...] = (_guard, _assert, _comparison, _swallowed)


def leaves(body: _Block) -> str:
    """What is wrong with a test that ends the process itself; empty where it does not."""
    for statement in body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            name = ast.unparse(statement.value.func)
            if name in _EXITS:
                return f"ends by `{name}`, and so fails whatever the solution does: leave that out"
    return ""


def is_true(node: ast.expr) -> bool:
    """Whether an expression is true whatever its parts are."""
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
            return any(map(is_true, values))
        case ast.BoolOp(values=values):
            return all(map(is_true, values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return is_false(operand)
        case ast.IfExp(test=test, body=one, orelse=other):
            return (is_false(test) or is_true(one)) and (is_true(test) or is_true(other))
        case ast.NamedExpr(value=value):
            return is_true(value)
        case ast.Compare(left=ast.Call(func=ast.Name(id="len" | "abs")), ops=[op], comparators=[ast.Constant(value=0)]):
            return isinstance(op, ast.GtE)
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, ast.Name(id="object")]):
            return True
        case ast.Call(func=ast.Name(id="all"), args=[over], keywords=[]):
            return is_false(over.generators[0].iter if isinstance(over, ast.GeneratorExp | ast.ListComp) else over)
        case ast.Call(func=ast.Name(id=name), args=[_, *_]):
            return name in _TRUE_OBJECTS
    return False


def is_false(node: ast.expr) -> bool:
    """Whether an expression is false, or empty, whatever its parts are."""
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
    return False
