"""Whether two programs do the same to every packet: their call paths are compared, pair by pair.

Takes two executions of one analysis (`execute(..., forget=False)` for the second) and gives their differences. Both start from what their
`nf_init` left: objects are paired in the order in which they were made, and must have the same kind, sizes, capacity and contents. Paths of
one program exclude each other and cover everything, so for every packet and every answer of the library there is one path on
either side. Each pair of paths that can happen together must then

  make the same calls in the same order, with equal keys, indices, values and times, on corresponding objects;
  store the same in plain C state; leave the same bytes in the packet; and give it to the same device.

Answers of the library are symbols numbered by call, the same on both sides as long as the calls are; so the first call that differs is
found before a symbol could mean two things. Most pairs are decided by looking, since expressions are hash-consed. What looks different is
put to the solver; what it cannot decide counts as a difference.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ..libvig.catalogue import CallSpec, Catalogue
from ..source.text import Span
from ..source.unit import FunctionDef
from ..symbex import expr as X
from ..symbex.calls import is_uninitialised
from ..symbex.expr import Expr
from ..symbex.memory import ADDRESS_BITS, OFFSET_MASK, ObjectInfo, Problem, symbolic_bytes
from ..symbex.path import Call, CallPath, PlainTouch, Touch
from ..symbex.run import Execution
from ..symbex.solver import Solver
from ..symbex.state import State

Value = int | Expr
_POINTER_BYTES = 8
_KEY_BYTES = 512  # of a key that a hash function may look at
MOST = 5  # differences that are looked for: each may take the solver some time
_POINTERS = frozenset(("object", "key", "out", "also_reads", "equality", "hash", "init", "packet", "chunk"))
_SILENT = frozenset(("packet-return", "packet-unread", "ignore", "environment"))  # ops without an effect of their own


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that the second program does differently."""

    what: str  # one line, without the places
    here: Span | None = None  # in the first program
    there: Span | None = None  # in the second
    device: int | None = None
    model: Mapping[Expr, int] | None = None  # a packet and answers of the library that show it
    regions: tuple[tuple[str, Expr], ...] = ()  # of that packet, see CallPath


def compare(first: Execution, second: Execution, catalogue: Catalogue) -> list[Difference]:
    """The differences of two programs; none if they are equal.

    Both executions must be complete: what was not seen cannot be equal.
    """
    for execution, which in ((first, "original"), (second, "generated program")):
        if not execution.complete:
            why = execution.troubles[0].message if execution.troubles else "it has no call path"
            return [Difference(f"the {which} cannot be executed as a whole: {why}",
                               there=execution.troubles[0].span if execution.troubles else None)]  # fmt: skip
    return _Comparison(first, second, catalogue).differences()


