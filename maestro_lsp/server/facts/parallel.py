"""A parallel program of an NF and what verification says about it, as plain data."""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path
from typing import Any

from ...check import Report
from ...source.text import Encoding, SourceText
from ...synthesis.parallel import Refused, parallelize
from ...verify import Verification, verify
from ...workspace import is_generated
from .places import Places, uri
from .snapshot import SOURCE


def written(report: Report, strategy: str, encoding: Encoding) -> dict[str, Any]:
    """The program by a strategy, checked against the NF by symbols; or why it is refused."""
    try:
        made = parallelize(report, strategy)
    except Refused as why:
        return {"refused": str(why)}
    path = posixpath.join(report.nf.root, made.file_name)
    try:
        there = Path(path).read_text("utf-8")
    except OSError:
        there = None
    except ValueError:
        there = ""
    if there is not None and not is_generated(there):
        return {"refused": f"{path} exists and is not of maestro-lsp's making: move it away"}
    found = verify(report, path, made.text, packets=0)
    return {
        "refused": "",
        "path": path,
        "exists": there is not None,
        "text": made.text,
        "build": made.build(),
        "notes": list(made.notes),
        **verification(found, report, made.text, encoding),
    }


def _about(check: str, text: str) -> tuple[int, int]:
    """The part of a generated file that a check is about, where a difference has no place of its own."""
    at = re.search(r"maestro_key_0\b", text) if check == "rss" else None
    return at.span() if at is not None else (0, 0)


def verification(v: Verification, report: Report, text: str, encoding: Encoding) -> dict[str, Any]:
    """What verification found: a line for each check, and diagnostics of the generated file."""
    generated = SourceText(v.file, text)
    places = Places(report, encoding)
    told = []
    for check in v.checks:
        if check.status != "failed":
            continue
        differences = check.differences or (None,)
        for d in differences[:20]:
            where = d.there if d is not None else None
            start, end = (
                (where.start, where.end) if where is not None and where.file == v.file else _about(check.name, text)
            )
            (l0, c0), (l1, c1) = (generated.position(offset, encoding) for offset in (start, end))
            related = (
                [{"location": places.location(d.here), "message": "the NF does otherwise here"}] if d and d.here else []
            )
            told.append(
                {
                    "range": {"start": {"line": l0, "character": c0}, "end": {"line": l1, "character": c1}},
                    "severity": 1,
                    "code": f"verification-{check.name}",
                    "source": SOURCE,
                    "message": f"differs from {report.name}: {d.what if d is not None else check.detail}",
                    **({"relatedInformation": related} if related else {}),
                }
            )
    return {
        "verified": v.verified,
        "checks": [(c.name, c.status, c.detail) for c in v.checks],
        "diagnostics": [json.dumps(d, ensure_ascii=False) for d in told],
        "uri": uri(v.file),
    }
