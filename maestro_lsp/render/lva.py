"""Accesses to state as the thesis's tool lists them: "libVig accesses" (LVAs), listing 3.2, with the fields of table 3.1.

Of call path files when the report rests on them: file names, addresses and expressions are then the files' own, as people who know
Maestro expect. Else of the source: places and names of the source, expressions as KQuery over the packet's true offsets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..callpaths.files import Extra
from ..callpaths.kquery import Term, Writer
from ..callpaths.load import Recorded
from ..check import Report
from ..sharding.access import Access
from ..symbex import expr as X
from ..symbex.expr import Expr
from ..symbex.path import CallPath
from .json_ import Places, relative

LABEL = 13  # columns of a field's name


def lva(r: Report) -> str:
    """The whole report."""
    blocks = [a.lines() for a in _listed(r)]
    return "\n".join(f"{'=' * 5}\nAccess {n}\n" + "\n".join(lines) + f"\n{'=' * 5}" for n, lines in enumerate(blocks))


def as_data(r: Report) -> list[dict[str, Any]]:
    """The same as data."""
    return [a.data() for a in _listed(r)]


def _listed(r: Report) -> Sequence[_Lines]:
    c = r.comparison
    if r.source == "call-paths" and c is not None:
        return [_FileAccess(r, a, c.recorded) for a in (c.analysis or r.analysis).accesses]
    places = Places(r)
    return [_SourceAccess(r, a, places) for a in r.analysis.accesses]


class _Lines:
    """One access."""

    def __init__(self, r: Report, a: Access) -> None:
        self.report = r
        self.access = a
        self.path: CallPath = a.path
        self.writer = Writer()

    def lines(self) -> list[str]:
        a = self.access
        fields = [("file", self.file()), ("src device", str(self.path.device)), ("dst device", self.destination()),
                  ("interface", a.interface), ("operation", "WRITE" if a.write else "READ"), ("object", self.object()),
                  ("read", self.read())]  # fmt: skip
        out = [line for name, text in fields for line in _field(name, text)]
        for layer, protocol, leaves in self.layers():
            out.append("")
            out += _field("layer", str(layer))
            out += _field("protocol", str(protocol))
            out += _field("fragments", "\n".join(self.fragments(leaves)))
            out += _field("dependencies", "\n".join(str(at) for at in sorted((n for _, n in leaves), reverse=True)))
        effects = [("write", self.written()), ("result", self.result()), ("success", self.success())]
        if any(text for _, text in effects):
            out.append("")
        return out + [line for name, text in effects if text for line in _field(name, text)]

    def data(self) -> dict[str, Any]:
        """The fields; expressions as text, empty where there is none."""
        found = self.access.touch.found if self.access.touch is not None else None
        return {
            "path": self.path.number,
            "file": self.file(),
            "src_device": self.path.device,
            "dst_device": self.destination(),
            "interface": self.access.interface,
            "operation": "write" if self.access.write else "read",
            "object": self.object(),
            "read": self.read(),
            "write": self.written(),
            "result": self.result(),
            "success": found,
            "dependencies": [
                {"layer": layer, "protocol": protocol, "bytes": sorted(n for _, n in leaves)}
                for layer, protocol, leaves in self.layers()
            ],
        }

    def layers(self) -> Iterator[tuple[int, int, list[tuple[Expr, int]]]]:
        """The packet bytes of the key by layer and protocol; every protocol that the path admits, as the thesis lists them, which does
        not know fragments."""
        found: dict[tuple[int, int], dict[Expr, int]] = {}
        whole = [v for v in self.access.views if not v.packet_class.endswith("-frag")]
        for view in whole or self.access.views:
            for leaf in self.access.leaves():
                place = self.access.layer(leaf, view)
                if place is not None:
                    found.setdefault(place[:2], {})[leaf] = place[2]
        known = {layer for layer, protocol in found if protocol}
        for (layer, protocol), leaves in sorted(found.items(), key=lambda item: (item[0][0], -item[0][1])):
            if protocol or layer not in known:
                yield layer, protocol, list(leaves.items())

    def chunks_of(self, leaves: Sequence[tuple[Expr, int]]) -> list[int]:
        """The numbers of the borrowed chunks that hold the bytes."""
        out = set()
        for leaf, _ in leaves:
            array, offset = leaf.args
            inside = [n for n, c in enumerate(self.path.chunks) if c.array == array and c.offset <= offset]
            out |= {max(inside, key=lambda n: self.path.chunks[n].offset)} if inside else set()
        return sorted(out)

    def destination(self) -> str:
        out = self.path.output
        if self.path.outcome != "forward" or out is None:
            return self.path.outcome
        return str(out) if isinstance(out, int) else self.term(Term(out, out.width))

    def term(self, t: Term | None) -> str:
        return self.writer.term(*t) if t is not None else ""

    def success(self) -> str:
        found = self.access.touch.found if self.access.touch is not None else None
        return "" if found is None else str(int(found))

    def file(self) -> str:
        raise NotImplementedError

    def object(self) -> str:
        raise NotImplementedError

    def read(self) -> str:
        raise NotImplementedError

    def written(self) -> str:
        raise NotImplementedError

    def result(self) -> str:
        raise NotImplementedError

    def fragments(self, leaves: Sequence[tuple[Expr, int]]) -> list[str]:
        raise NotImplementedError


class _SourceAccess(_Lines):
    """An access of the source."""

    def __init__(self, r: Report, a: Access, places: Places) -> None:
        super().__init__(r, a)
        self.places = places

    def file(self) -> str:
        return f"{relative(self.access.span.file)}:{self.places.line(self.access.span)}"

    def object(self) -> str:
        return self.access.object.name

    def read(self) -> str:
        a = self.access
        if a.key is None:
            return "everything"
        raw = next((raw for _, raw in a.call.keys), ()) if a.call is not None and not a.index else ()
        if raw:
            return self.term(Term(X.from_bytes(tuple(raw)), 8 * len(raw)))
        parts = [(p.value, p.width) for p in a.key]
        return self.term(Term(X.concat(parts), sum(w for _, w in parts)))

    def written(self) -> str:
        t = self.access.touch
        if t is None or not self.access.write:
            return ""
        if t.stored:
            return "\n".join(f"[{at}] {self.term(Term(v, 8))}" for at, v in t.stored)
        return self._value() if t.role != "erase" else ""

    def result(self) -> str:
        return "" if self.access.write else self._value()

    def _value(self) -> str:
        v = self.access.touch.value if self.access.touch is not None else None
        return "" if v is None else self.term(Term(v, v.width if isinstance(v, Expr) else 32))

    def fragments(self, leaves: Sequence[tuple[Expr, int]]) -> list[str]:
        out = []
        for n in self.chunks_of(leaves):
            c = self.path.chunks[n]
            size = c.length if isinstance(c.length, int) else 1
            data = X.from_bytes(tuple(X.byte(c.array, c.offset + i) for i in range(size)))
            out.append(f"offset {c.offset} expression {self.term(Term(data, 8 * size))}")
        return out


class _FileAccess(_Lines):
    """An access of a call path file."""

    def __init__(self, r: Report, a: Access, recorded: Recorded) -> None:
        super().__init__(r, a)
        self.recorded = recorded
        assert a.call is not None  # files record no plain state
        self.record, spec = recorded.records[a.path.number][a.call.number]
        self.roles = spec.roles

    def file(self) -> str:
        return Path(self.recorded.path_files[self.path.number].path).name

    def object(self) -> str:
        chosen = [
            self.record.arguments[i].value
            for role, i in self.roles.items()
            if role in ("object", "vector", "map", "also_reads")
        ]
        touches = self.access.call.touches if self.access.call is not None else ()
        mine = [t.value for t, touch in zip(chosen, touches, strict=False) if touch.object == self.access.object.id]
        return str(mine[0] if mine else self.access.object.name)

    def read(self) -> str:
        if self.access.key is None:
            return "everything"
        for role in ("index",) if self.access.index else ("key", "index"):
            if role in self.roles:
                a = self.record.arguments[self.roles[role]]
                return self.term(a.value if role == "index" else a.before)
        return self._out()

    def written(self) -> str:
        if not self.access.write:
            return ""
        if "value" in self.roles:
            return self.term(self.record.arguments[self.roles["value"]].value)
        if self.access.role == "return":
            return self.term(self.record.arguments[-1].before)
        if "time" in self.roles:
            return self._out() or self.term(self.record.arguments[self.roles["time"]].value)
        return ""

    def result(self) -> str:
        found = self.access.touch is None or self.access.touch.found is not False
        return self._out() if not self.access.write and found else ""

    def _out(self) -> str:
        if "out" not in self.roles or self.access.role == "borrow":
            return self.term(next((e.after for e in self.record.extras), None)) if self.access.role == "borrow" else ""
        return self.term(self.record.arguments[self.roles["out"]].after)

    def fragments(self, leaves: Sequence[tuple[Expr, int]]) -> list[str]:
        calls = self.recorded.path_files[self.path.number].calls
        chunks: list[Extra] = [e for c in calls for e in c.extras if e.name == "the_chunk" and e.after is not None]
        out = []
        for n in self.chunks_of(leaves):
            after = chunks[n].after if n < len(chunks) else None
            if after is not None:
                offset = min((leaf.args[1] for leaf in X.leaves(after.value)), default=0)
                out.append(f"offset {offset} expression {self.term(after)}")
        return out


def _field(name: str, text: str) -> list[str]:
    """A field's lines; further ones stand below the first."""
    first, *rest = text.split("\n")
    return [f"  {name:<{LABEL}}{first}".rstrip(), *(f"  {'':<{LABEL}}{line}" for line in rest)]
