"""Tests of what surrounds a solution: which parts of its environment a test may replace, and which only it could read.

Input, output, environment variables, arguments, seeds and functions of modules are replaced for the solution too
(`sandbox.surroundings`). A test that needs anything else of its process cannot be decided from another one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from inoculate.grading.sandbox.surroundings import OUTPUTS, REPLACEABLE, SHADOWED

_PROCESS_STATE = frozenset((
    "os.putenv", "os.chdir", "os.umask", "os.dup", "os.dup2", "os.pipe", "os.fork", "sys.path", "sys.modules",
    "decimal.getcontext", "decimal.setcontext", "decimal.localcontext", "sys.setrecursionlimit", "sys.settrace",
    "sys.setprofile", "locale.setlocale", "time.tzset", "signal.signal", "signal.alarm", "gc.get_objects",
    "sys.getrefcount", "tracemalloc.start", "faulthandler.enable", "importlib.reload", "weakref.ref",
    "logging.getLogger", "logging.basicConfig", "logging.disable", "logging.root", "threading.enumerate",
    "threading.active_count", "atexit.register", "warnings.showwarning", "warnings.filters", "monkeypatch", "capsys",
))  # fmt: skip
"""What one process changes or reads of itself alone."""
_EMITTED = frozenset(("assertWarns", "assertWarnsRegex", "assertLogs", "assertNoLogs"))
"""Methods that check what the solution emits beside its answers and output."""
_FILTERS = ("warnings.simplefilter", "warnings.filterwarnings")
_SHARED_LOOP = frozenset((
    "Queue", "LifoQueue", "PriorityQueue", "Event", "Condition", "Lock", "Semaphore", "BoundedSemaphore", "Barrier",
    "Future", "StreamReader", "TimeoutError", "CancelledError", "timeout", "current_task", "all_tasks",
))  # fmt: skip
"""Names of asyncio with which a test and a coroutine of the solution wait for each other, or one ends the other."""
_CLOCKS = frozenset(("time.time", "time.perf_counter", "time.monotonic", "loop.time"))
_MOCK = "unittest.mock"
_PATCH = f"{_MOCK}.patch"


def find_foreign(module: ast.Module) -> str:
    """The part of the solution's environment that a test needs, and that cannot be replaced or read from outside."""
    names = _Names(module)
    for node in ast.walk(module):
        dotted = names.dotted(node)
        if dotted in _PROCESS_STATE or dotted.rpartition(".")[2] in _EMITTED:
            return dotted
        if isinstance(node, ast.arg) and node.arg in _PROCESS_STATE:
            return node.arg
        if part := _emitted(node, names) or _of_asyncio(dotted, names):
            return part
        for owner, name in _replaced(node, names):
            if not _is_replaceable(owner, name, names):
                return f"{owner}.{name}".strip(".")
    return ""


def find_used_up(setup: ast.Module) -> str:
    """What a set-up replaces once for all calls, so that an answer depends on the calls before it; else ''."""
    names = _Names(setup)
    if any(("sys", "stdin") in _replaced(node, names) for node in ast.walk(setup)):
        return "sys.stdin"
    used = {name for node in ast.walk(setup) if (name := names.dotted(node)).startswith(("random.", "numpy.random."))}
    # A set-up that draws itself makes inputs.
    is_seeded = bool(used - {"numpy.random"}) and all(name.endswith((".seed", "state")) for name in used)
    return "the seed" if is_seeded else ""


class _Names:
    """What the names of a test mean, by its imports."""

    def __init__(self, module: ast.Module) -> None:
        self.meanings: dict[str, str] = {}
        for node in ast.walk(module):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    self.meanings[alias.asname or top] = alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    self.meanings[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        self.uses_mock_open = any(self.dotted(node) == f"{_MOCK}.mock_open" for node in ast.walk(module))
        self.uses_asyncio = any(self.dotted(node).startswith("asyncio") for node in ast.walk(module))

    def dotted(self, node: ast.AST) -> str:
        """The full name of an expression, such as `unittest.mock.patch`; empty if it is no name."""
        if isinstance(node, ast.Name):
            return self.meanings.get(node.id, node.id)
        if isinstance(node, ast.Attribute) and (owner := self.dotted(node.value)):
            return f"{owner}.{node.attr}"
        return ""

    def is_import(self, node: ast.AST) -> bool:
        """Whether an expression denotes a module, or a part of one."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and (node.id in self.meanings or node.id in ("__builtins__", "sys", "os"))


def _replaced(node: ast.AST, names: _Names) -> Iterator[tuple[str, str]]:
    """Where a node replaces something: the owner and the name."""
    match node:
        case ast.Attribute(value=owner, attr=name, ctx=ast.Store() | ast.Del()) if names.is_import(owner):
            yield names.dotted(owner), name
        case ast.Call(func=ast.Name(id="setattr"), args=[owner, name, *_]) if names.is_import(owner):
            yield names.dotted(owner), _text(name)
        case ast.Call(func=function, args=[target, *rest]):
            kind = names.dotted(function)
            if kind == _PATCH:
                owner, _, name = _text(target).rpartition(".")
                yield owner, name
            elif kind == f"{_PATCH}.object":
                yield names.dotted(target) or "an object", _text(rest[0]) if rest else ""
            elif kind == f"{_PATCH}.dict" and (_text(target) or names.dotted(target)) != "os.environ":
                yield _text(target) or names.dotted(target) or "an object", ""
            elif kind == f"{_PATCH}.multiple":
                yield _text(target) or names.dotted(target), ""


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _is_replaceable(owner: str, name: str, names: _Names) -> bool:
    if owner == "sys":
        return name in ("stdin", "argv", *OUTPUTS)
    if owner in ("builtins", "__builtins__"):
        return name in SHADOWED and (name != "open" or names.uses_mock_open)
    return owner in REPLACEABLE


def _emitted(node: ast.AST, names: _Names) -> str:
    match node:
        case ast.FunctionDef(name="open") | ast.Name(id="open", ctx=ast.Store()):
            return "open"  # it may open any file of the process in which it runs
        case ast.keyword(arg="record", value=ast.Constant(value=True)):
            return "catch_warnings"
        case ast.Call(func=function, args=[ast.Constant(value="error"), *_]) if names.dotted(function) in _FILTERS:
            return names.dotted(function)
    return ""


def _of_asyncio(dotted: str, names: _Names) -> str:
    if not names.uses_asyncio:
        return ""
    owner, _, name = dotted.rpartition(".")
    is_shared = name in _SHARED_LOOP and owner in ("", "asyncio")
    return dotted if is_shared or dotted in _CLOCKS or (owner and name == "cancel") else ""
