"""Forgeable tests: only code of the solution could decide them, which would then decide whether it is right.

Whether a test is forgeable depends on the test alone, so that no solution can cause it.
"""

from __future__ import annotations

import ast
import sys
from typing import Any

from inoculate.grading import compare, environment
from inoculate.grading.parsing import parse
from inoculate.grading.setup_code import Setup, free_names, names
from inoculate.grading.task import CodeTask

_KNOWN = {"__builtins__", *compare.FUNCTIONS, *compare.CONSTANTS, *sys.stdlib_module_names}

COMPARISON_METHODS = frozenset((
    "equals", "equal", "eq", "ne", "is_equal", "isequal", "isEqual", "__eq__", "__ne__", "__contains__",
))  # fmt: skip
"""Methods of an answer that would get the expected value and return whether they equal it."""


def is_class(task: CodeTask) -> bool:
    """Whether a problem asks for a class, judging by its name."""
    return "." in task.entry_point or task.root[:1].isupper()


def compares_instances(module: ast.Module, task: CodeTask) -> str:
    """Why a test of a class is forgeable: it compares instances, which define their equality. Empty if it does not."""
    if not is_class(task):
        return ""

    instances = _Instances(module, task.root)
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef) and any(instances.classes & names(base) for base in node.bases):
            return f"it derives a class from {task.root}"
        if any(map(instances.is_instance, _hashed(node))):
            return f"only an instance of {task.root} could decide which of them are equal"
        sides = _sides(node) or _dict_key(node, module)
        # If the other side is plain data, the name may be a function with a capital letter.
        if sides and (
            all(map(instances.is_instance, sides))
            or (any(map(instances.is_new, sides)) and all(map(instances.mentions, sides)))
        ):
            return f"only an instance of {task.root} could decide what it equals"
    return ""


_COMPARING_ASSERTS = ("assertEqual", "assertNotEqual", "assertIn", "assertNotIn", "assertListEqual", "assertTupleEqual",
             "assertCountEqual", "assertSequenceEqual", "assertAlmostEqual", "assertGreater", "assertLess",
             "assertGreaterEqual", "assertLessEqual", "assert_equal", "isclose")  # fmt: skip


def _hashed(node: ast.AST) -> list[Any]:
    """The members that an expression distinguishes by equality."""
    match node:
        case ast.Set(elts=members) | ast.Dict(keys=members):
            return members
        case ast.Call(func=ast.Name(id="set" | "frozenset" | "Counter" | "hash"), args=members):
            return members
        case ast.SetComp(elt=member) | ast.DictComp(key=member):
            return [member]
    return []


def _sides(node: ast.AST) -> list[ast.expr]:
    """The expressions that a comparison compares; empty where it is not a comparison."""
    match node:
        case ast.Compare(ops=ops, left=left, comparators=others) if not all(map(_is_identity, ops)):
            return [left, *others]
        case ast.Call(func=ast.Attribute(attr=name), args=[left, right, *_]) if name in _COMPARING_ASSERTS:
            return [left, right]
        case ast.Call(func=ast.Attribute(value=ast.List() | ast.Tuple() as items, attr="index" | "count"), args=[item]):
            return [items, item]
        case ast.Call(func=ast.Attribute(attr="index" | "count" | "remove"), args=[ast.Call() as item]):
            return [item, item]
    return []


def _dict_key(node: ast.AST, module: ast.Module) -> list[ast.expr]:
    """An expression that may be a key of a dict; as an index of a list it is converted to a number and not compared."""
    match node:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Call() as key):
            bound = [
                part.value
                for part in ast.walk(module)
                if isinstance(part, ast.Assign) and name in names(ast.Tuple(part.targets))
            ]
            return [] if bound and all(map(_is_sequence, bound)) else [key, key]
        case ast.Subscript(value=value, slice=ast.Call() as key) if not _is_sequence(value):
            return [key, key]
    return []


def _is_sequence(node: ast.expr) -> bool:
    """Whether an expression is certainly a list, a tuple, a range or a string."""
    match node:
        case ast.List() | ast.Tuple() | ast.Constant() | ast.ListComp() | ast.JoinedStr():
            return True
        case ast.Call(func=ast.Name(id="list" | "tuple" | "range" | "sorted" | "str")):
            return True
    return False


