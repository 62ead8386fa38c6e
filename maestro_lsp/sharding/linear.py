"""Expressions as affine forms over GF(2): which packet bits a bit of a key is.

`bits` gives for each bit of an expression, most significant first, the set of packet bits whose exclusive or it is (and a
constant), or None where it is nothing of the kind. Fields, parts of fields, masks, byte swaps, xor-folding and constants all are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..symbex import expr as X
from ..symbex.expr import Expr

LeafBit = tuple[Expr, int]  # a leaf of the expression and one of its bits (0 is the least significant)
Affine = tuple[frozenset[LeafBit], int]

ZERO: Affine = (frozenset(), 0)
ONE: Affine = (frozenset(), 1)


def bits(e: int | Expr, width: int) -> list[Affine | None]:
    """Affine forms of the bits of e, most significant first."""
    return _bits(e, width)


def _bits(e: int | Expr, width: int) -> list[Affine | None]:
    if isinstance(e, int):
        return [ONE if (e >> (width - 1 - i)) & 1 else ZERO for i in range(width)]
    op, a = e.op, e.args
    if X.is_leaf(e):
        return [(frozenset(((e, width - 1 - i),)), 0) for i in range(width)]
    if op == "concat":
        out: list[Affine | None] = []
        for p, w in zip(a[0], a[1], strict=True):
            out += _bits(p, w)
        return out
    if op == "extract":
        inner = _bits(a[0], a[0].width)
        top = a[0].width - a[1] - width
        return inner[top : top + width]
    if op == "not":
        return [None if b is None else (b[0], b[1] ^ 1) for b in _bits(a[0], width)]
    if op == "sext":
        inner = _bits(a[0], a[0].width)
        return [inner[0]] * (width - len(inner)) + inner
    if op == "xor":
        x, y = _bits(a[0], width), _bits(a[1], width)
        return [None if p is None or q is None else (p[0] ^ q[0], p[1] ^ q[1]) for p, q in zip(x, y, strict=True)]
    if op == "add":
        return _sum(_bits(a[0], width), _bits(a[1], width))
    return [None] * width


def _sum(x: list[Affine | None], y: list[Affine | None]) -> list[Affine | None]:
    """Bits of a sum: from the lowest up to where both numbers have a bit, and may carry."""
    out: list[Affine | None] = []
    for p, q in zip(reversed(x), reversed(y), strict=True):
        if p != ZERO and q != ZERO:
            break
        out.append(p if q == ZERO else q)
    return [None] * (len(x) - len(out)) + out[::-1]


def is_packet_bit(leaf: Expr) -> bool:
    """Whether a leaf is a byte of the packet as it arrived."""
    return leaf.op == "byte" and str(leaf.args[0]).startswith("packet")


def _overflows(product: Expr) -> bool:
    """Whether an expression times a constant may need more bits than there are: equal products then have other factors too."""
    x, c = product.args
    first = x.args[0][0] if isinstance(x, Expr) and x.op == "concat" else None
    spare = x.args[1][0] if first == 0 and isinstance(first, int) else 0
    return int(c).bit_length() > spare


class Pair(NamedTuple):
    """Two bits, one of each packet of a pair, that must be equal: affine forms over the leaves of either side."""

    left: Affine
    right: Affine


def equate(
    x: int | Expr, y: int | Expr, width: int, usable: Callable[[Expr], bool] = is_packet_bit
) -> list[Pair] | None:
    """Bit equalities that x == y amounts to (x over packet d, y over packet e); None when it can never hold.

    What cannot be expressed is left out: fewer equalities are satisfied by more pairs of packets, which is the safe side.
    Functions that are one-to-one and the same on both sides (adding a constant, multiplying by an odd one) are peeled off.
    """
    if isinstance(x, Expr) and isinstance(y, Expr) and x.op == y.op and x.width == y.width:
        if (
            x.op in ("add", "mul")
            and isinstance(x.args[1], int)
            and isinstance(y.args[1], int)
            and x.args[1] == y.args[1]
        ):
            if x.op == "add" or x.args[1] & 1 or not (_overflows(x) or _overflows(y)):
                return equate(x.args[0], y.args[0], width, usable)
        if x.op == "concat" and x.args[1] == y.args[1]:
            out: list[Pair] = []
            for p, q, w in zip(x.args[0], y.args[0], x.args[1], strict=True):
                part = equate(p, q, w, usable)
                if part is None:
                    return None
                out += part
            return out
    certain = all(map(usable, X.leaves(x) | X.leaves(y)))
    pairs: list[Pair] = []
    for p, q in zip(_bits(x, width), _bits(y, width), strict=True):
        if p is None or q is None:
            continue
        if not certain and not all(usable(leaf) for leaf, _ in (*p[0], *q[0])):
            continue
        if not p[0] and not q[0]:
            if p[1] != q[1]:
                return None
            continue
        pairs.append(Pair(p, q))
    return pairs
