"""Tables: a dchain with the maps and vectors that its indices address (docs/explanation/meeting.md).

Inside a table an index stands for the key of its map, so an access at such an index asks for nothing that the map's own accesses
do not. That is true only under four conditions, which are checked on every path, never assumed; a table that fails one is broken,
and everything that touches it meets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.path import CELL, Call, CallPath, Object, StartTouch, Touch
from .access import Access
from .expiry import Puts, erases_expired, expired_used
from .keys import key_problems
from .linear import is_packet_bit
from .numbers import by_path, frees_old, number_problems
from .provenance import DEFAULT_CAPACITY, Origin, Provenance, same_index


@dataclass(frozen=True, slots=True)
class Breach:
    """Why an object does not behave as part of a table."""

    object: int
    access: Access
    why: str


@dataclass
class Table:
    """A dchain and what its indices address."""

    chain: int
    capacity: int = DEFAULT_CAPACITY  # its indices are below
    accesses: list[Access] = field(default_factory=list, repr=False)  # to its members
    maps: set[int] = field(default_factory=set)
    vectors: set[int] = field(default_factory=set)
    holders: set[tuple[int, int]] = field(default_factory=set)  # (vector, byte): there, cells hold indices of the chain
    breaches: list[Breach] = field(default_factory=list)  # what breaks the table as a whole
    foreign: list[Breach] = field(default_factory=list)  # accesses at numbers that are no indices of it
    numbers: list[Breach] = field(default_factory=list)  # where the number of an index matters, not only its identity
    packet_indices: list[Access] = field(default_factory=list)  # accesses at an index read from the packet
    stale_cells: str = ""  # why an index from a cell may be another entry's by now, if it may

    @property
    def members(self) -> set[int]:
        return {self.chain} | self.maps | self.vectors


def find_tables(
    paths: Sequence[CallPath], objects: Mapping[int, Object], accesses: Sequence[Access], origin: Provenance,
    started: Sequence[Sequence[StartTouch]] = (),
) -> dict[int, Table]:  # fmt: skip
    """The tables of an NF by their dchain, with what breaks them. `started`: how each way through start-up fills them."""
    tables = {o.id: Table(o.id, o.capacity or DEFAULT_CAPACITY) for o in objects.values() if o.kind == "dchain"}
    if not tables:
        return tables
    _members(paths, tables, origin)
    owner: dict[int, int] = {}
    for t in tables.values():
        for m in t.members:
            owner.setdefault(m, t.chain)
    for t in tables.values():
        _check_holders(t, tables, accesses, origin, started)
    map_owner = {m: {t.chain for t in tables.values() if m in t.maps} for t in tables.values() for m in t.maps}
    _check_accesses(accesses, tables, owner, map_owner, origin)
    at_start = {s.touch.object for touches in started for s in touches}
    filled = {v for t in tables.values() if not t.maps & at_start for v in t.vectors}  # by packets, cell by cell
    calls = by_path(accesses)
    for t in tables.values():
        members = t.members
        t.accesses = [a for a in accesses if a.object.id in members]
        _check_counts(t)
        _check_puts(t, origin)
        _check_start(t, started)
        _check_removal(t, origin)
        _check_erasure(t, origin)
        for a, why in expired_used(t.chain, t.accesses, origin):
            _breach(t, a, why)
        _check_cells(t, origin)
        _check_keys(t, accesses, origin)
        _check_functions(t, origin)
        bound = t.capacity if objects[t.chain].capacity else origin.bound
        for a, why in number_problems(
            t.chain, members, t.capacity, bound, t.packet_indices, t.accesses, calls, origin, filled
        ):
            t.numbers.append(Breach(a.object.id, a, why))
        _check_sharing(t, tables)
    return tables


def _members(paths: Sequence[CallPath], tables: dict[int, Table], origin: Provenance) -> None:
    """Which maps store a chain's fresh indices, which vectors are addressed by them, and which cells hold them."""
    map_owner: dict[int, set[int]] = {}
    # what numbers would make a member, by where they come from: few, however many paths there are
    unknown: dict[tuple[tuple[Origin, ...], str, Any], None] = {}
    addressing: dict[
        int, list[tuple[Touch, int | Expr, str, Any]]
    ] = {}  # by the identity of a call: paths share most of theirs
    seen: set[object] = set()
    for p in paths:
        for c in p.calls:
            if id(c) not in addressing:
                addressing[id(c)] = list(_addressing(c))
            for touch, number, kind, member in addressing[id(c)]:
                mark = (id(touch), number, kind, member, origin.context(p, touch, number))
                if mark not in seen:
                    seen.add(mark)
                    unknown[origin.origins(p, number), kind, member] = None
    changed = True
    while changed:
        changed = False
        for origins, kind, member in list(unknown):
            chain = _chain_of(origins, map_owner, tables)
            if chain is None:
                continue
            del unknown[origins, kind, member]
            table = tables[chain]
            members: set[Any] = table.maps if kind == "map" else table.vectors if kind == "vector" else table.holders
            if member not in members:
                members.add(member)
                changed = True
                if kind == "map":
                    map_owner.setdefault(member, set()).add(chain)


