"""Reading plain data that `values.encode` has written where the solution was: nothing but real builtins is built."""

from __future__ import annotations

import datetime
import importlib
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from inoculate.grading.sandbox.values import (
    LIBRARY,
    MOST_ALIKE,
    MOST_BITS,
    MOST_DEPTH,
    MOST_DIGITS,
    MOST_FRACTION_BITS,
    MOST_NODES,
    MOST_TEXT,
    TYPES,
    Link,
    too_long,
)


class Malformed(Exception):
    """A reply that `encode` would not have written."""


class Unreadable(Exception):
    """An object of the solution's own was asked for what only the solution could answer."""


class Opaque:
    """Stands for an object that is not plain data: it equals nothing, and says nothing about itself."""

    def __init__(self, kind: str, decides: bool) -> None:
        """Stand for an object of the class of that name, which may itself decide what it equals."""
        self.kind = kind
        self.decides = decides

    def __repr__(self) -> str:
        return f"<object of class {self.kind}>"

    def __eq__(self, other: object) -> bool:
        if self.decides:
            self._refuse()
        return False

    def _refuse(self, *_: object) -> Any:
        raise Unreadable(f"the answer is an object of class {self.kind}, not plain data")

    __lt__ = __le__ = __gt__ = __ge__ = __abs__ = __neg__ = __round__ = _refuse
    __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = __int__ = __float__ = __index__ = __str__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = _refuse
    __hash__ = object.__hash__  # it may stand in a set or be a key there, where it equals nothing


class Array:
    """Stands for a numpy array where numpy is not loaded: comparing gives an array of truths, as there."""

    def __init__(self, items: list[Any]) -> None:
        """Stand for the array with these items."""
        self.items = items

    def __eq__(self, other: object) -> Any:
        values = other.items if isinstance(other, Array) else other
        if not isinstance(values, (list, tuple)):
            values = [values] * len(self.items)
        if len(values) != len(self.items):
            return False
        return Array([a == b for a, b in zip(self.items, values, strict=True)])

    def __ne__(self, other: object) -> Any:
        raise Unreadable("whether an array differs")

    def __bool__(self) -> bool:
        if len(self.items) != 1:
            raise Unreadable("the truth of an array of more or less than one item")
        return bool(self.items[0])

    __hash__ = object.__hash__


class Reader:
    """Builds values out of replies, and remembers whether a class with its own comparisons was among them."""

    def __init__(self, link: Link | None = None) -> None:
        """Create a reader.

        Args:
            link: Knows the objects that are not plain data; without it such a node is malformed.
        """
        self.link = link
        self.overridden = False
        self.nodes = 0

    def read(self, data: Any) -> Any:
        """The value of one reply.

        Raises:
            Malformed: `encode` would not have written this.
        """
        try:
            return self._read(data)
        except (TypeError, ValueError, ArithmeticError, KeyError, IndexError, AttributeError, Unreadable, ImportError,
                RecursionError) as error:  # fmt: skip
            raise Malformed(f"{type(error).__name__}: {str(error)[:200]}") from error

    def _read(self, data: Any) -> Any:
        if type(data) is not list:
            return _scalar(data)
        waiting: dict[int, tuple[Any, int]] = {}  # values that belong to no other yet, and how deep they are
        for number, (tag, heads, parts) in enumerate(data):
            self.nodes += 1 + len(parts)
            deepest = 0
            items = []
            for part in parts:
                if type(part) is list:
                    (place,) = part
                    value, depth = waiting.pop(place)  # each once: what is shared could take for ever to compare
                    deepest = max(deepest, depth)
                    items.append(value)
                else:
                    items.append(_scalar(part))
            if self.nodes > 2 * MOST_NODES or deepest > MOST_DEPTH:
                raise Malformed("too many parts")
            waiting[number] = self._build(tag, heads, items), deepest + 1
        ((value, _),) = waiting.values()
        return value

    def _build(self, tag: Any, heads: Any, items: list[Any]) -> Any:
        if type(tag) is not str or type(heads) is not list:
            raise Malformed("not a node")
        if tag in _BUILDERS:
            return _BUILDERS[tag](heads, items)
        if tag == "nd":
            return self._array(heads, items)
        if self.link is not None:
            return self.link.take(tag, heads, items)
        if tag == "S":
            (flag,), (value,) = heads, items
            self._note(flag)
            return value
        if tag == "o":
            kind, flag, decides = heads
            self._note(flag)
            return Opaque(_text(kind)[:80], decides is not False)
        raise Malformed(f"unknown kind of value: {tag[:40]!r}")

    def _note(self, flag: Any) -> None:
        if type(flag) is not bool:
            raise Malformed("neither true nor false")
        self.overridden |= flag

    def _array(self, heads: list[Any], items: list[Any]) -> Any:
        (kind,), (values,) = heads, items
        numpy = sys.modules.get("numpy")
        if _text(kind)[1:2] in tuple("biufcSU") and numpy is not None and self.link is not None:
            return numpy.array(values, dtype=numpy.dtype(kind))  # in a judge, whose tests may use numpy themselves
        return _rows(values)


