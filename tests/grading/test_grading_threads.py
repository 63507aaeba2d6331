"""Tests are parsed in several threads at once, in which CPython before 3.11.8 and 3.12.2 confused recursion depths."""

from __future__ import annotations

import gc
import time
from concurrent.futures import ThreadPoolExecutor

from inoculate.grading.parsing import parse


def test_threads_that_parse_at_once_do_not_disturb_each_other() -> None:
    """https://github.com/python/cpython/issues/106905: it takes a garbage collection that lets other threads go on."""
    shallow, deep = f"assert f({[0] * 40!r})", f"assert f({'(' * 30}0{',)' * 30})"

    def let_others_go_on(*_: object) -> None:
        time.sleep(0)

    usual = gc.get_threshold()
    gc.callbacks.append(let_others_go_on)
    gc.set_threshold(3)
    try:
        with ThreadPoolExecutor(4) as threads:
            trees = list(threads.map(parse, [shallow, deep] * 60))
    finally:
        gc.set_threshold(*usual)
        gc.callbacks.remove(let_others_go_on)
    assert all(len(tree.body) == 1 for tree in trees)
