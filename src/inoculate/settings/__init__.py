"""Settings: one module each. `find` turns a name into the setting; see `base` for what a setting is."""

from inoculate.settings.base import Draw, Setting, TooFew, count_parts, find, is_file, is_read_first, names

__all__ = ["Draw", "Setting", "TooFew", "count_parts", "find", "is_file", "is_read_first", "names"]
