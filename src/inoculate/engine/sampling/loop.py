"""Runs coroutines from synchronous functions, also in a notebook, whose cells already run in an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")
RunCoroutine = Callable[[Coroutine[Any, Any, Any]], Any]
"""Runs a coroutine and returns what it returns."""


@contextmanager
def event_loop() -> Iterator[RunCoroutine]:
    """A new event loop; it runs only during calls of the function that is yielded.

    Yields:
        A function that runs a coroutine: in this thread, or in another thread if this one has a running loop.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        with asyncio.Runner() as runner:
            yield runner.run
        return
    with ThreadPoolExecutor(1) as thread:
        runner = asyncio.Runner()
        loop = thread.submit(runner.get_loop).result()
        try:
            yield lambda coroutine: _run_in(thread, runner, loop, coroutine)
        finally:
            thread.submit(runner.close).result()


def _run_in(
    thread: ThreadPoolExecutor,
    runner: asyncio.Runner,
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, Result],
) -> Result:
    running = thread.submit(runner.run, coroutine)
    try:
        return running.result()
    except KeyboardInterrupt:
        # The interrupt reaches this thread only; without this the other one would keep waiting for responses.
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])
        raise
