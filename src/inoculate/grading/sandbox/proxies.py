"""Tests that cannot be taken apart: the solution answers calls in one process, the test runs in another.

The judge's process holds the tests and never a line of the solution; for it the solution's names are `Proxy`
objects, whose
every use is a request over a socket and whose every answer is plain data. An object that is not plain data can be
handed
back and asked for its parts, but not whether it equals something or is true: such a question fails the test.
"""

from __future__ import annotations

import ast
import builtins
import collections
import decimal
import fractions
import importlib
import json
import math
import os
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

from inoculate.grading.sandbox.values import Malformed, Reader, TooBig, encode

MOST_REPLY = 8 << 20
TESTS = "tests"
"""Name of the module in which tests run."""


class Forgeable(Exception):
    """Only code in the solution's process could decide the test."""


class Gone(Exception):
    """The solution's process has ended."""


class SolutionError(Exception):
    """Stands for an exception of a class that the solution made."""


class _Line:
    """Lines of JSON over a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.waiting = b""

    def send(self, message: Any) -> None:
        data = (json.dumps(message) + "\n").encode()
        try:
            while data:
                data = data[os.write(self.descriptor, data) :]
        except OSError as error:
            raise Gone("the other side has ended") from error

    def receive(self) -> Any:
        """The next line."""
        pieces = [self.waiting]
        size = len(self.waiting)
        while b"\n" not in pieces[-1]:
            try:
                piece = os.read(self.descriptor, 1 << 16)
            except OSError as error:
                raise Gone("the other side has ended") from error
            size += len(piece)
            if not piece or size > MOST_REPLY:
                raise Gone("the other side has ended" if not piece else "a reply is too long")
            pieces.append(piece)
        line, _, self.waiting = b"".join(pieces).partition(b"\n")
        try:
            return json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Gone("a reply is not JSON") from error


def serve(namespace: dict[str, Any], descriptor: int) -> None:
    """In the solution's process: answer requests until the judge has ended."""
    line = _Line(descriptor)
    kept: list[Any] = []

    def keep(value: Any) -> int:
        kept.append(value)
        return len(kept) - 1

    def answer(request: list[Any]) -> list[Any]:
        what, target, name, arguments, keywords = request
        reader = Reader(lambda number, _: kept[number])
        positional = [reader.read(argument) for argument in arguments]
        named = {key: reader.read(value) for key, value in keywords.items()}
        value = _ACTS[what](namespace if target is None else kept[target], name, positional, named)
        changed = [encode(a, keep) if type(a) in _CHANGEABLE else None for a in positional] if what == "call" else []
        return ["value", encode(value, keep), changed]

    while True:
        try:
            request = line.receive()
        except Gone:
            return
        try:
            reply = answer(request)
        except TooBig as error:
            reply = ["raised", "OverflowError", str(error)]
        except BaseException as error:
            try:
                reply = ["raised", type(error).__name__[:80], str(error)[:300]]
            except BaseException:
                reply = ["raised", "Exception", ""]
        line.send(reply)


_CHANGEABLE = (list, dict, set, bytearray, collections.deque)
_ACTS: dict[str, Callable[[Any, str, list[Any], dict[str, Any]], Any]] = {
    "name": lambda target, name, args, named: target[name],
    "call": lambda target, name, args, named: target(*args, **named),
    "attribute": lambda target, name, args, named: getattr(target, name),
    "set": lambda target, name, args, named: setattr(target, name, args[0]),
    "item": lambda target, name, args, named: target[args[0]],
    "set_item": lambda target, name, args, named: target.__setitem__(args[0], args[1]),
    "length": lambda target, name, args, named: len(target),
    "list": lambda target, name, args, named: list(target),
    "contains": lambda target, name, args, named: args[0] in target,
}  # fmt: skip


class Judge:
    """In the judge's process: asks, and hands out proxies."""

    def __init__(self, descriptor: int, own: str = "") -> None:
        """Create a judge.

        Args:
            descriptor: Leads to the solution's process.
            own: Name of the class that the problem asks for; '' where it asks for a function.
        """
        self.line = _Line(descriptor)
        self.own = own
        self.forged = ""

    def ask(
        self,
        what: str,
        target: int | None,
        name: str = "",
        args: Sequence[Any] = (),
        named: dict[str, Any] | None = None,
    ) -> Any:
        """One request and its answer; raises what the solution raised."""
        request = [what, target, name, [encode(a, self._number) for a in args],
                   {key: encode(value, self._number) for key, value in (named or {}).items()}]  # fmt: skip
        self.line.send(request)
        reply = self.line.receive()
        try:
            return self._understand(reply, args)
        except (Malformed, ValueError, TypeError, KeyError, IndexError) as error:
            raise Gone(f"a reply is malformed: {error}") from error

    def _understand(self, reply: Any, args: Sequence[Any]) -> Any:
        if reply[0] == "raised":
            _, name, text = reply
            kind = getattr(builtins, name, None) if isinstance(name, str) else None
            if not (isinstance(kind, type) and issubclass(kind, Exception)):
                kind = SolutionError
            try:
                raised = kind(str(text))
            except TypeError:  # UnicodeDecodeError and the like want more
                raised = SolutionError(f"{name}: {text}")
            raise _Raised(raised)
        _, value, changed = reply
        reader = Reader(lambda number, kind: Proxy(self, number, kind))
        for argument, new in zip(args, changed, strict=False):
            if new is not None and type(argument) in _CHANGEABLE:
                _put_back(argument, reader.read(new))
        return reader.read(value)

    def _number(self, value: Any) -> int:
        if type(value) is Proxy:
            return object.__getattribute__(value, "number")
        if isinstance(value, (types.FunctionType, type)) or type(value).__module__ == TESTS:
            # The test's own doing, so its own fault. The solution must not be able to bring this about.
            self.forged = self.forged or f"the test hands the solution an object of its own ({type(value).__name__})"
            raise Forgeable(self.forged)
        raise TypeError(f"a {type(value).__name__} cannot be handed to the solution")