def _addressing(c: Call) -> Iterator[tuple[Touch, int | Expr, str, Any]]:
    """The numbers by which a call would make something a member of a table: what it would be, and which."""
    for t in c.touches:
        if t.role == "put" and t.value is not None:
            yield t, t.value, "map", t.object
        elif t.index and t.role in ("borrow", "return") and t.key:
            yield t, t.key[0].value, "vector", t.object
        if t.role == "return":
            for offset, word in _stored_words(t):
                yield t, word, "holder", (t.object, offset)


def _chain_of(origins: Sequence[Origin], map_owner: Mapping[int, set[int]], tables: Mapping[int, Table]) -> int | None:
    """The dchain that an index belongs to, by where it comes from."""
    for kind, came_from, first in origins:
        if kind == "map":
            found = list(map_owner.get(came_from, ()))
        elif kind == "cell":
            found = [t.chain for t in tables.values() if (came_from, first) in t.holders]
        else:
            found = [came_from] if came_from in tables else []
        if len(found) == 1:
            return found[0]
    return None


def _stored_words(t: Touch) -> Iterator[tuple[int, Expr]]:
    """What a cell write stores in every four bytes that it changes, with the first byte: where an index may be."""
    stored = dict(t.stored)
    for offset in stored:
        word = tuple(v for i in range(4) if isinstance(v := stored.get(offset + i), Expr))
        if len(word) == 4 and not any(all(map(is_packet_bit, X.leaves(v))) for v in word):
            whole = X.from_bytes(word)
            if isinstance(whole, Expr):
                yield offset, whole


_FOREIGN = {
    "constant": "it is addressed by a constant",
    "map": "it is addressed by a number that a map holds, which is no index of its dchain",
    "cell": "it is addressed by a number from a cell that does not only hold indices of its dchain",
}


def _breach(table: Table, a: Access, why: str) -> None:
    table.breaches.append(Breach(a.object.id, a, why))


def _check_accesses(
    accesses: Sequence[Access], tables: Mapping[int, Table], owner: Mapping[int, int],
    map_owner: Mapping[int, set[int]], origin: Provenance,
) -> None:  # fmt: skip
    """Condition 2: a table's objects are addressed by its own indices only."""
    known: dict[tuple[int, object], str | None] = {}
    for a in accesses:
        chain = owner.get(a.object.id)
        if chain is None or a.touch is None or not a.index or a.key is None or a.role == "allocate":
            continue  # (what is allocated is fresh)
        table, index = tables[chain], a.key[0].value
        mark = origin.marks[a]
        if mark not in known:
            known[mark] = _misaddressed(a, index, table, tables, map_owner, origin)
        why = known[mark]
        if why == BY_PACKET:
            table.packet_indices.append(a)
        elif why is not None:
            (table.breaches if a.role == "free" else table.foreign).append(Breach(a.object.id, a, why))


BY_PACKET = "it is addressed by a packet's bytes"


