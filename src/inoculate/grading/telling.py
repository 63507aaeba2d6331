"""Whether a problem's tests tell anything: what no solution can fail, or what is never run, proves nothing.

Such tests are refused by name before anything is graded or trained. What says little, and not nothing, is *weak*
(`assertions.Test.weak`) and stays.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from inoculate.grading import vacuous
from inoculate.grading.parsing import UNPARSABLE, parse
from inoculate.grading.task import CodeTask
from inoculate.grading.uncalled import FUNCTIONS, Function, called, is_test_class, needed

_FIXTURES = {"setUp", "tearDown", "setUpClass", "tearDownClass", "setup_method", "teardown_method", "runTest"}
DYNAMIC = {"eval", "exec", "globals", "locals", "vars"}
"""With these a text may do anything, so that nothing follows from the names in it."""
_BOXED = sys.stdlib_module_names | {"numpy"}
"""Modules that there are where tests run."""


def fault(task: CodeTask) -> str:
    """What is wrong with a problem's tests, by the key of the test; empty where each of them may tell something.

    A text that does not parse, or is nested too deeply, is not looked at: that it is so is said elsewhere.
    """
    try:
        return _fault(task)
    except UNPARSABLE:
        return ""


def _fault(task: CodeTask) -> str:
    setup = parse(task.setup)
    texts = {
        f"{key}[{number}]": parse(called(text, task.entry_point))
        for key in ("shown_tests", "hidden_tests")
        for number, text in enumerate(getattr(task, key))
    }
    if words := _stands_in(setup, task.root) or _foreign(setup):
        return f"'setup' {words}"
    names = _reaching(setup, {task.root})
    for key, module in texts.items():
        if words := _Text(module, task.root, names).fault():
            return f"'{key}' {words}"
        names |= _reaching(module, names)
    if task.shown_tests and task.hidden_tests and all(repeats(test, task.shown_tests) for test in task.hidden_tests):
        return (
            "'hidden_tests' only repeat the shown ones, or compare a call with itself, so that an answer made for the "
            "shown ones passes: ask for other inputs"
        )
    return ""


def repeats(test: str, others: Sequence[str]) -> bool:
    """Whether a test says nothing that others do not say, by their syntax trees: spacing and messages aside.

    That a call gives what it gives, or that the entry point can be called, is nothing said.
    """
    said = {one for other in others for one in _said(parse(other).body)}
    return set(_said(parse(test).body)) <= said


def _said(body: Sequence[ast.stmt]) -> Iterator[Hashable]:
    for statement in body:
        match statement:
            case ast.FunctionDef(name=name, body=inner) | ast.ClassDef(name=name, body=inner) if (
                name.lower().startswith("test")
            ):
                yield from _said(inner)
            case ast.Assert(test=ast.BoolOp(op=ast.And(), values=parts)):
                yield from _said([ast.Assert(part) for part in parts])
            case (
                ast.Assert(test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]))
                | ast.Expr(value=ast.Call(func=ast.Attribute(attr="assertEqual"), args=[left, right, *_]))
            ):
                if _form(left) != _form(right):
                    yield frozenset((_form(left), _form(right)))
            case ast.Assert(test=ast.Call(func=ast.Name(id="callable"), args=[ast.Name()])):
                continue
            case ast.Assert(test=test):
                yield _form(test)
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
                continue
            case _:
                yield _form(statement)


def _form(node: Any) -> Hashable:
    """A tree as a value that can be compared; not `ast.dump`, which cannot write the largest numbers."""
    if isinstance(node, (ast.BinOp, ast.UnaryOp)):
        node = _folded(node)
    if isinstance(node, ast.Constant):
        return type(node.value), node.value
    if isinstance(node, ast.AST):
        return type(node), *(_form(value) for _, value in ast.iter_fields(node))
    return tuple(map(_form, node)) if isinstance(node, list) else node


def _folded(node: ast.expr) -> ast.expr:
    """Arithmetic of constants as what it comes to (`2 + 2` as `4`), as far as Python's compiler works it out."""
    code = compile(ast.Expression(node), "test", "eval")
    return node if code.co_names or len(code.co_consts) != 1 else ast.Constant(code.co_consts[0])


def _foreign(module: ast.AST) -> str:
    """What a text imports that there is not where tests run."""
    for node in ast.walk(module):
        where = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        where += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in where:
            if name.partition(".")[0] not in _BOXED:
                return (
                    f"imports '{name}', and where tests run there is Python's own library and numpy alone: leave it "
                    "out (the entry point is there by its name), or say it with unittest or plain asserts"
                )
    return ""


def _stands_in(module: ast.Module, root: str) -> str:
    """Whether a text puts something of its own in the place of the solution."""
    for node in _own(module.body):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                bound = name == root
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                bound = any((alias.asname or alias.name) == root for alias in aliases)
            case ast.Assign(targets=targets, value=value):
                # `f = cached(f)` still asks the solution.
                bound = root in _names(ast.Tuple(targets), ast.Store) and root not in _names(value)
            case _:
                bound = False
        if bound:
            return f"binds '{root}' itself, in the place of the solution's, which is never asked: leave that out"
    return ""