class _Raised(Exception):
    """Carries the solution's exception past our own handlers."""


def _put_back(argument: Any, new: Any) -> None:
    if type(new) is not type(argument):
        raise Malformed("an argument changed its type")
    if isinstance(argument, (list, bytearray)):
        argument[:] = new
        return
    argument.clear()
    if isinstance(argument, collections.deque):
        argument.extend(new)
    else:
        argument.update(new)


class Proxy:
    """Something of the solution's, seen from the judge's process."""

    def __init__(self, judge: Judge, number: int, kind: str) -> None:
        """Stand for the object of that number in the solution's process."""
        for name, value in (("judge", judge), ("number", number), ("kind", kind)):
            object.__setattr__(self, name, value)

    def _ask(self, what: str, name: str = "", args: Sequence[Any] = (), named: dict[str, Any] | None = None) -> Any:
        judge, number = object.__getattribute__(self, "judge"), object.__getattribute__(self, "number")
        try:
            return judge.ask(what, number, name, args, named)
        except _Raised as error:
            raise error.args[0] from None

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call it there."""
        return Proxy._ask(self, "call", "", args, named)

    def __getattr__(self, name: str) -> Any:
        return Proxy._ask(self, "attribute", name)

    def __setattr__(self, name: str, value: Any) -> None:
        Proxy._ask(self, "set", name, [value])

    def __getitem__(self, key: Any) -> Any:
        return Proxy._ask(self, "item", "", [key])

    def __setitem__(self, key: Any, value: Any) -> None:
        Proxy._ask(self, "set_item", "", [key, value])

    def __len__(self) -> int:
        return Proxy._ask(self, "length")

    def __iter__(self) -> Any:
        return iter(Proxy._ask(self, "list"))

    def __contains__(self, item: Any) -> bool:
        # Of a function, the answer: to be told the item is to be told what is expected.
        if object.__getattribute__(self, "kind") != object.__getattribute__(self, "judge").own:
            Proxy._refuse(self)
        return Proxy._ask(self, "contains", "", [item])

    def _refuse(self, *_: object) -> Any:
        kind = object.__getattribute__(self, "kind")
        raise TypeError(
            f"the answer is an object of the solution's own ({kind}), which cannot be asked whether it is right"
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __instancecheck__ = __subclasscheck__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __str__ = __repr__ = __format__ = _refuse
    __int__ = __float__ = __index__ = __round__ = __abs__ = __neg__ = _refuse
    __hash__ = object.__hash__


class _Missing:
    """A name that the solution does not have."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *_: object, **__: object) -> Any:
        raise NameError(f"name '{self.name}' is not defined")

    __getattr__ = __call__


def judge(
    entry: str,
    tests: Sequence[str],
    setup: str,
    names: Sequence[str],
    descriptor: int,
    record: Callable[..., object],
) -> None:
    """Run tests whose names of the solution are proxies, and record each verdict."""
    asker = Judge(descriptor, entry if entry[:1].isupper() and "." not in entry else "")
    namespace: dict[str, Any] = {
        "__name__": TESTS, "math": math, "collections": collections, "isclose": math.isclose, "inf": math.inf,
        "nan": math.nan, "Counter": collections.Counter, "deque": collections.deque, "Decimal": decimal.Decimal,
        "Fraction": fractions.Fraction, "OrderedDict": collections.OrderedDict, "defaultdict": collections.defaultdict,
    }  # fmt: skip
    for name in names:
        namespace[name] = _resolve(asker, name)
    failed = _attempt(asker, setup, namespace) if setup else None
    for number, test in enumerate(tests):
        if not failed:
            _lend_modules(test, namespace)
        verdict = failed or _attempt(asker, test, namespace) or ("pass", "")
        record("test", number, *verdict)
    record("end", len(tests))


def _lend_modules(test: str, namespace: dict[str, Any]) -> None:
    """Import what a test takes from the standard library and counts on the solution to have imported."""
    for node in ast.walk(ast.parse(test)):
        if isinstance(node, ast.Name) and node.id not in namespace and node.id in sys.stdlib_module_names:
            namespace[node.id] = importlib.import_module(node.id)


def _resolve(asker: Judge, name: str) -> Any:
    try:
        return asker.ask("name", None, name)
    except (_Raised, Gone):
        return _Missing(name)


def _attempt(asker: Judge, text: str, namespace: dict[str, Any]) -> tuple[str, str] | None:
    asker.forged = ""
    try:
        exec(compile(text, "<test>", "exec", dont_inherit=True), namespace)
    except BaseException as error:
        words = f"{type(error).__name__}: {str(error)[:200]}".rstrip(": ")
        return ("forgeable", asker.forged) if asker.forged else ("fail", words)
    return ("forgeable", asker.forged) if asker.forged else None
