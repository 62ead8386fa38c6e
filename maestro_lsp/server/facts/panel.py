"""What the matrix panel shows besides the analysis itself: the accesses behind each row, RSS, the tree of decisions; and the
list of call paths.
"""

from __future__ import annotations

from typing import Any

from ...check import Report
from ...render import pathview
from ...render import tree as rendered
from ...render.expressions import Printer
from ...render.paths import call_text, outcome
from ...sharding.access import Access
from ...sharding.matrix import in_words
from ...source.text import Span
from ...synthesis.tree import Undecided
from . import rss
from .accesses import requirement
from .places import Places, uri

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
    """The decision tree: what packets are asked, and what becomes of them; or `why` there is none."""
    try:
        found = rendered.document(r)
    except Undecided as why:  # paths of call path files, which are not all of one program's
        return {"nodes": [], "edges": [], "complete": False, "why": str(why)}

    def node(id_: str, label: str, kind: str, span: Span | None) -> dict[str, Any]:
        # of an NF without a source, what is no call has no place
        return {"id": id_, "label": label, "kind": kind, **(places.location(span) if span is not None else {})}

    entry = r.execution.entry
    roots = [node(f"d{root['device']}", f"device {root['device']}", "condition", entry) for root in found["roots"]]
    nodes = [node(n["id"], n["label"], n["kind"], n["span"]) for n in found["nodes"][:_MAX_NODES]]
    known = {n["id"] for n in (*roots, *nodes)}
    edges = [{"from": f"d{root['device']}", "to": root["node"], "label": ""} for root in found["roots"]] + found[
        "edges"
    ]
    return {
        "nodes": [*roots, *nodes],
        "edges": [e for e in edges if e["from"] in known and e["to"] in known],
        "complete": len(found["nodes"]) <= _MAX_NODES,
    }


def paths(r: Report, places: Places) -> dict[str, Any]:
    """Every call path: when it is taken, what it calls, which lines it goes through."""
    out = []
    for p in r.paths[:_MAX_PATHS]:
        show = Printer(r, p)
        out.append(
            {
                "number": p.number,
                "device": p.device,
                "outcome": outcome(p, show),
                "condition": [show(c.expr) for c in p.conditions if not c.assumed],
                "assumed": [show(c.expr) for c in p.conditions if c.assumed],
                "calls": [{"text": call_text(r, c, show), **places.location(c.span)} for c in p.calls],
                "writes": [{"field": name, "value": value} for name, value in show.writes(p.writes)],
                "lines": [places.location(s) for s in pathview.lines(r, p)],
                "files": [uri(f) for f in pathview.files_of(r, p)],
            }
        )
    return {"source": r.source, "complete": r.analysis.complete, "paths": out}
