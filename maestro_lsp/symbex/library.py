"""Models of library calls: what each `op` of the catalogue does to a state.

Within a path every object is a symbolic store. What a call found or stored is remembered; a later call whose key may be equal
forks on the equality and then follows it. Contents that no call of the path has touched are anything, except in objects that no
packet ever writes (`Engine.frozen`), which hold what start-up stored.

Every model decides first and changes afterwards, because a fork runs it again from the start.
"""

from __future__ import annotations

from dataclasses import replace
from operator import is_
from typing import Any

from ..libvig.catalogue import CallSpec
from ..source import ctypes as T
from . import expr as X
from .calls import (
    Cell,
    Entry,
    Model,
    Values,
    arg,
    cell_of_pointer,
    closed,
    entries,
    fork_symbol,
    give_key_back,
    key_bytes,
    key_parts,
    lookup,
    note,
    number,
    numbers_given,
    object_id,
    record,
    remember,
    same,
    write_out,
)
from .expiring import AFTER_EXPIRING, EXPIRED_ROUNDS, Expiring, is_expired_key
from .expr import Expr
from .memory import ADDRESS_BITS, OFFSET_MASK, Block, ObjectInfo, Problem, size_of, symbolic_bytes
from .packets import answer, checksum, packet_borrow, packet_reshape, packet_return, packet_unread
from .path import CELL, Part, Touch
from .state import ITE_LIMIT, State

UNBOUNDED_CELL = 1 << 16  # bytes; a cell size above this is not believed


# ------------------------------------------------------------------------------------------------------------ allocation


