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
from .tables import Table, expiry_problem, find_tables

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


@dataclass(frozen=True, eq=False)
class Effective:
    """An access with the key that counts: its own, the one that led to its index, or all of the object."""

    access: Access
    key: tuple[Part, ...] | None
    obstacle: Obstacle | None = None
    through: int | None = None  # the map (or vector) whose key stands for this access's index
    own_index: bool = False  # an allocation, release or expiry of the packet's own indices: it meets scans only

    @property
    def group(self) -> int:
        """The object within which keys are compared."""
        return self.access.object.id if self.through is None else self.through


@dataclass(eq=False)
class Conflict:
    """Packets d on device i and e on device j must meet if `when` holds (for the classes of packets listed)."""

    i: int
    j: int
    when: Conjunction
    classes: set[tuple[str, str]]
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
    views: Mapping[int, Sequence[PacketView]],
    strict: bool,
    solver: Solver,
) -> Conflicts:
    """All conflicts. `views` gives the packet views (classes that count) of each path by number."""
    out = Conflicts()
    origin = Provenance(solver)
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
            e.group, e.access.write, p.device, e.key, e.obstacle, e.own_index, fixed[p.number], config[p.number],
            tuple(id(v) for v in views[p.number]), (plain.offset, plain.size) if plain is not None else None,
            e.access.span,
        )  # fmt: skip
        alike.setdefault(mark, e)
    by_object: dict[int, list[Effective]] = {}
    for e in alike.values():
        by_object.setdefault(e.group, []).append(e)
    for members in by_object.values():
        for at, first in enumerate(members):
            for second in members[at:]:
                x, y = first, second
                if not (x.access.write or y.access.write):
                    continue
                if x.access.path.device > y.access.path.device:
                    x, y = y, x
                pairs = _key_pairs(x, y)
                if pairs is not None and _agree(config[x.access.path.number] | config[y.access.path.number]):
                    _add(index, x, y, pairs, views, fixed)
    for chain, guard in out.guards.items():
        _add_guard(index, out.tables[chain], guard, accesses, views, fixed)
    out.conflicts = sorted(index.values(), key=lambda c: (c.i, c.j, sorted(_term_key(q) for q in c.when)))
    return out


def _term_key(q: BitEquation) -> tuple[object, ...]:
    return (*sorted(q.terms), q.constant)


# ------------------------------------------------------------------------------------------------------- effective keys


def _effective(
    out: Conflicts, paths: Sequence[CallPath], accesses: Sequence[Access], strict: bool, origin: Provenance
) -> list[Effective]:
    owner: dict[int, Table] = {}
    for t in out.tables.values():
        for m in t.members:
            owner.setdefault(m, t)
    broken: dict[int, Obstacle] = {}
    for chain, t in out.tables.items():
        problem = expiry_problem(t.members, accesses)
        if t.breaches:
            broken[chain] = Obstacle("global-state", t.breaches[0].why, t.breaches[0].access)
        elif problem is not None:
            broken[chain] = Obstacle("global-state", problem[1], problem[0])
        if t.packet_indices:
            found = find_guard(t, strict, origin) if chain not in broken else Unguarded(t.packet_indices[0], broken[chain].why)
            if isinstance(found, Guard):
                out.guards[chain] = found
            else:
                out.unguarded[chain] = found
                broken[chain] = Obstacle("dchain-index-from-packet", found.why, found.access)
    loose: dict[int, Obstacle] = {}
    for o in sorted({a.object.id for a in accesses if a.object.id not in owner and a.role == "expire"}):
        problem = expiry_problem({o}, accesses)
        if problem is not None:
            loose[o] = Obstacle("global-state", problem[1], problem[0])
    result: list[Effective] = []
    for a in accesses:
        table = owner.get(a.object.id)
        e = _table_access(a, table, broken.get(table.chain), origin) if table else _loose_access(a, loose.get(a.object.id), origin)
        if e is not None:
            result.append(e)
    return result


SCAN = Obstacle("dchain-scan", "it reads which indices are taken, all of them")
BY_SCAN = Obstacle("dchain-scan", "its index was found by a scan over all indices")


def _table_access(a: Access, table: Table, broken: Obstacle | None, origin: Provenance) -> Effective | None:
    if a.role == "scan":
        return Effective(a, None, SCAN)
    if broken is not None:
        return Effective(a, None, broken)
    if a.index and a.key and origin.source(a.path, a.key[0].value).kind == "scan":
        return Effective(a, None, BY_SCAN)
    if a.object.id == table.chain and a.role in ("allocate", "free", "expire"):
        return Effective(a, (), own_index=True)
    if a.object.id == table.chain or a.object.id in table.vectors:
        # at an index: counts as an access by the key that led to the index; at a fresh one it meets nothing
        found = origin.holder(a.path, a.key[0].value) if a.key else None
        return Effective(a, found[1], through=found[0]) if found is not None else None
    return None if a.role == "expire" else _keyed(a, origin)


