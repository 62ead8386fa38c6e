"""Is a path feasible? A concrete model first, Z3 only when that is not enough.

Every state of the executor carries a model that satisfies its path condition. At a branch the model already satisfies one
side; for the other, `adjust` inverts the condition over the model, and evaluating every constraint says whether that worked.
Only then is Z3 asked. Each answer is exact; Z3's `unknown` (its budget is a deterministic resource limit) is reported as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import expr as X
from .expr import Expr

# Z3's own deterministic work units for one question; about a second on a laptop. Time-outs would make results irreproducible.
Z3_RLIMIT = 20_000_000


class Solver:
    """Feasibility questions over `Expr` conditions. Counts what it asks in `z3_calls`."""

    def __init__(self) -> None:
        self.z3_calls = 0
        self._z3: Any = None
        self._asts: dict[Expr, Any] = {}

    def find(self, constraints: Sequence[Expr], model: Mapping[Expr, int], extra: Expr) -> dict[Expr, int] | str | None:
        """A model of constraints and extra (starting from a model of the constraints), None if there is none, or "unknown"."""
        trial = dict(model)
        if adjust(extra, 1, trial) and holds(constraints, trial) and X.evaluate(extra, trial):
            return trial
        return self.ask([*constraints, extra])

    def ask(self, constraints: Iterable[int | Expr]) -> dict[Expr, int] | str | None:
        """Z3's answer: a model over the leaves of the constraints, None if unsatisfiable, or "unknown"."""
        import z3

        self.z3_calls += 1
        if self._z3 is None:
            self._z3 = z3.Solver()
            self._z3.set("rlimit", Z3_RLIMIT)
        s = self._z3
        s.push()
        try:
            wanted: set[Expr] = set()
            for c in constraints:
                if type(c) is int:
                    if not c:
                        return None
                    continue
                s.add(self.to_z3(c) == 1)
                wanted |= X.leaves(c)
            r = s.check()
            if r == z3.unsat:
                return None
            if r != z3.sat:
                return "unknown"
            m = s.model()
            out: dict[Expr, int] = {}
            for leaf in wanted:
                v = m.eval(self.to_z3(leaf), model_completion=True)
                out[leaf] = v.as_long()
            return out
        finally:
            s.pop()

    def valid(self, e: int | Expr) -> bool | str:
        """Whether a one-bit expression is always 1; "unknown" when Z3 gives up."""
        r = self.ask([X.not_(e, 1)])
        return "unknown" if r == "unknown" else r is None

    def to_z3(self, e: int | Expr, width: int | None = None) -> Any:
        """The same expression for Z3; `width` is needed for constants only."""
        import z3

        if type(e) is int:
            return z3.BitVecVal(e, width)
        got = self._asts.get(e)
        if got is None:
            got = self._asts[e] = self._build(e, z3)
        return got

    def _build(self, e: Expr, z3: Any) -> Any:
        op, w, a = e.op, e.width, e.args
        conv = self.to_z3
        if op == "sym":
            return z3.BitVec(f"{a[0]}:{w}", w)
        if op == "byte":
            return z3.BitVec(f"{a[0]}[{a[1]}]", 8)
        if op == "uf":
            kids = [x for x in a[1:] if isinstance(x, Expr)]
            shape = ",".join(str(x.width) if isinstance(x, Expr) else f"={x}" for x in a[1:])
            if not kids:
                return z3.BitVec(f"{a[0]}({shape}):{w}", w)
            f = z3.Function(f"{a[0]}({shape}):{w}", *(z3.BitVecSort(k.width) for k in kids), z3.BitVecSort(w))
            return f(*(conv(k) for k in kids))
        if op == "concat":
            return z3.Concat(*(conv(p, pw) for p, pw in zip(a[0], a[1], strict=True)))
        if op == "extract":
            return z3.Extract(a[1] + w - 1, a[1], conv(a[0]))
        if op == "sext":
            return z3.SignExt(w - a[0].width, conv(a[0]))
        if op == "not":
            return ~conv(a[0])
        if op == "ite":
            return z3.If(conv(a[0]) == 1, conv(a[1], w), conv(a[2], w))
        src = next(x.width for x in a if isinstance(x, Expr)) if w == 1 else w
        x, y = conv(a[0], src), conv(a[1], src)
        if op in _TRUTH:
            one, zero = z3.BitVecVal(1, 1), z3.BitVecVal(0, 1)
            cond = {"eq": lambda: x == y, "ult": lambda: z3.ULT(x, y), "ule": lambda: z3.ULE(x, y),
                    "slt": lambda: x < y, "sle": lambda: x <= y}[op]()  # fmt: skip
            return z3.If(cond, one, zero)
        return {
            "add": lambda: x + y, "mul": lambda: x * y, "and": lambda: x & y, "or": lambda: x | y, "xor": lambda: x ^ y,
            "udiv": lambda: z3.UDiv(x, y), "urem": lambda: z3.URem(x, y), "sdiv": lambda: x / y,
            "srem": lambda: z3.SRem(x, y), "shl": lambda: x << y, "lshr": lambda: z3.LShR(x, y), "ashr": lambda: x >> y,
        }[op]()  # fmt: skip


