"""Remote procedure calls between the solution process and the test process.

Plain data is copied; any other object stays in its process, and the other process holds a proxy with its number. A
request is `["ask", operation, target, name, arguments, keywords]`, where the last arguments have these keywords. The
reply is `["value", value, changed]` or `["raised", ...]`. While a process waits for its reply, it answers requests of
the other one (for instance when the solution calls a function of the test).
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

from inoculate.grading.sandbox import proxies, remote_exceptions
from inoculate.grading.sandbox.decoder import Decoder, Malformed
from inoculate.grading.sandbox.encoder import (
    MAX_REPLY,
    Node,
    TooBig,
    contents,
    defines_equality,
    encode,
    is_named,
    overrides_comparison,
)
from inoculate.grading.sandbox.hidden_failures import FailureMonitor

TESTS = "tests"
"""The name of the module in which tests run."""

MUTABLE = (
    list, dict, set, bytearray, collections.deque, collections.Counter, collections.OrderedDict,
    collections.defaultdict,
)  # fmt: skip
"""Types of arguments whose changes are sent back."""


class ConnectionLost(Exception):
    """The other process has ended, or violates the protocol."""


class MessageStream:
    """Messages as lines of JSON over a descriptor."""

    def __init__(self, descriptor: int) -> None:
        """Use this descriptor."""
        self.descriptor = descriptor
        self.buffer = b""

    def send(self, message: Any) -> None:
        """Send one message."""
        data = memoryview((json.dumps(message) + "\n").encode())
        if len(data) > MAX_REPLY:
            raise TooBig("a message too long")
        try:
            while data:
                data = data[os.write(self.descriptor, data) :]
        except OSError as error:
            raise ConnectionLost("the other process has ended") from error

    def receive(self) -> Any:
        """The next message."""
        pieces = [self.buffer]
        size = len(self.buffer)
        while b"\n" not in pieces[-1]:
            try:
                piece = os.read(self.descriptor, 1 << 16)
            except OSError as error:
                raise ConnectionLost("the other process has ended") from error
            size += len(piece)
            if not piece or size > MAX_REPLY:
                raise ConnectionLost("the other process has ended" if not piece else "a reply is too long")
            pieces.append(piece)
        line, _, self.buffer = b"".join(pieces).partition(b"\n")
        try:
            return json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ConnectionLost("a reply is not JSON") from error


class Connection:
    """One end of the connection."""

    def __init__(self, descriptor: int, *, guarded: bool, class_name: str = "") -> None:
        """Create one.

        Args:
            descriptor: The socket to the other process.
            guarded: Whether this is the test process, whose objects must not disclose what the tests expect.
            class_name: The class that the problem asks for; '' where it asks for a function.
        """
        self.stream = MessageStream(descriptor)
        self.guarded = guarded
        self.namespace: dict[str, Any] = {}
        """The names that the other process may request."""
        self.class_name = class_name
        self.lock = threading.RLock()
        """Held during a request: threads of a test take turns."""
        self.known_contents: dict[int, Any] = {}
        """By number, the builtin values in remote instances of subclasses of immutable builtins."""
        self.objects: list[Any] = []
        self.numbers: dict[int, int] = {}
        self.shared: set[int] = set()
        """Numbers of objects that the other process got itself, and not only as the class of another."""
        self.classes: dict[int, Any] = {}
        """Proxies for classes of the other process, by number."""
        self.loop: Any = None
        self.proxies: dict[Any, Any] = {}
        self.value_proxy_classes: dict[Any, Any] = {}
        self.exceptions: dict[Any, Any] = {}
        self.arguments: Sequence[Any] = ()
        """Of the current call, so that a result that *is* one of them is recognised."""
        self.lost = ""
        """Why the connection was lost; empty while it works."""
        self.monitor = FailureMonitor()

    # Encoding.

    def number_of(self, value: Any) -> int:
        """The number of an object of this process."""
        number = self.numbers.get(id(value))
        if number is None:
            number = self.numbers[id(value)] = len(self.objects)
            self.objects.append(value)
        return number

    def share(self, value: Any) -> int:
        """The number of an object of this process, which the other process may use from now on."""
        number = self.number_of(value)
        self.shared.add(number)
        return number

    def _class_number(self, kind: type[Any]) -> int:
        """The number of the class of a shared object; the solution may create instances of a test's own classes."""
        return self.share(kind) if kind.__module__ == TESTS else self.number_of(kind)

    def encode_reference(self, value: Any) -> Node | None:
        """The node that refers to an object; None if the object is copied instead."""
        kind = type(value)
        if issubclass(kind, (proxies.Proxy, proxies.ProxyClass)) or kind in proxies.VALUE_PROXIES:
            return ["k", [proxies.reference(value).number], []]
        if isinstance(value, type):
            return None if is_named(value) else ["class", [self.share(value)], []]
        if isinstance(value, BaseException):
            return ["x", [self._describe_exception(value)], []]
        if kind is types.CoroutineType:
            return ["w", [self.share(value)], []]
        builtin = contents(value)
        if builtin is not None:
            return ["S", [overrides_comparison(kind), self.share(value), self._class_number(kind)], builtin]
        return None if is_copied(value) else ["h", [self.share(value), self._class_number(kind)], []]

    def encode(self, value: Any) -> Any:
        """Encode a value for the other process."""
        return encode([value], self, {id(argument): number for number, argument in enumerate(self.arguments)})

    # Decoding and requests.

    def decode(self, data: Any) -> Any:
        """Decode a value from the other process."""
        (value,) = Decoder(self).decode(data)
        return value

    def decode_reference(self, tag: str, heads: list[Any], parts: list[Any]) -> Any:
        """The object of this process, or the proxy, that a reference denotes."""
        if tag == "k":
            (number,) = heads
            return self.objects[_number(number)]
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
            (description,) = heads
            return self._exception(description)
        if tag == "h":
            number, kind = heads
            return proxies.make_proxy(
                self.class_of(_number(kind)), proxies.Reference(self, _number(number)), without_contents=True
            )
        if tag == "S":
            _, number, kind = heads
            (builtin,) = parts
            return proxies.make_value_proxy(
                builtin, proxies.Reference(self, _number(number)), self.class_of(_number(kind))
            )
        raise Malformed(f"unknown kind of value: {tag[:40]!r}")

    def class_of(self, number: int) -> Any:
        """The proxy for a class of the other process."""
        if number not in self.classes:
            description = self.request("describe", number)
            self.classes[number] = proxies.make_proxy_class(self, number, description)
        return self.classes[number]

    def request(
        self,
        operation: str,
        target: int | None,
        name: str = "",
        arguments: Sequence[Any] = (),
        named: Mapping[str, Any] | None = None,
    ) -> Any:
        """Send a request and return the result; raises what was raised there."""
        with self.lock:
            values = [*arguments, *(named or {}).values()]
            error, value = self._request(operation, target, name, values, list(named or {}))
            if error is None:
                return value
            self.monitor.on_raised(error, operation, name)
            raise error

    def _request(
        self, operation: str, target: int | None, name: str, arguments: list[Any], named: list[str]
    ) -> tuple[BaseException | None, Any]:
        outer, callback_failed = self.arguments, self.monitor.callback_failed
        self.monitor.callback_failed = False
        try:
            encoded = []
            for number, argument in enumerate(arguments):
                self.arguments = arguments[:number]  # an object that is passed twice is one object there too
                encoded.append(self.encode(argument))
            self.arguments = ()
            self.stream.send(["ask", operation, target, name, encoded, named])
            raised, value = self._read_reply(self._await_reply(), arguments)
            if self.monitor.callback_failed and not isinstance(raised, AssertionError):
                self.monitor.failure = "an assert failed in a callback, and the solution went on"
            return raised, value
        except ConnectionLost as error:
            self.lost = str(error)
            raise
        except (Malformed, ValueError, LookupError, AttributeError, _MalformedReply) as error:
            self.lost = f"a reply is malformed: {error}"
            raise ConnectionLost(self.lost) from error
        finally:
            self.arguments, self.monitor.callback_failed = outer, callback_failed

    def _await_reply(self) -> list[Any]:
        while True:
            message = self.stream.receive()
            if type(message) is not list or not message:
                raise ConnectionLost("a reply is not a message")
            if message[0] != "ask":
                return message
            self.answer(message)

    def _read_reply(self, reply: list[Any], arguments: Sequence[Any]) -> tuple[BaseException | None, Any]:
        """The exception that was raised there, and the result; applies changes to the arguments."""
        try:
            if reply[0] == "raised":
                return self._exception(reply[1]), None
            _, value, changed = reply
            self.arguments = arguments
            updates = [None if new is None else (self.decode(new),) for new in changed]
            for argument, update in zip(arguments, updates, strict=False):
                if update is not None and type(argument) in MUTABLE:
                    _update(argument, update[0])
            return None, self.decode(value)
        except TypeError as error:
            raise _MalformedReply(str(error)) from error

    # Answering requests.

    def serve(self) -> None:
        """Answer requests until the other process has ended."""
        while True:
            try:
                message = self.stream.receive()
                self.answer(message)
            except ConnectionLost:
                return

    def answer(self, request: Any) -> None:
        """Answer one request."""
        outer = self.arguments
        try:
            reply = self._answer(request)
        except ConnectionLost:
            raise
        except TooBig as error:
            reply = ["raised", self._describe_exception(OverflowError(str(error)))]
        except BaseException as error:
            self.arguments = ()
            self.monitor.callback_failed = self.monitor.callback_failed or self.monitor.is_assert_on_argument(error)
            reply = ["raised", self._describe_exception(error)]
        finally:
            self.arguments = outer
        try:
            self.stream.send(reply)
        except TooBig as error:
            self.stream.send(["raised", self._describe_exception(OverflowError(str(error)))])

    def _answer(self, request: list[Any]) -> list[Any]:
        _, operation, target, name, encoded, named = request
        self.arguments = ()
        arguments: list[Any] = []
        for argument in encoded:
            self.arguments = arguments
            arguments.append(self.decode(argument))
        positional = arguments[: len(arguments) - len(named)]
        keywords = dict(zip(map(str, named), arguments[len(positional) :], strict=True))
        subject = self.objects[_number(target)] if target is not None else None
        if self.guarded:
            _guard(operation, subject, name, is_shared=target in self.shared)
        value = _OPERATIONS[operation](self, subject, str(name), positional, keywords)
        self.arguments = arguments
        changed = [self._encode_changed(argument) for argument in arguments] if operation == "call" else []
        return ["value", self.encode(value), changed]

    def _encode_changed(self, argument: Any) -> Any:
        """The present value of a mutable argument, which may contain other arguments; None for others."""
        if type(argument) not in MUTABLE:
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
            number = None if self.guarded else self.share(error)
            head = [names, text, number, self._describe_exception(cause) if cause else None]
            try:
                arguments = [self.encode(part) for part in error.args]
                return [*head, arguments, self.encode(remote_exceptions.state_of(error))]
            except Exception:
                return [*head, [self.encode(text)], self.encode({})]
        except BaseException:  # its class may do anything
            return [[["builtins", "Exception"]], "", None, None, [], self.encode({})]

    def _exception(self, description: list[Any]) -> BaseException:
        names, text, number, cause, arguments, state = description
        kind = remote_exceptions.exception_class(self, names)
        error = remote_exceptions.rebuild(kind, [self.decode(argument) for argument in arguments], str(text))
        if number is not None and type(error).__module__ != "builtins":
            error._remote = (proxies.Reference(self, _number(number)), str(text))  # type: ignore[attr-defined]
        for name, value in self.decode(state).items():
            with contextlib.suppress(AttributeError, TypeError):
                setattr(error, str(name), value)
        error.__cause__ = self._exception(cause) if cause else None
        return error


