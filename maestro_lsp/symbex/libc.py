"""Models of C library, compiler and DPDK functions that NFs call and whose source is not at hand.

`LIBC` maps a name to a model (state, values, argument types, result type) -> value. `BUILTINS` are those that the compiler must
see as syntax. What comes from outside the program (files, clocks, random numbers) may be anything: fresh symbols.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from typing import Any

from ..source import ctypes as T
from . import expr as X
from .expr import Expr
from .memory import ADDRESS_BITS, OFFSET_MASK, UNINITIALISED, ObjectInfo, Problem, modelled, size_of
from .state import State
from .texts import MAX_TEXT, check_format, pointed_to, text_at, unknown_text

Model = Callable[[State, list[Any], Any, Any], Any]
LIBC: dict[str, Model] = {}

# results of functions that no header declares; everything else is int, as in old C
RESULTS: dict[str, T.CType] = {
    "__builtin_bswap16": T.UNSIGNED_SHORT,
    "__builtin_bswap32": T.UNSIGNED_INT,
    "__builtin_bswap64": T.UNSIGNED_LONG,
    "__builtin_expect": T.LONG,
    "__builtin_strlen": T.UNSIGNED_LONG,
    "__builtin_va_next": T.Pointer(T.VOID),
    "__builtin_memcpy": T.Pointer(T.VOID),
    "__builtin_memmove": T.Pointer(T.VOID),
    "__builtin_memset": T.Pointer(T.VOID),
    "__builtin_ia32_crc32qi": T.UNSIGNED_INT,
    "__builtin_ia32_crc32hi": T.UNSIGNED_INT,
    "__builtin_ia32_crc32si": T.UNSIGNED_INT,
    "__builtin_ia32_crc32di": T.UNSIGNED_LONG,
}


def model(*names: str) -> Callable[[Model], Model]:
    def register(f: Model) -> Model:
        for n in names:
            LIBC[n] = f
        return f

    return register


def anything(st: State, name: str, width: int, *made_of: int | Expr) -> Expr:
    """A fresh symbol for something from outside the program, or for what is not computed from some values."""
    k = st.library.get("environment", 0)
    st.library["environment"] = k + 1
    parts = dict.fromkeys(v for v in made_of if isinstance(v, Expr))
    return X.uf(f"{name}~{k}", width, *parts) if parts else X.sym(f"{name}~{k}", width)


def _is_set(v: int | Expr) -> bool:
    return isinstance(v, Expr) and not any(str(leaf.args[0]).startswith(UNINITIALISED) for leaf in X.leaves(v))


def store_perhaps(st: State, address: Any, data: Sequence[int | Expr], what: str, together: bool = True) -> None:
    """Write bytes that a function may also leave as they are, all of them or (not `together`) each: text that ends earlier, a number
    that is not there. They may then still be another packet's, or what they were made of before; who reads them sees that."""
    b = st.block(address)
    if b is None or not data:
        st.store_bytes(address, data, len(data))
        return
    written = dict(st.written)
    reads = len(st.plain)
    before = st.load_bytes(address, len(data))
    if isinstance(address, int) and not b.updates and (oid := address >> ADDRESS_BITS) not in st.havoc:
        while len(st.plain) > reads:  # what stays where it is was not looked at
            st.plain.popitem()
        first = address & OFFSET_MASK
        st.engine.kept.setdefault(oid, set()).update(range(first, first + len(data)))
    if b.info.is_state or b.info.kind == "cell" or (st.tracking and any(map(_is_set, before))):
        kept = [anything(st, f"{what} kept", 1)] * len(data)
        if not together:
            kept[1:] = [anything(st, f"{what} kept", 1) for _ in data[1:]]
        data = [X.ite(k, old, new, 8) for k, old, new in zip(kept, before, data, strict=True)]
        st.store_bytes(address, data, len(data))
        st.written = written
    else:
        st.store_bytes(address, data, len(data))


def use_hidden_state(st: State, name: str) -> None:
    """Read and change what the C library keeps for itself, as each packet that does so leaves it to the next."""
    address = st.engine.hidden_state(st, name)
    if st.tracking:
        st.load(address, 8)
        st.store(address, anything(st, name, 64), 8)


