"""Parts of the packet at symbolic offsets, as behind a header of variable length.

Each such part is memory of its own, named after its offset, so the same byte of the packet may stand in two of them. That does no
harm while nobody writes: two names for a byte that arrived are two unknowns where there is one. Once a byte was written, reading
or writing it by its other name must not go unnoticed; `check_aliases` sees to that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from . import expr as X
from .expr import Expr
from .memory import Block, Problem

if TYPE_CHECKING:
    from .state import State

SHOWN = 60  # characters of an offset that a name shows
SHORTEST_HEADER = 5  # words; an IPv4 header that claims less is malformed, and such packets are taken not to arrive
MASK = (1 << 64) - 1


def region_name(offset: Expr) -> str:
    """A name for the part of the packet at an offset: the same for the same offset, in whichever execution, and for no other. What the
    offset looks like is not enough: it does not show how wide its parts are."""
    digest = hashlib.sha256(repr(_structure(offset, {})).encode()).hexdigest()[:12]
    text = X.show(offset, 8)
    return f"packet@{text}~{digest}" if len(text) <= SHOWN else f"packet@{digest}"


def _structure(e: object, known: dict[Expr, object]) -> object:
    """An expression as nested digests, without regard to how it is stored."""
    if isinstance(e, tuple):
        return tuple(_structure(x, known) for x in e)
    if not isinstance(e, Expr):
        return e
    got = known.get(e)
    if got is None:
        text = repr((e.op, e.width, _structure(e.args, known)))
        got = known[e] = hashlib.sha256(text.encode()).hexdigest()
    return got


def check_aliases(st: State, oid: int, offset: int, n: int) -> None:
    """Raise `Problem` if n bytes of a part of the packet may be bytes that the path has written through another part."""
    mine = _start(st, oid)
    for other, block in _parts(st):
        if other == oid:
            continue
        for first, end in _changed(block):
            distance = X.sub(mine, _start(st, other), 64)
            if _may_meet(st, distance, offset, n, first, end):
                raise Problem(
                    "unsupported-construct",
                    "these bytes of the packet may have been written through another pointer, at an offset that the analysis "
                    "cannot compare with this one: test the length of the header first, or write after everything is read",
                )


def _start(st: State, oid: int) -> int | Expr:
    return st.memory[oid].info.detail.get("region", 0)  # type: ignore[no-any-return]


def _parts(st: State) -> Iterator[tuple[int, Block]]:
    for oid in (st.library["packet"] >> 32, *st.regions.values()):
        yield oid, st.memory[oid]


def _changed(b: Block) -> list[tuple[int, int]]:
    """The ranges of bytes that are not as they arrived."""
    out: list[tuple[int, int]] = []
    for i in b.changed():
        if out and out[-1][1] == i:
            out[-1] = (out[-1][0], i + 1)
        else:
            out.append((i, i + 1))
    return out


def _may_meet(st: State, distance: int | Expr, offset: int, n: int, first: int, end: int) -> bool:
    """Whether distance + [offset, offset + n) can share a byte with [first, end)."""
    below = X.slt(X.add(distance, offset & MASK, 64), end, 64)
    above = X.slt(first, X.add(distance, (offset + n) & MASK, 64), 64)
    meet = st.known(X.and_(below, above, 1))
    if isinstance(meet, int):
        return meet != 0
    if isinstance(distance, Expr) and len(leaves := X.leaves(distance)) == 1 and next(iter(leaves)).op == "byte":
        known = _distances(st, distance, next(iter(leaves)))
        return any(d + offset < end and first < d + offset + n for d in known)
    return st.engine.possible(st, meet)


def _distances(st: State, distance: Expr, byte: Expr) -> set[int]:
    """The values of a distance that one byte decides. Where it decides the length of an IPv4 header, that length is at least that of
    a header without options."""
    conditions = tuple(c.expr for c in st.conditions if X.leaves(c.expr) == {byte})
    is_length = any(_is_header_length(st, e, byte) for e in st.regions)
    key = (distance, conditions, is_length)
    got = st.engine.distances.get(key)
    if got is None:
        values: Sequence[int] = range(256)
        if is_length:
            values = [v for v in values if v & 15 >= SHORTEST_HEADER]
        for c in conditions:
            values = [v for v in values if _table(st, c, byte)[v]]
        got = st.engine.distances[key] = {X.signed(_table(st, distance, byte)[v], 64) for v in values}
    return got


def _table(st: State, e: Expr, byte: Expr) -> Sequence[int]:
    """The values of an expression of one byte."""
    return X.tabulate(e, byte, st.engine.tables)


def _is_header_length(st: State, offset: Expr, byte: Expr) -> bool:
    """Whether an offset is four times a byte's lower half, plus a constant."""
    got = st.engine.header_lengths.get(offset)
    if got is None:
        leaves = X.leaves(offset)
        table = _table(st, offset, next(iter(leaves))) if len(leaves) == 1 and next(iter(leaves)).op == "byte" else []
        rest = {(table[v] - 4 * (v & 15)) & MASK for v in range(len(table)) if v & 15 >= SHORTEST_HEADER}
        got = st.engine.header_lengths[offset] = len(rest) == 1
    return got and byte in X.leaves(offset)
