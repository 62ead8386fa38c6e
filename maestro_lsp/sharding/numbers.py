"""The numbers of a table's indices.

Which index a packet gets is the dchain's free choice, and each core makes it for itself. So nothing may depend on the number of an
index but the number itself, where it leaves whole in the packet (outputs are equal up to a bijection of (core, index)). A
number also lives on in cells that it was stored in, and is given to another packet when its entry goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.path import CELL, Call, CallPath, Touch, borrowing
from .access import Access
from .provenance import Provenance, same_index

MAX_COPIES = 4  # from cell to cell, that are followed


@dataclass(eq=False)
class Held:
    """What of an index the byte of a cell holds."""

    # the lowest of eight bits of the index plus a constant, and the constant; None: another function of the index
    bits: set[tuple[int, int] | None] = field(default_factory=set)
    other: bool = False  # it is given other numbers too
    own: bool = True  # only ever the index of the cell's own entry


def number_problems(
    chain: int,
    members: Set[int],
    capacity: int,
    bound: int,
    packet_indices: Sequence[Access],
    mine: Sequence[Access],
    calls: Mapping[int, Sequence[Access]],
    origin: Provenance,
    filled: Set[int],
) -> Iterator[tuple[Access, str]]:
    """Where something depends on the number of an index of a table (`chain` is its dchain, or the table itself), and how.

    All indices are below `bound`. `mine` are the accesses to its members, `calls` all accesses (see `by_path`). `filled` are vectors
    whose cells nobody reads before a packet has written them.
    """
    reused = any(a.object.id == chain and (a.role == "expire" or frees_old(a, origin)) for a in mine)
    given: dict[int, dict[Expr, Access]] = {}
    for a in mine:
        v = a.touch.value if a.touch is not None and a.role in ("allocate", "add", "get") else None
        if isinstance(v, Expr) and origin.source(a.path, v).kind in ("fresh", "map"):
            given.setdefault(a.path.number, {})[v] = a
    asked: dict[int, set[Expr]] = {}
    for a in packet_indices:
        if a.key is not None and isinstance(a.key[0].value, Expr):
            asked.setdefault(a.path.number, set()).add(a.key[0].value)
    paths = [_Numbers(group, given.get(number, {}), chain, members, origin) for number, group in calls.items()]
    held: dict[tuple[int, int], Held] = {}
    for _ in range(MAX_COPIES):
        found = _held(paths, filled)
        if {k: v.bits for k, v in found.items()} == {k: v.bits for k, v in held.items()}:
            break
        held = found
        for p in paths:
            p.look_into(held)
    else:
        last = next(p for p in paths if p.numbers)
        yield (
            next(iter(last.numbers.values())),
            "the index is copied from cell to cell further than the analysis follows it",
        )
    whole = set(range(max((capacity - 1).bit_length(), 1)))
    for p in paths:
        if p.numbers:
            yield from p.problems(whole, bound, reused, held, asked.get(p.path.number, set()))


def by_path(accesses: Iterable[Access]) -> dict[int, list[Access]]:
    """Accesses by library calls, by the numbers of their paths."""
    found: dict[int, list[Access]] = {}
    for a in accesses:
        if a.touch is not None:
            found.setdefault(a.path.number, []).append(a)
    return found


def _held(paths: Sequence[_Numbers], filled: Set[int]) -> dict[tuple[int, int], Held]:
    """The bytes of cells, (vector, offset), in which numbers are stored."""
    held: dict[tuple[int, int], Held] = {}
    for p, t, o, v in _stores(paths, False):
        for n in p.among(v):
            h = held.setdefault((t.object, o), Held(other=t.object not in filled))
            taken = bits_shown(v, n)
            h.bits.add(
                (min(taken), _added(v)) if taken is not None and len(taken) == 8 and min(taken) % 8 == 0 else None
            )
            h.own = h.own and t.key is not None and same_index(p.path, t.key[0].value, n)
    for p, t, o, v in _stores(paths, True) if held else ():
        if (t.object, o) in held and not p.among(v):
            held[t.object, o].other = True
    return held


def _stores(paths: Iterable[_Numbers], others: bool) -> Iterator[tuple[_Numbers, Touch, int, int | Expr]]:
    """What paths store in cells: (path, touch, offset, byte in terms of numbers). With `others` also where no number is in it."""
    for p in paths:
        for t in p.stores(p.path.calls if others else p.relevant):
            for o, v in t.stored:
                yield p, t, o, p.plainly(v)


class _Numbers:
    """The numbers of a table's indices that one path knows."""

    def __init__(
        self, accesses: Sequence[Access], numbers: dict[Expr, Access], chain: int, members: Set[int], origin: Provenance
    ) -> None:
        self.path: CallPath = accesses[0].path
        self.accesses = accesses
        self.chain = chain
        self.members = members
        self.origin = origin
        self.numbers = numbers
        self.from_cell: dict[Expr, tuple[int, int]] = {}  # a number -> the first byte of a cell that it was in
        self._names: dict[Expr, int | Expr] = {}
        self._relevant: list[Call] | None = None

    def look_into(self, held: Mapping[tuple[int, int], Held]) -> None:
        """Know the numbers in the cells that the path borrows."""
        self._relevant = None
        vectors = {v for v, _ in held}
        for a in self.accesses if vectors else ():
            if a.role != "borrow" or a.call is None or a.object.id not in vectors:
                continue
            for (v, o), h in held.items():
                (part,) = h.bits if len(h.bits) == 1 else (None,)
                if v != a.object.id or part is None:
                    continue
                first = o - part[0] // 8
                number = X.sym(f"index in cell {a.call.number} at {first}", 32)
                whole = X.add(number, part[1], 32)
                self._names[X.byte(f"{CELL}#{a.call.number}", o)] = X.extract(whole, part[0], 8)
                self.numbers[number] = a
                self.from_cell[number] = (v, first)

    def plainly(self, v: int | Expr) -> int | Expr:
        """An expression in terms of numbers."""
        return X.substitute(v, self._names) if self._names else v

    @property
    def known(self) -> Set[Expr]:
        """What a call or condition that has to do with the numbers names."""
        return self.numbers.keys() | self._names.keys() if self._names else self.numbers.keys()

    @property
    def relevant(self) -> list[Call]:
        """The calls that have to do with the numbers."""
        if self._relevant is None:
            known = self.known
            self._relevant = [c for c in self.path.calls if not c.leaves.isdisjoint(known)] if known else []
        return self._relevant

    @staticmethod
    def stores(calls: Iterable[Call]) -> Iterator[Touch]:
        """What calls store."""
        return (t for c in calls for t in c.touches if t.stored)

    def among(self, *values: int | Expr) -> list[Expr]:
        """Which of the numbers values depend on, in a fixed order."""
        found: set[Expr] = set()
        for v in values:
            if isinstance(v, Expr) and not (leaves := X.leaves(v)).isdisjoint(self.numbers):
                found |= leaves & self.numbers.keys()
        return sorted(found, key=lambda n: n.serial) if found else []

    def problems(
        self, whole: Set[int], bound: int, reused: bool, held: Mapping[tuple[int, int], Held], asked: Set[Expr]
    ) -> Iterator[tuple[Access, str]]:
        p = self.path
        yield from self._conditions(bound, reused, held, asked)
        for leaf in self.among(self.plainly(p.returned)):
            yield self._matters(leaf, "the output device depends on the number of the index")
        for t in self.stores(self.relevant):
            stored = [self.plainly(v) for _, v in t.stored]
            for leaf in self.among(*stored):
                if not _shows(stored, leaf, whole) or not self._followed(t, leaf, held):
                    yield self._matters(leaf, "a function of the index is stored")
        for value in {q.value: None for q in p.unknown_plain if isinstance(q.value, Expr)}:
            for leaf in self.among(self.plainly(value)):
                yield self._matters(leaf, "the index is stored in plain memory")
        for offset in {q.offset: None for q in p.unknown_plain if isinstance(q.offset, Expr)}:
            yield from self._key([self.plainly(offset)], whole, reused)
        for c in self.relevant:
            for t in c.touches:
                if t.key and not (t.index and t.object in self.members):
                    yield from self._key([self.plainly(part.value) for part in t.key], whole, reused)
                for leaf in (
                    self.among(*map(self.plainly, (*t.arguments, t.time or 0))) if t.arguments or t.time else ()
                ):
                    yield self._matters(leaf, "the library is given the number of the index")
        for _, offset in p.regions:
            for leaf in self.among(self.plainly(offset)):
                yield self._matters(leaf, "which bytes of the packet are used depends on the number of the index")
        yield from self._checksums()
        left = [self.plainly(w.value) for w in p.leaving if not X.leaves(w.value).isdisjoint(self.known)]
        for leaf in self.among(*left):
            if not _shows(left, leaf, set()):
                yield self._matters(leaf, "a function of the index that is not one-to-one leaves in the packet")
            elif not _shows(left, leaf, whole):
                yield self._matters(leaf, "only a part of the index leaves in the packet")

    def _checksums(self) -> Iterator[tuple[Access, str]]:
        """A checksum over an index is a function of it, which may leave with the packet and be nothing else."""
        p = self.path
        for checksum in p.checksums:
            covered = self.among(*map(self.plainly, checksum.covered))
            leaving = [self.plainly(w.value) for w in p.leaving] if covered else []
            if any(isinstance(v, Expr) and not X.leaves(v).isdisjoint(X.leaves(checksum.symbol)) for v in leaving):
                gone = [n for n in covered if n not in self.among(*leaving)]
                for n in gone[:1]:
                    yield self._matters(n, "a checksum over the index leaves in the packet, and the index does not")
        if not p.checksums:
            return
        used = self.origin.used_leaves(p, in_packet=False)
        for n in self.among(
            *(self.plainly(v) for c in p.checksums if not used.isdisjoint(X.leaves(c.symbol)) for v in c.covered)
        )[:1]:
            yield self._matters(n, "a checksum over the index decides what happens")

    def _followed(self, t: Touch, number: Expr, held: Mapping[tuple[int, int], Held]) -> bool:
        """Whether every byte that a number is stored in always holds the same part of an index, so that readers are seen."""
        cells = [held.get((t.object, o)) for o, v in t.stored if number in self.among(self.plainly(v))]
        return all(h is not None and len(h.bits) == 1 and None not in h.bits for h in cells)

    def _key(self, parts: Sequence[int | Expr], whole: Set[int], reused: bool) -> Iterator[tuple[Access, str]]:
        """A key that a number is part of: another packet's entry may be found under it once the number is given again."""
        for leaf in self.among(*parts):
            if reused:
                yield self._matters(
                    leaf, "the index is part of a key, and is given to another packet when its entry goes"
                )
            elif not _shows(parts, leaf, whole):
                yield self._matters(leaf, "a function of the index is part of a key")

    def _conditions(
        self, bound: int, reused: bool, held: Mapping[tuple[int, int], Held], asked: Set[Expr]
    ) -> Iterator[tuple[Access, str]]:
        p = self.path
        if p.asked.isdisjoint(self.known):
            return
        same = asked | {n for n in self.numbers if n not in self.from_cell}
        same |= {n for n, first in self.from_cell.items() if not held[first].other and (held[first].own or not reused)}
        indices = frozenset[Expr]().union(*[c.indices for c in p.calls])
        asks = [c for c in p.conditions if not c.assumed and not X.leaves(c.expr).isdisjoint(self.known)]
        calls = {c.span for c in p.calls}  # where the library, not the program, asks
        for condition in asks:
            for e in X.conjuncts(condition.expr):
                if condition.span in calls and _compares(e, indices, cells=True):
                    continue
                plain = self.plainly(e)
                if isinstance(plain, Expr):
                    plain = X.cancelled(plain)  # index * 8 + 7 == index * 8 + port asks for the port alone
                if isinstance(plain, Expr) and not _compares(plain, same):
                    for leaf in self.among(plain):
                        if _decides(plain, leaf, bound, self.origin):
                            yield self._matters(leaf, "what happens depends on the number of the index")

    def _matters(self, number: Expr, why: str) -> tuple[Access, str]:
        return self.numbers[number], f"{why}, which each core chooses for itself"