class _MalformedReply(Exception):
    """A reply does not have the form of a reply."""


def is_copied(value: Any) -> bool:
    """Whether a value that is not a builtin is plain data nevertheless (of numpy, a UUID, a path)."""
    try:
        return encode(value)[-1][0] != "o"
    except (TypeError, TooBig):
        return False


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise Malformed("not the number of an object")
    return value


def _update(argument: Any, new: Any) -> None:
    if isinstance(argument, (list, bytearray)):
        argument[:] = new
        return
    argument.clear()
    argument.extend(new) if isinstance(argument, collections.deque) else argument.update(new)


_PRIVATE_TYPES = (
    type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.FrameType,
    types.CodeType, types.TracebackType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType,
)  # fmt: skip
_PUBLIC_NAMES = ("__name__", "__qualname__", "__doc__")


def _guard(operation: str, subject: Any, name: Any, *, is_shared: bool) -> None:
    """Let the solution use the objects that a test passes to it, and reach nothing else of the test through them."""
    if not is_shared and operation != "describe":
        raise TypeError("that is not for the solution")
    if operation in ("attribute", "set", "delete") and name not in _PUBLIC_NAMES:
        if isinstance(subject, _PRIVATE_TYPES) or not isinstance(name, str) or name.startswith("_"):
            raise AttributeError(name)
        if _is_tests_own(subject, name, reading=operation == "attribute"):
            raise AttributeError(f"'{name}' belongs to the test")
    elif operation not in ("describe", "call", "special", "operator", "contents", "await", "attribute"):
        raise TypeError(f"a test's object does not support '{operation}'")


