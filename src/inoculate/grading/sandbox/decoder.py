"""Decodes plain data that `encoder.encode` has written in the sandbox: it builds nothing but real builtins."""

from __future__ import annotations

import math
import sys
from array import array
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, UserString, defaultdict, deque
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from inoculate.grading.sandbox.encoder import (
    LIBRARY,
    MAX_BITS,
    MAX_COLLISIONS,
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_FRACTION_BITS,
    MAX_NODES,
    MAX_TEXT,
    TYPES,
    References,
    too_long,
)
from inoculate.grading.sandbox.shared_values import SharedValues

_gcd = math.gcd


class Malformed(Exception):
    """A reply that `encode` cannot have written."""


class NotPlainData(Exception):
    """A test needs an operation of an object that only the solution could carry out."""


class Opaque:
    """Represents an object that is not plain data: it equals nothing, and supports no operation."""

    def __init__(self, kind: str, defines_equality: bool) -> None:
        """Represent an object.

        Args:
            kind: The name of its class.
            defines_equality: Whether the class defines what its instances equal.
        """
        self.kind = kind
        self.defines_equality = defines_equality

    def __repr__(self) -> str:
        return f"<object of class {self.kind}>"

    def __eq__(self, other: object) -> bool:
        if self.defines_equality:
            self._refuse()
        return False

    def _refuse(self, *_: object) -> Any:
        raise NotPlainData(f"the answer is an object of class {self.kind}, not plain data")

    __lt__ = __le__ = __gt__ = __ge__ = __abs__ = __neg__ = __round__ = _refuse
    __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = __int__ = __float__ = __index__ = __str__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = _refuse
    __hash__ = object.__hash__  # it may be a member of a set or a key, where it equals nothing


class Array:
    """Represents a numpy array where numpy is not loaded: a comparison gives an array of booleans, as in numpy."""

    def __init__(self, items: list[Any]) -> None:
        """Represent the array with these items."""
        self.items = items

    def __eq__(self, other: object) -> Any:
        values = other.items if isinstance(other, Array) else other
        if not isinstance(values, (list, tuple)):
            values = [values] * len(self.items)
        if len(values) != len(self.items):
            return False
        return Array([a == b for a, b in zip(self.items, values, strict=True)])

    def __ne__(self, other: object) -> Any:
        raise NotPlainData("whether an array differs")

    def __bool__(self) -> bool:
        if len(self.items) != 1:
            raise NotPlainData("the truth value of an array that does not have exactly one item")
        return bool(self.items[0])

    __hash__ = object.__hash__


class Decoder:
    """Decodes replies, and records whether they contain an object whose class overrides comparisons."""

    def __init__(self, references: References | None = None, shared: SharedValues | None = None) -> None:
        """Create a decoder.

        Args:
            references: Decodes references to objects that are not plain data; without it they are malformed.
            shared: As in `encoder.encode`. Without it each node is used once: shared parts could take forever to
                compare.
        """
        self.references = references
        self.shared = shared
        self.overridden = False
        self.nodes = 0

    def decode(self, data: Any) -> Any:
        """The value of one reply.

        Raises:
            Malformed: `encode` cannot have written this.
        """
        try:
            return self._decode(data)
        except (TypeError, ValueError, ArithmeticError, KeyError, IndexError, AttributeError, NotPlainData, ImportError,
                RecursionError) as error:  # fmt: skip
            raise Malformed(f"{type(error).__name__}: {str(error)[:200]}") from error

    def _decode(self, data: Any) -> Any:
        if type(data) is not list:
            return _scalar(data)
        unused: dict[int, tuple[Any, int]] = {}  # values that are not part of another yet, and their depth
        for number, (tag, heads, parts) in enumerate(data):
            self.nodes += 1 + len(parts)
            deepest = 0
            items = []
            for part in parts:
                if type(part) is list:
                    (node,) = part
                    value, depth = unused.pop(node)
                    deepest = max(deepest, depth)
                    items.append(value)
                else:
                    items.append(_scalar(part))
            if self.nodes > 2 * MAX_NODES or deepest > MAX_DEPTH:
                raise Malformed("too many parts")
            if self.shared is not None and tag in ("a", "b"):
                unused[number] = self.shared.resolve(tag, natural(_single(heads)))
                continue
            unused[number] = self._build(tag, heads, items), deepest + 1
            if self.shared is not None:
                self.shared.add(*unused[number])
        ((value, _),) = unused.values()
        return value

    def _build(self, tag: Any, heads: Any, items: list[Any]) -> Any:
        if type(tag) is not str or type(heads) is not list:
            raise Malformed("not a node")
        if tag in _BUILDERS:
            return _BUILDERS[tag](heads, items)
        if tag == "nd":
            return self._array(heads, items)
        if self.references is not None:
            return self.references.decode_reference(tag, heads, items)
        if tag == "S":
            (flag,), (value,) = heads, items
            self._add_overridden(flag)
            return value
        if tag == "o":
            kind, flag, defines_equality = heads
            self._add_overridden(flag)
            return Opaque(_text(kind)[:80], defines_equality is not False)
        raise Malformed(f"unknown kind of value: {tag[:40]!r}")

    def _add_overridden(self, flag: Any) -> None:
        if type(flag) is not bool:
            raise Malformed("neither true nor false")
        self.overridden |= flag

    def _array(self, heads: list[Any], items: list[Any]) -> Any:
        (kind, shape), (values,) = heads, items
        numpy = sys.modules.get("numpy")
        if _text(kind)[1:2] in tuple("biufcSU") and numpy is not None and self.references is not None:
            # In a test process, whose tests may use numpy themselves.
            found = numpy.array(values, dtype=numpy.dtype(kind))
            found.shape = shape  # no list has the shape of an empty array; `reshape` would not own its memory
            return found
        return _nested_array(values)


