"""Plain data between the box and the grader: written by `encode` beside the solution, read by `Reader` outside.

Whatever the solution does to the writer, the reader builds nothing but real builtins, so that `==` keeps Python's
meaning and no code of the solution ever runs outside the box. Never pickle.

A value is one scalar of JSON, or a list of nodes `[tag, heads, parts]`, each part a scalar or `[number of a node]`
before it; the last node is the value. So neither side goes deeper into JSON, or into itself, than three levels.
"""

from __future__ import annotations

import builtins
import datetime
import importlib
import math
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

MOST_NODES = 1_000_000
MOST_ALIKE = 100  # members of one set or dict with the same hash: they take quadratic time to insert
MOST_DEPTH = 2_000  # Python itself compares no deeper than its recursion limit; hashing deeper ends the process
MOST_BITS = 4_000_000  # compared with a Decimal it takes a minute: such tests run in a process of their own
MOST_FRACTION_BITS = 400_000  # to build a fraction takes time in the square of its length
MOST_DIGITS = 20_000  # a Decimal's digits and exponent: int(Decimal("1e999999999")) would never end
MOST_TEXT = 12_000_000  # characters and bytes of one answer
SMALL = 2**53

Node = list[Any]

_EXCEPTIONS = [kind for kind in vars(builtins).values() if isinstance(kind, type) and issubclass(kind, BaseException)]
_TYPES: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (bool, int, float, complex, str, bytes, bytearray, list, tuple, set, frozenset, dict, type(None), range,
                 object, type, *_EXCEPTIONS)
}  # fmt: skip
"""Classes that both sides know by their names."""
_COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__class__", "__bool__", "__contains__")


class TooBig(Exception):
    """A value beyond the limits of the reply."""


class Malformed(Exception):
    """A reply that `encode` would not have written."""


class Unreadable(Exception):
    """An object of the solution's own was asked for what only the solution could answer."""


class Link(Protocol):
    """How two processes that talk name the objects that stay where they are."""

    def hand(self, value: Any) -> Node | None:
        """The node for an object that is not to be copied; None where it is."""

    def take(self, tag: str, heads: list[Any], parts: list[Any]) -> Any:
        """What stands for the object of such a node."""


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


def encode(value: Any, link: Link | None = None, known: Mapping[int, int] | None = None) -> Any:
    """A value as plain JSON.

    Args:
        value: What the solution returned.
        link: Hands on objects that are not plain data; without one they are named, and no more.
        known: Numbers of objects that the reader has already, by `id`, in which the value itself is not looked up.

    Raises:
        TooBig: The value is beyond the limits.
    """
    return _Writer(link, known or {}).write(value)


class _Writer:
    def __init__(self, link: Link | None, known: Mapping[int, int]) -> None:
        self.link = link
        self.known = known
        self.nodes = 0
        self.text = 0

    def write(self, value: Any) -> Any:
        if self._is_scalar(value):
            return value
        nodes: list[Node] = []
        # From the value inwards to the node that is being written, each with its parts to come.
        opened = [self._open(value)]
        while True:
            node, parts = opened[-1]
            written = node[2]
            for part in parts:
                if self._is_scalar(part):
                    written.append(part)
                    continue
                if len(opened) > MOST_DEPTH:
                    raise TooBig("the answer is nested too deeply")
                known = self.known.get(id(part))
                opened.append(self._open(part) if known is None else (["a", [known], []], iter(())))
                break
            else:
                opened.pop()
                nodes.append(node)
                if not opened:
                    return nodes
                opened[-1][0][2].append([len(nodes) - 1])

    def _is_scalar(self, value: Any) -> bool:
        if value is None or value is True or value is False:
            return True
        kind = type(value)
        if kind is int:
            return -SMALL < value < SMALL
        if kind is str:
            self._count_text(len(value))
            return True
        return kind is float and math.isfinite(value)

    def _count_text(self, length: int) -> None:
        self.text += length
        if self.text > MOST_TEXT:
            raise TooBig("the answer is too long a text")

    def _open(self, value: Any) -> tuple[Node, Iterator[Any]]:
        split = _SPLITS.get(type(value))
        node = self.link.hand(value) if self.link is not None and split is None else None
        if node is not None:
            tag, heads, parts = node
        elif split is not None:
            tag, (heads, parts) = split[0], split[1](value)
        else:
            tag, heads, parts = _other(value)
        for head in heads:
            if type(head) is str:
                self._count_text(len(head))
        # An iterator has no length, and none is ever walked along here.
        self.nodes += 1 + len(parts)
        if self.nodes > MOST_NODES:
            raise TooBig("the answer has too many parts")
        return [tag, heads, []], iter(parts)


