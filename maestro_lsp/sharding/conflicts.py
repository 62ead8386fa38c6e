"""From accesses to conflicts: which pairs of packets must meet, and why.

For every two accesses to one object, at least one a write, packets d and e must meet if the keys can be equal. Table indices,
expiry, dchain indices from packets and scans as docs/explanation/meeting.md says; whatever is not understood makes everything
that reaches the object meet.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..symbex.expr import Expr
from ..symbex.memo import Memo
from ..symbex.path import CallPath, Object, Part, StartTouch
from ..symbex.solver import Solver
from .access import Access, Accesses, overlap
from .algebra import TRUE, AdmittedViews, Algebra, BitEquation, Conjunction, Match, PathKind
from .expiry import Puts, belongs_to_expiry, expiry_problem
from .guard import Guard, Unguarded, find_guard, stored_in
from .keys import key_problems
from .linear import is_packet_bit
from .numbers import by_path, number_problems
from .provenance import DEFAULT_CAPACITY, Provenance
from .tables import Breach, Table, erasure_problems, find_tables


class Obstacle(NamedTuple):
    """Why all of an object counts as touched: the finding's code, the reason, and where it shows (default: the access itself)."""

    code: str
    why: str
    at: Access | None = None
    other: Access | None = None  # another place that the reason is about


@dataclass(eq=False, slots=True)
class Effective:
    """An access with the key that counts: its own, the one that led to its index, or all of the object."""

    access: Access
    key: tuple[Part, ...] | None
    obstacles: tuple[Obstacle, ...] = ()
    through: int | None = None  # the map (or vector) whose key stands for this access's index
    own_index: bool = False  # an allocation, release or expiry of the packet's own indices: only obstacles meet it
    everywhere: frozenset[int] = frozenset()  # all objects of the table, where an obstacle meets every access to it
    shape: int = -1  # a number for `_shape`, once it is known

    def by(self, access: Access) -> Effective:
        """The same of another access."""
        return Effective(access, self.key, self.obstacles, self.through, self.own_index, self.everywhere)

    @property
    def groups(self) -> frozenset[int]:
        """The objects within which keys are compared."""
        return self.everywhere or frozenset((self.access.object.id if self.through is None else self.through,))


@dataclass(eq=False)
class Conflict:
    """Packets d on device i and e on device j must meet if `when` holds (for the classes of packets listed). On one device, to say it of d
    and e is to say it of e and d, so either may stand here."""

    i: int
    j: int
    when: Conjunction
    classes: set[tuple[str, str]]  # (class of d, class of e) for which it holds
    counted: set[tuple[str, str]]  # those of them that are not assumed away for this NIC
    causes: list[tuple[Effective, Effective]]
    exact: bool = True  # False: more pairs are required than the program needs


@dataclass
class Conflicts:
    """All conflicts of an NF and what was found on the way."""

    conflicts: list[Conflict] = field(default_factory=list)
    tables: dict[int, Table] = field(default_factory=dict)
    guards: dict[int, Guard] = field(default_factory=dict)
    unguarded: dict[int, Unguarded] = field(default_factory=dict)
    effective: list[Effective] = field(default_factory=list)  # of accesses that ask for the same in one place, one
    too_many: bool = False  # accesses to compare: all of them were taken to meet


MAX_ACCESSES = 15_000
MAX_PAIRS = 200_000  # of accesses
MAX_KINDS = 8_000  # of pairs that ask for different things


