"""One execution state: frames, memory, what is known, what was called.

A state is run by the engine until it needs to know a condition that is not decided (`Fork`), until it ends (`Stop`), or until it
meets something that cannot be executed (`Problem`). Instructions decide everything before they change anything, so the engine
can clone the state at a fork and run the same instruction again in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import expr as X
from .expr import Expr
from .immutable import immutable
from .memory import ADDRESS_BITS, OFFSET_MASK, Block, ObjectInfo, Problem, modelled, symbolic_bytes
from .path import CELL
from .regions import check_aliases, region_name

if TYPE_CHECKING:
    from .calls import RawCall
    from .code import Code
    from .engine import Engine

ITE_LIMIT = (
    64  # positions of a symbolic index that are told apart; beyond, the element is an uninterpreted function of it
)
PACKET_BYTES = 512  # of the packet that are modelled, and of each part of it at a symbolic offset
LAST_LINE_OF_STRUCT = 1 << 31  # a constant offset above this is a negative one

FIRST_LOCAL_ID = (
    1 << 30
)  # of local variables: what is allocated at start-up has the same id on all its paths, whatever they call


class Fork(Exception):
    """The state cannot go on without knowing a condition."""

    def __init__(self, condition: Expr) -> None:
        self.condition = condition


class Apart(Exception):
    """The state cannot go on for several input devices together."""


class Stop(Exception):
    """The path ends here without returning (exit, abort, or an assumption that does not hold)."""


Place = tuple[tuple["Code", int], ...]  # (function's code, instruction) of each frame, outermost first


@immutable(slots=True, eq=False)
class Condition:
    """One element of a path condition."""

    expr: Expr  # one bit, holds on the path
    assumed: bool  # by contract or assertion, rather than tested by a branch
    place: Place


@immutable(slots=True, eq=False)
class PlainAccess:
    """A read or write of a global's or heap block's bytes."""

    object: int
    offset: int | Expr
    size: int
    write: bool
    place: Place
    value: int | Expr | None = None  # what is written


class Frame:
    """An activation of a function."""

    __slots__ = ("code", "more", "outer", "pc", "regs", "result", "resume")

    def __init__(self, code: Code, regs: list[Any], result: int, outer: Place, more: tuple[Any, ...] = ()) -> None:
        self.code = code
        self.more = more  # arguments behind the parameters
        self.outer = outer  # where the frames around it stand, as long as it runs
        self.regs = regs
        self.pc = 0
        self.resume = 0  # instruction to go on with when the called frame returns
        self.result = result  # register of the caller that receives the returned value

    def copy(self) -> Frame:
        f = Frame.__new__(Frame)
        f.code, f.regs, f.pc, f.result, f.resume = self.code, self.regs[:], self.pc, self.result, self.resume
        f.outer, f.more = self.outer, self.more
        return f


class State:
    """See the module. `regs` is the top frame's register list; compiled code reads and writes it directly."""

    __slots__ = (
        "calls",
        "conditions",
        "cursor",
        "devices",
        "engine",
        "facts",
        "finished",
        "frames",
        "functions",
        "globals",
        "havoc",
        "library",
        "loops",
        "memo",
        "memory",
        "model",
        "next_id",
        "next_local_id",
        "or_facts",
        "plain",
        "regions",
        "regs",
        "result",
        "total_length",
        "tracking",
        "values",
        "written",
    )  # fmt: skip

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.frames: list[Frame] = []
        self.regs: list[Any] = []
        self.memory: dict[int, Block] = {}
        self.next_id = 1
        self.next_local_id = FIRST_LOCAL_ID
        self.globals: dict[Any, int] = {}  # GlobalDef identity -> address; shared by clones, filled on demand
        self.functions: dict[int, Any] = {}  # address -> function
        self.conditions: list[Condition] = []
        self.facts: dict[Expr, int] = {}  # one-bit expressions whose value is known
        self.or_facts: list[Expr] = []  # disjunctions that hold, undecided
        self.values: dict[Expr, int | Expr] = {}  # expressions known to equal a constant
        self.memo: dict[Expr, int | Expr] = {}  # of substitution by `values`
        self.model: dict[Expr, int] = {}  # satisfies all conditions
        self.calls: list[RawCall] = []
        self.library: dict[Any, Any] = {}  # what library models remember along this path
        self.plain: dict[PlainAccess, None] = {}  # in order; what is read again at one place once
        self.written: dict[int, frozenset[int]] = {}  # bytes of state written on this path
        self.havoc: frozenset[int] = frozenset()  # objects with symbolic-offset writes by some packet
        self.tracking = False  # accesses to globals and heap are recorded
        self.devices: tuple[int, ...] = ()  # the packet has arrived on one of these
        self.cursor: int | Expr = 0  # bytes of the packet borrowed so far (64 bits)
        self.total_length: int | Expr = 0  # of the packet (64 bits)
        self.regions: dict[Expr, int] = {}  # symbolic packet offset -> object that holds the bytes there
        self.loops: dict[Any, tuple[int, int, int]] = {}  # iterations, decisions, conditions then
        self.finished = False
        self.result: int | Expr | None = None

    def clone(self) -> State:
        s = State.__new__(State)
        s.engine = self.engine
        s.frames = [f.copy() for f in self.frames]
        s.regs = s.frames[-1].regs if s.frames else []
        s.memory = dict(self.memory)
        s.next_id = self.next_id
        s.next_local_id = self.next_local_id
        s.globals = dict(self.globals)
        s.functions = self.functions
        s.conditions = self.conditions[:]
        s.facts = dict(self.facts)
        s.or_facts = self.or_facts[:]
        s.values = dict(self.values)
        s.memo = self.memo  # holds for both until one learns another value
        s.model = dict(self.model)
        s.calls = self.calls[:]
        s.library = dict(self.library)
        s.plain = self.plain.copy()
        s.written = dict(self.written)
        s.havoc = self.havoc
        s.tracking = self.tracking
        s.devices = self.devices
        s.cursor = self.cursor
        s.total_length = self.total_length
        s.regions = dict(self.regions)
        s.loops = dict(self.loops)
        s.finished = self.finished
        s.result = self.result
        for b in self.memory.values():  # both sides must copy a block before they write it
            b.owner = None
        return s

    # --------------------------------------------------------------------------------------------------------- places

    def place(self) -> Place:
        """Where execution stands, outermost frame first."""
        if not self.frames:
            return ()
        top = self.frames[-1]
        return (*top.outer, (top.code, top.pc))

    # ----------------------------------------------------------------------------------------------------- conditions

    def known(self, c: int | Expr) -> int | Expr:
        """A condition simplified by what is known on this path: 0, 1 or what is left of it."""
        if isinstance(c, int):
            return c
        v = self.facts.get(c)
        if v is not None:
            return v
        if self.values:
            s = X.substitute(c, self.values, self.memo)
            if s is not c:
                if isinstance(s, int):
                    return s
                return self.facts.get(s, s)
        return c

    def decide(self, c: int | Expr) -> bool:
        """The truth of a one-bit condition; raises Fork when the path does not decide it."""
        k = self.known(c)
        if isinstance(k, int):
            return k != 0
        if k.op in ("and", "or"):
            a, b = self.known(k.args[0]), self.known(k.args[1])
            if isinstance(a, int) or isinstance(b, int):
                return self.decide(X.and_(a, b, 1) if k.op == "and" else X.or_(a, b, 1))
        self.needs(k)
        raise Fork(k)

    def needs(self, *values: Any) -> None:
        """To be called before values are looked at, or leave the program's own variables: raises Apart while they depend on which
        of several devices a packet has arrived on."""
        if len(self.devices) > 1 and any(self.engine.device in X.leaves(v) for v in values if isinstance(v, Expr)):
            raise Apart

    def tell_apart(self) -> list[State]:
        """One state for each input device, this one being the first. Until then the device's number is only in variables on the
        stack and in the arrived mbuf, since all else has asked (`needs`)."""
        states = [self, *(self.clone() for _ in self.devices[1:])]
        for st, number in zip(states, self.devices, strict=True):
            st.devices = (number,)
            st._name_device(number)
        return states

    def _name_device(self, number: int) -> None:
        symbol = self.engine.device
        mapping: dict[Expr, int | Expr] = {symbol: number}
        memo: dict[Expr, int | Expr] = {}

        def named(v: Any) -> Any:
            return X.substitute(v, mapping, memo) if isinstance(v, Expr) and symbol in X.leaves(v) else v

        for f in self.frames:
            f.regs[:] = map(named, f.regs)
        self.result = named(self.result)
        variables = [oid for oid, b in self.memory.items() if b.info.kind in ("local", "mbuf")]
        for oid in variables:
            if any(isinstance(v, Expr) and symbol in X.leaves(v) for v in self.memory[oid].data):
                b = self.own(oid)
                b.data[:] = map(named, b.data)
        for key, v in self.library.items():
            if isinstance(key, tuple) and key[0] == "expiring":
                self.library[key] = v.renamed(named, variables)
            elif key == "mbuf":
                self.library[key] = tuple(map(named, v))

    def learn(self, c: int | Expr) -> None:
        """Take a condition as true from here on (without adding it to the path condition)."""
        todo = [c]
        while todo:
            e = todo.pop()
            if isinstance(e, int) or self.facts.get(e) == 1:
                continue
            self.facts[e] = 1
            n = X.not_(e, 1)
            if not isinstance(n, int):
                self.facts[n] = 0
            op = e.op
            if op == "and":
                todo += e.args
            elif op == "or":
                self.or_facts.append(e)
            elif op == "not":
                inner = e.args[0]
                if inner.op == "or":
                    todo += [X.not_(inner.args[0], 1), X.not_(inner.args[1], 1)]
                elif inner.op == "and":
                    self.or_facts.append(X.or_(X.not_(inner.args[0], 1), X.not_(inner.args[1], 1), 1))  # type: ignore[arg-type]
                elif inner.width == 1 and X.is_leaf(inner):
                    self._bind(inner, 0)
            elif op == "eq":
                if isinstance(e.args[1], int):
                    self._bind(e.args[0], e.args[1])
            elif op in ("sym", "uf"):
                self._bind(e, 1)
            for o in self.or_facts[:]:
                if isinstance(o, int):
                    continue
                a, b = self.known(o.args[0]), self.known(o.args[1])
                if a == 0 or b == 0:
                    self.or_facts.remove(o)
                    todo.append(b if a == 0 else a)
                elif a == 1 or b == 1:
                    self.or_facts.remove(o)

    def _bind(self, e: Expr, value: int) -> None:
        self.values[e] = value
        self.memo = {}
        if e.op == "concat":
            top = e.width
            for p, pw in zip(e.args[0], e.args[1], strict=True):
                top -= pw
                if not isinstance(p, int):
                    self.values[p] = (value >> top) & ((1 << pw) - 1)

    # --------------------------------------------------------------------------------------------------------- memory

    def allocate(self, info: ObjectInfo, data: list[int | Expr]) -> int:
        """A new object; returns its address."""
        modelled(len(data), info.name)
        if info.kind == "local":
            oid = self.next_local_id
            self.next_local_id = oid + 1
        else:
            oid = self.next_id
            self.next_id = oid + 1
        self.memory[oid] = Block(info, data, self)
        return oid << ADDRESS_BITS

    def block(self, address: int | Expr) -> Block | None:
        """The object that a (possibly symbolic) address points into."""
        if isinstance(address, int):
            return self.memory.get(address >> ADDRESS_BITS)
        return self.memory.get(self._split(address)[0])

    def own(self, oid: int) -> Block:
        """The object's block, copied first if another state shares it."""
        b = self.memory[oid]
        if b.owner is not self:
            b = b.copy(self)
            self.memory[oid] = b
        return b

    def load(self, address: int | Expr, n: int) -> int | Expr:
        """n bytes at an address as one little-endian value."""
        if not isinstance(address, int):
            return self._load_symbolic(address, n)
        b = self.memory.get(address >> ADDRESS_BITS)
        off = address & OFFSET_MASK
        if b is None or off + n > b.size:
            raise self._bad_access(address, n, "read")
        if self.tracking and b.info.is_state:
            self._note_read(address >> ADDRESS_BITS, b, off, n)
        elif self.regions and b.info.kind == "packet":
            check_aliases(self, address >> ADDRESS_BITS, off, n)
        if b.updates:
            return self._load_updated(address >> ADDRESS_BITS, b, off, n)
        return X.from_bytes(tuple(b.data[off : off + n]))

    def load_bytes(self, address: int | Expr, n: int) -> list[int | Expr]:
        """n bytes at an address, one by one."""
        if isinstance(address, int):
            b = self.memory.get(address >> ADDRESS_BITS)
            off = address & OFFSET_MASK
            if b is None or off + n > b.size:
                raise self._bad_access(address, n, "read")
            if self.tracking and b.info.is_state:
                self._note_read(address >> ADDRESS_BITS, b, off, n)
            elif self.regions and b.info.kind == "packet":
                check_aliases(self, address >> ADDRESS_BITS, off, n)
            if not b.updates:
                data = b.data[off : off + n]
                self.needs(*data)
                return data
        v = self.load(address, n)
        self.needs(v)
        return list(X.bytes_of(v, n))

    def store(self, address: int | Expr, value: int | Expr, n: int) -> None:
        """Write the low n bytes of a value."""
        self.store_bytes(address, X.bytes_of(value, n), n)

    def store_bytes(self, address: int | Expr, data: Any, n: int) -> None:
        """Write n bytes."""
        if n == 0:
            return
        if not isinstance(address, int):
            self._store_symbolic(address, X.from_bytes(tuple(data)), n)
            return
        oid = address >> ADDRESS_BITS
        b = self.memory.get(oid)
        off = address & OFFSET_MASK
        if b is None or off + n > b.size:
            raise self._bad_access(address, n, "written")
        kind = b.info.kind
        if kind != "local":
            self.needs(*data, *(b.data[off : off + n] if kind == "mbuf" else ()))  # the arrived one names the device
        if kind in ("text", "function", "handle"):
            raise Problem("unsupported-construct", f"{b.info.name} is written, which is not memory of the program")
        if self.regions and kind == "packet":
            check_aliases(self, oid, off, n)
        if self.tracking and b.info.is_state and not b.info.detail.get("scratch"):
            self.plain[PlainAccess(oid, off, n, True, self.place(), X.from_bytes(tuple(data)))] = None
            self.written[oid] = self.written.get(oid, frozenset()).union(range(off, off + n))
            if oid in self.havoc:
                b = self.own(oid)
                b.updates = (*b.updates, (X.sym(f"offset {off}", 64), X.from_bytes(tuple(data)), n))
                return
        if b.owner is not self:
            b = b.copy(self)
            self.memory[oid] = b
        b.data[off : off + n] = data

    def _bad_access(self, address: int, n: int, what: str) -> Problem:
        b = self.memory.get(address >> ADDRESS_BITS)
        if address < (1 << ADDRESS_BITS):
            return Problem("unsupported-construct", f"a null pointer may be {what} here")
        if b is None:
            return Problem("unsupported-construct", f"a pointer that points to no object is {what} here")
        off = address & OFFSET_MASK
        if off >= LAST_LINE_OF_STRUCT and (behind := self.memory.get((address >> ADDRESS_BITS) + 1)) is not None:
            off, b = off - (1 << ADDRESS_BITS), behind
        return Problem(
            "unsupported-construct", f"bytes {off}..{off + n - 1} of {b.info.name} are {what}; it has {b.size}"
        )

    def _note_read(self, oid: int, b: Block, off: int | Expr, n: int) -> None:
        if b.info.detail.get("scratch"):
            return
        done = self.written.get(oid)
        if done and isinstance(off, int) and done.issuperset(range(off, off + n)):
            return
        key = (oid, off, n, self.place())
        got = self.engine.reads.get(key)
        if got is None:
            got = self.engine.reads[key] = PlainAccess(oid, off, n, False, key[3])
        self.plain[got] = None

    # ----------------------------------------------------------------------------------------------- symbolic offsets

    def _split(self, address: Expr) -> tuple[int, int, Expr | None]:
        """A symbolic address as (object id, constant offset, symbolic offset or None)."""
        k = self.known(address) if address.width == 1 else X.substitute(address, self.values, self.memo)
        self.needs(k)
        if isinstance(k, int):
            return k >> ADDRESS_BITS, k & OFFSET_MASK, None
        if k.op == "ite":
            side = k.args[1] if self.decide(k.args[0]) else k.args[2]
            if isinstance(side, int):
                return side >> ADDRESS_BITS, side & OFFSET_MASK, None
            return self._split(side)
        if k.op == "add" and isinstance(k.args[1], int):
            base, rest = k.args[1], k.args[0]
            oid, off = base >> ADDRESS_BITS, base & OFFSET_MASK
            if off >= LAST_LINE_OF_STRUCT:
                oid, off = oid + 1, off - (1 << ADDRESS_BITS)
            if oid in self.memory:
                return oid, off, rest
        raise Problem(
            "unsupported-construct", f"a pointer is used, and what it points to is not known: {self._origin(k)}"
        )

    def _origin(self, pointer: Expr) -> str:
        """Where a pointer comes from, in words."""
        names = {str(leaf.args[0]) for leaf in X.leaves(pointer)}
        if all(n.startswith(f"{CELL}#") for n in names):
            return "it stands in the cell of a vector, where other packets or nf_init have put it"
        if all(n.startswith("state:") for n in names):
            return f"packets change {', '.join(sorted(n.removeprefix('state:') for n in names))}, where it is kept"
        if all(n.startswith("packet") for n in names):
            return "it is made of packet bytes"
        return X.show(pointer)

    def _resolve(self, address: Expr, n: int, what: str) -> tuple[int, Block, int, Expr | None]:
        oid, off, rest = self._split(address)
        b = self.memory.get(oid)
        if b is None:
            raise self._bad_access(oid << ADDRESS_BITS | (off & OFFSET_MASK), n, what)
        if rest is not None and b.info.kind == "packet" and not b.info.detail.get("region"):
            oid = self.packet_region(rest)
            return oid, self.memory[oid], off, None
        return oid, b, off, rest

    def packet_region(self, symbolic_offset: Expr) -> int:
        """The object that holds the packet's bytes at `symbolic_offset` + constant."""
        oid = self.regions.get(symbolic_offset)
        if oid is None:
            name = region_name(symbolic_offset)
            arrived = symbolic_bytes(name, PACKET_BYTES)
            info = ObjectInfo("packet", name, detail={"region": symbolic_offset, "arrived": arrived})
            oid = self.allocate(info, arrived[:]) >> ADDRESS_BITS
            self.regions[symbolic_offset] = oid
        return oid

    def packet_is_changed(self) -> bool:
        """Whether some byte of the packet is not as it arrived."""
        packet = self.library.get("packet")
        for oid in (packet >> ADDRESS_BITS if isinstance(packet, int) else -1, *self.regions.values()):
            b = self.memory.get(oid)
            if b is not None and b.data != b.info.detail["arrived"]:
                return True
        return False

    def _positions(self, b: Block, off: int, rest: Expr, n: int) -> list[int]:
        """The values of the symbolic offset that stay inside the object."""
        step = 1
        if rest.op == "mul" and isinstance(rest.args[1], int):
            step = rest.args[1]
        elif rest.op == "concat" and type(rest.args[0][-1]) is int and rest.args[0][-1] == 0:
            step = 1 << rest.args[1][-1]
        top = b.size - n - off
        low = -(off // step) * step if off > 0 else 0
        return list(range(max(low, 0), top + 1, step)) if top // step < 4096 else []

    def _load_symbolic(self, address: Expr, n: int) -> int | Expr:
        oid, b, off, rest = self._resolve(address, n, "read")
        if rest is None:
            return self.load((oid << ADDRESS_BITS) + off, n)
        where = X.add(rest, off & ((1 << 64) - 1), 64)
        if self.tracking and b.info.is_state:
            assert not isinstance(where, int)
            self._note_read(oid, b, where, n)
            for u_off, value, un in reversed(b.updates):
                got = self._of_update(b, where, n, _plain_offset(u_off), value, un)
                if got is not None:
                    return got
            if oid in self.havoc:
                return X.uf(f"state:{self.engine.label(oid, b.info.name)}", 8 * n, where)
        positions = self._positions(b, off, rest, n)
        if 0 < len(positions) <= ITE_LIMIT:
            self.require(X.ule(rest, positions[-1], 64))
            v: int | Expr = X.from_bytes(tuple(b.data[off + positions[-1] : off + positions[-1] + n]))
            for p in reversed(positions[:-1]):
                v = X.ite(X.eq(rest, p, 64), X.from_bytes(tuple(b.data[off + p : off + p + n])), v, 8 * n)
            return v
        name = f"element of {self.engine.label(oid, b.info.name)}"
        if b.info.is_state and oid not in self.written:
            return X.uf(name, 8 * n, where)
        return X.uf(name, 8 * n, where, X.from_bytes(tuple(b.data)))  # another one once the contents have changed

    def _store_symbolic(self, address: Expr, value: int | Expr, n: int) -> None:
        oid, b, off, rest = self._resolve(address, n, "written")
        if rest is None:
            self.store((oid << ADDRESS_BITS) + off, value, n)
            return
        self.needs(value)
        where = X.add(rest, off & ((1 << 64) - 1), 64)
        assert not isinstance(where, int)
        if self.tracking and b.info.is_state:
            self.plain[PlainAccess(oid, where, n, True, self.place(), value)] = None
            b = self.own(oid)
            b.updates = (*b.updates, (where, value, n))
            return
        positions = self._positions(b, off, rest, n)
        if not 0 < len(positions) <= ITE_LIMIT:
            raise Problem("unsupported-construct", f"{b.info.name} is written at an unknown offset")
        self.require(X.ule(rest, positions[-1], 64))
        b = self.own(oid)
        for p in positions:
            old = X.from_bytes(tuple(b.data[off + p : off + p + n]))
            b.data[off + p : off + p + n] = X.bytes_of(X.ite(X.eq(rest, p, 64), value, old, 8 * n), n)

    def _load_updated(self, oid: int, b: Block, off: int, n: int) -> int | Expr:
        """A constant offset of an object that was also written at symbolic offsets on this path."""
        for u_off, value, un in reversed(b.updates):
            got = self._of_update(b, off, n, _plain_offset(u_off), value, un)
            if got is not None:
                return got
        return X.from_bytes(tuple(b.data[off : off + n]))

    def _of_update(
        self, b: Block, where: int | Expr, n: int, written: int | Expr, value: int | Expr, size: int
    ) -> int | Expr | None:
        """n bytes at an offset as a write of some bytes at another has left them; None if it has not touched them."""
        distance = X.sub(where, written, 64)
        if isinstance(distance, int):
            first = X.signed(distance, 64)
            if first + n <= 0 or size <= first:
                return None
            if first >= 0 and first + n <= size:
                return X.extract(value, 8 * first, 8 * n)
        elif size == n:
            return value if self.decide(X.eq(where, written, 64)) else None
        raise Problem(
            "unsupported-construct", f"{b.info.name} is written and read in different sizes at unknown offsets"
        )

    # ---------------------------------------------------------------------------------------------------- assumptions

    def require(self, c: int | Expr) -> None:
        """Assume a condition that C's rules or a library's contract promise; ends the path when it cannot hold."""
        self.engine.assume(self, c)


def _plain_offset(u: Expr) -> int | Expr:
    """Constant offsets among `updates` are kept as symbols named after them."""
    if u.op == "sym" and u.args[0].startswith("offset "):
        return int(u.args[0].removeprefix("offset "))
    return u
