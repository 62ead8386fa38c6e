"""Conditions: comparisons as one bit, decided or brought into a normal form as they are built (see `terms`)."""

from __future__ import annotations

from .terms import Expr, _commute, _mk, _nonneg, add, and_, concat, extract, ite, not_, remembered, sext, signed, sub


def _split_zero(v: int | Expr, w: int) -> tuple[int | Expr, int]:
    """A value without the zero bits on top: (rest, its width)."""
    if isinstance(v, int):
        return v, max(v.bit_length(), 1)
    if v.op == "concat" and isinstance(v.args[0][0], int) and v.args[0][0] == 0:
        low = w - v.args[1][0]
        return extract(v, 0, low), low
    return v, w


def _split_constant(v: Expr) -> tuple[Expr, int]:
    """x and c, where v is x + c."""
    if v.op == "add" and isinstance(v.args[1], int):
        return v.args[0], v.args[1]
    return v, 0


_equalities: dict[tuple[int | Expr, int | Expr, int], int | Expr] = remembered()


def eq(a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    """a == b as one bit."""
    if a is b:
        return 1
    if isinstance(a, int) and isinstance(b, int):
        return int(a == b)
    got = _equalities.get((a, b, w))
    if got is None:
        got = _equalities[a, b, w] = _eq(a, b, w)
    return got


def _eq(a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    if isinstance(a, int):
        a, b = b, a
    assert not isinstance(a, int)
    if isinstance(b, int):
        if w == 1:
            return a if b else not_(a, 1)
        op = a.op
        if op == "concat":
            rest: list[tuple[int | Expr, int]] = []
            top = w
            consts = False
            val = 0
            for p, pw in zip(a.args[0], a.args[1], strict=True):
                top -= pw
                piece = (b >> top) & ((1 << pw) - 1)
                if isinstance(p, int):
                    if p != piece:
                        return 0
                    consts = True
                else:
                    rest.append((p, pw))
                    val = (val << pw) | piece
            if consts:
                return eq(concat(rest), val, sum(pw for _, pw in rest))
        elif op == "add" and isinstance(a.args[1], int):
            return eq(a.args[0], (b - a.args[1]) & ((1 << w) - 1), w)
        elif op == "sext":
            inner = a.args[0]
            low = b & ((1 << inner.width) - 1)
            return eq(inner, low, inner.width) if sext(low, inner.width, w) == b else 0
        elif op == "not":
            return eq(a.args[0], ~b & ((1 << w) - 1), w)
        elif op == "ite":
            t, f = a.args[1], a.args[2]
            yes, no = eq(t, b, w), eq(f, b, w)
            if isinstance(yes, int) and isinstance(no, int):
                return ite(a.args[0], yes, no, 1)
        elif op == "mul" and isinstance(a.args[1], int) and a.args[1] & 1:
            return eq(a.args[0], b * pow(a.args[1], -1, 1 << w) & ((1 << w) - 1), w)
        return _mk("eq", 1, a, b)
    wa, wb = _split_zero(a, w)[1], _split_zero(b, w)[1]
    if wa < w and wb < w:
        m = max(wa, wb)
        return eq(extract(a, 0, m), extract(b, 0, m), m)
    (x, c), (y, d) = _split_constant(a), _split_constant(b)
    if x is y:
        return int(c == d)
    if c and d:
        return eq(add(x, sub(c, d, w), w), y, w)
    if a.op == b.op:
        if a.op == "sext" and a.args[0].width == b.args[0].width:
            return eq(a.args[0], b.args[0], a.args[0].width)
        if a.op == "concat" and a.args[1] == b.args[1]:
            # equal pieces drop out; unequal constants decide
            rest_a: list[tuple[int | Expr, int]] = []
            rest_b: list[tuple[int | Expr, int]] = []
            for x, y, pw in zip(a.args[0], b.args[0], a.args[1], strict=True):
                if x is y or (isinstance(x, int) and x == y):
                    continue
                if isinstance(x, int) and isinstance(y, int):
                    return 0
                rest_a.append((x, pw))
                rest_b.append((y, pw))
            if len(rest_a) < len(a.args[1]):
                rw = sum(pw for _, pw in rest_a)
                return eq(concat(rest_a), concat(rest_b), rw)
    if w == 1 and not_(a, 1) is b:
        return 0
    return _commute("eq", a, b, 1)


def cancelled(e: Expr) -> int | Expr:
    """A condition that means the same, in which no sum is compared with one that shares a term with it."""
    if e.op == "not":
        return not_(cancelled(e.args[0]), 1)
    if e.op != "eq" or not isinstance(e.args[1], Expr):
        return e
    (x, c), (y, d) = map(_split_constant, e.args)
    w = x.width
    theirs = y.args if y.op == "add" else (y,)
    common = next((t for t in (x.args if x.op == "add" else (x,)) if t in theirs), None)
    return e if common is None else eq(add(sub(x, common, w), c, w), add(sub(y, common, w), d, w), w)


def ult(a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    """Unsigned a < b."""
    if a is b:
        return 0
    if isinstance(a, int):
        if isinstance(b, int):
            return int(a < b)
        if a == 0:
            return not_(eq(b, 0, w), 1)
        if a == (1 << w) - 1:
            return 0
        rb, wb = _split_zero(b, w)
        if wb < w:
            return ult(a, rb, wb) if not a >> wb else 0
        return _mk("ult", 1, a, b)
    if isinstance(b, int):
        if b == 0:
            return 0
        if b == 1:
            return eq(a, 0, w)
        ra, wa = _split_zero(a, w)
        if wa < w:
            return ult(ra, b, wa) if not b >> wa else 1
        return _mk("ult", 1, a, b)
    wa, wb = _split_zero(a, w)[1], _split_zero(b, w)[1]
    m = max(wa, wb)
    if m < w:
        return ult(extract(a, 0, m), extract(b, 0, m), m)
    return _mk("ult", 1, a, b)


def ule(a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    """Unsigned a <= b."""
    return not_(ult(b, a, w), 1)


def slt(a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    """Signed a < b."""
    if a is b:
        return 0
    if isinstance(a, int) and isinstance(b, int):
        return int(signed(a, w) < signed(b, w))
    if w == 1:
        return and_(a, not_(b, 1), 1)
    na, nb = _nonneg(a, w), _nonneg(b, w)
    if na and nb:
        return ult(a, b, w)
    if na and isinstance(b, int):
        return 0
    if nb and isinstance(a, int):
        return 1
    if not isinstance(a, int) and not isinstance(b, int) and a.op == b.op == "sext":
        m = max(a.args[0].width, b.args[0].width)
        if m < w:
            return slt(extract(a, 0, m), extract(b, 0, m), m)
    if isinstance(b, int) and b == 0 and not isinstance(a, int):
        return extract(a, w - 1, 1)
    return _mk("slt", 1, a, b)


def sle(a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    """Signed a <= b."""
    return not_(slt(b, a, w), 1)


def nonzero(v: int | Expr, w: int) -> int | Expr:
    """v != 0 as one bit: C's truth."""
    if isinstance(v, int):
        return int(v != 0)
    if w == 1:
        return v
    return not_(eq(v, 0, w), 1)