def find_conflicts(
    paths: Sequence[CallPath],
    objects: Mapping[int, Object],
    accesses: Accesses,
    views: AdmittedViews,
    strict: bool,
    solver: Solver,
    started: Sequence[Sequence[StartTouch]] = (),
) -> Conflicts:
    """All conflicts between the accesses of an NF's paths."""
    out = Conflicts(too_many=len(accesses) > MAX_ACCESSES)
    found = _Found(Algebra(paths, views), solver)
    if out.too_many:
        _all_meet(found, accesses)
        out.conflicts = found.sorted()
        return out
    ranges = [o.capacity for o in objects.values() if o.kind == "dchain"]
    origin = Provenance(solver, max((r or 1 << 31 for r in ranges), default=1 << 31))
    judged = tuple([on.path for on in accesses.on_paths if on.is_first])
    out.tables = find_tables(judged, objects, accesses.firsts, origin, started)
    for t in out.tables.values():
        if t.packet_indices:
            first = set(t.packet_indices)
            t.packet_indices = [a for a in accesses if (a.like or a) in first]
    out.effective = _effective(out, objects, accesses, strict, origin, found.algebra)
    kinds = found.compared  # pairs of accesses that ask for different things
    for n, (x, y) in enumerate(_distinct_pairs(out.effective, found.algebra)):
        if n == MAX_PAIRS or len(kinds) > MAX_KINDS:
            out.too_many = True
            found = _Found(found.algebra, solver)  # what was found asks for less, and takes long to solve
            _all_meet(found, accesses)
            break
        found.compare(x, y)
    for chain, guard in out.guards.items():
        _add_guard(found, out.tables[chain], guard, accesses)
    out.conflicts = found.sorted()
    return out


TOO_MANY = Obstacle("path-limit", "there are too many different accesses to compare them")


def _all_meet(found: _Found, accesses: Iterable[Access]) -> None:
    """What there is to say about too many accesses: all of them meet."""
    one_of_each: dict[tuple[object, ...], Effective] = {}
    for a in accesses:
        kind = found.algebra.kind(a.path)
        one_of_each.setdefault((kind.device, kind.views, kind.counted, a.write), Effective(a, None, (TOO_MANY,)))
    members = sorted(one_of_each.values(), key=lambda e: e.access.path.device)
    for at, x in enumerate(members):
        for y in members[at:]:
            if x.access.write or y.access.write:
                found.add_all(x, y)


def _term_key(q: BitEquation) -> tuple[object, ...]:
    return tuple(sorted(q.terms)), q.constant


# ------------------------------------------------------------------------------------------------------- effective keys


def _effective(
    out: Conflicts, objects: Mapping[int, Object], everywhere: Accesses, strict: bool, origin: Provenance,
    algebra: Algebra,
) -> list[Effective]:  # fmt: skip
    accesses = everywhere.firsts
    owner: dict[int, Table] = {}
    for t in out.tables.values():
        for m in t.members:
            owner.setdefault(m, t)
    broken: dict[int, list[Obstacle]] = {}
    for chain, t in out.tables.items():
        broken[chain] = [Obstacle("global-state", b.why, b.access) for b in _distinct(t.breaches)]
        problem = expiry_problem(t.members, t.accesses, origin)
        if problem is not None:
            broken[chain].append(Obstacle("global-state", problem[1], problem[0], problem[2]))
        if t.packet_indices:
            whole = broken[chain] or t.foreign or t.numbers
            guard = (
                find_guard(t, everywhere, strict, origin)
                if not whole
                else Unguarded(t.packet_indices[0], _first_reason(t, broken[chain]))
            )
            if isinstance(guard, Guard):
                out.guards[chain] = guard
            else:
                out.unguarded[chain] = guard
    loose: dict[int, Obstacle] = {}
    for o in sorted({a.object.id for a in accesses if a.object.id not in owner and a.role == "expire"}):
        problem = expiry_problem({o}, accesses, origin)
        if problem is not None:
            loose[o] = Obstacle("global-state", problem[1], problem[0], problem[2])
        for at, why in erasure_problems(o, None, accesses, origin):
            loose.setdefault(o, Obstacle("global-state", why, at))
    for o in sorted({a.object.id for a in accesses if a.object.id not in owner and a.role == "put"}):
        for at, why in key_problems({o}, accesses, origin):
            loose.setdefault(o, Obstacle("global-state", why, at))
    for o in sorted({a.object.id for a in accesses if a.object.id not in owner and a.role == "add"}):
        capacity = objects[o].capacity
        mine = [a for a in accesses if a.object.id == o]
        range_, bound = capacity or DEFAULT_CAPACITY, capacity or origin.bound
        for at, why in number_problems(o, {o}, range_, bound, (), mine, by_path(accesses), origin, owner.keys()):
            loose.setdefault(o, Obstacle("global-state", why, at))
    table_uses = {
        t.chain: _TableUse(t, broken[t.chain], out.unguarded.get(t.chain), origin, algebra) for t in out.tables.values()
    }
    result: list[Effective] = []
    # paths share accesses: of those that agree in all that matters one will do
    marked: Memo[tuple[Access, ...], list[tuple[Access, object]]] = Memo(
        lambda firsts: [(a, origin.marks[a] if a.touch is not None and a.role != "erase" else None) for a in firsts]
    )
    of_kind: dict[PathKind, set[object]] = {}
    for on in everywhere.on_paths:
        known = of_kind.setdefault(algebra.kind(on.path), set())
        for a, mark in marked[on.firsts]:
            if mark is not None:
                if mark in known:
                    continue
                known.add(mark)
            table = owner.get(a.object.id)
            if table is not None:
                found = table_uses[table.chain].effective(a)
            else:
                found = _loose_access(a, loose.get(a.object.id), origin, algebra)
            result += found if on.is_first else [e.by(on.own(e.access)) for e in found]
    return result