def concrete(v: Any, what: str) -> int:
    if isinstance(v, int):
        return v
    raise Problem("unsupported-construct", f"{what} is not known")


# ---------------------------------------------------------------------------------------------------------------- memory


def _new_heap(st: State, size: int, fill: int | Expr, name: str) -> int:
    return st.allocate(ObjectInfo("heap", f"{name}#{st.next_id}"), [fill] * modelled(size, "an allocated block"))


@model("malloc", "rte_malloc", "rte_malloc_socket")
def malloc(st: State, v: list[Any], types: Any, result: Any) -> Any:
    size = concrete(v[1] if len(v) > 1 else v[0], "the size of an allocation")
    return _new_heap(st, size, X.sym(f"{UNINITIALISED}heap#{st.next_id}", 8), "heap")


@model("rte_zmalloc", "rte_zmalloc_socket")
def zmalloc(st: State, v: list[Any], types: Any, result: Any) -> Any:
    return _new_heap(st, concrete(v[1], "the size of an allocation"), 0, "heap")


@model("calloc", "rte_calloc")
def calloc(st: State, v: list[Any], types: Any, result: Any) -> Any:
    n, size = (v[1], v[2]) if len(v) > 2 else (v[0], v[1])
    return _new_heap(
        st, concrete(n, "the size of an allocation") * concrete(size, "the size of an allocation"), 0, "heap"
    )


@model("aligned_alloc", "memalign")
def aligned_alloc(st: State, v: list[Any], types: Any, result: Any) -> Any:
    return malloc(st, [v[1]], types, result)


@model("posix_memalign")
def posix_memalign(st: State, v: list[Any], types: Any, result: Any) -> Any:
    st.store(v[0], malloc(st, [v[2]], types, result), 8)
    return 0


@model("realloc")
def realloc(st: State, v: list[Any], types: Any, result: Any) -> Any:
    new = malloc(st, [v[1]], types, result)
    if v[0] != 0:
        old = st.block(v[0])
        if old is not None:
            n = min(old.size, v[1])
            st.store_bytes(new, st.load_bytes(v[0], n), n)
            free(st, v, types, result)
    return new


@model("free", "rte_free", "cfree")
def free(st: State, v: list[Any], types: Any, result: Any) -> Any:
    b = st.block(v[0]) if isinstance(v[0], int) else None
    if b is not None and b.info.kind == "heap":
        if st.tracking and v[0] < st.library["packet"]:
            raise Problem("unsupported-construct", "a packet frees memory that others use")
        del st.memory[v[0] >> ADDRESS_BITS]
    return 0


@model("memcpy", "memmove", "rte_memcpy", "__builtin_memcpy", "__builtin_memmove", "rte_mov16")
def memcpy(st: State, v: list[Any], types: Any, result: Any) -> Any:
    n = concrete(v[2], "the number of bytes copied")
    if n:
        st.store_bytes(v[0], st.load_bytes(v[1], n), n)
    return v[0]


@model("mempcpy")
def mempcpy(st: State, v: list[Any], types: Any, result: Any) -> Any:
    return X.add(memcpy(st, v, types, result), v[2], 64)


@model("memset", "__builtin_memset", "rte_memset")
def memset(st: State, v: list[Any], types: Any, result: Any) -> Any:
    n = modelled(concrete(v[2], "the number of bytes set"), "what memset sets")
    if n:
        st.store_bytes(v[0], [X.extract(v[1], 0, 8)] * n, n)
    return v[0]


@model("bzero")
def bzero(st: State, v: list[Any], types: Any, result: Any) -> Any:
    return memset(st, [v[0], 0, v[1]], types, result)


@model("memcmp", "__builtin_memcmp", "bcmp", "rte_memcmp")
def memcmp(st: State, v: list[Any], types: Any, result: Any) -> Any:
    n = concrete(v[2], "the number of bytes compared")
    if n == 0:
        return 0
    a, b = st.load_bytes(v[0], n), st.load_bytes(v[1], n)
    x, y = X.from_bytes(tuple(a)), X.from_bytes(tuple(b))
    different = X.not_(X.eq(x, y, 8 * n), 1)
    big_a = X.from_bytes(tuple(reversed(a)))
    big_b = X.from_bytes(tuple(reversed(b)))
    sign = X.ite(X.ult(big_a, big_b, 8 * n), 0xFFFFFFFF, 1, 32)
    return X.ite(different, sign, 0, 32)