def _misaddressed(
    a: Access, index: int | Expr, table: Table, tables: Mapping[int, Table], map_owner: Mapping[int, set[int]],
    origin: Provenance,
) -> str | None:  # fmt: skip
    """By what an access addresses a table's object if not by one of the table's own indices."""
    mine = _chain_of(origin.origins(a.path, index), map_owner, tables)
    kind = origin.source(a.path, index).kind
    if mine == table.chain and kind == "expired":
        looks = not a.write and a.role in ("borrow", "return")
        return None if looks else "it is addressed by an index that has expired"
    if mine == table.chain:
        return table.stale_cells or None if kind == "cell" else None
    if mine is not None:
        return "it is addressed by an index of another table"
    if kind == "packet":
        return BY_PACKET
    return _FOREIGN.get(kind, "it is addressed by a number that is no index of its dchain")


def _check_counts(table: Table) -> None:
    """Capacity is divided where it bounds how many entries a table admits. Indices that stand for nothing bound how many packets
    pass: the capacity is what they are for, and no core knows how many passed elsewhere."""
    empty = not (table.maps or table.vectors or table.holders)
    for a in table.accesses:
        if a.object.id != table.chain or a.role != "allocate" or a.touch is None or not a.touch.found:
            continue
        if table.packet_indices and not empty:
            continue  # packets find it by its number, which is the guard's affair
        if empty or (a.key and not _stands_for_something(a.path, a.key[0].value)):
            _breach(table, a, "no later packet can find this index, so it only counts packets")


def _stands_for_something(p: CallPath, index: int | Expr) -> bool:
    """Whether later packets can find a fresh index, or a key in its cell, or its path gives it back, or would have if there had been
    room for something else. A cell at an index that nobody finds is nobody's."""
    touches = [t for c in p.calls for t in c.touches]
    keeps_key = any(t.key_cell is not None and same_index(p, t.key_cell[1], index) for t in touches)
    if keeps_key or _kept(p, index):
        return True
    if any(t.found is False for t in touches if t.role in ("allocate", "add")):
        return True
    return _gives_back(p, index)


def _gives_back(p: CallPath, index: int | Expr | None) -> bool:
    """Whether a path frees an index that it was given."""
    return any(t.role == "free" and t.key and t.key[0].value is index for c in p.calls for t in c.touches)


def _check_puts(table: Table, origin: Provenance) -> None:
    """Condition 1: every map_put stores an index that was allocated on that path, once for each map. Where indices go, and with them the
    keys in their cells, all of them are in the maps."""
    done: dict[tuple[int, int, object], int] = {}
    for a in table.accesses:
        if a.object.id not in table.maps or a.role != "put" or a.touch is None:
            continue
        s = origin.source(a.path, a.touch.value if a.touch.value is not None else 0)
        if s.kind != "fresh" or s.object != table.chain:
            _breach(table, a, "it stores a number that was not allocated from the dchain on this path")
            continue
        key = (a.path.number, a.object.id, a.touch.value)
        done[key] = done.get(key, 0) + 1
        if done[key] > 1:
            _breach(table, a, "it stores one index under two keys")
    goes = any(a.object.id == table.chain and (a.role == "expire" or frees_old(a, origin)) for a in table.accesses)
    if not goes or table.breaches:
        return
    for a in table.accesses:
        if a.object.id != table.chain or a.role != "allocate" or a.touch is None or not a.touch.found:
            continue
        index = a.touch.value
        if any((a.path.number, m, index) not in done for m in table.maps) and not _gives_back(a.path, index):
            _breach(
                table, a, "this index is not put into every map that loses a key when it goes: another entry's, perhaps"
            )


def _check_start(table: Table, started: Sequence[Sequence[StartTouch]]) -> None:
    """The same of what nf_init puts into the table: on every core it does the same, so its entries are each core's own."""
    for touches in started:
        allocated = {s.touch.value: s for s in touches if s.touch.role == "allocate" and s.touch.object == table.chain}
        done: set[object] = set()
        for s in touches:
            if s.touch.role != "put" or s.touch.object not in table.maps:
                continue
            if s.touch.value not in allocated:
                _breach(
                    table,
                    _at_start(s, table.accesses),
                    "nf_init stores a number that was not allocated from the dchain",
                )
            elif s.touch.value in done:  # in one map or in two: no packet has both keys
                _breach(table, _at_start(s, table.accesses), "nf_init stores one index under two keys")
            done.add(s.touch.value)
        if table.packet_indices:
            for s in allocated.values():
                _breach(
                    table, _at_start(s, table.accesses), "nf_init allocates indices that packets may name on any core"
                )


