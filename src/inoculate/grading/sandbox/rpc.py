"""Remote procedure calls between the solution process and the test process.

Plain data is copied; any other object stays in its process, and the other process holds a proxy with its number. A
request is `["ask", operation, target, name, arguments, keywords]`, where the last arguments have these keywords. The
reply is `["value", value, changes, number]` (`shared_values`) or `["raised", exception, changes]`. While a process
waits for its reply, it answers requests of the other one (for instance when the solution calls a function of the test).
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import threading
import types
from collections.abc import Mapping, Sequence
from typing import Any

from inoculate.grading.sandbox import operations, proxies, remote_exceptions
from inoculate.grading.sandbox.coroutines import Coroutine
from inoculate.grading.sandbox.decoder import Decoder, Malformed, natural
from inoculate.grading.sandbox.encoder import (
    MAX_REPLY,
    Node,
    TooBig,
    contents,
    encode,
    is_named,
    overrides_comparison,
)
from inoculate.grading.sandbox.hidden_failures import FailureMonitor
from inoculate.grading.sandbox.shared_values import GivenAnswers, KnownAnswers, SharedValues
from inoculate.grading.sandbox.surroundings import Surroundings, Watch

TESTS = "tests"
"""The name of the module in which tests run."""

# References of our own: a test may replace these functions, and those with which `json.loads` does its work.
_dumps, _loads, _read, _write = json.JSONEncoder().encode, json.JSONDecoder().decode, os.read, os.write


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
        data = memoryview((_dumps(message) + "\n").encode())
        if len(data) > MAX_REPLY:
            raise TooBig("a message too long")
        try:
            while data:
                data = data[_write(self.descriptor, data) :]
        except OSError as error:
            raise ConnectionLost("the other process has ended") from error

    def receive(self) -> Any:
        """The next message."""
        pieces = [self.buffer]
        size = len(self.buffer)
        while b"\n" not in pieces[-1]:
            try:
                piece = _read(self.descriptor, 1 << 16)
            except OSError as error:
                raise ConnectionLost("the other process has ended") from error
            size += len(piece)
            if not piece or size > MAX_REPLY:
                raise ConnectionLost("the other process has ended" if not piece else "a reply is too long")
            pieces.append(piece)
        line, _, self.buffer = b"".join(pieces).partition(b"\n")
        try:
            return _loads(line.decode())
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
        self.given_functions: dict[int, int] = {}
        """In the solution process, by `id`: the numbers of functions of modules that the test has passed."""
        self.shared: set[int] = set()
        """Numbers of objects that the other process got itself, and not only as the class of another."""
        self.classes: dict[int, Any] = {}
        """Proxies for classes of the other process, by number."""
        self.loops: list[Any] = []
        """Event loops that are not running; the last one was used last."""
        self.proxies: dict[Any, Any] = {}
        self.value_proxy_classes: dict[Any, Any] = {}
        self.exceptions: dict[Any, Any] = {}
        self.shared_values = SharedValues()
        """Of the current request, so that a result that *is* one of its arguments, or is in one, is recognised."""
        self.given_answers, self.known_answers = GivenAnswers(), KnownAnswers()
        self.lost = ""
        """Why the connection was lost; empty while it works."""
        self.monitor = FailureMonitor()
        self.watch: Watch | None = None
        """In the test process: finds what the tests replace around the solution."""
        self.surroundings = Surroundings(lambda pieces: self.request("output", None, "", [pieces]))

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
        if id(value) in self.given_functions:
            return ["k", [self.given_functions[id(value)]], []]
        if self.guarded and (name := operations.name_of_function(value)):
            return ["function", [*name, self.number_of(value)], []]
        if kind is types.CoroutineType:
            return ["w", [self.share(value)], []]
        builtin = contents(value)
        if builtin is not None:
            return ["S", [overrides_comparison(kind), self.share(value), self._class_number(kind)], builtin]
        return None if is_copied(value) else ["h", [self.share(value), self._class_number(kind)], []]

    def encode(self, value: Any) -> Any:
        """Encode a value for the other process."""
        return encode([value], self, self.shared_values)

    # Decoding and requests.

    def decode(self, data: Any) -> Any:
        """Decode a value from the other process."""
        (value,) = Decoder(self, self.shared_values).decode(data)
        return value

    def decode_reference(self, tag: str, heads: list[Any], parts: list[Any]) -> Any:
        """The object of this process, or the proxy, that a reference denotes."""
        if tag == "k":
            (number,) = heads
            return self.objects[natural(number)]
        if tag == "function" and not self.guarded:
            module, name, number = heads
            function = getattr(importlib.import_module(module), name)
            self.given_functions[id(function)] = natural(number)
            return function
        if tag == "class":
            (number,) = heads
            return self.class_of(natural(number))
        if tag == "w":
            (number,) = heads
            return Coroutine(self, natural(number))
        if tag == "x":
            (description,) = heads
            return self._exception(description)
        if tag == "h":
            number, kind = heads
            return proxies.make_proxy(
                self.class_of(natural(kind)), proxies.Reference(self, natural(number)), without_contents=True
            )
        if tag == "S":
            _, number, kind = heads
            (builtin,) = parts
            return proxies.make_value_proxy(
                builtin, proxies.Reference(self, natural(number)), self.class_of(natural(kind))
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
            for module, changed, new in self.watch.changes() if self.watch else ():
                self._request("surround", None, f"{module}:{changed}", new, [])
            self.surroundings.flush()
            values = [*arguments, *(named or {}).values()]
            error, value = self._request(operation, target, name, values, list(named or {}))
            if error is None:
                return value
            self.monitor.on_raised(error, operation, name)
            raise error

    def _request(
        self, operation: str, target: int | None, name: str, arguments: list[Any], named: list[str]
    ) -> tuple[BaseException | None, Any]:
        outer, callback_failed = self.shared_values, self.monitor.callback_failed
        self.shared_values, self.monitor.callback_failed = SharedValues(), False
        try:
            encoded = [self.encode(argument) for argument in arguments]
            self.shared_values.begin_reply()
            self.stream.send(["ask", operation, target, name, encoded, named])
            raised, value = self._read_reply(self._await_reply())
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
            self.shared_values, self.monitor.callback_failed = outer, callback_failed

    def _await_reply(self) -> list[Any]:
        while True:
            message = self.stream.receive()
            if type(message) is not list or not message:
                raise ConnectionLost("a reply is not a message")
            if message[0] != "ask":
                return message
            self.answer(message)

    def _read_reply(self, reply: list[Any]) -> tuple[BaseException | None, Any]:
        """The exception that was raised there, and the result; applies changes to the arguments."""
        try:
            if reply[0] == "raised":
                _, description, changes = reply
                error, value = self._exception(description), None
            else:
                _, data, changes, number = reply
                error, value = None, self.decode(data)
            self.shared_values.apply(changes, Decoder(self, self.shared_values).decode)
            if error is None and number is not None:
                value = self.known_answers.resolve(natural(number), value, data)
            return error, value
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
        outer, self.shared_values = self.shared_values, SharedValues()
        try:
            reply = self._answer(request)
            try:
                self.stream.send(reply)
            except TooBig as error:
                self.shared_values.forget_reply()  # its changes may be what is too big
                self.stream.send(["raised", self._describe_exception(OverflowError(str(error))), []])
        finally:
            self.shared_values = outer

    def _answer(self, request: list[Any]) -> list[Any]:
        try:
            try:
                return self._value(request)
            finally:
                self.surroundings.flush()
        except ConnectionLost:
            raise
        except TooBig as error:
            return self._raised(OverflowError(str(error)))
        except BaseException as error:
            self.monitor.callback_failed = self.monitor.callback_failed or self.monitor.is_assert_on_argument(error)
            return self._raised(error)

    def _value(self, request: list[Any]) -> list[Any]:
        _, operation, target, name, encoded, named = request
        arguments = [self.decode(argument) for argument in encoded]
        positional = arguments[: len(arguments) - len(named)]
        keywords = dict(zip(map(str, named), arguments[len(positional) :], strict=True))
        subject = self.objects[natural(target)] if target is not None else None
        if self.guarded:
            operations.guard(operation, subject, name, is_shared=target in self.shared)
        shared = self.shared_values
        shared.begin_reply()
        shared.keep_contents()
        value = operations.OPERATIONS[operation](self, subject, str(name), positional, keywords)
        number = None if self.guarded or shared.is_requested(value) else self.given_answers.number_of(value)
        return ["value", self.encode(value), shared.changes(self._encode_contents), number]

    def _raised(self, error: BaseException) -> list[Any]:
        shared = self.shared_values
        shared.forget_reply()
        description = self._describe_exception(error)
        try:
            return ["raised", description, shared.changes(self._encode_contents)]
        except TooBig as too_big:
            shared.forget_reply()
            return ["raised", self._describe_exception(OverflowError(str(too_big))), []]

    def _encode_contents(self, value: Any) -> Any:
        return encode(value, self, self.shared_values)

    # Exceptions.

    def _describe_exception(self, error: BaseException) -> Any:
        shared, count = self.shared_values, self.shared_values.count
        try:
            kinds = [kind for kind in type(error).__mro__ if issubclass(kind, BaseException)]
            names = [[kind.__module__, kind.__qualname__] for kind in kinds]
            text = str(error)[:10_000]
            cause = error.__cause__
            number = None if self.guarded else self.share(error)
            head = [names, text, number, self._describe_exception(cause) if cause else None]
            sent = shared.count  # what the cause has is in the head, whatever becomes of the rest
            try:
                arguments = [self.encode(part) for part in error.args]
                return [*head, arguments, self.encode(remote_exceptions.state_of(error))]
            except Exception:
                shared.forget(sent)
                return [*head, [self.encode(text)], self.encode({})]
        except BaseException:  # its class may do anything
            shared.forget(count)
            return [[["builtins", "Exception"]], "", None, None, [], self.encode({})]

    def _exception(self, description: list[Any]) -> BaseException:
        names, text, number, cause_description, arguments, state = description
        cause = self._exception(cause_description) if cause_description else None  # in the order of the values' numbers
        kind = remote_exceptions.exception_class(self, names)
        error = remote_exceptions.rebuild(kind, [self.decode(argument) for argument in arguments], str(text))
        if number is not None and type(error).__module__ != "builtins":
            error._remote = (proxies.Reference(self, natural(number)), str(text))  # type: ignore[attr-defined]
        for name, value in self.decode(state).items():
            with contextlib.suppress(AttributeError, TypeError):
                setattr(error, str(name), value)
        error.__cause__ = cause
        return error


class _MalformedReply(Exception):
    """A reply does not have the form of a reply."""


def is_copied(value: Any) -> bool:
    """Whether a value that is not a builtin is plain data nevertheless (of numpy, a UUID, a path)."""
    try:
        return encode(value)[-1][0] != "o"
    except (TypeError, TooBig):
        return False
