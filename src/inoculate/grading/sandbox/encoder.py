"""Serialization of plain data: `encode` runs beside the solution in the sandbox, `decoder.Decoder` outside it.

Whatever the solution does to the encoder, the decoder builds nothing but real builtins. So `==` keeps Python's meaning,
and no code of the solution ever runs outside the sandbox. Never pickle.

A value is a JSON scalar, or a list of nodes `[tag, heads, parts]`: `heads` are attributes, and each part is a scalar or
`[number of an earlier node]`. The last node is the value. So neither side recurses more than three levels deep.
"""

from __future__ import annotations

import builtins
import datetime
import ipaddress
import math
import pathlib
import sys
import types
import uuid
import zoneinfo
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, UserString, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

from inoculate.grading.sandbox.shared_values import SharedValues

MAX_NODES = 1_000_000
MAX_COLLISIONS = 100  # members of one set or dict with the same hash: inserting them takes quadratic time
MAX_DEPTH = 2_000  # Python compares no deeper than its recursion limit; hashing deeper values crashes the process
MAX_BITS = 4_000_000  # comparing with a Decimal takes a minute: such tests run in a process of their own
MAX_FRACTION_BITS = 400_000  # building a fraction takes quadratic time
MAX_DIGITS = 20_000  # a Decimal's digits and exponent: int(Decimal("1e999999999")) would never end
MAX_TEXT = 12_000_000  # characters and bytes of one answer
MAX_REPLY = 15 << 20
"""Bytes of all answers of a check together, and of one message between two processes."""
SMALL = 2**53

_is_finite = math.isfinite  # our own reference: a test may replace the function

Node = list[Any]

_EXCEPTIONS = [kind for kind in vars(builtins).values() if isinstance(kind, type) and issubclass(kind, BaseException)]
TYPES: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (bool, int, float, complex, str, bytes, bytearray, list, tuple, set, frozenset, dict, type(None), range,
                 object, type, *_EXCEPTIONS)
}  # fmt: skip
"""Classes that both sides know by name."""
_COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__class__", "__bool__", "__contains__")


class TooBig(Exception):
    """A value exceeds the limits of a reply."""


class References(Protocol):
    """How two connected processes refer to objects that are not copied."""

    def encode_reference(self, value: Any) -> Node | None:
        """The node that refers to an object; None if the object is copied instead."""

    def decode_reference(self, tag: str, heads: list[Any], parts: list[Any]) -> Any:
        """The object here that represents the object of such a node."""


def encode(value: Any, references: References | None = None, shared: SharedValues | None = None) -> Any:
    """A value as plain JSON.

    Args:
        value: What the solution returned.
        references: Encodes objects that are not plain data; without it only the name of their class is encoded.
        shared: Values that the decoder has already; used for parts of the value, not for itself, and gets its nodes.
            Without it a part that occurs twice is encoded twice.

    Raises:
        TooBig: The value exceeds the limits.
    """
    return _Encoder(references, shared).encode(value)


class _Encoder:
    def __init__(self, references: References | None, shared: SharedValues | None) -> None:
        self.references = references
        self.shared = shared
        self.nodes = 0
        self.text = 0

    def encode(self, value: Any) -> Any:
        if self._is_scalar(value):
            return value
        nodes: list[Node] = []
        # The path from the value to the node that is being encoded, each node with its remaining parts.
        path = [self._open(value)]
        while True:
            node, parts, opened = path[-1]
            encoded = node[2]
            for part in parts:
                if self._is_scalar(part):
                    encoded.append(part)
                    continue
                if len(path) > MAX_DEPTH:
                    raise TooBig("the answer is nested too deeply")
                reference = self.shared.reference(part) if self.shared is not None else None
                if reference is None:
                    path.append(self._open(part))
                    break
                nodes.append(reference)
                encoded.append([len(nodes) - 1])
            else:
                path.pop()
                nodes.append(node)
                if self.shared is not None:
                    self.shared.add(opened)
                if not path:
                    return nodes
                path[-1][0][2].append([len(nodes) - 1])

    def _is_scalar(self, value: Any) -> bool:
        if value is None or value is True or value is False:
            return True
        kind = type(value)
        if kind is int:
            return -SMALL < value < SMALL
        if kind is str:
            self._count_text(len(value))
            return True
        return kind is float and _is_finite(value)

    def _count_text(self, length: int) -> None:
        self.text += length
        if self.text > MAX_TEXT:
            raise TooBig("the answer is too long a text")

    def _open(self, value: Any) -> tuple[Node, Iterator[Any], Any]:
        split = _SPLITS.get(type(value))
        node = self.references.encode_reference(value) if self.references is not None and split is None else None
        if node is not None:
            tag, heads, parts = node
        elif split is not None:
            tag, (heads, parts) = split[0], split[1](value)
        else:
            tag, heads, parts = _other(value)
        for head in heads:
            if type(head) is str:
                self._count_text(len(head))
        # An iterator has no length: iterators are never consumed here.
        self.nodes += 1 + len(parts)
        if self.nodes > MAX_NODES:
            raise TooBig("the answer has too many parts")
        return [tag, heads, []], iter(parts), value


