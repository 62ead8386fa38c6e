"""Expiry: when it commutes between shards, and loops that expire one entry after the other.

Every shard expires its own entries, at the same times as one core would, if nothing depends on how many there were and every packet
that reaches a table expires first, with the same lag (docs/explanation/meeting.md). A loop over `dchain_expire_one_index` that erases the map
entry under the key in the expired index's cell is the same as `expire_items_single_map`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..symbex import expr as X
from ..symbex.expiring import AFTER_EXPIRING
from ..symbex.expr import Expr
from ..symbex.path import CELL, CallPath, Part
from .access import Access
from .provenance import Provenance, same_index


def expiry_problem(
    table_objects: set[int], accesses: Sequence[Access], origin: Provenance
) -> tuple[Access, str, Access | None] | None:
    """Why expiry does not commute between shards, if it does not: its count is used, some path reaches the objects without
    expiring them first, or expires with another lag."""
    accesses = [a for a in accesses if a.object.id in table_objects]
    expiries = [a for a in accesses if a.role == "expire" and a.call is not None]
    if not expiries:
        return None
    for a in expiries:
        if a.call is not None and a.call.result_used and a.call.op != "dchain-expire-one":
            return a, "the number of expired entries is used", None
    times: dict[int | Expr | None, int | Expr | None] = {}  # their lags
    lags: dict[int | Expr | None, Access] = {}
    clamped: list[Access] = []  # at time zero, when no entry is older
    for a in expiries:
        assert a.touch is not None
        if a.touch.time == 0 and isinstance(a.touch.time, int):
            clamped.append(a)
        else:
            if a.touch.time not in times:
                times[a.touch.time] = _lag(a.touch.time)
            lags.setdefault(times[a.touch.time], a)
    if None in lags:
        return lags[None], "entries expire at a time that is not the packet's time less a constant", None
    if len(lags) > 1:
        second = sorted(lags.values(), key=lambda x: x.order)[1]
        return second, "entries expire after different times here and elsewhere", None
    stamps: dict[int | Expr | None, Access] = {}
    for a in accesses:
        if (
            a.touch is not None
            and (a.role in ("allocate", "rejuvenate") or (a.role in ("add", "update") and a.touch.time is not None))
            and a.touch.found is not False
        ):
            if a.touch.time not in times:
                times[a.touch.time] = _lag(a.touch.time)
            stamps.setdefault(times[a.touch.time], a)
    if None in stamps or len(stamps) > 1:
        odd = stamps[None] if None in stamps else sorted(stamps.values(), key=lambda x: x.order)[1]
        return odd, "entries are not kept in the order of the packets' times, so when one goes depends on others", None
    for a in clamped:
        if not _nothing_is_older(a.path, next(iter(lags), None), origin) or set(stamps) - {0}:
            return a, "entries expire at a time that is not the packet's time less a constant", None
    last_ones = {a.path.number: a for a in expiries if a.call is not None and a.call.op == "dchain-expire-one"}
    for a in last_ones.values():
        if a.touch is not None and a.touch.found:
            return (
                a,
                "only some of the old entries are expired by one packet, so when one goes depends on other packets",
                None,
            )
    one_by_one = any(a.call is not None and a.call.op == "dchain-expire-one" for a in expiries)
    expired_first: dict[int, int] = {}
    for a in expiries:
        assert a.call is not None and a.touch is not None
        if a.call.op == "dchain-expire-one" and a.touch.found:
            continue  # only when there are no more is it done
        n = expired_first.get(a.path.number)
        expired_first[a.path.number] = a.call.number if n is None else min(n, a.call.number)
    for a in accesses:
        if a.role != "expire" and a.call is not None and not (one_by_one and belongs_to_expiry(a, origin)):
            first_expiry = expired_first.get(a.path.number)
            if (
                first_expiry is None
                and not set(stamps) - {0}
                and _nothing_is_older(a.path, next(iter(lags), None), origin)
            ):
                continue
            if first_expiry is None or first_expiry > a.call.number:
                where = f"packets on device {a.path.device}" if first_expiry is None else "some packets"
                return expiries[0], f"{where} reach {a.object.name} without expiring old entries first", a
    return None


def _nothing_is_older(p: CallPath, lag: int | Expr | None, origin: Provenance) -> bool:
    """Whether the time of the path's packets less a lag is never above zero."""
    now = X.sym("time", 64)
    assert isinstance(now, Expr)
    known = [c for c in p.conjuncts if now in X.leaves(c)]
    return lag is not None and origin.impossible([*known, X.slt(0, X.sub(now, lag, 64), 64)])


def _lag(time: int | Expr | None) -> int | Expr | None:
    """c, where a time is the packet's time less c and c is made of constants and configuration; None for anything else."""
    if not isinstance(time, Expr):
        return None
    lag = X.sub(X.sym("time", 64), time, 64)
    if isinstance(lag, int) or all(
        leaf.op == "byte" and str(leaf.args[0]).startswith("config.") for leaf in X.leaves(lag)
    ):
        return lag
    return None


def expired_cells(p: CallPath, origin: Provenance) -> dict[str, tuple[int, int | Expr]]:
    """Names of the cells that a path has borrowed at expired indices: (vector, index)."""
    return {
        f"{CELL}#{c.number}": (t.object, t.key[0].value)
        for c in p.calls for t in c.touches
        if t.role == "borrow" and t.index and t.key and origin.source(p, t.key[0].value).kind == "expired"
    }  # fmt: skip


