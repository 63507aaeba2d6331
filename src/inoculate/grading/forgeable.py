"""Tests that cannot be decided: only code beside the solution could, which would be asked whether it is right.

Settled from the test alone, so that no solution can bring it about.
"""

from __future__ import annotations

import ast
import sys
from typing import Any

from inoculate.grading import compare
from inoculate.grading.setup_code import Setup, free_names, names
from inoculate.grading.task import CodeTask

_KNOWN = set(compare.FUNCTIONS) | set(compare.CONSTANTS) | sys.stdlib_module_names

COMPARING = frozenset((
    "equals", "equal", "eq", "ne", "is_equal", "isequal", "isEqual", "__eq__", "__ne__", "__contains__",
))  # fmt: skip
"""Methods of an answer that would be told what is expected, and say whether it is that."""


def is_class(task: CodeTask) -> bool:
    """Whether a problem asks for a class, as far as its name says."""
    return "." in task.entry_point or task.root[:1].isupper()


def compared(module: ast.Module, task: CodeTask) -> str:
    """Why a test of a class is forgeable: an instance says what it equals. Empty where none is asked."""
    if not is_class(task):
        return ""

    found = _Instances(module, task.root)
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef) and any(found.classes & names(base) for base in node.bases):
            return f"it derives a class from {task.root}"
        if any(map(found.is_one, _hashed(node))):
            return f"only an instance of {task.root} could say which of them are the same"
        sides = _sides(node) or _key(node, module)
        # With plain data on the other side it may be a function that has a capital letter.
        if sides and (
            all(map(found.is_one, sides)) or (any(map(found.is_new, sides)) and all(map(found.mentions, sides)))
        ):
            return f"only an instance of {task.root} could say what it equals"
    return ""


_COMPARED = ("assertEqual", "assertNotEqual", "assertIn", "assertNotIn", "assertListEqual", "assertTupleEqual",
             "assertCountEqual", "assertSequenceEqual", "assertAlmostEqual", "assertGreater", "assertLess",
             "assertGreaterEqual", "assertLessEqual", "assert_equal", "isclose")  # fmt: skip


def _hashed(node: ast.AST) -> list[Any]:
    """What an expression tells apart by what it equals."""
    match node:
        case ast.Set(elts=members) | ast.Dict(keys=members):
            return members
        case ast.Call(func=ast.Name(id="set" | "frozenset" | "Counter" | "hash"), args=members):
            return members
        case ast.SetComp(elt=member) | ast.DictComp(key=member):
            return [member]
    return []


def _sides(node: ast.AST) -> list[ast.expr]:
    """What an expression compares with each other; empty where it is no comparison."""
    match node:
        case ast.Compare(ops=ops, left=left, comparators=others) if not all(map(_is_identity, ops)):
            return [left, *others]
        case ast.Call(func=ast.Attribute(attr=name), args=[left, right, *_]) if name in _COMPARED:
            return [left, right]
        case ast.Call(func=ast.Attribute(value=ast.List() | ast.Tuple() as items, attr="index" | "count"), args=[item]):
            return [items, item]
        case ast.Call(func=ast.Attribute(attr="index" | "count" | "remove"), args=[ast.Call() as item]):
            return [item, item]
    return []


def _key(node: ast.AST, module: ast.Module) -> list[ast.expr]:
    """What may be the key of a dict; in a list it is a place, and says what number it is and not what it equals."""
    match node:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Call() as key):
            bound = [
                part.value
                for part in ast.walk(module)
                if isinstance(part, ast.Assign) and name in names(ast.Tuple(part.targets))
            ]
            return [] if bound and all(map(_is_row, bound)) else [key, key]
        case ast.Subscript(value=value, slice=ast.Call() as key) if not _is_row(value):
            return [key, key]
    return []


def _is_row(node: ast.expr) -> bool:
    """Whether an expression is a list, a tuple, a range or a text for certain."""
    match node:
        case ast.List() | ast.Tuple() | ast.Constant() | ast.ListComp() | ast.JoinedStr():
            return True
        case ast.Call(func=ast.Name(id="list" | "tuple" | "range" | "sorted" | "str")):
            return True
    return False


def _is_identity(operator: ast.cmpop) -> bool:
    return isinstance(operator, (ast.Is, ast.IsNot))


