"""Bit-vector expressions: hash-consed, simplified as they are built.

A value is either a Python int (a constant, always reduced modulo 2**width) or an `Expr`. The width of an int is known from
where it stands, so every constructor takes it. Two expressions built in one analysis are equal iff they are the same object.

The normal form is chosen for packet processing: shifts and masks by constants, byte swaps and re-assembled bytes all become
`concat` of byte-wise `extract`s, so that "the upper 8 bits of the source address" looks the same however the C code says it.

Operators (args are values unless said otherwise):
  sym(name)            a free symbol                       byte(array, offset)   one byte of a named array (offset an int)
  uf(name, *args)      an uninterpreted function           concat(msb..lsb)      parts; `parts_of` gives their widths
  extract(x, lo)       `width` bits from bit lo            zext is concat with a constant 0 on top
  sext(x)  add mul udiv sdiv urem srem and or xor shl lshr ashr
  eq ult ule slt sle   width 1                             not (width 1 and wider), ite(c, a, b)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Value = "int | Expr"

_memories: list[dict[Any, Any]] = []


def remembered() -> dict[Any, Any]:
    """A dictionary that `forget` empties."""
    _memories.append({})
    return _memories[-1]


_table: dict[tuple[Any, ...], Expr] = remembered()


class Expr:
    """An interned bit-vector expression; compare with `is`. `serial` orders by creation and is used for nothing but sorting
    within one expression (commutative operands)."""

    __slots__ = ("_bytes", "_conjuncts", "_leaves", "args", "op", "serial", "width")

    op: str
    width: int
    args: tuple[Any, ...]
    serial: int
    _bytes: tuple[int | Expr, ...] | None
    _leaves: frozenset[Expr] | None
    _conjuncts: tuple[Expr, ...] | None

    def __repr__(self) -> str:
        return f"<{self.op} {self.width}>"

    def __deepcopy__(self, memo: object) -> Expr:
        return self

    def __copy__(self) -> Expr:
        return self


def _mk(op: str, width: int, *args: Any) -> Expr:
    key = (op, width, *args)
    e = _table.get(key)
    if e is None:
        e = Expr()
        e.op = op
        e.width = width
        e.args = args
        e.serial = len(_table)
        e._bytes = None
        e._leaves = None
        e._conjuncts = None
        _table[key] = e
    return e


def forget() -> None:
    """Drop the interning table. Call between analyses only: expressions made before and after are never identical."""
    for known in _memories:
        known.clear()


def interned() -> int:
    """How many expressions are interned now."""
    return len(_table)


# ---------------------------------------------------------------------------------------------------------------- leaves


def sym(name: str, width: int) -> Expr:
    """A free symbol."""
    return _mk("sym", width, name)


def byte(array: str, offset: int) -> Expr:
    """Byte `offset` of the symbolic array `array`."""
    return _mk("byte", 8, array, offset)


_arrays: dict[tuple[str, int], tuple[Expr, ...]] = remembered()


def array(name: str, n: int) -> tuple[Expr, ...]:
    """The first n bytes of the symbolic array `name`."""
    got = _arrays.get((name, n))
    if got is None:
        got = _arrays[name, n] = tuple([_mk("byte", 8, name, i) for i in range(n)])
    return got


def uf(name: str, width: int, *args: int | Expr) -> Expr:
    """An application of an uninterpreted, pure function."""
    return _mk("uf", width, name, *args)


LEAVES = frozenset({"sym", "byte", "uf"})


def is_leaf(e: Expr) -> bool:
    """Symbols, array bytes and uninterpreted applications: what a model gives a value to."""
    return e.op in LEAVES


# --------------------------------------------------------------------------------------------------------------- concat


def parts_of(v: int | Expr, width: int) -> list[tuple[int | Expr, int]]:
    """The parts of a value, most significant first, with their widths."""
    if not isinstance(v, int) and v.op == "concat":
        return [(a, w) for a, w in zip(v.args[0], v.args[1], strict=True)]
    return [(v, width)]


def concat(parts: Iterable[tuple[int | Expr, int]]) -> int | Expr:
    """Join parts, most significant first; merges constants and adjacent extracts of one expression."""
    out: list[tuple[int | Expr, int]] = []
    for v, w in parts:
        if w == 0:
            continue
        if not isinstance(v, int) and v.op == "concat":
            sub: Iterable[tuple[int | Expr, int]] = zip(v.args[0], v.args[1], strict=True)
        else:
            sub = ((v, w),)
        for v2, w2 in sub:
            if out:
                pv, pw = out[-1]
                if isinstance(v2, int):
                    if isinstance(pv, int):
                        out[-1] = ((pv << w2) | v2, pw + w2)
                        continue
                elif not isinstance(pv, int):
                    base, lo = v2.args if v2.op == "extract" else (v2, 0)
                    pbase, plo = pv.args if pv.op == "extract" else (pv, 0)
                    if base is pbase and plo == lo + w2:
                        out[-1] = (extract(base, lo, pw + w2), pw + w2)
                        continue
                    # the low bits of a sum or product are kept as one of low bits (`extract`)
                    if plo == w2 and v2.op in ("add", "mul") and extract(pbase, 0, w2) is v2:
                        out[-1] = (extract(pbase, 0, pw + w2), pw + w2)
                        continue
            out.append((v2, w2))
    if len(out) == 1:
        return out[0][0]
    if not out:
        return 0
    vals = tuple(v for v, _ in out)
    widths = tuple(w for _, w in out)
    return _mk("concat", sum(widths), vals, widths)


_extracts: dict[tuple[Expr, int, int], int | Expr] = remembered()
_extensions: dict[tuple[Expr, int], int | Expr] = remembered()


def extract(v: int | Expr, lo: int, width: int) -> int | Expr:
    """Bits lo .. lo+width-1 of v."""
    if isinstance(v, int):
        return (v >> lo) & ((1 << width) - 1)
    if lo == 0 and width == v.width:
        return v
    op = v.op
    if op == "extract":
        return extract(v.args[0], v.args[1] + lo, width)
    if op == "concat":
        got = _extracts.get((v, lo, width))
        if got is not None:
            return got
        pieces: list[tuple[int | Expr, int]] = []
        top = v.width
        hi = lo + width
        for p, w in zip(v.args[0], v.args[1], strict=True):
            bottom = top - w
            a, b = max(lo, bottom), min(hi, top)
            if a < b:
                pieces.append((extract(p, a - bottom, b - a), b - a))
            top = bottom
        got = _extracts[v, lo, width] = concat(pieces)
        return got
    if op == "ite":
        yes, no = extract(v.args[1], lo, width), extract(v.args[2], lo, width)
        if isinstance(yes, int) or isinstance(no, int) or width <= 8:
            return ite(v.args[0], yes, no, width)
    elif op in _BITWISE:
        return _BITWISE[op](extract(v.args[0], lo, width), extract(v.args[1], lo, width), width)
    elif op == "not":
        return not_(extract(v.args[0], lo, width), width)
    elif lo == 0:
        if op in ("add", "mul"):
            f = add if op == "add" else mul
            return f(extract(v.args[0], 0, width), extract(v.args[1], 0, width), width)
        if op == "sext" and width <= v.args[0].width:
            return extract(v.args[0], 0, width)
    elif op == "sext" and lo + width <= v.args[0].width:
        return extract(v.args[0], lo, width)
    return _mk("extract", width, v, lo)


def zext(v: int | Expr, frm: int, to: int) -> int | Expr:
    """Zero-extend (or truncate) from `frm` to `to` bits."""
    if to <= frm:
        return extract(v, 0, to) if to < frm else v
    if isinstance(v, int):
        return v
    got = _extensions.get((v, to))
    if got is None:
        got = _extensions[v, to] = concat(((0, to - frm), (v, frm)))
    return got


def sext(v: int | Expr, frm: int, to: int) -> int | Expr:
    """Sign-extend (or truncate) from `frm` to `to` bits."""
    if to <= frm:
        return extract(v, 0, to) if to < frm else v
    if isinstance(v, int):
        return v | (((1 << (to - frm)) - 1) << frm) if v >> (frm - 1) else v
    if v.op == "concat":
        top = v.args[0][0]
        if isinstance(top, int):
            w = v.args[1][0]
            if not (top >> (w - 1)) & 1:
                return zext(v, frm, to)
            return concat((((1 << (to - frm)) - 1, to - frm), (v, frm)))
    if v.op == "sext":
        return sext(v.args[0], v.args[0].width, to)
    return _mk("sext", to, v)


def bytes_of(v: int | Expr, n: int) -> Iterable[int | Expr]:
    """The n bytes of a value, least significant first (the order of x86 memory)."""
    if isinstance(v, int):
        return v.to_bytes(n, "little")
    b = v._bytes
    if b is None:
        b = v._bytes = tuple(extract(v, 8 * i, 8) for i in range(n))
    return b


_read_cache: dict[tuple[int | Expr, ...], int | Expr] = remembered()


def from_bytes(bs: tuple[int | Expr, ...]) -> int | Expr:
    """The value whose bytes, least significant first, are bs."""
    v = _read_cache.get(bs)
    if v is None:
        v = concat([(b, 8) for b in reversed(bs)])
        # int and Expr never compare equal, but True == 1 and 1 == 1 of other tuples are the same value, so caching is safe.
        _read_cache[bs] = v
    return v


# ----------------------------------------------------------------------------------------------------------- arithmetic


def add(a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    """a + b modulo 2**w; constants gather on the right."""
    if isinstance(a, int):
        if isinstance(b, int):
            return (a + b) & ((1 << w) - 1)
        a, b = b, a
    if isinstance(b, int):
        if b == 0:
            return a
        if a.op == "add" and isinstance(a.args[1], int):
            return add(a.args[0], (a.args[1] + b) & ((1 << w) - 1), w)
        return _mk("add", w, a, b)
    assert not isinstance(a, int)
    if a.op == "add" and isinstance(a.args[1], int):
        return add(add(a.args[0], b, w), a.args[1], w)
    if b.op == "add" and isinstance(b.args[1], int):
        return add(add(a, b.args[0], w), b.args[1], w)
    if neg(b, w) is a:
        return 0
    if a.serial > b.serial:
        a, b = b, a
    return _mk("add", w, a, b)


def neg(a: int | Expr, w: int) -> int | Expr:
    """-a modulo 2**w."""
    return mul(a, (1 << w) - 1, w)


def sub(a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    """a - b modulo 2**w."""
    if a is b:
        return 0
    if isinstance(b, int):
        return add(a, -b & ((1 << w) - 1), w)
    # (x + y) - x and x - (x + y), which pointer differences and rewinding cursors produce
    if isinstance(a, Expr) and a.op == "add":
        if a.args[0] is b:
            return a.args[1]  # type: ignore[no-any-return]
        if a.args[1] is b:
            return a.args[0]  # type: ignore[no-any-return]
    if b.op == "add" and (b.args[0] is a or b.args[1] is a):
        return neg(b.args[1] if b.args[0] is a else b.args[0], w)
    return add(a, neg(b, w), w)


def mul(a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    """a * b modulo 2**w; powers of two become shifts."""
    if isinstance(a, int):
        if isinstance(b, int):
            return (a * b) & ((1 << w) - 1)
        a, b = b, a
    if isinstance(b, int):
        if b == 0:
            return 0
        if b == 1:
            return a
        if b & (b - 1) == 0:
            return shl(a, b.bit_length() - 1, w)
        assert not isinstance(a, int)
        if a.op == "mul" and isinstance(a.args[1], int):
            return mul(a.args[0], (a.args[1] * b) & ((1 << w) - 1), w)
        if a.op == "add" and isinstance(a.args[1], int):
            return add(mul(a.args[0], b, w), a.args[1] * b & ((1 << w) - 1), w)
        return _mk("mul", w, a, b)
    assert not isinstance(a, int)
    if a.serial > b.serial:
        a, b = b, a
    return _mk("mul", w, a, b)


def signed(v: int, w: int) -> int:
    """A w-bit pattern as a two's-complement number."""
    return v - (1 << w) if v >> (w - 1) else v


