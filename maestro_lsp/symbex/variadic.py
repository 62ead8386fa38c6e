"""Arguments behind a function's parameters, as <stdarg.h> gives them.

A `va_list` is the address of the arguments, eight bytes each, and how many bytes of them were taken.
"""

from __future__ import annotations

from typing import Any

from ..source import ctypes as T
from . import expr as X
from .expr import Expr
from .libc import concrete, model, snprintf
from .memory import ObjectInfo, Problem
from .state import State

SLOT = 8  # bytes of an argument


@model("__builtin_va_start", "__builtin_stdarg_start")
def va_start(st: State, v: list[Any], types: Any, result: Any) -> Any:
    data = [b for value in st.frames[-1].more for b in X.bytes_of(X.zext(value, _width(value), 8 * SLOT), SLOT)]
    st.store(v[0], st.allocate(ObjectInfo("local", "arguments"), data), 8)
    st.store(X.add(v[0], 8, 64), 0, 8)
    return 0


@model("__builtin_va_next")
def va_next(st: State, v: list[Any], types: Any, result: Any) -> Any:
    if concrete(v[1], "the size of an argument") > SLOT:
        raise Problem("unsupported-construct", "an argument of more than eight bytes is taken from a list")
    taken = X.add(v[0], 8, 64)
    first, at = st.load(v[0], 8), st.load(taken, 8)
    st.store(taken, X.add(at, SLOT, 64), 8)
    return X.add(first, at, 64)


@model("__builtin_va_copy")
def va_copy(st: State, v: list[Any], types: Any, result: Any) -> Any:
    st.store_bytes(v[0], st.load_bytes(v[1], 16), 16)
    return 0


@model("__builtin_va_end")
def va_end(st: State, v: list[Any], types: Any, result: Any) -> Any:
    return 0


@model("vsnprintf", "vsprintf")
def vsnprintf(st: State, v: list[Any], types: Any, result: Any) -> Any:
    more = arguments_left(st, v[-1])
    return snprintf(st, [*v[:-1], *more], [*types[:-1], *[T.LONG for _ in more]], result)


def arguments_left(st: State, arguments: Any) -> list[int | Expr]:
    """The arguments of a list that were not taken."""
    first = st.load(arguments, 8)
    b = st.block(first)
    at = concrete(st.load(X.add(arguments, 8, 64), 8), "which arguments of a list are left")
    return [st.load(X.add(first, i, 64), SLOT) for i in range(at, b.size if b is not None else 0, SLOT)]


def _width(value: int | Expr) -> int:
    return value.width if isinstance(value, Expr) else 8 * SLOT
