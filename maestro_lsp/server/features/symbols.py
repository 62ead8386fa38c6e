"""Document symbols: objects, nf_process with its call paths, functions with what they do to state."""

from __future__ import annotations

from typing import Any

from ..documents import Documents, forward_range
from ..nfs import Nfs
from .lookup import views

FUNCTION, OBJECT, EVENT, METHOD = 12, 19, 24, 6  # the protocol's SymbolKind
_MAX_PATHS = 100


def symbols(nfs: Nfs, documents: Documents, path: str) -> list[dict[str, Any]]:
    """The symbols of a file, as a tree."""
    found: dict[str, dict[str, Any]] = {}
    for _, shown, edits in views(nfs, documents, path):
        for o in shown["objects"]:
            size = f", {o['capacity']} entries" if o["capacity"] else ""
            where = forward_range(o["range"], edits)
            found[f"object {o['name']}"] = _symbol(o["name"], f"{o['kind']}{size}", OBJECT, where)
        for site in shown["sites"]:
            where = forward_range(site["range"], edits)
            name = f"{site['function']}({', '.join(site['objects'])})"
            found[f"{where} {name}"] = _symbol(name, site["hint"], METHOD, where)
        entry = shown["entry"]
        if entry is not None:
            where = forward_range(entry["range"], edits)
            children = [
                _symbol(
                    f"path {p['number']}: device {p['device']}, {p['outcome']}",
                    f"{p['calls']} call{'' if p['calls'] == 1 else 's'}",
                    EVENT,
                    forward_range(entry["name"], edits),
                )
                for p in entry["paths"][:_MAX_PATHS]
            ]
            symbol = _symbol("nf_process", entry["title"], FUNCTION, where)
            found["entry"] = {
                **symbol,
                "selectionRange": forward_range(entry["name"], edits),
                "children": children,
            }
    return list(found.values())


def _symbol(name: str, detail: str, kind: int, where: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "detail": detail, "kind": kind, "range": where, "selectionRange": where}