def _nested_array(values: Any) -> Any:
    return Array([_nested_array(value) for value in values]) if type(values) is list else values


def _scalar(data: Any) -> Any:
    if data is None or type(data) in (bool, str, float):
        return data
    if type(data) is int and data.bit_length() <= MAX_BITS:
        return data
    raise Malformed(f"not a value: {str(data)[:80] if type(data) is not int else 'too large an integer'}")


def _text(text: Any, max_length: int = MAX_TEXT) -> str:
    if type(text) is not str or len(text) > max_length:
        raise Malformed("not a text, or too long a one")
    return text


def natural(value: Any) -> int:
    """The number of an object or of a value."""
    if type(value) is not int or value < 0:
        raise Malformed("not the number of an object")
    return value


def _single(values: list[Any]) -> Any:
    (value,) = values
    return value


def _hexadecimal(text: Any) -> int:
    return _scalar(int(_text(text, MAX_BITS // 4 + 4), 16))


def _decimal(text: str) -> Decimal:
    value = Decimal(_text(text, MAX_DIGITS))
    if too_long(text, value):
        raise Malformed("too long a Decimal")
    return value


def _fraction(items: list[Any]) -> Fraction:
    numerator, denominator = items
    if (
        type(numerator) is not int
        or type(denominator) is not int
        or denominator <= 0
        or max(numerator.bit_length(), denominator.bit_length()) > MAX_FRACTION_BITS
    ):
        raise Malformed("not a fraction, or too long a one")
    # By hand, since `Fraction(..)` asks `math.gcd`, which a test may have replaced.
    divisor = _gcd(numerator, denominator)
    value = object.__new__(Fraction)
    value._numerator, value._denominator = numerator // divisor, denominator // divisor  # type: ignore[attr-defined]
    return value


def _hashable(members: list[Any]) -> list[Any]:
    """Members of a set or keys of a dict, if inserting them takes a reasonable time."""
    if len(members) > MAX_COLLISIONS and max(Counter(map(hash, members)).values()) > MAX_COLLISIONS:
        raise Malformed("too many members with one hash")
    return members


def _pairs(items: list[Any]) -> Iterator[tuple[Any, Any]]:
    if len(items) % 2:
        raise Malformed("not pairs")
    return zip(_hashable(items[::2]), items[1::2], strict=True)


def _range(parts: list[Any]) -> range | Opaque:
    """A range, or an opaque object if the range is too long to iterate over."""
    values = range(*parts)
    return values if abs(parts[1] - parts[0]) // abs(parts[2]) <= MAX_NODES else Opaque("range", False)


def _deque(heads: list[Any], items: list[Any]) -> deque[Any]:
    (longest,) = heads
    if longest is not None and type(longest) is not int:
        raise Malformed("not a deque")
    return deque(items, longest)


def _library(heads: list[Any]) -> Any:
    module, name, text = heads
    return LIBRARY[_text(module), _text(name)](_text(text, 10_000))


def _complex(heads: list[Any]) -> complex:
    real, imaginary = heads
    return complex(float.fromhex(_text(real, 40)), float.fromhex(_text(imaginary, 40)))


_BUILDERS: dict[str, Callable[[list[Any], list[Any]], Any]] = {
    "one": lambda h, x: _single(x),
    "i": lambda h, x: _hexadecimal(_single(h)),
    "f": lambda h, x: float.fromhex(_text(_single(h), 40)),
    "c": lambda h, x: _complex(h),
    "y": lambda h, x: bytes.fromhex(_single(h)),
    "Y": lambda h, x: bytearray.fromhex(_single(h)),
    "l": lambda h, x: x,
    "u": lambda h, x: tuple(x),
    "s": lambda h, x: set(_hashable(x)),
    "z": lambda h, x: frozenset(_hashable(x)),
    "d": lambda h, x: dict(_pairs(x)),
    "dd": lambda h, x: defaultdict(None if isinstance(x[0], Opaque) else x[0], _pairs(x[1:])),
    "od": lambda h, x: OrderedDict(_pairs(x)),
    "C": lambda h, x: Counter(dict(_pairs(x))),
    "q": _deque,
    "r": lambda h, x: _range(x),
    "slice": lambda h, x: slice(*x),
    "...": lambda h, x: ...,
    "NI": lambda h, x: NotImplemented,
    "D": lambda h, x: _decimal(_single(h)),
    "Q": lambda h, x: _fraction(x),
    "date": lambda h, x: date.fromisoformat(_single(h)),
    "time": lambda h, x: time.fromisoformat(_single(h)),
    "datetime": lambda h, x: datetime.fromisoformat(_single(h)),
    "delta": lambda h, x: timedelta(*h),
    "zone": lambda h, x: timezone(_single(x)),
    "UD": lambda h, x: UserDict(dict(_pairs(x))),
    "CM": lambda h, x: ChainMap(dict(_pairs(x))),
    "UL": lambda h, x: UserList(x),
    "US": lambda h, x: UserString(_text(_single(x))),
    "MP": lambda h, x: MappingProxyType(dict(_pairs(x))),
    "dk": lambda h, x: dict.fromkeys(_hashable(x)).keys(),
    "dv": lambda h, x: dict(enumerate(x)).values(),
    "di": lambda h, x: dict(_hashable(x)).items(),
    "T": lambda h, x: TYPES[_single(h)],
    "lib": lambda h, x: _library(h),
    "array": lambda h, x: array(_single(h), x),
}  # fmt: skip
