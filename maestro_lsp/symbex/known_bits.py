"""Which bits conditions fix: a cheap proof that they cannot hold together.

An abstract interpretation: of every expression the bits that are known, as (mask, value). Conditions are assumed one after the other,
which fixes bits of their leaves; what cannot be said in single bits is left out. So a contradiction found is one, and none
found says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import expr as X
from .expr import Expr

Bits = tuple[int, int]  # the known ones, and their values

ROUNDS = 2  # what one condition fixes may matter to one before it


class Contradiction(Exception):
    """A bit would have to be 0 and 1."""


def contradict(conditions: Sequence[Expr]) -> bool:
    """Whether known bits show that no model satisfies all conditions."""
    known: dict[Expr, Bits] = {}
    try:
        for _ in range(ROUNDS):
            for c in conditions:
                _assume(c, 1, 1, known)
    except Contradiction:
        return True
    return any(_bits(c, 1, known) == (1, 0) for c in conditions)


def possible_ones(e: Expr, conditions: Sequence[Expr]) -> int:
    """The bits of an expression that may be 1 where the conditions hold."""
    known: dict[Expr, Bits] = {}
    try:
        for c in conditions:
            _assume(c, 1, 1, known)
    except Contradiction:
        return 0
    return _range(_bits(e, e.width, known), e.width)[1]


def _assume(e: int | Expr, mask: int, value: int, known: dict[Expr, Bits]) -> None:
    """Some bits of an expression have these values."""
    if not mask:
        return
    if isinstance(e, int):
        if e & mask != value:
            raise Contradiction
        return
    op, a = e.op, e.args
    if X.is_leaf(e):
        m, v = known.get(e, (0, 0))
        if (v ^ value) & m & mask:
            raise Contradiction
        known[e] = m | mask, v | value
    elif op == "concat":
        at = e.width
        for part, w in zip(a[0], a[1], strict=True):
            at -= w
            full = (1 << w) - 1
            _assume(part, mask >> at & full, value >> at & full, known)
    elif op == "extract":
        _assume(a[0], mask << a[1], value << a[1], known)
    elif op == "not":
        _assume(a[0], mask, ~value & mask, known)
    elif op in ("and", "or"):
        settled = value if op == "and" else mask & ~value  # bits that only two ones, or two zeros, give
        for x, y in (a, a[::-1]):
            _assume(x, settled, settled & value, known)
            m, v = _bits(y, e.width, known)
            forced = mask & ~settled & m & (v if op == "and" else ~v)  # the other operand leaves the choice to this one
            _assume(x, forced, forced & value, known)
    elif op == "xor":
        for x, y in (a, a[::-1]):
            m, v = _bits(y, e.width, known)
            _assume(x, mask & m, (value ^ v) & mask & m, known)
    elif op == "eq" and value:
        w = _operand_width(e)
        for x, y in (a, a[::-1]):
            _assume(x, *_bits(y, w, known), known)
    elif op in ("ult", "ule"):
        x, y, strictly = (a[0], a[1], op == "ult") if value else (a[1], a[0], op == "ule")
        w = _operand_width(e)
        most = _range(_bits(y, w, known), w)[1] - strictly
        if most < 0:
            raise Contradiction
        _assume(x, ((1 << w) - 1) >> most.bit_length() << most.bit_length(), 0, known)


def _bits(e: int | Expr, w: int, known: dict[Expr, Bits]) -> Bits:
    """The bits of an expression of this width that are known."""
    full = (1 << w) - 1
    if isinstance(e, int):
        return full, e & full
    op, a = e.op, e.args
    if X.is_leaf(e):
        return known.get(e, (0, 0))
    if op == "concat":
        mask = value = 0
        for part, pw in zip(a[0], a[1], strict=True):
            m, v = _bits(part, pw, known)
            mask, value = mask << pw | m, value << pw | v
        return mask, value
    if op == "extract":
        m, v = _bits(a[0], a[0].width, known)
        return m >> a[1] & full, v >> a[1] & full
    if op == "not":
        m, v = _bits(a[0], w, known)
        return m, ~v & m
    if op in _COMPARISONS:
        return _compared(op, a[0], a[1], _operand_width(e), known)
    if op == "ite":
        m, v = _bits(a[0], 1, known)
        if m:
            return _bits(a[1] if v else a[2], w, known)
        (m, v), (n, u) = _bits(a[1], w, known), _bits(a[2], w, known)
        same = m & n & ~(v ^ u)
        return same, v & same
    if op not in ("and", "or", "xor", "add"):
        return 0, 0
    (m, v), (n, u) = _bits(a[0], w, known), _bits(a[1], w, known)
    if op == "and":
        mask = m & n | m & ~v | n & ~u
        return mask, v & u & mask
    if op == "or":
        mask = m & n | v | u
        return mask, (v | u) & mask
    if op == "xor":
        return m & n, (v ^ u) & m & n
    below = (~(m & n) & (m & n) + 1) - 1 & full  # an addition's bits below the first unknown one are known
    most = _range((m, v), w)[1] + _range((n, u), w)[1]
    above = full >> most.bit_length() << most.bit_length() if most <= full else 0
    return below | above, v + u & below


def _compared(op: str, x: int | Expr, y: int | Expr, w: int, known: dict[Expr, Bits]) -> Bits:
    (m, v), (n, u) = _bits(x, w, known), _bits(y, w, known)
    if op == "eq":
        if (v ^ u) & m & n:
            return 1, 0
        return (1, 1) if m & n == (1 << w) - 1 else (0, 0)
    if op in ("slt", "sle"):  # as unsigned numbers, with the sign turned
        sign = 1 << (w - 1)
        v, u = v ^ (m & sign), u ^ (n & sign)
    (low, high), (least, most) = _range((m, v), w), _range((n, u), w)
    strictly = op in ("ult", "slt")
    if high + strictly <= least:
        return 1, 1
    return (1, 0) if most < low + strictly else (0, 0)


def _range(bits: Bits, w: int) -> tuple[int, int]:
    """The least and the greatest number with these bits."""
    mask, value = bits
    return value, value | ~mask & (1 << w) - 1


def _operand_width(e: Expr) -> int:
    return next(x.width for x in e.args if isinstance(x, Expr))


_COMPARISONS = frozenset({"eq", "ult", "ule", "slt", "sle"})
