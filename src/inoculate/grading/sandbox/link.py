"""Two processes that talk: each keeps its own objects and answers for them, and the other one holds stand-ins.

Between the solution's process and the judge's: what is plain data is copied, all else stays where it is and is known
by a number. A request is `["ask", what, target, name, arguments, keywords]`, where the last arguments have these
keywords, the reply `["value", value, changed]` or `["raised", ...]`; while one side waits for its reply it answers the
other's requests (a test's function that the solution calls).
"""

from __future__ import annotations

import collections
import contextlib
import json
import operator
import os
import sys
import threading
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from inoculate.grading.sandbox import proxies, raised
from inoculate.grading.sandbox.reader import Malformed, Reader
from inoculate.grading.sandbox.values import (
    MOST_REPLY,
    Node,
    TooBig,
    contents,
    decides,
    encode,
    is_named,
    overrides,
)
from inoculate.grading.sandbox.watch import Watch

TESTS = "tests"
"""Name of the module in which tests run."""

CHANGEABLE = (
    list, dict, set, bytearray, collections.deque, collections.Counter, collections.OrderedDict,
    collections.defaultdict,
)  # fmt: skip
"""Arguments whose changes come back."""


class Gone(Exception):
    """The other process has ended, or does not talk as it should."""


class Line:
    """Lines of JSON over a descriptor."""

    def __init__(self, descriptor: int) -> None:
        """Talk over that descriptor."""
        self.descriptor = descriptor
        self.waiting = b""

    def send(self, message: Any) -> None:
        """Send one message."""
        data = memoryview((json.dumps(message) + "\n").encode())
        if len(data) > MOST_REPLY:
            raise TooBig("a message too long")
        try:
            while data:
                data = data[os.write(self.descriptor, data) :]
        except OSError as error:
            raise Gone("the other side has ended") from error

    def receive(self) -> Any:
        """The next message."""
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