def _rows(values: Any) -> Any:
    return Array([_rows(value) for value in values]) if type(values) is list else values


def _scalar(data: Any) -> Any:
    if data is None or type(data) in (bool, str, float):
        return data
    if type(data) is int and data.bit_length() <= MOST_BITS:
        return data
    raise Malformed(f"not a value: {str(data)[:80] if type(data) is not int else 'too large an integer'}")


def _text(text: Any, most: int = MOST_TEXT) -> str:
    if type(text) is not str or len(text) > most:
        raise Malformed("not a text, or too long a one")
    return text


def _one(values: list[Any]) -> Any:
    (value,) = values
    return value


def _hexadecimal(text: Any) -> int:
    return _scalar(int(_text(text, MOST_BITS // 4 + 4), 16))


def _read_decimal(text: str) -> Decimal:
    value = Decimal(_text(text, MOST_DIGITS))
    if too_long(text, value):
        raise Malformed("too long a Decimal")
    return value


def _read_fraction(items: list[Any]) -> Fraction:
    above, below = items
    if (
        type(above) is not int
        or type(below) is not int
        or max(above.bit_length(), below.bit_length()) > MOST_FRACTION_BITS
    ):
        raise Malformed("not a fraction, or too long a one")
    return Fraction(above, below)


def _hashable(members: list[Any]) -> list[Any]:
    """Members of a set or keys of a dict, if they can be put there in reasonable time."""
    if len(members) > MOST_ALIKE and max(Counter(map(hash, members)).values()) > MOST_ALIKE:
        raise Malformed("too many members with one hash")
    return members


def _read_pairs(items: list[Any]) -> Iterator[tuple[Any, Any]]:
    if len(items) % 2:
        raise Malformed("not pairs")
    return zip(_hashable(items[::2]), items[1::2], strict=True)


def _read_range(parts: list[Any]) -> range | Opaque:
    """A range, or an object nobody can ask where walking along it would not end."""
    values = range(*parts)
    return values if abs(parts[1] - parts[0]) // abs(parts[2]) <= MOST_NODES else Opaque("range", False)


def _read_deque(heads: list[Any], items: list[Any]) -> deque[Any]:
    (longest,) = heads
    if longest is not None and type(longest) is not int:
        raise Malformed("not a deque")
    return deque(items, longest)


def _library(heads: list[Any]) -> Any:
    module, name, text = heads
    if (module, name) not in LIBRARY:
        raise Malformed("not of the standard library")
    return getattr(importlib.import_module(module), name)(_text(text, 10_000))


def _complex(heads: list[Any]) -> complex:
    real, imaginary = heads
    return complex(float.fromhex(_text(real, 40)), float.fromhex(_text(imaginary, 40)))


_BUILDERS: dict[str, Callable[[list[Any], list[Any]], Any]] = {
    "one": lambda h, x: _one(x),
    "i": lambda h, x: _hexadecimal(_one(h)),
    "f": lambda h, x: float.fromhex(_text(_one(h), 40)),
    "c": lambda h, x: _complex(h),
    "y": lambda h, x: bytes.fromhex(_one(h)),
    "Y": lambda h, x: bytearray.fromhex(_one(h)),
    "l": lambda h, x: x,
    "u": lambda h, x: tuple(x),
    "s": lambda h, x: set(_hashable(x)),
    "z": lambda h, x: frozenset(_hashable(x)),
    "d": lambda h, x: dict(_read_pairs(x)),
    "dd": lambda h, x: defaultdict(None if isinstance(x[0], Opaque) else x[0], _read_pairs(x[1:])),
    "od": lambda h, x: OrderedDict(_read_pairs(x)),
    "C": lambda h, x: Counter(dict(_read_pairs(x))),
    "q": _read_deque,
    "r": lambda h, x: _read_range(x),
    "slice": lambda h, x: slice(*x),
    "...": lambda h, x: ...,
    "NI": lambda h, x: NotImplemented,
    "D": lambda h, x: _read_decimal(_one(h)),
    "Q": lambda h, x: _read_fraction(x),
    "date": lambda h, x: datetime.date.fromisoformat(_one(h)),
    "time": lambda h, x: datetime.time.fromisoformat(_one(h)),
    "datetime": lambda h, x: datetime.datetime.fromisoformat(_one(h)),
    "delta": lambda h, x: datetime.timedelta(*h),
    "zone": lambda h, x: datetime.timezone(_one(x)),
    "dk": lambda h, x: dict.fromkeys(_hashable(x)).keys(),
    "dv": lambda h, x: dict(enumerate(x)).values(),
    "di": lambda h, x: dict(_hashable(x)).items(),
    "T": lambda h, x: TYPES[_one(h)],
    "lib": lambda h, x: _library(h),
    "array": lambda h, x: importlib.import_module("array").array(_one(h), x),
}  # fmt: skip
