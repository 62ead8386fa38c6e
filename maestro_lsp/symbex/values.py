"""Values and places of C expressions, and what operators make of them.

A `Rvalue` is a closure over the state that reads, with its C type; an `Lvalue` says where a value is stored. Closures only read and
may raise Fork; whatever changes the state is an instruction of its own (compile.py).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..source import ctypes as T
from . import expr as X
from .addresses import as_number, as_pointer, comparable
from .memory import UNDEFINED, Problem, size_of
from .state import State

if TYPE_CHECKING:
    pass

Eval = Callable[[State], Any]

INT = T.INT
POINTER_BITS = 64


@dataclass(slots=True)
class Rvalue:
    """A value: for scalars its bits, for records and arrays the address of its bytes."""

    fn: Eval
    type: T.CType
    const: int | None = None
    bits: int = 0  # of a bit-field wider than int and narrower than its type, on whose type compilers do not agree


@dataclass(slots=True)
class Lvalue:
    """A place: a register of the frame, memory at an address, or a bit-field there."""

    type: T.CType
    register: int | None = None
    address: Eval | None = None
    bits: tuple[int, int] | None = None  # (bit offset from the address, width) of a bit-field


def bits_of(t: T.CType) -> int:
    """Width of a scalar type."""
    return 8 * size_of(t)


def is_signed(t: T.CType) -> bool:
    i = T.as_integer(t)
    return i is not None and i.signed


def is_float(t: T.CType) -> bool:
    return isinstance(t, T.Floating)


def is_aggregate(t: T.CType) -> bool:
    return isinstance(t, (T.Record, T.Array))


def constant(value: int, t: T.CType) -> Rvalue:
    v = value & ((1 << bits_of(t)) - 1)
    return Rvalue(lambda st: v, t, v)


def _format(size: int) -> str:
    if size not in (4, 8):
        raise Problem("unsupported-construct", "long double is not modelled")
    return "<f" if size == 4 else "<d"


def float_bits(x: float, size: int) -> int:
    """The IEEE bit pattern of a number."""
    try:
        return int.from_bytes(struct.pack(_format(size), x), "little")
    except OverflowError:
        return (0x7F800000 if size == 4 else 0x7FF0000000000000) | (x < 0) << (8 * size - 1)


def float_value(bits: int, size: int) -> float:
    return float(struct.unpack(_format(size), (bits & ((1 << 8 * size) - 1)).to_bytes(size, "little"))[0])


def convert(v: Rvalue, to: T.CType) -> Rvalue:
    """C's conversion of a scalar to another type."""
    frm = v.type
    if isinstance(to, T.Void) or is_aggregate(to) or is_aggregate(frm):
        return Rvalue(v.fn, to, v.const)
    fn = v.fn
    if is_float(frm) or is_float(to):
        return _convert_float(v, to)
    fw, tw = bits_of(frm), bits_of(to)
    if isinstance(frm, T.Pointer) and isinstance(to, (T.Integer, T.Enum)) and v.const is None:
        return Rvalue(lambda st: as_number(st, fn(st), tw), to)
    if isinstance(to, T.Pointer) and isinstance(frm, (T.Integer, T.Enum)) and fw == tw and v.const is None:
        return Rvalue(lambda st: as_pointer(st, fn(st)), to)
    if isinstance(to, T.Bool):
        if isinstance(frm, T.Bool):
            return v
        if v.const is not None:
            return constant(int(v.const != 0), to)
        return Rvalue(lambda st: X.zext(X.nonzero(fn(st), fw), 1, 8), to)
    if v.const is not None:
        c = X.sext(v.const, fw, tw) if is_signed(frm) else X.zext(v.const, fw, tw)
        assert isinstance(c, int)
        return constant(c, to)
    if fw == tw:
        return Rvalue(fn, to)
    if fw < tw and is_signed(frm):
        return Rvalue(lambda st: X.sext(fn(st), fw, tw), to)
    return Rvalue(lambda st: X.zext(fn(st), fw, tw), to)


