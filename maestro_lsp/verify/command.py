"""`maestro-lsp verify PATH [--against FILE]`: what verification found, for people and as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from ..check import Report
from ..source.text import SourceText, Span
from ..synthesis.runtime_part import nf_part
from . import Check, Verification
from .replay import Outcome, Sent
from .traffic import packet_of

_SHOWN = 6  # packets of a sequence


def text(v: Verification, report: Report) -> str:
    """For people."""
    head = f"{os.path.relpath(v.file)}: " + (
        f"equal to {report.name}, {v.strategy}" if v.verified else f"not equal to {report.name}"
    )
    lines = [head]
    for c in v.checks:
        lines.append(f"  {c.name:9} {c.status:8} {c.detail}")
        lines += [f"    {line}" for line in _details(c, v, report)]
    return "\n".join(lines)


def _details(c: Check, v: Verification, report: Report) -> Iterator[str]:
    for d in c.differences[:3]:
        if d.there is not None:
            yield f"here:     {_place(d.there, v, report)}"
        if d.here is not None:
            yield f"original: {_place(d.here, v, report)}"
        if d.model and d.device is not None:
            yield f"for example for a packet on device {d.device}: {packet_of(d.model, d.regions).hex()}"
    if len(c.differences) > 3:
        yield f"and {len(c.differences) - 3} more"
    if c.outcome is not None and c.outcome.sequence:
        yield from _sequence(c.outcome)


def _sequence(o: Outcome) -> Iterator[str]:
    shown = o.sequence[-_SHOWN:]
    if len(shown) < len(o.sequence):
        yield f"... {len(o.sequence) - len(shown)} packets before"
    start = o.sequence[0][0]
    for now, device, packet in shown:
        yield f"at {(now - start) / 1e6:.3f} ms on device {device}: {packet.hex()}"
    if o.original is not None and o.generated is not None:
        yield f"the original then sends {_sent(o.original)}"
        yield f"the program sends {_sent(o.generated)}"


def _sent(s: Sent) -> str:
    if not s.devices:
        return "nothing"
    return f"{s.packet.hex()} to {' and '.join(map(str, s.devices))}"


def _place(span: Span, v: Verification, report: Report) -> str:
    content = report.read(span.file) or ""
    source = SourceText(span.file, nf_part(content) if span.file == v.file else content)  # as it was executed
    line, character = source.position(span.start)
    return f"{os.path.relpath(span.file)}:{line + 1}:{character + 1}: {source.line_text(line).strip()}"


def document(v: Verification, report: Report) -> str:
    """As JSON."""
    return json.dumps(
        {
            "file": os.path.relpath(v.file),
            "nf": report.name,
            "strategy": v.strategy,
            "verified": v.verified,
            "checks": [
                {
                    "name": c.name,
                    "status": c.status,
                    "detail": c.detail,
                    "differences": [_difference(d, v, report) for d in c.differences],
                    "sequence": [
                        {"time": now, "device": device, "packet": packet.hex()}
                        for now, device, packet in (c.outcome.sequence if c.outcome is not None else ())
                    ],
                }
                for c in v.checks
            ],
        },
        indent=1,
    )


def _difference(d: Any, v: Verification, report: Report) -> dict[str, Any]:
    return {
        "what": d.what,
        "here": _place(d.there, v, report) if d.there is not None else None,
        "original": _place(d.here, v, report) if d.here is not None else None,
        "device": d.device,
        "packet": packet_of(d.model, d.regions).hex() if d.model else None,
    }
