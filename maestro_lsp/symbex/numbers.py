"""Models of functions that only compute: byte swaps, CRCs, bit counts, characters, mathematics; and built-ins that need syntax.

The functions register in `libc.LIBC`; `BUILTINS` are those that the compiler must see as syntax.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

from . import expr as X
from .libc import LIBC, Model, concrete
from .memory import Problem, size_of
from .state import State


def _swap(n: int) -> Model:
    def run(st: State, v: list[Any], types: Any, result: Any) -> Any:
        swapped = X.from_bytes(tuple(reversed(list(X.bytes_of(X.extract(v[0], 0, 8 * n), n)))))
        return X.zext(swapped, 8 * n, 8 * size_of(result))

    return run


for _names, _bytes in ((("__builtin_bswap16", "rte_bswap16", "rte_constant_bswap16"), 2), (("__builtin_bswap32", "rte_bswap32", "rte_constant_bswap32"), 4),
                       (("__builtin_bswap64", "rte_bswap64", "rte_constant_bswap64"), 8)):  # fmt: skip
    for _name in _names:
        LIBC[_name] = _swap(_bytes)
for _name, _bytes in (("htons", 2), ("ntohs", 2), ("htonl", 4), ("ntohl", 4)):
    LIBC[_name] = _swap(_bytes)


def _crc(n: int) -> Model:
    def run(st: State, v: list[Any], types: Any, result: Any) -> Any:
        acc = X.extract(v[0], 0, 32)
        return X.zext(X.pure(f"crc32_{8 * n}", 32, acc, X.extract(v[1], 0, 8 * n)), 32, 8 * max(size_of(result), 4))

    return run


for _letter, _bytes in (("qi", 1), ("hi", 2), ("si", 4), ("di", 8)):
    LIBC[f"__builtin_ia32_crc32{_letter}"] = _crc(_bytes)
for _suffix, _bytes in (("u8", 1), ("u16", 2), ("u32", 4), ("u64", 8)):
    LIBC[f"_mm_crc32_{_suffix}"] = _crc(_bytes)


def _swapped_crc(n: int) -> Model:
    inner = _crc(n)
    return lambda st, v, types, result: inner(st, [v[1], v[0]], types, result)


for _size in (1, 2, 4, 8):
    LIBC[f"rte_hash_crc_{_size}byte"] = _swapped_crc(_size)


def _hash_memory(name: str) -> Model:
    def run(st: State, v: list[Any], types: Any, result: Any) -> Any:
        n = concrete(v[1], "the number of bytes hashed")
        return X.pure(name, 32, X.from_bytes(tuple(st.load_bytes(v[0], n))), v[2])

    return run


for _name in ("rte_hash_crc", "rte_jhash"):
    LIBC[_name] = _hash_memory(_name)


def _uninterpreted(name: str, width: int) -> Model:
    return lambda st, v, types, result: (
        X.zext(X.pure(name, width, X.extract(v[0], 0, width)), width, 32)
        if width == 32
        else X.extract(X.pure(name, width, v[0]), 0, 32)
    )


LIBC["__builtin_popcount"] = lambda st, v, t, r: X.pure("popcount", 32, v[0])
LIBC["__builtin_popcountl"] = LIBC["__builtin_popcountll"] = lambda st, v, t, r: X.pure("popcount", 32, v[0])
LIBC["__builtin_clz"] = lambda st, v, t, r: X.pure("clz32", 32, v[0])
LIBC["__builtin_ctz"] = lambda st, v, t, r: X.pure("ctz32", 32, v[0])
LIBC["__builtin_clzl"] = LIBC["__builtin_clzll"] = lambda st, v, t, r: X.pure("clz64", 32, v[0])
LIBC["__builtin_ctzl"] = LIBC["__builtin_ctzll"] = lambda st, v, t, r: X.pure("ctz64", 32, v[0])
LIBC["__builtin_expect"] = lambda st, v, t, r: v[0]
LIBC["abs"] = lambda st, v, t, r: X.ite(X.slt(v[0], 0, 32), X.neg(v[0], 32), v[0], 32)
LIBC["labs"] = LIBC["llabs"] = lambda st, v, t, r: X.ite(X.slt(v[0], 0, 64), X.neg(v[0], 64), v[0], 64)


def _character(test: Callable[[int], bool], name: str) -> Model:
    return lambda st, v, t, r: int(test(v[0] & 255)) if isinstance(v[0], int) else X.pure(name, 32, v[0])


for _name, _test in (("isdigit", lambda c: 48 <= c <= 57), ("isspace", lambda c: chr(c).isspace() and c < 128),
                     ("isalpha", lambda c: chr(c).isalpha() and c < 128), ("isxdigit", lambda c: chr(c) in "0123456789abcdefABCDEF")):  # fmt: skip
    LIBC[_name] = _character(_test, _name)


def _math(f: Callable[..., float], name: str) -> Model:
    def run(st: State, v: list[Any], types: Any, result: Any) -> Any:
        if any(not isinstance(x, int) for x in v):
            return X.pure(name, 64, *v)
        numbers = [struct.unpack("<d", x.to_bytes(8, "little"))[0] for x in v]
        try:
            y = float(f(*numbers))
        except (ValueError, OverflowError, ZeroDivisionError):  # infinities are not worth a model
            return X.sym(f"{name} of {numbers}", 64)
        return int.from_bytes(struct.pack("<d", y), "little")

    return run


def _round(x: float) -> float:
    """To the nearest whole number, from halves away from zero."""
    below = math.floor(abs(x))
    return math.copysign(below + (abs(x) - below >= 0.5), x)


for _name, _function in (("floor", math.floor), ("ceil", math.ceil), ("sqrt", math.sqrt), ("log", math.log), ("log2", math.log2),
                         ("log10", math.log10), ("exp", math.exp), ("pow", math.pow), ("fabs", abs), ("round", _round),
                         ("exp2", lambda x: 2.0**x)):  # fmt: skip
    LIBC[_name] = _math(_function, _name)


# ------------------------------------------------------------------------------------------- built-ins that need syntax


def _constant_p(compiler: Any, n: Any, args: list[Any]) -> Any:
    from .values import INT, constant

    v = compiler.value(args[0])
    return constant(int(v.const is not None), INT)


def _choose_expr(compiler: Any, n: Any, args: list[Any]) -> Any:
    v = compiler.value(args[0])
    return compiler.value(args[1] if v.const else args[2])


def _builtin_offsetof(compiler: Any, n: Any, args: list[Any]) -> Any:
    from . import expressions

    return expressions.e_offsetof(compiler, n, True)


def _types_compatible(compiler: Any, n: Any, args: list[Any]) -> Any:
    raise Problem("unsupported-construct", "types are not compared")


BUILTINS: dict[str, Any] = {
    "__builtin_constant_p": _constant_p,
    "__builtin_choose_expr": _choose_expr,
    "__builtin_offsetof": _builtin_offsetof,
    "offsetof": _builtin_offsetof,
    "__builtin_types_compatible_p": _types_compatible,
}
