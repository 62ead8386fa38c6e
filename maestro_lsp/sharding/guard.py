"""The dchain rule (thesis 3.3.2, docs/explanation/dchain-rule.md): an index that comes from a packet field.

A packet that carries an index may be looked up on another core than the one that allocated it. That is harmless if a condition B,
checked after the lookup, makes failing B and failing the lookup the same behaviour: then packets that pass B are required to reach
the core that stored what B compares with. This module searches for B on every path, and says what stands in its way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.path import CELL, CallPath
from .access import Access
from .linear import is_packet_bit
from .provenance import Provenance, same_index
from .tables import Table


@dataclass(frozen=True, slots=True)
class Comparison:
    """One conjunct of B: bytes of a table's cell equal an expression over the packet."""

    cell: int | Expr
    packet: int | Expr
    width: int
    vector: int  # object id


@dataclass(frozen=True, eq=False)
class Guard:
    """What makes a table's use by a packet's index harmless."""

    lookup: Access  # the check of the packet's index
    paths: dict[int, tuple[Comparison, ...]]  # path number -> its B
    rejuvenates_first: bool  # the entry is refreshed before B is checked: the stated deviation


@dataclass(frozen=True, slots=True)
class Unguarded:
    """Why there is no such condition."""

    access: Access
    why: str


def find_guard(table: Table, accesses: Sequence[Access], strict: bool, origin: Provenance) -> Guard | Unguarded:
    """The condition B of a table that packets index directly."""
    by_path: dict[int, list[Access]] = {}
    for a in table.packet_indices:
        by_path.setdefault(a.path.number, []).append(a)
    lookups = [a for a in table.packet_indices if a.role == "check"]
    if not lookups:
        return Unguarded(table.packet_indices[0], "no check that the index is allocated comes first")
    failed: dict[int, set[object]] = {}
    guarded: dict[int, tuple[Comparison, ...]] = {}
    passed: list[tuple[CallPath, Access]] = []
    for group in by_path.values():
        p = group[0].path
        checks = [a for a in group if a.role == "check"]
        if not checks:
            return Unguarded(group[0], "no check that the index is allocated comes first")
        check = checks[0]
        assert check.touch is not None
        if any(a.call is not None and check.call is not None and a.call.number < check.call.number for a in group):
            return Unguarded(group[0], "the index is used before it is checked to be allocated")
        looked_up = check.key[0].value if check.key else None
        if any(a.key is None or not same_index(p, a.key[0].value, looked_up) for a in group):
            return Unguarded(group[0], "the entry is used at another index than the one that was checked")
        if check.touch.found is False:
            failed.setdefault(p.device, set()).add(_behaviour(p, table, origin))
            continue
        passed.append((p, check))
    rejuvenates = False
    for p, check in passed:
        fails = failed.get(p.device, set())
        if len(fails) == 1 and _behaviour(p, table, origin) in fails:
            if _rejuvenates(p, table, origin):
                if not _looks_into_cell(p, table, origin):
                    return Unguarded(check, "packets refresh the entry without comparing it with the packet")
                rejuvenates = True
            continue  # failing B is failing the lookup
        b = _comparisons(p, table, origin)
        if not b:
            why = "packets that pass the lookup are handled without comparing the entry with the packet"
            if len(fails) > 1:
                why = "packets that fail the lookup are handled in several ways"
            return Unguarded(check, why)
        guarded[p.number] = b
    if not guarded:
        return Unguarded(lookups[0], "nothing compares the entry with the packet")
    if rejuvenates and strict:
        return Unguarded(lookups[0], "the entry is refreshed before it is compared with the packet (--strict)")
    stray = _stray(table, lookups, accesses, origin)
    return stray if stray is not None else Guard(lookups[0], guarded, rejuvenates)


def _stray(table: Table, lookups: Sequence[Access], accesses: Sequence[Access], origin: Provenance) -> Unguarded | None:
    """A lookup that does not find the very index that left in a packet: whose entry it finds depends on who got which number."""
    index = X.sym("index", 32)
    left: dict[_Run, None] = {}  # the bytes in which indices leave
    fresh: dict[tuple[_Run, ...], None] = {}  # those in which one does that was given out just now
    for a in accesses:
        number = a.touch.value if a.touch is not None and a.object.id in table.members else None
        if a.role not in ("allocate", "get") or not isinstance(number, Expr):
            continue
        dropped = a.path.outcome == "drop"
        runs = () if dropped else _runs(a, number, index)
        left.update(dict.fromkeys(runs))
        if a.role == "allocate" and not _is_hidden(a.path, number, dropped):
            fresh.setdefault(runs)
    asked = {a.key[0].value: a for a in lookups if a.key}
    if not left:
        why = "no index leaves in a packet, so packets name indices that each core has chosen for itself"
        return Unguarded(next(iter(asked.values()), lookups[0]), why)
    found = {
        (e, run): _comes_back(run, a, e) and _undoes(e, run.values, index, table.capacity, origin)
        for e, a in asked.items()
        for run in left
    }
    for e, a in asked.items():
        if not any(found[e, run] for run in left):
            return Unguarded(a, "the index that is looked up is not always the one that left in a packet")
    for runs in fresh:
        if not any(found[e, run] for e in asked for run in runs):
            why = "not every index leaves where it is looked up, and who names another names what each core has chosen"
            return Unguarded(lookups[0], why)
    return None