def _convert_float(v: Rvalue, to: T.CType) -> Rvalue:
    frm, fn = v.type, v.fn
    fsize, tsize = size_of(frm), size_of(to)

    def run(st: State) -> Any:
        x = fn(st)
        if not isinstance(x, int):
            st.needs(x)
            return X.pure(f"convert.{_kind(frm)}.{_kind(to)}", 8 * tsize, x)
        number = float_value(x, fsize) if is_float(frm) else (X.signed(x, 8 * fsize) if is_signed(frm) else x)
        if is_float(to):
            return float_bits(float(number), tsize)
        if isinstance(to, T.Bool):
            return int(number != 0)
        try:
            return int(number) & ((1 << 8 * tsize) - 1)
        except (OverflowError, ValueError):
            return 1 << (8 * tsize - 1)  # what cvttsd2si gives

    return Rvalue(run, to)


def _kind(t: T.CType) -> str:
    """All that the conversion of a number depends on."""
    name = "float" if is_float(t) else "bool" if isinstance(t, T.Bool) else "signed" if is_signed(t) else "unsigned"
    return f"{name}{size_of(t)}"


def truth(v: Rvalue) -> Eval:
    """The value's truth as a closure that gives one bit."""
    w = bits_of(v.type) if not is_aggregate(v.type) else POINTER_BITS
    fn = v.fn
    if is_float(v.type):  # both zeros are false
        return lambda st: X.nonzero(X.extract(fn(st), 0, w - 1), w - 1)
    if v.const is not None:
        t = int(v.const != 0)
        return lambda st: t
    return lambda st: X.nonzero(fn(st), w)


_ARITH: dict[str, tuple[Any, Any]] = {  # operator -> (unsigned, signed)
    "+": (X.add, X.add), "-": (X.sub, X.sub), "*": (X.mul, X.mul), "/": (X.udiv, X.sdiv), "%": (X.urem, X.srem),
    "&": (X.and_, X.and_), "|": (X.or_, X.or_), "^": (X.xor, X.xor),
}  # fmt: skip
_RELATION: dict[str, tuple[Any, Any, bool]] = {  # operator -> (unsigned, signed, operands swapped)
    "<": (X.ult, X.slt, False), ">": (X.ult, X.slt, True), "<=": (X.ule, X.sle, False), ">=": (X.ule, X.sle, True),
}  # fmt: skip
_FLOAT_ARITH: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else a * math.copysign(math.inf, b),  # 0 / 0 is no number
}
_FLOAT_RELATION: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b, ">": lambda a, b: a > b, "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip


def arithmetic(op: str, a: Rvalue, b: Rvalue) -> Rvalue:
    """A binary operator on two scalars, with the usual conversions."""
    if is_float(a.type) or is_float(b.type):
        return _float_arithmetic(op, a, b)
    if isinstance(a.type, T.Pointer) or isinstance(b.type, T.Pointer):
        if op in ("+", "-"):
            return _pointer_arithmetic(op, a, b)
        if isinstance(a.type, T.Pointer) and isinstance(b.type, T.Pointer) and op in _RELATION:
            a = _beside(a, b)
        a, b = (Rvalue(v.fn, T.UNSIGNED_LONG, v.const) if isinstance(v.type, T.Pointer) else v for v in (a, b))
    if a.bits or b.bits:
        check_width(op, a, b)
    if op in ("<<", ">>"):
        return _shift(op, a, b)
    common = T.common_type(a.type, b.type)
    a, b = convert(a, common), convert(b, common)
    w, signed = bits_of(common), is_signed(common)
    x, y = a.fn, b.fn
    if op in _ARITH:
        f = _ARITH[op][signed]
        if a.const is not None and b.const is not None:
            return constant(f(a.const, b.const, w), common)
        if b.const is not None:
            c = b.const
            return Rvalue(lambda st: f(x(st), c, w), common)
        return Rvalue(lambda st: f(x(st), y(st), w), common)
    if op == "==":
        g: Any = lambda st: X.zext(X.eq(x(st), y(st), w), 1, 32)  # noqa: E731
    elif op == "!=":
        g = lambda st: X.zext(X.not_(X.eq(x(st), y(st), w), 1), 1, 32)  # noqa: E731
    elif op in _RELATION:
        unsigned_f, signed_f, swap = _RELATION[op]
        f = signed_f if signed else unsigned_f
        if swap:
            g = lambda st: X.zext(f(y(st), x(st), w), 1, 32)  # noqa: E731
        else:
            g = lambda st: X.zext(f(x(st), y(st), w), 1, 32)  # noqa: E731
    else:
        raise Problem("unsupported-construct", f"operator {op}")
    return Rvalue(g, INT, g(None) if a.const is not None and b.const is not None else None)


