"""Which plain values are one object in both processes: arguments, what is in them, and answers that are given again.

Plain data is copied, but a test may ask whether an answer *is* its argument, or shares a list with it, or is what an
earlier call returned, and may change the one and look at the other. So both sides number these values alike.
"""

from __future__ import annotations

import collections
import sys
from collections.abc import Callable
from typing import Any

_MAPPINGS = (dict, collections.Counter, collections.OrderedDict, collections.defaultdict)
_MUTABLE = (list, set, bytearray, collections.deque, *_MAPPINGS)
_KEPT = 100  # answers: more than a test compares by identity, and few enough to be kept alive

Encode = Callable[[Any], Any]


def is_mutable(value: Any) -> bool:
    """Whether changes of an argument are sent back: of a builtin container, or of an array of plain data."""
    return type(value) in _MUTABLE or (_is_array(value) and value.flags.writeable and value.dtype.kind in "biufcSU")


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(value) is numpy.ndarray


def update(value: Any, new: Any) -> None:
    """Give a mutable value new contents; an array also their shape and type.

    Raises:
        ValueError: The new contents are of another type, or the array is a view, which cannot be resized.
    """
    if type(new) is not type(value):
        raise ValueError("a changed value is of another type")
    if isinstance(value, (list, bytearray)):
        value[:] = new
    elif _is_array(value):
        _update_array(value, new)
    else:
        value.clear()
        value.extend(new) if isinstance(value, collections.deque) else value.update(new)
        if isinstance(value, collections.defaultdict):
            value.default_factory = new.default_factory


def _update_array(value: Any, new: Any) -> None:
    # In place, so that it stays the same object. Its memory is kept where it has the right size: views of it share it.
    if value.nbytes != new.nbytes:
        value.resize(0, refcheck=False)
        value.dtype = new.dtype
        value.resize(new.shape, refcheck=False)
    elif value.dtype != new.dtype:
        _reshape(value, (value.size,))
        value.dtype = new.dtype
    if value.shape != new.shape:
        _reshape(value, new.shape)
    value[...] = new


def _reshape(value: Any, shape: tuple[int, ...]) -> None:
    """Give an array another shape; which of its contents are where does not matter, since all are replaced."""
    try:
        value.shape = shape
    except AttributeError:  # its columns are stored one after the other, or it is a view
        value.resize(shape, refcheck=False)


class SharedValues:
    """The values of one request and of its reply, each numbered once, in the order of their nodes."""

    def __init__(self) -> None:
        """Start without any."""
        self._values: list[Any] = []  # all are kept alive, so that no other object gets the id of one of them
        self._depths: list[int] = []
        self._numbers: dict[int, int] = {}
        self._requested = 0
        self._before: list[tuple[int, Any]] = []

    def add(self, value: Any, depth: int = 0) -> None:
        """Number the value of the next node; in the process that decodes it, with its depth."""
        self._numbers.setdefault(id(value), len(self._values))
        self._values.append(value)
        self._depths.append(depth)

    def reference(self, value: Any) -> list[Any] | None:
        """The node that refers to a value that has a number: of the request ("a"), or of the reply ("b")."""
        number = self._numbers.get(id(value))
        if number is None:
            return None
        return ["a", [number], []] if number < self._requested else ["b", [number - self._requested], []]

    def resolve(self, tag: str, number: int) -> tuple[Any, int]:
        """The value that such a node refers to, and its depth."""
        number += self._requested if tag == "b" else 0
        return self._values[number], self._depths[number]

    def begin_reply(self) -> None:
        """From now on values are those of the reply."""
        self._requested = len(self._values)

    def is_requested(self, value: Any) -> bool:
        """Whether a value is one of the request."""
        return self._numbers.get(id(value), self._requested) < self._requested

    def keep_contents(self) -> None:
        """In the process that answers, before it does: remember the contents, for `changes`."""
        self._before = [
            (number, _contents(value))
            for number, value in enumerate(self._values[: self._requested])
            if is_mutable(value)
        ]

    def changes(self, encode: Encode) -> list[list[Any]]:
        """The number and the new contents of each value of the request that has been changed since."""
        return [
            [number, encode(self._values[number])]
            for number, before in self._before
            if not _is_same(before, _contents(self._values[number]))
        ]

    def apply(self, changes: list[list[Any]], decode: Encode) -> None:
        """Give the changed values of the request their new contents, all of which are decoded before."""
        decoded = [(self._values[: self._requested][number], decode(new)) for number, new in changes]
        for value, new in decoded:
            if is_mutable(value):
                update(value, new)

    def forget_reply(self) -> None:
        """Take back the numbers of a reply that is not sent."""
        self.forget(self._requested)

    @property
    def count(self) -> int:
        """How many values have a number."""
        return len(self._values)

    def forget(self, count: int) -> None:
        """Take back all numbers but the first ones: their nodes are not sent."""
        del self._values[count:], self._depths[count:]
        self._numbers = {key: number for key, number in self._numbers.items() if number < count}


def _contents(value: Any) -> list[Any]:
    """What a change of a mutable value changes."""
    if _is_array(value):
        return [str(value.shape), value.dtype.str, value.tobytes()]
    if isinstance(value, bytearray):
        return [bytes(value)]
    members = [*value, *value.values()] if isinstance(value, _MAPPINGS) else list(value)
    return [*members, value.default_factory] if isinstance(value, collections.defaultdict) else members


def _is_same(before: list[Any], now: list[Any]) -> bool:
    # By identity: members may be objects with any `__eq__`. Of texts and bytes nobody can tell it.
    return len(before) == len(now) and all(
        old is new or (type(old) is type(new) and type(old) in (bytes, str) and old == new)
        for old, new in zip(before, now, strict=True)
    )


class GivenAnswers:
    """In the solution process: the last mutable answers, by number."""

    def __init__(self) -> None:
        """Start without any."""
        self._values: dict[int, tuple[int, Any]] = {}
        self._count = 0

    def number_of(self, value: Any) -> int | None:
        """The number of an answer, which is the same whenever it is given again; None if it is not mutable."""
        if type(value) not in _MUTABLE:
            return None
        if id(value) not in self._values:
            self._values[id(value)] = self._count, value  # kept alive, so that no other object gets its id
            self._count += 1
            if len(self._values) > _KEPT:
                del self._values[next(iter(self._values))]
        return self._values[id(value)][0]


class KnownAnswers:
    """In the test process: the objects that represent the last mutable answers."""

    def __init__(self) -> None:
        """Start without any."""
        self._values: dict[int, tuple[Any, Any]] = {}

    def resolve(self, number: int, value: Any, data: Any) -> Any:
        """The object that represents an answer: the same one as before, with its present contents.

        Args:
            number: From `GivenAnswers.number_of`.
            value: The decoded answer.
            data: The answer as encoded. If it has not changed there, the object keeps what the test has changed here.
        """
        known, before = self._values.get(number, (value, data))
        if type(known) is not type(value) or type(value) not in _MUTABLE:
            return value
        if data != before:
            update(known, value)
        self._values[number] = known, data
        if len(self._values) > _KEPT:
            del self._values[next(iter(self._values))]
        return known