def _distinct(breaches: Sequence[Breach]) -> list[Breach]:
    """One breach for each reason and place."""
    return list({(b.why, b.access.span): b for b in reversed(breaches)}.values())[::-1]


def _first_reason(t: Table, broken: Sequence[Obstacle]) -> str:
    return broken[0].why if broken else (t.foreign or t.numbers)[0].why


SCAN = Obstacle("dchain-scan", "it reads which indices are taken, all of them")
BY_SCAN = Obstacle("dchain-scan", "its index was found by a scan over all indices")


class _TableUse:
    """Turns accesses to one table's objects into what counts."""

    def __init__(
        self,
        table: Table,
        broken: Sequence[Obstacle],
        unguarded: Unguarded | None,
        origin: Provenance,
        algebra: Algebra,
    ) -> None:
        self.table = table
        self.algebra = algebra
        self.broken = broken
        self.origin = origin
        self.members = frozenset(table.members)
        self.foreign = {id(b.access): Obstacle("global-state", b.why) for b in table.foreign}
        self.numbers = [Obstacle("global-state", b.why, b.access) for b in _distinct(table.numbers)]
        self.puts = {m: Puts(m, table.accesses) for m in table.maps}
        self.packet = {id(a): Obstacle("dchain-index-from-packet", unguarded.why, unguarded.access)
                       for a in table.packet_indices} if unguarded is not None else {}  # fmt: skip

    def effective(self, a: Access) -> list[Effective]:
        if a.role == "scan":
            return [Effective(a, None, (SCAN,), everywhere=self.members)]
        obstacles = list(self.broken)
        removal = a.role == "expire" or belongs_to_expiry(a, self.origin)
        if not removal:  # every core expires the same way, whichever numbers it gave
            obstacles += self.numbers
        for found in (self.foreign.get(id(a)), self.packet.get(id(a))):
            if found is not None:
                obstacles.insert(0, found)
        if a.index and a.key and self.origin.source(a.path, a.key[0].value).kind == "scan":
            obstacles.append(BY_SCAN)
        if a.role == "expire-range":
            obstacles.insert(0, RANGE)
        if obstacles:
            return [Effective(a, None, tuple(obstacles), everywhere=self.members)]
        if a.object.id == self.table.chain and a.role in ("allocate", "free", "expire"):
            return [Effective(a, (), own_index=True)]
        if removal:
            return []
        if a.object.id == self.table.chain or a.object.id in self.table.vectors:
            # at an index: counts as an access by the key that led to the index; at a fresh one it meets nothing
            held = self.origin.holder(a.path, a.key[0].value) if a.key else None
            return [Effective(a, held[1], through=held[0])] if held is not None else []
        if a.role == "erase":
            held = self.origin.holder_of_cell(a.path, a.leaves())
            if held is not None and self.puts[a.object.id].all_store(a.key or (), self.origin.cells_of(a.path)):
                return [Effective(a, held[1], through=held[0])]  # as by the index whose cell holds the key
        return [_keyed(a, self.origin, self.algebra)]


