"""Exceptions of the other process: here they are of the same classes of Python's own, and hold what they hold there."""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Sequence
from typing import Any

_TYPES = {kind.__name__: kind for kind in vars(types).values() if isinstance(kind, type)}


def is_pythons(module: str) -> bool:
    """Whether a module is of the standard library."""
    return module.partition(".")[0] in sys.stdlib_module_names


def find(module: str, qualname: str) -> type[Any] | None:
    """A class of the standard library that is loaded here."""
    if module == "builtins" and not hasattr(builtins, qualname):
        return _TYPES.get(qualname)
    found: Any = sys.modules.get(module) if is_pythons(module) else None
    for part in str(qualname).split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, type) else None


def exception_class(link: Any, names: Sequence[Any]) -> Any:
    """The class here for an exception whose classes there, from its own outwards, have these modules and names."""
    key = tuple((str(module), str(name)) for module, name in names)
    if key not in link.exceptions:
        link.exceptions[key] = _exception_class(link, key)
    return link.exceptions[key]


def _exception_class(link: Any, names: tuple[tuple[str, str], ...]) -> Any:
    name = names[0][1].rpartition(".")[2][:80]
    found = [kind for name in names if (kind := find(*name)) and issubclass(kind, BaseException)]
    real = find(*names[0])
    if real is not None and names[0][0] == "builtins" and issubclass(real, BaseException):
        return real
    if real is None and len(names) > 1 and find(*names[1]) is None:
        above: tuple[Any, ...] = (exception_class(link, names[1:]),)
    else:  # the nearest classes of Python's own that are not derived from each other
        above = tuple(kind for place, kind in enumerate(found) if not any(issubclass(k, kind) for k in found[:place]))
    own = {"__str__": _told_text, "__getattr__": _told_attribute}
    nearest: type[Any] = found[0] if found else Exception
    try:
        return type(name, above or (nearest,), own)
    except TypeError:  # bases that do not go together here
        return type(name, (nearest,), own)


def _told_text(self: Any) -> str:
    return vars(self)["_told"][1] if "_told" in vars(self) else BaseException.__str__(self)


def _told_attribute(self: Any, name: str) -> Any:
    if name.startswith("__") or "_told" not in vars(self):
        raise AttributeError(name)
    return vars(self)["_told"][0].ask("attribute", name)


def state_of(error: BaseException) -> dict[str, Any]:
    """What an exception holds beside its arguments."""
    slots = ("filename", "filename2", "name", "path", "msg", "lineno", "offset", "text")
    held = {name: getattr(error, name) for name in slots if isinstance(getattr(error, name, None), (str, int))}
    return {**held, **vars(error)}


def raise_again(kind: Any, arguments: Sequence[Any], text: str) -> BaseException:
    """An exception of a class with the arguments it had there."""
    try:
        made = kind(*arguments)
    except Exception:  # its class wants others
        made = kind.__new__(kind)
    try:
        made.args = tuple(arguments)
    except Exception:
        made = Exception(text)
    return made