def udiv_values(x: int, y: int, w: int) -> int:
    return x // y if y else (1 << w) - 1


def urem_values(x: int, y: int, w: int) -> int:
    return x % y if y else x


def sdiv_values(x: int, y: int, w: int) -> int:
    a, b = signed(x, w), signed(y, w)
    if b == 0:
        return 1 if a < 0 else (1 << w) - 1
    q = abs(a) // abs(b)
    return (-q if (a < 0) != (b < 0) else q) & ((1 << w) - 1)


def srem_values(x: int, y: int, w: int) -> int:
    a, b = signed(x, w), signed(y, w)
    if b == 0:
        return x
    r = abs(a) % abs(b)
    return (-r if a < 0 else r) & ((1 << w) - 1)


def udiv(a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    """Unsigned quotient; division by zero gives all ones, as in SMT-LIB (C code that does it is undefined)."""
    if isinstance(b, int):
        if isinstance(a, int):
            return udiv_values(a, b, w)
        if b and b & (b - 1) == 0:
            return lshr(a, b.bit_length() - 1, w)
    return _mk("udiv", w, a, b)


def urem(a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    """Unsigned remainder."""
    if isinstance(b, int):
        if isinstance(a, int):
            return urem_values(a, b, w)
        if b and b & (b - 1) == 0:
            return and_(a, b - 1, w)
    return _mk("urem", w, a, b)


def sdiv(a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    """Signed quotient, truncated towards zero as in C."""
    if isinstance(a, int) and isinstance(b, int):
        return sdiv_values(a, b, w)
    if _nonneg(a, w) and _nonneg(b, w):
        return udiv(a, b, w)
    return _mk("sdiv", w, a, b)


def srem(a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    """Signed remainder, with the sign of the dividend as in C."""
    if isinstance(a, int) and isinstance(b, int):
        return srem_values(a, b, w)
    if _nonneg(a, w) and _nonneg(b, w):
        return urem(a, b, w)
    return _mk("srem", w, a, b)


def _nonneg(v: int | Expr, w: int) -> bool:
    """Whether the sign bit is certainly 0."""
    if isinstance(v, int):
        return not v >> (w - 1)
    if v.op == "concat":
        top = v.args[0][0]
        return isinstance(top, int) and not (top >> (v.args[1][0] - 1)) & 1
    return False


# -------------------------------------------------------------------------------------------------------------- bitwise


def _align(a: int | Expr, b: int | Expr, w: int) -> list[tuple[int | Expr, int | Expr, int]] | None:
    """Cut two values at the union of their part boundaries: (part of a, part of b, width), most significant first."""
    pa, pb = parts_of(a, w), parts_of(b, w)
    if len(pa) == 1 and len(pb) == 1:
        return None
    cuts: set[int] = set()
    for ps in (pa, pb):
        pos = w
        for _, pw in ps:
            pos -= pw
            cuts.add(pos)
    out = []
    top = w
    for bottom in sorted(cuts, reverse=True):
        out.append((extract(a, bottom, top - bottom), extract(b, bottom, top - bottom), top - bottom))
        top = bottom
    return out


def summed_parts(e: Expr) -> list[tuple[int | Expr, int]]:
    """The parts of a value, those of a sum too in which no two terms have the same bits."""
    if e.op == "add":
        cut = _align(e.args[0], e.args[1], e.width) or []
        if cut and all(0 in (x, y) for x, y, _ in cut):
            return [(y if x == 0 else x, w) for x, y, w in cut]
    return parts_of(e, e.width)


def _mask_parts(x: int | Expr, mask: int, w: int) -> list[tuple[int | Expr, int, int]]:
    """Cut x at the changes of a constant mask: (part, 0 or all ones of the mask there, width), most significant first."""
    out: list[tuple[int | Expr, int, int]] = []
    pos = w
    while pos:
        bit = (mask >> (pos - 1)) & 1
        lo = pos - 1
        while lo and (mask >> (lo - 1)) & 1 == bit:
            lo -= 1
        out.append((extract(x, lo, pos - lo), bit, pos - lo))
        pos = lo
    return out


def and_(a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    """Bitwise and."""
    if isinstance(a, int):
        if isinstance(b, int):
            return a & b
        a, b = b, a
    if isinstance(b, int):
        if b == 0:
            return 0
        if b == (1 << w) - 1:
            return a
        return concat([(p if bit else 0, pw) for p, bit, pw in _mask_parts(a, b, w)])
    if a is b:
        return a
    cut = _align(a, b, w)
    if cut is not None and any(isinstance(x, int) or isinstance(y, int) for x, y, _ in cut):
        return concat([(and_(x, y, pw), pw) for x, y, pw in cut])
    if w == 1 and (not_(a, 1) is b):
        return 0
    return _commute("and", a, b, w)


def or_(a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    """Bitwise or; disjoint pieces join into one concat."""
    if isinstance(a, int):
        if isinstance(b, int):
            return a | b
        a, b = b, a
    if isinstance(b, int):
        if b == 0:
            return a
        if b == (1 << w) - 1:
            return b
        return concat([((1 << pw) - 1 if bit else p, pw) for p, bit, pw in _mask_parts(a, b, w)])
    if a is b:
        return a
    cut = _align(a, b, w)
    if cut is not None and any(isinstance(x, int) or isinstance(y, int) for x, y, _ in cut):
        return concat([(or_(x, y, pw), pw) for x, y, pw in cut])
    if w == 1 and (not_(a, 1) is b):
        return 1
    return _commute("or", a, b, w)


def xor(a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    """Bitwise exclusive or."""
    if isinstance(a, int):
        if isinstance(b, int):
            return a ^ b
        a, b = b, a
    if isinstance(b, int):
        if b == 0:
            return a
        if b == (1 << w) - 1:
            return not_(a, w)
        return concat([(not_(p, pw) if bit else p, pw) for p, bit, pw in _mask_parts(a, b, w)])
    if a is b:
        return 0
    cut = _align(a, b, w)
    if cut is not None and any(isinstance(x, int) or isinstance(y, int) for x, y, _ in cut):
        return concat([(xor(x, y, pw), pw) for x, y, pw in cut])
    return _commute("xor", a, b, w)


def _commute(op: str, a: Any, b: Any, w: int) -> Expr:
    return _mk(op, w, a, b) if a.serial <= b.serial else _mk(op, w, b, a)


_NEGATED = {"ult": "ule", "ule": "ult", "slt": "sle", "sle": "slt"}


def not_(a: int | Expr, w: int) -> int | Expr:
    """Bitwise complement; on width 1 the logical one, pushed through comparisons."""
    if isinstance(a, int):
        return ~a & ((1 << w) - 1)
    if a.op == "not":
        return a.args[0]  # type: ignore[no-any-return]
    if a.op in _NEGATED:
        return _mk(_NEGATED[a.op], 1, a.args[1], a.args[0])
    if a.op == "concat":
        return concat([(not_(p, pw), pw) for p, pw in parts_of(a, w)])
    return _mk("not", w, a)


_BITWISE: dict[str, Callable[[int | Expr, int | Expr, int], int | Expr]] = {"and": and_, "or": or_, "xor": xor}


def shl(a: int | Expr, n: int | Expr, w: int) -> int | Expr:
    """a << n; a shift of w or more gives 0 (C leaves it undefined)."""
    if isinstance(n, int):
        if n == 0:
            return a
        if n >= w:
            return 0
        return concat(((extract(a, 0, w - n), w - n), (0, n)))
    return _mk("shl", w, a, n)


def lshr(a: int | Expr, n: int | Expr, w: int) -> int | Expr:
    """Logical a >> n."""
    if isinstance(n, int):
        if n == 0:
            return a
        if n >= w:
            return 0
        return concat(((0, n), (extract(a, n, w - n), w - n)))
    return _mk("lshr", w, a, n)


def ashr(a: int | Expr, n: int | Expr, w: int) -> int | Expr:
    """Arithmetic a >> n."""
    if _nonneg(a, w):
        return lshr(a, n, w)
    if isinstance(n, int):
        if n == 0:
            return a
        n = min(n, w - 1)
        return sext(extract(a, n, w - n), w - n, w)
    return _mk("ashr", w, a, n)


def ite(c: int | Expr, a: int | Expr, b: int | Expr, w: int) -> int | Expr:
    """c ? a : b with a one-bit c."""
    if isinstance(c, int):
        return a if c else b
    if a is b or (isinstance(a, int) and isinstance(b, int) and a == b):
        return a
    if c.op == "not":
        return ite(c.args[0], b, a, w)
    if w == 1 and isinstance(a, int) and isinstance(b, int):
        return c if a else not_(c, 1)
    if isinstance(a, int) and isinstance(b, int) and a == 1 and b == 0:
        return zext(c, 1, w)
    return _mk("ite", w, c, a, b)
