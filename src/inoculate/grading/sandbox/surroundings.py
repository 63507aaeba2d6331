"""What a test replaces around the solution: its input and output, functions of modules, its seed and environment.

The test replaces them in its own process. Before each request, the connection repeats there what is different here:
a function, an object or a stream of the test becomes a proxy in the solution process, and data is copied. So the
solution reads the test's input and writes to the test's stream, whichever way the test replaced them, and learns only
what it would be given in one process. What it prints goes to the test's stream as text: it cannot read that stream.

Nothing is repeated in the other direction. A solution that seeds `random` does not choose the inputs of the test.
"""

from __future__ import annotations

import ast
import functools
import importlib
import io
import os
import random
import re
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

SHADOWED = ("input", "print", "open")
"""Builtins that a test may replace, also by a function of this name beside the solution; `open` by a mock alone."""
OUTPUTS = ("stdout", "stderr")
REPLACEABLE = frozenset((
    "time", "datetime", "random", "numpy.random", "uuid", "secrets", "getpass", "calendar", "platform", "math",
    "json", "os.path",
))  # fmt: skip
"""Modules whose functions are replaced for the solution too.

A test may wrap the original function (`patch(.., wraps=..)`), which then works in the test process for the solution. So
no function is here with which it could read or write that process: none for descriptors, code, attributes or pickles.
"""
_SEEDING = {"random": ("seed", "setstate"), "numpy.random": ("seed", "set_state")}
_FLUSH_AT = 1 << 16  # characters
_set_random_state, _get_random_state = random.setstate, random.getstate

Change = tuple[str, str, list[Any]]
"""A module, a name in it, and the new value as a list of one; an empty list where the original one is back."""


def _mentioned(test: ast.AST) -> set[str]:
    """The modules that a test mentions and that are replaceable, by their names in imports, code and texts."""
    texts = [ast.unparse(node) for node in ast.walk(test) if isinstance(node, (ast.Import, ast.ImportFrom))]
    for node in ast.walk(test):
        if isinstance(node, ast.Name):
            texts.append(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
    words = {word for text in texts for word in re.findall(r"\w+", text)}
    return {module for module in REPLACEABLE if module.partition(".")[0] in words}


class Watch:
    """In the test process: finds what the tests have replaced since the last request."""

    def __init__(self, namespace: dict[str, Any], sources: Sequence[str]) -> None:
        """Watch from now on.

        Args:
            namespace: In which the tests run.
            sources: The set-up and the tests.
        """
        self._namespace = namespace
        self._reseeded: dict[str, None] = {}
        self._modules = _load({name for source in sources for name in _mentioned(ast.parse(source))})
        for name in _SEEDING.keys() & self._modules.keys():
            for function in _SEEDING[name]:
                setattr(self._modules[name], function, self._reporting(name, getattr(self._modules[name], function)))
        self._originals = {
            (module, name): value
            for module, members in self._modules.items()
            for name, value in vars(members).items()
            if not name.startswith("_") and not isinstance(value, types.ModuleType)
        }
        self._modules["sys"], self._modules["builtins"] = sys, sys.modules["builtins"]
        self._originals |= {("builtins", name): getattr(self._modules["builtins"], name) for name in SHADOWED}
        self._originals |= {("sys", name): getattr(sys, name) for name in ("stdin", *OUTPUTS)}
        self._present = dict(self._originals)
        self._data: dict[tuple[str, str], Any] = {key: read() for key, read in _DATA.items()}

    def _reporting(self, module: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def seeding(*args: Any, **named: Any) -> Any:
            result = function(*args, **named)
            self._reseeded[module] = None
            return result

        return seeding

    def changes(self) -> Iterator[Change]:
        """What is different from what the solution process has; each difference is reported once."""
        for (module, name), original in self._originals.items():
            value = vars(self._modules[module]).get(name, original)
            if value is not self._present[module, name] and _is_safe(name, value, original):
                self._present[module, name] = value
                is_output = module == "sys" and name in OUTPUTS
                yield module, name, [] if value is original else [True if is_output else value]
        for name in SHADOWED:
            value = self._namespace.get(name)
            if value is not self._present.get(("", name)) and _is_safe(name, value, None):
                self._present["", name] = value
                yield "", name, [value] if callable(value) else []
        for (module, name), read in _DATA.items():
            if (value := read()) != self._data[module, name]:
                self._data[module, name] = value
                yield module, name, [value]
        for module in list(self._reseeded):
            del self._reseeded[module]
            yield module, "state", [_state(module)]


def _is_safe(name: str, value: Any, original: Any) -> bool:
    """Whether the solution may use a replacement; one that opens files could open the descriptors of this process."""
    if name != "open" or value is original:
        return True
    mock = sys.modules.get("unittest.mock")
    return mock is not None and isinstance(value, mock.NonCallableMock) and value._mock_wraps is None


def _load(names: set[str]) -> dict[str, types.ModuleType]:
    modules = {}
    for name in sorted(names):
        with suppress(ImportError):  # of another operating system
            modules[name] = importlib.import_module(name)
    return modules


_DATA: dict[tuple[str, str], Callable[[], Any]] = {
    ("os", "environ"): lambda: dict(os.environ), ("sys", "argv"): lambda: list(sys.argv),
}  # fmt: skip


def _state(module: str) -> Any:
    return _get_random_state() if module == "random" else sys.modules["numpy.random"].get_state()


class Surroundings:
    """In the solution process: repeats what the tests have replaced, and collects what the solution prints."""

    def __init__(self, send: Callable[[list[Any]], object]) -> None:
        """Create them.

        Args:
            send: Sends pieces of output, each a list of the stream's name and a text, to the test process.
        """
        self._send = send
        self._originals: dict[tuple[str, str], Any] = {}
        self._written: list[Any] = []
        self._length = 0

    def replace(self, namespace: dict[str, Any], module: str, name: str, value: Sequence[Any]) -> None:
        """Repeat one change; the arguments are those of `Change`, and `namespace` is the solution's module."""
        if name == "state":
            set_state = _set_random_state if module == "random" else importlib.import_module(module).set_state
            set_state(*value)
        elif (module, name) == ("os", "environ"):
            os.environ.clear()
            os.environ.update(*value)
        else:
            members = vars(importlib.import_module(module)) if module else namespace
            original = self._originals.setdefault((module, name), members.get(name, _ABSENT))
            new = value[0] if value else original
            if new is _ABSENT:
                members.pop(name, None)
            else:
                is_output = bool(value) and module == "sys" and name in OUTPUTS
                members[name] = _Output(self, name) if is_output else new

    def write(self, stream: str, text: str) -> None:
        """Collect a piece of output."""
        self._written.append([stream, text])
        self._length += len(text)
        if self._length > _FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        """Send the collected output."""
        if self._written:
            written, self._written, self._length = self._written, [], 0
            self._send(written)


_ABSENT = object()


class _Output(io.TextIOBase):
    """A stream of the test, of which a solution can only append to the end."""

    encoding = "utf-8"

    def __init__(self, surroundings: Surroundings, name: str) -> None:
        self._surroundings = surroundings
        self._name = name

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._surroundings.write(self._name, str.__str__(text))
        return len(text)


def write_output(pieces: Any) -> None:
    """In the test process: write what the solution has printed to the test's streams."""
    for name, text in pieces:
        if name not in OUTPUTS or type(text) is not str:
            raise TypeError("not output")
        getattr(sys, name).write(text)
