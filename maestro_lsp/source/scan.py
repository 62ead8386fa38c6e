"""Translation phases 2 and 3 of C, plus finding the directives: takes the text of a file; gives it with line
splices and comments removed, cut into directives and the blocks between them, and the way back to the user's
offsets. Nothing here depends on macros, so that the result is kept for every unit that includes the file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

from maestro_lsp.source.selection import Declaration, declarations
from maestro_lsp.source.text import SourceText

_SPLICE = re.compile(r"\\[ \t]*\r?\n")
_COMMENT = re.compile(
    r"""//[^\n]*|/\*(?:.*?\*/|.*\Z)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?""",
    re.DOTALL,
)
_DIRECTIVE = re.compile(r"^[ \t\f\v\r]*(?:#|%:)[ \t\f\v]*([A-Za-z_]\w*|[^\r\n\w]?|\d+)([^\n]*)", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_$]\w*")


@dataclass(frozen=True, slots=True)
class Block:
    """Text between directives: clean[start:end], and the identifiers in it (also those in strings)."""

    start: int
    end: int
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Directive:
    """`#name rest`; offsets into the clean text, `rest_start` where rest begins."""

    start: int
    end: int
    name: str
    rest: str
    rest_start: int


class Scan:
    """A file without comments and splices.

    clean        the text that the preprocessor works on
    items        blocks and directives, in order
    definitions  for the preprocessor to keep the macros that it read here, by the offset of their #define
    """

    __slots__ = (
        "_cut_clean",
        "_cut_raw",
        "_splice_cut",
        "_splice_raw",
        "clean",
        "declared",
        "definitions",
        "items",
        "source",
    )

    def __init__(self, source: SourceText) -> None:
        self.source = source
        spliced, self._splice_cut, self._splice_raw = _remove_splices(source.text)
        self.clean, self._cut_clean, self._cut_raw = _remove_comments(spliced)
        self.items = _items(self.clean)
        self.definitions: dict[int, object] = {}
        self.declared: dict[int, tuple[Declaration, ...]] = {}

    def declarations(self, block: Block) -> tuple[Declaration, ...]:
        """The declarations in a block of a built-in header."""
        found = self.declared.get(block.start)
        if found is None:
            found = self.declared[block.start] = declarations(self.clean[block.start : block.end], block.start)
        return found

    def offset(self, clean_offset: int) -> int:
        """The offset in the user's text of the code point at an offset of the clean text."""
        index = bisect_right(self._cut_clean, clean_offset) - 1
        spliced = self._cut_raw[index] + clean_offset - self._cut_clean[index]
        if not self._splice_cut:
            return spliced
        index = bisect_right(self._splice_cut, spliced) - 1
        return self._splice_raw[index] + spliced - self._splice_cut[index]

    def end_offset(self, clean_end: int) -> int:
        """The offset just behind the last code point before an offset of the clean text."""
        return self.offset(clean_end - 1) + 1 if clean_end > 0 else 0

    def line(self, clean_offset: int) -> int:
        """The 1-based line, as __LINE__ counts."""
        return self.source.line(self.offset(clean_offset)) + 1


@lru_cache(maxsize=512)
def scan(path: str, text: str) -> Scan:
    """The scan of a file, kept for other units; the cache is bounded and keyed by path and content."""
    return Scan(SourceText(path, text))


def _remove_splices(text: str) -> tuple[str, list[int], list[int]]:
    if "\\" not in text:
        return text, [], []
    return _cut(text, [(match.start(), match.end(), "") for match in _SPLICE.finditer(text)])


def _remove_comments(text: str) -> tuple[str, list[int], list[int]]:
    found = _COMMENT.finditer(text)
    edits = [(match.start(), match.end(), " ") for match in found if text[match.start()] == "/"]
    return _cut(text, edits)


def _cut(text: str, edits: list[tuple[int, int, str]]) -> tuple[str, list[int], list[int]]:
    """Apply edits; give the result and, for each piece kept, where it starts in the result and in `text`."""
    pieces: list[str] = []
    result_at, text_at = [0], [0]
    length = position = 0
    for start, end, replacement in edits:
        pieces.append(text[position:start])
        length += start - position
        if replacement:
            pieces.append(replacement)
            result_at.append(length)
            text_at.append(start)
            length += len(replacement)
        result_at.append(length)
        text_at.append(end)
        position = end
    pieces.append(text[position:])
    return "".join(pieces), result_at, text_at


def _items(clean: str) -> list[Block | Directive]:
    items: list[Block | Directive] = []
    position = 0
    for match in _DIRECTIVE.finditer(clean):
        _add_block(items, clean, position, match.start())
        rest_start = match.start(2)
        items.append(Directive(match.start(), match.end(), match[1], match[2].rstrip(), rest_start))
        position = match.end()
    _add_block(items, clean, position, len(clean))
    return items


def _add_block(items: list[Block | Directive], clean: str, start: int, end: int) -> None:
    text = clean[start:end]
    if text and not text.isspace():
        items.append(Block(start, end, frozenset(_WORD.findall(text))))