def belongs_to_expiry(a: Access, origin: Provenance) -> bool:
    """Whether an access only removes what has expired: the cell of an expired index is looked at, its key is erased."""
    if a.touch is None or a.key is None:
        return False
    if a.role in ("borrow", "return") and a.index and not a.write:
        return origin.source(a.path, a.key[0].value).kind == "expired"
    if a.role == "erase":
        leaves = a.leaves()
        return bool(leaves) and {leaf.args[0] for leaf in leaves} <= expired_cells(a.path, origin).keys()
    return False


class Puts:
    """The puts into one map. Do they store the key that an erasure erases? Paths ask the same again and again."""

    def __init__(self, map_id: int, accesses: Sequence[Access]) -> None:
        self.map = map_id
        self._puts = [a for a in accesses if a.object.id == map_id and a.role == "put"]
        self._known: dict[tuple[int | Expr, ...], bool] = {}

    def all_store(self, key: Sequence[Part], cells: Mapping[str, int]) -> bool:
        """Whether an erased key is what stands in one of some cells (names and their vectors), and every put has stored it there."""
        leaves = frozenset().union(*[X.leaves(part.value) for part in key])
        vectors = {cells.get(str(leaf.args[0])) for leaf in leaves}
        vector = vectors.pop() if len(vectors) == 1 else None
        if vector is None:
            return False
        # cells are numbered on each path for itself
        in_cell: dict[Expr, int | Expr] = {leaf: X.byte("cell", leaf.args[1]) for leaf in leaves}
        erased = [X.substitute(part.value, in_cell) for part in key]
        if (vector, *erased) not in self._known:
            self._known[(vector, *erased)] = all(_put_under(x, vector, erased) for x in self._puts)
        return self._known[(vector, *erased)]


def erases_expired(a: Access, puts: Puts, origin: Provenance) -> bool:
    """Whether the path that expires an index erases the map's entry for it: the key is what stands in the index's cell of a vector
    into which every put has stored the key."""
    assert a.touch is not None
    mine = {n: v for n, (v, i) in expired_cells(a.path, origin).items() if i is a.touch.value}
    erased = (t.key for c in a.path.calls for t in c.touches if t.object == puts.map and t.role == "erase" and t.key)
    return any(puts.all_store(key, mine) for key in erased)


def _put_under(put: Access, vector: int, erased: Sequence[int | Expr]) -> bool:
    """Whether a put's key is what the expressions over the cell of its index give, with the bytes that the path stores there."""
    t = put.touch
    if t is None or t.key_cell is None or t.key_cell[0] != vector or not same_index(put.path, t.key_cell[1], t.value):
        return False
    stored: dict[int, int | Expr] = {}
    for c in put.path.calls:
        for w in c.touches:
            if w.object == vector and w.role == "return" and w.key and same_index(put.path, w.key[0].value, t.value):
                stored.update(w.stored)
    keys = [
        X.substitute(e, {leaf: stored[leaf.args[1]] for leaf in X.leaves(e) if leaf.args[1] in stored}) for e in erased
    ]
    mine = [part.value for part in put.key or ()]
    return len(keys) == len(mine) and all(
        x is y or (isinstance(x, int) and x == y) for x, y in zip(keys, mine, strict=True)
    )


def expired_used(chain: int, accesses: Sequence[Access], origin: Provenance) -> Iterator[tuple[Access, str]]:
    """Expiries one by one after which something depends on what expired, or on how much."""
    done: set[int] = set()
    for a in accesses:
        if (
            a.object.id != chain
            or a.role != "expire"
            or a.call is None
            or a.call.op != "dchain-expire-one"
            or a.path.number in done
        ):
            continue
        done.add(a.path.number)
        used = _used(a.path, origin)
        if any(str(leaf.args[0]).startswith(AFTER_EXPIRING) for leaf in used):
            yield a, "what the loop over expired entries has counted is used"
        elif any(leaf.args[0] in expired_cells(a.path, origin) for leaf in used if leaf.op == "byte"):
            yield a, "what an expired entry held is used"
        elif any(origin.source(a.path, leaf).kind == "expired" for leaf in used):
            yield a, "which index has expired is used"


def _used(p: CallPath, origin: Provenance) -> set[Expr]:
    """Leaves on which anything that a path does depends, but for the removal of what has expired."""
    used = p.effects()
    calls = {c.span for c in p.calls}  # where the library, not the program, asks
    for c in p.conditions:
        for e in X.conjuncts(c.expr) if not c.assumed else ():
            if c.span not in calls or not _compares_indices(p, e, origin):
                used |= X.leaves(e)
    for call in p.calls:
        for t in call.touches:
            removal = t.role in ("erase", "expire") or (t.role in ("borrow", "return") and t.index and not t.write)
            if t.role == "erase" or not removal:
                names = {leaf.args[0] for part in t.key or () for leaf in X.leaves(part.value)}
                if t.role != "erase" or not names <= expired_cells(p, origin).keys():
                    for part in t.key or ():
                        used |= X.leaves(part.value)
            if t.value is not None and t.role not in ("expire", "allocate"):
                used |= X.leaves(t.value)
            for v in (*t.arguments, t.time or 0, *(v for _, v in t.stored)):
                used |= X.leaves(v)
    return p.with_checked(used)


def _compares_indices(p: CallPath, e: Expr, origin: Provenance) -> bool:
    """Whether a condition only asks if two indices are the same one."""
    inner = e.args[0] if e.op == "not" else e
    return inner.op == "eq" and all(
        isinstance(x, Expr) and origin.source(p, x).kind in ("fresh", "map", "cell", "expired", "packet")
        for x in inner.args
    )
