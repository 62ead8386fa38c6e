"""Code lens over nf_process: the verdict, the state of keys and proof. Resolved lenses show the matrix when they are chosen."""

from __future__ import annotations

from typing import Any

from ..documents import Documents, forward_range, uri_of
from ..nfs import Nf, Nfs
from .lookup import views


def lenses(nfs: Nfs, documents: Documents, path: str) -> list[dict[str, Any]]:
    """Unresolved lenses of a file."""
    found = []
    for nf, shown, edits in views(nfs, documents, path):
        if shown["entry"] is not None:
            where = forward_range(shown["entry"]["name"], edits)
            found += [{"range": where, "data": {"nf": nf.entry, "kind": kind}} for kind in ("verdict", "paths")]
    return found


def resolve(nfs: Nfs, lens: dict[str, Any]) -> dict[str, Any]:
    """The lens with its title and command."""
    data = lens.get("data")
    data = data if isinstance(data, dict) else {}
    nf = nfs.get(str(data.get("nf")))
    argument = {"uri": uri_of(nf.entry)} if nf is not None else {}
    command = "maestro.showMatrix"
    if nf is None or nf.facts is None:
        title = "not analysed"
    elif data.get("kind") == "paths":
        entry = nf.facts.file(nf.entry)
        command = "maestro.showPaths"
        count = len(entry["entry"]["paths"]) if entry is not None and entry["entry"] is not None else 0
        title = f"{count} call path{'' if count == 1 else 's'}"
    else:
        title = verdict(nf)
    return {**lens, "command": {"title": title, "command": command, "arguments": [argument]}}


def verdict(nf: Nf) -> str:
    """One line about an NF."""
    if nf.facts is None:
        return nf.message or "being analysed"
    if nf.facts.data["refused"]:
        return str(nf.facts.data["refused"])
    shown = nf.facts.file(nf.entry)
    title = shown["entry"]["title"] if shown is not None and shown["entry"] is not None else nf.facts.data["verdict"]
    more = {"running": ", proving", "proved": ", proved", "failed": ", PROOF FAILED", "none": ""}[nf.proof]
    return f"{title}{more}{' (changing)' if nf.state == 'stale' else ''}"
