"""Texts in memory, as functions of the C library read them: also where it is not known what, or where, they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from . import expr as X
from .expr import Expr
from .memory import ADDRESS_BITS, OFFSET_MASK, Problem
from .state import State

MAX_TEXT = 4096  # bytes of a string that are looked at


def unknown_text(st: State, *pointers: Any) -> list[Expr]:
    """The bytes at some pointers that are not constant."""
    return [v for p in pointers for v in _text_bytes(st, p) if isinstance(v, Expr)]


COUNTS = re.compile(rb"%[-+ #0-9.*$hlqjzt]*n")
_ADDRESSES = re.compile(rb"%[-0-9.*$]*p")


def check_format(st: State, name: str, formats: Sequence[Any]) -> None:
    """Formats that store numbers, or show where something lies."""
    for p in formats:
        f = text_at(st, p) or b""
        if COUNTS.search(f):
            raise Problem("unsupported-construct", f"{name} stores how much it has printed (%n)")
        if _ADDRESSES.search(f) and st.tracking:
            raise Problem("unsupported-construct", f"{name} shows an address (%p), and what it printed is used")


def pointed_to(st: State, pointer: Any) -> list[int]:
    """Objects that an address that is not known may point into."""
    if isinstance(pointer, int) or pointer.width != 64:
        return []
    found, todo = [], [pointer]
    while todo:
        e = todo.pop()
        if isinstance(e, int):
            if st.block(e) is not None:
                found.append(e >> ADDRESS_BITS << ADDRESS_BITS)
        elif e.op == "concat":  # an object's number and an offset
            base, at = 0, e.width
            for part, w in X.parts_of(e, e.width):
                at -= w
                base |= part << at if isinstance(part, int) else 0
            todo.append(base)
        elif e.op in ("add", "ite"):
            todo += [a for a in e.args if not (isinstance(a, Expr) and a.width != 64)]
    return found


def _text_bytes(st: State, pointer: Any) -> list[int | Expr]:
    """The bytes of a text, with the zero behind it if it is known where that is."""
    if isinstance(pointer, Expr):
        return [v for p in pointed_to(st, pointer) for v in _whole(st, p)]
    b = st.block(pointer)
    if b is None:
        return []
    if b.updates:
        raise Problem("unsupported-construct", f"a text in {b.info.name} is read, which is written at unknown offsets")
    oid, first = pointer >> ADDRESS_BITS, pointer & OFFSET_MASK
    data = b.data[first:][:MAX_TEXT]
    if oid in st.havoc:  # other packets write it at offsets that are not known
        st.load_bytes(pointer, len(data))
        return [X.byte(f"state:{st.engine.label(oid, b.info.name)}", first + i) for i in range(len(data))]
    end = next((i + 1 for i, v in enumerate(data) if isinstance(v, int) and v == 0), len(data))
    return st.load_bytes(pointer, end) if end else []


def _whole(st: State, start: int) -> list[int | Expr]:
    """All bytes of an object, of which a text may be any part: never the constant text that they would be in this order."""
    b = st.block(start)
    assert b is not None
    if b.updates:
        raise Problem("unsupported-construct", f"a text in {b.info.name} is read, which is written at unknown offsets")
    oid = start >> ADDRESS_BITS
    data = st.load_bytes(start, min(b.size, MAX_TEXT))
    if oid in st.havoc:
        return [X.byte(f"state:{st.engine.label(oid, b.info.name)}", i) for i in range(len(data))]
    return data


def text_at(st: State, pointer: Any) -> bytes | None:
    """The string at a pointer; None when it is not all constant."""
    st.engine.tick()  # an endless loop over texts takes as long as any other
    data = _text_bytes(st, pointer) if isinstance(pointer, int) else []
    known = bytes(v for v in data if isinstance(v, int))
    return known[:-1] if data and len(known) == len(data) and known[-1] == 0 else None