class Link:
    """One end of the talk."""

    def __init__(self, descriptor: int, *, guarded: bool, own: str = "") -> None:
        """Create one.

        Args:
            descriptor: Leads to the other process.
            guarded: Whether this side's objects answer only what cannot lead to what the tests expect.
            own: Name of the class that the problem asks for; '' where it asks for a function.
        """
        self.line = Line(descriptor)
        self.guarded = guarded
        self.namespace: dict[str, Any] = {}
        """Whose names the other side may ask for."""
        self.own = own
        self.lock = threading.RLock()
        """Held while something is asked: threads of a test take turns."""
        self.contents: dict[int, Any] = {}
        """What objects of the other side, derived from builtins that do not change, have been found to hold."""
        self.kept: list[Any] = []
        self.numbers: dict[int, int] = {}
        self.handed: set[int] = set()
        """Numbers of what the other side was given, and not only told the class of."""
        self.classes: dict[int, Any] = {}
        """Stand-ins for classes of the other side, by number."""
        self.loop: Any = None
        self.proxies: dict[Any, Any] = {}
        self.held: dict[Any, Any] = {}
        self.exceptions: dict[Any, Any] = {}
        self.arguments: Sequence[Any] = ()
        """Of the call that is being answered, so that an answer that *is* one of them is known for it."""
        self.gone = ""
        """Why the other side no longer answers, once it has been asked in vain."""
        self.watch = Watch()

    # What goes out.

    def keep(self, value: Any) -> int:
        """The number of an object of this side."""
        number = self.numbers.get(id(value))
        if number is None:
            number = self.numbers[id(value)] = len(self.kept)
            self.kept.append(value)
        return number

    def give(self, value: Any) -> int:
        """The number of an object of this side that the other may use."""
        number = self.keep(value)
        self.handed.add(number)
        return number

    def _class_given(self, kind: type[Any]) -> int:
        """The number of the class of an object that is given; instances of a test's own may be made like it."""
        return self.give(kind) if kind.__module__ == TESTS else self.keep(kind)

    def hand(self, value: Any) -> Node | None:
        """The node for an object that stays where it is; None for one that is copied."""
        kind = type(value)
        if issubclass(kind, (proxies.Proxy, proxies.Class)) or kind in proxies.HELD:
            return ["k", [proxies.reference(value).number], []]
        if isinstance(value, type):
            return None if is_named(value) else ["class", [self.give(value)], []]
        if isinstance(value, BaseException):
            return ["x", [self._describe_exception(value)], []]
        if kind is types.CoroutineType:
            return ["w", [self.give(value)], []]
        held = contents(value)
        if held is not None:
            return ["S", [overrides(kind), self.give(value), self._class_given(kind)], held]
        return None if is_copied(value) else ["h", [self.give(value), self._class_given(kind)], []]

    def write(self, value: Any) -> Any:
        """A value for the other side."""
        return encode([value], self, {id(argument): number for number, argument in enumerate(self.arguments)})

    # What comes in.

    def read(self, data: Any) -> Any:
        """A value from the other side."""
        (value,) = Reader(self).read(data)
        return value

    def take(self, tag: str, heads: list[Any], parts: list[Any]) -> Any:
        """What stands for an object that stays where it is."""
        if tag == "k":
            (number,) = heads
            return self.kept[_number(number)]
        if tag == "a":
            (number,) = heads
            return self.arguments[_number(number)]
        if tag == "class":
            (number,) = heads
            return self.class_of(_number(number))
        if tag == "w":
            (number,) = heads
            return proxies.Coroutine(self, _number(number))
        if tag == "x":
            (told,) = heads
            return self._exception(told)
        if tag == "h":
            number, kind = heads
            return proxies.make(self.class_of(_number(kind)), proxies.Reference(self, _number(number)), whole=True)
        if tag == "S":
            _, number, kind = heads
            (held,) = parts
            return proxies.hold(held, proxies.Reference(self, _number(number)), self.class_of(_number(kind)))
        raise Malformed(f"unknown kind of value: {tag[:40]!r}")

    def class_of(self, number: int) -> Any:
        """The class here that stands for a class of the other side."""
        if number not in self.classes:
            told = self.ask("describe", number)
            self.classes[number] = proxies.build(self, number, told)
        return self.classes[number]

    def ask(
        self,
        what: str,
        target: int | None,
        name: str = "",
        arguments: Sequence[Any] = (),
        named: Mapping[str, Any] | None = None,
    ) -> Any:
        """One request and its answer; raises what was raised there."""
        with self.lock:
            thrown, value = self._ask(what, target, name, [*arguments, *(named or {}).values()], list(named or {}))
            if thrown is None:
                return value
            self.watch.raised(thrown, what, name)
            raise thrown

    def _ask(
        self, what: str, target: int | None, name: str, everything: list[Any], named: list[str]
    ) -> tuple[BaseException | None, Any]:
        outer, denied = self.arguments, self.watch.denied
        self.watch.denied = False
        try:
            written = []
            for number, argument in enumerate(everything):
                self.arguments = everything[:number]  # what is given twice is one object there too
                written.append(self.write(argument))
            self.arguments = ()
            self.line.send(["ask", what, target, name, written, named])
            thrown, value = self._understand(self._await_reply(), everything)
            if self.watch.denied and not isinstance(thrown, AssertionError):
                self.watch.failed = "an assert failed in what the solution called, which went on"
            return thrown, value
        except Gone as error:
            self.gone = str(error)
            raise
        except (Malformed, ValueError, LookupError, AttributeError, _NotUnderstood) as error:
            self.gone = f"a reply is malformed: {error}"
            raise Gone(self.gone) from error
        finally:
            self.arguments, self.watch.denied = outer, denied

    def _await_reply(self) -> list[Any]:
        while True:
            message = self.line.receive()
            if type(message) is not list or not message:
                raise Gone("a reply is not a message")
            if message[0] != "ask":
                return message
            self.answer(message)

    def _understand(self, reply: list[Any], arguments: Sequence[Any]) -> tuple[BaseException | None, Any]:
        """What was raised there, and the answer; puts back what became of the arguments."""
        try:
            if reply[0] == "raised":
                return self._exception(reply[1]), None
            _, value, changed = reply
            self.arguments = arguments
            news = [None if new is None else (self.read(new),) for new in changed]
            for argument, new in zip(arguments, news, strict=False):
                if new is not None and type(argument) in CHANGEABLE:
                    _put_back(argument, new[0])
            return None, self.read(value)
        except TypeError as error:
            raise _NotUnderstood(str(error)) from error

    # What is asked of this side.

    def serve(self) -> None:
        """Answer requests until the other side has ended."""
        while True:
            try:
                message = self.line.receive()
                self.answer(message)
            except Gone:
                return

    def answer(self, request: Any) -> None:
        """Answer one request."""
        outer = self.arguments
        try:
            reply = self._answer(request)
        except Gone:
            raise
        except TooBig as error:
            reply = ["raised", self._describe_exception(OverflowError(str(error)))]
        except BaseException as error:
            self.arguments = ()
            self.watch.denied = self.watch.denied or self.watch.denies(error)
            reply = ["raised", self._describe_exception(error)]
        finally:
            self.arguments = outer
        try:
            self.line.send(reply)
        except TooBig as error:
            self.line.send(["raised", self._describe_exception(OverflowError(str(error)))])

    def _answer(self, request: list[Any]) -> list[Any]:
        _, what, target, name, arguments, named = request
        self.arguments = ()
        everything: list[Any] = []
        for argument in arguments:
            self.arguments = everything
            everything.append(self.read(argument))
        positional = everything[: len(everything) - len(named)]
        keywords = dict(zip(map(str, named), everything[len(positional) :], strict=True))
        subject = self.kept[_number(target)] if target is not None else None
        if self.guarded:
            _guard(what, subject, name, given=target in self.handed)
        value = _ACTS[what](self, subject, str(name), positional, keywords)
        self.arguments = everything
        changed = [self._afresh(argument) for argument in everything] if what == "call" else []
        return ["value", self.write(value), changed]

    def _afresh(self, argument: Any) -> Any:
        """What became of an argument, in which any of them may occur as a part."""
        if type(argument) not in CHANGEABLE:
            return None
        parts = encode(argument, self, {id(argument): number for number, argument in enumerate(self.arguments)})
        return [*parts, ["l", [], [[len(parts) - 1]]]]

    # Exceptions.

    def _describe_exception(self, error: BaseException) -> Any:
        try:
            kinds = [kind for kind in type(error).__mro__ if issubclass(kind, BaseException)]
            names = [[kind.__module__, kind.__qualname__] for kind in kinds]
            text = str(error)[:10_000]
            cause = error.__cause__
            number = None if self.guarded else self.give(error)
            told = [names, text, number, self._describe_exception(cause) if cause else None]
            try:
                return [*told, [self.write(part) for part in error.args], self.write(raised.state_of(error))]
            except Exception:
                return [*told, [self.write(text)], self.write({})]
        except BaseException:  # its class does as it likes
            return [[["builtins", "Exception"]], "", None, None, [], self.write({})]

    def _exception(self, told: list[Any]) -> BaseException:
        names, text, number, cause, arguments, state = told
        kind = raised.exception_class(self, names)
        made = raised.raise_again(kind, [self.read(argument) for argument in arguments], str(text))
        if number is not None and type(made).__module__ != "builtins":
            made._told = (proxies.Reference(self, _number(number)), str(text))  # type: ignore[attr-defined]
        for name, value in self.read(state).items():
            with contextlib.suppress(AttributeError, TypeError):
                setattr(made, str(name), value)
        made.__cause__ = self._exception(cause) if cause else None
        return made


