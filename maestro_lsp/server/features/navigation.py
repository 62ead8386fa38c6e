"""Definition and references: from a call to the declarations of its objects, from there to all uses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..documents import Documents, Position, forward_range, path_of, uri_of
from ..nfs import Facts, Nfs
from .lookup import object_at, site_at, views


def definitions(nfs: Nfs, documents: Documents, path: str, position: Position) -> list[dict[str, Any]]:
    """Where the objects that a call touches are declared."""
    found = []
    for nf, shown, edits in views(nfs, documents, path):
        site = site_at(shown, position, edits)
        if site is not None and nf.facts is not None:
            found += [_moved(place, nf.facts, documents) for place in site["declared"]]
    return _distinct(found)


def references(
    nfs: Nfs, documents: Documents, path: str, position: Position, with_declaration: bool
) -> list[dict[str, Any]]:
    """Every place that touches the objects that the call at a position touches, or that is declared there."""
    found = []
    for nf, shown, edits in views(nfs, documents, path):
        site = site_at(shown, position, edits)
        declared = object_at(shown, position, edits)
        names = set(site["objects"]) if site is not None else {declared["name"]} if declared is not None else set()
        if nf.facts is None or not names:
            continue
        for other in nf.facts.paths:
            data = nf.facts.file(other)
            for o in data["objects"] if data is not None else ():
                if o["name"] in names:
                    places = [_moved(place, nf.facts, documents) for place in o["uses"]]
                    if with_declaration:
                        places.insert(0, _moved({"uri": uri_of(other), "range": o["range"]}, nf.facts, documents))
                    found += places
    return _distinct(found)


def _moved(place: dict[str, Any], facts: Facts, documents: Documents) -> dict[str, Any]:
    path = path_of(place["uri"])
    document = documents.at(path)
    edits = documents.since(path, facts.versions.get(path))
    return {
        "uri": document.uri if document is not None else place["uri"],
        "range": forward_range(place["range"], edits),
    }


def _distinct(places: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({str(place): place for place in places}.values())