def _other(value: Any) -> Node:
    """The node of a value that is not a builtin: of a subclass of one, a class, a numpy value, or any other object."""
    kind = type(value)
    numpy = sys.modules.get("numpy")
    if numpy is not None and kind.__module__ == "numpy":
        if issubclass(kind, numpy.generic):
            return ["one", [], [numpy.generic.item(value)]]
        if issubclass(kind, numpy.ndarray) and value.dtype.names is None:
            return ["nd", [value.dtype.str, list(value.shape)], [numpy.ndarray.tolist(value)]]
    builtin = contents(value)
    if builtin is not None:
        return ["S", [overrides_comparison(kind)], builtin]
    if kind is type and is_named(value):
        return ["T", [value.__name__], []]
    for holder, (tag, parts_of) in _HOLDERS.items():
        if issubclass(kind, holder) and not overrides_comparison(kind):
            return [tag, [], parts_of(value)]
    if (kind.__module__, kind.__name__) in LIBRARY:
        return ["lib", [kind.__module__, kind.__name__, str(value)], []]
    if kind.__module__ == "array" and kind.__name__ == "array":
        return ["array", [value.typecode], value.tolist()]
    if kind.__name__ == "coroutine":
        raise TypeError("the answer is a coroutine that is not awaited")
    return ["o", [kind.__name__[:80], overrides_comparison(kind), defines_equality(kind)], []]


def is_named(kind: type[Any]) -> bool:
    """Whether a class is a builtin that both sides know by name."""
    return TYPES.get(kind.__name__) is kind


def contents(value: Any) -> list[Any] | None:
    """The builtin value in an instance of a subclass, as a list of one, bypassing its own methods; None for others."""
    for base, read in _CONTENTS:
        if isinstance(value, base) and issubclass(type(value), base):
            return [read(value)]
    return None


def overrides_comparison(kind: type[Any]) -> bool:
    """Whether a class that the solution defines has comparison methods of its own."""
    for base in kind.__mro__:
        if base.__module__ in ("solution", "__main__"):
            own = vars(base)
            if any(name in own and not _generated(own, name) for name in _COMPARISONS):
                return True
    return False


def defines_equality(kind: type[Any]) -> bool:
    """Whether a class defines which plain data its instances equal; the `__eq__` of a `dataclass` equals none."""
    own = [vars(base) for base in kind.__mro__ if "__eq__" in vars(base) or "__ne__" in vars(base)]
    return len(own) > 1 and not _generated(own[0], "__eq__")  # the last one is `object`


def _generated(own: Any, name: str) -> bool:
    """Whether a comparison method was generated by `dataclass`, which is not an override."""
    code = getattr(own.get(name), "__code__", None)
    return "__dataclass_params__" in own and getattr(code, "co_filename", "") == "<string>"


def _integer(value: int) -> tuple[list[Any], Iterable[Any]]:
    if value.bit_length() > MAX_BITS:
        raise TooBig("the answer is too large an integer")
    return [hex(value)], ()


def _decimal(value: Decimal) -> tuple[list[Any], Iterable[Any]]:
    text = str(value)
    if too_long(text, value):
        raise TooBig("the answer is too long a Decimal")
    return [text], ()


def too_long(text: str, value: Decimal) -> bool:
    """Whether a Decimal of that text exceeds the limits."""
    return len(text) > MAX_DIGITS or (value.is_finite() and abs(value.adjusted()) > MAX_DIGITS)


def _fraction(value: Fraction) -> tuple[list[Any], Iterable[Any]]:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_FRACTION_BITS:
        raise TooBig("the answer is too long a Fraction")
    return [], (value.numerator, value.denominator)


def _pairs(value: Any) -> list[Any]:
    return [part for pair in dict.items(value) for part in pair]


def _plain(mapping: Any) -> dict[Any, Any]:
    """A mapping as a dict; a dict without its own methods, as everywhere."""
    return dict(dict.items(mapping) if isinstance(mapping, dict) else mapping)


def _factory(value: defaultdict[Any, Any]) -> tuple[list[Any], Iterable[Any]]:
    return [], [value.default_factory, *_pairs(value)]


# How each builtin is split: the tag of its node, its heads and its parts.
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

# Classes of the standard library that hold a builtin and equal what it equals: the tag, and the parts. Also subclasses
# that do not decide what they equal, read past their own methods. In a remote test they are objects of their process,
# since what one side does to them the other has to see.
_HOLDERS: dict[type[Any], tuple[str, Callable[[Any], list[Any]]]] = {
    UserDict: ("UD", lambda v: _pairs(v.data)),
    UserList: ("UL", lambda v: list.__getitem__(v.data, slice(None))),
    UserString: ("US", lambda v: [str.__str__(v.data)]),
    ChainMap: ("CM", lambda v: _pairs({k: held for part in reversed(v.maps) for k, held in _plain(part).items()})),
    types.MappingProxyType: ("MP", lambda v: _pairs(dict(v))),
}

# Classes of the standard library whose instances are rebuilt from their text.
LIBRARY: dict[tuple[str, str], type[Any]] = {
    (kind.__module__, kind.__name__): kind
    for kind in (uuid.UUID, ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, pathlib.PosixPath,
                 pathlib.PurePosixPath, pathlib.PureWindowsPath, zoneinfo.ZoneInfo)
}  # fmt: skip

# An instance of a subclass of a builtin (a namedtuple, an IntEnum, or one that lies) is read by the methods of the
# builtin, bypassing its own.
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
