"""Findings as SARIF 2.1.0, for code scanning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import __version__
from ..check import Report
from ..sharding.findings import RULES
from ..source.text import Span
from .json_ import Places, relative

LEVELS = {"error": "error", "warning": "warning", "information": "note", "hint": "note"}
DOCS = "docs/findings"


def document(reports: list[Report]) -> dict[str, Any]:
    """One run with the findings of all NFs."""
    codes = sorted({f.code for r in reports for f in r.findings})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "maestro-lsp",
                        "version": __version__,
                        "rules": [
                            {
                                "id": c,
                                "shortDescription": {"text": RULES[c].summary},
                                "helpUri": f"{DOCS}/{c}.md",
                                "defaultConfiguration": {"level": LEVELS[RULES[c].severity]},
                            }
                            for c in codes
                        ],
                    }
                },
                "columnKind": "utf16CodeUnits",
                "results": [result for r in reports for result in _results(r, codes)],
            }
        ],
    }


def _results(r: Report, codes: list[str]) -> list[dict[str, Any]]:
    places = Places(r)
    out = []
    for f in r.findings:
        result: dict[str, Any] = {
            "ruleId": f.code,
            "ruleIndex": codes.index(f.code),
            "level": LEVELS[f.severity],
            "message": {"text": f.message},
            "locations": [_location(f.span, places)],
        }
        if f.related:
            result["relatedLocations"] = [
                {**_location(x.span, places), "id": i, "message": {"text": x.message}} for i, x in enumerate(f.related)
            ]
        out.append(result)
    return out


def _location(span: Span, places: Places) -> dict[str, Any]:
    r = places.range(span)
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": Path(relative(span.file)).as_posix()},
            "region": {
                "startLine": r["start"]["line"] + 1,
                "startColumn": r["start"]["character"] + 1,
                "endLine": r["end"]["line"] + 1,
                "endColumn": r["end"]["character"] + 1,
            },
        }
    }
