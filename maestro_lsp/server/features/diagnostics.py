"""Findings as diagnostics. A file's diagnostics are those of all NFs that it belongs to, each said once.

They are pushed, also for files that are not open. A client that can only pull gets them that way.
"""

from __future__ import annotations

import json

from ..documents import Documents, forward_range
from ..nfs import Nfs


def of_file(nfs: Nfs, path: str) -> list[str]:
    """JSON of each diagnostic of a file, at the places of the analysed text."""
    found: dict[str, None] = dict.fromkeys(nfs.verified.get(path, ()))
    for nf in nfs:
        if nf.facts is not None:
            found.update(dict.fromkeys(nf.facts.diagnostics(path)))
    return list(found)


def to_push(nfs: Nfs, documents: Documents, path: str, uri: str) -> str:
    """The parameters of publishDiagnostics, as JSON."""
    document = documents.at(path)
    version = f', "version": {document.version}' if document is not None else ""
    return f'{{"uri": {json.dumps(uri)}{version}, "diagnostics": [{", ".join(of_file(nfs, path))}]}}'


def to_pull(nfs: Nfs, documents: Documents, path: str, previous: str | None) -> str:
    """The answer to textDocument/diagnostic, as JSON, at the places of the latest text."""
    items: dict[str, None] = dict.fromkeys(nfs.verified.get(path, ()))
    for nf in nfs:
        if nf.facts is None:
            continue
        edits = documents.since(path, nf.facts.versions.get(path))
        for text in nf.facts.diagnostics(path):
            if edits:
                moved = json.loads(text)
                moved["range"] = forward_range(moved["range"], edits)
                text = json.dumps(moved)
            items[text] = None
    body = ", ".join(items)
    mark = f"{hash(body) & 0xFFFFFFFFFFFF:x}"
    if mark == previous:
        return f'{{"kind": "unchanged", "resultId": "{mark}"}}'
    return f'{{"kind": "full", "resultId": "{mark}", "items": [{body}]}}'
