"""Call paths as `.call_path` text: for tools that read KLEE's files, and to compare runs by eye.

Takes a `CallPath` of either source with the NF's objects and gives a `PathFile`; `files.write` makes it text. What the format has no
word for (call stacks, plain C state) is left out; packet bytes keep their true offsets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from ..libvig.catalogue import CallSpec, Catalogue
from ..source.text import Span
from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.memory import ADDRESS_BITS
from ..symbex.path import CELL, Call, CallPath, Object
from .files import Argument, Extra, Field, PathFile, Record, listed
from .kquery import Array, Term, Writer

HANDLE, SLOT, CELL_AT, KEY_AT, CHUNK_AT, PACKET = 1 << 20, 2 << 20, 3 << 20, 4 << 20, 5 << 20, Term(6 << 20, 64)
DEFAULT_CELL = 64  # bytes of a cell whose size is not known


def export(
    path: CallPath,
    objects: Mapping[int, Object],
    catalogue: Catalogue,
    line: Callable[[Span], int | None] = lambda _: None,
) -> PathFile:
    """One path as a file; `line` gives the line of a call's place, from 1."""
    made = (_allocation(o, catalogue) for _, o in sorted(objects.items()) if o.kind not in ("global", "heap"))
    records: list[Record] = [r for r in made if r is not None]
    records.append(Record(None, "loop_invariant_produce", tuple(_names(objects)), None))
    records.append(Record(None, "current_time", (), Term(X.sym("time", 64), 64)))
    received = (Argument("src_devices", Term(path.device, 16)), Argument("p", Term(PACKET.value, 64)))
    records.append(Record(None, "packet_receive", received, Term(1, 1)))
    for n, chunk in enumerate(path.chunks):
        size = chunk.length if isinstance(chunk.length, int) else 1
        at = CHUNK_AT + n
        read = X.from_bytes(tuple(X.byte(chunk.array, chunk.offset + i) for i in range(max(size, 1))))
        arguments = (
            Argument("p", PACKET), Argument("length", Term(chunk.length, 64)),
            Argument("chunk", Term(SLOT, 64), traced=True, after=Term(at, 64)),
        )  # fmt: skip
        extra = Extra("the_chunk", at, None, Term(read, 8 * max(size, 1)))
        records.append(Record(None, "packet_borrow_next_chunk", arguments, None, (extra,)))
    cells: dict[tuple[int, object], int] = {}
    for c in path.calls:
        spec = catalogue.find(c.function, len(c.arguments))
        if spec is not None:
            records.append(replace(_call(c, spec, objects, cells), line=line(c.span)))
    written = {(w.array, w.offset): w.value for w in path.writes}
    for n, chunk in reversed(list(enumerate(path.chunks))):
        size = chunk.length if isinstance(chunk.length, int) else 1
        data = [
            written.get((chunk.array, chunk.offset + i), X.byte(chunk.array, chunk.offset + i))
            for i in range(max(size, 1))
        ]
        given = Argument(
            "the_chunk", Term(CHUNK_AT + n, 64), traced=True, before=Term(X.from_bytes(tuple(data)), 8 * len(data))
        )
        records.append(Record(None, "packet_return_chunk", (Argument("p", PACKET), given), None))
    if path.outcome == "forward" and path.output is not None:
        width = path.output.width if isinstance(path.output, Expr) else 16
        records.append(
            Record(None, "packet_send", (Argument("p", PACKET), Argument("dst_device", Term(path.output, width))), None)
        )
    else:
        records.append(
            Record(
                None, "packet_free" if path.outcome == "drop" else "packet_broadcast", (Argument("p", PACKET),), None
            )
        )
    # files have no mark for what models and assertions promise: readers would take it for decisions of the NF
    constraints = tuple(Term(c.expr, 1) for c in path.conditions if not c.assumed)
    values = tuple(t for r in records for t in listed(r))
    return PathFile(f"path{path.number:06}", _arrays(constraints, values, records), constraints, values, tuple(records))


def _names(objects: Mapping[int, Object]) -> Iterator[Argument]:
    """The objects by name, as Vigor's loop invariants list them: readers have no other word for what they are."""
    for oid, o in sorted(objects.items()):
        name = re.sub(r"\W", "_", o.name.replace("->", ".").rpartition(".")[2].replace("[", "_").replace("]", ""))
        if o.kind not in ("global", "heap"):
            yield Argument(name if name[:1].isalpha() or name[:1] == "_" else f"_{name}", Term(HANDLE + oid, 64))


