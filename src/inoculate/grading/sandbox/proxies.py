"""Stand-ins for what lives in the other process: for its objects, its classes, its coroutines and its exceptions.

A class of the other side becomes a class here, with the name, the bases and the special methods that it has there, so
that `isinstance`, `callable`, `with`, `for` and `except` mean what they mean beside it; each use of an object is a
request. In the judge's process one rule is above that: an object of the solution's is asked, but never told what is
expected of it. It is not compared with plain data (a subclass of a builtin is, by its contents), subtracted from it or
searched for it. Only what the test itself has made of the class that the problem asks for has a say in what it is told.
"""

from __future__ import annotations

import collections.abc
import copy
import math
import operator
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from inoculate.grading.sandbox import raised
from inoculate.grading.sandbox.watch import TEST_FILE

TELLING = frozenset((
    "startswith", "endswith", "count", "index", "find", "rfind", "rindex", "issubset", "issuperset", "isdisjoint",
    "union", "intersection", "difference", "symmetric_difference", "removeprefix", "removesuffix", "partition",
    "rpartition", "remove", "discard",
))  # fmt: skip
"""Methods of plain data whose argument may be what is expected: of an object, they are no questions."""

OPERATORS: dict[str, str] = {
    **{f"__{name}__": name for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "lshift",
                                        "rshift")},
    "__and__": "and_", "__or__": "or_", "__xor__": "xor", "__lt__": "lt", "__le__": "le", "__gt__": "gt",
    "__ge__": "ge", "__eq__": "eq",
    **{f"__i{name}__": f"i{name}" for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or",
                                               "xor")},
}  # fmt: skip
_REFLECTED = {f"__r{name[2:]}": name for name in list(OPERATORS)[:13]}


def _of_class(name: str) -> Callable[..., Any]:
    return lambda subject, *given: getattr(type(subject), name)(subject, *given)


SPECIAL: dict[str, Callable[..., Any]] = {
    "__len__": len, "__bool__": bool, "__str__": str, "__repr__": repr, "__int__": int, "__float__": float,
    "__complex__": complex, "__index__": operator.index, "__neg__": operator.neg, "__pos__": operator.pos,
    "__abs__": abs, "__invert__": operator.invert, "__round__": round, "__floor__": math.floor, "__ceil__": math.ceil,
    "__trunc__": math.trunc, "__iter__": iter, "__next__": next, "__reversed__": reversed, "__bytes__": bytes,
    "__format__": format, "__getitem__": operator.getitem, "__setitem__": operator.setitem,
    "__delitem__": operator.delitem, "__contains__": operator.contains, "__missing__": operator.getitem,
    "__enter__": _of_class("__enter__"), "__copy__": copy.copy,
    "__deepcopy__": copy.deepcopy, "__hash__": hash,
    "__aiter__": aiter,
    **{name: _of_class(name) for name in ("__get__", "__set__", "__delete__", "__set_name__")},
    # Known by name only: what they do is said below.
    **dict.fromkeys(("__call__", "__exit__", "__anext__", "__aenter__", "__aexit__", *OPERATORS, *_REFLECTED),
                    lambda *_: None),
}  # fmt: skip
"""Special methods, and how they are asked for where the object lives."""
META = ("__iter__", "__len__", "__getitem__", "__contains__")
"""Of them, those that a class may have as an object (an enumeration)."""

HELD: set[type[Any]] = set()
"""Classes of contents that remember the object they were read from."""

_PLAIN_BASES = (int, float, str, bytes, list, tuple, dict, set, frozenset, collections.deque)
_USED = ("__call__", "__enter__", "__exit__")
_UNCHANGING = (int, float, str, bytes, tuple, frozenset)
_NOT_OF_A_KIND = ("abc", "typing")


@dataclass(frozen=True)
class Reference:
    """An object of the other side."""

    link: Any
    number: int
    made: bool = False
    """Whether the test itself made it, by calling the class that the problem asks for."""
    closed: bool = False
    """Whether it is a method that must not be told anything."""

    def ask(self, what: str, name: str = "", args: Sequence[Any] = (), named: dict[str, Any] | None = None) -> Any:
        """Ask for something of this object."""
        if what != "attribute" or not self.link.guarded:
            return self.link.ask(what, self.number, name, args, named)
        if name.startswith("__array_"):  # by these numpy lets an object work out what it is compared with, or where
            raise AttributeError(name)  # in memory it lies; its `__array__` gives no more than data
        answer = self.link.ask(what, self.number, name)
        return _close(self.link, answer) if name in TELLING and not self.made else answer


@dataclass(frozen=True)
class Told:
    """What is known of a class of the other side."""

    reference: Reference
    known: type[Any] | None
    """The nearest class of Python's own that it is, or is derived from."""
    own_equality: bool
    decides: bool
    """Whether it says itself which plain data it equals."""
    meta: tuple[str, ...]


