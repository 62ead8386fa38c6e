"""Results by the content they were computed from: in memory, and on disk for the next session.

A key is a digest of everything a result depends on that is known before the analysis; an entry also lists the helper sources
that the analysis came to read, with their digests, and counts only while those are unchanged. Files are written aside and
renamed, so that servers may share a folder; a full or read-only disk only costs the reuse.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ... import __version__
from ...source.text import Read

MEMORY_BYTES = 8 << 20
DISK_BYTES = 128 << 20
_FORMAT = 1
_PRUNE_EVERY = 64  # writes

Parts = Mapping[str, Any]  # name of a part of a result -> plain data


def folder() -> Path | None:
    """Where results are kept between sessions; None: nowhere. MAESTRO_LSP_CACHE chooses the folder, empty turns it off."""
    chosen = os.environ.get("MAESTRO_LSP_CACHE")
    if chosen is not None:
        return Path(chosen) if chosen else None
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "maestro-lsp"


def digest(text: str | None) -> str:
    """Of a text; of a missing file it is empty."""
    return "" if text is None else hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def key(*parts: object) -> str:
    """The name of a result that depends on these values."""
    state = hashlib.sha256(f"{_FORMAT} {__version__} {_source_stamp()}".encode())
    for part in parts:
        state.update(b"\0")
        state.update(repr(part).encode("utf-8", "surrogatepass"))
    return state.hexdigest()


def _source_stamp() -> int:
    """Changes when the package does, also between releases."""
    global _STAMP
    if _STAMP < 0:
        package = Path(__file__).parents[2]
        with contextlib.suppress(OSError):
            _STAMP = max(
                (p.stat().st_mtime_ns for kind in ("*.py", "*.toml", "*.h") for p in package.rglob(kind)), default=0
            )
    return _STAMP


_STAMP = -1


class Cache:
    """The results of this process and, through the disk, of others."""

    def __init__(self, place: Path | None) -> None:
        self._place = place
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._writes = 0

    def get(self, name: str, read: Read) -> dict[str, Any] | None:
        """The parts of a result, if what it depends on is unchanged."""
        data = self._memory.get(name) or self._from_disk(name)
        if data is None:
            return None
        try:
            extras, parts = marshal.loads(data)
            if any(digest(read(path)) != seen for path, seen in extras.items()):
                return None
        except (ValueError, EOFError, TypeError, AttributeError):
            return None  # cut off, or of another Python
        self._remember(name, data)
        return dict(parts)

    def put(self, name: str, extras: Mapping[str, str], parts: Parts) -> None:
        """Keep a result. `extras` are the files it depends on besides what the name says, with their digests."""
        data = marshal.dumps((dict(extras), dict(parts)))
        self._remember(name, data)
        self._to_disk(name, data)

    def add(self, name: str, part: str, value: Any) -> None:
        """Add a part to a result that is kept."""
        data = self._memory.get(name)
        if data is not None:
            extras, parts = marshal.loads(data)
            self.put(name, extras, {**parts, part: value})

    def _remember(self, name: str, data: bytes) -> None:
        self._size -= len(self._memory.pop(name, b""))
        self._memory[name] = data
        self._size += len(data)
        while self._size > MEMORY_BYTES and len(self._memory) > 1:
            self._size -= len(self._memory.popitem(last=False)[1])

    def _from_disk(self, name: str) -> bytes | None:
        if self._place is None:
            return None
        try:
            path = self._place / name
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return data

    def _to_disk(self, name: str, data: bytes) -> None:
        if self._place is None:
            return
        aside = self._place / f"{name}.{os.getpid()}"
        try:
            self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
            aside.write_bytes(data)
            aside.replace(self._place / name)
        except OSError:
            with contextlib.suppress(OSError):
                aside.unlink()
            return
        self._writes += 1
        if self._writes % _PRUNE_EVERY == 1:
            self._prune()

    def _prune(self) -> None:
        """Drop what was not used for longest, down to the bound."""
        assert self._place is not None
        found = []
        with contextlib.suppress(OSError), os.scandir(self._place) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    status = entry.stat()
                    found.append((status.st_mtime, status.st_size, entry.path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= DISK_BYTES:
                return
            total -= size
            with contextlib.suppress(OSError):
                Path(path).unlink()