class _Comparison:
    def __init__(self, first: Execution, second: Execution, catalogue: Catalogue) -> None:
        self.first, self.second = first, second
        self.catalogue = catalogue
        self.solver = Solver()
        self.unequal: Expr | None = None  # that the values which were found to differ last do so
        self.objects: dict[int, int] = {}  # of the second program -> of the first
        self.arrays: dict[str, str] = {}  # names of initial contents, likewise
        self.given: list[Expr] = []  # conditions under which values are compared now

    def differences(self) -> list[Difference]:
        found = list(self.starts())
        return found or list(itertools.islice(self.paths(), MOST))

    # -------------------------------------------------------------------------------------------------------- start-up

    def starts(self) -> Iterator[Difference]:
        """Differences of what the two programs' start-up left."""
        a, b = self.first.start, self.second.start
        if a is None or b is None:
            return
        ours, theirs = _handles(a), _handles(b)
        for x, y in zip(ours, theirs, strict=False):
            self.objects[y] = x
            yield from self.same_object(a, x, b, y)
        if len(ours) != len(theirs):
            yield Difference(
                f"nf_init makes {len(ours)} objects in the original and {len(theirs)} in the generated program"
            )
            return
        self.pair_plain()
        for y, x in sorted(self.objects.items()):
            if (y in self.second.objects or x in self.first.objects) and y not in theirs:
                if not self.same_bytes(_contents(self.first, x), _contents(self.second, y)):
                    yield Difference(f"{self._name(y)} starts with other contents")

    def pair_plain(self) -> None:
        """Pair plain objects by name and kind, those that had to be renamed for their file, those of one name in order, and the rest in
        order."""
        left, right = _plain(self.first), _plain(self.second)
        in_file = {(kind, f"{name}_{_stem(self.first, oid)}"): (oid, (kind, name)) for oid, (kind, name) in left}
        names = {key for _, key in left}
        by_name = defaultdict(list)
        for oid, key in left:
            by_name[key].append(oid)
        rest = []
        for oid, key in right:
            if key in in_file and key not in names:
                x, its_key = in_file.pop(key)
                by_name[its_key].remove(x)
                self.objects[oid] = x
        for oid, key in right:
            if oid in self.objects:
                continue
            if by_name[key]:
                self.objects[oid] = by_name[key].pop(0)
            else:
                rest.append((oid, key))
        unpaired = [(oid, key) for oid, key in left if oid in by_name[key]]
        for (y, (kind, _)), (x, (its_kind, _)) in zip(rest, unpaired, strict=False):
            if kind == its_kind:
                self.objects[y] = x
        for y, x in self.objects.items():
            mine, its = _label(self.first, x), _label(self.second, y)
            if mine and its and mine != its:
                self.arrays[f"state:{its}"] = f"state:{mine}"
                self.arrays[f"start:{its}"] = f"start:{mine}"

    def same_object(self, a: State, x: int, b: State, y: int) -> Iterator[Difference]:
        """Whether two library objects are alike when packets begin to arrive."""
        mine, its = a.memory[x].info, b.memory[y].info
        name = self.second.objects[y].name if y in self.second.objects else its.name
        place = its.detail.get("place")
        there = self.second.engine.spans(place)[-1] if place and self.second.engine is not None else None
        if mine.library_kind != its.library_kind:
            yield Difference(
                f"{name} is a {its.library_kind} where the original makes a {mine.library_kind}", there=there
            )
            return
        for role in sorted((mine.detail.keys() | its.detail.keys()) - _POINTERS - {"place"}):
            p, q = mine.detail.get(role), its.detail.get(role)
            if not (_is_value(p) and _is_value(q) and p is q) and p != q:
                yield Difference(f"{name} has {role} {_show(q)} where the original has {_show(p)}", there=there)
        if not self.same_equality(a, mine.detail, b, its.detail):
            yield Difference(f"{name} compares keys differently", there=there)
        if not self.same_hash(a, mine.detail.get("hash"), b, its.detail.get("hash")):
            yield Difference(f"{name} hashes keys differently", there=there)
        size = its.detail.get("elem_size")
        if its.detail.get("init") is not None and isinstance(size, int):
            cells = (_template(a, mine.detail.get("init", 0), size), _template(b, its.detail["init"], size))
            if cells[0] is None or cells[1] is None:
                yield Difference(
                    f"{name} has cells that nf_init cannot set up: their function does not fit them", there=there
                )
            elif not self.equal_bytes(cells[0], cells[1]):
                yield Difference(f"{name} has cells that begin with other contents", there=there)
        if not self.same_contents(a, x, b, y):
            yield Difference(f"{name} starts with other contents", there=there)

    def same_equality(self, a: State, mine: Mapping[str, Any], b: State, its: Mapping[str, Any]) -> bool:
        p, q = mine.get("equality"), its.get("equality")
        if not p or not q:
            return bool(p) == bool(q)
        e, f = a.engine.callbacks.equality(p), b.engine.callbacks.equality(q)
        return e.size == f.size and (e.relation is f.relation or e.relation == f.relation)

    def same_hash(self, a: State, p: Value | None, b: State, q: Value | None) -> bool:
        """Whether two hash functions give the same for every key. It decides nothing but speed, as long as it is one."""
        if p is None or q is None:
            return p is q
        return _hashes(a, p) == _hashes(b, q)

    def same_contents(self, a: State, x: int, b: State, y: int) -> bool:
        """What start-up stored in maps, dchains and the cells of vectors."""
        for namespace in ("entries", "a", "b"):
            p, q = a.library.get((namespace, x), ()), b.library.get((namespace, y), ())
            if len(p) != len(q):
                return False
            if not all(self.equal_bytes((*e.raw, e.value), (*f.raw, f.value)) for e, f in zip(p, q, strict=True)):
                return False
        known, others = a.library.get(("indices", x), ()), b.library.get(("indices", y), ())
        if len(known) != len(others) or not all(
            self.equal(i, j) and t == u for (i, t), (j, u) in zip(known, others, strict=True)
        ):
            return False
        cells, its = a.library.get(("cells", x), ()), b.library.get(("cells", y), ())
        return len(cells) == len(its) and all(
            self.equal(c.index, d.index) and self.same_bytes(a.memory[c.object].data, b.memory[d.object].data)
            for c, d in zip(cells, its, strict=True)
        )

    def same_bytes(self, mine: Sequence[Value], its: Sequence[Value]) -> bool:
        """Whether memory is alike when packets begin to arrive: what is stored is equal, or points to what corresponds."""
        if len(mine) != len(its):
            return False
        at = 0
        while at < len(mine):
            p, q = (_address(data, at) for data in (mine, its))
            if p is not None and q is not None and self.same_address(p, q):
                at += _POINTER_BYTES
            elif self.equal(mine[at], its[at]):
                at += 1
            else:
                return False
        return True

    def same_address(self, p: int, q: int) -> bool:
        """Whether what pointers point to corresponds: the same function, or a place in objects that are paired, or that are alike."""
        x, y = p >> ADDRESS_BITS, q >> ADDRESS_BITS
        a, b = self.first.engine, self.second.engine
        if a is None or b is None:
            return p == q
        f, g = a.resolve_pointer(p), b.resolve_pointer(q)
        if f is not None or g is not None:
            if f is None or g is None:
                return False
            return f[0] == g[0] or _is_same_text(a.link.find_function(*f), b.link.find_function(*g))
        if p & OFFSET_MASK != q & OFFSET_MASK:
            return False
        if (text := _text(self.first, x)) is not None:
            return text == _text(self.second, y)
        if y in self.objects or x in self.objects.values():
            return self.objects.get(y) == x
        if _kind(self.first, x) is None or _kind(self.first, x) != _kind(self.second, y):
            return False
        self.objects[y] = x
        return self.same_bytes(_contents(self.first, x), _contents(self.second, y))

    # ----------------------------------------------------------------------------------------------------------- paths

    def paths(self) -> Iterator[Difference]:
        """Differences of what the two programs do to packets."""
        theirs = {(q.device, self.conditions(q, self.rename)): q for q in self.second.paths}
        alone: list[CallPath] = []
        for p in self.first.paths:
            q = theirs.pop((p.device, self.conditions(p, lambda v: v)), None)
            if q is None:
                alone.append(p)  # told apart by other conditions in the second program
            else:
                yield from self.together(p, q, None)
        for p in alone:
            for q in theirs.values():
                if p.device != q.device:
                    continue
                model = self.both(p, q)
                if model is not None:
                    yield from self.together(p, q, model)

    def conditions(self, p: CallPath, rename: Callable[[Value], Value]) -> frozenset[Value]:
        return frozenset(part for c in p.conditions for part in X.conjuncts(rename(c.expr)))

    def both(self, p: CallPath, q: CallPath) -> Mapping[Expr, int] | None:
        """A model of two paths' conditions; None if they exclude each other. What cannot be decided counts as possible."""
        mine = [e for c in p.conditions for e in X.conjuncts(c.expr)]
        its = [e for c in q.conditions for e in X.conjuncts(self.rename(c.expr))]
        known = set(mine)
        if any(X.not_(e, 1) in known for e in its):
            return None
        model: Mapping[Expr, int] = p.model
        so_far = mine
        for e in its:
            if e in known:
                continue
            found = self.solver.find(so_far, model, e)
            if found is None:
                return None
            if isinstance(found, str):
                return {}
            model, so_far = found, [*so_far, e]
        return model

    def together(self, p: CallPath, q: CallPath, model: Mapping[Expr, int] | None) -> Iterator[Difference]:
        """The first difference of two paths that happen together. `model` is None when their conditions are the same."""
        conditions = [
            e for c, rename in ((p, None), (q, self.rename)) for x in c.conditions
            for e in X.conjuncts(rename(x.expr) if rename else x.expr)
        ]  # fmt: skip
        self.given = [] if model is None else conditions
        self.unequal = None
        what = self.first_difference(p, q)
        if what is not None:
            text, here, there = what
            shown = p.model if model is None else model
            if self.unequal is not None:  # the paths' own packet need not be one that tells them apart
                found = self.solver.find(conditions, shown, self.unequal)
                shown = found if isinstance(found, dict) else shown
            yield Difference(text, here, there, p.device, shown, p.regions)

    def first_difference(self, p: CallPath, q: CallPath) -> tuple[str, Span | None, Span | None] | None:
        mine, its = self.effective(p.calls), self.effective(q.calls)
        for c, d in zip(mine, its, strict=False):
            why = self.calls_differ(c, d)
            if why:
                return why, c.span, d.span
        if len(mine) != len(its):
            longer, which = (mine, "original") if len(mine) > len(its) else (its, "generated program")
            extra = longer[min(len(mine), len(its))]
            text = f"only the {which} calls {extra.function}"
            return (text, extra.span, None) if which == "original" else (text, None, extra.span)
        if [self.region(r) for r in p.regions] != [self.region(r) for r in q.regions] and (p.writes or q.writes):
            return "packets are changed at other offsets", None, None
        wrote, writes = ({(w.array, w.offset): w.value for w in x.writes} for x in (p, q))
        for at in sorted(wrote.keys() | writes.keys()):
            unchanged = X.byte(*at)
            if not self.equal(wrote.get(at, unchanged), writes.get(at, unchanged)):
                return f"byte {at[1]} of the {at[0]} is written differently", None, None
        mine_left, its_left = ({w.offset: w.value for w in x.mbuf} for x in (p, q))
        for offset in sorted(mine_left.keys() | its_left.keys()):
            unset = X.byte("mbuf", offset)
            if not self.equal(mine_left.get(offset, unset), its_left.get(offset, unset)):
                return f"byte {offset} of the mbuf is written differently", None, None
        stored = self.plain_differs(p, q)
        if stored is not None:
            return stored
        if p.outcome != q.outcome or not self.equal(p.output, q.output):
            return f"the packet is {_fate(q)} where the original has it {_fate(p)}", None, None
        return None

    def region(self, r: tuple[str, Expr]) -> tuple[str, Value]:
        return r[0], self.rename(r[1])

    def effective(self, calls: Sequence[Call]) -> list[Call]:
        """Calls that do something or whose arguments matter."""
        return [c for c in calls if c.touches or c.op not in _SILENT]

    def calls_differ(self, c: Call, d: Call) -> str | None:
        if c.op != d.op or len(c.touches) != len(d.touches):
            return f"{d.function} is called where the original calls {c.function}"
        for t, u in zip(c.touches, d.touches, strict=True):
            if self.objects.get(u.object) != t.object:
                return f"{d.function} is on {self._name(u.object)}, and the original's on another object"
            why = self.touches_differ(t, u)
            if why:
                return f"{d.function} on {self._name(u.object)} has another {why} than in the original"
        for (name, raw), (_, its) in zip(c.keys, d.keys, strict=False):
            if not self.equal_bytes(raw, its):
                return f"{d.function} has another {name} than in the original"
        for role, value, other in self.scalars(c, d):
            if not self.equal(value, other):
                return f"{d.function} has another {role} than in the original"
        return None

    def touches_differ(self, t: Touch, u: Touch) -> str | None:
        if (t.role, t.write, t.found, t.index) != (u.role, u.write, u.found, u.index):
            return "effect"
        if (t.key is None) != (u.key is None):
            return "key"
        if t.key is not None and u.key is not None and not self.equal_bytes(
            [x.value for x in t.key], [x.value for x in u.key]
        ):  # fmt: skip
            return "index" if t.index else "key"
        if not self.equal(t.value, u.value):
            return "value"
        if not self.equal(t.time, u.time):
            return "time"
        if t.key_home != u.key_home or not self.same_cell(t.key_cell, u.key_cell):
            return "place of its key"
        stored, its = dict(t.stored), dict(u.stored)
        if stored.keys() != its.keys() or not all(self.equal(v, its[at]) for at, v in stored.items()):
            return "stored content"
        return None

    def same_cell(self, mine: tuple[int, Value] | None, its: tuple[int, Value] | None) -> bool:
        """Whether a map is given a pointer into the same cell."""
        if mine is None or its is None:
            return mine is its
        return self.objects.get(its[0]) == mine[0] and self.equal(mine[1], its[1])

    def scalars(self, c: Call, d: Call) -> Iterator[tuple[str, Value, Value]]:
        """Arguments that are no pointers, by their roles."""
        spec, other = self.spec(c), self.spec(d)
        if spec is None or other is None:
            return
        for role, at in spec.roles.items():
            if role in _POINTERS or role not in other.roles:
                continue
            x, y = c.arguments[at], d.arguments[other.roles[role]]
            if not (_pointer(x) and _pointer(y)):
                yield role, x, y

    def spec(self, c: Call) -> CallSpec | None:
        return next((s for s in self.catalogue.calls.get(c.function, ()) if len(s.params) == len(c.arguments)), None)

    def plain_differs(self, p: CallPath, q: CallPath) -> tuple[str, Span | None, Span | None] | None:
        """What the paths leave in plain C state that lives on."""
        mine, its = self.stores(self.first, p, {}), self.stores(self.second, q, self.objects)
        for at in [*mine, *(at for at in its if at not in mine)]:
            x, y = mine.get(at), its.get(at)
            if x is None or y is None or not self.equal(x.value, y.value):
                return "plain C state is written differently", x.span if x else None, y.span if y else None
        return None

    def stores(
        self, execution: Execution, p: CallPath, objects: Mapping[int, int]
    ) -> dict[tuple[Value, ...], PlainTouch]:
        """The last write to each place. Writes at symbolic offsets may overlap: with one of them, every write counts, in order."""
        writes = [a for a in p.plain if a.write and not execution.objects[a.object].info.detail.get("scratch")]
        ordered = any(isinstance(a.offset, Expr) for a in writes)
        return {
            (
                objects.get(a.object, a.object if not objects else -a.object),
                self.rename(a.offset),
                a.size,
                n if ordered else 0,
            ): a
            for n, a in enumerate(writes)
        }

    # ------------------------------------------------------------------------------------------------------ expressions

    def rename(self, v: Value) -> Value:
        """An expression of the second program with the first one's names for initial contents."""
        if isinstance(v, int) or not self.arrays:
            return v
        names: dict[Expr, Value] = {}
        for leaf in X.leaves(v):
            if leaf.op == "byte" and leaf.args[0] in self.arrays:
                names[leaf] = X.byte(self.arrays[leaf.args[0]], leaf.args[1])
        return X.substitute(v, names) if names else v

    def equal(self, x: Value | None, y: Value | None) -> bool:
        """Whether two values are equal on the paths that are being compared."""
        if x is None or y is None:
            return x is y
        y = self.rename(y)
        if isinstance(x, int) and isinstance(y, int):
            known = _is_address(self.first, x) and _is_address(self.second, y)
            return self.same_address(x, y) if known else x == y
        if x is y:
            return True
        if isinstance(x, Expr) and isinstance(y, Expr) and is_uninitialised(x) and is_uninitialised(y):
            return True  # whatever it is, it was never given a value
        width = x.width if isinstance(x, Expr) else y.width  # type: ignore[union-attr]
        if isinstance(x, Expr) and isinstance(y, Expr) and x.width != y.width:
            return False
        same = X.eq(x, y, width)
        if isinstance(same, int):
            return bool(same)
        differ = X.not_(same, 1)
        if self.solver.ask([*self.given, differ]) is None:
            return True
        self.unequal = differ if isinstance(differ, Expr) else None
        return False

    def equal_bytes(self, x: Iterable[Value | None], y: Iterable[Value | None]) -> bool:
        mine, its = tuple(x), tuple(y)
        return len(mine) == len(its) and all(self.equal(p, q) for p, q in zip(mine, its, strict=True))

    def _name(self, oid: int) -> str:
        return self.second.objects[oid].name if oid in self.second.objects else "another object"