class _Instances:
    """Which expressions of a test are instances of the class that the problem asks for, as far as its text says."""

    def __init__(self, module: ast.Module, root: str) -> None:
        self.module = module
        self.classes = {root}
        self.names: set[str] = set()
        before = 0
        while len(self.classes) + len(self.names) > before:
            before = len(self.classes) + len(self.names)
            for node in ast.walk(module):
                self._look(node)

    def _look(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._bind(target, value)
            case ast.For(target=target, iter=ast.List(elts=rows) | ast.Tuple(elts=rows)):
                for row in rows:
                    self._bind(target, row)
            case ast.Call(func=ast.Name(id=name), args=arguments):  # `check(Vector)`
                for function in self.module.body:
                    if isinstance(function, ast.FunctionDef) and function.name == name:
                        for parameter, argument in zip(function.args.args, arguments, strict=False):
                            self._bind(ast.Name(parameter.arg), argument)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            if isinstance(value, (ast.Tuple, ast.List)):
                for part, given in zip(target.elts, value.elts, strict=False):
                    self._bind(part, given)
        elif isinstance(value, ast.Name) and value.id in self.classes:
            self.classes.add(ast.unparse(target))
        elif self.is_one(value):
            self.names.add(ast.unparse(target))

    def is_one(self, node: ast.AST | None) -> bool:
        """Whether an expression is an instance, made of some by operators, or holds one."""
        match node:
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                return any(map(self.is_one, parts))
            case ast.BinOp(left=left, right=right):
                return self.is_one(left) or self.is_one(right)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Invert(), operand=operand):
                return self.is_one(operand)
            case ast.Call(func=ast.Name(id=name)):
                return name in self.classes
            case ast.Name() | ast.Attribute():
                return ast.unparse(node) in self.names
        return False

    def is_new(self, node: ast.AST) -> bool:
        """Whether an expression is an instance that it makes itself, so that nothing else is that very object."""
        return self.is_one(node) and not isinstance(node, (ast.Name, ast.Attribute))

    def mentions(self, node: ast.AST) -> bool:
        """Whether an instance has a part in an expression."""
        return any(map(self.is_one, ast.walk(node)))


def endless(module: ast.Module) -> bool:
    """Whether a test holds a loop that nothing but an exception ends, and does not wait for one."""
    tried = {id(part) for node in ast.walk(module) if isinstance(node, (ast.Try, ast.With)) for part in ast.walk(node)}
    for node in ast.walk(module):
        if isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and node.test.value:
            leaves = any(isinstance(part, (ast.Break, ast.Return, ast.Raise, ast.Yield)) for part in ast.walk(node))
            if not leaves and id(node) not in tried:
                return True
    return False


def told(module: ast.Module, task: CodeTask, setup: Setup) -> str:
    """Why no outside judge can run this test; empty where one can."""
    known = {task.root} | setup.given | setup.helpers | setup.imports | setup.free | _KNOWN
    strange = free_names(module) - known
    if setup.helpers & names(module):
        # Helpers may make the solution's objects; what else they take from it could have a say in the verdict.
        strange |= {name for name in setup.free - {task.root} if not name[:1].isupper()} - _KNOWN
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in COMPARING:
            return f"only the solution could answer {node.func.attr}"
    if strange:
        return f"only the solution could define {', '.join(sorted(strange))}"
    if missing := _not_here(module):
        return f"it imports {missing}, which tests cannot import"
    if around := _surroundings(module):
        return f"it changes or hears what is around the solution ({around}), in a process where the solution is not"
    return _given_away(module, task, setup)


_AROUND = frozenset((
    "patch", "redirect_stdout", "redirect_stderr", "mock.patch", "unittest.mock.patch", "contextlib.redirect_stdout",
    "contextlib.redirect_stderr", "monkeypatch", "capsys", "os.environ", "os.putenv", "sys.argv", "getcontext",
    "decimal.getcontext", "setrecursionlimit", "sys.setrecursionlimit",
))  # fmt: skip
_HEARING = frozenset(("assertWarns", "assertWarnsRegex", "assertLogs", "assertNoLogs"))
"""Methods that wait for what the solution says beside its answers."""
_STREAMS = frozenset(("sys.stdout", "sys.stdin", "sys.stderr"))


def _surroundings(module: ast.Module) -> str:
    """What a test replaces around the solution, or hears there: its input, its output, warnings, random numbers."""
    used = [(ast.unparse(node), node.ctx) for node in ast.walk(module) if isinstance(node, ast.Attribute)]
    named = {node.name for node in ast.walk(module) if isinstance(node, ast.alias)}
    named |= {node.arg for node in ast.walk(module) if isinstance(node, ast.arg)}
    named |= {name for name, ctx in used if isinstance(ctx, ast.Store) or name not in _STREAMS}
    imported = {node.asname or node.name for node in ast.walk(module) if isinstance(node, ast.alias)}
    replaced = {name for name, ctx in used if isinstance(ctx, ast.Store) and name.partition(".")[0] in imported}
    heard = {name for name, _ in used if name.rpartition(".")[2] in _HEARING}
    recorded = {"catch_warnings" for node in ast.walk(module) if isinstance(node, ast.keyword) and node.arg == "record"}
    for name in sorted(named & (_AROUND | _STREAMS) | replaced | heard | recorded):
        return name
    # Random numbers that the test draws itself, for its inputs, are the test's own affair.
    return "random.seed" if {name for name, _ in used if name.startswith("random.")} == {"random.seed"} else ""


def _not_here(module: ast.Module) -> str:
    """A module that a test imports and that the box does not have."""
    for node in ast.walk(module):
        found = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in found:
            if name.partition(".")[0] not in sys.stdlib_module_names | {"numpy"}:
                return name or "what lies beside it"
    return ""


def _given_away(module: ast.Module, task: CodeTask, setup: Setup) -> str:
    """Values of the set-up that are expected and not asked about: the solution, which runs the set-up, knows them."""
    asked: set[str] = set()
    others: set[str] = set()
    inside: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and task.root in names(node.func):
            inside |= {id(part) for part in ast.walk(node)}
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and node.id in setup.given:
            (asked if id(node) in inside else others).add(node.id)
    if others - asked:
        return f"the set-up tells the solution what is expected: {', '.join(sorted(others - asked))}"
    return ""
