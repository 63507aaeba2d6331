"""Reading the text of a test as Python, from any thread and without a warning."""

from __future__ import annotations

import ast
import threading
import warnings

# Before 3.11.8 and 3.12.2 two threads that parse at once can raise SystemError (python/cpython#106905), and
# the filters of warnings belong to all threads.
_PARSING = threading.Lock()

UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What `parse` may raise."""


def parse(source: str) -> ast.Module:
    """The syntax tree of a text.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: It does not parse.
    """
    with _PARSING, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `assert (x, "text")` and invalid escapes are the data set's own
        return ast.parse(source)
