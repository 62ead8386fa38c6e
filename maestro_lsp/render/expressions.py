"""Expressions of a report's paths in the user's terms; see sharding/printer.py."""

from __future__ import annotations

from ..check import Report
from ..sharding import printer
from ..symbex.path import CallPath


class Printer(printer.Printer):
    """Prints the expressions of one path of a report."""

    def __init__(self, report: Report, path: CallPath) -> None:
        super().__init__(report.execution.objects, path)