def check_width(op: str, a: Rvalue, b: Rvalue) -> None:
    """Raise `Problem` if an operator may give something else when a wide bit-field has a type of its own width, as with gcc, than when it
    has its declared type. Beside a number of 64 bits it never does."""
    if op == "<<":
        differs = bool(a.bits)
    elif op == ">>" or not (a.bits or b.bits) or not all(v.bits or bits_of(v.type) < 64 for v in (a, b)):
        differs = False
    else:
        others = [v for v in (a, b) if not v.bits and is_signed(v.type)]
        below_zero = any(v.const is None or X.signed(v.const, bits_of(v.type)) < 0 for v in others)
        differs = op in ("+", "-", "*", "~") or below_zero
    if differs:
        raise Problem(
            "unsupported-construct",
            f"{op} on a bit-field wider than int, whose width compilers do not agree on: copy it first",
        )


def _beside(a: Rvalue, b: Rvalue) -> Rvalue:
    """a, once it is certain that it can be compared with b."""
    x, y = a.fn, b.fn

    def checked(st: State) -> Any:
        p = x(st)
        comparable(st, p, y(st))
        return p

    return Rvalue(checked, a.type)


def _shift(op: str, a: Rvalue, b: Rvalue) -> Rvalue:
    t = T.promote(a.type)
    a = convert(a, t)
    w = bits_of(t)
    b = convert(b, t)
    x, y = a.fn, b.fn
    f = X.shl if op == "<<" else (X.ashr if is_signed(t) else X.lshr)
    if a.const is not None and b.const is not None:
        r = f(a.const, b.const, w)
        assert isinstance(r, int)
        return constant(r, t)
    return Rvalue(lambda st: f(x(st), y(st), w), t)


def _pointer_arithmetic(op: str, a: Rvalue, b: Rvalue) -> Rvalue:
    if isinstance(a.type, T.Pointer) and isinstance(b.type, T.Pointer):
        size = max(size_of(a.type.to), 1)
        x, y = _beside(a, b).fn, b.fn
        return Rvalue(lambda st: X.sdiv(X.sub(x(st), y(st), 64), size, 64), T.LONG)
    if isinstance(b.type, T.Pointer):
        a, b = b, a
    assert isinstance(a.type, T.Pointer)
    size = max(size_of(a.type.to), 1)
    b = convert(b, T.LONG)
    x, y = a.fn, b.fn
    f = X.add if op == "+" else X.sub
    if b.const is not None:
        step = b.const * size
        return Rvalue(lambda st: f(x(st), step & ((1 << 64) - 1), 64), a.type)
    return Rvalue(lambda st: f(x(st), X.mul(y(st), size, 64), 64), a.type)


