"""Plain data that both processes change: it comes back with the values, and the aliasing, of a run in one process."""

from __future__ import annotations

import collections
import copy
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inoculate.grading import CodeTask, grade_code
from inoculate.grading.sandbox.remote_exceptions import exception_class, is_standard
from inoculate.grading.sandbox.rpc import Connection

Operation = tuple[int, int, int]
KINDS = ("list", "tuple", "dict", "deque", "set", "bytearray", "defaultdict")


@contextmanager
def connected(function: Callable[..., Any]) -> Iterator[Any]:
    """A function as a test has it: behind a connection, here to a thread instead of another process."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        solution = Connection(theirs.fileno(), guarded=False)
        solution.namespace = {"f": function}
        thread = threading.Thread(target=solution.serve, daemon=True)
        thread.start()
        yield Connection(ours.fileno(), guarded=True).request("name", None, "f")
        ours.shutdown(socket.SHUT_RDWR)
        thread.join()


def build(kinds: list[tuple[str, list[int]]]) -> list[Any]:
    """Values, each of which contains earlier ones, some of them several times."""
    values: list[Any] = []
    for kind, members in kinds:
        parts = [values[member % len(values)] if values else member for member in members]
        values.append({
            "list": lambda p=parts: list(p), "tuple": lambda p=parts: tuple(p),
            "dict": lambda p=parts: dict(enumerate(p)), "deque": lambda p=parts: collections.deque(p),
            "set": lambda m=members: set(m), "bytearray": lambda m=members: bytearray(m),
            "defaultdict": lambda p=parts: collections.defaultdict(int, enumerate(p)),
        }[kind]())  # fmt: skip
    return values


def found(values: list[Any]) -> list[Any]:
    """The values and all that is in them, each once."""
    seen: dict[int, Any] = {}
    waiting = list(values)
    while waiting:
        value = waiting.pop(0)
        if id(value) not in seen and isinstance(value, (list, tuple, dict, collections.deque, set, bytearray)):
            seen[id(value)] = value
            waiting += value.values() if isinstance(value, dict) else [] if isinstance(value, set) else list(value)
    return list(seen.values())


def shape(values: list[Any]) -> list[Any]:
    """Contents and aliasing: each value once, its members as numbers of values."""
    all_of_them = found(values)
    numbers = {id(value): number for number, value in enumerate(all_of_them)}

    def member(value: Any) -> Any:
        return ("value", numbers[id(value)]) if id(value) in numbers else value

    return [
        (type(value), [(key, member(part)) for key, part in value.items()] if isinstance(value, dict)
         else sorted(value) if isinstance(value, set) else list(map(member, value)))
        for value in all_of_them
    ]  # fmt: skip


def change(operations: list[Operation], fails: bool, *values: Any) -> Any:
    """Change values in place, as a solution may; answer with some of them and something new."""
    changed = [value for value in found(list(values)) if not isinstance(value, tuple)]
    others: list[Any] = found(list(values))
    for action, target, operand in operations:
        value, other = changed[target % len(changed)] if changed else [], others[operand % len(others)]
        if action == 0:
            others.append([other, other])  # new, and twice in whatever it is put in
        elif action == 1 and value:
            value.clear()
        elif isinstance(value, (set, bytearray)):
            (value.add if isinstance(value, set) else value.append)(operand)
        elif isinstance(value, dict):
            value[operand] = other
        else:
            value.append(other)
    if fails:
        raise ValueError(others[-1], [others[0]]) from KeyError([others[0]], others[-1])
    return [others[-1], others[0], [others[-1]]]


graphs = st.lists(st.tuples(st.sampled_from(KINDS), st.lists(st.integers(0, 20), max_size=3)), min_size=1, max_size=8)


@settings(deadline=None, max_examples=300)
@given(
    graphs,
    st.lists(st.integers(0, 7), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 9)), max_size=6),
    st.booleans(),
)
def test_aliasing_as_in_one_process(
    kinds: list[tuple[str, list[int]]], chosen: list[int], operations: list[Operation], fails: bool
) -> None:
    values = build(kinds)
    here = [values[number % len(values)] for number in chosen]
    there = copy.deepcopy(here)

    def outcome(function: Callable[..., Any], arguments: list[Any]) -> list[Any]:
        try:
            answer = function(operations, fails, *arguments)
        except ValueError as error:
            answer = [error.args, error.__cause__ and error.__cause__.args]
        return shape([*arguments, answer])

    with connected(change) as function:
        assert outcome(function, there) == outcome(change, here)


def test_a_deep_graph_of_shared_members() -> None:
    value: list[Any] = [0]
    levels = [value]
    for _ in range(60):
        value = [value, value]
        levels.append(value)

    def turn(top: list[Any], *_: Any) -> Any:
        while isinstance(top[0], list):
            top = top[0]
        top[0] = 1
        return top

    with connected(turn) as function:
        assert function(value) is levels[0]
        assert levels[0] == [1]
        levels[0][0] = 0
        assert function(value, *levels) is levels[0]
        assert levels[0] == [1]


def test_what_a_callback_changes_is_kept() -> None:
    def call(log: list[int], append: Callable[[int], None]) -> None:
        append(3)

    log: list[int] = []
    with connected(call) as function:
        function(log, lambda n: log.append(n))
    assert log == [3]


def test_a_cause_counts_where_the_rest_of_an_exception_does_not_fit() -> None:
    def call(first: list[Any], second: list[Any]) -> None:
        new = [0]
        first.append(new)
        second.append(new)
        raise ValueError("x" * 20_000_000) from KeyError([1], [2])

    first: list[Any] = []
    second: list[Any] = []
    with connected(call) as function, pytest.raises(ValueError):
        function(first, second)
    assert first == second == [[0]] and first[0] is second[0]


def test_changes_that_do_not_fit_are_an_error_of_the_call() -> None:
    def call(values: list[Any]) -> Any:
        values.append("x" * 20_000_000)
        return 1

    with connected(call) as function:
        with pytest.raises(OverflowError):
            function([])
        with pytest.raises(OverflowError):  # and the solution is still there
            function([])


def test_a_function_of_a_module_runs_where_it_is_called() -> None:
    def call(function: Callable[..., Any], keep: Any = None) -> Any:
        return function(), [function]

    with connected(call) as function:
        value, (kept,) = function(threading.get_ident)
        assert value != threading.get_ident() and kept is threading.get_ident
        own = threading.get_ident()
        assert function(lambda: threading.get_ident() == own)[0]


def test_private_exceptions_of_the_standard_library_are_rebuilt_as_public_ones() -> None:
    import asyncio
    import unittest

    known = [kind for module in list(sys.modules.values()) for kind in list(vars(module).values())
             if issubclass(type(kind), type) and issubclass(kind, BaseException) and is_standard(kind.__module__)
             and kind.__module__ in sys.modules]  # fmt: skip
    private = [kind for kind in known if kind.__qualname__.rpartition(".")[2].startswith("_")]
    assert private and asyncio and unittest
    for kind in private:
        names = [[base.__module__, base.__qualname__] for base in kind.__mro__ if issubclass(base, BaseException)]
        found = exception_class(SimpleNamespace(exceptions={}), names)
        assert not issubclass(found, kind)
        public = next(base for base in kind.__mro__ if not base.__qualname__.startswith("_"))
        assert issubclass(found, public)


CASES = {
    "a function that is passed and kept": (
        "import operator\nfor g in (len, operator.add, print):\n    assert f(g)[0] is g",
        "def f(g): return [g]", "def f(g): return [lambda *a: g(*a)]"),
    "a function that is passed and called": (
        "import operator\nfor g, n in ((operator.add, 5), (operator.mul, 6)):\n    assert f(g, 2, 3) == n",
        "def f(g, a, b): return g(a, b)", "def f(g, a, b): return 5"),
    "rows that are one list": ("m = [[0] * 2] * 2\nf(m)\nassert m == [[1, 0], [1, 0]]",
                               "def f(m): m[0][0] = 1", "def f(m): m[0] = [1, 0]"),
    "rows of an answer": ("r = f(2)\nr[0][0] = 1\nassert r == [[1, 0], [0, 0]]",
                          "def f(n): return [[0] * n for _ in range(n)]", "def f(n): return [[0] * n] * n"),
    "identity in an answer": ("r = f(2)\nassert r[0] is not r[1]",
                              "def f(n): return [[0], [0]]", "def f(n): return [[0]] * n"),
    "changed before it raises": (
        "x = [1]\ntry:\n    f(x)\nexcept ValueError:\n    pass\nassert x == [1]",
        "def f(x): raise ValueError", "def f(x):\n    x.append(2)\n    raise ValueError"),
    "changed by an operator": ("x = [3]\nr = C(x)\nr[0] = x\nassert x == [4]",
                               "class C:\n    def __init__(self, x): pass\n"
                               "    def __setitem__(self, i, x): x[0] += 1",
                               "class C:\n    def __init__(self, x): pass\n    def __setitem__(self, i, x): pass"),
    "factory": ("from collections import defaultdict\nd = defaultdict(list)\nf(d)\nassert d.default_factory is None",
                "def f(d): d.default_factory = None", "def f(d): pass"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_verdicts_about_shared_values(name: str) -> None:
    test, right, wrong = CASES[name]
    task = CodeTask("C" if "class C" in right else "f", (test,), ())
    assert [grade.intended for grade in grade_code([task] * 2, [right, wrong])] == [True, False]


ARRAYS = {
    "shape": ("a = np.arange(6)\nf(a)\nassert a.shape == (2, 3) and a[1, 2] == 7", "a.shape = 2, 3\n    a[1, 2] = 7"),
    "shape that broadcasts": ("a = np.arange(3)\nf(a)\nassert a.shape == (1, 3)", "a.shape = 1, 3"),
    "size": ("a = np.arange(3)\nf(a)\nassert a.tolist() == [0, 1, 2, 0]", "a.resize(4, refcheck=False)"),
    "no rows": ("a = np.arange(3)\nf(a)\nassert a.shape == (0, 2)", "a.resize((0, 2), refcheck=False)"),
    "type": ("a = np.zeros(2, np.int32)\nf(a)\nassert a.dtype == np.float32", "a.dtype = 'float32'"),
    "shape of columns": (
        "a = np.asfortranarray([[1, 2], [3, 4]])\nf(a)\nassert a.tolist() == [1, 2, 3, 4]",
        "a.shape = 4",
    ),
    "type of columns": (
        "a = np.zeros((2, 2), np.int32, 'F')\nf(a)\nassert a.dtype == np.float32",
        "a.dtype = 'float32'",
    ),
    "contents": ("a = np.arange(3)\nb = a[1:]\nf(a, b)\nassert b.tolist() == [5, 2]", "a[1] = 5"),
    "an empty argument": ("a = np.zeros((0, 3))\nassert f(a) == (0, 3)", "return a.shape"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_that_are_changed_in_place(name: str) -> None:
    test, body = ARRAYS[name]
    task = CodeTask("f", (f"import numpy as np\n{test}",), ())
    programs = [f"import numpy as np\ndef f(a, *_):\n    {body}", "import numpy as np\ndef f(a, *_):\n    return ()"]
    grades = list(grade_code([task] * 2, programs))
    assert [grade.intended for grade in grades] == [True, False], grades[0].detail
