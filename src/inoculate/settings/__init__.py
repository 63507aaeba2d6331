"""Settings: one module each. `find` turns a name into the setting; see `base` for what a setting is."""

from inoculate.settings.base import Draw, Setting, TooFew, find, find_for, is_file, names, require_some

__all__ = ["Draw", "Setting", "TooFew", "find", "find_for", "is_file", "names", "require_some"]
