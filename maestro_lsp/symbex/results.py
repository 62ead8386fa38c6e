"""From the states in which explorations end to call paths.

States share what happened before they parted, and so do their paths: a condition, an access, a place is converted once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from ..source.text import Span
from . import expr as X
from .calls import RawCall, same
from .engine import Engine
from .expr import Expr
from .library import cell_write
from .memory import ADDRESS_BITS, OFFSET_MASK, Block
from .path import Call, CallPath, Chunk, Mark, PacketWrite, PathCondition, PlainTouch, StartTouch, Touch
from .state import Condition, Place, PlainAccess, State

A = TypeVar("A")
B = TypeVar("B")


class Paths:
    """Makes call paths of states. `drop` and `flood` are what is returned to drop (None: the input device) and to flood."""

    def __init__(self, engine: Engine, drop: int | None, flood: int) -> None:
        self.engine = engine
        self.drop = drop
        self.flood = flood
        self._places: dict[Place, tuple[tuple[Span, ...], tuple[str, ...]]] = {}
        self._conditions: dict[Condition, PathCondition] = {}
        self._plain: dict[PlainAccess, PlainTouch] = {}
        self._writes: dict[Block, list[PacketWrite]] = {}
        self._calls: dict[tuple[object, ...], Call] = {}
        self._puts: dict[RawCall, bool] = {}  # whether a call puts a key into a map
        self._homes: dict[tuple[RawCall, str], tuple[Touch, ...]] = {}
        self._given: dict[RawCall, frozenset[Expr]] = {}  # what a call is given: the leaves of it

    def paths(self, ends: Sequence[State]) -> tuple[CallPath, ...]:
        """The paths of states that have returned, one device after the other."""
        out: list[CallPath] = []
        first: dict[State, CallPath] = {}
        for device in range(self.engine.devices):
            for st in ends:
                if device not in st.devices:
                    continue
                p = first.get(st)
                if p is None:
                    p = first[st] = self._path(len(out), device, st)
                else:
                    returned, outcome, output = self._returned(device, st)
                    p = replace(p, number=len(out), device=device, like=p.number,
                                returned=returned, outcome=outcome, output=output)  # fmt: skip
                out.append(p)
        return tuple(out)

    def _path(self, number: int, device: int, st: State) -> CallPath:
        conditions = self._all(self._conditions, st.conditions, self._condition)
        plain = self._all(self._plain, st.plain, self._plain_touch)
        writes = tuple([w for b in st.memory.values() if b.info.kind == "packet" for w in self._packet_writes(b)])
        returned, outcome, output = self._returned(device, st)
        touches = self._touches(st)
        results = {leaf for r in st.calls if isinstance(r.result, Expr) for leaf in X.leaves(r.result)}
        used: set[Expr] = set()
        checked = [X.leaves(v) for c in st.library.get("checksums", ()) for v in c.covered]
        effects = self._effects(conditions, st.calls, touches, writes, plain, returned)
        for leaves in chain(effects, checked) if results else ():
            if not leaves.isdisjoint(results):
                used |= leaves & results
                if len(used) == len(results):
                    break
        calls = tuple([self._call(n, r, touches.get(n, r.touches), used) for n, r in enumerate(st.calls)])
        chunks = tuple(_chunk(st, address, length) for address, length in st.library.get("chunks", ()))
        regions = tuple((st.memory[oid].info.name, e) for e, oid in st.regions.items())
        marks = tuple(
            Mark(call, op, packet, plain_state, cells, self._stack(place)[0][-1])
            for call, op, packet, plain_state, cells, place in st.library.get("marks", ())
        )
        return CallPath(number, device, conditions, calls, chunks, writes, plain, outcome, output, dict(st.model),
                        returned, regions, marks, tuple(_mbuf_writes(st)), st.library.get("checksums", ()))  # fmt: skip

    def _packet_writes(self, b: Block) -> list[PacketWrite]:
        got = self._writes.get(b)
        if got is None:
            got = self._writes[b] = [PacketWrite(b.info.name, i, b.data[i]) for i in b.changed()]
        return got

    def start_touches(self, st: State) -> tuple[StartTouch, ...]:
        """The indices that a way through start-up allocates and the entries that it puts into maps."""
        return tuple(
            StartTouch(r.spec.name, t, self._stack(r.place)[0][-1])
            for r in st.calls for t in r.touches if t.role == "put" or (t.role == "allocate" and t.found)
        )  # fmt: skip

    def _stack(self, place: Place) -> tuple[tuple[Span, ...], tuple[str, ...]]:
        """The source ranges and the functions of a place, outermost first."""
        got = self._places.get(place)
        if got is None:
            got = self._places[place] = self.engine.spans(place), tuple(code.name for code, _ in place)
        return got

    @staticmethod
    def _all(known: dict[A, B], of: Sequence[A], make: Callable[[A], B]) -> tuple[B, ...]:
        """What some things of a state are called on a path: mostly known, since states share them."""
        for x in of:
            if x not in known:
                known[x] = make(x)
        return tuple(map(known.__getitem__, of))

    def _condition(self, c: Condition) -> PathCondition:
        return PathCondition(c.expr, c.assumed, self._stack(c.place)[0][-1])

    def _plain_touch(self, a: PlainAccess) -> PlainTouch:
        spans, functions = self._stack(a.place)
        return PlainTouch(a.object, a.offset, a.size, a.write, spans[-1], functions, a.value)

    def _touches(self, st: State) -> dict[int, tuple[Touch, ...]]:
        """What calls touched, by their numbers, where the end of the path decides on it: homes of keys, and cells written late."""
        out: dict[int, tuple[Touch, ...]] = {}
        for n, r in enumerate(st.calls):
            if r not in self._puts:
                self._puts[r] = "key" in r.spec.roles and any(t.role == "put" for t in r.touches)
            if self._puts[r]:
                out[n] = self._with_key_home(r, _key_home(st, r))
        for key, cells in st.library.items():
            if isinstance(key, tuple) and key[0] == "cells":
                for cell in cells:
                    written = cell_write(st, key[1], cell)
                    n = max(cell.call, 0)
                    if written and n < len(st.calls):  # after the last return, or never returned
                        out[n] = (*out.get(n, st.calls[n].touches), *written)
        return out

    def _with_key_home(self, r: RawCall, home: str) -> tuple[Touch, ...]:
        """The touches of a call that puts, the puts with where the key lives."""
        got = self._homes.get((r, home))
        if got is None:
            got = tuple(replace(t, key_home=home) if t.role == "put" else t for t in r.touches)
            self._homes[r, home] = got
        return got

    def _call(self, n: int, r: RawCall, touches: tuple[Touch, ...], used: Set[Expr]) -> Call:
        """Paths that made a call together share it, unless what one does later makes a difference to it."""
        is_used = isinstance(r.result, Expr) and not used.isdisjoint(X.leaves(r.result))
        # the same touches, not equal ones: what later calls have answered is named alike on all paths
        key = (r, is_used, None if touches is r.touches else tuple(map(id, touches)))
        got = self._calls.get(key)
        if got is None:
            spans, functions = self._stack(r.place)
            got = self._calls[key] = Call(n, r.spec.name, r.spec.op, r.arguments, r.result, r.outputs, touches, spans,
                                          functions, r.keys, is_used, r.packet_changed)  # fmt: skip
        return got

    def _effects(
        self, conditions: Sequence[PathCondition], calls: Sequence[RawCall], touches: Mapping[int, tuple[Touch, ...]],
        writes: Sequence[PacketWrite], plain: Sequence[PlainTouch], returned: int | Expr,
    ) -> Iterator[frozenset[Expr]]:  # fmt: skip
        """Leaves of a path's conditions, arguments and effects, one after the other."""
        yield X.leaves(returned)
        for c in conditions:
            if not c.assumed:
                yield X.leaves(c.expr)
        for r in calls:
            if r not in self._given:
                self._given[r] = _leaves(*r.arguments, *(v for _, raw in r.keys for v in raw), *_stored(r.touches))
            yield self._given[r]
        for added in touches.values():
            yield _leaves(*_stored(added))
        for w in writes:
            yield X.leaves(w.value)
        for q in plain:
            if q.is_unknown:
                yield X.leaves(q.offset)
                yield X.leaves(q.value or 0)

    def _returned(self, device: int, st: State) -> tuple[int | Expr, str, int | Expr | None]:
        """What a state has returned, and what that means."""
        returned = X.substitute(st.result, {self.engine.device: device}) if st.result is not None else 0
        return returned, *self._outcome(device, returned)

    def _outcome(self, device: int, returned: int | Expr) -> tuple[str, int | Expr | None]:
        value = X.extract(returned, 0, 16)
        drop = self.drop if self.drop is not None else device
        if value == self.flood and not isinstance(value, Expr):
            return "flood", None
        if value == drop and not isinstance(value, Expr):
            return "drop", None
        return "forward", value


