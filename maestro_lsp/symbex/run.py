"""Executing a whole NF: start-up, then every kind of packet on every device.

`execute` runs nf_config_init (when the program's arguments are known) and nf_init as written, then nf_process on a symbolic
packet for each device. Plain state and library objects that some packet writes hold anything when a packet arrives; what no
packet writes keeps what start-up stored. Which are which is found out by running: first as if plain state were constant and every
library object were not, then again with what that run has shown, until nothing new is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ..libvig.catalogue import Catalogue
from ..source import ctypes as T
from ..source.program import Program
from ..source.text import Span
from ..source.unit import FunctionDef
from . import expr as X
from .addresses import PREFIX, leak, naming
from .assigned import assigned_names, reached
from .calls import is_uninitialised, same
from .engine import Engine, Limits, Trouble
from .expr import Expr
from .follow import follow, last_step
from .library import cell_write
from .memory import ADDRESS_BITS, UNINITIALISED, ObjectInfo, Problem, size_of, symbolic_bytes
from .packets import arrived_mbuf
from .path import Call, CallPath, Object, PlainTouch, StartTouch, calls_of, distinct, plain_of
from .results import Paths
from .start_keys import changed_keys
from .state import PACKET_BYTES, PlainAccess, State

MAX_PASSES = 6
MAX_NESTING = 16  # of structs and arrays in one another, for names
START_LIMITS = Limits(paths=24, steps=200_000, solver_calls=400)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an execution depends on besides the program and the catalogue."""

    devices: int = 2
    arguments: tuple[str, ...] | None = None  # of the NF, without its name; None: not known
    config: Mapping[str, int] = field(default_factory=dict)  # "config.wan_device" -> value
    drop: int | None = None  # returned to drop a packet; None: the input device drops
    flood: int = 0xFFFF  # returned to flood
    limits: Limits = field(default_factory=Limits)
    keeps_contents: bool = (
        True  # objects that no packet writes hold what start-up stored; False: anything, as in Vigor's proofs
    )
    marks: frozenset[str] = frozenset()  # ops of calls at which paths note where they stand (`CallPath.marks`)


@dataclass(frozen=True)
class Execution:
    """All that symbolic execution found out about an NF."""

    paths: tuple[CallPath, ...]
    objects: Mapping[int, Object]  # those that paths touch
    troubles: tuple[Trouble, ...]
    entry: Span | None  # nf_process
    symbolic_config: bool  # configuration values are unknown constants
    engine: Engine | None = field(default=None, compare=False, repr=False)
    start: State | None = field(default=None, compare=False, repr=False)  # what nf_init left
    started: tuple[tuple[StartTouch, ...], ...] = ()  # for each way through start-up, how it fills maps and dchains
    follow: Callable[[CallPath], tuple[Span, ...]] | None = field(default=None, compare=False, repr=False)
    # the source ranges that a path runs through; while this is the latest execution
    last_step: Callable[[CallPath, tuple[str, int] | None], Span | None] | None = field(
        default=None, compare=False, repr=False
    )
    # where a path gives a byte of the packet its last value, or (None) decides where the packet goes; as long

    @property
    def complete(self) -> bool:
        """Whether the paths are all there are."""
        return not self.troubles and bool(self.paths)


def execute(program: Program, catalogue: Catalogue, inputs: Inputs, forget: bool = True) -> Execution:
    """Run an NF's start-up and packet processing symbolically.

    Never raises on user code: what cannot be executed is in `troubles`. With `forget` false its expressions can be compared with
    those of the execution before.
    """
    if forget:
        X.forget()
    program.relink()
    run = _Run(program, catalogue, inputs)
    return run.go()


def device_roles(execution: Execution, devices: int) -> tuple[str, ...]:
    """Configuration values that are not known and that packet processing compares with device numbers."""
    found: set[str] = set()
    for p in execution.paths:
        for c in p.conditions:
            for e in X.conjuncts(c.expr):
                inner = e.args[0] if e.op == "not" else e
                if inner.op != "eq" or not isinstance(inner.args[1], int) or inner.args[1] >= devices:
                    continue
                names = {str(leaf.args[0]) for leaf in X.leaves(inner)}
                if len(names) == 1 and next(iter(names)).startswith("config."):
                    found |= names
    return tuple(sorted(found))


