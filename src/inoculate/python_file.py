"""Loads a Python file of the user's: a setting or a grader."""

from __future__ import annotations

import hashlib
import sys
import traceback
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from inoculate.errors import UserError, unreadable


def load(path: Path) -> ModuleType:
    """Load the module in a file; it is run once as long as the file does not change.

    It cannot import other files from its folder. So it depends on its own text only, and every change is noticed.

    Raises:
        UserError: It does not exist, or fails when it is run; the message has `file:line` and the reason.
    """
    try:
        source = path.expanduser().read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {unreadable(path, error)}") from None
    return _run(path.expanduser().resolve(), source)


@lru_cache(maxsize=16)
def _run(path: Path, source: bytes) -> ModuleType:
    module = ModuleType(f"inoculate_file_{hashlib.sha256(source).hexdigest()[:16]}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where the file's classes look up their module
    try:
        # Not imported: Python's cache of compiled files compares modification times, and misses a quick edit.
        exec(compile(source, path, "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        beside = f"; {_NOT_BESIDE}" if isinstance(error, ImportError) and _is_beside(path, error) else ""
        raise UserError(f"{error_location(path, error)}: {type(error).__name__}: {error}{beside}") from error
    return module


_NOT_BESIDE = "a file here can import installed packages, and no files beside it: put what it needs into it"


def _is_beside(path: Path, error: ImportError) -> bool:
    """Whether what cannot be imported is a file, or a folder, beside this one."""
    name = (error.name or "").partition(".")[0]
    return not error.name or (path.parent / f"{name}.py").is_file() or (path.parent / name).is_dir()


def error_location(path: Path, error: BaseException) -> str:
    """`file:line` of the line in a file at which an error was raised; only the file if it was raised elsewhere."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}:{error.lineno}" if error.lineno else str(path)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)
