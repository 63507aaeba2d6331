"""Proxies for objects and classes of the other process.

A class of the other process becomes a proxy class with the same name, bases and special methods, so that `isinstance`,
`callable`, `with`, `for` and `except` mean the same as in that process; each use of an object is a request. One rule
takes precedence in the test process: a request to an object of the solution must never disclose the expected value. So
such an object is not compared with plain data, subtracted from it or searched for it (an instance of a subclass of a
builtin is compared by its builtin value). Instances of the problem's class that the test itself made are an exception.
"""

from __future__ import annotations

import collections
import copy
import functools
import math
import operator
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from inoculate.grading.sandbox.hidden_failures import TEST_FILE
from inoculate.grading.sandbox.remote_exceptions import exception_class, find_class

DISCLOSING_METHODS = frozenset((
    "startswith", "endswith", "count", "index", "find", "rfind", "rindex", "issubset", "issuperset", "isdisjoint",
    "union", "intersection", "difference", "symmetric_difference", "removeprefix", "removesuffix", "partition",
    "rpartition", "remove", "discard",
))  # fmt: skip
"""Methods of plain data whose argument may be the expected value; they are not called on remote objects."""

OPERATORS: dict[str, str] = {
    **{f"__{name}__": name for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "lshift",
                                        "rshift")},
    "__and__": "and_", "__or__": "or_", "__xor__": "xor", "__lt__": "lt", "__le__": "le", "__gt__": "gt",
    "__ge__": "ge", "__eq__": "eq",
    **{f"__i{name}__": f"i{name}" for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or",
                                               "xor")},
}  # fmt: skip
_REFLECTED = {f"__r{name[2:]}": name for name in list(OPERATORS)[:13]}


def _type_method(name: str) -> Callable[..., Any]:
    return lambda subject, *arguments: getattr(type(subject), name)(subject, *arguments)


SPECIAL: dict[str, Callable[..., Any]] = {
    "__len__": len, "__bool__": bool, "__str__": str, "__repr__": repr, "__int__": int, "__float__": float,
    "__complex__": complex, "__index__": operator.index, "__neg__": operator.neg, "__pos__": operator.pos,
    "__abs__": abs, "__invert__": operator.invert, "__round__": round, "__floor__": math.floor, "__ceil__": math.ceil,
    "__trunc__": math.trunc, "__iter__": iter, "__next__": next, "__reversed__": reversed, "__bytes__": bytes,
    "__format__": format, "__getitem__": operator.getitem, "__setitem__": operator.setitem,
    "__delitem__": operator.delitem, "__contains__": operator.contains, "__missing__": operator.getitem,
    "__enter__": _type_method("__enter__"), "__copy__": copy.copy,
    "__deepcopy__": copy.deepcopy, "__hash__": hash,
    "__aiter__": aiter,
    **{name: _type_method(name) for name in ("__get__", "__set__", "__delete__", "__set_name__")},
    # Only the names: these have methods of their own below.
    **dict.fromkeys(("__call__", "__exit__", "__anext__", "__aenter__", "__aexit__", *OPERATORS, *_REFLECTED),
                    lambda *_: None),
}  # fmt: skip
"""Special methods, and how they are called in the process of the object."""
META = ("__iter__", "__len__", "__getitem__", "__contains__")
"""Special methods that a class itself may support (an enumeration)."""

VALUE_PROXIES: set[type[Any]] = set()
"""Classes of builtin values that know the remote object that they were read from."""

_PLAIN_BASES = (int, float, str, bytes, list, tuple, dict, set, frozenset, collections.deque)
_REQUESTED = ("__call__", "__enter__", "__exit__")
_IMMUTABLE = (int, float, str, bytes, tuple, frozenset)
_COPIED = (int, float, complex, str, bytes)
_IGNORED = ("abc", "typing")


@dataclass(frozen=True)
class Reference:
    """An object of the other process."""

    connection: Any
    number: int
    made_by_test: bool = False
    """Whether the test itself made it, by calling the class that the problem asks for."""
    without_arguments: bool = False
    """Whether it is a method that must not be given arguments."""

    def request(
        self, operation: str, name: str = "", args: Sequence[Any] = (), named: dict[str, Any] | None = None
    ) -> Any:
        """Request an operation of this object."""
        if operation != "attribute" or not self.connection.guarded:
            return self.connection.request(operation, self.number, name, args, named)
        if name.startswith("__array_"):  # with these, numpy lets an object compare itself, or gives out an address in
            raise AttributeError(name)  # memory; its `__array__` gives data alone
        result = self.connection.request(operation, self.number, name)
        is_disclosing = name in DISCLOSING_METHODS and not self.made_by_test
        return _without_arguments(self.connection, result) if is_disclosing else result