def _is_identity(operator: ast.cmpop) -> bool:
    return isinstance(operator, (ast.Is, ast.IsNot))


class _Instances:
    """Which expressions of a test are instances of the problem's class, as far as its source shows."""

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
                for part, element in zip(target.elts, value.elts, strict=False):
                    self._bind(part, element)
        elif isinstance(value, ast.Name) and value.id in self.classes:
            self.classes.add(ast.unparse(target))
        elif self.is_instance(value):
            self.names.add(ast.unparse(target))

    def is_instance(self, node: ast.AST | None) -> bool:
        """Whether an expression is an instance, is computed from one by operators, or contains one."""
        match node:
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                return any(map(self.is_instance, parts))
            case ast.BinOp(left=left, right=right):
                return self.is_instance(left) or self.is_instance(right)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Invert(), operand=operand):
                return self.is_instance(operand)
            case ast.Call(func=ast.Name(id=name)):
                return name in self.classes
            case ast.Name() | ast.Attribute():
                return ast.unparse(node) in self.names
        return False

    def is_new(self, node: ast.AST) -> bool:
        """Whether an expression creates a new instance, so that nothing else can be the same object."""
        return self.is_instance(node) and not isinstance(node, (ast.Name, ast.Attribute))

    def mentions(self, node: ast.AST) -> bool:
        """Whether an expression contains an instance."""
        return any(map(self.is_instance, ast.walk(node)))


def uses_up(task: CodeTask) -> str:
    """Why answers depend on the calls before them; empty if they do not."""
    part = environment.find_used_up(parse(task.setup))
    return f"the set-up replaces {part} once for all calls, whose order is not that of the tests" if part else ""


def is_endless(module: ast.Module) -> bool:
    """Whether a test contains a loop that only an exception can end, and does not expect one."""
    tried = {id(part) for node in ast.walk(module) if isinstance(node, (ast.Try, ast.With)) for part in ast.walk(node)}
    for node in ast.walk(module):
        if isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and node.test.value:
            can_leave = any(isinstance(part, (ast.Break, ast.Return, ast.Raise, ast.Yield)) for part in ast.walk(node))
            if not can_leave and id(node) not in tried:
                return True
    return False


def cannot_run_outside(module: ast.Module, task: CodeTask, setup: Setup) -> str:
    """Why a test cannot run outside the solution process; empty where it can."""
    known = {task.root} | setup.values | setup.helpers | setup.imports | setup.free | _KNOWN
    undefined = free_names(module) - known
    if setup.helpers & names(module):
        # Helpers may create the solution's objects; other names of the solution could influence the verdict.
        undefined |= {name for name in setup.free - {task.root} if not name[:1].isupper()} - _KNOWN
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in COMPARISON_METHODS:
            return f"only the solution could answer {node.func.attr}"
    if undefined:
        return f"only the solution could define {', '.join(sorted(undefined))}"
    if missing := _missing_import(module):
        return f"it imports {missing}, which tests cannot import"
    if part := environment.find_foreign(module):
        return f"it changes or reads the environment of the solution ({part}), which is another process"
    return _disclosed(module, task, setup)


def _missing_import(module: ast.Module) -> str:
    """A module that a test imports and that the sandbox does not have; else ''."""
    for node in ast.walk(module):
        imported = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        imported += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in imported:
            if name.partition(".")[0] not in sys.stdlib_module_names | {"numpy"}:
                return name or "a neighbouring module"
    return ""


def _disclosed(module: ast.Module, task: CodeTask, setup: Setup) -> str:
    """Why the set-up discloses expected values: the test uses them, but not as inputs, and the solution sees them."""
    inputs: set[str] = set()
    others: set[str] = set()
    inside: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and task.root in names(node.func):
            inside |= {id(part) for part in ast.walk(node)}
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and node.id in setup.values:
            (inputs if id(node) in inside else others).add(node.id)
    if others - inputs:
        return f"the set-up discloses what is expected: {', '.join(sorted(others - inputs))}"
    return ""