def _float_arithmetic(op: str, a: Rvalue, b: Rvalue) -> Rvalue:
    common = T.common_type(a.type, b.type)
    a, b = convert(a, common), convert(b, common)
    size = size_of(common)
    x, y = a.fn, b.fn
    if op in _FLOAT_RELATION:
        rel = _FLOAT_RELATION[op]

        def compare(st: State) -> Any:
            p, q = x(st), y(st)
            if isinstance(p, int) and isinstance(q, int):
                return int(rel(float_value(p, size), float_value(q, size)))
            st.needs(p, q)
            return X.zext(X.pure(f"float{op}", 1, p, q), 1, 32)

        return Rvalue(compare, INT)
    if op not in _FLOAT_ARITH:
        raise Problem("unsupported-construct", f"operator {op} on floating-point numbers")
    f = _FLOAT_ARITH[op]

    def run(st: State) -> Any:
        p, q = x(st), y(st)
        if isinstance(p, int) and isinstance(q, int):
            return float_bits(f(float_value(p, size), float_value(q, size)), size)
        st.needs(p, q)
        return X.pure(f"float{op}", 8 * size, p, q)

    return Rvalue(run, common)


def load(place: Lvalue) -> Rvalue:
    """The value stored in a place; for aggregates, its address."""
    t = place.type
    if place.register is not None:
        r = place.register
        return Rvalue(lambda st: st.regs[r], t)
    addr = place.address
    assert addr is not None
    if place.bits is not None:
        off, width = place.bits
        first, last = off // 8, (off + width - 1) // 8
        n = last - first + 1
        shift = off - 8 * first
        signed = is_signed(t)
        if width < bits_of(INT) and not isinstance(t, T.Bool):  # C11 6.3.1.1: int holds all its values
            t = INT
        tw = bits_of(t)

        def bit_field(st: State) -> Any:
            raw = X.extract(st.load(X.add(addr(st), first, 64), n), shift, width)
            return X.sext(raw, width, tw) if signed else X.zext(raw, width, tw)

        return Rvalue(bit_field, t, bits=width if bits_of(INT) < width < tw else 0)
    if isinstance(t, T.Array):
        return Rvalue(addr, T.Pointer(t.of))
    if isinstance(t, (T.Record, T.Function)):
        return Rvalue(addr, t if isinstance(t, T.Record) else T.Pointer(t))
    n = size_of(t)
    return Rvalue(lambda st: st.load(addr(st), n), t)


def old_value(place: Lvalue, op: str) -> Rvalue:
    """What an update of a place begins with; with most operators it is cut to a bit-field's width in the end, whatever it was."""
    v = load(place)
    return v if op in ("/=", "%=", ">>=") else Rvalue(v.fn, v.type, v.const)


def as_stored(v: Rvalue, place: Lvalue) -> Rvalue:
    """The value that an assignment to a place has: converted to its type, cut to a bit-field's width."""
    t = place.type
    if is_aggregate(t):
        return v
    v = convert(v, t)
    if place.bits is None or isinstance(t, T.Bool):
        return v
    width, tw, fn = place.bits[1], bits_of(t), v.fn
    extend = X.sext if is_signed(t) else X.zext
    kept = Rvalue(lambda st: extend(X.extract(fn(st), 0, width), width, tw), t)
    return convert(kept, INT) if width < bits_of(INT) else kept


def store(place: Lvalue, fn: Eval) -> Callable[[State], None]:
    """A closure that stores fn's value (for records: copies from the address it gives)."""
    t = place.type
    if place.register is not None:
        r = place.register

        def set_register(st: State) -> None:
            st.regs[r] = fn(st)

        return set_register
    addr = place.address
    assert addr is not None
    if place.bits is not None:
        off, width = place.bits
        first, last = off // 8, (off + width - 1) // 8
        n = last - first + 1
        shift = off - 8 * first

        def set_bits(st: State) -> None:
            v = fn(st)
            at = X.add(addr(st), first, 64)
            old = st.load(at, n)
            new = X.concat((
                (X.extract(old, shift + width, 8 * n - shift - width), 8 * n - shift - width),
                (X.extract(v, 0, width), width),
                (X.extract(old, 0, shift), shift),
            ))  # fmt: skip
            st.store(at, new, n)

        return set_bits
    n = size_of(t)
    if isinstance(t, T.Record):

        def copy(st: State) -> None:
            to, frm = addr(st), fn(st)
            st.store_bytes(to, st.load_bytes(frm, n), n)

        return copy

    def set_memory(st: State) -> None:
        v, to = fn(st), addr(st)
        st.store(to, v, n)

    return set_memory


