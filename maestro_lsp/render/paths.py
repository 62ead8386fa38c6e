"""Call paths as text, JSON and a tree for Graphviz."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..callpaths import files
from ..callpaths.export import export
from ..check import Report
from ..libvig.catalogue import Catalogue
from ..recorded import Comparison, differences
from ..symbex.engine import Engine
from ..symbex.path import Call, CallPath, Object
from .expressions import Printer
from .json_ import Places, call_paths, relative
from .lva import as_data

OTHER_KINDS = {"no-packet": "no packet arrives", "start-failed": "start-up fails, or nothing is received"}


def text(r: Report) -> str:
    """Every path: conditions with their lines, calls with arguments and answers, what leaves; then how call path files compare."""
    out = []
    places = Places(r)
    for p in r.paths:
        show = Printer(r, p)
        out.append(f"path {p.number}: device {p.device}, {outcome(p, show)}")
        for c in p.conditions:
            word = "assumes" if c.assumed else "if"
            out.append(f"  {word} {show(c.expr)}    ({relative(c.span.file)}:{places.line(c.span)})")
        out += [f"  {call_text(r, c, show)}    ({relative(c.span.file)}:{places.line(c.span)})" for c in p.calls]
        out += [f"  writes {name} = {value}" for name, value in show.writes(p.writes)]
    if r.comparison is not None:
        out += ["", *comparison_text(r, r.comparison)]
    return "\n".join(out)


def comparison_text(r: Report, c: Comparison) -> Iterator[str]:
    """Which of our paths each file is, and what only one side has."""
    yield f"call paths: {c.summary}"
    for rejected in c.recorded.rejected:
        yield f"  {relative(rejected.path)}:{rejected.line}:{rejected.column}: {rejected.message}"
    numbers = {f.path: n for n, f in enumerate(c.recorded.path_files)}
    for f in c.recorded.files:
        name, kind = Path(f.path).name, c.recorded.kinds.get(f.path, "")
        partners = (
            c.alignment.partners.get(numbers[f.path], ()) if c.alignment is not None and f.path in numbers else ()
        )
        if kind != "packet":
            yield f"  {name}: {OTHER_KINDS.get(kind, kind)}"
        elif partners:
            yield f"  {name}: path{'s' if len(partners) > 1 else ''} {', '.join(map(str, partners))}{_of(c)}"
    for d in differences(c):
        yield f"  {d.subject}: {d.text}"
    if c.alignment is not None:
        for p in c.alignment.excluded:
            yield f"  path {p.number}{_of(c)}: only without what KLEE's models promise"


def _of(c: Comparison) -> str:
    return " of the source with any contents of what no packet writes" if c.any_contents else " of the source"


def outcome(p: CallPath, show: Printer) -> str:
    """Where the packet goes."""
    if p.outcome == "forward":
        return f"forward to {show(p.output) if p.output is not None else 'a device'}"
    return p.outcome


def call_text(r: Report, c: Call, show: Printer, answer: bool = True) -> str:
    """A call with its object's name and key, and what it answers on its path."""
    parts = []
    for t in c.touches[:1]:
        o = r.execution.objects.get(t.object)
        if o is not None:
            parts.append(o.name)
        if t.key and (answer or t.role != "allocate"):
            parts.append(show.key(t.key))
    text = f"{c.function}({', '.join(parts)})"
    if answer and c.result is not None:
        text += f" -> {show(c.result)}"
    if answer:
        text += "".join(f" {name} = {show(v)}" for name, v in c.outputs if name != "cell")
    return text + (" (writes the cell)" if any(t.stored for t in c.touches) else "")


def document(r: Report) -> dict[str, Any]:
    """Every path as data."""
    places = Places(r)
    compared = {"call_paths": comparison(r, r.comparison)} if r.comparison is not None else {}
    return {
        "schema": 1,
        "nf": r.name,
        "complete": r.analysis.complete,
        "source": r.source,
        "paths": [_path(r, p, places) for p in r.paths],
        "accesses": as_data(r),
        **compared,
    }


def comparison(r: Report, c: Comparison) -> dict[str, Any]:
    """How call path files compare, as data: for each file its kind and the paths of the source it is, and what only one side has."""
    a = c.alignment
    numbers = {f.path: n for n, f in enumerate(c.recorded.path_files)}
    return {
        **call_paths(r),
        "any_contents": c.any_contents,
        "paths": [
            {
                "file": relative(f.path),
                "kind": c.recorded.kinds.get(f.path),
                "source_paths": list(a.partners.get(numbers[f.path], ())) if a is not None and f.path in numbers else [],
            }
            for f in c.recorded.files
        ],
        "rejected": [
            {"file": relative(x.path), "line": x.line, "column": x.column, "message": x.message} for x in c.recorded.rejected
        ],
        "differences": [
            {"side": d.side, "path": d.path, "nearest": d.nearest, "call": d.call, "text": d.text, "file": relative(d.span.file),
             "line": Places(r).line(d.span)}
            for d in differences(c)
        ],
        "excluded": [p.number for p in a.excluded] if a is not None else [],
    }  # fmt: skip


def _path(r: Report, p: CallPath, places: Places) -> dict[str, Any]:
    show = Printer(r, p)
    return {
        "number": p.number,
        "device": p.device,
        "outcome": p.outcome,
        "output": show(p.output) if p.output is not None else None,
        "conditions": [
            {"text": show(c.expr), "assumed": c.assumed, "file": relative(c.span.file), "range": places.range(c.span)}
            for c in p.conditions
        ],
        "calls": [
            {
                "function": c.function,
                "text": call_text(r, c, show),
                "objects": [r.execution.objects[t.object].name for t in c.touches if t.object in r.execution.objects],
                "result": show(c.result) if c.result is not None else None,
                "file": relative(c.span.file),
                "range": places.range(c.span),
                "stack": [
                    {"function": f, "file": relative(s.file), "range": places.range(s)}
                    for f, s in zip(c.functions, c.stack, strict=True)
                ],
            }
            for c in p.calls
        ],
        "writes": [{"field": name, "value": value} for name, value in show.writes(p.writes)],
    }


def call_path_files(r: Report) -> list[str]:
    """The paths as texts of `.call_path` files: those that the report rests on, as they are, else the source's."""
    if r.comparison is not None and r.execution.engine is None:
        return [files.write(f) for f in r.comparison.recorded.path_files]
    places = Places(r)
    catalogue = r.context.catalogue if r.context is not None else Catalogue.builtin()
    objects = {i: _with_function_names(o, r.execution.engine) for i, o in r.execution.objects.items()}
    return [files.write(export(p, objects, catalogue, places.line)) for p in r.paths]


def _with_function_names(o: Object, engine: Engine | None) -> Object:
    """An object whose key functions are names instead of addresses."""
    detail: dict[str, Any] = dict(o.info.detail)
    for role in ("equality", "init"):
        target = engine.resolve_pointer(detail[role]) if engine is not None and role in detail else None
        if target is not None:
            detail[role] = target[0]
    return replace(o, info=replace(o.info, detail=detail))