_TRUTH = frozenset({"eq", "ult", "ule", "slt", "sle"})


def holds(constraints: Iterable[Expr], model: Mapping[Expr, int]) -> bool:
    """Whether the model satisfies all constraints."""
    memo: dict[Expr, int] = {}
    return all(X.evaluate(c, model, memo) for c in constraints)


def adjust(e: int | Expr, want: int, model: dict[Expr, int]) -> bool:
    """Change the model so that e probably evaluates to `want`; the caller evaluates to make sure.

    Walks down invertible operators; False when there is no way down.
    """
    if type(e) is int:
        return e == want
    op, w, a = e.op, e.width, e.args
    if op in ("sym", "byte"):
        model[e] = want
        return True
    if op == "uf":
        model[e] = want
        return True
    if op == "concat":
        top = w
        ok = True
        for p, pw in zip(a[0], a[1], strict=True):
            top -= pw
            ok &= adjust(p, (want >> top) & ((1 << pw) - 1), model)
        return ok
    if op == "extract":
        inner = a[0]
        old = X.evaluate(inner, model)
        mask = ((1 << w) - 1) << a[1]
        return adjust(inner, (old & ~mask) | (want << a[1]), model)
    if op == "not":
        return adjust(a[0], ~want & ((1 << w) - 1), model)
    if op == "sext":
        return adjust(a[0], want & ((1 << a[0].width) - 1), model)
    if op == "add":
        if type(a[1]) is int:
            return adjust(a[0], (want - a[1]) & ((1 << w) - 1), model)
        return adjust(a[0], (want - X.evaluate(a[1], model)) & ((1 << w) - 1), model)
    if op == "mul" and type(a[1]) is int and a[1] & 1:
        return adjust(a[0], want * pow(a[1], -1, 1 << w) & ((1 << w) - 1), model)
    if op == "xor":
        return adjust(a[0], want ^ X.evaluate(a[1], model), model)
    if w > 1:
        return op == "ite" and adjust(a[1] if X.evaluate(a[0], model) else a[2], want, model)
    if X.evaluate(e, model) == want:
        return True
    if op in ("and", "or"):
        unit = 1 if op == "and" else 0  # this value forces both operands
        if want == unit:
            return adjust(a[0], unit, model) & adjust(a[1], unit, model)
        return adjust(a[0], want, model) or adjust(a[1], want, model)
    if op == "ite":
        return adjust(a[1] if X.evaluate(a[0], model) else a[2], want, model)
    if op in _TRUTH:
        return _adjust_comparison(op, a[0], a[1], want, model)
    return False


def _adjust_comparison(op: str, x: int | Expr, y: int | Expr, want: int, model: dict[Expr, int]) -> bool:
    w = next(v.width for v in (x, y) if isinstance(v, Expr))
    full = (1 << w) - 1
    vx, vy = X.evaluate(x, model), X.evaluate(y, model)
    if op == "eq":
        if want:
            return adjust(x, vy, model) if type(x) is not int else adjust(y, vx, model)
        return adjust(x, vy ^ 1, model) if type(x) is not int else adjust(y, vx ^ 1, model)
    if not want:  # x < y must be false: y <= x
        x, y, vx, vy = y, x, vy, vx
        op = {"ult": "ule", "ule": "ult", "slt": "sle", "sle": "slt"}[op]
    step = 1 if op in ("ult", "slt") else 0
    if type(x) is not int:
        return adjust(x, (vy - step) & full, model)
    return adjust(y, (vx + step) & full, model)