class _Run(NamedTuple):
    """Neighbouring packet bytes in which an index leaves."""

    fields: frozenset[str]  # where they begin, by the classes of packets
    values: tuple[int | Expr, ...]  # as functions of the index


def _runs(a: Access, number: Expr, index: Expr) -> tuple[_Run, ...]:
    """Where an index leaves on an access's path."""
    written = ((w.array, w.offset, w.value) for w in a.path.writes)
    shown = {(array, at): v for array, at, v in written if isinstance(v, Expr) and number in X.leaves(v)}
    runs = []
    for array, offset in shown:
        if (array, offset - 1) not in shown:
            end = offset
            while (array, end) in shown:
                end += 1
            values = tuple(X.substitute(shown[array, at], {number: index}) for at in range(offset, end))
            runs.append(_Run(_places(a, X.byte(array, offset)), values))
    return tuple(runs)


def _places(a: Access, byte: int | Expr) -> frozenset[str]:
    """What a packet byte is, for each class of packets on an access's path."""
    if not isinstance(byte, Expr):
        return frozenset()
    return frozenset("{} {}".format(*v.bit(byte, 7)) for v in a.views)


def _comes_back(run: _Run, lookup: Access, e: int | Expr) -> bool:
    """Whether a packet that answers one in which an index has left carries it where it is looked up: in the field for the other end,
    or in the same place."""
    first = min(
        (leaf for leaf in X.leaves(e) if is_packet_bit(leaf)),
        key=lambda leaf: (str(leaf.args[0]), leaf.args[1]),
        default=None,
    )
    if first is None:
        return False
    places = _places(lookup, first)
    other = {f.replace(".src", ".dst") if ".src" in f else f.replace(".dst", ".src") for f in run.fields}
    return not places.isdisjoint(run.fields | other)


def _is_hidden(p: CallPath, number: Expr, dropped: bool) -> bool:
    """Whether a path gives a fresh index back, or keeps it in a map until a later packet leaves with it."""
    touches = [t for c in p.calls for t in c.touches]
    freed = any(t.role == "free" and t.key and same_index(p, t.key[0].value, number) for t in touches)
    return freed or (dropped and any(t.role == "put" and t.value is number for t in touches))


def _undoes(e: int | Expr, left: Sequence[int | Expr], index: Expr, capacity: int, origin: Provenance) -> bool:
    """Whether a lookup at e finds an index exactly where the packet has the bytes in which it left."""
    if not isinstance(e, Expr) or not any(map(is_packet_bit, X.leaves(e))):
        return False
    fields = sorted(
        (leaf for leaf in X.leaves(e) if is_packet_bit(leaf)), key=lambda leaf: (str(leaf.args[0]), leaf.args[1])
    )
    first = fields[0].args[1]
    if [(f.args[0], f.args[1]) for f in fields] != [(fields[0].args[0], first + i) for i in range(len(left))]:
        return False
    width = 8 * len(left)
    again = X.from_bytes(
        tuple(X.substitute(v, {index: e}) for v in left)
    )  # what would leave for the index that is looked up
    if again is not X.from_bytes(tuple(fields)):
        differs = X.not_(X.eq(again, X.from_bytes(tuple(fields)), width), 1)
        if not origin.impossible([X.ult(e, capacity, 32), differs]):
            return False
    back = X.substitute(e, dict(zip(fields, left, strict=True)))
    if back is index or any(not is_packet_bit(leaf) for leaf in X.leaves(e)):
        return True  # whether numbers wrap around depends on the configuration
    if isinstance(back, Expr) and _moved(back, index, width):  # ascends up to where it wraps around
        return X.evaluate(back, {index: capacity - 1}) == capacity - 1
    return origin.impossible([X.ult(index, capacity, 32), X.not_(X.eq(back, index, 32), 1)])


def _moved(e: Expr, index: Expr, width: int) -> bool:
    """Whether an expression is the low bits of the index plus a constant, less the constant: the index, until that wraps around."""
    k = e.args[1] if e.op == "add" and isinstance(e.args[1], int) else 0
    low = X.extract(X.add(index, -k & ((1 << 32) - 1), 32), 0, width)
    by_bytes = X.from_bytes(tuple(X.extract(low, at, 8) for at in range(0, width, 8)))  # as swapped bytes come out
    return any(e is X.add(X.zext(x, width, 32), k, 32) for x in (low, by_bytes))


