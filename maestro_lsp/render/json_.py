"""A report as JSON (docs/reference/report.schema.json)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import __version__
from ..check import Report
from ..source.text import SourceText, Span
from ..symbex.path import calls_of, written_objects

SCHEMA = 1


def document(nfs: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole answer of `check --format json`, of the parts that `nf` gives."""
    return {"schema": SCHEMA, "tool": f"maestro-lsp {__version__}", "nfs": nfs}


def relative(path: str) -> str:
    """A path as people see it: relative to the working directory where it lies below, else as it is."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return os.path.relpath(path) if Path(path).is_absolute() and not path.startswith("<") else path


class Places:
    """Ranges of source files as LSP gives them."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._texts: dict[str, SourceText] = {}

    def text(self, path: str) -> SourceText:
        got = self._texts.get(path)
        if got is None:
            got = self._texts[path] = self._report.text(path)
        return got

    def range(self, span: Span) -> dict[str, dict[str, int]]:
        """{"start": {"line", "character"}, "end": ...}, counted from 0 in UTF-16 units."""
        text = self.text(span.file)
        (l0, c0), (l1, c1) = text.position(span.start), text.position(span.end)
        return {"start": {"line": l0, "character": c0}, "end": {"line": l1, "character": c1}}

    def line(self, span: Span) -> int:
        """The line, counted from 1."""
        return self.text(span.file).line(span.start) + 1


def call_paths(r: Report, shown: Callable[[str], str] = relative) -> dict[str, Any]:
    """What is known of the NF's call path files."""
    c = r.comparison
    assert c is not None
    kinds = c.recorded.kinds
    a = c.alignment
    return {
        "folder": shown(c.folder),
        "files": len(c.recorded.files) + len(c.recorded.rejected),
        "packets": len(c.recorded.execution.paths),
        "other": {kind: sum(k == kind for k in kinds.values()) for kind in ("no-packet", "start-failed")},
        "invalid": len(c.recorded.rejected),
        "agrees": c.agrees if a is not None else None,
        "only_in_files": len(a.only_files) if a is not None else 0,
        "only_in_source": len(a.only_source) if a is not None else 0,
        "summary": c.summary,
    }


def nf(r: Report, shown: Callable[[str], str] = relative) -> dict[str, Any]:
    """One NF. `shown` is what becomes of the paths of files."""
    places = Places(r)
    a = r.analysis
    entry = r.execution.entry
    written = written_objects(calls_of(r.paths)) | {x.object.id for x in a.accesses if x.plain is not None}
    rss = a.configuration.to_json() if a.configuration is not None else None
    return {
        "name": r.name,
        "root": shown(r.nf.root),
        "entry": {"file": shown(entry.file), "line": places.line(entry)} if entry is not None else None,
        "complete": a.complete,
        "source": r.source,
        **({"call_paths": call_paths(r, shown)} if r.comparison is not None else {}),
        "devices": list(range(r.devices)),
        "paths": len(r.paths),
        "objects": [
            {
                "name": o.name,
                "kind": o.kind,
                "written": o.id in written,
                "capacity": o.capacity,
                "declared": {"file": shown(o.declared.file), "line": places.line(o.declared)} if o.declared else None,
            }
            for o in r.objects
        ],
        "verdict": a.verdict,
        "stateless": a.stateless,
        "matrix": [row.to_json() for row in a.rows],
        "rss": rss,
        "proof": None if r.proof is None else {"holds": r.proof.holds, "checks": [str(c) for c in r.proof.checks]},
        "assumes": [{"class": x.packet_class, "devices": list(x.devices), "why": x.why} for x in a.assumes],
        "deviations": [{"code": d.code, "why": d.why} for d in a.deviations],
        "roles": dict(r.roles),
        "findings": [
            {
                "code": f.code,
                "severity": f.severity,
                "message": f.message,
                "file": shown(f.span.file),
                "range": places.range(f.span),
                "related": [
                    {"file": shown(x.span.file), "range": places.range(x.span), "message": x.message} for x in f.related
                ],
            }
            for f in r.findings
        ],
        "timings_ms": dict(r.timings_ms),
    }
