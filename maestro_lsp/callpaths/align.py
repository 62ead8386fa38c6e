"""Placing the calls of `.call_path` files in the source, by comparing with the paths of our own symbolic execution.

Takes the paths of files and of an execution of the source, and gives for each path of either side its partners on the other: paths of
the same device that make the same state calls on the same kinds of objects, with the same results and the same outcome, and whose
conditions on the packet can hold together. A path without a partner comes with the nearest one and their first difference.

Results that a file leaves open (a call whose result no condition decides) agree with any. A flood to a single other device and a
forward to it are the same packet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.path import Call, CallPath, Object
from ..symbex.solver import Solver
from .load import Recorded


@dataclass(frozen=True, slots=True)
class Difference:
    """A path that the other side does not have."""

    path: CallPath
    nearest: CallPath | None
    call: int | None  # the first call that differs; None: the calls agree
    why: str


@dataclass(frozen=True)
class Alignment:
    """Which paths correspond."""

    partners: Mapping[int, tuple[int, ...]]  # path number of the files -> path numbers of the source
    only_files: tuple[Difference, ...]
    only_source: tuple[Difference, ...]
    objects: Mapping[int, int]  # object of the files -> object of the source

    @property
    def agrees(self) -> bool:
        """Whether each path of either side has a partner."""
        return not self.only_files and not self.only_source


def align(recorded: Recorded, source: Sequence[CallPath], source_objects: Mapping[int, Object], devices: int) -> Alignment:
    """Find the partners of all paths. Expressions of both sides must be of one analysis (no `expr.forget` between)."""
    files = recorded.execution.paths
    kinds = {o.id: o.kind for o in recorded.execution.objects.values()} | {-o.id - 1: o.kind for o in source_objects.values()}
    solver = Solver()
    by_shape: dict[tuple[object, ...], list[CallPath]] = {}
    for p in source:
        by_shape.setdefault(_shape(p), []).append(p)
    partners: dict[int, tuple[int, ...]] = {}
    matched: set[int] = set()
    only_files: list[Difference] = []
    objects: dict[int, int] = {}
    together: dict[tuple[frozenset[Expr], frozenset[Expr]], bool] = {}
    for p in files:
        found = []
        for q in by_shape.get(_shape(p), ()):
            if not _same_results(p, q) or not _same_outcome(p, q, devices):
                continue
            key = (_packet_conditions(p), _packet_conditions(q))
            if key not in together:
                together[key] = _compatible(solver, *key)
            if together[key] and _join_objects(p, q, objects, kinds):
                found.append(q.number)
        if found:
            partners[p.number] = tuple(found)
            matched.update(found)
        else:
            only_files.append(_difference(p, source, devices))
    only_source = tuple(_difference(q, files, devices) for q in source if q.number not in matched)
    return Alignment(partners, tuple(only_files), only_source, objects)


def placed(recorded: Recorded, alignment: Alignment, source: Sequence[CallPath]) -> tuple[CallPath, ...]:
    """The files' paths with the places and call stacks of their partners in the source."""
    by_number = {q.number: q for q in source}
    out = []
    for p in recorded.execution.paths:
        numbers = alignment.partners.get(p.number)
        if numbers:
            q = by_number[numbers[0]]
            calls = tuple(replace(c, stack=d.stack, functions=d.functions) for c, d in zip(p.calls, q.calls, strict=True))
            p = replace(p, calls=calls)
        out.append(p)
    return tuple(out)


def _shape(p: CallPath) -> tuple[object, ...]:
    return (p.device, *(c.function for c in p.calls))


def _found(c: Call) -> bool | None:
    return c.touches[0].found if c.touches else None


def _same_results(p: CallPath, q: CallPath) -> bool:
    return all(
        _found(c) is None or _found(d) is None or _found(c) == _found(d) for c, d in zip(p.calls, q.calls, strict=True)
    )


def _same_outcome(p: CallPath, q: CallPath, devices: int) -> bool:
    a, b = _outputs(p, devices), _outputs(q, devices)
    return a is None or b is None or a == b


