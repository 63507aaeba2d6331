"""Validation of a problem's tests: a test that no solution can fail, or that is never run, proves nothing.

Such tests are refused, by key, before anything is graded or trained. A test that proves little is *weak*
(`assertions.Test.weak`) and is kept.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator, Sequence

from inoculate.grading import vacuous
from inoculate.grading.parsing import UNPARSABLE, parse
from inoculate.grading.repeats import repeats
from inoculate.grading.runner_calls import FUNCTIONS, Function, add_runner_calls, is_test_class, required_parameters
from inoculate.grading.task import CodeTask

_FIXTURES = {"setUp", "tearDown", "setUpClass", "tearDownClass", "setup_method", "teardown_method", "runTest"}
DYNAMIC = {"eval", "exec", "globals", "locals", "vars"}
"""Code that uses these may do anything, so that the names in it prove nothing."""
_AVAILABLE_MODULES = sys.stdlib_module_names | {"numpy"}
"""Modules that are available to tests."""


def find_fault(task: CodeTask) -> str:
    """What is wrong with a problem's tests, by the key of the test; empty where each of them may prove something.

    Tests that do not parse, or are nested too deeply, are not checked here: that is reported elsewhere.
    """
    try:
        return _find_fault(task)
    except UNPARSABLE:
        return ""


def _find_fault(task: CodeTask) -> str:
    setup = parse(task.setup)
    texts = {
        f"{key}[{number}]": parse(add_runner_calls(text, task.entry_point))
        for key in ("shown_tests", "hidden_tests")
        for number, text in enumerate(getattr(task, key))
    }
    if fault := _replaces_solution(setup, task.root) or _unavailable_import(setup):
        return f"'setup' {fault}"
    names = _names_reaching(setup, {task.root})
    for key, module in texts.items():
        if fault := _TestCode(module, task.root, names).find_fault():
            return f"'{key}' {fault}"
        names |= _names_reaching(module, names)
    if task.shown_tests and task.hidden_tests and all(repeats(test, task.shown_tests) for test in task.hidden_tests):
        return (
            "'hidden_tests' only repeat the shown ones, or compare a call with itself, so that an answer made for the "
            "shown ones passes: use other inputs"
        )
    return ""


def _unavailable_import(module: ast.AST) -> str:
    """What is wrong with the imports of a test: a module that is not available to tests; else ''."""
    for node in ast.walk(module):
        modules = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in modules:
            if name.partition(".")[0] not in _AVAILABLE_MODULES:
                return (
                    f"imports '{name}', but tests can use only the standard library and numpy: leave it out (the entry "
                    "point is available by its name), or use unittest or plain asserts"
                )
    return ""


def _replaces_solution(module: ast.Module, root: str) -> str:
    """What is wrong with a test that binds the entry point itself; empty where it does not."""
    for node in _module_statements(module.body):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                bound = name == root
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                bound = any((alias.asname or alias.name) == root for alias in aliases)
            case ast.Assign(targets=targets, value=value):
                # `f = cached(f)` still calls the solution.
                bound = root in _names(ast.Tuple(targets), ast.Store) and root not in _names(value)
            case _:
                bound = False
        if bound:
            return f"binds '{root}' itself, in the place of the solution's, which is never called: leave that out"
    return ""


def _module_statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that can bind names of the module."""
    for statement in body:
        yield statement
        if not isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            for inner in ast.iter_child_nodes(statement):
                if isinstance(inner, ast.stmt):
                    yield from _module_statements([inner])


def _names(node: ast.AST, context: type[ast.expr_context] = ast.Load) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, context)}


