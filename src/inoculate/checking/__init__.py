"""Whether a setting is sound, before anything is trained on it: `inoculate check`.

What it cannot prove: that the wording is fair, and that a reader could know from it what is checked. So read some
problems too (`inoculate sample`).
"""

from inoculate.checking.check import CHECKS, check
from inoculate.checking.draws import text
from inoculate.checking.subject import Fault, Finding, Subject
from inoculate.checking.table import findings_table, write_faults

__all__ = ["CHECKS", "Fault", "Finding", "Subject", "check", "findings_table", "text", "write_faults"]
