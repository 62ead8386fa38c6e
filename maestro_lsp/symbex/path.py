"""What symbolic execution finds out: call paths.

The one model for both sources of paths, our own execution and `.call_path` files. A `CallPath` is everything one kind of packet
does: under which conditions, which library calls in which order, what it writes to the packet, where the packet goes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from ..source.text import Span
from .expr import Expr, conjuncts, leaves
from .immutable import immutable
from .memory import UNINITIALISED, ObjectInfo

CELL = "vector_data_reset"  # KLEE's name: CELL#n are the bytes of the cell that call n borrowed
WHOLE: None = None  # the key of an access to all of an object


class Part(NamedTuple):
    """A piece of a key."""

    value: int | Expr
    width: int  # bits


@immutable()
class Touch:
    """What one call does to one object."""

    object: int  # id of the object
    write: bool
    role: str  # get put add erase borrow return allocate rejuvenate check free expire expire-range scan read update ...
    key: tuple[Part, ...] | None  # which memory is touched: equal keys meet; None is all of it
    index: bool = False  # the key is an index (of a vector, dchain, token bucket)
    found: bool | None = None  # get, check, allocate, add: whether it succeeded, where the path says so
    value: int | Expr | None = (
        None  # put: what is stored; get: what was found; allocate: the fresh index; expire: the index, if one was told
    )
    stored: tuple[tuple[int, int | Expr], ...] = ()  # a cell's bytes that this write changed: (offset, byte)
    approximate: bool = False
    arguments: tuple[int | Expr, ...] = ()  # add, update: the other numbers that the library is given
    time: int | Expr | None = (
        None  # allocate, rejuvenate, add, update: the time stamp that the entry gets; expire: what is older goes
    )
    key_cell: tuple[int, int | Expr] | None = None  # put: (vector, index) of the cell that the key pointer points into
    key_home: str = (
        ""  # put: what the key pointer points to: cell, new, changed, elsewhere (see run.py); empty: not known
    )

    @cached_property
    def key_leaves(self) -> frozenset[Expr]:
        """Leaves of the key."""
        return frozenset().union(*(leaves(part.value) for part in self.key or ()))


@immutable()
class Call:
    """A library call on a path."""

    number: int  # position among the path's calls
    function: str
    op: str  # the catalogue's
    arguments: tuple[int | Expr, ...]
    result: int | Expr | None
    outputs: tuple[tuple[str, int | Expr], ...]  # values stored through out parameters
    touches: tuple[Touch, ...]
    stack: tuple[Span, ...]  # call sites, outermost first; the last is the call itself
    functions: tuple[str, ...]  # the functions those sites are in
    keys: tuple[tuple[str, tuple[int | Expr, ...]], ...] = ()  # bytes behind key pointers, by parameter name
    result_used: bool = False  # whether the path's conditions or effects depend on the result
    packet_changed: bool = False  # whether the path had changed the packet when it came here

    @property
    def span(self) -> Span:
        """The call itself."""
        return self.stack[-1]

    @cached_property
    def indices(self) -> frozenset[Expr]:
        """The numbers that the call gives, and those at which it touches something."""
        at = [t.key[0].value for t in self.touches if t.index and t.key]
        return frozenset([v for v in (*at, *(t.value for t in self.touches)) if isinstance(v, Expr)])

    @cached_property
    def leaves(self) -> frozenset[Expr]:
        """Leaves of all that the call is given and stores: keys, numbers, bytes, and what it gives in return."""
        values: set[int | Expr] = set()
        for t in self.touches:
            values.update(
                (part.value for part in t.key or ()), (v for _, v in t.stored), t.arguments, (t.value or 0, t.time or 0)
            )
        return frozenset().union(*map(leaves, values))


@immutable(slots=True)
class PathCondition:
    """One condition of a path."""

    expr: Expr
    assumed: bool
    span: Span


@immutable(slots=True)
class PacketWrite:
    """Bytes of the packet that a path changes: `value` at `offset` of `array` (the packet, or the part at a symbolic offset)."""

    array: str
    offset: int
    value: int | Expr


@dataclass(frozen=True, slots=True)
class Checksum:
    """A checksum that a path has made: what stands for it, and the bytes that it covers besides the packet as it arrived."""

    symbol: Expr
    covered: tuple[Expr, ...]


@immutable(slots=True)
class Chunk:
    """A piece of the packet that was borrowed: `length` bytes of `array` from `offset`."""

    array: str
    offset: int
    length: int | Expr


@immutable()
class PlainTouch:
    """A read or write of a plain C global or heap block."""

    object: int
    offset: int | Expr
    size: int
    write: bool
    span: Span
    functions: tuple[str, ...] = ()
    value: int | Expr | None = None

    @cached_property
    def is_unknown(self) -> bool:
        """Whether the place or the value is no constant."""
        return isinstance(self.offset, Expr) or isinstance(self.value, Expr)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a path stood at a call that it was asked to note (`Inputs.marks`)."""

    call: int  # calls made before
    op: str
    packet: tuple[int, ...]  # offsets of packet bytes changed before
    plain: int  # accesses to plain state made before
    cells: bool  # whether a vector's cell was changed before
    span: Span


