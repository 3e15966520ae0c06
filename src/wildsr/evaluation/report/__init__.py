"""The report: one HTML file with tables, plots and pictures, readable anywhere and forever."""

from wildsr.evaluation.report.page import html_report

__all__ = ["html_report"]
