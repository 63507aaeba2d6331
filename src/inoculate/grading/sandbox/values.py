"""Plain data between the box and the grader: written by `encode` beside the solution, read by `reader.Reader` outside.

Whatever the solution does to the writer, the reader builds nothing but real builtins, so that `==` keeps Python's
meaning and no code of the solution ever runs outside the box. Never pickle.

A value is one scalar of JSON, or a list of nodes `[tag, heads, parts]`, each part a scalar or `[number of a node]`
before it; the last node is the value. So neither side goes deeper into JSON, or into itself, than three levels.
"""

from __future__ import annotations

import builtins
import datetime
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
MOST_REPLY = 15 << 20
"""Bytes of the answers to all calls of a check together, and of one message between two processes."""
SMALL = 2**53

Node = list[Any]

_EXCEPTIONS = [kind for kind in vars(builtins).values() if isinstance(kind, type) and issubclass(kind, BaseException)]
TYPES: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (bool, int, float, complex, str, bytes, bytearray, list, tuple, set, frozenset, dict, type(None), range,
                 object, type, *_EXCEPTIONS)
}  # fmt: skip
"""Classes that both sides know by their names."""
_COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__class__", "__bool__", "__contains__")


class TooBig(Exception):
    """A value beyond the limits of the reply."""


class Link(Protocol):
    """How two processes that talk name the objects that stay where they are."""

    def hand(self, value: Any) -> Node | None:
        """The node for an object that is not to be copied; None where it is."""

    def take(self, tag: str, heads: list[Any], parts: list[Any]) -> Any:
        """What stands for the object of such a node."""


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
    if (kind.__module__, kind.__name__) in LIBRARY:
        return ["lib", [kind.__module__, kind.__name__, str(value)], []]
    if kind.__module__ == "array" and kind.__name__ == "array":
        return ["array", [value.typecode], value.tolist()]
    if kind.__name__ == "coroutine":
        raise TypeError("the answer is a coroutine that nobody awaits")
    return ["o", [kind.__name__[:80], overrides(kind), decides(kind)], []]


def is_named(kind: type[Any]) -> bool:
    """Whether a class is one of Python's own that both sides know by its name."""
    return TYPES.get(kind.__name__) is kind


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
    if too_long(text, value):
        raise TooBig("the answer is too long a Decimal")
    return [text], ()


def too_long(text: str, value: Decimal) -> bool:
    """Whether a Decimal of that text is beyond the limits."""
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
LIBRARY = frozenset({
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
