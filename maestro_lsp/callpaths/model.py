"""From `.call_path` files to the call paths that symbolic execution gives.

Takes `PathFile`s of one NF and the catalogue, and gives `CallPath`s in which packet bytes, library symbols and cells of vectors have the
names that our own execution gives them (`packet[26]`, `allocated_index#3`, `vector_data_reset#5`), so that everything built on call
paths works on either. Objects are known by the order of their allocation, because addresses differ between runs of KLEE.

A file whose start-up failed or in which no packet arrives describes no packet; `classify` says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..libvig.catalogue import CallSpec, Catalogue
from ..source.text import Span
from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.memory import ObjectInfo
from ..symbex.path import CELL, Call, CallPath, Chunk, Object, PacketWrite, Part, PathCondition, Touch
from ..symbex.regions import region_name
from .files import Argument, PathFile, Record
from .kquery import InvalidCallPath, Term
from .sites import Sites

Kind = Literal["packet", "no-packet", "start-failed"]

# Calls of the verification harness and of packet I/O that are read for what they say of the packet
RECEIVE, SEND, FREE, BROADCAST = "packet_receive", "packet_send", "packet_free", "packet_broadcast"
PRODUCE, CONSUME = "loop_invariant_produce", "loop_invariant_consume"
HARNESS = frozenset({"start_time", "current_time", PRODUCE, CONSUME, RECEIVE, SEND, FREE, BROADCAST, "packet_clone"})
PURE_SUFFIXES = ("_hash", "_eq", "_allocate")  # generated functions of a key: their results are symbols of the file
FRESH = {
    "map-get": "allocated_index", "map-add": "new_index", "dchain-allocate": "new_index", "dchain-expire-one": "expired_index",
    "dmap-get-a": "allocated_index", "dmap-get-b": "allocated_index",
}  # fmt: skip
MODEL_ONLY = "out_of_space"  # what KLEE's dchain says about itself, never a branch of the NF


def classify(file: PathFile) -> Kind:
    """Whether a file describes a packet."""
    received = next((c for c in file.calls if c.function == RECEIVE), None)
    if received is None:
        return "start-failed"
    return "packet" if received.result is None or received.result.value != 0 else "no-packet"


@dataclass(frozen=True, slots=True)
class Created:
    """An object that start-up allocates."""

    id: int  # 1 for the first allocation
    kind: str
    address: int
    detail: Mapping[str, object]
    record: Record


def created(file: PathFile, catalogue: Catalogue) -> dict[int, Created]:
    """The objects of a file by address."""
    out: dict[int, Created] = {}
    number = 0
    for c in file.calls:
        spec = catalogue.find(c.function, len(c.arguments))
        if spec is None or spec.op != "allocate":
            continue
        number += 1
        made = c.arguments[spec.roles["out"]].after
        if made is None or not isinstance(made.value, int) or (c.result is not None and c.result.value == 0):
            continue
        detail: dict[str, object] = {}
        for role, i in spec.roles.items():
            a = c.arguments[i]
            if role != "out":
                detail[role] = a.symbol or a.value.value
        out[made.value] = Created(number, spec.kind, made.value, detail, c)
    return out


def object_names(file: PathFile, objects: Mapping[int, Created]) -> dict[int, str]:
    """Names of objects by id: what the loop invariant calls them."""
    out: dict[int, str] = {}
    for c in file.calls:
        if c.function in (PRODUCE, CONSUME):
            for a in c.arguments:
                for v in (a.value, a.before):
                    made = objects.get(v.value) if v is not None and isinstance(v.value, int) else None
                    if made is not None:
                        out.setdefault(made.id, a.name)
    shared = Counter(out.values())  # an array of objects is one argument: number them
    taken: Counter[str] = Counter()
    for oid, name in sorted(out.items()):
        if shared[name] > 1:
            out[oid] = f"{name}[{taken[name]}]"
            taken[name] += 1
    return out


class Places:
    """One span for each call of the source: in the source, where `sites` has it, else in the first file that shows it."""

    def __init__(self, sites: Sites | None = None) -> None:
        self._sites = sites
        self._known: dict[tuple[str, int | None], Span] = {}

    def of(self, file: PathFile, c: Record) -> Span:
        """The span that stands for a call."""
        site = self._sites.at(c.function, c.line) if self._sites is not None else None
        if site is not None:
            return site
        here = Span(file.path, c.start, c.end)
        return here if c.line is None else self._known.setdefault((c.function, c.line), here)


@dataclass
class _Chunk:
    """A borrowed chunk: bytes from `first` of KLEE's array are bytes from `offset` of `array`."""

    address: int
    source: str
    first: int
    array: str
    offset: int
    length: int | Expr


