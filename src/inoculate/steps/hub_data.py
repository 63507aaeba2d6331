"""Whether a data set is there, before any work and without downloading it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from inoculate.errors import UserError

_DUE = "a .jsonl file, or the id of a data set on the hub (OWNER/NAME), was expected"


@lru_cache(maxsize=16)
def look_for(source: str) -> str:
    """Refuse a data set that the hub does not have.

    Args:
        source: Where a setting's data is, and no `.jsonl` file.

    Returns:
        What is not known, as a sentence; '' where it is there.

    Raises:
        UserError: It is no id of the hub, or the hub has no such data set.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

    path = Path(source).expanduser()
    if path.is_dir():
        return ""
    if path.exists() or path.suffix in (".json", ".csv", ".tsv", ".parquet", ".txt") or "://" in source:
        raise UserError(f"source '{source}': {_DUE}")
    try:
        HfApi().dataset_info(source, timeout=10)
    except (HFValidationError, RepositoryNotFoundError) as error:
        missing = isinstance(error, RepositoryNotFoundError)
        said = "the hub has no such data set, or none that you may read" if missing else _DUE
        raise UserError(f"source '{source}': {said}") from None
    except Exception as error:  # of huggingface_hub and what it is built on, whose errors have nothing in common
        return f"whether there is the data set '{source}': the hub cannot be asked ({type(error).__name__})"
    return ""
