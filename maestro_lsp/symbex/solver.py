"""Is a path feasible? A concrete model first, Z3 only when that is not enough.

Every state of the executor carries a model that satisfies its path condition. At a branch the model already satisfies one
side; for the other, a local search inverts conditions over the model, and evaluating every constraint says whether that worked.
Only when it did not, and known bits show no contradiction, is Z3 asked. Each answer is exact; Z3's `unknown` (its budget is a
deterministic resource limit) is reported as such.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..rss import z3_here
from . import expr as X
from .expr import Expr
from .known_bits import contradict

# In Z3's own deterministic work units, of which it does some two million in a second on a laptop: for one question, and for all that
# an analysis asks. Time-outs would make results irreproducible.
Z3_RLIMIT = 2_000_000
Z3_TOTAL = 6_000_000
Z3_NODE = 200  # what an expression costs before Z3 counts: to be simplified, and taken back afterwards
# The search is the faster one at finding a model of much arithmetic, Z3 at showing that there is none: they take turns, first with
# little patience. Repairs of a model, then Z3's work units.
PATIENCE = ((24, 20_000), (1_000, Z3_RLIMIT))
SHAKEN_AFTER = (
    25  # repairs until an unknown gets a value at random, as two conditions may undo each other's repairs for ever
)


class Solver:
    """Feasibility questions over `Expr` conditions. Counts what it asks in `z3_calls`."""

    def __init__(self) -> None:
        self.z3_calls = 0
        self._spent = 0  # of Z3_TOTAL
        self._z3: Any = None
        self._context: Any = None
        self._asts: dict[Expr, Any] = {}
        self._without_common: dict[Expr, int | Expr] = {}
        self._tables: dict[Expr, Sequence[int]] = {}  # of expressions of one byte
        self._answers: dict[tuple[Expr, frozenset[Expr]], dict[Expr, int] | str | None] = {}

    def find(self, constraints: Sequence[Expr], model: Mapping[Expr, int], extra: Expr) -> dict[Expr, int] | str | None:
        """A model of constraints and extra (starting from a model of the constraints), None if there is none, or "unknown".

        Only constraints that share leaves with `extra`, directly or through others, can matter; the answer for them is
        remembered. The model covers their leaves and keeps the given values elsewhere.
        """
        relevant = related(constraints, extra)
        key = (extra, frozenset(relevant))
        if key not in self._answers:
            leaves = X.leaves(extra).union(*map(X.leaves, relevant))
            trial = {leaf: v for leaf, v in model.items() if leaf in leaves}
            goal = [*relevant, extra]
            self._answers[key] = self._find(goal, trial)
        answer = self._answers[key]
        return {**model, **answer} if isinstance(answer, dict) else answer

    def _find(self, goal: list[Expr], near: dict[Expr, int]) -> dict[Expr, int] | str | None:
        *known, asked = map(self._cancelled, goal)
        if not isinstance(asked, int) and 0 not in known:
            goal = [*related([c for c in known if isinstance(c, Expr)], asked), asked]  # fewer, perhaps
        elif not asked or 0 in known:
            return None
        leaves = X.leaves(goal[-1]).union(*map(X.leaves, goal))
        if len(leaves) == 1 and next(iter(leaves)).width <= 8:
            (leaf,) = leaves
            columns = [X.tabulate(c, leaf, self._tables) for c in goal]
            return next(({leaf: v} for v, truths in enumerate(zip(*columns, strict=True)) if all(truths)), None)
        answer: dict[Expr, int] | str | None = "unknown"
        for rounds, work in PATIENCE:
            trial = dict(near)
            if search(goal, trial, rounds):
                return trial
            answer = None if contradict(goal) else self.ask(goal, work)
            if answer != "unknown":
                break
        return answer

    def _cancelled(self, c: Expr) -> int | Expr:
        got = self._without_common.get(c)
        if got is None:
            got = self._without_common[c] = X.cancelled(c)
        return got

    def ask(self, constraints: Iterable[int | Expr], work: int = Z3_RLIMIT) -> dict[Expr, int] | str | None:
        """Z3's answer: a model over the leaves of the constraints, None if unsatisfiable, or "unknown" when it takes too much work."""
        z3 = z3_here.load()
        self.z3_calls += 1
        if self._spent > Z3_TOTAL:
            return "unknown"
        if self._z3 is None:
            self._context = (
                z3.Context()
            )  # of its own: in a shared one, what was asked before decides how far the budget goes
            self._z3 = z3.Solver(ctx=self._context)
        s = self._z3
        s.set("rlimit", work)
        before = _work_done(s)
        s.push()
        try:
            goal = [c for c in constraints if isinstance(c, Expr) or not c]
            self._spent += Z3_NODE * X.size(*goal)
            wanted: set[Expr] = set().union(*map(X.leaves, goal))
            for c in without_divisions(goal):
                if isinstance(c, int):
                    if not c:
                        return None
                    continue
                s.add(self.to_z3(c) == 1)
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
            self._spent += _work_done(s) - before

    def to_z3(self, e: int | Expr, width: int | None = None) -> Any:
        """The same expression for Z3; `width` is needed for constants only."""
        import z3

        if isinstance(e, int):
            return z3.BitVecVal(e, width, self._context)
        got = self._asts.get(e)
        if got is None:
            got = self._asts[e] = self._build(e, z3)
        return got

    def _build(self, e: Expr, z3: Any) -> Any:
        op, w, a, context = e.op, e.width, e.args, self._context
        conv = self.to_z3
        if op == "sym":
            return z3.BitVec(f"{a[0]}:{w}", w, context)
        if op == "byte":
            return z3.BitVec(f"{a[0]}[{a[1]}]", 8, context)
        if op == "uf":
            kids = [x for x in a[1:] if isinstance(x, Expr)]
            shape = ",".join(str(x.width) if isinstance(x, Expr) else f"={x}" for x in a[1:])
            if not kids:
                return z3.BitVec(f"{a[0]}({shape}):{w}", w, context)
            f = z3.Function(
                f"{a[0]}({shape}):{w}", *(z3.BitVecSort(k.width, context) for k in kids), z3.BitVecSort(w, context)
            )
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
            one, zero = z3.BitVecVal(1, 1, context), z3.BitVecVal(0, 1, context)
            cond = {"eq": lambda: x == y, "ult": lambda: z3.ULT(x, y), "ule": lambda: z3.ULE(x, y),
                    "slt": lambda: x < y, "sle": lambda: x <= y}[op]()  # fmt: skip
            return z3.If(cond, one, zero)
        return {
            "add": lambda: x + y, "mul": lambda: x * y, "and": lambda: x & y, "or": lambda: x | y, "xor": lambda: x ^ y,
            "udiv": lambda: z3.UDiv(x, y), "urem": lambda: z3.URem(x, y), "sdiv": lambda: x / y,
            "srem": lambda: z3.SRem(x, y), "shl": lambda: x << y, "lshr": lambda: z3.LShR(x, y), "ashr": lambda: x >> y,
        }[op]()  # fmt: skip