def _used_names(nodes: Sequence[ast.AST]) -> set[str]:
    """Names and attributes that are used."""
    used: set[str] = set()
    for node in nodes:
        used |= _names(node) | {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    return used


def _names_reaching(module: ast.Module, known: set[str]) -> set[str]:
    """Names through which code reaches the entry point: the known ones, and those that are bound with their help."""
    names = set(known)
    while True:
        before = len(names)
        for statement in _module_statements(module.body):
            if not _used_names([statement]) & names:
                continue
            if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
                names.add(statement.name)
            names |= _names(statement, ast.Store)
        if len(names) == before:
            return names


class _TestCode:
    """The code of one test."""

    def __init__(self, module: ast.Module, root: str, reaching: set[str]) -> None:
        self.module, self.root, self.reaching = module, root, reaching
        self.functions = [node for node in ast.walk(module) if isinstance(node, FUNCTIONS)]
        self.executed = self._executed_functions()

    def find_fault(self) -> str:
        """What is wrong with it; empty if nothing is."""
        if not self.module.body:
            return "holds nothing but comments"
        fault = _unavailable_import(self.module) or _replaces_solution(self.module, self.root) or self._never_run()
        if fault:
            return fault
        run = [node for node in self.functions if node in self.executed]
        for body in (self.module.body, *(node.body for node in run)):
            if fault := vacuous.find_fault(body, self.root):
                return fault
        if not _used_names([self.module]) & (self.reaching | DYNAMIC):
            return (
                f"never reaches '{self.root}': it passes or fails whatever the solution does (code that prepares other "
                "tests belongs into 'setup')"
            )
        if fault := vacuous.find_exit(self.module.body) or self._returned_comparison(run):
            return fault
        return "" if self._may_fail() else f"asserts nothing: write `assert {self.root}(...) == ...`"

    def _parts(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes that run when a node runs: all but the bodies of functions."""
        yield node
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, FUNCTIONS):
                for part in (*inner.decorator_list, inner.args):
                    yield from self._parts(part)
            else:
                yield from self._parts(inner)

    def _executed_functions(self) -> list[Function]:
        """Functions that are called, judging by their names."""
        used = self.used = _loaded_names(self._parts(self.module))
        executed: list[Function] = []
        tests = {
            id(method)
            for node in ast.walk(self.module)
            if isinstance(node, ast.ClassDef) and is_test_class(node, self.module)
            for method in node.body
            if isinstance(method, FUNCTIONS) and (method.name.startswith("test") or method.name in _FIXTURES)
        }
        while True:
            new = [
                node
                for node in self.functions
                if node not in executed
                and (node.name in used or id(node) in tests or node.decorator_list or node.name.startswith("__"))
            ]
            if not new:
                return executed
            executed += new
            for node in new:
                for statement in node.body:
                    used |= _loaded_names(self._parts(statement))

    def _never_run(self) -> str:
        """What is wrong with a function whose asserts never run: it is not called, or does nothing when it is."""
        for node in self.functions:
            if not any(True for part in node.body for _ in vacuous.asserts(part)):
                continue
            if node not in self.executed:
                if node.name.startswith("test") and required_parameters(node):
                    return self._missing_fixtures(node)
                return (
                    f"has a function '{node.name}' with asserts that nothing calls: call it (only functions named "
                    "test_... and those of classes named Test... are called as by a test runner)"
                )
            if node.name.startswith("test") and (fault := self._has_no_effect(node)):
                return fault
        return ""

    def _missing_fixtures(self, node: Function) -> str:
        parameters = ", ".join(map(repr, required_parameters(node)))
        return (
            f"has a function '{node.name}' that takes {parameters}, which only pytest would give it: write the values "
            "into the test"
        )

    def _has_no_effect(self, node: Function) -> str:
        """Why a test function would test nothing when it is called; else ''."""
        owner = self._owner(node)
        skipping = [name for name in map(ast.unparse, node.decorator_list + (owner.decorator_list if owner else []))
                    if re.search("skip|expectedFailure|xfail", name)]  # fmt: skip
        if skipping:
            return f"has a function '{node.name}' that `@{skipping[0][:40]}` skips: remove the decorator or the test"
        if required_parameters(node)[bool(owner) :] and node.name not in self.used:
            return self._missing_fixtures(node)
        if any(isinstance(part, ast.Yield | ast.YieldFrom) for part in ast.walk(node)):
            return f"has a function '{node.name}' that is a generator, which does nothing when called: use a loop"
        isolated = owner is None or "Isolated" in ast.unparse(ast.Tuple(owner.bases))
        if isinstance(node, ast.AsyncFunctionDef) and not isolated:
            return (
                f"has an async method '{node.name}' that nothing awaits: derive from unittest.IsolatedAsyncioTestCase"
            )
        return ""

    def _owner(self, function: Function) -> ast.ClassDef | None:
        owners = (node for node in ast.walk(self.module) if isinstance(node, ast.ClassDef) and function in node.body)
        return next(owners, None)

    def _returned_comparison(self, run: Sequence[Function]) -> str:
        for node in run:
            for part in ast.walk(node):
                if node.name.startswith("test") and isinstance(part, ast.Return) and vacuous.is_comparison(part.value):
                    comparison = ast.unparse(part.value)[:80]  # type: ignore[arg-type]
                    return f"returns a comparison that is not checked: write `assert {comparison}`"
        return ""

    def _may_fail(self) -> bool:
        """Whether anything in it can fail for a wrong answer."""
        defined = {node.name for node in self.functions} | {self.root}
        bodies = [self.module, *(part for node in self.executed for part in node.body)]
        for part in (inner for body in bodies for inner in self._parts(body)):
            match part:
                case ast.Assert() | ast.Raise():
                    return True
                case ast.Call(func=ast.Name(id=name)):
                    if (name not in defined and not hasattr(builtins, name)) or name in DYNAMIC:
                        return True
                case ast.Call(func=ast.Attribute(attr=name)):
                    if name.lower().startswith(vacuous.CHECK_PREFIXES):
                        return True
        return False


def _loaded_names(parts: Iterator[ast.AST]) -> set[str]:
    names: set[str] = set()
    for part in parts:
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            names.add(part.id)
        elif isinstance(part, ast.Attribute):
            names.add(part.attr)
    return names
