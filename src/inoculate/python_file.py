"""Python files of the user's: a setting or a grader of their own."""

from __future__ import annotations

import hashlib
import sys
import traceback
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from inoculate.errors import UserError


def load(path: Path) -> ModuleType:
    """The module in a file; run once for the same text.

    The file stands for itself: what lies beside it cannot be imported, so that its text is all that it depends on, and
    a changed file is noticed.

    Raises:
        UserError: It is not there, or fails when it is run (file:line and why).
    """
    try:
        source = path.expanduser().read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    return _run(path.expanduser().resolve(), source)


@lru_cache(maxsize=16)
def _run(path: Path, source: bytes) -> ModuleType:
    module = ModuleType(f"inoculate_file_{hashlib.sha256(source).hexdigest()[:16]}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where the classes of the file look their module up
    try:
        # Not by an import: compiled files are told apart by their time of change, and an edit can be faster than that.
        exec(compile(source, path, "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        raise UserError(f"{place(path, error)}: {type(error).__name__}: {error}") from error
    return module


def place(path: Path, error: BaseException) -> str:
    """`file:line` of the line in a file at which an error was raised; only the file if it was raised elsewhere."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)
