"""Whether a recorded path and one of the source do the same: results, keys, what is stored and written, where the packet goes.

Both sides name packet bytes, cells and answers of calls alike (model.py), so most comparisons are by identity; where expressions
differ, a solver says whether they can differ for a packet that takes both paths. What files cannot say is left out: addresses,
MAC addresses of the machine, checksums, padding, and conditions on the harness's own symbols.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..source.text import Span
from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.path import CELL, Call, CallPath, PacketWrite, Part, Touch, answering
from ..symbex.solver import Solver, search

UNINITIALISED = 0xAB  # what KLEE's memory holds before something is stored
L4_CHECKSUM = "l4_checksum"  # KLEE's model leaves it out
CHECKSUMS = ("checksum", L4_CHECKSUM)  # files give all of a path one name

Value = int | Expr


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first thing in which two paths differ."""

    call: int | None  # position among the calls; None: not a call
    what: str  # "calls", "result", "object", "condition", "outcome", or what of a call or packet differs
    here: object = None  # of writes: the bytes that differ, as each side leaves them
    there: object = None


@dataclass(frozen=True)
class Side:
    """A path with what comparing needs of it."""

    path: CallPath

    @cached_property
    def shape(self) -> tuple[object, ...]:
        """Paths with different shapes never correspond."""
        return (self.path.device, *(c.function for c in self.path.calls))

    @cached_property
    def branches(self) -> frozenset[Expr]:
        """The decisions of the NF on the path, as far as both sides can speak of them."""
        return frozenset(self._results()) | frozenset(self._conditions(assumed=False)) - self.model_decisions

    @cached_property
    def assumed(self) -> frozenset[Expr]:
        """What the models of library calls promise on the path."""
        return frozenset(self._conditions(assumed=True))

    @cached_property
    def known(self) -> frozenset[Expr]:
        """All that holds on the path."""
        return self.branches | self.assumed | self.model_decisions

    @cached_property
    def model_decisions(self) -> frozenset[Expr]:
        """What our models of calls decide: whether a key or index is one that the path used before. KLEE's do not ask."""
        calls = {c.span for c in self.path.calls}
        return frozenset(self._conditions(assumed=False, at=calls))

    @cached_property
    def repeats(self) -> frozenset[Expr]:
        """The model's decisions that a key is one that the path used before."""
        return frozenset(e for e in self.model_decisions if e.op != "not")

    def _results(self) -> Iterator[Expr]:
        for c in self.path.calls:
            found = found_of(c)
            if found is not None:
                yield _answer(c.number, found)

    def _conditions(self, assumed: bool, at: Collection[Span] | None = None) -> Iterator[Expr]:
        for c in self.path.conditions:
            if c.assumed == assumed and (at is None or c.span in at):
                for e in X.conjuncts(c.expr):
                    if _is_shared(e) and not self._is_result(e):
                        yield e

    def _is_result(self, e: Expr) -> bool:
        """Whether a condition only says how a call ended, which `found` of its touch says on either side."""
        leaves = X.leaves(e)
        if len(leaves) != 1:
            return False
        leaf = next(iter(leaves))
        number = answering(leaf)
        if number is None or _names(leaf, CELL) or number >= len(self.path.calls):
            return False
        c = self.path.calls[number]
        return found_of(c) is not None and all(
            leaves.isdisjoint(X.leaves(t.value)) for t in c.touches if t.value is not None
        )


def found_of(c: Call) -> bool | None:
    """Whether a call succeeded, None where the path leaves that open."""
    return c.touches[0].found if c.touches else None


def _answer(call: int, found: bool) -> Expr:
    """That a call succeeded or failed, as a condition."""
    answer = X.sym(f"found#{call}", 1)
    literal = answer if found else X.not_(answer, 1)
    assert isinstance(literal, Expr)
    return literal


def answered(e: Expr) -> int | None:
    """The number of the call that a condition says the end of; None when it is another condition."""
    leaves = X.leaves(e)
    leaf = next(iter(leaves)) if len(leaves) == 1 else None
    return answering(leaf) if leaf is not None and _names(leaf, "found") else None


def _is_shared(e: Expr) -> bool:
    """Whether both sides have names for all that a condition is about."""
    leaves = X.leaves(e)
    return bool(leaves) and all(
        str(leaf.args[0]).startswith("packet") or "#" in str(leaf.args[0]) or leaf.args[0] in ("pkt_len", "time")
        for leaf in leaves
    )