_TRUTH = frozenset({"eq", "ult", "ule", "slt", "sle"})


def without_divisions(constraints: Sequence[int | Expr]) -> list[int | Expr]:
    """Constraints that hold for the same leaves, with quotients and remainders of divisions by constants as unknowns of their own.

    x / c is the q of x = q * c + r with a small r, and x / c * c is x - r. To Z3 that is a multiplication by a constant, and often not
    even that, where a division of 64 bits may cost it minutes.
    """
    found: dict[Expr, None] = {}
    for c in constraints:
        _divisions(c, found, set())
    meant: dict[Expr, int | Expr] = {}
    axioms: list[int | Expr] = []
    for n, e in enumerate(found):  # inner ones first
        dividend, divisor, w = e.args[0], e.args[1], e.width
        signed = e.op[0] == "s"
        quotient = (X.sdiv if signed else X.udiv)(dividend, divisor, w)
        remainder = (X.srem if signed else X.urem)(dividend, divisor, w)
        if e in meant or not (isinstance(quotient, Expr) and quotient.op in _DIVISIONS):
            continue
        if not (isinstance(remainder, Expr) and remainder.op in _DIVISIONS):
            continue
        q, r = X.sym(f"quotient {n}", w), X.sym(f"remainder {n}", w)
        x = X.substitute(dividend, meant)
        meant |= {quotient: q, remainder: r}
        product = X.mul(quotient, divisor, w)
        if isinstance(product, Expr):
            meant[product] = X.sub(x, r, w)
        axioms += [X.eq(x, X.add(X.mul(q, divisor, w), r, w), w), *_bounds(x, q, r, divisor, w, signed)]
    return [*(X.substitute(c, meant) for c in constraints), *axioms] if meant else list(constraints)


