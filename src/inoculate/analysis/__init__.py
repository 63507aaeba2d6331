"""From graded samples to estimates, contrasts and verdicts: a run folder in, `results.json` out. No torch."""

from inoculate.analysis.declared import contrasts_hash, read_contrast
from inoculate.analysis.results import analyse
from inoculate.analysis.screen import analyse_screen
from inoculate.analysis.table import contrast_table, others_table, outcome_table, screen_table

__all__ = [
    "analyse",
    "analyse_screen",
    "contrast_table",
    "contrasts_hash",
    "others_table",
    "outcome_table",
    "read_contrast",
    "screen_table",
]
