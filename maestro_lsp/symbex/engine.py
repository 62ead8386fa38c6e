"""The engine: runs states, forks them, links names to code, globals and library models.

`Engine.explore` runs a state until every path of it has returned, ended or met a problem. Depth first, true side first, so the
order of paths is the order of the source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..libvig.catalogue import CallSpec, Catalogue
from ..source import ctypes as T
from ..source.program import Program
from ..source.text import Span
from ..source.unit import FunctionDef, GlobalDef, Unit
from . import conversions, initialisers, process, variadic  # noqa: F401  (all but initialisers register models)
from . import expr as X
from .callbacks import Callbacks
from .code import Code
from .expr import Expr
from .libc import LIBC
from .library import MODELS
from .link import Link
from .memory import ADDRESS_BITS, Block, ObjectInfo, Problem, modelled, size_of
from .solver import Solver
from .state import Apart, Condition, Fork, Frame, Place, PlainAccess, State, Stop
from .values import bits_of

MAX_DEPTH = 64  # frames
FIRST_DYNAMIC_ID = 1 << 20  # ids below belong to globals, statics, functions: the same on every path


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one analysis, all its passes and devices together, in units that do not depend on the machine."""

    paths: int = 4096
    steps: int = 400_000  # calls and loop iterations
    questions: int = 4000  # whether a branch can be taken
    solver_calls: int = 500  # those of them that Z3 was asked
    conditions: int = 250_000  # on the paths of all questions together: long paths make every question dear


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem at a place of the source."""

    code: str
    message: str
    span: Span
    functions: tuple[str, ...] = ()


class Engine:
    """Executes one NF's program. Not for use by two threads at once."""

    def __init__(
        self,
        program: Program,
        catalogue: Catalogue,
        devices: int,
        arguments: tuple[str, ...] = (),
        limits: Limits | None = None,
        marks: frozenset[str] = frozenset(),
    ) -> None:
        self.program = program
        self.catalogue = catalogue
        self.link = Link(program, catalogue)
        self.devices = devices
        self.device = X.sym("input device", 16)  # of a packet, in states that stand for several devices
        self.arguments = arguments  # of the program, without its name
        self.limits = limits or Limits()
        self.marks = marks  # ops of calls at which paths note where they stand
        self.solver = Solver()
        self.troubles: list[Trouble] = []
        self.steps = 0
        self.explored = 0  # paths
        self.questions = 0
        self.conditions = 0
        self.havoc_bytes: dict[
            int, frozenset[int]
        ] = {}  # bytes of plain state that hold anything when a packet arrives
        self.kept: dict[int, set[int]] = {}  # bytes of plain state that a packet may write, or leave as they are
        self.private: dict[str, str] = {}  # beginnings of names of unknowns that cores do not share, and what they are
        self.addresses: dict[
            Expr, int
        ] = {}  # unknowns that stand for where objects lie, with the executor's own choice
        self.same_keys: dict[tuple[int | Expr, tuple[int | Expr, ...], tuple[int | Expr, ...]], int | Expr] = {}
        self.key_parts: dict[tuple[tuple[tuple[Any, int], ...], tuple[int | Expr, ...]], tuple[Any, ...]] = {}
        # what `regions` knows about offsets in the packet that one byte decides
        self.tables: dict[Expr, Sequence[int]] = {}
        self.distances: dict[tuple[Expr, tuple[Expr, ...], bool], set[int]] = {}
        self.header_lengths: dict[Expr, bool] = {}
        self.initial: dict[int, tuple[int | Expr, ...]] = {}  # of globals and statics: what their initialisers say
        self.reads: dict[tuple[Any, ...], PlainAccess] = {}  # of plain state: many states do the same at one place
        # what calls touch, numbered, by the number before: `RawCall.history`
        self.histories: dict[tuple[Any, ...], tuple[int, tuple[Any, ...]]] = {}
        self._codes: dict[tuple[str, int], Code] = {}
        self._targets: dict[Any, Any] = {}
        self._ids: dict[Any, int] = {}
        self._global_ids: dict[int, int] = {}  # by the identities of definitions, which live as long as the program
        self._infos: dict[int, ObjectInfo] = {}
        self._functions: dict[int, tuple[str, Unit]] = {}
        self.callbacks = Callbacks(self)
        self._spans: dict[tuple[int, int], Span] = {}
        self.frozen: frozenset[int] = (
            frozenset()
        )  # library objects that no packet writes: what start-up stored is there
        self._declared: dict[int, Span] = {}
        self._labels: dict[str, int] = {}
        self.own_units = {
            u.path for u in program.units
        }  # the NF's files; helpers are added to the program as they are missed
        self.abandoned: list[State] = []  # where explorations stopped short

    # --------------------------------------------------------------------------------------------------------- linking

    def any_global(self, name: str) -> GlobalDef | None:
        """A global that some unit declares."""
        for u in self.program.units:
            g = self.program.global_(name, u)
            if g is not None:
                return g
        return None

    def config_names(self) -> frozenset[str]:
        """The numbers in the global structure `config`."""
        g = self.any_global("config")
        return frozenset(_numbers(g.type)) if g is not None else frozenset()

    def target(self, name: str, unit: Unit, count: int) -> Any:
        """What a call by name runs: Code, or a callable (state, values, types, result type) -> value."""
        key = (name, id(unit), count)
        got = self._targets.get(key)
        if got is None:
            got = self._targets[key] = self._resolve(name, unit, count)
        return got

    def _resolve(self, name: str, unit: Unit, count: int) -> Any:
        spec = self.catalogue.find(name, count)
        units = (unit, *self.program.units)
        own = next((u.functions[name] for u in units if u.path in self.own_units and name in u.functions), None)
        if spec is not None:
            described = spec is not Catalogue.builtin().find(name, count)  # by the user, whose word is taken
            redefined = f"this NF defines {name} itself, which is the name of a library function"
            return _library_call(spec) if own is None or described else _impossible(redefined)
        f = self.link.find_function(name, unit) or own  # with other parameters, a library's name may be the NF's
        if f is not None:
            return self.compile(f) if not self.program.is_ambiguous(f) else _impossible(f"{name} {OVERRIDDEN}")
        model = LIBC.get(name)
        if model is not None:

            def modelled_call(st: State, values: Any, types: Any, result: Any) -> Any:
                st.needs(*values)
                return model(st, values, types, result)

            return modelled_call
        if self.catalogue.is_ignored(name):
            return lambda st, values, types, result: 0

        def missing(st: State, values: Any, types: Any, result: Any) -> Any:
            raise Problem(
                "missing-function",
                f"{name} is called, but no file of this NF defines it; add its source, or describe it in maestro.toml",
            )

        return missing

    def compile(self, f: FunctionDef) -> Code:
        key = (f.name, id(f))
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = self.link.compiled(f)
        return code

    @property
    def reached(self) -> tuple[tuple[str, str], ...]:
        """The functions that were run, by unit and name."""
        return tuple((code.unit.path, code.name) for code in self._codes.values())

    def function_address(self, st: State, name: str, unit: Unit) -> int:
        f = self.link.find_function(name, unit)
        key = ("function", name, id(f) if f is not None else None)
        oid = self._id(key)
        if oid not in self._functions:
            self._functions[oid] = (name, unit)
        if oid not in st.memory:
            self._materialise(st, oid, ObjectInfo("function", name), [0] * 8)
        return oid << ADDRESS_BITS

    def function_at(self, st: State, address: int | Expr, count: int) -> Any:
        if not isinstance(address, int):
            st.needs(address)
            raise Problem("unsupported-construct", "a function pointer whose target is not known is called")
        got = self._functions.get(address >> ADDRESS_BITS)
        if got is None:
            raise Problem("unsupported-construct", "a pointer that is no function is called")
        name, unit = got
        return self.target(name, unit, count)

    def resolve_pointer(self, address: int | Expr) -> tuple[str, Unit] | None:
        """The function that an address stands for."""
        return self._functions.get(address >> ADDRESS_BITS) if isinstance(address, int) else None

    def push(self, st: State, code: Code, values: list[Any], register: int, resume: int) -> None:
        """Call compiled code: a new frame with its parameters."""
        self.tick()
        if len(st.frames) >= MAX_DEPTH:
            raise Problem("loop-limit", f"{code.name} is called {MAX_DEPTH} levels deep")
        more = tuple(values[len(code.params) :])
        if more:
            st.needs(*more)
        regs: list[Any] = [None] * code.registers
        for (in_memory, r, size, info), v in zip(code.params, values, strict=False):
            if in_memory:
                data = st.load_bytes(v, size) if isinstance(info.type, T.Record) else list(X.bytes_of(v, size))
                regs[r] = st.allocate(info, list(data))
            else:
                regs[r] = v
        if st.frames:
            st.frames[-1].resume = resume
        frame = Frame(code, regs, register, st.place(), more)
        st.frames.append(frame)
        st.regs = regs

    def tick(self) -> None:
        self.steps += 1
        if self.steps > self.limits.steps:
            raise Problem("path-limit", f"the analysis stopped after {self.limits.steps} calls and loop iterations")

    # --------------------------------------------------------------------------------------------------------- globals

    def _id(self, key: Any) -> int:
        oid = self._ids.get(key)
        if oid is None:
            oid = self._ids[key] = len(self._ids) + 1
        return oid

    def _materialise(self, st: State, oid: int, info: ObjectInfo, data: list[int | Expr]) -> None:
        info = self._infos.setdefault(oid, info)
        st.memory[oid] = Block(info, data, st)

    def text_address(self, st: State, name: str, data: bytes) -> int:
        """The address of a string literal, the same on all paths."""
        oid = self._id(("text", name, data))
        if oid not in st.memory:
            self._materialise(st, oid, ObjectInfo("text", name), list(data))
            self.initial.setdefault(oid, tuple(data))
        return oid << ADDRESS_BITS

    def global_address(self, st: State, g: GlobalDef) -> int:
        oid = self._global_ids.get(id(g))
        if oid is not None and oid in st.memory:
            return oid << ADDRESS_BITS
        key = ("static", g.unit.path, g.name) if g.static else ("global", g.name)
        if self._ids.get(key) is None and self._is_second_name(g):
            raise Problem("unsupported-construct", f"{g.name} is a second name of something else")
        if self._ids.get(key) is None and self.program.is_ambiguous(g):
            raise Problem("unsupported-construct", f"{g.name} {OVERRIDDEN}")
        address = self._static(st, key, g.name, self.link.global_type(g), g.init, g.unit, None, g.node, g.extern)
        self._global_ids[id(g)] = address >> ADDRESS_BITS
        return address

    def _is_second_name(self, g: GlobalDef) -> bool:
        """Whether any file says that a variable lies where another one does."""
        declared = [g] if g.static else [g, *(u.globals[g.name] for u in self.program.units if g.name in u.globals)]
        return any(map(is_second_name, declared))

    def static_address(
        self, st: State, key: Any, name: str, t: T.CType, init: Any, unit: Unit, scope: Any, node: Any
    ) -> int:
        return self._static(st, key, name, t, init, unit, scope, node)

    def _static(
        self,
        st: State,
        key: Any,
        name: str,
        t: T.CType,
        init: Any,
        unit: Unit,
        scope: Any,
        node: Any,
        is_elsewhere: bool = False,
    ) -> int:
        oid = self._id(key)
        if oid not in st.memory:
            try:
                size = size_of(t)
            except (TypeError, ValueError):
                size = 8
            info = ObjectInfo("global", name, t)
            if name in self.catalogue.scratch and unit.path not in self.own_units:
                info.detail["scratch"] = True
            self._materialise(st, oid, info, [0] * max(modelled(size, info.name), 1))
            if oid not in self._declared:
                self._declared[oid] = unit.span(node)
            if init is not None:
                self._run_initialiser(st, oid << ADDRESS_BITS, t, init, unit, scope)
            elif is_elsewhere and name not in self.catalogue.scratch:  # what stands there no file of the NF says
                b = st.own(oid)
                b.data[:] = [X.byte(f"start:{self.label(oid, name)}", i) for i in range(b.size)]
            self.initial.setdefault(oid, tuple(st.memory[oid].data))
            self.havoc_object(st, oid)
        return oid << ADDRESS_BITS

    def hidden_state(self, st: State, name: str) -> int:
        """The address of 8 bytes that the C library keeps for itself."""
        oid = self._id(("hidden", name))
        if oid not in st.memory:
            self._materialise(st, oid, ObjectInfo("global", name), [0] * 8)
            self.havoc_object(st, oid)
        return oid << ADDRESS_BITS

    def label(self, oid: int, name: str) -> str:
        """A name for an object's symbols that no other object has: statics and heap blocks may share theirs."""
        first = self._labels.setdefault(name, oid)
        return name if first == oid else f"{name}@{oid}"

    def havoc_object(self, st: State, oid: int) -> None:
        """Make the bytes that packets write hold anything."""
        offsets = self.havoc_bytes.get(oid)
        b = st.memory.get(oid)
        if offsets and b is not None:
            b = st.own(oid)
            for o in offsets:
                if o < b.size:
                    b.data[o] = X.byte(f"state:{self.label(oid, b.info.name)}", o)

    def _run_initialiser(self, st: State, address: int, t: T.CType, init: Any, unit: Unit, scope: Any) -> None:
        from .values import Lvalue

        c = self.link.of_initialiser(unit, init)
        c.at_file_scope = True
        if scope is not None:
            c.scopes = [scope]
        c.node = init
        initialisers.initialise(c, Lvalue(t, address=lambda s: address), init)
        c.node = init
        c._return(None)
        tracking, st.tracking = st.tracking, False
        try:
            self.nested(st, c.code, [])
        finally:
            st.tracking = tracking

    def nested(self, st: State, code: Code, values: list[Any]) -> Any:
        """Run code to its end within an instruction of st; it must not fork."""
        frames, regs, finished, result = st.frames, st.regs, st.finished, st.result
        st.frames, st.finished = [], False
        try:
            self.push(st, code, values, -1, 0)
            self.run(st)
            return st.result
        finally:
            st.frames, st.regs, st.finished, st.result = frames, regs, finished, result

    def declaration(self, oid: int) -> Span | None:
        """Where a global or static variable is declared."""
        return self._declared.get(oid)

    # --------------------------------------------------------------------------------------------------------- running

    def run(self, st: State) -> None:
        """Run until the outermost frame returns. Raises Fork, Stop or Problem."""
        while True:
            frame = st.frames[-1]
            instructions = frame.code.instructions
            pc = frame.pc
            while pc >= 0:
                frame.pc = pc
                pc = instructions[pc](st)
            if pc == -2:
                if st.finished:
                    return
                top = st.frames[-1]
                top.pc = top.resume

    def assume(self, st: State, c: int | Expr) -> None:
        """Assume a condition; ends the path when it cannot hold."""
        k = st.known(c)
        if isinstance(k, int):
            if not k:
                raise Stop
            return
        st.needs(k)
        self._satisfy(st, k)
        st.conditions.append(Condition(k, True, st.place()))
        st.learn(k)

    def _satisfy(self, st: State, k: Expr) -> None:
        if X.evaluate(k, st.model):
            return
        found = self._find(st, k)
        if found is None:
            raise Stop
        st.model = found

    def _find(self, st: State, c: Expr) -> dict[Expr, int] | None:
        self.questions += 1
        self.conditions += len(st.conditions)
        limits = self.limits
        if (
            self.questions > limits.questions
            or self.conditions > limits.conditions
            or self.solver.z3_calls > limits.solver_calls
        ):
            raise Problem("path-limit", f"the analysis stopped after {self.questions - 1} questions about branches")
        found = self.solver.find([x.expr for x in st.conditions], st.model, c)
        if isinstance(found, str):
            raise Problem("path-limit", "the solver gave up on whether this can happen")
        return found

    def possible(self, st: State, c: Expr) -> bool:
        """Whether a condition can hold on a path."""
        st.needs(c)
        return X.evaluate(c, st.model) != 0 or self._find(st, c) is not None

    def fork(self, st: State, c: Expr) -> State | None:
        """Split a state on a condition. Returns the state for the false side when both sides are possible; st takes the true
        side, or the only possible one."""
        n = X.not_(c, 1)
        assert not isinstance(n, int)
        true_now = X.evaluate(c, st.model) != 0
        other = self._find(st, n if true_now else c)
        if other is None:
            st.learn(c if true_now else n)
            return None
        place = st.place()
        twin = st.clone()
        if true_now:
            twin.model = other
        else:
            st.model = other
        st.conditions.append(Condition(c, False, place))
        st.learn(c)
        twin.conditions.append(Condition(n, False, place))
        twin.learn(n)
        return twin

    def explore(self, start: State) -> list[State]:
        """All paths of a state that return, in source order. Problems are recorded in `troubles`."""
        finished: list[State] = []
        stack = [start]
        while stack:
            st = stack.pop()
            while True:
                try:
                    self.run(st)
                    count = max(len(st.devices), 1)
                    mixed = isinstance(st.result, Expr) and not X.leaves(st.result) <= {self.device}
                    finished += st.tell_apart() if len(st.devices) > 1 and mixed else [st]
                    self.explored += count
                    if self.explored >= self.limits.paths and stack:
                        raise Problem("path-limit", f"the analysis stopped after {self.limits.paths} paths")
                except Fork as f:
                    try:
                        twin = self.fork(st, f.condition)
                    except Problem as p:
                        self.trouble(st, p)
                        self.abandoned += [st, *stack]
                        return finished
                    if twin is not None:
                        stack.append(twin)
                    continue
                except Apart:
                    stack += reversed(st.tell_apart())
                except Stop:
                    pass
                except Problem as p:
                    self.trouble(st, p)
                    self.abandoned.append(st)
                    if p.code == "path-limit":
                        self.abandoned += stack
                        return finished
                except RecursionError:
                    self.trouble(st, Problem("unsupported-construct", "this expression is too deep"))
                    self.abandoned.append(st)
                break
        return finished

    def trouble(self, st: State, p: Problem, entry: FunctionDef | None = None) -> None:
        """Record a problem where st stands, or at the function that it could not enter."""
        place = st.place() if st.frames else ()
        spans = self.spans(place)
        if spans:
            t = Trouble(p.code, p.message, spans[-1], tuple(c.name for c, _ in place))
        else:
            t = Trouble(p.code, p.message, entry.unit.span(entry.node) if entry is not None else Span("", 0, 0))
        if t not in self.troubles:
            self.troubles.append(t)

    def spans(self, place: Place) -> tuple[Span, ...]:
        """The source ranges of a place, outermost first."""
        out = []
        for code, pc in place:
            key = (id(code), pc)
            s = self._spans.get(key)
            if s is None:
                s = self._spans[key] = code.span(min(pc, len(code.nodes) - 1))
            out.append(s)
        return tuple(out)

    def new_state(self) -> State:
        st = State(self)
        st.next_id = FIRST_DYNAMIC_ID
        return st

    def info(self, oid: int) -> ObjectInfo | None:
        """What a global or static variable, or a string literal, is."""
        return self._infos.get(oid)

    def object_name(self, oid: int) -> str:
        """What a global or static variable is called."""
        info = self._infos.get(oid)
        return info.name if info is not None else "memory"