class Refused(TypeError):
    """The solution's object would be told what is expected of it."""


def reference(value: Any) -> Reference:
    """The reference of anything here that stands for something there."""
    if isinstance(value, Class):
        return type.__getattribute__(value, "_inoculate").reference
    return object.__getattribute__(value, "_inoculate_reference")


class Class(type):
    """A class of the other side."""

    def __call__(cls, *args: Any, **named: Any) -> Any:
        """Make an instance there."""
        mine = reference(cls)
        return _as_made(mine.ask("call", "", args, named)) if mine.link.own else mine.ask("call", "", args, named)

    def __getattr__(cls, name: str) -> Any:
        return reference(cls).ask("attribute", name)

    def __setattr__(cls, name: str, value: Any) -> None:
        reference(cls).ask("set", name, [value])

    def _meta(cls, name: str, *args: Any) -> Any:
        if name not in type.__getattribute__(cls, "_inoculate").meta:
            raise TypeError(f"the class {cls.__name__} has no {name}")
        return reference(cls).ask("special", name, args)

    def __iter__(cls) -> Any:
        return cls._meta("__iter__")

    def __len__(cls) -> int:
        return cls._meta("__len__")

    def __getitem__(cls, key: Any) -> Any:
        return cls._meta("__getitem__", key)

    def __contains__(cls, item: Any) -> bool:
        return cls._meta("__contains__", item)

    def __bool__(cls) -> bool:
        return True


