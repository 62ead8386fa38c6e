"""From accesses to conflicts: which pairs of packets must meet, and why.

For every two accesses to one object, at least one a write, packets d and e must meet if the keys can be equal. Table indices,
expiry, dchain indices from packets and scans are treated as design section 5 says; whatever is not understood makes everything
that reaches the object meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.path import CallPath, Object, Part
from ..symbex.solver import Solver
from .access import Access
from .guard import Guard, Unguarded, find_guard, stored_in
from .headers import FieldBit, PacketView
from .linear import Affine, Pair, bits, equate, is_packet_bit
from .provenance import Provenance
from .tables import Breach, Table, expiry_problem, find_tables


@dataclass(frozen=True)
class AdmittedViews:
    """The packet views of each path by its number.

    `named` are the classes for which the matrix holds; `counted` those of them that the verdict counts for a NIC.
    """

    named: dict[int, tuple[PacketView, ...]]
    counted: dict[int, frozenset[str]]


Term = tuple[int, str, int]  # side (0: packet d, 1: packet e), field, bit


@dataclass(frozen=True, slots=True)
class BitEquation:
    """The exclusive or of `terms` is `constant`."""

    terms: frozenset[Term]
    constant: int = 0


Conjunction = frozenset[BitEquation]
TRUE: Conjunction = frozenset()


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why all of an object counts as touched: the finding's code, the reason, and where it shows (default: the access itself)."""

    code: str
    why: str
    at: Access | None = None
    other: Access | None = None  # another place that the reason is about


@dataclass(frozen=True, eq=False)
class Effective:
    """An access with the key that counts: its own, the one that led to its index, or all of the object."""

    access: Access
    key: tuple[Part, ...] | None
    obstacles: tuple[Obstacle, ...] = ()
    through: int | None = None  # the map (or vector) whose key stands for this access's index
    own_index: bool = False  # an allocation, release or expiry of the packet's own indices: only obstacles meet it
    everywhere: frozenset[int] = frozenset()  # all objects of the table, where an obstacle meets every access to it

    @property
    def groups(self) -> frozenset[int]:
        """The objects within which keys are compared."""
        return self.everywhere or frozenset((self.access.object.id if self.through is None else self.through,))


@dataclass(eq=False)
class Conflict:
    """Packets d on device i and e on device j must meet if `when` holds (for the classes of packets listed)."""

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
    effective: list[Effective] = field(default_factory=list)


def find_conflicts(
    paths: Sequence[CallPath],
    objects: Mapping[int, Object],
    accesses: Sequence[Access],
    views: AdmittedViews,
    strict: bool,
    solver: Solver,
) -> Conflicts:
    """All conflicts between the accesses of an NF's paths."""
    out = Conflicts()
    ranges = [o.capacity for o in objects.values() if o.kind == "dchain"]
    origin = Provenance(solver, max((r or 1 << 31 for r in ranges), default=1 << 31))
    out.tables = find_tables(paths, objects, accesses, origin)
    out.effective = _effective(out, paths, accesses, strict, origin)
    fixed = {p.number: _fixed_bits(p) for p in paths}
    config = {p.number: _config_conditions(p) for p in paths}
    index: dict[tuple[object, ...], Conflict] = {}
    # accesses that ask for exactly the same are compared once
    alike: dict[tuple[object, ...], Effective] = {}
    for e in out.effective:
        p = e.access.path
        plain = e.access.plain
        mark = (
            e.groups, e.access.write, p.device, e.key, e.obstacles, e.own_index, fixed[p.number], config[p.number],
            tuple(id(v) for v in views.named[p.number]), (plain.offset, plain.size) if plain is not None else None,
            e.access.span,
        )  # fmt: skip
        alike.setdefault(mark, e)
    by_object: dict[int, list[Effective]] = {}
    for e in alike.values():
        for group in e.groups:
            by_object.setdefault(group, []).append(e)
    compared: set[tuple[int, int]] = set()
    for _, members in sorted(by_object.items()):
        for at, first in enumerate(members):
            for second in members[at:]:
                x, y = first, second
                if (id(x), id(y)) in compared:
                    continue
                compared.add((id(x), id(y)))
                if not (x.access.write or y.access.write):
                    continue
                if x.access.path.device > y.access.path.device:
                    x, y = y, x
                pairs = _key_pairs(x, y)
                together = config[x.access.path.number] | config[y.access.path.number]
                if pairs is not None and _agree(together, solver):
                    _add(index, x, y, pairs, views, fixed)
    for chain, guard in out.guards.items():
        _add_guard(index, out.tables[chain], guard, accesses, views, fixed)
    out.conflicts = sorted(index.values(), key=lambda c: (c.i, c.j, sorted(_term_key(q) for q in c.when)))
    return out


