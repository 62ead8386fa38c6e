"""Inlay hints behind calls: what they shard on."""

from __future__ import annotations

from typing import Any

from ..documents import Documents, forward
from ..nfs import Nfs
from .lookup import views


def hints(nfs: Nfs, documents: Documents, path: str, lines: tuple[int, int]) -> list[dict[str, Any]]:
    """The hints in the lines first to last."""
    found: dict[tuple[int, int, str], dict[str, Any]] = {}
    for _, shown, edits in views(nfs, documents, path):
        for site in shown["sites"]:
            if not site["hint"]:
                continue
            end = site["range"]["end"]
            line, character = forward((end["line"], end["character"]), edits)
            if lines[0] <= line <= lines[1]:
                found[line, character, site["hint"]] = {
                    "position": {"line": line, "character": character},
                    "label": site["hint"],
                    "tooltip": site["tooltip"],
                    "paddingLeft": True,
                }
    return [found[key] for key in sorted(found)]
