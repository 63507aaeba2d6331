"""Coroutines from functions: outside an event loop, and inside one, as in a notebook."""

from __future__ import annotations

import asyncio
import signal
import threading
import time

import pytest

from inoculate.engine.sampling.loop import event_loop


async def doubled(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


def called() -> list[int]:
    with event_loop() as run:
        return [run(doubled(number)) for number in range(3)]


def test_outside_a_loop() -> None:
    assert called() == [0, 2, 4]


def test_inside_a_loop() -> None:
    async def cell() -> list[int]:
        return called()

    assert asyncio.run(cell()) == [0, 2, 4]


def test_an_error_comes_through() -> None:
    async def failing() -> None:
        raise ValueError("this")

    async def cell() -> None:
        with event_loop() as run:
            run(failing())

    with pytest.raises(ValueError, match="this"):
        asyncio.run(cell())


def test_an_interrupt_ends_what_waits() -> None:
    async def cell() -> None:
        with event_loop() as run:
            threading.Timer(0.2, signal.pthread_kill, [threading.get_ident(), signal.SIGINT]).start()
            run(asyncio.sleep(60))

    before = time.monotonic()
    loop = asyncio.new_event_loop()  # as a notebook's kernel: one that leaves interrupts to Python
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(cell())
    loop.close()
    assert time.monotonic() - before < 30