def _own(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a text that bind names of the module."""
    for statement in body:
        yield statement
        if not isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            for inner in ast.iter_child_nodes(statement):
                if isinstance(inner, ast.stmt):
                    yield from _own([inner])


def _names(node: ast.AST, context: type[ast.expr_context] = ast.Load) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, context)}


def _mentioned(nodes: Sequence[ast.AST]) -> set[str]:
    """Names and attributes that are used."""
    found: set[str] = set()
    for node in nodes:
        found |= _names(node) | {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    return found


def _reaching(module: ast.Module, known: set[str]) -> set[str]:
    """Names through which the entry point is reached: those known, and what a text binds with the help of them."""
    names = set(known)
    while True:
        before = len(names)
        for statement in _own(module.body):
            if not _mentioned([statement]) & names:
                continue
            if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
                names.add(statement.name)
            names |= _names(statement, ast.Store)
        if len(names) == before:
            return names


class _Text:
    """One test."""

    def __init__(self, module: ast.Module, root: str, reaching: set[str]) -> None:
        self.module, self.root, self.reaching = module, root, reaching
        self.functions = [node for node in ast.walk(module) if isinstance(node, FUNCTIONS)]
        self.carried_out = self._carried_out()

    def fault(self) -> str:
        """What is wrong with it."""
        if not self.module.body:
            return "holds nothing but comments"
        if words := _foreign(self.module) or _stands_in(self.module, self.root) or self._unasked():
            return words
        run = [node for node in self.functions if node in self.carried_out]
        for body in (self.module.body, *(node.body for node in run)):
            if words := vacuous.find(body, self.root):
                return words
        if not _mentioned([self.module]) & (self.reaching | DYNAMIC):
            return (
                f"never reaches '{self.root}': it passes or fails whatever the solution does (what prepares for other "
                "tests belongs into 'setup')"
            )
        if words := vacuous.leaves(self.module.body) or self._returned(run):
            return words
        return "" if self._may_fail() else f"asserts nothing: write `assert {self.root}(...) == ...`"

    def _parts(self, node: ast.AST) -> Iterator[ast.AST]:
        """What is carried out when a node is, without the bodies of functions."""
        yield node
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, FUNCTIONS):
                for part in (*inner.decorator_list, inner.args):
                    yield from self._parts(part)
            else:
                yield from self._parts(inner)

    def _carried_out(self) -> list[Function]:
        """Functions that are called, as far as their names tell."""
        mentioned = self.mentioned = _flat(self._parts(self.module))
        found: list[Function] = []
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
                if node not in found
                and (node.name in mentioned or id(node) in tests or node.decorator_list or node.name.startswith("__"))
            ]
            if not new:
                return found
            found += new
            for node in new:
                for statement in node.body:
                    mentioned |= _flat(self._parts(statement))

    def _unasked(self) -> str:
        """A function with asserts that is not called, or that does nothing when it is."""
        for node in self.functions:
            if not any(True for part in node.body for _ in vacuous.asserts(part)):
                continue
            if node not in self.carried_out:
                if node.name.startswith("test") and needed(node):
                    return self._ungiven(node)
                return (
                    f"has a function '{node.name}' with asserts that nothing calls: call it (as a runner would call "
                    "functions named test_... and those of classes named Test...)"
                )
            if node.name.startswith("test") and (words := self._unrun(node)):
                return words
        return ""

    def _ungiven(self, node: Function) -> str:
        return (
            f"has a function '{node.name}' that takes {', '.join(map(repr, needed(node)))}, which only pytest would "
            "give it: write the values into the test"
        )

    def _unrun(self, node: Function) -> str:
        """Why a test function would test nothing when it is called."""
        owner = self._owner(node)
        skipping = [name for name in map(ast.unparse, node.decorator_list + (owner.decorator_list if owner else []))
                    if re.search("skip|expectedFailure|xfail", name)]  # fmt: skip
        if skipping:
            return f"has a function '{node.name}' that `@{skipping[0][:40]}` leaves out: take that or the test away"
        if needed(node)[bool(owner) :] and node.name not in self.mentioned:
            return self._ungiven(node)
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

    def _returned(self, run: Sequence[Function]) -> str:
        for node in run:
            for part in ast.walk(node):
                if node.name.startswith("test") and isinstance(part, ast.Return) and vacuous.is_comparison(part.value):
                    meant = ast.unparse(part.value)[:80]  # type: ignore[arg-type]
                    return f"returns a comparison that nobody looks at: write `assert {meant}`"
        return ""

    def _may_fail(self) -> bool:
        """Whether something in it could say that an answer is wrong."""
        defined = {node.name for node in self.functions} | {self.root}
        bodies = [self.module, *(part for node in self.carried_out for part in node.body)]
        for part in (inner for body in bodies for inner in self._parts(body)):
            match part:
                case ast.Assert() | ast.Raise():
                    return True
                case ast.Call(func=ast.Name(id=name)):
                    if (name not in defined and not hasattr(builtins, name)) or name in DYNAMIC:
                        return True
                case ast.Call(func=ast.Attribute(attr=name)):
                    if name.lower().startswith(vacuous.CHECKING):
                        return True
        return False


def _flat(parts: Iterator[ast.AST]) -> set[str]:
    found: set[str] = set()
    for part in parts:
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            found.add(part.id)
        elif isinstance(part, ast.Attribute):
            found.add(part.attr)
    return found