def _term_key(q: BitEquation) -> tuple[object, ...]:
    return tuple(sorted(q.terms)), q.constant


# ------------------------------------------------------------------------------------------------------- effective keys


def _effective(
    out: Conflicts, paths: Sequence[CallPath], accesses: Sequence[Access], strict: bool, origin: Provenance
) -> list[Effective]:
    owner: dict[int, Table] = {}
    for t in out.tables.values():
        for m in t.members:
            owner.setdefault(m, t)
    broken: dict[int, list[Obstacle]] = {}
    for chain, t in out.tables.items():
        broken[chain] = [Obstacle("global-state", b.why, b.access) for b in _distinct(t.breaches)]
        problem = expiry_problem(t.members, accesses)
        if problem is not None:
            broken[chain].append(Obstacle("global-state", problem[1], problem[0], problem[2]))
        if t.packet_indices:
            whole = broken[chain] or t.foreign or t.numbers
            found = (
                find_guard(t, strict, origin)
                if not whole
                else Unguarded(t.packet_indices[0], _first_reason(t, broken[chain]))
            )
            if isinstance(found, Guard):
                out.guards[chain] = found
            else:
                out.unguarded[chain] = found
    loose: dict[int, Obstacle] = {}
    for o in sorted({a.object.id for a in accesses if a.object.id not in owner and a.role == "expire"}):
        problem = expiry_problem({o}, accesses)
        if problem is not None:
            loose[o] = Obstacle("global-state", problem[1], problem[0], problem[2])
    table_uses = {
        t.chain: _TableUse(t, broken[t.chain], out.unguarded.get(t.chain), origin) for t in out.tables.values()
    }
    result: list[Effective] = []
    for a in accesses:
        table = owner.get(a.object.id)
        if table is not None:
            result += table_uses[table.chain].effective(a)
        else:
            result += _loose_access(a, loose.get(a.object.id), origin)
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
        self, table: Table, broken: Sequence[Obstacle], unguarded: Unguarded | None, origin: Provenance
    ) -> None:
        self.table = table
        self.broken = broken
        self.origin = origin
        self.members = frozenset(table.members)
        self.foreign = {id(b.access): Obstacle("global-state", b.why) for b in table.foreign}
        self.numbers = [Obstacle("global-state", b.why, b.access) for b in _distinct(table.numbers)]
        self.packet = {id(a): Obstacle("dchain-index-from-packet", unguarded.why, unguarded.access)
                       for a in table.packet_indices} if unguarded is not None else {}  # fmt: skip

    def effective(self, a: Access) -> list[Effective]:
        if a.role == "scan":
            return [Effective(a, None, (SCAN,), everywhere=self.members)]
        obstacles = list(self.broken)
        if a.role != "expire":  # every core expires the same way, whichever numbers it gave
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
        if a.object.id == self.table.chain or a.object.id in self.table.vectors:
            # at an index: counts as an access by the key that led to the index; at a fresh one it meets nothing
            held = self.origin.holder(a.path, a.key[0].value) if a.key else None
            return [Effective(a, held[1], through=held[0])] if held is not None else []
        return [] if a.role == "expire" else [_keyed(a, self.origin)]


RANGE = Obstacle("global-state", "it erases the entries of a range of cells, whoever's they are")


def _loose_access(a: Access, broken: Obstacle | None, origin: Provenance) -> list[Effective]:
    """An access to an object that belongs to no table."""
    if broken is not None:
        return [Effective(a, None, (broken,))]
    if a.role == "expire":
        return []  # every shard expires its own, at the same times
    return [_keyed(a, origin)]


