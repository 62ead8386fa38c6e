"""Findings as SARIF 2.1.0, for code scanning. Columns count UTF-16 units from 1."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .. import __version__, docs
from ..check import Report
from ..sharding.findings import RULES, Rule
from ..source.text import Span
from .json_ import Places, relative

LEVELS = {"error": "error", "warning": "warning", "information": "note", "hint": "note"}


def document(results: Iterable[list[dict[str, Any]]]) -> dict[str, Any]:
    """One run with the results of all NFs."""
    index = {code: i for i, code in enumerate(RULES)}
    driver = {"name": "maestro-lsp", "version": __version__, "rules": [_rule(r) for r in RULES.values()]}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "utf16CodeUnits",
                "results": [{**x, "ruleIndex": index[x["ruleId"]]} for one in results for x in one],
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.summary},
        "helpUri": docs.uri(rule.code),
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
    }


def results(r: Report) -> list[dict[str, Any]]:
    """The results of one NF."""
    places = Places(r)
    out = []
    for f in r.findings:
        result: dict[str, Any] = {
            "ruleId": f.code,
            "level": LEVELS[f.severity],
            "message": {"text": f.message},
            "locations": [_location(f.span, places)],
        }
        if f.related:
            result["relatedLocations"] = [
                {"id": i, **_location(x.span, places), "message": {"text": x.message}} for i, x in enumerate(f.related)
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
