"""All that the editor shows of an NF's analysis, as plain data: what the worker sends once it has analysed.

The data of each file is JSON that the event loop only reads when that file is looked at, and diagnostics are JSON texts that it
passes on as they are: whatever an NF's size, the loop does little.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ... import docs
from ...check import ALLOW, Report
from ...render.json_ import nf as check_json
from ...rss.nic import profiles
from ...sharding.findings import Finding
from ...source.text import Encoding, Span
from ...synthesis.parallel import applicable
from ...workspace import NfSources
from . import markdown
from .accesses import Site, sites
from .places import Places

SOURCE = "maestro"
SEVERITIES = {"error": 1, "warning": 2, "information": 3, "hint": 4}
_MAX_HINT = 48  # characters of an inlay hint


def facts(r: Report, key: str, encoding: Encoding, reads: Sequence[str], final: bool = True) -> dict[str, Any]:
    """One analysed NF, which the server knows by its `key` (see `tasks.entry_of`). `reads` are the files that the analysis read
    or missed; not `final`: call path files are still to be read."""
    a = r.analysis
    places = Places(r, encoding)
    found = sites(r)
    entry = _entry(r, key, places)
    files: dict[str, dict[str, Any]] = {}
    for f in r.findings:
        _file(files, f.span.file)["diagnostics"].append(
            json.dumps({**diagnostic(f, places), "data": {"nf": key}}, ensure_ascii=False)
        )
    for path, told in _idle_permissions(r, reads, places):
        _file(files, path)["diagnostics"].append(json.dumps(told))
    for site in found.values():
        _file(files, site.span.file)["sites"].append(_site(site, places, len(r.paths)))
    for o in r.objects:
        if o.declared is not None:
            uses = [places.location(s.span) for s in found.values() if o.name in s.objects]
            about = {
                "name": o.name,
                "kind": o.kind,
                "capacity": o.capacity,
                "range": places.range(o.declared),
                "uses": uses,
            }
            _file(files, o.declared.file)["objects"].append(about)
    if entry is not None:
        lens = {"title": markdown.title(r), "hover": markdown.matrix(r), "paths": _outcomes(r), **entry}
        _file(files, key)["entry"] = lens
    return {
        **_identity(r.nf, key),
        "final": final,
        "refused": "",
        "verdict": a.verdict,
        "stateless": a.stateless,
        "complete": a.complete,
        "devices": r.devices,
        "nic": r.nic,
        "nics": other_nics(r),
        "roles": dict(r.roles),
        "strategies": applicable(r),
        "keys": a.configuration is not None and a.complete,
        "error": r.error,
        "reads": list(reads),
        "files": {path: _packed(data) for path, data in files.items()},
        "analysis": json.dumps(
            {k: v for k, v in check_json(r, str).items() if k != "proof"}
        ).encode(),  # that comes later
        "elapsed_ms": round(sum(r.timings_ms.values()), 1),
    }


def other_nics(r: Report) -> list[str]:
    """The NIC profiles that the NF could be switched to."""
    return [name for name in sorted(profiles()) if name not in (r.nic, "null")]


def refused(nf: NfSources | None, key: str, why: str, reads: Sequence[str]) -> dict[str, Any]:
    """An NF whose settings cannot be used: one error, at the place that the message names."""
    assert nf is not None
    at = re.match(r"(?P<file>[^:]+):(?P<line>\d+): ", why)
    path, line = key, 0
    for p in reads if at is not None else ():
        if p.endswith("maestro.toml") and p.endswith(at["file"].lstrip("./")):  # type: ignore[index]
            path, line = p, int(at["line"]) - 1  # type: ignore[index]
    place = {"start": {"line": line, "character": 0}, "end": {"line": line, "character": 200}}
    told = {"range": place, "severity": 1, "source": SOURCE, "code": "settings", "message": why}
    data = _file({}, path)
    data["diagnostics"].append(json.dumps(told))
    return {
        **_identity(nf, key),
        "final": True,
        "refused": why,
        "verdict": "unknown",
        "keys": False,
        "error": "",
        "reads": list(reads),
        "files": {path: _packed(data)},
        "analysis": b"",
    }


def _identity(nf: NfSources, key: str) -> dict[str, Any]:
    return {"name": nf.name, "root": nf.root, "entry": key}


def _file(files: dict[str, dict[str, Any]], path: str) -> dict[str, Any]:
    return files.setdefault(path, {"diagnostics": [], "sites": [], "objects": [], "entry": None})


def _packed(data: dict[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in data.items() if key != "diagnostics"}
    return {"diagnostics": list(dict.fromkeys(data["diagnostics"])), "data": json.dumps(rest).encode()}


def diagnostic(f: Finding, places: Places) -> dict[str, Any]:
    """A finding as the protocol writes it."""
    related = [{"location": places.location(x.span), "message": x.message} for x in f.related]
    return {
        "range": places.range(f.span),
        "severity": SEVERITIES[f.severity],
        "code": f.code,
        "codeDescription": {"href": docs.uri(f.code)},
        "source": SOURCE,
        "message": f.message,
        **({"relatedInformation": related} if related else {}),
    }


def _idle_permissions(r: Report, reads: Sequence[str], places: Places) -> Iterator[tuple[str, dict[str, Any]]]:
    """Hints about comments `maestro: allow(code)` in the NF's own files that hide nothing, faded out like unused code."""
    if not r.analysis.complete:
        return  # what they hide may not have been found
    hidden = {(f.span.file, places.line(f.span) - 1, f.code) for f in r.hidden}
    for path in reads:
        text = places.text(path) if path.startswith(f"{r.nf.root}/") and path.endswith((".c", ".h")) else None
        for comment in ALLOW.finditer(text.text) if text is not None else ():
            line = text.line(comment.start()) if text is not None else 0
            for code in re.finditer(r"[\w-]+", comment[1]):
                if not any((path, at, code[0]) in hidden for at in (line, line + 1)):
                    start = comment.start(1) + code.start()
                    yield (
                        path,
                        {
                            "range": places.range(Span(path, start, start + len(code[0]))),
                            "severity": SEVERITIES["hint"],
                            "code": "unused-allow",
                            "source": SOURCE,
                            "message": f"there is no {code[0]} here that this hides",
                            "tags": [1],  # unnecessary
                        },
                    )


