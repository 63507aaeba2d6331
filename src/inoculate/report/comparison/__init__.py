"""Several runs side by side: their results, what differs between them, and where they must not be compared."""

from inoculate.report.comparison.runs import Comparison, compare
from inoculate.report.comparison.table import comparison_tables
from inoculate.report.comparison.write import comparison_data, write_comparison

__all__ = ["Comparison", "compare", "comparison_data", "comparison_tables", "write_comparison"]