def _is_tests_own(subject: Any, name: str, *, reading: bool) -> bool:
    """Whether an attribute of a test's object is not data: a method to be replaced, or the records of a mock."""
    mock = sys.modules.get("unittest.mock")
    if mock is not None and isinstance(subject, mock.NonCallableMock):
        return hasattr(type(subject), name) or name.startswith("assert")
    member = next((vars(kind)[name] for kind in type(subject).__mro__ if name in vars(kind)), None)
    return not reading and (callable(member) or isinstance(member, classmethod))


def _describe(connection: Connection, kind: type[Any], *_: Any) -> list[Any]:
    """A class for the other process: name, standard classes, own bases, special methods, equality, exceptions."""
    if not isinstance(kind, type):
        raise TypeError("not a class")
    standard = [
        [base.__module__, base.__qualname__] for base in kind.__mro__ if base.__module__ in sys.stdlib_module_names
    ]
    bases = [base for base in kind.__bases__ if not remote_exceptions.is_standard(base.__module__)]
    special = [name for name in proxies.SPECIAL if getattr(kind, name, None) not in (None, getattr(object, name, None))]
    meta = [name for name in proxies.META if hasattr(type(kind), name)]
    equality = [kind.__eq__ is not object.__eq__, defines_equality(kind)]
    exceptions = [[base.__module__, base.__qualname__] for base in kind.__mro__ if issubclass(base, BaseException)]
    return [
        kind.__name__,
        standard,
        [connection.number_of(base) for base in bases],
        special,
        meta,
        equality,
        exceptions,
    ]