OVERRIDDEN = (
    "is defined in several files: some of the definitions are weak, and which one the linker takes is not modelled"
)


def _impossible(why: str) -> Callable[..., Any]:
    def run(st: State, values: Any, types: Any, result: Any) -> Any:
        raise Problem("unsupported-construct", why)

    return run


def _library_call(spec: CallSpec) -> Callable[..., Any]:
    model = MODELS[spec.op]

    def run(st: State, values: list[Any], types: Any, result: Any) -> Any:
        st.engine.tick()
        st.needs(*values)
        v = model(st, spec, values, types)
        return _as_declared(st, v, result) if isinstance(v, Expr) else v

    return run


def _as_declared(st: State, v: Expr, result: T.CType) -> Expr | int:
    """What a model returns, in the width of the caller's prototype: users declare functions of their own as they like."""
    if not isinstance(result, (T.Integer, T.Enum, T.Bool)) or v.width == bits_of(result):
        return v
    width = bits_of(result)
    if isinstance(result, T.Bool):
        return X.zext(X.nonzero(v, v.width), 1, width)
    if width < v.width:
        return X.extract(v, 0, width)
    more = width - v.width  # bits of which the model says nothing
    return X.concat(((X.sym(f"high#{len(st.calls)}.{st.library.get('environment', 0)}", more), more), (v, v.width)))


def _numbers(t: T.CType) -> Iterator[str]:
    """The names by which a structure's own numbers are reached, those of nameless structures and unions in it too."""
    for f in t.fields if isinstance(t, T.Record) else ():
        if f.name is None:
            yield from _numbers(f.type)
        elif isinstance(f.type, (T.Integer, T.Enum, T.Bool)):
            yield f.name


_SECOND_NAME = re.compile(rb"\b_*asm_*\s*\(")


def is_second_name(g: GlobalDef) -> bool:
    """Whether a variable's declaration gives it another variable's memory, or a name of the linker's."""
    node = g.node
    while node.parent is not None and node.type != "declaration":
        node = node.parent
    text = node.text or b""
    if g.init is not None:
        text = text[: g.init.start_byte - node.start_byte]
    return _SECOND_NAME.search(text) is not None
