"""Accesses to state (the thesis's LVAs, table 3.1): what each call path does to each object.

`collect` makes one `Access` for every touch of a library object and every read or write of plain C state, drops those to objects
that no packet writes, and merges equal ones. Everything later (tables, conflicts, findings) works on accesses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from math import gcd
from typing import overload

from ..rss.fields import ETHERTYPES, PROTOCOLS
from ..source.text import Span
from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.immutable import immutable
from ..symbex.memo import Memo
from ..symbex.path import Call, CallPath, Object, Part, PlainTouch, Touch, calls_of, plain_of, written_objects
from .alike import Alike
from .headers import PacketView, Views


@immutable(eq=False, slots=True)
class Access:
    """One access of one path to one object."""

    path: CallPath
    object: Object
    call: Call | None  # None: plain C state
    touch: Touch | None
    plain: PlainTouch | None
    write: bool
    role: str
    key: tuple[Part, ...] | None  # equal keys touch the same memory; None: all of the object
    index: bool
    views: tuple[PacketView, ...] = field(repr=False)
    like: Access | None = field(
        default=None, repr=False
    )  # the same one on a path that is alike (alike.py), or on another device

    @property
    def span(self) -> Span:
        """Where the access is in the source."""
        if self.call is not None:
            return self.call.span
        assert self.plain is not None
        return self.plain.span

    @property
    def interface(self) -> str:
        """The library function, or how plain state is accessed."""
        return self.call.function if self.call is not None else ("assignment" if self.write else "read")

    @property
    def order(self) -> tuple[int, int, str]:
        """A deterministic order: path, call, role."""
        return self.path.number, self.call.number if self.call is not None else -1, self.role

    def on(self, path: CallPath, views: tuple[PacketView, ...]) -> Access:
        """The same one on another path."""
        return Access(
            path, self.object, self.call, self.touch, self.plain, self.write, self.role, self.key, self.index, views, self
        )  # fmt: skip

    def leaves(self) -> frozenset[Expr]:
        """Leaves of the key."""
        if self.touch is not None and self.touch.key is self.key:
            return self.touch.key_leaves
        return frozenset().union(*(X.leaves(p.value) for p in self.key or ()))

    @staticmethod
    def layer(leaf: Expr, view: PacketView) -> tuple[int, int, int] | None:
        """Where a packet byte lies, as the thesis says it: (layer, protocol number, byte of that layer's header); None for others."""
        return _layer(leaf, view) if leaf.op == "byte" and str(leaf.args[0]).startswith("packet") else None


def _layer(leaf: Expr, view: PacketView) -> tuple[int, int, int]:
    name, first = view.names.get(leaf, ("", 0))
    version, _, kind = view.packet_class.partition("-")
    offset = leaf.args[1]
    if name.startswith("eth.") or offset < 14:
        return 2, 0, offset
    if name.startswith(("l4.", "icmp.")):
        starts = {"l4.src": 0, "l4.dst": 2, "icmp.type": 0, "icmp.code": 1}
        return 4, PROTOCOLS.get(kind, 0), starts[name] + first // 8
    return 3, ETHERTYPES.get(version, 0), offset - 14


class OnPath:
    """The accesses of one path. `firsts` are those of the first path that is alike, perhaps itself."""

    def __init__(self, path: CallPath, views: tuple[PacketView, ...], firsts: tuple[Access, ...]) -> None:
        self.path = path
        self.views = views
        self.firsts = firsts
        self.is_first = firsts[0].path is path
        self._own: Memo[Access, Access] = Memo(lambda a: a.on(path, views))

    def own(self, a: Access) -> Access:
        """One of `firsts` as this path has it."""
        return a if self.is_first else self._own[a]


def asked(accesses: Sequence[Access]) -> tuple[frozenset[Expr], bool]:
    """Leaves of the keys of a path's accesses; and whether it only expires what is old, which every core does at the same times."""
    leaves = frozenset[Expr]().union(*[a.leaves() for a in accesses])
    return leaves, all(a.role == "expire" for a in accesses)


class Accesses(Sequence[Access]):
    """All accesses of an NF, path by path. Those of paths that are alike are made when somebody looks: rules judge the first's."""

    def __init__(self, on_paths: Iterable[OnPath]) -> None:
        self.on_paths = tuple(on_paths)

    @cached_property
    def firsts(self) -> tuple[Access, ...]:
        """The accesses that no others are like."""
        return tuple([a for on in self.on_paths if on.is_first for a in on.firsts])

    @cached_property
    def _all(self) -> tuple[Access, ...]:
        return tuple([on.own(a) for on in self.on_paths for a in on.firsts])

    def __len__(self) -> int:
        return sum(len(on.firsts) for on in self.on_paths)

    @overload
    def __getitem__(self, at: int) -> Access: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Access]: ...

    def __getitem__(self, at: int | slice) -> Access | Sequence[Access]:
        return self._all[at]

    def __iter__(self) -> Iterator[Access]:
        return iter(self._all)


