"""From the states in which explorations end to call paths.

States share what happened before they parted, and so do their paths: a condition, an access, a place is converted once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace

from ..source.text import Span
from . import expr as X
from .calls import RawCall, same
from .engine import Engine
from .expr import Expr
from .library import cell_write
from .memo import Memo
from .memory import ADDRESS_BITS, OFFSET_MASK, Block
from .path import Call, CallPath, Chunk, Mark, PacketWrite, PathCondition, PlainTouch, StartTouch, Touch
from .state import Condition, Place, PlainAccess, State


class Paths:
    """Makes call paths of states. `drop` and `flood` are what is returned to drop (None: the input device) and to flood."""

    def __init__(self, engine: Engine, drop: int | None, flood: int) -> None:
        self.engine = engine
        self.drop = drop
        self.flood = flood
        self._places: dict[Place, tuple[tuple[Span, ...], tuple[str, ...]]] = {}
        # mostly known, since states share them
        self._conditions = Memo(self._condition)
        self._asked: dict[tuple[Expr, bool, Place], PathCondition] = {}
        self._plain = Memo(self._plain_touch)
        self._writes: Memo[Block, list[PacketWrite]] = Memo(
            lambda b: [PacketWrite(b.info.name, i, b.data[i]) for i in b.changed()]
        )
        self._puts = Memo(_puts)
        self._given = Memo(_given)
        self._calls: dict[tuple[object, ...], Call] = {}
        self._homes: dict[tuple[int, str], tuple[Touch, ...]] = {}  # by the identity of what a call touches

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
        conditions = tuple(map(self._conditions.__getitem__, st.conditions))
        plain = tuple(map(self._plain.__getitem__, st.plain))
        writes = tuple([w for b in st.memory.values() if b.info.kind == "packet" for w in self._writes[b]])
        returned, outcome, output = self._returned(device, st)
        touches = self._touches(st)
        answers = frozenset[Expr]().union(*[r.answer for r in st.calls])
        used: frozenset[Expr] = frozenset()
        if answers:
            used = used.union(*[X.leaves(c.expr) for c in conditions if not c.assumed])
            if not answers <= used:
                used = used.union(*self._effects(st, touches, writes, plain, returned))
        calls = tuple([self._call(n, r, touches.get(n, r.touches), used) for n, r in enumerate(st.calls)])
        chunks = tuple(_chunk(st, address, length) for address, length in st.library.get("chunks", ()))
        regions = tuple((st.memory[oid].info.name, e) for e, oid in st.regions.items())
        marks = tuple(
            Mark(call, op, packet, plain_state, cells, self._stack(place)[0][-1])
            for call, op, packet, plain_state, cells, place in st.library.get("marks", ())
        )
        return CallPath(number, device, conditions, calls, chunks, writes, plain, outcome, output, dict(st.model),
                        returned, regions, marks, tuple(_mbuf_writes(st)), st.library.get("checksums", ()))  # fmt: skip

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

    def _condition(self, c: Condition) -> PathCondition:
        """Paths that ask the same at the same place share the condition."""
        key = (c.expr, c.assumed, c.place)
        if key not in self._asked:
            self._asked[key] = PathCondition(c.expr, c.assumed, self._stack(c.place)[0][-1])
        return self._asked[key]

    def _plain_touch(self, a: PlainAccess) -> PlainTouch:
        spans, functions = self._stack(a.place)
        return PlainTouch(a.object, a.offset, a.size, a.write, spans[-1], functions, a.value)

    def _touches(self, st: State) -> dict[int, tuple[Touch, ...]]:
        """What calls touched, by their numbers, where the end of the path decides on it: homes of keys, and cells written late."""
        out: dict[int, tuple[Touch, ...]] = {}
        for n, r in enumerate(st.calls):
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
        got = self._homes.get((id(r.touches), home))
        if got is None:
            got = tuple(replace(t, key_home=home) if t.role == "put" else t for t in r.touches)
            self._homes[id(r.touches), home] = got
        return got

    def _call(self, n: int, r: RawCall, touches: tuple[Touch, ...], used: Set[Expr]) -> Call:
        """Paths that made a call together share it, unless what one does later makes a difference to it."""
        is_used = not used.isdisjoint(r.answer)
        # the same touches, not equal ones: what later calls have answered is named alike on all paths
        key = (r, is_used, None if touches is r.touches else tuple(map(id, touches)))
        got = self._calls.get(key)
        if got is None:
            spans, functions = self._stack(r.place)
            got = self._calls[key] = Call(n, r.spec.name, r.spec.op, r.arguments, r.result, r.outputs, touches, spans,
                                          functions, r.keys, is_used, r.packet_changed)  # fmt: skip
        return got

    def _effects(
        self, st: State, touches: Mapping[int, tuple[Touch, ...]], writes: Sequence[PacketWrite],
        plain: Sequence[PlainTouch], returned: int | Expr,
    ) -> Iterator[frozenset[Expr]]:  # fmt: skip
        """Leaves of a path's arguments and effects, and of what its checksums cover."""
        yield X.leaves(returned)
        yield from map(self._given.__getitem__, st.calls)
        for added in touches.values():
            yield from _stored(added)
        for w in writes:
            yield X.leaves(w.value)
        for q in plain:
            if q.is_unknown:
                yield X.leaves(q.offset)
                yield X.leaves(q.value or 0)
        for checksum in st.library.get("checksums", ()):
            yield from map(X.leaves, checksum.covered)

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


def _puts(r: RawCall) -> bool:
    """Whether a call puts a key into a map."""
    return "key" in r.spec.roles and any(t.role == "put" for t in r.touches)


def _given(r: RawCall) -> frozenset[Expr]:
    """Leaves of what a call is given and stores."""
    values = [v for v in r.arguments if isinstance(v, Expr)]
    for _, raw in r.keys:
        values += [v for v in raw if isinstance(v, Expr)]
    return frozenset().union(*map(X.leaves, values), *_stored(r.touches))


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


def _stored(touches: Iterable[Touch]) -> list[frozenset[Expr]]:
    return [X.leaves(v) for t in touches if t.stored for _, v in t.stored]
