"""The operations that one process may request of the other, and what the solution may request of a test's objects."""

from __future__ import annotations

import operator
import sys
import types
from collections.abc import Callable
from typing import Any

from inoculate.grading.sandbox import proxies, remote_exceptions, surroundings
from inoculate.grading.sandbox.encoder import contents, defines_equality

_PRIVATE_TYPES = (
    type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.FrameType,
    types.CodeType, types.TracebackType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType,
)  # fmt: skip
_OF_TESTS_OBJECTS = (
    "describe", "call", "special", "operator", "contents", "await", "attribute", "exit", "aexit",
)  # fmt: skip
_PUBLIC_NAMES = ("__name__", "__qualname__", "__doc__")


def name_of_function(value: Any) -> tuple[str, str] | None:
    """Module and name of a function of the standard library; None for anything else, and where a test replaced it.

    A solution to which a test passes such a function calls its own: here it could read and write the test's process.
    """
    if not isinstance(value, (types.BuiltinFunctionType, types.FunctionType)):
        return None
    module, name = str(value.__module__), value.__qualname__
    is_standard = remote_exceptions.is_standard(module) and name.isidentifier()
    return (module, name) if is_standard and getattr(sys.modules.get(module), name, None) is value else None


def guard(operation: str, subject: Any, name: Any, *, is_shared: bool) -> None:
    """Let the solution use the objects that a test passes to it, and reach nothing else of the test through them."""
    if operation == "output":
        return
    if not is_shared and operation != "describe":
        raise TypeError("that is not for the solution")
    if operation in ("attribute", "set", "delete") and name not in _PUBLIC_NAMES:
        if isinstance(subject, _PRIVATE_TYPES) or not isinstance(name, str) or name.startswith("_"):
            raise AttributeError(name)
        if _is_tests_own(subject, name, reading=operation == "attribute"):
            raise AttributeError(f"'{name}' belongs to the test")
    elif operation not in _OF_TESTS_OBJECTS:
        raise TypeError(f"a test's object does not support '{operation}'")


def _is_tests_own(subject: Any, name: str, *, reading: bool) -> bool:
    """Whether an attribute of a test's object is not data: a method to be replaced, or the records of a mock."""
    mock = sys.modules.get("unittest.mock")
    if mock is not None and isinstance(subject, mock.NonCallableMock):
        return hasattr(type(subject), name) or name.startswith("assert")
    member = next((vars(kind)[name] for kind in type(subject).__mro__ if name in vars(kind)), None)
    return not reading and (callable(member) or isinstance(member, classmethod))


def _describe(connection: Any, kind: type[Any], *_: Any) -> list[Any]:
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


def _special(connection: Any, subject: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    return proxies.SPECIAL[name](subject, *arguments)


def _operator(connection: Any, subject: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    return getattr(operator, proxies.OPERATORS[name])(*arguments)


def _contents(connection: Any, subject: Any, *_: Any) -> Any:
    return contents(subject)


def _exit(connection: Any, subject: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    """Call `__exit__` with an exception that is described by the names of its classes, its text and its arguments."""
    return type(subject).__exit__(subject, *_exit_arguments(connection, arguments))


def _async_exit(connection: Any, subject: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    return _await(connection, type(subject).__aexit__(subject, *_exit_arguments(connection, arguments)))


def _exit_arguments(connection: Any, arguments: list[Any]) -> tuple[Any, ...]:
    if not arguments:
        return None, None, None
    names, text, error_arguments = arguments
    kind = remote_exceptions.exception_class(connection, names)
    error = remote_exceptions.rebuild(kind, error_arguments, str(text))
    return type(error), error, None


def _await(connection: Any, subject: Any, name: str = "", *_: Any) -> Any:
    """The value of a coroutine, of an asynchronous context, or the next value of an asynchronous iterator."""
    import asyncio

    # A test that awaits the solution, which awaits a coroutine of the test, has a running loop in this thread.
    outer = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    # One loop for each depth and for all requests: closing a loop ends its asynchronous generators.
    loop = connection.loops.pop() if connection.loops else asyncio.new_event_loop()
    try:
        awaited = subject if isinstance(subject, types.CoroutineType) else _step(subject, name)
        return loop.run_until_complete(awaited)
    finally:
        connection.loops.append(loop)
        asyncio._set_running_loop(outer)


async def _step(subject: Any, name: str) -> Any:
    return await (type(subject).__aenter__(subject) if name == "__aenter__" else anext(subject))


OPERATIONS: dict[str, Callable[..., Any]] = {
    "describe": _describe,
    "name": lambda connection, _, name, args, named: connection.namespace[name],
    "call": lambda connection, target, name, args, named: target(*args, **named),
    "attribute": lambda connection, target, name, args, named: getattr(target, name),
    "set": lambda connection, target, name, args, named: setattr(target, name, args[0]),
    "delete": lambda connection, target, name, args, named: delattr(target, name),
    "special": _special, "operator": _operator, "contents": _contents, "exit": _exit, "aexit": _async_exit,
    "await": _await,
    "surround": lambda connection, _, name, args, named: connection.surroundings.replace(
        connection.namespace, *name.split(":"), args
    ),
    "output": lambda connection, _, name, args, named: surroundings.write_output(*args),
}  # fmt: skip