def frees_old(a: Access, origin: Provenance) -> bool:
    """Whether an access frees an index that other packets may know."""
    return a.role == "free" and a.key is not None and origin.source(a.path, a.key[0].value).kind != "fresh"


def _shows(values: Sequence[int | Expr], leaf: Expr, wanted: Set[int]) -> bool:
    """Whether values are, of an index, only bits of the index plus a constant, and the wanted ones are among them."""
    bits = [bits_shown(v, leaf) for v in values]
    return all(b is not None for b in bits) and wanted <= set().union(*(b for b in bits if b))


def _decides(e: Expr, index: Expr, bound: int, origin: Provenance) -> bool:
    """Whether a condition can come out both ways for indices below a bound."""
    in_range = X.ult(index, bound, index.width)
    if not isinstance(in_range, Expr):
        return True
    no = X.not_(e, 1)
    assert isinstance(no, Expr)
    return not origin.impossible([in_range, e]) and not origin.impossible([in_range, no])


def _compares(e: Expr, indices: Set[Expr], cells: bool = False) -> bool:
    """Whether a condition only asks if two indices are the same one; with `cells`, what a cell holds is taken for one."""
    if e.op == "not":
        e = e.args[0]
    return e.op == "eq" and all(isinstance(x, Expr) and (x in indices or (cells and _is_cell(x))) for x in e.args)


def _is_cell(e: Expr) -> bool:
    return all(borrowing(leaf) is not None for leaf in X.leaves(e))


def _added(v: int | Expr) -> int:
    """The constant c of a value that is bits of an index plus c."""
    e, c = v, 0
    while isinstance(e, Expr) and e.op in ("extract", "add"):
        c += e.args[1] if e.op == "add" else 0
        e = e.args[0]
    return c


def bits_shown(v: int | Expr, leaf: Expr) -> set[int] | None:
    """Bits of (index + constant) that a value is; None if it is something else of the index."""
    if isinstance(v, int) or leaf not in X.leaves(v):
        return set()
    if v.op == "concat":
        out: set[int] = set()
        for p in v.args[0]:
            part = bits_shown(p, leaf)
            if part is None:
                return None
            out |= part
        return out
    low = 0
    e: Expr = v
    if e.op == "extract":
        e, low = e.args[0], e.args[1]
    while e.op == "add" and isinstance(e.args[1], int):
        e = e.args[0]
        if e.op == "extract" and e.args[1] == 0:
            e = e.args[0]
    return set(range(low, low + v.width)) if e is leaf else None
