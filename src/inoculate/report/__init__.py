"""From results.json to one HTML file, figures and tables. Nothing here needs torch."""

from inoculate.report.write import write_report

__all__ = ["write_report"]
