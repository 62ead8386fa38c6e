"""Models of C library functions between texts, internet addresses and times of day.

Of a text that is known, the address is computed as the C library does; of any other, as of the time of day, it may be anything."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from .expr import Expr
from .libc import anything, model, print_text, store_perhaps
from .memory import ObjectInfo, Problem
from .state import State
from .texts import text_at, unknown_text

TM = 56  # bytes of struct tm
FAMILIES = {2: (socket.AF_INET, 4), 10: (socket.AF_INET6, 16)}  # Linux's numbers: Python's, bytes of an address


def _address(text: bytes, convert: Callable[[str], bytes]) -> bytes | None:
    try:
        return convert(text.decode("latin-1"))
    except (OSError, ValueError):
        return None


def _convert(st: State, name: str, text: Any, to: Any, size: int, convert: Callable[[str], bytes]) -> Any:
    """Store the address that a text is; what the function returns: whether it is one."""
    s = text_at(st, text)
    if s is not None:
        found = _address(s, convert)
        if found is not None:
            st.store_bytes(to, list(found), size)
        return int(found is not None)
    made_of = unknown_text(st, text)
    store_perhaps(st, to, [anything(st, "address", 8, *made_of) for _ in range(size)], "address")
    return anything(st, name, 32, *made_of)


@model("inet_pton")
def inet_pton(st: State, v: list[Any], types: Any, result: Any) -> Any:
    if v[0] not in FAMILIES:
        raise Problem("unsupported-construct", "an address family that is not known")
    family, size = FAMILIES[v[0]]
    return _convert(st, "inet_pton", v[1], v[2], size, lambda text: socket.inet_pton(family, text))


@model("inet_aton")
def inet_aton(st: State, v: list[Any], types: Any, result: Any) -> Any:
    return _convert(st, "inet_aton", v[0], v[1], 4, socket.inet_aton)


@model("inet_addr")
def inet_addr(st: State, v: list[Any], types: Any, result: Any) -> Any:
    s = text_at(st, v[0])
    if s is None:
        return anything(st, "inet_addr", 32, *unknown_text(st, v[0]))
    found = _address(s, socket.inet_aton)
    return int.from_bytes(found, "little") if found is not None else 0xFFFFFFFF


@model("time")
def time(st: State, v: list[Any], types: Any, result: Any) -> Any:
    now = anything(st, "outside", 64)
    if v and v[0] != 0:
        st.store(v[0], now, 8)
    return now


def _set_parts(st: State, when: Any, to: int) -> int:
    made_of = [b for b in st.load_bytes(when, 8) if isinstance(b, Expr)]
    st.store_bytes(to, [anything(st, "time of day", 8, *made_of) for _ in range(TM)], TM)
    return to


@model("localtime_r", "gmtime_r")
def localtime_r(st: State, v: list[Any], types: Any, result: Any) -> Any:
    return _set_parts(st, v[0], v[1])


@model("localtime", "gmtime")
def localtime(st: State, v: list[Any], types: Any, result: Any) -> Any:
    place = st.library.get("time of day")
    if place is None:
        place = st.library["time of day"] = st.allocate(ObjectInfo("heap", "time of day"), [0] * TM)
    return _set_parts(st, v[0], place)


@model("strftime")
def strftime(st: State, v: list[Any], types: Any, result: Any) -> Any:
    made_of = [b for b in st.load_bytes(v[3], TM) if isinstance(b, Expr)] + unknown_text(st, v[2])
    if isinstance(v[0], Expr):
        raise Problem("unsupported-construct", "a text is printed at a place that is not known")
    print_text(st, v[0], v[1], made_of)
    return anything(st, "strftime", 64, *made_of)
