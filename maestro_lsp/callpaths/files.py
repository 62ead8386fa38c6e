"""One `.call_path` file of Vigor's KLEE as a value, and back to text.

Takes the text of a file and gives a `PathFile`: arrays, the query's constraints and values, and the calls with every argument, traced
pointer, field and result as an expression. Nothing is left over: what is not understood is an `InvalidCallPath` with its position.
`write` gives the text of a `PathFile` again; reading that gives an equal one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from .kquery import FALSE, Array, InvalidCallPath, Reader, Term, Writer

SECTIONS = (";;-- kQuery --", ";;-- Calls --", ";;-- Constraints --")
_HEADER = re.compile(r"^;;--[^\n]*", re.MULTILINE)
_RECORD = re.compile(r"(?:(\d+):)?([A-Za-z_]\w*)\(")
_EXTRA = re.compile(r"extra:\s*([A-Za-z_]\w*)\s*&\s*(\d+)\s*=\s*&\s*")
_NAME = re.compile(r"\s*([A-Za-z_][\w.\[\]]*?)\s*:")
_SYMBOL = re.compile(r"&([A-Za-z_][\w.]*)")
_UNTRACED = re.compile(r"\s*\(?\.\.\.\)?\s*")
_FIELD = re.compile(r"\[\s*([A-Za-z_]\w*?)\s*(?=\(|->|(?:true|false)(?:->|\]))")
_ARROW = re.compile(r"\s*->\s*")
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Field:
    """A traced field of the struct behind a pointer, before and after the call."""

    name: str
    before: Term | None
    after: Term | None
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument; for a traced pointer also what it points to, before and after the call."""

    name: str
    value: Term
    symbol: str | None = None  # of a function pointer
    opaque: bool = False  # a pointer whose contents are not traced: &[...]
    traced: bool = False
    before: Term | None = None
    after: Term | None = None
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Extra:
    """Memory that a call gave access to: `the_chunk` of a packet, `borrowed_cell` of a vector."""

    name: str
    address: int
    before: Term | None
    after: Term | None
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A call as the file has it."""

    line: int | None  # of the source file that the call is in, which is not named; older files have none
    function: str
    arguments: tuple[Argument, ...]
    result: Term | None
    extras: tuple[Extra, ...] = ()
    start: int = 0  # offsets in the file
    end: int = 0

    def argument(self, position: int) -> Argument | None:
        """The argument at a position, None when there are fewer."""
        return self.arguments[position] if position < len(self.arguments) else None


@dataclass(frozen=True)
class PathFile:
    """A whole file."""

    path: str
    arrays: Mapping[str, Array]
    constraints: tuple[Term, ...]
    values: tuple[Term, ...]
    calls: tuple[Record, ...]
    text: str = ""

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        return position(self.text, offset)


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


class FileReader:
    """Reads the files of one NF, remembering records that repeat from file to file."""

    def __init__(self) -> None:
        self.reader = Reader()
        self._records: dict[str, tuple[Record, frozenset[str]]] = {}
        self._expressions: dict[str, Term] = {}

    def read(self, path: str, text: str) -> PathFile:
        """Read the text of a file.

        Raises:
            InvalidCallPath: with the offset of what is wrong.
        """
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        marks = [(m.group().rstrip(), m.start(), m.end()) for m in _HEADER.finditer(text)]
        names = tuple(name for name, _, _ in marks)
        if names != SECTIONS or text[: marks[0][1]].strip():
            missing = next((s for s in SECTIONS if s not in names), None)
            at = len(text) if missing and names == SECTIONS[: len(names)] else (marks[0][1] if marks else 0)
            raise InvalidCallPath(
                f"the section {missing!r} is missing" if missing else "the sections are out of order", at
            )
        self.reader.start()
        constraints, values = self._query(text, marks[0][2], marks[1][1])
        calls = self._calls(text, marks[1][2], marks[2][1])
        again = self._constraints(text, marks[2][2], len(text))
        if again != constraints:
            at = next(
                (i for i, (a, b) in enumerate(zip(again, constraints, strict=False)) if a != b),
                min(len(again), len(constraints)),
            )
            raise InvalidCallPath(
                f"the constraints are not those of the query: number {at + 1} of {len(again)} differs ({len(constraints)} there)",
                marks[2][1],
            )
        listing = tuple(t for c in calls for t in listed(c))
        if listing != values:
            k = next(
                (i for i, (a, b) in enumerate(zip(listing, values, strict=False)) if a != b),
                min(len(listing), len(values)),
            )
            raise InvalidCallPath(
                f"the query's {len(values)} values are not those of the calls ({len(listing)}): number {k + 1} differs",
                marks[1][1],
            )
        return PathFile(path, dict(self.reader.arrays), constraints, values, calls, text)

    # ---------------------------------------------------------------------------------------------------------- sections

    def _query(self, text: str, at: int, end: int) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
        at = _skip(text, at)
        while text.startswith("array", at):
            at = self.reader.array(text, at)
        text = text[:end]
        at = _expect(text, at, "(query")
        constraints, at = self._list(text, at)
        goal, at = self.reader.expression(text, at)
        if goal != FALSE:
            raise InvalidCallPath("the query of a call path asks for false", at)
        values: tuple[Term, ...] = ()
        if text.startswith("[", _skip(text, at)):
            values, at = self._list(text, at)
        at = _expect(text, at, ")")
        if _skip(text, at) < end:
            raise InvalidCallPath("something follows the query", _skip(text, at))
        self.reader.labels = {}
        return constraints, values

    def _list(self, text: str, at: int) -> tuple[tuple[Term, ...], int]:
        at = _skip(text, _expect(text, at, "["))
        out: list[Term] = []
        while not text.startswith("]", at):
            term, at = self.reader.expression(text, at)
            out.append(term)
            at = _skip(text, at)
        return tuple(out), at + 1

    def _constraints(self, text: str, at: int, end: int) -> tuple[Term, ...]:
        out: list[Term] = []
        at = _skip(text, at)
        while at < end:
            nxt = text.find("\n(", at)
            nxt = end if nxt < 0 else nxt + 1
            piece = text[at:nxt]
            known = self._expressions.get(piece)
            if known is not None and self._declared(piece):
                out.append(known)
                at = nxt
                continue
            self.reader.labels = {}
            term, stop = self.reader.expression(text, at)
            stop = _skip(text, stop)
            if stop == nxt:
                self._expressions[piece] = term
            out.append(term)
            at = stop
        return tuple(out)

    def _declared(self, piece: str) -> bool:
        return all(name in self.reader.arrays for name in _ARRAYS_OF.findall(piece))

    def _calls(self, text: str, at: int, end: int) -> tuple[Record, ...]:
        out: list[Record] = []
        at = _skip(text, at)
        while at < end:
            m = _EXTRA.match(text, at, end)
            if m is not None:
                if not out:
                    raise InvalidCallPath("an extra: line without a call above it", at)
                extra, stop = self._extra(text, m)
                out[-1] = replace(out[-1], extras=(*out[-1].extras, extra), end=stop)
                at = _line_end(text, stop, end)
                continue
            newline = text.find("\n", at, end)
            line = text[at : newline if newline >= 0 else end]
            known = self._records.get(line)
            if known is not None and known[1] <= self.reader.arrays.keys():
                out.append(replace(known[0], start=at, end=at + len(line)))
                at = _skip(text, at + len(line))
                continue
            record, stop = self._record(text, at, end)
            if stop == at + len(line):
                self._records[line] = (record, frozenset(_ARRAYS_OF.findall(line)))
            out.append(record)
            at = _line_end(text, stop, end)
        return tuple(out)

    # ------------------------------------------------------------------------------------------------------------- calls

    def _record(self, text: str, start: int, end: int) -> tuple[Record, int]:
        m = _RECORD.match(text, start, end)
        if m is None:
            raise InvalidCallPath("a call: LINE:function(name:value,...) -> result", start)
        self.reader.labels = {}
        at = _skip(text, m.end())
        arguments: list[Argument] = []
        while not text.startswith(")", at):
            if arguments:
                at = _expect(text, at, ",")
            a, at = self._argument(text, at)
            arguments.append(a)
            at = _skip(text, at)
        at = _expect(text, at, ")")
        arrow = _ARROW.match(text, at, end)
        result: Term | None = None
        if arrow is None:
            raise InvalidCallPath(f"the result of {m[2]}: -> value, or -> [] when it gives none", at)
        at = arrow.end()
        if text.startswith("[]", at):
            at += 2
        else:
            result, at = self.reader.expression(text[:end], at)
        line = int(m[1]) if m[1] and len(m[1]) < 10 else None
        return Record(line, m[2], tuple(arguments), result, (), start, at), at

    def _argument(self, text: str, at: int) -> tuple[Argument, int]:
        m = _NAME.match(text, at)
        if m is None:
            raise InvalidCallPath("an argument: name:value", at)
        value, at = self.reader.expression(text, m.end())
        s = _SYMBOL.match(text, at)
        if s is not None:
            return Argument(m[1], value, symbol=s[1]), s.end()
        if not text.startswith("&[", at):
            return Argument(m[1], value), at
        stop = _untraced(text, at + 2)
        if stop is not None and text.startswith("]", stop):
            return Argument(m[1], value, opaque=True), stop + 1
        before, after, at = self._traced(text, at + 1)
        fields, at = self._fields(text, at)
        return Argument(m[1], value, None, False, True, before, after, fields), at

    def _extra(self, text: str, m: re.Match[str]) -> tuple[Extra, int]:
        self.reader.labels = {}
        before, after, at = self._traced(text, m.end())
        fields, at = self._fields(text, at)
        return Extra(m[1], int(m[2]) if len(m[2]) < 24 else 0, before, after, fields), at

    def _traced(self, text: str, at: int) -> tuple[Term | None, Term | None, int]:
        """`[IN->OUT]`, where either side may be empty or `(...)`."""
        before, after, at = self._sides(text, _expect(text, at, "["), "]")
        return before, after, _expect(text, at, "]")

    def _sides(self, text: str, at: int, close: str) -> tuple[Term | None, Term | None, int]:
        before, at = self._side(text, at, "->")
        at = _expect(text, at, "->")
        after, at = self._side(text, at, close)
        return before, after, at

    def _side(self, text: str, at: int, stop: str) -> tuple[Term | None, int]:
        at = _skip(text, at)
        if text.startswith(stop, at):
            return None, at
        skipped = _untraced(text, at)
        if skipped is not None:
            return None, skipped
        return self.reader.expression(text, at)

    def _fields(self, text: str, at: int) -> tuple[tuple[Field, ...], int]:
        """`[nameIN->OUT]` each; a nested struct's fields follow its own values."""
        out: list[Field] = []
        while text.startswith("[", at):
            m = _FIELD.match(text, at)
            if m is None:
                raise InvalidCallPath("a field: [name(before)->(after)]", at)
            before, after, at = self._sides(text, m.end(), "]")
            inner, at = self._fields(text, _skip(text, at))
            at = _expect(text, at, "]")
            out.append(Field(m[1], before, after, inner))
        return tuple(out), at


