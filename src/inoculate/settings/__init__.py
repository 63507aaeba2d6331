"""Settings: one module each. `find` turns a name into the setting; see `base` for what a setting is."""

from inoculate.settings.base import Draw, Setting, TooFew, find, is_file, names

__all__ = ["Draw", "Setting", "TooFew", "find", "is_file", "names"]
