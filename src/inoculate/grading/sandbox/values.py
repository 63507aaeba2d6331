"""Plain data between the box and the grader: written by `encode` beside the solution, read by `decode` outside.

Whatever the solution does to the writer, the reader builds nothing but real builtins, so that `==` keeps Python's
meaning and no code of the solution ever runs outside the box. Never pickle.
"""

from __future__ import annotations

import datetime
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

MOST_NODES = 200_000
MOST_HASHED = 20_000  # members of all sets and dicts together: keys that all hash alike take quadratic time to insert
MOST_DEPTH = 60
MOST_BITS = 400_000
MOST_DIGITS = 20_000  # a Decimal's digits and exponent: int(Decimal("1e999999999")) would never end
MOST_TEXT = 4_000_000  # characters and bytes of one answer
SMALL = 2**53

_DATES: dict[str, type[Any]] = {"date": datetime.date, "time": datetime.time, "datetime": datetime.datetime}
_TYPES: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict, type(None), object, range)
}
_COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__class__", "__bool__", "__contains__")


class TooBig(Exception):
    """A value beyond the limits of the reply."""


class Malformed(Exception):
    """A reply that `encode` would not have written."""


class Unreadable(Exception):
    """An object of the solution's own was asked for its truth or compared: only the solution could answer."""


class Opaque:
    """Stands for an object that is not plain data: every question about it is an error, so no test of it passes."""

    def __init__(self, kind: str) -> None:
        """Stand for an object of the class of that name."""
        self.kind = kind

    def __repr__(self) -> str:
        return f"<object of class {self.kind}>"

    def _refuse(self, *_: object) -> Any:
        raise Unreadable(f"the answer is an object of class {self.kind}, not plain data")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = __int__ = __float__ = __index__ = __str__ = _refuse
    __hash__ = object.__hash__  # it may stand in a set or be a key there, where it equals nothing


class Array:
    """Stands for a numpy array where numpy is not loaded: what is asked of it most, over plain data."""

    def __init__(self, items: list[Any]) -> None:
        """Stand for the array with these items."""
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Any]:
        return (self._part(item) for item in self.items)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple):
            value: Any = self
            for part in key:
                value = value[part]
            return value
        return self._part(self.items[key])

    @staticmethod
    def _part(item: Any) -> Any:
        return Array(item) if type(item) is list else item

    def __eq__(self, other: object) -> Any:
        values = list(other) if isinstance(other, (list, tuple, Array)) else [other] * len(self)
        return len(values) == len(self) and Array([a == b for a, b in zip(self, values, strict=True)])

    def __ne__(self, other: object) -> Any:
        raise Unreadable("whether an array differs")

    def __bool__(self) -> bool:
        if len(self.items) != 1:
            raise Unreadable("the truth of an array of more or less than one item")
        return bool(next(iter(self)))

    __hash__ = object.__hash__


def encode(value: Any, keep: Callable[[Any], int] | None = None) -> Any:
    """A value as plain JSON.

    Args:
        value: What the solution returned.
        keep: Takes an object that is not plain data and returns the number it is known by from then on.

    Raises:
        TooBig: The value is beyond the limits.
    """
    return _Writer(keep).write(value, 0)


