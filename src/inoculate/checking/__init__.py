"""Whether a setting is sound, before anything is trained on it: `inoculate check`.

It cannot prove that the wording is fair, or that a reader could know from it what is checked. So read some problems too
(`inoculate sample`).
"""

from inoculate.checking.check import CHECKS, check
from inoculate.checking.draws import shown_text
from inoculate.checking.subject import Fault, Finding, Subject
from inoculate.checking.table import findings_table, write_faults

__all__ = ["CHECKS", "Fault", "Finding", "Subject", "check", "findings_table", "shown_text", "write_faults"]