def _loose_access(a: Access, broken: Obstacle | None, origin: Provenance) -> Effective | None:
    """An access to an object that belongs to no table."""
    if broken is not None:
        return Effective(a, None, broken)
    if a.role == "expire":
        return None  # every shard expires its own, at the same times
    return _keyed(a, origin)


def _keyed(a: Access, origin: Provenance) -> Effective:
    """An access by its own key, unless the key says nothing about the packet."""
    if a.role == "scan":
        return Effective(a, None, SCAN)
    if a.key is None:
        why = "it touches all of the object" if a.plain is None else "it is one variable for all packets"
        return Effective(a, None, Obstacle("global-state", why))
    if all(type(p.value) is int for p in a.key):
        return Effective(a, a.key, Obstacle("global-state", "its key is a constant"))
    if (a.index or a.plain is not None) and origin.source(a.path, a.key[0].value).kind not in ("packet", "other"):
        return Effective(a, None, Obstacle("global-state", "its index is a number that other packets stored"))
    if not any(equate(p.value, p.value, p.width) for p in a.key):
        leaves = a.leaves()
        if any(leaf.op == "uf" for leaf in leaves):
            why = "its key is a hash, and equal hashes do not imply equal packets"
        elif any(is_packet_bit(leaf) for leaf in leaves):
            why = "its key is a function of the packet that equal packets do not follow from"
        else:
            why = "its key is not made from the packet"
        return Effective(a, None, Obstacle("global-state", why))
    return Effective(a, a.key)


# ------------------------------------------------------------------------------------------------------------ key pairs


def _key_pairs(x: Effective, y: Effective) -> list[Pair] | None:
    """Bit equalities under which two accesses touch the same memory; None: never."""
    a, b = x.access, y.access
    if a.plain is not None and b.plain is not None and type(a.plain.offset) is int and type(b.plain.offset) is int:
        if a.plain.offset + a.plain.size <= b.plain.offset or b.plain.offset + b.plain.size <= a.plain.offset:
            return None
        return []
    if x.own_index or y.own_index:
        return [] if SCAN in (x.obstacle, y.obstacle) else None
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


def _agree(conditions: frozenset[Expr]) -> bool:
    """Whether one configuration lets two paths happen, as far as their conditions contradict each other outright."""
    return not any(X.not_(c, 1) in conditions for c in conditions)


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
    views: Mapping[int, Sequence[PacketView]], fixed: Mapping[int, tuple[tuple[Affine, int], ...]],
) -> None:  # fmt: skip
    p, q = x.access.path, y.access.path
    width = sum(part.width for part in x.key) if x.key and y.key else 0
    left = {leaf for pair in pairs for leaf, _ in pair.left[0]} | {leaf for f, _ in fixed[p.number] for leaf, _ in f[0]}
    right = {leaf for pair in pairs for leaf, _ in pair.right[0]} | {leaf for f, _ in fixed[q.number] for leaf, _ in f[0]}
    for ds in _named_alike(views[p.number], left):
        for es in _named_alike(views[q.number], right):
            c = _conjunction(pairs, (fixed[p.number], fixed[q.number]), ds[0], es[0])
            if c is None:
                continue
            key = (p.device, q.device, c)
            got = index.get(key)
            if got is None:
                got = index[key] = Conflict(p.device, q.device, c, set(), [], exact=len(pairs) == width)
            got.classes |= {(d.packet_class, e.packet_class) for d in ds for e in es}
            if not any(a is x and b is y for a, b in got.causes):
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
    views: Mapping[int, Sequence[PacketView]], fixed: Mapping[int, tuple[tuple[Affine, int], ...]],
) -> None:  # fmt: skip
    """Packets that pass B meet those that stored what B compares with."""
    writers = [a for a in accesses if a.object.id in table.vectors and a.role == "return" and a.touch is not None and a.touch.stored]
    users: dict[tuple[object, ...], Access] = {}
    for a in table.packet_indices:
        if a.role == "check" and a.path.number in guard.paths:
            users.setdefault((a.path.device, guard.paths[a.path.number]), a)
    done: set[tuple[object, ...]] = set()
    for user in users.values():
        b = guard.paths[user.path.number]
        for w in writers:
            comparisons = [c for c in b if c.vector == w.object.id]
            if not comparisons:
                continue
            mark = (w.path.device, w.touch.stored if w.touch else None, user.path.device, b)
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


__all__ = ["BitEquation", "Conflict", "Conflicts", "Conjunction", "Effective", "FieldBit", "find_conflicts"]