def _outputs(p: CallPath, devices: int) -> frozenset[int] | None:
    """Devices that the packet leaves by; None when that is not a constant."""
    if p.outcome == "drop":
        return frozenset()
    if p.outcome == "flood":
        return frozenset(range(devices)) - {p.device}
    return frozenset((p.output,)) if isinstance(p.output, int) else None


def _packet_conditions(p: CallPath) -> frozenset[Expr]:
    """What a path says of nothing but the packet."""
    out = set()
    for c in p.conditions:
        for e in X.conjuncts(c.expr):
            leaves = X.leaves(e)
            if leaves and all((x.op == "byte" and str(x.args[0]).startswith("packet")) or x is _length() for x in leaves):
                out.add(e)
    return frozenset(out)


def _length() -> Expr:
    return X.sym("pkt_len", 16)


def _compatible(solver: Solver, a: frozenset[Expr], b: frozenset[Expr]) -> bool:
    everything = sorted(a | b, key=lambda e: e.serial)
    if any(X.not_(e, 1) in a | b for e in everything):
        return False
    return not everything or solver.find(everything[:-1], {}, everything[-1]) is not None


def _join_objects(p: CallPath, q: CallPath, objects: dict[int, int], kinds: Mapping[int, str]) -> bool:
    """Whether the calls of both are on corresponding objects; learns the correspondence."""
    new: dict[int, int] = {}
    for c, d in zip(p.calls, q.calls, strict=True):
        for s, t in zip(c.touches, d.touches, strict=False):
            known = objects.get(s.object, new.get(s.object))
            if known is None:
                if kinds.get(s.object) != kinds.get(-t.object - 1):
                    return False
                new[s.object] = t.object
            elif known != t.object:
                return False
    objects.update(new)
    return True


def _difference(p: CallPath, others: Sequence[CallPath], devices: int) -> Difference:
    """The nearest path of the other side: the one that agrees longest."""
    best: tuple[int, CallPath] | None = None
    for q in others:
        if q.device != p.device:
            continue
        n = _agreement(p, q)
        if best is None or n > best[0]:
            best = (n, q)
    if best is None:
        return Difference(p, None, None, f"the other side has no path for device {p.device}")
    n, q = best
    if n < min(len(p.calls), len(q.calls)):
        c, d = p.calls[n], q.calls[n]
        if c.function != d.function:
            return Difference(p, q, n, f"{c.function} here, {d.function} there")
        return Difference(p, q, n, f"{c.function} {_says(c)} here, {_says(d)} there")
    if len(p.calls) != len(q.calls):
        longer, side = (p, "here") if len(p.calls) > len(q.calls) else (q, "there")
        return Difference(p, q, n, f"{longer.calls[n].function} is called {side} only")
    if not _same_outcome(p, q, devices):
        return Difference(p, q, None, f"the packet is {_leaves_by(p)} here, {_leaves_by(q)} there")
    return Difference(p, q, None, "the conditions on the packet exclude each other, or the objects differ")


def _agreement(p: CallPath, q: CallPath) -> int:
    for n, (c, d) in enumerate(zip(p.calls, q.calls, strict=False)):
        if c.function != d.function or (_found(c) is not None and _found(d) is not None and _found(c) != _found(d)):
            return n
    return min(len(p.calls), len(q.calls))


def _says(c: Call) -> str:
    return {True: "succeeds", False: "fails", None: "may do either"}[_found(c)]


def _leaves_by(p: CallPath) -> str:
    if p.outcome == "forward":
        return f"forwarded to {X.show(p.output)}" if p.output is not None else "forwarded"
    return {"drop": "dropped", "flood": "flooded"}.get(p.outcome, p.outcome)


def report(alignment: Alignment, names: Mapping[int, str]) -> Iterable[str]:
    """The comparison for people, one line a difference; `names` gives the file of each path of the files."""
    n = len(alignment.partners)
    yield f"{n} recorded paths agree with the source"
    for d in alignment.only_files:
        where = f" at call {d.call + 1}" if d.call is not None else ""
        yield f"{names.get(d.path.number, d.path.number)}: not in the source{where}: {d.why}"
    for d in alignment.only_source:
        where = f" at call {d.call + 1}" if d.call is not None else ""
        yield f"path {d.path.number} of the source: in no file{where}: {d.why}"
