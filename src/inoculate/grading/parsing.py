"""Parses Python source, in any thread and without warnings."""

from __future__ import annotations

import ast
import threading
import warnings

# Before 3.11.8 and 3.12.2, two threads that parse at the same time can raise SystemError (python/cpython#106905);
# warning filters are shared by all threads.
_PARSING = threading.Lock()

UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""Exceptions that `parse` may raise."""


def parse(source: str) -> ast.Module:
    """The syntax tree of a source.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: It does not parse.
    """
    with _PARSING, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # datasets contain `assert (x, "text")` and invalid escapes
        return ast.parse(source)
