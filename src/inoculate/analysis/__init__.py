"""From graded samples to estimates, contrasts and verdicts: a run folder in, `results.json` out. No torch.

Names are imported when they are used: statistics take a second, which a command that needs one small module of this
package need not spend.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inoculate.analysis.claims import contrasts_hash, read_contrast
    from inoculate.analysis.own_settings import show_names
    from inoculate.analysis.results import analyse
    from inoculate.analysis.screen import analyse_screen
    from inoculate.analysis.table import report_tables, screen_table

__all__ = [
    "analyse",
    "analyse_screen",
    "contrasts_hash",
    "read_contrast",
    "report_tables",
    "screen_table",
    "show_names",
]
_MODULES = {
    "analyse": "results",
    "analyse_screen": "screen",
    "contrasts_hash": "claims",
    "read_contrast": "claims",
    "report_tables": "table",
    "screen_table": "table",
    "show_names": "own_settings",
}


def __getattr__(name: str) -> Any:
    """Import what is used."""
    if name not in _MODULES:
        raise AttributeError(f"module 'inoculate.analysis' has no attribute '{name}'")
    return getattr(import_module(f"inoculate.analysis.{_MODULES[name]}"), name)
