"""Ranges and addresses as the client writes them."""

from __future__ import annotations

import os
import posixpath
from typing import Any
from urllib.parse import quote

from ...check import Report
from ...source.text import Encoding, SourceText, Span

Range = dict[str, dict[str, int]]


def uri(path: str) -> str:
    """The address of a file; paths need not be UTF-8."""
    return "file://" + quote(os.fsencode(path))


class Places:
    """Positions in an NF's files, in the client's encoding."""

    def __init__(self, report: Report, encoding: Encoding) -> None:
        self._report = report
        self._encoding = encoding
        self._texts: dict[str, SourceText] = {}
        self._ranges: dict[Span, Range] = {}

    def text(self, path: str) -> SourceText:
        got = self._texts.get(path)
        if got is None:
            got = self._texts[path] = self._report.text(path)
        return got

    def range(self, span: Span) -> Range:
        """The range of a span in its file."""
        got = self._ranges.get(span)
        if got is None:
            text = self.text(span.file)
            (l0, c0), (l1, c1) = (text.position(offset, self._encoding) for offset in (span.start, span.end))
            got = {"start": {"line": l0, "character": c0}, "end": {"line": l1, "character": c1}}
            self._ranges[span] = got
        return got

    def location(self, span: Span) -> dict[str, Any]:
        return {"uri": uri(span.file), "range": self.range(span)}

    def line(self, span: Span) -> int:
        """The line, counted from 1."""
        return self.text(span.file).line(span.start) + 1

    def name(self, span: Span) -> str:
        """`fw_main.c:41`, for texts."""
        return f"{posixpath.basename(span.file)}:{self.line(span)}"