class _Run:
    def __init__(self, program: Program, catalogue: Catalogue, inputs: Inputs) -> None:
        self.program = program
        self.inputs = inputs
        self.engine = Engine(program, catalogue, inputs.devices, inputs.arguments or (), START_LIMITS, inputs.marks)
        self.contents_known = inputs.keeps_contents
        self.stored: set[int] = set()  # library objects that some packet of some pass writes
        self.symbolic_config = False
        self.started: list[State] = []  # where start-up ends

    def entry(self, name: str) -> FunctionDef | None:
        for u in self.program.units:
            f = u.functions.get(name)
            if f is not None:
                return f
        return None

    def go(self) -> Execution:
        process = self.entry("nf_process")
        if process is None:
            return Execution(
                (), {}, (Trouble("missing-function", "nf_process is not defined", Span("", 0, 0)),), None, False
            )
        span = process.unit.span(process.node)
        base = self.start_up()
        if base is None:
            return Execution((), {}, tuple(self.engine.troubles), span, False, self.engine)
        self.engine.limits = self.inputs.limits
        self.engine.steps = self.engine.explored = self.engine.questions = self.engine.conditions = 0
        start_troubles = list(self.engine.troubles)
        ends: list[State] = []
        for _ in range(MAX_PASSES):
            self.engine.troubles = list(start_troubles)
            ends = self.packet(base, process)
            if any(t.code == "path-limit" for t in self.engine.troubles[len(start_troubles) :]):
                break
            if not self.learn(base, ends):
                break
        else:
            why = f"packets reach more state the longer the analysis looks; it stopped after {MAX_PASSES} rounds"
            self.engine.troubles.append(Trouble("path-limit", why, span))
        results = Paths(self.engine, self.inputs.drop, self.inputs.flood)
        paths = results.paths(ends)
        calls = calls_of(paths)
        self.report_leaks(base, distinct(paths), calls, span)
        for place, why in changed_keys(self.engine, base.havoc, self.started, distinct(paths)):
            self.engine.troubles.append(Trouble("unsupported-construct", why, self.engine.spans(place)[-1]))
        for f, why in self.engine.callbacks.objections(base):
            self.engine.troubles.append(Trouble("unsupported-construct", why, f.unit.span(f.node)))
        return Execution(
            paths, self.objects(base, calls, plain_of(paths)), tuple(self.engine.troubles), span, self.symbolic_config, self.engine, base,
            tuple(map(results.start_touches, self.started)), partial(self.follow, base, process),
            partial(self.last_step, base, process),
        )  # fmt: skip

    def report_leaks(self, base: State, paths: Sequence[CallPath], calls: Iterable[Call], entry: Span) -> None:
        """A trouble for each place at which something becomes visible that is not the same on every core."""
        private = dict(self.engine.private)
        if self.engine.addresses:
            private[PREFIX] = "where an object lies in memory, which is another place in every run and on every core"
        found = [(what, leak(p, shows)) for name, what in private.items() for shows in [naming(name)] for p in paths]
        # what was never written may be kept, as the padding of a struct is
        unset = naming(UNINITIALISED)
        found += [("a variable that was never set", leak(p, unset, kept=False)) for p in paths]
        compared = {oid for oid, b in base.memory.items() if b.info.detail.get("equality")}
        found += [("bytes that were never set", at_who) for c in calls for at_who in _unset_keys(compared, c)]
        for what, at_who in dict.fromkeys(found):
            if at_who is not None:
                at, who = at_who
                self.engine.troubles.append(Trouble("unsupported-construct", f"{who} {what}", at or entry))

    # -------------------------------------------------------------------------------------------------------- start-up

    def start_up(self) -> State | None:
        """The state after nf_config_init and nf_init; None when there is none."""
        st = self.engine.new_state()
        configured = self.configure(st)
        if configured is None:
            return None
        self.forget_what_main_sets(configured)
        init = self.entry("nf_init")
        if init is None:
            return configured
        return self.run_start(configured, init, [])

    def configure(self, st: State) -> State | None:
        f = self.configures()
        arguments = self.inputs.arguments
        if f is not None and len(f.params) == 2:
            words = ["nf", *(arguments or ())]
            pointers = [st.allocate(ObjectInfo("text", "argv"), list(w.encode() + b"\0")) for w in words]
            argv = st.allocate(ObjectInfo("heap", "argv"), [0] * (8 * len(words) + 8))
            for i, p in enumerate(pointers):
                st.store(argv + 8 * i, p, 8)
            st2 = self.run_start(st, f, [len(words), argv])
            if st2 is None and arguments is not None:
                return None
            st = st2 if st2 is not None else st
            if arguments is None:
                self.forget_numbers(st, f)
        config = self.config_global()
        if config is not None:
            if arguments is None:
                self.make_config_symbolic(st, config)
            self.set_config(st, config)
        st.library.pop("optind", None)
        return st

    def configures(self) -> FunctionDef | None:
        """The function that reads the program's arguments."""
        return self.entry("nf_config_init") or self.entry("nf_config_init_cmdline")

    def config_global(self) -> Any:
        g = self.engine.any_global("config")
        complete = g is not None and isinstance(g.type, T.Record) and T.sizeof_(g.type) is not None
        return g if complete else None  # nf.h declares a structure that an NF without a configuration never defines

    def make_config_symbolic(self, st: State, g: Any) -> None:
        """Without the program's arguments, numbers of `config` are constants that are not known; nor is what else stands there, where no
        nf_config_init says what pointers lead to."""
        address = self.engine.global_address(st, g)
        b = st.own(address >> ADDRESS_BITS)
        others = set(range(b.size))
        if self.configures():
            for _, at, t in _scalars("config", 0, g.type):
                if isinstance(t, T.Pointer):
                    others -= set(range(at, at + 8))
        for f in g.type.fields:
            if f.name is None or not isinstance(f.type, (T.Integer, T.Enum, T.Bool)) or f.bit_width is not None:
                continue
            n = size_of(f.type)
            others -= set(range(f.offset, f.offset + n))
            if f"config.{f.name}" in self.inputs.config:
                continue
            b.data[f.offset : f.offset + n] = [X.byte(f"config.{f.name}", i) for i in range(n)]
            self.symbolic_config = True
        for i in others:
            b.data[i] = X.byte(f"start:{self.engine.label(address >> ADDRESS_BITS, b.info.name)}", i)

    def set_config(self, st: State, g: Any) -> None:
        address = self.engine.global_address(st, g)
        for name, value in self.inputs.config.items():
            f = g.type.find(name.removeprefix("config."))
            if f is not None and isinstance(f.type, (T.Integer, T.Enum, T.Bool)):
                n = size_of(f.type)
                st.store(address + f.offset, value & ((1 << 8 * n) - 1), n)

    def run_start(self, st: State, f: FunctionDef, values: list[Any]) -> State | None:
        """Run a start-up function. What it reads from outside may be anything: the paths that succeed are merged."""
        engine = self.engine
        engine.explored = 0
        before = len(engine.troubles)
        try:
            code = engine.compile(f)
            engine.push(st, code, values, -1, 0)
        except Problem as p:
            engine.trouble(st, p, f)
            return None
        ends = engine.explore(st)
        returns_value = not isinstance(f.type.result, T.Void)
        good = [e for e in ends if not returns_value or e.result != 0]
        troubles = engine.troubles[before:]
        if not good:
            if not troubles:
                why = f"{f.name} fails whatever its inputs are"
                if values and self.inputs.arguments is not None:  # nf_config_init
                    given = " ".join(self.inputs.arguments) or "no arguments"
                    devices = f"{self.inputs.devices} device{'s' if self.inputs.devices != 1 else ''}"
                    why = f"{f.name} does not accept {given} on {devices}: see NF_ARGS and NF_DEVICES in the Makefile, or --devices"
                engine.troubles.append(Trouble("unsupported-construct", why, f.unit.span(f.node)))
            return None
        # one path, or paths that depend on files: then what was read may have been anything, and nothing is incomplete, unless
        # start-up does something that cannot be executed
        engine.troubles[before:] = [t for t in troubles if t.code in ("unsupported-construct", "missing-function")]
        if len(ends) > 1 or troubles:
            self.contents_known = False
        base = good[0]
        self.started = [st.clone() for st in (*good, *engine.abandoned)]
        for other in [*good[1:], *engine.abandoned]:
            _merge(base, other)
        engine.abandoned = []
        if any(t.code in ("path-limit", "loop-limit") for t in troubles):
            self.forget_numbers(base, f)
        base.conditions, base.facts, base.or_facts, base.values, base.memo, base.model = [], {}, [], {}, {}, {}
        base.loops = {}
        base.finished = False
        return base

    def forget_what_main_sets(self, st: State) -> None:
        """Globals that `main` may set by functions that are not executed, as from arguments: any numbers, the same for all packets."""
        main = self.entry("main")
        if main is not None:
            entries = ("nf_config_init", "nf_config_init_cmdline", "nf_init", "nf_process")
            run = [f for f in map(self.entry, entries) if f is not None]
            self.forget_numbers(st, main, reached(self.program, run), {"global"})

    def forget_numbers(
        self, base: State, f: FunctionDef, run: Set[str] = frozenset(), kinds: Set[str] = frozenset(("global", "heap"))
    ) -> None:
        """Start-up has more paths than were explored, or arguments that are not known: what the others store is not known. Numbers
        that they can reach become constants that are not known; pointers stay, since all explored paths agree on them (`_merge`)."""
        assigned = assigned_names(self.program, f, run)
        for u in self.program.units:  # those that no explored path has reached as well
            for name in sorted(assigned):
                g = self.program.global_(name, u)
                if g is not None:
                    try:
                        self.engine.global_address(base, g)
                    except Problem as p:
                        self.engine.trouble(base, p)
        for oid, b in list(base.memory.items()):
            if b.info.kind not in kinds or (b.info.kind == "global" and b.info.name not in assigned):
                continue
            if run and isinstance(b.info.type, T.Pointer):
                continue
            b = base.own(oid)
            for i in range(0, b.size, 8):
                word = X.from_bytes(tuple(b.data[i : i + 8]))
                if isinstance(word, int) and (word >> ADDRESS_BITS) in base.memory:
                    continue
                for j in range(i, min(i + 8, b.size)):
                    b.data[j] = X.byte(f"start:{base.engine.label(oid, b.info.name)}", j)

    # --------------------------------------------------------------------------------------------------------- packets

    def packet(self, base: State, process: FunctionDef) -> list[State]:
        """All paths of nf_process for a packet that arrives on any device."""
        st = self.arrival(base, process, *range(self.inputs.devices))
        return self.engine.explore(st) if st is not None else []

    def follow(self, base: State, process: FunctionDef, path: CallPath) -> tuple[Span, ...]:
        """The source ranges that a path of this execution runs through."""
        st = self.arrival(base, process, path.device)
        return follow(st, path.model) if st is not None else ()

    def last_step(self, base: State, process: FunctionDef, path: CallPath, byte: tuple[str, int] | None) -> Span | None:
        """The step of a path that gives a byte of the packet its last value, or the one that decides where the packet goes."""
        st = self.arrival(base, process, path.device)
        return last_step(st, path.model, byte) if st is not None else None

    def arrival(self, base: State, process: FunctionDef, *devices: int) -> State | None:
        """The state in which a packet has arrived on one of some devices and nf_process is about to run; None if it cannot be called."""
        st = base.clone()
        st.finished = False
        st.frames = []
        st.calls = []
        self._forget_contents(st)
        for oid, b in list(st.memory.items()):
            if b.info.kind == "cell" and b.info.detail["vector"] not in self.engine.frozen:
                # start-up kept a pointer into it: to packets it is memory like any other
                copy = st.own(oid)
                copy.info = replace(b.info, kind="heap", name=f"{b.info.name} {b.info.detail['index']}")
            self.engine.havoc_object(st, oid)
        arrived = symbolic_bytes("packet", PACKET_BYTES)
        packet = st.allocate(ObjectInfo("packet", "packet", detail={"arrived": arrived}), arrived[:])
        length = X.sym("pkt_len", 16)
        now = X.sym("time", 64)
        st.library["packet"] = packet
        st.library["time"] = now
        st.cursor = 0
        st.total_length = X.zext(length, 16, 64)
        try:
            device = devices[0] if len(devices) == 1 else self.engine.device
            values = self._parameters(st, process, device, packet, length, now)
            code = self.engine.compile(process)
            self.engine.push(st, code, values, -1, 0)
            self.engine.assume(st, X.sle(0, now, 64))
        except Problem as p:
            self.engine.trouble(st, p, process)
            return None
        st.devices = devices
        st.tracking = True
        return st

    def _parameters(
        self, st: State, f: FunctionDef, device: int | Expr, packet: int, length: Expr, now: Expr
    ) -> list[Any]:
        """Both entry signatures: (device, buffer, length, now) and (device, &buffer, length, now, mbuf)."""
        values: list[Any] = []
        for i, (_, t) in enumerate(f.params):
            if i == 0:
                width = 8 * size_of(t)
                values.append(X.extract(device, 0, width) if width < 16 else X.zext(device, 16, width))
            elif i == 1:
                if isinstance(t, T.Pointer) and isinstance(t.to, T.Pointer):
                    slot = st.allocate(ObjectInfo("local", "buffer"), [0] * 8)
                    st.store(slot, packet, 8)
                    values.append(slot)
                else:
                    values.append(packet)
            elif i == 2:
                values.append(X.zext(length, 16, 8 * size_of(t)))
            elif i == 3:
                values.append(X.extract(now, 0, 8 * size_of(t)))
            elif isinstance(t, T.Pointer):
                values.append(arrived_mbuf(st, t.to, device, packet, length))
            else:
                raise Problem("unsupported-construct", "nf_process has a parameter that the analysis does not know")
        return values

    def _forget_contents(self, st: State) -> None:
        """Library objects hold anything now, except those that no packet writes."""
        frozen = self.engine.frozen
        kept: dict[Any, Any] = {}
        for k, v in st.library.items():
            if isinstance(k, tuple) and (k[0] == "opaque" or k[-1] in frozen):
                kept[k] = v
            if k in ("environment", "the last message"):  # start-up may have kept a pointer to the message
                kept[k] = v
        st.library = kept

    def learn(self, base: State, ends: Sequence[State]) -> bool:
        """Note what packets write; whether another pass would see something else."""
        engine = self.engine
        again = False
        written: dict[int, set[int]] = {}
        whole: set[int] = set()
        reads: list[tuple[int, Any, int]] = []
        accesses = set[PlainAccess]().union(*[st.plain for st in ends])  # states share most of theirs
        for oid, at, size, write in {(a.object, a.offset, a.size, a.write) for a in accesses}:
            if not write:
                reads.append((oid, at, size))
            elif isinstance(at, int):
                written.setdefault(oid, set()).update(range(at, at + size))
            else:
                whole.add(oid)
        for oid, offsets in written.items():
            info = self._info(base, ends, oid)
            if info is None or info.detail.get("scratch"):
                continue
            new = offsets - engine.havoc_bytes.get(oid, frozenset())
            if new:
                engine.havoc_bytes[oid] = engine.havoc_bytes.get(oid, frozenset()) | new
                if not new.isdisjoint(engine.kept.get(oid, ())) or any(
                    o == oid and (not isinstance(at, int) or not new.isdisjoint(range(at, at + n)))
                    for o, at, n in reads
                ):
                    again = True
        if not whole <= base.havoc:
            base.havoc = base.havoc | whole
            again = True
        touched: set[int] = set()
        stored: set[int] = set()
        for c in {c for st in ends for c in st.calls}:
            for t in c.touches:
                (stored if t.write else touched).add(t.object)
        for st in ends:
            for key, cells in st.library.items():
                if isinstance(key, tuple) and key[0] == "cells":
                    for cell in cells:
                        if cell_write(st, key[1], cell):
                            stored.add(key[1])
        frozen = frozenset(touched - stored) if self.contents_known else frozenset()
        frozen -= {o for o in frozen if base.library.get(("opaque", o))}
        for oid in {a.object for a in accesses}:
            info = self._info(base, ends, oid)
            if info is not None and "vector" in info.detail:  # a cell that is reached by an old pointer
                frozen -= {info.detail["vector"]}
        self.stored |= stored
        frozen = (frozen | engine.frozen) - self.stored
        if frozen != engine.frozen:
            engine.frozen = frozen
            again = True
        return again

    def _info(self, base: State, ends: Sequence[State], oid: int) -> ObjectInfo | None:
        b = base.memory.get(oid)
        if b is None:
            b = next((st.memory[oid] for st in ends if oid in st.memory), None)
        return b.info if b is not None else None

    # ---------------------------------------------------------------------------------------------------------- results

    def objects(self, base: State, calls: Iterable[Call], plain: Iterable[PlainTouch]) -> dict[int, Object]:
        """The objects that paths touch, named as the program reaches them."""
        names = self.names(base)
        out: dict[int, Object] = {}
        for oid in sorted({t.object for c in calls for t in c.touches} | {q.object for q in plain}):
            b = base.memory.get(oid)
            info = b.info if b is not None else self.engine._infos.get(oid)
            if info is None:
                continue
            name = names.get(oid, info.name)
            if info.kind == "handle":
                place = info.detail.get("place")
                spans = self.engine.spans(place) if place else ()
                capacity = info.detail.get("capacity")
                out[oid] = Object(oid, name, info.library_kind, info, spans[-1] if spans else None,
                                  capacity if isinstance(capacity, int) else None)  # fmt: skip
            else:
                out[oid] = Object(oid, name, info.kind, info, self.engine.declaration(oid), None)
        return out

    def completed(self, t: T.CType) -> T.CType:
        """A record that its own unit only declares, as another unit defines it."""
        if isinstance(t, T.Record) and not t.is_complete and t.tag:
            for u in self.program.units:
                other = u.scope.record(t.kind, t.tag)
                if other.is_complete:
                    return other
        return t

    def names(self, base: State) -> dict[int, str]:
        """Names of library objects and heap blocks: the last two steps of the shortest way there from a global."""
        found: dict[int, str] = {}
        todo: list[tuple[str, int, T.CType, int]] = []
        for oid, b in sorted(base.memory.items()):
            if b.info.kind == "global" and b.info.type is not None:
                todo.append((b.info.name, oid << ADDRESS_BITS, b.info.type, 0))
        seen: set[tuple[int, str]] = set()
        while todo:
            name, address, t, depth = todo.pop(0)
            for step, at, ft in _scalars(name, address, self.completed(t)):
                if not isinstance(ft, T.Pointer) or depth > 6:
                    continue
                block = base.memory.get(at >> ADDRESS_BITS)
                off = at & 0xFFFFFFFF
                if block is None or off + 8 > block.size:
                    continue
                p = X.from_bytes(tuple(block.data[off : off + 8]))
                target = base.memory.get(p >> ADDRESS_BITS) if isinstance(p, int) else None
                if target is None or not isinstance(p, int):
                    continue
                tid = p >> ADDRESS_BITS
                label = "->".join(step.split("->")[-2:])
                if target.info.kind in ("handle", "heap"):
                    old = found.get(tid)
                    if old is None or (len(label), label) < (len(old), old):
                        found[tid] = label
                if (
                    target.info.kind in ("heap", "global")
                    and not isinstance(ft.to, (T.Void, T.Function))
                    and (tid, label) not in seen
                ):
                    seen.add((tid, label))
                    pointee = self.completed(ft.to)
                    n = T.sizeof_(pointee) or 0
                    room = target.size - (p & 0xFFFFFFFF)
                    count = min(room // n, 64) if n else 0
                    if count > 1:
                        todo.append((step, p, T.Array(pointee, count), depth + 1))
                    elif count == 1:
                        todo.append((step + "->", p, pointee, depth + 1))
        return found


def _scalars(name: str, address: int, t: T.CType, depth: int = 0) -> list[tuple[str, int, T.CType]]:
    """The scalar members of an object with their names and addresses."""
    if depth > MAX_NESTING:  # broken C: a struct that holds itself
        return []
    if isinstance(t, T.Record):
        out = []
        arrow = name.endswith("->")
        for f in t.fields:
            if f.bit_width is None:
                joined = (name if arrow else name + ".") + (f.name or "") if f.name else name
                out += _scalars(joined, address + f.offset, f.type, depth + 1)
        return out
    if isinstance(t, T.Array):
        n = T.sizeof_(t.of) or 0
        base = name.removesuffix("->")
        count = min(t.length or 0, 64)
        return [x for i in range(count) for x in _scalars(f"{base}[{i}]", address + i * n, t.of, depth + 1)]
    return [(name, address, t)]


def _merge(base: State, other: State) -> None:
    """Make base hold what both may hold: bytes that differ become constants that are not known."""
    for oid, b in list(base.memory.items()):
        o = other.memory.get(oid)
        if o is not None and o.info is not b.info and b.info.kind == "handle":
            unknown = {k: v for k, v in b.info.detail.items() if k in o.info.detail and o.info.detail[k] == v}
            base.own(oid).info = replace(
                b.info, detail={**dict.fromkeys(b.info.detail), **unknown, "place": b.info.detail.get("place")}
            )
        if o is None or o.data is b.data or o.size != b.size:
            continue
        for i, (x, y) in enumerate(zip(b.data, o.data, strict=True)):
            if not same(x, y):
                b = base.own(oid)
                b.data[i] = X.byte(f"start:{base.engine.label(oid, b.info.name)}", i)


def _unset_keys(compared: Set[int], c: Call) -> Iterator[tuple[Span | None, str]]:
    """Where a map's own equality function compares what was never set. Where maps compare all bytes, that is taken for padding."""
    for t in c.touches:
        if t.key and t.object in compared and any(is_uninitialised(part.value) for part in t.key):
            yield c.span, "the equality of keys depends on"
