"""Whether files of call paths are all there are: every packet on a device takes one of its paths.

Where there is a source, comparing with its paths says so. Without one, the paths' own decisions do: if a file is missing, some packet
and some answers of calls make none of the decisions that stand in the files. Decisions with divisions and products are taken as they stand, each
one way or the other, because a solver need not know what they mean to see that both ways are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.path import Call, CallPath, Part, answering
from ..symbex.solver import Solver
from .differ import Side, answered, found_of

_HARD = frozenset({"udiv", "urem", "sdiv", "srem"})
_AFTER = {"map-put": True, "map-erase": False}  # whether a map has a key then
_SURE = frozenset({"dchain-rejuvenate", "dchain-free"})  # KLEE's models of these never fail


@dataclass(frozen=True, slots=True)
class Gap:
    """Packets that no path of a device takes."""

    device: int
    nearest: CallPath | None  # differs in the fewest decisions; None: there is none, or the solver gives up
    decision: Expr | None  # a decision of that path that the packets do not make


def gap(paths: Iterable[CallPath], devices: int) -> Gap | None:
    """The first device with packets that no path takes; None when all are taken."""
    sides = [s for s in map(Side, paths) if not _is_impossible(s)]
    solver = Solver()
    for device in range(devices):
        found = _gap(device, [s for s in sides if s.path.device == device], solver)
        if found is not None:
            return found
    return None


def _gap(device: int, sides: Sequence[Side], solver: Solver) -> Gap | None:
    if not sides:
        return Gap(device, None, None)
    atoms = _Atoms()
    decisions = [_decisions(s) for s in sides]
    none_taken = [X.not_(atoms.all(d), 1) for d in decisions]
    if any(isinstance(v, int) and not v for v in none_taken):
        return None
    promised = [v for s in sides for v in _promises(s, atoms) if isinstance(v, Expr)]
    answer = solver.ask([*dict.fromkeys(promised), *_understood(sides), *none_taken])
    if answer is None:
        return None
    if isinstance(answer, str):
        return Gap(device, None, None)
    failing = [[e for e in sorted(d, key=lambda e: e.serial) if not X.evaluate(atoms.of(e), answer)] for d in decisions]
    n = min(range(len(sides)), key=lambda i: len(failing[i]))
    return Gap(device, sides[n].path, failing[n][0])


def _decisions(s: Side) -> frozenset[Expr]:
    """A path's decisions, without results that cannot be others."""
    calls = s.path.calls
    sure = {c.number for c in calls if c.op in _SURE or _foretold(calls[: c.number], c, s.branches) is not None}
    return frozenset(e for e in s.branches if answered(e) not in sure)


def _is_impossible(s: Side) -> bool:
    """Whether a call of a path ends otherwise than the calls before say it must: no packet takes such a path, so it stands for none."""
    ends = [(_foretold(s.path.calls[: c.number], c, s.branches), found_of(c)) for c in s.path.calls]
    return any(foretold is not None and found is not None and foretold != found for foretold, found in ends)


def _foretold(before: Sequence[Call], c: Call, decided: frozenset[Expr]) -> bool | None:
    """How a call must end after the calls before: an allocation from a dchain of which the path has freed an index, a key that the path
    got, put or erased. None: one way or the other."""
    if not c.touches:
        return None
    t = c.touches[0]
    same = [b for b in before if b.touches and b.touches[0].object == t.object]
    if c.op == "dchain-allocate":
        ops = [b.op for b in same]
        return True if "dchain-free" in ops and "dchain-allocate" not in ops[ops.index("dchain-free") :] else None
    if c.op != "map-get":
        return None
    last = next(
        (b for b in reversed(same) if b.op.startswith("map-") and _equal(b.touches[0].key, t.key, decided)), None
    )
    return None if last is None else _AFTER[last.op] if last.op in _AFTER else found_of(last)


def _equal(a: tuple[Part, ...] | None, b: tuple[Part, ...] | None, decided: frozenset[Expr]) -> bool:
    """Whether keys are equal on a path, by themselves or because it has decided so."""
    if a is None or b is None or [p.width for p in a] != [p.width for p in b]:
        return False
    pairs = [X.eq(x.value, y.value, x.width) for x, y in zip(a, b, strict=True)]
    return all(bool(e) if isinstance(e, int) else set(X.conjuncts(e)) <= decided for e in pairs)


def _promises(s: Side, atoms: _Atoms) -> Iterable[int | Expr]:
    """What models promise of a call's answer, wherever the calls up to it end as on this path: then it is the same call."""
    results = [(n, e) for e in s.branches if (n := answered(e)) is not None]
    for a in sorted(s.assumed, key=lambda e: e.serial):
        last = max((n for leaf in X.leaves(a) if (n := answering(leaf)) is not None), default=-1)
        before = [e for n, e in results if n <= last]
        yield X.or_(X.not_(atoms.all(before), 1), atoms.of(a), 1)


def _understood(sides: Sequence[Side]) -> list[Expr]:
    """What needs no saying: that time is not negative, and that a packet has the bytes which all paths borrow first."""
    ends = [s.path.chunks[0].length if s.path.chunks else 0 for s in sides]
    least = min((end for end in ends if isinstance(end, int)), default=0)
    e = X.ule(least, X.sym("pkt_len", 16), 16) if all(isinstance(end, int) for end in ends) else 1
    return [v for v in (e, X.sle(0, X.sym("time", 64), 64)) if isinstance(v, Expr)]


class _Atoms:
    """Conditions in which those with divisions and products are symbols of their own."""

    def __init__(self) -> None:
        self._hard: dict[Expr, bool] = {}

    def all(self, conditions: Iterable[Expr]) -> int | Expr:
        """The conjunction."""
        out: int | Expr = 1
        for e in sorted(conditions, key=lambda e: e.serial):
            out = X.and_(out, self.of(e), 1)
        return out

    def of(self, e: Expr) -> int | Expr:
        """One condition."""
        if not self.is_hard(e):
            return e
        if e.op in ("and", "or"):
            x, y = (self.of(v) if isinstance(v, Expr) else v for v in e.args)
            return X.and_(x, y, 1) if e.op == "and" else X.or_(x, y, 1)
        opposite = X.not_(e, 1)
        if isinstance(opposite, Expr) and opposite.serial < e.serial:
            return X.not_(self.of(opposite), 1)
        return X.sym(f"decision {e.serial}", 1)

    def is_hard(self, e: Expr) -> bool:
        known = self._hard.get(e)
        if known is None:
            inner = [x for x in X.children(e) if isinstance(x, Expr)]
            is_product = e.op == "mul" and len(inner) == 2
            known = self._hard[e] = e.op in _HARD or is_product or any(self.is_hard(x) for x in inner)
        return known
