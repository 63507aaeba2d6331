"""Which plain values are one object in both processes: arguments, what is in them, and answers that are given again.

Plain data is copied, but a test may ask whether an answer *is* its argument, or shares a list with it, or is what an
earlier call returned, and may change the one and look at the other. So both sides number these values alike.
"""

from __future__ import annotations

import collections
import sys
from collections.abc import Sequence
from typing import Any

_MAPPINGS = (dict, collections.Counter, collections.OrderedDict, collections.defaultdict)
_MUTABLE = (list, set, bytearray, collections.deque, *_MAPPINGS)
_KEPT = 100  # answers: more than a test compares by identity, and few enough to be kept alive


def is_mutable(value: Any) -> bool:
    """Whether changes of an argument are sent back: of a builtin container, or of an array of plain data."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and type(value) is numpy.ndarray:
        return value.flags.writeable and value.dtype.kind in "biufcSU"
    return type(value) in _MUTABLE


def with_members(arguments: Sequence[Any]) -> list[Any]:
    """The arguments, and after them the containers in them, in an order that is the same in both processes."""
    values = list(arguments)
    for value in values:  # which grows
        kind = type(value)
        parts = value.values() if kind in _MAPPINGS else value if kind in (list, tuple, collections.deque) else ()
        values += [part for part in parts if type(part) is tuple or type(part) in _MUTABLE]
    return values


def update(value: Any, new: Any) -> None:
    """Give a mutable value new contents."""
    if isinstance(value, (list, bytearray)):
        value[:] = new
    elif type(value) not in _MUTABLE:
        value[...] = new  # an array
    else:
        value.clear()
        value.extend(new) if isinstance(value, collections.deque) else value.update(new)


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
