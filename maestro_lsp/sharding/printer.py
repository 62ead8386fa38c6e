"""Expressions in the user's terms: header fields instead of packet bytes, C's operators, answers of library calls by the name of
the object that gave them. What stands here is for people; programs read the fields of the call paths themselves.

    eth.type == 0x800               a header field, in the order of the wire
    found(state->flows)             whether map_get found the key
    index(state->flows)             what it found
    state->buckets[...][8:16]       bytes 8 to 15 of a vector's cell
    packet[(ipv4.ihl << 2) + 14:+4] four bytes of the packet from there
    x[0:8], ipv4.src[0:8]           bits: of a number from the least significant, of a field (as in a report) from the most
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from ..rss.fields import WIDTHS
from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.path import CELL, CallPath, Object, PacketWrite, Part
from ..symbex.solver import Solver
from .headers import PacketView, Views

_SIGNS = {"eq": "==", "ult": "<", "ule": "<=", "slt": "<", "sle": "<=", "add": "+", "mul": "*", "and": "&", "or": "|", "xor": "^",
          "shl": "<<", "lshr": ">>", "ashr": ">>", "udiv": "/", "urem": "%", "sdiv": "/", "srem": "%"}  # fmt: skip
_MIRRORED = {"<": ">", "<=": ">="}
_LOGIC = {"and": " && ", "or": " || "}
_ANSWERS = {
    "map_has_this_key": "found", "allocated_index": "index", "new_index": "fresh_index", "out_of_space": "full",
    "dchain_is_index_allocated": "allocated", "dchain_was_allocated": "was_allocated", "has_space": "room",
    "number_of_freed_flows": "expired_count",
}  # fmt: skip
_SYMBOLS = {"pkt_len": "length"}
_IPV4_PROTOCOL = 9  # its offset in the header, by which the header is found

Parts = Sequence[tuple["int | Expr", int]]


class Printer:
    """Prints the expressions of one path; `objects` are those of its execution, by id."""

    def __init__(self, objects: Mapping[int, Object], path: CallPath) -> None:
        self._path = path
        self._objects = objects
        views = Views(Solver(), False).of(path)
        self._view: PacketView | None = max(views, key=lambda v: len(v.names), default=None)
        self._ipv4 = self._start_of_ipv4()
        self._regions = dict(path.regions)  # bytes behind a header of variable length, by name: where they start

    def key(self, parts: Sequence[Part] | None) -> str:
        """The key of an access."""
        return self._joined([q for p in parts or () for q in X.parts_of(p.value, p.width)]) or "everything"

    def _joined(self, parts: Parts) -> str:
        """Parts one after the other, those together that make up one header field."""
        left = list(parts)
        shown = []
        while left:
            n = next((n for n in range(min(len(left), 16), 1, -1) if self._is_whole(left[:n])), 1)
            shown.append(self._concat(left[:n]))
            del left[:n]
        return shown[0] if len(shown) == 1 else "{" + ", ".join(shown) + "}" if shown else ""

    def _is_whole(self, parts: Parts) -> bool:
        """Whether parts of a key, given byte by byte, are one header field."""
        joined = X.concat(parts)
        return isinstance(joined, Expr) and self._field(joined) not in ("", *(self(*p) for p in parts))

    def __call__(self, e: int | Expr, width: int = 32) -> str:
        """A value of some width, or a condition."""
        if isinstance(e, int):
            return _number(e, width)
        if e.width == 1:
            return self._condition(e)
        field = self._field(e)
        if field:
            return field
        op, a = e.op, e.args
        if op == "sym":
            return self._symbol(str(a[0]))
        if op == "byte":
            return self._bytes(str(a[0]), a[1], 1)
        if op == "uf":
            return f"{a[0]}({', '.join(self(x) for x in a[1:])})"
        if op == "concat":
            return self._concat(X.parts_of(e, e.width))
        if op == "extract":
            return f"{self(a[0])}[{a[1]}:{a[1] + e.width}]"
        if op == "sext":
            return self(a[0])
        if op == "not":
            return f"~{self(a[0])}"
        if op == "ite":
            return f"({self(a[0])} ? {self(a[1])} : {self(a[2])})"
        if op == "add":
            return self._sum(e)
        return f"({self(a[0], e.width)} {_SIGNS[op]} {self(a[1], e.width)})"

    def writes(self, writes: Sequence[PacketWrite]) -> list[tuple[str, str]]:
        """What a path changes in the packet: (field or bytes, value), neighbouring bytes of one field as one."""
        out = []
        for run in _runs(writes):
            value = X.concat([(w.value, 8) for w in run])
            target = X.concat([(X.byte(w.array, w.offset), 8) for w in run])
            assert isinstance(target, Expr)
            name = self._field(target) or self._bytes(run[0].array, run[0].offset, len(run))
            out.append((name, f"{value:#x}" if isinstance(value, int) else self._wire(value, 8 * len(run))))
        return out

    def cell(self, stored: Sequence[tuple[int, int | Expr]]) -> list[tuple[str, str]]:
        """What is stored in a cell: (bytes, value), bytes joined where they are one number or one field."""
        left = dict(stored)
        out = []
        while left:
            start = min(left)
            for size in (8, 4, 2, 1):
                if start % size or not all(start + i in left for i in range(size)):
                    continue
                value = X.from_bytes(tuple(left[start + i] for i in range(size)))
                whole = isinstance(value, int) or value.op != "concat" or bool(self._field(value))
                if whole or size == 1:
                    out.append((f"[{start}:{start + size}]", self(value, 8 * size)))
                    for i in range(size):
                        del left[start + i]
                    break
        return out

    # ------------------------------------------------------------------------------------------------------ conditions

    def _condition(self, e: Expr) -> str:
        op, a = e.op, e.args
        if op in ("sym", "uf", "byte"):
            return self._symbol(str(a[0]))
        if op == "not":
            inner = a[0]
            if inner.op == "eq":
                return self._compared(inner, "!=")
            if inner.op in _LOGIC:
                return f"!({self._condition(inner)})"
            if _is_sign(inner):
                return f"{self(inner.args[0])} >= 0"
            return f"!{self._condition(inner)}"
        if op in _LOGIC:
            return _LOGIC[op].join(
                f"({self(x)})" if isinstance(x, Expr) and x.op in _LOGIC and x.op != op else self(x) for x in a
            )
        if op in _SIGNS:
            return self._compared(e, _SIGNS[op])
        if op == "ite":
            return f"({self(a[0])} ? {self(a[1])} : {self(a[2])})"
        if _is_sign(e):
            return f"{self(a[0])} < 0"
        return f"{self(a[0])}[{a[1]}]" if op == "extract" else X.show(e)

    def _compared(self, e: Expr, sign: str) -> str:
        left, right = e.args
        if isinstance(left, int) and sign in _MIRRORED:
            left, right, sign = right, left, _MIRRORED[sign]
        ordered = sign not in ("==", "!=")
        return f"{self._side(left, right, ordered)} {sign} {self._side(right, left, ordered)}"

    def _side(self, e: int | Expr, other: int | Expr, ordered: bool) -> str:
        """One side of a comparison. Packets are shown in the order of the wire; where a field was loaded as a little-endian
        number, equality with a constant is that with the swapped constant, and an order is one of swapped fields."""
        if isinstance(e, Expr):
            text = self(e, e.width)
            return f"swapped({text})" if ordered and self._is_swapped(e) else text
        if isinstance(other, int):
            return self(e)
        if not ordered and self._is_swapped(other):
            e = int.from_bytes(e.to_bytes(other.width // 8, "little"), "big")
        return hex(e) if self._field(other).endswith((".type", ".src", ".dst")) and e > 9 else self(e, other.width)

    def _is_swapped(self, e: Expr) -> bool:
        """Whether an expression is bytes of the packet loaded as a little-endian number."""
        parts = [p for p, _ in X.parts_of(e, e.width)]
        offsets = [
            p.args[1] for p in parts if isinstance(p, Expr) and p.op == "byte" and self._is_of_packet(str(p.args[0]))
        ]
        return len(parts) > 1 and len(offsets) == len(parts) and offsets == sorted(offsets, reverse=True)

    def _is_of_packet(self, array: str) -> bool:
        return array == "packet" or array in self._regions

    # ---------------------------------------------------------------------------------------------------------- values

    def _sum(self, e: Expr) -> str:
        """A sum, with what is subtracted shown as subtracted."""
        positive: list[str] = []
        negative: list[str] = []
        pending: list[int | Expr] = [e]
        while pending:
            x = pending.pop(0)
            minus = (1 << e.width) - 1
            if isinstance(x, int):
                if x >> (e.width - 1):
                    negative.append(self((1 << e.width) - x, e.width))
                elif x:
                    positive.append(self(x, e.width))
            elif x.op == "add":
                pending[:0] = x.args
            elif x.op == "mul" and minus in x.args:
                negative.append(self(x.args[1] if x.args[0] == minus else x.args[0], e.width))
            else:
                positive.append(self(x, e.width))
        text = " - ".join([" + ".join(positive) or "0", *negative])
        return f"({text})"

    def _concat(self, parts: Parts) -> str:
        """Joined bits: a number that is shifted or widened, bytes of one cell or header, else all parts."""
        if len(parts) > 1 and isinstance(parts[0][0], int) and parts[0][0] == 0:
            return self._concat(parts[1:])
        if len(parts) > 1 and isinstance(parts[-1][0], int) and parts[-1][0] == 0:
            return f"({self._concat(parts[:-1])} << {parts[-1][1]})"
        if len(parts) == 1:
            return self(*parts[0])
        whole = X.concat(parts)
        field = self._field(whole) if isinstance(whole, Expr) else ""
        if field:
            return field
        if all(isinstance(p, Expr) and p.op == "byte" for p, _ in parts):
            arrays = {str(p.args[0]) for p, _ in parts if isinstance(p, Expr)}
            offsets = [p.args[1] for p, _ in parts if isinstance(p, Expr)]
            step = offsets[1] - offsets[0]
            if len(arrays) == 1 and abs(step) == 1 and all(b - a == step for a, b in pairwise(offsets)):
                return self._bytes(arrays.pop(), min(offsets), len(offsets))
        return self._joined(parts)

    def _wire(self, value: Expr, width: int) -> str:
        """A value in network order."""
        parts = X.parts_of(value, width)
        if all(w == 8 for _, w in parts):
            swapped = X.concat(tuple(reversed(parts)))
            if isinstance(swapped, Expr) and swapped.op != "concat":
                return self(swapped)
        return self(value, width)

    def _field(self, e: Expr) -> str:
        """The header field that an expression is, in either byte order, or a part of one."""
        if self._view is None:
            return ""
        parts = X.parts_of(e, e.width)
        if len(parts) > 1 and isinstance(parts[0][0], int) and parts[0][0] == 0:
            parts = parts[1:]
        bits: list[tuple[str, int, int]] = []  # field, first bit, width
        for p, w in parts:
            if not isinstance(p, Expr):
                return ""
            leaf, low = (p.args[0], p.args[1]) if p.op == "extract" else (p, 0)
            if not isinstance(leaf, Expr) or leaf.op != "byte":
                return ""
            if self._ipv4 is not None and leaf.args == ("packet", self._ipv4) and len(parts) == 1 and w == 4:
                return "ipv4.ihl" if low == 0 else "ipv4.version"
            if leaf not in self._view.names:
                return ""
            name, first = self._view.names[leaf]
            bits.append((name, first + 8 - low - w, w))
        if len({name for name, _, _ in bits}) != 1:
            return ""
        bits.sort(key=lambda b: b[1])
        if any(a + w != b for (_, a, w), (_, b, _) in pairwise(bits)):
            return ""
        name, start = bits[0][:2]
        end = bits[-1][1] + bits[-1][2]
        return name if (start, end) == (0, self._field_width(name)) else f"{name}[{start}:{end}]"

    def _field_width(self, name: str) -> int:
        assert self._view is not None
        known = WIDTHS.get(name)
        return known if known is not None else 8 + max(first for n, first in self._view.names.values() if n == name)

    def _start_of_ipv4(self) -> int | None:
        if self._view is None:
            return None
        for leaf, (name, _) in self._view.names.items():
            if name == "ipv4.proto" and leaf.args[0] == "packet":
                return int(leaf.args[1]) - _IPV4_PROTOCOL
        return None

    def _bytes(self, array: str, start: int, count: int) -> str:
        name, _, number = array.partition("#")
        if name == CELL and number.isdecimal():
            array = f"{self._object(int(number))}[...]"
        if array in self._regions:
            first = f"{self(self._regions[array])} + {start}"
            return f"packet[{first}]" if count == 1 else f"packet[{first}:+{count}]"
        return f"{array}[{start}]" if count == 1 else f"{array}[{start}:{start + count}]"

    def _symbol(self, name: str) -> str:
        base, _, number = name.partition("#")
        if not number.isdecimal() or int(number) >= len(self._path.calls):
            return _SYMBOLS.get(name, name)
        call = self._path.calls[int(number)]
        if base == "found" and call.op != "map-get":
            base = "succeeded"
        text = f"{_ANSWERS.get(base, base)}({self._object(call.number)})"
        same = [
            c.number
            for c in self._path.calls
            if c.function == call.function and self._object(c.number) == self._object(call.number)
        ]
        return text if len(same) == 1 else f"{text}#{same.index(call.number) + 1}"

    def _object(self, number: int) -> str:
        """The name of the object that a call is about."""
        call = self._path.calls[number]
        for t in call.touches:
            o = self._objects.get(t.object)
            if o is not None:
                return o.name
        return call.function


def _number(n: int, width: int) -> str:
    if width >= 32 and n >> (width - 1) and (1 << width) - n < 0x10000:
        return str(n - (1 << width))
    return hex(n) if n > 0xFFFF else str(n)


def _is_sign(e: Expr) -> bool:
    """Whether a bit is the sign of a number."""
    return e.op == "extract" and isinstance(e.args[0], Expr) and e.args[1] == e.args[0].width - 1


def _runs(writes: Sequence[PacketWrite]) -> list[list[PacketWrite]]:
    """Writes to neighbouring bytes, cut where header fields of Ethernet, IP and layer 4 usually end."""
    out: list[list[PacketWrite]] = []
    for w in sorted(writes, key=lambda w: (w.array, w.offset)):
        last = out[-1][-1] if out else None
        if last is not None and last.array == w.array and last.offset + 1 == w.offset and w.offset not in _CUTS:
            out[-1].append(w)
        else:
            out.append([w])
    return out


_CUTS = frozenset((6, 12, 14, 16, 18, 20, 22, 23, 24, 26, 30, 34, 36))
