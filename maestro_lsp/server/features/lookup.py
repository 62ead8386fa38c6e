"""What stands at a position, in the facts of the NFs that a file belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..documents import Documents, Edit, Position, backward, contains
from ..nfs import Nf, Nfs


def views(nfs: Nfs, documents: Documents, path: str) -> Iterator[tuple[Nf, dict[str, Any], list[Edit]]]:
    """The NFs that have something to show in a file, what it is, and what was edited since."""
    for nf in nfs.showing(path):
        if nf.facts is not None:
            shown = nf.facts.file(path)
            if shown is not None:
                yield nf, shown, documents.since(path, nf.facts.versions.get(path))


def site_at(shown: dict[str, Any], position: Position, edits: list[Edit]) -> dict[str, Any] | None:
    """The innermost site that a position of the latest text is in."""
    at = backward(position, edits)
    inside = [s for s in shown["sites"] if contains(s["range"], at)]
    return min(inside, key=lambda s: _size(s["range"]), default=None)


def object_at(shown: dict[str, Any], position: Position, edits: list[Edit]) -> dict[str, Any] | None:
    """The object declared at a position."""
    at = backward(position, edits)
    return next((o for o in shown["objects"] if contains(o["range"], at)), None)


def entry_at(shown: dict[str, Any], position: Position, edits: list[Edit]) -> dict[str, Any] | None:
    """nf_process, if the position is on its name."""
    entry = shown["entry"]
    if entry is not None and contains(entry["name"], backward(position, edits)):
        found: dict[str, Any] = entry
        return found
    return None


def _size(found: dict[str, Any]) -> tuple[int, int]:
    start, end = found["start"], found["end"]
    return end["line"] - start["line"], end["character"] - start["character"]
