"""Call paths as text, JSON, a tree for Graphviz, and as the thesis's LVA report (listing 3.2, table 3.1)."""

from __future__ import annotations

from typing import Any

from ..check import Report
from ..sharding.access import Access
from ..symbex.path import Call, CallPath
from .expressions import Printer
from .json_ import Places, relative


def text(r: Report) -> str:
    """Every path: conditions with their lines, calls with arguments and answers, what leaves."""
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
    return "\n".join(out)


def outcome(p: CallPath, show: Printer) -> str:
    """Where the packet goes."""
    if p.outcome == "forward":
        return f"forward to {show(p.output) if p.output is not None else 'a device'}"
    return p.outcome


def call_text(r: Report, c: Call, show: Printer) -> str:
    """A call with its object's name, key and answer."""
    parts = []
    for t in c.touches[:1]:
        o = r.execution.objects.get(t.object)
        if o is not None:
            parts.append(o.name)
        if t.key:
            parts.append(show.key(t.key))
    answer = ""
    for name, v in c.outputs:
        if name != "cell":
            answer += f" {name} = {show(v)}"
    result = f" -> {show(c.result)}" if c.result is not None else ""
    written = " (writes the cell)" if any(t.stored for t in c.touches) else ""
    return f"{c.function}({', '.join(parts)}){result}{answer}{written}"


def document(r: Report) -> dict[str, Any]:
    """Every path as data."""
    places = Places(r)
    return {"schema": 1, "nf": r.name, "complete": r.analysis.complete, "paths": [_path(r, p, places) for p in r.paths]}


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


def dot(r: Report) -> str:
    """A tree of paths: conditions that paths share are one node."""
    lines = [f'digraph "{_quote(r.name)}" {{', "  node [shape=box, fontname=monospace];"]
    seen: dict[tuple[Any, ...], str] = {}
    edges: set[tuple[str, str]] = set()
    for p in r.paths:
        show = Printer(r, p)
        prefix: tuple[Any, ...] = (p.device,)
        parent = seen.get(prefix)
        if parent is None:
            parent = seen[prefix] = f"d{p.device}"
            lines.append(f'  {parent} [label="device {p.device}", shape=ellipse];')
        for c in p.conditions:
            if c.assumed:
                continue
            prefix = (*prefix, c.expr)
            node = seen.get(prefix)
            if node is None:
                node = seen[prefix] = f"n{len(seen)}"
                lines.append(f'  {node} [label="{_quote(show(c.expr))}"];')
            if (parent, node) not in edges:
                edges.add((parent, node))
                lines.append(f"  {parent} -> {node};")
            parent = node
        leaf = f"p{p.number}"
        calls = "\\n".join(_quote(call_text(r, c, show)) for c in p.calls)
        lines.append(f'  {leaf} [label="{calls}\\n{_quote(outcome(p, show))}", style=rounded];')
        lines.append(f"  {parent} -> {leaf};")
    return "\n".join([*lines, "}"])


def _quote(s: str) -> str:
    return s.replace("\\", "\\\\").replace('"', '\\"')


def lva(r: Report) -> str:
    """The accesses to state, as the thesis's tool lists them."""
    out = []
    places = Places(r)
    for n, a in enumerate(r.analysis.accesses):
        out.append(
            f"{'=' * 5}\nAccess {n}\n" + "\n".join(f"  {k:<13}{v}" for k, v in _fields(a, r, places)) + f"\n{'=' * 5}"
        )
    return "\n".join(out)


def _fields(a: Access, r: Report, places: Places) -> list[tuple[str, str]]:
    show = Printer(r, a.path)
    out = [
        ("file", f"{relative(a.span.file)}:{places.line(a.span)}"),
        ("src device", str(a.path.device)),
        ("dst device", show(a.path.output) if a.path.output is not None else a.path.outcome),
        ("interface", a.interface),
        ("operation", "WRITE" if a.write else "READ"),
        ("object", a.object.name),
        ("read", show.key(a.key)),
    ]
    for v in a.views[:1]:
        for layer in sorted({layer for layer, _, _ in a.dependencies(v)}):
            mine = [(p, b) for at, p, b in a.dependencies(v) if at == layer]
            out.append(("layer", str(layer)))
            out.append(("protocol", str(mine[0][0])))
            out.append(("dependencies", " ".join(str(b) for _, b in sorted(mine, reverse=True))))
    t = a.touch
    if t is not None and t.stored:
        out.append(("write", "; ".join(f"{at} = {v}" for at, v in show.cell(t.stored))))
    elif t is not None and t.value is not None and a.write:
        out.append(("write", show(t.value)))
    if t is not None and t.value is not None and not a.write:
        out.append(("result", show(t.value)))
    if t is not None and t.found is not None:
        out.append(("success", str(int(t.found))))
    return out