# --------------------------------------------------------------------------------------------------------------- strings


@model("strlen", "__builtin_strlen")
def strlen(st: State, v: list[Any], types: Any, result: Any) -> Any:
    s = text_at(st, v[0])
    return len(s) if s is not None else anything(st, "strlen", 64, *unknown_text(st, v[0]))


def _compare(st: State, v: list[Any], a: bytes | None, b: bytes | None) -> Any:
    if a is None or b is None:
        return anything(st, "strcmp", 32, *unknown_text(st, v[0], v[1]))
    return 0 if a == b else (1 if a > b else 0xFFFFFFFF)


@model("strcmp", "strcoll")
def strcmp(st: State, v: list[Any], types: Any, result: Any) -> Any:
    return _compare(st, v, text_at(st, v[0]), text_at(st, v[1]))


@model("strcasecmp")
def strcasecmp(st: State, v: list[Any], types: Any, result: Any) -> Any:
    a, b = text_at(st, v[0]), text_at(st, v[1])
    return _compare(st, v, a.lower() if a is not None else None, b.lower() if b is not None else None)


@model("strncmp")
def strncmp(st: State, v: list[Any], types: Any, result: Any) -> Any:
    a, b = text_at(st, v[0]), text_at(st, v[1])
    n = concrete(v[2], "the number of characters compared")
    return _compare(st, v, a[:n] if a is not None else None, b[:n] if b is not None else None)


@model("strlcpy", "rte_strlcpy", "rte_strscpy")
def strlcpy(st: State, v: list[Any], types: Any, result: Any) -> Any:
    s = text_at(st, v[1])
    if s is None:
        raise Problem("unsupported-construct", "a string that is not known is copied")
    room = concrete(v[2], "the number of characters copied")
    if len(s) >= room:  # what these functions then return differs
        raise Problem("unsupported-construct", "a string is copied that is too long for its place")
    st.store_bytes(v[0], s + b"\0", len(s) + 1)
    return len(s)


@model("strcpy", "strncpy")
def strncpy(st: State, v: list[Any], types: Any, result: Any) -> Any:
    s = text_at(st, v[1])
    if s is None:
        raise Problem("unsupported-construct", "a string that is not known is copied")
    if len(v) == 2:
        data = s + b"\0"
    else:
        data = s[: modelled(concrete(v[2], "the number of characters copied"), "what strncpy fills")]
        data += b"\0" * (v[2] - len(data))
    st.store_bytes(v[0], data, len(data))
    return v[0]


@model("strdup", "__strdup")
def strdup(st: State, v: list[Any], types: Any, result: Any) -> Any:
    s = text_at(st, v[0])
    data: list[int | Expr] = (
        list(s + b"\0") if s is not None else [anything(st, "text", 8, *unknown_text(st, v[0])) for _ in range(64)]
    )
    return st.allocate(ObjectInfo("heap", f"heap#{st.next_id}"), data)


@model("strchr", "index")
def strchr(st: State, v: list[Any], types: Any, result: Any) -> Any:
    s = text_at(st, v[0])
    c = concrete(v[1], "the character looked for") & 255
    if s is None:
        raise Problem("unsupported-construct", "a string that is not known is searched")
    at = (s + b"\0").find(bytes([c]))
    return v[0] + at if at >= 0 else 0


@model("strerror", "rte_strerror", "gai_strerror", "inet_ntoa", "ctime")
def some_text(st: State, v: list[Any], types: Any, result: Any) -> Any:
    made_of = [*v, *unknown_text(st, *v)]
    for x, t in zip(v, types, strict=False):
        if isinstance(t, T.Record):
            made_of += st.load_bytes(x, size_of(t))
    text: list[int | Expr] = [*(anything(st, "text", 8, *made_of) for _ in range(31)), 0]
    place = st.library.get(
        "the last message"
    )  # one for the whole process; that the functions have one each does no harm
    if place is None:
        place = st.library["the last message"] = st.allocate(ObjectInfo("heap", "message"), [0] * 32)
    st.store_bytes(place, text, 32)
    return place