_ARRAYS_OF = re.compile(r"[ ]([A-Za-z_]\w*)\)")


def _skip(text: str, at: int) -> int:
    m = _SPACE.match(text, at)
    assert m is not None
    return m.end()


def _expect(text: str, at: int, what: str) -> int:
    at = _skip(text, at)
    if not text.startswith(what, at):
        here = "the file ends" if at >= len(text) else f"{text[at : at + 12]!r} stands"
        raise InvalidCallPath(f"{here} where {what!r} is expected", at)
    return at + len(what)


def _untraced(text: str, at: int) -> int | None:
    m = _UNTRACED.match(text, at)
    return m.end() if m is not None else None


def _line_end(text: str, at: int, end: int) -> int:
    """The start of the next record; nothing may be left over in a line."""
    stop = _skip(text, at)
    if stop < end and "\n" not in text[at:stop]:
        raise InvalidCallPath(f"{text[at : at + 16]!r} is left over behind the call", at)
    return stop


def listed(call: Record) -> Iterable[Term]:
    """The terms of a call that the query's value list holds, in its order."""
    for a in call.arguments:
        yield a.value
        if a.before is not None:
            yield a.before
        if a.after is not None:
            yield a.after
    for e in call.extras:
        if e.before is not None:
            yield e.before
        if e.after is not None:
            yield e.after
    if call.result is not None:
        yield call.result