RANGE = Obstacle("global-state", "it erases the entries of a range of cells, whoever's they are")


def _loose_access(a: Access, broken: Obstacle | None, origin: Provenance, algebra: Algebra) -> list[Effective]:
    """An access to an object that belongs to no table."""
    if broken is not None:
        return [Effective(a, None, (broken,))]
    if a.role == "expire":
        return []  # every shard expires its own, at the same times
    return [_keyed(a, origin, algebra)]


def _keyed(a: Access, origin: Provenance, algebra: Algebra) -> Effective:
    """An access by its own key, unless the key says nothing about the packet."""
    if a.role == "scan":
        return Effective(a, None, (SCAN,))
    if a.key is None:
        why = "it touches all of the object" if a.plain is None else "it is the same for all packets"
        return Effective(a, None, (Obstacle("global-state", why),))
    if all(isinstance(p.value, int) for p in a.key):
        return Effective(a, a.key, (Obstacle("global-state", "its key is a constant"),))
    if (a.index or a.plain is not None) and origin.source(a.path, a.key[0].value).kind not in ("packet", "other"):
        return Effective(a, None, (Obstacle("global-state", "its index is a number that other packets stored"),))
    if not any((same := algebra.match(p.value, p.value, p.width)) and same.pairs for p in a.key):
        leaves = a.leaves()
        if any(leaf.op == "uf" for leaf in leaves):
            why = "its key is a hash, and equal hashes do not imply equal packets"
        elif any(is_packet_bit(leaf) for leaf in leaves):
            why = "its key is a function of the packet that equal packets do not follow from"
        else:
            why = "its key is not made from the packet"
        return Effective(a, None, (Obstacle("global-state", why),))
    return Effective(a, a.key)


# ------------------------------------------------------------------------------------------------------------ key pairs


def _distinct_pairs(effective: Iterable[Effective], algebra: Algebra) -> Iterator[tuple[Effective, Effective]]:
    """The pairs of accesses to compare, the one on the lower device first; accesses that ask for exactly the same are one."""
    alike: dict[tuple[object, ...], Effective] = {}
    shapes: dict[Shape, int] = {}
    of_kinds: set[tuple[object, ...]] = set()
    for e in effective:
        a = e.access
        e.shape = shapes.setdefault(_shape(e, algebra), len(shapes))
        place = (e.groups, a.write, a.span, e.obstacles, e.shape)
        of_kind = (*place, algebra.kind(a.path))
        if of_kind not in of_kinds:  # one of what a call touches will do
            of_kinds.add(of_kind)
            alike.setdefault((*place, a.object.id, a.interface, a.role), e)  # which findings name
    by_object: dict[int, list[Effective]] = {}
    for e in alike.values():
        for group in e.groups:
            by_object.setdefault(group, []).append(e)
    compared: set[tuple[Effective, Effective]] = set()
    for group, members in sorted(by_object.items()):
        table = members[0].everywhere
        if table and group != min(table) and all(e.everywhere == table for e in members):
            continue  # they are members of the table's first group together, where they are compared
        writers = [e for e in members if e.access.write]
        for at, first in enumerate(members):
            if first.access.write:
                writers.pop(0)
            for second in members[at:] if first.access.write else writers:
                if first.everywhere and second.everywhere:  # only these are members of several groups together
                    if (first, second) in compared:
                        continue
                    compared.add((first, second))
                yield (second, first) if first.access.path.device > second.access.path.device else (first, second)


