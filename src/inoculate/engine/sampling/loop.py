"""Coroutines called from ordinary functions, also in a notebook, whose cells already run in an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")
Run = Callable[[Coroutine[Any, Any, Any]], Any]
"""Runs a coroutine and returns what it returns."""


@contextmanager
def event_loop() -> Iterator[Run]:
    """An event loop of one's own; it stands still between the calls.

    Yields:
        What runs a coroutine in it: in this thread, or in a thread of its own where this one has a running loop.
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
        # It comes to this thread and not to that one, which would wait for its answers.
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])
        raise