class Proxy(metaclass=Class):
    """An object of the other side."""

    __slots__ = ("_inoculate_reference",)
    _inoculate: Any = None

    @property
    def __class__(self) -> Any:  # type: ignore[override]
        """What `isinstance` sees beside the class itself."""
        return _told(self).known or type(self)

    def __getattr__(self, name: str) -> Any:
        return _attribute(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        reference(self).ask("set", name, [value])

    def __delattr__(self, name: str) -> None:
        reference(self).ask("delete", name)

    def __str__(self) -> str:
        return reference(self).ask("special", "__str__")

    def __repr__(self) -> str:
        return reference(self).ask("special", "__repr__")

    def __format__(self, spec: str) -> str:
        return reference(self).ask("special", "__format__", [spec])

    def __copy__(self) -> Any:
        return _again(self, reference(self).ask("special", "__copy__"))

    def __deepcopy__(self, _: Any) -> Any:
        return _again(self, reference(self).ask("special", "__deepcopy__"))

    def __hash__(self) -> int:
        return hash(reference(self).number)

    def __eq__(self, other: object) -> Any:
        mine = reference(self)
        if not mine.link.guarded:
            return mine.ask("operator", "__eq__", [self, other])
        if isinstance(type(other), Class):
            theirs = reference(other)
            if theirs.number == mine.number:
                return True
            other = _contents(other)
        held = _contents(self)
        if not isinstance(type(held), Class):
            return held == other
        told = _told(self)
        both = isinstance(type(other), Class)
        if told.decides or (both and (told.own_equality or _told(other).own_equality)):
            _refuse(self, "whether it equals something")
        return False

    def _compare(self, name: str, other: Any) -> Any:
        if isinstance(type(other), Class) or not reference(self).link.guarded:
            return reference(self).ask("operator", name, [self, other])
        held = _contents(self)
        if isinstance(type(held), Class):
            if getattr(type(self), "_inoculate_orders", False):
                _refuse(self, "how it compares with plain data")
            return NotImplemented
        return getattr(operator, OPERATORS[name])(held, other)

    def __lt__(self, other: Any) -> Any:
        return Proxy._compare(self, "__lt__", other)

    def __le__(self, other: Any) -> Any:
        return Proxy._compare(self, "__le__", other)

    def __gt__(self, other: Any) -> Any:
        return Proxy._compare(self, "__gt__", other)

    def __ge__(self, other: Any) -> Any:
        return Proxy._compare(self, "__ge__", other)

    def __contains__(self, item: Any) -> bool:
        mine = reference(self)
        if mine.made or not mine.link.guarded:
            return mine.ask("special", "__contains__", [item])
        held = _contents(self)
        if not isinstance(type(held), Class):
            return item in held
        if not hasattr(type(self), "__iter__"):
            _refuse(self, "what is in it")
        return any(item is found or item == found for found in self)  # type: ignore[attr-defined]


class Coroutine(collections.abc.Coroutine[Any, Any, Any]):
    """A coroutine of the other side: it runs there, to its end, when it is awaited. Nothing else is asked of it."""

    def __init__(self, link: Any, number: int) -> None:
        """Stand for the coroutine of that number."""
        self._inoculate_reference = Reference(link, number)

    def send(self, value: Any) -> Any:
        """Run it."""
        raise StopIteration(self._inoculate_reference.ask("await"))

    def throw(self, *error: Any) -> Any:
        """End it with an exception."""
        raise error[0]

    def close(self) -> None:
        """Leave it."""

    def __await__(self) -> Any:
        """Run it."""
        return self._inoculate_reference.ask("await")
        yield

    def _refuse(self, *_: object) -> Any:
        self._inoculate_reference.link.watch.failed = "the answer is a coroutine that nobody awaits"
        raise Refused(self._inoculate_reference.link.watch.failed)

    __bool__ = __eq__ = __str__ = __repr__ = _refuse
    __hash__ = object.__hash__


HELD.add(Coroutine)


def _attribute(value: Any, name: str) -> Any:
    return reference(value).ask("attribute", name)


def _close(link: Any, method: Any) -> Any:
    """A method that must not be told anything; anything else that can be called (a class, `bool`) is refused."""
    if isinstance(type(method), Class):
        return make(type(method), replace(reference(method), closed=True))
    if callable(method):
        link.watch.failed = "it asks an object of the solution's own for a method that is something else"
        raise Refused(link.watch.failed)
    return method


def _told(value: Any) -> Told:
    return type.__getattribute__(type(value), "_inoculate")


def _known(kind: Any) -> type[Any]:
    return type.__getattribute__(kind, "_inoculate").known or object


def _refuse(value: Any, what: str) -> Any:
    reference(value).link.watch.failed = f"it asks an object of the solution's own ({type(value).__name__}) {what}"
    raise Refused(f"an object of the solution's own ({type(value).__name__}) cannot be asked {what}: it would be told "
                  "what is expected")  # fmt: skip


def make(kind: Any, mine: Reference, *, whole: bool = False) -> Any:
    """The object here for one there; the same one each time.

    Args:
        kind: Its class here.
        mine: Its reference.
        whole: Whether there is nothing to be read in it: what is derived from a builtin comes with its contents.
    """
    # What a `Link` would not say: the class of an object is no class, or its contents would be asked for each time.
    if not isinstance(kind, Class) or (whole and mine.link.guarded and issubclass(_known(kind), _PLAIN_BASES)):
        raise TypeError("not a class of objects")
    known = mine.link.proxies
    key = (mine.number, mine.made, mine.closed)
    if key not in known:
        known[key] = object.__new__(kind)
        object.__setattr__(known[key], "_inoculate_reference", mine)
    return known[key]


def hold(held: Any, mine: Reference, kind: Any) -> Any:
    """Contents of a builtin that remember the object, an instance of a subclass, that they were read from."""
    base = type(held)
    if not issubclass(base, _PLAIN_BASES):
        return held
    key = (base, kind)
    if key not in mine.link.held:
        own: dict[str, Any] = {name: _forward(name) for name in ("__str__", "__repr__", "__format__")}
        own.update({name: _METHODS[name] for name in _USED if name in kind._inoculate_special})
        if issubclass(base, dict) and "__missing__" in kind._inoculate_special:
            own["__missing__"] = _forward("__missing__")
        known = type.__getattribute__(kind, "_inoculate").known or base
        own.update(__getattr__=_attribute, _inoculate_kind=kind, __class__=property(lambda self: known))
        mine.link.held[key] = type(kind.__name__, (base,), own)
        HELD.add(mine.link.held[key])
    if base.__init__ is object.__init__:  # it is as it was made
        made: Any = base.__new__(mine.link.held[key], held)  # type: ignore[call-arg]
    else:
        made = base.__new__(mine.link.held[key])
        base.__init__(made, held)  # type: ignore[call-arg]
    object.__setattr__(made, "_inoculate_reference", mine)
    return made


def _forward(name: str) -> Callable[..., Any]:
    return lambda self, *args: reference(self).ask("special", name, args)


def _as_made(value: Any) -> Any:
    """An instance that the test has just made: it answers for itself, also where it is derived from a builtin."""
    if type(value) in HELD and not isinstance(value, Coroutine):
        return make(type(value)._inoculate_kind, replace(reference(value), made=True))
    return make(type(value), replace(reference(value), made=True)) if isinstance(type(value), Class) else value


def _again(value: Any, answer: Any) -> Any:
    """An answer that is as much the test's own making as the object that gave it."""
    return _as_made(answer) if reference(value).made else answer


def _contents(value: Any) -> Any:
    """What an instance of a subclass of a builtin holds; the object itself where it is no such thing."""
    if not isinstance(type(value), Class) or not issubclass(_known(type(value)), _PLAIN_BASES):
        return value
    mine = reference(value)
    held = mine.link.contents.get(mine.number) or mine.ask("contents")
    if held and type(held[0]) in _UNCHANGING:
        mine.link.contents[mine.number] = held
    return held[0] if held else value


def distance(left: Any, right: Any) -> Any:
    """`abs(left - right)`, by which what is expected is approached: no object works it out against plain data."""
    objects = [side for side in (left, right) if isinstance(type(_contents(side)), Class)]
    if len(objects) == 1 and reference(objects[0]).link.guarded:
        _refuse(objects[0], "how far it is from plain data")
    return abs(left - right)


def same(left: Any, right: Any) -> bool:
    """What `is` says where both are there; here one object may have two stand-ins."""
    if isinstance(type(left), Class) and isinstance(type(right), Class):
        return reference(left).number == reference(right).number
    return left is right


_DOC = property(lambda self: reference(self).ask("attribute", "__doc__"))


def build(link: Any, number: int, told: Any) -> Any:
    """The class here for a class there.

    Args:
        link: Leads there.
        number: Its number.
        told: What the other side says of it.
    """
    name, known, bases, special, meta, (own_equality, decides), exceptions = told
    if exceptions:
        return raised.exception_class(link, exceptions)
    above = tuple(base for base in map(link.class_of, bases) if isinstance(base, Class)) or (Proxy,)
    found = [
        kind for module, qualname in known if module not in _NOT_OF_A_KIND and (kind := raised.find(module, qualname))
    ]
    mine = Reference(link, number, made=bool(link.own))
    own: dict[str, Any] = {
        "__slots__": (), "__module__": "solution", "__doc__": _DOC, "_inoculate_special": frozenset(special),
        "_inoculate": Told(mine, found[0] if found and found[0] is not object else None,
                           bool(own_equality), bool(decides), tuple(meta)),
    }  # fmt: skip
    for method in special:
        if method in _REFLECTED:
            own[method] = _operator(_REFLECTED[method], reflected=True)
        elif method in OPERATORS:
            if method not in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__"):
                own[method] = _operator(method, reflected=False)
        elif method in SPECIAL and method not in vars(Proxy):
            own[method] = _METHODS.get(method) or _forward(method)
    own["_inoculate_orders"] = "__lt__" in special or "__gt__" in special
    try:
        return type.__new__(Class, str(name)[:80], above, own)
    except TypeError:  # bases that do not go together here
        return type.__new__(Class, str(name)[:80], (Proxy,), own)


def _operator(name: str, *, reflected: bool) -> Callable[..., Any]:
    def operate(self: Any, other: Any, *_: Any) -> Any:
        mine = reference(self)
        nothing = type(other) is int and other == 0 and name == "__add__"  # what `sum` begins with
        by_test = sys._getframe(1).f_code.co_filename == TEST_FILE  # and not by unittest, which compares so
        if mine.link.guarded and not ((mine.made and by_test) or nothing or isinstance(type(other), Class)):
            held = _contents(self)
            if isinstance(type(held), Class):
                _refuse(self, f"for {name} of plain data")
            return getattr(operator, OPERATORS[name])(*((other, held) if reflected else (held, other)))
        answer = mine.ask("operator", name, [other, self] if reflected else [self, other])
        return _again(self, answer)

    return operate


def _call(self: Any, *args: Any, **named: Any) -> Any:
    mine = reference(self)
    if mine.closed and (args or named):
        _refuse(self, "this")
    return mine.ask("call", "", args, named)


def _exit(self: Any, kind: Any, error: BaseException | None, trace: Any, what: str = "exit") -> Any:
    if error is None:
        return reference(self).ask(what)
    names = [[base.__module__, base.__qualname__] for base in type(error).__mro__ if issubclass(base, BaseException)]
    failed = isinstance(error, AssertionError)  # the test's own verdict: not to be told of, and not to be swallowed
    mine = reference(self)
    answer = mine.ask(what, "", [names, "" if failed else str(error), [] if failed else list(error.args)])
    if answer:
        mine.link.watch.swallowed(error, trace)
    return answer and not failed


async def _anext(self: Any) -> Any:
    return reference(self).ask("await")


async def _aexit(self: Any, kind: Any, error: BaseException | None, trace: Any) -> Any:
    return _exit(self, kind, error, trace, "aexit")


async def _aenter(self: Any) -> Any:
    answer = reference(self).ask("await", "__aenter__")
    return self if same(self, answer) else answer


def _enter(self: Any) -> Any:
    answer = reference(self).ask("special", "__enter__")
    return self if same(self, answer) else answer


def _iterate(self: Any) -> Any:
    answer = reference(self).ask("special", "__iter__")
    return self if same(self, answer) else answer


_METHODS: dict[str, Callable[..., Any]] = {
    "__call__": _call, "__exit__": _exit, "__enter__": _enter, "__iter__": _iterate,
    "__anext__": _anext, "__aenter__": _aenter, "__aexit__": _aexit,
}  # fmt: skip