def _other(value: Any) -> Node:
    """The node of what is no builtin: a subclass of one, a class, a number or array of numpy, or an object."""
    kind = type(value)
    numpy = sys.modules.get("numpy")
    if numpy is not None and kind.__module__ == "numpy":
        if issubclass(kind, numpy.generic):
            return ["one", [], [numpy.generic.item(value)]]
        if issubclass(kind, numpy.ndarray):
            return ["nd", [value.dtype.str], [numpy.ndarray.tolist(value)]]
    found = contents(value)
    if found is not None:
        return ["S", [overrides(kind)], found]
    if kind is type and is_named(value):
        return ["T", [value.__name__], []]
    if (kind.__module__, kind.__name__) in _LIBRARY:
        return ["lib", [kind.__module__, kind.__name__, str(value)], []]
    if kind.__module__ == "array" and kind.__name__ == "array":
        return ["array", [value.typecode], value.tolist()]
    if kind.__name__ == "coroutine":
        raise TypeError("the answer is a coroutine that nobody awaits")
    return ["o", [kind.__name__[:80], overrides(kind), decides(kind)], []]


def is_named(kind: type[Any]) -> bool:
    """Whether a class is one of Python's own that both sides know by its name."""
    return _TYPES.get(kind.__name__) is kind


def contents(value: Any) -> list[Any] | None:
    """A list of the builtin that an instance of its subclass holds, read past its own methods; None for others."""
    for base, read in _CONTENTS:
        if isinstance(value, base) and issubclass(type(value), base):
            return [read(value)]
    return None


def overrides(kind: type[Any]) -> bool:
    """Whether a class of the solution's own has a say in comparisons."""
    for base in kind.__mro__:
        if base.__module__ in ("solution", "__main__"):
            own = vars(base)
            if any(name in own and not _generated(own, name) for name in _COMPARISONS):
                return True
    return False


def decides(kind: type[Any]) -> bool:
    """Whether a class itself says which plain data its instances equal: one that `dataclass` has made equals none."""
    own = [vars(base) for base in kind.__mro__ if "__eq__" in vars(base) or "__ne__" in vars(base)]
    return len(own) > 1 and not _generated(own[0], "__eq__")  # the last one is of `object`


def _generated(own: Any, name: str) -> bool:
    """Whether a comparison was written by `dataclass`, which is no override."""
    code = getattr(own.get(name), "__code__", None)
    return "__dataclass_params__" in own and getattr(code, "co_filename", "") == "<string>"


def _integer(value: int) -> tuple[list[Any], Iterable[Any]]:
    if value.bit_length() > MOST_BITS:
        raise TooBig("the answer is too large an integer")
    return [hex(value)], ()


def _decimal(value: Decimal) -> tuple[list[Any], Iterable[Any]]:
    text = str(value)
    if _too_long(text, value):
        raise TooBig("the answer is too long a Decimal")
    return [text], ()


def _too_long(text: str, value: Decimal) -> bool:
    return len(text) > MOST_DIGITS or (value.is_finite() and abs(value.adjusted()) > MOST_DIGITS)


def _fraction(value: Fraction) -> tuple[list[Any], Iterable[Any]]:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_FRACTION_BITS:
        raise TooBig("the answer is too long a Fraction")
    return [], (value.numerator, value.denominator)


def _pairs(value: Any) -> list[Any]:
    return [part for pair in dict.items(value) for part in pair]


