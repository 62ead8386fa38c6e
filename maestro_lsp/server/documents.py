"""The texts that the client has open, kept in step by its incremental changes, and the way positions move through edits.

A result belongs to a version of a text. Until the next result is there, positions of the old one are moved to where their text
now stands (`forward`), and positions that the client asks about to where it stood (`backward`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_to_bytes, urlsplit

from ..source.text import Encoding, SourceText

Position = tuple[int, int]  # line, character, in the client's units
_MAX_EDITS = 2_000  # of one document; older results than that are not moved any more


class Edit(NamedTuple):
    """The text from `start` to `end` was replaced by one that ends at `new_end`."""

    start: Position
    end: Position
    new_end: Position


@dataclass
class Document:
    """An open text."""

    uri: str
    path: str  # empty if it is no file
    version: int
    source: SourceText
    edits: list[tuple[int, Edit]] = field(default_factory=list)  # with the version they led to

    @property
    def text(self) -> str:
        return self.source.text


class Documents:
    """All open texts, by address and by path."""

    def __init__(self) -> None:
        self.encoding: Encoding = "utf-16"
        self._by_uri: dict[str, Document] = {}
        self._by_path: dict[str, Document] = {}

    def __iter__(self) -> Iterator[Document]:
        return iter(self._by_uri.values())

    def get(self, uri: str) -> Document | None:
        return self._by_uri.get(uri)

    def at(self, path: str) -> Document | None:
        """The open text of a file."""
        return self._by_path.get(path)

    def open(self, uri: str, version: int, text: str) -> Document:
        """Take over a text; a second `open` of the same address replaces the first."""
        path = path_of(uri)
        document = Document(uri, path, version, SourceText(path, text))
        self._by_uri[uri] = document
        if path:
            self._by_path[path] = document
        return document

    def close(self, uri: str) -> Document | None:
        """Forget a text; None if it was not open."""
        document = self._by_uri.pop(uri, None)
        if document is not None and self._by_path.get(document.path) is document:
            del self._by_path[document.path]
        return document

    def change(self, uri: str, version: int, changes: Iterable[Any]) -> Document | None:
        """Apply content changes in their order. None if the text is not open."""
        document = self._by_uri.get(uri)
        if document is None:
            return None
        for change in changes:
            where = getattr(change, "range", None)
            self._apply(document, version, where, change.text)
        document.version = version
        return document

    def _apply(self, document: Document, version: int, where: Any, text: str) -> None:
        old = document.source
        if where is None:
            start, end = _changed(old.text, text)
            inserted = text[start : len(text) - (len(old.text) - end)]
        else:
            start = old.offset(where.start.line, where.start.character, self.encoding)
            end = max(start, old.offset(where.end.line, where.end.character, self.encoding))
            inserted = text
        new = SourceText(document.path, old.text[:start] + inserted + old.text[end:])
        edit = Edit(
            old.position(start, self.encoding),
            old.position(end, self.encoding),
            new.position(start + len(inserted), self.encoding),
        )
        document.source = new
        document.edits.append((version, edit))
        if len(document.edits) > _MAX_EDITS:
            del document.edits[: _MAX_EDITS // 2]

    def since(self, path: str, version: int | None) -> list[Edit]:
        """What happened to the text of a file since a version; nothing if it is not open."""
        document = self._by_path.get(path)
        if document is None or version is None or version == document.version:
            return []
        return [edit for at, edit in document.edits if at > version]


def _changed(old: str, new: str) -> tuple[int, int]:
    """The part of an old text, start and end, outside of which a new one is the same."""
    limit = min(len(old), len(new))
    start = 0
    while start < limit and old[start] == new[start]:
        start += 1
    end = 0
    while end < limit - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return start, len(old) - end


# ------------------------------------------------------------------------------------------------- moving through edits


def forward(position: Position, edits: Iterable[Edit]) -> Position:
    """Where a position of the old text is in the new one; inside replaced text, that text's start."""
    for e in edits:
        if position >= e.end:
            position = _moved(position, e.end, e.new_end)
        elif position > e.start:
            position = e.start
    return position


def backward(position: Position, edits: list[Edit]) -> Position:
    """Where a position of the new text was in the old one; inside inserted text, where that was put."""
    for e in reversed(edits):
        if position >= e.new_end:
            position = _moved(position, e.new_end, e.end)
        elif position > e.start:
            position = e.start
    return position


def _moved(position: Position, was: Position, now: Position) -> Position:
    if position[0] == was[0]:
        return now[0], now[1] + position[1] - was[1]
    return position[0] + now[0] - was[0], position[1]


def forward_range(found: dict[str, Any], edits: list[Edit]) -> dict[str, Any]:
    """A range of the old text in the new one."""
    if not edits:
        return found
    (l0, c0), (l1, c1) = (forward((p["line"], p["character"]), edits) for p in (found["start"], found["end"]))
    return {"start": {"line": l0, "character": c0}, "end": {"line": l1, "character": c1}}


def contains(found: dict[str, Any], position: Position) -> bool:
    """Whether a position lies in a range, its end included."""
    start, end = found["start"], found["end"]
    return (start["line"], start["character"]) <= position <= (end["line"], end["character"])


# ------------------------------------------------------------------------------------------------------------ addresses


def path_of(uri: str) -> str:
    """The path of a file's address, else empty. Bytes that are no UTF-8 stay."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return ""
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return ""
    return unquote_to_bytes(parts.path).decode("utf-8", "surrogateescape")


def uri_of(path: str) -> str:
    """The address of a file."""
    return "file://" + quote(path.encode("utf-8", "surrogateescape"))