def _site(site: Site, places: Places, total: int) -> dict[str, Any]:
    said = site.summary()
    short = said if len(said) <= _MAX_HINT else said[: _MAX_HINT - 1].rstrip(", ") + "…"
    return {
        "range": places.range(site.span),
        "function": site.function,
        "enclosing": site.enclosing,
        "objects": list(site.objects),
        "declared": [places.location(o.declared) for o in site.objects.values() if o.declared is not None],
        "hint": short,
        "tooltip": said,
        "hover": markdown.access(site, places, total),
        "paths": sorted(site.paths),
        "codes": sorted({f.code for f in site.findings}),
    }


def _entry(r: Report, key: str, places: Places) -> dict[str, Any] | None:
    """Where nf_process stands: its name, and all of it. Without sources: the first line of the first call path file."""
    whole = r.execution.entry
    if whole is None and not r.nf.entry_file:
        line = places.range(Span(key, 0, len(places.text(key).text.partition("\n")[0])))
        return {"range": line, "name": line}
    if whole is None:
        return None
    text = places.text(whole.file).text
    at = re.compile(r"\bnf_process\b").search(text, whole.start, whole.end)
    if at is None:  # it comes from a macro
        return {"range": places.range(whole), "name": places.range(whole)}
    return {"range": places.range(whole), "name": places.range(Span(whole.file, at.start(), at.end()))}


def _outcomes(r: Report) -> list[dict[str, Any]]:
    return [{"number": p.number, "device": p.device, "outcome": p.outcome, "calls": len(p.calls)} for p in r.paths]