def _factory(value: defaultdict[Any, Any]) -> tuple[list[Any], Iterable[Any]]:
    return [], [value.default_factory, *_pairs(value)]


# How each builtin is taken to pieces: the tag of its node, its heads, its parts.
_SPLITS: dict[type[Any], tuple[str, Callable[[Any], tuple[list[Any], Any]]]] = {
    int: ("i", _integer),
    float: ("f", lambda v: ([v.hex()], ())),
    complex: ("c", lambda v: ([v.real.hex(), v.imag.hex()], ())),
    bytes: ("y", lambda v: ([v.hex()], ())),
    bytearray: ("Y", lambda v: ([v.hex()], ())),
    list: ("l", lambda v: ([], v)),
    tuple: ("u", lambda v: ([], v)),
    set: ("s", lambda v: ([], v)),
    frozenset: ("z", lambda v: ([], v)),
    dict: ("d", lambda v: ([], _pairs(v))),
    defaultdict: ("dd", _factory),
    OrderedDict: ("od", lambda v: ([], _pairs(v))),
    Counter: ("C", lambda v: ([], _pairs(v))),
    deque: ("q", lambda v: ([v.maxlen], v)),
    range: ("r", lambda v: ([], (v.start, v.stop, v.step))),
    slice: ("slice", lambda v: ([], (v.start, v.stop, v.step))),
    type(...): ("...", lambda v: ([], ())),
    type(NotImplemented): ("NI", lambda v: ([], ())),
    Decimal: ("D", _decimal),
    Fraction: ("Q", _fraction),
    datetime.date: ("date", lambda v: ([v.isoformat()], ())),
    datetime.time: ("time", lambda v: ([v.isoformat()], ())),
    datetime.datetime: ("datetime", lambda v: ([v.isoformat()], ())),
    datetime.timedelta: ("delta", lambda v: ([v.days, v.seconds, v.microseconds], ())),
    datetime.timezone: ("zone", lambda v: ([], (v.utcoffset(None),))),
    type({}.keys()): ("dk", lambda v: ([], list(v))),
    type({}.values()): ("dv", lambda v: ([], list(v))),
    type({}.items()): ("di", lambda v: ([], list(v))),
}  # fmt: skip

# Classes of the standard library whose instances are made again from their text.
_LIBRARY = frozenset({
    ("uuid", "UUID"), ("ipaddress", "IPv4Address"), ("ipaddress", "IPv6Address"), ("ipaddress", "IPv4Network"),
    ("pathlib", "PosixPath"), ("pathlib", "PurePosixPath"), ("pathlib", "PureWindowsPath"),
    ("zoneinfo", "ZoneInfo"),
})  # fmt: skip

# A subclass of a builtin (a namedtuple, an IntEnum, or a liar) is read at the level of C, past its own methods.
_CONTENTS: tuple[tuple[type[Any], Callable[[Any], Any]], ...] = (
    (int, int.__pos__),
    (float, float.__pos__),
    (str, str.__str__),
    (bytes, lambda value: bytes.__getitem__(value, slice(None))),
    (list, lambda value: list.__getitem__(value, slice(None))),
    (tuple, lambda value: tuple(tuple.__iter__(value))),
    (Counter, lambda value: Counter(dict(dict.items(value)))),
    (OrderedDict, lambda value: OrderedDict(dict.items(value))),
    (dict, lambda value: dict(dict.items(value))),
    (set, lambda value: set(set.__iter__(value))),
    (frozenset, lambda value: frozenset(frozenset.__iter__(value))),
    (deque, lambda value: deque(deque.__iter__(value), value.maxlen)),
    (Decimal, lambda value: Decimal.__pos__(value)),
)


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
    if _too_long(text, value):
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
    if (module, name) not in _LIBRARY:
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
    "T": lambda h, x: _TYPES[_one(h)],
    "lib": lambda h, x: _library(h),
    "array": lambda h, x: importlib.import_module("array").array(_one(h), x),
}  # fmt: skip