def _special(connection: Connection, subject: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    return proxies.SPECIAL[name](subject, *arguments)


def _operator(connection: Connection, subject: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    return getattr(operator, proxies.OPERATORS[name])(*arguments)


def _contents(connection: Connection, subject: Any, *_: Any) -> Any:
    return contents(subject)


def _exit(connection: Connection, subject: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    """Call `__exit__` with an exception that is described by the names of its classes, its text and its arguments."""
    return type(subject).__exit__(subject, *_exit_arguments(connection, arguments))


def _async_exit(connection: Connection, subject: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    return _await(connection, type(subject).__aexit__(subject, *_exit_arguments(connection, arguments)))


def _exit_arguments(connection: Connection, arguments: list[Any]) -> tuple[Any, ...]:
    if not arguments:
        return None, None, None
    names, text, error_arguments = arguments
    kind = remote_exceptions.exception_class(connection, names)
    error = remote_exceptions.rebuild(kind, error_arguments, str(text))
    return type(error), error, None


def _await(connection: Connection, subject: Any, name: str = "", *_: Any) -> Any:
    """The value of a coroutine, of an asynchronous context, or the next value of an asynchronous iterator."""
    import asyncio

    if connection.loop is None:
        connection.loop = (
            asyncio.new_event_loop()
        )  # one for all requests: closing a loop ends its asynchronous generators
    return connection.loop.run_until_complete(
        subject if isinstance(subject, types.CoroutineType) else _step(subject, name)
    )


async def _step(subject: Any, name: str) -> Any:
    return await (type(subject).__aenter__(subject) if name == "__aenter__" else anext(subject))


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "describe": _describe,
    "name": lambda connection, _, name, args, named: connection.namespace[name],
    "call": lambda connection, target, name, args, named: target(*args, **named),
    "attribute": lambda connection, target, name, args, named: getattr(target, name),
    "set": lambda connection, target, name, args, named: setattr(target, name, args[0]),
    "delete": lambda connection, target, name, args, named: delattr(target, name),
    "special": _special, "operator": _operator, "contents": _contents, "exit": _exit, "aexit": _async_exit,
    "await": _await,
}  # fmt: skip