@dataclass(frozen=True, slots=True)
class StartTouch:
    """An index that start-up allocates, or an entry that it puts into a map."""

    function: str
    touch: Touch
    span: Span


@immutable()
class CallPath:
    """One path of nf_process."""

    number: int
    device: int
    conditions: tuple[PathCondition, ...]
    calls: tuple[Call, ...]
    chunks: tuple[Chunk, ...]
    writes: tuple[PacketWrite, ...]
    plain: tuple[PlainTouch, ...]
    outcome: str  # "forward", "drop", "flood"
    output: int | Expr | None  # the device forwarded to
    model: dict[Expr, int] = field(compare=False, hash=False)  # an assignment that satisfies all conditions
    returned: int | Expr = 0  # what nf_process returned
    regions: tuple[tuple[str, Expr], ...] = ()  # arrays for parts of the packet at symbolic offsets, with those offsets
    marks: tuple[Mark, ...] = ()
    mbuf: tuple[PacketWrite, ...] = ()  # bytes of the mbuf that the path changes, which the NIC or the main loop sees
    checksums: tuple[Checksum, ...] = ()
    like: int | None = None  # number of the first path that does the same on another device, but for where packets go

    @cached_property
    def leaving(self) -> tuple[PacketWrite, ...]:
        """All that the path changes of what leaves: bytes of the packet, and of its mbuf."""
        return self.writes + self.mbuf

    def effects(self, in_packet: bool = True) -> set[Expr]:
        """Leaves of what a path does besides its conditions and calls: of what it returns, what it writes into the packet (`in_packet`),
        which of its bytes it looks at, and what it does with plain state."""
        found = set(leaves(self.returned))
        for w in self.leaving if in_packet else ():
            found |= leaves(w.value)
        for _, offset in self.regions:
            found |= leaves(offset)
        for q in self.unknown_plain:
            found.update(leaves(q.offset), leaves(q.value or 0))
        return found

    def with_checked(self, used: set[Expr]) -> set[Expr]:
        """Leaves, and what checksums among them cover."""
        for c in self.checksums:
            if not used.isdisjoint(leaves(c.symbol)):
                used = used.union(*map(leaves, c.covered))
        return used

    @cached_property
    def unknown_plain(self) -> tuple[PlainTouch, ...]:
        """Those reads and writes of plain state whose place or value is no constant."""
        return tuple([q for q in self.plain if q.is_unknown])

    @cached_property
    def conjuncts(self) -> tuple[Expr, ...]:
        """The conditions, conjunctions taken apart."""
        return tuple(chain.from_iterable([conjuncts(c.expr) for c in self.conditions]))

    @cached_property
    def asked(self) -> frozenset[Expr]:
        """Leaves of what the path has decided: of the conditions that are not assumed."""
        return frozenset().union(*[leaves(c.expr) for c in self.conditions if not c.assumed])

    @cached_property
    def bounds(self) -> dict[Expr, int]:
        """Values that the path says a constant bound of: what they are below."""
        bounds: dict[Expr, int] = {}
        for e in [c.expr for c in self.conditions if c.expr.op == "ult" and isinstance(c.expr.args[1], int)]:
            bounds.setdefault(e.args[0], e.args[1])
        return bounds

    def requires(self, e: int | Expr) -> bool:
        """Whether an expression is one of the conditions, or a part of one, as it stands."""
        return e in self._required

    @cached_property
    def _required(self) -> frozenset[Expr]:
        return frozenset(part for c in self.conditions for part in (c.expr, *conjuncts(c.expr)))


def distinct(paths: Iterable[CallPath]) -> tuple[CallPath, ...]:
    """The paths without those that do on one device what a path before does on another."""
    return tuple(p for p in paths if p.like is None)


def plain_of(paths: Iterable[CallPath]) -> Collection[PlainTouch]:
    """The accesses of paths to plain state, one of each: paths share most of theirs."""
    found: dict[int, PlainTouch] = {}
    for p in distinct(paths):
        found.update(zip(map(id, p.plain), p.plain, strict=True))
    return found.values()


def calls_of(paths: Iterable[CallPath]) -> Collection[Call]:
    """The library calls of paths, one of each."""
    found: dict[int, Call] = {}
    for p in distinct(paths):
        found.update(zip(map(id, p.calls), p.calls, strict=True))
    return found.values()


def written_objects(calls: Iterable[Call]) -> frozenset[int]:
    """Library objects that some packet writes, by the calls of all paths."""
    return frozenset([t.object for c in calls for t in c.touches if t.write])


def answering(leaf: Expr) -> int | None:
    """The number of the call that answered with this symbol or byte; None for what is no call's answer."""
    name, _, number = str(leaf.args[0]).partition("#")
    return int(number) if number.isdecimal() and not name.startswith(UNINITIALISED) else None


def borrowing(leaf: Expr) -> int | None:
    """The number of the call that borrowed the cell which a byte is of; None for what is no byte of a cell."""
    is_cell = leaf.op == "byte" and str(leaf.args[0]).startswith(f"{CELL}#")
    return answering(leaf) if is_cell else None


@dataclass(frozen=True, slots=True)
class Object:
    """A library object or a piece of plain state."""

    id: int
    name: str
    kind: str  # map, vector, dchain, ..., global, heap
    info: ObjectInfo
    declared: Span | None
    capacity: int | None