def _allocation(o: Object, catalogue: Catalogue) -> Record | None:
    specs = [s for forms in catalogue.calls.values() for s in forms if s.op == "allocate" and s.kind == o.kind]
    spec = min(specs, key=lambda s: (sum(r not in o.info.detail for r in s.roles), s.name), default=None)
    if spec is None:
        return None
    arguments = []
    for i, name in enumerate(spec.params):
        role = next((r for r, k in spec.roles.items() if k == i), "")
        v = o.info.detail.get(role, 0)
        if role == "out":
            arguments.append(Argument(name, Term(SLOT + o.id, 64), traced=True, after=Term(HANDLE + o.id, 64)))
        elif isinstance(v, str):
            arguments.append(Argument(name, Term(0, 64), symbol=v))
        else:
            arguments.append(Argument(name, Term(v & ((1 << 64) - 1) if isinstance(v, int) else 0, 64)))
    return Record(None, spec.name, tuple(arguments), Term(1, 32))


def _call(c: Call, spec: CallSpec, objects: Mapping[int, Object], cells: dict[tuple[int, object], int]) -> Record:
    outputs, touched = dict(c.outputs), iter(c.touches)
    handles: dict[int, int] = {}
    order = [
        "object",
        *(("vector", "map") if spec.op == "expire" else ("map",) if spec.op == "expire-range" else ("also_reads",)),
    ]
    for role in order:
        if role in spec.roles and (t := next(touched, None)) is not None:
            handles[spec.roles[role]] = t.object
    first = c.touches[0] if c.touches else None
    extras: tuple[Extra, ...] = ()
    arguments: list[Argument] = []
    for i, name in enumerate(spec.params):
        v = c.arguments[i]
        a = Argument(name, Term(v, v.width if isinstance(v, Expr) else 64))
        if isinstance(v, int) and v >> ADDRESS_BITS in objects:
            a = Argument(name, Term(HANDLE + (v >> ADDRESS_BITS), 64))
        if i in handles:
            a = Argument(name, Term(HANDLE + handles[i], 64))
        elif i == spec.roles.get("key"):
            fields = first.key or () if first is not None else ()
            parts = tuple(
                Field(f"part{k}", Term(p.value, p.width), Term(p.value, p.width)) for k, p in enumerate(fields)
            )
            raw = next((raw for n, raw in c.keys if n == name), ())
            held = Term(X.from_bytes(raw), 8 * len(raw)) if raw else None
            where = KEY_AT + c.number
            if first is not None and first.key_cell is not None:
                where = cells.get(first.key_cell, where)
            a = Argument(name, Term(where, 64), traced=True, before=held, after=held, fields=parts)
        elif i == spec.roles.get("out") and name in outputs:
            given = outputs[name]
            a = Argument(
                name, Term(SLOT, 64), traced=True, after=Term(given, given.width if isinstance(given, Expr) else 32)
            )
        elif i == spec.roles.get("out"):
            a = Argument(name, Term(SLOT, 64))
        arguments.append(a)
    if first is not None and first.key and spec.op in ("vector-borrow", "vector-return"):
        size = objects[first.object].info.detail.get("elem_size") if first.object in objects else None
        n = size if isinstance(size, int) and 0 < size < 1 << 12 else DEFAULT_CELL
        place = (first.object, first.key[0].value)
        if spec.op == "vector-borrow":
            cells.setdefault(place, CELL_AT + c.number)
        number = cells.get(place, CELL_AT + c.number) - CELL_AT
        data = [X.byte(f"{CELL}#{number}", i) for i in range(n)]
        if spec.op == "vector-borrow":
            extras = (Extra("borrowed_cell", CELL_AT + number, None, Term(X.from_bytes(tuple(data)), 8 * n)),)
        else:
            stored = {**dict(enumerate(data)), **{k: v for k, v in first.stored if k < n}}
            now = Term(X.from_bytes(tuple(stored[i] for i in range(n))), 8 * n)
            arguments[-1] = Argument(spec.params[-1], Term(CELL_AT + number, 64), traced=True, before=now)
    result = None if c.result is None else Term(c.result, c.result.width if isinstance(c.result, Expr) else 32)
    return Record(None, c.function, tuple(arguments), result, extras)


def _arrays(constraints: tuple[Term, ...], values: tuple[Term, ...], records: list[Record]) -> dict[str, Array]:
    w = Writer()
    for t in (
        *constraints,
        *values,
        *(f.before for r in records for a in r.arguments for f in a.fields if f.before is not None),
    ):
        w.term(*t)
    return {name: Array(name, size) for name, size in w.arrays.items()}