@dataclass(frozen=True)
class RemoteClass:
    """Description of a class of the other process."""

    reference: Reference
    standard: type[Any] | None
    """The nearest class of the standard library that it is, or is derived from."""
    own_equality: bool
    defines_equality: bool
    """Whether it defines which plain data its instances equal."""
    meta: tuple[str, ...]


class Refused(TypeError):
    """The operation would disclose the expected value to an object of the solution."""


def reference(value: Any) -> Reference:
    """The reference of a proxy."""
    if isinstance(value, ProxyClass):
        return type.__getattribute__(value, "_inoculate").reference
    return object.__getattribute__(value, "_inoculate_reference")


class ProxyClass(type):
    """A class of the other process."""

    def __call__(cls, *args: Any, **named: Any) -> Any:
        """Create an instance there."""
        ref = reference(cls)
        result = ref.request("call", "", args, named)
        return _mark_made_by_test(result) if ref.connection.class_name else result

    def __getattr__(cls, name: str) -> Any:
        return reference(cls).request("attribute", name)

    def __setattr__(cls, name: str, value: Any) -> None:
        reference(cls).request("set", name, [value])

    def _meta(cls, name: str, *args: Any) -> Any:
        if name not in type.__getattribute__(cls, "_inoculate").meta:
            raise TypeError(f"the class {cls.__name__} has no {name}")
        return reference(cls).request("special", name, args)

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


class _Copy:
    """`__copy__` of a proxy: `itertools.tee` asks an iterator for it, and buffers what it yields if there is none."""

    def __get__(self, one: Any, owner: Any) -> Any:
        special = type.__getattribute__(owner, "_inoculate_special")
        if one is not None and "__next__" in special and "__copy__" not in special:
            raise AttributeError("__copy__")
        return self.copied if one is None else functools.partial(self.copied, one)

    @staticmethod
    def copied(one: Any) -> Any:
        return _keep_mark(one, reference(one).request("special", "__copy__"))


