"""KQuery, KLEE's expression language: reading it into the project's expressions and writing them again.

Takes text and gives `Term`s (a value and its width in bits). The language is KLEE's (klee.github.io/docs/kquery), in both the form
with a type for every operator and the shorter ones that KLEE prints: `(Extract 0 E)`, `(Eq false E)`, bare numbers beside a typed
operand. `N1:` labels expressions and `U1:` update lists; a label may be bound again, as each expression printed in full starts anew.

Expressions nest at most `MAX_DEPTH` levels and are at most `MAX_WIDTH` bits wide: no text can make the reader run out of stack or
memory. Reading is one loop with an explicit stack; constants and reads at constant offsets, which are most of a file, are one token
each and remembered by their text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..symbex import expr as X
from ..symbex.expr import Expr

MAX_DEPTH = 200  # levels of operators; walks over expressions recurse, at most twice a level
MAX_WIDTH = 1 << 16  # bits
MAX_ARRAY = 1 << 24  # bytes


class InvalidCallPath(ValueError):
    """Text that is no call path: what is wrong and where (`offset` counts characters from 0)."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class Term(NamedTuple):
    """A value with its width in bits."""

    value: int | Expr
    width: int


@dataclass(frozen=True, slots=True)
class Array:
    """A declared array of bytes: symbolic unless it has contents."""

    name: str
    size: int  # bytes
    contents: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Updates:
    """An array after writes, the latest first."""

    array: Array
    writes: tuple[tuple[Term, Term], ...]


TRUE, FALSE = Term(1, 1), Term(0, 1)

_TOKEN = re.compile(
    r"""\s*(?:
    (\(w\d+\s+\d+\))                                             # 1 constant
  | (\(Read(?:LSB|MSB)?\s+w\d+\s+\(w32\s+\d+\)\s+[A-Za-z_]\w*\)) # 2 read at a constant offset
  | \(\s*([A-Za-z]\w*)                                           # 3 operator
  | (\))                                                         # 4
  | ([NU]\d+):                                                   # 5 label
  | (-?\d\w*)                                                    # 6 number
  | ([A-Za-z_][\w.]*)                                            # 7 word
  | (\[|\]|,|=|@)                                                # 8
    )""",
    re.VERBOSE,
)
_CONSTANT = re.compile(r"\(w(\d+)\s+(\d+)\)")
_READ = re.compile(r"\((Read|ReadLSB|ReadMSB)\s+w(\d+)\s+\(w32\s+(\d+)\)\s+(\w+)\)")
_ARRAY = re.compile(r"array\s+([A-Za-z_]\w*)\s*\[(\d*)\]\s*:\s*w(\d+)\s*->\s*w(\d+)\s*=\s*(symbolic|\[[^\]]*\])\s*")
_TYPE = re.compile(r"w(\d+)$")
_SPACE = re.compile(r"\s*")

_BINARY: dict[str, Callable[[Any, Any, int], int | Expr]] = {
    "Add": X.add, "Sub": X.sub, "Mul": X.mul, "UDiv": X.udiv, "SDiv": X.sdiv, "URem": X.urem, "SRem": X.srem,
    "And": X.and_, "Or": X.or_, "Xor": X.xor, "Shl": X.shl, "LShr": X.lshr, "AShr": X.ashr,
}  # fmt: skip
_COMPARE: dict[str, Callable[[Any, Any, int], int | Expr]] = {
    "Eq": X.eq, "Ne": lambda a, b, w: X.not_(X.eq(a, b, w), 1),
    "Ult": X.ult, "Ule": X.ule, "Ugt": lambda a, b, w: X.ult(b, a, w), "Uge": lambda a, b, w: X.ule(b, a, w),
    "Slt": X.slt, "Sle": X.sle, "Sgt": lambda a, b, w: X.slt(b, a, w), "Sge": lambda a, b, w: X.sle(b, a, w),
}  # fmt: skip
_OPERATORS = frozenset(
    {*_BINARY, *_COMPARE, "Concat", "Extract", "ZExt", "SExt", "Select", "Not", "Neg", "Read", "ReadLSB", "ReadMSB"}
)


