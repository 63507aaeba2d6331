"""From graded samples to estimates, contrasts and verdicts: a run folder in, `results.json` out. No torch."""

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