def _template(st: State, init: Value, size: int) -> Sequence[Value] | None:
    """What a function makes of a cell; None if it fails, as one does that writes beyond it."""
    try:
        return st.engine.callbacks.template(init, size)
    except Problem:
        return None


def _hashes(st: State, function: Value) -> list[tuple[frozenset[Expr], Value | None]] | None:
    """What a hash function returns on a symbolic key, by its paths; None if that is not known."""
    engine = st.engine
    target = engine.resolve_pointer(function)
    definition = engine.link.find_function(*target) if target is not None else None
    if definition is None:
        return None
    run = engine.new_state()
    key = run.allocate(ObjectInfo("local", "key a"), symbolic_bytes("key a", _KEY_BYTES))
    before = len(engine.troubles)
    engine.push(run, engine.compile(definition), [key], -1, 0)
    ends = [(frozenset(c.expr for c in end.conditions), end.result) for end in engine.explore(run)]
    known = len(engine.troubles) == before
    del engine.troubles[before:]
    return ends if known else None


def _address(data: Sequence[Value], at: int) -> int | None:
    """The pointer that is stored at an offset; None if none is."""
    if at % _POINTER_BYTES or not all(isinstance(v, int) for v in data[at : at + _POINTER_BYTES]):
        return None
    number = X.from_bytes(tuple(data[at : at + _POINTER_BYTES]))
    return number if isinstance(number, int) and _pointer(number) else None