@dataclass
class _Path:
    """A file on its way to a CallPath."""

    file: PathFile
    catalogue: Catalogue
    places: Places
    number: int
    objects: dict[int, Created]
    device: int = 0
    mapping: dict[Expr, int | Expr] = field(default_factory=dict)
    memo: dict[Expr, int | Expr] = field(default_factory=dict)
    chunks: list[_Chunk] = field(default_factory=list)
    regions: dict[str, Expr] = field(default_factory=dict)
    cells: dict[int, tuple[int, int | Expr, tuple[int | Expr, ...]]] = field(
        default_factory=dict
    )  # address -> vector, index, bytes
    selected: dict[int, tuple[Part, ...] | None] = field(default_factory=dict)  # the key that a sketch was told to use
    keys_of: dict[tuple[int, int | Expr], tuple[Part, ...]] = field(
        default_factory=dict
    )  # object, index -> the key it was found for
    writes: dict[tuple[str, int], int | Expr] = field(default_factory=dict)
    bounds: list[tuple[Expr, Span]] = field(default_factory=list)
    unknown: list[tuple[str, Span]] = field(default_factory=list)
    decided: set[Expr] = field(default_factory=set)  # what the conditions say
    records: list[tuple[Record, CallSpec]] = field(default_factory=list)  # those that become calls

    def build(self) -> CallPath:
        packet = self.packet_records()
        self.name_inputs(packet)
        self.name_chunks(packet)
        state = [(c, s) for c, s in ((c, self.state_spec(c)) for c in packet) if s is not None]
        self.records = state
        for n, (c, spec) in enumerate(state):
            self.name_results(n, c, spec)
        conditions = self.conditions()
        self.decided = {e for c in conditions for e in X.conjuncts(c.expr)}
        calls = [self.call(n, c, spec) for n, (c, spec) in enumerate(state)]
        for c in packet:
            if c.function == "packet_return_chunk":
                self.returned(c)
        writes = tuple(PacketWrite(a, o, v) for (a, o), v in sorted(self.writes.items(), key=lambda w: w[0]))
        conditions = (*conditions, *(PathCondition(e, True, s) for e, s in self.bounds))
        outcome, output = self.outcome(packet)
        chunks = tuple(Chunk(c.array, c.offset, c.length) for c in self.chunks)
        return CallPath(
            self.number, self.device, conditions, tuple(calls), chunks, writes, (), outcome, output, {},
            output if output is not None else (self.device if outcome == "drop" else 0xFFFF), tuple(sorted(self.regions.items())),
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------------------ naming

    def packet_records(self) -> list[Record]:
        """The calls from the packet's arrival to the end of its processing."""
        start = next(i for i, c in enumerate(self.file.calls) if c.function == RECEIVE)
        end = next(
            (i for i in range(start, len(self.file.calls)) if self.file.calls[i].function == CONSUME),
            len(self.file.calls),
        )
        return list(self.file.calls[start:end])

    def state_spec(self, c: Record) -> CallSpec | None:
        """The catalogue's entry for a call that belongs into a call path."""
        if c.function in HARNESS:
            return None
        spec = self.catalogue.find(c.function, len(c.arguments))
        if spec is None:
            if not c.function.endswith(PURE_SUFFIXES) and not self.catalogue.is_ignored(c.function):
                self.unknown.append((c.function, self.places.of(self.file, c)))
            return None
        return None if spec.op.startswith("packet-") or spec.op in ("ignore", "environment", "hash") else spec

    def rename(self, array: str, value: int | Expr, width: int) -> None:
        """Let an array's bytes mean a value, the first the least significant."""
        declared = self.file.arrays.get(array)
        for i in range(declared.size if declared is not None else 0):
            here = X.extract(value, 8 * i, min(8, width - 8 * i)) if 8 * i < width else 0
            self.mapping.setdefault(X.byte(array, i), X.zext(here, min(8, width - 8 * i), 8) if 8 * i < width else 0)

    def name_inputs(self, packet: Sequence[Record]) -> None:
        received = packet[0].argument(0)
        if received is None or not isinstance(received.value.value, int):
            raise InvalidCallPath("packet_receive does not say which device the packet came from", packet[0].start)
        self.device = received.value.value
        self.rename("VIGOR_DEVICE", self.device, 32)
        self.rename("pkt_len", X.sym("pkt_len", 16), 16)
        now = [c.result for c in self.file.calls if c.function == "current_time" and c.result is not None]
        array = _array_of(now[-1]) if now else None
        if array is not None:
            self.rename(array, X.sym("time", 64), 64)

    def name_chunks(self, packet: Sequence[Record]) -> None:
        position: int | Expr = 0
        for c in packet:
            spec = self.catalogue.find(c.function, len(c.arguments))
            if spec is None or spec.op != "packet-borrow":
                continue
            e = next((e for e in c.extras if e.after is not None), None)
            array = _array_of(e.after) if e is not None else None
            if e is None or e.after is None or array is None:
                raise InvalidCallPath(f"{c.function} does not say which bytes it gave (extra: the_chunk)", c.start)
            first = min(leaf.args[1] for leaf in X.leaves(e.after.value))
            name, offset = "packet", position
            if isinstance(position, Expr):
                base, offset = position, 0
                if position.op == "add" and isinstance(position.args[1], int):
                    base, offset = position.args
                name = region_name(base)
                self.regions[name] = base
            length = c.arguments[spec.roles["length"]].value
            size = X.zext(X.substitute(length.value, self.mapping), length.width, 64)
            self.chunks.append(_Chunk(e.address, array, first, name, offset, size))  # type: ignore[arg-type]
            declared = self.file.arrays[array].size
            for i in range(first, declared):  # a later chunk takes over from where it starts
                self.mapping[X.byte(array, i)] = X.byte(name, offset + i - first)  # type: ignore[operator]
            position = X.add(position, size, 64)

    def name_results(self, n: int, c: Record, spec: CallSpec) -> None:
        """Give the symbols that a call introduces the names that our execution gives them."""
        fresh = FRESH.get(spec.op) or spec.symbol or spec.name
        if "out" in spec.roles and spec.op != "vector-borrow":
            self.fresh(c.arguments[spec.roles["out"]].after, f"{fresh}#{n}", 32)
        if c.result is not None:
            name = "number_of_freed_flows" if spec.op.startswith("expire") else spec.symbol or spec.name
            self.fresh(c.result, f"{name}#{n}", 1 if spec.result == "bool" and spec.op in ("read", "update") else 32)
        for e in c.extras:
            if spec.op == "vector-borrow" and e.after is not None:
                for i, leaf in enumerate(X.bytes_of(e.after.value, e.after.width // 8)):
                    if isinstance(leaf, Expr) and leaf.op == "byte":
                        self.mapping.setdefault(leaf, X.byte(f"{CELL}#{n}", i))

    def fresh(self, term: Term | None, name: str, width: int) -> None:
        array = _array_of(term) if term is not None else None
        if array is not None and X.byte(array, 0) not in self.mapping:
            self.rename(array, X.sym(name, width), width)

    def value(self, term: Term) -> int | Expr:
        """A term of the file in our names."""
        return X.substitute(term.value, self.mapping, self.memo)

    def in32(self, term: Term) -> int | Expr:
        """An index or value, which libVig keeps in 32 bits."""
        return X.zext(self.value(term), term.width, 32)

    # ------------------------------------------------------------------------------------------------------------- calls

    def object(self, c: Record, spec: CallSpec, role: str = "object") -> int:
        v = c.arguments[spec.roles[role]].value.value
        made = self.objects.get(v) if isinstance(v, int) else None
        if made is None:
            raise InvalidCallPath(f"{c.function} is called on an object that no call of the file allocated", c.start)
        return made.id

    def call(self, n: int, c: Record, spec: CallSpec) -> Call:
        result = self.value(c.result) if c.result is not None else None
        if isinstance(result, Expr) and c.result is not None:
            zero = X.eq(result, 0, c.result.width)
            if isinstance(zero, Expr) and zero in self.decided:
                result = 0
            elif isinstance(zero, Expr) and X.not_(zero, 1) in self.decided:
                result = 1 if spec.op in ("dchain-check", "map-get", "scan") else result
        found = None if result is None or isinstance(result, Expr) else result != 0
        keys = self.keys(c, spec)
        outputs: list[tuple[str, int | Expr]] = []
        out = c.arguments[spec.roles["out"]] if "out" in spec.roles else None
        given = self.in32(out.after) if out is not None and out.after is not None else None
        if out is not None and given is not None and found is not False:
            outputs.append((out.name, given))
        if spec.op in ("map-get", "map-put", "map-add", "map-erase"):
            result = result if spec.op in ("map-get", "map-add") else None
        touches = self.touches(n, c, spec, found, given)
        span = self.places.of(self.file, c)
        arguments = tuple(self.value(a.value) for a in c.arguments)
        return Call(
            n, c.function, spec.op, arguments, result, tuple(outputs), tuple(touches), (span,), ("nf_process",), keys
        )

    def touches(self, n: int, c: Record, spec: CallSpec, found: bool | None, given: int | Expr | None) -> list[Touch]:
        """What a call does to its objects, as our own execution records it (symbex/library.py)."""
        op = spec.op
        if op == "checksum":
            return []
        oid = self.object(c, spec)
        if op == "select-key":
            self.selected[oid] = self.key(c, spec)
            return []
        time = _whole_time(self.value(c.arguments[spec.roles["time"]].value)) if "time" in spec.roles else None
        index = self.in32(c.arguments[spec.roles["index"]].value) if "index" in spec.roles else None
        at = (Part(index, 32),) if index is not None else None
        key = self.key(c, spec)
        value = given if found is not False else None
        if op in ("map-get", "map-add") and value is not None and key is not None:
            self.keys_of[oid, value] = key
        if op in ("map-get", "dmap-get-a", "dmap-get-b"):
            return [Touch(oid, False, op.removeprefix("map-").removeprefix("dmap-"), key, found=found, value=value)]
        if op == "map-put":
            stored = self.in32(c.arguments[spec.roles["value"]].value)
            pointer = c.arguments[spec.roles["key"]].value.value
            cell = self.cells.get(pointer) if isinstance(pointer, int) else None
            return [Touch(oid, True, "put", key, value=stored, key_cell=(cell[0], cell[1]) if cell else None)]
        if op == "map-add":
            return [Touch(oid, True, "add", key, found=found, value=value)]
        if op == "map-erase":
            return [Touch(oid, True, "erase", key)]
        if op == "vector-borrow":
            return [self.borrow(oid, c, at, index)]
        if op == "vector-return":
            return [self.give_back(oid, c, at)]
        if op == "dchain-allocate":
            if not found or value is None:
                return [Touch(oid, True, "allocate", None, index=True, found=False)]
            self.bound(oid, value, c)
            return [Touch(oid, True, "allocate", (Part(value, 32),), index=True, found=True, value=value, time=time)]
        if op in ("dchain-rejuvenate", "dchain-free", "dchain-check"):
            role = op.removeprefix("dchain-")
            stamp = time if role == "rejuvenate" else None
            return [Touch(oid, role != "check", role, at, index=True, found=found, time=stamp)]
        if op == "dchain-expire-one":
            return [Touch(oid, True, "expire", None, found=found, value=value, time=time)]
        if op == "expire":
            ids = [oid, *(self.object(c, spec, r) for r in ("vector", "map") if r in spec.roles)]
            return [Touch(i, True, "expire", None, time=time) for i in ids]
        if op == "expire-range":
            return [
                Touch(oid, False, "expire-range", None),
                Touch(self.object(c, spec, "map"), True, "expire-range", None),
            ]
        if op == "scan":
            scanned = [Touch(oid, False, "scan", None, found=found, value=value)]
            if "also_reads" in spec.roles:
                scanned.append(Touch(self.object(c, spec, "also_reads"), False, "read", None))
            return scanned
        if op in ("read", "update"):
            parts, is_index = key, False
            if "selected_key" in spec.flags:
                parts = self.selected.get(oid)
            elif "key" not in spec.roles and index is not None:
                parts = self.keys_of.get((oid, index))
                if parts is None:
                    parts, is_index = at, True
            approximate = "approximate" in spec.flags
            return [Touch(oid, op == "update", op, parts, index=is_index, approximate=approximate)]
        return [Touch(oid, op not in ("dmap-value",), "read" if op == "dmap-value" else "update", None)]

    def keys(self, c: Record, spec: CallSpec) -> tuple[tuple[str, tuple[int | Expr, ...]], ...]:
        parts = self.key(c, spec) if "key" in spec.roles else None
        if parts is None:
            return ()
        raw = tuple(b for p in parts for b in X.bytes_of(p.value, p.width // 8))
        return ((spec.params[spec.roles["key"]], raw),)

    def key(self, c: Record, spec: CallSpec) -> tuple[Part, ...] | None:
        """The fields of a key as traced, else its bytes. Fewer fields than there are would only make more packets meet."""
        if "key" not in spec.roles:
            return None
        a: Argument = c.arguments[spec.roles["key"]]
        fields = [f.before for f in a.fields if f.before is not None]
        if fields:
            return tuple(Part(self.value(f), f.width) for f in fields)
        if a.before is None:
            return None
        return tuple(Part(b, 8) for b in X.bytes_of(self.value(a.before), a.before.width // 8))

    def borrow(self, oid: int, c: Record, at: tuple[Part, ...] | None, index: int | Expr | None) -> Touch:
        for e in c.extras:
            if e.after is not None and index is not None:
                now = tuple(X.bytes_of(self.value(e.after), e.after.width // 8))
                self.cells[e.address] = (oid, index, now)
        return Touch(oid, False, "borrow", at, index=True)

    def give_back(self, oid: int, c: Record, at: tuple[Part, ...] | None) -> Touch:
        a = c.arguments[-1]
        pointer = a.value.value
        cell = self.cells.get(pointer) if isinstance(pointer, int) else None
        if a.before is None or cell is None:
            return Touch(oid, True, "return", at, index=True)  # what it holds is not traced: it may have changed
        now = tuple(X.bytes_of(self.value(a.before), a.before.width // 8))
        changed = tuple((i, v) for i, v in enumerate(now) if i >= len(cell[2]) or not _same(v, cell[2][i]))
        if isinstance(pointer, int):
            self.cells[pointer] = (cell[0], cell[1], now)
        return Touch(oid, bool(changed), "return", at, index=True, stored=changed)

    def bound(self, oid: int, index: int | Expr, c: Record) -> None:
        capacity = next((m.detail.get("capacity") for m in self.objects.values() if m.id == oid), None)
        if isinstance(capacity, int) and isinstance(index, Expr):
            below = X.ult(index, capacity, 32)
            if isinstance(below, Expr):
                self.bounds.append((below, self.places.of(self.file, c)))

    # ------------------------------------------------------------------------------------------------- packet, conditions

    def returned(self, c: Record) -> None:
        """What the NF wrote to a chunk stands where it gives the chunk back."""
        a = c.arguments[-1]
        chunk = next((k for k in reversed(self.chunks) if k.address == a.value.value), None)
        if chunk is None or a.before is None:
            return
        for i, v in enumerate(X.bytes_of(self.value(a.before), a.before.width // 8)):
            if v is not X.byte(chunk.array, chunk.offset + i):
                self.writes[chunk.array, chunk.offset + i] = v

    def conditions(self) -> tuple[PathCondition, ...]:
        out: list[PathCondition] = []
        span = Span(self.file.path, 0, 0)
        for term in self.file.constraints:
            if X.leaves(term.value).isdisjoint(self.mapping):
                continue  # about start-up or the harness only
            e = self.value(term)
            if isinstance(e, Expr) and X.leaves(e):
                out.append(PathCondition(e, _is_of_the_model(e), span))
        return tuple(out)

    def outcome(self, packet: Sequence[Record]) -> tuple[str, int | Expr | None]:
        sent = [self.value(c.arguments[-1].value) for c in packet if c.function == SEND and c.arguments]
        if any(c.function == BROADCAST for c in packet) or len(sent) > 1:
            return "flood", None
        if sent:
            return "forward", sent[0]
        return ("drop", None) if any(c.function == FREE for c in packet) else ("flood", None)


@dataclass(frozen=True, slots=True)
class Modelled:
    """What a file of kind "packet" becomes."""

    path: CallPath
    objects: Mapping[int, Created]  # by address
    unknown: tuple[tuple[str, Span], ...]  # calls of functions that nobody knows
    records: tuple[tuple[Record, CallSpec], ...]  # of the path's calls, by their numbers


def path_of(file: PathFile, catalogue: Catalogue, number: int, places: Places) -> Modelled:
    """The call path of a file of kind "packet".

    Raises:
        InvalidCallPath: when calls and objects do not fit together.
    """
    p = _Path(file, catalogue, places, number, created(file, catalogue))
    return Modelled(p.build(), p.objects, tuple(p.unknown), tuple(p.records))


def objects_of(file: PathFile, made: Iterable[Created], names: Mapping[int, str], places: Places) -> dict[int, Object]:
    """Objects of the call path model, by id."""
    out: dict[int, Object] = {}
    for m in made:
        name = names.get(m.id, f"{m.kind}#{m.id}")
        capacity = m.detail.get("capacity")
        info = ObjectInfo("handle", name, library_kind=m.kind, detail=dict(m.detail))
        span = Span(file.path, m.record.start, m.record.end)
        out[m.id] = Object(m.id, name, m.kind, info, span, capacity if isinstance(capacity, int) else None)
    return out


def _array_of(term: Term | None) -> str | None:
    """The array that a term reads, if it reads one only and nothing else."""
    if term is None:
        return None
    leaves = X.leaves(term.value)
    arrays = {leaf.args[0] for leaf in leaves if leaf.op == "byte"}
    return arrays.pop() if len(arrays) == 1 and all(leaf.op == "byte" for leaf in leaves) else None


def _whole_time(v: int | Expr) -> int | Expr:
    """A time of which the file shows the low 32 bits: Vigor's models trace `vigor_time_t` arguments of dchains so."""
    now = X.sym("time", 64)
    low = X.extract(now, 0, 32)
    if v is low:
        return now
    if isinstance(v, Expr) and v.op == "add" and v.args[0] is low and isinstance(v.args[1], int):
        return X.add(now, X.sext(v.args[1], 32, 64), 64)
    return v


def _same(a: int | Expr, b: int | Expr) -> bool:
    return a is b or (isinstance(a, int) and isinstance(b, int) and a == b)


def _is_of_the_model(e: Expr) -> bool:
    """Whether a condition is about what KLEE's dchain says of its space, which no NF can ask."""
    return any(leaf.op == "byte" and str(leaf.args[0]).startswith(MODEL_ONLY) for leaf in X.leaves(e))