def _at_start(s: StartTouch, accesses: Sequence[Access]) -> Access:
    """An access of nf_init, as one of packets to the same object would look there."""
    a = next(a for a in accesses if a.object.id == s.touch.object and a.call is not None)
    assert a.call is not None
    return replace(a, call=replace(a.call, function=s.function, stack=(s.span,)), touch=s.touch, role=s.touch.role)


def _check_removal(table: Table, origin: Provenance) -> None:
    """Condition 3: freeing or expiring an index removes its map entries."""
    puts = [Puts(m, table.accesses) for m in table.maps]
    for a in table.accesses:
        if a.object.id != table.chain or a.call is None or a.touch is None:
            continue
        touched = {t.object: t for t in a.call.touches}
        if a.role == "expire" and a.call.op == "dchain-expire-one":
            if a.touch.found and not all(erases_expired(a, into, origin) for into in puts):
                _breach(table, a, "it expires an index but not its entry in one of the maps")
        elif a.role == "expire":
            for m in sorted(table.maps):
                if m not in touched:
                    _breach(table, a, "it expires indices but not their entries in one of the maps")
                    break
        elif a.role == "free" and a.key:
            index = a.key[0].value
            s = origin.source(a.path, index)
            if s.kind == "fresh":
                if _entered(a.path, index):
                    _breach(table, a, "it frees an index that this packet has just stored")
            elif s.kind == "cell" or not _erased_with(a, puts):
                _breach(table, a, "it frees an index whose map entry stays")


def _check_erasure(table: Table, origin: Provenance) -> None:
    for m in sorted(table.maps):
        for a, why in erasure_problems(m, table.chain, table.accesses, origin):
            _breach(table, a, why)


def erasure_problems(
    map_id: int, chain: int | None, accesses: Sequence[Access], origin: Provenance
) -> Iterator[tuple[Access, str]]:
    """Where expiring indices erases entries of a map that are not theirs. `chain`: of the map's table, if it has one."""
    found: dict[tuple[int, ...], str] = {}
    for a in accesses:
        if a.object.id != map_id or a.role != "expire" or a.call is None or len(a.call.touches) < 3:
            continue
        objects = tuple(t.object for t in a.call.touches)  # chain, vector, map
        if objects not in found:
            found[objects] = ""
            if chain is not None and objects[0] != chain:
                found[objects] = "another dchain's expiry erases entries of this map"
            elif not _holds_keys(objects[1], map_id, objects[0], accesses, origin):
                found[objects] = "it erases map entries by a vector that does not hold the map's keys"
        if found[objects]:
            yield a, found[objects]


def _check_keys(table: Table, accesses: Sequence[Access], origin: Provenance) -> None:
    for a, why in key_problems(table.maps, accesses, origin):
        _breach(table, a, why)


def _holds_keys(vector: int, map_id: int, chain: int, accesses: Sequence[Access], origin: Provenance) -> bool:
    """Whether every entry of the map was put with its key in the vector's cell of the index that it holds, or else of one that the
    path has just been given by the dchain."""
    for a in accesses:
        if a.object.id != map_id or a.role != "put" or a.touch is None:
            continue
        cell = a.touch.key_cell
        if cell is None or cell[0] != vector:
            return False
        s = origin.source(a.path, cell[1])
        if not same_index(a.path, cell[1], a.touch.value) and (s.kind, s.object) != ("fresh", chain):
            return False
    return True


def _erased_with(a: Access, puts: Sequence[Puts]) -> bool:
    """Whether the path erases from every map the entry of the index that it frees: under the key that led to the index, or under
    the key that stands in the index's cell of a vector into which every put has stored it."""
    index = a.key[0].value if a.key else None
    cells = {
        f"{CELL}#{c.number}": t.object
        for c in a.path.calls for t in c.touches
        if t.role == "borrow" and t.key and same_index(a.path, t.key[0].value, index)
    }  # fmt: skip
    for into in puts:
        keys = [
            t.key
            for c in a.path.calls
            for t in c.touches
            if t.object == into.map and t.role.startswith("get") and t.value is index and t.key is not None
        ]
        erased = [
            t.key for c in a.path.calls for t in c.touches if t.object == into.map and t.role == "erase" and t.key
        ]
        if not any(k in keys or into.all_store(k, cells) for k in erased):
            return False
    return True