@model("strtok")
def strtok(st: State, v: list[Any], types: Any, result: Any) -> Any:
    start = v[0] if v[0] != 0 else st.library.get("strtok", 0)
    s, separators = text_at(st, start), text_at(st, v[1])
    if s is None or separators is None:
        raise Problem("unsupported-construct", "a string that is not known is searched")
    i = 0
    while i < len(s) and s[i] in separators:
        i += 1
    if i == len(s):
        return 0
    j = i
    while j < len(s) and s[j] not in separators:
        j += 1
    if j < len(s):
        st.store_bytes(start + j, b"\0", 1)
        st.library["strtok"] = start + j + 1
    else:
        st.library["strtok"] = start + j
    return start + i


_INTEGER = {
    0: re.compile(rb"[ \t\n\r\f\v]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)"),
    10: re.compile(rb"[ \t\n\r\f\v]*([+-]?)([0-9]+)"),
    16: re.compile(rb"[ \t\n\r\f\v]*([+-]?)(?:0[xX])?([0-9a-fA-F]+)"),
    8: re.compile(rb"[ \t\n\r\f\v]*([+-]?)([0-7]+)"),
}


ERANGE = 34


def _range_error(st: State, *made_of: int | Expr) -> None:
    """What a number that is perhaps too large leaves in errno."""
    errno = st.engine.any_global("errno")
    if errno is not None and st.tracking:
        at = st.engine.global_address(st, errno)
        st.store(at, X.ite(anything(st, "range error", 1, *made_of), ERANGE, st.load(at, 4), 32), 4)


def parse_integer(s: bytes, base: int) -> tuple[int, int]:
    """strtol: (value, characters used); 0 characters when there is no number."""
    pattern = _INTEGER.get(base)
    if pattern is None:
        raise Problem("unsupported-construct", f"numbers to base {base}")
    m = pattern.match(s)
    if m is None:
        return 0, 0
    digits = m.group(2)
    if base == 0:
        value = int(digits, 16) if digits[:2].lower() == b"0x" else int(digits, 8 if digits[0:1] == b"0" else 10)
    else:
        value = int(digits, base)
    return (-value if m.group(1) == b"-" else value), m.end()


@model("strtol", "strtoul", "strtoll", "strtoull", "strtoimax", "strtoumax")
def strtol(st: State, v: list[Any], types: Any, result: Any) -> Any:
    s = text_at(st, v[0])
    if s is None:
        if v[1] != 0:
            # the number may end anywhere in the text: at its start (no number) or after it
            used = X.zext(anything(st, "characters of a number", 8, *unknown_text(st, v[0]), v[2]), 8, 64)
            st.store(v[1], X.add(v[0], used, 64), 8)
        _range_error(st, *unknown_text(st, v[0]), v[2])
        return anything(st, "strtol", 64, *unknown_text(st, v[0]), v[2])
    value, used = parse_integer(s, concrete(v[2], "the base of a number"))
    if abs(value) >= 1 << 63:
        raise Problem("unsupported-construct", "a number that may be too large for its type")
    if v[1] != 0:
        st.store(v[1], v[0] + used, 8)
    return value & ((1 << 64) - 1)


@model("atoi", "atol", "atoll")
def atoi(st: State, v: list[Any], types: Any, result: Any) -> Any:
    s = text_at(st, v[0])
    width = 8 * size_of(result)
    return (
        anything(st, "atoi", width, *unknown_text(st, v[0]))
        if s is None
        else parse_integer(s, 10)[0] & ((1 << width) - 1)
    )