def _is_same_text(f: FunctionDef | None, g: FunctionDef | None) -> bool:
    """Whether functions are the same where one had to be renamed. What calls through pointers do is compared on the paths."""
    return f is not None and g is not None and _body(f) == _body(g)


def _body(f: FunctionDef) -> list[str]:
    text = f.unit.node_text(f.node)
    return text[text.find("{") :].split()


def _handles(st: State) -> list[int]:
    return sorted(oid for oid, b in st.memory.items() if b.info.kind == "handle")


def _plain(execution: Execution) -> list[tuple[int, tuple[str, str]]]:
    """Plain objects that packets touch: (id, (kind, name)), in the order of their ids."""
    touched = {a.object for p in execution.paths for a in p.plain}
    infos = {oid: execution.objects[oid].info for oid in touched if oid in execution.objects}
    return [(oid, (info.kind, info.name)) for oid, info in sorted(infos.items())]


def _stem(execution: Execution, oid: int) -> str:
    """The name of the file that declares an object, as it stands in names (clashes.py)."""
    declared = execution.objects[oid].declared
    return re.sub(r"\W", "_", PurePath(declared.file).stem) if declared is not None else ""


def _label(execution: Execution, oid: int) -> str:
    """What names the object's contents in expressions."""
    known = execution.objects.get(oid)
    return execution.engine.label(oid, known.info.name) if known is not None and execution.engine is not None else ""