def _check_cells(table: Table, origin: Provenance) -> None:
    """Condition 4: a cell at a fresh index is written before it is read, in every byte that anyone reads."""
    fresh: dict[tuple[int, object], bool] = {}
    # an index that later packets can find must have its cells written, whether this path uses them or not
    entered = [
        a for a in table.accesses
        if a.object.id == table.chain and a.role == "allocate" and a.key and _entered(a.path, a.key[0].value)
    ]  # fmt: skip
    borrowed: dict[int, list[Access]] = {}
    returned: dict[tuple[int, int], list[Access]] = {}  # by vector and path
    for a in table.accesses:
        if a.index and a.key and a.role == "borrow":
            borrowed.setdefault(a.object.id, []).append(a)
        elif a.key and a.role == "return":
            returned.setdefault((a.object.id, a.path.number), []).append(a)
    for v in sorted(table.vectors):
        read: set[int] = set()
        for a in borrowed.get(v, ()):
            mark = origin.marks[a]
            if mark not in fresh:
                fresh[mark] = origin.source(a.path, _number_in(a, origin)).kind == "fresh"
            here = _bytes_read(a, origin)
            if not fresh[mark]:
                read |= here
            elif here:
                _breach(table, a, "the cell of a fresh index is read before it is written")
        for a in entered if read else ():
            missing = read - _written_at(a, returned.get((v, a.path.number), ()))
            if missing:
                why = f"byte {min(missing)} of the cell of a fresh index is not written here, but read later"
                _breach(table, a, why)


def _number_in(a: Access, origin: Provenance) -> int | Expr:
    """The number that an access's index is a one-to-one function of, however deep inside it: fresh, or from a map or a cell."""
    e = a.key[0].value if a.key else 0
    while origin.source(a.path, e).kind not in ("fresh", "map", "cell") and (inner := origin.inner(a.path, e)):
        e = inner
    return e


def _check_functions(table: Table, origin: Provenance) -> None:
    """Every way to compute a cell's number from an index must keep indices apart from all the others: i and i + 1 do not."""
    found: dict[int, dict[object, tuple[Access, Expr, Expr]]] = {v: {} for v in sorted({*table.vectors, table.chain})}
    known: set[tuple[int, object]] = set()
    for a in table.accesses:
        e = a.key[0].value if a.touch is not None and a.index and a.key else 0
        if isinstance(e, int) or a.object.id not in found or origin.marks[a] in known:
            continue
        known.add(origin.marks[a])
        inner = _number_in(a, origin)
        if isinstance(inner, int) or origin.source(a.path, inner).kind not in ("fresh", "map", "cell"):
            continue
        form = X.substitute(e, {inner: X.sym("index", inner.width)})
        found[a.object.id].setdefault(form, (a, e, inner))
    for forms in found.values():
        seen = list(forms.values())
        for n, (a, f, y) in enumerate(seen):
            if not all(origin.apart(b.path, e, x, a.path, f, y) for b, e, x in seen[:n]):
                _breach(table, a, "two ways to compute a cell from an index can give one cell for two indices")
                break  # one is enough, and to show how it can happen takes time


def _written_at(allocated: Access, returned: Iterable[Access]) -> set[int]:
    """Bytes that a path writes in every cell of a vector that an index owns: one, or `stride` of them at index * stride + k. `returned`
    are the cells of the vector that it returns."""
    index = allocated.key[0].value if allocated.key else 0
    cells: dict[int, set[int]] = {}
    stride = 1
    for a in returned:
        assert a.touch is not None and a.key
        at, stored = a.key[0].value, [o for o, _ in a.touch.stored]
        if same_index(a.path, at, index):
            cells.setdefault(0, set()).update(stored)
            continue
        k = 0
        if isinstance(at, Expr) and at.op == "add" and isinstance(at.args[1], int):
            at, k = at.args[0], at.args[1]
        factor = _factor(at, index)
        if factor:
            stride = factor
            cells.setdefault(k, set()).update(stored)
    if stride > len(cells) or not set(range(stride)) <= cells.keys():  # -1 is a large factor
        return set()
    return set.intersection(*(cells[k] for k in range(stride)))


