"""Tests that cannot be decided: only code beside the solution could, which would be asked whether it is right.

Settled from the test alone, so that no solution can bring it about.
"""

from __future__ import annotations

import ast
import sys

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

    def makes(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == task.root

    instances = {target.id for node in ast.walk(module) if isinstance(node, ast.Assign) and makes(node.value)
                 for target in node.targets if isinstance(target, ast.Name)}  # fmt: skip

    def is_instance(node: ast.AST | None) -> bool:
        if isinstance(node, (ast.List, ast.Tuple)):
            return any(is_instance(part) for part in node.elts)
        return node is not None and (makes(node) or (isinstance(node, ast.Name) and node.id in instances))

    for node in ast.walk(module):
        if isinstance(node, ast.Compare) and not all(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            # With plain data on the other side it may be a function that has a capital letter.
            if all(is_instance(side) for side in (node.left, *node.comparators)):
                return f"only an instance of {task.root} could say what it equals"
        elif isinstance(node, (ast.Set, ast.Dict)):
            if any(is_instance(part) for part in (node.elts if isinstance(node, ast.Set) else node.keys)):
                return f"only an instance of {task.root} could say which of them are the same"
        elif isinstance(node, ast.ClassDef) and any(task.root in names(base) for base in node.bases):
            return f"it derives a class from {task.root}"
    return ""


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
        return f"it changes what is around the solution ({around}), in a process where the solution is not"
    return _given_away(module, task, setup)


_AROUND = frozenset((
    "patch", "redirect_stdout", "redirect_stderr", "mock.patch", "unittest.mock.patch", "contextlib.redirect_stdout",
    "contextlib.redirect_stderr", "monkeypatch", "capsys",
))  # fmt: skip
_STREAMS = frozenset(("sys.stdout", "sys.stdin", "sys.stderr"))


def _surroundings(module: ast.Module) -> str:
    """What a test replaces around the solution: its input, its output, its random numbers."""
    used = [(ast.unparse(node), node.ctx) for node in ast.walk(module) if isinstance(node, ast.Attribute)]
    named = {node.name for node in ast.walk(module) if isinstance(node, ast.alias)}
    named |= {node.arg for node in ast.walk(module) if isinstance(node, ast.arg)}
    named |= {name for name, ctx in used if isinstance(ctx, ast.Store) or name not in _STREAMS}
    for name in sorted(named & (_AROUND | _STREAMS)):
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