def collect(paths: Sequence[CallPath], objects: Mapping[int, Object], views: Views) -> tuple[Accesses, frozenset[int]]:
    """All accesses to objects that some packet writes, merged; and the objects that packets only read."""
    calls = calls_of(paths)
    written = written_objects(calls)
    read_only = frozenset([t.object for c in calls for t in c.touches]) - written
    plain = plain_of(paths)
    plain_state = _plain_state(plain)
    state = {id(q) for q in plain if q.object in objects and _is_state(q, plain_state)}
    alike = Alike(state | {id(q) for q in plain if q.is_unknown})
    found: dict[int, OnPath] = {}
    for p in paths:
        if p.like is not None:
            if p.like in found:
                found[p.number] = OnPath(p, found[p.like].views, found[p.like].firsts)
            continue
        first = alike.first(p) if p.calls else p
        if first is not p:
            if first.number in found:
                found[p.number] = OnPath(p, views.of(p), found[first.number].firsts)
            continue
        touches = [(c, t) for c in p.calls for t in c.touches if t.object in written and t.object in objects]
        plainly: dict[object, PlainTouch] = {}
        for q in [q for q in p.plain if id(q) in state] if state else ():
            plainly.setdefault((q.object, q.offset, q.size, q.write, q.span), q)
        if touches or plainly:
            view = views.of(p)
            accesses = [
                Access(p, objects[t.object], c, t, None, t.write, t.role, t.key, t.index, view) for c, t in touches
            ]
            accesses += [
                Access(p, objects[q.object], None, None, q, q.write, "plain", plain_key(q), False, view)
                for q in plainly.values()
            ]
            found[p.number] = OnPath(p, view, tuple(accesses))
    return Accesses(found.values()), read_only


def plain_key(q: PlainTouch) -> tuple[Part, ...] | None:
    """The key of plain state: its offset, where that is not a constant and different offsets never overlap."""
    if isinstance(q.offset, int):
        return None
    stride, inside = stride_of(q.offset)
    return (Part(q.offset, 64),) if inside + q.size <= stride else None


def overlap(x: PlainTouch, y: PlainTouch) -> tuple[int | Expr, int | Expr] | None:
    """What must be equal for two accesses at symbolic offsets to have a byte in common: the numbers of their elements, where the
    larger elements are made of the smaller ones. (0, 1) when they never have; None when it is not known."""
    assert isinstance(x.offset, Expr) and isinstance(y.offset, Expr)
    (s, i), (t, j) = stride_of(x.offset), stride_of(y.offset)
    if s == t:
        if i + x.size > s or j + y.size > t:
            return None
        (first, last), (lowest, highest) = _range(x.offset), _range(y.offset)
        if i + x.size <= j or j + y.size <= i or last + x.size <= lowest or highest + y.size <= first:
            return 0, 1
        return X.sub(x.offset, i, 64), X.sub(y.offset, j, 64)
    large, shift = max(s, t), max(s, t).bit_length() - 1
    small = min((s, i, x.size), (t, j, y.size))
    if large != 1 << shift or large % small[0] or small[1] + small[2] > small[0]:
        return None
    return X.lshr(x.offset, shift, 64), X.lshr(y.offset, shift, 64)


def stride_of(offset: Expr) -> tuple[int, int]:
    """(stride, c), where an offset is a multiple of the stride plus c; (1, 0) when nothing is known."""
    if offset.op == "add" and isinstance(offset.args[1], Expr):
        (s, i), (t, j) = stride_of(offset.args[0]), stride_of(offset.args[1])
        return gcd(s, t), (i + j) % gcd(s, t)
    if offset.op == "add" and isinstance(offset.args[0], Expr):
        stride, inside = stride_of(offset.args[0])
        return stride, (inside + offset.args[1]) % stride
    if offset.op == "mul" and isinstance(offset.args[1], int):
        return offset.args[1], 0
    if offset.op == "concat" and isinstance(offset.args[0][-1], int):
        return 1 << offset.args[1][-1], offset.args[0][-1]
    return 1, 0


def _range(offset: int | Expr) -> tuple[int, int]:
    """The least and the greatest that an offset can be, as far as its shape shows."""
    anything = (0, (1 << 64) - 1)
    if isinstance(offset, int):
        return offset, offset
    if offset.op == "add":
        (a, b), (c, d) = _range(offset.args[0]), _range(offset.args[1])
        return (a + c, b + d) if b + d <= anything[1] else anything
    if offset.op == "mul" and isinstance(offset.args[1], int):
        a, b = _range(offset.args[0])
        return (a * offset.args[1], b * offset.args[1]) if b * offset.args[1] <= anything[1] else anything
    if offset.op == "concat":
        greatest = 0
        for part, width in zip(*offset.args, strict=True):
            greatest = greatest << width | (part if isinstance(part, int) else (1 << width) - 1)
        return 0, greatest
    return 0, (1 << offset.width) - 1


PlainState = dict[int, tuple[frozenset[int], frozenset[int], bool, bool]]


def _plain_state(touches: Iterable[PlainTouch]) -> PlainState:
    """For each plain object: bytes read before being written, bytes written, and whether at symbolic offsets."""
    reads: dict[int, set[int]] = {}
    writes: dict[int, set[int]] = {}
    symbolic_reads: set[int] = set()
    symbolic_writes: set[int] = set()
    for o, offset, size, write in {(q.object, q.offset, q.size, q.write) for q in touches}:
        if isinstance(offset, int):
            (writes if write else reads).setdefault(o, set()).update(range(offset, offset + size))
        else:
            (symbolic_writes if write else symbolic_reads).add(o)
    return {
        o: (frozenset(reads.get(o, ())), frozenset(writes.get(o, ())), o in symbolic_reads, o in symbolic_writes)
        for o in reads.keys() | writes.keys() | symbolic_reads | symbolic_writes
    }


def _is_state(q: PlainTouch, state: PlainState) -> bool:
    """Whether these bytes carry something from one packet to the next: read on some path before that path wrote them, and
    written on some path."""
    reads, writes, symbolic_reads, symbolic_writes = state[q.object]
    if isinstance(q.offset, int):
        mine = range(q.offset, q.offset + q.size)
        return (symbolic_reads or not reads.isdisjoint(mine)) and (symbolic_writes or not writes.isdisjoint(mine))
    return bool((symbolic_reads or reads) and (symbolic_writes or writes))