class _Writer:
    def __init__(self, keep: Callable[[Any], int] | None) -> None:
        self.nodes = 0
        self.text = 0
        self.hashed = 0
        self.keep = keep

    def write(self, value: Any, depth: int) -> Any:
        self.nodes += 1
        if self.nodes > MOST_NODES or depth > MOST_DEPTH:
            raise TooBig("the answer has too many parts")
        if value is None or value is True or value is False:
            return value
        if type(value) is int:
            return self._integer(value)
        if type(value) in _TEXTS:
            self.text += len(value)
            if self.text > MOST_TEXT:
                raise TooBig("the answer is too long a text")
            if type(value) is str:
                return value
        elif type(value) in _HASHED:
            self.hashed += len(value)
            if self.hashed > MOST_HASHED:
                raise TooBig("the answer has too many members of sets and dicts")
        writer = _WRITERS.get(type(value))
        if writer is not None:
            return writer(self, value, depth + 1)
        return self._other(value, depth + 1)

    def many(self, values: Any, depth: int) -> list[Any]:
        return [self.write(value, depth) for value in values]

    def pairs(self, value: Any, depth: int) -> list[Any]:
        return [[self.write(key, depth), self.write(item, depth)] for key, item in dict.items(value)]

    def _integer(self, value: int) -> Any:
        if -SMALL < value < SMALL:
            return value
        if value.bit_length() > MOST_BITS:
            raise TooBig("the answer is too large an integer")
        return ["i", hex(value)]

    def _other(self, value: Any, depth: int) -> Any:
        kind = type(value)
        numpy = sys.modules.get("numpy")
        if numpy is not None and kind.__module__ == "numpy":
            if issubclass(kind, numpy.generic):
                return self.write(numpy.generic.item(value), depth)
            if issubclass(kind, numpy.ndarray):
                return ["nd", value.dtype.str, self.write(numpy.ndarray.tolist(value), depth)]
        for base, contents in _CONTENTS:
            if issubclass(kind, base):
                return ["S", _overrides(kind), self.write(contents(value), depth)]
        if kind in _DICT_VIEWS:
            return [_DICT_VIEWS[kind], self.many(list(value), depth)]
        if hasattr(kind, "__next__") and hasattr(kind, "__iter__"):
            return ["it", self.many(value, depth)]
        if kind is type and _TYPES.get(value.__name__) is value:
            return ["T", value.__name__]
        if self.keep is not None:
            return ["h", self.keep(value), kind.__name__[:80]]
        return ["o", kind.__name__[:80], _overrides(kind)]


def _overrides(kind: type[Any]) -> bool:
    """Whether a class of the solution's own has a say in comparisons."""
    for base in kind.__mro__:
        if base.__module__ in ("solution", "__main__"):
            own = vars(base)
            if any(name in own and not _generated(own, name) for name in _COMPARISONS):
                return True
    return False


def _generated(own: Any, name: str) -> bool:
    """Whether a comparison was written by `dataclass`, which is no override."""
    code = getattr(own[name], "__code__", None)
    return "__dataclass_params__" in own and getattr(code, "co_filename", "") == "<string>"


def _decimal(writer: _Writer, value: Decimal, depth: int) -> Any:
    text = str(value)
    if len(text) > MOST_DIGITS or (value.is_finite() and abs(value.adjusted()) > MOST_DIGITS):
        raise TooBig("the answer is too long a Decimal")
    return ["D", text]


def _delta(writer: _Writer, value: datetime.timedelta, depth: int) -> Any:
    return ["delta", value.days, value.seconds, value.microseconds]


_WRITERS: dict[type[Any], Callable[[_Writer, Any, int], Any]] = {
    float: lambda w, v, d: ["f", v.hex()],
    complex: lambda w, v, d: ["c", v.real.hex(), v.imag.hex()],
    bytes: lambda w, v, d: ["y", v.hex()],
    bytearray: lambda w, v, d: ["Y", v.hex()],
    list: lambda w, v, d: ["l", w.many(v, d)],
    tuple: lambda w, v, d: ["u", w.many(v, d)],
    set: lambda w, v, d: ["s", w.many(v, d)],
    frozenset: lambda w, v, d: ["z", w.many(v, d)],
    dict: lambda w, v, d: ["d", w.pairs(v, d)],
    defaultdict: lambda w, v, d: ["d", w.pairs(v, d)],
    OrderedDict: lambda w, v, d: ["od", w.pairs(v, d)],
    Counter: lambda w, v, d: ["C", w.pairs(v, d)],
    deque: lambda w, v, d: ["q", w.many(v, d), v.maxlen],
    range: lambda w, v, d: ["r", w.many((v.start, v.stop, v.step), d)],
    Decimal: _decimal,
    Fraction: lambda w, v, d: ["Q", w.write(v.numerator, d), w.write(v.denominator, d)],
    datetime.date: lambda w, v, d: ["date", v.isoformat()],
    datetime.time: lambda w, v, d: ["time", v.isoformat()],
    datetime.datetime: lambda w, v, d: ["datetime", v.isoformat()],
    datetime.timedelta: _delta,
}  # fmt: skip

