"""What the matrix panel shows besides the analysis itself: the accesses behind each row, RSS, the tree of decisions; and the
list of call paths.
"""

from __future__ import annotations

from typing import Any

from ...check import Report
from ...render.expressions import Printer
from ...render.paths import call_text, outcome
from ...sharding.access import Access
from ...sharding.matrix import in_words
from . import rss
from .accesses import requirement
from .places import Places

_MAX_PAIRS = 60  # of accesses in a row
_MAX_NODES = 600  # of the tree
_MAX_PATHS = 2_000


def panel(r: Report, places: Places) -> dict[str, Any]:
    """All of the panel, but for the analysis."""
    a = r.analysis
    return {
        "rows": _rows(r, places),
        "devices": rss.devices(r),
        "tree": tree(r, places),
        "assumes": [{"class": x.packet_class, "devices": list(x.devices), "why": x.why} for x in a.assumes],
        "deviations": [{"code": d.code, "why": d.why} for d in a.deviations],
    }


def _rows(r: Report, places: Places) -> list[dict[str, Any]]:
    pairs: dict[tuple[int, int], dict[Any, dict[str, Any]]] = {}
    for c in r.analysis.conflicts.conflicts:
        mine = pairs.setdefault((c.i, c.j), {})
        when = requirement(c)
        for x, y in c.causes:
            mark = (x.access.span, y.access.span, x.access.object.name, when)
            if mark not in mine and len(mine) < _MAX_PAIRS:
                mine[mark] = {
                    "first": _access(x.access, places),
                    "second": _access(y.access, places),
                    "when": when,
                }
    return [
        {
            "text": _text(row.constraint),
            **row.to_json(),
            "accesses": list(pairs.get(row.devices, {}).values()),
        }
        for row in r.analysis.rows
    ]


def _text(constraint: Any) -> str:
    return " or ".join(in_words(c) for c in constraint) or "none"


def _access(a: Access, places: Places) -> dict[str, Any]:
    text = places.text(a.span.file).text[a.span.start : a.span.end]
    return {
        **places.location(a.span),
        "function": a.interface,
        "object": a.object.name,
        "write": a.write,
        "text": " ".join(text.split()),
    }


def tree(r: Report, places: Places) -> dict[str, Any]:
    """What packets go through: conditions that paths share are one node."""
    nodes: list[dict[str, Any]] = []
    edges: list[dict[str, Any]] = []
    seen: dict[tuple[Any, ...], int] = {}

    def node(prefix: tuple[Any, ...], kind: str, label: str, place: dict[str, Any]) -> int:
        if prefix not in seen:
            seen[prefix] = len(nodes)
            nodes.append({"id": len(nodes), "label": label, "kind": kind, **place})
        return seen[prefix]

    entry = r.execution.entry
    start = places.location(entry) if entry is not None else {}
    for p in r.paths:
        if len(nodes) >= _MAX_NODES:
            break
        show = Printer(r, p)
        prefix: tuple[Any, ...] = (p.device,)
        parent = node(prefix, "condition", f"device {p.device}", start)
        steps = [("condition", c.expr, show(c.expr), places.location(c.span)) for c in p.conditions if not c.assumed]
        calls = [("call", call_text(r, c, show), call_text(r, c, show), places.location(c.span)) for c in p.calls]
        ends = [("outcome", p.number, outcome(p, show), start)]
        for kind, mark, label, place in (*steps, *calls, *ends):
            prefix = (*prefix, mark)
            fresh = prefix not in seen
            child = node(prefix, kind, label, place)
            if fresh:
                edges.append({"from": parent, "to": child, "label": ""})
            parent = child
    return {"nodes": nodes, "edges": edges, "complete": len(nodes) < _MAX_NODES}


def paths(r: Report, places: Places) -> dict[str, Any]:
    """Every call path: when it is taken, what it calls, which lines it goes through."""
    out = []
    for p in r.paths[:_MAX_PATHS]:
        show = Printer(r, p)
        lines = [places.location(c.span) for c in p.conditions] + [places.location(c.span) for c in p.calls]
        out.append(
            {
                "number": p.number,
                "device": p.device,
                "outcome": outcome(p, show),
                "condition": [show(c.expr) for c in p.conditions if not c.assumed],
                "assumed": [show(c.expr) for c in p.conditions if c.assumed],
                "calls": [{"text": call_text(r, c, show), **places.location(c.span)} for c in p.calls],
                "writes": [{"field": name, "value": value} for name, value in show.writes(p.writes)],
                "lines": list({str(line): line for line in lines}.values()),
            }
        )
    return {"source": r.source, "complete": r.analysis.complete, "paths": out}
