"""Loads a Python file of the user's: a setting or a grader."""

from __future__ import annotations

import hashlib
import sys
import traceback
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from inoculate.errors import UserError, unreadable


def load(path: Path) -> ModuleType:
    """Load the module in a file; it is run once as long as the file does not change.

    It cannot import other files from its folder. So it depends on its own text only, and every change is noticed.

    Raises:
        UserError: It does not exist, fails when it is run (the message has `file:line` and the reason), or has imported
            a file that is no installed package's.
    """
    try:
        source = path.expanduser().read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {unreadable(path, error)}") from None
    return _run(path.expanduser().resolve(), source)


@lru_cache(maxsize=16)
def _run(path: Path, source: bytes) -> ModuleType:
    before = set(sys.modules)
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
    try:
        refuse_unwatched(path, before)
    except UserError:
        del sys.modules[module.__name__]
        raise
    return module


def refuse_unwatched(path: Path, before: Collection[str]) -> None:
    """Refuse what a file has imported from its own folder, or from one that it has put on `sys.path`.

    Args:
        path: The file.
        before: The names of the modules that there were before it was run.

    Raises:
        UserError: A change of that file would not be noticed, and what was made before it would count as made by it.
    """
    own = {str(path.parent), *sys.path} - (_PATHS - {str(path.parent)})
    for name in set(sys.modules) - set(before):
        file = Path(getattr(sys.modules[name], "__file__", None) or path)
        if file == path or name.partition(".")[0] == __package__ or _is_installed(file):
            continue
        if any(file.is_relative_to(folder) for folder in own):
            raise UserError(f"{path}: imports {file}, and a change of that would not be noticed; {_NOT_BESIDE}")


def _is_installed(file: Path) -> bool:
    # The standard library may lie below the file's folder too, as with an interpreter in the user's home.
    return "site-packages" in file.parts or any(map(file.is_relative_to, (sys.prefix, sys.base_prefix)))


_PATHS = frozenset(sys.path)
"""Where modules were found before any file of the user's was run."""
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