class Proxy(metaclass=ProxyClass):
    """An object of the other process."""

    __slots__ = ("_inoculate_reference",)
    _inoculate: Any = None

    @property
    def __class__(self) -> Any:  # type: ignore[override]
        """What `isinstance` sees beside the proxy class."""
        return _remote_class(self).standard or type(self)

    def __getattr__(self, name: str) -> Any:
        return _attribute(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        reference(self).request("set", name, [value])

    def __delattr__(self, name: str) -> None:
        reference(self).request("delete", name)

    def __str__(self) -> str:
        return reference(self).request("special", "__str__")

    def __repr__(self) -> str:
        return reference(self).request("special", "__repr__")

    def __format__(self, spec: str) -> str:
        return reference(self).request("special", "__format__", [spec])

    __copy__ = _Copy()

    def __deepcopy__(self, _: Any) -> Any:
        return _keep_mark(self, reference(self).request("special", "__deepcopy__"))

    def __hash__(self) -> int:
        return hash(reference(self).number)

    def __eq__(self, other: object) -> Any:
        ref = reference(self)
        if not ref.connection.guarded:
            return ref.request("operator", "__eq__", [self, other])
        if isinstance(type(other), ProxyClass):
            if reference(other).number == ref.number:
                return True
            other = _builtin_value(other)
        value = _builtin_value(self)
        if not isinstance(type(value), ProxyClass):
            return value == other
        kind = _remote_class(self)
        is_remote = isinstance(type(other), ProxyClass)
        if kind.defines_equality or (is_remote and (kind.own_equality or _remote_class(other).own_equality)):
            _refuse(self, "whether it equals something")
        return False

    def _compare(self, name: str, other: Any) -> Any:
        if isinstance(type(other), ProxyClass) or not reference(self).connection.guarded:
            return reference(self).request("operator", name, [self, other])
        value = _builtin_value(self)
        if isinstance(type(value), ProxyClass):
            if getattr(type(self), "_inoculate_orders", False):
                _refuse(self, "how it compares with plain data")
            return NotImplemented
        return getattr(operator, OPERATORS[name])(value, other)

    def __lt__(self, other: Any) -> Any:
        return Proxy._compare(self, "__lt__", other)

    def __le__(self, other: Any) -> Any:
        return Proxy._compare(self, "__le__", other)

    def __gt__(self, other: Any) -> Any:
        return Proxy._compare(self, "__gt__", other)

    def __ge__(self, other: Any) -> Any:
        return Proxy._compare(self, "__ge__", other)

    def __contains__(self, item: Any) -> bool:
        ref = reference(self)
        if ref.made_by_test or not ref.connection.guarded:
            return ref.request("special", "__contains__", [item])
        value = _builtin_value(self)
        if not isinstance(type(value), ProxyClass):
            return item in value
        if not hasattr(type(self), "__iter__"):
            _refuse(self, "what is in it")
        return any(item is member or item == member for member in self)  # type: ignore[attr-defined]


def _attribute(value: Any, name: str) -> Any:
    return reference(value).request("attribute", name)


def _without_arguments(connection: Any, method: Any) -> Any:
    """A method that must not be given arguments; any other callable (a class, `bool`) is refused."""
    if isinstance(type(method), ProxyClass):
        return make_proxy(type(method), replace(reference(method), without_arguments=True))
    if callable(method):
        connection.monitor.failure = "it takes a method of an object of the solution that is another callable"
        raise Refused(connection.monitor.failure)
    return method


def _remote_class(value: Any) -> RemoteClass:
    return type.__getattribute__(type(value), "_inoculate")


def _standard_class(kind: Any) -> type[Any]:
    return type.__getattribute__(kind, "_inoculate").standard or object


def _refuse(value: Any, question: str) -> Any:
    monitor = reference(value).connection.monitor
    monitor.failure = f"it asks an object of the solution's own ({type(value).__name__}) {question}"
    raise Refused(f"{monitor.failure}, which would disclose the expected value")


def make_proxy(kind: Any, ref: Reference, *, without_contents: bool = False) -> Any:
    """The proxy for an object; the same one each time.

    Args:
        kind: Its proxy class.
        ref: Its reference.
        without_contents: Whether it was encoded without a builtin value; an instance of a builtin's subclass never is.
    """
    # An honest `Connection` sends neither: an object whose class is not a class, or a builtin without its value.
    if not isinstance(kind, ProxyClass):
        raise TypeError("not a class of objects")
    if without_contents and ref.connection.guarded and issubclass(_standard_class(kind), _PLAIN_BASES):
        raise TypeError("an object without its builtin value")
    known = ref.connection.proxies
    key = (ref.number, ref.made_by_test, ref.without_arguments)
    if key not in known:
        known[key] = object.__new__(kind)
        object.__setattr__(known[key], "_inoculate_reference", ref)
    return known[key]


def make_value_proxy(value: Any, ref: Reference, kind: Any) -> Any:
    """A builtin value that knows the object, an instance of a subclass of the builtin, that it was read from."""
    base = type(value)
    if not issubclass(base, _PLAIN_BASES):
        return value
    classes, key = ref.connection.value_proxy_classes, (base, kind)
    if key not in classes:
        members: dict[str, Any] = {name: _forward(name) for name in ("__str__", "__repr__", "__format__")}
        members.update({name: _METHODS[name] for name in _REQUESTED if name in kind._inoculate_special})
        if issubclass(base, dict) and "__missing__" in kind._inoculate_special:
            members["__missing__"] = _forward("__missing__")
        standard = type.__getattribute__(kind, "_inoculate").standard or base
        members.update(__getattr__=_attribute, _inoculate_kind=kind, __class__=property(lambda self: standard))
        classes[key] = type(kind.__name__, (base,), members)
        VALUE_PROXIES.add(classes[key])
    if base.__init__ is object.__init__:  # immutable: `__new__` sets the value
        proxy: Any = base.__new__(classes[key], value)  # type: ignore[call-arg]
    else:
        proxy = base.__new__(classes[key])
        base.__init__(proxy, value)  # type: ignore[call-arg]
    object.__setattr__(proxy, "_inoculate_reference", ref)
    return proxy


def _forward(name: str) -> Callable[..., Any]:
    return lambda self, *args: reference(self).request("special", name, args)


def _mark_made_by_test(value: Any) -> Any:
    """An instance that the test has made: it answers for itself, even if its class is derived from a builtin."""
    if hasattr(type(value), "_inoculate_kind"):
        return make_proxy(type(value)._inoculate_kind, replace(reference(value), made_by_test=True))
    if isinstance(type(value), ProxyClass):
        return make_proxy(type(value), replace(reference(value), made_by_test=True))
    return value


def _keep_mark(value: Any, result: Any) -> Any:
    """A result that counts as made by the test if the object that gave it does."""
    return _mark_made_by_test(result) if reference(value).made_by_test else result


def _builtin_value(value: Any) -> Any:
    """The builtin value of an instance of a builtin's subclass; any other object itself."""
    if not isinstance(type(value), ProxyClass) or not issubclass(_standard_class(type(value)), _PLAIN_BASES):
        return value
    ref = reference(value)
    contents = ref.connection.known_contents.get(ref.number) or ref.request("contents")
    if contents and type(contents[0]) in _IMMUTABLE:
        ref.connection.known_contents[ref.number] = contents
    return contents[0] if contents else value


def distance(left: Any, right: Any) -> Any:
    """`abs(left - right)`, from which the expected value could be found: no object computes it with plain data."""
    objects = [side for side in (left, right) if isinstance(type(_builtin_value(side)), ProxyClass)]
    if len(objects) == 1 and reference(objects[0]).connection.guarded:
        _refuse(objects[0], "how far it is from plain data")
    return abs(left - right)


def same(left: Any, right: Any) -> bool:
    """`left is right` in the process of the objects; one object may have two proxies here."""
    if isinstance(type(left), ProxyClass) and isinstance(type(right), ProxyClass):
        return reference(left).number == reference(right).number
    if type(left) is type(right) and type(left) in _COPIED:
        return left == right  # the identity of equal ones says nothing, and a copy is another object
    return left is right


_DOC = property(lambda self: reference(self).request("attribute", "__doc__"))


def make_proxy_class(connection: Any, number: int, description: Any) -> Any:
    """The proxy class for a class of the other process.

    Args:
        connection: To that process.
        number: The number of the class.
        description: From `operations` of the other process.
    """
    name, standard, bases, special, meta, (own_equality, defines_equality), exceptions = description
    if exceptions:
        return exception_class(connection, exceptions)
    proxy_bases = tuple(base for base in map(connection.class_of, bases) if isinstance(base, ProxyClass)) or (Proxy,)
    found = [kind for module, qualname in standard if module not in _IGNORED and (kind := find_class(module, qualname))]
    nearest = found[0] if found and found[0] is not object else None
    ref = Reference(connection, number, made_by_test=bool(connection.class_name))
    members: dict[str, Any] = {
        "__slots__": (), "__module__": "solution", "__doc__": _DOC, "_inoculate_special": frozenset(special),
        "_inoculate": RemoteClass(ref, nearest, bool(own_equality), bool(defines_equality), tuple(meta)),
    }  # fmt: skip
    for method in special:
        if method in _REFLECTED:
            members[method] = _operator(_REFLECTED[method], reflected=True)
        elif method in OPERATORS:
            if method not in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__"):
                members[method] = _operator(method, reflected=False)
        elif method in SPECIAL and method not in vars(Proxy):
            members[method] = _METHODS.get(method) or _forward(method)
    members["_inoculate_orders"] = "__lt__" in special or "__gt__" in special
    try:
        return type.__new__(ProxyClass, str(name)[:80], proxy_bases, members)
    except TypeError:  # bases that cannot be combined here
        return type.__new__(ProxyClass, str(name)[:80], (Proxy,), members)


def _operator(name: str, *, reflected: bool) -> Callable[..., Any]:
    def operate(self: Any, other: Any, *_: Any) -> Any:
        ref = reference(self)
        is_start_of_sum = type(other) is int and other == 0 and name == "__add__"
        by_test = sys._getframe(1).f_code.co_filename == TEST_FILE  # and not by unittest, which compares with operators
        is_allowed = (ref.made_by_test and by_test) or is_start_of_sum or isinstance(type(other), ProxyClass)
        if ref.connection.guarded and not is_allowed:
            value = _builtin_value(self)
            if isinstance(type(value), ProxyClass):
                _refuse(self, f"for {name} of plain data")
            return getattr(operator, OPERATORS[name])(*((other, value) if reflected else (value, other)))
        result = ref.request("operator", name, [other, self] if reflected else [self, other])
        return _keep_mark(self, result)

    return operate


def _call(self: Any, *args: Any, **named: Any) -> Any:
    ref = reference(self)
    if ref.without_arguments and (args or named):
        _refuse(self, "this")
    return ref.request("call", "", args, named)


def _exit(self: Any, kind: Any, error: BaseException | None, trace: Any, operation: str = "exit") -> Any:
    if error is None:
        return reference(self).request(operation)
    names = [[base.__module__, base.__qualname__] for base in type(error).__mro__ if issubclass(base, BaseException)]
    failed = isinstance(error, AssertionError)  # the test's own verdict: not to be disclosed, and not to be swallowed
    ref = reference(self)
    result = ref.request(operation, "", [names, "" if failed else str(error), [] if failed else list(error.args)])
    if result:
        ref.connection.monitor.on_swallowed(error, trace)
    return result and not failed


async def _anext(self: Any) -> Any:
    return reference(self).request("await")


async def _aexit(self: Any, kind: Any, error: BaseException | None, trace: Any) -> Any:
    return _exit(self, kind, error, trace, "aexit")


async def _aenter(self: Any) -> Any:
    result = reference(self).request("await", "__aenter__")
    return self if same(self, result) else result


def _enter(self: Any) -> Any:
    result = reference(self).request("special", "__enter__")
    return self if same(self, result) else result


def _iterate(self: Any) -> Any:
    result = reference(self).request("special", "__iter__")
    return self if same(self, result) else result


_METHODS: dict[str, Callable[..., Any]] = {
    "__call__": _call, "__exit__": _exit, "__enter__": _enter, "__iter__": _iterate,
    "__anext__": _anext, "__aenter__": _aenter, "__aexit__": _aexit,
}  # fmt: skip