def _keyed(a: Access, origin: Provenance) -> Effective:
    """An access by its own key, unless the key says nothing about the packet."""
    if a.role == "scan":
        return Effective(a, None, (SCAN,))
    if a.key is None:
        why = "it touches all of the object" if a.plain is None else "it is one variable for all packets"
        return Effective(a, None, (Obstacle("global-state", why),))
    if all(isinstance(p.value, int) for p in a.key):
        return Effective(a, a.key, (Obstacle("global-state", "its key is a constant"),))
    if (a.index or a.plain is not None) and origin.source(a.path, a.key[0].value).kind not in ("packet", "other"):
        return Effective(a, None, (Obstacle("global-state", "its index is a number that other packets stored"),))
    if not any(equate(p.value, p.value, p.width) for p in a.key):
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


def _key_pairs(x: Effective, y: Effective) -> list[Pair] | None:
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
    if x.own_index or y.own_index:
        return [] if x.obstacles or y.obstacles else None
    if x.key is None or y.key is None:
        return []
    if len(x.key) != len(y.key) or [p.width for p in x.key] != [p.width for p in y.key]:
        return []
    out: list[Pair] = []
    for p, q in zip(x.key, y.key, strict=True):
        pairs = equate(p.value, q.value, p.width)
        if pairs is None:
            return None
        out += pairs
    return out


def _config_conditions(p: CallPath) -> frozenset[Expr]:
    return frozenset(
        c.expr for c in p.conditions
        if X.leaves(c.expr) and all(leaf.op == "byte" and str(leaf.args[0]).startswith("config.") for leaf in X.leaves(c.expr))
    )  # fmt: skip


def _agree(conditions: frozenset[Expr], solver: Solver) -> bool:
    """Whether one configuration lets two paths happen."""
    ordered = sorted(conditions, key=lambda e: e.serial)
    return not ordered or solver.find(ordered[:-1], {}, ordered[-1]) is not None


# -------------------------------------------------------------------------------------------------------- field algebra


def _fixed_bits(p: CallPath) -> tuple[tuple[Affine, int], ...]:
    """Packet bits that a path's conditions fix: (affine form, value), addresses and ports only (what a NIC can hash)."""
    out: list[tuple[Affine, int]] = []
    for e in (e for c in p.conditions for e in X.conjuncts(c.expr)):
        if e.op == "eq":
            x, y = e.args
            if not all(is_packet_bit(leaf) for leaf in X.leaves(x) | X.leaves(y)):
                continue
            w = x.width
            for p_, q_ in zip(bits(x, w), bits(y, w), strict=True):
                if p_ is not None and q_ is not None and (p_[0] or q_[0]):
                    out.append(((p_[0] ^ q_[0], 0), p_[1] ^ q_[1]))
    return tuple(out)


HASHABLE = ("ipv4.src", "ipv4.dst", "ipv6.src", "ipv6.dst", "l4.src", "l4.dst")


def _terms(side: int, form: Affine, view: PacketView) -> frozenset[Term]:
    out: set[Term] = set()
    for leaf, bit in form[0]:
        name, at = view.bit(leaf, bit)
        out ^= {(side, name, at)}
    return frozenset(out)


def _conjunction(
    pairs: Iterable[Pair], fixed: tuple[tuple[tuple[Affine, int], ...], tuple[tuple[Affine, int], ...]],
    d: PacketView, e: PacketView,
) -> Conjunction | None:  # fmt: skip
    """The pairs as equations between field bits; None if they contradict what the two paths demand."""
    out: set[BitEquation] = set()
    for p in pairs:
        terms = _terms(0, p.left, d) ^ _terms(1, p.right, e)
        constant = p.left[1] ^ p.right[1]
        if not terms:
            if constant:
                return None
            continue
        out.add(BitEquation(terms, constant))
    for side, view in ((0, d), (1, e)):
        for form, value in fixed[side]:
            terms = _terms(side, form, view)
            if terms and all(name in HASHABLE for _, name, _ in terms):
                out.add(BitEquation(terms, value))
    return frozenset(out)