@model("strtod", "atof")
def strtod(st: State, v: list[Any], types: Any, result: Any) -> Any:
    s = text_at(st, v[0])
    m = re.match(rb"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", s) if s is not None else None
    if s is None:
        if len(v) > 1 and v[1] != 0:
            used = X.zext(anything(st, "characters of a number", 8, *unknown_text(st, v[0])), 8, 64)
            st.store(v[1], X.add(v[0], used, 64), 8)
        _range_error(st, *unknown_text(st, v[0]))
        return anything(st, "strtod", 64, *unknown_text(st, v[0]))
    if len(v) > 1 and v[1] != 0:
        st.store(v[1], v[0] + (m.end() if m else 0), 8)
    return int.from_bytes(struct.pack("<d", float(m.group(0)) if m else 0.0), "little")


_SCAN = re.compile(rb"%(\*?)(\d*)(hh|h|ll|l|z|j|t)?([diuxXcsn]|\[[^\]]+\])|\s+|[^%\s]+")
_SCAN_SIZE = {b"hh": 1, b"h": 2, None: 4, b"l": 8, b"ll": 8, b"z": 8, b"j": 8, b"t": 8}


@model("sscanf", "__isoc99_sscanf")
def sscanf(st: State, v: list[Any], types: Any, result: Any) -> Any:
    s, f = text_at(st, v[0]), text_at(st, v[1])
    if f is None:
        raise Problem("unsupported-construct", "a scan format that is not known")
    outputs = v[2:]
    if s is None:
        made_of = unknown_text(st, v[0])
        _scan_anything(st, f, outputs, made_of)
        return anything(st, "sscanf", 32, *made_of)
    at = count = 0
    for m in _SCAN.finditer(f):
        token = m.group(0)
        if not token.startswith(b"%"):
            if token.isspace():
                while at < len(s) and s[at : at + 1].isspace():
                    at += 1
            elif s.startswith(token, at):
                at += len(token)
            else:
                return count
            continue
        width = int(m.group(2) or 0) or MAX_TEXT
        kind = m.group(4)
        size = _SCAN_SIZE[m.group(3)]
        if kind in b"diuxX":
            while at < len(s) and s[at : at + 1].isspace():
                at += 1
            value, used = parse_integer(s[at : at + width], 16 if kind in b"xX" else (0 if kind == b"i" else 10))
            if not used:
                return count if at < len(s) or count else 0xFFFFFFFF
            at += used
            if not m.group(1):
                st.store(outputs[count], value & ((1 << 8 * size) - 1), size)
                count += 1
        elif kind == b"s":
            while at < len(s) and s[at : at + 1].isspace():
                at += 1
            word = re.match(rb"\S{1,%d}" % width, s[at:])
            if word is None:
                return count if count else 0xFFFFFFFF
            at += word.end()
            st.store_bytes(outputs[count], word.group(0) + b"\0", word.end() + 1)
            count += 1
        elif kind == b"c":
            if at >= len(s):
                return count if count else 0xFFFFFFFF
            st.store(outputs[count], s[at], 1)
            at += 1
            count += 1
        else:
            raise Problem("unsupported-construct", f"the scan format {f.decode(errors='replace')!r}")
    return count


def _scan_anything(st: State, f: bytes, outputs: list[Any], made_of: Sequence[Expr] = ()) -> None:
    """What a scan of unknown text stores."""
    i = 0
    if _SCAN.sub(b"", f):
        raise Problem("unsupported-construct", f"the scan format {f.decode(errors='replace')!r}")
    for m in _SCAN.finditer(f):
        if m.group(4) == b"c" and m.group(2) not in (b"", b"1"):
            raise Problem("unsupported-construct", f"the scan format {f.decode(errors='replace')!r}")
        if not m.group(0).startswith(b"%") or m.group(1) or i >= len(outputs):
            continue
        kind = m.group(4)
        if kind in b"diuxXc":
            size = 1 if kind == b"c" else _SCAN_SIZE[m.group(3)]
            number = anything(st, "scanned", 8 * size, *made_of)
            store_perhaps(st, outputs[i], tuple(X.bytes_of(number, size)), "scanned")
        else:
            b = st.block(outputs[i])
            room = b.size - (outputs[i] & OFFSET_MASK) if b is not None else 0
            n = min(int(m.group(2) or room - 1) + 1, room)
            text: list[int | Expr] = [*(anything(st, "text", 8, *made_of) for _ in range(n - 1)), 0]
            store_perhaps(st, outputs[i], text[:n], "text", together=False)
        i += 1


