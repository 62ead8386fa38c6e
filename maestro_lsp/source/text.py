"""Texts and places in them. Takes what a file or an editor buffer holds; gives positions in the units that the
Language Server Protocol speaks (UTF-8, UTF-16 or UTF-32 code units) and spans in code points, which the rest
of the package uses. CRLF is kept as it is.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

Encoding = Literal["utf-8", "utf-16", "utf-32"]

Read = Callable[[str], str | None]
"""Gives the text of a file by its path; None if there is none that can be read."""

_LINE_END = re.compile(r"\r\n|\n|\r")


class Span(NamedTuple):
    """The code points start <= i < end of the text of `file`."""

    file: str
    start: int
    end: int


@dataclass(frozen=True)
class SourceText:
    """The text of one file. Lines end at LF, CRLF or a lone CR, as LSP counts them."""

    path: str
    text: str

    @cached_property
    def line_starts(self) -> list[int]:
        """Offset of the first code point of each line; line 0 starts at 0."""
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    def line(self, offset: int) -> int:
        """The 0-based line of an offset."""
        return bisect_right(self.line_starts, offset) - 1

    def line_text(self, line: int) -> str:
        """A line without its end; empty beyond the last line."""
        starts = self.line_starts
        if not 0 <= line < len(starts):
            return ""
        end = starts[line + 1] if line + 1 < len(starts) else len(self.text)
        return self.text[starts[line] : end].rstrip("\r\n")

    def position(self, offset: int, encoding: Encoding = "utf-16") -> tuple[int, int]:
        """(line, character), both 0-based, of a code-point offset; offsets outside are clamped."""
        offset = max(0, min(offset, len(self.text)))
        line = self.line(offset)
        start = self.line_starts[line]
        return line, _units(self.text[start:offset], encoding)

    def offset(self, line: int, character: int, encoding: Encoding = "utf-16") -> int:
        """The code-point offset of a position. As LSP asks, a character beyond the line's end means its end,
        and one within a code point means that code point's start."""
        if line < 0:
            return 0
        if line >= len(self.line_starts):
            return len(self.text)
        content = self.line_text(line)
        start = self.line_starts[line]
        if encoding == "utf-32" or content.isascii():
            return start + max(0, min(character, len(content)))
        units = 0
        for index, char in enumerate(content):
            units += _units(char, encoding)
            if units > character:
                return start + index
        return start + len(content)


def decode(data: bytes) -> str:
    """The text of a file: UTF-8 (a byte-order mark is dropped), else Latin-1, so that no byte is lost."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _units(text: str, encoding: Encoding) -> int:
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(char > "\uffff" for char in text)
