"""Expressions in the user's terms: header fields instead of packet bytes, C operators, answers of library calls by name."""

from __future__ import annotations

from ..check import Report
from ..sharding.headers import PacketView, Views
from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.path import CallPath
from ..symbex.solver import Solver

_SIGNS = {"eq": "==", "ult": "<", "ule": "<=", "slt": "<", "sle": "<=", "add": "+", "mul": "*", "and": "&", "or": "|", "xor": "^",
          "shl": "<<", "lshr": ">>", "ashr": ">>", "udiv": "/", "urem": "%", "sdiv": "/", "srem": "%"}  # fmt: skip
_LOGIC = {"and": " && ", "or": " || "}
_ANSWERS = {
    "map_has_this_key": "found", "out_of_space": "full", "dchain_is_index_allocated": "allocated", "has_space": "room",
    "expired": "expired",
}  # fmt: skip


class Printer:
    """Prints the expressions of one path."""

    def __init__(self, report: Report, path: CallPath) -> None:
        self._path = path
        views = Views(Solver(), False).of(path)
        self._view: PacketView | None = max(views, key=lambda v: len(v.names), default=None)
        self._report = report

    def __call__(self, e: int | Expr, width: int = 32) -> str:
        if isinstance(e, int):
            return str(e) if e < 10 else hex(e) if e > 0xFFFF else str(e)
        if e.width == 1:
            return self._condition(e)
        field = self._field(e)
        if field:
            return field
        op, a = e.op, e.args
        if op == "sym":
            return self._symbol(str(a[0]))
        if op == "byte":
            return self._byte(e)
        if op == "uf":
            return f"{a[0]}({', '.join(self(x) for x in a[1:])})"
        if op == "concat":
            if isinstance(a[0][0], int) and a[0][0] == 0 and len(a[0]) == 2:
                return self(a[0][1])
            return "{" + ", ".join(self(p, w) for p, w in zip(a[0], a[1], strict=True)) + "}"
        if op == "extract":
            return f"{self(a[0])}[{a[1]}:{a[1] + e.width}]"
        if op == "sext":
            return self(a[0])
        if op == "not":
            return f"~{self(a[0])}"
        if op == "ite":
            return f"({self(a[0])} ? {self(a[1])} : {self(a[2])})"
        if op == "add" and isinstance(a[1], int) and a[1] >> (e.width - 1):
            return f"({self(a[0])} - {(1 << e.width) - a[1]})"
        return f"({self(a[0])} {_SIGNS[op]} {self(a[1])})"

    def _condition(self, e: Expr) -> str:
        op, a = e.op, e.args
        if op in ("sym", "uf", "byte"):
            return self._symbol(str(a[0]))
        if op == "not":
            inner = a[0]
            if inner.op == "eq":
                return f"{self._side(inner.args[0], inner.args)} != {self._side(inner.args[1], inner.args)}"
            if inner.op in ("and", "or"):
                return f"!({self._condition(inner)})"
            return f"!{self._condition(inner)}"
        if op in _LOGIC:
            return _LOGIC[op].join(
                f"({self(x)})" if isinstance(x, Expr) and x.op in _LOGIC and x.op != op else self(x) for x in a
            )
        if op in _SIGNS:
            return f"{self._side(a[0], a)} {_SIGNS[op]} {self._side(a[1], a)}"
        if op == "ite":
            return f"({self(a[0])} ? {self(a[1])} : {self(a[2])})"
        return f"{self(a[0])}[{a[1]}]" if op == "extract" else X.show(e)

    def _side(self, e: int | Expr, both: tuple[int | Expr, ...]) -> str:
        """One side of a comparison; constants compared with a header field are shown in the order of the wire."""
        if isinstance(e, int):
            other = next((x for x in both if isinstance(x, Expr)), None)
            if other is not None and other.width in (16, 32) and self._field(other) and self._swapped(other):
                e = int.from_bytes(e.to_bytes(other.width // 8, "little"), "big")
                return hex(e) if e > 255 else str(e)
        return self(e)

    def _swapped(self, e: Expr) -> bool:
        parts = [p for p, _ in X.parts_of(e, e.width)]
        return all(isinstance(p, Expr) and p.op == "byte" for p in parts) and parts == sorted(
            parts, key=lambda p: -p.args[1] if isinstance(p, Expr) else 0
        )

    def _field(self, e: Expr) -> str:
        """The header field that an expression is, in either byte order, or a part of one."""
        if self._view is None:
            return ""
        parts = X.parts_of(e, e.width)
        if isinstance(parts[0][0], int) and parts[0][0] == 0:
            parts = parts[1:]
        names: list[tuple[str, int]] = []
        for p, w in parts:
            if not isinstance(p, Expr):
                return ""
            leaf, low = (p.args[0], p.args[1]) if p.op == "extract" else (p, 0)
            if not isinstance(leaf, Expr) or leaf.op != "byte" or leaf not in self._view.names:
                return ""
            name, first = self._view.names[leaf]
            names.append((name, first + 8 - low - w if w < 8 else first))
        if not names or len({n for n, _ in names}) != 1:
            return ""
        from ..rss.fields import WIDTHS

        bits = sum(w for _, w in parts)
        start = min(b for _, b in names)
        name = names[0][0]
        if bits == WIDTHS.get(name):
            return name
        return f"{name}[{start}:{start + bits}]"

    def _byte(self, e: Expr) -> str:
        array, offset = str(e.args[0]), e.args[1]
        if array.startswith("vector_data_reset#"):
            return f"{self._object(array)}[...].byte{offset}"
        return f"{array}[{offset}]"

    def _symbol(self, name: str) -> str:
        base, _, number = name.partition("#")
        if number.isdigit() and int(number) < len(self._path.calls):
            answer = _ANSWERS.get(base, base)
            return f"{answer}({self._object(name)})"
        return name

    def _object(self, name: str) -> str:
        number = int(name.partition("#")[2])
        for t in self._path.calls[number].touches[:1]:
            o = self._report.execution.objects.get(t.object)
            if o is not None:
                return o.name
        return self._path.calls[number].function