def member(base: Eval, record: T.Record, name: str) -> Lvalue:
    """The place of a record's member, the record being at `base`."""
    f = record.find(name)
    if f is None:
        raise Problem("unsupported-construct", f"{record.kind} {record.tag or '(anonymous)'} has no member {name}")
    off = f.offset
    if record.missing is not None and record.kind == "struct" and off >= record.missing.offset:
        base = _not_in_packets(base, record, name)
    if f.bit_width is not None:
        return Lvalue(f.type, address=base, bits=(8 * off + (f.bit_offset or 0), f.bit_width))
    if off == 0:
        return Lvalue(f.type, address=base)
    return Lvalue(f.type, address=lambda st: X.add(base(st), off, 64))


def _not_in_packets(base: Eval, record: T.Record, name: str) -> Eval:
    """An address that must not be of packet bytes: the program's own memory may have any layout, a packet has only one."""

    def run(st: State) -> Any:
        address = base(st)
        b = st.block(address)
        if b is not None and b.info.kind == "packet":
            unknown = record.missing.type if record.missing is not None else record
            raise Problem(
                "unsupported-construct",
                f"where {name} lies in {record} is not known: the definition of {unknown} {UNDEFINED}",
            )
        return address

    return run


def number(text: str) -> Rvalue:
    """A C number literal."""
    low = text.replace("'", "").lower()
    if low[0] in "+-":  # the grammar takes a sign into the literal; C does not
        positive = number(low[1:])
        if low[0] == "+":
            return positive
        if isinstance(positive.type, T.Floating):
            return _float_constant(-float_value(positive.const or 0, positive.type.size), positive.type)
        return constant(-(positive.const or 0), positive.type)
    is_hex = low.startswith("0x")
    if (not is_hex and any(c in low for c in ".e")) or (is_hex and "p" in low):
        if low.endswith("f"):
            return _float_constant(float(low[:-1]) if not is_hex else float.fromhex(low[:-1]), T.FLOAT)
        low = low.rstrip("l")
        return _float_constant(float.fromhex(low) if is_hex else float(low), T.DOUBLE)
    digits = low.rstrip("ul")
    suffix = low[len(digits) :]
    if is_hex:
        v = int(digits, 16)
    elif digits.startswith("0b"):
        v = int(digits, 2)
    elif len(digits) > 1 and digits[0] == "0":
        v = int(digits, 8)
    else:
        v = int(digits)
    decimal = not is_hex and not (len(digits) > 1 and digits[0] == "0")
    unsigned, long_ = "u" in suffix, "l" in suffix
    if not long_ and not unsigned and v < 1 << 31:
        return constant(v, T.INT)
    if not long_ and (unsigned or not decimal) and v < 1 << 32:
        return constant(v, T.UNSIGNED_INT)
    if not unsigned and v < 1 << 63:
        return constant(v, T.LONG)
    return constant(v, T.UNSIGNED_LONG)


def _float_constant(x: float, t: T.Floating) -> Rvalue:
    bits = float_bits(x, t.size)
    return Rvalue(lambda st: bits, t, bits)


def reader(r: int) -> Callable[[State], Any]:
    return lambda st: st.regs[r]


def setter(r: int, v: int) -> Callable[[State], None]:
    def run(st: State) -> None:
        st.regs[r] = v

    return run


def element(address: Any, t: T.Array, i: int) -> Lvalue:
    off = i * size_of(t.of)
    return Lvalue(t.of, address=(lambda st: X.add(address(st), off, 64)) if off else address)


def field_place(address: Any, f: T.Field) -> Lvalue:
    off = f.offset
    if f.bit_width is not None:
        return Lvalue(f.type, address=address, bits=(8 * off + (f.bit_offset or 0), f.bit_width))
    return Lvalue(f.type, address=(lambda st: X.add(address(st), off, 64)) if off else address)
