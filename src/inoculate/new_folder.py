"""A folder for a user that appears when all of it is there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inoculate.errors import refuse_existing


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into, which takes its place at the end of the block; nothing is left where it ends early.

    Args:
        folder: A folder that does not exist yet, or is empty.

    Raises:
        UserError: There is something in it.
    """
    refuse_existing(folder, "folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield staging
        staging.chmod(0o755)
        staging.replace(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