Shape = tuple[Hashable, tuple[Part, ...] | None, bool, bool, tuple[int | Expr, int] | None]


def _shape(e: Effective, algebra: Algebra) -> Shape:
    """All that decides which packets an access makes meet."""
    plain, kind = e.access.plain, algebra.kind(e.access.path)
    return (
        algebra.classes(kind) if not e.key else kind, e.key, e.own_index, bool(e.obstacles),
        (plain.offset, plain.size) if plain is not None else None,
    )  # fmt: skip


class _Found:
    """Collects conflicts."""

    def __init__(self, algebra: Algebra, solver: Solver) -> None:
        self.algebra = algebra
        self.solver = solver
        self.conflicts: dict[tuple[int, int, Conjunction], Conflict] = {}
        self.compared: dict[tuple[int, int], list[Conflict]] = {}
        self._agreeing: dict[frozenset[Expr], bool] = {}

    def compare(self, x: Effective, y: Effective) -> None:
        """Two accesses to one object, at least one a write."""
        known = self.compared.get((x.shape, y.shape))
        if known is None:
            self.compared[x.shape, y.shape] = self._meet(x, y)
            return
        for conflict in known:
            conflict.causes.append((x, y))

    def _meet(self, x: Effective, y: Effective) -> list[Conflict]:
        p, q = self.algebra.kind(x.access.path), self.algebra.kind(y.access.path)
        matches = _matches(x, y, self.algebra)
        return self.add(x, y, matches) if matches is not None and self._agree(p.config | q.config) else []

    def add(self, x: Effective, y: Effective, matches: Sequence[Match]) -> list[Conflict]:
        """The conflicts of two accesses that meet where pieces of their keys are equal."""
        p, q = self.algebra.kind(x.access.path), self.algebra.kind(y.access.path)
        width = sum(part.width for part in x.key) if x.key and y.key else 0
        exact = sum(len(m.pairs) for m in matches) == width
        out = []
        for m in self.algebra.meetings(p, q, matches):
            key = (p.device, q.device, m.when)
            got = self.conflicts.get(key)
            if got is None:
                got = self.conflicts[key] = Conflict(p.device, q.device, m.when, set(), set(), [], exact)
            got.classes |= m.classes
            got.counted |= m.counted
            if got not in out:
                got.causes.append((x, y))
                out.append(got)
        return out

    def add_all(self, x: Effective, y: Effective) -> None:
        """The conflict of two accesses that meet whatever their packets hold, also where their paths say what that is."""
        p, q = self.algebra.kind(x.access.path), self.algebra.kind(y.access.path)
        key = (p.device, q.device, TRUE)
        got = self.conflicts.setdefault(key, Conflict(*key, set(), set(), []))
        classes = {(d.packet_class, e.packet_class) for d in p.views for e in q.views}
        got.classes |= classes
        got.counted |= {c for c in classes if c[0] in p.counted and c[1] in q.counted}
        got.causes.append((x, y))

    def sorted(self) -> list[Conflict]:
        """All conflicts, in an order that depends on nothing but themselves."""
        return sorted(self.conflicts.values(), key=lambda c: (c.i, c.j, sorted(_term_key(q) for q in c.when)))

    def _agree(self, conditions: frozenset[Expr]) -> bool:
        """Whether one configuration lets two paths happen."""
        got = self._agreeing.get(conditions)
        if got is None:
            ordered = sorted(conditions, key=lambda e: e.serial)
            got = not ordered or self.solver.find(ordered[:-1], {}, ordered[-1]) is not None
            self._agreeing[conditions] = got
        return got