def allocate(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    detail: dict[str, Any] = {role: values[i] for role, i in spec.roles.items() if role != "out"}
    if spec.key_bytes is not None:
        detail["key_size"] = spec.key_bytes
    detail["place"] = st.place()
    detail["filled"] = "filled" in spec.flags
    info = ObjectInfo("handle", f"{spec.kind}#{st.next_id}", library_kind=spec.kind, detail=detail)
    address = st.allocate(info, [0] * 8)
    st.engine.callbacks.hand_over(values)
    st.store(arg(spec, values, "out"), address, 8)
    if st.tracking:
        raise Problem("unsupported-construct", f"{spec.name} creates an object while a packet is processed")
    return 1


def fill(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    oid, _ = object_id(st, spec, values)
    if st.tracking:
        record(st, spec, values, [Touch(oid, True, "update", None)], 1)
    st.library[("opaque", oid)] = True  # contents are not modelled
    return 1


# ------------------------------------------------------------------------------------------------------------------- maps


def map_get(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    return _get(st, spec, values, types, "entries", "map_has_this_key", "allocated_index")


def _get(st: State, spec: CallSpec, values: Values, types: Any, namespace: str, has: str, value_name: str) -> Any:
    oid, b = object_id(st, spec, values)
    raw = key_bytes(st, b, spec, values, types)
    n = number(st)
    e = lookup(st, oid, b, raw, namespace)
    fresh: Entry | None = None
    value: int | Expr | None
    if e is None:
        if closed(st, oid) and not st.library.get(("opaque", oid)) and not b.info.detail.get("filled"):
            found, value = False, None
        else:
            found = fork_symbol(st, f"{has}#{n}")
            value = X.sym(f"{value_name}#{n}", 32) if found else None
            fresh = Entry(key_parts(st, b, raw) or (), raw, value)
    else:
        found, value = e.value is not None, e.value
    parts = key_parts(st, b, raw)
    if fresh is not None:
        remember(st, oid, fresh, namespace)
    outputs: list[tuple[str, int | Expr]] = []
    if found and value is not None:
        write_out(st, spec, values, value, 4, types)
        outputs.append((spec.params[spec.roles["out"]], value))
    role = {"entries": "get", "a": "get-a", "b": "get-b"}[namespace]
    record(
        st,
        spec,
        values,
        [Touch(oid, False, role, parts, found=found, value=value)],
        int(found),
        outputs,
        [(spec.params[spec.roles["key"]], raw)],
    )
    return int(found)


def map_put(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    oid, b = object_id(st, spec, values)
    raw = key_bytes(st, b, spec, values, types)
    parts = key_parts(st, b, raw)
    value = arg(spec, values, "value")
    remember(st, oid, Entry(parts or (), raw, value))
    touch = Touch(oid, True, "put", parts, value=value, key_cell=cell_of_pointer(st, arg(spec, values, "key")))
    record(st, spec, values, [touch], None, (), [(spec.params[spec.roles["key"]], raw)])
    return 0


def map_add(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    """Store a fresh index under a key (token buckets)."""
    oid, b = object_id(st, spec, values)
    raw = key_bytes(st, b, spec, values, types)
    parts = key_parts(st, b, raw)
    n = number(st)
    space = fork_symbol(st, f"has_space#{n}")
    outputs: list[tuple[str, int | Expr]] = []
    value: int | Expr | None = None
    if space:
        value = X.sym(f"new_index#{n}", 32)
        _bound_index(st, b, value)
        write_out(st, spec, values, value, 4, types)
        outputs.append((spec.params[spec.roles["out"]], value))
        remember(st, oid, Entry(parts or (), raw, value))
    numbers, time = numbers_given(spec, values, types)
    touch = Touch(oid, True, "add", parts, found=space, value=value, arguments=numbers, time=time)
    record(st, spec, values, [touch], int(space), outputs, [(spec.params[spec.roles["key"]], raw)])
    return int(space)


def map_erase(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    oid, b = object_id(st, spec, values)
    raw = key_bytes(st, b, spec, values, types)
    parts = key_parts(st, b, raw)
    if is_expired_key(st, raw):  # some entries go, as with `expire`: what the path knew of the map is no longer sure
        st.library.pop(("entries", oid), None)
    else:
        remember(st, oid, Entry(parts or (), raw, None))
    give_key_back(st, spec, values, raw)
    record(st, spec, values, [Touch(oid, True, "erase", parts)], None, (), [(spec.params[spec.roles["key"]], raw)])
    return 0


# ----------------------------------------------------------------------------------------------------------- double maps


def dmap_get_a(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    return _get(st, spec, values, types, "a", "map_has_this_key", "allocated_index")


def dmap_get_b(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    oid, b = object_id(st, spec, values)
    detail = {**b.info.detail, "equality": b.info.detail.get("equality_b")}
    view = Block(replace(b.info, detail=detail), b.data, None)
    raw = key_bytes(st, view, spec, values, types)
    n = number(st)
    e = lookup(st, oid, view, raw, "b")
    if e is None:
        found = fork_symbol(st, f"map_has_this_key#{n}")
        value: int | Expr | None = X.sym(f"allocated_index#{n}", 32) if found else None
        remember(st, oid, Entry((), raw, value), "b")
    else:
        found, value = e.value is not None, e.value
    outputs: list[tuple[str, int | Expr]] = []
    if found and value is not None:
        write_out(st, spec, values, value, 4, types)
        outputs.append((spec.params[spec.roles["out"]], value))
    touch = Touch(oid, False, "get-b", key_parts(st, view, raw), found=found, value=value)
    record(st, spec, values, [touch], int(found), outputs, [(spec.params[spec.roles["key"]], raw)])
    return int(found)


def dmap_whole(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    """Puts and erasures of double maps reach entries by both keys and by index: taken as touching all of the map."""
    oid, b = object_id(st, spec, values)
    n = number(st)
    if spec.op == "dmap-value":
        size = b.info.detail.get("elem_size")
        if not isinstance(size, int) or size > UNBOUNDED_CELL:
            raise Problem("unsupported-construct", "the size of a double map's values is not known")
        st.store_bytes(arg(spec, values, "out"), symbolic_bytes(f"dmap_value#{n}", size), size)
        record(st, spec, values, [Touch(oid, False, "read", None)])
        return 0
    st.library.pop(("a", oid), None)
    st.library.pop(("b", oid), None)
    record(st, spec, values, [Touch(oid, True, "update", None)], 1)
    return 1


# ---------------------------------------------------------------------------------------------------------------- vectors


def _cells(st: State, oid: int) -> tuple[Cell, ...]:
    return st.library.get(("cells", oid), ())  # type: ignore[no-any-return]


def _is_large(st: State, oid: int, index: int | Expr) -> bool:
    """Whether the index may mean any of many cells that no packet writes: too many to tell apart, so a cell is a function of it."""
    return isinstance(index, Expr) and closed(st, oid) and len(_cells(st, oid)) > ITE_LIMIT


def _find_cell(st: State, oid: int, index: int | Expr) -> Cell | None:
    if _is_large(st, oid, index):
        return next((c for c in reversed(_cells(st, oid)) if c.index is index), None)
    for c in reversed(_cells(st, oid)):
        if st.decide(X.eq(index, c.index, 32)):
            return c
    return None


def _replace_cell(st: State, oid: int, old: Cell | None, new: Cell) -> None:
    cells = tuple(c for c in _cells(st, oid) if c is not old)
    st.library[("cells", oid)] = (*cells, new)


def vector_borrow(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    oid, b = object_id(st, spec, values)
    index = arg(spec, values, "index")
    cell = _find_cell(st, oid, index)
    size = b.info.detail.get("elem_size")
    if not isinstance(size, int) or not 0 < size <= UNBOUNDED_CELL:
        raise Problem("unsupported-construct", f"the element size of {b.info.name} is not known")
    n = number(st)
    capacity = b.info.detail.get("capacity")
    if isinstance(capacity, int) and isinstance(index, int) and index >= capacity:
        raise Problem("unsupported-construct", f"cell {index} of {b.info.name} is borrowed; it has {capacity}")
    if cell is None:
        if closed(st, oid) and not st.library.get(("opaque", oid)) and isinstance(index, int):
            data = st.engine.callbacks.template(b.info.detail.get("init", 0), size)
        elif _is_large(st, oid, index):
            data = [X.uf(f"{b.info.name} byte {i}", 8, index) for i in range(size)]
        else:
            data = symbolic_bytes(f"{CELL}#{n}", size)
        info = ObjectInfo("cell", f"a cell of {b.info.name}", detail={"vector": oid, "index": index, "call": n})
        cell_id = st.allocate(info, list(data)) >> ADDRESS_BITS
        cell = Cell(index, cell_id, tuple(data), tuple(data), n)
        _replace_cell(st, oid, None, cell)
    else:
        _replace_cell(st, oid, cell, replace(cell, call=n))  # what was changed since the last return still counts
    address = cell.object << ADDRESS_BITS
    st.store(arg(spec, values, "out"), address, 8)
    record(st, spec, values, [Touch(oid, False, "borrow", (Part(index, 32),), index=True)], None, [("cell", address)])
    return 0


def vector_return(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    oid, _ = object_id(st, spec, values)
    index = arg(spec, values, "index")
    cell = _find_cell(st, oid, index)
    n = number(st)
    touches = []
    if cell is not None:
        touches = cell_write(st, oid, cell, index)
        now = tuple(st.memory[cell.object].data)
        _replace_cell(st, oid, cell, replace(cell, borrowed=now, call=n))
    if not touches:
        touches = [Touch(oid, False, "return", (Part(index, 32),), index=True)]
    record(st, spec, values, touches)
    return 0


def cell_write(st: State, oid: int, cell: Cell, index: int | Expr | None = None) -> list[Touch]:
    """The write that a cell has seen since it was borrowed, if any."""
    now = st.memory[cell.object].data
    if all(map(is_, now, cell.borrowed)):
        return []
    index = cell.index if index is None else index
    both = enumerate(zip(now, cell.borrowed, strict=True))
    changed = tuple((i, v) for i, (v, old) in both if v is not old and not same(v, old))
    return [Touch(oid, True, "return", (Part(index, 32),), index=True, stored=changed)] if changed else []


# ---------------------------------------------------------------------------------------------------------------- dchains


def _known_indices(st: State, oid: int) -> tuple[tuple[int | Expr, bool], ...]:
    return st.library.get(("indices", oid), ())  # type: ignore[no-any-return]


def _learn_index(st: State, oid: int, index: int | Expr, taken: bool) -> None:
    st.library[("indices", oid)] = (*_known_indices(st, oid), (index, taken))


def _bound_index(st: State, b: Block, index: Expr) -> None:
    capacity = b.info.detail.get("capacity")
    if isinstance(capacity, int) and 0 < capacity < 1 << 31:
        st.require(X.ult(index, capacity, 32))
    else:
        st.require(X.sle(0, index, 32))


def dchain_allocate(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    oid, b = object_id(st, spec, values)
    n = number(st)
    # 1 means that the chain is full, as in call paths
    full = fork_symbol(st, f"out_of_space#{n}")
    if full:
        record(st, spec, values, [Touch(oid, True, "allocate", None, index=True, found=False)], 0)
        return 0
    index = X.sym(f"new_index#{n}", 32)
    _bound_index(st, b, index)
    for other, taken in _known_indices(st, oid):
        if taken:
            st.require(X.not_(X.eq(index, other, 32), 1))
    _learn_index(st, oid, index, True)
    write_out(st, spec, values, index, 4, types)
    time = arg(spec, values, "time") if "time" in spec.roles else None
    touch = Touch(oid, True, "allocate", (Part(index, 32),), index=True, found=True, value=index, time=time)
    record(st, spec, values, [touch], 1, [(spec.params[spec.roles["out"]], index)])
    return 1


def _is_taken(st: State, oid: int, index: int | Expr) -> bool | None:
    """What the path knows of an index without forking."""
    for other, taken in reversed(_known_indices(st, oid)):
        k = st.known(X.eq(index, other, 32))
        if k == 1:
            return taken
        if k != 0:
            return None
    return None


def dchain_check(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    oid, _ = object_id(st, spec, values)
    index = arg(spec, values, "index")
    n = number(st)
    taken: bool | None = None
    for other, is_taken in reversed(_known_indices(st, oid)):
        if st.decide(X.eq(index, other, 32)):
            taken = is_taken
            break
    if taken is None:
        taken = fork_symbol(st, f"dchain_is_index_allocated#{n}")
        _learn_index(st, oid, index, taken)
    record(st, spec, values, [Touch(oid, False, "check", (Part(index, 32),), index=True, found=taken)], int(taken))
    return int(taken)


def dchain_rejuvenate(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    oid, _ = object_id(st, spec, values)
    index = arg(spec, values, "index")
    taken = _is_taken(st, oid, index)
    result = int(taken) if taken is not None else X.zext(X.sym(f"dchain_was_allocated#{number(st)}", 1), 1, 32)
    time = arg(spec, values, "time") if "time" in spec.roles else None
    touch = Touch(oid, True, "rejuvenate", (Part(index, 32),), index=True, found=taken, time=time)
    record(st, spec, values, [touch], result)
    return result


def dchain_free(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    oid, _ = object_id(st, spec, values)
    index = arg(spec, values, "index")
    taken = _is_taken(st, oid, index)
    result = int(taken) if taken is not None else X.zext(X.sym(f"dchain_was_allocated#{number(st)}", 1), 1, 32)
    _learn_index(st, oid, index, False)
    record(st, spec, values, [Touch(oid, True, "free", (Part(index, 32),), index=True, found=taken)], result)
    return result


def dchain_expire_one(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    """One expired index. A loop over all of them runs its body twice at most: after the first time, all that it changed is
    unknown, so the second time stands for every later one."""
    oid, b = object_id(st, spec, values)
    n = number(st)
    time = arg(spec, values, "time")
    before: Expiring | None = st.library.get(("expiring", oid))
    expired = (before is None or before.rounds < EXPIRED_ROUNDS) and fork_symbol(st, f"expired#{n}")
    if before is not None:
        changed = before.forget_changes(st, f"{AFTER_EXPIRING}{n}")
        if before.rounds == EXPIRED_ROUNDS and not changed <= before.changed:
            raise Problem("loop-limit", "this loop over expired entries changes other things each time")
    else:
        changed = frozenset()
    if not expired:
        st.library.pop(("expiring", oid), None)
        record(st, spec, values, [Touch(oid, True, "expire", None, found=False, time=time)], 0)
        return 0
    index = X.sym(f"expired_index#{n}", 32)
    _bound_index(st, b, index)
    rounds, earlier = (before.rounds, before.indices) if before is not None else (0, ())
    for other in earlier:
        st.require(X.not_(X.eq(index, other, 32), 1))
    st.library[("expiring", oid)] = Expiring.now(st, rounds + 1, changed, (*earlier, index))
    _learn_index(st, oid, index, False)
    write_out(st, spec, values, index, 4, types)
    touch = Touch(oid, True, "expire", None, found=True, value=index, time=time)
    record(st, spec, values, [touch], 1, [(spec.params[spec.roles["out"]], index)])
    return 1


def expire(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    """Everything older than a time goes; what the path knew of the objects is no longer sure."""
    oid, _ = object_id(st, spec, values)
    time = arg(spec, values, "time")
    ids = [oid]
    ids += [object_id(st, spec, values, role)[0] for role in ("vector", "map") if role in spec.roles]
    n = number(st)
    result = X.sym(f"number_of_freed_flows#{n}", 32)
    st.require(X.sle(0, result, 32))
    for i in ids:
        for namespace in ("entries", "indices", "a", "b"):
            st.library.pop((namespace, i), None)
    touches = [Touch(i, True, "expire", None, time=time) for i in ids]
    record(st, spec, values, touches, result)
    return result


def expire_range(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    """Erases the map entries whose keys stand in a range of cells, whoever's they are."""
    vec, _ = object_id(st, spec, values)
    map_id, _ = object_id(st, spec, values, "map")
    n = number(st)
    st.library.pop(("entries", map_id), None)
    result = X.sym(f"number_of_freed_flows#{n}", 32)
    st.require(X.sle(0, result, 32))
    touches = [Touch(vec, False, "expire-range", None), Touch(map_id, True, "expire-range", None)]
    record(st, spec, values, touches, result)
    return result


# ---------------------------------------------------------------------------------------------------- reads and updates


def _generic_key(
    st: State, spec: CallSpec, values: Values, types: Any, oid: int, b: Block
) -> tuple[tuple[Part, ...] | None, bool, Any]:
    """The key of a read or update: behind a pointer, an index, the selected one, or none (the whole object)."""
    if "key" in spec.roles:
        raw = key_bytes(st, b, spec, values, types)
        return key_parts(st, b, raw), False, [(spec.params[spec.roles["key"]], raw)]
    if "selected_key" in spec.flags:
        selected = st.library.get(("selected key", oid))
        if selected is None:
            return None, False, []
        return tuple(Part(v, 8) for v in selected), False, [("key", selected)]
    if "index" in spec.roles:
        index = arg(spec, values, "index")
        for e in reversed(entries(st, oid)):
            if e.value is not None and same(e.value, index):
                return e.key, False, []
        return (Part(index, 32),), True, []
    return None, False, []


def access(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    """`read` and `update`: of libVig's sketches and counters, and of any structure that a user describes."""
    oid, b = object_id(st, spec, values)
    parts, is_index, keys = _generic_key(st, spec, values, types, oid, b)
    n = number(st)
    result: int | Expr = 0
    if spec.result == "bool":
        result = X.zext(X.sym(f"{spec.symbol or spec.name}#{n}", 1), 1, 32)
    elif spec.result or spec.op == "read":
        result = X.sym(f"{spec.symbol or spec.name}#{n}", 32)
    outputs: list[tuple[str, int | Expr]] = []
    if "out" in spec.roles and arg(spec, values, "out") != 0:
        t = types[spec.roles["out"]]
        size = size_of(t.to) if isinstance(t, T.Pointer) and not isinstance(t.to, T.Void) else 8
        data = symbolic_bytes(f"{spec.symbol or spec.name}.out#{n}", size)
        st.store_bytes(arg(spec, values, "out"), data, size)
        outputs.append((spec.params[spec.roles["out"]], X.from_bytes(tuple(data))))
    numbers, time = numbers_given(spec, values, types)
    touch = Touch(
        oid, spec.op == "update", spec.op, parts, index=is_index, approximate="approximate" in spec.flags,
        arguments=numbers, time=time,
    )  # fmt: skip
    record(st, spec, values, [touch], result, outputs, keys)
    return result


def select_key(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    oid, b = object_id(st, spec, values)
    size = b.info.detail.get("key_size")
    known = tuple(st.load_bytes(arg(spec, values, "key"), size)) if isinstance(size, int) else None
    raw = known if known is not None else _hashed_bytes(st, spec, values, types, b)
    st.library[("selected key", oid)] = raw
    record(st, spec, values, [], None, (), [(spec.params[spec.roles["key"]], raw)])
    return 0


def _hashed_bytes(st: State, spec: CallSpec, values: Values, types: Any, b: Block) -> tuple[int | Expr, ...]:
    """The key of a sketch: what its hash function looks at, which may be less than the pointer leads to. Where that is not known: what
    the pointer's type says, else the variable that it points to."""
    t = types[spec.roles["key"]]
    pointer = arg(spec, values, "key")
    offsets = st.engine.callbacks.hashed(b.info.detail.get("hash") or 0)
    if offsets is not None:
        return tuple(v for o in offsets for v in st.load_bytes(X.add(pointer, o, 64), 1))
    if isinstance(t, T.Pointer) and not isinstance(t.to, (T.Void, T.Function)) and size_of(t.to):
        return tuple(st.load_bytes(pointer, size_of(t.to)))
    target = st.block(pointer) if isinstance(pointer, int) else None
    if target is not None and target.info.kind == "local" and not pointer & OFFSET_MASK:
        return tuple(st.load_bytes(pointer, target.size))
    raise Problem("unsupported-construct", f"the key of {b.info.name} has an unknown size")


def scan(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    oid, _ = object_id(st, spec, values)
    n = number(st)
    found = fork_symbol(st, f"{spec.symbol or spec.name}_found#{n}")
    chosen = X.sym(f"{spec.symbol or spec.name}#{n}", 32) if found and "out" in spec.roles else None
    touches = [Touch(oid, False, "scan", None, found=found, value=chosen)]
    if "also_reads" in spec.roles:
        touches.append(Touch(object_id(st, spec, values, "also_reads")[0], False, "read", None))
    outputs: list[tuple[str, int | Expr]] = []
    if chosen is not None:
        bound = arg(spec, values, "bound") if "bound" in spec.roles else None
        if bound is not None:
            st.require(X.ult(chosen, bound, 32))
        write_out(st, spec, values, chosen, 4, types)
        _learn_index(st, oid, chosen, True)
        outputs.append((spec.params[spec.roles["out"]], chosen))
    record(st, spec, values, touches, int(found), outputs)
    return int(found)


# ----------------------------------------------------------------------------------------------------------------- others


def environment(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    asked = st.library.get("environment", 0)  # each answer is one of its own
    st.library["environment"] = asked + 1
    return answer(st, f"{spec.symbol or spec.name}#{number(st)}.{asked}", spec.bits, values)


def hash_bytes(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    size = arg(spec, values, "size")
    if not isinstance(size, int):
        raise Problem("unsupported-construct", "a hash of an unknown number of bytes")
    data = st.load_bytes(arg(spec, values, "key"), size)
    return X.pure("hash_obj", 32, X.from_bytes(tuple(data)))


def ignore(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    return 0


def mark(st: State, spec: CallSpec, values: Values, types: Any) -> Any:
    note(st, spec)
    return 0


MODELS: dict[str, Model] = {
    "allocate": allocate,
    "map-get": map_get,
    "map-put": map_put,
    "map-add": map_add,
    "map-erase": map_erase,
    "vector-borrow": vector_borrow,
    "vector-return": vector_return,
    "dchain-allocate": dchain_allocate,
    "dchain-rejuvenate": dchain_rejuvenate,
    "dchain-check": dchain_check,
    "dchain-free": dchain_free,
    "dchain-expire-one": dchain_expire_one,
    "expire": expire,
    "expire-range": expire_range,
    "dmap-get-a": dmap_get_a,
    "dmap-get-b": dmap_get_b,
    "dmap-put": dmap_whole,
    "dmap-value": dmap_whole,
    "dmap-erase": dmap_whole,
    "fill": fill,
    "scan": scan,
    "read": access,
    "update": access,
    "select-key": select_key,
    "packet-borrow": packet_borrow,
    "packet-return": packet_return,
    "packet-unread": packet_unread,
    "packet-reshape": packet_reshape,
    "checksum": checksum,
    "environment": environment,
    "hash": hash_bytes,
    "ignore": ignore,
    "mark": mark,
}