def _contents(execution: Execution, oid: int) -> Sequence[Value]:
    """What a plain object holds when packets begin to arrive."""
    block = execution.start.memory.get(oid) if execution.start is not None else None
    if block is not None:
        return block.data
    return execution.engine.initial.get(oid, ()) if execution.engine is not None else ()


def _kind(execution: Execution, oid: int) -> str | None:
    """What an object is that is there when packets begin to arrive, or a variable or literal; None for others."""
    block = execution.start.memory.get(oid) if execution.start is not None else None
    info = block.info if block is not None else execution.engine.info(oid) if execution.engine is not None else None
    return info.kind if info is not None else None


def _text(execution: Execution, oid: int) -> Sequence[Value] | None:
    """A string literal's bytes; None for other objects."""
    return _contents(execution, oid) if _kind(execution, oid) == "text" else None


def _is_address(execution: Execution, number: int) -> bool:
    """Whether a number is an address: ids of objects are small, so that it may be one by chance, and offsets tell."""
    engine, oid = execution.engine, number >> ADDRESS_BITS
    if engine is None or _kind(execution, oid) is None:
        return engine is not None and engine.resolve_pointer(number) is not None
    return number & OFFSET_MASK <= max(len(_contents(execution, oid)), 1)


def _is_value(v: object) -> bool:
    return isinstance(v, (int, Expr))


def _pointer(v: Value) -> bool:
    return isinstance(v, int) and v >> ADDRESS_BITS > 0


def _show(v: object) -> str:
    return X.show(v) if isinstance(v, (int, Expr)) else str(v)


def _fate(p: CallPath) -> str:
    if p.outcome == "forward":
        return f"forwarded to {X.show(p.output)}" if p.output is not None else "forwarded"
    return {"drop": "dropped", "flood": "flooded"}.get(p.outcome, p.outcome)