def _matches(x: Effective, y: Effective, algebra: Algebra) -> list[Match] | None:
    """Bit equalities under which two accesses touch the same memory; None: never."""
    a, b = x.access, y.access
    if (
        a.plain is not None
        and b.plain is not None
        and isinstance(a.plain.offset, int)
        and isinstance(b.plain.offset, int)
    ):
        if a.plain.offset + a.plain.size <= b.plain.offset or b.plain.offset + b.plain.size <= a.plain.offset:
            return None
        return []
    if a.plain is not None and b.plain is not None and x.key is not None and y.key is not None:
        common = overlap(a.plain, b.plain)
        if common is None:
            return []
        found = algebra.match(*common, 64)
        return None if found is None else [found]
    if x.own_index or y.own_index:
        return [] if x.obstacles or y.obstacles else None
    if x.key is None or y.key is None:
        return []
    if [p.width for p in x.key] != [p.width for p in y.key]:
        return []
    return _all(algebra.match(p.value, q.value, p.width) for p, q in zip(x.key, y.key, strict=True))


def _all(matches: Iterable[Match | None]) -> list[Match] | None:
    """The matches, unless one of them never holds."""
    out = []
    for m in matches:
        if m is None:
            return None
        out.append(m)
    return out


# ----------------------------------------------------------------------------------------------------- the dchain rule


def _add_guard(found: _Found, table: Table, guard: Guard, accesses: Sequence[Access]) -> None:
    """Packets that pass B meet those that stored what B compares with."""
    algebra = found.algebra
    writers = [
        a
        for a in accesses
        if a.object.id in table.vectors and a.role == "return" and a.touch is not None and a.touch.stored
    ]
    users: dict[tuple[object, ...], Access] = {}
    for a in table.packet_indices:
        if a.role == "check" and a.path.number in guard.paths:
            users.setdefault((algebra.kind(a.path), guard.paths[a.path.number], a.key), a)
    _add_users(found, list(users.values()), guard)
    done: set[tuple[object, ...]] = set()
    for user in users.values():
        b = guard.paths[user.path.number]
        for w in writers:
            comparisons = [c for c in b if c.vector == w.object.id]
            mark = (algebra.kind(w.path), w.touch.stored if w.touch else None, user)
            if not comparisons or mark in done:
                continue
            done.add(mark)
            stored = ((stored_in(w, c.cell), c) for c in comparisons)
            matches = _all(algebra.match(value, c.packet, c.width) for value, c in stored if value is not None)
            if matches is None:
                continue
            writer = Effective(w, tuple(Part(c.cell, c.width) for c in comparisons))
            reader = Effective(user, tuple(Part(c.packet, c.width) for c in comparisons))
            if w.path.device > user.path.device:
                found.add(reader, writer, [m.exchanged() for m in matches])
            else:
                found.add(writer, reader, matches)


def _add_users(found: _Found, users: Sequence[Access], guard: Guard) -> None:
    """Packets that pass B at the same index meet. That follows from their meeting the packet that stored the entry; it is
    stated so that the matrix shows it."""
    for at, first in enumerate(users):
        for second in users[at:]:
            x, y = (first, second) if first.path.device <= second.path.device else (second, first)
            b, c = guard.paths[x.path.number], guard.paths[y.path.number]
            if [(p.cell, p.width) for p in b] != [(p.cell, p.width) for p in c] or x.key is None or y.key is None:
                continue
            parts = [
                (x.key[0].value, y.key[0].value, x.key[0].width),
                *((p.packet, q.packet, p.width) for p, q in zip(b, c, strict=True)),
            ]
            matches = _all(found.algebra.match(p, q, w) for p, q, w in parts)
            if matches is not None:
                left = Effective(x, tuple(Part(p, w) for p, _, w in parts))
                right = Effective(y, tuple(Part(q, w) for _, q, w in parts))
                found.add(left, right, matches)


__all__ = ["Conflict", "Conflicts", "Effective", "find_conflicts"]
