"""What models of library calls share: the record of a call, its arguments by role, keys and their equality."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..libvig.catalogue import CallSpec
from ..source import ctypes as T
from . import expr as X
from .expr import Expr
from .immutable import immutable
from .memory import ADDRESS_BITS, UNINITIALISED, Block, ObjectInfo, Problem, size_of
from .path import Part, Touch
from .state import Place, State

Values = list[Any]
Model = Callable[[State, CallSpec, Values, Any], Any]


@immutable(slots=True, eq=False)
class RawCall:
    """A call as recorded during execution, one for all paths that made it together; results.py makes `Call`s of them."""

    spec: CallSpec
    arguments: tuple[int | Expr, ...]
    result: int | Expr | None
    outputs: tuple[tuple[str, int | Expr], ...]
    touches: tuple[Touch, ...]
    place: Place
    keys: tuple[tuple[str, tuple[int | Expr, ...]], ...] = ()
    packet_changed: bool = False
    history: int = 0  # a number for what this call and those before it touch, and where they are made
    answer: frozenset[Expr] = frozenset()  # leaves of the result


@immutable(slots=True)
class Entry:
    """What a path knows of one key of a map."""

    key: tuple[Part, ...]
    raw: tuple[int | Expr, ...]  # the key's bytes
    value: int | Expr | None  # None: absent


@immutable(slots=True)
class Cell:
    """A cell of a vector that a path has borrowed."""

    index: int | Expr
    object: int  # id of its memory
    initial: tuple[int | Expr, ...]  # bytes before the path's first borrow
    borrowed: tuple[int | Expr, ...]  # bytes at the first borrow or the latest return
    call: int  # number of the latest call on it


# ------------------------------------------------------------------------------------------------------------- recording


def arg(spec: CallSpec, values: Values, role: str) -> Any:
    """The argument in a role."""
    return values[spec.roles[role]]


def numbers_given(spec: CallSpec, values: Values, types: Any) -> tuple[tuple[int | Expr, ...], int | Expr | None]:
    """The numbers that a call is given besides those of its roles, and the time."""
    known = {i for role, i in spec.roles.items() if role != "value"}
    others = tuple(
        v for i, v in enumerate(values)
        if i not in known and not (i < len(types) and isinstance(types[i], (T.Pointer, T.Array, T.Record)))
    )  # fmt: skip
    return others, arg(spec, values, "time") if "time" in spec.roles else None


def number(st: State) -> int:
    """The number of the call that is being made."""
    return len(st.calls)


def record(
    st: State,
    spec: CallSpec,
    values: Values,
    touches: Iterable[Touch],
    result: int | Expr | None = None,
    outputs: Iterable[tuple[str, int | Expr]] = (),
    keys: Iterable[tuple[str, tuple[int | Expr, ...]]] = (),
) -> None:
    note(st, spec)
    # what the same calls touch at the same places is one object, though the path's own variables may lie elsewhere
    place, given = st.place(), tuple(keys)
    key = (st.calls[-1].history if st.calls else 0, spec.name, place, result, tuple(touches), given)
    history, touched = st.engine.histories.setdefault(key, (len(st.engine.histories) + 1, key[4]))
    answer = X.leaves(result) if result is not None else frozenset()
    raw = RawCall(
        spec, tuple(values), result, tuple(outputs), touched, place, given, st.packet_is_changed(), history, answer
    )
    st.calls.append(raw)


def note(st: State, spec: CallSpec) -> None:
    """Keep where the path stands, if it was asked to at such calls."""
    if spec.op not in st.engine.marks or not st.tracking:
        return
    packet, dirty = [i for b in st.memory.values() if b.info.kind == "packet" for i in b.changed()], False
    for key, cells in st.library.items():
        if isinstance(key, tuple) and key[0] == "cells":
            dirty = dirty or any(
                not same(v, old) for c in cells for v, old in zip(st.memory[c.object].data, c.initial, strict=True)
            )
    noted = (len(st.calls), spec.op, tuple(packet), len(st.plain), dirty, st.place())
    st.library["marks"] = (*st.library.get("marks", ()), noted)


def object_id(st: State, spec: CallSpec, values: Values, role: str = "object") -> tuple[int, Block]:
    """The library object in a role."""
    v = arg(spec, values, role)
    if not isinstance(v, int):
        v = X.substitute(v, st.values, st.memo)
    if isinstance(v, int):
        b = st.memory.get(v >> ADDRESS_BITS)
        if b is not None and b.info.kind == "handle":
            return v >> ADDRESS_BITS, b
        if v == 0:
            raise Problem("unsupported-construct", f"{spec.name} is called on an object that nf_init has not created")
    raise Problem("unsupported-construct", f"{spec.name} is called on an object that the analysis cannot identify")


def write_out(
    st: State, spec: CallSpec, values: Values, value: int | Expr, size: int, types: Any, role: str = "out"
) -> None:
    """Store a value through an out parameter, in the size of what it points to."""
    at = spec.roles[role]
    if values[at] == 0:
        return
    t = types[at] if at < len(types) else None
    n = size
    if isinstance(t, T.Pointer) and isinstance(t.to, (T.Integer, T.Enum, T.Bool)) and size_of(t.to) > 1:
        n = size_of(t.to)
    st.store(values[at], X.zext(value, 8 * size, 8 * n) if n != size else value, n)


def closed(st: State, oid: int) -> bool:
    """Whether the object holds exactly what the state remembers: always at start-up, later only if packets never write it."""
    return not st.tracking or oid in st.engine.frozen


def fork_symbol(st: State, name: str) -> bool:
    """Decide a fresh one-bit symbol: the library may do either."""
    return st.decide(X.sym(name, 1))


# ------------------------------------------------------------------------------------------------------------------- keys


def key_bytes(
    st: State, b: Block, spec: CallSpec, values: Values, types: Any, role: str = "key"
) -> tuple[int | Expr, ...]:
    """The bytes behind a key pointer."""
    pointer = arg(spec, values, role)
    size = _key_size(st, b, spec, types, role)
    return tuple(st.load_bytes(pointer, size))


def _key_size(st: State, b: Block, spec: CallSpec, types: Any, role: str) -> int:
    detail = b.info.detail
    if detail.get("equality"):
        return st.engine.callbacks.equality(detail["equality"]).size
    size = detail.get("key_size") or spec.key_bytes
    if isinstance(size, int) and 0 < size <= 4096:
        return size
    t = types[spec.roles[role]] if spec.roles[role] < len(types) else None
    if isinstance(t, T.Pointer) and not isinstance(t.to, (T.Void, T.Function)):
        n = size_of(t.to)
        if n:
            return n
    raise Problem("unsupported-construct", f"the size of the keys of {b.info.name} is not known")


def key_parts(st: State, b: Block, raw: tuple[int | Expr, ...]) -> tuple[Part, ...] | None:
    """What decides which entry a key means; None when the equality function is no conjunction of equal parts."""
    if b.info.detail.get("equality"):
        e = st.engine.callbacks.equality(b.info.detail["equality"])
        if e.parts is None:
            return None
        known = st.engine.key_parts
        got = known.get((e.parts, raw))
        if got is None:
            names = {X.byte("key a", i): v for i, v in enumerate(raw)}
            got = known[e.parts, raw] = tuple(Part(X.substitute(p, names), w) for p, w in e.parts)
        return got
    return tuple(Part(v, 8) for v in raw)


def give_key_back(st: State, spec: CallSpec, values: Values, raw: tuple[int | Expr, ...]) -> None:
    """Store the pointer to an erased entry's key: to bytes equal to those of the key passed, in a cell that is not known, so that
    they may be read only."""
    if "out" in spec.roles and arg(spec, values, "out") != 0:
        st.store(arg(spec, values, "out"), st.allocate(ObjectInfo("text", "the key of an erased entry"), list(raw)), 8)


def cell_of_pointer(st: State, pointer: Any) -> tuple[int, int | Expr] | None:
    b = st.block(pointer) if isinstance(pointer, int) else None
    if b is not None and b.info.kind == "cell":
        return b.info.detail["vector"], b.info.detail["index"]
    return None


def same_key(st: State, b: Block, x: tuple[int | Expr, ...], y: tuple[int | Expr, ...]) -> int | Expr:
    """Whether two keys are equal to the map, as one bit."""
    if b.info.detail.get("equality"):
        e = st.engine.callbacks.equality(b.info.detail["equality"])
        known = st.engine.same_keys
        got = known.get((e.relation, x, y))
        if got is None:
            names: dict[Expr, int | Expr] = {X.byte("key a", i): v for i, v in enumerate(x)}
            names.update({X.byte("key b", i): v for i, v in enumerate(y)})
            got = known[e.relation, x, y] = X.substitute(e.relation, names)
        return got
    pairs = [(p, q) for p, q in zip(x, y, strict=False) if not (is_uninitialised(p) or is_uninitialised(q))]
    if not pairs:
        return 1
    return X.eq(X.from_bytes(tuple(p for p, _ in pairs)), X.from_bytes(tuple(q for _, q in pairs)), 8 * len(pairs))


def is_uninitialised(v: int | Expr) -> bool:
    """Whether a byte was never written (padding, usually)."""
    return isinstance(v, Expr) and any(x.op == "sym" and str(x.args[0]).startswith(UNINITIALISED) for x in X.leaves(v))


def entries(st: State, oid: int, namespace: str = "entries") -> tuple[Entry, ...]:
    return st.library.get((namespace, oid), ())  # type: ignore[no-any-return]


def lookup(st: State, oid: int, b: Block, raw: tuple[int | Expr, ...], namespace: str = "entries") -> Entry | None:
    """The newest entry whose key equals raw, deciding equalities as needed."""
    for e in reversed(entries(st, oid, namespace)):
        if st.decide(same_key(st, b, raw, e.raw)):
            return e
    return None


def remember(st: State, oid: int, entry: Entry, namespace: str = "entries") -> None:
    st.library[(namespace, oid)] = (*entries(st, oid, namespace), entry)


def same(a: int | Expr, b: int | Expr) -> bool:
    """Whether two values are the same constant or the same expression."""
    return a is b or (isinstance(a, int) and isinstance(b, int) and a == b)
