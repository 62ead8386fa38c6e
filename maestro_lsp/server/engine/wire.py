"""Frames between the processes: a length of four bytes, then a marshalled tuple of plain values."""

from __future__ import annotations

import marshal
import os
import struct
from collections.abc import Iterator
from typing import Any

HEADER = struct.Struct("<I")
_CHUNK = 1 << 16


def frame(*message: Any) -> bytes:
    """One message as bytes."""
    body = marshal.dumps(message)
    return HEADER.pack(len(body)) + body


def send(fd: int, data: bytes) -> None:
    """Write all bytes. Raises BrokenPipeError when nobody reads any more."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


class Frames:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def read(self, fd: int) -> bool:
        """Take what a readable descriptor holds; False at its end."""
        data = os.read(fd, _CHUNK)
        self._bytes += data
        return bool(data)

    def raw(self) -> Iterator[bytes]:
        """The complete frames so far, as they came."""
        while len(self._bytes) >= HEADER.size:
            end = HEADER.size + HEADER.unpack_from(self._bytes)[0]
            if len(self._bytes) < end:
                return
            yield bytes(self._bytes[:end])
            del self._bytes[:end]

    def messages(self) -> Iterator[Any]:
        """The complete messages so far."""
        for data in self.raw():
            yield marshal.loads(data[HEADER.size :])