_TEXTS = (str, bytes, bytearray)
_HASHED = (set, frozenset, dict, defaultdict, OrderedDict, Counter)
_DICT_VIEWS: dict[type[Any], str] = {type({}.keys()): "dk", type({}.values()): "dv", type({}.items()): "di"}

# A subclass of a builtin (a namedtuple, an IntEnum, or a liar) is read at the level of C, past its own methods.
_CONTENTS: tuple[tuple[type[Any], Callable[[Any], Any]], ...] = (
    (int, int.__pos__),
    (float, float.__pos__),
    (str, str.__str__),
    (bytes, lambda value: bytes.__getitem__(value, slice(None))),
    (list, lambda value: list.__getitem__(value, slice(None))),
    (tuple, lambda value: tuple(tuple.__iter__(value))),
    (Counter, lambda value: Counter(dict(dict.items(value)))),
    (dict, lambda value: dict(dict.items(value))),
    (set, lambda value: set(set.__iter__(value))),
    (frozenset, lambda value: frozenset(frozenset.__iter__(value))),
)


class Reader:
    """Builds values out of replies, and remembers whether a class with its own comparisons was among them."""

    def __init__(self, handle: Callable[[int, str], Any] | None = None) -> None:
        """Create a reader.

        Args:
            handle: Makes the stand-in for an object that the solution keeps; without it such an object is malformed.
        """
        self.overridden = False
        self.nodes = 0
        self.hashed = 0
        self.handle = handle

    def read(self, data: Any) -> Any:
        """The value of one reply.

        Raises:
            Malformed: `encode` would not have written this.
        """
        try:
            return self._read(data, 0)
        except (TypeError, ValueError, ArithmeticError, KeyError, IndexError, AttributeError, Unreadable) as error:
            raise Malformed(f"{type(error).__name__}: {str(error)[:200]}") from error

    def _read(self, data: Any, depth: int) -> Any:
        self.nodes += 1
        if self.nodes > MOST_NODES + 10 or depth > MOST_DEPTH + 5:
            raise Malformed("too many parts")
        if data is None or type(data) in (bool, str):
            return data
        if type(data) is int:
            return self._limited(data)
        if type(data) is not list or not data or type(data[0]) is not str:
            raise Malformed(f"not a value: {str(data)[:80]}")
        reader = _READERS.get(data[0])
        if reader is None:
            raise Malformed(f"unknown kind of value: {data[0][:40]!r}")
        return reader(self, data[1:], depth + 1)

    @staticmethod
    def _limited(value: int) -> int:
        if value.bit_length() > MOST_BITS:
            raise Malformed("too large an integer")
        return value

    def _many(self, data: Any, depth: int) -> list[Any]:
        if type(data) is not list:
            raise Malformed("not a list of values")
        return [self._read(item, depth) for item in data]

    def _hashable(self, data: Any, depth: int) -> list[Any]:
        self._count(data)
        return self._many(data, depth)

    def _pairs(self, data: Any, depth: int) -> list[tuple[Any, Any]]:
        self._count(data)
        return [(self._read(key, depth), self._read(value, depth)) for key, value in data]

    def _count(self, data: Any) -> None:
        if type(data) is not list:
            raise Malformed("not a list of values")
        self.hashed += len(data)
        if self.hashed > MOST_HASHED:
            raise Malformed("too many members of sets and dicts")

    def _hexadecimal(self, text: Any) -> int:
        if type(text) is not str or len(text) > MOST_BITS // 4 + 4:
            raise Malformed("too large an integer")
        return self._limited(int(text, 16))

    def _opaque(self, data: Any) -> Any:
        kind, overrides = data
        if self.handle is not None or type(kind) is not str or type(overrides) is not bool:
            raise Malformed("not an object")
        self.overridden |= overrides
        return Opaque(kind[:80])

    def _subclass(self, data: Any, depth: int) -> Any:
        overrides, inner = data
        if type(overrides) is not bool:
            raise Malformed("not a subclass")
        self.overridden |= overrides
        return self._read(inner, depth)

    def _kept(self, data: Any) -> Any:
        number, kind = data
        if self.handle is None or type(number) is not int or type(kind) is not str:
            raise Malformed("an object where only plain data may be")
        return self.handle(number, kind[:80])

    def _array(self, data: Any, depth: int) -> Any:
        kind, values = data
        items = self._read(values, depth)
        numpy = sys.modules.get("numpy")
        if type(kind) is str and kind[1:2] in tuple("biufcSU") and numpy is not None and self.handle is not None:
            return numpy.array(items, dtype=numpy.dtype(kind))  # in a judge, whose tests may use numpy themselves
        return Array(items) if type(items) is list else items