class _NotUnderstood(Exception):
    """A reply of another form than replies have."""


def is_copied(value: Any) -> bool:
    """Whether a value that is no builtin is plain data all the same (of numpy, or an identifier, a path)."""
    try:
        return encode(value)[-1][0] != "o"
    except (TypeError, TooBig):
        return False


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise Malformed("not the number of an object")
    return value


def _put_back(argument: Any, new: Any) -> None:
    if isinstance(argument, (list, bytearray)):
        argument[:] = new
        return
    argument.clear()
    argument.extend(new) if isinstance(argument, collections.deque) else argument.update(new)


_CLOSED = (
    type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.FrameType,
    types.CodeType, types.TracebackType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType,
)  # fmt: skip
_OPEN_NAMES = ("__name__", "__qualname__", "__doc__")


def _guard(what: str, subject: Any, name: Any, *, given: bool) -> None:
    """Let the solution use what a test hands it, and reach nothing else of the test from there."""
    if not given and what != "describe":
        raise TypeError("that is not for the solution")
    if what in ("attribute", "set", "delete") and name not in _OPEN_NAMES:
        if isinstance(subject, _CLOSED) or not isinstance(name, str) or name.startswith("_"):
            raise AttributeError(name)
        if _is_tests_own(subject, name, reading=what == "attribute"):
            raise AttributeError(f"'{name}' is the test's own")
    elif what not in ("describe", "call", "special", "operator", "contents", "await", "attribute"):
        raise TypeError(f"a test's object cannot be asked for '{what}'")