_DIVISIONS = frozenset({"udiv", "urem", "sdiv", "srem"})


def _divisions(e: object, found: dict[Expr, None], seen: set[Expr]) -> None:
    """The divisions by a positive constant in an expression, inner ones first."""
    if isinstance(e, tuple):
        for x in e:
            _divisions(x, found, seen)
    if not isinstance(e, Expr) or e in seen:
        return
    seen.add(e)
    _divisions(e.args, found, seen)
    if e.op in _DIVISIONS and isinstance(e.args[1], int) and 0 < e.args[1] < 1 << (e.width - 1):
        found[e] = None


def _bounds(x: int | Expr, q: Expr, r: Expr, divisor: int, w: int, signed: bool) -> list[int | Expr]:
    """What makes q and r the quotient and the remainder of x: they have the dividend's sign, and r is smaller than the divisor."""
    if not signed:
        return [X.ult(r, divisor, w), X.ule(q, ((1 << w) - 1) // divisor, w), X.ule(r, x, w)]
    negative = X.slt(x, 0, w)
    most = ((1 << (w - 1)) - 1) // divisor
    up = X.and_(X.and_(X.ult(r, divisor, w), X.ule(q, most, w), 1), X.sle(r, x, w), 1)
    minus_r, minus_q = X.sub(0, r, w), X.sub(0, q, w)
    down = X.and_(
        X.and_(X.ult(minus_r, divisor, w), X.ule(minus_q, (1 << (w - 1)) // divisor, w), 1), X.sle(x, r, w), 1
    )
    return [X.ite(negative, down, up, 1)]


def _work_done(s: Any) -> int:
    """All work units that Z3 has spent so far."""
    statistics = s.statistics()
    return int(statistics.get_key_value("rlimit count")) if "rlimit count" in statistics.keys() else 0  # noqa: SIM118


def related(constraints: Sequence[Expr], e: Expr) -> list[Expr]:
    """The constraints that share leaves with e, or with such a constraint."""
    reached = set(X.leaves(e))
    waiting = list(constraints)
    out: list[Expr] = []
    while True:
        apart = []
        for c in waiting:
            leaves = X.leaves(c)
            if leaves.isdisjoint(reached):
                apart.append(c)
            else:
                out.append(c)
                reached |= leaves
        if len(apart) == len(waiting):
            return out
        waiting = apart


def holds(constraints: Iterable[Expr], model: Mapping[Expr, int]) -> bool:
    """Whether the model satisfies all constraints."""
    memo: dict[Expr, int] = {}
    return all(X.evaluate(c, model, memo) for c in constraints)


def search(constraints: Sequence[Expr], model: dict[Expr, int], rounds: int = PATIENCE[0][0]) -> bool:
    """Repair a model until it satisfies all constraints, one violated constraint at a time; False when that takes too long.

    A local search with a fixed seed, so the same question always has the same answer.
    """
    rng = random.Random(len(constraints))
    adjuster = _Adjuster(model, rng)
    leaves = sorted(frozenset[Expr]().union(*map(X.leaves, constraints)), key=lambda e: e.serial)
    for n in range(1, rounds + 1):
        if n % SHAKEN_AFTER == 0:
            leaf = rng.choice(leaves)
            adjuster.set(leaf, rng.getrandbits(leaf.width))
        violated = [c for c in constraints if not adjuster.value(c)]
        if not violated:
            return True
        adjuster.adjust(violated[0] if len(violated) == 1 else rng.choice(violated), 1)
    return False


class _Adjuster:
    """Changes a model so that an expression probably takes a value, walking down invertible operators."""

    def __init__(self, model: dict[Expr, int], rng: random.Random) -> None:
        self.model = model
        self.rng = rng
        self._values: dict[Expr, int] = {}  # under the model as it is

    def value(self, e: int | Expr) -> int:
        return X.evaluate(e, self.model, self._values)

    def set(self, leaf: Expr, value: int) -> None:
        if self.model.get(leaf) != value:
            self.model[leaf] = value
            self._values = {}

    def adjust(self, e: int | Expr, want: int) -> None:
        if isinstance(e, int):
            return
        op, w, a = e.op, e.width, e.args
        full = (1 << w) - 1
        if X.is_leaf(e):
            self.set(e, want)
        elif op == "concat":
            top = w
            for p, pw in zip(a[0], a[1], strict=True):
                top -= pw
                self.adjust(p, (want >> top) & ((1 << pw) - 1))
        elif op == "extract":
            mask = full << a[1]
            self.adjust(a[0], (self.value(a[0]) & ~mask) | (want << a[1]))
        elif op == "not":
            self.adjust(a[0], ~want & full)
        elif op == "sext":
            self.adjust(a[0], want & ((1 << a[0].width) - 1))
        elif op == "ite":
            self.adjust(a[1] if self.value(a[0]) else a[2], want)
        elif op in _TRUTH:
            self.compare(op, a[0], a[1], want)
        elif op in ("and", "or") and w == 1:
            if self.value(e) == want:
                return
            both = 1 if op == "and" else 0  # the value that needs both operands
            if want == both:
                self.adjust(a[0], want)
                self.adjust(a[1], want)
            else:
                self.adjust(self.rng.choice(a), want)
        else:
            self.arithmetic(op, a[0], a[1], want, w)

    def arithmetic(self, op: str, x: int | Expr, y: int | Expr, want: int, w: int) -> None:
        full = (1 << w) - 1
        if not isinstance(y, int) and (
            isinstance(x, int) or (op in ("add", "mul", "xor", "and", "or") and self.rng.random() < 0.5)
        ):
            x, y = y, x
        vy = self.value(y)
        if op == "add":
            self.adjust(x, (want - vy) & full)
        elif op == "xor":
            self.adjust(x, want ^ vy)
        elif op == "mul":
            self.adjust(x, want * pow(vy, -1, 1 << w) & full if vy & 1 else (want // vy if vy else 0))
        elif op == "udiv":
            self.adjust(x, min(want * vy + (self.rng.randrange(vy) if vy else 0), full))
        elif op == "sdiv":
            self.adjust(x, want * vy & full)
        elif op in ("urem", "srem"):
            self.adjust(x, want)
        elif op in ("and", "or"):
            self.adjust(x, want)
            self.adjust(y, want)

    def compare(self, op: str, x: int | Expr, y: int | Expr, want: int) -> None:
        w = next(v.width for v in (x, y) if isinstance(v, Expr))
        full = (1 << w) - 1
        vx, vy = self.value(x), self.value(y)
        left = isinstance(y, int) or (not isinstance(x, int) and self.rng.random() < 0.5)
        if op == "eq":
            other = vy if left else vx
            self.adjust(x if left else y, other if want else other ^ (1 << self.rng.randrange(w)))
            return
        if not want:  # x < y is false: y <= x
            x, y, vx, vy, left = y, x, vy, vx, not left
            op = {"ult": "ule", "ule": "ult", "slt": "sle", "sle": "slt"}[op]
        step = 1 if op in ("ult", "slt") else 0
        low, high = (0, full) if op[0] == "u" else (1 << (w - 1), full >> 1)
        if left:  # at the bound, far below it, or in the middle
            self.adjust(x, self.rng.choice(((vy - step) & full, low, (vy >> 1) & full, 0)))
        else:
            self.adjust(y, self.rng.choice(((vx + step) & full, high, (vx * 2 + 1) & full)))