def _read_on(st: State) -> None:
    use_hidden_state(st, "the position in a file")


@model("fscanf", "__isoc99_fscanf", "scanf")
def fscanf(st: State, v: list[Any], types: Any, result: Any) -> Any:
    f = text_at(st, v[1])
    if f is None:
        raise Problem("unsupported-construct", "a scan format that is not known")
    _read_on(st)
    _scan_anything(st, f, v[2:])
    return anything(st, "fscanf", 32)


@model("fgetc", "getc", "getchar")
def fgetc(st: State, v: list[Any], types: Any, result: Any) -> Any:
    _read_on(st)
    return anything(st, "fgetc", 32)


@model("fgets")
def fgets(st: State, v: list[Any], types: Any, result: Any) -> Any:
    _read_on(st)
    n = min(concrete(v[1], "the length of a line"), 256)
    line: list[int | Expr] = [*(anything(st, "text", 8) for _ in range(n - 1)), 0]
    store_perhaps(st, v[0], line[:n], "line", together=False)
    return X.ite(anything(st, "end of file", 1), 0, v[0], 64)


@model("fread")
def fread(st: State, v: list[Any], types: Any, result: Any) -> Any:
    _read_on(st)
    n = modelled(concrete(v[1], "the size of a read") * concrete(v[2], "the size of a read"), "what fread reads")
    store_perhaps(st, v[0], [anything(st, "text", 8) for _ in range(n)], "read", together=False)
    return anything(st, "fread", 64)


@model("fopen")
def fopen(st: State, v: list[Any], types: Any, result: Any) -> Any:
    use_hidden_state(st, "which files there are")
    stream = st.allocate(ObjectInfo("handle", "stream", library_kind="stream"), [0] * 8)
    return X.ite(anything(st, "fopen fails", 1, *unknown_text(st, *v)), 0, stream, 64)


@model("getenv")
def getenv(st: State, v: list[Any], types: Any, result: Any) -> Any:
    kind = "text" if st.tracking else "heap"  # packets share it, and what one writes there others would see
    text = st.allocate(ObjectInfo(kind, "environment"), [*(anything(st, "text", 8) for _ in range(31)), 0])
    return X.ite(anything(st, "getenv fails", 1, *unknown_text(st, *v)), 0, text, 64)


def print_text(st: State, to: int, limit: Any, printed: Sequence[Any]) -> None:
    """Write a text that is made of what is printed, of at most as many bytes as the object and the limit have room for."""
    b = st.block(to)
    n = b.size - (to & OFFSET_MASK) if b is not None else 0
    if isinstance(limit, int):
        n = min(n, limit)
    if n > 0:
        text: list[int | Expr] = [*(anything(st, "text", 8, *printed) for _ in range(n - 1)), 0]
        st.store_bytes(to, text[:1], 1)
        store_perhaps(st, to + 1, text[1:], "text", together=False)


@model("snprintf", "sprintf")
def snprintf(st: State, v: list[Any], types: Any, result: Any) -> Any:
    check_format(st, "snprintf", v[1:3])
    if isinstance(v[0], Expr):
        printed = [*v, *unknown_text(st, *v[1:])]
        places = pointed_to(st, v[0])
        if not places:
            raise Problem("unsupported-construct", "a text is printed at a place that is not known")
        for p in places:
            before = st.load_bytes(p, st.memory[p >> ADDRESS_BITS].size)
            kept = anything(st, "text kept", 1, *printed)
            text = [X.ite(kept, old, anything(st, "text", 8, *printed), 8) for old in before]
            st.store_bytes(p, text, len(text))
        return anything(st, "snprintf", 32, *printed)
    limited = len(v) > 1 and types[1] is not None and isinstance(types[1], T.Integer)
    if st.block(v[0]) is not None:
        print_text(st, v[0], v[1] if limited else None, [*v[1:], *unknown_text(st, *v[1:])])
    return anything(st, "snprintf", 32, *v[1:], *unknown_text(st, *v[1:]))