def _behaviour(p: CallPath, table: Table, origin: Provenance) -> object:
    """What a path does to the world, apart from reading the table and refreshing the index just looked up."""
    effects = []
    used: list[int | Expr | None] = [p.output]
    for c in p.calls:
        for t in c.touches:
            if (
                not t.write
                or t.role == "expire"
                or (
                    t.object == table.chain
                    and t.role == "rejuvenate"
                    and t.key
                    and _is_packet_index(p, t.key[0].value, origin)
                )
            ):
                continue
            value = t.value if isinstance(t.value, (int, Expr)) else None
            effects.append((t.object, t.role, t.key, value, t.stored, t.arguments, t.time))
            used += [*(part.value for part in t.key or ()), value, *(v for _, v in t.stored), *t.arguments, t.time]
    writes = tuple((w.array, w.offset, w.value) for w in p.leaving)
    plain = tuple(dict.fromkeys((q.object, q.offset, q.size, q.value) for q in p.plain if q.write))
    used += [
        *(w.value for w in p.leaving),
        *(q.offset for q in p.plain if q.write),
        *(q.value for q in p.plain if q.write),
    ]
    return (p.outcome, p.output, tuple(effects), writes, plain, _answers(p, used))


def _answers(p: CallPath, used: Sequence[int | Expr | None]) -> object:
    """The calls whose answers some values are made of: what an answer is called says only how many calls came before."""
    numbers = {
        str(leaf.args[0]).partition("#")[2]
        for v in used
        if v is not None
        for leaf in X.leaves(v)
        if leaf.op in ("sym", "byte")
    }
    calls = sorted(int(digits) for n in numbers if (digits := n.partition(".")[0]).isdigit())
    return tuple(
        (n, p.calls[n].function, tuple((t.object, t.key) for t in p.calls[n].touches))
        for n in calls
        if n < len(p.calls)
    )


def _is_packet_index(p: CallPath, index: int | Expr, origin: Provenance) -> bool:
    return origin.source(p, index).kind == "packet"


def _rejuvenates(p: CallPath, table: Table, origin: Provenance) -> bool:
    return any(
        t.object == table.chain
        and t.role == "rejuvenate"
        and t.key is not None
        and _is_packet_index(p, t.key[0].value, origin)
        for c in p.calls
        for t in c.touches
    )


def _looks_into_cell(p: CallPath, table: Table, origin: Provenance) -> bool:
    """Whether a path's conditions depend on the entry at the packet's index."""
    cells = {f"{CELL}#{c.number}" for c in p.calls for t in c.touches
             if t.role == "borrow" and t.object in table.vectors and t.key and _is_packet_index(p, t.key[0].value, origin)}  # fmt: skip
    return any(
        leaf.args[0] in cells for c in p.conditions if not c.assumed for leaf in X.leaves(c.expr) if leaf.op == "byte"
    )


def _comparisons(p: CallPath, table: Table, origin: Provenance) -> tuple[Comparison, ...]:
    """Equalities between a cell at the packet's index and the packet that hold on a path."""
    cells: dict[str, int] = {}
    for c in p.calls:
        for t in c.touches:
            if (
                t.role == "borrow"
                and t.object in table.vectors
                and t.key
                and _is_packet_index(p, t.key[0].value, origin)
            ):
                cells[f"{CELL}#{c.number}"] = t.object
    out: list[Comparison] = []
    for e in p.conjuncts:
        if e.op == "eq":
            x, y = e.args
            for a, b in ((x, y), (y, x)):
                vector = _only_cells(a, cells)
                if vector is not None and _only_packet(b):
                    w = a.width if isinstance(a, Expr) else b.width
                    out.append(Comparison(a, b, w, vector))
                    break
    return tuple(out)


def _only_cells(e: int | Expr, cells: Mapping[str, int]) -> int | None:
    leaves = X.leaves(e)
    vectors = {cells.get(str(leaf.args[0])) if leaf.op == "byte" else None for leaf in leaves}
    return vectors.pop() if len(vectors) == 1 else None


def _only_packet(e: int | Expr) -> bool:
    leaves = X.leaves(e)
    return bool(leaves) and all(is_packet_bit(leaf) for leaf in leaves)


def stored_in(access: Access, cell: int | Expr) -> int | Expr | None:
    """An expression over a cell's bytes with the bytes that a write of that cell stores; None if it stores only some of them."""
    if isinstance(cell, int):
        return cell
    assert access.touch is not None
    stored = dict(access.touch.stored)
    mapping: dict[Expr, int | Expr] = {}
    for leaf in X.leaves(cell):
        v = stored.get(leaf.args[1])
        if v is None:
            return None
        mapping[leaf] = v
    return X.substitute(cell, mapping)
