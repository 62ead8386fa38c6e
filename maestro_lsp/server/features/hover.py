"""Hover: the constraint matrix over nf_process, what an access means over a call, what an object is over its declaration."""

from __future__ import annotations

from typing import Any

from ..documents import Documents, Position, forward_range
from ..nfs import Nf, Nfs
from .lookup import entry_at, object_at, site_at, views

PROOFS = {
    "none": "",
    "running": "The keys are being proved.",
    "proved": "The keys are proved.",
    "failed": "The proof of the keys failed",
}


def hover(nfs: Nfs, documents: Documents, path: str, position: Position) -> dict[str, Any] | None:
    """What the protocol calls Hover. Texts of several NFs are shown one below the other."""
    texts: dict[str, None] = {}
    where = None
    for nf, shown, edits in views(nfs, documents, path):
        entry = entry_at(shown, position, edits)
        site = site_at(shown, position, edits)
        declared = object_at(shown, position, edits)
        if entry is not None:
            texts[f"{entry['hover']}\n\n{proof(nf)}".strip()] = None
            where = forward_range(entry["name"], edits)
        elif site is not None:
            texts[site["hover"]] = None
            where = forward_range(site["range"], edits)
        elif declared is not None:
            texts[_object(declared)] = None
            where = forward_range(declared["range"], edits)
    if not texts:
        return None
    return {"contents": {"kind": "markdown", "value": "\n\n---\n\n".join(texts)}, "range": where}


def proof(nf: Nf) -> str:
    """What is known about the proof of the keys."""
    return PROOFS[nf.proof] + (f": {nf.proof_text}." if nf.proof == "failed" else "")


def _object(o: dict[str, Any]) -> str:
    size = f", {o['capacity']} entries" if o["capacity"] else ""
    return f"`{o['name']}` ({o['kind']}{size}), used at {len(o['uses'])} places while packets are processed."