# -------------------------------------------------------------------------------------------------------------- writing


def write(file: PathFile) -> str:
    """The text of a file. Reading it gives the same arrays, constraints, values and calls."""
    w = Writer()
    calls = "".join(_call_text(w, c) for c in file.calls)
    constraints = [w.term(*t) for t in file.constraints]
    values = [w.term(*t) for c in file.calls for t in listed(c)]
    sizes = {**w.arrays, **{a.name: a.size for a in file.arrays.values()}}
    arrays = "".join(_array_text(file.arrays.get(n) or Array(n, sizes[n])) for n in sorted(sizes))
    query = "\n         ".join(constraints)
    listing = "\n         ".join(values)
    body = "\n".join(constraints)
    return f"{SECTIONS[0]}\n{arrays}(query [{query}]\n        false [{listing}])\n{SECTIONS[1]}\n{calls}{SECTIONS[2]}\n{body}\n"


def _array_text(a: Array) -> str:
    contents = "symbolic" if a.contents is None else f"[{' '.join(map(str, a.contents))}]"
    return f"array {a.name}[{a.size}] : w32 -> w8 = {contents}\n"


def _call_text(w: Writer, c: Record) -> str:
    line = "" if c.line is None else f"{c.line}:"
    arguments = ",".join(_argument_text(w, a) for a in c.arguments)
    result = "[]" if c.result is None else w.term(*c.result)
    extras = "".join(
        f"extra: {e.name}&{e.address} = &[{_side_text(w, e.before) or '(...)'} -> {_side_text(w, e.after) or '(...)'}]"
        f"{_fields_text(w, e.fields)}\n"
        for e in c.extras
    )
    return f"{line}{c.function}({arguments}) -> {result}\n{extras}"


def _argument_text(w: Writer, a: Argument) -> str:
    text = f"{a.name}:{w.term(*a.value)}"
    if a.symbol is not None:
        return f"{text}&{a.symbol}"
    if a.opaque:
        return f"{text}&[...]"
    if not a.traced:
        return text
    return f"{text}&[{_side_text(w, a.before)}->{_side_text(w, a.after)}]{_fields_text(w, a.fields)}"


def _side_text(w: Writer, t: Term | None) -> str:
    return "" if t is None else w.term(*t)


def _fields_text(w: Writer, fields: tuple[Field, ...]) -> str:
    return "".join(
        f"[{f.name}{_side_text(w, f.before)}->{_side_text(w, f.after)}{_fields_text(w, f.fields)}]" for f in fields
    )
