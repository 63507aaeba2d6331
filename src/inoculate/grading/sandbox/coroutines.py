"""Proxies for coroutines of the other process."""

from __future__ import annotations

import collections.abc
import types
from typing import Any

from inoculate.grading.sandbox.proxies import VALUE_PROXIES, Reference, Refused


class Coroutine(collections.abc.Coroutine[Any, Any, Any]):
    """A coroutine of the other process: when it is awaited, it runs there to its end. It supports nothing else."""

    @property
    def __class__(self) -> Any:  # type: ignore[override]
        """What `inspect.iscoroutine` sees beside this class."""
        return types.CoroutineType

    def __init__(self, connection: Any, number: int) -> None:
        """Represent the coroutine of that number."""
        self._inoculate_reference = Reference(connection, number)

    def send(self, value: Any) -> Any:
        """Run it."""
        raise StopIteration(self._inoculate_reference.request("await"))

    def throw(self, *error: Any) -> Any:
        """End it with an exception."""
        raise error[0]

    def close(self) -> None:
        """Do nothing."""

    def __await__(self) -> Any:
        """Run it."""
        return self._inoculate_reference.request("await")
        yield

    def _refuse(self, *_: object) -> Any:
        monitor = self._inoculate_reference.connection.monitor
        monitor.failure = "the answer is a coroutine that is not awaited"
        raise Refused(monitor.failure)

    __bool__ = __eq__ = __str__ = __repr__ = _refuse
    __hash__ = object.__hash__


VALUE_PROXIES.add(Coroutine)
