"""Placing the calls of `.call_path` files in the source, by comparing with the paths of our own symbolic execution.

Takes the paths of files and of an execution of the source, and gives for each path of either side its partners on the other: paths of
the same device that some packet takes both of and that do the same (differ.py): the same calls on corresponding objects with the same
results, keys and stored values, the same writes to the packet, the same outcome. The partners of a path must take all its packets. A
path for which that fails comes with the nearest one of the other side and their first difference.

Results that a file leaves open (a call whose result no condition decides) agree with any. Paths of the source that need a cell to hold
what KLEE's models exclude (`*_condition` of a vector's entries) are set aside: no file can have them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.path import Call, CallPath, Object, PacketWrite, Part
from .differ import Comparer, Mismatch, Side, found_of
from .invariants import instantiated
from .load import Recorded

Show = Callable[[object], str]


@dataclass(frozen=True, slots=True)
class Difference:
    """A path that the other side does not have."""

    path: CallPath
    nearest: CallPath | None
    found: Mismatch

    @property
    def call(self) -> int | None:
        """The first call that differs; None: the calls agree."""
        return self.found.call

    @property
    def why(self) -> str:
        """The first difference, in the names of the call paths."""
        return self.text(show, show, "here", "there")

    def text(self, mine: Show, theirs: Show, here: str, there: str) -> str:
        """The first difference in words. `mine` and `theirs` print values of either path; `here` and `there` name the sides."""
        m = self.found
        c = _call(self.path, m.call)
        d = _call(self.nearest, m.call)
        if m.what == "device":
            return f"the other side has no path for device {self.path.device}"
        if m.what == "calls":
            if c is None or d is None:
                return f"{(c or d).function} is called {here if c else there} only"  # type: ignore[union-attr]
            return f"{c.function} {here}, {d.function} {there}"
        if m.what == "result" and c is not None and d is not None:
            return f"{c.function} {_says(c)} {here}, {_says(d)} {there}"
        if m.what == "object" and c is not None:
            return f"{c.function} is called on {m.here} {here}, on {m.there} {there}"
        if m.what == "outcome" and self.nearest is not None:
            return f"the packet is {_leaves_by(self.path, mine)} {here}, {_leaves_by(self.nearest, theirs)} {there}"
        if m.what == "exclude":
            return "no packet takes both, whatever else holds"
        if m.what == "condition":
            one = f"{mine(m.here)} {here}" if m.here is not None else f"no such decision {here}"
            two = f"{theirs(m.there)} {there}" if m.there is not None else f"no such decision {there}"
            return f"the packets differ: {one}, {two}"
        if m.what == "writes":
            return f"the packet leaves with {mine(m.here)} {here}, with {theirs(m.there)} {there}"
        name = f"{c.function}: " if c is not None else ""
        one = mine(m.here) if m.here is not None else "nothing"
        two = theirs(m.there) if m.there is not None else "nothing"
        return f"{name}{m.what} {one} {here}, {two} {there}"


@dataclass(frozen=True)
class Alignment:
    """Which paths correspond."""

    partners: Mapping[int, tuple[int, ...]]  # path number of the files -> path numbers of the source
    only_files: tuple[Difference, ...]
    only_source: tuple[Difference, ...]
    objects: Mapping[int, int]  # object of the files -> object of the source
    excluded: tuple[CallPath, ...] = ()  # paths of the source that KLEE's models exclude

    @property
    def agrees(self) -> bool:
        """Whether each path of either side that can have a partner has one."""
        return not self.only_files and not self.only_source


def align(
    recorded: Recorded, source: Sequence[CallPath], source_objects: Mapping[int, Object], devices: int
) -> Alignment:
    """Find the partners of all paths. Expressions of both sides must be of one analysis (no `expr.forget` between)."""
    return _Aligner(recorded, source, source_objects, devices).go()


class _Aligner:
    def __init__(
        self, recorded: Recorded, source: Sequence[CallPath], source_objects: Mapping[int, Object], devices: int
    ) -> None:
        self.recorded = recorded
        self.files = [Side(p) for p in recorded.execution.paths]
        self.source = [Side(q) for q in source]
        self.theirs = source_objects
        self.compare = Comparer(devices)
        self.objects = _by_name(recorded.execution.objects, source_objects)

    def go(self) -> Alignment:
        by_shape: dict[tuple[object, ...], list[Side]] = {}
        for q in self.source:
            by_shape.setdefault(q.shape, []).append(q)
        pairs: list[tuple[Side, list[Side]]] = []
        failed: dict[int, Mismatch] = {}  # paths of the files that meet a path of the source and do something else
        against: dict[int, Side] = {}
        failed_source: dict[int, Mismatch] = {}  # the same seen from the source
        against_source: dict[int, Side] = {}
        loose: dict[int, list[Side]] = {}  # paths of the files that allow what a path with a repeated key does
        for p in self.files:
            same: list[Side] = []
            for q in by_shape.get(p.shape, ()):
                if not _same_results(p.path, q.path) or not self.compare.compatible(p, q):
                    continue
                if not q.repeats <= p.known:
                    loose.setdefault(q.path.number, []).append(p)
                    continue
                found = self.join(p.path, q.path) or self.compare.mismatch(p, q)
                if found is None:
                    same.append(q)
                else:
                    failed.setdefault(p.path.number, found)
                    against.setdefault(p.path.number, q)
                    failed_source.setdefault(q.path.number, replace(found, here=found.there, there=found.here))
                    against_source.setdefault(q.path.number, p)
            pairs.append((p, same))
        partners_of: dict[int, list[Side]] = {}
        for p, qs in pairs:
            for q in qs:
                partners_of.setdefault(q.path.number, []).append(p)
        only_files = tuple(d for p, qs in pairs if (d := self.lacking(p, qs, self.source, failed, against)) is not None)
        differ = {d.path.number for d in only_files}
        excluded, only_source = [], []
        for q in self.source:
            recorded = partners_of.get(q.path.number) or loose.get(q.path.number, [])
            if not recorded and self.is_excluded(q):
                excluded.append(q.path)
                continue
            d = self.lacking(
                self.compare.unused_results(q, recorded), recorded, self.files, failed_source, against_source
            )
            if d is not None:
                only_source.append(d)
        partners = {
            p.path.number: tuple(q.path.number for q in qs) for p, qs in pairs if qs and p.path.number not in differ
        }
        return Alignment(partners, only_files, tuple(only_source), self.objects, tuple(excluded))

    def lacking(
        self,
        p: Side,
        partners: Sequence[Side],
        others: Sequence[Side],
        failed: Mapping[int, Mismatch],
        against: Mapping[int, Side],
    ) -> Difference | None:
        """Why the other side does not have a path, if so."""
        if p.path.number in failed:
            return Difference(p.path, against[p.path.number].path, failed[p.path.number])
        if not partners:
            return self.nearest(p, others)
        decision = self.compare.uncovered(p, partners)
        if decision is None:
            return None
        q = next((q for q in partners if decision in q.branches), partners[0])
        return Difference(p.path, q.path, _decisions(p, q, decision))

    def is_excluded(self, q: Side) -> bool:
        """Whether a path of the source needs what KLEE's models exclude: a cell that holds something else, or a full dchain of which
        the path has just freed an index."""
        if _is_full_after_free(q.path):
            return True
        back = {t: s for s, t in self.objects.items()}
        known: set[Expr] = set(q.known)
        for c in q.path.calls:
            for e in instantiated(self.recorded.invariants, back.get(c.touches[0].object, 0), c) if c.touches else ():
                if isinstance(e, Expr):
                    known.add(e)
                elif not e:
                    return True
        return len(known) > len(q.known) and not self.compare.possible(frozenset(known))

    def join(self, p: CallPath, q: CallPath) -> Mismatch | None:
        """Learns which objects correspond from two paths; the first call on others."""
        new: dict[int, int] = {}
        mine = self.recorded.execution.objects
        for c, d in zip(p.calls, q.calls, strict=True):
            for s, t in zip(c.touches, d.touches, strict=False):
                x, y = mine.get(s.object), self.theirs.get(t.object)
                known = self.objects.get(s.object, new.get(s.object))
                if (known is not None and known != t.object) or (x is not None and y is not None and x.kind != y.kind):
                    names = (_object_text(x), _object_text(y))
                    return Mismatch(c.number, "object", *names)
                for mine_is, its_is in zip(_sizes(x), _sizes(y), strict=True):
                    if mine_is and its_is and mine_is != its_is:
                        return Mismatch(
                            c.number, "object", f"{_object_text(x)} of {mine_is}", f"{_object_text(y)} of {its_is}"
                        )
                new.setdefault(s.object, t.object)
        self.objects.update(new)
        return None

    def nearest(self, p: Side, others: Sequence[Side]) -> Difference:
        """The path of the other side that agrees longest, and where it stops to agree."""
        mine = [q for q in others if q.path.device == p.path.device]
        if not mine:
            return Difference(p.path, None, Mismatch(None, "device"))
        q = max(mine, key=lambda q: (_agreement(p.path, q.path), len(p.branches & q.branches), -q.path.number))
        n = _agreement(p.path, q.path)
        if n < max(len(p.path.calls), len(q.path.calls)):
            c, d = _call(p.path, n), _call(q.path, n)
            same = c is not None and d is not None and c.function == d.function
            return Difference(p.path, q.path, Mismatch(n, "result" if same else "calls"))
        return Difference(p.path, q.path, _decisions(p, q, None))


def _is_full_after_free(q: CallPath) -> bool:
    room: set[int] = set()  # dchains with an index that the path has freed
    for c in q.calls:
        for t in c.touches[:1]:
            if c.op == "dchain-free":
                room.add(t.object)
            elif c.op == "dchain-allocate":
                if t.found is False and t.object in room:
                    return True
                room.discard(t.object)
    return False


def _decisions(p: Side, q: Side, there: Expr | None) -> Mismatch:
    """The first decisions in which paths that make the same calls differ."""
    mine = _first(p, q, there)
    theirs = there if there is not None else _first(q, p, mine)
    if mine is None and theirs is None:
        return Mismatch(None, "exclude")
    return Mismatch(None, "condition", mine, theirs)


def _first(p: Side, q: Side, like: Expr | None) -> Expr | None:
    """The first decision of a path that the other does not make, about the same bytes as `like` if there is one."""
    alone = [e for c in p.path.conditions for e in X.conjuncts(c.expr) if e in p.branches and e not in q.known]
    leaves = X.leaves(like) if like is not None else frozenset()
    about = [e for e in alone if leaves and not leaves.isdisjoint(X.leaves(e))]
    return next(iter(about), None) if like is not None else next(iter(alone), None)


def placed(recorded: Recorded, alignment: Alignment, source: Sequence[CallPath]) -> tuple[CallPath, ...]:
    """The files' paths with the places and call stacks of their partners in the source."""
    by_number = {q.number: q for q in source}
    out = []
    for p in recorded.execution.paths:
        numbers = alignment.partners.get(p.number)
        if numbers:
            q = by_number[numbers[0]]
            calls = tuple(
                replace(c, stack=d.stack, functions=d.functions) for c, d in zip(p.calls, q.calls, strict=True)
            )
            places = {
                e: c.span for n in numbers for c in by_number[n].conditions for e in (c.expr, *X.conjuncts(c.expr))
            }
            start = q.conditions[0].span if q.conditions else None
            conditions = tuple(
                replace(c, span=places.get(c.expr, start) or c.span) if places.get(c.expr, start) is not None else c
                for c in p.conditions
            )
            p = replace(p, calls=calls, conditions=conditions)
        out.append(p)
    return tuple(out)


