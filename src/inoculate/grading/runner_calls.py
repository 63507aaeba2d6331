"""Adds the calls that a test runner would make to test functions and classes.

Datasets contain tests in the forms of pytest (`def test_x():`, `class TestX:`), unittest (`class X(TestCase):`) and
HumanEval (`def check(candidate):`), all of which rely on a runner. Run as they are, they would only define functions
and test nothing. Tests that need more of a runner (fixtures, parameters) are refused by `validation`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from inoculate.grading.parsing import UNPARSABLE, parse

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
HUMANEVAL_TEST = "check"
"""HumanEval's test function, which gets the solution as its argument."""

# Like pytest, each test has an instance of its own, and runs between its fixtures.
_PYTEST_CLASS = """
for _name in [name for name in dir({name}) if name.startswith("test")]:
    _case = {name}()
    getattr(_case, "setup_method", lambda: None)()
    getattr(_case, _name)()
    getattr(_case, "teardown_method", lambda: None)()
"""
# `debug` runs the fixtures too, and does not catch failures.
_UNITTEST = "import unittest\nunittest.defaultTestLoader.loadTestsFromTestCase({name}).debug()"


@lru_cache(maxsize=4096)
def add_runner_calls(test: str, entry_point: str) -> str:
    """Add the missing calls to a test, and remove calls of a runner; the same text where nothing is missing.

    Args:
        test: The source of a test.
        entry_point: The name that the test is about.
    """
    try:
        module = parse(test)
    except UNPARSABLE:
        return test  # reported elsewhere
    runners = {"unittest.main", "pytest.main", *_imported_main(module)}
    kept = [statement for statement in module.body if not _is_runner(statement, runners)]
    if not any(isinstance(node, ast.Name) and node.id == "pytest" for node in ast.walk(ast.Module(kept, []))):
        kept = [statement for statement in kept if not _imports_pytest(statement)]
    calls = [call for statement in kept if (call := _missing_call(statement, module, entry_point))]
    if not calls and len(kept) == len(module.body):
        return test
    return "\n".join([ast.unparse(ast.Module(kept, [])), *calls])


def required_parameters(function: Function) -> list[str]:
    """The parameters that a call has to pass; `@patch` passes the last ones itself."""
    parameters = function.args
    patches = sum("patch" in ast.unparse(decorator) for decorator in function.decorator_list)
    positional = [*parameters.posonlyargs, *parameters.args]
    required = positional[: len(positional) - len(parameters.defaults)]
    required += [
        name for name, value in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True) if value is None
    ]
    return [name.arg for name in required][: max(0, len(required) - patches)]


def is_test_case(node: ast.ClassDef, module: ast.Module) -> bool:
    """Whether a class is a unittest case, directly or through a class of the same test."""
    bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
    if bases & {"TestCase", "IsolatedAsyncioTestCase"}:
        return True
    return any(is_test_case(other, module) for other in _classes(module) if other.name in bases and other is not node)


def is_test_class(node: ast.ClassDef, module: ast.Module) -> bool:
    """Whether a runner would run the methods of a class."""
    return node.name.startswith("Test") or is_test_case(node, module)


def _missing_call(node: ast.stmt, module: ast.Module, entry_point: str) -> str:
    """The call that a definition needs; empty where none is missing."""
    if isinstance(node, ast.ClassDef):
        if is_test_case(node, module):
            call = _UNITTEST.format(name=node.name)
            return "" if call in ast.unparse(module) else call
        return _PYTEST_CLASS.format(name=node.name) if is_test_class(node, module) and _is_unused(node, module) else ""
    if not isinstance(node, FUNCTIONS) or not _is_unused(node, module):
        return ""
    if node.name == HUMANEVAL_TEST and len(required_parameters(node)) == 1:
        return f"{node.name}({entry_point.replace('.', '().', 1)})"
    if not node.name.startswith("test") or required_parameters(node):
        return ""
    call = f"{node.name}()"
    return f"import asyncio\nasyncio.run({call})" if isinstance(node, ast.AsyncFunctionDef) else call


def _is_unused(node: ast.ClassDef | Function, module: ast.Module) -> bool:
    inside = {id(part) for part in ast.walk(node)}
    return not any(
        isinstance(part, ast.Name) and part.id == node.name and id(part) not in inside for part in ast.walk(module)
    )


def _classes(module: ast.Module) -> Iterator[ast.ClassDef]:
    return (node for node in module.body if isinstance(node, ast.ClassDef))


def is_main_guard(node: ast.AST) -> bool:
    """Whether this is `if __name__ == "__main__":`, or with another text."""
    if not (isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and len(node.test.ops) == 1):
        return False
    sides = (node.test.left, node.test.comparators[0])
    return any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides) and any(
        isinstance(side, ast.Constant) and isinstance(side.value, str) for side in sides
    )


def _imports_pytest(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import) and [alias.name for alias in node.names] == ["pytest"]


def _imported_main(module: ast.Module) -> set[str]:
    imports = (node for node in module.body if isinstance(node, ast.ImportFrom) and node.module == "unittest")
    return {alias.asname or alias.name for node in imports for alias in node.names if alias.name == "main"}


def _is_runner(node: ast.stmt, runners: set[str]) -> bool:
    """Whether a statement is only a call of a runner, such as `unittest.main()`, under the main guard or not."""
    if is_main_guard(node):
        assert isinstance(node, ast.If)
        return not node.orelse and all(_is_runner(inner, runners) for inner in node.body)
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and ast.unparse(call.func) in runners