def _one(data: list[Any], kind: type[Any] = str) -> Any:
    (item,) = data
    if type(item) is not kind:
        raise Malformed("wrong kind of contents")
    return item


def _two(data: list[Any]) -> list[Any]:
    if len(data) != 2:
        raise Malformed("wrong number of parts")
    return data


def _float(text: Any) -> float:
    if type(text) is not str or len(text) > 40:
        raise Malformed("not a float")
    return float.fromhex(text)


def _read_decimal(text: str) -> Decimal:
    value = Decimal(text) if len(text) <= MOST_DIGITS else Decimal("NaN")
    if len(text) > MOST_DIGITS or (value.is_finite() and abs(value.adjusted()) > MOST_DIGITS):
        raise Malformed("too long a Decimal")
    return value


def _iterator(values: list[Any]) -> Iterator[Any]:
    yield from values


def _fraction(reader: Reader, data: list[Any], depth: int) -> Fraction:
    above, below = reader._many(data, depth)
    if type(above) is not int or type(below) is not int:
        raise Malformed("not a fraction")
    return Fraction(above, below)


def _range(parts: list[int]) -> range | Opaque:
    """A range, or an object nobody can ask where walking along it would not end."""
    values = range(*parts)
    return values if abs(parts[1] - parts[0]) // abs(parts[2]) <= MOST_NODES else Opaque("range")


def _deque(reader: Reader, data: list[Any], depth: int) -> deque[Any]:
    values, longest = data
    if longest is not None and type(longest) is not int:
        raise Malformed("not a deque")
    return deque(reader._many(values, depth), longest)


_READERS: dict[str, Callable[[Reader, list[Any], int], Any]] = {
    "i": lambda r, x, d: r._hexadecimal(_one(x)),
    "f": lambda r, x, d: _float(_one(x)),
    "c": lambda r, x, d: complex(*[_float(part) for part in _two(x)]),
    "y": lambda r, x, d: bytes.fromhex(_one(x)),
    "Y": lambda r, x, d: bytearray.fromhex(_one(x)),
    "l": lambda r, x, d: r._many(_one(x, list), d),
    "u": lambda r, x, d: tuple(r._many(_one(x, list), d)),
    "s": lambda r, x, d: set(r._hashable(_one(x, list), d)),
    "z": lambda r, x, d: frozenset(r._hashable(_one(x, list), d)),
    "d": lambda r, x, d: dict(r._pairs(_one(x, list), d)),
    "od": lambda r, x, d: OrderedDict(r._pairs(_one(x, list), d)),
    "C": lambda r, x, d: Counter(dict(r._pairs(_one(x, list), d))),
    "q": _deque,
    "r": lambda r, x, d: _range(r._many(_one(x, list), d)),
    "D": lambda r, x, d: _read_decimal(_one(x)),
    "Q": _fraction,
    "date": lambda r, x, d: _DATES["date"].fromisoformat(_one(x)),
    "time": lambda r, x, d: _DATES["time"].fromisoformat(_one(x)),
    "datetime": lambda r, x, d: _DATES["datetime"].fromisoformat(_one(x)),
    "delta": lambda r, x, d: datetime.timedelta(*x),
    "dk": lambda r, x, d: dict.fromkeys(r._hashable(_one(x, list), d)).keys(),
    "dv": lambda r, x, d: dict(enumerate(r._many(_one(x, list), d))).values(),
    "di": lambda r, x, d: dict(r._hashable(_one(x, list), d)).items(),
    "it": lambda r, x, d: _iterator(r._many(_one(x, list), d)),
    "S": lambda r, x, d: r._subclass(x, d),
    "nd": lambda r, x, d: r._array(x, d),
    "T": lambda r, x, d: _TYPES[_one(x)],
    "o": lambda r, x, d: r._opaque(x),
    "h": lambda r, x, d: r._kept(x),
}  # fmt: skip
