"""Keys of the entries that start-up puts into maps. A map keeps a pointer to its key, so the memory there must stay what it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .calls import RawCall, same
from .engine import Engine
from .expr import Expr
from .memory import ADDRESS_BITS, OFFSET_MASK
from .path import CallPath, Touch, calls_of, written_objects
from .state import Place, State

CHANGED = "packets change the memory in which the key of this entry stands, and the map keeps a pointer to it"


def changed_keys(
    engine: Engine, havoc: frozenset[int], started: Sequence[State], paths: Sequence[CallPath]
) -> Iterator[tuple[Place, str]]:
    """Where start-up (`started`: the ends of its paths) puts an entry whose key does not stay in its place, and why. `havoc`: what
    packets write at offsets that are not known."""
    puts = [
        (st, r) for st in started for r in st.calls
        if "key" in r.spec.roles and any(t.role == "put" for t in r.touches)
    ]  # fmt: skip
    written = written_objects(calls_of(paths)) if puts else frozenset()
    for st, r in puts:
        why = _problem(engine, havoc, st, r, paths, written)
        if why:
            yield r.place, why


def _problem(
    engine: Engine, havoc: frozenset[int], st: State, r: RawCall, paths: Sequence[CallPath], written: frozenset[int]
) -> str:
    pointer = r.arguments[r.spec.roles["key"]]
    b = st.memory.get(pointer >> ADDRESS_BITS) if isinstance(pointer, int) else None
    if b is None or not isinstance(pointer, int) or b.info.kind == "local":
        return "the key of this entry stands in memory that is used again, and the map keeps a pointer to it"
    oid, first = pointer >> ADDRESS_BITS, pointer & OFFSET_MASK
    raw = next((raw for name, raw in r.keys if name == r.spec.params[r.spec.roles["key"]]), ())
    if not all(map(same, raw, b.data[first:])):
        return "nf_init changes the key of this entry later on, and the map keeps a pointer to it"
    places = range(first, first + len(raw))
    if oid in havoc or not engine.havoc_bytes.get(oid, frozenset()).isdisjoint(places):
        return CHANGED
    if b.info.kind != "cell" or b.info.detail["vector"] not in written:
        return ""
    vector, index = b.info.detail["vector"], b.info.detail["index"]
    at_start = [t for c in st.calls for t in c.touches]
    chain = next((t.object for t in at_start if t.role == "allocate" and t.value is index), None)
    kept = chain is not None and not any(t.role in ("free", "expire") and t.object == chain for t in at_start)
    if not kept or chain is None:
        return CHANGED
    is_of_packets = any(t.role == "put" and t.object in written for t in r.touches)  # then it goes with its index
    if not is_of_packets and any(t.object == chain and t.role in ("expire", "free") for _, t in _touches(paths)):
        return CHANGED
    writes = ((p, t.key[0].value) for p, t in _touches(paths) if t.object == vector and t.write and t.key)
    return "" if all(_is_fresh(p, i, chain) for p, i in writes) else CHANGED


def _touches(paths: Sequence[CallPath]) -> Iterator[tuple[CallPath, Touch]]:
    return ((p, t) for p in paths for c in p.calls for t in c.touches)


def _is_fresh(p: CallPath, index: int | Expr, chain: int) -> bool:
    """Whether a path has just been given an index by a dchain, so that it is no earlier one."""
    return any(t.object == chain and t.role == "allocate" and t.value is index for c in p.calls for t in c.touches)