def _add(
    index: dict[tuple[object, ...], Conflict], x: Effective, y: Effective, pairs: Sequence[Pair],
    views: AdmittedViews, fixed: Mapping[int, tuple[tuple[Affine, int], ...]],
) -> None:  # fmt: skip
    p, q = x.access.path, y.access.path
    width = sum(part.width for part in x.key) if x.key and y.key else 0
    left = {leaf for pair in pairs for leaf, _ in pair.left[0]} | {leaf for f, _ in fixed[p.number] for leaf, _ in f[0]}
    right = {leaf for pair in pairs for leaf, _ in pair.right[0]} | {
        leaf for f, _ in fixed[q.number] for leaf, _ in f[0]
    }
    for ds in _named_alike(views.named[p.number], left):
        for es in _named_alike(views.named[q.number], right):
            c = _conjunction(pairs, (fixed[p.number], fixed[q.number]), ds[0], es[0])
            if c is None:
                continue
            key = (p.device, q.device, c)
            got = index.get(key)
            if got is None:
                got = index[key] = Conflict(p.device, q.device, c, set(), set(), [], exact=len(pairs) == width)
            got.classes |= {(d.packet_class, e.packet_class) for d in ds for e in es}
            counted = views.counted[p.number], views.counted[q.number]
            got.counted |= {
                (d.packet_class, e.packet_class) for d in ds for e in es
                if d.packet_class in counted[0] and e.packet_class in counted[1]
            }  # fmt: skip
            if not got.causes or got.causes[-1][0] is not x or got.causes[-1][1] is not y:
                got.causes.append((x, y))


def _named_alike(views: Sequence[PacketView], leaves: Iterable[Expr]) -> list[list[PacketView]]:
    """Views grouped by the names that they give to some bytes."""
    ordered = sorted(leaves, key=lambda e: e.serial)
    groups: dict[tuple[object, ...], list[PacketView]] = {}
    for v in views:
        groups.setdefault(tuple(v.names.get(leaf) for leaf in ordered), []).append(v)
    return list(groups.values())


def _add_guard(
    index: dict[tuple[object, ...], Conflict], table: Table, guard: Guard, accesses: Sequence[Access],
    views: AdmittedViews, fixed: Mapping[int, tuple[tuple[Affine, int], ...]],
) -> None:  # fmt: skip
    """Packets that pass B meet those that stored what B compares with."""
    writers = [
        a
        for a in accesses
        if a.object.id in table.vectors and a.role == "return" and a.touch is not None and a.touch.stored
    ]
    users: dict[tuple[object, ...], Access] = {}
    for a in table.packet_indices:
        if a.role == "check" and a.path.number in guard.paths:
            seen = tuple(id(v) for v in views.named[a.path.number])
            users.setdefault((a.path.device, guard.paths[a.path.number], a.key, seen), a)
    _add_users(index, list(users.values()), guard, views, fixed)
    done: set[tuple[object, ...]] = set()
    for user in users.values():
        b = guard.paths[user.path.number]
        for w in writers:
            comparisons = [c for c in b if c.vector == w.object.id]
            if not comparisons:
                continue
            stored_bytes = w.touch.stored if w.touch else None
            mark = (w.path.device, stored_bytes, tuple(id(v) for v in views.named[w.path.number]), id(user))
            if mark in done:
                continue
            done.add(mark)
            pairs: list[Pair] = []
            possible = True
            for c in comparisons:
                stored = stored_in(w, c.cell)
                if stored is None:
                    continue
                more = equate(stored, c.packet, c.width)
                if more is None:
                    possible = False
                    break
                pairs += more
            if not possible:
                continue
            writer = Effective(w, tuple(Part(c.cell, c.width) for c in comparisons))
            reader = Effective(user, tuple(Part(c.packet, c.width) for c in comparisons))
            if w.path.device > user.path.device:
                pairs = [Pair(p.right, p.left) for p in pairs]
                writer, reader = reader, writer
            _add(index, writer, reader, pairs, views, fixed)


def _add_users(
    index: dict[tuple[object, ...], Conflict], users: Sequence[Access], guard: Guard,
    views: AdmittedViews, fixed: Mapping[int, tuple[tuple[Affine, int], ...]],
) -> None:  # fmt: skip
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
            found = [equate(p, q, w) for p, q, w in parts]
            if all(pairs is not None for pairs in found):
                pairs = [pair for some in found for pair in some or ()]
                ends = [Effective(a, tuple(Part(v, w) for v, w in side)) for a, side in (
                    (x, [(p, w) for p, _, w in parts]), (y, [(q, w) for _, q, w in parts]))]  # fmt: skip
                _add(index, ends[0], ends[1], pairs, views, fixed)


__all__ = ["BitEquation", "Conflict", "Conflicts", "Conjunction", "Effective", "FieldBit", "find_conflicts"]