class Comparer:
    """Compares paths of two sides whose expressions are of one analysis."""

    def __init__(self, devices: int) -> None:
        self.devices = devices
        self.solver = Solver()
        self._compatible: dict[tuple[frozenset[Expr], frozenset[Expr]], bool] = {}

    # ------------------------------------------------------------------------------------------------------ conditions

    def compatible(self, p: Side, q: Side) -> bool:
        """Whether some packet takes both paths."""
        key = (p.known, q.known)
        if key not in self._compatible:
            # a path is possible by itself, so only what the other says beyond it can exclude both
            self._compatible[key] = (
                p.known <= q.known or q.known <= p.known or self.possible(p.known | q.known, q.path.model)
            )
        return self._compatible[key]

    def possible(self, known: frozenset[Expr], model: Mapping[Expr, int] | None = None) -> bool:
        """Whether conditions can hold together; also when the solver gives up."""
        if any(X.not_(e, 1) in known for e in known) or _clash(known):
            return False
        if model:
            memo: dict[Expr, int] = {}
            if all(X.evaluate(e, model, memo) for e in known if not _names(e, "found")):
                return True
        ordered = sorted(known, key=lambda e: e.serial)
        return search(ordered, dict(model or {})) or self.solver.ask(ordered) is not None

    def uncovered(self, p: Side, others: Sequence[Side]) -> Expr | None:
        """A decision that sends some packet of a path to none of the others; None when they take all of them."""
        if not others:
            return None
        known = p.known | frozenset.intersection(*(q.assumed for q in others))
        alternatives = [q.branches - known for q in others]
        if _covered(known, alternatives):
            return None
        left: list[Value] = [X.not_(_all(a), 1) for a in alternatives]
        if any(isinstance(v, int) and not v for v in left):
            return None
        questions = [v for v in left if isinstance(v, Expr)]
        if self.solver.ask([*sorted(known, key=lambda e: e.serial), *questions]) is None:
            return None
        nearest = min(alternatives, key=lambda a: (len(a), min((e.serial for e in a), default=0)))
        return min(nearest, key=lambda e: (_names(e, "found"), e.serial))

    def unused_results(self, p: Side, others: Sequence[Side]) -> Side:
        """A path with the results that it leaves open, where the others agree on them: a call that the NF does not look at the result
        of, and that KLEE's model lets succeed always."""
        agreed = []
        for c in p.path.calls:
            if found_of(c) is None:
                answers = {found_of(q.path.calls[c.number]) for q in others}
                if len(answers) == 1 and None not in answers:
                    agreed.append((c.number, answers.pop()))
        if not agreed or not others:
            return p
        calls = list(p.path.calls)
        for n, found in agreed:
            touches = calls[n].touches
            calls[n] = (
                replace(calls[n], touches=(replace(touches[0], found=found), *touches[1:])) if touches else calls[n]
            )
        return Side(replace(p.path, calls=tuple(calls)))

    def same(self, x: Value | None, y: Value | None, width: int, known: frozenset[Expr]) -> bool:
        """Whether values agree for every packet of two paths, as far as files can say."""
        if x is None or y is None or x is y or (isinstance(x, int) and x in (y, UNINITIALISED)):
            return True
        foreign = [_is_foreign(v) for v in (x, y)]
        if any(foreign):
            return all(foreign) or any(isinstance(v, int) or _mentions(v, L4_CHECKSUM) for v in (x, y))
        e = X.eq(x, y, width)
        if isinstance(e, int):
            return bool(e)
        n = X.not_(e, 1)
        if e in known or n in known or isinstance(n, int):
            return e in known
        return self.solver.find(sorted(known, key=lambda c: c.serial), {}, n) is None

    # ----------------------------------------------------------------------------------------------------------- effects

    def mismatch(self, p: Side, q: Side) -> Mismatch | None:
        """The first thing in which two paths of one shape differ, for packets that take both."""
        known = p.known | q.known
        for c, d in zip(p.path.calls, q.path.calls, strict=True):
            for s, t in zip(c.touches, d.touches, strict=False):
                found = self._touches(c.number, s, t, known)
                if found is not None:
                    return found
        return self._outcome(p.path, q.path, known) or self._writes(p.path, q.path, known)

    def _touches(self, call: int, s: Touch, t: Touch, known: frozenset[Expr]) -> Mismatch | None:
        if s.key is not None and t.key is not None:
            a, b = _bytes(s.key), _bytes(t.key)
            if len(a) != len(b) or not all(self.same(x, y, 8, known) for x, y in zip(a, b, strict=True)):
                return Mismatch(call, "index" if s.index else "key", s.key, t.key)
        for what, x, y in (("value", s.value, t.value), ("time", s.time, t.time)):
            if not self.same(x, y, _width(x, y), known):
                return Mismatch(call, "time" if t.role == "expire" else what, x, y)
        mine, theirs = dict(s.stored), dict(t.stored)
        for at in sorted(mine.keys() | theirs.keys()):
            x, y = mine.get(at), theirs.get(at)
            if x is None or y is None:  # one side left the byte as it was
                stored = y if x is None else x
                if stored == UNINITIALISED or any(_names(leaf, CELL) for leaf in X.leaves(stored or 0)):
                    continue
                if y is not None and isinstance(y, int) and self._is_padding(at, mine):
                    continue
                return Mismatch(call, f"stores at byte {at}", x, y)
            if not self.same(x, y, 8, known):
                return Mismatch(call, f"stores at byte {at}", x, y)
        return None

    @staticmethod
    def _is_padding(at: int, stored: Mapping[int, Value]) -> bool:
        """Whether a byte lies behind all that the other side changed: the end of a struct."""
        return bool(stored) and at > max(stored)

    def _writes(self, p: CallPath, q: CallPath, known: frozenset[Expr]) -> Mismatch | None:
        mine = {(w.array, w.offset): w.value for w in p.writes}
        theirs = {(w.array, w.offset): w.value for w in q.writes}
        here, there = [], []
        for place in sorted(mine.keys() | theirs.keys()):
            unchanged = X.byte(*place)
            x, y = mine.get(place, unchanged), theirs.get(place, unchanged)
            if not self.same(x, y, 8, known):
                here.append(PacketWrite(*place, x))
                there.append(PacketWrite(*place, y))
        return Mismatch(None, "writes", tuple(here), tuple(there)) if here else None

    def _outcome(self, p: CallPath, q: CallPath, known: frozenset[Expr]) -> Mismatch | None:
        a, b = self._leaves_by(p), self._leaves_by(q)
        if isinstance(a, frozenset) and isinstance(b, frozenset):
            same = a == b
        else:
            x, y = (_single(v, r) for v, r in ((a, p), (b, q)))
            same = x is not None and y is not None and self.same(x, y, 16, known)
        return None if same else Mismatch(None, "outcome", p, q)

    def _leaves_by(self, p: CallPath) -> frozenset[int] | Expr | None:
        """The devices that the packet leaves by."""
        if p.outcome == "drop":
            return frozenset()
        if p.outcome == "flood":
            return frozenset(range(self.devices)) - {p.device}
        if isinstance(p.output, int):
            return frozenset((p.output,)) - {p.device}  # the main loop drops what would go back
        return p.output


