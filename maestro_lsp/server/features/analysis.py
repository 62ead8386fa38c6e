"""Answers of our own requests: maestro/analysis, and what the matrix panel and the list of call paths show."""

from __future__ import annotations

import json
from typing import Any

from ..documents import Documents
from ..nfs import Nf, Nfs


def nf_of(nfs: Nfs, path: str) -> Nf | None:
    """The NF that a file is about: that of its folder, else one that uses it, the one touched last."""
    showing = nfs.showing(path)
    if not showing:
        inside = [nf for nf in nfs if nf.root == path.rstrip("/")]
        return inside[0] if inside else None
    own = [nf for nf in showing if nf.entry == path] or showing
    return own[0] if len(own) == 1 else max(own, key=lambda nf: nf.touched)


def head(nfs: Nfs, documents: Documents, path: str) -> dict[str, Any]:
    """State and version, of the answers that are given at once."""
    nf = nf_of(nfs, path)
    if nf is None:
        return {"state": "none", "version": None, "nfs": [], "proof": "none"}
    document = documents.at(path)
    version = nf.facts.versions.get(path) if nf.facts is not None else None
    if version is None and document is not None and nf.state == "fresh":
        version = document.version
    return {"state": nf.state, "version": version, "nfs": [n.name for n in nfs.showing(path)], "proof": nf.proof}


def analysis(nfs: Nfs, documents: Documents, path: str) -> str:
    """The answer to maestro/analysis, as JSON: state and version, then the JSON of `check`."""
    nf = nf_of(nfs, path)
    known = nf.facts.data["analysis"] if nf is not None and nf.facts is not None else b""
    return joined(head(nfs, documents, path), known)


def joined(first: dict[str, Any], rest: bytes) -> str:
    """One JSON object of two."""
    start = json.dumps(first)
    more = rest.decode()[1:].lstrip() if rest else ""
    return f"{start[:-1]}, {more}" if more and more != "}" else start
