"""Rebuilds exceptions of the other process, with the same standard classes, arguments and attributes."""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Sequence
from typing import Any

_TYPES = {kind.__name__: kind for kind in vars(types).values() if isinstance(kind, type)}


def is_standard(module: str) -> bool:
    """Whether a module is of the standard library."""
    return module.partition(".")[0] in sys.stdlib_module_names


def find_class(module: str, qualname: str) -> type[Any] | None:
    """The class of the standard library with this name, if its module is loaded."""
    if module == "builtins" and not hasattr(builtins, qualname):
        return _TYPES.get(qualname)
    found: Any = sys.modules.get(module) if is_standard(module) else None
    for part in str(qualname).split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, type) else None


def _find_exception(module: str, qualname: str) -> type[Any] | None:
    """The same for an exception.

    A private one is only for the module that has it, such as a test runner, which may take it for a signal of its own:
    a solution that raises it has raised its public base class.
    """
    found = find_class(module, qualname)
    is_private = any(part.startswith("_") for part in qualname.split("."))
    return None if is_private or found is None or not issubclass(found, BaseException) else found


def exception_class(connection: Any, names: Sequence[Any]) -> Any:
    """The class here for an exception whose class and base classes there have these modules and names."""
    key = tuple((str(module), str(name)) for module, name in names)
    if key not in connection.exceptions:
        connection.exceptions[key] = _exception_class(connection, key)
    return connection.exceptions[key]


def _exception_class(connection: Any, names: tuple[tuple[str, str], ...]) -> Any:
    name = names[0][1].rpartition(".")[2][:80]
    standard = [kind for name in names if (kind := _find_exception(*name))]
    same = _find_exception(*names[0])
    if same is not None and names[0][0] == "builtins":
        return same
    if same is None and len(names) > 1 and _find_exception(*names[1]) is None:
        bases: tuple[Any, ...] = (exception_class(connection, names[1:]),)
    else:  # the nearest standard classes that are not derived from each other
        bases = tuple(
            kind for number, kind in enumerate(standard) if not any(issubclass(k, kind) for k in standard[:number])
        )
    methods = {"__str__": _remote_text, "__getattr__": _remote_attribute}
    nearest: type[Any] = standard[0] if standard else Exception
    try:
        return type(name, bases or (nearest,), methods)
    except TypeError:  # bases that cannot be combined here
        return type(name, (nearest,), methods)


def _remote_text(self: Any) -> str:
    return vars(self)["_remote"][1] if "_remote" in vars(self) else BaseException.__str__(self)


def _remote_attribute(self: Any, name: str) -> Any:
    if name.startswith("__") or "_remote" not in vars(self):
        raise AttributeError(name)
    return vars(self)["_remote"][0].request("attribute", name)


def state_of(error: BaseException) -> dict[str, Any]:
    """The attributes of an exception beside its arguments."""
    slots = ("filename", "filename2", "name", "path", "msg", "lineno", "offset", "text")
    attributes = {name: getattr(error, name) for name in slots if isinstance(getattr(error, name, None), (str, int))}
    return {**attributes, **vars(error)}


def rebuild(kind: Any, arguments: Sequence[Any], text: str) -> BaseException:
    """An exception of a class, with the arguments that it had in the other process."""
    try:
        error = kind(*arguments)
    except Exception:  # its class takes other arguments
        error = kind.__new__(kind)
    try:
        error.args = tuple(arguments)
    except Exception:
        error = Exception(text)
    return error
