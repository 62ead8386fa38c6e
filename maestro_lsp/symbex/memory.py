"""Byte-accurate memory of one execution state.

Every object (global, local, heap block, packet, cell of a vector) has an id; its address is `id << 32`, so that an address names
its object by shifting and C's pointer arithmetic, comparison and casts work on plain numbers. Contents are a list with one entry
a byte: an int or an 8-bit `Expr`. States share objects until one writes (`owner`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..source import ctypes as T
from ..source.ctypes import CType
from . import expr as X
from .expr import Expr

ADDRESS_BITS = 32  # of an address, for the offset inside the object
OFFSET_MASK = (1 << ADDRESS_BITS) - 1
CHUNK = 64  # bytes of a packet that are compared at once: most are as they arrived
UNINITIALISED = "uninitialised "  # begins the names of what was never written
UNDEFINED = "is not in any file of this NF"  # ends what is said of a type that nobody defines
MAX_OBJECT = 1 << 22  # bytes kept one by one; a larger object is an error the user can understand


class Problem(Exception):
    """Something that cannot be executed; becomes a finding with this code at the current place."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def size_of(t: CType) -> int:
    """Size of a complete type in bytes."""
    n = T.sizeof_(t)
    if n is None:
        raise Problem("unsupported-construct", f"the definition of {t} {UNDEFINED}")
    return n


def modelled(size: int, name: str) -> int:
    """A size in bytes, if as many are modelled; to be asked before they are made."""
    if size > MAX_OBJECT:
        raise Problem("unsupported-construct", f"{name} has {size} bytes; more than {MAX_OBJECT} are not modelled")
    return size


@dataclass(slots=True)
class ObjectInfo:
    """What an object of memory is. Shared by all states."""

    kind: str  # global, local, heap, text, packet, mbuf, cell, handle, function
    name: str
    type: CType | None = None
    library_kind: str = ""  # of a handle: map, vector, dchain ...
    detail: dict[str, Any] = field(
        default_factory=dict
    )  # of a handle: capacity, elem_size, equality ...; of a cell: vector, index
    is_state: bool = field(
        init=False, repr=False, compare=False
    )  # writing it while processing a packet outlives the packet

    def __post_init__(self) -> None:
        self.is_state = self.kind in ("global", "heap")


class Block:
    """The contents of one object in one or more states."""

    __slots__ = ("data", "info", "owner", "size", "updates")

    def __init__(self, info: ObjectInfo, data: list[int | Expr], owner: object) -> None:
        self.info = info
        self.data = data
        self.size = len(data)
        self.owner = owner
        # writes at symbolic offsets, oldest first: (offset, value, bytes); None while there are none
        self.updates: tuple[tuple[Expr, int | Expr, int], ...] = ()

    def copy(self, owner: object) -> Block:
        b = Block.__new__(Block)
        b.info = self.info
        b.data = self.data[:]
        b.size = self.size
        b.owner = owner
        b.updates = self.updates
        return b

    def changed(self) -> list[int]:
        """The bytes of a packet that are not as they arrived."""
        arrived, out = self.info.detail["arrived"], []
        for at in range(0, self.size, CHUNK):
            now, then = self.data[at : at + CHUNK], arrived[at : at + CHUNK]
            if now != then:
                out += [at + i for i, (x, y) in enumerate(zip(now, then, strict=True)) if x is not y]
        return out


def symbolic_bytes(array: str, n: int) -> list[int | Expr]:
    """n fresh bytes of a named array."""
    return list(X.array(array, n))