def _factor(e: int | Expr, index: int | Expr) -> int:
    """c, where e is index * c; 0 where it is not."""
    if isinstance(e, Expr) and isinstance(index, Expr):
        if e is index:
            return 1
        if e.op == "mul" and isinstance(e.args[1], int) and e.args[0] is index:
            return int(e.args[1])
        if e.op == "concat" and isinstance(e.args[0][-1], int) and e.args[0][-1] == 0 and index in X.leaves(e):
            return 1 << int(e.args[1][-1])
    return 0


def _entered(p: CallPath, index: int | Expr) -> bool:
    """Whether the path makes a fresh index known to later packets."""
    return _kept(p, index) or any(isinstance(index, Expr) and index in X.leaves(w.value) for w in p.writes)


def _kept(p: CallPath, index: int | Expr) -> bool:
    """Whether the path stores an index in a map or a cell."""
    for c in p.calls:
        for t in c.touches:
            if t.role == "put" and t.value is index:
                return True
            if t.role == "return" and any(index in X.leaves(v) for _, v in t.stored if isinstance(index, Expr)):
                return True
    return False


def _bytes_read(a: Access, origin: Provenance) -> set[int]:
    """Bytes of a borrowed cell, as it was before the path, on which anything that the path does depends."""
    assert a.call is not None
    return origin.cell_bytes_read(a.path).get(f"{CELL}#{a.call.number}", set())


def _check_holders(
    table: Table, tables: Mapping[int, Table], accesses: Sequence[Access], origin: Provenance,
    started: Sequence[Sequence[StartTouch]],
) -> None:  # fmt: skip
    """Cells that hold the table's indices belong to another table, hold nothing else, and never outlive an index."""
    if not table.holders:
        return
    if any(a.object.id == table.chain and (a.role == "expire" or frees_old(a, origin)) for a in accesses):
        table.stale_cells = (
            "its index stands in a cell that outlives it, so the cell's packet may find another packet's entry"
        )
    for v, offset in sorted(table.holders):
        homes = [t for t in tables.values() if t is not table and v in t.vectors and t.maps]
        mine = [a for a in accesses if a.object.id == v]
        if not homes:
            table.stale_cells = "its index stands in a cell that holds another number before the first index is stored"
            continue
        if any(s.touch.object in t.maps for t in homes for touches in started for s in touches):
            table.stale_cells = "its index stands in a cell that is given another number by nf_init"
        stored: dict[tuple[int, object], int] = {}
        for a in mine:
            bytes_ = dict(a.touch.stored) if a.write and a.touch is not None else {}
            changed = [i for i in range(offset, offset + 4) if i in bytes_]
            if not changed:
                continue
            index = X.from_bytes(tuple(bytes_[i] for i in changed))
            s = origin.source(a.path, index)
            from_map = s.kind == "map" and s.object in table.maps  # the packet meets those that put it there
            if not from_map and (s.kind not in ("fresh", "scan") or s.object != table.chain):
                table.stale_cells = "its index stands in a cell that is also given other numbers"
            stored[a.path.number, index] = stored.get((a.path.number, index), 0) + 1
            if stored[a.path.number, index] > 1 and s.kind == "fresh":
                _breach(table, a, "one index is stored in two cells")


def _check_sharing(table: Table, tables: Mapping[int, Table]) -> None:
    """Two tables that share a map or vector break each other."""
    for other in tables.values():
        if other is table:
            continue
        shared = (table.maps | table.vectors) & (other.maps | other.vectors)
        for a in table.accesses:
            if a.object.id in shared and a.role in ("put", "return", "borrow"):
                _breach(table, a, "two tables share it")
                break


__all__ = ["Breach", "Table", "erasure_problems", "find_tables"]