def _is_tests_own(subject: Any, name: str, *, reading: bool) -> bool:
    """Whether a name of a test's object is no data: a method that would be replaced, or what a mock has noted."""
    mock = sys.modules.get("unittest.mock")
    if mock is not None and isinstance(subject, mock.NonCallableMock):
        return hasattr(type(subject), name) or name.startswith("assert")
    found = next((vars(kind)[name] for kind in type(subject).__mro__ if name in vars(kind)), None)
    return not reading and (callable(found) or isinstance(found, classmethod))


def _describe(link: Link, kind: type[Any], *_: Any) -> list[Any]:
    """What the other side has to know of a class: name, known class, bases of its own, special methods, equality."""
    if not isinstance(kind, type):
        raise TypeError("not a class")
    known = [
        [base.__module__, base.__qualname__] for base in kind.__mro__ if base.__module__ in sys.stdlib_module_names
    ]
    bases = [base for base in kind.__bases__ if not raised.is_pythons(base.__module__)]
    special = [name for name in proxies.SPECIAL if getattr(kind, name, None) not in (None, getattr(object, name, None))]
    meta = [name for name in proxies.META if hasattr(type(kind), name)]
    equality = [kind.__eq__ is not object.__eq__, decides(kind)]
    thrown = [[base.__module__, base.__qualname__] for base in kind.__mro__ if issubclass(base, BaseException)]
    return [kind.__name__, known, [link.keep(base) for base in bases], special, meta, equality, thrown]


def _special(link: Link, subject: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    return proxies.SPECIAL[name](subject, *arguments)


def _operator(link: Link, subject: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    return getattr(operator, proxies.OPERATORS[name])(*arguments)


def _contents(link: Link, subject: Any, *_: Any) -> Any:
    return contents(subject)


def _leave(link: Link, subject: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    """`__exit__`, given the exception by the names of its classes and its arguments."""
    return type(subject).__exit__(subject, *_left_with(link, arguments))


def _leave_async(link: Link, subject: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    return _await(link, type(subject).__aexit__(subject, *_left_with(link, arguments)))


def _left_with(link: Link, arguments: list[Any]) -> tuple[Any, ...]:
    if not arguments:
        return None, None, None
    names, text, given = arguments
    error = raised.raise_again(raised.exception_class(link, names), given, str(text))
    return type(error), error, None


def _await(link: Link, subject: Any, name: str = "", *_: Any) -> Any:
    """The value of a coroutine, what a context gives, or the next value of an asynchronous iterator."""
    import asyncio

    if link.loop is None:
        link.loop = asyncio.new_event_loop()  # one for all: the end of a loop ends its asynchronous generators
    return link.loop.run_until_complete(subject if isinstance(subject, types.CoroutineType) else _step(subject, name))


async def _step(subject: Any, name: str) -> Any:
    return await (type(subject).__aenter__(subject) if name == "__aenter__" else anext(subject))


_ACTS: dict[str, Callable[..., Any]] = {
    "describe": _describe,
    "name": lambda link, _, name, args, named: link.namespace[name],
    "call": lambda link, target, name, args, named: target(*args, **named),
    "attribute": lambda link, target, name, args, named: getattr(target, name),
    "set": lambda link, target, name, args, named: setattr(target, name, args[0]),
    "delete": lambda link, target, name, args, named: delattr(target, name),
    "special": _special, "operator": _operator, "contents": _contents, "exit": _leave, "aexit": _leave_async,
    "await": _await,
}  # fmt: skip