def _by_name(mine: Mapping[int, Object], theirs: Mapping[int, Object]) -> dict[int, int]:
    """Objects of both sides whose names agree: `fm` and `state->fm`, of one kind, each the only one."""

    def last(o: Object) -> str:
        return o.name.replace("->", ".").rpartition(".")[2]

    out: dict[int, int] = {}
    for oid, o in mine.items():
        same = [t for t, x in theirs.items() if x.kind == o.kind and last(x) == o.name]
        if len(same) == 1 and sum(x.name == o.name and x.kind == o.kind for x in mine.values()) == 1:
            out[oid] = same[0]
    return out


def _same_results(p: CallPath, q: CallPath) -> bool:
    return all(_agree(c, d) for c, d in zip(p.calls, q.calls, strict=True))


def _agree(c: Call, d: Call) -> bool:
    return found_of(c) is None or found_of(d) is None or found_of(c) == found_of(d)


def _agreement(p: CallPath, q: CallPath) -> int:
    for n, (c, d) in enumerate(zip(p.calls, q.calls, strict=False)):
        if c.function != d.function or not _agree(c, d):
            return n
    return min(len(p.calls), len(q.calls))


def _call(p: CallPath | None, n: int | None) -> Call | None:
    return p.calls[n] if p is not None and n is not None and n < len(p.calls) else None


def _says(c: Call) -> str:
    return {True: "succeeds", False: "fails", None: "may do either"}[found_of(c)]


def _object_text(o: Object | None) -> str:
    return f"{o.name} ({o.kind})" if o is not None else "something else"


def _sizes(o: Object | None) -> tuple[str, str]:
    """How many entries an object has, and how large they are; empty where that is not known."""
    if o is None:
        return "", ""
    element = o.info.detail.get("elem_size")
    return (
        "" if o.capacity is None else str(o.capacity),
        f"{element} bytes for each element" if isinstance(element, int) else "",
    )


def _leaves_by(p: CallPath, show: Show) -> str:
    if p.outcome == "forward":
        return f"forwarded to {show(p.output)}" if p.output is not None else "forwarded"
    return {"drop": "dropped", "flood": "flooded"}.get(p.outcome, p.outcome)


def show(v: object) -> str:
    """A value, a condition or a key in the names of call paths."""
    if isinstance(v, (int, Expr)):
        return X.show(v)
    if isinstance(v, tuple):
        return "{" + ", ".join(show(p.value if isinstance(p, (Part, PacketWrite)) else p) for p in v) + "}"
    return str(v)
