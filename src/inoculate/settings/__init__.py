"""Settings: one module each. `find` turns a name into the setting; see `base` for what a setting is."""

from inoculate.settings.base import (
    Draw,
    Setting,
    TooFew,
    as_written,
    count_parts,
    find,
    find_for,
    is_file,
    is_read_first,
    names,
    require_some,
)

__all__ = [
    "Draw",
    "Setting",
    "TooFew",
    "as_written",
    "count_parts",
    "find",
    "find_for",
    "is_file",
    "is_read_first",
    "names",
    "require_some",
]