def _key_home(st: State, r: RawCall) -> str:
    """Where a put's key lives: maps keep the pointer, so it matters whether the memory stays as it is.

    cell: in a vector; new: memory that this packet allocated for good; changed: no longer the key when the packet is done;
    elsewhere: memory that is used again for something else.
    """
    pointer = r.arguments[r.spec.roles["key"]]
    b = st.memory.get(pointer >> ADDRESS_BITS) if isinstance(pointer, int) else None
    if b is None or not isinstance(pointer, int):
        return "elsewhere"
    raw = next((raw for name, raw in r.keys if name == r.spec.params[r.spec.roles["key"]]), ())
    now = b.data[pointer & OFFSET_MASK :][: len(raw)]
    if b.updates or not all(same(x, y) for x, y in zip(raw, now, strict=False)):
        return "changed"
    if b.info.kind == "cell":
        return "cell"
    return "new" if b.info.kind == "heap" and pointer > st.library["packet"] else "elsewhere"


def _mbuf_writes(st: State) -> Iterator[PacketWrite]:
    arrived: Sequence[int | Expr] = st.library.get("mbuf", ())
    for b in st.memory.values() if arrived else ():
        if b.info.kind == "mbuf":
            for i, (v, old) in enumerate(zip(b.data, arrived, strict=True)):
                if not same(v, old):
                    yield PacketWrite("mbuf", i, v)


def _chunk(st: State, address: int, length: int | Expr) -> Chunk:
    b: Block = st.memory[address >> ADDRESS_BITS]
    return Chunk(b.info.name, address & 0xFFFFFFFF, length)


def _stored(touches: Iterable[Touch]) -> Iterator[int | Expr]:
    return (v for t in touches for _, v in t.stored)


def _leaves(*values: int | Expr) -> frozenset[Expr]:
    return frozenset().union(*map(X.leaves, {v for v in values if not isinstance(v, int)}))