def _single(leaves_by: frozenset[int] | Expr | None, p: CallPath) -> Value | None:
    """The one device that a packet leaves by; the input device when it leaves by none."""
    if not isinstance(leaves_by, frozenset):
        return X.zext(leaves_by, leaves_by.width, 16) if leaves_by is not None and leaves_by.width <= 16 else leaves_by
    if len(leaves_by) > 1:
        return None
    return next(iter(leaves_by), p.device)


def _bytes(key: Iterable[Part]) -> list[Value]:
    return [b for p in key for b in X.bytes_of(X.zext(p.value, p.width, -(-p.width // 8) * 8), -(-p.width // 8))]


def _width(*values: Value | None) -> int:
    return next((v.width for v in values if isinstance(v, Expr)), 64)


def _is_foreign(v: Value) -> bool:
    """Whether a value depends on something that files know by another name or as a constant: the machine's addresses, checksums."""
    return any(not _is_shared(leaf) or _names(leaf, *CHECKSUMS) for leaf in X.leaves(v))


def _mentions(v: Value, base: str) -> bool:
    return any(str(leaf.args[0]).partition("#")[0] == base for leaf in X.leaves(v))


def _names(e: Expr, *bases: str) -> bool:
    """Whether an expression is about symbols of these names only."""
    return all(str(leaf.args[0]).partition("#")[0] in bases for leaf in X.leaves(e))


def _clash(known: Iterable[Expr]) -> bool:
    """Whether one value is said to equal two constants."""
    values: dict[Expr, int] = {}
    for e in known:
        if e.op == "eq" and isinstance(e.args[0], Expr) and isinstance(e.args[1], int):
            if values.setdefault(e.args[0], e.args[1]) != e.args[1]:
                return True
    return False


def _covered(known: frozenset[Expr], alternatives: Sequence[frozenset[Expr]], depth: int = 12) -> bool:
    """Whether what is known implies one of the conjunctions, seen by cases on decisions that stand there both ways."""
    if any(not a for a in alternatives):
        return True
    if depth == 0:
        return False
    for e in sorted({e for a in alternatives for e in a}, key=lambda e: e.serial):
        n = X.not_(e, 1)
        if isinstance(n, Expr) and any(n in a for a in alternatives):
            yes = [a - {e} for a in alternatives if n not in a]
            no = [a - {n} for a in alternatives if e not in a]
            return _covered(known | {e}, yes, depth - 1) and _covered(known | {n}, no, depth - 1)
    return False


def _all(conditions: Iterable[Expr]) -> Value:
    out: Value = 1
    for e in sorted(conditions, key=lambda e: e.serial):
        out = X.and_(out, e, 1)
    return out
