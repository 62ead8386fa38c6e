"""Addresses as numbers. Where an object lies is no property of the NF: it is another number on every run and on every core.

The executor gives objects fixed addresses, which must not become visible as such. A pointer that is cast to an integer therefore
becomes an unknown of its own plus the offset inside the object, so that differences inside one object are what they are in C and
a cast back finds the object; whatever else a path makes of it is reported by `leak`. So are other values that no two cores share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..source.text import Span
from . import expr as X
from .expr import Expr
from .memo import Memo
from .memory import ADDRESS_BITS, OFFSET_MASK, Problem

if TYPE_CHECKING:
    from .path import CallPath, PacketWrite
    from .state import State

PREFIX = "address of "


def as_number(st: State, pointer: int | Expr, width: int) -> int | Expr:
    """What a pointer is after a cast to an integer of `width` bits."""
    if not st.tracking:  # start-up may align what it allocates
        return X.extract(pointer, 0, width)
    base, rest = (pointer, 0) if isinstance(pointer, int) else _base(pointer)
    oid = base >> ADDRESS_BITS
    block = st.memory.get(oid)
    if block is None:
        return X.extract(pointer, 0, width)
    name = X.sym(PREFIX + st.engine.label(oid, block.info.name), 64)
    st.engine.addresses[name] = oid << ADDRESS_BITS
    st.learn(X.not_(X.eq(name, 0, 64), 1))
    return X.extract(X.add(X.add(name, base & OFFSET_MASK, 64), rest, 64), 0, width)


def as_pointer(st: State, number: int | Expr) -> int | Expr:
    """What a number is after a cast to a pointer."""
    if isinstance(number, int) or not st.engine.addresses:
        return number
    return X.substitute(number, st.engine.addresses)


def _base(pointer: Expr) -> tuple[int, int | Expr]:
    if pointer.op == "add" and isinstance(pointer.args[1], int):
        return pointer.args[1], pointer.args[0]
    return 0, pointer


def comparable(st: State, a: int | Expr, b: int | Expr) -> None:
    """Raise `Problem` if the order or distance of two pointers is asked for that point into different objects."""
    if st.tracking and isinstance(a, int) and isinstance(b, int) and a >> ADDRESS_BITS != b >> ADDRESS_BITS:
        raise Problem("unsupported-construct", "pointers into different objects are compared or subtracted")


def naming(names: str) -> Memo[int | Expr, bool]:
    """Whether an expression depends on unknowns whose names begin so. Most are asked about on many paths."""
    return Memo(lambda e: any(leaf.op != "uf" and str(leaf.args[0]).startswith(names) for leaf in X.leaves(e)))


def leak(p: CallPath, shows: Memo[int | Expr, bool], kept: bool = True) -> tuple[Span | None, str] | None:
    """Where something that a path does depends on some unknowns (see `naming`), and what. `kept`: also what it gives to the library
    and keeps in state."""
    asks = [c for c in p.conditions if not c.assumed and shows[c.expr]]
    given = {call.span for call in p.calls} if asks and not kept else set[Span]()
    for c in asks:
        if c.span not in given:
            return c.span, "a condition depends on"
    for call in p.calls if kept else ():
        if any(map(shows.__getitem__, call.leaves)):
            return call.span, "a key or an entry depends on"
    for q in p.unknown_plain if kept else ():
        if shows[q.offset] or shows[q.value if q.value is not None else 0]:
            return q.span, "state depends on"
    if any(shows[w.value] and not _stays(w) for w in p.leaving):
        return None, "the packet is changed by"
    return (None, "the output device depends on") if shows[p.returned] else None


def _stays(w: PacketWrite) -> bool:
    """Whether all that a byte of an mbuf shows of what earlier packets have left there is what was left in this byte: other bit-fields."""
    old = [leaf for leaf in X.leaves(w.value) if leaf.op == "byte" and str(leaf.args[0]).startswith("mbuf->")]
    return w.array == "mbuf" and bool(old) and all(leaf.args[1] == w.offset for leaf in old)