class Reader:
    """Reads expressions of one set of files. It remembers what it has read, so use one for all files of an NF, and none of it
    after `expr.forget`."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self.labels: dict[str, Term | _Updates] = {}
        self._constants: dict[str, Term] = {}
        self._reads: dict[str, tuple[Term, str, int]] = {}

    def start(self) -> None:
        """Forget arrays and labels: a new file."""
        self.arrays = {}
        self.labels = {}

    def array(self, text: str, at: int) -> int:
        """Read one `array` declaration; the offset behind it.

        Raises:
            InvalidCallPath: for anything else.
        """
        m = _ARRAY.match(text, at)
        if m is None:
            raise InvalidCallPath("an array declaration: array NAME[SIZE] : w32 -> w8 = symbolic", at)
        name, size, domain, element, contents = m.groups()
        if int(domain) > 64 or element != "8":
            raise InvalidCallPath(f"array {name} is not one of bytes (w32 -> w8)", at)
        values: tuple[int, ...] | None = None
        if contents != "symbolic":
            try:
                values = tuple(int(v, 0) & 0xFF for v in contents[1:-1].replace(",", " ").split())
            except ValueError:
                raise InvalidCallPath(f"the contents of array {name} are numbers", m.start(5)) from None
        count = int(size) if size and len(size) < 10 else len(values or ())
        if not 0 < count <= MAX_ARRAY or (values is not None and len(values) != count):
            raise InvalidCallPath(f"array {name} has an impossible size", at)
        self.arrays[name] = Array(name, count, values)
        return m.end()

    def expression(self, text: str, at: int) -> tuple[Term, int]:
        """The expression at an offset, and the offset behind it.

        Raises:
            InvalidCallPath: if there is none.
        """
        match = _TOKEN.match
        stack: list[tuple[str, list[Any], int, list[str]]] = []
        labels: list[str] = []
        while True:
            m = match(text, at)
            if m is None:
                at = _skip(text, at)
                what = (
                    "the file ends inside an expression"
                    if at >= len(text)
                    else f"no expression can have {text[at : at + 12]!r} here"
                )
                raise InvalidCallPath(what, at)
            kind = m.lastindex
            at = m.end()
            value: Any
            if kind == 1:
                value = self._constants.get(m[1]) or self._constant(m[1], m.start(1))
            elif kind == 2:
                value = self._read(m[2], m.start(2))
            elif kind == 3:
                if m[3] not in _OPERATORS:
                    if _TYPE.match(m[3]):
                        raise InvalidCallPath("a constant is (wN VALUE)", m.start(3))
                    raise InvalidCallPath(f"{m[3]} is no operator of KQuery", m.start(3))
                if len(stack) >= MAX_DEPTH:
                    raise InvalidCallPath(f"expressions nest deeper than {MAX_DEPTH} levels", m.start(3))
                stack.append((m[3], [], m.start(3), labels))
                labels = []
                continue
            elif kind == 4:
                if not stack:
                    raise InvalidCallPath("a ) that closes nothing", m.start(4))
                op, operands, where, labels = stack.pop()
                value = self._apply(op, operands, where)
            elif kind == 5:
                labels.append(m[5])
                if m[5][0] == "U" and stack:
                    updates, at = self._updates(text, at, len(stack))
                    self.labels[labels.pop()] = updates
                    stack[-1][1].append(updates)
                continue
            elif kind == 6:
                value = _number(m[6], m.start(6))
            elif kind == 7:
                value = self._word(m[7], m.start(7))
            elif m[8] == "[" and stack:
                value, at = self._updates(text, m.start(8), len(stack))
            else:
                raise InvalidCallPath(f"no expression can have {m[8]!r} here", m.start(8))
            if labels:
                if not isinstance(value, Term):
                    raise InvalidCallPath("a label N: stands before an expression", at)
                for name in labels:
                    self.labels[name] = value
                labels = []
            if stack:
                stack[-1][1].append(value)
            elif isinstance(value, Term):
                return value, at
            else:
                raise InvalidCallPath("an expression, not an array, type or bare number", m.start())

    # ------------------------------------------------------------------------------------------------------------ leaves

    def _constant(self, text: str, at: int) -> Term:
        m = _CONSTANT.match(text)
        assert m is not None
        width = _width(m[1], at)
        if len(m[2]) > width // 3 + 2:
            raise InvalidCallPath(f"{m[2][:24]} does not fit in {width} bits", at)
        value = int(m[2])
        if value >> width:
            raise InvalidCallPath(f"{value} does not fit in {width} bits", at)
        term = self._constants[text] = Term(value, width)
        return term

    def _read(self, text: str, at: int) -> Term:
        got = self._reads.get(text)
        if got is not None:
            term, name, end = got
            array = self.arrays.get(name)
            if array is not None and array.contents is None and end <= array.size:
                return term
        m = _READ.match(text)
        assert m is not None
        op, w, offset, name = m.groups()
        index = Term(int(offset) if len(offset) < 12 else MAX_ARRAY, 32)
        source = self._word(name, at)
        if not isinstance(source, (Array, _Updates)):
            raise InvalidCallPath(f"{name} is no array", at)
        term = _read(op, _width(w, at), index, source, at)
        if isinstance(source, Array) and source.contents is None:
            self._reads[text] = (term, name, int(offset) + term.width // 8)
        return term

    def _word(self, word: str, at: int) -> Term | Array | _Updates | str:
        if word == "false":
            return FALSE
        if word == "true":
            return TRUE
        found = self.labels.get(word) or self.arrays.get(word)
        if found is not None:
            return found
        if _TYPE.match(word):
            return word
        raise InvalidCallPath(f"{word} is neither declared as an array nor bound by a label", at)

    def _updates(self, text: str, at: int, depth: int) -> tuple[_Updates, int]:
        """`[1=(w8 2), 3=(w8 4)] @ array`."""
        at = _skip(text, at)
        if not text.startswith("[", at):
            raise InvalidCallPath("an update list is [INDEX=VALUE, ...] @ ARRAY", at)
        if depth >= MAX_DEPTH:
            raise InvalidCallPath(f"expressions nest deeper than {MAX_DEPTH} levels", at)
        at = _skip(text, at + 1)
        writes: list[tuple[Term, Term]] = []
        while not text.startswith("]", at):
            index, at = self._operand(text, at, 32)
            at = _skip(text, at)
            if not text.startswith("=", at):
                raise InvalidCallPath("an update is INDEX=VALUE", at)
            value, at = self._operand(text, at + 1, 8)
            if value.width != 8:
                raise InvalidCallPath("an update stores a byte", at)
            writes.append((index, value))
            at = _skip(text, at)
            if text.startswith(",", at):
                at = _skip(text, at + 1)
        at = _skip(text, at + 1)
        if not text.startswith("@", at):
            raise InvalidCallPath("an update list is [INDEX=VALUE, ...] @ ARRAY", at)
        m = _TOKEN.match(text, at + 1)
        base = self._word(m[7], m.start(7)) if m is not None and m.lastindex == 7 else None
        if m is None or not isinstance(base, (Array, _Updates)):
            raise InvalidCallPath("an update list is [INDEX=VALUE, ...] @ ARRAY", at)
        older = base.writes if isinstance(base, _Updates) else ()
        array = base.array if isinstance(base, _Updates) else base
        return _Updates(array, (*writes, *older)), m.end()

    def _operand(self, text: str, at: int, width: int) -> tuple[Term, int]:
        m = _TOKEN.match(text, at)
        if m is not None and m.lastindex == 6:
            return _sized(_number(m[6], m.start(6)), width, at), m.end()
        return self.expression(text, at)

    # --------------------------------------------------------------------------------------------------------- operators

    def _apply(self, op: str, operands: list[Any], at: int) -> Term:
        width: int | None = None
        if operands and isinstance(operands[0], str):
            width = _width(operands.pop(0)[1:], at)
        if op in ("Read", "ReadLSB", "ReadMSB"):
            if len(operands) != 2 or not isinstance(operands[1], (Array, _Updates)):
                raise InvalidCallPath(f"{op} is ({op} wN INDEX ARRAY)", at)
            return _read(op, width or 8, _sized(operands[0], 32, at), operands[1], at)
        if any(not isinstance(x, (Term, int)) for x in operands):
            raise InvalidCallPath(f"an operand of {op} is no expression", at)
        if op == "Extract":
            return _extract(width or 1, operands, at)
        if op in ("ZExt", "SExt"):
            if len(operands) != 1 or width is None or not isinstance(operands[0], Term):
                raise InvalidCallPath(f"{op} is ({op} wN EXPR)", at)
            v, w = operands[0]
            return Term((X.zext if op == "ZExt" else X.sext)(v, w, width), width)
        if op == "Concat":
            if not operands or any(isinstance(x, int) for x in operands):
                raise InvalidCallPath("Concat joins expressions whose widths are known", at)
            total = sum(x.width for x in operands)
            if total > MAX_WIDTH or (width is not None and width != total):
                raise InvalidCallPath(f"Concat gives {total} bits, not {width}", at)
            return Term(X.concat(operands), total)
        if op in ("Not", "Neg"):
            (x,) = _same_width(op, operands, 1, width, at)
            return Term(X.not_(x.value, x.width) if op == "Not" else X.neg(x.value, x.width), x.width)
        if op == "Select":
            if len(operands) != 3 or not isinstance(operands[0], Term) or operands[0].width != 1:
                raise InvalidCallPath("Select is (Select wN CONDITION EXPR EXPR)", at)
            a, b = _same_width(op, operands[1:], 2, width, at)
            return Term(X.ite(operands[0].value, a.value, b.value, a.width), a.width)
        if op in _COMPARE:
            a, b = _same_width(op, operands, 2, None if width == 1 else width, at)
            return Term(_COMPARE[op](a.value, b.value, a.width), 1)
        a, b = _same_width(op, operands, 2, width, at)
        return Term(_BINARY[op](a.value, b.value, a.width), a.width)


def _skip(text: str, at: int) -> int:
    m = _SPACE.match(text, at)
    assert m is not None
    return m.end()


def _width(digits: str, at: int) -> int:
    width = int(digits) if len(digits) < 8 else MAX_WIDTH + 1
    if not 0 < width <= MAX_WIDTH:
        raise InvalidCallPath(f"a width is 1 to {MAX_WIDTH} bits", at)
    return width


def _number(text: str, at: int) -> int:
    if len(text) > 1024:
        raise InvalidCallPath("a number of more than 1024 digits", at)
    try:
        return (
            int(text, 0)
            if text.lstrip("-")[:1] == "0" and len(text) > 1 and not text.lstrip("-").isdigit()
            else int(text)
        )
    except ValueError:
        raise InvalidCallPath(f"{text[:24]} is no number", at) from None


def _sized(x: Any, width: int, at: int) -> Term:
    """An operand, a bare number in the width given."""
    if isinstance(x, Term):
        return x
    if not isinstance(x, int) or not -(1 << width) < x < 1 << width:
        raise InvalidCallPath(f"an expression of {width} bits", at)
    return Term(x & ((1 << width) - 1), width)


def _same_width(op: str, operands: Sequence[Any], count: int, width: int | None, at: int) -> list[Term]:
    if len(operands) != count:
        raise InvalidCallPath(f"{op} has {count} operands, not {len(operands)}", at)
    known = width or next((x.width for x in operands if isinstance(x, Term)), None)
    if known is None:
        raise InvalidCallPath(f"the width of the operands of {op} is not known", at)
    terms = [_sized(x, known, at) for x in operands]
    if any(t.width != known for t in terms):
        widths = " and ".join(str(t.width) for t in terms)
        raise InvalidCallPath(f"the operands of {op} have {widths} bits{f', not {width}' if width else ''}", at)
    return terms


def _extract(width: int, operands: Sequence[Any], at: int) -> Term:
    if (
        len(operands) != 2
        or not isinstance(operands[0], int)
        or isinstance(operands[0], Term)
        or not isinstance(operands[1], Term)
    ):
        raise InvalidCallPath("Extract is (Extract wN OFFSET EXPR)", at)
    low, (v, w) = operands
    if low < 0 or low + width > w:
        raise InvalidCallPath(f"bits {low} to {low + width - 1} of an expression of {w} bits", at)
    return Term(X.extract(v, low, width), width)


def _read(op: str, width: int, index: Term, source: Array | _Updates, at: int) -> Term:
    """`width` bits from an index; LSB: the byte at the index is the least significant."""
    if width % 8 or (op == "Read" and width != 8):
        raise InvalidCallPath(f"{op} of {width} bits from an array of bytes", at)
    count = width // 8
    cells = [_cell(source, Term(X.add(index.value, i, index.width), index.width), at) for i in range(count)]
    if op == "ReadMSB":
        cells.reverse()
    return Term(X.from_bytes(tuple(cells)), width)


def _cell(source: Array | _Updates, index: Term, at: int) -> int | Expr:
    if isinstance(source, _Updates):
        value = _cell(source.array, index, at)
        for where, stored in reversed(source.writes):
            place = X.zext(where.value, where.width, index.width)
            value = X.ite(X.eq(index.value, place, index.width), stored.value, value, 8)
        return value
    i = index.value
    if isinstance(i, int):
        if i >= source.size:
            raise InvalidCallPath(f"byte {i} of {source.name}, which has {source.size}", at)
        return source.contents[i] if source.contents is not None else X.byte(source.name, i)
    if source.contents is not None:
        value = 0
        for k, v in enumerate(source.contents[:4096]):
            value = X.ite(X.eq(i, k, index.width), v, value, 8)
        return value
    return X.uf(f"{SYMBOLIC_READ}{source.name}", 8, i)


SYMBOLIC_READ = "read "  # uninterpreted functions of this prefix are arrays read at symbolic offsets


# -------------------------------------------------------------------------------------------------------------- writing


class Writer:
    """Writes expressions as KQuery. `arrays` collects the arrays that they read, with their sizes in bytes."""

    def __init__(self) -> None:
        self.arrays: dict[str, int] = {}
        self._memo: dict[tuple[Expr, int], str] = {}
        self._labels: dict[Expr, str] = {}
        self._unnamed: dict[Expr, str] = {}

    def term(self, value: int | Expr, width: int) -> str:
        """An expression in full."""
        if isinstance(value, int):
            return ("true" if value else "false") if width == 1 else f"(w{width} {value})"
        got = self._memo.get((value, width))
        if got is None:
            got = self._memo[value, width] = self._write(value)
        return got

    def _array(self, name: str, size: int) -> str:
        clean = re.sub(r"\W+", "_", name)
        if not clean or clean[0].isdigit():
            clean = "_" + clean
        self.arrays[clean] = max(self.arrays.get(clean, 0), size)
        return clean

    def _symbol(self, name: str, width: int) -> str:
        size = -(-width // 8)
        read = f"({'Read' if size == 1 else 'ReadLSB'} w{8 * size} (w32 0) {self._array(name, size)})"
        if width == 8 * size:
            return read
        return f"(Extract 0 {read})" if width == 1 else f"(Extract w{width} 0 {read})"

    def _write(self, e: Expr) -> str:
        op, w, a = e.op, e.width, e.args
        if op == "sym":
            return self._symbol(a[0], w)
        if op == "byte":
            return f"(Read w8 (w32 {a[1]}) {self._array(a[0], a[1] + 1)})"
        if op == "uf":
            if a[0].startswith(SYMBOLIC_READ):
                return f"(Read w8 {self.term(a[1], 32)} {self._array(a[0].removeprefix(SYMBOLIC_READ), 1)})"
            return self._symbol(self._unnamed.setdefault(e, f"{a[0]}_{len(self._unnamed)}"), w)
        if op == "concat":
            return self._concat(list(zip(a[0], a[1], strict=True)))
        if op == "extract":
            inner = self.term(a[0], a[0].width)
            return f"(Extract {a[1]} {inner})" if w == 1 else f"(Extract w{w} {a[1]} {inner})"
        if op == "sext":
            return f"(SExt w{w} {self.term(a[0], a[0].width)})"
        if op == "not":
            return f"(Eq false {self.term(a[0], 1)})" if w == 1 else f"(Not w{w} {self.term(a[0], w)})"
        if op == "ite":
            return f"(Select w{w} {self.term(a[0], 1)} {self.term(a[1], w)} {self.term(a[2], w)})"
        if op in _WRITTEN_COMPARE:
            n = next(x.width for x in a if isinstance(x, Expr))
            x, y = self.term(a[0], n), self.term(a[1], n)
            if op == "eq" and isinstance(a[1], int):
                x, y = y, x  # KLEE writes constants first
            return f"({_WRITTEN_COMPARE[op]} {x} {y})"
        return f"({_WRITTEN_BINARY[op]} w{w} {self.term(a[0], w)} {self.term(a[1], w)})"

    def _concat(self, parts: list[tuple[int | Expr, int]]) -> str:
        total = sum(w for _, w in parts)
        run = _descending(parts)
        if run is not None:
            name, low = run
            return f"(ReadLSB w{total} (w32 {low}) {self._array(name, low + total // 8)})"
        (first, w), rest = parts[0], parts[1:]
        if first == 0 and isinstance(first, int):
            inner = self._concat(rest) if len(rest) > 1 else self.term(*rest[0])
            return f"(ZExt w{total} {inner})"
        tail = ""
        todo = [(first, w), *rest]
        left = 0
        # from the right, so that a long run of bytes at the end is one read, as KLEE prints it
        k = len(todo) - 1
        while k > 0 and _descending(todo[k - 1 :]) is not None:
            k -= 1
        last = todo[k:]
        tail = self._concat(last) if len(last) > 1 else self.term(*last[0])
        left = sum(n for _, n in last)
        for v, n in reversed(todo[:k]):
            left += n
            tail = f"(Concat w{left} {self.term(v, n)} {tail})"
        return tail


def _descending(parts: Sequence[tuple[int | Expr, int]]) -> tuple[str, int] | None:
    """(array, lowest offset) of parts that are consecutive bytes of one array, the highest first."""
    first = parts[0][0]
    if len(parts) < 2 or isinstance(first, int) or first.op != "byte":
        return None
    name, top = first.args
    for k, (v, _) in enumerate(parts):
        if isinstance(v, int) or v.op != "byte" or v.args[0] != name or v.args[1] != top - k:
            return None
    return name, top - len(parts) + 1


_WRITTEN_COMPARE: Mapping[str, str] = {"eq": "Eq", "ult": "Ult", "ule": "Ule", "slt": "Slt", "sle": "Sle"}
_WRITTEN_BINARY: Mapping[str, str] = {
    "add": "Add", "mul": "Mul", "udiv": "UDiv", "sdiv": "SDiv", "urem": "URem", "srem": "SRem", "and": "And", "or": "Or",
    "xor": "Xor", "shl": "Shl", "lshr": "LShr", "ashr": "AShr",
}  # fmt: skip
